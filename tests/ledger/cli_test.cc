// The ledger commands as people run them, on a ledger in a directory: no daemon.

#include "ledger/rocks_store.h"
#include "tests/ledger/ledger_fixture.h"

namespace proofgate::ledger {
namespace {

class CliTest : public LedgerTest {
 protected:
  void SetUp() override {
    LedgerTest::SetUp();
    rocks_ = dir_ + "/rocks";
    std::filesystem::create_directory(rocks_);
    auto ledger = Ledger::Create(rocks_, kOrigin, std::move(*OpenRocksStore(StorePath(rocks_), StoreAccess::kCreate)), *signer_, clock_);
    ASSERT_TRUE(ledger) << ledger.error().message;
    ledger_ = std::move(*ledger);
    key_ = Put("key.pub", signer_->public_key().OpenSsh() + "\n");
    ASSERT_TRUE(ledger_->Append(Records(10)));
    ASSERT_TRUE(ledger_->Checkpoint());
  }
  // `proofgate ledger …` on that ledger.
  Ran Cli(const std::string& words) const { return Shell(PROOFGATE_BIN " ledger " + words + " --key " + key_ + " --ledger " + rocks_); }
  // Without access to a ledger.
  Ran Alone(const std::string& words) const { return Shell(PROOFGATE_BIN " ledger " + words + " --key " + key_); }
  std::string rocks_;
  std::string key_;
};

TEST_F(CliTest, AProofIsWrittenAndVerifiedWithoutTheLedger) {
  const Ran proof = Cli("prove 7");
  ASSERT_EQ(proof.status, 0) << proof.out;
  const std::string file = Put("proof", proof.out);
  const Ran verified = Alone("verify-proof " + file);
  EXPECT_EQ(verified.status, 0);
  EXPECT_NE(verified.out.find("proved: entry 7 of host.example/proofgate, in the signed head of 10 entries"), std::string::npos) << verified.out;
  EXPECT_NE(Alone("verify-proof " + file + " --json").out.find("\"proved\": true"), std::string::npos);
  EXPECT_EQ(Shell("bash " VERIFY_SCRIPT " " + file + " " + pem_).status, 0);
  std::string changed = proof.out;
  changed[changed.find("extra ") + 20] ^= 1;
  EXPECT_EQ(Alone("verify-proof " + Put("changed", changed)).status, 1);
  const std::string other = Put("other.pub", (*CreateSigner(dir_ + "/other", "x"))->public_key().OpenSsh());
  EXPECT_EQ(Shell(PROOFGATE_BIN " ledger verify-proof " + file + " --key " + other).status, 1);
}

TEST_F(CliTest, AVerifierKeyPinsTheOriginToo) {
  const std::string file = Put("proof", Cli("prove 3").out);
  const auto with = [&](const std::string& origin) {
    return Shell(PROOFGATE_BIN " ledger verify-proof " + file + " --key " + Put("vkey", NoteVerifierKey(signer_->public_key(), origin) + "\n"));
  };
  EXPECT_EQ(with(kOrigin).status, 0);
  EXPECT_EQ(with("other.example/x").status, 1);
}

TEST_F(CliTest, AnEntryBeyondTheSignedHeadIsNotProved) {
  ASSERT_TRUE(ledger_->Append(Records(1)));
  const Ran ran = Cli("prove 10");
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.out.find("the newest signed head has 10 entries"), std::string::npos) << ran.out;
  EXPECT_EQ(Cli("prove 9").status, 0);
  EXPECT_EQ(Cli("prove").status, 2);
}

TEST_F(CliTest, AHeadThatSomebodyKeptIsProvedToBeExtended) {
  const std::string kept = Put("kept", *ledger_->Checkpoint());
  ASSERT_TRUE(ledger_->Append(Records(7)));
  ASSERT_TRUE(ledger_->Checkpoint());
  const Ran proof = Cli("consistency " + kept);
  ASSERT_EQ(proof.status, 0) << proof.out;
  const std::string file = Put("consistency", proof.out);
  EXPECT_EQ(Alone("verify-consistency " + kept + " " + file).status, 0);
  EXPECT_EQ(Shell("python3 " TLOG_PY " consistency " + kept + " " + file + " " + pem_).out, "10 17\n");
  const std::string newest = Put("newest", *ledger_->Checkpoint());
  EXPECT_EQ(Alone("verify-consistency " + newest + " " + file).status, 1);
  EXPECT_EQ(Cli("consistency " + newest + " " + kept).status, 1) << "the other way round";
}

TEST_F(CliTest, TilesAreExportedForStrangers) {
  const Ran ran = Cli("export --tiles " + dir_ + "/www --json");
  EXPECT_EQ(ran.status, 0) << ran.out;
  EXPECT_EQ(Shell("python3 " TLOG_PY " tiles " + dir_ + "/www " + pem_ + " " + kOrigin).out,
            "10 " + Hex(ledger_->head().root) + "\n");
}

}  // namespace
}  // namespace proofgate::ledger
