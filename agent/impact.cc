#include "agent/impact.h"

#include <map>
#include <memory>

#include "policy/authority.h"
#include "policy/canon_leaf.h"

namespace proofgate::agent {
namespace {

struct PastCanon {
  policy::Canon canon;
  std::unique_ptr<policy::Authority> authority;
};

Result<json::Value> BodyOf(const json::Value& leaf) {
  const json::Value* const body = leaf.Find("body");
  if (body == nullptr) return Fail(Code::kCorrupt, "ledger: an entry without a body");
  return *body;
}

}  // namespace

std::optional<policy::Observed> ObservedAct(const std::string& kind, const json::Value& body) {
  if (kind != "ACT" && kind != "DENY") return std::nullopt;
  const auto act_kind = policy::ParseKind(json::GetString(body, "kind").value_or(""));
  if (!act_kind) return std::nullopt;  // "never": no canon permits it
  policy::Observed observed;
  observed.kind = *act_kind;
  const std::string address = json::GetBytes(body, "address").value_or("");
  if (address.empty()) {
    const auto path = json::GetBytes(body, "path");
    if (!path || !policy::IsCleanPath(*path)) return std::nullopt;  // "…/x": deeper than the gate records
    observed.act.form = *act_kind == policy::Kind::kConnect ? policy::Form::kUnix : policy::Form::kFile;
    observed.act.path = *path;
    return observed;
  }
  // "tcp 127.0.0.1 port 80"
  const std::size_t first = address.find(' ');
  const std::size_t second = address.find(' ', first + 1);
  const std::size_t last = address.rfind(' ');
  if (first == std::string::npos || second == std::string::npos) return std::nullopt;
  const std::string ip = address.substr(first + 1, second - first - 1);
  const auto object = policy::ReadObjectText(
      *act_kind, address.substr(0, first) + ":" + (ip.find(':') == std::string::npos ? ip : "[" + ip + "]") + ":" + address.substr(last + 1));
  if (!object || !policy::IsAct(*object)) return std::nullopt;
  observed.act = *object;
  return observed;
}

Result<LedgerImpact> ReplayActs(std::uint64_t from, std::uint64_t to, const ReadLeaf& read,
                                const std::vector<policy::Canon>& next) {
  std::map<std::string, std::unique_ptr<policy::Authority>> after;
  for (const policy::Canon& canon : next) after[canon.domain] = std::make_unique<policy::Authority>(canon);
  std::map<std::uint64_t, std::unique_ptr<PastCanon>> past;  // by entry
  const auto read_body = [&](std::uint64_t index) -> Result<json::Value> { return BodyOf(TRY(read(index))); };
  LedgerImpact result;
  for (std::uint64_t index = from; index < to; ++index) {
    const auto leaf = read(index);
    if (!leaf && leaf.error().code == Code::kNotFound) continue;
    if (!leaf) return tl::unexpected(leaf.error());
    const std::string kind = TRY(json::GetString(*leaf, "kind"));
    if (kind != "ACT" && kind != "DENY") continue;
    const json::Value body = TRY(BodyOf(*leaf));
    const auto act = ObservedAct(kind, body);
    const auto canon_entry = json::GetInteger(body, "canon_entry");
    if (!act || !canon_entry) {
      ++result.left_out;
      continue;
    }
    auto& then = past[*canon_entry];
    if (!then) {
      then = std::make_unique<PastCanon>();
      auto canon = policy::ReadCanonAt(*canon_entry, read_body);
      if (!canon && canon.error().code != Code::kNotFound) return tl::unexpected(canon.error());
      if (canon && *canon) {
        then->canon = std::move(**canon);
        then->authority = std::make_unique<policy::Authority>(then->canon);
      }
    }
    if (!then->authority) {
      ++result.left_out;
      continue;
    }
    const std::string domain = TRY(json::GetString(body, "domain"));
    const auto at = after.find(domain);
    result.impact.Add(index, domain, act->kind, act->act, then->authority.get(), at == after.end() ? nullptr : at->second.get());
  }
  return result;
}

}  // namespace proofgate::agent
