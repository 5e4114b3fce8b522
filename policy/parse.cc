#include "policy/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "policy/check.h"
#include "policy/parse_terms.h"
#include "policy/profile.h"

namespace proofgate::policy {
namespace {

using yaml::Node;

// Builds canons of trees that Validate has seen: what is wrong has been said
// already and is left out.
class Builder {
 public:
  explicit Builder(std::vector<Diagnostic>& diagnostics)
      : diagnostics_(diagnostics),
        complain_([this](Where where, std::string message, std::string expected, std::string code) {
          Complain(where, std::move(message), std::move(expected), std::move(code));
        }) {}

  void Complain(Where where, std::string message, std::string expected, std::string code) {
    if (diagnostics_.size() >= kMaxDiagnostics) return;
    Diagnostic one{file_, where, std::move(message), std::move(expected), std::move(code)};
    // A set is read once for each use.
    if (std::find(diagnostics_.begin(), diagnostics_.end(), one) == diagnostics_.end())
      diagnostics_.push_back(std::move(one));
  }
  const yaml::Complain& complain() const { return complain_; }
  // What is said from now on is about this file.
  void SetFile(const std::string& file) { file_ = file; }

  // A document that holds sets for others. All of them come before any Build.
  void AddLibrary(Node& root) {
    Validate(root, LibraryType(), "library", complain_);
    const std::string name = root.TextOf("library");
    if (!libraries_.emplace(name, Library{&root, file_}).second)
      Complain(root.where, "library " + Quote(name) + " is defined twice", "another name", "duplicate-id");
  }
  // What has no use is a mistake somewhere else.
  void CheckLibraries() {
    for (const auto& [name, library] : libraries_) {
      SetFile(library.file);
      CheckCycle(name);
      if (!library.is_used) Complain(library.root->where, "library " + Quote(name) + " is not included", "include: [ " + name + " ] in a canon", "unused-set");
    }
  }
  std::size_t cost() const { return cost_; }

  Canon Build(Node& root) {
    Canon canon;
    canon.where = root.where;
    Validate(root, CanonType(), "canon", complain_);
    canon.tenant = root.TextOf("tenant");
    canon.domain = root.TextOf("domain");
    if (root.TextOf("mode") == "observe") canon.mode = Mode::kObserve;
    if (Node* attach = root.Get("attach"))
      for (const std::string_view key : {"slice", "unit", "cgroup"})
        if (const std::string target = attach->TextOf(key); !target.empty())
          canon.attach = std::string(key) + ":" + target;
    sets_.clear();
    used_sets_.clear();
    own_sets_ = root.Get("sets");
    TakeSets(own_sets_, root.where);
    std::set<std::string> seen;
    Include(root, seen);
    yaml::ForEach(root.Get("standing"), [&](Node& node) { BuildStanding(node, canon); });
    yaml::ForEach(root.Get("rules"), [&](Node& node) { BuildRule(node, canon); });
    yaml::ForEach(root.Get("tests"), [&](Node& node) {
      for (const Kind kind : kAllKinds)
        if (Node* act = node.Get(KindName(kind)))
          if (auto example = ReadExample(*act, kind)) {
            example->expect = node.TextOf("expect");
            example->rule = node.TextOf("rule");
            canon.tests.push_back(std::move(*example));
          }
    });
    BuildDomainTerms(root, canon.terms, complain_,
                     [this](Node& item, Kind kind, std::vector<Object>& objects) {
                       std::vector<Where> places;
                       BuildObject(item, kind, objects, places);
                     });
    if (own_sets_ != nullptr)
      for (std::size_t i = 0; i + 1 < own_sets_->items.size(); i += 2)
        if (!own_sets_->items[i]->is_wrong && !used_sets_.contains(own_sets_->items[i]->text))
          Complain(own_sets_->items[i]->where, "set " + Quote(own_sets_->items[i]->text) + " is not used",
                   "a rule that names it", "unused-set");
    Sort(canon);
    return canon;
  }

