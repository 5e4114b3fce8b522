// Fsck: re-derives everything from the entries and reports what does not agree.

#ifndef PROOFGATE_LEDGER_FSCK_H_
#define PROOFGATE_LEDGER_FSCK_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/signature.h"
#include "ledger/store.h"

namespace proofgate::ledger {

struct FsckReport {
  Head head;                          // as derived from the entries
  std::vector<std::string> findings;  // empty: everything agrees; ends at 100
};

// A head that somebody else holds and the ledger must extend; its signatures
// are verified already.
struct HeldHead {
  std::string holder;  // for the finding: a file name, a witness
  Head head;
};

// The same in steps, for who does it slowly and beside the writer. Verifies the
// ledger as it was at Begin; what is dropped meanwhile makes findings: compare
// min_index() with the store's before believing them. One thread.
class Verification {
 public:
  static Result<std::unique_ptr<Verification>> Begin(const Store& store, const PublicKey& key, std::string_view origin,
                                                     std::string_view anchor, std::span<const HeldHead> held);
  virtual ~Verification() = default;
  // So many entries more, in whole blocks of 256. False: all are done.
  virtual Result<bool> Step(std::uint64_t entries) = 0;
  virtual std::uint64_t done() const = 0;
  virtual std::uint64_t size() const = 0;
  virtual std::uint64_t min_index() const = 0;
  // After the last step.
  virtual FsckReport Finish() = 0;
};

// Reads each entry once, in order: canonical form, index, leaf hash, each stored
// node, the head, the signed `anchor` and each of `held`. Entries below the
// store's minimum index are gone; their leaf hashes are taken from the nodes,
// which the heads still cover. Memory does not depend on the size. An Error is a
// machine failure; what is wrong with the ledger is in the findings.
Result<FsckReport> Verify(const Store& store, const PublicKey& key, std::string_view origin,
                          std::string_view anchor, std::span<const HeldHead> held,
                          const Progress& progress);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_FSCK_H_
