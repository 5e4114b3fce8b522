#include "ledger/export.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "base/durable.h"
#include "base/fd.h"
#include "base/json.h"
#include "ledger/checkpoint.h"
#include "ledger/index.h"
#include "ledger/ledger.h"
#include "ledger/ocsf.h"
#include "ledger/retention.h"
#include "ledger/rocks_store.h"
#include "ledger/usage.h"

namespace proofgate::ledger {
namespace {

constexpr std::size_t kMaxManifestBytes = 16 << 20;
constexpr std::size_t kMaxFiles = 100'000;
constexpr std::size_t kMaxNoteBytes = 1 << 16;
constexpr std::size_t kBufferBytes = 1 << 18;

// A file that gets its name when it is whole and durable.
class DigestWriter {
 public:
  explicit DigestWriter(std::string path) : path_(std::move(path)) {}

  Status Open() {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
    if (error) return FailErrno(error.value(), path_);
    file_ = Fd(::open((path_ + ".new").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file_.is_open()) return FailErrno(errno, "open " + path_ + ".new");
    return {};
  }
  Status Write(std::string_view bytes) {
    buffer_ += bytes;
    return buffer_.size() < kBufferBytes ? Status() : Flush();
  }
  Status Finish(ManifestFile& file) {
    TRY(Flush());
    if (::fsync(file_.get()) != 0) return FailErrno(errno, "fsync " + path_ + ".new");
    file_.Close();
    if (::rename((path_ + ".new").c_str(), path_.c_str()) != 0) return FailErrno(errno, "rename " + path_);
    file.bytes = bytes_;
    file.sha256 = hash_.Finish();
    return {};
  }

 private:
  Status Flush() {
    hash_.Update(buffer_);
    bytes_ += buffer_.size();
    std::string_view left = buffer_;
    while (!left.empty()) {
      const ssize_t written = ::write(file_.get(), left.data(), left.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return FailErrno(errno, "write " + path_ + ".new");
      left.remove_prefix(static_cast<std::size_t>(written));
    }
    buffer_.clear();
    return {};
  }

  const std::string path_;
  Fd file_;
  std::string buffer_;
  std::uint64_t bytes_ = 0;
  Sha256Stream hash_;
};

// Hands the bytes of a file on in pieces; returns size and digest.
Status ReadThrough(const std::string& path, ManifestFile& file, const std::function<Status(std::string_view)>& visit) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.is_open()) return FailErrno(errno, "open " + path);
  std::vector<char> buffer(kBufferBytes);
  Sha256Stream hash;
  file.bytes = 0;
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailErrno(errno, "read " + path);
    if (got == 0) break;
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    hash.Update(bytes);
    file.bytes += bytes.size();
    if (visit) TRY(visit(bytes));
  }
  file.sha256 = hash.Finish();
  return {};
}

bool IsSafePath(std::string_view path) {
  if (path.empty() || path.size() > 200 || path.front() == '/' || path.find("..") != std::string_view::npos) return false;
  for (const char c : path)
    if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '/' && c != '.' && c != '-') return false;
  return true;
}

// Calls `write` for each entry of a segment and makes its file; one that is
// there is taken as it is.
Status Segments(const Store& store, std::uint64_t from, std::uint64_t to, std::uint64_t per_file, const std::string& kind,
                const std::string& dir, const Progress& progress,
                const std::function<Result<std::string>(std::string_view leaf)>& line, Manifest& manifest) {
  for (std::uint64_t first = from; first < to;) {
    // The same borders whatever the size is, so that a later export finds them.
    const std::uint64_t last = std::min((first / per_file + 1) * per_file, to);
    ManifestFile file;
    file.kind = kind;
    file.first = first;
    file.count = last - first;
    file.path = fmt::format("{}/{:012}-{:012}.jsonl", kind, first, last);
    const std::string path = dir + "/" + file.path;
    if (::access(path.c_str(), F_OK) == 0) {
      TRY(ReadThrough(path, file, nullptr));
    } else {
      DigestWriter out(path);
      TRY(out.Open());
      TRY(store.ScanEntries(first, last, [&](std::uint64_t, std::string_view leaf) -> Status {
        TRY(out.Write(TRY(line(leaf))));
        return out.Write("\n");
      }));
      TRY(out.Finish(file));
    }
    manifest.files.push_back(std::move(file));
    first = last;
    if (progress) progress(last, to);
  }
  return {};
}

