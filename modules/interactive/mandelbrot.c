// The Mandelbrot set, drawn coarse first and then finer.
//
// + and - (or i and o) zoom at the centre, arrow keys move, ] and [ double and halve how deep is
// looked, r or Home goes back. The primary button zooms in where it is pressed, the secondary out.
// Uniforms: `center_x`, `center_y` f64 (-0.5, 0), `zoom` i32, 0 to 42 (0): each level halves the
// width; `depth` i32, 32 to 4096 iterations (256).
// Promises: a tick makes at most kTickIterations and one pixel's more, whatever is looked at; when
// the picture is complete no wake-up is wanted. f64 arithmetic, so every host draws the same
// pixels.
#include "interactive/interactive.h"

FRAME(320, 240)

enum { kTickIterations = 150000, kPauseMs = 16, kCoarsest = 16 };
enum { kMaxZoom = 42, kMinDepth = 32, kMaxDepth = 4096 };

static double center_x = -0.5, center_y = 0, first_x, first_y;
static int32_t zoom, first_zoom, depth = 256;

// The pixel that is next: blocks of `block` pixels, row by row; 0 when the picture is complete.
static int32_t block, next_x, next_y;

UNIFORM("center_x") set_center_x(double x) {
  center_x = x;
}
UNIFORM("center_y") set_center_y(double y) {
  center_y = y;
}
UNIFORM("zoom") set_zoom(int32_t level) {
  zoom = clamped(level, 0, kMaxZoom);
}
UNIFORM("depth") set_depth(int32_t iterations) {
  depth = clamped(iterations, kMinDepth, kMaxDepth);
}

// The distance between two pixels: 3.2 units across the frame without zoom.
static double scale(void) {
  return 0.01 / (double)((int64_t)1 << zoom);
}

// --- Drawing -------------------------------------------------------------------------------------

// A wave from 0 to 255 and back every 128 steps.
static uint32_t wave(uint32_t position) {
  const uint32_t phase = position & 127;
  return phase < 64 ? phase * 255 / 63 : (127 - phase) * 255 / 63;
}

static Color color_of(int32_t iterations) {
  if (iterations == depth) return RGB(0, 0, 0);
  const uint32_t n = (uint32_t)iterations;
  return RGB(wave(n * 2), wave(n * 3 + 20), wave(n * 5 + 50));
}

// Inside the main heart or the disc left of it, where iterating would only end at `depth`.
static bool is_surely_inside(double x, double y) {
  const double from_cusp = x - 0.25, square = y * y;
  const double q = from_cusp * from_cusp + square;
  return q * (q + from_cusp) <= 0.25 * square || (x + 1) * (x + 1) + square <= 0.0625;
}

static int32_t spent;  // iterations of this tick, and as much work elsewhere

// How often z * z + c is computed before z is farther than 2 from 0; at most `depth`.
static int32_t iterations_of(double x, double y) {
  if (is_surely_inside(x, y)) return depth;
  double real = 0, imaginary = 0;
  int32_t i = 0;
  while (i < depth) {
    const double real_square = real * real, imaginary_square = imaginary * imaginary;
    // Also ends for what is not a number.
    if (!(real_square + imaginary_square <= 4)) break;
    imaginary = 2 * real * imaginary + y;
    real = real_square - imaginary_square + x;
    ++i;
  }
  spent += i;
  return i;
}

// A block costs as much as some iterations, apart from its own.
enum { kBlockCost = 8 };

// Draws the next block and goes on.
static void draw_block(void) {
  // Every second block of every second row was drawn in the pass before, with the same pixel.
  const bool is_known = block < kCoarsest && next_x % (2 * block) == 0 && next_y % (2 * block) == 0;
  spent += is_known ? 1 : kBlockCost;
  if (!is_known) {
    const double x = center_x + (next_x - kWidth / 2) * scale();
    const double y = center_y + (next_y - kHeight / 2) * scale();
    fill(next_x, next_y, block, block, color_of(iterations_of(x, y)));
  }
  next_x += block;
  if (next_x < kWidth) return;
  next_x = 0;
  next_y += block;
  if (next_y < kHeight) return;
  next_y = 0;
  block /= 2;
}

static void redraw(void) {
  block = kCoarsest;
  next_x = next_y = 0;
}

static void start(void) {
  first_x = center_x;
  first_y = center_y;
  first_zoom = zoom;
  redraw();
}

// --- Moving --------------------------------------------------------------------------------------

// The point under the pixel stays under it.
static bool zoom_at(int32_t x, int32_t y, int32_t levels) {
  const int32_t wanted = clamped(zoom + levels, 0, kMaxZoom);
  if (wanted == zoom) return false;
  const double before = scale();
  zoom = wanted;
  const double lost = before - scale();
  center_x += (x - kWidth / 2) * lost;
  center_y += (y - kHeight / 2) * lost;
  return true;
}

// By pixels; not farther than where there is nothing to see.
static bool move(int32_t x, int32_t y) {
  const double to_x = center_x + x * scale(), to_y = center_y + y * scale();
  if (!(to_x >= -4 && to_x <= 4 && to_y >= -4 && to_y <= 4)) return false;
  center_x = to_x;
  center_y = to_y;
  return true;
}

static bool change_depth(int32_t wanted) {
  wanted = clamped(wanted, kMinDepth, kMaxDepth);
  if (wanted == depth) return false;
  depth = wanted;
  return true;
}

static bool go_back(void) {
  center_x = first_x;
  center_y = first_y;
  zoom = first_zoom;
  return true;
}

static bool obey(uint32_t key) {
  switch (to_lower(key)) {
    case '+':
    case '=':
    case 'i':
      return zoom_at(kWidth / 2, kHeight / 2, 1);
    case '-':
    case 'o':
      return zoom_at(kWidth / 2, kHeight / 2, -1);
    case kKeyLeft:
      return move(-kWidth / 8, 0);
    case kKeyRight:
      return move(kWidth / 8, 0);
    case kKeyUp:
      return move(0, -kWidth / 8);
    case kKeyDown:
      return move(0, kWidth / 8);
    case ']':
      return change_depth(depth * 2);
    case '[':
      return change_depth(depth / 2);
    case 'r':
    case kKeyHome:
      return go_back();
    default:
      return false;
  }
}

// --- The contract --------------------------------------------------------------------------------

// The tick after an event draws; the picture of before stays under it until then.
KEY_EVENT(uint32_t key, uint32_t flags, int64_t now) {
  (void)now;
  begin();
  if ((flags & kFlagDown) == 0 || !obey(key)) return 0;
  redraw();
  return 1;
}

static uint32_t held_buttons;

POINTER_EVENT(uint32_t buttons, int32_t x, int32_t y, int64_t now) {
  (void)now;
  begin();
  const uint32_t pressed = buttons & ~held_buttons;
  held_buttons = buttons;
  const bool inside = x >= 0 && x < kWidth && y >= 0 && y < kHeight;
  const int32_t levels = pressed & kPrimary ? 1 : pressed & kSecondary ? -1 : 0;
  if (!inside || levels == 0 || !zoom_at(x, y, levels)) return 0;
  redraw();
  return 1;
}

TICK(int64_t now) {
  begin();
  for (spent = 0; spent < kTickIterations && block > 0;) draw_block();
  return block > 0 ? now + kPauseMs : kNoWakeUp;
}
