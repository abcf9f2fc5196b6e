// Every vector meaning against a model written lane by lane: in 128-bit integers that do not wrap,
// or in single float operations. Operands are all pairs of the corner values of each lane width
// (all pairs of bytes at all), and pseudo-random vectors. The same file tests every machine part.
#include "vm/simd.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace qip {
namespace {

using Wide = __int128;

// --- Vectors and lanes ---------------------------------------------------------------------------

template <class Lane>
using Array = std::array<Lane, 16 / sizeof(Lane)>;

template <class Lane>
Array<Lane> lanes(V128 vector) {
  Array<Lane> result;
  std::memcpy(&result, &vector, 16);
  return result;
}
template <class Lane>
V128 vector(const Array<Lane>& lanes) {
  V128 result;
  std::memcpy(&result, &lanes, 16);
  return result;
}

// Highest lane first, as a number is written.
std::string text(V128 vector) {
  std::string result = "0x";
  const Array<uint64_t> words = lanes<uint64_t>(vector);
  char digits[17];
  for (int i = 1; i >= 0; --i) {
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(words[i]));
    result += digits;
  }
  return result;
}

bool equal(V128 a, V128 b) {
  return std::memcmp(&a, &b, 16) == 0;
}

// --- Operands ------------------------------------------------------------------------------------

class Numbers {  // SplitMix64
 public:
  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_ = 2;
};

