// Uniforms: the query is taken apart as a URL's would be, then every value is checked against the
// setter's type before anything runs, then the setters are called. One pass over each text.
#include "host/uniforms.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "host/detection.hpp"
#include "host/numbers.hpp"
#include "host/text.hpp"
#include "loader/error.hpp"

namespace qip {
namespace {

// --- Query ---------------------------------------------------------------------------------------

// Appends `text` decoded to `decoded`: '+' is a space, %XX a byte. The error shows the escape as
// far as it goes: "%zz", "%4", "%".
std::string decode(std::string_view text, std::string& decoded) {
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] != '%') {
      decoded += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const std::string_view escape = text.substr(i, 3);
    const std::optional<uint64_t> byte = parse_digits(escape.substr(1), 16);
    if (escape.size() < 3 || !byte) return "invalid URL escape " + quoted(escape);
    decoded += static_cast<char>(*byte);
    i += 2;
  }
  return "";
}

// `segment` is what stands between two '&'; not empty.
std::string add_segment(std::string_view segment, Uniforms& uniforms) {
  const size_t equals = segment.find('=');
  std::string key, value;
  std::string wrong = decode(segment.substr(0, equals), key);
  if (wrong.empty() && equals != std::string_view::npos) {
    wrong = decode(segment.substr(equals + 1), value);
  }
  if (wrong.empty()) uniforms.insert_or_assign(std::move(key), std::move(value));
  return wrong;
}

// An empty segment is no pair; a pair without a key is still one, told apart by the caller.
std::string add_segments(std::string_view query, Uniforms& uniforms) {
  if (query.find(';') != std::string_view::npos) return "invalid semicolon separator in query";
  while (!query.empty()) {
    const std::string_view segment = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(segment.size() + 1, query.size()));
    if (segment.empty()) continue;
    std::string wrong = add_segment(segment, uniforms);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

// --- Values --------------------------------------------------------------------------------------

bool remove_sign(std::string_view& text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  return negative;
}

// `word` is in lower case; the text may be in any.
bool is_word(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (size_t i = 0; i < word.size(); i++) {
    if ((text[i] | 0x20) != word[i]) return false;
  }
  return true;
}

// 0x and the raw bits, or a decimal from the signed minimum to `most`.
std::optional<uint64_t> parse_integer(std::string_view text, int bits, uint64_t most) {
  if (remove_hex_prefix(text)) {
    if (text.size() > static_cast<size_t>(bits / 4)) return std::nullopt;
    return parse_digits(text, 16);
  }
  const bool negative = remove_sign(text);
  const std::optional<uint64_t> magnitude = parse_digits(text, 10);
  if (!magnitude || *magnitude > (negative ? uint64_t{1} << (bits - 1) : most)) return std::nullopt;
  return (negative ? ~*magnitude + 1 : *magnitude) & (~uint64_t{0} >> (64 - bits));
}

struct FloatShape {
  int bits;
  uint64_t infinity;
  uint64_t nan;  // the canonical one
};
constexpr FloatShape kF32 = {32, 0x7F80'0000, 0x7FC0'0000};
constexpr FloatShape kF64 = {64, 0x7FF0'0000'0000'0000, 0x7FF8'0000'0000'0000};

// As Go reads floats: words in any case, no sign before nan, no hexadecimal without an exponent.
std::optional<uint64_t> parse_float(std::string_view text, const FloatShape& shape) {
  if (is_word(text, "nan")) return shape.nan;
  const uint64_t sign = uint64_t{remove_sign(text)} << (shape.bits - 1);
  if (is_word(text, "inf") || is_word(text, "infinity")) return sign | shape.infinity;
  std::string_view digits = text;
  const bool is_hex = remove_hex_prefix(digits);
  if (is_hex && digits.find_first_of("pP") == std::string_view::npos) return std::nullopt;
  const std::optional<uint64_t> magnitude = parse_finite(text, shape.bits);
  if (!magnitude) return std::nullopt;
  return sign | *magnitude;
}

std::optional<uint64_t> parse_bits(ValueType type, std::string_view text) {
  switch (type) {
    case ValueType::I32:
      return parse_integer(text, 32, std::numeric_limits<uint32_t>::max());
    case ValueType::I64:
      return parse_integer(text, 64, std::numeric_limits<int64_t>::max());
    case ValueType::F32:
      return parse_float(text, kF32);
    case ValueType::F64:
      return parse_float(text, kF64);
    case ValueType::V128:
    case ValueType::FuncRef:
    case ValueType::ExternRef:
      break;
  }
  return std::nullopt;
}

// --- Setters -------------------------------------------------------------------------------------

bool is_number(ValueType type) {
  return type != ValueType::V128 && !is_reference(type);
}

std::string setter_name(std::string_view key) {
  return "uniform_set_" + std::string(key);
}

// Empty: the setter is there and takes the value.
std::string check_uniform(const Module& module, std::string_view key, std::string_view value) {
  const std::string name = setter_name(key);
  const std::string shown = escape_controls(name);
  const FuncType* type = exported_function_type(module, name);
  if (type == nullptr) {
    return "Wasm module does not export " + shown + " for query key " + quoted(key);
  }
  if (type->parameters.size() != 1) return shown + " must accept exactly one argument";
  const ValueType parameter = type->parameters[0];
  if (!is_number(parameter)) return shown + " has unsupported parameter type";
  if (!parse_uniform(parameter, value)) {
    return "invalid value " + quoted(value) + " for " + shown + " (expected " +
           value_type_text(parameter) + ")";
  }
  return "";
}

}  // namespace

