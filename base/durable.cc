#include "base/durable.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"

namespace proofgate {
namespace {

Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FailErrno(errno, "write " + path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Status WriteFileDurably(const std::string& path, std::string_view bytes, mode_t mode) {
  const std::string temporary = path + ".new";
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file.is_open()) return FailErrno(errno, "open " + temporary);
  if (::fchmod(file.get(), mode) != 0) return FailErrno(errno, "chmod " + temporary);
  TRY(WriteAll(file.get(), bytes, temporary));
  if (::fsync(file.get()) != 0) return FailErrno(errno, "fsync " + temporary);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return FailErrno(errno, "rename " + path);
  const Fd parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.is_open()) return FailErrno(errno, "open " + directory);
  if (::fsync(parent.get()) != 0) return FailErrno(errno, "fsync " + directory);
  return {};
}

Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return FailErrno(errno, "open " + path);
  std::string out;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailErrno(errno, "read " + path);
    if (got == 0) return out;
    out.append(buffer, static_cast<std::size_t>(got));
    if (out.size() > max_bytes)
      return Fail(Code::kInvalid, path + ": larger than " + std::to_string(max_bytes) + " bytes");
  }
}

}  // namespace proofgate
