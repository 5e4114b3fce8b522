#include "policy/promote.h"

#include <gtest/gtest.h>

#include "policy/parse.h"

namespace proofgate::policy {
namespace {

Canon Parse(const std::string& rules) {
  const ParsedCanon parsed = ParseCanon("format: 1\ntenant: t\ndomain: d\nmode: enforce\nrules:\n" + rules, "c");
  for (const Diagnostic& one : parsed.diagnostics) ADD_FAILURE() << Render(one);
  return parsed.canons.at(0);
}

TEST(Promote, GroupsChangedAnswersAndCountsThem) {
  const Canon before = Parse("  - { id: w, permit: write, in: [{ dir: /srv, depth: all }], limits: { ttl: 1m, uses: 5 } }\n");
  const Canon after = Parse("  - { id: w, permit: write, in: [{ dir: /srv/a, depth: all }], limits: { ttl: 1m, uses: 5 } }\n"
                            "  - { id: f, forbid: write, in: [{ dir: /etc, depth: all }] }\n");
  const Authority was(before);
  const Authority is(after);
  Impact impact;
  std::uint64_t entry = 10;
  for (const char* path : {"/srv/a/x", "/srv/b", "/srv/c", "/etc/passwd", "/opt/x"})
    impact.Add(entry++, "d", Kind::kWrite, *ReadObjectText(Kind::kWrite, path), &was, &is);
  EXPECT_EQ(impact.acts(), 5u);
  ASSERT_EQ(impact.flips().size(), 2u);
  const Flip& lost = impact.flips()[0];
  EXPECT_EQ(lost.before, "PERMITTED");
  EXPECT_EQ(lost.after, "NOT_PERMITTED");
  EXPECT_EQ(lost.count, 2u);
  EXPECT_EQ(lost.example_entry, 11u);
  EXPECT_EQ(lost.example, "/srv/b");
  EXPECT_EQ(impact.flips()[1].after, "FORBIDDEN");
}

TEST(Promote, EachChangedAnswerMustBeAcknowledgedByName) {
  const Canon before = Parse("  - { id: w, permit: write, in: [{ dir: /srv }], limits: { ttl: 1m, uses: 5 } }\n");
  const Authority was(before);
  Impact impact;
  const Object act = *ReadObjectText(Kind::kWrite, "/srv/a");
  impact.Add(1, "d", Kind::kWrite, act, &was, nullptr);
  impact.Add(2, "e", Kind::kWrite, act, &was, nullptr);
  ASSERT_EQ(impact.Unacknowledged({}).size(), 2u);
  const std::string name = impact.flips()[0].name;
  EXPECT_NE(name, impact.flips()[1].name);
  ASSERT_EQ(impact.Unacknowledged({name}).size(), 1u);
  EXPECT_EQ(impact.Unacknowledged({name})[0]->domain, "e");
  // The name is the change's, not the run's.
  Impact again;
  again.Add(77, "d", Kind::kWrite, *ReadObjectText(Kind::kWrite, "/srv/b"), &was, nullptr);
  EXPECT_EQ(again.flips().at(0).name, name);
}

}  // namespace
}  // namespace proofgate::policy
