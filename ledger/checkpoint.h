// Checkpoint: a signed tree head as a C2SP signed note (c2sp.org/tlog-checkpoint).

#ifndef PROOFGATE_LEDGER_CHECKPOINT_H_
#define PROOFGATE_LEDGER_CHECKPOINT_H_

#include <string>
#include <string_view>

#include "base/signature.h"
#include "ledger/store.h"

namespace proofgate::ledger {

// "<origin>\n<size>\n<base64 root>\n": the bytes that are signed.
std::string CheckpointText(std::string_view origin, const Head& head);
std::string SignCheckpoint(const Signer& signer, std::string_view origin, const Head& head);

// kInvalid: not a checkpoint of this origin; kDenied: signature does not match.
Result<Head> VerifyCheckpoint(const PublicKey& key, std::string_view origin,
                              std::string_view note);

// The origin that a note claims: its first line. kInvalid when it is none.
// Nothing is verified; it is for asking which key to take.
Result<std::string> ClaimedOrigin(std::string_view note);

// Printable ASCII without spaces or plus signs, 1 to 100 characters.
bool IsOrigin(std::string_view origin);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_CHECKPOINT_H_
