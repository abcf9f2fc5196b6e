// Content lines as vCard (RFC 6350, 3.2 to 3.4) and iCalendar (RFC 5545, 3.1 and 3.3.11) have them:
// lines that end in CRLF, folded so that none is longer than 75 bytes, text values with escapes.
// A fold never divides a character or an escape.
#pragma once

#include "form/form.h"

enum { kMaxLine = 75 };

static uint32_t line_size;  // bytes of the line that is being written

// Appends bytes that belong together, at most kMaxLine - 1.
static void put_unit(const uint8_t* bytes, uint32_t size) {
  if (line_size + size > kMaxLine) {
    put_text("\r\n ");
    line_size = 1;
  }
  put_bytes(bytes, size);
  line_size += size;
}

// Appends a value that has no escapes, such as a URI.
static void put_plain(Text text) {
  while (text.size > 0) {
    const uint32_t size = sequence_size(text);
    put_unit(text.bytes, size);
    text.bytes += size;
    text.size -= size;
  }
}

// Appends a text value. It is one line, so there is no newline to escape.
static void put_escaped(Text text) {
  while (text.size > 0) {
    const uint8_t first = text.bytes[0];
    const uint8_t escape[2] = {'\\', first};
    const bool is_special = first == '\\' || first == ';' || first == ',';
    const uint32_t size = sequence_size(text);
    put_unit(is_special ? escape : text.bytes, is_special ? 2 : size);
    text.bytes += size;
    text.size -= size;
  }
}

static void end_line(void) {
  put_text("\r\n");
  line_size = 0;
}

static void put_line(Text text) {
  put_plain(text);
  end_line();
}

// A line `name:value`; `name` ends with the colon.
static void put_text_line(Text name, Text value) {
  put_plain(name);
  put_escaped(value);
  end_line();
}
