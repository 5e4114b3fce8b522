#include "policy/optr.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "policy/pdp.h"

namespace proofgate::policy {
namespace {

__extension__ typedef unsigned __int128 Wide;  // sums of figures cannot overflow it

constexpr std::array<std::string_view, kGates> kGateNames = {
    "prerequisites", "authority", "invariants", "duties", "deconfliction",
    "blast", "risk", "cost", "success", "budget"};

// Success is kept in parts per 10^12: one factor is multiplied in at a time, in
// the order of the steps, and each product is rounded down.
constexpr std::uint64_t kSuccessUnit = kMillion * kMillion;

Wide TimesSuccess(Wide success, std::uint64_t ppm) { return success * ppm / kMillion; }

json::Value WideJson(Wide value) {
  constexpr Wide kMost = std::numeric_limits<std::uint64_t>::max();
  return json::Integer(static_cast<std::uint64_t>(value > kMost ? kMost : value));
}

// bound − observed; negative when the gate fails for a bound from above.
json::Value MarginJson(Wide low, Wide high) {
  const bool negative = low > high;
  const json::Value size = WideJson(negative ? low - high : high - low);
  if (!negative) return size;
  if (size.is_string()) return "-" + size.string();
  return -size.integer();
}

struct Failure {
  Gate gate = Gate::kPrerequisites;
  std::string_view code;
  std::string what;
  json::Object numbers;  // observed, bound, margin where there are any
};

json::Value FailureJson(const Failure& failure) {
  json::Object out = failure.numbers;
  out["gate"] = GateName(failure.gate);
  out["code"] = failure.code;
  out["what"] = failure.what;
  return out;
}

// observed ≤ bound expected.
json::Object AtMost(Wide observed, Wide bound) {
  return {{"observed", WideJson(observed)}, {"bound", WideJson(bound)}, {"margin", MarginJson(observed, bound)}};
}
json::Object AtLeast(Wide observed, Wide bound) {
  return {{"observed", WideJson(observed)}, {"bound", WideJson(bound)}, {"margin", MarginJson(bound, observed)}};
}

// One action under one permit.
struct Option {
  const Action* action = nullptr;
  const Rule* rule = nullptr;     // nullptr: nothing permits it
  std::string rule_id;            // as given, when nothing permits it
  Figures figures;
  std::vector<Failure> failures;  // of the gates that look at one step alone
  std::optional<std::size_t> budget;  // index of its charge
  std::optional<std::size_t> rate;
  Digest tie{};
};

// What adds up over the options that name it: a budget, or a rule's rate.
struct Charge {
  bool is_rate = false;
  std::string id;
  Wide used = 0;   // in the window, before this plan
  Wide bound = 0;
};

std::uint64_t GoalOf(const Figures& figures, Goal goal) {
  switch (goal) {
    case Goal::kRisk: return figures.risk_ppm;
    case Goal::kIrreversibility: return figures.irreversibility;
    case Goal::kTtv: return figures.ttv_us;
    case Goal::kCost: return figures.cost;
  }
  return kMaxFigure;
}

// How many addresses a block covers, at most `most`.
std::uint64_t HostsIn(const NetBlock& net, std::uint64_t most) {
  const int bits = (net.is_v6 ? 128 : 32) - net.prefix_bits;
  return bits >= 50 ? most : std::min(most, std::uint64_t{1} << bits);
}

bool Speaks(const EstimateRow& row, const Action& action, const Rule* rule) {
  if (row.kind != action.kind) return false;
  if (!row.rule.empty() && (rule == nullptr || row.rule != rule->id)) return false;
  return row.objects.empty() ||
         std::any_of(row.objects.begin(), row.objects.end(),
                     [&](const Object& object) { return Overlaps(object, action.object); });
}

// The worst of what canon says, and of what the applicant adds. Without a row
// everything is as bad as it can be: a figure that is missing is never zero.
Figures Estimate(const Canon& canon, const Action& action, const Rule* rule, bool& has_row) {
  Figures worst;
  worst.success_ppm = kMillion;
  has_row = false;
  for (const EstimateRow& row : canon.terms.estimates) {
    if (!Speaks(row, action, rule)) continue;
    has_row = true;
    worst.ttv_us = std::max(worst.ttv_us, row.ttv_us.high);
    worst.cost = std::max(worst.cost, row.cost.high);
    worst.risk_ppm = std::max(worst.risk_ppm, row.risk_ppm.high);
    worst.irreversibility = std::max(worst.irreversibility, row.irreversibility.high);
    worst.success_ppm = std::min(worst.success_ppm, row.success_ppm.low);
  }
  if (!has_row) {
    worst.ttv_us = worst.cost = worst.irreversibility = kMaxFigure;
    worst.risk_ppm = kMillion;
    worst.success_ppm = 1;
  }
  const Worse& own = action.worse;
  worst.ttv_us = std::max(worst.ttv_us, own.ttv_us.value_or(worst.ttv_us));
  worst.cost = std::max(worst.cost, own.cost.value_or(worst.cost));
  worst.risk_ppm = std::max(worst.risk_ppm, own.risk_ppm.value_or(worst.risk_ppm));
  worst.irreversibility = std::max(worst.irreversibility, own.irreversibility.value_or(worst.irreversibility));
  worst.success_ppm = std::min(worst.success_ppm, own.success_ppm.value_or(worst.success_ppm));
  return worst;
}

Wide UsedOf(const std::map<std::string, std::uint64_t>& used, const std::string& id) {
  const auto at = used.find(id);
  return at == used.end() ? 0 : at->second;
}

// What is the same for all candidates of one selection.
class Context {
 public:
  Context(const Canon& canon, const Snapshot& snapshot) : canon_(canon), forbids_(canon), snapshot_(snapshot) {
    std::map<std::string, Wide> budgets;  // a name that is not defined has a bound of 0
    std::map<std::string, Wide> rates;
    for (const Rule& rule : canon.rules) {
      if (!rule.terms.budget.empty()) {
        const Budget* const budget = canon.terms.FindBudget(rule.terms.budget);
        budgets[rule.terms.budget] = budget == nullptr ? 0 : budget->limit;
      }
      if (rule.terms.rate) rates[rule.id] = rule.terms.rate->uses;
    }
    for (const auto& [id, bound] : budgets) charges_.push_back({false, id, UsedOf(snapshot.budgets, id), bound});
    for (const auto& [id, bound] : rates) charges_.push_back({true, id, UsedOf(snapshot.rates, id), bound});
  }

