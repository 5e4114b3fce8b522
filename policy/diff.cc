#include "policy/diff.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace proofgate::policy {
namespace {

template <class See>
void EachObject(Kind kind, const Canon* canon, const See& see) {
  if (canon == nullptr) return;
  static const std::vector<std::string> kNone;
  for (const Standing& standing : canon->standing)
    if (standing.kind == kind)
      for (const Object& object : standing.objects) see(object, standing.except);
  for (const Rule& rule : canon->rules)
    if (rule.kind == kind)
      for (const Object& object : rule.objects) see(object, kNone);
}

std::string Below(const std::string& dir, const std::string& name) {
  return dir == "/" ? "/" + name : dir + "/" + name;
}

Object FileAt(std::string path) {
  Object act;
  act.form = Form::kFile;
  act.path = std::move(path);
  return act;
}

// What is true of a path by rules that name paths depends on: is it named, is its
// directory named (and its name excepted there), which directories above it are.
void AddPaths(Kind kind, const Canon* a, const Canon* b, std::vector<Object>& acts) {
  std::set<std::string> named = {"/"};
  std::set<std::string> components;
  std::set<std::string> paths;
  for (const Canon* canon : {a, b})
    EachObject(kind, canon, [&](const Object& object, const std::vector<std::string>& except) {
      if (!HasPath(object.form) || object.form == Form::kUnix) return;
      named.insert(object.path);
      if (object.form == Form::kDir)
        for (const std::string& name : except) paths.insert(Below(object.path, name));
      for (const std::string& name : except) components.insert(name);
    });
  for (const std::string& path : named)
    for (std::size_t at = 1; at < path.size();) {
      const std::size_t end = std::min(path.find('/', at), path.size());
      components.insert(path.substr(at, end - at));
      at = end + 1;
    }
  std::string fresh = "example";
  for (int i = 1; components.contains(fresh); ++i) fresh = fmt::format("example{}", i);
  for (const std::string& path : named) {
    paths.insert(path);
    paths.insert(Below(path, fresh));
    paths.insert(Below(Below(path, fresh), fresh));
  }
  for (const std::string& path : paths) acts.push_back(FileAt(path));
}

using Bytes = std::array<std::uint8_t, 16>;

bool HasPrefix(const Bytes& bytes, const NetBlock& block) {
  for (int bit = 0; bit < block.prefix_bits; ++bit) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if ((bytes[at] & mask) != (block.bytes[at] & mask)) return false;
  }
  return true;
}

// An address in `from` that is in none of `holes`, if there is one. `holes` are
// blocks inside `from`.
std::optional<Bytes> Outside(const NetBlock& from, const std::vector<const NetBlock*>& holes) {
  if (holes.empty()) return from.bytes;
  for (const NetBlock* hole : holes)
    if (hole->prefix_bits <= from.prefix_bits) return std::nullopt;
  for (const int side : {0, 1}) {
    NetBlock half = from;
    half.prefix_bits = from.prefix_bits + 1;
    const auto at = static_cast<std::size_t>(from.prefix_bits / 8);
    if (side == 1) half.bytes[at] = static_cast<std::uint8_t>(half.bytes[at] | (0x80 >> (from.prefix_bits % 8)));
    std::vector<const NetBlock*> inside;
    for (const NetBlock* hole : holes)
      if (HasPrefix(hole->bytes, half)) inside.push_back(hole);
    if (auto found = Outside(half, inside)) return found;
  }
  return std::nullopt;
}

void AddAddresses(Kind kind, const Canon* a, const Canon* b, std::vector<Object>& acts) {
  for (const bool is_v6 : {false, true}) {
    // By prefix: the ports that are named there.
    std::map<std::pair<int, Bytes>, std::set<std::uint16_t>> blocks;
    blocks[{0, Bytes{}}];
    for (const Canon* canon : {a, b})
      EachObject(kind, canon, [&](const Object& object, const std::vector<std::string>&) {
        if (object.form != Form::kNet || object.net.is_v6 != is_v6) return;
        blocks[{object.net.prefix_bits, object.net.bytes}].insert(object.net.port);
      });
    std::vector<NetBlock> all;
    for (const auto& [key, ports] : blocks) {
      NetBlock block;
      block.is_v6 = is_v6;
      block.prefix_bits = key.first;
      block.bytes = key.second;
      all.push_back(block);
    }
    for (const NetBlock& block : all) {
      std::vector<const NetBlock*> holes;
      std::set<std::uint16_t> ports;
      for (const NetBlock& other : all) {
        if (other.prefix_bits > block.prefix_bits && HasPrefix(other.bytes, block)) holes.push_back(&other);
        if (other.prefix_bits <= block.prefix_bits && HasPrefix(block.bytes, other)) {
          const auto& named = blocks[{other.prefix_bits, other.bytes}];
          ports.insert(named.begin(), named.end());
        }
      }
      const auto address = Outside(block, holes);
      if (!address) continue;
      ports.erase(0);
      std::uint16_t fresh = 1;
      while (ports.contains(fresh) && fresh != 65535) ++fresh;
      ports.insert(fresh);
      for (const std::uint16_t port : ports)
        for (const Proto proto : {Proto::kTcp, Proto::kUdp}) {
          Object act;
          act.form = Form::kNet;
          act.net.is_v6 = is_v6;
          act.net.bytes = *address;
          act.net.prefix_bits = is_v6 ? 128 : 32;
          act.net.port = port;
          act.net.proto = proto;
          acts.push_back(act);
        }
    }
  }
}

