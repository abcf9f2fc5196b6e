// Modules for the export matrix, written byte by byte: one name exported in every right and wrong
// way, everything else as it should be.
//
// Promises: every module is valid WebAssembly; sections in the order of the specification.
// Bounded: a module has at most a few dozen exports and one page of memory.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "spec-tests/wasm_bytes.hpp"

namespace qip {

enum class Style : uint8_t { Function, ImmutableGlobal, MutableGlobal };
inline constexpr Style kStyles[] = {Style::Function, Style::ImmutableGlobal, Style::MutableGlobal};

inline const char* style_text(Style style) {
  switch (style) {
    case Style::Function:
      return "function";
    case Style::ImmutableGlobal:
      return "global";
    case Style::MutableGlobal:
      return "mutable global";
  }
  return "";
}

// What is wrong with the way in which a name is exported.
enum class Fault : uint8_t {
  None,     // a number, right or wrong
  Missing,  // not exported
  Memory,   // exported, as the memory
  Table,    // exported, as a table
  I64,      // of another type
  F32,
  F64,
  V128,
  FuncRef,
  ExternRef,
  Parameter,   // a function that wants one
  NoResult,    // a function that gives none
  TwoResults,  // a function that gives two
  Trap,        // a function that traps
};

inline const char* fault_text(Fault fault) {
  static const char* const texts[] = {
      "none", "missing", "memory",    "table",       "i64",       "f32",         "f64",
      "v128", "funcref", "externref", "a parameter", "no result", "two results", "trap"};
  return texts[static_cast<size_t>(fault)];
}

// The ways to be no value export at all, of another type, and no () -> (i32) function.
inline constexpr Fault kAbsences[] = {Fault::Missing, Fault::Memory, Fault::Table};
inline constexpr Fault kWrongTypes[] = {Fault::I64,  Fault::F32,     Fault::F64,
                                        Fault::V128, Fault::FuncRef, Fault::ExternRef};
inline constexpr Fault kWrongFunctions[] = {Fault::Parameter, Fault::NoResult, Fault::TwoResults,
                                            Fault::Trap};

inline constexpr uint8_t kTypeI32 = 0x7F, kTypeI64 = 0x7E, kTypeF32 = 0x7D;
using Types = std::initializer_list<uint8_t>;

// One page of memory and a table of one element, exported only where a fault asks for it.
class MatrixModule {
 public:
  MatrixModule& data(uint32_t address, std::string_view text) {
    data_.byte(0).append(constant(kTypeI32, address)).byte(0x0B).name(text);
    data_count_++;
    return *this;
  }
  MatrixModule& export_memory(std::string_view name) { return add_export(name, 2, 0); }
  // `body` without local groups and the final `end`.
  MatrixModule& function(std::string_view name, Types parameters, Types results,
                         const WasmBytes& body) {
    types_.byte(0x60).unsigned_leb(parameters.size()).raw(parameters);
    types_.unsigned_leb(results.size()).raw(results);
    codes_.sized(WasmBytes().byte(0).append(body).byte(0x0B));
    return add_export(name, 0, function_count_++);
  }
  // A value export, right or with a fault.
  MatrixModule& value(std::string_view name, Style style, uint32_t number,
                      Fault fault = Fault::None) {
    switch (fault) {
      case Fault::Missing:
        return *this;
      case Fault::Memory:
        return export_memory(name);
      case Fault::Table:
        return add_export(name, 1, 0);
      case Fault::Parameter:
        return function(name, {kTypeI32}, {kTypeI32}, constant(kTypeI32, number));
      case Fault::NoResult:
        return function(name, {}, {}, WasmBytes());
      case Fault::TwoResults:
        return function(
            name, {}, {kTypeI32, kTypeI32},
            WasmBytes().append(constant(kTypeI32, number)).append(constant(kTypeI32, number)));
      case Fault::Trap:
        return function(name, {}, {kTypeI32}, WasmBytes().byte(0x00));
      default:
        return value_of_type(name, style, type_of(fault), number);
    }
  }

  std::string bytes() const {
    WasmModuleBytes all;
    WasmBytes functions;
    functions.unsigned_leb(function_count_);
    for (uint32_t i = 0; i < function_count_; i++) functions.unsigned_leb(i);
    all.section(kTypeSection, WasmBytes().unsigned_leb(function_count_).append(types_));
    all.section(kFunctionSection, functions);
    all.section(kTableSection, WasmBytes().raw({1, 0x70, 0, 1}));
    all.section(kMemorySection, WasmBytes().raw({1, 1, 1, 1}));
    all.section(kGlobalSection, WasmBytes().unsigned_leb(global_count_).append(globals_));
    all.section(kExportSection, WasmBytes().unsigned_leb(export_count_).append(exports_));
    all.section(kCodeSection, WasmBytes().unsigned_leb(function_count_).append(codes_));
    all.section(kDataSection, WasmBytes().unsigned_leb(data_count_).append(data_));
    return {all.bytes().begin(), all.bytes().end()};
  }

 private:
  static uint8_t type_of(Fault fault) {
    switch (fault) {
      case Fault::I64:
        return kTypeI64;
      case Fault::F32:
        return kTypeF32;
      case Fault::F64:
        return 0x7C;
      case Fault::V128:
        return 0x7B;
      case Fault::FuncRef:
        return 0x70;
      case Fault::ExternRef:
        return 0x6F;
      default:
        return kTypeI32;
    }
  }
  // A constant instruction; a number only for i32 and i64, else zero or null.
  static WasmBytes constant(uint8_t type, uint32_t number) {
    WasmBytes out;
    switch (type) {
      case kTypeI32:
        return out.byte(0x41).signed_leb(static_cast<int32_t>(number));
      case kTypeI64:
        return out.byte(0x42).signed_leb(number);
      case kTypeF32:
        return out.byte(0x43).repeat(4, {0});
      case 0x7C:
        return out.byte(0x44).repeat(8, {0});
      case 0x7B:
        return out.raw({0xFD, 0x0C}).repeat(16, {0});
      default:
        return out.byte(0xD0).byte(type);
    }
  }
  MatrixModule& value_of_type(std::string_view name, Style style, uint8_t type, uint32_t number) {
    if (style == Style::Function) return function(name, {}, {type}, constant(type, number));
    globals_.byte(type).byte(style == Style::MutableGlobal ? 1 : 0);
    globals_.append(constant(type, number)).byte(0x0B);
    return add_export(name, 3, global_count_++);
  }
  MatrixModule& add_export(std::string_view name, uint8_t kind, uint32_t index) {
    exports_.name(name).byte(kind).unsigned_leb(index);
    export_count_++;
    return *this;
  }

  WasmBytes types_, globals_, exports_, codes_, data_;
  uint32_t function_count_ = 0, global_count_ = 0, export_count_ = 0, data_count_ = 0;
};

}  // namespace qip
