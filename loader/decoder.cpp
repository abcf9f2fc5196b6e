// decode(): sections, in the order of the specification. Instructions of function bodies are left
// to validate(); constant expressions are decoded here, so that execution never parses bytes.
//
// A constant expression with instructions that are not constant is invalid, not malformed: the rest
// is then still read, because malformed comes first.
//
// Source: specification, "Binary Format/Modules".
#include <optional>

#include "loader/impl_limits.hpp"
#include "loader/loader.hpp"
#include "loader/reader.hpp"
#include "loader/syntax.hpp"

namespace qip {
namespace {

// The order in which sections must come: the data count lies between elements and code.
int section_rank(SectionId id) {
  if (id == SectionId::DataCount) return static_cast<int>(SectionId::Element) * 2 + 1;
  return static_cast<int>(id) * 2;
}

class Decoder {
 public:
  Decoder(std::vector<uint8_t> bytes, FeatureSet features)
      : module_(with(std::move(bytes), features)),
        reader_(module_.bytes.data(), 0, module_.bytes.size()) {}

  Result<Module, LoadError> run() {
    if (module_.bytes.size() > kMaxModuleBytes) {
      reader_.fail(LoadErrorClass::Limit, 0,
                   "the module has more than " + std::to_string(kMaxModuleBytes) + " bytes");
    }
    header();
    while (!reader_.at_end() && !failed()) section();  // ends: a section has at least 2 bytes
    if (!failed()) finish();
    if (failed()) return reader_.error();
    if (not_valid_) return std::move(*not_valid_);
    return std::move(module_);
  }

 private:
  static Module with(std::vector<uint8_t> bytes, FeatureSet features) {
    Module module;
    module.bytes = std::move(bytes);
    module.features = features;
    return module;
  }
  bool has(Feature feature) const { return module_.features.has(feature); }
  bool failed() const { return reader_.failed(); }

  void header() {
    constexpr uint32_t kMagic = 0x6D736100;  // "\0asm", little-endian
    const auto magic = reader_.raw<uint32_t>();
    if (!failed() && magic != kMagic) {
      reader_.fail(LoadErrorClass::Malformed, 0, "magic header not detected");
    }
    const uint64_t at = reader_.offset();
    const auto version = reader_.raw<uint32_t>();
    if (!failed() && version != 1) {
      reader_.fail(LoadErrorClass::Malformed, at,
                   "unknown binary version " + std::to_string(version));
    }
  }

  // --- Sections ----------------------------------------------------------------------------------

  void section() {
    const uint64_t start = reader_.offset();
    const uint8_t byte = reader_.byte();
    if (byte >= kSectionCount) {
      reader_.fail(LoadErrorClass::Malformed, start,
                   "malformed section id " + std::to_string(byte));
      return;
    }
    const auto id = static_cast<SectionId>(byte);
    const uint32_t size = reader_.u32();
    if (failed()) return;
    if (size > reader_.remaining()) {
      reader_.malformed("length out of bounds: section " + std::to_string(byte));
      return;
    }
    if (id != SectionId::Custom) {
      if (section_rank(id) <= last_rank_) {
        reader_.fail(LoadErrorClass::Malformed, start,
                     "unexpected content after last section: section " + std::to_string(byte) +
                         " is out of order or there twice");
        return;
      }
      last_rank_ = section_rank(id);
      module_.section_offsets[byte] = start;
    }
    const uint64_t outer_end = reader_.narrow(size);
    section_contents(id);
    if (!failed() && !reader_.at_end()) {
      reader_.malformed("section size mismatch: " + std::to_string(reader_.remaining()) +
                        " bytes are left in section " + std::to_string(byte));
    }
    reader_.widen(outer_end);
  }

