// Receipts of a kind that canon wants witnessed are not in the gate before the
// quorum has cosigned a head that covers their entry.

#include "agent/witnesses.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "agent/agent.h"
#include "base/durable.h"
#include "ledger/checkpoint.h"
#include "policy/replay.h"
#include "tests/fake/entries.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_pep.h"
#include "tests/fake/fake_units.h"
#include "tests/fake/memory_store.h"

namespace proofgate::agent {
namespace {

constexpr const char* kOrigin = "host.example/log";
constexpr std::uint64_t kSecond = 1'000'000'000;

class WitnessedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "witnessed.XXXXXX";
    dir_ = std::filesystem::canonical(mkdtemp(pattern.data()));
    std::filesystem::create_directory(dir_ + "/granted");
    signer_ = std::move(*CreateSigner(dir_ + "/key", "host"));
    for (const char* name : {"one", "two"}) witnesses_.push_back(std::move(*CreateSigner(dir_ + "/" + name, name)));
    WritePolicy("quorum both\n");
    ledger_ = std::move(*ledger::Ledger::Create(dir_, kOrigin, std::make_unique<ledger::MemoryStore>(disk_), *signer_, clock_));
    Start("boot-1");
    std::vector<policy::Diagnostic> diagnostics;
    ASSERT_TRUE(agent_->ApplyCanon("format: 1\ntenant: t\ndomain: d\nmode: enforce\nwitnessed: [write]\nrules:\n"
                                   "  - { id: w, permit: write, in: [{ dir: " + dir_ + "/granted, depth: all }], limits: { ttl: \"1h\", uses: 100 } }\n"
                                   "  - { id: n, permit: connect, to: [{ cidr: \"127.0.0.0/8\" }], limits: { ttl: \"1h\", uses: 100 } }\n",
                                   "c.yaml", diagnostics));
  }
  void TearDown() override {
    agent_.reset();
    ledger_.reset();
    std::filesystem::remove_all(dir_);
  }
  void Start(const std::string& boot) {
    agent_.reset();
    auto agent = Agent::Start(pep_, *ledger_, *signer_, clock_, Host{"host", boot, Policy()}, units_);
    ASSERT_TRUE(agent) << agent.error().message;
    agent_ = std::move(*agent);
  }
  std::string Policy() const { return dir_ + "/witness-policy"; }
  void WritePolicy(const std::string& quorum) {
    std::string text;
    const char* const names[] = {"one", "two"};
    for (std::size_t i = 0; i < witnesses_.size(); ++i)
      text += std::string("witness ") + names[i] + " " +
              ledger::FormatVerifierKey({std::string(names[i]) + ".example", 4, witnesses_[i]->public_key()}) + "\n";
    ASSERT_TRUE(WriteFileDurably(Policy(), text + "group both all one two\ngroup either any one two\n" + quorum, 0644));
  }
  Result<json::Object> Issue(const std::string& rule) {
    std::optional<Receipts::Refusal> refusal;
    return agent_->Issue({"d", rule, "", "", {}, {}, "uid:0"}, refusal);
  }
  // The newest head with the cosignatures of the first so many witnesses.
  std::string Cosigned(std::size_t count) {
    std::string note = *ledger_->Checkpoint();
    const std::string text = note.substr(0, note.rfind("\n\n") + 1);
    const char* const names[] = {"one.example", "two.example"};
    for (std::size_t i = 0; i < count; ++i) note += ledger::Cosign(*witnesses_[i], names[i], 1'764'000'000, text);
    return note;
  }
  int InGate() const {
    int live = 0;
    for (const receipt_slot& slot : kernel_.slots) live += slot.state != SLOT_FREE;
    return live;
  }
  std::string StateOf(const std::string& id) const {
    const json::Object list = *agent_->ListReceipts();
    for (const json::Value& row : list.at("receipts").array())
      if (*json::GetString(row, "id") == id) return *json::GetString(row, "state");
    return "not there";
  }
  std::vector<json::Value> Entries(const std::string& kind) const { return BodiesOf(*ledger_, kind); }
  policy::ReplayReport Replayed() const {
    policy::Replay replay;
    for (std::uint64_t index = 0; index < ledger_->head().size; ++index) replay.Take(index, *ledger_->Entry(index));
    return replay.report();
  }

  std::string dir_;
  FakeClock clock_;
  FakeKernel kernel_;
  FakePep pep_{kernel_};
  FakeUnits units_;
  std::shared_ptr<ledger::MemoryDisk> disk_ = std::make_shared<ledger::MemoryDisk>();
  std::unique_ptr<Signer> signer_;
  std::vector<std::unique_ptr<Signer>> witnesses_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<Agent> agent_;
};

TEST_F(WitnessedTest, AReceiptIsNotInTheGateBeforeTheQuorumHasCosigned) {
  const auto issued = Issue("w");
  ASSERT_TRUE(issued) << issued.error().message;
  const std::string id = issued->at("id").string();
  EXPECT_EQ(issued->at("state").string(), "waiting");
  EXPECT_EQ(StateOf(id), "waiting");
  EXPECT_EQ(InGate(), 0);
  EXPECT_TRUE(kernel_.grants.empty());
  const auto other = Issue("n");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->at("state").string(), "live") << "another kind waits for nobody";
  EXPECT_EQ(InGate(), 1);

