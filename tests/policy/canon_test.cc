#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/durable.h"
#include "policy/parse.h"

namespace proofgate::policy {
namespace {

std::vector<std::string> Mistakes(std::string_view text) {
  std::vector<std::string> out;
  for (const Diagnostic& diagnostic : ParseCanon(text, "c").diagnostics)
    out.push_back(Render(diagnostic));
  return out;
}

// A canon that is right, with one line to put a mistake in.
std::string With(std::string_view rules_line, std::string_view head = "mode: enforce") {
  return "format: 1\ntenant: t\ndomain: d\n" + std::string(head) + "\nrules:\n  - " +
         std::string(rules_line) + "\n";
}

TEST(Canon, TheExampleIsRight) {
  const ParsedCanon parsed = ParseCanon(*ReadFile(DEMO_CANON, 1 << 20), "demo.yaml");
  for (const Diagnostic& diagnostic : parsed.diagnostics) ADD_FAILURE() << Render(diagnostic);
  ASSERT_EQ(parsed.canons.size(), 1u);
  const Canon& canon = parsed.canons[0];
  EXPECT_EQ(canon.domain, "demo");
  EXPECT_EQ(canon.standing.size(), 3u);
  ASSERT_EQ(canon.rules.size(), 4u);
  EXPECT_EQ(canon.rules[0].objects[0].form, Form::kTree);
  EXPECT_EQ(canon.rules[0].limits.ttl_ns, 3600ull * 1'000'000'000);
  EXPECT_EQ(canon.rules[0].limits.uses, 1'000'000u);
  EXPECT_EQ(canon.rules[3].effect, Effect::kForbid);
}

// docs/format/canon.md. Another digest is another canon to every receipt.
TEST(Canon, TheExampleHasItsDigest) {
  const ParsedCanon parsed = ParseCanon(*ReadFile(DEMO_CANON, 1 << 20), "demo.yaml");
  const std::string bytes = json::Encode(CanonJson(parsed.canons.at(0)));
  EXPECT_EQ(bytes.size(), 1925u);
  EXPECT_EQ(Hex(Sha256(bytes)), "4ea7fe20838354e7c9e508264b077960613799cfb1cd8ad6c53c18e8f3de23ab");
}

TEST(Canon, SeveralDomainsAreSeveralDocuments) {
  const std::string one = "format: 1\ntenant: t\ndomain: a\nmode: enforce\n";
  std::string two = one;
  two.replace(two.find("domain: a"), 9, "domain: b");
  const ParsedCanon parsed = ParseCanon(one + "---\n" + two, "c");
  EXPECT_TRUE(parsed.diagnostics.empty());
  EXPECT_EQ(parsed.canons.size(), 2u);
  EXPECT_EQ(Mistakes(one + "---\n" + one).size(), 1u);
}

TEST(Canon, EveryKindHasItsObjectsAndComesBackFromJson) {
  const std::string text = With(
      "{ id: a, permit: bind, on: [{ cidr: \"127.0.0.0/8\", port: 80, proto: tcp }, { class: abstract }], limits: { ttl: 1s, uses: 1 } }\n"
      "  - { id: b, permit: signal, of: [{ file: /usr/sbin/nginx }], limits: { ttl: 1s, uses: 1 } }\n"
      "  - { id: c, permit: capability, of: [{ cap: [net_raw, sys_time] }], limits: { ttl: 1s, uses: 1 } }\n"
      "  - { id: d, permit: read, in: [{ dir: /srv, depth: all }], limits: { ttl: 1s, uses: 1 } }",
      "mode: enforce\nstanding:\n  - { id: s, bind: [{ cidr: \"::/0\" }] }\n  - { id: j, profile: journal }");
  const ParsedCanon parsed = ParseCanon(text, "c");
  for (const Diagnostic& diagnostic : parsed.diagnostics) ADD_FAILURE() << Render(diagnostic);
  ASSERT_EQ(parsed.canons.size(), 1u);
  const Canon& canon = parsed.canons[0];
  ASSERT_EQ(canon.rules.size(), 4u);
  EXPECT_EQ(canon.rules[0].kind, Kind::kBind);
  EXPECT_EQ(canon.rules[0].objects[1].io_class, IoClass::kAbstract);
  EXPECT_EQ(canon.rules[2].objects.size(), 2u);
  EXPECT_EQ(CapabilityName(canon.rules[2].objects[0].capability), "net_raw");
  const auto back = ParseCanonJson(CanonJson(canon));
  ASSERT_TRUE(back);
  EXPECT_EQ(json::Encode(CanonJson(*back)), json::Encode(CanonJson(canon)));
}

TEST(Canon, NoCanonCanGrantTheCapabilitiesThatReachTheKernelItself) {
  for (const char* name : {"bpf", "sys_admin", "sys_module", "sys_ptrace", "perfmon", "sys_rawio"})
    EXPECT_EQ(Mistakes(With(std::string("{ id: a, permit: capability, of: [{ cap: ") + name +
                            " }], limits: { ttl: 1s, uses: 1 } }"))
                  .size(),
              1u)
        << name;
}

struct Case {
  const char* rule;
  const char* at;     // the text the first diagnostic points at
  const char* first;  // and what it says
};

TEST(Canon, NamesThePlaceAndTheRemedyOfEachMistake) {
  const Case cases[] = {
      {"{ id: r, permit: write, in: [{ dir: srv, depth: all }], limits: { ttl: \"1s\", uses: 1 } }",
       "srv", "error: path 'srv' is not a clean absolute path (expected as in /srv/demo: no '..', no '//', no final '/')"},
      {"{ id: r, permit: write, in: [{ dir: /a/../b }], limits: { ttl: \"1s\", uses: 1 } }",
       "/a/..", "error: path '/a/../b' is not a clean absolute path (expected as in /srv/demo: no '..', no '//', no final '/')"},
      {"{ id: r, permit: connect, to: [{ cidr: \"10.0.0.1/8\" }], limits: { ttl: \"1s\", uses: 1 } }",
       "\"10.0.0.1", "error: cidr '10.0.0.1/8': bits beyond the prefix are set (expected as in \"10.0.0.0/8\" or \"::1/128\")"},
      {"{ id: r, permit: connect, to: [{ cidr: \"10.0.0.0\" }], limits: { ttl: \"1s\", uses: 1 } }",
       "\"10.0.0.0\"", "error: cidr '10.0.0.0': a prefix length is missing, as in 10.0.0.0/8 or 127.0.0.1/32 (expected as in \"10.0.0.0/8\" or \"::1/128\")"},
      {"{ id: r, permit: connect, to: [{ cidr: \"::1/129\" }], limits: { ttl: \"1s\", uses: 1 } }",
       "\"::1/129", "error: cidr '::1/129': prefix length from 0 to 128 expected (expected as in \"10.0.0.0/8\" or \"::1/128\")"},
      {"{ id: r, permit: connect, to: [{ cidr: \"::/0\", port: 65536 }], limits: { ttl: \"1s\", uses: 1 } }",
       "65536", "error: port '65536' is out of range (expected a whole number from 1 to 65535)"},
      {"{ id: r, permit: write, in: [{ dir: /a }], limits: { ttl: \"1s\", uses: 0 } }",
       "0 }", "error: uses '0' is out of range (expected a whole number from 1 to 1000000000)"},
      {"{ id: r, permit: write, in: [{ dir: /a }], limits: { ttl: \"25h\", uses: 1 } }",
       "\"25h", "error: ttl '25h' is not a duration (expected a number with ms, s, m or h, at most 24h, as in \"30s\")"},
      {"{ id: r, permit: write, in: [{ dir: /a }], limits: { ttl: 30, uses: 1 } }",
       "30,", "error: ttl '30' is not a duration (expected a number with ms, s, m or h, at most 24h, as in \"30s\")"},
      {"{ id: r, permit: wrte, in: [{ dir: /a }], limits: { ttl: \"1s\", uses: 1 } }",
       "wrte", "error: unknown kind 'wrte' (expected 'write')"},
      {"{ id: r, permit: write, on: [{ dir: /a }], limits: { ttl: \"1s\", uses: 1 } }",
       "{ id", "error: key 'in' is missing (expected in: [ … ])"},
      {"{ id: r, permit: write, in: [{ dir: /a, dir: /b }], limits: { ttl: \"1s\", uses: 1 } }",
       "dir: /b", "error: key 'dir' is given twice (expected it once)"},
      {"{ id: r, permit: write, in: [{ dir: /a, depht: all }], limits: { ttl: \"1s\", uses: 1 } }",
       "depht", "error: unknown key 'depht' (expected 'depth')"},
      {"{ id: r, permit: write, in: [], limits: { ttl: \"1s\", uses: 1 } }",
       "[]", "error: in is empty (expected at least one)"},
      {"{ id: r, permit: write, in: [{ dir: /a }] }",
       "{ id", "error: key 'limits' is missing (expected limits: { ttl: \"10m\", uses: 100 })"},
      {"{ id: r, forbid: write, in: [{ dir: /a }], limits: { ttl: \"1s\", uses: 1 } }",
       "{ ttl", "error: limits are for permits (expected no limits)"},
      {"{ id: r, permit: write, forbid: write, in: [{ dir: /a }] }",
       "{ id", "error: rule must either permit or forbid (expected one of permit, forbid)"},
      {"{ id: \"r r\", forbid: write, in: [{ dir: /a }] }",
       "\"r r", "error: id 'r r' is not a name (expected 1 to 64 letters, digits, '.', '_', '-')"},
      {"{ id: &x r, forbid: write, in: [{ dir: /a }] }",
       "&x", "error: anchors are not used in canon (expected no '&name')"},
      {"{ id: !!str r, forbid: write, in: [{ dir: /a }] }",
       "!!str", "error: tags are not used in canon (expected no '!name')"},
  };
  for (const Case& one : cases) {
    const auto mistakes = Mistakes(With(one.rule));
    ASSERT_FALSE(mistakes.empty()) << one.rule;
    const std::size_t column = std::string("  - ").size() + std::string(one.rule).find(one.at) + 1;
    EXPECT_EQ(mistakes.front(), "c:6:" + std::to_string(column) + ": " + one.first) << one.rule;
  }
}

TEST(Canon, TellsEveryMistakeAtOnce) {
  const auto mistakes = Mistakes(
      "format: 2\ntenant: t\ndomian: d\nmode: off\nrules:\n"
      "  - { id: a, permit: write, in: [{ dir: x }], limits: { ttl: 1, uses: 0 } }\n");
  EXPECT_EQ(mistakes.size(), 7u) << [&] {
    std::string all;
    for (const auto& mistake : mistakes) all += mistake + "\n";
    return all;
  }();
}

TEST(Canon, AGrantMayNotContainWhatIsForbidden) {
  const std::string forbid = "\n  - { id: f, forbid: write, in: [{ dir: /srv/x, depth: all }] }";
  const auto mistakes_of = [&](const std::string& object) {
    return Mistakes(With("{ id: p, permit: write, in: [" + object +
                         "], limits: { ttl: \"1s\", uses: 1 } }" + forbid))
        .size();
  };
  EXPECT_EQ(mistakes_of("{ dir: /srv, depth: all }"), 1u);
  EXPECT_EQ(mistakes_of("{ dir: /srv/x/y, depth: all }"), 1u);
  EXPECT_EQ(mistakes_of("{ dir: /srv }"), 1u);
  EXPECT_EQ(mistakes_of("{ file: /srv/x/y }"), 1u);
  EXPECT_EQ(mistakes_of("{ dir: /srv/x2, depth: all }"), 0u);
  EXPECT_EQ(mistakes_of("{ file: /srv/y }"), 0u);
}

TEST(Canon, RefusesBytesThatAreNotText) {
  for (const std::string& text :
       {std::string("\xef\xbb\xbf") + "format: 1\n", std::string("a: \0b\n", 6),
        std::string("a: \xff\n"), std::string("a: \xc0\xaf\n"), std::string("a: \x1b[0m\n"),
        std::string(kMaxCanonBytes + 1, 'a'), std::string(), std::string("%YAML 9.9\n---\na"),
        std::string("- ["), std::string("{"), std::string("a: *b\n")}) {
    const ParsedCanon parsed = ParseCanon(text, "c");
    EXPECT_FALSE(parsed.diagnostics.empty()) << text.substr(0, 20);
  }
}

// yaml-cpp 0.7 gives one empty document after another here, without end.
TEST(Canon, AStrayTokenEndsTheReading) {
  const std::string one = "format: 1\ntenant: t\ndomain: a\nmode: enforce\n";
  for (const std::string stray : {",", "]", "}", ",a: 1", "]]"})
    for (const std::string& text : {stray + "\n", one + stray + "\n", one + "---\n" + stray + "\n" + one})
      EXPECT_FALSE(ParseCanon(text, "c").diagnostics.empty()) << text;
  EXPECT_EQ(Mistakes(",a: 1\n").back(), "c:1:1: error: text that belongs to no mapping (expected key: value)");
}

TEST(Canon, BoundsTheMistakesItTells) {
  std::string text = "format: 1\ntenant: t\ndomain: a\nmode: enforce\nrules:\n";
  for (const char* head : {"  - { id: p, permit: write, limits: { ttl: 1s, uses: 1 }, in: [", "  - { id: f, forbid: write, in: ["}) {
    text += head;
    for (int i = 0; i < 100; ++i) text += "{ file: /a },";
    text += "] }\n";
  }
  EXPECT_EQ(ParseCanon(text, "c").diagnostics.size(), kMaxDiagnostics);
}

TEST(Canon, BoundsNesting) {
  EXPECT_FALSE(ParseCanon(std::string(60'000, '['), "c").diagnostics.empty());
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += std::string(static_cast<std::size_t>(i % 400), ' ') + "a:\n";
  EXPECT_FALSE(ParseCanon(deep, "c").diagnostics.empty());
}

}  // namespace
}  // namespace proofgate::policy
