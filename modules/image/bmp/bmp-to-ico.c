// A bitmap of at most 256 by 256 pixels as a Windows icon that holds it: the image in the bitmap's
// own depth, bottom row first, and an empty mask (all pixels shown; 32-bit images have their
// alpha). Larger images and anything but a bitmap of 24 or 32 bits trap.
#include "image/bmp/bmp.h"

enum {
  kMaxSide = 256,
  kDirectoryBytes = 22,
  kInfoBytes = 40,
  kMaxMaskBytes = kMaxSide * kMaxSide / 8,
};

INPUT_BYTES(1 << 20)
OUTPUT_BYTES(kDirectoryBytes + kInfoBytes + 4 * kMaxSide * kMaxSide + kMaxMaskBytes)
OUTPUT_CONTENT_TYPE("image/vnd.microsoft.icon")

static void put16(uint32_t value) {
  put((uint8_t)value);
  put((uint8_t)(value >> 8));
}

static void put32(uint32_t value) {
  put16(value & 0xffff);
  put16(value >> 16);
}

static void put_zeros(uint32_t count) {
  for (; count > 0; --count) put(0);
}

RENDER(uint32_t input_len) {
  output_len = 0;
  const Bitmap bitmap = read_bmp(input, input_len);
  require(bitmap.width <= kMaxSide && bitmap.height <= kMaxSide);
  const uint32_t depth = 8 * bitmap.pixel_bytes;
  const uint32_t row_bytes = bitmap.width * bitmap.pixel_bytes;
  const uint32_t padding = -row_bytes & 3;
  const uint32_t mask_bytes = (bitmap.width + 31) / 32 * 4 * bitmap.height;
  const uint32_t image_bytes = (row_bytes + padding) * bitmap.height + mask_bytes;

  // The directory: one icon, whose sides are a byte each, with 0 for 256.
  put16(0);
  put16(1);
  put16(1);
  put((uint8_t)bitmap.width);
  put((uint8_t)bitmap.height);
  put16(0);
  put16(1);
  put16(depth);
  put32(kInfoBytes + image_bytes);
  put32(kDirectoryBytes);

  // The bitmap's header, whose height counts the image and the mask.
  put32(kInfoBytes);
  put32(bitmap.width);
  put32(2 * bitmap.height);
  put16(1);
  put16(depth);
  put32(0);
  put32(image_bytes);
  put_zeros(16);

  for (uint32_t y = bitmap.height; y-- > 0;) {
    put_bytes(bitmap_row(&bitmap, y), row_bytes);
    put_zeros(padding);
  }
  put_zeros(mask_bytes);
  return output_len;
}
