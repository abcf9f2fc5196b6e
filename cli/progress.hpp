// One line on standard error that is written over while something long goes on.
#pragma once

#include <string_view>

#include "host/tile_block.hpp"

namespace qip {

// Somebody watches: standard error is a terminal.
bool has_watcher();
void show_progress(std::string_view text);
void clear_progress();

// While a tile block runs that takes longer than half a second: how much of it is done. One exists
// at a time.
class TileProgress {
 public:
  // Nothing happens unless there is a watcher.
  explicit TileProgress(TileBlockOptions& options);
  void end() const;
};

}  // namespace qip
