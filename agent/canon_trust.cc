#include "agent/canon_trust.h"

#include <algorithm>
#include <cstdio>

#include "base/bytes.h"

namespace proofgate::agent {
namespace {

json::Array Signatures(const std::vector<std::string>& signatures) {
  json::Array out;
  for (const std::string& signature : signatures) out.push_back(json::Bytes(signature));
  return out;
}

constexpr std::size_t kMaxReason = 2000;  // a diagnostic may quote what it is about

}  // namespace

ledger::Record TrustRootRecord(const std::string& bytes, const policy::TrustRoot& root, const std::string& why) {
  json::Object body{{"root", json::Bytes(bytes)},
                    {"digest", Hex(Sha256(bytes))},
                    {"version", json::Integer(root.version)},
                    {"local", root.is_local},
                    {"why", json::Bytes(why)}};
  return {"TRUST_ROOT", std::move(body)};
}

Result<std::unique_ptr<CanonTrust>> CanonTrust::Load(ledger::Ledger& ledger, const Signer& signer, const Clock& clock) {
  std::unique_ptr<CanonTrust> trust(new CanonTrust(ledger, signer, clock));
  const auto pinned = TRY(ledger.ReadMeta("trust_root"));
  trust->root_bytes_ = pinned && !pinned->empty() ? *pinned : policy::LocalTrustRoot(signer.public_key());
  auto root = policy::ParseTrustRoot(trust->root_bytes_);
  if (!root) return Fail(Code::kCorrupt, "ledger: trust root: " + root.error().message);
  trust->root_ = std::move(*root);
  const bool is_new = !pinned || pinned->empty();
  // The host's own root is the host's key, whichever it is now.
  const bool is_old_key = trust->root_.is_local && trust->root_.canon.keys.front().key.OpenSsh() != signer.public_key().OpenSsh();
  if (is_old_key) {
    trust->root_bytes_ = policy::LocalTrustRoot(signer.public_key(), trust->root_.version + 1);
    trust->root_ = TRY(policy::ParseTrustRoot(trust->root_bytes_));
  }
  if (is_new || is_old_key)
    TRY(ledger.Append({TrustRootRecord(trust->root_bytes_, trust->root_,
                                       is_new ? "none was pinned: the host's own key" : "the host's key was rotated")},
                      {{"trust_root", trust->root_bytes_}}));
  const auto bundle = TRY(ledger.ReadMeta("canon_bundle"));
  if (!bundle) return trust;
  const auto manifest = policy::ParseManifest(*bundle);
  if (!manifest) return Fail(Code::kCorrupt, "ledger: canon_bundle: " + manifest.error().message);
  policy::VerifiedBundle in_force;
  in_force.manifest = *manifest;
  in_force.digest = Hex(Sha256(*bundle));
  trust->InForce(in_force, TRY(ledger.ReadMeta("canon_bundle_by")) == std::optional<std::string>("host"));
  return trust;
}

tl::unexpected<Error> CanonTrust::RecordRefusal(std::string_view bytes, const Error& why, const std::string& principal) {
  json::Object body{{"manifest_digest", Hex(Sha256(bytes))},
                    {"reason", json::Bytes(why.message.substr(0, kMaxReason))},
                    {"code", why.message.substr(0, why.message.find(':'))},
                    {"principal", principal}};
  const auto recorded = ledger_.Append({{"CANON_REFUSED", std::move(body)}});
  return recorded ? tl::unexpected(why) : tl::unexpected(recorded.error());
}

Result<policy::Bundle> CanonTrust::OwnBundle(const std::string& text, const std::string& tenant,
                                             const std::string& principal) {
  if (!root_.is_local)
    return RecordRefusal(text,
                         policy::Refuse(policy::BundleCode::kSignatureRequired,
                                        "the trust root of this host asks for signed bundles: proofgate canon build, canon sign").value(),
                         principal);
  policy::Manifest manifest;
  manifest.version = version() + 1;
  manifest.tenant = tenant;
  manifest.previous = manifest_digest_;
  policy::Bundle bundle = policy::BuildBundle(std::move(manifest), {{"canon.yaml", text}});
  bundle.signatures.push_back(SignOwn(bundle.manifest));
  return bundle;
}

Result<policy::Bundle> CanonTrust::Open(const std::string& envelope, const std::string& principal) {
  auto bundle = policy::ParseBundle(envelope);
  if (!bundle) return RecordRefusal(envelope, bundle.error(), principal);
  return bundle;
}

policy::HostState CanonTrust::HostNow() const {
  policy::HostState host;
  host.highest_version = version();
  if (is_of_root()) host.manifest_digest = manifest_digest_;
  host.utc_seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(clock_.Utc().ms / 1000, 0));
  return host;
}

