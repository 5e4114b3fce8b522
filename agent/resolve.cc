#include "agent/resolve.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <sstream>

#include "base/bytes.h"
#include "policy/optr.h"

namespace proofgate::agent {
namespace {

using policy::Form;
using policy::Kind;
using policy::Object;

constexpr std::size_t kMaxPrograms = 8192;  // below one directory

std::string Handle(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return "";
  std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> room{};
  auto* const handle = reinterpret_cast<file_handle*>(room.data());
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  if (name_to_handle_at(fd, "", handle, &mount, AT_EMPTY_PATH) != 0) return "";
  const auto* const bytes = reinterpret_cast<const char*>(handle->f_handle);
  return fmt::format("{}:{}:{}", info.st_dev, handle->handle_type,
                     Hex(std::string_view(bytes, handle->handle_bytes)));
}

Status CheckFileSystem(int fd, const std::string& path) {
  struct statfs info {};
  if (fstatfs(fd, &info) != 0) return FailErrno(errno, path);
  constexpr std::array<long, 6> kTrusted = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,   BTRFS_SUPER_MAGIC,
                                            TMPFS_MAGIC,      OVERLAYFS_SUPER_MAGIC, RAMFS_MAGIC};
  if (std::find(kTrusted.begin(), kTrusted.end(), info.f_type) == kTrusted.end())
    return Fail(Code::kUnsupported,
                fmt::format("{}: on a file system of type {:#x}; ext4, xfs, btrfs, tmpfs or overlay expected",
                            path, info.f_type));
  return {};
}

// Opens what has exactly this path now.
Result<Fd> OpenExactly(const std::string& path) {
  Fd fd(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.is_open()) return FailErrno(errno, path);
  std::array<char, PATH_MAX> buffer{};
  const std::string link = fmt::format("/proc/self/fd/{}", fd.get());
  const ssize_t length = readlink(link.c_str(), buffer.data(), buffer.size());
  if (length < 0) return FailErrno(errno, link);
  if (std::string_view(buffer.data(), static_cast<std::size_t>(length)) != path)
    return Fail(Code::kInvalid, path + ": a name in it changed while it was opened");
  TRY(CheckFileSystem(fd.get(), path));
  return fd;
}

Result<mode_t> FileType(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return FailErrno(errno, "fstat");
  return info.st_mode & S_IFMT;
}

Result<Target> Existing(Kind kind, const std::string& path, grant_form form) {
  Target target;
  target.form = form;
  target.fd = TRY(OpenExactly(path));
  const mode_t type = TRY(FileType(target.fd.get()));
  const bool wants_directory = form != FORM_FILE;
  if (wants_directory != (type == S_IFDIR) && !(kind == Kind::kWrite && form == FORM_FILE))
    return Fail(Code::kInvalid, path + (wants_directory ? ": not a directory" : ": is a directory"));
  if (type == S_IFLNK) return Fail(Code::kInvalid, path + ": is a symbolic link");
  if (kind != Kind::kWrite && form == FORM_FILE && type != S_IFREG)
    return Fail(Code::kInvalid, path + ": not a regular file");
  target.handle = Handle(target.fd.get());
  return target;
}

Result<Target> Absent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string name = path.substr(slash + 1);
  if (name.size() >= NAME_BYTES)
    return Fail(Code::kInvalid,
                fmt::format("{}: does not exist, and its name is longer than the {} bytes the gate compares; ask for its directory",
                            path, NAME_BYTES - 1));
  Target target = TRY(Existing(Kind::kWrite, slash == 0 ? "/" : path.substr(0, slash), FORM_NAMED));
  target.name = name;
  return target;
}

