// The check of canonical JSON that builds nothing: what verifying a ledger
// spends its time on.

#include <cstdint>
#include <string>

#include "base/json.h"

namespace proofgate::json {
namespace {

constexpr std::uint64_t kMaxExact = (std::uint64_t{1} << 53) - 1;
constexpr int kMaxDepth = 32;

std::string Unescape(std::string_view raw) {
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\\') ++i;
    out += raw[i];
  }
  return out;
}

// Are the member names `a`, `b`, as they stand between their quotes, in order?
bool Ordered(std::string_view a, std::string_view b) {
  if (a.find('\\') == std::string_view::npos && b.find('\\') == std::string_view::npos) return a < b;
  return Unescape(a) < Unescape(b);
}

class Scan {
 public:
  Scan(std::string_view text, std::vector<Member>& members) : text_(text), members_(members) {}

  Status Document() {
    if (!Value(0)) return Fail(Code::kInvalid, "json: offset " + std::to_string(at_) + ": not canonical");
    if (at_ != text_.size()) return Fail(Code::kInvalid, "json: offset " + std::to_string(at_) + ": end of text expected");
    return {};
  }

 private:
  bool Accept(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool Accept(std::string_view token) {
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  bool Value(int depth) {
    if (depth > kMaxDepth || at_ == text_.size()) return false;
    switch (text_[at_]) {
      case '{': return Object(depth);
      case '[': return Array(depth);
      case '"': return String();
      case 't': return Accept("true");
      case 'f': return Accept("false");
      default: return Integer();
    }
  }

  bool Object(int depth) {
    ++at_;
    if (Accept('}')) return true;
    std::string_view before;
    for (bool first = true;; first = false) {
      const std::size_t name_at = at_ + 1;
      if (at_ == text_.size() || text_[at_] != '"' || !String()) return false;
      const std::string_view name = text_.substr(name_at, at_ - 1 - name_at);
      if (!first && !Ordered(before, name)) return false;
      before = name;
      if (!Accept(':')) return false;
      const std::size_t value_at = at_;
      if (!Value(depth + 1)) return false;
      if (depth == 0) members_.push_back({name, text_.substr(value_at, at_ - value_at)});
      if (Accept('}')) return true;
      if (!Accept(',')) return false;
    }
  }

  bool Array(int depth) {
    ++at_;
    if (Accept(']')) return true;
    for (;;) {
      if (!Value(depth + 1)) return false;
      if (Accept(']')) return true;
      if (!Accept(',')) return false;
    }
  }

  bool String() {
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c < 0x20 || c > 0x7e) return false;
      ++at_;
      if (c == '"') return true;
      if (c != '\\') continue;
      if (at_ == text_.size() || (text_[at_] != '"' && text_[at_] != '\\')) return false;
      ++at_;
    }
    return false;
  }

  bool Integer() {
    const bool negative = Accept('-');
    const std::size_t start = at_;
    std::uint64_t number = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      number = number * 10 + static_cast<std::uint64_t>(text_[at_] - '0');
      if (number > kMaxExact) return false;
      ++at_;
    }
    if (at_ == start || (at_ - start > 1 && text_[start] == '0')) return false;
    return !(negative && number == 0);
  }

  const std::string_view text_;
  std::vector<Member>& members_;
  std::size_t at_ = 0;
};

}  // namespace

Status ScanCanonical(std::string_view bytes, std::vector<Member>& members) {
  members.clear();
  return Scan(bytes, members).Document();
}

}  // namespace proofgate::json
