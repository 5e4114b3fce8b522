#include "policy/bundle.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/bytes.h"
#include "policy/diff.h"
#include "policy/parse.h"

namespace proofgate::policy {
namespace {

constexpr std::array<std::string_view, 3> kAtExpiry = {"deny-new", "standing-only", "keep"};
constexpr std::array<std::string_view, 3> kOldReceipts = {"review", "keep", "revoke"};

bool IsFileName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name.front() != '.' && name.ends_with(".yaml") &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
         });
}

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '@';
  });
}

// Members that were not asked for are refused.
Status OnlyMembers(const json::Value& value, std::initializer_list<std::string_view> known) {
  if (!value.is_object()) return Fail(Code::kInvalid, "an object expected");
  for (const auto& [name, member] : value.object())
    if (std::find(known.begin(), known.end(), name) == known.end())
      return Fail(Code::kInvalid, "unknown member '" + EscapeForPeople(name) + "'");
  return {};
}

Result<Role> ReadRole(const json::Value& roles, std::string_view name) {
  const json::Value* const value = roles.Find(name);
  if (value == nullptr) return Fail(Code::kInvalid, fmt::format("role '{}' is missing", name));
  TRY(OnlyMembers(*value, {"threshold", "keys"}));
  Role role;
  role.threshold = TRY(json::GetInteger(*value, "threshold"));
  const json::Value* const keys = value->Find("keys");
  if (keys == nullptr || !keys->is_array() || keys->array().empty() || keys->array().size() > 64)
    return Fail(Code::kInvalid, fmt::format("role '{}': keys: 1 to 64 expected", name));
  std::set<std::string> owners;
  std::set<std::string> seen;
  for (const json::Value& item : keys->array()) {
    TRY(OnlyMembers(item, {"owner", "key"}));
    RoleKey key;
    key.owner = TRY(json::GetString(item, "owner"));
    key.key = TRY(ParsePersonKey(TRY(json::GetString(item, "key"))));
    if (!IsName(key.owner)) return Fail(Code::kInvalid, fmt::format("role '{}': owner: a name expected", name));
    if (!seen.insert(key.key.OpenSsh()).second)
      return Fail(Code::kInvalid, fmt::format("role '{}': a key is there twice", name));
    owners.insert(key.owner);
    role.keys.push_back(std::move(key));
  }
  // Two keys of one person are one vote.
  if (role.threshold == 0 || role.threshold > owners.size())
    return Fail(Code::kInvalid, fmt::format("role '{}': threshold: 1 to {} (its persons) expected", name, owners.size()));
  return role;
}

Result<TrustRoot> ReadTrustRoot(std::string_view bytes) {
  const json::Value value = TRY(json::ParseLenient(bytes));
  TRY(OnlyMembers(value, {"format", "version", "tenant", "host_group", "local", "roles", "revoked"}));
  if (TRY(json::GetInteger(value, "format")) != 1) return Fail(Code::kInvalid, "format 1 expected");
  TrustRoot root;
  root.version = TRY(json::GetInteger(value, "version"));
  if (root.version == 0) return Fail(Code::kInvalid, "version: at least 1 expected");
  if (const json::Value* const local = value.Find("local")) {
    if (!local->is_bool()) return Fail(Code::kInvalid, "local: true or false expected");
    root.is_local = local->boolean();
  }
  for (const auto& [name, to] : {std::pair{"tenant", &root.tenant}, std::pair{"host_group", &root.host_group}})
    if (value.Find(name) != nullptr) {
      *to = TRY(json::GetString(value, name));
      if (!IsName(*to)) return Fail(Code::kInvalid, std::string(name) + ": a name expected");
    }
  if (!root.is_local && root.tenant.empty()) return Fail(Code::kInvalid, "tenant is missing");
  const json::Value* const roles = value.Find("roles");
  if (roles == nullptr) return Fail(Code::kInvalid, "roles are missing");
  TRY(OnlyMembers(*roles, {"root", "canon", "wider"}));
  root.root = TRY(ReadRole(*roles, "root"));
  root.canon = TRY(ReadRole(*roles, "canon"));
  if (roles->Find("wider") != nullptr) root.wider = TRY(ReadRole(*roles, "wider"));
  if (const json::Value* const revoked = value.Find("revoked")) {
    if (!revoked->is_array() || revoked->array().size() > 1024) return Fail(Code::kInvalid, "revoked: a list expected");
    for (const json::Value& key : revoked->array()) {
      if (!key.is_string()) return Fail(Code::kInvalid, "revoked: OpenSSH public keys expected");
      root.revoked.push_back(TRY(ParsePersonKey(key.string())));
    }
  }
  return root;
}