  void section_contents(SectionId id) {
    switch (id) {
      case SectionId::Custom:
        return custom_section();
      case SectionId::Type:
        return items(kMaxTypes, "types", [&] { type(); });
      case SectionId::Import:
        return items(kMaxImports, "imports", [&] { import(); });
      case SectionId::Function:
        return items(kMaxFunctions, "functions", [&] { function(); });
      case SectionId::Table:
        return items(kMaxTables, "tables", [&] { module_.tables.push_back(table_type()); });
      case SectionId::Memory:
        // More than one is invalid, which validate() says.
        return items(kMaxTables, "memories", [&] { module_.memories.push_back({limits(true)}); });
      case SectionId::Global:
        return items(kMaxGlobals, "globals", [&] { global(); });
      case SectionId::Export:
        return items(kMaxExports, "exports", [&] { export_item(); });
      case SectionId::Start:
        module_.start = reader_.u32();
        return;
      case SectionId::Element:
        return items(kMaxSegments, "element segments", [&] { element_segment(); });
      case SectionId::Code:
        return code_section();
      case SectionId::Data:
        return items(kMaxSegments, "data segments", [&] { data_segment(); });
      case SectionId::DataCount:
        if (!has(Feature::BulkMemory)) {
          reader_.malformed("malformed section id 12: bulk memory is not enabled");
          return;
        }
        module_.data_count = reader_.u32();
        return;
    }
  }

  // A vector: the count is bounded by the bytes left before anything is allocated.
  template <class Item>
  void items(uint32_t limit, const char* what, Item item) {
    const uint64_t start = reader_.offset();
    const uint32_t count = reader_.count();
    if (count > limit) {
      reader_.fail(LoadErrorClass::Limit, start,
                   std::to_string(count) + " " + what + "; the limit is " + std::to_string(limit));
    }
    for (uint32_t i = 0; i < count && !failed(); i++) item();
  }

  void custom_section() {
    CustomSection section;
    section.name = std::string(reader_.name(kMaxNameBytes));
    section.bytes = {reader_.offset(), reader_.remaining()};
    reader_.skip(reader_.remaining());
    if (module_.custom_sections.size() >= kMaxCustomSections) {
      reader_.fail(LoadErrorClass::Limit, section.bytes.offset,
                   "more than " + std::to_string(kMaxCustomSections) + " custom sections");
    }
    if (!failed()) module_.custom_sections.push_back(std::move(section));
  }

  // --- Types -------------------------------------------------------------------------------------

  ValueType value_type() { return read_value_type(reader_, module_.features); }
  ValueType reference_type() { return read_reference_type(reader_, module_.features); }

  void types_of(std::vector<ValueType>* list, uint32_t limit, const char* what) {
    items(limit, what, [&] { list->push_back(value_type()); });
  }

  void type() {
    const uint64_t start = reader_.offset();
    const uint8_t form = reader_.byte();
    if (form != 0x60) {
      reader_.fail(LoadErrorClass::Malformed, start,
                   "malformed function type: form " + std::to_string(form));
      return;
    }
    FuncType& type = module_.types.emplace_back();
    types_of(&type.parameters, kMaxParameters, "parameters");
    types_of(&type.results, kMaxResults, "results");
  }

  Limits limits(bool memory) {
    const uint64_t start = reader_.offset();
    const uint8_t flags = reader_.byte();
    if (flags > 1) {
      reader_.fail(LoadErrorClass::Malformed, start, "malformed limits flags");
    }
    Limits result;
    result.minimum = bound(memory);
    if (flags == 1) result.maximum = bound(memory);
    return result;
  }
  // With Feature::WideFields a bound may have 64 bits; one beyond 32 bits is invalid.
  uint32_t bound(bool memory) {
    if (!has(Feature::WideFields)) return reader_.u32();
    const uint64_t start = reader_.offset();
    const uint64_t number = reader_.u64();
    if (number > 0xFFFFFFFF && !not_valid_) {
      not_valid_ = LoadError{LoadErrorClass::Invalid, start,
                             memory ? kMemorySizeMessage : "table size must be at most 2^32 - 1"};
    }
    return static_cast<uint32_t>(number);
  }

  TableType table_type() {
    TableType type;
    type.element = reference_type();
    type.limits = limits(false);
    return type;
  }

