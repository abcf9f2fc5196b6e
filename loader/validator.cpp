// validate(): the rules of a module as a whole; function_validator.cpp has those of the bodies.
//
// Promises: linear in the bytes (export names: plus a sort); the first broken rule is reported, but
// malformed code anywhere comes before it.
// Source: specification, "Validation/Modules", "Types" and "Instructions/Constant Expressions".
#include <algorithm>
#include <functional>

#include "loader/function_validator.hpp"
#include "loader/impl_limits.hpp"
#include "loader/loader.hpp"
#include "loader/syntax.hpp"

namespace qip {
namespace {

constexpr uint32_t kMaxPages = 65'536;

class ModuleValidator {
 public:
  explicit ModuleValidator(const Module& module) : module_(module) {}

  bool run() {
    return types() && tables() && memories() && globals() && exports() && export_names() &&
           start() && element_segments() && data_segments() && bodies();
  }
  const LoadError& error() const { return error_; }

 private:
  bool invalid(uint64_t offset, std::string message) {
    error_ = {LoadErrorClass::Invalid, offset, std::move(message)};
    return false;
  }
  bool has(Feature feature) const { return module_.features.has(feature); }
  uint64_t section(SectionId id) const { return module_.section_offsets[static_cast<size_t>(id)]; }
  // Where items of an index space begin that know no offset of their own: if none is defined by the
  // module, all are imported.
  uint64_t section_of(SectionId id, size_t defined) const {
    return section(defined > 0 ? id : SectionId::Import);
  }

  // --- Types -------------------------------------------------------------------------------------

  bool types() {
    for (const FuncType& type : module_.types) {
      if (type.results.size() > 1 && !has(Feature::MultiValue)) {
        return invalid(section(SectionId::Type),
                       "invalid result arity: several results need multi-value");
      }
    }
    for (size_t i = 0; i < module_.function_types.size(); i++) {
      if (module_.function_types[i] < module_.types.size()) continue;
      const bool imported = i < module_.imported_function_count;
      return invalid(section(imported ? SectionId::Import : SectionId::Function),
                     "unknown type " + std::to_string(module_.function_types[i]) + " of function " +
                         std::to_string(i));
    }
    return true;
  }

  bool limits(const Limits& limits, uint64_t offset) {
    if (limits.maximum.value_or(limits.minimum) >= limits.minimum) return true;
    return invalid(offset, "size minimum must not be greater than maximum");
  }

  bool tables() {
    const uint64_t offset = section_of(SectionId::Table, module_.tables.size());
    if (module_.table_types.size() > 1 && !has(Feature::ReferenceTypes)) {
      return invalid(offset, "multiple tables");
    }
    return std::ranges::all_of(module_.table_types,
                               [&](const TableType& type) { return limits(type.limits, offset); });
  }

  bool memories() {
    const uint64_t offset = section_of(SectionId::Memory, module_.memories.size());
    for (const MemoryType& type : module_.memory_types) {
      if (type.limits.minimum > kMaxPages || type.limits.maximum.value_or(0) > kMaxPages) {
        return invalid(offset, kMemorySizeMessage);
      }
      if (!limits(type.limits, offset)) return false;
    }
    if (module_.memory_types.size() > kMaxMemories) return invalid(offset, "multiple memories");
    return true;
  }

  // --- Constant expressions
  // ------------------------------------------------------------------------

  // One value of type `expected`, from globals below `visible` only.
  bool constant(const ConstantExpression& expression, ValueType expected, size_t visible) {
    stack_.clear();
    const auto first = module_.constant_instructions.begin() + expression.first;
    for (auto step = first; step != first + expression.count; ++step) {
      if (!constant_step(*step, expression, visible)) return false;
    }
    if (stack_.size() == 1 && stack_[0] == operand_type(expected)) return true;
    return invalid(expression.byte_offset,
                   std::string("type mismatch: the constant expression must give one ") +
                       value_type_text(expected));
  }

