// Diagnostic: one thing that is wrong with a canon, and where.

#ifndef PROOFGATE_POLICY_DIAGNOSTIC_H_
#define PROOFGATE_POLICY_DIAGNOSTIC_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "policy/canon.h"

namespace proofgate::policy {

inline constexpr std::size_t kMaxDiagnostics = 200;  // later mistakes are not told

enum class Severity { kError, kWarning };

struct Diagnostic {
  std::string file;
  Where where;
  std::string message;
  std::string expected;  // may be empty
  std::string code = "invalid";  // stable: docs/format/canon.md
  Severity severity = Severity::kError;
  bool operator==(const Diagnostic&) const = default;
};

bool HasErrors(const std::vector<Diagnostic>& diagnostics);

// "file:line:column: error: message (expected …)". Warnings end in " [code]".
std::string Render(const Diagnostic& diagnostic);
// The same, then the line of `text` with the offending part underlined; all of
// it fit for a terminal.
std::string RenderWithSource(const Diagnostic& diagnostic, std::string_view text);

// An array of {file, line, column, end_column, severity, code, message, expected}.
json::Value DiagnosticsJson(const std::vector<Diagnostic>& diagnostics, std::string_view text);
// SARIF 2.1.0 (OASIS), one run.
json::Value DiagnosticsSarif(const std::vector<Diagnostic>& diagnostics, std::string_view text);

// The name that a misspelt word probably means, or "".
std::string Nearest(std::string_view word, const std::vector<std::string_view>& names);
// In quotes, escaped, at most 80 bytes of it.
std::string Quote(std::string_view text);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_DIAGNOSTIC_H_
