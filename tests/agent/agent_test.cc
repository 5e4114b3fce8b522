#include "agent/agent.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "agent/control.h"
#include "base/bytes.h"
#include "tests/fake/entries.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_pep.h"
#include "tests/fake/fake_units.h"
#include "tests/fake/memory_store.h"

namespace proofgate::agent {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

class AgentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "agent.XXXXXX";
    dir_ = std::filesystem::canonical(mkdtemp(pattern.data()));
    std::filesystem::create_directory(dir_ + "/granted");
    std::filesystem::create_directory(dir_ + "/forbidden");
    std::ofstream(dir_ + "/granted/file") << "x";
    signer_ = std::move(*CreateSigner(dir_ + "/key", "host"));
    auto ledger = ledger::Ledger::Create(dir_, "host.example/log", std::make_unique<ledger::MemoryStore>(disk_), *signer_, clock_);
    ASSERT_TRUE(ledger) << ledger.error().message;
    ledger_ = std::move(*ledger);
    Start("boot-1");
    ASSERT_TRUE(Apply(Canon()));
  }
  void TearDown() override {
    agent_.reset();
    ledger_.reset();
    std::filesystem::remove_all(dir_);
  }

  void Start(const std::string& boot) {
    auto agent = Agent::Start(pep_, *ledger_, *signer_, clock_, Host{"host", boot}, units_);
    ASSERT_TRUE(agent) << agent.error().message;
    agent_ = std::move(*agent);
  }
  // The daemon dies; the kernel and the ledger stay.
  void Restart() {
    agent_.reset();
    Start("boot-1");
  }
  // The host dies: the kernel forgets everything.
  void Reboot() {
    agent_.reset();
    kernel_ = FakeKernel();
    Start("boot-2");
  }
  std::string Canon(const std::string& granted = "granted") const {
    return "format: 1\ntenant: t\ndomain: d\nmode: enforce\nrules:\n"
           "  - { id: w, permit: write, in: [{ dir: " + dir_ + "/" + granted + ", depth: all }], limits: { ttl: \"1h\", uses: 100 } }\n"
           "  - { id: n, permit: connect, to: [{ cidr: \"127.0.0.0/8\" }], limits: { ttl: \"1h\", uses: 100 } }\n"
           "  - { id: f, forbid: write, in: [{ dir: " + dir_ + "/forbidden, depth: all }] }\n";
  }
  bool Apply(const std::string& text) {
    std::vector<policy::Diagnostic> diagnostics;
    return agent_->ApplyCanon(text, "c.yaml", diagnostics).has_value();
  }
  Result<json::Object> Issue(const std::string& rule, const std::string& object = "",
                             std::optional<std::uint64_t> uses = {}) {
    std::optional<Receipts::Refusal> refusal;
    return agent_->Issue({"d", rule, object, "", {}, uses, "uid:0"}, refusal);
  }
  int Live() const {
    int live = 0;
    for (const receipt_slot& slot : kernel_.slots) live += slot.state == SLOT_LIVE;
    return live;
  }
  std::vector<json::Value> Entries(const std::string& kind) const { return BodiesOf(*ledger_, kind); }
  // As the gate does it.
  void Act(std::uint32_t slot, std::uint64_t seq) {
    receipt_slot& receipt = kernel_.slots[slot];
    ++receipt.used;
    domain_state& domain = kernel_.domains[receipt.domain];
    ++domain.act_seq;
    act_record record{};
    record.version = 1;
    record.verdict = VERDICT_ALLOW;
    record.domain = receipt.domain;
    record.seq = seq;
    record.kind = KIND_WRITE;
    record.op = OP_OPEN_WRITE;
    record.slot = slot;
    record.gen = receipt.gen;
    kernel_.rings[receipt.domain]->Produce(&record, sizeof(record));
  }

  std::string dir_;
  FakeClock clock_;
  FakeKernel kernel_;
  FakePep pep_{kernel_};
  FakeUnits units_;
  std::shared_ptr<ledger::MemoryDisk> disk_ = std::make_shared<ledger::MemoryDisk>();
  std::unique_ptr<Signer> signer_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<Agent> agent_;
};

