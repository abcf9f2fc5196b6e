// Part 11 of the handlers; see vm/handlers.hpp.
#include "vm/handlers.hpp"

namespace qip {
QIP_HANDLER_PART(11)
}  // namespace qip
