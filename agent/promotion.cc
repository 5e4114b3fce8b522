#include "agent/promotion.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/agent.h"
#include "agent/report.h"
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
                                   {"flips", Texts(proposal.flips)},
                                   {"shadow_entry", json::Integer(proposal.shadow_entry)},
                                   {"shadow_since", json::Integer(proposal.shadow_since)},
                                   {"shadow_against", proposal.shadow_against}});
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
  if (value.Find("shadow_entry") == nullptr) return proposal;  // of a version that ran nothing beside
  proposal.shadow_entry = TRY(json::GetInteger(value, "shadow_entry"));
  proposal.shadow_since = TRY(json::GetInteger(value, "shadow_since"));
  proposal.shadow_against = TRY(json::GetString(value, "shadow_against"));
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

Result<json::Value> Promotion::ReadLeafAt(std::uint64_t index) const { return json::Parse(TRY(ledger_.Entry(index))); }

void Promotion::Forget(const std::string& id) {
  judging_.erase(id);
  shadows_.erase(id);
}

Result<Promotion::Judging> Promotion::BeginJudging(const Proposal& proposal, std::uint64_t last) const {
  Judging judging;
  judging.last = last;
  judging.to = ledger_.head().size;
  judging.against = trust_.HostNow().manifest_digest;
  const auto gate = [&](const char* name, const Status& status, std::string detail) {
    judging.passed = judging.passed && status.has_value();
    judging.gates.emplace_back(Gate(name, status, std::move(detail)));
  };
  auto verified = policy::CheckContent(trust_.root(), trust_.HostNow(), proposal.bundle);
  gate("bundle", verified ? Status() : Status(tl::unexpected(verified.error())), "for this host, and each file a canon");
  if (!verified) return judging;
  gate("tests", {}, fmt::format("{} cases hold", CountCases(verified->canons)));
  gate("reproducible", CheckReproducible(proposal.bundle, *verified), "the same bytes again");
  gate("targets", check_targets_(verified->canons), "what it attaches to can be governed");
  const policy::SubsetAnswer wider = policy::IsSubset(verified->canons, canons_in_force_());
  gate("comparison", {}, wider.is == policy::SubsetAnswer::Is::kYes ? "permits nothing new" : "permits more, or may: " + wider.because);
  judging.impact.emplace(last >= judging.to ? 0 : judging.to - last, std::move(verified->canons));
  return judging;
}

Result<json::Object> Promotion::Judge(const std::string& id, std::uint64_t last) {
  if (last == 0 || last > kMaxImpactEntries)
    return Fail(Code::kInvalid, fmt::format("last: 1 to {} entries expected", kMaxImpactEntries));
  Proposal proposal = TRY(Load(id));
  auto at = judging_.find(id);
  if (at == judging_.end() || at->second.last != last || at->second.against != trust_.HostNow().manifest_digest)
    at = judging_.insert_or_assign(id, TRY(BeginJudging(proposal, last))).first;
  Judging& judging = at->second;
  json::Object body{{"proposal", id}, {"against", judging.against}};
  proposal.flips.clear();
  if (judging.impact) {
    const Status taken = judging.impact->Take(judging.to, kImpactSlice, [this](std::uint64_t index) { return ReadLeafAt(index); });
    if (!taken) {
      judging_.erase(at);
      return tl::unexpected(taken.error());
    }
    if (judging.impact->at() < judging.to) {
      body["running"] = true;
      body["left"] = json::Integer(judging.to - judging.impact->at());
      return body;
    }
    const policy::Impact& impact = judging.impact->impact();
    json::Value flips = policy::FlipsJson(impact, {});
    Status few;
    if (impact.flips().size() > kMaxFlipsInEntry || json::Encode(flips).size() > kMaxFlipBytes) {
      few = Fail(Code::kInvalid, fmt::format("{} kinds of changed answers: more than one can acknowledge; take smaller steps", impact.flips().size()));
      flips = json::Object{};
    } else {
      for (const policy::Flip& flip : impact.flips()) proposal.flips.push_back(flip.name);
    }
    judging.passed = judging.passed && few.has_value();
    judging.gates.emplace_back(Gate("impact", few, fmt::format("{} acts, {} requests and plans, {} kinds of changed answers", impact.acts(),
                                                               impact.decisions(), impact.flips().size())));
    body["impact"] = std::move(flips);
    body["from"] = json::Integer(judging.last >= judging.to ? 0 : judging.to - judging.last);
    body["to"] = json::Integer(judging.to);
    body["left_out"] = json::Integer(judging.impact->left_out());
  }
  body["gates"] = std::move(judging.gates);
  body["passed"] = judging.passed;
  proposal.has_judgement = true;
  proposal.has_passed = judging.passed;
  proposal.judged_against = judging.against;
  judging_.erase(at);
  json::Object result = body;
  // The row names its entry: first the entry, then the row. In between the old
  // judgement, or none, holds.
  const auto position = TRY(ledger_.Append({{"CANON_GATES", std::move(body)}}));
  proposal.gates_entry = position.first;
  TRY(ledger_.Append({}, {{Key(id), RowOf(proposal)}}));
  result["entry"] = json::Integer(position.first);
  return result;
}

