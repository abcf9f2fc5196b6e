// Numbers from text: what is read, to the bit, and what is none.
#include "host/numbers.hpp"

#include <gtest/gtest.h>

#include "vm/value.hpp"

namespace qip {
namespace {

TEST(Numbers, DigitsUpToSixtyFourBits) {
  EXPECT_EQ(parse_digits("0", 10), 0u);
  EXPECT_EQ(parse_digits("0018446744073709551615", 10), ~uint64_t{0});
  EXPECT_EQ(parse_digits("18446744073709551616", 10), std::nullopt);
  EXPECT_EQ(parse_digits("fFfFfFfFfFfFfFfF", 16), ~uint64_t{0});
  EXPECT_EQ(parse_digits("10000000000000000", 16), std::nullopt);
}

TEST(Numbers, DigitsAndNothingElse) {
  for (const char* text : {"", "a", "+1", "-1", " 1", "1 ", "1_0", "0x1", "1.0"}) {
    EXPECT_EQ(parse_digits(text, 10), std::nullopt) << text;
  }
  EXPECT_EQ(parse_digits("g", 16), std::nullopt);
  EXPECT_EQ(parse_digits(std::string_view("1\0", 2), 10), std::nullopt);
}

TEST(Numbers, HexPrefixInEitherCase) {
  for (const char* text : {"0x7", "0X7"}) {
    std::string_view rest = text;
    EXPECT_TRUE(remove_hex_prefix(rest));
    EXPECT_EQ(rest, "7");
  }
  std::string_view rest = "x7";
  EXPECT_FALSE(remove_hex_prefix(rest));
  EXPECT_EQ(rest, "x7");
}

TEST(Numbers, FloatsAreRoundedOnce) {
  // Halfway between two floats but for its last digit: by way of a double it would round down.
  EXPECT_EQ(parse_finite("1.000000059604644775390625000000000000001", 32), 0x3F800001u);
  EXPECT_EQ(parse_finite("16777217", 32), Value::from_f32(16777216).low);
  EXPECT_EQ(parse_finite("0.1", 64), Value::from_f64(0.1).low);
}

TEST(Numbers, SmallestAndLargestFloats) {
  EXPECT_EQ(parse_finite("1e-45", 32), 1u);
  EXPECT_EQ(parse_finite("1e-99999", 32), 0u);
  EXPECT_EQ(parse_finite("5e-324", 64), 1u);
  EXPECT_EQ(parse_finite("1e-400", 64), 0u);
  EXPECT_EQ(parse_finite("3.4028235e38", 32), 0x7F7F'FFFFu);
  EXPECT_EQ(parse_finite("3.4028236e38", 32), std::nullopt);
  EXPECT_EQ(parse_finite("1.7976931348623157e308", 64), 0x7FEF'FFFF'FFFF'FFFFu);
  EXPECT_EQ(parse_finite("1.7976931348623159e308", 64), std::nullopt);
  EXPECT_EQ(parse_finite("1e99999999999999999999", 64), std::nullopt);
}

TEST(Numbers, FloatsThatAreNone) {
  for (const char* text :
       {"",   ".",  "e5",  ".e5", "1e",     "1e+", "1f",    "1.5.", "1,5", " 1", "1 ",
        "+1", "-1", "inf", "nan", "nan(1)", "0x",  "0x.p1", "0x1p", "1_0", "\t1"}) {
    EXPECT_EQ(parse_finite(text, 32), std::nullopt) << text;
    EXPECT_EQ(parse_finite(text, 64), std::nullopt) << text;
  }
  EXPECT_EQ(parse_finite(std::string_view("1\0", 2), 64), std::nullopt);
}

}  // namespace
}  // namespace qip