TEST_F(AgentTest, AUnitOfTheCanonIsRememberedNamedAndThenAnnounced) {
  const std::string canon = Canon() + "---\nformat: 1\ntenant: t\ndomain: e\nattach: { unit: e.service }\nmode: enforce\n";
  units_.full = true;  // who cannot be made to wait is not governed in the first place
  const std::uint64_t before = ledger_->head().size;
  EXPECT_FALSE(Apply(canon));
  EXPECT_EQ(ledger_->head().size, before);
  EXPECT_TRUE(kernel_.named.empty());
  units_.full = false;
  EXPECT_TRUE(Apply(canon));
  EXPECT_EQ(units_.remembered, std::set<std::string>{"e.service"});
  EXPECT_EQ(kernel_.named.count("/fake-hierarchy/e.service"), 1u);
  EXPECT_EQ(units_.announced, std::set<std::string>{"e.service"});
  EXPECT_TRUE(Apply(Canon()));
  EXPECT_TRUE(units_.remembered.empty());
  EXPECT_TRUE(kernel_.named.empty());
  EXPECT_TRUE(units_.announced.empty());
}

TEST_F(AgentTest, ANamedUnitHasItsStandingReceiptsBeforeItMayStart) {
  const auto unit = [this](const std::string& attach) {
    return "format: 1\ntenant: t\ndomain: e\n" + attach + "mode: enforce\nstanding:\n  - { id: out, write: [{ dir: " + dir_ + "/granted, depth: all }] }\n";
  };
  ASSERT_TRUE(Apply(unit("")));
  EXPECT_EQ(Live(), 0);  // nobody is in that domain, and nobody can come into it unseen
  int live_when_announced = 0;
  units_.when_announced = [&] { live_when_announced = Live(); };
  ASSERT_TRUE(Apply(unit("attach: { unit: e.service }\n")));
  EXPECT_EQ(units_.announced, std::set<std::string>{"e.service"});
  EXPECT_EQ(live_when_announced, 1);
  const std::uint64_t first = kernel_.slots[1].expires_boot_ns;
  clock_.Advance(60 * kSecond);
  agent_->Tick();
  EXPECT_GT(kernel_.slots[1].expires_boot_ns, first);
  live_when_announced = 0;
  Reboot();
  EXPECT_EQ(live_when_announced, 1);
}

TEST_F(AgentTest, AUnitThatCannotBeNamedIsNotAnnounced) {
  units_.answers = false;
  ASSERT_TRUE(Apply(Canon() + "---\nformat: 1\ntenant: t\ndomain: e\nattach: { unit: e.service }\nmode: enforce\n"));
  EXPECT_EQ(units_.remembered, std::set<std::string>{"e.service"});
  EXPECT_TRUE(units_.announced.empty());
  units_.answers = true;
  clock_.Advance(6 * kSecond);
  agent_->Tick();
  EXPECT_EQ(units_.announced, std::set<std::string>{"e.service"});
  Reboot();
  EXPECT_EQ(kernel_.named.count("/fake-hierarchy/e.service"), 1u);
}

TEST_F(AgentTest, ASlowManagerTakesNothingBackAndIsAskedOnceARound) {
  const auto unit = [](const std::string& name) {
    return "---\nformat: 1\ntenant: t\ndomain: " + name + "\nattach: { unit: " + name + ".service }\nmode: enforce\n";
  };
  ASSERT_TRUE(Apply(Canon() + unit("e") + unit("f")));
  const std::set<std::string> both = {"e.service", "f.service"};
  ASSERT_EQ(units_.announced, both);
  units_.answers = false;
  units_.asked = 0;
  clock_.Advance(6 * kSecond);
  agent_->Tick();
  EXPECT_EQ(units_.asked, 1);
  EXPECT_EQ(units_.announced, both);
  EXPECT_EQ(kernel_.named.size(), 2u);
}

