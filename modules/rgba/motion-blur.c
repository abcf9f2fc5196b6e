// Blurs along a line: the mean of the 2 * radius + 1 pixels nearest to the line through a pixel at
// `angle` degrees (0: to the right, 90: down), one per pixel of its length. Only the whole part of
// `radius` counts; 0 changes nothing. Alpha is blurred too, and colours count by it. An angle
// beyond ten million is ignored.
#include "rgba/direction.h"
#include "rgba/tile.h"

enum { kMaxRadius = 32 };
TILE_BUFFER(kTileSide + 2 * kMaxRadius)
UNIFORM_F32(radius, 8.0f, 0.0f, 32.0f)

static float angle = 0.0f;
static Direction direction = {0.0, 1.0};
static float blurred[kTileFloats];
static int32_t offsets[2 * kMaxRadius + 1];  // of the samples from a pixel, in bytes

EXPORT("uniform_set_angle") float uniform_set_angle(float degrees) {
  if (!is_angle(degrees)) return angle;
  angle = degrees;
  direction = direction_of_degrees(degrees);
  return degrees;
}

HALO(void) {
  return (int32_t)radius;
}

static void fill_offsets(int32_t whole_radius, int32_t span) {
  for (int32_t i = -whole_radius; i <= whole_radius; ++i) {
    const int32_t right = (int32_t)__builtin_rint(i * direction.cosine);
    const int32_t down = (int32_t)__builtin_rint(i * direction.sine);
    offsets[i + whole_radius] = (down * span + right) * kChannels * (int32_t)sizeof(float);
  }
}

// Colours times alpha.
static void weight_colors(int32_t span) {
  for (float *pixel = opaque(tile), *end = pixel + span * span * kChannels; pixel != end;
       pixel += kChannels) {
    const float alpha = unit(pixel[3]);
    pixel[0] = unit(pixel[0]) * alpha;
    pixel[1] = unit(pixel[1]) * alpha;
    pixel[2] = unit(pixel[2]) * alpha;
    pixel[3] = alpha;
  }
}

// `result` holds the pixel as it came; where everything is transparent, it keeps its colour.
static inline void blur_pixel(const float* pixel, const int32_t* end, float count, float* result) {
  float red = 0.0f, green = 0.0f, blue = 0.0f, alpha = 0.0f;
  for (const int32_t* offset = offsets; offset != end; ++offset) {
    const float* sample = (const float*)((const uint8_t*)pixel + *offset);
    red += sample[0];
    green += sample[1];
    blue += sample[2];
    alpha += sample[3];
  }
  if (alpha > 0.0f) {
    result[0] = unit(red / alpha);
    result[1] = unit(green / alpha);
    result[2] = unit(blue / alpha);
  }
  result[3] = unit(alpha / count);
}

static inline void copy_row(float* to, const float* from) {
  __builtin_memcpy(to, from, kTileSide * kChannels * sizeof(float));
}

TILE(float x, float y) {
  (void)x, (void)y;
  const int32_t whole_radius = (int32_t)radius, span = kTileSide + 2 * whole_radius;
  if (whole_radius == 0) return;
  const int32_t count = 2 * whole_radius + 1;
  float* core = tile + (whole_radius * span + whole_radius) * kChannels;
  for (int row = 0; row < kTileSide; ++row)
    copy_row(blurred + row * kTileSide * kChannels, core + row * span * kChannels);
  fill_offsets(whole_radius, span);
  weight_colors(span);
  const float* pixel = core;
  float* result = opaque(blurred);
  for (int row = 0; row < kTileSide; ++row, pixel += 2 * whole_radius * kChannels) {
    for (float* end = result + kTileSide * kChannels; result != end; result += kChannels) {
      blur_pixel(pixel, offsets + count, (float)count, result);
      pixel += kChannels;
    }
  }
  for (int row = 0; row < kTileSide; ++row)
    copy_row(core + row * span * kChannels, blurred + row * kTileSide * kChannels);
}
