// Notify: READY=1, WATCHDOG=1, STATUS= and the descriptors that PID 1 keeps for
// us (sd_notify(3), FileDescriptorStoreMax=). All do nothing outside a service.

#ifndef PROOFGATE_AGENT_NOTIFY_H_
#define PROOFGATE_AGENT_NOTIFY_H_

#include <cstdint>
#include <map>
#include <string>

#include "base/fd.h"

namespace proofgate::agent {

// The descriptors kept over a restart, by name. Call once, first.
std::map<std::string, Fd> TakeStoredFds();
// PID 1 keeps a duplicate of `fd` until the service is stopped for good.
void StoreFd(const std::string& name, int fd);
void RemoveStoredFd(const std::string& name);

void NotifyReady(const std::string& status);
void NotifyStatus(const std::string& status);
void NotifyStopping();
// That work goes on: to be said by whatever may take longer than WatchdogSec=.
void NotifyAlive();
// How often to say so: a third of the unit's WatchdogSec=.
std::uint64_t AliveEveryNs();

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_NOTIFY_H_
