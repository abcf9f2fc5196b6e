// The machine's part of vm/simd.hpp in portable lane arithmetic: loops over lanes that compilers
// may vectorise. Used where there is no file for the machine; slow, but plain to read.
//
// Promises: what vm/simd.hpp lists as the machine's part, on any little-endian machine.
#pragma once

#include "vm/simd_lanes.hpp"

namespace qip {

#define QIP_VECTOR [[gnu::always_inline]] inline

namespace simd {

// f of each lane of a, or of each pair of lanes. Lane types narrower than int are promoted, so f
// computes without wrapping, and the result is cut to the lane type of `To`.
template <class To, class From, class F>
QIP_VECTOR V128 map(V128 operand, F f) {
  const From a = as<From>(operand);
  To result = {};
  for (uint32_t i = 0; i < kLaneCount<To>; ++i) result[i] = static_cast<LaneOf<To>>(f(a[i]));
  return as<V128>(result);
}
template <class To, class From, class F>
QIP_VECTOR V128 map(V128 left, V128 right, F f) {
  const From a = as<From>(left);
  const From b = as<From>(right);
  To result = {};
  for (uint32_t i = 0; i < kLaneCount<To>; ++i) result[i] = static_cast<LaneOf<To>>(f(a[i], b[i]));
  return as<V128>(result);
}

// `value`, or the nearest value that `Lane` can hold.
template <class Lane>
QIP_VECTOR Lane saturated(int32_t value) {
  constexpr int32_t kMinimum = std::numeric_limits<Lane>::min();
  constexpr int32_t kMaximum = std::numeric_limits<Lane>::max();
  return static_cast<Lane>(value < kMinimum ? kMinimum : value > kMaximum ? kMaximum : value);
}

template <class Lanes>
QIP_VECTOR LaneOf<Lanes> lane_at(V128 a, uint32_t lane) {
  return as<Lanes>(a)[lane];
}

template <class Lanes, class Half>
QIP_VECTOR Lanes widened_low(V128 a) {
  return converted_low_half<Lanes, Half>(a);
}

template <class Lanes>
QIP_VECTOR uint32_t all_true(V128 operand) {
  const Lanes a = as<Lanes>(operand);
  uint32_t result = 1;
  for (uint32_t i = 0; i < kLaneCount<Lanes>; ++i) result &= a[i] != 0;
  return result;
}

// Lanes must be signed.
template <class Lanes>
QIP_VECTOR uint32_t bitmask(V128 operand) {
  const Lanes a = as<Lanes>(operand);
  uint32_t result = 0;
  for (uint32_t i = 0; i < kLaneCount<Lanes>; ++i) result |= uint32_t{a[i] < 0} << i;
  return result;
}

template <class To, class From>
QIP_VECTOR V128 narrow(V128 left, V128 right) {
  const From a = as<From>(left);
  const From b = as<From>(right);
  To result = {};
  for (uint32_t i = 0; i < kLaneCount<From>; ++i) {
    result[i] = saturated<LaneOf<To>>(a[i]);
    result[i + kLaneCount<From>] = saturated<LaneOf<To>>(b[i]);
  }
  return as<V128>(result);
}

template <class To, class From>
QIP_VECTOR V128 extended_pair_sums(V128 operand) {
  const From a = as<From>(operand);
  To result = {};
  for (uint32_t i = 0; i < kLaneCount<To>; ++i) {
    result[i] = static_cast<LaneOf<To>>(LaneOf<To>{a[2 * i]} + LaneOf<To>{a[2 * i + 1]});
  }
  return as<V128>(result);
}

// The products of the `To` count of lanes from `first` on.
template <class To, class From>
QIP_VECTOR V128 extended_products(V128 left, V128 right, uint32_t first) {
  const From a = as<From>(left);
  const From b = as<From>(right);
  To result = {};
  for (uint32_t i = 0; i < kLaneCount<To>; ++i) {
    result[i] = LaneOf<To>{a[first + i]} * LaneOf<To>{b[first + i]};
  }
  return as<V128>(result);
}

}  // namespace simd

// --- Whole vectors and bytes ---------------------------------------------------------------------

QIP_VECTOR uint32_t v128_any_true(V128 operand) {
  const simd::U64x2 a = simd::as<simd::U64x2>(operand);
  return (a[0] | a[1]) != 0;
}
QIP_VECTOR V128 i8x16_swizzle(V128 a, V128 lanes) {
  V128 result = {};
  for (uint32_t i = 0; i < 16; ++i) result[i] = lanes[i] < 16 ? a[lanes[i] & 15] : uint8_t{0};
  return result;
}
QIP_VECTOR V128 i8x16_shuffle(V128 a, V128 b, V128 lanes) {
  V128 result = {};
  for (uint32_t i = 0; i < 16; ++i) {
    result[i] = lanes[i] < 16 ? a[lanes[i]] : b[lanes[i] & 15];
  }
  return result;
}

// --- Tests of all lanes --------------------------------------------------------------------------

QIP_VECTOR uint32_t i8x16_all_true(V128 a) {
  return simd::all_true<simd::I8x16>(a);
}
QIP_VECTOR uint32_t i16x8_all_true(V128 a) {
  return simd::all_true<simd::I16x8>(a);
}
QIP_VECTOR uint32_t i32x4_all_true(V128 a) {
  return simd::all_true<simd::I32x4>(a);
}
QIP_VECTOR uint32_t i64x2_all_true(V128 a) {
  return simd::all_true<simd::I64x2>(a);
}
QIP_VECTOR uint32_t i8x16_bitmask(V128 a) {
  return simd::bitmask<simd::I8x16>(a);
}
QIP_VECTOR uint32_t i16x8_bitmask(V128 a) {
  return simd::bitmask<simd::I16x8>(a);
}
QIP_VECTOR uint32_t i32x4_bitmask(V128 a) {
  return simd::bitmask<simd::I32x4>(a);
}
QIP_VECTOR uint32_t i64x2_bitmask(V128 a) {
  return simd::bitmask<simd::I64x2>(a);
}

// --- Integers ------------------------------------------------------------------------------------

// An expression over lanes a (and b).
#define QIP_LANES(name, Lanes, ...)                                                          \
  QIP_VECTOR V128 name(V128 operand) {                                                       \
    using Lane = simd::LaneOf<simd::Lanes>;                                                  \
    return simd::map<simd::Lanes, simd::Lanes>(operand, [](Lane a) { return __VA_ARGS__; }); \
  }
#define QIP_LANE_PAIRS(name, Lanes, ...)                                                    \
  QIP_VECTOR V128 name(V128 left, V128 right) {                                             \
    using Lane = simd::LaneOf<simd::Lanes>;                                                 \
    return simd::map<simd::Lanes, simd::Lanes>(left, right,                                 \
                                               [](Lane a, Lane b) { return __VA_ARGS__; }); \
  }

QIP_LANES(i8x16_abs, I8x16, a < 0 ? -a : a)
QIP_LANES(i16x8_abs, I16x8, a < 0 ? -a : a)
QIP_LANES(i32x4_abs, U32x4, a >> 31 ? -a : a)
QIP_LANES(i8x16_popcnt, U8x16, scalar::population_count(a))

QIP_LANE_PAIRS(i8x16_min_s, I8x16, a < b ? a : b)
QIP_LANE_PAIRS(i8x16_min_u, U8x16, a < b ? a : b)
QIP_LANE_PAIRS(i8x16_max_s, I8x16, a > b ? a : b)
QIP_LANE_PAIRS(i8x16_max_u, U8x16, a > b ? a : b)
QIP_LANE_PAIRS(i16x8_min_s, I16x8, a < b ? a : b)
QIP_LANE_PAIRS(i16x8_min_u, U16x8, a < b ? a : b)
QIP_LANE_PAIRS(i16x8_max_s, I16x8, a > b ? a : b)
QIP_LANE_PAIRS(i16x8_max_u, U16x8, a > b ? a : b)
QIP_LANE_PAIRS(i32x4_min_s, I32x4, a < b ? a : b)
QIP_LANE_PAIRS(i32x4_min_u, U32x4, a < b ? a : b)
QIP_LANE_PAIRS(i32x4_max_s, I32x4, a > b ? a : b)
QIP_LANE_PAIRS(i32x4_max_u, U32x4, a > b ? a : b)
QIP_LANE_PAIRS(i64x2_gt_s, I64x2, -int64_t{a > b})

QIP_LANE_PAIRS(i8x16_add_sat_s, I8x16, simd::saturated<Lane>(a + b))
QIP_LANE_PAIRS(i8x16_add_sat_u, U8x16, simd::saturated<Lane>(a + b))
QIP_LANE_PAIRS(i8x16_sub_sat_s, I8x16, simd::saturated<Lane>(a - b))
QIP_LANE_PAIRS(i8x16_sub_sat_u, U8x16, simd::saturated<Lane>(a - b))
QIP_LANE_PAIRS(i16x8_add_sat_s, I16x8, simd::saturated<Lane>(a + b))
QIP_LANE_PAIRS(i16x8_add_sat_u, U16x8, simd::saturated<Lane>(a + b))
QIP_LANE_PAIRS(i16x8_sub_sat_s, I16x8, simd::saturated<Lane>(a - b))
QIP_LANE_PAIRS(i16x8_sub_sat_u, U16x8, simd::saturated<Lane>(a - b))
QIP_LANE_PAIRS(i8x16_avgr_u, U8x16, (a + b + 1) >> 1)
QIP_LANE_PAIRS(i16x8_avgr_u, U16x8, (a + b + 1) >> 1)
QIP_LANE_PAIRS(i16x8_q15mulr_sat_s, I16x8, simd::saturated<Lane>((a * b + 0x4000) >> 15))

QIP_VECTOR V128 i8x16_narrow_i16x8_s(V128 a, V128 b) {
  return simd::narrow<simd::I8x16, simd::I16x8>(a, b);
}
QIP_VECTOR V128 i8x16_narrow_i16x8_u(V128 a, V128 b) {
  return simd::narrow<simd::U8x16, simd::I16x8>(a, b);
}
QIP_VECTOR V128 i16x8_narrow_i32x4_s(V128 a, V128 b) {
  return simd::narrow<simd::I16x8, simd::I32x4>(a, b);
}
QIP_VECTOR V128 i16x8_narrow_i32x4_u(V128 a, V128 b) {
  return simd::narrow<simd::U16x8, simd::I32x4>(a, b);
}

QIP_VECTOR V128 i16x8_extadd_pairwise_i8x16_s(V128 a) {
  return simd::extended_pair_sums<simd::I16x8, simd::I8x16>(a);
}
QIP_VECTOR V128 i16x8_extadd_pairwise_i8x16_u(V128 a) {
  return simd::extended_pair_sums<simd::U16x8, simd::U8x16>(a);
}
QIP_VECTOR V128 i32x4_extadd_pairwise_i16x8_s(V128 a) {
  return simd::extended_pair_sums<simd::I32x4, simd::I16x8>(a);
}
QIP_VECTOR V128 i32x4_extadd_pairwise_i16x8_u(V128 a) {
  return simd::extended_pair_sums<simd::U32x4, simd::U16x8>(a);
}

QIP_VECTOR V128 i32x4_extmul_low_i16x8_s(V128 a, V128 b) {
  return simd::extended_products<simd::I32x4, simd::I16x8>(a, b, 0);
}
QIP_VECTOR V128 i32x4_extmul_high_i16x8_s(V128 a, V128 b) {
  return simd::extended_products<simd::I32x4, simd::I16x8>(a, b, 4);
}
QIP_VECTOR V128 i32x4_extmul_low_i16x8_u(V128 a, V128 b) {
  return simd::extended_products<simd::U32x4, simd::U16x8>(a, b, 0);
}
QIP_VECTOR V128 i32x4_extmul_high_i16x8_u(V128 a, V128 b) {
  return simd::extended_products<simd::U32x4, simd::U16x8>(a, b, 4);
}
QIP_VECTOR V128 i64x2_extmul_low_i32x4_s(V128 a, V128 b) {
  return simd::extended_products<simd::I64x2, simd::I32x4>(a, b, 0);
}
QIP_VECTOR V128 i64x2_extmul_high_i32x4_s(V128 a, V128 b) {
  return simd::extended_products<simd::I64x2, simd::I32x4>(a, b, 2);
}
QIP_VECTOR V128 i64x2_extmul_low_i32x4_u(V128 a, V128 b) {
  return simd::extended_products<simd::U64x2, simd::U32x4>(a, b, 0);
}
QIP_VECTOR V128 i64x2_extmul_high_i32x4_u(V128 a, V128 b) {
  return simd::extended_products<simd::U64x2, simd::U32x4>(a, b, 2);
}

// Only the sum of two products of minimal values exceeds 2^31 - 1; it wraps.
QIP_VECTOR V128 i32x4_dot_i16x8_s(V128 left, V128 right) {
  const simd::I16x8 a = simd::as<simd::I16x8>(left);
  const simd::I16x8 b = simd::as<simd::I16x8>(right);
  simd::U32x4 result = {};
  for (uint32_t i = 0; i < 4; ++i) {
    const int32_t even = a[2 * i] * b[2 * i];
    const int32_t odd = a[2 * i + 1] * b[2 * i + 1];
    result[i] = static_cast<uint32_t>(even) + static_cast<uint32_t>(odd);
  }
  return simd::as<V128>(result);
}

// --- Floats --------------------------------------------------------------------------------------

namespace simd {

// One scalar meaning on every lane.
#define QIP_EACH_LANE(name)                                                              \
  QIP_VECTOR F32x4 name(F32x4 a) {                                                       \
    return as<F32x4>(                                                                    \
        map<F32x4, F32x4>(as<V128>(a), [](float lane) { return scalar::name(lane); }));  \
  }                                                                                      \
  QIP_VECTOR F64x2 name(F64x2 a) {                                                       \
    return as<F64x2>(                                                                    \
        map<F64x2, F64x2>(as<V128>(a), [](double lane) { return scalar::name(lane); })); \
  }
QIP_EACH_LANE(round_up)
QIP_EACH_LANE(round_down)
QIP_EACH_LANE(round_to_zero)
QIP_EACH_LANE(round_to_even)
QIP_EACH_LANE(square_root)
#undef QIP_EACH_LANE

}  // namespace simd

QIP_LANE_PAIRS(f32x4_min, F32x4, scalar::minimum(a, b))
QIP_LANE_PAIRS(f32x4_max, F32x4, scalar::maximum(a, b))
QIP_LANE_PAIRS(f64x2_min, F64x2, scalar::minimum(a, b))
QIP_LANE_PAIRS(f64x2_max, F64x2, scalar::maximum(a, b))
QIP_LANE_PAIRS(f32x4_pmin, F32x4, b < a ? b : a)
QIP_LANE_PAIRS(f32x4_pmax, F32x4, a < b ? b : a)
QIP_LANE_PAIRS(f64x2_pmin, F64x2, b < a ? b : a)
QIP_LANE_PAIRS(f64x2_pmax, F64x2, a < b ? b : a)

// --- Floats to integers --------------------------------------------------------------------------

QIP_VECTOR V128 i32x4_trunc_sat_f32x4_s(V128 a) {
  return simd::map<simd::U32x4, simd::F32x4>(
      a, [](float lane) { return scalar::truncate_saturating<int32_t>(lane); });
}
QIP_VECTOR V128 i32x4_trunc_sat_f32x4_u(V128 a) {
  return simd::map<simd::U32x4, simd::F32x4>(
      a, [](float lane) { return scalar::truncate_saturating<uint32_t>(lane); });
}
QIP_VECTOR V128 i32x4_trunc_sat_f64x2_s_zero(V128 operand) {
  const simd::F64x2 a = simd::as<simd::F64x2>(operand);
  return simd::as<V128>(simd::U32x4{scalar::truncate_saturating<int32_t>(a[0]),
                                    scalar::truncate_saturating<int32_t>(a[1]), 0, 0});
}
QIP_VECTOR V128 i32x4_trunc_sat_f64x2_u_zero(V128 operand) {
  const simd::F64x2 a = simd::as<simd::F64x2>(operand);
  return simd::as<V128>(simd::U32x4{scalar::truncate_saturating<uint32_t>(a[0]),
                                    scalar::truncate_saturating<uint32_t>(a[1]), 0, 0});
}

#undef QIP_LANE_PAIRS
#undef QIP_LANES
#undef QIP_VECTOR

}  // namespace qip
