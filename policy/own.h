// Own: what belongs to Proofgate itself. No receipt to write to it or to reach
// its socket is ever issued, whatever the canon says.

#ifndef PROOFGATE_POLICY_OWN_H_
#define PROOFGATE_POLICY_OWN_H_

#include <span>
#include <string_view>

#include "policy/object.h"

namespace proofgate::policy {

// State, run directory, configuration, programs, units: paths as Debian's
// merged /usr has them.
std::span<const Object> OwnObjects();
// The socket for governed processes (agent/paths.h): canon may grant to connect
// to it. No other of ours.
inline constexpr std::string_view kGovernedDoor = "/run/proofgate/session.sock";
// The one that an act of this kind on `object` could touch, or nullptr.
const Object* FindOwn(Kind kind, const Object& object);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_OWN_H_
