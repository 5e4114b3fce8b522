// Report: what went wrong and stops nothing, to the diagnostics.

#ifndef PROOFGATE_AGENT_REPORT_H_
#define PROOFGATE_AGENT_REPORT_H_

#include <cstdio>
#include <string>
#include <string_view>

#include "base/result.h"

namespace proofgate::agent {

inline void Report(std::string_view what, const Status& status) {
  if (!status)
    std::fprintf(stderr, "%s: %s\n", std::string(what).c_str(), status.error().message.c_str());
}

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_REPORT_H_
