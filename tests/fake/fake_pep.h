// FakePep: the enforcement point as maps in memory. Inodes are numbered by
// (device, inode), which is good enough for files that tests keep.

#ifndef PROOFGATE_TESTS_FAKE_FAKE_PEP_H_
#define PROOFGATE_TESTS_FAKE_FAKE_PEP_H_

#include <sys/stat.h>

#include <cstring>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "agent/pep.h"

namespace proofgate::agent {

// A ring as the kernel lays it out: the data is mapped twice in a row, which a
// buffer of twice the size stands in for while nothing wraps.
struct FakeRing {
  static constexpr std::size_t kSize = 1 << 16;
  std::uint64_t consumer = 0;
  std::uint64_t producer = 0;
  std::vector<std::uint64_t> data = std::vector<std::uint64_t>(2 * kSize / 8);
  Ring ring{&consumer, &producer, reinterpret_cast<const std::byte*>(data.data()), kSize};

  enum class Entry : std::uint32_t { kDone = 0, kBusy = 1u << 31, kDiscarded = 1u << 30 };
  void Produce(const void* bytes, std::uint32_t length, Entry entry = Entry::kDone) {
    auto* const at = reinterpret_cast<std::byte*>(data.data()) + (producer & (kSize - 1));
    const std::uint32_t header = length | static_cast<std::uint32_t>(entry);
    std::memcpy(at, &header, sizeof(header));
    std::memcpy(at + 8, bytes, length);
    producer += (length + 8 + 7) / 8 * 8;
  }
};

struct FakeKernel {  // outlives the daemon, as the pinned maps do
  std::map<std::pair<dev_t, ino_t>, std::uint64_t> marks;
  std::vector<receipt_slot> slots = std::vector<receipt_slot>(MAX_RECEIPTS);
  std::vector<exec_binding> bindings = std::vector<exec_binding>(MAX_BINDINGS);
  std::map<std::string, std::vector<grant>> grants;
  std::map<std::string, std::vector<grant>> addresses;
  std::map<std::uint64_t, std::uint32_t> cgroups;
  std::map<std::uint32_t, domain_state> domains;
  std::map<std::uint32_t, std::unique_ptr<FakeRing>> rings;
  std::uint64_t next_object = FIRST_OBJECT;
  std::map<std::string, std::uint32_t> named;
  std::map<std::string, std::string> parts{{"build", "fake"}, {"program pep_kill", "link 1 program 2 tag 3"}, {"map labels", "id 1"}};
  bool settings_right = true;
  std::map<std::uint32_t, std::uint32_t> epochs;
  int rows_until_full = 1 << 30;
};

class FakePep final : public Pep {
 public:
  explicit FakePep(FakeKernel& kernel) : kernel_(kernel) {}

  Result<std::uint64_t> Mark(int fd) override {
    struct stat info {};
    if (fstat(fd, &info) != 0) return FailErrno(errno, "fstat");
    std::uint64_t& object = kernel_.marks[{info.st_dev, info.st_ino}];
    if (object == 0) object = kernel_.next_object++;
    return object;
  }
  Status Guard(int fd) override {
    struct stat info {};
    if (fstat(fd, &info) != 0) return FailErrno(errno, "fstat");
    kernel_.marks[{info.st_dev, info.st_ino}] = CLASS_GUARDED;
    return {};
  }
  receipt_slot ReadSlot(std::uint32_t slot) const override { return kernel_.slots[slot]; }
  void WriteSlot(std::uint32_t slot, const receipt_slot& receipt) override {
    kernel_.slots[slot] = receipt;
    kernel_.slots[slot].used = 0;
    kernel_.slots[slot].checked = 0;
  }
  exec_binding ReadBinding(std::uint32_t row) const override { return kernel_.bindings[row]; }
  void WriteBinding(std::uint32_t row, const exec_binding& binding) override {
    kernel_.bindings[row] = binding;
  }
  void SetState(std::uint32_t slot, slot_state state) override { kernel_.slots[slot].state = state; }
  void SetExpiry(std::uint32_t slot, std::uint64_t boot_ns) override {
    kernel_.slots[slot].expires_boot_ns = boot_ns;
  }
  std::uint32_t ReadEpoch(std::uint32_t domain) const override {
    const auto at = kernel_.epochs.find(domain);
    return at == kernel_.epochs.end() ? 0 : at->second;
  }
  void SetEpoch(std::uint32_t domain, std::uint32_t epoch) override { kernel_.epochs[domain] = epoch; }
  Status WriteGrants(const grant_key& key, std::span<const grant> grants) override {
    return Write(kernel_.grants, KeyBytes(key), grants);
  }
  Status WriteAddresses(const address_key& key, std::span<const grant> grants) override {
    return Write(kernel_.addresses, KeyBytes(key), grants);
  }
  Status KeepOnly(const std::set<std::string>& keep, const std::set<std::string>& keep_addresses) override {
    std::erase_if(kernel_.grants, [&](const auto& row) { return !keep.contains(row.first); });
    std::erase_if(kernel_.addresses, [&](const auto& row) { return !keep_addresses.contains(row.first); });
    return {};
  }
  Status Govern(std::uint64_t id, std::uint32_t domain) override {
    kernel_.cgroups[id] = domain;
    return {};
  }
  Status Ungovern(std::uint64_t id) override {
    kernel_.cgroups.erase(id);
    return {};
  }
  Result<std::set<int>> Adopt() override { return std::set<int>{}; }
  Status Release(std::uint64_t) override { return {}; }
  Result<std::uint64_t> CountLabels() const override { return 0; }
  Result<std::map<std::uint64_t, std::uint32_t>> Governed() const override { return kernel_.cgroups; }
  Status NameCgroups(const std::map<std::string, std::uint32_t>& domains) override {
    kernel_.named = domains;
    return {};
  }
  Result<std::map<std::string, std::string>> Inspect() override { return kernel_.parts; }
  bool CheckSettings() override { return std::exchange(kernel_.settings_right, true); }
  Status OpenDomain(std::uint32_t domain, Judgement judgement) override {
    if (!kernel_.rings.contains(domain)) kernel_.rings[domain] = std::make_unique<FakeRing>();
    kernel_.domains[domain].mode = judgement.mode;
    kernel_.domains[domain].judges_reads = judgement.reads ? 1 : 0;
    return {};
  }
  domain_state ReadDomain(std::uint32_t domain) const override { return kernel_.domains.at(domain); }
  Ring& ring(std::uint32_t domain) override { return kernel_.rings.at(domain)->ring; }
  std::string ring_id(std::uint32_t domain) const override { return std::to_string(domain); }
  gate_settings ReadSettings() const override { return {}; }
  Status ForgetDenials(std::uint32_t) override { return {}; }
  std::string Describe() const override { return "fake"; }

 private:
  Status Write(std::map<std::string, std::vector<grant>>& rows, const std::string& key,
               std::span<const grant> grants) {
    if (grants.empty()) {
      rows.erase(key);
      return {};
    }
    if (grants.size() > MAX_GRANTS_PER_OBJECT || kernel_.rows_until_full-- <= 0)
      return Fail(Code::kBusy, "the table is full");
    rows[key].assign(grants.begin(), grants.end());
    return {};
  }

  FakeKernel& kernel_;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_TESTS_FAKE_FAKE_PEP_H_
