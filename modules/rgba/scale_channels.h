// Multiplies red, green and blue of the tile by a factor each; what temperature and tint have in
// common. Comes after TILE_BUFFER.
#pragma once

#include "rgba/tile.h"

static inline void scale_channels(float red, float green, float blue) {
  EACH_PIXEL(pixel) {
    pixel[0] = unit(pixel[0] * red);
    pixel[1] = unit(pixel[1] * green);
    pixel[2] = unit(pixel[2] * blue);
  }
}
