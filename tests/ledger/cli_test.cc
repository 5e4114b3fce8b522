// The ledger commands as people run them, on a ledger in a directory: no daemon.

#include <algorithm>

#include "ledger/rocks_store.h"
#include "ledger/witness.h"
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

// A client that gets the tiles over HTTP, and one that asks for what it should not.
constexpr const char* kClient = R"(
import os, socket, sys
port, served, secret = int(sys.argv[1]), sys.argv[2], sys.argv[3]
def ask(request):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(request)
        answer = b""
        while chunk := s.recv(1 << 16): answer += chunk
    head, body = answer.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), head, body
slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(10)]
for s in slow: s.sendall(b"GET /check")
files = 0
for at, _, names in os.walk(served):
    for name in names:
        path = os.path.join(at, name)
        if os.path.islink(path): continue
        want = open(path, "rb").read()
        status, head, body = ask(b"GET /" + os.path.relpath(path, served).encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (status, body) == (200, want), path
        assert b"Content-Length: %d" % len(want) in head
        files += 1
status, head, body = ask(b"HEAD /checkpoint HTTP/1.0\r\n\r\n")
assert (status, body) == (200, b"") and b"no-store" in head
for request, status in ((b"POST /checkpoint HTTP/1.1", 405), (b"GET /tile/0/001 HTTP/1.1", 404), (b"GET /../" + secret.encode() + b" HTTP/1.1", 404),
                        (b"GET / HTTP/1.1", 404), (b"GET /tile/7/007 HTTP/1.1", 404), (b"GET /checkpoint HTTP/3", 505), (b"GET checkpoint HTTP/1.1", 400),
                        (b"x" * 5000, 400)):
    got, _, body = ask(request + b"\r\n\r\n")
    assert (got, body) == (status, b""), (request, got)
slow[0].sendall(b"point HTTP/1.1\r\n\r\n")
assert slow[0].recv(100).startswith(b"HTTP/1.1 200")
print(files, "files")
)";

TEST_F(CliTest, TilesAreServedOnLoopbackAndNothingElseIs) {
  const std::string served = dir_ + "/www";
  ASSERT_EQ(Cli("export --tiles " + served).status, 0);
  std::filesystem::create_directories(served + "/tile/7");
  std::filesystem::create_symlink(dir_ + "/key", served + "/tile/7/007");
  const std::string client = Put("client.py", kClient);
  const Ran ran = Shell(PROOFGATE_BIN " ledger serve " + served + " > " + dir_ + "/url & server=$!; "
                        "until [ -s " + dir_ + "/url ]; do kill -0 $server || exit 9; done; "
                        "port=$(sed 's/.*:\\([0-9]*\\).*/\\1/' " + dir_ + "/url); "
                        "timeout 30 python3 " + client + " $port " + served + " key; status=$?; kill $server; exit $status");
  EXPECT_EQ(ran.status, 0) << ran.out;
  EXPECT_NE(ran.out.find("3 files"), std::string::npos) << ran.out;
}

TEST_F(CliTest, TheLedgerLeavesComesBackAndIsVerified) {
  ASSERT_EQ(Cli("export --to " + dir_ + "/out --host-key " + dir_ + "/key").status, 0);
  const Ran imported = Alone("import " + dir_ + "/out --to " + dir_ + "/back");
  EXPECT_EQ(imported.status, 0) << imported.out;
  const Ran verified = Alone("verify --ledger " + dir_ + "/back");
  EXPECT_EQ(verified.status, 0) << verified.out;
  EXPECT_NE(verified.out.find("The ledger is whole: 10 entries, root " + Hex(ledger_->head().root)), std::string::npos);
  EXPECT_EQ(Alone("import " + dir_ + "/out --to " + dir_ + "/back").status, 1) << "nothing is replaced";
  EXPECT_EQ(Cli("export").status, 1);
  EXPECT_EQ(Cli("export --to " + dir_ + "/x --format xml").status, 1);
}

TEST_F(CliTest, VerifyComparesWithAHeadThatSomebodyKept) {
  const std::string kept = Put("kept", *ledger_->Checkpoint());
  ASSERT_TRUE(ledger_->Append(Records(3)));
  ASSERT_TRUE(ledger_->Checkpoint());
  EXPECT_EQ(Cli("verify --since " + kept).status, 0);
  Head other = ledger_->head();
  other.root[0] ^= 1;
  const std::string forged = Put("forged", SignCheckpoint(*signer_, kOrigin, other));
  const Ran ran = Cli("verify --since " + forged);
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.out.find("the ledger does not extend it"), std::string::npos) << ran.out;
}

TEST_F(CliTest, QueryAndStatAnswerWithoutADaemon) {
  const auto of = [this](const std::string& words) { return Shell(PROOFGATE_BIN " ledger " + words + " --ledger " + rocks_); };
  const std::string lines = of("query --kind TEST --limit 3 --json").out;
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 3);
  EXPECT_EQ(of("query --kind NOTHING").out, "");
  EXPECT_EQ(of("query --from yesterday").status, 1);
  EXPECT_NE(of("stat --kinds").out.find("TEST 10 entries"), std::string::npos);
  EXPECT_NE(of("stat --json").out.find("\"size\": 10"), std::string::npos);
}

