#include "policy/forbids.h"

#include <algorithm>

namespace proofgate::policy {
namespace {

std::string OtherKey(const Object& object) { return json::Encode(ObjectJson(object)); }

bool IsFilePath(Form form) { return form == Form::kFile || form == Form::kDir || form == Form::kTree; }

}  // namespace

Forbids::Forbids(const Canon& canon, std::optional<Kind> only) {
  for (const Rule& rule : canon.rules) {
    if (rule.effect != Effect::kForbid || (only && rule.kind != *only)) continue;
    ByKind& by = kinds_[static_cast<std::size_t>(rule.kind)];
    for (const Object& object : rule.objects) {
      const Hit hit{&rule, &object};
      if (IsFilePath(object.form)) by.paths[object.path].push_back(hit);
      else if (object.form == Form::kNet)
        by.nets[object.net.is_v6 ? 1 : 0][object.net.prefix_bits][AddressKey(object.net, object.net.prefix_bits)].push_back(hit);
      else by.others[OtherKey(object)].push_back(hit);
    }
  }
}

std::vector<Forbids::Hit> Forbids::Overlapping(Kind kind, const Object& object, std::size_t* looked_at) const {
  const ByKind& by = kinds_[static_cast<std::size_t>(kind)];
  Hits found;
  const auto take = [&](const Hits& hits) {
    if (looked_at != nullptr) *looked_at += hits.size();
    for (const Hit& hit : hits)
      if (Overlaps(object, *hit.object)) found.push_back(hit);
  };
  const auto take_at = [&](const std::map<std::string, Hits>& map, const std::string& key) {
    if (const auto at = map.find(key); at != map.end()) take(at->second);
  };
  const auto take_from = [&](const std::map<std::string, Hits>& map, const std::string& first, const std::string& last) {
    for (auto at = map.lower_bound(first); at != map.end() && at->first <= last; ++at) take(at->second);
  };
  if (IsFilePath(object.form)) {
    take_at(by.paths, object.path);
    for (const std::string& dir : DirectoriesAbove(object.path)) take_at(by.paths, dir);
    // '0' is the character after '/'.
    if (object.form != Form::kFile) {
      const std::string below = object.path == "/" ? object.path : object.path + "/";
      take_from(by.paths, below + '\0', below.substr(0, below.size() - 1) + "0");
    }
  } else if (object.form == Form::kNet) {
    const int own = object.net.prefix_bits;
    const std::string first = AddressKey(object.net, own);
    std::string last = first;
    for (int bit = own; bit < 128; ++bit) {
      const auto at = static_cast<std::size_t>(bit / 8);
      last[at] = static_cast<char>(static_cast<unsigned char>(last[at]) | (0x80 >> (bit % 8)));
    }
    for (const auto& [bits, blocks] : by.nets[object.net.is_v6 ? 1 : 0]) {
      if (bits <= own) take_at(blocks, AddressKey(object.net, bits));
      else take_from(blocks, first, last);
    }
  } else {
    take_at(by.others, OtherKey(object));
  }
  // All rules are in one vector, and all objects of a rule.
  std::sort(found.begin(), found.end(), [](const Hit& a, const Hit& b) { return a.rule != b.rule ? a.rule < b.rule : a.object < b.object; });
  return found;
}

}  // namespace proofgate::policy
