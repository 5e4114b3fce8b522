// Promotion: how a bundle becomes canon in steps that are each an entry:
// proposed, judged by gates, run beside the canon in force, approved, promoted.
// docs/format/promotion.md. Judging and running beside look at the ledger slice
// by slice: nobody waits for more than one.
//
// Nothing here confers authority: what is promoted is verified as any bundle is.
// State: Meta proposal/ID. Main thread only.

#ifndef PROOFGATE_AGENT_PROMOTION_H_
#define PROOFGATE_AGENT_PROMOTION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/call.h"
#include "agent/canon_trust.h"
#include "agent/impact.h"
#include "base/json.h"
#include "ledger/ledger.h"
#include "policy/bundle.h"

namespace proofgate::agent {

inline constexpr std::uint64_t kMaxImpactEntries = 200'000;
inline constexpr std::uint64_t kImpactEntries = 20'000;  // unless asked otherwise
inline constexpr std::uint64_t kImpactSlice = 2000;      // entries at a time
inline constexpr std::size_t kMaxProposals = 8;
inline constexpr std::uint64_t kMaxEmergencySeconds = 72 * 3600;

class Promotion {
 public:
  // What it must ask the agent: why this host cannot govern what they attach to,
  // and what is in force.
  using CheckTargets = std::function<Status(const std::vector<policy::Canon>&)>;
  using CanonsInForce = std::function<std::vector<policy::Canon>()>;
  // Both references outlive it.
  Promotion(ledger::Ledger& ledger, CanonTrust& trust, CheckTargets check_targets, CanonsInForce canons_in_force)
      : ledger_(ledger), trust_(trust), check_targets_(std::move(check_targets)), canons_in_force_(std::move(canons_in_force)) {}

  struct Asked {
    std::string envelope;
    std::vector<std::string> evidence;  // digests: cited, never believed
    bool is_emergency = false;
    std::string why;
    std::string principal;
  };
  // CANON_PROPOSED. The id is the manifest's digest. kDenied with the bundle's
  // code when it can never be promoted here; kBusy: too many are open.
  Result<json::Object> Propose(const Asked& asked);
  // CANON_GATES: each gate with what it found, and the impact over the newest
  // `last` entries. A gate that fails is a result, not an error. With `running` in
  // the answer there is more to look at: ask again.
  Result<json::Object> Judge(const std::string& id, std::uint64_t last);
  // Begins to run it beside the canon in force, without effect (CANON_SHADOW), if
  // its gates have passed and it does not yet, and says what has been answered
  // otherwise since. kDenied with GATES_NOT_PASSED, GATES_STALE.
  Result<json::Object> ShadowOf(const std::string& id, const std::string& principal);
  // Lets what runs beside the canon in force take what has been decided. Call each
  // second.
  void Tick();
  // CANON_APPROVED: one more signature over the manifest. kDenied: it does not
  // count.
  Result<json::Object> Approve(const std::string& id, const std::string& signature, const std::string& principal);
  // CANON_REJECTED: the proposal is gone.
  Result<json::Object> Reject(const std::string& id, const std::string& why, const std::string& principal);
  Result<json::Object> List() const;

  // What promoting it takes: the bundle with its signatures, and what goes into
  // the batch that puts it into force. kDenied with GATES_NOT_PASSED,
  // GATES_STALE, SHADOW_INCOMPLETE or FLIP_NOT_ACKNOWLEDGED; signatures are
  // Verify's business.
  struct Ready {
    policy::Bundle bundle;
    std::vector<ledger::Record> records;
    ledger::Meta meta;
  };
  Result<Ready> Prepare(const std::string& id, const std::vector<std::string>& acknowledged, const std::string& principal);

 private:
  struct Proposal {
    policy::Bundle bundle;
    std::string why;
    bool is_emergency = false;
    std::string judged_against;  // digest of the manifest in force at the gates; empty: not judged
    bool has_judgement = false;
    bool has_passed = false;
    std::uint64_t gates_entry = 0;
    std::vector<std::string> flips;  // names
    std::uint64_t shadow_entry = 0;       // CANON_SHADOW; 0: it does not run beside anything
    std::uint64_t shadow_since = 0;       // seconds since 1970
    std::string shadow_against;           // digest of the manifest that it runs beside
  };
  // A judgement on its way.
  struct Judging {
    std::uint64_t last = 0;
    std::uint64_t to = 0;
    std::string against;
    json::Array gates;
    bool passed = true;
    std::optional<LedgerImpact> impact;  // none: the bundle itself does not hold
  };
  Result<Proposal> Load(const std::string& id) const;
  static std::string RowOf(const Proposal& proposal);
  Result<Judging> BeginJudging(const Proposal& proposal, std::uint64_t last) const;
  Status CheckJudged(const std::string& id, const Proposal& proposal) const;
  // What runs beside the canon in force for this proposal, or nullptr. Made again
  // from the ledger after a restart.
  LedgerImpact* FindShadow(const std::string& id, const Proposal& proposal);
  void Forget(const std::string& id);
  Result<json::Value> ReadLeafAt(std::uint64_t index) const;

  ledger::Ledger& ledger_;
  CanonTrust& trust_;
  const CheckTargets check_targets_;
  const CanonsInForce canons_in_force_;
  std::map<std::string, Judging> judging_;      // by proposal
  std::map<std::string, LedgerImpact> shadows_;  // by proposal
};

// canon.propose, canon.judge, canon.shadow, canon.approve, canon.reject, canon.proposals,
// canon.promote, canon.bundle.
void AddPromotionMethods(MethodTable& methods);

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_PROMOTION_H_
