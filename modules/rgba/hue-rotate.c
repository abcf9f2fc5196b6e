// Turns the hue by `hue_degrees` with the matrix of CSS's hue-rotate() (Filter Effects Module Level
// 1, feColorMatrix type="hueRotate"), which keeps the luma. Alpha stays. An angle beyond ten
// million is ignored.
#include "rgba/direction.h"
#include "rgba/tile.h"

TILE_BUFFER(kTileSide)

static float hue_degrees = 0.0f;
static float matrix[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};

EXPORT("uniform_set_hue_degrees") float uniform_set_hue_degrees(float degrees) {
  // Per entry: what stays at every angle, and what goes with the cosine and the sine.
  static const double kConstant[3] = {0.213, 0.715, 0.072};
  static const double kCosine[9] = {0.787,  -0.715, -0.072, -0.213, 0.285,
                                    -0.072, -0.213, -0.715, 0.928};
  static const double kSine[9] = {-0.213, -0.715, 0.928, 0.143, 0.140,
                                  -0.283, -0.787, 0.715, 0.072};
  if (!is_angle(degrees)) return hue_degrees;
  hue_degrees = degrees;
  const Direction angle = direction_of_degrees(degrees);
  for (int i = 0; i < 9; ++i)
    matrix[i] = (float)(kConstant[i % 3] + kCosine[i] * angle.cosine + kSine[i] * angle.sine);
  return degrees;
}

static inline float mix(const float* row, float red, float green, float blue) {
  return unit(red * row[0] + green * row[1] + blue * row[2]);
}

TILE(float x, float y) {
  (void)x, (void)y;
  EACH_PIXEL(pixel) {
    const float red = pixel[0], green = pixel[1], blue = pixel[2];
    pixel[0] = mix(matrix, red, green, blue);
    pixel[1] = mix(matrix + 3, red, green, blue);
    pixel[2] = mix(matrix + 6, red, green, blue);
  }
}
