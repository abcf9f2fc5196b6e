// The meaning of every vector instruction: one pure function per opcode, under the snake case form
// of the opcode's name; and of what the vector loads do with the bits they have read.
//
// Promises: equal results on every machine, to the bit; no undefined behaviour for any operand.
// NaN lanes that arithmetic produces are canonical (vm/semantics.hpp); pmin, pmax, abs and neg keep
// bits. Nothing here needs a stack frame on x86-64 and AArch64.
// Assumes: lane numbers are below the lane count, and shuffle's below 32 (validation checks both).
// Source: specification, "Execution/Numerics" and "Execution/Instructions/Vector Instructions".
#pragma once

#include "vm/simd_lanes.hpp"

// What compilers translate well from lane arithmetic is written here, once. The rest is the
// machine's part, a file each with the same functions:
// - v128_any_true, i8x16_swizzle, i8x16_shuffle, all_true and bitmask of every shape
// - abs, min and max of 8, 16 and 32 bits, saturating add and sub, avgr, narrow, i8x16_popcnt
// - i16x8_q15mulr_sat_s, i32x4_dot_i16x8_s, extadd_pairwise, extmul into 32 and 64 bits, i64x2_gt_s
// - min, max, pmin, pmax and trunc_sat of floats
// - simd::lane_at, widened_low, round_up, round_down, round_to_zero, round_to_even, square_root
// QIP_SIMD_GENERIC=1 selects the portable file on any machine.
#if !defined(QIP_SIMD_GENERIC) && defined(__SSE4_1__)
#include "vm/simd_x86.hpp"
#elif !defined(QIP_SIMD_GENERIC) && defined(__aarch64__) && defined(__ARM_NEON)
#include "vm/simd_neon.hpp"
#else
#include "vm/simd_generic.hpp"
#endif

