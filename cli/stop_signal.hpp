// Interruption (SIGINT, SIGTERM) of work that ends what has begun and begins no more.
#pragma once

#include <atomic>

namespace qip {

// From now on the first such signal sets the flag; a second one ends the program.
const std::atomic<bool>& stop_on_signals();

}  // namespace qip
