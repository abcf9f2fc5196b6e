// scan_code(): facts about a module's code that show without running it: what it calls, where it
// grows memory, how much of it there is.
//
// Promises: one pass over the bodies; time and memory linear in the module's bytes, whatever the
// calls; no recursion. Nothing is said about what can be reached: code that never runs counts.
// Assumes: validate() accepted the module, so indices need no check here.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "loader/module.hpp"

namespace qip {

// The memory.grow instructions of one function that has any.
struct MemoryGrows {
  uint32_t function_index = 0;
  uint32_t count = 0;
  uint64_t first_offset = 0;  // in the module's bytes
};

struct CodeScan {
  uint64_t instruction_count = 0;  // without `else` and `end`, which only divide and close
  uint64_t loop_count = 0;
  uint64_t call_count = 0;           // `call` instructions
  uint64_t indirect_call_count = 0;  // `call_indirect` instructions

  std::vector<MemoryGrows> memory_grows;  // in the order of functions

  // The functions whose references exist: named by an element segment of any mode, or by ref.func
  // in code or in a constant expression. A call through a table reaches no other ones.
  std::vector<bool> referenced;  // by function index

  // What function `index` calls, each target once, in the order of the first calls. A number below
  // the count of functions is a function; from there on, less that count, the type of a
  // call_indirect. Empty for an imported function.
  std::span<const uint32_t> targets_of(uint32_t index) const {
    return std::span(targets).subspan(target_begins[index],
                                      target_begins[index + 1] - target_begins[index]);
  }
  std::vector<uint32_t> targets;        // of all functions, one after the other
  std::vector<uint32_t> target_begins;  // by function index, and the end of the last one
};

CodeScan scan_code(const Module& module);

}  // namespace qip
