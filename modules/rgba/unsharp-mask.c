// Sharpens: adds `amount` times the difference from the blurred image (that of gaussian-blur with
// this `radius`), where it is at least `threshold`. Only the whole part of `radius` counts; 0
// changes nothing. Alpha stays.
#include "rgba/tile.h"

enum { kMaxRadius = 10 };
TILE_BUFFER(kTileSide + 6 * kMaxRadius)
UNIFORM_F32(radius, 2.0f, 0.0f, 10.0f)
UNIFORM_F32(amount, 0.6f, 0.0f, 2.0f)
UNIFORM_F32(threshold, 0.02f, 0.0f, 1.0f)

#include "rgba/box_blur.h"

HALO(void) {
  return 3 * (int32_t)radius;
}

static inline float sharper(float value, float blurred) {
  const float difference = value - blurred;
  if (__builtin_fabsf(difference) < threshold) return unit(value);
  return unit(value + difference * amount);
}

static inline void put_sharper(float* pixel, Pixel blurred) {
  pixel[0] = sharper(pixel[0], blurred[0]);
  pixel[1] = sharper(pixel[1], blurred[1]);
  pixel[2] = sharper(pixel[2], blurred[2]);
}

TILE(float x, float y) {
  (void)x, (void)y;
  const int32_t whole_radius = (int32_t)radius;
  if (whole_radius > 0) blur_tile(tile, (uint32_t)whole_radius, put_sharper);
}
