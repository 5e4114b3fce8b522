#include "agent/ledger_check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>

#include "base/durable.h"
#include "ledger/fsck.h"
#include "ledger/retention.h"
#include "policy/grammar.h"

namespace proofgate::agent {
namespace {

constexpr std::size_t kMaxFileBytes = 4096;
constexpr std::uint64_t kMaxPace = 10'000'000;
constexpr std::uint64_t kStep = 4096;  // entries between two looks at the clock
constexpr std::size_t kMaxNoteBytes = 1 << 16;
constexpr std::size_t kRecordedFindings = 20;

}  // namespace

Result<CheckPace> ParseCheckPace(std::string_view text) {
  CheckPace pace;
  bool has_pace = false;
  bool has_every = false;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto wrong = [number](const std::string& what) { return Fail(Code::kInvalid, fmt::format("line {}: {}", number, what)); };
    if (line.empty() || line.front() == '#') continue;
    const std::size_t space = line.find(' ');
    const std::string_view word = line.substr(0, space);
    const std::string_view value = space == std::string_view::npos ? "" : line.substr(space + 1);
    if (word == "pace" && !has_pace) {
      has_pace = true;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), pace.entries_a_second);
      if (error != std::errc() || end != value.data() + value.size() || pace.entries_a_second == 0 || pace.entries_a_second > kMaxPace)
        return wrong(fmt::format("from 1 to {} entries a second expected", kMaxPace));
    } else if (word == "every" && !has_every) {
      has_every = true;
      const auto every = policy::ParseDuration(value);
      if (!every) return wrong(every.error().message + " expected");
      pace.every_ns = *every;
    } else {
      return wrong("'pace ENTRIES' or 'every DURATION' expected, each once");
    }
  }
  return pace;
}

Result<CheckPace> ReadCheckPace(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) return CheckPace{};
  auto pace = ParseCheckPace(TRY(ReadFile(path, kMaxFileBytes)));
  if (!pace) return Fail(pace.error().code, path + ": " + pace.error().message);
  return pace;
}

LedgerCheck::LedgerCheck(ledger::Ledger& ledger, PublicKey key, CheckPace pace)
    : ledger_(ledger), key_(key), pace_(pace), thread_([this] { Run(); }) {}

LedgerCheck::~LedgerCheck() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LedgerCheck::Hurry() {
  {
    const std::lock_guard lock(mutex_);
    hurry_ = true;
  }
  changed_.notify_all();
}

json::Object LedgerCheck::Describe() const {
  const std::lock_guard lock(mutex_);
  json::Object out{{"running", running_}, {"rounds", json::Integer(rounds_)}};
  if (running_) {
    out["done"] = json::Integer(done_);
    out["size"] = json::Integer(size_);
  }
  if (!last_.empty()) out["last"] = last_;
  return out;
}

void LedgerCheck::Run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::nanoseconds(pace_.every_ns), [this] { return stop_ || hurry_; });
      if (stop_) return;
      running_ = true;
    }
    Round();
    const std::lock_guard lock(mutex_);
    running_ = false;
    hurry_ = false;
    ++rounds_;
  }
}

void LedgerCheck::Round() {
  const auto check = [this]() -> Result<std::optional<ledger::FsckReport>> {
    for (;;) {
      // The signed head first: what is read after it extends it.
      const std::string anchor = TRY(ReadFile(ledger::AnchorPath(ledger_.dir()), kMaxNoteBytes));
      const auto verification = TRY(ledger::Verification::Begin(ledger_.store(), key_, ledger_.origin(), anchor, {}));
      const auto start = std::chrono::steady_clock::now();
      while (TRY(verification->Step(kStep))) {
        std::unique_lock lock(mutex_);
        done_ = verification->done();
        size_ = verification->size();
        const auto due = start + std::chrono::nanoseconds(done_ / pace_.entries_a_second * 1'000'000'000 +
                                                          done_ % pace_.entries_a_second * 1'000'000'000 / pace_.entries_a_second);
        changed_.wait_until(lock, due, [this] { return stop_ || hurry_; });
        if (stop_) return std::optional<ledger::FsckReport>();
      }
      ledger::FsckReport report = verification->Finish();
      // Entries that were dropped on the way are no finding: once more.
      if (!report.findings.empty() && TRY(ledger::ReadMinIndex(ledger_.store())) != verification->min_index()) continue;
      return std::optional<ledger::FsckReport>(std::move(report));
    }
  };
  const auto report = check();
  if (report && !*report) return;  // the daemon stops
  json::Object body;
  json::Array findings;
  if (report) {
    body = {{"size", json::Integer((*report)->head.size)}, {"root", Hex((*report)->head.root)}};
    for (const std::string& finding : (*report)->findings)
      if (findings.size() < kRecordedFindings) findings.emplace_back(json::Bytes(finding));
  } else {
    findings.emplace_back(json::Bytes("the ledger cannot be read: " + report.error().message));
  }
  for (const json::Value& finding : findings) std::fprintf(stderr, "ledger check: %s\n", json::Encode(finding).c_str());
  body["findings"] = std::move(findings);
  {
    const std::lock_guard lock(mutex_);
    last_ = body;
  }
  ledger_.AppendAsync({{"CHECKED", std::move(body)}}, {}, [](const Result<ledger::Position>&) {});
}

}  // namespace proofgate::agent
