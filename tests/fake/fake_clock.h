// FakeClock: time moves when a test says so.

#ifndef PROOFGATE_TESTS_FAKE_FAKE_CLOCK_H_
#define PROOFGATE_TESTS_FAKE_FAKE_CLOCK_H_

#include <atomic>

#include "base/clock.h"

namespace proofgate {

class FakeClock final : public Clock {
 public:
  BootTime Boot() const override { return {boot_ns_}; }
  WallTime Utc() const override { return {1'700'000'000'000 + static_cast<std::int64_t>(boot_ns_ / 1'000'000)}; }
  void Advance(std::uint64_t ns) { boot_ns_ += ns; }

 private:
  std::atomic<std::uint64_t> boot_ns_ = 1'000'000'000'000;
};

}  // namespace proofgate

#endif  // PROOFGATE_TESTS_FAKE_FAKE_CLOCK_H_