Result<std::string> HostOf(const Store& store) {
  std::string host;
  Query query;
  query.kind = "START";
  query.limit = 1;
  TRY(RunQuery(store, query, [&host](std::uint64_t, const json::Value& leaf) -> Status {
    if (const json::Value* const body = leaf.Find("body")) host = json::GetString(*body, "host").value_or("");
    return {};
  }));
  return host.empty() ? "unknown" : host;
}

// Files of an earlier export at another size.
Status RemoveOthers(const std::string& dir, const Manifest& manifest) {
  std::set<std::string> named;
  for (const ManifestFile& file : manifest.files) named.insert(dir + "/" + file.path);
  for (const char* const kind : {"entries", "ocsf"}) {
    std::error_code error;
    std::vector<std::string> others;
    for (const auto& entry : std::filesystem::directory_iterator(dir + "/" + kind, error))
      if (!named.contains(entry.path().string())) others.push_back(entry.path().string());
    for (const std::string& other : others)
      if (::unlink(other.c_str()) != 0) return FailErrno(errno, other);
  }
  return {};
}

}  // namespace

std::string ManifestPath(const std::string& dir) { return dir + "/manifest.json"; }
std::string ManifestSignaturePath(const std::string& dir) { return dir + "/manifest.json.sig"; }

std::string FormatManifest(const Manifest& manifest) {
  json::Array files;
  for (const ManifestFile& file : manifest.files)
    files.push_back(json::Object{{"path", file.path}, {"kind", file.kind}, {"bytes", json::Integer(file.bytes)},
                                 {"first", json::Integer(file.first)}, {"count", json::Integer(file.count)},
                                 {"sha256", Hex(file.sha256)}});
  return json::Encode(json::Object{{"format", 1}, {"origin", manifest.origin}, {"utc", manifest.utc},
                                   {"size", json::Integer(manifest.size)}, {"min_index", json::Integer(manifest.min_index)},
                                   {"root", Hex(manifest.root)}, {"files", std::move(files)}});
}

Result<Manifest> ParseManifest(std::string_view bytes) {
  if (bytes.size() > kMaxManifestBytes) return Fail(Code::kInvalid, "manifest: larger than 16 MiB");
  const json::Value value = TRY(json::Parse(bytes));
  Manifest manifest;
  if (TRY(json::GetInteger(value, "format")) != 1) return Fail(Code::kUnsupported, "manifest: format 1 expected");
  manifest.origin = TRY(json::GetString(value, "origin"));
  if (!IsOrigin(manifest.origin)) return Fail(Code::kInvalid, "manifest: origin expected");
  manifest.utc = TRY(json::GetString(value, "utc"));
  manifest.size = TRY(json::GetInteger(value, "size"));
  manifest.min_index = TRY(json::GetInteger(value, "min_index"));
  manifest.root = TRY(ParseDigest(TRY(json::GetString(value, "root"))));
  if (manifest.min_index > manifest.size) return Fail(Code::kInvalid, "manifest: minimum index beyond the size");
  const json::Value* const files = value.Find("files");
  if (files == nullptr || !files->is_array() || files->array().size() > kMaxFiles)
    return Fail(Code::kInvalid, "manifest: files expected, at most 100000");
  std::uint64_t next = manifest.min_index;
  for (const json::Value& row : files->array()) {
    ManifestFile file;
    file.path = TRY(json::GetString(row, "path"));
    file.kind = TRY(json::GetString(row, "kind"));
    file.bytes = TRY(json::GetInteger(row, "bytes"));
    file.first = TRY(json::GetInteger(row, "first"));
    file.count = TRY(json::GetInteger(row, "count"));
    file.sha256 = TRY(ParseDigest(TRY(json::GetString(row, "sha256"))));
    if (!IsSafePath(file.path)) return Fail(Code::kInvalid, "manifest: path of a file below the directory expected");
    if (file.kind == "entries") {
      if (file.first != next || file.count == 0 || file.count > manifest.size - next)
        return Fail(Code::kInvalid, "manifest: entries do not follow one another");
      next += file.count;
    }
    manifest.files.push_back(std::move(file));
  }
  if (FormatManifest(manifest) != bytes) return Fail(Code::kInvalid, "manifest: unknown members");
  return manifest;
}

