// live_daemon DIR: the daemon's three doors over an enforcement point in memory,
// for clients that are other programs. Serves until its standard input ends.
//
// Makes DIR/{control,session,approve}.sock and says "ready". Who calls is told by
// the door: uid 0 for operators, uid 1001 for approvers, and each process at the
// governed door is uid 1000 in a cgroup of its own of domain d. Each receipt that
// a session gets is used once, as its process would.

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "agent/agent.h"
#include "agent/control.h"
#include "base/signature.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_pep.h"
#include "tests/fake/fake_units.h"
#include "tests/fake/memory_store.h"

namespace proofgate::agent {
namespace {

Result<Caller> IdentifyByDoor(int socket_fd, const Agent&, Fd&) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return FailErrno(errno, "peer");
  sockaddr_un door{};
  length = sizeof(door);
  if (getsockname(socket_fd, reinterpret_cast<sockaddr*>(&door), &length) != 0) return FailErrno(errno, "door");
  const std::string name = std::filesystem::path(door.sun_path).filename();
  Caller caller;
  caller.uid = name == "control.sock" ? 0 : name == "approve.sock" ? 1001 : 1000;
  caller.principal = fmt::format("uid:{}", caller.uid);
  if (name != "session.sock") return caller;
  caller.domain = "d";
  caller.cgroup = fmt::format("/d/{}", peer.pid);
  caller.cgroup_id = static_cast<std::uint64_t>(peer.pid);
  return caller;
}

std::string CanonText(const std::string& dir) {
  return "format: 1\ntenant: t\ndomain: d\nmode: enforce\n"
         "optr: { order: [cost], max_risk_ppm: 20000, max_cost: 500, min_success_ppm: 1 }\n"
         "estimates: [{ for: write, ttv_us: 1, cost: 10, risk_ppm: 1, irreversibility: 0, success_ppm: 1000000 }]\n"
         "approvers: [{ person: bob, roles: [finance], uids: [1001] }]\n"
         "rules:\n"
         "  - { id: free, permit: write, in: [{ dir: " + dir + "/free, depth: all }], limits: { ttl: 10m, uses: 10 } }\n"
         "  - { id: pub, permit: write, in: [{ dir: " + dir + "/pub, depth: all }], limits: { ttl: 10m, uses: 10 },"
         " approvals: { count: 1, role: finance } }\n";
}

// What a governed process would do with what it got.
void UseOnce(FakeKernel& kernel, const FakeClock& clock, std::set<std::pair<std::uint32_t, std::uint32_t>>& used) {
  for (std::uint32_t slot = 1; slot < MAX_RECEIPTS; ++slot) {
    receipt_slot& receipt = kernel.slots[slot];
    if (receipt.state != SLOT_LIVE || (receipt.flags & RECEIPT_STANDING) || !used.insert({slot, receipt.gen}).second) continue;
    ++receipt.used;
    act_record record{};
    record.version = 1;
    record.verdict = VERDICT_ALLOW;
    record.domain = receipt.domain;
    record.seq = ++kernel.domains[receipt.domain].act_seq;
    record.boot_ns = clock.Boot().ns;
    record.kind = receipt.kind;
    record.op = OP_OPEN_WRITE;
    record.slot = slot;
    record.gen = receipt.gen;
    kernel.rings[receipt.domain]->Produce(&record, sizeof(record));
  }
}

Status Serve(const std::string& dir) {
  for (const char* name : {"free", "pub"}) {
    std::filesystem::create_directory(dir + "/" + name);
    for (const char* file : {"a", "b"}) std::ofstream(dir + "/" + name + "/" + file) << "x";
  }
  const auto signer = TRY(CreateSigner(dir + "/key", "host"));
  FakeClock clock;
  const auto ledger = TRY(ledger::Ledger::Create(dir, "host.example/log", std::make_unique<ledger::MemoryStore>(std::make_shared<ledger::MemoryDisk>()), *signer, clock));
  FakeUnits units;
  FakeKernel kernel;
  FakePep pep(kernel);
  const auto agent = TRY(Agent::Start(pep, *ledger, *signer, clock, Host{"host", "boot-1"}, units));
  std::vector<policy::Diagnostic> diagnostics;
  TRY(agent->ApplyCanon(CanonText(dir), "canon.yaml", diagnostics));
  const auto control = TRY(Control::Listen(dir + "/control.sock", *agent, IdentifyByDoor));
  TRY(control->OpenDoor(Control::Door::kGoverned, dir + "/session.sock"));
  TRY(control->OpenDoor(Control::Door::kApprovers, dir + "/approve.sock"));
  std::puts("ready");
  std::fflush(stdout);
  std::set<std::pair<std::uint32_t, std::uint32_t>> used;
  for (;;) {
    if (TRY(control->Serve(0, 100)) == Control::Turn::kStop) return {};
    UseOnce(kernel, clock, used);
  }
}

}  // namespace
}  // namespace proofgate::agent

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "Usage: live_daemon DIR\n");
    return 2;
  }
  const proofgate::Status served = proofgate::agent::Serve(std::filesystem::canonical(argv[1]));
  if (served) return 0;
  std::fprintf(stderr, "live_daemon: %s\n", served.error().message.c_str());
  return 1;
}