// Every program directly in `dir` but those that `except` names or links to.
Result<std::vector<Target>> Programs(const std::string& dir, const std::vector<std::string>& except) {
  const Fd dir_fd = TRY(OpenExactly(dir));
  std::set<std::pair<dev_t, ino_t>> excluded;
  for (const std::string& name : except) {
    // Wherever programs are: a deputy must not come in by another directory's link.
    for (const char* where : {"/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/",
                              "/usr/lib/systemd/", "/lib/systemd/"}) {
      struct stat info {};
      if (stat((where + name).c_str(), &info) == 0) excluded.emplace(info.st_dev, info.st_ino);
    }
    struct stat info {};
    if (stat((dir + "/" + name).c_str(), &info) == 0) excluded.emplace(info.st_dev, info.st_ino);
  }
  struct Closer {
    void operator()(DIR* open) const { closedir(open); }
  };
  const std::unique_ptr<DIR, Closer> entries(opendir(dir.c_str()));
  if (!entries) return FailErrno(errno, dir);
  std::vector<Target> targets;
  while (const dirent* const entry = readdir(entries.get())) {
    const std::string name = entry->d_name;
    if (std::find(except.begin(), except.end(), name) != except.end()) continue;
    Target target;
    target.form = FORM_FILE;
    target.fd = Fd(openat(dir_fd.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!target.fd.is_open()) {
      if (errno == ENOENT) continue;  // gone since it was listed
      return FailErrno(errno, dir + "/" + name);
    }
    struct stat info {};
    if (fstat(target.fd.get(), &info) != 0) return FailErrno(errno, dir + "/" + name);
    if (!S_ISREG(info.st_mode) || excluded.contains({info.st_dev, info.st_ino})) continue;
    if (targets.size() == kMaxPrograms)
      return Fail(Code::kUnsupported, fmt::format("{}: more than {} programs", dir, kMaxPrograms));
    targets.push_back(std::move(target));
  }
  return targets;
}

std::vector<address_key> AddressKeys(const policy::NetBlock& net) {
  std::vector<address_key> keys;
  for (const __u8 proto : {__u8{IPPROTO_TCP}, __u8{IPPROTO_UDP}}) {
    if (net.proto == policy::Proto::kTcp && proto != IPPROTO_TCP) continue;
    if (net.proto == policy::Proto::kUdp && proto != IPPROTO_UDP) continue;
    address_key key{};
    key.prefix_bits = 64 + static_cast<__u32>(net.prefix_bits);
    key.address.family = net.is_v6 ? AF_INET6 : AF_INET;
    key.address.proto = proto;
    key.address.port = htons(net.port);
    std::memcpy(key.address.bytes, net.bytes.data(), net.is_v6 ? 16 : 4);
    keys.push_back(key);
  }
  return keys;
}

std::uint64_t ClassNumber(policy::IoClass io_class) {
  switch (io_class) {
    case policy::IoClass::kPipe: return CLASS_PIPE;
    case policy::IoClass::kTty: return CLASS_TTY;
    case policy::IoClass::kDevNull: return CLASS_NULL;
    case policy::IoClass::kAnon: return CLASS_ANON;
    case policy::IoClass::kAnonymousExec: return CLASS_ANON_EXEC;
    case policy::IoClass::kIpc: return CLASS_IPC;
    case policy::IoClass::kKeys: return CLASS_KEYS;
    case policy::IoClass::kAbstract: return CLASS_ABSTRACT;
  }
  return 0;
}

Result<std::vector<Target>> ResolveExisting(Kind kind, const Object& object,
                                            const std::vector<std::string>& except) {
  std::vector<Target> targets;
  const auto one = [&targets](Result<Target> target) -> Status {
    targets.push_back(TRY(std::move(target)));
    return {};
  };
  switch (object.form) {
    case Form::kClass: {
      Target target;
      target.object = ClassNumber(object.io_class);
      targets.push_back(std::move(target));
      return targets;
    }
    case Form::kCapability: {
      Target target;
      target.object = FIRST_CAPABILITY + static_cast<std::uint64_t>(object.capability);
      targets.push_back(std::move(target));
      return targets;
    }
    case Form::kNet: {
      Target target;
      target.form = FORM_ADDRESS;
      target.addresses = AddressKeys(object.net);
      targets.push_back(std::move(target));
      return targets;
    }
    case Form::kTree:
    case Form::kDir: {
      if (kind == Kind::kExec && !except.empty()) return Programs(object.path, except);
      TRY(one(Existing(kind, object.path, object.form == Form::kTree ? FORM_TREE : FORM_DIR)));
      return targets;
    }
    case Form::kFile:
    case Form::kUnix: {
      struct stat info {};
      if (lstat(object.path.c_str(), &info) == 0 || (kind != Kind::kWrite && kind != Kind::kConnect)) {
        TRY(one(Existing(kind == Kind::kConnect ? Kind::kWrite : kind, object.path, FORM_FILE)));
      } else {
        TRY(one(Absent(object.path)));
      }
      return targets;
    }
  }
  return Fail(Code::kInvalid, "object: unknown form");
}

}  // namespace

Result<std::vector<Target>> ResolveObject(Kind kind, const Object& object,
                                          const std::vector<std::string>& except, Missing missing) {
  auto targets = ResolveExisting(kind, object, except);
  if (!targets && missing == Missing::kSkip && targets.error().code == Code::kNotFound)
    return std::vector<Target>{};
  return targets;
}

Result<Target> ResolveAsName(const Object& object) {
  if (object.form != Form::kFile && object.form != Form::kUnix)
    return Fail(Code::kInvalid, object.path + ": only a file or a socket is granted by its name");
  return Absent(object.path);
}

