#include "tests/ledger/fault_fs.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <atomic>
#include <cerrno>
#include <mutex>

namespace proofgate::ledger {
namespace {

std::atomic<bool> armed{false};
std::mutex mutex;
int countdown = 0;
FaultWhen fails = FaultWhen::kBefore;
FaultLasts lasting = FaultLasts::kOnce;
int error_to_give = 0;
std::string first_failed;

// Is it this operation's turn?
bool Strikes(const char* name) {
  if (!armed.load()) return false;
  const std::lock_guard lock(mutex);
  if (countdown > 0 && --countdown > 0) return false;
  if (!first_failed.empty() && lasting == FaultLasts::kOnce) return false;
  if (first_failed.empty()) first_failed = name;
  return true;
}

template <class Function>
Function Real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

template <class Operation>
auto Guarded(const char* name, int fd, const Operation& operation) {
  // Standard streams are the test's own.
  if (fd >= 0 && fd <= 2) return operation();
  if (!Strikes(name)) return operation();
  if (fails == FaultWhen::kAfter) static_cast<void>(operation());
  errno = error_to_give;
  return decltype(operation())(-1);
}

}  // namespace

void ArmFault(int nth, FaultWhen when, int error_number, FaultLasts lasts) {
  const std::lock_guard lock(mutex);
  countdown = nth;
  fails = when;
  lasting = lasts;
  error_to_give = error_number;
  first_failed.clear();
  armed = true;
}

std::string DisarmFault() {
  armed = false;
  const std::lock_guard lock(mutex);
  return first_failed;
}

}  // namespace proofgate::ledger

using proofgate::ledger::Guarded;
using proofgate::ledger::Real;

extern "C" {

ssize_t write(int fd, const void* bytes, size_t count) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t)>("write");
  return Guarded("write", fd, [&] { return real(fd, bytes, count); });
}
ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  return Guarded("pwrite", fd, [&] { return real(fd, bytes, count, at); });
}
ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t at) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return Guarded("pwrite", fd, [&] { return real(fd, bytes, count, at); });
}
int fsync(int fd) {
  static const auto real = Real<int (*)(int)>("fsync");
  return Guarded("fsync", fd, [&] { return real(fd); });
}
int fdatasync(int fd) {
  static const auto real = Real<int (*)(int)>("fdatasync");
  return Guarded("fdatasync", fd, [&] { return real(fd); });
}
int syncfs(int fd) noexcept {
  static const auto real = Real<int (*)(int)>("syncfs");
  return Guarded("syncfs", fd, [&] { return real(fd); });
}
int ftruncate(int fd, off_t size) noexcept {
  static const auto real = Real<int (*)(int, off_t)>("ftruncate");
  return Guarded("ftruncate", fd, [&] { return real(fd, size); });
}
int ftruncate64(int fd, off64_t size) noexcept {
  static const auto real = Real<int (*)(int, off64_t)>("ftruncate64");
  return Guarded("ftruncate", fd, [&] { return real(fd, size); });
}
int rename(const char* from, const char* to) noexcept {
  static const auto real = Real<int (*)(const char*, const char*)>("rename");
  return Guarded("rename", -1, [&] { return real(from, to); });
}
int link(const char* from, const char* to) noexcept {
  static const auto real = Real<int (*)(const char*, const char*)>("link");
  return Guarded("link", -1, [&] { return real(from, to); });
}
int unlink(const char* path) noexcept {
  static const auto real = Real<int (*)(const char*)>("unlink");
  return Guarded("unlink", -1, [&] { return real(path); });
}
int mkdir(const char* path, mode_t mode) noexcept {
  static const auto real = Real<int (*)(const char*, mode_t)>("mkdir");
  return Guarded("mkdir", -1, [&] { return real(path, mode); });
}

}  // extern "C"
