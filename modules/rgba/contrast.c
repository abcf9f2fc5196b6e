// More or less contrast: the distance of every colour from the middle, 0.5, is divided by
// 1 - contrast for a positive `contrast` and multiplied by 1 + contrast for a negative one.
// Alpha stays.
#include "rgba/tile.h"

TILE_BUFFER(kTileSide)
UNIFORM_F32(contrast, 0.0f, -0.999f, 0.999f)

static inline float spread(float value, float factor) {
  return unit((value - 0.5f) * factor + 0.5f);
}

TILE(float x, float y) {
  (void)x, (void)y;
  const float factor = contrast >= 0.0f ? 1.0f / (1.0f - contrast) : 1.0f + contrast;
  EACH_PIXEL(pixel) {
    pixel[0] = spread(pixel[0], factor);
    pixel[1] = spread(pixel[1], factor);
    pixel[2] = spread(pixel[2], factor);
  }
}
