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
#include "ledger/store.h"

namespace proofgate::ledger {

inline constexpr std::size_t kMaxLeafBytes = 60'000;

struct Record {
  std::string kind;  // "ACT", "DENY", …: docs/format/ledger.md
  json::Object body;
  std::string index_key = {};  // Meta key that gets this record's index, in the same batch
};

struct Position {
  std::uint64_t first = 0;       // index of the caller's first record
  std::uint64_t size_after = 0;  // size that includes them
};

using Meta = std::map<std::string, std::string>;

// Where things are below a ledger directory.
std::string StorePath(const std::string& dir);
std::string AnchorPath(const std::string& dir);

class Ledger {
 public:
  using Done = std::function<void(Result<Position>)>;

  // `store` is empty and nobody else writes it. `dir` must exist.
  static Result<std::unique_ptr<Ledger>> Create(const std::string& dir, std::string_view origin,
                                                std::unique_ptr<Store> store,
                                                const Signer& signer, const Clock& clock);
  // kCorrupt with REFUSED_ROLLBACK when the store does not extend `anchor`.
  // The signer and the clock outlive the ledger.
  static Result<std::unique_ptr<Ledger>> Open(const std::string& dir,
                                              std::unique_ptr<Store> store, const Signer& signer,
                                              const Clock& clock);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // All or none; returns once they survive power loss. `meta` goes into the
  // same batch. kInvalid: a record is too large, nothing was written.
  Result<Position> Append(std::vector<Record> records, Meta meta = {});
  // The same without waiting; `done` runs on the sequencer's thread.
  void AppendAsync(std::vector<Record> records, Meta meta, Done done);

  Head head() const;
  Result<std::string> Entry(std::uint64_t index) const { return store_->ReadEntry(index); }
  Result<std::optional<std::string>> ReadMeta(std::string_view key) const {
    return store_->ReadMeta("user/" + std::string(key));
  }
  // Keys without the prefix.
  Result<Meta> ScanMeta(const std::string& prefix) const;
  Result<Proof> ProveInclusion(std::uint64_t index, std::uint64_t size) const;
  Result<Proof> ProveConsistency(std::uint64_t old_size, std::uint64_t size) const;

  // Signs the committed head, makes it the anchor, returns the note.
  Result<std::string> Checkpoint();

  const std::string& origin() const { return origin_; }
  const Store& store() const { return *store_; }

 private:
  struct Request {
    std::vector<Record> records;
    Meta meta;
    Done done;
  };

  Ledger(std::string dir, std::string origin, std::unique_ptr<Store> store, Head head,
         const Signer& signer, const Clock& clock);
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
  std::thread sequencer_;  // last: uses everything above
};

// Opens the store of `dir` for reading beside a daemon and checks its origin.
struct ReadOnlyLedger {
  std::unique_ptr<Store> store;
  std::string origin;
  Head head;
};
Result<ReadOnlyLedger> OpenReadOnly(const std::string& dir);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_LEDGER_H_
