#include "agent/mcp.h"

#include <gtest/gtest.h>

#include <vector>

namespace proofgate::agent {
namespace {

class McpTest : public ::testing::Test {
 protected:
  json::Value Say(const std::string& line) {
    const auto answer = mcp_.Answer(line);
    EXPECT_TRUE(answer) << line;
    EXPECT_EQ(answer->find('\n'), std::string::npos) << "a message is one line";
    return *json::ParseLenient(*answer);
  }
  std::vector<std::pair<std::string, json::Object>> asked_;
  bool refuses_ = false;
  Mcp mcp_{[this](const std::string& method, json::Object params, json::Value& data) -> Result<json::Value> {
    asked_.emplace_back(method, std::move(params));
    if (!refuses_) return json::Value(json::Object{{"state", "executing"}, {"text", json::Bytes("two\nlines \xc3\xa4")}});
    data = json::Object{{"decision", "APPROVAL_MISSING"}};
    return Fail(Code::kDenied, "rule 'pub' needs 2 approvals");
  }};
};

TEST_F(McpTest, SpeaksTheRevisionThatIsAskedForOrTheNewest) {
  for (const auto& [asked, given] : std::vector<std::pair<std::string, std::string>>{
           {"2025-11-25", "2025-11-25"}, {"2025-06-18", "2025-06-18"}, {"1999-01-01", "2025-11-25"}}) {
    const json::Value answer = Say(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":")" + asked +
                                   R"(","capabilities":{},"clientInfo":{"name":"c","version":"1"}}})");
    EXPECT_EQ(answer.Find("result")->Find("protocolVersion")->string(), given);
    EXPECT_NE(answer.Find("result")->Find("capabilities")->Find("tools"), nullptr);
  }
  EXPECT_FALSE(mcp_.Answer(R"({"jsonrpc":"2.0","method":"notifications/initialized"})")) << "a notification has no answer";
}

TEST_F(McpTest, ListsToolsThatCallTheDoorForGovernedProcesses) {
  const json::Value tools = *Say(R"({"jsonrpc":"2.0","id":"a","method":"tools/list"})").Find("result")->Find("tools");
  ASSERT_EQ(tools.array().size(), 9u);
  for (const json::Value& tool : tools.array()) {
    EXPECT_EQ(tool.Find("inputSchema")->Find("type")->string(), "object");
    const json::Value answer = Say(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" +
                                   tool.Find("name")->string() + R"(","arguments":{}}})");
    EXPECT_EQ(*answer.Find("result")->Find("isError"), json::Value(false));
  }
  EXPECT_EQ(asked_.size(), 9u);
  EXPECT_EQ(asked_[0].first, "rights");
  EXPECT_EQ(asked_[8].first, "why");
}

TEST_F(McpTest, ARefusalIsAResultThatTheModelCanRead) {
  refuses_ = true;
  const json::Value answer = Say(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"next_step"}})");
  const json::Value& result = *answer.Find("result");
  EXPECT_EQ(*result.Find("isError"), json::Value(true));
  const std::string text = result.Find("content")->array()[0].Find("text")->string();
  EXPECT_NE(text.find("APPROVAL_MISSING"), std::string::npos);
  EXPECT_NE(text.find("needs 2 approvals"), std::string::npos);
}

TEST_F(McpTest, TakesAPlanAsJsonOrAsText) {
  for (const char* plans : {R"({"format":1,"plans":[]})", R"("{\"format\":1,\"plans\":[]}")"}) {
    Say(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"propose_plans","arguments":{"plans":)" + std::string(plans) + "}}}");
    const json::Value params(asked_.back().second);
    EXPECT_EQ(*json::ParseLenient(*json::GetBytes(params, "plans")), *json::ParseLenient(R"({"format":1,"plans":[]})"));
  }
}

TEST_F(McpTest, WhatIsNoRequestIsToldSo) {
  const auto code = [this](const std::string& line) { return Say(line).Find("error")->Find("code")->integer(); };
  EXPECT_EQ(code("no json"), -32700);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"a":null}})"), -32700);
  EXPECT_EQ(code(R"({"jsonrpc":"1.0","id":1,"method":"ping"})"), -32600);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":{},"method":"ping"})"), -32600);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"no/such"})"), -32601);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"approve"}})"), -32602);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"next_step","arguments":[]}})"), -32602);
  EXPECT_FALSE(mcp_.Answer(R"({"jsonrpc":"2.0","id":7,"result":{}})")) << "an answer to nothing";
  EXPECT_TRUE(asked_.empty());
}

}  // namespace
}  // namespace proofgate::agent
