// Receipts: issues, prolongs, revokes, settles and buries them.
//
// Order of an issue: decide → resolve → sign → append and sync → install. What
// the ledger has and the gate has not is revoked at restart; what the gate has
// and the ledger has not is freed. A receipt of a kind that canon wants witnessed
// is not installed before its entry is covered by a head that the quorum of
// witnesses has cosigned; until then it waits. Main thread only.

#ifndef PROOFGATE_AGENT_RECEIPTS_H_
#define PROOFGATE_AGENT_RECEIPTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/grants.h"
#include "agent/names.h"
#include "agent/paths.h"
#include "agent/pep.h"
#include "agent/resolve.h"
#include "base/clock.h"
#include "base/signature.h"
#include "ledger/ledger.h"
#include "policy/bundle.h"
#include "policy/canon.h"
#include "policy/pdp.h"
#include "policy/receipt.h"

namespace proofgate::agent {

struct Host {
  std::string id;       // machine id
  std::string boot_id;
  std::string witness_policy = kWitnessPolicy;  // the file that says who the witnesses are
};

class Receipts {
 public:
  // All outlive it.
  Receipts(Pep& pep, ledger::Ledger& ledger, const Signer& signer, const Clock& clock,
           Names& names, Host host)
      : pep_(pep), ledger_(ledger), signer_(signer), clock_(clock), names_(names),
        host_(std::move(host)), grants_(pep) {}

  struct Live {
    policy::Receipt receipt;      // as first issued
    std::string id;               // of the first; renewals count on it
    std::uint32_t number = 0;     // of the domain
    std::uint32_t slot = 0;
    std::uint32_t gen = 0;
    std::uint64_t expires_boot_ns = 0;
    bool revoked = false;
    bool settled = false;         // for good
    std::uint32_t binding = 0;    // the gate's row, or 0
    std::uint32_t epoch = 0;      // of the domain, when it came into the gate
    SlotUse last;                 // settled so far
    std::uint64_t dead_since_ns = 0;
    std::vector<Target> targets;  // their descriptors keep the marks
    Fd exe;
    // Not in the gate, because it waits for witnesses: what will be put there.
    struct Waiting {
      std::uint64_t entry = 0;
      std::vector<GrantPlace> places;
      std::string name;
    };
    std::optional<Waiting> waiting;
  };

  // Says what links in canon are to be trusted: with each change of what is in force.
  void SetWriters(Writers writers) { writers_ = std::move(writers); }
  const Writers& writers() const { return writers_; }

  // Takes up the receipts that the ledger holds, all of this boot. `domains`:
  // numbers by name.
  Status Restore(const std::map<std::string, std::uint32_t>& domains);

  struct Issued {
    std::string id;
    std::uint64_t entry = 0;
    std::uint64_t expires_boot_ns = 0;
    std::string expires_utc;
    std::uint64_t uses = 0;
    bool is_waiting = false;  // for witnesses
  };
  struct Refusal {
    policy::Decision decision;
    std::uint64_t entry = 0;
  };
  // The step of a session's plan that a receipt is for.
  struct StepOf {
    std::string session;
    std::string run;
    std::uint64_t step = 0;
    std::uint64_t decided_ms = 0;  // when the step was found to be due
    std::string index_key;         // Meta key that gets the entry's index
    std::string parent;            // whose rights the session acts with, or empty; then
    const policy::Canon* narrowed = nullptr;  // … the canon with those only, or nullptr
  };
  // `refusal` is set, and kDenied returned, when policy said no. Other errors
  // (kInvalid, kNotFound, kBusy, kUnsupported) mean that nothing was decided.
  Result<Issued> Issue(const policy::Canon& canon, std::uint32_t number,
                       std::uint64_t canon_entry, const policy::Request& request,
                       const std::string& principal, std::optional<Refusal>& refusal,
                       const StepOf* step = nullptr, const std::string& break_glass = "");

  // Issues or prolongs what canon grants to every process of an attached domain.
  Status KeepStanding(const policy::Canon& canon, std::uint32_t number,
                      std::uint64_t canon_entry);