TEST_F(CliTest, AnArchiveIsWrittenAndPrinted) {
  const auto of = [this](const std::string& words) { return Shell(PROOFGATE_BIN " ledger " + words + " --ledger " + rocks_); };
  const Ran archived = of("archive --below 6 --to " + dir_ + "/a.zst");
  EXPECT_EQ(archived.status, 0) << archived.out;
  EXPECT_EQ(of("read-archive " + dir_ + "/a.zst").out, Shell(PROOFGATE_BIN " ledger query --limit 6 --json --ledger " + rocks_).out);
  EXPECT_EQ(of("archive --below 60 --to " + dir_ + "/b.zst").status, 1);
  EXPECT_EQ(of("archive --below 6 --to " + dir_ + "/c.zst --why x").status, 2) << "--why is for --drop";
}

TEST_F(CliTest, AWitnessWorksByFile) {
  const auto witness = std::move(*CreateSigner(dir_ + "/w", "w"));
  const std::string policy = Put("policy", "witness w " + FormatVerifierKey({"witness.example/w", 4, witness->public_key()}) + "\nquorum w\n");
  const std::string request = Cli("witness-request").out;
  const auto parsed = ParseAddCheckpoint(request);
  ASSERT_TRUE(parsed) << request;
  EXPECT_EQ(parsed->old_size, 0u);
  const std::string reply = Put("reply", Cosign(*witness, "witness.example/w", 1'764'000'000, CheckpointText(kOrigin, ledger_->head())));
  const std::string checkpoint = Put("checkpoint", parsed->checkpoint);
  const Ran cosigned = Alone("add-cosignatures " + checkpoint + " " + reply + " --policy " + policy);
  EXPECT_EQ(cosigned.status, 0);
  EXPECT_NE(cosigned.out.find("the quorum is reached"), std::string::npos) << cosigned.out;
  const std::string wrong = Put("wrong", Cosign(*signer_, "witness.example/w", 1'764'000'000, CheckpointText(kOrigin, ledger_->head())));
  EXPECT_EQ(Alone("add-cosignatures " + checkpoint + " " + wrong + " --policy " + policy).status, 1);
  // A proof of an entry carries them.
  const std::string note = Shell(PROOFGATE_BIN " ledger add-cosignatures " + checkpoint + " " + reply + " --policy " + policy + " --key " + key_ + " 2>/dev/null").out;
  const Ran proof = Cli("prove 4 --checkpoint " + Put("cosigned", note));
  EXPECT_NE(proof.out.find("\xe2\x80\x94 witness.example/w "), std::string::npos);
  EXPECT_EQ(Shell("bash " VERIFY_SCRIPT " " + Put("proof", proof.out) + " " + pem_).status, 0);
}

TEST_F(CliTest, ARestoredBackupIsRefusedUntilAnOperatorChooses) {
  ASSERT_TRUE(ledger_->Backup(dir_ + "/backup"));
  ASSERT_TRUE(ledger_->Append(Records(4)));
  ASSERT_TRUE(ledger_->Checkpoint());
  ledger_.reset();
  EXPECT_EQ(Cli("restore " + dir_ + "/backup").status, 1) << "a store is never replaced";
  std::filesystem::rename(StorePath(rocks_), rocks_ + "/evidence");
  const Ran restored = Cli("restore " + dir_ + "/backup");
  EXPECT_EQ(restored.status, 0) << restored.out;
  const auto open = [this] { return Ledger::Open(rocks_, std::move(*OpenRocksStore(StorePath(rocks_), StoreAccess::kWrite)), *signer_, clock_); };
  EXPECT_FALSE(open());
  EXPECT_EQ(Cli("verify").status, 1) << "and verify says so";
  const Ran chosen = Shell(PROOFGATE_BIN " ledger continue --origin host.example/second --why test --host-key " + dir_ + "/key --ledger " + rocks_);
  EXPECT_EQ(chosen.status, 0) << chosen.out;
  EXPECT_TRUE(open());
  EXPECT_EQ(Cli("verify").status, 0);
}

TEST_F(CliTest, TheHostKeyIsRotated) {
  ledger_.reset();
  const std::string key = dir_ + "/key";
  const std::string old_public = Shell("ssh-keygen -y -f " + key).out;
  const std::string old_key = Put("old.pub", old_public);
  const Ran rotated = Shell(PROOFGATE_BIN " ledger rotate-key --why yearly --host-key " + key + " --ledger " + rocks_);
  EXPECT_EQ(rotated.status, 0) << rotated.out;
  EXPECT_NE(Shell("ssh-keygen -y -f " + key).out, old_public);
  EXPECT_EQ(Shell(PROOFGATE_BIN " ledger verify --ledger " + rocks_ + " --key " + key + ".pub").status, 0);
  EXPECT_EQ(Shell(PROOFGATE_BIN " ledger verify --ledger " + rocks_ + " --key " + old_key).status, 1) << "the anchor is not by the old key any more";
}

}  // namespace
}  // namespace proofgate::ledger
