#include "agent/resolve.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace proofgate::agent {
namespace {

using policy::Form;
using policy::Kind;

class ResolveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "resolve.XXXXXX";
    dir_ = std::filesystem::canonical(mkdtemp(pattern.data()));
    std::ofstream(dir_ + "/file") << "x";
    std::filesystem::create_directory(dir_ + "/dir");
    std::filesystem::create_symlink("/etc", dir_ + "/link");
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  policy::Object Parse(Kind kind, const std::string& text) {
    auto object = ParseObjectText(kind, text);
    EXPECT_TRUE(object) << text << ": " << (object ? "" : object.error().message);
    return object ? *object : policy::Object{};
  }
  std::string dir_;
};

TEST_F(ResolveTest, PathsAreTakenAsWhatTheyName) {
  EXPECT_EQ(Parse(Kind::kWrite, dir_ + "/file").form, Form::kFile);
  EXPECT_EQ(Parse(Kind::kWrite, dir_ + "/absent").form, Form::kFile);
  EXPECT_EQ(Parse(Kind::kWrite, dir_ + "/dir").form, Form::kTree);
  EXPECT_EQ(Parse(Kind::kWrite, dir_ + "/dir/").form, Form::kTree);
  EXPECT_EQ(Parse(Kind::kWrite, dir_ + "/dir/**").form, Form::kTree);
  EXPECT_EQ(Parse(Kind::kWrite, dir_ + "/dir/*").form, Form::kDir);
  EXPECT_EQ(Parse(Kind::kConnect, dir_ + "/file").form, Form::kUnix);
}

TEST_F(ResolveTest, SymbolicLinksAreResolvedBeforeAnyDecision) {
  EXPECT_EQ(Parse(Kind::kWrite, dir_ + "/link/passwd").path, "/etc/passwd");
}

TEST_F(ResolveTest, ALinkThatAGovernedProcessMayHaveMadeLeadsCanonNowhere) {
  std::filesystem::create_directory(dir_ + "/own");
  std::filesystem::create_symlink("../dir", dir_ + "/own/link");
  std::filesystem::create_symlink("own/link", dir_ + "/twice");
  EXPECT_EQ(*RealPathOfCanon(dir_ + "/own/link/x", Writers()), dir_ + "/dir/x");
  EXPECT_EQ(*RealPathOfCanon(dir_ + "/link/passwd", Writers()), "/etc/passwd");
  policy::Canon canon;
  canon.standing.resize(1);
  canon.standing[0].kind = Kind::kWrite;
  for (const Form form : {Form::kTree, Form::kDir, Form::kFile}) {
    policy::Object object;
    object.form = form;
    object.path = dir_ + (form == Form::kFile ? "/own/link" : "/own");
    canon.standing[0].objects = {object};
    const Writers writers({&canon});
    for (const char* path : {"/own/link", "/own/link/x", "/twice", "/own/../own/link"}) {
      const auto real = RealPathOfCanon(dir_ + path, writers);
      ASSERT_FALSE(real) << path << " is " << *real;
      EXPECT_EQ(real.error().code, Code::kDenied);
    }
    EXPECT_EQ(*RealPathOfCanon(dir_ + "/link/passwd", writers), "/etc/passwd") << "a link elsewhere";
    EXPECT_EQ(*RealPathOfCanon(dir_ + "/own/absent/x", writers), dir_ + "/own/absent/x");
  }
  std::filesystem::create_symlink("round", dir_ + "/round");
  EXPECT_EQ(RealPathOfCanon(dir_ + "/round", Writers()).error().code, Code::kInvalid);
  if (geteuid() != 0) return;  // only root can give a link away
  ASSERT_EQ(lchown((dir_ + "/link").c_str(), 65534, 65534), 0);
  EXPECT_EQ(RealPathOfCanon(dir_ + "/link/passwd", Writers()).error().code, Code::kDenied) << "another user's";
}

TEST_F(ResolveTest, AddressesWithAndWithoutPortAndProtocol) {
  const auto tcp = Parse(Kind::kConnect, "tcp:127.0.0.1:80").net;
  EXPECT_EQ(tcp.port, 80);
  EXPECT_EQ(tcp.prefix_bits, 32);
  EXPECT_EQ(tcp.proto, policy::Proto::kTcp);
  EXPECT_EQ(Parse(Kind::kConnect, "10.0.0.0/8").net.prefix_bits, 8);
  EXPECT_EQ(Parse(Kind::kConnect, "10.0.0.0/8:443").net.port, 443);
  EXPECT_TRUE(Parse(Kind::kConnect, "[::1]:80").net.is_v6);
  EXPECT_EQ(Parse(Kind::kConnect, "udp:[2001:db8::]/32").net.port, 0);
  EXPECT_EQ(Parse(Kind::kConnect, "::1").net.prefix_bits, 128);
}

TEST_F(ResolveTest, WhatIsNotAnObjectIsAnError) {
  for (const char* text : {"", "relative", "/a/../b", "/a//b", "/a/./b"})
    EXPECT_FALSE(ParseObjectText(Kind::kWrite, text)) << text;
  for (const char* text : {"", "host.example:80", "127.0.0.1:0", "127.0.0.1:65536", "[::1]80", "[::1", "10.0.0.1/8", "sctp:1.2.3.4"})
    EXPECT_FALSE(ParseObjectText(Kind::kConnect, text)) << text;
}

TEST_F(ResolveTest, AnAbsentFileIsANameInItsDirectory) {
  policy::Object object;
  object.path = dir_ + "/absent";
  const auto targets = ResolveObject(Kind::kWrite, object, {}, Missing::kRefuse);
  ASSERT_TRUE(targets) << targets.error().message;
  ASSERT_EQ(targets->size(), 1u);
  EXPECT_EQ(targets->front().form, FORM_NAMED);
  EXPECT_EQ(targets->front().name, "absent");
  object.path = dir_ + "/" + std::string(NAME_BYTES, 'x');
  EXPECT_FALSE(ResolveObject(Kind::kWrite, object, {}, Missing::kRefuse)) << "a name the gate cannot compare";
}

TEST_F(ResolveTest, ProgramsAreListedWithoutTheExceptedOnesAndTheirOtherNames) {
  std::filesystem::create_directory(dir_ + "/bin");
  for (const char* name : {"good", "deputy"}) std::ofstream(dir_ + "/bin/" + name) << name;
  std::filesystem::create_hard_link(dir_ + "/bin/deputy", dir_ + "/bin/alias");
  std::filesystem::create_symlink("good", dir_ + "/bin/symlink");
  policy::Object object;
  object.form = Form::kDir;
  object.path = dir_ + "/bin";
  const auto targets = ResolveObject(Kind::kExec, object, {"deputy"}, Missing::kRefuse);
  ASSERT_TRUE(targets) << targets.error().message;
  EXPECT_EQ(targets->size(), 1u);
}

TEST_F(ResolveTest, ProcIsNoPlaceForAGrant) {
  policy::Object object;
  object.path = "/proc/version";
  const auto targets = ResolveObject(Kind::kWrite, object, {}, Missing::kRefuse);
  ASSERT_FALSE(targets);
  EXPECT_EQ(targets.error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace proofgate::agent
