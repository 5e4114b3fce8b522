// Ballast: disk space that is kept back, so that a full disk stops new authority
// and not the record of what was done under the old.
//
// While the file `ballast` is there and some space is free besides, all is
// written. When free space runs low the ballast is given up: denials, settlements
// and revocations are still written, what would authorise is refused. It is taken
// back when there is room for it again. One thread.

#ifndef PROOFGATE_LEDGER_BALLAST_H_
#define PROOFGATE_LEDGER_BALLAST_H_

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"

namespace proofgate::ledger {

using FreeSpace = std::function<Result<std::uint64_t>(const std::string& dir)>;
// Bytes that this process may still write to the file system of `dir`.
Result<std::uint64_t> FreeBytes(const std::string& dir);

class Ballast {
 public:
  Ballast(const std::string& dir, std::uint64_t bytes, FreeSpace free_space)
      : dir_(dir), path_(dir + "/ballast"), bytes_(bytes), free_space_(std::move(free_space)) {}

  // Looks at the disk, and gives up or takes back. True: nothing new may be
  // authorised. A disk that cannot be asked counts as full.
  bool IsFull();

 private:
  bool Take();

  const std::string dir_;
  const std::string path_;
  const std::uint64_t bytes_;
  const FreeSpace free_space_;
};

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_BALLAST_H_
