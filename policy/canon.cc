#include "policy/canon.h"

#include <algorithm>

namespace proofgate::policy {
namespace {

Result<std::vector<Object>> ParseObjects(const json::Value& from) {
  const json::Value* const list = from.Find("objects");
  if (list == nullptr || !list->is_array()) return Fail(Code::kInvalid, "canon: objects expected");
  std::vector<Object> objects;
  for (const json::Value& object : list->array()) objects.push_back(TRY(ParseObjectJson(object)));
  return objects;
}

Result<json::Array> GetArray(const json::Value& from, std::string_view key) {
  const json::Value* const list = from.Find(key);
  if (list == nullptr || !list->is_array())
    return Fail(Code::kInvalid, "canon: " + std::string(key) + " expected");
  return list->array();
}

}  // namespace

const Rule* Canon::FindRule(std::string_view id) const {
  // They are in order of id, but for those that a test has made by hand.
  const auto at = std::lower_bound(rules.begin(), rules.end(), id, [](const Rule& rule, std::string_view wanted) { return rule.id < wanted; });
  if (at != rules.end() && at->id == id) return &*at;
  for (const Rule& rule : rules)
    if (rule.id == id) return &rule;
  return nullptr;
}

bool NamesKind(const Canon& canon, Kind kind) {
  const auto names = [kind](const auto& grant) { return grant.kind == kind; };
  return std::any_of(canon.standing.begin(), canon.standing.end(), names) ||
         std::any_of(canon.rules.begin(), canon.rules.end(), names);
}

json::Value CanonJson(const Canon& canon) {
  const auto objects = [](const std::vector<Object>& from) {
    json::Array out;
    for (const Object& object : from) out.push_back(ObjectJson(object));
    return json::Value(std::move(out));
  };
  json::Object out{{"format", 1},
                   {"tenant", canon.tenant},
                   {"domain", canon.domain},
                   {"mode", canon.mode == Mode::kEnforce ? "enforce" : "observe"}};
  if (!canon.attach.empty()) out["attach"] = json::Bytes(canon.attach);
  json::Array standing;
  for (const Standing& grant : canon.standing) {
    json::Array except;
    for (const std::string& name : grant.except) except.emplace_back(json::Bytes(name));
    standing.emplace_back(json::Object{{"id", grant.id},
                                       {"kind", KindName(grant.kind)},
                                       {"objects", objects(grant.objects)},
                                       {"except", json::Value(std::move(except))}});
  }
  out["standing"] = std::move(standing);
  json::Array rules;
  for (const Rule& rule : canon.rules) {
    json::Object one{{"id", rule.id},
                     {"effect", rule.effect == Effect::kPermit ? "permit" : "forbid"},
                     {"kind", KindName(rule.kind)},
                     {"objects", objects(rule.objects)}};
    if (rule.effect == Effect::kPermit) {
      one["ttl_ns"] = json::Integer(rule.limits.ttl_ns);
      one["uses"] = json::Integer(rule.limits.uses);
      AddTerms(rule.terms, one);
      AddBinding(rule.binding, one);
    }
    rules.emplace_back(std::move(one));
  }
  out["rules"] = std::move(rules);
  AddTerms(canon.terms, out);
  return out;
}

Result<Canon> ParseCanonJson(const json::Value& value) {
  if (TRY(json::GetInteger(value, "format")) != 1)
    return Fail(Code::kUnsupported, "canon: format 1 expected");
  Canon canon;
  canon.tenant = TRY(json::GetString(value, "tenant"));
  canon.domain = TRY(json::GetString(value, "domain"));
  canon.mode = TRY(json::GetString(value, "mode")) == "enforce" ? Mode::kEnforce : Mode::kObserve;
  if (value.Find("attach") != nullptr) canon.attach = TRY(json::GetBytes(value, "attach"));
  for (const json::Value& item : TRY(GetArray(value, "standing"))) {
    Standing standing;
    standing.id = TRY(json::GetString(item, "id"));
    standing.kind = TRY(ParseKind(TRY(json::GetString(item, "kind"))));
    standing.objects = TRY(ParseObjects(item));
    for (const json::Value& name : TRY(GetArray(item, "except"))) {
      const json::Value wrapped(json::Object{{"name", name}});
      standing.except.push_back(TRY(json::GetBytes(wrapped, "name")));
    }
    canon.standing.push_back(std::move(standing));
  }
  for (const json::Value& item : TRY(GetArray(value, "rules"))) {
    Rule rule;
    rule.id = TRY(json::GetString(item, "id"));
    rule.effect = TRY(json::GetString(item, "effect")) == "permit" ? Effect::kPermit : Effect::kForbid;
    rule.kind = TRY(ParseKind(TRY(json::GetString(item, "kind"))));
    rule.objects = TRY(ParseObjects(item));
    if (rule.effect == Effect::kPermit) {
      rule.limits = {TRY(json::GetInteger(item, "ttl_ns")), TRY(json::GetInteger(item, "uses"))};
      TRY(ReadTerms(item, rule.terms));
      rule.binding = TRY(ReadBinding(item));
      if (IsBound(rule.binding) && rule.kind != Kind::kExec) return Fail(Code::kInvalid, "canon: bindings are for exec");
    }
    canon.rules.push_back(std::move(rule));
  }
  TRY(ReadTerms(value, canon.terms));
  // Anything not read above makes the models differ.
  if (CanonJson(canon) != value) return Fail(Code::kInvalid, "canon: unknown members");
  return canon;
}

}  // namespace proofgate::policy
