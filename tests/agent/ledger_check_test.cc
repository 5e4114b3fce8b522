#include "agent/ledger_check.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/clock.h"
#include "ledger/latency.h"
#include "ledger/retention.h"
#include "tests/fake/memory_store.h"

namespace proofgate::agent {
namespace {

class LedgerCheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "check.XXXXXX";
    dir_ = mkdtemp(pattern.data());
    signer_ = std::move(*CreateSigner(dir_ + "/key", "host"));
    ledger_ = std::move(*ledger::Ledger::Create(dir_, "host.example/log", std::make_unique<ledger::MemoryStore>(disk_), *signer_, clock_));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(ledger_->Append({4000, ledger::Record{"TEST", {}}}));
    ASSERT_TRUE(ledger_->Checkpoint());
  }
  void TearDown() override {
    ledger_.reset();
    std::filesystem::remove_all(dir_);
  }
  std::uint64_t Rounds(const LedgerCheck& check) const { return static_cast<std::uint64_t>(check.Describe().at("rounds").integer()); }
  void AwaitRound(const LedgerCheck& check, std::uint64_t round) const {
    while (Rounds(check) < round) std::this_thread::yield();
  }
  std::vector<json::Value> Checked() const {
    std::vector<json::Value> bodies;
    EXPECT_TRUE(ledger_->Append({}));  // after what is under way
    for (std::uint64_t index = 12'000; index < ledger_->head().size; ++index) {
      const auto leaf = json::Parse(*ledger_->Entry(index));
      if (*json::GetString(*leaf, "kind") == "CHECKED") bodies.push_back(*leaf->Find("body"));
    }
    return bodies;
  }

  std::string dir_;
  SystemClock clock_;
  std::shared_ptr<ledger::MemoryDisk> disk_ = std::make_shared<ledger::MemoryDisk>();
  std::unique_ptr<Signer> signer_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

TEST_F(LedgerCheckTest, GoesRoundByItselfAndEachRoundIsAnEntry) {
  LedgerCheck check(*ledger_, signer_->public_key(), {10'000'000, 1'000'000});
  AwaitRound(check, 1);
  // A round may begin before the entry of the one before is committed.
  while (*json::GetInteger(check.Describe().at("last"), "size") == 12'000u) std::this_thread::yield();
  const auto checked = Checked();
  ASSERT_GE(checked.size(), 2u);
  EXPECT_EQ(*json::GetInteger(checked[0], "size"), 12'000u);
  EXPECT_TRUE(checked[0].Find("findings")->array().empty());
}

TEST_F(LedgerCheckTest, KeepsItsPaceUntilItIsHurried) {
  // The first step would take more than an hour.
  LedgerCheck check(*ledger_, signer_->public_key(), {1, 1});
  json::Object seen;
  for (; !seen.contains("done") || seen.at("done").integer() == 0; std::this_thread::yield()) seen = check.Describe();
  EXPECT_EQ(seen.at("done").integer(), 4096);
  EXPECT_EQ(seen.at("size").integer(), 12'000);
  EXPECT_EQ(Rounds(check), 0u);
  check.Hurry();
  AwaitRound(check, 1);
  EXPECT_EQ(*json::GetInteger(check.Describe().at("last"), "size"), 12'000u);
}

TEST_F(LedgerCheckTest, BeginsAtOnceWhenHurriedAndNamesWhatIsWrong) {
  LedgerCheck check(*ledger_, signer_->public_key(), {1, 3600ull * 1'000'000'000});
  check.Hurry();
  AwaitRound(check, 1);
  EXPECT_TRUE(check.Describe().at("last").Find("findings")->array().empty());
  {
    const std::lock_guard lock(disk_->mutex);
    disk_->entries[777][9] ^= 1;
  }
  check.Hurry();
  AwaitRound(check, 2);
  const json::Value last(check.Describe().at("last"));
  ASSERT_FALSE(last.Find("findings")->array().empty());
  EXPECT_NE(last.Find("findings")->array()[0].string().find("entry 777"), std::string::npos);
  EXPECT_EQ(Checked().size(), 2u);
}

TEST_F(LedgerCheckTest, WhatRetentionDropsMeanwhileIsNoFinding) {
  LedgerCheck check(*ledger_, signer_->public_key(), {1, 1});
  json::Object seen;
  for (; !seen.contains("done") || seen.at("done").integer() == 0; std::this_thread::yield()) seen = check.Describe();
  ASSERT_TRUE(ledger::DropBelow(*ledger_, {9'000, "age", "uid:0", ""}, UINT64_MAX));
  check.Hurry();
  AwaitRound(check, 1);
  EXPECT_TRUE(check.Describe().at("last").Find("findings")->array().empty());
  EXPECT_GT(*json::GetInteger(check.Describe().at("last"), "size"), 12'000u) << "it began again";
}

TEST(CheckPace, IsReadStrictly) {
  const auto pace = ParseCheckPace("# slow\npace 500\nevery 12h\n");
  ASSERT_TRUE(pace);
  EXPECT_EQ(pace->entries_a_second, 500u);
  EXPECT_EQ(pace->every_ns, 12ull * 3600 * 1'000'000'000);
  EXPECT_EQ(ParseCheckPace("")->entries_a_second, 20'000u);
  for (const char* const wrong : {"pace 0\n", "pace\n", "pace 5 \n", "pace 99999999999\n", "every 25h\n", "every\n", "pace 1\npace 2\n", "speed 4\n", " pace 4\n"}) {
    const auto parsed = ParseCheckPace(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_NE(parsed.error().message.find("line "), std::string::npos);
  }
}

TEST(Latency, PercentilesAreWithinAnEighth) {
  ledger::Latency latency;
  EXPECT_EQ(latency.PermilleUs(500), 0u);
  for (std::uint64_t us = 1; us <= 10'000; ++us) latency.Add(us);
  for (const std::uint64_t permille : {1u, 10u, 500u, 900u, 990u, 999u, 1000u}) {
    const std::uint64_t exact = permille * 10;
    EXPECT_GE(latency.PermilleUs(permille), exact);
    EXPECT_LE(latency.PermilleUs(permille), exact + exact / 8 + 1);
  }
  EXPECT_EQ(latency.max_us(), 10'000u);
  latency.Add(UINT64_MAX);
  EXPECT_EQ(latency.PermilleUs(1000), UINT64_MAX);
}

}  // namespace
}  // namespace proofgate::agent
