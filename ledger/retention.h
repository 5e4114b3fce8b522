// Retention: what may be dropped from a ledger without breaking a proof.
//
// Entries below the minimum index are gone; their hashes stay, so every head
// that was ever signed remains provable (c2sp.org/tlog-tiles, pruning). Large or
// personal bytes live outside the entries as blobs: an entry names only a salted
// digest, so a blob can be erased and nothing about it can be guessed. Each act
// is an entry. One caller at a time.

#ifndef PROOFGATE_LEDGER_RETENTION_H_
#define PROOFGATE_LEDGER_RETENTION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "ledger/store.h"

namespace proofgate::ledger {

class Ledger;

// 0 when nothing was ever dropped. kCorrupt when what is stored is no number.
Result<std::uint64_t> ReadMinIndex(const Store& store);

// Keeps entries from an index on, whatever retention asks for, until released.
struct Hold {
  std::string name;
  std::uint64_t from = 0;
  std::string why;
};
Result<std::vector<Hold>> ReadHolds(const Store& store);
// kInvalid: a name that exists (or for Release: does not), or not [a-z0-9-].
Status PlaceHold(Ledger& ledger, const Hold& hold, const std::string& by);
Status ReleaseHold(Ledger& ledger, const std::string& name, const std::string& why, const std::string& by);

// What to drop below, by age or size; the minimum index when nothing is to go.
// By age: times of entries are taken to be in order (the host's clock may have
// been set back: compare the newest that would go). By size: so many bytes of
// the newest leaves stay; reads them all.
Result<std::uint64_t> FirstSince(const Store& store, std::string_view utc);
Result<std::uint64_t> FirstOfNewest(const Store& store, std::uint64_t bytes, const Progress& progress);

struct Drop {
  std::uint64_t below = 0;
  std::string why;
  std::string by;
  std::string archive_sha256;  // of the file that has them now; may be empty
};
// Drops entries below an index. kDenied: a hold, or `floor` (what the caller
// still needs), keeps them. The head is signed first; then the entry (RETAIN)
// and the new minimum are durable; then the entries go. A crash between goes on
// at the next Open.
Status CheckDrop(const Ledger& ledger, const Drop& drop, std::uint64_t floor);  // refuses what DropBelow would
Status DropBelow(Ledger& ledger, const Drop& drop, std::uint64_t floor);

// A blob and the digest that entries name it by.
struct Blob {
  Digest commitment{};  // SHA-256(salt | bytes), the salt of 32 random bytes
  std::string stored;   // salt | bytes
};
inline constexpr std::size_t kMaxBlobBytes = 1 << 20;
Blob MakeBlob(std::string_view bytes);
// Meta for AppendWithState, so that a blob is in the batch of its entry.
std::pair<std::string, std::string> BlobState(const Blob& blob);
// kNotFound: erased, or never there; kCorrupt: not what was committed to.
Result<std::string> ReadBlob(const Store& store, const Digest& commitment);
// The entry (ERASED) is durable first; on return the bytes are in no file of the
// store. kNotFound when there is no such blob.
Status EraseBlob(Ledger& ledger, const Digest& commitment, const std::string& why, const std::string& by);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_RETENTION_H_
