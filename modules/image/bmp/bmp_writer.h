// Windows bitmaps as these components write them: 32 bits per pixel with straight alpha, bottom row
// first, behind the shortest header.
//
// Assumes: the including component has declared its output buffer. Bounds: kMaxPixels pixels.
#pragma once

#include "image/bmp/bmp.h"

// Whether an image of this size can be written.
static inline bool fits_output(uint64_t width, uint64_t height) {
  return width > 0 && height > 0 && width <= kMaxPixels && height <= kMaxPixels &&
         width * height <= kMaxPixels;
}

// Writes the header of a bitmap that fits, claims its bytes, and returns its top row. The row below
// a row begins 4 * width bytes before it.
__attribute__((unused)) static uint8_t* begin_bmp(uint32_t width, uint32_t height) {
  require(fits_output(width, height));
  const uint32_t pixel_bytes = 4 * width * height;
  output_len = kBmpHeaderBytes + pixel_bytes;
  require(output_len <= sizeof output);
  __builtin_memset(output, 0, kBmpHeaderBytes);
  output[0] = 'B';
  output[1] = 'M';
  store32(output + 2, output_len);
  store32(output + 10, kBmpHeaderBytes);
  store32(output + 14, 40);
  store32(output + 18, width);
  store32(output + 22, height);
  output[26] = 1;
  output[28] = 32;
  store32(output + 34, pixel_bytes);
  return output + output_len - 4 * width;
}
