// Test modules written part by part, and their verdicts as text.
//
// Promises: nothing is checked or corrected, so wrong modules can be written too. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loader/loader.hpp"

namespace qip {

using Bytes = std::vector<uint8_t>;

inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline Bytes repeated(const Bytes& bytes, size_t times) {
  Bytes result;
  result.reserve(bytes.size() * times);
  for (size_t i = 0; i < times; i++) result.insert(result.end(), bytes.begin(), bytes.end());
  return result;
}

inline Bytes leb(uint64_t value) {
  Bytes result;
  for (; value >= 0x80; value >>= 7) result.push_back(static_cast<uint8_t>(value | 0x80));
  result.push_back(static_cast<uint8_t>(value));
  return result;
}

inline Bytes sized(const Bytes& contents) {
  return leb(contents.size()) + contents;
}
inline Bytes name_bytes(std::string_view text) {
  return sized(Bytes(text.begin(), text.end()));
}

inline Bytes list_of(const std::vector<Bytes>& items) {
  Bytes result = leb(items.size());
  for (const Bytes& item : items) result.insert(result.end(), item.begin(), item.end());
  return result;
}

inline Bytes section(SectionId id, const Bytes& contents) {
  return Bytes{static_cast<uint8_t>(id)} + sized(contents);
}
inline Bytes custom_section(std::string_view name, const Bytes& contents) {
  return section(SectionId::Custom, name_bytes(name) + contents);
}

inline const Bytes kPreamble = {0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00};

// Encoded types. Letters as in opcodes.def, and r = funcref, e = externref.
inline uint8_t type_byte(char letter) {
  switch (letter) {
    case 'i':
      return 0x7F;
    case 'l':
      return 0x7E;
    case 'f':
      return 0x7D;
    case 'd':
      return 0x7C;
    case 'v':
      return 0x7B;
    case 'r':
      return 0x70;
    default:
      return 0x6F;
  }
}
inline constexpr std::string_view kAllTypes = "ilfdvre";

inline Bytes type_bytes(std::string_view letters) {
  Bytes result;
  for (const char letter : letters) result.push_back(type_byte(letter));
  return result;
}
inline Bytes function_type(std::string_view parameters, std::string_view results) {
  return Bytes{0x60} + sized(type_bytes(parameters)) + sized(type_bytes(results));
}

// An instruction that pushes one value of the type.
inline Bytes constant_of(char letter) {
  switch (letter) {
    case 'i':
      return {0x41, 0x00};
    case 'l':
      return {0x42, 0x00};
    case 'f':
      return Bytes{0x43} + Bytes(4);
    case 'd':
      return Bytes{0x44} + Bytes(8);
    case 'v':
      return Bytes{0xFD, 0x0C} + Bytes(16);
    case 'r':
      return {0xD0, 0x70};
    default:
      return {0xD0, 0x6F};
  }
}
inline Bytes constants_of(std::string_view letters) {
  Bytes result;
  for (const char letter : letters) result = result + constant_of(letter);
  return result;
}

// Without local groups; the final `end` is added.
inline Bytes function_body(const Bytes& code) {
  return sized(Bytes{0x00} + code + Bytes{0x0B});
}

// A list that is empty has no section.
struct TestModule {
  std::vector<Bytes> types, imports, functions, tables, memories, globals, exports, elements,
      bodies, data;
  std::optional<uint32_t> start, data_count;

  Bytes bytes() const {
    Bytes result = kPreamble;
    add(&result, SectionId::Type, types);
    add(&result, SectionId::Import, imports);
    add(&result, SectionId::Function, functions);
    add(&result, SectionId::Table, tables);
    add(&result, SectionId::Memory, memories);
    add(&result, SectionId::Global, globals);
    add(&result, SectionId::Export, exports);
    if (start) result = result + section(SectionId::Start, leb(*start));
    add(&result, SectionId::Element, elements);
    if (data_count) result = result + section(SectionId::DataCount, leb(*data_count));
    add(&result, SectionId::Code, bodies);
    add(&result, SectionId::Data, data);
    return result;
  }

 private:
  static void add(Bytes* result, SectionId id, const std::vector<Bytes>& items) {
    if (!items.empty()) *result = *result + section(id, list_of(items));
  }
};

// One function with a memory of one page.
inline TestModule with_function(std::string_view parameters, std::string_view results,
                                const Bytes& code) {
  TestModule module;
  module.types = {function_type(parameters, results)};
  module.functions = {{0x00}};
  module.memories = {{0x00, 0x01}};
  module.bodies = {function_body(code)};
  return module;
}

// "valid", or the class and the message: "malformed: unexpected end".
inline std::string verdict(Bytes bytes, FeatureSet features = kEverything) {
  const auto text = [](const LoadError& error) {
    return std::string(load_error_class_text(error.error_class)) + ": " + error.message;
  };
  auto module = decode(std::move(bytes), features);
  if (!module) return text(module.error());
  const auto validated = validate(std::move(module.value()));
  return validated ? "valid" : text(validated.error());
}
inline std::string verdict(const TestModule& module, FeatureSet features = kEverything) {
  return verdict(module.bytes(), features);
}

inline FeatureSet without(Feature feature) {
  return FeatureSet{kEverything.bits & ~static_cast<uint32_t>(feature)};
}

// The verdict begins like this: tests state the rule, not the details after it.
inline ::testing::AssertionResult begins(const std::string& text, std::string_view beginning) {
  if (std::string_view(text).starts_with(beginning)) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "expected: " << beginning << "\n   found: " << text;
}

}  // namespace qip
