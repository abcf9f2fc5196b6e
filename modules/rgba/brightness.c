// Brighter or darker: a positive `brightness` takes every colour that part of its way to white, a
// negative one to black. 0 changes nothing. Alpha stays.
#include "rgba/tile.h"

TILE_BUFFER(kTileSide)
UNIFORM_F32(brightness, 0.0f, -1.0f, 1.0f)

static inline float brighter(float value, float part) {
  return unit(value + (1.0f - value) * part);
}

static inline float darker(float value, float rest) {
  return unit(value * rest);
}

TILE(float x, float y) {
  (void)x, (void)y;
  const float amount = brightness;
  if (amount >= 0.0f) {
    EACH_PIXEL(pixel) {
      pixel[0] = brighter(pixel[0], amount);
      pixel[1] = brighter(pixel[1], amount);
      pixel[2] = brighter(pixel[2], amount);
    }
  } else {
    const float rest = 1.0f + amount;
    EACH_PIXEL(pixel) {
      pixel[0] = darker(pixel[0], rest);
      pixel[1] = darker(pixel[1], rest);
      pixel[2] = darker(pixel[2], rest);
    }
  }
}
