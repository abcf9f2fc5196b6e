// The machine's part of vm/simd.hpp for AArch64, whose vector unit every such processor has.
//
// Promises: what vm/simd.hpp lists as the machine's part, with the results of vm/simd_generic.hpp.
// Assumes: the default rounding mode, no flush to zero and no default-NaN mode (FPCR as the ABI
// leaves it).
#pragma once

#include <arm_neon.h>

#include "vm/simd_lanes.hpp"

namespace qip {

#define QIP_VECTOR [[gnu::always_inline]] inline

// One instruction, or a few, on operands a and b read as the vector type `Lanes`.
#define QIP_UNARY(name, Lanes, ...)    \
  QIP_VECTOR V128 name(V128 operand) { \
    const Lanes a = (Lanes)operand;    \
    return (V128)(__VA_ARGS__);        \
  }
#define QIP_BINARY(name, Lanes, ...)            \
  QIP_VECTOR V128 name(V128 left, V128 right) { \
    const Lanes a = (Lanes)left;                \
    const Lanes b = (Lanes)right;               \
    return (V128)(__VA_ARGS__);                 \
  }

// --- Whole vectors and bytes ---------------------------------------------------------------------

QIP_VECTOR uint32_t v128_any_true(V128 a) {
  return vmaxvq_u32((uint32x4_t)a) != 0;
}

// TBL gives 0 for an index beyond its table.
QIP_BINARY(i8x16_swizzle, uint8x16_t, vqtbl1q_u8(a, b))

// Lane numbers 0..15 pick from a, 16..31 from b; `lanes` is validated to hold no others.
QIP_VECTOR V128 i8x16_shuffle(V128 a, V128 b, V128 lanes) {
  const uint8x16x2_t table = {{(uint8x16_t)a, (uint8x16_t)b}};
  return (V128)vqtbl2q_u8(table, (uint8x16_t)lanes);
}

namespace simd {

// The lane with a number that is only known at run time (below the lane count), without a detour
// through the stack. Index bytes beyond the last one give zeros, which the result type cuts off.
template <class Lanes>
QIP_VECTOR LaneOf<Lanes> lane_at(V128 a, uint32_t lane) {
  using Lane = LaneOf<Lanes>;
  using Bits = std::conditional_t<sizeof(Lane) == 4, uint32_t,
                                  std::conditional_t<sizeof(Lane) == 8, uint64_t, Lane>>;
  const uint64_t first_byte = lane * sizeof(Lane);
  const uint64_t byte_numbers = first_byte * 0x0101010101010101 + 0x0706050403020100;
  const uint8x8_t moved = vqtbl1_u8((uint8x16_t)a, vcreate_u8(byte_numbers));
  return std::bit_cast<Lane>(static_cast<Bits>(vget_lane_u64(vreinterpret_u64_u8(moved), 0)));
}

template <class Lanes, class Half>
QIP_VECTOR Lanes widened_low(V128 a) {
  return converted_low_half<Lanes, Half>(a);
}

}  // namespace simd

// --- Tests of all lanes --------------------------------------------------------------------------

QIP_VECTOR uint32_t i8x16_all_true(V128 a) {
  return vminvq_u8((uint8x16_t)a) != 0;
}
QIP_VECTOR uint32_t i16x8_all_true(V128 a) {
  return vminvq_u16((uint16x8_t)a) != 0;
}
QIP_VECTOR uint32_t i32x4_all_true(V128 a) {
  return vminvq_u32((uint32x4_t)a) != 0;
}
QIP_VECTOR uint32_t i64x2_all_true(V128 operand) {
  const uint64x2_t a = (uint64x2_t)operand;
  return vgetq_lane_u64(a, 0) != 0 && vgetq_lane_u64(a, 1) != 0;
}

// Each lane keeps the bit of its number if it is negative; the sum collects them.
QIP_VECTOR uint32_t i8x16_bitmask(V128 a) {
  const uint8x16_t lane_bits = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t chosen = vandq_u8(vcltzq_s8((int8x16_t)a), lane_bits);
  return vaddv_u8(vget_low_u8(chosen)) | uint32_t{vaddv_u8(vget_high_u8(chosen))} << 8;
}
QIP_VECTOR uint32_t i16x8_bitmask(V128 a) {
  const uint16x8_t lane_bits = {1, 2, 4, 8, 16, 32, 64, 128};
  return vaddvq_u16(vandq_u16(vcltzq_s16((int16x8_t)a), lane_bits));
}
QIP_VECTOR uint32_t i32x4_bitmask(V128 a) {
  const uint32x4_t lane_bits = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(vcltzq_s32((int32x4_t)a), lane_bits));
}
QIP_VECTOR uint32_t i64x2_bitmask(V128 a) {
  const uint64x2_t lane_bits = {1, 2};
  return static_cast<uint32_t>(vaddvq_u64(vandq_u64(vcltzq_s64((int64x2_t)a), lane_bits)));
}

