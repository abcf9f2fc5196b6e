// SHA-256 through libmd, whose context is 112 bytes. XXH3 is compiled into this file: only what is
// used of it, a seventh of what linking its library adds to the program.
#include "host/digest.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

#include "host/text.hpp"

namespace qip {
namespace {

static_assert(sizeof(XXH3_state_t) <= 576 && alignof(XXH3_state_t) <= 64,
              "Xxh3 has room for the state");

XXH3_state_t* state_of(unsigned char* bytes) {
  return reinterpret_cast<XXH3_state_t*>(bytes);
}
const XXH3_state_t* state_of(const unsigned char* bytes) {
  return reinterpret_cast<const XXH3_state_t*>(bytes);
}

}  // namespace

Sha256::Sha256() {
  SHA256Init(&context_);
}

void Sha256::update(std::span<const uint8_t> bytes) {
  SHA256Update(&context_, bytes.data(), bytes.size());
}

Sha256Digest Sha256::digest() const {
  SHA2_CTX finished = context_;
  Sha256Digest digest;
  static_assert(sizeof digest == SHA256_DIGEST_LENGTH);
  SHA256Final(digest.data(), &finished);
  return digest;
}

Xxh3::Xxh3() {
  memset(state_, 0, sizeof state_);  // the reset leaves its buffer as it is, and copies read it
  XXH3_128bits_reset(state_of(state_));
}

void Xxh3::update(std::span<const uint8_t> bytes) {
  XXH3_128bits_update(state_of(state_), bytes.data(), bytes.size());
}

Xxh3Digest Xxh3::digest() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_of(state_)));
  Xxh3Digest digest;
  static_assert(sizeof digest == sizeof canonical);
  memcpy(digest.data(), canonical.digest, sizeof canonical);
  return digest;
}

std::string sha256_text(std::span<const uint8_t> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hex_text(hash.digest());
}

}  // namespace qip
