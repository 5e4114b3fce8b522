// ledger export: the ledger in files that need none of our programs.

#include <fmt/format.h>
#include <unistd.h>

#include "agent/cli/client.h"
#include "agent/cli/ledger.h"
#include "ledger/retention.h"
#include "ledger/tiles.h"

namespace proofgate::cli {
namespace {

ledger::Progress ToTerminal() {
  if (isatty(STDERR_FILENO) != 1) return nullptr;
  return [](std::uint64_t done, std::uint64_t size) {
    fmt::print(stderr, "\r{} of {} entries{}", done, size, done == size ? "\r\033[K" : "");
  };
}

Result<json::Object> ExportTiles(const LedgerOptions& own) {
  const LogKey key = TRY(ReadLogKey(own));
  const SignedHead signed_head = TRY(NewestSignedHead(own, key));
  const ledger::ReadOnlyLedger from = TRY(OpenLedger(own));
  if (signed_head.head.size > from.head.size)
    return Fail(Code::kCorrupt, "checkpoint: signs more entries than the ledger has");
  const std::uint64_t files = TRY(ledger::ExportTiles(*from.store, signed_head.head, TRY(ledger::ReadMinIndex(*from.store)),
                                                      signed_head.note, own.tiles_dir, ToTerminal()));
  return json::Object{{"origin", from.origin}, {"size", json::Integer(signed_head.head.size)}, {"files", json::Integer(files)}};
}

}  // namespace

int ExportLedger(const Options& options, const LedgerOptions& own) {
  const auto done = ExportTiles(own);
  if (!done) return Complain(done.error(), options.json);
  if (options.json) PrintJson(*done);
  else fmt::print("{} files written; {} holds the log up to its signed head\n", json::GetInteger(*done, "files").value_or(0), own.tiles_dir);
  return kDone;
}

}  // namespace proofgate::cli
