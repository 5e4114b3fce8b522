#include "policy/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "policy/delegation.h"

namespace proofgate::policy {
namespace {

constexpr std::array<std::string_view, 7> kStates = {"open",    "decided", "executing", "closed",
                                                     "refused", "expired", "aborted"};
constexpr std::array<std::string_view, 6> kStepStates = {"waiting", "live",   "done",
                                                         "unused",  "failed", "indeterminate"};

template <class Enum, std::size_t size>
Result<Enum> FromName(const std::array<std::string_view, size>& names, std::string_view name) {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) return Fail(Code::kInvalid, fmt::format("{} expected", fmt::join(names, ", ")));
  return static_cast<Enum>(at - names.begin());
}

Result<const json::Array*> GetList(const json::Value& from, const char* key) {
  const json::Value* const list = from.Find(key);
  if (list == nullptr || !list->is_array()) return Fail(Code::kInvalid, std::string(key) + ": a list expected");
  return &list->array();
}

Result<Figures> ReadFigures(const json::Value& from) {
  Figures figures;
  figures.ttv_us = TRY(json::GetInteger(from, "ttv_us"));
  figures.cost = TRY(json::GetInteger(from, "cost"));
  figures.risk_ppm = TRY(json::GetInteger(from, "risk_ppm"));
  figures.irreversibility = TRY(json::GetInteger(from, "irreversibility"));
  figures.success_ppm = TRY(json::GetInteger(from, "success_ppm"));
  figures.uses = TRY(json::GetInteger(from, "uses"));
  figures.ttl_ns = TRY(json::GetInteger(from, "ttl_ns"));
  figures.objects = TRY(json::GetInteger(from, "objects"));
  figures.hosts = TRY(json::GetInteger(from, "hosts"));
  return figures;
}

json::Value GrantJson(const ChosenStep& step, const Rule* rule) {
  const Figures& figures = step.figures;
  json::Object out{{"rule", step.rule},
                   {"action", ActionJson(step.action)},
                   {"figures", json::Object{{"ttv_us", json::Integer(figures.ttv_us)},
                                            {"cost", json::Integer(figures.cost)},
                                            {"risk_ppm", json::Integer(figures.risk_ppm)},
                                            {"irreversibility", json::Integer(figures.irreversibility)},
                                            {"success_ppm", json::Integer(figures.success_ppm)},
                                            {"uses", json::Integer(figures.uses)},
                                            {"ttl_ns", json::Integer(figures.ttl_ns)},
                                            {"objects", json::Integer(figures.objects)},
                                            {"hosts", json::Integer(figures.hosts)}}}};
  if (rule == nullptr) return out;
  if (!rule->terms.budget.empty()) out["budget"] = rule->terms.budget;
  json::Array leases;
  for (const Lease& lease : rule->terms.leases) {
    json::Object one{{"mode", lease.mode == LeaseMode::kShared ? "shared" : "exclusive"}};
    if (!lease.resource.empty()) one["resource"] = lease.resource;
    leases.emplace_back(std::move(one));
  }
  if (!leases.empty()) out["leases"] = std::move(leases);
  return out;
}

Result<SessionStep> ReadGrant(const json::Value& from) {
  SessionStep step;
  step.rule = TRY(json::GetString(from, "rule"));
  const json::Value* const action = from.Find("action");
  const json::Value* const figures = from.Find("figures");
  if (action == nullptr || figures == nullptr) return Fail(Code::kInvalid, "grant: action and figures expected");
  const json::Value wrapped(json::Object{
      {"format", 1},
      {"plans", json::Array{json::Object{{"steps", json::Array{json::Object{{"any", json::Array{*action}}}}}}}}});
  step.action = TRY(ParsePlansJson(wrapped)).plans.front().steps.front().any.front();
  step.figures = TRY(ReadFigures(*figures));
  if (from.Find("budget") != nullptr) step.budget = TRY(json::GetString(from, "budget"));
  if (from.Find("leases") != nullptr)
    for (const json::Value& item : *TRY(GetList(from, "leases"))) {
      Lease lease;
      lease.mode = TRY(json::GetString(item, "mode")) == "shared" ? LeaseMode::kShared : LeaseMode::kExclusive;
      if (item.Find("resource") != nullptr) lease.resource = TRY(json::GetString(item, "resource"));
      step.leases.push_back(std::move(lease));
    }
  return step;
}

std::uint64_t Saturate(std::uint64_t a, std::uint64_t b) { return a > ~b ? ~std::uint64_t{0} : a + b; }

// Still in the window? A clock that was set back does not let anything out of it.
bool IsIn(std::uint64_t at_ms, std::uint64_t window_ns, std::uint64_t now_ms) {
  return at_ms >= now_ms || now_ms - at_ms < window_ns / 1'000'000 + 1;
}

bool IsDigest(const std::string& text) { return ParseDigest(text).has_value(); }

}  // namespace

