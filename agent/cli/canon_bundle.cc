// canon build, sign, verify, pack, trust.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "agent/cli/canon.h"
#include "agent/cli/client.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/durable.h"
#include "policy/parse.h"

extern char** environ;

namespace proofgate::cli {
namespace {

namespace fs = std::filesystem;

Result<policy::Manifest> ReadManifestFile(const std::string& file) {
  return policy::ParseManifest(TRY(ReadFile(file, policy::kMaxManifestBytes)));
}

Status RunSshKeygen(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& one : arguments) argv.push_back(one.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  if (const int error = posix_spawnp(&child, argv[0], nullptr, nullptr, argv.data(), environ); error != 0)
    return FailErrno(error, arguments[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return FailErrno(errno, "wait");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return Fail(Code::kDenied, "ssh-keygen did not sign");
  return {};
}

Result<json::Object> Build(const CanonOptions& own) {
  policy::Manifest manifest;
  manifest.version = own.version;
  manifest.tenant = own.tenant;
  manifest.host_group = own.host_group;
  if (!own.previous.empty()) {
    const std::string bytes = TRY(ReadFile(own.previous, policy::kMaxManifestBytes));
    const policy::Manifest previous = TRY(policy::ParseManifest(bytes));
    if (previous.version >= own.version)
      return Fail(Code::kInvalid, fmt::format("version {} does not follow {}", own.version, previous.version));
    manifest.previous = Hex(Sha256(bytes));
  }
  manifest.expires_utc = own.expires;
  if (!own.expires.empty()) TRY(policy::ParseUtcSeconds(own.expires));
  manifest.at_expiry = TRY(policy::ParseAtExpiry(own.at_expiry));
  manifest.old_receipts = TRY(policy::ParseOldReceipts(own.old_receipts));
  manifest.shadow_seconds = own.shadow_seconds;
  std::map<std::string, std::string> files;
  std::vector<policy::CanonFile> sources;
  for (const std::string& file : own.files) {
    const auto [at, is_new] = files.emplace(fs::path(file).filename().string(), TRY(ReadFile(file, policy::kMaxCanonBytes)));
    if (!is_new) return Fail(Code::kInvalid, file + ": two files of one name");
    sources.push_back({file, at->second});
  }
  const policy::ParsedCanon parsed = policy::ParseCanonFiles(sources);
  for (const policy::Diagnostic& one : parsed.diagnostics) {
    const auto of = std::find_if(sources.begin(), sources.end(), [&](const policy::CanonFile& source) { return source.name == one.file; });
    fmt::print(stderr, "{}\n", of == sources.end() ? policy::Render(one) : policy::RenderWithSource(one, of->text));
  }
  if (!parsed.diagnostics.empty()) return Fail(Code::kInvalid, parsed.diagnostics[0].file + ": not a canon");
  const policy::Bundle bundle = policy::BuildBundle(manifest, files);
  return WriteBundleDir(bundle, own.out);
}

Status Sign(const CanonOptions& own) {
  const std::string manifest = own.dir + "/manifest.json";
  TRY(ReadManifestFile(manifest));  // nobody signs what is no manifest
  if (own.name.empty() || own.name.find('/') != std::string::npos || own.name.front() == '.')
    return Fail(Code::kInvalid, "--name: a name expected");
  const std::string to = own.dir + "/" + own.name + ".sig";
  if (access(to.c_str(), F_OK) == 0) return Fail(Code::kInvalid, to + ": exists");
  TRY(RunSshKeygen({"ssh-keygen", "-Y", "sign", "-n", std::string(policy::kCanonNamespace), "-f", own.key, manifest}));
  if (rename((manifest + ".sig").c_str(), to.c_str()) != 0) return FailErrno(errno, to);
  return {};
}

Result<json::Object> Verify(const CanonOptions& own) {
  const policy::TrustRoot root = TRY(policy::ParseTrustRoot(TRY(ReadFile(own.root, policy::kMaxRootBytes))));
  policy::HostState host;
  host.utc_seconds = static_cast<std::uint64_t>(SystemClock().Utc().ms / 1000);
  const policy::Bundle bundle = TRY(ReadBundleDir(own.dir));
  if (!own.previous.empty()) {
    const std::string bytes = TRY(ReadFile(own.previous, policy::kMaxManifestBytes));
    host.highest_version = TRY(policy::ParseManifest(bytes)).version;
    host.manifest_digest = Hex(Sha256(bytes));
  } else if (const auto manifest = policy::ParseManifest(bundle.manifest); manifest) {
    // Without what is in force nothing can be said about the order.
    host.highest_version = manifest->version - 1;
    host.manifest_digest = manifest->previous;
  }
  const policy::VerifiedBundle verified = TRY(policy::VerifyBundle(root, host, bundle));
  json::Array signers;
  for (const std::string& owner : verified.signers) signers.emplace_back(owner);
  json::Array domains;
  for (const policy::Canon& canon : verified.canons) domains.emplace_back(canon.domain);
  return json::Object{{"version", json::Integer(verified.manifest.version)},
                      {"digest", verified.digest},
                      {"signers", std::move(signers)},
                      {"domains", std::move(domains)},
                      {"order_checked", !own.previous.empty()}};
}

}  // namespace

Result<json::Object> WriteBundleDir(const policy::Bundle& bundle, const std::string& dir) {
  TRY(policy::ParseManifest(bundle.manifest));  // names, tenant: what verify would refuse
  if (mkdir(dir.c_str(), 0755) != 0) return FailErrno(errno, dir);
  if (mkdir((dir + "/files").c_str(), 0755) != 0) return FailErrno(errno, dir);
  for (const auto& [name, text] : bundle.files) TRY(WriteFileDurably(dir + "/files/" + name, text, 0644));
  TRY(WriteFileDurably(dir + "/manifest.json", bundle.manifest, 0644));
  return json::Object{{"manifest", json::Bytes(dir + "/manifest.json")}, {"digest", Hex(Sha256(bundle.manifest))}};
}

Result<policy::Bundle> ReadBundleDir(const std::string& dir) {
  policy::Bundle bundle;
  bundle.manifest = TRY(ReadFile(dir + "/manifest.json", policy::kMaxManifestBytes));
  std::error_code error;
  const auto names = [&](const std::string& of, std::size_t most) -> Result<std::vector<std::string>> {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(of, error)) {
      found.push_back(entry.path().string());
      if (found.size() > most) return Fail(Code::kInvalid, of + ": too many files");
    }
    if (error) return FailErrno(error.value(), of);
    std::sort(found.begin(), found.end());
    return found;
  };
  for (const std::string& path : TRY(names(dir + "/files", policy::kMaxBundleFiles)))
    bundle.files[fs::path(path).filename().string()] = TRY(ReadFile(path, policy::kMaxCanonBytes));
  for (const std::string& path : TRY(names(dir, policy::kMaxSignatures + 8)))
    if (path.ends_with(".sig")) bundle.signatures.push_back(TRY(ReadFile(path, policy::kMaxSignatureBytes)));
  return bundle;
}

int BuildCanon(const Options& options, const CanonOptions& own) {
  const auto built = Build(own);
  if (!built) return Complain(built.error(), options.json);
  if (options.json) PrintJson(*built);
  else fmt::print("{}\nto be signed: {}/manifest.json (sha256 {})\n", own.out, own.out, json::GetString(*built, "digest").value_or(""));
  return kDone;
}

int SignCanon(const Options& options, const CanonOptions& own) {
  if (const Status done = Sign(own); !done) return Complain(done.error(), options.json);
  if (options.json) PrintJson(json::Object{{"signature", json::Bytes(own.dir + "/" + own.name + ".sig")}});
  return kDone;
}

int VerifyCanon(const Options& options, const CanonOptions& own) {
  const auto verified = Verify(own);
  if (!verified) return Complain(verified.error(), options.json);
  if (options.json) {
    PrintJson(*verified);
    return kDone;
  }
  std::string signers;
  for (const json::Value& one : verified->at("signers").array()) signers += (signers.empty() ? "" : ", ") + one.string();
  fmt::print("version {} (sha256 {}), signed by {}\n", json::GetInteger(*verified, "version").value_or(0),
             json::GetString(*verified, "digest").value_or(""), signers);
  if (own.previous.empty()) fmt::print("not checked: whether it follows what is in force (--previous)\n");
  return kDone;
}

int PackCanon(const Options& options, const CanonOptions& own) {
  if (!own.out.ends_with(".bundle")) return Complain(Error{Code::kInvalid, "--out: NAME.bundle expected"}, options.json);
  const auto bundle = ReadBundleDir(own.dir);
  if (!bundle) return Complain(bundle.error(), options.json);
  const std::string bytes = policy::EncodeBundle(*bundle);
  if (const auto back = policy::ParseBundle(bytes); !back) return Complain(back.error(), options.json);
  if (const Status written = WriteFileDurably(own.out, bytes, 0600); !written) return Complain(written.error(), options.json);
  if (options.json) PrintJson(json::Object{{"file", json::Bytes(own.out)}, {"signatures", json::Integer(bundle->signatures.size())}});
  return kDone;
}

int TrustCanon(const Options& options, const CanonOptions& own) {
  if (own.root.empty()) {
    const Reply reply = Call("canon.trust_root");
    if (reply.exit_code != kDone) return Complain(reply, options.json);
    if (options.json) {
      PrintJson(reply.result);
      return kDone;
    }
    const auto number = [&](const char* key) { return json::GetInteger(reply.result, key).value_or(0); };
    const json::Value* const local = reply.result.Find("local");
    fmt::print("trust root version {} (sha256 {}){}\n", number("root_version"),
               json::GetString(reply.result, "root_digest").value_or(""),
               local != nullptr && *local == json::Value(true)
                   ? ": the host's own key; whoever is root on this host can change the canon" : "");
    fmt::print("canon: version {}, {} signatures needed\n{}\n", number("version"), number("canon_threshold"),
               policy::EscapeForPeople(json::GetBytes(reply.result, "root").value_or("")));
    return kDone;
  }
  policy::Bundle envelope;
  const auto root = ReadFile(own.root, policy::kMaxRootBytes);
  if (!root) return Complain(root.error(), options.json);
  envelope.manifest = *root;
  for (const std::string& file : own.signatures) {
    const auto signature = ReadFile(file, policy::kMaxSignatureBytes);
    if (!signature) return Complain(signature.error(), options.json);
    envelope.signatures.push_back(*signature);
  }
  const Reply reply = Call("canon.trust", {{"envelope", policy::EncodeBundle(envelope)}});
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) PrintJson(reply.result);
  else fmt::print("trust root version {} is pinned from entry {} on\n", json::GetInteger(reply.result, "version").value_or(0),
                  json::GetInteger(reply.result, "entry").value_or(0));
  return kDone;
}

}  // namespace proofgate::cli
