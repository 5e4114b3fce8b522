// Promote: what a canon would have answered to acts that are in the ledger.

#ifndef PROOFGATE_POLICY_PROMOTE_H_
#define PROOFGATE_POLICY_PROMOTE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "policy/authority.h"

namespace proofgate::policy {

// Acts whose answer changes in one way, by the same rules.
struct Flip {
  std::string name;     // stable: depends on all below but the counts and the example
  std::string domain;
  Kind kind = Kind::kExec;
  Verdict before = Verdict::kNotPermitted;
  Verdict after = Verdict::kNotPermitted;
  std::vector<std::string> rules_before;
  std::vector<std::string> rules_after;
  std::uint64_t count = 0;
  Object example;
  std::uint64_t example_entry = 0;
};

// Collects flips; each canon must outlive it.
class Impact {
 public:
  // One act, under the canon that was in force then (none: nothing was) and
  // under the one that is to come (none: the domain goes).
  void Add(std::uint64_t entry, const std::string& domain, Kind kind, const Object& act, const Authority* before,
           const Authority* after);

  const std::vector<Flip>& flips() const { return flips_; }
  std::uint64_t acts() const { return acts_; }
  // Those that nobody has named.
  std::vector<const Flip*> Unacknowledged(const std::vector<std::string>& names) const;

 private:
  std::vector<Flip> flips_;
  std::map<std::string, std::size_t> by_name_;
  std::uint64_t acts_ = 0;
};

std::string RenderFlips(const Impact& impact, const std::vector<std::string>& acknowledged);
json::Value FlipsJson(const Impact& impact, const std::vector<std::string>& acknowledged);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_PROMOTE_H_
