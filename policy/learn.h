// Learn: from what a domain did to the smallest readable canon that permits it.
//
// A proposal, never applied by anything. Files of one directory are folded into
// the directory, directories below one into its tree, addresses into prefixes:
// each with the evidence beside it.

#ifndef PROOFGATE_POLICY_LEARN_H_
#define PROOFGATE_POLICY_LEARN_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "policy/object.h"

namespace proofgate::policy {

struct Folded {
  Object object;
  std::uint64_t times = 0;    // acts seen
  std::uint64_t objects = 0;  // different ones
};

// Acts of one kind, with how often each was seen. In order of the objects.
std::vector<Folded> Fold(const std::vector<std::pair<Object, std::uint64_t>>& acts);

struct Observed {
  Kind kind = Kind::kWrite;
  Object act;
};
// YAML of a canon document, with comments. It parses; an empty string when
// nothing was observed.
std::string Learn(const std::string& tenant, const std::string& domain, const std::vector<Observed>& observed);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_LEARN_H_
