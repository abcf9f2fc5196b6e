// Removes the ASCII white space at both ends of the input, in place. Bytes inside are kept as they
// are, valid UTF-8 or not. Input up to 1 MiB.
#include "component.h"

INPUT_UTF8(1 << 20)
OUTPUT_IS_INPUT_UTF8

RENDER(uint32_t input_len) {
  uint32_t start = 0, end = input_len;
  while (start < end && is_space(input[start])) ++start;
  while (end > start && is_space(input[end - 1])) --end;
  if (start > 0) __builtin_memmove(input, input + start, end - start);
  return end - start;
}
