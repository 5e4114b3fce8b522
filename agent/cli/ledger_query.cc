// ledger query, stat.

#include <fmt/format.h>

#include "agent/cli/client.h"
#include "agent/cli/ledger.h"
#include "agent/cli/reader.h"
#include "agent/paths.h"
#include "base/bytes.h"
#include "ledger/retention.h"

namespace proofgate::cli {
namespace {

std::uint64_t Number(const json::Value& from, const char* key) { return json::GetInteger(from, key).value_or(0); }

// "1 ms: 17, 2 ms: 3": how many were below each power of two.
std::string Buckets(const json::Value* counts, const char* unit) {
  std::string out;
  if (counts == nullptr || !counts->is_array()) return "none yet";
  for (const json::Value& row : counts->array())
    out += fmt::format("{}below {}{}: {}", out.empty() ? "" : ", ", Number(row, "below"), unit, Number(row, "count"));
  return out.empty() ? "none yet" : out;
}

}  // namespace

int QueryLedger(const Options& options, const LedgerOptions& own) {
  const auto ask = [&]() -> Status {
    TRY(ledger::CheckQuery(own.query));
    const ledger::ReadOnlyLedger from = TRY(OpenLedger(own));
    return ledger::RunQuery(*from.store, own.query, [&options](std::uint64_t index, const json::Value& leaf) -> Status {
      Entry entry;
      entry.index = index;
      entry.kind = TRY(json::GetString(leaf, "kind"));
      entry.utc = TRY(json::GetString(leaf, "utc"));
      if (const json::Value* const body = leaf.Find("body")) entry.body = *body;
      if (options.json) fmt::print("{}\n", json::Encode(leaf));
      else fmt::print("{}\n", Summary(entry));
      return {};
    });
  };
  const Status done = ask();
  return done ? kDone : Complain(done.error(), options.json);
}

int StatLedger(const Options& options, const LedgerOptions& own) {
  const auto look = [&]() -> Result<json::Object> {
    const ledger::ReadOnlyLedger from = TRY(OpenLedger(own));
    json::Object out{{"origin", from.origin}, {"size", json::Integer(from.head.size)}, {"root", Hex(from.head.root)},
                     {"min_index", json::Integer(TRY(ledger::ReadMinIndex(*from.store)))}};
    json::Object parts;
    for (const auto& [part, bytes] : TRY(from.store->Sizes())) parts[part] = json::Integer(bytes);
    out["bytes_on_disk"] = std::move(parts);
    json::Array holds;
    for (const ledger::Hold& hold : TRY(ledger::ReadHolds(*from.store)))
      holds.push_back(json::Object{{"name", hold.name}, {"from", json::Integer(hold.from)}, {"why", json::Bytes(hold.why)}});
    out["holds"] = std::move(holds);
    if (own.by_kind) {
      std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> kinds;
      std::vector<json::Member> members;
      TRY(from.store->ScanEntries(TRY(ledger::ReadMinIndex(*from.store)), from.head.size, [&](std::uint64_t, std::string_view leaf) -> Status {
        TRY(json::ScanCanonical(leaf, members));
        for (const json::Member& member : members)
          if (member.name == "kind" && member.value.size() > 2) {
            auto& [count, bytes] = kinds[std::string(member.value.substr(1, member.value.size() - 2))];
            ++count;
            bytes += leaf.size();
          }
        return {};
      }));
      json::Object rows;
      for (const auto& [kind, sums] : kinds)
        rows[kind] = json::Object{{"entries", json::Integer(sums.first)}, {"bytes", json::Integer(sums.second)}};
      out["kinds"] = std::move(rows);
    }
    // Only the writer knows how it writes.
    if (own.ledger_dir.empty())
      if (const Reply reply = Call("ledger.figures"); reply.exit_code == kDone) out["writing"] = reply.result;
    return out;
  };
  const auto stat = look();
  if (!stat) return Complain(stat.error(), options.json);
  const json::Value value(*stat);
  if (options.json) {
    PrintJson(value);
    return kDone;
  }
  fmt::print("{}: {} entries, root {}\n", *json::GetString(value, "origin"), Number(value, "size"), *json::GetString(value, "root"));
  if (Number(value, "min_index") != 0) fmt::print("entries below {} were dropped\n", Number(value, "min_index"));
  for (const json::Value& hold : value.Find("holds")->array())
    fmt::print("hold {}: from entry {} on\n", *json::GetString(hold, "name"), Number(hold, "from"));
  for (const auto& [part, bytes] : value.Find("bytes_on_disk")->object())
    fmt::print("{:>12} bytes {}\n", json::GetInteger(*value.Find("bytes_on_disk"), part).value_or(0), part);
  if (const json::Value* const kinds = value.Find("kinds"))
    for (const auto& [kind, row] : kinds->object())
      fmt::print("{:>12} {} entries, {} bytes\n", kind, Number(row, "entries"), Number(row, "bytes"));
  if (const json::Value* const writing = value.Find("writing")) {
    fmt::print("since the daemon started: {} entries in {} commits\n", Number(*writing, "records"), Number(*writing, "commits"));
    if (const json::Value* const commit = writing->Find("commit_percentiles_us"))
      fmt::print("  a commit (write and fsync) takes: half below {} us, p90 {} us, p99 {} us, p99.9 {} us, at most {} us\n", Number(*commit, "p50"),
                 Number(*commit, "p90"), Number(*commit, "p99"), Number(*commit, "p999"), Number(*commit, "max"));
    fmt::print("  commits by duration: {}\n", Buckets(writing->Find("commit_us"), " us"));
    fmt::print("  commits by entries: {}\n", Buckets(writing->Find("group"), ""));
  }
  return kDone;
}

}  // namespace proofgate::cli
