#include "agent/agent.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "agent/cgroup.h"
#include "agent/ledger_admin.h"
#include "agent/paths.h"
#include "agent/report.h"
#include "agent/witnesses.h"
#include "base/bytes.h"
#include "policy/trace.h"

namespace proofgate::agent {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;

std::string KernelRelease() {
  utsname name{};
  uname(&name);
  return name.release;
}

// The domain that grants nothing.
policy::Canon ProofCanon() {
  policy::Canon canon;
  canon.tenant = "proofgate";
  canon.domain = kProofDomain;
  return canon;
}

Judgement JudgementOf(const std::optional<policy::Canon>& canon) {
  if (!canon) return {};
  return {canon->mode == policy::Mode::kObserve ? MODE_OBSERVE : MODE_ENFORCE,
          policy::NamesKind(*canon, policy::Kind::kRead)};
}

}  // namespace

Agent::Agent(Pep& pep, ledger::Ledger& ledger, const Signer& signer, const Clock& clock, Host host,
             Units& units)
    : pep_(pep),
      ledger_(ledger),
      signer_(signer),
      clock_(clock),
      host_(host),
      receipts_(pep, ledger, signer, clock, names_, host),
      sessions_(ledger, receipts_, clock,
                [this](const std::string& name) -> Result<Sessions::Domain> {
                  const Domain& domain = *TRY(FindIssuingDomain(name));
                  return Sessions::Domain{&*domain.canon, domain.number, domain.canon_entry};
                }),
      drain_(pep, ledger, names_, host.boot_id),
      units_(units),
      watch_(pep, ledger) {}

Agent::~Agent() = default;

Result<std::unique_ptr<Agent>> Agent::Start(Pep& pep, ledger::Ledger& ledger, const Signer& signer,
                                            const Clock& clock, Host host, Units& units) {
  std::unique_ptr<Agent> agent(new Agent(pep, ledger, signer, clock, std::move(host), units));
  const auto last_boot = TRY(ledger.ReadMeta("boot"));
  const bool same_boot = last_boot && *last_boot == agent->host_.boot_id;
  for (const auto& [name, number] : TRY(ledger.ScanMeta("domain/"))) {
    Domain domain;
    domain.number = static_cast<std::uint32_t>(std::stoul(number));
    if (domain.number == 0 || domain.number >= MAX_DOMAINS)
      return Fail(Code::kCorrupt, "ledger: number of domain " + name);
    agent->domains_.emplace(name, std::move(domain));
  }
  if (!same_boot) TRY(agent->CloseOtherBoots());
  TRY(agent->RecordStart(same_boot));
  agent->trust_ = TRY(CanonTrust::Load(ledger, signer, clock));
  agent->promotion_ = agent->MakePromotion();
  TRY(agent->watch_.Begin(same_boot));
  TRY(agent->TakeUpThisBoot());
  agent->drain_.Start();
  TRY(units.Remember(agent->WaitingUnits()));
  TRY(agent->FinishFollowing());
  agent->KeepStanding();
  agent->AttachFromCanon();
  return agent;
}

// What the end of a boot left without a last word gets one: an interval, never
// a guess.
Status Agent::CloseOtherBoots() {
  const auto last_boot = TRY(ledger_.ReadMeta("boot"));
  const auto clean = TRY(ledger_.ReadMeta("clean"));
  const bool was_clean = last_boot && clean && *clean == *last_boot;
  std::vector<ledger::Record> records;
  ledger::Meta meta;
  for (const std::string prefix : {"cgroup/", "program/", "ring/"})
    for (const auto& [key, value] : TRY(ledger_.ScanMeta(prefix))) meta[prefix + key] = "";
  for (const auto& [name, bytes] : TRY(ledger_.ScanMeta("denials/"))) {
    const json::Value totals = TRY(json::Parse(bytes));
    if (!was_clean) {
      json::Object body{{"domain", name}, {"boot_id", TRY(json::GetString(totals, "boot_id"))},
                        {"after_seq", json::Integer(TRY(json::GetInteger(totals, "seq")))}};
      records.push_back({"DENIALS_LOST", std::move(body)});
    }
    meta["denials/" + name] = "";
  }
  if (!was_clean && last_boot) {
    // A domain without a denial could have had its first in the last moment.
    for (const auto& [name, domain] : domains_)
      if (!meta.contains("denials/" + name)) {
        json::Object body{{"domain", name}, {"boot_id", *last_boot}, {"after_seq", 0}};
        records.push_back({"DENIALS_LOST", std::move(body)});
      }
  }
  for (const auto& [key, bytes] : TRY(ledger_.ScanMeta("slot/"))) {
    const json::Value row = TRY(json::Parse(bytes));
    const policy::Receipt receipt = TRY(policy::ParseReceipt(TRY(json::GetString(row, "body"))));
    const bool settled = row.Find("settled") != nullptr && *row.Find("settled") == json::Value(true);
    const bool never_live = row.Find("waiting") != nullptr;
    json::Object body{{"id", TRY(json::GetString(row, "id"))}, {"domain", receipt.domain}};
    if (!settled && (was_clean || never_live)) {
      body["used"] = json::Integer(TRY(json::GetInteger(row, "used")));
      body["checked"] = json::Integer(TRY(json::GetInteger(row, "checked")));
      body["final"] = true;
      body["state"] = never_live ? "never live" : "ended with its boot";
      records.push_back({"SETTLED", std::move(body)});
    } else if (!settled) {
      body["boot_id"] = receipt.boot_id;
      body["last_settled"] = json::Integer(TRY(json::GetInteger(row, "used")));
      body["granted"] = json::Integer(receipt.uses);
      records.push_back({"UNSETTLED", std::move(body)});
    }
    meta["slot/" + key] = "";
  }
  if (records.empty() && meta.empty()) return {};
  TRY(ledger_.Append(std::move(records), std::move(meta)));
  return {};
}

