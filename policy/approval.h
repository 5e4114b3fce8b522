// Approval: whether a person may approve a decision, and whether enough have.
//
// An approval binds the digest of one decision and of the text that approvers
// see; it does not carry over to another. Pure. docs/format/session.md.

#ifndef PROOFGATE_POLICY_APPROVAL_H_
#define PROOFGATE_POLICY_APPROVAL_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "policy/canon.h"
#include "policy/session.h"

namespace proofgate::policy {

inline constexpr std::string_view kApprovalNamespace = "approval@proofgate";

// What is signed (SSHSIG, namespace approval@proofgate): canonical JSON and a
// line feed. `approves`: or denies.
std::string ApprovalStatement(const Session& session, bool approves);

// The person whose key made this signature. kDenied: nobody that canon names.
Result<std::string> ApproverByKey(const Canon& canon, std::string_view statement,
                                  std::string_view armoured);
// The person with this uid. kDenied: nobody.
Result<std::string> ApproverByUid(const Canon& canon, std::uint64_t uid);

// May this person give a verdict on this decision? kDenied: who proposed it;
// kInvalid: there already is one of theirs, or none is asked for.
Status MayApprove(const Canon& canon, const Session& session, std::string_view person);

// Stable names; append only.
enum class StepCode {
  kOk,
  kWrongState,          // WRONG_STATE: not decided, or ended
  kSessionExpired,      // SESSION_EXPIRED
  kCanonChanged,        // CANON_CHANGED: another canon is in force than decided
  kPredecessorNotDone,  // PREDECESSOR_NOT_DONE
  kApprovalDenied,      // APPROVAL_DENIED
  kApprovalMissing,     // APPROVAL_MISSING
  kParentEnded,         // PARENT_ENDED: the session whose rights it acts with
  kSessionBudgetSpent,  // SESSION_BUDGET_SPENT: its own bound on uses
};
std::string_view StepCodeName(StepCode code);

struct StepDecision {
  StepCode code = StepCode::kWrongState;
  std::size_t step = 0;
  std::string reason;  // one sentence
};

// May the receipt of the session's next step be issued now? `canon_digest`: of
// the canon in force.
StepDecision DecideStep(const Canon& canon, std::string_view canon_digest, const Session& session,
                        std::uint64_t now_ms);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_APPROVAL_H_
