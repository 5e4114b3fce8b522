// Control: the daemon's local socket. JSON-RPC 2.0, one message a line, uid 0
// peers only: docs/format/control.md. Main thread.

#ifndef PROOFGATE_AGENT_CONTROL_H_
#define PROOFGATE_AGENT_CONTROL_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "agent/agent.h"
#include "base/fd.h"

namespace proofgate::agent {

inline constexpr std::size_t kMaxMessageBytes = 4u << 20;

// One message in, its answer out (without the line feed). Never fails: what is
// wrong with the message is in the answer.
std::string Answer(Agent& agent, std::string_view message, const std::string& principal);

class Control {
 public:
  // Listens at `path`, replacing what a dead daemon left there.
  static Result<std::unique_ptr<Control>> Listen(const std::string& path, Agent& agent);

  // Serves whoever is ready; waits at most `timeout_ms`. kStop: `stop_fd` is
  // readable and nothing more was served.
  enum class Turn { kServed, kStop };
  Result<Turn> Serve(int stop_fd, int timeout_ms);

 private:
  struct Peer {
    Fd fd;
    std::string in;
    std::string out;
  };
  Control(Fd epoll, Fd listener, Agent& agent)
      : epoll_(std::move(epoll)), listener_(std::move(listener)), agent_(agent) {}
  void Accept();
  bool Read(Peer& peer);   // whether the peer stays
  bool Write(Peer& peer);

  Fd epoll_;
  Fd listener_;
  Agent& agent_;
  int watched_stop_ = -1;
  std::map<int, Peer> peers_;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_CONTROL_H_
