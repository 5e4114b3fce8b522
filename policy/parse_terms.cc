#include "policy/parse_terms.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/signature.h"
#include "policy/grammar.h"

namespace proofgate::policy {
namespace {

using yaml::ForEach;
using yaml::Node;

constexpr std::uint64_t kApprovalNs = 3600ull * 1'000'000'000;

std::uint64_t DurationOf(Node& map, std::string_view key) {
  return ParseDuration(map.TextOf(key)).value_or(0);
}

// Without its comment; CheckTerms complains about what is no key.
std::string KeyText(const std::string& text) {
  const auto key = ParseOpenSshPublicKey(text);
  return key ? key->OpenSsh() : text;
}

Interval IntervalOf(Node& map, std::string_view key) {
  Node* const node = map.Get(key);
  if (node == nullptr) return {};
  if (node->type == Node::Type::kScalar) return {map.CountOf(key), map.CountOf(key)};
  return {std::stoull(node->items[0]->text), std::stoull(node->items[1]->text)};
}

void BuildEstimate(Node& item, DomainTerms& terms, const yaml::Complain& complain,
                   const BuildObject& build_object) {
  const std::string word = item.TextOf("for");
  const auto kind = ParseKind(word);
  if (!kind) return;
  EstimateRow row;
  row.where = item.where;
  row.kind = *kind;
  row.rule = item.TextOf("rule");
  const std::string_view selector = SelectorOf(row.kind);
  for (const std::string_view name : kSelectors) {
    Node* const objects = item.Get(name);
    if (objects == nullptr) continue;
    if (name != selector) {
      complain(objects->where, fmt::format("'{}' is not for {}", name, word),
               fmt::format("'{}'", selector), "misplaced-key");
      continue;
    }
    Validate(*objects, ObjectsType(row.kind), selector, complain);
    if (objects->type == Node::Type::kList)
      ForEach(objects, [&](Node& object) { build_object(object, row.kind, row.objects); });
  }
  row.ttv_us = IntervalOf(item, "ttv_us");
  row.cost = IntervalOf(item, "cost");
  row.risk_ppm = IntervalOf(item, "risk_ppm");
  row.irreversibility = IntervalOf(item, "irreversibility");
  row.success_ppm = IntervalOf(item, "success_ppm");
  terms.estimates.push_back(std::move(row));
}

}  // namespace

void BuildRuleTerms(Node& rule, RuleTerms& terms, const yaml::Complain& complain) {
  ForEach(rule.Get("approvals"), [&](Node& item) {
    const std::uint64_t ttl = DurationOf(item, "ttl");
    terms.approvals.push_back({item.CountOf("count"), item.TextOf("role"), ttl == 0 ? kApprovalNs : ttl});
  });
  ForEach(rule.Get("lease"), [&](Node& item) {
    Lease lease;
    lease.resource = item.TextOf("resource");
    const std::string mode = item.TextOf(lease.resource.empty() ? "objects" : "mode");
    if (mode.empty())
      complain(item.where, "lease has no mode", "{ resource: NAME, mode: exclusive }", "missing-key");
    if (mode == "shared") lease.mode = LeaseMode::kShared;
    terms.leases.push_back(std::move(lease));
  });
  terms.budget = rule.TextOf("budget");
  if (Node* rate = rule.Get("rate")) terms.rate = Rate{rate->CountOf("uses"), DurationOf(*rate, "per")};
  if (Node* duties = rule.Get("duties")) {
    terms.duties = Duties{{}, DurationOf(*duties, "window")};
    ForEach(duties->Get("apart_from"), [&](Node& item) { terms.duties->apart_from.push_back(item.text); });
  }
  ForEach(rule.Get("needs"), [&](Node& item) {
    Need need{item.TextOf("field"), item.TextOf("by"), 0, kMaxFigure};
    const std::string is = item.TextOf("is");
    const bool has_range = item.Get("min") != nullptr || item.Get("max") != nullptr;
    if (!is.empty() && has_range)
      complain(item.where, "needs says both 'is' and a range", "is, or min and max", "choice");
    if (!is.empty()) need.min = need.max = is == "true" ? 1 : 0;
    if (item.Get("min") != nullptr) need.min = item.CountOf("min");
    if (item.Get("max") != nullptr) need.max = item.CountOf("max");
    terms.needs.push_back(std::move(need));
  });
}

void BuildDomainTerms(Node& root, DomainTerms& terms, const yaml::Complain& complain,
                      const BuildObject& build_object) {
  if (Node* optr = root.Get("optr")) {
    terms.optr = OptrTerms{};
    ForEach(optr->Get("order"), [&](Node& item) {
      const auto goal = ParseGoal(item.text);
      if (!goal) return;
      auto& goals = terms.optr->order;
      if (std::find(goals.begin(), goals.end(), *goal) != goals.end())
        complain(item.where, "goal '" + item.text + "' is given twice", "it once", "duplicate-key");
      goals.push_back(*goal);
    });
    terms.optr->max_risk_ppm = optr->CountOf("max_risk_ppm");
    terms.optr->max_cost = optr->CountOf("max_cost");
    terms.optr->min_success_ppm = optr->CountOf("min_success_ppm");
  }
  ForEach(root.Get("estimates"), [&](Node& item) { BuildEstimate(item, terms, complain, build_object); });
  ForEach(root.Get("budgets"), [&](Node& item) {
    terms.budgets.push_back({item.TextOf("id"), item.CountOf("limit"), DurationOf(item, "window"), item.where});
  });
  if (Node* blast = root.Get("blast"))
    terms.blast = Blast{blast->CountOf("objects"), blast->CountOf("hosts"), DurationOf(*blast, "window")};
  ForEach(root.Get("approvers"), [&](Node& item) {
    Approver approver;
    approver.person = item.TextOf("person");
    approver.where = item.where;
    ForEach(item.Get("roles"), [&](Node& role) { approver.roles.push_back(role.text); });
    ForEach(item.Get("keys"), [&](Node& key) { approver.keys.push_back(KeyText(key.text)); });
    ForEach(item.Get("uids"), [&](Node& uid) { approver.uids.push_back(std::stoull(uid.text)); });
    terms.approvers.push_back(std::move(approver));
  });
  ForEach(root.Get("producers"), [&](Node& item) {
    terms.producers.push_back({item.TextOf("name"), KeyText(item.TextOf("key")), item.where});
  });
  ForEach(root.Get("witnessed"), [&](Node& item) {
    const auto kind = ParseKind(item.text);
    if (!kind) return;
    if (std::find(terms.witnessed.begin(), terms.witnessed.end(), *kind) != terms.witnessed.end())
      complain(item.where, "kind '" + item.text + "' is given twice", "it once", "duplicate-key");
    terms.witnessed.push_back(*kind);
  });
  std::sort(terms.witnessed.begin(), terms.witnessed.end());
  if (Node* glass = root.Get("break_glass")) {
    terms.break_glass = BreakGlassTerms{glass->TextOf("role"), glass->TextOf("review"), DurationOf(*glass, "max"), {}};
    ForEach(glass->Get("rules"), [&](Node& rule) { terms.break_glass->rules.push_back(rule.text); });
  }
  if (Node* records = root.Get("records")) {
    const auto custody = [&](const char* name) -> std::optional<Custody> {
      Node* const row = records->Get(name);
      if (row == nullptr) return std::nullopt;
      return Custody{row->CountOf("count"), row->TextOf("role")};
    };
    terms.records = RecordTerms{custody("retain"), 0, custody("release"), custody("erase")};
    if (Node* retain = records->Get("retain")) terms.records->keep_days = retain->CountOf("keep_days");
  }
}

}  // namespace proofgate::policy
