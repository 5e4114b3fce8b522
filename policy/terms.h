// Terms: what a canon says about plans, beside its rules: the objective and its
// bounds, estimates, budgets, who may approve, whose evidence counts; and, for
// each permit, under which terms a plan may use it. docs/format/canon.md.

#ifndef PROOFGATE_POLICY_TERMS_H_
#define PROOFGATE_POLICY_TERMS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/object.h"

namespace proofgate::policy {

struct Where {
  int line = 0;  // from 1
  int column = 0;  // in bytes, from 1
  bool operator==(const Where&) const = default;
};

inline constexpr std::uint64_t kMillion = 1'000'000;
// No single figure of a canon or a plan is larger, so that each encodes as a number.
inline constexpr std::uint64_t kMaxFigure = 1'000'000'000'000'000;

// What a selection makes as small as it can, in canon's order.
enum class Goal { kRisk, kIrreversibility, kTtv, kCost };
std::string_view GoalName(Goal goal);  // "risk", "irreversibility", "ttv", "cost"
Result<Goal> ParseGoal(std::string_view name);

struct OptrTerms {
  std::vector<Goal> order;            // each at most once, at least one
  std::uint64_t max_risk_ppm = 0;     // over all steps, added up
  std::uint64_t max_cost = 0;
  std::uint64_t min_success_ppm = 0;  // over all steps, multiplied
};

struct Interval {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Interval&) const = default;
};

// What an act of this kind is expected to be worth. Of several rows that speak
// about one action the worst figure counts.
struct EstimateRow {
  Kind kind = Kind::kExec;
  std::string rule;             // only under this rule, or empty
  std::vector<Object> objects;  // only for what overlaps these, or empty
  Interval ttv_us;              // time to value
  Interval cost;
  Interval risk_ppm;            // at most a million
  Interval irreversibility;
  Interval success_ppm;         // from 1 to a million
  Where where;
};

struct Budget {
  std::string id;
  std::uint64_t limit = 0;      // of cost
  std::uint64_t window_ns = 0;
  Where where;
};

struct Blast {
  std::uint64_t objects = 0;    // that grants of the window can write to
  std::uint64_t hosts = 0;      // that they can connect to
  std::uint64_t window_ns = 0;
};

struct Approver {
  std::string person;
  std::vector<std::string> roles;
  std::vector<std::string> keys;  // "ssh-ed25519 AAAA…"
  std::vector<std::uint64_t> uids;  // who may approve over the control socket
  Where where;
};

struct Producer {
  std::string name;
  std::string key;
  Where where;
};

// How many persons of a role must sign what is done to the host's ledger; who
// asks never counts.
struct Custody {
  std::uint64_t count = 0;
  std::string role;
};

// What may be done to entries that this domain's are among; what is not named
// may not be done.
struct RecordTerms {
  std::optional<Custody> retain;   // drop entries
  std::uint64_t keep_days = 0;     // … that are older than this
  std::optional<Custody> release;  // end a hold
  std::optional<Custody> erase;    // erase a blob
};

// Who may override what some permits ask for beside themselves, for how long, and
// who looks at it afterwards.
struct BreakGlassTerms {
  std::string role;
  std::string review;              // another role of approvers
  std::uint64_t max_ns = 0;
  std::vector<std::string> rules;  // permits
};

struct DomainTerms {
  std::optional<OptrTerms> optr;
  std::vector<EstimateRow> estimates;
  std::vector<Budget> budgets;
  std::optional<Blast> blast;
  std::vector<Approver> approvers;
  std::vector<Producer> producers;
  std::vector<Kind> witnessed;  // whose receipts wait for witnesses; each once, in order
  std::optional<RecordTerms> records;
  std::optional<BreakGlassTerms> break_glass;

  const Budget* FindBudget(std::string_view id) const;
  const Producer* FindProducer(std::string_view name) const;
};

struct ApprovalGroup {
  std::uint64_t count = 0;      // different persons
  std::string role;
  std::uint64_t ttl_ns = 0;     // how long an approval lasts, from when it is given
};

enum class LeaseMode { kShared, kExclusive };
struct Lease {
  std::string resource;         // a name, or empty:
  LeaseMode mode = LeaseMode::kExclusive;  // … the action's own object
};

struct Rate {
  std::uint64_t uses = 0;
  std::uint64_t window_ns = 0;
};

// Who has used one of these rules in the window may not use this one.
struct Duties {
  std::vector<std::string> apart_from;
  std::uint64_t window_ns = 0;
};

// A field of evidence that a plan needs, as its producer signed it.
struct Need {
  std::string field;            // "tests.passed"
  std::string producer;
  std::uint64_t min = 0;        // true is 1, false is 0
  std::uint64_t max = 0;
};

struct RuleTerms {
  std::vector<ApprovalGroup> approvals;  // all of them
  std::vector<Lease> leases;
  std::string budget;
  std::optional<Rate> rate;
  std::optional<Duties> duties;
  std::vector<Need> needs;
};

bool HasTerms(const RuleTerms& terms);

struct Canon;

// What the terms name and the canon has not, and what can never be met.
void CheckTerms(const Canon& canon,
                const std::function<void(Where, std::string, const char*)>& complain);

// Add what is set; read it back. Strict: kInvalid.
void AddTerms(const DomainTerms& terms, json::Object& canon);
Status ReadTerms(const json::Value& canon, DomainTerms& terms);
void AddTerms(const RuleTerms& terms, json::Object& rule);
Status ReadTerms(const json::Value& rule, RuleTerms& terms);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_TERMS_H_
