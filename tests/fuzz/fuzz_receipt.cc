// Any bytes as a receipt: what is accepted has exactly this encoding.
#include <cstdint>
#include <cstdlib>

#include "policy/receipt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace proofgate;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto receipt = policy::ParseReceipt(bytes);
  if (receipt && policy::EncodeReceipt(*receipt) != bytes) std::abort();
  return 0;
}
