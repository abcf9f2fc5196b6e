// One reservation per memory, inaccessible at first:
//
//   mapping_                base_                    base_+size_   base_+committed_
//   | guard (inaccessible) | readable and writable .............. | guard (inaccessible) ... |
//
// The guard behind base_ covers every address that a 32-bit base plus a 32-bit offset can form
// (8 GiB), the one before it the slips of a sign extension (2 GiB). With explicit checks the
// committed part may run ahead of size_, so that growing page by page costs few system calls; in
// guard builds the two are equal, because there the page protection is the check.
#include "vm/memory.hpp"

#include <sys/mman.h>

#include <algorithm>

namespace qip {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;

struct Reservation {
  uint64_t guard_before;
  uint64_t usable;
  uint64_t total;
};

uint8_t* reserve(const Reservation& wanted) {
  void* mapping =
      mmap(nullptr, wanted.total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return mapping == MAP_FAILED ? nullptr : static_cast<uint8_t*>(mapping);
}

}  // namespace

std::unique_ptr<LinearMemory> LinearMemory::create(const MemoryType& type, uint32_t page_limit) {
  uint32_t maximum_pages = std::min(type.limits.maximum.value_or(kMaxPages), kMaxPages);
  maximum_pages = std::min(maximum_pages, page_limit);
  if (type.limits.minimum > maximum_pages) return nullptr;

  const uint64_t minimum = uint64_t{type.limits.minimum} * kPageBytes;
  const uint64_t maximum = uint64_t{maximum_pages} * kPageBytes;
  std::unique_ptr<LinearMemory> memory(new LinearMemory());
  Reservation attempts[3];
  size_t attempt_count = 0;
#if UINTPTR_MAX > 0xFFFFFFFFu
  attempts[attempt_count++] = {2 * kGiB, maximum, 10 * kGiB + kMiB};
#endif
#if !defined(QIP_CHECKS_GUARD)
  // A system that limits address space: less guard, then less room to grow.
  attempts[attempt_count++] = {kPageBytes, maximum, maximum + 2 * kPageBytes};
  attempts[attempt_count++] = {kPageBytes, minimum, minimum + 2 * kPageBytes};
#endif
  for (size_t i = 0; i < attempt_count && memory->mapping_ == nullptr; i++) {
    memory->mapping_ = reserve(attempts[i]);
    if (memory->mapping_ == nullptr) continue;
    memory->mapping_bytes_ = attempts[i].total;
    memory->base_ = memory->mapping_ + attempts[i].guard_before;
    memory->reserved_ = attempts[i].usable;
  }
  if (memory->mapping_ == nullptr) return nullptr;
  memory->page_limit_ = static_cast<uint32_t>(memory->reserved_ / kPageBytes);
  memory->declared_maximum_ = type.limits.maximum;
  if (minimum > 0 && mprotect(memory->base_, minimum, PROT_READ | PROT_WRITE) != 0) return nullptr;
  // What is declared but never touched must cost nothing: no huge pages behind a single byte.
  if (maximum >= 2 * kMiB) madvise(memory->base_, maximum, MADV_NOHUGEPAGE);
  memory->size_ = minimum;
  memory->committed_ = minimum;
  return memory;
}

LinearMemory::~LinearMemory() {
  if (mapping_ != nullptr) munmap(mapping_, mapping_bytes_);
}

uint32_t LinearMemory::grow(uint32_t delta_pages) {
  const uint32_t old_pages = pages();
  if (delta_pages == 0) return old_pages;
  const uint64_t new_pages = uint64_t{old_pages} + delta_pages;
  if (new_pages > page_limit_) return 0xFFFFFFFFu;
  const uint64_t new_size = new_pages * kPageBytes;
  if (new_size > committed_) {
    uint64_t target = new_size;
#if !defined(QIP_CHECKS_GUARD)
    target = std::min(reserved_, std::max(new_size, committed_ + std::max(committed_, kMiB)));
#endif
    if (mprotect(base_ + committed_, target - committed_, PROT_READ | PROT_WRITE) != 0) {
      // Running ahead may be too much for the system where the exact size is not.
      target = new_size;
      if (mprotect(base_ + committed_, target - committed_, PROT_READ | PROT_WRITE) != 0) {
        return 0xFFFFFFFFu;
      }
    }
    committed_ = target;
  }
  size_ = new_size;
  return old_pages;
}

}  // namespace qip
