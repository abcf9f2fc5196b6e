// What the parts of the Markdown component share: the limits, the text of the leaf blocks, and
// classes of bytes.
#pragma once

#include "component.h"

enum {
  kMarkdownCap = 512 << 10,
  kTextCap = 2 << 20,  // a tab may turn into three spaces
};

// What the leaf blocks hold, one after the other, without the marks of their containers.
static uint8_t text[kTextCap];
static uint32_t text_len;

// A range of bytes in some text.
typedef struct {
  uint32_t start, end;
} Range;

static bool is_blank_byte(uint32_t byte) {
  return byte == ' ' || byte == '\t';
}

// ASCII punctuation.
static bool is_punctuation(uint32_t byte) {
  return byte - '!' < 15 || byte - ':' < 7 || byte - '[' < 6 || byte - '{' < 4;
}
