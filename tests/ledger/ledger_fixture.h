// LedgerTest: a ledger over a MemoryStore in a directory of its own, and what
// checks it from outside.

#ifndef PROOFGATE_TESTS_LEDGER_LEDGER_FIXTURE_H_
#define PROOFGATE_TESTS_LEDGER_LEDGER_FIXTURE_H_

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/durable.h"
#include "ledger/checkpoint.h"
#include "ledger/fsck.h"
#include "ledger/ledger.h"
#include "tests/fake/memory_store.h"

namespace proofgate::ledger {

constexpr const char* kOrigin = "host.example/proofgate";

struct Ran {
  int status = -1;
  std::string out;  // standard output and error
};

// Runs a shell command.
inline Ran Shell(const std::string& command) {
  Ran ran;
  FILE* const pipe = popen(("(" + command + ") 2>&1").c_str(), "r");
  if (pipe == nullptr) return ran;
  char buffer[4096];
  for (std::size_t got = 0; (got = fread(buffer, 1, sizeof(buffer), pipe)) != 0;) ran.out.append(buffer, got);
  const int status = pclose(pipe);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

class LedgerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "ledger.XXXXXX";
    dir_ = mkdtemp(pattern.data());
    signer_ = std::move(*CreateSigner(dir_ + "/key", "log"));
    pem_ = dir_ + "/key.pem";
    ASSERT_TRUE(WriteFileDurably(pem_, signer_->public_key().Pem(), 0644));
    auto ledger = Ledger::Create(dir_, kOrigin, MakeStore(), *signer_, clock_);
    ASSERT_TRUE(ledger) << ledger.error().message;
    ledger_ = std::move(*ledger);
  }
  void TearDown() override {
    ledger_.reset();
    std::filesystem::remove_all(dir_);
  }
  std::unique_ptr<Store> MakeStore() const { return std::make_unique<MemoryStore>(disk_); }
  Status Reopen() {
    ledger_.reset();
    disk_->next = Fault::kNone;
    auto ledger = Ledger::Open(dir_, MakeStore(), *signer_, clock_);
    if (!ledger) return tl::unexpected(ledger.error());
    ledger_ = std::move(*ledger);
    return {};
  }
  static std::vector<Record> Records(int count) {
    std::vector<Record> records;
    for (int i = 0; i < count; ++i) records.push_back({"TEST", {{"n", i}}});
    return records;
  }
  FsckReport Check(const std::vector<HeldHead>& held = {}) {
    return *Verify(ledger_->store(), signer_->public_key(), kOrigin, *ReadFile(AnchorPath(dir_), 4096), held, nullptr);
  }
  void ExpectSound(std::uint64_t size) {
    const FsckReport report = Check();
    EXPECT_EQ(report.findings, std::vector<std::string>{});
    EXPECT_EQ(report.head.size, size);
    EXPECT_EQ(report.head, ledger_->head());
  }
  NodeReader Nodes() const {
    return [this](NodeId id) { return ledger_->store().ReadNode(id); };
  }
  std::string Put(const std::string& name, std::string_view bytes) const {
    const std::string path = dir_ + "/" + name;
    EXPECT_TRUE(WriteFileDurably(path, bytes, 0644));
    return path;
  }

  std::string dir_;
  std::string pem_;
  SystemClock clock_;
  std::unique_ptr<Signer> signer_;
  const std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  std::unique_ptr<Ledger> ledger_;
};

}  // namespace proofgate::ledger

#endif  // PROOFGATE_TESTS_LEDGER_LEDGER_FIXTURE_H_
