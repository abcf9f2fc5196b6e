// Trap: every way in which execution can end early, with the specification's wording.
#pragma once

#include <cstdint>
#include <string_view>

namespace qip {

enum class Trap : uint8_t {
  None = 0,
  // Traps of the specification.
  Unreachable,
  IntegerDivideByZero,
  IntegerOverflow,
  InvalidConversionToInteger,
  OutOfBoundsMemoryAccess,
  OutOfBoundsTableAccess,
  UndefinedElement,
  UninitializedElement,
  IndirectCallTypeMismatch,
  // Exhaustion of the budget.
  CallStackExhausted,
  DeadlineExceeded,
  FuelExhausted,
  OutOfHostMemory,  // the operating system refused memory that the budget would have allowed
  // A host function asked to stop.
  HostFunctionFailed,
};

// "integer divide by zero", "call stack exhausted", ... Empty for None.
std::string_view trap_text(Trap trap);

// What a computation that may trap gives: a value, or a trap and an unspecified value.
template <class T>
struct Checked {
  T value{};
  Trap trap = Trap::None;
};

}  // namespace qip
