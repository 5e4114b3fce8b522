// Binding: how the program of an exec receipt must run, beside which it is:
// its arguments, variables of its environment, its content.
//
// docs/format/canon.md says what a canon may write, bpf/binding.h what the gate
// compares. The limits are those of the gate's rows (bpf/wire.h).

#ifndef PROOFGATE_POLICY_BINDING_H_
#define PROOFGATE_POLICY_BINDING_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace proofgate::policy {

struct Binding {
  // kPrefix: the program may be given more arguments behind `argv`.
  enum class Argv { kFree, kPrefix, kExact } argv_form = Argv::kFree;
  std::vector<std::string> argv;  // the program's own name first
  // Sorted, each once: "NAME" and "PREFIX*" must not be there, "NAME=value" must.
  std::vector<std::string> env;
  std::string content;            // SHA-256, hex, or empty
  bool operator==(const Binding&) const = default;
};

bool IsBound(const Binding& binding);

// The one word that stands for many: variables by which a loader, shell or
// interpreter is made to run other code than its arguments say.
inline constexpr std::string_view kCleanEnv = "clean";

// Adds "NAME", "PREFIX*", "NAME=value" or kCleanEnv. kInvalid says what was expected.
Status AddEnvWord(std::string_view word, Binding& binding);
// "sha256:" and 64 hexadecimal digits.
Status SetContent(std::string_view text, Binding& binding);
// kInvalid: more than the gate's row holds, a NUL, two values for one name.
Status CheckBinding(const Binding& binding);
// "LD_", "BASH_ENV=": how a variable starts that the word keeps out; the names
// of bound variables among them, so that no second value stands beside the first.
std::vector<std::string> RefusedStarts(const Binding& binding);
// Those of the words that must be there.
std::vector<std::string> RequiredVariables(const Binding& binding);

// What both ask for. kInvalid: `asked` is no binding; kDenied: it is more than `rule` gives.
Result<Binding> Narrowed(const Binding& rule, const Binding& asked);

// Adds the members "argv", "env" and "content", as far as they are bound; reads
// them back. Strict: kInvalid.
void AddBinding(const Binding& binding, json::Object& to);
Result<Binding> ReadBinding(const json::Value& from);

// For people: "arguments exactly [git, status], environment clean of 3 names";
// empty when nothing is bound.
std::string DescribeBinding(const Binding& binding);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_BINDING_H_
