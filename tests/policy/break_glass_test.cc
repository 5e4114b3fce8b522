#include "policy/break_glass.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/signature.h"
#include "policy/parse.h"

namespace proofgate::policy {
namespace {

constexpr std::uint64_t kNow = 1'700'000'000'000;

class BreakGlass : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "glass.XXXXXX";
    dir_ = mkdtemp(pattern.data());
    for (const char* name : {"alice", "bob", "mallory"}) keys_[name] = *CreateSigner(dir_ + "/" + name, name);
    canon_ = Parse("break_glass: { role: oncall, review: security, max: 15m, rules: [pub] }\n").canons.at(0);
    override_.tenant = "t";
    override_.host = "host";
    override_.domain = "d";
    override_.person = "alice";
    override_.rule = "pub";
    override_.object.path = "/srv/pub/a";
    override_.uses = 1;
    override_.not_before_ms = kNow;
    override_.expires_ms = kNow + 900'000;
    override_.reason = "no approver answers";
    override_.nonce = std::string(32, 'a');
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  ParsedCanon Parse(const std::string& glass) const {
    return ParseCanon(
        "format: 1\ntenant: t\ndomain: d\nmode: enforce\n" + glass +
            "approvers:\n"
            "  - { person: alice, roles: [oncall], keys: [" + keys_.at("alice")->public_key().OpenSsh() + "] }\n"
            "  - { person: bob, roles: [security], keys: [" + keys_.at("bob")->public_key().OpenSsh() + "] }\n"
            "rules:\n"
            "  - { id: other, permit: write, in: [{ dir: /srv/other }], limits: { ttl: 10m, uses: 10 } }\n"
            "  - { id: pub, permit: write, in: [{ dir: /srv/pub }], limits: { ttl: 10m, uses: 10 }, approvals: { count: 1, role: security } }\n",
        "c");
  }
  std::string FirstMistake(const std::string& glass) const {
    const ParsedCanon parsed = Parse(glass);
    return parsed.diagnostics.empty() ? "" : Render(parsed.diagnostics.front());
  }
  std::string Sign(const std::string& name, const std::string& statement) const {
    return SshSign(*keys_.at(name), kBreakGlassNamespace, statement);
  }
  std::string Decided(const policy::BreakGlass& override, const std::string& by = "alice", bool is_spent = false,
                      std::uint64_t now_ms = kNow + 1) const {
    const std::string statement = BreakGlassStatement(override);
    return std::string(BreakGlassCodeName(DecideBreakGlass(canon_, "host", statement, Sign(by, statement), is_spent, now_ms).code));
  }