Status Agent::RecordStart(bool took_up) {
  json::Object body{{"boot_id", host_.boot_id}, {"host", host_.id}, {"version", kVersion},
                    {"kernel", KernelRelease()}, {"gate", pep_.Describe()},
                    {"took_up", took_up}};
  ledger::Meta meta{{"boot", host_.boot_id}};
  if (!took_up) meta["sequence"] = "";
  TRY(ledger_.Append({{"START", std::move(body), took_up ? "" : "boot_entry"}}, std::move(meta)));
  return {};
}

Status Agent::TakeUpThisBoot() {
  const auto source = TRY(ledger_.ReadMeta("canon"));
  if (source) {
    policy::ParsedCanon parsed = policy::ParseCanon(*source, "canon in force");
    if (!parsed.diagnostics.empty())
      return Fail(Code::kCorrupt, policy::Render(parsed.diagnostics.front()));
    for (policy::Canon& canon : parsed.canons) {
      const auto entry = TRY(ledger_.ReadMeta("canon_entry/" + canon.domain));
      Domain& domain = domains_[canon.domain];
      if (!entry || domain.number == 0)
        return Fail(Code::kCorrupt, "ledger: no number for domain " + canon.domain);
      domain.canon_entry = std::stoull(*entry);
      domain.canon = std::move(canon);
    }
  }
  for (const auto& [name, since] : TRY(ledger_.ScanMeta("stopped/")))
    if (const auto domain = domains_.find(name); domain != domains_.end()) domain->second.stopped = true;
  for (auto& [name, domain] : domains_) TRY(AgreeAboutStop(name, domain));
  for (const auto& [key, path] : TRY(ledger_.ScanMeta("program/")))
    names_.SetProgram(std::stoull(key), path);
  for (auto& [name, domain] : domains_) {
    if (name == kProofDomain) domain.canon = ProofCanon();
    TRY(OpenDomain(name, domain));
  }
  SetWriters();
  for (const auto& [key, bytes] : TRY(ledger_.ScanMeta("cgroup/"))) {
    const json::Value row = TRY(json::Parse(bytes));
    Attached attached;
    attached.domain = TRY(json::GetString(row, "domain"));
    attached.cgroup = TRY(json::GetBytes(row, "cgroup"));
    attached.how = TRY(json::GetString(row, "how"));
    const std::uint64_t id = std::stoull(key);
    const auto domain = domains_.find(attached.domain);
    if (domain == domains_.end()) return Fail(Code::kCorrupt, "ledger: cgroup of no domain");
    TRY(pep_.Govern(id, domain->second.number));
    const std::size_t dash = attached.cgroup.rfind('-');
    if (attached.how != "cgroup" && dash != std::string::npos)
      next_run_ = std::max<std::uint64_t>(next_run_, strtoull(attached.cgroup.c_str() + dash + 1, nullptr, 10) + 1);
    attached_.emplace(id, std::move(attached));
  }
  std::map<std::string, std::uint32_t> numbers;
  for (const auto& [name, domain] : domains_) numbers[name] = domain.number;
  TRY(receipts_.Restore(numbers));
  return sessions_.Restore();
}

// What the gate was told to stop is stopped, whether or not its entry came to be;
// what the ledger says is stopped is so in the gate of another boot, too.
Status Agent::AgreeAboutStop(const std::string& name, Domain& domain) {
  const bool in_gate = receipts_.IsStopped(domain.number);
  if (domain.stopped && !in_gate) (void)receipts_.RaiseEpoch(domain.number, Receipts::Epoch::kStopped);
  if (domain.stopped || !in_gate) return {};
  domain.stopped = true;
  json::Object body{{"domain", name}, {"why", "it was stopped before the daemon ended"}};
  TRY(ledger_.Append({{"DOMAIN_STOP", std::move(body)}}, {{"stopped/" + name, FormatUtc(clock_.Utc())}}));
  return {};
}

void Agent::SetWriters() {
  std::vector<const policy::Canon*> canons;
  for (const auto& [name, domain] : domains_)
    if (domain.canon) canons.push_back(&*domain.canon);
  receipts_.SetWriters(Writers(canons));
}

Status Agent::OpenDomain(const std::string& name, Domain& domain) {
  names_.SetDomain(domain.number, name, domain.canon_entry);
  TRY(pep_.OpenDomain(domain.number, JudgementOf(domain.canon)));
  return drain_.Add(domain.number);
}

