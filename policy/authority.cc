#include "policy/authority.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace proofgate::policy {
std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kStanding: return "STANDING";
    case Verdict::kPermitted: return "PERMITTED";
    case Verdict::kForbidden: return "FORBIDDEN";
    case Verdict::kNotPermitted: return "NOT_PERMITTED";
  }
  return "NOT_PERMITTED";
}

Verdict ActAuthority::verdict() const {
  if (!forbids.empty()) return Verdict::kForbidden;
  if (is_free || !standing.empty()) return Verdict::kStanding;
  return permits.empty() ? Verdict::kNotPermitted : Verdict::kPermitted;
}

Authority::Authority(const Canon& canon) {
  for (const Standing& standing : canon.standing)
    for (const Object& object : standing.objects) Add(standing.kind, {nullptr, &standing, &object});
  for (const Rule& rule : canon.rules)
    for (const Object& object : rule.objects) Add(rule.kind, {&rule, nullptr, &object});
}

void Authority::Add(Kind kind, const Source& source) {
  if (kind == Kind::kRead) restricts_read_ = true;
  ByKind& by = kinds_[static_cast<std::size_t>(kind)];
  const Object& object = *source.object;
  switch (object.form) {
    case Form::kFile: by.files[object.path].push_back(source); break;
    case Form::kDir:
      if (source.rule != nullptr && source.rule->effect == Effect::kForbid) by.deep_forbids[object.path].push_back(source);
      else by.dirs[object.path].push_back(source);
      break;
    case Form::kTree: by.trees[object.path].push_back(source); break;
    case Form::kUnix: by.sockets[object.path].push_back(source); break;
    case Form::kNet:
      by.nets[object.net.is_v6 ? 1 : 0][object.net.prefix_bits][AddressKey(object.net, object.net.prefix_bits)].push_back(source);
      break;
    case Form::kClass:
    case Form::kCapability: by.others.push_back(source); break;
  }
}

ActAuthority Authority::At(Kind kind, const Object& act) const {
  ActAuthority found;
  found.is_free = kind == Kind::kRead && !restricts_read_;
  const ByKind& by = kinds_[static_cast<std::size_t>(kind)];
  const auto take = [&](const Source& source, const std::string& name) {
    if (source.standing != nullptr) {
      const auto& except = source.standing->except;
      if (source.object->form == Form::kDir && std::find(except.begin(), except.end(), name) != except.end()) return;
      found.standing.push_back(source.standing->id);
    } else if (source.rule->effect == Effect::kForbid) {
      found.forbids.push_back(source.rule->id);
    } else {
      found.permits.push_back(source.rule);
    }
  };
  const auto take_at = [&](const auto& map, const std::string& key, const std::string& name = {}) {
    const auto at = map.find(key);
    if (at == map.end()) return;
    for (const Source& source : at->second) take(source, name);
  };
  switch (act.form) {
    case Form::kFile: {
      take_at(by.files, act.path);
      take_at(by.deep_forbids, act.path);
      const std::vector<std::string> above = DirectoriesAbove(act.path);
      if (!above.empty()) take_at(by.dirs, above.front(), act.path.substr(act.path.rfind('/') + 1));
      for (const std::string& dir : above) {
        take_at(by.trees, dir);
        take_at(by.deep_forbids, dir);
      }
      break;
    }
    case Form::kUnix: take_at(by.sockets, act.path); break;
    case Form::kNet:
      for (const auto& [bits, blocks] : by.nets[act.net.is_v6 ? 1 : 0]) {
        if (bits > act.net.prefix_bits) break;
        const auto at = blocks.find(AddressKey(act.net, bits));
        if (at == blocks.end()) continue;
        for (const Source& source : at->second)
          if (Contains(*source.object, act)) take(source, {});
      }
      break;
    case Form::kClass:
    case Form::kCapability:
      for (const Source& source : by.others)
        if (*source.object == act) take(source, {});
      break;
    case Form::kDir:
    case Form::kTree: break;  // divisible: no act
  }
  const auto once = [](std::vector<std::string>& ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  };
  once(found.standing);
  once(found.forbids);
  std::sort(found.permits.begin(), found.permits.end(),
            [](const Rule* a, const Rule* b) { return a->id < b->id; });
  found.permits.erase(std::unique(found.permits.begin(), found.permits.end()), found.permits.end());
  return found;
}

