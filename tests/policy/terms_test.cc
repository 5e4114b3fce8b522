#include "policy/terms.h"

#include <gtest/gtest.h>

#include "policy/parse.h"

namespace proofgate::policy {
namespace {

constexpr const char* kKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
constexpr const char* kOtherKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA";

std::string Text(const std::string& rule_terms = "", const std::string& more = "") {
  return "format: 1\ntenant: t\ndomain: d\nmode: enforce\n"
         "optr: { order: [risk, cost], max_risk_ppm: 20000, max_cost: 500, min_success_ppm: 900000 }\n"
         "estimates:\n"
         "  - { for: write, ttv_us: [1, 2], cost: 3, risk_ppm: [4, 5], irreversibility: 0, success_ppm: [999, 1000] }\n"
         "  - { for: write, rule: w, in: [{ dir: /srv, depth: all }], ttv_us: 1, cost: 1, risk_ppm: 1, irreversibility: 1, success_ppm: 1 }\n"
         "budgets: [{ id: money, limit: 100, window: 24h }]\n"
         "blast: { objects: 10, hosts: 2, window: 1h }\n"
         "approvers:\n"
         "  - { person: alice, roles: [finance], keys: [" + std::string(kKey) + " alice@host] }\n"
         "  - { person: bob, roles: [finance, ops], uids: [1001] }\n"
         "producers: [{ name: ci, key: " + std::string(kOtherKey) + " }]\n" + more +
         "rules:\n"
         "  - { id: w, permit: write, in: [{ dir: /srv, depth: all }], limits: { ttl: 2m, uses: 5 }" + rule_terms + " }\n"
         "  - { id: n, permit: connect, to: [{ cidr: 127.0.0.0/8 }], limits: { ttl: 2m, uses: 5 } }\n";
}

constexpr const char* kAllTerms =
    ", approvals: [{ count: 2, role: finance }, { count: 1, role: ops, ttl: 5m }]"
    ", lease: [{ resource: invoices, mode: shared }, { objects: exclusive }]"
    ", budget: money, rate: { uses: 5, per: 1m }, duties: { apart_from: [n], window: 1h }"
    ", needs: [{ field: tests.passed, by: ci, is: true }, { field: coverage, by: ci, min: 80 }]";

std::string FirstMistake(const std::string& text) {
  const ParsedCanon parsed = ParseCanon(text, "c");
  return parsed.diagnostics.empty() ? "" : Render(parsed.diagnostics.front());
}

TEST(Terms, AreReadWhole) {
  const ParsedCanon parsed = ParseCanon(Text(kAllTerms), "c");
  ASSERT_TRUE(parsed.diagnostics.empty()) << Render(parsed.diagnostics.front());
  const Canon& canon = parsed.canons.at(0);
  ASSERT_TRUE(canon.terms.optr);
  EXPECT_EQ(canon.terms.optr->order, (std::vector<Goal>{Goal::kRisk, Goal::kCost}));
  EXPECT_EQ(canon.terms.optr->min_success_ppm, 900000u);
  ASSERT_EQ(canon.terms.estimates.size(), 2u);
  EXPECT_EQ(canon.terms.estimates[0].ttv_us, (Interval{1, 2}));
  EXPECT_EQ(canon.terms.estimates[0].cost, (Interval{3, 3}));
  EXPECT_EQ(canon.terms.estimates[1].rule, "w");
  EXPECT_EQ(canon.terms.approvers[0].keys[0], kKey) << "without its comment";
  const RuleTerms& terms = canon.FindRule("w")->terms;
  ASSERT_EQ(terms.approvals.size(), 2u);
  EXPECT_EQ(terms.approvals[0].count, 2u);
  EXPECT_EQ(terms.approvals[1].ttl_ns, 300'000'000'000u);
  ASSERT_EQ(terms.leases.size(), 2u);
  EXPECT_EQ(terms.leases[0].mode, LeaseMode::kShared);
  EXPECT_EQ(terms.leases[1].resource, "");
  EXPECT_EQ(terms.needs[0].min, 1u);
  EXPECT_EQ(terms.needs[0].max, 1u);
  EXPECT_EQ(terms.needs[1].min, 80u);
  EXPECT_EQ(terms.needs[1].max, kMaxFigure);
}

TEST(Terms, SurviveTheCanonicalForm) {
  for (const char* terms : {kAllTerms, "", ", budget: money"}) {
    const ParsedCanon parsed = ParseCanon(Text(terms), "c");
    ASSERT_TRUE(parsed.diagnostics.empty()) << Render(parsed.diagnostics.front());
    const json::Value model = CanonJson(parsed.canons.at(0));
    const auto back = ParseCanonJson(*json::Parse(json::Encode(model)));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(CanonJson(*back), model);
  }
}

TEST(Terms, WitnessesAndCustodyAreReadAndKept) {
  const std::string records =
      "witnessed: [write, connect]\nrecords: { retain: { keep_days: 365, count: 2, role: finance }, erase: { count: 1, role: ops } }\n";
  const ParsedCanon parsed = ParseCanon(Text("", records), "c");
  ASSERT_TRUE(parsed.diagnostics.empty()) << Render(parsed.diagnostics.front());
  const DomainTerms& terms = parsed.canons.at(0).terms;
  EXPECT_EQ(terms.witnessed, (std::vector<Kind>{Kind::kWrite, Kind::kConnect}));
  ASSERT_TRUE(terms.records && terms.records->retain && terms.records->erase);
  EXPECT_EQ(terms.records->keep_days, 365u);
  EXPECT_EQ(terms.records->retain->count, 2u);
  EXPECT_EQ(terms.records->erase->role, "ops");
  EXPECT_FALSE(terms.records->release) << "what is not named may not be done";
  const json::Value model = CanonJson(parsed.canons.at(0));
  const auto back = ParseCanonJson(*json::Parse(json::Encode(model)));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(CanonJson(*back), model);
  EXPECT_NE(FirstMistake(Text("", "records: { erase: { count: 3, role: finance } }\n")).find("erase needs 3 persons of role 'finance', which 2 have"), std::string::npos);
  EXPECT_NE(FirstMistake(Text("", "records: { retain: { count: 1, role: ops } }\n")).find("'keep_days' is missing"), std::string::npos);
  EXPECT_NE(FirstMistake(Text("", "witnessed: [write, write]\n")).find("given twice"), std::string::npos);
  EXPECT_NE(FirstMistake(Text("", "witnessed: [walk]\n")).find("unknown"), std::string::npos);
}

TEST(Terms, ACanonWithoutThemHasTheFormItHadBefore) {
  const ParsedCanon parsed = ParseCanon(
      "format: 1\ntenant: t\ndomain: d\nmode: enforce\nrules:\n"
      "  - { id: w, permit: write, in: [{ dir: /srv }], limits: { ttl: 2m, uses: 5 } }\n", "c");
  EXPECT_EQ(json::Encode(CanonJson(parsed.canons.at(0))),
            R"({"domain":"d","format":1,"mode":"enforce","rules":[{"effect":"permit","id":"w","kind":"write",)"
            R"("objects":[{"dir":"/srv"}],"ttl_ns":120000000000,"uses":5}],"standing":[],"tenant":"t"})");
}

TEST(Terms, WhatTheyNameMustBeThere) {
  EXPECT_EQ(FirstMistake(Text()), "");
  EXPECT_NE(FirstMistake(Text(", budget: muney")).find("names budget 'muney', which is not defined"), std::string::npos);
  EXPECT_NE(FirstMistake(Text(", approvals: { count: 3, role: finance }")).find("which 2 persons have"), std::string::npos);
  EXPECT_NE(FirstMistake(Text(", duties: { apart_from: [w], window: 1h }")).find("no other permit"), std::string::npos);
  EXPECT_NE(FirstMistake(Text(", duties: { apart_from: [x], window: 1h }")).find("no other permit"), std::string::npos);
  EXPECT_NE(FirstMistake(Text(", needs: { field: f, by: cd, is: true }")).find("producer 'cd'"), std::string::npos);
}

TEST(Terms, SayWhatIsWrongWhereItIs) {
  EXPECT_NE(FirstMistake(Text(", needs: { field: f, by: ci }")).find("bounds nothing"), std::string::npos);
  EXPECT_NE(FirstMistake(Text(", needs: { field: f, by: ci, is: true, min: 3 }")).find("both"), std::string::npos);
  EXPECT_NE(FirstMistake(Text(", lease: { resource: r }")).find("lease has no mode"), std::string::npos);
  EXPECT_NE(FirstMistake(Text(", lease: { objects: exclusive, mode: shared }")).find("'mode' goes with 'resource'"), std::string::npos);
  EXPECT_NE(FirstMistake(Text(", rate: { uses: 0, per: 1m }")).find("out of range"), std::string::npos);
  EXPECT_NE(FirstMistake(Text(", budgt: money")).find("expected 'budget'"), std::string::npos);
  EXPECT_NE(FirstMistake(Text("", "mode2: x\n")).find("unknown key"), std::string::npos);
  std::string text = Text();
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return FirstMistake(changed);
  };
  EXPECT_NE(with("[999, 1000]", "[0, 1000]").find("out of range"), std::string::npos) << "p = 0";
  EXPECT_NE(with("[4, 5]", "[5, 4]").find("is empty"), std::string::npos);
  EXPECT_NE(with("cost: 3", "cost: 3.5").find("out of range"), std::string::npos);
  EXPECT_NE(with("cost: 3", "cost: .nan").find("out of range"), std::string::npos);
  EXPECT_NE(with("cost: 3, ", "").find("'cost' is missing"), std::string::npos);
  EXPECT_NE(with("[risk, cost]", "[risk, risk]").find("given twice"), std::string::npos);
  EXPECT_NE(with("max_cost: 500, ", "").find("'max_cost' is missing"), std::string::npos);
  EXPECT_NE(with("rule: w, in", "rule: n, in").find("no permit of this kind"), std::string::npos);
  EXPECT_NE(with(", uids: [1001]", "").find("no way to approve"), std::string::npos);
  EXPECT_NE(with(kOtherKey, "ssh-rsa AAAA").find("key of 'ci'"), std::string::npos);
}

TEST(Terms, APersonIsNamedOnceAndAKeyHasOnePerson) {
  const std::string text = Text();
  const auto with = [&](const std::string& more) {
    std::string changed = text;
    const std::string at = "producers:";
    return FirstMistake(changed.insert(changed.find(at), more));
  };
  EXPECT_NE(with("  - { person: alice, roles: [ops], uids: [7] }\n").find("named twice"), std::string::npos);
  EXPECT_NE(with("  - { person: carol, roles: [ops], keys: [" + std::string(kKey) + "] }\n").find("named twice"), std::string::npos);
  EXPECT_NE(with("  - { person: carol, roles: [ops], uids: [1001] }\n").find("named twice"), std::string::npos);
  EXPECT_EQ(with("  - { person: carol, roles: [ops], uids: [1002] }\n"), "");
}

TEST(Terms, AreForPermitsOnly) {
  const std::string text =
      "format: 1\ntenant: t\ndomain: d\nmode: enforce\nbudgets: [{ id: m, limit: 1, window: 1h }]\nrules:\n"
      "  - { id: f, forbid: write, in: [{ dir: /srv }], budget: m }\n";
  EXPECT_NE(FirstMistake(text).find("budget is for permits"), std::string::npos);
}

}  // namespace
}  // namespace proofgate::policy
