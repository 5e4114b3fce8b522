#include "ledger/export.h"

#include "ledger/ocsf.h"
#include "ledger/retention.h"
#include "ledger/usage.h"
#include "tests/ledger/rocks_fixture.h"

namespace proofgate::ledger {
namespace {

class ExportTest : public RocksLedgerTest {
 protected:
  std::string Export(const std::string& name = "out") {
    const std::string dir = work_ + "/" + name;
    const std::string note = *ledger_->Checkpoint();
    ExportRequest request;
    request.ocsf = true;
    request.usage = true;
    request.segment_entries = 20;
    const auto manifest = ExportFiles(ledger_->store(), ledger_->head(), kOrigin, note, signer_->public_key(), clock_, request, dir, nullptr);
    EXPECT_TRUE(manifest) << manifest.error().message;
    if (manifest) {
      EXPECT_TRUE(WriteFileDurably(ManifestSignaturePath(dir), SshSign(*signer_, kExportNamespace, *manifest), 0644));
    }
    return dir;
  }
  Result<Imported> Import(const std::string& dir) {
    const std::string to = work_ + "/imported";
    std::filesystem::remove_all(to);
    return ImportFiles(dir, signer_->public_key(), to, nullptr);
  }
};

TEST_F(ExportTest, LeavesAndComesBackWithEveryEntryAndProof) {
  AppendStory(50);
  const std::string dir = Export();
  const Head head = ledger_->head();
  const std::string leaf = *ledger_->Entry(33);
  ledger_.reset();
  std::filesystem::remove_all(dir_);  // we have left

  const auto imported = Import(dir);
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->head, head);
  EXPECT_EQ(imported->origin, kOrigin);
  EXPECT_EQ(Findings(work_ + "/imported", signer_->public_key()), std::vector<std::string>{});
  const auto back = OpenReadOnly(work_ + "/imported");
  EXPECT_EQ(*back->store->ReadEntry(33), leaf);
  const NodeReader read = [&back](NodeId id) { return back->store->ReadNode(id); };
  EXPECT_TRUE(VerifyInclusion(33, head.size, LeafHash(leaf), *InclusionProof(33, head.size, read), head.root));
  // It is for reading: no daemon may grow it.
  EXPECT_EQ(OpenAt(work_ + "/imported", *signer_).error().code, Code::kUnsupported);
}

TEST_F(ExportTest, ItsFilesVerifyWithStockTools) {
  AppendStory(30);
  const std::string dir = Export();
  const std::string signers = work_ + "/allowed_signers";
  ASSERT_TRUE(WriteFileDurably(signers, "host@proofgate namespaces=\"export@proofgate\" " + signer_->public_key().OpenSsh() + "\n", 0644));
  const Ran signature = Shell("ssh-keygen -Y verify -f " + signers + " -I host@proofgate -n export@proofgate -s " +
                              ManifestSignaturePath(dir) + " < " + ManifestPath(dir));
  EXPECT_EQ(signature.status, 0) << signature.out;
  const Ran digests = Shell("cd " + dir + " && python3 -c 'import json; [print(f[\"sha256\"] + \"  \" + f[\"path\"]) for f in json.load(open(\"manifest.json\"))[\"files\"]]' | sha256sum -c --quiet");
  EXPECT_EQ(digests.status, 0) << digests.out;
  EXPECT_EQ(Shell("cat " + dir + "/entries/*.jsonl | wc -l").out, std::to_string(ledger_->head().size) + "\n");
  EXPECT_EQ(Shell("cat " + dir + "/entries/*.jsonl | sed -n 5p").out, *ledger_->Entry(4) + "\n");
}

TEST_F(ExportTest, GoesOnWhereItWasAndForgetsAnOlderEnd) {
  AppendStory(30);
  const std::string dir = Export();
  const std::string first = dir + "/entries/000000000000-000000000020.jsonl";
  const auto written = std::filesystem::last_write_time(first);
  std::filesystem::remove(dir + "/entries/000000000020-000000000040.jsonl");
  AppendStory(30);
  Export();
  EXPECT_EQ(std::filesystem::last_write_time(first), written) << "a whole segment is not written again";
  EXPECT_EQ(Shell("cat " + dir + "/entries/*.jsonl | wc -l").out, std::to_string(ledger_->head().size) + "\n");
  EXPECT_TRUE(Import(dir));
}

TEST_F(ExportTest, AnyChangeIsRefusedAndNothingStays) {
  AppendStory(30);
  const std::string dir = Export();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = entry.path().string();
    const std::string bytes = *ReadFile(path, 1 << 24);
    for (const std::size_t at : {bytes.size() / 3, bytes.size() - 2}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 4);
      ASSERT_TRUE(WriteFileDurably(path, changed, 0644));
      EXPECT_FALSE(Import(dir)) << path << " byte " << at;
      EXPECT_FALSE(std::filesystem::exists(work_ + "/imported"));
    }
    ASSERT_TRUE(WriteFileDurably(path, bytes.substr(0, bytes.size() - 2), 0644));
    EXPECT_FALSE(Import(dir)) << path;
    std::filesystem::remove(path);
    EXPECT_FALSE(Import(dir)) << path;
    ASSERT_TRUE(WriteFileDurably(path, bytes, 0644));
  }
  EXPECT_TRUE(Import(dir));
  const auto other = CreateSigner(work_ + "/other", "other");
  EXPECT_EQ(ImportFiles(dir, (*other)->public_key(), work_ + "/nowhere", nullptr).error().code, Code::kDenied);
}

