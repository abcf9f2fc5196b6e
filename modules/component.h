// The component contract as C macros: what a component written in C exports, once, for all of them.
//
// Promises: INPUT_* and OUTPUT_* give a component its buffers and the value exports (as functions)
// that describe them; put() and its relatives append to the output buffer and trap when it is full,
// so an output is complete or there is none.
// Assumes: freestanding C17 for wasm32 with bulk memory (block copies become one instruction).
// A host may call the entry many times on one instance: the entry starts with output_len = 0 and
// keeps no other state between calls.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))

// The buffer the host writes the input to, at most `capacity` bytes.
#define INPUT_BUFFER(kind, capacity)                      \
  static uint8_t input[capacity];                         \
  EXPORT("input_ptr") uint8_t* input_ptr(void) {          \
    return input;                                         \
  }                                                       \
  EXPORT("input_" kind "_cap") uint32_t input_cap(void) { \
    return sizeof input;                                  \
  }
#define INPUT_UTF8(capacity) INPUT_BUFFER("utf8", capacity)
#define INPUT_BYTES(capacity) INPUT_BUFFER("bytes", capacity)

// A component that edits its input where it stands gives the same buffer back.
#define OUTPUT_IS_INPUT_UTF8                            \
  EXPORT("output_ptr") uint8_t* output_ptr(void) {      \
    return input;                                       \
  }                                                     \
  EXPORT("output_utf8_cap") uint32_t output_cap(void) { \
    return sizeof input;                                \
  }

// The buffer the host reads the output from, at most `capacity` bytes, and how to append to it.
#define OUTPUT_BUFFER(kind, capacity)                                                   \
  static uint8_t output[capacity];                                                      \
  static uint32_t output_len;                                                           \
  EXPORT("output_ptr") uint8_t* output_ptr(void) {                                      \
    return output;                                                                      \
  }                                                                                     \
  EXPORT("output_" kind "_cap") uint32_t output_cap(void) {                             \
    return sizeof output;                                                               \
  }                                                                                     \
  __attribute__((unused)) static void put(uint8_t byte) {                               \
    if (output_len == sizeof output) __builtin_trap();                                  \
    output[output_len++] = byte;                                                        \
  }                                                                                     \
  __attribute__((unused)) static void put_bytes(const uint8_t* bytes, uint32_t count) { \
    if (count > sizeof output - output_len) __builtin_trap();                           \
    __builtin_memcpy(output + output_len, bytes, count);                                \
    output_len += count;                                                                \
  }
#define OUTPUT_UTF8(capacity) OUTPUT_BUFFER("utf8", capacity)
#define OUTPUT_BYTES(capacity) OUTPUT_BUFFER("bytes", capacity)

// Appends a string literal without its terminator.
#define put_text(literal) put_bytes((const uint8_t*)(literal), sizeof(literal) - 1)

// The MIME type of what the component produces.
#define OUTPUT_CONTENT_TYPE(type)                                               \
  static const char output_content_type[] = type;                               \
  EXPORT("output_content_type_ptr") const char* output_content_type_ptr(void) { \
    return output_content_type;                                                 \
  }                                                                             \
  EXPORT("output_content_type_size") uint32_t output_content_type_size(void) {  \
    return sizeof output_content_type - 1;                                      \
  }

// The entry: takes the input's byte count, returns the output's.
#define RENDER EXPORT("render") uint32_t render

// Traps unless the condition holds: how a component refuses an input.
static inline void require(bool condition) {
  if (!condition) __builtin_trap();
}

// Numbers in memory, the lowest byte first, at any address.
static inline uint32_t load16(const uint8_t* at) {
  uint16_t value;
  __builtin_memcpy(&value, at, sizeof value);
  return value;
}
static inline uint32_t load32(const uint8_t* at) {
  uint32_t value;
  __builtin_memcpy(&value, at, sizeof value);
  return value;
}
static inline uint64_t load64(const uint8_t* at) {
  uint64_t value;
  __builtin_memcpy(&value, at, sizeof value);
  return value;
}
static inline void store32(uint8_t* at, uint32_t value) {
  __builtin_memcpy(at, &value, sizeof value);
}

static inline bool is_digit(uint32_t c) {
  return c - '0' < 10;
}
static inline bool is_letter(uint32_t c) {
  return (c | 0x20) - 'a' < 26;
}
static inline uint32_t to_lower(uint32_t c) {
  return c - 'A' < 26 ? c | 0x20 : c;
}

// Space, tab, line feed, vertical tab, form feed, carriage return.
static inline bool is_space(uint32_t c) {
  return c == ' ' || c - '\t' < 5;
}

// The value of a hexadecimal digit, or 16 for any other byte.
static inline uint32_t hex_value(uint32_t c) {
  if (is_digit(c)) return c - '0';
  const uint32_t letter = (c | 0x20) - 'a';
  return letter < 6 ? letter + 10 : 16;
}
