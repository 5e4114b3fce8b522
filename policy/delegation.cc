#include "policy/delegation.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "policy/diff.h"

namespace proofgate::policy {
namespace {

std::uint64_t Add(std::uint64_t a, std::uint64_t b) { return a > ~b ? ~std::uint64_t{0} : a + b; }
std::uint64_t Less(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

const Right* RightOf(const std::vector<Right>& rights, std::string_view rule) {
  const auto at = std::find_if(rights.begin(), rights.end(), [rule](const Right& right) { return right.rule == rule; });
  return at == rights.end() ? nullptr : &*at;
}

// The forbids and standing grants, and of the permits those that `rights` name.
Canon OnlyNamed(const Canon& canon, const std::vector<Right>& rights) {
  Canon only = canon;
  std::erase_if(only.rules, [&](const Rule& rule) {
    return rule.effect == Effect::kPermit && RightOf(rights, rule.id) == nullptr;
  });
  return only;
}

Canon Attenuate(const Canon& canon, const std::vector<Right>& rights) {
  Canon child = OnlyNamed(canon, rights);
  for (Rule& rule : child.rules) {
    const Right* const right = rule.effect == Effect::kPermit ? RightOf(rights, rule.id) : nullptr;
    if (right == nullptr) continue;
    if (!right->objects.empty()) {
      rule.objects = right->objects;
      rule.object_where.assign(rule.objects.size(), rule.where);
    }
    rule.limits.ttl_ns = right->ttl_ns.value_or(rule.limits.ttl_ns);
    rule.limits.uses = right->uses.value_or(rule.limits.uses);
  }
  return child;
}

// What its children have taken of a session's bounds: all that an open one may
// take, and of an ended one what it took.
Taken TakenByChildren(const Book& book, const Session& parent) {
  Taken sum;
  for (const auto& [id, child] : book.sessions()) {
    if (child.parent != parent.id) continue;
    if (!HasEnded(child.state)) {
      sum.cost = Add(sum.cost, child.max_cost.value_or(0));
      sum.uses = Add(sum.uses, child.max_uses.value_or(0));
      continue;
    }
    for (const SessionStep& step : child.steps) {
      const Taken taken = TakenBy(child, step);
      sum.cost = Add(sum.cost, taken.cost);
      sum.uses = Add(sum.uses, taken.uses);
    }
  }
  return sum;
}

Taken TakenByItself(const Session& session) {
  Taken sum;
  for (const SessionStep& step : session.steps) {
    const Taken taken = TakenBy(session, step);
    sum.cost = Add(sum.cost, taken.cost);
    sum.uses = Add(sum.uses, taken.uses);
  }
  return sum;
}

// What a session may cost in all: one plan, when nothing narrower was said.
std::uint64_t CostBound(const Session& session, const Canon& canon) {
  const std::uint64_t by_canon = canon.terms.optr ? canon.terms.optr->max_cost : 0;
  return std::min(session.max_cost.value_or(by_canon), by_canon);
}

}  // namespace

std::string_view DelegationCodeName(DelegationCode code) {
  switch (code) {
    case DelegationCode::kOk: return "OK";
    case DelegationCode::kParentEnded: return "DELEGATION_PARENT_ENDED";
    case DelegationCode::kTooDeep: return "DELEGATION_TOO_DEEP";
    case DelegationCode::kDeadline: return "DELEGATION_DEADLINE";
    case DelegationCode::kNoSuchRight: return "DELEGATION_NO_SUCH_RIGHT";
    case DelegationCode::kWider: return "DELEGATION_WIDER";
    case DelegationCode::kUndecided: return "DELEGATION_UNDECIDED";
    case DelegationCode::kBudget: return "DELEGATION_BUDGET";
  }
  return "DELEGATION_WIDER";
}

Result<std::vector<Right>> ReadRights(const json::Value& list) {
  if (!list.is_array() || list.array().empty() || list.array().size() > kMaxRights)
    return Fail(Code::kInvalid, fmt::format("rights: a list of 1 to {} expected", kMaxRights));
  std::vector<Right> rights;
  for (std::size_t i = 0; i < list.array().size(); ++i) {
    const json::Value& item = list.array()[i];
    const auto wrong = [i](const std::string& what) { return Fail(Code::kInvalid, fmt::format("rights[{}]: {}", i, what)); };
    if (!item.is_object()) return wrong("an object expected");
    for (const auto& [key, value] : item.object())
      if (key != "rule" && key != "objects" && key != "ttl_ns" && key != "uses")
        return wrong("unknown member " + EscapeForPeople(key) + "; rule, objects, ttl_ns and uses expected");
    Right right;
    auto rule = json::GetString(item, "rule");
    if (!rule) return wrong(rule.error().message);
    right.rule = std::move(*rule);
    if (const json::Value* const objects = item.Find("objects")) {
      if (!objects->is_array() || objects->array().empty() || objects->array().size() > kMaxRightObjects)
        return wrong(fmt::format("objects: a list of 1 to {} expected", kMaxRightObjects));
      for (const json::Value& value : objects->array()) {
        auto object = ParseObjectJson(value);
        if (!object) return wrong("objects: " + object.error().message);
        right.objects.push_back(std::move(*object));
      }
    }
    for (const auto& [key, to] : {std::pair("ttl_ns", &right.ttl_ns), std::pair("uses", &right.uses)}) {
      if (item.Find(key) == nullptr) continue;
      const auto number = json::GetInteger(item, key);
      if (!number || *number == 0) return wrong(std::string(key) + ": a whole number from 1 expected");
      *to = *number;
    }
    if (RightOf(rights, right.rule) != nullptr) return wrong("rule '" + EscapeForPeople(right.rule) + "' is named twice");
    rights.push_back(std::move(right));
  }
  std::sort(rights.begin(), rights.end(), [](const Right& a, const Right& b) { return a.rule < b.rule; });
  return rights;
}

json::Value RightsJson(const std::vector<Right>& rights) {
  json::Array list;
  for (const Right& right : rights) {
    json::Object one{{"rule", json::Bytes(right.rule)}};
    json::Array objects;
    for (const Object& object : right.objects) objects.push_back(ObjectJson(object));
    if (!objects.empty()) one["objects"] = std::move(objects);
    if (right.ttl_ns) one["ttl_ns"] = json::Integer(*right.ttl_ns);
    if (right.uses) one["uses"] = json::Integer(*right.uses);
    list.emplace_back(std::move(one));
  }
  return list;
}

DelegationDecision DecideDelegation(const Book& book, const Canon& canon, const Session& parent,
                                    const Delegation& delegation,
                                    const std::map<std::string, std::string>& aliases, std::uint64_t now_ms) {
  using Is = SubsetAnswer::Is;
  const auto refuse = [](DelegationCode code, std::string reason) { return DelegationDecision{code, std::move(reason)}; };
  if (HasEnded(parent.state) || now_ms >= parent.deadline_ms)
    return refuse(DelegationCode::kParentEnded, fmt::format("session {} has ended", parent.id));
  if (!parent.parent.empty())
    return refuse(DelegationCode::kTooDeep, fmt::format("session {} acts with delegated rights, which it cannot pass on", parent.id));
  if (delegation.deadline_ms <= now_ms || delegation.deadline_ms > parent.deadline_ms)
    return refuse(DelegationCode::kDeadline, "the child's deadline is not within the session's");
  for (const Right& right : delegation.rights) {
    const Rule* const rule = canon.FindRule(right.rule);
    if (rule == nullptr || rule->effect != Effect::kPermit)
      return refuse(DelegationCode::kNoSuchRight,
                    fmt::format("domain '{}' has no permit '{}'", canon.domain, EscapeForPeople(right.rule)));
  }
  const Canon real = WithAliases(canon, aliases);
  const SubsetAnswer subset = IsSubset({Attenuate(real, delegation.rights)}, {OnlyNamed(real, delegation.rights)});
  if (subset.is == Is::kNo) return refuse(DelegationCode::kWider, "it could do more than its parent: " + subset.because);
  if (subset.is == Is::kUndecided)
    return refuse(DelegationCode::kUndecided, "whether it could do more than its parent is undecided: " + subset.because);
  const Taken own = TakenByItself(parent);
  const Taken children = TakenByChildren(book, parent);
  const std::uint64_t cost = Less(CostBound(parent, canon), Add(own.cost, children.cost));
  if (delegation.max_cost > cost)
    return refuse(DelegationCode::kBudget, fmt::format("it may cost {}, session {} has {} left", delegation.max_cost, parent.id, cost));
  if (parent.max_uses) {
    const std::uint64_t uses = Less(*parent.max_uses, Add(own.uses, children.uses));
    if (delegation.max_uses > uses)
      return refuse(DelegationCode::kBudget, fmt::format("it may take {} uses, session {} has {} left", delegation.max_uses, parent.id, uses));
  }
  return {DelegationCode::kOk, ""};
}

std::optional<Canon> NarrowedCanon(const Book& book, const Session& session, const Canon& canon,
                                   std::string_view canon_digest) {
  const std::uint64_t by_children = TakenByChildren(book, session).cost;
  const bool is_child = !session.parent.empty();
  if (!is_child && !session.max_cost && by_children == 0) return std::nullopt;
  Canon narrowed = !is_child                              ? canon
                   : session.rights_canon == canon_digest ? Attenuate(canon, session.rights)
                                                          : OnlyNamed(canon, {});
  if (narrowed.terms.optr) narrowed.terms.optr->max_cost = Less(CostBound(session, canon), by_children);
  return narrowed;
}

StepDecision DecideStepOf(const Book& book, const Canon& canon, std::string_view canon_digest,
                          const Session& session, std::uint64_t now_ms) {
  StepDecision decision = DecideStep(canon, canon_digest, session, now_ms);
  if (decision.code != StepCode::kOk) return decision;
  if (!session.parent.empty()) {
    const Session* const parent = book.Find(session.parent);
    if (parent == nullptr || HasEnded(parent->state) || now_ms >= parent->deadline_ms)
      return {StepCode::kParentEnded, decision.step, fmt::format("session {}, whose rights these are, has ended", session.parent)};
  }
  if (!session.max_uses) return decision;
  std::uint64_t uses = Add(TakenByChildren(book, session).uses, session.steps[decision.step].figures.uses);
  for (const SessionStep& step : session.steps)
    if (step.state != StepState::kWaiting) uses = Add(uses, TakenBy(session, step).uses);
  if (uses > *session.max_uses)
    return {StepCode::kSessionBudgetSpent, decision.step,
            fmt::format("it would have been granted {} uses, of {} at most", uses, *session.max_uses)};
  return decision;
}

}  // namespace proofgate::policy