// Two roles that are to watch each other may not be one key; nor one person, or
// the offline root would be no more than the one who signs each day.
Status CheckRolesApart(const TrustRoot& root) {
  if (root.is_local) return {};
  const auto apart = [](const Role& a, const Role& b, const char* names) -> Status {
    for (const RoleKey& one : a.keys)
      for (const RoleKey& other : b.keys)
        if (one.key == other.key) return Refuse(BundleCode::kKeyInTwoRoles, fmt::format("{} of roles {}", one.owner, names));
    for (const RoleKey& one : a.keys)
      for (const RoleKey& other : b.keys)
        if (one.owner == other.owner) return Refuse(BundleCode::kPersonInTwoRoles, fmt::format("{} in roles {}", one.owner, names));
    return {};
  };
  TRY(apart(root.root, root.canon, "root and canon"));
  if (root.wider) {
    TRY(apart(root.root, *root.wider, "root and wider"));
    TRY(apart(root.canon, *root.wider, "canon and wider"));
  }
  return {};
}

struct Counted {
  std::set<std::string> owners;                   // whose signature counts
  std::map<BundleCode, std::set<std::string>> ignored;  // why others do not, for people
};

bool HoldsKey(const Role& role, const PersonKey& key) {
  return std::any_of(role.keys.begin(), role.keys.end(), [&](const RoleKey& one) { return one.key == key; });
}

// Each signature must be one of ours over these bytes; whose it is decides
// whether it counts.
Result<Counted> CountSignatures(const TrustRoot& root, const Role& role, std::string_view name_space,
                                std::string_view message, const std::vector<std::string>& signatures) {
  if (signatures.size() > kMaxSignatures)
    return Refuse(BundleCode::kTooLarge, fmt::format("{} signatures, at most {}", signatures.size(), kMaxSignatures));
  Counted counted;
  std::set<std::string> keys;
  for (const std::string& signature : signatures) {
    if (signature.size() > kMaxSignatureBytes) return Refuse(BundleCode::kTooLarge, "a signature");
    const auto key = SignerKey(signature);
    if (!key)
      return Refuse(key.error().code == Code::kUnsupported ? BundleCode::kKeyType : BundleCode::kSignatureInvalid,
                    key.error().message);
    if (const Status valid = VerifyPerson(*key, name_space, message, signature); !valid)
      return Refuse(BundleCode::kSignatureInvalid, valid.error().message);
    if (std::find(root.revoked.begin(), root.revoked.end(), *key) != root.revoked.end()) {
      counted.ignored[BundleCode::kKeyRevoked].insert("a revoked key");
      continue;
    }
    const auto known = std::find_if(role.keys.begin(), role.keys.end(), [&](const RoleKey& one) { return one.key == *key; });
    if (known == role.keys.end()) {
      const bool has_another = HoldsKey(root.root, *key) || HoldsKey(root.canon, *key) || (root.wider && HoldsKey(*root.wider, *key));
      counted.ignored[has_another ? BundleCode::kKeyOfAnotherRole : BundleCode::kThreshold].insert(
          has_another ? "a key of another role" : "a key of nobody");
    } else if (!keys.insert(key->OpenSsh()).second) {
      counted.ignored[BundleCode::kSignedTwice].insert("a second one by the same key of " + known->owner);
    } else if (!counted.owners.insert(known->owner).second) {
      counted.ignored[BundleCode::kOnePersonTwice].insert("a second key of " + known->owner);
    }
  }
  return counted;
}

