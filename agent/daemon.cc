// proofgated: the daemon.

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "agent/agent.h"
#include "agent/control.h"
#include "agent/drop.h"
#include "agent/kernel_pep.h"
#include "agent/notify.h"
#include "agent/paths.h"
#include "agent/state_group.h"
#include "agent/units.h"
#include "base/durable.h"
#include "ledger/rocks_store.h"

namespace proofgate::agent {
namespace {

constexpr std::uint64_t kBallastBytes = 64 << 20;
constexpr std::uint64_t kDropEveryNs = 2'000'000'000;

constexpr const char* kUsage =
    "Usage: proofgated\n"
    "Runs the Proofgate daemon in the foreground; systemd starts it as proofgate.service.\n"
    "  --help     this text\n"
    "  --version  the version\n";

Result<std::string> FirstLine(const std::string& path) {
  std::string text = TRY(ReadFile(path, 4096));
  return text.substr(0, text.find('\n'));
}

// One daemon a host: the lock goes with the process.
Result<Fd> Lock() {
  if (mkdir(kRunDir, 0755) != 0 && errno != EEXIST) return FailErrno(errno, kRunDir);
  const std::string path = std::string(kRunDir) + "/daemon.lock";
  Fd fd(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  if (!fd.is_open()) return FailErrno(errno, path);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
    return Fail(Code::kBusy, path + ": another daemon runs");
  return fd;
}

Result<Fd> WatchSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return FailErrno(errno, "block signals");
  signal(SIGPIPE, SIG_IGN);
  Fd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.is_open()) return FailErrno(errno, "signalfd");
  return fd;
}

Status Run() {
  auto stored = TakeStoredFds();
  const Fd lock = TRY(Lock());
  const Fd stop = TRY(WatchSignals());
  const SystemClock clock;
  const gid_t state_group = TRY(FindStateGroup());
  TRY(KeepStateGroup(kStateDir, state_group));
  const auto signer = TRY(LoadSigner(kHostKey));
  const CheckPace check_pace = TRY(ReadCheckPace(kLedgerCheckFile));
  NotifyStatus("opening the ledger");
  auto store = TRY(ledger::OpenRocksStore(ledger::StorePath(kLedgerDir), ledger::StoreAccess::kWrite));
  const auto ledger = TRY(ledger::Ledger::Open(kLedgerDir, std::move(store), *signer, clock));
  TRY(ledger->KeepBallast(kBallastBytes));
  NotifyStatus("loading the gate");
  const auto pep = TRY(OpenKernelPep(kBpfDir, std::move(stored), state_group));
  Host host;
  host.id = TRY(FirstLine("/etc/machine-id"));
  host.boot_id = TRY(FirstLine("/proc/sys/kernel/random/boot_id"));
  SystemdUnits units;
  const auto agent = TRY(Agent::Start(*pep, *ledger, *signer, clock, std::move(host), units));
  agent->CheckLedger(check_pace);
  Drop drop = TRY(Drop::At(kDropDir, state_group));
  drop.Take(*agent);
  const auto control = TRY(Control::Listen(kControlSocket, *agent));
  TRY(control->OpenDoor(Control::Door::kGoverned, kSessionSocket));
  TRY(control->OpenDoor(Control::Door::kApprovers, kApproveSocket));
  NotifyReady(agent->StatusLine());

  const std::uint64_t alive_every_ns = AliveEveryNs();
  std::uint64_t alive_at = 0;
  std::uint64_t drop_at = 0;
  std::uint64_t rounds = 0;
  for (;;) {
    if (TRY(control->Serve(stop.get(), 200)) == Control::Turn::kStop) break;
    agent->Tick();
    const std::uint64_t now = clock.Boot().ns;
    if (now >= drop_at) {
      drop_at = now + kDropEveryNs;
      drop.Take(*agent);
    }
    if (now < alive_at + alive_every_ns) continue;
    // Alive means that the gate's records are read, too.
    if (agent->rounds() == rounds) continue;
    rounds = agent->rounds();
    alive_at = now;
    NotifyAlive();
    NotifyStatus(agent->StatusLine());
  }
  NotifyStopping();
  return agent->Stop();
}

}  // namespace
}  // namespace proofgate::agent

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      std::fputs(proofgate::agent::kUsage, stdout);
      return 0;
    }
    if (argument == "--version") {
      std::printf("proofgated %s\n", proofgate::agent::kVersion);
      return 0;
    }
    std::fprintf(stderr, "proofgated: unknown argument '%s'\n%s", argv[i], proofgate::agent::kUsage);
    return 2;
  }
  const proofgate::Status done = proofgate::agent::Run();
  if (done) return 0;
  std::fprintf(stderr, "proofgated: %s\n", done.error().message.c_str());
  return done.error().code == proofgate::Code::kUnsupported ? 3 : 1;
}