std::string_view SessionStateName(SessionState state) { return kStates[static_cast<std::size_t>(state)]; }
std::string_view StepStateName(StepState state) { return kStepStates[static_cast<std::size_t>(state)]; }
bool HasEnded(SessionState state) {
  return state != SessionState::kOpen && state != SessionState::kDecided && state != SessionState::kExecuting;
}

Taken TakenBy(const Session& session, const SessionStep& step) {
  const Figures& figures = step.figures;
  switch (step.state) {
    case StepState::kWaiting:
      if (HasEnded(session.state)) return {};
      return {figures.uses, figures.cost, figures.objects, figures.hosts};
    case StepState::kUnused: return {};
    case StepState::kDone:
    case StepState::kFailed:
      return {step.used, step.used == 0 ? 0 : figures.cost, std::min(figures.objects, step.used),
              std::min(figures.hosts, step.used)};
    case StepState::kLive:
    case StepState::kIndeterminate: break;  // nobody knows: all of it
  }
  return {figures.uses, figures.cost, figures.objects, figures.hosts};
}

std::size_t Session::NextStep() const {
  std::size_t next = 0;
  while (next < steps.size() && steps[next].state == StepState::kDone) ++next;
  return next;
}

const Session* Book::Find(std::string_view id) const {
  const auto at = sessions_.find(id);
  return at == sessions_.end() ? nullptr : &at->second;
}

Result<Session*> Book::Get(const json::Value& body, std::initializer_list<SessionState> in) {
  const std::string id = TRY(json::GetString(body, "session"));
  const auto at = sessions_.find(id);
  if (at == sessions_.end()) return Fail(Code::kNotFound, "no session " + EscapeForPeople(id));
  if (std::find(in.begin(), in.end(), at->second.state) == in.end())
    return Fail(Code::kInvalid, fmt::format("session {} is {}", id, SessionStateName(at->second.state)));
  return &at->second;
}

Result<bool> Book::Apply(std::string_view kind, const json::Value& body) {
  if (kind == "SESSION_OPEN") TRY(Open(body));
  else if (kind == "EVIDENCE") TRY(AddEvidence(body));
  else if (kind == "PLANS") TRY(Complete(body));
  else if (kind == "DECIDED") TRY(Decide(body));
  else if (kind == "APPROVAL") TRY(Approve(body));
  else if (kind == "OUTCOME") TRY(Settle(body));
  else if (kind == "SESSION_END") TRY(End(body));
  else if (kind == "ISSUE" && body.Find("receipt") != nullptr && body.Find("receipt")->Find("session") != nullptr)
    TRY(Issue(body));
  else return false;
  return true;
}

Status Book::Open(const json::Value& body) {
  Session session;
  session.id = TRY(json::GetString(body, "session"));
  session.domain = TRY(json::GetString(body, "domain"));
  session.principal = TRY(json::GetString(body, "principal"));
  session.cgroup_id = TRY(json::GetInteger(body, "cgroup_id"));
  session.opened_ms = TRY(json::GetInteger(body, "at_ms"));
  session.deadline_ms = TRY(json::GetInteger(body, "deadline_ms"));
  if (session.id.empty() || session.deadline_ms <= session.opened_ms ||
      session.deadline_ms - session.opened_ms > kMaxWindowMs)
    return Fail(Code::kInvalid, "session: an id and a deadline within 24h expected");
  if (body.Find("max_cost") != nullptr) session.max_cost = TRY(json::GetInteger(body, "max_cost"));
  if (body.Find("max_uses") != nullptr) session.max_uses = TRY(json::GetInteger(body, "max_uses"));
  if (body.Find("parent") != nullptr) {
    session.parent = TRY(json::GetString(body, "parent"));
    const json::Value* const rights = body.Find("rights");
    const Session* const parent = Find(session.parent);
    if (rights == nullptr || !session.max_cost || !session.max_uses)
      return Fail(Code::kInvalid, "session: a child has rights, max_cost and max_uses");
    if (parent == nullptr || HasEnded(parent->state) || !parent->parent.empty() || parent->domain != session.domain ||
        parent->principal != session.principal || parent->deadline_ms < session.deadline_ms)
      return Fail(Code::kInvalid, fmt::format("session: {} can be no parent of {}", session.parent, session.id));
    session.rights = TRY(ReadRights(*rights));
    session.rights_canon = TRY(json::GetString(body, "canon"));
  }
  if (sessions_.contains(session.id)) return Fail(Code::kInvalid, "session " + session.id + " is there already");
  sessions_.emplace(session.id, std::move(session));
  return {};
}