  std::string dir_;
  std::map<std::string, std::unique_ptr<Signer>> keys_;
  Canon canon_;
  policy::BreakGlass override_;
};

TEST_F(BreakGlass, IsGoodForWhatItSaysFromWhoMay) {
  const std::string statement = BreakGlassStatement(override_);
  const BreakGlassDecision decision = DecideBreakGlass(canon_, "host", statement, Sign("alice", statement), false, kNow + 600'000);
  ASSERT_EQ(decision.code, BreakGlassCode::kOk) << decision.reason;
  EXPECT_EQ(decision.request.rule, "pub");
  EXPECT_EQ(*decision.request.object, override_.object);
  EXPECT_EQ(*decision.request.uses, 1u);
  EXPECT_EQ(*decision.request.ttl_ns, 300'000'000'000u) << "no longer than the override lasts";
  EXPECT_EQ(Decide(canon_, decision.request).code, DecisionCode::kPermitted) << "without the rule's approvals";
}

TEST_F(BreakGlass, EveryWrongUseHasItsOwnCode) {
  const auto with = [&](const auto& change) {
    policy::BreakGlass changed = override_;
    change(changed);
    return changed;
  };
  EXPECT_EQ(Decided(override_), "OK");
  EXPECT_EQ(Decided(override_, "alice", true), "BREAK_GLASS_SPENT");
  EXPECT_EQ(Decided(override_, "bob"), "BREAK_GLASS_PERSON");
  EXPECT_EQ(Decided(override_, "mallory"), "BREAK_GLASS_SIGNATURE");
  EXPECT_EQ(Decided(override_, "alice", false, kNow - 1), "BREAK_GLASS_NOT_YET");
  EXPECT_EQ(Decided(override_, "alice", false, kNow + 899'999), "OK");
  EXPECT_EQ(Decided(override_, "alice", false, kNow + 900'000), "BREAK_GLASS_EXPIRED");
  EXPECT_EQ(Decided(with([](auto& one) { one.tenant = "other"; })), "BREAK_GLASS_TENANT");
  EXPECT_EQ(Decided(with([](auto& one) { one.host = "other"; })), "BREAK_GLASS_HOST");
  EXPECT_EQ(Decided(with([](auto& one) { one.domain = "other"; })), "BREAK_GLASS_DOMAIN");
  EXPECT_EQ(Decided(with([](auto& one) { one.rule = "other"; })), "BREAK_GLASS_NOT_PERMITTED");
  EXPECT_EQ(Decided(with([](auto& one) { one.expires_ms += 1; })), "BREAK_GLASS_TOO_LONG");
  EXPECT_EQ(Decided(with([](auto& one) { one.person = "bob"; }), "bob"), "BREAK_GLASS_PERSON") << "without the role";
  EXPECT_EQ(Decided(with([](auto& one) { one.uses = 0; })), "BREAK_GLASS_MALFORMED");
  EXPECT_EQ(Decided(with([](auto& one) { one.reason = ""; })), "BREAK_GLASS_MALFORMED");
  EXPECT_EQ(Decided(with([](auto& one) { one.nonce = "x"; })), "BREAK_GLASS_MALFORMED");
}

TEST_F(BreakGlass, AChangedByteIsNotWhatWasSigned) {
  const std::string statement = BreakGlassStatement(override_);
  const std::string signature = Sign("alice", statement);
  for (std::size_t at = 0; at < statement.size(); ++at) {
    std::string changed = statement;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const BreakGlassCode code = DecideBreakGlass(canon_, "host", changed, signature, false, kNow + 1).code;
    EXPECT_TRUE(code == BreakGlassCode::kSignature || code == BreakGlassCode::kMalformed) << at;
  }
  EXPECT_EQ(DecideBreakGlass(canon_, "host", statement + "\n", signature, false, kNow + 1).code, BreakGlassCode::kMalformed);
}

TEST_F(BreakGlass, IsReviewedByAnotherOfCanonsRole) {
  const auto reviewed = [&](const std::string& by, const std::string& used_by, bool was_justified = true) {
    const BreakGlassReview review{std::string(64, '0'), true, "incident 7"};
    BreakGlassReview signed_one = review;
    signed_one.was_justified = was_justified;
    return DecideReview(canon_, review, used_by, Sign(by, BreakGlassReviewStatement(signed_one)));
  };
  EXPECT_EQ(reviewed("bob", "alice").person, "bob");
  EXPECT_EQ(reviewed("bob", "bob").code, BreakGlassCode::kPerson);
  EXPECT_EQ(reviewed("alice", "bob").code, BreakGlassCode::kPerson) << "without the role";
  EXPECT_EQ(reviewed("mallory", "alice").code, BreakGlassCode::kSignature);
  EXPECT_EQ(reviewed("bob", "alice", false).code, BreakGlassCode::kSignature) << "of another verdict";
  EXPECT_EQ(reviewed("bob", "").code, BreakGlassCode::kUnknown);
}

TEST_F(BreakGlass, ACanonInWhichNobodyCouldUseOrReviewItIsRefused) {
  EXPECT_EQ(FirstMistake("break_glass: { role: oncall, review: security, max: 15m, rules: [pub, other] }\n"), "");
  EXPECT_NE(FirstMistake("break_glass: { role: oncall, review: oncall, max: 15m, rules: [pub] }\n").find("nobody else with a key has the role 'oncall'"), std::string::npos);
  EXPECT_NE(FirstMistake("break_glass: { role: nobody, review: security, max: 15m, rules: [pub] }\n").find("nobody with a key has the role 'nobody'"), std::string::npos);
  EXPECT_NE(FirstMistake("break_glass: { role: oncall, review: security, max: 15m, rules: [none] }\n").find("names 'none', which is no permit"), std::string::npos);
  EXPECT_NE(FirstMistake("break_glass: { role: oncall, review: security, rules: [pub] }\n").find("'max' is missing"), std::string::npos);
  const json::Value model = CanonJson(canon_);
  EXPECT_EQ(CanonJson(*ParseCanonJson(*json::Parse(json::Encode(model)))), model);
}

}  // namespace
}  // namespace proofgate::policy
