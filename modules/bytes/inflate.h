// Restores the bytes of a zlib stream (RFC 1950 around RFC 1951), and traps on everything that is
// not one whole and correct stream: a bad header, a preset dictionary, codes that are incomplete or
// over-subscribed, symbols without meaning, distances before the first byte, a cut or wrong
// checksum, bytes behind the end.
#pragma once

#include "bytes/zlib_format.h"

// --- Bits ----------------------------------------------------------------------------------------

// The input from `at` on, behind `count` bits that wait in `bits`, lowest first. What stands in
// `bits` above them is either zero or what the next bytes hold.
typedef struct {
  const uint8_t* at;
  const uint8_t* end;
  uint64_t bits;
  uint32_t count;
} BitReader;

// Makes at least 56 bits available, or all that are left.
static inline void refill(BitReader* reader) {
  if (reader->end - reader->at >= 8) {
    uint64_t word;
    __builtin_memcpy(&word, reader->at, sizeof word);
    reader->bits |= word << reader->count;
    reader->at += (63 - reader->count) / 8;
    reader->count |= 56;
    return;
  }
  while (reader->count <= 56 && reader->at < reader->end) {
    reader->bits |= (uint64_t)*reader->at++ << reader->count;
    reader->count += 8;
  }
}

static inline void skip_bits(BitReader* reader, uint32_t count) {
  require(count <= reader->count);
  reader->bits >>= count;
  reader->count -= count;
}

// The next `count` <= 16 bits of those that are available.
static inline uint32_t take_bits(BitReader* reader, uint32_t count) {
  const uint32_t value = (uint32_t)reader->bits & ((1u << count) - 1);
  skip_bits(reader, count);
  return value;
}

static uint32_t read_bits(BitReader* reader, uint32_t count) {
  refill(reader);
  return take_bits(reader, count);
}

// Drops the rest of the begun byte and gives whole bytes back to the input.
static void align_to_byte(BitReader* reader) {
  reader->at -= reader->count / 8;
  reader->bits = 0;
  reader->count = 0;
}

// --- Codes ---------------------------------------------------------------------------------------

enum { kMaxCodeLen = 15, kFastBits = 10, kMaxSymbols = 288 };

// A canonical code. Codes of up to kFastBits bits are found in `fast` by the next bits: symbol << 4
// | length; 0 means a longer code, which is found by counting through the lengths.
typedef struct {
  uint16_t fast[1 << kFastBits];
  uint16_t counts[kMaxCodeLen + 1];  // codes of each length
  uint16_t symbols[kMaxSymbols];     // in the order of their codes
} Decoder;

// Fills `fast` for all continuations of one code.
static void set_fast(Decoder* decoder, uint32_t code, uint32_t len, uint32_t symbol) {
  const uint32_t reversed = __builtin_bitreverse32(code) >> (32 - len);
  for (uint32_t i = reversed; i < 1 << kFastBits; i += 1u << len)
    decoder->fast[i] = (uint16_t)(symbol << 4 | len);
}

// RFC 1951, section 3.2.2. A code has to use up all bit patterns. Where `may_be_sparse`, it may
// also be a single symbol with one bit, or no symbol at all, which read_symbol then refuses.
static void build_decoder(Decoder* decoder, const uint8_t* lens, uint32_t symbols,
                          bool may_be_sparse) {
  uint32_t next[kMaxCodeLen + 2] = {0}, offsets[kMaxCodeLen + 2] = {0};
  __builtin_memset(decoder->counts, 0, sizeof decoder->counts);
  __builtin_memset(decoder->fast, 0, sizeof decoder->fast);
  for (uint32_t i = 0; i < symbols; ++i) ++decoder->counts[lens[i]];
  const uint32_t used = symbols - decoder->counts[0];
  decoder->counts[0] = 0;
  uint32_t free_patterns = 1;
  for (uint32_t len = 1; len <= kMaxCodeLen; ++len) {
    free_patterns *= 2;
    require(decoder->counts[len] <= free_patterns);
    free_patterns -= decoder->counts[len];
    next[len + 1] = (next[len] + decoder->counts[len]) << 1;
    offsets[len + 1] = offsets[len] + decoder->counts[len];
  }
  require(free_patterns == 0 ||
          (may_be_sparse && (used == 0 || (used == 1 && decoder->counts[1] == 1))));
  for (uint32_t i = 0; i < symbols; ++i) {
    const uint32_t len = lens[i];
    if (len == 0) continue;
    decoder->symbols[offsets[len]++] = (uint16_t)i;
    const uint32_t code = next[len]++;
    if (len <= kFastBits) set_fast(decoder, code, len, i);
  }
}

