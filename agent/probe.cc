#include "agent/probe.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <sstream>

#include "agent/kernel_pep.h"
#include "agent/paths.h"
#include "base/clock.h"
#include "base/durable.h"
#include "base/signature.h"

namespace proofgate::agent {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;

Check Ok(std::string name, std::string what) {
  return {std::move(name), Finding::kOk, std::move(what), ""};
}
Check Missing(std::string name, std::string what, std::string todo) {
  return {std::move(name), Finding::kMissing, std::move(what), std::move(todo)};
}
Check Warning(std::string name, std::string what, std::string todo) {
  return {std::move(name), Finding::kWarning, std::move(what), std::move(todo)};
}

Check KernelVersion() {
  utsname name{};
  uname(&name);
  int major = 0;
  int minor = 0;
  if (sscanf(name.release, "%d.%d", &major, &minor) != 2)
    return Missing("kernel", fmt::format("kernel '{}' has no version that we can read", name.release),
                   "run Debian's kernel 6.1 or later");
  if (major < 6 || (major == 6 && minor < 1))
    return Missing("kernel", fmt::format("kernel {} is too old", name.release), "6.1 or later is needed");
  return Ok("kernel", fmt::format("kernel {}", name.release));
}

Check Btf() {
  const auto hook = HasLsmHook("file_open");
  if (!hook) return Missing("btf", hook.error().message, "boot a kernel built with CONFIG_DEBUG_INFO_BTF");
  if (!*hook) return Missing("btf", "the kernel has no BPF LSM hooks", "boot a kernel built with CONFIG_BPF_LSM");
  return Ok("btf", "the kernel describes its types and has BPF LSM hooks");
}

Check LsmList() {
  const auto text = ReadFile("/sys/kernel/security/lsm", kMaxBytes);
  if (!text)
    return Missing("lsm", "the list of security modules cannot be read: " + text.error().message,
                   "mount securityfs: mount -t securityfs securityfs /sys/kernel/security");
  std::istringstream modules(*text);
  std::string module;
  while (std::getline(modules, module, ','))
    if (module.substr(0, module.find('\n')) == "bpf") return Ok("lsm", "bpf is among the security modules: " + *text);
  return Missing("lsm", "bpf is not among the security modules: " + *text,
                 "add it to the kernel command line: lsm=" + *text + ",bpf");
}

Check CgroupV2() {
  struct statfs info {};
  if (statfs(kCgroupRoot, &info) != 0 || info.f_type != CGROUP2_SUPER_MAGIC)
    return Missing("cgroup", "/sys/fs/cgroup is not cgroup v2",
                   "boot with systemd.unified_cgroup_hierarchy=1");
  return Ok("cgroup", "/sys/fs/cgroup is cgroup v2");
}

Check BpfFs() {
  const auto text = ReadFile("/proc/filesystems", kMaxBytes);
  if (!text || text->find("\tbpf\n") == std::string::npos)
    return Missing("bpffs", "the kernel has no bpf file system", "boot a kernel built with CONFIG_BPF_SYSCALL");
  return Ok("bpffs", "the kernel has the bpf file system");
}

Check Capabilities() {
  if (geteuid() != 0) return Missing("root", "this is not root", "run it as root");
  const auto text = ReadFile("/proc/self/status", kMaxBytes);
  const std::size_t at = text ? text->find("CapEff:\t") : std::string::npos;
  if (at == std::string::npos) return Missing("root", "capabilities cannot be read", "mount /proc");
  const std::uint64_t held = std::stoull(text->substr(at + 8, 16), nullptr, 16);
  constexpr int kSysAdmin = 21;
  constexpr int kBpf = 39;
  for (const int capability : {kSysAdmin, kBpf})
    if (!(held >> capability & 1))
      return Missing("root", fmt::format("capability {} is not held", capability), "run it outside a container");
  return Ok("root", "the capabilities to load programs are held");
}

Check KernelLockdown() {
  const Lockdown lockdown = ReadLockdown();
  if (lockdown == Lockdown::kNone)
    return Warning("lockdown", "the kernel is not locked down: root outside governed cgroups can change it",
                   "where root must be kept out: Secure Boot, signed modules and lockdown=integrity");
  if (lockdown == Lockdown::kIntegrity) return Ok("lockdown", "the kernel is locked down: integrity");
  const auto reads = CanReadAddresses();
  if (!reads) return Missing("lockdown", reads.error().message, "boot a kernel built with CONFIG_DEBUG_INFO_BTF");
  if (*reads) return Ok("lockdown", "the kernel is locked down: confidentiality");
  return Warning("lockdown",
                 "lockdown=confidentiality keeps addresses from the gate on this kernel: it refuses every bind, connect and "
                 "send to an address",
                 "kernel 6.2 or later, or lockdown=integrity");
}

Check Time() {
  constexpr std::int64_t kYear2024 = 1'704'067'200'000;
  if (SystemClock().Utc().ms < kYear2024)
    return Warning("time", "the clock is before 2024", "set it: entries carry the time for people (boot time is what is enforced)");
  return Ok("time", "the clock is " + FormatUtc(SystemClock().Utc()));
}

Check Disk() {
  struct statvfs info {};
  const char* const where = access(kStateDir, F_OK) == 0 ? kStateDir : "/var/lib";
  if (statvfs(where, &info) != 0) return Missing("disk", fmt::format("{} cannot be read", where), "make it");
  const std::uint64_t free_mib = info.f_bavail * info.f_frsize >> 20;
  if (free_mib < 64)
    return Missing("disk", fmt::format("{} MiB are free at {}", free_mib, where), "free at least 64 MiB");
  if (free_mib < 1024)
    return Warning("disk", fmt::format("{} MiB are free at {}", free_mib, where),
                   "an entry takes about 1 KiB; a host that acts much needs more room");
  return Ok("disk", fmt::format("{} MiB are free at {}", free_mib, where));
}

Check Keys() {
  if (access(kHostKey, F_OK) != 0 || access((std::string(kLedgerDir) + "/anchor").c_str(), F_OK) != 0)
    return Missing("keys", "there is no host key or no ledger", "proofgate init");
  const auto signer = LoadSigner(kHostKey);
  if (!signer) return Missing("keys", signer.error().message, "restore the key, or the ledger cannot go on");
  return Ok("keys", "the host key is " + (*signer)->public_key().OpenSsh());
}

}  // namespace

Lockdown ReadLockdown() {
  const auto text = ReadFile("/sys/kernel/security/lockdown", kMaxBytes);
  if (!text) return Lockdown::kNone;
  if (text->find("[confidentiality]") != std::string::npos) return Lockdown::kConfidentiality;
  return text->find("[integrity]") != std::string::npos ? Lockdown::kIntegrity : Lockdown::kNone;
}

std::vector<Check> ProbeHost() {
  return {KernelVersion(), Btf(), LsmList(), CgroupV2(), BpfFs(), Capabilities(), KernelLockdown(),
          Time(), Disk(), Keys()};
}

bool CanEnforce(const std::vector<Check>& checks) {
  for (const Check& check : checks)
    if (check.finding == Finding::kMissing && check.name != "keys") return false;
  return true;
}

}  // namespace proofgate::agent
