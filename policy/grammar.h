// Grammar: the one table of canon's keys.
//
// The parser reads by it (Validate), `proofgate canon schema` and the tables in
// docs/format/canon.md are written from it. A new key is a row here and a line
// in parse.cc that reads it.

#ifndef PROOFGATE_POLICY_GRAMMAR_H_
#define PROOFGATE_POLICY_GRAMMAR_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "policy/object.h"
#include "policy/yaml.h"

namespace proofgate::policy {

struct Type;

struct Key {
  std::string_view name;
  const Type* type = nullptr;
  std::string_view doc;            // one sentence
  std::string_view example = {};   // as it is written after "name: "
  bool is_required = false;
  std::string_view only_with = {}; // another key that must stand beside it
};

// One of these must be given, and only one; or at least one.
struct Choice {
  std::vector<std::string_view> names;
  std::string_view complaint;
  bool may_be_several = false;
};

struct Type {
  enum class Is {
    kText,      // any, not empty
    kName,      // 1 to 64 letters, digits, '.', '_', '-'
    kWord,      // one of `words`
    kCount,     // a whole number, unquoted, from low to high
    kDuration,  // ParseDuration
    kPath,      // IsCleanPath
    kCidr,      // ParseCidr
    kKey,       // an OpenSSH public key; CheckTerms reads it
    kArgument,  // any text, even empty
    kVariable,  // AddEnvWord
    kContent,   // SetContent
    kInterval,  // a whole number or [low, high]
    kList,      // of `item`, at least one; is_or_one: or one item by itself
    kMap,       // `keys`
    kMapOf,     // names that the author chooses, each with `item`
    kLater,     // the parser validates it, once it knows by what
  } is = Is::kText;
  std::string_view what;  // in messages
  std::vector<std::string_view> words = {};
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  const Type* item = nullptr;
  bool is_or_one = false;
  std::vector<Key> keys = {};
  std::vector<Choice> choices = {};
};

const Type& CanonType();              // one document
const Type& LibraryType();            // one that has sets only
const Type& ObjectsType(Kind kind);   // what stands under in, of, to, on
// The key under which the objects of a kind stand: "in", "of", "to", "on".
std::string_view SelectorOf(Kind kind);
inline constexpr std::array<std::string_view, 4> kSelectors = {"in", "of", "to", "on"};

// Complains about everything in `node` that is not of the type, and marks it.
// `what` names it in messages.
void Validate(yaml::Node& node, const Type& type, std::string_view what, const yaml::Complain& complain);

// JSON Schema (2020-12) of a canon document, for editors.
json::Value GrammarSchema();
// The tables of docs/format/canon.md.
std::string GrammarMarkdown();

// "30s", "10m", "1h", "250ms" in nanoseconds, at most 24 h; kInvalid says what
// was expected.
Result<std::uint64_t> ParseDuration(std::string_view text);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_GRAMMAR_H_
