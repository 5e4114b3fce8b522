// What comes back from witnesses, and what says who they are: requests, replies,
// verifier keys and quorum policies.

#include "ledger/witness.h"
#include "tests/fuzz/fixed_signer.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const FixedSigner signer;
  static const ledger::VerifierKey witness{"witness.example/w", 4, signer.public_key()};
  static const std::string note =
      ledger::SignCheckpoint(signer, "host.example/proofgate", ledger::Head{7, Sha256("root")});
  const std::string_view bytes = AsText(data, size);
  const auto request = ledger::ParseAddCheckpoint(bytes);
  if (request) {
    Holds(ledger::FormatAddCheckpoint(*request) == bytes);
    const auto head = ledger::VerifyAddCheckpoint(*request, ledger::Head{request->old_size, Sha256("old")},
                                                  signer.public_key(), "host.example/proofgate");
    if (head) Holds(head->size >= request->old_size);
  }
  const auto key = ledger::ParseVerifierKey(bytes);
  if (key) Holds(ledger::FormatVerifierKey(*key) == bytes);
  const auto found = ledger::VerifyCosignatures(bytes, {witness});
  if (found) Holds(found->size() <= 1);
  const auto cosigned = ledger::AddCosignatures(note, bytes, {witness});
  if (cosigned) {
    Holds(cosigned->substr(0, note.size()) == note);
    Holds(ledger::VerifyCosignatures(*cosigned, {witness})->size() == 1);
    Holds(ledger::VerifyCheckpoint(signer.public_key(), "host.example/proofgate", *cosigned).has_value());
  }
  const auto quorum = ledger::Quorum::Parse(bytes);
  if (quorum && !quorum->SatisfiedBy({})) {
    // Everybody together can satisfy it.
    std::vector<ledger::Cosignature> all;
    for (const ledger::VerifierKey& one : quorum->witnesses()) all.push_back({one.name, 1, ""});
    Holds(quorum->SatisfiedBy(all));
  }
  return 0;
}
