// FakeUnits: notes what systemd would have been told.

#ifndef PROOFGATE_TESTS_FAKE_FAKE_UNITS_H_
#define PROOFGATE_TESTS_FAKE_FAKE_UNITS_H_

#include <functional>

#include "agent/units.h"

namespace proofgate::agent {

struct FakeUnits final : Units {
  Result<std::string> CgroupOf(const std::string& unit) override {
    ++asked;
    if (!answers) return Fail(Code::kIo, "systemd does not answer");
    return "/sys/fs/cgroup/fake-hierarchy/" + unit;
  }
  Status Remember(const std::set<std::string>& units) override {
    if (full) return Fail(Code::kIo, "/etc/proofgate/units: No space left on device");
    remembered = units;
    return {};
  }
  Status Announce(const std::set<std::string>& units) override {
    announced = units;
    if (when_announced) when_announced();
    return {};
  }

  bool answers = true;
  int asked = 0;
  bool full = false;
  std::function<void()> when_announced;
  std::set<std::string> remembered;
  std::set<std::string> announced;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_TESTS_FAKE_FAKE_UNITS_H_
