#include "policy/terms.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/signature.h"
#include "policy/canon.h"

namespace proofgate::policy {
namespace {

constexpr std::array<std::string_view, 4> kGoals = {"risk", "irreversibility", "ttv", "cost"};

json::Value IntervalJson(const Interval& interval) {
  return json::Array{json::Integer(interval.low), json::Integer(interval.high)};
}

json::Value Texts(const std::vector<std::string>& texts) {
  json::Array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

Result<json::Array> GetArray(const json::Value& from, std::string_view key) {
  const json::Value* const list = from.Find(key);
  if (list == nullptr || !list->is_array())
    return Fail(Code::kInvalid, "canon: " + std::string(key) + ": a list expected");
  return list->array();
}

Result<std::vector<std::string>> GetTexts(const json::Value& from, std::string_view key) {
  std::vector<std::string> texts;
  for (const json::Value& item : TRY(GetArray(from, key))) {
    if (!item.is_string()) return Fail(Code::kInvalid, "canon: " + std::string(key) + ": text expected");
    texts.push_back(item.string());
  }
  return texts;
}

Result<std::uint64_t> GetFigure(const json::Value& from, std::string_view key) {
  const std::uint64_t figure = TRY(json::GetInteger(from, key));
  if (figure > kMaxFigure) return Fail(Code::kInvalid, "canon: " + std::string(key) + ": too large");
  return figure;
}

Result<Interval> GetInterval(const json::Value& from, std::string_view key, std::uint64_t low,
                             std::uint64_t high) {
  const json::Array ends = TRY(GetArray(from, key));
  if (ends.size() != 2) return Fail(Code::kInvalid, "canon: " + std::string(key) + ": two ends expected");
  const json::Value wrapped(json::Object{{"low", ends[0]}, {"high", ends[1]}});
  const Interval interval{TRY(json::GetInteger(wrapped, "low")), TRY(json::GetInteger(wrapped, "high"))};
  if (interval.low < low || interval.high > high || interval.low > interval.high)
    return Fail(Code::kInvalid, "canon: " + std::string(key) + ": out of range");
  return interval;
}

Result<LeaseMode> ParseMode(const std::string& word) {
  if (word == "shared") return LeaseMode::kShared;
  if (word == "exclusive") return LeaseMode::kExclusive;
  return Fail(Code::kInvalid, "canon: lease mode: shared or exclusive expected");
}

// The custodies by their names.
struct CustodyName {
  const char* name;
  std::optional<Custody> RecordTerms::*custody;
};
constexpr std::array<CustodyName, 3> kCustodies = {{
    {"retain", &RecordTerms::retain}, {"release", &RecordTerms::release}, {"erase", &RecordTerms::erase}}};

std::uint64_t PersonsOfRole(const DomainTerms& terms, const std::string& role) {
  return static_cast<std::uint64_t>(std::count_if(terms.approvers.begin(), terms.approvers.end(), [&role](const Approver& approver) {
    return std::count(approver.roles.begin(), approver.roles.end(), role) != 0;
  }));
}

}  // namespace

std::string_view GoalName(Goal goal) { return kGoals[static_cast<std::size_t>(goal)]; }

Result<Goal> ParseGoal(std::string_view name) {
  const auto at = std::find(kGoals.begin(), kGoals.end(), name);
  if (at == kGoals.end()) return Fail(Code::kInvalid, "risk, irreversibility, ttv or cost expected");
  return static_cast<Goal>(at - kGoals.begin());
}

bool HasTerms(const RuleTerms& terms) {
  return !terms.approvals.empty() || !terms.leases.empty() || !terms.budget.empty() || terms.rate || terms.duties ||
         !terms.needs.empty();
}

const Budget* DomainTerms::FindBudget(std::string_view id) const {
  for (const Budget& budget : budgets)
    if (budget.id == id) return &budget;
  return nullptr;
}

const Producer* DomainTerms::FindProducer(std::string_view name) const {
  for (const Producer& producer : producers)
    if (producer.name == name) return &producer;
  return nullptr;
}

void CheckTerms(const Canon& canon,
                const std::function<void(Where, std::string, const char*)>& complain) {
  const DomainTerms& terms = canon.terms;
  std::set<std::string> seen;
  for (const Budget& budget : terms.budgets)
    if (!seen.insert(budget.id).second)
      complain(budget.where, "budget '" + budget.id + "' is defined twice", "another id");
  seen.clear();
  std::set<std::string> keys;
  std::set<std::uint64_t> uids;
  for (const Approver& approver : terms.approvers) {
    if (!seen.insert(approver.person).second)
      complain(approver.where, "person '" + approver.person + "' is named twice",
               "one row with all keys and roles");
    for (const std::string& key : approver.keys) {
      const auto parsed = ParseOpenSshPublicKey(key);
      if (!parsed)
        complain(approver.where, "key of '" + approver.person + "': " + parsed.error().message,
                 "ssh-ed25519 AAAA…");
      else if (!keys.insert(parsed->OpenSsh()).second)
        complain(approver.where, "key of '" + approver.person + "' is named twice", "one person a key");
    }
    for (const std::uint64_t uid : approver.uids)
      if (!uids.insert(uid).second)
        complain(approver.where, "uid " + std::to_string(uid) + " is named twice", "one person a uid");
  }
  seen.clear();
  for (const Producer& producer : terms.producers) {
    if (!seen.insert(producer.name).second)
      complain(producer.where, "producer '" + producer.name + "' is defined twice", "another name");
    const auto parsed = ParseOpenSshPublicKey(producer.key);
    if (!parsed)
      complain(producer.where, "key of '" + producer.name + "': " + parsed.error().message,
               "ssh-ed25519 AAAA…");
  }
  for (const EstimateRow& row : terms.estimates) {
    if (row.rule.empty()) continue;
    const Rule* const rule = canon.FindRule(row.rule);
    if (rule == nullptr || rule->effect != Effect::kPermit || rule->kind != row.kind)
      complain(row.where, "estimate names '" + row.rule + "', which is no permit of this kind",
               "the id of a permit");
  }
  for (const CustodyName& one : kCustodies) {
    if (!terms.records || !(*terms.records.*one.custody)) continue;
    const Custody& custody = *(*terms.records.*one.custody);
    const std::uint64_t persons = PersonsOfRole(terms, custody.role);
    if (persons < custody.count)
      complain(canon.where, std::string("records: ") + one.name + " needs " + std::to_string(custody.count) + " persons of role '" +
                                custody.role + "', which " + std::to_string(persons) + " have", "enough approvers");
  }
  if (terms.break_glass) {
    for (const std::string& id : terms.break_glass->rules) {
      const Rule* const rule = canon.FindRule(id);
      if (rule == nullptr || rule->effect != Effect::kPermit)
        complain(canon.where, "break_glass names '" + id + "', which is no permit", "the id of a permit");
    }
    // Nobody may be able to use it whom nobody else could review.
    bool has_user = false;
    for (const Approver& user : terms.approvers) {
      const auto has = [](const Approver& approver, const std::string& role) {
        return !approver.keys.empty() && std::count(approver.roles.begin(), approver.roles.end(), role) != 0;
      };
      if (!has(user, terms.break_glass->role)) continue;
      has_user = true;
      const bool is_reviewed = std::any_of(terms.approvers.begin(), terms.approvers.end(), [&](const Approver& other) {
        return other.person != user.person && has(other, terms.break_glass->review);
      });
      if (!is_reviewed)
        complain(canon.where, "break_glass: nobody else with a key has the role '" + terms.break_glass->review + "' to review '" + user.person + "'",
                 "another person with that role and a key");
    }
    if (!has_user)
      complain(canon.where, "break_glass: nobody with a key has the role '" + terms.break_glass->role + "'", "a person with that role and a key");
  }
  for (const Rule& rule : canon.rules) {
    for (const ApprovalGroup& group : rule.terms.approvals) {
      const std::uint64_t persons = PersonsOfRole(terms, group.role);
      if (persons < group.count)
        complain(rule.where, "rule '" + rule.id + "' needs " + std::to_string(group.count) +
                                 " approvals of role '" + group.role + "', which " +
                                 std::to_string(persons) + " persons have", "enough approvers");
    }
    if (!rule.terms.budget.empty() && terms.FindBudget(rule.terms.budget) == nullptr)
      complain(rule.where, "rule '" + rule.id + "' names budget '" + rule.terms.budget +
                               "', which is not defined", "the id of a budget");
    if (rule.terms.duties)
      for (const std::string& other : rule.terms.duties->apart_from) {
        const Rule* const named = canon.FindRule(other);
        if (named == nullptr || named->effect != Effect::kPermit || other == rule.id)
          complain(rule.where, "rule '" + rule.id + "' is kept apart from '" + other +
                                   "', which is no other permit", "the id of another permit");
      }
    for (const Need& need : rule.terms.needs)
      if (terms.FindProducer(need.producer) == nullptr)
        complain(rule.where, "rule '" + rule.id + "' needs evidence of producer '" + need.producer +
                                 "', which is not defined", "the name of a producer");
  }
}

void AddTerms(const DomainTerms& terms, json::Object& canon) {
  if (terms.optr) {
    json::Array order;
    for (const Goal goal : terms.optr->order) order.emplace_back(GoalName(goal));
    canon["optr"] = json::Object{{"order", std::move(order)},
                                 {"max_risk_ppm", json::Integer(terms.optr->max_risk_ppm)},
                                 {"max_cost", json::Integer(terms.optr->max_cost)},
                                 {"min_success_ppm", json::Integer(terms.optr->min_success_ppm)}};
  }
  json::Array rows;
  for (const EstimateRow& row : terms.estimates) {
    json::Object out{{"kind", KindName(row.kind)},
                     {"ttv_us", IntervalJson(row.ttv_us)},
                     {"cost", IntervalJson(row.cost)},
                     {"risk_ppm", IntervalJson(row.risk_ppm)},
                     {"irreversibility", IntervalJson(row.irreversibility)},
                     {"success_ppm", IntervalJson(row.success_ppm)}};
    if (!row.rule.empty()) out["rule"] = row.rule;
    if (!row.objects.empty()) {
      json::Array objects;
      for (const Object& object : row.objects) objects.push_back(ObjectJson(object));
      out["objects"] = std::move(objects);
    }
    rows.emplace_back(std::move(out));
  }
  if (!rows.empty()) canon["estimates"] = std::move(rows);
  rows = {};
  for (const Budget& budget : terms.budgets)
    rows.emplace_back(json::Object{{"id", budget.id}, {"limit", json::Integer(budget.limit)},
                                   {"window_ns", json::Integer(budget.window_ns)}});
  if (!rows.empty()) canon["budgets"] = std::move(rows);
  if (terms.blast)
    canon["blast"] = json::Object{{"objects", json::Integer(terms.blast->objects)},
                                  {"hosts", json::Integer(terms.blast->hosts)},
                                  {"window_ns", json::Integer(terms.blast->window_ns)}};
  rows = {};
  for (const Approver& approver : terms.approvers) {
    json::Array uids;
    for (const std::uint64_t uid : approver.uids) uids.push_back(json::Integer(uid));
    rows.emplace_back(json::Object{{"person", approver.person}, {"roles", Texts(approver.roles)},
                                   {"keys", Texts(approver.keys)}, {"uids", std::move(uids)}});
  }
  if (!rows.empty()) canon["approvers"] = std::move(rows);
  rows = {};
  for (const Producer& producer : terms.producers)
    rows.emplace_back(json::Object{{"name", producer.name}, {"key", producer.key}});
  if (!rows.empty()) canon["producers"] = std::move(rows);
  rows = {};
  for (const Kind kind : terms.witnessed) rows.emplace_back(KindName(kind));
  if (!rows.empty()) canon["witnessed"] = std::move(rows);
  if (terms.records) {
    json::Object records;
    for (const CustodyName& one : kCustodies)
      if (const auto& custody = *terms.records.*one.custody)
        records[one.name] = json::Object{{"count", json::Integer(custody->count)}, {"role", custody->role}};
    if (terms.records->retain) records["retain"].object()["keep_days"] = json::Integer(terms.records->keep_days);
    canon["records"] = std::move(records);
  }
  if (terms.break_glass)
    canon["break_glass"] = json::Object{{"role", terms.break_glass->role}, {"review", terms.break_glass->review},
                                        {"max_ns", json::Integer(terms.break_glass->max_ns)},
                                        {"rules", Texts(terms.break_glass->rules)}};
}

Status ReadTerms(const json::Value& canon, DomainTerms& terms) {
  if (const json::Value* const optr = canon.Find("optr")) {
    OptrTerms read;
    for (const std::string& goal : TRY(GetTexts(*optr, "order"))) {
      read.order.push_back(TRY(ParseGoal(goal)));
      if (std::count(read.order.begin(), read.order.end(), read.order.back()) != 1)
        return Fail(Code::kInvalid, "canon: order: each goal once expected");
    }
    if (read.order.empty()) return Fail(Code::kInvalid, "canon: order: at least one goal expected");
    read.max_risk_ppm = TRY(GetFigure(*optr, "max_risk_ppm"));
    read.max_cost = TRY(GetFigure(*optr, "max_cost"));
    read.min_success_ppm = TRY(GetFigure(*optr, "min_success_ppm"));
    terms.optr = std::move(read);
  }
  if (canon.Find("estimates") != nullptr)
    for (const json::Value& item : TRY(GetArray(canon, "estimates"))) {
      EstimateRow row;
      row.kind = TRY(ParseKind(TRY(json::GetString(item, "kind"))));
      if (item.Find("rule") != nullptr) row.rule = TRY(json::GetString(item, "rule"));
      if (item.Find("objects") != nullptr)
        for (const json::Value& object : TRY(GetArray(item, "objects")))
          row.objects.push_back(TRY(ParseObjectJson(object)));
      row.ttv_us = TRY(GetInterval(item, "ttv_us", 0, kMaxFigure));
      row.cost = TRY(GetInterval(item, "cost", 0, kMaxFigure));
      row.risk_ppm = TRY(GetInterval(item, "risk_ppm", 0, kMillion));
      row.irreversibility = TRY(GetInterval(item, "irreversibility", 0, kMaxFigure));
      row.success_ppm = TRY(GetInterval(item, "success_ppm", 1, kMillion));
      terms.estimates.push_back(std::move(row));
    }
  if (canon.Find("budgets") != nullptr)
    for (const json::Value& item : TRY(GetArray(canon, "budgets"))) {
      Budget budget;
      budget.id = TRY(json::GetString(item, "id"));
      budget.limit = TRY(GetFigure(item, "limit"));
      budget.window_ns = TRY(GetFigure(item, "window_ns"));
      terms.budgets.push_back(std::move(budget));
    }
  if (const json::Value* const blast = canon.Find("blast"))
    terms.blast = Blast{TRY(GetFigure(*blast, "objects")), TRY(GetFigure(*blast, "hosts")),
                        TRY(GetFigure(*blast, "window_ns"))};
  if (canon.Find("approvers") != nullptr)
    for (const json::Value& item : TRY(GetArray(canon, "approvers"))) {
      Approver approver;
      approver.person = TRY(json::GetString(item, "person"));
      approver.roles = TRY(GetTexts(item, "roles"));
      approver.keys = TRY(GetTexts(item, "keys"));
      for (const json::Value& uid : TRY(GetArray(item, "uids"))) {
        const json::Value wrapped(json::Object{{"uid", uid}});
        approver.uids.push_back(TRY(json::GetInteger(wrapped, "uid")));
      }
      terms.approvers.push_back(std::move(approver));
    }
  if (canon.Find("producers") != nullptr)
    for (const json::Value& item : TRY(GetArray(canon, "producers"))) {
      Producer producer;
      producer.name = TRY(json::GetString(item, "name"));
      producer.key = TRY(json::GetString(item, "key"));
      terms.producers.push_back(std::move(producer));
    }
  if (canon.Find("witnessed") != nullptr)
    for (const std::string& kind : TRY(GetTexts(canon, "witnessed"))) terms.witnessed.push_back(TRY(ParseKind(kind)));
  if (const json::Value* const records = canon.Find("records")) {
    terms.records = RecordTerms{};
    for (const CustodyName& one : kCustodies) {
      const json::Value* const row = records->Find(one.name);
      if (row == nullptr) continue;
      *terms.records.*one.custody = Custody{TRY(GetFigure(*row, "count")), TRY(json::GetString(*row, "role"))};
      if ((*terms.records.*one.custody)->count == 0) return Fail(Code::kInvalid, "canon: records: count from 1 expected");
    }
    if (const json::Value* const row = records->Find("retain")) terms.records->keep_days = TRY(GetFigure(*row, "keep_days"));
  }
  if (const json::Value* const row = canon.Find("break_glass")) {
    BreakGlassTerms read;
    read.role = TRY(json::GetString(*row, "role"));
    read.review = TRY(json::GetString(*row, "review"));
    read.max_ns = TRY(GetFigure(*row, "max_ns"));
    read.rules = TRY(GetTexts(*row, "rules"));
    terms.break_glass = std::move(read);
  }
  return {};
}

void AddTerms(const RuleTerms& terms, json::Object& rule) {
  json::Array rows;
  for (const ApprovalGroup& group : terms.approvals)
    rows.emplace_back(json::Object{{"count", json::Integer(group.count)}, {"role", group.role},
                                   {"ttl_ns", json::Integer(group.ttl_ns)}});
  if (!rows.empty()) rule["approvals"] = std::move(rows);
  rows = {};
  for (const Lease& lease : terms.leases) {
    json::Object out{{"mode", lease.mode == LeaseMode::kShared ? "shared" : "exclusive"}};
    if (!lease.resource.empty()) out["resource"] = lease.resource;
    rows.emplace_back(std::move(out));
  }
  if (!rows.empty()) rule["leases"] = std::move(rows);
  if (!terms.budget.empty()) rule["budget"] = terms.budget;
  if (terms.rate)
    rule["rate"] = json::Object{{"uses", json::Integer(terms.rate->uses)},
                                {"window_ns", json::Integer(terms.rate->window_ns)}};
  if (terms.duties)
    rule["duties"] = json::Object{{"apart_from", Texts(terms.duties->apart_from)},
                                  {"window_ns", json::Integer(terms.duties->window_ns)}};
  rows = {};
  for (const Need& need : terms.needs)
    rows.emplace_back(json::Object{{"field", need.field}, {"producer", need.producer},
                                   {"min", json::Integer(need.min)}, {"max", json::Integer(need.max)}});
  if (!rows.empty()) rule["needs"] = std::move(rows);
}

Status ReadTerms(const json::Value& rule, RuleTerms& terms) {
  if (rule.Find("approvals") != nullptr)
    for (const json::Value& item : TRY(GetArray(rule, "approvals"))) {
      ApprovalGroup group;
      group.count = TRY(GetFigure(item, "count"));
      group.role = TRY(json::GetString(item, "role"));
      group.ttl_ns = TRY(GetFigure(item, "ttl_ns"));
      if (group.count == 0) return Fail(Code::kInvalid, "canon: approvals: count from 1 expected");
      terms.approvals.push_back(std::move(group));
    }
  if (rule.Find("leases") != nullptr)
    for (const json::Value& item : TRY(GetArray(rule, "leases"))) {
      Lease lease;
      lease.mode = TRY(ParseMode(TRY(json::GetString(item, "mode"))));
      if (item.Find("resource") != nullptr) lease.resource = TRY(json::GetString(item, "resource"));
      terms.leases.push_back(std::move(lease));
    }
  if (rule.Find("budget") != nullptr) terms.budget = TRY(json::GetString(rule, "budget"));
  if (const json::Value* const rate = rule.Find("rate"))
    terms.rate = Rate{TRY(GetFigure(*rate, "uses")), TRY(GetFigure(*rate, "window_ns"))};
  if (const json::Value* const row = rule.Find("duties")) {
    Duties duties;
    duties.apart_from = TRY(GetTexts(*row, "apart_from"));
    duties.window_ns = TRY(GetFigure(*row, "window_ns"));
    terms.duties = std::move(duties);
  }
  if (rule.Find("needs") != nullptr)
    for (const json::Value& item : TRY(GetArray(rule, "needs"))) {
      Need need;
      need.field = TRY(json::GetString(item, "field"));
      need.producer = TRY(json::GetString(item, "producer"));
      need.min = TRY(GetFigure(item, "min"));
      need.max = TRY(GetFigure(item, "max"));
      terms.needs.push_back(std::move(need));
    }
  return {};
}

}  // namespace proofgate::policy
