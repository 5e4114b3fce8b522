// Explain: what each rule of a canon says about an act, and why the verdict is
// what it is.

#ifndef PROOFGATE_POLICY_EXPLAIN_H_
#define PROOFGATE_POLICY_EXPLAIN_H_

#include <string>
#include <vector>

#include "policy/authority.h"

namespace proofgate::policy {

struct Statement {
  std::string id;
  std::string says;   // "forbids", "grants while attached", "permits under a receipt", "comes near"
  std::string text;   // by which object, on what terms
};

struct Explanation {
  Verdict verdict = Verdict::kNotPermitted;
  std::vector<Statement> statements;  // those that decide first
};

// `object` may be divisible: then a rule speaks if it speaks about all of it
// (permits, standing grants) or any of it (forbids).
Explanation Explain(const Canon& canon, Kind kind, const Object& object);
std::string RenderExplanation(const Explanation& explanation, const std::string& domain, Kind kind,
                              const Object& object);
json::Value ExplanationJson(const Explanation& explanation);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_EXPLAIN_H_
