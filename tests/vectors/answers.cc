#include "tests/vectors/answers.h"

#include <algorithm>
#include <array>
#include <functional>
#include <random>

#include "bpf/gate.h"
#include "policy/approval.h"
#include "policy/bundle.h"
#include "policy/delegation.h"
#include "policy/diff.h"
#include "policy/parse.h"
#include "policy/pdp.h"
#include "policy/replay.h"
#include "policy/trace.h"

namespace proofgate {
namespace {

using policy::Canon;

Result<const json::Value*> Member(const json::Value& from, const char* key) {
  const json::Value* const value = from.Find(key);
  if (value == nullptr) return Fail(Code::kInvalid, std::string(key) + " expected");
  return value;
}

Result<const json::Array*> List(const json::Value& from, const char* key) {
  const json::Value& value = *TRY(Member(from, key));
  if (!value.is_array()) return Fail(Code::kInvalid, std::string(key) + ": a list expected");
  return &value.array();
}

json::Value Names(const std::vector<std::string>& names) {
  json::Array out;
  for (const std::string& name : names) out.emplace_back(name);
  return out;
}

Result<json::Value> Gate(const json::Value& input) {
  const json::Value& from = *TRY(Member(input, "slot"));
  const json::Value& act_json = *TRY(Member(input, "act"));
  receipt_slot slot{};
  gate_act act{};
  slot.state = static_cast<__u32>(TRY(json::GetInteger(from, "state")));
  slot.domain = static_cast<__u32>(TRY(json::GetInteger(from, "domain")));
  slot.kind = static_cast<__u32>(TRY(json::GetInteger(from, "kind")));
  slot.not_before_boot_ns = TRY(json::GetInteger(from, "not_before"));
  slot.expires_boot_ns = TRY(json::GetInteger(from, "expires"));
  slot.max_uses = TRY(json::GetInteger(from, "max_uses"));
  slot.used = TRY(json::GetInteger(from, "used"));
  slot.exe = TRY(json::GetInteger(from, "exe"));
  if (TRY(json::GetInteger(from, "standing")) != 0) slot.flags = RECEIPT_STANDING;
  if (TRY(json::GetInteger(from, "bound")) != 0) slot.flags |= RECEIPT_BOUND;
  act.domain = static_cast<__u32>(TRY(json::GetInteger(act_json, "domain")));
  act.kind = static_cast<__u32>(TRY(json::GetInteger(act_json, "kind")));
  act.exe = TRY(json::GetInteger(act_json, "exe"));
  if (TRY(json::GetInteger(act_json, "needs_use")) != 0) act.needs |= NEED_USE;
  if (TRY(json::GetInteger(act_json, "needs_standing")) != 0) act.needs |= NEED_STANDING;
  if (TRY(json::GetInteger(act_json, "sees_bindings")) != 0) act.needs |= SEES_BINDINGS;
  slot.epoch = static_cast<__u32>(TRY(json::GetInteger(from, "epoch")));
  act.epoch = static_cast<__u32>(TRY(json::GetInteger(act_json, "epoch")));
  const std::uint64_t now = TRY(json::GetInteger(input, "now"));
  return json::Value(json::Object{{"code", policy::GateCodeName(gate_decide(&slot, &act, now))}});
}

Result<json::Value> Optr(const json::Value& input) {
  const Canon canon = TRY(policy::ParseCanonJson(*TRY(Member(input, "canon"))));
  const policy::Plans plans = TRY(policy::ParsePlansJson(*TRY(Member(input, "plans"))));
  const policy::Snapshot snapshot = TRY(policy::ParseSnapshotJson(*TRY(Member(input, "snapshot"))));
  return policy::Select(canon, plans, snapshot).result;
}

Result<std::optional<std::uint64_t>> NumberIfAny(const json::Value& from, const char* key) {
  if (from.Find(key) == nullptr) return std::optional<std::uint64_t>();
  return std::optional<std::uint64_t>(TRY(json::GetInteger(from, key)));
}

Result<json::Value> Pdp(const json::Value& input) {
  const Canon canon = TRY(policy::ParseCanonJson(*TRY(Member(input, "canon"))));
  const json::Value& from = *TRY(Member(input, "request"));
  policy::Request request;
  request.rule = TRY(json::GetBytes(from, "rule"));
  if (const json::Value* const object = from.Find("object")) request.object = TRY(policy::ParseObjectJson(*object));
  request.ttl_ns = TRY(NumberIfAny(from, "ttl_ns"));
  request.uses = TRY(NumberIfAny(from, "uses"));
  if (from.Find("exe") != nullptr) request.exe = TRY(json::GetBytes(from, "exe"));
  request.binding = TRY(policy::ReadBinding(from));
  request.from_session = from.Find("from_session") != nullptr;
  const policy::Decision decision = policy::Decide(canon, request);
  json::Object out{{"code", policy::DecisionCodeName(decision.code)}, {"reason", json::Bytes(decision.reason)},
                   {"rules", Names(decision.rules)}};
  if (decision.code != policy::DecisionCode::kPermitted) return json::Value(std::move(out));
  json::Array objects;
  for (const policy::Object& object : decision.objects) objects.push_back(policy::ObjectJson(object));
  out["kind"] = policy::KindName(decision.kind);
  out["objects"] = std::move(objects);
  out["ttl_ns"] = json::Integer(decision.ttl_ns);
  out["uses"] = json::Integer(decision.uses);
  policy::AddBinding(decision.binding, out);
  return json::Value(std::move(out));
}

// A history: entries and questions in a row, against one book.
class History {
 public:
  explicit History(Canon canon)
      : canon_(std::move(canon)), digest_(Hex(Sha256(json::Encode(policy::CanonJson(canon_))))) {}