TEST_F(AgentTest, RefusesACanonThatWouldGovernWhatTheHostNeeds) {
  for (const char* attach : {"unit: proofgate.service", "unit: dbus.service", "slice: system.slice",
                             "unit: systemd-journald.service", "cgroup: /sys/fs/cgroup"})
    EXPECT_FALSE(Apply(Canon() + "---\nformat: 1\ntenant: t\ndomain: e\nattach: { " + attach + " }\nmode: enforce\n")) << attach;
}

TEST_F(AgentTest, AChangedProgramIsAnEntryOnceAndShown) {
  agent_->Tick();
  EXPECT_TRUE(Entries("TAMPERED").empty());
  kernel_.parts["program pep_kill"] = "link 1 program 9 tag 9";
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(11 * kSecond);
    agent_->Tick();
  }
  EXPECT_EQ(Entries("TAMPERED").size(), 1u);
  EXPECT_EQ(agent_->Describe()->at("tampered").array().size(), 1u);
  Restart();  // known on this boot already
  clock_.Advance(11 * kSecond);
  agent_->Tick();
  EXPECT_EQ(Entries("TAMPERED").size(), 1u);
  EXPECT_EQ(agent_->Describe()->at("tampered").array().size(), 1u);
  Reboot();
  EXPECT_TRUE(agent_->Describe()->at("tampered").array().empty());
}

TEST_F(AgentTest, AProgramChangedWhileNoDaemonRanIsNoticedAtTheStart) {
  agent_.reset();
  kernel_.parts.erase("program pep_kill");
  Start("boot-1");
  ASSERT_EQ(Entries("TAMPERED").size(), 1u);
}

TEST_F(AgentTest, AReceiptThatNobodyIssuedIsFreedAndAChangedOneRevoked) {
  ASSERT_TRUE(Issue("w"));
  receipt_slot forged = kernel_.slots[1];
  forged.max_uses = 1u << 30;
  kernel_.slots[77] = forged;
  kernel_.slots[1].max_uses = 1u << 30;
  clock_.Advance(11 * kSecond);
  agent_->Tick();
  EXPECT_EQ(Entries("TAMPERED").size(), 2u);
  EXPECT_EQ(kernel_.slots[77].state, SLOT_FREE);
  EXPECT_EQ(kernel_.slots[1].state, SLOT_REVOKED);
  EXPECT_EQ(Live(), 0);
}

TEST_F(AgentTest, SettingsThatNameAnotherDaemonAreSetRight) {
  kernel_.settings_right = false;
  clock_.Advance(11 * kSecond);
  agent_->Tick();
  EXPECT_EQ(Entries("TAMPERED").size(), 1u);
  EXPECT_TRUE(kernel_.settings_right);
}

TEST_F(AgentTest, AReceiptIsLiveOnlyAfterItsEntryIsDurable) {
  ASSERT_TRUE(Issue("w"));
  EXPECT_EQ(Live(), 1);
  EXPECT_EQ(Entries("ISSUE").size(), 1u);
  disk_->next = ledger::Fault::kBeforeLanding;
  EXPECT_FALSE(Issue("w"));
  EXPECT_EQ(Live(), 1);
}

TEST_F(AgentTest, NorWhenTheEntryMayHaveLanded) {
  disk_->next = ledger::Fault::kAfterLanding;
  EXPECT_FALSE(Issue("w"));
  EXPECT_EQ(Live(), 0);
}

TEST_F(AgentTest, ARefusalIsAnEntryToo) {
  for (const auto& [rule, object] : std::vector<std::pair<std::string, std::string>>{
           {"w", dir_ + "/forbidden/x"}, {"w", "/elsewhere"}, {"f", ""}, {"none", ""}})
    EXPECT_FALSE(Issue(rule, object));
  EXPECT_FALSE(Issue("w", "", 101));
  EXPECT_EQ(Entries("REFUSED").size(), 5u);
  EXPECT_EQ(Live(), 0);
}

