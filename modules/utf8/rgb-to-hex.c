// A colour `r,g,b` or `rgb(r, g, b)`, decimal parts 0 to 255, as `#rrggbb`; nothing for any other
// input. White space may stand between the parts. Input up to 4 KiB.
#include "component.h"

INPUT_UTF8(4096)
OUTPUT_UTF8(7)

// Position in the input; every take_ function moves it past what it accepts.
static uint32_t at, end;

static void skip_space(void) {
  while (at < end && is_space(input[at])) ++at;
}

static bool take(uint8_t byte) {
  skip_space();
  if (at == end || input[at] != byte) return false;
  ++at;
  return true;
}

// Takes "rgb(", in any letter case. The name and the bracket stand together.
static bool take_function_name(void) {
  skip_space();
  if (end - at < 4 || to_lower(input[at]) != 'r' || to_lower(input[at + 1]) != 'g' ||
      to_lower(input[at + 2]) != 'b' || input[at + 3] != '(')
    return false;
  at += 4;
  return true;
}

// Takes a decimal number of up to 255. More digits cannot overflow: the value stops growing there.
static bool take_part(uint32_t* part) {
  skip_space();
  if (at == end || !is_digit(input[at])) return false;
  for (*part = 0; at < end && is_digit(input[at]); ++at) {
    *part = *part * 10 + (input[at] - '0');
    if (*part > 255) return false;
  }
  return true;
}

static void put_hex(uint32_t part) {
  static const char digits[16] = "0123456789abcdef";
  put(digits[part >> 4]);
  put(digits[part & 15]);
}

RENDER(uint32_t input_len) {
  at = 0;
  end = input_len;
  output_len = 0;
  uint32_t red, green, blue;
  const bool named = take_function_name();
  if (!take_part(&red) || !take(',') || !take_part(&green) || !take(',') || !take_part(&blue))
    return 0;
  if (named && !take(')')) return 0;
  skip_space();
  if (at < end) return 0;
  put('#');
  put_hex(red);
  put_hex(green);
  put_hex(blue);
  return output_len;
}
