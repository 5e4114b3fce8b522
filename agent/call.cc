#include "agent/call.h"

#include "policy/object.h"

namespace proofgate::agent {
namespace {

// JSON-RPC 2.0 section 5.1; below: our own.
constexpr int kParseError = -32700;
constexpr int kInvalidRequest = -32600;
constexpr int kNoSuchMethod = -32601;
constexpr int kFailed = -32000;

json::Value ErrorAnswer(const json::Value& id, int code, const std::string& message,
                        json::Object data = {}) {
  json::Object error{{"code", code}, {"message", json::Bytes(message)}, {"data", std::move(data)}};
  return json::Object{{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(error)}};
}

}  // namespace

std::string AnswerFrom(const MethodTable& methods, Agent& agent, std::string_view message,
                       const Caller& caller) {
  const auto request = json::ParseLenient(message);
  if (!request) return json::Encode(ErrorAnswer(0, kParseError, request.error().message));
  const json::Value* const id_member = request->Find("id");
  const json::Value id = id_member != nullptr && id_member->is_integer() ? *id_member : json::Value(0);
  const auto version = json::GetString(*request, "jsonrpc");
  const auto name = json::GetString(*request, "method");
  if (!version || *version != "2.0" || !name || id_member == nullptr)
    return json::Encode(ErrorAnswer(id, kInvalidRequest, "jsonrpc \"2.0\", id and method expected"));
  const auto method = methods.find(*name);
  if (method == methods.end())
    return json::Encode(ErrorAnswer(id, kNoSuchMethod, "no method " + policy::EscapeForPeople(*name)));
  const json::Value* const params_member = request->Find("params");
  const json::Value params_value = params_member == nullptr ? json::Value() : *params_member;
  Parameters params(params_value);
  json::Object error_data;
  Call call{agent, params, caller, error_data};
  auto result = method->second(call);
  if (!result) {
    error_data["code"] = CodeName(result.error().code);
    return json::Encode(ErrorAnswer(id, kFailed, result.error().message, std::move(error_data)));
  }
  return json::Encode(json::Object{{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(*result)}});
}

}  // namespace proofgate::agent