TEST_F(AgentTest, ARevokedReceiptIsDeadAtOnce) {
  const auto issued = Issue("w");
  ASSERT_TRUE(issued);
  ASSERT_TRUE(agent_->Revoke(issued->at("id").string(), "test"));
  EXPECT_EQ(Live(), 0);
  EXPECT_EQ(Entries("REVOKE").size(), 1u);
  EXPECT_FALSE(agent_->Revoke(issued->at("id").string(), "again"));
}

TEST_F(AgentTest, ARestartTakesUpWhatTheKernelHolds) {
  ASSERT_TRUE(Issue("w", dir_ + "/granted/file"));
  kernel_.slots[1].used = 3;
  const auto grants = kernel_.grants;
  Restart();
  EXPECT_EQ(Live(), 1);
  EXPECT_EQ(kernel_.slots[1].used, 3u);
  EXPECT_EQ(kernel_.grants.size(), grants.size());
  EXPECT_TRUE(Entries("REVOKE").empty());
  const auto second = Issue("w");
  ASSERT_TRUE(second);
  EXPECT_EQ(kernel_.slots[2].state, static_cast<__u32>(SLOT_LIVE)) << "another slot";
}

TEST_F(AgentTest, ARestartGrantsNothingOnAnInodeThatTookTheName) {
  ASSERT_TRUE(Issue("w", dir_ + "/granted/file"));
  agent_.reset();
  std::filesystem::rename(dir_ + "/granted/file", dir_ + "/granted/old");
  std::ofstream(dir_ + "/granted/file") << "another";
  Start("boot-1");
  EXPECT_TRUE(kernel_.grants.empty());
}

TEST_F(AgentTest, ARestartKeepsAGrantOnANameThatAFileHasTakenSince) {
  ASSERT_TRUE(Issue("w", dir_ + "/granted/new"));
  const auto before = kernel_.grants;
  ASSERT_EQ(before.size(), 1u);
  std::ofstream(dir_ + "/granted/new") << "made under the receipt";
  Restart();
  ASSERT_EQ(kernel_.grants.size(), 1u);
  EXPECT_EQ(kernel_.grants.begin()->first, before.begin()->first);
  EXPECT_EQ(kernel_.grants.begin()->second.front().form, static_cast<unsigned>(FORM_NAMED));
  agent_.reset();  // and not in another directory of that name
  std::filesystem::rename(dir_ + "/granted", dir_ + "/old");
  std::filesystem::create_directory(dir_ + "/granted");
  std::ofstream(dir_ + "/granted/new") << "another";
  Start("boot-1");
  EXPECT_TRUE(kernel_.grants.empty());
}

TEST_F(AgentTest, AStandingGrantOfAFileAlsoHoldsForTheNextFileOfThatName) {
  ASSERT_TRUE(Apply("format: 1\ntenant: t\ndomain: s\nattach: { unit: s.service }\nmode: enforce\nstanding:\n"
                    "  - { id: pid, write: [{ file: " + dir_ + "/granted/file }] }\n"));
  const auto forms = [this] {
    std::multiset<unsigned> found;
    for (const auto& [key, grants] : kernel_.grants)
      for (const grant& one : grants) found.insert(one.form);
    return found;
  };
  const std::multiset<unsigned> both = {FORM_FILE, FORM_NAMED};
  EXPECT_EQ(forms(), both);
  EXPECT_STREQ(kernel_.slots[1].name, "file");
  std::filesystem::remove(dir_ + "/granted/file");
  std::ofstream(dir_ + "/granted/file") << "made anew";
  clock_.Advance(50 * kSecond);
  agent_->Tick();
  EXPECT_EQ(forms(), both) << "after its renewal";
  Restart();
  EXPECT_EQ(forms(), both) << "after a restart";
}

