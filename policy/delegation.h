// Delegation: a session hands a part of its rights to a child session, never more.
//
// The child's rights are the domain's canon narrowed to some of its permits; that
// they are a part of the parent's is decided by IsSubset, as `canon diff` decides
// it. Its deadline lies within the parent's, and what it may cost and use is
// taken from the parent's bounds while it is open. One level: a child has none.
// Pure. docs/format/session.md.

#ifndef PROOFGATE_POLICY_DELEGATION_H_
#define PROOFGATE_POLICY_DELEGATION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/approval.h"
#include "policy/canon.h"
#include "policy/session.h"

namespace proofgate::policy {

inline constexpr std::size_t kMaxRights = 64;         // of a child
inline constexpr std::size_t kMaxRightObjects = 64;   // of one right

struct Delegation {
  std::vector<Right> rights;  // by rule, each rule once
  std::uint64_t deadline_ms = 0;
  std::uint64_t max_cost = 0;  // of its plan
  std::uint64_t max_uses = 0;  // of all its receipts
};

// [{"rule":…, "objects":[…], "ttl_ns":…, "uses":…}], all but the rule left out when
// they are the rule's own. Strict: kInvalid says where.
Result<std::vector<Right>> ReadRights(const json::Value& list);
json::Value RightsJson(const std::vector<Right>& rights);

// Stable names; append only.
enum class DelegationCode {
  kOk,
  kParentEnded,    // DELEGATION_PARENT_ENDED: it has ended, or its deadline has passed
  kTooDeep,        // DELEGATION_TOO_DEEP: the parent is a child itself
  kDeadline,       // DELEGATION_DEADLINE: not within the parent's
  kNoSuchRight,    // DELEGATION_NO_SUCH_RIGHT: no permit of the canon has this name
  kWider,          // DELEGATION_WIDER: the child could do what the parent cannot
  kUndecided,      // DELEGATION_UNDECIDED: nobody can say that it could not
  kBudget,         // DELEGATION_BUDGET: more than the parent has left
};
std::string_view DelegationCodeName(DelegationCode code);

struct DelegationDecision {
  DelegationCode code = DelegationCode::kWider;
  std::string reason;  // one sentence
};
// `aliases`: paths of the canon that are links, as recorded; rights name real paths.
DelegationDecision DecideDelegation(const Book& book, const Canon& canon, const Session& parent,
                                    const Delegation& delegation,
                                    const std::map<std::string, std::string>& aliases, std::uint64_t now_ms);

// The canon as this session's plan is judged by: with a child's rights only, and
// with what is left of its cost. nullopt: the canon as it is. A child whose canon
// (by digest) is another than that of its delegation has no rights at all.
std::optional<Canon> NarrowedCanon(const Book& book, const Session& session, const Canon& canon,
                                   std::string_view canon_digest);

// DecideStep, and then what the parent and the session's own bound on uses say.
StepDecision DecideStepOf(const Book& book, const Canon& canon, std::string_view canon_digest,
                          const Session& session, std::uint64_t now_ms);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_DELEGATION_H_
