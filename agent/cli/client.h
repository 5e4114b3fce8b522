// Client: the CLI's side of the control socket.

#ifndef PROOFGATE_AGENT_CLI_CLIENT_H_
#define PROOFGATE_AGENT_CLI_CLIENT_H_

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace proofgate::cli {

// Exit codes, the same for every command.
enum ExitCode : int {
  kDone = 0,
  kRefused = 1,      // by policy, or the input is invalid
  kUsage = 2,
  kCannotEnforce = 3,
  kNoDaemon = 4,
};

struct Reply {
  int exit_code = kDone;
  json::Value result;   // when kDone
  std::string message;  // otherwise
  json::Value data;     // what the daemon adds to a failure
};

// One call. kNoDaemon when nobody answers.
Reply Call(const std::string& method, json::Object params = {});

// The same at the door for approvers, and at the one for governed processes.
Reply CallApprovers(const std::string& method, json::Object params = {});
Reply CallGoverned(const std::string& socket, const std::string& method, json::Object params = {});

// Prints the failure (as JSON when asked) and returns its exit code.
int Complain(const Reply& reply, bool as_json);
int Complain(const Error& error, bool as_json, int exit_code = kRefused);

void PrintJson(const json::Value& value);

}  // namespace proofgate::cli

#endif  // PROOFGATE_AGENT_CLI_CLIENT_H_
