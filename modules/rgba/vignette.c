// Darkens towards the corners. The distance of a pixel's centre from the image's, where the corner
// is at 1, counts from `midpoint` on; over `feather` of the way from there to the corner the
// darkening grows smoothly to `amount`. Does nothing before the size of the image is known. Alpha
// stays.
#include "rgba/tile.h"

TILE_BUFFER(kTileSide)
UNIFORM_F32(amount, 0.5f, 0.0f, 1.0f)
UNIFORM_F32(midpoint, 0.75f, 0.0f, 0.999f)
UNIFORM_F32(feather, 0.5f, 0.0f, 1.0f)

static float width = 0.0f;
static float height = 0.0f;

EXPORT("uniform_set_width_and_height") void uniform_set_width_and_height(float w, float h) {
  width = w;
  height = h;
}

// 0 within the midpoint, 1 behind the feathered ring, smooth between.
static inline float darkening(float distance, float start, float ring) {
  if (ring <= 0.0f) return distance >= start ? 1.0f : 0.0f;
  const float t = unit((distance - start) / ring);
  return t * t * (3.0f - 2.0f * t);
}

TILE(float x, float y) {
  if (!(width > 0.0f && height > 0.0f)) return;
  // Distances are in halves of the height, so that the dark ring is a circle.
  const float per_column = 1.0f / width, per_row = 1.0f / height;
  const float aspect = width / height;
  const float to_corner = 1.0f / __builtin_sqrtf(aspect * aspect + 1.0f);
  const float start = midpoint, strength = amount;
  const float ring = feather * (1.0f - start);
  float* pixel = opaque(tile);
  for (int row = 0; row < kTileSide; ++row) {
    const float dy = ((y + (float)row + 0.5f) * per_row - 0.5f) * 2.0f;
    const float dy_squared = dy * dy;
    float column = x + 0.5f;
    for (float* end = pixel + kTileSide * kChannels; pixel != end; pixel += kChannels) {
      const float dx = (column * per_column - 0.5f) * 2.0f * aspect;
      const float distance = __builtin_sqrtf(dx * dx + dy_squared) * to_corner;
      const float factor = 1.0f - strength * darkening(distance, start, ring);
      pixel[0] = unit(pixel[0] * factor);
      pixel[1] = unit(pixel[1] * factor);
      pixel[2] = unit(pixel[2] * factor);
      column += 1.0f;
    }
  }
}
