// What gaussian-blur and gaussian-blur-simd have in common: everything but the width of a step.
#pragma once

#include "rgba/tile.h"

enum { kMaxRadius = 12 };
TILE_BUFFER(kTileSide + 6 * kMaxRadius)
UNIFORM_F32(radius, 2.0f, 0.0f, 12.0f)

#include "rgba/box_blur.h"

HALO(void) {
  return 3 * (int32_t)radius;
}

static inline void put_blurred(float* pixel, Pixel blurred) {
  *(Pixel*)pixel = blurred;
}

TILE(float x, float y) {
  (void)x, (void)y;
  const int32_t whole_radius = (int32_t)radius;
  if (whole_radius > 0) blur_tile(tile, (uint32_t)whole_radius, put_blurred);
}