// --- Integers ------------------------------------------------------------------------------------

QIP_UNARY(i8x16_abs, int8x16_t, vabsq_s8(a))
QIP_UNARY(i16x8_abs, int16x8_t, vabsq_s16(a))
QIP_UNARY(i32x4_abs, int32x4_t, vabsq_s32(a))
QIP_UNARY(i8x16_popcnt, uint8x16_t, vcntq_u8(a))

QIP_BINARY(i8x16_min_s, int8x16_t, vminq_s8(a, b))
QIP_BINARY(i8x16_min_u, uint8x16_t, vminq_u8(a, b))
QIP_BINARY(i8x16_max_s, int8x16_t, vmaxq_s8(a, b))
QIP_BINARY(i8x16_max_u, uint8x16_t, vmaxq_u8(a, b))
QIP_BINARY(i16x8_min_s, int16x8_t, vminq_s16(a, b))
QIP_BINARY(i16x8_min_u, uint16x8_t, vminq_u16(a, b))
QIP_BINARY(i16x8_max_s, int16x8_t, vmaxq_s16(a, b))
QIP_BINARY(i16x8_max_u, uint16x8_t, vmaxq_u16(a, b))
QIP_BINARY(i32x4_min_s, int32x4_t, vminq_s32(a, b))
QIP_BINARY(i32x4_min_u, uint32x4_t, vminq_u32(a, b))
QIP_BINARY(i32x4_max_s, int32x4_t, vmaxq_s32(a, b))
QIP_BINARY(i32x4_max_u, uint32x4_t, vmaxq_u32(a, b))
QIP_BINARY(i64x2_gt_s, int64x2_t, vcgtq_s64(a, b))

QIP_BINARY(i8x16_add_sat_s, int8x16_t, vqaddq_s8(a, b))
QIP_BINARY(i8x16_add_sat_u, uint8x16_t, vqaddq_u8(a, b))
QIP_BINARY(i8x16_sub_sat_s, int8x16_t, vqsubq_s8(a, b))
QIP_BINARY(i8x16_sub_sat_u, uint8x16_t, vqsubq_u8(a, b))
QIP_BINARY(i16x8_add_sat_s, int16x8_t, vqaddq_s16(a, b))
QIP_BINARY(i16x8_add_sat_u, uint16x8_t, vqaddq_u16(a, b))
QIP_BINARY(i16x8_sub_sat_s, int16x8_t, vqsubq_s16(a, b))
QIP_BINARY(i16x8_sub_sat_u, uint16x8_t, vqsubq_u16(a, b))
QIP_BINARY(i8x16_avgr_u, uint8x16_t, vrhaddq_u8(a, b))
QIP_BINARY(i16x8_avgr_u, uint16x8_t, vrhaddq_u16(a, b))
QIP_BINARY(i16x8_q15mulr_sat_s, int16x8_t, vqrdmulhq_s16(a, b))

QIP_BINARY(i8x16_narrow_i16x8_s, int16x8_t, vqmovn_high_s16(vqmovn_s16(a), b))
QIP_BINARY(i8x16_narrow_i16x8_u, int16x8_t, vqmovun_high_s16(vqmovun_s16(a), b))
QIP_BINARY(i16x8_narrow_i32x4_s, int32x4_t, vqmovn_high_s32(vqmovn_s32(a), b))
QIP_BINARY(i16x8_narrow_i32x4_u, int32x4_t, vqmovun_high_s32(vqmovun_s32(a), b))

QIP_UNARY(i16x8_extadd_pairwise_i8x16_s, int8x16_t, vpaddlq_s8(a))
QIP_UNARY(i16x8_extadd_pairwise_i8x16_u, uint8x16_t, vpaddlq_u8(a))
QIP_UNARY(i32x4_extadd_pairwise_i16x8_s, int16x8_t, vpaddlq_s16(a))
QIP_UNARY(i32x4_extadd_pairwise_i16x8_u, uint16x8_t, vpaddlq_u16(a))

