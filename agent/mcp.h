// Mcp: a Model Context Protocol server for governed agents, as a function from
// message to message. modelcontextprotocol.io, revision 2025-11-25, stdio.
//
// It holds no rights of its own: each tool is one call to the door for governed
// processes, made by the process that speaks here. One thread.

#ifndef PROOFGATE_AGENT_MCP_H_
#define PROOFGATE_AGENT_MCP_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace proofgate::agent {

class Mcp {
 public:
  // One call to the daemon. The error's message is what it said; `data` what it added.
  using Ask = std::function<Result<json::Value>(const std::string& method, json::Object params, json::Value& data)>;
  explicit Mcp(Ask ask) : ask_(std::move(ask)) {}

  // One line in; the answer (without the line feed), or nothing for what asks
  // for none. Never fails: what is wrong with the message is in the answer.
  std::optional<std::string> Answer(std::string_view line);

 private:
  json::Value CallTool(const json::Value& params, std::string& wrong);

  const Ask ask_;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_MCP_H_
