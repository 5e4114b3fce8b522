// attach, detach, run.

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "agent/cli/client.h"
#include "agent/cli/commands.h"
#include "base/durable.h"
#include "base/fd.h"
#include "policy/plan.h"

namespace proofgate::cli {
namespace {

constexpr int kCannotRun = 126;  // as shells do
constexpr int kNoSuchProgram = 127;

json::Object TargetOf(const Options& options) {
  json::Object params{{"domain", json::Bytes(options.domain)}};
  if (!options.cgroup.empty()) params["cgroup"] = json::Bytes(options.cgroup);
  if (!options.unit.empty()) params["unit"] = json::Bytes(options.unit);
  if (options.pid) params["pid"] = *options.pid;
  if (options.force) params["force"] = true;
  return params;
}

volatile sig_atomic_t child_to_signal = 0;
void Forward(int signal_number) {
  if (child_to_signal > 0) kill(child_to_signal, signal_number);
}

// A governed process may write to pipes but not to any file that it inherits:
// a regular file as output is written by us.
struct Relay {
  int to = -1;
  Fd read_end;
  Fd write_end;
};

bool NeedsRelay(int fd) {
  struct stat info {};
  return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

bool Copy(Relay& relay) {
  std::array<char, 65536> buffer{};
  const ssize_t got = read(relay.read_end.get(), buffer.data(), buffer.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got == 0) return false;
  for (ssize_t done = 0; done < got;) {
    const ssize_t wrote = write(relay.to, buffer.data() + done, static_cast<std::size_t>(got - done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    done += wrote;
  }
  return true;
}

// Copies until every writer is gone, or the child has ended and nothing waits.
void CopyAll(std::array<Relay, 2>& relays, pid_t child, int& status) {
  bool ended = false;
  for (;;) {
    std::array<pollfd, 2> waiting{};
    nfds_t count = 0;
    for (const Relay& relay : relays)
      if (relay.read_end.is_open()) waiting[count++] = {relay.read_end.get(), POLLIN, 0};
    if (count == 0) break;
    const int ready = poll(waiting.data(), count, ended ? 0 : 50);
    if (ready == 0 && ended) return;  // what is left behind writes to nobody
    for (Relay& relay : relays)
      for (nfds_t i = 0; ready > 0 && i < count; ++i)
        if (relay.read_end.is_open() && waiting[i].fd == relay.read_end.get() && waiting[i].revents != 0 &&
            !Copy(relay))
          relay.read_end.Close();
    if (!ended && waitpid(child, &status, WNOHANG) == child) ended = true;
  }
  while (!ended && waitpid(child, &status, 0) != child && errno == EINTR) {
  }
}

[[noreturn]] void Become(const std::string& cgroup, const std::vector<std::string>& command) {
  const std::string procs = cgroup + "/cgroup.procs";
  const int fd = open(procs.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, "0", 1) != 1) {
    fmt::print(stderr, "proofgate: {}: {}\n", procs, std::strerror(errno));
    std::fflush(stderr);
    _exit(kCannotRun);
  }
  close(fd);
  // Governed from here on.
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  const int error = errno;
  fmt::print(stderr, "proofgate: {}: {}{}\n", command[0], std::strerror(error),
             error == EPERM ? " (proofgate why --last says why)" : "");
  std::fflush(stderr);
  _exit(error == ENOENT ? kNoSuchProgram : kCannotRun);
}

// Hands over the plan file that the command left; without one the session ends.
void EndSession(const std::string& session, const std::string& plan) {
  const auto plans = plan.empty() ? Result<std::string>(Fail(Code::kNotFound, "no plan file was asked for"))
                                  : ReadFile(plan, policy::kMaxPlansBytes);
  const Reply reply =
      plans ? Call("session.complete", {{"session", session}, {"plans", json::Bytes(*plans)}})
            : Call("session.abort", {{"session", session}, {"why", json::Bytes(plans.error().message)}});
  if (reply.exit_code != kDone) {
    Complain(reply, false);
    return;
  }
  fmt::print(stderr, "proofgate: session {}: {}\n", session,
             json::GetString(reply.result, plans ? "code" : "state").value_or(""));
}

}  // namespace

int Attach(const Options& options) {
  const Reply reply = Call("attach", TargetOf(options));
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) {
    PrintJson(reply.result);
  } else {
    fmt::print("governed under {}: {}\n", options.domain, json::GetBytes(reply.result, "cgroup").value_or(""));
  }
  return kDone;
}

int Detach(const Options& options) {
  const Reply reply = Call("detach", TargetOf(options));
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) {
    PrintJson(reply.result);
  } else {
    fmt::print("not governed any more: {}\n", json::GetBytes(reply.result, "cgroup").value_or(""));
  }
  return kDone;
}

int Run(const Options& options) {
  const Reply reply =
      options.with_session
          ? Call("session.open", {{"domain", json::Bytes(options.domain)}, {"cgroup", true},
                                  {"uid", json::Integer(getuid())}})
          : Call("run.open", {{"domain", json::Bytes(options.domain)}});
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  const std::string session = json::GetString(reply.result, "session").value_or("");
  if (!session.empty()) setenv("PROOFGATE_SESSION", session.c_str(), 1);
  const std::string cgroup = json::GetString(reply.result, "cgroup").value_or("");

  std::array<Relay, 2> relays;
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    if (!NeedsRelay(fd)) continue;
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return Complain(Error{Code::kIo, "pipe"}, options.json);
    Relay& relay = relays[fd == STDOUT_FILENO ? 0 : 1];
    relay = {fd, Fd(ends[0]), Fd(ends[1])};
  }
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return Complain(Error{Code::kIo, std::string("fork: ") + std::strerror(errno)}, options.json);
  if (child == 0) {
    for (Relay& relay : relays)
      if (relay.write_end.is_open()) dup2(relay.write_end.get(), relay.to);
    Become(cgroup, options.command);
  }
  for (Relay& relay : relays) relay.write_end.Close();
  // The terminal signals the whole group; who signals us means the command.
  child_to_signal = child;
  struct sigaction forward {};
  forward.sa_handler = Forward;
  sigaction(SIGTERM, &forward, nullptr);
  sigaction(SIGHUP, &forward, nullptr);
  signal(SIGINT, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  int status = 0;
  if (relays[0].read_end.is_open() || relays[1].read_end.is_open()) {
    CopyAll(relays, child, status);
  } else {
    while (waitpid(child, &status, 0) != child && errno == EINTR) {
    }
  }
  const Reply closed = Call("run.close", {{"cgroup", cgroup}});
  if (closed.exit_code != kDone) Complain(closed, false);  // the daemon sweeps it later
  if (!session.empty()) EndSession(session, options.plan);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace proofgate::cli
