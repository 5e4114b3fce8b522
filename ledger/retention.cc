#include "ledger/retention.h"

#include <charconv>

namespace proofgate::ledger {
namespace {

constexpr const char* kMinIndexKey = "min_index";

}  // namespace

Result<std::uint64_t> ReadMinIndex(const Store& store) {
  const auto text = TRY(store.ReadMeta(kMinIndexKey));
  if (!text) return std::uint64_t{0};
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), index);
  if (error != std::errc() || end != text->data() + text->size())
    return Fail(Code::kCorrupt, "ledger: the minimum index is no number");
  return index;
}

}  // namespace proofgate::ledger
