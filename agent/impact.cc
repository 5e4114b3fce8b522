#include "agent/impact.h"

#include <map>
#include <memory>

#include "policy/authority.h"
#include "policy/canon_leaf.h"
#include "policy/optr.h"
#include "policy/receipt.h"
#include "policy/replay.h"

namespace proofgate::agent {
namespace {

constexpr std::size_t kMaxOpenPlans = 256;

Result<json::Value> BodyOf(const json::Value& leaf) {
  const json::Value* const body = leaf.Find("body");
  if (body == nullptr) return Fail(Code::kCorrupt, "ledger: an entry without a body");
  return *body;
}

}  // namespace

std::optional<policy::Observed> ObservedAct(const std::string& kind, const json::Value& body) {
  if (kind != "ACT" && kind != "DENY") return std::nullopt;
  const auto act_kind = policy::ParseKind(json::GetString(body, "kind").value_or(""));
  if (!act_kind) return std::nullopt;  // "never": no canon permits it
  policy::Observed observed;
  observed.kind = *act_kind;
  const std::string address = json::GetBytes(body, "address").value_or("");
  if (address.empty()) {
    const auto path = json::GetBytes(body, "path");
    if (!path || !policy::IsCleanPath(*path)) return std::nullopt;  // "…/x": deeper than the gate records
    observed.act.form = *act_kind == policy::Kind::kConnect ? policy::Form::kUnix : policy::Form::kFile;
    observed.act.path = *path;
    return observed;
  }
  // "tcp 127.0.0.1 port 80"
  const std::size_t first = address.find(' ');
  const std::size_t second = address.find(' ', first + 1);
  const std::size_t last = address.rfind(' ');
  if (first == std::string::npos || second == std::string::npos) return std::nullopt;
  const std::string ip = address.substr(first + 1, second - first - 1);
  const auto object = policy::ReadObjectText(
      *act_kind, address.substr(0, first) + ":" + (ip.find(':') == std::string::npos ? ip : "[" + ip + "]") + ":" + address.substr(last + 1));
  if (!object || !policy::IsAct(*object)) return std::nullopt;
  observed.act = *object;
  return observed;
}

LedgerImpact::LedgerImpact(std::uint64_t from, std::vector<policy::Canon> next) : at_(from) {
  for (policy::Canon& canon : next) {
    auto one = std::make_unique<Next>();
    one->canon = std::move(canon);
    one->authority = std::make_unique<policy::Authority>(one->canon);
    next_[one->canon.domain] = std::move(one);
  }
}

LedgerImpact::Next* LedgerImpact::NextOf(const std::string& domain) {
  const auto at = next_.find(domain);
  return at == next_.end() ? nullptr : at->second.get();
}

Status LedgerImpact::Take(std::uint64_t to, std::uint64_t most, const ReadLeaf& read) {
  for (std::uint64_t taken = 0; at_ < to && taken < most; ++taken) {
    const std::uint64_t index = at_++;
    const auto leaf = read(index);
    if (!leaf && leaf.error().code == Code::kNotFound) continue;
    if (!leaf) return tl::unexpected(leaf.error());
    const std::string kind = TRY(json::GetString(*leaf, "kind"));
    const json::Value body = TRY(BodyOf(*leaf));
    const json::Value* const receipt = body.Find("receipt");
    const std::string session = json::GetString(kind == "ISSUE" && receipt != nullptr ? *receipt : body, "session").value_or("");
    if (kind == "SESSION_END") children_.erase(session);
    if ((kind == "ISSUE" || kind == "REFUSED" || kind == "DECIDED") && children_.contains(session)) {
      ++left_out_;  // decided within what its parent gave it, which is no canon's alone
      continue;
    }
    if (kind == "ACT" || kind == "DENY") TRY(TakeAct(index, kind, body, read));
    else if (kind == "ISSUE") TRY(TakeIssue(index, body));
    else if (kind == "REFUSED") TRY(TakeRefused(index, body));
    else if (kind == "SESSION_OPEN" && body.Find("parent") != nullptr) {
      children_.insert(TRY(json::GetString(body, "session")));
    } else if (kind == "PLANS" && body.Find("plans") != nullptr) {
      // Of sessions that ended without a decision they would stay for ever.
      if (plans_.size() >= kMaxOpenPlans) plans_.erase(plans_.begin());
      plans_[TRY(json::GetString(body, "session"))] = TRY(policy::ParsePlansJson(*body.Find("plans")));
    }
    else if (kind == "DECIDED") TRY(TakeDecided(index, body));
  }
  return {};
}

Status LedgerImpact::TakeAct(std::uint64_t index, const std::string& kind, const json::Value& body, const ReadLeaf& read) {
  const auto act = ObservedAct(kind, body);
  const auto canon_entry = json::GetInteger(body, "canon_entry");
  if (!act || !canon_entry) {
    ++left_out_;
    return {};
  }
  auto& then = past_[*canon_entry];
  if (!then) {
    then = std::make_unique<Past>();
    const auto read_body = [&](std::uint64_t at) -> Result<json::Value> { return BodyOf(TRY(read(at))); };
    auto canon = policy::ReadCanonAt(*canon_entry, read_body);
    if (!canon && canon.error().code != Code::kNotFound) return tl::unexpected(canon.error());
    if (canon && *canon) {
      then->canon = std::move(**canon);
      then->authority = std::make_unique<policy::Authority>(then->canon);
    }
  }
  if (!then->authority) {
    ++left_out_;
    return {};
  }
  const std::string domain = TRY(json::GetString(body, "domain"));
  const Next* const next = NextOf(domain);
  impact_.Add(index, domain, act->kind, act->act, then->authority.get(), next == nullptr ? nullptr : next->authority.get());
  return {};
}

void LedgerImpact::AddRequest(std::uint64_t index, const std::string& domain, const policy::Request& request, const json::Value& body,
                              std::string kind, std::string before, std::vector<std::string> rules_before) {
  policy::Flip flip;
  flip.asked = policy::Asked::kRequest;
  flip.domain = domain;
  flip.kind = std::move(kind);
  flip.before = std::move(before);
  flip.rules_before = std::move(rules_before);
  flip.example_entry = index;
  flip.example = request.object ? policy::WriteObjectText(*request.object) : "rule " + request.rule;
  Next* const next = NextOf(domain);
  if (next == nullptr) {
    flip.after = policy::DecisionCodeName(policy::DecisionCode::kNoSuchRule);
  } else {
    const auto aliases = policy::ReadAliases(body);
    const json::Value* const written = body.Find("aliases");
    const std::string text = written == nullptr ? "" : json::Encode(*written);
    if (!aliases) {
      ++left_out_;
      return;
    }
    if (!next->real || next->real->aliases != text) {
      next->real = std::make_unique<Real>();
      next->real->aliases = text;
      next->real->canon = policy::WithAliases(next->canon, *aliases);
      next->real->forbids = std::make_unique<policy::Forbids>(next->real->canon);
    }
    const policy::Decision decision = policy::Decide(next->real->canon, *next->real->forbids, request);
    flip.after = policy::DecisionCodeName(decision.code);
    flip.rules_after = decision.rules;
  }
  impact_.AddDecided(std::move(flip));
}

Status LedgerImpact::TakeIssue(std::uint64_t index, const json::Value& body) {
  const json::Value* const written = body.Find("receipt");
  if (written == nullptr) return Fail(Code::kCorrupt, "ledger: an ISSUE without a receipt");
  const policy::Receipt receipt = TRY(policy::ParseReceipt(json::Encode(*written)));
  if (receipt.is_standing) return {};  // asked for by nobody: the acts under it are looked at
  AddRequest(index, receipt.domain, policy::RequestOf(receipt), body, std::string(policy::KindName(receipt.kind)), "PERMITTED", {receipt.rule});
  return {};
}

Status LedgerImpact::TakeRefused(std::uint64_t index, const json::Value& body) {
  std::vector<std::string> rules;
  if (const json::Value* const list = body.Find("rules"); list != nullptr && list->is_array())
    for (const json::Value& rule : list->array()) rules.push_back(rule.is_string() ? rule.string() : "");
  AddRequest(index, TRY(json::GetString(body, "domain")), TRY(policy::RequestOfRefused(body)), body, "",
             TRY(json::GetString(body, "code")), std::move(rules));
  return {};
}

// With the snapshot that was recorded: budgets and leases as they stood then.
Status LedgerImpact::TakeDecided(std::uint64_t index, const json::Value& body) {
  const std::string domain = TRY(json::GetString(body, "domain"));
  const auto plans = plans_.find(TRY(json::GetString(body, "session")));
  const json::Value* const snapshot = body.Find("snapshot");
  if (plans == plans_.end() || snapshot == nullptr || TRY(json::GetString(body, "semantics")) != policy::kOptrSemantics) {
    ++left_out_;
    return {};
  }
  const auto chosen = [](std::string code, const std::string& plan) { return plan.empty() ? code : code + " " + plan; };
  policy::Flip flip;
  flip.asked = policy::Asked::kPlan;
  flip.domain = domain;
  flip.example_entry = index;
  flip.before = TRY(json::GetString(body, "code"));
  flip.example = chosen(flip.before, json::GetString(body, "plan").value_or(""));
  if (const Next* const next = NextOf(domain)) {
    const policy::Selection selection = policy::Select(next->canon, plans->second, TRY(policy::ParseSnapshotJson(*snapshot)));
    flip.after = policy::OptrCodeName(selection.code);
    if (flip.after == flip.before && chosen(flip.after, selection.plan) != flip.example) flip.after = "ANOTHER_PLAN";
  } else {
    flip.after = policy::OptrCodeName(policy::OptrCode::kNoAdmissiblePlan);
  }
  plans_.erase(plans);
  impact_.AddDecided(std::move(flip));
  return {};
}

}  // namespace proofgate::agent
