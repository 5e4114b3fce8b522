// Canonical JSON: the one encoding that is hashed and signed.
//
// Objects have ASCII keys sorted bytewise; strings are printable ASCII (bytes
// that are not become {"b64":"…"} through Bytes()); integers only, those beyond
// ±(2^53−1) as decimal strings through Integer(); no floats, no null.
// Parse refuses duplicates, depth > 32, trailing bytes and anything whose
// re-encoding differs from the input. See docs/format/ledger.md. Values are
// plain; use from any thread without sharing.

#ifndef PROOFGATE_BASE_JSON_H_
#define PROOFGATE_BASE_JSON_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace proofgate::json {

class Value;
using Array = std::vector<Value>;
using Object = std::map<std::string, Value, std::less<>>;

class Value {
 public:
  Value() : data_(Object{}) {}
  Value(bool value) : data_(value) {}                    // NOLINT: a literal is a value
  Value(std::int64_t value) : data_(value) {}            // NOLINT
  Value(int value) : data_(std::int64_t{value}) {}       // NOLINT
  Value(const char* value) : data_(std::string(value)) {}  // NOLINT
  Value(std::string_view value) : data_(std::string(value)) {}  // NOLINT
  Value(std::string value) : data_(std::move(value)) {}  // NOLINT
  Value(Array value) : data_(std::move(value)) {}        // NOLINT
  Value(Object value) : data_(std::move(value)) {}       // NOLINT

  bool is_object() const { return std::holds_alternative<Object>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }

  // Each asserts the type; check first, or use the Get functions below.
  const Object& object() const { return std::get<Object>(data_); }
  Object& object() { return std::get<Object>(data_); }
  const Array& array() const { return std::get<Array>(data_); }
  Array& array() { return std::get<Array>(data_); }
  const std::string& string() const { return std::get<std::string>(data_); }
  std::int64_t integer() const { return std::get<std::int64_t>(data_); }
  bool boolean() const { return std::get<bool>(data_); }

  // The member, or nullptr when this is no object or has no such key.
  const Value* Find(std::string_view key) const;

  bool operator==(const Value&) const = default;

 private:
  std::variant<bool, std::int64_t, std::string, Array, Object> data_;
};

// A 64-bit count: an integer inside ±(2^53−1), else a decimal string.
Value Integer(std::uint64_t value);
// Text that may hold any byte: a string if printable ASCII, else {"b64":"…"}.
Value Bytes(std::string_view bytes);

// kInvalid, naming the key, when the member is missing or of another type.
Result<std::uint64_t> GetInteger(const Value& object, std::string_view key);
Result<std::string> GetString(const Value& object, std::string_view key);
Result<std::string> GetBytes(const Value& object, std::string_view key);

// The canonical bytes. Strings that are not printable ASCII, keys that are not,
// and integers beyond ±(2^53−1) are a programming error and abort: wrap such
// text with Bytes(), such counts with Integer().
std::string Encode(const Value& value);

// May Encode be called? Always for what Parse returned; not always for what
// ParseLenient returned: take its strings out with GetBytes and wrap them anew.
bool IsEncodable(const Value& value);

// Canonical bytes only (stored and signed data). kInvalid says at which offset
// and why.
Result<Value> Parse(std::string_view bytes);

// Accepts what Parse accepts and builds nothing but the list of an object's own
// members, as they stand in `bytes` (names between their quotes, values raw).
struct Member {
  std::string_view name;
  std::string_view value;
};
Status ScanCanonical(std::string_view bytes, std::vector<Member>& members);

// Any RFC 8259 text without floats and nulls in input that people or other
// programs write (control messages): white space, any key order and \u escapes
// are accepted; duplicates, depth > 32, trailing bytes, keys that are not
// printable ASCII and bytes that are not UTF-8 are not. Strings of the result
// are UTF-8 with any character in them: see IsEncodable.
Result<Value> ParseLenient(std::string_view text);

// For people: two-space indent, same content; never aborts on a string. What is
// not printable ASCII is written \uXXXX, so ParseLenient reads back what it
// returned. A byte that is not UTF-8 is written \u00XX.
std::string Pretty(const Value& value);

}  // namespace proofgate::json

#endif  // PROOFGATE_BASE_JSON_H_