TEST_F(AgentTest, ALinkInPlaceOfAGrantedFileGrantsNothingElse) {
  std::ofstream(dir_ + "/victim") << "x";
  Fd victim(open((dir_ + "/victim").c_str(), O_PATH | O_CLOEXEC));
  const auto grants_of_victim = [&] {
    const std::uint64_t object = *pep_.Mark(victim.get());
    return std::count_if(kernel_.grants.begin(), kernel_.grants.end(),
                         [&](const auto& row) { return std::memcmp(row.first.data(), &object, sizeof(object)) == 0; });
  };
  ASSERT_TRUE(Apply("format: 1\ntenant: t\ndomain: d\nattach: { unit: s.service }\nmode: enforce\nstanding:\n"
                    "  - { id: pid, write: [{ file: " + dir_ + "/granted/file }] }\nrules:\n"
                    "  - { id: w, permit: write, in: [{ file: " + dir_ + "/granted/other }], limits: { ttl: \"1h\", uses: 100 } }\n"));
  ASSERT_TRUE(Issue("w", dir_ + "/granted/other")) << "the twin: while it is a file that is not there";
  // What a process with these rights can do.
  std::filesystem::remove(dir_ + "/granted/file");
  for (const char* name : {"/granted/file", "/granted/other"}) std::filesystem::create_symlink(dir_ + "/victim", dir_ + name);
  EXPECT_FALSE(Issue("w"));
  EXPECT_FALSE(Issue("w", dir_ + "/granted/other"));
  EXPECT_FALSE(Issue("w", dir_ + "/victim"));
  clock_.Advance(50 * kSecond);
  agent_->Tick();
  EXPECT_EQ(grants_of_victim(), 0) << "at the renewal";
  Restart();
  EXPECT_EQ(grants_of_victim(), 0) << "at a restart";
  std::filesystem::remove(dir_ + "/granted/file");
  std::ofstream(dir_ + "/granted/file") << "a file again";
  clock_.Advance(50 * kSecond);
  agent_->Tick();
  EXPECT_GE(Live(), 1) << "it is granted as before";
}

TEST_F(AgentTest, EachFileOfAStandingGrantHasAReceiptWhetherOrNotItIsThere) {
  ASSERT_TRUE(Apply("format: 1\ntenant: t\ndomain: s\nattach: { unit: s.service }\nmode: enforce\nstanding:\n"
                    "  - { id: logs, write: [{ file: " + dir_ + "/granted/a }, { file: " + dir_ + "/granted/b }, { class: pipe }] }\n"));
  EXPECT_EQ(Live(), 3);
  Restart();
  EXPECT_EQ(Live(), 3);
  EXPECT_TRUE(Entries("REVOKE").empty());
}

TEST_F(AgentTest, WhatTheLedgerHasAndTheKernelHasNotIsRevokedAtRestart) {
  ASSERT_TRUE(Issue("w"));
  kernel_.slots[1] = receipt_slot{};  // the daemon died between the record and the gate
  Restart();
  EXPECT_EQ(Live(), 0);
  EXPECT_EQ(Entries("REVOKE").size(), 1u);
}

TEST_F(AgentTest, WhatTheKernelHasAndTheLedgerHasNotIsFreedAtRestart) {
  kernel_.slots[77].state = SLOT_LIVE;
  kernel_.slots[77].gen = 1;
  Restart();
  EXPECT_EQ(Live(), 0);
}

TEST_F(AgentTest, AnotherBootLeavesIntervalsNotGuesses) {
  ASSERT_TRUE(Issue("w", "", 10));
  kernel_.slots[1].used = 4;
  ASSERT_TRUE(agent_->Flush());
  kernel_.slots[1].used = 7;  // not settled any more
  Reboot();
  EXPECT_EQ(Live(), 0);
  const auto open = Entries("UNSETTLED");
  ASSERT_EQ(open.size(), 1u);
  EXPECT_EQ(json::GetInteger(open[0], "last_settled").value_or(99), 4u);
  EXPECT_EQ(json::GetInteger(open[0], "granted").value_or(99), 10u);
  EXPECT_EQ(Entries("DENIALS_LOST").size(), 1u);
}

TEST_F(AgentTest, ACleanEndLeavesNoInterval) {
  ASSERT_TRUE(Issue("w"));
  ASSERT_TRUE(agent_->Stop());
  Reboot();
  EXPECT_TRUE(Entries("UNSETTLED").empty());
  EXPECT_TRUE(Entries("DENIALS_LOST").empty());
  EXPECT_EQ(Entries("SETTLED").size(), 1u);
}

