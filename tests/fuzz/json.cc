// json::Parse accepts canonical bytes only; ParseLenient gives values that
// Pretty writes and ParseLenient reads back, and whose encoding, where there is
// one, Parse reads back.

#include "base/json.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = AsText(data, size);
  const auto strict = json::Parse(text);
  if (strict) {
    Holds(json::IsEncodable(*strict));
    Holds(json::Encode(*strict) == text);
  }
  std::vector<json::Member> members;
  Holds(json::ScanCanonical(text, members).has_value() == strict.has_value());
  if (strict && strict->is_object()) {
    Holds(members.size() == strict->object().size());
    std::size_t at = 0;
    for (const auto& [name, value] : strict->object()) {
      Holds(json::Encode(json::Value(json::Array{name})) == "[\"" + std::string(members[at].name) + "\"]");
      Holds(json::Encode(value) == members[at++].value);
    }
  }
  const auto lenient = json::ParseLenient(text);
  Holds(lenient.has_value() || !strict.has_value());
  if (!lenient) return 0;
  if (strict) Holds(*lenient == *strict);
  const std::string pretty = json::Pretty(*lenient);
  for (const char c : pretty) Holds(c == '\n' || (c >= 0x20 && c <= 0x7e));
  const auto again = json::ParseLenient(pretty);
  Holds(again.has_value() && *again == *lenient);
  if (json::IsEncodable(*lenient)) {
    const std::string bytes = json::Encode(*lenient);
    const auto canonical = json::Parse(bytes);
    Holds(canonical.has_value() && *canonical == *lenient);
  }
  if (lenient->is_object()) {
    for (const auto& [key, member] : lenient->object()) {
      const auto number = json::GetInteger(*lenient, key);
      if (number) Holds(json::Integer(*number) == member);
      const auto bytes = json::GetBytes(*lenient, key);
      if (bytes && !member.is_string()) Holds(json::Bytes(*bytes) == member);
    }
  }
  return 0;
}
