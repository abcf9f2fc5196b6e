// RunLimits: what the user lets components do; the same for every command that runs one.
//
// Promises: a default-constructed RunLimits is safe: five seconds, nothing else beyond the budget's
// own bounds. What can be told from the module alone is the Policy; the rest is spent while it
// runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace qip {

inline constexpr std::chrono::milliseconds kDefaultTimeLimit{5'000};

// Checked before anything of a component runs (host/policy.hpp).
struct Policy {
  // Bytes of linear memory that a component may declare, as minimum and as maximum.
  std::optional<uint64_t> max_memory_bytes;
  bool fixed_memory = false;  // no memory.grow
  bool strict = false;        // declared maximum, no import, no memory.grow, no recursion

  bool is_open() const { return !max_memory_bytes && !fixed_memory && !strict; }
};

struct RunLimits {
  std::chrono::nanoseconds time = kDefaultTimeLimit;
  std::optional<uint64_t> fuel{};              // WebAssembly instructions, of the whole chain
  std::optional<uint64_t> max_output_bytes{};  // of one component
  Policy policy{};
  bool call_stack = false;  // a trap's error carries the guest's call stack
};

}  // namespace qip
