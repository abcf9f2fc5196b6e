// Values read and printed, and texts that are no values.
#include "cli/value_text.hpp"

#include <gtest/gtest.h>

namespace qip {
namespace {

// The text printed for a text read, or "!" if it is refused.
std::string round(ValueType type, const char* text) {
  const Result<Value, std::string> value = parse_value(type, text);
  return value.ok() ? format_value(type, value.value()) : "!";
}

TEST(ValueText, IntegersInBothRanges) {
  EXPECT_EQ(round(ValueType::I32, "0"), "0");
  EXPECT_EQ(round(ValueType::I32, "+7"), "7");
  EXPECT_EQ(round(ValueType::I32, "-2147483648"), "-2147483648");
  EXPECT_EQ(round(ValueType::I32, "2147483648"), "-2147483648");
  EXPECT_EQ(round(ValueType::I32, "4294967295"), "-1");
  EXPECT_EQ(round(ValueType::I32, "0xffffffff"), "-1");
  EXPECT_EQ(round(ValueType::I32, "-0x7f"), "-127");
  EXPECT_EQ(round(ValueType::I64, "18446744073709551615"), "-1");
  EXPECT_EQ(round(ValueType::I64, "-9223372036854775808"), "-9223372036854775808");
}

TEST(ValueText, IntegersThatAreNone) {
  for (const char* text : {"", "-", "+", "0x", "4294967296", "-2147483649", "0x100000000", "1.5",
                           " 1", "1 ", "1_000", "ff", "--1", "18446744073709551616000"}) {
    EXPECT_EQ(round(ValueType::I32, text), "!") << text;
  }
  EXPECT_EQ(round(ValueType::I64, "18446744073709551616"), "!");
  EXPECT_EQ(round(ValueType::I64, "-9223372036854775809"), "!");
}

TEST(ValueText, FloatsAreShortAndExact) {
  EXPECT_EQ(round(ValueType::F32, "0.1"), "0.1");
  EXPECT_EQ(round(ValueType::F64, "0.1"), "0.1");
  EXPECT_EQ(round(ValueType::F64, "-0"), "-0");
  EXPECT_EQ(round(ValueType::F64, "0x1p-2"), "0.25");
  EXPECT_EQ(round(ValueType::F32, "16777217"), "16777216");
  EXPECT_EQ(round(ValueType::F64, "1e300"), "1e+300");
  EXPECT_EQ(round(ValueType::F32, "-inf"), "-inf");
  EXPECT_EQ(round(ValueType::F64, "infinity"), "inf");
  EXPECT_EQ(round(ValueType::F64, "5e-324"), "5e-324");
}

TEST(ValueText, NanKeepsItsBits) {
  EXPECT_EQ(parse_value(ValueType::F32, "nan").value().low, 0x7FC00000u);
  EXPECT_EQ(parse_value(ValueType::F32, "-nan:0x1").value().low, 0xFF800001u);
  EXPECT_EQ(parse_value(ValueType::F64, "nan").value().low, 0x7FF8000000000000u);
  EXPECT_EQ(round(ValueType::F32, "-nan:0x200000"), "-nan:0x200000");
  EXPECT_EQ(round(ValueType::F32, "nan:0x400000"), "nan");
  EXPECT_EQ(round(ValueType::F32, "nan:0x0"), "!");
  EXPECT_EQ(round(ValueType::F32, "nan:0x800000"), "!");
  EXPECT_EQ(round(ValueType::F32, "nan(1)"), "!");
}

TEST(ValueText, FloatsThatAreNone) {
  for (const char* text : {"", "-", "abc", "1e40", " 1", "1 ", "+-1", "1e", "0x", "e5"}) {
    EXPECT_EQ(round(ValueType::F32, text), "!") << text;
  }
  EXPECT_EQ(round(ValueType::F64, "1e400"), "!");
}

TEST(ValueText, VectorsByLaneLowestFirst) {
  EXPECT_EQ(round(ValueType::V128, "i32x4:1,2,3,-1"),
            "i32x4:0x00000001,0x00000002,0x00000003,0xffffffff");
  EXPECT_EQ(parse_value(ValueType::V128, "i8x16:0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,-1").value(),
            Value::from_v128(0x0706050403020100, 0xFF0E0D0C0B0A0908));
  EXPECT_EQ(parse_value(ValueType::V128, "f64x2:1,-0").value(),
            Value::from_v128(0x3FF0000000000000, 0x8000000000000000));
  EXPECT_EQ(parse_value(ValueType::V128, "0x1").value(), Value::from_v128(1, 0));
  EXPECT_EQ(parse_value(ValueType::V128, "0x00000004000000030000000200000001").value(),
            parse_value(ValueType::V128, "i32x4:1,2,3,4").value());
  for (const char* text : {"", "0x", "1", "i32x4:", "i32x4:1,2,3", "i32x4:1,2,3,4,5",
                           "i32x4:1,,3,4", "i8x16:256,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0", "i32x3:1,2,3",
                           "0x000000000000000000000000000000001"}) {
    EXPECT_EQ(round(ValueType::V128, text), "!") << text;
  }
}

TEST(ValueText, References) {
  EXPECT_EQ(round(ValueType::FuncRef, "null"), "null");
  EXPECT_EQ(round(ValueType::FuncRef, "1"), "!");
  EXPECT_EQ(round(ValueType::ExternRef, "null"), "null");
  EXPECT_EQ(round(ValueType::ExternRef, "0"), "0");
  EXPECT_EQ(round(ValueType::ExternRef, "18446744073709551615"), "!");
}

TEST(ValueText, ErrorsSayWhatWasExpected) {
  EXPECT_EQ(parse_value(ValueType::I32, "1.5").error(), "invalid value \"1.5\" (expected i32)");
}

}  // namespace
}  // namespace qip