  Result<json::Value> Do(const json::Value& op) {
    if (const json::Value* const entry = op.Find("entry")) return Entry(*entry);
    if (const json::Value* const decide = op.Find("decide")) return Decide(*decide);
    if (const json::Value* const approve = op.Find("approve")) return Approve(*approve);
    if (const json::Value* const next = op.Find("next")) return Next(*next);
    if (const json::Value* const issue = op.Find("issue")) return Issue(*issue);
    if (const json::Value* const delegate = op.Find("delegate")) return Delegate(*delegate);
    return Fail(Code::kInvalid, "entry, decide, approve, next, issue or delegate expected");
  }

  json::Value Sessions() const {
    json::Array out;
    for (const auto& [id, session] : book_.sessions()) {
      json::Array steps;
      for (const policy::SessionStep& step : session.steps)
        steps.emplace_back(json::Object{{"state", policy::StepStateName(step.state)}, {"receipt", step.receipt},
                                        {"used", json::Integer(step.used)}});
      out.emplace_back(json::Object{{"session", id}, {"state", policy::SessionStateName(session.state)},
                                    {"steps", std::move(steps)}});
    }
    return out;
  }

 private:
  // The words of a refusal are for people; that it is one decides.
  json::Value Taken(std::string_view kind, const json::Value& body) {
    const auto took = book_.Apply(kind, body);
    return took ? json::Value(*took) : json::Value(CodeName(took.error().code));
  }
  Result<json::Value> Entry(const json::Value& from) {
    return Taken(TRY(json::GetString(from, "kind")), *TRY(Member(from, "body")));
  }
  Result<json::Value> Decide(const json::Value& from) {
    const std::string id = TRY(json::GetString(from, "session"));
    const std::uint64_t now_ms = TRY(json::GetInteger(from, "now_ms"));
    const policy::Plans plans = TRY(policy::ParsePlansJson(*TRY(Member(from, "plans"))));
    const json::Value value = policy::PlansJson(plans);
    const json::Value taken = Taken("PLANS", json::Object{{"session", id}, {"at_ms", json::Integer(now_ms)}, {"plans", value},
                                                          {"digest", Hex(Sha256(json::Encode(value)))}});
    if (taken != json::Value(true)) return taken;
    const policy::Snapshot snapshot =
        TRY(book_.TakeSnapshot(canon_, id, now_ms, TRY(json::GetString(from, "salt")), {}));
    policy::Selection selection;
    const policy::Session& session = *book_.Find(id);
    const std::optional<Canon> narrowed = policy::NarrowedCanon(book_, session, canon_, digest_);
    json::Object body =
        policy::DecidedBody(session, canon_, 7, plans, snapshot, selection, narrowed ? &*narrowed : nullptr);
    json::Object out{{"taken", Taken("DECIDED", body)}};
    out["body"] = std::move(body);
    return json::Value(std::move(out));
  }
  Result<json::Value> Approve(const json::Value& from) {
    const std::string id = TRY(json::GetString(from, "session"));
    const std::string person = TRY(json::GetString(from, "person"));
    const policy::Session* const session = book_.Find(id);
    if (session == nullptr) return json::Value("no session");
    const Status may = policy::MayApprove(canon_, *session, person);
    if (!may) return json::Value(CodeName(may.error().code));
    return Taken("APPROVAL", json::Object{{"session", id}, {"run", session->run}, {"person", person},
                                          {"verdict", TRY(json::GetString(from, "verdict"))},
                                          {"at_ms", json::Integer(TRY(json::GetInteger(from, "at_ms")))}});
  }
  Result<json::Value> Next(const json::Value& from) {
    const policy::Session* const session = book_.Find(TRY(json::GetString(from, "session")));
    if (session == nullptr) return json::Value("no session");
    const policy::StepDecision next =
        policy::DecideStepOf(book_, canon_, digest_, *session, TRY(json::GetInteger(from, "now_ms")));
    return json::Value(json::Object{{"code", policy::StepCodeName(next.code)}, {"reason", json::Bytes(next.reason)},
                                    {"step", json::Integer(next.step)}});
  }
  Result<json::Value> Issue(const json::Value& from) {
    const std::string id = TRY(json::GetString(from, "session"));
    const policy::Session* const session = book_.Find(id);
    if (session == nullptr) return json::Value("no session");
    json::Object receipt{{"session", id}, {"run", session->run}, {"step", json::Integer(session->NextStep())}};
    return Taken("ISSUE", json::Object{{"id", TRY(json::GetString(from, "receipt"))}, {"receipt", std::move(receipt)}});
  }

