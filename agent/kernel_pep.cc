#include "agent/kernel_pep.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <vector>

#include "agent/cgroup.h"
#include "agent/notify.h"
#include "agent/probe.h"
#include "base/bytes.h"
#include "pep.skel.h"

namespace proofgate::agent {
namespace {

constexpr std::size_t kRingBytes = 8u << 20;  // about 12,000 records
constexpr long kBpfFsMagic = 0xcafe4a11;
constexpr std::array kMaps = {"labels",         "governed_cgroups", "named_cgroups",  "marks",
                              "grants",         "addresses",        "receipts",       "domains",
                              ".data.settings", "openings",         "denial_windows", "rings",
                              ".data.presence", "bindings",         "label_rows",     "opening_rows",
                              ".data.epochs"};

// The name of a map's pin: bpffs reserves names with a point.
std::string PinName(std::string_view map) {
  constexpr std::string_view kSection = ".data.";
  return std::string(map.starts_with(kSection) ? map.substr(kSection.size()) : map);
}

using Btf = std::unique_ptr<btf, decltype(&btf__free)>;
using Skeleton = std::unique_ptr<pep, decltype(&pep::destroy)>;

Result<Btf> KernelBtf() {
  Btf kernel(btf__load_vmlinux_btf(), btf__free);
  if (!kernel) return Fail(Code::kUnsupported, "/sys/kernel/btf/vmlinux: no kernel type information");
  return kernel;
}

Result<std::uint32_t> CountArguments(const btf& kernel, const char* function) {
  const int id = btf__find_by_name_kind(&kernel, function, BTF_KIND_FUNC);
  if (id <= 0) return Fail(Code::kUnsupported, fmt::format("kernel: no function {}", function));
  const btf_type* const type = btf__type_by_id(&kernel, static_cast<__u32>(id));
  return btf_vlen(btf__type_by_id(&kernel, type->type));
}

// Whether a program may read through a pointer that the kernel gave it untyped.
bool CanCast(const btf& kernel) {
  return btf__find_by_name_kind(&kernel, "bpf_rdonly_cast", BTF_KIND_FUNC) > 0;
}

Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return FailErrno(errno, "mkdir " + path);
  return {};
}

Status MountBpfFs(const std::string& dir) {
  TRY(MakeDirectory(dir));
  struct statfs info {};
  if (statfs(dir.c_str(), &info) != 0) return FailErrno(errno, dir);
  if (info.f_type != kBpfFsMagic &&
      mount("proofgate", dir.c_str(), "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
    return FailErrno(errno, "mount bpffs at " + dir);
  for (const char* below : {"/maps", "/rings"}) TRY(MakeDirectory(dir + below));
  return {};
}

std::vector<std::string> ListDirectory(const std::string& path) {
  std::vector<std::string> names;
  DIR* const dir = opendir(path.c_str());
  if (dir == nullptr) return names;
  while (const dirent* const entry = readdir(dir))
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  closedir(dir);
  return names;
}

void RemovePins(const std::string& dir) {
  for (const std::string& name : ListDirectory(dir)) unlink((dir + "/" + name).c_str());
  rmdir(dir.c_str());
}

Result<Fd> OpenPin(const std::string& path) {
  const int fd = bpf_obj_get(path.c_str());
  if (fd < 0) return FailErrno(fd, path);
  return Fd(fd);
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// libbpf's own words go to standard error, warnings and worse only.
int Print(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  return vfprintf(stderr, format, arguments);
}

// A shared mapping of an array map.
template <class T>
class Mapping {
 public:
  static Result<Mapping> Of(int fd, std::size_t count) {
    const std::size_t bytes = (sizeof(T) + 7) / 8 * 8 * count;
    void* const at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) return FailErrno(errno, "map an array of the gate");
    return Mapping(static_cast<std::byte*>(at), bytes);
  }
  Mapping(Mapping&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)), bytes_(other.bytes_) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(at_, other.at_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Mapping() {
    if (at_ != nullptr) munmap(at_, bytes_);
  }
  T& operator[](std::size_t index) const {
    return *reinterpret_cast<T*>(at_ + (sizeof(T) + 7) / 8 * 8 * index);
  }

 private:
  Mapping(std::byte* at, std::size_t bytes) : at_(at), bytes_(bytes) {}
  std::byte* at_;
  std::size_t bytes_;
};

std::uint64_t Load(const std::uint64_t& value) {
  return __atomic_load_n(&value, __ATOMIC_RELAXED);
}

class KernelPep final : public Pep {
 public:
  KernelPep(std::string dir, std::string build, std::map<std::string, Fd> links,
            std::map<std::string, Fd> maps, Mapping<receipt_slot> receipts,
            Mapping<exec_binding> bindings, Mapping<domain_state> domains, Mapping<gate_settings> settings,
            Mapping<gate_epochs> epochs)
      : dir_(std::move(dir)),
        build_(std::move(build)),
        links_(std::move(links)),
        maps_(std::move(maps)),
        receipts_(std::move(receipts)),
        bindings_(std::move(bindings)),
        domains_(std::move(domains)),
        settings_(std::move(settings)),
        epochs_(std::move(epochs)) {}

  Status Start(gid_t state_group) {
    state_group_ = state_group;
    __u64 none = 0;
    __atomic_compare_exchange_n(&settings_[0].next_object, &none, FIRST_OBJECT, false,
                                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    struct stat info {};
    if (stat(dir_.c_str(), &info) != 0) return FailErrno(errno, dir_);
    guard_dev_ = (major(info.st_dev) << 20) | minor(info.st_dev);
    CheckSettings();
    return TryCgroupNames();
  }

  bool CheckSettings() override {
    gate_settings& settings = settings_[0];
    const auto daemon = static_cast<__u32>(getpid());
    const bool right = settings.guard_dev == guard_dev_ && settings.daemon_tgid == daemon &&
                       settings.state_gid == state_group_;
    settings.guard_dev = guard_dev_;
    settings.state_gid = state_group_;
    settings.daemon_tgid = daemon;
    return right;
  }

  Status Guard(int fd) override {
    const mark own{CLASS_GUARDED};
    const int error = bpf_map_update_elem(MapFd("marks"), &fd, &own, BPF_ANY);
    if (error != 0) return FailErrno(error, "guard an inode");
    return {};
  }

  Result<std::uint64_t> Mark(int fd) override {
    const int map = MapFd("marks");
    mark found{};
    if (bpf_map_lookup_elem(map, &fd, &found) == 0 && found.object != 0) return found.object;
    found.object = __atomic_fetch_add(&settings_[0].next_object, 1, __ATOMIC_SEQ_CST);
    const int error = bpf_map_update_elem(map, &fd, &found, BPF_NOEXIST);
    if (error == 0) return found.object;
    // The gate numbered it in between.
    if (bpf_map_lookup_elem(map, &fd, &found) == 0 && found.object != 0) return found.object;
    return FailErrno(error, "mark an inode");
  }

  receipt_slot ReadSlot(std::uint32_t slot) const override {
    receipt_slot copy = receipts_[slot];
    copy.used = Load(receipts_[slot].used);
    copy.checked = Load(receipts_[slot].checked);
    return copy;
  }

  void WriteSlot(std::uint32_t slot, const receipt_slot& receipt) override {
    receipt_slot& at = receipts_[slot];
    __atomic_store_n(&at.state, SLOT_FREE, __ATOMIC_SEQ_CST);
    receipt_slot copy = receipt;
    copy.state = SLOT_FREE;
    copy.used = 0;
    copy.checked = 0;
    std::memcpy(&at, &copy, sizeof(at));
    __atomic_store_n(&at.state, receipt.state, __ATOMIC_SEQ_CST);
  }

  exec_binding ReadBinding(std::uint32_t row) const override { return bindings_[row]; }

  // The gate takes a row only when its `gen` is the receipt's, before and after
  // it has compared.
  void WriteBinding(std::uint32_t row, const exec_binding& binding) override {
    exec_binding& at = bindings_[row];
    __atomic_store_n(&at.gen, 0, __ATOMIC_SEQ_CST);
    exec_binding copy = binding;
    copy.gen = 0;
    std::memcpy(&at, &copy, sizeof(at));
    __atomic_store_n(&at.gen, binding.gen, __ATOMIC_SEQ_CST);
  }

  void SetState(std::uint32_t slot, slot_state state) override {
    __atomic_store_n(&receipts_[slot].state, state, __ATOMIC_SEQ_CST);
  }

  void SetExpiry(std::uint32_t slot, std::uint64_t boot_ns) override {
    __atomic_store_n(&receipts_[slot].expires_boot_ns, boot_ns, __ATOMIC_SEQ_CST);
  }

  std::uint32_t ReadEpoch(std::uint32_t domain) const override {
    return __atomic_load_n(&epochs_[0].domains[domain], __ATOMIC_SEQ_CST);
  }
  void SetEpoch(std::uint32_t domain, std::uint32_t epoch) override {
    __atomic_store_n(&epochs_[0].domains[domain], epoch, __ATOMIC_SEQ_CST);
  }

  Status WriteGrants(const grant_key& key, std::span<const grant> grants) override {
    return WriteRow("grants", &key, grants);
  }
  Status WriteAddresses(const address_key& key, std::span<const grant> grants) override {
    return WriteRow("addresses", &key, grants);
  }

  Status KeepOnly(const std::set<std::string>& keep,
                  const std::set<std::string>& keep_addresses) override {
    TRY(KeepRows<grant_key>("grants", keep));
    return KeepRows<address_key>("addresses", keep_addresses);
  }

  Status ForgetDenials(std::uint32_t domain) override {
    const int map = MapFd("denial_windows");
    std::vector<denial_key> keys(1024);  // more than a bucket can hold
    std::vector<denial_window> windows(keys.size());
    std::uint32_t batch = 0;
    for (bool more = true, first = true; more; first = false) {
      auto count = static_cast<std::uint32_t>(keys.size());
      const int error = bpf_map_lookup_batch(map, first ? nullptr : &batch, &batch, keys.data(), windows.data(), &count, nullptr);
      if (error != 0 && error != -ENOENT) return FailErrno(error, "read denial_windows");
      more = error == 0;
      for (std::uint32_t i = 0; i < count; ++i)
        if (keys[i].domain == domain) bpf_map_delete_elem(map, &keys[i]);  // it may be gone by itself
    }
    return {};
  }

  Status Govern(std::uint64_t cgroup_id, std::uint32_t domain) override {
    const int error = bpf_map_update_elem(MapFd("governed_cgroups"), &cgroup_id, &domain, BPF_ANY);
    if (error != 0) return FailErrno(error, "govern a cgroup");
    return {};
  }

  Status Ungovern(std::uint64_t cgroup_id) override {
    const int error = bpf_map_delete_elem(MapFd("governed_cgroups"), &cgroup_id);
    if (error != 0 && error != -ENOENT) return FailErrno(error, "leave a cgroup");
    return {};
  }

  Result<std::set<int>> Adopt() override {
    std::set<int> labelled;
    const std::string lines = TRY(Iterate("pep_adopt"));
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t end = lines.find('\n', at);
      int tid = 0;
      int result = 0;
      if (sscanf(lines.c_str() + at, "%d %d", &tid, &result) != 2)
        return Fail(Code::kCorrupt, "adopt: the iterator's line is not \"thread result\"");
      if (result != 1) return Fail(Code::kBusy, fmt::format("adopt: no label for thread {}", tid));
      labelled.insert(tid);
      if (end == std::string::npos) break;
      at = end + 1;
    }
    return labelled;
  }

  Status Release(std::uint64_t cgroup_id) override {
    __atomic_store_n(&settings_[0].release_cgroup, cgroup_id, __ATOMIC_SEQ_CST);
    const auto done = Iterate("pep_release");
    __atomic_store_n(&settings_[0].release_cgroup, 0, __ATOMIC_SEQ_CST);
    TRY(done);
    return {};
  }

  Result<std::uint64_t> CountLabels() const override {
    const auto rows = TRY(Mapping<label>::Of(MapFd("label_rows"), 1 << PRESENCE_BITS));
    std::uint64_t count = 0;
    for (std::size_t row = 0; row < 1 << PRESENCE_BITS; ++row) count += Load(rows[row].owner) != 0;
    const std::uint64_t most = count + MAX_LABELS;
    const int map = MapFd("labels");
    std::uint64_t key = 0;
    std::uint64_t next = 0;
    const std::uint64_t* from = nullptr;
    while (count < most && bpf_map_get_next_key(map, from, &next) == 0) {
      ++count;
      key = next;
      from = &key;
    }
    return count;
  }

  Result<std::map<std::uint64_t, std::uint32_t>> Governed() const override {
    std::map<std::uint64_t, std::uint32_t> rows;
    std::uint64_t key = 0;
    std::uint64_t next = 0;
    const std::uint64_t* from = nullptr;
    while (bpf_map_get_next_key(MapFd("governed_cgroups"), from, &next) == 0) {
      std::uint32_t domain = 0;
      if (bpf_map_lookup_elem(MapFd("governed_cgroups"), &next, &domain) == 0) rows[next] = domain;
      key = next;
      from = &key;
    }
    return rows;
  }

  Status NameCgroups(const std::map<std::string, std::uint32_t>& domains) override {
    std::map<std::uint64_t, std::uint32_t> names;
    for (const auto& [path, domain] : domains) names[TRY(CgroupName(path))] = domain;
    const int map = MapFd("named_cgroups");
    for (const auto& [name, domain] : names) {
      const int error = bpf_map_update_elem(map, &name, &domain, BPF_ANY);
      if (error != 0) return FailErrno(error, "name a cgroup");
    }
    std::vector<std::uint64_t> gone;
    std::uint64_t key = 0;
    std::uint64_t next = 0;
    const std::uint64_t* from = nullptr;
    while (bpf_map_get_next_key(map, from, &next) == 0) {
      if (!names.contains(next)) gone.push_back(next);
      key = next;
      from = &key;
    }
    for (const std::uint64_t name : gone) bpf_map_delete_elem(map, &name);
    return {};
  }

  Result<std::map<std::string, std::string>> Inspect() override {
    std::map<std::string, std::string> parts{{"build", build_}};
    const std::string links = dir_ + "/links-" + build_;
    for (const auto& [name, fd] : links_) {
      parts["program " + name] = TRY(DescribeLink(fd.get()));
      TRY(CheckPin(fd.get(), links + "/" + name, parts));
    }
    for (const auto& [name, fd] : maps_) {
      parts["map " + name] = TRY(DescribeMap(fd.get()));
      TRY(CheckPin(fd.get(), dir_ + "/maps/" + name, parts));
    }
    for (const auto& [domain, open] : rings_)
      TRY(CheckPin(open.fd.get(), fmt::format("{}/rings/{}", dir_, domain), parts));
    return parts;
  }

  Status OpenDomain(std::uint32_t domain, Judgement judgement) override {
    if (!rings_.contains(domain)) {
      const std::string pin = fmt::format("{}/rings/{}", dir_, domain);
      Fd fd;
      if (Exists(pin)) {
        fd = TRY(OpenPin(pin));
      } else {
        const int made = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, kRingBytes, nullptr);
        if (made < 0) return FailErrno(made, "make a ring");
        fd = Fd(made);
        const int error = bpf_obj_pin(made, pin.c_str());
        if (error != 0) return FailErrno(error, "pin " + pin);
        StoreFd(fmt::format("ring.{}", domain), made);
      }
      const int ring_fd = fd.get();
      const int error = bpf_map_update_elem(MapFd("rings"), &domain, &ring_fd, BPF_ANY);
      if (error != 0) return FailErrno(error, "put a ring into force");
      bpf_map_info info{};
      __u32 size = sizeof(info);
      const int asked = bpf_obj_get_info_by_fd(ring_fd, &info, &size);
      if (asked != 0) return FailErrno(asked, "ask for a ring's id");
      Ring mapped = TRY(Ring::Map(ring_fd, kRingBytes));
      rings_.emplace(domain, OpenRing{std::move(fd), std::move(mapped), std::to_string(info.id)});
    }
    const __u32 judges_reads = judgement.reads ? 1 : 0;
    __u32 some = judges_reads;
    for (std::uint32_t other = 1; other < MAX_DOMAINS; ++other)
      if (other != domain) some |= domains_[other].judges_reads;
    __atomic_store_n(&domains_[domain].judges_reads, judges_reads, __ATOMIC_SEQ_CST);
    __atomic_store_n(&settings_[0].judges_reads, some, __ATOMIC_SEQ_CST);
    __atomic_store_n(&domains_[domain].mode, judgement.mode, __ATOMIC_SEQ_CST);
    return {};
  }

  domain_state ReadDomain(std::uint32_t domain) const override {
    const domain_state& at = domains_[domain];
    domain_state copy{};
    copy.mode = at.mode;
    copy.judges_reads = at.judges_reads;
    copy.tasks = Load(at.tasks);
    copy.act_seq = Load(at.act_seq);
    copy.deny_seq = Load(at.deny_seq);
    copy.unrecorded = Load(at.unrecorded);
    for (int code = 0; code < MAX_CODES; ++code) copy.denials[code] = Load(at.denials[code]);
    copy.would_deny = Load(at.would_deny);
    return copy;
  }

  Ring& ring(std::uint32_t domain) override { return rings_.at(domain).ring; }
  std::string ring_id(std::uint32_t domain) const override { return rings_.at(domain).id; }
  gate_settings ReadSettings() const override { return settings_[0]; }
  std::string Describe() const override {
    return fmt::format("build {}, {} programs attached", build_, links_.size());
  }

 private:
  struct OpenRing {
    Fd fd;
    Ring ring;
    std::string id;
  };

  int MapFd(const std::string& name) const { return maps_.at(name).get(); }

  // Our own computation of a cgroup's name must be the kernel's: a cgroup made
  // for the purpose must be governed by its name when mkdir returns.
  Status TryCgroupNames() {
    const std::string path = fmt::format("/proofgate-try-{}", getpid());
    const std::string dir = "/sys/fs/cgroup" + path;
    const std::uint64_t name = TRY(CgroupName(path));
    const __u32 domain = MAX_DOMAINS;  // none
    const int error = bpf_map_update_elem(MapFd("named_cgroups"), &name, &domain, BPF_ANY);
    if (error != 0) return FailErrno(error, "name a cgroup");
    const bool made = mkdir(dir.c_str(), 0700) == 0;
    const int why = errno;
    struct stat info {};
    __u32 found = 0;
    const bool governed = made && stat(dir.c_str(), &info) == 0 &&
                          bpf_map_lookup_elem(MapFd("governed_cgroups"), &info.st_ino, &found) == 0;
    bpf_map_delete_elem(MapFd("named_cgroups"), &name);
    if (made) rmdir(dir.c_str());
    if (!made) return FailErrno(why, dir);
    if (!governed || found != domain)
      return Fail(Code::kUnsupported, "this kernel names cgroups in another way than we know");
    if (bpf_map_lookup_elem(MapFd("governed_cgroups"), &info.st_ino, &found) == 0)
      return Fail(Code::kUnsupported, "this kernel does not tell when a cgroup goes");
    return {};
  }

  static Result<std::string> DescribeLink(int fd) {
    bpf_link_info link{};
    __u32 size = sizeof(link);
    const int asked = bpf_obj_get_info_by_fd(fd, &link, &size);
    if (asked != 0) return FailErrno(asked, "ask about a link");
    const Fd program(bpf_prog_get_fd_by_id(link.prog_id));
    if (!program.is_open()) return FailErrno(errno, fmt::format("open program {}", link.prog_id));
    std::array<__u32, 64> maps{};
    bpf_prog_info info{};
    info.nr_map_ids = maps.size();
    info.map_ids = reinterpret_cast<std::uintptr_t>(maps.data());
    size = sizeof(info);
    const int told = bpf_obj_get_info_by_fd(program.get(), &info, &size);
    if (told != 0) return FailErrno(told, fmt::format("ask about program {}", link.prog_id));
    const auto count = std::min<std::size_t>(info.nr_map_ids, maps.size());
    std::sort(maps.begin(), maps.begin() + static_cast<std::ptrdiff_t>(count));
    std::string ids;
    for (std::size_t i = 0; i < count; ++i) ids += fmt::format("{}{}", i == 0 ? "" : ",", maps[i]);
    return fmt::format("link {} program {} tag {} maps {}", link.id, info.id,
                       Hex({reinterpret_cast<const char*>(info.tag), sizeof(info.tag)}), ids);
  }

  static Result<std::string> DescribeMap(int fd) {
    bpf_map_info info{};
    __u32 size = sizeof(info);
    const int asked = bpf_obj_get_info_by_fd(fd, &info, &size);
    if (asked != 0) return FailErrno(asked, "ask about a map");
    return fmt::format("id {} type {} key {} value {} entries {}", info.id, info.type, info.key_size,
                       info.value_size, info.max_entries);
  }

  // A pin that is gone is put back, and is a difference once.
  static Status CheckPin(int fd, const std::string& pin, std::map<std::string, std::string>& parts) {
    if (Exists(pin)) return {};
    const int error = bpf_obj_pin(fd, pin.c_str());
    parts["pin " + pin] = error == 0 ? "was gone and is there again" : "is gone";
    return {};
  }

  Status WriteRow(const char* map, const void* key, std::span<const grant> grants) {
    if (grants.empty()) {
      const int error = bpf_map_delete_elem(MapFd(map), key);
      if (error != 0 && error != -ENOENT) return FailErrno(error, fmt::format("{}: remove a row", map));
      return {};
    }
    if (grants.size() > MAX_GRANTS_PER_OBJECT)
      return Fail(Code::kBusy, fmt::format("more than {} live receipts name one object",
                                           static_cast<int>(MAX_GRANTS_PER_OBJECT)));
    grant_list list{};
    if (std::string_view(map) == "grants") std::memcpy(&list.of, key, sizeof list.of);
    list.count = static_cast<__u32>(grants.size());
    std::memcpy(list.grants, grants.data(), grants.size_bytes());
    const int error = bpf_map_update_elem(MapFd(map), key, &list, BPF_ANY);
    if (error == -E2BIG || error == -ENOSPC)
      return Fail(Code::kBusy, fmt::format("{}: the table is full", map));
    if (error != 0) return FailErrno(error, fmt::format("{}: write a row", map));
    return {};
  }

  template <class Key>
  Status KeepRows(const char* map, const std::set<std::string>& keep) {
    std::vector<Key> remove;
    Key key{};
    const Key* from = nullptr;
    Key next{};
    while (bpf_map_get_next_key(MapFd(map), from, &next) == 0) {
      if (!keep.contains(KeyBytes(next))) remove.push_back(next);
      key = next;
      from = &key;
    }
    for (const Key& gone : remove) TRY(WriteRow(map, &gone, {}));
    return {};
  }

  Result<std::string> Iterate(const char* program) {
    const Fd link = TRY(OpenPin(fmt::format("{}/links-{}/{}", dir_, build_, program)));
    const int fd = bpf_iter_create(link.get());
    if (fd < 0) return FailErrno(fd, fmt::format("iterate {}", program));
    const Fd iterator(fd);
    std::string lines;
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t got = read(iterator.get(), buffer.data(), buffer.size());
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got < 0) return FailErrno(errno, fmt::format("iterate {}", program));
      if (got == 0) return lines;
      lines.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }

  const std::string dir_;
  const std::string build_;
  const std::map<std::string, Fd> links_;
  std::map<std::string, Fd> maps_;
  Mapping<receipt_slot> receipts_;
  Mapping<exec_binding> bindings_;
  Mapping<domain_state> domains_;
  Mapping<gate_settings> settings_;
  Mapping<gate_epochs> epochs_;
  std::map<std::uint32_t, OpenRing> rings_;
  gid_t state_group_ = 0;
  __u32 guard_dev_ = 0;
};

// Chooses what this kernel has: hooks by name, arguments by count.
Status Fit(pep& skeleton) {
  const Btf kernel = TRY(KernelBtf());
  skeleton.rodata->setattr_has_idmap =
      TRY(CountArguments(*kernel, "bpf_lsm_inode_setattr")) == 3 ? 1 : 0;
  constexpr __u32 kCast = 1;  // enum of bpf/net.h
  constexpr __u32 kNone = 2;
  if (CanCast(*kernel))
    skeleton.rodata->kernel_reads = kCast;
  else if (ReadLockdown() == Lockdown::kConfidentiality)
    skeleton.rodata->kernel_reads = kNone;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton.obj) {
    if (bpf_program__autoload(program)) continue;
    const std::string_view section = bpf_program__section_name(program);
    const std::string name(section.substr(section.find('/') + 1));
    const std::string hook = section.find("lsm") == std::string_view::npos ? name : "bpf_lsm_" + name;
    if (btf__find_by_name_kind(kernel.get(), hook.c_str(), BTF_KIND_FUNC) > 0)
      bpf_program__set_autoload(program, true);
  }
  return {};
}

