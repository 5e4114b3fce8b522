#include "policy/fmt.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "policy/diagnostic.h"
#include "policy/parse.h"
#include "policy/yaml.h"

namespace proofgate::policy {
namespace {

using yaml::Node;

constexpr std::size_t kMaxColumns = 120;

struct Comment {
  int line = 0;
  bool is_own_line = false;
  std::string text;  // from '#', without spaces at its end
};

struct Remarks {
  std::vector<Comment> comments;
  std::set<int> blank_lines;
};

// Comments and blank lines: what the tree does not hold.
Remarks FindRemarks(std::string_view text) {
  Remarks remarks;
  char quote = 0;
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) line.remove_suffix(1);
    if (line.empty() && quote == 0) remarks.blank_lines.insert(number);
    char last = 0;  // that is no space
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      const bool after_space = i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t';
      if (quote == '"' && c == '\\') {
        ++i;
      } else if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '#' && after_space) {
        remarks.comments.push_back({number, last == 0, std::string(line.substr(i))});
        break;
      } else if ((c == '"' || c == '\'') &&
                 (last == 0 || last == ',' || last == '[' || last == '{' || (after_space && (last == ':' || last == '-')))) {
        quote = c;
      }
      if (c != ' ' && c != '\t') last = c;
    }
  }
  return remarks;
}

std::string Scalar(const Node& node) {
  if (node.is_plain) return node.text;
  std::string out = "\"";
  for (const char c : node.text) {
    if (c == '"' || c == '\\') out += std::string("\\") + c;
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
    else out += c;
  }
  return out + "\"";
}

std::string Flow(const Node& node) {
  if (node.type == Node::Type::kScalar) return Scalar(node);
  std::string out;
  if (node.type == Node::Type::kList) {
    for (const auto& item : node.items) out += (out.empty() ? "" : ", ") + Flow(*item);
    return "[" + out + "]";
  }
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const std::string value = Flow(*node.items[i + 1]);
    out += (out.empty() ? "" : ", ") + Scalar(*node.items[i]) + (value.empty() ? ":" : ": " + value);
  }
  return out.empty() ? "{}" : "{ " + out + " }";
}

class Writer {
 public:
  explicit Writer(Remarks remarks) : remarks_(std::move(remarks)) {}

  void Document(const Node& root, bool is_first) {
    if (!is_first) out_ += "---\n";
    starts_ = true;
    Block(root, 0);
    if (root.type == Node::Type::kScalar) {
      Before(root.where.line, 0);
      out_ += Scalar(root);
      EndLine(root.where.line);
    }
  }
  std::string Finish() {
    Before(1 << 30, 0);
    return std::move(out_);
  }

 private:
  // Own-line comments above `line`, and the blank line there was.
  void Before(int line, std::size_t indent) {
    while (next_ < remarks_.comments.size() && remarks_.comments[next_].line < line) {
      const Comment& comment = remarks_.comments[next_++];
      Blank(comment.line);
      out_ += std::string(indent, ' ') + comment.text + "\n";
    }
    if (line < (1 << 30)) Blank(line);
  }
  void Blank(int line) {
    if (remarks_.blank_lines.contains(line - 1) && !starts_ && !out_.ends_with("\n\n")) out_ += "\n";
    starts_ = false;
  }
  // The comment that stands on this line as well.
  void EndLine(int line) {
    if (next_ < remarks_.comments.size() && remarks_.comments[next_].line == line &&
        !remarks_.comments[next_].is_own_line)
      out_ += "  " + remarks_.comments[next_++].text;
    out_ += "\n";
  }
  std::size_t Column() const {
    const std::size_t at = out_.rfind('\n');
    return at == std::string::npos ? out_.size() : out_.size() - at - 1;
  }
  bool IsInline(const Node& node) const {
    if (node.type == Node::Type::kScalar || node.items.empty()) return true;
    return node.is_flow && Column() + 1 + Flow(node).size() <= kMaxColumns;
  }

  // After "key:" or "-".
  void Value(const Node& node, int line, std::size_t indent) {
    if (IsInline(node)) {
      const std::string text = Flow(node);
      out_ += text.empty() ? "" : " " + text;
      EndLine(line);
      return;
    }
    EndLine(line);
    Block(node, indent);
  }

  void Block(const Node& node, std::size_t indent) {
    if (node.type == Node::Type::kMap) {
      for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) Pair(node, i, indent, true);
    } else if (node.type == Node::Type::kList) {
      for (const auto& item : node.items) {
        Before(item->where.line, indent);
        out_ += std::string(indent, ' ') + "-";
        if (item->type == Node::Type::kMap && !IsInline(*item)) {
          out_ += " ";
          for (std::size_t i = 0; i + 1 < item->items.size(); i += 2) Pair(*item, i, indent + 2, i != 0);
        } else {
          Value(*item, item->where.line, indent + 2);
        }
      }
    }
  }

  void Pair(const Node& map, std::size_t i, std::size_t indent, bool is_on_new_line) {
    const Node& key = *map.items[i];
    const Node& value = *map.items[i + 1];
    if (is_on_new_line) {
      Before(key.where.line, indent);
      out_ += std::string(indent, ' ');
    }
    out_ += Scalar(key) + ":";
    Value(value, key.where.line, indent + 2);
  }

  Remarks remarks_;
  std::size_t next_ = 0;
  std::string out_;
  bool starts_ = true;
};

bool SameTree(const Node& a, const Node& b) {
  if (a.type != b.type || a.text != b.text || a.is_plain != b.is_plain || a.items.size() != b.items.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i)
    if (!SameTree(*a.items[i], *b.items[i])) return false;
  return true;
}

Result<std::vector<std::unique_ptr<Node>>> Read(std::string_view text) {
  std::string wrong;
  auto documents = yaml::Parse(text, kMaxCanonBytes, [&](Where where, std::string message, std::string, std::string) {
    if (wrong.empty()) wrong = fmt::format("{}:{}: {}", where.line, where.column, message);
  });
  if (!wrong.empty()) return Fail(Code::kInvalid, wrong);
  return documents;
}

std::string Write(const std::vector<std::unique_ptr<Node>>& documents, Remarks remarks) {
  Writer writer(std::move(remarks));
  for (std::size_t i = 0; i < documents.size(); ++i) writer.Document(*documents[i], i == 0);
  return writer.Finish();
}

}  // namespace

Result<std::string> FormatCanon(std::string_view text) {
  const auto documents = TRY(Read(text));
  const Remarks remarks = FindRemarks(text);
  std::string out = Write(documents, remarks);
  // Nothing may be lost: what was written is read back and compared.
  const auto again = Read(out);
  const Remarks kept = FindRemarks(out);
  bool is_same = again && again->size() == documents.size() && kept.comments.size() == remarks.comments.size();
  for (std::size_t i = 0; is_same && i < documents.size(); ++i) is_same = SameTree(*documents[i], *(*again)[i]);
  for (std::size_t i = 0; is_same && i < kept.comments.size(); ++i)
    is_same = kept.comments[i].text == remarks.comments[i].text;
  if (!is_same || Write(*again, kept) != out)
    return Fail(Code::kUnsupported, "this text cannot be laid out without losing something; it is left as it is");
  return out;
}

}  // namespace proofgate::policy
