// doctor --prove: one forbidden act of each kind in a cgroup of its own, under
// a domain that grants nothing. Each must fail with EPERM, have no effect, be
// an entry and be counted.

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "agent/cli/client.h"
#include "agent/cli/commands.h"
#include "agent/cli/reader.h"
#include "agent/paths.h"
#include "base/fd.h"

namespace proofgate::cli {
namespace {

// The kinds that every domain judges; read is for those that ask for it.
constexpr std::array<const char*, 8> kKinds = {"exec", "load",   "write",      "connect",
                                               "bind", "signal", "capability", "never"};

volatile std::sig_atomic_t signals_seen = 0;

// The child may not even write to a pipe: it answers through shared memory.
struct Answers {
  std::array<int, kKinds.size()> error;  // errno; 0: it succeeded; -1: never tried
};

struct Stage {
  std::string dir;       // our own
  std::string program;   // a copy of touch
  std::string marker;    // what the program would make
  std::string victim;    // what writing would make
  sockaddr_in listener{};
};

int ErrorOf(long result) { return result < 0 ? errno : 0; }

int TryExec(const Stage& stage, Answers* answers) {
  answers->error[0] = 0;  // here: the child may be over before fork() returns
  const pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) {
    std::array<char*, 3> arguments = {const_cast<char*>(stage.program.c_str()),
                                      const_cast<char*>(stage.marker.c_str()), nullptr};
    execv(stage.program.c_str(), arguments.data());
    answers->error[0] = errno;
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return answers->error[0];
}

[[noreturn]] void Act(const Stage& stage, const std::string& procs, Answers* answers) {
  const int to = open(procs.c_str(), O_WRONLY | O_CLOEXEC);
  if (to < 0 || write(to, "0", 1) != 1) _exit(1);
  // Governed from here on, with no receipt at all.
  answers->error[0] = TryExec(stage, answers);
  const int file = open(stage.program.c_str(), O_RDONLY | O_CLOEXEC);
  void* const mapped = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
  answers->error[1] = mapped == MAP_FAILED ? errno : 0;
  answers->error[2] = ErrorOf(open(stage.victim.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  answers->error[3] = sock < 0 ? errno
                               : ErrorOf(connect(sock, reinterpret_cast<const sockaddr*>(&stage.listener),
                                                 sizeof(stage.listener)));
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  answers->error[4] =
      server < 0 ? errno : ErrorOf(bind(server, reinterpret_cast<const sockaddr*>(&any), sizeof(any)));
  answers->error[5] = ErrorOf(kill(getppid(), SIGURG));
  answers->error[6] = ErrorOf(chroot("/"));
  bpf_attr attributes{};
  answers->error[7] = ErrorOf(syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attributes, sizeof(attributes)));
  _exit(0);
}

Result<Stage> Prepare(Fd& listener) {
  Stage stage;
  std::string pattern = std::string(agent::kRunDir) + "/prove-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) return FailErrno(errno, pattern);
  stage.dir = pattern;
  stage.program = pattern + "/touch";
  stage.marker = pattern + "/ran";
  stage.victim = pattern + "/written";
  std::error_code error;
  std::filesystem::copy_file("/usr/bin/touch", stage.program, error);
  if (error) return FailErrno(error.value(), stage.program);
  listener = Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  stage.listener.sin_family = AF_INET;
  stage.listener.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(stage.listener);
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&stage.listener), length) != 0 ||
      listen(listener.get(), 1) != 0 ||
      getsockname(listener.get(), reinterpret_cast<sockaddr*>(&stage.listener), &length) != 0)
    return FailErrno(errno, "listen on the loopback");
  return stage;
}

std::uint64_t DenialsIn(const json::Value& counters) {
  const json::Value* const after = counters.Find("after");
  const json::Value* const domains = after == nullptr ? nullptr : after->Find("domains");
  const json::Value* const domain = domains == nullptr ? nullptr : domains->Find("proofgate-prove");
  return domain == nullptr ? 0 : json::GetInteger(*domain, "denials").value_or(0);
}

}  // namespace