  bool constant_step(const ConstantInstruction& step, const ConstantExpression& expression,
                     size_t visible) {
    switch (step.opcode) {
      case Opcode::I32Const:
        return push(ValueType::I32);
      case Opcode::I64Const:
        return push(ValueType::I64);
      case Opcode::F32Const:
        return push(ValueType::F32);
      case Opcode::F64Const:
        return push(ValueType::F64);
      case Opcode::V128Const:
        return push(ValueType::V128);
      case Opcode::RefNull:
        return push(static_cast<ValueType>(step.low));
      case Opcode::RefFunc:
        if (step.low < module_.function_types.size()) return push(ValueType::FuncRef);
        return invalid(expression.byte_offset, "unknown function " + std::to_string(step.low));
      case Opcode::GlobalGet:
        return constant_global(step.low, expression, visible);
      default:
        return constant_arithmetic(step.opcode, expression);
    }
  }
  bool push(ValueType type) {
    stack_.push_back(operand_type(type));
    return true;
  }

  bool constant_global(uint64_t index, const ConstantExpression& expression, size_t visible) {
    if (index >= visible) {
      return invalid(expression.byte_offset,
                     "unknown global " + std::to_string(index) + " in a constant expression");
    }
    const GlobalType& type = module_.global_types[index];
    if (!type.is_mutable) return push(type.type);
    return invalid(expression.byte_offset,
                   "constant expression required: global " + std::to_string(index) + " is mutable");
  }

  // add, sub, mul: two operands of the type of the result.
  bool constant_arithmetic(Opcode opcode, const ConstantExpression& expression) {
    const OpcodeInfo& info = opcode_info(opcode);
    const OperandType type = operand_type_of_letter(info.result());
    const size_t height = stack_.size();
    if (height < 2 || stack_[height - 1] != type || stack_[height - 2] != type) {
      return invalid(expression.byte_offset, "type mismatch: " + std::string(info.text) +
                                                 " in a constant expression needs two of its type");
    }
    stack_.pop_back();
    return true;
  }

  // Of `defined_before` globals of the module itself. 2.0 shows constant expressions only imported
  // ones; with extended constant expressions, all earlier ones.
  size_t visible_globals(size_t defined_before) const {
    return module_.imported_global_count + (has(Feature::ExtendedConst) ? defined_before : 0);
  }

  bool globals() {
    for (size_t i = 0; i < module_.globals.size(); i++) {
      const Global& global = module_.globals[i];
      if (!constant(global.initializer, global.type.type, visible_globals(i))) return false;
    }
    return true;
  }

  // --- Exports and start
  // ---------------------------------------------------------------------------

  size_t index_space_size(ExternKind kind) const {
    switch (kind) {
      case ExternKind::Function:
        return module_.function_types.size();
      case ExternKind::Table:
        return module_.table_types.size();
      case ExternKind::Memory:
        return module_.memory_types.size();
      case ExternKind::Global:
        return module_.global_types.size();
    }
    return 0;
  }

  bool exports() {
    for (const Export& item : module_.exports) {
      if (item.index < index_space_size(item.kind)) continue;
      return invalid(item.byte_offset, std::string("unknown ") + extern_kind_text(item.kind) + " " +
                                           std::to_string(item.index) + " in export " +
                                           quoted(item.name));
    }
    return true;
  }

  // Sorts hashes, and names only where hashes are equal: no choice of names makes it slower than
  // sorting the names.
  bool export_names() {
    struct Key {
      size_t hash;
      const Export* item;
    };
    std::vector<Key> keys;
    keys.reserve(module_.exports.size());
    for (const Export& item : module_.exports) {
      keys.push_back({std::hash<std::string_view>()(item.name), &item});
    }
    std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
      if (a.hash != b.hash) return a.hash < b.hash;
      if (const int order = a.item->name.compare(b.item->name); order != 0) return order < 0;
      return a.item < b.item;
    });
    const Export* first_again = nullptr;
    for (size_t i = 1; i < keys.size(); i++) {
      if (keys[i].hash != keys[i - 1].hash || keys[i].item->name != keys[i - 1].item->name)
        continue;
      if (first_again == nullptr || keys[i].item < first_again) first_again = keys[i].item;
    }
    if (first_again == nullptr) return true;
    return invalid(first_again->byte_offset, "duplicate export name " + quoted(first_again->name));
  }

