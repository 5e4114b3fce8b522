// Usage: what a bill counts, summed from the entries.

#ifndef PROOFGATE_LEDGER_USAGE_H_
#define PROOFGATE_LEDGER_USAGE_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "base/json.h"
#include "base/result.h"

namespace proofgate::ledger {

// Sums by month, tenant, domain, environment and node. Memory grows with those,
// not with the entries.
class Usage {
 public:
  // Entries in order: who a domain belongs to and which node this is stand in
  // earlier ones. kCorrupt: no entry.
  Status Add(const json::Value& leaf, std::size_t leaf_bytes);

  // "period,tenant,domain,environment,node,unit,quantity" and rows in order.
  // Units: governed_action (ACT), denial (of DENIALS), session_completion
  // (COMPLETE), ledgered_byte.
  std::string Csv() const;

  std::uint64_t Total(const std::string& unit) const;

 private:
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string, std::string>;
  struct Owner {
    std::string tenant;
    std::string environment;
  };
  std::map<std::string, Owner> owners_;  // by domain
  std::string node_;
  std::map<Key, std::uint64_t> sums_;
};

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_USAGE_H_
