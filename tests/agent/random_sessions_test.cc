// Many sessions at once, children and conflicts on leases among them, tried in random
// order against an agent over a ledger in memory; what must hold is derived from the
// entries alone. With PROOFGATE_LONG 10,000 sessions, else 150.

#include <random>
#include <set>

#include "policy/break_glass.h"
#include "tests/agent/sessions_fixture.h"

namespace proofgate::agent {
namespace {

constexpr std::size_t kAtOnce = 16;

class RandomSessions : public SessionsTest {
 protected:
  // Derived anew from every entry: who holds what, what each act rests on.
  void CheckEntries() const {
    struct Known {
      bool has_ended = false;
      bool has_lease = false;
      std::string parent;
      std::set<std::uint64_t> issued;
    };
    std::map<std::string, Known> sessions;
    std::map<std::string, std::string> runs;                 // run → session, of decisions
    std::map<std::string, std::uint64_t> granted, acts;      // by receipt
    std::string holder;
    for (std::uint64_t index = 0; index < ledger_->head().size; ++index) {
      const json::Value leaf = *json::Parse(*ledger_->Entry(index));
      const std::string kind = leaf.Find("kind")->string();
      const json::Value& body = *leaf.Find("body");
      const std::string id = json::GetString(body, "session").value_or("");
      if (kind == "SESSION_OPEN") {
        Known known;
        known.parent = json::GetString(body, "parent").value_or("");
        if (!known.parent.empty()) {
          ASSERT_TRUE(sessions.contains(known.parent)) << index;
          EXPECT_FALSE(sessions[known.parent].has_ended) << index << ": the parent has ended";
          EXPECT_TRUE(sessions[known.parent].parent.empty()) << index << ": one level";
        }
        sessions.emplace(id, known);
      } else if (kind == "DECIDED") {
        const bool permitted = body.Find("code")->string() == "PERMITTED";
        if (!permitted) sessions.at(id).has_ended = true;
        if (!permitted) continue;
        runs[body.Find("run")->string()] = id;
        for (const json::Value& grant : body.Find("grants")->array())
          if (grant.Find("leases") != nullptr && !sessions.at(id).has_lease) {
            EXPECT_EQ(holder, "") << index << ": two exclusive holders";
            holder = id;
            sessions.at(id).has_lease = true;
          }
      } else if (kind == "SESSION_END") {
        sessions.at(id).has_ended = true;
        if (holder == id) holder.clear();
        for (const auto& [other, known] : sessions)
          EXPECT_FALSE(known.parent == id && !known.has_ended) << index << ": a child outlives its parent";
      } else if (kind == "ISSUE") {
        const json::Value& receipt = *body.Find("receipt");
        const std::string session = json::GetString(receipt, "session").value_or("");
        ASSERT_NE(session, "") << index << ": a receipt of no session";
        EXPECT_EQ(runs.at(receipt.Find("run")->string()), session) << index << ": no decision";
        EXPECT_FALSE(sessions.at(session).has_ended) << index;
        EXPECT_TRUE(sessions.at(session).issued.insert(*json::GetInteger(receipt, "step")).second) << index << ": a step twice";
        granted[body.Find("id")->string()] = *json::GetInteger(receipt, "uses");
      } else if (kind == "ACT") {
        const std::string receipt = body.Find("receipt")->string();
        ASSERT_TRUE(granted.contains(receipt)) << index << ": no receipt";
        EXPECT_LE(++acts[receipt], granted[receipt]) << index << ": more uses than granted";
      }
    }
    EXPECT_GT(acts.size(), 20u);
  }
};

TEST_F(RandomSessions, KeepEveryInvariantAndReplayExactly) {
  const char* const is_long = getenv("PROOFGATE_LONG");
  const std::size_t wanted = is_long != nullptr && *is_long != '\0' ? 10'000 : 150;
  std::mt19937 random(7);
  const auto pick = [&](std::uint32_t count) { return random() % count; };
  std::vector<std::string> open;
  std::size_t opened = 0, children = 0, refused = 0, closed = 0;
  while (opened < wanted || !open.empty()) {
    if (opened < wanted && open.size() < kAtOnce) {
      open.push_back(Open("uid:" + std::to_string(2000 + pick(8))));
      ++opened;
      continue;
    }
    const std::size_t at = pick(static_cast<std::uint32_t>(open.size()));
    const std::string id = open[at];
    const policy::Session session = *agent_->sessions().Find(id);
    clock_.Advance(pick(20) * kSecond);
    if (policy::HasEnded(session.state)) {
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
      continue;
    }
    if (session.state == policy::SessionState::kOpen) {
      std::string code;
      if (session.parent.empty() && pick(4) == 0 && open.size() < kAtOnce + 4) {
        const auto child = TryDelegate(id, Right(pick(2) == 0 ? "free" : "pub"), pick(30), 1 + pick(4), code, 1000 + pick(600'000));
        if (child) open.push_back(child->at("session").string());
        if (child) ++children;
        continue;
      }
      const char* const files[] = {"free/a", "free/b", "pub/a", "pub/b"};
      std::string steps = Step(files[pick(4)], 1 + static_cast<int>(pick(3)));
      if (pick(2) == 0) steps += "," + Step(files[pick(4)], 1);
      const auto decided = Complete(id, steps);
      ASSERT_TRUE(decided) << decided.error().message;
      refused += decided->at("code").string() != "PERMITTED";
      continue;
    }
    if (pick(12) == 0) {
      ASSERT_TRUE(agent_->sessions().Abort(id, "random"));
      continue;
    }
    if (pick(3) == 0) {
      const std::string statement = policy::ApprovalStatement(session, true);
      (void)agent_->sessions().ApproveBySignature(id, true, SshSign(*alice_, policy::kApprovalNamespace, statement), "").has_value();
      (void)agent_->sessions().ApproveByUid(id, true, 1001, "").has_value();
    }
    // Acts under the live step's receipt, as often as the gate would let it.
    if (const std::size_t step = session.NextStep(); step < session.steps.size() && session.steps[step].state == policy::StepState::kLive)
      for (std::uint32_t slot = 1; slot < MAX_RECEIPTS; ++slot)
        if (kernel_.slots[slot].state == SLOT_LIVE && kernel_.slots[slot].used < kernel_.slots[slot].max_uses &&
            clock_.Boot().ns < kernel_.slots[slot].expires_boot_ns && pick(4) != 0)
          Act(slot);
    closed += Next(id, pick(10) == 0 ? 1 : 0) == "closed";
    if (pick(20) == 0) {
      clock_.Advance(kSecond);
      agent_->Tick();
      ASSERT_TRUE(agent_->Flush());
    }
  }
  ASSERT_TRUE(agent_->Flush());
  EXPECT_EQ(Live(), 0);
  EXPECT_GT(children, wanted / 20);
  EXPECT_GT(refused, wanted / 20);
  EXPECT_GT(closed, wanted / 20);
  CheckEntries();
  ExpectExactReplay();
}

}  // namespace
}  // namespace proofgate::agent
