#include "ledger/ledger.h"

#include <future>

#include "base/durable.h"
#include "ledger/checkpoint.h"
#include "ledger/rocks_store.h"

namespace proofgate::ledger {
namespace {

constexpr std::size_t kGroupRecords = 4096;
constexpr const char* kOriginKey = "origin";
constexpr const char* kFormatKey = "format";
constexpr const char* kFormat = "1";

Result<std::string> EncodeLeaf(const Record& record, std::uint64_t index, const Clock& clock) {
  json::Object leaf;
  leaf["format"] = 1;
  leaf["kind"] = record.kind;
  leaf["index"] = json::Integer(index);
  leaf["utc"] = FormatUtc(clock.Utc());
  leaf["boot_ns"] = json::Integer(clock.Boot().ns);
  leaf["body"] = record.body;
  std::string bytes = json::Encode(json::Value(std::move(leaf)));
  if (bytes.size() > kMaxLeafBytes)
    return Fail(Code::kInvalid, "record " + record.kind + ": " + std::to_string(bytes.size()) +
                                    " bytes, at most " + std::to_string(kMaxLeafBytes));
  return bytes;
}

Status CheckFormat(const Store& store) {
  const auto format = TRY(store.ReadMeta(kFormatKey));
  if (!format) return Fail(Code::kCorrupt, "ledger: no format in the store");
  if (*format != kFormat)
    return Fail(Code::kUnsupported, "ledger: format " + *format + " (this version knows 1)");
  return {};
}

Result<std::string> ReadOrigin(const Store& store) {
  TRY(CheckFormat(store));
  auto origin = TRY(store.ReadMeta(kOriginKey));
  if (!origin || !IsOrigin(*origin)) return Fail(Code::kCorrupt, "ledger: no origin in the store");
  return std::move(*origin);
}

}  // namespace

std::string StorePath(const std::string& dir) { return dir + "/store"; }
std::string AnchorPath(const std::string& dir) { return dir + "/anchor"; }

Ledger::Ledger(std::string dir, std::string origin, std::unique_ptr<Store> store, Head head,
               const Signer& signer, const Clock& clock)
    : dir_(std::move(dir)),
      origin_(std::move(origin)),
      store_(std::move(store)),
      signer_(signer),
      clock_(clock),
      head_(head),
      sequencer_([this] { Sequence(); }) {}

Ledger::~Ledger() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  sequencer_.join();
}

Result<std::unique_ptr<Ledger>> Ledger::Create(const std::string& dir, std::string_view origin,
                                               std::unique_ptr<Store> store, const Signer& signer,
                                               const Clock& clock) {
  if (!IsOrigin(origin)) return Fail(Code::kInvalid, "origin: printable ASCII without spaces or '+' expected");
  const Head head = TRY(store->ReadHead());
  if (head.size != 0) return Fail(Code::kInvalid, "ledger " + dir + ": exists");
  Batch first;
  first.head = head;
  first.meta[kOriginKey] = origin;
  first.meta[kFormatKey] = kFormat;
  TRY(store->Commit(first));
  std::unique_ptr<Ledger> ledger(
      new Ledger(dir, std::string(origin), std::move(store), head, signer, clock));
  TRY(ledger->Checkpoint());
  return ledger;
}

Result<std::unique_ptr<Ledger>> Ledger::Open(const std::string& dir, std::unique_ptr<Store> store,
                                             const Signer& signer, const Clock& clock) {
  std::string origin = TRY(ReadOrigin(*store));
  const Head head = TRY(store->ReadHead());
  const NodeReader read = [&store](NodeId id) { return store->ReadNode(id); };
  if (TRY(Root(head.size, read)) != head.root)
    return Fail(Code::kCorrupt, "ledger " + dir + ": the head is not the root of its nodes");
  const std::string anchor = TRY(ReadFile(AnchorPath(dir), 1 << 16));
  const Head anchored = TRY(VerifyCheckpoint(signer.public_key(), origin, anchor));
  if (anchored.size > head.size)
    return Fail(Code::kCorrupt,
                "ledger " + dir + ": REFUSED_ROLLBACK: the anchor has " +
                    std::to_string(anchored.size) + " entries, the store " +
                    std::to_string(head.size));
  if (TRY(Root(anchored.size, read)) != anchored.root)
    return Fail(Code::kCorrupt, "ledger " + dir + ": REFUSED_ROLLBACK: the store does not extend the anchor");
  return std::unique_ptr<Ledger>(
      new Ledger(dir, std::move(origin), std::move(store), head, signer, clock));
}

Result<Position> Ledger::Append(std::vector<Record> records, Meta meta) {
  std::promise<Result<Position>> promise;
  AppendAsync(std::move(records), std::move(meta),
              [&promise](Result<Position> result) { promise.set_value(std::move(result)); });
  return promise.get_future().get();
}

void Ledger::AppendAsync(std::vector<Record> records, Meta meta, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (halted_ && !stop_) {
      queue_.push_back({std::move(records), std::move(meta), std::move(done)});
      wake_.notify_one();
      return;
    }
  }
  done(Fail(Code::kIo, "ledger halted"));
}

