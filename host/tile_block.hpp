// run_tile_block(): a chain of Tile components over one image.
//
// Promises: the pixels are the same for every number of threads. For that the image is cut into
// bands of whole rows of tiles that depend on its width alone (kMinTilesPerBand); every band begins
// with the filters as they are after preparation, and goes through its tiles row by row. A filter
// that keeps no state between tiles gives the same pixels in strict order; `sequential` gives that
// order to every filter, with one instance for the whole image.
// Between filters pixels stay float32. If no filter has a halo, pixels beyond the image are zero at
// first; otherwise every filter sees the nearest pixel there.
// Time and fuel of the limits count afresh for the preparation and for every call of a filter.
// Errors: the first one in an order of work that does not depend on the number of threads.
// Bounded: besides the image, a filter with a halo needs a second image if it is the only one that
// begins a pass, and every filter with a halo behind another filter needs 16 bytes per pixel of a
// few bands of the image (some more for every thread, and for halos that are higher than a band),
// at most kMaxStripBytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "host/chain.hpp"
#include "host/error.hpp"
#include "host/image.hpp"
#include "host/limits.hpp"

namespace qip {

// A band has as many rows as it takes to have so many tiles.
inline constexpr uint32_t kMinTilesPerBand = 16;
inline constexpr uint64_t kMaxStripBytes = uint64_t{1} << 30;

// The largest image as a BMP, and as much again for whatever a file carries besides.
inline constexpr uint64_t kMaxImageFileBytes = 2 * 4 * kMaxImagePixels;

// Summed over threads.
struct TileTimes {
  std::chrono::nanoseconds filters{0};  // inside the filters
  std::chrono::nanoseconds total{0};    // with copying, converting and everything else
};

struct TileBlockOptions {
  unsigned threads = 1;
  bool sequential = false;     // one thread, and nothing begins anew
  TileTimes* times = nullptr;  // added to; null: nothing is measured
  // Called now and then by one thread at a time; null: nobody watches.
  void (*on_progress)(uint64_t done, uint64_t total) = nullptr;
};

// What can be told without running anything.
MaybeError check_tile_stages(std::span<const Stage> stages);

// Runs the filters over `image`, at least one of each pixel and stage. After an error its pixels
// are unspecified. Precondition: check_tile_stages() found nothing.
MaybeError run_tile_block(std::span<const Stage> stages, Image& image, const RunLimits& limits,
                          const TileBlockOptions& options = {});

}  // namespace qip