 private:
  void BuildObject(Node& node, Kind kind, std::vector<Object>& objects, std::vector<Where>& places) {
    if (node.type != Node::Type::kMap) return;
    Object object;
    const auto add = [&] {
      if (!Afford(node.where)) return;
      objects.push_back(object);
      places.push_back(node.where);
    };
    if (Node* set = node.Get("set")) return UseSet(*set, kind, objects, places);
    if (Node* file = node.Get("file")) {
      object.form = Form::kFile;
      object.path = file->text;
      add();
    } else if (Node* dir = node.Get("dir")) {
      object.form = node.TextOf("depth") == "all" ? Form::kTree : Form::kDir;
      object.path = dir->text;
      add();
    } else if (Node* socket = node.Get("unix")) {
      object.form = Form::kUnix;
      object.path = socket->text;
      add();
    } else if (Node* cidr = node.Get("cidr")) {
      object.form = Form::kNet;
      const auto net = ParseCidr(cidr->text);
      if (!net) return;
      object.net = *net;
      object.net.port = static_cast<std::uint16_t>(node.CountOf("port"));
      const std::string proto = node.TextOf("proto");
      if (proto == "tcp") object.net.proto = Proto::kTcp;
      if (proto == "udp") object.net.proto = Proto::kUdp;
      add();
    } else if (Node* io_class = node.Get("class")) {
      object.form = Form::kClass;
      yaml::ForEach(io_class, [&](const Node& item) {
        const auto known = ParseIoClass(item.text);
        if (!known) return;
        object.io_class = *known;
        add();
      });
    } else if (Node* cap = node.Get("cap")) {
      object.form = Form::kCapability;
      yaml::ForEach(cap, [&](const Node& item) {
        const auto known = ParseCapability(item.text);
        if (!known) return;
        object.capability = *known;
        add();
      });
    }
  }

  // One more object or case. A set stands for its objects at each use: 2 MiB of
  // text could stand for more than fits into memory.
  bool Afford(Where where) {
    if (cost_ < kMaxCanonCost) {
      ++cost_;
      return true;
    }
    if (!is_too_dear_)
      Complain(where, fmt::format("the canon costs more than {}: objects, with sets written out at each use, and cases", kMaxCanonCost),
               "trees and prefixes in place of lists, or several hosts", "cost");
    is_too_dear_ = true;
    return false;
  }

  std::optional<Example> ReadExample(const Node& node, Kind kind) {
    if (!Afford(node.where)) return std::nullopt;
    const auto object = ReadObjectText(kind, node.text);
    const std::string problem = !object                                 ? object.error().message
                                : !IsAct(*object) ? Quote(node.text) + " is more than one act"
                                                                        : "";
    if (!problem.empty()) {
      Complain(node.where, problem, "one file, or as in tcp:127.0.0.1:80", "bad-act");
      return std::nullopt;
    }
    Example example;
    example.kind = kind;
    example.act = *object;
    example.where = node.where;
    return example;
  }

