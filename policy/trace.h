// Trace: why an act was refused, in words a person can act on.

#ifndef PROOFGATE_POLICY_TRACE_H_
#define PROOFGATE_POLICY_TRACE_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "policy/pdp.h"

namespace proofgate::policy {

// The gate's codes by name, as in bpf/wire.h: "NO_RECEIPT", "EXPIRED", …
std::string_view GateCodeName(unsigned code);
// One sentence; for an unknown code it says that it is unknown.
std::string_view GateReason(std::string_view code);

struct Denial {
  std::string domain;
  std::string kind;        // "write", …, "never"
  std::string operation;   // "open for writing", "connect", …
  std::string object;      // for people; may be empty
  std::string program;     // path, or the thread's own name in quotes
  std::string code;        // of the gate
  std::string receipt;     // nearest, may be empty
  Nearness near;
  std::string ask_object;  // what to name in a request, may be empty
  std::map<std::string, std::string> examples = {};  // by rule: ExamplesOf
};

// What a rule's author says of it: "such as /srv/a, not /srv/b", or empty.
std::string ExamplesOf(const Rule& rule);

// Several lines: that this is policy, what was tried, why it was refused, which
// rules speak about it and the command with which to ask.
std::string RenderDenial(const Denial& denial);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_TRACE_H_
