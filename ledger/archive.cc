#include "ledger/archive.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "base/fd.h"
#include "base/json.h"
#include "ledger/ledger.h"

namespace proofgate::ledger {
namespace {

constexpr int kCompression = 9;
constexpr int kMaxWindowLog = 27;  // 128 MiB: a reader's memory has a bound
constexpr const char* kFormat = "proofgate-archive-1";

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

std::string Header(std::string_view origin, std::uint64_t first, std::uint64_t last) {
  return json::Encode(json::Object{{"archive", kFormat}, {"origin", std::string(origin)}, {"first", json::Integer(first)}, {"last", json::Integer(last)}});
}

class Compressor {
 public:
  explicit Compressor(int fd, const std::string& path) : fd_(fd), path_(path), context_(ZSTD_createCCtx()), out_(ZSTD_CStreamOutSize()) {
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kCompression);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }
  Status Write(std::string_view bytes) { return Drive(bytes, ZSTD_e_continue); }
  Status Finish() { return Drive("", ZSTD_e_end); }

 private:
  Status Drive(std::string_view bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context_.get(), &out, &in, directive);
      if (ZSTD_isError(left) != 0) return Fail(Code::kIo, path_ + ": " + ZSTD_getErrorName(left));
      for (std::size_t at = 0; at < out.pos;) {
        const ssize_t written = ::write(fd_, out_.data() + at, out.pos - at);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return FailErrno(errno, "write " + path_);
        at += static_cast<std::size_t>(written);
      }
      if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size) return {};
    }
  }

  const int fd_;
  const std::string path_;
  const std::unique_ptr<ZSTD_CCtx, FreeCompressor> context_;
  std::vector<char> out_;
};

// Compares leaves in order with the level-0 nodes of the tree.
class TreeComparer {
 public:
  explicit TreeComparer(const Store& store) : store_(store) {}
  Status Check(std::uint64_t index, std::uint64_t last, std::string_view leaf) {
    if (hashes_.empty() || index >= first_ + hashes_.size()) {
      first_ = index;
      hashes_ = TRY(store_.ReadNodes({0, index}, static_cast<std::size_t>(std::min(kMaxEntriesABatch, last - index))));
    }
    if (LeafHash(leaf) != hashes_[static_cast<std::size_t>(index - first_)])
      return Fail(Code::kCorrupt, fmt::format("archive: entry {} is not the one in the ledger", index));
    return {};
  }

 private:
  const Store& store_;
  std::uint64_t first_ = 0;
  std::vector<Digest> hashes_;
};

class ArchiveParser {
 public:
  ArchiveParser(std::string_view origin, const Store& store, const VisitLeaf& visit)
      : origin_(origin), comparer_(store), visit_(visit) {}

  Status Take(std::string_view bytes) {
    rest_ += bytes;
    std::size_t start = 0;
    for (std::size_t end = 0; (end = rest_.find('\n', start)) != std::string::npos; start = end + 1)
      TRY(Line(std::string_view(rest_).substr(start, end - start)));
    rest_.erase(0, start);
    if (rest_.size() > kMaxLeafBytes) return Fail(Code::kInvalid, "archive: a line is too long");
    return {};
  }
  Result<ArchiveInfo> End() {
    if (!has_header_ || !rest_.empty() || next_ != info_.last) return Fail(Code::kInvalid, "archive: ends early");
    return info_;
  }

 private:
  Status Line(std::string_view line) {
    if (!has_header_) {
      const json::Value header = TRY(json::Parse(line));
      info_.origin = TRY(json::GetString(header, "origin"));
      info_.first = TRY(json::GetInteger(header, "first"));
      info_.last = TRY(json::GetInteger(header, "last"));
      if (Header(info_.origin, info_.first, info_.last) != line) return Fail(Code::kInvalid, "archive: unknown header");
      if (info_.origin != origin_) return Fail(Code::kInvalid, "archive: of the log " + info_.origin);
      next_ = info_.first;
      has_header_ = true;
      return {};
    }
    if (next_ >= info_.last) return Fail(Code::kInvalid, "archive: more entries than its header says");
    TRY(comparer_.Check(next_, info_.last, line));
    if (visit_) TRY(visit_(next_, line));
    ++next_;
    return {};
  }

