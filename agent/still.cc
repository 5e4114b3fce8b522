#include "agent/still.h"

#include "agent/cgroup.h"
#include "agent/report.h"
#include "base/durable.h"

namespace proofgate::agent {

Still::Still(const std::vector<std::string>& cgroups) {
  for (const std::string& cgroup : cgroups) {
    const auto before = ReadFile(cgroup + "/cgroup.freeze", 16);
    if (!before || before->starts_with("1")) continue;  // gone, or somebody else's to thaw
    const Status frozen = FreezeCgroup(cgroup);
    Report("hold " + cgroup + " still", frozen);
    if (frozen) frozen_.push_back(cgroup);
    else Report("let go of " + cgroup, ThawCgroup(cgroup));
  }
}

Still::~Still() {
  for (const std::string& cgroup : frozen_) Report("let go of " + cgroup, ThawCgroup(cgroup));
}

}  // namespace proofgate::agent
