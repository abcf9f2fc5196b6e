// Compresses any bytes into a zlib stream of one block with the fixed Huffman code.
// Input up to 8 MiB; a byte costs at most 9 bits, so the output is at most an eighth longer.
#include "bytes/zlib_format.h"

INPUT_BYTES(kCompressInputCap)
OUTPUT_BYTES(kCompressInputCap / 8 * 9 + 64)
OUTPUT_CONTENT_TYPE("application/zlib")

#include "bytes/lz77.h"

static HuffmanCode literals, distances;

static void write_literal(uint8_t byte) {
  put_symbol(&literals, byte);
}

static void write_match(uint32_t length, uint32_t distance) {
  put_match(&literals, &distances, length, distance);
}

RENDER(uint32_t input_len) {
  assign_fixed_codes(&literals, &distances);
  output_len = 0;
  begin_zlib(kZlibFastest);
  put_block_header(true, kFixedBlock);
  find_matches(input, input_len, write_literal, write_match);
  put_symbol(&literals, kEndOfBlock);
  end_zlib(input, input_len);
  return output_len;
}
