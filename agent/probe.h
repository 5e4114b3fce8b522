// Probe: can this host enforce? Ordered checks, a sentence each.

#ifndef PROOFGATE_AGENT_PROBE_H_
#define PROOFGATE_AGENT_PROBE_H_

#include <string>
#include <vector>

namespace proofgate::agent {

enum class Lockdown { kNone, kIntegrity, kConfidentiality };
// Of the running kernel: kernel_lockdown(7). kNone where it has none.
Lockdown ReadLockdown();

enum class Finding { kOk, kWarning, kMissing };

struct Check {
  std::string name;
  Finding finding = Finding::kOk;
  std::string what;  // one sentence
  std::string todo;  // what to do about it; empty when kOk
};

// Reads only; needs root for a full answer. In the order in which to mend them.
std::vector<Check> ProbeHost();
// Whether nothing is kMissing.
bool CanEnforce(const std::vector<Check>& checks);

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_PROBE_H_
