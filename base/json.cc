#include "base/json.h"

#include <cstdlib>
#include <limits>

#include "base/bytes.h"

namespace proofgate::json {
namespace {

constexpr std::int64_t kMaxExact = (std::int64_t{1} << 53) - 1;
constexpr int kMaxDepth = 32;

bool IsPrintableAscii(std::string_view text) {
  for (const char c : text)
    if (c < 0x20 || c > 0x7e) return false;
  return true;
}

// Bytes of the UTF-8 sequence that `text` starts with, as RFC 3629 has it, and
// its code point; 0 when it starts with none.
std::size_t ReadUtf8(std::string_view text, std::uint32_t* point) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(text[at])) : 0u;
  };
  const std::uint32_t first = byte(0);
  *point = first;
  if (first < 0x80) return text.empty() ? 0 : 1;
  const std::size_t length = first >= 0xc2 && first < 0xe0   ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  if (length == 0) return 0;
  *point = first & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    *point = (*point << 6) | (byte(i) & 0x3f);
  }
  const bool is_overlong = (length == 3 && *point < 0x800) || (length == 4 && *point < 0x10000);
  const bool is_surrogate = *point >= 0xd800 && *point < 0xe000;
  return is_overlong || is_surrogate || *point > 0x10ffff ? 0 : length;
}

void EscapeUnit(std::uint32_t unit, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[(unit >> shift) & 15];
}

// For people: code points beyond printable ASCII, and bytes that are not UTF-8,
// as \uXXXX, so that nothing invisible or bidirectional reaches a terminal.
void EscapeString(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    std::uint32_t point = 0;
    std::size_t length = ReadUtf8(text, &point);
    if (length == 0) {
      point = static_cast<unsigned char>(text.front());
      length = 1;
    }
    text.remove_prefix(length);
    if (point >= 0x10000) {
      EscapeUnit(0xd800 + ((point - 0x10000) >> 10), out);
      EscapeUnit(0xdc00 + ((point - 0x10000) & 0x3ff), out);
    } else if (point < 0x20 || point > 0x7e) {
      EscapeUnit(point, out);
    } else {
      if (point == '"' || point == '\\') out += '\\';
      out += static_cast<char>(point);
    }
  }
  out += '"';
}

