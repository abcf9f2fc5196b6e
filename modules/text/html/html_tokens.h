// Splits HTML into text, tags and comments, as far as tools that read pages need it: the tokenizer
// states of the HTML standard (section 13.2.5) for tags, attributes, comments and the elements
// whose content is not markup. Any bytes are accepted; the time is linear in them.
//
// Tokens and attributes are ranges of the given bytes: nothing is copied or changed.
#pragma once

#include "component.h"

typedef struct {
  const uint8_t* at;
  const uint8_t* end;
} Bytes;

typedef enum { kHtmlText, kHtmlStartTag, kHtmlEndTag, kHtmlComment } HtmlTokenKind;

typedef struct {
  HtmlTokenKind kind;
  Bytes name;        // of a tag, as written
  Bytes attributes;  // of a start tag: what stands between its name and its end
  Bytes text;        // of a text token
  bool is_raw;       // of a text token: content of a script, a style or the like
} HtmlToken;

typedef struct {
  Bytes rest;      // what is not read yet
  Bytes raw_name;  // the open element whose content is not markup; empty for none
} HtmlScanner;

typedef struct {
  Bytes name;
  Bytes value;  // without its quotes
} HtmlAttribute;

// Equal to a lower-case literal, in any letter case.
#define is_name(bytes, literal) name_equals(bytes, literal, sizeof(literal) - 1)
static bool name_equals(Bytes name, const char* literal, uint32_t len) {
  if ((uint32_t)(name.end - name.at) != len) return false;
  for (uint32_t i = 0; i < len; ++i)
    if (to_lower(name.at[i]) != (uint8_t)literal[i]) return false;
  return true;
}

static bool same_name(const uint8_t* at, Bytes name) {
  for (uint32_t i = 0; name.at + i < name.end; ++i)
    if (to_lower(at[i]) != to_lower(name.at[i])) return false;
  return true;
}

static bool is_raw_element(Bytes name) {
  return is_name(name, "script") || is_name(name, "style") || is_name(name, "title") ||
         is_name(name, "textarea") || is_name(name, "xmp") || is_name(name, "iframe") ||
         is_name(name, "noembed") || is_name(name, "noframes");
}

static bool ends_tag_name(uint32_t byte) {
  return is_space(byte) || byte == '/' || byte == '>';
}

static Bytes take_until_tag_name_end(Bytes* rest) {
  Bytes name = {rest->at, rest->at};
  while (name.end < rest->end && !ends_tag_name(*name.end)) ++name.end;
  rest->at = name.end;
  return name;
}

// Takes the next attribute; false at the end of the tag, where `rest` stands at its ">" or at the
// end of the bytes.
static bool next_attribute(Bytes* rest, HtmlAttribute* attribute) {
  while (rest->at < rest->end && (is_space(*rest->at) || *rest->at == '/')) ++rest->at;
  if (rest->at == rest->end || *rest->at == '>') return false;
  attribute->name = (Bytes){rest->at, rest->at + 1};  // a leading "=" is part of the name
  while (attribute->name.end < rest->end && !ends_tag_name(*attribute->name.end) &&
         *attribute->name.end != '=')
    ++attribute->name.end;
  rest->at = attribute->name.end;
  attribute->value = (Bytes){rest->at, rest->at};

  const uint8_t* at = rest->at;
  while (at < rest->end && is_space(*at)) ++at;
  if (at == rest->end || *at != '=') return true;
  ++at;
  while (at < rest->end && is_space(*at)) ++at;
  if (at < rest->end && (*at == '"' || *at == '\'')) {
    const uint8_t quote = *at++;
    attribute->value = (Bytes){at, at};
    while (attribute->value.end < rest->end && *attribute->value.end != quote)
      ++attribute->value.end;
    rest->at = attribute->value.end + (attribute->value.end < rest->end);
  } else {
    attribute->value = (Bytes){at, at};
    while (attribute->value.end < rest->end && !is_space(*attribute->value.end) &&
           *attribute->value.end != '>')
      ++attribute->value.end;
    rest->at = attribute->value.end;
  }
  return true;
}

