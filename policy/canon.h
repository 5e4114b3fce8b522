// Canon: the policy of one domain as plain structs, each with its source place.

#ifndef PROOFGATE_POLICY_CANON_H_
#define PROOFGATE_POLICY_CANON_H_

#include <cstdint>
#include <string>
#include <vector>

#include "policy/binding.h"
#include "policy/object.h"
#include "policy/terms.h"

namespace proofgate::policy {

struct Limits {
  std::uint64_t ttl_ns = 0;
  std::uint64_t uses = 0;
};

enum class Effect { kPermit, kForbid };
enum class Mode { kEnforce, kObserve };

// What the author says a canon does with one act; checked when it is loaded. Not
// part of the model: it confers nothing.
struct Example {
  Kind kind = Kind::kExec;
  Object act;
  std::string expect;  // VerdictName; of a rule's own examples empty
  std::string rule;    // must be among those that speak, or empty
  bool matches = true; // of a rule's own: does the rule speak about it?
  Where where;
};

struct Rule {
  std::string id;
  Effect effect = Effect::kPermit;
  Kind kind = Kind::kExec;
  std::vector<Object> objects;
  std::vector<Where> object_where;
  Limits limits;  // permits only
  RuleTerms terms;  // permits only
  Where where;
  std::vector<Example> examples = {};  // match and no_match
  Binding binding = {};  // permits of exec only
};

// What every process of the domain may do while it is attached.
struct Standing {
  std::string id;
  Kind kind = Kind::kExec;
  std::vector<Object> objects;
  std::vector<Where> object_where;
  std::vector<std::string> except;  // file names in kDir objects that are left out
  Where where;
};

struct Canon {
  std::string tenant;
  std::string domain;
  std::string attach;  // "slice:NAME", "unit:NAME", "cgroup:PATH" or empty
  Mode mode = Mode::kEnforce;
  std::vector<Standing> standing;  // profiles expanded; by id
  std::vector<Rule> rules;         // by id
  DomainTerms terms;
  Where where;
  std::vector<Example> tests = {};

  const Rule* FindRule(std::string_view id) const;
};

// Does a standing grant or a rule speak of this kind?
bool NamesKind(const Canon& canon, Kind kind);

// The canonical JSON of what a canon means: no source places, no comments.
json::Value CanonJson(const Canon& canon);
// The way back, strict: kInvalid for anything that CanonJson would not make.
Result<Canon> ParseCanonJson(const json::Value& value);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_CANON_H_
