// Makes QR codes (ISO/IEC 18004:2015) of bytes: byte mode, error correction level M, versions 1 to
// 40, the smallest one that fits.
//
// Promises: the same bytes give the same code; the mask is the one with the lowest penalty (section
// 7.8.3), the first of them where several have it. Bounds: kMaxContent bytes, more trap.
#pragma once

#include "component.h"

enum {
  kMaxVersion = 40,
  kMaxSize = 17 + 4 * kMaxVersion,
  kMaxCodewords = 3706,
  kMaxContent = 2331,
  kMaxCheckLen = 30,
  kMaskCount = 8,
  kFinderSize = 7,
};

// A module of the code: dark or light, and whether it is a part of the patterns that every code of
// the version has, which carry no content.
enum { kDark = 1, kReserved = 2 };

static uint8_t modules[kMaxSize][kMaxSize];  // row by row
static uint32_t version, size;               // the code has size by size modules

// --- Versions (table 9, level M) -----------------------------------------------------------------

static const uint8_t check_lens[kMaxVersion] = {
    10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
    26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28};
static const uint8_t block_counts[kMaxVersion] = {
    1,  1,  1,  2,  2,  4,  4,  4,  5,  5,  5,  8,  9,  9,  10, 10, 11, 13, 14, 16,
    17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49};

// How many rows of alignment patterns there are.
static uint32_t alignment_count(void) {
  return version == 1 ? 0 : version / 7 + 2;
}

// The centre of one row of alignment patterns (annex E): the first one is at 6, the others are
// evenly spaced back from the opposite side.
static uint32_t alignment_center(uint32_t index) {
  const uint32_t gaps = alignment_count() - 1;
  // The distance is even; the standard makes an exception for version 32.
  const uint32_t step =
      version == 32 ? 26 : (4 * version + 2 * alignment_count() + 1) / (2 * gaps) * 2;
  return index == 0 ? 6 : size - 7 - (gaps - index) * step;
}

// The codewords of content and checks together: all modules but those of the patterns.
static uint32_t codeword_count(void) {
  uint32_t count = size * size - 3 * 64 - 2 * (size - 16) - 31;
  const uint32_t rows = alignment_count();
  if (rows > 0) count -= 25 * (rows * rows - 3) - 10 * (rows - 2);
  if (version >= 7) count -= 36;
  return count / 8;
}

static uint32_t content_codewords(void) {
  return codeword_count() - check_lens[version - 1] * block_counts[version - 1];
}

static uint32_t count_bits(void) {
  return version < 10 ? 8 : 16;
}

static void choose_version(uint32_t len) {
  for (version = 1; version <= kMaxVersion; ++version) {
    size = 17 + 4 * version;
    if (4 + count_bits() + 8 * len <= 8 * content_codewords()) return;
  }
  __builtin_trap();
}

// --- Codewords (sections 7.4 to 7.6) -------------------------------------------------------------

static uint8_t content[kMaxCodewords];
static uint32_t content_bits;

static void add_bits(uint32_t value, uint32_t count) {
  for (; count > 0; --count, ++content_bits)
    if (value >> (count - 1) & 1) content[content_bits / 8] |= (uint8_t)(0x80 >> content_bits % 8);
}

// Byte mode, the length, the bytes, an end, and padding.
static void encode_content(const uint8_t* bytes, uint32_t len) {
  __builtin_memset(content, 0, sizeof content);
  content_bits = 0;
  add_bits(4, 4);
  add_bits(len, count_bits());
  for (uint32_t i = 0; i < len; ++i) add_bits(bytes[i], 8);
  const uint32_t capacity = 8 * content_codewords();
  content_bits += capacity - content_bits < 4 ? capacity - content_bits : 4;
  content_bits = (content_bits + 7) / 8 * 8;
  for (uint32_t padding = 0xec; content_bits < capacity; padding ^= 0xec ^ 0x11)
    add_bits(padding, 8);
}

// In the field of 256 elements with x^8 + x^4 + x^3 + x^2 + 1.
static uint32_t field_product(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (int32_t bit = 7; bit >= 0; --bit) {
    product = product << 1 ^ (product >> 7) * 0x11d;
    if (b >> bit & 1) product ^= a;
  }
  return product;
}

// The generator polynomial of that many check bytes, without its highest coefficient, which is 1:
// the product of (x - 2^i).
static void make_generator(uint8_t* generator, uint32_t len) {
  __builtin_memset(generator, 0, len);
  generator[len - 1] = 1;
  uint32_t root = 1;
  for (uint32_t i = 0; i < len; ++i) {
    for (uint32_t j = 0; j < len; ++j) {
      const uint32_t next = j + 1 < len ? generator[j + 1] : 0;
      generator[j] = (uint8_t)(field_product(generator[j], root) ^ next);
    }
    root = field_product(root, 2);
  }
}