// Moves `rest` behind the next occurrence of the mark, or to the end.
#define skip_past(rest, literal) skip_past_mark(rest, literal, sizeof(literal) - 1)
static void skip_past_mark(Bytes* rest, const char* mark, uint32_t len) {
  for (; (uint32_t)(rest->end - rest->at) >= len; ++rest->at) {
    uint32_t same = 0;
    while (same < len && rest->at[same] == (uint8_t)mark[same]) ++same;
    if (same == len) {
      rest->at += len;
      return;
    }
  }
  rest->at = rest->end;
}

// `rest` stands at the "<" of a tag. An unfinished tag at the end of the bytes is dropped, as
// browsers do.
static bool take_tag(HtmlScanner* scanner, HtmlToken* token) {
  Bytes* const rest = &scanner->rest;
  const bool is_end = rest->at[1] == '/';
  rest->at += is_end ? 2 : 1;
  token->kind = is_end ? kHtmlEndTag : kHtmlStartTag;
  token->name = take_until_tag_name_end(rest);
  token->attributes.at = rest->at;
  HtmlAttribute attribute;
  while (next_attribute(rest, &attribute)) {
  }
  token->attributes.end = rest->at;
  if (rest->at == rest->end) return false;
  ++rest->at;
  if (!is_end && is_raw_element(token->name)) scanner->raw_name = token->name;
  return true;
}

// `rest` stands at "<!", "<?" or "</" that begins no tag.
static bool take_comment(Bytes* rest, HtmlToken* token) {
  token->kind = kHtmlComment;
  const uint8_t* const at = rest->at;
  if (rest->end - at >= 4 && at[1] == '!' && at[2] == '-' && at[3] == '-') {
    rest->at += 2;  // "<!-->" is whole: the hyphens may belong to both ends
    skip_past(rest, "-->");
  } else {
    skip_past(rest, ">");
  }
  return true;
}

// Text up to the next "<" that begins something else. The first byte is text in any case.
static bool take_text(Bytes* rest, HtmlToken* token) {
  const uint8_t* at = rest->at + 1;
  while (at < rest->end && *at != '<') ++at;
  token->kind = kHtmlText;
  token->text = (Bytes){rest->at, at};
  token->is_raw = false;
  rest->at = at;
  return true;
}

// The content of scanner->raw_name: everything up to its end tag, or to the end.
static bool take_raw_text(HtmlScanner* scanner, HtmlToken* token) {
  const Bytes rest = scanner->rest;
  const Bytes name = scanner->raw_name;
  const uint32_t name_len = (uint32_t)(name.end - name.at);
  const uint8_t* at = rest.at;
  for (; at < rest.end; ++at) {
    if (*at == '<' && (uint32_t)(rest.end - at) > name_len + 2 && at[1] == '/' &&
        same_name(at + 2, name) && ends_tag_name(at[2 + name_len]))
      break;
  }
  token->kind = kHtmlText;
  token->text = (Bytes){rest.at, at};
  token->is_raw = true;
  scanner->rest.at = at;
  scanner->raw_name = (Bytes){0, 0};
  return true;
}

// Takes the next token; false at the end. Every token takes at least one byte, except the text of
// an element with raw text, which may be empty once for each such tag.
static bool next_token(HtmlScanner* scanner, HtmlToken* token) {
  Bytes* const rest = &scanner->rest;
  if (scanner->raw_name.at != scanner->raw_name.end) return take_raw_text(scanner, token);
  if (rest->at == rest->end) return false;
  if (*rest->at != '<' || rest->end - rest->at < 2) return take_text(rest, token);
  const uint32_t next = rest->at[1];
  if (is_letter(next)) return take_tag(scanner, token);
  if (next == '/' && rest->end - rest->at > 2 && is_letter(rest->at[2]))
    return take_tag(scanner, token);
  if (next == '!' || next == '?' || (next == '/' && rest->end - rest->at > 2))
    return take_comment(rest, token);
  return take_text(rest, token);
}

// The first attribute of that name, or false.
#define find_attribute(token, literal, value) \
  find_attribute_named(token, literal, sizeof(literal) - 1, value)
__attribute__((unused)) static bool find_attribute_named(const HtmlToken* token, const char* name,
                                                         uint32_t len, Bytes* value) {
  Bytes rest = token->attributes;
  HtmlAttribute attribute;
  while (next_attribute(&rest, &attribute)) {
    if (!name_equals(attribute.name, name, len)) continue;
    *value = attribute.value;
    return true;
  }
  return false;
}
