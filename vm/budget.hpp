// Budget: what one run may use. It travels with every instantiate() and invoke(), owns the value
// stack, and is the only door through which a run is stopped from outside.
//
// Promises: no guest runs past its deadline by more than one chunk of a bulk instruction; guest
// calls never use the host's own stack; running out is a trap with its own name.
// Assumes: one thread at a time uses a Budget, except interrupt(), which any thread or signal
// handler may call. The clock of a deadline lives in the thread that started it: that thread ends
// it again (clear_deadline(), a new deadline, the destructor). Any number of threads may
// each have a Budget.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace qip {

struct MachineState;  // vm/machine.hpp: the interpreter's registers in memory

// What a frame takes at the least: its header (vm/code_contents.hpp draws a frame).
inline constexpr uint64_t kMinimumFrameBytes = 16;

struct BudgetLimits {
  // Bytes of value stack. A frame takes at least kMinimumFrameBytes, so this bounds the call depth
  // too: 524,288 guest frames at the default.
  uint64_t stack_bytes = uint64_t{8} << 20;
  uint32_t memory_pages = 65'536;        // per linear memory, 64 KiB each
  uint32_t table_elements = 10'000'000;  // per table
  // WebAssembly instructions; needs Code that was translated with TranslateOptions::fuel.
  std::optional<uint64_t> fuel;
};

class Budget {
 public:
  explicit Budget(const BudgetLimits& limits = {});
  ~Budget();
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  const BudgetLimits& limits() const { return limits_; }

  // From now on, at most this long. Everything that runs under this Budget afterwards stops with
  // Trap::DeadlineExceeded once the time is over. A new call replaces the old deadline.
  void start_deadline(std::chrono::nanoseconds duration);
  // Puts off the end of the deadline that this thread has started to so long from now, without a
  // system call, and forgets an interruption. Precondition: the new end is not before the old one.
  // Without a deadline everything stops.
  void renew_deadline(std::chrono::nanoseconds duration);
  // Ends the deadline and forgets an interruption.
  void clear_deadline();
  // Stops the running guest, and every later one until clear_deadline(). Async-signal-safe.
  void interrupt();
  bool interrupted() const;

  // For the next run: all fuel again, and the last trap is forgotten. What was mapped and created
  // for earlier runs stays, so that many short runs in a row cost little.
  // Precondition: no guest is running.
  void refuel();

  // Fuel left; 0 if no fuel was asked for.
  uint64_t remaining_fuel() const;

  MachineState& machine() { return *machine_; }

 private:
  BudgetLimits limits_;
  std::unique_ptr<MachineState> machine_;
};

}  // namespace qip