  const std::string origin_;
  TreeComparer comparer_;
  const VisitLeaf& visit_;
  ArchiveInfo info_;
  std::string rest_;
  std::uint64_t next_ = 0;
  bool has_header_ = false;
};

}  // namespace

Result<ArchiveInfo> ReadArchive(const std::string& path, std::string_view origin, const Store& store, const VisitLeaf& visit) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return FailErrno(errno, "open " + path);
  const std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context(ZSTD_createDCtx());
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  std::vector<char> in_buffer(ZSTD_DStreamInSize());
  std::vector<char> out_buffer(ZSTD_DStreamOutSize());
  ArchiveParser parser(origin, store, visit);
  Sha256Stream hash;
  std::uint64_t bytes = 0;
  std::size_t state = 1;  // 0: a frame ended
  for (;;) {
    const ssize_t got = ::read(fd.get(), in_buffer.data(), in_buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailErrno(errno, "read " + path);
    if (got == 0) break;
    if (state == 0) return Fail(Code::kInvalid, path + ": bytes after the end");
    hash.Update({in_buffer.data(), static_cast<std::size_t>(got)});
    bytes += static_cast<std::uint64_t>(got);
    ZSTD_inBuffer in{in_buffer.data(), static_cast<std::size_t>(got), 0};
    while (in.pos < in.size) {
      if (state == 0) return Fail(Code::kInvalid, path + ": bytes after the end");
      ZSTD_outBuffer out{out_buffer.data(), out_buffer.size(), 0};
      state = ZSTD_decompressStream(context.get(), &out, &in);
      if (ZSTD_isError(state) != 0) return Fail(Code::kInvalid, path + ": " + ZSTD_getErrorName(state));
      TRY(parser.Take({out_buffer.data(), out.pos}));
      // What is left inside the decompressor.
      while (out.pos == out.size && state != 0) {
        out.pos = 0;
        state = ZSTD_decompressStream(context.get(), &out, &in);
        if (ZSTD_isError(state) != 0) return Fail(Code::kInvalid, path + ": " + ZSTD_getErrorName(state));
        TRY(parser.Take({out_buffer.data(), out.pos}));
      }
    }
  }
  if (state != 0) return Fail(Code::kInvalid, path + ": ends early");
  ArchiveInfo info = TRY(parser.End());
  info.sha256 = hash.Finish();
  info.bytes = bytes;
  return info;
}

Result<ArchiveInfo> WriteArchive(const Store& store, std::string_view origin, std::uint64_t first, std::uint64_t last,
                                 const std::string& path, const Progress& progress) {
  if (first >= last) return Fail(Code::kInvalid, "archive: no entries to put into it");
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.is_open()) return FailErrno(errno, "create " + path);
  const auto write = [&]() -> Result<ArchiveInfo> {
    Compressor out(fd.get(), path);
    TRY(out.Write(Header(origin, first, last) + "\n"));
    TRY(store.ScanEntries(first, last, [&](std::uint64_t index, std::string_view leaf) -> Status {
      if (progress && index % 10'000 == 0) progress(index - first, last - first);
      TRY(out.Write(leaf));
      return out.Write("\n");
    }));
    TRY(out.Finish());
    if (::fsync(fd.get()) != 0) return FailErrno(errno, "fsync " + path);
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const Fd parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent.is_open() || ::fsync(parent.get()) != 0) return FailErrno(errno, "fsync " + directory);
    // From the disk, not from what was just written.
    ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
    return ReadArchive(path, origin, store, nullptr);
  };
  auto info = write();
  if (!info) ::unlink(path.c_str());
  return info;
}

}  // namespace proofgate::ledger
