// VerifyNote and VerifyCheckpoint: on any bytes, and on any text that carries a
// right signature, which mutation alone would never reach.

#include "ledger/checkpoint.h"
#include "tests/fuzz/fixed_signer.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;

namespace {

constexpr std::string_view kOrigin = "host.example/proofgate";

// What verifies says what it says in one way, and signs as itself.
void CheckNote(const FixedSigner& signer, std::string_view note) {
  const auto verified = VerifyNote(signer.public_key(), kOrigin, note);
  const auto head = ledger::VerifyCheckpoint(signer.public_key(), kOrigin, note);
  if (verified) Holds(note.substr(0, verified->text.size()) == verified->text);
  if (!head) return;
  Holds(verified.has_value());
  Holds(ledger::CheckpointText(kOrigin, *head) == verified->text);
  const auto again = ledger::VerifyCheckpoint(
      signer.public_key(), kOrigin, ledger::SignCheckpoint(signer, kOrigin, *head));
  Holds(again.has_value() && *again == *head);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const FixedSigner signer;
  const std::string_view bytes = AsText(data, size);
  CheckNote(signer, bytes);
  const std::string text = std::string(bytes) + "\n";
  const std::string note = SignNote(signer, kOrigin, text);
  CheckNote(signer, note);
  const auto verified = VerifyNote(signer.public_key(), kOrigin, note);
  Holds(verified.has_value() && verified->text == text);
  Holds(!VerifyNote(signer.public_key(), "other.example", note).has_value());
  // A body after the origin line, so that sizes and roots are reached at once.
  CheckNote(signer, SignNote(signer, kOrigin, std::string(kOrigin) + "\n" + text));
  return 0;
}
