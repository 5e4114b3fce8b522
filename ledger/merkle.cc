#include "ledger/merkle.h"

#include <bit>

namespace proofgate::ledger {
namespace {

// Largest power of two below `size`; size > 1.
std::uint64_t Split(std::uint64_t size) { return std::bit_floor(size - 1); }

// Hash over leaves [low, high), which RFC 6962 always aligns.
Result<Digest> RangeRoot(std::uint64_t low, std::uint64_t high, const NodeReader& read) {
  const std::uint64_t size = high - low;
  if (std::has_single_bit(size)) {
    const int level = std::countr_zero(size);
    return read({static_cast<std::uint8_t>(level), low >> level});
  }
  const std::uint64_t middle = low + Split(size);
  const Digest left = TRY(RangeRoot(low, middle, read));
  const Digest right = TRY(RangeRoot(middle, high, read));
  return InnerHash(left, right);
}

Status Path(std::uint64_t index, std::uint64_t low, std::uint64_t high, const NodeReader& read,
            Proof& proof) {
  if (high - low == 1) return {};
  const std::uint64_t middle = low + Split(high - low);
  if (index < middle) {
    TRY(Path(index, low, middle, read, proof));
    proof.push_back(TRY(RangeRoot(middle, high, read)));
  } else {
    TRY(Path(index, middle, high, read, proof));
    proof.push_back(TRY(RangeRoot(low, middle, read)));
  }
  return {};
}

Status SubProof(std::uint64_t old_size, std::uint64_t low, std::uint64_t high, bool complete,
                const NodeReader& read, Proof& proof) {
  if (old_size == high) {
    if (!complete) proof.push_back(TRY(RangeRoot(low, high, read)));
    return {};
  }
  const std::uint64_t middle = low + Split(high - low);
  if (old_size <= middle) {
    TRY(SubProof(old_size, low, middle, complete, read, proof));
    proof.push_back(TRY(RangeRoot(middle, high, read)));
  } else {
    TRY(SubProof(old_size, middle, high, false, read, proof));
    proof.push_back(TRY(RangeRoot(low, middle, read)));
  }
  return {};
}

tl::unexpected<Error> Unproved(const char* why) {
  return Fail(Code::kDenied, std::string("proof: ") + why);
}

}  // namespace

Digest LeafHash(std::string_view leaf) { return Sha256({std::string_view("\0", 1), leaf}); }

Digest InnerHash(const Digest& left, const Digest& right) {
  return Sha256({"\x01", AsView(left), AsView(right)});
}

Digest EmptyRoot() { return Sha256(""); }

Result<std::vector<Node>> AppendNodes(std::uint64_t index, const Digest& leaf,
                                      const NodeReader& read) {
  std::vector<Node> nodes{{{0, index}, leaf}};
  Digest hash = leaf;
  std::uint8_t level = 0;
  while ((index & 1) != 0) {
    const Digest left = TRY(read({level, index - 1}));
    hash = InnerHash(left, hash);
    index >>= 1;
    ++level;
    nodes.push_back({{level, index}, hash});
  }
  return nodes;
}

Result<Digest> Root(std::uint64_t size, const NodeReader& read) {
  if (size == 0) return EmptyRoot();
  return RangeRoot(0, size, read);
}

Result<Proof> InclusionProof(std::uint64_t index, std::uint64_t size, const NodeReader& read) {
  if (index >= size) return Fail(Code::kInvalid, "proof: no such entry at that size");
  Proof proof;
  TRY(Path(index, 0, size, read, proof));
  return proof;
}

Result<Proof> ConsistencyProof(std::uint64_t old_size, std::uint64_t size,
                               const NodeReader& read) {
  if (old_size == 0 || old_size > size)
    return Fail(Code::kInvalid, "proof: old size must be from 1 to the new size");
  Proof proof;
  TRY(SubProof(old_size, 0, size, true, read, proof));
  return proof;
}

Status VerifyInclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf,
                       const Proof& proof, const Digest& root) {
  if (index >= size) return Unproved("index beyond the size");
  std::uint64_t fn = index;
  std::uint64_t sn = size - 1;
  Digest hash = leaf;
  for (const Digest& node : proof) {
    if (sn == 0) return Unproved("too long");
    if ((fn & 1) != 0 || fn == sn) {
      hash = InnerHash(node, hash);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      hash = InnerHash(hash, node);
    }
    fn >>= 1;
    sn >>= 1;
  }
  if (sn != 0) return Unproved("too short");
  if (hash != root) return Unproved("leads to another root");
  return {};
}

Status VerifyConsistency(std::uint64_t old_size, std::uint64_t size, const Proof& proof,
                         const Digest& old_root, const Digest& root) {
  if (old_size == 0) return Unproved("from size 0 proves nothing");
  if (old_size > size) return Unproved("old size beyond the new one");
  if (old_size == size) {
    if (!proof.empty()) return Unproved("too long");
    if (old_root != root) return Unproved("one size, two roots");
    return {};
  }
  if (proof.empty()) return Unproved("too short");
  std::uint64_t fn = old_size - 1;
  std::uint64_t sn = size - 1;
  while ((fn & 1) != 0) {
    fn >>= 1;
    sn >>= 1;
  }
  auto node = proof.begin();
  Digest old_hash = std::has_single_bit(old_size) ? old_root : *node++;
  Digest hash = old_hash;
  for (; node != proof.end(); ++node) {
    if (sn == 0) return Unproved("too long");
    if ((fn & 1) != 0 || fn == sn) {
      old_hash = InnerHash(*node, old_hash);
      hash = InnerHash(*node, hash);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      hash = InnerHash(hash, *node);
    }
    fn >>= 1;
    sn >>= 1;
  }
  if (sn != 0) return Unproved("too short");
  if (old_hash != old_root) return Unproved("leads to another old root");
  if (hash != root) return Unproved("leads to another root");
  return {};
}

}  // namespace proofgate::ledger
