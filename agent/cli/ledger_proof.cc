// ledger prove, verify-proof, consistency, verify-consistency: evidence in
// files, for people who have no access to this host.

#include <fmt/format.h>

#include "agent/cli/client.h"
#include "agent/cli/ledger.h"
#include "agent/cli/reader.h"
#include "agent/paths.h"
#include "base/bytes.h"
#include "base/durable.h"
#include "ledger/entry_proof.h"
#include "ledger/witness.h"
#include "policy/object.h"

namespace proofgate::cli {
namespace {

constexpr std::size_t kMaxNoteBytes = 1 << 16;

Result<std::string> Prove(const LedgerOptions& own) {
  const LogKey key = TRY(ReadLogKey(own));
  const SignedHead signed_head = TRY(NewestSignedHead(own, key));
  const ledger::ReadOnlyLedger from = TRY(OpenLedger(own));
  if (signed_head.origin != from.origin)
    return Fail(Code::kInvalid, "checkpoint: of " + signed_head.origin + ", the ledger is " + from.origin);
  if (own.index >= signed_head.head.size)
    return Fail(Code::kNotFound, fmt::format("entry {}: the newest signed head has {} entries", own.index, signed_head.head.size));
  const ledger::NodeReader read = [&from](ledger::NodeId id) { return from.store->ReadNode(id); };
  return ledger::FormatEntryProof(TRY(ledger::MakeEntryProof(
      own.index, TRY(from.store->ReadEntry(own.index)), signed_head.head, signed_head.note, read)));
}

struct Verified {
  ledger::EntryProof proof;
  ledger::Head head;
  std::string origin;
};

Result<Verified> VerifyFile(const LedgerOptions& own) {
  const LogKey key = TRY(ReadLogKey(own));
  Verified out;
  out.proof = TRY(ledger::ParseEntryProof(TRY(ReadFile(own.file, ledger::kMaxProofBytes))));
  out.origin = key.origin.empty() ? TRY(ledger::ClaimedOrigin(out.proof.checkpoint)) : key.origin;
  out.head = TRY(ledger::VerifyEntryProof(out.proof, key.key, out.origin));
  // What is proved must also be an entry, and the one it says it is.
  const json::Value leaf = TRY(json::Parse(out.proof.leaf));
  if (TRY(json::GetInteger(leaf, "index")) != out.proof.index)
    return Fail(Code::kDenied, "proof: the entry says that it is another one");
  return out;
}

Result<std::string> Consistency(const LedgerOptions& own) {
  const LogKey key = TRY(ReadLogKey(own));
  const SignedHead old_head = TRY(ReadSignedHead(own.file, key));
  LedgerOptions newer = own;
  newer.checkpoint_file = own.second_file;
  const SignedHead new_head = TRY(NewestSignedHead(newer, key));
  if (old_head.origin != new_head.origin)
    return Fail(Code::kInvalid, "checkpoints: of two logs, " + old_head.origin + " and " + new_head.origin);
  if (old_head.head.size > new_head.head.size)
    return Fail(Code::kInvalid, fmt::format("checkpoints: the old one has {} entries, the new one {}", old_head.head.size, new_head.head.size));
  const ledger::ReadOnlyLedger from = TRY(OpenLedger(own));
  ledger::AddCheckpoint request{old_head.head.size, {}, new_head.note};
  if (old_head.head.size != 0)
    request.proof = TRY(ledger::ConsistencyProof(old_head.head.size, new_head.head.size,
                                                 [&from](ledger::NodeId id) { return from.store->ReadNode(id); }));
  TRY(ledger::VerifyAddCheckpoint(request, old_head.head, key.key, new_head.origin));
  return ledger::FormatAddCheckpoint(request);
}

int PrintFile(const Result<std::string>& file, const char* name, bool as_json) {
  if (!file) return Complain(file.error(), as_json);
  if (as_json) PrintJson(json::Object{{name, json::Bytes(*file)}});
  else fmt::print("{}", *file);
  return kDone;
}

}  // namespace

Result<ledger::ReadOnlyLedger> OpenLedger(const LedgerOptions& own) {
  if (!own.ledger_dir.empty()) return ledger::OpenReadOnly(own.ledger_dir);
  Call("flush");
  return ledger::OpenReadOnly(agent::kLedgerDir);
}

Result<LogKey> ReadLogKey(const LedgerOptions& own) {
  if (own.key_file.empty()) return LogKey{TRY(HostKey()), ""};
  std::string text = TRY(ReadFile(own.key_file, 4096));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (text.starts_with("ssh-")) return LogKey{TRY(ParseOpenSshPublicKey(text)), ""};
  const ledger::VerifierKey key = TRY(ledger::ParseVerifierKey(text));
  if (key.type != 1) return Fail(Code::kInvalid, own.key_file + ": a key that signs checkpoints (type 1) expected");
  return LogKey{key.key, key.name};
}

Result<SignedHead> ReadSignedHead(const std::string& file, const LogKey& key) {
  SignedHead out;
  out.note = TRY(ReadFile(file, kMaxNoteBytes));
  out.origin = key.origin.empty() ? TRY(ledger::ClaimedOrigin(out.note)) : key.origin;
  const auto head = ledger::VerifyCheckpoint(key.key, out.origin, out.note);
  if (!head) return Fail(head.error().code, file + ": " + head.error().message);
  out.head = *head;
  return out;
}

Result<SignedHead> NewestSignedHead(const LedgerOptions& own, const LogKey& key) {
  if (!own.checkpoint_file.empty()) return ReadSignedHead(own.checkpoint_file, key);
  if (own.ledger_dir.empty()) Call("ledger.checkpoint");  // makes the anchor new; without a daemon it stays
  return ReadSignedHead(ledger::AnchorPath(own.ledger_dir.empty() ? agent::kLedgerDir : own.ledger_dir), key);
}

int ProveEntry(const Options& options, const LedgerOptions& own) { return PrintFile(Prove(own), "proof", options.json); }

int VerifyProof(const Options& options, const LedgerOptions& own) {
  const auto verified = VerifyFile(own);
  if (!verified) return Complain(verified.error(), options.json);
  const auto leaf = json::Parse(verified->proof.leaf);
  if (options.json) {
    PrintJson(json::Object{{"proved", true}, {"origin", verified->origin}, {"index", json::Integer(verified->proof.index)},
                           {"size", json::Integer(verified->head.size)}, {"root", Hex(verified->head.root)}, {"entry", *leaf}});
  } else {
    fmt::print("proved: entry {} of {}, in the signed head of {} entries\n{}\n", verified->proof.index,
               policy::EscapeForPeople(verified->origin), verified->head.size, json::Pretty(*leaf));
  }
  return kDone;
}

int ProveConsistency(const Options& options, const LedgerOptions& own) {
  return PrintFile(Consistency(own), "consistency", options.json);
}

int VerifyConsistencyFile(const Options& options, const LedgerOptions& own) {
  const auto verify = [&own]() -> Result<std::pair<ledger::Head, ledger::Head>> {
    const LogKey key = TRY(ReadLogKey(own));
    const SignedHead old_head = TRY(ReadSignedHead(own.file, key));
    const ledger::AddCheckpoint request = TRY(ledger::ParseAddCheckpoint(TRY(ReadFile(own.second_file, kMaxNoteBytes))));
    const ledger::Head head = TRY(ledger::VerifyAddCheckpoint(request, old_head.head, key.key, old_head.origin));
    return std::make_pair(old_head.head, head);
  };
  const auto heads = verify();
  if (!heads) return Complain(heads.error(), options.json);
  if (options.json) {
    PrintJson(json::Object{{"consistent", true}, {"old_size", json::Integer(heads->first.size)},
                           {"size", json::Integer(heads->second.size)}, {"root", Hex(heads->second.root)}});
  } else {
    fmt::print("proved: the head of {} entries extends the one of {}; nothing was removed or changed\n",
               heads->second.size, heads->first.size);
  }
  return kDone;
}

}  // namespace proofgate::cli
