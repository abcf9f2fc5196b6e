// Part 15 of the handlers; see vm/handlers.hpp.
#include "vm/handlers.hpp"

namespace qip {
QIP_HANDLER_PART(15)
}  // namespace qip
