#include "agent/cgroup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "agent/paths.h"
#include "base/clock.h"
#include "base/durable.h"
#include "base/fd.h"
#include "bpf/wire.h"

namespace proofgate::agent {
namespace {

constexpr std::size_t kMaxBytes = 16u << 20;

Status WriteCgroupFile(const std::string& path, std::string_view text) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.is_open()) return FailErrno(errno, path);
  if (write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return FailErrno(errno, path);
  return {};
}

Result<bool> HasEvent(const std::string& path, std::string_view event) {
  const std::string events = TRY(ReadFile(path + "/cgroup.events", kMaxBytes));
  std::istringstream lines(events);
  std::string name;
  int value = 0;
  while (lines >> name >> value)
    if (name == event) return value == 1;
  return Fail(Code::kUnsupported, path + "/cgroup.events: no '" + std::string(event) + "'");
}

Status AwaitEvent(const std::string& path, std::string_view event, bool wanted) {
  constexpr std::uint64_t kLimitNs = 10'000'000'000;
  const SystemClock clock;
  const std::uint64_t deadline = clock.Boot().ns + kLimitNs;
  const std::string file = path + "/cgroup.events";
  const Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return FailErrno(errno, file);
  while (TRY(HasEvent(path, event)) != wanted) {
    if (clock.Boot().ns > deadline)
      return Fail(Code::kBusy, fmt::format("{}: not {} after ten seconds", path, event));
    std::array<char, 256> buffer{};
    if (pread(fd.get(), buffer.data(), buffer.size(), 0) < 0) return FailErrno(errno, file);
    pollfd changed{fd.get(), POLLPRI, 0};
    poll(&changed, 1, 100);
  }
  return {};
}

// As kernfs_name_hash() and init_name_hash() in the kernel's fs/kernfs/dir.c and
// include/linux/stringhash.h define it for 64 bits.
std::uint32_t KernfsHash(std::string_view name) {
  constexpr std::uint64_t kGolden = 0x61C8864680B583EBull;
  std::uint64_t hash = 0;
  for (const char c : name) {
    const auto code = static_cast<std::uint64_t>(static_cast<std::int64_t>(c));
    hash = (hash + (code << 4) + (code >> 4)) * 11;
  }
  auto folded = static_cast<std::uint32_t>((hash * kGolden) >> 32) & 0x7fffffffu;
  if (folded < 2) folded += 2;
  if (folded >= 0x7fffffffu) folded = 0x7fffffffu - 1;
  return folded;
}

}  // namespace

Result<std::uint64_t> CgroupId(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return FailErrno(errno, path);
  return info.st_ino;
}

Status MakeCgroup(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return FailErrno(error.value(), path);
  return {};
}

Status FreezeCgroup(const std::string& path) {
  TRY(WriteCgroupFile(path + "/cgroup.freeze", "1"));
  return AwaitEvent(path, "frozen", true);
}

Status ThawCgroup(const std::string& path) {
  TRY(WriteCgroupFile(path + "/cgroup.freeze", "0"));
  return AwaitEvent(path, "frozen", false);
}

Result<std::set<int>> CgroupThreads(const std::string& path) {
  std::set<int> threads;
  std::error_code error;
  std::vector<std::string> cgroups{path};
  for (std::filesystem::recursive_directory_iterator at(path, error), end; !error && at != end;
       at.increment(error))
    if (at->is_directory()) cgroups.push_back(at->path());
  if (error) return FailErrno(error.value(), path);
  for (const std::string& cgroup : cgroups) {
    std::istringstream ids(TRY(ReadFile(cgroup + "/cgroup.threads", kMaxBytes)));
    int id = 0;
    while (ids >> id) threads.insert(id);
  }
  return threads;
}

Result<bool> IsPopulated(const std::string& path) { return HasEvent(path, "populated"); }

Status MoveProcess(const std::string& path, int pid) {
  return WriteCgroupFile(path + "/cgroup.procs", std::to_string(pid));
}

