// MemoryStore: a Store whose next commit can be made to fail, before or after
// it landed. The bytes outlive the store, as a disk does.

#ifndef PROOFGATE_TESTS_FAKE_MEMORY_STORE_H_
#define PROOFGATE_TESTS_FAKE_MEMORY_STORE_H_

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "ledger/store.h"

namespace proofgate::ledger {

enum class Fault { kNone, kBeforeLanding, kAfterLanding };

struct MemoryDisk {
  std::mutex mutex;
  std::vector<std::string> entries;
  std::uint64_t dropped = 0;  // entries below are gone
  std::map<NodeId, Digest> nodes;
  std::set<std::pair<std::string, std::uint64_t>> terms;
  std::map<std::string, std::string, std::less<>> meta;
  Head head{0, EmptyRoot()};
  Fault next = Fault::kNone;
  int commits = 0;
  int until = 0;              // after so many commits …
  Fault then = Fault::kNone;  // … `next` is this, unless it is kNone
  std::uint64_t reads = 0;    // of nodes and entries
};

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)) {}

  Status Commit(const Batch& batch) override {
    const std::lock_guard lock(disk_->mutex);
    if (disk_->commits++ >= disk_->until && disk_->then != Fault::kNone) disk_->next = disk_->then;
    if (disk_->next == Fault::kBeforeLanding) return Fail(Code::kIo, "disk: no");
    if (batch.first != disk_->entries.size()) return Fail(Code::kCorrupt, "disk: grew");
    for (const std::string& entry : batch.entries) disk_->entries.push_back(entry);
    disk_->terms.insert(batch.terms.begin(), batch.terms.end());
    for (const Node& node : batch.nodes) disk_->nodes[node.id] = node.hash;
    for (const auto& [key, value] : batch.meta) {
      if (value.empty()) {
        disk_->meta.erase(key);
      } else {
        disk_->meta[key] = value;
      }
    }
    disk_->head = batch.head;
    if (disk_->next == Fault::kAfterLanding) return Fail(Code::kIo, "disk: maybe");
    return {};
  }
  Result<Head> ReadHead() const override {
    const std::lock_guard lock(disk_->mutex);
    return disk_->head;
  }
  Result<std::string> ReadEntry(std::uint64_t index) const override {
    const std::lock_guard lock(disk_->mutex);
    ++disk_->reads;
    if (index >= disk_->entries.size() || index < disk_->dropped) return Fail(Code::kNotFound, "entry: absent");
    return disk_->entries[index];
  }
  Result<Digest> ReadNode(NodeId id) const override {
    const std::lock_guard lock(disk_->mutex);
    ++disk_->reads;
    const auto at = disk_->nodes.find(id);
    if (at == disk_->nodes.end()) return Fail(Code::kCorrupt, "node: absent");
    return at->second;
  }
  Status ScanEntries(std::uint64_t from, std::uint64_t to, const VisitEntry& visit) const override {
    for (std::uint64_t index = from; index < to; ++index) {
      const auto leaf = ReadEntry(index);
      if (!leaf) return Fail(Code::kCorrupt, leaf.error().message);
      TRY(visit(index, *leaf));
    }
    return {};
  }
  Result<std::vector<Digest>> ReadNodes(NodeId first, std::size_t count) const override {
    std::vector<Digest> hashes;
    for (std::size_t i = 0; i < count; ++i) hashes.push_back(TRY(ReadNode({first.level, first.index + i})));
    return hashes;
  }
  Result<std::optional<std::string>> ReadMeta(std::string_view key) const override {
    const std::lock_guard lock(disk_->mutex);
    const auto at = disk_->meta.find(key);
    if (at == disk_->meta.end()) return std::optional<std::string>();
    return std::optional<std::string>(at->second);
  }
  Result<std::map<std::string, std::string>> ScanMeta(std::string_view prefix) const override {
    const std::lock_guard lock(disk_->mutex);
    std::map<std::string, std::string> found;
    for (const auto& [key, value] : disk_->meta)
      if (key.compare(0, prefix.size(), prefix) == 0) found.emplace(key, value);
    return found;
  }
  Status ScanTerms(std::string_view first, std::string_view last, const VisitTerm& visit) const override {
    std::set<std::pair<std::string, std::uint64_t>> terms;
    {
      const std::lock_guard lock(disk_->mutex);
      terms = disk_->terms;
    }
    for (auto at = terms.lower_bound({std::string(first), 0}); at != terms.end() && at->first <= last; ++at)
      if (!TRY(visit(at->first, at->second))) break;
    return {};
  }
  Status ClearTerms() override {
    const std::lock_guard lock(disk_->mutex);
    disk_->terms.clear();
    return {};
  }
  Status DropEntries(std::uint64_t below) override {
    const std::lock_guard lock(disk_->mutex);
    if (disk_->next == Fault::kBeforeLanding) return Fail(Code::kIo, "disk: no");
    disk_->dropped = std::max(disk_->dropped, below);
    if (disk_->next == Fault::kAfterLanding) return Fail(Code::kIo, "disk: maybe");
    return {};
  }
  Status Scrub() override { return {}; }
  Status CopyTo(const std::string&) const override { return Fail(Code::kUnsupported, "memory: nothing to copy"); }
  Status CheckFiles() const override { return {}; }
  Result<std::map<std::string, std::uint64_t>> Sizes() const override { return std::map<std::string, std::uint64_t>(); }

 private:
  const std::shared_ptr<MemoryDisk> disk_;
};

}  // namespace proofgate::ledger

#endif  // PROOFGATE_TESTS_FAKE_MEMORY_STORE_H_
