// The Interactive contract as C: a frame of pixels, drawn by events and ticks, in a world that has
// no clock but the times it is told.
//
// Promises: FRAME gives a component its frame and the exports that describe it; fill() and
// fill_text() clip to it. The frame is kept between calls, so only what changes is drawn.
// Assumes: times never go back. A component defines start(), which draws the first frame;
// everything else calls begin(), because a host may send events before the first tick.
#pragma once

#include "component.h"

// A pixel as the frame has it in memory: R, G, B, A bytes.
typedef uint32_t Color;
#define RGB(red, green, blue) \
  (0xFF000000 | (uint32_t)(blue) << 16 | (uint32_t)(green) << 8 | (uint32_t)(red))

// X11 keysyms. Printable ASCII is its own.
enum {
  kKeyReturn = 0xFF0D,
  kKeyHome = 0xFF50,
  kKeyLeft = 0xFF51,
  kKeyUp = 0xFF52,
  kKeyRight = 0xFF53,
  kKeyDown = 0xFF54,
};
enum { kFlagDown = 1, kFlagRepeat = 2 };
enum { kPrimary = 1, kMiddle = 2, kSecondary = 4 };

#define KEY_EVENT EXPORT("key_event") int32_t key_event
#define POINTER_EVENT EXPORT("pointer_event") int32_t pointer_event
#define TICK EXPORT("tick") int64_t tick
#define UNIFORM(key) EXPORT("uniform_set_" key) void

// A key that went down now, and not because it is held.
static inline bool is_first_press(uint32_t flags) {
  return (flags & (kFlagDown | kFlagRepeat)) == kFlagDown;
}

// The value of tick() for: only after an event.
enum { kNoWakeUp = 0 };

static void start(void);

static inline int32_t min_of(int32_t a, int32_t b) {
  return a < b ? a : b;
}
static inline int32_t max_of(int32_t a, int32_t b) {
  return a > b ? a : b;
}
static inline int32_t clamped(int32_t value, int32_t low, int32_t high) {
  return max_of(low, min_of(value, high));
}

// --- Frame ---------------------------------------------------------------------------------------

#define FRAME(width, height)                                                                       \
  enum { kWidth = (width), kHeight = (height) };                                                   \
  static Color frame[kHeight * kWidth];                                                            \
  static bool has_begun;                                                                           \
  static void begin(void) {                                                                        \
    if (has_begun) return;                                                                         \
    has_begun = true;                                                                              \
    start();                                                                                       \
  }                                                                                                \
  EXPORT("render_width_px") int32_t render_width_px(void) {                                        \
    return kWidth;                                                                                 \
  }                                                                                                \
  EXPORT("render_height_px") int32_t render_height_px(void) {                                      \
    return kHeight;                                                                                \
  }                                                                                                \
  EXPORT("output_ptr") const Color* output_ptr(void) {                                             \
    return frame;                                                                                  \
  }                                                                                                \
  EXPORT("output_rgba8_srgb_bytes") uint32_t frame_bytes(void) {                                   \
    return sizeof frame;                                                                           \
  }                                                                                                \
  EXPORT("render") uint32_t render(uint32_t input_len) {                                           \
    (void)input_len;                                                                               \
    begin();                                                                                       \
    return sizeof frame;                                                                           \
  }                                                                                                \
  static void fill(int32_t x, int32_t y, int32_t w, int32_t h, Color c) {                          \
    fill_clipped(frame, kWidth, kHeight, (Rectangle){x, y, w, h}, c);                              \
  }                                                                                                \
  __attribute__((unused)) static void fill_text(int32_t x, int32_t y, const char* text, Color c) { \
    for (; *text != 0; ++text, x += kGlyphAdvance) {                                               \
      const uint32_t bits = glyph(*text);                                                          \
      for (int32_t i = 0; i < 15; ++i) {                                                           \
        if (bits >> i & 1) fill(x + i % 3 * 2, y + i / 3 * 2, 2, 2, c);                            \
      }                                                                                            \
    }                                                                                              \
  }

typedef struct {
  int32_t x, y, w, h;
} Rectangle;

// Coordinates of any size below 2^30 are fine.
static void fill_clipped(Color* pixels, int32_t width, int32_t height, Rectangle area,
                         Color color) {
  const int32_t left = max_of(area.x, 0), right = min_of(area.x + area.w, width);
  const int32_t top = max_of(area.y, 0), bottom = min_of(area.y + area.h, height);
  if (left >= right || top >= bottom) return;
  Color* const first = pixels + top * width + left;
  for (int32_t i = 0; i < right - left; ++i) first[i] = color;
  const size_t bytes = (size_t)(right - left) * sizeof(Color);
  for (int32_t row = 1; row < bottom - top; ++row) {
    __builtin_memcpy(first + row * width, first, bytes);
  }
}

// --- Text ----------------------------------------------------------------------------------------

// Glyphs of 3 by 5 dots, drawn with 2 by 2 pixels each.
enum { kGlyphAdvance = 8, kGlyphHeight = 10 };

// Bit 3 * row + column; an unknown character is blank.
static uint32_t glyph(char c) {
  static const uint16_t digits[10] = {0x7B6F, 0x749A, 0x73E7, 0x79A7, 0x49ED,
                                      0x79CF, 0x7BCF, 0x2527, 0x7BEF, 0x79EF};
  static const uint16_t letters[26] = {0x5BEA, 0x3AEB, 0x624E, 0x3B6B, 0x72CF, 0x12CF, 0x6B4E,
                                       0x5BED, 0x7497, 0x2B24, 0x5AED, 0x7249, 0x5BFD, 0x5B6B,
                                       0x2B6A, 0x12EB, 0x6F6A, 0x5AEB, 0x388E, 0x2497, 0x7B6D,
                                       0x2B6D, 0x5FED, 0x5AAD, 0x24AD, 0x72A7};
  const uint32_t upper = (uint32_t)(uint8_t)c & ~0x20u;
  if (is_digit((uint8_t)c)) return digits[c - '0'];
  if (is_letter((uint8_t)c)) return letters[upper - 'A'];
  return c == '-' ? 0x01C0 : c == '.' ? 0x2000 : 0;
}

// `number` in decimal, right-aligned in `width` characters plus a terminator.
static inline void write_number(char* text, uint32_t width, uint32_t number) {
  text[width] = 0;
  for (uint32_t i = width; i-- > 0; number /= 10) {
    text[i] = number == 0 && i + 1 < width ? ' ' : (char)('0' + number % 10);
  }
}

// --- Time and chance -----------------------------------------------------------------------------

// A beat so many times a second, without drift: beat n is due at begin + 1000 * n / rate.
typedef struct {
  int64_t begin;
  int64_t count;
  int32_t rate;
} Beat;

static inline void start_beat(Beat* beat, int32_t rate, int64_t now) {
  *beat = (Beat){now, 0, rate};
}

static inline int64_t next_beat(const Beat* beat) {
  return beat->begin + (beat->count + 1) * 1000 / beat->rate;
}

// Whether the next beat is due, and if so past. Those that were missed meanwhile are left out.
static inline bool take_beat(Beat* beat, int64_t now) {
  if (now < next_beat(beat)) return false;
  ++beat->count;
  if (now >= next_beat(beat)) start_beat(beat, beat->rate, now);
  return true;
}

// Marsaglia's xorshift. The state is never 0.
static inline uint32_t next_random(uint32_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}
