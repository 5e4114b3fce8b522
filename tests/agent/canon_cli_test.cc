// The canon commands as people run them: no daemon, stock OpenSSH.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

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

// Of processor time and memory, so that a busy machine makes no difference; builds
// without optimization get more of the first.
TEST_F(CanonCliTest, HostileFilesAreRefusedWithinASecondAnd256MiB) {
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
  constexpr double kSlower = 10;
#elif !defined(__OPTIMIZE__)
  constexpr double kSlower = 2.5;
#else
  constexpr double kSlower = 1;
#endif
  const std::string head = "format: 1\ntenant: t\ndomain: d\nmode: enforce\n";
  const std::size_t room = (2u << 20) - head.size() - 200;
  const auto times = [](const std::string& what, std::size_t bytes) {
    std::string out;
    for (std::size_t i = 0; out.size() + what.size() + 8 < bytes; ++i) {
      std::string one = what;
      if (const std::size_t at = one.find('#'); at != std::string::npos) one.replace(at, 1, std::to_string(i));
      out += one;
    }
    return out;
  };
  std::string steps;
  for (int i = 0; i < 10'000; ++i) steps += std::string(static_cast<std::size_t>(i), ' ').substr(0, 150) + "a:\n";
  const std::pair<const char*, std::string> files[] = {
      {"64 MiB", std::string(64u << 20, 'a')},
      {"64 MiB of lines", std::string(32u << 20, 'a') + "\n" + std::string(32u << 20, '\n')},
      {"10,000 deep, flow", head + "rules: " + std::string(10'000, '[')},
      {"10,000 deep, both", head + "rules: " + times("[{a: ", 50'000)},
      {"10,000 deep, block", head + steps},
      {"as many keys as fit", head + times("k#: 1\n", room)},
      {"as many rules as fit, all wrong", head + "rules:\n" + times("  - { id: r#, permit: wrte, in: [{ dir: x }] }\n", room)},
      {"as many rules as fit, all overlapping", head + "rules:\n  - { id: f, forbid: write, in: [{ dir: /, depth: all }] }\n" +
                                                    times("  - { id: r#, permit: write, in: [{ file: /a }], limits: { ttl: 1s, uses: 1 } }\n", room)},
      {"sets of sets of objects", head + "sets:\n  s: [" + times("{ file: /s/# }, ", room / 2) + "{ file: /s }]\nrules:\n" +
                                      times("  - { id: f#, forbid: write, in: [{ set: s }] }\n", room / 2)},
      {"one long word", head + "x: " + std::string(room, 'y') + "\n"},
      {"one long line of commas", head + "rules: [" + std::string(room, ',') + "]\n"},
      {"an anchor in itself", head + "rules: &a [*a, *a]\n"},
      {"a NUL", head + "x: a" + std::string(1, '\0') + "b\n"},
      {"a byte order mark", "\xef\xbb\xbf" + head + "rules: 1\n"},
      {"line ends of three kinds", "format: 1\r\ntenant: t\rdomain: d\nmode: enforce\n"},
      {"not UTF-8", head + "x: \xc3\x28\n"},
      {"half of a surrogate", head + "x: \xed\xa0\x80\n"},
      {"a name of Cyrillic letters", "format: 1\ntenant: t\ndomain: \xd0\xb0" "cme\nmode: enforce\n"},
      {"text that turns round", head + "rules: [] # \xe2\x80\xae\n"},
  };
  for (const auto& [name, text] : files) {
    std::ofstream(dir_ + "/hostile.yaml", std::ios::binary) << text;
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const int log = open((dir_ + "/log").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      dup2(log, 1);
      dup2(log, 2);
      execl(PROOFGATE_BIN, PROOFGATE_BIN, "canon", "check", (dir_ + "/hostile.yaml").c_str(), nullptr);
      _exit(127);
    }
    int status = 0;
    rusage use{};
    ASSERT_EQ(wait4(child, &status, 0, &use), child);
    const std::string log = ReadFile(dir_ + "/log", 1 << 20).value_or("");
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << name << ": " << status << " " << log.substr(0, 300);
    EXPECT_NE(log.find("hostile.yaml"), std::string::npos) << name << ": " << log.substr(0, 300);
    const double seconds = static_cast<double>(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                           static_cast<double>(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
    EXPECT_LT(seconds, kSlower) << name;
    EXPECT_LT(use.ru_maxrss, (kSlower > 5 ? 5 : 1) * (256 << 10)) << name;
  }
}

}  // namespace
}  // namespace proofgate
