// Peer: who is at the other end of a local socket, as the kernel says.

#ifndef PROOFGATE_AGENT_PEER_H_
#define PROOFGATE_AGENT_PEER_H_

#include "agent/agent.h"
#include "agent/call.h"
#include "base/fd.h"

namespace proofgate::agent {

// Uid and governed cgroup of the process that connected. The process is pinned
// by its pidfd while its cgroup is read; kDenied when it has ended, since its
// number may be another's by now. `process` gets that pidfd; given back with it, the
// same process is asked about again, wherever it has moved since.
Result<Caller> IdentifyPeer(int socket_fd, const Agent& agent, Fd& process);

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_PEER_H_
