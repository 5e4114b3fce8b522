#include "ledger/merkle.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

namespace proofgate::ledger {
namespace {

// RFC 6962 2.1, straight from the definition.
Digest NaiveRoot(const std::vector<Digest>& leaves, std::size_t low, std::size_t high) {
  if (low == high) return EmptyRoot();
  if (high - low == 1) return leaves[low];
  std::size_t split = 1;
  while (split * 2 < high - low) split *= 2;
  return InnerHash(NaiveRoot(leaves, low, low + split), NaiveRoot(leaves, low + split, high));
}

class MerkleTest : public ::testing::Test {
 protected:
  void Grow(std::uint64_t size) {
    while (leaves_.size() < size) {
      leaves_.push_back(LeafHash("leaf " + std::to_string(leaves_.size())));
      const auto completed = AppendNodes(leaves_.size() - 1, leaves_.back(), read_);
      for (const Node& node : *completed) nodes_[node.id] = node.hash;
    }
  }
  std::vector<Digest> leaves_;
  std::map<NodeId, Digest> nodes_;
  const NodeReader read_ = [this](NodeId id) -> Result<Digest> { return nodes_.at(id); };
};

TEST_F(MerkleTest, RootsAreTheDefinitionsAtEverySize) {
  for (std::uint64_t size = 0; size <= 70; ++size) {
    Grow(size);
    EXPECT_EQ(*Root(size, read_), NaiveRoot(leaves_, 0, size)) << size;
  }
}

TEST_F(MerkleTest, EveryEntryIsProvedAtEverySizeAndNoOther) {
  Grow(40);
  for (std::uint64_t size = 1; size <= 40; ++size) {
    const Digest root = *Root(size, read_);
    for (std::uint64_t index = 0; index < size; ++index) {
      const Proof proof = *InclusionProof(index, size, read_);
      EXPECT_TRUE(VerifyInclusion(index, size, leaves_[index], proof, root));
      EXPECT_FALSE(VerifyInclusion(index, size, leaves_[(index + 1) % 40], proof, root));
      if (size > 1) {
        EXPECT_FALSE(VerifyInclusion((index + 1) % size, size, leaves_[index], proof, root));
      }
    }
  }
}

TEST_F(MerkleTest, EverySizeIsProvedToExtendEveryOther) {
  Grow(40);
  for (std::uint64_t size = 1; size <= 40; ++size)
    for (std::uint64_t old_size = 1; old_size <= size; ++old_size) {
      const Proof proof = *ConsistencyProof(old_size, size, read_);
      EXPECT_TRUE(VerifyConsistency(old_size, size, proof, *Root(old_size, read_), *Root(size, read_)));
      EXPECT_FALSE(VerifyConsistency(old_size, size, proof, leaves_[0], leaves_[1]));
    }
  EXPECT_FALSE(ConsistencyProof(0, 4, read_));
  EXPECT_FALSE(ConsistencyProof(5, 4, read_));
  EXPECT_FALSE(InclusionProof(4, 4, read_));
}

Digest FromBase64(const nlohmann::json& value) {
  Digest digest{};
  const std::string bytes = *ParseBase64(value.is_null() ? "" : value.get<std::string>());
  // Some vectors use short stand-ins for hashes; equal stays equal.
  if (bytes.empty()) throw std::length_error("no hash");
  if (bytes.size() != digest.size()) return Sha256(bytes);
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

template <class Check>
int ForEachVector(const std::string& folder, const Check& check) {
  int cases = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path());
    const auto vector = nlohmann::json::parse(file);
    bool verified = false;
    try {
      Proof proof;
      if (vector["proof"].is_array())
        for (const auto& node : vector["proof"]) proof.push_back(FromBase64(node));
      verified = check(vector, proof);
    } catch (const std::length_error&) {
      // An absent hash cannot even be written down here.
    }
    EXPECT_EQ(verified, !vector["wantErr"].get<bool>()) << entry.path();
    ++cases;
  }
  return cases;
}

TEST(MerkleVectors, InclusionAgrees) {
  const std::string folder = std::string(SHARED_VECTORS) + "/merkle/inclusion";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there";
  EXPECT_EQ(ForEachVector(folder, [](const nlohmann::json& v, const Proof& proof) {
              return VerifyInclusion(v["leafIdx"].get<std::uint64_t>(),
                                     v["treeSize"].get<std::uint64_t>(), FromBase64(v["leafHash"]),
                                     proof, FromBase64(v["root"]))
                  .has_value();
            }),
            98);
}

TEST(MerkleVectors, ConsistencyAgrees) {
  const std::string folder = std::string(SHARED_VECTORS) + "/merkle/consistency";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there";
  EXPECT_EQ(ForEachVector(folder, [](const nlohmann::json& v, const Proof& proof) {
              return VerifyConsistency(v["size1"].get<std::uint64_t>(),
                                       v["size2"].get<std::uint64_t>(), proof,
                                       FromBase64(v["root1"]), FromBase64(v["root2"]))
                  .has_value();
            }),
            98);
}

}  // namespace
}  // namespace proofgate::ledger