  Result<json::Value> Delegate(const json::Value& from) {
    const std::uint64_t now_ms = TRY(json::GetInteger(from, "now_ms"));
    const policy::Session* const parent = book_.Find(TRY(json::GetString(from, "parent")));
    if (parent == nullptr) return json::Value("no session");
    policy::Delegation delegation;
    delegation.rights = TRY(policy::ReadRights(*TRY(Member(from, "rights"))));
    delegation.deadline_ms = TRY(json::GetInteger(from, "deadline_ms"));
    delegation.max_cost = TRY(json::GetInteger(from, "max_cost"));
    delegation.max_uses = TRY(json::GetInteger(from, "max_uses"));
    const policy::DelegationDecision decision = policy::DecideDelegation(book_, canon_, *parent, delegation, {}, now_ms);
    json::Object out{{"code", policy::DelegationCodeName(decision.code)}, {"reason", json::Bytes(decision.reason)}};
    if (decision.code != policy::DelegationCode::kOk) return json::Value(std::move(out));
    out["taken"] = Taken("SESSION_OPEN", json::Object{
        {"session", TRY(json::GetString(from, "session"))}, {"domain", parent->domain}, {"principal", parent->principal},
        {"cgroup_id", 0}, {"at_ms", json::Integer(now_ms)}, {"deadline_ms", json::Integer(delegation.deadline_ms)},
        {"max_cost", json::Integer(delegation.max_cost)}, {"max_uses", json::Integer(delegation.max_uses)},
        {"parent", parent->id}, {"rights", policy::RightsJson(delegation.rights)}, {"canon", digest_}, {"canon_entry", 7}});
    return json::Value(std::move(out));
  }

