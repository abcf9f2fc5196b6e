// Image: 8-bit pixels, and the three file formats that they come from and go to.
//
// Promises: a file is read whole and right or refused with a sentence; the size that it announces
// is checked before memory for it is taken; working memory besides the image is bounded. The
// format is found from the content, never from a name.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/image_format.hpp"
#include "loader/result.hpp"

namespace qip {

// 1 GiB of pixels. Every side is at most 65,535 besides.
inline constexpr uint64_t kMaxImagePixels = uint64_t{1} << 28;
inline constexpr uint32_t kMaxImageSide = 65'535;
inline constexpr int kDefaultJpegQuality = 95;

struct Image {
  uint32_t width = 0;
  uint32_t height = 0;
  std::vector<uint8_t> rgba;  // rows from the top, R, G, B, A each, straight alpha
};

// Reads PNG, JPEG (its EXIF orientation applied) or BMP. The error is a sentence without a prefix;
// for bytes that are none of them "image: unknown format".
Result<Image, std::string> decode_image(std::span<const uint8_t> bytes);

// The same for BMP alone, with the errors of the Tile contract ("BMP input too small", ...).
Result<Image, std::string> decode_bmp(std::span<const uint8_t> bytes);

// 54 bytes of header and 32-bit pixels from the bottom up. Precondition: at least one pixel.
std::vector<uint8_t> encode_bmp(const Image& image);

// In any format but None. `quality` 1..100 is for JPEG, which also loses the alpha. PNG: RGB if
// every pixel is opaque, else RGBA. The error is a sentence: the system has no memory for it.
Result<std::vector<uint8_t>, std::string> encode_image(const Image& image, ImageFormat format,
                                                       int quality = kDefaultJpegQuality);

}  // namespace qip
