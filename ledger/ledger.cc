#include "ledger/ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <future>

#include "base/durable.h"
#include "base/fd.h"
#include "ledger/checkpoint.h"
#include "ledger/index.h"
#include "ledger/retention.h"
#include "ledger/rocks_store.h"

namespace proofgate::ledger {
namespace {

constexpr std::size_t kGroupRecords = kMaxEntriesABatch;
constexpr std::size_t kMaxNoteBytes = 1 << 16;
constexpr const char* kOriginKey = "origin";
constexpr const char* kFormatKey = "format";
constexpr const char* kImportedKey = "imported";
constexpr const char* kMinIndexKey = "min_index";
// The digest of the anchor that a new origin or key has made old, until a new
// one is written.
constexpr const char* kSupersededKey = "superseded";
constexpr std::string_view kOldKeyPrefix = "old_key/";
constexpr const char* kFormat = "2";         // 2: with the index
constexpr const char* kFormatWithoutIndex = "1";
constexpr const char* kRotateNamespace = "rotate@proofgate";

struct Leaf {
  std::string bytes;
  std::vector<std::string> terms;
};

Result<Leaf> EncodeLeaf(const Record& record, std::uint64_t index, const Clock& clock) {
  const std::string utc = FormatUtc(clock.Utc());
  json::Object leaf;
  leaf["format"] = 1;
  leaf["kind"] = record.kind;
  leaf["index"] = json::Integer(index);
  leaf["utc"] = utc;
  leaf["boot_ns"] = json::Integer(clock.Boot().ns);
  leaf["body"] = record.body;
  Leaf out{json::Encode(json::Value(std::move(leaf))), TermsOf(record.kind, utc, record.body)};
  if (out.bytes.size() > kMaxLeafBytes)
    return Fail(Code::kInvalid, "record " + record.kind + ": " + std::to_string(out.bytes.size()) +
                                    " bytes, at most " + std::to_string(kMaxLeafBytes));
  return out;
}

// Grows a batch by entries; reads nodes that are not in it from the store.
class BatchBuilder {
 public:
  BatchBuilder(const Store& store, std::uint64_t first) : store_(store) { batch.first = first; }

  std::uint64_t next() const { return batch.first + batch.entries.size(); }
  Status Add(Leaf leaf) {
    const std::uint64_t index = next();
    for (const Node& node : TRY(AppendNodes(index, LeafHash(leaf.bytes), [this](NodeId id) { return Read(id); }))) {
      fresh_[node.id] = node.hash;
      batch.nodes.push_back(node);
    }
    for (std::string& term : leaf.terms) batch.terms.emplace_back(std::move(term), index);
    batch.entries.push_back(std::move(leaf.bytes));
    return {};
  }
  Status SetHead() {
    batch.head.size = next();
    batch.head.root = TRY(Root(batch.head.size, [this](NodeId id) { return Read(id); }));
    return {};
  }

  Batch batch;

 private:
  Result<Digest> Read(NodeId id) const {
    const auto at = fresh_.find(id);
    if (at != fresh_.end()) return at->second;
    return store_.ReadNode(id);
  }

