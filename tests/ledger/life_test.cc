// Backup, rollback, key rotation, formats, retention, archive, erasure.

#include "ledger/archive.h"
#include "ledger/retention.h"
#include "ledger/witness.h"
#include "tests/ledger/rocks_fixture.h"

namespace proofgate::ledger {
namespace {

class LifeTest : public RocksLedgerTest {
 protected:
  json::Value Last() const { return *json::Parse(*ledger_->Entry(ledger_->head().size - 1)); }
  std::string Body(const char* key) const { return json::GetBytes(*Last().Find("body"), key).value_or("absent"); }
  // Puts the store of `from` in place of ours, as a restored snapshot does.
  void PutStoreBack(const std::string& from) {
    ledger_.reset();
    std::filesystem::remove_all(StorePath(dir_));
    std::filesystem::copy(StorePath(from), StorePath(dir_), std::filesystem::copy_options::recursive);
  }
};

TEST_F(LifeTest, ABackupWhileWritingIsAWholeLedger) {
  AppendStory(20);
  const std::string backup = work_ + "/backup";
  ASSERT_TRUE(ledger_->Backup(backup));
  const Head at_backup = ledger_->head();
  AppendStory(20);
  EXPECT_EQ(Findings(backup, signer_->public_key()), std::vector<std::string>{});
  EXPECT_EQ(OpenReadOnly(backup)->head, at_backup);
  EXPECT_FALSE(ledger_->Backup(backup)) << "an older backup is not replaced";
  ASSERT_TRUE(OpenAt(backup, *signer_));
  AppendStory(1);
  EXPECT_EQ(Findings(backup, signer_->public_key()), std::vector<std::string>{});
}

TEST_F(LifeTest, ARestoredOlderStoreIsRefusedAndMayGoOnOnlyUnderANewOrigin) {
  AppendStory(10);
  ASSERT_TRUE(ledger_->Backup(work_ + "/backup"));
  const Head kept = ledger_->head();
  AppendStory(10);
  ASSERT_TRUE(ledger_->Checkpoint());
  const Head lost = ledger_->head();
  PutStoreBack(work_ + "/backup");
  const Status refused = Reopen();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("REFUSED_ROLLBACK"), std::string::npos);

