// A bitmap as a PNG file with the same pixels: RGB where the image is opaque, else RGBA with
// straight alpha, 8 bits each. A row gets the filter that leaves the smallest differences; the
// whole is compressed with optimal Huffman codes. Up to 16,777,216 pixels; anything but a bitmap of
// 24 or 32 bits traps.
#include "image/bmp/bmp.h"

// At most four bytes for each pixel, and one for each row.
enum { kMaxScanlineBytes = 5 * kMaxPixels };

INPUT_BYTES(kBmpInputCap)
OUTPUT_BYTES(kMaxScanlineBytes + kMaxScanlineBytes / 1024 + 65536)
OUTPUT_CONTENT_TYPE("image/png")

#include "bytes/deflate_blocks.h"
#include "image/png/png_format.h"

enum { kMaxSamples = 1024 };

static uint8_t scanlines[kMaxScanlineBytes];

// --- Scanlines -----------------------------------------------------------------------------------

static bool is_opaque(const Bitmap* bitmap) {
  if (bitmap->pixel_bytes == 3) return true;
  for (uint32_t y = 0; y < bitmap->height; ++y) {
    const uint8_t* const row = bitmap_row(bitmap, y);
    uint32_t all = 0xff000000;
    for (uint32_t x = 0; x < bitmap->width; ++x) all &= load32(row + 4 * x);
    if (all != 0xff000000) return false;
  }
  return true;
}

// A row of the bitmap and the one above it, 0 for none. `channels` of each pixel are written.
typedef struct {
  const uint8_t* row;
  const uint8_t* above;
  uint32_t width, pixel_bytes, channels;
} RowPair;

// The bytes around one: itself, left of it, above it, and above left. Zero outside of the image.
typedef struct {
  uint32_t byte, left, above, corner;
} Surroundings;

// Channels are R, G, B, A in a PNG, and B, G, R, A in a bitmap.
static inline Surroundings surroundings(const RowPair* pair, uint32_t x, uint32_t channel) {
  const uint32_t at = x * pair->pixel_bytes + (channel < 3 ? 2 - channel : 3);
  const uint32_t left = at - pair->pixel_bytes;
  return (Surroundings){pair->row[at], x > 0 ? pair->row[left] : 0,
                        pair->above != 0 ? pair->above[at] : 0,
                        pair->above != 0 && x > 0 ? pair->above[left] : 0};
}

static inline uint8_t filtered(FilterType filter, Surroundings around) {
  return (uint8_t)(around.byte - expected_byte(filter, around.left, around.above, around.corner));
}

// Section 12.7 suggests the filter with the smallest sum of differences, taken as signed bytes. Of
// wide rows, kMaxSamples pixels at regular distances speak for all.
__attribute__((always_inline)) static inline FilterType choose_filter(const RowPair* pair) {
  const uint32_t step = (pair->width + kMaxSamples - 1) / kMaxSamples;
  uint32_t sums[kFilterCount] = {0};
  for (uint32_t x = 0; x < pair->width; x += step) {
    for (uint32_t channel = 0; channel < pair->channels; ++channel) {
      const Surroundings around = surroundings(pair, x, channel);
#pragma clang loop unroll(full)
      for (uint32_t filter = 0; filter < kFilterCount; ++filter) {
        const int32_t difference = (int8_t)filtered((FilterType)filter, around);
        sums[filter] += (uint32_t)(difference < 0 ? -difference : difference);
      }
    }
  }
  uint32_t best = 0;
  for (uint32_t filter = 1; filter < kFilterCount; ++filter)
    if (sums[filter] < sums[best]) best = filter;
  return (FilterType)best;
}

__attribute__((always_inline)) static inline void filter_row(FilterType filter, const RowPair* pair,
                                                             uint8_t* to) {
  for (uint32_t x = 0; x < pair->width; ++x)
    for (uint32_t channel = 0; channel < pair->channels; ++channel)
      *to++ = filtered(filter, surroundings(pair, x, channel));
}

// Writes a scanline. Everything above is compiled for each form of pixels, where it is constant.
__attribute__((always_inline)) static inline void write_row(const RowPair* pair, uint8_t* to) {
  const FilterType filter = choose_filter(pair);
  *to++ = (uint8_t)filter;
  switch (filter) {
    case kSubFilter:
      filter_row(kSubFilter, pair, to);
      break;
    case kUpFilter:
      filter_row(kUpFilter, pair, to);
      break;
    case kAverageFilter:
      filter_row(kAverageFilter, pair, to);
      break;
    case kPaethFilter:
      filter_row(kPaethFilter, pair, to);
      break;
    default:
      filter_row(kNoFilter, pair, to);
  }
}

// Returns how many bytes there are.
static uint32_t write_scanlines(const Bitmap* bitmap, uint32_t channels) {
  const uint32_t width = bitmap->width;
  const uint8_t* above = 0;
  uint8_t* to = scanlines;
  for (uint32_t y = 0; y < bitmap->height; ++y) {
    const uint8_t* const row = bitmap_row(bitmap, y);
    if (channels == 4)
      write_row(&(RowPair){row, above, width, 4, 4}, to);
    else if (bitmap->pixel_bytes == 4)
      write_row(&(RowPair){row, above, width, 4, 3}, to);
    else
      write_row(&(RowPair){row, above, width, 3, 3}, to);
    above = row;
    to += 1 + width * channels;
  }
  return (uint32_t)(to - scanlines);
}

// --- The file ------------------------------------------------------------------------------------

static void put_u32(uint32_t value) {
  put((uint8_t)(value >> 24));
  put((uint8_t)(value >> 16));
  put((uint8_t)(value >> 8));
  put((uint8_t)value);
}

// Returns where the chunk's data begin; the length before them is not known yet.
static uint32_t begin_chunk(const char* type) {
  put_u32(0);
  put_bytes((const uint8_t*)type, 4);
  return output_len;
}

static void end_chunk(uint32_t data) {
  store32(output + data - 8, __builtin_bswap32(output_len - data));
  put_u32(crc32(output + data - 4, output_len - data + 4));
}

RENDER(uint32_t input_len) {
  output_len = 0;
  const Bitmap bitmap = read_bmp(input, input_len);
  require((uint64_t)bitmap.width * bitmap.height <= kMaxPixels);
  const bool opaque = is_opaque(&bitmap);

  put_bytes(png_signature, sizeof png_signature);
  uint32_t chunk = begin_chunk("IHDR");
  put_u32(bitmap.width);
  put_u32(bitmap.height);
  put(8);
  put(opaque ? kRgb : kRgba);
  put(0);
  put(0);
  put(0);
  end_chunk(chunk);
  chunk = begin_chunk("IDAT");
  put_zlib_stream(scanlines, write_scanlines(&bitmap, opaque ? 3 : 4));
  end_chunk(chunk);
  end_chunk(begin_chunk("IEND"));
  return output_len;
}
