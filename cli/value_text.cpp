// Values from text and back, to the bit. Plain numbers are read in host/numbers.hpp; here are
// signs, words, NaN payloads, vectors and references.
#include "cli/value_text.hpp"

#include <cstdio>
#include <optional>

#include "host/numbers.hpp"
#include "host/text.hpp"
#include "loader/error.hpp"

namespace qip {
namespace {

// --- Integers ------------------------------------------------------------------------------------

// The low `bits` bits of the number.
std::optional<uint64_t> parse_integer(std::string_view text, int bits) {
  const uint64_t mask = ~uint64_t{0} >> (64 - bits);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const uint64_t base = remove_hex_prefix(text) ? 16 : 10;
  const std::optional<uint64_t> magnitude = parse_digits(text, base);
  if (!magnitude) return std::nullopt;
  const uint64_t most_negative = uint64_t{1} << (bits - 1);
  if (*magnitude > (negative ? most_negative : mask)) return std::nullopt;
  return (negative ? ~*magnitude + 1 : *magnitude) & mask;
}

std::string signed_text(uint64_t bits) {
  const bool negative = static_cast<int64_t>(bits) < 0;
  return negative ? "-" + number_text(~bits + 1) : number_text(bits);
}

// --- Floating point ------------------------------------------------------------------------------

struct FloatShape {
  int bits;
  int mantissa_bits;
  int most_digits;  // enough decimal digits for every value
};
constexpr FloatShape kF32 = {32, 23, 9};
constexpr FloatShape kF64 = {64, 52, 17};

uint64_t infinity_bits(const FloatShape& shape) {
  const uint64_t exponent_ones = (uint64_t{1} << (shape.bits - 1 - shape.mantissa_bits)) - 1;
  return exponent_ones << shape.mantissa_bits;
}
uint64_t mantissa_mask(const FloatShape& shape) {
  return (uint64_t{1} << shape.mantissa_bits) - 1;
}
uint64_t quiet_bit(const FloatShape& shape) {
  return uint64_t{1} << (shape.mantissa_bits - 1);
}

// "nan" is the canonical one; "nan:0x..." gives the payload.
std::optional<uint64_t> parse_nan(std::string_view text, const FloatShape& shape) {
  if (text == "nan") return infinity_bits(shape) | quiet_bit(shape);
  if (!text.starts_with("nan:0x")) return std::nullopt;
  const std::optional<uint64_t> payload = parse_digits(text.substr(6), 16);
  if (!payload || *payload == 0 || *payload > mantissa_mask(shape)) return std::nullopt;
  return infinity_bits(shape) | *payload;
}

std::optional<uint64_t> parse_float(std::string_view text, const FloatShape& shape) {
  const bool negative = text.starts_with('-');
  const uint64_t sign = uint64_t{negative} << (shape.bits - 1);
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "inf" || text == "infinity") return sign | infinity_bits(shape);
  if (text.starts_with("nan")) {
    const std::optional<uint64_t> nan = parse_nan(text, shape);
    return nan ? std::optional(sign | *nan) : std::nullopt;
  }
  const std::optional<uint64_t> magnitude = parse_finite(text, shape.bits);
  if (!magnitude) return std::nullopt;
  return sign | *magnitude;
}

std::string float_text(uint64_t bits, const FloatShape& shape) {
  const bool negative = (bits >> (shape.bits - 1)) != 0;
  const uint64_t magnitude = bits & ~(uint64_t{1} << (shape.bits - 1));
  const std::string sign = negative ? "-" : "";
  if (magnitude == infinity_bits(shape)) return sign + "inf";
  char buffer[64];
  if (magnitude > infinity_bits(shape)) {
    const uint64_t payload = magnitude & mantissa_mask(shape);
    if (payload == quiet_bit(shape)) return sign + "nan";
    snprintf(buffer, sizeof buffer, "nan:0x%llx", static_cast<unsigned long long>(payload));
    return sign + buffer;
  }
  const double number =
      shape.bits == 32 ? static_cast<double>(Value{magnitude, 0}.f32()) : Value{magnitude, 0}.f64();
  for (int digits = 1; digits <= shape.most_digits; digits++) {
    snprintf(buffer, sizeof buffer, "%.*g", digits, number);
    if (parse_finite(buffer, shape.bits) == magnitude) break;
  }
  return sign + buffer;
}

// --- Vectors -------------------------------------------------------------------------------------

struct VectorShape {
  std::string_view name;
  int lane_bits;
  const FloatShape* floating;  // null: integer lanes
};
constexpr VectorShape kVectorShapes[] = {{"i8x16:", 8, nullptr},  {"i16x8:", 16, nullptr},
                                         {"i32x4:", 32, nullptr}, {"i64x2:", 64, nullptr},
                                         {"f32x4:", 32, &kF32},   {"f64x2:", 64, &kF64}};

std::optional<Value> parse_lanes(std::string_view text, const VectorShape& shape) {
  Value value;
  const int lanes = 128 / shape.lane_bits;
  for (int i = 0; i < lanes; i++) {
    const size_t comma = text.find(',');
    if ((comma == std::string_view::npos) != (i == lanes - 1)) return std::nullopt;
    const std::string_view lane = text.substr(0, comma);
    const std::optional<uint64_t> bits = shape.floating != nullptr
                                             ? parse_float(lane, *shape.floating)
                                             : parse_integer(lane, shape.lane_bits);
    if (!bits) return std::nullopt;
    const int position = i * shape.lane_bits;
    (position < 64 ? value.low : value.high) |= *bits << (position % 64);
    if (comma != std::string_view::npos) text.remove_prefix(comma + 1);
  }
  return value;
}

std::optional<Value> parse_vector(std::string_view text) {
  for (const VectorShape& shape : kVectorShapes) {
    if (text.starts_with(shape.name)) return parse_lanes(text.substr(shape.name.size()), shape);
  }
  if (!remove_hex_prefix(text) || text.size() > 32) return std::nullopt;
  const size_t low_digits = text.size() < 16 ? text.size() : 16;
  const std::string_view high = text.substr(0, text.size() - low_digits);
  const std::optional<uint64_t> low_half = parse_digits(text.substr(high.size()), 16);
  const std::optional<uint64_t> high_half = high.empty() ? 0 : parse_digits(high, 16);
  if (!low_half || !high_half) return std::nullopt;
  return Value::from_v128(*low_half, *high_half);
}

std::string vector_text(const Value& value) {
  char buffer[64];
  const int length =
      snprintf(buffer, sizeof buffer, "i32x4:0x%08x,0x%08x,0x%08x,0x%08x",
               static_cast<uint32_t>(value.low), static_cast<uint32_t>(value.low >> 32),
               static_cast<uint32_t>(value.high), static_cast<uint32_t>(value.high >> 32));
  return std::string(buffer, static_cast<size_t>(length));
}

// An externref that the host chose is its number plus one, because 0 is null.
std::optional<Value> parse_reference(ValueType type, std::string_view text) {
  if (text == "null") return Value::from_reference(kNullReference);
  if (type == ValueType::FuncRef) return std::nullopt;
  const std::optional<uint64_t> number = parse_digits(text, 10);
  if (!number || *number == ~uint64_t{0}) return std::nullopt;
  return Value::from_reference(*number + 1);
}

std::optional<Value> from_bits(std::optional<uint64_t> bits) {
  if (!bits) return std::nullopt;
  return Value{*bits, 0};
}

std::optional<Value> parse(ValueType type, std::string_view text) {
  switch (type) {
    case ValueType::I32:
      return from_bits(parse_integer(text, 32));
    case ValueType::I64:
      return from_bits(parse_integer(text, 64));
    case ValueType::F32:
      return from_bits(parse_float(text, kF32));
    case ValueType::F64:
      return from_bits(parse_float(text, kF64));
    case ValueType::V128:
      return parse_vector(text);
    case ValueType::FuncRef:
    case ValueType::ExternRef:
      return parse_reference(type, text);
  }
  return std::nullopt;
}

}  // namespace

Result<Value, std::string> parse_value(ValueType type, std::string_view text) {
  const std::optional<Value> value = parse(type, text);
  if (value) return *value;
  return "invalid value " + quoted(text) + " (expected " + value_type_text(type) + ")";
}

std::string format_value(ValueType type, const Value& value) {
  switch (type) {
    case ValueType::I32:
      return signed_text(static_cast<uint64_t>(static_cast<int32_t>(value.i32())));
    case ValueType::I64:
      return signed_text(value.i64());
    case ValueType::F32:
      return float_text(value.i32(), kF32);
    case ValueType::F64:
      return float_text(value.i64(), kF64);
    case ValueType::V128:
      return vector_text(value);
    case ValueType::FuncRef:
      return value.reference() == kNullReference ? "null" : "funcref";
    case ValueType::ExternRef:
      return value.reference() == kNullReference ? "null" : number_text(value.reference() - 1);
  }
  return "";
}

}  // namespace qip