Result<Object> ParseObjectText(Kind kind, const std::string& text) {
  Object object = TRY(policy::ReadObjectText(kind, text));
  if (!policy::HasPath(object.form)) return object;
  object.path = TRY(RealPath(object.path));
  struct stat info {};
  if (object.form == Form::kFile && lstat(object.path.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
    object.form = Form::kTree;
  return object;
}

Result<std::string> RealPath(const std::string& path) {
  std::error_code error;
  std::string real = std::filesystem::weakly_canonical(path, error);
  if (error) return FailErrno(error.value(), path);
  while (real.size() > 1 && real.ends_with("/")) real.pop_back();
  return real;
}

Writers::Writers(const std::vector<const policy::Canon*>& canons) {
  const auto add = [this](const std::vector<Object>& objects) {
    for (Object object : objects) {
      if (!policy::HasPath(object.form)) continue;
      auto real = RealPath(object.path);
      objects_.push_back(object);
      if (!real || *real == object.path) continue;
      object.path = std::move(*real);
      objects_.push_back(std::move(object));
    }
  };
  for (const policy::Canon* const canon : canons) {
    for (const policy::Standing& standing : canon->standing)
      if (standing.kind == Kind::kWrite) add(standing.objects);
    for (const policy::Rule& rule : canon->rules)
      if (rule.kind == Kind::kWrite && rule.effect == policy::Effect::kPermit) add(rule.objects);
  }
}

bool Writers::Trust(const std::string& link) const {
  struct stat info {};
  if (lstat(link.c_str(), &info) != 0 || (info.st_uid != 0 && info.st_uid != geteuid())) return false;
  Object made;
  made.path = link;
  return std::none_of(objects_.begin(), objects_.end(),
                      [&](const Object& object) { return policy::Contains(object, made); });
}

Result<std::string> RealPathOfCanon(const std::string& path, const Writers& writers) {
  constexpr int kMaxLinks = 40;  // path_resolution(7)
  namespace fs = std::filesystem;
  const fs::path whole(path);
  std::vector<fs::path> left(whole.begin(), whole.end());
  std::reverse(left.begin(), left.end());
  fs::path real = "/";
  int links = 0;
  while (!left.empty()) {
    const fs::path part = std::move(left.back());
    left.pop_back();
    if (part.empty() || part == "." || part == "/") continue;
    if (part == "..") {
      real = real.parent_path();
      continue;
    }
    const fs::path at = real / part;
    struct stat info {};
    if (lstat(at.c_str(), &info) != 0 || !S_ISLNK(info.st_mode)) {
      real = at;
      continue;
    }
    if (!writers.Trust(at.string()))
      return Fail(Code::kDenied, path + ": " + at.string() + " is a symbolic link that is not root's or that a governed process may have made; name what it leads to");
    std::error_code error;
    const fs::path to = fs::read_symlink(at, error);
    if (error) return FailErrno(error.value(), at.string());
    if (++links > kMaxLinks) return Fail(Code::kInvalid, path + ": more than 40 symbolic links");
    if (to.is_absolute()) real = "/";
    const std::vector<fs::path> more(to.begin(), to.end());
    left.insert(left.end(), more.rbegin(), more.rend());
  }
  return real.string();
}

Result<std::map<std::string, std::string>> FindAliases(const policy::Canon& canon, const Writers& writers) {
  std::map<std::string, std::string> aliases;
  const auto look = [&](const std::vector<Object>& objects, bool confers) -> Status {
    for (const Object& object : objects) {
      if (!policy::HasPath(object.form)) continue;
      const auto real = confers ? RealPathOfCanon(object.path, writers) : RealPath(object.path);
      if (!real && real.error().code == Code::kDenied) continue;
      if (!real) return tl::unexpected(real.error());
      if (*real != object.path) aliases[object.path] = *real;
    }
    return {};
  };
  for (const policy::Rule& rule : canon.rules) TRY(look(rule.objects, rule.effect == policy::Effect::kPermit));
  for (const policy::EstimateRow& row : canon.terms.estimates) TRY(look(row.objects, true));
  return aliases;
}

json::Value AliasesJson(const std::map<std::string, std::string>& aliases) {
  json::Array out;
  for (const auto& [path, real] : aliases)
    out.emplace_back(json::Object{{"path", json::Bytes(path)}, {"real", json::Bytes(real)}});
  return out;
}

Result<policy::Canon> WithRealPaths(const policy::Canon& canon, const Writers& writers) {
  return policy::WithAliases(canon, TRY(FindAliases(canon, writers)));
}

Mounts::Mounts() : mountinfo_(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)) { Reload(); }

void Mounts::Reload() {
  points_.clear();
  std::string text;
  std::array<char, 65536> buffer{};
  if (lseek(mountinfo_.get(), 0, SEEK_SET) < 0) return;
  for (ssize_t got = 0; (got = read(mountinfo_.get(), buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(got));
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string id, parent, dev, root, point;
    if (!(fields >> id >> parent >> dev >> root >> point) || root != "/") continue;
    unsigned major_number = 0;
    unsigned minor_number = 0;
    if (sscanf(dev.c_str(), "%u:%u", &major_number, &minor_number) != 2) continue;
    points_.try_emplace((major_number << 20) | minor_number, point);
  }
}

std::string Mounts::PathOn(std::uint32_t dev, const std::string& below) {
  pollfd changed{mountinfo_.get(), POLLPRI, 0};
  if (poll(&changed, 1, 0) > 0) Reload();
  const auto at = points_.find(dev);
  if (at == points_.end() || at->second == "/") return below;
  return at->second + (below == "/" ? "" : below);
}

}  // namespace proofgate::agent
