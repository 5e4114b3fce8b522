#include "policy/binding.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "policy/parse.h"
#include "policy/pdp.h"
#include "policy/plan.h"
#include "policy/receipt.h"

namespace proofgate::policy {
namespace {

const std::string kDigest(64, 'a');

Binding Bind(Binding::Argv form, std::vector<std::string> argv, std::vector<std::string> words = {},
             std::string content = {}) {
  Binding binding;
  binding.argv_form = form;
  binding.argv = std::move(argv);
  for (const std::string& word : words) EXPECT_TRUE(AddEnvWord(word, binding)) << word;
  binding.content = std::move(content);
  return binding;
}

constexpr auto kExact = Binding::Argv::kExact;
constexpr auto kPrefix = Binding::Argv::kPrefix;
constexpr auto kFree = Binding::Argv::kFree;

TEST(Binding, ComesBackFromJsonWhateverItsBytes) {
  const Binding all = Bind(kPrefix, {"git", "", std::string("\xff\n", 2)}, {"clean", "APP_*", "MODE=safe"}, kDigest);
  json::Object to;
  AddBinding(all, to);
  const auto back = ReadBinding(json::Value(to));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, all);
  EXPECT_TRUE(IsBound(all));
  to.clear();
  AddBinding(Binding{}, to);
  EXPECT_TRUE(to.empty());  // what binds nothing leaves no trace: old ledgers read the same
  EXPECT_EQ(*ReadBinding(json::Value(json::Object{})), Binding{});
}

TEST(Binding, RefusesWhatTheGateCouldNotHold) {
  EXPECT_TRUE(CheckBinding(Bind(kExact, {std::string(4095, 'x')})));
  EXPECT_FALSE(CheckBinding(Bind(kExact, {std::string(4096, 'x')})));
  EXPECT_FALSE(CheckBinding(Bind(kExact, {})));
  EXPECT_FALSE(CheckBinding(Bind(kFree, {"x"})));
  EXPECT_FALSE(CheckBinding(Bind(kExact, {std::string("a\0b", 3)})));
  EXPECT_TRUE(CheckBinding(Bind(kFree, {}, {"A=" + std::string(253, 'x')})));
  EXPECT_FALSE(CheckBinding(Bind(kFree, {}, {"A=" + std::string(254, 'x')})));
  EXPECT_TRUE(CheckBinding(Bind(kFree, {}, {std::string(31, 'N')})));
  EXPECT_FALSE(CheckBinding(Bind(kFree, {}, {std::string(32, 'N')})));
  EXPECT_FALSE(CheckBinding(Bind(kFree, {}, {"A=1", "A=2"})));
  Binding many;
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(AddEnvWord("V" + std::to_string(i) + "=1", many));
  EXPECT_TRUE(CheckBinding(many));
  ASSERT_TRUE(AddEnvWord("V8=1", many));
  EXPECT_FALSE(CheckBinding(many));
  Binding names;
  for (int i = 0; i < 97; ++i) ASSERT_TRUE(AddEnvWord("N" + std::to_string(i), names));
  EXPECT_FALSE(CheckBinding(names));
  EXPECT_TRUE(CheckBinding(Bind(kFree, {}, {"clean"})));  // leaves room for the author's own
}

TEST(Binding, AWordNamesWhatMayNotBeThereOrWhatMust) {
  for (const char* wrong : {"", "1X", "A-B", "*", "A*B", "=x", "a b", "A**"}) {
    Binding binding;
    EXPECT_FALSE(AddEnvWord(wrong, binding)) << wrong;
    EXPECT_EQ(binding, Binding{});
  }
  const Binding binding = Bind(kFree, {}, {"LD_*", "ENV", "MODE=safe"});
  EXPECT_EQ(RefusedStarts(binding), (std::vector<std::string>{"ENV=", "LD_", "MODE="}));
  EXPECT_EQ(RequiredVariables(binding), std::vector<std::string>{"MODE=safe"});
  const auto clean = RefusedStarts(Bind(kFree, {}, {"clean"}));
  for (const char* start : {"LD_", "PYTHON", "BASH_ENV=", "ENV=", "PERL", "NODE_", "RUBY", "GLIBC_TUNABLES="})
    EXPECT_TRUE(std::binary_search(clean.begin(), clean.end(), start)) << start;
  EXPECT_FALSE(std::binary_search(clean.begin(), clean.end(), "PATH="));
}

TEST(Binding, ARequestNarrowsAndNeverWidens) {
  const auto narrowed = [](const Binding& rule, const Binding& asked) {
    const auto both = Narrowed(rule, asked);
    // Asking again for what was given gives it again: replay depends on it.
    if (both) {
      EXPECT_EQ(*Narrowed(rule, *both), *both);
    }
    return both.has_value();
  };
  const Binding free;
  const Binding status = Bind(kPrefix, {"git", "status"});
  EXPECT_TRUE(narrowed(free, status));
  EXPECT_TRUE(narrowed(status, free));
  EXPECT_EQ(*Narrowed(status, free), status);
  EXPECT_TRUE(narrowed(status, Bind(kExact, {"git", "status"})));
  EXPECT_TRUE(narrowed(status, Bind(kPrefix, {"git", "status", "-s"})));
  EXPECT_FALSE(narrowed(status, Bind(kPrefix, {"git"})));
  EXPECT_FALSE(narrowed(status, Bind(kExact, {"git", "push"})));
  EXPECT_FALSE(narrowed(Bind(kExact, {"git", "status"}), status));
  EXPECT_FALSE(narrowed(Bind(kExact, {"git"}), Bind(kExact, {"git", "status"})));
  EXPECT_TRUE(narrowed(Bind(kExact, {"git"}), Bind(kExact, {"git"})));

  const Binding clean = Bind(kFree, {}, {"clean", "PYTHONPATH=/opt"});
  EXPECT_TRUE(narrowed(clean, Bind(kFree, {}, {"APP_*", "MODE=safe"})));
  EXPECT_TRUE(narrowed(clean, Bind(kFree, {}, {"PYTHONPATH=/opt"})));
  EXPECT_FALSE(narrowed(clean, Bind(kFree, {}, {"PYTHONPATH=/tmp"})));
  EXPECT_FALSE(narrowed(clean, Bind(kFree, {}, {"LD_PRELOAD=/tmp/x"})));  // it would let it in
  EXPECT_FALSE(narrowed(Bind(kFree, {}, {"A=1"}), Bind(kFree, {}, {"A=2"})));

  const Binding pinned = Bind(kFree, {}, {}, kDigest);
  EXPECT_TRUE(narrowed(free, pinned));
  EXPECT_TRUE(narrowed(pinned, free));
  EXPECT_FALSE(narrowed(pinned, Bind(kFree, {}, {}, std::string(64, 'b'))));
}

std::string Canon(const std::string& binding, const std::string& kind = "permit: exec") {
  return "format: 1\ntenant: t\ndomain: d\nmode: enforce\nrules:\n  - id: r\n    " + kind +
         "\n    of: [{ file: /opt/tool }]\n    limits: { ttl: \"1m\", uses: 5 }\n" + binding;
}

TEST(Binding, IsOfPermitsOfExecInACanon) {
  const auto parsed = ParseCanon(Canon("    argv: { exact: [tool, \"\", -v] }\n    env: [clean, \"MODE=safe\"]\n    content: sha256:" + kDigest + "\n"), "c");
  ASSERT_TRUE(parsed.diagnostics.empty()) << Render(parsed.diagnostics.front());
  const Binding& binding = parsed.canons.at(0).rules.at(0).binding;
  EXPECT_EQ(binding, Bind(kExact, {"tool", "", "-v"}, {"clean", "MODE=safe"}, kDigest));
  const auto back = ParseCanonJson(CanonJson(parsed.canons.at(0)));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->rules.at(0).binding, binding);

