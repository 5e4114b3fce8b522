// Fsck: re-derives everything from the entries and reports what does not agree.

#ifndef PROOFGATE_LEDGER_FSCK_H_
#define PROOFGATE_LEDGER_FSCK_H_

#include <functional>
#include <string>
#include <vector>

#include "base/signature.h"
#include "ledger/store.h"

namespace proofgate::ledger {

struct FsckReport {
  Head head;                          // as derived from the entries
  std::vector<std::string> findings;  // empty: everything agrees; at most 100
};

using Progress = std::function<void(std::uint64_t done, std::uint64_t size)>;

// Reads each entry once, in order: canonical form, index, leaf hash, each stored
// node, the head, and the signed `anchor`. An Error is a machine failure; what
// is wrong with the ledger is in the findings.
Result<FsckReport> Verify(const Store& store, const PublicKey& key, std::string_view origin,
                          std::string_view anchor, const Progress& progress);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_FSCK_H_
