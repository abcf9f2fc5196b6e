// Escaping works on whole UTF-8 sequences: a C1 control or a direction override is two or three
// bytes, and a byte of a broken sequence must not join the text that follows. One pass, no tables.
#include "host/text.hpp"

#include <cctype>
#include <cstdio>
#include <cstring>

namespace qip {
namespace {

struct Utf8Unit {
  uint32_t code_point = 0;
  size_t length = 0;  // 0: not UTF-8 here
};

// Source: RFC 3629, section 4: overlong forms, surrogates and values above 10FFFF are not UTF-8.
Utf8Unit decode_utf8(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  uint32_t code_point = lead & (0x7Fu >> length);
  for (size_t i = 1; i < length; i++) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code_point = code_point << 6 | (byte(i) & 0x3Fu);
  }
  const bool overlong =
      (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (overlong || surrogate || code_point > 0x10FFFF) return {};
  return {code_point, length};
}

bool changes_display(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || (c >= 0x200E && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x061C || c == 0xFEFF;
}

void append_format(std::string& out, const char* format, unsigned value) {
  char buffer[24];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  const int length = snprintf(buffer, sizeof buffer, format, value);
#pragma GCC diagnostic pop
  out.append(buffer, static_cast<size_t>(length));
}

// `value` / 10^`digits` without trailing zeros: 1500 with 3 digits is "1.5".
std::string fraction_text(uint64_t value, int digits) {
  uint64_t scale = 1;
  for (int i = 0; i < digits; i++) scale *= 10;
  std::string text = number_text(value / scale);
  uint64_t rest = value % scale;
  if (rest == 0) return text;
  text += '.';
  while (rest != 0) {
    scale /= 10;
    text += static_cast<char>('0' + rest / scale);
    rest %= scale;
  }
  return text;
}

}  // namespace

std::string escape_controls(std::string_view text, size_t limit) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= limit) return out + "...";
    const Utf8Unit unit = decode_utf8(text);
    if (unit.length == 0) {
      append_format(out, "\\x%02x", static_cast<uint8_t>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    if (!changes_display(unit.code_point)) {
      out.append(text.substr(0, unit.length));
    } else if (unit.code_point < 0x80) {
      append_format(out, "\\x%02x", unit.code_point);
    } else {
      append_format(out, "\\u{%04x}", unit.code_point);
    }
    text.remove_prefix(unit.length);
  }
  return out;
}

std::string format_duration(std::chrono::nanoseconds duration) {
  constexpr uint64_t kSecond = 1'000'000'000;
  const uint64_t total = duration.count() > 0 ? static_cast<uint64_t>(duration.count()) : 0;
  if (total == 0) return "0s";
  if (total < 1'000) return number_text(total) + "ns";
  if (total < 1'000'000) return fraction_text(total, 3) + "µs";
  if (total < kSecond) return fraction_text(total, 6) + "ms";
  std::string text;
  const uint64_t minutes = total / (60 * kSecond);
  if (minutes >= 60) text += number_text(minutes / 60) + "h";
  if (minutes >= 1) text += number_text(minutes % 60) + "m";
  return text + fraction_text(total % (60 * kSecond), 9) + "s";
}

std::string hex_text(std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string item_line(std::span<const uint8_t, 4> item) {
  const uint8_t digits[4] = {item[3], item[2], item[1], item[0]};
  return hex_text(digits) + "\n";
}

// The calendar of the C++ library: gmtime() and strftime() bring time zones and locales along.
std::string date_time_text(uint64_t seconds_since_1970) {
  using namespace std::chrono;
  const sys_seconds moment{seconds{static_cast<int64_t>(seconds_since_1970)}};
  const sys_days day = floor<days>(moment);
  const year_month_day date(day);
  const hh_mm_ss<seconds> time(moment - day);
  const auto two_digits = [](unsigned number) {
    return std::string{static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
  };
  return number_text(static_cast<uint64_t>(static_cast<int>(date.year()))) + "-" +
         two_digits(static_cast<unsigned>(date.month())) + "-" +
         two_digits(static_cast<unsigned>(date.day())) + "T" +
         two_digits(static_cast<unsigned>(time.hours().count())) + ":" +
         two_digits(static_cast<unsigned>(time.minutes().count())) + ":" +
         two_digits(static_cast<unsigned>(time.seconds().count())) + "Z";
}

std::string system_error_text(int error_number) {
  std::string text = strerror(error_number);
  const bool is_abbreviation = text.size() > 1 && isupper(static_cast<unsigned char>(text[1])) != 0;
  if (!text.empty() && !is_abbreviation) {
    text[0] = static_cast<char>(tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

std::string number_text(uint64_t number) {
  char digits[20];
  size_t first = sizeof digits;
  do {
    digits[--first] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return std::string(digits + first, sizeof digits - first);
}

}  // namespace qip
