// Clock: boot time, which enforcement uses, and UTC, which people read. They
// are different types so that one cannot be passed for the other.

#ifndef PROOFGATE_BASE_CLOCK_H_
#define PROOFGATE_BASE_CLOCK_H_

#include <compare>
#include <cstdint>
#include <string>

namespace proofgate {

// CLOCK_BOOTTIME, nanoseconds since boot, counting suspend.
struct BootTime {
  std::uint64_t ns = 0;
  auto operator<=>(const BootTime&) const = default;
};

// CLOCK_REALTIME, milliseconds since 1970-01-01T00:00:00Z.
struct WallTime {
  std::int64_t ms = 0;
  auto operator<=>(const WallTime&) const = default;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual BootTime Boot() const = 0;
  virtual WallTime Utc() const = 0;
};

class SystemClock final : public Clock {
 public:
  BootTime Boot() const override;
  WallTime Utc() const override;
};

// "2026-11-24T07:05:00.123Z".
std::string FormatUtc(WallTime utc);

}  // namespace proofgate

#endif  // PROOFGATE_BASE_CLOCK_H_
