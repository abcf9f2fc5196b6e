// The image while it is drawn: layers of floats, R, G, B, A, with colours multiplied by alpha.
//
// Promises: colours are laid over each other as Compositing and Blending 1 says ("source over", in
// sRGB as SVG has it); a layer costs as much as was drawn on it, not as much as it could hold.
// Bounds: kMaxSide a side, kMaxCanvasPixels for the image, kLayerPixels for all its layers; more
// trap. Pixels of layers that are not in use are zero.
#pragma once

#include "image/svg+xml/svg_values.h"

enum {
  kMaxSide = 32767,
  kMaxCanvasPixels = 1 << 22,
  kLayerPixels = 1 << 23,
};

typedef struct {
  float red, green, blue, alpha;
} Pixel;

// Columns from left up to right, rows from top up to bottom.
typedef struct {
  uint32_t left, top, right, bottom;
} Box;

static Pixel layer_pixels[kLayerPixels] __attribute__((aligned(16)));
static uint32_t used_pixels;  // how many may differ from zero after an earlier image
static uint32_t canvas_width, canvas_height;
static uint32_t layer_count;  // the last one is drawn on

enum { kMaxLayers = 1024 };
static Box drawn[kMaxLayers];  // where a layer may differ from zero

static const Box kNothing = {UINT32_MAX, UINT32_MAX, 0, 0};

static void push_layer(void) {
  const uint32_t pixels = canvas_width * canvas_height;
  if (layer_count == kMaxLayers || pixels > kLayerPixels - layer_count * pixels) __builtin_trap();
  drawn[layer_count++] = kNothing;
  if (used_pixels < layer_count * pixels) used_pixels = layer_count * pixels;
}

static void begin_canvas(uint32_t width, uint32_t height) {
  __builtin_memset(layer_pixels, 0, (size_t)used_pixels * sizeof(Pixel));
  used_pixels = 0;
  canvas_width = width;
  canvas_height = height;
  layer_count = 0;
  push_layer();
}

static Pixel* layer_row(uint32_t layer, uint32_t y) {
  return layer_pixels + (layer * canvas_height + y) * canvas_width;
}

static void widen(Box* box, Box more) {
  if (more.left < box->left) box->left = more.left;
  if (more.top < box->top) box->top = more.top;
  if (more.right > box->right) box->right = more.right;
  if (more.bottom > box->bottom) box->bottom = more.bottom;
}

static inline void lay_over(Pixel* below, Pixel above) {
  const float rest = 1.0f - above.alpha;
  below->red = above.red + below->red * rest;
  below->green = above.green + below->green * rest;
  below->blue = above.blue + below->blue * rest;
  below->alpha = above.alpha + below->alpha * rest;
}

static inline Pixel weakened(Pixel pixel, float part) {
  return (Pixel){pixel.red * part, pixel.green * part, pixel.blue * part, pixel.alpha * part};
}

// Lays the last layer over the one below it and drops it.
static void pop_layer(float opacity) {
  const uint32_t layer = --layer_count;
  const Box box = drawn[layer];
  for (uint32_t y = box.top; y < box.bottom; ++y) {
    Pixel* const above = layer_row(layer, y);
    Pixel* const below = layer_row(layer - 1, y);
    for (uint32_t x = box.left; x < box.right; ++x)
      lay_over(below + x, weakened(above[x], opacity));
    if (box.left < box.right)
      __builtin_memset(above + box.left, 0, (box.right - box.left) * sizeof(Pixel));
  }
  widen(&drawn[layer - 1], box);
}