Status Promotion::CheckJudged(const std::string& id, const Proposal& proposal) const {
  if (!proposal.has_judgement || !proposal.has_passed)
    return Fail(Code::kDenied, "GATES_NOT_PASSED: run: proofgate canon judge " + id);
  if (proposal.judged_against != trust_.HostNow().manifest_digest)
    return Fail(Code::kDenied, "GATES_STALE: another canon has come into force since the gates were run");
  return {};
}

LedgerImpact* Promotion::FindShadow(const std::string& id, const Proposal& proposal) {
  if (proposal.shadow_entry == 0 || proposal.shadow_against != trust_.HostNow().manifest_digest) {
    shadows_.erase(id);
    return nullptr;
  }
  if (const auto at = shadows_.find(id); at != shadows_.end()) return &at->second;
  auto verified = policy::CheckContent(trust_.root(), trust_.HostNow(), proposal.bundle);
  if (!verified) return nullptr;  // it has expired
  return &shadows_.emplace(id, LedgerImpact(proposal.shadow_entry + 1, std::move(verified->canons))).first->second;
}

void Promotion::Tick() {
  const auto rows = ledger_.ScanMeta("proposal/");
  if (!rows) return Report("what runs beside the canon in force", tl::unexpected(rows.error()));
  for (const auto& [id, row] : *rows) {
    const auto proposal = Load(id);
    LedgerImpact* const shadow = proposal ? FindShadow(id, *proposal) : nullptr;
    if (shadow == nullptr) continue;
    Report("what runs beside the canon in force",
           shadow->Take(ledger_.head().size, kImpactSlice, [this](std::uint64_t index) { return ReadLeafAt(index); }));
  }
}

Result<json::Object> Promotion::ShadowOf(const std::string& id, const std::string& principal) {
  Proposal proposal = TRY(Load(id));
  LedgerImpact* shadow = FindShadow(id, proposal);
  if (shadow == nullptr) {
    TRY(CheckJudged(id, proposal));
    const policy::HostState now = trust_.HostNow();
    json::Object body{{"proposal", id}, {"against", now.manifest_digest}, {"seconds", json::Integer(trust_.shadow_seconds())}, {"principal", principal}};
    // As with a judgement: first the entry, then the row that names it.
    const auto position = TRY(ledger_.Append({{"CANON_SHADOW", std::move(body)}}));
    proposal.shadow_entry = position.first;
    proposal.shadow_since = now.utc_seconds;
    proposal.shadow_against = now.manifest_digest;
    TRY(ledger_.Append({}, {{Key(id), RowOf(proposal)}}));
    shadow = FindShadow(id, proposal);
    if (shadow == nullptr) return Fail(Code::kDenied, "GATES_STALE: it can no longer come into force; see: proofgate canon judge " + id);
  }
  const std::uint64_t size = ledger_.head().size;
  TRY(shadow->Take(size, kImpactSlice, [this](std::uint64_t index) { return ReadLeafAt(index); }));
  const std::uint64_t now = trust_.HostNow().utc_seconds;
  return json::Object{{"proposal", id},
                      {"entry", json::Integer(proposal.shadow_entry)},
                      {"seconds", json::Integer(now - std::min(now, proposal.shadow_since))},
                      {"needed", json::Integer(trust_.shadow_seconds())},
                      {"behind", json::Integer(size - shadow->at())},
                      {"left_out", json::Integer(shadow->left_out())},
                      {"impact", policy::FlipsJson(shadow->impact(), proposal.flips)}};
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
  Forget(id);
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
                                  {"shadow", proposal.shadow_entry != 0 && proposal.shadow_against == trust_.HostNow().manifest_digest},
                                  {"signatures", json::Integer(proposal.bundle.signatures.size())},
                                  {"flips", Texts(proposal.flips)}});
  }
  return json::Object{{"proposals", std::move(out)}};
}

