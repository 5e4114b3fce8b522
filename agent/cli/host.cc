// init, doctor, status.

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "agent/agent.h"
#include "agent/canon_trust.h"
#include "agent/cli/client.h"
#include "agent/cli/commands.h"
#include "agent/paths.h"
#include "agent/probe.h"
#include "agent/state_group.h"
#include "base/bytes.h"
#include "base/durable.h"
#include "ledger/rocks_store.h"

namespace proofgate::cli {
namespace {

using namespace agent;  // NOLINT: paths

Status MakeDir(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return FailErrno(errno, path);
  return {};
}

// The key first, the ledger last and by rename: an interrupted init goes on.
Result<std::string> InitHost(const std::string& trust_root) {
  const std::string root_text = trust_root.empty() ? "" : TRY(ReadFile(trust_root, policy::kMaxRootBytes));
  if (!trust_root.empty()) TRY(policy::ParseTrustRoot(root_text));
  const gid_t state_group = TRY(agent::FindStateGroup());
  TRY(MakeDir(kStateDir));
  const auto signer = access(kHostKey, F_OK) == 0
                          ? TRY(LoadSigner(kHostKey))
                          : TRY(CreateSigner(kHostKey, "proofgate host key"));
  const std::string openssh = signer->public_key().OpenSsh();
  TRY(WriteFileDurably(kHostPublicKey, openssh + " proofgate host key\n", 0644));
  TRY(WriteFileDurably(kHostPublicPem, signer->public_key().Pem(), 0644));
  TRY(WriteFileDurably(kAllowedSigners, "host@proofgate namespaces=\"receipt@proofgate,export@proofgate\" " + openssh + "\n", 0644));
  const std::string fresh = std::string(kLedgerDir) + ".new";
  std::error_code error;
  std::filesystem::remove_all(fresh, error);
  if (error) return FailErrno(error.value(), fresh);
  TRY(MakeDir(fresh));
  const SystemClock clock;
  const std::string origin = "proofgate.host/" + Hex(RandomBytes(8));
  {
    auto store = TRY(ledger::OpenRocksStore(ledger::StorePath(fresh), ledger::StoreAccess::kCreate));
    const auto ledger = TRY(ledger::Ledger::Create(fresh, origin, std::move(store), *signer, clock));
    json::Object body{{"origin", origin}, {"host_key", openssh}, {"version", kVersion}};
    // Pinned with the first entry: no moment in which another could be.
    const std::string root = trust_root.empty() ? policy::LocalTrustRoot(signer->public_key()) : root_text;
    ledger::Record pinned = TrustRootRecord(root, TRY(policy::ParseTrustRoot(root)),
                                            trust_root.empty() ? "init: the host's own key" : "init");
    TRY(ledger->Append({{"INIT", std::move(body)}, std::move(pinned)}, {{"trust_root", root}}));
    TRY(ledger->Checkpoint());
  }
  if (rename(fresh.c_str(), kLedgerDir) != 0) return FailErrno(errno, kLedgerDir);
  TRY(agent::KeepStateGroup(kStateDir, state_group));
  sync();
  return origin;
}

}  // namespace

int Init(const Options& options) {
  if (access(kLedgerDir, F_OK) == 0) {
    if (options.if_absent) return kDone;
    return Complain(Error{Code::kInvalid, std::string(kLedgerDir) + ": a ledger exists; it is never replaced"}, options.json);
  }
  const auto origin = InitHost(options.trust_root);
  if (!origin) return Complain(origin.error(), options.json);
  const std::string key = ReadFile(kHostPublicKey, 4096).value_or("");
  if (options.json) {
    PrintJson(json::Object{{"origin", *origin}, {"host_key", key.substr(0, key.find('\n'))}});
  } else {
    fmt::print("made the ledger {} in {}\nhost key: {}", *origin, kLedgerDir, key);
  }
  return kDone;
}

int Doctor(const Options& options) {
  std::vector<Check> checks = ProbeHost();
  const Reply status = Call("status");
  if (status.exit_code == kDone) {
    const json::Value* const tampered = status.result.Find("tampered");
    if (tampered != nullptr && tampered->is_array() && !tampered->array().empty())
      checks.push_back({"gate", Finding::kWarning,
                        fmt::format("the gate was changed on this boot: {}",
                                    policy::EscapeForPeople(tampered->array().front().is_string() ? tampered->array().front().string() : "?")),
                        "find out who holds CAP_BPF (proofgate ledger tail shows each TAMPERED entry); the next boot loads a fresh gate"});
    else
      checks.push_back({"gate", Finding::kOk, "the gate in the kernel is the one that was loaded", ""});
    checks.push_back({"daemon", Finding::kOk, "the daemon answers: " + json::GetString(status.result, "gate").value_or("?"), ""});
  } else {
    checks.push_back({"daemon", Finding::kWarning, status.message, "systemctl start proofgate"});
  }
  const bool can = CanEnforce(checks);
  if (options.json) {
    json::Array list;
    for (const Check& check : checks)
      list.push_back(json::Object{
          {"check", check.name},
          {"finding", check.finding == Finding::kOk ? "ok" : check.finding == Finding::kWarning ? "warning" : "missing"},
          {"what", json::Bytes(check.what)},
          {"todo", json::Bytes(check.todo)}});
    PrintJson(json::Object{{"checks", std::move(list)}, {"can_enforce", can}});
  } else {
    for (const Check& check : checks) {
      fmt::print("{:7} {:8} {}\n",
                 check.finding == Finding::kOk ? "ok" : check.finding == Finding::kWarning ? "warning" : "MISSING",
                 check.name, check.what);
      if (!check.todo.empty()) fmt::print("                 {}\n", check.todo);
    }
    fmt::print("{}\n", can ? "This host can enforce." : "This host cannot enforce.");
  }
  return can ? kDone : kCannotEnforce;
}

int ShowStatus(const Options& options) {
  const Reply reply = Call("status");
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) {
    PrintJson(reply.result);
    return kDone;
  }
  const auto text = [](const json::Value& from, const char* key) { return json::GetBytes(from, key).value_or("?"); };
  const auto number = [](const json::Value& from, const char* key) { return json::GetInteger(from, key).value_or(0); };
  const json::Value& result = reply.result;
  fmt::print("proofgate {} on kernel {} ({})\n", text(result, "version"), text(result, "kernel"), text(result, "gate"));
  fmt::print("governed threads: {}", number(result, "governed_threads"));
  if (number(result, "labels_lost") != 0) fmt::print(", LABELS LOST: {}", number(result, "labels_lost"));
  const json::Value* const tampered = result.Find("tampered");
  if (tampered != nullptr && tampered->is_array())
    for (const json::Value& difference : tampered->array())
      fmt::print("\nTAMPERED: {}", policy::EscapeForPeople(text(json::Object{{"what", difference}}, "what")));
  if (const json::Value* const ledger = result.Find("ledger")) {
    fmt::print("\nledger: {}, {} entries, root {}\n", text(*ledger, "origin"), number(*ledger, "size"), text(*ledger, "root"));
    fmt::print("a rollback is noticed by: {}\n", text(*ledger, "rollback_noticed_by"));
    const json::Value* const full = ledger->Find("disk_full");
    if (full != nullptr && *full == json::Value(true))
      fmt::print("DISK FULL: nothing new is authorised; what is done is still recorded\n");
    if (const json::Value* const witnesses = ledger->Find("witnesses")) {
      const json::Value* const quorum = witnesses->Find("quorum");
      const json::Value* const names = witnesses->Find("cosignatures");
      if (names != nullptr && names->is_array())
        fmt::print("cosigned up to entry {} by {} witnesses, {}\n", text(*witnesses, "size"), names->array().size(),
                   quorum != nullptr && *quorum == json::Value(true) ? "which is the quorum" : "which is NOT the quorum");
      if (witnesses->Find("error") != nullptr) fmt::print("witnesses: {}\n", policy::EscapeForPeople(text(*witnesses, "error")));
    }
  }
  if (const json::Value* const overrides = result.Find("break_glass"); overrides != nullptr && overrides->is_array())
    for (const json::Value& one : overrides->array())
      fmt::print("BREAK-GLASS, not reviewed: {} by {} at {}: rule {} of domain {}: {}\n", text(one, "id").substr(0, 12),
                 text(one, "person"), text(one, "used_utc"), policy::EscapeForPeople(text(one, "rule")), text(one, "domain"),
                 policy::EscapeForPeople(text(one, "reason")));
  const json::Value* const domains = result.Find("domains");
  if (domains == nullptr || !domains->is_array()) return kDone;
  if (domains->array().empty()) fmt::print("no domains: no canon is in force\n");
  for (const json::Value& domain : domains->array()) {
    const json::Value* const in_canon = domain.Find("in_canon");
    const json::Value* const cgroups = domain.Find("cgroups");
    fmt::print("domain {} ({}{}): {} live receipts, {} acts, {} denials\n", text(domain, "domain"),
               text(domain, "mode"),
               in_canon != nullptr && *in_canon == json::Value(false) ? ", no longer in the canon" : "",
               number(domain, "receipts"), number(domain, "acts"), number(domain, "denials"));
    if (cgroups != nullptr && cgroups->is_array())
      for (const json::Value& cgroup : cgroups->array())
        fmt::print("  {}\n", policy::EscapeForPeople(text(json::Object{{"path", cgroup}}, "path")));
  }
  return kDone;
}

}  // namespace proofgate::cli
