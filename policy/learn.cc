#include "policy/learn.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "policy/authority.h"
#include "policy/grammar.h"

namespace proofgate::policy {
namespace {

constexpr std::uint64_t kFilesOfADir = 3;   // so many files, and it is about the directory
constexpr std::uint64_t kDirsOfATree = 3;   // so many directories in one, and it is about its tree
constexpr std::uint64_t kHostsOfANet = 4;   // so many addresses of a /24 or /64
constexpr std::ptrdiff_t kLeastDepth = 2;   // never fold into "/" or "/etc"

std::string ParentOf(const std::string& path) { return DirectoriesAbove(path).empty() ? "/" : DirectoriesAbove(path).front(); }

std::ptrdiff_t DepthOf(const std::string& path) { return path == "/" ? 0 : std::count(path.begin(), path.end(), '/'); }

Object PathObject(Form form, const std::string& path) {
  Object object;
  object.form = form;
  object.path = path;
  return object;
}

void FoldPaths(const std::map<std::string, std::uint64_t>& files, std::vector<Folded>& out) {
  std::map<std::string, std::map<std::string, std::uint64_t>> by_dir;
  for (const auto& [path, times] : files) by_dir[ParentOf(path)][path] = times;
  // From the top: the first directory that has enough branches takes it all.
  std::map<std::string, std::set<std::string>> dirs_below;
  for (const auto& [dir, of] : by_dir) {
    std::string branch = dir;
    for (const std::string& above : DirectoriesAbove(dir)) {
      dirs_below[above].insert(branch);
      branch = above;
    }
  }
  std::set<std::string> trees;
  for (const auto& [dir, below] : dirs_below) {
    if (below.size() < kDirsOfATree || DepthOf(dir) < kLeastDepth) continue;
    const std::vector<std::string> above = DirectoriesAbove(dir);
    if (std::none_of(above.begin(), above.end(), [&](const std::string& one) { return trees.contains(one); })) trees.insert(dir);
  }
  std::map<std::string, Folded> folded_trees;
  for (const auto& [dir, of] : by_dir) {
    std::string tree = trees.contains(dir) ? dir : "";
    for (const std::string& above : DirectoriesAbove(dir))
      if (trees.contains(above)) tree = above;
    Folded all{PathObject(tree.empty() ? Form::kDir : Form::kTree, tree.empty() ? dir : tree), 0, of.size()};
    for (const auto& [path, times] : of) all.times += times;
    if (!tree.empty()) {
      Folded& sum = folded_trees.try_emplace(tree, Folded{all.object, 0, 0}).first->second;
      sum.times += all.times;
      sum.objects += all.objects;
    } else if (of.size() >= kFilesOfADir && DepthOf(dir) >= kLeastDepth) {
      out.push_back(all);
    } else {
      for (const auto& [path, times] : of) out.push_back({PathObject(Form::kFile, path), times, 1});
    }
  }
  for (auto& [tree, sum] : folded_trees) out.push_back(sum);
}

void FoldAddresses(const std::vector<std::pair<Object, std::uint64_t>>& acts, std::vector<Folded>& out) {
  using Key = std::tuple<bool, Proto, std::uint16_t, std::array<std::uint8_t, 16>>;
  std::map<Key, std::vector<std::pair<Object, std::uint64_t>>> nets;
  for (const auto& [act, times] : acts) {
    std::array<std::uint8_t, 16> net{};
    const std::size_t kept = act.net.is_v6 ? 8 : 3;
    std::copy_n(act.net.bytes.begin(), kept, net.begin());
    nets[{act.net.is_v6, act.net.proto, act.net.port, net}].emplace_back(act, times);
  }
  for (const auto& [key, of] : nets) {
    if (of.size() < kHostsOfANet) {
      for (const auto& [act, times] : of) out.push_back({act, times, 1});
      continue;
    }
    Folded all{of.front().first, 0, of.size()};
    all.object.net.bytes = std::get<3>(key);
    all.object.net.prefix_bits = all.object.net.is_v6 ? 64 : 24;
    for (const auto& [act, times] : of) all.times += times;
    out.push_back(all);
  }
}

std::string Yaml(const Object& object) {
  const auto quoted = [](const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    return out + "\"";
  };
  switch (object.form) {
    case Form::kFile: return "{ file: " + quoted(object.path) + " }";
    case Form::kDir: return "{ dir: " + quoted(object.path) + " }";
    case Form::kTree: return "{ dir: " + quoted(object.path) + ", depth: all }";
    case Form::kUnix: return "{ unix: " + quoted(object.path) + " }";
    case Form::kClass: return "{ class: " + std::string(IoClassName(object.io_class)) + " }";
    case Form::kCapability: return "{ cap: " + std::string(CapabilityName(object.capability)) + " }";
    case Form::kNet:
      return fmt::format("{{ cidr: \"{}\"{}{} }}", FormatCidr(object.net),
                         object.net.port != 0 ? fmt::format(", port: {}", object.net.port) : "",
                         object.net.proto == Proto::kTcp   ? ", proto: tcp"
                         : object.net.proto == Proto::kUdp ? ", proto: udp"
                                                           : "");
  }
  return "";
}

}  // namespace

std::vector<Folded> Fold(const std::vector<std::pair<Object, std::uint64_t>>& acts) {
  std::vector<Folded> out;
  std::map<std::string, std::uint64_t> files;
  std::vector<std::pair<Object, std::uint64_t>> addresses;
  for (const auto& [act, times] : acts) {
    if (act.form == Form::kFile) files[act.path] += times;
    else if (act.form == Form::kNet) addresses.emplace_back(act, times);
    else out.push_back({act, times, 1});
  }
  FoldPaths(files, out);
  FoldAddresses(addresses, out);
  std::sort(out.begin(), out.end(), [](const Folded& a, const Folded& b) {
    return WriteObjectText(a.object) < WriteObjectText(b.object);
  });
  return out;
}

std::string Learn(const std::string& tenant, const std::string& domain, const std::vector<Observed>& observed) {
  std::map<Kind, std::map<std::string, std::pair<Object, std::uint64_t>>> by_kind;
  for (const Observed& one : observed) {
    auto& [act, times] = by_kind[one.kind][WriteObjectText(one.act)];
    act = one.act;
    ++times;
  }
  if (by_kind.empty()) return "";
  std::string out = fmt::format(
      "# Proposed from what domain {} did while it observed. Read it before you use it:\n"
      "# what was done is not what should be permitted.\n"
      "format: 1\ntenant: {}\ndomain: {}\nmode: enforce\nstanding:\n  - {{ id: base, profile: base }}\nrules:\n",
      domain, tenant, domain);
  for (const auto& [kind, acts] : by_kind) {
    std::vector<std::pair<Object, std::uint64_t>> list;
    std::uint64_t times = 0;
    for (const auto& [text, act] : acts) {
      list.push_back(act);
      times += act.second;
    }
    out += fmt::format("  - id: learned.{}\n    permit: {}\n    {}:\n", KindName(kind), KindName(kind), SelectorOf(kind));
    for (const Folded& one : Fold(list))
      out += fmt::format("      - {}  # {} times, {} {}\n", Yaml(one.object), one.times, one.objects,
                         one.objects == 1 ? "object" : "objects");
    out += fmt::format("    limits: {{ ttl: 10m, uses: {} }}\n", times);
  }
  return out;
}

}  // namespace proofgate::policy
