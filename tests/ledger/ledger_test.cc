#include "ledger/ledger.h"

#include <bit>
#include <filesystem>
#include <thread>

#include "ledger/rocks_store.h"
#include "tests/ledger/ledger_fixture.h"

namespace proofgate::ledger {
namespace {

TEST_F(LedgerTest, ReturnsPositionsInOrder) {
  EXPECT_EQ(ledger_->Append(Records(2))->first, 0u);
  const auto position = ledger_->Append(Records(3));
  ASSERT_TRUE(position);
  EXPECT_EQ(position->first, 2u);
  EXPECT_EQ(position->size_after, 5u);
  ExpectSound(5);
}

TEST_F(LedgerTest, KeepsMetaWithItsBatch) {
  ASSERT_TRUE(ledger_->Append(Records(1), {{"ring/1", "77"}}));
  ASSERT_TRUE(Reopen());
  EXPECT_EQ(**ledger_->ReadMeta("ring/1"), "77");
  EXPECT_FALSE((*ledger_->ReadMeta("ring/2")).has_value());
  EXPECT_EQ(*ledger_->ScanMeta("ring/"), (Meta{{"1", "77"}}));
  ASSERT_TRUE(ledger_->Append(Records(1), {{"ring/1", ""}}));
  EXPECT_TRUE(ledger_->ScanMeta("ring/")->empty());
}

TEST_F(LedgerTest, KeepsTheIndexOfARecordWithItsBatch) {
  ASSERT_TRUE(ledger_->Append(Records(2)));
  auto records = Records(1);
  records.push_back({"TEST", {{"n", 9}}, "last"});
  ASSERT_TRUE(ledger_->Append(std::move(records)));
  ASSERT_TRUE(Reopen());
  EXPECT_EQ(**ledger_->ReadMeta("last"), "3");
}

TEST_F(LedgerTest, RefusesARecordThatIsTooLargeAndWritesNothingOfItsCall) {
  auto records = Records(1);
  records.push_back({"TEST", {{"text", std::string(kMaxLeafBytes, 'x')}}});
  EXPECT_EQ(ledger_->Append(std::move(records)).error().code, Code::kInvalid);
  ASSERT_TRUE(ledger_->Append(Records(1)));
  ExpectSound(1);
}

TEST_F(LedgerTest, RefusesToGoOnAfterAFailedCommit) {
  ASSERT_TRUE(ledger_->Append(Records(3)));
  for (const Fault fault : {Fault::kBeforeLanding, Fault::kAfterLanding}) {
    const std::uint64_t before = disk_->entries.size();
    disk_->next = fault;
    EXPECT_FALSE(ledger_->Append(Records(2)));
    disk_->next = Fault::kNone;
    const int commits = disk_->commits;
    EXPECT_FALSE(ledger_->Append(Records(1)));
    EXPECT_FALSE(ledger_->Checkpoint());
    EXPECT_EQ(disk_->commits, commits) << "nothing may be written after a doubtful commit";
    ASSERT_TRUE(Reopen());
    EXPECT_EQ(ledger_->head().size, fault == Fault::kAfterLanding ? before + 2 : before);
    ASSERT_TRUE(ledger_->Append(Records(1)));
    ExpectSound(disk_->entries.size());
  }
}

TEST_F(LedgerTest, RefusesAStoreOlderThanItsAnchor) {
  ASSERT_TRUE(ledger_->Append(Records(3)));
  auto older = std::make_shared<MemoryDisk>();
  older->entries = disk_->entries;
  older->nodes = disk_->nodes;
  older->meta = disk_->meta;
  older->head = disk_->head;
  ASSERT_TRUE(ledger_->Append(Records(2)));
  ASSERT_TRUE(ledger_->Checkpoint());
  ledger_.reset();
  const auto reopened =
      Ledger::Open(dir_, std::make_unique<MemoryStore>(older), *signer_, clock_);
  ASSERT_FALSE(reopened);
  EXPECT_EQ(reopened.error().code, Code::kCorrupt);
  EXPECT_NE(reopened.error().message.find("REFUSED_ROLLBACK"), std::string::npos);
}

TEST_F(LedgerTest, AStartReadsTheFrontierAndNotTheEntries) {
  for (const int more : {100, 4'000, 12'000}) {
    for (int left = more; left > 0; left -= 4'000) ASSERT_TRUE(ledger_->Append(Records(std::min(left, 4'000))));
    ASSERT_TRUE(ledger_->Checkpoint());
    const auto size = static_cast<unsigned>(ledger_->head().size);
    disk_->reads = 0;
    ASSERT_TRUE(Reopen());
    EXPECT_LE(disk_->reads, 2u * static_cast<unsigned>(std::bit_width(size))) << size << " entries";
  }
}

TEST_F(LedgerTest, RefusesAnotherHistoryOfTheSameLength) {
  ASSERT_TRUE(ledger_->Append(Records(3)));
  ASSERT_TRUE(ledger_->Checkpoint());
  const std::string anchor = *ReadFile(AnchorPath(dir_), 4096);
  ledger_.reset();
  auto other = std::make_shared<MemoryDisk>();
  {
    auto ledger = Ledger::Create(dir_, kOrigin, std::make_unique<MemoryStore>(other), *signer_, clock_);
    ASSERT_TRUE((*ledger)->Append({{"OTHER", {}}, {"OTHER", {}}, {"OTHER", {}}}));
  }
  ASSERT_TRUE(WriteFileDurably(AnchorPath(dir_), anchor, 0644));
  EXPECT_FALSE(Ledger::Open(dir_, std::make_unique<MemoryStore>(other), *signer_, clock_));
}

