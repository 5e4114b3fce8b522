#include "agent/drop.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "agent/agent.h"
#include "agent/report.h"
#include "base/fd.h"

namespace proofgate::agent {
namespace {

constexpr std::size_t kMaxFiles = 64;

struct Found {
  std::string name;
  std::uint64_t version = 0;
  std::string envelope;
};

// Only a plain file of root's that nobody else can write, whatever is put there.
Result<std::string> ReadDropped(const Fd& fd, const struct stat& info, const std::string& name) {
  if (!S_ISREG(info.st_mode)) return Fail(Code::kInvalid, name + ": a plain file expected");
  if (info.st_uid != geteuid() || (info.st_mode & 022) != 0)
    return Fail(Code::kDenied, name + ": must be root's and writable by nobody else");
  if (static_cast<std::uint64_t>(info.st_size) > 2 * policy::kMaxCanonBytes) return Fail(Code::kInvalid, name + ": too large");
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t more = pread(fd.get(), bytes.data() + got, bytes.size() - got, static_cast<off_t>(got));
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return FailErrno(errno, name);
    if (more == 0) return Fail(Code::kInvalid, name + ": changed while it was read; move it in with mv");
    got += static_cast<std::size_t>(more);
  }
  return bytes;
}

}  // namespace

Result<Drop> Drop::At(const std::string& dir, std::uint32_t group) {
  if (mkdir(dir.c_str(), 0750) != 0 && errno != EEXIST) return FailErrno(errno, dir);
  if (group != static_cast<std::uint32_t>(-1) && lchown(dir.c_str(), 0, group) != 0) return FailErrno(errno, "chown " + dir);
  return Drop(dir);
}

std::uint64_t Drop::Take(Agent& agent) {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(dir_.c_str()), closedir);
  if (!listing) return 0;
  std::vector<std::string> names;
  while (const dirent* const entry = readdir(listing.get())) {
    const std::string name = entry->d_name;
    if (name.ends_with(".bundle") && name.front() != '.' && names.size() < kMaxFiles) names.push_back(name);
  }
  std::vector<Found> found;
  for (const std::string& name : names) {
    const std::string path = dir_ + "/" + name;
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat info {};
    if (!fd.is_open() || fstat(fd.get(), &info) != 0) continue;  // gone again, or a link
    const Seen seen{info.st_ino, info.st_ctim.tv_sec * 1'000'000'000 + info.st_ctim.tv_nsec};
    if (const auto at = seen_.find(name); at != seen_.end() && at->second == seen) continue;
    seen_[name] = seen;
    auto envelope = ReadDropped(fd, info, path);
    if (!envelope) {
      Report("drop directory", tl::unexpected(envelope.error()));
      continue;
    }
    // Read only to put them in order, and to pass over what has been here before;
    // Apply believes none of it.
    const auto bundle = policy::ParseBundle(*envelope);
    const auto manifest = bundle ? policy::ParseManifest(bundle->manifest) : Result<policy::Manifest>(tl::unexpected(bundle.error()));
    if (manifest && manifest->version <= agent.canon_version()) continue;
    found.push_back({name, manifest ? manifest->version : 0, std::move(*envelope)});
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return std::pair(a.version, a.name) < std::pair(b.version, b.name); });
  std::uint64_t applied = 0;
  for (const Found& one : found) {
    const auto done = agent.ApplyBundle(one.envelope, "drop:" + policy::EscapeForPeople(one.name));
    if (done) ++applied;
    else Report("drop directory: " + one.name, tl::unexpected(done.error()));
  }
  std::erase_if(seen_, [&](const auto& entry) { return std::find(names.begin(), names.end(), entry.first) == names.end(); });
  return applied;
}

}  // namespace proofgate::agent
