// Link targets, titles and labels (CommonMark 0.31.2, section 6.3), and link reference definitions
// (section 4.7), which are collected while blocks are read and looked up while links are.
//
// Bounds: kMaxDefinitions definitions, further ones are dropped; a label has at most kMaxLabel
// bytes.
#pragma once

#include "text/markdown/markdown_source.h"

enum { kMaxDefinitions = 16384, kMaxLabel = 999 };

// The text in work: leaf[0..leaf_len).
static const uint8_t* leaf;
static uint32_t leaf_len;

static uint32_t leaf_byte(uint32_t position) {
  return position < leaf_len ? leaf[position] : '\n';
}

static uint32_t leaf_run(uint32_t position, uint32_t byte) {
  uint32_t end = position;
  while (end < leaf_len && leaf[end] == byte) ++end;
  return end - position;
}

static uint32_t skip_white_space(uint32_t position) {
  while (position < leaf_len && is_space(leaf[position])) ++position;
  return position;
}

// Takes "<target>", or bytes without white space and with balanced round brackets.
static bool scan_target(uint32_t* position, Range* target) {
  uint32_t at = *position;
  if (leaf_byte(at) == '<') {
    *target = (Range){at + 1, at + 1};
    for (++at; at < leaf_len && leaf[at] != '>'; ++at) {
      if (leaf[at] == '\n' || leaf[at] == '<') return false;
      if (leaf[at] == '\\' && is_punctuation(leaf_byte(at + 1))) ++at;
    }
    if (at >= leaf_len) return false;
    target->end = at;
    *position = at + 1;
    return true;
  }
  uint32_t open = 0;
  target->start = at;
  for (; at < leaf_len && leaf[at] > ' ' && leaf[at] != 0x7f; ++at) {
    if (leaf[at] == '\\' && is_punctuation(leaf_byte(at + 1))) {
      ++at;
    } else if (leaf[at] == '(') {
      if (++open > 32) return false;
    } else if (leaf[at] == ')') {
      if (open == 0) break;
      --open;
    }
  }
  target->end = *position = at;
  return open == 0;
}

// Takes a title in double, single or round quotes.
static bool scan_title(uint32_t* position, Range* title) {
  const uint32_t open = leaf_byte(*position);
  if (open != '"' && open != '\'' && open != '(') return false;
  const uint32_t close = open == '(' ? ')' : open;
  uint32_t at = *position + 1;
  title->start = at;
  for (; at < leaf_len && leaf[at] != close; ++at) {
    if (open == '(' && leaf[at] == '(') return false;
    if (leaf[at] == '\\' && is_punctuation(leaf_byte(at + 1))) ++at;
  }
  if (at >= leaf_len) return false;
  title->end = at;
  *position = at + 1;
  return true;
}

// Takes "[label]": no brackets inside, at least one byte that is no white space.
static bool scan_label(uint32_t* position, Range* label) {
  if (leaf_byte(*position) != '[') return false;
  const uint32_t start = *position + 1;
  bool has_content = false;
  for (uint32_t at = start; at < leaf_len && at - start <= kMaxLabel; ++at) {
    const uint32_t byte = leaf[at];
    if (byte == '[') return false;
    if (byte == ']') {
      *label = (Range){start, at};
      *position = at + 1;
      return has_content;
    }
    has_content |= !is_space(byte);
    if (byte == '\\' && is_punctuation(leaf_byte(at + 1))) ++at;
  }
  return false;
}

// --- Definitions ---------------------------------------------------------------------------------

// Ranges of `text`.
typedef struct {
  Range label, target, title;
} Definition;

static Definition definitions[kMaxDefinitions];
static uint32_t definition_count;
// By hash of the label, with linear probing: index of a definition plus one. At most half full.
static uint16_t definition_slots[2 * kMaxDefinitions];

// Steps through a label as it is compared: letters in lower case, each white space as one space,
// none at the ends. Returns 0 at its end.
static uint32_t next_label_byte(const uint8_t* bytes, Range* label) {
  if (label->start == label->end) return 0;
  const uint32_t byte = bytes[label->start++];
  if (!is_space(byte)) return to_lower(byte);
  while (label->start < label->end && is_space(bytes[label->start])) ++label->start;
  return label->start < label->end ? ' ' : 0;
}

