// Break-glass with its effects: one receipt, once, by whom canon names, and in
// `status` until somebody else has looked at it.

#include "policy/break_glass.h"
#include "tests/agent/sessions_fixture.h"

namespace proofgate::agent {
namespace {

class BreakGlassTest : public SessionsTest {
 protected:
  std::string Draft(const std::string& path = "pub/a", const std::string& person = "alice", std::uint64_t ms = 600'000) {
    const auto draft = agent_->DraftBreakGlass({"d", "pub", dir_ + "/" + path, person, 2, ms, "no approver answers"});
    EXPECT_TRUE(draft) << draft.error().message;
    return *json::GetBytes(json::Value(*draft), "statement");
  }
  static std::string Signed(const Signer& signer, const std::string& statement) {
    return SshSign(signer, policy::kBreakGlassNamespace, statement);
  }
  // The code; "OK" when there is a receipt.
  std::string Use(const std::string& statement, const std::string& signature) {
    std::string code;
    const auto used = agent_->UseBreakGlass(statement, signature, "uid:0", code);
    return used ? "OK" : code.empty() ? used.error().message : code;
  }
  std::string Review(const std::string& id, const Signer& signer, bool was_justified = true) {
    std::string code;
    const policy::BreakGlassReview review{id, was_justified, "looked at"};
    const auto reviewed =
        agent_->ReviewBreakGlass(id, was_justified, review.reason, Signed(signer, policy::BreakGlassReviewStatement(review)), "uid:0", code);
    return reviewed ? "OK" : code;
  }
  std::size_t Waiting() const { return agent_->Describe()->at("break_glass").array().size(); }
};

TEST_F(BreakGlassTest, OneReceiptWithoutTheRulesTermsAndWithItsLimits) {
  std::optional<Receipts::Refusal> refusal;
  EXPECT_FALSE(agent_->Issue({"d", "pub", dir_ + "/pub/a", "", {}, {}, "uid:0"}, refusal)) << "the twin: it needs approvals";
  const std::string statement = Draft();
  ASSERT_EQ(Use(statement, Signed(*alice_, statement)), "OK");
  ASSERT_EQ(Live(), 1);
  const receipt_slot& slot = kernel_.slots[Slot()];
  EXPECT_EQ(slot.max_uses, 2u);
  EXPECT_LE(slot.expires_boot_ns, clock_.Boot().ns + 600 * kSecond) << "it ends with the override";
  const json::Value receipt = *Entries("ISSUE").back().Find("receipt");
  EXPECT_EQ(receipt.Find("break_glass")->string(), policy::BreakGlassId(statement));
  EXPECT_EQ(receipt.Find("principal")->string(), "person:alice") << "it names the person";
  Act(Slot());
  ASSERT_TRUE(agent_->Flush());
  ExpectExactReplay();
}

TEST_F(BreakGlassTest, ServesOnceAcrossARestartAndAFailedCommit) {
  const std::string statement = Draft();
  const std::string signature = Signed(*alice_, statement);
  ASSERT_EQ(Use(statement, signature), "OK");
  EXPECT_EQ(Use(statement, signature), "BREAK_GLASS_SPENT");
  Reopen("boot-1");
  EXPECT_EQ(Use(statement, signature), "BREAK_GLASS_SPENT");
  EXPECT_EQ(Live(), 1);
  // Spent, and the daemon dies before the receipt: no receipt, and none later.
  const std::string second = Draft("pub/b");
  disk_->until = disk_->commits + 1;
  disk_->then = ledger::Fault::kBeforeLanding;
  EXPECT_NE(Use(second, Signed(*alice_, second)), "OK");
  disk_->next = disk_->then = ledger::Fault::kNone;
  Reopen("boot-1");
  EXPECT_EQ(Live(), 1);
  EXPECT_EQ(Use(second, Signed(*alice_, second)), "BREAK_GLASS_SPENT");
  EXPECT_EQ(Entries("BREAK_GLASS").size(), 2u);
  EXPECT_EQ(Waiting(), 2u) << "both are to be reviewed";
  ExpectExactReplay();
}

TEST_F(BreakGlassTest, StaysInStatusUntilSomebodyElseHasReviewedIt) {
  EXPECT_EQ(Waiting(), 0u);
  const std::string statement = Draft();
  const std::string id = policy::BreakGlassId(statement);
  ASSERT_EQ(Use(statement, Signed(*alice_, statement)), "OK");
  EXPECT_EQ(Waiting(), 1u);
  Reopen("boot-1");
  EXPECT_EQ(Waiting(), 1u);
  EXPECT_EQ(Review(id, *alice_), "BREAK_GLASS_PERSON") << "nobody reviews their own";
  EXPECT_EQ(Review(id, *signer_), "BREAK_GLASS_SIGNATURE");
  EXPECT_EQ(Review(Hex(Sha256("other")), *carol_), "BREAK_GLASS_UNKNOWN");
  EXPECT_EQ(Waiting(), 1u);
  EXPECT_EQ(Review(id, *carol_, false), "OK");
  EXPECT_EQ(Waiting(), 0u);
  EXPECT_EQ(Review(id, *carol_), "BREAK_GLASS_UNKNOWN") << "once";
  EXPECT_EQ(json::GetString(Entries("BREAK_GLASS_REVIEWED").at(0), "verdict").value_or(""), "unjustified");
  EXPECT_EQ(Entries("BREAK_GLASS_REVIEW_REFUSED").size(), 2u);
  ExpectExactReplay();
}

TEST_F(BreakGlassTest, EachWrongUseIsAnEntryAndHasACodeOfItsOwn) {
  const std::string statement = Draft();
  EXPECT_EQ(Use(statement, Signed(*carol_, statement)), "BREAK_GLASS_PERSON") << "another has signed";
  EXPECT_EQ(Use(statement, Signed(*signer_, statement)), "BREAK_GLASS_SIGNATURE");
  const std::string other = Draft("pub/a", "carol");
  EXPECT_EQ(Use(other, Signed(*carol_, other)), "BREAK_GLASS_PERSON") << "without the role";
  const std::string longer = Draft("pub/a", "alice", 900'001);
  EXPECT_EQ(Use(longer, Signed(*alice_, longer)), "BREAK_GLASS_TOO_LONG");
  clock_.Advance(600 * kSecond);
  EXPECT_EQ(Use(statement, Signed(*alice_, statement)), "BREAK_GLASS_EXPIRED");
  EXPECT_EQ(Entries("BREAK_GLASS_REFUSED").size(), 5u);
  EXPECT_EQ(Use("{}\n", "x"), "BREAK_GLASS_MALFORMED");
  EXPECT_EQ(Live(), 0);
  EXPECT_EQ(Waiting(), 0u);
  // What the rule does not permit is not permitted so either; a stopped domain is.
  const std::string outside = Draft("free/a");
  EXPECT_EQ(Use(outside, Signed(*alice_, outside)), "NOT_PERMITTED");
  ASSERT_TRUE(agent_->StopDomain("d", "test"));
  const std::string stopped = Draft();
  EXPECT_NE(Use(stopped, Signed(*alice_, stopped)), "OK");
  EXPECT_EQ(Live(), 0);
  ASSERT_TRUE(agent_->Flush());
  ExpectExactReplay();
}

}  // namespace
}  // namespace proofgate::agent
