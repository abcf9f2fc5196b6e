// Writes WebAssembly modules byte by byte, for tests that need bytes no assembler would write:
// wrong counts, enormous numbers, a million of anything.
//
// Promises: nothing is checked or corrected; what is asked for is what is written.
// Source: specification, "Binary Format".
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace qip {

class WasmBytes {
 public:
  std::vector<uint8_t> bytes;

  WasmBytes& byte(uint32_t value) {
    bytes.push_back(static_cast<uint8_t>(value));
    return *this;
  }
  WasmBytes& raw(std::initializer_list<uint8_t> values) {
    bytes.insert(bytes.end(), values);
    return *this;
  }
  WasmBytes& unsigned_leb(uint64_t value) {
    do {
      const uint8_t low = value & 0x7F;
      value >>= 7;
      bytes.push_back(value != 0 ? low | 0x80 : low);
    } while (value != 0);
    return *this;
  }
  WasmBytes& signed_leb(int64_t value) {
    for (;;) {
      const uint8_t low = value & 0x7F;
      value >>= 7;
      const bool done = (value == 0 && (low & 0x40) == 0) || (value == -1 && (low & 0x40) != 0);
      bytes.push_back(done ? low : low | 0x80);
      if (done) return *this;
    }
  }
  WasmBytes& name(std::string_view text) {
    unsigned_leb(text.size());
    bytes.insert(bytes.end(), text.begin(), text.end());
    return *this;
  }
  WasmBytes& append(const WasmBytes& other) {
    bytes.insert(bytes.end(), other.bytes.begin(), other.bytes.end());
    return *this;
  }
  // `other` with its length in front: a section's contents, a function body.
  WasmBytes& sized(const WasmBytes& other) {
    unsigned_leb(other.bytes.size());
    return append(other);
  }
  // The same bytes again and again.
  WasmBytes& repeat(uint64_t times, std::initializer_list<uint8_t> values) {
    for (uint64_t i = 0; i < times; ++i) raw(values);
    return *this;
  }
};

inline constexpr uint8_t kTypeSection = 1;
inline constexpr uint8_t kFunctionSection = 3;
inline constexpr uint8_t kTableSection = 4;
inline constexpr uint8_t kMemorySection = 5;
inline constexpr uint8_t kGlobalSection = 6;
inline constexpr uint8_t kExportSection = 7;
inline constexpr uint8_t kStartSection = 8;
inline constexpr uint8_t kElementSection = 9;
inline constexpr uint8_t kCodeSection = 10;
inline constexpr uint8_t kDataSection = 11;
inline constexpr uint8_t kDataCountSection = 12;

// A module that grows by sections, in the order in which they are added.
class WasmModuleBytes {
 public:
  WasmModuleBytes() { out_.raw({0x00, 'a', 's', 'm', 0x01, 0x00, 0x00, 0x00}); }

  WasmModuleBytes& section(uint8_t id, const WasmBytes& contents) {
    out_.byte(id).sized(contents);
    return *this;
  }
  const std::vector<uint8_t>& bytes() const { return out_.bytes; }

 private:
  WasmBytes out_;
};

// Section contents for the commonest case: one function of type () -> () or () -> (i32).
inline WasmBytes one_type(bool returns_i32) {
  WasmBytes out;
  out.raw({1, 0x60, 0});
  return returns_i32 ? out.raw({1, 0x7F}) : out.raw({0});
}
inline WasmBytes one_function() {
  return WasmBytes().raw({1, 0});
}
// `body` holds the local groups and the instructions with the final `end`.
inline WasmBytes one_body(const WasmBytes& body) {
  return WasmBytes().byte(1).sized(body);
}
inline WasmBytes one_function_export(std::string_view name) {
  return WasmBytes().byte(1).name(name).raw({0, 0});
}

}  // namespace qip
