// What another canon would have answered to the acts of a ledger.

#ifndef PROOFGATE_AGENT_IMPACT_H_
#define PROOFGATE_AGENT_IMPACT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "policy/canon.h"
#include "policy/learn.h"
#include "policy/promote.h"

namespace proofgate::agent {

// The act of an ACT or DENY entry; nothing when its object is not known whole,
// or no canon could permit it.
std::optional<policy::Observed> ObservedAct(const std::string& kind, const json::Value& body);

struct LedgerImpact {
  policy::Impact impact;
  std::uint64_t left_out = 0;  // acts whose object or canon is not in the ledger whole
};

// Acts of the entries [from, to), each under the canon that it names and under
// the one of its domain in `next`. `read` returns a whole entry; one that
// retention has dropped (kNotFound) is passed over.
using ReadLeaf = std::function<Result<json::Value>(std::uint64_t index)>;
Result<LedgerImpact> ReplayActs(std::uint64_t from, std::uint64_t to, const ReadLeaf& read,
                                const std::vector<policy::Canon>& next);

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_IMPACT_H_
