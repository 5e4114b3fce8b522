// Names: what numbers in the gate's records stand for. Written by the main
// thread, read by the drain thread; locks itself.

#ifndef PROOFGATE_AGENT_NAMES_H_
#define PROOFGATE_AGENT_NAMES_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace proofgate::agent {

class Names {
 public:
  void SetReceipt(std::uint32_t slot, std::uint32_t gen, const std::string& id) {
    const std::lock_guard lock(mutex_);
    receipts_[{slot, gen}] = id;
  }
  void ForgetReceipt(std::uint32_t slot, std::uint32_t gen) {
    const std::lock_guard lock(mutex_);
    receipts_.erase({slot, gen});
  }
  // Whether the name is new.
  bool SetProgram(std::uint64_t object, const std::string& path) {
    const std::lock_guard lock(mutex_);
    return programs_.insert_or_assign(object, path).second;
  }
  void SetDomain(std::uint32_t number, const std::string& name, std::uint64_t canon_entry) {
    const std::lock_guard lock(mutex_);
    domains_[number] = {name, canon_entry};
  }

  std::string Receipt(std::uint32_t slot, std::uint32_t gen) const {
    const std::lock_guard lock(mutex_);
    const auto at = receipts_.find({slot, gen});
    return at == receipts_.end() ? "" : at->second;
  }
  std::string Program(std::uint64_t object) const {
    const std::lock_guard lock(mutex_);
    const auto at = programs_.find(object);
    return at == programs_.end() ? "" : at->second;
  }
  // Name and the entry that brought its canon into force.
  std::pair<std::string, std::uint64_t> Domain(std::uint32_t number) const {
    const std::lock_guard lock(mutex_);
    const auto at = domains_.find(number);
    return at == domains_.end() ? std::pair<std::string, std::uint64_t>{"", 0} : at->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::string> receipts_;
  std::map<std::uint64_t, std::string> programs_;
  std::map<std::uint32_t, std::pair<std::string, std::uint64_t>> domains_;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_NAMES_H_