Result<Agent::Domain*> Agent::FindDomain(const std::string& name) {
  const auto at = domains_.find(name);
  if (at != domains_.end() && at->second.canon) return &at->second;
  std::string known;
  for (const auto& [other, domain] : domains_)
    if (domain.canon && other != kProofDomain) known += (known.empty() ? "" : ", ") + other;
  return Fail(Code::kNotFound,
              fmt::format("no domain '{}' in the canon in force ({})", policy::EscapeForPeople(name),
                          known.empty() ? "there is none; apply one with: proofgate canon apply FILE"
                                        : "there is: " + known));
}

Result<Agent::Domain*> Agent::FindRunningDomain(const std::string& name) {
  Domain* const domain = TRY(FindDomain(name));
  if (domain->stopped)
    return Fail(Code::kDenied, "domain '" + name + "' is stopped; an operator resumes it with: proofgate resume --domain " + name);
  return domain;
}

Result<Agent::Domain*> Agent::FindIssuingDomain(const std::string& name) {
  if (!trust_->MayIssue())
    return Fail(Code::kDenied, "CANON_EXPIRED: no receipt is issued any more; apply a newer canon");
  return FindRunningDomain(name);
}

Result<std::uint32_t> Agent::NumberFor(const std::string& name, ledger::Meta& meta) {
  const auto at = domains_.find(name);
  if (at != domains_.end()) return at->second.number;
  for (std::uint32_t number = 1; number < MAX_DOMAINS; ++number) {
    const bool used = std::any_of(domains_.begin(), domains_.end(), [number](const auto& entry) {
      return entry.second.number == number;
    });
    if (used) continue;
    meta["domain/" + name] = std::to_string(number);
    domains_[name].number = number;
    return number;
  }
  return Fail(Code::kBusy, fmt::format("more than {} domains since the ledger began", MAX_DOMAINS - 1));
}

Status Agent::RecordAttach(const std::string& domain, const std::string& cgroup, std::uint64_t id,
                           const std::string& how) {
  json::Object body{{"domain", domain}, {"cgroup", json::Bytes(cgroup)},
                    {"cgroup_id", json::Integer(id)}, {"how", how}};
  json::Object row{{"domain", domain}, {"cgroup", json::Bytes(cgroup)}, {"how", how}};
  TRY(ledger_.Append({{"ATTACH", std::move(body)}},
                     {{fmt::format("cgroup/{}", id), json::Encode(row)}}));
  attached_[id] = {domain, cgroup, how, clock_.Boot().ns};
  return {};
}

// Freezes, labels every thread, checks that none was missed, lets go.
Status Agent::GovernRunning(const std::string& cgroup, std::uint64_t id, std::uint32_t number) {
  TRY(FreezeCgroup(cgroup));
  const auto label = [&]() -> Status {
    TRY(pep_.Govern(id, number));
    const std::set<int> threads = TRY(CgroupThreads(cgroup));
    const std::set<int> labelled = TRY(pep_.Adopt());
    for (const int thread : threads)
      if (!labelled.contains(thread))
        return Fail(Code::kBusy, fmt::format("{}: thread {} could not be labelled", cgroup, thread));
    return {};
  };
  const Status labelled = label();
  if (!labelled) {
    Report("undo the attach", pep_.Ungovern(id));
    Report("undo the attach", pep_.Release(id));
  }
  TRY(ThawCgroup(cgroup));
  return labelled;
}

Result<json::Object> Agent::Attach(const std::string& name, const std::string& cgroup,
                                   const std::string& how, bool force) {
  Domain& domain = *TRY(FindDomain(name));
  if (!cgroup.starts_with(std::string(kCgroupRoot) + "/") || !policy::IsCleanPath(cgroup))
    return Fail(Code::kInvalid, cgroup + ": a cgroup below /sys/fs/cgroup expected");
  const std::string why_not = WhyNotGovern(cgroup);
  if (!why_not.empty() && !(force && cgroup != kCgroupRoot && why_not != "the daemon is in it"))
    return Fail(Code::kInvalid, cgroup + ": not governed: " + why_not);
  const std::uint64_t id = TRY(CgroupId(cgroup));
  const auto at = attached_.find(id);
  if (at != attached_.end()) {
    if (at->second.domain == name)
      return json::Object{{"cgroup", json::Bytes(cgroup)}, {"changed", false}};
    return Fail(Code::kInvalid, cgroup + ": governed by domain '" + at->second.domain + "'; detach it first");
  }
  if (!domain.stopped) TRY(KeepStandingOf(domain));
  TRY(RecordAttach(name, cgroup, id, how));
  const Status governed = GovernRunning(cgroup, id, domain.number);
  if (!governed) {
    TRY(Leave(id, "attach failed: " + governed.error().message));
    return tl::unexpected(governed.error());
  }
  const std::set<int> threads = TRY(CgroupThreads(cgroup));
  return json::Object{{"cgroup", json::Bytes(cgroup)}, {"changed", true},
                      {"threads", json::Integer(threads.size())}};
}

