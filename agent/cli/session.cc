// session, approve, deny, stop, resume.

#include <fmt/format.h>

#include <cstdio>
#include <functional>

#include "agent/cli/client.h"
#include "agent/cli/commands.h"
#include "base/bytes.h"
#include "base/durable.h"
#include "policy/object.h"
#include "policy/parse.h"
#include "policy/plan.h"
#include "policy/session.h"

namespace proofgate::cli {
namespace {

std::string Text(const json::Value& from, const char* key) {
  return policy::EscapeForPeople(json::GetBytes(from, key).value_or(""));
}

int Print(const Reply& reply, const Options& options, const std::function<void(const json::Value&)>& print) {
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) PrintJson(reply.result);
  else print(reply.result);
  return kDone;
}

Status AddDuration(const Options& options, json::Object& params) {
  if (options.ttl.empty()) return {};
  const auto ns = policy::ParseDuration(options.ttl);
  if (!ns) return Fail(Code::kInvalid, "--for: " + ns.error().message);
  params["duration_ms"] = json::Integer(*ns / 1'000'000);
  return {};
}

void PrintSession(const json::Value& session) {
  fmt::print("session {}  {}  domain {}  {}  until {}\n", Text(session, "session"), Text(session, "state"),
             Text(session, "domain"), Text(session, "principal"), Text(session, "deadline_utc"));
  if (session.Find("parent") != nullptr) {
    fmt::print("  parent   {}\n", Text(session, "parent"));
    for (const json::Value& right : session.Find("rights")->array()) fmt::print("  right    {}\n", Text(right, "rule"));
  }
  if (session.Find("plan") != nullptr) fmt::print("  plan     {}\n  decision {}\n", Text(session, "plan"), Text(session, "run"));
  if (const json::Value* const steps = session.Find("steps"))
    for (const json::Value& step : steps->array())
      fmt::print("  step     {:13} {} {} under {}: {} of {} uses{}\n", Text(step, "state"), Text(step, "kind"),
                 Text(step, "object"), Text(step, "rule"), json::GetInteger(step, "used").value_or(0),
                 json::GetInteger(step, "uses").value_or(0),
                 step.Find("receipt") == nullptr ? "" : ", receipt " + Text(step, "receipt").substr(0, 12));
  if (const json::Value* const approvals = session.Find("approvals"))
    for (const json::Value& approval : approvals->array())
      fmt::print("  approval {} by {}\n", Text(approval, "verdict"), Text(approval, "person"));
  if (session.Find("next") != nullptr)
    fmt::print("  next     {} {}\n", Text(session, "next"), Text(session, "next_reason"));
  if (session.Find("reason") != nullptr) fmt::print("  ended    {}\n", Text(session, "reason"));
}

}  // namespace

int OpenSession(const Options& options) {
  json::Object params{{"domain", json::Bytes(options.domain)}};
  if (const Status lasts = AddDuration(options, params); !lasts) return Complain(lasts.error(), options.json, kUsage);
  if (options.cost) params["max_cost"] = json::Integer(*options.cost);
  if (options.uses) params["max_uses"] = json::Integer(*options.uses);
  if (options.uid) params["uid"] = json::Integer(*options.uid);
  return Print(Call("session.open", std::move(params)), options,
               [](const json::Value& result) { fmt::print("{}\n", Text(result, "session")); });
}

int DelegateSession(const Options& options) {
  json::Object params{{"session", json::Bytes(options.id)}};
  if (const Status lasts = AddDuration(options, params); !lasts) return Complain(lasts.error(), options.json, kUsage);
  params["max_cost"] = json::Integer(*options.cost);  // both are required
  params["max_uses"] = json::Integer(*options.uses);
  // An object is written in the way of the rule's kind, which the daemon knows.
  json::Array rights;
  for (const std::string& right : options.rights) {
    const std::size_t equals = right.find('=');
    json::Object one{{"rule", json::Bytes(right.substr(0, equals))}};
    if (equals != std::string::npos) one["object"] = json::Bytes(right.substr(equals + 1));
    rights.emplace_back(std::move(one));
  }
  params["rights"] = std::move(rights);
  return Print(Call("session.delegate", std::move(params)), options,
               [](const json::Value& result) { fmt::print("{}\n", Text(result, "session")); });
}

int AddEvidence(const Options& options) {
  const auto content = ReadFile(options.file, 2u << 20);
  if (!content) return Complain(content.error(), options.json);
  json::Object params{{"session", json::Bytes(options.id)}, {"kind", json::Bytes(options.kind)},
                      {"digest", Hex(Sha256(*content))}};
  json::Object fields;
  for (const std::string& field : options.fields) {
    const std::size_t equals = field.find('=');
    const std::string value = equals == std::string::npos ? "" : field.substr(equals + 1);
    if (value.empty() || value.find_first_not_of("0123456789") != std::string::npos || value.size() > 15)
      return Complain(Error{Code::kInvalid, "--field: NAME=WHOLE_NUMBER expected"}, options.json, kUsage);
    fields[field.substr(0, equals)] = json::Integer(std::stoull(value));
  }
  if (options.statement) {
    policy::Evidence evidence{Hex(Sha256(*content)), options.kind, "", {}};
    const json::Value wrapped(fields);
    for (const auto& [name, value] : fields) evidence.fields[name] = json::GetInteger(wrapped, name).value_or(0);
    fmt::print("{}", policy::EvidenceStatement(options.id, evidence));
    return kDone;
  }
  if (!fields.empty()) params["fields"] = std::move(fields);
  if (!options.signature.empty()) {
    const auto signature = ReadFile(options.signature, 1 << 16);
    if (!signature) return Complain(signature.error(), options.json);
    params["signature"] = json::Bytes(*signature);
  }
  return Print(Call("session.evidence", std::move(params)), options,
               [](const json::Value& result) { fmt::print("{}\n", Text(result, "digest")); });
}

