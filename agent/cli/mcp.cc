// mcp: the Model Context Protocol over standard input and output.

#include "agent/mcp.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "agent/cli/client.h"
#include "agent/cli/commands.h"
#include "agent/paths.h"

namespace proofgate::cli {
namespace {

constexpr std::size_t kMaxLineBytes = 4u << 20;

Result<json::Value> Ask(const std::string& socket, const std::string& method, json::Object params, json::Value& data) {
  Reply reply = CallGoverned(socket, method, std::move(params));
  if (reply.exit_code == kDone) return std::move(reply.result);
  data = std::move(reply.data);
  return Fail(reply.exit_code == kNoDaemon ? Code::kIo : Code::kDenied, reply.message);
}

bool Say(std::string answer) {
  answer += '\n';
  for (std::size_t sent = 0; sent < answer.size();) {
    const ssize_t count = write(STDOUT_FILENO, answer.data() + sent, answer.size() - sent);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace

int ServeMcp(const Options& options) {
  const std::string socket = options.socket.empty() ? agent::kSessionSocket : options.socket;
  agent::Mcp mcp([&socket](const std::string& method, json::Object params, json::Value& data) {
    return Ask(socket, method, std::move(params), data);
  });
  std::string in;
  for (;;) {
    std::array<char, 65536> buffer{};
    const ssize_t got = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0 ? kDone : kRefused;
    in.append(buffer.data(), static_cast<std::size_t>(got));
    for (std::size_t end = 0; (end = in.find('\n')) != std::string::npos;) {
      const auto answer = mcp.Answer(std::string_view(in).substr(0, end));
      in.erase(0, end + 1);
      if (answer && !Say(*answer)) return kRefused;
    }
    if (in.size() > kMaxLineBytes) {
      std::fprintf(stderr, "proofgate: a message of more than %zu bytes\n", kMaxLineBytes);
      return kRefused;
    }
  }
}

}  // namespace proofgate::cli