std::vector<const Rule*> Authority::RulesAround(Kind kind, const Object& object) const {
  const ByKind& by = kinds_[static_cast<std::size_t>(kind)];
  std::vector<const Rule*> around;
  const auto take = [&](const std::vector<Source>& sources) {
    for (const Source& source : sources)
      if (source.rule != nullptr && Contains(*source.object, object)) around.push_back(source.rule);
  };
  const auto take_at = [&](const auto& map, const std::string& key) {
    if (const auto at = map.find(key); at != map.end()) take(at->second);
  };
  if (object.form == Form::kNet) {
    for (const auto& [bits, blocks] : by.nets[object.net.is_v6 ? 1 : 0])
      if (bits <= object.net.prefix_bits) take_at(blocks, AddressKey(object.net, bits));
  } else if (object.form == Form::kUnix) {
    take_at(by.sockets, object.path);
  } else if (HasPath(object.form)) {
    take_at(by.files, object.path);
    std::vector<std::string> dirs = DirectoriesAbove(object.path);
    dirs.push_back(object.path);
    for (const std::string& dir : dirs)
      for (const auto* map : {&by.dirs, &by.deep_forbids, &by.trees}) take_at(*map, dir);
  } else {
    take(by.others);
  }
  // All are in one vector, in its order.
  std::sort(around.begin(), around.end());
  around.erase(std::unique(around.begin(), around.end()), around.end());
  return around;
}

namespace {

std::vector<std::string> Speakers(const ActAuthority& at) {
  std::vector<std::string> out = at.forbids;
  out.insert(out.end(), at.standing.begin(), at.standing.end());
  for (const Rule* rule : at.permits) out.push_back(rule->id);
  return out;
}

bool Has(const std::vector<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

std::vector<FailedExample> RunExamples(const Canon& canon) {
  std::vector<FailedExample> failed;
  bool has_any = !canon.tests.empty();
  for (const Rule& rule : canon.rules) has_any |= !rule.examples.empty();
  if (!has_any) return failed;
  const Authority authority(canon);
  for (const Example& test : canon.tests) {
    const ActAuthority at = authority.At(test.kind, test.act);
    const std::vector<std::string> speakers = Speakers(at);
    const std::string_view verdict = VerdictName(at.verdict());
    if (verdict != test.expect)
      failed.push_back({&test, fmt::format("{} {} is {} ({})", KindName(test.kind), Describe(test.act), verdict,
                                           speakers.empty() ? "no rule" : fmt::format("{}", fmt::join(speakers, ", ")))});
    else if (!test.rule.empty() && !Has(speakers, test.rule))
      failed.push_back({&test, fmt::format("rule '{}' does not speak about {} {}", test.rule,
                                           KindName(test.kind), Describe(test.act))});
  }
  for (const Rule& rule : canon.rules)
    for (const Example& example : rule.examples)
      if (Has(Speakers(authority.At(example.kind, example.act)), rule.id) != example.matches)
        failed.push_back({&example, fmt::format("rule '{}' {} about {}", rule.id,
                                                example.matches ? "does not speak" : "speaks",
                                                Describe(example.act))});
  return failed;
}

std::vector<std::string> UntestedRules(const Canon& canon) {
  const Authority authority(canon);
  std::vector<std::string> tested;
  const auto see = [&](const Example& example) {
    for (std::string& id : Speakers(authority.At(example.kind, example.act))) tested.push_back(std::move(id));
  };
  for (const Example& test : canon.tests) see(test);
  for (const Rule& rule : canon.rules)
    for (const Example& example : rule.examples) see(example);
  std::vector<std::string> untested;
  for (const Standing& standing : canon.standing)
    if (!Has(tested, standing.id) && !Has(untested, standing.id)) untested.push_back(standing.id);
  for (const Rule& rule : canon.rules)
    if (!Has(tested, rule.id)) untested.push_back(rule.id);
  return untested;
}

}  // namespace proofgate::policy
