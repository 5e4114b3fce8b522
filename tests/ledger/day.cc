// ledger_day DIR KEY WORK NTH before|after ERRNO once|on: what a daemon does to
// its ledger in a day, with the NTH file operation failing. Prints the index of
// each acknowledged entry, then what failed; a process that aborts is a crash.

#include <cstdio>
#include <cstdlib>
#include <string>

#include "ledger/ledger.h"
#include "ledger/retention.h"
#include "ledger/rocks_store.h"
#include "tests/ledger/fault_fs.h"

namespace proofgate::ledger {
namespace {

Status Append(Ledger& ledger, std::size_t count) {
  const Position position = TRY(ledger.Append({count, Record{"TEST", {{"n", 1}}}}));
  for (std::uint64_t index = position.first; index < position.size_after; ++index)
    std::printf("acknowledged %llu\n", static_cast<unsigned long long>(index));
  std::fflush(stdout);
  return {};
}

Status Day(const std::string& dir, const Signer& signer, const std::string& work) {
  const SystemClock clock;
  auto store = TRY(OpenRocksStore(StorePath(dir), StoreAccess::kWrite));
  const auto ledger = TRY(Ledger::Open(dir, std::move(store), signer, clock));
  TRY(Append(*ledger, 1));
  TRY(Append(*ledger, 3));
  const std::string note = TRY(ledger->Checkpoint());
  TRY(Append(*ledger, 1));
  TRY(ledger->KeepCosigned(note));
  TRY(DropBelow(*ledger, {3, "age", "uid:0", ""}, UINT64_MAX));
  const Blob blob = MakeBlob("some bytes");
  TRY(ledger->AppendWithState({{"EVIDENCE", {{"commitment", Hex(blob.commitment)}}}}, {BlobState(blob)}));
  TRY(EraseBlob(*ledger, blob.commitment, "asked", "uid:0"));
  TRY(ledger->Backup(work + "/backup"));
  // After the first failure nothing more may be acknowledged.
  Status status;
  for (int i = 0; i < 40 && status; ++i) status = Append(*ledger, 5);
  if (!status) {
    DisarmFault();
    if (Append(*ledger, 1) || ledger->Checkpoint()) std::printf("GOES ON AFTER A FAILED COMMIT\n");
    return status;
  }
  TRY(ledger->Checkpoint());
  return {};
}

}  // namespace
}  // namespace proofgate::ledger

int main(int argc, char** argv) {
  using namespace proofgate::ledger;
  if (argc != 8) return 2;
  const std::string arguments[] = {argv[1], argv[2], argv[3], argv[5], argv[7]};
  const auto signer = proofgate::LoadSigner(arguments[1]);
  if (!signer) return 2;
  ArmFault(std::atoi(argv[4]), arguments[3] == "before" ? FaultWhen::kBefore : FaultWhen::kAfter, std::atoi(argv[6]),
           arguments[4] == "once" ? FaultLasts::kOnce : FaultLasts::kFromThenOn);
  const proofgate::Status day = Day(arguments[0], **signer, arguments[2]);
  std::printf("struck %s\n", DisarmFault().c_str());
  if (!day) std::printf("error %s\n", day.error().message.c_str());
  return day ? 0 : 1;
}
