// Pattern tables of the translator: which opcodes and operations belong together. Each table is
// expanded from its family in code_ops.def, so an operation added there is found here.
//
// kLabel stands for "there is no such operation", kNoOpcode for "no such opcode".
#pragma once

#include "vm/ir.hpp"

namespace qip {

inline bool is_commutative(Opcode opcode) {
  switch (opcode) {
    case Opcode::I32Add:
    case Opcode::I32Mul:
    case Opcode::I32And:
    case Opcode::I32Or:
    case Opcode::I32Xor:
    case Opcode::I32Eq:
    case Opcode::I32Ne:
    case Opcode::I64Add:
    case Opcode::I64Mul:
    case Opcode::I64And:
    case Opcode::I64Or:
    case Opcode::I64Xor:
    case Opcode::I64Eq:
    case Opcode::I64Ne:
    case Opcode::F32Add:
    case Opcode::F32Mul:
    case Opcode::F32Eq:
    case Opcode::F32Ne:
    case Opcode::F64Add:
    case Opcode::F64Mul:
    case Opcode::F64Eq:
    case Opcode::F64Ne:
      return true;
    default:
      return false;
  }
}

// a < b is b > a. kNoOpcode for what is no ordering.
inline Opcode mirrored(Opcode opcode) {
  switch (opcode) {
#define MIRROR(less, greater) \
  case Opcode::less:          \
    return Opcode::greater;   \
  case Opcode::greater:       \
    return Opcode::less;
    MIRROR(I32LtS, I32GtS)
    MIRROR(I32LtU, I32GtU)
    MIRROR(I32LeS, I32GeS)
    MIRROR(I32LeU, I32GeU)
    MIRROR(I64LtS, I64GtS)
    MIRROR(I64LtU, I64GtU)
    MIRROR(I64LeS, I64GeS)
    MIRROR(I64LeU, I64GeU)
    MIRROR(F32Lt, F32Gt)
    MIRROR(F32Le, F32Ge)
    MIRROR(F64Lt, F64Gt)
    MIRROR(F64Le, F64Ge)
#undef MIRROR
    default:
      return kNoOpcode;
  }
}

// The opposite of an integer comparison; kNoOpcode for everything else (NaN!).
inline Opcode opposite(Opcode opcode) {
  switch (opcode) {
#define OPPOSITE(one, other) \
  case Opcode::one:          \
    return Opcode::other;    \
  case Opcode::other:        \
    return Opcode::one;
    OPPOSITE(I32Eq, I32Ne)
    OPPOSITE(I32LtS, I32GeS)
    OPPOSITE(I32LtU, I32GeU)
    OPPOSITE(I32GtS, I32LeS)
    OPPOSITE(I32GtU, I32LeU)
    OPPOSITE(I64Eq, I64Ne)
    OPPOSITE(I64LtS, I64GeS)
    OPPOSITE(I64LtU, I64GeU)
    OPPOSITE(I64GtS, I64LeS)
    OPPOSITE(I64GtU, I64LeU)
#undef OPPOSITE
    default:
      return kNoOpcode;
  }
}

// The pattern tables, each expanded from its family in code_ops.def. kLabel: no such operation.
#define CODE_OP(...)

constexpr uint32_t pair_key(Opcode first, Opcode second) {
  return static_cast<uint32_t>(first) << 16 | static_cast<uint32_t>(second);
}

inline CodeOp branch_on_compare(Opcode compare) {
  switch (compare) {
#define COMPARE_BRANCH(name, ...) \
  case Opcode::name:              \
    return CodeOp::BranchIf##name;
#define FLOAT_COMPARE_BRANCH(name, ...) \
  case Opcode::name:                    \
    return CodeOp::BranchIf##name;
#include "vm/code_ops.def"
    default:
      return kLabel;
  }
}
inline CodeOp branch_on_not_compare(Opcode compare) {
  switch (compare) {
#define FLOAT_COMPARE_BRANCH(name, ...) \
  case Opcode::name:                    \
    return CodeOp::BranchIfNot##name;
#include "vm/code_ops.def"
    default:
      return kLabel;
  }
}

inline CodeOp pair_immediate(Opcode first, Opcode second, bool reverse) {
  switch (pair_key(first, second) | (reverse ? 1u << 31 : 0u)) {
#define PAIR_IMMEDIATE(one, two, ...)      \
  case pair_key(Opcode::one, Opcode::two): \
    return CodeOp::one##Immediate##two;
#define PAIR_IMMEDIATE_REVERSE(one, two, ...)         \
  case pair_key(Opcode::one, Opcode::two) | 1u << 31: \
    return CodeOp::one##Immediate##two##Reverse;
#include "vm/code_ops.def"
    default:
      return kLabel;
  }
}

inline CodeOp pair_then_immediate(Opcode first, Opcode second) {
  switch (pair_key(first, second)) {
#define PAIR_THEN_IMMEDIATE(one, two, ...) \
  case pair_key(Opcode::one, Opcode::two): \
    return CodeOp::one##two##Immediate;
#include "vm/code_ops.def"
    default:
      return kLabel;
  }
}

inline CodeOp triple(Opcode first, Opcode second, bool reverse) {
  switch (pair_key(first, second) | (reverse ? 1u << 31 : 0u)) {
#define TRIPLE(one, two, ...)              \
  case pair_key(Opcode::one, Opcode::two): \
    return CodeOp::one##two##Triple;
#define TRIPLE_REVERSE(one, two, ...)                 \
  case pair_key(Opcode::one, Opcode::two) | 1u << 31: \
    return CodeOp::one##two##TripleReverse;
#include "vm/code_ops.def"
    default:
      return kLabel;
  }
}

inline CodeOp load_op(CodeOp load, Opcode op, bool reverse) {
  switch (static_cast<uint32_t>(load) << 16 | static_cast<uint32_t>(op) |
          (reverse ? 1u << 31 : 0u)) {
#define LOAD_OP(load_name, op_name, ...)                    \
  case static_cast<uint32_t>(CodeOp::load_name##At) << 16 | \
      static_cast<uint32_t>(Opcode::op_name):               \
    return CodeOp::load_name##Then##op_name;
#define LOAD_OP_REVERSE(load_name, op_name, ...)            \
  case static_cast<uint32_t>(CodeOp::load_name##At) << 16 | \
      static_cast<uint32_t>(Opcode::op_name) | 1u << 31:    \
    return CodeOp::load_name##Then##op_name##Reverse;
#include "vm/code_ops.def"
    default:
      return kLabel;
  }
}

// The load of a load-op, if `store` stores what it loads and there is a Modify of both.
struct ModifyPattern {
  CodeOp modify;
  CodeOp load;     // ...At
  CodeOp indexed;  // ...Indexed
};
inline ModifyPattern modify_pattern(Opcode store, Opcode op, CodeOp load) {
#define MODIFY(load_name, store_name, op_name, ...)                            \
  if (store == Opcode::store_name && op == Opcode::op_name &&                  \
      (load == CodeOp::load_name##At || load == CodeOp::load_name##Indexed)) { \
    return {CodeOp::load_name##Modify##op_name, CodeOp::load_name##At,         \
            CodeOp::load_name##Indexed};                                       \
  }
#include "vm/code_ops.def"
  return {kLabel, kLabel, kLabel};
}
// The load and the operation that a load-op was made of.
inline bool load_op_parts(CodeOp fused, CodeOp* load, Opcode* op, bool* reverse) {
  switch (fused) {
#define LOAD_OP(load_name, op_name, ...) \
  case CodeOp::load_name##Then##op_name: \
    *load = CodeOp::load_name##At;       \
    *op = Opcode::op_name;               \
    *reverse = false;                    \
    return true;
#define LOAD_OP_REVERSE(load_name, op_name, ...)  \
  case CodeOp::load_name##Then##op_name##Reverse: \
    *load = CodeOp::load_name##At;                \
    *op = Opcode::op_name;                        \
    *reverse = true;                              \
    return true;
#include "vm/code_ops.def"
    default:
      return false;
  }
}

struct AddressForms {
  CodeOp plain = kLabel, indexed = kLabel, scaled = kLabel, table = kLabel;
};
inline AddressForms address_forms(Opcode opcode) {
  AddressForms forms;
#define LOAD(name, ...) \
  if (opcode == Opcode::name) forms.plain = CodeOp::name##At;
#define LOAD_INDEXED(name, ...) \
  if (opcode == Opcode::name) forms.indexed = CodeOp::name##Indexed;
#define LOAD_SCALED(name, ...) \
  if (opcode == Opcode::name) forms.scaled = CodeOp::name##Scaled;
#define LOAD_TABLE(name) \
  if (opcode == Opcode::name) forms.table = CodeOp::name##Table;
#define STORE(name, ...) \
  if (opcode == Opcode::name) forms.plain = CodeOp::name##At;
#define STORE_INDEXED(name, ...) \
  if (opcode == Opcode::name) forms.indexed = CodeOp::name##Indexed;
#define STORE_SCALED(name, ...) \
  if (opcode == Opcode::name) forms.scaled = CodeOp::name##Scaled;
#include "vm/code_ops.def"
  return forms;
}

#undef CODE_OP

inline bool is_load(CodeOp op) {
  if (op >= CodeOp::kCount) return false;
  switch (code_op_info(op).form) {
    case Form::Load:
    case Form::LoadIndexed:
    case Form::LoadScaled:
    case Form::LoadTable:
    case Form::LoadOp:
      return true;
    default:
      return false;
  }
}

// Division, remainder and the checked conversions.
inline bool may_trap(Opcode opcode) {
  switch (opcode) {
    case Opcode::I32DivS:
    case Opcode::I32DivU:
    case Opcode::I32RemS:
    case Opcode::I32RemU:
    case Opcode::I64DivS:
    case Opcode::I64DivU:
    case Opcode::I64RemS:
    case Opcode::I64RemU:
    case Opcode::I32TruncF32S:
    case Opcode::I32TruncF32U:
    case Opcode::I32TruncF64S:
    case Opcode::I32TruncF64U:
    case Opcode::I64TruncF32S:
    case Opcode::I64TruncF32U:
    case Opcode::I64TruncF64S:
    case Opcode::I64TruncF64U:
      return true;
    default:
      return false;
  }
}

inline SlotType slot_type_of(char letter) {
  switch (letter) {
    case 'i':
      return SlotType::I32;
    case 'l':
      return SlotType::I64;
    case 'f':
      return SlotType::F32;
    case 'd':
      return SlotType::F64;
    default:
      return SlotType::V128;
  }
}

inline bool is_integer(SlotType type) {
  return type == SlotType::I32 || type == SlotType::I64;
}

inline bool has_value(Operand operand) {
  return operand.kind() != OperandKind::None && operand.kind() != OperandKind::Constant;
}

// The comparison of a BranchIf operation.
inline Opcode compare_of_branch(CodeOp op) {
  switch (op) {
#define CODE_OP(...)
#define COMPARE_BRANCH(name, ...) \
  case CodeOp::BranchIf##name:    \
    return Opcode::name;
#include "vm/code_ops.def"
#undef CODE_OP
    default:
      return kNoOpcode;
  }
}
inline CodeOp add_branch(Opcode compare, Opcode add) {
#define CODE_OP(...)
#define ADD_BRANCH(compare_name, add_name, ...)                     \
  if (compare == Opcode::compare_name && add == Opcode::add_name) { \
    return CodeOp::AddBranchIf##compare_name;                       \
  }
#include "vm/code_ops.def"
#undef CODE_OP
  return kLabel;
}
inline CodeOp store_add_branch(CodeOp add_branch_op, Opcode store) {
#define CODE_OP(...)
#define STORE_ADD_BRANCH(store_name, compare_name)                                         \
  if (add_branch_op == CodeOp::AddBranchIf##compare_name && store == Opcode::store_name) { \
    return CodeOp::store_name##AddBranchIf##compare_name;                                  \
  }
#include "vm/code_ops.def"
#undef CODE_OP
  return kLabel;
}
inline CodeOp return_binary(CodeOp op) {
  if (!is_plain(op)) return kLabel;
  switch (static_cast<Opcode>(op)) {
#define CODE_OP(...)
#define RETURN_BINARY(name) \
  case Opcode::name:        \
    return CodeOp::Return##name;
#include "vm/code_ops.def"
#undef CODE_OP
    default:
      return kLabel;
  }
}
inline CodeOp move_op(SlotType type) {
  switch (type) {
    case SlotType::I32:
      return CodeOp::MoveI32;
    case SlotType::I64:
      return CodeOp::MoveI64;
    case SlotType::F32:
      return CodeOp::MoveF32;
    case SlotType::F64:
      return CodeOp::MoveF64;
    case SlotType::V128:
      return CodeOp::MoveV128;
  }
  return CodeOp::MoveI64;
}

}  // namespace qip
