#include "policy/learn.h"

#include <gtest/gtest.h>

#include "policy/authority.h"
#include "policy/parse.h"

namespace proofgate::policy {
namespace {

Observed Saw(Kind kind, const std::string& text) {
  return {kind, *ReadObjectText(kind, text)};
}

TEST(Learn, FoldsFilesIntoDirectoriesAndTreesWithTheEvidence) {
  std::vector<Observed> observed;
  for (const char* path : {"/srv/out/a", "/srv/out/b", "/srv/out/c", "/srv/out/a", "/srv/log/x", "/etc/motd",
                           "/var/lib/app/1/s", "/var/lib/app/2/s", "/var/lib/app/3/s"})
    observed.push_back(Saw(Kind::kWrite, path));
  const std::string text = Learn("acme", "d", observed);
  const auto has = [&](const char* line) { return text.find(line) != std::string::npos; };
  EXPECT_TRUE(has("- { dir: \"/srv/out\" }  # 4 times, 3 objects\n")) << text;
  EXPECT_TRUE(has("- { file: \"/srv/log/x\" }  # 1 times, 1 object\n")) << text;
  EXPECT_TRUE(has("- { file: \"/etc/motd\" }  # 1 times, 1 object\n")) << text;
  EXPECT_TRUE(has("- { dir: \"/var/lib/app\", depth: all }  # 3 times, 3 objects\n")) << text;
}

TEST(Learn, FoldsAddressesIntoPrefixes) {
  std::vector<Observed> observed;
  for (int host = 1; host <= 5; ++host) observed.push_back(Saw(Kind::kConnect, "tcp:10.1.2." + std::to_string(host) + ":443"));
  observed.push_back(Saw(Kind::kConnect, "tcp:[fd00::1]:80"));
  const std::string text = Learn("acme", "d", observed);
  EXPECT_NE(text.find("- { cidr: \"10.1.2.0/24\", port: 443, proto: tcp }  # 5 times, 5 objects\n"), std::string::npos) << text;
  EXPECT_NE(text.find("- { cidr: \"fd00::1/128\", port: 80, proto: tcp }  # 1 times, 1 object\n"), std::string::npos) << text;
}

TEST(Learn, NeverFoldsIntoTheTopOfTheFileSystem) {
  std::vector<Observed> observed;
  for (const char* path : {"/etc/a", "/etc/b", "/etc/c", "/etc/d", "/opt/a/x", "/srv/b/x", "/home/c/x", "/x", "/y", "/z"})
    observed.push_back(Saw(Kind::kWrite, path));
  const std::string text = Learn("acme", "d", observed);
  EXPECT_EQ(text.find("dir: \"/\""), std::string::npos) << text;
  EXPECT_EQ(text.find("dir: \"/etc\""), std::string::npos) << text;
}

TEST(Learn, WhatItProposesIsACanonThatPermitsWhatWasSeen) {
  std::vector<Observed> observed;
  for (int i = 0; i < 40; ++i) {
    observed.push_back(Saw(Kind::kWrite, "/srv/d" + std::to_string(i % 7) + "/e" + std::to_string(i % 3) + "/f \"" + std::to_string(i)));
    observed.push_back(Saw(Kind::kConnect, "udp:192.168." + std::to_string(i % 2) + "." + std::to_string(i) + ":53"));
    observed.push_back(Saw(Kind::kExec, "/opt/tools/t" + std::to_string(i % 4)));
  }
  observed.push_back(Saw(Kind::kConnect, "unix:/run/app.sock"));
  observed.push_back(Saw(Kind::kCapability, "net_raw"));
  const ParsedCanon parsed = ParseCanon(Learn("acme", "d", observed), "learned");
  for (const Diagnostic& one : parsed.diagnostics) ADD_FAILURE() << Render(one);
  ASSERT_EQ(parsed.canons.size(), 1u);
  const Authority authority(parsed.canons[0]);
  for (const Observed& one : observed)
    EXPECT_EQ(authority.At(one.kind, one.act).verdict(), Verdict::kPermitted) << Describe(one.act);
  EXPECT_EQ(authority.At(Kind::kWrite, *ReadObjectText(Kind::kWrite, "/etc/passwd")).verdict(), Verdict::kNotPermitted);
  EXPECT_EQ(Learn("acme", "d", {}), "");
}

}  // namespace
}  // namespace proofgate::policy
