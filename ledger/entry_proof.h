// EntryProof: one file that shows offline that an entry is in the ledger
// (c2sp.org/tlog-proof@v1; the entry itself is the proof's extra data).

#ifndef PROOFGATE_LEDGER_ENTRY_PROOF_H_
#define PROOFGATE_LEDGER_ENTRY_PROOF_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/signature.h"
#include "ledger/checkpoint.h"
#include "ledger/merkle.h"
#include "ledger/store.h"

namespace proofgate::ledger {

inline constexpr std::size_t kMaxProofBytes = 1 << 20;

struct EntryProof {
  std::string leaf;
  std::uint64_t index = 0;
  Proof path;              // from the leaf's sibling up
  std::string checkpoint;  // the signed note, with cosignatures if there are any
};

// `checkpoint` must be a signed note of `head`, and `head` the tree that `read`
// reads.
Result<EntryProof> MakeEntryProof(std::uint64_t index, std::string leaf, const Head& head,
                                  std::string checkpoint, const NodeReader& read);
std::string FormatEntryProof(const EntryProof& proof);

// kInvalid: not such a file, or not written in the one way that Format writes.
Result<EntryProof> ParseEntryProof(std::string_view file);

// The head under which the entry is proved. kDenied: it is not; kInvalid: the
// checkpoint is not one of `origin`. Verifies `leaf`, not what it says.
Result<Head> VerifyEntryProof(const EntryProof& proof, const PublicKey& key, std::string_view origin);

// Lines of base64 hashes up to an empty line, as proofs and witness requests
// have them: takes them off the front of `text`. At most 63.
Result<Proof> TakeHashLines(std::string_view& text);
std::string HashLines(const Proof& proof);

// "<word> <decimal>\n" off the front of `text`; no leading zeros.
Result<std::uint64_t> TakeNumberLine(std::string_view word, std::string_view& text);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_ENTRY_PROOF_H_
