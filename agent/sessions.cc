#include "agent/sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "agent/resolve.h"
#include "base/bytes.h"
#include "base/signature.h"

namespace proofgate::agent {
namespace {

using policy::SessionState;
using policy::StepState;

constexpr const char* kLogPrefix = "session_log/";

std::string CanonDigest(const policy::Canon& canon) {
  return Hex(Sha256(json::Encode(policy::CanonJson(canon))));
}

Status MakeReal(std::string& path) {
  path = TRY(RealPath(path));
  return {};
}

// The plans with every path real: decisions see no links.
Result<policy::Plans> WithRealPaths(policy::Plans plans) {
  for (policy::Plan& plan : plans.plans)
    for (policy::Step& step : plan.steps)
      for (policy::Action& action : step.any) {
        if (policy::HasPath(action.object.form)) TRY(MakeReal(action.object.path));
        if (!action.exe.empty()) TRY(MakeReal(action.exe));
      }
  return policy::ParsePlansJson(policy::PlansJson(plans));  // sorted anew
}

// Rights as people write them, with `object` in words; what it is depends on the rule.
Result<json::Value> WithObjects(json::Value rights, const policy::Canon& canon) {
  if (!rights.is_array()) return rights;
  for (json::Value& right : rights.array()) {
    if (!right.is_object() || right.Find("object") == nullptr) continue;
    if (right.Find("objects") != nullptr) return Fail(Code::kInvalid, "rights: object or objects expected, not both");
    const policy::Rule* const rule = canon.FindRule(json::GetBytes(right, "rule").value_or(""));
    const policy::Object object = TRY(ParseObjectText(rule == nullptr ? policy::Kind::kWrite : rule->kind, TRY(json::GetBytes(right, "object"))));
    right.object().erase("object");
    right.object()["objects"] = json::Array{policy::ObjectJson(object)};
  }
  return rights;
}

json::Object StepJson(const policy::SessionStep& step) {
  json::Object out{{"rule", step.rule},
                   {"kind", policy::KindName(step.action.kind)},
                   {"object", json::Bytes(policy::Describe(step.action.object))},
                   {"uses", json::Integer(step.figures.uses)},
                   {"state", policy::StepStateName(step.state)},
                   {"used", json::Integer(step.used)}};
  if (!step.receipt.empty()) out["receipt"] = step.receipt;
  return out;
}

json::Object SessionJson(const policy::Session& session) {
  json::Array steps;
  for (const policy::SessionStep& step : session.steps) steps.emplace_back(StepJson(step));
  json::Array approvals;
  for (const policy::Approval& approval : session.approvals)
    approvals.emplace_back(json::Object{{"person", approval.person},
                                        {"verdict", approval.approves ? "approve" : "deny"},
                                        {"at_ms", json::Integer(approval.at_ms)}});
  json::Array evidence;
  for (const policy::Evidence& piece : session.evidence) {
    json::Object one{{"digest", piece.digest}, {"kind", piece.kind}};
    if (!piece.producer.empty()) one["producer"] = piece.producer;
    evidence.emplace_back(std::move(one));
  }
  json::Object out{{"session", session.id},
                   {"domain", session.domain},
                   {"principal", session.principal},
                   {"state", policy::SessionStateName(session.state)},
                   {"opened_utc", FormatUtc({static_cast<std::int64_t>(session.opened_ms)})},
                   {"deadline_utc", FormatUtc({static_cast<std::int64_t>(session.deadline_ms)})},
                   {"evidence", std::move(evidence)},
                   {"steps", std::move(steps)},
                   {"approvals", std::move(approvals)}};
  if (session.max_cost) out["max_cost"] = json::Integer(*session.max_cost);
  if (session.max_uses) out["max_uses"] = json::Integer(*session.max_uses);
  if (!session.parent.empty()) {
    out["parent"] = session.parent;
    out["rights"] = policy::RightsJson(session.rights);
  }
  if (!session.plan.empty()) out["plan"] = session.plan;
  if (!session.run.empty()) out["run"] = session.run;
  if (!session.end_reason.empty()) out["reason"] = json::Bytes(session.end_reason);
  return out;
}

Status CheckDuration(std::uint64_t duration_ms) {
  if (duration_ms == 0 || duration_ms > policy::kMaxWindowMs)
    return Fail(Code::kInvalid, "a session lasts from 1 ms to 24h");
  return {};
}

}  // namespace

std::string Sessions::NextKey() { return fmt::format("{}{:016}", kLogPrefix, next_key_++); }

Result<std::uint64_t> Sessions::Record(const char* kind, json::Object body) {
  // Tried on a copy: what cannot follow must not become an entry.
  policy::Book next = book_;
  TRY(next.Apply(kind, json::Value(body)));
  const std::string key = NextKey();
  const std::string session = body.at("session").string();
  const ledger::Position position = TRY(ledger_.Append({{kind, std::move(body), key}}));
  book_ = std::move(next);
  keys_[session].push_back(key);
  return position.first;
}

Status Sessions::Restore() {
  // Keys are numbered, so their order is the order of the entries.
  bool some_archived = false;
  for (const auto& [number, index] : TRY(ledger_.ScanMeta(kLogPrefix))) {
    next_key_ = std::stoull(number) + 1;
    const auto entry = ledger_.Entry(std::stoull(index));
    if (!entry && entry.error().code == Code::kNotFound) {
      some_archived = true;  // and with it the session, of which what is left says nothing
      continue;
    }
    const json::Value leaf = TRY(json::Parse(TRY(ledger_.Entry(std::stoull(index)))));
    const json::Value* const body = leaf.Find("body");
    const std::string kind = TRY(json::GetString(leaf, "kind"));
    if (body == nullptr) return Fail(Code::kCorrupt, "ledger: entry " + index + " has no body");
    const auto applied = book_.Apply(kind, *body);
    if (!applied && some_archived) continue;
    if (!applied) return Fail(Code::kCorrupt, "ledger: entry " + index + ": " + applied.error().message);
    const json::Value& owner = kind == "ISSUE" ? *body->Find("receipt") : *body;
    keys_[TRY(json::GetString(owner, "session"))].push_back(kLogPrefix + number);
  }
  std::vector<std::string> lost;
  for (const auto& [id, session] : book_.sessions()) {
    for (const policy::SessionStep& step : session.steps) {
      const bool gone = step.state == StepState::kLive &&
                        std::none_of(receipts_.live().begin(), receipts_.live().end(), [&](const auto& entry) {
                          return entry.second.id == step.receipt;
                        });
      if (gone) lost.push_back(id);
    }
  }
  for (const std::string& id : lost) {
    const policy::Session& session = *book_.Find(id);
    const std::size_t step = session.NextStep();
    TRY(Record("OUTCOME", {{"session", id}, {"step", json::Integer(step)}, {"receipt", session.steps[step].receipt},
                           {"result", policy::StepStateName(StepState::kIndeterminate)}, {"used", 0},
                           {"at_ms", json::Integer(static_cast<std::uint64_t>(clock_.Utc().ms))}}));
    TRY(End(id, SessionState::kAborted, fmt::format("nobody knows what step {} did: its receipt is gone", step + 1)));
  }
  return EndOrphans();
}

Result<const policy::Session*> Sessions::Get(const std::string& id) const {
  const policy::Session* const session = book_.Find(id);
  if (session == nullptr) return Fail(Code::kNotFound, "no session " + policy::EscapeForPeople(id));
  return session;
}

const policy::Session* Sessions::FindByCgroup(std::uint64_t cgroup_id) const {
  for (const auto& [id, session] : book_.sessions())
    if (cgroup_id != 0 && session.cgroup_id == cgroup_id && !policy::HasEnded(session.state)) return &session;
  return nullptr;
}

Status Sessions::MayOpen(const std::string& domain, const std::string& principal) const {
  std::size_t open = 0;
  std::size_t of_one = 0;
  for (const auto& [id, session] : book_.sessions()) {
    if (policy::HasEnded(session.state)) continue;
    ++open;
    if (session.domain == domain && session.principal == principal) ++of_one;
  }
  if (open >= kMaxOpenSessions || of_one >= kMaxOpenSessionsOfOne)
    return Fail(Code::kBusy, fmt::format("{} sessions are open, {} of them by {} in '{}'; end one", open, of_one, principal, domain));
  return {};
}

Result<json::Object> Sessions::Open(const std::string& domain, const std::string& principal,
                                    std::uint64_t cgroup_id, std::uint64_t duration_ms, const Bounds& bounds) {
  const Domain found = TRY(find_domain_(domain));
  TRY(MayOpen(domain, principal));
  TRY(CheckDuration(duration_ms));
  const std::string id = Hex(RandomBytes(8));
  const auto now_ms = static_cast<std::uint64_t>(clock_.Utc().ms);
  json::Object body{{"session", id}, {"domain", domain}, {"principal", principal},
                    {"cgroup_id", json::Integer(cgroup_id)}, {"at_ms", json::Integer(now_ms)},
                    {"deadline_ms", json::Integer(now_ms + duration_ms)},
                    {"canon_entry", json::Integer(found.canon_entry)}};
  if (bounds.max_cost) body["max_cost"] = json::Integer(*bounds.max_cost);
  if (bounds.max_uses) body["max_uses"] = json::Integer(*bounds.max_uses);
  const std::uint64_t entry = TRY(Record("SESSION_OPEN", std::move(body)));
  return json::Object{{"session", id}, {"domain", domain}, {"entry", json::Integer(entry)},
                      {"deadline_utc", FormatUtc({static_cast<std::int64_t>(now_ms + duration_ms)})}};
}

Result<json::Object> Sessions::Delegate(const std::string& parent_id, const NewChild& child,
                                        const std::function<Result<std::uint64_t>()>& cgroup, std::string& code) {
  const policy::Session& parent = *TRY(Get(parent_id));
  const Domain domain = TRY(find_domain_(parent.domain));
  const auto now_ms = static_cast<std::uint64_t>(clock_.Utc().ms);
  TRY(MayOpen(parent.domain, parent.principal));
  if (child.duration_ms) TRY(CheckDuration(*child.duration_ms));
  policy::Delegation delegation;
  delegation.rights = TRY(policy::ReadRights(TRY(WithObjects(child.rights, *domain.canon))));
  for (policy::Right& right : delegation.rights)
    for (policy::Object& object : right.objects)
      if (policy::HasPath(object.form)) TRY(MakeReal(object.path));
  delegation.deadline_ms = child.duration_ms ? now_ms + *child.duration_ms : parent.deadline_ms;
  delegation.max_cost = child.max_cost;
  delegation.max_uses = child.max_uses;
  const auto aliases = TRY(FindAliases(*domain.canon, receipts_.writers()));
  const policy::DelegationDecision decision =
      policy::DecideDelegation(book_, *domain.canon, parent, delegation, aliases, now_ms);
  json::Object body{{"domain", parent.domain}, {"parent", parent_id}, {"principal", parent.principal},
                    {"rights", policy::RightsJson(delegation.rights)}, {"at_ms", json::Integer(now_ms)},
                    {"deadline_ms", json::Integer(delegation.deadline_ms)},
                    {"max_cost", json::Integer(child.max_cost)}, {"max_uses", json::Integer(child.max_uses)},
                    {"canon_entry", json::Integer(domain.canon_entry)}};
  if (!aliases.empty()) body["aliases"] = AliasesJson(aliases);
  if (decision.code != policy::DelegationCode::kOk) {
    code = policy::DelegationCodeName(decision.code);
    body["code"] = code;
    body["reason"] = json::Bytes(decision.reason);
    TRY(ledger_.Append({{"DELEGATION_REFUSED", std::move(body)}}));
    return Fail(Code::kDenied, decision.reason);
  }
  const std::string id = Hex(RandomBytes(8));
  body["session"] = id;
  body["cgroup_id"] = json::Integer(TRY(cgroup()));
  body["canon"] = CanonDigest(*domain.canon);
  const std::uint64_t entry = TRY(Record("SESSION_OPEN", std::move(body)));
  return json::Object{{"session", id}, {"parent", parent_id}, {"domain", domain.canon->domain}, {"entry", json::Integer(entry)},
                      {"deadline_utc", FormatUtc({static_cast<std::int64_t>(delegation.deadline_ms)})}};
}

policy::StepDecision Sessions::DecideStep(const Domain& domain, const policy::Session& session, std::uint64_t now_ms) const {
  return policy::DecideStepOf(book_, *domain.canon, CanonDigest(*domain.canon), session, now_ms);
}

Result<json::Object> Sessions::AddEvidence(const std::string& id, NewEvidence given) {
  const policy::Session& session = *TRY(Get(id));
  policy::Evidence evidence;
  evidence.kind = given.kind;
  evidence.fields = given.fields;
  if (given.content) {
    if (given.content->size() > kMaxEvidenceBytes)
      return Fail(Code::kInvalid, fmt::format("evidence: at most {} bytes; hand over its digest", kMaxEvidenceBytes));
    evidence.digest = Hex(Sha256(*given.content));
    if (!given.digest.empty() && given.digest != evidence.digest)
      return Fail(Code::kInvalid, "evidence: the content has another digest");
  } else {
    evidence.digest = given.digest;
  }
  const bool is_word = !evidence.kind.empty() && evidence.kind.size() <= 64 &&
                       std::all_of(evidence.kind.begin(), evidence.kind.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
  if (!is_word || !ParseDigest(evidence.digest)) return Fail(Code::kInvalid, "evidence: a kind and a SHA-256 digest or content expected");
  json::Object body{{"session", id}, {"kind", evidence.kind}, {"digest", evidence.digest},
                    {"at_ms", json::Integer(static_cast<std::uint64_t>(clock_.Utc().ms))}};
  if (!given.fields.empty() || !given.signature.empty()) {
    const Domain domain = TRY(find_domain_(session.domain));
    const std::string statement = policy::EvidenceStatement(id, evidence);
    for (const policy::Producer& producer : domain.canon->terms.producers) {
      const auto key = ParseOpenSshPublicKey(producer.key);
      if (key && SshVerify(*key, policy::kEvidenceNamespace, statement, given.signature)) evidence.producer = producer.name;
    }
    if (evidence.producer.empty())
      return Fail(Code::kDenied, "evidence: fields count only when a producer that canon names has signed them for this session");
    json::Object fields;
    for (const auto& [name, value] : evidence.fields) fields[name] = json::Integer(value);
    body["producer"] = evidence.producer;
    body["fields"] = std::move(fields);
    body["signature"] = Unarmour(given.signature);
    body["canon_entry"] = json::Integer(domain.canon_entry);
  }
  const std::uint64_t entry = TRY(Record("EVIDENCE", std::move(body)));
  return json::Object{{"session", id}, {"digest", evidence.digest}, {"entry", json::Integer(entry)}};
}

Result<json::Object> Sessions::Complete(const std::string& id, const std::string& text) {
  const policy::Session& session = *TRY(Get(id));
  const Domain domain = TRY(find_domain_(session.domain));
  const policy::Plans plans = TRY(WithRealPaths(TRY(policy::ParsePlans(text))));
  const auto now_ms = static_cast<std::uint64_t>(clock_.Utc().ms);
  const json::Value plans_json = policy::PlansJson(plans);
  TRY(Record("PLANS", {{"session", id}, {"at_ms", json::Integer(now_ms)}, {"plans", plans_json},
                       {"digest", Hex(Sha256(json::Encode(plans_json)))}, {"source_digest", Hex(Sha256(text))}}));
  // Drawn only now: see Snapshot::salt.
  const policy::Snapshot snapshot = TRY(book_.TakeSnapshot(*domain.canon, id, now_ms, Hex(RandomBytes(16)),
                                                           TRY(FindAliases(*domain.canon, receipts_.writers()))));
  policy::Selection selection;
  const auto narrowed = policy::NarrowedCanon(book_, *book_.Find(id), *domain.canon, CanonDigest(*domain.canon));
  json::Object body = policy::DecidedBody(*book_.Find(id), *domain.canon, domain.canon_entry, plans, snapshot, selection,
                                          narrowed ? &*narrowed : nullptr);
  const std::uint64_t entry = TRY(Record("DECIDED", std::move(body)));
  if (book_.Find(id)->state == SessionState::kRefused) TRY(EndChildren(id));
  json::Object out{{"session", id}, {"entry", json::Integer(entry)},
                   {"code", policy::OptrCodeName(selection.code)}, {"result", selection.result}};
  const policy::Session& decided = *book_.Find(id);
  out["state"] = policy::SessionStateName(decided.state);
  out["text"] = json::Bytes(selection.code == policy::OptrCode::kPermitted ? policy::RenderSelection(selection)
                                                                            : policy::RenderResult(selection.result));
  if (decided.state == SessionState::kDecided) {
    out["run"] = decided.run;
    const policy::StepDecision next = DecideStep(domain, decided, now_ms);
    out["next"] = policy::StepCodeName(next.code);
    if (next.code != policy::StepCode::kOk) out["next_reason"] = json::Bytes(next.reason);
  }
  return out;
}

// The live step's receipt dies, and what it was used for becomes its outcome.
Status Sessions::SettleLive(policy::Session session, StepState result_if_used, std::optional<std::uint64_t> status) {
  const std::string id = session.id;
  for (std::size_t step = 0; step < session.steps.size(); ++step) {
    if (session.steps[step].state != StepState::kLive) continue;
    const std::string receipt = session.steps[step].receipt;
    const Receipts::Live* live = nullptr;
    for (const auto& [slot, candidate] : receipts_.live())
      if (candidate.id == receipt) live = &candidate;
    StepState result = StepState::kIndeterminate;
    std::uint64_t used = 0;
    if (live != nullptr) {
      if (!live->revoked && !live->settled) TRY(receipts_.Revoke(receipt, "its step ended"));
      used = receipts_.UseOf(*live).used;
      result = result_if_used == StepState::kFailed ? StepState::kFailed
               : used == 0                          ? StepState::kUnused
                                                    : result_if_used;
    }
    json::Object body{{"session", id}, {"step", json::Integer(step)}, {"receipt", receipt},
                      {"result", policy::StepStateName(result)}, {"used", json::Integer(used)},
                      {"at_ms", json::Integer(static_cast<std::uint64_t>(clock_.Utc().ms))}};
    if (status) body["status"] = json::Integer(*status);
    TRY(Record("OUTCOME", std::move(body)));
  }
  return {};
}

Status Sessions::SettleEnded(const policy::Session& session) {
  for (const policy::SessionStep& step : session.steps)
    for (const auto& [slot, live] : receipts_.live())
      if (step.state == StepState::kLive && live.id == step.receipt && live.settled)
        return SettleLive(session, StepState::kDone);
  return {};
}

Status Sessions::EndChildren(const std::string& id) {
  std::vector<std::string> children;
  for (const auto& [child_id, child] : book_.sessions())
    if (child.parent == id && !policy::HasEnded(child.state)) children.push_back(child_id);
  for (const std::string& child : children) TRY(Abort(child, "its parent, session " + id + ", has ended"));
  return {};
}

// Those whose parent ended while they could not be.
Status Sessions::EndOrphans() {
  std::set<std::string> parents;
  for (const auto& [id, session] : book_.sessions()) {
    if (session.parent.empty() || policy::HasEnded(session.state)) continue;
    const policy::Session* const parent = book_.Find(session.parent);
    if (parent == nullptr || policy::HasEnded(parent->state)) parents.insert(session.parent);
  }
  for (const std::string& parent : parents) TRY(EndChildren(parent));
  return {};
}

Status Sessions::End(const std::string& id, SessionState state, const std::string& reason) {
  TRY(EndChildren(id));
  TRY(Record("SESSION_END", {{"session", id}, {"state", policy::SessionStateName(state)}, {"reason", json::Bytes(reason)},
                             {"at_ms", json::Integer(static_cast<std::uint64_t>(clock_.Utc().ms))}}));
  return {};
}

Result<json::Object> Sessions::Next(const std::string& id, std::uint64_t status, std::string& code) {
  TRY(Get(id));
  TRY(SettleLive(*book_.Find(id), status == 0 ? StepState::kDone : StepState::kFailed, status));
  const policy::Session& session = *book_.Find(id);
  if (session.state == SessionState::kExecuting && session.NextStep() == session.steps.size()) {
    TRY(End(id, SessionState::kClosed, "every step is done"));
    return json::Object{{"session", id}, {"state", "closed"}};
  }
  const Domain domain = TRY(find_domain_(session.domain));
  const auto now_ms = static_cast<std::uint64_t>(clock_.Utc().ms);
  const policy::StepDecision decision =
      DecideStep(domain, session, now_ms);
  if (decision.code != policy::StepCode::kOk) {
    code = policy::StepCodeName(decision.code);
    json::Object refused{{"session", id}, {"domain", session.domain}, {"step", json::Integer(decision.step)},
                         {"code", code}, {"reason", json::Bytes(decision.reason)}, {"at_ms", json::Integer(now_ms)},
                         {"canon_entry", json::Integer(domain.canon_entry)}};
    TRY(ledger_.Append({{"STEP_REFUSED", std::move(refused)}}));
    return Fail(Code::kDenied, decision.reason);
  }
  const policy::SessionStep& step = session.steps[decision.step];
  policy::Request request;
  request.rule = step.rule;
  request.object = step.action.object;
  request.ttl_ns = step.figures.ttl_ns;
  request.uses = step.figures.uses;
  request.exe = step.action.exe;
  request.binding = step.action.binding;
  request.from_session = true;
  const auto narrowed = policy::NarrowedCanon(book_, session, *domain.canon, CanonDigest(*domain.canon));
  const Receipts::StepOf of{id, session.run, decision.step, now_ms, NextKey(), session.parent, narrowed ? &*narrowed : nullptr};
  std::optional<Receipts::Refusal> refusal;
  const auto issued = receipts_.Issue(*domain.canon, domain.number, domain.canon_entry, request, session.principal,
                                      refusal, &of);
  if (!issued) {
    // Recorded and not installed, perhaps: the entry decides.
    if (refusal) code = policy::DecisionCodeName(refusal->decision.code);
    return tl::unexpected(issued.error());
  }
  keys_[id].push_back(of.index_key);
  json::Object receipt{{"session", id}, {"run", of.run}, {"step", json::Integer(of.step)}};
  TRY(book_.Apply("ISSUE", json::Value(json::Object{{"id", issued->id}, {"receipt", std::move(receipt)}})));
  return json::Object{{"session", id}, {"state", "executing"}, {"step", json::Integer(decision.step)},
                      {"receipt", issued->id}, {"entry", json::Integer(issued->entry)},
                      {"kind", policy::KindName(step.action.kind)},
                      {"object", json::Bytes(policy::Describe(step.action.object))},
                      {"uses", json::Integer(issued->uses)}, {"expires_utc", issued->expires_utc}};
}

Result<json::Object> Sessions::Approve(const policy::Session& session, bool approves, const std::string& person,
                                       json::Object how, const std::string& reason) {
  const Domain domain = TRY(find_domain_(session.domain));
  TRY(policy::MayApprove(*domain.canon, session, person));
  json::Object body{{"session", session.id}, {"run", session.run}, {"person", person},
                    {"verdict", approves ? "approve" : "deny"}, {"reason", json::Bytes(reason)},
                    {"canon_entry", json::Integer(domain.canon_entry)}, {"how", std::move(how)},
                    {"at_ms", json::Integer(static_cast<std::uint64_t>(clock_.Utc().ms))}};
  const std::string id = session.id;
  const std::uint64_t entry = TRY(Record("APPROVAL", std::move(body)));
  const policy::StepDecision next = DecideStep(domain, *book_.Find(id), static_cast<std::uint64_t>(clock_.Utc().ms));
  return json::Object{{"session", id}, {"person", person}, {"verdict", approves ? "approve" : "deny"},
                      {"entry", json::Integer(entry)}, {"next", policy::StepCodeName(next.code)}};
}

Result<json::Object> Sessions::ApproveBySignature(const std::string& id, bool approves, const std::string& armoured,
                                                  const std::string& reason) {
  const policy::Session& session = *TRY(Get(id));
  const Domain domain = TRY(find_domain_(session.domain));
  const std::string person =
      TRY(policy::ApproverByKey(*domain.canon, policy::ApprovalStatement(session, approves), armoured));
  return Approve(session, approves, person, {{"signature", Unarmour(armoured)}}, reason);
}

Result<json::Object> Sessions::ApproveByUid(const std::string& id, bool approves, std::uint64_t uid,
                                            const std::string& reason) {
  const policy::Session& session = *TRY(Get(id));
  const Domain domain = TRY(find_domain_(session.domain));
  const std::string person = TRY(policy::ApproverByUid(*domain.canon, uid));
  return Approve(session, approves, person, {{"uid", json::Integer(uid)}}, reason);
}

Result<json::Object> Sessions::Abort(const std::string& id, const std::string& reason) {
  const policy::Session& session = *TRY(Get(id));
  if (policy::HasEnded(session.state))
    return Fail(Code::kInvalid, fmt::format("session {} is {}", id, policy::SessionStateName(session.state)));
  TRY(SettleLive(session, StepState::kFailed));
  TRY(End(id, SessionState::kAborted, reason));
  return json::Object{{"session", id}, {"state", "aborted"}};
}

Status Sessions::AbortAll(const std::string& domain, const std::string& reason) {
  std::vector<std::string> ids;
  for (const auto& [id, session] : book_.sessions())
    if (session.domain == domain && !policy::HasEnded(session.state)) ids.push_back(id);
  for (const std::string& id : ids)  // a parent takes its children along
    if (!policy::HasEnded(book_.Find(id)->state)) TRY(Abort(id, reason));
  return {};
}

Result<json::Object> Sessions::Show(const std::string& id) const {
  const policy::Session& session = *TRY(Get(id));
  json::Object out = SessionJson(session);
  if (session.run.empty() || policy::HasEnded(session.state)) return out;
  const Domain domain = TRY(find_domain_(session.domain));
  const policy::StepDecision next = DecideStep(domain, session, static_cast<std::uint64_t>(clock_.Utc().ms));
  out["next"] = policy::StepCodeName(next.code);
  if (next.code != policy::StepCode::kOk) out["next_reason"] = json::Bytes(next.reason);
  out["approve_statement"] = json::Bytes(policy::ApprovalStatement(session, true));
  out["deny_statement"] = json::Bytes(policy::ApprovalStatement(session, false));
  return out;
}

json::Object Sessions::List() const {
  json::Array list;
  for (const auto& [id, session] : book_.sessions()) list.emplace_back(SessionJson(session));
  return json::Object{{"sessions", std::move(list)}};
}

void Sessions::Tick() {
  const auto now_ms = static_cast<std::uint64_t>(clock_.Utc().ms);
  // A receipt that ended by itself is counted before it is buried.
  std::vector<std::string> ended;
  for (const auto& [slot, live] : receipts_.live())
    if (live.settled && !live.receipt.session.empty()) ended.push_back(live.receipt.session);
  for (const std::string& id : ended) {
    const policy::Session* const session = book_.Find(id);
    if (session == nullptr || session->state != SessionState::kExecuting) continue;
    const Status settled = SettleEnded(*session);
    if (!settled) std::fprintf(stderr, "settle session %s: %s\n", id.c_str(), settled.error().message.c_str());
  }
  std::vector<std::string> expired;
  for (const auto& [id, session] : book_.sessions())
    if (!policy::HasEnded(session.state) && now_ms >= session.deadline_ms) expired.push_back(id);
  for (const std::string& id : expired) {
    if (policy::HasEnded(book_.Find(id)->state)) continue;  // with its parent
    const auto expire = [&]() -> Status {
      TRY(SettleLive(*book_.Find(id), StepState::kDone));
      return End(id, SessionState::kExpired, "its deadline has passed");
    };
    const Status done = expire();
    if (!done) std::fprintf(stderr, "expire session %s: %s\n", id.c_str(), done.error().message.c_str());
  }
  const Status orphans = EndOrphans();
  if (!orphans) std::fprintf(stderr, "end a child session: %s\n", orphans.error().message.c_str());
  ledger::Meta meta;
  for (const std::string& id : book_.Forget(now_ms)) {
    for (const std::string& key : keys_[id]) meta[key] = "";
    keys_.erase(id);
  }
  if (!meta.empty()) ledger_.AppendAsync({}, std::move(meta), [](const Result<ledger::Position>&) {});
}

}  // namespace proofgate::agent
