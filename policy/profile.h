// Profile: named sets of standing grants that ship with Proofgate.

#ifndef PROOFGATE_POLICY_PROFILE_H_
#define PROOFGATE_POLICY_PROFILE_H_

#include <string_view>
#include <vector>

#include "policy/canon.h"

namespace proofgate::policy {

struct Grant {
  Kind kind = Kind::kExec;
  std::vector<Object> objects;
  std::vector<std::string> except;
};

// base: what bash, python3, git, curl and their like need to live. Programs that
// act for others (sudo, systemctl, at, …) are left out by name.
// journal, notify: the sockets of systemd-journald, and of sd_notify(3).
// read-system: what programs read to start, for a domain that asks for `read`.
// Empty for an unknown name.
std::vector<Grant> FindProfile(std::string_view name);
std::vector<std::string_view> ProfileNames();

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_PROFILE_H_
