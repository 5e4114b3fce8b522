#include "policy/parse.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <sstream>

#include "base/signature.h"
#include "policy/check.h"
#include "policy/profile.h"

namespace proofgate::policy {
namespace {

constexpr int kMaxDepth = 16;
constexpr std::uint64_t kMaxTtlNs = 24ull * 3600 * 1'000'000'000;
constexpr std::uint64_t kMaxUses = 1'000'000'000;

struct Node {
  enum class Type { kScalar, kList, kMap } type = Type::kScalar;
  Where where;
  std::string text;
  bool is_plain = false;  // unquoted
  std::vector<std::unique_ptr<Node>> items;  // list: items; map: key, value, key, value, …
};

// Thrown after a complaint: what follows cannot be read.
struct Unreadable {};

// Collects documents as trees and complains about what the subset leaves out.
class TreeBuilder final : public YAML::EventHandler {
 public:
  using Complain = std::function<void(Where, std::string, std::string)>;
  explicit TreeBuilder(Complain complain) : complain_(std::move(complain)) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp takes a stray token (a line that starts with ',') for an empty
    // document and does not step over it, so it would give them for ever.
    if (mark.pos == last_start_) {
      complain_(Place(mark), "text that belongs to no mapping", "key: value");
      throw Unreadable();
    }
    last_start_ = mark.pos;
    root_.reset();
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    NoAnchor(mark, anchor);
    Add(mark, Node::Type::kScalar)->is_plain = true;
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    complain_(Place(mark), "aliases are not used in canon", "the value itself");
    Add(mark, Node::Type::kScalar);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    NoAnchor(mark, anchor);
    NoTag(mark, tag);
    Node* const node = Add(mark, Node::Type::kScalar);
    node->text = value;
    node->is_plain = tag == "?";
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Node::Type::kList);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Node::Type::kMap);
  }
  void OnMapEnd() override { open_.pop_back(); }

  std::unique_ptr<Node> TakeRoot() { return std::move(root_); }

 private:
  static Where Place(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }
  void NoAnchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) complain_(Place(mark), "anchors are not used in canon", "no '&name'");
  }
  void NoTag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      complain_(Place(mark), "tags are not used in canon", "no '!name'");
  }
  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            Node::Type type) {
    if (open_.size() >= kMaxDepth) {
      complain_(Place(mark), "nested too deeply", fmt::format("at most {} levels", kMaxDepth));
      throw Unreadable();
    }
    NoAnchor(mark, anchor);
    NoTag(mark, tag);
    open_.push_back(Add(mark, type));
  }
  Node* Add(const YAML::Mark& mark, Node::Type type) {
    auto node = std::make_unique<Node>();
    node->type = type;
    node->where = Place(mark);
    Node* const added = node.get();
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back()->items.push_back(std::move(node));
    }
    return added;
  }

  const Complain complain_;
  std::unique_ptr<Node> root_;
  std::vector<Node*> open_;
  int last_start_ = -1;  // of a document, in characters
};

std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, corner + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      corner = above;
    }
  }
  return row[b.size()];
}

using Names = std::vector<std::string_view>;

