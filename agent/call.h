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
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace proofgate::agent {

class Agent;

// One parameter, as a method asks for it.
struct Parameter {
  std::string name;
  std::string type;  // text, number, flag or json
  bool is_needed = false;
  std::vector<std::string> choices = {};  // of a text
};

// The parameters of one call. What is not asked for is an error.
class Parameters {
 public:
  explicit Parameters(const json::Value& params) : params_(&params) {}
  // Notes in `asked` what is asked for, gives nothing, and stops the call at Done:
  // how a method is described.
  explicit Parameters(std::vector<Parameter>& asked) : asked_(&asked) {}

  Result<std::string> Text(const char* name) {
    if (Note({name, "text", true})) return std::string();
    return json::GetBytes(*params_, name);
  }
  Result<std::string> TextOr(const char* name, std::string otherwise) {
    if (Note({name, "text", false}) || params_->Find(name) == nullptr) return otherwise;
    return json::GetBytes(*params_, name);
  }
  Result<std::optional<std::string>> TextIfAny(const char* name) {
    if (Note({name, "text", false}) || params_->Find(name) == nullptr) return std::optional<std::string>();
    return std::optional<std::string>(TRY(json::GetBytes(*params_, name)));
  }
  // One of these words.
  Result<std::string> OneOf(const char* name, const std::vector<std::string>& choices) {
    if (Note({name, "text", true, choices})) return choices.front();
    std::string given = TRY(json::GetBytes(*params_, name));
    std::string expected;
    for (const std::string& choice : choices) {
      if (given == choice) return given;
      expected += (expected.empty() ? "" : " or ") + choice;
    }
    return Fail(Code::kInvalid, std::string(name) + ": " + expected + " expected");
  }
  Result<std::uint64_t> Number(const char* name) {
    if (Note({name, "number", true})) return std::uint64_t{0};
    return json::GetInteger(*params_, name);
  }
  Result<std::optional<std::uint64_t>> NumberIfAny(const char* name) {
    if (Note({name, "number", false}) || params_->Find(name) == nullptr) return std::optional<std::uint64_t>();
    return std::optional<std::uint64_t>(TRY(json::GetInteger(*params_, name)));
  }
  Result<bool> Flag(const char* name) {
    if (Note({name, "flag", false})) return false;
    const json::Value* const value = params_->Find(name);
    if (value == nullptr) return false;
    if (!value->is_bool()) return Fail(Code::kInvalid, std::string(name) + ": true or false expected");
    return value->boolean();
  }
  // The member as it is, or nullptr.
  const json::Value* Any(const char* name) {
    return Note({name, "json", false}) ? nullptr : params_->Find(name);
  }
  // The member as it is. kInvalid: there is none.
  Result<json::Value> Needed(const char* name) {
    if (Note({name, "json", true})) return json::Value();
    const json::Value* const value = params_->Find(name);
    if (value == nullptr) return Fail(Code::kInvalid, std::string("member '") + name + "' is missing");
    return *value;
  }
  // Call after all others, and before anything is done.
  Status Done() {
    is_done_ = true;
    if (asked_ != nullptr) return Fail(Code::kInvalid, "described");
    if (!params_->is_object()) return Fail(Code::kInvalid, "params: an object expected");
    for (const auto& [name, value] : params_->object())
      if (!known_.contains(name)) return Fail(Code::kInvalid, "unknown parameter " + name);
    return {};
  }
  bool is_done() const { return is_done_; }

 private:
  bool Note(Parameter parameter) {  // whether the call is being described
    known_.insert(parameter.name);
    if (asked_ != nullptr) asked_->push_back(std::move(parameter));
    return asked_ != nullptr;
  }

  const json::Value* params_ = nullptr;
  std::vector<Parameter>* asked_ = nullptr;
  std::set<std::string> known_;
  bool is_done_ = false;
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
