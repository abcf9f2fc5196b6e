// What a chain's output becomes in a file whose name promises an image.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/content_type.hpp"
#include "host/contract.hpp"
#include "host/image.hpp"
#include "loader/result.hpp"

namespace qip {

// Borrowed.
struct FinalOutput {
  Encoding encoding = Encoding::Raw;
  ContentType content_type;
  std::span<const uint8_t> bytes;
  const Image* image = nullptr;  // the output, if it has not been made into bytes
};

// The bytes for a file called `name`: those of the output, unless the name ends in .png, .jpg,
// .jpeg or .bmp and they are not in that format already; then they are decoded and encoded anew,
// into `storage`. The error is a sentence: the output is no image.
Result<std::span<const uint8_t>, std::string> bytes_for_file(const std::string& name,
                                                             const FinalOutput& output,
                                                             std::vector<uint8_t>& storage);

}  // namespace qip