  const Canon canon_;
  const std::string digest_;
  policy::Book book_;
};

Result<json::Value> Sessions(const json::Value& input) {
  History history(TRY(policy::ParseCanonJson(*TRY(Member(input, "canon")))));
  json::Array answers;
  for (const json::Value& op : *TRY(List(input, "ops"))) answers.push_back(TRY(history.Do(op)));
  return json::Value(json::Object{{"answers", std::move(answers)}, {"sessions", history.Sessions()}});
}

// What a text means, what a canon says of acts, how two canons relate.
Result<json::Value> CanonText(const json::Value& input) {
  const policy::ParsedCanon parsed = policy::ParseCanon(TRY(json::GetBytes(input, "text")), "canon");
  if (!parsed.diagnostics.empty()) return json::Value("refused");
  json::Array canons;
  for (const Canon& canon : parsed.canons) canons.push_back(policy::CanonJson(canon));
  return json::Value(std::move(canons));
}

Result<json::Value> CanonActs(const json::Value& input) {
  const Canon canon = TRY(policy::ParseCanonJson(*TRY(Member(input, "canon"))));
  const policy::Authority authority(canon);
  json::Array out;
  for (const json::Value& act : *TRY(List(input, "acts"))) {
    const policy::Kind kind = TRY(policy::ParseKind(TRY(json::GetString(act, "kind"))));
    const policy::ActAuthority says = authority.At(kind, TRY(policy::ParseObjectJson(*TRY(Member(act, "object")))));
    std::vector<std::string> permits;
    for (const policy::Rule* const rule : says.permits) permits.push_back(rule->id);
    out.emplace_back(json::Object{{"verdict", policy::VerdictName(says.verdict())}, {"standing", Names(says.standing)},
                                  {"permits", Names(permits)}, {"forbids", Names(says.forbids)}});
  }
  return json::Value(std::move(out));
}

Result<json::Value> CanonDiff(const json::Value& input) {
  const std::vector<Canon> before = {TRY(policy::ParseCanonJson(*TRY(Member(input, "before"))))};
  const std::vector<Canon> after = {TRY(policy::ParseCanonJson(*TRY(Member(input, "after"))))};
  const policy::CanonDiff diff = policy::DiffCanons(before, after);
  json::Array differences;
  for (const policy::Difference& difference : diff.differences)
    differences.emplace_back(json::Object{
        {"kind", policy::KindName(difference.kind)}, {"change", policy::ChangeName(difference.change)},
        {"witness", policy::ObjectJson(difference.witness)}, {"classes", json::Integer(difference.classes)},
        {"is_wider", difference.is_wider}, {"before", Names(difference.before)}, {"after", Names(difference.after)},
        {"verdict_before", policy::VerdictName(difference.verdict_before)},
        {"verdict_after", policy::VerdictName(difference.verdict_after)}});
  json::Array constructs;
  for (const policy::Construct& construct : diff.constructs)
    constructs.emplace_back(json::Object{{"what", construct.what}, {"is_wider", construct.is_wider},
                                         {"is_narrower", construct.is_narrower}});
  constexpr std::array kSubset = {"yes", "no", "undecided"};
  return json::Value(json::Object{{"relation", policy::RelationName(diff.relation)},
                                  {"differences", std::move(differences)}, {"constructs", std::move(constructs)},
                                  {"subset", kSubset.at(static_cast<std::size_t>(policy::IsSubset(after, before).is))}});
}

Result<json::Value> CanonCase(const json::Value& input) {
  if (input.Find("text") != nullptr) return CanonText(input);
  if (input.Find("acts") != nullptr) return CanonActs(input);
  return CanonDiff(input);
}

struct Semantics {
  std::string_view id;
  Result<json::Value> (*answer)(const json::Value& input);
};

// An id that is not decided by any more stays, beside the code that it names.
constexpr std::array kSemantics = {
    Semantics{policy::kGateSemantics, Gate},        Semantics{policy::kPdpSemantics, Pdp},
    Semantics{policy::kOptrSemantics, Optr},        Semantics{policy::kSessionSemantics, Sessions},
    Semantics{policy::kSemanticsId, CanonCase},
};

}  // namespace

std::vector<std::string_view> SemanticsIds() {
  std::vector<std::string_view> ids;
  for (const Semantics& semantics : kSemantics) ids.push_back(semantics.id);
  return ids;
}

Result<std::string> AnswerBy(std::string_view semantics_id, const json::Value& input) {
  for (const Semantics& semantics : kSemantics)
    if (semantics.id == semantics_id) return json::Encode(TRY(semantics.answer(input)));
  return Fail(Code::kNotFound, std::string(semantics_id) + ": no code here decides by it");
}

json::Value Reordered(std::string_view semantics_id, const json::Value& input, unsigned seed) {
  if (semantics_id != policy::kOptrSemantics) return input;
  std::mt19937 random(seed);
  // Not std::shuffle: what it makes of a seed is the library's own.
  const auto shuffled = [&random](json::Array items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random() % i]);
    return items;
  };
  json::Array plans;
  for (json::Value plan : shuffled(input.Find("plans")->Find("plans")->array())) {
    json::Array steps;
    for (const json::Value& step : plan.Find("steps")->array())
      steps.emplace_back(json::Object{{"any", shuffled(step.Find("any")->array())}});
    plan.object()["steps"] = std::move(steps);
    plans.push_back(std::move(plan));
  }
  json::Object out = input.object();
  out["plans"].object()["plans"] = std::move(plans);
  return out;
}

}  // namespace proofgate
