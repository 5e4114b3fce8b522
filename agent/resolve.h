// Resolve: from the names in canon and receipts to inodes, and back for people.
//
// Decisions see real paths only: symbolic links are resolved first, and what is
// then opened must still have that path. A link that a governed process may have
// made leads canon nowhere: it would say what canon permits.

#ifndef PROOFGATE_AGENT_RESOLVE_H_
#define PROOFGATE_AGENT_RESOLVE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "bpf/wire.h"
#include "policy/canon.h"

namespace proofgate::agent {

// One thing the kernel can hold a grant on.
struct Target {
  grant_form form = FORM_FILE;
  Fd fd;                     // O_PATH; not open for classes and addresses
  std::uint64_t object = 0;  // class number, when there is no fd
  std::string name;          // FORM_NAMED: the child's name
  std::string handle;        // tells the inode from another with its number; "" if it cannot be
  std::vector<address_key> addresses;  // FORM_ADDRESS; domain still 0
};

enum class Missing { kRefuse, kSkip };

// Where governed processes may make links, by the canons in force.
class Writers {
 public:
  Writers() = default;
  explicit Writers(const std::vector<const policy::Canon*>& canons);
  // Is this link one that only root of the host can have made?
  bool Trust(const std::string& link) const;

 private:
  std::vector<policy::Object> objects_;
};

// What `object`, whose path is real, names now. Programs below a directory with exceptions become
// one target each. kNotFound, kInvalid (not a regular file, a name too long for
// the gate), kUnsupported (a file system whose inodes we do not trust).
Result<std::vector<Target>> ResolveObject(policy::Kind kind, const policy::Object& object,
                                          const std::vector<std::string>& except, Missing missing);

// As ResolveObject would have answered for a file or socket before it was made:
// its name in its directory, whether or not something has it now.
Result<Target> ResolveAsName(const policy::Object& object);

// "/srv/demo/file", "/srv/demo/*", "/srv/demo/**", "tcp:127.0.0.1:80", "[::1]:80",
// "10.0.0.0/8", "unix:/run/x.sock". A directory without a star is its tree.
Result<policy::Object> ParseObjectText(policy::Kind kind, const std::string& text);

// The path without symbolic links; what does not exist is kept as it is.
Result<std::string> RealPath(const std::string& path);
// The same of a path that canon confers authority on. kDenied: a link in it is
// not to be trusted.
Result<std::string> RealPathOfCanon(const std::string& path, const Writers& writers);
// The paths of the canon's rules and estimates that are not real, and where
// they lead: what the record of a decision needs to be made again elsewhere. One
// that leads through a link that is not to be trusted stays as it is, unless it is
// a forbid's.
Result<std::map<std::string, std::string>> FindAliases(const policy::Canon& canon, const Writers& writers);
json::Value AliasesJson(const std::map<std::string, std::string>& aliases);
// The canon with every path real, for Decide.
Result<policy::Canon> WithRealPaths(const policy::Canon& canon, const Writers& writers);

// Mount points by the kernel's device number, for people.
class Mounts {
 public:
  Mounts();
  // "/srv/demo/x" from components below the root of that file system.
  std::string PathOn(std::uint32_t dev, const std::string& below);

 private:
  void Reload();
  Fd mountinfo_;  // readable for POLLPRI when mounts changed
  std::map<std::uint32_t, std::string> points_;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_RESOLVE_H_
