// Reader: a bounds-checked cursor over a module's bytes.
//
// Promises: never reads outside its range. The first error sticks: after it every read gives 0 or
// empty, the cursor stays, and error() tells what and where. Callers therefore check once per item.
// Source: specification, "Binary Format/Conventions" and "Values".
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "loader/error.hpp"

namespace qip {

// Source: specification, "Binary Format/Values/Names"; RFC 3629. Overlong forms, surrogates and
// code points above 10FFFF are refused.
bool is_valid_utf8(std::string_view bytes);

class Reader {
 public:
  Reader(const uint8_t* bytes, uint64_t begin, uint64_t end)
      : bytes_(bytes), offset_(begin), end_(end) {}

  uint64_t offset() const { return offset_; }
  uint64_t end() const { return end_; }
  uint64_t remaining() const { return end_ - offset_; }
  bool at_end() const { return offset_ >= end_; }
  bool failed() const { return failed_; }
  const LoadError& error() const { return error_; }

  void fail(LoadErrorClass error_class, uint64_t offset, std::string message) {
    if (failed_) return;
    failed_ = true;
    error_ = {error_class, offset, std::move(message)};
  }
  void malformed(std::string message) {
    fail(LoadErrorClass::Malformed, offset_, std::move(message));
  }

  uint8_t byte() {
    if (failed_) return 0;
    if (at_end()) {
      unexpected_end();
      return 0;
    }
    return bytes_[offset_++];
  }
  uint8_t peek() const { return failed_ || at_end() ? 0 : bytes_[offset_]; }

  uint32_t u32() {
    if (!failed_ && offset_ < end_ && bytes_[offset_] < 0x80) return bytes_[offset_++];
    return static_cast<uint32_t>(unsigned_leb(32));
  }
  uint64_t u64() { return unsigned_leb(64); }
  int32_t s32() { return static_cast<int32_t>(signed_leb(32)); }
  int64_t s33() { return signed_leb(33); }
  int64_t s64() { return signed_leb(64); }

  template <class T>
  T raw() {
    T value{};
    if (failed_) return value;
    if (remaining() < sizeof(T)) {
      unexpected_end();
      return value;
    }
    memcpy(&value, bytes_ + offset_, sizeof(T));
    offset_ += sizeof(T);
    return value;
  }

  // A count of items that take at least one byte each: more than the bytes left is an error before
  // anything is allocated for them.
  uint32_t count() {
    const uint64_t start = offset_;
    const uint32_t result = u32();
    if (!failed_ && result > remaining()) {
      offset_ = start;
      unexpected_end();
      return 0;
    }
    return failed_ ? 0 : result;
  }

  // A name: length, then UTF-8. The view lives as long as the bytes.
  std::string_view name(uint32_t limit);

  void skip(uint64_t length) {
    if (failed_) return;
    if (length > remaining()) {
      unexpected_end();
      return;
    }
    offset_ += length;
  }

  // A part of the range: narrow() ends it `length` bytes from here and returns the end to give to
  // widen() afterwards. Precondition: length <= remaining().
  uint64_t narrow(uint64_t length) {
    const uint64_t outer_end = end_;
    end_ = offset_ + length;
    narrowed_++;
    return outer_end;
  }
  void widen(uint64_t outer_end) {
    end_ = outer_end;
    narrowed_--;
  }
  // Back to an offset that was read before.
  void rewind(uint64_t offset) { offset_ = offset; }

  void unexpected_end() {
    malformed(narrowed_ > 0 ? "unexpected end of section or function" : "unexpected end");
  }

 private:
  uint64_t unsigned_leb(uint32_t bits);
  int64_t signed_leb(uint32_t bits);

  const uint8_t* bytes_;
  uint64_t offset_;
  uint64_t end_;
  bool failed_ = false;
  uint32_t narrowed_ = 0;
  LoadError error_;
};

}  // namespace qip
