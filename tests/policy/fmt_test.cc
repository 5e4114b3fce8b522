#include "policy/fmt.h"

#include <gtest/gtest.h>

#include "base/durable.h"
#include "policy/parse.h"
#include "tests/policy/random_canon.h"

namespace proofgate::policy {
namespace {

TEST(Fmt, LaysOutWithoutLosingAComment) {
  const std::string untidy =
      "# head\n"
      "format:   1   # the version\n"
      "tenant: t\n"
      "domain:  \"d\"\n"
      "mode: enforce\n"
      "\n\n\n"
      "standing:\n"
      "- {id: base,profile: base}   # what programs need\n"
      "rules:\n"
      "      # about files\n"
      "      -  id: w\n"
      "         permit: write   # only here\n"
      "         in: [ {dir: /srv,   depth: all},\n"
      "               {file: '/opt/#x'} ]   # two\n"
      "         # before the limits\n"
      "         limits: {ttl: 1m, uses: 5}\n"
      "# tail\n";
  const auto tidy = FormatCanon(untidy);
  ASSERT_TRUE(tidy) << tidy.error().message;
  EXPECT_EQ(*tidy,
            "# head\n"
            "format: 1  # the version\n"
            "tenant: t\n"
            "domain: \"d\"\n"
            "mode: enforce\n"
            "\n"
            "standing:\n"
            "  - { id: base, profile: base }  # what programs need\n"
            "rules:\n"
            "  # about files\n"
            "  - id: w\n"
            "    permit: write  # only here\n"
            "    in: [{ dir: /srv, depth: all }, { file: \"/opt/#x\" }]\n"
            "    # two\n"
            "    # before the limits\n"
            "    limits: { ttl: 1m, uses: 5 }\n"
            "# tail\n");
  EXPECT_EQ(*FormatCanon(*tidy), *tidy);
  EXPECT_EQ(CanonJson(ParseCanon(*tidy, "c").canons.at(0)), CanonJson(ParseCanon(untidy, "c").canons.at(0)));
}

TEST(Fmt, BreaksWhatIsTooLong) {
  std::string text = "format: 1\ntenant: t\ndomain: d\nmode: enforce\nrules:\n  - { id: f, forbid: write, in: [";
  for (int i = 0; i < 12; ++i) text += "{ dir: /srv/directory" + std::to_string(i) + " }, ";
  text += "{ file: /x }] }\n";
  const auto tidy = FormatCanon(text);
  ASSERT_TRUE(tidy) << tidy.error().message;
  for (std::size_t at = 0; at < tidy->size();) {
    const std::size_t end = tidy->find('\n', at);
    EXPECT_LE(end - at, 120u);
    at = end + 1;
  }
  EXPECT_EQ(*FormatCanon(*tidy), *tidy);
}

TEST(Fmt, IsIdempotentWhateverTheLayout) {
  RandomCanon random(7);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    const auto remark = [&] {
      if (random.Below(4) == 0) text += std::string(random.Below(3), '\n') + std::string(random.Below(6), ' ') + "# note\n";
    };
    const auto space = [&] { return std::string(random.Below(3), ' '); };
    for (unsigned documents = 1 + random.Below(2), d = 0; d < documents; ++d) {
      if (d != 0) text += "---\n";
      for (const char* key : {"format", "tenant", "rules"}) {
        remark();
        text += std::string(key) + ": " + space();
        if (random.Below(2) == 0) {
          text += "[" + space() + "a," + space() + " { b: 'c' }" + (random.Below(3) == 0 ? ",\n   d" : "") + "]";
        } else if (random.Below(2) == 0) {
          text += "\n";
          remark();
          text += "  - x: \"y # z\"" + space() + "\n";
          remark();
          text += "    z: w";
        } else {
          text += "1";
        }
        text += random.Below(3) == 0 ? "  # t\n" : "\n";
      }
    }
    remark();
    const auto tidy = FormatCanon(text);
    ASSERT_TRUE(tidy) << tidy.error().message << "\n" << text;
    const auto again = FormatCanon(*tidy);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, *tidy) << text;
  }
}

TEST(Fmt, TheExamplesAreFormatted) {
  const std::string text = *ReadFile(DEMO_CANON, 1 << 20);
  EXPECT_EQ(FormatCanon(text).value_or("cannot be formatted"), text);
}

TEST(Fmt, RefusesWhatIsNotTheSubset) {
  for (const char* text : {"a: &x b\n", "a: |\n  b\n", "{", "\xef\xbb\xbf" "a: b\n"}) EXPECT_FALSE(FormatCanon(text)) << text;
}

}  // namespace
}  // namespace proofgate::policy
