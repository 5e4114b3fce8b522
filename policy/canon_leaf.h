// CanonLeaf: how a canon's model stands in ledger entries, and how it is read
// back. Format: docs/format/ledger.md, "CANON".
//
// A model that fits is in its CANON entry. A larger one is its canonical text in
// CANON_PART entries directly after, in the same batch, so that an export holds
// all of it and its digest, in the CANON entry, says that it is whole. Pure.

#ifndef PROOFGATE_POLICY_CANON_LEAF_H_
#define PROOFGATE_POLICY_CANON_LEAF_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "policy/canon.h"

namespace proofgate::policy {

// Canonical text is printable ASCII, of which an entry may have to escape every
// byte: twice this is below the 60,000 bytes of a leaf, with its frame.
inline constexpr std::size_t kMaxCanonPart = 28'000;
inline constexpr std::uint64_t kMaxCanonParts = 1024;

struct CanonLeaves {
  json::Object body;                // CANON: domain, tenant, digest, and canon or parts
  std::vector<json::Object> parts;  // CANON_PART, in order
};
CanonLeaves WriteCanonLeaves(const Canon& canon);

// One model, taken entry by entry.
class CanonReader {
 public:
  // From the body of a CANON entry. kInvalid: it has neither a model nor parts
  // (HasModel tells that beforehand), or their number is out of bounds.
  static Result<CanonReader> Begin(const json::Value& body);
  // false for the CANON entry of a domain that was removed.
  static bool HasModel(const json::Value& body);

  const std::string& domain() const { return domain_; }
  const std::string& digest() const { return digest_; }
  bool needs_more() const { return taken_ < parts_; }
  // The body of the next CANON_PART entry. kInvalid: not the next of this canon.
  Status Take(const json::Value& part);
  // When nothing more is needed. `model_digest` is recomputed, for whoever
  // compares; kInvalid: the text is no model.
  struct Model {
    Canon canon;
    std::string digest;
  };
  Result<Model> Finish() const;

 private:
  std::string domain_;
  std::string digest_;
  std::string text_;
  std::uint64_t parts_ = 0;
  std::uint64_t taken_ = 0;
};

// The canon of the CANON entry `index`, by reading entries' bodies; nothing where
// it has no model. kInvalid when it is not what its digest says.
using ReadBody = std::function<Result<json::Value>(std::uint64_t index)>;
Result<std::optional<Canon>> ReadCanonAt(std::uint64_t index, const ReadBody& read_body);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_CANON_LEAF_H_