// A code longer than kFastBits, bit by bit: `first` is the first code of a length, `index` the
// place of its symbol. Traps when the bits are no code.
static uint32_t read_long_symbol(BitReader* reader, const Decoder* decoder) {
  uint32_t code = 0, first = 0, index = 0;
  for (uint32_t len = 1; len <= kMaxCodeLen; ++len) {
    const uint32_t count = decoder->counts[len];
    code |= (uint32_t)(reader->bits >> (len - 1)) & 1;
    if (code - first < count) {
      skip_bits(reader, len);
      return decoder->symbols[index + code - first];
    }
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  __builtin_trap();
}

// Needs kMaxCodeLen bits available, or the end of the input.
static inline uint32_t read_symbol(BitReader* reader, const Decoder* decoder) {
  const uint32_t entry = decoder->fast[reader->bits & ((1 << kFastBits) - 1)];
  if (entry == 0) return read_long_symbol(reader, decoder);
  skip_bits(reader, entry & 15);
  return entry >> 4;
}

// --- Blocks --------------------------------------------------------------------------------------

enum { kEndOfBlock = 256, kFirstLengthSymbol = 257 };

static Decoder literals, distances;

// Where the content goes: what stands from `begin` up to `at` is there.
typedef struct {
  uint8_t* begin;
  uint8_t* at;
  uint8_t* end;
} ByteWriter;

// Section 3.2.5: the first value of each symbol's range and the bits that follow it.
static const uint16_t length_bases[29] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                          15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                          67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t length_extra_bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                              2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t distance_bases[30] = {
    1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
    193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};

static inline uint32_t distance_extra_bits(uint32_t symbol) {
  return symbol < 4 ? 0 : symbol / 2 - 1;
}

// Repeats `length` bytes from `distance` back. Source and target overlap when the distance is the
// shorter one: the bytes just written are read again.
static inline void copy_match(ByteWriter* writer, uint32_t length, uint32_t distance) {
  require(distance <= (uint32_t)(writer->at - writer->begin));
  require(length <= (uint32_t)(writer->end - writer->at));
  uint8_t* to = writer->at;
  const uint8_t* from = to - distance;
  writer->at += length;
  if (distance == 1) {
    __builtin_memset(to, *from, length);
  } else if (distance >= length) {
    __builtin_memcpy(to, from, length);
  } else {
    while (length-- > 0) *to++ = *from++;
  }
}

// Reads symbols up to the end of the block. One refill serves a whole match: 15 + 5 + 15 + 13 bits.
static void read_compressed(BitReader* shared_reader, ByteWriter* shared_writer) {
  BitReader reader = *shared_reader;
  ByteWriter writer = *shared_writer;
  for (;;) {
    refill(&reader);
    const uint32_t symbol = read_symbol(&reader, &literals);
    if (symbol < kEndOfBlock) {
      require(writer.at < writer.end);
      *writer.at++ = (uint8_t)symbol;
      continue;
    }
    if (symbol == kEndOfBlock) break;
    const uint32_t range = symbol - kFirstLengthSymbol;
    require(range < 29);
    const uint32_t length = length_bases[range] + take_bits(&reader, length_extra_bits[range]);
    const uint32_t far_range = read_symbol(&reader, &distances);
    require(far_range < 30);
    const uint32_t distance =
        distance_bases[far_range] + take_bits(&reader, distance_extra_bits(far_range));
    copy_match(&writer, length, distance);
  }
  *shared_reader = reader;
  *shared_writer = writer;
}

static void read_stored(BitReader* reader, ByteWriter* writer) {
  align_to_byte(reader);
  require(reader->end - reader->at >= 4);
  const uint32_t count = load16(reader->at), complement = load16(reader->at + 2);
  reader->at += 4;
  require((count ^ complement) == 0xffff);
  require(count <= (uint32_t)(reader->end - reader->at));
  require(count <= (uint32_t)(writer->end - writer->at));
  __builtin_memcpy(writer->at, reader->at, count);
  reader->at += count;
  writer->at += count;
}

// Section 3.2.6.
static void build_fixed_decoders(void) {
  uint8_t lens[kMaxSymbols];
  for (uint32_t i = 0; i < kMaxSymbols; ++i) lens[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
  build_decoder(&literals, lens, kMaxSymbols, false);
  for (uint32_t i = 0; i < 32; ++i) lens[i] = 5;
  build_decoder(&distances, lens, 32, false);
}

// Section 3.2.7.
static void read_decoders(BitReader* reader) {
  static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                    11, 4,  12, 3, 13, 2, 14, 1, 15};
  uint8_t lens[286 + 30] = {0};
  const uint32_t literal_symbols = read_bits(reader, 5) + 257;
  const uint32_t distance_symbols = read_bits(reader, 5) + 1;
  const uint32_t len_symbols = read_bits(reader, 4) + 4;
  require(literal_symbols <= 286 && distance_symbols <= 30);
  for (uint32_t i = 0; i < len_symbols; ++i) lens[order[i]] = (uint8_t)read_bits(reader, 3);
  build_decoder(&literals, lens, 19, false);

  const uint32_t total = literal_symbols + distance_symbols;
  for (uint32_t at = 0; at < total;) {
    refill(reader);
    const uint32_t symbol = read_symbol(reader, &literals);
    if (symbol < 16) {
      lens[at++] = (uint8_t)symbol;
      continue;
    }
    require(symbol > 16 || at > 0);
    const uint8_t repeated = symbol == 16 ? lens[at - 1] : 0;
    const uint32_t run = symbol == 16   ? 3 + take_bits(reader, 2)
                         : symbol == 17 ? 3 + take_bits(reader, 3)
                                        : 11 + take_bits(reader, 7);
    require(run <= total - at);
    __builtin_memset(lens + at, repeated, run);
    at += run;
  }
  require(lens[kEndOfBlock] != 0);
  build_decoder(&literals, lens, literal_symbols, true);
  build_decoder(&distances, lens + literal_symbols, distance_symbols, true);
}

// Ends because each block takes at least three bits.
static void read_blocks(BitReader* reader, ByteWriter* writer) {
  bool is_final;
  do {
    is_final = read_bits(reader, 1);
    switch (read_bits(reader, 2)) {
      case 0:
        read_stored(reader, writer);
        break;
      case 1:
        build_fixed_decoders();
        read_compressed(reader, writer);
        break;
      case 2:
        read_decoders(reader);
        read_compressed(reader, writer);
        break;
      default:
        __builtin_trap();
    }
  } while (!is_final);
}

// Writes what the stream stands for to `to`, at most `cap` bytes, and returns their number.
static uint32_t inflate_zlib(const uint8_t* bytes, uint32_t len, uint8_t* to, uint32_t cap) {
  require(len >= 2);
  // RFC 1950, section 2.2: method 8, window up to 32 KiB, no dictionary, check bits.
  require((bytes[0] & 15) == 8 && bytes[0] >> 4 <= 7);
  require((bytes[1] & 0x20) == 0 && (bytes[0] << 8 | bytes[1]) % 31 == 0);
  BitReader reader = {bytes + 2, bytes + len, 0, 0};
  ByteWriter writer = {to, to, to + cap};
  read_blocks(&reader, &writer);
  align_to_byte(&reader);
  require(reader.end - reader.at == 4);
  const uint32_t content_len = (uint32_t)(writer.at - to);
  require(__builtin_bswap32(load32(reader.at)) == adler32(to, content_len));
  return content_len;
}
