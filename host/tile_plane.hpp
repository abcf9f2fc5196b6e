// Planes of pixels, and the square of a tile with its surroundings between a plane and the buffer
// of a filter.
//
// Promises: rows are copied and converted whole, never pixel by pixel; nothing is read outside the
// plane or written outside the square. No allocation.
#pragma once

#include <cstdint>

#include "host/tile_convert.hpp"

namespace qip {

inline constexpr uint32_t kTileSide = 64;

// Rows of pixels from the top, without padding, of which as many as `rows` are kept: row y lies
// where row y - rows lay. Borrowed.
struct Plane {
  uint8_t* pixels = nullptr;
  uint32_t width = 0;
  uint32_t height = 0;
  uint32_t rows = 0;      // height, or fewer
  bool is_float = false;  // channels are float32, else bytes

  uint8_t* at(uint64_t x, uint64_t y) const {
    return pixels + (y % rows * width + x) * (is_float ? kPixelFloatBytes : kPixelBytes);
  }
};

// What a filter sees where there is no image.
enum class Outside : uint8_t {
  Zero,     // 0, 0, 0, 0
  Nearest,  // the nearest pixel of the image
};

// Fills `buffer`, side * side float pixels, with the square of the plane whose top left corner is
// (left, top). The square and the plane have at least one pixel in common.
void load_square(const Plane& plane, int64_t left, int64_t top, uint32_t side, Outside outside,
                 uint8_t* buffer);

// Copies the tile at (x, y) out of the middle of `buffer`, which has `halo` more pixels on each
// side, as far as it lies inside the plane.
void store_tile(const uint8_t* buffer, uint32_t halo, const Plane& plane, uint32_t x, uint32_t y);

// Copies the tile at (x, y) out of the middle of `from`, as above, to `to`, which has no halo. With
// Outside::Nearest what lies beyond the plane is filled anew; otherwise it stays as it is in
// `from`.
void hand_over_tile(const uint8_t* from, uint32_t halo, uint8_t* to, const Plane& plane, uint32_t x,
                    uint32_t y, Outside outside);

}  // namespace qip
