// Lists the links of an HTML page: for each <a> with an href one line with its URL, one space, and
// its text. Character references are decoded; white space in the text is collapsed, and an image
// counts with its alternative text. A URL holds no white space: it is trimmed, line breaks and tabs
// are dropped, and what else is left is percent-encoded (URL standard, section 4.4).
// Input up to 4 MiB. The output is at most three times as long, so it always fits.
#include "text/html/html_tokens.h"

enum { kPageCap = 4 << 20 };

INPUT_UTF8(kPageCap)
OUTPUT_UTF8(3 * kPageCap + 16)
OUTPUT_CONTENT_TYPE("text/plain")

// --- Character references (HTML standard, section 13.2.5.72) -------------------------------------

typedef struct {
  char name[8];
  uint16_t code_point;
} NamedReference;

// The names that occur in link texts and URLs of real pages. Others stay as written.
static const NamedReference named_references[] = {
    {"amp", '&'},      {"lt", '<'},        {"gt", '>'},        {"quot", '"'},
    {"apos", '\''},    {"nbsp", 0xa0},     {"copy", 0xa9},     {"reg", 0xae},
    {"trade", 0x2122}, {"hellip", 0x2026}, {"mdash", 0x2014},  {"ndash", 0x2013},
    {"lsquo", 0x2018}, {"rsquo", 0x2019},  {"ldquo", 0x201c},  {"rdquo", 0x201d},
    {"laquo", 0xab},   {"raquo", 0xbb},    {"lsaquo", 0x2039}, {"rsaquo", 0x203a},
    {"larr", 0x2190},  {"rarr", 0x2192},   {"uarr", 0x2191},   {"darr", 0x2193},
    {"middot", 0xb7},  {"bull", 0x2022},   {"times", 0xd7},    {"deg", 0xb0},
    {"sect", 0xa7},    {"para", 0xb6},     {"euro", 0x20ac},   {"pound", 0xa3},
    {"yen", 0xa5},     {"frac12", 0xbd},   {"plusmn", 0xb1},   {"shy", 0xad},
    {"auml", 0xe4},    {"ouml", 0xf6},     {"uuml", 0xfc},     {"Auml", 0xc4},
    {"Ouml", 0xd6},    {"Uuml", 0xdc},     {"szlig", 0xdf},    {"eacute", 0xe9},
    {"egrave", 0xe8},  {"agrave", 0xe0},   {"ccedil", 0xe7},   {"ntilde", 0xf1},
    {"oslash", 0xf8},  {"aring", 0xe5},    {"aelig", 0xe6},    {"zwnj", 0x200c},
    {"zwj", 0x200d},   {"ensp", 0x2002},   {"emsp", 0x2003},   {"thinsp", 0x2009},
    {"lbrace", '{'},   {"rbrace", '}'},    {"lpar", '('},      {"rpar", ')'},
    {"sol", '/'},      {"colon", ':'},     {"num", '#'},       {"quest", '?'},
    {"equals", '='},   {"percnt", '%'},    {"comma", ','},     {"period", '.'},
};

static uint32_t named_code_point(Bytes name) {
  const uint32_t len = (uint32_t)(name.end - name.at);
  for (uint32_t i = 0; i < sizeof named_references / sizeof named_references[0]; ++i) {
    const char* candidate = named_references[i].name;
    uint32_t same = 0;
    while (same < len && same < 8 && (uint8_t)candidate[same] == name.at[same]) ++same;
    if (same == len && (len == 8 || candidate[len] == '\0')) return named_references[i].code_point;
  }
  return 0;
}

// Takes a reference that begins at "&" and ends with ";", and returns its code point; or returns 0
// and takes nothing.
static uint32_t take_reference(Bytes* rest) {
  const uint8_t* at = rest->at + 1;
  uint32_t code_point = 0;
  if (at < rest->end && *at == '#') {
    ++at;
    const bool is_hex = at < rest->end && to_lower(*at) == 'x';
    at += is_hex;
    const uint8_t* const digits = at;
    // The value stops growing when it is beyond Unicode, so it cannot overflow.
    for (; at < rest->end && (is_hex ? hex_value(*at) < 16 : is_digit(*at)); ++at)
      if (code_point < 0x110000) code_point = code_point * (is_hex ? 16 : 10) + hex_value(*at);
    if (at == digits) return 0;
    if (code_point == 0 || code_point - 0xd800 < 0x800 || code_point > 0x10ffff)
      code_point = 0xfffd;
  } else {
    const uint8_t* const name = at;
    while (at < rest->end && at - name < 8 && (is_letter(*at) || is_digit(*at))) ++at;
    code_point = named_code_point((Bytes){name, at});
  }
  if (code_point == 0 || at == rest->end || *at != ';') return 0;
  rest->at = at + 1;
  return code_point;
}

