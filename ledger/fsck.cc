#include "ledger/fsck.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/json.h"
#include "ledger/checkpoint.h"
#include "ledger/retention.h"

namespace proofgate::ledger {
namespace {

constexpr std::size_t kMaxFindings = 100;
constexpr std::uint64_t kBlock = 256;  // entries read and derived at a time
constexpr std::uint8_t kBlockLevel = 8;

class Fsck {
 public:
  Fsck(const Store& store, std::uint64_t min_index, FsckReport& report)
      : store_(store), min_index_(min_index), report_(report) {}

  void Find(std::string what) {
    if (report_.findings.size() < kMaxFindings) report_.findings.push_back(std::move(what));
  }
  bool full() const { return report_.findings.size() >= kMaxFindings; }

  Status Block(std::uint64_t first, std::uint64_t count) {
    const std::vector<std::optional<Digest>> stored = Stored({0, first}, count);
    std::vector<Digest> row(count);
    for (std::uint64_t i = 0; i < count; ++i) row[i] = stored[i].value_or(Digest{});
    for (std::uint64_t next = std::max(first, min_index_); next < first + count && !full();) {
      const Status scanned = store_.ScanEntries(next, first + count, [&](std::uint64_t index, std::string_view leaf) -> Status {
        CheckLeaf(index, leaf);
        row[index - first] = LeafHash(leaf);
        if (const auto& hash = stored[index - first]; hash && *hash != row[index - first])
          Find(fmt::format("entry {}: stored node 0/{} is not the hash of the entry", index, index));
        next = index + 1;
        return {};
      });
      if (!scanned) {
        Find(fmt::format("entry {}: {}", next, scanned.error().message));
        ++next;
      }
    }
    Derive(first, std::move(row));
    return {};
  }

  // Root over what was derived; RFC 6962 2.1 from the smallest complete tree up.
  Digest RootOfDerived(std::uint64_t size) const {
    if (size == 0) return EmptyRoot();
    auto level = static_cast<std::size_t>(std::countr_zero(size));
    Digest root = peaks_[level];
    for (++level; level < 64; ++level)
      if ((size >> level & 1) != 0) root = InnerHash(peaks_[level], root);
    return root;
  }

  // What the entries say may be missing.
  std::uint64_t retained() const { return retained_; }

 private:
  std::vector<std::optional<Digest>> Stored(NodeId first, std::uint64_t count) {
    std::vector<std::optional<Digest>> out(count);
    const auto nodes = store_.ReadNodes(first, count);
    for (std::uint64_t i = 0; i < count; ++i) {
      if (nodes) {
        out[i] = (*nodes)[i];
        continue;
      }
      const auto node = store_.ReadNode({first.level, first.index + i});
      if (node) out[i] = *node;
      else Find(fmt::format("node {}/{}: {}", first.level, first.index + i, node.error().message));
    }
    return out;
  }

  void CheckLeaf(std::uint64_t index, std::string_view leaf) {
    const Status scanned = json::ScanCanonical(leaf, members_);
    if (!scanned) {
      Find(fmt::format("entry {}: {}", index, scanned.error().message));
      return;
    }
    bool has_index = false;
    bool has_kind = false;
    bool retains = false;
    for (const json::Member& member : members_) {
      if (member.name == "index") has_index = member.value == json::Encode(json::Integer(index));
      if (member.name == "kind") {
        has_kind = member.value.size() > 2 && member.value.front() == '"';
        retains = member.value == "\"RETAIN\"";
      }
    }
    if (retains) ReadRetain(index, leaf);
    if (!has_index) Find(fmt::format("entry {}: does not say that it is this entry", index));
    if (!has_kind) Find(fmt::format("entry {}: has no kind", index));
  }

  // The last of them says which entries may be missing.
  void ReadRetain(std::uint64_t index, std::string_view leaf) {
    const auto value = json::Parse(leaf);
    const json::Value* const body = value ? value->Find("body") : nullptr;
    const Result<std::uint64_t> stated =
        body == nullptr ? Result<std::uint64_t>(Fail(Code::kInvalid, "no body")) : json::GetInteger(*body, "min_index");
    if (stated) retained_ = *stated;
    else Find(fmt::format("entry {}: {}", index, stated.error().message));
  }

  void Compare(NodeId id, const std::optional<Digest>& stored, const Digest& derived) {
    if (stored && *stored != derived)
      Find(fmt::format("node {}/{}: the stored one is not the hash of the entries below it", id.level, id.index));
  }

