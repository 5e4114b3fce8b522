// Pep: the policy enforcement point, as the agent sees it.
//
// KernelPep drives the BPF programs; FakePep, in tests/, is maps in memory.
// Nothing above this line of the code base includes a libbpf header. Calls come
// from the agent's main thread, but for ring() and ReadDomain(), which the
// drain thread uses as well.

#ifndef PROOFGATE_AGENT_PEP_H_
#define PROOFGATE_AGENT_PEP_H_

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>

#include "agent/ring.h"
#include "base/result.h"
#include "bpf/wire.h"

namespace proofgate::agent {

struct SlotUse {
  std::uint64_t used = 0;     // may exceed the receipt's uses: refused attempts
  std::uint64_t checked = 0;
};

// How a domain is judged.
struct Judgement {
  domain_mode mode = MODE_ENFORCE;
  bool reads = false;  // reading, too
  bool operator==(const Judgement&) const = default;
};

class Pep {
 public:
  virtual ~Pep() = default;

  // The number of the inode behind `fd` (O_PATH will do), given now if it had
  // none. It lasts while the inode is in memory: keep `fd` open.
  virtual Result<std::uint64_t> Mark(int fd) = 0;

  // Makes the inode one that no governed task writes to or reaches, whatever
  // receipts say. It lasts while the inode is in memory: keep `fd` open.
  virtual Status Guard(int fd) = 0;

  // Receipts. The receipt must already be in a committed ledger entry; the Pep
  // cannot know that, its caller must. WriteSlot sets the counters to zero and
  // the state last.
  virtual receipt_slot ReadSlot(std::uint32_t slot) const = 0;
  virtual void WriteSlot(std::uint32_t slot, const receipt_slot& receipt) = 0;
  // How the program of a bound receipt must run: receipt_slot.binding names the
  // row. Write it before the slot. `gen` is set last.
  virtual exec_binding ReadBinding(std::uint32_t row) const = 0;
  virtual void WriteBinding(std::uint32_t row, const exec_binding& binding) = 0;
  virtual void SetState(std::uint32_t slot, slot_state state) = 0;
  virtual void SetExpiry(std::uint32_t slot, std::uint64_t boot_ns) = 0;
  // The epoch of a domain (gate_epochs): receipts of a lower one are dead, at every
  // hook that begins after SetEpoch returned.
  virtual std::uint32_t ReadEpoch(std::uint32_t domain) const = 0;
  virtual void SetEpoch(std::uint32_t domain, std::uint32_t epoch) = 0;

  // Which receipts name an object or address; an empty list removes the row.
  // kBusy: the table or the row is full.
  virtual Status WriteGrants(const grant_key& key, std::span<const grant> grants) = 0;
  virtual Status WriteAddresses(const address_key& key, std::span<const grant> grants) = 0;
  // Removes every row that `keep` and `keep_addresses` do not hold (after a restart).
  virtual Status KeepOnly(const std::set<std::string>& keep,
                          const std::set<std::string>& keep_addresses) = 0;

  // Scope. Adopt labels the tasks already in governed cgroups and returns the
  // thread ids that carry a label there; the cgroup must be frozen.
  virtual Status Govern(std::uint64_t cgroup_id, std::uint32_t domain) = 0;
  virtual Status Ungovern(std::uint64_t cgroup_id) = 0;
  virtual Result<std::set<int>> Adopt() = 0;
  virtual Status Release(std::uint64_t cgroup_id) = 0;
  virtual Result<std::uint64_t> CountLabels() const = 0;
  // The governed cgroups that the gate holds now: id → domain.
  virtual Result<std::map<std::uint64_t, std::uint32_t>> Governed() const = 0;
  // Makes these the paths (below the root of the hierarchy, "/a.slice/b") whose
  // cgroups are governed from birth on. kInvalid: too deep or too long to name.
  virtual Status NameCgroups(const std::map<std::string, std::uint32_t>& domains) = 0;

  // Domains. OpenDomain makes the ring if there is none and sets how to judge.
  virtual Status OpenDomain(std::uint32_t domain, Judgement judgement) = 0;
  virtual domain_state ReadDomain(std::uint32_t domain) const = 0;
  virtual Ring& ring(std::uint32_t domain) = 0;            // of an open domain
  virtual std::string ring_id(std::uint32_t domain) const = 0;  // tells rings of one boot apart
  virtual gate_settings ReadSettings() const = 0;
  // The next refusal of each kind in the domain gets a record of its own, however
  // short ago the last like it was.
  virtual Status ForgetDenials(std::uint32_t domain) = 0;

  // What the gate in the kernel consists of: "build", each program with its
  // link, tag and maps, each map. Puts back pins that are gone, and says so.
  virtual Result<std::map<std::string, std::string>> Inspect() = 0;
  // Whether the gate still takes us for the daemon, and our bpffs for its own;
  // sets it right again if not.
  virtual bool CheckSettings() = 0;

  // Which programs act, as text for people: "build 1234… 43 programs".
  virtual std::string Describe() const = 0;
};

// The bytes of a key, for KeepOnly.
template <class Key>
std::string KeyBytes(const Key& key) {
  return {reinterpret_cast<const char*>(&key), sizeof(key)};
}

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_PEP_H_
