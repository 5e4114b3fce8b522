// Any bytes as a signature, a key, a note: refused, and never a crash.
#include <cstdint>
#include <cstdlib>

#include "base/signature.h"
#include "ledger/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace proofgate;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const PublicKey key{};
  if (SshVerify(key, "receipt@proofgate", "message", bytes)) std::abort();
  if (ledger::VerifyCheckpoint(key, "host.example/log", bytes)) std::abort();
  const auto parsed = ParseOpenSshPublicKey(bytes);
  if (parsed && !ParseOpenSshPublicKey(parsed->OpenSsh())) std::abort();
  return 0;
}
