// Warmer (to 1) or cooler (to -1): red by 10 % and green by 5 % up, blue by 10 % down, or the other
// way round. Alpha stays.
#include "rgba/tile.h"

TILE_BUFFER(kTileSide)

#include "rgba/scale_channels.h"

UNIFORM_F32(temperature, 0.0f, -1.0f, 1.0f)

TILE(float x, float y) {
  (void)x, (void)y;
  scale_channels(1.0f + temperature * 0.10f, 1.0f + temperature * 0.05f,
                 1.0f - temperature * 0.10f);
}
