#include "ledger/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "ledger/ledger.h"

namespace proofgate::ledger {
namespace {

constexpr const char* kMinIndexKey = "min_index";
constexpr std::string_view kHoldPrefix = "hold/";
constexpr std::string_view kBlobPrefix = "blob/";
constexpr std::size_t kSaltBytes = 32;

bool IsHoldName(const std::string& name) {
  if (name.empty() || name.size() > 64) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

std::string BlobKey(const Digest& commitment) { return std::string(kBlobPrefix) + Hex(commitment); }

}  // namespace

Result<std::uint64_t> ReadMinIndex(const Store& store) {
  const auto text = TRY(store.ReadMeta(kMinIndexKey));
  if (!text) return std::uint64_t{0};
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), index);
  if (error != std::errc() || end != text->data() + text->size())
    return Fail(Code::kCorrupt, "ledger: the minimum index is no number");
  return index;
}

Result<std::vector<Hold>> ReadHolds(const Store& store) {
  std::vector<Hold> holds;
  for (const auto& [key, bytes] : TRY(store.ScanMeta(kHoldPrefix))) {
    const json::Value row = TRY(json::Parse(bytes));
    Hold hold;
    hold.name = key.substr(kHoldPrefix.size());
    hold.from = TRY(json::GetInteger(row, "from"));
    hold.why = TRY(json::GetBytes(row, "why"));
    holds.push_back(std::move(hold));
  }
  return holds;
}

Status PlaceHold(Ledger& ledger, const Hold& hold, const std::string& by) {
  if (!IsHoldName(hold.name)) return Fail(Code::kInvalid, "hold: a name of a-z, 0-9 and '-' expected");
  const std::string key = std::string(kHoldPrefix) + hold.name;
  if (TRY(ledger.store().ReadMeta(key))) return Fail(Code::kInvalid, "hold " + hold.name + ": is there already");
  json::Object body{{"name", hold.name}, {"from", json::Integer(hold.from)}, {"why", json::Bytes(hold.why)}, {"by", by}};
  json::Object row{{"from", json::Integer(hold.from)}, {"why", json::Bytes(hold.why)}};
  TRY(ledger.AppendWithState({{"HOLD", std::move(body)}}, {{key, json::Encode(std::move(row))}}));
  return {};
}

Status ReleaseHold(Ledger& ledger, const std::string& name, const std::string& why, const std::string& by) {
  const std::string key = std::string(kHoldPrefix) + name;
  if (!IsHoldName(name) || !TRY(ledger.store().ReadMeta(key))) return Fail(Code::kInvalid, "hold: there is none of that name");
  TRY(ledger.AppendWithState({{"RELEASE", {{"name", name}, {"why", json::Bytes(why)}, {"by", by}}}}, {{key, ""}}));
  return {};
}

Result<std::uint64_t> FirstSince(const Store& store, std::string_view utc) {
  std::uint64_t low = TRY(ReadMinIndex(store));
  std::uint64_t high = TRY(store.ReadHead()).size;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const json::Value leaf = TRY(json::Parse(TRY(store.ReadEntry(middle))));
    if (TRY(json::GetString(leaf, "utc")) < utc) low = middle + 1;
    else high = middle;
  }
  return low;
}

Result<std::uint64_t> FirstOfNewest(const Store& store, std::uint64_t bytes, const Progress& progress) {
  const std::uint64_t size = TRY(store.ReadHead()).size;
  const std::uint64_t min_index = TRY(ReadMinIndex(store));
  std::uint64_t total = 0;
  TRY(store.ScanEntries(min_index, size, [&](std::uint64_t index, std::string_view leaf) -> Status {
    total += leaf.size();
    if (progress && index % 65'536 == 0) progress(index, 2 * size);
    return {};
  }));
  std::uint64_t first = min_index;
  if (total <= bytes) return first;
  const Status scanned = store.ScanEntries(min_index, size, [&](std::uint64_t index, std::string_view leaf) -> Status {
    if (total <= bytes) return Fail(Code::kBusy, "enough");
    total -= leaf.size();
    first = index + 1;
    return {};
  });
  if (!scanned && scanned.error().code != Code::kBusy) return tl::unexpected(scanned.error());
  return first;
}

Status CheckDrop(const Ledger& ledger, const Drop& drop, std::uint64_t floor) {
  const std::uint64_t before = TRY(ReadMinIndex(ledger.store()));
  if (drop.below <= before) return Fail(Code::kInvalid, fmt::format("retain: entries below {} are gone already", before));
  if (drop.below > ledger.head().size) return Fail(Code::kInvalid, "retain: beyond the ledger's end");
  if (drop.below > floor) return Fail(Code::kDenied, fmt::format("retain: entries from {} on are in use", floor));
  for (const Hold& hold : TRY(ReadHolds(ledger.store())))
    if (drop.below > hold.from) return Fail(Code::kDenied, fmt::format("retain: hold '{}' keeps entries from {} on", hold.name, hold.from));
  return {};
}

Status DropBelow(Ledger& ledger, const Drop& drop, std::uint64_t floor) {
  TRY(CheckDrop(ledger, drop, floor));
  const std::uint64_t before = TRY(ReadMinIndex(ledger.store()));
  TRY(ledger.Checkpoint());
  json::Object body{{"min_index", json::Integer(drop.below)}, {"before", json::Integer(before)}, {"why", json::Bytes(drop.why)}, {"by", drop.by}};
  if (!drop.archive_sha256.empty()) body["archive_sha256"] = drop.archive_sha256;
  TRY(ledger.AppendWithState({{"RETAIN", std::move(body)}}, {{kMinIndexKey, std::to_string(drop.below)}}));
  return ledger.store().DropEntries(drop.below);
}

Blob MakeBlob(std::string_view bytes) {
  Blob blob;
  blob.stored = RandomBytes(kSaltBytes) + std::string(bytes);
  blob.commitment = Sha256(blob.stored);
  return blob;
}

std::pair<std::string, std::string> BlobState(const Blob& blob) { return {BlobKey(blob.commitment), blob.stored}; }

Result<std::string> ReadBlob(const Store& store, const Digest& commitment) {
  const auto stored = TRY(store.ReadMeta(BlobKey(commitment)));
  if (!stored) return Fail(Code::kNotFound, "blob " + Hex(commitment) + ": erased, or never there");
  if (stored->size() < kSaltBytes || Sha256(*stored) != commitment)
    return Fail(Code::kCorrupt, "blob " + Hex(commitment) + ": not the bytes that the entry names");
  return stored->substr(kSaltBytes);
}

Status EraseBlob(Ledger& ledger, const Digest& commitment, const std::string& why, const std::string& by) {
  const std::string key = BlobKey(commitment);
  if (!TRY(ledger.store().ReadMeta(key))) return Fail(Code::kNotFound, "blob " + Hex(commitment) + ": erased, or never there");
  json::Object body{{"commitment", Hex(commitment)}, {"why", json::Bytes(why)}, {"by", by}};
  TRY(ledger.AppendWithState({{"ERASED", std::move(body)}}, {{key, ""}}));
  return ledger.store().Scrub();
}

}  // namespace proofgate::ledger
