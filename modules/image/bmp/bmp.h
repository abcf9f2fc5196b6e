// Windows bitmaps as these components read them: 24 and 32 bits per pixel without compression, rows
// in either order, headers of 40 bytes and more; the fourth byte of a 32-bit pixel is straight
// alpha. Everything else traps.
//
// Promises: every row of the Bitmap that read_bmp returns lies within the bytes it was given.
#pragma once

#include "component.h"

enum {
  kMaxPixels = 1 << 24,
  kBmpHeaderBytes = 54,
  kBmpInputCap = 4 * kMaxPixels + 65536,  // larger headers and whatever stands before the pixels
  kBmpOutputCap = 4 * kMaxPixels + kBmpHeaderBytes,
};

// An image in the input. A pixel is B, G, R and, where pixel_bytes is 4, alpha.
typedef struct {
  const uint8_t* top;  // the top row
  int32_t row_step;    // bytes from a row to the one below it
  uint32_t width, height, pixel_bytes;
} Bitmap;

__attribute__((unused)) static Bitmap read_bmp(const uint8_t* bytes, uint32_t len) {
  require(len >= kBmpHeaderBytes && bytes[0] == 'B' && bytes[1] == 'M');
  const uint32_t pixels_at = load32(bytes + 10);
  const int32_t width = (int32_t)load32(bytes + 18), height = (int32_t)load32(bytes + 22);
  const uint32_t depth = load16(bytes + 28);
  require(load32(bytes + 14) >= 40 && width > 0 && height != 0);
  require(load16(bytes + 26) == 1 && load32(bytes + 30) == 0 && (depth == 24 || depth == 32));
  require(pixels_at <= len);
  const uint32_t rows = height < 0 ? 0 - (uint32_t)height : (uint32_t)height;
  const uint64_t stride = ((uint64_t)width * (depth / 8) + 3) & ~(uint64_t)3;
  require(stride <= len && stride * rows <= len - pixels_at);

  Bitmap bitmap = {bytes + pixels_at, (int32_t)stride, (uint32_t)width, rows, depth / 8};
  if (height > 0) {
    bitmap.top += stride * (rows - 1);
    bitmap.row_step = -bitmap.row_step;
  }
  return bitmap;
}

// Row `y`, from the top.
static inline const uint8_t* bitmap_row(const Bitmap* bitmap, uint32_t y) {
  return bitmap->top + (int32_t)y * bitmap->row_step;
}

// The pixel `x` of a row: B in the lowest byte, alpha in the highest.
static inline uint32_t bitmap_pixel(const uint8_t* row, uint32_t x, uint32_t pixel_bytes) {
  if (pixel_bytes == 4) return load32(row + 4 * x);
  const uint8_t* const pixel = row + 3 * x;
  return load16(pixel) | (uint32_t)pixel[2] << 16 | 0xff000000;
}
