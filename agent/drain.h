// Drain: moves the gate's records into the ledger on a thread that never waits
// for a sync.
//
// A record is consumed only when its entry is committed, and the position is in
// the same batch: the agent's death loses none and repeats none. Denials that
// got no record of their own are counted from the gate's totals at least each
// 100 ms. A ledger that cannot commit ends the process.

#ifndef PROOFGATE_AGENT_DRAIN_H_
#define PROOFGATE_AGENT_DRAIN_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "agent/names.h"
#include "agent/pep.h"
#include "agent/resolve.h"
#include "ledger/ledger.h"

namespace proofgate::agent {

class Drain {
 public:
  // All outlive it.
  Drain(Pep& pep, ledger::Ledger& ledger, Names& names, std::string boot_id)
      : pep_(pep), ledger_(ledger), names_(names), boot_id_(std::move(boot_id)) {}
  ~Drain() { Stop(); }

  // Starts with an open domain's ring where the ledger says it was left.
  Status Add(std::uint32_t domain);
  void Start();
  // Returns once everything the gate recorded before the call is committed.
  void Flush();
  void Stop();

  // Grows while the thread lives: for the watchdog.
  std::uint64_t rounds() const { return rounds_; }

 private:
  struct Source {
    std::string name;
    std::uint64_t position = 0;   // read up to here; consumed is what is committed
    domain_state counted{};       // denials that are in the ledger
  };

  void Run();
  void Round();
  void ReadRing(std::uint32_t domain, Source& source);
  void CountDenials(std::uint32_t domain, Source& source);
  void Append(std::vector<ledger::Record> records, ledger::Meta meta,
              std::function<void()> committed);

  Pep& pep_;
  ledger::Ledger& ledger_;
  Names& names_;
  const std::string boot_id_;
  Mounts mounts_;

  std::mutex mutex_;  // everything below
  std::condition_variable changed_;
  std::map<std::uint32_t, Source> sources_;
  std::uint64_t flushes_wanted_ = 0;
  std::uint64_t flushes_done_ = 0;
  std::size_t in_flight_ = 0;  // records handed over and not yet committed
  bool stop_ = false;
  std::uint64_t last_count_ns_ = 0;
  std::atomic<std::uint64_t> rounds_ = 0;
  std::thread thread_;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_DRAIN_H_
