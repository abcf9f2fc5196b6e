// Compresses any bytes into a zlib stream, with codes that suit each part of the input best. Input
// up to 8 MiB; stored blocks bound the output to a little more than the input.
#include "bytes/zlib_format.h"

INPUT_BYTES(kCompressInputCap)
OUTPUT_BYTES(kCompressInputCap + 65536)
OUTPUT_CONTENT_TYPE("application/zlib")

#include "bytes/deflate_blocks.h"

RENDER(uint32_t input_len) {
  output_len = 0;
  put_zlib_stream(input, input_len);
  return output_len;
}
