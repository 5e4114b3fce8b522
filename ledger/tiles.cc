#include "ledger/tiles.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/durable.h"
#include "base/fd.h"

namespace proofgate::ledger {
namespace {

constexpr std::uint8_t kTileLevels = 8;  // 256^8 entries

std::string NumberedPath(std::uint64_t index, unsigned width) {
  std::string path = fmt::format("{:03}", index % 1000);
  while ((index /= 1000) != 0) path = fmt::format("x{:03}/", index % 1000) + path;
  if (width < kTileWidth) path += fmt::format(".p/{}", width);
  return path;
}

unsigned WidthAt(std::uint64_t index, std::uint64_t hashes) {
  return static_cast<unsigned>(std::min<std::uint64_t>(kTileWidth, hashes - index * kTileWidth));
}

// Writes many small files with few syncs: a group is written under temporary
// names, the file system is synced, then all get their names. So a file that has
// its name is whole, whenever the power goes.
class FileGroup {
 public:
  explicit FileGroup(std::string dir) : dir_(std::move(dir)) {}

  Status Add(const std::string& name, std::string_view bytes) {
    const std::string path = dir_ + "/" + name;
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (error) return FailErrno(error.value(), path);
    const std::string temporary = path + ".new";
    const Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file.is_open()) return FailErrno(errno, "open " + temporary);
    while (!bytes.empty()) {
      const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return FailErrno(errno, "write " + temporary);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    waiting_.push_back(path);
    ++written_;
    if (waiting_.size() == kGroupFiles) return Finish();
    return {};
  }

  // On return every file survives power loss under its name.
  Status Finish() {
    if (waiting_.empty()) return {};
    TRY(Sync());
    for (const std::string& path : waiting_)
      if (::rename((path + ".new").c_str(), path.c_str()) != 0) return FailErrno(errno, "rename " + path);
    waiting_.clear();
    return Sync();
  }

  std::uint64_t written() const { return written_; }

 private:
  static constexpr std::size_t kGroupFiles = 512;

  Status Sync() const {
    const Fd parent(::open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent.is_open()) return FailErrno(errno, "open " + dir_);
    if (::syncfs(parent.get()) != 0) return FailErrno(errno, "sync " + dir_);
    return {};
  }

  const std::string dir_;
  std::vector<std::string> waiting_;
  std::uint64_t written_ = 0;
};

Result<bool> Exists(const std::string& path, std::uint64_t bytes) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return FailErrno(errno, path);
  }
  return bytes == 0 || static_cast<std::uint64_t>(found.st_size) == bytes;
}

Digest DigestAt(std::string_view bytes, std::size_t index) {
  Digest digest{};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(index * digest.size()), digest.size(), digest.begin());
  return digest;
}

}  // namespace

std::string TilePath(const Tile& tile) {
  return fmt::format("tile/{}/{}", tile.level, NumberedPath(tile.index, tile.width));
}

std::string BundlePath(std::uint64_t index, unsigned width) { return "tile/entries/" + NumberedPath(index, width); }

std::uint64_t TileHashes(std::uint8_t level, std::uint64_t size) { return level >= kTileLevels ? 0 : size >> (8 * level); }

void AppendToBundle(std::string_view leaf, std::string& bundle) {
  bundle += static_cast<char>((leaf.size() >> 8) & 0xff);
  bundle += static_cast<char>(leaf.size() & 0xff);
  bundle += leaf;
}

Result<std::vector<std::string>> ParseBundle(std::string_view bytes, unsigned width) {
  std::vector<std::string> leaves;
  while (!bytes.empty()) {
    if (bytes.size() < 2 || leaves.size() == width) return Fail(Code::kInvalid, "bundle: bytes beyond its entries");
    const std::size_t length = static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])) << 8 |
                               static_cast<unsigned char>(bytes[1]);
    bytes.remove_prefix(2);
    if (bytes.size() < length) return Fail(Code::kInvalid, "bundle: an entry is cut short");
    leaves.emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  if (leaves.size() != width)
    return Fail(Code::kInvalid, fmt::format("bundle: {} entries, {} expected", leaves.size(), width));
  return leaves;
}

