// Export: the ledger in files of plain formats, and back.
//
// A directory holds entries/ (JSON Lines, each line a leaf's bytes), ocsf/ (JSON
// Lines), usage.csv, hashes (the leaf hashes of entries that retention dropped),
// checkpoint, and a manifest with the digest of each. The manifest is signed
// with SSHSIG (namespace export@proofgate) beside it.

#ifndef PROOFGATE_LEDGER_EXPORT_H_
#define PROOFGATE_LEDGER_EXPORT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/signature.h"
#include "ledger/store.h"

namespace proofgate::ledger {

inline constexpr const char* kExportNamespace = "export@proofgate";
inline constexpr std::uint64_t kSegmentEntries = 100'000;

struct ExportRequest {
  bool entries = true;
  bool ocsf = false;
  bool usage = false;
  std::uint64_t segment_entries = kSegmentEntries;  // a file
};

// Streams the entries of the tree at `head` into files below `dir`, which may
// hold an earlier or interrupted export of the same ledger: segments that are
// there are read, not written again. `checkpoint` is the signed note of `head`.
// Writes everything but the signature and returns the manifest's bytes.
Result<std::string> ExportFiles(const Store& store, const Head& head, std::string_view origin,
                                std::string_view checkpoint, const PublicKey& log_key, const Clock& clock,
                                const ExportRequest& request, const std::string& dir, const Progress& progress);

std::string ManifestPath(const std::string& dir);
std::string ManifestSignaturePath(const std::string& dir);

struct Imported {
  std::string origin;
  Head head;
  std::uint64_t min_index = 0;
};
// Verifies the manifest's signature, each digest, each line and the root against
// the checkpoint, and makes of it a ledger for reading at `ledger_dir`, which
// must not exist. kDenied: signature or digest; kInvalid: not such a directory;
// kCorrupt: the entries are not those of the checkpoint. On error nothing stays.
Result<Imported> ImportFiles(const std::string& dir, const PublicKey& key, const std::string& ledger_dir,
                             const Progress& progress);

// Exposed for the fuzz target: bounds and checks everything a manifest says.
struct ManifestFile {
  std::string path;  // "entries/…", below the directory, no ".."
  std::string kind;  // entries, ocsf, usage, hashes, checkpoint
  std::uint64_t bytes = 0;
  std::uint64_t first = 0;  // of entries
  std::uint64_t count = 0;
  Digest sha256{};
};
struct Manifest {
  std::string origin;
  std::string utc;
  std::uint64_t size = 0;
  std::uint64_t min_index = 0;
  Digest root{};
  std::vector<ManifestFile> files;
};
Result<Manifest> ParseManifest(std::string_view bytes);  // kInvalid
std::string FormatManifest(const Manifest& manifest);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_EXPORT_H_