// Canonical.
void EncodeString(std::string_view text, std::string& out) {
  if (!IsPrintableAscii(text)) std::abort();  // our own bug: wrap it with Bytes()
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void NewLine(int indent, std::string& out) {
  if (indent < 0) return;
  out += '\n';
  out.append(static_cast<std::size_t>(indent) * 2, ' ');
}

void PutString(std::string_view text, int indent, std::string& out) {
  if (indent < 0) EncodeString(text, out);
  else EscapeString(text, out);
}

// `indent` < 0: canonical.
void EncodeTo(const Value& value, int indent, std::string& out) {
  const int inner = indent < 0 ? -1 : indent + 1;
  bool first = true;
  if (value.is_object()) {
    out += '{';
    for (const auto& [key, member] : value.object()) {
      if (!first) out += ',';
      first = false;
      NewLine(inner, out);
      PutString(key, indent, out);
      out += indent < 0 ? ":" : ": ";
      EncodeTo(member, inner, out);
    }
    if (!first) NewLine(indent, out);
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    for (const Value& member : value.array()) {
      if (!first) out += ',';
      first = false;
      NewLine(inner, out);
      EncodeTo(member, inner, out);
    }
    if (!first) NewLine(indent, out);
    out += ']';
  } else if (value.is_string()) {
    PutString(value.string(), indent, out);
  } else if (value.is_integer()) {
    if (value.integer() > kMaxExact || value.integer() < -kMaxExact) std::abort();
    out += std::to_string(value.integer());
  } else {
    out += value.boolean() ? "true" : "false";
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Value> Document() {
    Value value = TRY(Any(0));
    Skip();
    if (at_ != text_.size()) return Wrong("end of text expected");
    return value;
  }

 private:
  tl::unexpected<Error> Wrong(std::string_view what) const {
    return Fail(Code::kInvalid, "json: offset " + std::to_string(at_) + ": " + std::string(what));
  }

  void Skip() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }

  bool Accept(std::string_view token) {
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  Result<Value> Any(int depth) {
    if (depth > kMaxDepth) return Wrong("deeper than 32");
    Skip();
    if (at_ == text_.size()) return Wrong("value expected");
    switch (text_[at_]) {
      case '{': return ObjectAt(depth);
      case '[': return ArrayAt(depth);
      case '"': return Value(TRY(StringAt()));
      case 't':
        if (Accept("true")) return Value(true);
        return Wrong("value expected");
      case 'f':
        if (Accept("false")) return Value(false);
        return Wrong("value expected");
      case 'n': return Wrong("null is not used here; leave the member out");
      default: return IntegerAt();
    }
  }

  Result<Value> ObjectAt(int depth) {
    Object object;
    ++at_;
    Skip();
    if (Accept("}")) return Value(std::move(object));
    for (;;) {
      Skip();
      if (at_ == text_.size() || text_[at_] != '"') return Wrong("member name expected");
      std::string key = TRY(StringAt());
      if (!IsPrintableAscii(key)) return Wrong("member names are printable ASCII");
      Skip();
      if (!Accept(":")) return Wrong("':' expected");
      Value member = TRY(Any(depth + 1));
      if (!object.emplace(std::move(key), std::move(member)).second)
        return Wrong("duplicate member");
      Skip();
      if (Accept("}")) return Value(std::move(object));
      if (!Accept(",")) return Wrong("',' or '}' expected");
    }
  }

  Result<Value> ArrayAt(int depth) {
    Array array;
    ++at_;
    Skip();
    if (Accept("]")) return Value(std::move(array));
    for (;;) {
      array.push_back(TRY(Any(depth + 1)));
      Skip();
      if (Accept("]")) return Value(std::move(array));
      if (!Accept(",")) return Wrong("',' or ']' expected");
    }
  }

  Result<std::uint32_t> Unit() {
    std::uint32_t unit = 0;
    for (int i = 0; i < 4; ++i) {
      if (at_ == text_.size()) return Wrong("four hex digits expected");
      const char c = text_[at_];
      std::uint32_t digit = 0;
      if (c >= '0' && c <= '9') digit = static_cast<std::uint32_t>(c - '0');
      else if (c >= 'a' && c <= 'f') digit = static_cast<std::uint32_t>(c - 'a' + 10);
      else if (c >= 'A' && c <= 'F') digit = static_cast<std::uint32_t>(c - 'A' + 10);
      else return Wrong("four hex digits expected");
      unit = unit * 16 + digit;
      ++at_;
    }
    return unit;
  }

  static void AppendUtf8(std::uint32_t point, std::string& out) {
    if (point < 0x80) {
      out += static_cast<char>(point);
    } else if (point < 0x800) {
      out += static_cast<char>(0xc0 | (point >> 6));
      out += static_cast<char>(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
      out += static_cast<char>(0xe0 | (point >> 12));
      out += static_cast<char>(0x80 | ((point >> 6) & 0x3f));
      out += static_cast<char>(0x80 | (point & 0x3f));
    } else {
      out += static_cast<char>(0xf0 | (point >> 18));
      out += static_cast<char>(0x80 | ((point >> 12) & 0x3f));
      out += static_cast<char>(0x80 | ((point >> 6) & 0x3f));
      out += static_cast<char>(0x80 | (point & 0x3f));
    }
  }

  Result<std::string> StringAt() {
    std::string out;
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return out;
      if (static_cast<unsigned char>(c) < 0x20) return Wrong("control character in a string");
      if (static_cast<unsigned char>(c) >= 0x80) {
        std::uint32_t point = 0;
        const std::size_t length = ReadUtf8(text_.substr(at_ - 1), &point);
        if (length == 0) return Wrong("not UTF-8");
        out += text_.substr(at_ - 1, length);
        at_ += length - 1;
        continue;
      }
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ == text_.size()) break;
      const char escape = text_[at_++];
      switch (escape) {
        case '"': case '\\': case '/': out += escape; break;
        case 'b': out += '\b'; break;
        case 'f': out += '\f'; break;
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 't': out += '\t'; break;
        case 'u': {
          std::uint32_t point = TRY(Unit());
          if (point >= 0xdc00 && point < 0xe000) return Wrong("lone surrogate");
          if (point >= 0xd800 && point < 0xdc00) {
            if (!Accept("\\u")) return Wrong("lone surrogate");
            const std::uint32_t low = TRY(Unit());
            if (low < 0xdc00 || low >= 0xe000) return Wrong("lone surrogate");
            point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
          }
          AppendUtf8(point, out);
          break;
        }
        default: return Wrong("unknown escape");
      }
    }
    return Wrong("string does not end");
  }

  Result<Value> IntegerAt() {
    const bool negative = Accept("-");
    if (at_ == text_.size() || text_[at_] < '0' || text_[at_] > '9')
      return Wrong("value expected");
    const std::size_t start = at_;
    std::int64_t number = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      number = number * 10 + (text_[at_] - '0');
      if (number > kMaxExact) return Wrong("integer beyond 2^53-1 (write it as a string)");
      ++at_;
    }
    if (at_ - start > 1 && text_[start] == '0') return Wrong("leading zero");
    if (negative && number == 0) return Wrong("minus zero");
    if (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == 'e' || text_[at_] == 'E'))
      return Wrong("integers only");
    return Value(negative ? -number : number);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

tl::unexpected<Error> Missing(std::string_view key, std::string_view expected) {
  return Fail(Code::kInvalid,
              "member '" + std::string(key) + "': " + std::string(expected) + " expected");
}

}  // namespace

