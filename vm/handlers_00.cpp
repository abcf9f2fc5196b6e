// Part 0 of the handlers; see vm/handlers.hpp.
#include "vm/handlers.hpp"

namespace qip {
QIP_HANDLER_PART(0)
}  // namespace qip
