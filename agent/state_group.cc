#include "agent/state_group.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

namespace proofgate::agent {

Result<gid_t> FindStateGroup() {
  group found{};
  group* at = nullptr;
  std::array<char, 4096> room{};
  const int error = getgrnam_r("proofgate", &found, room.data(), room.size(), &at);
  if (error != 0) return FailErrno(error, "look up the group proofgate");
  if (at == nullptr || found.gr_gid == 0)
    return Fail(Code::kNotFound,
                "there is no system group 'proofgate'; make it with: systemd-sysusers (or groupadd --system proofgate)");
  return found.gr_gid;
}

Status KeepStateGroup(const std::string& dir, gid_t group) {
  const auto keep = [group](const std::string& path) -> Status {
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0) return FailErrno(errno, path);
    if (info.st_gid != group && lchown(path.c_str(), static_cast<uid_t>(-1), group) != 0)
      return FailErrno(errno, "chown " + path);
    return {};
  };
  TRY(keep(dir));
  std::error_code error;
  std::filesystem::recursive_directory_iterator at(dir, error);
  const std::filesystem::recursive_directory_iterator end;
  while (!error && at != end) {
    TRY(keep(at->path().string()));
    at.increment(error);
  }
  if (error) return FailErrno(error.value(), dir);
  return {};
}

}  // namespace proofgate::agent
