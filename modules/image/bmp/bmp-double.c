// A bitmap at twice its width and height; each pixel becomes four equal ones.
// The output has at most 16,777,216 pixels; anything but a bitmap of 24 or 32 bits traps.
#include "image/bmp/bmp.h"

INPUT_BYTES(kBmpInputCap)
OUTPUT_BYTES(kBmpOutputCap)
OUTPUT_CONTENT_TYPE("image/bmp")

#include "image/bmp/bmp_double.h"

static void double_row(const uint8_t* row, uint32_t width, uint32_t pixel_bytes, uint8_t* to) {
  if (pixel_bytes == 4)
    double_pixels(row, 0, width, 4, to);
  else
    double_pixels(row, 0, width, 3, to);
}

RENDER(uint32_t input_len) {
  return double_bitmap(input, input_len);
}
