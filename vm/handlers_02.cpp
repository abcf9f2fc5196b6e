// Part 2 of the handlers; see vm/handlers.hpp.
#include "vm/handlers.hpp"

namespace qip {
QIP_HANDLER_PART(2)
}  // namespace qip
