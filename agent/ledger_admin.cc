#include "agent/ledger_admin.h"

#include <algorithm>
#include <charconv>

#include "base/durable.h"
#include "ledger/export.h"
#include "ledger/witness.h"

namespace proofgate::agent {
namespace {

json::Array Histogram(const std::map<std::uint64_t, std::uint64_t>& buckets) {
  json::Array rows;
  for (const auto& [bits, count] : buckets)
    rows.push_back(json::Object{{"below", json::Integer(std::uint64_t{1} << std::min<std::uint64_t>(bits, 62))}, {"count", json::Integer(count)}});
  return rows;
}

// Lowers `floor` to the entry that a meta value names.
Status LowerTo(const std::string& text, std::uint64_t& floor) {
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return Fail(Code::kCorrupt, "ledger: an entry's index is no number");
  floor = std::min(floor, index);
  return {};
}

// Entries from here on are needed by the daemon or by replay of what is in force.
Result<std::uint64_t> RetainFloor(const ledger::Ledger& ledger) {
  std::uint64_t floor = ledger.head().size;
  if (const auto boot = TRY(ledger.ReadMeta("boot_entry"))) TRY(LowerTo(*boot, floor));
  for (const auto& [domain, entry] : TRY(ledger.ScanMeta("canon_entry/"))) TRY(LowerTo(entry, floor));
  return floor;
}

}  // namespace

json::Object LedgerFigures(const ledger::Ledger& ledger) {
  const ledger::Ledger::Figures figures = ledger.figures();
  json::Object commit{{"max", json::Integer(figures.commit.max_us())}};
  for (const auto& [name, permille] : {std::pair("p50", 500), std::pair("p90", 900), std::pair("p99", 990), std::pair("p999", 999)})
    commit[name] = json::Integer(figures.commit.PermilleUs(static_cast<std::uint64_t>(permille)));
  return {{"commits", json::Integer(figures.commits)}, {"records", json::Integer(figures.records)}, {"commit_percentiles_us", std::move(commit)},
          {"commit_us", Histogram(figures.commit_us)}, {"group", Histogram(figures.group)}};
}

Result<json::Object> SignExport(const ledger::Ledger& ledger, const Signer& signer, const std::string& manifest) {
  const ledger::Manifest parsed = TRY(ledger::ParseManifest(manifest));
  const ledger::NodeReader read = [&ledger](ledger::NodeId id) { return ledger.store().ReadNode(id); };
  if (parsed.origin != ledger.origin() || parsed.size > ledger.head().size || TRY(ledger::Root(parsed.size, read)) != parsed.root)
    return Fail(Code::kDenied, "manifest: not of a head of this ledger");
  return json::Object{{"signature", json::Bytes(SshSign(signer, ledger::kExportNamespace, manifest))}};
}

Status CheckRetain(const ledger::Ledger& ledger, const ledger::Drop& drop) {
  return ledger::CheckDrop(ledger, drop, TRY(RetainFloor(ledger)));
}

Result<json::Object> RetainEntries(ledger::Ledger& ledger, ledger::Drop drop) {
  TRY(ledger::DropBelow(ledger, drop, TRY(RetainFloor(ledger))));
  return json::Object{{"min_index", json::Integer(drop.below)}};
}

json::Object DescribeWitnesses(const ledger::Ledger& ledger, const std::string& policy) {
  json::Object out{{"policy", false}, {"quorum", false}};
  const auto policy_text = ReadFile(policy, 1 << 16);
  if (!policy_text) return out;
  const auto quorum = ledger::Quorum::Parse(*policy_text);
  if (!quorum) {
    out["error"] = json::Bytes(policy + ": " + quorum.error().message);
    return out;
  }
  out["policy"] = true;
  const auto note = ReadFile(ledger::CosignedPath(ledger.dir()), 1 << 16);
  if (!note) return out;
  const auto cosignatures = ledger::VerifyCosignatures(*note, quorum->witnesses());
  if (!cosignatures) {
    out["error"] = json::Bytes(cosignatures.error().message);
    return out;
  }
  json::Array names;
  for (const ledger::Cosignature& one : *cosignatures)
    names.push_back(json::Object{{"witness", one.witness}, {"time", json::Integer(one.time_s)}});
  out["cosignatures"] = std::move(names);
  out["quorum"] = quorum->SatisfiedBy(*cosignatures);
  // Origin, size, root.
  const std::size_t start = note->find('\n') + 1;
  out["size"] = json::Bytes(note->substr(start, note->find('\n', start) - start));
  return out;
}

}  // namespace proofgate::agent
