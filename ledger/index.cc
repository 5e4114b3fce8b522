#include "ledger/index.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "ledger/retention.h"

namespace proofgate::ledger {
namespace {

constexpr std::size_t kMaxValue = 64;
constexpr std::size_t kHourLength = 13;  // "2026-11-24T12"
constexpr std::string_view kUtcPattern = "0000-00-00T00:00:00.000Z";

// A member that is text in one of its two forms.
std::string TextOf(const json::Object& body, std::string_view name) {
  const auto at = body.find(name);
  if (at == body.end()) return "";
  if (at->second.is_string()) return at->second.string();
  const json::Value wrapped(json::Object{{"text", at->second}});
  return json::GetBytes(wrapped, "text").value_or("");
}

struct Field {
  const char* name;
  std::string Query::*asked;
  std::array<const char*, 2> members;  // of the body
};
constexpr std::array<Field, 6> kFields = {{
    {"receipt", &Query::receipt, {"receipt", "id"}},
    {"object", &Query::object, {"path", "address"}},
    {"session", &Query::session, {"session", nullptr}},
    {"rule", &Query::rule, {"rule", nullptr}},
    {"code", &Query::code, {"code", nullptr}},
    {"domain", &Query::domain, {"domain", nullptr}},
}};

std::string ValueOf(const Field& field, const json::Object& body) {
  for (const char* const member : field.members)
    if (member != nullptr)
      if (std::string value = TextOf(body, member); !value.empty()) return value;
  return "";
}

bool Matches(const Query& query, const json::Value& leaf) {
  const auto utc = json::GetString(leaf, "utc");
  const auto kind = json::GetString(leaf, "kind");
  const json::Value* const body = leaf.Find("body");
  if (!utc || !kind || body == nullptr || !body->is_object()) return false;
  if (!query.kind.empty() && *kind != query.kind) return false;
  if (*utc < query.from_utc || (!query.to_utc.empty() && *utc >= query.to_utc)) return false;
  for (const Field& field : kFields) {
    const std::string& asked = query.*field.asked;
    if (asked.empty()) continue;
    const std::string value = ValueOf(field, body->object());
    const bool by_prefix = field.asked == &Query::receipt;
    if (by_prefix ? value.compare(0, asked.size(), asked) != 0 : value != asked) return false;
  }
  return true;
}

// Which postings to walk: the first field asked for, in the order of how much
// each narrows; else the hours; else everything.
struct Walk {
  std::string first;  // terms from here
  std::string last;   // up to here, in order
};
std::optional<Walk> ChooseWalk(const Query& query) {
  for (const Field& field : kFields) {
    const std::string& asked = query.*field.asked;
    if (asked.empty()) continue;
    const std::string term = MakeTerm(field.name, asked);
    // A prefix of an id: all ids that start so.
    return Walk{term, field.asked == &Query::receipt ? term + "\x7f" : term};
  }
  if (!query.kind.empty() && query.from_utc.empty() && query.to_utc.empty()) {
    const std::string term = MakeTerm("kind", query.kind);
    return Walk{term, term};
  }
  if (query.from_utc.empty() && query.to_utc.empty()) return std::nullopt;
  return Walk{"hour=" + query.from_utc.substr(0, kHourLength),
              "hour=" + (query.to_utc.empty() ? "~" : query.to_utc.substr(0, kHourLength) + "~")};
}

// A sum over (term, index) that does not depend on their order.
std::uint64_t Fingerprint(std::string_view term, std::uint64_t index) {
  const Digest digest = Sha256({term, std::string_view("\0", 1), std::to_string(index)});
  std::uint64_t value = 0;
  std::memcpy(&value, digest.data(), sizeof(value));
  return value;
}

Result<std::vector<std::string>> TermsOfLeaf(std::string_view leaf) {
  const json::Value value = TRY(json::Parse(leaf));
  const json::Value* const body = value.Find("body");
  if (body == nullptr || !body->is_object()) return Fail(Code::kCorrupt, "no body");
  return TermsOf(TRY(json::GetString(value, "kind")), TRY(json::GetString(value, "utc")), body->object());
}

}  // namespace

std::string MakeTerm(std::string_view field, std::string_view value) {
  std::string term = std::string(field) + "=";
  if (value.size() <= kMaxValue && value.find('\0') == std::string_view::npos) term += value;
  else term += "#" + Hex(AsView(Sha256(value)).substr(0, 16));
  return term;
}

std::vector<std::string> TermsOf(std::string_view kind, std::string_view utc, const json::Object& body) {
  std::vector<std::string> terms{MakeTerm("kind", kind), MakeTerm("hour", utc.substr(0, kHourLength))};
  for (const Field& field : kFields)
    if (const std::string value = ValueOf(field, body); !value.empty()) terms.push_back(MakeTerm(field.name, value));
  return terms;
}

Status CheckQuery(const Query& query) {
  for (const std::string* const time : {&query.from_utc, &query.to_utc}) {
    if (time->empty()) continue;
    bool good = time->size() >= 10 && time->size() <= kUtcPattern.size();
    for (std::size_t i = 0; good && i < time->size(); ++i) {
      const char c = (*time)[i];
      good = kUtcPattern[i] == '0' ? c >= '0' && c <= '9' : c == kUtcPattern[i];
    }
    if (!good) return Fail(Code::kInvalid, "time: 2026-11-24, 2026-11-24T12:30 or 2026-11-24T12:30:00.000Z expected");
  }
  return {};
}

Status RunQuery(const Store& store, const Query& query, const VisitMatch& visit) {
  TRY(CheckQuery(query));
  const Head head = TRY(store.ReadHead());
  const std::uint64_t min_index = TRY(ReadMinIndex(store));
  std::uint64_t left = query.limit;
  const auto consider = [&](std::uint64_t index, std::string_view bytes) -> Status {
    if (left == 0) return {};
    const json::Value leaf = TRY(json::Parse(bytes));
    if (!Matches(query, leaf)) return {};
    --left;
    return visit(index, leaf);
  };
  const auto walk = ChooseWalk(query);
  if (!walk) {
    constexpr std::uint64_t kStretch = 1024;
    for (std::uint64_t first = min_index; first < head.size && left != 0; first += kStretch)
      TRY(store.ScanEntries(first, std::min(first + kStretch, head.size), consider));
    return {};
  }
  return store.ScanTerms(walk->first, walk->last, [&](std::string_view, std::uint64_t index) -> Result<bool> {
    if (index >= head.size || index < min_index) return left != 0;
    TRY(consider(index, TRY(store.ReadEntry(index))));
    return left != 0;
  });
}

Result<std::vector<std::string>> CheckIndex(const Store& store, const Progress& progress) {
  std::vector<std::string> findings;
  const Head head = TRY(store.ReadHead());
  const std::uint64_t min_index = TRY(ReadMinIndex(store));
  std::uint64_t derived = 0;
  std::uint64_t derived_count = 0;
  const Status scanned = store.ScanEntries(min_index, head.size, [&](std::uint64_t index, std::string_view bytes) -> Status {
    if (progress && index % 10'000 == 0) progress(index, head.size);
    const auto terms = TermsOfLeaf(bytes);
    if (!terms) {
      findings.push_back(fmt::format("index: entry {}: {}", index, terms.error().message));
      return Fail(Code::kCorrupt, "stop");
    }
    for (const std::string& term : *terms) derived += Fingerprint(term, index);
    derived_count += terms->size();
    return {};
  });
  if (!scanned) {
    if (findings.empty()) findings.push_back("index: " + scanned.error().message);
    return findings;
  }
  std::uint64_t stored = 0;
  std::uint64_t stored_count = 0;
  const Status walked = store.ScanTerms("", "\x7f", [&](std::string_view term, std::uint64_t index) -> Result<bool> {
    if (index < min_index) return true;  // of an entry that was dropped
    stored += Fingerprint(term, index);
    ++stored_count;
    return true;
  });
  if (!walked) findings.push_back("index: " + walked.error().message);
  else if (stored != derived || stored_count != derived_count)
    findings.push_back(fmt::format("index: {} terms, {} follow from the entries, or others (rebuild it: proofgate ledger reindex)",
                                   stored_count, derived_count));
  return findings;
}

Status RebuildIndex(Store& store, const Progress& progress) {
  constexpr std::uint64_t kStretch = 4096;
  TRY(store.ClearTerms());
  const Head head = TRY(store.ReadHead());
  for (std::uint64_t first = TRY(ReadMinIndex(store)); first < head.size; first += kStretch) {
    Batch batch;
    batch.first = head.size;
    batch.head = head;
    const std::uint64_t last = std::min(first + kStretch, head.size);
    TRY(store.ScanEntries(first, last, [&batch](std::uint64_t index, std::string_view bytes) -> Status {
      for (std::string& term : TRY(TermsOfLeaf(bytes))) batch.terms.emplace_back(std::move(term), index);
      return {};
    }));
    TRY(store.Commit(batch));
    if (progress) progress(last, head.size);
  }
  return {};
}

}  // namespace proofgate::ledger
