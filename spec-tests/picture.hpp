// Small pictures for tests and for the gallery, and BMP files of them.
//
// Promises: to_bmp() writes the 32-bit, bottom-up form that `qip run` itself writes; from_bmp()
// reads exactly that form and nothing else, so a command that writes another one is noticed.
// Assumes: a picture fits in memory; coordinates are inside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qip {

// Straight alpha.
struct Color {
  uint8_t red = 0, green = 0, blue = 0, alpha = 255;
  bool operator==(const Color&) const = default;
};

struct Picture {
  uint32_t width = 0, height = 0;
  std::vector<Color> pixels;  // row by row from the top

  Picture() = default;
  Picture(uint32_t columns, uint32_t rows, Color color = {})
      : width(columns), height(rows), pixels(size_t{columns} * rows, color) {}

  Color& at(uint32_t x, uint32_t y) { return pixels[size_t{y} * width + x]; }
  const Color& at(uint32_t x, uint32_t y) const { return pixels[size_t{y} * width + x]; }
  bool operator==(const Picture&) const = default;
};

namespace picture_detail {

inline constexpr size_t kHeaderBytes = 54;

inline void put_number(std::string& bytes, uint32_t value, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
}

inline uint32_t number_at(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= uint32_t{static_cast<uint8_t>(bytes[at + i])} << (8 * i);
  return value;
}

inline std::string bmp_header(uint32_t width, uint32_t height) {
  const uint32_t pixel_bytes = width * height * 4;
  std::string bytes = "BM";
  put_number(bytes, kHeaderBytes + pixel_bytes, 4);
  put_number(bytes, 0, 4);
  put_number(bytes, kHeaderBytes, 4);
  put_number(bytes, 40, 4);
  put_number(bytes, width, 4);
  put_number(bytes, height, 4);
  put_number(bytes, 1, 2);   // planes
  put_number(bytes, 32, 2);  // bits per pixel
  put_number(bytes, 0, 4);   // no compression
  put_number(bytes, pixel_bytes, 4);
  bytes.resize(kHeaderBytes);
  return bytes;
}

}  // namespace picture_detail

inline std::string to_bmp(const Picture& picture) {
  std::string bytes = picture_detail::bmp_header(picture.width, picture.height);
  for (uint32_t y = picture.height; y-- > 0;) {
    for (uint32_t x = 0; x < picture.width; ++x) {
      const Color& color = picture.at(x, y);
      for (const uint8_t channel : {color.blue, color.green, color.red, color.alpha}) {
        bytes += static_cast<char>(channel);
      }
    }
  }
  return bytes;
}

inline std::optional<Picture> from_bmp(std::string_view bytes) {
  using namespace picture_detail;
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  const uint32_t width = number_at(bytes, 18), height = number_at(bytes, 22);
  if (width == 0 || width > 65535 || height == 0 || height > 65535) return std::nullopt;
  if (bytes.size() != kHeaderBytes + uint64_t{width} * height * 4) return std::nullopt;
  if (bytes.substr(0, kHeaderBytes) != bmp_header(width, height)) return std::nullopt;
  Picture picture(width, height);
  size_t at = kHeaderBytes;
  for (uint32_t y = height; y-- > 0;) {
    for (uint32_t x = 0; x < width; ++x, at += 4) {
      const auto channel = [&](size_t i) { return static_cast<uint8_t>(bytes[at + i]); };
      picture.at(x, y) = {channel(2), channel(1), channel(0), channel(3)};
    }
  }
  return picture;
}

}  // namespace qip
