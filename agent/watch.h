// Watch: puts what is Proofgate's own out of reach, and looks at an interval
// whether the gate in the kernel is still the one that we loaded.
//
// What the gate's own guard cannot prevent (root outside governed cgroups, with
// bpf()) is noticed: each difference is one TAMPERED entry, shown by `status`
// and `doctor` until the next boot, and set right where we can. Main thread.

#ifndef PROOFGATE_AGENT_WATCH_H_
#define PROOFGATE_AGENT_WATCH_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/pep.h"
#include "base/fd.h"
#include "base/json.h"
#include "ledger/ledger.h"

namespace proofgate::agent {

class Watch {
 public:
  // Both outlive it.
  Watch(Pep& pep, ledger::Ledger& ledger) : pep_(pep), ledger_(ledger) {}

  // Guards our own files, and notes what the gate consists of; on a boot that
  // an earlier daemon was part of, compares with what that one noted.
  Status Begin(bool same_boot);

  // What the tables must hold, as the agent knows it.
  struct Expected {
    std::map<std::uint64_t, std::uint32_t> cgroups;  // id → domain, of those that exist
    std::map<std::uint32_t, Judgement> judgements;
    std::vector<std::string> receipts;               // differences that the caller found
  };
  // Looks; ids of cgroups that were not governed any more, and are to be again.
  std::vector<std::uint64_t> Check(const Expected& expected);

  const std::set<std::string>& differences() const { return known_; }

 private:
  void Compare(const std::map<std::string, std::string>& now);
  void Note(const std::string& difference);
  void Commit();

  Pep& pep_;
  ledger::Ledger& ledger_;
  std::vector<Fd> own_;  // their marks last while these are open
  std::map<std::string, std::string> parts_;  // as loaded
  std::set<std::string> known_;               // differences in the ledger
  std::vector<std::string> fresh_;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_WATCH_H_
