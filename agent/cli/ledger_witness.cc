// ledger witness-request, add-cosignatures: witnesses by file.

#include <fmt/format.h>
#include <unistd.h>

#include "agent/cli/client.h"
#include "agent/cli/ledger.h"
#include "agent/paths.h"
#include "base/durable.h"
#include "ledger/witness.h"
#include "policy/object.h"

namespace proofgate::cli {
namespace {

constexpr std::size_t kMaxNoteBytes = 1 << 16;

Result<ledger::Quorum> ReadPolicy(const LedgerOptions& own) {
  const std::string path = own.policy_file.empty() ? agent::kWitnessPolicy : own.policy_file;
  auto quorum = ledger::Quorum::Parse(TRY(ReadFile(path, kMaxNoteBytes)));
  if (!quorum) return Fail(quorum.error().code, path + ": " + quorum.error().message);
  return quorum;
}

struct Cosigned {
  std::string note;
  std::vector<ledger::Cosignature> cosignatures;
  bool has_quorum = false;
};

Result<Cosigned> AddReply(const LedgerOptions& own) {
  const LogKey key = TRY(ReadLogKey(own));
  const ledger::Quorum quorum = TRY(ReadPolicy(own));
  const SignedHead signed_head = TRY(ReadSignedHead(own.file, key));
  Cosigned out;
  out.note = TRY(ledger::AddCosignatures(signed_head.note, TRY(ReadFile(own.second_file, kMaxNoteBytes)), quorum.witnesses()));
  out.cosignatures = TRY(ledger::VerifyCosignatures(out.note, quorum.witnesses()));
  out.has_quorum = quorum.SatisfiedBy(out.cosignatures);
  return out;
}

}  // namespace

int WitnessRequest(const Options& options, const LedgerOptions& own) {
  const auto request = [&]() -> Result<std::string> {
    const LogKey key = TRY(ReadLogKey(own));
    const SignedHead newest = TRY(NewestSignedHead(own, key));
    // What the witness has seen: --since, or what was cosigned last, or nothing.
    const std::string cosigned = ledger::CosignedPath(own.ledger_dir.empty() ? agent::kLedgerDir : own.ledger_dir);
    ledger::Head old_head{0, ledger::EmptyRoot()};
    if (!own.since.empty()) old_head = TRY(ReadSignedHead(own.since, key)).head;
    else if (access(cosigned.c_str(), F_OK) == 0) old_head = TRY(ReadSignedHead(cosigned, key)).head;
    const ledger::ReadOnlyLedger from = TRY(OpenLedger(own));
    ledger::AddCheckpoint body{old_head.size, {}, newest.note};
    if (old_head.size != 0)
      body.proof = TRY(ledger::ConsistencyProof(old_head.size, newest.head.size, [&from](ledger::NodeId id) { return from.store->ReadNode(id); }));
    TRY(ledger::VerifyAddCheckpoint(body, old_head, key.key, newest.origin));
    return ledger::FormatAddCheckpoint(body);
  }();
  if (!request) return Complain(request.error(), options.json);
  if (options.json) PrintJson(json::Object{{"request", json::Bytes(*request)}});
  else fmt::print("{}", *request);
  return kDone;
}

int AddCosignatures(const Options& options, const LedgerOptions& own) {
  const auto cosigned = AddReply(own);
  if (!cosigned) return Complain(cosigned.error(), options.json);
  // What the quorum has seen is what the next start must extend.
  if (cosigned->has_quorum && own.keep) {
    const Reply reply = Call("ledger.keep_cosigned", {{"checkpoint", json::Bytes(cosigned->note)}});
    if (reply.exit_code != kDone) return Complain(reply, options.json);
  }
  if (options.json) {
    json::Array names;
    for (const ledger::Cosignature& one : cosigned->cosignatures)
      names.push_back(json::Object{{"witness", one.witness}, {"time", json::Integer(one.time_s)}});
    PrintJson(json::Object{{"checkpoint", json::Bytes(cosigned->note)}, {"cosignatures", std::move(names)}, {"quorum", cosigned->has_quorum}});
  } else {
    fmt::print("{}", cosigned->note);
    fmt::print(stderr, "{} of the policy's witnesses have cosigned; the quorum is {}\n", cosigned->cosignatures.size(), cosigned->has_quorum ? "reached" : "not reached");
  }
  return kDone;
}

}  // namespace proofgate::cli
