// The part of a square that lies inside the plane is a rectangle of at least one pixel: it is
// copied first, then its rows are extended to both sides, then its first and last row upwards and
// downwards. Rows of a large image lie far apart, and the processor does not foresee the jump from
// one to the next: while a row of this tile is copied, that of the tile to the right is fetched.
#include "host/tile_plane.hpp"

#include <algorithm>
#include <cstring>

namespace qip {
namespace {

// In pixels of the square; the ends are one past.
struct Rectangle {
  uint32_t left, top, right, bottom;
};

Rectangle inside_of(const Plane& plane, int64_t left, int64_t top, uint32_t side) {
  const auto begin = [](int64_t origin) {
    return static_cast<uint32_t>(std::max<int64_t>(0, -origin));
  };
  const auto end = [side](int64_t origin, uint32_t size) {
    return static_cast<uint32_t>(std::min<int64_t>(side, size - origin));
  };
  return {begin(left), begin(top), end(left, plane.width), end(top, plane.height)};
}

uint8_t* pixel_at(uint8_t* buffer, uint32_t side, uint32_t x, uint32_t y) {
  return buffer + (uint64_t{y} * side + x) * kPixelFloatBytes;
}

void extend_row(uint8_t* row, uint32_t side, const Rectangle& inside, Outside outside) {
  uint8_t* const behind = row + uint64_t{inside.right} * kPixelFloatBytes;
  if (outside == Outside::Zero) {
    memset(row, 0, uint64_t{inside.left} * kPixelFloatBytes);
    memset(behind, 0, uint64_t{side - inside.right} * kPixelFloatBytes);
    return;
  }
  repeat_float_pixel(row + uint64_t{inside.left} * kPixelFloatBytes, row, inside.left);
  repeat_float_pixel(behind - kPixelFloatBytes, behind, side - inside.right);
}

// Copies the row at `source` to [from, to).
void repeat_row(uint8_t* buffer, uint32_t side, uint32_t source, uint32_t from, uint32_t to,
                Outside outside) {
  const uint64_t row_bytes = uint64_t{side} * kPixelFloatBytes;
  for (uint32_t y = from; y < to; y++) {
    uint8_t* const row = pixel_at(buffer, side, 0, y);
    if (outside == Outside::Zero) {
      memset(row, 0, row_bytes);
    } else {
      memcpy(row, pixel_at(buffer, side, 0, source), row_bytes);
    }
  }
}

void fill_outside(uint8_t* buffer, uint32_t side, const Rectangle& inside, Outside outside) {
  if (inside.left > 0 || inside.right < side) {
    for (uint32_t y = inside.top; y < inside.bottom; y++) {
      extend_row(pixel_at(buffer, side, 0, y), side, inside, outside);
    }
  }
  repeat_row(buffer, side, inside.top, 0, inside.top, outside);
  repeat_row(buffer, side, inside.bottom - 1, inside.bottom, side, outside);
}

// Asks for memory that will be wanted soon, which may lie anywhere: a hint.
void prefetch(const uint8_t* from, size_t bytes) {
  constexpr size_t kLineBytes = 64;
  for (size_t i = 0; i < bytes; i += kLineBytes) __builtin_prefetch(from + i);
}

// A row of the tile in the middle of a square with `halo` more pixels on each side.
const uint8_t* core_row(const uint8_t* buffer, uint32_t halo, uint32_t row) {
  const uint64_t side = kTileSide + 2 * uint64_t{halo};
  return buffer + ((halo + row) * side + halo) * kPixelFloatBytes;
}

}  // namespace

void load_square(const Plane& plane, int64_t left, int64_t top, uint32_t side, Outside outside,
                 uint8_t* buffer) {
  const Rectangle inside = inside_of(plane, left, top, side);
  const size_t count = inside.right - inside.left;
  const size_t bytes = count * (plane.is_float ? kPixelFloatBytes : kPixelBytes);
  for (uint32_t y = inside.top; y < inside.bottom; y++) {
    const uint8_t* const from =
        plane.at(static_cast<uint64_t>(left + inside.left), static_cast<uint64_t>(top + y));
    uint8_t* const to = pixel_at(buffer, side, inside.left, y);
    if (plane.is_float) {
      memcpy(to, from, bytes);
    } else {
      pixels_to_floats(from, to, count);
    }
    prefetch(from + bytes, bytes);
  }
  fill_outside(buffer, side, inside, outside);
}

void store_tile(const uint8_t* buffer, uint32_t halo, const Plane& plane, uint32_t x, uint32_t y) {
  const Rectangle inside = inside_of(plane, x, y, kTileSide);
  for (uint32_t row = 0; row < inside.bottom; row++) {
    const uint8_t* const from = core_row(buffer, halo, row);
    uint8_t* const to = plane.at(x, uint64_t{y} + row);
    if (plane.is_float) {
      memcpy(to, from, inside.right * uint64_t{kPixelFloatBytes});
    } else {
      floats_to_pixels(from, to, inside.right);
    }
  }
}

void hand_over_tile(const uint8_t* from, uint32_t halo, uint8_t* to, const Plane& plane, uint32_t x,
                    uint32_t y, Outside outside) {
  constexpr uint64_t kRowBytes = uint64_t{kTileSide} * kPixelFloatBytes;
  if (halo == 0) {
    memcpy(to, from, kTileSide * kRowBytes);
  } else {
    for (uint32_t row = 0; row < kTileSide; row++) {
      memcpy(to + row * kRowBytes, core_row(from, halo, row), kRowBytes);
    }
  }
  if (outside == Outside::Nearest) {
    fill_outside(to, kTileSide, inside_of(plane, x, y, kTileSide), outside);
  }
}

}  // namespace qip
