// The zlib frame around a DEFLATE stream (RFC 1950): two header bytes, the stream, the Adler-32 of
// the uncompressed bytes, highest byte first.
#pragma once

#include "component.h"

// Compressed data may be 8 MiB before compression and 16 MiB after decompression.
enum { kCompressInputCap = 8 << 20, kDecompressOutputCap = 16 << 20 };

// Header bytes for a 32 KiB window; the level is advice only, the second byte makes the pair a
// multiple of 31.
enum { kZlibMethod = 0x78, kZlibFastest = 0x01, kZlibDefault = 0x9c };

// RFC 1950, section 8.2. 5,552 is the longest run of 0xff bytes whose sums fit 32 bits.
static uint32_t adler32(const uint8_t* bytes, uint32_t len) {
  uint32_t low = 1, high = 0;
  while (len > 0) {
    uint32_t run = len < 5552 ? len : 5552;
    len -= run;
    for (; run > 0; --run) {
      low += *bytes++;
      high += low;
    }
    low %= 65521;
    high %= 65521;
  }
  return high << 16 | low;
}
