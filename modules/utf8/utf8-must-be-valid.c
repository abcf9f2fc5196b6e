// Passes its input through when it is valid UTF-8 and traps when it is not. Valid is exact: the
// table of well-formed byte sequences in the Unicode Standard, section 3.9 (table 3-7), so overlong
// forms, surrogates and code points above U+10FFFF are refused. Input up to 16 MiB, in place.
#include "component.h"

INPUT_UTF8(16 << 20)
OUTPUT_IS_INPUT_UTF8

static bool is_between(uint32_t byte, uint32_t first, uint32_t last) {
  return byte - first <= last - first;
}

// The length of the well-formed sequence at `at`, or 0. Only the second byte of a sequence has a
// range that depends on the first.
static uint32_t sequence_len(const uint8_t* at, uint32_t left) {
  const uint32_t first = at[0];
  uint32_t len, low = 0x80, high = 0xbf;
  if (first < 0x80) return 1;
  if (is_between(first, 0xc2, 0xdf)) {
    len = 2;
  } else if (is_between(first, 0xe0, 0xef)) {
    len = 3;
    if (first == 0xe0) low = 0xa0;   // below it: overlong
    if (first == 0xed) high = 0x9f;  // above it: surrogates
  } else if (is_between(first, 0xf0, 0xf4)) {
    len = 4;
    if (first == 0xf0) low = 0x90;   // below it: overlong
    if (first == 0xf4) high = 0x8f;  // above it: beyond U+10FFFF
  } else {
    return 0;
  }
  if (len > left || !is_between(at[1], low, high)) return 0;
  for (uint32_t i = 2; i < len; ++i)
    if (!is_between(at[i], 0x80, 0xbf)) return 0;
  return len;
}

RENDER(uint32_t input_len) {
  for (uint32_t at = 0; at < input_len;) {
    // Eight ASCII bytes at a time: text is mostly that.
    uint64_t word;
    while (input_len - at >= sizeof word) {
      __builtin_memcpy(&word, input + at, sizeof word);
      if ((word & 0x8080808080808080) != 0) break;
      at += sizeof word;
    }
    if (at == input_len) break;
    const uint32_t len = sequence_len(input + at, input_len - at);
    if (len == 0) __builtin_trap();
    at += len;
  }
  return input_len;
}