namespace qip {

#define QIP_VECTOR [[gnu::always_inline]] inline

// An expression over the operands a and b, read as `Lanes`.
#define QIP_UNARY(name, Lanes, ...)                       \
  QIP_VECTOR V128 name(V128 operand) {                    \
    const simd::Lanes a = simd::as<simd::Lanes>(operand); \
    return simd::as<V128>(__VA_ARGS__);                   \
  }
#define QIP_BINARY(name, Lanes, ...)                    \
  QIP_VECTOR V128 name(V128 left, V128 right) {         \
    const simd::Lanes a = simd::as<simd::Lanes>(left);  \
    const simd::Lanes b = simd::as<simd::Lanes>(right); \
    return simd::as<V128>(__VA_ARGS__);                 \
  }
// The same with a result that canonicalises NaN lanes.
#define QIP_UNARY_FLOAT(name, Lanes, ...)                   \
  QIP_VECTOR V128 name(V128 operand) {                      \
    const simd::Lanes a = simd::as<simd::Lanes>(operand);   \
    return simd::canonical_lanes<simd::Lanes>(__VA_ARGS__); \
  }
#define QIP_BINARY_FLOAT(name, Lanes, ...)                  \
  QIP_VECTOR V128 name(V128 left, V128 right) {             \
    const simd::Lanes a = simd::as<simd::Lanes>(left);      \
    const simd::Lanes b = simd::as<simd::Lanes>(right);     \
    return simd::canonical_lanes<simd::Lanes>(__VA_ARGS__); \
  }

// --- Bits ----------------------------------------------------------------------------------------

QIP_VECTOR V128 v128_not(V128 a) {
  return ~a;
}
QIP_VECTOR V128 v128_and(V128 a, V128 b) {
  return a & b;
}
QIP_VECTOR V128 v128_andnot(V128 a, V128 b) {
  return a & ~b;
}
QIP_VECTOR V128 v128_or(V128 a, V128 b) {
  return a | b;
}
QIP_VECTOR V128 v128_xor(V128 a, V128 b) {
  return a ^ b;
}
QIP_VECTOR V128 v128_bitselect(V128 a, V128 b, V128 mask) {
  return simd::select_bits(mask, a, b);
}

// --- Lanes ---------------------------------------------------------------------------------------

QIP_VECTOR V128 i8x16_splat(uint32_t a) {
  return simd::splat<V128>(static_cast<uint8_t>(a));
}
QIP_VECTOR V128 i16x8_splat(uint32_t a) {
  return simd::as<V128>(simd::splat<simd::U16x8>(static_cast<uint16_t>(a)));
}
QIP_VECTOR V128 i32x4_splat(uint32_t a) {
  return simd::as<V128>(simd::splat<simd::U32x4>(a));
}
QIP_VECTOR V128 i64x2_splat(uint64_t a) {
  return simd::as<V128>(simd::splat<simd::U64x2>(a));
}
QIP_VECTOR V128 f32x4_splat(float a) {
  return simd::as<V128>(simd::splat<simd::F32x4>(a));
}
QIP_VECTOR V128 f64x2_splat(double a) {
  return simd::as<V128>(simd::splat<simd::F64x2>(a));
}

QIP_VECTOR uint32_t i8x16_extract_lane_s(V128 a, uint32_t lane) {
  return static_cast<uint32_t>(int32_t{simd::lane_at<simd::I8x16>(a, lane)});
}
QIP_VECTOR uint32_t i8x16_extract_lane_u(V128 a, uint32_t lane) {
  return simd::lane_at<simd::U8x16>(a, lane);
}
QIP_VECTOR uint32_t i16x8_extract_lane_s(V128 a, uint32_t lane) {
  return static_cast<uint32_t>(int32_t{simd::lane_at<simd::I16x8>(a, lane)});
}
QIP_VECTOR uint32_t i16x8_extract_lane_u(V128 a, uint32_t lane) {
  return simd::lane_at<simd::U16x8>(a, lane);
}
QIP_VECTOR uint32_t i32x4_extract_lane(V128 a, uint32_t lane) {
  return simd::lane_at<simd::U32x4>(a, lane);
}
QIP_VECTOR uint64_t i64x2_extract_lane(V128 a, uint32_t lane) {
  return simd::lane_at<simd::U64x2>(a, lane);
}
QIP_VECTOR float f32x4_extract_lane(V128 a, uint32_t lane) {
  return simd::lane_at<simd::F32x4>(a, lane);
}
QIP_VECTOR double f64x2_extract_lane(V128 a, uint32_t lane) {
  return simd::lane_at<simd::F64x2>(a, lane);
}

// Selection by lane number, so that a number only known at run time costs no detour through memory.
QIP_VECTOR V128 i8x16_replace_lane(V128 a, uint32_t lane, uint32_t value) {
  const simd::U8x16 numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const auto chosen = numbers == simd::splat<simd::U8x16>(static_cast<uint8_t>(lane));
  return simd::select_bits(simd::as<V128>(chosen), i8x16_splat(value), a);
}
QIP_VECTOR V128 i16x8_replace_lane(V128 a, uint32_t lane, uint32_t value) {
  const simd::U16x8 numbers = {0, 1, 2, 3, 4, 5, 6, 7};
  const auto chosen = numbers == simd::splat<simd::U16x8>(static_cast<uint16_t>(lane));
  return simd::select_bits(simd::as<V128>(chosen), i16x8_splat(value), a);
}
QIP_VECTOR V128 i32x4_replace_lane(V128 a, uint32_t lane, uint32_t value) {
  const auto chosen = simd::U32x4{0, 1, 2, 3} == simd::splat<simd::U32x4>(lane);
  return simd::select_bits(simd::as<V128>(chosen), i32x4_splat(value), a);
}
QIP_VECTOR V128 i64x2_replace_lane(V128 a, uint32_t lane, uint64_t value) {
  const auto chosen = simd::U64x2{0, 1} == simd::splat<simd::U64x2>(lane);
  return simd::select_bits(simd::as<V128>(chosen), i64x2_splat(value), a);
}
QIP_VECTOR V128 f32x4_replace_lane(V128 a, uint32_t lane, float value) {
  const auto chosen = simd::U32x4{0, 1, 2, 3} == simd::splat<simd::U32x4>(lane);
  return simd::select_bits(simd::as<V128>(chosen), f32x4_splat(value), a);
}
QIP_VECTOR V128 f64x2_replace_lane(V128 a, uint32_t lane, double value) {
  const auto chosen = simd::U64x2{0, 1} == simd::splat<simd::U64x2>(lane);
  return simd::select_bits(simd::as<V128>(chosen), f64x2_splat(value), a);
}

// --- Comparisons: all bits of a lane are set where they hold -------------------------------------

QIP_BINARY(i8x16_eq, U8x16, a == b)
QIP_BINARY(i8x16_ne, U8x16, a != b)
QIP_BINARY(i8x16_lt_s, I8x16, a < b)
QIP_BINARY(i8x16_lt_u, U8x16, a < b)
QIP_BINARY(i8x16_gt_s, I8x16, a > b)
QIP_BINARY(i8x16_gt_u, U8x16, a > b)
QIP_BINARY(i8x16_le_s, I8x16, a <= b)
QIP_BINARY(i8x16_le_u, U8x16, a <= b)
QIP_BINARY(i8x16_ge_s, I8x16, a >= b)
QIP_BINARY(i8x16_ge_u, U8x16, a >= b)

QIP_BINARY(i16x8_eq, U16x8, a == b)
QIP_BINARY(i16x8_ne, U16x8, a != b)
QIP_BINARY(i16x8_lt_s, I16x8, a < b)
QIP_BINARY(i16x8_lt_u, U16x8, a < b)
QIP_BINARY(i16x8_gt_s, I16x8, a > b)
QIP_BINARY(i16x8_gt_u, U16x8, a > b)
QIP_BINARY(i16x8_le_s, I16x8, a <= b)
QIP_BINARY(i16x8_le_u, U16x8, a <= b)
QIP_BINARY(i16x8_ge_s, I16x8, a >= b)
QIP_BINARY(i16x8_ge_u, U16x8, a >= b)

QIP_BINARY(i32x4_eq, U32x4, a == b)
QIP_BINARY(i32x4_ne, U32x4, a != b)
QIP_BINARY(i32x4_lt_s, I32x4, a < b)
QIP_BINARY(i32x4_lt_u, U32x4, a < b)
QIP_BINARY(i32x4_gt_s, I32x4, a > b)
QIP_BINARY(i32x4_gt_u, U32x4, a > b)
QIP_BINARY(i32x4_le_s, I32x4, a <= b)
QIP_BINARY(i32x4_le_u, U32x4, a <= b)
QIP_BINARY(i32x4_ge_s, I32x4, a >= b)
QIP_BINARY(i32x4_ge_u, U32x4, a >= b)

QIP_BINARY(i64x2_eq, U64x2, a == b)
QIP_BINARY(i64x2_ne, U64x2, a != b)
QIP_VECTOR V128 i64x2_lt_s(V128 a, V128 b) {
  return i64x2_gt_s(b, a);
}
QIP_VECTOR V128 i64x2_le_s(V128 a, V128 b) {
  return ~i64x2_gt_s(a, b);
}
QIP_VECTOR V128 i64x2_ge_s(V128 a, V128 b) {
  return ~i64x2_gt_s(b, a);
}

QIP_BINARY(f32x4_eq, F32x4, a == b)
QIP_BINARY(f32x4_ne, F32x4, a != b)
QIP_BINARY(f32x4_lt, F32x4, a < b)
QIP_BINARY(f32x4_gt, F32x4, a > b)
QIP_BINARY(f32x4_le, F32x4, a <= b)
QIP_BINARY(f32x4_ge, F32x4, a >= b)

QIP_BINARY(f64x2_eq, F64x2, a == b)
QIP_BINARY(f64x2_ne, F64x2, a != b)
QIP_BINARY(f64x2_lt, F64x2, a < b)
QIP_BINARY(f64x2_gt, F64x2, a > b)
QIP_BINARY(f64x2_le, F64x2, a <= b)
QIP_BINARY(f64x2_ge, F64x2, a >= b)

// --- Integer arithmetic --------------------------------------------------------------------------

QIP_BINARY(i8x16_add, U8x16, a + b)
QIP_BINARY(i8x16_sub, U8x16, a - b)
QIP_UNARY(i8x16_neg, U8x16, -a)
QIP_BINARY(i16x8_add, U16x8, a + b)
QIP_BINARY(i16x8_sub, U16x8, a - b)
QIP_BINARY(i16x8_mul, U16x8, (a * b))
QIP_UNARY(i16x8_neg, U16x8, -a)
QIP_BINARY(i32x4_add, U32x4, a + b)
QIP_BINARY(i32x4_sub, U32x4, a - b)
QIP_BINARY(i32x4_mul, U32x4, (a * b))
QIP_UNARY(i32x4_neg, U32x4, -a)
QIP_BINARY(i64x2_add, U64x2, a + b)
QIP_BINARY(i64x2_sub, U64x2, a - b)
QIP_BINARY(i64x2_mul, U64x2, (a * b))
QIP_UNARY(i64x2_neg, U64x2, -a)
// The sign, spread over the lane, flips all bits of a negative lane and adds one.
QIP_VECTOR V128 i64x2_abs(V128 operand) {
  const simd::U64x2 a = simd::as<simd::U64x2>(operand);
  const simd::U64x2 sign = -(a >> 63);
  return simd::as<V128>((a ^ sign) - sign);
}

// Shift counts are taken modulo the lane width.
QIP_VECTOR V128 i16x8_shl(V128 a, uint32_t count) {
  return simd::as<V128>(simd::as<simd::U16x8>(a) << static_cast<uint16_t>(count & 15));
}
QIP_VECTOR V128 i16x8_shr_s(V128 a, uint32_t count) {
  return simd::as<V128>(simd::as<simd::I16x8>(a) >> static_cast<int16_t>(count & 15));
}
QIP_VECTOR V128 i16x8_shr_u(V128 a, uint32_t count) {
  return simd::as<V128>(simd::as<simd::U16x8>(a) >> static_cast<uint16_t>(count & 15));
}
QIP_VECTOR V128 i32x4_shl(V128 a, uint32_t count) {
  return simd::as<V128>(simd::as<simd::U32x4>(a) << (count & 31));
}
QIP_VECTOR V128 i32x4_shr_s(V128 a, uint32_t count) {
  return simd::as<V128>(simd::as<simd::I32x4>(a) >> static_cast<int32_t>(count & 31));
}
QIP_VECTOR V128 i32x4_shr_u(V128 a, uint32_t count) {
  return simd::as<V128>(simd::as<simd::U32x4>(a) >> (count & 31));
}
QIP_VECTOR V128 i64x2_shl(V128 a, uint32_t count) {
  return simd::as<V128>(simd::as<simd::U64x2>(a) << uint64_t{count & 63});
}
QIP_VECTOR V128 i64x2_shr_u(V128 a, uint32_t count) {
  return simd::as<V128>(simd::as<simd::U64x2>(a) >> uint64_t{count & 63});
}
// (x ^ sign) - sign extends a sign bit that has moved down: the machines of 2020 shift 8 and 64 bit
// lanes right without sign only.
QIP_VECTOR V128 i64x2_shr_s(V128 a, uint32_t count) {
  const uint64_t distance = count & 63;
  const simd::U64x2 shifted = simd::as<simd::U64x2>(a) >> distance;
  const simd::U64x2 sign = simd::splat<simd::U64x2>(uint64_t{1} << 63) >> distance;
  return simd::as<V128>((shifted ^ sign) - sign);
}
// 8-bit lanes are shifted in pairs; the bits that cross over are masked away.
QIP_VECTOR V128 i8x16_shl(V128 a, uint32_t count) {
  return i16x8_shl(a, count & 7) & i8x16_splat(0xFFu << (count & 7));
}
QIP_VECTOR V128 i8x16_shr_u(V128 a, uint32_t count) {
  return i16x8_shr_u(a, count & 7) & i8x16_splat(0xFFu >> (count & 7));
}
QIP_VECTOR V128 i8x16_shr_s(V128 a, uint32_t count) {
  const V128 sign = i8x16_splat(0x80u >> (count & 7));
  return (i8x16_shr_u(a, count) ^ sign) - sign;
}

// --- Wider lanes from one half -------------------------------------------------------------------

namespace simd {

template <class Lanes, class Half>
QIP_VECTOR Lanes widened_high(V128 a) {
  const V128 swapped = as<V128>(__builtin_shufflevector(as<U64x2>(a), as<U64x2>(a), 1, 0));
  return widened_low<Lanes, Half>(swapped);
}

template <class Lanes, class Half>
QIP_VECTOR V128 widened_bits(uint64_t bits) {
  return as<V128>(widened_low<Lanes, Half>(as<V128>(U64x2{bits, 0})));
}

}  // namespace simd

#define QIP_EXTEND(prefix, suffix, Lanes, Half)                            \
  QIP_VECTOR V128 prefix##_extend_low_##suffix(V128 a) {                   \
    return simd::as<V128>(simd::widened_low<simd::Lanes, simd::Half>(a));  \
  }                                                                        \
  QIP_VECTOR V128 prefix##_extend_high_##suffix(V128 a) {                  \
    return simd::as<V128>(simd::widened_high<simd::Lanes, simd::Half>(a)); \
  }
