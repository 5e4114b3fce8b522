// The attacks of The Update Framework, each as a test with its name, beside the
// bundle that is taken.

#include "policy/bundle.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "base/bytes.h"
#include "base/durable.h"
#include "policy/parse.h"

namespace proofgate::policy {
namespace {

constexpr const char* kCanonText =
    "format: 1\ntenant: acme\ndomain: d\nmode: enforce\nrules:\n"
    "  - { id: w, permit: write, in: [{ dir: /srv, depth: all }], limits: { ttl: 1m, uses: 5 } }\n";

std::string WithDomain(const std::string& domain, const std::string& tenant = "acme", const std::string& dir = "/srv") {
  std::string text = kCanonText;
  text.replace(text.find("domain: d"), 9, "domain: " + domain);
  text.replace(text.find("acme"), 4, tenant);
  text.replace(text.find("/srv"), 4, dir);
  return text;
}

class BundleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/proofgate-bundle-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    dir_ = name;
    for (const char* who : {"root1", "root2", "alice", "alice-2", "bob", "carol", "mallory"})
      keys_[who] = *CreateSigner(dir_ + "/" + who, who);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string Keys(const std::vector<std::pair<std::string, std::string>>& owners_and_keys) {
    std::string out;
    for (const auto& [owner, key] : owners_and_keys)
      out += (out.empty() ? "" : ", ") + std::string("{ \"owner\": \"") + owner + "\", \"key\": \"" +
             keys_[key]->public_key().OpenSsh() + "\" }";
    return "[" + out + "]";
  }
  // Two of alice (with two keys), bob and carol sign canons.
  std::string RootText(int version = 1, const std::string& more_roles = "", const std::string& more = "",
                       const std::string& root_key = "root1") {
    return "{ \"format\": 1, \"version\": " + std::to_string(version) +
           ", \"tenant\": \"acme\", \"host_group\": \"web\", \"roles\": { \"root\": { \"threshold\": 1, \"keys\": " +
           Keys({{"ceremony", root_key}}) + " }, \"canon\": { \"threshold\": 2, \"keys\": " +
           Keys({{"alice", "alice"}, {"alice", "alice-2"}, {"bob", "bob"}}) + " }" + more_roles + " }" + more + " }";
  }
  TrustRoot Root(const std::string& text) {
    auto root = ParseTrustRoot(text);
    EXPECT_TRUE(root) << root.error().message;
    return *root;
  }
  static Manifest First() {
    Manifest manifest;
    manifest.version = 1;
    manifest.tenant = "acme";
    manifest.host_group = "web";
    return manifest;
  }
  Bundle Make(const Manifest& manifest, std::map<std::string, std::string> files = {{"d.yaml", kCanonText}}) {
    return BuildBundle(manifest, std::move(files));
  }
  Bundle& Sign(Bundle& bundle, std::initializer_list<const char*> who, std::string_view name_space = kCanonNamespace) {
    for (const char* one : who) bundle.signatures.push_back(SshSign(*keys_[one], name_space, bundle.manifest));
    return bundle;
  }
  // "" when it is taken.
  std::string Verdict(const Bundle& bundle, const HostState& host = {}, const std::string& root = "") {
    const auto verified = VerifyBundle(Root(root.empty() ? RootText() : root), host, bundle);
    return verified ? "" : verified.error().message.substr(0, verified.error().message.find(':'));
  }

