// SessionsTest: an agent over a gate and a ledger in memory, with a canon that has a
// free rule and one with terms, and sessions to try.

#ifndef PROOFGATE_TESTS_AGENT_SESSIONS_FIXTURE_H_
#define PROOFGATE_TESTS_AGENT_SESSIONS_FIXTURE_H_

#include <gtest/gtest.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "agent/agent.h"
#include "policy/replay.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_pep.h"
#include "tests/fake/fake_units.h"
#include "tests/fake/memory_store.h"

namespace proofgate::agent {

inline constexpr std::uint64_t kSecond = 1'000'000'000;

class SessionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "sessions.XXXXXX";
    dir_ = std::filesystem::canonical(mkdtemp(pattern.data()));
    for (const char* name : {"free", "pub"}) {
      std::filesystem::create_directory(dir_ + "/" + name);
      for (const char* file : {"a", "b", "c"}) std::ofstream(dir_ + "/" + name + "/" + file) << "x";
    }
    signer_ = std::move(*CreateSigner(dir_ + "/key", "host"));
    alice_ = std::move(*CreateSigner(dir_ + "/alice", "alice"));
    carol_ = std::move(*CreateSigner(dir_ + "/carol", "carol"));
    Create();
    Start("boot-1");
    ASSERT_TRUE(Apply());
  }
  void TearDown() override {
    agent_.reset();
    ledger_.reset();
    std::filesystem::remove_all(dir_);
  }
  void Create() {
    std::filesystem::remove(ledger::AnchorPath(dir_));
    disk_ = std::make_shared<ledger::MemoryDisk>();
    auto ledger = ledger::Ledger::Create(dir_, "host.example/log", std::make_unique<ledger::MemoryStore>(disk_), *signer_, clock_);
    ASSERT_TRUE(ledger) << ledger.error().message;
    ledger_ = std::move(*ledger);
  }
  void Start(const std::string& boot) {
    auto agent = Agent::Start(pep_, *ledger_, *signer_, clock_, Host{"host", boot}, units_);
    ASSERT_TRUE(agent) << agent.error().message;
    agent_ = std::move(*agent);
  }
  // As after a crash: what was committed is all there is.
  void Reopen(const std::string& boot) {
    agent_.reset();
    ledger_.reset();
    auto ledger = ledger::Ledger::Open(dir_, std::make_unique<ledger::MemoryStore>(disk_), *signer_, clock_);
    ASSERT_TRUE(ledger) << ledger.error().message;
    ledger_ = std::move(*ledger);
    Start(boot);
  }
  bool Apply(const std::string& comment = "", const std::string& more = "") {
    const std::string text =
        comment + "format: 1\ntenant: t\ndomain: d\nmode: enforce\n"
        "optr: { order: [cost], max_risk_ppm: 20000, max_cost: 500, min_success_ppm: 1 }\n"
        "estimates: [{ for: write, ttv_us: 1, cost: 10, risk_ppm: 1, irreversibility: 0, success_ppm: 1000000 }]\n"
        "break_glass: { role: oncall, review: security, max: 15m, rules: [pub] }\n"
        "approvers:\n"
        "  - { person: alice, roles: [finance, oncall], keys: [" + alice_->public_key().OpenSsh() + "] }\n"
        "  - { person: carol, roles: [security], keys: [" + carol_->public_key().OpenSsh() + "] }\n"
        "  - { person: bob, roles: [finance], uids: [1001] }\n"
        "rules:\n"
        "  - { id: free, permit: write, in: [{ dir: " + dir_ + "/free, depth: all }], limits: { ttl: 10m, uses: 10 } }\n"
        "  - { id: pub, permit: write, in: [{ dir: " + dir_ + "/pub, depth: all }], limits: { ttl: 10m, uses: 10 },"
        " approvals: { count: 2, role: finance }, lease: { resource: pub, mode: exclusive } }\n" + more;
    std::vector<policy::Diagnostic> diagnostics;
    const auto applied = agent_->ApplyCanon(text, "c.yaml", diagnostics);
    if (!diagnostics.empty()) ADD_FAILURE() << policy::Render(diagnostics.front());
    return applied.has_value();
  }
  std::string Step(const std::string& path, int uses = 2) const {
    return fmt::format(R"({{"any":[{{"kind":"write","object":{{"file":"{}/{}"}},"uses":{}}}]}})", dir_, path, uses);
  }
  static std::string Plans(const std::string& steps) { return R"({"format":1,"plans":[{"steps":[)" + steps + "]}]}"; }
  std::string Open(const std::string& principal = "uid:1000") {
    const auto opened = agent_->OpenSession("d", principal, kDefaultSessionMs, Agent::SessionCgroup::kNone);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened->at("session").string();
  }
  Result<json::Object> Complete(const std::string& id, const std::string& steps) {
    return agent_->sessions().Complete(id, Plans(steps));
  }
  std::string Right(const std::string& rule, const std::string& path = "") const {
    return path.empty() ? fmt::format(R"({{"rule":"{}"}})", rule)
                        : fmt::format(R"({{"rule":"{}","object":"{}/{}"}})", rule, dir_, path);
  }
  Result<json::Object> TryDelegate(const std::string& parent, const std::string& rights, std::uint64_t cost, std::uint64_t uses,
                                   std::string& code, std::uint64_t duration_ms = 1000) {
    return agent_->sessions().Delegate(parent, {*json::ParseLenient("[" + rights + "]"), duration_ms, cost, uses},
                                       [] { return Result<std::uint64_t>(0); }, code);
  }
  std::string Delegate(const std::string& parent, const std::string& rights, std::uint64_t cost, std::uint64_t uses,
                       std::uint64_t duration_ms = 1000) {
    std::string code;
    const auto opened = TryDelegate(parent, rights, cost, uses, code, duration_ms);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? opened->at("session").string() : "";
  }
  std::string Next(const std::string& id, std::uint64_t status = 0) {
    std::string code;
    const auto next = agent_->sessions().Next(id, status, code);
    if (!next) return code.empty() ? next.error().message : code;
    return next->at("state").string();
  }
  std::string State(const std::string& id) const {
    return std::string(policy::SessionStateName(agent_->sessions().Find(id)->state));
  }
  // The only live slot; 0: none.
  std::uint32_t Slot() const {
    for (std::uint32_t slot = 1; slot < MAX_RECEIPTS; ++slot)
      if (kernel_.slots[slot].state == SLOT_LIVE) return slot;
    return 0;
  }
  int Live() const {
    int live = 0;
    for (const receipt_slot& slot : kernel_.slots) live += slot.state == SLOT_LIVE;
    return live;
  }
  // That the gate would refuse for their epoch.
  int Dead() const {
    int dead = 0;
    for (const receipt_slot& slot : kernel_.slots)
      dead += slot.state != SLOT_FREE && slot.epoch < pep_.ReadEpoch(slot.domain);
    return dead;
  }
  void Act(std::uint32_t slot) {
    receipt_slot& receipt = kernel_.slots[slot];
    ++receipt.used;
    domain_state& domain = kernel_.domains[receipt.domain];
    act_record record{};
    record.version = 1;
    record.verdict = VERDICT_ALLOW;
    record.domain = receipt.domain;
    record.seq = ++domain.act_seq;
    record.boot_ns = clock_.Boot().ns;
    record.kind = receipt.kind;
    record.op = OP_OPEN_WRITE;
    record.slot = slot;
    record.gen = receipt.gen;
    kernel_.rings[receipt.domain]->Produce(&record, sizeof(record));
  }
  std::vector<json::Value> Entries(const std::string& kind) const {
    std::vector<json::Value> bodies;
    for (std::uint64_t index = 0; index < ledger_->head().size; ++index) {
      const auto leaf = json::Parse(*ledger_->Entry(index));
      if (json::GetString(*leaf, "kind").value_or("") == kind) bodies.push_back(*leaf->Find("body"));
    }
    return bodies;
  }
  policy::ReplayReport Replay() const {
    policy::Replay replay;
    for (std::uint64_t index = 0; index < ledger_->head().size; ++index) replay.Take(index, *ledger_->Entry(index));
    return replay.report();
  }
  void ExpectExactReplay() const {
    const policy::ReplayReport report = Replay();
    EXPECT_EQ(report.differences, 0u);
    for (const policy::ReplayDifference& difference : report.first)
      ADD_FAILURE() << difference.index << " " << difference.kind << "\n  recorded   " << difference.recorded
                    << "\n  recomputed " << difference.recomputed;
  }

  FakeUnits units_;
  std::string dir_;
  FakeClock clock_;
  FakeKernel kernel_;
  FakePep pep_{kernel_};
  std::shared_ptr<ledger::MemoryDisk> disk_;
  std::unique_ptr<Signer> signer_;
  std::unique_ptr<Signer> alice_;
  std::unique_ptr<Signer> carol_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<Agent> agent_;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_TESTS_AGENT_SESSIONS_FIXTURE_H_
