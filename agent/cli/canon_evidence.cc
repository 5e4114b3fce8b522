// canon learn, replay: what the ledger's acts say about a canon.

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "agent/cli/canon.h"
#include "agent/cli/client.h"
#include "agent/cli/reader.h"
#include "base/durable.h"
#include "policy/learn.h"
#include "policy/parse.h"
#include "policy/promote.h"

namespace proofgate::cli {
namespace {

// The act of an ACT or DENY entry; nothing when its object is not known whole.
std::optional<policy::Observed> ActOf(const Entry& entry) {
  if (entry.kind != "ACT" && entry.kind != "DENY") return std::nullopt;
  const auto kind = policy::ParseKind(json::GetString(entry.body, "kind").value_or(""));
  if (!kind) return std::nullopt;  // "never": no canon permits it
  policy::Observed observed;
  observed.kind = *kind;
  const std::string address = json::GetBytes(entry.body, "address").value_or("");
  if (address.empty()) {
    const auto path = json::GetBytes(entry.body, "path");
    if (!path || !policy::IsCleanPath(*path)) return std::nullopt;  // "…/x": deeper than the gate records
    observed.act.form = *kind == policy::Kind::kConnect ? policy::Form::kUnix : policy::Form::kFile;
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
      *kind, address.substr(0, first) + ":" + (ip.find(':') == std::string::npos ? ip : "[" + ip + "]") + ":" + address.substr(last + 1));
  if (!object || !policy::IsAct(*object)) return std::nullopt;
  observed.act = *object;
  return observed;
}

std::uint64_t FirstOf(const Reader& reader, std::uint64_t last) {
  const std::uint64_t size = reader.head().size;
  return last == 0 || last >= size ? 0 : size - last;
}

struct PastCanon {
  policy::Canon canon;
  std::unique_ptr<policy::Authority> authority;
};

Result<int> Replay(const Options& options, const CanonOptions& own) {
  if (own.files.size() != 1) return Fail(Code::kInvalid, "one canon file expected");
  const std::string text = TRY(ReadFile(own.files[0], policy::kMaxCanonBytes));
  const policy::ParsedCanon parsed = policy::ParseCanon(text, own.files[0]);
  for (const policy::Diagnostic& one : parsed.diagnostics) fmt::print(stderr, "{}\n", policy::RenderWithSource(one, text));
  if (!parsed.diagnostics.empty()) return Fail(Code::kInvalid, own.files[0] + ": not a canon");
  std::map<std::string, std::unique_ptr<policy::Authority>> next;
  for (const policy::Canon& canon : parsed.canons) next[canon.domain] = std::make_unique<policy::Authority>(canon);
  const Reader reader = TRY(Reader::Open());
  std::map<std::uint64_t, std::unique_ptr<PastCanon>> past;  // by entry
  policy::Impact impact;
  std::uint64_t left_out = 0;
  for (std::uint64_t index = FirstOf(reader, own.last); index < reader.head().size; ++index) {
    const auto read = reader.Read(index);
    if (!read) {
      if (read.error().code == Code::kNotFound) continue;  // retention has dropped it
      return tl::unexpected(read.error());
    }
    if (read->kind != "ACT" && read->kind != "DENY") continue;
    const auto act = ActOf(*read);
    const auto canon_entry = json::GetInteger(read->body, "canon_entry");
    if (!act || !canon_entry) {
      ++left_out;
      continue;
    }
    auto& then = past[*canon_entry];
    if (!then) {
      then = std::make_unique<PastCanon>();
      auto canon = reader.CanonAt(*canon_entry);
      if (!canon && canon.error().code != Code::kNotFound) return tl::unexpected(canon.error());
      if (canon && *canon) {
        then->canon = std::move(**canon);
        then->authority = std::make_unique<policy::Authority>(then->canon);
      }
    }
    if (!then->authority) {
      ++left_out;
      continue;
    }
    const std::string domain = TRY(json::GetString(read->body, "domain"));
    const auto at = next.find(domain);
    impact.Add(index, domain, act->kind, act->act, then->authority.get(), at == next.end() ? nullptr : at->second.get());
  }
  const bool is_open = !impact.Unacknowledged(own.acknowledged).empty();
  if (options.json) {
    json::Value out = policy::FlipsJson(impact, own.acknowledged);
    out.object()["left_out"] = json::Integer(left_out);
    PrintJson(out);
  } else {
    fmt::print("{}", policy::RenderFlips(impact, own.acknowledged));
    if (left_out != 0) fmt::print("{} acts could not be judged: their object or canon is not in the ledger whole\n", left_out);
    if (is_open) fmt::print("not acknowledged: --acknowledge NAME for each that is meant\n");
  }
  return is_open ? kRefused : kDone;
}

Result<std::string> LearnFrom(const CanonOptions& own) {
  const Reader reader = TRY(Reader::Open());
  std::vector<policy::Observed> observed;
  std::string tenant = "tenant";
  for (std::uint64_t index = FirstOf(reader, own.last); index < reader.head().size; ++index) {
    const auto read = reader.Read(index);
    if (!read) {
      if (read.error().code == Code::kNotFound) continue;
      return tl::unexpected(read.error());
    }
    if (json::GetString(read->body, "domain").value_or("") != own.domain) continue;
    if (read->kind == "CANON")
      if (const auto canon = reader.CanonAt(index); canon && *canon) tenant = (*canon)->tenant;
    // Refusals that blocked nothing: what the domain did beyond its canon.
    const json::Value* const blocked = read->body.Find("blocked");
    if (read->kind != "DENY" || blocked == nullptr || !(*blocked == json::Value(false))) continue;
    if (auto act = ActOf(*read)) observed.push_back(std::move(*act));
  }
  std::string text = policy::Learn(tenant, own.domain, observed);
  if (text.empty())
    return Fail(Code::kNotFound, "nothing that domain '" + policy::EscapeForPeople(own.domain) +
                                     "' did beyond its canon is in the ledger; is its mode observe?");
  return text;
}

}  // namespace

int LearnCanon(const Options& options, const CanonOptions& own) {
  const auto text = LearnFrom(own);
  if (!text) return Complain(text.error(), options.json);
  if (options.json) PrintJson(json::Object{{"canon", json::Bytes(*text)}});
  else fmt::print("{}", *text);
  return kDone;
}

int ReplayCanon(const Options& options, const CanonOptions& own) {
  const auto code = Replay(options, own);
  return code ? *code : Complain(code.error(), options.json);
}

}  // namespace proofgate::cli
