// ParseEntryProof, ParseBundle: what is accepted is written back the same, and
// no proof verifies under a key that signed nothing.

#include "ledger/entry_proof.h"
#include "ledger/tiles.h"
#include "tests/fuzz/fixed_signer.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const FixedSigner signer;
  const std::string_view bytes = AsText(data, size);
  const auto proof = ledger::ParseEntryProof(bytes);
  if (proof) {
    Holds(ledger::FormatEntryProof(*proof) == bytes);
    const auto verified = ledger::VerifyEntryProof(*proof, signer.public_key(), "host.example/proofgate");
    // A right signature, so that the path is reached.
    ledger::EntryProof again = *proof;
    const ledger::Head head{proof->index + 1, ledger::LeafHash(proof->leaf)};
    again.checkpoint = ledger::SignCheckpoint(signer, "host.example/proofgate", head);
    const auto signed_too = ledger::VerifyEntryProof(again, signer.public_key(), "host.example/proofgate");
    if (signed_too && proof->index == 0) Holds(proof->path.empty());
    if (signed_too && proof->index != 0) Holds(false);  // its root is a leaf hash
    if (verified) Holds(verified->size > proof->index);
  }
  for (const unsigned width : {1u, 3u, 256u}) {
    const auto leaves = ledger::ParseBundle(bytes, width);
    if (!leaves) continue;
    Holds(leaves->size() == width);
    std::string again;
    for (const std::string& leaf : *leaves) ledger::AppendToBundle(leaf, again);
    Holds(again == bytes);
  }
  return 0;
}
