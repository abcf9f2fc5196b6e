// The version of qip: what `qip version` prints, and part of every cache key.
#pragma once

namespace qip {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace qip
