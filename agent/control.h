// Control: the daemon's local sockets. JSON-RPC 2.0, one message a line:
// docs/format/control.md. Main thread.
//
// Three doors: operators (uid 0), governed processes (what their own cgroup
// allows) and approvers (by uid). A hostile peer harms only itself.

#ifndef PROOFGATE_AGENT_CONTROL_H_
#define PROOFGATE_AGENT_CONTROL_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "agent/agent.h"
#include "agent/call.h"
#include "agent/peer.h"
#include "base/fd.h"

namespace proofgate::agent {

inline constexpr std::size_t kMaxMessageBytes = 4u << 20;
inline constexpr std::size_t kMaxNarrowMessageBytes = 3u << 20;  // of governed processes and approvers

// One message to the operators' door in, its answer out (without the line feed). Never fails: what is
// wrong with the message is in the answer.
std::string Answer(Agent& agent, std::string_view message, const std::string& principal);

// Every method of the operators' door.
const MethodTable& OperatorMethods();

class Control {
 public:
  // Who has connected, as the kernel says: IdentifyPeer (peer.h) but in tests.
  using Identify = std::function<Result<Caller>(int socket_fd, const Agent& agent, Fd& process)>;

  // Listens for operators at `path`, replacing what a dead daemon left there.
  static Result<std::unique_ptr<Control>> Listen(const std::string& path, Agent& agent, Identify identify = IdentifyPeer);

  enum class Door { kOperators, kGoverned, kApprovers };
  Status OpenDoor(Door door, const std::string& path);

  // Serves whoever is ready; waits at most `timeout_ms`. kStop: `stop_fd` is
  // readable and nothing more was served.
  enum class Turn { kServed, kStop };
  Result<Turn> Serve(int stop_fd, int timeout_ms);

 private:
  struct Peer {
    Fd fd;
    Fd process;  // its pidfd
    Door door = Door::kGoverned;
    Caller caller;
    std::uint64_t turn = 0;  // when it last said something
    std::string in;
    bool has_more = false;  // whole messages in `in` that wait for another turn
    std::string out;
  };
  struct OpenedDoor {
    Door door;
    Fd listener;
  };
  Control(Fd epoll, Agent& agent, Identify identify)
      : epoll_(std::move(epoll)), agent_(agent), identify_(std::move(identify)) {}
  Status Watch(int fd);
  void Accept(const OpenedDoor& at);
  void MakeRoom(Door door, const Caller& caller);
  bool Read(Peer& peer);   // whether the peer stays
  bool Answer(Peer& peer);  // what has come whole, as long as the answers are read
  bool Write(Peer& peer);

  Fd epoll_;
  Agent& agent_;
  const Identify identify_;
  int watched_stop_ = -1;
  std::map<int, OpenedDoor> doors_;
  std::map<int, Peer> peers_;
  std::uint64_t turns_ = 0;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_CONTROL_H_