Status Book::AddEvidence(const json::Value& body) {
  Session& session = *TRY(Get(body, {SessionState::kOpen}));
  Evidence evidence;
  evidence.digest = TRY(json::GetString(body, "digest"));
  evidence.kind = TRY(json::GetString(body, "kind"));
  if (!IsDigest(evidence.digest)) return Fail(Code::kInvalid, "evidence: a SHA-256 digest expected");
  if (session.evidence.size() >= kMaxEvidence)
    return Fail(Code::kInvalid, fmt::format("session {} has {} pieces of evidence, no more are taken", session.id, kMaxEvidence));
  if (body.Find("producer") != nullptr) {
    evidence.producer = TRY(json::GetString(body, "producer"));
    const json::Value* const fields = body.Find("fields");
    if (fields == nullptr || !fields->is_object() || fields->object().size() > kMaxFields)
      return Fail(Code::kInvalid, fmt::format("evidence: at most {} fields expected", kMaxFields));
    for (const auto& [name, value] : fields->object())
      evidence.fields[name] = TRY(json::GetInteger(*fields, name));
  } else if (body.Find("fields") != nullptr) {
    return Fail(Code::kInvalid, "evidence: fields count only when their producer has signed them");
  }
  session.evidence.push_back(std::move(evidence));
  return {};
}

Status Book::Complete(const json::Value& body) {
  Session& session = *TRY(Get(body, {SessionState::kOpen}));
  const std::string digest = TRY(json::GetString(body, "digest"));
  const json::Value* const plans = body.Find("plans");
  if (plans == nullptr || Hex(Sha256(json::Encode(*plans))) != digest)
    return Fail(Code::kInvalid, "plans: they do not have the digest that is given");
  if (!session.plans.empty()) return Fail(Code::kInvalid, "session " + session.id + " has handed its plans over already");
  session.plans = digest;
  return {};
}

Status Book::Decide(const json::Value& body) {
  Session& session = *TRY(Get(body, {SessionState::kOpen}));
  if (session.plans.empty() || TRY(json::GetString(body, "plans")) != session.plans)
    return Fail(Code::kInvalid, "decision: not about the plans of session " + session.id);
  Session next = session;
  next.decided_ms = TRY(json::GetInteger(body, "at_ms"));
  next.canon = TRY(json::GetString(body, "canon"));
  if (TRY(json::GetString(body, "code")) != OptrCodeName(OptrCode::kPermitted)) {
    next.state = SessionState::kRefused;
  } else {
    next.state = SessionState::kDecided;
    next.run = TRY(json::GetString(body, "run"));
    next.plan = TRY(json::GetString(body, "plan"));
    next.rendering = TRY(json::GetString(body, "rendering"));
    for (const json::Value& grant : *TRY(GetList(body, "grants"))) next.steps.push_back(TRY(ReadGrant(grant)));
    if (next.steps.empty()) return Fail(Code::kInvalid, "decision: a plan with steps expected");
  }
  session = std::move(next);
  return {};
}

Status Book::Approve(const json::Value& body) {
  Session& session = *TRY(Get(body, {SessionState::kDecided, SessionState::kExecuting}));
  if (TRY(json::GetString(body, "run")) != session.run)
    return Fail(Code::kInvalid, "approval: of another plan or of another decision");
  Approval approval;
  approval.person = TRY(json::GetString(body, "person"));
  const std::string verdict = TRY(json::GetString(body, "verdict"));
  if (verdict != "approve" && verdict != "deny") return Fail(Code::kInvalid, "approval: approve or deny expected");
  approval.approves = verdict == "approve";
  approval.at_ms = TRY(json::GetInteger(body, "at_ms"));
  session.approvals.push_back(std::move(approval));
  return {};
}

