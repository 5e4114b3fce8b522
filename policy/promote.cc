#include "policy/promote.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/bytes.h"

namespace proofgate::policy {
namespace {

std::vector<std::string> Speakers(const ActAuthority& at) {
  std::vector<std::string> out = at.forbids;
  out.insert(out.end(), at.standing.begin(), at.standing.end());
  for (const Rule* rule : at.permits) out.push_back(rule->id);
  return out;
}

std::string NameOf(const Flip& flip) {
  const std::string all = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", AskedName(flip.asked), flip.domain, flip.kind, flip.before, flip.after,
                                      fmt::join(flip.rules_before, ","), fmt::join(flip.rules_after, ","));
  return Hex(Sha256(all)).substr(0, 12);
}

bool IsIn(const std::string& name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::string_view AskedName(Asked asked) {
  switch (asked) {
    case Asked::kAct: return "act";
    case Asked::kRequest: return "request";
    case Asked::kPlan: return "plan";
  }
  return "act";
}

void Impact::Add(std::uint64_t entry, const std::string& domain, Kind kind, const Object& act, const Authority* before,
                 const Authority* after) {
  ++acts_;
  const ActAuthority was = before == nullptr ? ActAuthority{} : before->At(kind, act);
  const ActAuthority is = after == nullptr ? ActAuthority{} : after->At(kind, act);
  if (was.verdict() == is.verdict()) return;
  Flip flip;
  flip.domain = domain;
  flip.kind = KindName(kind);
  flip.before = VerdictName(was.verdict());
  flip.after = VerdictName(is.verdict());
  flip.rules_before = Speakers(was);
  flip.rules_after = Speakers(is);
  flip.example = WriteObjectText(act);
  flip.example_entry = entry;
  Count(std::move(flip));
}

void Impact::AddDecided(Flip flip) {
  ++decisions_;
  if (flip.before != flip.after) Count(std::move(flip));
}

void Impact::Count(Flip flip) {
  flip.name = NameOf(flip);
  const auto [at, is_new] = by_name_.emplace(flip.name, flips_.size());
  if (is_new) flips_.push_back(std::move(flip));
  ++flips_[at->second].count;
}

std::vector<const Flip*> Impact::Unacknowledged(const std::vector<std::string>& names) const {
  std::vector<const Flip*> open;
  for (const Flip& flip : flips_)
    if (!IsIn(flip.name, names)) open.push_back(&flip);
  return open;
}

std::string RenderFlips(const Impact& impact, const std::vector<std::string>& acknowledged) {
  const auto names = [](const std::vector<std::string>& ids) {
    return ids.empty() ? std::string("no rule") : fmt::format("{}", fmt::join(ids, ", "));
  };
  std::string out = fmt::format("{} acts, {} requests and plans, {} kinds of changed answers\n", impact.acts(), impact.decisions(),
                                impact.flips().size());
  for (const Flip& flip : impact.flips())
    out += fmt::format("  {} {}: {} times {} ({}) → {} ({}); such as {} {} {} in entry {}{}\n", flip.name, flip.domain,
                       flip.count, flip.before, names(flip.rules_before), flip.after, names(flip.rules_after),
                       AskedName(flip.asked), flip.kind, EscapeForPeople(flip.example), flip.example_entry,
                       IsIn(flip.name, acknowledged) ? " (acknowledged)" : "");
  return out;
}

json::Value FlipsJson(const Impact& impact, const std::vector<std::string>& acknowledged) {
  const auto names = [](const std::vector<std::string>& ids) {
    json::Array out;
    for (const std::string& id : ids) out.emplace_back(id);
    return json::Value(std::move(out));
  };
  json::Array flips;
  for (const Flip& flip : impact.flips())
    flips.push_back(json::Object{{"name", flip.name}, {"of", AskedName(flip.asked)}, {"domain", flip.domain}, {"kind", flip.kind},
                                 {"before", flip.before}, {"after", flip.after},
                                 {"rules_before", names(flip.rules_before)}, {"rules_after", names(flip.rules_after)},
                                 {"count", json::Integer(flip.count)}, {"example", json::Bytes(flip.example)},
                                 {"example_entry", json::Integer(flip.example_entry)},
                                 {"acknowledged", IsIn(flip.name, acknowledged)}});
  return json::Object{{"acts", json::Integer(impact.acts())}, {"decisions", json::Integer(impact.decisions())}, {"flips", std::move(flips)}};
}

}  // namespace proofgate::policy