TEST_F(ExportTest, APrunedLedgerComesBackWithItsHeads) {
  AppendStory(40);
  ASSERT_TRUE(DropBelow(*ledger_, {25, "age", "uid:0", ""}, UINT64_MAX));
  const std::string dir = Export();
  const auto imported = Import(dir);
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->min_index, 25u);
  EXPECT_EQ(imported->head, ledger_->head());
  EXPECT_EQ(Findings(work_ + "/imported", signer_->public_key()), std::vector<std::string>{});
}

TEST_F(ExportTest, OcsfEventsAreOfThePublishedSchema) {
  AppendStory(12);
  ASSERT_TRUE(ledger_->Append({{"ISSUE", {{"id", "ab"}, {"domain", "d"}, {"rule", "r"}}},
                               {"REFUSED", {{"domain", "d"}, {"rule", "r"}, {"code", "FORBIDDEN"}, {"principal", "uid:0"}}},
                               {"ACT", {{"domain", "d"}, {"kind", "load"}, {"op", "map as executable"}, {"path", "/lib/x.so"}, {"pid", 3}}},
                               {"DENY", {{"domain", "d"}, {"kind", "never"}, {"op", "use bpf()"}, {"pid", 3}, {"code", "NEVER"}, {"blocked", true}}},
                               {"DENY", {{"domain", "d"}, {"kind", "write"}, {"op", "delete"}, {"path", "/x"}, {"pid", 3}, {"code", "NO_RECEIPT"}, {"blocked", false}}},
                               {"SETTLED", {{"domain", "d"}, {"id", "ab"}, {"used", 3}}},
                               {"STOP", {{"boot_id", "b"}}}}));
  const std::string dir = Export();
  const Ran checked = Shell("cat " + dir + "/ocsf/*.jsonl | python3 " OCSF_CHECK);
  EXPECT_EQ(checked.out, std::to_string(ledger_->head().size) + " events\n");
  // The check is real.
  EXPECT_NE(Shell("sed 's/\"severity_id\":1/\"severity_id\":77/' " + dir + "/ocsf/*.jsonl | python3 " OCSF_CHECK).status, 0);
  EXPECT_NE(Shell("sed 's/\"device\"/\"devise\"/' " + dir + "/ocsf/*.jsonl | python3 " OCSF_CHECK).status, 0);
}

TEST_F(ExportTest, UsageUnitsAreTheSumsOfTheEntries) {
  AppendStory(30);
  const std::string dir = Export();
  std::uint64_t bytes = 0;
  for (std::uint64_t index = 1; index < ledger_->head().size; ++index) bytes += ledger_->Entry(index)->size();
  EXPECT_EQ(*ReadFile(dir + "/usage.csv", 1 << 20),
            "period,tenant,domain,environment,node,unit,quantity\n"
            "2023-11,,,,node-1,ledgered_byte," + std::to_string(ledger_->Entry(0)->size()) + "\n"
            "2023-11,acme,d,,node-1,denial,10\n"
            "2023-11,acme,d,,node-1,governed_action,20\n"
            "2023-11,acme,d,,node-1,ledgered_byte," + std::to_string(bytes) + "\n");
}

TEST(Ocsf, TimeIsMillisecondsSince1970) {
  EXPECT_EQ(*ParseUtc("1970-01-01T00:00:00.000Z"), 0);
  EXPECT_EQ(*ParseUtc("2025-11-24T16:00:00.123Z"), 1'764'000'000'123);
  EXPECT_EQ(*ParseUtc("2024-02-29T23:59:59.999Z"), 1'709'251'199'999);
  EXPECT_EQ(*ParseUtc("2000-03-01T00:00:00.000Z"), 951'868'800'000);
  EXPECT_FALSE(ParseUtc("2025-11-24"));
}

TEST(Manifest, RefusesPathsAndOrdersThatCannotBeMeant) {
  Manifest manifest;
  manifest.origin = kOrigin;
  manifest.size = 5;
  ManifestFile file{"entries/a.jsonl", "entries", 1, 0, 5, {}};
  manifest.files = {file};
  EXPECT_TRUE(ParseManifest(FormatManifest(manifest)));
  for (const char* path : {"/etc/passwd", "../x", "entries/../../x", "", "a b"}) {
    manifest.files[0].path = path;
    EXPECT_FALSE(ParseManifest(FormatManifest(manifest))) << path;
  }
  manifest.files = {file};
  manifest.files[0].first = 1;
  EXPECT_FALSE(ParseManifest(FormatManifest(manifest)));
  manifest.files[0] = file;
  manifest.files[0].count = 6;
  EXPECT_FALSE(ParseManifest(FormatManifest(manifest)));
}

}  // namespace
}  // namespace proofgate::ledger
