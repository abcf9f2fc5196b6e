// FunctionValidator: the specification's validation algorithm, over one function body after
// another.
//
// Promises: time linear in the body; explicit stacks, kept from body to body, so that a module of
// many small functions does not allocate per function. Bounds: kMaxLocals, kMaxOperandHeight, one
// frame of 12 bytes per open block.
// Assumes: decode() made the module, and the module-level rules hold (validator.cpp).
// Source: specification, "Appendix/Validation Algorithm".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "loader/module.hpp"
#include "loader/reader.hpp"
#include "loader/syntax.hpp"

namespace qip {

// A value type's encoding, or kUnknown: any type at all, on the polymorphic stack of dead code.
using OperandType = uint8_t;
inline constexpr OperandType kUnknown = 0;
constexpr OperandType operand_type(ValueType type) {
  return static_cast<OperandType>(type);
}
// Precondition: one of the signature letters of opcodes.def.
constexpr OperandType operand_type_of_letter(char letter) {
  switch (letter) {
    case 'i':
      return operand_type(ValueType::I32);
    case 'l':
      return operand_type(ValueType::I64);
    case 'f':
      return operand_type(ValueType::F32);
    case 'd':
      return operand_type(ValueType::F64);
    default:
      return operand_type(ValueType::V128);
  }
}
using OperandTypes = std::span<const OperandType>;

class FunctionValidator {
 public:
  // `declared_functions`: for each function, may ref.func name it?
  FunctionValidator(const Module& module, const std::vector<bool>& declared_functions)
      : module_(module), declared_functions_(declared_functions) {}

  // False: error() says why.
  bool validate(const FunctionBody& body);
  const LoadError& error() const { return reader_.error(); }

 private:
  // An open block. Its type is the encoded block type; the body's own frame has its function type's
  // index and, being a Block, its results as label types.
  struct Frame {
    uint32_t floor = 0;  // height of the operand stack below the block
    uint32_t encoded_type = 0;
    Opcode opcode{};
    bool unreachable = false;
  };

  bool failed() const { return reader_.failed(); }
  void invalid(std::string message);
  void beyond(std::string message);
  void mismatch(OperandType wanted);
  const char* instruction_text() const;

  bool begin(const FunctionBody& body);
  void expand_locals(const FunctionBody& body);
  void finish();

  // The operand stack.
  uint32_t height() const { return static_cast<uint32_t>(height_); }
  void reserve(size_t more);
  void push(OperandType type) {
    if (height_ == operands_.size()) reserve(1);
    operands_[height_++] = type;
  }
  OperandType pop() {
    if (height_ > floor_) return operands_[--height_];
    return pop_below_floor();
  }
  void pop(OperandType wanted) {
    if (height_ > floor_ && operands_[height_ - 1] == wanted) {
      height_--;
      return;
    }
    pop_other(wanted);
  }
  OperandType pop_below_floor();
  void pop_other(OperandType wanted);
  bool check_top(OperandTypes wanted);
  void pop_all(OperandTypes wanted);
  void push_all(OperandTypes types);

  // The stack of frames.
  OperandTypes types_of(const std::vector<ValueType>& types) const;
  OperandTypes parameters(uint32_t encoded_type) const;
  OperandTypes results(uint32_t encoded_type) const;
  OperandTypes label_types(const Frame& frame) const;
  void push_frame(Opcode opcode, uint32_t encoded_type);
  Frame pop_frame();
  void set_unreachable();

  // Immediates.
  bool exists(uint32_t number, size_t count, const char* what);
  uint32_t index(size_t count, const char* what);
  OperandTypes label();
  OperandType local();
  OperandType table(uint32_t number);
  OperandType table() { return table(reader_.u32()); }
  OperandType element_segment(uint32_t number);
  void data_segment(uint32_t number);
  uint32_t memory_index() { return read_memory_index(reader_, module_.features); }
  void memory(uint32_t number);
  void memory_argument(Immediate immediate);
  void lane(uint32_t count);

  // Instructions.
  void instruction();
  void by_signature(Opcode opcode);
  void special();
  void constant(ValueType type, uint64_t bytes);
  void begin_block();
  void begin_else();
  void end_block();
  void branch_if();
  void branch_table();
  void call();
  void call_indirect();
  void call_type(const FuncType& type);
  void select();
  void select_typed();
  void local_tee();
  void global_get();
  void global_set();
  void reference_is_null();
  void reference_to_function();
  void memory_instruction();
  void table_instruction();
  void operands_i32(int count, bool gives_i32);
  void element_and_count(OperandType element);
  void copy_elements(OperandType to, OperandType from);

  const Module& module_;
  const std::vector<bool>& declared_functions_;
  Reader reader_{nullptr, 0, 0};
  uint64_t start_ = 0;  // of the instruction at hand
  Opcode opcode_ = kNoOpcode;

  std::vector<OperandType> operands_;  // as much as was ever needed; height_ are in use
  size_t height_ = 0;
  std::vector<Frame> frames_;
  size_t floor_ = 0;          // of the innermost frame
  bool unreachable_ = false;  // of the innermost frame
  std::vector<OperandType> locals_;
};

}  // namespace qip
