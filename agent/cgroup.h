// Cgroup: the v2 hierarchy as the agent uses it. Paths are absolute, below
// /sys/fs/cgroup. Any thread.

#ifndef PROOFGATE_AGENT_CGROUP_H_
#define PROOFGATE_AGENT_CGROUP_H_

#include <cstdint>
#include <set>
#include <string>

#include "base/result.h"

namespace proofgate::agent {

// The kernel's 64-bit id; also the directory's inode number.
Result<std::uint64_t> CgroupId(const std::string& path);
// Makes the directory and those above it.
Status MakeCgroup(const std::string& path);
// Stops every task in it and below, and returns once they have stopped (or go
// again); kBusy after ten seconds.
Status FreezeCgroup(const std::string& path);
Status ThawCgroup(const std::string& path);
// Thread ids in it and below.
Result<std::set<int>> CgroupThreads(const std::string& path);
Result<bool> IsPopulated(const std::string& path);
Status MoveProcess(const std::string& path, int pid);

Result<std::string> CgroupOfProcess(int pid);
Result<std::string> CgroupOfUnit(const std::string& unit);   // asks systemd; kNotFound
std::string CgroupOfSlice(const std::string& slice);         // "a-b.slice" → …/a.slice/a-b.slice

// The gate's name of a path below the root of the hierarchy ("/a.slice/b"):
// bpf/guard.h. kInvalid: deeper than the gate looks.
Result<std::uint64_t> CgroupName(const std::string& path);

// Why governing this cgroup would take the host away from its operators, or "".
std::string WhyNotGovern(const std::string& path);

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_CGROUP_H_
