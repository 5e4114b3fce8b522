// canon learn, replay: what the ledger's acts say about a canon.

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "agent/cli/canon.h"
#include "agent/cli/client.h"
#include "agent/cli/reader.h"
#include "agent/impact.h"
#include "base/durable.h"
#include "policy/learn.h"
#include "policy/parse.h"
#include "policy/promote.h"

namespace proofgate::cli {
namespace {

std::uint64_t FirstOf(const Reader& reader, std::uint64_t last) {
  const std::uint64_t size = reader.head().size;
  return last == 0 || last >= size ? 0 : size - last;
}

Result<int> Replay(const Options& options, const CanonOptions& own) {
  if (own.files.size() != 1) return Fail(Code::kInvalid, "one canon file expected");
  const std::string text = TRY(ReadFile(own.files[0], policy::kMaxCanonBytes));
  const policy::ParsedCanon parsed = policy::ParseCanon(text, own.files[0]);
  for (const policy::Diagnostic& one : parsed.diagnostics) fmt::print(stderr, "{}\n", policy::RenderWithSource(one, text));
  if (!parsed.diagnostics.empty()) return Fail(Code::kInvalid, own.files[0] + ": not a canon");
  const Reader reader = TRY(Reader::Open());
  const auto read = [&](std::uint64_t index) -> Result<json::Value> { return json::Parse(TRY(reader.Read(index)).leaf); };
  agent::LedgerImpact replayed(FirstOf(reader, own.last), parsed.canons);
  const std::uint64_t size = reader.head().size;
  TRY(replayed.Take(size, size, read));
  const policy::Impact& impact = replayed.impact();
  const bool is_open = !impact.Unacknowledged(own.acknowledged).empty();
  if (options.json) {
    json::Value out = policy::FlipsJson(impact, own.acknowledged);
    out.object()["left_out"] = json::Integer(replayed.left_out());
    PrintJson(out);
  } else {
    fmt::print("{}", policy::RenderFlips(impact, own.acknowledged));
    if (replayed.left_out() != 0)
      fmt::print("{} acts could not be judged: their object or canon is not in the ledger whole\n", replayed.left_out());
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
    if (auto act = agent::ObservedAct(read->kind, read->body)) observed.push_back(std::move(*act));
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
