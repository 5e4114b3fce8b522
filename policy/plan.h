// Plan: what a session proposes to do, as candidates for OPTR.
//
// A plan is an ordered list of steps, a step offers one or more alternative
// actions. Nothing in it confers authority. docs/format/plan.md.

#ifndef PROOFGATE_POLICY_PLAN_H_
#define PROOFGATE_POLICY_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "policy/binding.h"
#include "policy/object.h"

namespace proofgate::policy {

inline constexpr std::size_t kMaxPlansBytes = 1 << 18;      // of the text handed over
inline constexpr std::size_t kMaxPlansEncoded = 40'000;     // of its canonical form: one entry
inline constexpr std::size_t kMaxPlans = 16;
inline constexpr std::size_t kMaxSteps = 32;
inline constexpr std::size_t kMaxAlternatives = 8;

// What the applicant itself expects. It counts only where it is worse than
// what canon says.
struct Worse {
  std::optional<std::uint64_t> ttv_us;
  std::optional<std::uint64_t> cost;
  std::optional<std::uint64_t> risk_ppm;
  std::optional<std::uint64_t> irreversibility;
  std::optional<std::uint64_t> success_ppm;  // from 1 to a million
  bool operator==(const Worse&) const = default;
};

struct Action {
  Kind kind = Kind::kExec;
  Object object;
  std::string rule;  // under this permit, or whichever is best when empty
  std::string exe;   // only by this program, or empty
  std::optional<std::uint64_t> ttl_ns;  // none: as long as the rule allows
  std::optional<std::uint64_t> uses;    // none: as many
  Worse worse;
  Binding binding;   // exec: how the program must run
  Digest digest{};   // of its canonical JSON
};

struct Step {
  std::vector<Action> any;  // by digest, each once
};

struct Plan {
  std::string name;  // the applicant's label; decides nothing
  std::vector<Step> steps;
  Digest digest{};   // of its steps
};

struct Plans {
  std::vector<Plan> plans;  // by digest, each once
};

// Strict: kInvalid says where ("plans[0].steps[2].any[1].uses") and what was
// expected. Any JSON text in: white space, order of keys, plans and
// alternatives make no difference to the result.
Result<Plans> ParsePlans(std::string_view text);
Result<Plans> ParsePlansJson(const json::Value& value);
// The canonical form; ParsePlansJson reads it back.
json::Value PlansJson(const Plans& plans);
json::Value ActionJson(const Action& action);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_PLAN_H_