// The remainder of the block's bytes, by Reed and Solomon.
static void make_checks(const uint8_t* block, uint32_t block_len, const uint8_t* generator,
                        uint32_t len, uint8_t* checks) {
  __builtin_memset(checks, 0, len);
  for (uint32_t i = 0; i < block_len; ++i) {
    const uint32_t factor = block[i] ^ checks[0];
    for (uint32_t j = 0; j < len; ++j) {
      const uint32_t next = j + 1 < len ? checks[j + 1] : 0;
      checks[j] = (uint8_t)(next ^ field_product(generator[j], factor));
    }
  }
}

static uint8_t codewords[kMaxCodewords];

// Cuts the content into blocks, of which the last ones may be one byte longer, and writes the first
// bytes of all blocks, the second ones, and so on; then their check bytes in the same way.
static void interleave(void) {
  const uint32_t blocks = block_counts[version - 1], check_len = check_lens[version - 1];
  const uint32_t total = content_codewords();
  const uint32_t short_len = total / blocks, long_from = blocks - total % blocks;
  uint8_t generator[kMaxCheckLen], checks[kMaxCheckLen];
  make_generator(generator, check_len);
  uint32_t begin = 0;
  for (uint32_t block = 0; block < blocks; ++block) {
    const bool is_long = block >= long_from;
    const uint32_t len = short_len + is_long;
    make_checks(content + begin, len, generator, check_len, checks);
    for (uint32_t i = 0; i < short_len; ++i) codewords[i * blocks + block] = content[begin + i];
    if (is_long) codewords[short_len * blocks + block - long_from] = content[begin + short_len];
    for (uint32_t i = 0; i < check_len; ++i) codewords[total + i * blocks + block] = checks[i];
    begin += len;
  }
}

// --- Patterns (section 6.3) ----------------------------------------------------------------------

static void reserve(uint32_t x, uint32_t y, bool is_dark) {
  modules[y][x] = (uint8_t)(kReserved | (is_dark ? kDark : 0));
}

static uint32_t distance(uint32_t a, uint32_t b) {
  return a > b ? a - b : b - a;
}

// Concentric squares around a centre, cut off at the sides of the code. `light` are the distances
// from the centre, as bits, at which they are light.
static void draw_squares(uint32_t center_x, uint32_t center_y, uint32_t reach, uint32_t light) {
  for (uint32_t y = 0; y < size; ++y) {
    for (uint32_t x = 0; x < size; ++x) {
      const uint32_t dx = distance(x, center_x), dy = distance(y, center_y);
      const uint32_t ring = dx > dy ? dx : dy;
      if (ring <= reach) reserve(x, y, (light >> ring & 1) == 0);
    }
  }
}

static bool is_corner(uint32_t column, uint32_t row) {
  const uint32_t last = alignment_count() - 1;
  return (column == 0 && row == 0) || (column == 0 && row == last) || (column == last && row == 0);
}

static void draw_patterns(void) {
  __builtin_memset(modules, 0, sizeof modules);
  for (uint32_t i = 0; i < size; ++i) {
    reserve(6, i, i % 2 == 0);
    reserve(i, 6, i % 2 == 0);
  }
  // A finder is a dark square, a light ring, a dark ring, and the light separator.
  draw_squares(3, 3, 4, 1 << 2 | 1 << 4);
  draw_squares(size - 4, 3, 4, 1 << 2 | 1 << 4);
  draw_squares(3, size - 4, 4, 1 << 2 | 1 << 4);
  for (uint32_t row = 0; row < alignment_count(); ++row)
    for (uint32_t column = 0; column < alignment_count(); ++column)
      if (!is_corner(column, row))
        draw_squares(alignment_center(column), alignment_center(row), 2, 1 << 1);
}

// The remainder of `value` times x^`degree` by a polynomial of that degree.
static uint32_t remainder_of(uint32_t value, uint32_t polynomial, uint32_t degree) {
  uint32_t rest = value << degree;
  for (uint32_t bit = 31; bit >= degree; --bit)
    if (rest >> bit & 1) rest ^= polynomial << (bit - degree);
  return rest;
}

// Section 7.9: level M, which is 0, and the mask, twice.
static void draw_format(uint32_t mask) {
  const uint32_t bits = (mask << 10 | remainder_of(mask, 0x537, 10)) ^ 0x5412;
  for (uint32_t i = 0; i < 15; ++i) {
    const bool is_dark = bits >> i & 1;
    // Down column 8 and then left along row 8 around the first finder, past the timing patterns.
    if (i < 8)
      reserve(8, i < 6 ? i : i + 1, is_dark);
    else
      reserve(i == 8 ? 7 : 14 - i, 8, is_dark);
    // From the right side along row 8, and down column 8 to the bottom.
    if (i < 8)
      reserve(size - 1 - i, 8, is_dark);
    else
      reserve(8, size - 15 + i, is_dark);
  }
  reserve(8, size - 8, true);
}

