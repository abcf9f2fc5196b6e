// The meaning of every scalar numeric instruction: one pure function per opcode, under the snake
// case form of the opcode's name. loader/opcodes.def names them; vm/simd.hpp has the vector ones.
//
// Promises: no undefined behaviour for any operand; equal results on every machine, to the bit.
// Deterministic profile: a NaN that arithmetic produces is the positive canonical NaN, whatever the
// operands' payloads were. abs, neg, copysign and reinterpret keep bits.
// Assumes: IEEE 754 evaluation in the operand's own format and round to nearest (asserted below);
// the build passes -ffp-contract=off, because a fused multiply-add would round once, not twice.
// Source: specification, "Execution/Numerics".
#pragma once

#include <bit>
#include <cfloat>
#include <cstdint>
#include <limits>
#include <type_traits>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "vm/trap.hpp"

namespace qip {

static_assert(std::numeric_limits<float>::is_iec559 && std::numeric_limits<double>::is_iec559);
static_assert(FLT_EVAL_METHOD == 0, "float arithmetic must not be evaluated in a wider format");

template <class F>
inline constexpr F kCanonicalNaN = std::numeric_limits<F>::quiet_NaN();
static_assert(std::bit_cast<uint32_t>(kCanonicalNaN<float>) == 0x7FC00000);
static_assert(std::bit_cast<uint64_t>(kCanonicalNaN<double>) == 0x7FF8000000000000);

// Keeps the compiler from turning the branch around it into a select. NaNs are rare, so a predicted
// branch costs nothing, while a select would lengthen every chain of float operations.
[[gnu::always_inline]] constexpr void stay_a_branch() {
  if (!std::is_constant_evaluated()) asm volatile("");
}

// `value`, or the canonical NaN if it is a NaN.
template <class F>
[[gnu::always_inline]] constexpr F canonical(F value) {
  if (__builtin_expect(value != value, 0)) {
    stay_a_branch();
    return kCanonicalNaN<F>;
  }
  return value;
}

// What the meanings below know about the machine's values. Another policy may hold several
// independent values side by side; then every meaning works on all of them.
struct OneLane {
  using i32 = uint32_t;
  using i64 = uint64_t;
  using f32 = float;
  using f64 = double;
  using s32 = int32_t;  // i32 and i64 read as signed
  using s64 = int64_t;

