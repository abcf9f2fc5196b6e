// Grey by the luma of ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B. Alpha stays.
#include "rgba/tile.h"

TILE_BUFFER(kTileSide)

TILE(float x, float y) {
  (void)x, (void)y;
  EACH_PIXEL(pixel) {
    const float luma = unit(pixel[0] * 0.299f + pixel[1] * 0.587f + pixel[2] * 0.114f);
    pixel[0] = luma;
    pixel[1] = luma;
    pixel[2] = luma;
  }
}
