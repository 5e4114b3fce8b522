// Every file of a ledger is changed in every way, and `ledger verify` must say
// so. PROOFGATE_FLIPS=10000 flips that many random bytes; the default is 60.

#include <cstdlib>
#include <fstream>
#include <random>

#include "tests/ledger/rocks_fixture.h"

namespace proofgate::ledger {
namespace {

// Files that hold no evidence: RocksDB's own diagnostics and settings. A change
// in them changes no entry, node, head or index.
bool IsFreeSpace(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.starts_with("LOG") || name.starts_with("OPTIONS-") || name == "IDENTITY" || name == "LOCK";
}

// The zeros that fill a table file's footer up: one byte, four varints, zeros,
// then twelve bytes of version and magic (RocksDB's format, version 5).
bool IsFooterPadding(const std::string& path, const std::string& bytes, std::size_t at) {
  constexpr std::size_t kFooter = 53;
  constexpr std::size_t kEnd = 12;
  if (!path.ends_with(".sst") || bytes.size() < kFooter || at >= bytes.size() - kEnd) return false;
  std::size_t padding = bytes.size() - kFooter + 1;
  for (int varints = 0; varints < 4; ++padding)
    if ((bytes[padding] & 0x80) == 0) ++varints;
  return at >= padding && bytes[at] == 0;
}

class TamperTest : public RocksLedgerTest {
 protected:
  void SetUp() override {
    RocksLedgerTest::SetUp();
    AppendStory(300);
    ASSERT_TRUE(ledger_->store().Scrub());  // into table files
    AppendStory(30);                        // and into the log
    ASSERT_TRUE(ledger_->Checkpoint());
    ledger_.reset();
    ASSERT_EQ(Findings(), std::vector<std::string>{});
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_))
      if (entry.is_regular_file() && entry.file_size() != 0) files_.push_back(entry.path().string());
    std::sort(files_.begin(), files_.end());
  }
  // Nobody pulls the plug here: no sync.
  void Put(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  std::vector<std::string> files_;
};

TEST_F(TamperTest, FlippedBytesAreNoticedWhereverTheyAre) {
  const char* const asked = std::getenv("PROOFGATE_FLIPS");
  const int flips = asked == nullptr ? 60 : std::atoi(asked);
  std::map<std::string, std::string> bytes;
  std::uint64_t total = 0;
  std::vector<std::string> evidence;
  for (const std::string& file : files_) {
    if (IsFreeSpace(file)) continue;
    evidence.push_back(file);
    bytes[file] = *ReadFile(file, 1 << 28);
    total += bytes[file].size();
  }
  std::mt19937_64 random(20'261'124);
  int noticed = 0;
  int padding = 0;
  std::vector<std::string> unnoticed;
  for (int i = 0; i < flips; ++i) {
    std::uint64_t at = random() % total;
    std::string path;
    for (const std::string& file : evidence) {
      path = file;
      if (at < bytes[file].size()) break;
      at -= bytes[file].size();
    }
    const char flipped = static_cast<char>(bytes[path][at] ^ static_cast<char>(1 << random() % 8));
    FILE* const file = fopen(path.c_str(), "r+");
    ASSERT_NE(file, nullptr);
    fseek(file, static_cast<long>(at), SEEK_SET);
    fputc(flipped, file);
    fclose(file);
    if (IsFooterPadding(path, bytes[path], at)) ++padding;
    else if (Findings().empty()) unnoticed.push_back(path.substr(dir_.size()) + " at " + std::to_string(at));
    else ++noticed;
    Put(path, bytes[path]);
  }
  std::cout << noticed << " of " << flips << " flips in " << evidence.size() << " files (" << total << " bytes) noticed, " << padding
            << " were in the padding of a footer\n";
  for (const std::string& where : unnoticed) ADD_FAILURE() << "unnoticed: " << where;
  EXPECT_EQ(noticed, flips - padding);
}

TEST_F(TamperTest, FilesWithoutEvidenceAreTheOnesThatAreNamed) {
  // Changed or gone, they take nothing with them.
  for (const std::string& path : files_) {
    if (!IsFreeSpace(path)) continue;
    const std::string bytes = *ReadFile(path, 1 << 28);
    Put(path, "x" + bytes);
    EXPECT_EQ(Findings(), std::vector<std::string>{}) << path;
    Put(path, bytes);
  }
}

TEST_F(TamperTest, AFileThatIsCutOrGoneOrAnotherIsNoticed) {
  for (const std::string& path : files_) {
    if (IsFreeSpace(path)) continue;
    const std::string bytes = *ReadFile(path, 1 << 28);
    Put(path, bytes.substr(0, bytes.size() / 2));
    EXPECT_FALSE(Findings().empty()) << path << " cut in half";
    std::filesystem::remove(path);
    const bool without = !std::filesystem::exists(AnchorPath(dir_)) || !Findings().empty();
    EXPECT_TRUE(without) << path << " removed";
    for (const std::string& other : files_) {
      if (other == path || IsFreeSpace(other) || std::filesystem::path(other).extension() != std::filesystem::path(path).extension()) continue;
      const std::string others = *ReadFile(other, 1 << 28);
      if (others == bytes) continue;
      Put(path, others);
      EXPECT_FALSE(Findings().empty()) << other << " in place of " << path;
    }
    Put(path, bytes);
  }
  EXPECT_EQ(Findings(), std::vector<std::string>{});
}

TEST_F(TamperTest, WhatALatterWriterRemovesOrAddsIsNoticed) {
  // Somebody who knows RocksDB, not just files.
  const auto tamper = [this](const std::function<void(Batch&, const Store&)>& change) {
    const std::string copy = work_ + "/copy";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(dir_, copy, std::filesystem::copy_options::recursive);
    {
      auto store = *OpenRocksStore(StorePath(copy), StoreAccess::kWrite);
      Batch batch;
      batch.head = *store->ReadHead();
      batch.first = batch.head.size;
      change(batch, *store);
      EXPECT_TRUE(store->Commit(batch));
    }
    const auto findings = Findings(copy, signer_->public_key());
    return findings.empty() ? std::string() : findings.front();
  };
  EXPECT_EQ(tamper([](Batch&, const Store&) {}), "") << "a commit of nothing changes nothing";
  EXPECT_NE(tamper([](Batch& b, const Store&) { b.nodes.push_back({{0, 7}, Sha256("x")}); }).find("entry 7: stored node 0/7"), std::string::npos);
  EXPECT_NE(tamper([](Batch& b, const Store&) { b.nodes.push_back({{3, 2}, Sha256("x")}); }).find("node 3/2"), std::string::npos);
  EXPECT_NE(tamper([](Batch& b, const Store&) { b.head.root[0] ^= 1; }).find("head:"), std::string::npos);
  EXPECT_NE(tamper([](Batch& b, const Store&) { b.head.size -= 1; }).find("head:"), std::string::npos);
  EXPECT_NE(tamper([](Batch& b, const Store&) { b.terms.emplace_back("domain=x", 3); }).find("index:"), std::string::npos);
  EXPECT_NE(tamper([](Batch& b, const Store&) { b.meta["min_index"] = "9"; }), "");
  EXPECT_NE(tamper([](Batch& b, const Store&) { b.meta["format"] = "9"; }), "");
  EXPECT_NE(tamper([](Batch& b, const Store&) { b.meta["origin"] = "other.example/x"; }).find("anchor:"), std::string::npos);
  // A whole other history that is sound in itself: the anchor tells.
  EXPECT_NE(tamper([](Batch& b, const Store& store) {
              // The head of one entry less, as it truly was.
              const std::uint64_t size = b.head.size - 1;
              b.head = {size, *Root(size, [&store](NodeId id) { return store.ReadNode(id); })};
            }).find("anchor: has"),
            std::string::npos);
}

}  // namespace
}  // namespace proofgate::ledger
