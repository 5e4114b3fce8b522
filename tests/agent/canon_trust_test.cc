// Whose canon a host takes: the daemon's side of bundles and trust roots.

#include "agent/canon_trust.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "agent/drop.h"
#include "base/durable.h"
#include "policy/replay.h"
#include "tests/agent/canon_trust_fixture.h"

namespace proofgate::agent {
namespace {

TEST_F(CanonTrustTest, APlainFileIsTheActOfTheHostsOwnRoot) {
  ASSERT_EQ(Entries("TRUST_ROOT").size(), 1u);
  EXPECT_EQ(*Entries("TRUST_ROOT")[0].Find("local"), json::Value(true));
  ASSERT_EQ(ApplyPlain(Canon("a")), "");
  ASSERT_EQ(Entries("CANON_BUNDLE").size(), 1u);
  const json::Value bundle = Entries("CANON_BUNDLE")[0];
  EXPECT_EQ(*bundle.Find("local"), json::Value(true));
  EXPECT_EQ(*json::GetInteger(bundle, "version"), 1u);
  // The entry alone shows that the host's key has signed this manifest.
  const std::string manifest = *json::GetBytes(bundle, "manifest");
  const std::string signature = *json::GetBytes(json::Object{{"s", bundle.Find("signatures")->array().at(0)}}, "s");
  EXPECT_TRUE(SshVerify(signer_->public_key(), policy::kCanonNamespace, manifest, signature));
  ASSERT_EQ(ApplyPlain(Canon("b")), "");
  EXPECT_EQ(*json::GetInteger(Entries("CANON_BUNDLE").at(1), "version"), 2u);
  EXPECT_EQ(*json::GetString(*json::Parse(*json::GetBytes(Entries("CANON_BUNDLE")[1], "manifest")), "previous"), Hex(Sha256(manifest)));
}

TEST_F(CanonTrustTest, APinnedRootRefusesAPlainFile) {
  ASSERT_EQ(Pin(RootText(2), {"root1"}), "") << "the host's own root signs by itself";
  EXPECT_EQ(ApplyPlain(Canon("a")), "SIGNATURE_REQUIRED");
  EXPECT_EQ(*json::GetString(Entries("CANON_REFUSED").back(), "code"), "SIGNATURE_REQUIRED");
  EXPECT_TRUE(Entries("CANON").empty());
  EXPECT_EQ(ApplyBundle(Next(), Canon("a"), {"alice"}), "THRESHOLD_NOT_MET");
  EXPECT_TRUE(Entries("CANON").empty());
  EXPECT_EQ(*json::GetString(Entries("CANON_REFUSED").back(), "code"), "THRESHOLD_NOT_MET");
  EXPECT_EQ(ApplyBundle(Next(), Canon("a")), "");
  EXPECT_EQ(Entries("CANON").size(), 1u);
  EXPECT_EQ(Issue(), "");
}

TEST_F(CanonTrustTest, TheRootIsReplacedOnlyByTheThresholdsOfBoth) {
  ASSERT_EQ(Pin(RootText(2), {"root1"}), "");
  keys_["root2"] = std::move(*CreateSigner(dir_ + "/root2", "root2"));
  EXPECT_EQ(Pin(RootText(3, "root2"), {"root2"}), "ROOT_OLD_THRESHOLD_NOT_MET");
  EXPECT_EQ(Pin(RootText(3, "root2"), {"root1"}), "ROOT_NEW_THRESHOLD_NOT_MET");
  EXPECT_EQ(Pin(RootText(2, "root2"), {"root1", "root2"}), "ROOT_ROLLBACK");
  EXPECT_EQ(Entries("TRUST_ROOT").size(), 2u);
  EXPECT_EQ(Entries("TRUST_ROOT_REFUSED").size(), 3u);
  EXPECT_EQ(Pin(RootText(3, "root2"), {"root1", "root2"}), "");
  EXPECT_EQ(Entries("TRUST_ROOT").size(), 3u);
  Start();
  EXPECT_EQ(*json::GetInteger(*agent_->ShowTrust(), "root_version"), 3u) << "after a restart";
}

TEST_F(CanonTrustTest, VersionsOnlyGoUpAcrossRestarts) {
  ASSERT_EQ(Pin(RootText(2), {"root1"}), "");
  const policy::Manifest first = Next();
  ASSERT_EQ(ApplyBundle(first, Canon("a")), "");
  const policy::Manifest second = Next();
  ASSERT_EQ(ApplyBundle(second, Canon("b")), "");
  Start();
  EXPECT_EQ(ApplyBundle(first, Canon("a")), "ROLLBACK");
  EXPECT_EQ(ApplyBundle(second, Canon("b")), "ROLLBACK");
  policy::Manifest fork = Next();
  fork.previous = Hex(Sha256(std::string_view("another")));
  EXPECT_EQ(ApplyBundle(fork, Canon("a")), "PREVIOUS_MISMATCH");
  EXPECT_EQ(ApplyBundle(Next(), Canon("a")), "") << "old content as a new version";
}

TEST_F(CanonTrustTest, ReceiptsOfTheCanonBeforeAreReviewedKeptOrRevoked) {
  ASSERT_EQ(Pin(RootText(2), {"root1"}), "");
  ASSERT_EQ(ApplyBundle(Next(), Canon("a")), "");
  ASSERT_EQ(Issue(), "");
  ASSERT_EQ(Live(), 1);
  policy::Manifest next = Next();
  EXPECT_EQ(ApplyBundle(next, Canon("a")), "");
  EXPECT_EQ(Live(), 1) << "reviewed, and still admissible";
  next = Next();
  next.old_receipts = policy::OldReceipts::kKeep;
  EXPECT_EQ(ApplyBundle(next, Canon("b")), "");
  EXPECT_EQ(Live(), 1) << "kept, although it is not";
  next = Next();
  EXPECT_EQ(ApplyBundle(next, Canon("b") + "# again\n"), "");
  EXPECT_EQ(Live(), 0) << "reviewed, and not admissible";
  ASSERT_EQ(Issue(), "");
  next = Next();
  next.old_receipts = policy::OldReceipts::kRevoke;
  EXPECT_EQ(ApplyBundle(next, Canon("b")), "");
  EXPECT_EQ(Live(), 0) << "revoked, although it is admissible";
}

TEST_F(CanonTrustTest, AtItsExpiryACanonDoesWhatItSays) {
  ASSERT_EQ(Pin(RootText(2), {"root1"}), "");
  const auto apply = [&](policy::AtExpiry at_expiry, int seconds) {
    policy::Manifest next = Next();
    next.expires_utc = FormatUtc({(clock_.Utc().ms / 1000 + seconds) * 1000}).substr(0, 19) + "Z";
    next.at_expiry = at_expiry;
    return ApplyBundle(next, Canon("a"));
  };
  EXPECT_EQ(apply(policy::AtExpiry::kDenyNew, 0), "EXPIRED");
  ASSERT_EQ(apply(policy::AtExpiry::kDenyNew, 60), "");
  EXPECT_EQ(Issue(), "");
  clock_.Advance(61'000'000'000);
  EXPECT_EQ(Issue(), "CANON_EXPIRED");
  EXPECT_EQ(Refusal(agent_->OpenRun("d")), "CANON_EXPIRED") << "not even what a process needs to live";
  ASSERT_EQ(apply(policy::AtExpiry::kKeep, 60), "");
  clock_.Advance(61'000'000'000);
  EXPECT_EQ(Issue(), "");
  EXPECT_EQ(agent_->ShowTrust()->at("expired"), json::Value(true)) << "and it is said";
}

// Whether the standing grant of domain d is live, and for how long its process
// would have it, two minutes after the expiry.
TEST_F(CanonTrustTest, AtItsExpiryStandingReceiptsAreRenewedOrRunOut) {
  ASSERT_EQ(Pin(RootText(2), {"root1"}), "");
  const auto standing = [&]() {
    std::uint64_t until = 0;
    for (const receipt_slot& slot : kernel_.slots)
      if (slot.state == SLOT_LIVE && (slot.flags & RECEIPT_STANDING) != 0) until = std::max<std::uint64_t>(until, slot.expires_boot_ns);
    return until > clock_.Boot().ns ? "live" : "run out";
  };
  const auto after_expiry = [&](policy::AtExpiry at_expiry) {
    policy::Manifest next = Next();
    next.expires_utc = FormatUtc({(clock_.Utc().ms / 1000 + 60) * 1000}).substr(0, 19) + "Z";
    next.at_expiry = at_expiry;
    // A unit's domain has its grants whether or not the unit runs.
    EXPECT_EQ(ApplyBundle(next, Canon("a").replace(Canon("a").find("standing:"), 0, "attach: { unit: d.service }\n")), "");
    agent_->Tick();
    EXPECT_STREQ(standing(), "live");
    for (int i = 0; i < 40; ++i) {
      clock_.Advance(5'000'000'000);
      agent_->Tick();
    }
    return standing();
  };
  EXPECT_STREQ(after_expiry(policy::AtExpiry::kStandingOnly), "live");
  EXPECT_EQ(Issue(), "CANON_EXPIRED") << "nothing beyond that";
  EXPECT_STREQ(after_expiry(policy::AtExpiry::kKeep), "live");
  EXPECT_EQ(Issue(), "");
  EXPECT_STREQ(after_expiry(policy::AtExpiry::kDenyNew), "run out");
  EXPECT_EQ(Issue(), "CANON_EXPIRED");
  EXPECT_STREQ(after_expiry(policy::AtExpiry::kKeep), "live") << "a newer one brings them back";
}

// More than one entry holds; the canon is found again by the entries alone.
TEST_F(CanonTrustTest, ACanonOfManyRulesComesIntoForce) {
  std::string text = Canon("a");
  for (int i = 0; i < 3000; ++i)
    text += "  - { id: more." + std::to_string(i) + ", permit: write, in: [{ file: /srv/" + std::to_string(i) +
            " }], limits: { ttl: 1m, uses: 5 } }\n";
  ASSERT_EQ(ApplyPlain(text), "");
  EXPECT_GT(Entries("CANON_PART").size(), 2u);
  EXPECT_EQ(Issue(), "") << "a rule of it";
  Start();
  EXPECT_EQ(Issue(), "") << "after a restart";
  policy::Replay replay;
  for (std::uint64_t index = 0; index < ledger_->head().size; ++index) replay.Take(index, *ledger_->Entry(index));
  EXPECT_EQ(replay.report().differences, 0u);
  EXPECT_EQ(replay.report().agreed.at("ISSUE"), 2u);
}

// What hosts have made for themselves differs; the first bundle of a fleet does not.
TEST_F(CanonTrustTest, VersionsOfTheHostsOwnRootAreNoStepsOfAnothers) {
  for (const char* granted : {"a", "b", "a"}) ASSERT_EQ(ApplyPlain(Canon(granted)), "");
  ASSERT_EQ(Pin(RootText(1), {"root1"}), "");
  policy::Manifest first;
  first.version = 1;
  first.tenant = "acme";
  EXPECT_EQ(ApplyBundle(first, Canon("b")), "");
  EXPECT_EQ(ApplyBundle(first, Canon("b")), "ROLLBACK");
  Start();
  EXPECT_EQ(agent_->canon_version(), 1u);
  EXPECT_EQ(ApplyBundle(first, Canon("b")), "ROLLBACK");
}

// The commit has landed, the gate has not followed: the next start finishes it.
TEST_F(CanonTrustTest, ADaemonThatDiedBetweenTwoCanonsLeavesNothingOfTheOld) {
  ASSERT_EQ(ApplyPlain(Canon("a")), "");
  ASSERT_EQ(Issue(), "");
  Start();
  EXPECT_EQ(Live(), 1) << "a start alone revokes nothing";
  agent_.reset();
  ASSERT_TRUE(ledger_->Append({}, {{"canon", Canon("b")}, {"canon_following", "review"}}));
  Start();
  EXPECT_EQ(Live(), 0);
  EXPECT_EQ(Entries("REVOKE").size(), 1u);
  EXPECT_EQ(*ledger_->ReadMeta("canon_following"), std::optional<std::string>());
}

TEST_F(CanonTrustTest, TheDropDirectoryTakesWhatIsNewerAndSigned) {
  ASSERT_EQ(Pin(RootText(2), {"root1"}), "");
  const std::string drop_dir = dir_ + "/drop";
  auto drop = Drop::At(drop_dir, static_cast<std::uint32_t>(-1));
  ASSERT_TRUE(drop);
  const auto put = [&](const std::string& name, const policy::Manifest& manifest, const std::string& text,
                       std::initializer_list<const char*> who) {
    policy::Bundle bundle = policy::BuildBundle(manifest, {{"d.yaml", text}});
    for (const char* one : who) bundle.signatures.push_back(SshSign(*keys_[one], policy::kCanonNamespace, bundle.manifest));
    ASSERT_TRUE(WriteFileDurably(drop_dir + "/" + name, policy::EncodeBundle(bundle), 0600));
  };
  const policy::Manifest first = Next();
  put("one.txt", first, Canon("a"), {"alice", "bob"});
  EXPECT_EQ(drop->Take(*agent_), 0u) << "not named as a bundle";
  put("one.bundle", first, Canon("a"), {"alice"});
  EXPECT_EQ(drop->Take(*agent_), 0u);
  EXPECT_EQ(*json::GetString(Entries("CANON_REFUSED").back(), "code"), "THRESHOLD_NOT_MET");
  EXPECT_EQ(*json::GetString(Entries("CANON_REFUSED").back(), "principal"), "drop:one.bundle");
  EXPECT_EQ(drop->Take(*agent_), 0u);
  EXPECT_EQ(Entries("CANON_REFUSED").size(), 1u) << "once";
  put("one.bundle", first, Canon("a"), {"alice", "bob"});
  policy::Manifest later = first;
  later.version = first.version + 5;
  put("a-later.bundle", later, Canon("b"), {"alice", "bob"});
  EXPECT_EQ(drop->Take(*agent_), 2u) << "in order of the versions, not of the names";
  EXPECT_EQ(agent_->canon_version(), later.version);
  // Another start looks at all of them again and takes none.
  auto again = Drop::At(drop_dir, static_cast<std::uint32_t>(-1));
  EXPECT_EQ(again->Take(*agent_), 0u);
  EXPECT_EQ(Entries("CANON_REFUSED").size(), 1u);
  // What others could have written is not read; nor is a link.
  policy::Manifest last = Next();
  put("open.bundle", last, Canon("a"), {"alice", "bob"});
  std::filesystem::permissions(drop_dir + "/open.bundle", std::filesystem::perms::all);
  std::filesystem::create_symlink(drop_dir + "/open.bundle", drop_dir + "/link.bundle");
  EXPECT_EQ(again->Take(*agent_), 0u);
}

TEST_F(CanonTrustTest, ARefusalChangesNothing) {
  ASSERT_EQ(Pin(RootText(2), {"root1"}), "");
  ASSERT_EQ(ApplyBundle(Next(), Canon("a")), "");
  ASSERT_EQ(Issue(), "");
  const json::Object before = *agent_->ShowCanon();
  EXPECT_EQ(ApplyBundle(Next(), Canon("b"), {"alice", "alice"}), "SIGNED_TWICE");
  EXPECT_EQ(ApplyBundle(Next(), "format: 1\n"), "CANON_INVALID");
  EXPECT_EQ(ApplyBundle(Next(), Canon("b") + "attach: { cgroup: /elsewhere }\n"), "TARGET_REFUSED");
  EXPECT_EQ(Refusal(agent_->ApplyBundle("{", "uid:0")), "MANIFEST_INVALID");
  EXPECT_EQ(*agent_->ShowCanon(), before);
  EXPECT_EQ(Live(), 1);
  std::vector<std::string> codes;
  for (const json::Value& refused : Entries("CANON_REFUSED")) codes.push_back(*json::GetString(refused, "code"));
  EXPECT_EQ(codes, (std::vector<std::string>{"SIGNED_TWICE", "CANON_INVALID", "TARGET_REFUSED", "MANIFEST_INVALID"}));
  EXPECT_EQ(ApplyBundle(Next(), Canon("b")), "") << "and the right one is taken";
  EXPECT_EQ(Live(), 0);
}

TEST_F(CanonTrustTest, TheHostsOwnRootFollowsTheHostsKey) {
  ASSERT_EQ(ApplyPlain(Canon("a")), "");
  signer_ = std::move(*CreateSigner(dir_ + "/key-2", "host"));
  Start();
  EXPECT_EQ(Entries("TRUST_ROOT").size(), 2u);
  EXPECT_EQ(ApplyPlain(Canon("b")), "");
}

TEST_F(CanonTrustTest, ARootThatCannotBeReadStopsTheStart) {
  agent_.reset();
  ASSERT_TRUE(ledger_->Append({}, {{"trust_root", "{}"}}));
  const auto agent = Agent::Start(pep_, *ledger_, *signer_, clock_, Host{"host", "boot-1"}, units_);
  ASSERT_FALSE(agent);
  EXPECT_EQ(agent.error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace proofgate::agent
