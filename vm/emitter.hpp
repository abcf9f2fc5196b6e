// Emitter: passes 3 and 4, from a function's IR to cells.
//
// Pass 3 chooses places: which temporaries travel in an accumulator, which locals live in
// registers. Pass 4 writes one cell per operation, plus copies where an operation has no handler
// for the places of its operands.
// Promises: linear in the operations; every operation can be written with all operands in slots.
#pragma once

#include <cstdint>
#include <vector>

#include "vm/code_contents.hpp"
#include "vm/ir.hpp"

namespace qip {

// A growing byte buffer for cells: plain memory, because cells are copied as bytes.
class CellBuffer {
 public:
  CellBuffer() = default;
  ~CellBuffer();
  CellBuffer(const CellBuffer&) = delete;
  CellBuffer& operator=(const CellBuffer&) = delete;

  uint64_t size() const { return size_; }
  char* data() { return data_; }
  // `count` zero bytes at the end; their offset.
  uint64_t append(uint64_t count);
  template <class T>
  void put(uint64_t offset, T value) {
    __builtin_memcpy(data_ + offset, &value, sizeof value);
  }
  // Hands the memory over, shrunk to its size. The caller frees it with ::operator delete.
  char* release();

 private:
  void reallocate(uint64_t capacity);

  char* data_ = nullptr;
  uint64_t size_ = 0;
  uint64_t capacity_ = 0;
};

// A direct call whose callee may not have been translated yet.
struct CallFixup {
  uint64_t cell = 0;
  uint32_t callee = 0;    // defined function
  uint8_t save_mode = 0;  // 0 nothing, 1 integers, 2 floats, 3 all: offset from Call0 and its kin
};

// Where the instruction of each cell is in the module's bytes; only built when asked for.
struct CellOrigin {
  uint64_t cell = 0;
  uint32_t byte_offset = 0;
};

class Emitter {
 public:
  Emitter(const Module& module, const std::vector<uint32_t>& canonical_types, FunctionIr& ir,
          CellBuffer& cells, std::vector<CallFixup>& fixups, std::vector<CellOrigin>* origins);
  FunctionCode emit();

 private:
  struct Place {
    Kind kind = Kind::Slot;
    int64_t value = 0;  // slot offset from sp, or the immediate
    bool wide = false;  // an immediate that does not fit 32 bits: `value` is all its bits
  };
  struct Fixup {
    uint64_t at = 0;    // of the 32-bit field
    uint64_t from = 0;  // the offset is relative to this cell
    uint32_t label = 0;
    bool loop_register = true;  // 0 may stand for "the marked loop"
  };

  // Pass 3.
  void assign_accumulators();
  void choose_hot_locals();
  // Pass 4.
  void lay_out_frame(FunctionCode* code);
  void prologue(FunctionCode* code);
  void operation(uint32_t index);
  void plain(const Operation& x);
  void call(const Operation& x);
  void finish_call(const Operation& x);
  void loop_head(const Operation& x);
  void branch_table(const Operation& x);
  void slow(const Operation& x);
  void patch_branches();

  Place place_of(Operand operand) const;
  Place destination_of(const Operation& x) const;
  int64_t operand_slot_offset(uint32_t slot) const { return operands_base_ + 8 * int64_t{slot}; }
  void move(Place to, Place from, SlotType type);
  Place to_scratch(Place from, SlotType type, int scratch);
  Place scratch(int index) const { return {Kind::Slot, scratch_base_ + 16 * index, false}; }
  Place near(Place place, SlotType type, int index);
  uint64_t cell(Handler handler, int64_t d, int64_t a, int64_t b, uint32_t bytes);
  uint64_t cell(CodeOp op, int64_t d, int64_t a, int64_t b);
  void copy_far(CodeOp op, int64_t near_offset, int64_t far_offset, SlotType type);

  const Module& module_;
  const std::vector<uint32_t>& canonical_types_;
  FunctionIr& ir_;
  CellBuffer& cells_;
  std::vector<CallFixup>& fixups_;
  std::vector<CellOrigin>* origins_;

  std::vector<int8_t> hot_;  // per local: register number, or -1
  int hot_integers_ = 0, hot_floats_ = 0;
  uint8_t save_mode_ = 0;
  int64_t locals_base_ = 0, operands_base_ = 0, scratch_base_ = 0;
  std::vector<uint64_t> label_cells_;
  std::vector<Fixup> branch_fixups_;
};

}  // namespace qip
