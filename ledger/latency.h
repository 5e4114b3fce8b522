// Latency: how long something took, often, in a fixed room.
//
// Eight buckets for each power of two: a percentile is given as the upper end of
// its bucket, at most an eighth above the truth. One thread.

#ifndef PROOFGATE_LEDGER_LATENCY_H_
#define PROOFGATE_LEDGER_LATENCY_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace proofgate::ledger {

class Latency {
 public:
  void Add(std::uint64_t us) {
    ++counts_[BucketOf(us)];
    ++count_;
    max_us_ = std::max(max_us_, us);
  }
  std::uint64_t count() const { return count_; }
  std::uint64_t max_us() const { return max_us_; }
  // So many of a thousand took at most this; 0 when nothing was added.
  std::uint64_t PermilleUs(std::uint64_t permille) const {
    const std::uint64_t rank = (count_ * permille + 999) / 1000;
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      seen += counts_[bucket];
      if (seen >= rank && seen != 0) return std::min(EndOf(bucket), max_us_);
    }
    return max_us_;
  }

 private:
  static constexpr unsigned kSubBits = 3;
  static std::size_t BucketOf(std::uint64_t us) {
    if (us < (1u << kSubBits)) return static_cast<std::size_t>(us);
    const auto shift = static_cast<unsigned>(std::bit_width(us)) - kSubBits - 1;
    return (static_cast<std::size_t>(shift + 1) << kSubBits) + static_cast<std::size_t>((us >> shift) & ((1u << kSubBits) - 1));
  }
  static std::uint64_t EndOf(std::size_t bucket) {
    if (bucket < (1u << kSubBits)) return bucket;
    const auto shift = static_cast<unsigned>(bucket >> kSubBits) - 1;
    const std::uint64_t top = (1u << kSubBits) + (bucket & ((1u << kSubBits) - 1));
    return ((top + 1) << shift) - 1;
  }

  std::array<std::uint64_t, 64 << kSubBits> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_us_ = 0;
};

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_LATENCY_H_
