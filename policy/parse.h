// Parse: YAML text to canons, or everything that is wrong with it.

#ifndef PROOFGATE_POLICY_PARSE_H_
#define PROOFGATE_POLICY_PARSE_H_

#include <string>
#include <string_view>
#include <vector>

#include "policy/canon.h"
#include "policy/diagnostic.h"
#include "policy/grammar.h"

namespace proofgate::policy {

inline constexpr std::size_t kMaxCanonBytes = 2 << 20;

struct ParsedCanon {
  std::vector<Canon> canons;            // one a YAML document, i.e. a domain
  std::vector<Diagnostic> diagnostics;  // errors, in order of place; empty: nothing is wrong
};

// Parses and checks. With any diagnostic the canons must not be used. Rules,
// standing grants and objects come in one order, whatever the order in the text.
ParsedCanon ParseCanon(std::string_view text, const std::string& file);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_PARSE_H_
