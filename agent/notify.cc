#include "agent/notify.h"

#include <fcntl.h>
#include <systemd/sd-daemon.h>

#include <cstdlib>

namespace proofgate::agent {

std::map<std::string, Fd> TakeStoredFds() {
  std::map<std::string, Fd> fds;
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(1, &names);
  for (int i = 0; i < count; ++i) {
    const int fd = SD_LISTEN_FDS_START + i;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fds[names[i]] = Fd(fd);
    std::free(names[i]);
  }
  std::free(names);
  return fds;
}

void StoreFd(const std::string& name, int fd) {
  sd_pid_notify_with_fds(0, 0, ("FDSTORE=1\nFDPOLL=0\nFDNAME=" + name).c_str(), &fd, 1);
}

void RemoveStoredFd(const std::string& name) {
  sd_notify(0, ("FDSTOREREMOVE=1\nFDNAME=" + name).c_str());
}

void NotifyReady(const std::string& status) {
  sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}
void NotifyStatus(const std::string& status) { sd_notify(0, ("STATUS=" + status).c_str()); }
void NotifyStopping() { sd_notify(0, "STOPPING=1"); }
void NotifyAlive() { sd_notify(0, "WATCHDOG=1"); }

std::uint64_t AliveEveryNs() {
  constexpr std::uint64_t kOtherwiseUs = 15'000'000;
  std::uint64_t us = 0;
  return (sd_watchdog_enabled(0, &us) > 0 ? us : kOtherwiseUs) * 1000 / 3;
}

}  // namespace proofgate::agent
