#include "host/tile_schedule.hpp"

#include <algorithm>

namespace qip {

// In step t, pass p runs band t - lag(p): a pass is so far behind the one before it that all it
// reads has been written, and the second one also so far behind the first that the last one finds
// every band of the image read that it overwrites.
TileSchedule::TileSchedule(uint32_t bands, std::span<const uint32_t> reaches, uint32_t threads)
    : bands_(bands), passes_(reaches.size()) {
  for (size_t i = 0; i < passes_.size(); i++) {
    passes_[i].reach = std::min(reaches[i], bands);
    passes_[i].ended.resize(bands);
    if (i == 0) continue;
    const uint32_t behind = std::max(passes_[i].reach, i == 1 ? passes_[0].reach : 0);
    passes_[i].lag = passes_[i - 1].lag + behind;
    passes_[i - 1].room = static_cast<uint32_t>(
        std::min<uint64_t>(bands, uint64_t{passes_[i].reach} + behind + 1 + threads));
  }
  if (passes_.empty()) return;
  for (uint32_t step = 0; step < bands + passes_.back().lag; step++) {
    for (uint32_t pass = 0; pass < passes_.size(); pass++) {
      const uint32_t lag = passes_[pass].lag;
      if (step >= lag && step - lag < bands) items_.push_back({pass, step - lag});
    }
  }
}

bool TileSchedule::may_begin(const Item& item) const {
  const size_t last = passes_.size() - 1;
  const uint64_t band = item.band;
  if (item.pass > 0) {
    const Pass& before = passes_[item.pass - 1];
    if (before.done < std::min<uint64_t>(band + passes_[item.pass].reach + 1, bands_)) return false;
    if (item.pass == last && !has_read(0, band)) return false;
  }
  const uint64_t room = passes_[item.pass].room;
  return item.pass == last || band < room || has_read(item.pass + 1, band - room);
}

void TileSchedule::end(const Item& item) {
  Pass& pass = passes_[item.pass];
  pass.ended[item.band] = true;
  while (pass.done < bands_ && pass.ended[pass.done]) pass.done++;
}

bool TileSchedule::has_read(size_t pass, uint64_t band) const {
  return passes_[pass].done >= std::min<uint64_t>(band + passes_[pass].reach + 1, bands_);
}

}  // namespace qip
