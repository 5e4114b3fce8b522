#include "ledger/ballast.h"

#include "tests/ledger/ledger_fixture.h"

namespace proofgate::ledger {
namespace {

constexpr std::uint64_t kBytes = 1 << 20;

class BallastTest : public LedgerTest {
 protected:
  FreeSpace Disk() {
    return [this](const std::string&) -> Result<std::uint64_t> {
      if (broken_) return Fail(Code::kIo, "disk: no answer");
      return free_;
    };
  }
  bool Held() const { return std::filesystem::exists(dir_ + "/ballast"); }
  Result<Position> Authorise() { return ledger_->Append({{"ISSUE", {{"id", "x"}}, "", Authority::kGives}}); }
  std::uint64_t free_ = 10 * kBytes;
  bool broken_ = false;
};

TEST_F(BallastTest, AFullDiskRefusesNewAuthorityAndStillRecordsWhatWasDone) {
  ASSERT_TRUE(ledger_->KeepBallast(kBytes, Disk()));
  EXPECT_TRUE(Held());
  EXPECT_EQ(std::filesystem::file_size(dir_ + "/ballast"), kBytes);
  EXPECT_TRUE(Authorise());
  free_ = kBytes / 8;
  const auto refused = Authorise();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kBusy);
  EXPECT_NE(refused.error().message.find("DISK_FULL"), std::string::npos);
  EXPECT_FALSE(Held()) << "its space is there for what must be written";
  EXPECT_TRUE(ledger_->is_disk_full());
  EXPECT_TRUE(ledger_->Append({{"DENIALS", {{"n", 1}}}, {"SETTLED", {{"n", 2}}}}));
  EXPECT_TRUE(ledger_->Checkpoint());
  ExpectSound(3);
}

TEST_F(BallastTest, WithRoomAgainAllGoesOnWithoutARestart) {
  free_ = kBytes / 8;
  ASSERT_TRUE(ledger_->KeepBallast(kBytes, Disk())) << "a full disk does not stop the start";
  EXPECT_FALSE(Held());
  EXPECT_FALSE(Authorise());
  free_ = kBytes + kBytes / 2;
  EXPECT_FALSE(Authorise()) << "not enough to keep some back";
  free_ = 3 * kBytes;
  EXPECT_TRUE(Authorise());
  EXPECT_TRUE(Held());
  EXPECT_FALSE(ledger_->is_disk_full());
}

TEST_F(BallastTest, ADiskThatDoesNotAnswerCountsAsFull) {
  ASSERT_TRUE(ledger_->KeepBallast(kBytes, Disk()));
  broken_ = true;
  EXPECT_FALSE(Authorise());
  EXPECT_TRUE(ledger_->Append(Records(1)));
  broken_ = false;
  EXPECT_TRUE(Authorise());
}

TEST_F(BallastTest, ARefusalTakesNothingElseOfItsGroupAlong) {
  ASSERT_TRUE(ledger_->KeepBallast(kBytes, Disk()));
  free_ = 0;
  EXPECT_FALSE(ledger_->Append({{"SETTLED", {}}, {"RENEW", {}, "", Authority::kGives}}, {{"slot/1", "x"}}));
  EXPECT_EQ(ledger_->head().size, 0u) << "all or none";
  EXPECT_FALSE((*ledger_->ReadMeta("slot/1")).has_value());
}

TEST(FreeBytes, AsksTheFileSystem) {
  EXPECT_GT(*FreeBytes("/"), 0u);
  EXPECT_FALSE(FreeBytes("/no/such/place"));
}

}  // namespace
}  // namespace proofgate::ledger
