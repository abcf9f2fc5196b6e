// Modules for the tests of the vm: code written instruction by instruction under the opcodes' own
// names, put together to a module, run in a World.
//
// Promises: sections in the specification's order, indices in the order of the calls; nothing is
// checked here, decode() and validate() do that. Signatures are letters as in opcodes.def,
// "il:d" is (i32, i64) -> (f64); r is funcref, e externref.
// Source: specification, "Binary Format". Tests only.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loader/loader.hpp"
#include "loader/opcodes.hpp"
#include "vm/code.hpp"
#include "vm/instance.hpp"

namespace qip::vm_test {

using Bytes = std::vector<uint8_t>;

// --- Bytes ---------------------------------------------------------------------------------------

inline void append(Bytes* bytes, const Bytes& more) {
  bytes->insert(bytes->end(), more.begin(), more.end());
}
inline Bytes unsigned_leb(uint64_t value) {
  Bytes bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<uint8_t>(value | 0x80));
  bytes.push_back(static_cast<uint8_t>(value));
  return bytes;
}
inline Bytes signed_leb(int64_t value) {
  Bytes bytes;
  for (;;) {
    const auto low = static_cast<uint8_t>(value & 0x7F);
    value >>= 7;
    const bool last = (low & 0x40) == 0 ? value == 0 : value == -1;
    bytes.push_back(last ? low : static_cast<uint8_t>(low | 0x80));
    if (last) return bytes;
  }
}
inline Bytes little_endian(uint64_t value, int count) {
  Bytes bytes;
  for (int i = 0; i < count; i++) bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
  return bytes;
}

// --- Code ----------------------------------------------------------------------------------------

inline Bytes encoded(const Bytes& bytes) {
  return bytes;
}
inline Bytes encoded(Opcode opcode) {
  const OpcodeInfo& info = opcode_info(opcode);
  Bytes bytes;
  if (info.prefix == 0) return {info.code};
  bytes.push_back(info.prefix);
  append(&bytes, unsigned_leb(info.code));
  return bytes;
}
// Instructions one after the other: an Opcode without immediates, or Bytes from a function below.
template <class... Parts>
Bytes code(const Parts&... parts) {
  Bytes bytes;
  (append(&bytes, encoded(parts)), ...);
  return bytes;
}
inline Bytes repeated(uint64_t times, const Bytes& part) {
  Bytes bytes;
  bytes.reserve(times * part.size());
  for (uint64_t i = 0; i < times; i++) append(&bytes, part);
  return bytes;
}
// An opcode with immediates that are unsigned numbers.
template <class... Numbers>
Bytes with(Opcode opcode, Numbers... numbers) {
  return code(opcode, unsigned_leb(static_cast<uint64_t>(numbers))...);
}

inline Bytes get(uint32_t local) {
  return with(Opcode::LocalGet, local);
}
inline Bytes set(uint32_t local) {
  return with(Opcode::LocalSet, local);
}
inline Bytes tee(uint32_t local) {
  return with(Opcode::LocalTee, local);
}
inline Bytes global_get(uint32_t global) {
  return with(Opcode::GlobalGet, global);
}
inline Bytes global_set(uint32_t global) {
  return with(Opcode::GlobalSet, global);
}
inline Bytes call(uint32_t function) {
  return with(Opcode::Call, function);
}
inline Bytes call_indirect(uint32_t type, uint32_t table = 0) {
  return with(Opcode::CallIndirect, type, table);
}
inline Bytes br(uint32_t depth) {
  return with(Opcode::Br, depth);
}
inline Bytes br_if(uint32_t depth) {
  return with(Opcode::BrIf, depth);
}
inline Bytes br_table(const std::vector<uint32_t>& depths, uint32_t otherwise) {
  Bytes bytes = with(Opcode::BrTable, depths.size());
  for (const uint32_t depth : depths) append(&bytes, unsigned_leb(depth));
  append(&bytes, unsigned_leb(otherwise));
  return bytes;
}
inline Bytes i32(uint32_t bits) {
  return code(Opcode::I32Const, signed_leb(static_cast<int32_t>(bits)));
}
inline Bytes i64(uint64_t bits) {
  return code(Opcode::I64Const, signed_leb(static_cast<int64_t>(bits)));
}
inline Bytes f32(float value) {
  return code(Opcode::F32Const, little_endian(std::bit_cast<uint32_t>(value), 4));
}
inline Bytes f64(double value) {
  return code(Opcode::F64Const, little_endian(std::bit_cast<uint64_t>(value), 8));
}
inline Bytes v128(uint64_t low, uint64_t high) {
  return code(Opcode::V128Const, little_endian(low, 8), little_endian(high, 8));
}
// Loads and stores, and their lane forms.
inline Bytes access(Opcode opcode, uint32_t offset = 0) {
  return with(opcode, 0, offset);
}
inline Bytes lane_access(Opcode opcode, uint32_t offset, uint8_t lane) {
  return code(access(opcode, offset), Bytes{lane});
}
inline Bytes lane(Opcode opcode, uint8_t index) {
  return code(opcode, Bytes{index});
}
inline Bytes memory_size() {
  return with(Opcode::MemorySize, 0);
}
inline Bytes memory_grow() {
  return with(Opcode::MemoryGrow, 0);
}
inline Bytes memory_fill() {
  return with(Opcode::MemoryFill, 0);
}
inline Bytes memory_copy() {
  return with(Opcode::MemoryCopy, 0, 0);
}
inline Bytes memory_init(uint32_t segment) {
  return with(Opcode::MemoryInit, segment, 0);
}

