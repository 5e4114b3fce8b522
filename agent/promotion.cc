#include "agent/promotion.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/agent.h"
#include "agent/impact.h"
#include "base/bytes.h"
#include "policy/diff.h"

namespace proofgate::agent {
namespace {

constexpr std::size_t kMaxFlipsInEntry = 100;
constexpr std::size_t kMaxFlipBytes = 45'000;  // of them, in the entry
constexpr std::size_t kMaxEvidence = 32;
constexpr std::size_t kMaxWhy = 1000;

std::string Key(const std::string& id) { return "proposal/" + id; }

json::Object Gate(const char* name, const Status& status, std::string detail) {
  const std::string text = status ? std::move(detail) : status.error().message;
  return json::Object{{"gate", name}, {"passed", status.has_value()}, {"detail", json::Bytes(text.substr(0, 2000))}};
}

json::Array Texts(const std::vector<std::string>& names) {
  json::Array out;
  for (const std::string& name : names) out.push_back(json::Bytes(name));
  return out;
}

// The same sources make the same bytes, and a model comes back from its bytes.
Status CheckReproducible(const policy::Bundle& bundle, const policy::VerifiedBundle& verified) {
  if (policy::BuildBundle(verified.manifest, bundle.files).manifest != bundle.manifest)
    return Fail(Code::kInvalid, "the manifest is not what its files make");
  for (const policy::Canon& canon : verified.canons) {
    const std::string model = json::Encode(policy::CanonJson(canon));
    if (json::Encode(policy::CanonJson(TRY(policy::ParseCanonJson(TRY(json::Parse(model)))))) != model)
      return Fail(Code::kInvalid, "domain '" + canon.domain + "': its model does not come back from its bytes");
  }
  return {};
}

std::size_t CountCases(const std::vector<policy::Canon>& canons) {
  std::size_t cases = 0;
  for (const policy::Canon& canon : canons) {
    cases += canon.tests.size();
    for (const policy::Rule& rule : canon.rules) cases += rule.examples.size();
  }
  return cases;
}

}  // namespace

std::string Promotion::RowOf(const Proposal& proposal) {
  return json::Encode(json::Object{{"bundle", json::Bytes(policy::EncodeBundle(proposal.bundle))},
                                   {"why", json::Bytes(proposal.why)},
                                   {"emergency", proposal.is_emergency},
                                   {"judged", proposal.has_judgement},
                                   {"judged_against", proposal.judged_against},
                                   {"passed", proposal.has_passed},
                                   {"gates_entry", json::Integer(proposal.gates_entry)},
                                   {"flips", Texts(proposal.flips)}});
}

Result<Promotion::Proposal> Promotion::Load(const std::string& id) const {
  const auto row = ParseDigest(id) ? TRY(ledger_.ReadMeta(Key(id))) : std::optional<std::string>();
  if (!row || row->empty())
    return Fail(Code::kNotFound, policy::EscapeForPeople(id) + ": no open proposal has this id; see: proofgate canon proposals");
  const json::Value value = TRY(json::Parse(*row));
  Proposal proposal;
  proposal.bundle = TRY(policy::ParseBundle(TRY(json::GetBytes(value, "bundle"))));
  proposal.why = TRY(json::GetBytes(value, "why"));
  proposal.is_emergency = *value.Find("emergency") == json::Value(true);
  proposal.has_judgement = *value.Find("judged") == json::Value(true);
  proposal.judged_against = TRY(json::GetString(value, "judged_against"));
  proposal.has_passed = *value.Find("passed") == json::Value(true);
  proposal.gates_entry = TRY(json::GetInteger(value, "gates_entry"));
  for (const json::Value& flip : value.Find("flips")->array()) proposal.flips.push_back(flip.string());
  return proposal;
}

Result<json::Object> Promotion::Propose(const Asked& asked) {
  const policy::Bundle bundle = TRY(trust_.Open(asked.envelope, asked.principal));
  // What can never come into force here needs no reader.
  auto verified = policy::CheckContent(trust_.root(), trust_.HostNow(), bundle);
  if (!verified) return trust_.RecordRefusal(bundle.manifest, verified.error(), asked.principal);
  if (asked.why.size() > kMaxWhy) return Fail(Code::kInvalid, fmt::format("why: at most {} bytes", kMaxWhy));
  if (asked.evidence.size() > kMaxEvidence) return Fail(Code::kInvalid, fmt::format("evidence: at most {} digests", kMaxEvidence));
  for (const std::string& digest : asked.evidence) TRY(ParseDigest(digest));
  if (asked.is_emergency) {
    const std::string& expires = verified->manifest.expires_utc;
    if (asked.why.empty() || expires.empty() ||
        TRY(policy::ParseUtcSeconds(expires)) > trust_.HostNow().utc_seconds + kMaxEmergencySeconds)
      return Fail(Code::kDenied, "EMERGENCY_UNBOUNDED: a reason, and a manifest that expires within 72 hours, expected");
  }
  if (TRY(ledger_.ScanMeta("proposal/")).size() >= kMaxProposals)
    return Fail(Code::kBusy, fmt::format("{} proposals are open; promote or reject one", kMaxProposals));
  const std::string& id = verified->digest;
  if (const auto there = TRY(ledger_.ReadMeta(Key(id))); there && !there->empty())
    return Fail(Code::kInvalid, "proposal " + id + " is open already");
  Proposal proposal;
  proposal.bundle = bundle;
  proposal.why = asked.why;
  proposal.is_emergency = asked.is_emergency;
  // A host whose root is its own key approves what its operator proposes.
  if (trust_.root().is_local) proposal.bundle.signatures.push_back(trust_.SignOwn(bundle.manifest));
  json::Object body{{"proposal", id},
                    {"version", json::Integer(verified->manifest.version)},
                    {"manifest", json::Bytes(bundle.manifest)},
                    {"evidence", Texts(asked.evidence)},
                    {"emergency", asked.is_emergency},
                    {"why", json::Bytes(asked.why)},
                    {"principal", asked.principal}};
  const auto position = TRY(ledger_.Append({{"CANON_PROPOSED", std::move(body)}}, {{Key(id), RowOf(proposal)}}));
  return json::Object{{"proposal", id}, {"entry", json::Integer(position.first)}};
}

Result<json::Object> Promotion::Judge(const std::string& id, std::uint64_t last) {
  if (last == 0 || last > kMaxImpactEntries)
    return Fail(Code::kInvalid, fmt::format("last: 1 to {} entries expected", kMaxImpactEntries));
  Proposal proposal = TRY(Load(id));
  json::Array gates;
  bool passed = true;
  const auto gate = [&](const char* name, const Status& status, std::string detail) {
    passed = passed && status.has_value();
    gates.emplace_back(Gate(name, status, std::move(detail)));
  };
  const auto verified = policy::CheckContent(trust_.root(), trust_.HostNow(), proposal.bundle);
  gate("bundle", verified ? Status() : Status(tl::unexpected(verified.error())), "for this host, and each file a canon");
  json::Object body{{"proposal", id}, {"against", trust_.HostNow().manifest_digest}};
  proposal.flips.clear();
  if (verified) {
    gate("tests", {}, fmt::format("{} cases hold", CountCases(verified->canons)));
    gate("reproducible", CheckReproducible(proposal.bundle, *verified), "the same bytes again");
    gate("targets", check_targets_(verified->canons), "what it attaches to can be governed");
    const policy::SubsetAnswer wider = policy::IsSubset(verified->canons, canons_in_force_());
    gate("comparison", {}, wider.is == policy::SubsetAnswer::Is::kYes ? "permits nothing new" : "permits more, or may: " + wider.because);
    const std::uint64_t size = ledger_.head().size;
    const std::uint64_t from = last >= size ? 0 : size - last;
    const auto read = [this](std::uint64_t index) -> Result<json::Value> { return json::Parse(TRY(ledger_.Entry(index))); };
    const LedgerImpact impact = TRY(ReplayActs(from, size, read, verified->canons));
    json::Value flips = policy::FlipsJson(impact.impact, {});
    const std::size_t kinds = impact.impact.flips().size();
    if (kinds > kMaxFlipsInEntry || json::Encode(flips).size() > kMaxFlipBytes) {
      gate("impact", Fail(Code::kInvalid, fmt::format("{} kinds of changed answers: more than one can acknowledge; take smaller steps", kinds)), "");
      flips = json::Object{};
    } else {
      gate("impact", {}, fmt::format("{} acts, {} kinds of changed answers", impact.impact.acts(), kinds));
      for (const policy::Flip& flip : impact.impact.flips()) proposal.flips.push_back(flip.name);
    }
    body["impact"] = std::move(flips);
    body["from"] = json::Integer(from);
    body["to"] = json::Integer(size);
    body["left_out"] = json::Integer(impact.left_out);
  }
  body["gates"] = std::move(gates);
  body["passed"] = passed;
  proposal.has_judgement = true;
  proposal.has_passed = passed;
  proposal.judged_against = trust_.HostNow().manifest_digest;
  json::Object result = body;
  // The row names its entry: first the entry, then the row. In between the old
  // judgement, or none, holds.
  const auto position = TRY(ledger_.Append({{"CANON_GATES", std::move(body)}}));
  proposal.gates_entry = position.first;
  TRY(ledger_.Append({}, {{Key(id), RowOf(proposal)}}));
  result["entry"] = json::Integer(position.first);
  return result;
}

Result<json::Object> Promotion::Approve(const std::string& id, const std::string& signature, const std::string& principal) {
  Proposal proposal = TRY(Load(id));
  const auto person = policy::SignerOf(trust_.root(), proposal.bundle.manifest, signature);
  if (!person) return trust_.RecordRefusal(proposal.bundle.manifest, person.error(), principal);
  if (proposal.bundle.signatures.size() >= policy::kMaxSignatures)
    return Fail(Code::kBusy, fmt::format("{} signatures are there; promote or reject it", policy::kMaxSignatures));
  if (std::find(proposal.bundle.signatures.begin(), proposal.bundle.signatures.end(), signature) == proposal.bundle.signatures.end())
    proposal.bundle.signatures.push_back(signature);
  json::Object body{{"proposal", id}, {"person", *person}, {"signature", json::Bytes(signature)}, {"principal", principal}};
  const auto position = TRY(ledger_.Append({{"CANON_APPROVED", std::move(body)}}, {{Key(id), RowOf(proposal)}}));
  return json::Object{{"proposal", id}, {"person", *person}, {"signatures", json::Integer(proposal.bundle.signatures.size())},
                      {"needed", json::Integer(trust_.root().canon.threshold)}, {"entry", json::Integer(position.first)}};
}

Result<json::Object> Promotion::Reject(const std::string& id, const std::string& why, const std::string& principal) {
  TRY(Load(id));
  json::Object body{{"proposal", id}, {"why", json::Bytes(why.substr(0, kMaxWhy))}, {"principal", principal}};
  const auto position = TRY(ledger_.Append({{"CANON_REJECTED", std::move(body)}}, {{Key(id), ""}}));
  return json::Object{{"proposal", id}, {"entry", json::Integer(position.first)}};
}

Result<json::Object> Promotion::List() const {
  json::Array out;
  for (const auto& [id, row] : TRY(ledger_.ScanMeta("proposal/"))) {
    const Proposal proposal = TRY(Load(id));
    const policy::Manifest manifest = TRY(policy::ParseManifest(proposal.bundle.manifest));
    out.emplace_back(json::Object{{"proposal", id}, {"version", json::Integer(manifest.version)},
                                  {"emergency", proposal.is_emergency}, {"why", json::Bytes(proposal.why)},
                                  {"judged", proposal.has_judgement}, {"passed", proposal.has_passed},
                                  {"signatures", json::Integer(proposal.bundle.signatures.size())},
                                  {"flips", Texts(proposal.flips)}});
  }
  return json::Object{{"proposals", std::move(out)}};
}

Result<Promotion::Ready> Promotion::Prepare(const std::string& id, const std::vector<std::string>& acknowledged,
                                            const std::string& principal) const {
  const Proposal proposal = TRY(Load(id));
  if (!proposal.has_judgement || !proposal.has_passed)
    return Fail(Code::kDenied, "GATES_NOT_PASSED: run: proofgate canon judge " + id);
  if (proposal.judged_against != trust_.HostNow().manifest_digest)
    return Fail(Code::kDenied, "GATES_STALE: another canon has come into force since the gates were run");
  std::vector<std::string> open;
  for (const std::string& flip : proposal.flips)
    if (std::find(acknowledged.begin(), acknowledged.end(), flip) == acknowledged.end()) open.push_back(flip);
  if (!open.empty() && !proposal.is_emergency)
    return Fail(Code::kDenied, fmt::format("FLIP_NOT_ACKNOWLEDGED: {} of {} changed answers: {}", open.size(), proposal.flips.size(), open.front()));
  Ready ready;
  ready.bundle = proposal.bundle;
  json::Object body{{"proposal", id},
                    {"gates_entry", json::Integer(proposal.gates_entry)},
                    {"acknowledged", Texts(proposal.is_emergency ? std::vector<std::string>() : proposal.flips)},
                    {"emergency", proposal.is_emergency},
                    {"why", json::Bytes(proposal.why)},
                    {"principal", principal}};
  ready.records.push_back({"CANON_PROMOTED", std::move(body)});
  ready.meta[Key(id)] = "";
  return ready;
}

namespace {

Result<std::vector<std::string>> TextList(Call& call, const char* name, std::size_t most) {
  std::vector<std::string> out;
  const json::Value* const list = call.params.Any(name);
  if (list == nullptr) return out;
  if (!list->is_array() || list->array().size() > most)
    return Fail(Code::kInvalid, fmt::format("{}: a list of at most {} expected", name, most));
  for (const json::Value& one : list->array()) {
    if (!one.is_string() || one.string().size() > 128) return Fail(Code::kInvalid, std::string(name) + ": short strings expected");
    out.push_back(one.string());
  }
  return out;
}

}  // namespace

void AddPromotionMethods(MethodTable& methods) {
  methods["canon.propose"] = [](Call& call) -> Result<json::Object> {
    Promotion::Asked asked;
    asked.envelope = TRY(call.params.Text("bundle"));
    asked.evidence = TRY(TextList(call, "evidence", kMaxEvidence));
    asked.is_emergency = TRY(call.params.Flag("emergency"));
    asked.why = TRY(call.params.TextOr("why", ""));
    asked.principal = call.caller.principal;
    TRY(call.params.Done());
    return call.agent.promotion().Propose(asked);
  };
  methods["canon.judge"] = [](Call& call) -> Result<json::Object> {
    const std::string id = TRY(call.params.Text("proposal"));
    const std::uint64_t last = TRY(call.params.NumberIfAny("last")).value_or(kImpactEntries);
    TRY(call.params.Done());
    TRY(call.agent.Flush());
    return call.agent.promotion().Judge(id, last);
  };
  methods["canon.approve"] = [](Call& call) -> Result<json::Object> {
    const std::string id = TRY(call.params.Text("proposal"));
    const std::string signature = TRY(call.params.Text("signature"));
    TRY(call.params.Done());
    return call.agent.promotion().Approve(id, signature, call.caller.principal);
  };
  methods["canon.reject"] = [](Call& call) -> Result<json::Object> {
    const std::string id = TRY(call.params.Text("proposal"));
    const std::string why = TRY(call.params.TextOr("why", ""));
    TRY(call.params.Done());
    return call.agent.promotion().Reject(id, why, call.caller.principal);
  };
  methods["canon.proposals"] = [](Call& call) -> Result<json::Object> {
    TRY(call.params.Done());
    return call.agent.promotion().List();
  };
  methods["canon.promote"] = [](Call& call) -> Result<json::Object> {
    const std::string id = TRY(call.params.Text("proposal"));
    const std::vector<std::string> acknowledged = TRY(TextList(call, "acknowledged", kMaxFlipsInEntry));
    TRY(call.params.Done());
    return call.agent.Promote(id, acknowledged, call.caller.principal);
  };
  methods["canon.bundle"] = [](Call& call) -> Result<json::Object> {
    const std::uint64_t version = TRY(call.params.Number("version"));
    TRY(call.params.Done());
    const auto envelope = TRY(call.agent.ledger().ReadMeta(fmt::format("bundle/{}", version)));
    if (!envelope || envelope->empty())
      return Fail(Code::kNotFound, fmt::format("version {} is not kept; the newest {} are", version, kKeptBundles));
    return json::Object{{"bundle", json::Bytes(*envelope)}};
  };
}

}  // namespace proofgate::agent