enum class Three { kNo, kYes, kUnknown };

json::Value TermsOf(const Rule& rule) {
  json::Object terms;
  AddTerms(rule.terms, terms);
  AddBinding(rule.binding, terms);
  return terms;
}

// Is what `inner` gives for an act something that `outer` gives as well?
Three Covers(const ActAuthority& outer, const ActAuthority& inner) {
  const Verdict verdict = inner.verdict();
  if (verdict == Verdict::kForbidden || verdict == Verdict::kNotPermitted) return Three::kYes;
  const Verdict ceiling = outer.verdict();
  if (ceiling == Verdict::kStanding) return Three::kYes;
  if (ceiling != Verdict::kPermitted || verdict == Verdict::kStanding) return Three::kNo;
  Three all = Three::kYes;
  for (const Rule* one : inner.permits) {
    Three best = Three::kNo;
    for (const Rule* other : outer.permits) {
      if (one->limits.ttl_ns > other->limits.ttl_ns || one->limits.uses > other->limits.uses) continue;
      const json::Value required = TermsOf(*other);
      if (required.object().empty() || required == TermsOf(*one)) best = Three::kYes;
      // Without the terms that the other side asks for it is more for certain.
      else if (best != Three::kYes && !TermsOf(*one).object().empty()) best = Three::kUnknown;
    }
    if (best == Three::kNo) return Three::kNo;
    if (best == Three::kUnknown) all = Three::kUnknown;
  }
  return all;
}

std::vector<std::string> Speakers(const ActAuthority& at) {
  std::vector<std::string> out = at.forbids;
  out.insert(out.end(), at.standing.begin(), at.standing.end());
  for (const Rule* rule : at.permits) out.push_back(rule->id);
  return out;
}

bool IsAllowed(const ActAuthority& at) {
  return at.verdict() == Verdict::kStanding || at.verdict() == Verdict::kPermitted;
}

struct Findings {
  bool is_wider = false;
  bool is_narrower = false;
  bool is_undecided = false;
  bool shares_an_act = false;
};

Change ChangeOf(const ActAuthority& before, const ActAuthority& after, Findings& findings) {
  const Three grows = Covers(before, after);
  const Three shrinks = Covers(after, before);
  if (grows == Three::kNo) findings.is_wider = true;
  if (shrinks == Three::kNo) findings.is_narrower = true;
  if (grows == Three::kUnknown || shrinks == Three::kUnknown) findings.is_undecided = true;
  if (!IsAllowed(before)) return Change::kPermitted;
  if (!IsAllowed(after)) return Change::kRefused;
  if (grows == Three::kUnknown || shrinks == Three::kUnknown) return Change::kUndecided;
  if (grows == Three::kYes) return Change::kLowered;
  if (shrinks == Three::kYes) return Change::kRaised;
  return Change::kMixed;
}

