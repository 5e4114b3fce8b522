// Break-glass: a signed, expiring, single-use override of what a rule asks for
// beside itself (approvals, leases, budgets, rates, duties, evidence).
//
// Canon says which rules, who may, who looks at it afterwards, and for how long
// (`break_glass`). What a rule does not permit, or another forbids, stays so. The
// person signs the statement anywhere; whoever hands it in adds nothing to it.
// Pure. docs/format/break-glass.md.

#ifndef PROOFGATE_POLICY_BREAK_GLASS_H_
#define PROOFGATE_POLICY_BREAK_GLASS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "policy/canon.h"
#include "policy/pdp.h"

namespace proofgate::policy {

inline constexpr std::string_view kBreakGlassNamespace = "break-glass@proofgate";
inline constexpr std::size_t kMaxBreakGlassBytes = 8192;  // of a statement

// What is signed: canonical JSON and a line feed.
struct BreakGlass {
  std::string tenant;
  std::string host;      // machine id
  std::string domain;
  std::string person;    // who breaks the glass, and signs
  std::string rule;
  Object object;         // a real path
  std::uint64_t uses = 0;
  std::uint64_t not_before_ms = 0;  // UTC
  std::uint64_t expires_ms = 0;     // UTC; the receipt ends by then as well
  std::string reason;    // printable ASCII
  std::string nonce;     // 16 bytes in hex: two statements are never the same
};
std::string BreakGlassStatement(const BreakGlass& override);
Result<BreakGlass> ParseBreakGlass(std::string_view statement);  // strict; kInvalid
std::string BreakGlassId(std::string_view statement);            // hex SHA-256

// Stable names; append only.
enum class BreakGlassCode {
  kOk,
  kMalformed,     // BREAK_GLASS_MALFORMED: no statement, byte for byte
  kTenant,        // BREAK_GLASS_TENANT: of another tenant
  kHost,          // BREAK_GLASS_HOST: for another host
  kDomain,        // BREAK_GLASS_DOMAIN: for another domain than the canon's
  kNotPermitted,  // BREAK_GLASS_NOT_PERMITTED: canon names no such override for the rule
  kPerson,        // BREAK_GLASS_PERSON: who is named may not, or another has signed
  kSignature,     // BREAK_GLASS_SIGNATURE: nobody whom canon names has signed these bytes
  kNotYet,        // BREAK_GLASS_NOT_YET
  kExpired,       // BREAK_GLASS_EXPIRED
  kTooLong,       // BREAK_GLASS_TOO_LONG: longer than canon allows
  kSpent,         // BREAK_GLASS_SPENT: it has been used
  kUnknown,       // BREAK_GLASS_UNKNOWN: no such override waits for a review
};
std::string_view BreakGlassCodeName(BreakGlassCode code);

struct BreakGlassDecision {
  BreakGlassCode code = BreakGlassCode::kMalformed;
  std::string reason;          // one sentence
  BreakGlass override;         // when it could be read
  Request request;             // kOk: what the PDP decides on
};
// `is_spent`: it was used before, on this host.
BreakGlassDecision DecideBreakGlass(const Canon& canon, std::string_view host, std::string_view statement,
                                    std::string_view armoured, bool is_spent, std::uint64_t now_ms);

// What became of it afterwards, as a reviewer of canon's role signs it, in the same
// namespace: canonical JSON and a line feed.
struct BreakGlassReview {
  std::string id;        // of the override
  bool was_justified = false;
  std::string reason;
};
std::string BreakGlassReviewStatement(const BreakGlassReview& review);

struct ReviewDecision {
  BreakGlassCode code = BreakGlassCode::kUnknown;
  std::string reason;
  std::string person;    // kOk: who has reviewed
};
// `used_by`: who broke the glass; empty when no such override waits.
ReviewDecision DecideReview(const Canon& canon, const BreakGlassReview& review, std::string_view used_by,
                            std::string_view armoured);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_BREAK_GLASS_H_
