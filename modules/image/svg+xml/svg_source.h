// Reads the source of an SVG file: tags with their attributes, one after the other.
//
// Promises: slices lie within the source; every call moves on, so that reading ends after as many
// calls as there are bytes. Comments, CDATA sections, processing instructions, the document type
// and text are stepped over. A tag that is not well-formed ends the reading as kMalformed.
// Assumes: character references are not needed; attribute values are handed on as they stand.
#pragma once

#include "component.h"

typedef struct {
  const uint8_t* at;
  uint32_t len;
} Slice;

typedef enum { kStartTag, kEndTag, kEndOfSource, kMalformed } TagKind;

typedef struct {
  TagKind kind;
  bool is_empty;     // "<name/>"
  Slice name;        // without a namespace prefix "svg:"
  Slice attributes;  // what stands between the name and the end of the tag
  uint32_t start;    // where the tag begins
  uint32_t end;      // the first byte behind the tag
} Tag;

static inline bool slice_is(Slice slice, const char* text) {
  uint32_t i = 0;
  for (; i < slice.len; ++i)
    if (text[i] == 0 || slice.at[i] != (uint8_t)text[i]) return false;
  return text[i] == 0;
}

// Compares with a text in small letters, without regard to case.
static inline bool slice_is_word(Slice slice, const char* text) {
  uint32_t i = 0;
  for (; i < slice.len; ++i)
    if (text[i] == 0 || to_lower(slice.at[i]) != (uint8_t)text[i]) return false;
  return text[i] == 0;
}

static inline bool has_prefix(Slice slice, const char* text) {
  for (uint32_t i = 0; text[i] != 0; ++i)
    if (i == slice.len || slice.at[i] != (uint8_t)text[i]) return false;
  return true;
}

static inline Slice slice_from(Slice slice, uint32_t start) {
  return (Slice){slice.at + start, slice.len - start};
}

// Where `text` first stands in the slice, or the slice's length.
static inline uint32_t find_text(Slice slice, const char* text) {
  for (uint32_t i = 0; i < slice.len; ++i)
    if (slice.at[i] == (uint8_t)text[0] && has_prefix(slice_from(slice, i), text)) return i;
  return slice.len;
}

static inline bool ends_name(uint32_t c) {
  return is_space(c) || c == '/' || c == '>' || c == '=' || c == '<';
}

static inline bool is_quote(uint32_t c) {
  return c == '"' || c == '\'';
}

// The length of a piece of markup that is no tag, with its end, or 0 where there is none. A piece
// without end takes all that is left. The document type may hold declarations in brackets.
static uint32_t skipped_markup_len(Slice source) {
  static const char* const kinds[][2] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}};
  for (uint32_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
    if (!has_prefix(source, kinds[i][0])) continue;
    Slice rest = slice_from(source, 2);
    rest = slice_from(rest, find_text(rest, kinds[i][1]));
    const uint32_t end = (uint32_t)(rest.at - source.at);
    for (uint32_t len = 0;; ++len)
      if (kinds[i][1][len] == 0 || end + len == source.len) return end + len;
  }
  if (!has_prefix(source, "<!")) return 0;
  bool in_brackets = false;
  for (uint32_t i = 2; i < source.len; ++i) {
    const uint8_t c = source.at[i];
    if (c == '[') in_brackets = true;
    if (c == ']') in_brackets = false;
    if (c == '>' && !in_brackets) return i + 1;
  }
  return source.len;
}

// The next tag at or behind `at`.
static Tag next_tag(Slice source, uint32_t at) {
  Tag tag = {kMalformed, false, {0, 0}, {0, 0}, at, source.len};
  for (;;) {
    while (at < source.len && source.at[at] != '<') ++at;
    const uint32_t skipped = skipped_markup_len(slice_from(source, at));
    if (skipped == 0) break;
    at += skipped;
  }
  tag.start = at;
  if (at == source.len) {
    tag.kind = kEndOfSource;
    return tag;
  }
  ++at;
  const bool is_end = at < source.len && source.at[at] == '/';
  if (is_end) ++at;
  const uint32_t name = at;
  while (at < source.len && !ends_name(source.at[at])) ++at;
  tag.name = (Slice){source.at + name, at - name};
  if (has_prefix(tag.name, "svg:")) tag.name = slice_from(tag.name, 4);
  if (tag.name.len == 0) return tag;

  const uint32_t attributes = at;
  uint8_t quote = 0;
  for (; at < source.len && (quote != 0 || source.at[at] != '>'); ++at) {
    const uint8_t c = source.at[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (is_quote(c)) {
      quote = c;
    } else if (c == '<') {
      return tag;
    }
  }
  if (at == source.len) return tag;
  tag.is_empty = !is_end && at > attributes && source.at[at - 1] == '/';
  tag.attributes = (Slice){source.at + attributes, at - attributes - tag.is_empty};
  tag.end = at + 1;
  tag.kind = is_end ? kEndTag : kStartTag;
  return tag;
}

typedef struct {
  Slice name, value;
} Attribute;

// Takes the next attribute off the head of `attributes`. False at their end, and at whatever is no
// attribute with a quoted value.
static bool next_attribute(Slice* attributes, Attribute* attribute) {
  const uint8_t* at = attributes->at;
  const uint8_t* const end = at + attributes->len;
  while (at < end && is_space(*at)) ++at;
  const uint8_t* const name = at;
  while (at < end && !ends_name(*at)) ++at;
  attribute->name = (Slice){name, (uint32_t)(at - name)};
  while (at < end && is_space(*at)) ++at;
  if (attribute->name.len == 0 || at == end || *at != '=') return false;
  ++at;
  while (at < end && is_space(*at)) ++at;
  if (at == end || !is_quote(*at)) return false;
  const uint8_t quote = *at++;
  const uint8_t* const value = at;
  while (at < end && *at != quote) ++at;
  if (at == end) return false;
  attribute->value = (Slice){value, (uint32_t)(at - value)};
  *attributes = (Slice){at + 1, (uint32_t)(end - at - 1)};
  return true;
}
