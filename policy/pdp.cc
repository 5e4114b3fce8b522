#include "policy/pdp.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/own.h"

namespace proofgate::policy {
namespace {

Decision Refuse(DecisionCode code, std::vector<std::string> rules, std::string reason) {
  Decision decision;
  decision.code = code;
  decision.rules = std::move(rules);
  decision.reason = std::move(reason);
  return decision;
}

}  // namespace

std::string_view DecisionCodeName(DecisionCode code) {
  switch (code) {
    case DecisionCode::kPermitted: return "PERMITTED";
    case DecisionCode::kForbidden: return "FORBIDDEN";
    case DecisionCode::kNotPermitted: return "NOT_PERMITTED";
    case DecisionCode::kNoSuchRule: return "NO_SUCH_RULE";
    case DecisionCode::kNotAPermit: return "NOT_A_PERMIT";
    case DecisionCode::kLimitExceeded: return "LIMIT_EXCEEDED";
    case DecisionCode::kInvalidRequest: return "INVALID_REQUEST";
    case DecisionCode::kOwn: return "OWN";
    case DecisionCode::kNeedsSession: return "NEEDS_SESSION";
  }
  return "INVALID_REQUEST";
}

Decision Decide(const Canon& canon, const Request& request) {
  const Rule* const rule = canon.FindRule(request.rule);
  return Decide(canon, Forbids(canon, rule == nullptr ? Kind::kExec : rule->kind), request);
}

Decision Decide(const Canon& canon, const Forbids& forbids, const Request& request) {
  const Rule* const rule = canon.FindRule(request.rule);
  if (rule == nullptr)
    return Refuse(DecisionCode::kNoSuchRule, {},
                  fmt::format("domain '{}' has no rule '{}'", canon.domain,
                              EscapeForPeople(request.rule)));
  if (rule->effect != Effect::kPermit)
    return Refuse(DecisionCode::kNotAPermit, {rule->id},
                  fmt::format("rule '{}' forbids; a receipt needs a rule that permits", rule->id));
  if (HasTerms(rule->terms) && !request.from_session)
    return Refuse(DecisionCode::kNeedsSession, {rule->id},
                  fmt::format("rule '{}' has terms (approvals, leases, budgets, …) that only a session's plan can meet", rule->id));
  const std::uint64_t ttl_ns = request.ttl_ns.value_or(rule->limits.ttl_ns);
  const std::uint64_t uses = request.uses.value_or(rule->limits.uses);
  if (ttl_ns == 0 || uses == 0)
    return Refuse(DecisionCode::kInvalidRequest, {rule->id}, "a receipt needs time and at least one use");
  if (ttl_ns > rule->limits.ttl_ns)
    return Refuse(DecisionCode::kLimitExceeded, {rule->id},
                  fmt::format("rule '{}' allows at most {} s", rule->id,
                              rule->limits.ttl_ns / 1'000'000'000));
  if (uses > rule->limits.uses)
    return Refuse(DecisionCode::kLimitExceeded, {rule->id},
                  fmt::format("rule '{}' allows at most {} uses", rule->id, rule->limits.uses));
  std::vector<Object> objects = rule->objects;
  if (request.object) {
    if (HasPath(request.object->form) && !IsCleanPath(request.object->path))
      return Refuse(DecisionCode::kInvalidRequest, {rule->id}, "the object is not a clean absolute path");
    objects = {*request.object};
  }
  // Also without an object of the request's own: the check of the canon compared
  // paths as written, and these are real ones, which a link may have led astray.
  std::optional<Forbids::Hit> first;
  for (const Object& object : objects)
    for (const Forbids::Hit& hit : forbids.Overlapping(rule->kind, object))
      if (!first || hit.rule < first->rule || (hit.rule == first->rule && hit.object < first->object)) first = hit;
  if (first)
    return Refuse(DecisionCode::kForbidden, {first->rule->id},
                  fmt::format("rule '{}' forbids {} to {}", first->rule->id, KindName(rule->kind), Describe(*first->object)));
  for (const Object& object : objects)
    if (const Object* const own = FindOwn(rule->kind, object))
      return Refuse(DecisionCode::kOwn, {rule->id},
                    fmt::format("{} holds or lies in {}, which is Proofgate's own: no receipt covers it",
                                Describe(object), Describe(*own)));
  if (request.object) {
    const bool inside = std::any_of(
        rule->objects.begin(), rule->objects.end(),
        [&](const Object& permitted) { return Contains(permitted, *request.object); });
    if (!inside)
      return Refuse(DecisionCode::kNotPermitted, {rule->id},
                    fmt::format("{} lies outside what rule '{}' permits",
                                Describe(*request.object), rule->id));
  }
  if (IsBound(request.binding) && rule->kind != Kind::kExec)
    return Refuse(DecisionCode::kInvalidRequest, {rule->id},
                  fmt::format("arguments, environment and content are bound for exec, not for {}", KindName(rule->kind)));
  auto binding = Narrowed(rule->binding, request.binding);
  if (!binding && binding.error().code == Code::kDenied)
    return Refuse(DecisionCode::kNotPermitted, {rule->id},
                  fmt::format("{}: outside what rule '{}' binds", binding.error().message, rule->id));
  if (!binding) return Refuse(DecisionCode::kInvalidRequest, {rule->id}, binding.error().message);
  Decision decision;
  decision.code = DecisionCode::kPermitted;
  decision.reason = fmt::format("permitted by rule '{}'", rule->id);
  decision.rules = {rule->id};
  decision.kind = rule->kind;
  decision.objects = std::move(objects);
  decision.ttl_ns = ttl_ns;
  decision.uses = uses;
  decision.binding = std::move(*binding);
  return decision;
}

Nearness FindRules(const Canon& canon, Kind kind, const Object& object) {
  Nearness near;
  for (const Rule& rule : canon.rules) {
    if (rule.kind != kind) continue;
    const bool speaks =
        std::any_of(rule.objects.begin(), rule.objects.end(), [&](const Object& named) {
          return rule.effect == Effect::kForbid ? Overlaps(named, object) : Contains(named, object);
        });
    if (speaks) (rule.effect == Effect::kForbid ? near.forbids : near.permits).push_back(rule.id);
  }
  return near;
}

}  // namespace proofgate::policy
