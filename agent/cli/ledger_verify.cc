// ledger verify.

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "agent/cli/client.h"
#include "agent/cli/ledger.h"
#include "agent/paths.h"
#include "base/bytes.h"
#include "base/durable.h"
#include "ledger/fsck.h"
#include "policy/object.h"

namespace proofgate::cli {
namespace {

constexpr std::uint64_t kStep = 16'384;  // entries

Result<ledger::FsckReport> Check(const LedgerOptions& own) {
  const LogKey key = TRY(ReadLogKey(own));
  const std::string dir = own.ledger_dir.empty() ? agent::kLedgerDir : own.ledger_dir;
  // Signed heads are read first: the ledger that is opened after extends them.
  const std::string anchor = TRY(ReadFile(ledger::AnchorPath(dir), 1 << 16));
  std::vector<ledger::HeldHead> held;
  if (!own.since.empty()) held.push_back({own.since, TRY(ReadSignedHead(own.since, key)).head});
  const ledger::ReadOnlyLedger from = TRY(OpenLedger(own));
  const Status files = from.store->CheckFiles();
  const auto verification = TRY(ledger::Verification::Begin(*from.store, key.key, from.origin, anchor, held));
  const ledger::Progress progress = ToTerminal();
  const auto start = std::chrono::steady_clock::now();
  while (TRY(verification->Step(kStep))) {
    if (progress) progress(verification->done(), verification->size());
    if (own.pace != 0)
      std::this_thread::sleep_until(start + std::chrono::microseconds(verification->done() * 1'000'000 / own.pace));
  }
  if (progress) progress(verification->size(), verification->size());
  ledger::FsckReport report = verification->Finish();
  if (!files) report.findings.push_back("files: " + files.error().message);
  for (std::string& finding : TRY(ledger::CheckIndex(*from.store, ToTerminal()))) report.findings.push_back(std::move(finding));
  return report;
}

int ShowBackground(const Options& options, const LedgerOptions& own) {
  const Reply reply = Call("ledger.check", {{"hurry", own.hurry}});
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  const json::Value* const last = reply.result.Find("last");
  const json::Value* const findings = last == nullptr ? nullptr : last->Find("findings");
  const bool good = findings == nullptr || findings->array().empty();
  if (options.json) {
    PrintJson(reply.result);
    return good ? kDone : kRefused;
  }
  if (reply.result.Find("done") != nullptr)
    fmt::print("{} of {} entries verified in this round\n", json::GetInteger(reply.result, "done").value_or(0),
               json::GetInteger(reply.result, "size").value_or(0));
  if (last == nullptr) fmt::print("no round has ended since the daemon started\n");
  else if (good) fmt::print("the last round found the ledger whole: {} entries\n", json::GetInteger(*last, "size").value_or(0));
  else
    for (const json::Value& finding : findings->array())
      fmt::print("WRONG  {}\n", policy::EscapeForPeople(json::GetBytes(json::Value(json::Object{{"text", finding}}), "text").value_or("?")));
  return good ? kDone : kRefused;
}

}  // namespace

int VerifyLedger(const Options& options, const LedgerOptions& own) {
  if (own.in_daemon) return ShowBackground(options, own);
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
