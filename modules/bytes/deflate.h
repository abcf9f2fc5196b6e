// What every DEFLATE writer needs (RFC 1951): a bit stream, canonical Huffman codes, and the
// symbols of matches.
//
// Assumes: the including component has declared its output buffer. Writing beyond it traps.
#pragma once

#include "bytes/zlib_format.h"

enum {
  kMinMatch = 3,
  kMaxMatch = 258,
  kMaxDistance = 32768,
  kEndOfBlock = 256,
  kFirstLengthSymbol = 257,
  kLiteralSymbols = 286,       // literals, end of block, and lengths that a stream may use
  kFixedLiteralSymbols = 288,  // two more take part in the fixed code
  kDistanceSymbols = 30,
  kMaxCodeLen = 15,
};

enum { kStoredBlock = 0, kFixedBlock = 1, kDynamicBlock = 2 };

// --- Bits, lowest first --------------------------------------------------------------------------

// Bits that are not written yet: fewer than 32 between two calls.
static uint64_t pending_bits;
static uint32_t pending_count;

// Appends the `count` low bits of `bits`; count <= 32 and no other bit is set.
static void put_bits(uint32_t bits, uint32_t count) {
  pending_bits |= (uint64_t)bits << pending_count;
  pending_count += count;
  if (pending_count < 32) return;
  if (sizeof output - output_len < 4) __builtin_trap();
  const uint32_t word = (uint32_t)pending_bits;
  __builtin_memcpy(output + output_len, &word, sizeof word);
  output_len += 4;
  pending_bits >>= 32;
  pending_count -= 32;
}

// Fills the begun byte with zeros and writes all that is pending.
static void align_to_byte(void) {
  while (pending_count > 0) {
    put((uint8_t)pending_bits);
    pending_bits >>= 8;
    pending_count = pending_count > 8 ? pending_count - 8 : 0;
  }
  pending_bits = 0;
}

static void put_block_header(bool is_final, uint32_t kind) {
  put_bits(is_final | kind << 1, 3);
}

// Section 3.2.4: uncompressed bytes, at most 65,535 a block. No bytes give one empty block.
__attribute__((unused)) static void put_stored(const uint8_t* bytes, uint32_t count,
                                               bool is_final) {
  do {
    const uint32_t part = count < 65535 ? count : 65535;
    count -= part;
    put_block_header(is_final && count == 0, kStoredBlock);
    align_to_byte();
    put_bits(part | (~part << 16), 32);
    put_bytes(bytes, part);
    bytes += part;
  } while (count > 0);
}

// The frame around the stream; end_zlib() closes it over the bytes that it stands for.
static void begin_zlib(uint8_t level) {
  pending_bits = 0;
  pending_count = 0;
  put(kZlibMethod);
  put(level);
}

static void end_zlib(const uint8_t* bytes, uint32_t len) {
  align_to_byte();
  put_bits(__builtin_bswap32(adler32(bytes, len)), 32);
}

// --- Codes ---------------------------------------------------------------------------------------

typedef struct {
  uint8_t lens[kFixedLiteralSymbols];    // bits of each symbol's code, 0 for none
  uint16_t codes[kFixedLiteralSymbols];  // the code, first bit lowest, as it is written
} HuffmanCode;

// Section 3.2.2: the canonical codes of the given lengths.
__attribute__((unused)) static void assign_codes(HuffmanCode* code, uint32_t symbols) {
  uint32_t next[kMaxCodeLen + 2] = {0}, counts[kMaxCodeLen + 1] = {0};
  for (uint32_t i = 0; i < symbols; ++i) ++counts[code->lens[i]];
  counts[0] = 0;
  for (uint32_t len = 1; len <= kMaxCodeLen; ++len) next[len + 1] = (next[len] + counts[len]) << 1;
  for (uint32_t i = 0; i < symbols; ++i) {
    const uint32_t len = code->lens[i];
    if (len == 0) continue;
    code->codes[i] = (uint16_t)(__builtin_bitreverse32(next[len]++) >> (32 - len));
  }
}

// Section 3.2.6: the lengths of the fixed code.
__attribute__((unused)) static void assign_fixed_codes(HuffmanCode* literals,
                                                       HuffmanCode* distances) {
  for (uint32_t i = 0; i < kFixedLiteralSymbols; ++i)
    literals->lens[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
  for (uint32_t i = 0; i < kDistanceSymbols; ++i) distances->lens[i] = 5;
  assign_codes(literals, kFixedLiteralSymbols);
  assign_codes(distances, kDistanceSymbols);
}

// A symbol that stands for a range of values, and how many bits of the value follow it.
typedef struct {
  uint32_t symbol, extra_bits;
} RangeSymbol;

static uint32_t floor_log2(uint32_t value) {
  return 31 - (uint32_t)__builtin_clz(value);
}

// Section 3.2.5, the table of lengths: four ranges for each power of two, from 8 on (after the
// shortest length is subtracted); the longest length has a symbol of its own.
static inline RangeSymbol length_symbol(uint32_t length) {
  const uint32_t value = length - kMinMatch;
  if (value < 8) return (RangeSymbol){kFirstLengthSymbol + value, 0};
  if (length == kMaxMatch) return (RangeSymbol){285, 0};
  const uint32_t extra_bits = floor_log2(value) - 2;
  return (RangeSymbol){kFirstLengthSymbol + 4 * extra_bits + (value >> extra_bits), extra_bits};
}

// Section 3.2.5, the table of distances: two ranges for each power of two, from 4 on.
static inline RangeSymbol distance_symbol(uint32_t distance) {
  const uint32_t value = distance - 1;
  if (value < 4) return (RangeSymbol){value, 0};
  const uint32_t extra_bits = floor_log2(value) - 1;
  return (RangeSymbol){2 * extra_bits + (value >> extra_bits), extra_bits};
}

static inline void put_symbol(const HuffmanCode* code, uint32_t symbol) {
  put_bits(code->codes[symbol], code->lens[symbol]);
}

// A range symbol and the extra bits of the value in one write: at most 15 + 13 bits.
static inline void put_range(const HuffmanCode* code, RangeSymbol range, uint32_t value) {
  const uint32_t len = code->lens[range.symbol];
  const uint32_t extra = value & ((1u << range.extra_bits) - 1);
  put_bits(code->codes[range.symbol] | extra << len, len + range.extra_bits);
}

__attribute__((unused)) static void put_match(const HuffmanCode* literals,
                                              const HuffmanCode* distances, uint32_t length,
                                              uint32_t distance) {
  put_range(literals, length_symbol(length), length - kMinMatch);
  put_range(distances, distance_symbol(distance), distance - 1);
}
