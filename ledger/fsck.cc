#include "ledger/fsck.h"

#include <map>

#include "base/json.h"
#include "ledger/checkpoint.h"

namespace proofgate::ledger {
namespace {

constexpr std::size_t kMaxFindings = 100;

std::string CheckLeaf(const std::string& leaf, std::uint64_t index) {
  const auto value = json::Parse(leaf);
  if (!value) return value.error().message;
  const auto stated = json::GetInteger(*value, "index");
  if (!stated) return stated.error().message;
  if (*stated != index) return "says that it is entry " + std::to_string(*stated);
  if (!json::GetString(*value, "kind")) return "has no kind";
  return "";
}

}  // namespace

Result<FsckReport> Verify(const Store& store, const PublicKey& key, std::string_view origin,
                          std::string_view anchor, const Progress& progress) {
  FsckReport report;
  const auto find = [&report](std::string what) {
    if (report.findings.size() < kMaxFindings) report.findings.push_back(std::move(what));
  };
  const Head head = TRY(store.ReadHead());
  const auto anchored = VerifyCheckpoint(key, origin, anchor);
  if (!anchored) find("anchor: " + anchored.error().message);

  // The last complete node of each level is all that later ones need.
  std::map<NodeId, Digest> edge;
  const NodeReader read = [&edge](NodeId id) -> Result<Digest> {
    const auto at = edge.find(id);
    if (at == edge.end()) return Fail(Code::kCorrupt, "fsck: node not derived");
    return at->second;
  };
  bool anchor_seen = anchored && anchored->size == 0 && anchored->root == EmptyRoot();
  for (std::uint64_t index = 0; index < head.size; ++index) {
    const std::string where = "entry " + std::to_string(index) + ": ";
    const auto leaf = store.ReadEntry(index);
    if (!leaf) {
      find(where + leaf.error().message);
      break;
    }
    const std::string wrong = CheckLeaf(*leaf, index);
    if (!wrong.empty()) find(where + wrong);
    const std::vector<Node> nodes = TRY(AppendNodes(index, LeafHash(*leaf), read));
    for (const Node& node : nodes) {
      const auto stored = store.ReadNode(node.id);
      if (!stored) {
        find(where + stored.error().message);
      } else if (*stored != node.hash) {
        find(where + "stored node " + std::to_string(node.id.level) + "/" +
             std::to_string(node.id.index) + " is not the hash of the entries");
      }
      if (node.id.level > 0) {
        edge.erase({static_cast<std::uint8_t>(node.id.level - 1), node.id.index * 2});
        edge.erase({static_cast<std::uint8_t>(node.id.level - 1), node.id.index * 2 + 1});
      }
      edge[node.id] = node.hash;
    }
    report.head.size = index + 1;
    if (anchored && anchored->size == index + 1)
      anchor_seen = TRY(Root(index + 1, read)) == anchored->root;
    if (progress && (index + 1) % 10'000 == 0) progress(index + 1, head.size);
  }
  report.head.root = TRY(Root(report.head.size, read));
  if (report.head != head) find("head: not the root of the entries");
  if (anchored && !anchor_seen) find("anchor: the ledger does not extend it");
  return report;
}

}  // namespace proofgate::ledger
