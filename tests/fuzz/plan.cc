// ParsePlans and ParseSnapshotJson on any bytes: what they accept has one form,
// and OPTR gives a verdict on it in which nothing inadmissible is chosen.

#include "policy/optr.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;

namespace {

policy::Canon FixedCanon() {
  policy::Canon canon;
  canon.tenant = "t";
  canon.domain = "d";
  for (const char* id : {"a", "b"}) {
    policy::Rule rule;
    rule.id = id;
    rule.kind = policy::Kind::kWrite;
    rule.objects = {*policy::ParseObjectJson(json::Object{{"tree", std::string("/") + id}})};
    rule.limits = {1'000'000'000, 10};
    rule.terms.budget = "m";
    canon.rules.push_back(rule);
  }
  canon.terms.optr = policy::OptrTerms{{policy::Goal::kCost}, 1000, 1000, 1};
  canon.terms.budgets = {{"m", 500, 1'000'000'000, {}}};
  policy::EstimateRow row;
  row.kind = policy::Kind::kWrite;
  row.cost = {1, 10};
  row.success_ppm = {900'000, 1'000'000};
  canon.terms.estimates = {row};
  return canon;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const policy::Canon canon = FixedCanon();
  const std::string_view bytes = AsText(data, size);
  policy::Snapshot snapshot;
  snapshot.session = "s";
  if (const auto value = json::Parse(bytes)) {
    if (const auto parsed = policy::ParseSnapshotJson(*value)) {
      Holds(policy::SnapshotJson(*parsed) == *value);
      snapshot = *parsed;
    }
  }
  const auto plans = policy::ParsePlans(bytes);
  if (!plans) return 0;
  const std::string canonical = json::Encode(policy::PlansJson(*plans));
  const auto back = policy::ParsePlans(canonical);
  Holds(back.has_value() && json::Encode(policy::PlansJson(*back)) == canonical);
  const policy::Selection selection = policy::Select(canon, *plans, snapshot);
  Holds(policy::Select(canon, *back, snapshot).digest == selection.digest);
  Holds((selection.code == policy::OptrCode::kPermitted) == !selection.steps.empty());
  std::uint64_t cost = 0;
  for (const policy::ChosenStep& step : selection.steps) {
    Holds(canon.FindRule(step.rule) != nullptr && step.figures.uses <= 10);
    cost += step.figures.cost;
  }
  Holds(cost <= 500);
  return 0;
}