Result<Promotion::Ready> Promotion::Prepare(const std::string& id, const std::vector<std::string>& acknowledged,
                                            const std::string& principal) {
  const Proposal proposal = TRY(Load(id));
  TRY(CheckJudged(id, proposal));
  Ready ready;
  std::vector<std::string> flips = proposal.flips;
  LedgerImpact* const shadow = FindShadow(id, proposal);
  const std::uint64_t now = trust_.HostNow().utc_seconds;
  const std::uint64_t ran = shadow == nullptr ? 0 : now - std::min(now, proposal.shadow_since);
  const std::uint64_t needed = proposal.is_emergency ? 0 : trust_.shadow_seconds();  // an emergency does not wait
  if (needed != 0 && (shadow == nullptr || ran < needed))
    return Fail(Code::kDenied, fmt::format("SHADOW_INCOMPLETE: the canon in force asks for {} s beside it, it has run {}; see: proofgate canon shadow {}",
                                           needed, shadow == nullptr ? "none" : fmt::format("{}", ran), id));
  if (shadow != nullptr) {
    const std::uint64_t size = ledger_.head().size;
    TRY(shadow->Take(size, kImpactSlice, [this](std::uint64_t index) { return ReadLeafAt(index); }));
    if (shadow->at() < size)
      return Fail(Code::kBusy, fmt::format("SHADOW_INCOMPLETE: it is {} entries behind; ask again", size - shadow->at()));
    json::Value found = policy::FlipsJson(shadow->impact(), {});
    if (shadow->impact().flips().size() > kMaxFlipsInEntry || json::Encode(found).size() > kMaxFlipBytes)
      return Fail(Code::kDenied, fmt::format("SHADOW_INCOMPLETE: {} kinds of changed answers: more than one can acknowledge; take smaller steps",
                                             shadow->impact().flips().size()));
    for (const policy::Flip& flip : shadow->impact().flips())
      if (std::find(flips.begin(), flips.end(), flip.name) == flips.end()) flips.push_back(flip.name);
    ready.records.push_back({"CANON_SHADOWED", json::Object{{"proposal", id},
                                                            {"shadow_entry", json::Integer(proposal.shadow_entry)},
                                                            {"to", json::Integer(size)},
                                                            {"seconds", json::Integer(ran)},
                                                            {"left_out", json::Integer(shadow->left_out())},
                                                            {"impact", std::move(found)}}});
  }
  std::vector<std::string> open;
  for (const std::string& flip : flips)
    if (std::find(acknowledged.begin(), acknowledged.end(), flip) == acknowledged.end()) open.push_back(flip);
  if (!open.empty() && !proposal.is_emergency)
    return Fail(Code::kDenied, fmt::format("FLIP_NOT_ACKNOWLEDGED: {} of {} changed answers: {}", open.size(), flips.size(), open.front()));
  ready.bundle = proposal.bundle;
  json::Object body{{"proposal", id},
                    {"gates_entry", json::Integer(proposal.gates_entry)},
                    {"acknowledged", Texts(proposal.is_emergency ? std::vector<std::string>() : flips)},
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
  methods["canon.shadow"] = [](Call& call) -> Result<json::Object> {
    const std::string id = TRY(call.params.Text("proposal"));
    TRY(call.params.Done());
    TRY(call.agent.Flush());
    return call.agent.promotion().ShadowOf(id, call.caller.principal);
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
    const std::vector<std::string> acknowledged = TRY(TextList(call, "acknowledged", 2 * kMaxFlipsInEntry));
    TRY(call.params.Done());
    TRY(call.agent.Flush());
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
