#include "ledger/tiles.h"

#include <set>
#include <sstream>

#include "tests/ledger/ledger_fixture.h"

namespace proofgate::ledger {
namespace {

TEST(Tiles, PathsAreAsTheSpecificationWritesThem) {
  EXPECT_EQ(TilePath({0, 1234067, 256}), "tile/0/x001/x234/067");
  EXPECT_EQ(TilePath({1, 0, 17}), "tile/1/000.p/17");
  EXPECT_EQ(TilePath({2, 1000, 256}), "tile/2/x001/000");
  EXPECT_EQ(BundlePath(999, 112), "tile/entries/999.p/112");
}

TEST(Tiles, WidthsAreThoseOfTheSpecificationsExample) {
  EXPECT_EQ(TileHashes(0, 70'000), 273u * 256 + 112);
  EXPECT_EQ(TileHashes(1, 70'000), 256u + 17);
  EXPECT_EQ(TileHashes(2, 70'000), 1u);
  EXPECT_EQ(TileHashes(3, 70'000), 0u);
  EXPECT_EQ(TileHashes(1, 256), 1u);
}

TEST(Tiles, ABundleIsReadBackAndNothingElseIs) {
  std::string bundle;
  AppendToBundle("one", bundle);
  AppendToBundle(std::string(60'000, 'x'), bundle);
  AppendToBundle("", bundle);
  EXPECT_EQ(bundle.substr(0, 5), std::string("\0\3one", 5));
  const auto leaves = ParseBundle(bundle, 3);
  ASSERT_TRUE(leaves);
  EXPECT_EQ((*leaves)[0], "one");
  EXPECT_EQ((*leaves)[1].size(), 60'000u);
  EXPECT_FALSE(ParseBundle(bundle, 2));
  EXPECT_FALSE(ParseBundle(bundle, 4));
  EXPECT_FALSE(ParseBundle(bundle.substr(0, bundle.size() - 1), 3));
  EXPECT_FALSE(ParseBundle(bundle.substr(0, 100), 2));
}

class TilesTest : public LedgerTest {
 protected:
  std::uint64_t Export() {
    const std::string note = *ledger_->Checkpoint();
    const auto files = ExportTiles(ledger_->store(), ledger_->head(), 0, note, Out(), nullptr);
    EXPECT_TRUE(files) << files.error().message;
    return files.value_or(0);
  }
  std::string Out() const { return dir_ + "/www"; }
  Ran IndependentReader() const { return Shell(std::string("python3 " TLOG_PY " tiles ") + Out() + " " + pem_ + " " + kOrigin); }
  std::string Expected() const {
    return std::to_string(ledger_->head().size) + " " + Hex(ledger_->head().root) + "\n";
  }
};

TEST_F(TilesTest, AnIndependentReaderFindsTheSameTreeAtEachSize) {
  for (const int more : {1, 6, 248, 1, 1, 255, 400}) {
    ASSERT_TRUE(ledger_->Append(Records(more)));
    Export();
    const Ran ran = IndependentReader();
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(ran.out, Expected());
  }
}

TEST_F(TilesTest, AnEmptyLogIsItsCheckpoint) {
  EXPECT_EQ(Export(), 1u);
  EXPECT_EQ(*ReadFile(Out() + "/checkpoint", 4096), *ReadFile(AnchorPath(dir_), 4096));
}

// A store of small leaves, made at once.
class NumberStore final : public Store {
 public:
  explicit NumberStore(std::uint64_t size) : levels_(1) {
    for (std::uint64_t i = 0; i < size; ++i) levels_[0].push_back(LeafHash(std::to_string(i)));
    for (std::size_t level = 0; levels_[level].size() > 1; ++level) {
      levels_.emplace_back();
      for (std::size_t i = 0; i + 1 < levels_[level].size(); i += 2)
        levels_[level + 1].push_back(InnerHash(levels_[level][i], levels_[level][i + 1]));
    }
  }
  Status Commit(const Batch&) override { return Fail(Code::kUnsupported, "read only"); }
  Result<Head> ReadHead() const override {
    return Head{levels_[0].size(), TRY(Root(levels_[0].size(), [this](NodeId id) { return ReadNode(id); }))};
  }
  Result<std::string> ReadEntry(std::uint64_t index) const override { return std::to_string(index); }
  Result<Digest> ReadNode(NodeId id) const override { return levels_.at(id.level).at(id.index); }
  Status ScanEntries(std::uint64_t from, std::uint64_t to, const VisitEntry& visit) const override {
    for (std::uint64_t index = from; index < to; ++index) TRY(visit(index, std::to_string(index)));
    return {};
  }
  Result<std::vector<Digest>> ReadNodes(NodeId first, std::size_t count) const override {
    const auto at = levels_.at(first.level).begin() + static_cast<std::ptrdiff_t>(first.index);
    return std::vector<Digest>(at, at + static_cast<std::ptrdiff_t>(count));
  }
  Result<std::optional<std::string>> ReadMeta(std::string_view) const override { return std::optional<std::string>(); }
  Result<std::map<std::string, std::string>> ScanMeta(std::string_view) const override {
    return std::map<std::string, std::string>();
  }
  Status ScanTerms(std::string_view, std::string_view, const VisitTerm&) const override { return {}; }
  Status ClearTerms() override { return Fail(Code::kUnsupported, "read only"); }
  Status DropEntries(std::uint64_t) override { return Fail(Code::kUnsupported, "read only"); }
  Status Scrub() override { return Fail(Code::kUnsupported, "read only"); }
  Status CopyTo(const std::string&) const override { return Fail(Code::kUnsupported, "read only"); }
  Status CheckFiles() const override { return {}; }
  Result<std::map<std::string, std::uint64_t>> Sizes() const override { return std::map<std::string, std::uint64_t>(); }

 private:
  std::vector<std::vector<Digest>> levels_;
};

// tests/ledger/sumdb.go made the file, with Go's transparency log.
TEST_F(TilesTest, EveryByteOfEveryTileIsTheOneThatGosLogWrites) {
  std::istringstream golden(*ReadFile(SUMDB_GOLDEN, 1 << 16));
  std::uint64_t size = 0;
  std::string root, tiles_digest;
  std::size_t count = 0;
  int trees = 0;
  while (golden >> size >> root >> count >> tiles_digest) {
    const NumberStore store(size);
    EXPECT_EQ(Hex(store.ReadHead()->root), root) << size;
    std::filesystem::remove_all(Out());
    ASSERT_TRUE(ExportTiles(store, *store.ReadHead(), size, "checkpoint", Out(), nullptr));
    std::set<std::string> lines;
    for (const auto& file : std::filesystem::recursive_directory_iterator(Out() + "/tile")) {
      const std::string path = file.path().string().substr(Out().size() + 1);
      if (file.is_regular_file() && !path.starts_with("tile/entries/")) lines.insert(path + " " + Hex(Sha256(*ReadFile(file.path(), 1 << 16))) + "\n");
    }
    EXPECT_EQ(lines.size(), count) << size;
    std::string all;
    for (const std::string& line : lines) all += line;
    EXPECT_EQ(Hex(Sha256(all)), tiles_digest) << size;
    ++trees;
  }
  EXPECT_EQ(trees, 12);
}

TEST_F(TilesTest, AnIndependentReaderReadsAThirdLevel) {
  const NumberStore store(65'536 + 300);
  const Head head = *store.ReadHead();
  ASSERT_TRUE(ExportTiles(store, head, 0, SignCheckpoint(*signer_, kOrigin, head), Out(), nullptr));
  EXPECT_TRUE(std::filesystem::exists(Out() + "/tile/2/000.p/1"));
  EXPECT_EQ(IndependentReader().out, std::to_string(head.size) + " " + Hex(head.root) + "\n");
}

TEST_F(TilesTest, GoesOnWhereAnInterruptedExportStopped) {
  ASSERT_TRUE(ledger_->Append(Records(600)));
  EXPECT_EQ(Export(), 3u + 1 + 3 + 1);  // level 0, level 1, bundles, checkpoint
  EXPECT_EQ(Export(), 1u) << "only the checkpoint is new";
  std::filesystem::remove(Out() + "/tile/entries/001");
  EXPECT_EQ(Export(), 2u);
  ASSERT_TRUE(ledger_->Append(Records(10)));
  EXPECT_EQ(Export(), 2u + 1) << "the partial tile and bundle, and the checkpoint";
  EXPECT_EQ(IndependentReader().out, Expected());
}

TEST_F(TilesTest, AreReadBackAsTheSameNodesAndEntries) {
  ASSERT_TRUE(ledger_->Append(Records(700)));
  Export();
  TileReader reader(Out(), 700);
  const NodeReader read = [&reader](NodeId id) { return reader.ReadNode(id); };
  EXPECT_EQ(*Root(700, read), ledger_->head().root);
  for (const std::uint64_t index : {0u, 255u, 256u, 511u, 699u}) {
    const Proof proof = *InclusionProof(index, 700, read);
    EXPECT_EQ(proof, *ledger_->ProveInclusion(index, 700));
    EXPECT_EQ(reader.ReadBundle(index / 256)->at(index % 256), *ledger_->Entry(index));
  }
  EXPECT_FALSE(reader.ReadNode({0, 700}));
  EXPECT_FALSE(reader.ReadNode({200, 0}));
  EXPECT_FALSE(reader.ReadBundle(3));
}

TEST_F(TilesTest, AChangedTileOrBundleIsNoticed) {
  ASSERT_TRUE(ledger_->Append(Records(300)));
  Export();
  for (const char* name : {"/tile/0/000", "/tile/0/001.p/44", "/tile/1/000.p/1", "/tile/entries/000",
                           "/tile/entries/001.p/44", "/checkpoint"}) {
    const std::string path = Out() + name;
    const std::string bytes = *ReadFile(path, 1 << 24);
    std::string changed = bytes;
    changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
    ASSERT_TRUE(WriteFileDurably(path, changed, 0644));
    EXPECT_EQ(IndependentReader().status, 1) << name;
    ASSERT_TRUE(WriteFileDurably(path, bytes, 0644));
  }
  EXPECT_EQ(IndependentReader().status, 0);
  TileReader reader(Out(), 300);
  ASSERT_TRUE(WriteFileDurably(Out() + "/tile/0/000", std::string(8191, 'x'), 0644));
  EXPECT_EQ(reader.ReadNode({0, 0}).error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace proofgate::ledger
