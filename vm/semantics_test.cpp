// Scalar meanings at their edges: every bound has its first value inside and its first outside,
// every producer of NaN gives the canonical one, every keeper of bits keeps them.
#include "vm/semantics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace qip {
namespace {

constexpr uint32_t kMinimum32 = 0x80000000;
constexpr uint64_t kMinimum64 = 0x8000000000000000;
constexpr uint32_t kMinusOne32 = 0xFFFFFFFF;
constexpr uint64_t kMinusOne64 = 0xFFFFFFFFFFFFFFFF;
constexpr float kInfinity32 = std::numeric_limits<float>::infinity();
constexpr double kInfinity64 = std::numeric_limits<double>::infinity();

uint32_t bits(float value) {
  return std::bit_cast<uint32_t>(value);
}
uint64_t bits(double value) {
  return std::bit_cast<uint64_t>(value);
}
float f32(uint32_t bits) {
  return std::bit_cast<float>(bits);
}
double f64(uint64_t bits) {
  return std::bit_cast<double>(bits);
}

// A fixed sequence of evenly spread numbers (SplitMix64).
class Numbers {
 public:
  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  // Often near a power of two, where carries and signs are.
  uint64_t next_edge() {
    const uint64_t random = next();
    const uint64_t power = uint64_t{1} << (random & 63);
    switch ((random >> 6) & 7) {
      case 0:
        return power;
      case 1:
        return power - 1;
      case 2:
        return ~power;
      case 3:
        return -power;
      case 4:
        return random >> 58;
      default:
        return next();
    }
  }