Result<json::Object> Agent::FreshCgroup(const std::string& name, const std::string& how) {
  Domain& domain = *TRY(FindRunningDomain(name));
  TRY(KeepStandingOf(domain));
  const std::string cgroup = fmt::format("{}/{}/{}-{}", kCgroupDir, name, how, next_run_++);
  TRY(MakeCgroup(cgroup));
  const std::uint64_t id = TRY(CgroupId(cgroup));
  TRY(RecordAttach(name, cgroup, id, how));
  TRY(pep_.Govern(id, domain.number));
  return json::Object{{"cgroup", cgroup}, {"cgroup_id", json::Integer(id)}, {"domain", name}};
}

Result<json::Object> Agent::AttachProcess(const std::string& domain, int pid) {
  if (pid <= 1 || pid == getpid())
    return Fail(Code::kInvalid, fmt::format("process {}: not governed", pid));
  json::Object result = TRY(FreshCgroup(domain, "pid"));
  const Status moved = MoveProcess(result["cgroup"].string(), pid);
  if (!moved) {
    TRY(CloseRun(result["cgroup"].string()));
    return tl::unexpected(moved.error());
  }
  return result;
}

Status Agent::Leave(std::uint64_t id, const std::string& why) {
  const auto at = attached_.find(id);
  if (at == attached_.end()) return {};
  TRY(pep_.Ungovern(id));
  json::Object body{{"domain", at->second.domain}, {"cgroup", json::Bytes(at->second.cgroup)},
                    {"cgroup_id", json::Integer(id)}, {"why", json::Bytes(why)}};
  attached_.erase(at);
  TRY(ledger_.Append({{"DETACH", std::move(body)}}, {{fmt::format("cgroup/{}", id), ""}}));
  return {};
}

Result<json::Object> Agent::Detach(const std::string& name, const std::string& cgroup) {
  for (const auto& [id, attached] : attached_) {
    if (attached.cgroup != cgroup) continue;
    if (attached.domain != name)
      return Fail(Code::kInvalid, cgroup + ": governed by domain '" + attached.domain + "'");
    const std::uint64_t cgroup_id = id;
    const std::string path = attached.cgroup;
    TRY(FreezeCgroup(path));
    const Status left = Leave(cgroup_id, "asked for");
    const Status released = pep_.Release(cgroup_id);
    TRY(ThawCgroup(path));
    TRY(left);
    TRY(released);
    return json::Object{{"cgroup", json::Bytes(path)}};
  }
  return Fail(Code::kNotFound, cgroup + ": not governed");
}

Result<json::Object> Agent::OpenRun(const std::string& domain) {
  if (!trust_->MayRenew()) return Fail(Code::kDenied, "CANON_EXPIRED: nothing is permitted any more");
  return FreshCgroup(domain, "run");
}

Result<json::Object> Agent::OpenProof() {
  if (!domains_.contains(kProofDomain)) {
    ledger::Meta meta;
    TRY(NumberFor(kProofDomain, meta));
    Domain& domain = domains_[kProofDomain];
    domain.canon = ProofCanon();
    TRY(ledger_.Append({}, std::move(meta)));
    TRY(OpenDomain(kProofDomain, domain));
    SetWriters();
  }
  TRY(pep_.ForgetDenials(domains_.at(kProofDomain).number));  // each act is to be an entry
  return FreshCgroup(kProofDomain, "prove");
}

Result<json::Object> Agent::CloseRun(const std::string& cgroup) {
  for (auto& [id, attached] : attached_)
    if (attached.cgroup == cgroup && attached.how != "cgroup") {
      attached.since_ns = 0;  // the sweep may take it as soon as it is empty
      SweepRuns();
      return json::Object{{"cgroup", cgroup}};
    }
  return json::Object{{"cgroup", cgroup}};  // the sweep was faster
}

// Removes the cgroups that we made and that have emptied.
void Agent::SweepRuns() {
  const std::uint64_t now = clock_.Boot().ns;
  std::vector<std::pair<std::uint64_t, Attached>> empty;
  for (const auto& [id, attached] : attached_) {
    if (attached.how == "cgroup" || attached.how == "canon") {
      const auto still = CgroupId(attached.cgroup);
      if (!still || *still != id) empty.emplace_back(id, attached);
      continue;
    }
    // A command that has not moved in yet must find its cgroup.
    if (attached.since_ns != 0 && now < attached.since_ns + 30 * kSecondNs) continue;
    const auto populated = IsPopulated(attached.cgroup);
    if (populated && *populated) continue;
    empty.emplace_back(id, attached);
  }
  for (const auto& [id, attached] : empty) {
    if (rmdir(attached.cgroup.c_str()) != 0 && errno != ENOENT && attached.how != "cgroup") continue;
    Report("leave " + attached.cgroup, Leave(id, "it is empty"));
  }
}