  // kNotFound: no live receipt has this id (or prefix of eight digits or more).
  Result<std::string> Revoke(const std::string& id_or_prefix, const std::string& why);
  // When something died: live until the one, dead from the other, in boot time.
  struct Moment {
    std::uint64_t live_until_ns = 0;
    std::uint64_t dead_from_ns = 0;
  };
  // All that `which` picks, in one entry each; how many. They are dead before
  // anything is written: one by one, or already since `since`.
  Result<std::uint64_t> RevokeWhere(const std::function<bool(const Live&)>& which,
                                    const std::string& why, std::optional<Moment> since = {});
  // Kills every receipt of a domain in the gate by one store, however many there
  // are; RevokeWhere then records it. While it is stopped none comes to life.
  enum class Epoch { kNext, kStopped };
  Moment RaiseEpoch(std::uint32_t number, Epoch epoch);
  bool IsStopped(std::uint32_t number) const { return (pep_.ReadEpoch(number) & EPOCH_STOPPED) != 0; }
  // Puts into the gate what waited for a cosigned head of this size, after its
  // WITNESSED entries and `also` are durable; how many.
  Result<std::uint64_t> GrantWitnessed(std::uint64_t size, ledger::Record also);
  // Revokes what `canon` (nullptr: domain removed) would not permit now.
  Status ReviewUnder(std::uint32_t number, const policy::Canon* canon,
                     policy::OldReceipts issued = policy::OldReceipts::kReview);

  // Writes SETTLED for those whose counts moved, for good for those that ended,
  // and buries the long dead. Async; call each second.
  void Settle();
  // The same for all, and waits: before reconcile and at stop.
  Status SettleNow();

  // What the gate's slots hold that we did not write: a sentence each. Slots
  // that are none of ours are freed, receipts that were changed are revoked.
  std::vector<std::string> CompareWithGate();

  const std::map<std::uint32_t, Live>& live() const { return live_; }
  std::string StateOf(const Live& live) const;  // "live", "waiting", "expired", "exhausted", "revoked"
  SlotUse UseOf(const Live& live) const;

 private:
  struct Resolved {
    std::vector<Target> targets;
    std::vector<GrantPlace> places;
    std::string name;  // FORM_NAMED
  };
  enum class WaitsFor { kNothing, kWitnesses };
  Result<Resolved> Resolve(std::uint32_t number, policy::Kind kind,
                           const std::vector<policy::Object>& objects);
  Result<Resolved> ResolveStanding(std::uint32_t number, policy::Kind kind,
                                   const std::vector<policy::Object>& objects,
                                   const std::vector<std::string>& except);
  Result<Resolved> Place(std::uint32_t number, policy::Kind kind, std::vector<Target> targets);
  Result<std::uint32_t> FreeSlot();
  Result<std::uint32_t> FreeBinding() const;
  policy::Receipt NewBody(const policy::Canon& canon, const std::string& canon_digest);
  Result<Issued> Install(policy::Receipt body, std::uint32_t number, std::uint64_t canon_entry,
                         Resolved resolved, Fd exe, const json::Value& aliases = json::Array{},
                         const StepOf* step = nullptr, WaitsFor waits = WaitsFor::kNothing);
  Status PutIntoGate(Live& live, const std::vector<GrantPlace>& places, const std::string& name);
  Status RestoreOne(std::uint32_t slot, const json::Value& row, std::uint32_t number);
  void Bury(std::uint32_t slot);
  void SettleRecords(std::vector<ledger::Record>& records, ledger::Meta& meta);
  std::string RowOf(const Live& live) const;

  Pep& pep_;
  ledger::Ledger& ledger_;
  const Signer& signer_;
  const Clock& clock_;
  Names& names_;
  const Host host_;
  Grants grants_;
  Writers writers_;
  std::map<std::uint32_t, Live> live_;  // by slot
  std::map<std::uint32_t, std::uint32_t> epochs_;  // by domain, as the gate must have them
  std::uint64_t sequence_ = 0;
  std::uint32_t next_slot_ = 1;
};

// Expands a SSHSIG armour to and from one line of base64, for entries.
std::string Unarmour(const std::string& armoured);
std::string Armour(const std::string& base64);

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_RECEIPTS_H_