 private:
  uint64_t state_ = 1;
};

// NaNs of both signs, quiet and signalling, with payloads.
const std::vector<uint32_t> kNaNs32 = {0x7FC00000, 0xFFC00000, 0x7F800001, 0xFF800001,
                                       0x7FFFFFFF, 0xFFFFFFFF, 0x7FA12345, 0xFFD54321};
const std::vector<uint64_t> kNaNs64 = {0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000001,
                                       0xFFF0000000000001, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF,
                                       0x7FF4123456789ABC, 0xFFFABCDEF0123456};

// --- Known at compile time -----------------------------------------------------------------------

static_assert(Meaning::i32_add(kMinusOne32, 1) == 0);
static_assert(Meaning::i32_mul(kMinimum32, kMinusOne32) == kMinimum32);
static_assert(Meaning::i64_sub(0, 1) == kMinusOne64);
static_assert(Meaning::i32_lt_s(kMinimum32, 0) == 1 && Meaning::i32_lt_u(kMinimum32, 0) == 0);
static_assert(Meaning::i64_ge_s(kMinimum64, 0) == 0 && Meaning::i64_ge_u(kMinimum64, 0) == 1);
static_assert(Meaning::i32_popcnt(kMinusOne32) == 32 && Meaning::i64_popcnt(kMinusOne64) == 64);
static_assert(Meaning::i32_clz(0) == 32 && Meaning::i64_ctz(0) == 64);
static_assert(Meaning::i32_div_s(kMinimum32, kMinusOne32).trap == Trap::IntegerOverflow);
static_assert(Meaning::i64_rem_s(kMinimum64, kMinusOne64).value == 0);
static_assert(Meaning::f32_add(1.5f, 2.25f) == 3.75f);
static_assert(std::bit_cast<uint64_t>(Meaning::f64_min(0.0, -0.0)) == kMinimum64);
static_assert(std::bit_cast<uint32_t>(Meaning::f32_max(-0.0f, 0.0f)) == 0);
static_assert(Meaning::i32_trunc_f32_s(-1.9f).value == kMinusOne32);
static_assert(Meaning::i64_trunc_sat_f64_u(-5.0) == 0);
static_assert(Meaning::f32_reinterpret_i32(0x3F800000) == 1.0f);

// --- Integers ------------------------------------------------------------------------------------

TEST(Semantics, shift_counts_are_taken_modulo_the_width) {
  struct Row {
    uint32_t count, effective;
  };
  for (const Row row :
       {Row{0, 0}, {1, 1}, {31, 31}, {32, 0}, {33, 1}, {64, 0}, {kMinusOne32, 31}}) {
    EXPECT_EQ(Meaning::i32_shl(0x80000001, row.count), 0x80000001u << row.effective);
    EXPECT_EQ(Meaning::i32_shr_u(0x80000001, row.count), 0x80000001u >> row.effective);
    EXPECT_EQ(Meaning::i32_shr_s(0xC0000000, row.count),
              static_cast<uint32_t>(-int64_t{0x40000000} >> row.effective));
  }
  for (const Row row : {Row{0, 0}, {1, 1}, {32, 32}, {63, 63}, {64, 0}, {65, 1}, {128, 0}}) {
    EXPECT_EQ(Meaning::i64_shl(1, row.count), uint64_t{1} << row.effective);
    EXPECT_EQ(Meaning::i64_shr_u(kMinimum64, row.count), kMinimum64 >> row.effective);
    EXPECT_EQ(Meaning::i64_shr_s(kMinimum64, row.count), ~uint64_t{0} << (63 - row.effective));
  }
  EXPECT_EQ(Meaning::i64_shl(1, kMinusOne64), kMinimum64);
  EXPECT_EQ(Meaning::i64_shr_s(kMinimum64, kMinusOne64), kMinusOne64);
}

TEST(Semantics, rotation_keeps_every_bit) {
  EXPECT_EQ(Meaning::i32_rotl(0xABCD9876, 0), 0xABCD9876);
  EXPECT_EQ(Meaning::i32_rotl(0xABCD9876, 32), 0xABCD9876);
  EXPECT_EQ(Meaning::i32_rotl(0xABCD9876, 1), 0x579B30ED);
  EXPECT_EQ(Meaning::i32_rotr(0xABCD9876, 1), 0x55E6CC3B);
  EXPECT_EQ(Meaning::i32_rotl(0xABCD9876, kMinusOne32), Meaning::i32_rotr(0xABCD9876, 1));
  EXPECT_EQ(Meaning::i64_rotl(0xABCD987602468ACE, 1), 0x579B30EC048D159D);
  EXPECT_EQ(Meaning::i64_rotr(0xABCD987602468ACE, 1), 0x55E6CC3B01234567);
  EXPECT_EQ(Meaning::i64_rotl(0xABCD987602468ACE, 64), 0xABCD987602468ACE);
  EXPECT_EQ(Meaning::i64_rotr(0xABCD987602468ACE, kMinusOne64),
            Meaning::i64_rotl(0xABCD987602468ACE, 1));
}

TEST(Semantics, counting_bits_is_defined_for_zero) {
  EXPECT_EQ(Meaning::i32_clz(0), 32u);
  EXPECT_EQ(Meaning::i32_ctz(0), 32u);
  EXPECT_EQ(Meaning::i32_popcnt(0), 0u);
  EXPECT_EQ(Meaning::i64_clz(0), 64u);
  EXPECT_EQ(Meaning::i64_ctz(0), 64u);
  EXPECT_EQ(Meaning::i64_popcnt(0), 0u);
  for (uint32_t i = 0; i < 32; ++i) {
    EXPECT_EQ(Meaning::i32_clz(1u << i), 31 - i);
    EXPECT_EQ(Meaning::i32_ctz(1u << i), i);
    EXPECT_EQ(Meaning::i32_popcnt((1u << i) - 1), i);
  }
  for (uint64_t i = 0; i < 64; ++i) {
    EXPECT_EQ(Meaning::i64_clz(uint64_t{1} << i), 63 - i);
    EXPECT_EQ(Meaning::i64_ctz(uint64_t{1} << i), i);
    EXPECT_EQ(Meaning::i64_popcnt((uint64_t{1} << i) - 1), i);
  }
  Numbers numbers;
  for (int round = 0; round < 1000; ++round) {
    const uint64_t number = numbers.next();
    uint64_t count = 0;
    for (int i = 0; i < 64; ++i) count += number >> i & 1;
    EXPECT_EQ(Meaning::i64_popcnt(number), count);
    EXPECT_EQ(Meaning::i32_popcnt(static_cast<uint32_t>(number)) +
                  Meaning::i32_popcnt(static_cast<uint32_t>(number >> 32)),
              count);
  }
}

TEST(Semantics, division_traps_exactly_at_zero_and_overflow) {
  EXPECT_EQ(Meaning::i32_div_s(1, 0).trap, Trap::IntegerDivideByZero);
  EXPECT_EQ(Meaning::i32_div_u(1, 0).trap, Trap::IntegerDivideByZero);
  EXPECT_EQ(Meaning::i32_rem_s(1, 0).trap, Trap::IntegerDivideByZero);
  EXPECT_EQ(Meaning::i32_rem_u(1, 0).trap, Trap::IntegerDivideByZero);
  EXPECT_EQ(Meaning::i64_div_s(1, 0).trap, Trap::IntegerDivideByZero);
  EXPECT_EQ(Meaning::i64_div_u(1, 0).trap, Trap::IntegerDivideByZero);
  EXPECT_EQ(Meaning::i64_rem_s(1, 0).trap, Trap::IntegerDivideByZero);
  EXPECT_EQ(Meaning::i64_rem_u(1, 0).trap, Trap::IntegerDivideByZero);
  EXPECT_EQ(Meaning::i32_div_s(kMinimum32, 0).trap, Trap::IntegerDivideByZero);

  EXPECT_EQ(Meaning::i32_div_s(kMinimum32, kMinusOne32).trap, Trap::IntegerOverflow);
  EXPECT_EQ(Meaning::i64_div_s(kMinimum64, kMinusOne64).trap, Trap::IntegerOverflow);
  EXPECT_EQ(Meaning::i32_div_s(kMinimum32 + 1, kMinusOne32).trap, Trap::None);
  EXPECT_EQ(Meaning::i32_div_s(kMinimum32 + 1, kMinusOne32).value, 0x7FFFFFFFu);
  EXPECT_EQ(Meaning::i32_div_s(kMinimum32, 1).value, kMinimum32);
  EXPECT_EQ(Meaning::i32_div_u(kMinimum32, kMinusOne32).value, 0u);
  EXPECT_EQ(Meaning::i64_div_u(kMinimum64, kMinusOne64).value, 0u);
}

TEST(Semantics, remainder_of_the_minimum_by_minus_one_is_zero) {
  EXPECT_EQ(Meaning::i32_rem_s(kMinimum32, kMinusOne32).trap, Trap::None);
  EXPECT_EQ(Meaning::i32_rem_s(kMinimum32, kMinusOne32).value, 0u);
  EXPECT_EQ(Meaning::i64_rem_s(kMinimum64, kMinusOne64).trap, Trap::None);
  EXPECT_EQ(Meaning::i64_rem_s(kMinimum64, kMinusOne64).value, 0u);
  EXPECT_EQ(Meaning::i32_rem_s(static_cast<uint32_t>(-7), 3).value, static_cast<uint32_t>(-1));
  EXPECT_EQ(Meaning::i32_rem_s(7, static_cast<uint32_t>(-3)).value, 1u);
}

// Against 128-bit arithmetic, which neither wraps nor overflows here.
TEST(Semantics, integer_arithmetic_agrees_with_wide_arithmetic) {
  using Wide = __int128;
  Numbers numbers;
  for (int round = 0; round < 20'000; ++round) {
    const uint64_t a = numbers.next_edge();
    const uint64_t b = numbers.next_edge();
    const Wide sa = static_cast<int64_t>(a), sb = static_cast<int64_t>(b);
    ASSERT_EQ(Meaning::i64_add(a, b), static_cast<uint64_t>(sa + sb));
    ASSERT_EQ(Meaning::i64_sub(a, b), static_cast<uint64_t>(sa - sb));
    ASSERT_EQ(Meaning::i64_mul(a, b), static_cast<uint64_t>(sa * sb));
    ASSERT_EQ(Meaning::i64_lt_s(a, b), uint32_t{sa < sb});
    ASSERT_EQ(Meaning::i64_le_s(a, b), uint32_t{sa <= sb});
    ASSERT_EQ(Meaning::i64_gt_s(a, b), uint32_t{sa > sb});
    ASSERT_EQ(Meaning::i64_lt_u(a, b), uint32_t{Wide{a} < Wide{b}});
    ASSERT_EQ(Meaning::i64_le_u(a, b), uint32_t{Wide{a} <= Wide{b}});
    ASSERT_EQ(Meaning::i64_gt_u(a, b), uint32_t{Wide{a} > Wide{b}});
    if (b != 0) {
      ASSERT_EQ(Meaning::i64_div_u(a, b).value, static_cast<uint64_t>(Wide{a} / Wide{b}));
      ASSERT_EQ(Meaning::i64_rem_u(a, b).value, static_cast<uint64_t>(Wide{a} % Wide{b}));
      ASSERT_EQ(Meaning::i64_rem_s(a, b).value, static_cast<uint64_t>(sa % sb));
      const bool fits = sa / sb <= std::numeric_limits<int64_t>::max();
      ASSERT_EQ(Meaning::i64_div_s(a, b).trap, fits ? Trap::None : Trap::IntegerOverflow);
      if (fits) {
        ASSERT_EQ(Meaning::i64_div_s(a, b).value, static_cast<uint64_t>(sa / sb));
      }
    }
    const uint32_t c = static_cast<uint32_t>(a), d = static_cast<uint32_t>(b);
    const int64_t sc = static_cast<int32_t>(c), sd = static_cast<int32_t>(d);
    ASSERT_EQ(Meaning::i32_add(c, d), static_cast<uint32_t>(sc + sd));
    ASSERT_EQ(Meaning::i32_sub(c, d), static_cast<uint32_t>(sc - sd));
    ASSERT_EQ(Meaning::i32_mul(c, d), static_cast<uint32_t>(sc * sd));
    ASSERT_EQ(Meaning::i32_lt_s(c, d), uint32_t{sc < sd});
    ASSERT_EQ(Meaning::i32_le_s(c, d), uint32_t{sc <= sd});
    ASSERT_EQ(Meaning::i32_gt_s(c, d), uint32_t{sc > sd});
    ASSERT_EQ(Meaning::i32_ge_s(c, d), uint32_t{sc >= sd});
    ASSERT_EQ(Meaning::i32_ge_u(c, d), uint32_t{uint64_t{c} >= uint64_t{d}});
    if (d != 0) {
      ASSERT_EQ(Meaning::i32_div_u(c, d).value, static_cast<uint32_t>(uint64_t{c} / d));
      ASSERT_EQ(Meaning::i32_rem_u(c, d).value, static_cast<uint32_t>(uint64_t{c} % d));
      ASSERT_EQ(Meaning::i32_rem_s(c, d).value, static_cast<uint32_t>(sc % sd));
      const bool fits = sc / sd <= std::numeric_limits<int32_t>::max();
      ASSERT_EQ(Meaning::i32_div_s(c, d).trap, fits ? Trap::None : Trap::IntegerOverflow);
      if (fits) {
        ASSERT_EQ(Meaning::i32_div_s(c, d).value, static_cast<uint32_t>(sc / sd));
      }
    }
  }
}

TEST(Semantics, sign_extension_looks_at_the_low_bits_only) {
  EXPECT_EQ(Meaning::i32_extend8_s(0xFFFFFF7F), 0x7Fu);
  EXPECT_EQ(Meaning::i32_extend8_s(0x80), 0xFFFFFF80);
  EXPECT_EQ(Meaning::i32_extend16_s(0xFFFF7FFF), 0x7FFFu);
  EXPECT_EQ(Meaning::i32_extend16_s(0x8000), 0xFFFF8000);
  EXPECT_EQ(Meaning::i64_extend8_s(0x0123456789ABCD80), 0xFFFFFFFFFFFFFF80);
  EXPECT_EQ(Meaning::i64_extend16_s(0x0123456789AB8000), 0xFFFFFFFFFFFF8000);
  EXPECT_EQ(Meaning::i64_extend32_s(0x0123456780000000), 0xFFFFFFFF80000000);
  EXPECT_EQ(Meaning::i64_extend32_s(0xFFFFFFFF7FFFFFFF), 0x7FFFFFFFu);
  EXPECT_EQ(Meaning::i64_extend_i32_s(kMinimum32), 0xFFFFFFFF80000000);
  EXPECT_EQ(Meaning::i64_extend_i32_u(kMinimum32), 0x80000000u);
  EXPECT_EQ(Meaning::i32_wrap_i64(0x123456789ABCDEF0), 0x9ABCDEF0);
}

// --- Canonical NaN -------------------------------------------------------------------------------

TEST(Semantics, every_nan_that_f32_arithmetic_produces_is_canonical) {
  const auto expect_canonical = [](float result, uint32_t operand) {
    EXPECT_EQ(bits(result), 0x7FC00000u) << std::hex << operand;
  };
  for (const uint32_t nan : kNaNs32) {
    const float a = f32(nan);
    for (const float b : {0.0f, -1.5f, kInfinity32, f32(0xFF800007)}) {
      expect_canonical(Meaning::f32_add(a, b), nan);
      expect_canonical(Meaning::f32_add(b, a), nan);
      expect_canonical(Meaning::f32_sub(a, b), nan);
      expect_canonical(Meaning::f32_sub(b, a), nan);
      expect_canonical(Meaning::f32_mul(a, b), nan);
      expect_canonical(Meaning::f32_mul(b, a), nan);
      expect_canonical(Meaning::f32_div(a, b), nan);
      expect_canonical(Meaning::f32_div(b, a), nan);
      expect_canonical(Meaning::f32_min(a, b), nan);
      expect_canonical(Meaning::f32_min(b, a), nan);
      expect_canonical(Meaning::f32_max(a, b), nan);
      expect_canonical(Meaning::f32_max(b, a), nan);
      // A pair whose inner operation leaves its NaN as it is.
      expect_canonical(Meaning::f32_mul(Meaning::f32_add_raw(a, b), 2.0f), nan);
    }
    expect_canonical(Meaning::f32_sqrt(a), nan);
    expect_canonical(Meaning::f32_ceil(a), nan);
    expect_canonical(Meaning::f32_floor(a), nan);
    expect_canonical(Meaning::f32_trunc(a), nan);
    expect_canonical(Meaning::f32_nearest(a), nan);
  }
  for (const uint64_t nan : kNaNs64) {
    expect_canonical(Meaning::f32_demote_f64(f64(nan)), static_cast<uint32_t>(nan >> 32));
  }
  expect_canonical(Meaning::f32_sub(kInfinity32, kInfinity32), 0);
  expect_canonical(Meaning::f32_add(kInfinity32, -kInfinity32), 0);
  expect_canonical(Meaning::f32_mul(0.0f, -kInfinity32), 0);
  expect_canonical(Meaning::f32_div(-0.0f, 0.0f), 0);
  expect_canonical(Meaning::f32_div(kInfinity32, -kInfinity32), 0);
  expect_canonical(Meaning::f32_sqrt(-1.0f), 0);
}

TEST(Semantics, every_nan_that_f64_arithmetic_produces_is_canonical) {
  const auto expect_canonical = [](double result, uint64_t operand) {
    EXPECT_EQ(bits(result), 0x7FF8000000000000u) << std::hex << operand;
  };
  for (const uint64_t nan : kNaNs64) {
    const double a = f64(nan);
    for (const double b : {0.0, -1.5, kInfinity64, f64(0xFFF0000000000007)}) {
      expect_canonical(Meaning::f64_add(a, b), nan);
      expect_canonical(Meaning::f64_add(b, a), nan);
      expect_canonical(Meaning::f64_sub(a, b), nan);
      expect_canonical(Meaning::f64_sub(b, a), nan);
      expect_canonical(Meaning::f64_mul(a, b), nan);
      expect_canonical(Meaning::f64_mul(b, a), nan);
      expect_canonical(Meaning::f64_div(a, b), nan);
      expect_canonical(Meaning::f64_div(b, a), nan);
      expect_canonical(Meaning::f64_min(a, b), nan);
      expect_canonical(Meaning::f64_min(b, a), nan);
      expect_canonical(Meaning::f64_max(a, b), nan);
      expect_canonical(Meaning::f64_max(b, a), nan);
      expect_canonical(Meaning::f64_sub(Meaning::f64_mul_raw(a, b), 2.0), nan);
    }
    expect_canonical(Meaning::f64_sqrt(a), nan);
    expect_canonical(Meaning::f64_ceil(a), nan);
    expect_canonical(Meaning::f64_floor(a), nan);
    expect_canonical(Meaning::f64_trunc(a), nan);
    expect_canonical(Meaning::f64_nearest(a), nan);
  }
  for (const uint32_t nan : kNaNs32) expect_canonical(Meaning::f64_promote_f32(f32(nan)), nan);
  expect_canonical(Meaning::f64_sub(kInfinity64, kInfinity64), 0);
  expect_canonical(Meaning::f64_mul(0.0, -kInfinity64), 0);
  expect_canonical(Meaning::f64_div(-0.0, 0.0), 0);
  expect_canonical(Meaning::f64_sqrt(-1.0), 0);
}

TEST(Semantics, sign_operations_and_reinterpretation_keep_bits) {
  std::vector<uint32_t> patterns32 = kNaNs32;
  for (uint32_t other : {0u, 0x80000000u, 1u, 0x3F800000u, 0xFF800000u})
    patterns32.push_back(other);
  for (const uint32_t pattern : patterns32) {
    EXPECT_EQ(bits(Meaning::f32_abs(f32(pattern))), pattern & 0x7FFFFFFF);
    EXPECT_EQ(bits(Meaning::f32_neg(f32(pattern))), pattern ^ 0x80000000);
    EXPECT_EQ(Meaning::i32_reinterpret_f32(f32(pattern)), pattern);
    EXPECT_EQ(bits(Meaning::f32_reinterpret_i32(pattern)), pattern);
    for (const uint32_t sign : patterns32) {
      EXPECT_EQ(bits(Meaning::f32_copysign(f32(pattern), f32(sign))),
                (pattern & 0x7FFFFFFF) | (sign & 0x80000000));
    }
  }
  std::vector<uint64_t> patterns64 = kNaNs64;
  for (uint64_t other : {uint64_t{0}, kMinimum64, uint64_t{1}}) patterns64.push_back(other);
  for (const uint64_t pattern : patterns64) {
    EXPECT_EQ(bits(Meaning::f64_abs(f64(pattern))), pattern & ~kMinimum64);
    EXPECT_EQ(bits(Meaning::f64_neg(f64(pattern))), pattern ^ kMinimum64);
    EXPECT_EQ(Meaning::i64_reinterpret_f64(f64(pattern)), pattern);
    EXPECT_EQ(bits(Meaning::f64_reinterpret_i64(pattern)), pattern);
    for (const uint64_t sign : patterns64) {
      EXPECT_EQ(bits(Meaning::f64_copysign(f64(pattern), f64(sign))),
                (pattern & ~kMinimum64) | (sign & kMinimum64));
    }
  }
}

// --- Floats --------------------------------------------------------------------------------------

TEST(Semantics, comparisons_with_nan_are_false_except_ne) {
  for (const uint32_t pattern : kNaNs32) {
    const float nan = f32(pattern);
    for (const float other : {1.0f, nan, -kInfinity32}) {
      EXPECT_EQ(Meaning::f32_eq(nan, other), 0u);
      EXPECT_EQ(Meaning::f32_ne(nan, other), 1u);
      EXPECT_EQ(Meaning::f32_lt(nan, other) + Meaning::f32_gt(nan, other), 0u);
      EXPECT_EQ(Meaning::f32_le(other, nan) + Meaning::f32_ge(other, nan), 0u);
    }
  }
  const double nan = f64(kNaNs64[5]);
  EXPECT_EQ(Meaning::f64_eq(nan, nan) + Meaning::f64_lt(nan, 1) + Meaning::f64_gt(nan, 1), 0u);
  EXPECT_EQ(Meaning::f64_le(nan, nan) + Meaning::f64_ge(nan, nan), 0u);
  EXPECT_EQ(Meaning::f64_ne(nan, nan), 1u);
  EXPECT_EQ(Meaning::f64_eq(0.0, -0.0), 1u);
  EXPECT_EQ(Meaning::f32_lt(-0.0f, 0.0f), 0u);
}

TEST(Semantics, minimum_and_maximum_order_the_zeros) {
  EXPECT_EQ(bits(Meaning::f32_min(-0.0f, 0.0f)), kMinimum32);
  EXPECT_EQ(bits(Meaning::f32_min(0.0f, -0.0f)), kMinimum32);
  EXPECT_EQ(bits(Meaning::f32_min(0.0f, 0.0f)), 0u);
  EXPECT_EQ(bits(Meaning::f32_max(-0.0f, 0.0f)), 0u);
  EXPECT_EQ(bits(Meaning::f32_max(0.0f, -0.0f)), 0u);
  EXPECT_EQ(bits(Meaning::f32_max(-0.0f, -0.0f)), kMinimum32);
  EXPECT_EQ(bits(Meaning::f64_min(-0.0, 0.0)), kMinimum64);
  EXPECT_EQ(bits(Meaning::f64_min(0.0, -0.0)), kMinimum64);
  EXPECT_EQ(bits(Meaning::f64_max(-0.0, 0.0)), 0u);
  EXPECT_EQ(bits(Meaning::f64_max(0.0, -0.0)), 0u);
  EXPECT_EQ(bits(Meaning::f64_max(-0.0, -0.0)), kMinimum64);
}

TEST(Semantics, minimum_and_maximum_pick_an_operand) {
  const std::vector<double> values = {-kInfinity64, -2.5, -5e-324, 5e-324, 1, 2.5, kInfinity64};
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = 0; j < values.size(); ++j) {
      const double low = values[std::min(i, j)], high = values[std::max(i, j)];
      EXPECT_EQ(bits(Meaning::f64_min(values[i], values[j])), bits(low));
      EXPECT_EQ(bits(Meaning::f64_max(values[i], values[j])), bits(high));
    }
  }
  EXPECT_EQ(Meaning::f32_min(1.0f, 2.0f), 1.0f);
  EXPECT_EQ(Meaning::f32_min(-1.0f, -2.0f), -2.0f);
  EXPECT_EQ(Meaning::f32_max(-kInfinity32, 2.0f), 2.0f);
  EXPECT_EQ(Meaning::f32_max(kInfinity32, f32(1)), kInfinity32);
}