QIP_BINARY(i32x4_extmul_low_i16x8_s, int16x8_t, vmull_s16(vget_low_s16(a), vget_low_s16(b)))
QIP_BINARY(i32x4_extmul_high_i16x8_s, int16x8_t, vmull_high_s16(a, b))
QIP_BINARY(i32x4_extmul_low_i16x8_u, uint16x8_t, vmull_u16(vget_low_u16(a), vget_low_u16(b)))
QIP_BINARY(i32x4_extmul_high_i16x8_u, uint16x8_t, vmull_high_u16(a, b))
QIP_BINARY(i64x2_extmul_low_i32x4_s, int32x4_t, vmull_s32(vget_low_s32(a), vget_low_s32(b)))
QIP_BINARY(i64x2_extmul_high_i32x4_s, int32x4_t, vmull_high_s32(a, b))
QIP_BINARY(i64x2_extmul_low_i32x4_u, uint32x4_t, vmull_u32(vget_low_u32(a), vget_low_u32(b)))
QIP_BINARY(i64x2_extmul_high_i32x4_u, uint32x4_t, vmull_high_u32(a, b))

QIP_BINARY(i32x4_dot_i16x8_s, int16x8_t,
           vpaddq_s32(vmull_s16(vget_low_s16(a), vget_low_s16(b)), vmull_high_s16(a, b)))

// --- Floats --------------------------------------------------------------------------------------

namespace simd {

QIP_VECTOR F32x4 round_up(F32x4 a) {
  return (F32x4)vrndpq_f32((float32x4_t)a);
}
QIP_VECTOR F64x2 round_up(F64x2 a) {
  return (F64x2)vrndpq_f64((float64x2_t)a);
}
QIP_VECTOR F32x4 round_down(F32x4 a) {
  return (F32x4)vrndmq_f32((float32x4_t)a);
}
QIP_VECTOR F64x2 round_down(F64x2 a) {
  return (F64x2)vrndmq_f64((float64x2_t)a);
}
QIP_VECTOR F32x4 round_to_zero(F32x4 a) {
  return (F32x4)vrndq_f32((float32x4_t)a);
}
QIP_VECTOR F64x2 round_to_zero(F64x2 a) {
  return (F64x2)vrndq_f64((float64x2_t)a);
}
QIP_VECTOR F32x4 round_to_even(F32x4 a) {
  return (F32x4)vrndnq_f32((float32x4_t)a);
}
QIP_VECTOR F64x2 round_to_even(F64x2 a) {
  return (F64x2)vrndnq_f64((float64x2_t)a);
}
QIP_VECTOR F32x4 square_root(F32x4 a) {
  return (F32x4)vsqrtq_f32((float32x4_t)a);
}
QIP_VECTOR F64x2 square_root(F64x2 a) {
  return (F64x2)vsqrtq_f64((float64x2_t)a);
}

}  // namespace simd

// FMIN and FMAX order -0 before +0 and give a NaN for a NaN, if not the canonical one.
QIP_VECTOR V128 f32x4_min(V128 a, V128 b) {
  return simd::canonical_lanes((simd::F32x4)vminq_f32((float32x4_t)a, (float32x4_t)b));
}
QIP_VECTOR V128 f32x4_max(V128 a, V128 b) {
  return simd::canonical_lanes((simd::F32x4)vmaxq_f32((float32x4_t)a, (float32x4_t)b));
}
QIP_VECTOR V128 f64x2_min(V128 a, V128 b) {
  return simd::canonical_lanes((simd::F64x2)vminq_f64((float64x2_t)a, (float64x2_t)b));
}
QIP_VECTOR V128 f64x2_max(V128 a, V128 b) {
  return simd::canonical_lanes((simd::F64x2)vmaxq_f64((float64x2_t)a, (float64x2_t)b));
}

QIP_BINARY(f32x4_pmin, float32x4_t, vbslq_f32(vcltq_f32(b, a), b, a))
QIP_BINARY(f32x4_pmax, float32x4_t, vbslq_f32(vcltq_f32(a, b), b, a))
QIP_BINARY(f64x2_pmin, float64x2_t, vbslq_f64(vcltq_f64(b, a), b, a))
QIP_BINARY(f64x2_pmax, float64x2_t, vbslq_f64(vcltq_f64(a, b), b, a))

// --- Floats to integers: FCVTZS and FCVTZU saturate, and give 0 for NaN --------------------------

QIP_UNARY(i32x4_trunc_sat_f32x4_s, float32x4_t, vcvtq_s32_f32(a))
QIP_UNARY(i32x4_trunc_sat_f32x4_u, float32x4_t, vcvtq_u32_f32(a))
QIP_UNARY(i32x4_trunc_sat_f64x2_s_zero, float64x2_t,
          vcombine_s32(vqmovn_s64(vcvtq_s64_f64(a)), vdup_n_s32(0)))
QIP_UNARY(i32x4_trunc_sat_f64x2_u_zero, float64x2_t,
          vcombine_u32(vqmovn_u64(vcvtq_u64_f64(a)), vdup_n_u32(0)))

#undef QIP_BINARY
#undef QIP_UNARY
#undef QIP_VECTOR

}  // namespace qip