Status Book::Issue(const json::Value& body) {
  const json::Value& receipt = *body.Find("receipt");
  Session& session = *TRY(Get(receipt, {SessionState::kDecided, SessionState::kExecuting}));
  const std::uint64_t step = TRY(json::GetInteger(receipt, "step"));
  if (TRY(json::GetString(receipt, "run")) != session.run || step != session.NextStep() ||
      step >= session.steps.size() || session.steps[step].state != StepState::kWaiting)
    return Fail(Code::kInvalid, fmt::format("receipt: step {} of session {} may not be issued now", step, session.id));
  session.steps[step].receipt = TRY(json::GetString(body, "id"));
  session.steps[step].state = StepState::kLive;
  session.state = SessionState::kExecuting;
  return {};
}

Status Book::Settle(const json::Value& body) {
  Session& session = *TRY(Get(body, {SessionState::kExecuting}));
  const std::uint64_t step = TRY(json::GetInteger(body, "step"));
  const StepState result = TRY(FromName<StepState>(kStepStates, TRY(json::GetString(body, "result"))));
  const std::uint64_t used = TRY(json::GetInteger(body, "used"));
  if (step >= session.steps.size() || session.steps[step].state != StepState::kLive ||
      TRY(json::GetString(body, "receipt")) != session.steps[step].receipt)
    return Fail(Code::kInvalid, fmt::format("outcome: step {} of session {} has no live receipt of this id", step, session.id));
  const bool fits = result == StepState::kIndeterminate || result == StepState::kFailed ||
                    (result == StepState::kDone && used > 0) || (result == StepState::kUnused && used == 0);
  if (!fits || used > session.steps[step].figures.uses)
    return Fail(Code::kInvalid, "outcome: result and uses do not fit");
  session.steps[step].state = result;
  session.steps[step].used = used;
  return {};
}

Status Book::End(const json::Value& body) {
  Session& session = *TRY(Get(body, {SessionState::kOpen, SessionState::kDecided, SessionState::kExecuting}));
  const SessionState state = TRY(FromName<SessionState>(kStates, TRY(json::GetString(body, "state"))));
  const bool any_live = std::any_of(session.steps.begin(), session.steps.end(),
                                    [](const SessionStep& step) { return step.state == StepState::kLive; });
  const bool all_done = session.NextStep() == session.steps.size();
  if (state != SessionState::kClosed && state != SessionState::kExpired && state != SessionState::kAborted)
    return Fail(Code::kInvalid, "end: closed, expired or aborted expected");
  if (any_live) return Fail(Code::kInvalid, "end: a step is live; its outcome comes first");
  if (state == SessionState::kClosed && session.state == SessionState::kExecuting && !all_done)
    return Fail(Code::kInvalid, "end: not every step is done");
  if (state == SessionState::kClosed && session.state == SessionState::kDecided)
    return Fail(Code::kInvalid, "end: no step was executed");
  session.end_reason = TRY(json::GetBytes(body, "reason"));
  session.state = state;
  return {};
}

