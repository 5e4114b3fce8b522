// How a canon comes into force: all of it or nothing.

#include <fmt/format.h>

#include <algorithm>

#include "agent/agent.h"
#include "agent/cgroup.h"
#include "agent/paths.h"
#include "agent/report.h"
#include "agent/still.h"
#include "base/bytes.h"
#include "policy/canon_leaf.h"

namespace proofgate::agent {
namespace {

// The unit that an `attach` makes wait for us, or "".
std::string WaitingUnit(const std::string& attach) {
  if (!attach.starts_with("unit:") && !attach.starts_with("slice:")) return "";
  std::string unit = attach.substr(attach.find(':') + 1);
  return unit.ends_with(".scope") ? "" : unit;  // scopes are made at run time only
}

// Why a canon must not name this target, or "".
std::string WhyNotAttach(const std::string& attach) {
  const std::string target = attach.substr(attach.find(':') + 1);
  if (attach.starts_with("cgroup:")) {
    if (!target.starts_with(std::string(kCgroupRoot) + "/")) return "a cgroup below /sys/fs/cgroup expected";
    return WhyNotGovern(target);
  }
  if (target.ends_with(".slice")) return WhyNotGovern(CgroupOfSlice(target));
  return WhyNotGovern(std::string(kCgroupRoot) + "/" + target);
}

// Meta: the old receipts' fate, while the gate follows a new canon.
constexpr const char* kFollowing = "canon_following";

Status CheckTargets(const std::vector<policy::Canon>& canons) {
  for (const policy::Canon& canon : canons) {
    if (canon.domain == kProofDomain)
      return Fail(Code::kInvalid, std::string("domain '") + kProofDomain + "' is Proofgate's own");
    const std::string why_not = canon.attach.empty() ? "" : WhyNotAttach(canon.attach);
    if (!why_not.empty())
      return Fail(Code::kInvalid, fmt::format("domain '{}': attach {}: not governed: {}", canon.domain,
                                              policy::EscapeForPeople(canon.attach), why_not));
  }
  return {};
}

bool Covers(const std::vector<policy::Canon>& canons, const std::string& domain) {
  return std::any_of(canons.begin(), canons.end(), [&](const policy::Canon& canon) { return canon.domain == domain; });
}

}  // namespace

std::set<std::string> Agent::WaitingUnits() const {
  std::set<std::string> units;
  for (const auto& [name, domain] : domains_)
    if (domain.canon) units.insert(WaitingUnit(domain.canon->attach));
  units.erase("");
  return units;
}

std::vector<policy::Canon> Agent::CanonsInForce() const {
  std::vector<policy::Canon> canons;
  for (const auto& [name, domain] : domains_)
    if (domain.canon && name != kProofDomain) canons.push_back(*domain.canon);
  return canons;
}

Result<json::Object> Agent::ApplyCanon(const std::string& text, const std::string& file,
                                       std::vector<policy::Diagnostic>& diagnostics) {
  policy::ParsedCanon parsed = policy::ParseCanon(text, file);
  if (!parsed.diagnostics.empty()) {
    diagnostics = std::move(parsed.diagnostics);
    return Fail(Code::kInvalid, file + ": not applied");
  }
  const policy::Bundle bundle = TRY(trust_->OwnBundle(text, parsed.canons.front().tenant, "uid:0"));
  if (TRY(ledger_.ReadMeta("canon")) == text) {
    json::Array names;
    for (const policy::Canon& canon : parsed.canons) names.push_back(canon.domain);
    return json::Object{{"domains", std::move(names)}, {"digest", Hex(Sha256(text))}, {"changed", false}};
  }
  return PutInForce(TRY(trust_->Verify(bundle, CanonsInForce(), "uid:0")), bundle, file);
}

Result<json::Object> Agent::ApplyBundle(const std::string& envelope, const std::string& principal) {
  const policy::Bundle bundle = TRY(trust_->Open(envelope, principal));
  const policy::VerifiedBundle verified = TRY(trust_->Verify(bundle, CanonsInForce(), principal));
  if (const Status possible = CheckTargets(verified.canons); !possible)
    return trust_->RecordRefusal(
        bundle.manifest, policy::Refuse(policy::BundleCode::kTargetRefused, possible.error().message).value(), principal);
  return PutInForce(verified, bundle, "bundle");
}

std::unique_ptr<Promotion> Agent::MakePromotion() {
  return std::make_unique<Promotion>(ledger_, *trust_, CheckTargets, [this] { return CanonsInForce(); });
}

Result<json::Object> Agent::Promote(const std::string& proposal, const std::vector<std::string>& acknowledged,
                                    const std::string& principal) {
  Promotion::Ready ready = TRY(promotion_->Prepare(proposal, acknowledged, principal));
  const policy::VerifiedBundle verified = TRY(trust_->Verify(ready.bundle, CanonsInForce(), principal));
  return PutInForce(verified, ready.bundle, "bundle", std::move(ready.records), std::move(ready.meta));
}

Result<json::Object> Agent::ChangeTrustRoot(const std::string& envelope, const std::string& principal) {
  const policy::Bundle bundle = TRY(trust_->Open(envelope, principal));
  return trust_->ChangeRoot(bundle.manifest, bundle.signatures, principal);
}

Result<json::Object> Agent::PutInForce(const policy::VerifiedBundle& verified, const policy::Bundle& bundle,
                                       const std::string& file, std::vector<ledger::Record> also,
                                       ledger::Meta also_meta) {
  const std::vector<policy::Canon>& canons = verified.canons;
  const std::string source_digest = Hex(Sha256(verified.text));
  TRY(CheckTargets(canons));
  std::vector<ledger::Record> records;
  std::vector<std::size_t> at;  // of each canon's CANON entry among the records
  ledger::Meta meta;
  std::vector<std::string> fresh;
  const auto give_up = [&](const Error& error) {
    for (const std::string& name : fresh) domains_.erase(name);
    return tl::unexpected(error);
  };
  for (const policy::Canon& canon : canons) {
    const bool is_new = !domains_.contains(canon.domain);
    if (const auto number = NumberFor(canon.domain, meta); !number) return give_up(number.error());
    if (is_new) fresh.push_back(canon.domain);
    policy::CanonLeaves leaves = policy::WriteCanonLeaves(canon);
    leaves.body["source_digest"] = source_digest;
    leaves.body["file"] = json::Bytes(file);
    at.push_back(records.size());
    records.push_back({"CANON", std::move(leaves.body), "canon_entry/" + canon.domain, ledger::Authority::kGives});
    for (json::Object& part : leaves.parts)
      records.push_back({"CANON_PART", std::move(part), "", ledger::Authority::kGives});
  }
  for (const auto& [name, domain] : domains_) {
    if (Covers(canons, name) || !domain.canon || name == kProofDomain) continue;
    records.push_back({"CANON", json::Object{{"domain", name}, {"removed", true}}});
    meta["canon_entry/" + name] = "";
  }
  meta["canon"] = verified.text;
  meta[kFollowing] = policy::OldReceiptsName(verified.manifest.old_receipts);
  trust_->Record(verified, bundle, records, meta);
  for (ledger::Record& record : also) records.push_back(std::move(record));
  meta.merge(also_meta);
  const std::size_t count = records.size();
  // Who will be governed waits for us before the canon says so, and longer than it.
  std::set<std::string> waiting = WaitingUnits();
  for (const policy::Canon& canon : canons)
    if (const std::string unit = WaitingUnit(canon.attach); !unit.empty()) waiting.insert(unit);
  if (const Status remembered = units_.Remember(waiting); !remembered) return give_up(remembered.error());
  const auto position = ledger_.Append(std::move(records), std::move(meta));
  if (!position) return give_up(position.error());
  std::set<std::string> changed;
  for (std::size_t i = 0; i < canons.size(); ++i) {
    Domain& domain = domains_[canons[i].domain];
    if (!domain.canon || policy::CanonJson(*domain.canon) != policy::CanonJson(canons[i])) changed.insert(canons[i].domain);
    domain.canon = canons[i];
    domain.canon_entry = position->first + at[i];
  }
  for (auto& [name, domain] : domains_)
    if (!Covers(canons, name) && name != kProofDomain && domain.canon) {
      domain.canon.reset();
      changed.insert(name);
    }
  trust_->InForce(verified);
  TRY(FollowCanon(verified.manifest.old_receipts, changed));
  json::Array names;
  for (const policy::Canon& canon : canons) names.push_back(canon.domain);
  return json::Object{{"domains", std::move(names)},
                      {"digest", source_digest},
                      {"changed", true},
                      {"entry", json::Integer(position->first)},
                      {"entries", json::Integer(count)},
                      {"version", json::Integer(verified.manifest.version)}};
}

// The gate and what is live follow the canon that is in force since the commit.
// Whatever fails here, the rest is done, and no part of the old canon is left.
// The processes of `changed` stand still meanwhile: between two acts of any of
// them lies the whole step from the old canon to the new one, or nothing of it.
Status Agent::FollowCanon(policy::OldReceipts old_receipts, const std::set<std::string>& changed) {
  std::vector<std::string> cgroups;
  for (const auto& [id, attached] : attached_)
    if (changed.contains(attached.domain)) cgroups.push_back(attached.cgroup);
  std::optional<Still> still(std::in_place, cgroups);
  Status first;
  const auto note = [&first](const Status& status) {
    if (first) first = status;
  };
  for (auto& [name, domain] : domains_) note(OpenDomain(name, domain));
  SetWriters();
  KeepStanding();  // what is new first, so that nothing is without in between
  if (old_receipts == policy::OldReceipts::kRevoke) {
    const auto revoked = receipts_.RevokeWhere(
        [this](const Receipts::Live& live) { return !live.receipt.is_standing && receipts_.StateOf(live) == "live"; },
        "the canon before it has ended, as the new one says");
    if (!revoked) note(tl::unexpected(revoked.error()));
  }
  // What is kept is kept where the domain stays; standing receipts always follow the canon.
  for (auto& [name, domain] : domains_)
    note(receipts_.ReviewUnder(domain.number, domain.canon ? &*domain.canon : nullptr,
                               domain.canon ? old_receipts : policy::OldReceipts::kReview));
  if (first) note(ClearFollowing());
  still.reset();
  AttachFromCanon();
  Report("remember units", units_.Remember(WaitingUnits()));
  return first;
}

Status Agent::ClearFollowing() {
  TRY(ledger_.Append({}, {{kFollowing, ""}}));
  return {};
}

// A daemon that died on the way from one canon to the next has left receipts of
// the old one live, and processes that stand still.
Status Agent::FinishFollowing() {
  const auto following = TRY(ledger_.ReadMeta(kFollowing));
  if (!following || following->empty()) return {};
  const auto old_receipts = policy::ParseOldReceipts(*following);
  if (!old_receipts) return Fail(Code::kCorrupt, "ledger: " + std::string(kFollowing));
  std::set<std::string> all;
  for (const auto& [name, domain] : domains_) all.insert(name);
  const Status followed = FollowCanon(*old_receipts, all);
  for (const auto& [id, attached] : attached_)
    if (CgroupId(attached.cgroup)) Report("let go of " + attached.cgroup, ThawCgroup(attached.cgroup));
  return followed;
}

Result<json::Object> Agent::ShowCanon() const {
  json::Object result;
  const auto source = TRY(ledger_.ReadMeta("canon"));
  if (!source) return Fail(Code::kNotFound, "no canon is in force; apply one with: proofgate canon apply FILE");
  result["source"] = json::Bytes(*source);
  result["digest"] = Hex(Sha256(*source));
  json::Array domains;
  for (const auto& [name, domain] : domains_) {
    if (!domain.canon || name == kProofDomain) continue;
    domains.push_back(json::Object{{"domain", name}, {"entry", json::Integer(domain.canon_entry)},
                                   {"canon", policy::CanonJson(*domain.canon)}});
  }
  result["domains"] = std::move(domains);
  return result;
}

}  // namespace proofgate::agent
