// Words for people: types, kinds, features and errors. Promises: nothing out of a module gets into
// a message but through quoted(), so a message is one printable line.
#include <algorithm>

#include "loader/error.hpp"
#include "loader/features.hpp"
#include "loader/module.hpp"

namespace qip {

const char* load_error_class_text(LoadErrorClass error_class) {
  switch (error_class) {
    case LoadErrorClass::Malformed:
      return "malformed";
    case LoadErrorClass::Invalid:
      return "invalid";
    case LoadErrorClass::Limit:
      return "limit";
  }
  return "";
}

std::string describe(const LoadError& error) {
  const bool limit = error.error_class == LoadErrorClass::Limit;
  return std::string(limit ? "module beyond a limit" : load_error_class_text(error.error_class)) +
         (limit ? "" : " module") + " at byte " + std::to_string(error.byte_offset) + ": " +
         error.message;
}

std::string quoted(std::string_view name) {
  constexpr size_t kMostBytes = 80;
  static constexpr char kDigits[] = "0123456789abcdef";
  size_t length = std::min(name.size(), kMostBytes);
  while (length > 0 && length < name.size() && (name[length] & 0xC0) == 0x80) length--;
  std::string text = "\"";
  bool second_of_control = false;
  for (size_t i = 0; i < length; i++) {
    const auto byte = static_cast<uint8_t>(name[i]);
    // U+0080 to U+009F, control characters too, are C2 80 to C2 9F.
    const bool first_of_control =
        byte == 0xC2 && i + 1 < length && static_cast<uint8_t>(name[i + 1]) < 0xA0;
    const bool plain = byte >= 0x20 && byte != 0x7F && byte != '"' && byte != '\\' &&
                       !first_of_control && !second_of_control;
    second_of_control = first_of_control;
    if (plain) {
      text += name[i];
    } else {
      text += {'\\', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return text + (length < name.size() ? "..." : "") + "\"";
}

const char* feature_text(Feature feature) {
  switch (feature) {
    case Feature::Core:
      return "core";
    case Feature::SignExtension:
      return "sign extension";
    case Feature::SaturatingConversion:
      return "saturating conversion";
    case Feature::MultiValue:
      return "multi-value";
    case Feature::BulkMemory:
      return "bulk memory";
    case Feature::ReferenceTypes:
      return "reference types";
    case Feature::Simd:
      return "SIMD";
    case Feature::ExtendedConst:
      return "extended constant expressions";
    case Feature::WideFields:
      return "64-bit fields";
  }
  return "";
}

const char* value_type_text(ValueType type) {
  switch (type) {
    case ValueType::I32:
      return "i32";
    case ValueType::I64:
      return "i64";
    case ValueType::F32:
      return "f32";
    case ValueType::F64:
      return "f64";
    case ValueType::V128:
      return "v128";
    case ValueType::FuncRef:
      return "funcref";
    case ValueType::ExternRef:
      return "externref";
  }
  return "unknown";
}

const char* extern_kind_text(ExternKind kind) {
  switch (kind) {
    case ExternKind::Function:
      return "function";
    case ExternKind::Table:
      return "table";
    case ExternKind::Memory:
      return "memory";
    case ExternKind::Global:
      return "global";
  }
  return "";
}

std::string func_type_text(const FuncType& type) {
  const auto list = [](const std::vector<ValueType>& types) {
    std::string text = "(";
    for (const ValueType item : types) {
      if (text.size() > 1) text += ", ";
      text += value_type_text(item);
    }
    return text + ")";
  };
  return list(type.parameters) + " -> " + list(type.results);
}

}  // namespace qip
