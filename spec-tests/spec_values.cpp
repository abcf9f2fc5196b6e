// Values of the specification scripts. See spec_values.hpp.
#include "spec-tests/spec_values.hpp"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace qip {
namespace {

using nlohmann::json;

uint64_t parse_bits(const std::string& decimal) {
  return std::strtoull(decimal.c_str(), nullptr, 10);
}

uint64_t parse_reference(const std::string& text) {
  return text == "null" ? kNullReference : parse_bits(text) + 1;
}

uint32_t lane_bits_of(std::string_view lane_type) {
  if (lane_type == "i8") return 8;
  if (lane_type == "i16") return 16;
  if (lane_type == "i32" || lane_type == "f32") return 32;
  return 64;
}

bool is_reference_type_text(std::string_view type) {
  return type.ends_with("ref");
}

// `pattern` is a decimal number of bits, or a class of NaNs.
bool scalar_matches(const std::string& pattern, uint32_t bit_width, uint64_t actual) {
  const uint64_t sign = uint64_t{1} << (bit_width - 1);
  const uint64_t canonical =
      bit_width == 32 ? uint64_t{0x7FC0'0000} : uint64_t{0x7FF8'0000'0000'0000};
  if (pattern == "nan:canonical") return (actual & ~sign) == canonical;
  if (pattern == "nan:arithmetic") return (actual & canonical) == canonical;
  return actual == parse_bits(pattern);
}

uint64_t lane_of(const Value& value, uint32_t lane_bits, uint32_t lane) {
  const uint32_t position = lane * lane_bits;
  const uint64_t half = position < 64 ? value.low : value.high;
  if (lane_bits == 64) return half;
  return (half >> (position % 64)) & ((uint64_t{1} << lane_bits) - 1);
}

bool vector_matches(const json& expected, const Value& actual) {
  const uint32_t lane_bits = lane_bits_of(expected.at("lane_type").get_ref<const std::string&>());
  const json& lanes = expected.at("value");
  for (uint32_t lane = 0; lane < 128 / lane_bits; ++lane) {
    const std::string& pattern = lanes.at(lane).get_ref<const std::string&>();
    if (!scalar_matches(pattern, lane_bits, lane_of(actual, lane_bits, lane))) return false;
  }
  return lanes.size() == 128 / lane_bits;
}

bool reference_matches(const json& expected, ValueType type, const Value& actual) {
  const std::string& name = expected.at("type").get_ref<const std::string&>();
  if (!is_reference(type)) return false;
  if ((name == "funcref" || name == "externref") && name != value_type_text(type)) return false;
  if (!expected.contains("value")) return actual.reference() != kNullReference;
  const std::string& text = expected.at("value").get_ref<const std::string&>();
  return actual == Value::from_reference(parse_reference(text));
}

}  // namespace

Value parse_argument(const json& argument) {
  const std::string& type = argument.at("type").get_ref<const std::string&>();
  if (type == "v128") {
    const uint32_t lane_bits = lane_bits_of(argument.at("lane_type").get_ref<const std::string&>());
    Value result;
    for (uint32_t lane = 0; lane < 128 / lane_bits; ++lane) {
      const uint64_t bits = parse_bits(argument.at("value").at(lane).get<std::string>());
      const uint32_t position = lane * lane_bits;
      (position < 64 ? result.low : result.high) |= bits << (position % 64);
    }
    return result;
  }
  const std::string& text = argument.at("value").get_ref<const std::string&>();
  if (is_reference_type_text(type)) return Value::from_reference(parse_reference(text));
  return Value{parse_bits(text), 0};
}

bool matches(const json& expected, ValueType type, const Value& actual) {
  const std::string& name = expected.at("type").get_ref<const std::string&>();
  if (is_reference_type_text(name) || name == "refnull") {
    return reference_matches(expected, type, actual);
  }
  if (name != value_type_text(type)) return false;
  if (type == ValueType::V128) return vector_matches(expected, actual);
  // Value promises that the bits above its type are zero, so the whole of it is compared.
  const uint32_t bit_width = type == ValueType::I32 || type == ValueType::F32 ? 32 : 64;
  if (actual.high != 0 || (bit_width == 32 && (actual.low >> 32) != 0)) return false;
  return scalar_matches(expected.at("value").get_ref<const std::string&>(), bit_width, actual.low);
}

std::string value_text(ValueType type, const Value& value) {
  char text[64];
  switch (type) {
    case ValueType::I32:
    case ValueType::I64:
      std::snprintf(text, sizeof text, "%" PRIu64, value.low);
      break;
    case ValueType::V128:
      std::snprintf(text, sizeof text, "0x%016" PRIx64 "%016" PRIx64, value.high, value.low);
      break;
    case ValueType::FuncRef:
    case ValueType::ExternRef:
      if (value.reference() == kNullReference) return std::string(value_type_text(type)) + ":null";
      std::snprintf(text, sizeof text, "%" PRIu64, value.reference() - 1);
      break;
    default:
      std::snprintf(text, sizeof text, "0x%" PRIx64, value.low);
  }
  return std::string(value_type_text(type)) + ":" + text;
}

std::string expectation_text(const json& expected) {
  return expected.dump(-1, ' ', true, json::error_handler_t::replace);
}

}  // namespace qip