  // The sets of a document, and those that it includes.
  void TakeSets(Node* sets, Where where) {
    if (sets == nullptr) return;
    for (std::size_t i = 0; i + 1 < sets->items.size(); i += 2) {
      Node& name = *sets->items[i];
      if (name.is_wrong) continue;
      const auto [at, is_new] = sets_.emplace(name.text, Set{sets->items[i + 1].get(), file_});
      if (!is_new && at->second.node != sets->items[i + 1].get())
        Complain(where, "set " + Quote(name.text) + " is there twice, by what is included", "one of this name", "duplicate-id");
    }
  }
  void Include(Node& root, std::set<std::string>& seen) {
    yaml::ForEach(root.Get("include"), [&](const Node& item) {
      const auto at = libraries_.find(item.text);
      if (at == libraries_.end()) {
        std::vector<std::string_view> names;
        for (const auto& [name, library] : libraries_) names.push_back(name);
        const std::string near = Nearest(item.text, names);
        return Complain(item.where, "no library " + Quote(item.text), near.empty() ? "one of the files that belong together" : "'" + near + "'", "unknown-word");
      }
      at->second.is_used = true;
      if (!seen.insert(item.text).second) return;  // by two ways, or a cycle, which CheckLibraries says
      const std::string file = std::exchange(file_, at->second.file);
      TakeSets(at->second.root->Get("sets"), at->second.root->where);
      Include(*at->second.root, seen);
      file_ = file;
    });
  }
  void CheckCycle(const std::string& first) {
    std::set<std::string> seen;
    std::vector<std::string> open = {first};
    while (!open.empty()) {
      const std::string name = open.back();
      open.pop_back();
      const auto at = libraries_.find(name);
      if (at == libraries_.end() || !seen.insert(name).second) continue;
      yaml::ForEach(at->second.root->Get("include"), [&](const Node& item) {
        if (item.text == first)
          Complain(libraries_.at(first).root->where, "library " + Quote(first) + " includes itself" + (name == first ? "" : ", through " + Quote(name)),
                   "no cycle", "include-cycle");
        open.push_back(item.text);
      });
    }
  }

  void UseSet(const Node& reference, Kind kind, std::vector<Object>& objects, std::vector<Where>& places) {
    const auto at = sets_.find(reference.text);
    if (at == sets_.end()) {
      std::vector<std::string_view> names;
      for (const auto& [name, set] : sets_) names.push_back(name);
      const std::string near = Nearest(reference.text, names);
      return Complain(reference.where, "no set " + Quote(reference.text),
                      near.empty() ? "a name under 'sets'" : "'" + near + "'", "unknown-word");
    }
    used_sets_.insert(reference.text);
    if (is_too_dear_) return;
    if (building_set_)
      return Complain(reference.where, "a set in a set", "the objects themselves", "set-in-set");
    const std::string file = std::exchange(file_, at->second.file);
    Validate(*at->second.node, ObjectsType(kind), "set", complain_);
    building_set_ = true;
    const std::size_t first = places.size();
    yaml::ForEach(at->second.node, [&](Node& item) { BuildObject(item, kind, objects, places); });
    building_set_ = false;
    // Places are of the file that is built.
    if (file != file_) std::fill(places.begin() + static_cast<std::ptrdiff_t>(first), places.end(), reference.where);
    file_ = file;
  }

  void BuildStanding(Node& node, Canon& canon) {
    const std::string id = node.TextOf("id");
    if (Node* profile = node.Get("profile")) {
      for (Grant& grant : FindProfile(profile->text)) {
        std::vector<Where> places(grant.objects.size(), profile->where);
        canon.standing.push_back({id, grant.kind, std::move(grant.objects), std::move(places),
                                  std::move(grant.except), node.where});
      }
      return;
    }
    for (const Kind kind : kAllKinds) {
      Node* const objects = node.Get(KindName(kind));
      if (objects == nullptr) continue;
      Standing standing{id, kind, {}, {}, {}, node.where};
      yaml::ForEach(objects, [&](Node& item) { BuildObject(item, kind, standing.objects, standing.object_where); });
      canon.standing.push_back(std::move(standing));
    }
  }