  const std::pair<std::string, std::string> mistakes[] = {
      {Canon("    argv: [tool]\n"), "c:10:11: error: argv has the wrong type"},
      {Canon("    argv: { exact: [a], prefix: [a] }\n"), "argv names none or several"},
      {Canon("    argv: { exact: [] }\n"), "exact is empty"},
      {Canon("    argv: { exact: [" + std::string(4096, 'x') + "] }\n"), "argv: at most 4096 bytes expected"},
      {Canon("    env: [LD-PRELOAD]\n"), "c:10:11: error: variable 'LD-PRELOAD' is not a variable (expected clean, NAME, PREFIX* or NAME=value)"},
      {Canon("    env: [\"A=1\", \"A=2\"]\n"), "env: A=: one value expected, not two"},
      {Canon("    content: sha256:12\n"), "content 'sha256:12' is no digest (expected sha256: and 64 hexadecimal digits)"},
      {Canon("    env: clean\n", "permit: load"), "env is for permits of exec"},
  };
  for (const auto& [text, message] : mistakes) {
    const auto wrong = ParseCanon(text, "c").diagnostics;
    ASSERT_FALSE(wrong.empty()) << text;
    EXPECT_NE(Render(wrong.front()).find(message), std::string::npos) << Render(wrong.front());
  }
}

