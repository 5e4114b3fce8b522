#include "ledger/entry_proof.h"

#include <algorithm>

#include "tests/ledger/ledger_fixture.h"

namespace proofgate::ledger {
namespace {

class EntryProofTest : public LedgerTest {
 protected:
  std::string Prove(std::uint64_t index) {
    const std::string note = *ledger_->Checkpoint();
    const auto proof = MakeEntryProof(index, *ledger_->Entry(index), ledger_->head(), note, Nodes());
    EXPECT_TRUE(proof) << proof.error().message;
    return FormatEntryProof(*proof);
  }
  bool Accepts(std::string_view file) const {
    const auto proof = ParseEntryProof(file);
    return proof && VerifyEntryProof(*proof, signer_->public_key(), kOrigin).has_value();
  }
  Ran Script(const std::string& file) const {
    return Shell("bash " VERIFY_SCRIPT " " + Put("proof", file) + " " + pem_);
  }
};

TEST_F(EntryProofTest, EveryEntryIsProvedAndReadBack) {
  ASSERT_TRUE(ledger_->Append(Records(21)));
  for (std::uint64_t index = 0; index < 21; ++index) {
    const std::string file = Prove(index);
    EXPECT_TRUE(Accepts(file)) << index;
    const auto proof = ParseEntryProof(file);
    EXPECT_EQ(proof->leaf, *ledger_->Entry(index));
    EXPECT_EQ(FormatEntryProof(*proof), file);
  }
}

TEST_F(EntryProofTest, IsRefusedWithAnyBitChanged) {
  ASSERT_TRUE(ledger_->Append(Records(5)));
  const std::string file = Prove(3);
  for (std::size_t at = 0; at < file.size(); ++at)
    for (const int bit : {0, 5}) {
      std::string changed = file;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      EXPECT_FALSE(Accepts(changed)) << "byte " << at << " of\n" << file;
    }
  for (std::size_t length = 0; length < file.size(); ++length) EXPECT_FALSE(Accepts(file.substr(0, length)));
  EXPECT_FALSE(Accepts(file + "x"));
  EXPECT_TRUE(Accepts(file));
}

TEST_F(EntryProofTest, IsRefusedUnderAnotherKeyOrOrigin) {
  ASSERT_TRUE(ledger_->Append(Records(5)));
  const auto proof = ParseEntryProof(Prove(3));
  const auto other = CreateSigner(dir_ + "/other", "other");
  EXPECT_FALSE(VerifyEntryProof(*proof, (*other)->public_key(), kOrigin));
  EXPECT_FALSE(VerifyEntryProof(*proof, signer_->public_key(), "other.example/x"));
  EXPECT_TRUE(VerifyEntryProof(*proof, signer_->public_key(), kOrigin));
}

TEST_F(EntryProofTest, TheShellScriptAgrees) {
  ASSERT_TRUE(ledger_->Append(Records(1)));
  EXPECT_EQ(Script(Prove(0)).status, 0) << "a tree of one entry has an empty path";
  ASSERT_TRUE(ledger_->Append(Records(12)));
  for (const std::uint64_t index : {0u, 7u, 12u}) {
    const Ran ran = Script(Prove(index));
    EXPECT_EQ(ran.status, 0) << ran.out;
    EXPECT_NE(ran.out.find("proved: entry " + std::to_string(index) + " of " + kOrigin), std::string::npos);
    EXPECT_NE(ran.out.find(*ledger_->Entry(index)), std::string::npos);
  }
}

TEST_F(EntryProofTest, TheShellScriptRefusesOneChangedByteInEachLine) {
  ASSERT_TRUE(ledger_->Append(Records(6)));
  const std::string file = Prove(4);
  std::size_t start = 0;
  int lines = 0;
  while (start < file.size()) {
    const std::size_t end = file.find('\n', start);
    std::string changed = file;
    changed[start + (end - start) / 2] = static_cast<char>(changed[start + (end - start) / 2] ^ 1);
    const Ran ran = Script(changed);
    EXPECT_EQ(ran.status, 1) << changed;
    EXPECT_NE(ran.out.find("NOT PROVED"), std::string::npos) << ran.out;
    start = end + 1;
    ++lines;
  }
  EXPECT_EQ(lines, 11);  // first, extra, index, two hashes, empty, origin, size, root, empty, signature
  EXPECT_EQ(Script(file.substr(0, file.size() - 30)).status, 1);
  EXPECT_NE(Shell("bash " VERIFY_SCRIPT " " + Put("proof", file) + " " + pem_ + " other.example/x").status, 0);
}

TEST_F(EntryProofTest, TheShellScriptIsShort) {
  const std::string script = *ReadFile(VERIFY_SCRIPT, 1 << 16);
  EXPECT_LE(std::count(script.begin(), script.end(), '\n'), 60);
}

TEST(EntryProof, RefusesWhatIsNotWrittenInTheOneWay) {
  const std::string hash = Base64(std::string(32, 'h')) + "\n";
  const std::string start = "c2sp.org/tlog-proof@v1\nextra YQ==\n";
  EXPECT_TRUE(ParseEntryProof(start + "index 0\n" + hash + "\nnote"));
  EXPECT_FALSE(ParseEntryProof(start + "index 00\n" + hash + "\nnote"));
  EXPECT_FALSE(ParseEntryProof(start + "index 18446744073709551616\n" + hash + "\nnote"));
  EXPECT_FALSE(ParseEntryProof(start + "index 0\n" + hash + "note"));
  EXPECT_FALSE(ParseEntryProof("c2sp.org/tlog-proof@v1\nindex 0\n" + hash + "\nnote"));
  std::string many;
  for (int i = 0; i < 64; ++i) many += hash;
  EXPECT_FALSE(ParseEntryProof(start + "index 0\n" + many + "\nnote"));
  EXPECT_FALSE(ParseEntryProof(std::string(kMaxProofBytes + 1, 'x')));
}

}  // namespace
}  // namespace proofgate::ledger
