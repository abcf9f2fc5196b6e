// A telephone number in the writing of ITU-T E.164: "+" and all digits of the input, in order;
// nothing when there is no digit. Input up to 64 KiB.
#include "component.h"

INPUT_UTF8(65536)
OUTPUT_UTF8(65536 + 1)

RENDER(uint32_t input_len) {
  output_len = 0;
  put('+');
  for (uint32_t i = 0; i < input_len; ++i)
    if (is_digit(input[i])) put(input[i]);
  return output_len > 1 ? output_len : 0;
}
