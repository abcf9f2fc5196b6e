// Value: the bits of one WebAssembly value, 16 bytes, without its type.
//
// i32 and f32 live in the low 32 bits with zeros above; references are 64 bits with 0 for null:
// a funcref is the address of a FunctionInstance, an externref any number that the host chose.
#pragma once

#include <bit>
#include <cstdint>

namespace qip {

struct Value {
  uint64_t low = 0;
  uint64_t high = 0;  // used by v128 only

  static constexpr Value from_i32(uint32_t bits) { return {bits, 0}; }
  static constexpr Value from_i64(uint64_t bits) { return {bits, 0}; }
  static constexpr Value from_f32(float number) { return {std::bit_cast<uint32_t>(number), 0}; }
  static constexpr Value from_f64(double number) { return {std::bit_cast<uint64_t>(number), 0}; }
  static constexpr Value from_v128(uint64_t low, uint64_t high) { return {low, high}; }
  static constexpr Value from_reference(uint64_t reference) { return {reference, 0}; }

  constexpr uint32_t i32() const { return static_cast<uint32_t>(low); }
  constexpr uint64_t i64() const { return low; }
  constexpr float f32() const { return std::bit_cast<float>(static_cast<uint32_t>(low)); }
  constexpr double f64() const { return std::bit_cast<double>(low); }
  constexpr uint64_t reference() const { return low; }

  bool operator==(const Value&) const = default;
};

inline constexpr uint64_t kNullReference = 0;

}  // namespace qip
