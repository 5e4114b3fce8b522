// Units: what the agent asks of systemd.
//
// Units that canon names are governed from boot on: they are remembered in a
// file that a systemd generator reads (systemd/proofgate-generator), which makes
// each wait for proofgate.service and refuse to start until it is announced in
// the run directory. SystemdUnits does it; FakeUnits, in tests/, notes it. Main
// thread.

#ifndef PROOFGATE_AGENT_UNITS_H_
#define PROOFGATE_AGENT_UNITS_H_

#include <set>
#include <string>

#include "base/result.h"

namespace proofgate::agent {

class Units {
 public:
  virtual ~Units() = default;

  // Where the unit's cgroup is, or will be when it is started.
  virtual Result<std::string> CgroupOf(const std::string& unit) = 0;
  // Makes `units` those that wait for us, at this and at later boots. Durable
  // when it returns; on error at least the units of before still wait.
  virtual Status Remember(const std::set<std::string>& units) = 0;
  // Makes `units` those that may start on this boot.
  virtual Status Announce(const std::set<std::string>& units) = 0;
};

class SystemdUnits final : public Units {
 public:
  Result<std::string> CgroupOf(const std::string& unit) override;
  Status Remember(const std::set<std::string>& units) override;
  Status Announce(const std::set<std::string>& units) override;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_UNITS_H_
