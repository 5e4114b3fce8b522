// The ledger commands that read, prove and carry away: one function each.

#ifndef PROOFGATE_AGENT_CLI_LEDGER_H_
#define PROOFGATE_AGENT_CLI_LEDGER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/cli/commands.h"
#include "base/signature.h"
#include "ledger/checkpoint.h"
#include "ledger/index.h"
#include "ledger/ledger.h"

namespace CLI {
class App;
}

namespace proofgate::cli {

struct LedgerOptions {
  std::string ledger_dir;  // another ledger than the host's: a backup, an import
  std::string key_file;    // OpenSSH public key or verifier key; default: the host's
  std::uint64_t index = 0;
  std::string file;
  std::string second_file;
  std::string checkpoint_file;
  std::string tiles_dir;
  std::string to;
  std::vector<std::string> formats;
  std::string host_key;     // a private key other than the host's
  std::string why;
  std::string new_origin;
  std::string policy_file;
  std::string since;
  std::uint64_t below = 0;
  std::vector<std::string> signatures;  // SSHSIG files over the statement
  bool statement = false;               // print what is to be signed
  std::optional<std::uint64_t> older_than_days;  // instead of `below`
  std::optional<std::uint64_t> keep_bytes;       // the same
  std::uint64_t pace = 0;  // entries a second; 0: as fast as it goes
  std::uint16_t port = 0;
  bool in_daemon = false;
  bool hurry = false;
  bool drop = false;
  bool by_kind = false;
  bool keep = false;
  ledger::Query query;
};

using AddCommand = std::function<CLI::App*(CLI::App& to, const char* name, const char* what, const char* examples,
                                           std::function<int(const Options&)> command)>;
// Adds the commands below to the group `ledger`.
void AddLedgerCommands(CLI::App& ledger, const AddCommand& add);

// Adds the commands to the group `break-glass` (break_glass.cc).
void AddBreakGlassCommands(CLI::App& group, Options& options, const AddCommand& add);

// ledger_proof.cc
int ProveEntry(const Options& options, const LedgerOptions& own);
int VerifyProof(const Options& options, const LedgerOptions& own);
int ProveConsistency(const Options& options, const LedgerOptions& own);
int VerifyConsistencyFile(const Options& options, const LedgerOptions& own);
// ledger_export.cc
int ExportLedger(const Options& options, const LedgerOptions& own);
int ImportLedger(const Options& options, const LedgerOptions& own);
// ledger_query.cc
int QueryLedger(const Options& options, const LedgerOptions& own);
int StatLedger(const Options& options, const LedgerOptions& own);
// ledger_serve.cc
int ServeLedger(const Options& options, const LedgerOptions& own);
// ledger_verify.cc
int VerifyLedger(const Options& options, const LedgerOptions& own);
// ledger_witness.cc
int WitnessRequest(const Options& options, const LedgerOptions& own);
int AddCosignatures(const Options& options, const LedgerOptions& own);
// ledger_life.cc
int BackupLedger(const Options& options, const LedgerOptions& own);
int RestoreLedger(const Options& options, const LedgerOptions& own);
int ContinueLedger(const Options& options, const LedgerOptions& own);
int RotateLedgerKey(const Options& options, const LedgerOptions& own);
int ArchiveLedger(const Options& options, const LedgerOptions& own);
int ReadArchiveFile(const Options& options, const LedgerOptions& own);
int RetainLedger(const Options& options, const LedgerOptions& own);
int HoldLedger(const Options& options, const LedgerOptions& own);
int ReleaseLedgerHold(const Options& options, const LedgerOptions& own);
int EraseLedgerBlob(const Options& options, const LedgerOptions& own);
int ReindexLedger(const Options& options, const LedgerOptions& own);

// Progress on standard error, if somebody looks.
ledger::Progress ToTerminal();

// The ledger asked for; the daemon, if it is the host's and one answers, first
// commits what the gate has recorded.
Result<ledger::ReadOnlyLedger> OpenLedger(const LedgerOptions& own);

// Who signs the log: from --key, or the host's key with any origin.
struct LogKey {
  PublicKey key;
  std::string origin;  // empty: not given
};
Result<LogKey> ReadLogKey(const LedgerOptions& own);

// A signed note and the head it signs.
struct SignedHead {
  std::string note;
  std::string origin;
  ledger::Head head;
};
// From a file, verified.
Result<SignedHead> ReadSignedHead(const std::string& file, const LogKey& key);
// --checkpoint, or the newest of the ledger: the daemon's, or the anchor.
Result<SignedHead> NewestSignedHead(const LedgerOptions& own, const LogKey& key);

}  // namespace proofgate::cli

#endif  // PROOFGATE_AGENT_CLI_LEDGER_H_
