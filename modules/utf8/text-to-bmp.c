// Text as a bitmap: black on white, in cells of 8 by 16 pixels.
//
// Uniforms: `cols`, 0 to 512 (80): characters a line; longer lines wrap, and 0 makes lines as long
// as the longest one, up to 512. `leading`, 0 to 64 (4): rows of pixels added to each line.
// A line ends with LF, CR or both; one at the end of the text begins no further line. A tab goes to
// the next multiple of four columns. Characters outside of printable ASCII, and bytes that are not
// UTF-8, are shown as a box each.
// Input up to 1 MiB; an image of more than 16,777,216 pixels traps.
#include "image/bmp/bmp.h"

INPUT_UTF8(1 << 20)
OUTPUT_BYTES(kBmpOutputCap)
OUTPUT_CONTENT_TYPE("image/bmp")

#include "image/bmp/bmp_writer.h"
#include "utf8/font_8x16.h"

enum { kMaxColumns = 512, kMaxLeading = 64, kTabColumns = 4 };

static int32_t columns = 80, leading = 4;

static int32_t clamp(int32_t value, int32_t low, int32_t high) {
  return value < low ? low : value > high ? high : value;
}

EXPORT("uniform_set_cols") int32_t uniform_set_cols(int32_t value) {
  return columns = clamp(value, 0, kMaxColumns);
}

EXPORT("uniform_set_leading") int32_t uniform_set_leading(int32_t value) {
  return leading = clamp(value, 0, kMaxLeading);
}

// The bytes of the character at the head of `count` > 0 bytes: 1 to 4, and 1 for a byte that begins
// no character (Unicode 15, table 3-7).
static uint32_t character_len(const uint8_t* bytes, uint32_t count) {
  const uint32_t lead = bytes[0];
  const uint32_t len = lead - 0xc2 < 0x1e ? 2 : lead - 0xe0 < 0x10 ? 3 : lead - 0xf0 < 5 ? 4 : 1;
  if (len > count) return 1;
  for (uint32_t i = 1; i < len; ++i)
    if ((bytes[i] & 0xc0) != 0x80) return 1;
  if (len < 3) return len;
  const uint32_t second = bytes[1];
  const bool is_wrong = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
  return is_wrong ? 1 : len;
}

// A place in the text, and the cell it falls on.
typedef struct {
  uint32_t at, column, row;
  uint8_t glyph;  // what stands in the cell before this place; space for none
} Cursor;

static void next_row(Cursor* cursor) {
  ++cursor->row;
  cursor->column = 0;
}

// Steps over one character. A character wraps when it has no cell left in its row, not before: a
// line that fills its row exactly is followed by no empty one.
static void step(Cursor* cursor, uint32_t len, uint32_t limit) {
  const uint8_t byte = input[cursor->at];
  cursor->glyph = ' ';
  if (byte == '\n' || byte == '\r') {
    const bool is_pair = byte == '\r' && cursor->at + 1 < len && input[cursor->at + 1] == '\n';
    cursor->at += is_pair ? 2 : 1;
    if (cursor->at < len) next_row(cursor);
    return;
  }
  if (cursor->column == limit) next_row(cursor);
  if (byte == '\t') {
    ++cursor->at;
    cursor->column = (cursor->column / kTabColumns + 1) * kTabColumns;
    if (cursor->column > limit) cursor->column = limit;
    return;
  }
  cursor->glyph = byte - kFirstGlyph < kBoxGlyph - kFirstGlyph ? byte : kBoxGlyph;
  cursor->at += character_len(input + cursor->at, len - cursor->at);
  ++cursor->column;
}

// Paints the glyph black on the rows from `cell` on, which holds the cell's top left pixel.
static void draw_glyph(uint8_t* cell, uint32_t row_bytes, uint8_t glyph) {
  const uint8_t* const rows = glyphs[glyph - kFirstGlyph];
  for (uint32_t y = 0; y < kGlyphRows; ++y) {
    uint8_t* const pixels = cell - (kGlyphTop + y) * row_bytes;
    for (uint32_t x = 0; x < kCellWidth; ++x)
      if (rows[y] & 0x80 >> x) store32(pixels + 4 * x, 0xff000000);
  }
}

RENDER(uint32_t input_len) {
  const uint32_t limit = columns > 0 ? (uint32_t)columns : kMaxColumns;
  uint32_t longest = 1;
  Cursor cursor = {0, 0, 0, ' '};
  while (cursor.at < input_len) {
    step(&cursor, input_len, limit);
    if (cursor.column > longest) longest = cursor.column;
  }
  const uint32_t width = kCellWidth * (columns > 0 ? limit : longest);
  const uint32_t line_height = kCellHeight + (uint32_t)leading;

  uint8_t* const top = begin_bmp(width, (cursor.row + 1) * line_height);
  __builtin_memset(output + kBmpHeaderBytes, 0xff, output_len - kBmpHeaderBytes);
  cursor = (Cursor){0, 0, 0, ' '};
  while (cursor.at < input_len) {
    step(&cursor, input_len, limit);
    if (cursor.glyph == ' ') continue;
    uint8_t* const line = top - cursor.row * line_height * 4 * width;
    draw_glyph(line + (cursor.column - 1) * 4 * kCellWidth, 4 * width, cursor.glyph);
  }
  return output_len;
}