std::string Nearest(std::string_view word, const Names& names) {
  if (word.size() > 64) return "";
  std::string_view best;
  std::size_t least = 3;
  for (const std::string_view name : names) {
    const std::size_t distance = Distance(word, name);
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return std::string(best);
}

std::string Quote(std::string_view text) {
  return "'" + EscapeForPeople(text.substr(0, 80)) + (text.size() > 80 ? "…'" : "'");
}

// Reads trees into canons. Every mistake is noted; reading goes on.
class CanonReader {
 public:
  CanonReader(std::string file, std::vector<Diagnostic>& diagnostics)
      : file_(std::move(file)), diagnostics_(diagnostics) {}

  void Complain(Where where, std::string message, std::string expected) {
    if (diagnostics_.size() < kMaxDiagnostics)
      diagnostics_.push_back({file_, where, std::move(message), std::move(expected)});
  }

  Canon ReadCanon(const Node& root) {
    Canon canon;
    canon.where = root.where;
    if (!IsMap(root, "canon")) return canon;
    const Fields fields = ReadFields(
        root, {"format", "tenant", "domain", "attach", "mode", "standing", "rules", "optr",
               "estimates", "budgets", "blast", "approvers", "producers"},
        {"format", "tenant", "domain", "mode"});
    if (const Node* node = fields.Get("format"))
      if (node->text != "1") Complain(node->where, "format " + Quote(node->text) + " is not known", "1");
    if (const Node* node = fields.Get("tenant")) canon.tenant = ReadName(*node, "tenant");
    if (const Node* node = fields.Get("domain")) canon.domain = ReadName(*node, "domain");
    if (const Node* node = fields.Get("attach")) canon.attach = ReadAttach(*node);
    if (const Node* node = fields.Get("mode"))
      if (ReadWord(*node, {"enforce", "observe"}, "mode") == "observe") canon.mode = Mode::kObserve;
    if (const Node* node = fields.Get("standing"))
      ForEach(*node, "standing", [&](const Node& item) { ReadStanding(item, canon); });
    if (const Node* node = fields.Get("rules"))
      ForEach(*node, "rules", [&](const Node& item) { ReadRule(item, canon); });
    ReadDomainTerms(fields, canon.terms);
    return canon;
  }

 private:
  struct Fields {
    std::vector<std::pair<std::string_view, const Node*>> members;
    std::vector<const Node*> keys;
    const Node* Get(std::string_view name) const {
      for (const auto& [key, value] : members)
        if (key == name) return value;
      return nullptr;
    }
  };

  bool IsMap(const Node& node, std::string_view what) {
    if (node.type == Node::Type::kMap) return true;
    Complain(node.where, std::string(what) + " has the wrong type", "a mapping");
    return false;
  }

  template <class Read>
  void ForEach(const Node& node, std::string_view what, const Read& read) {
    if (node.type != Node::Type::kList) {
      Complain(node.where, std::string(what) + " has the wrong type", "a list");
      return;
    }
    if (node.items.empty()) Complain(node.where, std::string(what) + " is empty", "at least one");
    for (const auto& item : node.items) read(*item);
  }

  template <class Read>
  void OneOrMore(const Node& node, std::string_view what, const Read& read) {
    if (node.type == Node::Type::kList) ForEach(node, what, read);
    else read(node);
  }

  static std::string Join(const Names& names) { return fmt::format("{}", fmt::join(names, ", ")); }

  Fields ReadFields(const Node& map, const Names& known, const Names& required) {
    Fields fields;
    for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
      const Node& key = *map.items[i];
      if (key.type != Node::Type::kScalar) {
        Complain(key.where, "key has the wrong type", Join(known));
        continue;
      }
      if (std::find(known.begin(), known.end(), key.text) == known.end()) {
        const std::string near = Nearest(key.text, known);
        Complain(key.where, "unknown key " + Quote(key.text),
                 near.empty() ? Join(known) : "'" + near + "'");
        continue;
      }
      if (fields.Get(key.text) != nullptr) {
        Complain(key.where, "key " + Quote(key.text) + " is given twice", "it once");
        continue;
      }
      fields.members.emplace_back(key.text, map.items[i + 1].get());
      fields.keys.push_back(&key);
    }
    for (const std::string_view name : required)
      if (fields.Get(name) == nullptr)
        Complain(map.where, "key '" + std::string(name) + "' is missing", std::string(name) + ": …");
    return fields;
  }

  std::string ReadText(const Node& node, std::string_view what) {
    if (node.type != Node::Type::kScalar) {
      Complain(node.where, std::string(what) + " has the wrong type", "text");
      return "";
    }
    if (node.text.empty()) Complain(node.where, std::string(what) + " is empty", "text");
    return node.text;
  }

  // Letters, digits, '.', '_' and '-', starting with a letter or digit.
  std::string ReadName(const Node& node, std::string_view what) {
    std::string text = ReadText(node, what);
    const auto is_alnum = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    const bool ok = !text.empty() && text.size() <= 64 && is_alnum(text.front()) &&
                    std::all_of(text.begin(), text.end(), [&](char c) {
                      return is_alnum(c) || c == '.' || c == '_' || c == '-';
                    });
    if (!ok && !text.empty()) {
      Complain(node.where, std::string(what) + " " + Quote(text) + " is not a name",
               "1 to 64 letters, digits, '.', '_', '-'");
      return "";
    }
    return text;
  }

  std::string ReadWord(const Node& node, const Names& words, std::string_view what) {
    const std::string text = ReadText(node, what);
    if (text.empty() || std::find(words.begin(), words.end(), text) != words.end()) return text;
    const std::string near = Nearest(text, words);
    Complain(node.where, "unknown " + std::string(what) + " " + Quote(text),
             near.empty() ? Join(words) : "'" + near + "'");
    return "";
  }

  std::uint64_t ReadCount(const Node& node, std::string_view what, std::uint64_t low,
                          std::uint64_t high) {
    const std::string text = ReadText(node, what);
    if (text.empty()) return low;
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end || !node.is_plain || value < low || value > high ||
        (text.size() > 1 && text.front() == '0')) {
      Complain(node.where, std::string(what) + " " + Quote(text) + " is out of range",
               fmt::format("a whole number from {} to {}", low, high));
      return low;
    }
    return value;
  }

  std::uint64_t ReadDuration(const Node& node) {
    const std::string text = ReadText(node, "ttl");
    if (text.empty()) return 0;
    const auto ns = ParseDuration(text);
    if (!ns) {
      Complain(node.where, "ttl " + Quote(text) + " is not a duration", ns.error().message);
      return 0;
    }
    return *ns;
  }

  std::string ReadAttach(const Node& node) {
    if (!IsMap(node, "attach")) return "";
    const Fields fields = ReadFields(node, {"slice", "unit", "cgroup"}, {});
    if (fields.members.size() != 1) {
      Complain(node.where, "attach names none or several", "one of slice, unit, cgroup");
      return "";
    }
    const auto& [key, value] = fields.members.front();
    const std::string text = ReadText(*value, key);
    if (key == "cgroup" && !text.empty() && !IsCleanPath(text))
      Complain(value->where, "cgroup " + Quote(text) + " is not a path", "an absolute path");
    return std::string(key) + ":" + text;
  }

  std::optional<std::string> ReadPath(const Node& node, std::string_view what) {
    std::string text = ReadText(node, what);
    if (text.empty()) return std::nullopt;
    if (!IsCleanPath(text)) {
      Complain(node.where, std::string(what) + " " + Quote(text) + " is not a clean absolute path",
               "as in /srv/demo: no '..', no '//', no final '/'");
      return std::nullopt;
    }
    return text;
  }

  void ReadObject(const Node& node, Kind kind, std::vector<Object>& objects,
                  std::vector<Where>& places) {
    if (!IsMap(node, "object")) return;
    const auto add = [&](Object object) {
      objects.push_back(std::move(object));
      places.push_back(node.where);
    };
    Names forms;  // of which an object names one
    switch (kind) {
      case Kind::kConnect: forms = {"cidr", "unix", "class"}; break;
      case Kind::kBind: forms = {"cidr", "class"}; break;
      case Kind::kCapability: forms = {"cap"}; break;
      case Kind::kExec:
      case Kind::kSignal:
      case Kind::kRead: forms = {"file", "dir"}; break;
      case Kind::kLoad:
      case Kind::kWrite: forms = {"file", "dir", "class"}; break;
    }
    Names known = forms;
    if (forms.front() == "cidr") known.insert(known.end(), {"port", "proto"});
    if (forms.front() == "file") known.push_back("depth");
    const Fields fields = ReadFields(node, known, {});
    const Node* const file = fields.Get("file");
    const Node* const dir = fields.Get("dir");
    const Node* const io_class = fields.Get("class");
    const Node* const cidr = fields.Get("cidr");
    const Node* const unix_path = fields.Get("unix");
    const auto named = std::count_if(forms.begin(), forms.end(), [&](std::string_view form) {
      return fields.Get(form) != nullptr;
    });
    if (named != 1) {
      Complain(node.where, "object names none or several",
               (forms.size() > 1 ? "one of " : "") + Join(forms));
      return;
    }
    Object object;
    if (const Node* depth = fields.Get("depth")) {
      if (dir == nullptr) Complain(depth->where, "depth is for directories", "no depth");
      else if (ReadWord(*depth, {"all"}, "depth").empty()) return;
    }
    if (cidr == nullptr) {
      for (const char* name : {"port", "proto"})
        if (const Node* extra = fields.Get(name))
          Complain(extra->where, std::string(name) + " is for addresses", "no " + std::string(name));
    }
    if (file != nullptr || dir != nullptr || unix_path != nullptr) {
      const Node* const path_node = file != nullptr ? file : dir != nullptr ? dir : unix_path;
      const auto path = ReadPath(*path_node, "path");
      if (!path) return;
      object.form = file != nullptr ? Form::kFile
                    : unix_path != nullptr ? Form::kUnix
                    : fields.Get("depth") != nullptr ? Form::kTree
                                                     : Form::kDir;
      object.path = *path;
      add(object);
    } else if (cidr != nullptr) {
      object.form = Form::kNet;
      const std::string text = ReadText(*cidr, "cidr");
      if (text.empty()) return;
      const auto net = ParseCidr(text);
      if (!net) {
        Complain(cidr->where, "cidr " + net.error().message, "as in \"10.0.0.0/8\" or \"::1/128\"");
        return;
      }
      object.net = *net;
      if (const Node* port = fields.Get("port"))
        object.net.port = static_cast<std::uint16_t>(ReadCount(*port, "port", 1, 65535));
      if (const Node* proto = fields.Get("proto")) {
        const std::string word = ReadWord(*proto, {"tcp", "udp"}, "proto");
        if (word == "tcp") object.net.proto = Proto::kTcp;
        if (word == "udp") object.net.proto = Proto::kUdp;
      }
      add(object);
    } else if (const Node* const cap = fields.Get("cap")) {
      object.form = Form::kCapability;
      OneOrMore(*cap, "cap", [&](const Node& item) {
        const std::string word = ReadWord(item, GrantableCapabilities(), "capability");
        if (word.empty()) return;
        object.capability = *ParseCapability(word);
        add(object);
      });
    } else {
      object.form = Form::kClass;
      OneOrMore(*io_class, "class", [&](const Node& item) {
        const std::string word = ReadWord(item, ClassesOf(kind), "class");
        if (word.empty()) return;
        object.io_class = *ParseIoClass(word);
        add(object);
      });
    }
  }

  void ReadObjects(const Node& node, std::string_view what, Kind kind,
                   std::vector<Object>& objects, std::vector<Where>& places) {
    ForEach(node, what, [&](const Node& item) { ReadObject(item, kind, objects, places); });
  }

  void ReadStanding(const Node& node, Canon& canon) {
    if (!IsMap(node, "standing grant")) return;
    Names grants = {"profile"};
    for (const Kind kind : kAllKinds) grants.push_back(KindName(kind));
    Names known = grants;
    known.push_back("id");
    const Fields fields = ReadFields(node, known, {"id"});
    const Node* const id_node = fields.Get("id");
    const std::string id = id_node == nullptr ? "" : ReadName(*id_node, "id");
    if (fields.members.size() - (id_node != nullptr ? 1 : 0) != 1) {
      Complain(node.where, "standing grant names none or several",
               "one of " + Join(grants));
      return;
    }
    if (const Node* profile = fields.Get("profile")) {
      const std::string name = ReadWord(*profile, ProfileNames(), "profile");
      for (Grant& grant : FindProfile(name)) {
        const std::vector<Where> places(grant.objects.size(), profile->where);
        canon.standing.push_back(
            {id, grant.kind, std::move(grant.objects), places, std::move(grant.except), node.where});
      }
      return;
    }
    for (const Kind kind : kAllKinds) {
      const Node* const objects = fields.Get(KindName(kind));
      if (objects == nullptr) continue;
      Standing standing{id, kind, {}, {}, {}, node.where};
      ReadObjects(*objects, KindName(kind), kind, standing.objects, standing.object_where);
      canon.standing.push_back(std::move(standing));
    }
  }

  void ReadRule(const Node& node, Canon& canon) {
    if (!IsMap(node, "rule")) return;
    const Fields fields =
        ReadFields(node, {"id", "permit", "forbid", "in", "of", "on", "to", "limits", "approvals",
                          "lease", "budget", "rate", "duties", "needs"}, {"id"});
    Rule rule;
    rule.where = node.where;
    if (const Node* id = fields.Get("id")) rule.id = ReadName(*id, "id");
    const Node* const permit = fields.Get("permit");
    const Node* const forbid = fields.Get("forbid");
    if ((permit == nullptr) == (forbid == nullptr)) {
      Complain(node.where, "rule must either permit or forbid", "one of permit, forbid");
      return;
    }
    rule.effect = permit != nullptr ? Effect::kPermit : Effect::kForbid;
    Names kinds;
    for (const Kind kind : kAllKinds) kinds.push_back(KindName(kind));
    const std::string word = ReadWord(permit != nullptr ? *permit : *forbid, kinds, "kind");
    if (word.empty()) return;
    rule.kind = *ParseKind(word);
    const std::string_view selector =
        rule.kind == Kind::kConnect                               ? "to"
        : rule.kind == Kind::kBind                                ? "on"
        : rule.kind == Kind::kWrite || rule.kind == Kind::kRead ? "in"
                                                                  : "of";
    for (const std::string_view other : {"in", "of", "on", "to"})
      if (const Node* wrong = fields.Get(other); wrong != nullptr && other != selector)
        Complain(wrong->where, "'" + std::string(other) + "' is not for " + word,
                 "'" + std::string(selector) + "'");
    if (const Node* objects = fields.Get(selector)) {
      ReadObjects(*objects, selector, rule.kind, rule.objects, rule.object_where);
    } else {
      Complain(node.where, "key '" + std::string(selector) + "' is missing",
               std::string(selector) + ": [ … ]");
    }
    const Node* const limits = fields.Get("limits");
    if (rule.effect == Effect::kForbid && limits != nullptr)
      Complain(limits->where, "limits are for permits", "no limits");
    if (rule.effect == Effect::kPermit) {
      if (limits == nullptr) {
        Complain(node.where, "key 'limits' is missing", "limits: { ttl: \"10m\", uses: 100 }");
      } else if (IsMap(*limits, "limits")) {
        const Fields bounds = ReadFields(*limits, {"ttl", "uses"}, {"ttl", "uses"});
        if (const Node* ttl = bounds.Get("ttl")) rule.limits.ttl_ns = ReadDuration(*ttl);
        if (const Node* uses = bounds.Get("uses"))
          rule.limits.uses = ReadCount(*uses, "uses", 1, kMaxUses);
      }
    }
    for (const char* name : {"approvals", "lease", "budget", "rate", "duties", "needs"})
      if (const Node* term = fields.Get(name); term != nullptr && rule.effect == Effect::kForbid)
        Complain(term->where, std::string(name) + " is for permits", "no " + std::string(name));
    ReadRuleTerms(fields, rule.terms);
    canon.rules.push_back(std::move(rule));
  }

  // Without its comment; CheckTerms complains about what is no key.
  std::string ReadKey(const Node& node) {
    const std::string text = ReadText(node, "key");
    const auto key = ParseOpenSshPublicKey(text);
    return key ? key->OpenSsh() : text;
  }

  // One mapping or a list of them.
  template <class Read>
  void OneOrEach(const Node& node, std::string_view what, const Read& read) {
    if (node.type == Node::Type::kList) ForEach(node, what, read);
    else read(node);
  }

  void ReadRuleTerms(const Fields& fields, RuleTerms& terms) {
    if (const Node* node = fields.Get("approvals"))
      OneOrEach(*node, "approvals", [&](const Node& item) {
        if (!IsMap(item, "approvals")) return;
        const Fields group = ReadFields(item, {"count", "role", "ttl"}, {"count", "role"});
        ApprovalGroup read{1, "", 3600ull * 1'000'000'000};
        if (const Node* count = group.Get("count")) read.count = ReadCount(*count, "count", 1, 100);
        if (const Node* role = group.Get("role")) read.role = ReadName(*role, "role");
        if (const Node* ttl = group.Get("ttl")) read.ttl_ns = ReadDuration(*ttl);
        terms.approvals.push_back(std::move(read));
      });
    if (const Node* node = fields.Get("lease"))
      OneOrEach(*node, "lease", [&](const Node& item) {
        if (!IsMap(item, "lease")) return;
        const Fields lease = ReadFields(item, {"resource", "objects", "mode"}, {});
        const Node* const resource = lease.Get("resource");
        const Node* const objects = lease.Get("objects");
        const Node* const mode = resource != nullptr ? lease.Get("mode") : objects;
        if ((resource == nullptr) == (objects == nullptr) || mode == nullptr ||
            lease.members.size() != (resource != nullptr ? 2 : 1)) {
          Complain(item.where, "lease names none or several",
                   "{ resource: NAME, mode: exclusive } or { objects: exclusive }");
          return;
        }
        Lease read;
        if (resource != nullptr) read.resource = ReadName(*resource, "resource");
        if (ReadWord(*mode, {"shared", "exclusive"}, "mode") == "shared") read.mode = LeaseMode::kShared;
        terms.leases.push_back(std::move(read));
      });
    if (const Node* node = fields.Get("budget")) terms.budget = ReadName(*node, "budget");
    if (const Node* node = fields.Get("rate"); node != nullptr && IsMap(*node, "rate")) {
      const Fields rate = ReadFields(*node, {"uses", "per"}, {"uses", "per"});
      terms.rate = Rate{1, 1};
      if (const Node* uses = rate.Get("uses")) terms.rate->uses = ReadCount(*uses, "uses", 1, kMaxUses);
      if (const Node* per = rate.Get("per")) terms.rate->window_ns = ReadDuration(*per);
    }
    if (const Node* node = fields.Get("duties"); node != nullptr && IsMap(*node, "duties")) {
      const Fields duties = ReadFields(*node, {"apart_from", "window"}, {"apart_from", "window"});
      terms.duties = Duties{};
      if (const Node* others = duties.Get("apart_from"))
        ForEach(*others, "apart_from", [&](const Node& item) {
          terms.duties->apart_from.push_back(ReadName(item, "rule"));
        });
      if (const Node* window = duties.Get("window")) terms.duties->window_ns = ReadDuration(*window);
    }
    if (const Node* node = fields.Get("needs"))
      OneOrEach(*node, "needs", [&](const Node& item) {
        if (!IsMap(item, "needs")) return;
        const Fields need = ReadFields(item, {"field", "by", "is", "min", "max"}, {"field", "by"});
        Need read{"", "", 0, kMaxFigure};
        if (const Node* field = need.Get("field")) read.field = ReadName(*field, "field");
        if (const Node* by = need.Get("by")) read.producer = ReadName(*by, "producer");
        const Node* const is = need.Get("is");
        if (is != nullptr) {
          const std::string word = ReadWord(*is, {"true", "false"}, "is");
          read.min = read.max = word == "true" ? 1 : 0;
        }
        if (const Node* low = need.Get("min")) read.min = ReadCount(*low, "min", 0, kMaxFigure);
        if (const Node* high = need.Get("max")) read.max = ReadCount(*high, "max", 0, kMaxFigure);
        if ((is != nullptr ? 3u : 2u) != need.members.size() && is != nullptr)
          Complain(item.where, "needs says both 'is' and a range", "is, or min and max");
        if (is == nullptr && need.members.size() < 3)
          Complain(item.where, "needs bounds nothing", "is: true, min: N or max: N");
        terms.needs.push_back(std::move(read));
      });
  }

  void ReadDomainTerms(const Fields& fields, DomainTerms& terms) {
    if (const Node* node = fields.Get("optr"); node != nullptr && IsMap(*node, "optr")) {
      const Names keys{"order", "max_risk_ppm", "max_cost", "min_success_ppm"};
      const Fields optr = ReadFields(*node, keys, keys);
      terms.optr = OptrTerms{};
      if (const Node* order = optr.Get("order"))
        ForEach(*order, "order", [&](const Node& item) {
          const std::string word = ReadWord(item, {"risk", "irreversibility", "ttv", "cost"}, "goal");
          if (word.empty()) return;
          const Goal goal = *ParseGoal(word);
          auto& goals = terms.optr->order;
          if (std::find(goals.begin(), goals.end(), goal) != goals.end())
            Complain(item.where, "goal '" + word + "' is given twice", "it once");
          goals.push_back(goal);
        });
      const auto figure = [&](const char* name, std::uint64_t high, std::uint64_t& to) {
        if (const Node* value = optr.Get(name)) to = ReadCount(*value, name, 0, high);
      };
      figure("max_risk_ppm", kMillion, terms.optr->max_risk_ppm);
      figure("max_cost", kMaxFigure, terms.optr->max_cost);
      figure("min_success_ppm", kMillion, terms.optr->min_success_ppm);
    }
    if (const Node* node = fields.Get("estimates"))
      ForEach(*node, "estimates", [&](const Node& item) { ReadEstimate(item, terms); });
    if (const Node* node = fields.Get("budgets"))
      ForEach(*node, "budgets", [&](const Node& item) {
        if (!IsMap(item, "budget")) return;
        const Names keys{"id", "limit", "window"};
        const Fields budget = ReadFields(item, keys, keys);
        Budget read;
        read.where = item.where;
        if (const Node* id = budget.Get("id")) read.id = ReadName(*id, "id");
        if (const Node* limit = budget.Get("limit")) read.limit = ReadCount(*limit, "limit", 0, kMaxFigure);
        if (const Node* window = budget.Get("window")) read.window_ns = ReadDuration(*window);
        terms.budgets.push_back(std::move(read));
      });
    if (const Node* node = fields.Get("blast"); node != nullptr && IsMap(*node, "blast")) {
      const Names keys{"objects", "hosts", "window"};
      const Fields blast = ReadFields(*node, keys, keys);
      terms.blast = Blast{};
      if (const Node* objects = blast.Get("objects"))
        terms.blast->objects = ReadCount(*objects, "objects", 0, kMaxFigure);
      if (const Node* hosts = blast.Get("hosts")) terms.blast->hosts = ReadCount(*hosts, "hosts", 0, kMaxFigure);
      if (const Node* window = blast.Get("window")) terms.blast->window_ns = ReadDuration(*window);
    }
    if (const Node* node = fields.Get("approvers"))
      ForEach(*node, "approvers", [&](const Node& item) {
        if (!IsMap(item, "approver")) return;
        const Fields approver = ReadFields(item, {"person", "roles", "keys", "uids"}, {"person", "roles"});
        Approver read;
        read.where = item.where;
        if (const Node* person = approver.Get("person")) read.person = ReadName(*person, "person");
        if (const Node* roles = approver.Get("roles"))
          ForEach(*roles, "roles", [&](const Node& role) { read.roles.push_back(ReadName(role, "role")); });
        if (const Node* keys = approver.Get("keys"))
          ForEach(*keys, "keys", [&](const Node& key) { read.keys.push_back(ReadKey(key)); });
        if (const Node* uids = approver.Get("uids"))
          ForEach(*uids, "uids", [&](const Node& uid) {
            read.uids.push_back(ReadCount(uid, "uid", 0, 4'294'967'294));
          });
        if (read.keys.empty() && read.uids.empty())
          Complain(item.where, "approver has no way to approve", "keys or uids");
        terms.approvers.push_back(std::move(read));
      });
    if (const Node* node = fields.Get("producers"))
      ForEach(*node, "producers", [&](const Node& item) {
        if (!IsMap(item, "producer")) return;
        const Fields producer = ReadFields(item, {"name", "key"}, {"name", "key"});
        Producer read;
        read.where = item.where;
        if (const Node* name = producer.Get("name")) read.name = ReadName(*name, "name");
        if (const Node* key = producer.Get("key")) read.key = ReadKey(*key);
        terms.producers.push_back(std::move(read));
      });
  }

  void ReadEstimate(const Node& item, DomainTerms& terms) {
    if (!IsMap(item, "estimate")) return;
    const Fields fields = ReadFields(
        item, {"for", "rule", "in", "of", "to", "ttv_us", "cost", "risk_ppm", "irreversibility", "success_ppm"},
        {"for", "ttv_us", "cost", "risk_ppm", "irreversibility", "success_ppm"});
    const Node* const kind = fields.Get("for");
    if (kind == nullptr) return;
    const std::string word = ReadWord(*kind, {"exec", "load", "write", "connect"}, "kind");
    if (word.empty()) return;
    EstimateRow row;
    row.where = item.where;
    row.kind = *ParseKind(word);
    if (const Node* rule = fields.Get("rule")) row.rule = ReadName(*rule, "rule");
    const std::string_view selector = row.kind == Kind::kConnect ? "to"
                                      : row.kind == Kind::kWrite ? "in"
                                                                 : "of";
    std::vector<Where> places;
    for (const std::string_view name : {"in", "of", "to"})
      if (const Node* objects = fields.Get(name)) {
        if (name != selector)
          Complain(objects->where, "'" + std::string(name) + "' is not for " + word,
                   "'" + std::string(selector) + "'");
        else ReadObjects(*objects, selector, row.kind, row.objects, places);
      }
    const auto interval = [&](const char* name, std::uint64_t low, std::uint64_t high, Interval& to) {
      const Node* const node = fields.Get(name);
      if (node == nullptr) return;
      if (node->type == Node::Type::kScalar) {
        to.low = to.high = ReadCount(*node, name, low, high);
        return;
      }
      if (node->type != Node::Type::kList || node->items.size() != 2) {
        Complain(node->where, std::string(name) + " has the wrong type", "a number, or [low, high]");
        return;
      }
      to = {ReadCount(*node->items[0], name, low, high), ReadCount(*node->items[1], name, low, high)};
      if (to.low > to.high) Complain(node->where, std::string(name) + " is empty", "[low, high]");
    };
    interval("ttv_us", 0, kMaxFigure, row.ttv_us);
    interval("cost", 0, kMaxFigure, row.cost);
    interval("risk_ppm", 0, kMillion, row.risk_ppm);
    interval("irreversibility", 0, kMaxFigure, row.irreversibility);
    interval("success_ppm", 1, kMillion, row.success_ppm);
    terms.estimates.push_back(std::move(row));
  }

  const std::string file_;
  std::vector<Diagnostic>& diagnostics_;
};

// Why the bytes cannot be canon at all, or empty.
std::string CheckBytes(std::string_view text, Where& where) {
  where = {1, 1};
  if (text.size() > kMaxCanonBytes)
    return fmt::format("{} bytes, at most {}", text.size(), kMaxCanonBytes);
  if (text.substr(0, 3) == "\xef\xbb\xbf") return "starts with a byte order mark";
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    std::size_t length = 1;
    if (byte == '\n') {
      ++where.line;
      where.column = 0;
    } else if ((byte < 0x20 && byte != '\r' && byte != '\t') || byte == 0x7f) {
      return "control character";
    } else if (byte >= 0x80) {
      length = byte >= 0xf0 && byte <= 0xf4 ? 4 : byte >= 0xe0 && byte < 0xf0 ? 3
               : byte >= 0xc2 && byte < 0xe0 ? 2 : 0;
      if (length == 0 || i + length > text.size()) return "not UTF-8";
      for (std::size_t j = 1; j < length; ++j)
        if ((static_cast<unsigned char>(text[i + j]) & 0xc0) != 0x80) return "not UTF-8";
    }
    ++where.column;
    i += length;
  }
  return "";
}

}  // namespace

