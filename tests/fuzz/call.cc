// AnswerFrom: any bytes at a door are answered by one line of JSON, whatever they
// are, and a method sees the parameters that it asks for and no others.

#include "agent/call.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const agent::MethodTable methods = {
      {"all", [](agent::Call& call) -> Result<json::Object> {
         const std::string text = TRY(call.params.TextOr("text", ""));
         const auto number = TRY(call.params.NumberIfAny("number"));
         const bool flag = TRY(call.params.Flag("flag"));
         const json::Value* const any = call.params.Any("any");
         TRY(call.params.Done());
         json::Object out{{"text", json::Bytes(text)}, {"flag", flag}, {"any", any != nullptr}};
         if (number) out["number"] = json::Integer(*number);
         return out;
       }},
      {"none", [](agent::Call& call) -> Result<json::Object> {
         TRY(call.params.Done());
         return json::Object{};
       }}};
  alignas(64) static char nobody[64];  // no method above asks the agent anything
  const std::string answer = agent::AnswerFrom(methods, reinterpret_cast<agent::Agent&>(nobody), AsText(data, size), {});
  const auto read = json::Parse(answer);
  Holds(read && answer.find('\n') == std::string::npos);
  Holds((read->Find("result") != nullptr) != (read->Find("error") != nullptr));
  return 0;
}
