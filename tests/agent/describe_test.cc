#include "agent/describe.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "agent/agent.h"
#include "base/durable.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_pep.h"
#include "tests/fake/fake_units.h"
#include "tests/fake/memory_store.h"

namespace proofgate::agent {
namespace {

// docs/format/control.json is what the methods ask for, to the byte; the clients
// are generated from it.
TEST(Describe, TheDescriptionIsWhatTheMethodsAskFor) {
  std::string pattern = ::testing::TempDir() + "describe.XXXXXX";
  const std::string dir = mkdtemp(pattern.data());
  const auto signer = CreateSigner(dir + "/key", "host");
  ASSERT_TRUE(signer);
  FakeClock clock;
  const auto ledger = ledger::Ledger::Create(dir, "host.example/log", std::make_unique<ledger::MemoryStore>(std::make_shared<ledger::MemoryDisk>()),
                                             **signer, clock);
  ASSERT_TRUE(ledger);
  FakeUnits units;
  FakeKernel kernel;
  FakePep pep(kernel);
  const auto agent = Agent::Start(pep, **ledger, **signer, clock, Host{"host", "boot-1"}, units);
  ASSERT_TRUE(agent);
  const std::uint64_t size = (*ledger)->head().size;
  const auto doors = DescribeDoors(**agent);
  ASSERT_TRUE(doors) << doors.error().message;
  EXPECT_EQ((*ledger)->head().size, size) << "describing did something";
  const std::string text = json::Pretty(*doors) + "\n";
  const std::string path = DOCS "/format/control.json";
  const char* const write = getenv("PROOFGATE_WRITE_DESCRIPTION");
  if (write != nullptr) {
    ASSERT_TRUE(WriteFileDurably(path, text, 0644));
  }
  const auto written = ReadFile(path, 1 << 20);
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(*written, text) << "run: PROOFGATE_WRITE_DESCRIPTION=1 agent_test --gtest_filter='Describe.*'; then agent/clients/generate.py";
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace proofgate::agent
