// Proposed, judged, approved, promoted: each an entry, none to be left out.

#include "agent/promotion.h"

#include <gtest/gtest.h>

#include "policy/replay.h"
#include "tests/agent/canon_trust_fixture.h"

namespace proofgate::agent {
namespace {

class PromotionTest : public CanonTrustTest {
 protected:
  void SetUp() override {
    CanonTrustTest::SetUp();
    ASSERT_EQ(Pin(RootText(1), {"root1"}), "");
    ASSERT_EQ(ApplyBundle(Next(), Canon("a")), "");
  }
  policy::Bundle Make(const std::string& granted, const std::function<void(policy::Manifest&)>& change = {}) {
    policy::Manifest manifest = Next();
    if (change) change(manifest);
    return policy::BuildBundle(manifest, {{"d.yaml", Canon(granted)}});
  }
  std::string Signed(const policy::Bundle& bundle, const char* who) { return SshSign(*keys_[who], policy::kCanonNamespace, bundle.manifest); }
  Result<json::Object> Propose(const policy::Bundle& bundle, bool is_emergency = false, const std::string& why = "") {
    return agent_->promotion().Propose({policy::EncodeBundle(bundle), {std::string(64, 'e')}, is_emergency, why, "uid:0"});
  }
  std::string Judge(const std::string& id) {
    const auto judged = agent_->promotion().Judge(id, kImpactEntries);
    if (!judged) return Refusal(judged);
    return judged->at("passed") == json::Value(true) ? "" : "FAILED";
  }
  std::string Approve(const std::string& id, const policy::Bundle& bundle, const char* who) {
    return Refusal(agent_->promotion().Approve(id, Signed(bundle, who), "uid:0"));
  }
  std::string Promote(const std::string& id, const std::vector<std::string>& acknowledged = {}) {
    return Refusal(agent_->Promote(id, acknowledged, "uid:0"));
  }
  std::string Id(const policy::Bundle& bundle) { return Hex(Sha256(bundle.manifest)); }
  // What a process did under the canon in force: an ACT entry, as the drain writes it.
  void Act(const std::string& path) {
    const std::uint64_t canon = std::stoull(**ledger_->ReadMeta("canon_entry/d"));
    ASSERT_TRUE(ledger_->Append({{"DENY", json::Object{{"domain", "d"}, {"kind", "write"}, {"path", path}, {"code", "NO_RECEIPT"},
                                                       {"canon_entry", json::Integer(canon)}}}}));
  }
};

TEST_F(PromotionTest, EachStepIsAnEntryAndNoneIsLeftOut) {
  const policy::Bundle bundle = Make("b");
  const std::string id = Id(bundle);
  Act(dir_ + "/a/x");
  Act(dir_ + "/a/y");
  Act(dir_ + "/b/x");
  EXPECT_EQ(Promote(id), id + "") << "nothing of this name is proposed";
  ASSERT_TRUE(Propose(bundle));
  EXPECT_EQ(Promote(id), "GATES_NOT_PASSED");
  EXPECT_EQ(Judge(id), "");
  const json::Value gates = Entries("CANON_GATES").back();
  const json::Array& flips = gates.Find("impact")->Find("flips")->array();
  ASSERT_EQ(flips.size(), 1u) << "what lay in b has a standing grant before and after";
  EXPECT_EQ(*json::GetInteger(flips[0], "count"), 2u);
  const std::string flip = *json::GetString(flips[0], "name");
  EXPECT_EQ(Promote(id), "FLIP_NOT_ACKNOWLEDGED");
  EXPECT_EQ(Promote(id, {flip}), "THRESHOLD_NOT_MET");
  EXPECT_EQ(Approve(id, bundle, "alice"), "");
  EXPECT_EQ(Approve(id, bundle, "alice"), "");
  EXPECT_EQ(Promote(id, {flip}), "THRESHOLD_NOT_MET") << "one person is one";
  EXPECT_EQ(Approve(id, bundle, "root1"), "KEY_OF_ANOTHER_ROLE");
  EXPECT_EQ(Approve(id, Make("a"), "bob"), "SIGNATURE_INVALID") << "over another manifest";
  EXPECT_EQ(Approve(id, bundle, "bob"), "");
  EXPECT_EQ(agent_->canon_version(), 1u);
  EXPECT_EQ(Promote(id, {flip}), "");
  EXPECT_EQ(agent_->canon_version(), 2u);
  EXPECT_EQ(Entries("CANON_PROPOSED").size(), 1u);
  EXPECT_EQ(Entries("CANON_APPROVED").size(), 3u);
  const json::Value promoted = Entries("CANON_PROMOTED").back();
  EXPECT_EQ(*json::GetString(promoted, "proposal"), id);
  EXPECT_EQ(promoted.Find("acknowledged")->array().at(0).string(), flip);
  EXPECT_EQ(*json::GetString(Entries("CANON_BUNDLE").back(), "manifest_digest"), id);
  EXPECT_TRUE(agent_->promotion().List()->at("proposals").array().empty());
}

TEST_F(PromotionTest, GatesThatWereRunAgainstAnotherCanonDoNotCount) {
  policy::Bundle bundle = Make("b", [](policy::Manifest& manifest) { manifest.version += 1; });
  const std::string id = Id(bundle);
  ASSERT_TRUE(Propose(bundle));
  ASSERT_EQ(Judge(id), "");
  for (const char* who : {"alice", "bob"}) ASSERT_EQ(Approve(id, bundle, who), "");
  ASSERT_EQ(ApplyBundle(Next(), Canon("b")), "");
  EXPECT_EQ(Promote(id), "GATES_STALE");
  EXPECT_EQ(Judge(id), "FAILED") << "it no longer follows what is in force";
  EXPECT_EQ(Promote(id), "GATES_NOT_PASSED");
}

TEST_F(PromotionTest, WhatCanNeverComeIntoForceIsNotProposed) {
  EXPECT_EQ(Refusal(Propose(Make("b", [](policy::Manifest& manifest) { manifest.tenant = "evil"; }))), "WRONG_TENANT");
  EXPECT_EQ(Refusal(Propose(Make("b", [](policy::Manifest& manifest) { manifest.version = 1; }))), "ROLLBACK");
  EXPECT_EQ(Entries("CANON_REFUSED").size(), 2u);
  EXPECT_TRUE(Entries("CANON_PROPOSED").empty());
}

TEST_F(PromotionTest, AnEmergencyNeedsAReasonAnEndAndAsManySignatures) {
  const auto expiring = [&](std::uint64_t hours) {
    return Make("b", [&](policy::Manifest& manifest) {
      manifest.expires_utc = FormatUtc({(clock_.Utc().ms / 1000 + static_cast<std::int64_t>(hours) * 3600) * 1000}).substr(0, 19) + "Z";
    });
  };
  Act(dir_ + "/a/x");
  EXPECT_EQ(Refusal(Propose(Make("b"), true, "down")), "EMERGENCY_UNBOUNDED") << "for ever";
  EXPECT_EQ(Refusal(Propose(expiring(73), true, "down")), "EMERGENCY_UNBOUNDED");
  EXPECT_EQ(Refusal(Propose(expiring(24), true)), "EMERGENCY_UNBOUNDED") << "without a reason";
  const policy::Bundle bundle = expiring(24);
  const std::string id = Id(bundle);
  ASSERT_TRUE(Propose(bundle, true, "down"));
  EXPECT_EQ(Promote(id), "GATES_NOT_PASSED") << "the same gates";
  EXPECT_EQ(Judge(id), "");
  EXPECT_EQ(Approve(id, bundle, "alice"), "");
  EXPECT_EQ(Promote(id), "THRESHOLD_NOT_MET");
  EXPECT_EQ(Approve(id, bundle, "bob"), "");
  EXPECT_EQ(Promote(id), "") << "its flip is in CANON_GATES, and need not be named";
  EXPECT_EQ(*Entries("CANON_PROMOTED").back().Find("emergency"), json::Value(true));
  clock_.Advance(25ull * 3600 * 1'000'000'000);
  EXPECT_EQ(Issue(), "CANON_EXPIRED");
}

TEST_F(PromotionTest, OldContentComesBackAsANewVersion) {
  ASSERT_EQ(ApplyBundle(Next(), Canon("b")), "");
  const policy::Bundle old = *policy::ParseBundle(**ledger_->ReadMeta("bundle/1"));
  policy::Bundle back = policy::BuildBundle(Next(), old.files);
  const std::string id = Id(back);
  ASSERT_TRUE(Propose(back));
  ASSERT_EQ(Judge(id), "");
  for (const char* who : {"alice", "bob"}) ASSERT_EQ(Approve(id, back, who), "");
  EXPECT_EQ(Promote(id), "");
  EXPECT_EQ(agent_->canon_version(), 3u);
  const std::vector<json::Value> canons = Entries("CANON");
  EXPECT_EQ(canons.at(0).Find("digest")->string(), canons.back().Find("digest")->string());
}

TEST_F(PromotionTest, ProposalsOutliveARestartAndAreBounded) {
  const policy::Bundle bundle = Make("b");
  ASSERT_TRUE(Propose(bundle));
  EXPECT_FALSE(Propose(bundle)) << "twice";
  Start();
  EXPECT_EQ(Judge(Id(bundle)), "");
  for (std::size_t i = 1; i < kMaxProposals; ++i)
    ASSERT_TRUE(Propose(Make("b", [&](policy::Manifest& manifest) { manifest.version += i; })));
  EXPECT_EQ(Propose(Make("b", [](policy::Manifest& manifest) { manifest.version += 100; })).error().code, Code::kBusy);
  ASSERT_TRUE(agent_->promotion().Reject(Id(bundle), "no", "uid:0"));
  EXPECT_EQ(Entries("CANON_REJECTED").size(), 1u);
  EXPECT_EQ(agent_->promotion().Judge(Id(bundle), 10).error().code, Code::kNotFound);
}

// What runs beside the canon in force has no effect, and holds it back until it
// has run for as long as that canon says and what it found is acknowledged.
TEST_F(PromotionTest, TheCanonInForceCanAskForATimeBesideIt) {
  policy::Manifest asks = Next();
  asks.shadow_seconds = 3600;
  ASSERT_EQ(ApplyBundle(asks, Canon("a")), "");
  const policy::Bundle bundle = Make("b");
  const std::string id = Id(bundle);
  ASSERT_TRUE(Propose(bundle));
  EXPECT_EQ(Refusal(agent_->promotion().ShadowOf(id, "uid:0")), "GATES_NOT_PASSED");
  ASSERT_EQ(Judge(id), "");
  for (const char* who : {"alice", "bob"}) ASSERT_EQ(Approve(id, bundle, who), "");
  EXPECT_EQ(Promote(id), "SHADOW_INCOMPLETE") << "it has not begun";
  ASSERT_TRUE(agent_->promotion().ShadowOf(id, "uid:0"));
  EXPECT_EQ(*json::GetInteger(Entries("CANON_SHADOW").back(), "seconds"), 3600u);
  EXPECT_EQ(Promote(id), "SHADOW_INCOMPLETE");

  // Live: a request, which the canon in force answers, and two acts.
  ASSERT_EQ(Issue(), "");
  Act(dir_ + "/a/x");
  Act(dir_ + "/elsewhere");
  clock_.Advance(1800ull * 1'000'000'000);
  agent_->Tick();
  std::vector<std::pair<__u32, __u64>> before;
  for (const receipt_slot& slot : kernel_.slots) before.emplace_back(slot.state, slot.expires_boot_ns);
  const json::Object half = *agent_->promotion().ShadowOf(id, "uid:0");
  EXPECT_EQ(half.at("seconds"), json::Value(1800));
  const json::Value impact = half.at("impact");
  EXPECT_EQ(*json::GetInteger(impact, "acts"), 2u);
  EXPECT_EQ(*json::GetInteger(impact, "decisions"), 1u);
  std::vector<std::string> flips;
  for (const json::Value& flip : impact.Find("flips")->array()) flips.push_back(*json::GetString(flip, "name"));
  ASSERT_EQ(flips.size(), 2u) << "the receipt for a, and the act there; what lies elsewhere was refused and is";
  EXPECT_EQ(agent_->canon_version(), 2u);
  std::vector<std::pair<__u32, __u64>> after;
  for (const receipt_slot& slot : kernel_.slots) after.emplace_back(slot.state, slot.expires_boot_ns);
  EXPECT_EQ(after, before) << "no effect";
  EXPECT_EQ(Promote(id, flips), "SHADOW_INCOMPLETE") << "half of the time";

  clock_.Advance(1800ull * 1'000'000'000);
  EXPECT_EQ(Promote(id), "FLIP_NOT_ACKNOWLEDGED") << "the judgement had none, the time beside had";
  EXPECT_EQ(Promote(id, flips), "");
  EXPECT_EQ(agent_->canon_version(), 3u);
  const json::Value shadowed = Entries("CANON_SHADOWED").back();
  EXPECT_EQ(*json::GetInteger(shadowed, "seconds"), 3600u);
  EXPECT_EQ(shadowed.Find("impact")->Find("flips")->array().size(), 2u);
  EXPECT_EQ(Entries("CANON_PROMOTED").back().Find("acknowledged")->array().size(), 2u);
}

TEST_F(PromotionTest, WhatRunsBesideOutlivesARestartAndNotAnotherCanon) {
  const policy::Bundle bundle = Make("b", [](policy::Manifest& manifest) { manifest.version += 1; });
  const std::string id = Id(bundle);
  ASSERT_TRUE(Propose(bundle));
  ASSERT_EQ(Judge(id), "");
  ASSERT_TRUE(agent_->promotion().ShadowOf(id, "uid:0"));
  Act(dir_ + "/a/x");
  const json::Value found = agent_->promotion().ShadowOf(id, "uid:0")->at("impact");
  EXPECT_EQ(found.Find("flips")->array().size(), 1u);
  Start();
  EXPECT_EQ(agent_->promotion().ShadowOf(id, "uid:0")->at("impact"), found);
  EXPECT_EQ(Entries("CANON_SHADOW").size(), 1u) << "it is the same one";
  ASSERT_EQ(ApplyBundle(Next(), Canon("b")), "");
  EXPECT_EQ(Refusal(agent_->promotion().ShadowOf(id, "uid:0")), "GATES_STALE");
}

TEST_F(PromotionTest, AnEmergencyDoesNotWaitBesideTheCanonInForce) {
  policy::Manifest asks = Next();
  asks.shadow_seconds = 3600;
  ASSERT_EQ(ApplyBundle(asks, Canon("a")), "");
  const policy::Bundle bundle = Make("b", [&](policy::Manifest& manifest) {
    manifest.expires_utc = FormatUtc({(clock_.Utc().ms / 1000 + 3600) * 1000}).substr(0, 19) + "Z";
  });
  const std::string id = Id(bundle);
  ASSERT_TRUE(Propose(bundle, true, "down"));
  ASSERT_EQ(Judge(id), "");
  for (const char* who : {"alice", "bob"}) ASSERT_EQ(Approve(id, bundle, who), "");
  EXPECT_EQ(Promote(id), "");
}

// No call keeps the daemon for more than a slice, and others are answered between.
TEST_F(PromotionTest, ALargeLedgerIsJudgedSliceBySlice) {
  const std::uint64_t canon = std::stoull(**ledger_->ReadMeta("canon_entry/d"));
  std::vector<ledger::Record> records;
  const std::uint64_t acts = 2 * kImpactSlice + 100;
  for (std::uint64_t i = 0; i < acts; ++i)
    records.push_back({"DENY", json::Object{{"domain", "d"}, {"kind", "write"}, {"path", dir_ + "/a/x"}, {"code", "NO_RECEIPT"},
                                            {"canon_entry", json::Integer(canon)}}});
  ASSERT_TRUE(ledger_->Append(std::move(records)));
  const policy::Bundle bundle = Make("b");
  const std::string id = Id(bundle);
  ASSERT_TRUE(Propose(bundle));
  json::Object judged = *agent_->promotion().Judge(id, kImpactEntries);
  int slices = 1;
  for (std::uint64_t left = ~0ull; judged.contains("running"); ++slices) {
    const std::uint64_t now_left = *json::GetInteger(judged, "left");
    EXPECT_LE(now_left + kImpactSlice, left == ~0ull ? ledger_->head().size : left);
    left = now_left;
    EXPECT_TRUE(Entries("CANON_GATES").empty());
    EXPECT_EQ(Promote(id), "GATES_NOT_PASSED");
    EXPECT_EQ(Issue(), "") << "somebody else";
    judged = *agent_->promotion().Judge(id, kImpactEntries);
  }
  EXPECT_EQ(slices, 3);
  const json::Array& flips = judged.at("impact").Find("flips")->array();
  ASSERT_EQ(flips.size(), 1u);
  EXPECT_EQ(*json::GetInteger(flips[0], "count"), acts);
  EXPECT_EQ(Entries("CANON_GATES").size(), 1u);
}

TEST_F(PromotionTest, RequestsAndPlansAreJudgedAsActsAre) {
  const std::string head = "format: 1\ntenant: acme\ndomain: d\nmode: enforce\n"
                           "optr: { order: [cost], max_risk_ppm: 20000, max_cost: MOST, min_success_ppm: 1 }\n"
                           "estimates: [{ for: write, ttv_us: 1, cost: 10, risk_ppm: 1, irreversibility: 0, success_ppm: 1000000 }]\nrules:\n"
                           "  - { id: w, permit: write, in: [{ dir: " + dir_ + "/a, depth: all }], limits: { ttl: 1h, uses: 100 } }\n";
  const auto costing = [&](const char* most) { return std::string(head).replace(head.find("MOST"), 4, most); };
  ASSERT_EQ(ApplyBundle(Next(), costing("15")), "");
  const std::uint64_t from = ledger_->head().size;
  ASSERT_EQ(Issue(), "");
  std::optional<Receipts::Refusal> refusal;
  ASSERT_FALSE(agent_->Issue({"d", "w", dir_ + "/b", "", {}, {}, "uid:0"}, refusal));
  const auto plan = [&](const char* name) {
    const auto session = agent_->OpenSession("d", "uid:1000", kDefaultSessionMs, Agent::SessionCgroup::kNone);
    const std::string step = R"({"any":[{"kind":"write","object":{"file":")" + dir_ + "/a/" + name + R"("},"uses":1}]})";
    return *json::GetString(json::Value(*agent_->sessions().Complete(session->at("session").string(), R"({"format":1,"plans":[{"steps":[)" + step + "]}]}")), "code");
  };
  ASSERT_EQ(plan("x"), "PERMITTED");
  const auto answers = [&](const std::string& text) {
    LedgerImpact impact(from, policy::ParseCanon(text, "c").canons);
    EXPECT_TRUE(impact.Take(ledger_->head().size, 1000, [&](std::uint64_t index) { return json::Parse(*ledger_->Entry(index)); }));
    EXPECT_EQ(impact.left_out(), 0u);
    EXPECT_EQ(impact.impact().decisions(), 3u);
    std::vector<std::string> out;
    for (const policy::Flip& flip : impact.impact().flips()) out.push_back(std::string(policy::AskedName(flip.asked)) + " " + flip.before + " " + flip.after);
    return out;
  };
  using Strings = std::vector<std::string>;
  EXPECT_EQ(answers(costing("15")), Strings{});
  EXPECT_EQ(answers(costing("9")), Strings{"plan PERMITTED NO_ADMISSIBLE_PLAN"});
  EXPECT_EQ(answers(costing("15") + "  - { id: f, forbid: write, in: [{ dir: " + dir_ + "/b }] }\n"), Strings{"request NOT_PERMITTED FORBIDDEN"});
  std::string other = costing("15");
  other.replace(other.find("id: w"), 5, "id: v");
  EXPECT_EQ(answers(other), (Strings{"request PERMITTED NO_SUCH_RULE", "request NOT_PERMITTED NO_SUCH_RULE"}));
}

}  // namespace
}  // namespace proofgate::agent
