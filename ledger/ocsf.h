// Ocsf: entries as OCSF 1.3.0 events (schema.ocsf.io), for a SIEM.
//
// A rendering for others, not evidence: each event names its entry
// (metadata.uid), whose proof is elsewhere. Bytes that are not printable ASCII
// become \xNN.

#ifndef PROOFGATE_LEDGER_OCSF_H_
#define PROOFGATE_LEDGER_OCSF_H_

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace proofgate::ledger {

// `host`: what the log's START entries call it. kCorrupt: `leaf` is no entry.
Result<json::Value> ToOcsf(const json::Value& leaf, const std::string& origin, const std::string& host);

// Milliseconds since 1970 of "2026-11-24T07:05:00.123Z"; kInvalid otherwise.
Result<std::int64_t> ParseUtc(std::string_view utc);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_OCSF_H_