TEST(Semantics, nearest_takes_ties_to_even_and_keeps_the_sign_of_zero) {
  struct Row {
    double operand, result;
  };
  for (const Row row : {Row{0.5, 0.0},
                        {1.5, 2.0},
                        {2.5, 2.0},
                        {3.5, 4.0},
                        {-0.5, -0.0},
                        {-1.5, -2.0},
                        {-2.5, -2.0},
                        {0.49, 0.0},
                        {-0.49, -0.0},
                        {0.0, 0.0},
                        {-0.0, -0.0},
                        {8388607.5, 8388608.0},
                        {-kInfinity64, -kInfinity64}}) {
    EXPECT_EQ(bits(Meaning::f64_nearest(row.operand)), bits(row.result)) << row.operand;
    EXPECT_EQ(bits(Meaning::f32_nearest(static_cast<float>(row.operand))),
              bits(static_cast<float>(row.result)))
        << row.operand;
  }
  EXPECT_EQ(Meaning::f64_nearest(4503599627370495.5), 4503599627370496.0);
  EXPECT_EQ(Meaning::f64_nearest(4503599627370497.0), 4503599627370497.0);
}

TEST(Semantics, rounding_keeps_the_sign_of_zero_and_infinities) {
  EXPECT_EQ(bits(Meaning::f32_ceil(-0.5f)), kMinimum32);
  EXPECT_EQ(bits(Meaning::f32_trunc(-0.5f)), kMinimum32);
  EXPECT_EQ(bits(Meaning::f32_floor(-0.0f)), kMinimum32);
  EXPECT_EQ(Meaning::f32_ceil(0.5f), 1.0f);
  EXPECT_EQ(Meaning::f32_floor(-0.5f), -1.0f);
  EXPECT_EQ(Meaning::f32_floor(0.5f), 0.0f);
  EXPECT_EQ(Meaning::f32_trunc(1.9f), 1.0f);
  EXPECT_EQ(Meaning::f32_floor(f32(1)), 0.0f);
  EXPECT_EQ(Meaning::f32_ceil(f32(1)), 1.0f);
  EXPECT_EQ(Meaning::f32_ceil(kInfinity32), kInfinity32);
  EXPECT_EQ(bits(Meaning::f64_ceil(-0.5)), kMinimum64);
  EXPECT_EQ(bits(Meaning::f64_trunc(-0.5)), kMinimum64);
  EXPECT_EQ(Meaning::f64_floor(-5e-324), -1.0);
  EXPECT_EQ(Meaning::f64_ceil(5e-324), 1.0);
  EXPECT_EQ(Meaning::f64_floor(-kInfinity64), -kInfinity64);
  EXPECT_EQ(bits(Meaning::f64_sqrt(-0.0)), kMinimum64);
  EXPECT_EQ(Meaning::f64_sqrt(2.0), 0x1.6a09e667f3bcdp+0);
  EXPECT_EQ(Meaning::f32_sqrt(2.0f), 0x1.6a09e6p+0f);
}

