// Custody: who may have something done to the host's ledger.
//
// The entries of all domains are in one ledger, so the canon of each domain in
// force must permit the act (`records`) and has its own persons sign it: SSHSIG,
// namespace ledger@proofgate, over CustodyStatement. Pure.

#ifndef PROOFGATE_POLICY_CUSTODY_H_
#define PROOFGATE_POLICY_CUSTODY_H_

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "policy/canon.h"

namespace proofgate::policy {

inline constexpr std::string_view kCustodyNamespace = "ledger@proofgate";
inline constexpr std::size_t kMaxCustodySignatures = 32;

enum class CustodyAct { kRetain, kRelease, kErase };
std::string_view CustodyActName(CustodyAct act);  // "retain", "release", "erase"

// Canonical JSON and a line feed. `arguments`: below, name or commitment.
std::string CustodyStatement(std::string_view origin, CustodyAct act, json::Object arguments, std::string_view why);

struct CustodyDecision {
  std::set<std::string> persons;  // whose signatures counted
  std::uint64_t keep_days = 0;    // for kRetain: the longest that a domain wants
};
// kDenied: the message starts with RECORDS_NOT_PERMITTED (a domain's canon does
// not name the act, or no canon is in force) or RECORDS_UNAPPROVED (too few
// persons; the one with the uid of `principal` never counts). kInvalid: a
// signature is none.
Result<CustodyDecision> DecideCustody(std::span<const Canon> in_force, CustodyAct act, std::string_view statement,
                                      const std::vector<std::string>& signatures, std::string_view principal);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_CUSTODY_H_
