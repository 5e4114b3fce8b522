// ledger backup, restore, continue, rotate-key, archive, read-archive, retain,
// hold, release, erase, reindex.

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "agent/cli/client.h"
#include "agent/cli/ledger.h"
#include "agent/cli/reader.h"
#include "agent/paths.h"
#include "base/bytes.h"
#include "base/durable.h"
#include "ledger/archive.h"
#include "ledger/fsck.h"
#include "ledger/index.h"
#include "ledger/retention.h"
#include "ledger/rocks_store.h"
#include "policy/custody.h"

namespace proofgate::cli {
namespace {

std::string LedgerDir(const LedgerOptions& own) { return own.ledger_dir.empty() ? agent::kLedgerDir : own.ledger_dir; }
std::string HostKeyPath(const LedgerOptions& own) { return own.host_key.empty() ? agent::kHostKey : own.host_key; }

int PrintDone(const Status& done, const std::string& what, bool as_json) {
  if (!done) return Complain(done.error(), as_json);
  if (as_json) PrintJson(json::Object{{"done", what}});
  else fmt::print("{}\n", what);
  return kDone;
}

// Asks the daemon, which alone may write.
int Ask(const char* method, json::Object params, const Options& options) {
  const Reply reply = Call(method, std::move(params));
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) PrintJson(reply.result);
  else fmt::print("done, recorded in the ledger\n");
  return kDone;
}

Result<json::Array> ReadSignatures(const LedgerOptions& own) {
  json::Array signatures;
  for (const std::string& file : own.signatures) signatures.emplace_back(json::Bytes(TRY(ReadFile(file, 1 << 16))));
  return signatures;
}

// Asks for what canon wants others to sign; or prints what they sign.
int AskInCustody(const char* method, policy::CustodyAct act, json::Object arguments, const Options& options, const LedgerOptions& own) {
  if (own.statement) {
    const auto from = OpenLedger(own);
    if (!from) return Complain(from.error(), options.json);
    fmt::print("{}", policy::CustodyStatement(from->origin, act, std::move(arguments), own.why));
    return kDone;
  }
  auto signatures = ReadSignatures(own);
  if (!signatures) return Complain(signatures.error(), options.json);
  arguments["why"] = json::Bytes(own.why);
  arguments["signatures"] = std::move(*signatures);
  return Ask(method, std::move(arguments), options);
}

// While the daemon is stopped.
Result<std::unique_ptr<ledger::Store>> OpenStopped(const LedgerOptions& own) {
  auto store = ledger::OpenRocksStore(ledger::StorePath(LedgerDir(own)), ledger::StoreAccess::kWrite);
  if (!store) return Fail(store.error().code, store.error().message + " (is the daemon stopped? systemctl stop proofgate)");
  return store;
}

Status Restore(const LedgerOptions& own) {
  const LogKey key = TRY(ReadLogKey(own));
  const ledger::ReadOnlyLedger backup = TRY(ledger::OpenReadOnly(own.file));
  const ledger::FsckReport report = TRY(ledger::Verify(*backup.store, key.key, backup.origin, TRY(ReadFile(ledger::AnchorPath(own.file), 1 << 16)), {}, ToTerminal()));
  if (!report.findings.empty()) return Fail(Code::kCorrupt, own.file + ": " + report.findings.front());
  const std::string dir = LedgerDir(own);
  if (access(ledger::StorePath(dir).c_str(), F_OK) == 0)
    return Fail(Code::kInvalid, ledger::StorePath(dir) + ": a store exists; move it away first (it is evidence)");
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (!error) std::filesystem::copy(ledger::StorePath(own.file), ledger::StorePath(dir) + ".new", std::filesystem::copy_options::recursive, error);
  if (error) return FailErrno(error.value(), dir);
  // The signed heads that are here stay: if they are newer than the backup, the
  // next start says so.
  for (const auto& path : {ledger::AnchorPath, ledger::CosignedPath})
    if (access(path(dir).c_str(), F_OK) != 0 && access(path(own.file).c_str(), F_OK) == 0)
      TRY(WriteFileDurably(path(dir), TRY(ReadFile(path(own.file), 1 << 16)), 0644));
  sync();
  if (rename((ledger::StorePath(dir) + ".new").c_str(), ledger::StorePath(dir).c_str()) != 0) return FailErrno(errno, dir);
  sync();
  return {};
}

Status Continue(const LedgerOptions& own, std::string& origin) {
  const auto signer = TRY(LoadSigner(HostKeyPath(own)));
  const auto store = TRY(OpenStopped(own));
  const SystemClock clock;
  if (origin.empty()) origin = "proofgate.host/" + Hex(RandomBytes(8));
  return ledger::Ledger::ContinueAs(LedgerDir(own), *store, origin, own.why, *signer, clock);
}

Status Rotate(const LedgerOptions& own) {
  const std::string path = HostKeyPath(own);
  const std::string next = path + ".next";
  const auto old_signer = TRY(LoadSigner(path));
  const auto store = TRY(OpenStopped(own));
  const auto new_signer = access(next.c_str(), F_OK) == 0 ? TRY(LoadSigner(next)) : TRY(CreateSigner(next, "proofgate host key"));
  const std::string openssh = new_signer->public_key().OpenSsh();
  const SystemClock clock;
  return ledger::Ledger::RotateKey(LedgerDir(own), *store, *old_signer, *new_signer, own.why, clock, [&]() -> Status {
    TRY(WriteFileDurably(path + ".pub", openssh + " proofgate host key\n", 0644));
    TRY(WriteFileDurably(path + ".pem", new_signer->public_key().Pem(), 0644));
    if (own.host_key.empty())
      TRY(WriteFileDurably(agent::kAllowedSigners, "host@proofgate namespaces=\"receipt@proofgate,export@proofgate\" " + openssh + "\n", 0644));
    if (rename(next.c_str(), path.c_str()) != 0) return FailErrno(errno, path);
    sync();
    return {};
  });
}

Result<ledger::ArchiveInfo> Archive(const LedgerOptions& own) {
  const ledger::ReadOnlyLedger from = TRY(OpenLedger(own));
  const std::uint64_t first = TRY(ledger::ReadMinIndex(*from.store));
  if (own.below > from.head.size) return Fail(Code::kInvalid, fmt::format("--below: the ledger has {} entries", from.head.size));
  return ledger::WriteArchive(*from.store, from.origin, first, own.below, own.to, ToTerminal());
}

}  // namespace

