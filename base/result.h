// Result<T>: a value or an Error; Status is a Result without a value.
//
// Both are [[nodiscard]]: in an enforcement daemon a dropped error is a
// fail-open. Exceptions stop at the file that includes the throwing library.

#ifndef PROOFGATE_BASE_RESULT_H_
#define PROOFGATE_BASE_RESULT_H_

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace proofgate {

// Named for what the caller can do about it.
enum class Code {
  kInvalid,      // the input is wrong; fix it
  kNotFound,     // the thing named does not exist
  kCorrupt,      // stored bytes are not what was written; stop
  kBusy,         // try again later, nothing was done
  kDenied,       // policy or permission says no
  kUnsupported,  // this host or version cannot do it
  kIo,           // the system refused; `sys_errno` says why
};

struct Error {
  Code code = Code::kInvalid;
  std::string message;  // lower case: object, then cause
  int sys_errno = 0;    // positive, or 0 when no system call was involved
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
 public:
  using tl::expected<void, Error>::expected;
};

using Status = Result<void>;

tl::unexpected<Error> Fail(Code code, std::string message);

// `error_number` may have either sign (libbpf returns -errno). The message
// becomes "<what>: <strerror>". ENOENT maps to kNotFound, EACCES and EPERM to
// kDenied, everything else to kIo.
tl::unexpected<Error> FailErrno(int error_number, std::string_view what);

std::string_view CodeName(Code code);

namespace internal {
template <class T>
T Take(Result<T>& result) {
  return std::move(*result);
}
inline void Take(Status&) {}
}  // namespace internal

}  // namespace proofgate

// auto fd = TRY(Open(path)); returns the error to the caller otherwise. May be
// nested: each expansion names its own local. Not in a braced list or among
// arguments after one that owns memory: compilers do not destroy what they made
// so far when a statement expression returns.
#define TRY_JOIN_(a, b) a##b
#define TRY_JOIN(a, b) TRY_JOIN_(a, b)
#define TRY_NAMED(name, ...)                              \
  __extension__({                                         \
    auto name = (__VA_ARGS__);                            \
    if (!name) return tl::unexpected(name.error());       \
    ::proofgate::internal::Take(name);                    \
  })
#define TRY(...) TRY_NAMED(TRY_JOIN(try_result_, __COUNTER__), __VA_ARGS__)

#endif  // PROOFGATE_BASE_RESULT_H_
