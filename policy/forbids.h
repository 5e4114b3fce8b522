// Forbids: which forbids of a canon a receipt's object would touch.
//
// One index for the check of a canon and for the decision about a receipt. A
// look-up does not grow with the number of forbids, only with those that it
// finds: exact paths and directories above are hashed, what lies below or inside
// is a range. Any thread once made.

#ifndef PROOFGATE_POLICY_FORBIDS_H_
#define PROOFGATE_POLICY_FORBIDS_H_

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policy/canon.h"

namespace proofgate::policy {

class Forbids {
 public:
  // The canon must outlive it. With a kind: only what forbids that.
  explicit Forbids(const Canon& canon, std::optional<Kind> only = std::nullopt);

  struct Hit {
    const Rule* rule = nullptr;
    const Object* object = nullptr;  // of the rule
    bool operator==(const Hit&) const = default;
  };
  // All that overlap, in the canon's order: of its rules, then of their objects.
  // `looked_at`: grows by how many it has compared.
  std::vector<Hit> Overlapping(Kind kind, const Object& object, std::size_t* looked_at = nullptr) const;

 private:
  using Hits = std::vector<Hit>;
  struct ByKind {
    std::map<std::string, Hits> paths;
    std::map<int, std::map<std::string, Hits>> nets[2];  // by bits, then first address; IPv4 and IPv6
    std::map<std::string, Hits> others;                  // sockets, classes, capabilities
  };
  std::array<ByKind, kAllKinds.size()> kinds_;
};

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_FORBIDS_H_