std::vector<std::string> ProgramNames(const pep& skeleton) {
  std::vector<std::string> names;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton.obj) {
    if (bpf_program__autoload(program)) names.emplace_back(bpf_program__name(program));
  }
  return names;
}

// The gate of an earlier daemon lets only the daemon it knows change the bpffs.
Status TakeOver(const std::string& dir) {
  const std::string pin = dir + "/maps/settings";
  if (!Exists(pin)) return {};
  const Fd fd = TRY(OpenPin(pin));
  const auto settings = TRY(Mapping<gate_settings>::Of(fd.get(), 1));
  settings[0].daemon_tgid = static_cast<__u32>(getpid());
  return {};
}

// Pins what PID 1 kept for us and somebody took out of the bpffs.
Status RestorePins(const std::string& dir, const std::string& build,
                   const std::map<std::string, Fd>& stored) {
  for (const auto& [name, fd] : stored) {
    std::string pin;
    if (name.starts_with("map.")) pin = dir + "/maps/" + name.substr(4);
    if (name.starts_with("ring.")) pin = dir + "/rings/" + name.substr(5);
    const std::string ours = "link." + build + ".";
    if (name.starts_with(ours)) {
      TRY(MakeDirectory(dir + "/links-" + build));
      pin = dir + "/links-" + build + "/" + name.substr(ours.size());
    }
    if (pin.empty() || Exists(pin)) continue;
    const int error = bpf_obj_pin(fd.get(), pin.c_str());
    if (error != 0) return FailErrno(error, "pin " + pin);
    fprintf(stderr, "pinned %s again: it had been removed\n", pin.c_str());
  }
  return {};
}

