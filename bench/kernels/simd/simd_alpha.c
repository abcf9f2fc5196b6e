// Blends rows of RGBA pixels with premultiplied alpha over a picture, then changes its light,
// sixteen bytes at a time. Every call first compares one row with scalar arithmetic and traps
// unless the bytes are equal.
// Measures: i8x16 shuffle and saturating arithmetic, i16x8 widening multiply, shift and narrow.
#include <wasm_simd128.h>

#include "../kernel.h"

enum {
  kWidth = 256,
  kHeight = 128,
  kPixelBytes = 4,
  kRowBytes = kWidth * kPixelBytes,
  kPasses = 160
};

static u8 picture[kHeight][kRowBytes];
static u8 sprite[kHeight][kRowBytes];

// Eight products of two bytes each, divided by 255 and rounded. Two shifts give the exact quotient
// for every such product.
static v128_t divide_by_255(v128_t products) {
  v128_t rounded = wasm_i16x8_add(products, wasm_i16x8_splat(128));
  return wasm_u16x8_shr(wasm_i16x8_add(rounded, wasm_u16x8_shr(rounded, 8)), 8);
}

// Four pixels: source + target * (255 - alpha of source) / 255, saturating.
static v128_t blend(v128_t source, v128_t target) {
  v128_t alpha =
      wasm_i8x16_shuffle(source, source, 3, 3, 3, 3, 7, 7, 7, 7, 11, 11, 11, 11, 15, 15, 15, 15);
  v128_t rest = wasm_v128_not(alpha);
  v128_t low = divide_by_255(wasm_u16x8_extmul_low_u8x16(target, rest));
  v128_t high = divide_by_255(wasm_u16x8_extmul_high_u8x16(target, rest));
  return wasm_u8x16_add_sat(source, wasm_u8x16_narrow_i16x8(low, high));
}

static void blend_row(const u8* source, u8* target) {
  for (u32 i = 0; i < kRowBytes; i += 16) {
    wasm_v128_store(target + i, blend(wasm_v128_load(source + i), wasm_v128_load(target + i)));
  }
}

// Adds the light to what is darker than its complement, and takes it from what is brighter.
static void change_light(u8* row, u8 light) {
  v128_t amount = wasm_i8x16_splat((signed char)light);
  v128_t bound = wasm_v128_not(amount);
  for (u32 i = 0; i < kRowBytes; i += 16) {
    v128_t bytes = wasm_v128_load(row + i);
    v128_t darker = wasm_u8x16_lt(bytes, bound);
    v128_t changed = wasm_v128_bitselect(wasm_u8x16_add_sat(bytes, amount),
                                         wasm_u8x16_sub_sat(bytes, amount), darker);
    wasm_v128_store(row + i, changed);
  }
}

static u8 blend_byte(u32 source, u32 target, u32 alpha) {
  u32 sum = source + (target * (255 - alpha) + 127) / 255;
  return (u8)(sum < 255 ? sum : 255);
}

static u8 change_byte(u32 byte, u32 light) {
  if (byte < 255 - light) return (u8)(byte + light);
  return (u8)(byte > light ? byte - light : 0);
}

static i32 agrees_with_scalar(void) {
  static u8 row[kRowBytes];
  const u8 light = 41;
  for (u32 i = 0; i < kRowBytes; i++) row[i] = picture[0][i];
  blend_row(sprite[0], row);
  change_light(row, light);
  for (u32 i = 0; i < kRowBytes; i++) {
    u8 blended = blend_byte(sprite[0][i], picture[0][i], sprite[0][i | 3]);
    if (row[i] != change_byte(blended, light)) return 0;
  }
  return 1;
}

// Colours not above alpha, as premultiplied pixels are.
static void paint(u32* random) {
  for (u32 y = 0; y < kHeight; y++) {
    for (u32 i = 0; i < kRowBytes; i++) {
      picture[y][i] = (u8)(next_random(random) >> 24);
      u32 alpha = i % kPixelBytes == 0 ? next_random(random) >> 24 : sprite[y][i | 3];
      sprite[y][i | 3] = (u8)alpha;
      if (i % kPixelBytes != 3) sprite[y][i] = (u8)((next_random(random) >> 24) * alpha / 255);
    }
  }
}

i32 bench(i32 rounds) {
  u32 random = 0x299F31D0u;
  u32 checksum = 0;
  paint(&random);
  if (!agrees_with_scalar()) __builtin_trap();
  for (i32 round = 0; round < rounds; round++) {
    for (u32 pass = 0; pass < kPasses; pass++) {
      for (u32 y = 0; y < kHeight; y++) {
        blend_row(sprite[(y + pass) % kHeight], picture[y]);
        change_light(picture[y], (u8)(checksum >> 24));
      }
      for (u32 y = 0; y < kHeight; y++) checksum = mix(checksum, picture[y][y * 7]);
    }
    sprite[checksum % kHeight][checksum / kHeight % kRowBytes] ^= 1;
  }
  return (i32)checksum;
}
