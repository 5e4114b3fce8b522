#include "agent/cli/reader.h"

#include <fmt/format.h>

#include "agent/cli/client.h"
#include "agent/paths.h"
#include "base/bytes.h"
#include "base/durable.h"
#include "ledger/retention.h"
#include "policy/canon_leaf.h"
#include "policy/object.h"

namespace proofgate::cli {
namespace {

std::string Text(const json::Value& body, const char* key) {
  return policy::EscapeForPeople(json::GetBytes(body, key).value_or(""));
}

std::string Object(const json::Value& body) {
  const std::string address = Text(body, "address");
  return address.empty() ? Text(body, "path") : address;
}

}  // namespace

Result<Reader> Reader::Open() {
  Call("flush");
  return Reader(TRY(ledger::OpenReadOnly(agent::kLedgerDir)));
}

Result<Entry> Reader::Read(std::uint64_t index) const {
  if (index >= head().size)
    return Fail(Code::kNotFound, fmt::format("entry {}: the ledger has {}", index, head().size));
  Entry entry;
  entry.index = index;
  entry.leaf = TRY(store().ReadEntry(index));
  const json::Value value = TRY(json::Parse(entry.leaf));
  entry.kind = TRY(json::GetString(value, "kind"));
  entry.utc = TRY(json::GetString(value, "utc"));
  const json::Value* const body = value.Find("body");
  if (body == nullptr) return Fail(Code::kCorrupt, fmt::format("entry {}: no body", index));
  entry.body = *body;
  return entry;
}

Result<std::optional<policy::Canon>> Reader::CanonAt(std::uint64_t index) const {
  return policy::ReadCanonAt(index, [this](std::uint64_t at) -> Result<json::Value> { return TRY(Read(at)).body; });
}

Result<std::optional<std::string>> Reader::CanonTextAt(std::uint64_t index) const {
  const Entry entry = TRY(Read(index));
  auto text = TRY(store().ReadMeta(ledger::MetaKey("canon")));
  if (!text || Hex(Sha256(*text)) != json::GetString(entry.body, "source_digest").value_or("")) return std::optional<std::string>();
  return text;
}

Result<std::optional<Entry>> Reader::FindLast(
    std::uint64_t before, const std::string& text,
    const std::function<bool(const Entry&)>& accepts) const {
  const std::uint64_t min_index = TRY(ledger::ReadMinIndex(store()));
  for (std::uint64_t index = before; index-- > min_index;) {
    const std::string leaf = TRY(store().ReadEntry(index));
    if (leaf.find(text) == std::string::npos) continue;
    Entry entry = TRY(Read(index));
    if (accepts(entry)) return std::optional<Entry>(std::move(entry));
  }
  return std::optional<Entry>();
}

Result<Entry> Reader::FindReceipt(const std::string& id) const {
  if (id.size() < 8 || id.find_first_not_of("0123456789abcdef") != std::string::npos)
    return Fail(Code::kInvalid, policy::EscapeForPeople(id) + ": eight or more digits of a receipt's id expected");
  const auto found = TRY(FindLast(head().size, "\"id\":\"" + id, [&](const Entry& entry) {
    return entry.kind == "ISSUE" || entry.kind == "RENEW";
  }));
  if (!found) return Fail(Code::kNotFound, id + ": no such receipt in the ledger");
  return *found;
}

Result<PublicKey> HostKey() {
  return ParseOpenSshPublicKey(TRY(ReadFile(agent::kHostPublicKey, 4096)));
}

Result<std::string> Anchor() { return ReadFile(ledger::AnchorPath(agent::kLedgerDir), 1 << 16); }

std::string Summary(const Entry& entry) {
  const json::Value& body = entry.body;
  std::string what;
  if (entry.kind == "ACT" || entry.kind == "DENY") {
    what = fmt::format("{} {} by {}[{}]", Text(body, "op"), Object(body), Text(body, "comm"),
                       json::GetInteger(body, "pid").value_or(0));
    if (entry.kind == "DENY") what += ": " + Text(body, "code");
  } else if (entry.kind == "ISSUE" || entry.kind == "RENEW" || entry.kind == "REVOKE" ||
             entry.kind == "SETTLED" || entry.kind == "UNSETTLED" || entry.kind == "WITNESSED") {
    what = "receipt " + Text(body, "id").substr(0, 12);
    if (const json::Value* const receipt = body.Find("receipt")) what += " under " + Text(*receipt, "rule");
    if (entry.kind == "REVOKE") what += ": " + Text(body, "why");
    if (entry.kind == "SETTLED") what += fmt::format(": {} uses", json::GetInteger(body, "used").value_or(0));
    if (entry.kind == "UNSETTLED")
      what += fmt::format(": between {} and {} uses", json::GetInteger(body, "last_settled").value_or(0),
                          json::GetInteger(body, "granted").value_or(0));
  } else if (entry.kind == "REFUSED") {
    what = fmt::format("rule {}: {}: {}", Text(body, "rule"), Text(body, "code"), Text(body, "reason"));
  } else if (entry.kind == "ATTACH" || entry.kind == "DETACH") {
    what = Text(body, "cgroup");
  } else if (entry.kind == "DENIALS") {
    what = fmt::format("denials {} to {}", json::GetInteger(body, "from_seq").value_or(0),
                       json::GetInteger(body, "to_seq").value_or(0));
  } else if (entry.kind == "START" || entry.kind == "STOP") {
    what = Text(body, "kernel");
  } else if (entry.kind == "TAMPERED") {
    what = Text(body, "what");
  } else if (entry.kind == "CANON") {
    what = Text(body, "digest");
  } else if (entry.kind == "CANON_BUNDLE" || entry.kind == "TRUST_ROOT") {
    const json::Value* const local = body.Find("local");
    what = fmt::format("version {}{}", json::GetInteger(body, "version").value_or(0),
                       local != nullptr && *local == json::Value(true) ? ", by the host's own key" : "");
  } else if (entry.kind == "CANON_PROPOSED" || entry.kind == "CANON_GATES" || entry.kind == "CANON_APPROVED" ||
             entry.kind == "CANON_SHADOW" || entry.kind == "CANON_SHADOWED" ||
             entry.kind == "CANON_PROMOTED" || entry.kind == "CANON_REJECTED") {
    what = Text(body, "proposal").substr(0, 12) + " " + Text(body, "person") + Text(body, "why");
  } else if (entry.kind.starts_with("SESSION_") || entry.kind == "DELEGATION_REFUSED" || entry.kind == "DECIDED" ||
             entry.kind == "STEP_REFUSED" || entry.kind == "OUTCOME" || entry.kind == "APPROVAL") {
    what = "session " + Text(body, "session") + Text(body, body.Find("session") == nullptr ? "parent" : "");
    for (const char* key : {"state", "code", "result", "person", "verdict", "reason"})
      if (body.Find(key) != nullptr && Text(body, key).size() != 64) what += " " + Text(body, key);
  } else if (entry.kind.starts_with("BREAK_GLASS")) {
    what = Text(body, "id").substr(0, 12);
    for (const char* key : {"person", "verdict", "code", "reason"})
      if (body.Find(key) != nullptr) what += " " + Text(body, key);
  } else if (entry.kind == "CANON_REFUSED" || entry.kind == "TRUST_ROOT_REFUSED") {
    what = Text(body, "reason");
  }
  const std::string domain = Text(body, "domain");
  return fmt::format("{:>7} {} {:9} {}{}", entry.index, entry.utc, entry.kind,
                     domain.empty() ? "" : domain + ": ", what);
}

}  // namespace proofgate::cli
