// Call: one message to a socket of the daemon, taken apart. JSON-RPC 2.0.

#ifndef PROOFGATE_AGENT_CALL_H_
#define PROOFGATE_AGENT_CALL_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace proofgate::agent {

class Agent;

// The parameters of one call. What is not asked for is an error.
class Parameters {
 public:
  explicit Parameters(const json::Value& params) : params_(params) {}

  Result<std::string> Text(const char* name) {
    known_.insert(name);
    return json::GetBytes(params_, name);
  }
  Result<std::string> TextOr(const char* name, std::string otherwise) {
    known_.insert(name);
    if (params_.Find(name) == nullptr) return otherwise;
    return json::GetBytes(params_, name);
  }
  Result<std::uint64_t> Number(const char* name) {
    known_.insert(name);
    return json::GetInteger(params_, name);
  }
  Result<std::optional<std::uint64_t>> NumberIfAny(const char* name) {
    known_.insert(name);
    if (params_.Find(name) == nullptr) return std::optional<std::uint64_t>();
    return std::optional<std::uint64_t>(TRY(json::GetInteger(params_, name)));
  }
  Result<bool> Flag(const char* name) {
    known_.insert(name);
    const json::Value* const value = params_.Find(name);
    if (value == nullptr) return false;
    if (!value->is_bool()) return Fail(Code::kInvalid, std::string(name) + ": true or false expected");
    return value->boolean();
  }
  // The member as it is, or nullptr.
  const json::Value* Any(const char* name) {
    known_.insert(name);
    return params_.Find(name);
  }
  // Call after all others.
  Status Done() const {
    if (!params_.is_object()) return Fail(Code::kInvalid, "params: an object expected");
    for (const auto& [name, value] : params_.object())
      if (!known_.contains(name)) return Fail(Code::kInvalid, "unknown parameter " + name);
    return {};
  }

 private:
  const json::Value& params_;
  std::set<std::string> known_;
};

// Who calls, as the kernel says; never as the message says.
struct Caller {
  std::string principal;        // "uid:1000"
  std::uint64_t uid = 0;
  std::string domain;           // of the governed cgroup it is in, or empty
  std::string cgroup;
  std::uint64_t cgroup_id = 0;
  std::optional<int> pid;       // of a governed process
};

struct Call {
  Agent& agent;
  Parameters& params;
  const Caller& caller;
  json::Object& error_data;
};

using Method = std::function<Result<json::Object>(Call&)>;
using MethodTable = std::map<std::string, Method, std::less<>>;

// One message in, its answer out (without the line feed). Never fails: what is
// wrong with the message is in the answer.
std::string AnswerFrom(const MethodTable& methods, Agent& agent, std::string_view message,
                       const Caller& caller);

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_CALL_H_