  const Store& store_;
  std::map<NodeId, Digest> fresh_;
};

// One record and what goes with it, without a sequencer.
Status CommitOne(Store& store, const Record& record, Meta state, const Clock& clock) {
  BatchBuilder builder(store, TRY(store.ReadHead()).size);
  TRY(builder.Add(TRY(EncodeLeaf(record, builder.next(), clock))));
  TRY(builder.SetHead());
  builder.batch.meta = std::move(state);
  return store.Commit(builder.batch);
}

// kFormat, or an older one that Open migrates.
Result<std::string> ReadFormat(const Store& store) {
  auto format = TRY(store.ReadMeta(kFormatKey));
  if (!format) return Fail(Code::kCorrupt, "ledger: no format in the store");
  if (*format != kFormat && *format != kFormatWithoutIndex)
    return Fail(Code::kUnsupported, "ledger: format " + *format + " (this version knows " + kFormat + ")");
  return std::move(*format);
}

Result<std::string> ReadOrigin(const Store& store) {
  TRY(ReadFormat(store));
  auto origin = TRY(store.ReadMeta(kOriginKey));
  if (!origin || !IsOrigin(*origin)) return Fail(Code::kCorrupt, "ledger: no origin in the store");
  return std::move(*origin);
}

// Refuses a store that does not extend a signed head.
Status CheckExtends(const Store& store, const Head& head, const Head& signed_head, const std::string& what) {
  if (signed_head.size > head.size)
    return Fail(Code::kCorrupt, "REFUSED_ROLLBACK: " + what + " has " + std::to_string(signed_head.size) + " entries, the store " +
                                    std::to_string(head.size));
  if (TRY(Root(signed_head.size, [&store](NodeId id) { return store.ReadNode(id); })) != signed_head.root)
    return Fail(Code::kCorrupt, "REFUSED_ROLLBACK: the store does not extend " + what);
  return {};
}

json::Object HeadJson(const Head& head) { return {{"size", json::Integer(head.size)}, {"root", Hex(head.root)}}; }

bool Exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// The cosigned checkpoint of this origin, if there is one; it may be by a key
// that was rotated away since.
Result<std::optional<Head>> ReadCosigned(const std::string& dir, const Store& store, const std::string& origin, const PublicKey& key) {
  if (!Exists(CosignedPath(dir))) return std::optional<Head>();
  const std::string note = TRY(ReadFile(CosignedPath(dir), kMaxNoteBytes));
  if (TRY(ClaimedOrigin(note)) != origin) return std::optional<Head>();  // of before a new origin
  const auto head = VerifyCheckpoint(key, origin, note);
  if (head) return std::optional<Head>(*head);
  for (const auto& [name, line] : TRY(store.ScanMeta(kOldKeyPrefix))) {
    const auto old_head = VerifyCheckpoint(TRY(ParseOpenSshPublicKey(line)), origin, note);
    if (old_head) return std::optional<Head>(*old_head);
  }
  return tl::unexpected(head.error());
}

std::uint64_t Bucket(std::uint64_t value) { return static_cast<std::uint64_t>(std::bit_width(value)); }

}  // namespace

std::string StorePath(const std::string& dir) { return dir + "/store"; }
std::string AnchorPath(const std::string& dir) { return dir + "/anchor"; }
std::string CosignedPath(const std::string& dir) { return dir + "/cosigned"; }

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
  if (TRY(store->ReadMeta(kImportedKey))) return Fail(Code::kUnsupported, "ledger " + dir + ": an import, for reading only");
  Head head = TRY(store->ReadHead());
  const NodeReader read = [&store](NodeId id) { return store->ReadNode(id); };
  if (TRY(Root(head.size, read)) != head.root)
    return Fail(Code::kCorrupt, "ledger " + dir + ": the head is not the root of its nodes");
  const std::string anchor = TRY(ReadFile(AnchorPath(dir), kMaxNoteBytes));
  const auto superseded = TRY(store->ReadMeta(kSupersededKey));
  const bool is_superseded = superseded && *superseded == Hex(Sha256(anchor));
  if (!is_superseded) {
    TRY(CheckExtends(*store, head, TRY(VerifyCheckpoint(signer.public_key(), origin, anchor)), "the anchor"));
    if (const auto cosigned = TRY(ReadCosigned(dir, *store, origin, signer.public_key())))
      TRY(CheckExtends(*store, head, *cosigned, "the cosigned checkpoint"));
  }
  // What a crash interrupted, and what an older version lacks.
  const std::uint64_t min_index = TRY(ReadMinIndex(*store));
  if (min_index != 0 && store->ReadEntry(min_index - 1)) TRY(store->DropEntries(min_index));
  if (const std::string format = TRY(ReadFormat(*store)); format != kFormat) {
    TRY(RebuildIndex(*store, nullptr));
    Record migrated{"MIGRATED", {{"from_format", format}, {"to_format", kFormat}}};
    TRY(CommitOne(*store, migrated, {{kFormatKey, kFormat}}, clock));
    head = TRY(store->ReadHead());
  }
  std::unique_ptr<Ledger> ledger(new Ledger(dir, std::move(origin), std::move(store), head, signer, clock));
  if (is_superseded) TRY(ledger->Checkpoint());
  return ledger;
}