void DiffDomain(const Canon* before, const Canon* after, CanonDiff& diff, Findings& findings) {
  // A domain that is not there permits nothing, reading included.
  std::optional<Authority> authority_a;
  std::optional<Authority> authority_b;
  if (before != nullptr) authority_a.emplace(*before);
  if (after != nullptr) authority_b.emplace(*after);
  const std::string& domain = after == nullptr ? before->domain : after->domain;
  using Key = std::tuple<Kind, Change, Verdict, Verdict, std::vector<std::string>, std::vector<std::string>>;
  std::map<Key, std::size_t> groups;
  for (const Kind kind : kAllKinds)
    for (const Object& act : RepresentativeActs(kind, before, after)) {
      const ActAuthority at_a = authority_a ? authority_a->At(kind, act) : ActAuthority{};
      const ActAuthority at_b = authority_b ? authority_b->At(kind, act) : ActAuthority{};
      if (IsAllowed(at_a) && IsAllowed(at_b) && !(at_a.is_free && at_b.is_free)) findings.shares_an_act = true;
      Change change = Change::kCode;
      bool is_wider = false;
      if (!IsAllowed(at_a) && !IsAllowed(at_b)) {
        if (at_a.verdict() == at_b.verdict()) continue;
      } else {
        if (Covers(at_a, at_b) == Three::kYes && Covers(at_b, at_a) == Three::kYes) continue;
        is_wider = Covers(at_a, at_b) == Three::kNo;
        change = ChangeOf(at_a, at_b, findings);
      }
      const Key key{kind, change, at_a.verdict(), at_b.verdict(), Speakers(at_a), Speakers(at_b)};
      const auto [group, is_new] = groups.emplace(key, diff.differences.size());
      if (is_new)
        diff.differences.push_back({domain, kind, change, act, 0, is_wider, Speakers(at_a), Speakers(at_b),
                                    at_a.verdict(), at_b.verdict()});
      ++diff.differences[group->second].classes;
    }
  if (before == nullptr || after == nullptr) return;
  const Canon& a = *before;
  const Canon& b = *after;
  const auto construct = [&](std::string what, std::string text, bool is_wider, bool is_narrower) {
    findings.is_wider |= is_wider;
    findings.is_narrower |= is_narrower;
    findings.is_undecided |= !is_wider && !is_narrower;
    diff.constructs.push_back({domain, std::move(what), std::move(text), is_wider, is_narrower});
  };
  if (a.mode != b.mode) {
    const bool observes = b.mode == Mode::kObserve;
    construct("mode", observes ? "observe: nothing is blocked any more" : "enforce: what was only recorded is now blocked",
              observes, !observes);
  }
  if (a.attach != b.attach)
    construct("attach", fmt::format("'{}' is now '{}'", EscapeForPeople(a.attach), EscapeForPeople(b.attach)),
              b.attach.empty(), a.attach.empty());
  if (a.tenant != b.tenant) construct("tenant", a.tenant + " is now " + b.tenant, false, false);
  json::Object terms_a;
  json::Object terms_b;
  AddTerms(a.terms, terms_a);
  AddTerms(b.terms, terms_b);
  std::set<std::string> names;
  for (const json::Object* terms : {&terms_a, &terms_b})
    for (const auto& [name, value] : *terms) names.insert(name);
  for (const std::string& name : names) {
    const auto in_a = terms_a.find(name);
    const auto in_b = terms_b.find(name);
    if (in_a != terms_a.end() && in_b != terms_b.end() && in_a->second == in_b->second) continue;
    construct(name, in_a == terms_a.end() ? "is new" : in_b == terms_b.end() ? "is gone" : "differs", false, false);
  }
}

const Canon* Find(const std::vector<Canon>& canons, const std::string& domain) {
  for (const Canon& canon : canons)
    if (canon.domain == domain) return &canon;
  return nullptr;
}

}  // namespace

std::string_view RelationName(Relation relation) {
  switch (relation) {
    case Relation::kEquivalent: return "equivalent";
    case Relation::kWider: return "wider";
    case Relation::kNarrower: return "narrower";
    case Relation::kChanged: return "changed";
    case Relation::kDisjoint: return "disjoint";
    case Relation::kUndecided: return "undecided";
  }
  return "undecided";
}

std::string_view ChangeName(Change change) {
  switch (change) {
    case Change::kPermitted: return "permitted";
    case Change::kRefused: return "refused";
    case Change::kRaised: return "raised";
    case Change::kLowered: return "lowered";
    case Change::kMixed: return "mixed";
    case Change::kUndecided: return "undecided";
    case Change::kCode: return "code";
  }
  return "undecided";
}

std::vector<Object> RepresentativeActs(Kind kind, const Canon* a, const Canon* b) {
  std::vector<Object> acts;
  if (kind == Kind::kCapability) {
    for (const std::string_view name : GrantableCapabilities()) {
      Object act;
      act.form = Form::kCapability;
      act.capability = ParseCapability(name).value_or(0);
      acts.push_back(act);
    }
    return acts;
  }
  if (kind == Kind::kConnect || kind == Kind::kBind) AddAddresses(kind, a, b, acts);
  else AddPaths(kind, a, b, acts);
  if (kind == Kind::kConnect) {
    std::set<std::string> sockets;
    for (const Canon* canon : {a, b})
      EachObject(kind, canon, [&](const Object& object, const std::vector<std::string>&) {
        if (object.form == Form::kUnix) sockets.insert(object.path);
      });
    std::string fresh = "/example.sock";
    for (int i = 1; sockets.contains(fresh); ++i) fresh = fmt::format("/example{}.sock", i);
    sockets.insert(fresh);
    for (const std::string& path : sockets) {
      Object act = FileAt(path);
      act.form = Form::kUnix;
      acts.push_back(act);
    }
  }
  for (const std::string_view name : ClassesOf(kind)) {
    const auto known = ParseIoClass(name);
    if (!known) continue;
    Object act;
    act.form = Form::kClass;
    act.io_class = *known;
    acts.push_back(act);
  }
  return acts;
}