int Prove(const Options& options) {
  const Reply opened = Call("prove.open");
  if (opened.exit_code != kDone) return Complain(opened, options.json);
  const std::string cgroup = json::GetString(opened.result, "cgroup").value_or("");
  const Reply before = Call("counters");
  if (before.exit_code != kDone) return Complain(before, options.json);
  Fd listener;
  const auto stage = Prepare(listener);
  if (!stage) return Complain(stage.error(), options.json);
  auto* const answers = static_cast<Answers*>(
      mmap(nullptr, sizeof(Answers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (answers == MAP_FAILED) return Complain(Error{Code::kIo, "mmap"}, options.json);
  answers->error.fill(-1);
  std::signal(SIGURG, [](int) { signals_seen = 1; });
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return Complain(Error{Code::kIo, "fork"}, options.json);
  if (child == 0) Act(*stage, cgroup + "/cgroup.procs", answers);
  int status = 0;
  waitpid(child, &status, 0);

  const Reply after = Call("counters");
  if (after.exit_code != kDone) return Complain(after, options.json);
  Call("run.close", {{"cgroup", cgroup}});
  const auto reader = Reader::Open();
  if (!reader) return Complain(reader.error(), options.json);
  const std::uint64_t from = json::GetInteger(before.result, "size").value_or(0);
  std::map<std::string, std::uint64_t> entries;
  for (std::uint64_t index = from; index < reader->head().size; ++index) {
    const auto entry = reader->Read(index);
    if (!entry) return Complain(entry.error(), options.json);
    if (entry->kind == "DENY" && json::GetInteger(entry->body, "pid").value_or(0) != 0 &&
        json::GetString(entry->body, "domain").value_or("") == "proofgate-prove")
      entries.try_emplace(json::GetString(entry->body, "kind").value_or(""), index);
  }
  const bool connected = accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC) >= 0;
  // The others have no effect but their success.
  const std::array<bool, kKinds.size()> effect = {
      access(stage->marker.c_str(), F_OK) == 0, answers->error[1] == 0,
      access(stage->victim.c_str(), F_OK) == 0, connected, answers->error[4] == 0,
      signals_seen != 0, answers->error[6] == 0, answers->error[7] == 0};
  const std::uint64_t counted = DenialsIn(after.result) - DenialsIn(before.result);
  std::error_code ignored;
  std::filesystem::remove_all(stage->dir, ignored);

  bool good = counted >= kKinds.size();
  json::Array rows;
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    const int error = answers->error[i];
    const auto entry = entries.find(kKinds[i]);
    const bool proved = error == EPERM && !effect[i] && entry != entries.end();
    good = good && proved;
    json::Object row{{"kind", kKinds[i]}, {"proved", proved}, {"effect", effect[i]},
                     {"error", error < 0 ? "not tried" : error == 0 ? "none" : std::strerror(error)}};
    if (entry != entries.end()) row["entry"] = json::Integer(entry->second);
    rows.push_back(std::move(row));
    if (!options.json)
      fmt::print("{:7} {:10} {}, {}, {}\n", proved ? "ok" : "WRONG", kKinds[i],
                 error < 0 ? "not tried" : error == 0 ? "NOT refused" : std::strerror(error),
                 effect[i] ? "WITH AN EFFECT" : "no effect",
                 entry == entries.end() ? "NO ENTRY" : fmt::format("entry {}", entry->second));
  }
  if (options.json) {
    PrintJson(json::Object{{"proved", good}, {"acts", std::move(rows)}, {"counted", json::Integer(counted)}});
  } else {
    fmt::print("{}: {} denials counted\n", good ? "The gate refuses" : "The gate does NOT refuse everything", counted);
  }
  return good ? kDone : kRefused;
}

}  // namespace proofgate::cli
