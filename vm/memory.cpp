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
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace qip {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;

// Every reservation with full guards is like every other: any of them fits any memory.
constexpr uint64_t kGuardBefore = 2 * kGiB;
constexpr uint64_t kFullReservation = 10 * kGiB + kMiB;

struct Reservation {
  uint64_t guard_before;
  uint64_t usable;
  uint64_t total;
};

uint8_t* reserve(const Reservation& wanted) {
  void* mapping =
      mmap(nullptr, wanted.total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  // What is declared but never touched must cost nothing: no huge pages behind a single byte.
  madvise(mapping, wanted.total, MADV_NOHUGEPAGE);
  return static_cast<uint8_t*>(mapping);
}

}  // namespace

std::unique_ptr<LinearMemory> LinearMemory::create(const MemoryType& type, uint32_t page_limit,
                                                   MemoryPool* pool) {
  uint32_t maximum_pages = std::min(type.limits.maximum.value_or(kMaxPages), kMaxPages);
  maximum_pages = std::min(maximum_pages, page_limit);
  if (type.limits.minimum > maximum_pages) return nullptr;

  const uint64_t minimum = uint64_t{type.limits.minimum} * kPageBytes;
  const uint64_t maximum = uint64_t{maximum_pages} * kPageBytes;
  std::unique_ptr<LinearMemory> memory(new LinearMemory());
  memory->pool_ = pool;
  if (!memory->reuse(minimum, maximum) && !memory->map(minimum, maximum)) return nullptr;
  memory->page_limit_ = static_cast<uint32_t>(memory->reserved_ / kPageBytes);
  memory->declared_maximum_ = type.limits.maximum;
  if (!memory->commit_exactly(minimum)) return nullptr;
  memory->size_ = minimum;
  return memory;
}

bool LinearMemory::map([[maybe_unused]] uint64_t minimum, uint64_t maximum) {
  Reservation attempts[3];
  size_t attempt_count = 0;
#if UINTPTR_MAX > 0xFFFFFFFFu
  attempts[attempt_count++] = {kGuardBefore, maximum, kFullReservation};
#endif
#if !defined(QIP_CHECKS_GUARD)
  // A system that limits address space: less guard, then less room to grow.
  attempts[attempt_count++] = {kPageBytes, maximum, maximum + 2 * kPageBytes};
  attempts[attempt_count++] = {kPageBytes, minimum, minimum + 2 * kPageBytes};
#endif
  for (size_t i = 0; i < attempt_count && mapping_ == nullptr; i++) {
    mapping_ = reserve(attempts[i]);
    if (mapping_ == nullptr) continue;
    mapping_bytes_ = attempts[i].total;
    base_ = mapping_ + attempts[i].guard_before;
    reserved_ = attempts[i].usable;
  }
  return mapping_ != nullptr;
}

bool LinearMemory::reuse(uint64_t minimum, uint64_t maximum) {
  MemoryPool::Spare spare;
  if (pool_ == nullptr || !pool_->take(minimum, &spare)) return false;
  mapping_ = spare.mapping;
  mapping_bytes_ = kFullReservation;
  base_ = mapping_ + kGuardBefore;
  reserved_ = maximum;
  committed_ = spare.committed;
  return true;
}

// A reused mapping may have more committed than the minimum, a new one has nothing.
bool LinearMemory::commit_exactly(uint64_t bytes) {
  int result = 0;
  if (committed_ < bytes) {
    result = mprotect(base_ + committed_, bytes - committed_, PROT_READ | PROT_WRITE);
  } else if (committed_ > bytes) {
    result = mprotect(base_ + bytes, committed_ - bytes, PROT_NONE);
  }
  if (result == 0) committed_ = bytes;
  return result == 0;
}

LinearMemory::~LinearMemory() {
  if (mapping_ == nullptr) return;
  const bool is_full = mapping_bytes_ == kFullReservation;
  if (is_full && pool_ != nullptr && pool_->put({mapping_, committed_})) return;
  munmap(mapping_, mapping_bytes_);
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

// --- Reuse ---------------------------------------------------------------------------------------

namespace {

// Looking for the touched pages of more than this costs more than it saves.
constexpr uint64_t kMaxPooledBytes = 64 * kMiB;

uint64_t system_page_bytes() {
  return static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

bool discard(uint8_t* from, uint64_t bytes) {
  return madvise(from, bytes, MADV_DONTNEED) == 0;
}

// Makes all of [base, base + bytes) read as zero: resident pages are overwritten, and what is not
// resident is discarded, because it may be in swap space. A page that leaves or enters the memory
// in between is treated as it was listed, which is right in both cases.
bool clear(uint8_t* base, uint64_t bytes, std::vector<uint8_t>* resident) {
  if (bytes == 0) return true;
  const uint64_t page = system_page_bytes();
  resident->resize((bytes + page - 1) / page);
  uint8_t* const pages = resident->data();
  const uint8_t* const end = pages + resident->size();
  if (mincore(base, bytes, pages) != 0) return false;
  size_t kept = 0;
  for (uint8_t* one = pages; one < end; one++) kept += * one &= 1;
  if (kept > MemoryPool::kMaxKeptPages) return discard(base, bytes);
  for (const uint8_t* first = pages; first < end;) {
    const int other = 1 - *first;
    const void* found = memchr(first, other, static_cast<size_t>(end - first));
    const uint8_t* next = found == nullptr ? end : static_cast<const uint8_t*>(found);
    uint8_t* const from = base + static_cast<uint64_t>(first - pages) * page;
    const uint64_t length = static_cast<uint64_t>(next - first) * page;
    if (other == 0) {
      memset(from, 0, length);
    } else if (!discard(from, length)) {
      return false;
    }
    first = next;
  }
  return true;
}

}  // namespace

MemoryPool::~MemoryPool() {
  for (const Spare& spare : spares_) munmap(spare.mapping, kFullReservation);
}

bool MemoryPool::put(const Spare& spare) {
  if (spares_.size() >= capacity_ || spare.committed > kMaxPooledBytes) return false;
  if (!clear(spare.mapping + kGuardBefore, spare.committed, &resident_)) return false;
  spares_.push_back(spare);
  return true;
}

bool MemoryPool::take(uint64_t wanted, Spare* spare) {
  if (spares_.empty()) return false;
  // One of the same size needs no system call.
  auto chosen = std::find_if(spares_.begin(), spares_.end(),
                             [wanted](const Spare& one) { return one.committed == wanted; });
  if (chosen == spares_.end()) chosen = spares_.end() - 1;
  *spare = *chosen;
  *chosen = spares_.back();
  spares_.pop_back();
  return true;
}

}  // namespace qip
