// A bitmap at twice its width and height; each pixel becomes four equal ones. The twin of
// bmp-double that handles four pixels at a time with 128-bit vectors: the same bytes, sooner.
// The output has at most 16,777,216 pixels; anything but a bitmap of 24 or 32 bits traps.
#include <wasm_simd128.h>

#include "image/bmp/bmp.h"

INPUT_BYTES(kBmpInputCap)
OUTPUT_BYTES(kBmpOutputCap)
OUTPUT_CONTENT_TYPE("image/bmp")

#include "image/bmp/bmp_double.h"

#define SIMD __attribute__((target("simd128")))

// Writes eight pixels: each of the four twice.
SIMD static inline void store_doubled(uint8_t* to, v128_t pixels) {
  wasm_v128_store(to, wasm_i32x4_shuffle(pixels, pixels, 0, 0, 1, 1));
  wasm_v128_store(to + 16, wasm_i32x4_shuffle(pixels, pixels, 2, 2, 3, 3));
}

// A vector of 24-bit pixels is read four bytes beyond its four pixels, so it needs two more in the
// row; what is left over is done one by one.
SIMD static void double_row(const uint8_t* row, uint32_t width, uint32_t pixel_bytes, uint8_t* to) {
  uint32_t x = 0;
  if (pixel_bytes == 4) {
    for (; x + 4 <= width; x += 4) store_doubled(to + 8 * x, wasm_v128_load(row + 4 * x));
  } else {
    const v128_t opaque = wasm_u32x4_const_splat(0xff000000);
    for (; x + 6 <= width; x += 4) {
      const v128_t bytes = wasm_v128_load(row + 3 * x);
      const v128_t spread =
          wasm_i8x16_shuffle(bytes, bytes, 0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
      store_doubled(to + 8 * x, wasm_v128_or(spread, opaque));
    }
  }
  double_pixels(row, x, width, pixel_bytes, to);
}

RENDER(uint32_t input_len) {
  return double_bitmap(input, input_len);
}
