// Session: one bounded run of an agent in a domain, as a fold over its entries.
//
// The Book holds every session of a ledger. It changes by Apply alone, one entry
// at a time, so that the daemon after a restart and `proofgate replay` on another
// machine arrive at the same state. Pure; one thread. docs/format/session.md.

#ifndef PROOFGATE_POLICY_SESSION_H_
#define PROOFGATE_POLICY_SESSION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/optr.h"

namespace proofgate::policy {

inline constexpr std::size_t kMaxEvidence = 64;          // pieces a session
inline constexpr std::size_t kMaxFields = 32;            // signed fields of one piece
inline constexpr std::uint64_t kMaxWindowMs = 24ull * 3600 * 1000;
inline constexpr std::string_view kEvidenceNamespace = "evidence@proofgate";

// open → decided → executing → closed; the others end it as well.
enum class SessionState { kOpen, kDecided, kExecuting, kClosed, kRefused, kExpired, kAborted };
std::string_view SessionStateName(SessionState state);  // "open", …
bool HasEnded(SessionState state);

enum class StepState { kWaiting, kLive, kDone, kUnused, kFailed, kIndeterminate };
std::string_view StepStateName(StepState state);

struct Evidence {
  std::string digest;   // of the content, hex; all that is ever looked at but for fields
  std::string kind;
  std::string producer; // whose key signed the fields, or empty
  std::map<std::string, std::uint64_t> fields;
};

// One step of the chosen plan: what its receipt will grant, and what became of it.
struct SessionStep {
  std::string rule;
  Action action;
  Figures figures;
  std::string budget;
  std::vector<Lease> leases;
  StepState state = StepState::kWaiting;
  std::string receipt;
  std::uint64_t used = 0;
};

struct Approval {
  std::string person;
  bool approves = false;
  std::uint64_t at_ms = 0;
};

// A permit that a parent hands to its child, or a part of it.
struct Right {
  std::string rule;
  std::vector<Object> objects;         // none: the rule's
  std::optional<std::uint64_t> ttl_ns; // none: the rule's
  std::optional<std::uint64_t> uses;   // none: the rule's
};

struct Session {
  std::string id;
  std::string domain;
  std::string principal;
  std::uint64_t cgroup_id = 0;  // 0: none of its own
  std::uint64_t opened_ms = 0;
  std::uint64_t deadline_ms = 0;
  std::optional<std::uint64_t> max_cost;  // of its plan and its children; none: canon's
  std::optional<std::uint64_t> max_uses;  // of all its and its children's receipts; none: no bound
  std::string parent;           // whose rights it acts with, or empty; then:
  std::vector<Right> rights;    // … the part of them
  std::string rights_canon;     // … of the canon with this digest
  SessionState state = SessionState::kOpen;
  std::vector<Evidence> evidence;
  std::string plans;            // digest of the candidates
  std::uint64_t decided_ms = 0;
  std::string canon;            // digest of the canon that decided
  std::string run;              // digest of the decision: what approvals bind
  std::string plan;
  std::string rendering;        // digest of the text that approvers see
  std::vector<SessionStep> steps;
  std::vector<Approval> approvals;
  std::string end_reason;

  // The step that may come next: the first that is not done, or steps.size().
  std::size_t NextStep() const;
};

// What a step has taken, or may still take: reserved until its outcome says less.
struct Taken {
  std::uint64_t uses = 0;
  std::uint64_t cost = 0;
  std::uint64_t objects = 0;
  std::uint64_t hosts = 0;
};
Taken TakenBy(const Session& session, const SessionStep& step);

class Book {
 public:
  // Takes one entry in. Kinds other than ours, and ISSUE without a session, are
  // none of its business: true is returned for what it took. kInvalid: it cannot
  // follow what is here (or is malformed); nothing has changed.
  Result<bool> Apply(std::string_view kind, const json::Value& body);

  const Session* Find(std::string_view id) const;
  const std::map<std::string, Session, std::less<>>& sessions() const { return sessions_; }

  // What a decision for this session at this time knows of the others.
  Result<Snapshot> TakeSnapshot(const Canon& canon, std::string_view session, std::uint64_t now_ms,
                                std::string salt,
                                std::map<std::string, std::string> aliases) const;

  // Drops sessions that ended and that no window can see any more; their ids.
  std::vector<std::string> Forget(std::uint64_t now_ms);

 private:
  Status Open(const json::Value& body);
  Status AddEvidence(const json::Value& body);
  Status Complete(const json::Value& body);
  Status Decide(const json::Value& body);
  Status Approve(const json::Value& body);
  Status Issue(const json::Value& body);
  Status Settle(const json::Value& body);
  Status End(const json::Value& body);
  Result<Session*> Get(const json::Value& body, std::initializer_list<SessionState> in);

  std::map<std::string, Session, std::less<>> sessions_;
};

// What the producer of evidence signs (namespace evidence@proofgate).
std::string EvidenceStatement(std::string_view session, const Evidence& evidence);

// The body of the DECIDED entry: the decision, made from its inputs alone. The
// agent writes it, replay makes it again and compares bytes. `narrowed`: what the
// plans are judged by when the session's rights are less than the canon's.
json::Object DecidedBody(const Session& session, const Canon& canon, std::uint64_t canon_entry,
                         const Plans& plans, const Snapshot& snapshot, Selection& selection,
                         const Canon* narrowed = nullptr);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_SESSION_H_
