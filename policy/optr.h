// OPTR: selects one plan, and one alternative in each of its steps, or says
// why none is admissible. Pure, exact, integers only: docs/format/plan.md.
//
// Same canon, plans, snapshot and semantics: same bytes, whatever the order in
// which plans and alternatives were given. Any thread.

#ifndef PROOFGATE_POLICY_OPTR_H_
#define PROOFGATE_POLICY_OPTR_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policy/canon.h"
#include "policy/plan.h"

namespace proofgate::policy {

// Names everything that the result depends on beside its inputs: the gates and
// their order, rounding, ties, and the bound on nodes. A change of any of them
// needs another id and keeps this one replayable.
inline constexpr std::string_view kOptrSemantics = "optr-1";
inline constexpr std::uint64_t kMaxNodes = 100'000;  // alternatives tried, over all plans

struct EvidenceField {
  std::string producer;
  std::string field;
  std::uint64_t value = 0;
  auto operator<=>(const EvidenceField&) const = default;
};

struct HeldLease {
  std::string session;
  std::string resource;  // a name, or empty:
  Object object;         // … an object, and the kind of act
  Kind kind = Kind::kWrite;
  LeaseMode mode = LeaseMode::kExclusive;
};

// What the decision knows of the world. All of it is recorded.
struct Snapshot {
  std::uint64_t now_ms = 0;
  std::string session;
  std::string principal;
  // Drawn after the plans are in: which of two equal alternatives wins a tie
  // cannot be arranged by who wrote them.
  std::string salt;
  std::map<std::string, std::string> aliases;  // paths of the canon that are links → where they lead
  std::vector<EvidenceField> fields;           // sorted, verified
  std::vector<HeldLease> leases;               // of other sessions
  std::map<std::string, std::uint64_t> budgets;  // id → charged in its window
  std::map<std::string, std::uint64_t> rates;    // rule → uses granted in its window
  std::uint64_t blast_objects = 0;
  std::uint64_t blast_hosts = 0;
  std::map<std::string, std::string> apart;    // rule → one its duties exclude, which the principal used
};
json::Value SnapshotJson(const Snapshot& snapshot);
Result<Snapshot> ParseSnapshotJson(const json::Value& value);

// The canon with its paths where they lead.
Canon WithAliases(const Canon& canon, const std::map<std::string, std::string>& aliases);

// Stable names; append only. In the order in which they run.
enum class Gate {
  kPrerequisites, kAuthority, kInvariants, kDuties, kDeconfliction,
  kBlast, kRisk, kCost, kSuccess, kBudget,
};
inline constexpr std::size_t kGates = 10;
std::string_view GateName(Gate gate);

struct Figures {  // pessimistic
  std::uint64_t ttv_us = 0;
  std::uint64_t cost = 0;
  std::uint64_t risk_ppm = 0;
  std::uint64_t irreversibility = 0;
  std::uint64_t success_ppm = 0;
  std::uint64_t uses = 0;
  std::uint64_t ttl_ns = 0;
  std::uint64_t objects = 0;
  std::uint64_t hosts = 0;
};

struct ChosenStep {
  Action action;
  std::string rule;
  Figures figures;
};

enum class OptrCode { kPermitted, kNoAdmissiblePlan, kNodeBoundExceeded };
std::string_view OptrCodeName(OptrCode code);

struct Selection {
  OptrCode code = OptrCode::kNoAdmissiblePlan;
  std::string plan;               // digest, hex; when permitted
  std::string plan_name;
  std::vector<ChosenStep> steps;
  json::Value result;             // all of it, canonical: every candidate, every gate
  std::string digest;             // SHA-256 of its encoding, hex
};

Selection Select(const Canon& canon, const Plans& plans, const Snapshot& snapshot);

// For people, and for approvals, which bind its digest: what will be done.
std::string RenderSelection(const Selection& selection);
// For people: which gates each candidate failed, by how much, what came nearest.
std::string RenderResult(const json::Value& result);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_OPTR_H_