  std::string dir_;
  std::map<std::string, std::unique_ptr<Signer>> keys_;
};

TEST_F(BundleTest, TakesWhatTheThresholdHasSigned) {
  Bundle bundle = Make(First(), {{"d.yaml", kCanonText}, {"e.yaml", WithDomain("e")}});
  Sign(bundle, {"alice", "bob"});
  const auto verified = VerifyBundle(Root(RootText()), {}, bundle);
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(verified->signers, (std::vector<std::string>{"alice", "bob"}));
  EXPECT_EQ(verified->canons.size(), 2u);
  EXPECT_EQ(verified->digest, Hex(Sha256(bundle.manifest)));
}

TEST_F(BundleTest, FilesOfABundleIncludeWhatIsInIt) {
  const std::string library = "format: 1\nlibrary: common\nsets: { data: [{ dir: /srv, depth: all }] }\n";
  const auto uses = [](const std::string& domain) {
    return "format: 1\ntenant: acme\ndomain: " + domain + "\nmode: enforce\ninclude: common\nrules:\n"
           "  - { id: w, permit: write, in: [{ set: data }], limits: { ttl: 1m, uses: 5 } }\n";
  };
  Bundle bundle = Make(First(), {{"d.yaml", uses("d")}, {"e.yaml", uses("e")}, {"common.yaml", library}});
  Sign(bundle, {"alice", "bob"});
  const auto verified = VerifyBundle(Root(RootText()), {}, bundle);
  ASSERT_TRUE(verified) << verified.error().message;
  ASSERT_EQ(verified->canons.size(), 2u);
  EXPECT_EQ(CanonJson(verified->canons[0]), CanonJson(ParseCanon(kCanonText, "c").canons.at(0)));
  // What the daemon keeps, and reads at its start.
  const ParsedCanon kept = ParseCanon(verified->text, "kept");
  ASSERT_TRUE(kept.diagnostics.empty()) << Render(kept.diagnostics[0]);
  EXPECT_EQ(CanonJson(kept.canons.at(1)), CanonJson(verified->canons[1]));
  Bundle without = Make(First(), {{"d.yaml", uses("d")}});
  EXPECT_EQ(Verdict(Sign(without, {"alice", "bob"})), "CANON_INVALID");
}

TEST_F(BundleTest, IsReproducible) {
  EXPECT_EQ(Make(First()).manifest, Make(First()).manifest);
  EXPECT_EQ(EncodeBundle(Make(First())), EncodeBundle(Make(First())));
  const auto back = ParseManifest(Make(First()).manifest);
  ASSERT_TRUE(back);
  EXPECT_EQ(EncodeManifest(*back), Make(First()).manifest);
}

TEST_F(BundleTest, AttackRollback) {
  Manifest second = First();
  second.version = 2;
  second.previous = std::string(64, 'a');
  Bundle bundle = Make(second);
  Sign(bundle, {"alice", "bob"});
  EXPECT_EQ(Verdict(bundle, {1, second.previous, 0}), "");
  EXPECT_EQ(Verdict(bundle, {2, second.previous, 0}), "ROLLBACK") << "the same again";
  EXPECT_EQ(Verdict(bundle, {7, second.previous, 0}), "ROLLBACK");
}

TEST_F(BundleTest, AttackForkOfTheHistory) {
  Manifest second = First();
  second.version = 2;
  second.previous = std::string(64, 'a');
  Bundle bundle = Make(second);
  Sign(bundle, {"alice", "bob"});
  EXPECT_EQ(Verdict(bundle, {1, std::string(64, 'b'), 0}), "PREVIOUS_MISMATCH");
  EXPECT_EQ(Verdict(bundle, {0, "", 0}), "") << "a host that has missed the first";
  Bundle first = Make(First());
  Sign(first, {"alice", "bob"});
  EXPECT_EQ(Verdict(first), "");
}

TEST_F(BundleTest, AttackFreeze) {
  Manifest manifest = First();
  manifest.expires_utc = "2027-01-31T00:00:00Z";
  const std::uint64_t at = *ParseUtcSeconds(manifest.expires_utc);
  Bundle bundle = Make(manifest);
  Sign(bundle, {"alice", "bob"});
  EXPECT_EQ(Verdict(bundle, {0, "", at - 1}), "");
  EXPECT_EQ(Verdict(bundle, {0, "", at}), "EXPIRED");
}

TEST_F(BundleTest, AttackMixAndMatch) {
  Bundle bundle = Make(First(), {{"d.yaml", kCanonText}, {"e.yaml", WithDomain("e")}});
  Sign(bundle, {"alice", "bob"});
  Bundle changed = bundle;
  changed.files["d.yaml"] = WithDomain("d", "acme", "/etc");
  EXPECT_EQ(Verdict(changed), "FILE_MISMATCH") << "a file of another bundle";
  changed = bundle;
  std::swap(changed.files["d.yaml"], changed.files["e.yaml"]);
  EXPECT_EQ(Verdict(changed), "FILE_MISMATCH");
  changed = bundle;
  changed.files.erase("e.yaml");
  EXPECT_EQ(Verdict(changed), "FILE_MISSING");
  changed = bundle;
  changed.files["f.yaml"] = WithDomain("f");
  EXPECT_EQ(Verdict(changed), "FILE_EXTRA");
  Bundle other = Make(First());
  changed = bundle;
  changed.manifest = other.manifest;
  EXPECT_EQ(Verdict(changed), "SIGNATURE_INVALID") << "the signatures of another manifest";
}

TEST_F(BundleTest, AttackEndlessData) {
  Bundle bundle = Make(First());
  Sign(bundle, {"alice", "bob"});
  EXPECT_EQ(Verdict(bundle), "");
  Bundle large = bundle;
  large.manifest += std::string(kMaxManifestBytes, ' ');
  EXPECT_EQ(Verdict(large), "TOO_LARGE");
  large = bundle;
  for (std::size_t i = 0; i < kMaxSignatures; ++i) large.signatures.push_back(bundle.signatures[0]);
  EXPECT_EQ(Verdict(large), "TOO_LARGE");
  large = bundle;
  large.signatures.push_back(std::string(kMaxSignatureBytes + 1, 'A'));
  EXPECT_EQ(Verdict(large), "TOO_LARGE");
  EXPECT_EQ(ParseBundle(std::string(5u << 20, '{')).error().message.substr(0, 9), "TOO_LARGE");
  EXPECT_EQ(ParseTrustRoot(std::string(1u << 20, '{')).error().message.substr(0, 9), "TOO_LARGE");
}

TEST_F(BundleTest, AttackWrongTenantAndHostGroup) {
  const auto verdict = [&](const std::string& tenant, const std::string& group, const std::string& canon_tenant) {
    Manifest manifest = First();
    manifest.tenant = tenant;
    manifest.host_group = group;
    Bundle bundle = Make(manifest, {{"d.yaml", WithDomain("d", canon_tenant)}});
    return Verdict(Sign(bundle, {"alice", "bob"}));
  };
  EXPECT_EQ(verdict("acme", "web", "acme"), "");
  EXPECT_EQ(verdict("acme", "", "acme"), "") << "for all host groups";
  EXPECT_EQ(verdict("evil", "web", "acme"), "WRONG_TENANT");
  EXPECT_EQ(verdict("acme", "web", "evil"), "WRONG_TENANT");
  EXPECT_EQ(verdict("acme", "db", "acme"), "WRONG_HOST_GROUP");
}

TEST_F(BundleTest, AttackSemanticsOfAnotherVersion) {
  Bundle bundle = Make(First());
  Manifest manifest = *ParseManifest(bundle.manifest);
  manifest.semantics_id = "proofgate-canon-99";
  bundle.manifest = EncodeManifest(manifest);
  EXPECT_EQ(Verdict(Sign(bundle, {"alice", "bob"})), "SEMANTICS_UNSUPPORTED");
}

TEST_F(BundleTest, AttackOneSignatureIsNotTwo) {
  const auto verdict = [&](std::initializer_list<const char*> who) {
    Bundle bundle = Make(First());
    return Verdict(Sign(bundle, who));
  };
  EXPECT_EQ(verdict({"alice", "bob"}), "");
  EXPECT_EQ(verdict({"alice"}), "THRESHOLD_NOT_MET");
  EXPECT_EQ(verdict({}), "THRESHOLD_NOT_MET");
  EXPECT_EQ(verdict({"alice", "alice"}), "SIGNED_TWICE") << "the same signature twice";
  EXPECT_EQ(verdict({"alice", "alice-2"}), "ONE_PERSON_TWICE");
  EXPECT_EQ(verdict({"alice-2", "bob"}), "") << "either key is that person";
  EXPECT_EQ(verdict({"alice", "mallory"}), "THRESHOLD_NOT_MET") << "a key of nobody";
  EXPECT_EQ(verdict({"alice", "root1"}), "KEY_OF_ANOTHER_ROLE");
  EXPECT_EQ(verdict({"alice", "mallory", "bob"}), "") << "a stranger does no harm";
}

TEST_F(BundleTest, AttackRevokedKey) {
  const std::string root = RootText(1, "", ", \"revoked\": [\"" + keys_["bob"]->public_key().OpenSsh() + "\"]");
  Bundle bundle = Make(First());
  Sign(bundle, {"alice", "bob"});
  EXPECT_EQ(Verdict(bundle), "");
  EXPECT_EQ(Verdict(bundle, {}, root), "KEY_REVOKED");
}

TEST_F(BundleTest, AttackKeyCompromiseBelowTheThreshold) {
  // Mallory has alice's key and can make any manifest.
  Manifest manifest = First();
  manifest.version = 99;
  Bundle bundle = Make(manifest, {{"d.yaml", WithDomain("d", "acme", "/opt")}});
  Sign(bundle, {"alice", "mallory"});
  EXPECT_EQ(Verdict(bundle), "THRESHOLD_NOT_MET");
  Sign(bundle, {"bob"});
  EXPECT_EQ(Verdict(bundle), "") << "what is signed by two persons is what two persons want";
}

TEST_F(BundleTest, AttackSignatureForSomethingElse) {
  Bundle bundle = Make(First());
  Sign(bundle, {"alice"});
  Bundle other = bundle;
  EXPECT_EQ(Verdict(Sign(other, {"bob"}, "receipt@proofgate")), "SIGNATURE_INVALID") << "another namespace";
  other = bundle;
  other.signatures.push_back("-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n");
  EXPECT_EQ(Verdict(other), "SIGNATURE_INVALID");
}

TEST_F(BundleTest, OneChangedByteNeverVerifies) {
  Bundle bundle = Make(First());
  Sign(bundle, {"alice", "bob"});
  for (std::size_t i = 0; i < bundle.manifest.size(); ++i) {
    Bundle changed = bundle;
    changed.manifest[i] = static_cast<char>(changed.manifest[i] ^ 1);
    EXPECT_EQ(Verdict(changed), "SIGNATURE_INVALID") << i;
  }
  for (std::size_t i = 0; i < std::string_view(kCanonText).size(); ++i) {
    Bundle changed = bundle;
    std::string& text = changed.files["d.yaml"];
    text[i] = static_cast<char>(text[i] ^ 1);
    EXPECT_EQ(Verdict(changed), "FILE_MISMATCH") << i;
  }
}

TEST_F(BundleTest, OneChangedByteOfASignatureNeverCounts) {
  Bundle bundle = Make(First());
  Sign(bundle, {"alice", "bob"});
  EXPECT_EQ(Verdict(bundle), "");
  for (std::size_t i = 0; i < bundle.signatures[1].size(); ++i) {
    Bundle changed = bundle;
    changed.signatures[1][i] = static_cast<char>(changed.signatures[1][i] ^ 1);
    EXPECT_NE(Verdict(changed), "") << i;
  }
}

TEST_F(BundleTest, RefusesATrustRootThatUndoesItself) {
  const auto refusal = [](const std::string& text) {
    const auto root = ParseTrustRoot(text);
    return root ? std::string() : root.error().message.substr(0, root.error().message.find(':'));
  };
  const std::string right = RootText();
  EXPECT_EQ(refusal(right), "");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = right;
    text.replace(text.find(from), from.size(), to);
    return refusal(text);
  };
  EXPECT_EQ(with(keys_["root1"]->public_key().OpenSsh(), keys_["bob"]->public_key().OpenSsh()), "KEY_IN_TWO_ROLES");
  EXPECT_EQ(with("\"ceremony\"", "\"bob\""), "PERSON_IN_TWO_ROLES");
  EXPECT_EQ(with("\"threshold\": 2", "\"threshold\": 3"), "ROOT_INVALID") << "three keys, but two persons";
  EXPECT_EQ(with("\"threshold\": 2", "\"threshold\": 0"), "ROOT_INVALID");
  EXPECT_EQ(with("\"version\": 1", "\"version\": 0"), "ROOT_INVALID");
  EXPECT_EQ(with("\"tenant\": \"acme\", ", ""), "ROOT_INVALID");
  EXPECT_EQ(with("\"host_group\"", "\"host_gruop\""), "ROOT_INVALID");
  EXPECT_EQ(with("ssh-ed25519", "ssh-rsa"), "ROOT_INVALID");
  EXPECT_EQ(with(keys_["bob"]->public_key().OpenSsh(), keys_["alice"]->public_key().OpenSsh()), "ROOT_INVALID") << "a key twice";
}

