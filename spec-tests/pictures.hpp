// Pictures for tests of the command: BMP and PNG files written and read by the rules alone,
// independently of the program that is tested.
//
// Promises: what cannot be read is a failure of the running test and an empty picture.
// PNG: 8 bits a channel, not interlaced, which is what the command writes.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace qip::pictures {

struct Pixel {
  uint8_t red = 0, green = 0, blue = 0, alpha = 255;
  bool operator==(const Pixel&) const = default;
};
inline void PrintTo(const Pixel& pixel, std::ostream* out) {
  *out << '(' << int{pixel.red} << ' ' << int{pixel.green} << ' ' << int{pixel.blue} << ' '
       << int{pixel.alpha} << ')';
}

struct Picture {
  uint32_t width = 0, height = 0;
  std::vector<Pixel> pixels;  // rows from the top

  const Pixel& at(uint32_t x, uint32_t y) const { return pixels[size_t{y} * width + x]; }
  bool operator==(const Picture&) const = default;
};

inline Picture make(uint32_t width, uint32_t height, std::vector<Pixel> pixels) {
  return {width, height, std::move(pixels)};
}
inline Picture uniform(uint32_t width, uint32_t height, Pixel pixel) {
  return {width, height, std::vector<Pixel>(size_t{width} * height, pixel)};
}
inline Picture noise(uint32_t width, uint32_t height, uint32_t seed = 1) {
  std::mt19937 random(seed);
  Picture picture = uniform(width, height, {});
  for (Pixel& pixel : picture.pixels) {
    const uint32_t bits = static_cast<uint32_t>(random());
    pixel = {static_cast<uint8_t>(bits), static_cast<uint8_t>(bits >> 8),
             static_cast<uint8_t>(bits >> 16), static_cast<uint8_t>(bits >> 24)};
  }
  return picture;
}

// --- Numbers -------------------------------------------------------------------------------------

inline void put_little(std::string& bytes, uint64_t value, int count) {
  for (int i = 0; i < count; i++) bytes += static_cast<char>(value >> (8 * i));
}
inline void put_big(std::string& bytes, uint32_t value) {
  for (int i = 3; i >= 0; i--) bytes += static_cast<char>(value >> (8 * i));
}
inline uint32_t little(std::string_view bytes, size_t at, int count = 4) {
  uint32_t value = 0;
  for (int i = count - 1; i >= 0; i--) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}
inline uint32_t big(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; i++) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

// --- BMP -----------------------------------------------------------------------------------------

enum class Rows : uint8_t { BottomUp, TopDown };

inline std::string bmp(const Picture& picture, int bits = 32, Rows rows = Rows::BottomUp) {
  std::string pixels;
  for (uint32_t row = 0; row < picture.height; row++) {
    const uint32_t y = rows == Rows::TopDown ? row : picture.height - 1 - row;
    for (uint32_t x = 0; x < picture.width; x++) {
      const Pixel& pixel = picture.at(x, y);
      for (const uint8_t channel : {pixel.blue, pixel.green, pixel.red}) {
        pixels += static_cast<char>(channel);
      }
      if (bits == 32) pixels += static_cast<char>(pixel.alpha);
    }
    while (pixels.size() % 4 != 0) pixels += '\0';
  }
  std::string file = "BM";
  put_little(file, 54 + pixels.size(), 4);
  put_little(file, 0, 4);
  put_little(file, 54, 4);
  put_little(file, 40, 4);
  put_little(file, picture.width, 4);
  put_little(file, rows == Rows::TopDown ? 0u - picture.height : picture.height, 4);
  put_little(file, 1, 2);
  put_little(file, static_cast<uint64_t>(bits), 2);
  put_little(file, 0, 4);
  put_little(file, pixels.size(), 4);
  put_little(file, 0, 8);
  put_little(file, 0, 8);
  return file + pixels;
}

// Only what the command writes: 32 bits, from the bottom up, nothing but the header before.
inline Picture read_bmp(std::string_view file) {
  if (file.size() < 54 || file.substr(0, 2) != "BM") {
    ADD_FAILURE() << "no BMP file of " << file.size() << " bytes";
    return {};
  }
  Picture picture = uniform(little(file, 18), little(file, 22), {});
  const size_t size = size_t{4} * picture.width * picture.height;
  EXPECT_EQ(file.size(), 54 + size);
  EXPECT_EQ(file, bmp(picture).substr(0, 54) + std::string(file.substr(54)));
  if (file.size() != 54 + size) return {};
  for (uint32_t y = 0; y < picture.height; y++) {
    for (uint32_t x = 0; x < picture.width; x++) {
      const size_t at = 54 + 4 * (size_t{picture.height - 1 - y} * picture.width + x);
      const auto channel = [&](size_t i) { return static_cast<uint8_t>(file[at + i]); };
      picture.pixels[size_t{y} * picture.width + x] = {channel(2), channel(1), channel(0),
                                                       channel(3)};
    }
  }
  return picture;
}

