// KernelPep: Pep over the BPF programs; the only file that includes libbpf.
//
// Everything lives in a bpffs of our own (bpf/ below the run directory):
//   maps/NAME, rings/N, links-BUILD/PROGRAM
// and every descriptor also in PID 1's store, so that the gate acts whether or
// not a daemon runs. A start with the build that is pinned loads nothing.

#ifndef PROOFGATE_AGENT_KERNEL_PEP_H_
#define PROOFGATE_AGENT_KERNEL_PEP_H_

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>

#include "agent/pep.h"
#include "base/fd.h"

namespace proofgate::agent {

// Mounts the bpffs at `dir`, takes up what is pinned there or was `stored`, and
// loads and attaches the rest. What `state_group` owns is refused to governed
// processes. kUnsupported: this kernel cannot enforce.
Result<std::unique_ptr<Pep>> OpenKernelPep(const std::string& dir, std::map<std::string, Fd> stored,
                                           gid_t state_group);

// Whether the kernel's BTF has the hook ("inode_set_acl").
Result<bool> HasLsmHook(const std::string& hook);

// Whether the gate can read where a connect or a send goes, on this kernel under
// its lockdown. Where it cannot, it refuses them (ADDRESS_UNREADABLE).
Result<bool> CanReadAddresses();

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_KERNEL_PEP_H_
