#include "policy/receipt.h"

#include <gtest/gtest.h>

namespace proofgate::policy {
namespace {

Receipt Example() {
  Receipt receipt;
  receipt.tenant = "example";
  receipt.domain = "demo";
  receipt.host = "0123";
  receipt.boot_id = "4567";
  receipt.canon = std::string(64, 'a');
  receipt.rule = "demo.write";
  receipt.principal = "uid:0";
  receipt.kind = Kind::kWrite;
  receipt.objects.resize(1);
  receipt.objects[0].form = Form::kTree;
  receipt.objects[0].path = "/srv/demo";
  receipt.exe = "/usr/bin/git";
  receipt.sequence = 7;
  receipt.not_before_boot_ns = 1;
  receipt.expires_boot_ns = 18'000'000'000'000'000'000u;
  receipt.not_before_utc = "2026-11-24T00:00:00.000Z";
  receipt.expires_utc = "2026-11-24T00:01:00.000Z";
  receipt.uses = 3;
  return receipt;
}

// The bytes and the id of format 1 never change.
TEST(Receipt, HasTheFrozenForm) {
  const std::string bytes = EncodeReceipt(Example());
  EXPECT_EQ(bytes,
            R"({"boot_id":"4567","canon":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",)"
            R"("domain":"demo","except":[],"exe":"/usr/bin/git","expires_boot_ns":"18000000000000000000",)"
            R"("expires_utc":"2026-11-24T00:01:00.000Z","format":1,"host":"0123","kind":"write",)"
            R"("not_before_boot_ns":1,"not_before_utc":"2026-11-24T00:00:00.000Z",)"
            R"("objects":[{"tree":"/srv/demo"}],"principal":"uid:0","rule":"demo.write","sequence":7,)"
            R"("standing":false,"tenant":"example","uses":3})");
  EXPECT_EQ(ReceiptId(bytes), Hex(Sha256(bytes)));
}

TEST(Receipt, ReadsBackWhatItWrote) {
  const std::string bytes = EncodeReceipt(Example());
  const auto receipt = ParseReceipt(bytes);
  ASSERT_TRUE(receipt) << receipt.error().message;
  EXPECT_EQ(EncodeReceipt(*receipt), bytes);
  EXPECT_EQ(receipt->objects, Example().objects);
}

TEST(Receipt, RefusesEveryOtherForm) {
  const std::string bytes = EncodeReceipt(Example());
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_FALSE(ParseReceipt(bytes.substr(0, i)));
  EXPECT_FALSE(ParseReceipt(bytes + " "));
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string other = bytes;
    other.replace(other.find(from), from.size(), to);
    return ParseReceipt(other).has_value();
  };
  EXPECT_FALSE(changed("\"format\":1", "\"format\":2"));
  EXPECT_FALSE(changed("\"uses\":3", "\"uses\":0"));
  EXPECT_FALSE(changed("\"uses\":3", "\"uses\":3,\"x\":1"));
  EXPECT_FALSE(changed("\"standing\":false", "\"standing\":0"));
  EXPECT_FALSE(changed("\"write\"", "\"wrote\""));
  EXPECT_FALSE(changed("/usr/bin/git", "usr/bin/git"));
  EXPECT_FALSE(changed("[{\"tree\":\"/srv/demo\"}]", "[]"));
  EXPECT_TRUE(changed("\"uses\":3", "\"uses\":4"));
}

}  // namespace
}  // namespace proofgate::policy
