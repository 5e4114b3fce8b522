// Store: the ledger's durable bytes. RocksStore on disk, MemoryStore in tests.
//
// One writer. Reads may run on any thread beside it.

#ifndef PROOFGATE_LEDGER_STORE_H_
#define PROOFGATE_LEDGER_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "ledger/merkle.h"

namespace proofgate::ledger {

struct Head {
  std::uint64_t size = 0;
  Digest root{};
  bool operator==(const Head&) const = default;
};

// Called now and then by what takes long.
using Progress = std::function<void(std::uint64_t done, std::uint64_t size)>;

struct Batch {
  std::uint64_t first = 0;           // index of entries[0]
  std::vector<std::string> entries;  // canonical leaves
  std::vector<Node> nodes;           // completed by them
  Head head;                         // after them; signed later, from committed heads only
  std::vector<std::pair<std::string, std::uint64_t>> terms;  // of the index: index.h
  std::map<std::string, std::string> meta;  // an empty value removes the key
};

class Store {
 public:
  virtual ~Store() = default;

  // Writes all of the batch, or nothing, and returns once it would survive
  // power loss. kCorrupt if `batch.first` is not the current size: someone else
  // has written. After any error the batch may have landed: do not go on with
  // this Store; open it again and compare.
  virtual Status Commit(const Batch& batch) = 0;

  virtual Result<Head> ReadHead() const = 0;  // of an empty store: size 0, EmptyRoot()
  virtual Result<std::string> ReadEntry(std::uint64_t index) const = 0;  // kNotFound
  virtual Result<Digest> ReadNode(NodeId id) const = 0;                  // kCorrupt if absent
  // Entries [from, to) in order, one after the other and never all at once.
  // kCorrupt when one is absent; stops at the first error of `visit`, whose view
  // is valid only inside the call.
  using VisitEntry = std::function<Status(std::uint64_t index, std::string_view leaf)>;
  virtual Status ScanEntries(std::uint64_t from, std::uint64_t to, const VisitEntry& visit) const = 0;
  // `count` consecutive nodes of a level. kCorrupt if one is absent.
  virtual Result<std::vector<Digest>> ReadNodes(NodeId first, std::size_t count) const = 0;
  // Index postings with first ≤ term ≤ last, by term and then by entry, until
  // `visit` returns false or an error.
  using VisitTerm = std::function<Result<bool>(std::string_view term, std::uint64_t index)>;
  virtual Status ScanTerms(std::string_view first, std::string_view last, const VisitTerm& visit) const = 0;
  virtual Result<std::optional<std::string>> ReadMeta(std::string_view key) const = 0;
  // All keys that start with `prefix`, in order.
  virtual Result<std::map<std::string, std::string>> ScanMeta(std::string_view prefix) const = 0;

  // Each of these may be repeated after a crash, and is durable on return.
  virtual Status ClearTerms() = 0;
  virtual Status DropEntries(std::uint64_t below) = 0;  // their nodes stay
  // What was removed from meta is in no file any more.
  virtual Status Scrub() = 0;

  // A consistent copy at `dir`, which must not exist, while commits go on.
  // kUnsupported where there is nothing on disk.
  virtual Status CopyTo(const std::string& dir) const = 0;
  // Reads every block of every file. kCorrupt when a checksum does not fit.
  virtual Status CheckFiles() const = 0;
  // Bytes on disk by part, about.
  virtual Result<std::map<std::string, std::uint64_t>> Sizes() const = 0;
};

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_STORE_H_
