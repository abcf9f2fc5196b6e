// How messages name what a module defines and imports.
//
// Promises: names that the module chose come escaped and shortened, so that a message stays one
// line that says what it says. Assumes: validate() accepted the module.
// Bounds: the time of one pass over the name section and the exports, each call.
#pragma once

#include <cstdint>
#include <string>

#include "loader/module.hpp"

namespace qip {

// `function 3 "fib"`: with its name from the name section, or else the first name under which it is
// exported; `function 3` if it has neither.
std::string function_text(const Module& module, uint32_t index);

// `env.print (function) and 2 more`: the first import, and how many follow. Precondition: there is
// one.
std::string imports_text(const Module& module);

}  // namespace qip
