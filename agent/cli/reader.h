// Reader: the ledger as the CLI reads it, beside the daemon or without one.

#ifndef PROOFGATE_AGENT_CLI_READER_H_
#define PROOFGATE_AGENT_CLI_READER_H_

#include <functional>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/signature.h"
#include "ledger/ledger.h"
#include "policy/canon.h"

namespace proofgate::cli {

struct Entry {
  std::uint64_t index = 0;
  std::string kind;
  std::string utc;
  json::Value body;
  std::string leaf;  // the bytes that are hashed
};

class Reader {
 public:
  // What is committed now. The daemon, if one answers, first commits what the
  // gate has recorded.
  static Result<Reader> Open();

  const ledger::Head& head() const { return ledger_.head; }
  const std::string& origin() const { return ledger_.origin; }
  const ledger::Store& store() const { return *ledger_.store; }

  Result<Entry> Read(std::uint64_t index) const;
  // The canon of a CANON entry; nothing where the entry has none.
  Result<std::optional<policy::Canon>> CanonAt(std::uint64_t index) const;
  // The text of the canon in force, if that is what this CANON entry brought: only
  // it has what the model leaves out. Older texts are not kept.
  Result<std::optional<std::string>> CanonTextAt(std::uint64_t index) const;
  // The newest entry before `before` whose bytes hold `text` and that `accepts`.
  Result<std::optional<Entry>> FindLast(std::uint64_t before, const std::string& text,
                                        const std::function<bool(const Entry&)>& accepts) const;
  // The ISSUE or RENEW of a receipt, by id or prefix. kNotFound.
  Result<Entry> FindReceipt(const std::string& id) const;

 private:
  explicit Reader(ledger::ReadOnlyLedger ledger) : ledger_(std::move(ledger)) {}
  ledger::ReadOnlyLedger ledger_;
};

// The host's key, and the newest signed head on disk.
Result<PublicKey> HostKey();
Result<std::string> Anchor();

// One line for people.
std::string Summary(const Entry& entry);

}  // namespace proofgate::cli

#endif  // PROOFGATE_AGENT_CLI_READER_H_
