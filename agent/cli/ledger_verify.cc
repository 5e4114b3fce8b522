// ledger verify.

#include <fmt/format.h>

#include "agent/cli/client.h"
#include "agent/cli/ledger.h"
#include "agent/paths.h"
#include "base/bytes.h"
#include "base/durable.h"
#include "ledger/fsck.h"
#include "policy/object.h"

namespace proofgate::cli {
namespace {

Result<ledger::FsckReport> Check(const LedgerOptions& own) {
  const LogKey key = TRY(ReadLogKey(own));
  const std::string dir = own.ledger_dir.empty() ? agent::kLedgerDir : own.ledger_dir;
  // Signed heads are read first: the ledger that is opened after extends them.
  const std::string anchor = TRY(ReadFile(ledger::AnchorPath(dir), 1 << 16));
  std::vector<ledger::HeldHead> held;
  if (!own.since.empty()) held.push_back({own.since, TRY(ReadSignedHead(own.since, key)).head});
  const ledger::ReadOnlyLedger from = TRY(OpenLedger(own));
  const Status files = from.store->CheckFiles();
  ledger::FsckReport report = TRY(ledger::Verify(*from.store, key.key, from.origin, anchor, held, ToTerminal()));
  if (!files) report.findings.push_back("files: " + files.error().message);
  for (std::string& finding : TRY(ledger::CheckIndex(*from.store, ToTerminal()))) report.findings.push_back(std::move(finding));
  return report;
}

}  // namespace

int VerifyLedger(const Options& options, const LedgerOptions& own) {
  const auto report = Check(own);
  if (!report) return Complain(report.error(), options.json);
  const bool good = report->findings.empty();
  if (options.json) {
    json::Array findings;
    for (const std::string& finding : report->findings) findings.push_back(json::Bytes(finding));
    PrintJson(json::Object{{"valid", good}, {"size", json::Integer(report->head.size)},
                           {"root", Hex(report->head.root)}, {"findings", std::move(findings)}});
  } else {
    for (const std::string& finding : report->findings) fmt::print("WRONG  {}\n", policy::EscapeForPeople(finding));
    fmt::print("{}: {} entries, root {}\n", good ? "The ledger is whole" : "The ledger is NOT whole",
               report->head.size, Hex(report->head.root));
  }
  return good ? kDone : kRefused;
}

}  // namespace proofgate::cli
