// What another canon would have answered to what a ledger holds. One thread.

#ifndef PROOFGATE_AGENT_IMPACT_H_
#define PROOFGATE_AGENT_IMPACT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "policy/canon.h"
#include "policy/forbids.h"
#include "policy/learn.h"
#include "policy/pdp.h"
#include "policy/plan.h"
#include "policy/promote.h"

namespace proofgate::agent {

// The act of an ACT or DENY entry; nothing when its object is not known whole,
// or no canon could permit it.
std::optional<policy::Observed> ObservedAct(const std::string& kind, const json::Value& body);

// Returns a whole entry. One that retention has dropped (kNotFound) is passed over.
using ReadLeaf = std::function<Result<json::Value>(std::uint64_t index)>;

// Takes the decisions of a ledger, entry after entry, each as it was answered and
// as `next` answers it: acts and refusals at the gate, under the canon that they
// name; requests for receipts and selections of plans, with the inputs that were
// recorded. Slice by slice, for who may not be away for long.
class LedgerImpact {
 public:
  // From the entry `from` on.
  LedgerImpact(std::uint64_t from, std::vector<policy::Canon> next);

  // The entries up to `to`, at most `most` of them.
  Status Take(std::uint64_t to, std::uint64_t most, const ReadLeaf& read);
  std::uint64_t at() const { return at_; }  // the next entry
  const policy::Impact& impact() const { return impact_; }
  // Those whose object, canon or plans are not in the ledger whole, or lie before
  // `from`; and those of sessions that were handed a part of another's rights.
  std::uint64_t left_out() const { return left_out_; }

 private:
  struct Past {
    policy::Canon canon;
    std::unique_ptr<policy::Authority> authority;
  };
  // With the links followed that a decision was made with.
  struct Real {
    std::string aliases;
    policy::Canon canon;
    std::unique_ptr<policy::Forbids> forbids;
  };
  struct Next {
    policy::Canon canon;
    std::unique_ptr<policy::Authority> authority;
    std::unique_ptr<Real> real;  // as it was last needed
  };
  Status TakeAct(std::uint64_t index, const std::string& kind, const json::Value& body, const ReadLeaf& read);
  Status TakeIssue(std::uint64_t index, const json::Value& body);
  Status TakeRefused(std::uint64_t index, const json::Value& body);
  Status TakeDecided(std::uint64_t index, const json::Value& body);
  void AddRequest(std::uint64_t index, const std::string& domain, const policy::Request& request, const json::Value& body,
                  std::string kind, std::string before, std::vector<std::string> rules_before);
  Next* NextOf(const std::string& domain);

  std::uint64_t at_ = 0;
  std::map<std::string, std::unique_ptr<Next>> next_;             // by domain; each stays where it is
  std::map<std::uint64_t, std::unique_ptr<Past>> past_;           // by entry
  std::map<std::string, policy::Plans> plans_;                    // by session, until they are decided
  std::set<std::string> children_;                                // sessions that others opened
  policy::Impact impact_;
  std::uint64_t left_out_ = 0;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_IMPACT_H_
