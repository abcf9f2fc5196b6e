// A colour `#rrggbb`, or `#rgb` in which each digit stands for two, with or without the "#", as
// `r,g,b` in decimal; nothing for any other input. White space around it is dropped.
// Input up to 4 KiB.
#include "component.h"

INPUT_UTF8(4096)
OUTPUT_UTF8(11)

static void put_decimal(uint32_t part) {
  if (part >= 100) put((uint8_t)('0' + part / 100));
  if (part >= 10) put((uint8_t)('0' + part / 10 % 10));
  put((uint8_t)('0' + part % 10));
}

RENDER(uint32_t input_len) {
  uint32_t start = 0, end = input_len;
  while (start < end && is_space(input[start])) ++start;
  while (end > start && is_space(input[end - 1])) --end;
  if (start < end && input[start] == '#') ++start;
  const uint32_t digits = end - start;
  if (digits != 3 && digits != 6) return 0;
  for (uint32_t i = start; i < end; ++i)
    if (hex_value(input[i]) > 15) return 0;

  output_len = 0;
  const uint32_t width = digits / 3;
  for (uint32_t i = start; i < end; i += width) {
    if (i > start) put(',');
    put_decimal(hex_value(input[i]) * 16 + hex_value(input[i + width - 1]));
  }
  return output_len;
}
