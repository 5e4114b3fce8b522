// ledger serve: an export of tiles over HTTP, on loopback only.

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <list>

#include "agent/cli/client.h"
#include "agent/cli/ledger.h"
#include "base/fd.h"
#include "ledger/static_http.h"

namespace proofgate::cli {
namespace {

constexpr std::size_t kMaxConnections = 64;
constexpr auto kTimeLimit = std::chrono::seconds(20);  // from accept to the last byte

using SteadyClock = std::chrono::steady_clock;

// One request, one answer.
struct Connection {
  Fd fd;
  SteadyClock::time_point until;
  std::string in;
  std::string out;  // head of the answer
  Fd file;
  off_t at = 0;
  off_t size = 0;
  bool answers() const { return !out.empty() || file.is_open(); }
};

Result<Fd> ListenOnLoopback(std::uint16_t& port) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.is_open()) return FailErrno(errno, "socket");
  const int on = 1;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) return FailErrno(errno, "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) return FailErrno(errno, fmt::format("127.0.0.1:{}", port));
  if (listen(fd.get(), 64) != 0) return FailErrno(errno, "listen");
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return FailErrno(errno, "getsockname");
  port = ntohs(address.sin_port);
  return fd;
}

// A regular file below `dir`, by no link.
Fd OpenBelow(int dir, const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  return Fd(static_cast<int>(syscall(SYS_openat2, dir, path.c_str(), &how, sizeof(how))));
}

void PrepareAnswer(int dir, Connection& connection) {
  ledger::HttpRequest request = ledger::ReadRequest(connection.in);
  struct stat info {};
  if (request.status == 200) {
    connection.file = OpenBelow(dir, request.path);
    if (!connection.file.is_open() || fstat(connection.file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
      connection.file = Fd();
      request.status = 404;
    }
  }
  connection.size = connection.file.is_open() ? info.st_size : 0;
  connection.out = ledger::AnswerHead(request.status, request.path, static_cast<std::uint64_t>(connection.size));
  if (!request.wants_body) connection.file = Fd();
}

// False: the connection is done with.
bool Receive(int dir, Connection& connection) {
  char buffer[ledger::kMaxRequestBytes];
  const ssize_t got = recv(connection.fd.get(), buffer, sizeof(buffer), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  connection.in.append(buffer, static_cast<std::size_t>(got));
  if (!ledger::IsRequestComplete(connection.in) && connection.in.size() <= ledger::kMaxRequestBytes) return true;
  PrepareAnswer(dir, connection);
  return true;
}

bool Answer(Connection& connection) {
  if (!connection.out.empty()) {
    const ssize_t sent = send(connection.fd.get(), connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    connection.out.erase(0, static_cast<std::size_t>(sent));
    if (!connection.out.empty()) return true;
  }
  if (!connection.file.is_open() || connection.at == connection.size) return false;
  const ssize_t sent = sendfile(connection.fd.get(), connection.file.get(), &connection.at, static_cast<std::size_t>(connection.size - connection.at));
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  return sent != 0 && connection.at < connection.size;
}

Status Serve(const LedgerOptions& own) {
  const Fd dir(open(own.file.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir.is_open()) return FailErrno(errno, own.file);
  std::uint16_t port = own.port;
  const Fd listener = TRY(ListenOnLoopback(port));
  signal(SIGPIPE, SIG_IGN);
  fmt::print("http://127.0.0.1:{}/\n", port);
  std::fflush(stdout);
  std::list<Connection> connections;
  for (;;) {
    std::vector<pollfd> wanted{{listener.get(), static_cast<short>(connections.size() < kMaxConnections ? POLLIN : 0), 0}};
    for (const Connection& one : connections)
      wanted.push_back({one.fd.get(), static_cast<short>(one.answers() ? POLLOUT : POLLIN), 0});
    if (poll(wanted.data(), wanted.size(), connections.empty() ? -1 : 1000) < 0 && errno != EINTR) return FailErrno(errno, "poll");
    std::size_t at = 1;
    for (auto one = connections.begin(); one != connections.end(); ++at) {
      bool stays = SteadyClock::now() < one->until;
      if (stays && wanted[at].revents != 0) stays = one->answers() ? Answer(*one) : Receive(dir.get(), *one);
      one = stays ? std::next(one) : connections.erase(one);
    }
    if ((wanted[0].revents & POLLIN) == 0) continue;
    Fd fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.is_open()) connections.push_back({std::move(fd), SteadyClock::now() + kTimeLimit, "", "", Fd(), 0, 0});
  }
}

}  // namespace

int ServeLedger(const Options& options, const LedgerOptions& own) {
  const Status served = Serve(own);
  return served ? kDone : Complain(served.error(), options.json);
}

}  // namespace proofgate::cli
