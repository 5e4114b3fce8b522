#include "agent/ledger_methods.h"

#include <fmt/format.h>

#include "agent/agent.h"
#include "agent/ledger_admin.h"
#include "ledger/retention.h"
#include "policy/custody.h"

namespace proofgate::agent {
namespace {

using policy::CustodyAct;

Result<std::vector<std::string>> Signatures(Call& call) {
  std::vector<std::string> signatures;
  const json::Value* const list = call.params.Any("signatures");
  if (list == nullptr) return signatures;
  if (!list->is_array()) return Fail(Code::kInvalid, "signatures: a list expected");
  for (const json::Value& item : list->array())
    signatures.push_back(TRY(json::GetBytes(json::Value(json::Object{{"text", item}}), "text")));
  return signatures;
}

Result<json::Object> Retain(Call& call) {
  ledger::Drop drop;
  drop.below = TRY(call.params.Number("below"));
  drop.why = TRY(call.params.Text("why"));
  drop.archive_sha256 = TRY(call.params.TextOr("archive_sha256", ""));
  drop.by = call.caller.principal;
  const auto signatures = TRY(Signatures(call));
  TRY(call.params.Done());
  TRY(CheckRetain(call.agent.ledger(), drop));
  TRY(call.agent.TakeCustody(CustodyAct::kRetain, {{"below", json::Integer(drop.below)}}, drop.why, signatures, drop.by));
  return RetainEntries(call.agent.ledger(), drop);
}

// Whoever asks may have more kept; only less needs others.
Result<json::Object> PlaceHold(Call& call) {
  ledger::Hold hold;
  hold.name = TRY(call.params.Text("name"));
  hold.from = TRY(call.params.Number("from"));
  hold.why = TRY(call.params.Text("why"));
  TRY(call.params.Done());
  TRY(ledger::PlaceHold(call.agent.ledger(), hold, call.caller.principal));
  return json::Object{{"name", hold.name}};
}

Result<json::Object> ReleaseHold(Call& call) {
  const std::string name = TRY(call.params.Text("name"));
  const std::string why = TRY(call.params.Text("why"));
  const auto signatures = TRY(Signatures(call));
  TRY(call.params.Done());
  TRY(call.agent.TakeCustody(CustodyAct::kRelease, {{"name", json::Bytes(name)}}, why, signatures, call.caller.principal));
  TRY(ledger::ReleaseHold(call.agent.ledger(), name, why, call.caller.principal));
  return json::Object{{"name", json::Bytes(name)}};
}

Result<json::Object> Erase(Call& call) {
  const std::string asked = TRY(call.params.Text("commitment"));
  const std::string why = TRY(call.params.Text("why"));
  const auto signatures = TRY(Signatures(call));
  TRY(call.params.Done());
  const Digest commitment = TRY(ParseDigest(asked));
  TRY(call.agent.TakeCustody(CustodyAct::kErase, {{"commitment", Hex(commitment)}}, why, signatures, call.caller.principal));
  TRY(ledger::EraseBlob(call.agent.ledger(), commitment, why, call.caller.principal));
  return json::Object{{"commitment", Hex(commitment)}};
}

Result<json::Object> CheckNow(Call& call) {
  const bool hurry = TRY(call.params.Flag("hurry"));
  TRY(call.params.Done());
  return call.agent.LedgerCheckNow(hurry);
}

}  // namespace

void AddLedgerMethods(MethodTable& methods) {
  methods.insert({{"ledger.retain", Retain}, {"ledger.hold", PlaceHold}, {"ledger.release", ReleaseHold}, {"ledger.erase", Erase}, {"ledger.check", CheckNow}});
}

Result<json::Object> Agent::LedgerCheckNow(bool hurry) {
  if (!check_) return Fail(Code::kNotFound, "this daemon does not verify its ledger");
  if (hurry) check_->Hurry();
  return check_->Describe();
}

Status Agent::TakeCustody(CustodyAct act, const json::Object& arguments, const std::string& why,
                          const std::vector<std::string>& signatures, const std::string& principal) {
  const std::string statement = policy::CustodyStatement(ledger_.origin(), act, arguments, why);
  const std::vector<policy::Canon> in_force = CanonsInForce();
  const auto decide = [&]() -> Result<policy::CustodyDecision> {
    policy::CustodyDecision decision = TRY(policy::DecideCustody(in_force, act, statement, signatures, principal));
    if (act != CustodyAct::kRetain) return decision;
    const auto below = arguments.find("below");
    const json::Value newest = TRY(json::Parse(TRY(ledger_.Entry(static_cast<std::uint64_t>(below->second.integer()) - 1))));
    const std::int64_t kept_ms = static_cast<std::int64_t>(decision.keep_days) * 24 * 3600 * 1000;
    if (TRY(json::GetString(newest, "utc")) > FormatUtc({clock_.Utc().ms - kept_ms}))
      return Fail(Code::kDenied, fmt::format("RECORDS_TOO_YOUNG: canon keeps entries for {} days", decision.keep_days));
    return decision;
  };
  // What was signed once is done once.
  const std::string key = "custody/" + Hex(Sha256(statement));
  Result<policy::CustodyDecision> decision = Fail(Code::kDenied, "RECORDS_SPENT: these signatures have been used; sign with another reason");
  if (!TRY(ledger_.ReadMeta(key))) decision = decide();
  json::Object body{{"act", policy::CustodyActName(act)}, {"statement", json::Bytes(statement)}, {"principal", principal}};
  if (!decision) {
    body["code"] = decision.error().message.substr(0, decision.error().message.find(':'));
    body["reason"] = json::Bytes(decision.error().message);
    TRY(ledger_.Append({{"CUSTODY_REFUSED", std::move(body)}}));
    return tl::unexpected(decision.error());
  }
  json::Array persons;
  for (const std::string& person : decision->persons) persons.emplace_back(person);
  json::Array lines;
  for (const std::string& signature : signatures) lines.emplace_back(Unarmour(signature));
  body["persons"] = std::move(persons);
  body["signatures"] = std::move(lines);
  TRY(ledger_.Append({{"CUSTODY", std::move(body), key}}));
  return {};
}

}  // namespace proofgate::agent
