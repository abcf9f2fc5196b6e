// The edit distance of two byte strings over a small alphabet, by the table of Wagner and Fischer
// with one row kept. Measures: a dependent minimum of three, with branches or selects, and 16-bit
// loads and stores.
#include "../kernel.h"

enum { kLength = 1600 };

static u8 first[kLength];
static u8 second[kLength];
static u16 row[kLength + 1];

static u32 minimum(u32 a, u32 b) {
  return a < b ? a : b;
}

static u32 distance(const u8* a, u32 a_length, const u8* b, u32 b_length) {
  for (u32 j = 0; j <= b_length; j++) row[j] = (u16)j;
  for (u32 i = 1; i <= a_length; i++) {
    u32 diagonal = row[0];
    u32 west = i;
    row[0] = (u16)i;
    for (u32 j = 1; j <= b_length; j++) {
      u32 north = row[j];
      u32 replaced = diagonal + (a[i - 1] != b[j - 1]);
      west = minimum(replaced, minimum(north, west) + 1);
      row[j] = (u16)west;
      diagonal = north;
    }
  }
  return row[b_length];
}

// A copy of the first string in which about a quarter of the bytes are replaced, dropped or
// doubled. Returns its length.
static u32 edit_first(u32* random) {
  u32 length = 0;
  for (u32 i = 0; i < kLength && length < kLength; i++) {
    u32 dice = next_random(random) >> 20;
    if (dice < 256) continue;
    second[length++] = dice < 768 ? (u8)('a' + dice % 6) : first[i];
    if (dice >= 3840 && length < kLength) second[length++] = first[i];
  }
  return length;
}

i32 bench(i32 rounds) {
  u32 random = 0x51ED270Bu;
  u32 checksum = 0;
  for (i32 round = 0; round < rounds; round++) {
    for (u32 i = 0; i < kLength; i++) first[i] = (u8)('a' + (next_random(&random) >> 8) % 6);
    u32 length = edit_first(&random);
    checksum = mix(checksum, distance(first, kLength, second, length));
    random ^= checksum & 0xFFFF;
    if (random == 0) random = 1;
  }
  return (i32)checksum;
}