int CompleteSession(const Options& options) {
  const auto plans = ReadFile(options.file, policy::kMaxPlansBytes);
  if (!plans) return Complain(plans.error(), options.json);
  // Told here, with the file's name; the daemon reads it again.
  const auto parsed = policy::ParsePlans(*plans);
  if (!parsed) return Complain(Error{parsed.error().code, options.file + ": " + parsed.error().message}, options.json);
  const Reply reply = Call("session.complete", {{"session", json::Bytes(options.id)}, {"plans", json::Bytes(*plans)}});
  const int printed = Print(reply, options, [](const json::Value& result) {
    fmt::print("{}: {}\n{}", Text(result, "code"), Text(result, "state"), json::GetBytes(result, "text").value_or(""));
    if (result.Find("next_reason") != nullptr) fmt::print("next: {}: {}\n", Text(result, "next"), Text(result, "next_reason"));
  });
  if (printed != kDone) return printed;
  return json::GetString(reply.result, "code").value_or("") == "PERMITTED" ? kDone : kRefused;
}

int NextStep(const Options& options) {
  json::Object params{{"session", json::Bytes(options.id)}};
  if (options.status) params["status"] = json::Integer(*options.status);
  return Print(Call("session.next", std::move(params)), options, [](const json::Value& result) {
    if (result.Find("receipt") == nullptr) {
      fmt::print("{}\n", Text(result, "state"));
      return;
    }
    fmt::print("step {}: {} {}: receipt {}, {} uses until {}\n", json::GetInteger(result, "step").value_or(0) + 1,
               Text(result, "kind"), Text(result, "object"), Text(result, "receipt"),
               json::GetInteger(result, "uses").value_or(0), Text(result, "expires_utc"));
  });
}

int ShowSession(const Options& options) {
  const Reply reply = Call("session.show", {{"session", json::Bytes(options.id)}});
  if (reply.exit_code == kDone && options.statement) {
    const auto statement = json::GetBytes(reply.result, options.deny ? "deny_statement" : "approve_statement");
    if (!statement) return Complain(Error{Code::kInvalid, "session " + options.id + " asks for no approval"}, options.json);
    fmt::print("{}", *statement);
    return kDone;
  }
  return Print(reply, options, PrintSession);
}

int ListSessions(const Options& options) {
  return Print(Call("session.list"), options, [](const json::Value& result) {
    for (const json::Value& session : result.Find("sessions")->array()) PrintSession(session);
  });
}

int AbortSession(const Options& options) {
  return Print(Call("session.abort", {{"session", json::Bytes(options.id)},
                                      {"why", json::Bytes(options.reason.empty() ? "asked for" : options.reason)}}),
               options, [](const json::Value& result) { fmt::print("{}\n", Text(result, "state")); });
}

int Approve(const Options& options) {
  json::Object params{{"session", json::Bytes(options.id)}, {"verdict", options.deny ? "deny" : "approve"},
                      {"reason", json::Bytes(options.reason)}};
  Reply reply;
  if (options.signature.empty()) {
    reply = CallApprovers("session.approve", std::move(params));
  } else {
    const auto signature = ReadFile(options.signature, 1 << 16);
    if (!signature) return Complain(signature.error(), options.json);
    params["signature"] = json::Bytes(*signature);
    reply = Call("session.approve", std::move(params));
  }
  return Print(reply, options, [](const json::Value& result) {
    fmt::print("{} by {}; next: {}\n", Text(result, "verdict"), Text(result, "person"), Text(result, "next"));
  });
}

int StopDomain(const Options& options) {
  return Print(Call("domain.stop", {{"domain", json::Bytes(options.domain)},
                                    {"why", json::Bytes(options.reason.empty() ? "asked for" : options.reason)}}),
               options, [](const json::Value& result) {
                 fmt::print("stopped {}: {} receipts are dead\n", Text(result, "domain"),
                            json::GetInteger(result, "revoked").value_or(0));
               });
}

int ResumeDomain(const Options& options) {
  return Print(Call("domain.resume", {{"domain", json::Bytes(options.domain)}}), options,
               [](const json::Value& result) { fmt::print("resumed {}\n", Text(result, "domain")); });
}

int RevokeMany(const Options& options) {
  json::Object params{{"why", json::Bytes(options.reason.empty() ? "asked for" : options.reason)}};
  if (!options.domain.empty()) params["domain"] = json::Bytes(options.domain);
  if (!options.rule.empty()) params["rule"] = json::Bytes(options.rule);
  if (!options.canon.empty()) params["canon"] = json::Bytes(options.canon);
  if (!options.session.empty()) params["session"] = json::Bytes(options.session);
  if (!options.person.empty()) params["person"] = json::Bytes(options.person);
  if (options.everything) params["everything"] = true;
  return Print(Call("receipt.revoke_all", std::move(params)), options, [](const json::Value& result) {
    fmt::print("{} receipts revoked\n", json::GetInteger(result, "revoked").value_or(0));
  });
}

}  // namespace proofgate::cli
