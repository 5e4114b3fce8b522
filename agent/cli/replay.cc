// replay: decisions made again from the record alone.

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>

#include "agent/cli/client.h"
#include "agent/cli/commands.h"
#include "agent/paths.h"
#include "base/durable.h"
#include "ledger/ledger.h"
#include "ledger/tiles.h"
#include "policy/parse.h"
#include "policy/replay.h"

namespace proofgate::cli {
namespace {

using TakeLeaf = std::function<void(std::uint64_t index, std::string_view leaf)>;

void Progress(std::uint64_t done, std::uint64_t size) {
  if (isatty(STDERR_FILENO) == 1 && (done % 4096 == 0 || done == size))
    fmt::print(stderr, "\r{} of {} entries{}", done, size, done == size ? "\r\033[K" : "");
}

Status ReadStore(const ledger::ReadOnlyLedger& from, const TakeLeaf& take) {
  for (std::uint64_t index = 0; index < from.head.size; ++index) {
    take(index, TRY(from.store->ReadEntry(index)));
    Progress(index + 1, from.head.size);
  }
  return {};
}

// The size is the second line of the checkpoint.
Status ReadTiles(const std::string& dir, const TakeLeaf& take) {
  const std::string note = TRY(ReadFile(dir + "/checkpoint", 1 << 16));
  const std::size_t line = note.find('\n') + 1;
  std::uint64_t size = 0;
  for (std::size_t at = line; at < note.size() && note[at] >= '0' && note[at] <= '9' && size < (1ull << 50); ++at)
    size = size * 10 + static_cast<std::uint64_t>(note[at] - '0');
  if (size == 0) return Fail(Code::kInvalid, dir + "/checkpoint: a size expected in its second line");
  const ledger::TileReader tiles(dir, size);
  for (std::uint64_t index = 0; index < size;) {
    for (const std::string& leaf : TRY(tiles.ReadBundle(index / 256))) take(index++, leaf);
    Progress(index, size);
  }
  return {};
}

// One leaf a line, as `ledger tail --json` is not: the canonical bytes.
Status ReadLines(const std::string& path, const TakeLeaf& take) {
  std::ifstream lines(path, std::ios::binary);
  if (!lines) return FailErrno(errno, path);
  std::string leaf;
  for (std::uint64_t index = 0; std::getline(lines, leaf); ++index) take(index, leaf);
  return {};
}

Status ReadAll(const std::string& path, const TakeLeaf& take) {
  if (path.empty()) {
    Call("flush");  // the daemon, if one answers, commits what the gate has recorded
    return ReadStore(TRY(ledger::OpenReadOnly(agent::kLedgerDir)), take);
  }
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return FailErrno(errno, path);
  if (!S_ISDIR(info.st_mode)) return ReadLines(path, take);
  if (stat((path + "/checkpoint").c_str(), &info) == 0) return ReadTiles(path, take);
  return ReadStore(TRY(ledger::OpenReadOnly(path)), take);
}

// "17", "17-30" or "17-".
bool ParseRange(const std::string& text, std::uint64_t& from, std::uint64_t& to) {
  const auto number = [](const std::string& digits, std::uint64_t& value) {
    if (digits.empty() || digits.size() > 15 || digits.find_first_not_of("0123456789") != std::string::npos) return false;
    value = std::stoull(digits);
    return true;
  };
  const std::size_t dash = text.find('-');
  if (!number(text.substr(0, dash), from)) return false;
  to = from + 1;
  if (dash == std::string::npos) return true;
  to = ~std::uint64_t{0};
  if (dash + 1 == text.size()) return true;
  if (!number(text.substr(dash + 1), to) || to < from) return false;
  ++to;
  return true;
}

// The first byte at which they part, with what is around it.
void PrintDifference(const policy::ReplayDifference& difference) {
  std::size_t at = 0;
  while (at < difference.recorded.size() && at < difference.recomputed.size() &&
         difference.recorded[at] == difference.recomputed[at])
    ++at;
  const std::size_t from = at > 60 ? at - 60 : 0;
  const auto part = [from](const std::string& text) {
    return (from > 0 ? "…" : "") + policy::EscapeForPeople(text.substr(std::min(from, text.size()), 240));
  };
  fmt::print("entry {} {}: differs from byte {}\n  recorded    {}\n  made again  {}\n", difference.index, difference.kind, at,
             part(difference.recorded), part(difference.recomputed));
}

}  // namespace

int ReplayLedger(const Options& options) {
  std::uint64_t from = 0;
  std::uint64_t to = ~std::uint64_t{0};
  if (!options.range.empty() && !ParseRange(options.range, from, to))
    return Complain(Error{Code::kInvalid, "an entry, FROM-TO, or FROM- expected"}, options.json, kUsage);
  if (options.range.empty() && !options.all)
    return Complain(Error{Code::kInvalid, "an entry, a range or --all expected"}, options.json, kUsage);
  policy::Replay replay;
  if (!options.canon.empty()) {
    const auto text = ReadFile(options.canon, policy::kMaxCanonBytes);
    if (!text) return Complain(text.error(), options.json);
    policy::ParsedCanon parsed = policy::ParseCanon(*text, options.canon);
    if (!parsed.diagnostics.empty()) {
      for (const auto& diagnostic : parsed.diagnostics) fmt::print(stderr, "{}\n", policy::Render(diagnostic));
      return kRefused;
    }
    if (parsed.canons.size() != 1)
      return Complain(Error{Code::kInvalid, options.canon + ": one domain expected"}, options.json);
    replay = policy::Replay(std::move(parsed.canons.front()));
  }
  replay.ReportFrom(from, to);
  const Status read = ReadAll(options.ledger, [&](std::uint64_t index, std::string_view leaf) { replay.Take(index, leaf); });
  if (!read) return Complain(read.error(), options.json);
  const policy::ReplayReport report = replay.report();
  if (options.json) {
    json::Object agreed;
    for (const auto& [kind, count] : report.agreed) agreed[kind] = json::Integer(count);
    json::Object not_decided;
    for (const auto& [why, count] : report.not_decided) not_decided[why] = json::Integer(count);
    json::Array differences;
    for (const policy::ReplayDifference& difference : report.first)
      differences.emplace_back(json::Object{{"entry", json::Integer(difference.index)}, {"kind", json::Bytes(difference.kind)},
                                            {"recorded", json::Bytes(difference.recorded)},
                                            {"made_again", json::Bytes(difference.recomputed)}});
    PrintJson(json::Object{{"entries", json::Integer(report.entries)}, {"agreed", std::move(agreed)},
                           {"not_decided", std::move(not_decided)}, {"differences", json::Integer(report.differences)},
                           {"first", std::move(differences)},
                           {"semantics", json::Array{policy::kGateSemantics, policy::kPdpSemantics, policy::kOptrSemantics, policy::kSessionSemantics}}});
    return report.differences == 0 ? kDone : kRefused;
  }
  // What-if: every flip is of interest. Otherwise the first says enough.
  const std::size_t shown = options.canon.empty() ? 1 : report.first.size();
  for (std::size_t i = 0; i < std::min(shown, report.first.size()); ++i) PrintDifference(report.first[i]);
  std::uint64_t agreed = 0;
  for (const auto& [kind, count] : report.agreed) agreed += count;
  fmt::print("{} entries: {} decisions agree, {} differ\n", report.entries, agreed, report.differences);
  for (const auto& [why, count] : report.not_decided) fmt::print("  {} not decided again: {}\n", count, why);
  return report.differences == 0 ? kDone : kRefused;
}

}  // namespace proofgate::cli