inline ValueType type_of(char letter) {
  switch (letter) {
    case 'i':
      return ValueType::I32;
    case 'l':
      return ValueType::I64;
    case 'f':
      return ValueType::F32;
    case 'd':
      return ValueType::F64;
    case 'v':
      return ValueType::V128;
    case 'r':
      return ValueType::FuncRef;
    default:
      return ValueType::ExternRef;
  }
}
inline uint8_t type_byte(char letter) {
  return static_cast<uint8_t>(type_of(letter));
}
inline FuncType func_type(std::string_view signature) {
  FuncType type;
  const size_t colon = signature.find(':');
  for (size_t i = 0; i < signature.size(); i++) {
    if (i == colon) continue;
    (i < colon ? type.parameters : type.results).push_back(type_of(signature[i]));
  }
  return type;
}

// What a block gives back: nothing, one value (a letter), or a type index.
struct BlockType {
  Bytes bytes = {0x40};
  BlockType() = default;
  BlockType(char letter) : bytes{type_byte(letter)} {}
  static BlockType of(uint32_t type_index) {
    BlockType type;
    type.bytes = signed_leb(type_index);
    return type;
  }
};
inline Bytes block(const Bytes& body, const BlockType& type = {}) {
  return code(Opcode::Block, type.bytes, body, Opcode::End);
}
inline Bytes loop(const Bytes& body, const BlockType& type = {}) {
  return code(Opcode::Loop, type.bytes, body, Opcode::End);
}
inline Bytes if_then(const Bytes& body, const BlockType& type = {}) {
  return code(Opcode::If, type.bytes, body, Opcode::End);
}
inline Bytes if_else(const Bytes& first, const Bytes& second, const BlockType& type = {}) {
  return code(Opcode::If, type.bytes, first, Opcode::Else, second, Opcode::End);
}
inline Bytes ref_null(char letter) {
  return code(Opcode::RefNull, Bytes{type_byte(letter)});
}

// --- Modules -------------------------------------------------------------------------------------

class ModuleBuilder {
 public:
  // Index of the type; equal ones are not merged, so that tests can have several.
  uint32_t type(std::string_view signature) {
    const size_t colon = signature.find(':');
    types_.push_back({0x60});
    append(&types_.back(), letters(signature.substr(0, colon)));
    append(&types_.back(), letters(signature.substr(colon + 1)));
    return static_cast<uint32_t>(types_.size() - 1);
  }

  // Imports come before everything that is defined.
  uint32_t import_function(std::string_view signature, std::string_view name = "f") {
    const uint32_t index = type(signature);
    return import(name, 0, unsigned_leb(index), &functions_count_);
  }
  uint32_t import_table(char letter, uint32_t minimum, std::optional<uint32_t> maximum = {}) {
    Bytes table{type_byte(letter)};
    append(&table, limits(minimum, maximum));
    return import("t", 1, table, &tables_count_);
  }
  uint32_t import_memory(uint32_t minimum, std::optional<uint32_t> maximum = {}) {
    return import("m", 2, limits(minimum, maximum), &memories_count_);
  }
  uint32_t import_global(char letter, bool is_mutable) {
    return import("g", 3, {type_byte(letter), is_mutable}, &globals_count_);
  }

