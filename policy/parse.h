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
// What a canon costs whoever checks, compares or decides by it: the objects of its
// grants, rules and estimates with the sets written out, and its cases. Of all
// domains that are in force together; known before anything is built of it.
inline constexpr std::size_t kMaxCanonCost = 100'000;

struct ParsedCanon {
  std::vector<Canon> canons;            // one a YAML document that is no library, i.e. a domain
  std::size_t cost = 0;                 // of all together
  std::vector<Diagnostic> diagnostics;  // errors, in order of place; empty: nothing is wrong
};

// Parses and checks. With any diagnostic the canons must not be used. Rules,
// standing grants and objects come in one order, whatever the order in the text.
ParsedCanon ParseCanon(std::string_view text, const std::string& file);

// The same of several files that belong together: a canon may include the
// libraries of any. Diagnostics are in the order of the files.
struct CanonFile {
  std::string name;
  std::string_view text;
};
ParsedCanon ParseCanonFiles(const std::vector<CanonFile>& files);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_PARSE_H_
