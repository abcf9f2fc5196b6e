#include "cli/progress.hpp"

#include <unistd.h>

#include <chrono>
#include <string>

#include "host/files.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kClearToEnd = "\x1b[K";
constexpr std::chrono::milliseconds kQuietTime{500};

Clock::time_point tiles_began;

void show_tiles(uint64_t done, uint64_t total) {
  if (Clock::now() - tiles_began < kQuietTime) return;
  show_progress(number_text(done * 100 / total) + " % of " + number_text(total) + " tiles");
}

void write_line(const std::string& line) {
  write_fully(STDERR_FILENO, {}, line);
}

}  // namespace

bool has_watcher() {
  return isatty(STDERR_FILENO) == 1;
}

void show_progress(std::string_view text) {
  write_line(("\r" + std::string(text)).append(kClearToEnd));
}

void clear_progress() {
  write_line(std::string("\r").append(kClearToEnd));
}

TileProgress::TileProgress(TileBlockOptions& options) {
  tiles_began = Clock::now();
  if (has_watcher()) options.on_progress = show_tiles;
}

void TileProgress::end() const {
  if (Clock::now() - tiles_began >= kQuietTime && has_watcher()) clear_progress();
}

}  // namespace qip