  // `body` without its final `end`. Exported if it has a name.
  uint32_t function(std::string_view name, std::string_view signature, const Bytes& body,
                    std::string_view locals = "") {
    std::vector<LocalGroup> groups;
    for (const char letter : locals) groups.push_back({1, type_of(letter)});
    return function_with_groups(name, type(signature), body, groups);
  }
  uint32_t function_with_groups(std::string_view name, uint32_t type_index, const Bytes& body,
                                const std::vector<LocalGroup>& groups) {
    Bytes contents = unsigned_leb(groups.size());
    for (const LocalGroup& group : groups) {
      append(&contents, unsigned_leb(group.count));
      contents.push_back(static_cast<uint8_t>(group.type));
    }
    append(&contents, code(body, Opcode::End));
    functions_.push_back(unsigned_leb(type_index));
    bodies_.push_back(sized(contents));
    return named(name, 0, functions_count_++);
  }
  uint32_t table(char letter, uint32_t minimum, std::optional<uint32_t> maximum = {},
                 std::string_view name = "") {
    tables_.push_back({type_byte(letter)});
    append(&tables_.back(), limits(minimum, maximum));
    return named(name, 1, tables_count_++);
  }
  uint32_t memory(uint32_t minimum, std::optional<uint32_t> maximum = {},
                  std::string_view name = "memory") {
    memories_.push_back(limits(minimum, maximum));
    return named(name, 2, memories_count_++);
  }
  uint32_t global(std::string_view name, char letter, bool is_mutable, const Bytes& initializer) {
    globals_.push_back(code(Bytes{type_byte(letter), is_mutable}, initializer, Opcode::End));
    return named(name, 3, globals_count_++);
  }
  void export_function(std::string_view name, uint32_t index) { named(name, 0, index); }
  void start(uint32_t function) { start_ = unsigned_leb(function); }

  void active_elements(uint32_t table, uint32_t offset, const std::vector<uint32_t>& functions) {
    elements_.push_back(
        code(Bytes{2}, unsigned_leb(table), i32(offset), Opcode::End, Bytes{0}, list(functions)));
  }
  void passive_elements(const std::vector<uint32_t>& functions) {
    elements_.push_back(code(Bytes{1, 0}, list(functions)));
  }
  void declare(const std::vector<uint32_t>& functions) {
    elements_.push_back(code(Bytes{3, 0}, list(functions)));
  }
  void active_data(uint32_t offset, const Bytes& bytes) {
    data_.push_back(code(Bytes{0}, i32(offset), Opcode::End, sized(bytes)));
  }
  void passive_data(const Bytes& bytes) { data_.push_back(code(Bytes{1}, sized(bytes))); }

  Bytes bytes() const {
    Bytes all = {0x00, 'a', 's', 'm', 0x01, 0x00, 0x00, 0x00};
    section(&all, SectionId::Type, types_);
    section(&all, SectionId::Import, imports_);
    section(&all, SectionId::Function, functions_);
    section(&all, SectionId::Table, tables_);
    section(&all, SectionId::Memory, memories_);
    section(&all, SectionId::Global, globals_);
    section(&all, SectionId::Export, exports_);
    if (!start_.empty()) append(&all, code(Bytes{8}, sized(start_)));
    section(&all, SectionId::Element, elements_);
    if (!data_.empty()) append(&all, code(Bytes{12}, sized(unsigned_leb(data_.size()))));
    section(&all, SectionId::Code, bodies_);
    section(&all, SectionId::Data, data_);
    return all;
  }

 private:
  static Bytes sized(const Bytes& contents) {
    Bytes bytes = unsigned_leb(contents.size());
    append(&bytes, contents);
    return bytes;
  }
  static Bytes letters(std::string_view types) {
    Bytes bytes = unsigned_leb(types.size());
    for (const char letter : types) bytes.push_back(type_byte(letter));
    return bytes;
  }
  static Bytes list(const std::vector<uint32_t>& numbers) {
    Bytes bytes = unsigned_leb(numbers.size());
    for (const uint32_t number : numbers) append(&bytes, unsigned_leb(number));
    return bytes;
  }
  static Bytes limits(uint32_t minimum, std::optional<uint32_t> maximum) {
    Bytes bytes = {maximum.has_value()};
    append(&bytes, unsigned_leb(minimum));
    if (maximum) append(&bytes, unsigned_leb(*maximum));
    return bytes;
  }
  static Bytes text(std::string_view text) { return sized(Bytes(text.begin(), text.end())); }
  static void section(Bytes* all, SectionId id, const std::vector<Bytes>& items) {
    if (items.empty()) return;
    Bytes contents = unsigned_leb(items.size());
    for (const Bytes& item : items) append(&contents, item);
    append(all, code(Bytes{static_cast<uint8_t>(id)}, sized(contents)));
  }
  uint32_t named(std::string_view name, uint8_t kind, uint32_t index) {
    if (!name.empty()) exports_.push_back(code(text(name), Bytes{kind}, unsigned_leb(index)));
    return index;
  }
  uint32_t import(std::string_view name, uint8_t kind, const Bytes& type, uint32_t* count) {
    imports_.push_back(code(text("host"), text(name), Bytes{kind}, type));
    return (*count)++;
  }

