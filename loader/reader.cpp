#include "loader/reader.hpp"

namespace qip {

// At most ceil(bits / 7) bytes; the unused bits of the last one must be zero.
uint64_t Reader::unsigned_leb(uint32_t bits) {
  const uint64_t start = offset_;
  uint64_t result = 0;
  for (uint32_t shift = 0;; shift += 7) {  // ends: shift grows past `bits`
    const uint8_t next = byte();
    if (failed_) return 0;
    const uint32_t left = bits - shift;
    if (left < 7 && (next & 0x7F) >> left != 0) {
      fail(LoadErrorClass::Malformed, start, "integer too large");
      return 0;
    }
    result |= static_cast<uint64_t>(next & 0x7F) << shift;
    if ((next & 0x80) == 0) return result;
    if (left <= 7) {
      fail(LoadErrorClass::Malformed, start, "integer representation too long");
      return 0;
    }
  }
}

// The unused bits of the last byte must repeat the sign.
int64_t Reader::signed_leb(uint32_t bits) {
  const uint64_t start = offset_;
  uint64_t result = 0;
  for (uint32_t shift = 0;; shift += 7) {  // ends: shift grows past `bits`
    const uint8_t next = byte();
    if (failed_) return 0;
    const uint32_t left = bits - shift;
    result |= static_cast<uint64_t>(next & 0x7F) << shift;
    if (left <= 7) {
      // Bits from the sign bit upwards: all zero or all one.
      const uint32_t top = static_cast<uint32_t>(next & 0x7F) >> (left - 1);
      const uint32_t all_ones = 0x7Fu >> (left - 1);
      if (top != 0 && top != all_ones) {
        fail(LoadErrorClass::Malformed, start, "integer too large");
        return 0;
      }
      if ((next & 0x80) != 0) {
        fail(LoadErrorClass::Malformed, start, "integer representation too long");
        return 0;
      }
    }
    if ((next & 0x80) == 0) {
      const uint32_t used = shift + 7;
      if (used < 64 && (next & 0x40) != 0) result |= ~uint64_t{0} << used;
      return static_cast<int64_t>(result);
    }
  }
}

std::string_view Reader::name(uint32_t limit) {
  const uint64_t start = offset_;
  const uint32_t length = u32();
  if (failed_) return {};
  if (length > remaining()) {
    fail(LoadErrorClass::Malformed, start, "length out of bounds");
    return {};
  }
  if (length > limit) {
    fail(LoadErrorClass::Limit, start,
         "a name of " + std::to_string(length) + " bytes; the limit is " + std::to_string(limit));
    return {};
  }
  const std::string_view result(reinterpret_cast<const char*>(bytes_ + offset_), length);
  if (!is_valid_utf8(result)) {
    malformed("malformed UTF-8 encoding");
    return {};
  }
  offset_ += length;
  return result;
}

bool is_valid_utf8(std::string_view bytes) {
  size_t i = 0;
  while (i < bytes.size()) {  // ends: every turn consumes at least one byte
    const auto first = static_cast<uint8_t>(bytes[i++]);
    if (first < 0x80) continue;
    size_t more;
    uint8_t low = 0x80, high = 0xBF;  // range of the second byte
    if (first >= 0xC2 && first <= 0xDF) {
      more = 1;
    } else if (first >= 0xE0 && first <= 0xEF) {
      more = 2;
      if (first == 0xE0) low = 0xA0;   // overlong
      if (first == 0xED) high = 0x9F;  // surrogates
    } else if (first >= 0xF0 && first <= 0xF4) {
      more = 3;
      if (first == 0xF0) low = 0x90;   // overlong
      if (first == 0xF4) high = 0x8F;  // above 10FFFF
    } else {
      return false;
    }
    for (; more > 0; more--) {
      if (i >= bytes.size()) return false;
      const auto next = static_cast<uint8_t>(bytes[i++]);
      if (next < low || next > high) return false;
      low = 0x80;
      high = 0xBF;
    }
  }
  return true;
}

}  // namespace qip
