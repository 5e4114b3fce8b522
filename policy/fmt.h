// Fmt: a canon's text in the one layout, with its comments.
//
// Keeps the order of keys, quotes and single blank lines; flow collections that
// fit on a line stay there. Formatting what is formatted changes nothing.

#ifndef PROOFGATE_POLICY_FMT_H_
#define PROOFGATE_POLICY_FMT_H_

#include <string>
#include <string_view>

#include "base/result.h"

namespace proofgate::policy {

// kInvalid: not YAML of the subset. kUnsupported: a comment or value would be
// lost or moved out of its document; nothing is returned then.
Result<std::string> FormatCanon(std::string_view text);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_FMT_H_
