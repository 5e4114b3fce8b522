#include "policy/pdp.h"

#include <gtest/gtest.h>

#include "base/durable.h"
#include "policy/parse.h"
#include "policy/trace.h"
#include "tests/policy/random_canon.h"

namespace proofgate::policy {
namespace {

class PdpTest : public ::testing::Test {
 protected:
  static Object Path(Form form, const char* path) {
    Object object;
    object.form = form;
    object.path = path;
    return object;
  }
  DecisionCode Ask(const char* rule, std::optional<Object> object) const {
    return Decide(canon_, {rule, std::move(object), {}, {}, ""}).code;
  }
  const Canon canon_ = ParseCanon(*ReadFile(DEMO_CANON, 1 << 20), "demo.yaml").canons.at(0);
};

TEST_F(PdpTest, PermitsWhatTheRuleNames) {
  const Decision decision = Decide(canon_, {"demo.write", std::nullopt, {}, {}, ""});
  EXPECT_EQ(decision.code, DecisionCode::kPermitted);
  EXPECT_EQ(decision.objects, canon_.FindRule("demo.write")->objects);
  EXPECT_EQ(decision.uses, 1'000'000u);
  EXPECT_EQ(Ask("demo.write", Path(Form::kFile, "/srv/demo/a")), DecisionCode::kPermitted);
  EXPECT_EQ(Ask("demo.write", Path(Form::kTree, "/srv/demo/a")), DecisionCode::kPermitted);
}

TEST_F(PdpTest, RefusesWithItsOwnCode) {
  EXPECT_EQ(Ask("demo.write", Path(Form::kFile, "/srv/demo2/a")), DecisionCode::kNotPermitted);
  EXPECT_EQ(Ask("demo.write", Path(Form::kTree, "/srv")), DecisionCode::kNotPermitted);
  EXPECT_EQ(Ask("demo.write", Path(Form::kTree, "/")), DecisionCode::kForbidden);
  EXPECT_EQ(Ask("demo.write", Path(Form::kFile, "/etc/passwd")), DecisionCode::kForbidden);
  EXPECT_EQ(Ask("demo.write", Path(Form::kFile, "/srv/demo/../x")), DecisionCode::kInvalidRequest);
  EXPECT_EQ(Ask("demo.exec", Path(Form::kFile, "/srv/demo/a")), DecisionCode::kNotPermitted);
  EXPECT_EQ(Ask("never.etc", std::nullopt), DecisionCode::kNotAPermit);
  EXPECT_EQ(Ask("demo.wrte", std::nullopt), DecisionCode::kNoSuchRule);
}

// By every forbid and Overlaps; what is found, and in which order.
TEST(Forbids, AgreeWithBruteForce) {
  std::size_t found = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    RandomCanon random(seed);
    const Canon canon = random.Make(12);
    const Forbids forbids(canon);
    for (const Kind kind : {Kind::kWrite, Kind::kExec, Kind::kConnect})
      for (const Object& object : random.Objects(kind)) {
        std::vector<Forbids::Hit> expected;
        for (const Rule& rule : canon.rules)
          if (rule.effect == Effect::kForbid && rule.kind == kind)
            for (const Object& forbidden : rule.objects)
              if (Overlaps(object, forbidden)) expected.push_back({&rule, &forbidden});
        ASSERT_EQ(forbids.Overlapping(kind, object), expected) << seed << " " << Describe(object);
        ASSERT_EQ(Forbids(canon, kind).Overlapping(kind, object), expected);
        found += expected.size();
      }
  }
  EXPECT_GT(found, 2000u);
}

// Ten thousand forbids are asked as few questions as ten.
TEST(Forbids, ALookUpDoesNotGrowWithTheCanon) {
  const auto looked_at = [](int count, Kind kind, const std::string& text) {
    Canon canon;
    for (int i = 0; i < count; ++i) {
      Rule rule;
      rule.id = std::to_string(i);
      rule.effect = Effect::kForbid;
      rule.kind = kind;
      const std::string number = std::to_string(i / 256) + "." + std::to_string(i % 256);
      rule.objects = {*ReadObjectText(kind, kind == Kind::kConnect ? "10.1." + number + "/32" : "/srv/" + std::to_string(i) + "/**")};
      canon.rules.push_back(std::move(rule));
    }
    std::size_t compared = 0;
    Forbids(canon).Overlapping(kind, *ReadObjectText(kind, text), &compared);
    return compared;
  };
  for (const auto& [kind, inside, outside] : {std::tuple(Kind::kWrite, "/srv/7/a/b", "/srv/x/a"), std::tuple(Kind::kConnect, "tcp:10.1.0.7:80", "tcp:10.2.0.7:80")}) {
    EXPECT_EQ(looked_at(10, kind, inside), 1u);
    EXPECT_EQ(looked_at(10'000, kind, inside), 1u);
    EXPECT_EQ(looked_at(10'000, kind, outside), 0u);
  }
  EXPECT_EQ(looked_at(10'000, Kind::kWrite, "/srv/**"), 10'000u) << "all of them lie in it";
}

// The caller has resolved links, so a rule's own object can have moved.
TEST_F(PdpTest, AForbidHoldsForTheRulesOwnObjectsToo) {
  Canon canon = canon_;
  for (Rule& rule : canon.rules)
    if (rule.id == "demo.write") rule.objects[0].path = "/etc/demo";
  const Decision decision = Decide(canon, {"demo.write", std::nullopt, {}, {}, ""});
  EXPECT_EQ(decision.code, DecisionCode::kForbidden);
  EXPECT_EQ(decision.rules, std::vector<std::string>{"never.etc"});
}

TEST_F(PdpTest, NoReceiptReachesWhatIsProofgatesOwn) {
  Canon canon = canon_;
  std::erase_if(canon.rules, [](const Rule& rule) { return rule.effect == Effect::kForbid; });
  canon.rules[0].objects = {Path(Form::kTree, "/")};
  const auto ask = [&](Form form, const char* path) {
    return Decide(canon, {canon.rules[0].id, Path(form, path), {}, {}, ""}).code;
  };
  EXPECT_EQ(Decide(canon, {canon.rules[0].id, std::nullopt, {}, {}, ""}).code, DecisionCode::kOwn);
  EXPECT_EQ(ask(Form::kTree, "/var"), DecisionCode::kOwn);
  EXPECT_EQ(ask(Form::kDir, "/var/lib"), DecisionCode::kOwn);
  EXPECT_EQ(ask(Form::kTree, "/usr"), DecisionCode::kOwn);
  EXPECT_EQ(ask(Form::kDir, "/usr/sbin"), DecisionCode::kOwn);
  EXPECT_EQ(ask(Form::kFile, "/usr/sbin/proofgated"), DecisionCode::kOwn);
  EXPECT_EQ(ask(Form::kFile, "/etc/proofgate/units"), DecisionCode::kOwn);
  EXPECT_EQ(ask(Form::kFile, "/run/proofgate"), DecisionCode::kOwn);
  EXPECT_EQ(ask(Form::kTree, "/var/lib/proofgate/ledger/db"), DecisionCode::kOwn);
  EXPECT_EQ(ask(Form::kTree, "/var/lib/proofgates"), DecisionCode::kPermitted);
  EXPECT_EQ(ask(Form::kTree, "/var/log"), DecisionCode::kPermitted);
  EXPECT_EQ(ask(Form::kFile, "/usr/sbin/nginx"), DecisionCode::kPermitted);
}

TEST_F(PdpTest, ACanonMayNotGrantWhatIsProofgatesOwn) {
  const auto mistakes = [](const std::string& object) {
    return ParseCanon("format: 1\ntenant: t\ndomain: d\nmode: enforce\nstanding:\n  - { id: a, " + object + " }\n", "c.yaml").diagnostics.size();
  };
  EXPECT_EQ(mistakes("write: [{ dir: /var/log, depth: all }]"), 0u);
  EXPECT_EQ(mistakes("write: [{ dir: /var, depth: all }]"), 1u);
  EXPECT_EQ(mistakes("connect: [{ unix: /run/proofgate/control.sock }]"), 1u);
  EXPECT_EQ(mistakes("connect: [{ unix: /run/other.sock }]"), 0u);
  EXPECT_EQ(mistakes("exec: [{ dir: /usr/sbin }]"), 0u);
}

TEST_F(PdpTest, NeverGivesMoreThanTheRuleAllows) {
  const std::uint64_t hour = 3600ull * 1'000'000'000;
  const auto ask = [&](std::uint64_t ttl_ns, std::uint64_t uses) {
    return Decide(canon_, {"demo.write", std::nullopt, ttl_ns, uses, ""});
  };
  EXPECT_EQ(ask(hour, 1'000'000).code, DecisionCode::kPermitted);
  EXPECT_EQ(ask(hour + 1, 1).code, DecisionCode::kLimitExceeded);
  EXPECT_EQ(ask(1, 1'000'001).code, DecisionCode::kLimitExceeded);
  EXPECT_EQ(ask(0, 1).code, DecisionCode::kInvalidRequest);
  EXPECT_EQ(ask(1, 0).code, DecisionCode::kInvalidRequest);
  EXPECT_EQ(ask(5, 7).ttl_ns, 5u);
  EXPECT_EQ(ask(5, 7).uses, 7u);
}

TEST_F(PdpTest, EveryGateCodeHasAReason) {
  for (unsigned code = 1; code <= 22; ++code) {
    EXPECT_NE(GateCodeName(code), "UNKNOWN") << code;
    EXPECT_NE(GateReason(GateCodeName(code)), GateReason("no such code")) << code;
  }
  EXPECT_EQ(GateCodeName(30), "UNKNOWN");
}

TEST_F(PdpTest, AnExplanationNamesTheRuleAndHowToAsk) {
  Denial denial{"demo", "write", "open for writing", "/srv/demo/a\x1b[2J", "/usr/bin/python3",
                "NO_RECEIPT", "", {}, "/srv/demo/a"};
  denial.near = FindRules(canon_, Kind::kWrite, Path(Form::kFile, "/srv/demo/a"));
  std::string text = RenderDenial(denial);
  EXPECT_NE(text.find("proofgate receipt issue --domain demo --rule demo.write --object /srv/demo/a"),
            std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  denial.near = FindRules(canon_, Kind::kWrite, Path(Form::kFile, "/etc/passwd"));
  text = RenderDenial(denial);
  EXPECT_NE(text.find("'never.etc' forbids it"), std::string::npos);
  EXPECT_EQ(text.find("receipt issue"), std::string::npos);
  denial.near = FindRules(canon_, Kind::kWrite, Path(Form::kFile, "/opt/x"));
  EXPECT_NE(RenderDenial(denial).find("no rule of the canon permits it"), std::string::npos);
}

TEST_F(PdpTest, AnExplanationShowsTheExamplesOfARule) {
  const Canon canon = ParseCanon("format: 1\ntenant: t\ndomain: d\nmode: enforce\nrules:\n"
                                 "  - { id: w, permit: write, in: [{ dir: /srv }], limits: { ttl: 1s, uses: 1 }, match: [/srv/a, /srv/b], no_match: [/srv/a/b] }\n"
                                 "  - { id: f, forbid: write, in: [{ dir: /etc }], no_match: [/srv/a] }\n", "c").canons.at(0);
  EXPECT_EQ(ExamplesOf(*canon.FindRule("w")), "such as /srv/a, /srv/b, not /srv/a/b");
  EXPECT_EQ(ExamplesOf(*canon.FindRule("f")), "not /srv/a");
  EXPECT_EQ(ExamplesOf(*canon_.FindRule("never.etc")), "");
  Denial denial{"d", "write", "open for writing", "/srv/x", "p", "NO_RECEIPT", "", FindRules(canon, Kind::kWrite, Path(Form::kFile, "/srv/x")), ""};
  EXPECT_EQ(RenderDenial(denial).find("such as"), std::string::npos);
  denial.examples["w"] = ExamplesOf(*canon.FindRule("w"));
  EXPECT_NE(RenderDenial(denial).find("--rule w\n             (such as /srv/a, /srv/b, not /srv/a/b)\n"), std::string::npos) << RenderDenial(denial);
}

}  // namespace
}  // namespace proofgate::policy
