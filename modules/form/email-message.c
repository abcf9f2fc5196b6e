// A message of greeting as mail programs take it (RFC 5322), after asking for a first name and an
// email address.
//
// Promises: lines end in LF and have at most 998 bytes; a name beyond ASCII becomes encoded words
// (RFC 2047) in the headers, and the body then says that it is UTF-8. The headers Date and
// Message-ID are missing, because there is no clock here: the mail system that sends the message
// adds them (RFC 6409, 8.3).
#include "form/email_address.h"
#include "form/form.h"

enum { kFirstName, kEmail, kFieldCount };

static const Field kFields[kFieldCount] = {
    FIELD("first_name", "First name", "First name", 120, kRequired),
    FIELD("email", "Email address", "Email address", kMaxEmailAddress, kRequired),
};

static const Field* field_at(uint32_t number) {
  return number < kFieldCount ? &kFields[number] : NULL;
}

static bool check_value(uint32_t number, Text value) {
  if (number == kEmail && !is_email_address(value)) return refuse(TEXT(" is invalid."));
  return true;
}

// --- Headers -------------------------------------------------------------------------------------

enum { kMaxHeaderLine = 76 };

static uint32_t line_begin;  // where the line that is being written begins in the output

static uint32_t column(void) {
  return output_len - line_begin;
}

static void put_value(Text text) {
  put_bytes(text.bytes, text.size);
}

static void put_newline(void) {
  put('\n');
  line_begin = output_len;
}

// The white space before `size` bytes, on a new line if they do not fit on this one.
static void put_folding_space(uint32_t size) {
  if (column() + 1 + size > kMaxHeaderLine) put_newline();
  put(' ');
}

static bool is_ascii(Text text) {
  for (uint32_t i = 0; i < text.size; ++i) {
    if (text.bytes[i] >= 0x80) return false;
  }
  return true;
}

// Beyond ASCII, or what a reader would take for an encoded word.
static bool needs_encoding(Text text) {
  for (uint32_t i = 0; i + 1 < text.size; ++i) {
    if (text.bytes[i] == '=' && text.bytes[i + 1] == '?') return true;
  }
  return !is_ascii(text);
}

static void put_base64(Text text) {
  static const char digits[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (uint32_t i = 0; i < text.size; i += 3) {
    const uint32_t left = text.size - i;
    const uint32_t second = left > 1 ? text.bytes[i + 1] : 0;
    const uint32_t third = left > 2 ? text.bytes[i + 2] : 0;
    const uint32_t group = (uint32_t)text.bytes[i] << 16 | second << 8 | third;
    put(digits[group >> 18]);
    put(digits[group >> 12 & 63]);
    put(left > 1 ? digits[group >> 6 & 63] : '=');
    put(left > 2 ? digits[group & 63] : '=');
  }
}

// Encoded words of whole characters, as many as it takes, one a line.
static void put_encoded_words(Text text) {
  const uint32_t around = (sizeof "=?UTF-8?B?" - 1) + (sizeof "?=" - 1);
  while (text.size > 0) {
    const uint32_t room = (kMaxHeaderLine - column() - around) / 4 * 3;
    Text word = {text.bytes, 0};
    while (word.size < text.size) {
      const Text rest = {text.bytes + word.size, text.size - word.size};
      if (word.size + sequence_size(rest) > room) break;
      word.size += sequence_size(rest);
    }
    put_text("=?UTF-8?B?");
    put_base64(word);
    put_text("?=");
    text.bytes += word.size;
    text.size -= word.size;
    if (text.size > 0) {
      put_newline();
      put(' ');
    }
  }
}

static void put_quoted(Text text) {
  put('"');
  for (uint32_t i = 0; i < text.size; ++i) {
    if (text.bytes[i] == '"' || text.bytes[i] == '\\') put('\\');
    put(text.bytes[i]);
  }
  put('"');
}

static void put_recipient(Text name, Text address) {
  put_text("To: ");
  if (needs_encoding(name)) {
    put_encoded_words(name);
  } else {
    put_quoted(name);
  }
  put_folding_space(address.size + 2);
  put('<');
  put_value(address);
  put('>');
  put_newline();
}

static void put_subject(Text name) {
  put_text("Subject: Welcome,");
  if (needs_encoding(name)) {
    put(' ');
    put_encoded_words(name);
  } else {
    put_folding_space(name.size);
    put_value(name);
  }
  put_newline();
}

static void write_text(void) {
  const Text name = answer(kFirstName), address = answer(kEmail);
  put_text("From: no-reply@example.com");
  put_newline();
  put_recipient(name, address);
  put_subject(name);
  if (!is_ascii(name)) {
    put_text(
        "MIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=UTF-8\n"
        "Content-Transfer-Encoding: 8bit\n");
  }
  put_text("\nHi ");
  put_value(name);
  put_text(",\n\nWelcome! From now on you will hear from us at\n");
  put_value(address);
  put_text("\n\nBest wishes,\nqip\n");
}
