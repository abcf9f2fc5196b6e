// The distance of every colour from its grey (the luma of ITU-R BT.709) times 1 + saturation:
// -1 leaves grey, 0 changes nothing, 1 doubles it. Alpha stays.
#include "rgba/tile.h"

TILE_BUFFER(kTileSide)
UNIFORM_F32(saturation, 0.0f, -1.0f, 1.0f)

TILE(float x, float y) {
  (void)x, (void)y;
  const float factor = 1.0f + saturation;
  EACH_PIXEL(pixel) {
    const float red = pixel[0], green = pixel[1], blue = pixel[2];
    const float luma = red * 0.2126f + green * 0.7152f + blue * 0.0722f;
    pixel[0] = unit(luma + (red - luma) * factor);
    pixel[1] = unit(luma + (green - luma) * factor);
    pixel[2] = unit(luma + (blue - luma) * factor);
  }
}
