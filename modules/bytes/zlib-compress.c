// Wraps any bytes in a zlib stream without compressing them: stored blocks of up to 65,535 bytes.
// Input up to 8 MiB; the output is 11 bytes longer, and 5 more for each block after the first.
#include "bytes/zlib_format.h"

INPUT_BYTES(kCompressInputCap)
OUTPUT_BYTES(kCompressInputCap + 4096)
OUTPUT_CONTENT_TYPE("application/zlib")

#include "bytes/deflate.h"

RENDER(uint32_t input_len) {
  output_len = 0;
  begin_zlib(kZlibFastest);
  put_stored(input, input_len, true);
  end_zlib(input, input_len);
  return output_len;
}
