// Doubles a bitmap in both directions: each pixel becomes four. The including component says how
// a row is doubled, which is what the scalar and the SIMD component differ in.
// Assumes: the including component has declared its output buffer.
#pragma once

#include "image/bmp/bmp_writer.h"

// Writes 2 * width pixels of four bytes to `to`.
static void double_row(const uint8_t* row, uint32_t width, uint32_t pixel_bytes, uint8_t* to);

// Pixel by pixel, from pixel `x` on.
static inline void double_pixels(const uint8_t* row, uint32_t x, uint32_t width,
                                 uint32_t pixel_bytes, uint8_t* to) {
  for (; x < width; ++x) {
    const uint64_t pixel = bitmap_pixel(row, x, pixel_bytes);
    const uint64_t pair = pixel | pixel << 32;
    __builtin_memcpy(to + 8 * x, &pair, sizeof pair);
  }
}

static uint32_t double_bitmap(const uint8_t* bytes, uint32_t len) {
  const Bitmap bitmap = read_bmp(bytes, len);
  require(bitmap.width <= kMaxPixels && bitmap.height <= kMaxPixels);
  const uint32_t row_bytes = 8 * bitmap.width;
  uint8_t* to = begin_bmp(2 * bitmap.width, 2 * bitmap.height);
  for (uint32_t y = 0; y < bitmap.height; ++y) {
    double_row(bitmap_row(&bitmap, y), bitmap.width, bitmap.pixel_bytes, to);
    __builtin_memcpy(to - row_bytes, to, row_bytes);
    to -= 2 * row_bytes;
  }
  return output_len;
}
