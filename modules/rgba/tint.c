// Greener (to 1) or more magenta (to -1): green by 10 % up, red and blue by 5 % down, or the other
// way round. Alpha stays.
#include "rgba/tile.h"

TILE_BUFFER(kTileSide)

#include "rgba/scale_channels.h"

UNIFORM_F32(tint, 0.0f, -1.0f, 1.0f)

TILE(float x, float y) {
  (void)x, (void)y;
  scale_channels(1.0f - tint * 0.05f, 1.0f + tint * 0.10f, 1.0f - tint * 0.05f);
}
