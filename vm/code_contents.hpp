// CodeContents: what translation leaves behind, for the vm only.
//
// A frame on the value stack, addresses growing downwards on the page; sp points at the header:
//
//   sp - 8 * max(parameter slots, result slots)   parameters, later the results
//   sp + 0     return pc
//   sp + 8     caller's sp
//   sp + 16    home of the hot locals while a callee runs: two integers, two floats (only in
//              functions that have hot locals and calls)
//              (frames beyond 28 KiB: scratch slots)
//              locals that are not parameters
//              operand stack; the arguments of a call are the callee's parameters where they lie
//              (other frames: scratch slots)
//
// A v128 takes two slots of 8 bytes, everything else one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "loader/loader.hpp"
#include "vm/code.hpp"
#include "vm/value.hpp"

namespace qip {

inline constexpr int32_t kSlotBytes = 8;
inline constexpr int32_t kHomeOffset = 16;
inline constexpr int32_t kHomeBytes = 32;
// Four operands of an operation, a v128 each.
inline constexpr int32_t kScratchSlots = 8;
inline constexpr int32_t kSlowCellBytes = 32;

// One function defined by the module. Offsets are bytes into the cells.
struct FunctionCode {
  uint64_t entry = 0;         // for calls that clear nothing
  uint64_t direct_entry = 0;  // for direct calls: behind the Clear operation, if the call clears
  uint64_t end = 0;
  uint32_t clear_count = 0;  // slots that a direct call has to clear, 0..4
  int32_t clear_offset = 0;  // from sp
  uint32_t frame_bytes = 0;  // from sp, without the frames of callees
};

struct CodeContents {
  explicit CodeContents(ValidatedModule validated) : module(std::move(validated)) {}
  ~CodeContents();
  CodeContents(const CodeContents&) = delete;
  CodeContents& operator=(const CodeContents&) = delete;

  ValidatedModule module;
  TranslateOptions options;
  std::vector<FunctionCode> functions;    // defined functions
  std::vector<uint32_t> canonical_types;  // per type: the first type equal to it
  char* cells = nullptr;
  uint64_t cells_bytes = 0;
};

// Slots of a list of types.
uint32_t slot_count(const std::vector<ValueType>& types);
inline uint32_t slots_of(ValueType type) {
  return type == ValueType::V128 ? 2 : 1;
}
// max(parameter slots, result slots): how far below sp a frame begins.
uint32_t argument_slots(const FuncType& type);

// Between values of the host and consecutive slots of those types. Reading leaves no bits beyond
// the type's width (the upper half of an i32 or f32 slot is unspecified). vm/interpreter.cpp
void values_to_slots(char* slots, const std::vector<ValueType>& types, const Value* values);
void slots_to_values(const char* slots, const std::vector<ValueType>& types, Value* values);

// The offsets in the module's bytes of the instructions that the cells at `cell_offsets` came from,
// all in one function, found by translating it again. 0 where there is none.
std::vector<uint64_t> byte_offsets_of_cells(const CodeContents& contents, uint32_t defined_index,
                                            std::span<const uint64_t> cell_offsets);

}  // namespace qip
