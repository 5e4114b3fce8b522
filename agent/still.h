// Still: processes of cgroups that stand still while something changes for all
// of them at once. Main thread.

#ifndef PROOFGATE_AGENT_STILL_H_
#define PROOFGATE_AGENT_STILL_H_

#include <string>
#include <vector>

namespace proofgate::agent {

class Still {
 public:
  // Freezes each (cgroup v2 freezer, at most ten seconds a cgroup). One that is
  // frozen already is left as it is, one that cannot be is said; neither is
  // touched later.
  explicit Still(const std::vector<std::string>& cgroups);
  // Lets go of those that the constructor froze.
  ~Still();
  Still(const Still&) = delete;
  Still& operator=(const Still&) = delete;

 private:
  std::vector<std::string> frozen_;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_STILL_H_