// Governs the cgroups that canon names: slices and plain cgroups are made, units
// are governed when systemd makes theirs. Then, and only then, the units may start.
void Agent::AttachFromCanon() {
  std::map<std::string, std::uint32_t> names;
  std::map<std::string, std::pair<std::string, std::string>> wanted;  // cgroup → domain, unit
  bool answers = true;  // who does not answer once is not asked again in this round
  for (const auto& [name, domain] : domains_) {
    if (!domain.canon || domain.canon->attach.empty()) continue;
    const std::string& attach = domain.canon->attach;
    const std::string target = attach.substr(attach.find(':') + 1);
    const bool is_unit = !attach.starts_with("cgroup:");
    auto cgroup = Result<std::string>(target);
    if (is_unit && answers) {
      cgroup = units_.CgroupOf(target);
      answers = cgroup || cgroup.error().code == Code::kNotFound;
      if (cgroup) cgroup_of_[target] = *cgroup;
      else if (answers) cgroup_of_.erase(target);
      else std::fprintf(stderr, "attach %s: %s\n", target.c_str(), cgroup.error().message.c_str());
    }
    if (is_unit && !answers) {  // what is known stays so: a slow manager takes nothing back
      const auto known = cgroup_of_.find(target);
      if (known == cgroup_of_.end()) continue;
      cgroup = known->second;
    }
    if (!cgroup) continue;  // asked again
    if (!cgroup->starts_with(std::string(kCgroupRoot) + "/")) continue;
    names[cgroup->substr(std::string_view(kCgroupRoot).size())] = domain.number;
    wanted[*cgroup] = {name, is_unit ? target : ""};
  }
  if (names != named_) {
    const Status named = pep_.NameCgroups(names);
    Report("name cgroups", named);
    if (!named) return;
    named_ = names;
  }
  std::set<std::string> may_start;
  for (const auto& [cgroup, whose] : wanted) {
    const auto& [name, unit] = whose;
    const bool is_made_by_systemd = unit.ends_with(".service") || unit.ends_with(".scope");
    if (!is_made_by_systemd && !CgroupId(cgroup)) Report("make " + cgroup, MakeCgroup(cgroup));
    if (const auto id = CgroupId(cgroup); id && !attached_.contains(*id)) {
      const auto attached = Attach(name, cgroup, "canon", false);
      if (!attached) {
        std::fprintf(stderr, "attach %s: %s\n", cgroup.c_str(), attached.error().message.c_str());
        continue;
      }
    }
    if (!unit.empty()) may_start.insert(unit);
  }
  if (may_start == announced_) return;
  const Status announced = units_.Announce(may_start);
  Report("announce units", announced);
  if (announced) announced_ = std::move(may_start);
}

// What an interval shows to have been changed under us is set right again.
void Agent::CheckGate() {
  Watch::Expected expected;
  for (const auto& [id, attached] : attached_) {
    const auto at = domains_.find(attached.domain);
    const auto now = CgroupId(attached.cgroup);
    if (at != domains_.end() && now && *now == id) expected.cgroups[id] = at->second.number;
  }
  for (const auto& [name, domain] : domains_)
    expected.judgements[domain.number] = JudgementOf(domain.canon);
  expected.receipts = receipts_.CompareWithGate();
  for (const std::uint64_t id : watch_.Check(expected))
    Report("govern again", GovernRunning(attached_.at(id).cgroup, id, expected.cgroups.at(id)));
}

Status Agent::KeepStandingOf(const Domain& domain) {
  if (!trust_->MayRenew()) return {};  // what is governed stays governed, with nothing permitted
  return receipts_.KeepStanding(*domain.canon, domain.number, domain.canon_entry);
}

void Agent::KeepStanding() {
  for (const auto& [name, domain] : domains_) {
    const bool attached = std::any_of(attached_.begin(), attached_.end(), [&name = name](const auto& entry) {
      return entry.second.domain == name;
    });
    // The cgroup of a unit that canon names is born without us: its first process
    // needs them at once.
    const bool named = domain.canon && !domain.canon->attach.empty();
    if (!(attached || named) || !domain.canon || domain.stopped) continue;
    Report("standing receipts of " + name, KeepStandingOf(domain));
  }
}

Result<json::Object> Agent::Issue(const IssueRequest& asked,
                                  std::optional<Receipts::Refusal>& refusal) {
  const Domain& domain = *TRY(FindIssuingDomain(asked.domain));
  policy::Request request;
  request.rule = asked.rule;
  request.ttl_ns = asked.ttl_ns;
  request.uses = asked.uses;
  if (!asked.object.empty()) {
    const policy::Rule* const rule = domain.canon->FindRule(asked.rule);
    request.object = TRY(ParseObjectText(rule == nullptr ? policy::Kind::kWrite : rule->kind, asked.object));
  }
  if (!asked.exe.empty()) {
    if (!policy::IsCleanPath(asked.exe))
      return Fail(Code::kInvalid, policy::EscapeForPeople(asked.exe) + ": an absolute path expected");
    request.exe = TRY(RealPath(asked.exe));
  }
  request.binding = asked.binding;
  const Receipts::Issued issued = TRY(receipts_.Issue(
      *domain.canon, domain.number, domain.canon_entry, request, asked.principal, refusal));
  return json::Object{{"id", issued.id}, {"entry", json::Integer(issued.entry)},
                      {"uses", json::Integer(issued.uses)}, {"expires_utc", issued.expires_utc},
                      {"expires_boot_ns", json::Integer(issued.expires_boot_ns)},
                      {"state", issued.is_waiting ? "waiting" : "live"}};
}

