#include "policy/diff.h"

#include <gtest/gtest.h>

#include "policy/parse.h"
#include "policy/own.h"
#include "policy/pdp.h"
#include "tests/policy/random_canon.h"

namespace proofgate::policy {
namespace {

std::vector<Canon> Parse(const std::string& rules, const std::string& mode = "enforce", const std::string& more = "") {
  const ParsedCanon parsed = ParseCanon("format: 1\ntenant: t\ndomain: d\nmode: " + mode + "\n" + more + rules, "c");
  for (const Diagnostic& diagnostic : parsed.diagnostics) ADD_FAILURE() << Render(diagnostic);
  return parsed.canons;
}

std::string Permit(const std::string& kind_and_objects, const std::string& limits = "ttl: 1m, uses: 5",
                   const std::string& terms = "") {
  return "rules:\n  - { id: r, permit: " + kind_and_objects + ", limits: { " + limits + " }" + terms + " }\n";
}

Relation Compare(const std::vector<Canon>& a, const std::vector<Canon>& b) { return DiffCanons(a, b).relation; }

TEST(Diff, SaysWhichCanonLetsMoreHappen) {
  const auto tree = Parse(Permit("write, in: [{ dir: /srv, depth: all }]"));
  const auto dir = Parse(Permit("write, in: [{ dir: /srv }]"));
  const auto file = Parse(Permit("write, in: [{ file: /srv/a }]"));
  const auto other = Parse(Permit("write, in: [{ dir: /opt, depth: all }]"));
  EXPECT_EQ(Compare(tree, tree), Relation::kEquivalent);
  EXPECT_EQ(Compare(dir, tree), Relation::kWider);
  EXPECT_EQ(Compare(tree, file), Relation::kNarrower);
  EXPECT_EQ(Compare(file, dir), Relation::kWider);
  EXPECT_EQ(Compare(tree, other), Relation::kDisjoint);
  EXPECT_EQ(Compare(tree, Parse(Permit("write, in: [{ dir: /srv }, { dir: /opt }]"))), Relation::kChanged);
}

TEST(Diff, ComparesAuthorityNotText) {
  // Two halves are the whole; two directories below one are part of its tree.
  EXPECT_EQ(Compare(Parse(Permit("connect, to: [{ cidr: 10.0.0.0/8 }]")),
                    Parse(Permit("connect, to: [{ cidr: 10.0.0.0/9 }, { cidr: 10.128.0.0/9 }]"))),
            Relation::kEquivalent);
  EXPECT_EQ(Compare(Parse(Permit("connect, to: [{ cidr: 10.0.0.0/8 }]")),
                    Parse(Permit("connect, to: [{ cidr: 10.0.0.0/8, proto: tcp }, { cidr: 10.0.0.0/8, proto: udp }]"))),
            Relation::kEquivalent);
  const auto but_one = Parse(Permit("connect, to: [{ cidr: 10.0.0.0/9 }, { cidr: 10.128.0.0/10 }]"));
  const CanonDiff diff = DiffCanons(Parse(Permit("connect, to: [{ cidr: 10.0.0.0/8 }]")), but_one);
  EXPECT_EQ(diff.relation, Relation::kNarrower);
  ASSERT_EQ(diff.differences.size(), 1u);
  EXPECT_EQ(diff.differences[0].change, Change::kRefused);
  EXPECT_EQ(WriteObjectText(diff.differences[0].witness), "tcp:10.192.0.0:1");
  EXPECT_EQ(Compare(Parse(Permit("write, in: [{ dir: /srv, depth: all }]")),
                    Parse(Permit("write, in: [{ dir: /srv, depth: all }, { dir: /srv/a }, { file: /srv/a/b }]"))),
            Relation::kEquivalent);
}

TEST(Diff, ComparesLimitsModesAndStandingGrants) {
  const std::string object = "write, in: [{ file: /srv/a }]";
  const auto base = Parse(Permit(object));
  EXPECT_EQ(Compare(base, Parse(Permit(object, "ttl: 2m, uses: 5"))), Relation::kWider);
  EXPECT_EQ(Compare(base, Parse(Permit(object, "ttl: 1m, uses: 4"))), Relation::kNarrower);
  EXPECT_EQ(DiffCanons(base, Parse(Permit(object, "ttl: 2m, uses: 4"))).differences.at(0).change, Change::kMixed);
  EXPECT_EQ(Compare(base, Parse(Permit(object), "observe")), Relation::kWider);
  EXPECT_EQ(Compare(base, Parse("standing:\n  - { id: s, write: [{ file: /srv/a }] }\n")), Relation::kWider);
  EXPECT_EQ(Compare(base, {}), Relation::kNarrower);
}

TEST(Diff, ADomainThatSaysNothingAboutReadingReadsAll) {
  const auto silent = Parse(Permit("write, in: [{ file: /srv/a }]"));
  const auto some = Parse(Permit("write, in: [{ file: /srv/a }]"), "enforce",
                          "standing:\n  - { id: s, read: [{ dir: /etc, depth: all }] }\n");
  EXPECT_EQ(Compare(silent, some), Relation::kNarrower);
  EXPECT_EQ(Compare(some, silent), Relation::kWider);
}

TEST(Diff, NamesTheConstructThatPreventsAnAnswer) {
  const std::string object = "write, in: [{ file: /srv/a }]";
  const std::string budgets = "budgets: [{ id: m, limit: 1, window: 1h }, { id: n, limit: 1, window: 1h }]\n";
  const auto with = [&](const std::string& terms, const std::string& domain) {
    return Parse(Permit(object, "ttl: 1m, uses: 5", terms), "enforce", domain);
  };
  const auto plain = with("", budgets);
  const auto m = with(", budget: m", budgets);
  const auto n = with(", budget: n", budgets);
  EXPECT_EQ(IsSubset(m, m).is, SubsetAnswer::Is::kYes);
  EXPECT_EQ(IsSubset(m, plain).is, SubsetAnswer::Is::kYes) << "a term more is less authority";
  EXPECT_EQ(IsSubset(plain, m).is, SubsetAnswer::Is::kNo) << "a term less is more";
  const SubsetAnswer between = IsSubset(n, m);
  EXPECT_EQ(between.is, SubsetAnswer::Is::kUndecided);
  EXPECT_NE(between.because.find("the terms of rules"), std::string::npos) << between.because;
  const SubsetAnswer other = IsSubset(with(", budget: m", "budgets: [{ id: m, limit: 2, window: 1h }]\n"),
                                      with(", budget: m", "budgets: [{ id: m, limit: 1, window: 1h }]\n"));
  EXPECT_EQ(other.is, SubsetAnswer::Is::kUndecided);
  EXPECT_NE(other.because.find("budgets differs"), std::string::npos) << other.because;
}

// By the definitions alone: every rule, Contains and Overlaps.
ActAuthority ByBruteForce(const Canon& canon, Kind kind, const Object& act) {
  ActAuthority at;
  bool reads = false;
  for (const Standing& standing : canon.standing) {
    reads |= standing.kind == Kind::kRead;
    if (standing.kind != kind) continue;
    for (const Object& object : standing.objects) {
      const std::string name = act.path.substr(act.path.rfind('/') + 1);
      const bool is_left_out = object.form == Form::kDir && standing.except.size() == 1 && standing.except[0] == name;
      if (Contains(object, act) && !is_left_out) {
        at.standing.push_back(standing.id);
        break;
      }
    }
  }
  for (const Rule& rule : canon.rules) {
    reads |= rule.kind == Kind::kRead;
    if (rule.kind != kind) continue;
    for (const Object& object : rule.objects) {
      if (rule.effect == Effect::kForbid && Overlaps(object, act)) {
        at.forbids.push_back(rule.id);
        break;
      }
      if (rule.effect == Effect::kPermit && Contains(object, act)) {
        at.permits.push_back(&rule);
        break;
      }
    }
  }
  at.is_free = kind == Kind::kRead && !reads;
  return at;
}

constexpr Kind kCompared[] = {Kind::kWrite, Kind::kExec, Kind::kConnect, Kind::kRead};

TEST(Diff, TheIndexAgreesWithBruteForce) {
  for (unsigned seed = 0; seed < 25; ++seed) {
    const Canon canon = RandomCanon(seed).Make();
    const Authority authority(canon);
    for (const Kind kind : kCompared)
      for (const Object& act : RandomCanon::Universe(kind)) {
        const ActAuthority slow = ByBruteForce(canon, kind, act);
        const ActAuthority fast = authority.At(kind, act);
        ASSERT_EQ(fast.standing, slow.standing) << seed << " " << KindName(kind) << " " << Describe(act);
        ASSERT_EQ(fast.forbids, slow.forbids) << seed << " " << KindName(kind) << " " << Describe(act);
        ASSERT_EQ(fast.permits, slow.permits) << seed << " " << KindName(kind) << " " << Describe(act);
        ASSERT_EQ(fast.verdict(), slow.verdict());
      }
  }
}

// Does one give for this act all that the other gives? Written out again.
enum class Gives { kAll, kLess, kCannotSay };
Gives AllOf(const ActAuthority& outer, const ActAuthority& inner) {
  const auto allowed = [](Verdict verdict) { return verdict == Verdict::kStanding || verdict == Verdict::kPermitted; };
  if (!allowed(inner.verdict()) || outer.verdict() == Verdict::kStanding) return Gives::kAll;
  if (!allowed(outer.verdict()) || inner.verdict() == Verdict::kStanding) return Gives::kLess;
  for (const Rule* one : inner.permits)
    if (std::none_of(outer.permits.begin(), outer.permits.end(), [&](const Rule* other) {
          return other->limits.ttl_ns >= one->limits.ttl_ns && other->limits.uses >= one->limits.uses &&
                 (other->terms.budget.empty() || other->terms.budget == one->terms.budget);
        }))
      return Gives::kLess;
  return Gives::kAll;
}

TEST(Diff, AgreesWithBruteForceOnSmallUniverses) {
  int equivalent = 0, wider = 0, narrower = 0, changed = 0;
  for (unsigned seed = 0; seed < 240; ++seed) {
    RandomCanon random(seed);
    const Canon a = random.Make();
    // Half of the time a small change of the first, so that all answers come up.
    Canon b = seed % 2 == 0 ? random.Make() : a;
    if (seed % 2 == 1 && !b.rules.empty() && random.Below(3) != 0) {
      Rule& rule = b.rules[random.Below(static_cast<unsigned>(b.rules.size()))];
      if (random.Below(2) == 0) rule.objects = random.Objects(rule.kind);
      else rule.limits.uses += rule.effect == Effect::kPermit ? random.Below(2) : 0;
    }
    bool is_wider = false;
    bool is_narrower = false;
    for (const Kind kind : kCompared)
      for (const Object& act : RandomCanon::Universe(kind)) {
        const ActAuthority at_a = ByBruteForce(a, kind, act);
        const ActAuthority at_b = ByBruteForce(b, kind, act);
        is_wider |= AllOf(at_a, at_b) == Gives::kLess;
        is_narrower |= AllOf(at_b, at_a) == Gives::kLess;
      }
    const CanonDiff diff = DiffCanons({a}, {b});
    const Relation relation = diff.relation;
    const Relation expected = is_wider ? (is_narrower ? Relation::kChanged : Relation::kWider)
                                       : (is_narrower ? Relation::kNarrower : Relation::kEquivalent);
    ASSERT_EQ(relation == Relation::kDisjoint ? Relation::kChanged : relation, expected) << seed << RenderDiff(diff);
    ASSERT_EQ(IsSubset({b}, {a}).is, is_wider ? SubsetAnswer::Is::kNo : SubsetAnswer::Is::kYes) << seed;
    // Each witness shows what is said of it.
    for (const Difference& one : diff.differences) {
      ASSERT_EQ(ByBruteForce(a, one.kind, one.witness).verdict(), one.verdict_before) << seed;
      ASSERT_EQ(ByBruteForce(b, one.kind, one.witness).verdict(), one.verdict_after) << seed;
    }
    equivalent += relation == Relation::kEquivalent;
    wider += relation == Relation::kWider;
    narrower += relation == Relation::kNarrower;
    changed += relation == Relation::kChanged;
  }
  EXPECT_GT(equivalent, 10);
  EXPECT_GT(wider, 10);
  EXPECT_GT(narrower, 10);
  EXPECT_GT(changed, 10);
}

TEST(Authority, FindsTheRulesAroundAnyObject) {
  std::uint64_t found = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    RandomCanon random(seed);
    const Canon canon = random.Make();
    const Authority authority(canon);
    for (const Kind kind : {Kind::kWrite, Kind::kExec, Kind::kConnect})
      for (const Object& object : random.Objects(kind)) {
        std::vector<const Rule*> expected;
        for (const Rule& rule : canon.rules)
          if (rule.kind == kind && std::any_of(rule.objects.begin(), rule.objects.end(),
                                               [&](const Object& outer) { return Contains(outer, object); }))
            expected.push_back(&rule);
        ASSERT_EQ(authority.RulesAround(kind, object), expected) << seed << " " << Describe(object);
        found += expected.size();
      }
  }
  EXPECT_GT(found, 500u);
}

// A receipt can be had for an act exactly when the canon permits it.
TEST(Diff, DecideAndTheIndexAgree) {
  std::uint64_t pairs = 0;
  for (unsigned seed = 0; seed < 90; ++seed) {
    const Canon canon = RandomCanon(seed).Make();
    const Authority authority(canon);
    for (const Rule& rule : canon.rules)
      for (const Object& act : RandomCanon::Universe(rule.kind)) {
        const DecisionCode code = Decide(canon, {rule.id, act, {}, {}, ""}).code;
        const ActAuthority at = authority.At(rule.kind, act);
        const bool speaks = std::find(at.permits.begin(), at.permits.end(), &rule) != at.permits.end();
        ++pairs;
        const DecisionCode expected = rule.effect == Effect::kForbid ? DecisionCode::kNotAPermit
                                      : HasTerms(rule.terms)         ? DecisionCode::kNeedsSession
                                      : !at.forbids.empty()          ? DecisionCode::kForbidden
                                      : FindOwn(rule.kind, act)      ? DecisionCode::kOwn
                                      : speaks                       ? DecisionCode::kPermitted
                                                                     : DecisionCode::kNotPermitted;
        ASSERT_EQ(code, expected) << seed << " " << Describe(act);
      }
  }
  EXPECT_GT(pairs, 15'000u);
}

}  // namespace
}  // namespace proofgate::policy
