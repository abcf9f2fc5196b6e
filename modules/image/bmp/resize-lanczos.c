// A bitmap at another size, by Lanczos resampling: each pixel is a mean of those within three
// pixels of its place, of the smaller of the two images, weighted by sinc(x) sinc(x / 3).
//
// Uniforms: `width` and `height`, in pixels; one that is 0 (as both are without a setting) follows
// from the other one and the shape of the image, and both leave it as it is.
// Promises: transparent pixels lend no colour; an image of one colour stays so; the size that is
// there already changes nothing but the colours of pixels that are wholly transparent, to black;
// results are the same on every machine. Sides up to kMaxSide before and after, 16,777,216 pixels;
// more, and anything but a bitmap of 24 or 32 bits, trap.
#include <wasm_simd128.h>

#include "image/bmp/bmp.h"

INPUT_BYTES(kBmpInputCap)
OUTPUT_BYTES(kBmpOutputCap)
OUTPUT_CONTENT_TYPE("image/bmp")

#include "image/bmp/bmp_writer.h"
#include "rgba/direction.h"

#pragma clang attribute push(__attribute__((target("simd128"))), apply_to = function)

enum { kMaxSide = 65535 };
static const double kReach = 3;

static uint32_t wanted_width, wanted_height;

EXPORT("uniform_set_width") uint32_t uniform_set_width(uint32_t value) {
  return wanted_width = value;
}

EXPORT("uniform_set_height") uint32_t uniform_set_height(uint32_t value) {
  return wanted_height = value;
}

// --- Weights -------------------------------------------------------------------------------------

// What one pixel of the result takes from a row or column of the image.
typedef struct {
  uint32_t first, count;  // the pixels
  uint32_t weights;       // where their weights begin
} Window;

// Windows reach kReach of the larger pixels to both sides. So a window of a larger image has at
// most this many pixels, and a pixel belongs to at most this many windows of a smaller image.
enum { kMaxOverlap = 8 };
_Static_assert(kMaxOverlap >= 2 * 3 + 1, "twice kReach, and one for an end that falls on a pixel");

typedef struct {
  Window windows[kMaxSide];
  float weights[kMaxOverlap * kMaxSide];
  uint32_t count;
} Axis;

static Axis columns, rows;

static double sinc(double x) {
  return x == 0 ? 1 : direction_of_degrees(180 * x).sine / (3.14159265358979323846 * x);
}

static double lanczos(double x) {
  return x > -kReach && x < kReach ? sinc(x) * sinc(x / kReach) : 0;
}

// Finds the windows for an axis of `from` pixels that is to have `to`. Weights add up to 1, also
// where a window reaches beyond the image.
static void plan_axis(Axis* axis, uint32_t from, uint32_t to) {
  const double step = (double)from / to;
  const double stretch = step > 1 ? step : 1;
  uint32_t next = 0;
  axis->count = to;
  for (uint32_t i = 0; i < to; ++i) {
    // Pixel j lies at j + 0.5.
    const double center = (i + 0.5) * step;
    const double low = __builtin_ceil(center - kReach * stretch - 0.5);
    const double high = __builtin_floor(center + kReach * stretch - 0.5);
    Window window = {low > 0 ? (uint32_t)low : 0, 0, next};
    const uint32_t last = high < from - 1.0 ? (uint32_t)high : from - 1;
    double sum = 0;
    for (uint32_t j = window.first; j <= last; ++j) sum += lanczos((j + 0.5 - center) / stretch);
    for (uint32_t j = window.first; j <= last; ++j) {
      const float weight = (float)(lanczos((j + 0.5 - center) / stretch) / sum);
      // Nothing is taken from pixels where the kernel is zero, as it is between whole steps.
      if (weight == 0 && window.count == 0) {
        window.first = j + 1;
        continue;
      }
      require(next < sizeof axis->weights / sizeof axis->weights[0]);
      axis->weights[next++] = weight;
      ++window.count;
    }
    axis->windows[i] = window;
  }
}

// --- Rows of pixels ------------------------------------------------------------------------------

// A pixel is a vector of B, G, R, A; colours are multiplied by alpha, all from 0 to 255.
static v128_t source_row[kMaxSide];

// While an image grows, the last rows that were resized; while it shrinks, the rows of the result
// that are not complete.
static v128_t ring[kMaxOverlap][kMaxSide];

static void load_row(const Bitmap* bitmap, uint32_t y) {
  const uint8_t* const row = bitmap_row(bitmap, y);
  const v128_t only_alpha = wasm_f32x4_const(0, 0, 0, 1);
  for (uint32_t x = 0; x < bitmap->width; ++x) {
    const uint32_t packed = bitmap_pixel(row, x, bitmap->pixel_bytes);
    const v128_t bytes = wasm_i32x4_make((int32_t)packed, 0, 0, 0);
    const v128_t pixel =
        wasm_f32x4_convert_u32x4(wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(bytes)));
    // Alpha itself is multiplied by 1.
    const v128_t part = wasm_f32x4_splat((float)(packed >> 24) / 255.0f);
    const v128_t factors = wasm_v128_bitselect(only_alpha, part, wasm_i32x4_const(0, 0, 0, -1));
    source_row[x] = wasm_f32x4_mul(pixel, factors);
  }
}