TEST(Binding, ThePdpDecidesOnIt) {
  const auto canon = ParseCanon(Canon("    argv: { prefix: [tool] }\n"), "c").canons.at(0);
  Request request;
  request.rule = "r";
  EXPECT_EQ(Decide(canon, request).binding, Bind(kPrefix, {"tool"}));
  request.binding = Bind(kExact, {"tool", "x"});
  EXPECT_EQ(Decide(canon, request).binding, request.binding);
  request.binding = Bind(kExact, {"other"});
  EXPECT_EQ(Decide(canon, request).code, DecisionCode::kNotPermitted);
  EXPECT_EQ(Decide(canon, request).reason, "arguments [other]: outside what rule 'r' binds");
  request.binding = Bind(kExact, {});
  EXPECT_EQ(Decide(canon, request).code, DecisionCode::kInvalidRequest);
  const auto load = ParseCanon(Canon("", "permit: load"), "c").canons.at(0);
  request.binding = Bind(kExact, {"tool"});
  EXPECT_EQ(Decide(load, request).code, DecisionCode::kInvalidRequest);
}

TEST(Binding, IsInTheReceiptAndThePlan) {
  Receipt receipt;
  receipt.objects.resize(1);
  receipt.objects[0].path = "/opt/tool";
  receipt.expires_boot_ns = receipt.uses = 1;
  receipt.binding = Bind(kExact, {"tool"}, {"LD_*"}, kDigest);
  const auto back = ParseReceipt(EncodeReceipt(receipt));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->binding, receipt.binding);
  receipt.kind = Kind::kLoad;
  EXPECT_FALSE(ParseReceipt(EncodeReceipt(receipt)));

  const std::string action = R"({"kind":"exec","object":{"file":"/opt/tool"},"argv":{"exact":["tool"]},"env":["LD_*"],"content":"sha256:)" + kDigest + "\"}";
  const auto plan = [](const std::string& one) { return R"({"format":1,"plans":[{"steps":[{"any":[)" + one + "]}]}]}"; };
  const auto plans = ParsePlans(plan(action));
  ASSERT_TRUE(plans) << plans.error().message;
  EXPECT_EQ(plans->plans[0].steps[0].any[0].binding, receipt.binding);
  EXPECT_EQ(ParsePlansJson(PlansJson(*plans))->plans[0].digest, plans->plans[0].digest);
  for (const char* wrong : {R"({"kind":"write","object":{"file":"/a"},"env":["LD_*"]})",
                            R"({"kind":"exec","object":{"file":"/a"},"argv":{"exact":["a"],"prefix":["a"]}})",
                            R"({"kind":"exec","object":{"file":"/a"},"argv":["a"]})"})
    EXPECT_FALSE(ParsePlans(plan(wrong))) << wrong;
}

}  // namespace
}  // namespace proofgate::policy
