#include "policy/approval.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/signature.h"

namespace proofgate::policy {
namespace {

const Approver* FindApprover(const Canon& canon, std::string_view person) {
  for (const Approver& approver : canon.terms.approvers)
    if (approver.person == person) return &approver;
  return nullptr;
}

// The proposer is known by its uid.
bool IsProposer(const Approver& approver, const Session& session) {
  return std::any_of(approver.uids.begin(), approver.uids.end(), [&](std::uint64_t uid) {
    return session.principal == fmt::format("uid:{}", uid);
  });
}

// Persons of a role who have approved and whose approval still lasts.
std::size_t CountApprovals(const Canon& canon, const Session& session, const ApprovalGroup& group,
                           std::uint64_t now_ms) {
  std::set<std::string_view> persons;
  for (const Approval& approval : session.approvals) {
    if (!approval.approves || approval.at_ms > now_ms || now_ms - approval.at_ms >= group.ttl_ns / 1'000'000) continue;
    const Approver* const approver = FindApprover(canon, approval.person);
    if (approver == nullptr || IsProposer(*approver, session)) continue;
    if (std::find(approver->roles.begin(), approver->roles.end(), group.role) != approver->roles.end())
      persons.insert(approver->person);
  }
  return persons.size();
}

}  // namespace

std::string ApprovalStatement(const Session& session, bool approves) {
  return json::Encode(json::Object{{"format", 1},
                                   {"verdict", approves ? "approve" : "deny"},
                                   {"session", session.id},
                                   {"domain", session.domain},
                                   {"run", session.run},
                                   {"plan", session.plan},
                                   {"rendering", session.rendering}}) +
         "\n";
}

Result<std::string> ApproverByKey(const Canon& canon, std::string_view statement, std::string_view armoured) {
  for (const Approver& approver : canon.terms.approvers)
    for (const std::string& line : approver.keys) {
      const auto key = ParseOpenSshPublicKey(line);
      if (!key) continue;  // CheckTerms lets no such canon into force
      const Status verified = SshVerify(*key, kApprovalNamespace, statement, armoured);
      if (verified) return approver.person;
      if (verified.error().code == Code::kInvalid) return tl::unexpected(verified.error());
    }
  return Fail(Code::kDenied, "the signature is not by a key of an approver, or not over this decision");
}

Result<std::string> ApproverByUid(const Canon& canon, std::uint64_t uid) {
  for (const Approver& approver : canon.terms.approvers)
    if (std::find(approver.uids.begin(), approver.uids.end(), uid) != approver.uids.end()) return approver.person;
  return Fail(Code::kDenied, fmt::format("uid {} belongs to no approver that canon names", uid));
}

Status MayApprove(const Canon& canon, const Session& session, std::string_view person) {
  const Approver* const approver = FindApprover(canon, person);
  if (approver == nullptr) return Fail(Code::kDenied, EscapeForPeople(person) + " is no approver that canon names");
  if (IsProposer(*approver, session))
    return Fail(Code::kDenied, std::string(person) + " has proposed this plan, and nobody approves their own");
  bool asked = false;
  for (const SessionStep& step : session.steps)
    if (const Rule* const rule = canon.FindRule(step.rule))
      for (const ApprovalGroup& group : rule->terms.approvals)
        asked = asked || std::find(approver->roles.begin(), approver->roles.end(), group.role) != approver->roles.end();
  if (!asked) return Fail(Code::kInvalid, "no step of this plan asks for an approval by " + std::string(person));
  return {};
}

std::string_view StepCodeName(StepCode code) {
  switch (code) {
    case StepCode::kOk: return "OK";
    case StepCode::kWrongState: return "WRONG_STATE";
    case StepCode::kSessionExpired: return "SESSION_EXPIRED";
    case StepCode::kCanonChanged: return "CANON_CHANGED";
    case StepCode::kPredecessorNotDone: return "PREDECESSOR_NOT_DONE";
    case StepCode::kApprovalDenied: return "APPROVAL_DENIED";
    case StepCode::kApprovalMissing: return "APPROVAL_MISSING";
    case StepCode::kParentEnded: return "PARENT_ENDED";
    case StepCode::kSessionBudgetSpent: return "SESSION_BUDGET_SPENT";
  }
  return "WRONG_STATE";
}

StepDecision DecideStep(const Canon& canon, std::string_view canon_digest, const Session& session,
                        std::uint64_t now_ms) {
  const std::size_t step = session.NextStep();
  const auto refuse = [&](StepCode code, std::string reason) { return StepDecision{code, step, std::move(reason)}; };
  if (session.state != SessionState::kDecided && session.state != SessionState::kExecuting)
    return refuse(StepCode::kWrongState, fmt::format("session {} is {}", session.id, SessionStateName(session.state)));
  if (step == session.steps.size()) return refuse(StepCode::kWrongState, "every step is done");
  if (now_ms >= session.deadline_ms) return refuse(StepCode::kSessionExpired, "the session's deadline has passed");
  if (canon_digest != session.canon)
    return refuse(StepCode::kCanonChanged, "another canon is in force than the one that decided; open a new session");
  if (session.steps[step].state != StepState::kWaiting)
    return refuse(StepCode::kPredecessorNotDone,
                  fmt::format("step {} is {}", step + 1, StepStateName(session.steps[step].state)));
  for (const Approval& approval : session.approvals)
    if (!approval.approves) return refuse(StepCode::kApprovalDenied, approval.person + " has denied the plan");
  const Rule* const rule = canon.FindRule(session.steps[step].rule);
  if (rule == nullptr) return refuse(StepCode::kCanonChanged, "the rule is not in the canon in force");
  for (const ApprovalGroup& group : rule->terms.approvals) {
    const std::size_t given = CountApprovals(canon, session, group, now_ms);
    if (given < group.count)
      return refuse(StepCode::kApprovalMissing,
                    fmt::format("rule '{}' needs {} approvals of role '{}', {} stand", rule->id, group.count, group.role, given));
  }
  return {StepCode::kOk, step, ""};
}

}  // namespace proofgate::policy
