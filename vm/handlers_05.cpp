// Part 5 of the handlers; see vm/handlers.hpp.
#include "vm/handlers.hpp"

namespace qip {
QIP_HANDLER_PART(5)
}  // namespace qip
