// Any bytes as JSON: what the strict parser accepts it would write the same.
#include <cstdint>
#include <cstdlib>

#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace proofgate;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto strict = json::Parse(bytes);
  const auto lenient = json::ParseLenient(bytes);
  if (strict && json::Encode(*strict) != bytes) std::abort();
  if (strict && (!lenient || *lenient != *strict)) std::abort();
  if (strict) json::Pretty(*strict);
  return 0;
}
