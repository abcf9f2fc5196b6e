// A 3x3 filter over a grey f32 image, blur and sharpen in turn, clamped to [0, 255].
// Measures: f32 loads at constant offsets, multiply-add chains, compare and select.
#include "../kernel.h"

enum { kWidth = 256, kHeight = 256, kPixels = kWidth * kHeight, kPasses = 20 };

static float image[2][kPixels];

static const float kBlur[9] = {0.0625f, 0.125f,  0.0625f, 0.125f, 0.25f,
                               0.125f,  0.0625f, 0.125f,  0.0625f};
static const float kSharpen[9] = {0, -0.5f, 0, -0.5f, 3, -0.5f, 0, -0.5f, 0};

static float clamp(float value) {
  if (value < 0) value = 0;
  if (value > 255) value = 255;
  return value;
}

// The border of the target keeps what it has.
static void filter(const float* source, float* target, const float* k) {
  for (u32 y = 1; y < kHeight - 1; y++) {
    const float* above = source + (y - 1) * kWidth;
    const float* here = above + kWidth;
    const float* below = here + kWidth;
    float* out = target + y * kWidth;
    for (u32 x = 1; x < kWidth - 1; x++) {
      float sum = above[x - 1] * k[0] + above[x] * k[1] + above[x + 1] * k[2];
      sum += here[x - 1] * k[3] + here[x] * k[4] + here[x + 1] * k[5];
      sum += below[x - 1] * k[6] + below[x] * k[7] + below[x + 1] * k[8];
      out[x] = clamp(sum);
    }
  }
}

i32 bench(i32 rounds) {
  u32 random = 0xBEEF5EEDu;
  u32 checksum = 0;
  for (u32 i = 0; i < kPixels; i++) {
    image[0][i] = (float)(next_random(&random) >> 24);
    image[1][i] = image[0][i];
  }
  for (i32 round = 0; round < rounds; round++) {
    for (u32 pass = 0; pass < kPasses; pass++) {
      filter(image[pass & 1], image[~pass & 1], pass & 1 ? kSharpen : kBlur);
    }
    for (u32 i = 0; i < kPixels; i += 61) checksum = mix(checksum, (u32)(i32)(image[0][i] * 16));
    image[0][checksum % kPixels] = (float)(checksum >> 24);
  }
  return (i32)checksum;
}