TEST(Semantics, subnormal_numbers_are_kept) {
  volatile float smallest32 = f32(1);
  volatile double smallest64 = f64(1);
  EXPECT_EQ(bits(Meaning::f32_add(smallest32, smallest32)), 2u);
  EXPECT_EQ(bits(Meaning::f32_mul(smallest32, 1.0f)), 1u);
  EXPECT_EQ(bits(Meaning::f64_add(smallest64, smallest64)), 2u);
  EXPECT_EQ(bits(Meaning::f64_mul(0x1p-1074, 1.0)), 1u);
  EXPECT_EQ(bits(Meaning::f32_demote_f64(0x1p-149)), 1u);
  EXPECT_EQ(Meaning::f64_promote_f32(smallest32), 0x1p-149);
}

// The product's last bit would survive in a fused multiply-add.
TEST(Semantics, products_are_rounded_before_they_are_added) {
  volatile float a32 = 1.0f + 0x1p-12f;
  volatile float b32 = -(1.0f + 0x1p-11f);
  EXPECT_EQ(bits(Meaning::f32_add(Meaning::f32_mul(a32, a32), b32)), 0u);
  EXPECT_EQ(bits(Meaning::f32_add(Meaning::f32_mul_raw(a32, a32), b32)), 0u);
  volatile double a64 = 1.0 + 0x1p-27;
  volatile double b64 = -(1.0 + 0x1p-26);
  EXPECT_EQ(bits(Meaning::f64_add(Meaning::f64_mul(a64, a64), b64)), 0u);
  EXPECT_EQ(bits(Meaning::f64_add(Meaning::f64_mul_raw(a64, a64), b64)), 0u);
}

