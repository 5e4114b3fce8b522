#include "base/json.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace proofgate::json {
namespace {

TEST(Json, SortsKeysAndLeavesOutSpace) {
  const Value value(Object{{"b", 2}, {"a", Array{Value(true), Value("x")}}});
  EXPECT_EQ(Encode(value), R"({"a":[true,"x"],"b":2})");
}

TEST(Json, ReadsBackWhatItWrote) {
  const Value value(Object{{"n", Integer(1)},
                           {"big", Integer(18446744073709551615u)},
                           {"raw", Bytes(std::string("\x00\xff", 2))},
                           {"text", Bytes("plain \"quoted\" \\ text")},
                           {"list", Array{Value(-5), Value(Object{})}}});
  const auto parsed = Parse(Encode(value));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(*parsed, value);
  EXPECT_EQ(*GetInteger(*parsed, "big"), 18446744073709551615u);
  EXPECT_EQ(*GetBytes(*parsed, "raw"), std::string("\x00\xff", 2));
  EXPECT_EQ(*GetBytes(*parsed, "text"), "plain \"quoted\" \\ text");
}

TEST(Json, RefusesWhatIsNotCanonical) {
  for (const char* text :
       {"", " {}", "{} ", "{}x", R"({"b":1,"a":2})", R"({"a":1,"a":1})", R"({"a": 1})", "1.0",
        "1e3", "01", "-0", "null", "nul", "9007199254740992", R"("\u0041")", "\"\x7f\"", "\"\n\"",
        "[1,]", "[1", "{\"a\"}", "\"a", "tru", "[1 ,2]"}) {
    EXPECT_FALSE(Parse(text)) << text;
  }
  EXPECT_TRUE(Parse("9007199254740991"));
  EXPECT_TRUE(Parse("-9007199254740991"));
}

TEST(Json, BoundsDepth) {
  EXPECT_TRUE(Parse(std::string(32, '[') + std::string(32, ']')));
  EXPECT_FALSE(Parse(std::string(34, '[') + std::string(34, ']')));
  EXPECT_FALSE(Parse(std::string(1 << 20, '[')));
}

TEST(Json, AcceptsPeoplesTextWhenLenient) {
  const auto value = ParseLenient(" { \"b\" : \"\\u00e9\\ud83d\\ude00\" , \"a\" : [ ] }\n");
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(value->Find("b")->string(), "\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_FALSE(ParseLenient(R"({"a":1,"a":2})"));
  EXPECT_FALSE(ParseLenient(R"("\ud800")"));
  EXPECT_FALSE(ParseLenient(R"({"a":1.5})"));
  EXPECT_FALSE(ParseLenient(R"({"a":null})"));
}

TEST(Json, LenientKeysAreAsciiAndStringsAreUtf8) {
  EXPECT_FALSE(ParseLenient("{\"\\u00e9\":1}"));
  EXPECT_FALSE(ParseLenient("{\"\xc3\xa9\":1}"));
  EXPECT_EQ(ParseLenient("\"\xc3\xa9\"")->string(), "\xc3\xa9");
  EXPECT_EQ(ParseLenient("\"\xf4\x8f\xbf\xbf\"")->string(), "\xf4\x8f\xbf\xbf");
  // Lone and missing continuations, overlong forms, a surrogate, beyond U+10FFFF.
  for (const char* text : {"\"\x80\"", "\"\xc3\"", "\"\xc3(\"", "\"\xc0\xaf\"", "\"\xe0\x80\xaf\"",
                           "\"\xf0\x80\x80\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
                           "\"\xff\"", "\"\xe2\x82", "\"\xe2\x82\""})
    EXPECT_FALSE(ParseLenient(text)) << text;
}

TEST(Json, WhatIsParsedLenientlyIsEncodableOnlyWithoutForeignText) {
  EXPECT_TRUE(IsEncodable(*ParseLenient("{ \"b\": \"x\", \"a\": [ 1, true ] }")));
  EXPECT_EQ(Encode(*ParseLenient("{ \"b\": \"\\u0041\", \"a\": [] }")), R"({"a":[],"b":"A"})");
  for (const char* text : {R"("\u0000")", R"("\n")", R"(["\u007f"])", R"({"a":{"b":"\u00e9"}})"})
    EXPECT_FALSE(IsEncodable(*ParseLenient(text))) << text;
  EXPECT_FALSE(IsEncodable(Value(Object{{"\n", 1}})));
  EXPECT_FALSE(IsEncodable(Value(std::int64_t{1} << 53)));
}

TEST(Json, PrettyEscapesWhatPeopleCannotSee) {
  const Value value(Object{{"a", Array{}},
                           {"b", Value("\"\\ \n\x7f\xc3\xa9\xe2\x80\xae\xf0\x9f\x98\x80")},
                           {"c", Array{Value(1), Value(false)}}});
  const std::string text = Pretty(value);
  EXPECT_EQ(text,
            "{\n  \"a\": [],\n  \"b\": \"\\\"\\\\ \\u000a\\u007f\\u00e9\\u202e\\ud83d\\ude00\",\n"
            "  \"c\": [\n    1,\n    false\n  ]\n}\n");
  EXPECT_EQ(*ParseLenient(text), value);
  EXPECT_EQ(Pretty(Value("\xff\xc3")), "\"\\u00ff\\u00c3\"\n");
  EXPECT_EQ(Pretty(Value(Object{{"\x01", 1}})), "{\n  \"\\u0001\": 1\n}\n");
}

TEST(Json, RefusesASecondFormOfANumberOrOfBytes) {
  EXPECT_FALSE(GetInteger(*Parse(R"({"n":"5"})"), "n"));
  EXPECT_FALSE(GetInteger(*Parse(R"({"n":"18446744073709551616"})"), "n"));
  EXPECT_FALSE(GetInteger(*Parse(R"({"n":-1})"), "n"));
  EXPECT_FALSE(GetBytes(*Parse(R"({"b":{"b64":"YQ=="}})"), "b"));
}

TEST(Bytes, EncodeAndDecode) {
  EXPECT_EQ(Hex("\x01\xab"), "01ab");
  EXPECT_EQ(*ParseHex("01ab"), "\x01\xab");
  EXPECT_FALSE(ParseHex("0"));
  EXPECT_FALSE(ParseHex("0G"));
  for (const char* text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"})
    EXPECT_EQ(*ParseBase64(Base64(text)), text);
  EXPECT_FALSE(ParseBase64("Zg=a"));
  EXPECT_FALSE(ParseBase64("Zh=="));
  EXPECT_EQ(Hex(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256({"a", "bc"}), Sha256("abc"));
}

}  // namespace
}  // namespace proofgate::json
