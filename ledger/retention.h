// Retention: what may be dropped from a ledger without breaking a proof.
//
// Entries below the minimum index are gone; their hashes stay, so every head
// that was ever signed remains provable (c2sp.org/tlog-tiles, pruning).

#ifndef PROOFGATE_LEDGER_RETENTION_H_
#define PROOFGATE_LEDGER_RETENTION_H_

#include <cstdint>

#include "ledger/store.h"

namespace proofgate::ledger {

// 0 when nothing was ever dropped. kCorrupt when what is stored is no number.
Result<std::uint64_t> ReadMinIndex(const Store& store);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_RETENTION_H_
