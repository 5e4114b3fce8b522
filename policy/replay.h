// Replay: every decision of a ledger made again from recorded inputs, and
// compared with what was recorded. Pure: no kernel, daemon, clock or key.
//
// What is compared, and with what it is made again: docs/format/replay.md. The
// gate's verdicts are made by gate_decide (bpf/gate.h) from the receipts in the
// ledger, not from the event's own copy of them. One thread.

#ifndef PROOFGATE_POLICY_REPLAY_H_
#define PROOFGATE_POLICY_REPLAY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/canon_leaf.h"
#include "policy/pdp.h"
#include "policy/receipt.h"
#include "policy/session.h"

namespace proofgate::policy {

inline constexpr std::string_view kGateSemantics = "gate-1";  // gate_decide
inline constexpr std::string_view kPdpSemantics = "pdp-1";    // Decide
inline constexpr std::string_view kSessionSemantics = "session-1";  // Book, MayApprove, DecideStep

// What was asked for, of the record of its answer: a receipt, a REFUSED entry.
Request RequestOf(const Receipt& receipt);
Result<Request> RequestOfRefused(const json::Value& body);
// The links of the canon that were followed for a decision: `aliases` of its entry.
Result<std::map<std::string, std::string>> ReadAliases(const json::Value& body);

struct ReplayDifference {
  std::uint64_t index = 0;
  std::string kind;        // of the entry
  std::string recorded;
  std::string recomputed;
};

struct ReplayReport {
  std::uint64_t entries = 0;
  std::map<std::string, std::uint64_t> agreed;       // by kind of entry
  std::map<std::string, std::uint64_t> not_decided;  // by reason: nothing to make again
  std::uint64_t differences = 0;
  std::vector<ReplayDifference> first;  // the first kMaxDifferences
};
inline constexpr std::size_t kMaxDifferences = 1000;

class Replay {
 public:
  Replay() = default;
  // What if this canon had been in force in its domain all along? Differences
  // are then the decisions that would have been others.
  explicit Replay(Canon what_if) : what_if_(std::move(what_if)) {}

  // Takes the entries in order, from the first. An entry that cannot be read is
  // a difference.
  void Take(std::uint64_t index, std::string_view leaf);
  // Only differences from this entry on are reported; earlier ones are inputs.
  void ReportFrom(std::uint64_t index, std::uint64_t to) {
    report_from_ = index;
    report_to_ = to;
  }

  // Of the entries taken so far.
  ReplayReport report() const;

 private:
  struct KnownCanon {
    std::string domain;
    std::string digest;
    Canon canon;
  };
  struct Lifetime {
    std::uint64_t from_boot_ns = 0;
    std::uint64_t to_boot_ns = 0;
  };
  struct KnownReceipt {
    Receipt receipt;
    bool is_sound = false;            // its entry agrees
    std::vector<Lifetime> lifetimes;  // of it and its renewals
    std::optional<Lifetime> revoked;  // live until, dead from; in between nobody knows
    bool waits = false;               // for witnesses; until it does not, the gate has it not
    std::uint64_t witnessed_boot_ns = 0;  // it came into the gate soon after; 0: it never waited
    std::uint64_t acts = 0;           // uses taken so far
  };

  Status TakeLeaf(std::uint64_t index, const json::Value& leaf);
  Status TakeCanon(std::uint64_t index, const json::Value& body);
  Status TakeCanonPart(const json::Value& body);
  Status FinishCanon(std::uint64_t index, const CanonReader& reader);
  Status TakeIssue(std::uint64_t index, const std::string& kind, const json::Value& body);
  Status TakeRefused(std::uint64_t index, const json::Value& body);
  Status TakeBreakGlass(std::uint64_t index, const std::string& kind, const json::Value& body);
  Status TakeReview(std::uint64_t index, const std::string& kind, const json::Value& body);
  Status TakeDelegation(std::uint64_t index, const std::string& kind, const json::Value& body);
  Status TakeStepRefused(std::uint64_t index, const json::Value& body);
  Status TakeDecided(std::uint64_t index, const json::Value& body);
  Status TakeEvidence(std::uint64_t index, const json::Value& body);
  Status TakeApproval(std::uint64_t index, const json::Value& body);
  Status TakeAct(std::uint64_t index, const std::string& kind, const json::Value& body);
  Result<const KnownCanon*> CanonAt(const json::Value& body) const;
  std::string JudgeAct(const KnownReceipt& receipt, const json::Value& body, std::uint64_t now,
                       bool is_revoked) const;
  std::string JudgeAct(const KnownReceipt& receipt, const json::Value& body, std::uint64_t now,
                       const std::string& recorded) const;
  void Compare(std::uint64_t index, const std::string& kind, const std::string& recorded,
               const std::string& recomputed);
  void CompareEarly(const std::string& id, const KnownReceipt& receipt);

  std::optional<Canon> what_if_;
  std::uint64_t report_from_ = 0;
  std::uint64_t report_to_ = ~std::uint64_t{0};
  std::map<std::uint64_t, KnownCanon> canons_;        // by entry
  std::optional<CanonReader> part_read_;              // its parts are the next entries
  std::uint64_t part_read_at_ = 0;
  std::map<std::string, KnownReceipt, std::less<>> receipts_;  // by first id
  // Refused as revoked before the ledger said so: the gate is first, and another
  // thread brings what it refuses. By the receipt; compared when its REVOKE comes.
  struct EarlyRefusal {
    std::uint64_t index = 0;
    std::uint64_t act_boot_ns = 0;
    json::Value body;
  };
  std::map<std::string, std::vector<EarlyRefusal>, std::less<>> early_;
  std::map<std::string, Plans, std::less<>> plans_;   // by session
  Book book_;
  std::string host_;                                  // machine id, by START
  struct Override {
    std::string person;
    Request request;
    bool is_spent = false;    // a receipt was asked for
    bool is_reviewed = false;
  };
  std::map<std::string, Override, std::less<>> overrides_;  // by id
  ReplayReport report_;
};

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_REPLAY_H_
