#include "agent/peer.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "agent/paths.h"
#include "base/fd.h"

namespace proofgate::agent {
namespace {

constexpr int kPeerPidFd = 77;  // SO_PEERPIDFD of include/uapi/asm-generic/socket.h, since Linux 6.5

// A descriptor of the very process that connected. Before Linux 6.5 it is looked
// up by number, and a process that ended between connecting and being accepted
// could have passed its number on.
Result<Fd> PinPeer(int socket_fd, pid_t pid) {
  int fd = -1;
  socklen_t length = sizeof(fd);
  if (getsockopt(socket_fd, SOL_SOCKET, kPeerPidFd, &fd, &length) == 0) return Fd(fd);
  if (errno != ENOPROTOOPT) return FailErrno(errno, "peer");
  fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return FailErrno(errno, "peer");
  return Fd(fd);
}

bool HasExited(const Fd& pidfd) {
  pollfd waiting{pidfd.get(), POLLIN, 0};
  return poll(&waiting, 1, 0) != 0;
}

}  // namespace

Result<Caller> IdentifyPeer(int socket_fd, const Agent& agent, Fd& process) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return FailErrno(errno, "peer");
  Caller caller;
  caller.uid = peer.uid;
  caller.principal = fmt::format("uid:{}", peer.uid);
  if (!process.is_open()) process = TRY(PinPeer(socket_fd, peer.pid));
  std::string path = TRY(CgroupOfProcess(peer.pid));
  if (HasExited(process)) return Fail(Code::kDenied, "peer: it has ended");
  // The nearest governed cgroup at or above its own.
  const std::string root = kCgroupRoot;
  while (path.size() > root.size()) {
    const auto id = CgroupId(path);
    if (id) {
      if (const auto governed = agent.GovernedCgroup(*id)) {
        caller.domain = governed->first;
        caller.cgroup = governed->second;
        caller.cgroup_id = *id;
        caller.pid = peer.pid;
        return caller;
      }
    }
    path.resize(path.rfind('/'));
  }
  return caller;
}

}  // namespace proofgate::agent