QIP_EXTEND(i16x8, i8x16_s, I16x8, I8x8)
QIP_EXTEND(i16x8, i8x16_u, U16x8, U8x8)
QIP_EXTEND(i32x4, i16x8_s, I32x4, I16x4)
QIP_EXTEND(i32x4, i16x8_u, U32x4, U16x4)
QIP_EXTEND(i64x2, i32x4_s, I64x2, I32x2)
QIP_EXTEND(i64x2, i32x4_u, U64x2, U32x2)
#undef QIP_EXTEND

// The product of two extended bytes fits its lane.
QIP_VECTOR V128 i16x8_extmul_low_i8x16_s(V128 a, V128 b) {
  return i16x8_mul(i16x8_extend_low_i8x16_s(a), i16x8_extend_low_i8x16_s(b));
}
QIP_VECTOR V128 i16x8_extmul_high_i8x16_s(V128 a, V128 b) {
  return i16x8_mul(i16x8_extend_high_i8x16_s(a), i16x8_extend_high_i8x16_s(b));
}
QIP_VECTOR V128 i16x8_extmul_low_i8x16_u(V128 a, V128 b) {
  return i16x8_mul(i16x8_extend_low_i8x16_u(a), i16x8_extend_low_i8x16_u(b));
}
QIP_VECTOR V128 i16x8_extmul_high_i8x16_u(V128 a, V128 b) {
  return i16x8_mul(i16x8_extend_high_i8x16_u(a), i16x8_extend_high_i8x16_u(b));
}

