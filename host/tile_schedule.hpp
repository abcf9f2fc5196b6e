// TileSchedule: in which order the bands of all passes of a tile block run, and when each may.
//
// A pass reads what the pass before it wrote, in its own band and `reach` bands above and below;
// the first one reads the image, which the last one overwrites. So pass after pass follows a few
// bands behind, and only those bands between two passes have to be kept.
//
// Promises: whoever takes items in their order and waits for may_begin() reads nothing that is not
// there yet or not there any more; an item waits only for items that come before it, so the first
// one that has not ended can always run. The order does not depend on the number of threads.
// Assumes: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qip {

class TileSchedule {
 public:
  struct Item {
    uint32_t pass;
    uint32_t band;
  };

  // One reach per pass. `threads` may be at work at once; more of them need more room.
  TileSchedule(uint32_t bands, std::span<const uint32_t> reaches, uint32_t threads);

  std::span<const Item> items() const { return items_; }
  // Bands of its output that a pass which is not the last one keeps: band b lies where
  // b - room(pass) lay.
  uint32_t room(size_t pass) const { return passes_[pass].room; }

  bool may_begin(const Item& item) const;
  void end(const Item& item);

 private:
  struct Pass {
    uint32_t reach = 0;
    uint32_t lag = 0;  // bands behind the first pass
    uint32_t room = 0;
    uint32_t done = 0;  // so many of its first bands have ended
    std::vector<bool> ended;
  };
  // The pass has ended every band for which it reads this one.
  bool has_read(size_t pass, uint64_t band) const;

  uint32_t bands_;
  std::vector<Pass> passes_;
  std::vector<Item> items_;
};

}  // namespace qip
