// Characters and their writing in HTML: classes of characters, escaping, URLs.
// Assumes: the including component has declared its output buffer.
#pragma once

#include "text/markdown/markdown_source.h"

// --- Classes of characters -----------------------------------------------------------------------

typedef enum { kSpaceChar, kPunctuationChar, kWordChar } CharClass;

typedef struct {
  uint16_t first, last;
} CharRange;

// Punctuation and symbols beyond ASCII (Unicode categories P and S), by the blocks that hold little
// else; single letters in them are of no consequence for emphasis.
static const CharRange punctuation_ranges[] = {
    {0xa1, 0xa9},     {0xab, 0xb1},     {0xb4, 0xb4},     {0xb6, 0xb8},     {0xbb, 0xbb},
    {0xbf, 0xbf},     {0xd7, 0xd7},     {0xf7, 0xf7},     {0x37e, 0x37e},   {0x387, 0x387},
    {0x55a, 0x55f},   {0x589, 0x58a},   {0x5be, 0x5be},   {0x5f3, 0x5f4},   {0x60c, 0x60d},
    {0x61b, 0x61b},   {0x61e, 0x61f},   {0x66a, 0x66d},   {0x6d4, 0x6d4},   {0x964, 0x965},
    {0xe3f, 0xe3f},   {0x2010, 0x2027}, {0x2030, 0x205e}, {0x207a, 0x207e}, {0x208a, 0x208e},
    {0x20a0, 0x20c0}, {0x2100, 0x2101}, {0x2116, 0x2118}, {0x2122, 0x2122}, {0x2190, 0x23ff},
    {0x2500, 0x2775}, {0x2794, 0x2bff}, {0x2e00, 0x2e5d}, {0x3001, 0x3004}, {0x3008, 0x3020},
    {0x3030, 0x3030}, {0x303d, 0x303d}, {0x30a0, 0x30a0}, {0x30fb, 0x30fb}, {0xfe10, 0xfe19},
    {0xfe30, 0xfe6b}, {0xff01, 0xff0f}, {0xff1a, 0xff20}, {0xff3b, 0xff40}, {0xff5b, 0xff65},
    {0xffe0, 0xffee},
};

static CharClass class_of(uint32_t code_point) {
  if (code_point < 0x80) {
    if (is_space(code_point)) return kSpaceChar;
    return is_punctuation(code_point) ? kPunctuationChar : kWordChar;
  }
  if (code_point == 0xa0 || code_point == 0x1680 || code_point - 0x2000 < 11 ||
      code_point == 0x202f || code_point == 0x205f || code_point == 0x3000)
    return kSpaceChar;
  if (code_point - 0x1f300 < 0x800) return kPunctuationChar;  // emoji
  for (uint32_t i = 0; i < sizeof punctuation_ranges / sizeof punctuation_ranges[0]; ++i)
    if (code_point >= punctuation_ranges[i].first && code_point <= punctuation_ranges[i].last)
      return kPunctuationChar;
  return kWordChar;
}

// The code point of the sequence at `at`. Bytes that are no UTF-8 count as themselves.
static uint32_t decode_utf8(const uint8_t* at, uint32_t left) {
  const uint32_t lead = at[0];
  const uint32_t len = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (len == 1 || len > left) return lead;
  uint32_t code_point = lead & (0x7f >> len);
  for (uint32_t i = 1; i < len; ++i) code_point = code_point << 6 | (at[i] & 63);
  return code_point;
}

// The class of the character that begins at `position`; the ends of a text count as white space.
static CharClass class_after(const uint8_t* bytes, uint32_t position, uint32_t len) {
  return position == len ? kSpaceChar : class_of(decode_utf8(bytes + position, len - position));
}

static CharClass class_before(const uint8_t* bytes, uint32_t position) {
  if (position == 0) return kSpaceChar;
  uint32_t start = position - 1;
  while (start > 0 && position - start < 4 && (bytes[start] & 0xc0) == 0x80) --start;
  return class_of(decode_utf8(bytes + start, position - start));
}

// --- HTML ----------------------------------------------------------------------------------------

static void put_escaped(uint8_t byte) {
  switch (byte) {
    case '&':
      put_text("&amp;");
      break;
    case '<':
      put_text("&lt;");
      break;
    case '>':
      put_text("&gt;");
      break;
    case '"':
      put_text("&quot;");
      break;
    case 0:
      put_text("\xef\xbf\xbd");  // CommonMark 2.3: U+FFFD in place of NUL
      break;
    default:
      put(byte);
  }
}

