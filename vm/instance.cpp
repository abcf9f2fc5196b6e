#include "vm/instance.hpp"

#include <cstring>
#include <deque>

#include "vm/code_contents.hpp"
#include "vm/machine.hpp"

namespace qip {

// Deques: what is inside never moves.
struct Store::Contents {
  MemoryPool* pool = nullptr;
  std::deque<Instance> instances;
  std::deque<std::unique_ptr<FunctionInstance[]>> functions;
  std::deque<std::unique_ptr<GlobalInstance[]>> globals;
  std::deque<TableInstance> tables;
  std::deque<std::unique_ptr<LinearMemory>> memories;
  std::deque<FuncType> host_types;
};

Store::Store(MemoryPool* pool) : contents_(std::make_unique<Contents>()) {
  contents_->pool = pool;
}
Store::~Store() = default;

FunctionInstance* Store::add_host_function(FuncType type, HostFunction function, void* context) {
  contents_->host_types.push_back(std::move(type));
  contents_->functions.push_back(std::make_unique<FunctionInstance[]>(1));
  FunctionInstance* result = contents_->functions.back().get();
  result->type = &contents_->host_types.back();
  result->host = function;
  result->host_context = context;
  return result;
}

TableInstance* Store::add_table(const TableType& type, const BudgetLimits& limits) {
  const uint32_t maximum = type.limits.maximum.value_or(0xFFFFFFFF);
  const uint32_t limit = std::min(maximum, limits.table_elements);
  if (type.limits.minimum > limit) return nullptr;
  TableInstance& table = contents_->tables.emplace_back();
  table.element = type.element;
  table.maximum = type.limits.maximum;
  table.limit = limit;
  table.elements.assign(type.limits.minimum, kNullReference);
  return &table;
}

LinearMemory* Store::add_memory(const MemoryType& type, const BudgetLimits& limits) {
  std::unique_ptr<LinearMemory> memory =
      LinearMemory::create(type, limits.memory_pages, contents_->pool);
  if (memory == nullptr) return nullptr;
  contents_->memories.push_back(std::move(memory));
  return contents_->memories.back().get();
}

GlobalInstance* Store::add_global(const GlobalType& type, Value value) {
  contents_->globals.push_back(std::make_unique<GlobalInstance[]>(1));
  GlobalInstance* global = contents_->globals.back().get();
  global->type = type;
  global->value = value;
  return global;
}

// --- Exports -------------------------------------------------------------------------------------

bool Instance::find_export(std::string_view name, Extern* result) const {
  for (const Export& item : module().exports) {
    if (item.name != name) continue;
    switch (item.kind) {
      case ExternKind::Function:
        *result = Extern::of(functions[item.index]);
        break;
      case ExternKind::Table:
        *result = Extern::of(tables[item.index]);
        break;
      case ExternKind::Memory:
        *result = Extern::of(memories[item.index]);
        break;
      case ExternKind::Global:
        *result = Extern::of(globals[item.index]);
        break;
    }
    return true;
  }
  return false;
}

FunctionInstance* Instance::exported_function(std::string_view name) const {
  Extern found;
  return find_export(name, &found) && found.kind == ExternKind::Function ? found.function : nullptr;
}
LinearMemory* Instance::exported_memory(std::string_view name) const {
  Extern found;
  return find_export(name, &found) && found.kind == ExternKind::Memory ? found.memory : nullptr;
}
GlobalInstance* Instance::exported_global(std::string_view name) const {
  Extern found;
  return find_export(name, &found) && found.kind == ExternKind::Global ? found.global : nullptr;
}

// --- Instantiation -------------------------------------------------------------------------------

namespace {

class Instantiation {
 public:
  Instantiation(Store& store, std::shared_ptr<const Code> code, std::span<const Extern> imports,
                Budget& budget, InstantiateOptions options)
      : store_(store),
        code_(std::move(code)),
        imports_(imports),
        budget_(budget),
        options_(options) {}

  Result<Instance*, InstantiationError> run() {
    if (!check_imports()) return error_;
    Instance& instance = store_.contents().instances.emplace_back();
    instance_ = &instance;
    instance.code = code_;
    take_imports();
    make_functions();
    if (!make_tables() || !make_memories()) return error_;
    make_globals();
    instance.dropped_elements.assign(module().element_segments.size(), false);
    instance.dropped_data.assign(module().data_segments.size(), false);
    if (!run_element_segments() || !run_data_segments() || !run_start()) return error_;
    return instance_;
  }

 private:
  const Module& module() const { return code_->module(); }

  bool fail(InstantiationErrorClass error_class, std::string message, Trap trap = Trap::None) {
    error_.error_class = error_class;
    error_.trap = trap;
    error_.message = std::move(message);
    return false;
  }
  bool trap(Trap reason) {
    return fail(InstantiationErrorClass::Trapped, std::string(trap_text(reason)), reason);
  }
  bool unlinkable(const char* what, const Import& import) {
    return fail(InstantiationErrorClass::Unlinkable, std::string(what) + ": " +
                                                         extern_kind_text(import.kind) + " " +
                                                         import.module + "." + import.name);
  }

