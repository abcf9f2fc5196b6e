// Digests. SHA-256 for what people compare and pin, and for proofs that an attacker may try to
// forge; XXH3-128 for keys and for damage, at the speed of memory.
// Sources: FIPS 180-4, by libmd; the XXH3 specification, by xxHash.
#pragma once

#include <sys/types.h>  // sha2.h needs it

#include <sha2.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace qip {

using Sha256Digest = std::array<uint8_t, 32>;
using Xxh3Digest = std::array<uint8_t, 16>;  // in canonical order

// A running digest; a copy goes on by itself. Nothing is allocated.
class Sha256 {
 public:
  Sha256();
  void update(std::span<const uint8_t> bytes);
  // Of all bytes so far; more may follow.
  Sha256Digest digest() const;

 private:
  SHA2_CTX context_;
};

// The same for XXH3-128.
class Xxh3 {
 public:
  Xxh3();
  void update(std::span<const uint8_t> bytes);
  Xxh3Digest digest() const;

 private:
  alignas(64) unsigned char state_[576];  // XXH3_state_t, whose header stays in digest.cpp
};

// 64 lower-case hexadecimal digits.
std::string sha256_text(std::span<const uint8_t> bytes);

}  // namespace qip
