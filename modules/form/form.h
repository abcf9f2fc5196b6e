// The Form contract as C: a component that asks for one value after another and at the end has a
// text. What differs from form to form is declared first and defined by the component.
//
// Promises: a value that is refused changes nothing but the error message; a value that is taken
// clears it. What is stored is valid UTF-8 on one line, without control characters and without
// white space at its ends, and not longer than its field allows; so is every message. Assumes: one
// instance fills in one form. Once it is complete the entry gives the same text again.
#pragma once

#include "component.h"

enum { kMaxAnswer = 1024, kMaxFields = 8 };

INPUT_UTF8(kMaxAnswer)

typedef struct {
  const uint8_t* bytes;
  uint32_t size;
} Text;

#define TEXT_PARTS(literal) {(const uint8_t*)(literal), sizeof(literal) - 1}
#define TEXT(literal) ((Text)TEXT_PARTS(literal))

// Whether a field may be left empty.
typedef enum { kRequired, kOptional } Need;

typedef struct {
  Text key;    // stable, for programs
  Text label;  // the prompt
  Text name;   // what messages call it
  uint32_t max_size;
  Need need;
} Field;

#define FIELD(key, label, name, max_size, need) \
  {TEXT_PARTS(key), TEXT_PARTS(label), TEXT_PARTS(name), max_size, need}

// --- Defined by the component --------------------------------------------------------------------

// The fields in their order; null behind the last. At most kMaxFields.
static const Field* field_at(uint32_t number);
// Looks at a value that keeps the promises above and is not empty; returns refuse() or true.
static bool check_value(uint32_t number, Text value);
// Appends the text to the output, which is empty. Every field has its answer.
static void write_text(void);

// --- Answers and messages ------------------------------------------------------------------------

static uint8_t answer_bytes[kMaxFields][kMaxAnswer];
static uint32_t answer_sizes[kMaxFields];
static uint32_t current_field;

static uint8_t message[128];
static uint32_t message_size;

static Text answer(uint32_t number) {
  return (Text){answer_bytes[number], answer_sizes[number]};
}

// Sets the error message to the field's name and `rest`. Returns false.
static bool refuse(Text rest) {
  const Text name = field_at(current_field)->name;
  if (name.size + rest.size > sizeof message) __builtin_trap();
  __builtin_memcpy(message, name.bytes, name.size);
  __builtin_memcpy(message + name.size, rest.bytes, rest.size);
  message_size = name.size + rest.size;
  return false;
}

// --- Values --------------------------------------------------------------------------------------

static Text trimmed(Text text) {
  while (text.size > 0 && is_space(text.bytes[text.size - 1])) --text.size;
  while (text.size > 0 && is_space(*text.bytes)) ++text.bytes, --text.size;
  return text;
}

// The bytes of the UTF-8 sequence that `text` begins with; 0 if it is not valid. Size is not 0.
static uint32_t sequence_size(Text text) {
  const uint8_t first = text.bytes[0];
  if (first < 0x80) return 1;
  const uint32_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (first < 0xC2 || first > 0xF4 || size > text.size) return 0;
  // The second byte decides over forms that are too long, surrogates, and what is beyond U+10FFFF.
  const uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (text.bytes[1] < low || text.bytes[1] > high) return 0;
  for (uint32_t i = 2; i < size; ++i) {
    if ((text.bytes[i] & 0xC0) != 0x80) return 0;
  }
  return size;
}

// U+0000 to U+001F, U+007F to U+009F, and the separators of lines and paragraphs.
static bool is_control(const uint8_t* sequence) {
  if (*sequence < 0x20 || *sequence == 0x7F) return true;
  if (*sequence == 0xC2) return sequence[1] < 0xA0;
  return *sequence == 0xE2 && sequence[1] == 0x80 && (sequence[2] == 0xA8 || sequence[2] == 0xA9);
}

static bool check_characters(Text value) {
  while (value.size > 0) {
    const uint32_t size = sequence_size(value);
    if (size == 0) return refuse(TEXT(" must be valid UTF-8."));
    if (is_control(value.bytes))
      return refuse(TEXT(" must be one line without control characters."));
    value.bytes += size;
    value.size -= size;
  }
  return true;
}

static bool check_answer(const Field* field, Text value) {
  if (value.size == 0) return field->need == kOptional || refuse(TEXT(" is required."));
  if (value.size > field->max_size) return refuse(TEXT(" is too long."));
  return check_characters(value) && check_value(current_field, value);
}

// --- The contract --------------------------------------------------------------------------------

static const Field kNoField;
static const Field* shown_field(void) {
  const Field* field = field_at(current_field);
  return field != NULL ? field : &kNoField;
}

EXPORT("input_key_ptr") const uint8_t* input_key_ptr(void) {
  return shown_field()->key.bytes;
}
EXPORT("input_key_size") uint32_t input_key_size(void) {
  return shown_field()->key.size;
}
EXPORT("input_label_ptr") const uint8_t* input_label_ptr(void) {
  return shown_field()->label.bytes;
}
EXPORT("input_label_size") uint32_t input_label_size(void) {
  return shown_field()->label.size;
}
EXPORT("error_message_ptr") const uint8_t* error_message_ptr(void) {
  return message;
}
EXPORT("error_message_size") uint32_t error_message_size(void) {
  return message_size;
}

// Four times as much as all answers, for escapes and folds.
OUTPUT_UTF8(4 * kMaxFields * kMaxAnswer)

RENDER(uint32_t input_len) {
  const Field* field = field_at(current_field);
  message_size = 0;
  if (field == NULL) return output_len;
  const Text value = trimmed((Text){input, input_len});
  if (!check_answer(field, value)) return 0;
  __builtin_memcpy(answer_bytes[current_field], value.bytes, value.size);
  answer_sizes[current_field] = value.size;
  ++current_field;
  if (field_at(current_field) == NULL) write_text();
  return output_len;
}
