// Any bytes as canon: never a crash; what parses has one canonical model.
#include <cstdint>
#include <cstdlib>

#include "policy/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace proofgate;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const policy::ParsedCanon parsed = policy::ParseCanon(text, "f");
  for (const policy::Diagnostic& diagnostic : parsed.diagnostics) policy::Render(diagnostic);
  if (!parsed.diagnostics.empty()) return 0;
  for (const policy::Canon& canon : parsed.canons) {
    const json::Value model = policy::CanonJson(canon);
    const auto bytes = json::Parse(json::Encode(model));
    if (!bytes) std::abort();
    const auto again = policy::ParseCanonJson(*bytes);
    if (!again || policy::CanonJson(*again) != model) std::abort();
  }
  return 0;
}
