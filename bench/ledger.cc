// bench_ledger: what the ledger costs beside what its disk costs. Not a test.
//
//   bench_ledger append DIR [SECONDS]   entries/s and latency of durable appends
//     by 1, 8 and 64 writers; and the same batches, byte for byte, into bare
//     RocksDB, into a file with one fdatasync each, into SQLite (WAL, full sync)
//   bench_ledger read DIR ENTRIES       proof time and verify rate at a size
//
// Entries are JSON of about 600 bytes, as an ACT has. DIR is removed and made.

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>
#include <thread>

#include "base/fd.h"
#include "ledger/checkpoint.h"
#include "ledger/fsck.h"
#include "ledger/index.h"
#include "ledger/ledger.h"
#include "ledger/rocks_store.h"

namespace proofgate::ledger {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr const char* kOrigin = "bench.example/ledger";

// Of this process: what one core would have needed on an idle machine.
double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double Seconds(SteadyClock::time_point since) { return std::chrono::duration<double>(SteadyClock::now() - since).count(); }

[[noreturn]] void Stop(const Error& error) {
  fmt::print(stderr, "bench_ledger: {}\n", error.message);
  std::exit(1);
}
template <class T>
T Must(Result<T> result) {
  if (!result) Stop(result.error());
  return std::move(*result);
}
void Must(Status status) {
  if (!status) Stop(status.error());
}

json::Object Body(std::uint64_t n) {
  return {{"domain", "billing-agent"}, {"seq", json::Integer(n)}, {"kind", "write"}, {"op", "open for writing"},
          {"receipt", Hex(Sha256(std::to_string(n % 100)))}, {"path", fmt::format("/srv/invoices/2026/11/invoice-{:08}.csv", n % 5000)},
          {"program", "/usr/bin/python3.11"}, {"comm", "python3"}, {"pid", 4711}, {"tid", 4711}, {"uid", 1000},
          {"cgroup", "/sys/fs/cgroup/billing.slice/run-42.scope"}, {"ino", json::Integer(n)}, {"dev", 66306},
          {"act_boot_ns", json::Integer(1'000'000'000 + n)}, {"canon_entry", 17}};
}

// Remembers what was committed, so that others can be given the same.
class RecordingStore final : public Store {
 public:
  RecordingStore(std::unique_ptr<Store> store, std::vector<Batch>& batches) : store_(std::move(store)), batches_(batches) {}
  Status Commit(const Batch& batch) override {
    batches_.push_back(batch);
    return store_->Commit(batch);
  }
  Result<Head> ReadHead() const override { return store_->ReadHead(); }
  Result<std::string> ReadEntry(std::uint64_t index) const override { return store_->ReadEntry(index); }
  Result<Digest> ReadNode(NodeId id) const override { return store_->ReadNode(id); }
  Status ScanEntries(std::uint64_t from, std::uint64_t to, const VisitEntry& visit) const override { return store_->ScanEntries(from, to, visit); }
  Result<std::vector<Digest>> ReadNodes(NodeId first, std::size_t count) const override { return store_->ReadNodes(first, count); }
  Status ScanTerms(std::string_view first, std::string_view last, const VisitTerm& visit) const override { return store_->ScanTerms(first, last, visit); }
  Result<std::optional<std::string>> ReadMeta(std::string_view key) const override { return store_->ReadMeta(key); }
  Result<std::map<std::string, std::string>> ScanMeta(std::string_view prefix) const override { return store_->ScanMeta(prefix); }
  Status ClearTerms() override { return store_->ClearTerms(); }
  Status DropEntries(std::uint64_t below) override { return store_->DropEntries(below); }
  Status Scrub() override { return store_->Scrub(); }
  Status CopyTo(const std::string& dir) const override { return store_->CopyTo(dir); }
  Status CheckFiles() const override { return store_->CheckFiles(); }
  Result<std::map<std::string, std::uint64_t>> Sizes() const override { return store_->Sizes(); }

 private:
  const std::unique_ptr<Store> store_;
  std::vector<Batch>& batches_;
};

std::uint64_t EntriesOf(const std::vector<Batch>& batches) {
  std::uint64_t entries = 0;
  for (const Batch& batch : batches) entries += batch.entries.size();
  return entries;
}

double BareRocks(const std::string& dir, const std::vector<Batch>& batches) {
  std::filesystem::remove_all(dir);
  const auto store = Must(OpenRocksStore(dir, StoreAccess::kCreate));
  const auto start = SteadyClock::now();
  for (const Batch& batch : batches) Must(store->Commit(batch));
  return static_cast<double>(EntriesOf(batches)) / Seconds(start);
}

double BareFile(const std::string& path, const std::vector<Batch>& batches) {
  std::filesystem::remove(path);
  const Fd file(open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600));
  const auto start = SteadyClock::now();
  for (const Batch& batch : batches) {
    std::string bytes;
    for (const std::string& entry : batch.entries) bytes += entry + "\n";
    if (write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) || fdatasync(file.get()) != 0) std::exit(1);
  }
  return static_cast<double>(EntriesOf(batches)) / Seconds(start);
}

double Sqlite(const std::string& path, const std::vector<Batch>& batches) {
  for (const char* const end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
  sqlite3* db = nullptr;
  const auto run = [&db](const char* sql) {
    if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) std::exit(1);
  };
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK) std::exit(1);
  run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE entries(i INTEGER PRIMARY KEY, leaf BLOB)");
  sqlite3_stmt* insert = nullptr;
  if (sqlite3_prepare_v2(db, "INSERT INTO entries VALUES(?,?)", -1, &insert, nullptr) != SQLITE_OK) std::exit(1);
  const auto start = SteadyClock::now();
  for (const Batch& batch : batches) {
    run("BEGIN");
    for (std::size_t i = 0; i < batch.entries.size(); ++i) {
      sqlite3_bind_int64(insert, 1, static_cast<sqlite3_int64>(batch.first + i));
      sqlite3_bind_blob(insert, 2, batch.entries[i].data(), static_cast<int>(batch.entries[i].size()), SQLITE_STATIC);
      if (sqlite3_step(insert) != SQLITE_DONE || sqlite3_reset(insert) != SQLITE_OK) std::exit(1);
    }
    run("COMMIT");
  }
  const double rate = static_cast<double>(EntriesOf(batches)) / Seconds(start);
  sqlite3_finalize(insert);
  sqlite3_close(db);
  return rate;
}

int Append(const std::string& dir, double seconds) {
  fmt::print("durable appends, one record each; latency in us\n");
  fmt::print("{:>8} {:>10} {:>7} {:>7} {:>7} {:>8} {:>11} {:>11} {:>11} {:>10}\n", "writers", "entries/s", "p50", "p99", "p99.9", "a group",
             "rocksdb/s", "fdatasync/s", "sqlite/s", "of rocksdb");
  const SystemClock clock;
  for (const int writers : {1, 8, 64}) {
    std::filesystem::remove_all(dir);
    std::filesystem::create_directories(dir + "/ledger");
    const auto signer = Must(CreateSigner(dir + "/key", "bench"));
    std::vector<Batch> batches;
    auto store = std::make_unique<RecordingStore>(Must(OpenRocksStore(StorePath(dir + "/ledger"), StoreAccess::kCreate)), batches);
    const auto ledger = Must(Ledger::Create(dir + "/ledger", kOrigin, std::move(store), *signer, clock));
    batches.clear();
    std::vector<std::vector<double>> latencies(static_cast<std::size_t>(writers));
    std::vector<std::thread> threads;
    const auto start = SteadyClock::now();
    for (int writer = 0; writer < writers; ++writer)
      threads.emplace_back([&, writer] {
        auto& mine = latencies[static_cast<std::size_t>(writer)];
        for (std::uint64_t n = static_cast<std::uint64_t>(writer) * 1'000'000; Seconds(start) < seconds; ++n) {
          const auto before = SteadyClock::now();
          Must(ledger->Append({{"ACT", Body(n)}}));
          mine.push_back(Seconds(before) * 1e6);
        }
      });
    for (std::thread& thread : threads) thread.join();
    const double took = Seconds(start);
    std::vector<double> all;
    for (const auto& mine : latencies) all.insert(all.end(), mine.begin(), mine.end());
    std::sort(all.begin(), all.end());
    const auto percentile = [&all](double p) { return all[std::min(all.size() - 1, static_cast<std::size_t>(p * static_cast<double>(all.size())))]; };
    const double ours = static_cast<double>(all.size()) / took;
    Batch first;
    first.head = {0, EmptyRoot()};
    const double rocks = BareRocks(dir + "/bare", batches);
    const double file = BareFile(dir + "/file", batches);
    const double sqlite = Sqlite(dir + "/sqlite", batches);
    fmt::print("{:>8} {:>10.0f} {:>7.0f} {:>7.0f} {:>7.0f} {:>8.1f} {:>11.0f} {:>11.0f} {:>11.0f} {:>10.2f}\n", writers, ours, percentile(0.5),
               percentile(0.99), percentile(0.999), static_cast<double>(all.size()) / static_cast<double>(batches.size()), rocks, file, sqlite,
               ours / rocks);
  }
  return 0;
}

long PeakMebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

// Entries straight into the store: what is measured is reading.
Head Fill(Store& store, std::uint64_t entries) {
  std::uint64_t done = 0;
  std::array<Digest, 64> edge{};  // newest node of each level
  while (done < entries) {
    Batch batch;
    batch.first = done;
    for (std::uint64_t i = 0; i < kMaxEntriesABatch && done < entries; ++i, ++done) {
      std::string leaf = json::Encode(json::Object{{"format", 1}, {"kind", "ACT"}, {"index", json::Integer(done)}, {"utc", "2026-11-24T12:00:00.000Z"},
                                                   {"boot_ns", json::Integer(done)}, {"body", Body(done)}});
      Digest hash = LeafHash(leaf);
      batch.nodes.push_back({{0, done}, hash});
      std::uint64_t index = done;
      std::uint8_t level = 0;
      for (; (index & 1) != 0; index >>= 1) {
        hash = InnerHash(edge[level], hash);
        ++level;
        batch.nodes.push_back({{level, index >> 1}, hash});
      }
      edge[level] = hash;
      batch.entries.push_back(std::move(leaf));
    }
    batch.head.size = done;
    std::map<NodeId, Digest> fresh;
    for (const Node& node : batch.nodes) fresh[node.id] = node.hash;
    batch.head.root = Must(Root(done, [&](NodeId id) -> Result<Digest> {
      const auto at = fresh.find(id);
      return at != fresh.end() ? Result<Digest>(at->second) : store.ReadNode(id);
    }));
    Must(store.Commit(batch));
    if (done % 1'000'000 < kMaxEntriesABatch && isatty(2) != 0) fmt::print(stderr, "\r{} entries", done);
  }
  return Must(store.ReadHead());
}

int Read(const std::string& dir, std::uint64_t entries) {
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  const auto signer = Must(CreateSigner(dir + "/key", "bench"));
  Head head;
  {
    const auto store = Must(OpenRocksStore(dir + "/store", StoreAccess::kCreate));
    head = Fill(*store, entries);
    Must(MarkImported(*store, kOrigin, 0));
  }
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir + "/store"))
    if (entry.is_regular_file()) bytes += entry.file_size();
  fmt::print("{} entries, {:.0f} bytes each on disk, peak memory so far {} MiB\n", entries, static_cast<double>(bytes) / static_cast<double>(entries), PeakMebibytes());
  auto start = SteadyClock::now();
  const auto store = Must(OpenRocksStore(dir + "/store", StoreAccess::kRead));
  const NodeReader read = [&store](NodeId id) { return store->ReadNode(id); };
  if (Must(Root(head.size, read)) != head.root) return 1;
  fmt::print("open and check the frontier: {:.1f} ms\n", Seconds(start) * 1e3);
  std::mt19937_64 random(1);
  std::vector<double> times;
  for (int i = 0; i < 2'000; ++i) {
    const std::uint64_t index = random() % entries;
    const double before = CpuSeconds();
    const Proof proof = Must(InclusionProof(index, head.size, read));
    times.push_back((CpuSeconds() - before) * 1e6);
    if (i % 100 == 0) Must(VerifyInclusion(index, head.size, LeafHash(Must(store->ReadEntry(index))), proof, head.root));
  }
  std::sort(times.begin() + 1'000, times.end());  // the first thousand warm the cache
  fmt::print("inclusion proof, processor time: p50 {:.0f} us, p99 {:.0f} us\n", times[1'500], times[1'990]);
  const std::string anchor = SignCheckpoint(*signer, kOrigin, head);
  const double before_verify = CpuSeconds();
  const FsckReport report = Must(Verify(*store, signer->public_key(), kOrigin, anchor, {}, nullptr));
  const double verify = CpuSeconds() - before_verify;
  if (!report.findings.empty()) {
    fmt::print("{}\n", report.findings.front());
    return 1;
  }
  std::uint64_t leaf_bytes = 0;
  Must(store->ScanEntries(0, std::min<std::uint64_t>(entries, 1'000), [&leaf_bytes](std::uint64_t, std::string_view leaf) -> Status {
    leaf_bytes += leaf.size();
    return {};
  }));
  const double leaf = static_cast<double>(leaf_bytes) / static_cast<double>(std::min<std::uint64_t>(entries, 1'000));
  fmt::print("verify, processor time: {:.0f} entries/s, {:.0f} MB/s of leaves; peak memory {} MiB\n", static_cast<double>(entries) / verify,
             static_cast<double>(entries) * leaf / verify / 1e6, PeakMebibytes());
  return 0;
}

}  // namespace
}  // namespace proofgate::ledger

int main(int argc, char** argv) {
  using namespace proofgate::ledger;
  const std::string command = argc > 2 ? argv[1] : "";
  if (command == "append") return Append(argv[2], argc > 3 ? std::atof(argv[3]) : 5);
  if (command == "read" && argc > 3) return Read(argv[2], std::strtoull(argv[3], nullptr, 10));
  fmt::print(stderr, "Usage: bench_ledger append DIR [SECONDS] | read DIR ENTRIES\n");
  return 2;
}