Result<Snapshot> Book::TakeSnapshot(const Canon& canon, std::string_view id, std::uint64_t now_ms,
                                    std::string salt, std::map<std::string, std::string> aliases) const {
  const Session* const session = Find(id);
  if (session == nullptr) return Fail(Code::kNotFound, "no session " + EscapeForPeople(id));
  Snapshot snapshot;
  snapshot.now_ms = now_ms;
  snapshot.session = session->id;
  snapshot.principal = session->principal;
  snapshot.salt = std::move(salt);
  snapshot.aliases = std::move(aliases);
  std::map<std::pair<std::string, std::string>, std::uint64_t> fields;  // the newest of each counts
  for (const Evidence& evidence : session->evidence)
    for (const auto& [name, value] : evidence.fields) fields[{evidence.producer, name}] = value;
  for (const auto& [name, value] : fields) snapshot.fields.push_back({name.first, name.second, value});

  for (const Budget& budget : canon.terms.budgets) snapshot.budgets[budget.id] = 0;
  for (const Rule& rule : canon.rules)
    if (rule.terms.rate) snapshot.rates[rule.id] = 0;
  for (const auto& [other_id, other] : sessions_) {
    // Leases are between all sessions of the host, whatever their domain.
    if (!HasEnded(other.state) && other_id != id)
      for (const SessionStep& step : other.steps)
        for (const Lease& lease : step.leases) {
          HeldLease held;
          held.session = other_id;
          held.mode = lease.mode;
          held.resource = lease.resource;
          if (lease.resource.empty()) {
            held.kind = step.action.kind;
            held.object = step.action.object;
          }
          snapshot.leases.push_back(std::move(held));
        }
    if (other.domain != session->domain) continue;
    for (const SessionStep& step : other.steps) {
      const Taken taken = TakenBy(other, step);
      if (!step.budget.empty())
        if (const Budget* const budget = canon.terms.FindBudget(step.budget);
            budget != nullptr && IsIn(other.decided_ms, budget->window_ns, now_ms))
          snapshot.budgets[step.budget] = Saturate(snapshot.budgets[step.budget], taken.cost);
      const Rule* const rule = canon.FindRule(step.rule);
      if (rule != nullptr && rule->terms.rate && IsIn(other.decided_ms, rule->terms.rate->window_ns, now_ms))
        snapshot.rates[step.rule] = Saturate(snapshot.rates[step.rule], taken.uses);
      if (canon.terms.blast && IsIn(other.decided_ms, canon.terms.blast->window_ns, now_ms)) {
        snapshot.blast_objects = Saturate(snapshot.blast_objects, taken.objects);
        snapshot.blast_hosts = Saturate(snapshot.blast_hosts, taken.hosts);
      }
      if (other.principal != session->principal || taken.uses == 0) continue;
      for (const Rule& apart : canon.rules) {
        if (!apart.terms.duties || !IsIn(other.decided_ms, apart.terms.duties->window_ns, now_ms)) continue;
        const auto& others = apart.terms.duties->apart_from;
        if (std::find(others.begin(), others.end(), step.rule) != others.end()) snapshot.apart.emplace(apart.id, step.rule);
      }
    }
  }
  return snapshot;
}

std::vector<std::string> Book::Forget(std::uint64_t now_ms) {
  std::vector<std::string> forgotten;
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    const Session& session = at->second;
    const std::uint64_t last_ms = std::max(session.decided_ms, session.deadline_ms);
    if (!HasEnded(session.state) || last_ms >= now_ms || now_ms - last_ms <= kMaxWindowMs) {
      ++at;
      continue;
    }
    forgotten.push_back(session.id);
    at = sessions_.erase(at);
  }
  return forgotten;
}

std::string EvidenceStatement(std::string_view session, const Evidence& evidence) {
  json::Object fields;
  for (const auto& [name, value] : evidence.fields) fields[name] = json::Integer(value);
  return json::Encode(json::Object{{"format", 1},
                                   {"session", session},
                                   {"digest", evidence.digest},
                                   {"kind", evidence.kind},
                                   {"fields", std::move(fields)}}) +
         "\n";
}

json::Object DecidedBody(const Session& session, const Canon& canon, std::uint64_t canon_entry,
                         const Plans& plans, const Snapshot& snapshot, Selection& selection,
                         const Canon* narrowed) {
  selection = Select(narrowed == nullptr ? canon : *narrowed, plans, snapshot);
  const json::Value& result = selection.result;
  json::Object body{{"session", session.id},
                    {"domain", session.domain},
                    {"at_ms", json::Integer(snapshot.now_ms)},
                    {"canon_entry", json::Integer(canon_entry)},
                    {"semantics", kOptrSemantics},
                    {"canon", *result.Find("canon")},
                    {"plans", *result.Find("plans")},
                    {"snapshot", SnapshotJson(snapshot)},
                    {"code", OptrCodeName(selection.code)},
                    {"result", selection.digest}};
  if (narrowed != nullptr) {
    body["canon"] = Hex(Sha256(json::Encode(CanonJson(canon))));
    body["rights"] = *result.Find("canon");
  }
  if (const json::Value* const nearest = result.Find("nearest")) body["nearest"] = *nearest;
  if (selection.code != OptrCode::kPermitted) return body;
  body["plan"] = selection.plan;
  body["rendering"] = Hex(Sha256(RenderSelection(selection)));
  json::Array grants;
  for (const ChosenStep& step : selection.steps) grants.push_back(GrantJson(step, canon.FindRule(step.rule)));
  body["grants"] = std::move(grants);
  body["run"] = Hex(Sha256(json::Encode(body)));
  return body;
}

}  // namespace proofgate::policy