  void BuildRule(Node& node, Canon& canon) {
    Rule rule;
    rule.where = node.where;
    rule.id = node.TextOf("id");
    const std::string permit = node.TextOf("permit");
    const std::string word = permit.empty() ? node.TextOf("forbid") : permit;
    rule.effect = permit.empty() ? Effect::kForbid : Effect::kPermit;
    const auto kind = ParseKind(word);
    if (!kind) {  // said already; the rest is read as what the selector says it is
      for (const Kind guess : {Kind::kWrite, Kind::kLoad, Kind::kConnect, Kind::kBind})
        if (Node* objects = node.Get(SelectorOf(guess)))
          Validate(*objects, ObjectsType(guess), SelectorOf(guess), complain_);
      return;
    }
    rule.kind = *kind;
    const std::string_view selector = SelectorOf(rule.kind);
    for (const std::string_view other : kSelectors)
      if (Node* wrong = node.Get(other); wrong != nullptr && other != selector)
        Complain(wrong->where, fmt::format("'{}' is not for {}", other, word),
                 fmt::format("'{}'", selector), "misplaced-key");
    if (Node* objects = node.Get(selector)) {
      Validate(*objects, ObjectsType(rule.kind), selector, complain_);
      if (objects->type == Node::Type::kList)
        yaml::ForEach(objects, [&](Node& item) { BuildObject(item, rule.kind, rule.objects, rule.object_where); });
    } else {
      Complain(node.where, fmt::format("key '{}' is missing", selector), fmt::format("{}: [ … ]", selector),
               "missing-key");
    }
    Node* const limits = node.Get("limits");
    if (rule.effect == Effect::kForbid && limits != nullptr)
      Complain(limits->where, "limits are for permits", "no limits", "misplaced-key");
    if (rule.effect == Effect::kPermit && limits == nullptr)
      Complain(node.where, "key 'limits' is missing", "limits: { ttl: \"10m\", uses: 100 }", "missing-key");
    if (rule.effect == Effect::kPermit && limits != nullptr) {
      rule.limits.ttl_ns = ParseDuration(limits->TextOf("ttl")).value_or(0);
      rule.limits.uses = limits->CountOf("uses");
    }
    for (const char* key : {"match", "no_match"})
      yaml::ForEach(node.Get(key), [&](const Node& item) {
        auto example = ReadExample(item, rule.kind);
        if (!example) return;
        example->matches = std::string_view(key) == "match";
        rule.examples.push_back(std::move(*example));
      });
    for (const std::string_view term : {"approvals", "lease", "budget", "rate", "duties", "needs"})
      if (Node* given = node.Get(term); given != nullptr && rule.effect == Effect::kForbid)
        Complain(given->where, std::string(term) + " is for permits", "no " + std::string(term), "misplaced-key");
    BuildRuleTerms(node, rule.terms, complain_);
    BuildBinding(node, rule);
    canon.rules.push_back(std::move(rule));
  }

  void BuildBinding(Node& node, Rule& rule) {
    Node* last = nullptr;
    for (const std::string_view key : {"argv", "env", "content"}) {
      Node* const given = node.Get(key);
      if (given == nullptr) continue;
      last = given;
      if (rule.effect == Effect::kForbid || rule.kind != Kind::kExec)
        Complain(given->where, fmt::format("{} is for permits of exec", key), fmt::format("no {}", key), "misplaced-key");
    }
    if (last == nullptr || rule.effect == Effect::kForbid || rule.kind != Kind::kExec) return;
    if (Node* argv = node.Get("argv"))
      for (const auto& [key, form] : {std::pair("exact", Binding::Argv::kExact), std::pair("prefix", Binding::Argv::kPrefix)})
        if (Node* list = argv->Get(key); list != nullptr && list->type == Node::Type::kList) {
          rule.binding.argv_form = form;
          for (const auto& item : list->items) rule.binding.argv.push_back(item->text);
        }
    yaml::ForEach(node.Get("env"), [&](const Node& item) {
      if (!AddEnvWord(item.text, rule.binding)) return;  // said already
    });
    if (Node* content = node.Get("content"))
      if (!SetContent(content->text, rule.binding)) return;  // said already
    if (const Status checked = CheckBinding(rule.binding); !checked)
      Complain(last->where, checked.error().message, "", "binding");
  }