  const auto one = agent_->KeepCosigned(Cosigned(1));
  ASSERT_FALSE(one);
  EXPECT_EQ(one.error().code, Code::kDenied);
  EXPECT_NE(one.error().message.find("WITNESS_QUORUM_MISSING"), std::string::npos);
  EXPECT_EQ(InGate(), 1);

  const auto both = agent_->KeepCosigned(Cosigned(2));
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(both->at("granted").integer(), 1);
  EXPECT_EQ(StateOf(id), "live");
  EXPECT_EQ(InGate(), 2);
  EXPECT_FALSE(kernel_.grants.empty());
  ASSERT_EQ(Entries("WITNESSED").size(), 1u);
  EXPECT_EQ(*json::GetString(Entries("WITNESSED")[0], "id"), id);
  ASSERT_EQ(Entries("COSIGNED").size(), 1u);
  EXPECT_EQ(Entries("COSIGNED")[0].Find("witnesses")->array().size(), 2u);
  EXPECT_EQ(Replayed().differences, 0u);
}

TEST_F(WitnessedTest, AHeadFromBeforeTheEntryCoversNothing) {
  const std::string before = Cosigned(2);
  ASSERT_TRUE(Issue("w"));
  const auto kept = agent_->KeepCosigned(before);
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->at("granted").integer(), 0);
  EXPECT_EQ(InGate(), 0);
  ASSERT_TRUE(agent_->KeepCosigned(Cosigned(2)));
  EXPECT_EQ(InGate(), 1);
}

TEST_F(WitnessedTest, WithoutAPolicyNothingIsIssued) {
  for (const char* const quorum : {"quorum none\n", "quorum nobody\n", ""}) {
    WritePolicy(quorum);
    const auto issued = Issue("w");
    ASSERT_FALSE(issued) << quorum;
    EXPECT_NE(issued.error().message.find("WITNESSES_UNKNOWN"), std::string::npos) << issued.error().message;
  }
  std::filesystem::remove(Policy());
  EXPECT_FALSE(Issue("w"));
  EXPECT_TRUE(Entries("ISSUE").empty());
  EXPECT_TRUE(Issue("n")) << "another kind needs none";
  WritePolicy("quorum either\n");
  ASSERT_TRUE(Issue("w"));
  ASSERT_TRUE(agent_->KeepCosigned(Cosigned(1)));
  EXPECT_EQ(InGate(), 2);
}

