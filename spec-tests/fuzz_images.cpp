// Feeds the image readers with what a fuzzer makes of small honest files, and what they accept to
// the writers and back: `make fuzz-images`.
//
// Checks: nothing but an error or an image that has as many pixels as it says; PNG and BMP return
// every pixel as it was; JPEG returns an image of the same size.
// The checksums of PNG chunks are made right again after each mutation, else none would get further
// than they. Needs no corpus: the seeds are the files of the unit tests.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "host/image.hpp"
#include "host/test_images.hpp"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

using namespace qip;
using namespace test;

// Above this, writing takes longer than it is worth.
constexpr size_t kMostWrittenPixels = size_t{1} << 16;

void require(bool condition, const char* what) {
  if (condition) return;
  fprintf(stderr, "fuzz-images: %s\n", what);
  abort();
}

Image reread(const Image& image, ImageFormat format) {
  const auto file = encode_image(image, format);
  require(file.ok(), "an image that was read cannot be written");
  auto again = decode_image(file.value());
  require(again.ok(), "a file that was written cannot be read");
  require(again.value().width == image.width && again.value().height == image.height,
          "the size has changed");
  return std::move(again.value());
}

// A PNG of a few pixels of every type and depth.
Bytes png_seed(uint32_t number) {
  constexpr uint8_t kTypes[][2] = {{0, 1}, {0, 16}, {2, 8},  {2, 16}, {3, 2},
                                   {3, 8}, {4, 8},  {4, 16}, {6, 8},  {6, 16}};
  const auto& [color_type, bit_depth] = kTypes[number % std::size(kTypes)];
  const PngHeader header{9, 5, bit_depth, color_type,
                         static_cast<uint8_t>(number / std::size(kTypes) % 2)};
  Bytes between;
  if (color_type == 3) between = png_chunk("PLTE", Bytes(12, 7)) + png_chunk("tRNS", {1});
  if (color_type == 2) between = png_chunk("tRNS", Bytes(6));
  return png_file(header, between, Bytes(1'000));
}

Bytes seed_file(uint32_t number) {
  static const auto jpegs = jpeg_samples();
  const Image image{5, 3, Bytes(60, 200)};
  if (number % 8 == 0) return encode_bmp(image);
  if (number % 2 == 0) return png_seed(number / 2);
  return jpegs[number / 2 % jpegs.size()].bytes;
}

void repair_png(std::span<uint8_t> bytes) {
  const Bytes signature = png_signature();
  if (bytes.size() < signature.size() ||
      memcmp(bytes.data(), signature.data(), signature.size()) != 0) {
    return;
  }
  bytes = bytes.subspan(signature.size());
  while (bytes.size() >= 12) {
    const size_t length =
        size_t{bytes[0]} << 24 | size_t{bytes[1]} << 16 | size_t{bytes[2]} << 8 | bytes[3];
    if (length > bytes.size() - 12) return;
    const uLong checksum = crc32(0, bytes.data() + 4, static_cast<uInt>(length + 4));
    const Bytes right = big_endian_u32(checksum);
    memcpy(bytes.data() + 8 + length, right.data(), right.size());
    bytes = bytes.subspan(12 + length);
  }
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned random) {
  if (size < 8 || random % 64 == 0) {
    const Bytes seed = seed_file(random / 64);
    size = std::min(seed.size(), max_size);
    memcpy(data, seed.data(), size);
  } else {
    size = LLVMFuzzerMutate(data, size, max_size);
  }
  repair_png(std::span(data, size));
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto decoded = decode_image(std::span(data, size));
  if (!decoded.ok()) {
    require(!decoded.error().empty(), "an error without words");
    return 0;
  }
  const Image& image = decoded.value();
  require(image.width > 0 && image.height > 0 && image.width <= kMaxImageSide &&
              image.height <= kMaxImageSide,
          "a side is out of its range");
  const size_t pixels = size_t{image.width} * image.height;
  require(image.rgba.size() == pixels * 4, "the pixels are not as many as the size says");
  if (pixels > kMostWrittenPixels) return 0;
  require(reread(image, ImageFormat::Png).rgba == image.rgba, "PNG has changed a pixel");
  require(reread(image, ImageFormat::Bmp).rgba == image.rgba, "BMP has changed a pixel");
  reread(image, ImageFormat::Jpeg);
  return 0;
}
