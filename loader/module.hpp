// Module: a decoded WebAssembly module, section by section, as plain data.
//
// Promises: every vector was bounded by the bytes that declared it (loader/impl_limits.hpp);
// strings are valid UTF-8. Indices are checked by validate(), not here: until then they are only
// numbers. The Module owns its bytes; byte ranges refer to them.
// Source: WebAssembly core specification, "Structure/Modules".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loader/features.hpp"
#include "loader/opcodes.hpp"

namespace qip {

// The numbers are the binary encodings.
enum class ValueType : uint8_t {
  I32 = 0x7F,
  I64 = 0x7E,
  F32 = 0x7D,
  F64 = 0x7C,
  V128 = 0x7B,
  FuncRef = 0x70,
  ExternRef = 0x6F,
};

constexpr bool is_reference(ValueType type) {
  return type == ValueType::FuncRef || type == ValueType::ExternRef;
}
// "i32", "v128", "funcref", ...
const char* value_type_text(ValueType type);

struct FuncType {
  std::vector<ValueType> parameters;
  std::vector<ValueType> results;
  bool operator==(const FuncType&) const = default;
};
// "(i32, i64) -> (f32)": for messages.
std::string func_type_text(const FuncType& type);

struct Limits {
  uint32_t minimum = 0;
  std::optional<uint32_t> maximum;
};
struct TableType {
  ValueType element = ValueType::FuncRef;
  Limits limits;  // in elements
};
struct MemoryType {
  Limits limits;  // in pages of 64 KiB
};
struct GlobalType {
  ValueType type = ValueType::I32;
  bool is_mutable = false;
};

enum class ExternKind : uint8_t { Function = 0, Table = 1, Memory = 2, Global = 3 };
// "function", "table", "memory", "global".
const char* extern_kind_text(ExternKind kind);

struct Import {
  std::string module;
  std::string name;
  ExternKind kind = ExternKind::Function;
  uint32_t type_index = 0;   // Function only
  TableType table;           // Table only
  MemoryType memory;         // Memory only
  GlobalType global;         // Global only
  uint64_t byte_offset = 0;  // for messages
};

struct Export {
  std::string name;
  ExternKind kind = ExternKind::Function;
  uint32_t index = 0;
  uint64_t byte_offset = 0;  // for messages
};

struct ByteRange {
  uint64_t offset = 0;  // from the first byte of the module
  uint64_t size = 0;
};

// One instruction of a constant expression, decoded; `end` is left out.
struct ConstantInstruction {
  Opcode opcode{};
  uint64_t low = 0;   // constant bits (low half of a v128), or the index of global.get / ref.func
  uint64_t high = 0;  // high half of a v128
};
// A run inside Module::constant_instructions, in postfix order.
struct ConstantExpression {
  uint32_t first = 0;
  uint32_t count = 0;
  uint64_t byte_offset = 0;  // for messages
};

struct Global {
  GlobalType type;
  ConstantExpression initializer;
};

enum class SegmentMode : uint8_t { Active, Passive, Declarative };

struct ElementSegment {
  SegmentMode mode = SegmentMode::Passive;
  ValueType type = ValueType::FuncRef;
  uint32_t table_index = 0;   // Active only
  ConstantExpression offset;  // Active only
  // Exactly one of the two lists is used: plain function indices, or expressions.
  bool uses_expressions = false;
  std::vector<uint32_t> function_indices;
  std::vector<ConstantExpression> expressions;
  uint64_t byte_offset = 0;  // for messages
  uint32_t size() const {
    return static_cast<uint32_t>(uses_expressions ? expressions.size() : function_indices.size());
  }
};

struct DataSegment {
  SegmentMode mode = SegmentMode::Passive;  // Active or Passive
  uint32_t memory_index = 0;                // Active only
  ConstantExpression offset;                // Active only
  ByteRange bytes;
  uint64_t byte_offset = 0;  // for messages
};

struct LocalGroup {
  uint32_t count = 0;
  ValueType type = ValueType::I32;
};

// A function defined (not imported) by the module.
struct FunctionBody {
  uint32_t type_index = 0;
  uint32_t first_local_group = 0;  // run inside Module::local_groups
  uint32_t local_group_count = 0;
  uint32_t local_count = 0;  // sum over the groups, without parameters
  ByteRange code;            // the instructions, including the final `end`
};

struct CustomSection {
  std::string name;
  ByteRange bytes;  // the contents after the name
};

// The numbers are the binary encodings.
enum class SectionId : uint8_t {
  Custom,
  Type,
  Import,
  Function,
  Table,
  Memory,
  Global,
  Export,
  Start,
  Element,
  Code,
  Data,
  DataCount,
};
inline constexpr size_t kSectionCount = 13;

struct Module {
  std::vector<uint8_t> bytes;
  FeatureSet features;
  // Where each section begins, for messages; 0 if it is not there. Not kept for custom sections.
  std::array<uint64_t, kSectionCount> section_offsets{};

  std::vector<FuncType> types;
  std::vector<Import> imports;
  std::vector<FunctionBody> functions;  // defined functions only
  std::vector<TableType> tables;        // defined tables only
  std::vector<MemoryType> memories;     // defined memories only
  std::vector<Global> globals;          // defined globals only
  std::vector<Export> exports;
  std::optional<uint32_t> start;
  std::vector<ElementSegment> element_segments;
  std::optional<uint32_t> data_count;
  std::vector<DataSegment> data_segments;
  std::vector<CustomSection> custom_sections;

  std::vector<ConstantInstruction> constant_instructions;
  std::vector<LocalGroup> local_groups;

  // Index spaces: imports first, then definitions. Filled by decode().
  std::vector<uint32_t> function_types;  // type index of each function, imported ones included
  std::vector<TableType> table_types;
  std::vector<MemoryType> memory_types;
  std::vector<GlobalType> global_types;
  uint32_t imported_function_count = 0;
  uint32_t imported_table_count = 0;
  uint32_t imported_memory_count = 0;
  uint32_t imported_global_count = 0;
};

// The "name" custom section, read on demand because only messages need it. A broken name section
// yields the names before the break (the specification: ignore it), never an error.
struct NameSection {
  std::string module_name;
  std::vector<std::pair<uint32_t, std::string>> functions;  // sorted by index
  // Empty if there is none.
  std::string_view function_name(uint32_t function_index) const;
};
NameSection read_names(const Module& module);

}  // namespace qip
