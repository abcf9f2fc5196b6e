// Greets: "Hello, " and the input, or "World" when the input is empty.
// The job of hello.wat in C, with the older entry name `run`. Input up to 64 KiB.
#include "component.h"

INPUT_UTF8(65536)
OUTPUT_UTF8(65536 + 7)

EXPORT("run") uint32_t run(uint32_t input_len) {
  output_len = 0;
  put_text("Hello, ");
  if (input_len == 0)
    put_text("World");
  else
    put_bytes(input, input_len);
  return output_len;
}