TEST_F(LedgerTest, ManyWritersShareCommitsAndLoseNothing) {
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i)
    writers.emplace_back([this] {
      for (int n = 0; n < 50; ++n) ASSERT_TRUE(ledger_->Append(Records(2)));
    });
  for (std::thread& writer : writers) writer.join();
  ExpectSound(800);
  EXPECT_LE(disk_->commits, 401);
}

TEST_F(LedgerTest, FsckNamesEachKindOfTampering) {
  ASSERT_TRUE(ledger_->Append(Records(7)));
  ASSERT_TRUE(ledger_->Checkpoint());
  ExpectSound(7);
  const auto first_finding = [this] {
    const auto findings = Check().findings;
    return findings.empty() ? std::string() : findings.front();
  };
  const std::string original = disk_->entries[3];
  for (std::size_t i = 0; i < original.size(); ++i) {
    disk_->entries[3][i] = static_cast<char>(disk_->entries[3][i] ^ 1);
    EXPECT_EQ(first_finding().substr(0, 8), "entry 3:") << i;
    disk_->entries[3] = original;
  }
  std::swap(disk_->entries[1], disk_->entries[2]);
  EXPECT_EQ(first_finding().substr(0, 8), "entry 1:");
  std::swap(disk_->entries[1], disk_->entries[2]);
  disk_->nodes[{1, 0}][0] ^= 1;
  EXPECT_NE(first_finding().find("node 1/0"), std::string::npos);
  disk_->nodes[{1, 0}][0] ^= 1;
  disk_->head.root[5] ^= 1;
  EXPECT_EQ(first_finding().substr(0, 5), "head:");
  disk_->head.root[5] ^= 1;
  ASSERT_TRUE(WriteFileDurably(AnchorPath(dir_), "no checkpoint\n", 0644));
  EXPECT_EQ(first_finding().substr(0, 7), "anchor:");
}

TEST_F(LedgerTest, ACheckpointIsTheCommittedHead) {
  ASSERT_TRUE(ledger_->Append(Records(5)));
  const std::string note = *ledger_->Checkpoint();
  EXPECT_EQ(*VerifyCheckpoint(signer_->public_key(), kOrigin, note), ledger_->head());
  EXPECT_FALSE(VerifyCheckpoint(signer_->public_key(), "other.example/x", note));
  const Proof proof = *ledger_->ProveInclusion(4, 5);
  EXPECT_TRUE(VerifyInclusion(4, 5, LeafHash(*ledger_->Entry(4)), proof, ledger_->head().root));
}

class RocksTest : public LedgerTest {};

TEST_F(RocksTest, SurvivesReopeningAndServesReadersBesideTheWriter) {
  const std::string dir = dir_ + "/rocks";
  std::filesystem::create_directory(dir);
  {
    auto store = OpenRocksStore(StorePath(dir), StoreAccess::kCreate);
    ASSERT_TRUE(store) << store.error().message;
    auto ledger = Ledger::Create(dir, kOrigin, std::move(*store), *signer_, clock_);
    ASSERT_TRUE(ledger) << ledger.error().message;
    ASSERT_TRUE((*ledger)->Append(Records(100), {{"k", "v"}}));
    const auto reader = OpenReadOnly(dir);
    ASSERT_TRUE(reader) << reader.error().message;
    EXPECT_EQ(reader->origin, kOrigin);
    EXPECT_EQ(reader->head.size, 100u);
    EXPECT_EQ(*reader->store->ReadEntry(99), *(*ledger)->Entry(99));
    EXPECT_FALSE(OpenRocksStore(StorePath(dir), StoreAccess::kCreate));
  }
  auto store = OpenRocksStore(StorePath(dir), StoreAccess::kWrite);
  ASSERT_TRUE(store) << store.error().message;
  auto ledger = Ledger::Open(dir, std::move(*store), *signer_, clock_);
  ASSERT_TRUE(ledger) << ledger.error().message;
  EXPECT_EQ((*ledger)->head().size, 100u);
  EXPECT_EQ(*(*ledger)->ScanMeta("k"), (Meta{{"", "v"}}));
  ASSERT_TRUE((*ledger)->Append(Records(1)));
  const auto report = Verify((*ledger)->store(), signer_->public_key(), kOrigin,
                             *ReadFile(AnchorPath(dir), 4096), {}, nullptr);
  EXPECT_EQ(report->findings, std::vector<std::string>{});
  EXPECT_EQ(report->head.size, 101u);
}

TEST_F(RocksTest, IsNotMadeByOpening) {
  EXPECT_FALSE(OpenRocksStore(dir_ + "/absent", StoreAccess::kWrite));
  EXPECT_FALSE(OpenRocksStore(dir_ + "/absent", StoreAccess::kRead));
}

}  // namespace
}  // namespace proofgate::ledger
