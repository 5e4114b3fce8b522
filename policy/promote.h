// Promote: what a canon would have answered to the acts, the requests for
// receipts and the plans that are in the ledger.

#ifndef PROOFGATE_POLICY_PROMOTE_H_
#define PROOFGATE_POLICY_PROMOTE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "policy/authority.h"

namespace proofgate::policy {

// What was answered.
enum class Asked { kAct, kRequest, kPlan };
std::string_view AskedName(Asked asked);  // "act", "request", "plan"

// Answers that change in one way, by the same rules.
struct Flip {
  std::string name;     // stable: depends on all below but the counts and the example
  Asked asked = Asked::kAct;
  std::string domain;
  std::string kind;     // of the act or the receipt; of a plan empty
  std::string before;   // of an act a VerdictName, of a request a DecisionCodeName, of a plan an OptrCodeName
  std::string after;
  std::vector<std::string> rules_before;
  std::vector<std::string> rules_after;
  std::uint64_t count = 0;
  std::string example;  // an object as a person writes it, or a plan's digest
  std::uint64_t example_entry = 0;
};

// Collects flips; each canon must outlive it.
class Impact {
 public:
  // One act, under the canon that was in force then (none: nothing was) and
  // under the one that is to come (none: the domain goes).
  void Add(std::uint64_t entry, const std::string& domain, Kind kind, const Object& act, const Authority* before,
           const Authority* after);
  // One that has been decided both ways. `flip`: all but name and count.
  void AddDecided(Flip flip);

  const std::vector<Flip>& flips() const { return flips_; }
  std::uint64_t acts() const { return acts_; }
  std::uint64_t decisions() const { return decisions_; }  // requests and plans
  // Those that nobody has named.
  std::vector<const Flip*> Unacknowledged(const std::vector<std::string>& names) const;

 private:
  std::vector<Flip> flips_;
  std::map<std::string, std::size_t> by_name_;
  void Count(Flip flip);
  std::uint64_t acts_ = 0;
  std::uint64_t decisions_ = 0;
};

std::string RenderFlips(const Impact& impact, const std::vector<std::string>& acknowledged);
json::Value FlipsJson(const Impact& impact, const std::vector<std::string>& acknowledged);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_PROMOTE_H_
