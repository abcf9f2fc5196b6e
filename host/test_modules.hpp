// ModuleBuilder: tiny WebAssembly modules, byte by byte, for tests.
//
// Promises: sections in the order of the specification; indices in the order of the calls. Nothing
// is checked: a test may build what is wrong.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace qip::test {

using Bytes = std::vector<uint8_t>;

inline constexpr uint8_t kI32 = 0x7F;
inline constexpr uint8_t kI64 = 0x7E;
inline constexpr uint8_t kF32 = 0x7D;

inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline Bytes unsigned_leb(uint64_t value) {
  Bytes bytes;
  do {
    const uint8_t low = value & 0x7F;
    value >>= 7;
    bytes.push_back(value != 0 ? low | 0x80 : low);
  } while (value != 0);
  return bytes;
}
inline Bytes signed_leb(int64_t value) {
  Bytes bytes;
  for (;;) {
    const uint8_t low = value & 0x7F;
    value >>= 7;
    const bool last = (value == 0 && (low & 0x40) == 0) || (value == -1 && (low & 0x40) != 0);
    bytes.push_back(last ? low : low | 0x80);
    if (last) return bytes;
  }
}
inline Bytes name_bytes(std::string_view name) {
  return unsigned_leb(name.size()) + Bytes(name.begin(), name.end());
}

// Instructions, named as in the text format.
inline Bytes i32_const(uint32_t bits) {
  return Bytes{0x41} + signed_leb(static_cast<int32_t>(bits));
}
inline Bytes i64_const(uint64_t bits) {
  return Bytes{0x42} + signed_leb(static_cast<int64_t>(bits));
}
inline Bytes f32_zero() {
  return {0x43, 0, 0, 0, 0};
}
inline Bytes local_get(uint32_t index) {
  return Bytes{0x20} + unsigned_leb(index);
}
inline Bytes global_get(uint32_t index) {
  return Bytes{0x23} + unsigned_leb(index);
}
inline Bytes global_set(uint32_t index) {
  return Bytes{0x24} + unsigned_leb(index);
}
inline Bytes call(uint32_t index) {
  return Bytes{0x10} + unsigned_leb(index);
}
inline Bytes unreachable() {
  return {0x00};
}
inline Bytes loop_forever() {
  return {0x03, 0x40, 0x0C, 0x00, 0x0B};
}
inline Bytes i32_add() {
  return {0x6A};
}
inline Bytes i32_store8() {
  return {0x3A, 0x00, 0x00};
}
inline Bytes i32_load8_u() {
  return {0x2D, 0x00, 0x00};
}
inline Bytes memory_grow() {
  return {0x40, 0x00};
}
inline Bytes memory_size() {
  return {0x3F, 0x00};
}
inline Bytes memory_copy() {
  return {0xFC, 0x0A, 0x00, 0x00};
}
inline Bytes drop() {
  return {0x1A};
}

class ModuleBuilder {
 public:
  ModuleBuilder& memory(uint32_t minimum, std::string_view name = "memory") {
    memories_ = Bytes{0x00} + unsigned_leb(minimum);
    if (!name.empty()) add_export(name, 2, 0);
    return *this;
  }
  ModuleBuilder& memory_with_maximum(uint32_t minimum, uint32_t maximum) {
    memories_ = Bytes{0x01} + unsigned_leb(minimum) + unsigned_leb(maximum);
    add_export("memory", 2, 0);
    return *this;
  }
  // A function type `parameters -> results`; `body` without its final `end`.
  ModuleBuilder& function(std::string_view name, const Bytes& parameters, const Bytes& results,
                          const Bytes& body) {
    const uint32_t index = add_type(parameters, results);
    functions_.push_back(unsigned_leb(index));
    const Bytes code = Bytes{0x00} + body + Bytes{0x0B};
    codes_.push_back(unsigned_leb(code.size()) + code);
    if (!name.empty()) add_export(name, 0, import_count_ + functions_.size() - 1);
    return *this;
  }
  ModuleBuilder& global(std::string_view name, uint8_t type, bool is_mutable,
                        const Bytes& initializer) {
    globals_.push_back(Bytes{type, is_mutable} + initializer + Bytes{0x0B});
    if (!name.empty()) add_export(name, 3, globals_.size() - 1);
    return *this;
  }
  ModuleBuilder& import_function(std::string_view module, std::string_view name,
                                 const Bytes& parameters = {}, const Bytes& results = {}) {
    const uint32_t index = add_type(parameters, results);
    imports_.push_back(name_bytes(module) + name_bytes(name) + Bytes{0x00} + unsigned_leb(index));
    import_count_++;
    return *this;
  }
  ModuleBuilder& import_global(std::string_view module, std::string_view name) {
    imports_.push_back(name_bytes(module) + name_bytes(name) + Bytes{0x03, kI32, 0x00});
    return *this;
  }
  ModuleBuilder& import_memory(std::string_view module, std::string_view name, uint32_t minimum) {
    imports_.push_back(name_bytes(module) + name_bytes(name) + Bytes{0x02, 0x00} +
                       unsigned_leb(minimum));
    return *this;
  }
  ModuleBuilder& start(uint32_t index) {
    start_ = unsigned_leb(index);
    return *this;
  }
  ModuleBuilder& data(uint32_t address, std::string_view text) {
    data_.push_back(Bytes{0x00} + i32_const(address) + Bytes{0x0B} + name_bytes(text));
    return *this;
  }
  ModuleBuilder& function_name(uint32_t index, std::string_view name) {
    names_.push_back(unsigned_leb(index) + name_bytes(name));
    return *this;
  }
  // A value export as a function or a global.
  ModuleBuilder& value(std::string_view name, uint32_t number) {
    return function(name, {}, {kI32}, i32_const(number));
  }

  Bytes bytes() const {
    Bytes all = {0x00, 'a', 's', 'm', 0x01, 0x00, 0x00, 0x00};
    append_list(all, 1, types_);
    append_list(all, 2, imports_);
    append_list(all, 3, functions_);
    if (!memories_.empty()) append_list(all, 5, {memories_});
    append_list(all, 6, globals_);
    append_list(all, 7, exports_);
    if (!start_.empty()) append_section(all, 8, start_);
    append_list(all, 10, codes_);
    append_list(all, 11, data_);
    if (!names_.empty()) {
      Bytes list = unsigned_leb(names_.size());
      for (const Bytes& name : names_) list = list + name;
      append_section(all, 0, name_bytes("name") + Bytes{0x01} + unsigned_leb(list.size()) + list);
    }
    return all;
  }

 private:
  uint32_t add_type(const Bytes& parameters, const Bytes& results) {
    types_.push_back(Bytes{0x60} + unsigned_leb(parameters.size()) + parameters +
                     unsigned_leb(results.size()) + results);
    return static_cast<uint32_t>(types_.size() - 1);
  }
  void add_export(std::string_view name, uint8_t kind, uint64_t index) {
    exports_.push_back(name_bytes(name) + Bytes{kind} + unsigned_leb(index));
  }
  static void append_section(Bytes& all, uint8_t id, const Bytes& contents) {
    all = all + Bytes{id} + unsigned_leb(contents.size()) + contents;
  }
  static void append_list(Bytes& all, uint8_t id, const std::vector<Bytes>& items) {
    if (items.empty()) return;
    Bytes contents = unsigned_leb(items.size());
    for (const Bytes& item : items) contents = contents + item;
    append_section(all, id, contents);
  }

  std::vector<Bytes> types_, imports_, functions_, globals_, exports_, codes_, data_, names_;
  Bytes memories_, start_;
  uint64_t import_count_ = 0;
};

}  // namespace qip::test
