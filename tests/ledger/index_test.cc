#include "ledger/index.h"

#include "tests/ledger/rocks_fixture.h"

namespace proofgate::ledger {
namespace {

class IndexTest : public RocksLedgerTest {
 protected:
  std::vector<std::uint64_t> Ask(const Query& query) const {
    std::vector<std::uint64_t> found;
    const Status ran = RunQuery(ledger_->store(), query, [&found](std::uint64_t index, const json::Value&) -> Status {
      found.push_back(index);
      return {};
    });
    EXPECT_TRUE(ran) << ran.error().message;
    return found;
  }
  // The same by reading everything.
  std::vector<std::uint64_t> AskSlowly(const std::string& field, const std::string& value) const {
    std::vector<std::uint64_t> found;
    for (std::uint64_t index = 0; index < ledger_->head().size; ++index) {
      const json::Value leaf = *json::Parse(*ledger_->Entry(index));
      const bool is_kind = field == "kind";
      const auto text = is_kind ? json::GetString(leaf, field) : json::GetBytes(*leaf.Find("body"), field);
      if (text && *text == value) found.push_back(index);
    }
    return found;
  }
};

TEST_F(IndexTest, FindsByEachFieldWhatAFullReadFinds) {
  AppendStory(40);
  const std::string receipt = Hex(Sha256("receipt 1"));
  const std::string path = "/srv/f\xc3" + std::to_string(4);
  Query query;
  query.receipt = receipt;
  EXPECT_EQ(Ask(query), AskSlowly("receipt", receipt));
  query = {};
  query.object = path;
  EXPECT_EQ(Ask(query), AskSlowly("path", path));
  EXPECT_EQ(Ask(query).size(), 1u);
  query = {};
  query.code = "NO_RECEIPT";
  EXPECT_EQ(Ask(query), AskSlowly("code", "NO_RECEIPT"));
  query = {};
  query.kind = "ACT";
  EXPECT_EQ(Ask(query), AskSlowly("kind", "ACT"));
  query = {};
  query.domain = "d";
  EXPECT_EQ(Ask(query), AskSlowly("domain", "d"));
  query.domain = "other";
  EXPECT_TRUE(Ask(query).empty());
  EXPECT_EQ(Ask({}).size(), ledger_->head().size);
}

TEST_F(IndexTest, FieldsNarrowEachOtherAndTheLimitHolds) {
  AppendStory(40);
  Query query;
  query.domain = "d";
  query.kind = "DENY";
  query.object = "tcp 10.0.0.1 port 80";
  const auto all = Ask(query);
  EXPECT_EQ(all, AskSlowly("kind", "DENY"));
  query.limit = 2;
  EXPECT_EQ(Ask(query), std::vector<std::uint64_t>(all.begin(), all.begin() + 2));
  query.code = "EXPIRED";
  EXPECT_TRUE(Ask(query).empty());
}

TEST_F(IndexTest, FindsAReceiptByItsFirstDigits) {
  AppendStory(40);
  Query query;
  const std::string receipt = Hex(Sha256("receipt 2"));
  query.receipt = receipt.substr(0, 8);
  EXPECT_EQ(Ask(query), AskSlowly("receipt", receipt));
}

TEST_F(IndexTest, TimeIsFromAndUpTo) {
  AppendStory(3);  // at 2023-11-14T22:30
  const std::uint64_t border = ledger_->head().size;
  clock_.Advance(7'200'000'000'000);
  AppendStory(3);
  Query query;
  query.from_utc = "2023-11-14T23:00";
  const auto later = Ask(query);
  EXPECT_EQ(later.size(), ledger_->head().size - border);
  EXPECT_EQ(later.front(), border);
  query = {};
  query.to_utc = "2023-11-14T23:00";
  EXPECT_EQ(Ask(query).size(), border);
  query.from_utc = "2023-11-14T22:45";
  EXPECT_TRUE(Ask(query).empty());
  query.from_utc = "yesterday";
  EXPECT_EQ(CheckQuery(query).error().code, Code::kInvalid);
}

TEST_F(IndexTest, ARebuildReproducesIt) {
  AppendStory(60);
  Query query;
  query.kind = "ACT";
  const auto before = Ask(query);
  EXPECT_TRUE(CheckIndex(ledger_->store(), nullptr)->empty());
  ASSERT_TRUE(ledger_->store().ClearTerms());
  EXPECT_FALSE(CheckIndex(ledger_->store(), nullptr)->empty());
  EXPECT_TRUE(Ask(query).empty());
  ASSERT_TRUE(RebuildIndex(ledger_->store(), nullptr));
  EXPECT_TRUE(CheckIndex(ledger_->store(), nullptr)->empty());
  EXPECT_EQ(Ask(query), before);
}

TEST_F(IndexTest, ATermThatDoesNotBelongIsNoticed) {
  AppendStory(5);
  Batch batch;
  batch.head = *ledger_->store().ReadHead();
  batch.first = batch.head.size;
  batch.terms.emplace_back("domain=other", 1);
  ASSERT_TRUE(ledger_->store().Commit(batch));
  EXPECT_EQ(CheckIndex(ledger_->store(), nullptr)->size(), 1u);
}

TEST(Index, LongValuesAreKeptByDigest) {
  EXPECT_EQ(MakeTerm("object", "/a"), "object=/a");
  EXPECT_EQ(MakeTerm("object", std::string(5000, 'x')).size(), std::string("object=#").size() + 32);
  EXPECT_EQ(MakeTerm("object", std::string("a\0b", 3)).find('\0'), std::string::npos);
}

}  // namespace
}  // namespace proofgate::ledger