  {
    auto store = *OpenRocksStore(StorePath(dir_), StoreAccess::kWrite);
    EXPECT_FALSE(Ledger::ContinueAs(dir_, *store, kOrigin, "disk", *signer_, clock_)) << "not under the old name";
    ASSERT_TRUE(Ledger::ContinueAs(dir_, *store, "host.example/second", "disk failed", *signer_, clock_));
    EXPECT_FALSE(Ledger::ContinueAs(dir_, *store, "host.example/third", "again", *signer_, clock_)) << "nothing is rolled back now";
  }
  ASSERT_TRUE(Reopen());
  EXPECT_EQ(ledger_->origin(), "host.example/second");
  EXPECT_EQ(json::GetString(Last(), "kind").value(), "ORIGIN");
  EXPECT_EQ(Body("old_origin"), kOrigin);
  const json::Value last = Last();
  const json::Value& body = *last.Find("body");
  EXPECT_EQ(*json::GetInteger(*body.Find("lost_head"), "size"), lost.size);
  EXPECT_EQ(*json::GetString(*body.Find("lost_head"), "root"), Hex(lost.root));
  EXPECT_EQ(*json::GetInteger(*body.Find("kept_head"), "size"), kept.size);
  EXPECT_EQ(*VerifyCheckpoint(signer_->public_key(), kOrigin, Body("old_anchor")), lost) << "the lost head, as it was signed";
  AppendStory(3);
  ASSERT_TRUE(Reopen());
  EXPECT_EQ(Findings(), std::vector<std::string>{});
}

TEST_F(LifeTest, ContinuingIsRefusedWhenNothingWasLost) {
  AppendStory(4);
  ledger_.reset();
  auto store = *OpenRocksStore(StorePath(dir_), StoreAccess::kWrite);
  EXPECT_EQ(Ledger::ContinueAs(dir_, *store, "host.example/second", "why not", *signer_, clock_).error().code, Code::kInvalid);
}

TEST_F(LifeTest, ACrashWhileContinuingIsTakenUpAtTheNextStart) {
  AppendStory(4);
  ASSERT_TRUE(ledger_->Backup(work_ + "/backup"));
  AppendStory(4);
  const std::string old_anchor = *ledger_->Checkpoint();
  PutStoreBack(work_ + "/backup");
  {
    auto store = *OpenRocksStore(StorePath(dir_), StoreAccess::kWrite);
    ASSERT_TRUE(Ledger::ContinueAs(dir_, *store, "host.example/second", "disk", *signer_, clock_));
  }
  // As if the new anchor had not been written any more.
  ASSERT_TRUE(WriteFileDurably(AnchorPath(dir_), old_anchor, 0644));
  ASSERT_TRUE(Reopen());
  EXPECT_EQ(ledger_->origin(), "host.example/second");
  EXPECT_TRUE(VerifyCheckpoint(signer_->public_key(), "host.example/second", *ReadFile(AnchorPath(dir_), 4096)));
}

TEST_F(LifeTest, ACosignedHeadIsRememberedWhenTheAnchorIsGoneBackToo) {
  AppendStory(5);
  ASSERT_TRUE(ledger_->Backup(work_ + "/backup"));
  AppendStory(5);
  const std::string note = *ledger_->Checkpoint();
  const std::string cosigned = note + Cosign(*signer_, "witness.example/w", 5, CheckpointText(kOrigin, ledger_->head()));
  ASSERT_TRUE(ledger_->KeepCosigned(cosigned));
  PutStoreBack(work_ + "/backup");
  std::filesystem::copy_file(AnchorPath(work_ + "/backup"), AnchorPath(dir_), std::filesystem::copy_options::overwrite_existing);
  const Status refused = Reopen();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("REFUSED_ROLLBACK: the cosigned checkpoint"), std::string::npos) << refused.error().message;
}

TEST_F(LifeTest, AnOlderCosignedHeadDoesNotReplaceANewerOne) {
  AppendStory(5);
  const std::string older = *ledger_->Checkpoint();
  AppendStory(5);
  const std::string newer = *ledger_->Checkpoint();
  ASSERT_TRUE(ledger_->KeepCosigned(newer));
  EXPECT_FALSE(ledger_->KeepCosigned(older));
  EXPECT_EQ(*ReadFile(CosignedPath(dir_), 4096), newer);
}

TEST_F(LifeTest, AnotherKeySignsAfterARotationAndTheOldHeadIsNamed) {
  AppendStory(5);
  const Head before = ledger_->head();
  ASSERT_TRUE(ledger_->KeepCosigned(*ledger_->Checkpoint()));
  ledger_.reset();
  const auto next = std::move(*CreateSigner(work_ + "/next", "next"));
  bool installed = false;
  {
    auto store = *OpenRocksStore(StorePath(dir_), StoreAccess::kWrite);
    ASSERT_TRUE(Ledger::RotateKey(dir_, *store, *signer_, *next, "yearly", clock_, [&installed]() -> Status {
      installed = true;
      return {};
    }));
  }
  EXPECT_TRUE(installed);
  EXPECT_FALSE(Reopen()) << "the old key no longer signs";
  ASSERT_TRUE(OpenAt(dir_, *next));
  EXPECT_EQ(json::GetString(Last(), "kind").value(), "KEY");
  EXPECT_EQ(*VerifyCheckpoint(signer_->public_key(), kOrigin, Body("old_checkpoint")), before);
  const std::string signed_text = std::string(kOrigin) + "\n" + next->public_key().OpenSsh() + "\n";
  EXPECT_TRUE(SshVerify(signer_->public_key(), "rotate@proofgate", signed_text, Body("signature")));
  EXPECT_EQ(Findings(dir_, next->public_key()), std::vector<std::string>{});
}

