// ledger export, import: the ledger in files that need none of our programs, and
// back.

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "agent/cli/client.h"
#include "agent/cli/ledger.h"
#include "agent/paths.h"
#include "base/bytes.h"
#include "base/durable.h"
#include "ledger/export.h"
#include "ledger/retention.h"
#include "ledger/tiles.h"

namespace proofgate::cli {
namespace {

// The signature over a manifest: by the daemon, which has the key, or with
// --host-key where there is none.
Result<std::string> SignManifest(const LedgerOptions& own, const std::string& manifest) {
  if (!own.host_key.empty()) {
    const auto signer = TRY(LoadSigner(own.host_key));
    return SshSign(*signer, ledger::kExportNamespace, manifest);
  }
  const Reply reply = Call("ledger.sign_export", {{"manifest", manifest}});
  if (reply.exit_code != kDone) return Fail(Code::kIo, reply.message);
  return json::GetBytes(reply.result, "signature");
}

Result<json::Object> Export(const LedgerOptions& own) {
  if (own.tiles_dir.empty() && own.to.empty()) return Fail(Code::kInvalid, "--tiles DIR, --to DIR or both expected");
  ledger::ExportRequest request;
  request.entries = own.formats.empty();
  request.ocsf = own.formats.empty();
  request.usage = own.formats.empty();
  for (const std::string& format : own.formats) {
    if (format == "jsonl") request.entries = true;
    else if (format == "ocsf") request.ocsf = true;
    else if (format == "csv") request.usage = true;
    else return Fail(Code::kInvalid, "--format: jsonl, ocsf or csv expected");
  }
  const LogKey key = TRY(ReadLogKey(own));
  const SignedHead signed_head = TRY(NewestSignedHead(own, key));
  const ledger::ReadOnlyLedger from = TRY(OpenLedger(own));
  if (signed_head.origin != from.origin) return Fail(Code::kInvalid, "checkpoint: of " + signed_head.origin + ", the ledger is " + from.origin);
  if (signed_head.head.size > from.head.size) return Fail(Code::kCorrupt, "checkpoint: signs more entries than the ledger has");
  json::Object out{{"origin", from.origin}, {"size", json::Integer(signed_head.head.size)}};
  if (!own.tiles_dir.empty())
    out["tile_files"] = json::Integer(TRY(ledger::ExportTiles(*from.store, signed_head.head, TRY(ledger::ReadMinIndex(*from.store)),
                                                              signed_head.note, own.tiles_dir, ToTerminal())));
  if (!own.to.empty()) {
    const SystemClock clock;
    const std::string manifest = TRY(ledger::ExportFiles(*from.store, signed_head.head, from.origin, signed_head.note, key.key,
                                                         clock, request, own.to, ToTerminal()));
    TRY(WriteFileDurably(ledger::ManifestSignaturePath(own.to), TRY(SignManifest(own, manifest)), 0600));
    out["manifest_sha256"] = Hex(Sha256(manifest));
  }
  return out;
}

}  // namespace

ledger::Progress ToTerminal() {
  if (isatty(STDERR_FILENO) != 1) return nullptr;
  return [](std::uint64_t done, std::uint64_t size) {
    fmt::print(stderr, "\r{} of {} entries{}", done, size, done >= size ? "\r\033[K" : "");
  };
}

int ExportLedger(const Options& options, const LedgerOptions& own) {
  const auto done = Export(own);
  if (!done) return Complain(done.error(), options.json);
  if (options.json) PrintJson(*done);
  else fmt::print("exported {} entries of {}\n", json::GetInteger(*done, "size").value_or(0), *json::GetString(*done, "origin"));
  return kDone;
}

int ImportLedger(const Options& options, const LedgerOptions& own) {
  const auto import = [&]() -> Result<ledger::Imported> {
    const LogKey key = TRY(ReadLogKey(own));
    return ledger::ImportFiles(own.file, key.key, own.to, ToTerminal());
  };
  const auto done = import();
  if (!done) return Complain(done.error(), options.json);
  if (options.json)
    PrintJson(json::Object{{"origin", done->origin}, {"size", json::Integer(done->head.size)}, {"root", Hex(done->head.root)}});
  else
    fmt::print("{} entries of {} are in {}, for reading: proofgate ledger verify --ledger {}\n", done->head.size, done->origin, own.to, own.to);
  return kDone;
}

}  // namespace proofgate::cli