Status Ledger::ContinueAs(const std::string& dir, Store& store, std::string_view new_origin, const std::string& why,
                          const Signer& signer, const Clock& clock) {
  const std::string origin = TRY(ReadOrigin(store));
  if (!IsOrigin(new_origin) || new_origin == origin) return Fail(Code::kInvalid, "origin: another one than " + origin + " expected");
  const Head head = TRY(store.ReadHead());
  if (TRY(Root(head.size, [&store](NodeId id) { return store.ReadNode(id); })) != head.root)
    return Fail(Code::kCorrupt, "ledger " + dir + ": the head is not the root of its nodes");
  const std::string anchor = TRY(ReadFile(AnchorPath(dir), kMaxNoteBytes));
  Head lost = TRY(VerifyCheckpoint(signer.public_key(), origin, anchor));
  bool rolled_back = !CheckExtends(store, head, lost, "the anchor");
  if (const auto cosigned = TRY(ReadCosigned(dir, store, origin, signer.public_key()))) {
    if (!CheckExtends(store, head, *cosigned, "the cosigned checkpoint")) {
      if (!rolled_back || cosigned->size > lost.size) lost = *cosigned;
      rolled_back = true;
    }
  }
  if (!rolled_back) return Fail(Code::kInvalid, "ledger " + dir + ": nothing was rolled back; it goes on as " + origin);
  Record record{"ORIGIN", {{"origin", std::string(new_origin)}, {"old_origin", origin}, {"why", json::Bytes(why)},
                           {"lost_head", HeadJson(lost)}, {"kept_head", HeadJson(head)}, {"old_anchor", json::Bytes(anchor)}}};
  TRY(CommitOne(store, record, {{kOriginKey, std::string(new_origin)}, {kSupersededKey, Hex(Sha256(anchor))}}, clock));
  return WriteFileDurably(AnchorPath(dir), SignCheckpoint(signer, new_origin, TRY(store.ReadHead())), 0644);
}

Status Ledger::RotateKey(const std::string& dir, Store& store, const Signer& old_signer, const Signer& new_signer,
                         const std::string& why, const Clock& clock, const std::function<Status()>& install) {
  const std::string origin = TRY(ReadOrigin(store));
  const Head head = TRY(store.ReadHead());
  const std::string anchor = TRY(ReadFile(AnchorPath(dir), kMaxNoteBytes));
  TRY(CheckExtends(store, head, TRY(VerifyCheckpoint(old_signer.public_key(), origin, anchor)), "the anchor"));
  // Signed by the old key with all it vouches for: the last head that is its.
  const std::string last = SignCheckpoint(old_signer, origin, head);
  TRY(WriteFileDurably(AnchorPath(dir), last, 0644));
  const std::string new_key = new_signer.public_key().OpenSsh();
  Record record{"KEY", {{"new_key", new_key}, {"old_key", old_signer.public_key().OpenSsh()}, {"why", json::Bytes(why)},
                        {"old_checkpoint", json::Bytes(last)},
                        {"signature", json::Bytes(SshSign(old_signer, kRotateNamespace, origin + "\n" + new_key + "\n"))}}};
  const std::string old_key = old_signer.public_key().OpenSsh();
  TRY(CommitOne(store, record, {{kSupersededKey, Hex(Sha256(last))}, {std::string(kOldKeyPrefix) + Hex(Sha256(old_key)), old_key}}, clock));
  // From here on a start needs the new key, and takes the old anchor as superseded.
  TRY(install());
  return WriteFileDurably(AnchorPath(dir), SignCheckpoint(new_signer, origin, TRY(store.ReadHead())), 0644);
}

Result<Position> Ledger::Append(std::vector<Record> records, Meta meta) {
  std::promise<Result<Position>> promise;
  AppendAsync(std::move(records), std::move(meta),
              [&promise](Result<Position> result) { promise.set_value(std::move(result)); });
  return promise.get_future().get();
}

Result<Position> Ledger::AppendWithState(std::vector<Record> records, Meta state) {
  std::promise<Result<Position>> promise;
  Enqueue({std::move(records), {}, [&promise](Result<Position> result) { promise.set_value(std::move(result)); }, std::move(state)});
  return promise.get_future().get();
}

void Ledger::AppendAsync(std::vector<Record> records, Meta meta, Done done) {
  Enqueue({std::move(records), std::move(meta), std::move(done)});
}