Status LoadAndAttach(pep& skeleton, const std::string& dir, const std::string& links) {
  // What counts rows can be relied on if it began with them.
  skeleton.data_presence->presence.whole = Exists(dir + "/maps/labels") ? 0 : 1;
  for (const char* name : kMaps) {
    bpf_map* const map = bpf_object__find_map_by_name(skeleton.obj, name);
    if (map == nullptr) return Fail(Code::kCorrupt, fmt::format("gate: no map {}", name));
    const int error = bpf_map__set_pin_path(map, (dir + "/maps/" + PinName(name)).c_str());
    if (error != 0) return FailErrno(error, fmt::format("gate: map {}", name));
  }
  const int loaded = pep::load(&skeleton);
  if (loaded != 0) {
    auto failure = FailErrno(loaded, "load the gate into the kernel");
    failure.value().code = Code::kUnsupported;
    return failure;
  }
  std::map<std::string, std::unique_ptr<bpf_link, decltype(&bpf_link__destroy)>> attached;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton.obj) {
    if (!bpf_program__autoload(program)) continue;
    bpf_link* const link = bpf_program__attach(program);
    if (link == nullptr) {
      auto failure = FailErrno(errno, fmt::format("attach {}", bpf_program__name(program)));
      failure.value().code = Code::kUnsupported;
      return failure;
    }
    attached.try_emplace(bpf_program__name(program), link, bpf_link__destroy);
  }
  RemovePins(links);
  TRY(MakeDirectory(links));
  for (const auto& [name, link] : attached) {
    const int error = bpf_obj_pin(bpf_link__fd(link.get()), (links + "/" + name).c_str());
    if (error != 0) return FailErrno(error, "pin " + links + "/" + name);
  }
  return {};
}

