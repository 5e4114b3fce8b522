#include "agent/ring.h"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

namespace proofgate::agent {
namespace {

constexpr std::size_t kHeader = BPF_RINGBUF_HDR_SZ;

std::size_t PageSize() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

Result<Ring> Ring::Map(int map_fd, std::size_t size) {
  const std::size_t page = PageSize();
  void* const consumer = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
  if (consumer == MAP_FAILED) return FailErrno(errno, "ring: map the consumer's page");
  void* const rest = mmap(nullptr, page + 2 * size, PROT_READ, MAP_SHARED, map_fd,
                          static_cast<off_t>(page));
  if (rest == MAP_FAILED) {
    const int error = errno;
    munmap(consumer, page);
    return FailErrno(error, "ring: map the data");
  }
  Ring ring(static_cast<std::uint64_t*>(consumer), static_cast<const std::uint64_t*>(rest),
            static_cast<const std::byte*>(rest) + page, size);
  ring.mapped_ = true;
  return ring;
}

Ring::Ring(Ring&& other) noexcept
    : consumer_(other.consumer_),
      producer_(other.producer_),
      data_(other.data_),
      size_(other.size_),
      mapped_(std::exchange(other.mapped_, false)) {}

Ring::~Ring() {
  if (!mapped_) return;
  const std::size_t page = PageSize();
  munmap(consumer_, page);
  munmap(const_cast<std::uint64_t*>(producer_), page + 2 * size_);
}

std::uint64_t Ring::consumed() const { return __atomic_load_n(consumer_, __ATOMIC_ACQUIRE); }
std::uint64_t Ring::produced() const { return __atomic_load_n(producer_, __ATOMIC_ACQUIRE); }
void Ring::SetConsumed(std::uint64_t position) {
  __atomic_store_n(consumer_, position, __ATOMIC_RELEASE);
}

std::uint64_t Ring::Read(std::uint64_t position, std::size_t limit,
                         const std::function<void(std::span<const std::byte>)>& sink) const {
  const std::uint64_t end = produced();
  for (std::size_t count = 0; position < end && count < limit;) {
    const std::byte* const at = data_ + (position & (size_ - 1));
    const std::uint32_t header =
        __atomic_load_n(reinterpret_cast<const std::uint32_t*>(at), __ATOMIC_ACQUIRE);
    if (header & BPF_RINGBUF_BUSY_BIT) break;
    const std::uint32_t length = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    if (!(header & BPF_RINGBUF_DISCARD_BIT)) {
      sink({at + kHeader, length});
      ++count;
    }
    position += (length + kHeader + 7) / 8 * 8;
  }
  return position;
}

}  // namespace proofgate::agent
