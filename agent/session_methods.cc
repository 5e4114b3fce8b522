#include "agent/session_methods.h"

#include <fmt/format.h>

#include "policy/trace.h"

namespace proofgate::agent {
namespace {

constexpr std::uint64_t kLookBack = 2000;  // entries that `why` reads

Result<std::uint64_t> Duration(Call& call) {
  return TRY(call.params.NumberIfAny("duration_ms")).value_or(kDefaultSessionMs);
}

Result<Sessions::Bounds> ReadBounds(Call& call) {
  Sessions::Bounds bounds;
  bounds.max_cost = TRY(call.params.NumberIfAny("max_cost"));
  bounds.max_uses = TRY(call.params.NumberIfAny("max_uses"));
  return bounds;
}

Result<Sessions::NewChild> ReadChild(Call& call) {
  Sessions::NewChild child;
  child.rights = TRY(call.params.Needed("rights"));
  child.duration_ms = TRY(call.params.NumberIfAny("duration_ms"));
  child.max_cost = TRY(call.params.Number("max_cost"));
  child.max_uses = TRY(call.params.Number("max_uses"));
  return child;
}

Result<json::Object> Delegate(Call& call, const std::string& parent, const Sessions::NewChild& child,
                              std::optional<int> pid) {
  std::string code;
  auto opened = call.agent.Delegate(parent, child, pid, code);
  if (!code.empty()) call.error_data["decision"] = code;
  return opened;
}

Result<Sessions::NewEvidence> ReadEvidence(Call& call) {
  Sessions::NewEvidence evidence;
  evidence.kind = TRY(call.params.Text("kind"));
  evidence.digest = TRY(call.params.TextOr("digest", ""));
  evidence.content = TRY(call.params.TextIfAny("content"));
  evidence.signature = TRY(call.params.TextOr("signature", ""));
  if (const json::Value* const fields = call.params.Any("fields")) {
    if (!fields->is_object() || fields->object().size() > policy::kMaxFields)
      return Fail(Code::kInvalid, fmt::format("fields: an object with at most {} members expected", policy::kMaxFields));
    for (const auto& [name, value] : fields->object()) {
      if (name.empty() || name.size() > 64) return Fail(Code::kInvalid, "fields: names of 1 to 64 characters expected");
      evidence.fields[name] = value.is_bool() ? (value.boolean() ? 1 : 0) : TRY(json::GetInteger(*fields, name));
    }
  }
  return evidence;
}

Result<std::uint64_t> ReadStatus(Call& call) {
  const std::uint64_t status = TRY(call.params.NumberIfAny("status")).value_or(0);
  TRY(call.params.Done());
  return status;
}

Result<json::Object> Next(Call& call, const std::string& session, std::uint64_t status) {
  std::string code;
  auto next = call.agent.sessions().Next(session, status, code);
  if (!code.empty()) call.error_data["decision"] = code;
  return next;
}

Result<bool> Verdict(Call& call) {
  return TRY(call.params.OneOf("verdict", {"approve", "deny"})) == "approve";
}

// Operators -------------------------------------------------------------------

Result<json::Object> OpenByOperator(Call& call) {
  const std::string domain = TRY(call.params.Text("domain"));
  const std::uint64_t duration = TRY(Duration(call));
  const std::uint64_t uid = TRY(call.params.NumberIfAny("uid")).value_or(0);
  const bool own_cgroup = TRY(call.params.Flag("cgroup"));
  const Sessions::Bounds bounds = TRY(ReadBounds(call));
  TRY(call.params.Done());
  return call.agent.OpenSession(domain, fmt::format("uid:{}", uid), duration,
                                own_cgroup ? Agent::SessionCgroup::kOwn : Agent::SessionCgroup::kNone, bounds);
}

Result<json::Object> ApproveByOperator(Call& call) {
  const std::string session = TRY(call.params.Text("session"));
  const bool approves = TRY(Verdict(call));
  const std::string signature = TRY(call.params.Text("signature"));
  const std::string reason = TRY(call.params.TextOr("reason", ""));
  TRY(call.params.Done());
  return call.agent.sessions().ApproveBySignature(session, approves, signature, reason);
}

Result<json::Object> RevokeByOperator(Call& call) {
  Agent::RevokeQuery which;
  which.domain = TRY(call.params.TextOr("domain", ""));
  which.rule = TRY(call.params.TextOr("rule", ""));
  which.canon = TRY(call.params.TextOr("canon", ""));
  which.session = TRY(call.params.TextOr("session", ""));
  which.person = TRY(call.params.TextOr("person", ""));
  const bool everything = TRY(call.params.Flag("everything"));
  const std::string why = TRY(call.params.TextOr("why", "asked for"));
  TRY(call.params.Done());
  if (everything != (which.domain + which.rule + which.canon + which.session + which.person).empty())
    return Fail(Code::kInvalid, "either everything, or some of domain, rule, canon, session and person expected");
  return call.agent.RevokeAll(which, why);
}

Result<json::Object> DraftBreakGlass(Call& call) {
  Agent::BreakGlassDraft draft;
  draft.domain = TRY(call.params.Text("domain"));
  draft.rule = TRY(call.params.Text("rule"));
  draft.object = TRY(call.params.Text("object"));
  draft.person = TRY(call.params.Text("person"));
  draft.uses = TRY(call.params.Number("uses"));
  draft.duration_ms = TRY(call.params.Number("duration_ms"));
  draft.reason = TRY(call.params.Text("reason"));
  TRY(call.params.Done());
  if (draft.duration_ms == 0 || draft.duration_ms > policy::kMaxWindowMs)
    return Fail(Code::kInvalid, "duration_ms: from 1 ms to 24h expected");
  return call.agent.DraftBreakGlass(draft);
}

Result<json::Object> UseBreakGlass(Call& call) {
  const std::string statement = TRY(call.params.Text("statement"));
  const std::string signature = TRY(call.params.Text("signature"));
  TRY(call.params.Done());
  std::string code;
  auto used = call.agent.UseBreakGlass(statement, signature, call.caller.principal, code);
  if (!code.empty()) call.error_data["decision"] = code;
  return used;
}

Result<json::Object> ReviewBreakGlass(Call& call) {
  const std::string id = TRY(call.params.Text("id"));
  const bool was_justified = TRY(call.params.OneOf("verdict", {"justified", "unjustified"})) == "justified";
  const std::string reason = TRY(call.params.Text("reason"));
  const std::string signature = TRY(call.params.Text("signature"));
  TRY(call.params.Done());
  std::string code;
  auto reviewed = call.agent.ReviewBreakGlass(id, was_justified, reason, signature, call.caller.principal, code);
  if (!code.empty()) call.error_data["decision"] = code;
  return reviewed;
}

// Governed processes ----------------------------------------------------------

// The session of the caller's cgroup. A name in the message changes nothing.
Result<std::string> OwnSession(Call& call) {
  const policy::Session* const session = call.agent.sessions().FindByCgroup(call.caller.cgroup_id);
  if (session == nullptr) return Fail(Code::kNotFound, "no session is open in this cgroup; open one first");
  return session->id;
}

Result<json::Object> OpenByItself(Call& call) {
  const std::uint64_t duration = TRY(Duration(call));
  const Sessions::Bounds bounds = TRY(ReadBounds(call));
  TRY(call.params.Done());
  if (const policy::Session* const session = call.agent.sessions().FindByCgroup(call.caller.cgroup_id))
    return Fail(Code::kInvalid, "session " + session->id + " is open in this cgroup; end it first");
  return call.agent.sessions().Open(call.caller.domain, call.caller.principal, call.caller.cgroup_id, duration, bounds);
}

// The caller gives up all of its session's rights but these: it moves into a child
// session's cgroup itself. Nobody else is moved.
Result<json::Object> BecomeChild(Call& call) {
  const Sessions::NewChild child = TRY(ReadChild(call));
  TRY(call.params.Done());
  return Delegate(call, TRY(OwnSession(call)), child, call.caller.pid);
}

// The newest refusal in the caller's domain and cgroup, explained.
Result<json::Object> Why(Call& call) {
  TRY(call.params.Done());
  const json::Object flushed = TRY(call.agent.Flush());
  const std::uint64_t size = TRY(json::GetInteger(json::Value(flushed), "size"));
  for (std::uint64_t back = 1; back <= std::min(size, kLookBack); ++back) {
    const json::Object one = TRY(call.agent.Entries(size - back, 1));
    const json::Value& leaf = one.at("entries").array().at(0);
    const json::Value* const body = leaf.Find("body");
    if (body == nullptr || json::GetString(leaf, "kind").value_or("") != "DENY" ||
        json::GetString(*body, "domain").value_or("") != call.caller.domain ||
        json::GetInteger(*body, "cgroup").value_or(0) != call.caller.cgroup_id)
      continue;
    const std::string code = json::GetString(*body, "code").value_or("?");
    json::Object out{{"entry", json::Integer(size - back)}, {"code", code},
                     {"reason", policy::GateReason(code)},
                     {"advice", "This is policy, not a fault. Do not try another route to the same effect: propose a plan "
                                "that uses one of the rules (rights), or ask an operator."}};
    for (const char* key : {"kind", "op", "path", "address", "program", "pid", "receipt"})
      if (const json::Value* const value = body->Find(key)) out[key] = *value;
    return out;
  }
  return Fail(Code::kNotFound, "nothing was refused here lately");
}

}  // namespace

void AddOperatorMethods(MethodTable& methods) {
  methods["session.open"] = OpenByOperator;
  methods["session.delegate"] = [](Call& call) -> Result<json::Object> {
    const std::string session = TRY(call.params.Text("session"));
    const Sessions::NewChild child = TRY(ReadChild(call));
    TRY(call.params.Done());
    return Delegate(call, session, child, std::nullopt);
  };
  methods["session.evidence"] = [](Call& call) -> Result<json::Object> {
    const std::string session = TRY(call.params.Text("session"));
    Sessions::NewEvidence evidence = TRY(ReadEvidence(call));
    TRY(call.params.Done());
    return call.agent.sessions().AddEvidence(session, std::move(evidence));
  };
  methods["session.complete"] = [](Call& call) -> Result<json::Object> {
    const std::string session = TRY(call.params.Text("session"));
    const std::string plans = TRY(call.params.Text("plans"));
    TRY(call.params.Done());
    return call.agent.sessions().Complete(session, plans);
  };
  methods["session.next"] = [](Call& call) -> Result<json::Object> {
    const std::string session = TRY(call.params.Text("session"));
    return Next(call, session, TRY(ReadStatus(call)));
  };
  methods["session.abort"] = [](Call& call) -> Result<json::Object> {
    const std::string session = TRY(call.params.Text("session"));
    const std::string why = TRY(call.params.TextOr("why", "asked for"));
    TRY(call.params.Done());
    return call.agent.sessions().Abort(session, why);
  };
  methods["session.show"] = [](Call& call) -> Result<json::Object> {
    const std::string session = TRY(call.params.Text("session"));
    TRY(call.params.Done());
    return call.agent.sessions().Show(session);
  };
  methods["session.list"] = [](Call& call) -> Result<json::Object> {
    TRY(call.params.Done());
    return call.agent.sessions().List();
  };
  methods["session.approve"] = ApproveByOperator;
  methods["break_glass.draft"] = DraftBreakGlass;
  methods["break_glass.use"] = UseBreakGlass;
  methods["break_glass.review"] = ReviewBreakGlass;
  methods["break_glass.list"] = [](Call& call) -> Result<json::Object> {
    TRY(call.params.Done());
    return json::Object{{"break_glass", TRY(call.agent.WaitingBreakGlass())}};
  };
  methods["receipt.revoke_all"] = RevokeByOperator;
  methods["domain.stop"] = [](Call& call) -> Result<json::Object> {
    const std::string domain = TRY(call.params.Text("domain"));
    const std::string why = TRY(call.params.TextOr("why", "asked for"));
    TRY(call.params.Done());
    return call.agent.StopDomain(domain, why);
  };
  methods["domain.resume"] = [](Call& call) -> Result<json::Object> {
    const std::string domain = TRY(call.params.Text("domain"));
    TRY(call.params.Done());
    return call.agent.ResumeDomain(domain);
  };
  methods["rights"] = [](Call& call) -> Result<json::Object> {
    const std::string domain = TRY(call.params.Text("domain"));
    TRY(call.params.Done());
    return call.agent.ListRights(domain);
  };
}

const MethodTable& GovernedMethods() {
  static const MethodTable methods = {
      {"rights",
       [](Call& call) -> Result<json::Object> {
         TRY(call.params.Done());
         return call.agent.ListRights(call.caller.domain);
       }},
      {"session.open", OpenByItself},
      {"session.delegate", BecomeChild},
      {"session.evidence",
       [](Call& call) -> Result<json::Object> {
         Sessions::NewEvidence evidence = TRY(ReadEvidence(call));
         TRY(call.params.Done());
         return call.agent.sessions().AddEvidence(TRY(OwnSession(call)), std::move(evidence));
       }},
      {"session.complete",
       [](Call& call) -> Result<json::Object> {
         const std::string plans = TRY(call.params.Text("plans"));
         TRY(call.params.Done());
         return call.agent.sessions().Complete(TRY(OwnSession(call)), plans);
       }},
      {"session.next",
       [](Call& call) -> Result<json::Object> {
         const std::uint64_t status = TRY(ReadStatus(call));
         return Next(call, TRY(OwnSession(call)), status);
       }},
      {"session.show",
       [](Call& call) -> Result<json::Object> {
         TRY(call.params.Done());
         return call.agent.sessions().Show(TRY(OwnSession(call)));
       }},
      {"session.abort",
       [](Call& call) -> Result<json::Object> {
         const std::string why = TRY(call.params.TextOr("why", "by itself"));
         TRY(call.params.Done());
         return call.agent.sessions().Abort(TRY(OwnSession(call)), why);
       }},
      {"why", Why},
  };
  return methods;
}

const MethodTable& ApproverMethods() {
  static const MethodTable methods = {
      {"session.show",
       [](Call& call) -> Result<json::Object> {
         const std::string session = TRY(call.params.Text("session"));
         TRY(call.params.Done());
         return call.agent.sessions().Show(session);
       }},
      {"session.approve",
       [](Call& call) -> Result<json::Object> {
         const std::string session = TRY(call.params.Text("session"));
         const bool approves = TRY(Verdict(call));
         const std::string reason = TRY(call.params.TextOr("reason", ""));
         TRY(call.params.Done());
         return call.agent.sessions().ApproveByUid(session, approves, call.caller.uid, reason);
       }},
  };
  return methods;
}

}  // namespace proofgate::agent
