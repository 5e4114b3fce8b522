// The table of known errors in docs/format/plan.md names tests; they are here.

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "base/durable.h"

namespace proofgate::policy {
namespace {

TEST(KnownErrors, EachHasATestOfThisName) {
  std::set<std::string> tests;
  const auto* const all = ::testing::UnitTest::GetInstance();
  for (int i = 0; i < all->total_test_suite_count(); ++i)
    for (int k = 0; k < all->GetTestSuite(i)->total_test_count(); ++k)
      tests.insert(std::string(all->GetTestSuite(i)->name()) + "." + all->GetTestSuite(i)->GetTestInfo(k)->name());
  const std::string document = *ReadFile(std::string(DOCS) + "/format/plan.md", 1 << 20);
  const std::size_t from = document.find("## Known errors");
  ASSERT_NE(from, std::string::npos);
  const std::string table = document.substr(from);
  const std::regex name("`([A-Za-z]+\\.[A-Za-z]+)`");
  std::size_t rows = 0;
  for (std::sregex_iterator at(table.begin(), table.end(), name), end; at != end; ++at, ++rows)
    EXPECT_TRUE(tests.contains((*at)[1].str())) << (*at)[1].str();
  EXPECT_GE(rows, 9u);
}

}  // namespace
}  // namespace proofgate::policy
