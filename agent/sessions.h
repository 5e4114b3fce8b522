// Sessions: effects around policy::Book. Every change is an entry first, then
// state; after a restart the book is made again from the entries.
//
// Main thread only. Results are JSON objects for the sockets: docs/format/session.md.

#ifndef PROOFGATE_AGENT_SESSIONS_H_
#define PROOFGATE_AGENT_SESSIONS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/receipts.h"
#include "base/clock.h"
#include "ledger/ledger.h"
#include "policy/approval.h"
#include "policy/delegation.h"
#include "policy/session.h"

namespace proofgate::agent {

inline constexpr std::size_t kMaxOpenSessions = 1024;           // of a host
inline constexpr std::size_t kMaxOpenSessionsOfOne = 64;        // of a principal in a domain
inline constexpr std::size_t kMaxEvidenceBytes = 2u << 20;      // content handed over; only its digest stays
inline constexpr std::uint64_t kDefaultSessionMs = 3600ull * 1000;

class Sessions {
 public:
  // A domain as it is now. `canon` outlives the call that it is used in.
  struct Domain {
    const policy::Canon* canon = nullptr;
    std::uint32_t number = 0;
    std::uint64_t canon_entry = 0;
  };
  using FindDomain = std::function<Result<Domain>(const std::string& name)>;

  // All outlive it.
  Sessions(ledger::Ledger& ledger, Receipts& receipts, const Clock& clock, FindDomain find_domain)
      : ledger_(ledger), receipts_(receipts), clock_(clock), find_domain_(std::move(find_domain)) {}

  // Reads the entries back. Steps whose receipts are gone become INDETERMINATE
  // and end their session. After Receipts::Restore.
  Status Restore();

  // What a session may do in all; none: what canon says.
  struct Bounds {
    std::optional<std::uint64_t> max_cost;
    std::optional<std::uint64_t> max_uses;
  };
  Result<json::Object> Open(const std::string& domain, const std::string& principal,
                            std::uint64_t cgroup_id, std::uint64_t duration_ms, const Bounds& bounds = {});

  // Opens a child of a session, with a part of its rights. `cgroup`: asked for the
  // id of the child's cgroup once it is decided that there will be one. kDenied:
  // `code` says why not; that is an entry, too.
  struct NewChild {
    json::Value rights;
    std::optional<std::uint64_t> duration_ms;  // none: as long as its parent
    std::uint64_t max_cost = 0;
    std::uint64_t max_uses = 0;
  };
  Result<json::Object> Delegate(const std::string& parent, const NewChild& child,
                                const std::function<Result<std::uint64_t>()>& cgroup, std::string& code);

  struct NewEvidence {
    std::string kind;
    std::string digest;               // or:
    std::optional<std::string> content;
    std::map<std::string, std::uint64_t> fields;
    std::string signature;            // SSHSIG over policy::EvidenceStatement
  };
  // kDenied: fields that no producer that canon names has signed.
  Result<json::Object> AddEvidence(const std::string& session, NewEvidence evidence);

  // Decides. The result says PERMITTED or why not; kInvalid: no plan file.
  Result<json::Object> Complete(const std::string& session, const std::string& plans);

  // Ends the live step with the status that the agent gives (0: it did what it
  // was to do) and issues the next one, or closes the session after the last.
  // kDenied: `code` says why the next step may not be issued.
  Result<json::Object> Next(const std::string& session, std::uint64_t status, std::string& code);

  // A verdict with a signature over policy::ApprovalStatement …
  Result<json::Object> ApproveBySignature(const std::string& session, bool approves,
                                          const std::string& armoured, const std::string& reason);
  // … or by a uid that the kernel vouches for.
  Result<json::Object> ApproveByUid(const std::string& session, bool approves, std::uint64_t uid,
                                    const std::string& reason);

  Result<json::Object> Abort(const std::string& session, const std::string& reason);
  Status AbortAll(const std::string& domain, const std::string& reason);

  Result<json::Object> Show(const std::string& session) const;
  json::Object List() const;
  // The session of a cgroup, or nullptr.
  const policy::Session* FindByCgroup(std::uint64_t cgroup_id) const;
  const policy::Session* Find(const std::string& id) const { return book_.Find(id); }

  // Expires what is due and forgets what no window can see. Each second.
  void Tick();

 private:
  // Appends, then applies. One entry each.
  Result<std::uint64_t> Record(const char* kind, json::Object body);
  std::string NextKey();
  Result<const policy::Session*> Get(const std::string& id) const;
  // By value: each outcome that is recorded replaces the book that held it.
  // `status`: as the agent gave it, or none.
  Status SettleLive(policy::Session session, policy::StepState result_if_used,
                    std::optional<std::uint64_t> status = std::nullopt);
  Status SettleEnded(const policy::Session& session);  // a live step whose receipt has ended
  // The children end before it.
  Status End(const std::string& session, policy::SessionState state, const std::string& reason);
  Status EndChildren(const std::string& session);
  Status EndOrphans();
  Status MayOpen(const std::string& domain, const std::string& principal) const;
  policy::StepDecision DecideStep(const Domain& domain, const policy::Session& session, std::uint64_t now_ms) const;
  Result<json::Object> Approve(const policy::Session& session, bool approves, const std::string& person,
                               json::Object how, const std::string& reason);

  ledger::Ledger& ledger_;
  Receipts& receipts_;
  const Clock& clock_;
  const FindDomain find_domain_;
  policy::Book book_;
  std::uint64_t next_key_ = 1;
  std::map<std::string, std::vector<std::string>, std::less<>> keys_;  // Meta keys by session
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_SESSIONS_H_