// The code that says most about why too few count.
BundleCode ShortfallCode(const Counted& counted) {
  for (const BundleCode code : {BundleCode::kKeyRevoked, BundleCode::kSignedTwice, BundleCode::kOnePersonTwice, BundleCode::kKeyOfAnotherRole})
    if (counted.ignored.contains(code)) return code;
  return BundleCode::kThreshold;
}

std::string Shortfall(const Role& role, const Counted& counted) {
  std::string text = fmt::format("{} of {} needed", counted.owners.size(), role.threshold);
  if (!counted.owners.empty()) text += fmt::format(" ({})", fmt::join(counted.owners, ", "));
  const char* separator = "; not counted: ";
  for (const auto& [code, reasons] : counted.ignored) {
    text += fmt::format("{}{}", separator, fmt::join(reasons, ", "));
    separator = ", ";
  }
  return text;
}

Result<Manifest> ReadManifest(std::string_view bytes) {
  const json::Value value = TRY(json::Parse(bytes));
  if (TRY(json::GetInteger(value, "format")) != 1) return Fail(Code::kInvalid, "format 1 expected");
  Manifest manifest;
  manifest.version = TRY(json::GetInteger(value, "version"));
  manifest.tenant = TRY(json::GetString(value, "tenant"));
  manifest.semantics_id = TRY(json::GetString(value, "semantics_id"));
  if (value.Find("host_group") != nullptr) manifest.host_group = TRY(json::GetString(value, "host_group"));
  if (value.Find("previous") != nullptr) {
    manifest.previous = TRY(json::GetString(value, "previous"));
    TRY(ParseDigest(manifest.previous));
  }
  if (value.Find("expires_utc") != nullptr) {
    manifest.expires_utc = TRY(json::GetString(value, "expires_utc"));
    TRY(ParseUtcSeconds(manifest.expires_utc));
    manifest.at_expiry = TRY(ParseAtExpiry(TRY(json::GetString(value, "at_expiry"))));
  }
  manifest.old_receipts = TRY(ParseOldReceipts(TRY(json::GetString(value, "old_receipts"))));
  if (value.Find("shadow_seconds") != nullptr) {
    manifest.shadow_seconds = TRY(json::GetInteger(value, "shadow_seconds"));
    if (manifest.shadow_seconds == 0 || manifest.shadow_seconds > kMaxShadowSeconds)
      return Fail(Code::kInvalid, fmt::format("shadow_seconds: 1 to {} expected", kMaxShadowSeconds));
  }
  if (manifest.version == 0 || !IsName(manifest.tenant) || (!manifest.host_group.empty() && !IsName(manifest.host_group)))
    return Fail(Code::kInvalid, "version, tenant and host_group: at least 1, and names, expected");
  const json::Value* const files = value.Find("files");
  if (files == nullptr || !files->is_array() || files->array().empty() || files->array().size() > kMaxBundleFiles)
    return Fail(Code::kInvalid, fmt::format("files: 1 to {} expected", kMaxBundleFiles));
  for (const json::Value& item : files->array()) {
    ManifestFile file;
    file.name = TRY(json::GetString(item, "name"));
    file.sha256 = TRY(json::GetString(item, "sha256"));
    file.bytes = TRY(json::GetInteger(item, "bytes"));
    TRY(ParseDigest(file.sha256));
    if (!IsFileName(file.name)) return Fail(Code::kInvalid, "file name " + Quote(file.name));
    if (!manifest.files.empty() && manifest.files.back().name >= file.name)
      return Fail(Code::kInvalid, "files are not in the order of their names");
    manifest.files.push_back(std::move(file));
  }
  // Anything not read above makes the encodings differ.
  if (EncodeManifest(manifest) != bytes) return Fail(Code::kInvalid, "unknown members");
  return manifest;
}

}  // namespace

