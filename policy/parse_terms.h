// Parse, continued: the terms of a domain and of a permit.

#ifndef PROOFGATE_POLICY_PARSE_TERMS_H_
#define PROOFGATE_POLICY_PARSE_TERMS_H_

#include <functional>
#include <vector>

#include "policy/terms.h"
#include "policy/yaml.h"

namespace proofgate::policy {

using BuildObject = std::function<void(yaml::Node& item, Kind kind, std::vector<Object>& objects)>;

// Of trees that Validate has seen.
void BuildRuleTerms(yaml::Node& rule, RuleTerms& terms, const yaml::Complain& complain);
void BuildDomainTerms(yaml::Node& root, DomainTerms& terms, const yaml::Complain& complain,
                      const BuildObject& build_object);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_PARSE_TERMS_H_
