#include "policy/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/signature.h"
#include "bpf/gate.h"
#include "policy/approval.h"
#include "policy/break_glass.h"
#include "policy/delegation.h"
#include "policy/pdp.h"
#include "policy/trace.h"

namespace proofgate::policy {
namespace {

constexpr std::uint64_t kGateMomentNs = 1'000'000'000;

// Expands one line of base64 to a SSHSIG armour.
std::string Armoured(const std::string& base64) {
  std::string out = "-----BEGIN SSH SIGNATURE-----\n";
  for (std::size_t at = 0; at < base64.size(); at += 70) out += base64.substr(at, 70) + "\n";
  return out + "-----END SSH SIGNATURE-----\n";
}

Result<std::optional<std::uint64_t>> NumberIfAny(const json::Value& body, const char* key) {
  if (body.Find(key) == nullptr) return std::optional<std::uint64_t>();
  return std::optional<std::uint64_t>(TRY(json::GetInteger(body, key)));
}

json::Value DecisionJson(const Decision& decision) {
  json::Array rules;
  for (const std::string& rule : decision.rules) rules.push_back(rule);
  return json::Object{{"code", DecisionCodeName(decision.code)}, {"reason", json::Bytes(decision.reason)},
                      {"rules", std::move(rules)}};
}

// The path of an act, when the record holds all of it.
std::optional<std::string> WholePath(const json::Value& body) {
  const auto path = json::GetBytes(body, "path");
  if (!path || !IsCleanPath(*path) || path->find("/?") != std::string::npos) return std::nullopt;
  return *path;
}

bool IsOfBinding(std::string_view code) {
  for (const unsigned binding_code : {GATE_BOUND, GATE_ARGV_MISMATCH, GATE_ENV_MISMATCH, GATE_CONTENT_MISMATCH,
                                      GATE_BINDING_UNREADABLE, GATE_CONTENT_UNKNOWN, GATE_BOUND_SCRIPT})
    if (GateCodeName(binding_code) == code) return true;
  return false;
}

// Codes that a hook gives before it looks at any receipt, or without one.
bool IsHooksOwn(std::string_view code) {
  for (const unsigned receipt_code : {GATE_NO_RECEIPT, GATE_EXE_MISMATCH, GATE_NEEDS_STANDING, GATE_NOT_YET,
                                      GATE_REVOKED, GATE_EXPIRED, GATE_EXHAUSTED})
    if (GateCodeName(receipt_code) == code) return false;
  return true;
}

}  // namespace

Request RequestOf(const Receipt& receipt) {
  Request request;
  request.rule = receipt.rule;
  if (receipt.objects.size() == 1) request.object = receipt.objects.front();
  request.ttl_ns = receipt.expires_boot_ns - receipt.not_before_boot_ns;
  request.uses = receipt.uses;
  request.exe = receipt.exe;
  request.binding = receipt.binding;
  request.from_session = !receipt.session.empty() || !receipt.break_glass.empty();
  return request;
}

Result<Request> RequestOfRefused(const json::Value& body) {
  Request request;
  request.rule = TRY(json::GetBytes(body, "rule"));
  if (const json::Value* const object = body.Find("object")) request.object = TRY(ParseObjectJson(*object));
  request.ttl_ns = TRY(NumberIfAny(body, "ttl_ns"));
  request.uses = TRY(NumberIfAny(body, "uses"));
  if (body.Find("exe") != nullptr) request.exe = TRY(json::GetBytes(body, "exe"));
  request.binding = TRY(ReadBinding(body));
  request.from_session = body.Find("session") != nullptr || body.Find("break_glass") != nullptr;
  return request;
}

Result<std::map<std::string, std::string>> ReadAliases(const json::Value& body) {
  std::map<std::string, std::string> aliases;
  const json::Value* const list = body.Find("aliases");
  if (list == nullptr) return aliases;
  if (!list->is_array()) return Fail(Code::kInvalid, "aliases: a list expected");
  for (const json::Value& item : list->array())
    aliases[TRY(json::GetBytes(item, "path"))] = TRY(json::GetBytes(item, "real"));
  return aliases;
}

void Replay::Compare(std::uint64_t index, const std::string& kind, const std::string& recorded,
                     const std::string& recomputed) {
  if (recorded == recomputed) {
    ++report_.agreed[kind];
    return;
  }
  if (index < report_from_ || index >= report_to_) return;
  ++report_.differences;
  if (report_.first.size() < kMaxDifferences) report_.first.push_back({index, kind, recorded, recomputed});
}

void Replay::CompareEarly(const std::string& id, const KnownReceipt& receipt) {
  const auto early = early_.find(id);
  if (early == early_.end()) return;
  const std::string revoked(GateCodeName(GATE_REVOKED));
  for (const EarlyRefusal& refusal : early->second)
    Compare(refusal.index, "DENY", revoked, JudgeAct(receipt, refusal.body, refusal.act_boot_ns, revoked));
  early_.erase(early);
}

ReplayReport Replay::report() const {
  ReplayReport report = report_;
  for (const auto& [id, refusals] : early_)
    for (const EarlyRefusal& refusal : refusals) {
      if (refusal.index < report_from_ || refusal.index >= report_to_) continue;
      ++report.differences;
      if (report.first.size() < kMaxDifferences)
        report.first.push_back({refusal.index, "DENY", std::string(GateCodeName(GATE_REVOKED)),
                                "OK: no entry revokes receipt " + EscapeForPeople(id)});
    }
  return report;
}

void Replay::Take(std::uint64_t index, std::string_view leaf) {
  ++report_.entries;
  const auto value = json::Parse(leaf);
  if (!value) {
    Compare(index, "?", "an entry", "no canonical JSON: " + value.error().message);
    return;
  }
  const Status taken = TakeLeaf(index, *value);
  if (!taken)
    Compare(index, json::GetString(*value, "kind").value_or("?"), "an entry that can be read", taken.error().message);
}

Status Replay::TakeLeaf(std::uint64_t index, const json::Value& leaf) {
  if (TRY(json::GetInteger(leaf, "index")) != index) return Fail(Code::kCorrupt, "the entry has another index");
  const std::string kind = TRY(json::GetString(leaf, "kind"));
  const json::Value* const body = leaf.Find("body");
  if (body == nullptr) return Fail(Code::kCorrupt, "no body");
  if (kind == "START") {
    host_ = TRY(json::GetString(*body, "host"));
    // Receipts are dead in any other boot.
    if (const json::Value* const took_up = body->Find("took_up"); took_up != nullptr && *took_up == json::Value(false))
      receipts_.clear();
    return {};
  }
  if (part_read_ && kind != "CANON_PART") {
    part_read_.reset();
    return Fail(Code::kCorrupt, fmt::format("a part of the canon of entry {} expected", part_read_at_));
  }
  if (kind == "CANON") return TakeCanon(index, *body);
  if (kind == "CANON_PART") return TakeCanonPart(*body);
  if (kind == "ISSUE" || kind == "RENEW") return TakeIssue(index, kind, *body);
  if (kind == "REFUSED") return TakeRefused(index, *body);
  if (kind == "DELEGATION_REFUSED" || (kind == "SESSION_OPEN" && body->Find("parent") != nullptr))
    return TakeDelegation(index, kind, *body);
  if (kind == "BREAK_GLASS" || kind == "BREAK_GLASS_REFUSED") return TakeBreakGlass(index, kind, *body);
  if (kind == "BREAK_GLASS_REVIEWED" || kind == "BREAK_GLASS_REVIEW_REFUSED") return TakeReview(index, kind, *body);
  if (kind == "STEP_REFUSED") return TakeStepRefused(index, *body);
  if (kind == "ACT" || kind == "DENY") return TakeAct(index, kind, *body);
  if (kind == "DECIDED") return TakeDecided(index, *body);
  if (kind == "EVIDENCE") return TakeEvidence(index, *body);
  if (kind == "APPROVAL") return TakeApproval(index, *body);
  if (kind == "REVOKE") {
    const auto at = receipts_.find(TRY(json::GetString(*body, "id")));
    if (at == receipts_.end() || at->second.revoked) return {};
    const std::uint64_t leaf_ns = TRY(json::GetInteger(leaf, "boot_ns"));
    at->second.revoked = Lifetime{TRY(NumberIfAny(*body, "live_until_boot_ns")).value_or(leaf_ns),
                                  TRY(NumberIfAny(*body, "dead_from_boot_ns")).value_or(leaf_ns)};
    CompareEarly(at->first, at->second);
    return {};
  }
  if (kind == "WITNESSED") {
    const auto at = receipts_.find(TRY(json::GetString(*body, "id")));
    if (at == receipts_.end() || !at->second.waits) return Fail(Code::kCorrupt, "no receipt waits for it");
    at->second.waits = false;
    at->second.witnessed_boot_ns = TRY(json::GetInteger(leaf, "boot_ns"));
    ++report_.agreed[kind];
    return {};
  }
  const bool ours = TRY(book_.Apply(kind, *body));
  if (!ours) return {};
  ++report_.agreed[kind];
  if (kind == "PLANS") plans_[TRY(json::GetString(*body, "session"))] = TRY(ParsePlansJson(*body->Find("plans")));
  return {};
}

Status Replay::TakeCanon(std::uint64_t index, const json::Value& body) {
  if (!CanonReader::HasModel(body)) return {};  // a domain was removed
  CanonReader reader = TRY(CanonReader::Begin(body));
  if (!reader.needs_more()) return FinishCanon(index, reader);
  part_read_ = std::move(reader);
  part_read_at_ = index;
  return {};
}

Status Replay::TakeCanonPart(const json::Value& body) {
  if (!part_read_) return Fail(Code::kCorrupt, "a part of no canon");
  if (const Status taken = part_read_->Take(body); !taken) {
    part_read_.reset();
    return taken;
  }
  if (part_read_->needs_more()) return {};
  const CanonReader reader = std::move(*part_read_);
  part_read_.reset();
  return FinishCanon(part_read_at_, reader);
}

Status Replay::FinishCanon(std::uint64_t index, const CanonReader& reader) {
  CanonReader::Model model = TRY(reader.Finish());
  KnownCanon known;
  known.domain = reader.domain();
  known.digest = model.digest;
  Compare(index, "CANON", reader.digest(), known.digest);
  known.canon = std::move(model.canon);
  if (what_if_ && what_if_->domain == known.domain) known.canon = *what_if_;
  canons_[index] = std::move(known);
  return {};
}

Result<const Replay::KnownCanon*> Replay::CanonAt(const json::Value& body) const {
  const std::uint64_t entry = TRY(json::GetInteger(body, "canon_entry"));
  const auto at = canons_.find(entry);
  if (at == canons_.end()) return Fail(Code::kCorrupt, fmt::format("entry {} is no canon", entry));
  return &at->second;
}

Status Replay::TakeIssue(std::uint64_t index, const std::string& kind, const json::Value& body) {
  const json::Value* const receipt_json = body.Find("receipt");
  if (receipt_json == nullptr) return Fail(Code::kCorrupt, "no receipt");
  const std::string bytes = json::Encode(*receipt_json);
  const std::string id = TRY(json::GetString(body, "id"));
  KnownReceipt known;
  known.receipt = TRY(ParseReceipt(bytes));
  const Receipt& receipt = known.receipt;
  known.lifetimes.push_back({receipt.not_before_boot_ns, receipt.expires_boot_ns});
  std::string recomputed;
  const std::string recorded = id + " PERMITTED";
  const auto canon = CanonAt(body);
  if (!canon) {
    // Standing receipts of Proofgate's own domain for `doctor --prove` have none.
    recomputed = canon.error().message;
  } else if (receipt.is_standing) {
    const bool granted = std::any_of((*canon)->canon.standing.begin(), (*canon)->canon.standing.end(), [&](const Standing& grant) {
      // All of a grant or a part of it: a file that is granted by its name has a receipt to itself.
      return grant.id == receipt.rule && grant.kind == receipt.kind && grant.except == receipt.except &&
             std::all_of(receipt.objects.begin(), receipt.objects.end(), [&](const Object& object) {
               return std::find(grant.objects.begin(), grant.objects.end(), object) != grant.objects.end();
             });
    });
    recomputed = ReceiptId(bytes) + (granted ? " PERMITTED" : " NOT_PERMITTED: no standing grant is like it");
  } else {
    const Session* const session = book_.Find(receipt.session);
    std::optional<Canon> narrowed;
    if (session != nullptr) narrowed = NarrowedCanon(book_, *session, (*canon)->canon, (*canon)->digest);
    const Canon real = WithAliases(narrowed ? *narrowed : (*canon)->canon, TRY(ReadAliases(body)));
    const Request request = RequestOf(receipt);
    std::string wrong_override;
    if (!receipt.break_glass.empty()) {
      // Of the override only what it says, and once.
      const auto at = overrides_.find(receipt.break_glass);
      if (at == overrides_.end()) wrong_override = ": no such override";
      else if (at->second.is_spent) wrong_override = ": the override was used before";
      else if (at->second.request.rule != request.rule || at->second.request.object != request.object ||
               at->second.request.uses != request.uses || at->second.request.ttl_ns != request.ttl_ns)
        wrong_override = ": not what the override says";
      if (at != overrides_.end()) at->second.is_spent = true;
    }
    const Decision decision = Decide(real, request);
    recomputed = ReceiptId(bytes) + " " + std::string(DecisionCodeName(decision.code));
    recomputed += wrong_override;
    if (decision.code != DecisionCode::kPermitted) recomputed += ": " + decision.reason;
    else if (decision.kind != receipt.kind || decision.objects != receipt.objects ||
             decision.binding != receipt.binding)
      recomputed += " for other acts";
    if (!receipt.session.empty() && decision.code == DecisionCode::kPermitted) {
      if (session == nullptr) {
        recomputed += ": no such session";
      } else {
        const StepDecision step = DecideStepOf(book_, (*canon)->canon, what_if_ ? session->canon : receipt.canon, *session,
                                               TRY(json::GetInteger(body, "decided_ms")));
        if (step.code != StepCode::kOk) recomputed += fmt::format(": {}: {}", StepCodeName(step.code), step.reason);
        else if (step.step != receipt.step || session->run != receipt.run) recomputed += ": of another step";
        else if (session->parent != receipt.parent) recomputed += ": of another parent";
      }
    }
  }
  if (canon && !what_if_ && receipt.canon != (*canon)->digest) recomputed += " under another canon";
  if (canon && !receipt.is_standing) {
    const std::vector<Kind>& witnessed = (*canon)->canon.terms.witnessed;
    known.waits = std::find(witnessed.begin(), witnessed.end(), receipt.kind) != witnessed.end();
    const bool waited = body.Find("waits_for") != nullptr;
    if (known.waits != waited) recomputed += known.waits ? " and waits for witnesses" : " and waits for nobody";
  }
  known.is_sound = recorded == recomputed;
  Compare(index, kind, recorded, recomputed);
  if (!receipt.session.empty()) TRY(book_.Apply("ISSUE", body));
  if (!receipt.renews.empty()) {
    const auto first = receipts_.find(receipt.renews);
    if (first == receipts_.end()) return Fail(Code::kCorrupt, "it renews a receipt that is not there");
    first->second.lifetimes.push_back(known.lifetimes.front());
    first->second.is_sound = first->second.is_sound && known.is_sound;
    return {};
  }
  receipts_.insert_or_assign(id, std::move(known));
  return {};
}

Status Replay::TakeRefused(std::uint64_t index, const json::Value& body) {
  const KnownCanon& canon = *TRY(CanonAt(body));
  const Request request = TRY(RequestOfRefused(body));
  std::optional<Canon> narrowed;
  if (body.Find("session") != nullptr)
    if (const Session* const session = book_.Find(TRY(json::GetString(body, "session"))))
      narrowed = NarrowedCanon(book_, *session, canon.canon, canon.digest);
  const Decision decision = Decide(WithAliases(narrowed ? *narrowed : canon.canon, TRY(ReadAliases(body))), request);
  json::Object recorded;
  for (const char* key : {"code", "reason", "rules"}) {
    const json::Value* const value = body.Find(key);
    if (value == nullptr) return Fail(Code::kCorrupt, std::string(key) + " is missing");
    recorded[key] = *value;
  }
  Compare(index, "REFUSED", json::Encode(recorded), json::Encode(DecisionJson(decision)));
  return {};
}

Status Replay::TakeBreakGlass(std::uint64_t index, const std::string& kind, const json::Value& body) {
  const KnownCanon& canon = *TRY(CanonAt(body));
  const std::string statement = TRY(json::GetBytes(body, "statement"));
  const std::string id = BreakGlassId(statement);
  const BreakGlassDecision decision =
      DecideBreakGlass(canon.canon, host_, statement, Armoured(TRY(json::GetString(body, "signature"))), overrides_.contains(id),
                       TRY(json::GetInteger(body, "at_ms")));
  const std::string recorded = kind == "BREAK_GLASS" ? TRY(json::GetString(body, "id")) + " OK: "
                                                     : TRY(json::GetString(body, "id")) + " " + TRY(json::GetString(body, "code")) +
                                                           ": " + TRY(json::GetBytes(body, "reason"));
  Compare(index, kind, recorded, fmt::format("{} {}: {}", id, BreakGlassCodeName(decision.code), decision.reason));
  if (kind == "BREAK_GLASS") overrides_[id] = {decision.override.person, decision.request};
  return {};
}

Status Replay::TakeReview(std::uint64_t index, const std::string& kind, const json::Value& body) {
  const KnownCanon& canon = *TRY(CanonAt(body));
  BreakGlassReview review;
  review.id = TRY(json::GetString(body, "id"));
  review.was_justified = TRY(json::GetString(body, "verdict")) == "justified";
  review.reason = TRY(json::GetBytes(body, "reason"));
  const auto at = overrides_.find(review.id);
  const bool waits = at != overrides_.end() && !at->second.is_reviewed;
  const ReviewDecision decision =
      DecideReview(canon.canon, review, waits ? at->second.person : "", Armoured(TRY(json::GetString(body, "signature"))));
  const bool was_taken = kind == "BREAK_GLASS_REVIEWED";
  const std::string recorded = was_taken ? "OK: " + TRY(json::GetString(body, "person"))
                                         : TRY(json::GetString(body, "code")) + ": " + TRY(json::GetBytes(body, "why"));
  Compare(index, kind, recorded, fmt::format("{}: {}", BreakGlassCodeName(decision.code), was_taken ? decision.person : decision.reason));
  if (was_taken && waits) at->second.is_reviewed = true;
  return {};
}

Status Replay::TakeDelegation(std::uint64_t index, const std::string& kind, const json::Value& body) {
  const KnownCanon& canon = *TRY(CanonAt(body));
  const Session* const parent = book_.Find(TRY(json::GetString(body, "parent")));
  const json::Value* const rights = body.Find("rights");
  if (parent == nullptr || rights == nullptr) return Fail(Code::kCorrupt, "no such parent, or no rights");
  Delegation delegation;
  delegation.rights = TRY(ReadRights(*rights));
  delegation.deadline_ms = TRY(json::GetInteger(body, "deadline_ms"));
  delegation.max_cost = TRY(json::GetInteger(body, "max_cost"));
  delegation.max_uses = TRY(json::GetInteger(body, "max_uses"));
  const DelegationDecision decision = DecideDelegation(book_, canon.canon, *parent, delegation, TRY(ReadAliases(body)),
                                                       TRY(json::GetInteger(body, "at_ms")));
  const auto words = [](std::string_view code, const std::string& reason) { return std::string(code) + ": " + reason; };
  const std::string recorded = kind == "SESSION_OPEN"
                                   ? words("OK", "")
                                   : words(TRY(json::GetString(body, "code")), TRY(json::GetBytes(body, "reason")));
  std::string recomputed = words(DelegationCodeName(decision.code), decision.reason);
  if (kind == "SESSION_OPEN" && !what_if_ && TRY(json::GetString(body, "canon")) != canon.digest)
    recomputed += "under another canon";
  Compare(index, kind, recorded, recomputed);
  if (kind == "SESSION_OPEN") TRY(book_.Apply(kind, body));
  return {};
}

Status Replay::TakeStepRefused(std::uint64_t index, const json::Value& body) {
  const KnownCanon& canon = *TRY(CanonAt(body));
  const std::string id = TRY(json::GetString(body, "session"));
  const Session* const session = book_.Find(id);
  if (session == nullptr) return Fail(Code::kCorrupt, "no such session");
  const StepDecision step =
      DecideStepOf(book_, canon.canon, what_if_ ? session->canon : canon.digest, *session, TRY(json::GetInteger(body, "at_ms")));
  Compare(index, "STEP_REFUSED",
          TRY(json::GetString(body, "code")) + ": " + TRY(json::GetBytes(body, "reason")),
          std::string(StepCodeName(step.code)) + ": " + step.reason);
  return {};
}

// The snapshot as well is made again, from the sessions before it: only what
// came from outside (time, salt, links) is taken from the record.
Status Replay::TakeDecided(std::uint64_t index, const json::Value& body) {
  const KnownCanon& canon = *TRY(CanonAt(body));
  const std::string id = TRY(json::GetString(body, "session"));
  const Session* const session = book_.Find(id);
  const auto plans = plans_.find(id);
  const json::Value* const snapshot_json = body.Find("snapshot");
  if (session == nullptr || plans == plans_.end() || snapshot_json == nullptr)
    return Fail(Code::kCorrupt, "no session, plans or snapshot");
  if (TRY(json::GetString(body, "semantics")) != kOptrSemantics) {
    ++report_.not_decided["semantics of another version"];
    TRY(book_.Apply("DECIDED", body));
    return {};
  }
  const Snapshot given = TRY(ParseSnapshotJson(*snapshot_json));
  const Snapshot snapshot = TRY(book_.TakeSnapshot(canon.canon, id, given.now_ms, given.salt, given.aliases));
  Selection selection;
  const std::optional<Canon> narrowed = NarrowedCanon(book_, *session, canon.canon, canon.digest);
  const json::Object again = DecidedBody(*session, canon.canon, TRY(json::GetInteger(body, "canon_entry")),
                                         plans->second, snapshot, selection, narrowed ? &*narrowed : nullptr);
  if (what_if_) {
    const auto chosen = [](const json::Value& decided) {
      const auto plan = json::GetString(decided, "plan");
      return json::GetString(decided, "code").value_or("?") + (plan ? " plan " + *plan : "");
    };
    Compare(index, "DECIDED", chosen(body), chosen(again));
  } else {
    Compare(index, "DECIDED", json::Encode(body), json::Encode(again));
  }
  plans_.erase(plans);
  TRY(book_.Apply("DECIDED", body));
  return {};
}

Status Replay::TakeEvidence(std::uint64_t index, const json::Value& body) {
  const bool is_signed = body.Find("producer") != nullptr;
  TRY(book_.Apply("EVIDENCE", body));
  if (!is_signed) {
    ++report_.not_decided["evidence that nobody signed"];
    return {};
  }
  const KnownCanon& canon = *TRY(CanonAt(body));
  const std::string session = TRY(json::GetString(body, "session"));
  const Evidence& evidence = book_.Find(session)->evidence.back();
  const std::string armoured = Armoured(TRY(json::GetString(body, "signature")));
  const std::string statement = EvidenceStatement(session, evidence);
  std::string signer = "nobody that canon names";
  for (const Producer& producer : canon.canon.terms.producers) {
    const auto key = ParseOpenSshPublicKey(producer.key);
    if (key && SshVerify(*key, kEvidenceNamespace, statement, armoured)) signer = producer.name;
  }
  Compare(index, "EVIDENCE", evidence.producer, signer);
  return {};
}

Status Replay::TakeApproval(std::uint64_t index, const json::Value& body) {
  const KnownCanon& canon = *TRY(CanonAt(body));
  const Session* const session = book_.Find(TRY(json::GetString(body, "session")));
  const json::Value* const how = body.Find("how");
  if (session == nullptr || how == nullptr) return Fail(Code::kCorrupt, "no such session, or not said how");
  const bool approves = TRY(json::GetString(body, "verdict")) == "approve";
  Result<std::string> person = Fail(Code::kInvalid, "nobody");
  if (how->Find("signature") != nullptr)
    person = ApproverByKey(canon.canon, ApprovalStatement(*session, approves), Armoured(TRY(json::GetString(*how, "signature"))));
  else
    person = ApproverByUid(canon.canon, TRY(json::GetInteger(*how, "uid")));
  std::string recomputed = person ? *person : person.error().message;
  if (person) {
    const Status may = MayApprove(canon.canon, *session, *person);
    if (!may) recomputed = may.error().message;
  }
  Compare(index, "APPROVAL", TRY(json::GetString(body, "person")), recomputed);
  TRY(book_.Apply("APPROVAL", body));
  return {};
}

// What the gate says of this act under this receipt, as the ledger knows it.
std::string Replay::JudgeAct(const KnownReceipt& known, const json::Value& body, std::uint64_t now,
                             const std::string& recorded) const {
  if (!known.revoked) return JudgeAct(known, body, now, false);
  // The gate takes the time first and looks at the receipt then: an act of the
  // last moment may have met either.
  if (now <= known.revoked->to_boot_ns && now + kGateMomentNs >= known.revoked->from_boot_ns) {
    const std::string live = JudgeAct(known, body, now, false);
    return live == recorded ? live : JudgeAct(known, body, now, true);
  }
  return JudgeAct(known, body, now, now > known.revoked->to_boot_ns);
}

std::string Replay::JudgeAct(const KnownReceipt& known, const json::Value& body, std::uint64_t now,
                             bool is_revoked) const {
  if (!known.is_sound || known.waits || now < known.witnessed_boot_ns) return std::string(GateCodeName(GATE_NO_RECEIPT));
  receipt_slot slot{};
  gate_act act{};
  slot.state = is_revoked ? SLOT_REVOKED : SLOT_LIVE;
  // One domain and kind at a time: numbers stand for their names.
  slot.domain = 1;
  act.domain = json::GetString(body, "domain").value_or("") == known.receipt.domain ? 1 : 2;
  slot.kind = 1;
  const std::string kind = json::GetString(body, "kind").value_or("");
  const std::string operation = json::GetString(body, "op").value_or("");
  // Sending over a connection that came in is covered by the bind.
  const bool answers = known.receipt.kind == Kind::kBind && kind == "connect" && operation == "send";
  act.kind = kind == KindName(known.receipt.kind) || answers ? 1 : 2;
  slot.not_before_boot_ns = known.lifetimes.front().from_boot_ns;
  slot.expires_boot_ns = known.lifetimes.front().to_boot_ns;
  for (const Lifetime& renewal : known.lifetimes)
    if (renewal.from_boot_ns <= now) slot.expires_boot_ns = renewal.to_boot_ns;
  slot.max_uses = known.receipt.uses;
  slot.used = known.acts;
  if (known.receipt.is_standing) slot.flags = RECEIPT_STANDING;
  if (IsBound(known.receipt.binding)) slot.flags |= RECEIPT_BOUND;
  if (!known.receipt.exe.empty()) {
    slot.exe = 1;
    act.exe = json::GetBytes(body, "program").value_or("") == known.receipt.exe ? 1 : 2;
  }
  act.needs = NEED_USE | SEES_BINDINGS;
  if (operation == "map as shared and writable") act.needs |= NEED_STANDING;
  return std::string(GateCodeName(gate_decide(&slot, &act, now)));
}

Status Replay::TakeAct(std::uint64_t index, const std::string& kind, const json::Value& body) {
  const std::uint64_t now = TRY(json::GetInteger(body, "act_boot_ns"));
  const std::string id = json::GetString(body, "receipt").value_or("");
  const auto at = receipts_.find(id);
  const std::string recorded = kind == "ACT" ? std::string(GateCodeName(GATE_OK)) : TRY(json::GetString(body, "code"));
  if (kind == "DENY" && IsOfBinding(recorded)) {
    ++report_.not_decided["refused by what a receipt binds, which the record does not hold"];
    return {};
  }
  if (kind == "DENY" && IsHooksOwn(recorded)) {
    ++report_.not_decided["refused by the hook, whatever the receipts"];
    return {};
  }
  if (at != receipts_.end() && !at->second.revoked && recorded == GateCodeName(GATE_REVOKED)) {
    early_[id].push_back({index, now, body});
    return {};
  }
  if (at != receipts_.end()) {
    Compare(index, kind, recorded, JudgeAct(at->second, body, now, recorded));
    if (kind == "ACT") ++at->second.acts;
    return {};
  }
  if (kind == "ACT") {
    Compare(index, kind, recorded, std::string(GateCodeName(GATE_NO_RECEIPT)) + ": receipt '" + EscapeForPeople(id) + "' is not in the ledger");
    return {};
  }
  // NO_RECEIPT: no receipt that covers its path may say otherwise. (One that
  // names the inode by another path is not found by this path.)
  const auto path = WholePath(body);
  if (!path) {
    ++report_.not_decided["refused, and the record does not hold the whole path"];
    return {};
  }
  Object object;
  object.path = *path;
  std::string recomputed(GateCodeName(GATE_NO_RECEIPT));
  for (const auto& [other, known] : receipts_) {
    const bool covers = std::any_of(known.receipt.objects.begin(), known.receipt.objects.end(),
                                    [&](const Object& named) { return Contains(named, object); }) &&
                        known.receipt.except.empty();
    // The entry is before the gate has it: a refusal of that moment is right.
    if (known.witnessed_boot_ns != 0 && now < known.witnessed_boot_ns + kGateMomentNs) continue;
    if (covers && JudgeAct(known, body, now, recorded) == GateCodeName(GATE_OK)) recomputed = "OK under receipt " + other;
  }
  Compare(index, kind, recorded, recomputed);
  return {};
}

}  // namespace proofgate::policy
