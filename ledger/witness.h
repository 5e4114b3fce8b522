// Witness: others who vouch that the ledger only grew, by files.
//
// A witness gets a request (old size, consistency proof, checkpoint: the body of
// c2sp.org/tlog-witness add-checkpoint) and replies with cosignature lines
// (c2sp.org/tlog-cosignature, Ed25519). Both are files, so the same witness
// works over HTTP, a USB stick or a diode. Pure.

#ifndef PROOFGATE_LEDGER_WITNESS_H_
#define PROOFGATE_LEDGER_WITNESS_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/signature.h"
#include "ledger/checkpoint.h"
#include "ledger/merkle.h"
#include "ledger/store.h"

namespace proofgate::ledger {

// The add-checkpoint body; also what `ledger consistency` prints.
struct AddCheckpoint {
  std::uint64_t old_size = 0;
  Proof proof;             // empty when the old size is 0 or the new one
  std::string checkpoint;  // the signed note of the new head
};
std::string FormatAddCheckpoint(const AddCheckpoint& request);
Result<AddCheckpoint> ParseAddCheckpoint(std::string_view body);  // kInvalid
// kDenied: the new head is not the log's, or does not extend `old_head`.
// Returns the new head.
Result<Head> VerifyAddCheckpoint(const AddCheckpoint& request, const Head& old_head,
                                 const PublicKey& key, std::string_view origin);

// "name+keyid+base64(type|key)", as signed notes write it. `type` 1 signs
// checkpoints, 4 cosigns them.
struct VerifierKey {
  std::string name;
  std::uint8_t type = 0;
  PublicKey key;
  bool operator==(const VerifierKey&) const = default;
};
Result<VerifierKey> ParseVerifierKey(std::string_view text);  // kInvalid, also when the key id does not fit
std::string FormatVerifierKey(const VerifierKey& key);

// One cosignature line for a checkpoint's text, as a witness makes it.
std::string Cosign(const Signer& signer, std::string_view name, std::uint64_t time_s, std::string_view text);

struct Cosignature {
  std::string witness;
  std::uint64_t time_s = 0;
  std::string line;  // with its newline
};
// The cosignatures on `note` that verify, by keys of `witnesses` (each witness
// once, its newest). Lines of others are passed over; a line of a known key that
// does not verify is kDenied.
Result<std::vector<Cosignature>> VerifyCosignatures(std::string_view note, const std::vector<VerifierKey>& witnesses);
// The note with the verified lines of a witness's reply. kDenied: none verified.
Result<std::string> AddCosignatures(std::string_view note, std::string_view reply,
                                    const std::vector<VerifierKey>& witnesses);

// Who must have cosigned: the witness, group and quorum lines of
// c2sp.org/tlog-policy.
//   witness NAME VKEY
//   group NAME all|any|K MEMBER…
//   quorum NAME|none
// Members and the quorum name what stands above them; one quorum line is
// required.
class Quorum {
 public:
  static Result<Quorum> Parse(std::string_view text);  // kInvalid: "line 3: …"

  const std::vector<VerifierKey>& witnesses() const { return keys_; }
  // `quorum none`: nobody need have cosigned.
  bool is_none() const { return quorum_ == "none"; }
  bool SatisfiedBy(const std::vector<Cosignature>& cosignatures) const;

 private:
  struct Group {
    std::size_t needed = 0;
    std::set<std::string> members;
  };
  std::vector<VerifierKey> keys_;
  std::map<std::string, std::string> witness_names_;  // in the policy → in its key
  std::vector<std::pair<std::string, Group>> groups_;  // members stand before their group
  std::string quorum_;
};

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_WITNESS_H_