const Value* Value::Find(std::string_view key) const {
  if (!is_object()) return nullptr;
  const auto at = object().find(key);
  return at == object().end() ? nullptr : &at->second;
}

Value Integer(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(kMaxExact)) return {static_cast<std::int64_t>(value)};
  return {std::to_string(value)};
}

Value Bytes(std::string_view bytes) {
  if (IsPrintableAscii(bytes)) return {bytes};
  return {Object{{"b64", Value(Base64(bytes))}}};
}

Result<std::uint64_t> GetInteger(const Value& object, std::string_view key) {
  const Value* const member = object.Find(key);
  if (member == nullptr) return Missing(key, "an integer");
  if (member->is_integer()) {
    if (member->integer() < 0) return Missing(key, "an integer from 0");
    return static_cast<std::uint64_t>(member->integer());
  }
  if (!member->is_string() || member->string().empty() || member->string().size() > 20)
    return Missing(key, "an integer");
  std::uint64_t number = 0;
  for (const char c : member->string()) {
    if (c < '0' || c > '9') return Missing(key, "an integer");
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (number > (std::numeric_limits<std::uint64_t>::max() - digit) / 10)
      return Missing(key, "an integer below 2^64");
    number = number * 10 + digit;
  }
  if (Integer(number) != *member) return Missing(key, "an integer in its one form");
  return number;
}

Result<std::string> GetString(const Value& object, std::string_view key) {
  const Value* const member = object.Find(key);
  if (member == nullptr || !member->is_string()) return Missing(key, "a string");
  return member->string();
}

Result<std::string> GetBytes(const Value& object, std::string_view key) {
  const Value* const member = object.Find(key);
  if (member == nullptr) return Missing(key, "a string or {\"b64\": …}");
  if (member->is_string()) return member->string();
  const Value* const encoded = member->Find("b64");
  if (encoded == nullptr || !encoded->is_string() || member->object().size() != 1)
    return Missing(key, "a string or {\"b64\": …}");
  std::string bytes = TRY(ParseBase64(encoded->string()));
  if (Bytes(bytes) != *member) return Missing(key, "its one form");
  return bytes;
}

bool IsEncodable(const Value& value) {
  if (value.is_string()) return IsPrintableAscii(value.string());
  if (value.is_integer()) return value.integer() <= kMaxExact && value.integer() >= -kMaxExact;
  if (value.is_array()) {
    for (const Value& member : value.array())
      if (!IsEncodable(member)) return false;
  }
  if (value.is_object()) {
    for (const auto& [key, member] : value.object())
      if (!IsPrintableAscii(key) || !IsEncodable(member)) return false;
  }
  return true;
}

std::string Encode(const Value& value) {
  std::string out;
  EncodeTo(value, -1, out);
  return out;
}

Result<Value> Parse(std::string_view bytes) {
  Value value = TRY(Parser(bytes).Document());
  if (!IsEncodable(value) || Encode(value) != bytes)
    return Fail(Code::kInvalid, "json: not in canonical form");
  return value;
}

Result<Value> ParseLenient(std::string_view text) { return Parser(text).Document(); }

std::string Pretty(const Value& value) {
  std::string out;
  EncodeTo(value, 0, out);
  out += '\n';
  return out;
}

}  // namespace proofgate::json
