// Compresses 160 KiB of invented text by references to earlier text and expands it again. The match
// finder walks chains of positions whose next four bytes have the same hash.
// Measures: byte and unaligned word loads, a search loop with several exits, byte-wise copies.
#include "../kernel.h"

enum {
  kSize = 160 << 10,
  kHashBits = 13,
  kChainLimit = 24,  // candidates looked at for one position
  kMinMatch = 4,
  kMaxMatch = 255,
  kMaxLiterals = 255,
  kWindow = 1 << 15,
  kWords = 400,
};

static u8 text[kSize];
static u8 packed[kSize + kSize / kMaxLiterals * 5 + 16];
static u8 unpacked[kSize];
static i32 newest[1 << kHashBits];  // the last position with this hash, or -1
static i32 previous[kWindow];       // by position modulo the window: the one before with its hash

static void write_text(u32* random) {
  static u8 words[kWords][8];
  for (u32 i = 0; i < kWords; i++) {
    for (u32 j = 0; j < 8; j++) words[i][j] = (u8)('a' + (next_random(random) >> 10) % 26);
  }
  for (u32 size = 0; size < kSize;) {
    u32 dice = next_random(random);
    u32 letters = 2 + (dice & 3) + (dice >> 2 & 3);
    const u8* word = words[(dice >> 4 & 1023) * (dice >> 14 & 1023) * kWords >> 20];
    for (u32 j = 0; j < letters && size < kSize; j++) text[size++] = word[j];
    if (size < kSize) text[size++] = dice >> 28 == 0 ? '\n' : ' ';
  }
}

static u32 load_word(const u8* bytes) {
  u32 word;
  __builtin_memcpy(&word, bytes, sizeof word);
  return word;
}

static u32 hash_at(u32 position) {
  return load_word(text + position) * 2654435761u >> (32 - kHashBits);
}

static void remember(u32 position) {
  if (position + kMinMatch > kSize) return;
  u32 hash = hash_at(position);
  previous[position % kWindow] = newest[hash];
  newest[hash] = (i32)position;
}

static u32 match_length(u32 earlier, u32 position) {
  u32 limit = kSize - position < kMaxMatch ? kSize - position : kMaxMatch;
  u32 length = 0;
  while (length < limit && text[earlier + length] == text[position + length]) length++;
  return length;
}

// The longest match for the position, and in `distance` how far back it lies; 0 if there is none.
static u32 find_match(u32 position, u32* distance) {
  if (position + kMinMatch > kSize) return 0;
  u32 best = 0;
  u32 word = load_word(text + position);
  i32 candidate = newest[hash_at(position)];
  for (u32 tries = kChainLimit; tries > 0 && candidate >= 0; tries--) {
    u32 back = position - (u32)candidate;
    if (back >= kWindow) break;
    if (load_word(text + candidate) == word) {
      u32 length = match_length((u32)candidate, position);
      if (length > best) {
        best = length;
        *distance = back;
      }
    }
    candidate = previous[(u32)candidate % kWindow];
  }
  return best;
}

// One command: the number of literals, the literals, the match's length, and if that is not 0 the
// distance in two bytes.
static u32 put_command(u32 at, u32 literals, u32 literal_count, u32 length, u32 distance) {
  packed[at++] = (u8)literal_count;
  for (u32 i = 0; i < literal_count; i++) packed[at++] = text[literals + i];
  packed[at++] = (u8)length;
  if (length != 0) {
    packed[at++] = (u8)distance;
    packed[at++] = (u8)(distance >> 8);
  }
  return at;
}

static u32 compress(void) {
  u32 at = 0;
  u32 literals = 0;
  for (u32 i = 0; i < 1 << kHashBits; i++) newest[i] = -1;
  for (u32 position = 0; position < kSize;) {
    u32 distance = 0;
    u32 length = find_match(position, &distance);
    u32 literal_count = position - literals;
    if (length < kMinMatch && literal_count < kMaxLiterals) {
      remember(position++);
      continue;
    }
    if (length < kMinMatch) length = 0;
    at = put_command(at, literals, literal_count, length, distance);
    for (u32 end = position + length; position < end; position++) remember(position);
    literals = position;
  }
  return put_command(at, literals, kSize - literals, 0, 0);
}

// Returns the size of the expanded text, or 0 if it would not fit or refers to before its begin.
static u32 expand(u32 packed_size) {
  u32 size = 0;
  for (u32 at = 0; at < packed_size;) {
    u32 literal_count = packed[at++];
    if (literal_count > kSize - size) return 0;
    for (u32 i = 0; i < literal_count; i++) unpacked[size++] = packed[at++];
    u32 length = packed[at++];
    if (length == 0) continue;
    u32 distance = (u32)packed[at] | (u32)packed[at + 1] << 8;
    at += 2;
    if (distance == 0 || distance > size || length > kSize - size) return 0;
    for (u32 i = 0; i < length; i++, size++) unpacked[size] = unpacked[size - distance];
  }
  return size;
}

i32 bench(i32 rounds) {
  u32 random = 0x3C6EF372u;
  u32 checksum = 0;
  for (i32 round = 0; round < rounds; round++) {
    write_text(&random);
    u32 packed_size = compress();
    if (expand(packed_size) != kSize) return -1;
    for (u32 i = 0; i < kSize; i++) {
      if (unpacked[i] != text[i]) return -1;
    }
    for (u32 i = 0; i < packed_size; i++) checksum = mix(checksum, packed[i]);
    random ^= checksum & 0xFFFF;
    if (random == 0) random = 1;
  }
  return (i32)checksum;
}
