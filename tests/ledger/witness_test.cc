#include "ledger/witness.h"

#include "tests/ledger/ledger_fixture.h"

namespace proofgate::ledger {
namespace {

class WitnessTest : public LedgerTest {
 protected:
  void SetUp() override {
    LedgerTest::SetUp();
    for (const char* name : {"w1", "w2", "w3"}) {
      signers_.push_back(std::move(*CreateSigner(dir_ + "/" + name, name)));
      keys_.push_back({std::string("witness.example/") + name, 4, signers_.back()->public_key()});
    }
    ASSERT_TRUE(ledger_->Append(Records(5)));
    note_ = *ledger_->Checkpoint();
    text_ = CheckpointText(kOrigin, ledger_->head());
  }
  std::string CosignedBy(std::size_t witness, std::uint64_t time_s = 1'700'000'000) const {
    return Cosign(*signers_[witness], keys_[witness].name, time_s, text_);
  }
  AddCheckpoint Request(std::uint64_t old_size) {
    AddCheckpoint request{old_size, {}, *ledger_->Checkpoint()};
    if (old_size != 0) request.proof = *ledger_->ProveConsistency(old_size, ledger_->head().size);
    return request;
  }

  std::vector<std::unique_ptr<Signer>> signers_;
  std::vector<VerifierKey> keys_;
  std::string note_;
  std::string text_;
};

TEST_F(WitnessTest, ARequestProvesThatTheLogOnlyGrew) {
  const Head old_head = ledger_->head();
  ASSERT_TRUE(ledger_->Append(Records(8)));
  const AddCheckpoint request = Request(5);
  EXPECT_EQ(*VerifyAddCheckpoint(request, old_head, signer_->public_key(), kOrigin), ledger_->head());
  const auto parsed = ParseAddCheckpoint(FormatAddCheckpoint(request));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->proof, request.proof);
  EXPECT_EQ(parsed->checkpoint, request.checkpoint);
  Head other = old_head;
  other.root[0] ^= 1;
  EXPECT_EQ(VerifyAddCheckpoint(request, other, signer_->public_key(), kOrigin).error().code, Code::kDenied);
  other = old_head;
  other.size = 4;
  EXPECT_FALSE(VerifyAddCheckpoint(request, other, signer_->public_key(), kOrigin));
  EXPECT_TRUE(VerifyAddCheckpoint(Request(0), Head{0, EmptyRoot()}, signer_->public_key(), kOrigin));
}

TEST_F(WitnessTest, AnIndependentWitnessAcceptsTheRequestAndWeItsReply) {
  const std::string secret = dir_ + "/witness.pem";
  ASSERT_EQ(Shell("openssl genpkey -algorithm ed25519 -out " + secret).status, 0);
  const Head old_head = ledger_->head();
  ASSERT_TRUE(ledger_->Append(Records(9)));
  const std::string request = Put("request", FormatAddCheckpoint(Request(5)));
  const std::string arguments = " " + Hex(old_head.root) + " " + pem_ + " witness.example/py 1764000000 " + secret;
  const Ran reply = Shell("python3 " TLOG_PY " cosign " + request + " 5" + arguments);
  ASSERT_EQ(reply.status, 0) << reply.out;
  const std::string der = Shell("openssl pkey -in " + secret + " -pubout -outform DER | tail -c 32").out;
  VerifierKey key{"witness.example/py", 4, {}};
  std::copy(der.begin(), der.end(), key.key.bytes.begin());
  const auto cosigned = AddCosignatures(*ledger_->Checkpoint(), reply.out, {key});
  ASSERT_TRUE(cosigned) << cosigned.error().message;
  EXPECT_EQ(VerifyCosignatures(*cosigned, {key})->at(0).time_s, 1'764'000'000u);
  EXPECT_EQ(*VerifyCheckpoint(signer_->public_key(), kOrigin, *cosigned), ledger_->head());
  // Its checks are real: another size, another history.
  EXPECT_EQ(Shell("python3 " TLOG_PY " cosign " + request + " 4" + arguments).status, 1);
  const std::string other = " " + std::string(64, '0') + " " + pem_ + " witness.example/py 1764000000 " + secret;
  EXPECT_EQ(Shell("python3 " TLOG_PY " cosign " + request + " 5" + other).status, 1);
}

TEST_F(WitnessTest, AnIndependentReaderFollowsFromOneHeadToAnother) {
  for (const int more : {1, 2, 5, 250}) {
    const std::string old_note = Put("old", *ledger_->Checkpoint());
    const std::uint64_t old_size = ledger_->head().size;
    ASSERT_TRUE(ledger_->Append(Records(more)));
    const std::string file = FormatAddCheckpoint(Request(old_size));
    const std::string command = "python3 " TLOG_PY " consistency " + old_note + " " + Put("proof", file) + " " + pem_;
    const Ran ran = Shell(command);
    EXPECT_EQ(ran.out, std::to_string(old_size) + " " + std::to_string(ledger_->head().size) + "\n");
    std::string changed = file;
    changed[file.find('\n') + 3] = changed[file.find('\n') + 3] == 'A' ? 'B' : 'A';
    Put("proof", changed);
    EXPECT_EQ(Shell(command).status, 1);
  }
}

TEST_F(WitnessTest, OnlyCosignaturesOfKnownKeysCount) {
  const std::string cosigned = *AddCosignatures(note_, CosignedBy(0) + CosignedBy(1), keys_);
  EXPECT_EQ(VerifyCosignatures(cosigned, keys_)->size(), 2u);
  EXPECT_EQ(VerifyCosignatures(cosigned, {keys_[1], keys_[2]})->size(), 1u);
  EXPECT_EQ(*AddCosignatures(cosigned, CosignedBy(0), keys_), cosigned) << "once is enough";
  EXPECT_EQ(AddCosignatures(note_, CosignedBy(2), {keys_[0]}).error().code, Code::kDenied);
  EXPECT_EQ(AddCosignatures(note_, "", keys_).error().code, Code::kDenied);
  EXPECT_FALSE(AddCosignatures(note_, "409\n", keys_));
  const auto newest = VerifyCosignatures(note_ + CosignedBy(0, 5) + CosignedBy(0, 9) + CosignedBy(0, 7), keys_);
  ASSERT_EQ(newest->size(), 1u);
  EXPECT_EQ(newest->front().time_s, 9u);
}

TEST_F(WitnessTest, ACosignatureOfAnotherHeadIsRefused) {
  const std::string reply = CosignedBy(0);
  ASSERT_TRUE(ledger_->Append(Records(1)));
  EXPECT_EQ(AddCosignatures(*ledger_->Checkpoint(), reply, keys_).error().code, Code::kDenied);
  EXPECT_TRUE(AddCosignatures(note_, reply, keys_));
}

TEST_F(WitnessTest, VerifierKeysAreReadAndWrittenInOneWay) {
  const std::string text = FormatVerifierKey(keys_[0]);
  EXPECT_EQ(*ParseVerifierKey(text), keys_[0]);
  EXPECT_EQ(NoteVerifierKey(signer_->public_key(), kOrigin), FormatVerifierKey({kOrigin, 1, signer_->public_key()}));
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(ParseVerifierKey(changed)) << changed;
  }
}

TEST_F(WitnessTest, AQuorumCountsKeysAndGroups) {
  std::string policy = "# who watches\n";
  for (std::size_t i = 0; i < 3; ++i) policy += "witness w" + std::to_string(i) + " " + FormatVerifierKey(keys_[i]) + "\n";
  policy += "group abroad any w1 w2\ngroup both all w0 abroad\nquorum both\n";
  const auto quorum = Quorum::Parse(policy);
  ASSERT_TRUE(quorum) << quorum.error().message;
  const auto satisfied = [&](const std::vector<std::size_t>& signers) {
    std::string lines;
    for (const std::size_t signer : signers) lines += CosignedBy(signer);
    return quorum->SatisfiedBy(*VerifyCosignatures(note_ + lines, quorum->witnesses()));
  };
  EXPECT_FALSE(satisfied({}));
  EXPECT_FALSE(satisfied({0}));
  EXPECT_FALSE(satisfied({1, 2}));
  EXPECT_FALSE(satisfied({0, 0}));
  EXPECT_TRUE(satisfied({0, 2}));
  EXPECT_TRUE(satisfied({0, 1, 2}));
  EXPECT_TRUE(Quorum::Parse("quorum none\n")->SatisfiedBy({}));
}

TEST_F(WitnessTest, AQuorumThatCannotBeMeantIsRefusedWithItsLine) {
  const std::string w0 = "witness w0 " + FormatVerifierKey(keys_[0]) + "\n";
  const std::string w1 = "witness w1 " + FormatVerifierKey(keys_[1]) + "\n";
  const auto error = [](const std::string& text) {
    const auto quorum = Quorum::Parse(text);
    return quorum ? std::string("accepted") : quorum.error().message;
  };
  EXPECT_EQ(error(w0), "policy: no quorum line");
  EXPECT_EQ(error(w0 + "quorum w1\n").substr(0, 7), "line 2:");
  EXPECT_EQ(error(w0 + w1 + "group g 3 w0 w1\nquorum g\n").substr(0, 7), "line 3:");
  EXPECT_EQ(error(w0 + w1 + "group g 0 w0 w1\nquorum g\n").substr(0, 7), "line 3:");
  EXPECT_EQ(error(w0 + "group g any w0 w0\nquorum g\n").substr(0, 7), "line 2:");
  EXPECT_EQ(error(w0 + "witness again " + FormatVerifierKey(keys_[0]) + "\nquorum w0\n").substr(0, 7), "line 2:");
  EXPECT_EQ(error("witness w0 " + NoteVerifierKey(signer_->public_key(), kOrigin) + "\nquorum w0\n").substr(0, 7), "line 1:");
  EXPECT_EQ(error(w0 + "quorum w0\nquorum w0\n").substr(0, 7), "line 3:");
  EXPECT_EQ(error("log x\n").substr(0, 7), "line 1:");
  EXPECT_EQ(error(w0 + "group none any w0\nquorum none\n").substr(0, 7), "line 2:");
}

}  // namespace
}  // namespace proofgate::ledger
