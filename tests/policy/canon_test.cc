#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

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
  const Rule& write = *canon.FindRule("demo.write");
  EXPECT_EQ(write.objects[0].form, Form::kTree);
  EXPECT_EQ(write.limits.ttl_ns, 3600ull * 1'000'000'000);
  EXPECT_EQ(write.limits.uses, 1'000'000u);
  EXPECT_EQ(canon.FindRule("never.etc")->effect, Effect::kForbid);
}

// docs/format/canon.md. Another digest is another canon to every receipt.
TEST(Canon, EachExampleIsRight) {
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(DEMO_CANON).parent_path())) {
    if (entry.path().extension() != ".yaml") continue;
    const std::string text = *ReadFile(entry.path(), 1 << 20);
    const ParsedCanon parsed = ParseCanon(text, entry.path());
    for (const Diagnostic& diagnostic : parsed.diagnostics) ADD_FAILURE() << Render(diagnostic);
    EXPECT_TRUE(text.starts_with("# yaml-language-server: $schema=")) << entry.path() << ": what an editor reads";
    ++examples;
  }
  EXPECT_GE(examples, 7);
}

TEST(Canon, TheExampleHasItsDigest) {
  const ParsedCanon parsed = ParseCanon(*ReadFile(DEMO_CANON, 1 << 20), "demo.yaml");
  const std::string bytes = json::Encode(CanonJson(parsed.canons.at(0)));
  EXPECT_EQ(bytes.size(), 1950u);
  EXPECT_EQ(Hex(Sha256(bytes)), "07487cd4f4ffb857a625932ecc207117f4248e3d02ab9639f618cc2e56b817f9");
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
  const auto mistakes = Mistakes(",a: 1\n");
  EXPECT_EQ(std::count(mistakes.begin(), mistakes.end(),
                       "c:1:1: error: text that belongs to no mapping (expected key: value)"), 1);
}