// Section 7.10: from version 7 on, the version, twice.
static void draw_version(void) {
  if (version < 7) return;
  const uint32_t bits = version << 12 | remainder_of(version, 0x1f25, 12);
  for (uint32_t i = 0; i < 18; ++i) {
    const bool is_dark = bits >> i & 1;
    const uint32_t far = size - 11 + i % 3, near = i / 3;
    reserve(far, near, is_dark);
    reserve(near, far, is_dark);
  }
}

// --- Content (section 7.7.3) ---------------------------------------------------------------------

// Two columns at a time from right to left, up and down in turns; the bits that are left over are
// light.
static void draw_codewords(void) {
  const uint32_t bits = 8 * codeword_count();
  uint32_t bit = 0;
  bool is_upwards = true;
  for (uint32_t right = size - 1; right >= 1; right -= 2, is_upwards = !is_upwards) {
    if (right == 6) right = 5;  // the column of the timing pattern does not count
    for (uint32_t i = 0; i < size; ++i) {
      uint8_t* const row = modules[is_upwards ? size - 1 - i : i];
      for (uint32_t x = right; x + 2 > right; --x) {
        if (row[x] & kReserved || bit == bits) continue;
        row[x] = codewords[bit / 8] >> (7 - bit % 8) & 1;
        ++bit;
      }
    }
    if (right == 1) break;
  }
}

// --- Masks (section 7.8) -------------------------------------------------------------------------

static bool is_masked(uint32_t mask, uint32_t x, uint32_t y) {
  switch (mask) {
    case 0:
      return (y + x) % 2 == 0;
    case 1:
      return y % 2 == 0;
    case 2:
      return x % 3 == 0;
    case 3:
      return (y + x) % 3 == 0;
    case 4:
      return (y / 2 + x / 3) % 2 == 0;
    case 5:
      return y * x % 2 + y * x % 3 == 0;
    case 6:
      return (y * x % 2 + y * x % 3) % 2 == 0;
    default:
      return ((y + x) % 2 + y * x % 3) % 2 == 0;
  }
}

// Inverts what the mask covers; the second time takes it back.
static void apply_mask(uint32_t mask) {
  for (uint32_t y = 0; y < size; ++y)
    for (uint32_t x = 0; x < size; ++x)
      if (!(modules[y][x] & kReserved) && is_masked(mask, x, y)) modules[y][x] ^= kDark;
}

static inline uint32_t is_dark(uint32_t x, uint32_t y) {
  return modules[y][x] & kDark;
}

// Of one row, or of one column: runs of one colour of five and more, and what looks like a finder,
// 1:1:3:1:1, once for each side on which it has four light modules.
static uint32_t line_penalty(uint32_t line, bool is_column) {
  uint32_t penalty = 0, run = 0, last = 0, window = 0;
  for (uint32_t i = 0; i < size; ++i) {
    const uint32_t dark = is_column ? is_dark(line, i) : is_dark(i, line);
    run = i > 0 && dark == last ? run + 1 : 1;
    last = dark;
    if (run == 5) penalty += 3;
    if (run > 5) penalty += 1;
    window = (window << 1 | dark) & 0x7ff;
    if (i >= 10 && (window == 0x5d0 || window == 0x05d)) penalty += 40;
  }
  return penalty;
}

// Ten for each full 5 % that dark modules are away from one half.
static uint32_t balance_penalty(uint32_t dark) {
  const uint32_t all = size * size;
  return distance(20 * dark, 10 * all) / all * 10;
}

static uint32_t penalty(void) {
  uint32_t sum = 0, dark = 0;
  for (uint32_t line = 0; line < size; ++line)
    sum += line_penalty(line, false) + line_penalty(line, true);
  for (uint32_t y = 0; y < size; ++y) {
    for (uint32_t x = 0; x < size; ++x) {
      dark += is_dark(x, y);
      if (x == 0 || y == 0) continue;
      const uint32_t square =
          is_dark(x, y) + is_dark(x - 1, y) + is_dark(x, y - 1) + is_dark(x - 1, y - 1);
      if (square == 0 || square == 4) sum += 3;
    }
  }
  return sum + balance_penalty(dark);
}

// Leaves the code of the bytes in `modules`.
static void make_qr_code(const uint8_t* bytes, uint32_t len) {
  require(len <= kMaxContent);
  choose_version(len);
  encode_content(bytes, len);
  interleave();
  draw_patterns();
  draw_format(0);
  draw_version();
  draw_codewords();
  uint32_t best = 0, lowest = UINT32_MAX;
  for (uint32_t mask = 0; mask < kMaskCount; ++mask) {
    apply_mask(mask);
    draw_format(mask);
    const uint32_t found = penalty();
    if (found < lowest) {
      lowest = found;
      best = mask;
    }
    apply_mask(mask);
  }
  apply_mask(best);
  draw_format(best);
}