CanonDiff DiffCanons(const std::vector<Canon>& before, const std::vector<Canon>& after) {
  CanonDiff diff;
  Findings findings;
  std::set<std::string> domains;
  for (const std::vector<Canon>* canons : {&before, &after})
    for (const Canon& canon : *canons) domains.insert(canon.domain);
  for (const std::string& domain : domains) DiffDomain(Find(before, domain), Find(after, domain), diff, findings);
  if (findings.is_wider && findings.is_narrower)
    diff.relation = findings.shares_an_act ? Relation::kChanged : Relation::kDisjoint;
  else if (findings.is_undecided) diff.relation = Relation::kUndecided;
  else if (findings.is_wider) diff.relation = Relation::kWider;
  else if (findings.is_narrower) diff.relation = Relation::kNarrower;
  return diff;
}

SubsetAnswer IsSubset(const std::vector<Canon>& inner, const std::vector<Canon>& outer) {
  using Is = SubsetAnswer::Is;
  const CanonDiff diff = DiffCanons(outer, inner);
  SubsetAnswer answer;
  for (const Construct& construct : diff.constructs)
    if (construct.is_wider)
      return {Is::kNo, fmt::format("domain {}: {}: {}", construct.domain, construct.what, construct.text)};
  for (const Difference& one : diff.differences) {
    const std::string text = fmt::format("domain {}: {} {} ({})", one.domain, KindName(one.kind),
                                         Describe(one.witness), fmt::join(one.after, ", "));
    if (one.is_wider) return {Is::kNo, text};
    if (one.change == Change::kUndecided) answer = {Is::kUndecided, "the terms of rules: " + text};
  }
  for (const Construct& construct : diff.constructs)
    if (!construct.is_wider && !construct.is_narrower && answer.is == Is::kYes)
      answer = {Is::kUndecided, fmt::format("domain {}: {} {}", construct.domain, construct.what, construct.text)};
  return answer;
}

std::string RenderDiff(const CanonDiff& diff) {
  std::string out = fmt::format("{}\n", RelationName(diff.relation));
  const auto names = [](const std::vector<std::string>& ids) {
    return ids.empty() ? std::string("no rule") : fmt::format("{}", fmt::join(ids, ", "));
  };
  std::string domain;
  const auto head = [&](const std::string& of) {
    if (of != domain) out += fmt::format("domain {}\n", of);
    domain = of;
  };
  for (const Construct& one : diff.constructs) {
    head(one.domain);
    out += fmt::format("  {} {}: {}\n", one.is_wider ? "+" : one.is_narrower ? "-" : "?", one.what, one.text);
  }
  for (const Difference& one : diff.differences) {
    head(one.domain);
    const char* const sign = one.change == Change::kPermitted || one.change == Change::kRaised   ? "+"
                             : one.change == Change::kRefused || one.change == Change::kLowered ? "-"
                             : one.change == Change::kCode                                      ? "="
                                                                                                : "?";
    out += fmt::format("  {} {} {}: {} {} by {}, was {} by {}; such as {}\n", sign, KindName(one.kind),
                       ChangeName(one.change), one.classes, one.classes == 1 ? "class of acts," : "classes of acts,",
                       names(one.after), VerdictName(one.verdict_before), names(one.before),
                       Describe(one.witness));
  }
  return out;
}

json::Value DiffJson(const CanonDiff& diff) {
  const auto names = [](const std::vector<std::string>& ids) {
    json::Array out;
    for (const std::string& id : ids) out.emplace_back(id);
    return json::Value(std::move(out));
  };
  json::Array differences;
  for (const Difference& one : diff.differences)
    differences.push_back(json::Object{{"domain", one.domain},
                                       {"kind", KindName(one.kind)},
                                       {"change", ChangeName(one.change)},
                                       {"witness", json::Bytes(WriteObjectText(one.witness))},
                                       {"classes", json::Integer(one.classes)},
                                       {"before", names(one.before)},
                                       {"after", names(one.after)},
                                       {"verdict_before", VerdictName(one.verdict_before)},
                                       {"verdict_after", VerdictName(one.verdict_after)}});
  json::Array constructs;
  for (const Construct& one : diff.constructs)
    constructs.push_back(json::Object{
        {"domain", one.domain},
        {"what", one.what},
        {"text", json::Bytes(one.text)},
        {"change", one.is_wider ? "wider" : one.is_narrower ? "narrower" : "undecided"}});
  return json::Object{{"relation", RelationName(diff.relation)},
                      {"differences", std::move(differences)},
                      {"constructs", std::move(constructs)}};
}

}  // namespace proofgate::policy