  const std::vector<Charge>& charges() const { return charges_; }

  const Canon& canon() const { return canon_; }
  const Snapshot& snapshot() const { return snapshot_; }
  const OptrTerms* optr() const { return canon_.terms.optr ? &*canon_.terms.optr : nullptr; }

  std::vector<Option> OptionsOf(const Step& step) const {
    std::vector<Option> options;
    for (const Action& action : step.any) {
      const std::size_t before = options.size();
      for (const Rule& rule : canon_.rules) {
        if (rule.effect != Effect::kPermit || rule.kind != action.kind) continue;
        if (!action.rule.empty() && action.rule != rule.id) continue;
        if (std::any_of(rule.objects.begin(), rule.objects.end(),
                        [&](const Object& object) { return Contains(object, action.object); }))
          options.push_back(MakeOption(action, &rule));
      }
      if (options.size() == before) options.push_back(MakeOption(action, nullptr));
    }
    std::sort(options.begin(), options.end(), [this](const Option& a, const Option& b) {
      if (a.failures.size() != b.failures.size()) return a.failures.size() < b.failures.size();
      if (optr() != nullptr)
        for (const Goal goal : optr()->order)
          if (GoalOf(a.figures, goal) != GoalOf(b.figures, goal))
            return GoalOf(a.figures, goal) < GoalOf(b.figures, goal);
      return std::pair(a.rule_id, a.tie) < std::pair(b.rule_id, b.tie);
    });
    return options;
  }

  Digest Tie(const Digest& digest) const { return Sha256({snapshot_.salt, AsView(digest)}); }

 private:
  Option MakeOption(const Action& action, const Rule* rule) const {
    Option option;
    option.action = &action;
    option.rule = rule;
    option.rule_id = rule != nullptr ? rule->id : action.rule;
    option.tie = Tie(action.digest);
    bool has_row = false;
    option.figures = Estimate(canon_, action, rule, has_row);
    option.figures.uses = action.uses.value_or(rule != nullptr ? rule->limits.uses : kMaxFigure);
    option.figures.ttl_ns = action.ttl_ns.value_or(rule != nullptr ? rule->limits.ttl_ns : kMaxFigure);
    if (action.kind == Kind::kWrite)
      option.figures.objects = action.object.form == Form::kFile ? 1 : option.figures.uses;
    if (action.kind == Kind::kConnect && action.object.form == Form::kNet)
      option.figures.hosts = HostsIn(action.object.net, option.figures.uses);
    for (std::size_t i = 0; rule != nullptr && i < charges_.size(); ++i) {
      if (!charges_[i].is_rate && charges_[i].id == rule->terms.budget) option.budget = i;
      if (charges_[i].is_rate && charges_[i].id == rule->id) option.rate = i;
    }
    Prerequisites(option, has_row);
    Authority(option);
    Invariants(option);
    Duties(option);
    Deconfliction(option);
    return option;
  }

  static void Fail(Option& option, Gate gate, std::string_view code, std::string what, json::Object numbers = {}) {
    option.failures.push_back({gate, code, std::move(what), std::move(numbers)});
  }

