// PDP: decides whether a receipt is issued. Pure; cannot fail.

#ifndef PROOFGATE_POLICY_PDP_H_
#define PROOFGATE_POLICY_PDP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/canon.h"
#include "policy/forbids.h"

namespace proofgate::policy {

// Stable names; append only.
enum class DecisionCode {
  kPermitted,       // PERMITTED
  kForbidden,       // FORBIDDEN: the object overlaps one a forbid names
  kNotPermitted,    // NOT_PERMITTED: it lies outside what the rule permits
  kNoSuchRule,      // NO_SUCH_RULE
  kNotAPermit,      // NOT_A_PERMIT: the rule named is a forbid
  kLimitExceeded,   // LIMIT_EXCEEDED: more time or uses than the rule allows
  kInvalidRequest,  // INVALID_REQUEST: no time, no uses, an unclean path
  kOwn,             // OWN: it holds or lies in what is Proofgate's own
  kNeedsSession,    // NEEDS_SESSION: the rule has terms that only a session's plan can meet
};
std::string_view DecisionCodeName(DecisionCode code);

// Paths are real paths: the caller has resolved symbolic links.
struct Request {
  std::string rule;
  std::optional<Object> object;  // none: all that the rule names
  std::optional<std::uint64_t> ttl_ns;
  std::optional<std::uint64_t> uses;
  std::string exe;               // only this program, or empty
  Binding binding = {};          // exec: beside what the rule binds
  bool from_session = false;     // for a step that OPTR chose
};

struct Decision {
  DecisionCode code = DecisionCode::kNotPermitted;
  std::string reason;            // for people, one sentence
  std::vector<std::string> rules;  // that decided, in canon order
  Kind kind = Kind::kExec;       // the rest: when permitted
  std::vector<Object> objects;
  std::uint64_t ttl_ns = 0;
  std::uint64_t uses = 0;
  Binding binding = {};          // of the rule and the request together
};

Decision Decide(const Canon& canon, const Request& request);
// The same for who decides much under one canon: `forbids` is of that canon.
Decision Decide(const Canon& canon, const Forbids& forbids, const Request& request);

// Which rules speak about an act: for the explanation of a refusal.
struct Nearness {
  std::vector<std::string> forbids;
  std::vector<std::string> permits;  // a receipt could be asked for under these
};
Nearness FindRules(const Canon& canon, Kind kind, const Object& object);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_PDP_H_