Result<std::string> ExportFiles(const Store& store, const Head& head, std::string_view origin, std::string_view checkpoint,
                                const PublicKey& log_key, const Clock& clock, const ExportRequest& request,
                                const std::string& dir, const Progress& progress) {
  if (TRY(VerifyCheckpoint(log_key, origin, checkpoint)) != head)
    return Fail(Code::kInvalid, "export: the checkpoint is not of that head");
  Manifest manifest;
  manifest.origin = origin;
  manifest.utc = FormatUtc(clock.Utc());
  manifest.size = head.size;
  manifest.min_index = std::min(TRY(ReadMinIndex(store)), head.size);
  manifest.root = head.root;
  const std::uint64_t from = manifest.min_index;
  if (from != 0) {
    ManifestFile file;
    file.kind = "hashes";
    file.path = "hashes";
    file.count = from;
    DigestWriter out(dir + "/" + file.path);
    TRY(out.Open());
    for (std::uint64_t first = 0; first < from; first += kMaxEntriesABatch)
      for (const Digest& hash : TRY(store.ReadNodes({0, first}, static_cast<std::size_t>(std::min(kMaxEntriesABatch, from - first)))))
        TRY(out.Write(AsView(hash)));
    TRY(out.Finish(file));
    manifest.files.push_back(std::move(file));
  }
  if (request.entries)
    TRY(Segments(store, from, head.size, request.segment_entries, "entries", dir, progress,
                 [](std::string_view leaf) -> Result<std::string> { return std::string(leaf); }, manifest));
  if (request.ocsf) {
    const std::string host = TRY(HostOf(store));
    TRY(Segments(store, from, head.size, request.segment_entries, "ocsf", dir, progress,
                 [&](std::string_view leaf) -> Result<std::string> {
                   return json::Encode(TRY(ToOcsf(TRY(json::Parse(leaf)), std::string(origin), host)));
                 },
                 manifest));
  }
  const auto add = [&](const std::string& name, std::string_view bytes) -> Status {
    ManifestFile file;
    file.kind = name == "usage.csv" ? "usage" : name;
    file.path = name;
    DigestWriter out(dir + "/" + name);
    TRY(out.Open());
    TRY(out.Write(bytes));
    TRY(out.Finish(file));
    manifest.files.push_back(std::move(file));
    return {};
  };
  if (request.usage) {
    Usage usage;
    TRY(store.ScanEntries(from, head.size, [&usage](std::uint64_t, std::string_view leaf) -> Status {
      return usage.Add(TRY(json::Parse(leaf)), leaf.size());
    }));
    TRY(add("usage.csv", usage.Csv()));
  }
  TRY(add("checkpoint", checkpoint));
  TRY(RemoveOthers(dir, manifest));
  std::string bytes = FormatManifest(manifest);
  TRY(WriteFileDurably(ManifestPath(dir), bytes, 0600));
  return bytes;
}

namespace {

// Takes leaves or hashes in order and commits them to a fresh store.
class Importer {
 public:
  Importer(Store& store, const Manifest& manifest) : store_(store), manifest_(manifest) {}

  Status AddHash(std::string_view bytes) {
    Digest hash{};
    std::copy(bytes.begin(), bytes.end(), hash.begin());
    return Add(hash);
  }
  Status AddLeaf(std::string_view leaf) {
    const json::Value value = TRY(json::Parse(leaf));
    if (TRY(json::GetInteger(value, "index")) != size_)
      return Fail(Code::kCorrupt, fmt::format("entry {}: says that it is another one", size_));
    const json::Value* const body = value.Find("body");
    if (body == nullptr || !body->is_object()) return Fail(Code::kCorrupt, fmt::format("entry {}: no body", size_));
    // A batch's entries follow its first index: hashes that stand before go first.
    if (batch_.entries.empty() && batch_.first != size_) TRY(Flush());
    for (std::string& term : TermsOf(TRY(json::GetString(value, "kind")), TRY(json::GetString(value, "utc")), body->object()))
      batch_.terms.emplace_back(std::move(term), size_);
    batch_.entries.emplace_back(leaf);
    return Add(LeafHash(leaf));
  }
  Status Flush() {
    batch_.head.size = size_;
    batch_.head.root = TRY(Root(size_, [this](NodeId id) { return ReadNode(id); }));
    TRY(store_.Commit(batch_));
    batch_ = {};
    batch_.first = size_;
    fresh_.clear();
    return {};
  }
  std::uint64_t size() const { return size_; }

 private:
  Status Add(const Digest& hash) {
    if (size_ == manifest_.size) return Fail(Code::kInvalid, "export: more entries than the manifest says");
    for (const Node& node : TRY(AppendNodes(size_, hash, [this](NodeId id) { return ReadNode(id); }))) {
      fresh_[node.id] = node.hash;
      batch_.nodes.push_back(node);
    }
    ++size_;
    if (fresh_.size() >= 2 * kMaxEntriesABatch) return Flush();
    return {};
  }
  Result<Digest> ReadNode(NodeId id) const {
    const auto at = fresh_.find(id);
    if (at != fresh_.end()) return at->second;
    return store_.ReadNode(id);
  }

