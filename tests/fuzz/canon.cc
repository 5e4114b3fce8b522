// ParseCanon on any bytes: it never crashes, and what it finds no fault with has
// one canonical form that reads back as itself.

#include "policy/parse.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const policy::ParsedCanon parsed = policy::ParseCanon(AsText(data, size), "canon.yaml");
  for (const policy::Diagnostic& diagnostic : parsed.diagnostics) {
    Holds(!diagnostic.message.empty());
    Holds(policy::Render(diagnostic).substr(0, 11) == "canon.yaml:");
  }
  if (!parsed.diagnostics.empty()) return 0;
  Holds(!parsed.canons.empty());
  for (const policy::Canon& canon : parsed.canons) {
    const std::string bytes = json::Encode(policy::CanonJson(canon));
    const auto value = json::Parse(bytes);
    Holds(value.has_value());
    const auto again = policy::ParseCanonJson(*value);
    Holds(again.has_value());
    Holds(json::Encode(policy::CanonJson(*again)) == bytes);
    Holds(!canon.tenant.empty() && !canon.domain.empty());
    for (const policy::Rule& rule : canon.rules) {
      Holds(!rule.id.empty() && !rule.objects.empty());
      const bool has_limits = rule.limits.ttl_ns != 0 && rule.limits.uses != 0;
      Holds(has_limits == (rule.effect == policy::Effect::kPermit));
    }
    for (const policy::Standing& standing : canon.standing)
      Holds(!standing.id.empty() && !standing.objects.empty());
  }
  return 0;
}
