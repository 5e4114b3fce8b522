// Agent: the daemon's state and everything it can be asked to do.
//
// Main thread only; the drain has a thread of its own. Results are JSON objects
// for the control socket: docs/format/control.md.

#ifndef PROOFGATE_AGENT_AGENT_H_
#define PROOFGATE_AGENT_AGENT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/canon_trust.h"
#include "agent/drain.h"
#include "agent/ledger_check.h"
#include "agent/names.h"
#include "agent/pep.h"
#include "agent/promotion.h"
#include "agent/receipts.h"
#include "agent/sessions.h"
#include "agent/units.h"
#include "agent/watch.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/signature.h"
#include "ledger/ledger.h"
#include "policy/custody.h"
#include "policy/parse.h"

namespace proofgate::agent {

inline constexpr const char* kVersion = "0.1.0";
inline constexpr const char* kProofDomain = "proofgate-prove";  // doctor --prove

class Agent {
 public:
  // Records the start, takes up what this boot left and closes what another
  // did. All arguments outlive the agent.
  static Result<std::unique_ptr<Agent>> Start(Pep& pep, ledger::Ledger& ledger,
                                              const Signer& signer, const Clock& clock, Host host,
                                              Units& units);
  ~Agent();

  // Renews, settles, cleans up. Call often; does what is due.
  void Tick();
  // Settles, records the stop, signs the head. Enforcement goes on.
  Status Stop();
  std::uint64_t rounds() const { return drain_.rounds(); }
  std::string StatusLine() const;

  // All or nothing. Diagnostics (and kInvalid) when the text is not canon. A plain
  // file is the act of the host's own trust root; kDenied with
  // SIGNATURE_REQUIRED when another is pinned.
  Result<json::Object> ApplyCanon(const std::string& text, const std::string& file,
                                  std::vector<policy::Diagnostic>& diagnostics);
  // A signed bundle in its envelope. kDenied: the message starts with the code.
  Result<json::Object> ApplyBundle(const std::string& envelope, const std::string& principal);
  Result<json::Object> ChangeTrustRoot(const std::string& envelope, const std::string& principal);
  // A proposal that has come through its gates, with these changed answers
  // acknowledged.
  Result<json::Object> Promote(const std::string& proposal, const std::vector<std::string>& acknowledged,
                               const std::string& principal);
  Promotion& promotion() { return *promotion_; }
  Result<json::Object> ShowTrust() const { return trust_->Describe(); }
  std::uint64_t canon_version() const { return trust_->version(); }
  Result<json::Object> ShowCanon() const;

  // Governs a cgroup and what runs in it, or nothing.
  Result<json::Object> Attach(const std::string& domain, const std::string& cgroup,
                              const std::string& how, bool force);
  // Moves one process with its threads into a fresh governed cgroup.
  Result<json::Object> AttachProcess(const std::string& domain, int pid);
  Result<json::Object> Detach(const std::string& domain, const std::string& cgroup);
  // A fresh governed cgroup for a command; it is removed when it has emptied.
  Result<json::Object> OpenRun(const std::string& domain);
  Result<json::Object> CloseRun(const std::string& cgroup);
  // The same in a domain that grants nothing: for `doctor --prove`.
  Result<json::Object> OpenProof();

  struct IssueRequest {
    std::string domain;
    std::string rule;
    std::string object;  // as a person writes it, or empty
    std::string exe;
    std::optional<std::uint64_t> ttl_ns;
    std::optional<std::uint64_t> uses;
    std::string principal;
    policy::Binding binding = {};
  };
  // kDenied: `refusal` says why policy refused.
  Result<json::Object> Issue(const IssueRequest& request,
                             std::optional<Receipts::Refusal>& refusal);
  // A head that the quorum of witnesses has cosigned: the next start must extend
  // it, and receipts that waited for it are put into the gate. kDenied with
  // WITNESS_QUORUM_MISSING: the quorum has not cosigned.
  Result<json::Object> KeepCosigned(const std::string& note);
  Result<json::Object> ListReceipts() const;
  Result<json::Object> Revoke(const std::string& id, const std::string& why);
  // What is asked for, all together: of a domain, under a rule, under a canon
  // (digest), for a session and its children; empty: any. How many.
  struct RevokeQuery {
    std::string domain;
    std::string rule;
    std::string canon;
    std::string session;
    std::string person;  // who approved its session, or broke the glass for it
  };
  Result<json::Object> RevokeAll(const RevokeQuery& which, const std::string& why);
  // Emergency stop: every receipt of the domain is dead at the next hook and
  // none is issued until it is resumed. Its processes can only end.
  Result<json::Object> StopDomain(const std::string& domain, const std::string& why);
  Result<json::Object> ResumeDomain(const std::string& domain);

  // A session, with a cgroup of its own below the domain's if asked for.
  enum class SessionCgroup { kNone, kOwn };
  Result<json::Object> OpenSession(const std::string& domain, const std::string& principal,
                                   std::uint64_t duration_ms, SessionCgroup cgroup,
                                   const Sessions::Bounds& bounds = {});
  // A child of a session, with a part of its rights: in a cgroup of its own, into
  // which the process `pid` moves if there is one.
  Result<json::Object> Delegate(const std::string& parent, const Sessions::NewChild& child, std::optional<int> pid,
                                std::string& code);
  Sessions& sessions() { return sessions_; }
  // Break-glass (policy/break_glass.h). The statement that a person signs; nothing is
  // recorded.
  struct BreakGlassDraft {
    std::string domain;
    std::string rule;
    std::string object;  // as a person writes it
    std::string person;
    std::uint64_t uses = 1;
    std::uint64_t duration_ms = 0;
    std::string reason;
  };
  Result<json::Object> DraftBreakGlass(const BreakGlassDraft& asked);
  // Spends a signed statement and issues its receipt. kDenied: `code` says why not;
  // that is an entry. What was spent stays so, whether or not a receipt came of it.
  Result<json::Object> UseBreakGlass(const std::string& statement, const std::string& armoured,
                                     const std::string& principal, std::string& code);
  Result<json::Object> ReviewBreakGlass(const std::string& id, bool was_justified, const std::string& reason,
                                        const std::string& armoured, const std::string& principal, std::string& code);
  // What was used and nobody has reviewed.
  Result<json::Array> WaitingBreakGlass() const;
  // The rules that a session's plan could use, in words and as JSON.
  Result<json::Object> ListRights(const std::string& domain);
  // Domain and path of the governed cgroup with this id; kNotFound.
  Result<std::pair<std::string, std::string>> GovernedCgroup(std::uint64_t id) const;

