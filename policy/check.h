// Check: what is wrong with canons that parse: duplicates, and grants that
// contain what a forbid names.

#ifndef PROOFGATE_POLICY_CHECK_H_
#define PROOFGATE_POLICY_CHECK_H_

#include "policy/parse.h"

namespace proofgate::policy {

// Forbids are decided when a receipt is issued, so that they never depend on a
// mark in the kernel. Hence a permit or standing grant may not contain a
// forbidden object: the one must be split, or the other.
void Check(const std::vector<Canon>& canons, const std::string& file,
           std::vector<Diagnostic>& diagnostics);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_CHECK_H_