TEST_F(LifeTest, ACrashBeforeTheNewKeySignedIsTakenUp) {
  AppendStory(5);
  ledger_.reset();
  const auto next = std::move(*CreateSigner(work_ + "/next", "next"));
  {
    auto store = *OpenRocksStore(StorePath(dir_), StoreAccess::kWrite);
    EXPECT_FALSE(Ledger::RotateKey(dir_, *store, *signer_, *next, "yearly", clock_, []() -> Status { return Fail(Code::kIo, "power"); }));
  }
  ASSERT_TRUE(OpenAt(dir_, *next));
  EXPECT_EQ(Findings(dir_, next->public_key()), std::vector<std::string>{});
}

// ---- formats

TEST_F(LedgerTest, AnOlderFormatIsMigratedAndAnEntrySaysSo) {
  ASSERT_TRUE(ledger_->Append(Records(9)));
  ledger_.reset();
  disk_->meta["format"] = "1";
  disk_->terms.clear();
  ASSERT_TRUE(Reopen());
  EXPECT_EQ(disk_->meta["format"], "2");
  const json::Value last = *json::Parse(*ledger_->Entry(9));
  EXPECT_EQ(*json::GetString(last, "kind"), "MIGRATED");
  EXPECT_TRUE(CheckIndex(ledger_->store(), nullptr)->empty());
  ExpectSound(10);
  ASSERT_TRUE(Reopen());
  EXPECT_EQ(ledger_->head().size, 10u) << "once";
}

TEST_F(LedgerTest, ANewerFormatIsRefused) {
  disk_->meta["format"] = "3";
  const Status refused = Reopen();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnsupported);
}

// ---- retention

TEST_F(LifeTest, DroppedEntriesAreGoneAndEveryOldHeadIsStillProved) {
  AppendStory(30);
  std::vector<Head> heads;
  heads.push_back(ledger_->head());
  const std::string kept_proof_leaf = *ledger_->Entry(8);
  AppendStory(30);
  heads.push_back(ledger_->head());
  ASSERT_TRUE(DropBelow(*ledger_, {40, "older than a year", "uid:0", ""}, UINT64_MAX));
  EXPECT_EQ(ledger_->Entry(39).error().code, Code::kNotFound);
  EXPECT_TRUE(ledger_->Entry(40));
  EXPECT_EQ(json::GetString(Last(), "kind").value(), "RETAIN");
  for (const Head& head : heads) {
    const Proof proof = *ledger_->ProveConsistency(head.size, ledger_->head().size);
    EXPECT_TRUE(VerifyConsistency(head.size, ledger_->head().size, proof, head.root, ledger_->head().root));
  }
  // Who kept the entry can still have it proved.
  EXPECT_TRUE(VerifyInclusion(8, ledger_->head().size, LeafHash(kept_proof_leaf), *ledger_->ProveInclusion(8, ledger_->head().size), ledger_->head().root));
  ASSERT_TRUE(Reopen());
  EXPECT_EQ(Findings(), std::vector<std::string>{});
}

