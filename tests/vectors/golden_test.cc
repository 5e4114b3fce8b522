// Golden ledgers: what was recorded at each release, on a real kernel, is
// replayed by every later build. tests/vectors/record-ledger, docs/format/replay.md.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "base/durable.h"
#include "policy/replay.h"

namespace proofgate::policy {
namespace {

struct Golden {
  std::string name;
  std::vector<std::string> leaves;
  json::Value report;  // of `replay --all --json` at the release
};

std::vector<Golden> ReadGolden() {
  std::vector<Golden> all;
  for (const auto& file : std::filesystem::directory_iterator(VECTORS)) {
    const std::string name = file.path().filename();
    if (!name.starts_with("ledger-") || file.path().extension() != ".jsonl") continue;
    Golden golden;
    golden.name = name;
    std::ifstream lines(file.path(), std::ios::binary);
    for (std::string leaf; std::getline(lines, leaf);) golden.leaves.push_back(leaf);
    const auto report = ReadFile(std::string(VECTORS) + "/" + file.path().stem().string() + ".report.json", 1 << 20);
    EXPECT_TRUE(report) << report.error().message;
    golden.report = *json::ParseLenient(*report);
    all.push_back(std::move(golden));
  }
  return all;
}

ReplayReport ReplayAll(const std::vector<std::string>& leaves) {
  Replay replay;
  for (std::size_t index = 0; index < leaves.size(); ++index) replay.Take(index, leaves[index]);
  return replay.report();
}

// With one entry taken before another, which is left out if `whole` is not set.
ReplayReport ReplayMoved(const std::vector<std::string>& leaves, std::size_t moved, std::size_t before, bool whole) {
  Replay replay;
  for (std::size_t index = 0; index < leaves.size(); ++index) {
    if (index == before) replay.Take(moved, leaves[moved]);
    if (index != moved && (whole || index != before)) replay.Take(index, leaves[index]);
  }
  return replay.report();
}

json::Value Counts(const std::map<std::string, std::uint64_t>& counts) {
  json::Object out;
  for (const auto& [name, count] : counts) out[name] = json::Integer(count);
  return out;
}

TEST(GoldenLedger, IsReplayedAsAtItsRelease) {
  const std::vector<Golden> all = ReadGolden();
  ASSERT_FALSE(all.empty());
  for (const Golden& golden : all) {
    const ReplayReport report = ReplayAll(golden.leaves);
    for (const ReplayDifference& difference : report.first)
      ADD_FAILURE() << golden.name << " " << difference.index << " " << difference.kind << "\n  recorded   "
                    << difference.recorded << "\n  recomputed " << difference.recomputed;
    EXPECT_EQ(report.entries, json::GetInteger(golden.report, "entries").value_or(0)) << golden.name;
    // Not one decision less than then.
    EXPECT_EQ(json::Pretty(Counts(report.agreed)), json::Pretty(*golden.report.Find("agreed"))) << golden.name;
    EXPECT_EQ(json::Pretty(Counts(report.not_decided)), json::Pretty(*golden.report.Find("not_decided"))) << golden.name;
    for (const char* kind : {"CANON", "ISSUE", "REFUSED", "ACT", "DENY", "DECIDED", "APPROVAL", "STEP_REFUSED"})
      EXPECT_GT(report.agreed.count(kind), 0u) << golden.name << " shows no " << kind;
  }
}

TEST(GoldenLedger, ACorruptedReceiptDisagreesAtItsActsAndNowhereElse) {
  std::size_t with_acts = 0;
  for (const Golden& golden : ReadGolden()) {
    for (std::size_t issued = 0; issued < golden.leaves.size(); ++issued) {
      const json::Value leaf = *json::Parse(golden.leaves[issued]);
      const json::Value& body = *leaf.Find("body");
      if (json::GetString(leaf, "kind").value_or("") != "ISSUE" || *body.Find("receipt")->Find("standing") == json::Value(true))
        continue;
      // One more use than was decided.
      json::Object receipt = body.Find("receipt")->object();
      receipt["uses"] = json::Integer(*json::GetInteger(*body.Find("receipt"), "uses") + 1);
      json::Object spoilt_body = body.object();
      spoilt_body["receipt"] = std::move(receipt);
      json::Object spoilt = leaf.object();
      spoilt["body"] = std::move(spoilt_body);
      std::vector<std::string> copy = golden.leaves;
      copy[issued] = json::Encode(spoilt);

      const std::string id = *json::GetString(body, "id");
      std::set<std::uint64_t> expected = {issued};
      for (std::size_t index = issued; index < copy.size(); ++index) {
        const json::Value other = *json::Parse(copy[index]);
        const std::string kind = json::GetString(other, "kind").value_or("");
        if ((kind == "ACT" || kind == "DENY") && json::GetString(*other.Find("body"), "receipt").value_or("") == id)
          expected.insert(index);
      }
      with_acts += expected.size() > 1;
      std::set<std::uint64_t> found;
      for (const ReplayDifference& difference : ReplayAll(copy).first) found.insert(difference.index);
      EXPECT_EQ(found, expected) << golden.name << ": receipt of entry " << issued;
    }
  }
  EXPECT_GT(with_acts, 3u);
}

// The gate ends a receipt before the ledger says so, and another thread brings
// what it refuses.
TEST(GoldenLedger, ARefusalMayComeBeforeTheEntryThatRevokes) {
  std::size_t moved = 0;
  for (const Golden& golden : ReadGolden()) {
    const ReplayReport whole = ReplayAll(golden.leaves);
    std::map<std::string, std::size_t> revokes;
    for (std::size_t index = 0; index < golden.leaves.size(); ++index) {
      const json::Value leaf = *json::Parse(golden.leaves[index]);
      const json::Value& body = *leaf.Find("body");
      const std::string kind = *json::GetString(leaf, "kind");
      if (kind == "REVOKE") revokes[*json::GetString(body, "id")] = index;
      if (kind != "DENY" || json::GetString(body, "code").value_or("") != "REVOKED") continue;
      const auto revoked = revokes.find(json::GetString(body, "receipt").value_or(""));
      if (revoked == revokes.end()) continue;
      ++moved;
      const ReplayReport report = ReplayMoved(golden.leaves, index, revoked->second, true);
      EXPECT_EQ(report.differences, 0u) << golden.name << ": entry " << index << " before " << revoked->second;
      EXPECT_EQ(report.agreed, whole.agreed);
      EXPECT_GT(ReplayMoved(golden.leaves, index, revoked->second, false).differences, 0u)
          << golden.name << ": entry " << index << " without its REVOKE";
    }
  }
  EXPECT_GT(moved, 3u);
}

}  // namespace
}  // namespace proofgate::policy
