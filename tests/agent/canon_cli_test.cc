// The canon commands as people run them: no daemon, stock OpenSSH.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>

#include "base/durable.h"
#include "base/signature.h"

namespace proofgate {
namespace {

class CanonCliTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "canon-cli.XXXXXX";
    dir_ = std::filesystem::canonical(mkdtemp(pattern.data()));
    for (const char* who : {"ceremony", "alice", "bob"}) keys_ += Key(who) + "\n";
    Put("root.json", R"({ "format": 1, "version": 1, "tenant": "acme", "roles": { "root": { "threshold": 1, "keys": [)" + Owner("ceremony") +
                         R"(] }, "canon": { "threshold": 2, "keys": [)" + Owner("alice") + "," + Owner("bob") + "] } } }");
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string Key(const std::string& who) {
    const auto signer = CreateSigner(dir_ + "/" + who, who);
    EXPECT_TRUE(signer);
    Put(who + ".pub", (*signer)->public_key().OpenSsh() + "\n");
    return who + " " + (*signer)->public_key().OpenSsh();
  }
  std::string Owner(const std::string& who) {
    std::string line = *ReadFile(dir_ + "/" + who + ".pub", 4096);
    line.pop_back();
    return "{ \"owner\": \"" + who + "\", \"key\": \"" + line + "\" }";
  }
  void Put(const std::string& name, const std::string& text) { ASSERT_TRUE(WriteFileDurably(dir_ + "/" + name, text, 0600)); }
  // A domain's file in a directory of the test's.
  std::string Canon(const std::string& domain) {
    return "format: 1\ntenant: acme\ndomain: " + domain + "\nmode: enforce\nrules:\n"
           "  - { id: w, permit: write, in: [{ dir: /srv/" + domain + ", depth: all }], limits: { ttl: 1m, uses: 5 } }\n";
  }
  struct Ran {
    int status = 0;
    std::string out;
  };
  Ran Run(const std::string& command) {
    Ran ran;
    FILE* const pipe = popen(("cd " + dir_ + " && " + command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return {-1, "popen"};
    char buffer[4096];
    for (std::size_t got = 0; (got = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) ran.out.append(buffer, got);
    const int status = pclose(pipe);
    ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ran;
  }
  Ran Cli(const std::string& words) { return Run(PROOFGATE_BIN " canon " + words); }
  // Every file below a bundle's directory, by name.
  std::string Content(const std::string& bundle) { return Run("cd " + bundle + " && find . -type f | LC_ALL=C sort | xargs sha256sum").out; }

  std::string dir_;
  std::string keys_;
};

TEST_F(CanonCliTest, ABundleIsTheSameBytesWhereverAndWheneverItIsBuilt) {
  for (const char* domain : {"b", "a", "c"}) Put(std::string(domain) + ".yaml", Canon(domain));
  const std::string options = " --version 3 --tenant acme --expires 2027-01-31T00:00:00Z ";
  ASSERT_EQ(Cli("build --out one" + options + "a.yaml b.yaml c.yaml").status, 0);
  // Made in another order, at another time, elsewhere, by somebody with other habits.
  std::filesystem::create_directory(dir_ + "/elsewhere");
  for (const char* domain : {"c", "a", "b"}) {
    Put("elsewhere/" + std::string(domain) + ".yaml", Canon(domain));
    const timespec times[2] = {{1, 0}, {1, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, (dir_ + "/elsewhere/" + domain + ".yaml").c_str(), times, 0), 0);
  }
  ASSERT_EQ(Run("umask 077 && TZ=Pacific/Chatham LC_ALL=C.UTF-8 LANG=de_DE " PROOFGATE_BIN " canon build --out two" + options +
                "elsewhere/c.yaml elsewhere/b.yaml elsewhere/a.yaml").status, 0);
  EXPECT_EQ(Content("one"), Content("two"));
  ASSERT_EQ(Cli("build --out three --version 4 --tenant acme a.yaml b.yaml c.yaml").status, 0);
  EXPECT_NE(Content("one"), Content("three"));
}

TEST_F(CanonCliTest, ASigningStationNeedsOnlyOpenSsh) {
  Put("a.yaml", Canon("a"));
  Put("signers", keys_);
  ASSERT_EQ(Cli("build --out b --version 1 --tenant acme a.yaml").status, 0);
  EXPECT_NE(Cli("verify b --root root.json").out.find("THRESHOLD_NOT_MET"), std::string::npos);
  // alice by the three commands of docs/signing-station, bob by ours.
  EXPECT_EQ(Run("cd b && ssh-keygen -Y sign -n canon@proofgate -f ../alice manifest.json && mv manifest.json.sig alice.sig").status, 0);
  EXPECT_EQ(Cli("sign b --key bob --name bob").status, 0);
  for (const char* who : {"alice", "bob"})
    EXPECT_EQ(Run(std::string("cd b && ssh-keygen -Y verify -f ../signers -I ") + who + " -n canon@proofgate -s " + who + ".sig < manifest.json").status, 0);
  const Ran verified = Cli("verify b --root root.json");
  EXPECT_EQ(verified.status, 0) << verified.out;
  EXPECT_NE(verified.out.find("signed by alice, bob"), std::string::npos) << verified.out;
  // One byte, on either side.
  Put("b/files/a.yaml", Canon("a") + "#");
  EXPECT_NE(Cli("verify b --root root.json").out.find("FILE_MISMATCH"), std::string::npos);
  Put("b/files/a.yaml", Canon("a"));
  EXPECT_EQ(Cli("verify b --root root.json").status, 0);
  std::string manifest = *ReadFile(dir_ + "/b/manifest.json", 1 << 16);
  manifest[manifest.find("acme")] = 'A';
  Put("b/manifest.json", manifest);
  EXPECT_NE(Cli("verify b --root root.json").out.find("SIGNATURE_INVALID"), std::string::npos);
  EXPECT_NE(Run("cd b && ssh-keygen -Y verify -f ../signers -I alice -n canon@proofgate -s alice.sig < manifest.json").status, 0);
}

TEST_F(CanonCliTest, AKeyOfAnotherTypeIsRefusedByName) {
  Put("a.yaml", Canon("a"));
  ASSERT_EQ(Cli("build --out b --version 1 --tenant acme a.yaml").status, 0);
  for (const char* type : {"ecdsa", "rsa"}) {
    ASSERT_EQ(Run(std::string("ssh-keygen -q -t ") + type + (type[0] == 'e' ? " -b 384" : "") + " -N '' -f key-" + type).status, 0);
    ASSERT_EQ(Cli(std::string("sign b --key key-") + type + " --name other").status, 0);
    const Ran refused = Cli("verify b --root root.json");
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.out.find("KEY_TYPE"), std::string::npos) << refused.out;
    EXPECT_NE(refused.out.find(type), std::string::npos) << refused.out;
    std::filesystem::remove(dir_ + "/b/other.sig");
  }
}

}  // namespace
}  // namespace proofgate