  void Prerequisites(Option& option, bool has_row) const {
    if (optr() == nullptr)
      Fail(option, Gate::kPrerequisites, "MISSING_CANON_PREREQS", "the canon has no optr section");
    if (!has_row)
      Fail(option, Gate::kPrerequisites, "MISSING_CANON_PREREQS",
           fmt::format("the canon has no estimate for {} under rule '{}'", KindName(option.action->kind), option.rule_id));
    if (option.rule == nullptr) return;
    for (const Need& need : option.rule->terms.needs) {
      const EvidenceField* found = nullptr;
      for (const EvidenceField& field : snapshot_.fields)
        if (field.producer == need.producer && field.field == need.field) found = &field;
      if (found == nullptr) {
        Fail(option, Gate::kPrerequisites, "EVIDENCE_MISSING",
             fmt::format("'{}' signed by '{}' is missing", need.field, need.producer));
      } else if (found->value < need.min) {
        Fail(option, Gate::kPrerequisites, "EVIDENCE_MISSING",
             fmt::format("'{}' signed by '{}' is too low", need.field, need.producer), AtLeast(found->value, need.min));
      } else if (found->value > need.max) {
        Fail(option, Gate::kPrerequisites, "EVIDENCE_MISSING",
             fmt::format("'{}' signed by '{}' is too high", need.field, need.producer), AtMost(found->value, need.max));
      }
    }
  }

  void Authority(Option& option) const {
    constexpr std::string_view kCode = "AUTHORITY_BOUNDARY_FAIL";
    if (option.rule == nullptr) {
      Fail(option, Gate::kAuthority, kCode,
           option.rule_id.empty()
               ? fmt::format("no rule permits {} to {}", KindName(option.action->kind), Describe(option.action->object))
               : fmt::format("rule '{}' does not permit {} to {}", option.rule_id, KindName(option.action->kind),
                             Describe(option.action->object)));
      return;
    }
    Request request;
    request.rule = option.rule->id;
    request.object = option.action->object;
    request.ttl_ns = option.action->ttl_ns;
    request.uses = option.action->uses;
    request.exe = option.action->exe;
    request.binding = option.action->binding;
    request.from_session = true;
    const Decision decision = Decide(canon_, forbids_, request);
    if (decision.code == DecisionCode::kPermitted || decision.code == DecisionCode::kForbidden) return;
    json::Object numbers;
    if (option.figures.uses > option.rule->limits.uses) numbers = AtMost(option.figures.uses, option.rule->limits.uses);
    else if (option.figures.ttl_ns > option.rule->limits.ttl_ns)
      numbers = AtMost(option.figures.ttl_ns, option.rule->limits.ttl_ns);
    Fail(option, Gate::kAuthority, kCode, decision.reason, std::move(numbers));
  }

  void Invariants(Option& option) const {
    const Rule* last = nullptr;
    for (const Forbids::Hit& hit : forbids_.Overlapping(option.action->kind, option.action->object)) {
      if (hit.rule == last) continue;
      last = hit.rule;
      Fail(option, Gate::kInvariants, "INVARIANT_VIOLATION",
           fmt::format("rule '{}' forbids {} to {}", hit.rule->id, KindName(option.action->kind),
                       Describe(option.action->object)));
    }
  }

  void Duties(Option& option) const {
    if (option.rule == nullptr) return;
    const auto at = snapshot_.apart.find(option.rule->id);
    if (at != snapshot_.apart.end())
      Fail(option, Gate::kDuties, "SEGREGATION_OF_DUTIES",
           fmt::format("'{}' has used rule '{}', from which rule '{}' is kept apart", snapshot_.principal, at->second,
                       option.rule->id));
  }

  void Deconfliction(Option& option) const {
    if (option.rule == nullptr) return;
    for (const Lease& lease : option.rule->terms.leases)
      for (const HeldLease& held : snapshot_.leases) {
        if (lease.mode == LeaseMode::kShared && held.mode == LeaseMode::kShared) continue;
        const bool same = lease.resource.empty()
                              ? held.resource.empty() && held.kind == option.action->kind &&
                                    Overlaps(held.object, option.action->object)
                              : held.resource == lease.resource;
        if (same)
          Fail(option, Gate::kDeconfliction, "NON_INTERFERENCE_VIOLATION",
               fmt::format("session {} holds {}", held.session,
                           lease.resource.empty() ? Describe(held.object) : "'" + lease.resource + "'"));
      }
  }

  const Canon& canon_;
  const Forbids forbids_;
  const Snapshot& snapshot_;
  std::vector<Charge> charges_;  // budgets by id, then rates by rule
};

// One alternative for each step, and what they add up to.
struct Totals {
  Wide unary = 0;  // failures of single steps
  std::array<Wide, 4> goals{};  // by Goal
  Wide success = kSuccessUnit;
  Wide objects = 0;
  Wide hosts = 0;
  struct Sum {
    Wide sum = 0;
    std::size_t named = 0;  // by how many options
  };
  std::vector<Sum> charges;  // as Context::charges

