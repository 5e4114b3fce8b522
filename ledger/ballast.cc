#include "ledger/ballast.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"

namespace proofgate::ledger {

Result<std::uint64_t> FreeBytes(const std::string& dir) {
  struct statvfs file_system{};
  if (::statvfs(dir.c_str(), &file_system) != 0) return FailErrno(errno, dir);
  const std::uint64_t blocks = ::geteuid() == 0 ? file_system.f_bfree : file_system.f_bavail;
  return blocks * file_system.f_frsize;
}

bool Ballast::Take() {
  const Fd file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.is_open() && ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes_)) == 0 && ::fsync(file.get()) == 0) return true;
  ::unlink(path_.c_str());
  return false;
}

bool Ballast::IsFull() {
  const auto free_bytes = free_space_(dir_);
  struct stat found{};
  const bool held = ::stat(path_.c_str(), &found) == 0 && static_cast<std::uint64_t>(found.st_blocks) * 512 >= bytes_;
  if (!free_bytes || *free_bytes < bytes_ / 4) {
    if (held) ::unlink(path_.c_str());
    return true;
  }
  if (held) return false;
  // Taken back only when it leaves as much again, so that it does not come and go.
  return *free_bytes < 2 * bytes_ || !Take();
}

}  // namespace proofgate::ledger
