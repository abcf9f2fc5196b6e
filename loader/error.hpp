// LoadError: why bytes did not become a validated module.
//
// The classes are the specification's test vocabulary (malformed, invalid) plus `Limit` for a
// module that is well formed but larger than loader/impl_limits.hpp allows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qip {

enum class LoadErrorClass : uint8_t {
  Malformed,  // the bytes do not follow the binary grammar
  Invalid,    // the grammar is right, a validation rule is broken
  Limit,      // a limit of this implementation is exceeded
};

struct LoadError {
  LoadErrorClass error_class = LoadErrorClass::Malformed;
  uint64_t byte_offset = 0;  // where in the module's bytes the problem was noticed
  std::string message;       // the specification's wording where it has one, then details
};

// "malformed", "invalid" or "limit".
const char* load_error_class_text(LoadErrorClass error_class);

// One line for people: `malformed module at byte 17: unexpected end`.
std::string describe(const LoadError& error);

// A name out of a module, fit for a message: in quotes, control characters and quotes escaped, cut
// after 80 bytes.
std::string quoted(std::string_view name);

}  // namespace qip
