// The effects of break-glass: Agent's part of policy/break_glass.h. An override is
// spent by an entry before its receipt is asked for, and waits in `status` until
// somebody else has reviewed it.

#include <fmt/format.h>

#include "agent/agent.h"
#include "agent/resolve.h"
#include "base/bytes.h"
#include "policy/break_glass.h"

namespace proofgate::agent {
namespace {

using policy::BreakGlassCode;

std::string SpentKey(const std::string& id) { return "break_glass_spent/" + id; }
std::string WaitingKey(const std::string& id) { return "break_glass/" + id; }

}  // namespace

Result<json::Object> Agent::DraftBreakGlass(const BreakGlassDraft& asked) {
  const Domain& domain = *TRY(FindDomain(asked.domain));
  const policy::Rule* const rule = domain.canon->FindRule(asked.rule);
  if (rule == nullptr) return Fail(Code::kNotFound, fmt::format("domain '{}' has no rule '{}'", asked.domain, policy::EscapeForPeople(asked.rule)));
  policy::BreakGlass override;
  override.tenant = domain.canon->tenant;
  override.host = host_.id;
  override.domain = asked.domain;
  override.person = asked.person;
  override.rule = asked.rule;
  override.object = TRY(ParseObjectText(rule->kind, asked.object));
  if (policy::HasPath(override.object.form)) override.object.path = TRY(RealPath(override.object.path));
  override.uses = asked.uses;
  override.not_before_ms = static_cast<std::uint64_t>(clock_.Utc().ms);
  override.expires_ms = override.not_before_ms + asked.duration_ms;
  override.reason = asked.reason;
  override.nonce = Hex(RandomBytes(16));
  const std::string statement = policy::BreakGlassStatement(override);
  TRY(policy::ParseBreakGlass(statement));  // what nobody would take is not signed
  return json::Object{{"statement", json::Bytes(statement)}, {"id", policy::BreakGlassId(statement)}};
}

Result<json::Object> Agent::UseBreakGlass(const std::string& statement, const std::string& armoured,
                                          const std::string& principal, std::string& code) {
  const std::string id = policy::BreakGlassId(statement);
  // Whose domain it says it is only chooses the canon that judges it.
  const auto read = policy::ParseBreakGlass(statement);
  if (!read) {
    code = policy::BreakGlassCodeName(BreakGlassCode::kMalformed);
    return Fail(Code::kDenied, read.error().message);
  }
  const Domain& domain = *TRY(FindIssuingDomain(read->domain));
  const auto now_ms = static_cast<std::uint64_t>(clock_.Utc().ms);
  const bool is_spent = TRY(ledger_.ReadMeta(SpentKey(id))).has_value();
  const policy::BreakGlassDecision decision =
      policy::DecideBreakGlass(*domain.canon, host_.id, statement, armoured, is_spent, now_ms);
  json::Object body{{"id", id}, {"domain", read->domain}, {"statement", json::Bytes(statement)},
                    {"signature", Unarmour(armoured)}, {"principal", principal},
                    {"at_ms", json::Integer(now_ms)}, {"canon_entry", json::Integer(domain.canon_entry)}};
  if (decision.code != BreakGlassCode::kOk) {
    code = policy::BreakGlassCodeName(decision.code);
    body["code"] = code;
    body["reason"] = json::Bytes(decision.reason);
    TRY(ledger_.Append({{"BREAK_GLASS_REFUSED", std::move(body)}}));
    return Fail(Code::kDenied, decision.reason);
  }
  // Looked at before it is spent: a decision is on real paths.
  if (policy::HasPath(read->object.form) && TRY(RealPath(read->object.path)) != read->object.path)
    return Fail(Code::kInvalid, policy::EscapeForPeople(read->object.path) + ": leads elsewhere by a link");
  const json::Object waiting{{"id", id}, {"domain", read->domain}, {"person", read->person}, {"rule", json::Bytes(read->rule)},
                             {"object", json::Bytes(policy::Describe(read->object))}, {"reason", read->reason},
                             {"used_utc", FormatUtc(clock_.Utc())},
                             {"expires_utc", FormatUtc({static_cast<std::int64_t>(read->expires_ms)})}};
  body["person"] = read->person;
  TRY(ledger_.Append({{"BREAK_GLASS", std::move(body), SpentKey(id), ledger::Authority::kGives}},
                     {{WaitingKey(id), json::Encode(waiting)}}));
  std::optional<Receipts::Refusal> refusal;
  const auto issued = receipts_.Issue(*domain.canon, domain.number, domain.canon_entry, decision.request,
                                      "person:" + read->person, refusal, nullptr, id);
  if (!issued) {
    if (refusal) code = policy::DecisionCodeName(refusal->decision.code);
    return tl::unexpected(issued.error());
  }
  return json::Object{{"id", id}, {"person", read->person}, {"receipt", issued->id}, {"entry", json::Integer(issued->entry)},
                      {"uses", json::Integer(issued->uses)}, {"expires_utc", issued->expires_utc}};
}

Result<json::Object> Agent::ReviewBreakGlass(const std::string& id, bool was_justified, const std::string& reason,
                                             const std::string& armoured, const std::string& principal, std::string& code) {
  TRY(ParseDigest(id));
  const auto row = TRY(ledger_.ReadMeta(WaitingKey(id)));
  const json::Value waiting = row ? TRY(json::Parse(*row)) : json::Value(json::Object{});
  const std::string used_by = json::GetString(waiting, "person").value_or("");
  const std::string name = json::GetString(waiting, "domain").value_or("");
  if (!row) {
    code = policy::BreakGlassCodeName(BreakGlassCode::kUnknown);
    return Fail(Code::kNotFound, "no override " + id + " waits for a review");
  }
  const Domain& domain = *TRY(FindDomain(name));
  const policy::BreakGlassReview review{id, was_justified, reason};
  const policy::ReviewDecision decision = policy::DecideReview(*domain.canon, review, used_by, armoured);
  json::Object body{{"id", id}, {"domain", name}, {"verdict", was_justified ? "justified" : "unjustified"},
                    {"reason", json::Bytes(reason)}, {"signature", Unarmour(armoured)}, {"principal", principal},
                    {"at_ms", json::Integer(static_cast<std::uint64_t>(clock_.Utc().ms))},
                    {"canon_entry", json::Integer(domain.canon_entry)}};
  if (decision.code != BreakGlassCode::kOk) {
    code = policy::BreakGlassCodeName(decision.code);
    body["code"] = code;
    body["why"] = json::Bytes(decision.reason);
    TRY(ledger_.Append({{"BREAK_GLASS_REVIEW_REFUSED", std::move(body)}}));
    return Fail(Code::kDenied, decision.reason);
  }
  body["person"] = decision.person;
  const ledger::Position position = TRY(ledger_.Append({{"BREAK_GLASS_REVIEWED", std::move(body)}}, {{WaitingKey(id), ""}}));
  return json::Object{{"id", id}, {"person", decision.person}, {"entry", json::Integer(position.first)}};
}

Result<json::Array> Agent::WaitingBreakGlass() const {
  json::Array list;
  for (const auto& [id, row] : TRY(ledger_.ScanMeta("break_glass/"))) list.push_back(TRY(json::Parse(row)));
  return list;
}

}  // namespace proofgate::agent
