// A business card as a vCard 4.0 (RFC 6350), after asking for the business, the contact's name, job
// title, email address, telephone number and web site. The title, the number and the site may be
// left empty; their lines are missing then.
#include "form/content_lines.h"
#include "form/email_address.h"
#include "form/form.h"

enum { kBusiness, kContact, kTitle, kEmail, kPhone, kWebsite, kFieldCount };

static const Field kFields[kFieldCount] = {
    FIELD("business_name", "Business name", "Business name", 256, kRequired),
    FIELD("contact_name", "Contact full name", "Contact full name", 256, kRequired),
    FIELD("job_title", "Job title", "Job title", 256, kOptional),
    FIELD("email", "Email address", "Email address", kMaxEmailAddress, kRequired),
    FIELD("phone", "Phone number", "Phone number", 64, kOptional),
    FIELD("website", "Website URL", "Website URL", kMaxAnswer, kOptional),
};

static const Field* field_at(uint32_t number) {
  return number < kFieldCount ? &kFields[number] : NULL;
}

// 3 to 15 digits (ITU-T E.164), with the usual signs between them and a `+` only in front.
static bool is_phone_number(Text text) {
  uint32_t digits = 0;
  for (uint32_t i = 0; i < text.size; ++i) {
    const uint8_t c = text.bytes[i];
    if (is_digit(c)) {
      ++digits;
    } else if (c == '+' ? i > 0 : c != ' ' && c != '-' && c != '.' && c != '(' && c != ')') {
      return false;
    }
  }
  return digits >= 3 && digits <= 15;
}

static bool starts_with(Text text, Text prefix) {
  if (text.size < prefix.size) return false;
  for (uint32_t i = 0; i < prefix.size; ++i) {
    if (to_lower(text.bytes[i]) != prefix.bytes[i]) return false;
  }
  return true;
}

// What RFC 3986 lets stand in a URI, percent escapes whole.
static bool has_uri_characters(Text text) {
  static const char others[] = "-._~:/?#[]@!$&'()*+,;=";
  for (uint32_t i = 0; i < text.size; ++i) {
    const uint8_t c = text.bytes[i];
    if (is_letter(c) || is_digit(c)) continue;
    if (c == '%') {
      if (text.size - i < 3 || hex_value(text.bytes[i + 1]) > 15 ||
          hex_value(text.bytes[i + 2]) > 15)
        return false;
      continue;
    }
    const char* other = others;
    while (*other != 0 && *other != c) ++other;
    if (*other == 0) return false;
  }
  return true;
}

static bool check_website(Text value) {
  const bool is_secure = starts_with(value, TEXT("https://"));
  if (!is_secure && !starts_with(value, TEXT("http://")))
    return refuse(TEXT(" must start with http:// or https://"));
  const Text rest = {value.bytes + (is_secure ? 8 : 7), value.size - (is_secure ? 8 : 7)};
  // A host begins with a letter, a digit, or the bracket of an address.
  const bool has_host =
      rest.size > 0 && (is_letter(*rest.bytes) || is_digit(*rest.bytes) || *rest.bytes == '[');
  return (has_host && has_uri_characters(rest)) || refuse(TEXT(" is invalid."));
}

static bool check_value(uint32_t number, Text value) {
  switch (number) {
    case kEmail:
      return is_email_address(value) || refuse(TEXT(" is invalid."));
    case kPhone:
      return is_phone_number(value) || refuse(TEXT(" is invalid."));
    case kWebsite:
      return check_website(value);
    default:
      return true;
  }
}

static void write_text(void) {
  put_line(TEXT("BEGIN:VCARD"));
  put_line(TEXT("VERSION:4.0"));
  put_text_line(TEXT("FN:"), answer(kContact));
  put_text_line(TEXT("ORG:"), answer(kBusiness));
  if (answer(kTitle).size > 0) put_text_line(TEXT("TITLE:"), answer(kTitle));
  put_text_line(TEXT("EMAIL;TYPE=work:"), answer(kEmail));
  if (answer(kPhone).size > 0) put_text_line(TEXT("TEL;TYPE=work,voice:"), answer(kPhone));
  if (answer(kWebsite).size > 0) {
    put_plain(TEXT("URL:"));
    put_line(answer(kWebsite));
  }
  put_line(TEXT("END:VCARD"));
}
