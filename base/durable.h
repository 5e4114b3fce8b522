// Durable file writes and bounded reads.

#ifndef PROOFGATE_BASE_DURABLE_H_
#define PROOFGATE_BASE_DURABLE_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace proofgate {

// Replaces `path` with `bytes`: write temporary, fsync, rename, fsync directory.
// On return the new content survives power loss; on error the old one is whole.
Status WriteFileDurably(const std::string& path, std::string_view bytes, mode_t mode);

// The whole file; kInvalid when it is larger than `max_bytes`.
Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes);

}  // namespace proofgate

#endif  // PROOFGATE_BASE_DURABLE_H_
