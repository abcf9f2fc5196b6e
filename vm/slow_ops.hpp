// Operations that leave the handlers: whatever grows, calls other instances or the host, or walks
// over many bytes. Each reads its operands from slots (fields of a Slow cell), may trap, and sets
// pc itself.
#pragma once

#include "vm/registers.hpp"

namespace qip::slow {

#define CODE_OP(...)
#define SLOW_OP(name) bool name(Registers& r);
#include "vm/code_ops.def"
#undef CODE_OP

}  // namespace qip::slow

namespace qip {

// Leaves the interpreter: pc becomes null for the loop form, results go to the machine state.
QIP_PRESERVE_NONE void exit_handler(QIP_PARAMETERS);

// The cells that return into invoke() and across instances.
const char* exit_cell();
const char* boundary_cell();

}  // namespace qip
