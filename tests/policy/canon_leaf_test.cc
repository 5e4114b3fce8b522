#include "policy/canon_leaf.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "policy/parse.h"
#include "policy/replay.h"

namespace proofgate::policy {
namespace {

Canon WithRules(int rules) {
  std::string text = "format: 1\ntenant: acme\ndomain: d\nmode: enforce\nrules:\n";
  for (int i = 0; i < rules; ++i)
    text += "  - { id: r" + std::to_string(i) + ", permit: write, in: [{ file: /srv/" + std::to_string(i) +
            " }], limits: { ttl: 1m, uses: 5 } }\n";
  ParsedCanon parsed = ParseCanon(text, "c.yaml");
  EXPECT_TRUE(parsed.diagnostics.empty());
  return parsed.canons.at(0);
}

std::vector<json::Value> Bodies(const CanonLeaves& leaves) {
  std::vector<json::Value> bodies = {json::Value(leaves.body)};
  for (const json::Object& part : leaves.parts) bodies.emplace_back(part);
  return bodies;
}

Result<std::optional<Canon>> Read(const std::vector<json::Value>& bodies) {
  return ReadCanonAt(0, [&](std::uint64_t index) -> Result<json::Value> {
    if (index >= bodies.size()) return Fail(Code::kNotFound, "no such entry");
    return bodies[index];
  });
}

std::string Leaf(std::uint64_t index, const char* kind, const json::Value& body) {
  return json::Encode(json::Object{{"body", body}, {"boot_ns", 1}, {"format", 1}, {"index", json::Integer(index)},
                                   {"kind", kind}, {"utc", "2026-11-24T12:12:23.924Z"}});
}

TEST(CanonLeaf, ASmallCanonIsInItsEntryWhole) {
  const Canon canon = WithRules(3);
  const CanonLeaves leaves = WriteCanonLeaves(canon);
  EXPECT_TRUE(leaves.parts.empty());
  EXPECT_EQ(*json::GetString(leaves.body, "digest"), Hex(Sha256(json::Encode(CanonJson(canon)))));
  const auto back = Read(Bodies(leaves));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(CanonJson(**back), CanonJson(canon));
}

TEST(CanonLeaf, ALargeCanonIsInTheEntriesAfter) {
  const Canon canon = WithRules(1000);
  const CanonLeaves leaves = WriteCanonLeaves(canon);
  ASSERT_GT(leaves.parts.size(), 2u);
  EXPECT_EQ(leaves.body.count("canon"), 0u);
  for (const json::Value& body : Bodies(leaves)) EXPECT_LT(json::Encode(body).size(), 59'000u);
  const auto back = Read(Bodies(leaves));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(CanonJson(**back), CanonJson(canon));
}

TEST(CanonLeaf, APartThatIsMissingSwappedOrChangedIsRefused) {
  const std::vector<json::Value> whole = Bodies(WriteCanonLeaves(WithRules(1000)));
  EXPECT_TRUE(Read(whole));
  std::vector<json::Value> bodies = whole;
  bodies.pop_back();
  EXPECT_FALSE(Read(bodies));
  bodies = whole;
  std::swap(bodies[1], bodies[2]);
  EXPECT_FALSE(Read(bodies));
  bodies = whole;
  std::string text = bodies[1].Find("text")->string();
  text.replace(text.find("\"uses\":5"), 8, "\"uses\":6");
  bodies[1].object()["text"] = text;
  const auto changed = Read(bodies);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().message, "canon: not what its digest says");
  bodies = whole;
  bodies[0].object()["parts"] = json::Integer(0);
  EXPECT_FALSE(Read(bodies));
  bodies[0].object()["parts"] = json::Integer(kMaxCanonParts + 1);
  EXPECT_FALSE(Read(bodies));
}

TEST(CanonLeaf, AnEntryWithoutAModelHasNone) {
  const auto none = Read({json::Value(json::Object{{"domain", "d"}, {"removed", true}})});
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
}

TEST(CanonLeaf, ReplayPutsTheCanonTogetherFromTheEntriesAlone) {
  const std::vector<json::Value> bodies = Bodies(WriteCanonLeaves(WithRules(1000)));
  const auto replay_of = [](const std::vector<std::pair<const char*, json::Value>>& entries) {
    Replay replay;
    std::uint64_t index = 0;
    for (const auto& [kind, body] : entries) {
      replay.Take(index, Leaf(index, kind, body));
      ++index;
    }
    return replay.report();
  };
  std::vector<std::pair<const char*, json::Value>> entries;
  for (const json::Value& body : bodies) entries.emplace_back(entries.empty() ? "CANON" : "CANON_PART", body);
  const ReplayReport right = replay_of(entries);
  EXPECT_EQ(right.differences, 0u);
  EXPECT_EQ(right.agreed.at("CANON"), 1u);
  auto wrong = entries;
  wrong.erase(wrong.begin() + 2);
  EXPECT_GT(replay_of(wrong).differences, 0u) << "a part is missing";
  wrong = entries;
  wrong.insert(wrong.begin() + 2, {"STOP", json::Object{}});
  EXPECT_GT(replay_of(wrong).differences, 0u) << "something in between";
  wrong.assign(entries.begin() + 1, entries.end());
  EXPECT_EQ(replay_of(wrong).differences, wrong.size()) << "parts of nothing";
}

}  // namespace
}  // namespace proofgate::policy