// --- Conversions ---------------------------------------------------------------------------------

// The first and last operands that convert, their results, and the first ones beyond.
template <class F, class U>
struct TruncationRow {
  const char* name;
  Checked<U> (*truncate)(F);
  U (*truncate_saturating)(F);
  F lowest;
  U lowest_result;
  F below;
  U minimum;
  F highest;
  U highest_result;
  F above;
  U maximum;
};

template <class F, class U>
void check_truncation(const TruncationRow<F, U>& row) {
  SCOPED_TRACE(row.name);
  const F infinity = std::numeric_limits<F>::infinity();
  EXPECT_EQ(std::nextafter(row.lowest, -infinity), row.below) << "the test's own bounds";
  EXPECT_EQ(std::nextafter(row.highest, infinity), row.above) << "the test's own bounds";
  EXPECT_EQ(row.truncate(row.lowest).trap, Trap::None);
  EXPECT_EQ(row.truncate(row.lowest).value, row.lowest_result);
  EXPECT_EQ(row.truncate(row.highest).trap, Trap::None);
  EXPECT_EQ(row.truncate(row.highest).value, row.highest_result);
  for (const F operand : {row.below, -infinity}) {
    EXPECT_EQ(row.truncate(operand).trap, Trap::IntegerOverflow);
    EXPECT_EQ(row.truncate_saturating(operand), row.minimum);
  }
  for (const F operand : {row.above, infinity}) {
    EXPECT_EQ(row.truncate(operand).trap, Trap::IntegerOverflow);
    EXPECT_EQ(row.truncate_saturating(operand), row.maximum);
  }
  EXPECT_EQ(row.truncate_saturating(row.lowest), row.lowest_result);
  EXPECT_EQ(row.truncate_saturating(row.highest), row.highest_result);
  for (const F nan : {std::numeric_limits<F>::quiet_NaN(), -std::numeric_limits<F>::quiet_NaN()}) {
    EXPECT_EQ(row.truncate(nan).trap, Trap::InvalidConversionToInteger);
    EXPECT_EQ(row.truncate_saturating(nan), U{0});
  }
  for (const F zero : {F{0}, -F{0}, F(0.9), F(-0.9)}) {
    EXPECT_EQ(row.truncate(zero).trap, Trap::None);
    EXPECT_EQ(row.truncate(zero).value, U{0});
    EXPECT_EQ(row.truncate_saturating(zero), U{0});
  }
  EXPECT_EQ(row.truncate(F(41.9)).value, U{41});
  EXPECT_EQ(row.truncate_saturating(F(41.9)), U{41});
}

