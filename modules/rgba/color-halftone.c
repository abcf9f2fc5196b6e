// Prints with dots: cyan, magenta, yellow and black (black takes the grey part) each on a square
// screen turned by its angle in radians, `angle_c`, `angle_m`, `angle_y`, `angle_k`, at first 15,
// 75, 0 and 45 degrees. A screen's cells are 2 * max_radius pixels wide; a pixel is inked if it is
// no farther from the middle of its cell than `max_radius` times its own amount of that ink. Alpha
// stays. An angle beyond ten million is ignored.
#include "rgba/direction.h"
#include "rgba/tile.h"

TILE_BUFFER(kTileSide)
UNIFORM_F32(max_radius, 6.0f, 1.0f, 24.0f)

#define SCREEN(name, initial, initial_sine, initial_cosine)                          \
  static float angle_##name = initial;                                               \
  static Direction direction_##name = {initial_sine, initial_cosine};                \
  EXPORT("uniform_set_angle_" #name) float uniform_set_angle_##name(float radians) { \
    return set_angle(&angle_##name, &direction_##name, radians);                     \
  }

static float set_angle(float* angle, Direction* direction, float radians) {
  if (!is_angle(radians)) return *angle;
  *angle = radians;
  *direction = direction_of_degrees(radians * 57.29577951308232);
  return radians;
}

SCREEN(c, 0.2617994f, 0.25881904510252074, 0.9659258262890683)
SCREEN(m, 1.3089970f, 0.9659258262890683, 0.25881904510252074)
SCREEN(y, 0.0f, 0.0, 1.0)
SCREEN(k, 0.7853982f, 0.7071067811865476, 0.7071067811865476)

// Pixels to cells: across = x * cosine - y * sine, down = x * sine + y * cosine.
typedef struct {
  float sine, cosine;
} Screen;

static inline Screen screen(const Direction* direction, double cell) {
  return (Screen){(float)(direction->sine / cell), (float)(direction->cosine / cell)};
}

static inline bool is_inked(Screen screen, float x, float y, float amount) {
  if (!(amount > 0.0f)) return false;  // NaN, the tone of pure black, is none either
  const float across = x * screen.cosine - y * screen.sine;
  const float down = x * screen.sine + y * screen.cosine;
  const float right = across - __builtin_floorf(across) - 0.5f;
  const float below = down - __builtin_floorf(down) - 0.5f;
  return right * right + below * below <= amount * amount * 0.25f;
}

TILE(float x, float y) {
  const double cell = max_radius * 2.0;
  const Screen cyan_screen = screen(&direction_c, cell),
               magenta_screen = screen(&direction_m, cell);
  const Screen yellow_screen = screen(&direction_y, cell),
               black_screen = screen(&direction_k, cell);
  float* pixel = opaque(tile);
  for (int row = 0; row < kTileSide; ++row) {
    const float center_y = y + (float)row + 0.5f;
    float center_x = x + 0.5f;
    for (float* end = pixel + kTileSide * kChannels; pixel != end; pixel += kChannels) {
      const float red = unit(pixel[0]), green = unit(pixel[1]), blue = unit(pixel[2]);
      const float red_or_green = red > green ? red : green;
      const float light = red_or_green > blue ? red_or_green : blue;
      // Behind a black dot nothing else shows.
      const bool black = is_inked(black_screen, center_x, center_y, 1.0f - light);
      const float cyan = (light - red) / light, magenta = (light - green) / light;
      const float yellow = (light - blue) / light;
      pixel[0] = black || is_inked(cyan_screen, center_x, center_y, cyan) ? 0.0f : 1.0f;
      pixel[1] = black || is_inked(magenta_screen, center_x, center_y, magenta) ? 0.0f : 1.0f;
      pixel[2] = black || is_inked(yellow_screen, center_x, center_y, yellow) ? 0.0f : 1.0f;
      center_x += 1.0f;
    }
  }
}
