#include "policy/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

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
  Builder(std::string file, std::vector<Diagnostic>& diagnostics)
      : file_(std::move(file)),
        diagnostics_(diagnostics),
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
    sets_ = root.Get("sets");
    used_sets_.clear();
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
    if (sets_ != nullptr)
      for (std::size_t i = 0; i + 1 < sets_->items.size(); i += 2)
        if (!sets_->items[i]->is_wrong && !used_sets_.contains(sets_->items[i]->text))
          Complain(sets_->items[i]->where, "set " + Quote(sets_->items[i]->text) + " is not used",
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

  void UseSet(const Node& reference, Kind kind, std::vector<Object>& objects, std::vector<Where>& places) {
    std::vector<std::string_view> names;
    Node* set = nullptr;
    if (sets_ != nullptr) {
      for (std::size_t i = 0; i + 1 < sets_->items.size(); i += 2) names.push_back(sets_->items[i]->text);
      set = sets_->Get(reference.text);
    }
    if (set == nullptr) {
      const std::string near = Nearest(reference.text, names);
      return Complain(reference.where, "no set " + Quote(reference.text),
                      near.empty() ? "a name under 'sets'" : "'" + near + "'", "unknown-word");
    }
    used_sets_.insert(reference.text);
    if (is_too_dear_) return;
    if (building_set_)
      return Complain(reference.where, "a set in a set", "the objects themselves", "set-in-set");
    Validate(*set, ObjectsType(kind), "set", complain_);
    building_set_ = true;
    yaml::ForEach(set, [&](Node& item) { BuildObject(item, kind, objects, places); });
    building_set_ = false;
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

  const std::string file_;
  std::vector<Diagnostic>& diagnostics_;
  const yaml::Complain complain_;
  Node* sets_ = nullptr;
  std::set<std::string> used_sets_;
  bool building_set_ = false;
  std::size_t cost_ = 0;
  bool is_too_dear_ = false;
};

}  // namespace

ParsedCanon ParseCanon(std::string_view text, const std::string& file) {
  ParsedCanon parsed;
  Builder builder(file, parsed.diagnostics);
  for (const auto& document : yaml::Parse(text, kMaxCanonBytes, builder.complain()))
    parsed.canons.push_back(builder.Build(*document));
  parsed.cost = builder.cost();
  if (parsed.canons.empty() && parsed.diagnostics.empty())
    builder.Complain({1, 1}, "no canon in the file", "format: 1 …", "empty");
  Check(parsed.canons, file, parsed.diagnostics);
  std::stable_sort(parsed.diagnostics.begin(), parsed.diagnostics.end(),
                   [](const Diagnostic& a, const Diagnostic& b) {
                     return std::pair(a.where.line, a.where.column) <
                            std::pair(b.where.line, b.where.column);
                   });
  return parsed;
}

}  // namespace proofgate::policy
