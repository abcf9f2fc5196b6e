// Detection: one table per contract of the exports that make it, so that the reason which is given
// and the test that was made cannot differ. Linear in the exports; nothing of the module runs.
#include "host/detection.hpp"

#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "host/component.hpp"
#include "host/contract.hpp"

namespace qip {
namespace {

// In order of preference.
constexpr const char* kTileEntries[] = {"tile_rgba32float_64x64", "tile_rgba_f32_64x64"};

// At most one parameter and one result, which is all that these contracts have.
struct Signature {
  const char* name;
  std::optional<ValueType> parameter;
  ValueType result;
};
// The event functions are optional, and so are no part of the shape.
constexpr Signature kInteractiveFunctions[] = {
    {"tick", ValueType::I64, ValueType::I64},
    {"render", ValueType::I32, ValueType::I32},
    {"render_width_px", std::nullopt, ValueType::I32},
    {"render_height_px", std::nullopt, ValueType::I32},
};
constexpr const char* kInteractiveSize = "output_rgba8_srgb_bytes";

// What Content does not have. The rest of a Form is checked when it is bound.
constexpr const char* kFormValues[] = {"input_key_ptr",     "input_key_size",
                                       "input_label_ptr",   "input_label_size",
                                       "error_message_ptr", "error_message_size"};

bool has_signature(const Module& module, const Signature& wanted) {
  const FuncType* type = exported_function_type(module, wanted.name);
  if (type == nullptr || type->parameters.size() != (wanted.parameter ? 1 : 0)) return false;
  if (wanted.parameter && type->parameters[0] != *wanted.parameter) return false;
  return type->results.size() == 1 && type->results[0] == wanted.result;
}

// "tick(i64) -> i64".
std::string signature_text(const Signature& signature) {
  return std::string(signature.name) + "(" +
         (signature.parameter ? value_type_text(*signature.parameter) : "") + ") -> " +
         value_type_text(signature.result);
}

// "it exports a, b and c".
std::string exports_text(std::span<const std::string> names) {
  std::string text = "it exports ";
  for (size_t i = 0; i < names.size(); i++) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

// The reason, or empty: not Interactive.
std::string interactive_reason(const Module& module) {
  std::vector<std::string> names;
  for (const Signature& wanted : kInteractiveFunctions) {
    if (!has_signature(module, wanted)) return "";
    names.push_back(signature_text(wanted));
  }
  const Export* memory = find_export(module, "memory");
  if (memory == nullptr || memory->kind != ExternKind::Memory) return "";
  if (!has_value_export(module, kInteractiveSize)) return "";
  names.insert(names.end(), {"memory", kInteractiveSize});
  return exports_text(names);
}

// The reason, or empty: not a Form.
std::string form_reason(const Module& module) {
  for (const char* name : kFormValues) {
    if (!has_value_export(module, name)) return "";
  }
  return exports_text(std::vector<std::string>(std::begin(kFormValues), std::end(kFormValues)));
}

std::string content_reason(const ContentContract& contract) {
  const bool packed = contract.entry_result == EntryResult::Packed;
  const Signature entry = {contract.entry, ValueType::I32,
                           packed ? ValueType::I64 : ValueType::I32};
  const std::string reason = "it exports " + signature_text(entry);
  if (contract.input_capacity == nullptr) return reason + " without an input";
  return reason + " with input_ptr and " + contract.input_capacity;
}

}  // namespace

const char* contract_kind_text(ContractKind kind) {
  switch (kind) {
    case ContractKind::None:
      return "none";
    case ContractKind::Content:
      return "Content";
    case ContractKind::Tile:
      return "Tile";
    case ContractKind::Interactive:
      return "Interactive";
    case ContractKind::Form:
      return "Form";
  }
  return "";
}

const FuncType* exported_function_type(const Module& module, std::string_view name) {
  const Export* found = find_export(module, name);
  if (found == nullptr || found->kind != ExternKind::Function) return nullptr;
  return &module.types[module.function_types[found->index]];
}

const char* tile_entry(const Module& module) {
  for (const char* name : kTileEntries) {
    if (exported_function_type(module, name) != nullptr) return name;
  }
  return nullptr;
}

Detection detect_contract(const Module& module) {
  if (const char* entry = tile_entry(module)) {
    return {ContractKind::Tile, std::string("it exports ") + entry};
  }
  if (std::string reason = interactive_reason(module); !reason.empty()) {
    return {ContractKind::Interactive, std::move(reason)};
  }
  if (std::string reason = form_reason(module); !reason.empty()) {
    return {ContractKind::Form, std::move(reason)};
  }
  Result<ContentContract, std::string> content = content_contract(module);
  if (!content.ok()) return {ContractKind::None, std::move(content.error())};
  return {ContractKind::Content, content_reason(content.value())};
}

}  // namespace qip
