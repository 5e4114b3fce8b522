#include "ledger/rocks_store.h"

#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

namespace proofgate::ledger {
namespace {

constexpr std::string_view kHeadKey = "head";
constexpr std::string_view kMetaPrefix = "m/";
enum Family : std::size_t { kDefault, kEntries, kNodes, kIndex, kFamilies };
constexpr std::array<const char*, kFamilies> kFamilyNames = {"default", "entries", "nodes", "index"};

void PutBig64(std::uint64_t value, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
}

std::uint64_t GetBig64(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::string EntryKey(std::uint64_t index) {
  std::string key;
  PutBig64(index, key);
  return key;
}

std::string NodeKey(NodeId id) {
  std::string key(1, static_cast<char>(id.level));
  PutBig64(id.index, key);
  return key;
}

std::string TermKey(std::string_view term, std::uint64_t index) {
  std::string key(term);
  key += '\0';
  PutBig64(index, key);
  return key;
}

rocksdb::Slice AsSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

tl::unexpected<Error> FromRocks(const rocksdb::Status& status, const std::string& what) {
  const Code code = status.IsCorruption()   ? Code::kCorrupt
                    : status.IsNotFound()   ? Code::kNotFound
                    : status.IsIOError()    ? Code::kIo
                    : status.IsBusy()       ? Code::kBusy
                    : status.IsInvalidArgument() ? Code::kInvalid
                                            : Code::kIo;
  return Fail(code, what + ": " + status.ToString());
}

rocksdb::DBOptions Options(StoreAccess access) {
  rocksdb::DBOptions options;
  options.create_if_missing = access == StoreAccess::kCreate;
  options.create_missing_column_families = access != StoreAccess::kRead;  // the index came with format 2
  options.error_if_exists = access == StoreAccess::kCreate;
  // A torn record at the end of the WAL is a write that was never acknowledged
  // and is dropped; damage anywhere else is an error. (kPointInTimeRecovery
  // would drop acknowledged writes behind the damage without a word.)
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.paranoid_checks = true;
  // A reader opens every file at once, so that what it sees stays whole while
  // the writer compacts and deletes files.
  options.max_open_files = access == StoreAccess::kRead ? -1 : 256;
  options.keep_log_file_num = 2;
  options.max_log_file_size = 1 << 20;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.max_total_wal_size = 64 << 20;
  options.stats_dump_period_sec = 0;
  return options;
}

rocksdb::ColumnFamilyOptions FamilyOptions(Family family) {
  rocksdb::ColumnFamilyOptions options;
  // Hashes do not shrink; a proof reads some forty of them.
  if (family == kNodes) options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = 8 << 20;
  options.max_write_buffer_number = 3;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(family == kNodes ? 16 << 20 : 4 << 20);
  table.verify_compression = false;
  // A proof asks for nodes of many ages, so each look-up would search many files.
  if (family == kNodes) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

class RocksStore final : public Store {
 public:
  RocksStore() = default;
  ~RocksStore() override {
    for (rocksdb::ColumnFamilyHandle* handle : handles_)
      if (handle != nullptr) db_->DestroyColumnFamilyHandle(handle);
    if (db_) db_->Close().PermitUncheckedError();
  }

  Status Open(const std::string& dir, StoreAccess access) {
    dir_ = dir;
    if (access == StoreAccess::kRead) {
      std::vector<std::string> present;
      const rocksdb::Status listed = rocksdb::DB::ListColumnFamilies(Options(access), dir, &present);
      if (listed.ok() && present.size() < kFamilies)
        return Fail(Code::kUnsupported, "ledger " + dir + ": an older format; starting the daemon once migrates it");
    }
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (std::size_t family = 0; family < kFamilies; ++family)
      families.emplace_back(kFamilyNames[family], FamilyOptions(static_cast<Family>(family)));
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status =
        access == StoreAccess::kRead
            ? rocksdb::DB::OpenForReadOnly(Options(access), dir, families, &handles_, &db)
            : rocksdb::DB::Open(Options(access), dir, families, &handles_, &db);
    if (!status.ok()) return FromRocks(status, "ledger " + dir);
    db_.reset(db);
    return {};
  }

  Status Commit(const Batch& batch) override {
    const Head before = TRY(ReadHead());
    if (before.size != batch.first)
      return Fail(Code::kCorrupt, "ledger " + dir_ + ": grew behind our back");
    rocksdb::WriteBatch write;
    rocksdb::Status status;
    const auto put = [&](Family family, std::string_view key, std::string_view value) {
      if (status.ok())
        status = write.Put(handles_[family], rocksdb::Slice(key.data(), key.size()),
                           rocksdb::Slice(value.data(), value.size()));
    };
    std::uint64_t index = batch.first;
    for (const std::string& entry : batch.entries) put(kEntries, EntryKey(index++), entry);
    for (const Node& node : batch.nodes) put(kNodes, NodeKey(node.id), AsView(node.hash));
    for (const auto& [term, index_of] : batch.terms) put(kIndex, TermKey(term, index_of), "");
    for (const auto& [key, value] : batch.meta) {
      const std::string name = std::string(kMetaPrefix) + key;
      if (!value.empty()) {
        put(kDefault, name, value);
      } else if (status.ok()) {
        status = write.Delete(handles_[kDefault], name);
      }
    }
    std::string head;
    PutBig64(batch.head.size, head);
    head += AsView(batch.head.root);
    put(kDefault, kHeadKey, head);
    if (!status.ok()) return FromRocks(status, "ledger " + dir_);
    rocksdb::WriteOptions options;
    options.sync = true;
    status = db_->Write(options, &write);
    if (!status.ok()) return FromRocks(status, "commit to ledger " + dir_);
    return {};
  }

  Result<Head> ReadHead() const override {
    const auto value = TRY(Get(kDefault, std::string(kHeadKey)));
    if (!value) return Head{0, EmptyRoot()};
    if (value->size() != 40) return Fail(Code::kCorrupt, "ledger " + dir_ + ": head is damaged");
    Head head;
    head.size = GetBig64(*value);
    for (std::size_t i = 0; i < head.root.size(); ++i)
      head.root[i] = static_cast<std::uint8_t>((*value)[8 + i]);
    return head;
  }

  Result<std::string> ReadEntry(std::uint64_t index) const override {
    auto value = TRY(Get(kEntries, EntryKey(index)));
    if (!value) return Fail(Code::kNotFound, "entry " + std::to_string(index) + ": not in the ledger");
    return std::move(*value);
  }

  Result<Digest> ReadNode(NodeId id) const override {
    const auto value = TRY(Get(kNodes, NodeKey(id)));
    Digest hash{};
    if (!value || value->size() != hash.size()) return MissingNode(id);
    for (std::size_t i = 0; i < hash.size(); ++i) hash[i] = static_cast<std::uint8_t>((*value)[i]);
    return hash;
  }

  Status ScanEntries(std::uint64_t from, std::uint64_t to, const VisitEntry& visit) const override {
    const std::string end = EntryKey(to);
    const rocksdb::Slice bound(end);
    const std::unique_ptr<rocksdb::Iterator> at(NewScan(kEntries, bound));
    at->Seek(EntryKey(from));
    for (std::uint64_t index = from; index < to; ++index, at->Next()) {
      if (!at->status().ok()) return FromRocks(at->status(), "read ledger " + dir_);
      if (!at->Valid() || at->key() != EntryKey(index))
        return Fail(Code::kCorrupt, "entry " + std::to_string(index) + ": not in the store");
      TRY(visit(index, {at->value().data(), at->value().size()}));
    }
    return {};
  }

  Result<std::vector<Digest>> ReadNodes(NodeId first, std::size_t count) const override {
    const std::string end = NodeKey({first.level, first.index + count});
    const rocksdb::Slice bound(end);
    const std::unique_ptr<rocksdb::Iterator> at(NewScan(kNodes, bound));
    std::vector<Digest> hashes(count);
    at->Seek(NodeKey(first));
    for (std::size_t i = 0; i < count; ++i, at->Next()) {
      if (!at->status().ok()) return FromRocks(at->status(), "read ledger " + dir_);
      if (!at->Valid() || at->key() != NodeKey({first.level, first.index + i}) || at->value().size() != sizeof(Digest))
        return MissingNode({first.level, first.index + i});
      std::copy_n(at->value().data(), sizeof(Digest), hashes[i].begin());
    }
    return hashes;
  }

  Status ScanTerms(std::string_view first, std::string_view last, const VisitTerm& visit) const override {
    const rocksdb::Slice bound("\xff\xff");
    const std::unique_ptr<rocksdb::Iterator> at(NewScan(kIndex, bound));
    for (at->Seek(AsSlice(first)); at->Valid(); at->Next()) {
      const std::string_view key(at->key().data(), at->key().size());
      if (key.size() < 9 || key[key.size() - 9] != '\0') return Fail(Code::kCorrupt, "ledger " + dir_ + ": the index is damaged");
      const std::string_view term = key.substr(0, key.size() - 9);
      if (term > last) return {};
      if (!TRY(visit(term, GetBig64(key.substr(key.size() - 8))))) return {};
    }
    if (!at->status().ok()) return FromRocks(at->status(), "read ledger " + dir_);
    return {};
  }

  Status ClearTerms() override { return Delete(kIndex, "", "\xff\xff"); }

  Status DropEntries(std::uint64_t below) override { return Delete(kEntries, EntryKey(0), EntryKey(below)); }

  Status Scrub() override {
    // The log is written out and its file removed; then the files of meta, which
    // are small, are written anew.
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    rocksdb::Status status = db_->Flush(rocksdb::FlushOptions(), handles_);
    if (status.ok()) status = db_->CompactRange(options, handles_[kDefault], nullptr, nullptr);
    if (!status.ok()) return FromRocks(status, "scrub ledger " + dir_);
    return {};
  }

  Status CopyTo(const std::string& dir) const override {
    rocksdb::Checkpoint* made = nullptr;
    rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &made);
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    if (status.ok()) status = checkpoint->CreateCheckpoint(dir);
    if (!status.ok()) return FromRocks(status, "copy ledger " + dir_);
    return {};
  }

  Status CheckFiles() const override {
    const rocksdb::Status status = db_->VerifyChecksum();
    // Beside a writer: a file that it has compacted away since. We hold ours open.
    if (status.IsPathNotFound()) return {};
    if (!status.ok()) return FromRocks(status, "ledger " + dir_);
    return {};
  }

  Result<std::map<std::string, std::uint64_t>> Sizes() const override {
    std::map<std::string, std::uint64_t> sizes;
    for (std::size_t family = 0; family < kFamilies; ++family) {
      std::uint64_t bytes = 0;
      if (db_->GetIntProperty(handles_[family], rocksdb::DB::Properties::kTotalSstFilesSize, &bytes)) sizes[kFamilyNames[family]] += bytes;
      if (db_->GetIntProperty(handles_[family], rocksdb::DB::Properties::kCurSizeAllMemTables, &bytes)) sizes["in memory"] += bytes;
    }
    return sizes;
  }

  Result<std::optional<std::string>> ReadMeta(std::string_view key) const override {
    return Get(kDefault, std::string(kMetaPrefix) + std::string(key));
  }

  Result<std::map<std::string, std::string>> ScanMeta(std::string_view prefix) const override {
    const std::string start = std::string(kMetaPrefix) + std::string(prefix);
    std::map<std::string, std::string> found;
    const std::unique_ptr<rocksdb::Iterator> at(
        db_->NewIterator(rocksdb::ReadOptions(), handles_[kDefault]));
    for (at->Seek(start); at->Valid() && at->key().starts_with(start); at->Next())
      found.emplace(at->key().ToString().substr(kMetaPrefix.size()), at->value().ToString());
    if (!at->status().ok()) return FromRocks(at->status(), "read ledger " + dir_);
    return found;
  }

 private:
  Status Delete(Family family, const std::string& from, const std::string& to) {
    rocksdb::WriteBatch write;
    rocksdb::Status status = write.DeleteRange(handles_[family], from, to);
    rocksdb::WriteOptions options;
    options.sync = true;
    if (status.ok()) status = db_->Write(options, &write);
    if (!status.ok()) return FromRocks(status, "ledger " + dir_);
    return {};
  }

  tl::unexpected<Error> MissingNode(NodeId id) const {
    return Fail(Code::kCorrupt, "ledger " + dir_ + ": node " + std::to_string(id.level) + "/" +
                                    std::to_string(id.index) + " is missing or damaged");
  }

  // Streams: reads ahead and leaves the cache to others. `bound` outlives it.
  // (The pointer is kept by the iterator, so no temporary.)
  rocksdb::Iterator* NewScan(Family family, const rocksdb::Slice& bound) const {
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &bound;
    options.fill_cache = false;
    return db_->NewIterator(options, handles_[family]);
  }

  Result<std::optional<std::string>> Get(Family family, const std::string& key) const {
    std::string value;
    const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), handles_[family], key, &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return FromRocks(status, "read ledger " + dir_);
    return std::optional<std::string>(std::move(value));
  }

  std::string dir_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

}  // namespace

Result<std::unique_ptr<Store>> OpenRocksStore(const std::string& dir, StoreAccess access) {
  try {
    auto store = std::make_unique<RocksStore>();
    TRY(store->Open(dir, access));
    return store;
  } catch (const std::exception& error) {
    return Fail(Code::kIo, "ledger " + dir + ": " + error.what());
  }
}

}  // namespace proofgate::ledger
