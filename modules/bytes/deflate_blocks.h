// Compresses bytes into a zlib stream. They are cut into blocks of kBlockTokens literals and
// matches; each block gets optimal length-limited Huffman codes of its own, or the fixed code, or
// is stored, whichever is shortest. So the stream is at most a little longer than the bytes.
//
// Assumes: the including component has declared its output buffer. Writing beyond it traps.
#pragma once

#include "bytes/huffman_lengths.h"
#include "bytes/lz77.h"

enum { kBlockTokens = 16384 };

// The open block. A token is a literal, or a length with the distance in the high half.
static uint32_t tokens[kBlockTokens];
static uint32_t token_count;
static const uint8_t* block_bytes;  // what the tokens stand for
static uint32_t block_len;
static uint32_t literal_counts[kLiteralSymbols];
static uint32_t distance_counts[kDistanceSymbols];
static uint32_t extra_bits;  // of all matches in the block

static HuffmanCode fixed_literals, fixed_distances;
static HuffmanCode literals, distances;

// --- The description of a block's codes (RFC 1951, section 3.2.7) --------------------------------

enum { kLenSymbols = 19, kCopyLast = 16, kFewZeros = 17, kManyZeros = 18, kMaxLenCodeLen = 7 };

// One symbol of the description: a code length, or a repetition and how often beyond its minimum.
typedef struct {
  uint8_t symbol, repeat, repeat_bits;
} LenItem;

static const uint8_t len_symbol_order[kLenSymbols] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                      11, 4,  12, 3, 13, 2, 14, 1, 15};

static LenItem len_items[kLiteralSymbols + kDistanceSymbols];
static uint32_t len_item_count;
static uint32_t len_counts[kLenSymbols];
static HuffmanCode len_code;
static uint32_t literal_symbols, distance_symbols, len_symbols;  // how many are described

static void add_len_item(uint32_t symbol, uint32_t repeat, uint32_t repeat_bits) {
  len_items[len_item_count++] = (LenItem){(uint8_t)symbol, (uint8_t)repeat, (uint8_t)repeat_bits};
  ++len_counts[symbol];
}

// Adds `run` times the same code length.
static void add_len_run(uint32_t len, uint32_t run) {
  if (len == 0) {
    while (run >= 11) {
      const uint32_t part = run < 138 ? run : 138;
      add_len_item(kManyZeros, part - 11, 7);
      run -= part;
    }
    if (run >= 3) {
      add_len_item(kFewZeros, run - 3, 3);
      run = 0;
    }
  } else {
    add_len_item(len, 0, 0);
    --run;
    while (run >= 3) {
      const uint32_t part = run < 6 ? run : 6;
      add_len_item(kCopyLast, part - 3, 2);
      run -= part;
    }
  }
  for (; run > 0; --run) add_len_item(len, 0, 0);
}

// The lengths of both codes form one sequence; a run may cross from one into the other.
static void describe_codes(void) {
  uint8_t lens[kLiteralSymbols + kDistanceSymbols];
  literal_symbols = kLiteralSymbols;
  while (literal_symbols > kFirstLengthSymbol && literals.lens[literal_symbols - 1] == 0)
    --literal_symbols;
  distance_symbols = kDistanceSymbols;
  while (distance_symbols > 1 && distances.lens[distance_symbols - 1] == 0) --distance_symbols;
  __builtin_memcpy(lens, literals.lens, literal_symbols);
  __builtin_memcpy(lens + literal_symbols, distances.lens, distance_symbols);

  len_item_count = 0;
  for (uint32_t i = 0; i < kLenSymbols; ++i) len_counts[i] = 0;
  const uint32_t total = literal_symbols + distance_symbols;
  for (uint32_t start = 0, end; start < total; start = end) {
    for (end = start + 1; end < total && lens[end] == lens[start]; ++end) {
    }
    add_len_run(lens[start], end - start);
  }
  choose_code_lens(len_counts, kLenSymbols, kMaxLenCodeLen, len_code.lens);
  assign_codes(&len_code, kLenSymbols);
  len_symbols = kLenSymbols;
  while (len_symbols > 4 && len_code.lens[len_symbol_order[len_symbols - 1]] == 0) --len_symbols;
}

static uint32_t description_bits(void) {
  uint32_t bits = 5 + 5 + 4 + 3 * len_symbols;
  for (uint32_t i = 0; i < len_item_count; ++i)
    bits += len_code.lens[len_items[i].symbol] + (uint32_t)len_items[i].repeat_bits;
  return bits;
}

