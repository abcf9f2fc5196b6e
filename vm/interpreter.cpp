// invoke(): from the host into the handlers and back, and the ways out of them.
#include <algorithm>
#include <csetjmp>
#include <csignal>
#include <cstring>

#include "vm/bodies.hpp"
#include "vm/instance.hpp"
#include "vm/slow_ops.hpp"

namespace qip {
namespace {

struct StaticCell {
  Handler handler;
  int16_t d, a;
  int32_t b;
};
constexpr StaticCell kExitCell = {exit_handler, 0, 0, 0};

void leave(Registers& r) {
  r.context->trap_pc = r.pc;
  r.context->trap_sp = r.sp;
  r.context->trap_instance = r.context->instance;
#if defined(QIP_DISPATCH_LOOP)
  r.pc = nullptr;
#endif
}

void run(MachineState& machine, const char* entry, char* sp) {
  Registers r = {};
  r.context = &machine;
  r.memory = machine.memory_base;
  r.pc = entry;
  r.sp = sp;
#if defined(QIP_DISPATCH_LOOP)
  while (r.pc != nullptr) handler_at(r.pc)(r);  // ends: exit or a trap, which the budget forces
#else
  handler_at(r.pc)(QIP_ARGUMENTS);
#endif
}

#if defined(QIP_CHECKS_GUARD)
// The memory access itself is the check: a fault inside the reservation of a memory of the running
// instance is a trap, any other fault is a crash and stays one.
thread_local MachineState* running = nullptr;

bool is_guest_access(const MachineState& machine, const void* address) {
  if (machine.instance == nullptr || machine.memory_base == nullptr) return false;
  const auto* byte = static_cast<const uint8_t*>(address);
  // base + 32-bit address + 32-bit offset + 16 bytes
  return byte >= machine.memory_base && byte < machine.memory_base + (uint64_t{1} << 33) + 16;
}

void on_fault(int signal, siginfo_t* info, void*) {
  MachineState* machine = running;
  if (machine != nullptr && machine->guard_jump != nullptr &&
      is_guest_access(*machine, info->si_addr)) {
    siglongjmp(*static_cast<sigjmp_buf*>(machine->guard_jump), 1);
  }
  ::signal(signal, SIG_DFL);  // returns to the faulting instruction, which now ends the process
}

void install_fault_handler() {
  static const bool installed = [] {
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGSEGV, &action, nullptr) == 0 && sigaction(SIGBUS, &action, nullptr) == 0;
  }();
  (void)installed;
}

void run_guarded(MachineState& machine, const char* entry, char* sp) {
  install_fault_handler();
  sigjmp_buf jump;
  MachineState* outer = running;
  void* outer_jump = machine.guard_jump;
  if (sigsetjmp(jump, 0) == 0) {
    machine.guard_jump = &jump;
    running = &machine;
    run(machine, entry, sp);
  } else {
    machine.trap = Trap::OutOfBoundsMemoryAccess;
    machine.trap_pc = nullptr;
    machine.trap_instance = nullptr;
  }
  machine.guard_jump = outer_jump;
  running = outer;
}
#else
void run_guarded(MachineState& machine, const char* entry, char* sp) {
  run(machine, entry, sp);
}
#endif

// i32 and f32 slots have unspecified upper halves.
Value value_of_bits(ValueType type, uint64_t low, uint64_t high) {
  switch (type) {
    case ValueType::I32:
    case ValueType::F32:
      return {low & 0xFFFFFFFF, 0};
    case ValueType::V128:
      return {low, high};
    default:
      return {low, 0};
  }
}

}  // namespace

void values_to_slots(char* slots, const std::vector<ValueType>& types, const Value* values) {
  for (const ValueType type : types) {
    memcpy(slots, &values->low, 8);
    if (type == ValueType::V128) memcpy(slots + 8, &values->high, 8);
    slots += 8 * slots_of(type);
    values++;
  }
}

void slots_to_values(const char* slots, const std::vector<ValueType>& types, Value* values) {
  for (const ValueType type : types) {
    uint64_t low, high = 0;
    memcpy(&low, slots, 8);
    if (type == ValueType::V128) memcpy(&high, slots + 8, 8);
    *values++ = value_of_bits(type, low, high);
    slots += 8 * slots_of(type);
  }
}

