// Diff: two canons compared by what they let happen, not by their lines.
//
// Exact, not sampled: the objects that both canons name cut the acts of a kind
// into finitely many classes, on each of which every rule says the same about
// all acts; one act of each class is judged under both. Terms (approvals,
// budgets, …) are compared for equality; where that leaves a question open the
// answer names them and is "undecided", never a guess.

#ifndef PROOFGATE_POLICY_DIFF_H_
#define PROOFGATE_POLICY_DIFF_H_

#include <optional>
#include <string>
#include <vector>

#include "policy/authority.h"

namespace proofgate::policy {

enum class Relation { kEquivalent, kWider, kNarrower, kChanged, kDisjoint, kUndecided };
std::string_view RelationName(Relation relation);  // "equivalent", "wider", …

enum class Change {
  kPermitted,  // refused before
  kRefused,    // permitted before
  kRaised,     // permitted before, now for longer, more often or without asking
  kLowered,
  kMixed,      // more in one way, less in another
  kUndecided,
  kCode,       // refused in both, for another reason
};
std::string_view ChangeName(Change change);

// Acts that changed in the same way by the same rules.
struct Difference {
  std::string domain;
  Kind kind = Kind::kExec;
  Change change = Change::kPermitted;
  Object witness;                      // one of the acts
  std::size_t classes = 0;             // of acts
  bool is_wider = false;               // does it let more happen, whatever else it does?
  std::vector<std::string> before;     // rules and standing grants that speak about them
  std::vector<std::string> after;
  Verdict verdict_before = Verdict::kNotPermitted;
  Verdict verdict_after = Verdict::kNotPermitted;
};

// Something that is not about acts.
struct Construct {
  std::string domain;
  std::string what;    // "mode", "attach", "tenant", "optr", …
  std::string text;    // for people
  bool is_wider = false;      // is it known to allow more?
  bool is_narrower = false;   // … less? Neither: it cannot be compared
};

struct CanonDiff {
  Relation relation = Relation::kEquivalent;
  std::vector<Difference> differences;
  std::vector<Construct> constructs;
};

CanonDiff DiffCanons(const std::vector<Canon>& before, const std::vector<Canon>& after);

// Does `inner` permit nothing that `outer` refuses?
struct SubsetAnswer {
  enum class Is { kYes, kNo, kUndecided } is = Is::kYes;
  std::string because;  // of no: a witness; of undecided: the construct
};
SubsetAnswer IsSubset(const std::vector<Canon>& inner, const std::vector<Canon>& outer);

// One act of each class into which the objects of these canons cut a kind.
std::vector<Object> RepresentativeActs(Kind kind, const Canon* a, const Canon* b);

std::string RenderDiff(const CanonDiff& diff);
json::Value DiffJson(const CanonDiff& diff);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_DIFF_H_
