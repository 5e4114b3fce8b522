// Ring: reads a BPF ring buffer without consuming it.
//
// The position that the kernel may overwrite up to is moved only when the
// records are in the ledger, so that the agent's death loses and repeats
// nothing. Layout: kernel/bpf/ringbuf.c. One reading thread; SetConsumed may
// be called from another.

#ifndef PROOFGATE_AGENT_RING_H_
#define PROOFGATE_AGENT_RING_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "base/result.h"

namespace proofgate::agent {

class Ring {
 public:
  // Maps the ring buffer map behind `map_fd`, of `size` bytes of data.
  static Result<Ring> Map(int map_fd, std::size_t size);
  // Over memory that the caller owns: `data` is mapped twice in a row.
  Ring(std::uint64_t* consumer, const std::uint64_t* producer, const std::byte* data,
       std::size_t size)
      : consumer_(consumer), producer_(producer), data_(data), size_(size) {}
  ~Ring();
  Ring(Ring&& other) noexcept;
  Ring& operator=(Ring&&) = delete;

  // Calls `sink` with each finished record from `position` on, at most `limit`,
  // and returns the position after the last. Stops at one still being written.
  std::uint64_t Read(std::uint64_t position, std::size_t limit,
                     const std::function<void(std::span<const std::byte>)>& sink) const;

  std::uint64_t consumed() const;
  std::uint64_t produced() const;
  void SetConsumed(std::uint64_t position);

 private:
  std::uint64_t* consumer_;
  const std::uint64_t* producer_;
  const std::byte* data_;
  std::size_t size_;
  bool mapped_ = false;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_RING_H_
