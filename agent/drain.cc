#include "agent/drain.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "agent/record.h"
#include "base/clock.h"
#include "policy/trace.h"

namespace proofgate::agent {
namespace {

constexpr auto kPause = std::chrono::milliseconds(20);
constexpr std::uint64_t kCountEveryNs = 100'000'000;
constexpr std::size_t kBatch = 1024;
constexpr std::size_t kMaxInFlight = 8192;

// The ledger may or may not hold what we asked for: only a new process can tell.
[[noreturn]] void EndProcess(const std::string& why) {
  std::fprintf(stderr, "stopping: %s\n", why.c_str());
  std::_Exit(1);
}

}  // namespace

Status Drain::Add(std::uint32_t domain) {
  Source source;
  source.name = names_.Domain(domain).first;
  const std::string place = fmt::format("{}:{}:", boot_id_, pep_.ring_id(domain));
  source.position = pep_.ring(domain).consumed();
  const auto left = TRY(ledger_.ReadMeta(fmt::format("ring/{}", domain)));
  if (left && left->starts_with(place)) {
    const std::uint64_t position = std::stoull(left->substr(place.size()));
    if (position > pep_.ring(domain).produced())
      return Fail(Code::kCorrupt, "ring: the ledger is ahead of the gate");
    source.position = std::max(source.position, position);
    pep_.ring(domain).SetConsumed(source.position);
  }
  const auto counted = TRY(ledger_.ReadMeta("denials/" + source.name));
  if (counted) {
    const json::Value value = TRY(json::Parse(*counted));
    if (TRY(json::GetString(value, "boot_id")) == boot_id_) {
      source.counted.deny_seq = TRY(json::GetInteger(value, "seq"));
      source.counted.unrecorded = TRY(json::GetInteger(value, "unrecorded"));
      for (unsigned code = 0; code < MAX_CODES; ++code)
        if (value.Find(fmt::format("code{}", code)) != nullptr)
          source.counted.denials[code] = TRY(json::GetInteger(value, fmt::format("code{}", code)));
    }
  }
  const std::lock_guard lock(mutex_);
  sources_.emplace(domain, std::move(source));
  return {};
}

void Drain::Start() { thread_ = std::thread([this] { Run(); }); }

void Drain::Stop() {
  if (!thread_.joinable()) return;
  Flush();
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Drain::Flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = ++flushes_wanted_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return flushes_done_ >= mine; });
}

void Drain::Run() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPause, [this] { return stop_ || flushes_wanted_ > flushes_done_; });
    if (stop_) return;
    const std::uint64_t wanted = flushes_wanted_;
    if (wanted > flushes_done_) last_count_ns_ = 0;  // count denials now
    std::map<std::uint32_t, std::uint64_t> until;
    for (auto& [domain, source] : sources_) until[domain] = pep_.ring(domain).produced();
    bool behind = true;
    while (behind) {
      changed_.wait(lock, [this] { return in_flight_ < kMaxInFlight; });
      Round();
      behind = false;
      for (auto& [domain, source] : sources_) {
        const auto end = until.find(domain);
        if (end != until.end() && source.position < end->second) behind = true;
      }
    }
    if (wanted > flushes_done_) {
      changed_.wait(lock, [this] { return in_flight_ == 0; });
      flushes_done_ = wanted;
      changed_.notify_all();
    }
    ++rounds_;
  }
}

void Drain::Round() {
  const std::uint64_t now = SystemClock().Boot().ns;
  const bool count = now - last_count_ns_ >= kCountEveryNs;
  if (count) last_count_ns_ = now;
  for (auto& [domain, source] : sources_) {
    ReadRing(domain, source);
    if (count) CountDenials(domain, source);
  }
}

void Drain::ReadRing(std::uint32_t domain, Source& source) {
  std::vector<ledger::Record> records;
  ledger::Meta meta;
  Ring& ring = pep_.ring(domain);
  const std::uint64_t position =
      ring.Read(source.position, kBatch, [&](std::span<const std::byte> bytes) {
        const auto record = DecodeRecord(bytes);
        if (!record) EndProcess("the gate's records: " + record.error().message);
        if (record->op == OP_EXEC && record->verdict == VERDICT_ALLOW && record->object != 0) {
          const std::string path = PathText(*record, mounts_);
          if (names_.SetProgram(record->object, path))
            meta[fmt::format("program/{}", record->object)] = path;
        }
        records.push_back(ToLedger(*record, names_, mounts_));
      });
  if (position == source.position) return;
  source.position = position;
  meta[fmt::format("ring/{}", domain)] =
      fmt::format("{}:{}:{}", boot_id_, pep_.ring_id(domain), position);
  Append(std::move(records), std::move(meta), [&ring, position] { ring.SetConsumed(position); });
}

void Drain::CountDenials(std::uint32_t domain, Source& source) {
  const domain_state now = pep_.ReadDomain(domain);
  if (now.deny_seq == source.counted.deny_seq) return;
  json::Object codes;
  json::Object totals;
  std::uint64_t sum = 0;
  for (unsigned code = 0; code < MAX_CODES; ++code) {
    const std::uint64_t more = now.denials[code] - source.counted.denials[code];
    if (more != 0) codes[std::string(policy::GateCodeName(code))] = json::Integer(more);
    if (now.denials[code] != 0) totals[fmt::format("code{}", code)] = json::Integer(now.denials[code]);
    sum += more;
  }
  if (sum != now.deny_seq - source.counted.deny_seq) return;  // one is being counted; next round
  json::Object body;
  body["domain"] = source.name;
  body["from_seq"] = json::Integer(source.counted.deny_seq + 1);
  body["to_seq"] = json::Integer(now.deny_seq);
  body["codes"] = std::move(codes);
  body["without_record"] = json::Integer(now.unrecorded - source.counted.unrecorded);
  source.counted = now;
  totals["boot_id"] = boot_id_;
  totals["seq"] = json::Integer(now.deny_seq);
  totals["unrecorded"] = json::Integer(now.unrecorded);
  ledger::Meta meta;
  meta["denials/" + source.name] = json::Encode(totals);
  Append({{"DENIALS", std::move(body)}}, std::move(meta), [] {});
}

void Drain::Append(std::vector<ledger::Record> records, ledger::Meta meta,
                   std::function<void()> committed) {
  const std::size_t count = records.size() + 1;
  in_flight_ += count;
  ledger_.AppendAsync(std::move(records), std::move(meta),
                      [this, count, committed = std::move(committed)](
                          const Result<ledger::Position>& position) {
                        if (!position) EndProcess(position.error().message);
                        committed();
                        const std::lock_guard lock(mutex_);
                        in_flight_ -= count;
                        changed_.notify_all();
                      });
}

}  // namespace proofgate::agent