int BackupLedger(const Options& options, const LedgerOptions& own) {
  std::error_code error;
  const std::string path = std::filesystem::absolute(own.file, error).string();
  const Reply reply = Call("ledger.backup", {{"dir", json::Bytes(path)}});
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  return PrintDone({}, "a copy of the ledger is in " + path, options.json);
}

int RestoreLedger(const Options& options, const LedgerOptions& own) {
  return PrintDone(Restore(own), "restored; start the daemon: it refuses if a signed head is newer than this backup", options.json);
}

int ContinueLedger(const Options& options, const LedgerOptions& own) {
  std::string origin = own.new_origin;
  const Status done = Continue(own, origin);
  return PrintDone(done, "the ledger goes on as " + origin + "; its first entry names the head that was lost", options.json);
}

int RotateLedgerKey(const Options& options, const LedgerOptions& own) {
  return PrintDone(Rotate(own), "another key signs from now on; the KEY entry has the old key's signature over it", options.json);
}

int ArchiveLedger(const Options& options, const LedgerOptions& own) {
  const auto info = Archive(own);
  if (!info) return Complain(info.error(), options.json);
  if (own.drop) {
    auto signatures = ReadSignatures(own);
    if (!signatures) return Complain(signatures.error(), options.json);
    const Reply reply = Call("ledger.retain", {{"below", json::Integer(info->last)}, {"why", json::Bytes(own.why)}, {"archive_sha256", Hex(info->sha256)},
                                               {"signatures", std::move(*signatures)}});
    if (reply.exit_code != kDone) return Complain(reply, options.json);
  }
  if (options.json)
    PrintJson(json::Object{{"first", json::Integer(info->first)}, {"last", json::Integer(info->last)}, {"bytes", json::Integer(info->bytes)},
                           {"sha256", Hex(info->sha256)}, {"dropped", own.drop}});
  else
    fmt::print("entries {} to {} are in {} ({} bytes), read back and compared{}\n", info->first, info->last - 1, own.to, info->bytes,
               own.drop ? ", and dropped from the ledger" : "");
  return kDone;
}

int ReadArchiveFile(const Options& options, const LedgerOptions& own) {
  const auto read = [&]() -> Result<ledger::ArchiveInfo> {
    const ledger::ReadOnlyLedger from = TRY(OpenLedger(own));
    // Nothing is printed of a file that turns out not to be the ledger's.
    TRY(ledger::ReadArchive(own.file, from.origin, *from.store, nullptr));
    return ledger::ReadArchive(own.file, from.origin, *from.store, [](std::uint64_t, std::string_view leaf) -> Status {
      fmt::print("{}\n", leaf);
      return {};
    });
  };
  const auto info = read();
  return info ? kDone : Complain(info.error(), options.json);
}

int RetainLedger(const Options& options, const LedgerOptions& given) {
  LedgerOptions own = given;
  if (own.older_than_days || own.keep_bytes) {
    const auto find = [&]() -> Result<std::uint64_t> {
      const ledger::ReadOnlyLedger from = TRY(OpenLedger(own));
      if (own.keep_bytes) return ledger::FirstOfNewest(*from.store, *own.keep_bytes, ToTerminal());
      const auto days = static_cast<std::int64_t>(std::min<std::uint64_t>(*own.older_than_days, 36'500));
      return ledger::FirstSince(*from.store, FormatUtc({SystemClock().Utc().ms - days * 24 * 3600 * 1000}));
    };
    const auto below = find();
    if (!below) return Complain(below.error(), options.json);
    own.below = *below;
    if (!own.statement && !options.json) fmt::print(stderr, "entries below {}\n", own.below);
  } else if (own.below == 0) {
    return Complain(Error{Code::kInvalid, "one of --below, --older-than and --keep-bytes expected"}, options.json, kUsage);
  }
  return AskInCustody("ledger.retain", policy::CustodyAct::kRetain, {{"below", json::Integer(own.below)}}, options, own);
}
int HoldLedger(const Options& options, const LedgerOptions& own) {
  return Ask("ledger.hold", {{"name", json::Bytes(own.file)}, {"from", json::Integer(own.index)}, {"why", json::Bytes(own.why)}}, options);
}
int ReleaseLedgerHold(const Options& options, const LedgerOptions& own) {
  return AskInCustody("ledger.release", policy::CustodyAct::kRelease, {{"name", json::Bytes(own.file)}}, options, own);
}
int EraseLedgerBlob(const Options& options, const LedgerOptions& own) {
  return AskInCustody("ledger.erase", policy::CustodyAct::kErase, {{"commitment", json::Bytes(own.file)}}, options, own);
}

int ReindexLedger(const Options& options, const LedgerOptions& own) {
  const auto rebuild = [&]() -> Status { return ledger::RebuildIndex(*TRY(OpenStopped(own)), ToTerminal()); };
  return PrintDone(rebuild(), "the index follows from the entries again", options.json);
}

}  // namespace proofgate::cli
