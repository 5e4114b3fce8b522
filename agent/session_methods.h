// Session methods: what the three sockets can be asked about sessions.
//
// docs/format/session.md says which socket is for whom.

#ifndef PROOFGATE_AGENT_SESSION_METHODS_H_
#define PROOFGATE_AGENT_SESSION_METHODS_H_

#include "agent/agent.h"
#include "agent/call.h"

namespace proofgate::agent {

// For operators, beside the methods of control.cc: session.*, approve, stop, resume.
void AddOperatorMethods(MethodTable& methods);
// For governed processes: each reaches the session of its own cgroup, and no other.
const MethodTable& GovernedMethods();
// For approvers, by the uid of the peer.
const MethodTable& ApproverMethods();

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_SESSION_METHODS_H_
