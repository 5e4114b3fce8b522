#include "policy/object.h"

#include <gtest/gtest.h>

#include <random>

namespace proofgate::policy {
namespace {

Object Path(Form form, const char* path) {
  Object object;
  object.form = form;
  object.path = path;
  return object;
}

TEST(Object, ContainmentOfPathsIsByComponent) {
  const Object tree = Path(Form::kTree, "/srv/demo");
  EXPECT_TRUE(Contains(tree, Path(Form::kFile, "/srv/demo/a/b")));
  EXPECT_TRUE(Contains(tree, Path(Form::kTree, "/srv/demo")));
  EXPECT_TRUE(Contains(tree, Path(Form::kDir, "/srv/demo/a")));
  EXPECT_FALSE(Contains(tree, Path(Form::kFile, "/srv/demo")));
  EXPECT_FALSE(Contains(tree, Path(Form::kFile, "/srv/demo2")));
  EXPECT_FALSE(Contains(tree, Path(Form::kTree, "/srv")));
  const Object dir = Path(Form::kDir, "/srv/demo");
  EXPECT_TRUE(Contains(dir, Path(Form::kFile, "/srv/demo/a")));
  EXPECT_FALSE(Contains(dir, Path(Form::kFile, "/srv/demo/a/b")));
  EXPECT_FALSE(Contains(dir, Path(Form::kTree, "/srv/demo")));
  EXPECT_FALSE(Contains(dir, Path(Form::kDir, "/srv/demo/a")));
  EXPECT_TRUE(Contains(Path(Form::kTree, "/"), Path(Form::kFile, "/a")));
  EXPECT_TRUE(Contains(Path(Form::kDir, "/"), Path(Form::kFile, "/a")));
  EXPECT_FALSE(Contains(Path(Form::kDir, "/"), Path(Form::kFile, "/a/b")));
}

TEST(Object, AnAddressIsReadWhole) {
  for (const std::string_view text :
       {std::string_view("10.0.0.0\0/8", 11), std::string_view("10.0.0.0/8\0", 11), std::string_view("0.0.0.0/-0"),
        std::string_view("0.0.0.0/+0"), std::string_view("0.0.0.0/00"), std::string_view("0.0.0.0/"),
        std::string_view("0.0.0.0/ 0"), std::string_view("10.0.0.0/8/8"), std::string_view("010.0.0.0/8")})
    EXPECT_FALSE(ParseCidr(text)) << EscapeForPeople(text);
}

// The gate turns v4-mapped addresses into IPv4 before it looks.
TEST(Object, AV4MappedBlockIsRefusedForItWouldMatchNothing) {
  EXPECT_FALSE(ParseCidr("::ffff:10.0.0.1/128"));
  EXPECT_FALSE(ParseCidr("::ffff:0:0/96"));
  EXPECT_TRUE(ParseCidr("::ffff:1:0:0/96"));
  EXPECT_TRUE(ParseCidr("::/0"));
  EXPECT_TRUE(ParseCidr("::1/128"));
}

// Every act on a small universe of files, by brute force.
TEST(Object, ContainmentAndOverlapAgreeWithBruteForce) {
  const std::vector<std::string> paths = {"/a", "/a/a", "/a/b", "/a/a/a", "/a/a/b", "/a/b/a", "/b", "/b/a", "/ab"};
  const auto acts_on = [](const Object& object, const std::string& file) {
    switch (object.form) {
      case Form::kFile: return file == object.path;
      case Form::kDir: return file.substr(0, file.rfind('/')) == object.path;
      default: return file.size() > object.path.size() && file.compare(0, object.path.size() + 1, object.path + "/") == 0;
    }
  };
  // One level deeper than any object, so that every tree has acts of its own.
  std::vector<std::string> universe = paths;
  for (const std::string& path : paths)
    for (const char* leaf : {"/a", "/b", "/zz", "/zz/zz"}) universe.push_back(path + leaf);
  int contained = 0;
  for (const Form form_a : {Form::kFile, Form::kDir, Form::kTree})
    for (const Form form_b : {Form::kFile, Form::kDir, Form::kTree})
      for (const std::string& path_a : paths)
        for (const std::string& path_b : paths) {
          const Object a = Path(form_a, path_a.c_str());
          const Object b = Path(form_b, path_b.c_str());
          bool all = true;
          bool some = false;
          for (const std::string& file : universe) {
            if (!acts_on(b, file)) continue;
            all = all && acts_on(a, file);
            some = some || acts_on(a, file);
          }
          if (Contains(a, b)) {
            EXPECT_TRUE(all) << Describe(a) << " " << Describe(b);
            ++contained;
          }
          if (some) {
            EXPECT_TRUE(Overlaps(a, b)) << Describe(a) << " " << Describe(b);
          }
          EXPECT_EQ(Overlaps(a, b), Overlaps(b, a));
        }
  EXPECT_GT(contained, 50);
}

TEST(Object, ContainmentOfAddressesIsByPrefixPortAndProtocol) {
  const auto net = [](const char* cidr, std::uint16_t port, Proto proto) {
    Object object;
    object.form = Form::kNet;
    object.net = *ParseCidr(cidr);
    object.net.port = port;
    object.net.proto = proto;
    return object;
  };
  const Object wide = net("10.0.0.0/8", 0, Proto::kAny);
  EXPECT_TRUE(Contains(wide, net("10.1.2.3/32", 443, Proto::kTcp)));
  EXPECT_FALSE(Contains(wide, net("11.0.0.0/32", 443, Proto::kTcp)));
  EXPECT_FALSE(Contains(wide, net("0.0.0.0/0", 0, Proto::kAny)));
  EXPECT_FALSE(Contains(wide, net("a00::/8", 0, Proto::kAny)));
  const Object narrow = net("10.0.0.0/8", 443, Proto::kTcp);
  EXPECT_FALSE(Contains(narrow, net("10.0.0.0/8", 0, Proto::kTcp)));
  EXPECT_FALSE(Contains(narrow, net("10.0.0.0/8", 443, Proto::kAny)));
  EXPECT_TRUE(Overlaps(narrow, net("10.2.0.0/16", 0, Proto::kAny)));
  EXPECT_FALSE(Overlaps(narrow, net("10.2.0.0/16", 80, Proto::kTcp)));
}

TEST(Object, ReadsBackItsJson) {
  for (const char* text : {R"({"file":"/a"})", R"({"dir":"/a"})", R"({"tree":"/a/b"})",
                           R"({"unix":"/run/x.sock"})", R"({"class":"pipe"})",
                           R"({"cidr":"::1/128","port":80,"proto":"tcp"})"}) {
    const auto object = ParseObjectJson(*json::Parse(text));
    ASSERT_TRUE(object) << text;
    EXPECT_EQ(json::Encode(ObjectJson(*object)), text);
  }
  for (const char* text : {R"({"file":"a"})", R"({"dir":"/a","x":1})", R"({"class":"x"})",
                           R"({"cidr":"10.0.0.0/8"})", R"({})", R"("x")",
                           R"({"cidr":"10.0.0.0/8","port":70000,"proto":"tcp"})"}) {
    EXPECT_FALSE(ParseObjectJson(*json::Parse(text))) << text;
  }
}

TEST(Object, EscapesWhatPeopleCannotSee) {
  EXPECT_EQ(EscapeForPeople("a\x1b[31m\xe2\x80\xae"), "a\\x1b[31m\\xe2\\x80\\xae");
}

}  // namespace
}  // namespace proofgate::policy
