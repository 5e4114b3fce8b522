// Commands: one function each; the parsed flags in, the exit code out.

#ifndef PROOFGATE_AGENT_CLI_COMMANDS_H_
#define PROOFGATE_AGENT_CLI_COMMANDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace proofgate::cli {

struct Options {
  bool json = false;
  bool if_absent = false;
  bool prove = false;
  bool force = false;
  bool follow = false;
  bool last = false;
  bool proof = false;
  std::vector<std::string> libraries;  // files that the canon includes
  bool sarif = false;
  bool check = false;
  bool write = false;
  bool no_wider = false;
  std::string file;
  std::string file2;
  std::string trust_root;
  std::string kind;
  std::string domain;
  std::string rule;
  std::string object;
  std::string exe;
  std::vector<std::string> argv;         // receipt issue: what the receipt binds
  std::vector<std::string> argv_prefix;
  std::vector<std::string> env;
  std::string content;
  std::string ttl;
  std::string cgroup;
  std::string unit;
  std::string id;
  std::string reason;
  std::string export_dir;
  std::string signature;
  std::string plan;
  std::string range;
  std::string socket;
  std::string ledger;
  bool all = false;
  std::string canon;
  std::string session;
  std::string person;
  std::vector<std::string> fields;
  bool statement = false;
  bool deny = false;
  bool everything = false;
  bool with_session = false;
  std::optional<std::uint64_t> uid;
  std::optional<std::uint64_t> status;
  std::optional<int> pid;
  std::optional<std::uint64_t> uses;
  std::optional<std::uint64_t> cost;
  std::vector<std::string> rights;
  std::optional<std::uint64_t> entry;
  std::uint64_t lines = 20;
  std::vector<std::string> command;
};

// host.cc
int Init(const Options& options);
int Doctor(const Options& options);
int ShowStatus(const Options& options);
// canon_read.cc
int CheckCanon(const Options& options);
int PrintCanonSchema(const Options& options);
int FormatCanon(const Options& options);
int DiffCanons(const Options& options);
int ExplainCanon(const Options& options);
int TestCanon(const Options& options);
// canon.cc
int ShowCanon(const Options& options);
int ApplyCanon(const Options& options);
// governed.cc
int Attach(const Options& options);
int Detach(const Options& options);
int Run(const Options& options);
// receipt.cc
int IssueReceipt(const Options& options);
int ListReceipts(const Options& options);
int ShowReceipt(const Options& options);
int VerifyReceipt(const Options& options);
int RevokeReceipt(const Options& options);
// record.cc
int TailLedger(const Options& options);
int ShowEntry(const Options& options);
int ReconcileLedger(const Options& options);
int CheckpointLedger(const Options& options);
int Why(const Options& options);
// session.cc
int OpenSession(const Options& options);
int DelegateSession(const Options& options);
int AddEvidence(const Options& options);
int CompleteSession(const Options& options);
int NextStep(const Options& options);
int ShowSession(const Options& options);
int ListSessions(const Options& options);
int AbortSession(const Options& options);
int Approve(const Options& options);  // or deny
int StopDomain(const Options& options);
int ResumeDomain(const Options& options);
int RevokeMany(const Options& options);
// replay.cc
int ReplayLedger(const Options& options);
// mcp.cc
int ServeMcp(const Options& options);
// prove.cc
int Prove(const Options& options);

}  // namespace proofgate::cli

#endif  // PROOFGATE_AGENT_CLI_COMMANDS_H_