// --- Float arithmetic ----------------------------------------------------------------------------

QIP_VECTOR V128 f32x4_abs(V128 a) {
  return a & i32x4_splat(0x7FFFFFFF);
}
QIP_VECTOR V128 f32x4_neg(V128 a) {
  return a ^ i32x4_splat(0x80000000);
}
QIP_UNARY_FLOAT(f32x4_ceil, F32x4, simd::round_up(a))
QIP_UNARY_FLOAT(f32x4_floor, F32x4, simd::round_down(a))
QIP_UNARY_FLOAT(f32x4_trunc, F32x4, simd::round_to_zero(a))
QIP_UNARY_FLOAT(f32x4_nearest, F32x4, simd::round_to_even(a))
QIP_UNARY_FLOAT(f32x4_sqrt, F32x4, simd::square_root(a))
QIP_BINARY_FLOAT(f32x4_add, F32x4, a + b)
QIP_BINARY_FLOAT(f32x4_sub, F32x4, a - b)
QIP_BINARY_FLOAT(f32x4_mul, F32x4, (a * b))
QIP_BINARY_FLOAT(f32x4_div, F32x4, a / b)

QIP_VECTOR V128 f64x2_abs(V128 a) {
  return a & i64x2_splat(0x7FFFFFFFFFFFFFFF);
}
QIP_VECTOR V128 f64x2_neg(V128 a) {
  return a ^ i64x2_splat(0x8000000000000000);
}
QIP_UNARY_FLOAT(f64x2_ceil, F64x2, simd::round_up(a))
QIP_UNARY_FLOAT(f64x2_floor, F64x2, simd::round_down(a))
QIP_UNARY_FLOAT(f64x2_trunc, F64x2, simd::round_to_zero(a))
QIP_UNARY_FLOAT(f64x2_nearest, F64x2, simd::round_to_even(a))
QIP_UNARY_FLOAT(f64x2_sqrt, F64x2, simd::square_root(a))
QIP_BINARY_FLOAT(f64x2_add, F64x2, a + b)
QIP_BINARY_FLOAT(f64x2_sub, F64x2, a - b)
QIP_BINARY_FLOAT(f64x2_mul, F64x2, (a * b))
QIP_BINARY_FLOAT(f64x2_div, F64x2, a / b)