  void Add(const Option& option) {
    unary += option.failures.size();
    for (std::size_t goal = 0; goal < 4; ++goal) goals[goal] += GoalOf(option.figures, static_cast<Goal>(goal));
    success = TimesSuccess(success, option.figures.success_ppm);
    objects += option.figures.objects;
    hosts += option.figures.hosts;
    if (option.budget) Charge(*option.budget, option.figures.cost);
    if (option.rate) Charge(*option.rate, option.figures.uses);
  }
  void Charge(std::size_t index, Wide amount) {
    charges[index].sum += amount;
    ++charges[index].named;
  }
};

// Failures of single steps, failed gates of the whole, then the goals in order.
using Key = std::array<Wide, 6>;

struct Candidate {
  const Plan* plan = nullptr;
  std::vector<std::vector<Option>> options;  // by step
  std::vector<const Option*> best;           // smallest key; empty: the search did not end
  Key key{};
  bool admissible = false;
};

// Exact branch and bound over one plan. The key that is made as small as
// possible: failures of single steps, failed gates of the whole, then canon's
// goals; ties by (rule, salted digest) step by step. Hence the smallest key of
// an inadmissible plan is its nearest miss.
class Search {
 public:
  Search(const Context& context, Candidate& candidate, std::uint64_t& nodes)
      : context_(context), candidate_(candidate), nodes_(nodes) {
    const std::size_t count = candidate.options.size();
    totals_.resize(count + 1);
    totals_[0].charges.resize(context.charges().size());
    least_.resize(count + 1);
    for (std::size_t step = count; step-- > 0;) {
      const std::vector<Option>& options = candidate.options[step];
      Figures least = options.front().figures;
      std::size_t failures = options.front().failures.size();
      for (const Option& option : options) {
        failures = std::min(failures, option.failures.size());
        least.ttv_us = std::min(least.ttv_us, option.figures.ttv_us);
        least.cost = std::min(least.cost, option.figures.cost);
        least.risk_ppm = std::min(least.risk_ppm, option.figures.risk_ppm);
        least.irreversibility = std::min(least.irreversibility, option.figures.irreversibility);
        least.success_ppm = std::max(least.success_ppm, option.figures.success_ppm);
        least.objects = std::min(least.objects, option.figures.objects);
        least.hosts = std::min(least.hosts, option.figures.hosts);
      }
      Totals& rest = least_[step];
      rest = least_[step + 1];
      rest.unary += failures;
      for (std::size_t goal = 0; goal < 4; ++goal) rest.goals[goal] += GoalOf(least, static_cast<Goal>(goal));
      rest.objects += least.objects;
      rest.hosts += least.hosts;
      most_success_.insert(most_success_.begin(), least.success_ppm);
    }
  }

  // False: the bound on nodes was reached.
  bool Run() {
    if (!Descend(0)) return false;
    candidate_.best = best_;
    candidate_.key = best_key_;
    candidate_.admissible = best_key_[0] == 0 && best_key_[1] == 0;
    return true;
  }

 private:
  bool Descend(std::size_t step) {
    if (step == candidate_.options.size()) {
      best_ = path_;
      best_key_ = KeyAt(step);
      return true;
    }
    for (const Option& option : candidate_.options[step]) {
      if (++nodes_ > kMaxNodes) return false;
      Totals& next = totals_[step + 1];
      next = totals_[step];
      next.Add(option);
      path_.push_back(&option);
      if (CanBeBest(step + 1) && !Descend(step + 1)) return false;
      path_.pop_back();
    }
    return true;
  }

  // The key of the path so far with the rest as good as it can be.
  Key KeyAt(std::size_t step) const;

  bool CanBeBest(std::size_t step) const {
    if (best_.empty()) return true;
    const Key key = KeyAt(step);
    if (key != best_key_) return key < best_key_;
    for (std::size_t i = 0; i < path_.size(); ++i) {
      const auto mine = std::pair(std::string_view(path_[i]->rule_id), path_[i]->tie);
      const auto theirs = std::pair(std::string_view(best_[i]->rule_id), best_[i]->tie);
      if (mine != theirs) return mine < theirs;
    }
    return false;  // the best itself
  }