  // Source: specification, "Matching": what is given must be at least what is declared.
  static bool limits_match(uint64_t size, std::optional<uint32_t> maximum, const Limits& declared) {
    if (size < declared.minimum) return false;
    if (!declared.maximum) return true;
    return maximum.has_value() && *maximum <= *declared.maximum;
  }

  bool matches(const Import& import, const Extern& given) const {
    if (given.kind != import.kind) return false;
    switch (import.kind) {
      case ExternKind::Function:
        return given.function != nullptr &&
               *given.function->type == module().types[import.type_index];
      case ExternKind::Table:
        return given.table != nullptr && given.table->element == import.table.element &&
               limits_match(given.table->elements.size(), given.table->maximum,
                            import.table.limits);
      case ExternKind::Memory:
        return given.memory != nullptr &&
               limits_match(given.memory->pages(), given.memory->declared_maximum(),
                            import.memory.limits);
      case ExternKind::Global:
        return given.global != nullptr && given.global->type.type == import.global.type &&
               given.global->type.is_mutable == import.global.is_mutable;
    }
    return false;
  }

  bool check_imports() {
    const auto& wanted = module().imports;
    if (imports_.size() > wanted.size()) {
      return fail(InstantiationErrorClass::Unlinkable, "more imports given than declared");
    }
    for (size_t i = 0; i < wanted.size(); i++) {
      if (i >= imports_.size()) return unlinkable("unknown import", wanted[i]);
      if (!matches(wanted[i], imports_[i]))
        return unlinkable("incompatible import type", wanted[i]);
    }
    return true;
  }

  void take_imports() {
    for (const Extern& import : imports_) {
      switch (import.kind) {
        case ExternKind::Function:
          instance_->functions.push_back(import.function);
          break;
        case ExternKind::Table:
          instance_->tables.push_back(import.table);
          break;
        case ExternKind::Memory:
          instance_->memories.push_back(import.memory);
          break;
        case ExternKind::Global:
          instance_->globals.push_back(import.global);
          break;
      }
    }
  }

  void make_functions() {
    const CodeContents& contents = code_->contents();
    const size_t count = contents.functions.size();
    store_.contents().functions.push_back(std::make_unique<FunctionInstance[]>(count));
    FunctionInstance* functions = store_.contents().functions.back().get();
    instance_->functions.reserve(instance_->functions.size() + count);
    for (size_t i = 0; i < count; i++) {
      FunctionInstance& function = functions[i];
      const uint32_t type_index = module().functions[i].type_index;
      function.type = &module().types[type_index];
      function.canonical_type = contents.canonical_types[type_index];
      function.function_index = static_cast<uint32_t>(instance_->functions.size());
      function.instance = instance_;
      function.entry = contents.cells + contents.functions[i].entry;
      function.frame_bytes = contents.functions[i].frame_bytes;
      instance_->functions.push_back(&function);
    }
  }

  bool make_tables() {
    for (const TableType& type : module().tables) {
      TableInstance* table = store_.add_table(type, budget_.limits());
      if (table == nullptr) {
        return fail(InstantiationErrorClass::Limit,
                    "table of " + std::to_string(type.limits.minimum) +
                        " elements exceeds the limit of " +
                        std::to_string(budget_.limits().table_elements));
      }
      instance_->tables.push_back(table);
    }
    return true;
  }

  bool make_memories() {
    for (const MemoryType& type : module().memories) {
      LinearMemory* memory = store_.add_memory(type, budget_.limits());
      if (memory == nullptr) {
        return fail(InstantiationErrorClass::Limit,
                    "memory of " + std::to_string(type.limits.minimum) +
                        " pages is not available (limit: " +
                        std::to_string(budget_.limits().memory_pages) + " pages)");
      }
      instance_->memories.push_back(memory);
    }
    return true;
  }

  void make_globals() {
    const size_t count = module().globals.size();
    store_.contents().globals.push_back(std::make_unique<GlobalInstance[]>(count));
    instance_->own_globals = store_.contents().globals.back().get();
    for (size_t i = 0; i < count; i++) {
      GlobalInstance& global = instance_->own_globals[i];
      global.type = module().globals[i].type;
      global.value = evaluate(module().globals[i].initializer);
      instance_->globals.push_back(&global);
    }
  }