TEST_F(LifeTest, WhatToDropIsFoundByAgeAndBySize) {
  AppendStory(5);
  const std::uint64_t before = ledger_->head().size;
  clock_.Advance(24ull * 3600 * 1'000'000'000);
  const std::string middle = FormatUtc(clock_.Utc());
  AppendStory(5);
  const Store& store = ledger_->store();
  EXPECT_EQ(*FirstSince(store, "2000-01-01"), 0u);
  EXPECT_EQ(*FirstSince(store, middle), before);
  EXPECT_EQ(*FirstSince(store, "2100-01-01"), ledger_->head().size);
  std::uint64_t newest_two = 0;
  for (std::uint64_t index = ledger_->head().size - 2; index < ledger_->head().size; ++index) newest_two += ledger_->Entry(index)->size();
  EXPECT_EQ(*FirstOfNewest(store, newest_two, nullptr), ledger_->head().size - 2);
  EXPECT_EQ(*FirstOfNewest(store, newest_two - 1, nullptr), ledger_->head().size - 1);
  EXPECT_EQ(*FirstOfNewest(store, 1 << 30, nullptr), 0u);
  ASSERT_TRUE(DropBelow(*ledger_, {before, "age", "uid:0", ""}, UINT64_MAX));
  EXPECT_EQ(*FirstSince(store, "2000-01-01"), before);
}

TEST_F(LifeTest, AHoldKeepsEntriesUntilItIsReleased) {
  AppendStory(30);
  ASSERT_TRUE(PlaceHold(*ledger_, {"case-7", 10, "court order"}, "uid:0"));
  EXPECT_FALSE(PlaceHold(*ledger_, {"case-7", 20, "twice"}, "uid:0"));
  EXPECT_FALSE(PlaceHold(*ledger_, {"Case 7", 20, "a name"}, "uid:0"));
  ASSERT_TRUE(Reopen());
  const Status refused = DropBelow(*ledger_, {20, "age", "uid:0", ""}, UINT64_MAX);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDenied);
  EXPECT_TRUE(ledger_->Entry(10));
  ASSERT_TRUE(DropBelow(*ledger_, {10, "age", "uid:0", ""}, UINT64_MAX));
  EXPECT_FALSE(ReleaseHold(*ledger_, "case-8", "none", "uid:0"));
  ASSERT_TRUE(ReleaseHold(*ledger_, "case-7", "settled", "uid:0"));
  EXPECT_TRUE(DropBelow(*ledger_, {20, "age", "uid:0", ""}, UINT64_MAX));
  EXPECT_EQ(Findings(), std::vector<std::string>{});
}

TEST_F(LifeTest, WhatIsInUseIsNotDropped) {
  AppendStory(10);
  EXPECT_EQ(DropBelow(*ledger_, {6, "age", "uid:0", ""}, 5).error().code, Code::kDenied);
  EXPECT_EQ(DropBelow(*ledger_, {1000, "age", "uid:0", ""}, UINT64_MAX).error().code, Code::kInvalid);
  EXPECT_TRUE(DropBelow(*ledger_, {5, "age", "uid:0", ""}, 5));
  EXPECT_EQ(DropBelow(*ledger_, {5, "age", "uid:0", ""}, UINT64_MAX).error().code, Code::kInvalid) << "gone already";
}

TEST_F(LifeTest, AMinimumThatTheEntriesDoNotNameIsNoticed) {
  AppendStory(10);
  ledger_.reset();
  {
    // An attacker who hides entries behind retention.
    auto store = *OpenRocksStore(StorePath(dir_), StoreAccess::kWrite);
    Batch batch;
    batch.head = *store->ReadHead();
    batch.first = batch.head.size;
    batch.meta["min_index"] = "5";
    ASSERT_TRUE(store->Commit(batch));
    ASSERT_TRUE(store->DropEntries(5));
  }
  const auto findings = Findings();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0], "minimum index: 5 is stored, 0 follows from the entries");
}

TEST_F(LedgerTest, ADropThatACrashInterruptedGoesOnAtTheNextStart) {
  ASSERT_TRUE(ledger_->Append(Records(9)));
  ASSERT_TRUE(ledger_->AppendWithState({{"RETAIN", {{"min_index", 4}}}}, {{"min_index", "4"}}));
  EXPECT_TRUE(ledger_->Entry(3)) << "the power went before they were dropped";
  ASSERT_TRUE(Reopen());
  EXPECT_FALSE(ledger_->Entry(3));
  EXPECT_TRUE(ledger_->Entry(4));
  ExpectSound(10);
}

// ---- archive

