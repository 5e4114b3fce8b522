#include "agent/describe.h"

#include "agent/control.h"
#include "agent/paths.h"
#include "agent/session_methods.h"

namespace proofgate::agent {
namespace {

Result<json::Value> Describe(const MethodTable& methods, Agent& agent) {
  json::Object out;
  for (const auto& [name, method] : methods) {
    std::vector<Parameter> asked;
    Parameters params(asked);
    const Caller nobody;
    json::Object error_data;
    Call call{agent, params, nobody, error_data};
    if (method(call) || !params.is_done())
      return Fail(Code::kCorrupt, name + ": ends before it has read its parameters");
    json::Array list;
    for (const Parameter& one : asked) {
      json::Object parameter{{"name", one.name}, {"type", one.type}, {"needed", one.is_needed}};
      if (!one.choices.empty()) {
        json::Array choices;
        for (const std::string& choice : one.choices) choices.emplace_back(choice);
        parameter["choices"] = std::move(choices);
      }
      list.emplace_back(std::move(parameter));
    }
    out[name] = std::move(list);
  }
  return json::Value(std::move(out));
}

}  // namespace

Result<json::Value> DescribeDoors(Agent& agent) {
  json::Object doors;
  const auto add = [&](const char* name, const char* socket, std::size_t most_bytes, const MethodTable& methods) -> Status {
    doors[name] = json::Object{{"socket", socket}, {"most_bytes", json::Integer(most_bytes)},
                               {"methods", TRY(Describe(methods, agent))}};
    return {};
  };
  TRY(add("operators", kControlSocket, kMaxMessageBytes, OperatorMethods()));
  TRY(add("governed", kSessionSocket, kMaxNarrowMessageBytes, GovernedMethods()));
  TRY(add("approvers", kApproveSocket, kMaxNarrowMessageBytes, ApproverMethods()));
  return json::Value(json::Object{{"format", 1}, {"doors", std::move(doors)}});
}

}  // namespace proofgate::agent
