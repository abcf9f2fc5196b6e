// Writes a JSON document of some 300 KB, then parses it: objects, arrays, strings with escapes,
// integers, decimal fractions, literals. The checksum covers every value, key and depth.
// Measures: branches on bytes, a switch, calls, integer and f64 arithmetic in turn.
#include "../kernel.h"

enum { kCapacity = 1 << 19, kRecords = 1500, kMaxDepth = 64, kPasses = 8 };

static u8 text[kCapacity];
static u32 text_size;

// --- The writer ----------------------------------------------------------------------------------

static void put(u8 byte) {
  if (text_size < kCapacity) text[text_size++] = byte;
}
static void put_text(const char* s) {
  while (*s) put((u8)*s++);
}
static void put_number(u32 value) {
  u8 digits[10];
  u32 count = 0;
  do {
    digits[count++] = (u8)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count > 0) put(digits[--count]);
}
static void put_word(u32 bits) {
  put('"');
  for (u32 letters = 3 + (bits & 7); letters > 0; letters--, bits = bits * 5 + 7) {
    u32 letter = bits >> 27;
    if (letter < 26) {
      put((u8)('a' + letter));
    } else if (letter == 26) {
      put_text("\\n");
    } else if (letter == 27) {
      put_text("\\u00e9");
    } else {
      put(' ');
    }
  }
  put('"');
}

static void write_record(u32* random) {
  put_text("{\"id\": ");
  put_number(next_random(random));
  put_text(", \"name\": ");
  put_word(next_random(random));
  put_text(", \"weight\": -");
  put_number(next_random(random) % 1000);
  put('.');
  put_number(next_random(random) % 100000);
  put_text("e-");
  put_number(next_random(random) % 6);
  put_text(", \"flags\": [true, false, null], \"parts\": [");
  for (u32 parts = next_random(random) & 7; parts > 0; parts--) {
    put('[');
    put_number(next_random(random) & 1023);
    put_text(", ");
    put_word(next_random(random));
    put_text(parts > 1 ? "],\n  " : "]");
  }
  put_text("]}");
}

static void write_document(u32* random) {
  text_size = 0;
  put('[');
  for (u32 i = 0; i < kRecords; i++) {
    if (i != 0) put_text(",\n");
    write_record(random);
  }
  put(']');
}

// --- The parser ----------------------------------------------------------------------------------

static u32 position;
static u32 checksum;
static double total;
static i32 failed;

static u32 peek(void) {
  return position < text_size ? text[position] : 0;
}

static void skip_space(void) {
  while (peek() == ' ' || peek() == '\n') position++;
}

static void expect(u32 byte) {
  skip_space();
  if (peek() == byte) {
    position++;
  } else {
    failed = 1;
  }
}

static void parse_literal(const char* literal) {
  for (; *literal; literal++) {
    if (peek() != (u8)*literal) failed = 1;
    position++;
  }
  checksum = mix(checksum, position);
}

static u32 hex_digit(u32 c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  failed = 1;
  return 0;
}

static u32 parse_escape(void) {
  u32 c = peek();
  position++;
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '"':
    case '\\':
    case '/':
      return c;
    case 'u': {
      u32 code = 0;
      for (int i = 0; i < 4; i++, position++) code = code << 4 | hex_digit(peek());
      return code;
    }
    default:
      failed = 1;
      return 0;
  }
}

static void parse_string(void) {
  u32 hash = 2166136261u;
  position++;
  while (position < text_size && text[position] != '"') {
    u32 c = text[position++];
    if (c == '\\') c = parse_escape();
    hash = mix(hash, c);
  }
  position++;
  checksum = mix(checksum, hash);
}

static void parse_number(void) {
  static const double kPowersOfTen[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
  u32 negative = peek() == '-';
  u32 fraction_digits = 0;
  u32 exponent = 0;
  u64 digits = 0;
  position += negative;
  while (peek() - '0' < 10) digits = digits * 10 + (text[position++] - '0');
  if (peek() == '.') {
    position++;
    for (; peek() - '0' < 10; fraction_digits++) digits = digits * 10 + (text[position++] - '0');
  }
  if (peek() == 'e') {
    position++;
    if (peek() == '-') position++;
    while (peek() - '0' < 10) exponent = exponent * 10 + (text[position++] - '0');
  }
  if (fraction_digits > 8 || exponent > 8) failed = 1;
  double number = (double)digits / kPowersOfTen[fraction_digits & 7] / kPowersOfTen[exponent & 7];
  total += negative ? -number : number;
  checksum = mix(checksum, (u32)digits);
}

static void parse_value(u32 depth);

// The members of an object or the elements of an array, without the opening bracket.
static void parse_members(u32 close, u32 depth) {
  position++;
  skip_space();
  if (peek() == close) {
    position++;
    return;
  }
  for (;;) {
    if (close == '}') {
      skip_space();
      parse_string();
      expect(':');
    }
    parse_value(depth);
    skip_space();
    u32 c = peek();
    position++;
    if (c == close) return;
    if (c != ',' || failed) {
      failed = 1;
      return;
    }
  }
}

static void parse_value(u32 depth) {
  skip_space();
  checksum += depth;
  if (depth > kMaxDepth) {
    failed = 1;
    return;
  }
  switch (peek()) {
    case '{':
      parse_members('}', depth + 1);
      break;
    case '[':
      parse_members(']', depth + 1);
      break;
    case '"':
      parse_string();
      break;
    case 't':
      parse_literal("true");
      break;
    case 'f':
      parse_literal("false");
      break;
    case 'n':
      parse_literal("null");
      break;
    default:
      parse_number();
      break;
  }
}

i32 bench(i32 rounds) {
  u32 random = 0x1234567u;
  checksum = 0;
  total = 0;
  for (i32 round = 0; round < rounds; round++) {
    write_document(&random);
    for (u32 pass = 0; pass < kPasses; pass++) {
      position = 0;
      parse_value(0);
      if (failed || position != text_size) return -1;
    }
    random ^= checksum & 0xFFFF;
    if (random == 0) random = 1;
  }
  return (i32)(checksum ^ (u32)(i64)total);
}