Result<std::string> CgroupOfProcess(int pid) {
  const std::string file = fmt::format("/proc/{}/cgroup", pid);
  std::istringstream lines(TRY(ReadFile(file, kMaxBytes)));
  std::string line;
  while (std::getline(lines, line))
    if (line.starts_with("0::/")) return std::string(kCgroupRoot) + line.substr(3);
  return Fail(Code::kUnsupported, file + ": no cgroup v2");
}

Result<std::string> CgroupOfUnit(const std::string& unit) {
  sd_bus* bus = nullptr;
  const int opened = sd_bus_open_system(&bus);
  if (opened < 0) return FailErrno(opened, "ask systemd");
  const std::unique_ptr<sd_bus, decltype(&sd_bus_unref)> bus_owner(bus, sd_bus_unref);
  char* object = nullptr;
  const int encoded = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &object);
  if (encoded < 0) return FailErrno(encoded, unit);
  const std::unique_ptr<char, decltype(&std::free)> object_owner(object, std::free);
  const std::size_t dot = unit.rfind('.');
  const std::string type = dot == std::string::npos ? "" : unit.substr(dot + 1);
  const char* const interface = type == "service" ? "org.freedesktop.systemd1.Service"
                                : type == "scope" ? "org.freedesktop.systemd1.Scope"
                                : type == "slice" ? "org.freedesktop.systemd1.Slice"
                                                  : nullptr;
  if (interface == nullptr)
    return Fail(Code::kInvalid, unit + ": a .service, .scope or .slice expected");
  sd_bus_error error{};
  char* cgroup = nullptr;
  const int asked = sd_bus_get_property_string(bus, "org.freedesktop.systemd1", object, interface,
                                               "ControlGroup", &error, &cgroup);
  const std::string words = error.message == nullptr ? "" : error.message;
  sd_bus_error_free(&error);
  if (asked < 0) return Fail(Code::kIo, unit + ": " + (words.empty() ? "systemd does not answer" : words));
  const std::unique_ptr<char, decltype(&std::free)> cgroup_owner(cgroup, std::free);
  if (*cgroup == '\0') return Fail(Code::kNotFound, unit + ": not running, so it has no cgroup");
  return std::string(kCgroupRoot) + cgroup;
}

std::string CgroupOfSlice(const std::string& slice) {
  std::string path = kCgroupRoot;
  for (std::size_t dash = slice.find('-'); dash != std::string::npos;
       dash = slice.find('-', dash + 1))
    path += "/" + slice.substr(0, dash) + ".slice";
  return path + "/" + slice;
}

Result<std::uint64_t> CgroupName(const std::string& path) {
  std::uint64_t name = 0;
  int depth = 0;
  for (std::size_t end = path.size(); end > 0; ++depth) {
    const std::size_t slash = path.rfind('/', end - 1);
    if (slash == std::string::npos || slash + 1 == end || depth + 1 >= MAX_CGROUP_DEPTH)
      return Fail(Code::kInvalid, path + ": a path of at most " + std::to_string(MAX_CGROUP_DEPTH - 1) +
                                      " cgroups expected");
    name = (name ^ KernfsHash(std::string_view(path).substr(slash + 1, end - slash - 1))) * CGROUP_NAME_FACTOR;
    end = slash;
  }
  return name;
}

std::string WhyNotGovern(const std::string& path) {
  if (path == kCgroupRoot) return "it is the root of all";
  const auto self = CgroupOfProcess(getpid());
  if (self && (*self + "/").starts_with(path + "/")) return "the daemon is in it";
  const std::string name = path.substr(path.rfind('/') + 1);
  for (const char* unit :
       {"init.scope", "proofgate.service", "systemd-journald.service", "dbus.service",
        "dbus-broker.service", "ssh.service", "sshd.service", "systemd-logind.service",
        "systemd-udevd.service", "systemd-networkd.service", "systemd-resolved.service",
        "user.slice", "system.slice"})
    if (name == unit) return "the host cannot be operated without it";
  return "";
}

}  // namespace proofgate::agent