// The length of a character reference at `position` ("&amp;", "&#38;", "&#x26;"), or 0.
static uint32_t reference_len(const uint8_t* bytes, uint32_t position, uint32_t end) {
  uint32_t at = position + 1, limit = 31;
  bool is_number = at < end && bytes[at] == '#', is_hex = false;
  if (is_number) {
    ++at;
    is_hex = at < end && to_lower(bytes[at]) == 'x';
    at += is_hex;
    limit = is_hex ? 6 : 7;
  }
  const uint32_t start = at;
  for (; at < end && at - start < limit; ++at) {
    const uint32_t byte = bytes[at];
    if (is_hex ? hex_value(byte) > 15 : !is_digit(byte) && (is_number || !is_letter(byte))) break;
  }
  return at > start && at < end && bytes[at] == ';' ? at + 1 - position : 0;
}

// Writes an ampersand; a character reference stays one. Returns where to go on.
static uint32_t put_ampersand(const uint8_t* bytes, uint32_t position, uint32_t end) {
  const uint32_t len = reference_len(bytes, position, end);
  if (len == 0) {
    put_escaped('&');
    return position + 1;
  }
  put_bytes(bytes + position, len);
  return position + len;
}

// Writes text in which only backslash escapes and character references have a meaning.
static void put_unescaped(const uint8_t* bytes, uint32_t start, uint32_t end) {
  for (uint32_t at = start; at < end;) {
    if (bytes[at] == '\\' && at + 1 < end && is_punctuation(bytes[at + 1])) {
      put_escaped(bytes[at + 1]);
      at += 2;
    } else if (bytes[at] == '&') {
      at = put_ampersand(bytes, at, end);
    } else {
      put_escaped(bytes[at++]);
    }
  }
}

// --- URLs ----------------------------------------------------------------------------------------

// Writes a byte of a URL into an attribute: what URLs do not hold is percent-encoded.
static void put_url_byte(uint8_t byte) {
  static const char digits[16] = "0123456789ABCDEF";
  if (byte == '&') {
    put_text("&amp;");
  } else if (byte == '\'') {
    put_text("&#x27;");
  } else if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '<' || byte == '>' ||
             byte == '\\' || byte == '^' || byte == '`' || byte == '{' || byte == '|' ||
             byte == '}' || byte == '[' || byte == ']') {
    put('%');
    put((uint8_t)digits[byte >> 4]);
    put((uint8_t)digits[byte & 15]);
  } else {
    put(byte);
  }
}

// Writes a link target. Of the character references only "&amp;" has a meaning in it: no other can
// then hide a scheme from drop_unsafe_url().
static void put_url(const uint8_t* bytes, uint32_t start, uint32_t end) {
  for (uint32_t at = start; at < end;) {
    if (bytes[at] == '\\' && at + 1 < end && is_punctuation(bytes[at + 1])) ++at;
    const bool is_amp = bytes[at] == '&' && end - at >= 5 && bytes[at + 1] == 'a' &&
                        bytes[at + 2] == 'm' && bytes[at + 3] == 'p' && bytes[at + 4] == ';';
    put_url_byte(bytes[at]);
    at += is_amp ? 5 : 1;
  }
}

#define output_begins_with(start, literal) output_begins(start, literal, sizeof(literal) - 1)
static bool output_begins(uint32_t start, const char* prefix, uint32_t len) {
  if (output_len - start < len) return false;
  for (uint32_t i = 0; i < len; ++i)
    if (to_lower(output[start + i]) != (uint8_t)prefix[i]) return false;
  return true;
}

// Takes back the URL written from `start` on when its scheme runs code or opens local files.
static void drop_unsafe_url(uint32_t start) {
  const bool is_image_data =
      output_begins_with(start, "data:image/png") || output_begins_with(start, "data:image/gif") ||
      output_begins_with(start, "data:image/jpeg") || output_begins_with(start, "data:image/webp");
  if (output_begins_with(start, "javascript:") || output_begins_with(start, "vbscript:") ||
      output_begins_with(start, "file:") || (output_begins_with(start, "data:") && !is_image_data))
    output_len = start;
}
