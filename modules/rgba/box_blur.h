// A Gaussian blur of a tile with its halo: three box blurs of 2 * radius + 1 pixels in each
// direction. Comes after TILE_BUFFER, with kMaxRadius defined; with TILE_SIMD defined, four lanes
// at a time.
//
// Promises: the time does not depend on the radius. Colours count by their alpha, so what is
// transparent lends its neighbours none. Every sum is exact, so neither the order of the additions
// nor the place of a tile shows in a result: the numbers are multiples of 2^-37 in 0..1, fewer than
// 2^14 of them are added up, and that takes 51 of the 53 bits of a 64-bit float. Assumes: halo = 3
// * radius, radius 1..kMaxRadius, which is at most 12: (2 * 12 + 1)^3 < 2^14.
#pragma once

#include "rgba/tile.h"

#ifdef TILE_SIMD
#include <wasm_simd128.h>
#endif

enum { kMaxSpan = kTileSide + 6 * kMaxRadius };

typedef float Pixel __attribute__((vector_size(16)));  // red, green, blue, alpha
typedef double Sums __attribute__((vector_size(32)));  // the colours times alpha, and alpha

// One line of pixels, and what each of the three passes makes of it.
static Sums lines[4][kMaxSpan];

// The columns of the core after the horizontal passes, from top to bottom with the halo.
static Sums columns[kTileSide][kMaxSpan];

#ifdef TILE_SIMD
static inline Pixel unit_pixel(const float* pixel) {
  const v128_t positive = wasm_f32x4_pmax(wasm_f32x4_const_splat(0), wasm_v128_load(pixel));
  return (Pixel)wasm_f32x4_pmin(wasm_f32x4_const_splat(1), positive);
}
#else
static inline Pixel unit_pixel(const float* pixel) {
  return (Pixel){unit(pixel[0]), unit(pixel[1]), unit(pixel[2]), unit(pixel[3])};
}
#endif

// Rounds numbers of 0..1 to multiples of 2^-37, the weight of the last bit of the number added.
static inline Sums on_grid(Sums value) {
  const double kShift = 0x1.8p15;
  return (value + kShift) - kShift;
}

static inline Sums weighted(const float* pixel) {
  const Pixel values = unit_pixel(pixel);
  const Pixel weights = {values[3], values[3], values[3], 1.0f};
  return on_grid(__builtin_convertvector(values, Sums) * __builtin_convertvector(weights, Sums));
}

// Sums of `width` pixels each: `count` of them, from a line to the one after it. Not inlined:
// addresses that the compiler does not know are two pointers, those that it knows are additions.
static __attribute__((noinline)) void box_pass(Sums* line, uint32_t count, uint32_t width) {
  Sums sum = {0, 0, 0, 0};
  Sums* entering = line;
  for (const Sums* first = line + width - 1; entering != first; ++entering) sum += *entering;
  Sums* leaving = line;
  for (const Sums* end = line + count; leaving != end; ++leaving, ++entering) {
    sum += *entering;
    leaving[kMaxSpan] = sum;
    sum -= *leaving;
  }
}

// From lines[0], which holds the core and 3 * radius pixels on both sides, to the core's 64 sums of
// (2 * radius + 1)^3 in lines[3].
static void blur_line(uint32_t radius) {
  const uint32_t width = 2 * radius + 1;
  box_pass(lines[0], kTileSide + 4 * radius, width);
  box_pass(lines[1], kTileSide + 2 * radius, width);
  box_pass(lines[2], kTileSide, width);
}

static void blur_rows(const float* pixel, uint32_t radius, uint32_t span, double sum_of_weights) {
  for (uint32_t row = 0; row < span; ++row) {
    for (Sums *at = lines[0], *end = at + span; at != end; ++at, pixel += kChannels)
      *at = weighted(pixel);
    blur_line(radius);
    Sums* column = &columns[0][row];
    for (uint32_t i = 0; i < kTileSide; ++i, column += kMaxSpan)
      *column = on_grid(lines[3][i] / sum_of_weights);
  }
}

// The mean of which these are sums. Where everything is transparent, the colour is `fallback`'s.
static inline Pixel mean(Sums sums, double sum_of_weights, const float* fallback) {
  const double alpha = sums[3];
  if (alpha == 0.0) return (Pixel){fallback[0], fallback[1], fallback[2], 0.0f};
  const Sums weights = {alpha, alpha, alpha, sum_of_weights};
  return __builtin_convertvector(sums / weights, Pixel);
}

// Calls `put` with every pixel of the core and its blurred value, column by column. Rows and
// columns are read before anything is put, so `put` may write the pixel.
static inline __attribute__((always_inline)) void blur_tile(float* tile_pixels, uint32_t radius,
                                                            void (*put)(float* pixel,
                                                                        Pixel blurred)) {
  const uint32_t halo = 3 * radius, span = kTileSide + 2 * halo;
  const double width = 2.0 * radius + 1.0, sum_of_weights = width * width * width;
  blur_rows(tile_pixels, radius, span, sum_of_weights);
  for (uint32_t column = 0; column < kTileSide; ++column) {
    __builtin_memcpy(lines[0], columns[column], span * sizeof(Sums));
    blur_line(radius);
    float* pixel = tile_pixels + (halo * span + halo + column) * kChannels;
    for (uint32_t i = 0; i < kTileSide; ++i, pixel += span * kChannels)
      put(pixel, mean(lines[3][i], sum_of_weights, pixel));
  }
}
