// Yaml: text to trees, of the strict subset that canon uses.
//
// The only user of yaml-cpp; its exceptions stop here. No anchors, aliases,
// tags and block scalars, at most 16 levels.

#ifndef PROOFGATE_POLICY_YAML_H_
#define PROOFGATE_POLICY_YAML_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policy/terms.h"

namespace proofgate::policy::yaml {

struct Node {
  enum class Type { kScalar, kList, kMap } type = Type::kScalar;
  Where where;
  std::string text;
  bool is_plain = false;  // unquoted
  bool is_flow = false;   // list and map: in brackets
  bool is_wrong = false;  // set by whoever has complained about it
  std::vector<std::unique_ptr<Node>> items;  // list: items; map: key, value, key, value, …

  // The value of a key of a map, if it is there and nothing is wrong with it.
  Node* Get(std::string_view key);
  // The same as text or whole number; "" and 0 where there is none.
  std::string TextOf(std::string_view key);
  std::uint64_t CountOf(std::string_view key);
};

// Each item of a list with which nothing is wrong; what is no list is the item.
template <class Read>
void ForEach(Node* list, const Read& read) {
  if (list == nullptr) return;
  if (list->type != Node::Type::kList) {
    read(*list);
    return;
  }
  for (const auto& item : list->items)
    if (!item->is_wrong) read(*item);
}

using Complain = std::function<void(Where, std::string message, std::string expected, std::string code)>;

// The documents, as far as they could be read. `nodes`: how many there are so far
// of a whole that is read text by text.
std::vector<std::unique_ptr<Node>> Parse(std::string_view text, std::size_t max_bytes,
                                         const Complain& complain, std::size_t* nodes = nullptr);

}  // namespace proofgate::policy::yaml

#endif  // PROOFGATE_POLICY_YAML_H_
