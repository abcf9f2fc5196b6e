// HostError: why a component could not be driven, as one sentence for people.
//
// Promises: `message` is complete and free of control characters that a guest chose; it carries no
// trailing newline. Messages about a component begin with its path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace qip {

enum class HostErrorClass : uint8_t {
  File,        // a file could not be opened, read or written
  Load,        // malformed, invalid, or beyond a limit of the loader
  Unlinkable,  // wants an import, or could not be instantiated
  Contract,    // an export is missing, has another type, or says something impossible
  Trap,        // the guest trapped
  Budget,      // the guest ran out of time, memory or output
  Rejected,    // the component refused its input, in the way that its contract provides
  Policy,      // the user does not want components like this one
};

struct HostError {
  HostErrorClass error_class = HostErrorClass::Contract;
  std::string message;
  // After a trap, if RunLimits asks for it: the guest's call stack, a line per frame, each
  // beginning with a newline.
  std::string call_stack{};
};

// What a function returns that yields nothing but may fail: empty is success.
using MaybeError = std::optional<HostError>;

inline HostError contract_error(std::string message) {
  return HostError{HostErrorClass::Contract, std::move(message)};
}
inline HostError file_error(std::string message) {
  return HostError{HostErrorClass::File, std::move(message)};
}

}  // namespace qip