  // A validated constant expression: cannot fail, and its operand stack is bounded by its length.
  Value evaluate(const ConstantExpression& expression) {
    constant_stack_.clear();
    const auto binary = [&](auto operation) {
      const Value right = constant_stack_.back();
      constant_stack_.pop_back();
      constant_stack_.back() = operation(constant_stack_.back(), right);
    };
    for (uint32_t i = 0; i < expression.count; i++) {
      const ConstantInstruction& step = module().constant_instructions[expression.first + i];
      switch (step.opcode) {
        case Opcode::GlobalGet:
          constant_stack_.push_back(instance_->globals[step.low]->value);
          break;
        case Opcode::RefFunc:
          constant_stack_.push_back(
              Value::from_reference(reinterpret_cast<uint64_t>(instance_->functions[step.low])));
          break;
        case Opcode::RefNull:
          constant_stack_.push_back(Value::from_reference(kNullReference));
          break;
        case Opcode::I32Add:
          binary([](Value a, Value b) { return Value::from_i32(a.i32() + b.i32()); });
          break;
        case Opcode::I32Sub:
          binary([](Value a, Value b) { return Value::from_i32(a.i32() - b.i32()); });
          break;
        case Opcode::I32Mul:
          binary([](Value a, Value b) { return Value::from_i32(a.i32() * b.i32()); });
          break;
        case Opcode::I64Add:
          binary([](Value a, Value b) { return Value::from_i64(a.i64() + b.i64()); });
          break;
        case Opcode::I64Sub:
          binary([](Value a, Value b) { return Value::from_i64(a.i64() - b.i64()); });
          break;
        case Opcode::I64Mul:
          binary([](Value a, Value b) { return Value::from_i64(a.i64() * b.i64()); });
          break;
        default:
          constant_stack_.push_back(Value{step.low, step.high});
      }
    }
    return constant_stack_.back();
  }

  bool run_element_segments() {
    for (uint32_t i = 0; i < module().element_segments.size(); i++) {
      const ElementSegment& segment = module().element_segments[i];
      if (segment.mode == SegmentMode::Active) {
        const uint32_t offset = evaluate(segment.offset).i32();
        if (!initialize(segment, i, offset)) return trap(Trap::OutOfBoundsTableAccess);
      }
      if (segment.mode != SegmentMode::Passive) instance_->dropped_elements[i] = true;
    }
    return true;
  }
  bool initialize(const ElementSegment& segment, uint32_t index, uint32_t offset) {
    return initialize_table(*instance_, segment.table_index, index, offset, 0, segment.size());
  }

  bool run_data_segments() {
    for (uint32_t i = 0; i < module().data_segments.size(); i++) {
      const DataSegment& segment = module().data_segments[i];
      if (segment.mode != SegmentMode::Active) continue;
      LinearMemory& memory = *instance_->memories[segment.memory_index];
      const uint32_t offset = evaluate(segment.offset).i32();
      if (!memory.contains(offset, segment.bytes.size)) return trap(Trap::OutOfBoundsMemoryAccess);
      if (segment.bytes.size > 0) {
        memcpy(memory.base() + offset, module().bytes.data() + segment.bytes.offset,
               segment.bytes.size);
      }
      instance_->dropped_data[i] = true;
    }
    return true;
  }

  bool run_start() {
    if (!module().start || !options_.run_start) return true;
    const Trap reason = invoke(budget_, *instance_->functions[*module().start], {}, {});
    return reason == Trap::None || trap(reason);
  }

  Store& store_;
  std::shared_ptr<const Code> code_;
  std::span<const Extern> imports_;
  Budget& budget_;
  const InstantiateOptions options_;
  Instance* instance_ = nullptr;
  InstantiationError error_;
  std::vector<Value> constant_stack_;

 public:
  // The value of one element of a segment.
  static uint64_t element_value(const Instance& instance, const ElementSegment& segment,
                                uint64_t index) {
    if (!segment.uses_expressions) {
      return reinterpret_cast<uint64_t>(instance.functions[segment.function_indices[index]]);
    }
    // Reference-typed constant expressions are a single instruction.
    const ConstantExpression& expression = segment.expressions[index];
    const ConstantInstruction& step = instance.module().constant_instructions[expression.first];
    switch (step.opcode) {
      case Opcode::RefFunc:
        return reinterpret_cast<uint64_t>(instance.functions[step.low]);
      case Opcode::GlobalGet:
        return instance.globals[step.low]->value.reference();
      default:
        return kNullReference;
    }
  }
};

}  // namespace

bool initialize_table(Instance& instance, uint32_t table_index, uint32_t segment_index, uint64_t to,
                      uint64_t from, uint64_t count) {
  TableInstance& table = *instance.tables[table_index];
  const ElementSegment& segment = instance.module().element_segments[segment_index];
  const uint64_t size = instance.dropped_elements[segment_index] ? 0 : segment.size();
  if (from > size || count > size - from) return false;
  if (to > table.elements.size() || count > table.elements.size() - to) return false;
  for (uint64_t i = 0; i < count; i++) {
    table.elements[to + i] = Instantiation::element_value(instance, segment, from + i);
  }
  return true;
}

Result<Instance*, InstantiationError> instantiate(Store& store, std::shared_ptr<const Code> code,
                                                  std::span<const Extern> imports, Budget& budget,
                                                  InstantiateOptions options) {
  return Instantiation(store, std::move(code), imports, budget, options).run();
}

}  // namespace qip
