// The translator's compact linear IR: one record of 36 bytes per operation, in program order.
//
// Promises: no pointers, no nesting; every pass is a walk over one array. A Temp is named by the
// operation that defines it and has exactly one use (it came off an operand stack); values that
// several paths define live in a Slot. Locals are named by their index.
// Bounds: at most 2^26 operations and slots per function (kMaxFunctionBytes is far below).
#pragma once

#include <cstdint>
#include <vector>

#include "loader/module.hpp"
#include "vm/code.hpp"
#include "vm/code_ops.hpp"

namespace qip {

enum class OperandKind : uint8_t { None, Local, Temp, Slot, Constant };

// What matters of a type when values are moved.
enum class SlotType : uint8_t { I32, I64, F32, F64, V128 };  // references are I64
constexpr SlotType slot_type(ValueType type) {
  switch (type) {
    case ValueType::I32:
      return SlotType::I32;
    case ValueType::F32:
      return SlotType::F32;
    case ValueType::F64:
      return SlotType::F64;
    case ValueType::V128:
      return SlotType::V128;
    default:
      return SlotType::I64;
  }
}
// In the float and vector registers, not the integer ones.
constexpr bool in_float_file(SlotType type) {
  return type >= SlotType::F32;
}
constexpr uint32_t slots_of(SlotType type) {
  return type == SlotType::V128 ? 2 : 1;
}

struct Operand {
  uint32_t bits = 0;

  constexpr Operand() = default;
  constexpr Operand(OperandKind kind, SlotType type, uint32_t index)
      : bits(static_cast<uint32_t>(kind) << 29 | static_cast<uint32_t>(type) << 26 | index) {}
  constexpr OperandKind kind() const { return static_cast<OperandKind>(bits >> 29); }
  constexpr SlotType type() const { return static_cast<SlotType>(bits >> 26 & 7); }
  // Local: the local. Temp: as a source the defining operation, as a destination the slot.
  // Slot: the slot. Constant: the first word in FunctionIr::constants.
  constexpr uint32_t index() const { return bits & 0x3FFFFFF; }
  constexpr bool is(OperandKind wanted) const { return kind() == wanted; }
  constexpr bool is_local(uint32_t local) const {
    return kind() == OperandKind::Local && index() == local;
  }
  constexpr bool operator==(const Operand&) const = default;
};

// Operations that only the IR has.
inline constexpr CodeOp kLabel = CodeOp::kCount;  // label: branch target
inline constexpr CodeOp kLoopHead = static_cast<CodeOp>(static_cast<int>(CodeOp::kCount) + 1);
inline constexpr CodeOp kCallDirect = static_cast<CodeOp>(static_cast<int>(CodeOp::kCount) + 2);

enum OperationFlag : uint8_t {
  kDead = 1,    // fused into another operation
  kPinned = 2,  // the result must be in its slot, whoever else reads it
  kInAcc = 4,   // the result goes to the accumulator (register pass)
  kUnused = 8,  // a call whose result is dropped
};

struct Operation {
  CodeOp op = CodeOp::kCount;
  uint8_t depth = 0;  // loops around it
  uint8_t flags = 0;
  Operand d, a, b, c;
  uint32_t offset = 0;     // static offset of a memory access; argument slot of a call
  uint32_t immediate = 0;  // second constant (pairs, load-op, modify), lane, function index, ...
  uint32_t extra = 0;      // shift, stored constant, second immediate, ...
  uint32_t label = 0;      // branch target; first entry in FunctionIr::tables
  bool dead() const { return (flags & kDead) != 0; }
};

struct LabelInfo {
  bool is_loop = false;
  bool plain_loop = false;  // innermost and without calls: may use the loop register
  uint32_t uses = 0;
};

struct FunctionIr {
  std::vector<Operation> operations;
  std::vector<uint32_t> byte_offsets;  // per operation, only if asked for
  std::vector<uint64_t> constants;
  std::vector<LabelInfo> labels;
  std::vector<uint32_t> tables;      // labels of branch tables: a count, then the labels
  std::vector<SlotType> locals;      // parameters first
  std::vector<int32_t> local_slots;  // parameter: slot below the frame; other: slot among locals
  uint32_t parameter_count = 0;
  uint32_t local_slot_count = 0;  // without parameters
  uint32_t argument_slots = 0;    // how far below sp the frame begins
  uint32_t max_operand_slots = 0;

  uint64_t constant(Operand operand) const { return constants[operand.index()]; }
};

// Pass 1 (vm/ir_builder.cpp): wasm to IR with locals and constants folded into operands, compare
// and branch, address arithmetic and arithmetic pairs fused.
void build_ir(const Module& module, const FunctionBody& body, const TranslateOptions& options,
              bool with_byte_offsets, FunctionIr* ir);
// Pass 2 (vm/ir_pairs.cpp): fuses neighbours: increment and branch, move and jump, ...
void fuse_neighbours(FunctionIr* ir);

}  // namespace qip
