// A 5-tap binomial blur of a grey f32 image, along rows and then along columns, four pixels at a
// time. Every call first compares one blur with scalar arithmetic in the same order and traps
// unless the bits are equal.
// Measures: f32x4 multiply and add, aligned and unaligned 128-bit loads.
#include <wasm_simd128.h>

#include "../kernel.h"

enum { kWidth = 256, kHeight = 256, kBorder = 4, kStride = kWidth + 2 * kBorder, kPasses = 80 };

// With a border of kBorder pixels all round, which stays zero.
typedef float Image[kHeight + 2 * kBorder][kStride];
static Image image, between, expected;

static const float kOuter = 0.0625f;
static const float kInner = 0.25f;
static const float kCentre = 0.375f;

// The five taps lie `step` floats apart.
static v128_t blurred(const float* centre, i32 step) {
  v128_t outer =
      wasm_f32x4_add(wasm_v128_load(centre - 2 * step), wasm_v128_load(centre + 2 * step));
  v128_t inner = wasm_f32x4_add(wasm_v128_load(centre - step), wasm_v128_load(centre + step));
  v128_t sum = wasm_f32x4_mul(outer, wasm_f32x4_splat(kOuter));
  sum = wasm_f32x4_add(sum, wasm_f32x4_mul(inner, wasm_f32x4_splat(kInner)));
  return wasm_f32x4_add(sum, wasm_f32x4_mul(wasm_v128_load(centre), wasm_f32x4_splat(kCentre)));
}

static void blur(const float* source, float* target, i32 step) {
  for (u32 y = kBorder; y < kHeight + kBorder; y++) {
    const float* from = source + y * kStride + kBorder;
    float* to = target + y * kStride + kBorder;
    for (u32 x = 0; x < kWidth; x += 4) wasm_v128_store(to + x, blurred(from + x, step));
  }
}

static void blur_scalar(const float* source, float* target, i32 step) {
  for (u32 y = kBorder; y < kHeight + kBorder; y++) {
    const float* from = source + y * kStride + kBorder;
    float* to = target + y * kStride + kBorder;
    for (u32 x = 0; x < kWidth; x++) {
      const float* centre = from + x;
      float outer = centre[-2 * step] + centre[2 * step];
      float inner = centre[-step] + centre[step];
      to[x] = outer * kOuter + inner * kInner + *centre * kCentre;
    }
  }
}

static u32 bits_of(float number) {
  union {
    float number;
    u32 bits;
  } value = {number};
  return value.bits;
}

// Whether vectors and scalars give the same bits.
static i32 agrees_with_scalar(void) {
  blur(&image[0][0], &between[0][0], 1);
  blur_scalar(&image[0][0], &expected[0][0], 1);
  for (u32 y = kBorder; y < kHeight + kBorder; y++) {
    for (u32 x = kBorder; x < kWidth + kBorder; x++) {
      if (bits_of(between[y][x]) != bits_of(expected[y][x])) return 0;
    }
  }
  return 1;
}

i32 bench(i32 rounds) {
  u32 random = 0xA4093822u;
  u32 checksum = 0;
  for (u32 y = kBorder; y < kHeight + kBorder; y++) {
    for (u32 x = kBorder; x < kWidth + kBorder; x++) {
      image[y][x] = (float)(next_random(&random) >> 24);
    }
  }
  if (!agrees_with_scalar()) __builtin_trap();
  for (i32 round = 0; round < rounds; round++) {
    for (u32 pass = 0; pass < kPasses; pass++) {
      blur(&image[0][0], &between[0][0], 1);
      blur(&between[0][0], &image[0][0], kStride);
    }
    // Fresh noise, so that the image does not fade.
    for (u32 y = kBorder; y < kHeight + kBorder; y++) {
      float* pixel = &image[y][kBorder + (y * 37 + checksum) % kWidth];
      checksum = mix(checksum, bits_of(*pixel));
      *pixel = (float)(checksum >> 20);
    }
  }
  return (i32)checksum;
}