  Store& store_;
  const Manifest& manifest_;
  Batch batch_;
  std::map<NodeId, Digest> fresh_;
  std::uint64_t size_ = 0;
};

Status ImportHashes(const std::string& dir, const ManifestFile& file, ManifestFile& found, Importer& importer) {
  std::string rest;
  TRY(ReadThrough(dir + "/" + file.path, found, [&](std::string_view bytes) -> Status {
    rest += bytes;
    std::string_view left = rest;
    for (; left.size() >= sizeof(Digest); left.remove_prefix(sizeof(Digest))) TRY(importer.AddHash(left.substr(0, sizeof(Digest))));
    rest = std::string(left);
    return {};
  }));
  if (!rest.empty()) return Fail(Code::kInvalid, file.path + ": hashes of 32 bytes expected");
  return {};
}

Status ImportEntries(const std::string& dir, const ManifestFile& file, ManifestFile& found, Importer& importer) {
  std::string rest;
  TRY(ReadThrough(dir + "/" + file.path, found, [&](std::string_view bytes) -> Status {
    rest += bytes;
    std::size_t start = 0;
    for (std::size_t end = 0; (end = rest.find('\n', start)) != std::string::npos; start = end + 1)
      TRY(importer.AddLeaf(std::string_view(rest).substr(start, end - start)));
    rest.erase(0, start);
    if (rest.size() > kMaxLeafBytes) return Fail(Code::kInvalid, file.path + ": a line is too long");
    return {};
  }));
  if (!rest.empty()) return Fail(Code::kInvalid, file.path + ": the last line has no end");
  return {};
}

Result<Imported> ImportInto(const std::string& dir, const PublicKey& key, const std::string& ledger_dir, const Progress& progress) {
  const std::string bytes = TRY(ReadFile(ManifestPath(dir), kMaxManifestBytes));
  TRY(SshVerify(key, kExportNamespace, bytes, TRY(ReadFile(ManifestSignaturePath(dir), kMaxNoteBytes))));
  const Manifest manifest = TRY(ParseManifest(bytes));
  const std::string checkpoint = TRY(ReadFile(dir + "/checkpoint", kMaxNoteBytes));
  const Head head = TRY(VerifyCheckpoint(key, manifest.origin, checkpoint));
  if (head.size != manifest.size || head.root != manifest.root)
    return Fail(Code::kDenied, "export: the checkpoint is not the manifest's");
  const std::unique_ptr<Store> store = TRY(OpenRocksStore(StorePath(ledger_dir), StoreAccess::kCreate));
  Importer importer(*store, manifest);
  for (const ManifestFile& file : manifest.files) {
    ManifestFile found;
    if (file.kind == "hashes") TRY(ImportHashes(dir, file, found, importer));
    else if (file.kind == "entries") TRY(ImportEntries(dir, file, found, importer));
    else TRY(ReadThrough(dir + "/" + file.path, found, nullptr));
    if (found.bytes != file.bytes || found.sha256 != file.sha256)
      return Fail(Code::kDenied, file.path + ": not the file that the manifest names");
    if (progress) progress(importer.size(), manifest.size);
  }
  TRY(importer.Flush());
  if (TRY(store->ReadHead()) != head)
    return Fail(Code::kCorrupt, fmt::format("export: its entries are not those of the checkpoint ({} of {} are there)", importer.size(), head.size));
  TRY(MarkImported(*store, manifest.origin, manifest.min_index));
  TRY(WriteFileDurably(AnchorPath(ledger_dir), checkpoint, 0644));
  return Imported{manifest.origin, head, manifest.min_index};
}

}  // namespace

Result<Imported> ImportFiles(const std::string& dir, const PublicKey& key, const std::string& ledger_dir,
                             const Progress& progress) {
  std::error_code error;
  if (!std::filesystem::create_directory(ledger_dir, error))
    return Fail(Code::kInvalid, ledger_dir + ": " + (error ? error.message() : "exists; it is never replaced"));
  auto imported = ImportInto(dir, key, ledger_dir, progress);
  if (!imported) std::filesystem::remove_all(ledger_dir, error);
  return imported;
}

}  // namespace proofgate::ledger