// --- Conversions ---------------------------------------------------------------------------------

QIP_UNARY(f32x4_convert_i32x4_s, I32x4, __builtin_convertvector(a, simd::F32x4))
QIP_UNARY(f32x4_convert_i32x4_u, U32x4, __builtin_convertvector(a, simd::F32x4))
QIP_VECTOR V128 f64x2_convert_low_i32x4_s(V128 a) {
  return simd::as<V128>(simd::widened_low<simd::F64x2, simd::I32x2>(a));
}
// 2^52 + n has n in the low bits of its representation, so the difference is exact.
QIP_VECTOR V128 f64x2_convert_low_i32x4_u(V128 a) {
  const V128 biased = i64x2_extend_low_i32x4_u(a) | f64x2_splat(0x1p52);
  return simd::as<V128>(simd::as<simd::F64x2>(biased) - 0x1p52);
}
QIP_VECTOR V128 f64x2_promote_low_f32x4(V128 a) {
  return simd::canonical_lanes(simd::widened_low<simd::F64x2, simd::F32x2>(a));
}
QIP_VECTOR V128 f32x4_demote_f64x2_zero(V128 a) {
  const simd::F32x2 half = __builtin_convertvector(simd::as<simd::F64x2>(a), simd::F32x2);
  return simd::canonical_lanes(simd::F32x4{half[0], half[1], 0, 0});
}