// Bits of lanes of `width` bytes that are likely to go wrong.
std::vector<uint64_t> corners(size_t width) {
  if (width == 1) {
    std::vector<uint64_t> all;
    for (uint64_t i = 0; i < 256; ++i) all.push_back(i);
    return all;
  }
  const uint64_t mask = ~uint64_t{0} >> (64 - 8 * width);
  const uint64_t sign = mask ^ (mask >> 1);
  std::vector<uint64_t> result;
  for (const uint64_t base : {uint64_t{0}, sign, sign >> 1, uint64_t{1} << (4 * width)}) {
    for (const int64_t offset : {-2, -1, 0, 1, 2}) {
      result.push_back((base + static_cast<uint64_t>(offset)) & mask);
    }
  }
  const auto add_float = [&result](double value) {
    result.push_back(std::bit_cast<uint32_t>(static_cast<float>(value)));
    result.push_back(std::bit_cast<uint32_t>(static_cast<float>(-value)));
  };
  const auto add_double = [&result](double value) {
    result.push_back(std::bit_cast<uint64_t>(value));
    result.push_back(std::bit_cast<uint64_t>(-value));
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double numbers[] = {0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 3.5, 1e10, kInfinity};
  if (width == 4) {
    for (const double number : numbers) add_float(number);
    for (const double number :
         {0x1p-149, 0x1.fffffep127, 0x1.fffffep22, 0x1.0p23, 0x1.000002p23, 0x1.fffffep30, 0x1p31,
          0x1.000002p31, 0x1.fffffep31, 0x1p32, 0x1p33, 0x1p63}) {
      add_float(number);
    }
    for (const uint64_t nan : {0x7FC00000u, 0xFFC00000u, 0x7F800001u, 0xFF800001u, 0x7FABCDEFu}) {
      result.push_back(nan);
    }
  }
  if (width == 8) {
    for (const double number : numbers) add_double(number);
    for (const double number : {0x1p-1074,
                                0x1.fffffffffffffp1023,
                                0x1.ffffffffffffep51,
                                0x1.fffffffffffffp51,
                                0x1p52,
                                2147483646.5,
                                2147483647.0,
                                2147483647.5,
                                2147483648.0,
                                2147483648.5,
                                2147483649.0,
                                4294967294.5,
                                4294967295.0,
                                4294967295.5,
                                4294967296.0,
                                0x1p63,
                                0x1.fffffep127,
                                0x1.ffffffp127,
                                0x1p-150,
                                0x1.8p-149,
                                1 + 0x1p-24,
                                1 + 0x1.8p-23}) {
      add_double(number);
    }
    for (const uint64_t nan : {0x7FF8000000000000u, 0xFFF8000000000000u, 0x7FF0000000000001u,
                               0xFFF0000000000001u, 0x7FF4123456789ABCu}) {
      result.push_back(nan);
    }
  }
  return result;
}

using Pairs = std::vector<std::pair<V128, V128>>;

Pairs make_pairs(size_t width) {
  const std::vector<uint64_t> values = corners(width);
  Pairs result;
  std::array<uint8_t, 16> a, b;
  size_t filled = 0;
  for (const uint64_t left : values) {
    for (const uint64_t right : values) {
      std::memcpy(&a[filled], &left, width);
      std::memcpy(&b[filled], &right, width);
      filled += width;
      if (filled < 16) continue;
      result.emplace_back(vector<uint8_t>(a), vector<uint8_t>(b));
      filled = 0;
    }
  }
  Numbers numbers;
  for (int i = 0; i < 2000; ++i) {
    for (std::array<uint8_t, 16>* operand : {&a, &b}) {
      for (size_t byte = 0; byte < 16; byte += width) {
        const uint64_t random = numbers.next();
        const uint64_t bits = random & 1 ? numbers.next() : values[(random >> 1) % values.size()];
        std::memcpy(&(*operand)[byte], &bits, width);
      }
    }
    result.emplace_back(vector<uint8_t>(a), vector<uint8_t>(b));
  }
  return result;
}

const Pairs& pairs(size_t width) {
  static const Pairs one = make_pairs(1), two = make_pairs(2), four = make_pairs(4),
                     eight = make_pairs(8);
  return width == 1 ? one : width == 2 ? two : width == 4 ? four : eight;
}

// --- Models --------------------------------------------------------------------------------------

// What a model gets of a lane: its exact value.
template <class Lane>
using Exact = std::conditional_t<std::is_floating_point_v<Lane>, Lane, Wide>;

// The instruction's result in a lane of type `Lane`: integers modulo its width.
template <class Lane, class Value>
Lane cut(Value value) {
  return static_cast<Lane>(value);
}
template <class Lane>
Lane saturate(Wide value) {
  const Wide low = std::numeric_limits<Lane>::min(), high = std::numeric_limits<Lane>::max();
  return static_cast<Lane>(std::min(std::max(value, low), high));
}

float canonical_nan(float) {
  return std::bit_cast<float>(0x7FC00000);
}
double canonical_nan(double) {
  return std::bit_cast<double>(uint64_t{0x7FF8000000000000});
}
// The profile's result of arithmetic that gave `value`.
template <class F>
F arithmetic(F value) {
  return std::isnan(value) ? canonical_nan(value) : value;
}

// Stops at the first difference: one is enough to read.
#define EXPECT_SAME(actual, expected, a, b)                                           \
  do {                                                                                \
    const V128 got = actual, wanted = expected;                                       \
    ASSERT_TRUE(equal(got, wanted))                                                   \
        << "operands " << text(a) << " and " << text(b) << "\n     got " << text(got) \
        << "\n  wanted " << text(wanted);                                             \
  } while (false)

template <class In, class Out = In, class Operation, class Model>
void expect_each_lane(Operation operation, Model model) {
  static_assert(sizeof(In) == sizeof(Out));
  for (const auto& [a, unused] : pairs(sizeof(In))) {
    const Array<In> x = lanes<In>(a);
    Array<Out> expected;
    for (size_t i = 0; i < x.size(); ++i) expected[i] = cut<Out>(model(Exact<In>{x[i]}));
    EXPECT_SAME(operation(a), vector<Out>(expected), a, a);
  }
}

template <class In, class Out = In, class Operation, class Model>
void expect_each_pair(Operation operation, Model model) {
  static_assert(sizeof(In) == sizeof(Out));
  for (const auto& [a, b] : pairs(sizeof(In))) {
    const Array<In> x = lanes<In>(a), y = lanes<In>(b);
    Array<Out> expected;
    for (size_t i = 0; i < x.size(); ++i) {
      expected[i] = cut<Out>(model(Exact<In>{x[i]}, Exact<In>{y[i]}));
    }
    EXPECT_SAME(operation(a, b), vector<Out>(expected), a, b);
  }
}

// Out lane i from the operands' lanes; the model is given i and both arrays.
template <class In, class Out, class Operation, class Model>
void expect_from_lanes(Operation operation, Model model) {
  for (const auto& [a, b] : pairs(sizeof(In))) {
    const Array<In> x = lanes<In>(a), y = lanes<In>(b);
    Array<Out> expected;
    for (size_t i = 0; i < expected.size(); ++i) expected[i] = model(i, x, y);
    EXPECT_SAME(operation(a, b), vector<Out>(expected), a, b);
  }
}

template <class In, class Operation, class Model>
void expect_number(Operation operation, Model model) {
  for (const auto& [a, unused] : pairs(sizeof(In))) {
    ASSERT_EQ(operation(a), model(lanes<In>(a))) << text(a);
  }
  // Every set of lanes that are zero, and the other way round.
  constexpr size_t kCount = 16 / sizeof(In);
  for (uint32_t set = 0; set < 1u << kCount; ++set) {
    for (const In filling : {In{1}, In(-1), std::numeric_limits<In>::min()}) {
      Array<In> x = {};
      for (size_t i = 0; i < kCount; ++i) {
        if (set >> i & 1) x[i] = filling;
      }
      ASSERT_EQ(operation(vector<In>(x)), model(x)) << text(vector<In>(x));
    }
  }
}

template <class Lane, class Operation, class Model>
void expect_shift(Operation operation, Model model) {
  constexpr uint32_t kWidth = 8 * sizeof(Lane);
  std::vector<uint32_t> counts = {127, 128, 255, 256, 0x7FFFFFFF, 0x80000001, 0xFFFFFFFF};
  for (uint32_t i = 0; i <= 65; ++i) counts.push_back(i);
  const Pairs& operands = pairs(sizeof(Lane));
  for (const uint32_t count : counts) {
    for (size_t position = count % 7; position < operands.size(); position += 7) {
      const V128 a = operands[position].first;
      Array<Lane> expected = lanes<Lane>(a);
      for (Lane& lane : expected) lane = static_cast<Lane>(model(Wide{lane}, count % kWidth));
      EXPECT_SAME(operation(a, count), vector<Lane>(expected), a, i32x4_splat(count));
    }
  }
}

template <class Lane, class Value, class Extract>
void expect_extract(Extract extract) {
  for (const auto& [a, unused] : pairs(sizeof(Lane))) {
    const Array<Lane> x = lanes<Lane>(a);
    for (uint32_t i = 0; i < x.size(); ++i) {
      const Value got = extract(a, i);
      const Value expected = static_cast<Value>(x[i]);
      ASSERT_EQ(std::memcmp(&got, &expected, sizeof got), 0) << text(a) << " lane " << i;
    }
  }
}

template <class Lane, class Value, class Replace>
void expect_replace(Replace replace) {
  for (const auto& [a, b] : pairs(sizeof(Lane))) {
    const Array<Lane> y = lanes<Lane>(b);
    for (uint32_t i = 0; i < y.size(); ++i) {
      Array<Lane> expected = lanes<Lane>(a);
      // The bits above the lane's width are not used.
      Value value = static_cast<Value>(y[i]);
      if constexpr (sizeof(Value) > sizeof(Lane)) value ^= Value{0xABCD} << 8 * sizeof(Lane);
      std::memcpy(&expected[i], &y[i], sizeof(Lane));
      EXPECT_SAME(replace(a, i, value), vector<Lane>(expected), a, b);
    }
  }
}

template <class Lane, class Value, class Splat>
void expect_splat(Splat splat) {
  for (const auto& [a, unused] : pairs(sizeof(Lane))) {
    const Lane lane = lanes<Lane>(a)[0];
    Array<Lane> expected;
    for (Lane& each : expected) std::memcpy(&each, &lane, sizeof lane);
    Value value = static_cast<Value>(lane);
    if constexpr (sizeof(Value) > sizeof(Lane)) value ^= Value{0xABCD} << 8 * sizeof(Lane);
    EXPECT_SAME(splat(value), vector<Lane>(expected), a, a);
  }
}

// Comparisons fill a lane with their truth.
constexpr auto kEq = [](auto a, auto b) { return -Wide{a == b}; };
constexpr auto kNe = [](auto a, auto b) { return -Wide{!(a == b)}; };
constexpr auto kLt = [](auto a, auto b) { return -Wide{a < b}; };
constexpr auto kGt = [](auto a, auto b) { return -Wide{a > b}; };
constexpr auto kLe = [](auto a, auto b) { return -Wide{a <= b}; };
constexpr auto kGe = [](auto a, auto b) { return -Wide{a >= b}; };
constexpr auto kAdd = [](auto a, auto b) { return a + b; };
constexpr auto kSub = [](auto a, auto b) { return a - b; };
constexpr auto kMul = [](auto a, auto b) { return a * b; };
constexpr auto kMin = [](Wide a, Wide b) { return std::min(a, b); };
constexpr auto kMax = [](Wide a, Wide b) { return std::max(a, b); };
constexpr auto kNeg = [](Wide a) { return -a; };
constexpr auto kAbs = [](Wide a) { return a < 0 ? -a : a; };
constexpr auto kShl = [](Wide a, uint32_t count) { return a * (Wide{1} << count); };
// Division towards minus infinity.
constexpr auto kShr = [](Wide a, uint32_t count) {
  const Wide divisor = Wide{1} << count;
  return a / divisor - (a % divisor < 0 ? 1 : 0);
};
constexpr auto kAvgr = [](Wide a, Wide b) { return (a + b + 1) / 2; };
constexpr auto kAllTrue = [](const auto& x) {
  for (const auto lane : x) {
    if (lane == 0) return 0u;
  }
  return 1u;
};
constexpr auto kBitmask = [](const auto& x) {
  uint32_t result = 0;
  for (size_t i = 0; i < x.size(); ++i) result += x[i] < 0 ? 1u << i : 0u;
  return result;
};

// Float models. Volatile keeps the compiler from doing the lanes together, and from folding.
template <class F>
F sum(F a, F b) {
  volatile F x = a, y = b;
  return arithmetic<F>(x + y);
}
template <class F>
F minimum_of(F a, F b) {
  if (std::isnan(a) || std::isnan(b)) return canonical_nan(a);
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}
template <class F>
F maximum_of(F a, F b) {
  if (std::isnan(a) || std::isnan(b)) return canonical_nan(a);
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
template <class I, class F>
I truncated(F value) {
  if (std::isnan(value)) return 0;
  const double number = value;
  if (number <= static_cast<double>(std::numeric_limits<I>::min())) {
    return std::numeric_limits<I>::min();
  }
  if (number >= static_cast<double>(std::numeric_limits<I>::max())) {
    return std::numeric_limits<I>::max();
  }
  return static_cast<I>(static_cast<int64_t>(number));
}

// Models that keep bits compare integers: a NaN need not survive a float variable on every machine.
constexpr auto kPMin32 = [](Wide a, Wide b) {
  const float x = std::bit_cast<float>(static_cast<uint32_t>(a));
  const float y = std::bit_cast<float>(static_cast<uint32_t>(b));
  return y < x ? b : a;
};
constexpr auto kPMax32 = [](Wide a, Wide b) {
  const float x = std::bit_cast<float>(static_cast<uint32_t>(a));
  const float y = std::bit_cast<float>(static_cast<uint32_t>(b));
  return x < y ? b : a;
};
constexpr auto kPMin64 = [](Wide a, Wide b) {
  const double x = std::bit_cast<double>(static_cast<uint64_t>(a));
  const double y = std::bit_cast<double>(static_cast<uint64_t>(b));
  return y < x ? b : a;
};
constexpr auto kPMax64 = [](Wide a, Wide b) {
  const double x = std::bit_cast<double>(static_cast<uint64_t>(a));
  const double y = std::bit_cast<double>(static_cast<uint64_t>(b));
  return x < y ? b : a;
};

// Operations that take one operand, under those that give two.
template <class Operation>
auto first_of_two(Operation operation) {
  return [operation](V128 a, V128) { return operation(a); };
}

// --- The operations ------------------------------------------------------------------------------

std::set<std::string>& tested() {
  static std::set<std::string> names;
  return names;
}

// TEST(Simd, name) that knows of itself; `op` is the operation under test.
#define OPERATION(name, ...)                                                    \
  [[maybe_unused]] const bool name##_is_listed = tested().insert(#name).second; \
  TEST(Simd, name) {                                                            \
    [[maybe_unused]] const auto op = [](auto... a) { return name(a...); };      \
    __VA_ARGS__;                                                                \
  }

OPERATION(v128_not, expect_each_lane<uint64_t>(op, [](Wide a) { return -1 - a; }))
OPERATION(v128_and, expect_each_pair<uint64_t>(op, [](Wide a, Wide b) { return a & b; }))
OPERATION(v128_andnot, expect_each_pair<uint64_t>(op, [](Wide a, Wide b) { return a & ~b; }))
OPERATION(v128_or, expect_each_pair<uint64_t>(op, [](Wide a, Wide b) { return a | b; }))
OPERATION(v128_xor, expect_each_pair<uint64_t>(op, [](Wide a, Wide b) { return a ^ b; }))
OPERATION(v128_any_true, expect_number<int8_t>(op, [](const Array<int8_t>& x) {
            return x == Array<int8_t>{} ? 0u : 1u;
          }))
OPERATION(v128_bitselect, {
  for (const auto& [a, mask] : pairs(8)) {
    const V128 b = i32x4_splat(0x12345678);
    Array<uint8_t> expected = {};
    for (size_t bit = 0; bit < 128; ++bit) {
      const auto source = lanes<uint8_t>(mask)[bit / 8] >> bit % 8 & 1 ? a : b;
      expected[bit / 8] |= static_cast<uint8_t>(lanes<uint8_t>(source)[bit / 8] & 1 << bit % 8);
    }
    EXPECT_SAME(v128_bitselect(a, b, mask), vector<uint8_t>(expected), a, mask);
  }
})

OPERATION(i8x16_swizzle, {
  for (const auto& [a, b] : pairs(1)) {
    const Array<uint8_t> x = lanes<uint8_t>(a), y = lanes<uint8_t>(b);
    Array<uint8_t> expected;
    for (size_t i = 0; i < 16; ++i) expected[i] = y[i] < 16 ? x[y[i]] : uint8_t{0};
    EXPECT_SAME(i8x16_swizzle(a, b), vector<uint8_t>(expected), a, b);
  }
})
OPERATION(i8x16_shuffle, {
  Numbers numbers;
  for (const auto& [a, b] : pairs(1)) {
    Array<uint8_t> both[2] = {lanes<uint8_t>(a), lanes<uint8_t>(b)};
    Array<uint8_t> chosen, expected;
    for (size_t i = 0; i < 16; ++i) {
      chosen[i] = numbers.next() % 32;
      expected[i] = both[chosen[i] / 16][chosen[i] % 16];
    }
    EXPECT_SAME(i8x16_shuffle(a, b, vector<uint8_t>(chosen)), vector<uint8_t>(expected), a, b);
  }
})

OPERATION(i8x16_splat, expect_splat<uint8_t, uint32_t>(op))
OPERATION(i16x8_splat, expect_splat<uint16_t, uint32_t>(op))
OPERATION(i32x4_splat, expect_splat<uint32_t, uint32_t>(op))
OPERATION(i64x2_splat, expect_splat<uint64_t, uint64_t>(op))
OPERATION(f32x4_splat, expect_splat<float, float>(op))
OPERATION(f64x2_splat, expect_splat<double, double>(op))
OPERATION(i8x16_extract_lane_s, expect_extract<int8_t, uint32_t>(op))
OPERATION(i8x16_extract_lane_u, expect_extract<uint8_t, uint32_t>(op))
OPERATION(i16x8_extract_lane_s, expect_extract<int16_t, uint32_t>(op))
OPERATION(i16x8_extract_lane_u, expect_extract<uint16_t, uint32_t>(op))
OPERATION(i32x4_extract_lane, expect_extract<uint32_t, uint32_t>(op))
OPERATION(i64x2_extract_lane, expect_extract<uint64_t, uint64_t>(op))
OPERATION(f32x4_extract_lane, expect_extract<float, float>(op))
OPERATION(f64x2_extract_lane, expect_extract<double, double>(op))
OPERATION(i8x16_replace_lane, expect_replace<uint8_t, uint32_t>(op))
OPERATION(i16x8_replace_lane, expect_replace<uint16_t, uint32_t>(op))
OPERATION(i32x4_replace_lane, expect_replace<uint32_t, uint32_t>(op))
OPERATION(i64x2_replace_lane, expect_replace<uint64_t, uint64_t>(op))
OPERATION(f32x4_replace_lane, expect_replace<float, float>(op))
OPERATION(f64x2_replace_lane, expect_replace<double, double>(op))

#define EQUALITIES(shape, Lane)                          \
  OPERATION(shape##_eq, expect_each_pair<Lane>(op, kEq)) \
  OPERATION(shape##_ne, expect_each_pair<Lane>(op, kNe))
#define ORDERS(shape, suffix, Lane)                              \
  OPERATION(shape##_lt##suffix, expect_each_pair<Lane>(op, kLt)) \
  OPERATION(shape##_gt##suffix, expect_each_pair<Lane>(op, kGt)) \
  OPERATION(shape##_le##suffix, expect_each_pair<Lane>(op, kLe)) \
  OPERATION(shape##_ge##suffix, expect_each_pair<Lane>(op, kGe))
#define EXTREMES(shape, suffix, Lane)                              \
  OPERATION(shape##_min##suffix, expect_each_pair<Lane>(op, kMin)) \
  OPERATION(shape##_max##suffix, expect_each_pair<Lane>(op, kMax))
#define SATURATING(shape, suffix, Lane)                                                       \
  OPERATION(shape##_add_sat##suffix,                                                          \
            expect_each_pair<Lane>(op, [](Wide a, Wide b) { return saturate<Lane>(a + b); })) \
  OPERATION(shape##_sub_sat##suffix,                                                          \
            expect_each_pair<Lane>(op, [](Wide a, Wide b) { return saturate<Lane>(a - b); }))
#define EVERY_INTEGER_SHAPE(shape, Signed, Unsigned)               \
  EQUALITIES(shape, Unsigned)                                      \
  ORDERS(shape, _s, Signed)                                        \
  OPERATION(shape##_add, expect_each_pair<Signed>(op, kAdd))       \
  OPERATION(shape##_sub, expect_each_pair<Signed>(op, kSub))       \
  OPERATION(shape##_neg, expect_each_lane<Signed>(op, kNeg))       \
  OPERATION(shape##_abs, expect_each_lane<Signed>(op, kAbs))       \
  OPERATION(shape##_shl, expect_shift<Unsigned>(op, kShl))         \
  OPERATION(shape##_shr_s, expect_shift<Signed>(op, kShr))         \
  OPERATION(shape##_shr_u, expect_shift<Unsigned>(op, kShr))       \
  OPERATION(shape##_all_true, expect_number<Signed>(op, kAllTrue)) \
  OPERATION(shape##_bitmask, expect_number<Signed>(op, kBitmask))

EVERY_INTEGER_SHAPE(i8x16, int8_t, uint8_t)
EVERY_INTEGER_SHAPE(i16x8, int16_t, uint16_t)
EVERY_INTEGER_SHAPE(i32x4, int32_t, uint32_t)
EVERY_INTEGER_SHAPE(i64x2, int64_t, uint64_t)
ORDERS(i8x16, _u, uint8_t)
ORDERS(i16x8, _u, uint16_t)
ORDERS(i32x4, _u, uint32_t)
EXTREMES(i8x16, _s, int8_t)
EXTREMES(i8x16, _u, uint8_t)
EXTREMES(i16x8, _s, int16_t)
EXTREMES(i16x8, _u, uint16_t)
EXTREMES(i32x4, _s, int32_t)
EXTREMES(i32x4, _u, uint32_t)
SATURATING(i8x16, _s, int8_t)
SATURATING(i8x16, _u, uint8_t)
SATURATING(i16x8, _s, int16_t)
SATURATING(i16x8, _u, uint16_t)
OPERATION(i8x16_avgr_u, expect_each_pair<uint8_t>(op, kAvgr))
OPERATION(i16x8_avgr_u, expect_each_pair<uint16_t>(op, kAvgr))
OPERATION(i16x8_mul, expect_each_pair<int16_t>(op, kMul))
OPERATION(i32x4_mul, expect_each_pair<int32_t>(op, kMul))
OPERATION(i64x2_mul, expect_each_pair<int64_t>(op, [](Wide a, Wide b) {
            return static_cast<unsigned __int128>(a) * static_cast<unsigned __int128>(b);
          }))
OPERATION(i8x16_popcnt, expect_each_lane<uint8_t>(op, [](Wide a) {
            int count = 0;
            for (int bit = 0; bit < 8; ++bit) count += a >> bit & 1;
            return count;
          }))
OPERATION(i16x8_q15mulr_sat_s, expect_each_pair<int16_t>(op, [](Wide a, Wide b) {
            return saturate<int16_t>(kShr(a * b + 0x4000, 15));
          }))

#define NARROW(name, In, Out)                                                   \
  OPERATION(name, expect_from_lanes<In, Out>(op, [](size_t i, auto x, auto y) { \
              return saturate<Out>(i < x.size() ? x[i] : y[i - x.size()]);      \
            }))
NARROW(i8x16_narrow_i16x8_s, int16_t, int8_t)
NARROW(i8x16_narrow_i16x8_u, int16_t, uint8_t)
NARROW(i16x8_narrow_i32x4_s, int32_t, int16_t)
NARROW(i16x8_narrow_i32x4_u, int32_t, uint16_t)

#define EXTENSIONS(to, from, suffix, In, Out)                                                 \
  OPERATION(to##_extend_low_##from##suffix,                                                   \
            expect_from_lanes<In, Out>(first_of_two(op),                                      \
                                       [](size_t i, auto x, auto) { return Out{x[i]}; }))     \
  OPERATION(to##_extend_high_##from##suffix,                                                  \
            expect_from_lanes<In, Out>(first_of_two(op), [](size_t i, auto x, auto) {         \
              return Out{x[i + x.size() / 2]};                                                \
            }))                                                                               \
  OPERATION(to##_extmul_low_##from##suffix,                                                   \
            expect_from_lanes<In, Out>(op, [](size_t i, auto x, auto y) {                     \
              return static_cast<Out>(Wide{x[i]} * Wide{y[i]});                               \
            }))                                                                               \
  OPERATION(to##_extmul_high_##from##suffix,                                                  \
            expect_from_lanes<In, Out>(op, [](size_t i, auto x, auto y) {                     \
              return static_cast<Out>(Wide{x[i + x.size() / 2]} * Wide{y[i + x.size() / 2]}); \
            }))
EXTENSIONS(i16x8, i8x16, _s, int8_t, int16_t)
EXTENSIONS(i16x8, i8x16, _u, uint8_t, uint16_t)
EXTENSIONS(i32x4, i16x8, _s, int16_t, int32_t)
EXTENSIONS(i32x4, i16x8, _u, uint16_t, uint32_t)
EXTENSIONS(i64x2, i32x4, _s, int32_t, int64_t)
EXTENSIONS(i64x2, i32x4, _u, uint32_t, uint64_t)

#define PAIRWISE(name, In, Out)                                                             \
  OPERATION(name, expect_from_lanes<In, Out>(first_of_two(op), [](size_t i, auto x, auto) { \
              return static_cast<Out>(x[2 * i] + x[2 * i + 1]);                             \
            }))
PAIRWISE(i16x8_extadd_pairwise_i8x16_s, int8_t, int16_t)
PAIRWISE(i16x8_extadd_pairwise_i8x16_u, uint8_t, uint16_t)
PAIRWISE(i32x4_extadd_pairwise_i16x8_s, int16_t, int32_t)
PAIRWISE(i32x4_extadd_pairwise_i16x8_u, uint16_t, uint32_t)
OPERATION(i32x4_dot_i16x8_s, expect_from_lanes<int16_t, int32_t>(op, [](size_t i, auto x, auto y) {
            return static_cast<int32_t>(Wide{x[2 * i]} * y[2 * i] +
                                        Wide{x[2 * i + 1]} * y[2 * i + 1]);
          }))
// All pairs of lanes at their minimum are not among the pairs above.
TEST(Simd, dot_product_of_minima_wraps) {
  const V128 minima = i16x8_splat(0x8000);
  EXPECT_TRUE(equal(i32x4_dot_i16x8_s(minima, minima), i32x4_splat(0x80000000)));
}

#define EVERY_FLOAT_SHAPE(shape, F, Bits, suffix)                                                  \
  OPERATION(shape##_eq, (expect_each_pair<F, Bits>(op, kEq)))                                      \
  OPERATION(shape##_ne, (expect_each_pair<F, Bits>(op, kNe)))                                      \
  OPERATION(shape##_lt, (expect_each_pair<F, Bits>(op, kLt)))                                      \
  OPERATION(shape##_gt, (expect_each_pair<F, Bits>(op, kGt)))                                      \
  OPERATION(shape##_le, (expect_each_pair<F, Bits>(op, kLe)))                                      \
  OPERATION(shape##_ge, (expect_each_pair<F, Bits>(op, kGe)))                                      \
  OPERATION(shape##_abs, expect_each_lane<Bits>(op, [](Wide a) { return a & (Bits(-1) >> 1); }))   \
  OPERATION(shape##_neg, expect_each_lane<Bits>(op, [](Wide a) { return a ^ ~(Bits(-1) >> 1); }))  \
  OPERATION(shape##_ceil, expect_each_lane<F>(op, [](F a) { return arithmetic(std::ceil(a)); }))   \
  OPERATION(shape##_floor, expect_each_lane<F>(op, [](F a) { return arithmetic(std::floor(a)); })) \
  OPERATION(shape##_trunc, expect_each_lane<F>(op, [](F a) { return arithmetic(std::trunc(a)); })) \
  OPERATION(shape##_nearest,                                                                       \
            expect_each_lane<F>(op, [](F a) { return arithmetic(std::nearbyint(a)); }))            \
  OPERATION(shape##_sqrt, expect_each_lane<F>(op, [](F a) { return arithmetic(std::sqrt(a)); }))   \
  OPERATION(shape##_add, expect_each_pair<F>(op, [](F a, F b) { return sum(a, b); }))              \
  OPERATION(shape##_sub, expect_each_pair<F>(op, [](F a, F b) { return sum(a, -b); }))             \
  OPERATION(shape##_mul, expect_each_pair<F>(op, [](F a, F b) { return arithmetic<F>(a * b); }))   \
  OPERATION(shape##_div, expect_each_pair<F>(op, [](F a, F b) { return arithmetic<F>(a / b); }))   \
  OPERATION(shape##_min, expect_each_pair<F>(op, minimum_of<F>))                                   \
  OPERATION(shape##_max, expect_each_pair<F>(op, maximum_of<F>))                                   \
  OPERATION(shape##_pmin, expect_each_pair<Bits>(op, kPMin##suffix))                               \
  OPERATION(shape##_pmax, expect_each_pair<Bits>(op, kPMax##suffix))
EVERY_FLOAT_SHAPE(f32x4, float, uint32_t, 32)
EVERY_FLOAT_SHAPE(f64x2, double, uint64_t, 64)

OPERATION(i32x4_trunc_sat_f32x4_s,
          expect_each_lane<float, int32_t>(op, [](float a) { return truncated<int32_t>(a); }))
OPERATION(i32x4_trunc_sat_f32x4_u,
          expect_each_lane<float, uint32_t>(op, [](float a) { return truncated<uint32_t>(a); }))
OPERATION(i32x4_trunc_sat_f64x2_s_zero,
          expect_from_lanes<double, int32_t>(first_of_two(op), [](size_t i, auto x, auto) {
            return i < 2 ? truncated<int32_t>(x[i]) : 0;
          }))
OPERATION(i32x4_trunc_sat_f64x2_u_zero,
          expect_from_lanes<double, uint32_t>(first_of_two(op), [](size_t i, auto x, auto) {
            return i < 2 ? truncated<uint32_t>(x[i]) : 0;
          }))
// Through f64, which holds every 32-bit integer: rounded once.
OPERATION(f32x4_convert_i32x4_s,
          expect_from_lanes<int32_t, float>(first_of_two(op), [](size_t i, auto x, auto) {
            return static_cast<float>(static_cast<double>(x[i]));
          }))
OPERATION(f32x4_convert_i32x4_u,
          expect_from_lanes<uint32_t, float>(first_of_two(op), [](size_t i, auto x, auto) {
            return static_cast<float>(static_cast<double>(x[i]));
          }))
OPERATION(f64x2_convert_low_i32x4_s,
          expect_from_lanes<int32_t, double>(first_of_two(op), [](size_t i, auto x, auto) {
            return static_cast<double>(x[i]);
          }))
OPERATION(f64x2_convert_low_i32x4_u,
          expect_from_lanes<uint32_t, double>(first_of_two(op), [](size_t i, auto x, auto) {
            return static_cast<double>(x[i]);
          }))
OPERATION(f64x2_promote_low_f32x4,
          expect_from_lanes<float, double>(first_of_two(op), [](size_t i, auto x, auto) {
            return arithmetic(static_cast<double>(x[i]));
          }))
OPERATION(f32x4_demote_f64x2_zero,
          expect_from_lanes<double, float>(first_of_two(op), [](size_t i, auto x, auto) {
            return i < 2 ? arithmetic(static_cast<float>(x[i])) : 0.0f;
          }))

// --- Loads ---------------------------------------------------------------------------------------

template <class In, class Out, class Load>
void expect_widening_load(Load load) {
  for (const auto& [a, unused] : pairs(sizeof(In))) {
    const Array<In> x = lanes<In>(a);
    Array<Out> expected;
    for (size_t i = 0; i < expected.size(); ++i) expected[i] = x[i];
    EXPECT_SAME(load(lanes<uint64_t>(a)[0]), vector<Out>(expected), a, a);
  }
}

TEST(Simd, loads_extend_each_lane) {
  expect_widening_load<int8_t, int16_t>([](uint64_t bits) { return v128_load8x8_s(bits); });
  expect_widening_load<uint8_t, uint16_t>([](uint64_t bits) { return v128_load8x8_u(bits); });
  expect_widening_load<int16_t, int32_t>([](uint64_t bits) { return v128_load16x4_s(bits); });
  expect_widening_load<uint16_t, uint32_t>([](uint64_t bits) { return v128_load16x4_u(bits); });
  expect_widening_load<int32_t, int64_t>([](uint64_t bits) { return v128_load32x2_s(bits); });
  expect_widening_load<uint32_t, uint64_t>([](uint64_t bits) { return v128_load32x2_u(bits); });
}

TEST(Simd, zero_loads_clear_the_other_lanes) {
  const Array<uint32_t> low32 = {0x89ABCDEF, 0, 0, 0};
  EXPECT_TRUE(equal(v128_load32_zero(0x89ABCDEF), vector<uint32_t>(low32)));
  const Array<uint64_t> low64 = {0x89ABCDEF01234567, 0};
  EXPECT_TRUE(equal(v128_load64_zero(0x89ABCDEF01234567), vector<uint64_t>(low64)));
}

// --- The table -----------------------------------------------------------------------------------

#define SIMD_ROW_Simple(identifier) #identifier,
#define SIMD_ROW_Lane(identifier) #identifier,
#define SIMD_ROW_Shuffle(identifier) #identifier,
#define SIMD_ROW_Load(identifier)
#define SIMD_ROW_Store(identifier)
#define SIMD_ROW_LoadLane(identifier)
#define SIMD_ROW_StoreLane(identifier)
#define SIMD_ROW_Special(identifier)
#define PAGE_0x00(kind, identifier)
#define PAGE_0xFC(kind, identifier)
#define PAGE_0xFD(kind, identifier) SIMD_ROW_##kind(identifier)
#define OP(Name, identifier, text, prefix, code, immediate, signature, kind, feature) \
  PAGE_##prefix(kind, identifier)

TEST(Simd, every_vector_opcode_is_tested_here) {
  const std::set<std::string> opcodes = {
#include "loader/opcodes.def"
  };
  EXPECT_EQ(opcodes, tested());
}

}  // namespace
}  // namespace qip
