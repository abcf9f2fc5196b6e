// Every pixel times a matrix of 4 rows and 5 columns, as feColorMatrix of SVG has it, a pixel at a
// time with 128-bit vectors. `m<row><column>`: row 0..3 gives red, green, blue, alpha; column 0..3
// is what it takes of them, column 4 is added. The identity at first, so alpha stays unless
// m30..m34 say otherwise. Entries are held within -1000..1000.
#pragma clang attribute push(__attribute__((target("simd128"))), apply_to = function)
#include <wasm_simd128.h>

#include "rgba/tile.h"

TILE_BUFFER(kTileSide)

#define ENTRY(row, column) \
  UNIFORM_F32(m##row##column, (row) == (column) ? 1.0f : 0.0f, -1000.0f, 1000.0f)
#define ROW(row) ENTRY(row, 0) ENTRY(row, 1) ENTRY(row, 2) ENTRY(row, 3) ENTRY(row, 4)
ROW(0)
ROW(1)
ROW(2)
ROW(3)

TILE(float x, float y) {
  (void)x, (void)y;
  const v128_t of_red = wasm_f32x4_make(m00, m10, m20, m30);
  const v128_t of_green = wasm_f32x4_make(m01, m11, m21, m31);
  const v128_t of_blue = wasm_f32x4_make(m02, m12, m22, m32);
  const v128_t of_alpha = wasm_f32x4_make(m03, m13, m23, m33);
  const v128_t added = wasm_f32x4_make(m04, m14, m24, m34);
  const v128_t zero = wasm_f32x4_const_splat(0), one = wasm_f32x4_const_splat(1);
  EACH_PIXEL(pixel) {
    v128_t sum = wasm_f32x4_mul(of_red, wasm_v128_load32_splat(pixel));
    sum = wasm_f32x4_add(sum, wasm_f32x4_mul(of_green, wasm_v128_load32_splat(pixel + 1)));
    sum = wasm_f32x4_add(sum, wasm_f32x4_mul(of_blue, wasm_v128_load32_splat(pixel + 2)));
    sum = wasm_f32x4_add(sum, wasm_f32x4_mul(of_alpha, wasm_v128_load32_splat(pixel + 3)));
    sum = wasm_f32x4_add(sum, added);
    // The pseudo-minimum and -maximum take their first operand when the other one is NaN.
    wasm_v128_store(pixel, wasm_f32x4_pmin(one, wasm_f32x4_pmax(zero, sum)));
  }
}
#pragma clang attribute pop
