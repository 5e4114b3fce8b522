// LedgerCheck: verifies the daemon's own ledger in the background, slowly, again
// and again, and at once when asked.
//
// A thread of its own, which only reads; each round ends as an entry (CHECKED). It
// derives every hash from the entries; files and index are `ledger verify`'s.

#ifndef PROOFGATE_AGENT_LEDGER_CHECK_H_
#define PROOFGATE_AGENT_LEDGER_CHECK_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/signature.h"
#include "ledger/ledger.h"

namespace proofgate::agent {

struct CheckPace {
  std::uint64_t entries_a_second = 20'000;
  std::uint64_t every_ns = 24ull * 3600 * 1'000'000'000;  // from the end of a round to the next
};
// Lines "pace ENTRIES" (a second) and "every DURATION" (at most 24h), each at most
// once; '#' begins a comment. kInvalid: "line 2: …".
Result<CheckPace> ParseCheckPace(std::string_view text);
// The file's, or the default when there is none.
Result<CheckPace> ReadCheckPace(const std::string& path);

class LedgerCheck {
 public:
  // `ledger` outlives it. The first round begins after `every_ns`.
  LedgerCheck(ledger::Ledger& ledger, PublicKey key, CheckPace pace);
  ~LedgerCheck();
  LedgerCheck(const LedgerCheck&) = delete;
  LedgerCheck& operator=(const LedgerCheck&) = delete;

  // A round now, as fast as it goes; one that runs goes on so. From any thread.
  void Hurry();
  // running, done, size; rounds; last (size, root, findings) of the last round.
  json::Object Describe() const;

 private:
  void Run();
  void Round();

  ledger::Ledger& ledger_;
  const PublicKey key_;
  const CheckPace pace_;

  mutable std::mutex mutex_;  // everything below
  std::condition_variable changed_;
  bool stop_ = false;
  bool hurry_ = false;
  bool running_ = false;
  std::uint64_t done_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t rounds_ = 0;
  json::Object last_;
  std::thread thread_;  // last: uses everything above
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_LEDGER_CHECK_H_
