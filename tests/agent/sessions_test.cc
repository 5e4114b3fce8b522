#include "agent/sessions.h"

#include <algorithm>
#include <set>

#include "agent/control.h"
#include "agent/paths.h"
#include "agent/session_methods.h"
#include "policy/break_glass.h"
#include "policy/own.h"
#include "tests/agent/sessions_fixture.h"

namespace proofgate::agent {
namespace {

TEST_F(SessionsTest, AStepIsLiveOnlyWhenTheOneBeforeIsDone) {
  const std::string id = Open();
  const auto decided = Complete(id, Step("free/a") + "," + Step("free/b"));
  ASSERT_TRUE(decided) << decided.error().message;
  EXPECT_EQ(decided->at("code").string(), "PERMITTED");
  EXPECT_EQ(Live(), 0) << "deciding makes nothing live";
  EXPECT_EQ(Next(id), "executing");
  EXPECT_EQ(Live(), 1);
  Act(Slot());
  EXPECT_EQ(Next(id), "executing");
  EXPECT_EQ(Live(), 1) << "the first is dead, the second lives";
  Act(Slot());
  EXPECT_EQ(Next(id), "closed");
  EXPECT_EQ(Live(), 0);
  ASSERT_EQ(Entries("OUTCOME").size(), 2u);
  EXPECT_EQ(json::GetInteger(Entries("OUTCOME")[0], "used").value_or(9), 1u);
  EXPECT_EQ(Entries("SESSION_END").size(), 1u);
  ASSERT_TRUE(agent_->Flush());
  ExpectExactReplay();
}

TEST_F(SessionsTest, AnUnusedOrFailedStepStopsThePlan) {
  const std::string unused = Open();
  ASSERT_TRUE(Complete(unused, Step("free/a") + "," + Step("free/b")));
  EXPECT_EQ(Next(unused), "executing");
  EXPECT_EQ(Next(unused), "PREDECESSOR_NOT_DONE");
  EXPECT_EQ(Live(), 0);
  const std::string failed = Open();
  ASSERT_TRUE(Complete(failed, Step("free/a") + "," + Step("free/b")));
  EXPECT_EQ(Next(failed), "executing");
  Act(Slot());
  EXPECT_EQ(Next(failed, 1), "PREDECESSOR_NOT_DONE");
  EXPECT_EQ(Live(), 0);
  EXPECT_EQ(Entries("STEP_REFUSED").size(), 2u);
  ASSERT_TRUE(agent_->Flush());
  ExpectExactReplay();
}

TEST_F(SessionsTest, TermsCannotBeGoneAroundByAPlainReceipt) {
  std::optional<Receipts::Refusal> refusal;
  EXPECT_TRUE(agent_->Issue({"d", "free", "", "", {}, {}, "uid:0"}, refusal));
  EXPECT_FALSE(agent_->Issue({"d", "pub", "", "", {}, {}, "uid:0"}, refusal));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(policy::DecisionCodeName(refusal->decision.code), "NEEDS_SESSION");
  ExpectExactReplay();
}

TEST_F(SessionsTest, TwoApprovalsOneOfThemOfflineMakeAStepLive) {
  const std::string id = Open();
  ASSERT_TRUE(Complete(id, Step("pub/a")));
  EXPECT_EQ(Next(id), "APPROVAL_MISSING");
  EXPECT_EQ(Live(), 0);
  const std::string statement = policy::ApprovalStatement(*agent_->sessions().Find(id), true);
  const std::string signature = SshSign(*alice_, policy::kApprovalNamespace, statement);
  ASSERT_TRUE(agent_->sessions().ApproveBySignature(id, true, signature, "looks right"));
  ASSERT_TRUE(agent_->sessions().ApproveBySignature(id, true, signature, "once more"));
  EXPECT_EQ(Next(id), "APPROVAL_MISSING") << "one person";
  EXPECT_FALSE(agent_->sessions().ApproveByUid(id, true, 1000, "")) << "nobody's uid";
  ASSERT_TRUE(agent_->sessions().ApproveByUid(id, true, 1001, ""));
  EXPECT_EQ(Next(id), "executing");
  EXPECT_EQ(Live(), 1);
  // The same signature says nothing about another session.
  ASSERT_TRUE(agent_->sessions().Abort(id, "test"));
  const std::string other = Open();
  ASSERT_TRUE(Complete(other, Step("pub/a")));
  EXPECT_FALSE(agent_->sessions().ApproveBySignature(other, true, signature, ""));
  ASSERT_TRUE(agent_->Flush());
  ExpectExactReplay();
}

TEST_F(SessionsTest, CanonMayGrantTheDoorForGovernedProcessesAndNoOther) {
  EXPECT_EQ(policy::kGovernedDoor, kSessionSocket);
  policy::Object door;
  door.form = policy::Form::kUnix;
  door.path = kSessionSocket;
  EXPECT_EQ(policy::FindOwn(policy::Kind::kConnect, door), nullptr);
  EXPECT_NE(policy::FindOwn(policy::Kind::kWrite, door), nullptr);
  for (const char* other : {kControlSocket, kApproveSocket}) {
    door.path = other;
    EXPECT_NE(policy::FindOwn(policy::Kind::kConnect, door), nullptr) << other;
  }
}

TEST_F(SessionsTest, AnEmergencyStopEndsEverythingOfTheDomain) {
  const std::string id = Open();
  ASSERT_TRUE(Complete(id, Step("free/a")));
  EXPECT_EQ(Next(id), "executing");
  ASSERT_TRUE(agent_->StopDomain("d", "test"));
  EXPECT_EQ(Live(), 0);
  EXPECT_EQ(State(id), "aborted");
  std::optional<Receipts::Refusal> refusal;
  EXPECT_FALSE(agent_->Issue({"d", "free", "", "", {}, {}, "uid:0"}, refusal));
  EXPECT_FALSE(agent_->OpenSession("d", "uid:0", kDefaultSessionMs, Agent::SessionCgroup::kNone));
  Reopen("boot-1");
  EXPECT_FALSE(agent_->Issue({"d", "free", "", "", {}, {}, "uid:0"}, refusal)) << "across a restart";
  ASSERT_TRUE(agent_->ResumeDomain("d"));
  EXPECT_TRUE(agent_->Issue({"d", "free", "", "", {}, {}, "uid:0"}, refusal));
}

// One store in the gate is the stop; everything else only says so afterwards.
TEST_F(SessionsTest, AStopIsOneStoreAndDoesNotWaitForTheLedger) {
  std::optional<Receipts::Refusal> refusal;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(agent_->Issue({"d", "free", "", "", {}, {}, "uid:0"}, refusal));
  EXPECT_EQ(Dead(), 0);
  // A disk that takes nothing: no entry of the stop can be there.
  disk_->next = ledger::Fault::kBeforeLanding;
  const std::size_t size = disk_->entries.size();
  EXPECT_FALSE(agent_->StopDomain("d", "test"));
  EXPECT_EQ(disk_->entries.size(), size);
  EXPECT_EQ(Dead(), 20) << "by the epoch alone";
  EXPECT_TRUE(kernel_.epochs.begin()->second & EPOCH_STOPPED);
  disk_->next = ledger::Fault::kNone;
  // The daemon that died of it finds what it did.
  Reopen("boot-1");
  EXPECT_EQ(Entries("DOMAIN_STOP").size(), 1u);
  EXPECT_EQ(Entries("REVOKE").size(), 20u);
  EXPECT_FALSE(agent_->Issue({"d", "free", "", "", {}, {}, "uid:0"}, refusal)) << "stopped stays stopped";
  ASSERT_TRUE(agent_->ResumeDomain("d"));
  ASSERT_TRUE(agent_->Issue({"d", "free", "", "", {}, {}, "uid:0"}, refusal));
  EXPECT_EQ(Dead(), 20) << "the new one lives, the old ones do not come back";
  EXPECT_EQ(Live(), 1);
  ExpectExactReplay();
}

TEST_F(SessionsTest, AStopHoldsInTheNextBootAndAChangedEpochIsSetRight) {
  ASSERT_TRUE(agent_->StopDomain("d", "test"));
  agent_.reset();
  kernel_ = FakeKernel();
  Reopen("boot-2");
  ASSERT_EQ(kernel_.epochs.size(), 1u);
  std::uint32_t& epoch = kernel_.epochs.begin()->second;
  EXPECT_TRUE(epoch & EPOCH_STOPPED);
  const std::uint32_t was = epoch;
  epoch = 0;  // somebody on the host lets it go on
  clock_.Advance(6 * kSecond);
  agent_->Tick();
  EXPECT_EQ(epoch, was);
  EXPECT_EQ(Entries("TAMPERED").size(), 1u);
}

TEST_F(SessionsTest, EverythingOfADomainIsRevokedByItsEpochAndTheNextReceiptLives) {
  std::optional<Receipts::Refusal> refusal;
  ASSERT_TRUE(agent_->Issue({"d", "free", "", "", {}, {}, "uid:0"}, refusal));
  Agent::RevokeQuery query;
  query.domain = "d";
  EXPECT_EQ(agent_->RevokeAll(query, "test")->at("revoked").integer(), 1);
  EXPECT_EQ(Dead(), 1);
  ASSERT_TRUE(agent_->Issue({"d", "free", "", "", {}, {}, "uid:0"}, refusal));
  EXPECT_EQ(Dead(), 1);
  EXPECT_EQ(Live(), 1);
  EXPECT_EQ(agent_->RevokeAll({}, "everything")->at("revoked").integer(), 1);
  EXPECT_EQ(Dead(), 2);
  ExpectExactReplay();
}

TEST_F(SessionsTest, RevocationPicksByRuleSessionAndCanon) {
  std::optional<Receipts::Refusal> refusal;
  const std::string id = Open();
  ASSERT_TRUE(Complete(id, Step("free/a")));
  EXPECT_EQ(Next(id), "executing");
  ASSERT_TRUE(agent_->Issue({"d", "free", "", "", {}, {}, "uid:0"}, refusal));
  EXPECT_EQ(Live(), 2);
  Agent::RevokeQuery query;
  query.rule = "pub";
  EXPECT_EQ(agent_->RevokeAll(query, "test")->at("revoked").integer(), 0);
  query.rule = "free";
  query.session = id;
  EXPECT_EQ(agent_->RevokeAll(query, "test")->at("revoked").integer(), 1);
  EXPECT_EQ(Live(), 1);
  query = {};
  query.canon = Entries("CANON").back().Find("digest")->string();
  EXPECT_EQ(agent_->RevokeAll(query, "test")->at("revoked").integer(), 1);
  EXPECT_EQ(Live(), 0);
}

TEST_F(SessionsTest, RevocationByPersonTakesWhatRestsOnTheirApproval) {
  const std::string id = Open();
  ASSERT_TRUE(Complete(id, Step("pub/a")));
  const std::string statement = policy::ApprovalStatement(*agent_->sessions().Find(id), true);
  ASSERT_TRUE(agent_->sessions().ApproveBySignature(id, true, SshSign(*alice_, policy::kApprovalNamespace, statement), ""));
  ASSERT_TRUE(agent_->sessions().ApproveByUid(id, true, 1001, ""));
  EXPECT_EQ(Next(id), "executing");
  std::optional<Receipts::Refusal> refusal;
  ASSERT_TRUE(agent_->Issue({"d", "free", "", "", {}, {}, "uid:0"}, refusal));
  Agent::RevokeQuery query;
  query.person = "carol";
  EXPECT_EQ(agent_->RevokeAll(query, "test")->at("revoked").integer(), 0);
  query.person = "alice";
  EXPECT_EQ(agent_->RevokeAll(query, "her key is lost")->at("revoked").integer(), 1);
  EXPECT_EQ(Live(), 1) << "what nobody approved stays";
}

TEST_F(SessionsTest, ARestartGoesOnWhereTheEntriesEnd) {
  const std::string id = Open();
  ASSERT_TRUE(Complete(id, Step("free/a") + "," + Step("free/b")));
  EXPECT_EQ(Next(id), "executing");
  Act(Slot());
  Reopen("boot-1");
  EXPECT_EQ(State(id), "executing");
  EXPECT_EQ(Next(id), "executing");
  Act(Slot());
  EXPECT_EQ(Next(id), "closed");
  ASSERT_TRUE(agent_->Flush());
  ExpectExactReplay();
}

TEST_F(SessionsTest, AnotherBootMakesALiveStepIndeterminate) {
  const std::string id = Open();
  ASSERT_TRUE(Complete(id, Step("free/a") + "," + Step("free/b")));
  EXPECT_EQ(Next(id), "executing");
  agent_.reset();
  kernel_ = FakeKernel();
  Reopen("boot-2");
  EXPECT_EQ(State(id), "aborted");
  ASSERT_EQ(Entries("OUTCOME").size(), 1u);
  EXPECT_EQ(json::GetString(Entries("OUTCOME")[0], "result").value_or(""), "indeterminate");
  EXPECT_EQ(Next(id), "WRONG_STATE");
  ExpectExactReplay();
}

TEST_F(SessionsTest, AReceiptThatRunsOutSettlesItsStep) {
  const std::string id = Open();
  ASSERT_TRUE(Complete(id, Step("free/a")));
  EXPECT_EQ(Next(id), "executing");
  Act(Slot());
  clock_.Advance(601 * kSecond);
  agent_->Tick();
  clock_.Advance(2 * kSecond);
  agent_->Tick();
  agent_->Tick();
  ASSERT_EQ(Entries("OUTCOME").size(), 1u);
  EXPECT_EQ(json::GetString(Entries("OUTCOME")[0], "result").value_or(""), "done");
  EXPECT_EQ(Next(id), "closed");
}

TEST_F(SessionsTest, ADeadlineEndsASessionAndItsReceipts) {
  const auto opened = agent_->OpenSession("d", "uid:1000", 5000, Agent::SessionCgroup::kNone);
  const std::string id = opened->at("session").string();
  ASSERT_TRUE(Complete(id, Step("free/a")));
  EXPECT_EQ(Next(id), "executing");
  clock_.Advance(6 * kSecond);
  agent_->Tick();
  EXPECT_EQ(State(id), "expired");
  EXPECT_EQ(Live(), 0);
}

TEST_F(SessionsTest, APrincipalHasOnlySoManyOpenSessions) {
  for (std::size_t i = 0; i < kMaxOpenSessionsOfOne; ++i) Open("uid:7");
  EXPECT_FALSE(agent_->OpenSession("d", "uid:7", kDefaultSessionMs, Agent::SessionCgroup::kNone));
  EXPECT_TRUE(agent_->OpenSession("d", "uid:8", kDefaultSessionMs, Agent::SessionCgroup::kNone));
}

// The N-th commit fails, for all N: at each restart nothing acts without an
// entry and what was told to the caller is there.
TEST_F(SessionsTest, ACommitThatFailsAnywhereLeavesNothingLiveWithoutAnEntry) {
  for (const ledger::Fault fault : {ledger::Fault::kBeforeLanding, ledger::Fault::kAfterLanding}) {
    for (int nth = 0;; ++nth) {
      agent_.reset();
      ledger_.reset();
      kernel_ = FakeKernel();
      Create();
      Start("boot-1");
      ASSERT_TRUE(Apply());
      disk_->until = disk_->commits + nth;
      disk_->then = fault;
      std::string id;
      bool failed = false;
      const auto tried = [&](const auto& operation) {
        if (failed) return;
        failed = !operation();
      };
      tried([&] {
        const auto opened = agent_->OpenSession("d", "uid:1000", kDefaultSessionMs, Agent::SessionCgroup::kNone);
        if (opened) id = opened->at("session").string();
        return opened.has_value();
      });
      std::string child;
      tried([&] {
        std::string code;
        const auto delegated = TryDelegate(id, Right("free"), 10, 2, code);
        if (delegated) child = delegated->at("session").string();
        return delegated.has_value();
      });
      const auto steps = [&](const std::string& of, std::initializer_list<const char*> states) {
        for (const char* expected : states)
          tried([&] {
            const bool done = Next(of) == expected;
            if (done && Slot() != 0) ++kernel_.slots[Slot()].used;  // no record: the drain must not be what fails
            return done;
          });
      };
      tried([&] { return Complete(child, Step("free/c")).has_value(); });
      steps(child, {"executing", "closed"});
      tried([&] { return agent_->sessions().AddEvidence(id, {"tests", "", "all passed", {}, ""}).has_value(); });
      tried([&] { return Complete(id, Step("free/a") + "," + Step("pub/b")).has_value(); });
      steps(id, {"executing"});
      tried([&] { return Next(id) == "APPROVAL_MISSING"; });
      tried([&] {
        const std::string statement = policy::ApprovalStatement(*agent_->sessions().Find(id), true);
        return agent_->sessions().ApproveBySignature(id, true, SshSign(*alice_, policy::kApprovalNamespace, statement), "").has_value();
      });
      tried([&] { return agent_->sessions().ApproveByUid(id, true, 1001, "").has_value(); });
      steps(id, {"executing", "closed"});
      tried([&] {
        std::string code;
        const auto draft = agent_->DraftBreakGlass({"d", "pub", dir_ + "/pub/a", "alice", 1, 60'000, "test"});
        const std::string statement = *json::GetBytes(json::Value(*draft), "statement");
        return agent_->UseBreakGlass(statement, SshSign(*alice_, policy::kBreakGlassNamespace, statement), "uid:0", code).has_value();
      });
      tried([&] { return agent_->StopDomain("d", "test").has_value(); });
      if (!failed) {
        EXPECT_EQ(State(id), "closed");
        break;
      }
      disk_->next = disk_->then = ledger::Fault::kNone;
      Reopen("boot-1");
      const policy::ReplayReport report = Replay();
      EXPECT_EQ(report.differences, 0u) << nth;
      // What lives in the gate is what the daemon knows, and each has its ISSUE.
      std::set<std::string> issued;
      for (const json::Value& issue : Entries("ISSUE")) issued.insert(issue.Find("id")->string());
      const auto live_rows = [&] {
        std::size_t count = 0;
        const json::Object listed = *agent_->ListReceipts();
        for (const json::Value& row : listed.at("receipts").array()) {
          EXPECT_TRUE(issued.contains(row.Find("id")->string())) << nth;
          count += row.Find("state")->string() == "live" || row.Find("state")->string() == "exhausted";
        }
        return count;
      };
      EXPECT_EQ(std::count_if(kernel_.slots.begin(), kernel_.slots.end(), [&](const receipt_slot& slot) {
                  return slot.state == SLOT_LIVE && slot.epoch >= pep_.ReadEpoch(slot.domain);
                }), static_cast<std::ptrdiff_t>(live_rows())) << nth;
      if (!id.empty() && agent_->sessions().Find(id) != nullptr && !policy::HasEnded(agent_->sessions().Find(id)->state)) {
        EXPECT_TRUE(agent_->sessions().Abort(id, "after the fault")) << nth;
        const json::Object listed = *agent_->ListReceipts();
        for (const json::Value& row : listed.at("receipts").array())
          EXPECT_NE(row.Find("state")->string(), "live") << nth << ": of a session that has ended";
        if (const policy::Session* const held = agent_->sessions().Find(child); held != nullptr) {
          EXPECT_TRUE(policy::HasEnded(held->state)) << nth;
        }
      }
      ASSERT_LT(nth, 80);
    }
  }
}

// Delegation ------------------------------------------------------------------

TEST_F(SessionsTest, AChildActsWithAPartOfItsParentsRights) {
  const std::string parent = Open();
  const std::string child = Delegate(parent, Right("free", "free/a"), 100, 2);
  EXPECT_EQ(agent_->sessions().Find(child)->principal, "uid:1000") << "duties and approvals see the same person";
  // The twin: the parent itself may do what its child may not.
  EXPECT_EQ(Complete(Open(), Step("free/b"))->at("code").string(), "PERMITTED");
  const std::string other = Delegate(parent, Right("free", "free/a"), 100, 2);
  EXPECT_EQ(Complete(other, Step("free/b"))->at("code").string(), "NO_ADMISSIBLE_PLAN");
  EXPECT_EQ(State(other), "refused");
  ASSERT_EQ(Complete(child, Step("free/a"))->at("code").string(), "PERMITTED");
  EXPECT_EQ(Next(child), "executing");
  EXPECT_EQ(Entries("ISSUE").back().Find("receipt")->Find("parent")->string(), parent);
  Act(Slot());
  EXPECT_EQ(Next(child), "closed");
  ASSERT_TRUE(agent_->Flush());
  ExpectExactReplay();
  Reopen("boot-1");
  EXPECT_EQ(State(parent), "open");
  EXPECT_EQ(State(child), "closed");
  ExpectExactReplay();
}

TEST_F(SessionsTest, ADelegationThatIsWiderInAnyWayIsRefusedByItsOwnCode) {
  const std::string parent = Open();
  const std::string child = Delegate(parent, Right("free"), 100, 10);
  const auto refused = [&](const std::string& of, const std::string& rights, std::uint64_t cost = 1, std::uint64_t uses = 1,
                           std::uint64_t duration_ms = 1000) {
    std::string code;
    const auto opened = TryDelegate(of, rights, cost, uses, code, duration_ms);
    if (opened) return std::string("OK");
    return code.empty() ? opened.error().message : code;
  };
  EXPECT_EQ(refused(parent, Right("free")), "OK");
  EXPECT_EQ(refused(child, Right("free")), "DELEGATION_TOO_DEEP");
  EXPECT_EQ(refused(parent, Right("none")), "DELEGATION_NO_SUCH_RIGHT");
  EXPECT_EQ(refused(parent, Right("free", "pub/a")), "DELEGATION_WIDER") << "what another rule permits under approvals";
  EXPECT_EQ(refused(parent, R"({"rule":"free","object":"/"})"), "DELEGATION_WIDER");
  EXPECT_EQ(refused(parent, R"({"rule":"free","uses":11})"), "DELEGATION_WIDER");
  EXPECT_EQ(refused(parent, R"({"rule":"free","uses":10})"), "OK");
  EXPECT_EQ(refused(parent, R"({"rule":"free","ttl_ns":600000000001})"), "DELEGATION_WIDER");
  EXPECT_EQ(refused(parent, Right("free"), 1, 1, kDefaultSessionMs + 1), "DELEGATION_DEADLINE");
  EXPECT_EQ(refused(parent, Right("free"), 501), "DELEGATION_BUDGET");
  EXPECT_EQ(Entries("DELEGATION_REFUSED").size(), 8u);
  EXPECT_EQ(refused(parent, R"({"rule":"free","colour":1})"), "rights[0]: unknown member colour; rule, objects, ttl_ns and uses expected");
  EXPECT_EQ(refused(parent, R"({"rule":"free"},{"rule":"free"})"), "rights[1]: rule 'free' is named twice");
  ASSERT_TRUE(agent_->sessions().Abort(parent, "test"));
  EXPECT_EQ(refused(parent, Right("free")), "DELEGATION_PARENT_ENDED");
  ExpectExactReplay();
}

TEST_F(SessionsTest, WhatAChildMayCostAndUseIsTakenFromItsParent) {
  const auto opened = agent_->OpenSession("d", "uid:1000", kDefaultSessionMs, Agent::SessionCgroup::kNone, {25, 5});
  const std::string parent = opened->at("session").string();
  std::string code;
  const std::string child = Delegate(parent, Right("free"), 15, 3);
  EXPECT_FALSE(TryDelegate(parent, Right("free"), 11, 1, code)) << "10 are left";
  EXPECT_EQ(code, "DELEGATION_BUDGET");
  EXPECT_FALSE(TryDelegate(parent, Right("free"), 10, 3, code)) << "2 are left";
  EXPECT_EQ(code, "DELEGATION_BUDGET");
  // The child: a plan of 20 is too dear, and of two receipts of 2 uses the second is one too many.
  ASSERT_EQ(Complete(child, Step("free/a", 2))->at("code").string(), "PERMITTED");
  // The parent: what its open child may cost is not its own to spend.
  EXPECT_EQ(Complete(parent, Step("free/b", 1) + "," + Step("free/c", 1))->at("code").string(), "NO_ADMISSIBLE_PLAN");
  EXPECT_EQ(State(child), "aborted") << "a refused parent has ended";
  const std::string second = agent_->OpenSession("d", "uid:1000", kDefaultSessionMs, Agent::SessionCgroup::kNone, {25, 3})->at("session").string();
  ASSERT_EQ(Complete(second, Step("free/b", 2) + "," + Step("free/c", 2))->at("code").string(), "PERMITTED");
  EXPECT_EQ(Next(second), "executing");
  Act(Slot());
  Act(Slot());
  EXPECT_EQ(Next(second), "SESSION_BUDGET_SPENT");
  EXPECT_EQ(Live(), 0);
  ASSERT_TRUE(agent_->Flush());
  ExpectExactReplay();
}

TEST_F(SessionsTest, AChildsReceiptsEndWithItsParentHoweverThatEnds) {
  for (const char* how : {"abort", "revoke", "expire", "next boot"}) {
    const auto opened = agent_->OpenSession("d", "uid:1000", 60'000, Agent::SessionCgroup::kNone);
    const std::string parent = opened->at("session").string();
    const std::string child = Delegate(parent, Right("free"), 100, 10, 50'000);
    ASSERT_TRUE(Complete(child, Step("free/a"))) << how;
    ASSERT_EQ(Next(child), "executing") << how;
    ASSERT_EQ(Live(), 1) << how;
    if (how == std::string("abort")) {
      ASSERT_TRUE(agent_->sessions().Abort(parent, "test"));
    } else if (how == std::string("revoke")) {
      Agent::RevokeQuery query;
      query.session = parent;
      EXPECT_EQ(agent_->RevokeAll(query, "test")->at("revoked").integer(), 1);
      EXPECT_EQ(Live(), 0);
      ASSERT_TRUE(agent_->sessions().Abort(parent, "test"));
    } else if (how == std::string("expire")) {
      clock_.Advance(61 * kSecond);
      agent_->Tick();
    } else {
      agent_.reset();
      kernel_ = FakeKernel();
      Reopen("boot-2");
      ASSERT_TRUE(agent_->sessions().Abort(parent, "test"));
    }
    EXPECT_EQ(Live(), 0) << how;
    EXPECT_TRUE(policy::HasEnded(agent_->sessions().Find(child)->state)) << how;
    EXPECT_TRUE(policy::HasEnded(agent_->sessions().Find(parent)->state)) << how;
    EXPECT_EQ(Next(child), "WRONG_STATE") << how;
    ASSERT_TRUE(agent_->Flush());
    ExpectExactReplay();
  }
}

TEST_F(SessionsTest, AnotherCanonLeavesAChildNoRights) {
  const std::string parent = Open();
  const std::string child = Delegate(parent, Right("free"), 100, 10);
  ASSERT_TRUE(Apply("# another\n", "  - { id: more, permit: write, in: [{ file: /srv/more }], limits: { ttl: 1m, uses: 1 } }\n"));
  EXPECT_EQ(Complete(child, Step("free/a"))->at("code").string(), "NO_ADMISSIBLE_PLAN");
  EXPECT_EQ(Complete(parent, Step("free/a"))->at("code").string(), "PERMITTED");
  ExpectExactReplay();
}

TEST_F(SessionsTest, AGovernedCallerReachesItsOwnSessionAndNoOther) {
  Caller one;
  one.principal = "uid:1000";
  one.uid = 1000;
  one.domain = "d";
  one.cgroup_id = 11;
  Caller two = one;
  two.cgroup_id = 12;
  const auto ask = [&](const Caller& caller, const std::string& method, const std::string& params = "{}") {
    return *json::Parse(AnswerFrom(GovernedMethods(), *agent_, R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}", caller));
  };
  const json::Value opened = ask(one, "session.open");
  ASSERT_NE(opened.Find("result"), nullptr) << json::Encode(opened);
  EXPECT_NE(ask(one, "session.open").Find("error"), nullptr) << "one at a time";
  EXPECT_NE(ask(two, "session.show").Find("error"), nullptr) << "another cgroup has none";
  EXPECT_NE(ask(one, "session.show", R"({"session":"x"})").Find("error"), nullptr) << "no names in messages";
  for (const char* method : {"canon.apply", "receipt.issue", "session.approve", "domain.stop", "session.list"})
    EXPECT_EQ(ask(one, method).Find("error")->Find("code")->integer(), -32601) << method;
  const json::Value rights = ask(one, "rights");
  EXPECT_EQ(rights.Find("result")->Find("rules")->array().size(), 2u);
  const std::string plans = json::Encode(json::Object{{"plans", Plans(Step("free/a"))}});
  EXPECT_EQ(ask(one, "session.complete", plans).Find("result")->Find("code")->string(), "PERMITTED");
  EXPECT_EQ(ask(one, "session.next").Find("result")->Find("state")->string(), "executing");
  EXPECT_EQ(Live(), 1);
  EXPECT_NE(ask(one, "session.abort").Find("result"), nullptr);
  EXPECT_EQ(Live(), 0);
}

TEST_F(SessionsTest, ReplayDisagreesExactlyAtTheActsUnderACorruptedReceipt) {
  std::string first;
  for (const char* file : {"free/a", "free/b"}) {
    const std::string id = Open();
    ASSERT_TRUE(Complete(id, Step(file)));
    EXPECT_EQ(Next(id), "executing");
    Act(Slot());
    Act(Slot());
    if (first.empty()) first = agent_->sessions().Find(id)->steps[0].receipt;
    EXPECT_EQ(Next(id), "closed");
  }
  ASSERT_TRUE(agent_->Flush());
  ExpectExactReplay();
  policy::Replay replay;
  std::vector<std::uint64_t> expected;
  for (std::uint64_t index = 0; index < ledger_->head().size; ++index) {
    std::string leaf = *ledger_->Entry(index);
    const json::Value value = *json::Parse(leaf);
    const std::string kind = value.Find("kind")->string();
    const json::Value& body = *value.Find("body");
    if (kind == "ISSUE" && json::GetString(body, "id").value_or("") == first) {
      const std::size_t at = leaf.find(R"("uses":2)");
      leaf.replace(at, 8, R"("uses":9)");
      expected.push_back(index);
    }
    if (kind == "ACT" && json::GetString(body, "receipt").value_or("") == first) expected.push_back(index);
    replay.Take(index, leaf);
  }
  ASSERT_EQ(expected.size(), 3u);
  std::vector<std::uint64_t> found;
  const policy::ReplayReport report = replay.report();
  for (const policy::ReplayDifference& difference : report.first) found.push_back(difference.index);
  EXPECT_EQ(found, expected);
}

TEST_F(SessionsTest, ReplayNoticesAVerdictThatTheReceiptsDoNotBearOut) {
  const std::string id = Open();
  ASSERT_TRUE(Complete(id, Step("free/a", 1)));
  EXPECT_EQ(Next(id), "executing");
  Act(Slot());
  ASSERT_TRUE(agent_->Flush());
  ExpectExactReplay();
  Act(Slot());  // a use too much, as if the gate had miscounted
  ASSERT_TRUE(agent_->Flush());
  const policy::ReplayReport report = Replay();
  ASSERT_EQ(report.differences, 1u);
  EXPECT_EQ(report.first[0].recorded, "OK");
  EXPECT_EQ(report.first[0].recomputed, "EXHAUSTED");
}

}  // namespace
}  // namespace proofgate::agent