static void put_description(void) {
  put_bits(literal_symbols - 257, 5);
  put_bits(distance_symbols - 1, 5);
  put_bits(len_symbols - 4, 4);
  for (uint32_t i = 0; i < len_symbols; ++i) put_bits(len_code.lens[len_symbol_order[i]], 3);
  for (uint32_t i = 0; i < len_item_count; ++i) {
    put_symbol(&len_code, len_items[i].symbol);
    put_bits(len_items[i].repeat, len_items[i].repeat_bits);
  }
}

// --- Blocks --------------------------------------------------------------------------------------

static void begin_block(const uint8_t* bytes) {
  token_count = 0;
  block_bytes = bytes;
  block_len = 0;
  extra_bits = 0;
  for (uint32_t i = 0; i < kLiteralSymbols; ++i) literal_counts[i] = 0;
  for (uint32_t i = 0; i < kDistanceSymbols; ++i) distance_counts[i] = 0;
}

// The bits of all tokens under a code. At most 16,385 tokens of at most 48 bits.
static uint32_t token_bits(const HuffmanCode* literal_code, const HuffmanCode* distance_code) {
  uint32_t bits = extra_bits;
  for (uint32_t i = 0; i < kLiteralSymbols; ++i) bits += literal_counts[i] * literal_code->lens[i];
  for (uint32_t i = 0; i < kDistanceSymbols; ++i)
    bits += distance_counts[i] * distance_code->lens[i];
  return bits;
}

static void put_tokens(const HuffmanCode* literal_code, const HuffmanCode* distance_code) {
  for (uint32_t i = 0; i < token_count; ++i) {
    const uint32_t distance = tokens[i] >> 16;
    if (distance == 0)
      put_symbol(literal_code, tokens[i]);
    else
      put_match(literal_code, distance_code, tokens[i] & 0xffff, distance);
  }
  put_symbol(literal_code, kEndOfBlock);
}

static void write_block(bool is_final) {
  ++literal_counts[kEndOfBlock];
  choose_code_lens(literal_counts, kLiteralSymbols, kMaxCodeLen, literals.lens);
  choose_code_lens(distance_counts, kDistanceSymbols, kMaxCodeLen, distances.lens);
  describe_codes();
  const uint32_t dynamic_bits = description_bits() + token_bits(&literals, &distances);
  const uint32_t fixed_bits = token_bits(&fixed_literals, &fixed_distances);
  // Stored: the header's byte, lengths for each part, and the bytes. A block has less than 2^23.
  const uint32_t stored_bits = 8 * (block_len + 5 * (block_len / 65535 + 1));
  if (stored_bits <= dynamic_bits && stored_bits <= fixed_bits) {
    put_stored(block_bytes, block_len, is_final);
  } else if (fixed_bits <= dynamic_bits) {
    put_block_header(is_final, kFixedBlock);
    put_tokens(&fixed_literals, &fixed_distances);
  } else {
    assign_codes(&literals, kLiteralSymbols);
    assign_codes(&distances, kDistanceSymbols);
    put_block_header(is_final, kDynamicBlock);
    put_description();
    put_tokens(&literals, &distances);
  }
}

static void add_token(uint32_t token, uint32_t stands_for) {
  if (token_count == kBlockTokens) {
    write_block(false);
    begin_block(block_bytes + block_len);
  }
  tokens[token_count++] = token;
  block_len += stands_for;
}

static void add_literal(uint8_t byte) {
  add_token(byte, 1);
  ++literal_counts[byte];
}

static void add_match(uint32_t length, uint32_t distance) {
  add_token(distance << 16 | length, length);
  const RangeSymbol length_range = length_symbol(length);
  const RangeSymbol distance_range = distance_symbol(distance);
  ++literal_counts[length_range.symbol];
  ++distance_counts[distance_range.symbol];
  extra_bits += length_range.extra_bits + distance_range.extra_bits;
}

// Appends the zlib stream of the bytes to the output.
static void put_zlib_stream(const uint8_t* bytes, uint32_t len) {
  assign_fixed_codes(&fixed_literals, &fixed_distances);
  begin_zlib(kZlibDefault);
  begin_block(bytes);
  find_matches(bytes, len, add_literal, add_match);
  write_block(true);
  end_zlib(bytes, len);
}
