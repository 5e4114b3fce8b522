#include "agent/cli/client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "agent/paths.h"
#include "base/fd.h"
#include "policy/object.h"

namespace proofgate::cli {
namespace {

Reply Unreachable(const char* socket_path, const std::string& why) {
  Reply reply;
  reply.exit_code = kNoDaemon;
  reply.message = fmt::format(
      "the daemon does not answer at {}: {}; is it running? (systemctl status proofgate)",
      socket_path, why);
  return reply;
}

Reply CallAt(const char* socket_path, const std::string& method, json::Object params) {
  const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path, sizeof(address.sun_path) - 1);
  if (!fd.is_open() ||
      connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return Unreachable(socket_path, std::strerror(errno));
  const json::Object request{
      {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", std::move(params)}};
  const std::string out = json::Encode(request) + "\n";
  for (std::size_t sent = 0; sent < out.size();) {
    const ssize_t count = send(fd.get(), out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Unreachable(socket_path, std::strerror(errno));
    sent += static_cast<std::size_t>(count);
  }
  std::string in;
  while (in.find('\n') == std::string::npos) {
    std::array<char, 65536> buffer{};
    const ssize_t got = recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Unreachable(socket_path, "it closed the connection (this door is not for this user or cgroup)");
    in.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const auto answer = json::Parse(std::string_view(in).substr(0, in.find('\n')));
  if (!answer) return Unreachable(socket_path, "its answer is not JSON: " + answer.error().message);
  Reply reply;
  if (const json::Value* const result = answer->Find("result")) {
    reply.result = *result;
    return reply;
  }
  const json::Value* const error = answer->Find("error");
  if (error == nullptr) return Unreachable(socket_path, "its answer has neither result nor error");
  reply.exit_code = kRefused;
  reply.message = json::GetBytes(*error, "message").value_or("refused");
  if (const json::Value* const data = error->Find("data")) reply.data = *data;
  return reply;
}

}  // namespace

Reply Call(const std::string& method, json::Object params) {
  return CallAt(agent::kControlSocket, method, std::move(params));
}
Reply CallApprovers(const std::string& method, json::Object params) {
  return CallAt(agent::kApproveSocket, method, std::move(params));
}
Reply CallGoverned(const std::string& socket, const std::string& method, json::Object params) {
  return CallAt(socket.c_str(), method, std::move(params));
}

int Complain(const Reply& reply, bool as_json) {
  if (as_json) {
    json::Object out{{"error", json::Bytes(reply.message)}, {"exit_code", reply.exit_code}};
    if (reply.data.is_object() && !reply.data.object().empty()) out["data"] = reply.data;
    PrintJson(out);
    return reply.exit_code;
  }
  const json::Value* const diagnostics = reply.data.Find("diagnostics");
  if (diagnostics != nullptr && diagnostics->is_array())
    for (const json::Value& line : diagnostics->array()) {
      const json::Value wrapped(json::Object{{"line", line}});
      fmt::print(stderr, "{}\n", json::GetBytes(wrapped, "line").value_or(""));
    }
  fmt::print(stderr, "proofgate: {}\n", policy::EscapeForPeople(reply.message));
  const auto decision = json::GetString(reply.data, "decision");
  const auto entry = json::GetInteger(reply.data, "entry");
  if (decision && entry)
    fmt::print(stderr, "  {}; recorded as entry {} (proofgate why {})\n", *decision, *entry, *entry);
  return reply.exit_code;
}

int Complain(const Error& error, bool as_json, int exit_code) {
  Reply reply;
  reply.exit_code = exit_code;
  reply.message = error.message;
  return Complain(reply, as_json);
}

void PrintJson(const json::Value& value) { fmt::print("{}\n", json::Pretty(value)); }

}  // namespace proofgate::cli
