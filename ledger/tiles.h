// Tiles: the tree and the entries as static files (c2sp.org/tlog-tiles).
//
// A tile is up to 256 consecutive hashes of one tree level (level 8·L of
// merkle.h); a bundle is up to 256 entries, each behind its length in two
// bytes, big-endian. Anything that serves files serves the log.

#ifndef PROOFGATE_LEDGER_TILES_H_
#define PROOFGATE_LEDGER_TILES_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/checkpoint.h"
#include "ledger/merkle.h"
#include "ledger/store.h"

namespace proofgate::ledger {

inline constexpr unsigned kTileWidth = 256;
inline constexpr std::size_t kMaxBundleBytes = kTileWidth * (2 + 65'535);

struct Tile {
  std::uint8_t level = 0;  // of tiles, 0 to 7: its hashes are nodes of level 8·level
  std::uint64_t index = 0;
  unsigned width = kTileWidth;  // 1 to 256; below 256 the tile is partial
  bool operator==(const Tile&) const = default;
};

// "tile/0/x001/x234/067", a partial one with ".p/112" behind it.
std::string TilePath(const Tile& tile);
std::string BundlePath(std::uint64_t index, unsigned width);

// Hashes that a tree of `size` has at a level of tiles.
std::uint64_t TileHashes(std::uint8_t level, std::uint64_t size);

// Bytes of an entry bundle, and back. kInvalid: not exactly `width` entries.
void AppendToBundle(std::string_view leaf, std::string& bundle);
Result<std::vector<std::string>> ParseBundle(std::string_view bytes, unsigned width);

// Writes tiles and bundles of the tree at `head` below `dir`, then `checkpoint`,
// which must be the signed note of that head, and syncs each file before the
// checkpoint names it. What an earlier export left complete is kept, so an
// interrupted export goes on where it was. Bundles that end at or below
// `min_index` are left out. Returns how many files were written.
Result<std::uint64_t> ExportTiles(const Store& store, const Head& head, std::uint64_t min_index,
                                  std::string_view checkpoint, const std::string& dir,
                                  const Progress& progress);

// Reads a directory of tiles as nodes and entries. Nothing is trusted: compare
// the root with a checkpoint, and entries with their leaf hash. Keeps one tile
// a level. One thread.
class TileReader {
 public:
  TileReader(std::string dir, std::uint64_t size) : dir_(std::move(dir)), size_(size) {}

  // kCorrupt: the tile is absent or has another length.
  Result<Digest> ReadNode(NodeId id);
  // The entries of bundle `index`.
  Result<std::vector<std::string>> ReadBundle(std::uint64_t index) const;

 private:
  struct Cached {
    std::uint64_t index = 0;
    std::string bytes;
  };
  Result<std::string> Read(const std::string& path, std::size_t max_bytes) const;

  const std::string dir_;
  const std::uint64_t size_;
  std::map<std::uint8_t, Cached> tiles_;
};

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_TILES_H_
