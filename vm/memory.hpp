// LinearMemory: reserved address space that the kernel commits as it is touched.
//
// Promises: base() never changes while the memory lives, so growth invalidates no pointer; bytes
// beyond size() are inaccessible or unreachable (every access is checked against size()); on 64-bit
// targets inaccessible guard space surrounds it as a second wall. New pages read as zero.
// Bounds: at most 65,536 pages of 64 KiB, the declared maximum, and the budget.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "loader/module.hpp"

namespace qip {

inline constexpr uint64_t kPageBytes = 65'536;
inline constexpr uint32_t kMaxPages = 65'536;

class MemoryPool;

class LinearMemory {
 public:
  // `page_limit` is the budget's; null if the minimum exceeds it or the system refuses. With a pool
  // the address space comes from there and goes back there; the pool must live longer.
  static std::unique_ptr<LinearMemory> create(const MemoryType& type, uint32_t page_limit,
                                              MemoryPool* pool = nullptr);
  ~LinearMemory();
  LinearMemory(const LinearMemory&) = delete;
  LinearMemory& operator=(const LinearMemory&) = delete;

  uint8_t* base() const { return base_; }
  uint64_t size() const { return size_; }  // bytes
  uint32_t pages() const { return static_cast<uint32_t>(size_ / kPageBytes); }
  std::optional<uint32_t> declared_maximum() const { return declared_maximum_; }

  // Source: memory.grow. Returns the old number of pages, or -1 as u32 if it cannot grow.
  uint32_t grow(uint32_t delta_pages);

  // True if [address, address + length) lies inside. Both are widened before they are added.
  bool contains(uint64_t address, uint64_t length) const {
    return address <= size_ && length <= size_ - address;
  }
  // A view of [address, address + length), void after the next call into a guest that may write
  // there. Precondition: contains(address, length).
  std::span<uint8_t> bytes(uint64_t address, uint64_t length) const {
    return {base_ + address, static_cast<size_t>(length)};
  }

 private:
  LinearMemory() = default;
  bool map(uint64_t minimum, uint64_t maximum);
  bool reuse(uint64_t minimum, uint64_t maximum);
  bool commit_exactly(uint64_t bytes);

  MemoryPool* pool_ = nullptr;
  uint8_t* base_ = nullptr;
  uint64_t size_ = 0;
  uint64_t committed_ = 0;  // bytes readable and writable; >= size_
  uint64_t reserved_ = 0;   // bytes that base_ may ever cover
  uint8_t* mapping_ = nullptr;
  uint64_t mapping_bytes_ = 0;
  uint32_t page_limit_ = 0;
  std::optional<uint32_t> declared_maximum_;
};

// Keeps what freed memories leave behind, for many short runs in a row: the reservation, and a few
// of the pages that were touched (a page fault costs more than clearing a page). Whatever comes out
// of it reads as zero, as new pages do.
// Bounds: `capacity` reservations, each with at most kMaxKeptPages resident pages of the system.
// Assumes: one thread at a time.
class MemoryPool {
 public:
  static constexpr size_t kMaxKeptPages = 64;

  explicit MemoryPool(size_t capacity) : capacity_(capacity) {}
  ~MemoryPool();
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  size_t kept() const { return spares_.size(); }

 private:
  friend class LinearMemory;
  struct Spare {
    uint8_t* mapping;
    uint64_t committed;
  };
  // False if the mapping is not wanted, or cannot be cleared.
  bool put(const Spare& spare);
  // Any spare fits; best one with `wanted` bytes committed. False if there is none.
  bool take(uint64_t wanted, Spare* spare);

  size_t capacity_;
  std::vector<Spare> spares_;
  std::vector<uint8_t> resident_;  // one byte per page of the system, used while clearing
};

}  // namespace qip