  std::vector<Bytes> types_, imports_, functions_, tables_, memories_, globals_, exports_,
      elements_, bodies_, data_;
  Bytes start_;
  uint32_t functions_count_ = 0, tables_count_ = 0, memories_count_ = 0, globals_count_ = 0;
};

// --- Running -------------------------------------------------------------------------------------

// Null, and a failure of the running test, if the module is refused.
inline std::shared_ptr<const Code> load(const ModuleBuilder& module,
                                        TranslateOptions options = {}) {
  auto decoded = decode(module.bytes());
  if (!decoded.ok()) {
    ADD_FAILURE() << describe(decoded.error());
    return nullptr;
  }
  auto validated = validate(std::move(decoded.value()));
  if (!validated.ok()) {
    ADD_FAILURE() << describe(validated.error());
    return nullptr;
  }
  auto translated = translate(std::move(validated.value()), options);
  if (!translated.ok()) {
    ADD_FAILURE() << describe(translated.error());
    return nullptr;
  }
  return translated.value();
}

inline Value i32_value(uint32_t bits) {
  return Value::from_i32(bits);
}
inline Value i64_value(uint64_t bits) {
  return Value::from_i64(bits);
}
inline Value f32_value(float number) {
  return Value::from_f32(number);
}
inline Value f64_value(double number) {
  return Value::from_f64(number);
}
using Values = std::vector<Value>;

struct Outcome {
  Trap trap = Trap::None;
  Values results;  // empty after a trap
  bool operator==(const Outcome&) const = default;
};
inline Outcome returned(Values results) {
  return {Trap::None, std::move(results)};
}
inline Outcome trapped(Trap trap) {
  return {trap, {}};
}
inline void PrintTo(const Outcome& outcome, std::ostream* out) {
  if (outcome.trap != Trap::None) *out << "trap: " << trap_text(outcome.trap);
  for (const Value& value : outcome.results) {
    *out << std::hex << "0x" << value.low << ":0x" << value.high << std::dec << ' ';
  }
}

inline Outcome invoke_function(Budget& budget, FunctionInstance* function,
                               const Values& arguments) {
  Outcome outcome;
  if (function == nullptr) {
    ADD_FAILURE() << "no such function";
    return outcome;
  }
  outcome.results.resize(function->type->results.size());
  outcome.trap = invoke(budget, *function, arguments, outcome.results);
  if (outcome.trap != Trap::None) outcome.results.clear();
  return outcome;
}

// A store, a budget, and the instances made in them.
struct World {
  World() = default;
  explicit World(const BudgetLimits& limits, TranslateOptions translate_options = {})
      : options(translate_options), budget(limits) {}

  Result<Instance*, InstantiationError> try_add(const ModuleBuilder& module,
                                                const std::vector<Extern>& imports = {}) {
    auto loaded = load(module, options);
    if (loaded == nullptr) return InstantiationError{};
    return instantiate(store, std::move(loaded), imports, budget);
  }
  Instance* add(const ModuleBuilder& module, const std::vector<Extern>& imports = {}) {
    auto result = try_add(module, imports);
    if (result.ok()) return result.value();
    ADD_FAILURE() << result.error().message;
    return nullptr;
  }
  Outcome call(const Instance* instance, std::string_view name, const Values& arguments = {}) {
    if (instance == nullptr) return trapped(Trap::HostFunctionFailed);
    return invoke_function(budget, instance->exported_function(name), arguments);
  }

  TranslateOptions options;
  Store store;
  Budget budget;
};

// A World of one instance without imports.
struct Guest : World {
  explicit Guest(const ModuleBuilder& module, const BudgetLimits& limits = {},
                 TranslateOptions translate_options = {})
      : World(limits, translate_options), instance(add(module)) {}
  Outcome call(std::string_view name, const Values& arguments = {}) {
    return World::call(instance, name, arguments);
  }
  Instance* instance;
};

