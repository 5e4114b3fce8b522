// Holds: what a fuzz target claims. It stays on in every build.

#ifndef PROOFGATE_TESTS_FUZZ_HOLDS_H_
#define PROOFGATE_TESTS_FUZZ_HOLDS_H_

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace proofgate {

inline void Holds(bool claim) {
  if (!claim) std::abort();
}

inline std::string_view AsText(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace proofgate

#endif  // PROOFGATE_TESTS_FUZZ_HOLDS_H_