  Result<json::Object> Describe() const;
  // Everything recorded so far is in the ledger when it returns.
  Result<json::Object> Flush();
  // The gate's counters around a flush, for reconcile.
  Result<json::Object> Counters();
  Result<json::Object> Checkpoint();
  Result<json::Object> Entries(std::uint64_t from, std::uint64_t count) const;
  // Has canon permitted this act on the ledger, and have enough others signed it?
  // The answer is an entry (CUSTODY, CUSTODY_REFUSED); a signature serves once.
  // kDenied: RECORDS_NOT_PERMITTED, RECORDS_UNAPPROVED, RECORDS_TOO_YOUNG,
  // RECORDS_SPENT.
  Status TakeCustody(policy::CustodyAct act, const json::Object& arguments, const std::string& why,
                     const std::vector<std::string>& signatures, const std::string& principal);
  // Verifies the ledger in the background from now on.
  void CheckLedger(CheckPace pace) { check_ = std::make_unique<LedgerCheck>(ledger_, signer_.public_key(), pace); }
  // Begins a round at once if asked to; how far it is. kNotFound: none runs here.
  Result<json::Object> LedgerCheckNow(bool hurry);
  ledger::Ledger& ledger() { return ledger_; }
  const Signer& signer() const { return signer_; }

 private:
  struct Attached {
    std::string domain;
    std::string cgroup;
    std::string how;
    std::uint64_t since_ns = 0;
  };
  struct Domain {
    std::uint32_t number = 0;
    std::optional<policy::Canon> canon;  // none: no longer in the canon
    std::uint64_t canon_entry = 0;
    bool stopped = false;
  };

  Agent(Pep& pep, ledger::Ledger& ledger, const Signer& signer, const Clock& clock, Host host,
        Units& units);
  std::set<std::string> WaitingUnits() const;
  // After a change of the canons in force, before anything is granted.
  void SetWriters();
  std::vector<policy::Canon> CanonsInForce() const;
  // `also` goes into the same batch.
  Result<json::Object> PutInForce(const policy::VerifiedBundle& verified, const policy::Bundle& bundle,
                                  const std::string& file, std::vector<ledger::Record> also = {},
                                  ledger::Meta also_meta = {});
  Status FollowCanon(policy::OldReceipts old_receipts, const std::set<std::string>& domains);
  std::unique_ptr<Promotion> MakePromotion();
  Status ClearFollowing();
  Status FinishFollowing();
  Status KeepStandingOf(const Domain& domain);
  Status CloseOtherBoots();
  Status TakeUpThisBoot();
  Status RecordStart(bool took_up);
  Result<Domain*> FindDomain(const std::string& name);
  Result<Domain*> FindRunningDomain(const std::string& name);  // kDenied: it is stopped
  Result<Domain*> FindIssuingDomain(const std::string& name);  // kDenied: or its canon has expired
  Result<std::uint32_t> NumberFor(const std::string& name, ledger::Meta& meta);
  Status OpenDomain(const std::string& name, Domain& domain);
  bool RestsOn(const policy::Receipt& receipt, const std::string& person) const;
  Status AgreeAboutStop(const std::string& name, Domain& domain);
  Status RecordAttach(const std::string& domain, const std::string& cgroup, std::uint64_t id,
                      const std::string& how);
  Status GovernRunning(const std::string& cgroup, std::uint64_t id, std::uint32_t number);
  Result<json::Object> FreshCgroup(const std::string& domain, const std::string& how);
  Status Leave(std::uint64_t id, const std::string& why);
  void SweepRuns();
  void AttachFromCanon();
  void CheckGate();
  void KeepStanding();
  json::Object CounterObject() const;

  Pep& pep_;
  ledger::Ledger& ledger_;
  const Signer& signer_;
  const Clock& clock_;
  const Host host_;
  Names names_;
  Receipts receipts_;
  Sessions sessions_;
  Drain drain_;
  Units& units_;
  Watch watch_;
  std::map<std::string, std::string> cgroup_of_;  // unit → where systemd said that its cgroup is
  std::map<std::string, std::uint32_t> named_;  // paths governed from birth on, as the gate has them
  std::set<std::string> announced_;             // units that may start
  std::unique_ptr<CanonTrust> trust_;
  std::unique_ptr<Promotion> promotion_;
  std::map<std::string, Domain> domains_;
  std::map<std::uint64_t, Attached> attached_;  // by cgroup id
  std::uint64_t next_run_ = 1;
  std::uint64_t next_second_ns_ = 0;
  std::uint64_t next_renewal_ns_ = 0;
  std::uint64_t next_check_ns_ = 0;
  std::uint64_t next_checkpoint_ns_ = 0;
  std::uint64_t checkpointed_ = 0;  // size
  std::unique_ptr<LedgerCheck> check_;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_AGENT_H_
