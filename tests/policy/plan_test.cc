#include "policy/plan.h"

#include <gtest/gtest.h>

namespace proofgate::policy {
namespace {

std::string Wrap(const std::string& action) {
  return R"({"format":1,"plans":[{"steps":[{"any":[)" + action + "]}]}]}";
}
const std::string kWrite = R"({"kind":"write","object":{"file":"/srv/a"})";

std::string Mistake(const std::string& text) {
  const auto plans = ParsePlans(text);
  return plans ? "" : plans.error().message;
}

TEST(Plan, IsReadWhole) {
  const auto plans = ParsePlans(
      R"( {"plans":[{"name":"n","steps":[{"any":[{"kind":"connect","object":{"cidr":"10.0.0.0/8","port":443,"proto":"tcp"},)"
      R"("rule":"r","exe":"/usr/bin/curl","ttl_ns":5,"uses":7,"worse":{"cost":1,"success_ppm":2}}]}]}],"format":1} )");
  ASSERT_TRUE(plans) << plans.error().message;
  const Action& action = plans->plans.at(0).steps.at(0).any.at(0);
  EXPECT_EQ(action.kind, Kind::kConnect);
  EXPECT_EQ(action.object.net.port, 443);
  EXPECT_EQ(action.rule, "r");
  EXPECT_EQ(action.exe, "/usr/bin/curl");
  EXPECT_EQ(action.ttl_ns, 5u);
  EXPECT_EQ(action.uses, 7u);
  EXPECT_EQ(action.worse.cost, 1u);
  EXPECT_EQ(action.worse.success_ppm, 2u);
  EXPECT_FALSE(action.worse.risk_ppm);
  const auto back = ParsePlansJson(PlansJson(*plans));
  ASSERT_TRUE(back);
  EXPECT_EQ(json::Encode(PlansJson(*back)), json::Encode(PlansJson(*plans)));
}

TEST(Plan, EveryMistakeSaysWhere) {
  EXPECT_EQ(Mistake(Wrap(kWrite + "}")), "");
  EXPECT_NE(Mistake(Wrap(kWrite + R"(,"uses":0})")).find("plans[0].steps[0].any[0].uses: "), std::string::npos);
  EXPECT_NE(Mistake(Wrap(kWrite + R"(,"uses":"1"})")), "") << "a small count as text";
  EXPECT_NE(Mistake(Wrap(kWrite + R"(,"uses":-1})")).find("any[0].uses"), std::string::npos);
  EXPECT_NE(Mistake(Wrap(kWrite + R"(,"use":1})")).find("any[0].use: unknown"), std::string::npos);
  EXPECT_NE(Mistake(Wrap(kWrite + R"(,"worse":{}})")).find("any[0].worse"), std::string::npos);
  EXPECT_NE(Mistake(Wrap(kWrite + R"(,"worse":{"success_ppm":0}})")).find("worse.success_ppm"), std::string::npos);
  EXPECT_NE(Mistake(Wrap(kWrite + R"(,"worse":{"cost":1000000000000001}})")).find("worse.cost"), std::string::npos);
  EXPECT_NE(Mistake(Wrap(kWrite + R"(,"exe":"curl"})")).find("any[0].exe"), std::string::npos);
  EXPECT_NE(Mistake(Wrap(R"({"kind":"write","object":{"file":"/srv/../a"}})")).find("any[0].object"), std::string::npos);
  EXPECT_NE(Mistake(Wrap(R"({"kind":"connect","object":{"cidr":"10.0.0.1/8","port":1,"proto":"tcp"}})")).find("any[0].object"), std::string::npos);
  EXPECT_NE(Mistake(Wrap(R"({"kind":"never","object":{"file":"/srv/a"}})")).find("any[0].kind"), std::string::npos);
  EXPECT_NE(Mistake(Wrap(R"({"kind":"write"})")).find("any[0].object"), std::string::npos);
  EXPECT_NE(Mistake(R"({"format":2,"plans":[]})").find("format"), std::string::npos);
  EXPECT_NE(Mistake(R"({"format":1,"plans":[]})").find("plans: a list of 1 to 16"), std::string::npos);
  EXPECT_NE(Mistake(R"({"format":1,"plans":[{"steps":[]}]})").find("plans[0].steps"), std::string::npos);
  EXPECT_NE(Mistake(R"({"format":1,"plans":[{"steps":[{"any":[]}]}]})").find("plans[0].steps[0].any"), std::string::npos);
  EXPECT_NE(Mistake("[]").find("plan file"), std::string::npos);
}

TEST(Plan, NumbersAreWholeAndNothingElse) {
  for (const char* number : {"1.0", "1e3", "NaN", "Infinity", "-0.0", "null", "0x10", "01", "\"NaN\"", "\"1,5\"", "true",
                             "18446744073709551616", "9007199254740993"})
    EXPECT_NE(Mistake(Wrap(kWrite + ",\"uses\":" + number + "}")), "") << number;
}

TEST(Plan, DuplicatesDepthAndLengthAreRefused) {
  EXPECT_NE(Mistake(Wrap(kWrite + R"(,"uses":1,"uses":2})")), "");
  EXPECT_NE(Mistake(std::string(40, '[') + std::string(40, ']')), "");
  EXPECT_NE(Mistake(std::string(kMaxPlansBytes + 1, ' ')), "");
  std::string many;
  for (int i = 0; i < 9; ++i)
    many += (i == 0 ? "" : ",") + std::string(R"({"kind":"write","object":{"file":"/srv/)") + std::to_string(i) + "\"}}";
  EXPECT_NE(Mistake(Wrap(many)).find("a list of 1 to 8"), std::string::npos);
  std::string wide;
  for (int i = 0; i < 12; ++i) {
    std::string path;
    for (int j = 0; j < 16; ++j) path += "/" + std::string(240, static_cast<char>('a' + i));
    wide += (i == 0 ? "" : ",") + std::string(R"({"steps":[{"any":[{"kind":"write","object":{"file":")") + path + "\"}}]}]}";
  }
  EXPECT_NE(Mistake(R"({"format":1,"plans":[)" + wide + "]}").find("canonical form"), std::string::npos);
}

TEST(Plan, OrderSpacesAndRepetitionChangeNothing) {
  const std::string a = R"({"kind":"write","object":{"file":"/srv/a"}})";
  const std::string b = R"({"object":{"tree":"/srv/b"},"kind":"write","uses":3})";
  const auto encode = [](const std::string& text) { return json::Encode(PlansJson(*ParsePlans(text))); };
  const auto plans = [](const std::string& first, const std::string& second) {
    return R"({"format":1,"plans":[{"name":"one","steps":[{"any":[)" + first + R"(]}]},{"name":"two","steps":[{"any":[)" + second + "]}]}]}";
  };
  EXPECT_EQ(encode(Wrap(a + "," + b)), encode(Wrap(b + " ,\n" + a + "," + b)));
  const std::string both = encode(plans(a, a));
  EXPECT_EQ(both, encode(R"({"format":1,"plans":[{"name":"two","steps":[{"any":[)" + a + R"(]}]},{"name":"one","steps":[{"any":[)" + a + "]}]}]}"));
  EXPECT_NE(both.find("\"one\""), std::string::npos);
  EXPECT_EQ(both.find("\"two\""), std::string::npos) << "equal plans are one";
}

TEST(Plan, TakesPathsThatAreNotAscii) {
  const auto plans = ParsePlans(Wrap("{\"kind\":\"write\",\"object\":{\"file\":\"/srv/\xc3\xa4\"}}"));
  ASSERT_TRUE(plans) << plans.error().message;
  EXPECT_EQ(plans->plans[0].steps[0].any[0].object.path, "/srv/\xc3\xa4");
  EXPECT_TRUE(json::IsEncodable(PlansJson(*plans)));
}

}  // namespace
}  // namespace proofgate::policy