std::string_view BundleCodeName(BundleCode code) {
  constexpr std::array<std::string_view, 28> kNames = {
      "MANIFEST_INVALID", "TOO_LARGE", "FILE_MISSING", "FILE_EXTRA", "FILE_MISMATCH", "ROLLBACK",
      "PREVIOUS_MISMATCH", "EXPIRED", "WRONG_TENANT", "WRONG_HOST_GROUP", "SEMANTICS_UNSUPPORTED",
      "SIGNATURE_INVALID", "KEY_TYPE", "THRESHOLD_NOT_MET", "WIDER_THRESHOLD_NOT_MET", "KEY_IN_TWO_ROLES",
      "ROOT_INVALID", "ROOT_ROLLBACK", "ROOT_OLD_THRESHOLD_NOT_MET", "ROOT_NEW_THRESHOLD_NOT_MET",
      "SIGNATURE_REQUIRED", "CANON_INVALID", "KEY_REVOKED", "SIGNED_TWICE", "ONE_PERSON_TWICE", "KEY_OF_ANOTHER_ROLE",
      "PERSON_IN_TWO_ROLES", "TARGET_REFUSED"};
  return kNames[static_cast<std::size_t>(code)];
}

tl::unexpected<Error> Refuse(BundleCode code, const std::string& text) {
  return Fail(Code::kDenied, std::string(BundleCodeName(code)) + ": " + text);
}

Result<TrustRoot> ParseTrustRoot(std::string_view bytes) {
  if (bytes.size() > kMaxRootBytes) return Refuse(BundleCode::kTooLarge, "the trust root");
  auto root = ReadTrustRoot(bytes);
  if (!root) return Refuse(BundleCode::kRootInvalid, root.error().message);
  TRY(CheckRolesApart(*root));
  return root;
}

std::string LocalTrustRoot(const PublicKey& host_key, std::uint64_t version) {
  json::Array keys;
  keys.push_back(json::Object{{"owner", "host"}, {"key", host_key.OpenSsh()}});
  const json::Object role{{"threshold", 1}, {"keys", keys}};
  return json::Encode(json::Object{{"format", 1}, {"version", json::Integer(version)}, {"local", true},
                                   {"roles", json::Object{{"root", role}, {"canon", role}}}});
}

std::string_view AtExpiryName(AtExpiry at_expiry) { return kAtExpiry[static_cast<std::size_t>(at_expiry)]; }
std::string_view OldReceiptsName(OldReceipts old_receipts) { return kOldReceipts[static_cast<std::size_t>(old_receipts)]; }

Result<AtExpiry> ParseAtExpiry(std::string_view name) {
  const auto at = std::find(kAtExpiry.begin(), kAtExpiry.end(), name);
  if (at == kAtExpiry.end()) return Fail(Code::kInvalid, "at_expiry: deny-new, standing-only or keep expected");
  return static_cast<AtExpiry>(at - kAtExpiry.begin());
}

Result<OldReceipts> ParseOldReceipts(std::string_view name) {
  const auto at = std::find(kOldReceipts.begin(), kOldReceipts.end(), name);
  if (at == kOldReceipts.end()) return Fail(Code::kInvalid, "old_receipts: review, keep or revoke expected");
  return static_cast<OldReceipts>(at - kOldReceipts.begin());
}