  // The i32 that a comparison gives.
  [[gnu::always_inline]] static constexpr i32 truth(bool condition) { return condition; }
};

namespace scalar {

// --- Integers ------------------------------------------------------------------------------------

// The parallel bit count. Compilers turn it into the machine's instruction where there is one; the
// builtin would call into the runtime library where there is none.
template <class U>
[[gnu::always_inline]] constexpr U population_count(U value) {
  constexpr U kOnes = static_cast<U>(~U{0});
  value = static_cast<U>(value - ((value >> 1) & (kOnes / 3)));
  value = static_cast<U>((value & (kOnes / 5)) + ((value >> 2) & (kOnes / 5)));
  value = static_cast<U>((value + (value >> 4)) & (kOnes / 17));
  return static_cast<U>(static_cast<U>(value * (kOnes / 255)) >> (8 * (sizeof(U) - 1)));
}

template <class U>
[[gnu::always_inline]] constexpr Checked<U> divide_signed(U a, U b) {
  using S = std::make_signed_t<U>;
  if (__builtin_expect(b == 0, 0)) return {U{0}, Trap::IntegerDivideByZero};
  const bool overflows =
      static_cast<S>(a) == std::numeric_limits<S>::min() && static_cast<S>(b) == -1;
  if (__builtin_expect(overflows, 0)) return {U{0}, Trap::IntegerOverflow};
  return {static_cast<U>(static_cast<S>(a) / static_cast<S>(b)), Trap::None};
}

template <class U>
[[gnu::always_inline]] constexpr Checked<U> divide_unsigned(U a, U b) {
  if (__builtin_expect(b == 0, 0)) return {U{0}, Trap::IntegerDivideByZero};
  return {a / b, Trap::None};
}

template <class U>
[[gnu::always_inline]] constexpr Checked<U> remainder_signed(U a, U b) {
  using S = std::make_signed_t<U>;
  if (__builtin_expect(b == 0, 0)) return {U{0}, Trap::IntegerDivideByZero};
  // minimum % -1 is 0, but the quotient that the machine forms on the way would overflow.
  if (__builtin_expect(static_cast<S>(b) == -1, 0)) return {U{0}, Trap::None};
  return {static_cast<U>(static_cast<S>(a) % static_cast<S>(b)), Trap::None};
}

template <class U>
[[gnu::always_inline]] constexpr Checked<U> remainder_unsigned(U a, U b) {
  if (__builtin_expect(b == 0, 0)) return {U{0}, Trap::IntegerDivideByZero};
  return {a % b, Trap::None};
}

// --- Floats --------------------------------------------------------------------------------------

template <class F>
using BitsOf = std::conditional_t<sizeof(F) == 4, uint32_t, uint64_t>;

// One of the two is a NaN. One comparison, but Clang 19 does not evaluate its builtin for
// constants.
template <class F>
[[gnu::always_inline]] constexpr bool are_unordered(F a, F b) {
  if (std::is_constant_evaluated()) return a != a || b != b;
  return __builtin_isunordered(a, b);
}

// The bits set in either of two floats, and in both. The vector forms only keep compilers from
// moving the bits through integer registers and back.
template <class F>
[[gnu::always_inline]] constexpr F either_bits(F a, F b) {
#if defined(__SSE2__)
  if (!std::is_constant_evaluated()) {
    if constexpr (sizeof(F) == 4) return _mm_cvtss_f32(_mm_or_ps(_mm_set_ss(a), _mm_set_ss(b)));
    if constexpr (sizeof(F) == 8) return _mm_cvtsd_f64(_mm_or_pd(_mm_set_sd(a), _mm_set_sd(b)));
  }
#endif
  return std::bit_cast<F>(std::bit_cast<BitsOf<F>>(a) | std::bit_cast<BitsOf<F>>(b));
}
template <class F>
[[gnu::always_inline]] constexpr F common_bits(F a, F b) {
#if defined(__SSE2__)
  if (!std::is_constant_evaluated()) {
    if constexpr (sizeof(F) == 4) return _mm_cvtss_f32(_mm_and_ps(_mm_set_ss(a), _mm_set_ss(b)));
    if constexpr (sizeof(F) == 8) return _mm_cvtsd_f64(_mm_and_pd(_mm_set_sd(a), _mm_set_sd(b)));
  }
#endif
  return std::bit_cast<F>(std::bit_cast<BitsOf<F>>(a) & std::bit_cast<BitsOf<F>>(b));
}

// The two selections differ only where the operands compare equal, that is for -0 and +0: there
// `or` keeps the minus sign of either and `and` the plus sign of either. No branch but for NaN,
// because clamped data makes the comparison itself unpredictable.
template <class F>
[[gnu::always_inline]] constexpr F minimum(F a, F b) {
  if (__builtin_expect(are_unordered(a, b), 0)) {
    stay_a_branch();
    return kCanonicalNaN<F>;
  }
  return either_bits(a < b ? a : b, b < a ? b : a);
}

template <class F>
[[gnu::always_inline]] constexpr F maximum(F a, F b) {
  if (__builtin_expect(are_unordered(a, b), 0)) {
    stay_a_branch();
    return kCanonicalNaN<F>;
  }
  return common_bits(a > b ? a : b, b > a ? b : a);
}

// Rounding to an integral value in the same format. The machine has one instruction for each of
// them (SSE4.1, AArch64); elsewhere these call the C library. Not constexpr: builtins are not.
#define QIP_ROUNDING(name, builtin)                         \
  [[gnu::always_inline]] inline float name(float value) {   \
    return canonical(__builtin_##builtin##f(value));        \
  }                                                         \
  [[gnu::always_inline]] inline double name(double value) { \
    return canonical(__builtin_##builtin(value));           \
  }
QIP_ROUNDING(round_up, ceil)
QIP_ROUNDING(round_down, floor)
QIP_ROUNDING(round_to_zero, trunc)
QIP_ROUNDING(round_to_even, nearbyint)
QIP_ROUNDING(square_root, sqrt)
#undef QIP_ROUNDING

// --- Floats to integers --------------------------------------------------------------------------

// Which floats F truncate into the integer type I: those with lower <= value < upper, or, if F can
// tell minimum - 1 from minimum, those with lower < value < upper. Every bound is exact in F.
template <class I, class F>
struct TruncationRange {
  static constexpr int kValueBits = std::numeric_limits<I>::digits;
  // 2^kValueBits: a power of two is exact in F.
  static constexpr F kUpper = static_cast<F>(I{1} << (kValueBits - 1)) * 2;
  static constexpr bool kLowerIsExclusive =
      std::is_unsigned_v<I> || kValueBits < std::numeric_limits<F>::digits;
  static constexpr F kLower = std::is_unsigned_v<I> ? F{-1}
                              : kLowerIsExclusive   ? -kUpper - 1
                                                    : -kUpper;

  [[gnu::always_inline]] static constexpr bool is_above_lower(F value) {
    return kLowerIsExclusive ? value > kLower : value >= kLower;
  }
  // False for NaN.
  [[gnu::always_inline]] static constexpr bool contains(F value) {
    return is_above_lower(value) && value < kUpper;
  }
};

template <class I, class F>
[[gnu::always_inline]] constexpr Checked<std::make_unsigned_t<I>> truncate(F value) {
  using U = std::make_unsigned_t<I>;
  if (__builtin_expect(TruncationRange<I, F>::contains(value), 1)) {
    return {static_cast<U>(static_cast<I>(value)), Trap::None};
  }
  return {U{0}, value != value ? Trap::InvalidConversionToInteger : Trap::IntegerOverflow};
}

template <class I, class F>
[[gnu::always_inline]] constexpr std::make_unsigned_t<I> truncate_saturating(F value) {
  using U = std::make_unsigned_t<I>;
  using Range = TruncationRange<I, F>;
  if (__builtin_expect(Range::contains(value), 1)) return static_cast<U>(static_cast<I>(value));
  if (value != value) return 0;
  return static_cast<U>(value < 0 ? std::numeric_limits<I>::min() : std::numeric_limits<I>::max());
}

}  // namespace scalar

// One static function per opcode. Comparisons and tests give 0 or 1. Those that may trap give a
// Checked<T>. Values of type i32 and i64 are unsigned here; `s32` and `s64` read them as signed.
#define QIP_MEANING [[gnu::always_inline]] static constexpr
#define QIP_RUNTIME_MEANING [[gnu::always_inline]] static inline
template <class Lane>
struct Semantics {
  using i32 = typename Lane::i32;
  using i64 = typename Lane::i64;
  using f32 = typename Lane::f32;
  using f64 = typename Lane::f64;
  using s32 = typename Lane::s32;
  using s64 = typename Lane::s64;

  // --- i32 ---------------------------------------------------------------------------------------

  QIP_MEANING i32 i32_eqz(i32 a) { return Lane::truth(a == 0); }
  QIP_MEANING i32 i32_eq(i32 a, i32 b) { return Lane::truth(a == b); }
  QIP_MEANING i32 i32_ne(i32 a, i32 b) { return Lane::truth(a != b); }
  QIP_MEANING i32 i32_lt_s(i32 a, i32 b) { return Lane::truth(s32(a) < s32(b)); }
  QIP_MEANING i32 i32_lt_u(i32 a, i32 b) { return Lane::truth(a < b); }
  QIP_MEANING i32 i32_gt_s(i32 a, i32 b) { return Lane::truth(s32(a) > s32(b)); }
  QIP_MEANING i32 i32_gt_u(i32 a, i32 b) { return Lane::truth(a > b); }
  QIP_MEANING i32 i32_le_s(i32 a, i32 b) { return Lane::truth(s32(a) <= s32(b)); }
  QIP_MEANING i32 i32_le_u(i32 a, i32 b) { return Lane::truth(a <= b); }
  QIP_MEANING i32 i32_ge_s(i32 a, i32 b) { return Lane::truth(s32(a) >= s32(b)); }
  QIP_MEANING i32 i32_ge_u(i32 a, i32 b) { return Lane::truth(a >= b); }

  QIP_MEANING i32 i32_clz(i32 a) { return i32(std::countl_zero(a)); }
  QIP_MEANING i32 i32_ctz(i32 a) { return i32(std::countr_zero(a)); }
  QIP_MEANING i32 i32_popcnt(i32 a) { return scalar::population_count(a); }
  QIP_MEANING i32 i32_add(i32 a, i32 b) { return a + b; }
  QIP_MEANING i32 i32_sub(i32 a, i32 b) { return a - b; }
  QIP_MEANING i32 i32_mul(i32 a, i32 b) { return a * b; }
  QIP_MEANING Checked<i32> i32_div_s(i32 a, i32 b) { return scalar::divide_signed(a, b); }
  QIP_MEANING Checked<i32> i32_div_u(i32 a, i32 b) { return scalar::divide_unsigned(a, b); }
  QIP_MEANING Checked<i32> i32_rem_s(i32 a, i32 b) { return scalar::remainder_signed(a, b); }
  QIP_MEANING Checked<i32> i32_rem_u(i32 a, i32 b) { return scalar::remainder_unsigned(a, b); }
  QIP_MEANING i32 i32_and(i32 a, i32 b) { return a & b; }
  QIP_MEANING i32 i32_or(i32 a, i32 b) { return a | b; }
  QIP_MEANING i32 i32_xor(i32 a, i32 b) { return a ^ b; }
  QIP_MEANING i32 i32_shl(i32 a, i32 b) { return a << (b & 31); }
  QIP_MEANING i32 i32_shr_s(i32 a, i32 b) { return i32(s32(a) >> (b & 31)); }
  QIP_MEANING i32 i32_shr_u(i32 a, i32 b) { return a >> (b & 31); }
  QIP_MEANING i32 i32_rotl(i32 a, i32 b) { return a << (b & 31) | a >> (-b & 31); }
  QIP_MEANING i32 i32_rotr(i32 a, i32 b) { return a >> (b & 31) | a << (-b & 31); }
  QIP_MEANING i32 i32_extend8_s(i32 a) { return i32(s32(a << 24) >> 24); }
  QIP_MEANING i32 i32_extend16_s(i32 a) { return i32(s32(a << 16) >> 16); }

  // --- i64 ---------------------------------------------------------------------------------------

  QIP_MEANING i32 i64_eqz(i64 a) { return Lane::truth(a == 0); }
  QIP_MEANING i32 i64_eq(i64 a, i64 b) { return Lane::truth(a == b); }
  QIP_MEANING i32 i64_ne(i64 a, i64 b) { return Lane::truth(a != b); }
  QIP_MEANING i32 i64_lt_s(i64 a, i64 b) { return Lane::truth(s64(a) < s64(b)); }
  QIP_MEANING i32 i64_lt_u(i64 a, i64 b) { return Lane::truth(a < b); }
  QIP_MEANING i32 i64_gt_s(i64 a, i64 b) { return Lane::truth(s64(a) > s64(b)); }
  QIP_MEANING i32 i64_gt_u(i64 a, i64 b) { return Lane::truth(a > b); }
  QIP_MEANING i32 i64_le_s(i64 a, i64 b) { return Lane::truth(s64(a) <= s64(b)); }
  QIP_MEANING i32 i64_le_u(i64 a, i64 b) { return Lane::truth(a <= b); }
  QIP_MEANING i32 i64_ge_s(i64 a, i64 b) { return Lane::truth(s64(a) >= s64(b)); }
  QIP_MEANING i32 i64_ge_u(i64 a, i64 b) { return Lane::truth(a >= b); }

  QIP_MEANING i64 i64_clz(i64 a) { return i64(std::countl_zero(a)); }
  QIP_MEANING i64 i64_ctz(i64 a) { return i64(std::countr_zero(a)); }
  QIP_MEANING i64 i64_popcnt(i64 a) { return scalar::population_count(a); }
  QIP_MEANING i64 i64_add(i64 a, i64 b) { return a + b; }
  QIP_MEANING i64 i64_sub(i64 a, i64 b) { return a - b; }
  QIP_MEANING i64 i64_mul(i64 a, i64 b) { return a * b; }
  QIP_MEANING Checked<i64> i64_div_s(i64 a, i64 b) { return scalar::divide_signed(a, b); }
  QIP_MEANING Checked<i64> i64_div_u(i64 a, i64 b) { return scalar::divide_unsigned(a, b); }
  QIP_MEANING Checked<i64> i64_rem_s(i64 a, i64 b) { return scalar::remainder_signed(a, b); }
  QIP_MEANING Checked<i64> i64_rem_u(i64 a, i64 b) { return scalar::remainder_unsigned(a, b); }
  QIP_MEANING i64 i64_and(i64 a, i64 b) { return a & b; }
  QIP_MEANING i64 i64_or(i64 a, i64 b) { return a | b; }
  QIP_MEANING i64 i64_xor(i64 a, i64 b) { return a ^ b; }
  QIP_MEANING i64 i64_shl(i64 a, i64 b) { return a << (b & 63); }
  QIP_MEANING i64 i64_shr_s(i64 a, i64 b) { return i64(s64(a) >> (b & 63)); }
  QIP_MEANING i64 i64_shr_u(i64 a, i64 b) { return a >> (b & 63); }
  QIP_MEANING i64 i64_rotl(i64 a, i64 b) { return a << (b & 63) | a >> (-b & 63); }
  QIP_MEANING i64 i64_rotr(i64 a, i64 b) { return a >> (b & 63) | a << (-b & 63); }
  QIP_MEANING i64 i64_extend8_s(i64 a) { return i64(s64(a << 56) >> 56); }
  QIP_MEANING i64 i64_extend16_s(i64 a) { return i64(s64(a << 48) >> 48); }
  QIP_MEANING i64 i64_extend32_s(i64 a) { return i64(s64(a << 32) >> 32); }

  // --- f32 ---------------------------------------------------------------------------------------

  QIP_MEANING i32 f32_eq(f32 a, f32 b) { return Lane::truth(a == b); }
  QIP_MEANING i32 f32_ne(f32 a, f32 b) { return Lane::truth(a != b); }
  QIP_MEANING i32 f32_lt(f32 a, f32 b) { return Lane::truth(a < b); }
  QIP_MEANING i32 f32_gt(f32 a, f32 b) { return Lane::truth(a > b); }
  QIP_MEANING i32 f32_le(f32 a, f32 b) { return Lane::truth(a <= b); }
  QIP_MEANING i32 f32_ge(f32 a, f32 b) { return Lane::truth(a >= b); }

  QIP_MEANING f32 f32_abs(f32 a) { return __builtin_fabsf(a); }
  QIP_MEANING f32 f32_neg(f32 a) { return -a; }
  QIP_MEANING f32 f32_copysign(f32 a, f32 b) { return __builtin_copysignf(a, b); }
  QIP_RUNTIME_MEANING f32 f32_ceil(f32 a) { return scalar::round_up(a); }
  QIP_RUNTIME_MEANING f32 f32_floor(f32 a) { return scalar::round_down(a); }
  QIP_RUNTIME_MEANING f32 f32_trunc(f32 a) { return scalar::round_to_zero(a); }
  QIP_RUNTIME_MEANING f32 f32_nearest(f32 a) { return scalar::round_to_even(a); }
  QIP_RUNTIME_MEANING f32 f32_sqrt(f32 a) { return scalar::square_root(a); }
  QIP_MEANING f32 f32_add(f32 a, f32 b) { return canonical(a + b); }
  QIP_MEANING f32 f32_sub(f32 a, f32 b) { return canonical(a - b); }
  QIP_MEANING f32 f32_mul(f32 a, f32 b) { return canonical(a * b); }
  QIP_MEANING f32 f32_div(f32 a, f32 b) { return canonical(a / b); }
  QIP_MEANING f32 f32_min(f32 a, f32 b) { return scalar::minimum(a, b); }
  QIP_MEANING f32 f32_max(f32 a, f32 b) { return scalar::maximum(a, b); }
  // With any NaN: only for an operand of another arithmetic instruction, whose own result is
  // canonical. A NaN stays a NaN through it, and no other bit of it can be seen.
  QIP_MEANING f32 f32_add_raw(f32 a, f32 b) { return a + b; }
  QIP_MEANING f32 f32_sub_raw(f32 a, f32 b) { return a - b; }
  QIP_MEANING f32 f32_mul_raw(f32 a, f32 b) { return a * b; }

  // --- f64 ---------------------------------------------------------------------------------------

  QIP_MEANING i32 f64_eq(f64 a, f64 b) { return Lane::truth(a == b); }
  QIP_MEANING i32 f64_ne(f64 a, f64 b) { return Lane::truth(a != b); }
  QIP_MEANING i32 f64_lt(f64 a, f64 b) { return Lane::truth(a < b); }
  QIP_MEANING i32 f64_gt(f64 a, f64 b) { return Lane::truth(a > b); }
  QIP_MEANING i32 f64_le(f64 a, f64 b) { return Lane::truth(a <= b); }
  QIP_MEANING i32 f64_ge(f64 a, f64 b) { return Lane::truth(a >= b); }

  QIP_MEANING f64 f64_abs(f64 a) { return __builtin_fabs(a); }
  QIP_MEANING f64 f64_neg(f64 a) { return -a; }
  QIP_MEANING f64 f64_copysign(f64 a, f64 b) { return __builtin_copysign(a, b); }
  QIP_RUNTIME_MEANING f64 f64_ceil(f64 a) { return scalar::round_up(a); }
  QIP_RUNTIME_MEANING f64 f64_floor(f64 a) { return scalar::round_down(a); }
  QIP_RUNTIME_MEANING f64 f64_trunc(f64 a) { return scalar::round_to_zero(a); }
  QIP_RUNTIME_MEANING f64 f64_nearest(f64 a) { return scalar::round_to_even(a); }
  QIP_RUNTIME_MEANING f64 f64_sqrt(f64 a) { return scalar::square_root(a); }
  QIP_MEANING f64 f64_add(f64 a, f64 b) { return canonical(a + b); }
  QIP_MEANING f64 f64_sub(f64 a, f64 b) { return canonical(a - b); }
  QIP_MEANING f64 f64_mul(f64 a, f64 b) { return canonical(a * b); }
  QIP_MEANING f64 f64_div(f64 a, f64 b) { return canonical(a / b); }
  QIP_MEANING f64 f64_min(f64 a, f64 b) { return scalar::minimum(a, b); }
  QIP_MEANING f64 f64_max(f64 a, f64 b) { return scalar::maximum(a, b); }
  // As f32_add_raw.
  QIP_MEANING f64 f64_add_raw(f64 a, f64 b) { return a + b; }
  QIP_MEANING f64 f64_sub_raw(f64 a, f64 b) { return a - b; }
  QIP_MEANING f64 f64_mul_raw(f64 a, f64 b) { return a * b; }

  // --- Conversions -------------------------------------------------------------------------------

  QIP_MEANING i32 i32_wrap_i64(i64 a) { return i32(a); }
  QIP_MEANING i64 i64_extend_i32_s(i32 a) { return i64(s64(s32(a))); }
  QIP_MEANING i64 i64_extend_i32_u(i32 a) { return i64(a); }

  QIP_MEANING Checked<i32> i32_trunc_f32_s(f32 a) { return scalar::truncate<s32>(a); }
  QIP_MEANING Checked<i32> i32_trunc_f32_u(f32 a) { return scalar::truncate<i32>(a); }
  QIP_MEANING Checked<i32> i32_trunc_f64_s(f64 a) { return scalar::truncate<s32>(a); }
  QIP_MEANING Checked<i32> i32_trunc_f64_u(f64 a) { return scalar::truncate<i32>(a); }
  QIP_MEANING Checked<i64> i64_trunc_f32_s(f32 a) { return scalar::truncate<s64>(a); }
  QIP_MEANING Checked<i64> i64_trunc_f32_u(f32 a) { return scalar::truncate<i64>(a); }
  QIP_MEANING Checked<i64> i64_trunc_f64_s(f64 a) { return scalar::truncate<s64>(a); }
  QIP_MEANING Checked<i64> i64_trunc_f64_u(f64 a) { return scalar::truncate<i64>(a); }

  QIP_MEANING i32 i32_trunc_sat_f32_s(f32 a) { return scalar::truncate_saturating<s32>(a); }
  QIP_MEANING i32 i32_trunc_sat_f32_u(f32 a) { return scalar::truncate_saturating<i32>(a); }
  QIP_MEANING i32 i32_trunc_sat_f64_s(f64 a) { return scalar::truncate_saturating<s32>(a); }
  QIP_MEANING i32 i32_trunc_sat_f64_u(f64 a) { return scalar::truncate_saturating<i32>(a); }
  QIP_MEANING i64 i64_trunc_sat_f32_s(f32 a) { return scalar::truncate_saturating<s64>(a); }
  QIP_MEANING i64 i64_trunc_sat_f32_u(f32 a) { return scalar::truncate_saturating<i64>(a); }
  QIP_MEANING i64 i64_trunc_sat_f64_s(f64 a) { return scalar::truncate_saturating<s64>(a); }
  QIP_MEANING i64 i64_trunc_sat_f64_u(f64 a) { return scalar::truncate_saturating<i64>(a); }

  QIP_MEANING f32 f32_convert_i32_s(i32 a) { return f32(s32(a)); }
  QIP_MEANING f32 f32_convert_i32_u(i32 a) { return f32(a); }
  QIP_MEANING f32 f32_convert_i64_s(i64 a) { return f32(s64(a)); }
  QIP_MEANING f32 f32_convert_i64_u(i64 a) { return f32(a); }
  QIP_MEANING f64 f64_convert_i32_s(i32 a) { return f64(s32(a)); }
  QIP_MEANING f64 f64_convert_i32_u(i32 a) { return f64(a); }
  QIP_MEANING f64 f64_convert_i64_s(i64 a) { return f64(s64(a)); }
  QIP_MEANING f64 f64_convert_i64_u(i64 a) { return f64(a); }
  QIP_MEANING f32 f32_demote_f64(f64 a) { return canonical(f32(a)); }
  QIP_MEANING f64 f64_promote_f32(f32 a) { return canonical(f64(a)); }

  QIP_MEANING i32 i32_reinterpret_f32(f32 a) { return std::bit_cast<i32>(a); }
  QIP_MEANING i64 i64_reinterpret_f64(f64 a) { return std::bit_cast<i64>(a); }
  QIP_MEANING f32 f32_reinterpret_i32(i32 a) { return std::bit_cast<f32>(a); }
  QIP_MEANING f64 f64_reinterpret_i64(i64 a) { return std::bit_cast<f64>(a); }
};
#undef QIP_RUNTIME_MEANING
#undef QIP_MEANING

using Meaning = Semantics<OneLane>;

}  // namespace qip