Result<policy::VerifiedBundle> CanonTrust::Verify(const policy::Bundle& bundle, const std::vector<policy::Canon>& in_force,
                                                  const std::string& principal) {
  const policy::HostState host = HostNow();
  const auto verify = [&]() -> Result<policy::VerifiedBundle> {
    auto verified = TRY(policy::VerifyBundle(root_, host, bundle));
    TRY(policy::CheckWider(root_, in_force, verified, bundle));
    return verified;
  };
  auto verified = verify();
  if (!verified) return RecordRefusal(bundle.manifest, verified.error(), principal);
  return verified;
}

void CanonTrust::Record(const policy::VerifiedBundle& verified, const policy::Bundle& bundle,
                        std::vector<ledger::Record>& records, ledger::Meta& meta) const {
  json::Array signers;
  for (const std::string& owner : verified.signers) signers.emplace_back(owner);
  records.push_back({"CANON_BUNDLE",
                     json::Object{{"version", json::Integer(verified.manifest.version)},
                                  {"manifest", json::Bytes(bundle.manifest)},
                                  {"manifest_digest", verified.digest},
                                  {"signatures", Signatures(bundle.signatures)},
                                  {"signers", std::move(signers)},
                                  {"trust_root", Hex(Sha256(root_bytes_))},
                                  {"local", root_.is_local}}});
  meta["canon_bundle"] = bundle.manifest;
  const std::uint64_t version = verified.manifest.version;
  meta["bundle/" + std::to_string(version)] = policy::EncodeBundle(bundle);
  if (version > kKeptBundles) meta["bundle/" + std::to_string(version - kKeptBundles)] = "";
  meta["canon_bundle_by"] = root_.is_local ? "host" : "root";
}

void CanonTrust::InForce(const policy::VerifiedBundle& verified, bool is_local) {
  is_local_bundle_ = is_local;
  version_ = verified.manifest.version;
  manifest_digest_ = verified.digest;
  expires_utc_ = verified.manifest.expires_utc;
  expires_seconds_ = expires_utc_.empty() ? 0 : policy::ParseUtcSeconds(expires_utc_).value_or(0);
  at_expiry_ = verified.manifest.at_expiry;
  shadow_seconds_ = verified.manifest.shadow_seconds;
}

Result<json::Object> CanonTrust::ChangeRoot(const std::string& bytes, std::vector<std::string> signatures,
                                            const std::string& principal) {
  if (root_.is_local) signatures.push_back(SshSign(signer_, policy::kRootNamespace, bytes));
  auto next = policy::VerifyRootChange(root_, bytes, signatures);
  if (!next) {
    json::Object body{{"root_digest", Hex(Sha256(bytes))},
                      {"reason", json::Bytes(next.error().message)},
                      {"code", next.error().message.substr(0, next.error().message.find(':'))},
                      {"principal", principal}};
    TRY(ledger_.Append({{"TRUST_ROOT_REFUSED", std::move(body)}}));
    return tl::unexpected(next.error());
  }
  ledger::Record record = TrustRootRecord(bytes, *next, "changed by the thresholds of both");
  record.body["signatures"] = Signatures(signatures);
  record.body["replaces"] = Hex(Sha256(root_bytes_));
  record.body["principal"] = principal;
  const auto position = TRY(ledger_.Append({std::move(record)}, {{"trust_root", bytes}}));
  root_ = std::move(*next);
  root_bytes_ = bytes;
  return json::Object{{"version", json::Integer(root_.version)}, {"digest", Hex(Sha256(root_bytes_))},
                      {"entry", json::Integer(position.first)}};
}

bool CanonTrust::HasExpired() const {
  return !expires_utc_.empty() && clock_.Utc().ms / 1000 >= static_cast<std::int64_t>(expires_seconds_);
}

bool CanonTrust::MayIssue() const { return !HasExpired() || at_expiry_ == policy::AtExpiry::kKeep; }

bool CanonTrust::MayRenew() const { return !HasExpired() || at_expiry_ != policy::AtExpiry::kDenyNew; }

json::Object CanonTrust::Describe() const {
  json::Object out{{"root", json::Bytes(root_bytes_)},
                   {"root_digest", Hex(Sha256(root_bytes_))},
                   {"root_version", json::Integer(root_.version)},
                   {"local", root_.is_local},
                   {"canon_threshold", json::Integer(root_.canon.threshold)},
                   {"version", json::Integer(version_)},
                   {"manifest_digest", manifest_digest_},
                   {"expired", HasExpired()}};
  if (!expires_utc_.empty()) {
    out["expires_utc"] = expires_utc_;
    out["at_expiry"] = policy::AtExpiryName(at_expiry_);
  }
  if (shadow_seconds_ != 0) out["shadow_seconds"] = json::Integer(shadow_seconds_);
  return out;
}

}  // namespace proofgate::agent
