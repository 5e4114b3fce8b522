#include "agent/units.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "agent/cgroup.h"
#include "agent/paths.h"
#include "base/durable.h"
#include "base/fd.h"

namespace proofgate::agent {
namespace {

constexpr const char* kHeader = "# Units that do not start before proofgate.service. Written by proofgated from the canon in force.\n";

using Bus = std::unique_ptr<sd_bus, decltype(&sd_bus_unref)>;
using Text = std::unique_ptr<char, decltype(&std::free)>;

// Whoever asks is the thread that the watchdog waits for.
constexpr std::uint64_t kAnswerUs = 5'000'000;
constexpr std::uint64_t kReloadUs = 20'000'000;

// PID 1's own socket: it answers whether or not a message bus runs.
Result<Bus> AskManager(std::uint64_t timeout_us = kAnswerUs) {
  sd_bus* bus = nullptr;
  int done = sd_bus_new(&bus);
  if (done < 0) return FailErrno(done, "ask systemd");
  Bus owner(bus, sd_bus_unref);
  done = sd_bus_set_address(bus, "unix:path=/run/systemd/private");
  if (done >= 0) done = sd_bus_set_method_call_timeout(bus, timeout_us);
  if (done >= 0) done = sd_bus_start(bus);
  if (done < 0) return FailErrno(done, "ask systemd");
  return owner;
}

Error BusError(int code, sd_bus_error& error, const std::string& about) {
  Error failure{Code::kIo, about + ": " + (error.message == nullptr ? "systemd does not answer" : error.message)};
  if (code == -ENOENT) failure.code = Code::kNotFound;
  sd_bus_error_free(&error);
  return failure;
}

Result<std::string> GetString(sd_bus* bus, const std::string& object, const char* interface,
                              const char* property) {
  sd_bus_error error{};
  char* text = nullptr;
  const int asked = sd_bus_get_property_string(bus, "org.freedesktop.systemd1", object.c_str(),
                                               interface, property, &error, &text);
  if (asked < 0) return tl::unexpected(BusError(asked, error, property));
  const Text owner(text, std::free);
  return std::string(text);
}

// As systemd's cg_escape(): a unit's name must not look like a kernel file.
std::string EscapeForCgroup(const std::string& unit) {
  const std::string prefix = unit.substr(0, unit.find('.'));
  bool escape = unit.starts_with("_") || unit.starts_with(".");
  for (const char* taken : {"cgroup", "cpu", "cpuset", "io", "memory", "hugetlb", "pids", "rdma", "misc"})
    escape = escape || prefix == taken;
  return escape ? "_" + unit : unit;
}

Status Reload() {
  const Bus bus = TRY(AskManager(kReloadUs));
  sd_bus_error error{};
  const int asked = sd_bus_call_method(bus.get(), "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                       "org.freedesktop.systemd1.Manager", "Reload", &error, nullptr, "");
  if (asked < 0) return tl::unexpected(BusError(asked, error, "reload systemd"));
  return {};
}

Status MakeDirectory(const char* path) {
  if (mkdir(path, 0755) != 0 && errno != EEXIST) return FailErrno(errno, path);
  return {};
}

}  // namespace

Result<std::string> SystemdUnits::CgroupOf(const std::string& unit) {
  if (unit.ends_with(".slice")) return CgroupOfSlice(unit);
  const bool is_service = unit.ends_with(".service");
  if (!is_service && !unit.ends_with(".scope"))
    return Fail(Code::kInvalid, unit + ": a .service, .scope or .slice expected");
  const Bus bus = TRY(AskManager());
  char* encoded = nullptr;
  if (is_service) {
    sd_bus_error error{};
    sd_bus_message* reply = nullptr;
    const int loaded = sd_bus_call_method(bus.get(), "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                          "org.freedesktop.systemd1.Manager", "LoadUnit", &error, &reply, "s",
                                          unit.c_str());
    sd_bus_message_unref(reply);
    if (loaded < 0) return tl::unexpected(BusError(loaded, error, unit));
  }
  const int done = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &encoded);
  if (done < 0) return FailErrno(done, unit);
  const Text owner(encoded, std::free);
  const std::string object = encoded;
  const char* const interface =
      is_service ? "org.freedesktop.systemd1.Service" : "org.freedesktop.systemd1.Scope";
  const std::string now = TRY(GetString(bus.get(), object, interface, "ControlGroup"));
  if (!now.empty()) return std::string(kCgroupRoot) + now;
  if (!is_service) return Fail(Code::kNotFound, unit + ": not running, so it has no cgroup");
  const std::string slice = TRY(GetString(bus.get(), object, interface, "Slice"));
  if (slice.empty()) return Fail(Code::kNotFound, unit + ": systemd gives it no slice");
  const std::string above = slice == "-.slice" ? kCgroupRoot : CgroupOfSlice(slice);
  return above + "/" + EscapeForCgroup(unit);
}

Status SystemdUnits::Remember(const std::set<std::string>& units) {
  std::string text = kHeader;
  for (const std::string& unit : units) text += unit + "\n";
  const auto before = ReadFile(kUnitsFile, 1 << 20);
  if (before && *before == text) return {};
  if (!before && before.error().code == Code::kNotFound && units.empty()) return {};
  TRY(MakeDirectory(kConfigDir));
  TRY(WriteFileDurably(kUnitsFile, text, 0644));
  return Reload();
}

Status SystemdUnits::Announce(const std::set<std::string>& units) {
  TRY(MakeDirectory(kGovernedDir));
  std::error_code error;
  for (std::filesystem::directory_iterator at(kGovernedDir, error), end; !error && at != end; at.increment(error))
    if (!units.contains(at->path().filename())) unlink(at->path().c_str());
  if (error) return FailErrno(error.value(), kGovernedDir);
  for (const std::string& unit : units) {
    const std::string path = std::string(kGovernedDir) + "/" + unit;
    const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd.is_open()) return FailErrno(errno, path);
  }
  return {};
}

}  // namespace proofgate::agent