Head Ledger::head() const {
  const std::lock_guard lock(mutex_);
  return head_;
}

Result<Meta> Ledger::ScanMeta(const std::string& prefix) const {
  const std::string start = "user/" + prefix;
  Meta found;
  const Meta stored = TRY(store_->ScanMeta(start));
  for (const auto& [key, value] : stored) found.emplace(key.substr(start.size()), value);
  return found;
}

Result<Proof> Ledger::ProveInclusion(std::uint64_t index, std::uint64_t size) const {
  if (size > head().size) return Fail(Code::kInvalid, "proof: size beyond the ledger's");
  return InclusionProof(index, size, [this](NodeId id) { return store_->ReadNode(id); });
}

Result<Proof> Ledger::ProveConsistency(std::uint64_t old_size, std::uint64_t size) const {
  if (size > head().size) return Fail(Code::kInvalid, "proof: size beyond the ledger's");
  return ConsistencyProof(old_size, size, [this](NodeId id) { return store_->ReadNode(id); });
}

Result<std::string> Ledger::Checkpoint() {
  const std::lock_guard anchor_lock(checkpoint_mutex_);
  Head committed;
  {
    const std::lock_guard lock(mutex_);
    TRY(halted_);
    committed = head_;
  }
  std::string note = SignCheckpoint(signer_, origin_, committed);
  TRY(WriteFileDurably(AnchorPath(dir_), note, 0644));
  return note;
}

void Ledger::Sequence() {
  for (;;) {
    std::vector<Request> group;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
      if (queue_.empty()) return;  // stopping, and everything accepted is done
      std::size_t records = 0;
      while (!queue_.empty() && records < kGroupRecords) {
        records += queue_.front().records.size();
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    CommitGroup(std::move(group));
  }
}

void Ledger::CommitGroup(std::vector<Request> group) {
  Head before;
  Status halted;
  {
    const std::lock_guard lock(mutex_);
    before = head_;
    halted = halted_;
  }
  Batch batch;
  batch.first = before.size;
  std::map<NodeId, Digest> fresh;  // nodes of this batch
  const NodeReader read = [&](NodeId id) -> Result<Digest> {
    const auto at = fresh.find(id);
    if (at != fresh.end()) return at->second;
    return store_->ReadNode(id);
  };
  std::vector<std::pair<Done, Position>> waiting;
  for (Request& request : group) {
    if (!halted) {
      request.done(tl::unexpected(halted.error()));
      continue;
    }
    const std::uint64_t first = batch.first + batch.entries.size();
    std::vector<std::string> leaves;
    Status encoded;
    for (const Record& record : request.records) {
      auto leaf = EncodeLeaf(record, first + leaves.size(), clock_);
      if (!leaf) {
        encoded = tl::unexpected(leaf.error());
        break;
      }
      leaves.push_back(std::move(*leaf));
    }
    if (!encoded) {
      request.done(tl::unexpected(encoded.error()));
      continue;
    }
    for (std::string& leaf : leaves) {
      const std::uint64_t index = batch.first + batch.entries.size();
      auto nodes = AppendNodes(index, LeafHash(leaf), read);
      if (!nodes) {
        halted = tl::unexpected(nodes.error());
        break;
      }
      for (const Node& node : *nodes) {
        fresh[node.id] = node.hash;
        batch.nodes.push_back(node);
      }
      batch.entries.push_back(std::move(leaf));
    }
    for (auto& [key, value] : request.meta) batch.meta["user/" + key] = std::move(value);
    for (std::size_t i = 0; i < request.records.size(); ++i)
      if (!request.records[i].index_key.empty())
        batch.meta["user/" + request.records[i].index_key] = std::to_string(first + i);
    waiting.emplace_back(std::move(request.done), Position{first, first + leaves.size()});
  }
  if (halted && !waiting.empty()) {
    batch.head.size = batch.first + batch.entries.size();
    auto root = Root(batch.head.size, read);
    if (!root) {
      halted = tl::unexpected(root.error());
    } else {
      batch.head.root = *root;
      halted = store_->Commit(batch);
    }
  }
  {
    const std::lock_guard lock(mutex_);
    if (halted) {
      if (!waiting.empty()) head_ = batch.head;
    } else if (halted_) {
      halted_ = Fail(halted.error().code, "ledger halted: " + halted.error().message);
    }
    halted = halted_;
  }
  for (auto& [done, position] : waiting) {
    if (halted) {
      done(position);
    } else {
      done(tl::unexpected(halted.error()));
    }
  }
}

Result<ReadOnlyLedger> OpenReadOnly(const std::string& dir) {
  ReadOnlyLedger ledger;
  ledger.store = TRY(OpenRocksStore(StorePath(dir), StoreAccess::kRead));
  ledger.origin = TRY(ReadOrigin(*ledger.store));
  ledger.head = TRY(ledger.store->ReadHead());
  return ledger;
}

}  // namespace proofgate::ledger