TEST_F(LifeTest, AnArchiveIsReadBackAgainstTheTreeAfterTheEntriesAreGone) {
  AppendStory(40);
  const std::string path = work_ + "/old.zst";
  const auto written = WriteArchive(ledger_->store(), kOrigin, 0, 30, path, nullptr);
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_FALSE(WriteArchive(ledger_->store(), kOrigin, 0, 30, path, nullptr)) << "a file is not replaced";
  std::vector<std::string> before;
  for (std::uint64_t index = 0; index < 30; ++index) before.push_back(*ledger_->Entry(index));
  ASSERT_TRUE(DropBelow(*ledger_, {30, "age", "uid:0", Hex(written->sha256)}, UINT64_MAX));
  EXPECT_EQ(Body("archive_sha256"), Hex(written->sha256));
  std::vector<std::string> after;
  const auto read = ReadArchive(path, kOrigin, ledger_->store(), [&after](std::uint64_t, std::string_view leaf) -> Status {
    after.emplace_back(leaf);
    return {};
  });
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(after, before);
  EXPECT_EQ(Shell("sha256sum < " + path).out.substr(0, 64), Hex(read->sha256));
}

TEST_F(LifeTest, AnArchiveThatWasChangedIsRefused) {
  AppendStory(10);
  const std::string path = work_ + "/old.zst";
  ASSERT_TRUE(WriteArchive(ledger_->store(), kOrigin, 2, 12, path, nullptr));
  const std::string bytes = *ReadFile(path, 1 << 20);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 16);
    ASSERT_TRUE(WriteFileDurably(path, changed, 0600));
    const auto read = ReadArchive(path, kOrigin, ledger_->store(), nullptr);
    // The two reserved bits and the window size of a zstd frame mean nothing here.
    if (read) {
      EXPECT_LT(at, 8u) << at;
    }
  }
  ASSERT_TRUE(WriteFileDurably(path, bytes.substr(0, bytes.size() - 5), 0600));
  EXPECT_FALSE(ReadArchive(path, kOrigin, ledger_->store(), nullptr));
  ASSERT_TRUE(WriteFileDurably(path, bytes + "x", 0600));
  EXPECT_FALSE(ReadArchive(path, kOrigin, ledger_->store(), nullptr));
  ASSERT_TRUE(WriteFileDurably(path, bytes, 0600));
  EXPECT_TRUE(ReadArchive(path, kOrigin, ledger_->store(), nullptr));
  EXPECT_FALSE(ReadArchive(path, "other.example/x", ledger_->store(), nullptr));
}

// ---- blobs

TEST_F(LifeTest, ABlobIsErasedFromEveryFileAndNoProofBreaks) {
  const std::string secret = "alice@example.com has a very particular prompt";
  const Blob blob = MakeBlob(secret);
  ASSERT_TRUE(ledger_->AppendWithState({{"EVIDENCE", {{"commitment", Hex(blob.commitment)}}}}, {BlobState(blob)}));
  AppendStory(10);
  const Head before = ledger_->head();
  EXPECT_EQ(*ReadBlob(ledger_->store(), blob.commitment), secret);
  EXPECT_TRUE(OnDisk(secret)) << "it is there before";
  const std::string proof_leaf = *ledger_->Entry(0);
  ASSERT_TRUE(EraseBlob(*ledger_, blob.commitment, "asked for", "uid:0"));
  EXPECT_FALSE(OnDisk(secret)) << "and in no file after";
  EXPECT_EQ(ReadBlob(ledger_->store(), blob.commitment).error().code, Code::kNotFound);
  EXPECT_EQ(EraseBlob(*ledger_, blob.commitment, "twice", "uid:0").error().code, Code::kNotFound);
  EXPECT_EQ(json::GetString(Last(), "kind").value(), "ERASED");
  EXPECT_EQ(*ledger_->Entry(0), proof_leaf);
  EXPECT_TRUE(VerifyConsistency(before.size, ledger_->head().size, *ledger_->ProveConsistency(before.size, ledger_->head().size), before.root, ledger_->head().root));
  EXPECT_EQ(Findings(), std::vector<std::string>{});
  EXPECT_NE(MakeBlob(secret).commitment, blob.commitment) << "salted: a guess cannot be checked";
}

}  // namespace
}  // namespace proofgate::ledger