TEST_F(BundleTest, ARootChangesByTheThresholdsOfBoth) {
  const TrustRoot current = Root(RootText(1));
  const std::string next = RootText(2, "", "", "root2");
  const auto verdict = [&](const std::string& bytes, std::initializer_list<const char*> who) {
    std::vector<std::string> signatures;
    for (const char* one : who) signatures.push_back(SshSign(*keys_[one], kRootNamespace, bytes));
    const auto changed = VerifyRootChange(current, bytes, signatures);
    return changed ? std::string() : changed.error().message.substr(0, changed.error().message.find(':'));
  };
  EXPECT_EQ(verdict(next, {"root1", "root2"}), "");
  EXPECT_EQ(verdict(next, {"root1"}), "ROOT_NEW_THRESHOLD_NOT_MET");
  EXPECT_EQ(verdict(next, {"root2"}), "ROOT_OLD_THRESHOLD_NOT_MET");
  EXPECT_EQ(verdict(next, {"alice", "bob"}), "ROOT_OLD_THRESHOLD_NOT_MET");
  EXPECT_EQ(verdict(RootText(1, "", "", "root2"), {"root1", "root2"}), "ROOT_ROLLBACK");
}

TEST_F(BundleTest, AHostsOwnRootGivesWayToAnyVersionAndNeverComesBack) {
  const TrustRoot own = Root(LocalTrustRoot(keys_["mallory"]->public_key(), 7));
  const std::string next = RootText(1);
  const auto signatures = [&](const std::string& bytes, std::initializer_list<const char*> who) {
    std::vector<std::string> out;
    for (const char* one : who) out.push_back(SshSign(*keys_[one], kRootNamespace, bytes));
    return out;
  };
  EXPECT_TRUE(VerifyRootChange(own, next, signatures(next, {"mallory", "root1"})));
  EXPECT_FALSE(VerifyRootChange(own, next, signatures(next, {"mallory"}))) << "nobody is put in charge unasked";
  const std::string back = LocalTrustRoot(keys_["mallory"]->public_key(), 9);
  const auto refused = VerifyRootChange(Root(next), back, signatures(back, {"mallory", "root1"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.substr(0, 12), "ROOT_INVALID");
}

TEST_F(BundleTest, WhatPermitsMoreCanNeedItsOwnRole) {
  const std::string text = RootText(1, ", \"wider\": { \"threshold\": 1, \"keys\": " + Keys({{"carol", "carol"}}) + " }");
  const TrustRoot root = Root(text);
  Bundle before = Make(First());
  Sign(before, {"alice", "bob"});
  const auto in_force = VerifyBundle(root, {}, before);
  ASSERT_TRUE(in_force) << in_force.error().message;
  const auto verdict = [&](const std::string& dir, std::initializer_list<const char*> who) {
    Bundle bundle = Make(First(), {{"d.yaml", WithDomain("d", "acme", dir)}});
    Sign(bundle, who);
    const auto verified = VerifyBundle(root, {}, bundle);
    if (!verified) return verified.error().message;
    const Status wider = CheckWider(root, in_force->canons, *verified, bundle);
    return wider ? std::string() : wider.error().message.substr(0, wider.error().message.find(':'));
  };
  EXPECT_EQ(verdict("/srv/a", {"alice", "bob"}), "") << "narrower";
  EXPECT_EQ(verdict("/", {"alice", "bob"}), "WIDER_THRESHOLD_NOT_MET");
  EXPECT_EQ(verdict("/", {"alice", "bob", "carol"}), "");
}

TEST_F(BundleTest, TheHostsOwnRootTakesWhatTheHostSigns) {
  const TrustRoot root = Root(LocalTrustRoot(keys_["bob"]->public_key()));
  EXPECT_TRUE(root.is_local);
  Bundle bundle = Make(First());
  EXPECT_EQ(Verdict(bundle, {}, LocalTrustRoot(keys_["bob"]->public_key())), "THRESHOLD_NOT_MET");
  Manifest any = First();
  any.host_group = "";
  bundle = Make(any);
  EXPECT_EQ(Verdict(Sign(bundle, {"bob"}), {}, LocalTrustRoot(keys_["bob"]->public_key())), "");
}

TEST_F(BundleTest, TheEnvelopeComesBack) {
  Bundle bundle = Make(First());
  Sign(bundle, {"alice", "bob"});
  const auto back = ParseBundle(EncodeBundle(bundle));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->manifest, bundle.manifest);
  EXPECT_EQ(back->files, bundle.files);
  EXPECT_EQ(back->signatures, bundle.signatures);
  EXPECT_FALSE(ParseBundle("{\"format\":1}"));
}

TEST_F(BundleTest, TimesAreReadExactly) {
  EXPECT_EQ(*ParseUtcSeconds("1970-01-01T00:00:00Z"), 0u);
  EXPECT_EQ(*ParseUtcSeconds("2000-02-29T12:34:56Z"), 951827696u);
  EXPECT_EQ(*ParseUtcSeconds("2027-01-31T00:00:00Z"), 1801353600u);
  for (const char* wrong : {"", "2027-02-29T00:00:00Z", "2027-13-01T00:00:00Z", "2027-01-01T24:00:00Z", "2027-01-01 00:00:00Z",
                            "2027-01-01T00:00:00+", "20a7-01-01T00:00:00Z", "1969-12-31T00:00:00Z"})
    EXPECT_FALSE(ParseUtcSeconds(wrong)) << wrong;
}

// With stock OpenSSH, as on a signing station: a key file, an agent; another type
// of key is refused by name.
TEST_F(BundleTest, TakesWhatSshKeygenSigned) {
  Bundle bundle = Make(First());
  Sign(bundle, {"alice"});
  ASSERT_TRUE(WriteFileDurably(dir_ + "/manifest.json", bundle.manifest, 0600));
  const auto run = [&](const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()); };
  const auto signature = [&]() { return ReadFile(dir_ + "/manifest.json.sig", 1 << 16).value_or(""); };
  ASSERT_EQ(run("ssh-keygen -Y sign -n canon@proofgate -f " + dir_ + "/bob " + dir_ + "/manifest.json"), 0);
  Bundle by_file = bundle;
  by_file.signatures.push_back(signature());
  EXPECT_EQ(Verdict(by_file), "");
  unlink((dir_ + "/manifest.json.sig").c_str());

  // The agent holds the key; the station has only its public half.
  ASSERT_EQ(run("eval $(ssh-agent -a " + dir_ + "/agent); ssh-add " + dir_ + "/bob; mv " + dir_ + "/bob " + dir_ +
                "/away; ssh-keygen -Y sign -n canon@proofgate -f " + dir_ + "/bob.pub " + dir_ +
                "/manifest.json; status=$?; ssh-agent -k; exit $status"), 0);
  Bundle by_agent = bundle;
  by_agent.signatures.push_back(signature());
  EXPECT_EQ(Verdict(by_agent), "");
  unlink((dir_ + "/manifest.json.sig").c_str());

  ASSERT_EQ(run("ssh-keygen -q -t ecdsa -b 384 -N '' -f " + dir_ + "/ecdsa && ssh-keygen -Y sign -n canon@proofgate -f " + dir_ +
                "/ecdsa " + dir_ + "/manifest.json"), 0);
  Bundle by_ecdsa = bundle;
  by_ecdsa.signatures.push_back(signature());
  EXPECT_EQ(Verdict(by_ecdsa), "KEY_TYPE");

  // And what we signed verifies there.
  ASSERT_TRUE(WriteFileDurably(dir_ + "/ours.sig", bundle.signatures[0], 0600));
  ASSERT_TRUE(WriteFileDurably(dir_ + "/signers", "alice " + keys_["alice"]->public_key().OpenSsh() + "\n", 0600));
  const std::string verify = "ssh-keygen -Y verify -f " + dir_ + "/signers -I alice -n canon@proofgate -s " + dir_ + "/ours.sig < ";
  EXPECT_EQ(run(verify + dir_ + "/manifest.json"), 0);
  ASSERT_TRUE(WriteFileDurably(dir_ + "/other.json", bundle.manifest + " ", 0600));
  EXPECT_NE(run(verify + dir_ + "/other.json"), 0);
}

}  // namespace
}  // namespace proofgate::policy
