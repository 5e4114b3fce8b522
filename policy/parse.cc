#include "policy/parse.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <sstream>

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
        root, {"format", "tenant", "domain", "attach", "mode", "standing", "rules"},
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
    Names known;
    if (kind == Kind::kConnect) known = {"cidr", "port", "proto", "unix"};
    else if (kind == Kind::kExec) known = {"file", "dir", "depth"};
    else known = {"file", "dir", "depth", "class"};
    const Fields fields = ReadFields(node, known, {});
    const Node* const file = fields.Get("file");
    const Node* const dir = fields.Get("dir");
    const Node* const io_class = fields.Get("class");
    const Node* const cidr = fields.Get("cidr");
    const Node* const unix_path = fields.Get("unix");
    const int named = (file != nullptr) + (dir != nullptr) + (io_class != nullptr) +
                      (cidr != nullptr) + (unix_path != nullptr);
    if (named != 1) {
      Complain(node.where, "object names none or several",
               kind == Kind::kConnect ? "one of cidr, unix"
               : kind == Kind::kExec  ? "one of file, dir"
                                      : "one of file, dir, class");
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
    } else {
      object.form = Form::kClass;
      const Names words = kind == Kind::kLoad ? Names{"anonymous_exec"}
                                              : Names{"pipe", "tty", "devnull", "anon"};
      const auto one = [&](const Node& item) {
        const std::string word = ReadWord(item, words, "class");
        if (word.empty()) return;
        object.io_class = *ParseIoClass(word);
        add(object);
      };
      if (io_class->type == Node::Type::kList) ForEach(*io_class, "class", one);
      else one(*io_class);
    }
  }

  void ReadObjects(const Node& node, std::string_view what, Kind kind,
                   std::vector<Object>& objects, std::vector<Where>& places) {
    ForEach(node, what, [&](const Node& item) { ReadObject(item, kind, objects, places); });
  }

  void ReadStanding(const Node& node, Canon& canon) {
    if (!IsMap(node, "standing grant")) return;
    const Fields fields =
        ReadFields(node, {"id", "profile", "exec", "load", "write", "connect"}, {"id"});
    const Node* const id_node = fields.Get("id");
    const std::string id = id_node == nullptr ? "" : ReadName(*id_node, "id");
    if (fields.members.size() - (id_node != nullptr ? 1 : 0) != 1) {
      Complain(node.where, "standing grant names none or several",
               "one of profile, exec, load, write, connect");
      return;
    }
    if (const Node* profile = fields.Get("profile")) {
      const std::string name = ReadWord(*profile, {"base"}, "profile");
      for (Grant& grant : FindProfile(name)) {
        const std::vector<Where> places(grant.objects.size(), profile->where);
        canon.standing.push_back(
            {id, grant.kind, std::move(grant.objects), places, std::move(grant.except), node.where});
      }
      return;
    }
    for (const Kind kind : {Kind::kExec, Kind::kLoad, Kind::kWrite, Kind::kConnect}) {
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
        ReadFields(node, {"id", "permit", "forbid", "in", "of", "to", "limits"}, {"id"});
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
    const std::string word = ReadWord(permit != nullptr ? *permit : *forbid,
                                      {"exec", "load", "write", "connect"}, "kind");
    if (word.empty()) return;
    rule.kind = *ParseKind(word);
    const std::string_view selector = rule.kind == Kind::kConnect ? "to"
                                      : rule.kind == Kind::kWrite ? "in"
                                                                  : "of";
    for (const std::string_view other : {"in", "of", "to"})
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
    canon.rules.push_back(std::move(rule));
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
