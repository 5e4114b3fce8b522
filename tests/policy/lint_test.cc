#include "policy/lint.h"

#include <gtest/gtest.h>

#include "base/durable.h"
#include "policy/explain.h"
#include "policy/parse.h"

namespace proofgate::policy {
namespace {

constexpr const char* kHead = "format: 1\ntenant: t\ndomain: d\nmode: enforce\n";

// "code@line", in order of place.
std::vector<std::string> Warnings(const std::string& rest) {
  const ParsedCanon parsed = ParseCanon(kHead + rest, "c");
  for (const Diagnostic& diagnostic : parsed.diagnostics) ADD_FAILURE() << Render(diagnostic);
  std::vector<std::string> out;
  for (const Diagnostic& one : Lint(parsed.canons, "c")) {
    EXPECT_EQ(one.severity, Severity::kWarning);
    out.push_back(one.code + "@" + std::to_string(one.where.line));
  }
  return out;
}

using Strings = std::vector<std::string>;

TEST(Lint, TheExampleHasNothingToWarnOf) {
  EXPECT_TRUE(Lint(ParseCanon(*ReadFile(DEMO_CANON, 1 << 20), "demo.yaml").canons, "demo.yaml").empty());
}

TEST(Lint, WarnsOfRulesThatDoNothing) {
  const std::string wide = "rules:\n  - { id: a, permit: write, in: [{ dir: /srv, depth: all }], limits: { ttl: 1h, uses: 9 } }\n";
  EXPECT_EQ(Warnings(wide + "  - { id: b, permit: write, in: [{ file: /srv/x }], limits: { ttl: 1h, uses: 9 } }\n"),
            Strings{"covered@7"});
  EXPECT_EQ(Warnings(wide + "  - { id: b, permit: write, in: [{ file: /srv/x }], limits: { ttl: 2h, uses: 9 } }\n"), Strings{})
      << "it permits it for longer";
  EXPECT_EQ(Warnings("standing: [{ id: s, write: [{ dir: /srv, depth: all }] }]\n" + wide), Strings{"void-by-standing@7"});
  EXPECT_EQ(Warnings("rules:\n  - { id: a, forbid: write, in: [{ dir: /etc, depth: all }] }\n"
                     "  - { id: b, forbid: write, in: [{ file: /etc/passwd }] }\n"),
            Strings{"covered@7"});
  std::string deep;
  for (int i = 0; i < 49; ++i) deep += "/d";
  EXPECT_EQ(Warnings("rules:\n  - { id: a, permit: write, in: [{ file: " + deep + " }], limits: { ttl: 1h, uses: 9 } }\n"),
            Strings{"never-matches@6"});
}

TEST(Lint, WarnsOfRulesThatDoMoreThanTheySay) {
  const auto permit = [](const std::string& kind, const std::string& objects) {
    return "rules:\n  - { id: a, permit: " + kind + ": [{ " + objects + " }], limits: { ttl: 1h, uses: 9 } }\n";
  };
  EXPECT_EQ(Warnings(permit("exec, of", "file: /usr/bin/python3.11")), Strings{"interpreter-arguments@6"});
  EXPECT_EQ(Warnings(permit("exec, of", "dir: /usr/bin")), Strings{"interpreter-arguments@6"});
  EXPECT_EQ(Warnings(permit("exec, of", "file: /usr/bin/sort")), Strings{});
  EXPECT_EQ(Warnings(permit("exec, of", "dir: /tmp/tools")), Strings{"world-writable@6"});
  EXPECT_EQ(Warnings(permit("write, in", "dir: /tmpfiles")), Strings{});
  EXPECT_EQ(Warnings(permit("connect, to", "cidr: 0.0.0.0/0")), Strings{"everything@6"});
  EXPECT_EQ(Warnings(permit("write, in", "file: /srv/p\xd0\xb0th")), Strings{"non-ascii@6"});
}

TEST(Explain, SaysWhichRuleDecidesAndWhatComesNear) {
  const ParsedCanon parsed = ParseCanon(
      std::string(kHead) +
          "standing:\n  - { id: io, write: [{ dir: /run/d, depth: all }] }\n"
          "rules:\n"
          "  - { id: w, permit: write, in: [{ dir: /srv, depth: all }], limits: { ttl: 1m, uses: 5 } }\n"
          "  - { id: never, forbid: write, in: [{ dir: /etc, depth: all }] }\n",
      "c");
  ASSERT_TRUE(parsed.diagnostics.empty());
  const auto ask = [&](const char* object) {
    return Explain(parsed.canons[0], Kind::kWrite, *ReadObjectText(Kind::kWrite, object));
  };
  EXPECT_EQ(ask("/run/d/x").verdict, Verdict::kStanding);
  EXPECT_EQ(ask("/etc/passwd").verdict, Verdict::kForbidden);
  EXPECT_EQ(ask("/etc/passwd").statements.at(0).id, "never");
  EXPECT_EQ(ask("/home/x").verdict, Verdict::kNotPermitted);
  EXPECT_TRUE(ask("/home/x").statements.empty());
  const Explanation permitted = ask("/srv/x");
  EXPECT_EQ(permitted.verdict, Verdict::kPermitted);
  EXPECT_EQ(permitted.statements.at(0).text, "/srv/**; at most 60 s and 5 uses a receipt");
  EXPECT_EQ(ask("/**").verdict, Verdict::kForbidden);
}

TEST(Examples, AreCheckedWhenACanonIsLoaded) {
  const std::string rule = "rules:\n  - { id: w, permit: write, in: [{ dir: /srv, depth: all }], limits: { ttl: 1m, uses: 5 }";
  const auto first = [&](const std::string& rest) {
    const ParsedCanon parsed = ParseCanon(kHead + rest, "c");
    return parsed.diagnostics.empty() ? "" : parsed.diagnostics[0].code + ": " + parsed.diagnostics[0].message;
  };
  EXPECT_EQ(first(rule + ", match: [/srv/a], no_match: [/srv, /opt/a] }\n"), "");
  EXPECT_EQ(first(rule + ", match: [/opt/a] }\n"), "example: rule 'w' does not speak about /opt/a");
  EXPECT_EQ(first(rule + ", no_match: [/srv/a] }\n"), "example: rule 'w' speaks about /srv/a");
  EXPECT_EQ(first(rule + ", match: [/srv/*] }\n"), "bad-act: '/srv/*' is more than one act");
  EXPECT_EQ(first("tests: [{ write: /srv/a, expect: PERMITTED, rule: w }, { write: /x, expect: NOT_PERMITTED }]\n" + rule + " }\n"), "");
  EXPECT_EQ(first("tests: [{ write: /srv/a, expect: FORBIDDEN }]\n" + rule + " }\n"), "example: write /srv/a is PERMITTED (w)");
  EXPECT_EQ(first("tests: [{ write: /srv/a, expect: PERMITTED, rule: v }]\n" + rule + " }\n"),
            "example: rule 'v' does not speak about write /srv/a");
  EXPECT_EQ(first("tests: [{ connect: 10.0.0.1, expect: NOT_PERMITTED }]\n" + rule + " }\n"),
            "bad-act: '10.0.0.1' is more than one act");
}

TEST(Examples, ShowWhichRulesTheyDoNotReach) {
  const ParsedCanon parsed = ParseCanon(
      std::string(kHead) + "tests: [{ write: /srv/a, expect: PERMITTED }]\nrules:\n"
      "  - { id: v, permit: write, in: [{ dir: /opt }], limits: { ttl: 1m, uses: 5 } }\n"
      "  - { id: w, permit: write, in: [{ dir: /srv }], limits: { ttl: 1m, uses: 5 } }\n", "c");
  ASSERT_TRUE(parsed.diagnostics.empty());
  EXPECT_EQ(UntestedRules(parsed.canons[0]), Strings{"v"});
}

}  // namespace
}  // namespace proofgate::policy