Result<std::uint64_t> ParseDuration(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  std::uint64_t scale = 0;
  if (unit == "ms") scale = 1'000'000;
  if (unit == "s") scale = 1'000'000'000;
  if (unit == "m") scale = 60ull * 1'000'000'000;
  if (unit == "h") scale = 3600ull * 1'000'000'000;
  if (error != std::errc() || scale == 0 || value == 0 || value > kMaxTtlNs / scale)
    return Fail(Code::kInvalid, "a number with ms, s, m or h, at most 24h, as in \"30s\"");
  return value * scale;
}

std::string Render(const Diagnostic& diagnostic) {
  std::string out = fmt::format("{}:{}:{}: error: {}", diagnostic.file, diagnostic.where.line,
                                diagnostic.where.column, diagnostic.message);
  if (!diagnostic.expected.empty()) out += " (expected " + diagnostic.expected + ")";
  return out;
}

ParsedCanon ParseCanon(std::string_view text, const std::string& file) {
  ParsedCanon parsed;
  CanonReader reader(file, parsed.diagnostics);
  Where where;
  const std::string unusable = CheckBytes(text, where);
  if (!unusable.empty()) {
    reader.Complain(where, unusable, "UTF-8 text of at most 1 MiB");
    return parsed;
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder([&reader](Where at, std::string message, std::string expected) {
      reader.Complain(at, std::move(message), std::move(expected));
    });
    while (parser.HandleNextDocument(builder)) {
      const std::unique_ptr<Node> root = builder.TakeRoot();
      if (root) parsed.canons.push_back(reader.ReadCanon(*root));
    }
    if (parsed.canons.empty()) reader.Complain({1, 1}, "no canon in the file", "format: 1 …");
    Check(parsed.canons, file, parsed.diagnostics);
  } catch (const Unreadable&) {
    // Noted where it happened.
  } catch (const YAML::Exception& error) {
    reader.Complain({error.mark.line + 1, error.mark.column + 1}, error.msg, "YAML");
  }
  std::stable_sort(parsed.diagnostics.begin(), parsed.diagnostics.end(),
                   [](const Diagnostic& a, const Diagnostic& b) {
                     return std::pair(a.where.line, a.where.column) <
                            std::pair(b.where.line, b.where.column);
                   });
  return parsed;
}

}  // namespace proofgate::policy