Result<json::Object> Agent::KeepCosigned(const std::string& note) {
  const CosignedHead cosigned = TRY(VerifyQuorum(note, host_.witness_policy, signer_.public_key(), ledger_.origin()));
  TRY(ledger_.KeepCosigned(note));
  const std::uint64_t granted = TRY(receipts_.GrantWitnessed(cosigned.size, CosignedRecord(cosigned, note)));
  return json::Object{{"kept", true}, {"granted", json::Integer(granted)}};
}

Result<json::Object> Agent::ListReceipts() const {
  json::Array list;
  const std::uint64_t now = clock_.Boot().ns;
  for (const auto& [slot, live] : receipts_.live()) {
    const SlotUse use = receipts_.UseOf(live);
    json::Array objects;
    for (const policy::Object& object : live.receipt.objects)
      objects.push_back(json::Bytes(policy::Describe(object)));
    const std::uint64_t left = live.expires_boot_ns > now ? live.expires_boot_ns - now : 0;
    json::Object row{{"id", live.id}, {"domain", live.receipt.domain}, {"rule", live.receipt.rule},
                     {"kind", policy::KindName(live.receipt.kind)}, {"objects", std::move(objects)},
                     {"state", receipts_.StateOf(live)}, {"standing", live.receipt.is_standing},
                     {"used", json::Integer(use.used)}, {"checked", json::Integer(use.checked)},
                     {"uses", json::Integer(live.receipt.uses)},
                     {"seconds_left", json::Integer(left / kSecondNs)}};
    if (!live.receipt.exe.empty()) row["exe"] = json::Bytes(live.receipt.exe);
    policy::AddBinding(live.receipt.binding, row);
    list.push_back(std::move(row));
  }
  return json::Object{{"receipts", std::move(list)}};
}

Result<json::Object> Agent::Revoke(const std::string& id, const std::string& why) {
  return json::Object{{"id", TRY(receipts_.Revoke(id, why))}};
}

// Would there be this receipt without that person's word?
bool Agent::RestsOn(const policy::Receipt& receipt, const std::string& person) const {
  if (!receipt.break_glass.empty()) return receipt.principal == "person:" + person;
  const policy::Session* const session = sessions_.Find(receipt.session);
  return session != nullptr && std::any_of(session->approvals.begin(), session->approvals.end(), [&person](const policy::Approval& approval) {
           return approval.approves && approval.person == person;
         });
}

Result<json::Object> Agent::RevokeAll(const RevokeQuery& which, const std::string& why) {
  const auto fits = [](const std::string& asked, const std::string& has) { return asked.empty() || asked == has; };
  std::optional<Receipts::Moment> since;
  // A domain, or all of them: its epoch says it of every receipt at once.
  if ((which.rule + which.canon + which.session + which.person).empty())
    for (const auto& [name, domain] : domains_) {
      if (domain.stopped || !fits(which.domain, name)) continue;
      const Receipts::Moment moment = receipts_.RaiseEpoch(domain.number, Receipts::Epoch::kNext);
      since = Receipts::Moment{since ? since->live_until_ns : moment.live_until_ns, moment.dead_from_ns};
    }
  const std::uint64_t count = TRY(receipts_.RevokeWhere(
      [&](const Receipts::Live& live) {
        return fits(which.domain, live.receipt.domain) && fits(which.rule, live.receipt.rule) &&
               fits(which.canon, live.receipt.canon) &&
               (fits(which.session, live.receipt.session) || which.session == live.receipt.parent) &&
               (which.person.empty() || RestsOn(live.receipt, which.person));
      },
      why, since));
  return json::Object{{"revoked", json::Integer(count)}};
}

Result<json::Object> Agent::StopDomain(const std::string& name, const std::string& why) {
  Domain& domain = *TRY(FindDomain(name));
  domain.stopped = true;  // nothing is renewed or issued from here on
  // The gate first, in one store; that it took effect does not wait for a disk.
  const Receipts::Moment moment = receipts_.RaiseEpoch(domain.number, Receipts::Epoch::kStopped);
  const std::uint64_t count = TRY(receipts_.RevokeWhere(
      [&](const Receipts::Live& live) { return live.number == domain.number; }, "the domain was stopped: " + why, moment));
  json::Object result{{"revoked", json::Integer(count)},
                      {"took_ns", json::Integer(moment.dead_from_ns - moment.live_until_ns)}};
  json::Object body{{"domain", name}, {"why", json::Bytes(why)},
                    {"live_until_boot_ns", json::Integer(moment.live_until_ns)},
                    {"dead_from_boot_ns", json::Integer(moment.dead_from_ns)}};
  TRY(ledger_.Append({{"DOMAIN_STOP", std::move(body)}}, {{"stopped/" + name, FormatUtc(clock_.Utc())}}));
  TRY(sessions_.AbortAll(name, "the domain was stopped: " + why));
  result["domain"] = name;
  return result;
}

Result<json::Object> Agent::ResumeDomain(const std::string& name) {
  Domain& domain = *TRY(FindDomain(name));
  if (!domain.stopped) return Fail(Code::kInvalid, "domain '" + name + "' is not stopped");
  TRY(ledger_.Append({{"DOMAIN_RESUME", json::Object{{"domain", name}}}}, {{"stopped/" + name, ""}}));
  (void)receipts_.RaiseEpoch(domain.number, Receipts::Epoch::kNext);
  domain.stopped = false;
  KeepStanding();
  return json::Object{{"domain", name}};
}

