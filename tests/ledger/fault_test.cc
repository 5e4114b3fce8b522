// Each file operation that a day of the ledger makes fails, before it did
// anything and after it did everything; then another process goes on.
// PROOFGATE_FAULT_STEP=1 tries every operation; the default is every 41st.

#include <cerrno>
#include <cstdlib>
#include <set>
#include <sstream>

#include "tests/ledger/rocks_fixture.h"

namespace proofgate::ledger {
namespace {

int Step() {
  const char* const step = std::getenv("PROOFGATE_FAULT_STEP");
  return step == nullptr ? 41 : std::max(1, std::atoi(step));
}

struct Day {
  int status = -1;                       // -1: it aborted
  std::vector<std::uint64_t> acknowledged;
  std::string struck;                    // which operation failed; empty: none, or it aborted
  std::string out;
};

class FaultTest : public RocksLedgerTest {
 protected:
  void SetUp() override {
    RocksLedgerTest::SetUp();
    AppendStory(6);
    ASSERT_TRUE(ledger_->Checkpoint());
    ledger_.reset();
    template_ = work_ + "/template";
    std::filesystem::copy(dir_, template_, std::filesystem::copy_options::recursive);
  }
  Day Run(int nth, const char* when, int error_number, const char* lasts) {
    ledger_.reset();
    std::filesystem::remove_all(dir_);
    std::filesystem::remove_all(work_ + "/backup");
    std::filesystem::copy(template_, dir_, std::filesystem::copy_options::recursive);
    const Ran ran = Shell(std::string(LEDGER_DAY) + " " + dir_ + " " + work_ + "/key " + work_ + " " + std::to_string(nth) + " " + when + " " +
                          std::to_string(error_number) + " " + lasts);
    Day day;
    day.status = ran.status > 1 ? -1 : ran.status;
    day.out = ran.out;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("acknowledged ")) day.acknowledged.push_back(std::stoull(line.substr(13)));
      if (line.starts_with("struck ")) day.struck = line.substr(7);
    }
    EXPECT_EQ(ran.out.find("GOES ON"), std::string::npos) << ran.out;
    return day;
  }
  // Nothing acknowledged is lost, everything verifies, and it goes on.
  void ExpectWholeAfter(const Day& day, const std::string& what) {
    const Status reopened = Reopen();
    ASSERT_TRUE(reopened) << what << ": " << reopened.error().message << "\n" << day.out;
    for (const std::uint64_t index : day.acknowledged) {
      EXPECT_TRUE(ledger_->Entry(index)) << what << ": entry " << index << " was acknowledged";
    }
    EXPECT_TRUE(ledger_->Append({{"TEST", {}}})) << what;
    EXPECT_TRUE(ledger_->Checkpoint()) << what;
    EXPECT_EQ(Findings(), std::vector<std::string>{}) << what;
  }

  std::string template_;
};

TEST_F(FaultTest, AnyOperationMayFailBeforeOrAfterItLanded) {
  std::set<std::string> struck;
  int tried = 0;
  for (const char* const when : {"before", "after"})
    for (int nth = 1;; nth += Step()) {
      const Day day = Run(nth, when, EIO, "once");
      if (day.status != -1 && day.struck.empty()) {
        EXPECT_EQ(day.status, 0) << "without a fault: " << day.out;
        break;
      }
      struck.insert(day.struck);
      ++tried;
      ExpectWholeAfter(day, day.struck + " number " + std::to_string(nth) + " " + when);
      if (HasFatalFailure()) return;
    }
  EXPECT_GT(tried, 5);
  EXPECT_TRUE(struck.contains("write")) << "the operations are really ours";
  std::cout << tried << " operations failed\n";
}

TEST_F(FaultTest, AFullDiskAuthorisesNothingNewAndKeepsWhatIsThere) {
  for (int nth = 1; nth < 200; nth += 2 * Step()) {
    const Day day = Run(nth, "before", ENOSPC, "on");
    EXPECT_NE(day.status, 0) << "the disk is full from operation " << nth;
    ExpectWholeAfter(day, "full from " + std::to_string(nth));
  }
}

}  // namespace
}  // namespace proofgate::ledger
