#include "agent/witnesses.h"

#include "base/durable.h"
#include "ledger/checkpoint.h"

namespace proofgate::agent {
namespace {

constexpr std::size_t kMaxPolicyBytes = 1 << 16;
// In base64 it must fit into an entry.
constexpr std::size_t kMaxCosignedBytes = 32 << 10;

}  // namespace

Result<ledger::Quorum> ReadWitnesses(const std::string& path) {
  const auto text = ReadFile(path, kMaxPolicyBytes);
  if (!text) return Fail(Code::kUnsupported, "WITNESSES_UNKNOWN: " + text.error().message);
  auto quorum = ledger::Quorum::Parse(*text);
  if (!quorum) return Fail(Code::kUnsupported, "WITNESSES_UNKNOWN: " + path + ": " + quorum.error().message);
  if (quorum->is_none()) return Fail(Code::kUnsupported, "WITNESSES_UNKNOWN: " + path + ": its quorum is none");
  return quorum;
}

Result<CosignedHead> VerifyQuorum(std::string_view note, const std::string& policy_path, const PublicKey& log_key,
                                  std::string_view origin) {
  if (note.size() > kMaxCosignedBytes) return Fail(Code::kInvalid, "cosigned checkpoint: larger than 32 KiB");
  const ledger::Quorum quorum = TRY(ReadWitnesses(policy_path));
  CosignedHead cosigned;
  cosigned.size = TRY(ledger::VerifyCheckpoint(log_key, origin, note)).size;
  cosigned.cosignatures = TRY(ledger::VerifyCosignatures(note, quorum.witnesses()));
  if (!quorum.SatisfiedBy(cosigned.cosignatures))
    return Fail(Code::kDenied, "WITNESS_QUORUM_MISSING: " + std::to_string(cosigned.cosignatures.size()) + " of the policy's witnesses have cosigned");
  return cosigned;
}

ledger::Record CosignedRecord(const CosignedHead& head, std::string_view note) {
  json::Array witnesses;
  for (const ledger::Cosignature& one : head.cosignatures)
    witnesses.push_back(json::Object{{"witness", one.witness}, {"time", json::Integer(one.time_s)}});
  return {"COSIGNED", {{"size", json::Integer(head.size)}, {"witnesses", std::move(witnesses)}, {"checkpoint", json::Bytes(note)}}};
}

}  // namespace proofgate::agent