// Gives PID 1 every pinned map, ring and link of this build that it does not
// hold. It drops them all when the unit is stopped, so a start that takes up
// what is pinned has them to give as well.
Status StorePins(const std::string& dir, const std::string& build,
                 const std::map<std::string, Fd>& stored) {
  const std::pair<std::string, std::string> places[] = {
      {"map.", dir + "/maps"},
      {"ring.", dir + "/rings"},
      {"link." + build + ".", dir + "/links-" + build},
  };
  for (const auto& [prefix, directory] : places) {
    for (const std::string& name : ListDirectory(directory)) {
      if (stored.contains(prefix + name)) continue;
      const Fd fd = TRY(OpenPin(directory + "/" + name));
      StoreFd(prefix + name, fd.get());
    }
  }
  return {};
}

}  // namespace

Result<bool> HasLsmHook(const std::string& hook) {
  const Btf kernel = TRY(KernelBtf());
  return btf__find_by_name_kind(kernel.get(), ("bpf_lsm_" + hook).c_str(), BTF_KIND_FUNC) > 0;
}

Result<bool> CanReadAddresses() {
  const Btf kernel = TRY(KernelBtf());
  return CanCast(*kernel) || ReadLockdown() != Lockdown::kConfidentiality;
}

Result<std::unique_ptr<Pep>> OpenKernelPep(const std::string& dir,
                                           std::map<std::string, Fd> stored,
                                           gid_t state_group) {
  libbpf_set_print(Print);
  TRY(MountBpfFs(dir));
  size_t size = 0;
  const char* const elf = static_cast<const char*>(pep::elf_bytes(&size));
  const std::string build = Hex(Sha256(std::string_view(elf, size))).substr(0, 12);
  TRY(TakeOver(dir));
  TRY(RestorePins(dir, build, stored));

  Skeleton skeleton(pep::open(nullptr), pep::destroy);
  if (!skeleton) return FailErrno(errno, "open the gate");
  TRY(Fit(*skeleton));
  const std::vector<std::string> programs = ProgramNames(*skeleton);
  const std::string links = dir + "/links-" + build;
  bool complete = true;
  for (const std::string& name : programs) complete = complete && Exists(links + "/" + name);
  if (!complete) {
    TRY(LoadAndAttach(*skeleton, dir, links));
  }

  std::map<std::string, Fd> maps;
  for (const char* name : kMaps) {
    maps[PinName(name)] = TRY(OpenPin(dir + "/maps/" + PinName(name)));
  }
  TRY(StorePins(dir, build, stored));
  auto receipts = TRY(Mapping<receipt_slot>::Of(maps["receipts"].get(), MAX_RECEIPTS));
  auto bindings = TRY(Mapping<exec_binding>::Of(maps["bindings"].get(), MAX_BINDINGS));
  auto domains = TRY(Mapping<domain_state>::Of(maps["domains"].get(), MAX_DOMAINS));
  auto settings = TRY(Mapping<gate_settings>::Of(maps["settings"].get(), 1));
  auto epochs = TRY(Mapping<gate_epochs>::Of(maps["epochs"].get(), 1));
  std::map<std::string, Fd> held;
  for (const std::string& name : programs) held[name] = TRY(OpenPin(links + "/" + name));
  auto opened = std::make_unique<KernelPep>(dir, build, std::move(held), std::move(maps),
                                            std::move(receipts), std::move(bindings), std::move(domains),
                                            std::move(settings), std::move(epochs));
  TRY(opened->Start(state_group));
  // What another build left goes only now that this one acts.
  for (const std::string& name : ListDirectory(dir)) {
    if (!name.starts_with("links-") || name == "links-" + build) continue;
    for (const std::string& program : ListDirectory(dir + "/" + name))
      RemoveStoredFd("link." + name.substr(6) + "." + program);
    RemovePins(dir + "/" + name);
  }
  return opened;
}

}  // namespace proofgate::agent
