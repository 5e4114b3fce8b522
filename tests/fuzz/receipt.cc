// ParseReceipt on any bytes: what it accepts is encoded as the same bytes.

#include "policy/receipt.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = AsText(data, size);
  const auto receipt = policy::ParseReceipt(bytes);
  if (!receipt) return 0;
  Holds(policy::EncodeReceipt(*receipt) == bytes);
  Holds(!receipt->objects.empty() && receipt->uses > 0);
  Holds(receipt->not_before_boot_ns < receipt->expires_boot_ns);
  return 0;
}