// --- The two parts of a line ---------------------------------------------------------------------

typedef void (*ByteSink)(uint8_t byte);

static uint32_t part_start;      // where the open part begins in the output
static uint32_t pending_spaces;  // white space that is written when something follows

static void begin_part(void) {
  part_start = output_len;
  pending_spaces = 0;
}

static void put_percent(uint8_t byte) {
  static const char digits[16] = "0123456789ABCDEF";
  put('%');
  put((uint8_t)digits[byte >> 4]);
  put((uint8_t)digits[byte & 15]);
}

static void put_url_byte(uint8_t byte) {
  if (byte == '\t' || byte == '\n' || byte == '\r') return;
  if (byte == ' ') {
    pending_spaces += output_len > part_start;
    return;
  }
  for (; pending_spaces > 0; --pending_spaces) put_text("%20");
  if (byte < 0x20 || byte == 0x7f)
    put_percent(byte);
  else
    put(byte);
}

static void put_text_byte(uint8_t byte) {
  if (is_space(byte)) {
    pending_spaces = output_len > part_start;
    return;
  }
  if (byte < 0x20 || byte == 0x7f) return;  // no control characters into a list for people
  if (pending_spaces > 0) put(' ');
  pending_spaces = 0;
  put(byte);
}

static void put_code_point(uint32_t code_point, ByteSink sink) {
  if (code_point < 0x80) {
    sink((uint8_t)code_point);
    return;
  }
  if (code_point < 0x800) {
    sink((uint8_t)(0xc0 | code_point >> 6));
  } else {
    if (code_point < 0x10000) {
      sink((uint8_t)(0xe0 | code_point >> 12));
    } else {
      sink((uint8_t)(0xf0 | code_point >> 18));
      sink((uint8_t)(0x80 | (code_point >> 12 & 63)));
    }
    sink((uint8_t)(0x80 | (code_point >> 6 & 63)));
  }
  sink((uint8_t)(0x80 | (code_point & 63)));
}

static void put_decoded(Bytes text, ByteSink sink) {
  while (text.at < text.end) {
    const uint32_t code_point = *text.at == '&' ? take_reference(&text) : 0;
    if (code_point != 0)
      put_code_point(code_point, sink);
    else
      sink(*text.at++);
  }
}

// --- Links ---------------------------------------------------------------------------------------

// Elements that separate words, as a browser shows them.
static bool is_break(Bytes name) {
  return is_name(name, "br") || is_name(name, "p") || is_name(name, "div") || is_name(name, "li") ||
         is_name(name, "td") || is_name(name, "tr") ||
         (name.end - name.at == 2 && to_lower(name.at[0]) == 'h' && name.at[1] - '1' < 6u);
}

static void end_link(bool* in_link) {
  if (*in_link) put('\n');
  *in_link = false;
}

static void begin_link(const HtmlToken* token, bool* in_link) {
  Bytes url;
  end_link(in_link);  // links do not nest
  if (!find_attribute(token, "href", &url)) return;
  begin_part();
  put_decoded(url, put_url_byte);
  put(' ');
  begin_part();
  *in_link = true;
}

static void put_link_content(const HtmlToken* token) {
  Bytes alternative;
  if (token->kind == kHtmlText) {
    if (!token->is_raw) put_decoded(token->text, put_text_byte);
  } else if (token->kind != kHtmlComment) {
    if (is_break(token->name)) put_text_byte(' ');
    if (token->kind == kHtmlStartTag && is_name(token->name, "img") &&
        find_attribute(token, "alt", &alternative))
      put_decoded(alternative, put_text_byte);
  }
}

RENDER(uint32_t input_len) {
  output_len = 0;
  bool in_link = false;
  HtmlScanner scanner = {{input, input + input_len}, {0, 0}};
  for (HtmlToken token; next_token(&scanner, &token);) {
    if (token.kind == kHtmlStartTag && is_name(token.name, "a"))
      begin_link(&token, &in_link);
    else if (token.kind == kHtmlEndTag && is_name(token.name, "a"))
      end_link(&in_link);
    else if (in_link)
      put_link_content(&token);
  }
  end_link(&in_link);
  return output_len;
}