TEST(Canon, BoundsTheMistakesItTells) {
  std::string text = "format: 1\ntenant: t\ndomain: a\nmode: enforce\nrules:\n";
  for (const char* head : {"  - { id: p, permit: write, limits: { ttl: 1s, uses: 1 }, in: [", "  - { id: f, forbid: write, in: ["}) {
    text += head;
    for (int i = 0; i < 300; ++i) text += "{ file: /a" + std::to_string(i) + " },";
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

TEST(Canon, NamedSetsStandForTheirObjects) {
  const std::string head = "format: 1\ntenant: t\ndomain: d\nmode: enforce\n";
  const auto with_set = ParseCanon(
      head + "sets: { data: [{ dir: /a, depth: all }, { file: /b }] }\nrules:\n"
             "  - { id: r, permit: write, in: [{ set: data }], limits: { ttl: 1s, uses: 1 } }\n", "c");
  const auto without = ParseCanon(
      head + "rules:\n  - { id: r, permit: write, in: [{ file: /b }, { dir: /a, depth: all }], limits: { ttl: 1s, uses: 1 } }\n", "c");
  for (const Diagnostic& diagnostic : with_set.diagnostics) ADD_FAILURE() << Render(diagnostic);
  EXPECT_EQ(CanonJson(with_set.canons.at(0)), CanonJson(without.canons.at(0)));

  const auto first = [&](const std::string& rest) { return ParseCanon(head + rest, "c").diagnostics.back().message; };
  const std::string use = "rules:\n  - { id: r, forbid: write, in: [{ set: data }] }\n";
  EXPECT_EQ(first("sets: { dta: [{ file: /b }] }\n" + use), "no set 'data'");
  EXPECT_EQ(first(use), "no set 'data'");
  EXPECT_EQ(first("sets: { data: [{ set: data }] }\n" + use), "a set in a set");
  EXPECT_EQ(first("sets: { data: [{ cidr: \"::/0\" }] }\n" + use), "unknown key 'cidr'");
}

// The grammar's table is what the documents show.
TEST(Canon, TheDocumentAndTheSchemaAreTheTable) {
  const std::string document = *ReadFile(std::string(DOCS) + "/format/canon.md", 1 << 20);
  EXPECT_NE(document.find(GrammarMarkdown()), std::string::npos)
      << "docs/format/canon.md: put this where the tables are:\n" << GrammarMarkdown();
  EXPECT_EQ(*ReadFile(std::string(DOCS) + "/format/canon.schema.json", 1 << 20), json::Pretty(GrammarSchema()) + "\n")
      << "proofgate canon schema > docs/format/canon.schema.json";
}

TEST(Canon, TheOrderInTheTextDecidesNothing) {
  const std::string head = "format: 1\ntenant: t\ndomain: d\nmode: enforce\n";
  std::vector<std::string> rules = {
      "  - { id: a, permit: write, in: [OBJECTS], limits: { ttl: 1s, uses: 1 } }\n",
      "  - { id: b, permit: connect, to: [{ cidr: \"::/0\" }, { unix: /x }], limits: { ttl: 2s, uses: 1 } }\n",
      "  - { id: c, forbid: write, in: [{ dir: /etc }, { dir: /usr, depth: all }] }\n"};
  std::vector<std::string> objects = {"{ file: /b }", "{ dir: /a }", "{ dir: /a, depth: all }"};
  std::sort(rules.begin(), rules.end());
  std::set<std::string> seen;
  do {
    std::sort(objects.begin(), objects.end());
    do {
      std::string text = head + "rules:\n";
      for (std::string rule : rules) {
        if (const std::size_t at = rule.find("OBJECTS"); at != std::string::npos)
          rule.replace(at, 7, objects[0] + ", " + objects[1] + ", " + objects[2]);
        text += rule;
      }
      const ParsedCanon parsed = ParseCanon(text, "c");
      ASSERT_TRUE(parsed.diagnostics.empty()) << Render(parsed.diagnostics[0]);
      seen.insert(json::Encode(CanonJson(parsed.canons.at(0))));
    } while (std::next_permutation(objects.begin(), objects.end()));
  } while (std::next_permutation(rules.begin(), rules.end()));
  EXPECT_EQ(seen.size(), 1u);
}

TEST(Canon, UnderlinesTheOffendingText) {
  const std::string text = "format: 1\ntenant: t\ndomain: d\nmode: enforse # x\n";
  const auto diagnostics = ParseCanon(text, "c").diagnostics;
  ASSERT_EQ(diagnostics.size(), 1u);
  EXPECT_EQ(RenderWithSource(diagnostics[0], text),
            "c:4:7: error: unknown mode 'enforse' (expected 'enforce')\n"
            "      4 | mode: enforse # x\n"
            "        |       ^~~~~~~");
  const json::Value sarif = DiagnosticsSarif(diagnostics, text);
  const json::Value& result = sarif.Find("runs")->array().at(0).Find("results")->array().at(0);
  EXPECT_EQ(*result.Find("ruleId"), json::Value("unknown-word"));
  EXPECT_EQ(*result.Find("locations")->array().at(0).Find("physicalLocation")->Find("region"),
            json::Value(json::Object{{"startLine", 4}, {"startColumn", 7}, {"endColumn", 14}}));
}

struct Seeded {
  const char* right;
  const char* wrong;
  const char* code;
};

// Each mistake is put into a canon that is right, where it belongs; each is found
// there, by its code, on its line.
TEST(Canon, FindsEverySeededMistake) {
  const std::string right =
      "format: 1\n"
      "tenant: acme\n"
      "domain: billing\n"
      "attach: { slice: billing.slice }\n"
      "mode: enforce\n"
      "sets:\n"
      "  data: [{ dir: /srv/data, depth: all }]\n"
      "standing:\n"
      "  - { id: base, profile: base }\n"
      "  - { id: io, write: [{ class: [pipe, tty] }] }\n"
      "rules:\n"
      "  - { id: db, permit: connect, to: [{ cidr: \"10.0.0.0/8\", port: 5432, proto: tcp }], limits: { ttl: \"10m\", uses: 7 } }\n"
      "  - { id: w, permit: write, in: [{ set: data }], limits: { ttl: 2m, uses: 5 } }\n"
      "  - { id: never, forbid: write, in: [{ dir: /etc, depth: all }] }\n";
  ASSERT_TRUE(Mistakes(right).empty()) << Mistakes(right)[0];
  const Seeded seeds[] = {
      {"format: 1", "format: 3", "out-of-range"},
      {"format: 1", "format: \"1\"", "out-of-range"},
      {"tenant: acme", "tenent: acme", "unknown-key"},
      {"tenant: acme", "tenant: ac me", "bad-name"},
      {"tenant: acme", "tenant: \xd0\xb0" "cme", "bad-name"},          // Cyrillic
      {"domain: billing", "domain:", "empty"},
      {"attach: { slice: billing.slice }", "attach: billing.slice", "wrong-type"},
      {"attach: { slice: billing.slice }", "attach: { slice: a.slice, unit: b.service }", "choice"},
      {"mode: enforce", "mode: observed", "unknown-word"},
      {"mode: enforce", "mode: !x enforce", "yaml-subset"},
      {"mode: enforce", "mode: &x enforce", "yaml-subset"},
      {"mode: enforce", "mode: |\n  enforce", "yaml-subset"},
      {"data: [{", "d ta: [{", "bad-name"},
      {"dir: /srv/data, depth: all", "dir: /srv/data/, depth: all", "bad-path"},
      {"dir: /srv/data, depth: all", "dir: /srv/data, depth: some", "unknown-word"},
      {"dir: /srv/data, depth: all", "file: /srv/data, depth: all", "misplaced-key"},
      {"profile: base", "profile: bse", "unknown-word"},
      {"profile: base", "profile: base, exec: [{ file: /x }]", "choice"},
      {"class: [pipe, tty]", "class: [pipe, tyt]", "unknown-word"},
      {"class: [pipe, tty]", "clas: [pipe, tty]", "unknown-key"},
      {"class: [pipe, tty]", "class: []", "empty"},
      {"id: io", "id: base", "duplicate-id"},
      {"id: db, ", "", "missing-key"},
      {"permit: connect", "permit: conect", "unknown-word"},
      {"permit: connect", "permit: connect, forbid: connect", "choice"},
      {"to: [{ cidr", "in: [{ cidr", "misplaced-key"},
      {"10.0.0.0/8", "10.0.0.1/8", "bad-cidr"},
      {"10.0.0.0/8", "::ffff:10.0.0.0/120", "bad-cidr"},
      {"port: 5432", "port: 0", "out-of-range"},
      {"port: 5432", "port: 65536", "out-of-range"},
      {"proto: tcp", "proto: sctp", "unknown-word"},
      {"cidr: \"10.0.0.0/8\", port", "unix: /x, port", "misplaced-key"},
      {"ttl: \"10m\"", "ttl: \"25h\"", "bad-duration"},
      {"ttl: \"10m\"", "ttl: 10", "bad-duration"},
      {"uses: 7", "uses: \"7\"", "out-of-range"},
      {"uses: 7", "uses: -7", "out-of-range"},
      {"uses: 7", "uses: 07", "out-of-range"},
      {", limits: { ttl: 2m, uses: 5 }", "", "missing-key"},
      {"set: data", "set: dat", "unknown-word"},
      {"dir: /etc, depth: all", "dir: /srv, depth: all", "overlaps-forbid"},
      {"dir: /etc, depth: all }] }", "dir: /etc, depth: all }], limits: { ttl: 1s, uses: 1 } }", "misplaced-key"},
      {"dir: /etc, depth: all", "dir: /etc, dir: /usr", "duplicate-key"},
      {"dir: /etc, depth: all }", "dir: /etc, depth: all", "yaml"},
      {"  - { id: never", "\t- { id: never", "yaml"},
      {"dir: /etc", "dir: /e\xe2\x80\xae" "tc", "bytes"},          // turns the text round
      {"dir: /etc", "dir: /e\xe2\x80\x8b" "tc", "bytes"},          // takes no room
      {"dir: /etc", "dir: \"/e\\0tc\"", "bad-path"},
  };
  for (const Seeded& seed : seeds) {
    std::string text = right;
    const std::size_t at = text.find(seed.right);
    ASSERT_NE(at, std::string::npos) << seed.right;
    text.replace(at, std::string(seed.right).size(), seed.wrong);
    const auto found = ParseCanon(text, "c").diagnostics;
    const int line = static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n')) + 1;
    const bool is_found = std::any_of(found.begin(), found.end(), [&](const Diagnostic& one) {
      const bool at_a_peer = one.code == "overlaps-forbid" || one.code == "missing-key" || one.code == "yaml" || one.code == "empty";
      return one.code == seed.code && (at_a_peer || one.where.line == line);
    });
    EXPECT_TRUE(is_found) << seed.wrong << ": " << (found.empty() ? "nothing" : Render(found[0]) + " " + found[0].code);
  }
}

TEST(Canon, RefusesHostileBytesFast) {
  const std::string head = "format: 1\ntenant: t\ndomain: d\nmode: enforce\n";
  std::string deep_flow = head + "rules: " + std::string(10'000, '[');
  std::string deep_map = head;
  for (int i = 0; i < 10'000; ++i) deep_map += std::string(static_cast<std::size_t>(i % 60), ' ') + "a:\n";
  const std::string cyclic = head + "rules: &a [*a, *a]\n";
  const std::pair<std::string, const char*> cases[] = {
      {std::string(64u << 20, 'a'), "bytes"}, {deep_flow, "too-deep"}, {deep_map, ""},
      {cyclic, "yaml-subset"},               {head + "x: " + std::string(1, '\0') + "\n", "bytes"},
      {"\xef\xbb\xbf" + head, "bytes"},     {"format: 1\rtenant: t\r", "bytes"},
      {head + "x: \xff\xfe\n", "bytes"},     {head + "x: \xed\xa0\x80\n", "bytes"},
  };
  for (const auto& [text, code] : cases) {
    const auto found = ParseCanon(text, "c").diagnostics;
    ASSERT_FALSE(found.empty());
    if (*code != '\0') { EXPECT_EQ(found[0].code, code) << Render(found[0]); }
  }
  // Windows' line ends are line ends.
  std::string crlf = head;
  for (std::size_t at = 0; (at = crlf.find('\n', at)) != std::string::npos; at += 2) crlf.insert(at, "\r");
  EXPECT_TRUE(ParseCanon(crlf, "c").diagnostics.empty()) << Mistakes(crlf)[0];
}

// A set stands for its objects at each use: without a bound 2 MiB of text would
// stand for hundreds of millions of them.
TEST(Canon, RefusesWhatCostsTooMuchBeforeItIsBuilt) {
  const auto canon = [](int objects, int uses) {
    std::string text = "format: 1\ntenant: t\ndomain: d\nmode: enforce\nsets:\n  s: [";
    for (int i = 0; i < objects; ++i) text += "{ file: /s/" + std::to_string(i) + " }, ";
    text += "{ file: /s }]\nrules:\n";
    for (int i = 0; i < uses; ++i) text += "  - { id: f" + std::to_string(i) + ", forbid: write, in: [{ set: s }] }\n";
    return text;
  };
  const ParsedCanon right = ParseCanon(canon(99, 500), "c");
  EXPECT_TRUE(right.diagnostics.empty()) << Render(right.diagnostics[0]);
  EXPECT_EQ(right.cost, 50'000u);
  const std::string dear = canon(20'000, 12'000);
  ASSERT_LT(dear.size(), kMaxCanonBytes);
  const ParsedCanon wrong = ParseCanon(dear, "c");
  ASSERT_EQ(wrong.diagnostics.size(), 1u);
  EXPECT_EQ(wrong.diagnostics[0].code, "cost");
  std::size_t built = 0;
  for (const Rule& rule : wrong.canons.at(0).rules) built += rule.objects.size();
  EXPECT_LE(built, kMaxCanonCost);
}

// Sets that several canons use are in libraries, which are included by their
// names, from the files that belong together; there are no paths.
TEST(Canon, IncludesTheSetsOfLibraries) {
  const auto canon = [](const std::string& include, const std::string& set = "data") {
    return "format: 1\ntenant: t\ndomain: d\nmode: enforce\n" + include + "rules:\n"
           "  - { id: r, permit: write, in: [{ set: " + set + " }], limits: { ttl: 1s, uses: 1 } }\n";
  };
  const auto library = [](const std::string& name, const std::string& rest) { return "format: 1\nlibrary: " + name + "\n" + rest; };
  const std::string data = "sets: { data: [{ dir: /a, depth: all }, { file: /b }] }\n";
  const auto parse = [](const std::vector<std::string>& texts) {
    constexpr const char* kNames[] = {"c", "l1", "l2", "l3"};
    std::vector<CanonFile> files;
    for (std::size_t i = 0; i < texts.size(); ++i) files.push_back({kNames[i], texts[i]});
    return ParseCanonFiles(files);
  };
  const auto mistakes = [&](const std::vector<std::string>& texts) {
    std::vector<std::string> out;
    for (const Diagnostic& one : parse(texts).diagnostics) out.push_back(one.file + ":" + std::to_string(one.where.line) + " " + one.code);
    return out;
  };
  using Strings = std::vector<std::string>;
  const json::Value written = CanonJson(ParseCanon(canon(data), "c").canons.at(0));
  const std::vector<std::string> right = {canon("include: common\n"), library("common", data)};
  ASSERT_EQ(mistakes(right), Strings{});
  EXPECT_EQ(CanonJson(parse(right).canons.at(0)), written);
  // As one stream, which is what the daemon keeps; in any order.
  for (const std::string& stream : {right[0] + "---\n" + right[1], right[1] + "---\n" + right[0]})
    EXPECT_EQ(CanonJson(ParseCanon(stream, "c").canons.at(0)), written);
  EXPECT_EQ(mistakes({canon("include: [one]\n"), library("one", "include: [two]\nsets: { other: [{ file: /x }] }\n"), library("two", data)}), Strings{});

  EXPECT_EQ(mistakes({right[0]}), (Strings{"c:5 unknown-word", "c:7 unknown-word"})) << "a library that is not there, and its set";
  EXPECT_EQ(mistakes({canon("include: /etc/passwd\n" + data), library("common", data)}), (Strings{"c:5 bad-name", "l1:1 unused-set"})) << "not a path";
  EXPECT_EQ(mistakes({canon("include: ../common\n" + data)}), Strings{"c:5 bad-name"});
  EXPECT_EQ(mistakes({canon(data), library("common", data)}), Strings{"l1:1 unused-set"}) << "that nobody includes";
  EXPECT_EQ(mistakes({canon("include: common\n" + data), library("common", data)}), Strings{"l1:1 duplicate-id"}) << "two sets of one name";
  EXPECT_EQ(mistakes({right[0], right[1], right[1]}), Strings{"l2:1 duplicate-id"});
  EXPECT_EQ(mistakes({right[0], library("common", "sets: { data: [{ dir: /a },\n { file: b }] }\n")}), Strings{"l1:4 bad-path"}) << "in its own file";
  EXPECT_EQ(mistakes({right[0], library("common", "include: common\n" + data)}), Strings{"l1:1 include-cycle"});
  EXPECT_EQ(mistakes({right[0], library("common", "include: two\n" + data), library("two", "include: common\nsets: { other: [{ file: /x }] }\n")}),
            (Strings{"l1:1 include-cycle", "l2:1 include-cycle"}));
  EXPECT_EQ(mistakes({library("common", data)}), Strings{"c:1 unused-set"}) << "libraries alone are no canon";
}

// Each of forty includes both of the next: a million million ways, one look at each.
TEST(Canon, IncludesEachLibraryOnce) {
  std::string stream = "format: 1\ntenant: t\ndomain: d\nmode: enforce\ninclude: [a0, b0]\nrules:\n  - { id: r, forbid: write, in: [{ set: last }] }\n";
  for (int i = 0; i < 40; ++i)
    for (const char* side : {"a", "b"}) {
      const std::string number = std::to_string(i);
      const std::string next = std::to_string(i + 1);
      stream += "---\nformat: 1\nlibrary: " + (side + number) + "\nsets: { s" + side + number + ": [{ file: /x }] }\ninclude: [" +
                (i == 39 ? "last" : "a" + next + ", b" + next) + "]\n";
    }
  stream += "---\nformat: 1\nlibrary: last\nsets: { last: [{ file: /x }] }\n";
  const ParsedCanon parsed = ParseCanon(stream, "c");
  EXPECT_TRUE(parsed.diagnostics.empty()) << Render(parsed.diagnostics[0]);
}

}  // namespace
}  // namespace proofgate::policy
