// ParseBreakGlass: on any bytes; what is read is written back to the same bytes, and
// nobody's signature makes it good.

#include <cstddef>
#include <cstdint>

#include "policy/break_glass.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view statement(reinterpret_cast<const char*>(data), size);
  const auto read = policy::ParseBreakGlass(statement);
  if (read) Holds(policy::BreakGlassStatement(*read) == statement);
  policy::Canon canon;
  canon.tenant = "acme";
  canon.domain = "billing";
  const auto decision = policy::DecideBreakGlass(canon, "host", statement, statement, false, 1);
  Holds(decision.code == (read ? policy::BreakGlassCode::kSignature : policy::BreakGlassCode::kMalformed));
  return 0;
}
