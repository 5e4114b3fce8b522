#include "policy/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <sstream>

namespace proofgate::policy::yaml {
namespace {

constexpr std::size_t kMaxDepth = 16;
// A canon of the highest cost (parse.h) has fewer.
constexpr std::size_t kMaxNodes = 800'000;

// Thrown after a complaint: what follows cannot be read.
struct Unreadable {};

// Collects documents as trees and complains about what the subset leaves out.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, const Complain& complain, std::size_t& nodes) : complain_(complain), nodes_(nodes) {
    for (std::size_t at = 0; at != std::string_view::npos;) {
      lines_.push_back(text.substr(at));
      at = text.find('\n', at);
      if (at != std::string_view::npos) ++at;
    }
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp takes a stray token (a line that starts with ',') for an empty
    // document and does not step over it, so it would give them for ever.
    if (mark.pos == last_start_) {
      complain_(Place(mark), "text that belongs to no mapping", "key: value", "yaml");
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
    complain_(Place(mark), "aliases are not used in canon", "the value itself", "yaml-subset");
    Add(mark, Node::Type::kScalar);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    NoAnchor(mark, anchor);
    NoTag(mark, tag);
    Node* const node = Add(mark, Node::Type::kScalar);
    node->text = value;
    node->is_plain = tag == "?";
    const char first = CharAt(mark);
    if (first == '|' || first == '>')
      complain_(node->where, "block text is not used in canon", "text in quotes, on one line", "yaml-subset");
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Open(mark, tag, anchor, Node::Type::kList, style);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Open(mark, tag, anchor, Node::Type::kMap, style);
  }
  void OnMapEnd() override { open_.pop_back(); }

  std::unique_ptr<Node> TakeRoot() { return std::move(root_); }

 private:
  static Where Place(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }
  char CharAt(const YAML::Mark& mark) const {
    const auto line = static_cast<std::size_t>(mark.line);
    const auto column = static_cast<std::size_t>(mark.column);
    if (line >= lines_.size() || column >= lines_[line].size()) return '\0';
    return lines_[line][column];
  }
  void NoAnchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0)
      complain_(Place(mark), "anchors are not used in canon", "no '&name'", "yaml-subset");
  }
  void NoTag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      complain_(Place(mark), "tags are not used in canon", "no '!name'", "yaml-subset");
  }
  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Type type,
            YAML::EmitterStyle::value style) {
    if (open_.size() >= kMaxDepth) {
      complain_(Place(mark), "nested too deeply", fmt::format("at most {} levels", kMaxDepth),
                "too-deep");
      throw Unreadable();
    }
    NoAnchor(mark, anchor);
    NoTag(mark, tag);
    Node* const node = Add(mark, type);
    node->is_flow = style == YAML::EmitterStyle::Flow;
    open_.push_back(node);
  }
  Node* Add(const YAML::Mark& mark, Node::Type type) {
    if (++nodes_ > kMaxNodes) {
      complain_(Place(mark), fmt::format("more than {} values", kMaxNodes), "fewer", "cost");
      throw Unreadable();
    }
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

  const Complain& complain_;
  std::vector<std::string_view> lines_;  // each to the end of the text
  std::unique_ptr<Node> root_;
  std::vector<Node*> open_;
  std::size_t& nodes_;
  int last_start_ = -1;  // of a document, in characters
};

// Characters that show nothing or turn the text round: what is read is not what
// is seen.
bool IsDeceptive(std::uint32_t point) {
  return (point >= 0x80 && point < 0xa0) || point == 0xad || point == 0x61c || point == 0x180e ||
         (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
         (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
         (point >= 0xfe00 && point <= 0xfe0f) || (point >= 0xe0000 && point <= 0xe0fff);
}

// Why the bytes cannot be canon at all, or empty.
std::string CheckBytes(std::string_view text, std::size_t max_bytes, Where& where) {
  where = {1, 1};
  if (text.size() > max_bytes) return fmt::format("{} bytes, at most {}", text.size(), max_bytes);
  if (text.substr(0, 3) == "\xef\xbb\xbf") return "starts with a byte order mark";
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    std::size_t length = 1;
    if (byte == '\n') {
      ++where.line;
      where.column = 0;
    } else if (byte == '\r') {
      if (i + 1 >= text.size() || text[i + 1] != '\n') return "a carriage return that ends no line";
    } else if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
      return "control character";
    } else if (byte >= 0x80) {
      length = byte >= 0xf0 && byte <= 0xf4 ? 4 : byte >= 0xe0 && byte < 0xf0 ? 3
               : byte >= 0xc2 && byte < 0xe0 ? 2 : 0;
      if (length == 0 || i + length > text.size()) return "not UTF-8";
      std::uint32_t point = byte & (0xffu >> (length + 1));
      for (std::size_t j = 1; j < length; ++j) {
        const auto next = static_cast<unsigned char>(text[i + j]);
        if ((next & 0xc0) != 0x80) return "not UTF-8";
        point = (point << 6) | (next & 0x3fu);
      }
      constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
      if (point < kLeast[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return "not UTF-8";
      if (IsDeceptive(point))
        return fmt::format("character U+{:04X}, which cannot be seen or turns the text round", point);
    }
    where.column += static_cast<int>(length);
    i += length;
  }
  return "";
}

}  // namespace

Node* Node::Get(std::string_view key) {
  if (type != Type::kMap) return nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2)
    if (items[i]->text == key && items[i]->type == Type::kScalar && !items[i]->is_wrong)
      return items[i + 1]->is_wrong ? nullptr : items[i + 1].get();
  return nullptr;
}

std::string Node::TextOf(std::string_view key) {
  const Node* const node = Get(key);
  return node != nullptr && node->type == Type::kScalar ? node->text : "";
}

std::uint64_t Node::CountOf(std::string_view key) {
  const std::string found = TextOf(key);
  std::uint64_t value = 0;
  std::from_chars(found.data(), found.data() + found.size(), value);
  return value;
}

std::vector<std::unique_ptr<Node>> Parse(std::string_view text, std::size_t max_bytes,
                                         const Complain& complain, std::size_t* nodes) {
  std::vector<std::unique_ptr<Node>> documents;
  std::size_t own_nodes = 0;
  Where where;
  const std::string unusable = CheckBytes(text, max_bytes, where);
  if (!unusable.empty()) {
    complain(where, unusable, fmt::format("UTF-8 text of at most {} MiB", max_bytes >> 20), "bytes");
    return documents;
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder(text, complain, nodes == nullptr ? own_nodes : *nodes);
    while (parser.HandleNextDocument(builder)) {
      std::unique_ptr<Node> root = builder.TakeRoot();
      if (root) documents.push_back(std::move(root));
    }
  } catch (const Unreadable&) {
    // Noted where it happened.
  } catch (const YAML::Exception& error) {
    complain({error.mark.line + 1, error.mark.column + 1}, error.msg, "YAML", "yaml");
  }
  return documents;
}

}  // namespace proofgate::policy::yaml
