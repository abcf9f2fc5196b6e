// Paper cut-outs: `levels` values per colour, and edges of the luma darkened. What exceeds
// `edge_threshold` of the eighth of the two Sobel sums, up to 1, darkens by up to `edge_strength`.
// Alpha stays.
#include "rgba/tile.h"

enum { kSpan = kTileSide + 2 };
TILE_BUFFER(kSpan)
UNIFORM_F32(levels, 4.0f, 2.0f, 16.0f)
UNIFORM_F32(edge_threshold, 0.25f, 0.0f, 0.99f)
UNIFORM_F32(edge_strength, 0.7f, 0.0f, 1.0f)

static float lumas[kSpan * kSpan];

HALO(void) {
  return 1;
}

static void fill_lumas(void) {
  const float* pixel = opaque(tile);
  for (float *luma = opaque(lumas), *end = luma + kSpan * kSpan; luma != end;
       ++luma, pixel += kChannels)
    *luma = unit(pixel[0] * 0.299f + pixel[1] * 0.587f + pixel[2] * 0.114f);
}

// 0..1; `luma`: the upper left one of nine.
static inline float edge(const float* luma) {
  const float* middle = luma + kSpan;
  const float* below = middle + kSpan;
  const float gx =
      (luma[2] + middle[2] * 2.0f + below[2]) - (luma[0] + middle[0] * 2.0f + below[0]);
  const float gy = (below[0] + below[1] * 2.0f + below[2]) - (luma[0] + luma[1] * 2.0f + luma[2]);
  return unit((__builtin_fabsf(gx) + __builtin_fabsf(gy)) * 0.125f);
}

TILE(float x, float y) {
  (void)x, (void)y;
  fill_lumas();
  const float steps = levels - 1.0f;
  const float threshold = edge_threshold, strength = edge_strength / (1.0f - edge_threshold);
  float* pixel = opaque(tile + (kSpan + 1) * kChannels);
  const float* luma = opaque(lumas);
  for (int row = 0; row < kTileSide; ++row, pixel += 2 * kChannels, luma += 2) {
    for (float* end = pixel + kTileSide * kChannels; pixel != end; pixel += kChannels, ++luma) {
      const float excess = edge(luma) - threshold;
      const float light = excess > 0.0f ? 1.0f - excess * strength : 1.0f;
      pixel[0] = unit(__builtin_rintf(pixel[0] * steps) / steps) * light;
      pixel[1] = unit(__builtin_rintf(pixel[1] * steps) / steps) * light;
      pixel[2] = unit(__builtin_rintf(pixel[2] * steps) / steps) * light;
    }
  }
}
