// Restores the bytes of a zlib stream, and traps on everything that is not one whole and correct
// stream. Output up to 16 MiB, input up to that and 64 KiB (a stored stream is longer than its
// content).
#include "bytes/zlib_format.h"

INPUT_BYTES(kDecompressOutputCap + 65536)
OUTPUT_BYTES(kDecompressOutputCap)
OUTPUT_CONTENT_TYPE("application/octet-stream")

#include "bytes/inflate.h"

RENDER(uint32_t input_len) {
  output_len = inflate_zlib(input, input_len, output, sizeof output);
  return output_len;
}
