// Drop: bundles that were put into a directory, taken up when they are newer
// than the canon in force. They are as good as their signatures: who can write
// there can bring a bundle, not make one. Main thread.

#ifndef PROOFGATE_AGENT_DROP_H_
#define PROOFGATE_AGENT_DROP_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace proofgate::agent {

class Agent;

class Drop {
 public:
  // Makes the directory: root's, and of our group, so that what governed
  // processes do there is refused. `group` -1: as it is.
  static Result<Drop> At(const std::string& dir, std::uint32_t group);

  // Applies, lowest version first, each *.bundle (bundle.md: an envelope) that is
  // new here since it was last looked at and above the version in force. What is
  // refused is recorded once and said. How many came into force.
  std::uint64_t Take(Agent& agent);

 private:
  explicit Drop(std::string dir) : dir_(std::move(dir)) {}

  struct Seen {
    std::uint64_t inode = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const Seen&) const = default;
  };
  std::string dir_;
  std::map<std::string, Seen> seen_;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_DROP_H_