static Range trim_label_start(const uint8_t* bytes, Range label) {
  while (label.start < label.end && is_space(bytes[label.start])) ++label.start;
  return label;
}

static uint32_t hash_label(const uint8_t* bytes, Range label) {
  uint32_t hash = 2166136261u, byte;  // FNV-1a, with a final mix
  label = trim_label_start(bytes, label);
  while ((byte = next_label_byte(bytes, &label)) != 0) hash = (hash ^ byte) * 16777619u;
  hash ^= hash >> 15;
  return hash * 0x2c1b3c6du;
}

static bool same_label(const uint8_t* one_bytes, Range one, const uint8_t* other_bytes,
                       Range other) {
  one = trim_label_start(one_bytes, one);
  other = trim_label_start(other_bytes, other);
  for (;;) {
    const uint32_t byte = next_label_byte(one_bytes, &one);
    if (byte != next_label_byte(other_bytes, &other)) return false;
    if (byte == 0) return true;
  }
}

// The slot of a label: the one that holds it, or the free one where it belongs.
static uint16_t* find_slot(const uint8_t* bytes, Range label) {
  uint32_t slot = hash_label(bytes, label) >> 16;
  for (;; ++slot) {
    uint16_t* const entry = &definition_slots[slot % (2 * kMaxDefinitions)];
    if (*entry == 0 || same_label(bytes, label, text, definitions[*entry - 1].label)) return entry;
  }
}

static const Definition* find_definition(const uint8_t* bytes, Range label) {
  if (label.end - label.start > kMaxLabel) return NULL;
  const uint16_t entry = *find_slot(bytes, label);
  return entry == 0 ? NULL : &definitions[entry - 1];
}

// The first definition of a label counts.
static void add_definition(Definition definition) {
  if (definition_count == kMaxDefinitions) return;
  uint16_t* const entry = find_slot(text, definition.label);
  if (*entry != 0) return;
  definitions[definition_count++] = definition;
  *entry = (uint16_t)definition_count;
}

static void forget_definitions(void) {
  if (definition_count > 0) __builtin_memset(definition_slots, 0, sizeof definition_slots);
  definition_count = 0;
}

// Takes white space up to the end of the line and the line's end; false if there is more.
static bool scan_line_end(uint32_t* position) {
  uint32_t at = *position;
  while (leaf_byte(at) == ' ' || leaf_byte(at) == '\t') ++at;
  if (leaf_byte(at) != '\n') return false;
  *position = at < leaf_len ? at + 1 : leaf_len;
  return true;
}

// Takes [label]: target "title". A title that does not end its line is none: then the definition
// has to end with its target's line.
static bool scan_definition(uint32_t* position, Definition* definition) {
  uint32_t at = *position;
  if (!scan_label(&at, &definition->label) || leaf_byte(at) != ':') return false;
  at = skip_white_space(at + 1);
  if (at >= leaf_len || !scan_target(&at, &definition->target)) return false;
  if (definition->target.start == at) return false;  // nothing there, not even "<>"
  uint32_t behind = skip_white_space(at);
  if (behind > at && scan_title(&behind, &definition->title) && scan_line_end(&behind)) {
    *position = behind;
    return true;
  }
  definition->title = (Range){0, 0};
  if (!scan_line_end(&at)) return false;
  *position = at;
  return true;
}

static Range shifted(Range range, uint32_t by) {
  return (Range){range.start + by, range.end + by};
}

// Collects the definitions that text[start..start+len) begins with. Returns where they end.
static uint32_t collect_definitions(uint32_t start, uint32_t len) {
  leaf = text + start;
  leaf_len = len;
  uint32_t position = 0;
  for (Definition definition; scan_definition(&position, &definition);) {
    definition.label = shifted(definition.label, start);
    definition.target = shifted(definition.target, start);
    definition.title = shifted(definition.title, start);
    add_definition(definition);
  }
  return start + position;
}
