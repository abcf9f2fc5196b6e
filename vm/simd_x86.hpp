// The machine's part of vm/simd.hpp for x86-64 from SSE4.1 on.
//
// Promises: what vm/simd.hpp lists as the machine's part, with the results of vm/simd_generic.hpp.
// Assumes: the default rounding mode and no flush to zero (MXCSR as the ABI leaves it).
#pragma once

#include <smmintrin.h>
#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

#include "vm/simd_lanes.hpp"

namespace qip {

#define QIP_VECTOR [[gnu::always_inline]] inline

// One instruction, or a few, on integer lanes `a` and `b`.
#define QIP_UNARY(name, ...)            \
  QIP_VECTOR V128 name(V128 operand) {  \
    const __m128i a = (__m128i)operand; \
    return (V128)(__VA_ARGS__);         \
  }
#define QIP_BINARY(name, ...)                   \
  QIP_VECTOR V128 name(V128 left, V128 right) { \
    const __m128i a = (__m128i)left;            \
    const __m128i b = (__m128i)right;           \
    return (V128)(__VA_ARGS__);                 \
  }

// --- Whole vectors and bytes ---------------------------------------------------------------------

QIP_VECTOR uint32_t v128_any_true(V128 a) {
  return !_mm_testz_si128((__m128i)a, (__m128i)a);
}

// PSHUFB gives 0 for an index byte with its top bit set; adding 0x70 with saturation sets that bit
// for every index above 15 and leaves the low four bits of the others.
QIP_BINARY(i8x16_swizzle, _mm_shuffle_epi8(a, _mm_adds_epu8(b, _mm_set1_epi8(0x70))))

// Lane numbers 0..15 pick from a, 16..31 from b; `lanes` is validated to hold no others.
QIP_VECTOR V128 i8x16_shuffle(V128 a, V128 b, V128 lanes) {
  const __m128i from_a = _mm_adds_epu8((__m128i)lanes, _mm_set1_epi8(0x70));
  const __m128i from_b = _mm_sub_epi8((__m128i)lanes, _mm_set1_epi8(16));
  return (V128)_mm_or_si128(_mm_shuffle_epi8((__m128i)a, from_a),
                            _mm_shuffle_epi8((__m128i)b, from_b));
}

namespace simd {

// The lane with a number that is only known at run time (below the lane count), without a detour
// through the stack.
template <class Lanes>
QIP_VECTOR LaneOf<Lanes> lane_at(V128 a, uint32_t lane) {
  using Lane = LaneOf<Lanes>;
  const uint64_t first_byte = lane * sizeof(Lane);
  const uint64_t byte_numbers = first_byte * 0x0101010101010101 + 0x0706050403020100;
  const __m128i moved =
      _mm_shuffle_epi8((__m128i)a, _mm_cvtsi64_si128(static_cast<int64_t>(byte_numbers)));
  if constexpr (std::is_same_v<Lane, float>) return _mm_cvtss_f32(_mm_castsi128_ps(moved));
  if constexpr (std::is_same_v<Lane, double>) return _mm_cvtsd_f64(_mm_castsi128_pd(moved));
  if constexpr (std::is_integral_v<Lane>) return static_cast<Lane>(_mm_cvtsi128_si64(moved));
}

// The lanes of the low half `Half` of a, converted by value to the wider lanes `Lanes`. As
// converted_low_half(), which GCC 12 takes apart into single lanes.
template <class Lanes, class Half>
QIP_VECTOR Lanes widened_low(V128 a) {
  if constexpr (std::is_same_v<Half, I8x8>) return (Lanes)_mm_cvtepi8_epi16((__m128i)a);
  if constexpr (std::is_same_v<Half, U8x8>) return (Lanes)_mm_cvtepu8_epi16((__m128i)a);
  if constexpr (std::is_same_v<Half, I16x4>) return (Lanes)_mm_cvtepi16_epi32((__m128i)a);
  if constexpr (std::is_same_v<Half, U16x4>) return (Lanes)_mm_cvtepu16_epi32((__m128i)a);
  if constexpr (std::is_same_v<Half, U32x2>) return (Lanes)_mm_cvtepu32_epi64((__m128i)a);
  if constexpr (std::is_same_v<Half, F32x2>) return (Lanes)_mm_cvtps_pd((__m128)a);
  if constexpr (std::is_same_v<Half, I32x2>) {
    if constexpr (std::is_same_v<Lanes, F64x2>) return (Lanes)_mm_cvtepi32_pd((__m128i)a);
    if constexpr (std::is_same_v<Lanes, I64x2>) return (Lanes)_mm_cvtepi32_epi64((__m128i)a);
  }
}

}  // namespace simd

// --- Tests of all lanes --------------------------------------------------------------------------

#define QIP_ALL_TRUE(name, compare)                                 \
  QIP_VECTOR uint32_t name(V128 a) {                                \
    const __m128i zeros = compare((__m128i)a, _mm_setzero_si128()); \
    return _mm_testz_si128(zeros, zeros);                           \
  }
QIP_ALL_TRUE(i8x16_all_true, _mm_cmpeq_epi8)
QIP_ALL_TRUE(i16x8_all_true, _mm_cmpeq_epi16)
QIP_ALL_TRUE(i32x4_all_true, _mm_cmpeq_epi32)
QIP_ALL_TRUE(i64x2_all_true, _mm_cmpeq_epi64)
#undef QIP_ALL_TRUE

QIP_VECTOR uint32_t i8x16_bitmask(V128 a) {
  return static_cast<uint32_t>(_mm_movemask_epi8((__m128i)a));
}
QIP_VECTOR uint32_t i16x8_bitmask(V128 a) {
  const __m128i bytes = _mm_packs_epi16((__m128i)a, _mm_setzero_si128());
  return static_cast<uint32_t>(_mm_movemask_epi8(bytes));
}
QIP_VECTOR uint32_t i32x4_bitmask(V128 a) {
  return static_cast<uint32_t>(_mm_movemask_ps((__m128)a));
}
QIP_VECTOR uint32_t i64x2_bitmask(V128 a) {
  return static_cast<uint32_t>(_mm_movemask_pd((__m128d)a));
}

// --- Integers ------------------------------------------------------------------------------------

QIP_UNARY(i8x16_abs, _mm_abs_epi8(a))
QIP_UNARY(i16x8_abs, _mm_abs_epi16(a))
QIP_UNARY(i32x4_abs, _mm_abs_epi32(a))

QIP_BINARY(i8x16_min_s, _mm_min_epi8(a, b))
QIP_BINARY(i8x16_min_u, _mm_min_epu8(a, b))
QIP_BINARY(i8x16_max_s, _mm_max_epi8(a, b))
QIP_BINARY(i8x16_max_u, _mm_max_epu8(a, b))
QIP_BINARY(i16x8_min_s, _mm_min_epi16(a, b))
QIP_BINARY(i16x8_min_u, _mm_min_epu16(a, b))
QIP_BINARY(i16x8_max_s, _mm_max_epi16(a, b))
QIP_BINARY(i16x8_max_u, _mm_max_epu16(a, b))
QIP_BINARY(i32x4_min_s, _mm_min_epi32(a, b))
QIP_BINARY(i32x4_min_u, _mm_min_epu32(a, b))
QIP_BINARY(i32x4_max_s, _mm_max_epi32(a, b))
QIP_BINARY(i32x4_max_u, _mm_max_epu32(a, b))

QIP_BINARY(i8x16_add_sat_s, _mm_adds_epi8(a, b))
QIP_BINARY(i8x16_add_sat_u, _mm_adds_epu8(a, b))
QIP_BINARY(i8x16_sub_sat_s, _mm_subs_epi8(a, b))
QIP_BINARY(i8x16_sub_sat_u, _mm_subs_epu8(a, b))
QIP_BINARY(i16x8_add_sat_s, _mm_adds_epi16(a, b))
QIP_BINARY(i16x8_add_sat_u, _mm_adds_epu16(a, b))
QIP_BINARY(i16x8_sub_sat_s, _mm_subs_epi16(a, b))
QIP_BINARY(i16x8_sub_sat_u, _mm_subs_epu16(a, b))
QIP_BINARY(i8x16_avgr_u, _mm_avg_epu8(a, b))
QIP_BINARY(i16x8_avgr_u, _mm_avg_epu16(a, b))

QIP_BINARY(i8x16_narrow_i16x8_s, _mm_packs_epi16(a, b))
QIP_BINARY(i8x16_narrow_i16x8_u, _mm_packus_epi16(a, b))
QIP_BINARY(i16x8_narrow_i32x4_s, _mm_packs_epi32(a, b))
QIP_BINARY(i16x8_narrow_i32x4_u, _mm_packus_epi32(a, b))

// The bit count of each half byte by table.
QIP_VECTOR V128 i8x16_popcnt(V128 operand) {
  const __m128i a = (__m128i)operand;
  const __m128i low_half = _mm_set1_epi8(0x0F);
  const __m128i counts = _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m128i low = _mm_shuffle_epi8(counts, _mm_and_si128(a, low_half));
  const __m128i high = _mm_shuffle_epi8(counts, _mm_and_si128(_mm_srli_epi16(a, 4), low_half));
  return (V128)_mm_add_epi8(low, high);
}

// PMULHRSW wraps in one case only, -1.0 times -1.0: 0x8000, which no other product gives.
QIP_VECTOR V128 i16x8_q15mulr_sat_s(V128 a, V128 b) {
  const __m128i product = _mm_mulhrs_epi16((__m128i)a, (__m128i)b);
  const __m128i wrapped = _mm_cmpeq_epi16(product, _mm_set1_epi16(INT16_MIN));
  return (V128)_mm_xor_si128(product, wrapped);
}

QIP_BINARY(i32x4_dot_i16x8_s, _mm_madd_epi16(a, b))

// Multiply-and-add-pairs by one. PMADDUBSW takes its first operand as unsigned.
QIP_UNARY(i16x8_extadd_pairwise_i8x16_s, _mm_maddubs_epi16(_mm_set1_epi8(1), a))
QIP_UNARY(i16x8_extadd_pairwise_i8x16_u, _mm_maddubs_epi16(a, _mm_set1_epi8(1)))
QIP_UNARY(i32x4_extadd_pairwise_i16x8_s, _mm_madd_epi16(a, _mm_set1_epi16(1)))
QIP_UNARY(i32x4_extadd_pairwise_i16x8_u,
          _mm_add_epi32(_mm_srli_epi32(a, 16), _mm_and_si128(a, _mm_set1_epi32(0xFFFF))))

QIP_BINARY(i32x4_extmul_low_i16x8_s,
           _mm_unpacklo_epi16(_mm_mullo_epi16(a, b), _mm_mulhi_epi16(a, b)))
QIP_BINARY(i32x4_extmul_high_i16x8_s,
           _mm_unpackhi_epi16(_mm_mullo_epi16(a, b), _mm_mulhi_epi16(a, b)))
QIP_BINARY(i32x4_extmul_low_i16x8_u,
           _mm_unpacklo_epi16(_mm_mullo_epi16(a, b), _mm_mulhi_epu16(a, b)))
QIP_BINARY(i32x4_extmul_high_i16x8_u,
           _mm_unpackhi_epi16(_mm_mullo_epi16(a, b), _mm_mulhi_epu16(a, b)))

// PMULDQ and PMULUDQ multiply lanes 0 and 2.
#define QIP_LOW_LANES(a) _mm_shuffle_epi32(a, _MM_SHUFFLE(1, 1, 0, 0))
#define QIP_HIGH_LANES(a) _mm_shuffle_epi32(a, _MM_SHUFFLE(3, 3, 2, 2))
QIP_BINARY(i64x2_extmul_low_i32x4_s, _mm_mul_epi32(QIP_LOW_LANES(a), QIP_LOW_LANES(b)))
QIP_BINARY(i64x2_extmul_high_i32x4_s, _mm_mul_epi32(QIP_HIGH_LANES(a), QIP_HIGH_LANES(b)))
QIP_BINARY(i64x2_extmul_low_i32x4_u, _mm_mul_epu32(QIP_LOW_LANES(a), QIP_LOW_LANES(b)))
QIP_BINARY(i64x2_extmul_high_i32x4_u, _mm_mul_epu32(QIP_HIGH_LANES(a), QIP_HIGH_LANES(b)))
#undef QIP_HIGH_LANES
#undef QIP_LOW_LANES

#if defined(__SSE4_2__)
QIP_BINARY(i64x2_gt_s, _mm_cmpgt_epi64(a, b))
#else
// The high words decide; where they are equal, the borrow of b - a, which then is the high word of
// the difference, tells whether the low word of a is the greater one.
QIP_VECTOR V128 i64x2_gt_s(V128 left, V128 right) {
  const __m128i a = (__m128i)left;
  const __m128i b = (__m128i)right;
  const __m128i borrow = _mm_and_si128(_mm_cmpeq_epi32(a, b), _mm_sub_epi64(b, a));
  const __m128i greater = _mm_or_si128(_mm_cmpgt_epi32(a, b), borrow);
  return (V128)_mm_shuffle_epi32(greater, _MM_SHUFFLE(3, 3, 1, 1));
}
#endif

// --- Floats --------------------------------------------------------------------------------------

namespace simd {

QIP_VECTOR F32x4 round_up(F32x4 a) {
  return _mm_ceil_ps(a);
}
QIP_VECTOR F64x2 round_up(F64x2 a) {
  return _mm_ceil_pd(a);
}
QIP_VECTOR F32x4 round_down(F32x4 a) {
  return _mm_floor_ps(a);
}
QIP_VECTOR F64x2 round_down(F64x2 a) {
  return _mm_floor_pd(a);
}
QIP_VECTOR F32x4 round_to_zero(F32x4 a) {
  return _mm_round_ps(a, _MM_FROUND_TRUNC);
}
QIP_VECTOR F64x2 round_to_zero(F64x2 a) {
  return _mm_round_pd(a, _MM_FROUND_TRUNC);
}
QIP_VECTOR F32x4 round_to_even(F32x4 a) {
  return _mm_round_ps(a, _MM_FROUND_NINT);
}
QIP_VECTOR F64x2 round_to_even(F64x2 a) {
  return _mm_round_pd(a, _MM_FROUND_NINT);
}
QIP_VECTOR F32x4 square_root(F32x4 a) {
  return _mm_sqrt_ps(a);
}
QIP_VECTOR F64x2 square_root(F64x2 a) {
  return _mm_sqrt_pd(a);
}

}  // namespace simd

// As scalar::minimum and maximum; MINPS gives its second operand for equal operands and for NaN.
QIP_VECTOR V128 f32x4_min(V128 left, V128 right) {
  const __m128 a = (__m128)left;
  const __m128 b = (__m128)right;
  const __m128 ordered = _mm_or_ps(_mm_min_ps(a, b), _mm_min_ps(b, a));
  return simd::select_bits((V128)_mm_cmpunord_ps(a, b), (V128)_mm_set1_ps(kCanonicalNaN<float>),
                           (V128)ordered);
}
QIP_VECTOR V128 f32x4_max(V128 left, V128 right) {
  const __m128 a = (__m128)left;
  const __m128 b = (__m128)right;
  const __m128 ordered = _mm_and_ps(_mm_max_ps(a, b), _mm_max_ps(b, a));
  return simd::select_bits((V128)_mm_cmpunord_ps(a, b), (V128)_mm_set1_ps(kCanonicalNaN<float>),
                           (V128)ordered);
}
QIP_VECTOR V128 f64x2_min(V128 left, V128 right) {
  const __m128d a = (__m128d)left;
  const __m128d b = (__m128d)right;
  const __m128d ordered = _mm_or_pd(_mm_min_pd(a, b), _mm_min_pd(b, a));
  return simd::select_bits((V128)_mm_cmpunord_pd(a, b), (V128)_mm_set1_pd(kCanonicalNaN<double>),
                           (V128)ordered);
}
QIP_VECTOR V128 f64x2_max(V128 left, V128 right) {
  const __m128d a = (__m128d)left;
  const __m128d b = (__m128d)right;
  const __m128d ordered = _mm_and_pd(_mm_max_pd(a, b), _mm_max_pd(b, a));
  return simd::select_bits((V128)_mm_cmpunord_pd(a, b), (V128)_mm_set1_pd(kCanonicalNaN<double>),
                           (V128)ordered);
}

// pmin is b < a ? b : a, which is MINPS with its operands swapped.
QIP_VECTOR V128 f32x4_pmin(V128 a, V128 b) {
  return (V128)_mm_min_ps((__m128)b, (__m128)a);
}
QIP_VECTOR V128 f32x4_pmax(V128 a, V128 b) {
  return (V128)_mm_max_ps((__m128)b, (__m128)a);
}
QIP_VECTOR V128 f64x2_pmin(V128 a, V128 b) {
  return (V128)_mm_min_pd((__m128d)b, (__m128d)a);
}
QIP_VECTOR V128 f64x2_pmax(V128 a, V128 b) {
  return (V128)_mm_max_pd((__m128d)b, (__m128d)a);
}

// --- Floats to integers --------------------------------------------------------------------------

// CVTTPS2DQ gives 0x80000000 for whatever does not fit: right below the range; above it, all bits
// are flipped; NaN is replaced by 0 before.
QIP_VECTOR V128 i32x4_trunc_sat_f32x4_s(V128 operand) {
  const __m128 a = (__m128)operand;
  const __m128 number = _mm_and_ps(a, _mm_cmpord_ps(a, a));
  const __m128 above = _mm_cmpge_ps(number, _mm_set1_ps(2147483648.0f));
  return (V128)_mm_xor_si128(_mm_cvttps_epi32(number), _mm_castps_si128(above));
}

// The sum of what is below 2^31 and the saturated rest. A value of 2^31 or more converts to
// 0x80000000, which is the first summand it needs.
QIP_VECTOR V128 i32x4_trunc_sat_f32x4_u(V128 operand) {
  const __m128 two_to_31 = _mm_set1_ps(2147483648.0f);
  // The second operand where the first is NaN.
  const __m128 number = _mm_max_ps((__m128)operand, _mm_setzero_ps());
  const __m128 rest = _mm_sub_ps(number, two_to_31);
  const __m128i rest_above = _mm_castps_si128(_mm_cmpge_ps(rest, two_to_31));
  const __m128i rest_integer = _mm_xor_si128(_mm_cvttps_epi32(rest), rest_above);
  return (V128)_mm_add_epi32(_mm_cvttps_epi32(number),
                             _mm_max_epi32(rest_integer, _mm_setzero_si128()));
}

QIP_VECTOR V128 i32x4_trunc_sat_f64x2_s_zero(V128 operand) {
  const __m128d a = (__m128d)operand;
  // MINPD gives its second operand for NaN: 0 there, the maximum elsewhere.
  const __m128d upper = _mm_and_pd(_mm_cmpord_pd(a, a), _mm_set1_pd(2147483647.0));
  return (V128)_mm_cvttpd_epi32(_mm_min_pd(a, upper));
}

// After adding 2^52 the low half of the representation is the integer.
QIP_VECTOR V128 i32x4_trunc_sat_f64x2_u_zero(V128 operand) {
  const __m128d number = _mm_max_pd((__m128d)operand, _mm_setzero_pd());
  const __m128d limited = _mm_min_pd(number, _mm_set1_pd(4294967295.0));
  const __m128d integral = _mm_round_pd(limited, _MM_FROUND_TRUNC);
  const __m128d shifted = _mm_add_pd(integral, _mm_set1_pd(4503599627370496.0));
  return (V128)_mm_shuffle_ps(_mm_castpd_ps(shifted), _mm_setzero_ps(), _MM_SHUFFLE(0, 0, 2, 0));
}

#undef QIP_BINARY
#undef QIP_UNARY
#undef QIP_VECTOR

}  // namespace qip