// --- PNG -----------------------------------------------------------------------------------------

enum class Colour : uint8_t { Grey = 0, Rgb = 2, Rgba = 6 };
inline size_t channels_of(Colour colour) {
  return colour == Colour::Grey ? 1 : colour == Colour::Rgb ? 3 : 4;
}

inline std::string chunk(const std::string& type, const std::string& data) {
  std::string bytes;
  put_big(bytes, static_cast<uint32_t>(data.size()));
  const std::string body = type + data;
  bytes += body;
  put_big(bytes, static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(body.data()),
                                             static_cast<uInt>(body.size()))));
  return bytes;
}

inline std::string png(const Picture& picture, Colour colour) {
  std::string rows;
  for (uint32_t y = 0; y < picture.height; y++) {
    rows += '\0';
    for (uint32_t x = 0; x < picture.width; x++) {
      const Pixel& pixel = picture.at(x, y);
      rows += static_cast<char>(pixel.red);
      if (colour == Colour::Grey) continue;
      rows += static_cast<char>(pixel.green);
      rows += static_cast<char>(pixel.blue);
      if (colour == Colour::Rgba) rows += static_cast<char>(pixel.alpha);
    }
  }
  uLongf size = compressBound(rows.size());
  std::string data(size, '\0');
  EXPECT_EQ(compress(reinterpret_cast<Bytef*>(data.data()), &size,
                     reinterpret_cast<const Bytef*>(rows.data()), rows.size()),
            Z_OK);
  data.resize(size);
  std::string header;
  put_big(header, picture.width);
  put_big(header, picture.height);
  header += {8, static_cast<char>(colour), 0, 0, 0};
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + chunk("IDAT", data) + chunk("IEND", "");
}

inline int paeth(int left, int above, int corner) {
  const int guess = left + above - corner;
  const int to_left = std::abs(guess - left), to_above = std::abs(guess - above);
  const int to_corner = std::abs(guess - corner);
  if (to_left <= to_above && to_left <= to_corner) return left;
  return to_above <= to_corner ? above : corner;
}

struct PngFile {
  Picture picture;
  Colour colour = Colour::Rgb;
};
inline PngFile read_png(std::string_view file) {
  PngFile result;
  if (file.size() < 33 || file.substr(0, 8) != "\x89PNG\r\n\x1a\n") {
    ADD_FAILURE() << "no PNG file of " << file.size() << " bytes";
    return result;
  }
  Picture& picture = result.picture;
  picture = uniform(big(file, 16), big(file, 20), {});
  result.colour = static_cast<Colour>(file[25]);
  EXPECT_EQ(file.substr(24, 1), "\x08");
  EXPECT_EQ(file.substr(26, 3), std::string_view("\0\0\0", 3));
  std::string data;
  for (size_t at = 8; at + 12 <= file.size(); at += 12 + big(file, at)) {
    const std::string part(file.substr(at + 8, big(file, at)));
    EXPECT_EQ(file.substr(at, part.size() + 12), chunk(std::string(file.substr(at + 4, 4)), part));
    if (file.substr(at + 4, 4) == "IDAT") data += part;
  }
  const size_t channels = channels_of(result.colour);
  const size_t row_bytes = channels * picture.width;
  uLongf size = (row_bytes + 1) * picture.height;
  std::vector<uint8_t> rows(size + 1);
  EXPECT_EQ(
      uncompress(rows.data(), &size, reinterpret_cast<const Bytef*>(data.data()), data.size()),
      Z_OK);
  EXPECT_EQ(size, (row_bytes + 1) * picture.height);
  for (size_t y = 0; y < picture.height; y++) {
    uint8_t* row = &rows[y * (row_bytes + 1) + 1];
    const uint8_t* before = y > 0 ? row - (row_bytes + 1) : nullptr;
    for (size_t i = 0; i < row_bytes; i++) {
      const int left = i >= channels ? row[i - channels] : 0;
      const int above = before != nullptr ? before[i] : 0;
      const int corner = before != nullptr && i >= channels ? before[i - channels] : 0;
      const int added[] = {0, left, above, (left + above) / 2, paeth(left, above, corner)};
      row[i] = static_cast<uint8_t>(row[i] + added[std::min<size_t>(row[-1], 4)]);
    }
    for (size_t x = 0; x < picture.width; x++) {
      const uint8_t* from = row + x * channels;
      picture.pixels[y * picture.width + x] =
          channels == 1 ? Pixel{from[0], from[0], from[0], 255}
                        : Pixel{from[0], from[1], from[2], channels == 4 ? from[3] : uint8_t{255}};
    }
  }
  return result;
}

}  // namespace qip::pictures