TEST_F(AgentTest, AnExpiredReceiptIsSettledForGood) {
  ASSERT_TRUE(Issue("w"));
  kernel_.slots[1].used = 2;
  clock_.Advance(3600 * kSecond);
  agent_->Tick();
  clock_.Advance(2 * kSecond);
  agent_->Tick();
  ASSERT_TRUE(agent_->Flush());
  const auto settled = Entries("SETTLED");
  ASSERT_FALSE(settled.empty());
  EXPECT_EQ(*settled.back().Find("final"), json::Value(true));
  EXPECT_EQ(json::GetInteger(settled.back(), "used").value_or(99), 2u);
  clock_.Advance(120 * kSecond);
  agent_->Tick();
  EXPECT_TRUE(kernel_.grants.empty()) << "buried";
}

TEST_F(AgentTest, ActsAreConsumedOnlyWhenTheyAreCommitted) {
  ASSERT_TRUE(Issue("w"));
  Act(1, 1);
  Act(1, 2);
  ASSERT_TRUE(agent_->Flush());
  EXPECT_EQ(Entries("ACT").size(), 2u);
  EXPECT_EQ(kernel_.rings[1]->consumer, kernel_.rings[1]->producer);
  // Died after the commit and before the ring was told: nothing is repeated.
  agent_.reset();
  kernel_.rings[1]->consumer = 0;
  Start("boot-1");
  Act(1, 3);
  ASSERT_TRUE(agent_->Flush());
  EXPECT_EQ(Entries("ACT").size(), 3u);
}

TEST_F(AgentTest, DenialsAreCountedWithoutRecords) {
  kernel_.domains[1].deny_seq = 5;
  kernel_.domains[1].denials[GATE_NO_RECEIPT] = 5;
  ASSERT_TRUE(agent_->Flush());
  const auto denials = Entries("DENIALS");
  ASSERT_EQ(denials.size(), 1u);
  EXPECT_EQ(json::GetInteger(denials[0], "to_seq").value_or(0), 5u);
  Restart();
  ASSERT_TRUE(agent_->Flush());
  EXPECT_EQ(Entries("DENIALS").size(), 1u) << "not twice";
}

TEST_F(AgentTest, ABrokenCanonChangesNothing) {
  const std::uint64_t size = ledger_->head().size;
  EXPECT_FALSE(Apply(Canon() + "  - { id: w, permit: write }\n"));
  EXPECT_EQ(ledger_->head().size, size);
  EXPECT_TRUE(Issue("w"));
}

TEST_F(AgentTest, ReceiptsFollowTheCanon) {
  ASSERT_TRUE(Issue("w"));
  ASSERT_TRUE(Issue("n"));
  ASSERT_TRUE(Apply(Canon("granted/narrower")));
  EXPECT_EQ(Live(), 1) << "the one for addresses stays";
  EXPECT_EQ(Entries("REVOKE").size(), 1u);
}