#define TRUNCATION(integer, suffix)                                                  \
  #integer "_" #suffix, [](auto a) { return Meaning::integer##_trunc_##suffix(a); }, \
      [](auto a) { return Meaning::integer##_trunc_sat_##suffix(a); }

TEST(Semantics, truncation_traps_and_saturates_exactly_at_its_bounds) {
  check_truncation<float, uint32_t>({TRUNCATION(i32, f32_s), -2147483648.0f, kMinimum32,
                                     -2147483904.0f, kMinimum32, 2147483520.0f, 2147483520u,
                                     2147483648.0f, 0x7FFFFFFF});
  check_truncation<float, uint32_t>({TRUNCATION(i32, f32_u), -0x1.fffffep-1f, 0, -1.0f, 0,
                                     4294967040.0f, 4294967040u, 4294967296.0f, kMinusOne32});
  check_truncation<double, uint32_t>({TRUNCATION(i32, f64_s), -0x1.00000001fffffp31, kMinimum32,
                                      -2147483649.0, kMinimum32, 0x1.fffffffffffffp30, 0x7FFFFFFF,
                                      2147483648.0, 0x7FFFFFFF});
  check_truncation<double, uint32_t>({TRUNCATION(i32, f64_u), -0x1.fffffffffffffp-1, 0, -1.0, 0,
                                      0x1.fffffffffffffp31, kMinusOne32, 4294967296.0,
                                      kMinusOne32});
  check_truncation<float, uint64_t>({TRUNCATION(i64, f32_s), -0x1p63f, kMinimum64, -0x1.000002p63f,
                                     kMinimum64, 0x1.fffffep62f, 0x7FFFFF8000000000, 0x1p63f,
                                     0x7FFFFFFFFFFFFFFF});
  check_truncation<float, uint64_t>({TRUNCATION(i64, f32_u), -0x1.fffffep-1f, 0, -1.0f, 0,
                                     0x1.fffffep63f, 0xFFFFFF0000000000, 0x1p64f, kMinusOne64});
  check_truncation<double, uint64_t>({TRUNCATION(i64, f64_s), -0x1p63, kMinimum64,
                                      -0x1.0000000000001p63, kMinimum64, 0x1.fffffffffffffp62,
                                      0x7FFFFFFFFFFFFC00, 0x1p63, 0x7FFFFFFFFFFFFFFF});
  check_truncation<double, uint64_t>({TRUNCATION(i64, f64_u), -0x1.fffffffffffffp-1, 0, -1.0, 0,
                                      0x1.fffffffffffffp63, 0xFFFFFFFFFFFFF800, 0x1p64,
                                      kMinusOne64});
}

TEST(Semantics, integers_convert_to_the_nearest_float_with_ties_to_even) {
  EXPECT_EQ(Meaning::f32_convert_i32_s(kMinusOne32), -1.0f);
  EXPECT_EQ(Meaning::f32_convert_i32_u(kMinusOne32), 4294967296.0f);
  EXPECT_EQ(Meaning::f32_convert_i32_s(16777217), 16777216.0f);
  EXPECT_EQ(Meaning::f32_convert_i32_u(16777219), 16777220.0f);
  EXPECT_EQ(Meaning::f32_convert_i64_s(kMinimum64), -0x1p63f);
  EXPECT_EQ(Meaning::f32_convert_i64_u(kMinusOne64), 0x1p64f);
  // Rounding twice, through f64 or through a halved number, would give the wrong neighbour.
  EXPECT_EQ(Meaning::f32_convert_i64_s(0x7FFFFF4000000001), 0x1.fffffep+62f);
  EXPECT_EQ(Meaning::f32_convert_i64_u(0x8000008000000001), 0x1.000002p+63f);
  EXPECT_EQ(Meaning::f32_convert_i64_u(0x8000008000000000), 0x1.0p+63f);
  EXPECT_EQ(Meaning::f64_convert_i32_s(kMinimum32), -2147483648.0);
  EXPECT_EQ(Meaning::f64_convert_i32_u(kMinusOne32), 4294967295.0);
  EXPECT_EQ(Meaning::f64_convert_i64_s(9007199254740993), 9007199254740992.0);
  EXPECT_EQ(Meaning::f64_convert_i64_u(0x8000000000000400), 0x1.0p+63);
  EXPECT_EQ(Meaning::f64_convert_i64_u(0x8000000000000401), 0x1.0000000000001p+63);
  EXPECT_EQ(Meaning::f64_convert_i64_u(kMinusOne64), 0x1p64);
  EXPECT_EQ(bits(Meaning::f64_convert_i64_s(0)), 0u);
}

TEST(Semantics, demotion_rounds_to_even_and_overflows_to_infinity) {
  EXPECT_EQ(Meaning::f32_demote_f64(1.0 + 0x1p-24), 1.0f);
  EXPECT_EQ(Meaning::f32_demote_f64(1.0 + 0x1p-24 + 0x1p-52), 1.0f + 0x1p-23f);
  EXPECT_EQ(Meaning::f32_demote_f64(0x1.fffffep127), 0x1.fffffep127f);
  EXPECT_EQ(Meaning::f32_demote_f64(0x1.fffffefffffffp127), 0x1.fffffep127f);
  EXPECT_EQ(Meaning::f32_demote_f64(0x1.ffffffp127), kInfinity32);
  EXPECT_EQ(Meaning::f32_demote_f64(-0x1p1023), -kInfinity32);
  EXPECT_EQ(bits(Meaning::f32_demote_f64(-0x1p-150)), kMinimum32);
  EXPECT_EQ(Meaning::f64_promote_f32(kInfinity32), kInfinity64);
}

}  // namespace
}  // namespace qip
