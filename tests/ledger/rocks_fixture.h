// RocksLedgerTest: a ledger on disk, with records as the agent writes them.

#ifndef PROOFGATE_TESTS_LEDGER_ROCKS_FIXTURE_H_
#define PROOFGATE_TESTS_LEDGER_ROCKS_FIXTURE_H_

#include "ledger/index.h"
#include "ledger/rocks_store.h"
#include "tests/fake/fake_clock.h"
#include "tests/ledger/ledger_fixture.h"

namespace proofgate::ledger {

class RocksLedgerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "rocks.XXXXXX";
    work_ = mkdtemp(pattern.data());
    dir_ = work_ + "/ledger";
    std::filesystem::create_directory(dir_);
    signer_ = std::move(*CreateSigner(work_ + "/key", "log"));
    pem_ = work_ + "/key.pem";
    ASSERT_TRUE(WriteFileDurably(pem_, signer_->public_key().Pem(), 0644));
    key_ = work_ + "/key.pub";
    ASSERT_TRUE(WriteFileDurably(key_, signer_->public_key().OpenSsh() + "\n", 0644));
    auto ledger = Ledger::Create(dir_, kOrigin, std::move(*OpenRocksStore(StorePath(dir_), StoreAccess::kCreate)), *signer_, clock_);
    ASSERT_TRUE(ledger) << ledger.error().message;
    ledger_ = std::move(*ledger);
  }
  void TearDown() override {
    ledger_.reset();
    std::filesystem::remove_all(work_);
  }
  Status Reopen() { return OpenAt(dir_, *signer_); }
  Status OpenAt(const std::string& dir, const Signer& signer) {
    ledger_.reset();
    auto store = OpenRocksStore(StorePath(dir), StoreAccess::kWrite);
    if (!store) return tl::unexpected(store.error());
    auto ledger = Ledger::Open(dir, std::move(*store), signer, clock_);
    if (!ledger) return tl::unexpected(ledger.error());
    ledger_ = std::move(*ledger);
    return {};
  }
  // A START, a CANON of tenant acme, then acts and refusals of domain `d`.
  void AppendStory(int acts) {
    std::vector<Record> records;
    if (ledger_->head().size == 0) {
      records.push_back({"START", {{"host", "node-1"}, {"version", "0.1.0"}, {"kernel", "6.12"}}});
      records.push_back({"CANON", {{"domain", "d"}, {"digest", "c0"}, {"canon", json::Object{{"tenant", "acme"}}}}});
    }
    for (int i = 0; i < acts; ++i) {
      const std::string receipt = Hex(Sha256("receipt " + std::to_string(i % 7)));
      if (i % 3 == 0) {
        records.push_back({"DENY", {{"domain", "d"}, {"kind", "connect"}, {"op", "connect"}, {"address", "tcp 10.0.0.1 port 80"}, {"comm", "curl"}, {"pid", 7}, {"uid", 0}, {"code", "NO_RECEIPT"}, {"blocked", true}}});
        records.push_back({"DENIALS", {{"domain", "d"}, {"from_seq", i / 3 + 1}, {"to_seq", i / 3 + 1}, {"codes", json::Object{{"NO_RECEIPT", 1}}}}});
      } else {
        records.push_back({"ACT", {{"domain", "d"}, {"kind", i % 3 == 1 ? "write" : "exec"}, {"op", i % 3 == 1 ? "open for writing" : "run a program"}, {"path", json::Bytes("/srv/f\xc3" + std::to_string(i))}, {"program", "/usr/bin/python3"}, {"comm", "python3"}, {"pid", 8}, {"uid", 0}, {"receipt", receipt}}});
      }
    }
    ASSERT_TRUE(ledger_->Append(std::move(records)));
  }
  static std::vector<std::string> Findings(const std::string& dir, const PublicKey& key) {
    const auto reader = OpenReadOnly(dir);
    if (!reader) return {reader.error().message};
    const auto files = reader->store->CheckFiles();
    if (!files) return {files.error().message};
    const auto report = Verify(*reader->store, key, reader->origin, *ReadFile(AnchorPath(dir), 1 << 16), {}, nullptr);
    if (!report) return {report.error().message};
    std::vector<std::string> findings = report->findings;
    const auto index = CheckIndex(*reader->store, nullptr);
    if (!index) return {index.error().message};
    findings.insert(findings.end(), index->begin(), index->end());
    return findings;
  }
  std::vector<std::string> Findings() const { return Findings(dir_, signer_->public_key()); }
  // Does any file of the store hold these bytes?
  bool OnDisk(const std::string& bytes) const { return Shell("grep -rqF '" + bytes + "' " + StorePath(dir_)).status == 0; }

  std::string work_;
  std::string dir_;
  std::string pem_;
  std::string key_;
  FakeClock clock_;
  std::unique_ptr<Signer> signer_;
  std::unique_ptr<Ledger> ledger_;
};

}  // namespace proofgate::ledger

#endif  // PROOFGATE_TESTS_LEDGER_ROCKS_FIXTURE_H_
