// Parse: YAML text to canons, or everything that is wrong with it.
//
// The only file that includes yaml-cpp; its exceptions stop here.

#ifndef PROOFGATE_POLICY_PARSE_H_
#define PROOFGATE_POLICY_PARSE_H_

#include <string>
#include <string_view>
#include <vector>

#include "policy/canon.h"

namespace proofgate::policy {

inline constexpr std::size_t kMaxCanonBytes = 1 << 20;
inline constexpr std::size_t kMaxDiagnostics = 200;  // later mistakes are not told

struct Diagnostic {
  std::string file;
  Where where;
  std::string message;
  std::string expected;  // may be empty
};

// "file:line:column: error: message (expected …)".
std::string Render(const Diagnostic& diagnostic);

struct ParsedCanon {
  std::vector<Canon> canons;            // one a YAML document, i.e. a domain
  std::vector<Diagnostic> diagnostics;  // in order of place; empty: nothing is wrong
};

// "30s", "10m", "1h", "250ms" in nanoseconds; kInvalid says what was expected.
Result<std::uint64_t> ParseDuration(std::string_view text);

// Parses and checks. With any diagnostic the canons must not be used.
ParsedCanon ParseCanon(std::string_view text, const std::string& file);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_PARSE_H_
