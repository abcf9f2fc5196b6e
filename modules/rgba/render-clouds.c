// Draws grey clouds in place of the colours: value noise on a lattice of `scale` pixels, `octaves`
// of it, each twice as fine and `persistence` times as strong as the one before, spread around the
// middle by `contrast`. Every `seed` gives other clouds. Alpha stays.
//
// A value depends on nothing but the pixel's place in the image and the settings.
#include "rgba/tile.h"

TILE_BUFFER(kTileSide)
UNIFORM_F32(scale, 96.0f, 8.0f, 512.0f)
UNIFORM_F32(persistence, 0.5f, 0.0f, 0.95f)
UNIFORM_F32(contrast, 1.2f, 0.1f, 2.5f)
UNIFORM_I32(octaves, 4, 1, 8)
UNIFORM_I32(seed, 0, INT32_MIN, INT32_MAX)

// The sums of the octaves of one row of the tile.
static float row_sums[kTileSide];

// A well mixed 32-bit number (the finalizer of MurmurHash3) as a value in 0..1.
static inline float lattice_value(uint32_t across, uint32_t down, uint32_t key) {
  uint32_t h = (across * 0x9e3779b1u) ^ (down * 0x85ebca77u) ^ key;
  h = (h ^ (h >> 16)) * 0x85ebca6bu;
  h = (h ^ (h >> 13)) * 0xc2b2ae35u;
  h ^= h >> 16;
  return (float)(h >> 8) * (1.0f / 16777215.0f);
}

static inline float smooth(float t) {
  return t * t * (3.0f - 2.0f * t);
}

static inline float between(float from, float to, float part) {
  return from + (to - from) * part;
}

// The value at a lattice line that runs across the rows, at the height of the row.
static inline float line_value(uint32_t across, uint32_t down, float part, uint32_t key) {
  return between(lattice_value(across, down, key), lattice_value(across, down + 1, key), part);
}

// Adds one octave: `x` and `y` are the row's first pixel, `step` the lattice cells per pixel.
static void add_octave(float x, float y, float step, float strength, uint32_t key) {
  const float down = __builtin_floorf(y * step);
  const uint32_t down_index = (uint32_t)(int32_t)down;
  const float down_part = smooth(y * step - down);
  float cell = __builtin_floorf(x * step);
  float left = line_value((uint32_t)(int32_t)cell, down_index, down_part, key);
  float right = line_value((uint32_t)(int32_t)cell + 1, down_index, down_part, key);
  for (float *sum = opaque(row_sums), *end = sum + kTileSide; sum != end; ++sum) {
    const float across = x * step;
    if (across >= cell + 1.0f) {
      cell = __builtin_floorf(across);
      left = line_value((uint32_t)(int32_t)cell, down_index, down_part, key);
      right = line_value((uint32_t)(int32_t)cell + 1, down_index, down_part, key);
    }
    *sum += between(left, right, smooth(across - cell)) * strength;
    x += 1.0f;
  }
}

TILE(float x, float y) {
  float* pixel = opaque(tile);
  for (int row = 0; row < kTileSide; ++row) {
    __builtin_memset(row_sums, 0, sizeof row_sums);
    float step = 1.0f / scale, strength = 1.0f, strengths = 0.0f;
    for (int32_t octave = 0; octave < octaves; ++octave) {
      add_octave(x, y + (float)row, step, strength,
                 (uint32_t)seed * 0x27d4eb2fu + (uint32_t)octave * 0xc2b2ae3du);
      strengths += strength;
      strength *= persistence;
      step *= 2.0f;
    }
    const float factor = contrast / strengths, added = 0.5f - 0.5f * contrast;
    for (const float *sum = opaque(row_sums), *end = sum + kTileSide; sum != end; ++sum) {
      const float value = unit(*sum * factor + added);
      pixel[0] = value;
      pixel[1] = value;
      pixel[2] = value;
      pixel += kChannels;
    }
  }
}