  // One order, so that the order in the text decides nothing.
  static void SortObjects(std::vector<Object>& objects, std::vector<Where>& places) {
    std::vector<std::pair<std::string, std::size_t>> order;
    for (std::size_t i = 0; i < objects.size(); ++i) order.emplace_back(json::Encode(ObjectJson(objects[i])), i);
    std::sort(order.begin(), order.end());
    order.erase(std::unique(order.begin(), order.end(),
                            [](const auto& a, const auto& b) { return a.first == b.first; }),
                order.end());
    std::vector<Object> sorted;
    std::vector<Where> sorted_places;
    for (const auto& [bytes, index] : order) {
      sorted.push_back(std::move(objects[index]));
      sorted_places.push_back(places[index]);
    }
    objects = std::move(sorted);
    places = std::move(sorted_places);
  }
  static void Sort(Canon& canon) {
    for (Standing& standing : canon.standing) SortObjects(standing.objects, standing.object_where);
    for (Rule& rule : canon.rules) SortObjects(rule.objects, rule.object_where);
    std::stable_sort(canon.standing.begin(), canon.standing.end(), [](const Standing& a, const Standing& b) {
      return std::pair(a.id, a.kind) < std::pair(b.id, b.kind);
    });
    std::stable_sort(canon.rules.begin(), canon.rules.end(),
                     [](const Rule& a, const Rule& b) { return a.id < b.id; });
  }

  struct Library {
    Node* root = nullptr;
    std::string file;
    bool is_used = false;
  };
  struct Set {
    Node* node = nullptr;
    std::string file;
  };

  std::string file_;
  std::vector<Diagnostic>& diagnostics_;
  const yaml::Complain complain_;
  std::map<std::string, Library> libraries_;
  std::map<std::string, Set> sets_;  // of the document that is built
  Node* own_sets_ = nullptr;
  std::set<std::string> used_sets_;
  bool building_set_ = false;
  std::size_t cost_ = 0;
  bool is_too_dear_ = false;
};

}  // namespace

ParsedCanon ParseCanon(std::string_view text, const std::string& file) { return ParseCanonFiles({{file, text}}); }

ParsedCanon ParseCanonFiles(const std::vector<CanonFile>& files) {
  ParsedCanon parsed;
  Builder builder(parsed.diagnostics);
  std::vector<std::vector<std::unique_ptr<Node>>> documents;
  std::size_t nodes = 0;
  for (const CanonFile& file : files) {
    builder.SetFile(file.name);
    documents.push_back(yaml::Parse(file.text, kMaxCanonBytes, builder.complain(), &nodes));
    for (const auto& document : documents.back())
      if (document->Get("library") != nullptr) builder.AddLibrary(*document);
  }
  std::vector<std::pair<std::string, std::vector<Canon>>> built;
  for (std::size_t i = 0; i < files.size(); ++i) {
    builder.SetFile(files[i].name);
    built.emplace_back(files[i].name, std::vector<Canon>());
    for (const auto& document : documents[i])
      if (document->Get("library") == nullptr) built.back().second.push_back(builder.Build(*document));
  }
  builder.CheckLibraries();
  parsed.cost = builder.cost();
  const bool has_any = std::any_of(built.begin(), built.end(), [](const auto& of_file) { return !of_file.second.empty(); });
  if (!has_any && parsed.diagnostics.empty()) {
    builder.SetFile(files.empty() ? "canon" : files.front().name);
    builder.Complain({1, 1}, "no canon in the file", "format: 1 …", "empty");
  }
  for (auto& [file, canons] : built) {
    Check(canons, file, parsed.diagnostics);
    for (Canon& canon : canons) parsed.canons.push_back(std::move(canon));
  }
  const auto order = [&](const Diagnostic& one) {
    return std::find_if(files.begin(), files.end(), [&](const CanonFile& file) { return file.name == one.file; }) - files.begin();
  };
  std::stable_sort(parsed.diagnostics.begin(), parsed.diagnostics.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) {
                     return std::tuple(order(a), a.where.line, a.where.column) < std::tuple(order(b), b.where.line, b.where.column);
                   });
  return parsed;
}

}  // namespace proofgate::policy
