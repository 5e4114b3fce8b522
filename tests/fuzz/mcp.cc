// Mcp::Answer on any line: it answers in one line of JSON or not at all, and
// asks the daemon for nothing but its eight methods.

#include "agent/mcp.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  agent::Mcp mcp([](const std::string& method, json::Object params, json::Value&) -> Result<json::Value> {
    Holds(method == "rights" || method == "why" || method.starts_with("session."));
    Holds(json::IsEncodable(params));
    return json::Value(std::move(params));
  });
  const auto answer = mcp.Answer(AsText(data, size));
  if (!answer) return 0;
  Holds(answer->find('\n') == std::string::npos);
  const auto read = json::ParseLenient(*answer);
  Holds(read.has_value() && read->Find("jsonrpc") != nullptr);
  return 0;
}
