#include "base/result.h"

#include <cerrno>
#include <system_error>

namespace proofgate {

tl::unexpected<Error> Fail(Code code, std::string message) {
  return tl::unexpected(Error{code, std::move(message), 0});
}

tl::unexpected<Error> FailErrno(int error_number, std::string_view what) {
  const int positive = error_number < 0 ? -error_number : error_number;
  Code code = Code::kIo;
  if (positive == ENOENT) code = Code::kNotFound;
  if (positive == EACCES || positive == EPERM) code = Code::kDenied;
  std::string message(what);
  message += ": ";
  message += std::generic_category().message(positive);
  return tl::unexpected(Error{code, std::move(message), positive});
}

std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kInvalid: return "invalid";
    case Code::kNotFound: return "not found";
    case Code::kCorrupt: return "corrupt";
    case Code::kBusy: return "busy";
    case Code::kDenied: return "denied";
    case Code::kUnsupported: return "unsupported";
    case Code::kIo: return "io";
  }
  return "unknown";
}

}  // namespace proofgate