TEST_F(AgentTest, TheControlSocketRefusesWhatItDoesNotKnow) {
  const auto code = [this](const std::string& message) {
    const auto answer = json::Parse(Answer(*agent_, message, "uid:0"));
    const json::Value* const error = answer->Find("error");
    return error == nullptr ? 0 : error->Find("code")->integer();
  };
  EXPECT_EQ(code("{}"), -32600);
  EXPECT_EQ(code("not json"), -32700);
  EXPECT_EQ(code(std::string(100'000, '[')), -32700);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"no.such"})"), -32601);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"status","params":{"x":1}})"), -32000);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"receipt.issue","params":{"domain":"d"}})"), -32000);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"receipt.issue","params":{"domain":"d","rule":"w","uses":"many"}})"), -32000);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"status"})"), 0);
  EXPECT_EQ(Live(), 0);
}

TEST_F(AgentTest, ABoundReceiptHasItsRowBeforeItIsLiveAndKeepsItOverARestart) {
  const std::string rule = "  - { id: x, permit: exec, of: [{ file: " + dir_ + "/granted/file }], argv: { prefix: [file, a] }, env: [LD_*, \"MODE=safe\"],"
                           " limits: { ttl: \"1h\", uses: 100 } }\n";
  ASSERT_TRUE(Apply(Canon() + rule));
  ASSERT_TRUE(Issue("w"));
  ASSERT_TRUE(Issue("x"));
  const auto bound = std::find_if(kernel_.slots.begin(), kernel_.slots.end(), [](const receipt_slot& slot) { return slot.kind == KIND_EXEC; });
  ASSERT_NE(bound, kernel_.slots.end());
  EXPECT_EQ(bound->state, SLOT_LIVE);
  EXPECT_EQ(bound->flags, RECEIPT_BOUND);
  ASSERT_NE(bound->binding, 0u);
  const exec_binding& row = kernel_.bindings[bound->binding];
  EXPECT_EQ(row.slot, bound - kernel_.slots.begin());
  EXPECT_EQ(row.gen, bound->gen);
  EXPECT_EQ(row.flags, BIND_ARGV_PREFIX | BIND_ENV);
  EXPECT_EQ(std::string(row.argv, row.argv_bytes), std::string("file\0a\0", 7));
  ASSERT_EQ(row.names, 2u);
  EXPECT_EQ(row.no_env[0].mask[0], 0xffffffu);  // "LD_"
  EXPECT_EQ(row.no_env[0].text[0], 0x5f444cu);
  ASSERT_EQ(row.values, 1u);
  EXPECT_STREQ(row.env[0].text, "MODE=safe");
  Restart();
  EXPECT_EQ(bound->state, SLOT_LIVE);
  EXPECT_TRUE(Entries("TAMPERED").empty());
  // Whoever changes what it binds has revoked it.
  kernel_.bindings[bound->binding].argv[0] = 'F';
  clock_.Advance(6 * kSecond);
  agent_->Tick();
  EXPECT_EQ(bound->state, SLOT_REVOKED);
  EXPECT_EQ(Entries("TAMPERED").size(), 1u);
}

TEST_F(AgentTest, ACanonThatBindsMoreRevokesWhatWasIssuedWithLess) {
  const auto rule = [&](const char* binding) {
    return Canon() + "  - { id: x, permit: exec, of: [{ file: " + dir_ + "/granted/file }], " + binding + "limits: { ttl: \"1h\", uses: 100 } }\n";
  };
  ASSERT_TRUE(Apply(rule("")));
  ASSERT_TRUE(Issue("x"));
  EXPECT_EQ(Live(), 1);
  ASSERT_TRUE(Apply(rule("env: clean, ")));
  EXPECT_EQ(Live(), 0);
  ASSERT_TRUE(Issue("x"));
  EXPECT_EQ(Live(), 1);
  ASSERT_TRUE(Apply(rule("env: clean, ")));
  EXPECT_EQ(Live(), 1);
}

TEST_F(AgentTest, NoMoreBoundReceiptsThanTheGateHasRowsFor) {
  ASSERT_TRUE(Apply(Canon() + "  - { id: x, permit: exec, of: [{ dir: " + dir_ + "/many, depth: all }], env: clean, limits: { ttl: \"1h\", uses: 100 } }\n"));
  std::filesystem::create_directory(dir_ + "/many");
  for (int i = 1; i < MAX_BINDINGS; ++i) {
    const std::string file = dir_ + "/many/" + std::to_string(i);
    std::ofstream(file) << "x";
    ASSERT_TRUE(Issue("x", file)) << i;
  }
  const auto full = Issue("x", dir_ + "/many/1");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::kBusy);
  ASSERT_TRUE(Issue("w"));  // what binds nothing needs none
  ASSERT_TRUE(agent_->Revoke(*json::GetString(Entries("ISSUE").front(), "id"), "x"));
  EXPECT_FALSE(Issue("x", dir_ + "/many/1"));  // an exec may still be comparing with it
  clock_.Advance(3 * kSecond);
  agent_->Tick();
  EXPECT_TRUE(Issue("x", dir_ + "/many/1"));
}

}  // namespace
}  // namespace proofgate::agent
