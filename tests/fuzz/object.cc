// ParseCidr, ParseObjectJson and the relations between the objects they give.

#include "policy/object.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;
using namespace proofgate::policy;

namespace {

void CheckObject(const Object& object) {
  Holds(Contains(object, object));
  Holds(Overlaps(object, object));
  const auto again = ParseObjectJson(ObjectJson(object));
  Holds(again.has_value() && *again == object);
  for (const char c : Describe(object)) Holds(c >= 0x20 && c <= 0x7e);
}

void CheckPair(const Object& a, const Object& b) {
  Holds(Overlaps(a, b) == Overlaps(b, a));
  if (Contains(a, b)) Holds(Overlaps(a, b));
  if (Contains(a, b) && Contains(b, a)) Holds(a == b);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = AsText(data, size);
  if (const auto net = ParseCidr(text)) {
    const auto again = ParseCidr(FormatCidr(*net));
    Holds(again.has_value() && *again == *net);
    // Nothing is ignored: only an address and a length may be written.
    for (const char c : text)
      Holds((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' ||
            c == ':' || c == '/');
  }
  const auto value = json::ParseLenient(text);
  if (!value) return 0;
  if (const auto object = ParseObjectJson(*value)) {
    Holds(ObjectJson(*object) == *value);
    CheckObject(*object);
  }
  if (!value->is_array()) return 0;
  std::vector<Object> objects;
  for (const json::Value& item : value->array()) {
    const auto object = ParseObjectJson(item);
    if (object && objects.size() < 8) objects.push_back(*object);
  }
  for (const Object& a : objects) {
    CheckObject(a);
    for (const Object& b : objects) {
      CheckPair(a, b);
      for (const Object& c : objects)
        if (Contains(a, b) && Contains(b, c)) Holds(Contains(a, c));
    }
  }
  return 0;
}