  const Context& context_;
  Candidate& candidate_;
  std::uint64_t& nodes_;
  std::vector<Totals> totals_;  // of the path, by its length
  std::vector<Totals> least_;   // of the steps from here on
  std::vector<std::uint64_t> most_success_;
  std::vector<const Option*> path_;
  std::vector<const Option*> best_;
  Key best_key_{};
};

// The pair of rules within one combination that one session may not use both of.
std::optional<std::pair<std::string, std::string>> NotApart(const std::vector<const Option*>& path) {
  for (const Option* option : path) {
    if (option->rule == nullptr || !option->rule->terms.duties) continue;
    for (const std::string& other : option->rule->terms.duties->apart_from)
      for (const Option* second : path)
        if (second->rule != nullptr && second->rule->id == other) return std::pair(option->rule->id, other);
  }
  return std::nullopt;
}

// The gates that look at a whole combination, in order.
struct WholeGates {
  std::vector<Failure> failures;
  json::Object observed;  // gate → numbers
};

WholeGates JudgeWhole(const Context& context, const Totals& totals, const std::vector<const Option*>& path) {
  WholeGates whole;
  const auto fail = [&](Gate gate, std::string_view code, std::string what, json::Object numbers) {
    whole.failures.push_back({gate, code, std::move(what), std::move(numbers)});
  };
  if (const auto pair = NotApart(path))
    fail(Gate::kDuties, "SEGREGATION_OF_DUTIES",
         fmt::format("rule '{}' is kept apart from rule '{}', and the plan uses both", pair->first, pair->second), {});
  const DomainTerms& terms = context.canon().terms;
  const Snapshot& snapshot = context.snapshot();
  if (terms.blast) {
    const auto blast = [&](const char* name, Wide used, Wide more, std::uint64_t bound) {
      json::Object numbers = AtMost(used + more, bound);
      whole.observed[fmt::format("blast.{}", name)] = numbers;
      if (used + more > bound)
        fail(Gate::kBlast, "BLAST_RADIUS_EXCEEDED", fmt::format("{} in the window", name), std::move(numbers));
    };
    blast("objects", snapshot.blast_objects, totals.objects, terms.blast->objects);
    blast("hosts", snapshot.blast_hosts, totals.hosts, terms.blast->hosts);
  }
  const OptrTerms* const optr = context.optr();
  if (optr == nullptr) {
    for (const Gate gate : {Gate::kRisk, Gate::kCost, Gate::kSuccess})
      fail(gate, "MISSING_CANON_PREREQS", "the canon has no bound", {});
  } else {
    const Wide risk = totals.goals[static_cast<std::size_t>(Goal::kRisk)];
    const Wide cost = totals.goals[static_cast<std::size_t>(Goal::kCost)];
    whole.observed["risk"] = AtMost(risk, optr->max_risk_ppm);
    whole.observed["cost"] = AtMost(cost, optr->max_cost);
    // Observed in whole ppm, rounded down; compared exactly.
    json::Object success = AtLeast(totals.success / kMillion, optr->min_success_ppm);
    whole.observed["success"] = success;
    if (risk > optr->max_risk_ppm)
      fail(Gate::kRisk, "RISK_BOUND_EXCEEDED", "risk, parts per million", AtMost(risk, optr->max_risk_ppm));
    if (cost > optr->max_cost) fail(Gate::kCost, "COST_BOUND_EXCEEDED", "cost", AtMost(cost, optr->max_cost));
    if (totals.success < Wide{optr->min_success_ppm} * kMillion)
      fail(Gate::kSuccess, "SUCCESS_PROB_TOO_LOW", "success, parts per million", std::move(success));
  }
  for (std::size_t i = 0; i < totals.charges.size(); ++i) {
    const Charge& charge = context.charges()[i];
    if (totals.charges[i].named == 0) continue;
    json::Object numbers = AtMost(charge.used + totals.charges[i].sum, charge.bound);
    whole.observed[(charge.is_rate ? "rate." : "budget.") + charge.id] = numbers;
    if (charge.used + totals.charges[i].sum <= charge.bound) continue;
    if (charge.is_rate)
      fail(Gate::kBudget, "RATE_EXCEEDED", fmt::format("uses of rule '{}' in its window", charge.id), std::move(numbers));
    else
      fail(Gate::kBudget, "BUDGET_EXCEEDED", fmt::format("budget '{}' in its window", charge.id), std::move(numbers));
  }
  return whole;
}

// The same count without the words: it is asked at every node.
std::size_t CountFailed(const Context& context, const Totals& totals, const std::vector<const Option*>& path) {
  const DomainTerms& terms = context.canon().terms;
  const Snapshot& snapshot = context.snapshot();
  std::size_t failed = NotApart(path) ? 1 : 0;
  if (terms.blast && (totals.objects + snapshot.blast_objects > terms.blast->objects ||
                      totals.hosts + snapshot.blast_hosts > terms.blast->hosts))
    ++failed;
  if (const OptrTerms* const optr = context.optr(); optr == nullptr) {
    failed += 3;
  } else {
    failed += totals.goals[static_cast<std::size_t>(Goal::kRisk)] > optr->max_risk_ppm ? 1 : 0;
    failed += totals.goals[static_cast<std::size_t>(Goal::kCost)] > optr->max_cost ? 1 : 0;
    failed += totals.success < Wide{optr->min_success_ppm} * kMillion ? 1 : 0;
  }
  bool over = false;
  for (std::size_t i = 0; i < totals.charges.size(); ++i) {
    const Charge& charge = context.charges()[i];
    over = over || (totals.charges[i].named != 0 && charge.used + totals.charges[i].sum > charge.bound);
  }
  return failed + (over ? 1 : 0);
}

Key Search::KeyAt(std::size_t step) const {
  Totals whole = totals_[step];
  const Totals& rest = least_[step];
  for (std::size_t goal = 0; goal < 4; ++goal) whole.goals[goal] += rest.goals[goal];
  whole.objects += rest.objects;
  whole.hosts += rest.hosts;
  for (std::size_t i = step; i < most_success_.size(); ++i)
    whole.success = TimesSuccess(whole.success, most_success_[i]);
  Key key{whole.unary + rest.unary, CountFailed(context_, whole, path_)};
  std::size_t at = 2;
  if (const OptrTerms* const optr = context_.optr())
    for (const Goal goal : optr->order) key[at++] = whole.goals[static_cast<std::size_t>(goal)];
  return key;
}

Totals TotalsOf(const Context& context, const std::vector<const Option*>& path) {
  Totals totals;
  totals.charges.resize(context.charges().size());
  for (const Option* option : path) totals.Add(*option);
  return totals;
}

bool Before(const Context& context, const Candidate& a, const Candidate& b) {
  if (a.key != b.key) return a.key < b.key;
  const auto tie = [](const Option* x, const Option* y) {
    return std::pair(std::string_view(x->rule_id), x->tie) < std::pair(std::string_view(y->rule_id), y->tie);
  };
  if (std::lexicographical_compare(a.best.begin(), a.best.end(), b.best.begin(), b.best.end(), tie)) return true;
  if (std::lexicographical_compare(b.best.begin(), b.best.end(), a.best.begin(), a.best.end(), tie)) return false;
  return context.Tie(a.plan->digest) < context.Tie(b.plan->digest);
}

json::Value FiguresJson(const Figures& figures) {
  return json::Object{{"ttv_us", json::Integer(figures.ttv_us)},
                      {"cost", json::Integer(figures.cost)},
                      {"risk_ppm", json::Integer(figures.risk_ppm)},
                      {"irreversibility", json::Integer(figures.irreversibility)},
                      {"success_ppm", json::Integer(figures.success_ppm)},
                      {"uses", json::Integer(figures.uses)},
                      {"ttl_ns", json::Integer(figures.ttl_ns)},
                      {"objects", json::Integer(figures.objects)},
                      {"hosts", json::Integer(figures.hosts)}};
}

json::Value CandidateJson(const Context& context, const Candidate& candidate) {
  json::Object out{{"plan", Hex(candidate.plan->digest)}};
  if (!candidate.plan->name.empty()) out["name"] = candidate.plan->name;
  json::Array steps;
  for (const std::vector<Option>& options : candidate.options) {
    json::Array step;
    for (const Option& option : options) {
      json::Array failures;
      for (const Failure& failure : option.failures) failures.push_back(FailureJson(failure));
      json::Object one{{"action", Hex(option.action->digest)}, {"rule", option.rule_id},
                       {"figures", FiguresJson(option.figures)}, {"failures", std::move(failures)}};
      step.emplace_back(std::move(one));
    }
    steps.emplace_back(std::move(step));
  }
  out["steps"] = std::move(steps);
  if (candidate.best.empty()) return out;
  out["admissible"] = candidate.admissible;
  const WholeGates whole = JudgeWhole(context, TotalsOf(context, candidate.best), candidate.best);
  json::Array best;
  json::Array failures;
  std::array<bool, kGates> failed{};
  for (std::size_t step = 0; step < candidate.best.size(); ++step) {
    const Option& option = *candidate.best[step];
    best.emplace_back(json::Object{{"action", Hex(option.action->digest)}, {"rule", option.rule_id}});
    for (const Failure& failure : option.failures) {
      failed[static_cast<std::size_t>(failure.gate)] = true;
      json::Value one = FailureJson(failure);
      one.object()["step"] = static_cast<int>(step);
      failures.push_back(std::move(one));
    }
  }
  for (const Failure& failure : whole.failures) {
    failed[static_cast<std::size_t>(failure.gate)] = true;
    failures.push_back(FailureJson(failure));
  }
  json::Array gates;
  for (std::size_t gate = 0; gate < kGates; ++gate)
    gates.emplace_back(json::Object{{"gate", kGateNames[gate]}, {"passed", !failed[gate]}});
  out["best"] = std::move(best);
  out["gates"] = std::move(gates);
  out["failures"] = std::move(failures);
  out["observed"] = whole.observed;
  return out;
}

std::string Text(const json::Value& value) {
  if (value.is_string()) return value.string();
  return value.is_integer() ? std::to_string(value.integer()) : "";
}

Result<std::uint64_t> Count(const json::Value& value) {
  const json::Value wrapped(json::Object{{"n", value}});
  return json::GetInteger(wrapped, "n");
}

}  // namespace

std::string_view GateName(Gate gate) { return kGateNames[static_cast<std::size_t>(gate)]; }

std::string_view OptrCodeName(OptrCode code) {
  switch (code) {
    case OptrCode::kPermitted: return "PERMITTED";
    case OptrCode::kNoAdmissiblePlan: return "NO_ADMISSIBLE_PLAN";
    case OptrCode::kNodeBoundExceeded: return "NODE_BOUND_EXCEEDED";
  }
  return "NO_ADMISSIBLE_PLAN";
}

json::Value SnapshotJson(const Snapshot& snapshot) {
  json::Array fields;
  for (const EvidenceField& field : snapshot.fields)
    fields.emplace_back(json::Object{{"producer", field.producer}, {"field", field.field},
                                     {"value", json::Integer(field.value)}});
  json::Array leases;
  for (const HeldLease& lease : snapshot.leases) {
    json::Object out{{"session", lease.session},
                     {"mode", lease.mode == LeaseMode::kShared ? "shared" : "exclusive"}};
    if (lease.resource.empty()) {
      out["kind"] = KindName(lease.kind);
      out["object"] = ObjectJson(lease.object);
    } else {
      out["resource"] = lease.resource;
    }
    leases.emplace_back(std::move(out));
  }
  const auto counts = [](const std::map<std::string, std::uint64_t>& from) {
    json::Object out;
    for (const auto& [key, value] : from) out[key] = json::Integer(value);
    return out;
  };
  json::Array aliases;  // paths may hold any byte, keys may not
  for (const auto& [path, real] : snapshot.aliases)
    aliases.emplace_back(json::Object{{"path", json::Bytes(path)}, {"real", json::Bytes(real)}});
  json::Object apart;
  for (const auto& [rule, other] : snapshot.apart) apart[rule] = other;
  return json::Object{{"format", 1},
                      {"now_ms", json::Integer(snapshot.now_ms)},
                      {"session", snapshot.session},
                      {"principal", snapshot.principal},
                      {"salt", snapshot.salt},
                      {"aliases", std::move(aliases)},
                      {"fields", std::move(fields)},
                      {"leases", std::move(leases)},
                      {"budgets", counts(snapshot.budgets)},
                      {"rates", counts(snapshot.rates)},
                      {"blast_objects", json::Integer(snapshot.blast_objects)},
                      {"blast_hosts", json::Integer(snapshot.blast_hosts)},
                      {"apart", std::move(apart)}};
}

Result<Snapshot> ParseSnapshotJson(const json::Value& value) {
  const auto list = [&](const char* key) -> Result<json::Array> {
    const json::Value* const found = value.Find(key);
    if (found == nullptr || !found->is_array()) return Fail(Code::kInvalid, std::string("snapshot: ") + key + ": a list expected");
    return found->array();
  };
  const auto map = [&](const char* key) -> Result<json::Object> {
    const json::Value* const found = value.Find(key);
    if (found == nullptr || !found->is_object()) return Fail(Code::kInvalid, std::string("snapshot: ") + key + ": an object expected");
    return found->object();
  };
  if (TRY(json::GetInteger(value, "format")) != 1) return Fail(Code::kUnsupported, "snapshot: format 1 expected");
  Snapshot snapshot;
  snapshot.now_ms = TRY(json::GetInteger(value, "now_ms"));
  snapshot.session = TRY(json::GetString(value, "session"));
  snapshot.principal = TRY(json::GetString(value, "principal"));
  snapshot.salt = TRY(json::GetString(value, "salt"));
  for (const json::Value& item : TRY(list("aliases")))
    snapshot.aliases[TRY(json::GetBytes(item, "path"))] = TRY(json::GetBytes(item, "real"));
  for (const json::Value& item : TRY(list("fields"))) {
    EvidenceField field;
    field.producer = TRY(json::GetString(item, "producer"));
    field.field = TRY(json::GetString(item, "field"));
    field.value = TRY(json::GetInteger(item, "value"));
    snapshot.fields.push_back(std::move(field));
  }
  for (const json::Value& item : TRY(list("leases"))) {
    HeldLease lease;
    lease.session = TRY(json::GetString(item, "session"));
    lease.mode = TRY(json::GetString(item, "mode")) == "shared" ? LeaseMode::kShared : LeaseMode::kExclusive;
    if (item.Find("resource") != nullptr) {
      lease.resource = TRY(json::GetString(item, "resource"));
      if (lease.resource.empty()) return Fail(Code::kInvalid, "snapshot: resource: a name expected");
    } else {
      const json::Value* const object = item.Find("object");
      if (object == nullptr) return Fail(Code::kInvalid, "snapshot: lease: resource or object expected");
      lease.kind = TRY(ParseKind(TRY(json::GetString(item, "kind"))));
      lease.object = TRY(ParseObjectJson(*object));
    }
    snapshot.leases.push_back(std::move(lease));
  }
  for (const auto& [key, count] : TRY(map("budgets"))) snapshot.budgets[key] = TRY(Count(count));
  for (const auto& [key, count] : TRY(map("rates"))) snapshot.rates[key] = TRY(Count(count));
  snapshot.blast_objects = TRY(json::GetInteger(value, "blast_objects"));
  snapshot.blast_hosts = TRY(json::GetInteger(value, "blast_hosts"));
  for (const auto& [rule, other] : TRY(map("apart"))) {
    if (!other.is_string()) return Fail(Code::kInvalid, "snapshot: apart: a rule expected");
    snapshot.apart[rule] = other.string();
  }
  // Anything not read above makes the models differ.
  if (SnapshotJson(snapshot) != value) return Fail(Code::kInvalid, "snapshot: unknown members or another order");
  return snapshot;
}

Canon WithAliases(const Canon& canon, const std::map<std::string, std::string>& aliases) {
  if (aliases.empty()) return canon;
  Canon real = canon;
  const auto follow = [&](std::vector<Object>& objects) {
    for (Object& object : objects) {
      const auto at = aliases.find(object.path);
      if (at != aliases.end()) object.path = at->second;
    }
  };
  for (Rule& rule : real.rules) follow(rule.objects);
  for (EstimateRow& row : real.terms.estimates) follow(row.objects);
  return real;
}

Selection Select(const Canon& written, const Plans& plans, const Snapshot& snapshot) {
  const Canon canon = WithAliases(written, snapshot.aliases);
  const Context context(canon, snapshot);
  std::vector<Candidate> candidates(plans.plans.size());
  std::uint64_t nodes = 0;
  bool ended = true;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    candidates[i].plan = &plans.plans[i];
    for (const Step& step : plans.plans[i].steps) candidates[i].options.push_back(context.OptionsOf(step));
    ended = ended && Search(context, candidates[i], nodes).Run();
  }
  const Candidate* best = nullptr;  // with the smallest key: admissible if any is
  for (const Candidate& candidate : candidates)
    if (ended && (best == nullptr || Before(context, candidate, *best))) best = &candidate;