void Ledger::Enqueue(Request request) {
  {
    const std::lock_guard lock(mutex_);
    if (halted_ && !stop_) {
      queue_.push_back(std::move(request));
      wake_.notify_one();
      return;
    }
  }
  request.done(Fail(Code::kIo, "ledger halted"));
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

Status Ledger::KeepBallast(std::uint64_t bytes, FreeSpace free_space) {
  auto ballast = std::make_unique<Ballast>(dir_, bytes, std::move(free_space));
  const std::lock_guard lock(mutex_);
  if (ballast_) return Fail(Code::kInvalid, "ledger " + dir_ + ": keeps a ballast already");
  disk_full_ = ballast->IsFull();
  ballast_ = std::move(ballast);
  return {};
}

bool Ledger::is_disk_full() const {
  const std::lock_guard lock(mutex_);
  return disk_full_;
}

Status Ledger::Backup(const std::string& dir) {
  std::error_code error;
  if (!std::filesystem::create_directory(dir, error)) return Fail(Code::kInvalid, dir + ": " + (error ? error.message() : "exists"));
  // The anchor first: the copy that follows has at least its entries.
  TRY(WriteFileDurably(AnchorPath(dir), TRY(Checkpoint()), 0644));
  if (Exists(CosignedPath(dir_))) TRY(WriteFileDurably(CosignedPath(dir), TRY(ReadFile(CosignedPath(dir_), kMaxNoteBytes)), 0644));
  TRY(store_->CopyTo(StorePath(dir)));
  const Fd parent(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.is_open() || ::syncfs(parent.get()) != 0) return FailErrno(errno, "sync " + dir);
  return {};
}

Status Ledger::KeepCosigned(std::string_view note) {
  const std::lock_guard lock(checkpoint_mutex_);
  const Head cosigned = TRY(VerifyCheckpoint(signer_.public_key(), origin_, note));
  if (!CheckExtends(*store_, head(), cosigned, "the cosigned checkpoint"))
    return Fail(Code::kInvalid, "cosigned checkpoint: this ledger does not extend it");
  const auto kept = ReadCosigned(dir_, *store_, origin_, signer_.public_key());
  if (kept && *kept && (*kept)->size > cosigned.size) return Fail(Code::kInvalid, "cosigned checkpoint: older than the one that is kept");
  return WriteFileDurably(CosignedPath(dir_), note, 0644);
}

Ledger::Figures Ledger::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
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
  bool disk_full = false;
  {
    const std::lock_guard lock(mutex_);
    before = head_;
    halted = halted_;
    if (ballast_) disk_full_ = ballast_->IsFull();
    disk_full = disk_full_;
  }
  BatchBuilder builder(*store_, before.size);
  Batch& batch = builder.batch;
  std::vector<std::pair<Done, Position>> waiting;
  for (Request& request : group) {
    if (!halted) {
      request.done(tl::unexpected(halted.error()));
      continue;
    }
    const bool gives = std::any_of(request.records.begin(), request.records.end(),
                                   [](const Record& record) { return record.authority == Authority::kGives; });
    if (disk_full && gives) {
      request.done(Fail(Code::kBusy, "ledger: DISK_FULL: nothing new is authorised until there is room"));
      continue;
    }
    const std::uint64_t first = builder.next();
    std::vector<Leaf> leaves;
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
    const std::size_t count = leaves.size();
    for (Leaf& leaf : leaves) {
      halted = builder.Add(std::move(leaf));
      if (!halted) break;
    }
    for (auto& [key, value] : request.meta) batch.meta["user/" + key] = std::move(value);
    for (auto& [key, value] : request.state) batch.meta[key] = std::move(value);
    for (std::size_t i = 0; i < request.records.size(); ++i)
      if (!request.records[i].index_key.empty())
        batch.meta["user/" + request.records[i].index_key] = std::to_string(first + i);
    waiting.emplace_back(std::move(request.done), Position{first, first + count});
  }
  std::uint64_t commit_us = 0;
  if (halted && !waiting.empty()) {
    halted = builder.SetHead();
    if (halted) {
      const auto start = std::chrono::steady_clock::now();
      halted = store_->Commit(batch);
      commit_us = static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start).count());
    }
  }
  {
    const std::lock_guard lock(mutex_);
    if (halted) {
      if (!waiting.empty()) {
        head_ = batch.head;
        ++figures_.commits;
        figures_.records += batch.entries.size();
        ++figures_.commit_us[Bucket(commit_us)];
        figures_.commit.Add(commit_us);
        ++figures_.group[Bucket(batch.entries.size())];
      }
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

Status MarkImported(Store& store, std::string_view origin, std::uint64_t min_index) {
  Batch batch;
  batch.head = TRY(store.ReadHead());
  batch.first = batch.head.size;
  batch.meta[kOriginKey] = origin;
  batch.meta[kFormatKey] = kFormat;
  batch.meta[kImportedKey] = "1";
  if (min_index != 0) batch.meta[kMinIndexKey] = std::to_string(min_index);
  return store.Commit(batch);
}

}  // namespace proofgate::ledger
