// A sheet to paint on.
//
// The primary button paints, the secondary one paints with the paper's colour. The keys 1 to 8, or
// a click into the bar, choose a colour; ] and [ (or + and -) the brush's size; c clears; u takes
// back the last stroke or clearing, and u again puts it back. Promises: a stroke has no gaps,
// however fast the pointer; painting costs no more than what lies between two events. There is
// nothing to wait for: no wake-up is ever wanted.
#include "interactive/interactive.h"

FRAME(320, 240)

enum { kBar = 24, kSheetHeight = kHeight - kBar, kSwatch = 24, kColors = 8, kMaxRadius = 16 };

static const Color kPaper = RGB(255, 255, 255), kBarColor = RGB(55, 71, 79);
static const Color kMark = RGB(255, 255, 255);
static const Color kPalette[kColors] = {
    RGB(0, 0, 0),     RGB(229, 57, 53),  RGB(251, 140, 0),  RGB(253, 216, 53),
    RGB(67, 160, 71), RGB(30, 136, 229), RGB(142, 36, 170), RGB(255, 255, 255),
};

static uint32_t color_number;
static int32_t radius = 2;  // a brush is 2 * radius + 1 pixels across

// The sheet as it was before the last stroke; u exchanges them.
static Color kept[kSheetHeight * kWidth];

// --- Drawing -------------------------------------------------------------------------------------

static void draw_bar(void) {
  fill(0, kSheetHeight, kWidth, kBar, kBarColor);
  for (int32_t i = 0; i < kColors; ++i) {
    const bool is_chosen = i == (int32_t)color_number;
    if (is_chosen) fill(i * kSwatch + 1, kSheetHeight + 1, kSwatch - 2, kBar - 2, kMark);
    fill(i * kSwatch + 4, kSheetHeight + 4, kSwatch - 8, kBar - 8, kPalette[i]);
  }
  char number[3];
  fill_text(232, kSheetHeight + 7, "SIZE", kMark);
  write_number(number, 2, (uint32_t)(2 * radius + 1));
  fill_text(272, kSheetHeight + 7, number, kMark);
}

static void start(void) {
  fill(0, 0, kWidth, kSheetHeight, kPaper);
  __builtin_memcpy(kept, frame, sizeof kept);
  draw_bar();
}

// One row of the sheet.
static void paint_row(int32_t left, int32_t right, int32_t y, Color color) {
  if (y < kSheetHeight) fill(left, y, right - left + 1, 1, color);
}

// A disc: per row, all pixels not farther from the centre than the radius and a half.
static void stamp(int32_t x, int32_t y, Color color) {
  const int32_t limit = radius * radius + radius;
  int32_t reach = radius;
  for (int32_t row = 0; row <= radius; ++row) {
    while (reach * reach + row * row > limit) --reach;
    paint_row(x - reach, x + reach, y - row, color);
    if (row > 0) paint_row(x - reach, x + reach, y + row, color);
  }
}

// --- Strokes -------------------------------------------------------------------------------------

typedef enum { kNothing, kStroke, kBarClick } Gesture;

static Gesture gesture;
static uint32_t held_buttons;
static Color stroke_color;
static int32_t last_x, last_y;

// A disc at every pixel of the line from the last point to this one (Bresenham).
static void draw_line(int32_t x, int32_t y) {
  const int32_t width = x > last_x ? x - last_x : last_x - x;
  const int32_t height = y > last_y ? y - last_y : last_y - y;
  const int32_t step_x = x > last_x ? 1 : -1, step_y = y > last_y ? 1 : -1;
  int32_t error = width - height;
  while (last_x != x || last_y != y) {
    const int32_t twice = 2 * error;
    if (twice > -height) {
      error -= height;
      last_x += step_x;
    }
    if (twice < width) {
      error += width;
      last_y += step_y;
    }
    stamp(last_x, last_y, stroke_color);
  }
}

static void keep_sheet(void) {
  __builtin_memcpy(kept, frame, sizeof kept);
}

static void exchange_sheet(void) {
  for (uint32_t i = 0; i < kSheetHeight * kWidth; ++i) {
    const Color pixel = frame[i];
    frame[i] = kept[i];
    kept[i] = pixel;
  }
}

static bool choose_color(uint32_t number) {
  if (number >= kColors || number == color_number) return false;
  color_number = number;
  draw_bar();
  return true;
}

static bool press(uint32_t buttons, int32_t x, int32_t y) {
  if (x < 0 || x >= kWidth || y < 0 || y >= kHeight) {
    gesture = kNothing;
    return false;
  }
  if (y >= kSheetHeight) {
    gesture = kBarClick;
    return choose_color((uint32_t)x / kSwatch);
  }
  gesture = kStroke;
  keep_sheet();
  stroke_color = buttons & kPrimary ? kPalette[color_number] : kPaper;
  last_x = x;
  last_y = y;
  stamp(x, y, stroke_color);
  return true;
}

POINTER_EVENT(uint32_t buttons, int32_t x, int32_t y, int64_t now) {
  (void)now;
  begin();
  buttons &= kPrimary | kSecondary;
  const bool is_press = held_buttons == 0 && buttons != 0;
  held_buttons = buttons;
  if (is_press) return press(buttons, x, y);
  if (buttons == 0 || gesture != kStroke) return 0;
  // So far outside no brush reaches the sheet; and the way from there is bounded.
  x = clamped(x, -2 * kMaxRadius, kWidth + 2 * kMaxRadius);
  y = clamped(y, -2 * kMaxRadius, kHeight + 2 * kMaxRadius);
  if (x == last_x && y == last_y) return 0;
  draw_line(x, y);
  return 1;
}

// --- Keys ----------------------------------------------------------------------------------------

static bool choose_radius(int32_t wanted) {
  wanted = clamped(wanted, 0, kMaxRadius);
  if (wanted == radius) return false;
  radius = wanted;
  draw_bar();
  return true;
}

static bool obey(uint32_t key) {
  if (key - '1' < kColors) return choose_color(key - '1');
  switch (to_lower(key)) {
    case ']':
    case '+':
    case '=':
      return choose_radius(radius + 1);
    case '[':
    case '-':
      return choose_radius(radius - 1);
    case 'c':
      keep_sheet();
      fill(0, 0, kWidth, kSheetHeight, kPaper);
      return true;
    case 'u':
      exchange_sheet();
      return true;
    default:
      return false;
  }
}

KEY_EVENT(uint32_t key, uint32_t flags, int64_t now) {
  (void)now;
  begin();
  return is_first_press(flags) && obey(key);
}

TICK(int64_t now) {
  (void)now;
  begin();
  return kNoWakeUp;
}
