// Lint: what a canon that is right probably does not mean. Warnings only.

#ifndef PROOFGATE_POLICY_LINT_H_
#define PROOFGATE_POLICY_LINT_H_

#include <string>
#include <vector>

#include "policy/diagnostic.h"

namespace proofgate::policy {

// Of canons without errors; in order of place. Codes: docs/format/canon.md.
std::vector<Diagnostic> Lint(const std::vector<Canon>& canons, const std::string& file);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_LINT_H_
