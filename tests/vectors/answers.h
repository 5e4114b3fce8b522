// Answers: the product's pure decisions as functions from JSON to JSON, by the
// id of their semantics. docs/format/replay.md says what each id covers.
//
// The frozen corpus (tests/vectors), the comparison with the models (tests/model)
// and the runs on other compilers and architectures all ask here. One thread.

#ifndef PROOFGATE_TESTS_VECTORS_ANSWERS_H_
#define PROOFGATE_TESTS_VECTORS_ANSWERS_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace proofgate {

// Every id that this build decides by.
std::vector<std::string_view> SemanticsIds();

// The canonical bytes of what this id says of `input`. kNotFound: no code here
// decides by it; kInvalid: the input is none.
Result<std::string> AnswerBy(std::string_view semantics_id, const json::Value& input);

// The same, but what may come in any order comes in another one.
json::Value Reordered(std::string_view semantics_id, const json::Value& input, unsigned seed);

}  // namespace proofgate

#endif  // PROOFGATE_TESTS_VECTORS_ANSWERS_H_
