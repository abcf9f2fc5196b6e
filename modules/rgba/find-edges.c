// Dark edges on white: per colour 1 - 0.2 * (|gx| + |gy|) with the two Sobel sums. Alpha stays.
#include "rgba/tile.h"

enum { kSpan = kTileSide + 2, kRow = kSpan * kChannels };
TILE_BUFFER(kSpan)

HALO(void) {
  return 1;
}

// `value`: the upper left one of nine.
static inline float flatness(const float* value) {
  const float* middle = value + kRow;
  const float* below = middle + kRow;
  const float gx =
      (value[8] + middle[8] * 2.0f + below[8]) - (value[0] + middle[0] * 2.0f + below[0]);
  const float gy =
      (below[0] + below[4] * 2.0f + below[8]) - (value[0] + value[4] * 2.0f + value[8]);
  return unit(1.0f - unit((__builtin_fabsf(gx) + __builtin_fabsf(gy)) * 0.2f));
}

TILE(float x, float y) {
  (void)x, (void)y;
  // A result goes to the pixel above and to the left, which is not needed any more, and at the end
  // all of them move to their places together.
  float* pixel = opaque(tile);
  for (int row = 0; row < kTileSide; ++row, pixel += 2 * kChannels) {
    for (float* end = pixel + kTileSide * kChannels; pixel != end; pixel += kChannels) {
      pixel[0] = flatness(pixel);
      pixel[1] = flatness(pixel + 1);
      pixel[2] = flatness(pixel + 2);
      pixel[3] = pixel[kRow + kChannels + 3];
    }
  }
  __builtin_memmove(tile + kRow + kChannels, tile, kTileSide * kRow * sizeof(float));
}