  // Up from a row of leaf hashes to the nodes that they complete.
  void Derive(std::uint64_t first, std::vector<Digest> row) {
    for (std::uint8_t level = 0;; ++level) {
      if (row.size() % 2 != 0) peaks_[level] = row.back();
      if (row.size() < 2) break;
      row.resize(row.size() / 2 * 2);
      for (std::size_t i = 0; i < row.size() / 2; ++i) row[i] = InnerHash(row[2 * i], row[2 * i + 1]);
      row.resize(row.size() / 2);
      const NodeId id{static_cast<std::uint8_t>(level + 1), first >> (level + 1)};
      const auto stored = Stored(id, row.size());
      for (std::size_t i = 0; i < row.size(); ++i) Compare({id.level, id.index + i}, stored[i], row[i]);
      if (id.level == kBlockLevel) {
        Carry(id, row.front());
        break;
      }
    }
  }

  void Carry(NodeId id, Digest hash) {
    while ((id.index & 1) != 0) {
      hash = InnerHash(peaks_[id.level], hash);
      id = {static_cast<std::uint8_t>(id.level + 1), id.index >> 1};
      Compare(id, Stored(id, 1).front(), hash);
    }
    peaks_[id.level] = hash;
  }

  const Store& store_;
  const std::uint64_t min_index_;
  FsckReport& report_;
  std::array<Digest, 64> peaks_{};  // of each level, the newest node that has no sibling yet
  std::vector<json::Member> members_;
  std::uint64_t retained_ = 0;
};

class StepwiseVerification final : public Verification {
 public:
  StepwiseVerification(const Store& store, const Head& head, std::uint64_t min_index)
      : store_(store), head_(head), min_index_(min_index), fsck_(store, min_index, report_) {
    if (min_index > head.size) fsck_.Find("minimum index: beyond the ledger's end");
  }
  void Extends(const PublicKey& key, std::string_view origin, std::string_view anchor, std::span<const HeldHead> held) {
    extends_.assign(held.begin(), held.end());
    const auto anchored = VerifyCheckpoint(key, origin, anchor);
    if (anchored) extends_.push_back({"anchor", *anchored});
    else fsck_.Find("anchor: " + anchored.error().message);
  }

  Result<bool> Step(std::uint64_t entries) override {
    const std::uint64_t until = entries < head_.size - done_ ? done_ + entries : head_.size;
    while (done_ < until && !fsck_.full()) {
      const std::uint64_t count = std::min(kBlock, head_.size - done_);
      TRY(fsck_.Block(done_, count));
      done_ += count;
    }
    return done_ < head_.size && !fsck_.full();
  }
  std::uint64_t done() const override { return done_; }
  std::uint64_t size() const override { return head_.size; }
  std::uint64_t min_index() const override { return min_index_; }

  FsckReport Finish() override {
    report_.head.size = done_;
    if (!fsck_.full() && fsck_.retained() != min_index_)
      fsck_.Find(fmt::format("minimum index: {} is stored, {} follows from the entries", min_index_, fsck_.retained()));
    report_.head.root = fsck_.RootOfDerived(done_);
    if (report_.head != head_) fsck_.Find("head: not the root of the entries");
    // Every stored node that was read is the derived one, or there is a finding.
    const NodeReader read = [this](NodeId id) { return store_.ReadNode(id); };
    for (const HeldHead& other : extends_) {
      if (other.head.size > head_.size) {
        fsck_.Find(fmt::format("{}: has {} entries, the ledger {}", other.holder, other.head.size, head_.size));
        continue;
      }
      const auto root = Root(other.head.size, read);
      if (!root || *root != other.head.root) fsck_.Find(other.holder + ": the ledger does not extend it");
    }
    return std::move(report_);
  }

 private:
  const Store& store_;
  const Head head_;
  const std::uint64_t min_index_;
  FsckReport report_;
  Fsck fsck_;
  std::vector<HeldHead> extends_;
  std::uint64_t done_ = 0;
};

}  // namespace

Result<std::unique_ptr<Verification>> Verification::Begin(const Store& store, const PublicKey& key, std::string_view origin,
                                                          std::string_view anchor, std::span<const HeldHead> held) {
  // Head and minimum of one moment, though the writer goes on.
  std::uint64_t min_index = TRY(ReadMinIndex(store));
  Head head = TRY(store.ReadHead());
  for (std::uint64_t again = TRY(ReadMinIndex(store)); again != min_index; again = TRY(ReadMinIndex(store))) {
    min_index = again;
    head = TRY(store.ReadHead());
  }
  auto verification = std::make_unique<StepwiseVerification>(store, head, min_index);
  verification->Extends(key, origin, anchor, held);
  return verification;
}

Result<FsckReport> Verify(const Store& store, const PublicKey& key, std::string_view origin,
                          std::string_view anchor, std::span<const HeldHead> held,
                          const Progress& progress) {
  constexpr std::uint64_t kStep = 64 * kBlock;
  const auto verification = TRY(Verification::Begin(store, key, origin, anchor, held));
  while (TRY(verification->Step(kStep)))
    if (progress) progress(verification->done(), verification->size());
  return verification->Finish();
}

}  // namespace proofgate::ledger