std::string EncodeManifest(const Manifest& manifest) {
  json::Array files;
  for (const ManifestFile& file : manifest.files)
    files.push_back(json::Object{{"name", file.name}, {"sha256", file.sha256}, {"bytes", json::Integer(file.bytes)}});
  json::Object out{{"format", 1},
                   {"version", json::Integer(manifest.version)},
                   {"tenant", manifest.tenant},
                   {"semantics_id", manifest.semantics_id},
                   {"old_receipts", OldReceiptsName(manifest.old_receipts)},
                   {"files", std::move(files)}};
  if (!manifest.host_group.empty()) out["host_group"] = manifest.host_group;
  if (!manifest.previous.empty()) out["previous"] = manifest.previous;
  if (!manifest.expires_utc.empty()) {
    out["expires_utc"] = manifest.expires_utc;
    out["at_expiry"] = AtExpiryName(manifest.at_expiry);
  }
  if (manifest.shadow_seconds != 0) out["shadow_seconds"] = json::Integer(manifest.shadow_seconds);
  return json::Encode(out);
}

Result<Manifest> ParseManifest(std::string_view bytes) {
  if (bytes.size() > kMaxManifestBytes) return Refuse(BundleCode::kTooLarge, "the manifest");
  auto manifest = ReadManifest(bytes);
  if (!manifest) return Refuse(BundleCode::kManifestInvalid, manifest.error().message);
  return manifest;
}

std::string EncodeBundle(const Bundle& bundle) {
  json::Object files;
  for (const auto& [name, text] : bundle.files) files[name] = json::Bytes(text);
  json::Array signatures;
  for (const std::string& signature : bundle.signatures) signatures.push_back(json::Bytes(signature));
  return json::Encode(json::Object{{"format", 1}, {"manifest", json::Bytes(bundle.manifest)},
                                   {"files", std::move(files)}, {"signatures", std::move(signatures)}});
}

Result<Bundle> ParseBundle(std::string_view bytes) {
  if (bytes.size() > 2 * kMaxCanonBytes) return Refuse(BundleCode::kTooLarge, "the bundle");
  const auto read = [&]() -> Result<Bundle> {
    const json::Value value = TRY(json::ParseLenient(bytes));
    TRY(OnlyMembers(value, {"format", "manifest", "files", "signatures"}));
    if (TRY(json::GetInteger(value, "format")) != 1) return Fail(Code::kInvalid, "format 1 expected");
    Bundle bundle;
    bundle.manifest = TRY(json::GetBytes(value, "manifest"));
    const json::Value* const files = value.Find("files");
    const json::Value* const signatures = value.Find("signatures");
    if (files == nullptr || !files->is_object() || files->object().size() > kMaxBundleFiles || signatures == nullptr ||
        !signatures->is_array() || signatures->array().size() > kMaxSignatures)
      return Fail(Code::kInvalid, "files and signatures expected");
    for (const auto& [name, text] : files->object()) bundle.files[name] = TRY(json::GetBytes(*files, name));
    for (const json::Value& one : signatures->array())
      bundle.signatures.push_back(TRY(json::GetBytes(json::Object{{"s", one}}, "s")));
    return bundle;
  };
  auto bundle = read();
  if (!bundle) return Refuse(BundleCode::kManifestInvalid, "envelope: " + bundle.error().message);
  return bundle;
}

Bundle BuildBundle(Manifest manifest, std::map<std::string, std::string> files) {
  manifest.semantics_id = kSemanticsId;
  manifest.files.clear();
  for (const auto& [name, text] : files) manifest.files.push_back({name, Hex(Sha256(text)), text.size()});
  Bundle bundle;
  bundle.manifest = EncodeManifest(manifest);
  bundle.files = std::move(files);
  return bundle;
}

Result<VerifiedBundle> VerifyBundle(const TrustRoot& root, const HostState& host, const Bundle& bundle) {
  // Whose bytes these are comes first; nothing is read into them before.
  if (bundle.manifest.size() > kMaxManifestBytes) return Refuse(BundleCode::kTooLarge, "the manifest");
  const Counted counted = TRY(CountSignatures(root, root.canon, kCanonNamespace, bundle.manifest, bundle.signatures));
  if (counted.owners.size() < root.canon.threshold)
    return Refuse(ShortfallCode(counted), Shortfall(root.canon, counted));
  VerifiedBundle verified = TRY(CheckContent(root, host, bundle));
  verified.signers.assign(counted.owners.begin(), counted.owners.end());
  return verified;
}

