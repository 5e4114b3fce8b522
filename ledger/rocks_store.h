// RocksStore: Store over RocksDB. One synchronous WriteBatch a commit; the only
// file that includes RocksDB.

#ifndef PROOFGATE_LEDGER_ROCKS_STORE_H_
#define PROOFGATE_LEDGER_ROCKS_STORE_H_

#include <memory>
#include <string>

#include "ledger/store.h"

namespace proofgate::ledger {

enum class StoreAccess { kCreate, kWrite, kRead };

// kCreate refuses an existing store; kRead works beside a writing process and
// sees what was committed when it opened.
Result<std::unique_ptr<Store>> OpenRocksStore(const std::string& dir, StoreAccess access);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_ROCKS_STORE_H_
