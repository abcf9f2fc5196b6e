// SHA-256, for digests that people compare and pin. Source: FIPS 180-4, by libmd.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace qip {

// 64 lower-case hexadecimal digits.
std::string sha256_text(std::span<const uint8_t> bytes);

}  // namespace qip
