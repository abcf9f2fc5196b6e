#include "vm/trap.hpp"

namespace qip {

std::string_view trap_text(Trap trap) {
  switch (trap) {
    case Trap::None:
      return "";
    case Trap::Unreachable:
      return "unreachable";
    case Trap::IntegerDivideByZero:
      return "integer divide by zero";
    case Trap::IntegerOverflow:
      return "integer overflow";
    case Trap::InvalidConversionToInteger:
      return "invalid conversion to integer";
    case Trap::OutOfBoundsMemoryAccess:
      return "out of bounds memory access";
    case Trap::OutOfBoundsTableAccess:
      return "out of bounds table access";
    case Trap::UndefinedElement:
      return "undefined element";
    case Trap::UninitializedElement:
      return "uninitialized element";
    case Trap::IndirectCallTypeMismatch:
      return "indirect call type mismatch";
    case Trap::CallStackExhausted:
      return "call stack exhausted";
    case Trap::DeadlineExceeded:
      return "deadline exceeded";
    case Trap::FuelExhausted:
      return "fuel exhausted";
    case Trap::OutOfHostMemory:
      return "out of host memory";
    case Trap::HostFunctionFailed:
      return "host function failed";
  }
  return "";
}

}  // namespace qip
