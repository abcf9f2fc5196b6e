// SHA-256 through libmd, whose context is 112 bytes on the stack: nothing is allocated.
#include "host/digest.hpp"

#include <sha2.h>
#include <sys/types.h>

#include "host/text.hpp"

namespace qip {

std::string sha256_text(std::span<const uint8_t> bytes) {
  SHA2_CTX context;
  SHA256Init(&context);
  SHA256Update(&context, bytes.data(), bytes.size());
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256Final(digest, &context);
  return hex_text(digest);
}

}  // namespace qip
