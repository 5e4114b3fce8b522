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

}  // namespace
}  // namespace proofgate::agent