// One exported function "f" and a memory of `pages`, run once.
inline Outcome run(std::string_view signature, const Bytes& body, const Values& arguments = {},
                   std::string_view locals = "", uint32_t pages = 1) {
  ModuleBuilder module;
  module.memory(pages);
  module.function("f", signature, body, locals);
  return Guest(module).call("f", arguments);
}

// --- Shapes --------------------------------------------------------------------------------------

// How a body is built into its function: as it is, with fuel, several rounds in a loop (so that
// locals live in registers), behind so many locals or operands that slots are far from the frame's
// base. The result must always be the same.
struct Shape {
  const char* name;
  uint32_t locals;    // i64 locals in front of the body's own
  uint32_t operands;  // i64 operands below the body's own
  uint32_t rounds;    // how often the body runs; the last result counts
  bool fuel;
};
inline constexpr Shape kShapes[] = {
    {"as it is", 0, 0, 1, false},
    {"with fuel", 0, 0, 1, true},
    {"in a loop", 0, 0, 3, false},
    {"in a loop with fuel", 0, 0, 3, true},
    {"above operands", 0, 3, 3, false},
    {"locals at the end of near slots", 2'490, 0, 2, false},
    {"locals just beyond it", 2'502, 0, 2, false},
    {"operands at the end of near slots", 0, 2'490, 2, false},
    {"operands just beyond it", 0, 2'502, 2, false},
    {"both at the end of near slots", 1'245, 1'245, 2, false},
    {"far locals", 4'200, 0, 2, false},
    {"far operands", 0, 4'200, 2, false},
    {"all far", 4'200, 4'200, 2, false},
};

// Makes a body given the index of its first own local.
using MakeBody = std::function<Bytes(uint32_t)>;

// Adds what the body needs beside itself: functions, tables, types. Function 0 is the body's own.
using Prepare = std::function<void(ModuleBuilder*)>;

struct Body {
  std::string signature;
  std::string locals;
  MakeBody make;
  Prepare prepare = [](ModuleBuilder*) {};
  uint32_t pages = 1;
};

// The body must not depend on what an earlier round left behind.
inline ModuleBuilder module_in_shape(const Body& body, const Shape& shape) {
  const FuncType type = func_type(body.signature);
  const auto parameters = static_cast<uint32_t>(type.parameters.size());
  const uint32_t own = parameters + shape.locals;
  const auto own_count = static_cast<uint32_t>(body.locals.size());
  std::vector<LocalGroup> groups;
  if (shape.locals > 0) groups.push_back({shape.locals, ValueType::I64});
  for (const char letter : body.locals) groups.push_back({1, type_of(letter)});
  const uint32_t counter = own + own_count;
  groups.push_back({1, ValueType::I32});
  for (const ValueType result : type.results) groups.push_back({1, result});

  Bytes save, restore;
  for (auto i = static_cast<uint32_t>(type.results.size()); i > 0; i--)
    append(&save, set(counter + i));
  for (uint32_t i = 1; i <= type.results.size(); i++) append(&restore, get(counter + i));
  Bytes round = code(repeated(shape.operands, i64(0x5555'5555'5555'5555)), body.make(own), save,
                     repeated(shape.operands, code(Opcode::Drop)));
  if (shape.rounds > 1) {
    round = loop(code(round, get(counter), i32(1), Opcode::I32Add, tee(counter), i32(shape.rounds),
                      Opcode::I32LtU, br_if(0)));
  }
  ModuleBuilder module;
  module.memory(body.pages);
  module.function_with_groups("f", module.type(body.signature), code(round, restore), groups);
  body.prepare(&module);
  return module;
}

inline Outcome run_in_shape(const Body& body, const Shape& shape, const Values& arguments) {
  BudgetLimits limits;
  limits.fuel = 1'000'000'000;
  Guest guest(module_in_shape(body, shape), limits, TranslateOptions{.fuel = shape.fuel});
  return guest.call("f", arguments);
}

inline void expect_everywhere(const Body& body, const Values& arguments, const Outcome& expected) {
  for (const Shape& shape : kShapes) {
    EXPECT_EQ(run_in_shape(body, shape, arguments), expected) << shape.name;
  }
}
// For bodies that use no locals of their own.
inline void expect_everywhere(const std::string& signature, const Bytes& body,
                              const Values& arguments, const Outcome& expected) {
  expect_everywhere(Body{signature, "", [&body](uint32_t) { return body; }}, arguments, expected);
}

}  // namespace qip::vm_test
