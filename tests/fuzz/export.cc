// What comes back when a ledger returns, and what entries turn into for others:
// a manifest says things in one way; any canonical entry becomes OCSF and usage
// without a crash.

#include "ledger/export.h"
#include "ledger/index.h"
#include "ledger/ocsf.h"
#include "ledger/usage.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = AsText(data, size);
  const auto manifest = ledger::ParseManifest(bytes);
  if (manifest) {
    Holds(ledger::FormatManifest(*manifest) == bytes);
    Holds(manifest->min_index <= manifest->size);
    for (const ledger::ManifestFile& file : manifest->files)
      Holds(!file.path.empty() && file.path.front() != '/' && file.path.find("..") == std::string::npos);
  }
  const auto leaf = json::Parse(bytes);
  if (!leaf) return 0;
  const auto event = ledger::ToOcsf(*leaf, "host.example/proofgate", "host");
  if (event) {
    const std::string line = json::Encode(*event);
    Holds(line.find('\n') == std::string::npos && json::Parse(line).has_value());
  }
  ledger::Usage usage;
  if (usage.Add(*leaf, size)) Holds(usage.Total("ledgered_byte") == size);
  Holds(!usage.Csv().empty());
  const json::Value* const body = leaf->Find("body");
  if (body != nullptr && body->is_object())
    for (const std::string& term : ledger::TermsOf("ACT", "2026-11-24T12:00:00.000Z", body->object())) {
      Holds(term.find('\0') == std::string::npos);
      Holds(term.size() <= 80);
    }
  return 0;
}
