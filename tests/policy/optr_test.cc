#include "policy/optr.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <clocale>

#include "policy/parse.h"

namespace proofgate::policy {
namespace {

// A canon with one permit for each question.
std::string Text(const std::string& optr, const std::string& rules = "") {
  return "format: 1\ntenant: t\ndomain: d\nmode: enforce\n" + optr +
         "rules:\n"
         "  - { id: a, permit: write, in: [{ dir: /srv/a, depth: all }], limits: { ttl: 10m, uses: 10 } }\n"
         "  - { id: b, permit: write, in: [{ dir: /srv/b, depth: all }], limits: { ttl: 10m, uses: 10 } }\n"
         "  - { id: n, permit: connect, to: [{ cidr: 10.0.0.0/8 }], limits: { ttl: 10m, uses: 1000 } }\n" + rules;
}

constexpr const char* kOptr =
    "optr: { order: [cost, risk], max_risk_ppm: 20000, max_cost: 500, min_success_ppm: 900000 }\n"
    "estimates:\n"
    "  - { for: write, in: [{ dir: /srv/a, depth: all }], ttv_us: [1, 10], cost: [5, 50], risk_ppm: [10, 100], irreversibility: 0, success_ppm: [990000, 1000000] }\n"
    "  - { for: write, in: [{ dir: /srv/b, depth: all }], ttv_us: 10, cost: 40, risk_ppm: 100, irreversibility: 0, success_ppm: 990000 }\n"
    "  - { for: connect, ttv_us: 1, cost: 1, risk_ppm: 1, irreversibility: 0, success_ppm: 1000000 }\n";

Canon Parse(const std::string& text) {
  ParsedCanon parsed = ParseCanon(text, "c");
  EXPECT_TRUE(parsed.diagnostics.empty()) << Render(parsed.diagnostics.front());
  return parsed.canons.at(0);
}

std::string Write(const std::string& path, const std::string& more = "") {
  return R"({"kind":"write","object":{"file":")" + path + "\"}" + more + "}";
}
std::string StepOf(const std::string& any) { return R"({"any":[)" + any + "]}"; }
std::string PlanOf(const std::string& steps, const std::string& name = "") {
  return "{" + (name.empty() ? "" : "\"name\":\"" + name + "\",") + R"("steps":[)" + steps + "]}";
}
Plans PlansOf(const std::string& plans) {
  auto parsed = ParsePlans(R"({"format":1,"plans":[)" + plans + "]}");
  EXPECT_TRUE(parsed) << parsed.error().message;
  return *parsed;
}
Plans OneStep(const std::string& any) { return PlansOf(PlanOf(StepOf(any))); }

Snapshot Now() {
  Snapshot snapshot;
  snapshot.now_ms = 1'700'000'000'000;
  snapshot.session = "s1";
  snapshot.principal = "uid:1000";
  snapshot.salt = "salt";
  return snapshot;
}

Selection Choose(const Canon& canon, const Plans& plans, const Snapshot& snapshot = Now()) {
  return Select(canon, plans, snapshot);
}

// The codes that stand against the nearest miss (or the best of the only plan).
std::vector<std::string> Codes(const Selection& selection) {
  std::vector<std::string> codes;
  for (const json::Value& candidate : selection.result.Find("candidates")->array())
    if (const json::Value* const failures = candidate.Find("failures"))
      for (const json::Value& failure : failures->array()) codes.push_back(failure.Find("code")->string());
  return codes;
}
using List = std::vector<std::string>;

TEST(Optr, TakesTheCheapestAdmissiblePlan) {
  const Selection selection = Choose(
      Parse(Text(kOptr)), PlansOf(PlanOf(StepOf(Write("/srv/a/x")), "dear") + "," + PlanOf(StepOf(Write("/srv/b/x")), "cheap")));
  EXPECT_EQ(selection.code, OptrCode::kPermitted);
  EXPECT_EQ(selection.plan_name, "cheap") << "40 is less than the pessimistic 50, though not than 5";
  ASSERT_EQ(selection.steps.size(), 1u);
  EXPECT_EQ(selection.steps[0].rule, "b");
  EXPECT_EQ(selection.steps[0].figures.cost, 40u);
}

TEST(Optr, TakesTheBestAlternativeInEachStep) {
  const std::string both = Write("/srv/a/x") + "," + Write("/srv/b/x");
  const Selection selection = Choose(Parse(Text(kOptr)), PlansOf(PlanOf(StepOf(both) + "," + StepOf(both))));
  ASSERT_EQ(selection.code, OptrCode::kPermitted);
  EXPECT_EQ(selection.steps[0].rule, "b");
  EXPECT_EQ(selection.steps[1].rule, "b");
}

TEST(Optr, ChoosesNothingWhenNothingIsAdmissible) {
  const Selection selection = Choose(
      Parse(Text(kOptr)), PlansOf(PlanOf(StepOf(Write("/elsewhere"))) + "," + PlanOf(StepOf(Write("/srv/a/x", R"(,"uses":11)")))));
  EXPECT_EQ(selection.code, OptrCode::kNoAdmissiblePlan);
  EXPECT_TRUE(selection.steps.empty());
  EXPECT_TRUE(selection.plan.empty());
  EXPECT_EQ(selection.result.Find("chosen"), nullptr);
  ASSERT_NE(selection.result.Find("nearest"), nullptr);
  // The one that asks for a use too much is nearer than the one without a rule.
  const std::string text = RenderResult(selection.result);
  EXPECT_NE(text.find("margin -1"), std::string::npos) << text;
  const json::Array& candidates = selection.result.Find("candidates")->array();
  for (const json::Value& candidate : candidates) {
    const bool is_nearest = *candidate.Find("plan") == *selection.result.Find("nearest");
    EXPECT_EQ(is_nearest, candidate.Find("failures")->array().size() == 1);
  }
}

TEST(Optr, EveryGateIsRunAndRecordedInOrder) {
  const Selection selection = Choose(Parse(Text(kOptr)), OneStep(Write("/srv/a/x")));
  const json::Array& gates = selection.result.Find("candidates")->array()[0].Find("gates")->array();
  ASSERT_EQ(gates.size(), kGates);
  const List names = {"prerequisites", "authority", "invariants", "duties", "deconfliction",
                      "blast", "risk", "cost", "success", "budget"};
  for (std::size_t i = 0; i < kGates; ++i) {
    EXPECT_EQ(gates[i].Find("gate")->string(), names[i]);
    EXPECT_TRUE(gates[i].Find("passed")->boolean());
  }
  // And the others go on after one has failed.
  const Selection refused = Choose(Parse(Text(kOptr)), OneStep(Write("/elsewhere", R"(,"worse":{"cost":600})")));
  EXPECT_EQ(Codes(refused), (List{"MISSING_CANON_PREREQS", "AUTHORITY_BOUNDARY_FAIL", "RISK_BOUND_EXCEEDED",
                                  "COST_BOUND_EXCEEDED", "SUCCESS_PROB_TOO_LOW"}));
}

TEST(Optr, BoundsAreJudgedAtThePessimisticEndAndExactly) {
  const auto with_cost = [](std::uint64_t bound) {
    return Parse(Text("optr: { order: [cost], max_risk_ppm: 20000, max_cost: " + std::to_string(bound) +
                      ", min_success_ppm: 1 }\nestimates: [{ for: write, ttv_us: 1, cost: [1, 50], risk_ppm: 1, "
                      "irreversibility: 0, success_ppm: 1000000 }]\n"));
  };
  EXPECT_EQ(Choose(with_cost(50), OneStep(Write("/srv/a/x"))).code, OptrCode::kPermitted);
  const Selection over = Choose(with_cost(49), OneStep(Write("/srv/a/x")));
  EXPECT_EQ(Codes(over), List{"COST_BOUND_EXCEEDED"});
  const json::Value& failure = over.result.Find("candidates")->array()[0].Find("failures")->array()[0];
  EXPECT_EQ(failure.Find("observed")->integer(), 50);
  EXPECT_EQ(failure.Find("bound")->integer(), 49);
  EXPECT_EQ(failure.Find("margin")->integer(), -1);
}

TEST(Optr, SuccessIsMultipliedInWholeNumbersAndRoundedDown) {
  const auto canon = [](std::uint64_t bound) {
    return Parse(Text("optr: { order: [cost], max_risk_ppm: 20000, max_cost: 500, min_success_ppm: " + std::to_string(bound) +
                      " }\nestimates: [{ for: write, ttv_us: 1, cost: 1, risk_ppm: 1, irreversibility: 0, success_ppm: 999999 }]\n"));
  };
  const Plans two = PlansOf(PlanOf(StepOf(Write("/srv/a/x")) + "," + StepOf(Write("/srv/a/y"))));
  // 0.999999² = 0.999998000001: above 999998 ppm, below 999999.
  EXPECT_EQ(Choose(canon(999998), two).code, OptrCode::kPermitted);
  EXPECT_EQ(Codes(Choose(canon(999999), two)), List{"SUCCESS_PROB_TOO_LOW"});
}

TEST(Optr, ALocaleWithACommaChangesNothing) {
  const Plans plans = OneStep(Write("/srv/a/x") + "," + Write("/srv/b/y"));
  const std::string before = json::Encode(Choose(Parse(Text(kOptr)), plans).result);
  for (const char* name : {"de_DE.UTF-8", "tr_TR.UTF-8", "C.UTF-8", ""}) {
    std::setlocale(LC_ALL, name);  // NULL where it is not installed: then nothing changes
    EXPECT_EQ(json::Encode(Choose(Parse(Text(kOptr)), plans).result), before) << name;
  }
  std::setlocale(LC_ALL, "C");
}

TEST(Optr, ATieIsNotBrokenByTheOrderOfTheInput) {
  std::vector<std::string> actions;
  for (int i = 0; i < 6; ++i) actions.push_back(Write("/srv/a/" + std::to_string(i)));
  const Canon canon = Parse(Text(kOptr));
  std::string first;
  std::sort(actions.begin(), actions.end());
  for (int round = 0; round < 24; ++round) {
    std::string any;
    std::string plans;
    for (const std::string& action : actions) {
      any += (any.empty() ? "" : ",") + action;
      plans += (plans.empty() ? "" : ",") + PlanOf(StepOf(action), "p" + std::to_string(round));
    }
    const std::string encoded = Choose(canon, PlansOf(PlanOf(StepOf(any)) + "," + plans)).digest +
                                Choose(canon, OneStep(any)).digest;
    if (round != 0) {
      EXPECT_NE(encoded.find(first.substr(64)), std::string::npos);
    } else {
      first = encoded;
    }
    std::next_permutation(actions.begin(), actions.end());
  }
}

TEST(Optr, TheLowestRuleIdBreaksATieBeforeAnyDigest) {
  const Canon canon = Parse(Text(
      "optr: { order: [cost], max_risk_ppm: 20000, max_cost: 500, min_success_ppm: 1 }\n"
      "estimates: [{ for: write, ttv_us: 1, cost: 1, risk_ppm: 1, irreversibility: 0, success_ppm: 1000000 }]\n"));
  for (int i = 0; i < 20; ++i) {
    Snapshot snapshot = Now();
    snapshot.salt = std::to_string(i);
    const std::string name = std::to_string(i * 7919);
    EXPECT_EQ(Choose(canon, OneStep(Write("/srv/b/" + name) + "," + Write("/srv/a/" + name)), snapshot).steps.at(0).rule, "a");
  }
}

// The applicant may search for file names whose digests are low; which digest is
// low depends on a salt that does not exist yet when it hands the plans over.
TEST(Optr, ADigestCannotBeGroundToWinATie) {
  const Canon canon = Parse(Text(kOptr));
  std::string ground;
  Digest lowest;
  lowest.fill(0xff);
  for (int i = 0; i < 500; ++i) {
    const std::string action = Write("/srv/a/g" + std::to_string(i));
    const Digest digest = OneStep(action).plans[0].steps[0].any[0].digest;
    if (digest < lowest) {
      lowest = digest;
      ground = action;
    }
  }
  const Plans plans = OneStep(ground + "," + Write("/srv/a/honest"));
  int ground_wins = 0;
  for (int i = 0; i < 200; ++i) {
    Snapshot snapshot = Now();
    snapshot.salt = "salt " + std::to_string(i);
    ground_wins += Choose(canon, plans, snapshot).steps.at(0).action.digest == lowest ? 1 : 0;
  }
  EXPECT_GT(ground_wins, 60) << "of 200, about half";
  EXPECT_LT(ground_wins, 140);
}

TEST(Optr, ASessionCannotLowerAnEstimateOnlyRaiseIt) {
  const Canon canon = Parse(Text(kOptr));
  const auto figures = [&](const std::string& worse) {
    return Choose(canon, OneStep(Write("/srv/a/x", ",\"worse\":" + worse))).steps.at(0).figures;
  };
  const Figures lower = figures(R"({"cost":0,"risk_ppm":0,"ttv_us":0,"irreversibility":0,"success_ppm":1000000})");
  EXPECT_EQ(lower.cost, 50u);
  EXPECT_EQ(lower.risk_ppm, 100u);
  EXPECT_EQ(lower.ttv_us, 10u);
  EXPECT_EQ(lower.success_ppm, 990'000u);
  const Figures worse = figures(R"({"cost":51,"success_ppm":950000})");
  EXPECT_EQ(worse.cost, 51u);
  EXPECT_EQ(worse.success_ppm, 950'000u);
  EXPECT_EQ(worse.risk_ppm, 100u);
}

TEST(Optr, OfSeveralEstimatesTheWorstFigureCounts) {
  const Canon canon = Parse(Text(std::string(kOptr) +
      "  - { for: write, rule: a, ttv_us: 0, cost: 0, risk_ppm: 7000, irreversibility: 9, success_ppm: 1000000 }\n"));
  const Figures figures = Choose(canon, OneStep(Write("/srv/a/x"))).steps.at(0).figures;
  EXPECT_EQ(figures.cost, 50u);
  EXPECT_EQ(figures.risk_ppm, 7000u);
  EXPECT_EQ(figures.irreversibility, 9u);
  EXPECT_EQ(figures.success_ppm, 990'000u);
}

TEST(Optr, ASumCannotOverflow) {
  std::string steps;
  for (int i = 0; i < 32; ++i)
    steps += (i == 0 ? "" : ",") + StepOf(Write("/srv/a/" + std::to_string(i), R"(,"worse":{"cost":1000000000000000,"risk_ppm":1000000})"));
  Snapshot snapshot = Now();
  const Canon canon = Parse(Text(
      "optr: { order: [cost], max_risk_ppm: 1000000, max_cost: 1000000000000000, min_success_ppm: 1 }\n"
      "estimates: [{ for: write, ttv_us: 1, cost: 1, risk_ppm: 1, irreversibility: 0, success_ppm: 1000000 }]\n"
      "blast: { objects: 1000000000000000, hosts: 0, window: 1h }\n"));
  snapshot.blast_objects = ~std::uint64_t{0};  // as a broken snapshot would have it
  const Selection selection = Choose(canon, PlansOf(PlanOf(steps)), snapshot);
  EXPECT_EQ(selection.code, OptrCode::kNoAdmissiblePlan);
  EXPECT_EQ(Codes(selection), (List{"BLAST_RADIUS_EXCEEDED", "RISK_BOUND_EXCEEDED", "COST_BOUND_EXCEEDED"}));
}

TEST(Optr, NotANumberIsNoNumber) {
  for (const char* number : {"NaN", "\"NaN\"", "1e400", "-1", "0.5", "null"}) {
    EXPECT_FALSE(ParsePlans(R"({"format":1,"plans":[)" + PlanOf(StepOf(Write("/srv/a/x", std::string(R"(,"worse":{"risk_ppm":)") + number + "}"))) + "]}")) << number;
  }
}

TEST(Optr, AMissingEstimateIsTheWorstNotZero) {
  const Canon canon = Parse(Text("optr: { order: [cost], max_risk_ppm: 20000, max_cost: 500, min_success_ppm: 1 }\n"));
  const Selection selection = Choose(canon, OneStep(Write("/srv/a/x")));
  EXPECT_EQ(selection.code, OptrCode::kNoAdmissiblePlan);
  EXPECT_EQ(Codes(selection), (List{"MISSING_CANON_PREREQS", "RISK_BOUND_EXCEEDED", "COST_BOUND_EXCEEDED"}));
}

TEST(Optr, ACanonWithoutAnObjectivePermitsNoPlan) {
  const Selection selection = Choose(Parse(Text("")), OneStep(Write("/srv/a/x")));
  EXPECT_EQ(selection.code, OptrCode::kNoAdmissiblePlan);
  EXPECT_EQ(Codes(selection)[0], "MISSING_CANON_PREREQS");
}

TEST(Optr, AForbidHoldsWhateverPermits) {
  Canon canon = Parse(Text(kOptr));
  Rule forbid;
  forbid.id = "never";
  forbid.effect = Effect::kForbid;
  forbid.kind = Kind::kWrite;
  forbid.objects = {*ParseObjectJson(json::Object{{"file", "/srv/a/secret"}})};
  canon.rules.push_back(forbid);
  EXPECT_EQ(Choose(canon, OneStep(Write("/srv/a/x"))).code, OptrCode::kPermitted);
  EXPECT_EQ(Codes(Choose(canon, OneStep(Write("/srv/a/secret")))), List{"INVARIANT_VIOLATION"});
  EXPECT_EQ(Codes(Choose(canon, OneStep(R"({"kind":"write","object":{"tree":"/srv/a"}})"))), List{"INVARIANT_VIOLATION"});
}

TEST(Optr, LeasesOfOthersStandInTheWay) {
  const Canon canon = Parse(Text(kOptr, "  - { id: c, permit: write, in: [{ dir: /srv/c, depth: all }], limits: { ttl: 10m, uses: 10 }, lease: [{ resource: r, mode: shared }, { objects: exclusive }] }\n"));
  Canon with = canon;
  with.terms.estimates.push_back(canon.terms.estimates[1]);
  with.terms.estimates.back().objects.clear();
  const auto ask = [&](std::vector<HeldLease> leases) {
    Snapshot snapshot = Now();
    snapshot.leases = std::move(leases);
    return Choose(with, OneStep(R"({"kind":"write","object":{"tree":"/srv/c/x"}})"), snapshot);
  };
  const auto object = [](const char* form, const char* path) { return *ParseObjectJson(json::Object{{form, path}}); };
  EXPECT_EQ(ask({}).code, OptrCode::kPermitted);
  EXPECT_EQ(ask({{"s2", "r", {}, Kind::kWrite, LeaseMode::kShared}}).code, OptrCode::kPermitted);
  EXPECT_EQ(ask({{"s2", "other", {}, Kind::kWrite, LeaseMode::kExclusive}}).code, OptrCode::kPermitted);
  EXPECT_EQ(ask({{"s2", "", object("tree", "/srv/c/y"), Kind::kWrite, LeaseMode::kExclusive}}).code, OptrCode::kPermitted);
  const Selection held = ask({{"s2", "r", {}, Kind::kWrite, LeaseMode::kExclusive}});
  EXPECT_EQ(Codes(held), List{"NON_INTERFERENCE_VIOLATION"});
  EXPECT_NE(RenderResult(held.result).find("session s2 holds 'r'"), std::string::npos) << "the holder is named";
  EXPECT_EQ(Codes(ask({{"s2", "", object("file", "/srv/c/x/y/z"), Kind::kWrite, LeaseMode::kShared}})), List{"NON_INTERFERENCE_VIOLATION"});
}

TEST(Optr, DutiesAreKeptApartOverTimeAndWithinAPlan) {
  const Canon canon = Parse(Text(kOptr, "  - { id: pay, permit: connect, to: [{ cidr: 10.1.0.0/16 }], limits: { ttl: 10m, uses: 10 }, duties: { apart_from: [a], window: 24h } }\n"));
  const std::string pay = R"({"kind":"connect","object":{"cidr":"10.1.0.1/32","port":0,"proto":"tcp"},"rule":"pay"})";
  EXPECT_EQ(Choose(canon, OneStep(pay)).code, OptrCode::kPermitted);
  Snapshot snapshot = Now();
  snapshot.apart["pay"] = "a";
  EXPECT_EQ(Codes(Choose(canon, OneStep(pay), snapshot)), List{"SEGREGATION_OF_DUTIES"});
  EXPECT_EQ(Codes(Choose(canon, PlansOf(PlanOf(StepOf(Write("/srv/a/x")) + "," + StepOf(pay))))), List{"SEGREGATION_OF_DUTIES"});
  // The search goes around it where it can.
  const Selection around = Choose(canon, PlansOf(PlanOf(StepOf(Write("/srv/a/x") + "," + Write("/srv/b/x", R"(,"worse":{"cost":60})")) + "," + StepOf(pay))));
  ASSERT_EQ(around.code, OptrCode::kPermitted);
  EXPECT_EQ(around.steps[0].rule, "b") << "dearer, but admissible";
}

TEST(Optr, BlastRadiusCountsWhatCouldBeTouched) {
  const Canon canon = Parse(Text(std::string(kOptr) + "blast: { objects: 11, hosts: 300, window: 1h }\n"));
  const std::string tree = R"({"kind":"write","object":{"tree":"/srv/b"},"uses":10})";
  const auto net = [](const char* cidr) {
    return std::string(R"({"kind":"connect","object":{"cidr":")") + cidr + R"(","port":0,"proto":"tcp"}})";
  };
  Snapshot snapshot = Now();
  EXPECT_EQ(Choose(canon, OneStep(tree), snapshot).code, OptrCode::kPermitted);
  snapshot.blast_objects = 1;
  EXPECT_EQ(Choose(canon, OneStep(tree), snapshot).code, OptrCode::kPermitted);
  snapshot.blast_objects = 2;
  EXPECT_EQ(Codes(Choose(canon, OneStep(tree), snapshot)), List{"BLAST_RADIUS_EXCEEDED"});
  EXPECT_EQ(Choose(canon, OneStep(net("10.0.1.0/24"))).code, OptrCode::kPermitted);
  EXPECT_EQ(Codes(Choose(canon, OneStep(net("10.0.0.0/16")))), List{"BLAST_RADIUS_EXCEEDED"}) << "1000 uses";
}

TEST(Optr, BudgetsAndRatesAddUpOverTheWindow) {
  const Canon canon = Parse(Text(std::string(kOptr) + "budgets: [{ id: m, limit: 100, window: 1h }]\n",
      "  - { id: c, permit: write, in: [{ dir: /srv/b/c, depth: all }], limits: { ttl: 10m, uses: 10 }, budget: m, rate: { uses: 15, per: 1m } }\n"));
  const std::string one = StepOf(Write("/srv/b/c/x", R"(,"rule":"c","uses":5)"));
  Snapshot snapshot = Now();
  EXPECT_EQ(Choose(canon, PlansOf(PlanOf(one + "," + one)), snapshot).code, OptrCode::kPermitted);
  EXPECT_EQ(Codes(Choose(canon, PlansOf(PlanOf(one + "," + one + "," + one)), snapshot)), List{"BUDGET_EXCEEDED"});
  snapshot.budgets["m"] = 21;
  EXPECT_EQ(Codes(Choose(canon, PlansOf(PlanOf(one + "," + one)), snapshot)), List{"BUDGET_EXCEEDED"});
  snapshot.budgets["m"] = 0;
  snapshot.rates["c"] = 6;
  EXPECT_EQ(Codes(Choose(canon, PlansOf(PlanOf(one + "," + one)), snapshot)), List{"RATE_EXCEEDED"});
  snapshot.rates["c"] = 5;
  EXPECT_EQ(Choose(canon, PlansOf(PlanOf(one + "," + one)), snapshot).code, OptrCode::kPermitted);
}

TEST(Optr, EvidenceCountsOnlyAsAFieldOfTheProducerThatCanonNames) {
  const Canon canon = Parse(Text(std::string(kOptr) +
      "producers: [{ name: ci, key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f }]\n",
      "  - { id: c, permit: write, in: [{ dir: /srv/b/c, depth: all }], limits: { ttl: 10m, uses: 10 }, needs: { field: tests.passed, by: ci, is: true } }\n"));
  const Plans plans = OneStep(Write("/srv/b/c/x", R"(,"rule":"c")"));
  const auto ask = [&](std::vector<EvidenceField> fields) {
    Snapshot snapshot = Now();
    snapshot.fields = std::move(fields);
    return Codes(Choose(canon, plans, snapshot));
  };
  EXPECT_EQ(ask({}), List{"EVIDENCE_MISSING"});
  EXPECT_EQ(ask({{"ci", "tests.passed", 1}}), List{});
  EXPECT_EQ(ask({{"ci", "tests.passed", 0}}), List{"EVIDENCE_MISSING"});
  EXPECT_EQ(ask({{"agent", "tests.passed", 1}}), List{"EVIDENCE_MISSING"});
  EXPECT_EQ(ask({{"ci", "tests.passed2", 1}}), List{"EVIDENCE_MISSING"});
}

TEST(Optr, TooManyAlternativesAreRefusedAndSaidSo) {
  // Equal costs and a budget that no combination meets: nothing can be pruned early.
  std::string rules;
  std::string budgets = "budgets: [";
  for (int i = 0; i < 8; ++i) {
    const std::string n = std::to_string(i);
    rules += "  - { id: r" + n + ", permit: write, in: [{ dir: /srv/z, depth: all }], limits: { ttl: 1m, uses: 1 }, budget: b" + n + " }\n";
    budgets += (i == 0 ? "" : ", ") + std::string("{ id: b") + n + ", limit: " + (i == 7 ? "9" : "8") + ", window: 1h }";
  }
  const Canon canon = Parse(Text(
      "optr: { order: [ttv], max_risk_ppm: 20000, max_cost: 5000, min_success_ppm: 1 }\n"
      "estimates: [{ for: write, ttv_us: 1, cost: 3, risk_ppm: 1, irreversibility: 0, success_ppm: 1000000 }]\n" + budgets + "]\n", rules));
  std::string steps;
  for (int i = 0; i < 18; ++i) steps += (i == 0 ? "" : ",") + StepOf(Write("/srv/z/" + std::to_string(i)));
  const Selection selection = Choose(canon, PlansOf(PlanOf(steps)));
  EXPECT_EQ(selection.code, OptrCode::kNodeBoundExceeded);
  EXPECT_TRUE(selection.steps.empty());
  EXPECT_NE(RenderResult(selection.result).find("more than 100000 alternatives"), std::string::npos);
}

TEST(Optr, EqualAlternativesByTheHundredAreNoBurden) {
  std::string steps;
  for (int i = 0; i < 32; ++i) {
    std::string any;
    for (int j = 0; j < 8; ++j) any += (j == 0 ? "" : ",") + Write("/srv/z/" + std::to_string(j));
    steps += (i == 0 ? "" : ",") + StepOf(any);
  }
  const Canon canon = Parse(Text(
      "optr: { order: [ttv], max_risk_ppm: 20000, max_cost: 5000, min_success_ppm: 1 }\n"
      "estimates: [{ for: write, ttv_us: 1, cost: 3, risk_ppm: 1, irreversibility: 0, success_ppm: 1000000 }]\n",
      "  - { id: z, permit: write, in: [{ dir: /srv/z }], limits: { ttl: 1m, uses: 1 } }\n"));
  EXPECT_EQ(Choose(canon, PlansOf(PlanOf(steps))).code, OptrCode::kPermitted);
}

TEST(Optr, TheCanonsLinksAreFollowedAsRecorded) {
  const Canon canon = Parse(Text(kOptr));
  Snapshot snapshot = Now();
  EXPECT_EQ(Choose(canon, OneStep(Write("/mnt/a/x")), snapshot).code, OptrCode::kNoAdmissiblePlan);
  snapshot.aliases["/srv/a"] = "/mnt/a";
  EXPECT_EQ(Choose(canon, OneStep(Write("/mnt/a/x")), snapshot).code, OptrCode::kPermitted);
  EXPECT_EQ(Choose(canon, OneStep(Write("/srv/a/x")), snapshot).code, OptrCode::kNoAdmissiblePlan);
}

TEST(Optr, ASnapshotIsReadBackExactly) {
  Snapshot snapshot = Now();
  snapshot.aliases["/srv/a"] = "/mnt/\xff";
  snapshot.fields = {{"ci", "f", ~std::uint64_t{0}}};
  snapshot.leases = {{"s2", "r", {}, Kind::kWrite, LeaseMode::kShared},
                     {"s3", "", *ParseObjectJson(json::Object{{"tree", "/srv"}}), Kind::kWrite, LeaseMode::kExclusive}};
  snapshot.budgets["m"] = 5;
  snapshot.apart["pay"] = "a";
  const json::Value value = SnapshotJson(snapshot);
  const auto back = ParseSnapshotJson(*json::Parse(json::Encode(value)));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(SnapshotJson(*back), value);
  json::Value more = value;
  more.object()["x"] = 1;
  EXPECT_FALSE(ParseSnapshotJson(more));
}

}  // namespace
}  // namespace proofgate::policy
