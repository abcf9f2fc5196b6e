// Numbers from text: what uniforms and the arguments of `qip call` have in common.
//
// Promises: the whole text is the number or there is none; no space, no separator of digits, no
// locale. What may stand around a number (a sign, a word) is the caller's. Linear in the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace qip {

// At least one digit of `base`, 10 or 16, in either case. Empty on anything else and beyond 64
// bits.
std::optional<uint64_t> parse_digits(std::string_view text, uint64_t base);

// Takes "0x" or "0X" away; false if it is not there.
bool remove_hex_prefix(std::string_view& text);

// The bits of a float of `bits` bits, 32 or 64: decimal ("1.5", ".5e-3") or hexadecimal, where C
// does not ask for an exponent ("0x1.8", "0x1p-2"). Rounded once, to nearest; too small is zero or
// subnormal. Empty on a sign, a word, anything that is no number, and beyond the range.
std::optional<uint64_t> parse_finite(std::string_view text, int bits);

}  // namespace qip
