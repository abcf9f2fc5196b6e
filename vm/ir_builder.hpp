// IrBuilder: one walk over a validated body that keeps the operand stack as a list of operands
// (locals, constants, temporaries) instead of executing it.
//
// Promises: amortised linear time. Every entry of the operand stack is materialised at most once;
// a pending reference to a local is found through a list per local, never by scanning.
// Assumes: the body is valid; nothing is checked again.
// Bounds: the control and operand stacks are vectors, so nesting uses no native stack.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vm/ir.hpp"

namespace qip {

// Reads the immediates of validated code: no bounds or length checks.
class CodeReader {
 public:
  CodeReader(const uint8_t* bytes, uint64_t offset) : at_(bytes + offset), begin_(bytes) {}
  uint64_t offset() const { return static_cast<uint64_t>(at_ - begin_); }
  uint8_t byte() { return *at_++; }
  uint8_t peek() const { return *at_; }
  uint32_t u32() {
    uint32_t result = *at_++;
    if (__builtin_expect(result < 0x80, 1)) return result;
    result &= 0x7F;
    // Ends: the encoding is valid. At most 5 bytes, or 10 for an offset of 3.0's grammar, whose
    // bits beyond 32 are zero.
    for (int shift = 7;; shift += 7) {
      const uint32_t next = *at_++;
      if (shift < 32) result |= (next & 0x7F) << shift;
      if (next < 0x80) return result;
    }
  }
  int64_t s64() {
    uint64_t result = 0;
    int shift = 0;
    uint8_t next;
    do {  // ends: at most 10 bytes
      next = *at_++;
      result |= static_cast<uint64_t>(next & 0x7F) << shift;
      shift += 7;
    } while ((next & 0x80) != 0);
    if (shift < 64 && (next & 0x40) != 0) result |= ~uint64_t{0} << shift;
    return static_cast<int64_t>(result);
  }
  template <class T>
  T raw() {
    T value;
    __builtin_memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

 private:
  const uint8_t* at_;
  const uint8_t* begin_;
};

class IrBuilder {
 public:
  IrBuilder(const Module& module, const FunctionBody& body, const TranslateOptions& options,
            bool with_byte_offsets, FunctionIr* ir);
  void build();

 private:
  struct Entry {
    Operand value;
    uint32_t slot = 0;
    uint32_t previous = 0;  // pending local: next entry for the same local, plus 1; 0 ends
  };
  struct Frame {
    Opcode opcode{};
    uint32_t stack_height = 0;  // entries below the parameters
    uint32_t slot_height = 0;
    std::span<const ValueType> parameters;
    std::span<const ValueType> results;
    uint32_t end_label = 0;
    uint32_t branch_label = 0;    // the loop's head, or end_label
    uint32_t else_label = 0;      // `if` without its `else` yet
    uint32_t fuel_operation = 0;  // loops: where this body's instructions are charged, plus 1
    std::span<const ValueType> branch_types() const {
      return opcode == Opcode::Loop ? parameters : results;
    }
  };

  // --- ir_builder.cpp: the stack, control, variables, calls
  void prepare_locals();
  void instruction(Opcode opcode);
  void control(Opcode opcode);
  void skip_unreachable();
  void skip_immediates(Opcode opcode);
  uint32_t emit(Operation operation);
  uint32_t emit_op(CodeOp op, Operand d, Operand a, Operand b = {}, Operand c = {});
  Operand new_constant(SlotType type, uint64_t low, uint64_t high = 0);

  void push(Operand value);
  void push_slot(SlotType type);
  uint32_t push_result(Operation operation, SlotType type);
  Operand pop();
  void truncate(uint32_t height);
  void reset_to(const Frame& frame, std::span<const ValueType> types);
  uint32_t next_slot() const;
  void settle_entry(uint32_t index);
  void settle_all();
  void settle_top(uint32_t count);
  void save_references(uint32_t local);
  void move(Operand destination, Operand source);

  void get_local(uint32_t local);
  void set_local(uint32_t local, bool tee);
  void get_global(uint32_t global);
  void set_global(uint32_t global);
  void drop();
  void select(SlotType type);
  bool same_value(Operand x, Operand y) const;

  std::span<const ValueType> block_types(bool results);
  void read_block_type();
  void begin_block(Opcode opcode);
  void begin_else();
  void end_block();
  void place_label(uint32_t label);
  uint32_t new_label(bool is_loop);
  void branch_to(uint32_t label);
  bool needs_moves(const Frame& frame) const;
  void move_to_target(const Frame& frame);
  void pin_top(uint32_t count);
  void branch(uint32_t depth);
  void branch_if(uint32_t depth);
  void branch_table();
  void return_from_function();
  void call(uint32_t function);
  void call_indirect();
  void finish_call(const FuncType& type, uint32_t argument_slot, uint32_t call);
  void arguments_in_place(const FuncType& type);
  void slow(CodeOp op, uint32_t operand_count, bool has_result, SlotType result,
            uint32_t immediate = 0, uint32_t extra = 0);
  void end_reachable() { reachable_ = false; }

  // --- ir_builder_fuse.cpp: numeric operations, memory accesses, conditions
  void keep_origin(Operand of);
  bool can_sink(uint32_t producer) const;
  Operation* sinkable(Operand operand);
  void numeric(Opcode opcode);
  void unary(Opcode opcode, SlotType result);
  void binary(Opcode opcode, SlotType result);
  void ternary(Opcode opcode, SlotType result);
  void lane(Opcode opcode);
  bool fuse_pair(Operation& x, Opcode opcode);
  bool fuse_pair_side(Operation& x, Opcode opcode, bool left);
  bool fuse_load_op(Operation& x, Opcode opcode, bool left);
  bool fuse_triple(Operation& x, Opcode opcode, bool left);
  bool fits_immediate(Operand constant) const;
  void load(Opcode opcode);
  void store(Opcode opcode);
  void lane_access(Opcode opcode);
  void fuse_address(Operation& x, CodeOp indexed, CodeOp scaled, CodeOp table);
  bool fuse_table_address(Operation& x, Operation& y, CodeOp table);
  bool fuse_constant_address(Operation& x);
  void fuse_modify(Operation& x, Opcode store);
  void branch_on(Operand condition, uint32_t label, bool invert);

  const Module& module_;
  const FunctionBody& body_;
  const TranslateOptions& options_;
  const bool with_byte_offsets_;
  FunctionIr& ir_;
  const FuncType& type_;
  CodeReader reader_;

  std::vector<Entry> stack_;
  uint32_t settled_ = 0;  // entries below are not pending locals or constants
  std::vector<Frame> frames_;
  std::vector<uint32_t> loops_;  // labels of the loops around, outermost first
  bool reachable_ = true;
  uint8_t depth_ = 0;
  uint64_t instruction_offset_ = 0;
  uint32_t origin_ = 0;  // byte offset of the next operation, if not the current instruction's
  std::span<const ValueType> block_parameters_, block_results_;

  std::vector<uint32_t> pending_;      // per local: newest stack entry that refers to it, plus 1
  std::vector<uint32_t> local_write_;  // per local: last operation that writes it, plus 1
  std::vector<uint32_t> slot_write_;   // per operand slot: last operation that writes it, plus 1
  uint32_t last_label_ = 0;            // last label, plus 1
  uint32_t last_call_ = 0;             // last operation that reuses operand slots, plus 1
  uint32_t last_effect_ = 0;  // last operation that a load must not be moved behind, plus 1

  // Fuel: instructions are charged to the innermost loop or the function entry.
  std::vector<uint32_t> fuel_operations_;
};

}  // namespace qip