  GlobalType global_type() {
    GlobalType type;
    type.type = value_type();
    const uint64_t start = reader_.offset();
    const uint8_t mutability = reader_.byte();
    if (mutability > 1) {
      reader_.fail(LoadErrorClass::Malformed, start, "malformed mutability");
    }
    type.is_mutable = mutability == 1;
    return type;
  }

  // --- Imports, exports, definitions ---------------------------------------------------------

  void import() {
    Import import;
    import.byte_offset = reader_.offset();
    import.module = std::string(reader_.name(kMaxNameBytes));
    import.name = std::string(reader_.name(kMaxNameBytes));
    const uint64_t start = reader_.offset();
    const uint8_t kind = reader_.byte();
    if (failed()) return;
    import.kind = static_cast<ExternKind>(kind);
    switch (kind) {
      case 0:
        import.type_index = reader_.u32();
        module_.function_types.push_back(import.type_index);
        module_.imported_function_count++;
        break;
      case 1:
        import.table = table_type();
        module_.table_types.push_back(import.table);
        module_.imported_table_count++;
        break;
      case 2:
        import.memory.limits = limits(true);
        module_.memory_types.push_back(import.memory);
        module_.imported_memory_count++;
        break;
      case 3:
        import.global = global_type();
        module_.global_types.push_back(import.global);
        module_.imported_global_count++;
        break;
      default:
        reader_.fail(LoadErrorClass::Malformed, start,
                     "malformed import kind " + std::to_string(kind));
        return;
    }
    module_.imports.push_back(std::move(import));
  }

  void function() {
    FunctionBody body;
    body.type_index = reader_.u32();
    module_.functions.push_back(body);
  }

  void global() {
    Global global;
    global.type = global_type();
    global.initializer = constant_expression();
    module_.globals.push_back(global);
  }

  void export_item() {
    Export item;
    item.byte_offset = reader_.offset();
    item.name = std::string(reader_.name(kMaxNameBytes));
    const uint64_t kind_at = reader_.offset();
    const uint8_t kind = reader_.byte();
    if (kind > 3) {
      reader_.fail(LoadErrorClass::Malformed, kind_at,
                   "malformed export kind " + std::to_string(kind));
    }
    item.kind = static_cast<ExternKind>(kind);
    item.index = reader_.u32();
    if (failed()) return;
    module_.exports.push_back(std::move(item));
  }

  // --- Segments ----------------------------------------------------------------------------------

  // Source: specification, "Binary Format/Modules/Element Section". The flags are three bits:
  // passive or declarative; explicit table index or declarative; expressions.
  void element_segment() {
    const uint64_t start = reader_.offset();
    const uint32_t flags = reader_.u32();
    if (!failed() && (flags > 7 || (flags != 0 && !has(Feature::BulkMemory)))) {
      reader_.fail(LoadErrorClass::Malformed, start, "malformed element segment kind");
    }
    if (failed()) return;
    ElementSegment segment;
    segment.byte_offset = start;
    segment.uses_expressions = (flags & 4) != 0;
    segment.mode = (flags & 1) == 0   ? SegmentMode::Active
                   : (flags & 2) != 0 ? SegmentMode::Declarative
                                      : SegmentMode::Passive;
    if (segment.mode == SegmentMode::Active) {
      if ((flags & 2) != 0) segment.table_index = reader_.u32();
      segment.offset = constant_expression();
    }
    // Without explicit table index and kind, the elements are functions.
    if ((flags & 3) != 0) {
      if (segment.uses_expressions) {
        segment.type = reference_type();
      } else {
        const uint64_t kind_at = reader_.offset();
        if (reader_.byte() != 0) {
          reader_.fail(LoadErrorClass::Malformed, kind_at, "malformed element kind");
        }
      }
    }
    items(kMaxTableElements, "elements", [&] {
      if (segment.uses_expressions) {
        segment.expressions.push_back(constant_expression());
      } else {
        segment.function_indices.push_back(reader_.u32());
      }
    });
    module_.element_segments.push_back(std::move(segment));
  }