Result<std::uint64_t> ExportTiles(const Store& store, const Head& head, std::uint64_t min_index,
                                  std::string_view checkpoint, const std::string& dir,
                                  const Progress& progress) {
  std::error_code made;
  std::filesystem::create_directories(dir, made);  // an empty log has no tiles, but a checkpoint
  if (made) return FailErrno(made.value(), dir);
  FileGroup files(dir);
  for (std::uint8_t level = 0; TileHashes(level, head.size) != 0; ++level) {
    const std::uint64_t hashes = TileHashes(level, head.size);
    for (std::uint64_t index = 0; index * kTileWidth < hashes; ++index) {
      const Tile tile{level, index, WidthAt(index, hashes)};
      const std::string path = TilePath(tile);
      if (TRY(Exists(dir + "/" + path, tile.width * sizeof(Digest)))) continue;
      const auto node_level = static_cast<std::uint8_t>(8 * level);
      std::string bytes;
      for (const Digest& hash : TRY(store.ReadNodes({node_level, index * kTileWidth}, tile.width)))
        bytes += AsView(hash);
      TRY(files.Add(path, bytes));
    }
  }
  for (std::uint64_t index = min_index / kTileWidth; index * kTileWidth < head.size; ++index) {
    const std::uint64_t first = index * kTileWidth;
    const unsigned width = WidthAt(index, head.size);
    const std::string path = BundlePath(index, width);
    if (first >= min_index && !TRY(Exists(dir + "/" + path, 0))) {
      std::string bundle;
      TRY(store.ScanEntries(first, first + width, [&bundle](std::uint64_t, std::string_view leaf) -> Status {
        AppendToBundle(leaf, bundle);
        return {};
      }));
      TRY(files.Add(path, bundle));
    }
    if (progress) progress(first + width, head.size);
  }
  TRY(files.Finish());
  TRY(WriteFileDurably(dir + "/checkpoint", checkpoint, 0644));
  return files.written() + 1;
}

Result<std::string> TileReader::Read(const std::string& path, std::size_t max_bytes) const {
  auto bytes = ReadFile(dir_ + "/" + path, max_bytes);
  if (!bytes) return Fail(Code::kCorrupt, "tiles: " + bytes.error().message);
  return std::move(*bytes);
}

Result<Digest> TileReader::ReadNode(NodeId id) {
  if (id.level > 63 || id.index >= size_ >> id.level)
    return Fail(Code::kInvalid, fmt::format("tiles: no node {}/{} in a tree of {}", id.level, id.index, size_));
  // The hashes of the tile's own level below the node.
  const auto level = static_cast<std::uint8_t>(id.level / 8);
  const unsigned height = id.level % 8u;
  const std::uint64_t first = id.index << height;
  const std::uint64_t index = first / kTileWidth;
  const unsigned width = WidthAt(index, TileHashes(level, size_));
  auto at = tiles_.find(level);
  if (at == tiles_.end() || at->second.index != index) {
    const Tile tile{level, index, width};
    std::string bytes = TRY(Read(TilePath(tile), kTileWidth * sizeof(Digest)));
    if (bytes.size() != width * sizeof(Digest))
      return Fail(Code::kCorrupt, fmt::format("tiles: {}: {} bytes, {} expected", TilePath(tile), bytes.size(), width * sizeof(Digest)));
    at = tiles_.insert_or_assign(level, Cached{index, std::move(bytes)}).first;
  }
  std::vector<Digest> hashes;
  for (std::uint64_t i = 0; i < 1ull << height; ++i)
    hashes.push_back(DigestAt(at->second.bytes, static_cast<std::size_t>(first % kTileWidth + i)));
  while (hashes.size() > 1) {
    for (std::size_t i = 0; i < hashes.size() / 2; ++i) hashes[i] = InnerHash(hashes[2 * i], hashes[2 * i + 1]);
    hashes.resize(hashes.size() / 2);
  }
  return hashes.front();
}

Result<std::vector<std::string>> TileReader::ReadBundle(std::uint64_t index) const {
  if (index * kTileWidth >= size_) return Fail(Code::kInvalid, fmt::format("tiles: no bundle {} in a tree of {}", index, size_));
  const unsigned width = WidthAt(index, size_);
  const std::string path = BundlePath(index, width);
  const std::string bytes = TRY(Read(path, kMaxBundleBytes));
  auto leaves = ParseBundle(bytes, width);
  if (!leaves) return Fail(Code::kCorrupt, "tiles: " + path + ": " + leaves.error().message);
  return std::move(*leaves);
}

}  // namespace proofgate::ledger
