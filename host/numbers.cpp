// The C library converts floats (no locale is ever set); what it would also accept, such as leading
// spaces or nan(...), is refused before it sees it.
#include "host/numbers.hpp"

#include <cmath>
#include <cstdlib>
#include <string>

#include "vm/value.hpp"

namespace qip {
namespace {

// 16: no digit of any base.
int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
}

}  // namespace

std::optional<uint64_t> parse_digits(std::string_view text, uint64_t base) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    const uint64_t digit = static_cast<uint64_t>(digit_value(c));
    if (digit >= base || value > (~uint64_t{0} - digit) / base) return std::nullopt;
    value = value * base + digit;
  }
  return value;
}

bool remove_hex_prefix(std::string_view& text) {
  if (!text.starts_with("0x") && !text.starts_with("0X")) return false;
  text.remove_prefix(2);
  return true;
}

std::optional<uint64_t> parse_finite(std::string_view text, int bits) {
  // Behind a digit or a point the library takes nothing but digits, a point and an exponent.
  if (text.empty() || (digit_value(text[0]) > 9 && text[0] != '.')) return std::nullopt;
  const std::string copy(text);
  const char* const whole = copy.c_str() + copy.size();
  char* end = nullptr;
  if (bits == 32) {  // not by way of a double: that would round twice
    const float number = strtof(copy.c_str(), &end);
    if (end != whole || std::isinf(number)) return std::nullopt;
    return Value::from_f32(number).low;
  }
  const double number = strtod(copy.c_str(), &end);
  if (end != whole || std::isinf(number)) return std::nullopt;
  return Value::from_f64(number).low;
}

}  // namespace qip