// --- What a load makes of the bits it has read ---------------------------------------------------

QIP_VECTOR V128 v128_load8x8_s(uint64_t bits) {
  return simd::widened_bits<simd::I16x8, simd::I8x8>(bits);
}
QIP_VECTOR V128 v128_load8x8_u(uint64_t bits) {
  return simd::widened_bits<simd::U16x8, simd::U8x8>(bits);
}
QIP_VECTOR V128 v128_load16x4_s(uint64_t bits) {
  return simd::widened_bits<simd::I32x4, simd::I16x4>(bits);
}
QIP_VECTOR V128 v128_load16x4_u(uint64_t bits) {
  return simd::widened_bits<simd::U32x4, simd::U16x4>(bits);
}
QIP_VECTOR V128 v128_load32x2_s(uint64_t bits) {
  return simd::widened_bits<simd::I64x2, simd::I32x2>(bits);
}
QIP_VECTOR V128 v128_load32x2_u(uint64_t bits) {
  return simd::widened_bits<simd::U64x2, simd::U32x2>(bits);
}
QIP_VECTOR V128 v128_load32_zero(uint32_t bits) {
  return simd::as<V128>(simd::U32x4{bits, 0, 0, 0});
}
QIP_VECTOR V128 v128_load64_zero(uint64_t bits) {
  return simd::as<V128>(simd::U64x2{bits, 0});
}
// Splat loads are i8x16_splat and so on; lane loads replace a lane, lane stores extract one.

#undef QIP_BINARY_FLOAT
#undef QIP_UNARY_FLOAT
#undef QIP_BINARY
#undef QIP_UNARY
#undef QIP_VECTOR

}  // namespace qip
