#include "agent/watch.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cstdio>

#include "policy/own.h"

namespace proofgate::agent {
namespace {

constexpr const char* kParts = "gate";       // Meta: what was loaded on this boot
constexpr const char* kKnown = "tampered";   // Meta: differences noted on this boot

}  // namespace

Status Watch::Begin(bool same_boot) {
  for (const policy::Object& object : policy::OwnObjects()) {
    if (object.form != policy::Form::kFile) continue;
    Fd fd(open(object.path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.is_open() && errno == ENOENT) continue;
    if (!fd.is_open()) return FailErrno(errno, object.path);
    TRY(pep_.Guard(fd.get()));
    own_.push_back(std::move(fd));
  }
  auto now = TRY(pep_.Inspect());
  const auto noted = same_boot ? TRY(ledger_.ReadMeta(kParts)) : std::nullopt;
  const auto known = same_boot ? TRY(ledger_.ReadMeta(kKnown)) : std::nullopt;
  if (known) {
    const json::Value list = TRY(json::Parse(*known));
    if (!list.is_array()) return Fail(Code::kCorrupt, "ledger: list of differences");
    for (const json::Value& difference : list.array()) known_.insert(TRY(json::GetBytes(difference, "what")));
  }
  if (noted) {
    const json::Value row = TRY(json::Parse(*noted));
    if (!row.is_object()) return Fail(Code::kCorrupt, "ledger: parts of the gate");
    for (const auto& [part, value] : row.object()) {
      if (!value.is_string()) return Fail(Code::kCorrupt, "ledger: parts of the gate");
      parts_[part] = value.string();
    }
    // Another build brings its own programs and takes over the maps.
    const bool same_build = parts_["build"] == now["build"];
    if (!same_build)
      std::erase_if(parts_, [](const auto& part) { return !part.first.starts_with("map "); });
    Compare(now);
    Commit();
  }
  std::erase_if(now, [](const auto& part) { return part.first.starts_with("pin "); });
  parts_ = std::move(now);
  json::Object row;
  for (const auto& [part, value] : parts_) row[part] = value;
  TRY(ledger_.Append({}, {{kParts, json::Encode(row)}, {kKnown, same_boot && known ? *known : ""}}));
  return {};
}

void Watch::Compare(const std::map<std::string, std::string>& now) {
  for (const auto& [part, value] : parts_) {
    const auto at = now.find(part);
    if (at == now.end()) Note(fmt::format("{}: was {}, is gone", part, value));
    else if (at->second != value) Note(fmt::format("{}: was {}, is {}", part, value, at->second));
  }
  for (const auto& [part, value] : now)
    if (part.starts_with("pin ")) Note(fmt::format("{} {}", part, value));
}

std::vector<std::uint64_t> Watch::Check(const Expected& expected) {
  const auto now = pep_.Inspect();
  if (now) Compare(*now);
  else Note("the gate cannot be looked at: " + now.error().message);
  if (!pep_.CheckSettings()) Note("settings: named another daemon or another file system as ours; set right");
  std::vector<std::uint64_t> lost;
  const auto governed = pep_.Governed();
  if (!governed) Note("governed cgroups cannot be listed: " + governed.error().message);
  for (const auto& [id, domain] : expected.cgroups) {
    if (!governed) break;
    const auto at = governed->find(id);
    if (at != governed->end() && at->second == domain) continue;
    Note(fmt::format("governed cgroup {}: {}; governed again", id,
                     at == governed->end() ? "was taken out" : "was given to another domain"));
    lost.push_back(id);
  }
  for (const auto& [domain, judgement] : expected.judgements) {
    const domain_state state = pep_.ReadDomain(domain);
    if (state.mode == judgement.mode && (state.judges_reads != 0) == judgement.reads) continue;
    Note(fmt::format("mode of domain {}: was changed; set right", domain));
    if (const Status set = pep_.OpenDomain(domain, judgement); !set)
      std::fprintf(stderr, "mode of domain %u: %s\n", domain, set.error().message.c_str());
  }
  for (const std::string& difference : expected.receipts) Note(difference);
  Commit();
  return lost;
}

void Watch::Note(const std::string& difference) {
  if (!known_.insert(difference).second) return;
  std::fprintf(stderr, "TAMPERED: %s\n", difference.c_str());
  fresh_.push_back(difference);
}

void Watch::Commit() {
  if (fresh_.empty()) return;
  std::vector<ledger::Record> records;
  for (const std::string& difference : fresh_)
    records.push_back({"TAMPERED", json::Object{{"what", json::Bytes(difference)}}});
  json::Array known;
  for (const std::string& difference : known_) known.push_back(json::Object{{"what", json::Bytes(difference)}});
  const auto done = ledger_.Append(std::move(records), {{kKnown, json::Encode(known)}});
  if (!done) std::fprintf(stderr, "note a difference: %s\n", done.error().message.c_str());
  else fresh_.clear();
}

}  // namespace proofgate::agent
