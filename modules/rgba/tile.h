// The Tile contract as C macros: what an image filter written in C exports, once, for all of them.
//
// Promises: TILE_BUFFER gives a filter the buffer it shares with the host; UNIFORM_* give it
// settings that are always within their range; unit() is the one way a value is brought back to
// 0..1. Assumes: freestanding C17 for wasm32. The buffer holds 64 + 2 * halo pixels a side, row by
// row, each of them R, G, B, A as floats, alpha straight. A filter must not care what lies outside
// the image, nor in which order the tiles come.
#pragma once

#include "component.h"

enum { kTileSide = 64, kChannels = 4, kTileFloats = kTileSide * kTileSide * kChannels };

// The buffer for tiles of up to `side` pixels a side, halo included.
#define TILE_BUFFER(side)                                                      \
  static float tile[(side) * (side) * kChannels] __attribute__((aligned(16))); \
  EXPORT("input_ptr") float* input_ptr(void) {                                 \
    return tile;                                                               \
  }                                                                            \
  EXPORT("input_bytes_cap") uint32_t input_bytes_cap(void) {                   \
    return sizeof tile;                                                        \
  }

// How many pixels around its own a filter looks at.
#define HALO EXPORT("calculate_halo_px") int32_t calculate_halo_px

// The entry: the coordinates in the image of the buffer's first pixel.
#define TILE EXPORT("tile_rgba32float_64x64") void tile_rgba32float_64x64

// A setting; what lies outside low..high becomes the nearer of the two, and NaN changes nothing.
// The setter returns the value that counts now.
#define UNIFORM_F32(name, initial, low, high)                                   \
  static float name = initial;                                                  \
  EXPORT("uniform_set_" #name) float uniform_set_##name(float value) {          \
    if (value == value) name = value < low ? low : value > high ? high : value; \
    return name;                                                                \
  }
#define UNIFORM_I32(name, initial, low, high)                              \
  static int32_t name = initial;                                           \
  EXPORT("uniform_set_" #name) int32_t uniform_set_##name(int32_t value) { \
    name = value < low ? low : value > high ? high : value;                \
    return name;                                                           \
  }

// Every pixel of a tile without a halo. The empty statement hides from the compiler that the
// address is a constant: it then keeps one pointer, where it would compute the address of each
// channel afresh.
static inline float* opaque(float* pointer) {
  __asm__("" : "+r"(pointer));
  return pointer;
}
#define EACH_PIXEL(pixel)                                                                     \
  for (float *pixel = opaque(tile), *pixel##_end = pixel + kTileFloats; pixel != pixel##_end; \
       pixel += kChannels)

// The nearest value in 0..1; 0 for NaN.
static inline float unit(float value) {
  const float positive = value > 0.0f ? value : 0.0f;
  return positive < 1.0f ? positive : 1.0f;
}
