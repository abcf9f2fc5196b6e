// MachineState: what every handler can reach through its context register: facts of the instance
// that is running, the limits of the run, and what is left behind when it ends.
//
// Promises: one load reaches each hot field. Assumes: one thread runs a MachineState; only
// `interrupted` and `stack_limit` may be written from elsewhere (atomics, relaxed: they are
// polled).
#pragma once

#include <atomic>
#include <cstdint>

#include "vm/trap.hpp"
#include "vm/value.hpp"

namespace qip {

struct Instance;
struct TableInstance;
struct GlobalInstance;

struct MachineState {
  // The running instance. memory_size is refreshed after whatever may grow the memory.
  uint64_t memory_size = 0;
  uint8_t* memory_base = nullptr;
  GlobalInstance* own_globals = nullptr;  // globals defined by the running instance
  TableInstance* table0 = nullptr;
  Instance* instance = nullptr;

  // One past the last byte of value stack that a frame may use. An interruption sets it to 0, so
  // that calls need one test for both.
  std::atomic<uintptr_t> stack_limit{0};
  std::atomic<uint8_t> interrupted{0};
  uint64_t fuel = 0;

  // How the run ended.
  Trap trap = Trap::None;
  const char* trap_pc = nullptr;
  char* trap_sp = nullptr;
  Instance* trap_instance = nullptr;
  uint64_t result = 0;            // a single integer or reference result
  uint64_t float_result[2] = {};  // a single float or vector result

  // Guard builds: where the signal handler jumps to (a sigjmp_buf*), null outside of a run.
  void* guard_jump = nullptr;

  // The value stack, mapped on first use.
  char* stack_base = nullptr;
  uint64_t stack_bytes = 0;
  char* stack_top = nullptr;  // where the next invoke() starts
  int native_depth = 0;       // invoke() inside a host function inside invoke() ...

  // The deadline and what rings when it is over: vm/budget.cpp.
  std::atomic<int64_t> deadline{INT64_MAX};  // nanoseconds of the monotonic clock
  void* timer = nullptr;
  int timer_thread = 0;  // who gets its signal; 0: there is no timer yet
  bool timer_armed = false;
};

// Points the hot fields at `instance`.
void enter_instance(MachineState& machine, Instance* instance);

// Maps the value stack if it is not there yet. False: no memory.
bool ensure_stack(MachineState& machine);

inline uintptr_t full_stack_limit(const MachineState& machine) {
  return reinterpret_cast<uintptr_t>(machine.stack_base) + machine.stack_bytes;
}

}  // namespace qip