Result<std::string> SignerOf(const TrustRoot& root, std::string_view manifest, const std::string& signature) {
  const Counted by_canon = TRY(CountSignatures(root, root.canon, kCanonNamespace, manifest, {signature}));
  if (!by_canon.owners.empty()) return *by_canon.owners.begin();
  if (root.wider) {
    const Counted by_wider = TRY(CountSignatures(root, *root.wider, kCanonNamespace, manifest, {signature}));
    if (!by_wider.owners.empty()) return *by_wider.owners.begin();
  }
  return Refuse(ShortfallCode(by_canon), Shortfall(root.canon, by_canon));
}

Result<VerifiedBundle> CheckContent(const TrustRoot& root, const HostState& host, const Bundle& bundle) {
  VerifiedBundle verified;
  if (bundle.manifest.size() > kMaxManifestBytes) return Refuse(BundleCode::kTooLarge, "the manifest");
  verified.digest = Hex(Sha256(bundle.manifest));
  verified.manifest = TRY(ParseManifest(bundle.manifest));
  const Manifest& manifest = verified.manifest;
  if (!root.tenant.empty() && manifest.tenant != root.tenant)
    return Refuse(BundleCode::kWrongTenant, fmt::format("'{}', this host is of '{}'", manifest.tenant, root.tenant));
  if (!manifest.host_group.empty() && manifest.host_group != root.host_group)
    return Refuse(BundleCode::kWrongHostGroup,
                  fmt::format("'{}', this host is of '{}'", manifest.host_group, root.host_group));
  if (manifest.semantics_id != kSemanticsId)
    return Refuse(BundleCode::kSemanticsUnsupported,
                  fmt::format("{}, this version decides by '{}'", Quote(manifest.semantics_id), kSemanticsId));
  if (manifest.version <= host.highest_version)
    return Refuse(BundleCode::kRollback,
                  fmt::format("version {}, this host has seen {}", manifest.version, host.highest_version));
  // A host that has missed versions, or has none, cannot know what they followed.
  if (!host.manifest_digest.empty() && manifest.version == host.highest_version + 1 && manifest.previous != host.manifest_digest)
    return Refuse(BundleCode::kPreviousMismatch,
                  fmt::format("it follows {}, in force is {}", manifest.previous.empty() ? "nothing" : manifest.previous,
                              host.manifest_digest));
  if (!manifest.expires_utc.empty() && host.utc_seconds >= TRY(ParseUtcSeconds(manifest.expires_utc)))
    return Refuse(BundleCode::kExpired, "at " + manifest.expires_utc);
  std::vector<CanonFile> files;
  for (const ManifestFile& file : manifest.files) {
    const auto at = bundle.files.find(file.name);
    if (at == bundle.files.end()) return Refuse(BundleCode::kFileMissing, file.name);
    if (at->second.size() != file.bytes || Hex(Sha256(at->second)) != file.sha256)
      return Refuse(BundleCode::kFileMismatch, file.name);
    files.push_back({file.name, at->second});
    if (!verified.text.empty()) verified.text += (verified.text.ends_with('\n') ? "" : "\n") + std::string("---\n");
    verified.text += at->second;
  }
  for (const auto& [name, text] : bundle.files)
    if (std::none_of(manifest.files.begin(), manifest.files.end(), [&, &name = name](const ManifestFile& file) { return file.name == name; }))
      return Refuse(BundleCode::kFileExtra, EscapeForPeople(name));
  // The daemon keeps and reads again one stream.
  if (verified.text.size() > kMaxCanonBytes) return Refuse(BundleCode::kTooLarge, "all files together");
  ParsedCanon parsed = ParseCanonFiles(files);
  if (!parsed.diagnostics.empty())
    return Refuse(parsed.diagnostics[0].code == "cost" ? BundleCode::kTooLarge : BundleCode::kCanonInvalid, Render(parsed.diagnostics[0]));
  std::set<std::string> domains;
  for (Canon& canon : parsed.canons) {
    if (!domains.insert(canon.domain).second)
      return Refuse(BundleCode::kCanonInvalid, fmt::format("domain '{}' is in two files", canon.domain));
    // A host's own root has no tenant; the canons then may name any.
    if (!root.tenant.empty() && canon.tenant != root.tenant)
      return Refuse(BundleCode::kWrongTenant, fmt::format("domain '{}' is of '{}'", canon.domain, canon.tenant));
    verified.canons.push_back(std::move(canon));
  }
  return verified;
}

