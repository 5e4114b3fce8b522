#include "ledger/usage.h"

#include <fmt/format.h>

namespace proofgate::ledger {
namespace {

// RFC 4180.
std::string Cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace

Status Usage::Add(const json::Value& leaf, std::size_t leaf_bytes) {
  const std::string kind = TRY(json::GetString(leaf, "kind"));
  const std::string period = TRY(json::GetString(leaf, "utc")).substr(0, 7);
  const json::Value* const body = leaf.Find("body");
  if (body == nullptr) return Fail(Code::kCorrupt, "entry without a body");
  const std::string domain = json::GetString(*body, "domain").value_or("");
  if (kind == "CANON") {
    const json::Value* canon = body->Find("canon");
    if (body->Find("parts") != nullptr) canon = body;  // the model is in the entries after
    if (canon != nullptr)
      owners_[domain] = {json::GetString(*canon, "tenant").value_or(""), json::GetString(*canon, "environment").value_or("")};
  }
  if (kind == "START") node_ = json::GetString(*body, "host").value_or("");
  const auto owner = owners_.find(domain);
  const Owner none;
  const Owner& of = owner == owners_.end() ? none : owner->second;
  const auto add = [&](const char* unit, std::uint64_t quantity) {
    sums_[{period, of.tenant, domain, of.environment, node_, unit}] += quantity;
  };
  add("ledgered_byte", leaf_bytes);
  if (kind == "ACT") add("governed_action", 1);
  if (kind == "COMPLETE") add("session_completion", 1);
  if (kind == "DENIALS") {
    const std::uint64_t from = TRY(json::GetInteger(*body, "from_seq"));
    const std::uint64_t to = TRY(json::GetInteger(*body, "to_seq"));
    if (to < from) return Fail(Code::kCorrupt, "DENIALS that end before they begin");
    add("denial", to - from + 1);
  }
  return {};
}

std::string Usage::Csv() const {
  std::string out = "period,tenant,domain,environment,node,unit,quantity\n";
  for (const auto& [key, quantity] : sums_) {
    const auto& [period, tenant, domain, environment, node, unit] = key;
    out += fmt::format("{},{},{},{},{},{},{}\n", period, Cell(tenant), Cell(domain), Cell(environment), Cell(node), unit, quantity);
  }
  return out;
}

std::uint64_t Usage::Total(const std::string& unit) const {
  std::uint64_t total = 0;
  for (const auto& [key, quantity] : sums_)
    if (std::get<5>(key) == unit) total += quantity;
  return total;
}

}  // namespace proofgate::ledger
