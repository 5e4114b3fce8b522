#include "agent/grants.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include "tests/fake/fake_pep.h"

namespace proofgate::agent {
namespace {

GrantPlace File(std::uint64_t object) {
  GrantPlace place;
  place.key = {object, 1, KIND_WRITE};
  return place;
}

GrantPlace Block(const char* ip, unsigned bits, int port) {
  GrantPlace place;
  place.is_address = true;
  place.form = FORM_ADDRESS;
  place.address.prefix_bits = 64 + bits;
  place.address.domain = 1;
  place.address.address.family = AF_INET;
  place.address.address.proto = 6;
  place.address.address.port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, ip, place.address.address.bytes);
  return place;
}

class GrantsTest : public ::testing::Test {
 protected:
  std::vector<std::uint32_t> SlotsAt(const GrantPlace& place) const {
    std::vector<std::uint32_t> slots;
    const auto& rows = place.is_address ? kernel_.addresses : kernel_.grants;
    const auto row = rows.find(place.is_address ? KeyBytes(place.address) : KeyBytes(place.key));
    if (row != rows.end())
      for (const grant& entry : row->second) slots.push_back(entry.slot);
    return slots;
  }

  FakeKernel kernel_;
  FakePep pep_{kernel_};
  Grants grants_{pep_};
};

using Slots = std::vector<std::uint32_t>;

TEST_F(GrantsTest, SeveralReceiptsMayNameOneObject) {
  ASSERT_TRUE(grants_.Place(1, 1, {File(100)}));
  ASSERT_TRUE(grants_.Place(2, 1, {File(100), File(101)}));
  EXPECT_EQ(SlotsAt(File(100)), (Slots{1, 2}));
  ASSERT_TRUE(grants_.Remove(1));
  EXPECT_EQ(SlotsAt(File(100)), Slots{2});
  ASSERT_TRUE(grants_.Remove(2));
  EXPECT_TRUE(kernel_.grants.empty());
}

TEST_F(GrantsTest, PlacesAreReplacedNotAdded) {
  ASSERT_TRUE(grants_.Place(1, 1, {File(100), File(101)}));
  ASSERT_TRUE(grants_.Place(1, 1, {File(101), File(102)}));
  EXPECT_EQ(SlotsAt(File(100)), Slots{});
  EXPECT_EQ(SlotsAt(File(101)), Slots{1});
  EXPECT_EQ(SlotsAt(File(102)), Slots{1});
}

TEST_F(GrantsTest, ANarrowBlockCarriesTheReceiptsOfTheBlocksAroundIt) {
  ASSERT_TRUE(grants_.Place(1, 1, {Block("10.1.2.3", 32, 80)}));
  ASSERT_TRUE(grants_.Place(2, 1, {Block("10.0.0.0", 8, 80)}));
  ASSERT_TRUE(grants_.Place(3, 1, {Block("10.0.0.0", 8, 443)}));
  EXPECT_EQ(SlotsAt(Block("10.1.2.3", 32, 80)), (Slots{2, 1}));
  EXPECT_EQ(SlotsAt(Block("10.0.0.0", 8, 80)), Slots{2});
  ASSERT_TRUE(grants_.Remove(2));
  EXPECT_EQ(SlotsAt(Block("10.1.2.3", 32, 80)), Slots{1});
  EXPECT_EQ(SlotsAt(Block("10.0.0.0", 8, 80)), Slots{});
}

TEST_F(GrantsTest, WhenATableIsFullNothingOfTheReceiptStays) {
  kernel_.rows_until_full = 1;
  EXPECT_FALSE(grants_.Place(1, 1, {File(100), File(101)}));
  EXPECT_TRUE(kernel_.grants.empty());
}

TEST_F(GrantsTest, ARowThatNoReceiptKeepsIsRemoved) {
  kernel_.grants[KeyBytes(File(7).key)] = {grant{9, 9, FORM_FILE, 0}};
  ASSERT_TRUE(grants_.Place(1, 1, {File(100)}));
  ASSERT_TRUE(grants_.KeepOnlyOurs());
  EXPECT_EQ(kernel_.grants.size(), 1u);
  EXPECT_EQ(SlotsAt(File(100)), Slots{1});
}

}  // namespace
}  // namespace proofgate::agent
