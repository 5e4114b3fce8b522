// FaultFs: the N-th file operation of this process fails, before it did anything
// or after it did everything.
//
// The test program defines write, fsync, rename and the like itself, so RocksDB
// and our own code go through it; disarmed it only passes on.

#ifndef PROOFGATE_TESTS_LEDGER_FAULT_FS_H_
#define PROOFGATE_TESTS_LEDGER_FAULT_FS_H_

#include <string>

namespace proofgate::ledger {

enum class FaultWhen { kBefore, kAfter };

// From now on the `nth` operation (from 1) fails with `error_number`; every one
// after it too when `stays` is set, as on a full or dying disk.
enum class FaultLasts { kOnce, kFromThenOn };
void ArmFault(int nth, FaultWhen when, int error_number, FaultLasts lasts);
// Back to normal. Returns the name of the operation that failed first, or "".
std::string DisarmFault();

}  // namespace proofgate::ledger

#endif  // PROOFGATE_TESTS_LEDGER_FAULT_FS_H_
