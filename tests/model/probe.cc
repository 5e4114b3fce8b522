// Probe: the product's decisions as a filter, for comparison with the models.
//
// Each line of the input is a JSON object; its answer is one line of canonical
// JSON. {"canon":…,"plans":…,"snapshot":…} is given to OPTR, all three in their
// canonical forms; {"slot":…,"act":…,"now":…} to the gate.

#include <iostream>
#include <string>

#include "policy/optr.h"
#include "policy/replay.h"
#include "tests/vectors/answers.h"

namespace proofgate {
namespace {

Result<std::string> Answer(const std::string& line) {
  const json::Value input = TRY(json::ParseLenient(line));
  return AnswerBy(input.Find("slot") != nullptr ? policy::kGateSemantics : policy::kOptrSemantics, input);
}

}  // namespace
}  // namespace proofgate

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto answer = proofgate::Answer(line);
    std::cout << (answer ? *answer : proofgate::json::Encode(proofgate::json::Object{
                                         {"error", proofgate::json::Bytes(answer.error().message)}}))
              << "\n" << std::flush;
  }
  return 0;
}