  Selection selection;
  selection.code = !ended                                ? OptrCode::kNodeBoundExceeded
                   : best != nullptr && best->admissible ? OptrCode::kPermitted
                                                         : OptrCode::kNoAdmissiblePlan;
  json::Object result{{"semantics", kOptrSemantics},
                      {"canon", Hex(Sha256(json::Encode(CanonJson(written))))},
                      {"plans", Hex(Sha256(json::Encode(PlansJson(plans))))},
                      {"snapshot", Hex(Sha256(json::Encode(SnapshotJson(snapshot))))},
                      {"code", OptrCodeName(selection.code)}};
  if (ended) {
    json::Array list;
    for (const Candidate& candidate : candidates) list.push_back(CandidateJson(context, candidate));
    result["candidates"] = std::move(list);
  } else {
    result["nodes"] = json::Integer(kMaxNodes);
  }
  if (selection.code == OptrCode::kPermitted) {
    selection.plan = Hex(best->plan->digest);
    selection.plan_name = best->plan->name;
    json::Array steps;
    for (const Option* option : best->best) {
      selection.steps.push_back({*option->action, option->rule_id, option->figures});
      steps.emplace_back(json::Object{{"action", ActionJson(*option->action)}, {"rule", option->rule_id},
                                      {"figures", FiguresJson(option->figures)}});
    }
    result["chosen"] = json::Object{{"plan", selection.plan}, {"steps", std::move(steps)}};
  } else if (best != nullptr) {
    result["nearest"] = Hex(best->plan->digest);
  }
  selection.result = std::move(result);
  selection.digest = Hex(Sha256(json::Encode(selection.result)));
  return selection;
}

