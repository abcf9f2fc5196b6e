// CRC-32 (reflected polynomial 0xEDB88320), one table lookup a byte, over 64 KiB of random bytes.
// Measures: a dependent chain of byte load, xor, shift and table load.
#include "../kernel.h"

enum { kBytes = 1 << 16, kPasses = 64 };

static u32 table[256];
static u8 message[kBytes];

static void make_table(void) {
  for (u32 byte = 0; byte < 256; byte++) {
    u32 remainder = byte;
    for (int bit = 0; bit < 8; bit++) {
      u32 low_bit = remainder & 1;
      remainder >>= 1;
      if (low_bit) remainder ^= 0xEDB88320u;
    }
    table[byte] = remainder;
  }
}

static u32 crc32(u32 crc, const u8* bytes, u32 size) {
  crc = ~crc;
  for (u32 i = 0; i < size; i++) crc = table[(crc ^ bytes[i]) & 255] ^ (crc >> 8);
  return ~crc;
}

i32 bench(i32 rounds) {
  u32 random = 0x2545F491u;
  u32 crc = 0;
  make_table();
  for (u32 i = 0; i < kBytes; i++) message[i] = (u8)(next_random(&random) >> 24);
  for (i32 round = 0; round < rounds; round++) {
    for (u32 pass = 0; pass < kPasses; pass++) crc = crc32(crc, message, kBytes);
    message[crc % kBytes] ^= (u8)(crc >> 16);
  }
  return (i32)crc;
}
