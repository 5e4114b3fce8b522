#include "agent/ring.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/fake/fake_pep.h"

namespace proofgate::agent {
namespace {

std::vector<std::string> ReadAll(const Ring& ring, std::uint64_t& position, std::size_t limit = 100) {
  std::vector<std::string> texts;
  position = ring.Read(position, limit, [&texts](std::span<const std::byte> bytes) {
    texts.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  return texts;
}

TEST(Ring, GivesFinishedRecordsInOrder) {
  FakeRing fake;
  fake.Produce("one", 3);
  fake.Produce("three", 5);
  std::uint64_t position = 0;
  EXPECT_EQ(ReadAll(fake.ring, position), (std::vector<std::string>{"one", "three"}));
  EXPECT_EQ(position, fake.producer);
  EXPECT_EQ(fake.consumer, 0u) << "reading consumes nothing";
  fake.ring.SetConsumed(position);
  EXPECT_EQ(fake.consumer, position);
}

TEST(Ring, StopsAtARecordThatIsBeingWritten) {
  FakeRing fake;
  fake.Produce("one", 3);
  fake.Produce("two", 3, FakeRing::Entry::kBusy);
  fake.Produce("three", 5);
  std::uint64_t position = 0;
  EXPECT_EQ(ReadAll(fake.ring, position), (std::vector<std::string>{"one"}));
  EXPECT_EQ(position, 16u);
}

TEST(Ring, SkipsDiscardedRecords) {
  FakeRing fake;
  fake.Produce("gone", 4, FakeRing::Entry::kDiscarded);
  fake.Produce("two", 3);
  std::uint64_t position = 0;
  EXPECT_EQ(ReadAll(fake.ring, position), (std::vector<std::string>{"two"}));
}

TEST(Ring, GivesNoMoreThanAskedFor) {
  FakeRing fake;
  for (int i = 0; i < 5; ++i) fake.Produce("x", 1);
  std::uint64_t position = 0;
  EXPECT_EQ(ReadAll(fake.ring, position, 2).size(), 2u);
  EXPECT_EQ(ReadAll(fake.ring, position, 9).size(), 3u);
}

}  // namespace
}  // namespace proofgate::agent
