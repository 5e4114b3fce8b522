// Archive: old entries in one compressed file, before retention drops them.
//
// The file is a zstd stream (RFC 8878) of lines: a header, then each leaf's
// bytes. `zstd -dc` reads it without us.

#ifndef PROOFGATE_LEDGER_ARCHIVE_H_
#define PROOFGATE_LEDGER_ARCHIVE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "ledger/store.h"

namespace proofgate::ledger {

struct ArchiveInfo {
  std::string origin;
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // one past the end
  Digest sha256{};         // of the file
  std::uint64_t bytes = 0;
};

// Writes entries [first, last) to `path`, which must not exist, durably; then
// reads it back and compares every entry with the tree. On error the file is
// removed.
Result<ArchiveInfo> WriteArchive(const Store& store, std::string_view origin, std::uint64_t first, std::uint64_t last,
                                 const std::string& path, const Progress& progress);

// Reads an archive and hands on each leaf that is the one in the tree: `store`
// needs its hashes, not its entries. kCorrupt: the file is not of this tree;
// kInvalid: not an archive. Memory does not depend on the size.
using VisitLeaf = std::function<Status(std::uint64_t index, std::string_view leaf)>;
Result<ArchiveInfo> ReadArchive(const std::string& path, std::string_view origin, const Store& store, const VisitLeaf& visit);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_ARCHIVE_H_
