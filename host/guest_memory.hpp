// GuestMemory: the only door through which the host touches guest bytes.
//
// Promises: a GuestBytes lies inside the memory as it was when the door was asked; pointer and
// length are widened to 64 bits before they are compared, so nothing wraps. A GuestBytes is void
// after any call into the guest, which is checked at every use.
// Assumes: the guest controls every byte of its memory and every number it returns.
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>
#include <span>

#include "vm/memory.hpp"

namespace qip {

// Bytes of a guest, borrowed until the guest runs again or goes away.
class GuestBytes {
 public:
  std::span<uint8_t> get() const {
    assert(*calls_ == calls_when_made_);  // used after a call into the guest
    return bytes_;
  }
  uint64_t size() const { return bytes_.size(); }
  // The first `length` of them; `length` <= size().
  GuestBytes first(uint64_t length) const {
    assert(length <= bytes_.size());
    return GuestBytes(bytes_.first(static_cast<size_t>(length)), calls_, calls_when_made_);
  }

 private:
  friend class GuestMemory;
  GuestBytes(std::span<uint8_t> bytes, const uint64_t* calls, uint64_t calls_when_made)
      : bytes_(bytes), calls_(calls), calls_when_made_(calls_when_made) {}

  std::span<uint8_t> bytes_;
  const uint64_t* calls_;
  uint64_t calls_when_made_;
};

class GuestMemory {
 public:
  // `calls` counts the calls into the guest that owns `memory`; both outlive this view.
  GuestMemory(LinearMemory& memory, const uint64_t& calls) : memory_(&memory), calls_(&calls) {}

  // Empty if [pointer, pointer + length) does not lie inside the memory.
  std::optional<GuestBytes> bytes(uint32_t pointer, uint64_t length) const {
    if (!memory_->contains(pointer, length)) return std::nullopt;
    return GuestBytes(memory_->bytes(pointer, length), calls_, *calls_);
  }
  // Everything from `pointer` on, at most `limit` bytes. Empty if `pointer` lies outside.
  std::optional<GuestBytes> bytes_up_to(uint32_t pointer, uint64_t limit) const {
    if (pointer > memory_->size()) return std::nullopt;
    const uint64_t available = memory_->size() - pointer;
    return bytes(pointer, limit < available ? limit : available);
  }

 private:
  LinearMemory* memory_;
  const uint64_t* calls_;
};

}  // namespace qip
