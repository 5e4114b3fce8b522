// Witnesses: what the daemon asks of those who vouch for the ledger, before
// something may rest on it. The formats are ledger/witness.h's; the policy file
// is read at each call, so that a change counts at once.

#ifndef PROOFGATE_AGENT_WITNESSES_H_
#define PROOFGATE_AGENT_WITNESSES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/signature.h"
#include "ledger/ledger.h"
#include "ledger/witness.h"

namespace proofgate::agent {

// The policy at `path`. kUnsupported with WITNESSES_UNKNOWN: there is none, it is
// wrong, or it asks for nobody.
Result<ledger::Quorum> ReadWitnesses(const std::string& path);

struct CosignedHead {
  std::uint64_t size = 0;
  std::vector<ledger::Cosignature> cosignatures;
};
// kDenied with WITNESS_QUORUM_MISSING: fewer have cosigned than the policy asks
// for; kInvalid: no checkpoint of this log, or longer than an entry can hold.
Result<CosignedHead> VerifyQuorum(std::string_view note, const std::string& policy_path, const PublicKey& log_key,
                                  std::string_view origin);

// The COSIGNED entry of such a head.
ledger::Record CosignedRecord(const CosignedHead& head, std::string_view note);

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_WITNESSES_H_