TEST_F(WitnessedTest, NeitherARevokedNorAnExpiredOneComesIntoTheGate) {
  const auto revoked = Issue("w");
  ASSERT_TRUE(revoked);
  ASSERT_TRUE(agent_->Revoke(revoked->at("id").string(), "not needed"));
  ASSERT_TRUE(Issue("w"));
  clock_.Advance(3601 * kSecond);
  ASSERT_TRUE(agent_->KeepCosigned(Cosigned(2)));
  EXPECT_EQ(InGate(), 0);
  EXPECT_TRUE(Entries("WITNESSED").empty());
  clock_.Advance(2 * kSecond);
  agent_->Tick();
  ASSERT_TRUE(agent_->Flush());
  ASSERT_EQ(Entries("SETTLED").size(), 2u);
  for (const json::Value& settled : Entries("SETTLED")) EXPECT_EQ(*json::GetInteger(settled, "used"), 0u);
}

TEST_F(WitnessedTest, ACommitThatFailsLeavesItOutOfTheGate) {
  for (const auto fault : {ledger::Fault::kBeforeLanding, ledger::Fault::kAfterLanding}) {
    disk_->next = ledger::Fault::kNone;
    agent_.reset();
    ledger_.reset();
    kernel_ = FakeKernel();
    ledger_ = std::move(*ledger::Ledger::Open(dir_, std::make_unique<ledger::MemoryStore>(disk_), *signer_, clock_));
    Start("boot-" + std::to_string(static_cast<int>(fault) + 10));
    ASSERT_TRUE(Issue("w"));
    const std::string note = Cosigned(2);
    disk_->next = fault;
    EXPECT_FALSE(agent_->KeepCosigned(note));
    EXPECT_EQ(InGate(), 0);
  }
}

TEST_F(WitnessedTest, ARestartForgetsWhatWaitedAndSaysSo) {
  ASSERT_TRUE(Issue("w"));
  Start("boot-1");
  ASSERT_EQ(Entries("REVOKE").size(), 1u);
  EXPECT_NE(json::GetString(Entries("REVOKE")[0], "why")->find("waited for witnesses"), std::string::npos);
  ASSERT_TRUE(agent_->KeepCosigned(Cosigned(2)));
  EXPECT_EQ(InGate(), 0);

  ASSERT_TRUE(Issue("w"));
  agent_.reset();
  kernel_ = FakeKernel();
  Start("boot-2");
  EXPECT_TRUE(Entries("UNSETTLED").empty()) << "it was never live: no interval is open";
  ASSERT_EQ(Entries("SETTLED").size(), 1u);
  EXPECT_EQ(*json::GetString(Entries("SETTLED")[0], "state"), "never live");
}

TEST_F(WitnessedTest, ASlotOfTheGateThatShouldBeEmptyIsFreed) {
  ASSERT_TRUE(Issue("w"));
  kernel_.slots[1].state = SLOT_LIVE;
  clock_.Advance(11 * kSecond);
  agent_->Tick();
  EXPECT_EQ(InGate(), 0);
  EXPECT_EQ(Entries("TAMPERED").size(), 1u);
}

TEST_F(WitnessedTest, ReplayRefusesAnActThatCameBeforeTheWitnesses) {
  const std::string id = Issue("w")->at("id").string();
  const auto act = [&](std::uint64_t boot_ns) {
    ASSERT_TRUE(ledger_->Append({{"ACT", {{"domain", "d"}, {"seq", 1}, {"receipt", id}, {"kind", "write"}, {"op", "open for writing"},
                                          {"path", dir_ + "/granted/x"}, {"act_boot_ns", json::Integer(boot_ns)}}}}));
  };
  clock_.Advance(kSecond);
  const std::uint64_t early = clock_.Boot().ns;
  clock_.Advance(kSecond);
  ASSERT_TRUE(agent_->KeepCosigned(Cosigned(2)));
  clock_.Advance(kSecond);
  act(clock_.Boot().ns);
  EXPECT_EQ(Replayed().differences, 0u);
  act(early);
  EXPECT_EQ(Replayed().differences, 1u);
}

}  // namespace
}  // namespace proofgate::agent