namespace {

void collect_results(const MachineState& machine, const FuncType& type, const char* slots,
                     Value* results) {
  if (type.results.size() != 1) {
    slots_to_values(slots, type.results, results);
    return;
  }
  switch (type.results[0]) {
    case ValueType::F32:
    case ValueType::F64:
    case ValueType::V128:
      results[0] = value_of_bits(type.results[0], machine.float_result[0], machine.float_result[1]);
      break;
    default:
      results[0] = value_of_bits(type.results[0], machine.result, 0);
  }
}

// How many invoke() may be inside each other through host functions: each uses native stack.
constexpr int kMaxNativeDepth = 64;

}  // namespace

QIP_PRESERVE_NONE __attribute__((cold)) void trap_exit(QIP_PARAMETERS) {
  QIP_UNPACK;
  leave(r);
}

QIP_PRESERVE_NONE __attribute__((cold)) void interrupt_exit(QIP_PARAMETERS) {
  QIP_UNPACK;
  r.context->trap = Trap::DeadlineExceeded;
  leave(r);
}

QIP_PRESERVE_NONE void exit_handler(QIP_PARAMETERS) {
  QIP_UNPACK;
  r.context->trap = Trap::None;  // a trap of a run inside a host function may still be there
  r.context->result = r.acc;
  __builtin_memcpy(r.context->float_result, &r.facc, 16);
#if defined(QIP_DISPATCH_LOOP)
  r.pc = nullptr;
#endif
}

const char* exit_cell() {
  return reinterpret_cast<const char*>(&kExitCell);
}

void enter_instance(MachineState& machine, Instance* instance) {
  machine.instance = instance;
  machine.memory_base = nullptr;
  machine.memory_size = 0;
  machine.table0 = nullptr;
  machine.own_globals = nullptr;
  if (instance == nullptr) return;
  if (!instance->memories.empty()) {
    machine.memory_base = instance->memories[0]->base();
    machine.memory_size = instance->memories[0]->size();
  }
  if (!instance->tables.empty()) machine.table0 = instance->tables[0];
  machine.own_globals = instance->own_globals;
}

Trap invoke(Budget& budget, FunctionInstance& function, std::span<const Value> arguments,
            std::span<Value> results) {
  const FuncType& type = *function.type;
  if (arguments.size() != type.parameters.size() || results.size() != type.results.size()) {
    return Trap::HostFunctionFailed;
  }
  MachineState& machine = budget.machine();
  machine.trap = Trap::None;
  machine.trap_instance = nullptr;
  machine.trap_pc = nullptr;
  if (function.host != nullptr) {
    std::vector<Value> given(results.size());
    const Trap trap = function.host(function.host_context, arguments.data(), given.data());
    if (trap == Trap::None) std::copy(given.begin(), given.end(), results.begin());
    return trap;
  }
  if (!ensure_stack(machine)) return Trap::OutOfHostMemory;
  if (machine.native_depth >= kMaxNativeDepth) return Trap::CallStackExhausted;

  char* const bottom = machine.stack_top;
  char* const sp = bottom + 8 * size_t{argument_slots(type)};
  if (reinterpret_cast<uintptr_t>(sp) + function.frame_bytes >
      machine.stack_limit.load(std::memory_order_relaxed)) {
    return budget.interrupted() ? Trap::DeadlineExceeded : Trap::CallStackExhausted;
  }
  values_to_slots(bottom, type.parameters, arguments.data());
  const char* const return_pc = exit_cell();
  memcpy(sp, &return_pc, 8);
  memcpy(sp + 8, &bottom, 8);

  Instance* const outer = machine.instance;
  enter_instance(machine, function.instance);
  machine.native_depth++;
  run_guarded(machine, function.entry, sp);
  machine.native_depth--;
  enter_instance(machine, outer);
  machine.stack_top = bottom;
  if (machine.trap != Trap::None) return machine.trap;
  collect_results(machine, type, bottom, results.data());
  return Trap::None;
}

}  // namespace qip
