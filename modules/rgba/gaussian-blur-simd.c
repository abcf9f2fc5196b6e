// The same bytes as gaussian-blur, with 128-bit vectors: a pixel is loaded in one piece, and two of
// its channels are added up at a time.
#pragma clang attribute push(__attribute__((target("simd128"))), apply_to = function)
#define TILE_SIMD
#include "rgba/gaussian_blur.h"
#pragma clang attribute pop