Result<json::Object> Agent::OpenSession(const std::string& domain, const std::string& principal,
                                        std::uint64_t duration_ms, SessionCgroup cgroup,
                                        const Sessions::Bounds& bounds) {
  if (cgroup == SessionCgroup::kNone) return sessions_.Open(domain, principal, 0, duration_ms, bounds);
  const json::Object fresh = TRY(FreshCgroup(domain, "session"));
  const std::string path = fresh.at("cgroup").string();
  const auto id = json::GetInteger(json::Value(fresh), "cgroup_id");
  auto opened = sessions_.Open(domain, principal, id.value_or(0), duration_ms, bounds);
  if (!opened) {
    TRY(CloseRun(path));
    return opened;
  }
  (*opened)["cgroup"] = path;
  return opened;
}

Result<json::Object> Agent::Delegate(const std::string& parent, const Sessions::NewChild& child, std::optional<int> pid,
                                     std::string& code) {
  const policy::Session* const session = sessions_.Find(parent);
  if (session == nullptr) return Fail(Code::kNotFound, "no session " + policy::EscapeForPeople(parent));
  std::string path;
  const auto make_cgroup = [&, domain = session->domain]() -> Result<std::uint64_t> {
    const json::Object fresh = TRY(FreshCgroup(domain, "session"));
    path = fresh.at("cgroup").string();
    return json::GetInteger(json::Value(fresh), "cgroup_id");
  };
  auto opened = sessions_.Delegate(parent, child, make_cgroup, code);
  if (!opened) {
    if (!path.empty()) TRY(CloseRun(path));
    return opened;
  }
  (*opened)["cgroup"] = path;
  if (!pid) return opened;
  const Status moved = MoveProcess(path, *pid);
  if (!moved) {
    TRY(sessions_.Abort((*opened)["session"].string(), "its process could not be moved: " + moved.error().message));
    TRY(CloseRun(path));
    return tl::unexpected(moved.error());
  }
  return opened;
}

Result<std::pair<std::string, std::string>> Agent::GovernedCgroup(std::uint64_t id) const {
  const auto at = attached_.find(id);
  if (at == attached_.end()) return Fail(Code::kNotFound, "not a governed cgroup");
  return std::pair(at->second.domain, at->second.cgroup);
}

Result<json::Object> Agent::ListRights(const std::string& name) {
  const Domain& domain = *TRY(FindDomain(name));
  json::Array rules;
  for (const policy::Rule& rule : domain.canon->rules) {
    json::Array objects;
    for (const policy::Object& object : rule.objects) objects.push_back(policy::ObjectJson(object));
    json::Object one{{"rule", rule.id}, {"kind", policy::KindName(rule.kind)}, {"objects", std::move(objects)},
                     {"effect", rule.effect == policy::Effect::kPermit ? "permit" : "forbid"}};
    if (rule.effect == policy::Effect::kPermit) {
      one["uses"] = json::Integer(rule.limits.uses);
      one["ttl_ns"] = json::Integer(rule.limits.ttl_ns);
      policy::AddTerms(rule.terms, one);
    }
    rules.emplace_back(std::move(one));
  }
  json::Object terms;
  policy::AddTerms(domain.canon->terms, terms);
  json::Object out{{"domain", name}, {"rules", std::move(rules)}, {"stopped", domain.stopped}};
  for (const char* key : {"optr", "estimates", "budgets", "blast"})
    if (const auto at = terms.find(key); at != terms.end()) out[key] = at->second;
  return out;
}

std::string Agent::StatusLine() const {
  return fmt::format("{} cgroups governed, {} receipts, {} ledger entries", attached_.size(),
                     receipts_.live().size(), ledger_.head().size);
}

Result<json::Object> Agent::Describe() const {
  const ledger::Head head = ledger_.head();
  const gate_settings gate = pep_.ReadSettings();
  json::Object result{{"version", kVersion}, {"host", host_.id}, {"boot_id", host_.boot_id},
                      {"kernel", KernelRelease()}, {"gate", pep_.Describe()}};
  result["governed_threads"] = json::Integer(TRY(pep_.CountLabels()));
  result["labels_lost"] = json::Integer(gate.labels_lost);
  result["scope_repairs"] = json::Integer(gate.scope_repairs);
  json::Array differences;
  for (const std::string& difference : watch_.differences()) differences.push_back(json::Bytes(difference));
  result["tampered"] = std::move(differences);
  result["ledger"] = json::Object{{"origin", ledger_.origin()}, {"size", json::Integer(head.size)},
                                  {"root", Hex(head.root)},
                                  {"witnesses", DescribeWitnesses(ledger_, host_.witness_policy)},
                                  {"disk_full", ledger_.is_disk_full()},
                                  {"check", check_ ? check_->Describe() : json::Object()},
                                  {"rollback_noticed_by", "the anchor file; a rollback of the whole disk cannot be noticed on this host alone, "
                                                          "but by whoever holds a later checkpoint (ledger witness-request)"}};
  result["canon"] = trust_->Describe();
  json::Array domains;
  for (const auto& [name, domain] : domains_) {
    const domain_state state = pep_.ReadDomain(domain.number);
    json::Array cgroups;
    for (const auto& [id, attached] : attached_)
      if (attached.domain == name) cgroups.push_back(json::Bytes(attached.cgroup));
    std::uint64_t receipts = 0;
    for (const auto& [slot, live] : receipts_.live())
      if (live.number == domain.number && receipts_.StateOf(live) == "live") ++receipts;
    domains.push_back(json::Object{
        {"domain", name}, {"in_canon", domain.canon.has_value()},
        {"mode", state.mode == MODE_OBSERVE ? "observe" : "enforce"},
        {"cgroups", std::move(cgroups)}, {"receipts", json::Integer(receipts)},
        {"acts", json::Integer(state.act_seq)}, {"denials", json::Integer(state.deny_seq)}});
  }
  result["domains"] = std::move(domains);
  result["break_glass"] = TRY(WaitingBreakGlass());
  return result;
}