  void data_segment() {
    const uint64_t start = reader_.offset();
    const uint32_t flags = reader_.u32();
    if (!failed() && (flags > 2 || (flags != 0 && !has(Feature::BulkMemory)))) {
      reader_.fail(LoadErrorClass::Malformed, start, "malformed data segment kind");
    }
    if (failed()) return;
    DataSegment segment;
    segment.byte_offset = start;
    segment.mode = flags == 1 ? SegmentMode::Passive : SegmentMode::Active;
    if (flags == 2) segment.memory_index = reader_.u32();
    if (segment.mode == SegmentMode::Active) segment.offset = constant_expression();
    const uint32_t size = reader_.count();
    segment.bytes = {reader_.offset(), size};
    reader_.skip(size);
    module_.data_segments.push_back(segment);
  }

  // --- Constant expressions
  // ------------------------------------------------------------------------

  // Decodes up to `end`. Which instructions are constant depends on the features; whether they fit
  // together is validate()'s business.
  ConstantExpression constant_expression() {
    ConstantExpression expression;
    expression.first = static_cast<uint32_t>(module_.constant_instructions.size());
    expression.byte_offset = reader_.offset();
    for (;;) {  // ends: every turn consumes a byte, and `end` or an error comes
      const uint64_t start = reader_.offset();
      const Opcode opcode = read_opcode(reader_, module_.features);
      if (opcode == kNoOpcode || opcode == Opcode::End) return expression;
      ConstantInstruction instruction;
      instruction.opcode = opcode;
      if (!constant_instruction(&instruction)) {
        not_constant(opcode, start);
        return expression;
      }
      module_.constant_instructions.push_back(instruction);
      expression.count++;
    }
  }

  // False if it is none.
  bool constant_instruction(ConstantInstruction* instruction) {
    switch (instruction->opcode) {
      case Opcode::I32Const:
        instruction->low = static_cast<uint32_t>(reader_.s32());
        return true;
      case Opcode::I64Const:
        instruction->low = static_cast<uint64_t>(reader_.s64());
        return true;
      case Opcode::F32Const:
        instruction->low = reader_.raw<uint32_t>();
        return true;
      case Opcode::F64Const:
        instruction->low = reader_.raw<uint64_t>();
        return true;
      case Opcode::V128Const:
        instruction->low = reader_.raw<uint64_t>();
        instruction->high = reader_.raw<uint64_t>();
        return true;
      case Opcode::RefNull:
        instruction->low = static_cast<uint64_t>(reference_type());
        return true;
      case Opcode::RefFunc:
      case Opcode::GlobalGet:
        instruction->low = reader_.u32();
        return true;
      case Opcode::I32Add:
      case Opcode::I32Sub:
      case Opcode::I32Mul:
      case Opcode::I64Add:
      case Opcode::I64Sub:
      case Opcode::I64Mul:
        return has(Feature::ExtendedConst);
      default:
        return false;
    }
  }

  void not_constant(Opcode opcode, uint64_t start) {
    if (!not_valid_) {
      not_valid_ =
          LoadError{LoadErrorClass::Invalid, start,
                    "constant expression required: " + std::string(opcode_info(opcode).text) +
                        " is not constant"};
    }
    reader_.rewind(start);
    skip_expression(reader_, module_, &open_blocks_);
  }

  // --- Code --------------------------------------------------------------------------------------

  void code_section() {
    const uint64_t start = reader_.offset();
    const uint32_t count = reader_.count();
    if (failed()) return;
    if (count != module_.functions.size()) {
      reader_.fail(LoadErrorClass::Malformed, start,
                   "function and code section have inconsistent lengths");
      return;
    }
    code_count_ = count;
    for (FunctionBody& body : module_.functions) {
      if (failed()) return;
      code(&body);
    }
  }

