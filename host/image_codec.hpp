// The codecs behind image.hpp, one source file each, and what they share.
//
// Every decoder checks the announced size with image_size_error() before it takes memory for it,
// and every error but those that the Tile contract words itself begins with the name of the format.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/image.hpp"
#include "loader/result.hpp"

namespace qip {

// A sentence if an image of that size is not taken: it is empty or too large. Else empty.
std::string image_size_error(uint64_t width, uint64_t height);

Result<Image, std::string> decode_png(std::span<const uint8_t> bytes);
Result<std::vector<uint8_t>, std::string> encode_png(const Image& image);

Result<Image, std::string> decode_jpeg(std::span<const uint8_t> bytes);
std::vector<uint8_t> encode_jpeg(const Image& image, int quality);

// How the rows of a photo lie, 1 (as they should) to 8, from the data of an APP1 segment. Nothing
// if it is not EXIF; 1 if that says nothing of it, or nothing that has a meaning.
std::optional<int> exif_orientation(std::span<const uint8_t> data);

// Where a pixel of a turned picture goes: bytes from the start of the upright image to the file's
// first pixel, and from there for each step to the right and down in the file.
struct Placement {
  int64_t origin;
  int64_t right;
  int64_t down;
};
// `width` and `height` are the file's; orientations 5 to 8 exchange them in the image.
Placement placement(int orientation, int64_t width, int64_t height);

}  // namespace qip
