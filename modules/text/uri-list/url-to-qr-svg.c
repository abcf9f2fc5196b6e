// A URL as a QR code: an SVG picture of one unit per module, black on white, with the margin of
// four modules that readers need.
//
// The URL is the first line that is neither empty nor a comment ("#", as text/uri-list has it),
// without white space around it; its bytes are the content, as they stand. Byte mode, error
// correction level M, the smallest version. A URL of more than 2,331 bytes traps, and so does none.
#include "text/uri-list/qr_code.h"

INPUT_UTF8(1 << 16)
OUTPUT_UTF8(1 << 18)
OUTPUT_CONTENT_TYPE("image/svg+xml")

enum { kMargin = 4 };

static void put_number(uint32_t value) {
  uint8_t digits[10];
  uint32_t at = sizeof digits;
  do {
    digits[--at] = (uint8_t)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  put_bytes(digits + at, sizeof digits - at);
}

// Runs of dark modules as lines of width 1, row by row. The first one of a row begins at a place,
// the others behind the one before.
static void put_runs(void) {
  for (uint32_t y = 0; y < size; ++y) {
    uint32_t behind = UINT32_MAX;  // where the last run of the row ended
    for (uint32_t x = 0; x < size;) {
      const uint32_t begin = x;
      while (x < size && is_dark(x, y)) ++x;
      if (x == begin) {
        ++x;
        continue;
      }
      if (behind == UINT32_MAX) {
        put('M');
        put_number(kMargin + begin);
        put(' ');
        put_number(kMargin + y);
        put_text(".5");
      } else {
        put('m');
        put_number(begin - behind);
        put_text(" 0");
      }
      put('h');
      put_number(x - begin);
      behind = x;
    }
  }
}

RENDER(uint32_t input_len) {
  output_len = 0;
  uint32_t begin = 0, end = 0;
  for (uint32_t next = 0; next < input_len && begin == end;) {
    begin = next;
    while (next < input_len && input[next] != '\n') ++next;
    end = next;
    if (next < input_len) ++next;
    while (begin < end && is_space(input[begin])) ++begin;
    while (begin < end && is_space(input[end - 1])) --end;
    if (begin < end && input[begin] == '#') begin = end;
  }
  require(begin < end);
  make_qr_code(input + begin, end - begin);

  const uint32_t side = size + 2 * kMargin;
  put_text("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ");
  put_number(side);
  put(' ');
  put_number(side);
  put_text("\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h");
  put_number(side);
  put('v');
  put_number(side);
  put_text("H0z\"/><path stroke=\"#000\" d=\"");
  put_runs();
  put_text("\"/></svg>");
  return output_len;
}