  void code(FunctionBody* body) {
    const uint64_t start = reader_.offset();
    const uint32_t size = reader_.u32();
    if (failed()) return;
    if (size > reader_.remaining()) {
      reader_.malformed("length out of bounds: a function body beyond its section");
      return;
    }
    if (size > kMaxFunctionBytes) {
      reader_.fail(LoadErrorClass::Limit, start,
                   "a function of " + std::to_string(size) + " bytes; the limit is " +
                       std::to_string(kMaxFunctionBytes));
      return;
    }
    const uint64_t outer_end = reader_.narrow(size);
    locals(body);
    body->code = {reader_.offset(), reader_.remaining()};
    reader_.skip(reader_.remaining());
    reader_.widen(outer_end);
  }

  // The sum is checked before anything is expanded.
  void locals(FunctionBody* body) {
    const uint64_t start = reader_.offset();
    body->first_local_group = static_cast<uint32_t>(module_.local_groups.size());
    const uint32_t groups = reader_.count();
    uint64_t total = 0;
    for (uint32_t i = 0; i < groups && !failed(); i++) {
      LocalGroup group;
      group.count = reader_.u32();
      group.type = value_type();
      total += group.count;
      module_.local_groups.push_back(group);
    }
    if (failed()) return;
    if (total > 0xFFFFFFFF) {
      reader_.fail(LoadErrorClass::Malformed, start, "too many locals: more than 2^32 - 1");
    } else if (total > kMaxLocals) {
      reader_.fail(LoadErrorClass::Limit, start,
                   "too many locals: " + std::to_string(total) + " in one function; the limit is " +
                       std::to_string(kMaxLocals));
    }
    total_locals_ += total;
    if (!failed() && total_locals_ > kMaxTotalLocals) {
      reader_.fail(
          LoadErrorClass::Limit, start,
          "too many locals: more than " + std::to_string(kMaxTotalLocals) + " in all functions");
    }
    body->local_group_count = groups;
    body->local_count = static_cast<uint32_t>(total);
  }

  // --- The whole ---------------------------------------------------------------------------------

  void finish() {
    if (code_count_ != module_.functions.size()) {
      reader_.malformed("function and code section have inconsistent lengths");
    } else if (module_.data_count && *module_.data_count != module_.data_segments.size()) {
      reader_.malformed("data count and data section have inconsistent lengths");
    }
    if (!failed()) index_spaces();
    if (!failed() && not_valid_) check_code();
  }

  // Imports first, then definitions.
  void index_spaces() {
    limit_total(module_.imported_function_count + module_.functions.size(), kMaxFunctions,
                "functions");
    limit_total(module_.imported_table_count + module_.tables.size(), kMaxTables, "tables");
    limit_total(module_.imported_global_count + module_.globals.size(), kMaxGlobals, "globals");
    if (failed()) return;
    for (const FunctionBody& body : module_.functions) {
      module_.function_types.push_back(body.type_index);
    }
    for (const TableType& type : module_.tables) module_.table_types.push_back(type);
    for (const MemoryType& type : module_.memories) module_.memory_types.push_back(type);
    for (const Global& global : module_.globals) module_.global_types.push_back(global.type);
  }
  void limit_total(size_t count, uint32_t limit, const char* what) {
    if (count <= limit) return;
    reader_.fail(LoadErrorClass::Limit, reader_.offset(),
                 std::to_string(count) + " " + what + ", imported ones included; the limit is " +
                     std::to_string(limit));
  }

  void check_code() {
    const std::optional<LoadError> malformed = find_malformed_code(module_);
    if (malformed) not_valid_ = malformed;
  }

  Module module_;
  Reader reader_;
  int last_rank_ = 0;
  size_t code_count_ = 0;
  uint64_t total_locals_ = 0;
  std::optional<LoadError> not_valid_;  // the first that is not malformed
  std::vector<bool> open_blocks_;
};

}  // namespace

Result<Module, LoadError> decode(std::vector<uint8_t> bytes, FeatureSet features) {
  return Decoder(std::move(bytes), features).run();
}

}  // namespace qip
