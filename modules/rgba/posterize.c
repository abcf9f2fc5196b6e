// Leaves `levels_count` evenly spaced values per colour, 0 and 1 among them; a value exactly
// between two goes to the even one. Alpha stays.
#include "rgba/tile.h"

TILE_BUFFER(kTileSide)
UNIFORM_I32(levels_count, 8, 2, 255)

static inline float nearest_level(float value, float steps) {
  return unit(__builtin_rintf(value * steps) / steps);
}

TILE(float x, float y) {
  (void)x, (void)y;
  const float steps = (float)(levels_count - 1);
  EACH_PIXEL(pixel) {
    pixel[0] = nearest_level(pixel[0], steps);
    pixel[1] = nearest_level(pixel[1], steps);
    pixel[2] = nearest_level(pixel[2], steps);
  }
}
