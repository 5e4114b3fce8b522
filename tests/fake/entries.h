// Entries: what a test reads back from a ledger.

#ifndef PROOFGATE_TESTS_FAKE_ENTRIES_H_
#define PROOFGATE_TESTS_FAKE_ENTRIES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "ledger/ledger.h"

namespace proofgate {

// The bodies of all entries of a kind, from this index on.
inline std::vector<json::Value> BodiesOf(const ledger::Ledger& ledger, const std::string& kind, std::uint64_t from = 0) {
  std::vector<json::Value> bodies;
  for (std::uint64_t index = from; index < ledger.head().size; ++index) {
    const auto leaf = json::Parse(*ledger.Entry(index));
    if (json::GetString(*leaf, "kind").value_or("") == kind) bodies.push_back(*leaf->Find("body"));
  }
  return bodies;
}

}  // namespace proofgate

#endif  // PROOFGATE_TESTS_FAKE_ENTRIES_H_
