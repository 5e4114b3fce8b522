#include "policy/explain.h"

#include <fmt/format.h>

#include <algorithm>

namespace proofgate::policy {
namespace {

std::string OnWhatTerms(const Rule& rule) {
  std::string out = fmt::format("at most {} s and {} uses a receipt", rule.limits.ttl_ns / 1'000'000'000, rule.limits.uses);
  json::Object terms;
  AddTerms(rule.terms, terms);
  for (const auto& [name, value] : terms) out += fmt::format("; {}: {}", name, json::Encode(value));
  if (const std::string bound = DescribeBinding(rule.binding); !bound.empty()) out += "; " + bound;
  return out;
}

}  // namespace

Explanation Explain(const Canon& canon, Kind kind, const Object& object) {
  Explanation out;
  bool is_forbidden = false, is_standing = false, is_permitted = false, restricts_read = false;
  std::vector<Statement> near;
  for (const Rule& rule : canon.rules) {
    restricts_read |= rule.kind == Kind::kRead;
    if (rule.kind != kind || rule.effect != Effect::kForbid) continue;
    for (const Object& named : rule.objects)
      if (Overlaps(named, object)) {
        is_forbidden = true;
        out.statements.push_back({rule.id, "forbids", Describe(named)});
        break;
      }
  }
  for (const Standing& standing : canon.standing) {
    restricts_read |= standing.kind == Kind::kRead;
    if (standing.kind != kind) continue;
    for (const Object& named : standing.objects) {
      const std::string name = object.path.substr(object.path.rfind('/') + 1);
      const bool is_left_out = named.form == Form::kDir && object.form == Form::kFile &&
                               std::find(standing.except.begin(), standing.except.end(), name) != standing.except.end();
      if (Contains(named, object) && is_left_out) {
        near.push_back({standing.id, "comes near", Describe(named) + ", but '" + name + "' is left out by name"});
      } else if (Contains(named, object)) {
        is_standing = true;
        out.statements.push_back({standing.id, "grants while attached", Describe(named)});
        break;
      } else if (Overlaps(named, object)) {
        near.push_back({standing.id, "comes near", Describe(named) + " is a part of it"});
      }
    }
  }
  for (const Rule& rule : canon.rules) {
    if (rule.kind != kind || rule.effect != Effect::kPermit) continue;
    for (const Object& named : rule.objects) {
      if (Contains(named, object)) {
        is_permitted = true;
        out.statements.push_back({rule.id, "permits under a receipt", Describe(named) + "; " + OnWhatTerms(rule)});
        break;
      }
      if (Overlaps(named, object)) near.push_back({rule.id, "comes near", Describe(named) + " is a part of it"});
    }
  }
  if (kind == Kind::kRead && !restricts_read && !is_forbidden) {
    is_standing = true;
    out.statements.push_back({"-", "leaves free", "the canon says nothing about reading"});
  }
  out.statements.insert(out.statements.end(), near.begin(), near.end());
  out.verdict = is_forbidden   ? Verdict::kForbidden
                : is_standing  ? Verdict::kStanding
                : is_permitted ? Verdict::kPermitted
                               : Verdict::kNotPermitted;
  return out;
}

std::string RenderExplanation(const Explanation& explanation, const std::string& domain, Kind kind,
                              const Object& object) {
  std::string out = fmt::format("domain {}: {} {}: {}\n", domain, KindName(kind), Describe(object),
                                VerdictName(explanation.verdict));
  for (const Statement& one : explanation.statements)
    out += fmt::format("  {} {}: {}\n", one.id, one.says, EscapeForPeople(one.text));
  if (explanation.statements.empty()) out += "  no rule speaks about it\n";
  return out;
}

json::Value ExplanationJson(const Explanation& explanation) {
  json::Array statements;
  for (const Statement& one : explanation.statements)
    statements.push_back(json::Object{{"id", one.id}, {"says", one.says}, {"text", json::Bytes(one.text)}});
  return json::Object{{"verdict", VerdictName(explanation.verdict)}, {"statements", std::move(statements)}};
}

}  // namespace proofgate::policy