std::string RenderSelection(const Selection& selection) {
  std::string out = fmt::format("plan {}{}\n", selection.plan,
                                selection.plan_name.empty() ? "" : " \"" + selection.plan_name + "\"");
  for (std::size_t i = 0; i < selection.steps.size(); ++i) {
    const ChosenStep& step = selection.steps[i];
    const std::string bound = DescribeBinding(step.action.binding);
    out += fmt::format("{}. {} {}{}\n   under rule {}: at most {} uses within {} s{}\n   at worst: cost {}, risk {} ppm, "
                       "irreversibility {}, success {} ppm\n",
                       i + 1, KindName(step.action.kind), Describe(step.action.object),
                       bound.empty() ? "" : ", " + bound, step.rule, step.figures.uses,
                       step.figures.ttl_ns / 1'000'000'000,
                       step.action.exe.empty() ? "" : ", only by " + EscapeForPeople(step.action.exe),
                       step.figures.cost, step.figures.risk_ppm, step.figures.irreversibility,
                       step.figures.success_ppm);
  }
  return out;
}

std::string RenderResult(const json::Value& result) {
  std::string out = json::GetString(result, "code").value_or("?") + "\n";
  const std::string nearest = json::GetString(result, "nearest").value_or("");
  const json::Value* const candidates = result.Find("candidates");
  if (candidates == nullptr || !candidates->is_array())
    return out + fmt::format("  more than {} alternatives would have to be tried; offer fewer\n",
                             json::GetInteger(result, "nodes").value_or(0));
  for (const json::Value& candidate : candidates->array()) {
    const std::string plan = json::GetString(candidate, "plan").value_or("?");
    const json::Value* const admissible = candidate.Find("admissible");
    const bool is_admissible = admissible != nullptr && *admissible == json::Value(true);
    out += fmt::format("plan {} {}: {}{}\n", plan.substr(0, 12), json::GetString(candidate, "name").value_or(""),
                       is_admissible ? "admissible" : "not admissible",
                       plan == nearest ? " (the nearest miss: what follows is all that stands against it)" : "");
    const json::Value* const failures = candidate.Find("failures");
    if (failures == nullptr || !failures->is_array()) continue;
    for (const json::Value& failure : failures->array()) {
      out += "  ";
      if (const json::Value* const step = failure.Find("step")) out += fmt::format("step {}: ", step->integer() + 1);
      out += fmt::format("{} ({}): {}", json::GetString(failure, "code").value_or("?"),
                         json::GetString(failure, "gate").value_or("?"), json::GetString(failure, "what").value_or(""));
      if (const json::Value* const observed = failure.Find("observed"))
        out += fmt::format(": {} where the bound is {} (margin {})", Text(*observed), Text(*failure.Find("bound")),
                           Text(*failure.Find("margin")));
      out += "\n";
    }
  }
  return out;
}

}  // namespace proofgate::policy
