// What readers and writers of PNG share (PNG, third edition, W3C 2025): the signature, chunks with
// their CRC, and the filters of scanlines.
#pragma once

#include "component.h"

enum {
  kSignatureBytes = 8,
  kChunkFrameBytes = 12,  // length, type and CRC
  kHeaderChunkBytes = 13,
};

static const uint8_t png_signature[kSignatureBytes] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

typedef enum {
  kGrey = 0,
  kRgb = 2,
  kPalette = 3,
  kGreyAlpha = 4,
  kRgba = 6,
} ColorType;

typedef enum {
  kNoFilter,
  kSubFilter,
  kUpFilter,
  kAverageFilter,
  kPaethFilter,
  kFilterCount,
} FilterType;

// Section 9.4: whichever of left, above and above left is nearest to left + above - above left.
static inline uint32_t paeth(uint32_t left, uint32_t above, uint32_t corner) {
  const int32_t to_left = (int32_t)above - (int32_t)corner;
  const int32_t to_above = (int32_t)left - (int32_t)corner;
  const int32_t to_corner = to_left + to_above;
  const int32_t left_distance = to_left < 0 ? -to_left : to_left;
  const int32_t above_distance = to_above < 0 ? -to_above : to_above;
  const int32_t corner_distance = to_corner < 0 ? -to_corner : to_corner;
  if (left_distance <= above_distance && left_distance <= corner_distance) return left;
  return above_distance <= corner_distance ? above : corner;
}

// What a filter expects a byte to be. Constant in `filter`, this is one expression.
static inline uint32_t expected_byte(FilterType filter, uint32_t left, uint32_t above,
                                     uint32_t corner) {
  switch (filter) {
    case kSubFilter:
      return left;
    case kUpFilter:
      return above;
    case kAverageFilter:
      return (left + above) / 2;
    case kPaethFilter:
      return paeth(left, above, corner);
    default:
      return 0;
  }
}

// Annex D: the CRC of a chunk's type and data.
static uint32_t crc32(const uint8_t* bytes, uint32_t len) {
  static uint32_t table[256];
  if (table[1] == 0) {
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t value = i;
      for (uint32_t bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
      table[i] = value;
    }
  }
  uint32_t crc = 0xffffffff;
  for (uint32_t i = 0; i < len; ++i) crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 255];
  return ~crc;
}