std::string add_uniform_query(std::string_view command, std::string_view argument,
                              Uniforms& uniforms) {
  const std::string query = std::string(command) + " uniform query";
  if (argument == "?") return query + " must not be empty";
  const auto invalid = [&](const std::string& why) {
    return "invalid " + query + " " + quoted(argument) + ": " + why;
  };
  Uniforms added;
  const std::string wrong = add_segments(argument.substr(1), added);
  if (!wrong.empty()) return invalid(wrong);
  if (added.empty()) return query + " " + quoted(argument) + " must contain key=value pairs";
  if (added.contains("")) return invalid("empty key");
  added.merge(uniforms);  // keeps what is there: the newer values
  uniforms = std::move(added);
  return "";
}

std::string add_uniform_pair(std::string_view pair, Uniforms& uniforms) {
  const size_t equals = pair.find('=');
  if (equals == std::string_view::npos) return "uniform " + quoted(pair) + " must be key=value";
  if (equals == 0) return "uniform " + quoted(pair) + " has an empty key";
  uniforms.insert_or_assign(std::string(pair.substr(0, equals)),
                            std::string(pair.substr(equals + 1)));
  return "";
}

MaybeError check_uniforms(const Component& component, const Uniforms& uniforms) {
  for (const auto& [key, value] : uniforms) {
    const std::string wrong = check_uniform(component.module(), key, value);
    if (!wrong.empty()) return contract_error(component.path + ": " + wrong);
  }
  return std::nullopt;
}

MaybeError apply_uniforms(ComponentInstance& instance, const Uniforms& uniforms) {
  for (const auto& [key, value] : uniforms) {
    const std::string name = setter_name(key);
    FunctionInstance& setter = *instance.function(name);
    const Value argument = *parse_uniform(setter.type->parameters[0], value);
    std::vector<Value> results(setter.type->results.size());  // nobody looks at them
    const std::string context =
        "Error running " + escape_controls(name + "(" + value + ")", kNameLimit) + ": ";
    if (MaybeError failure = instance.call(setter, {&argument, 1}, results, context)) {
      return failure;
    }
  }
  return std::nullopt;
}

std::optional<Value> parse_uniform(ValueType type, std::string_view text) {
  const std::optional<uint64_t> bits = parse_bits(type, text);
  if (!bits) return std::nullopt;
  return Value{*bits, 0};
}

}  // namespace qip
