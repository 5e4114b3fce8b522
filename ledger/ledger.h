// Ledger: the append-only record of every decision. Knows nothing of policy.
//
// Commit order, and why a crash at any step is safe:
//   1. The sequencer numbers and encodes the waiting records and computes the
//      nodes and the head. A crash loses only what nobody was told is durable.
//   2. Store::Commit writes entries, nodes, head and meta in one synchronous
//      batch. A crash leaves all of it or none; the head always matches.
//   3. Only then do callers learn their position, and only then may anything
//      that depends on the record become live.
//   4. A checkpoint is signed from a committed head and written to `anchor`
//      before it leaves the process, so no signed head can be newer than disk.
// A failed commit may have landed: the ledger halts, the process must exit,
// open again and compare.
//
// Append and the readers may be called from any thread.

#ifndef PROOFGATE_LEDGER_LEDGER_H_
#define PROOFGATE_LEDGER_LEDGER_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/signature.h"
#include "ledger/ballast.h"
#include "ledger/latency.h"
#include "ledger/store.h"

namespace proofgate::ledger {

inline constexpr std::size_t kMaxLeafBytes = 60'000;
inline constexpr std::uint64_t kMaxEntriesABatch = 4096;

// Does something become allowed once the record is durable? Then a full disk
// refuses it; see ballast.h.
enum class Authority { kNone, kGives };

struct Record {
  std::string kind;  // "ACT", "DENY", …: docs/format/ledger.md
  json::Object body;
  std::string index_key = {};  // Meta key that gets this record's index, in the same batch
  Authority authority = Authority::kNone;
};

struct Position {
  std::uint64_t first = 0;       // index of the caller's first record
  std::uint64_t size_after = 0;  // size that includes them
};

using Meta = std::map<std::string, std::string>;
// Where the store keeps a row of Meta.
inline std::string MetaKey(std::string_view key) { return "user/" + std::string(key); }

// Where things are below a ledger directory.
std::string StorePath(const std::string& dir);
std::string AnchorPath(const std::string& dir);
// The newest checkpoint that the quorum of witnesses has cosigned.
std::string CosignedPath(const std::string& dir);

class Ledger {
 public:
  using Done = std::function<void(Result<Position>)>;

  // `store` is empty and nobody else writes it. `dir` must exist.
  static Result<std::unique_ptr<Ledger>> Create(const std::string& dir, std::string_view origin,
                                                std::unique_ptr<Store> store,
                                                const Signer& signer, const Clock& clock);
  // kCorrupt with REFUSED_ROLLBACK when the store does not extend `anchor` and
  // the cosigned checkpoint, kUnsupported when a newer version or an import wrote
  // it. A store of an older format is migrated, and an entry says so. The signer
  // and the clock outlive the ledger. Reads the frontier, not the entries.
  static Result<std::unique_ptr<Ledger>> Open(const std::string& dir,
                                              std::unique_ptr<Store> store, const Signer& signer,
                                              const Clock& clock);
  // What an operator may choose after REFUSED_ROLLBACK: go on from the older
  // store as another log. The first entry (ORIGIN) names the old origin and the
  // signed head that was lost. kInvalid when nothing was rolled back.
  static Status ContinueAs(const std::string& dir, Store& store, std::string_view new_origin, const std::string& why,
                           const Signer& signer, const Clock& clock);
  // Another key signs from now on. The entry (KEY) has the old head and the old
  // key's signature over the new one. `install` puts the new key where the daemon
  // looks for it; it may run again after a crash.
  static Status RotateKey(const std::string& dir, Store& store, const Signer& old_signer, const Signer& new_signer,
                          const std::string& why, const Clock& clock, const std::function<Status()>& install);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // All or none; returns once they survive power loss. `meta` goes into the
  // same batch. kInvalid: a record is too large, nothing was written. kBusy with
  // DISK_FULL: one gives authority and the disk is full, nothing was written.
  Result<Position> Append(std::vector<Record> records, Meta meta = {});
  // The same without waiting; `done` runs on the sequencer's thread.
  void AppendAsync(std::vector<Record> records, Meta meta, Done done);

  // The same for what ledger/ itself keeps beside the entries; not under "user/".
  Result<Position> AppendWithState(std::vector<Record> records, Meta state);

  // Keeps `bytes` of the disk back from now on: ballast.h. Call it once.
  Status KeepBallast(std::uint64_t bytes, FreeSpace free_space = FreeBytes);
  bool is_disk_full() const;

  Head head() const;
  Result<std::string> Entry(std::uint64_t index) const { return store_->ReadEntry(index); }
  Result<std::optional<std::string>> ReadMeta(std::string_view key) const {
    return store_->ReadMeta(MetaKey(key));
  }
  // Keys without the prefix.
  Result<Meta> ScanMeta(const std::string& prefix) const;
  Result<Proof> ProveInclusion(std::uint64_t index, std::uint64_t size) const;
  Result<Proof> ProveConsistency(std::uint64_t old_size, std::uint64_t size) const;

  // Signs the committed head, makes it the anchor, returns the note.
  Result<std::string> Checkpoint();

  // A copy of the committed ledger at `dir`, which must not exist, while writing
  // goes on; durable, and it extends the anchor in it.
  Status Backup(const std::string& dir);
  // Keeps a checkpoint that witnesses have cosigned, as what the next start must
  // extend. kInvalid: not of this log, or older than the one that is kept.
  Status KeepCosigned(std::string_view note);

  const std::string& origin() const { return origin_; }
  const std::string& dir() const { return dir_; }
  const Store& store() const { return *store_; }
  Store& store() { return *store_; }

  struct Figures {
    std::uint64_t commits = 0;
    std::uint64_t records = 0;
    std::map<std::uint64_t, std::uint64_t> commit_us;  // how many took less than 2^key µs
    Latency commit;                                    // write and fsync
    std::map<std::uint64_t, std::uint64_t> group;      // how many had less than 2^key records
  };
  Figures figures() const;

 private:
  struct Request {
    std::vector<Record> records;
    Meta meta;
    Done done;
    Meta state = {};
  };

  Ledger(std::string dir, std::string origin, std::unique_ptr<Store> store, Head head,
         const Signer& signer, const Clock& clock);
  void Enqueue(Request request);
  void Sequence();
  void CommitGroup(std::vector<Request> group);

  const std::string dir_;
  const std::string origin_;
  const std::unique_ptr<Store> store_;
  const Signer& signer_;
  const Clock& clock_;
  std::mutex checkpoint_mutex_;  // one writer of `anchor`

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Request> queue_;
  Head head_;        // committed
  bool stop_ = false;
  Status halted_;    // why nothing more can be committed
  Figures figures_;
  std::unique_ptr<Ballast> ballast_;  // the sequencer's, once it is set
  bool disk_full_ = false;
  std::thread sequencer_;  // last: uses everything above
};

// Opens the store of `dir` for reading beside a daemon and checks its origin.
struct ReadOnlyLedger {
  std::unique_ptr<Store> store;
  std::string origin;
  Head head;
};
Result<ReadOnlyLedger> OpenReadOnly(const std::string& dir);

// Makes an empty or filled store a ledger that is for reading only.
Status MarkImported(Store& store, std::string_view origin, std::uint64_t min_index);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_LEDGER_H_
