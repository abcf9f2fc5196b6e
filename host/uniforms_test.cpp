// Uniforms: the query syntax, the syntax of values by type, and hostile setters.
#include "host/uniforms.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <string>
#include <vector>

#include "host/test_modules.hpp"

namespace qip {
namespace {

using namespace qip::test;
using Pairs = std::map<std::string, std::string, std::less<>>;

constexpr uint8_t kF64Byte = 0x7C;
constexpr uint8_t kV128Byte = 0x7B;
constexpr uint8_t kExternRefByte = 0x6F;

// --- Query ---------------------------------------------------------------------------------------

Pairs pairs_of(std::string_view argument) {
  Uniforms uniforms;
  EXPECT_EQ(add_uniform_query("run", argument, uniforms), "") << argument;
  return uniforms;
}

std::string query_error(std::string_view argument) {
  Uniforms uniforms = {{"kept", "1"}};
  const std::string error = add_uniform_query("run", argument, uniforms);
  EXPECT_EQ(uniforms, (Pairs{{"kept", "1"}})) << "changed by " << argument;
  return error;
}

TEST(UniformQuery, PairsAreSplitAtAmpersandAndFirstEquals) {
  EXPECT_EQ(pairs_of("?a=1&b=2"), (Pairs{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(pairs_of("?a=b=c"), (Pairs{{"a", "b=c"}}));
  EXPECT_EQ(pairs_of("?a=?&b=&c"), (Pairs{{"a", "?"}, {"b", ""}, {"c", ""}}));
}

TEST(UniformQuery, EmptySegmentsAreSkipped) {
  EXPECT_EQ(pairs_of("?&&a=1&&b=2&"), (Pairs{{"a", "1"}, {"b", "2"}}));
}

TEST(UniformQuery, KeysAndValuesAreDecoded) {
  EXPECT_EQ(pairs_of("?%61+b=%2B5+%3d%26"), (Pairs{{"a b", "+5 =&"}}));
  EXPECT_EQ(pairs_of("?a=%00"), (Pairs{{"a", std::string(1, '\0')}}));
  EXPECT_EQ(pairs_of("?a=%C3%A9%fF"), (Pairs{{"a", "\xC3\xA9\xFF"}}));
  EXPECT_EQ(pairs_of("?a=%2541"), (Pairs{{"a", "%41"}})) << "once only";
  EXPECT_EQ(pairs_of("?%3D=1"), (Pairs{{"=", "1"}}));
}

TEST(UniformQuery, LastValueOfAKeyWins) {
  EXPECT_EQ(pairs_of("?a=1&a=2&%61=3"), (Pairs{{"a", "3"}}));
}

TEST(UniformQuery, LaterArgumentsOverrideEarlierOnes) {
  Uniforms uniforms;
  EXPECT_EQ(add_uniform_query("run", "?a=1&b=2", uniforms), "");
  EXPECT_EQ(add_uniform_query("run", "?b=3&c=4", uniforms), "");
  EXPECT_EQ(add_uniform_pair("c=5", uniforms), "");
  EXPECT_EQ(uniforms, (Pairs{{"a", "1"}, {"b", "3"}, {"c", "5"}}));
}

TEST(UniformQuery, NothingToSet) {
  EXPECT_EQ(query_error("?"), "run uniform query must not be empty");
  EXPECT_EQ(query_error("?&"), "run uniform query \"?&\" must contain key=value pairs");
  EXPECT_EQ(query_error("?&&&"), "run uniform query \"?&&&\" must contain key=value pairs");
}

TEST(UniformQuery, EmptyKeyIsAnError) {
  for (const std::string argument : {"?=1", "?=", "?==", "?a=1&=2", "?=2&a=1"}) {
    EXPECT_EQ(query_error(argument), "invalid run uniform query \"" + argument + "\": empty key");
  }
}

TEST(UniformQuery, BadEscapeIsShownAsFarAsItGoes) {
  const auto expect = [](const std::string& argument, const std::string& escape) {
    EXPECT_EQ(query_error(argument), "invalid run uniform query \"" + argument +
                                         "\": invalid URL escape \"" + escape + "\"");
  };
  expect("?a=%zz", "%zz");
  expect("?a=1%zzz", "%zz");
  expect("?a=%", "%");
  expect("?a=%4", "%4");
  expect("?a=%z", "%z");
  expect("?a=%4&b=1", "%4");
  expect("?%=1", "%");
  expect("?%4=1", "%4");
  expect("?a=%4g", "%4g");
  expect("?a=%+1", "%+1");
  expect("?a=%%41", "%%4");
  expect("?a=%1z&b=%2z", "%1z");
}

TEST(UniformQuery, SemicolonIsAnErrorAnywhere) {
  for (const std::string argument : {"?a=1;b=2", "?;", "?a=1&;", "?a=%zz&b=1;", "?a=1;&b=%zz"}) {
    EXPECT_EQ(query_error(argument), "invalid run uniform query \"" + argument +
                                         "\": invalid semicolon separator in query");
  }
  EXPECT_EQ(pairs_of("?a=%3B"), (Pairs{{"a", ";"}}));
}

TEST(UniformQuery, CommandIsNamed) {
  Uniforms uniforms;
  EXPECT_EQ(add_uniform_query("image", "?", uniforms), "image uniform query must not be empty");
  EXPECT_EQ(add_uniform_query("image", "?=", uniforms),
            "invalid image uniform query \"?=\": empty key");
}

TEST(UniformQuery, MessagesHoldNoControlCharacters) {
  EXPECT_EQ(query_error("?\x1b=%\x1b[2J"),
            "invalid run uniform query \"?\\1b=%\\1b[2J\": invalid URL escape \"%\\1b[\"");
}

TEST(UniformPair, IsTakenAsItStands) {
  Uniforms uniforms;
  EXPECT_EQ(add_uniform_pair("a=%41+b=c&d;", uniforms), "");
  EXPECT_EQ(add_uniform_pair("empty=", uniforms), "");
  EXPECT_EQ(add_uniform_pair("a b=1", uniforms), "");
  EXPECT_EQ(uniforms, (Pairs{{"a", "%41+b=c&d;"}, {"empty", ""}, {"a b", "1"}}));
}

TEST(UniformPair, NeedsAKey) {
  Uniforms uniforms;
  EXPECT_EQ(add_uniform_pair("x", uniforms), "uniform \"x\" must be key=value");
  EXPECT_EQ(add_uniform_pair("", uniforms), "uniform \"\" must be key=value");
  EXPECT_EQ(add_uniform_pair("=1", uniforms), "uniform \"=1\" has an empty key");
  EXPECT_TRUE(uniforms.empty());
}

// --- Values --------------------------------------------------------------------------------------

TEST(UniformValue, I32TakesSignedAndUnsignedDecimalsAndRawHex) {
  const struct {
    const char* text;
    uint32_t bits;
  } rows[] = {{"0", 0},
              {"5", 5},
              {"-5", 0xFFFFFFFB},
              {"+7", 7},
              {"-0", 0},
              {"007", 7},
              {"2147483647", 0x7FFFFFFF},
              {"-2147483648", 0x80000000},
              {"2147483648", 0x80000000},
              {"4294967295", 0xFFFFFFFF},
              {"0xff5511ff", 0xFF5511FF},
              {"0XFF5511FF", 0xFF5511FF},
              {"0x0", 0},
              {"0x00000001", 1}};
  for (const auto& row : rows) {
    EXPECT_EQ(parse_uniform(ValueType::I32, row.text), Value::from_i32(row.bits)) << row.text;
  }
}

TEST(UniformValue, I64TakesSignedDecimalsAndRawHex) {
  const struct {
    const char* text;
    uint64_t bits;
  } rows[] = {{"9223372036854775807", 0x7FFF'FFFF'FFFF'FFFF},
              {"-9223372036854775808", 0x8000'0000'0000'0000},
              {"-1", ~uint64_t{0}},
              {"4294967296", 0x1'0000'0000},
              {"0xffffffffffffffff", ~uint64_t{0}},
              {"0x8000000000000000", 0x8000'0000'0000'0000}};
  for (const auto& row : rows) {
    EXPECT_EQ(parse_uniform(ValueType::I64, row.text), Value::from_i64(row.bits)) << row.text;
  }
}

TEST(UniformValue, IntegersThatAreNone) {
  for (const ValueType type : {ValueType::I32, ValueType::I64}) {
    for (const char* text : {"",
                             "-",
                             "+",
                             "--1",
                             "+-1",
                             " 5",
                             "5 ",
                             "1.5",
                             "1e3",
                             "1_000",
                             "ff",
                             "0x",
                             "0xg",
                             "0x_1",
                             "x1",
                             "0b1",
                             "0o7",
                             "inf",
                             "nan",
                             "5\n",
                             "18446744073709551616",
                             "0x10000000000000000"}) {
      EXPECT_EQ(parse_uniform(type, text), std::nullopt) << text;
    }
    EXPECT_EQ(parse_uniform(type, std::string_view("5\0", 2)), std::nullopt);
  }
  for (const char* text : {"4294967296", "-2147483649", "0x100000000", "0x000000001"}) {
    EXPECT_EQ(parse_uniform(ValueType::I32, text), std::nullopt) << text;
  }
  for (const char* text : {"9223372036854775808", "-9223372036854775809"}) {
    EXPECT_EQ(parse_uniform(ValueType::I64, text), std::nullopt) << text;
  }
}

TEST(UniformValue, FloatsOfBothWidths) {
  const struct {
    const char* text;
    double number;
  } rows[] = {{"0", 0.0},        {"-0", -0.0},     {"1", 1.0},        {"+0.5", 0.5},
              {".5", 0.5},       {"5.", 5.0},      {"-2.5e-1", -.25}, {"1E3", 1000.0},
              {"1e+3", 1000.0},  {"0x1p-2", 0.25}, {"0X1.8P1", 3.0},  {"-0x1p0", -1.0},
              {"0x.8p0", 0.5},   {"007", 7.0},     {"0e99999", 0.0},  {"1e-99999", 0.0},
              {"-1e-9999", -0.0}};
  for (const auto& row : rows) {
    EXPECT_EQ(parse_uniform(ValueType::F64, row.text), Value::from_f64(row.number)) << row.text;
    EXPECT_EQ(parse_uniform(ValueType::F32, row.text),
              Value::from_f32(static_cast<float>(row.number)))
        << row.text;
  }
}

TEST(UniformValue, F32IsRoundedOnce) {
  EXPECT_EQ(parse_uniform(ValueType::F32, "1.000000059604644775390625000000000000001"),
            Value::from_f32(std::bit_cast<float>(0x3F800001)));
  EXPECT_EQ(parse_uniform(ValueType::F32, "-1.000000059604644775390625000000000000001"),
            Value::from_f32(std::bit_cast<float>(0xBF800001)));
}

TEST(UniformValue, FloatsBeyondTheRangeAreErrors) {
  for (const char* text : {"1e40", "-1e40", "3.4028236e38", "0x1p128"}) {
    EXPECT_EQ(parse_uniform(ValueType::F32, text), std::nullopt) << text;
    EXPECT_NE(parse_uniform(ValueType::F64, text), std::nullopt) << text;
  }
  for (const char* text : {"1e400", "-1e400", "0x1p1024", "1e999999999999999999"}) {
    EXPECT_EQ(parse_uniform(ValueType::F32, text), std::nullopt) << text;
    EXPECT_EQ(parse_uniform(ValueType::F64, text), std::nullopt) << text;
  }
}

TEST(UniformValue, FloatsTooSmallAreSubnormalOrZero) {
  EXPECT_EQ(parse_uniform(ValueType::F32, "1e-45")->low, 1u);
  EXPECT_EQ(parse_uniform(ValueType::F64, "5e-324")->low, 1u);
  EXPECT_EQ(parse_uniform(ValueType::F64, "-1e-400")->low, 0x8000'0000'0000'0000u);
}

TEST(UniformValue, InfinityInAnyCaseWithASign) {
  for (const char* text : {"inf", "Inf", "INF", "+inf", "infinity", "Infinity", "+INFINITY"}) {
    EXPECT_EQ(parse_uniform(ValueType::F32, text)->low, 0x7F80'0000u) << text;
    EXPECT_EQ(parse_uniform(ValueType::F64, text)->low, 0x7FF0'0000'0000'0000u) << text;
  }
  for (const char* text : {"-inf", "-iNfInItY"}) {
    EXPECT_EQ(parse_uniform(ValueType::F32, text)->low, 0xFF80'0000u) << text;
    EXPECT_EQ(parse_uniform(ValueType::F64, text)->low, 0xFFF0'0000'0000'0000u) << text;
  }
}

TEST(UniformValue, NanIsTheCanonicalOne) {
  for (const char* text : {"nan", "NaN", "NAN"}) {
    EXPECT_EQ(parse_uniform(ValueType::F32, text)->low, 0x7FC0'0000u) << text;
    EXPECT_EQ(parse_uniform(ValueType::F64, text)->low, 0x7FF8'0000'0000'0000u) << text;
  }
}

TEST(UniformValue, FloatsThatAreNone) {
  for (const ValueType type : {ValueType::F32, ValueType::F64}) {
    for (const char* text :
         {"",     "-",       "+",         ".",         "e5",   "1e",   "1e+",   "abc",    " 0.5",
          "0.5 ", "1,5",     "1_0",       "1.5f",      "--1",  "+-1",  "0x10",  "0x1.8",  "0x",
          "0x1p", "0xp1",    "0x_1p2",    "1p2",       "+nan", "-nan", "nan()", "nan(1)", "nan:0x1",
          "infi", "infinit", "inf inity", "infinityx", "\t1",  "1\n",  "0b1"}) {
      EXPECT_EQ(parse_uniform(type, text), std::nullopt) << text;
    }
    EXPECT_EQ(parse_uniform(type, std::string_view("1\0", 2)), std::nullopt);
  }
}

TEST(UniformValue, OtherTypesHaveNoSyntax) {
  for (const ValueType type : {ValueType::V128, ValueType::FuncRef, ValueType::ExternRef}) {
    EXPECT_EQ(parse_uniform(type, "0"), std::nullopt);
  }
}

// --- Setters -------------------------------------------------------------------------------------

Component component_of(const ModuleBuilder& builder, const RunLimits& limits = {}) {
  Result<Component, HostError> component = load_component("guest.wasm", builder.bytes(), limits);
  EXPECT_TRUE(component.ok()) << component.error().message;
  return std::move(component.value());
}

std::string check_error(const ModuleBuilder& builder, const Uniforms& uniforms) {
  const MaybeError error = check_uniforms(component_of(builder), uniforms);
  if (!error) return "";
  EXPECT_EQ(error->error_class, HostErrorClass::Contract);
  return error->message;
}

TEST(CheckUniforms, EveryNumberTypeAndAnyResult) {
  ModuleBuilder builder;
  builder.function("uniform_set_a", {kI32}, {}, {})
      .function("uniform_set_b", {kI64}, {kI32}, i32_const(0))
      .function("uniform_set_c", {kF32}, {kI32, kI32}, i32_const(0) + i32_const(0))
      .function("uniform_set_d", {kF64Byte}, {}, {});
  EXPECT_EQ(check_error(builder, {{"a", "1"}, {"b", "1"}, {"c", "1"}, {"d", "1"}}), "");
  EXPECT_EQ(check_error(builder, {}), "");
}

TEST(CheckUniforms, SetterMustBeAnExportedFunction) {
  ModuleBuilder builder;
  builder.global("uniform_set_g", kI32, true, i32_const(0))
      .memory(1, "uniform_set_m")
      .function("uniform_set_x", {kI32}, {}, {});
  for (const std::string key : {"foo", "g", "m", "X", "x "}) {
    EXPECT_EQ(check_error(builder, {{key, "1"}}),
              "guest.wasm: Wasm module does not export uniform_set_" + key + " for query key \"" +
                  key + "\"");
  }
}

TEST(CheckUniforms, SetterMustTakeOneParameter) {
  ModuleBuilder builder;
  builder.function("uniform_set_none", {}, {}, {})
      .function("uniform_set_width_and_height", {kF32, kF32}, {}, {});
  EXPECT_EQ(check_error(builder, {{"none", "1"}}),
            "guest.wasm: uniform_set_none must accept exactly one argument");
  EXPECT_EQ(check_error(builder, {{"width_and_height", "2"}}),
            "guest.wasm: uniform_set_width_and_height must accept exactly one argument");
}

TEST(CheckUniforms, ParameterMustBeANumber) {
  ModuleBuilder builder;
  builder.function("uniform_set_v", {kV128Byte}, {}, {})
      .function("uniform_set_r", {kExternRefByte}, {}, {});
  for (const std::string key : {"v", "r"}) {
    EXPECT_EQ(check_error(builder, {{key, "0"}}),
              "guest.wasm: uniform_set_" + key + " has unsupported parameter type");
  }
}

TEST(CheckUniforms, ValueMustParse) {
  ModuleBuilder builder;
  builder.function("uniform_set_i", {kI32}, {}, {})
      .function("uniform_set_l", {kI64}, {}, {})
      .function("uniform_set_f", {kF32}, {}, {})
      .function("uniform_set_d", {kF64Byte}, {}, {});
  EXPECT_EQ(check_error(builder, {{"i", "1.5"}}),
            "guest.wasm: invalid value \"1.5\" for uniform_set_i (expected i32)");
  EXPECT_EQ(check_error(builder, {{"l", ""}}),
            "guest.wasm: invalid value \"\" for uniform_set_l (expected i64)");
  EXPECT_EQ(check_error(builder, {{"f", "0x10"}}),
            "guest.wasm: invalid value \"0x10\" for uniform_set_f (expected f32)");
  EXPECT_EQ(check_error(builder, {{"d", " 0.5"}}),
            "guest.wasm: invalid value \" 0.5\" for uniform_set_d (expected f64)");
}

TEST(CheckUniforms, FirstKeyInByteOrderIsNamed) {
  EXPECT_EQ(check_error(ModuleBuilder(), {{"b", ""}, {"a", ""}, {"B", ""}}),
            "guest.wasm: Wasm module does not export uniform_set_B for query key \"B\"");
}

TEST(CheckUniforms, MessagesHoldNoControlCharacters) {
  EXPECT_EQ(check_error(ModuleBuilder(), {{"\x1b[2J\n", "\r"}}),
            "guest.wasm: Wasm module does not export uniform_set_\\x1b[2J\\x0a for query key "
            "\"\\1b[2J\\0a\"");
  ModuleBuilder builder;
  builder.function("uniform_set_i\n", {kI32}, {}, {})
      .function("uniform_set_\n", {}, {}, {})
      .function("uniform_set_\r", {kV128Byte}, {}, {});
  EXPECT_EQ(check_error(builder, {{"i\n", "\x1b"}}),
            "guest.wasm: invalid value \"\\1b\" for uniform_set_i\\x0a (expected i32)");
  EXPECT_EQ(check_error(builder, {{"\n", ""}}),
            "guest.wasm: uniform_set_\\x0a must accept exactly one argument");
  EXPECT_EQ(check_error(builder, {{"\r", ""}}),
            "guest.wasm: uniform_set_\\x0d has unsupported parameter type");
}

// What was set, as 64 bits, by a component whose only global keeps it.
struct Applied {
  std::string error;
  HostErrorClass error_class = HostErrorClass::Contract;
  uint64_t state = 0;
};

Applied apply(const ModuleBuilder& builder, const Uniforms& uniforms,
              std::optional<uint64_t> fuel = std::nullopt) {
  RunLimits limits;
  limits.time = std::chrono::seconds(20);
  limits.fuel = fuel;
  const Component component = component_of(builder, limits);
  TimedBudget budget(limits);
  budget.resume();
  Result<std::unique_ptr<ComponentInstance>, HostError> instance =
      ComponentInstance::create(component, budget);
  EXPECT_TRUE(instance.ok()) << instance.error().message;
  EXPECT_FALSE(check_uniforms(component, uniforms));
  Applied applied;
  if (const MaybeError error = apply_uniforms(*instance.value(), uniforms)) {
    applied.error = error->message;
    applied.error_class = error->error_class;
  }
  if (const GlobalInstance* state = instance.value()->instance().exported_global("state")) {
    applied.state = state->value.i64();
  }
  return applied;
}

TEST(ApplyUniforms, ValueArrivesToTheBit) {
  const struct {
    uint8_t type;
    Bytes widened;  // the parameter as i64
    const char* text;
    uint64_t bits;
  } rows[] = {{kI32, Bytes{0xAD}, "0xff4511ff", 0xFF4511FF},
              {kI64, Bytes{}, "-2", ~uint64_t{1}},
              {kF32, Bytes{0xBC, 0xAD}, "nan", 0x7FC0'0000},
              {kF64Byte, Bytes{0xBD}, "-0.0", 0x8000'0000'0000'0000}};
  for (const auto& row : rows) {
    ModuleBuilder builder;
    builder.global("state", kI64, true, i64_const(0))
        .function("uniform_set_x", {row.type}, {}, local_get(0) + row.widened + global_set(0));
    const Applied applied = apply(builder, {{"x", row.text}});
    EXPECT_EQ(applied.error, "");
    EXPECT_EQ(applied.state, row.bits) << row.text;
  }
}

// state = state * 10 + digit
Bytes append_digit(uint32_t digit) {
  return global_get(0) + i64_const(10) + Bytes{0x7E} + i64_const(digit) + Bytes{0x7C} +
         global_set(0);
}

TEST(ApplyUniforms, InByteOrderOfTheKeysWhateverTheOrderOfTheExports) {
  ModuleBuilder builder;
  builder.global("state", kI64, true, i64_const(0))
      .function("uniform_set_b", {kI32}, {}, append_digit(3))
      .function("uniform_set_a_", {kI32}, {}, append_digit(2))
      .function("uniform_set_a", {kI32}, {}, append_digit(1))
      .function("uniform_set_B", {kI32}, {}, append_digit(9));
  EXPECT_EQ(apply(builder, {{"b", "0"}, {"a_", "0"}, {"a", "0"}, {"B", "0"}}).state, 9123u);
}

TEST(ApplyUniforms, ResultsAreIgnored) {
  ModuleBuilder builder;
  builder.function("uniform_set_x", {kI32}, {kI32, kI64, kF32},
                   i32_const(1) + i64_const(2) + f32_zero());
  EXPECT_EQ(apply(builder, {{"x", "5"}}).error, "");
}

TEST(ApplyUniforms, TrapNamesSetterAndValue) {
  ModuleBuilder builder;
  builder.global("state", kI64, true, i64_const(0))
      .function("uniform_set_a", {kI32}, {}, append_digit(1))
      .function("uniform_set_b", {kF32}, {}, unreachable())
      .function("uniform_set_c", {kI32}, {}, append_digit(3));
  const Applied applied = apply(builder, {{"a", "1"}, {"b", "0.50"}, {"c", "1"}});
  EXPECT_EQ(applied.error.rfind(
                "guest.wasm: Error running uniform_set_b(0.50): wasm error: unreachable", 0),
            0u)
      << applied.error;
  EXPECT_EQ(applied.error_class, HostErrorClass::Trap);
  EXPECT_EQ(applied.state, 1u) << "nothing is called after a trap";
}

TEST(ApplyUniforms, TrapOfASetterWithAHostileNameIsOneLine) {
  ModuleBuilder builder;
  builder.function("uniform_set_\x1b\n", {kI32}, {}, unreachable());
  const Applied applied = apply(builder, {{"\x1b\n", "1"}});
  EXPECT_TRUE(applied.error.starts_with("guest.wasm: Error running uniform_set_\\x1b\\x0a(1): "))
      << applied.error;
  EXPECT_EQ(applied.error.find_first_of("\x1b\n"), std::string::npos);
}

TEST(ApplyUniforms, EndlessSetterEndsWithTheBudget) {
  ModuleBuilder builder;
  builder.function("uniform_set_x", {kI32}, {}, loop_forever());
  const Applied applied = apply(builder, {{"x", "1"}}, 1000);
  EXPECT_EQ(applied.error_class, HostErrorClass::Budget);
  EXPECT_TRUE(applied.error.starts_with("guest.wasm: Error running uniform_set_x(1): "))
      << applied.error;
}

}  // namespace
}  // namespace qip
