// Gives an SVG file a colour: `currentColor`, where it is the value of a property that paints,
// becomes the colour of the uniform `color_rgba`, 0xRRGGBBAA (0x000000ff, opaque black).
//
// The properties are fill, stroke, stop-color, flood-color and lighting-color, as attributes, in
// style attributes and in style sheets. The colour is written as `#rrggbb`, with two more digits
// where it is not opaque. Everything else, text and comments included, stays as it is, and so does
// all that follows a tag that is not well-formed. Input up to 4 MiB.
#include "image/svg+xml/svg_source.h"

INPUT_UTF8(4 << 20)
OUTPUT_UTF8(4 << 20)
OUTPUT_CONTENT_TYPE("image/svg+xml")

static uint32_t color = 0x000000ff;

EXPORT("uniform_set_color_rgba") uint32_t uniform_set_color_rgba(uint32_t value) {
  return color = value;
}

// How much of the input is written already.
static uint32_t copied;

static void copy_until(uint32_t end) {
  put_bytes(input + copied, end - copied);
  copied = end;
}

static void put_color(void) {
  put('#');
  for (uint32_t shift = 28, digits = (color & 0xff) == 0xff ? 6 : 8; digits > 0; --digits) {
    put((uint8_t)"0123456789abcdef"[color >> shift & 15]);
    shift -= 4;
  }
}

static bool is_word_byte(uint32_t c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c >= 0x80;
}

// The length of the word at the head of the slice.
static uint32_t word_len(Slice slice) {
  uint32_t len = 0;
  while (len < slice.len && is_word_byte(slice.at[len])) ++len;
  return len;
}

static bool paints(Slice property) {
  return slice_is_word(property, "fill") || slice_is_word(property, "stroke") ||
         slice_is_word(property, "stop-color") || slice_is_word(property, "flood-color") ||
         slice_is_word(property, "lighting-color");
}

// Replaces the word in a value of a property.
static void recolor_value(Slice value) {
  for (uint32_t i = 0; i < value.len;) {
    const Slice word = {value.at + i, word_len(slice_from(value, i))};
    if (slice_is_word(word, "currentcolor")) {
      copy_until((uint32_t)(word.at - input));
      put_color();
      copied += word.len;
    }
    // A fragment such as url(#currentColor) is a name, not a word.
    i += word.len > 0 ? word.len : value.at[i] == '#' ? 1 + word_len(slice_from(value, i + 1)) : 1;
  }
}

// Declarations "property: value" wherever they stand: a style attribute, or a style sheet between
// its braces.
static void recolor_declarations(Slice css) {
  for (uint32_t i = 0; i < css.len;) {
    const Slice rest = slice_from(css, i);
    if (has_prefix(rest, "/*")) {
      i += find_text(slice_from(rest, 2), "*/") + 2;
      continue;
    }
    const Slice property = {rest.at, word_len(rest)};
    i += property.len > 0 ? property.len : 1;
    if (!paints(property)) continue;
    while (i < css.len && is_space(css.at[i])) ++i;
    if (i == css.len || css.at[i] != ':') continue;
    const uint32_t start = ++i;
    while (i < css.len && css.at[i] != ';' && css.at[i] != '}') ++i;
    recolor_value((Slice){css.at + start, i - start});
  }
}

static void recolor_tag(const Tag* tag) {
  Slice attributes = tag->attributes;
  Attribute attribute;
  while (next_attribute(&attributes, &attribute)) {
    if (slice_is(attribute.name, "style"))
      recolor_declarations(attribute.value);
    else if (paints(attribute.name))
      recolor_value(attribute.value);
  }
}

RENDER(uint32_t input_len) {
  output_len = 0;
  copied = 0;
  const Slice source = {input, input_len};
  for (uint32_t at = 0;;) {
    const Tag tag = next_tag(source, at);
    if (tag.kind == kEndOfSource || tag.kind == kMalformed) break;
    at = tag.end;
    if (tag.kind == kEndTag) continue;
    recolor_tag(&tag);
    if (tag.is_empty || !slice_is(tag.name, "style")) continue;
    const Slice rest = slice_from(source, at);
    const Slice sheet = {rest.at, find_text(rest, "</")};
    recolor_declarations(sheet);
    at += sheet.len;
  }
  copy_until(input_len);
  return output_len;
}