Result<json::Object> Agent::Flush() {
  drain_.Flush();
  TRY(receipts_.SettleNow());
  return json::Object{{"size", json::Integer(ledger_.head().size)}};
}

json::Object Agent::CounterObject() const {
  json::Object domains;
  for (const auto& [name, domain] : domains_) {
    const domain_state state = pep_.ReadDomain(domain.number);
    json::Object codes;
    for (unsigned code = 0; code < MAX_CODES; ++code)
      if (state.denials[code] != 0)
        codes[std::string(policy::GateCodeName(code))] = json::Integer(state.denials[code]);
    domains[name] = json::Object{{"acts", json::Integer(state.act_seq)},
                                 {"denials", json::Integer(state.deny_seq)},
                                 {"codes", std::move(codes)}};
  }
  json::Object receipts;
  for (const auto& [slot, live] : receipts_.live())
    receipts[live.id] = json::Integer(receipts_.UseOf(live).used);
  return json::Object{{"domains", std::move(domains)}, {"receipts", std::move(receipts)}};
}

Result<json::Object> Agent::Counters() {
  json::Object result;
  result["before"] = CounterObject();
  TRY(Flush());
  result["after"] = CounterObject();
  result["size"] = json::Integer(ledger_.head().size);
  result["boot_id"] = host_.boot_id;
  const auto boot_entry = TRY(ledger_.ReadMeta("boot_entry"));
  if (!boot_entry) return Fail(Code::kCorrupt, "ledger: no first entry of this boot");
  result["boot_entry"] = json::Integer(std::stoull(*boot_entry));
  return result;
}

Result<json::Object> Agent::Checkpoint() {
  TRY(Flush());
  const std::string note = TRY(ledger_.Checkpoint());
  checkpointed_ = ledger_.head().size;
  return json::Object{{"checkpoint", json::Bytes(note)}};
}

Result<json::Object> Agent::Entries(std::uint64_t from, std::uint64_t count) const {
  const std::uint64_t size = ledger_.head().size;
  json::Array entries;
  std::size_t bytes = 0;
  for (std::uint64_t index = from; index < size && entries.size() < count && bytes < (1u << 20); ++index) {
    std::string entry = TRY(ledger_.Entry(index));
    bytes += entry.size();
    entries.push_back(TRY(json::Parse(entry)));
  }
  return json::Object{{"entries", std::move(entries)}, {"size", json::Integer(size)}};
}

void Agent::Tick() {
  const std::uint64_t now = clock_.Boot().ns;
  if (now >= next_second_ns_) {
    next_second_ns_ = now + kSecondNs;
    receipts_.Settle();
    sessions_.Tick();
    promotion_->Tick();
    SweepRuns();
  }
  if (now >= next_renewal_ns_) {
    next_renewal_ns_ = now + 5 * kSecondNs;
    AttachFromCanon();
    KeepStanding();
  }
  if (now >= next_check_ns_) {
    next_check_ns_ = now + 5 * kSecondNs;
    CheckGate();
  }
  if (now >= next_checkpoint_ns_) {
    next_checkpoint_ns_ = now + 10 * kSecondNs;
    const std::uint64_t size = ledger_.head().size;
    if (size != checkpointed_) {
      const auto signed_head = ledger_.Checkpoint();
      if (signed_head) checkpointed_ = size;
      else std::fprintf(stderr, "checkpoint: %s\n", signed_head.error().message.c_str());
    }
  }
}

Status Agent::Stop() {
  check_.reset();
  drain_.Stop();
  TRY(receipts_.SettleNow());
  const std::uint64_t governed = TRY(pep_.CountLabels());
  json::Object body{{"boot_id", host_.boot_id}, {"governed_threads", json::Integer(governed)}};
  ledger::Meta meta;
  // Nobody is left who could act: the counts are final for this boot.
  if (governed == 0) meta["clean"] = host_.boot_id;
  TRY(ledger_.Append({{"STOP", std::move(body)}}, std::move(meta)));
  TRY(ledger_.Checkpoint());
  return {};
}

}  // namespace proofgate::agent
