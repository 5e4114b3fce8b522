// Describe: the doors of the daemon as data, from which the clients are generated.
//
// What a method is asked with is found by asking it: it reads its parameters from
// a Parameters that notes each, and stops at Done. One thread.

#ifndef PROOFGATE_AGENT_DESCRIBE_H_
#define PROOFGATE_AGENT_DESCRIBE_H_

#include "agent/call.h"

namespace proofgate::agent {

// {"format":1,"doors":{"operators":{"socket":…,"most_bytes":…,"methods":{NAME:[{"name":…,"type":…,"needed":…}]}}}}
// in the form of docs/format/control.json. The agent is not changed.
// kCorrupt: a method does something before it has read its parameters.
Result<json::Value> DescribeDoors(Agent& agent);

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_DESCRIBE_H_
