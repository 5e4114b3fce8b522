// Merkle tree over leaf hashes, RFC 6962 section 2.1. Pure.
//
// Nodes are named (level, index): level 0 is a leaf hash, and (l, i) covers the
// leaves [i·2^l, (i+1)·2^l). Only complete nodes are ever asked for or stored.

#ifndef PROOFGATE_LEDGER_MERKLE_H_
#define PROOFGATE_LEDGER_MERKLE_H_

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace proofgate::ledger {

struct NodeId {
  std::uint8_t level = 0;
  std::uint64_t index = 0;
  auto operator<=>(const NodeId&) const = default;
};

struct Node {
  NodeId id;
  Digest hash;
};

using NodeReader = std::function<Result<Digest>(NodeId)>;
using Proof = std::vector<Digest>;

Digest LeafHash(std::string_view leaf);                      // SHA-256(0x00 | leaf)
Digest InnerHash(const Digest& left, const Digest& right);   // SHA-256(0x01 | left | right)
Digest EmptyRoot();                                          // SHA-256("")

// The nodes that appending leaf number `index` completes, the leaf first.
Result<std::vector<Node>> AppendNodes(std::uint64_t index, const Digest& leaf,
                                      const NodeReader& read);

// Root over the first `size` leaves; reads at most 64 nodes.
Result<Digest> Root(std::uint64_t size, const NodeReader& read);

// RFC 6962 2.1.1 and 2.1.2. kInvalid when the sizes do not make sense.
Result<Proof> InclusionProof(std::uint64_t index, std::uint64_t size, const NodeReader& read);
Result<Proof> ConsistencyProof(std::uint64_t old_size, std::uint64_t size,
                               const NodeReader& read);

// RFC 9162 2.1.3.2 and 2.1.4.2. kDenied: the proof does not prove it. A proof
// from size 0 proves nothing and is refused.
Status VerifyInclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf,
                       const Proof& proof, const Digest& root);
Status VerifyConsistency(std::uint64_t old_size, std::uint64_t size, const Proof& proof,
                         const Digest& old_root, const Digest& root);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_MERKLE_H_