  bool start() {
    if (!module_.start) return true;
    const uint64_t offset = section(SectionId::Start);
    if (*module_.start >= module_.function_types.size()) {
      return invalid(offset, "unknown function " + std::to_string(*module_.start));
    }
    const FuncType& type = module_.types[module_.function_types[*module_.start]];
    if (type.parameters.empty() && type.results.empty()) return true;
    return invalid(offset, "start function must be () -> (), this is " + func_type_text(type));
  }

  // --- Segments ----------------------------------------------------------------------------------

  bool element_segments() {
    const size_t visible = visible_globals(module_.globals.size());
    return std::ranges::all_of(module_.element_segments, [&](const ElementSegment& segment) {
      return active_elements(segment, visible) && elements(segment, visible);
    });
  }

  bool active_elements(const ElementSegment& segment, size_t visible) {
    if (segment.mode != SegmentMode::Active) return true;
    if (segment.table_index >= module_.table_types.size()) {
      return invalid(segment.byte_offset, "unknown table " + std::to_string(segment.table_index));
    }
    const ValueType element = module_.table_types[segment.table_index].element;
    if (element != segment.type) {
      return invalid(segment.byte_offset,
                     std::string("type mismatch: ") + value_type_text(segment.type) +
                         " elements for a table of " + value_type_text(element));
    }
    return constant(segment.offset, ValueType::I32, visible);
  }

  bool elements(const ElementSegment& segment, size_t visible) {
    for (const uint32_t function : segment.function_indices) {
      if (function < module_.function_types.size()) continue;
      return invalid(segment.byte_offset, "unknown function " + std::to_string(function));
    }
    return std::ranges::all_of(segment.expressions, [&](const ConstantExpression& expression) {
      return constant(expression, segment.type, visible);
    });
  }

  bool data_segments() {
    const size_t visible = visible_globals(module_.globals.size());
    for (const DataSegment& segment : module_.data_segments) {
      if (segment.mode != SegmentMode::Active) continue;
      if (segment.memory_index >= module_.memory_types.size()) {
        return invalid(segment.byte_offset,
                       "unknown memory " + std::to_string(segment.memory_index));
      }
      if (!constant(segment.offset, ValueType::I32, visible)) return false;
    }
    return true;
  }

  // --- Bodies ------------------------------------------------------------------------------------

  // The functions that occur outside of bodies; ref.func may name only these.
  std::vector<bool> declared_functions() const {
    std::vector<bool> declared(module_.function_types.size(), false);
    for (const Export& item : module_.exports) {
      if (item.kind == ExternKind::Function) declared[item.index] = true;
    }
    for (const ElementSegment& segment : module_.element_segments) {
      for (const uint32_t function : segment.function_indices) declared[function] = true;
    }
    for (const ConstantInstruction& step : module_.constant_instructions) {
      if (step.opcode == Opcode::RefFunc) declared[step.low] = true;
    }
    return declared;
  }

  bool bodies() {
    const std::vector<bool> declared = declared_functions();
    FunctionValidator validator(module_, declared);
    for (size_t i = 0; i < module_.functions.size(); i++) {
      if (validator.validate(module_.functions[i])) continue;
      error_ = validator.error();
      name_function(static_cast<uint32_t>(module_.imported_function_count + i));
      return false;
    }
    return true;
  }

  void name_function(uint32_t index) {
    const NameSection names = read_names(module_);
    const std::string_view name = names.function_name(index);
    error_.message += ", in function " + std::to_string(index);
    if (!name.empty()) error_.message += " " + quoted(name);
  }

  const Module& module_;
  LoadError error_;
  std::vector<OperandType> stack_;  // of the constant expression at hand
};

}  // namespace

Result<ValidatedModule, LoadError> validate(Module module) {
  ModuleValidator validator(module);
  if (validator.run()) return ValidatedModule(std::move(module));
  if (validator.error().error_class == LoadErrorClass::Invalid) {
    if (const std::optional<LoadError> malformed = find_malformed_code(module)) return *malformed;
  }
  return validator.error();
}

}  // namespace qip