Status CheckWider(const TrustRoot& root, const std::vector<Canon>& before, const VerifiedBundle& verified,
                  const Bundle& bundle) {
  if (!root.wider) return {};
  const SubsetAnswer answer = IsSubset(verified.canons, before);
  if (answer.is == SubsetAnswer::Is::kYes) return {};
  const Counted counted = TRY(CountSignatures(root, *root.wider, kCanonNamespace, bundle.manifest, bundle.signatures));
  if (counted.owners.size() >= root.wider->threshold) return {};
  return Refuse(BundleCode::kWiderThreshold, Shortfall(*root.wider, counted) + "; it permits more: " + answer.because);
}

Result<TrustRoot> VerifyRootChange(const TrustRoot& current, std::string_view next_bytes,
                                   const std::vector<std::string>& signatures) {
  TrustRoot next = TRY(ParseTrustRoot(next_bytes));
  if (next.is_local) return Refuse(BundleCode::kRootInvalid, "local: only a host makes its own");
  // Whose version a host's own root has is of no meaning to anyone else.
  if (!current.is_local && next.version <= current.version)
    return Refuse(BundleCode::kRootRollback, fmt::format("version {}, pinned is {}", next.version, current.version));
  const Counted by_old = TRY(CountSignatures(current, current.root, kRootNamespace, next_bytes, signatures));
  if (by_old.owners.size() < current.root.threshold)
    return Refuse(BundleCode::kRootOldThreshold, Shortfall(current.root, by_old));
  const Counted by_new = TRY(CountSignatures(next, next.root, kRootNamespace, next_bytes, signatures));
  if (by_new.owners.size() < next.root.threshold)
    return Refuse(BundleCode::kRootNewThreshold, Shortfall(next.root, by_new));
  return next;
}

Result<std::uint64_t> ParseUtcSeconds(std::string_view text) {
  const auto wrong = [] { return Fail(Code::kInvalid, "a time as in 2027-01-31T00:00:00Z expected"); };
  if (text.size() != 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z')
    return wrong();
  std::array<int, 6> fields{};
  constexpr std::array<std::pair<std::size_t, std::size_t>, 6> kPlaces = {{{0, 4}, {5, 2}, {8, 2}, {11, 2}, {14, 2}, {17, 2}}};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto [at, length] = kPlaces[i];
    for (const char c : text.substr(at, length)) {
      if (c < '0' || c > '9') return wrong();
      fields[i] = fields[i] * 10 + (c - '0');
    }
  }
  const auto [year, month, day, hour, minute, second] = fields;
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (year < 1970 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return wrong();
  if (day > kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && is_leap ? 1 : 0)) return wrong();
  // Days since 1970 in the proleptic Gregorian calendar.
  const int shifted = month <= 2 ? year - 1 : year;
  const int era = shifted / 400;
  const int of_era = shifted - era * 400;
  const int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
  return static_cast<std::uint64_t>(days) * 86400 + static_cast<std::uint64_t>(hour * 3600 + minute * 60 + second);
}

}  // namespace proofgate::policy