// Resizes `source_row`.
static void resize_row(v128_t* to) {
  for (uint32_t x = 0; x < columns.count; ++x) {
    const Window window = columns.windows[x];
    const v128_t* const pixels = source_row + window.first;
    const float* const weights = columns.weights + window.weights;
    v128_t sum = wasm_f32x4_const_splat(0);
    for (uint32_t i = 0; i < window.count; ++i)
      sum = wasm_f32x4_add(sum, wasm_f32x4_mul(pixels[i], wasm_v128_load32_splat(weights + i)));
    to[x] = sum;
  }
}

// Adds a row, weighted; the first one replaces what is there.
static void add_row(v128_t* to, const v128_t* row, float weight, bool is_first) {
  const v128_t factor = wasm_f32x4_splat(weight);
  if (is_first)
    for (uint32_t x = 0; x < columns.count; ++x) to[x] = wasm_f32x4_mul(row[x], factor);
  else
    for (uint32_t x = 0; x < columns.count; ++x)
      to[x] = wasm_f32x4_add(to[x], wasm_f32x4_mul(row[x], factor));
}

// The kernel overshoots at edges: alpha is brought back to 0..255, colours to 0..255 after they are
// divided by it.
static void store_row(const v128_t* row, uint8_t* to) {
  const v128_t zero = wasm_f32x4_const_splat(0), most = wasm_f32x4_const_splat(255);
  for (uint32_t x = 0; x < columns.count; ++x) {
    const float alpha = wasm_f32x4_extract_lane(row[x], 3);
    v128_t pixel = zero;
    if (alpha >= 0.5f) {
      pixel = wasm_f32x4_mul(row[x], wasm_f32x4_splat(255.0f / alpha));
      pixel = wasm_f32x4_replace_lane(pixel, 3, alpha);
      pixel = wasm_f32x4_pmin(most, wasm_f32x4_pmax(zero, pixel));
    }
    const v128_t numbers =
        wasm_u32x4_trunc_sat_f32x4(wasm_f32x4_add(pixel, wasm_f32x4_const_splat(0.5f)));
    const v128_t shorts = wasm_u16x8_narrow_i32x4(numbers, numbers);
    wasm_v128_store32_lane(to + 4 * x, wasm_u8x16_narrow_i16x8(shorts, shorts), 0);
  }
}

// --- The image -----------------------------------------------------------------------------------

static float row_weight(const Window* window, uint32_t y) {
  return rows.weights[window->weights + y - window->first];
}

// Where the result has at least as many rows: each takes at most kMaxOverlap rows in sequence.
static void grow(const Bitmap* bitmap, uint8_t* top) {
  static v128_t sum[kMaxSide];
  uint32_t loaded = 0;  // rows of the image that are in the ring, or have been
  for (uint32_t y = 0; y < rows.count; ++y) {
    const Window* const window = &rows.windows[y];
    const uint32_t end = window->first + window->count;
    for (; loaded < end; ++loaded) {
      load_row(bitmap, loaded);
      resize_row(ring[loaded % kMaxOverlap]);
    }
    for (uint32_t i = window->first; i < end; ++i)
      add_row(sum, ring[i % kMaxOverlap], row_weight(window, i), i == window->first);
    store_row(sum, top - y * 4 * columns.count);
  }
}

// Where it has fewer: each row of the image belongs to at most kMaxOverlap windows in sequence.
static void shrink(const Bitmap* bitmap, uint8_t* top) {
  static v128_t resized[kMaxSide];
  uint32_t complete = 0;  // rows of the result
  for (uint32_t y = 0; y < bitmap->height; ++y) {
    load_row(bitmap, y);
    resize_row(resized);
    for (uint32_t i = complete; i < rows.count && rows.windows[i].first <= y; ++i) {
      const Window* const window = &rows.windows[i];
      add_row(ring[i % kMaxOverlap], resized, row_weight(window, y), y == window->first);
      if (y + 1 < window->first + window->count) continue;
      store_row(ring[i % kMaxOverlap], top - i * 4 * columns.count);
      complete = i + 1;
    }
  }
}

// `side` in the proportion of one axis to the other, rounded, at least 1.
static uint32_t in_proportion(uint32_t side, uint32_t to, uint32_t from) {
  const uint64_t product = (uint64_t)side * to;
  const uint64_t rounded = (product + from / 2) / from;
  require(rounded <= kMaxSide);
  return rounded > 0 ? (uint32_t)rounded : 1;
}

RENDER(uint32_t input_len) {
  output_len = 0;
  const Bitmap bitmap = read_bmp(input, input_len);
  require(bitmap.width <= kMaxSide && bitmap.height <= kMaxSide);
  uint32_t width = wanted_width, height = wanted_height;
  if (width == 0)
    width = height == 0 ? bitmap.width : in_proportion(height, bitmap.width, bitmap.height);
  if (height == 0)
    height = wanted_width == 0 ? bitmap.height : in_proportion(width, bitmap.height, bitmap.width);
  require(width <= kMaxSide && height <= kMaxSide);
  uint8_t* const top = begin_bmp(width, height);
  plan_axis(&columns, bitmap.width, width);
  plan_axis(&rows, bitmap.height, height);
  if (height >= bitmap.height)
    grow(&bitmap, top);
  else
    shrink(&bitmap, top);
  return output_len;
}

#pragma clang attribute pop
