// The canon commands that build, sign, verify and judge: one function each.

#ifndef PROOFGATE_AGENT_CLI_CANON_H_
#define PROOFGATE_AGENT_CLI_CANON_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/cli/commands.h"
#include "agent/cli/ledger.h"
#include "policy/bundle.h"

namespace proofgate::cli {

struct CanonOptions {
  std::string dir;
  std::string out;
  std::vector<std::string> files;
  std::vector<std::string> signatures;
  std::vector<std::string> acknowledged;  // names of changed answers
  std::string tenant;
  std::string host_group;
  std::string previous;    // the manifest before, a file
  std::string expires;
  std::string at_expiry = "deny-new";
  std::string old_receipts = "review";
  std::string root;        // a trust root, a file
  std::string key;
  std::string name;
  std::string domain;
  std::vector<std::string> evidence;
  std::string why;
  bool emergency = false;
  std::uint64_t version = 0;
  std::uint64_t shadow_seconds = 0;
  std::uint64_t last = 0;  // entries; 0: all
};

// Adds the commands below to the group `canon`.
void AddCanonCommands(CLI::App& canon, const AddCommand& add);

void AddPromotionCommands(CLI::App& canon, const AddCommand& add, const std::shared_ptr<CanonOptions>& own);

// A bundle's directory: manifest.json, files/*.yaml, *.sig.
Result<policy::Bundle> ReadBundleDir(const std::string& dir);
// Makes it, for signing; `dir` must not exist. What `canon build` answers.
Result<json::Object> WriteBundleDir(const policy::Bundle& bundle, const std::string& dir);

// canon_bundle.cc
int BuildCanon(const Options& options, const CanonOptions& own);
int SignCanon(const Options& options, const CanonOptions& own);
int VerifyCanon(const Options& options, const CanonOptions& own);
int PackCanon(const Options& options, const CanonOptions& own);
int TrustCanon(const Options& options, const CanonOptions& own);
// canon_evidence.cc
int LearnCanon(const Options& options, const CanonOptions& own);
int ReplayCanon(const Options& options, const CanonOptions& own);

}  // namespace proofgate::cli

#endif  // PROOFGATE_AGENT_CLI_CANON_H_
