#include "policy/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/terms.h"

namespace proofgate::policy {
namespace {

constexpr std::uint64_t kMaxTtlNs = 24ull * 3600 * 1'000'000'000;
constexpr std::uint64_t kMaxUses = 1'000'000'000;

tl::unexpected<Error> Wrong(const std::string& path, const std::string& what) {
  return Fail(Code::kInvalid, path + ": " + what);
}

Status OnlyKeys(const json::Value& value, const std::string& path,
                std::initializer_list<std::string_view> known) {
  if (!value.is_object()) return Wrong(path, "an object expected");
  for (const auto& [key, member] : value.object())
    if (std::find(known.begin(), known.end(), key) == known.end())
      return Wrong(path + "." + EscapeForPeople(key),
                   fmt::format("unknown, one of {} expected", fmt::join(known, ", ")));
  return {};
}

Result<std::optional<std::uint64_t>> ReadCount(const json::Value& from, const std::string& path,
                                               const char* key, std::uint64_t low,
                                               std::uint64_t high) {
  if (from.Find(key) == nullptr) return std::optional<std::uint64_t>();
  const auto value = json::GetInteger(from, key);
  if (!value || *value < low || *value > high)
    return Wrong(path + "." + key, fmt::format("a whole number from {} to {} expected", low, high));
  return std::optional<std::uint64_t>(*value);
}

Result<std::string> ReadName(const json::Value& from, const std::string& path, const char* key) {
  if (from.Find(key) == nullptr) return std::string();
  const auto text = json::GetString(from, key);
  const bool ok = text && !text->empty() && text->size() <= 64 &&
                  std::all_of(text->begin(), text->end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
  if (!ok) return Wrong(path + "." + key, "1 to 64 printable ASCII characters expected");
  return *text;
}

Result<const json::Array*> ReadList(const json::Value& from, const std::string& path,
                                    const char* key, std::size_t most) {
  const json::Value* const list = from.Find(key);
  if (list == nullptr || !list->is_array() || list->array().empty() || list->array().size() > most)
    return Wrong(path.empty() ? key : path + "." + key, fmt::format("a list of 1 to {} expected", most));
  return &list->array();
}

// Strings of ParseLenient are UTF-8; in the canonical form such a path is {"b64":…}.
Result<Object> ReadObject(const json::Value& from, const std::string& path) {
  const json::Value* const value = from.Find("object");
  if (value == nullptr || !value->is_object()) return Wrong(path + ".object", "an object expected");
  json::Object canonical;
  for (const auto& [key, member] : value->object())
    canonical[key] = member.is_string() ? json::Bytes(member.string()) : member;
  auto object = ParseObjectJson(canonical);
  if (!object) return Wrong(path + ".object", object.error().message);
  return *object;
}

Result<Action> ReadAction(const json::Value& value, const std::string& path) {
  TRY(OnlyKeys(value, path, {"kind", "object", "rule", "exe", "argv", "env", "content", "ttl_ns", "uses", "worse"}));
  Action action;
  const auto kind_name = json::GetString(value, "kind");
  auto kind = kind_name ? ParseKind(*kind_name) : Result<Kind>(Fail(Code::kInvalid, ""));
  if (!kind) return Wrong(path + ".kind", "the kind of an act expected, as in \"write\"");
  action.kind = *kind;
  action.object = TRY(ReadObject(value, path));
  action.rule = TRY(ReadName(value, path, "rule"));
  if (value.Find("exe") != nullptr) {
    const auto exe = json::GetBytes(value, "exe");
    if (!exe || !IsCleanPath(*exe)) return Wrong(path + ".exe", "a clean absolute path expected");
    action.exe = *exe;
  }
  action.ttl_ns = TRY(ReadCount(value, path, "ttl_ns", 1, kMaxTtlNs));
  action.uses = TRY(ReadCount(value, path, "uses", 1, kMaxUses));
  if (const json::Value* const worse = value.Find("worse")) {
    const std::string at = path + ".worse";
    TRY(OnlyKeys(*worse, at, {"ttv_us", "cost", "risk_ppm", "irreversibility", "success_ppm"}));
    if (worse->object().empty()) return Wrong(at, "at least one estimate expected");
    action.worse.ttv_us = TRY(ReadCount(*worse, at, "ttv_us", 0, kMaxFigure));
    action.worse.cost = TRY(ReadCount(*worse, at, "cost", 0, kMaxFigure));
    action.worse.risk_ppm = TRY(ReadCount(*worse, at, "risk_ppm", 0, kMillion));
    action.worse.irreversibility = TRY(ReadCount(*worse, at, "irreversibility", 0, kMaxFigure));
    action.worse.success_ppm = TRY(ReadCount(*worse, at, "success_ppm", 1, kMillion));
  }
  const auto binding = ReadBinding(value);
  if (!binding) return Wrong(path, binding.error().message);
  action.binding = *binding;
  if (IsBound(action.binding) && action.kind != Kind::kExec)
    return Wrong(path, "argv, env and content for kind exec only expected");
  action.digest = Sha256(json::Encode(ActionJson(action)));
  return action;
}

json::Value StepsJson(const std::vector<Step>& steps) {
  json::Array out;
  for (const Step& step : steps) {
    json::Array any;
    for (const Action& action : step.any) any.push_back(ActionJson(action));
    out.emplace_back(json::Object{{"any", std::move(any)}});
  }
  return out;
}

template <class T>
void SortOut(std::vector<T>& items) {
  std::stable_sort(items.begin(), items.end(),
                   [](const T& a, const T& b) { return a.digest < b.digest; });
  items.erase(std::unique(items.begin(), items.end(),
                          [](const T& a, const T& b) { return a.digest == b.digest; }),
              items.end());
}

}  // namespace

json::Value ActionJson(const Action& action) {
  json::Object out{{"kind", KindName(action.kind)}, {"object", ObjectJson(action.object)}};
  if (!action.rule.empty()) out["rule"] = action.rule;
  if (!action.exe.empty()) out["exe"] = json::Bytes(action.exe);
  AddBinding(action.binding, out);
  if (action.ttl_ns) out["ttl_ns"] = json::Integer(*action.ttl_ns);
  if (action.uses) out["uses"] = json::Integer(*action.uses);
  if (action.worse != Worse{}) {
    json::Object worse;
    const auto add = [&](const char* key, const std::optional<std::uint64_t>& value) {
      if (value) worse[key] = json::Integer(*value);
    };
    add("ttv_us", action.worse.ttv_us);
    add("cost", action.worse.cost);
    add("risk_ppm", action.worse.risk_ppm);
    add("irreversibility", action.worse.irreversibility);
    add("success_ppm", action.worse.success_ppm);
    out["worse"] = std::move(worse);
  }
  return out;
}

json::Value PlansJson(const Plans& plans) {
  json::Array out;
  for (const Plan& plan : plans.plans) {
    json::Object one{{"steps", StepsJson(plan.steps)}};
    if (!plan.name.empty()) one["name"] = plan.name;
    out.emplace_back(std::move(one));
  }
  return json::Object{{"format", 1}, {"plans", std::move(out)}};
}

Result<Plans> ParsePlansJson(const json::Value& value) {
  TRY(OnlyKeys(value, "plan file", {"format", "plans"}));
  if (json::GetInteger(value, "format").value_or(0) != 1) return Wrong("format", "1 expected");
  Plans plans;
  const json::Array& list = *TRY(ReadList(value, "", "plans", kMaxPlans));
  for (std::size_t p = 0; p < list.size(); ++p) {
    const std::string path = fmt::format("plans[{}]", p);
    TRY(OnlyKeys(list[p], path, {"name", "steps"}));
    Plan plan;
    plan.name = TRY(ReadName(list[p], path, "name"));
    const json::Array& steps = *TRY(ReadList(list[p], path, "steps", kMaxSteps));
    for (std::size_t s = 0; s < steps.size(); ++s) {
      const std::string at = fmt::format("{}.steps[{}]", path, s);
      TRY(OnlyKeys(steps[s], at, {"any"}));
      const json::Array& any = *TRY(ReadList(steps[s], at, "any", kMaxAlternatives));
      Step step;
      for (std::size_t a = 0; a < any.size(); ++a)
        step.any.push_back(TRY(ReadAction(any[a], fmt::format("{}.any[{}]", at, a))));
      SortOut(step.any);
      plan.steps.push_back(std::move(step));
    }
    plan.digest = Sha256(json::Encode(StepsJson(plan.steps)));
    plans.plans.push_back(std::move(plan));
  }
  // Of equal plans the label that sorts first stays, whichever came first.
  std::sort(plans.plans.begin(), plans.plans.end(),
            [](const Plan& a, const Plan& b) { return a.name < b.name; });
  SortOut(plans.plans);
  if (json::Encode(PlansJson(plans)).size() > kMaxPlansEncoded)
    return Wrong("plans", fmt::format("at most {} bytes in canonical form expected", kMaxPlansEncoded));
  return plans;
}

Result<Plans> ParsePlans(std::string_view text) {
  if (text.size() > kMaxPlansBytes)
    return Wrong("plan file", fmt::format("at most {} bytes expected", kMaxPlansBytes));
  const auto value = json::ParseLenient(text);
  if (!value) return Wrong("plan file", value.error().message);
  return ParsePlansJson(*value);
}

}  // namespace proofgate::policy
