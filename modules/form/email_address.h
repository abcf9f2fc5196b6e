// Whether a value is an email address that every mail system takes: a dot-atom (RFC 5322, 3.2.3) of
// at most 64 bytes, `@`, and a domain name of at least two labels (RFC 1123), 254 bytes in all
// (RFC 5321, 4.5.3.1). Quoted local parts, address literals and addresses beyond ASCII are not
// taken.
#pragma once

#include "form/form.h"

enum { kMaxEmailAddress = 254, kMaxLocalPart = 64, kMaxLabel = 63 };

static bool is_atom_byte(uint8_t c) {
  if (is_letter(c) || is_digit(c)) return true;
  static const char others[] = "!#$%&'*+-/=?^_`{|}~";
  for (const char* other = others; *other != 0; ++other) {
    if (c == *other) return true;
  }
  return false;
}

// Atoms with single dots between them.
static bool is_local_part(Text text) {
  if (text.size == 0 || text.size > kMaxLocalPart) return false;
  bool after_dot = true;
  for (uint32_t i = 0; i < text.size; ++i) {
    const bool is_dot = text.bytes[i] == '.';
    if (is_dot ? after_dot : !is_atom_byte(text.bytes[i])) return false;
    after_dot = is_dot;
  }
  return !after_dot;
}

static bool is_label(Text text) {
  if (text.size == 0 || text.size > kMaxLabel) return false;
  if (text.bytes[0] == '-' || text.bytes[text.size - 1] == '-') return false;
  for (uint32_t i = 0; i < text.size; ++i) {
    if (!is_letter(text.bytes[i]) && !is_digit(text.bytes[i]) && text.bytes[i] != '-') return false;
  }
  return true;
}

// Labels with dots between them, at least two, the last one not a number.
static bool is_domain(Text text) {
  uint32_t begin = 0, labels = 0;
  bool has_letter = false;
  for (uint32_t i = 0; i <= text.size; ++i) {
    if (i < text.size && text.bytes[i] != '.') {
      has_letter = has_letter || is_letter(text.bytes[i]);
      continue;
    }
    if (!is_label((Text){text.bytes + begin, i - begin})) return false;
    ++labels;
    begin = i + 1;
    if (i < text.size) has_letter = false;
  }
  return labels >= 2 && has_letter;
}

static bool is_email_address(Text text) {
  uint32_t at = 0;
  while (at < text.size && text.bytes[at] != '@') ++at;
  if (at == text.size) return false;
  return is_local_part((Text){text.bytes, at}) &&
         is_domain((Text){text.bytes + at + 1, text.size - at - 1});
}
