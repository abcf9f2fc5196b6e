// V128 and its readings as lanes: the vocabulary of vm/simd.hpp and of the machine files behind it.
//
// Promises: lane 0 is at the lowest address, as in linear memory; every reinterpretation is free.
// Assumes: a little-endian machine and a compiler with GCC's vector extensions (GCC, Clang).
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "vm/semantics.hpp"

namespace qip {

static_assert(std::endian::native == std::endian::little, "lanes are read through their bytes");

// 16 bytes in a vector register.
typedef uint8_t V128 __attribute__((vector_size(16)));

namespace simd {

using U8x16 = V128;
typedef int8_t I8x16 __attribute__((vector_size(16)));
typedef uint16_t U16x8 __attribute__((vector_size(16)));
typedef int16_t I16x8 __attribute__((vector_size(16)));
typedef uint32_t U32x4 __attribute__((vector_size(16)));
typedef int32_t I32x4 __attribute__((vector_size(16)));
typedef uint64_t U64x2 __attribute__((vector_size(16)));
typedef int64_t I64x2 __attribute__((vector_size(16)));
typedef float F32x4 __attribute__((vector_size(16)));
typedef double F64x2 __attribute__((vector_size(16)));

// Half a vector, for conversions between lane widths.
typedef uint8_t U8x8 __attribute__((vector_size(8)));
typedef int8_t I8x8 __attribute__((vector_size(8)));
typedef uint16_t U16x4 __attribute__((vector_size(8)));
typedef int16_t I16x4 __attribute__((vector_size(8)));
typedef uint32_t U32x2 __attribute__((vector_size(8)));
typedef int32_t I32x2 __attribute__((vector_size(8)));
typedef float F32x2 __attribute__((vector_size(8)));

template <class Lanes>
using LaneOf = std::remove_cvref_t<decltype(Lanes{}[0])>;
template <class Lanes>
inline constexpr uint32_t kLaneCount = sizeof(Lanes) / sizeof(LaneOf<Lanes>);

// The same bits under another type.
template <class To, class From>
[[gnu::always_inline]] inline To as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  return (To)from;
}

// `value` in every lane, bit for bit.
template <class Lanes>
[[gnu::always_inline]] inline Lanes splat(LaneOf<Lanes> value) {
  const LaneOf<Lanes> v = value;
  if constexpr (kLaneCount<Lanes> == 2) return Lanes{v, v};
  if constexpr (kLaneCount<Lanes> == 4) return Lanes{v, v, v, v};
  if constexpr (kLaneCount<Lanes> == 8) return Lanes{v, v, v, v, v, v, v, v};
  if constexpr (kLaneCount<Lanes> == 16) {
    return Lanes{v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v};
  }
}

// Bits of `a` where `mask` is set, bits of `b` elsewhere.
[[gnu::always_inline]] inline V128 select_bits(V128 mask, V128 a, V128 b) {
  return (a & mask) | (b & ~mask);
}

// Lanes that are NaN become the canonical NaN. A select, not a branch: a vector with one NaN lane
// is no rarer than one without, once NaN is in the data at all.
template <class Lanes>
[[gnu::always_inline]] inline V128 canonical_lanes(Lanes a) {
  const V128 canonical_nan = as<V128>(splat<Lanes>(kCanonicalNaN<LaneOf<Lanes>>));
  return select_bits(as<V128>(a == a), as<V128>(a), canonical_nan);
}

// The lanes of the low half `Half` of a, converted by value to the wider lanes `Lanes`.
template <class Lanes, class Half>
[[gnu::always_inline]] inline Lanes converted_low_half(V128 a) {
  const Half half = as<Half>(__builtin_shufflevector(as<U64x2>(a), as<U64x2>(a), 0));
  return __builtin_convertvector(half, Lanes);
}

}  // namespace simd
}  // namespace qip
