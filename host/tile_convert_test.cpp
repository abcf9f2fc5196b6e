// Conversions between bytes and floats, to the bit: every byte, every float that is on an edge, and
// the same result for every length and alignment.
#include "host/tile_convert.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace qip {
namespace {

// The rules, one value at a time.
float expected_float(uint8_t byte) {
  return static_cast<float>(byte) * std::bit_cast<float>(0x3B80'8081);
}
uint8_t expected_byte(float value) {
  if (std::isnan(value) || value <= 0.0f) return 0;
  if (value >= 1.0f) return 255;
  volatile float scaled = value * 255.0f;  // never fused with the addition
  return static_cast<uint8_t>(scaled + 0.5f);
}

std::vector<float> to_floats(std::vector<uint8_t> bytes) {
  std::vector<float> floats(bytes.size());
  pixels_to_floats(bytes.data(), reinterpret_cast<uint8_t*>(floats.data()), bytes.size() / 4);
  return floats;
}
std::vector<uint8_t> to_bytes(const std::vector<float>& floats) {
  std::vector<uint8_t> bytes(floats.size());
  floats_to_pixels(reinterpret_cast<const uint8_t*>(floats.data()), bytes.data(), bytes.size() / 4);
  return bytes;
}

TEST(TileConvert, EveryByteBecomesItsProductWithTheUnit) {
  std::vector<uint8_t> bytes(256);
  for (size_t i = 0; i < 256; i++) bytes[i] = static_cast<uint8_t>(i);
  const std::vector<float> floats = to_floats(bytes);
  for (size_t i = 0; i < 256; i++) {
    EXPECT_EQ(std::bit_cast<uint32_t>(floats[i]),
              std::bit_cast<uint32_t>(expected_float(static_cast<uint8_t>(i))));
  }
  EXPECT_EQ(floats[255], 1.0f);
  EXPECT_EQ(std::bit_cast<uint32_t>(floats[1]), 0x3B80'8081u);
  EXPECT_EQ(to_bytes(floats), bytes);
}

TEST(TileConvert, FloatsAtEveryEdge) {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<std::pair<float, uint8_t>> edges = {
      {nan, 0},
      {-nan, 0},
      {std::bit_cast<float>(0x7F80'0001), 0},  // a signalling NaN
      {std::bit_cast<float>(0xFFFF'FFFF), 0},
      {inf, 255},
      {-inf, 0},
      {7.0f, 255},
      {-7.0f, 0},
      {0.5f, 128},
      {0.0f, 0},
      {-0.0f, 0},
      {1.0f, 255},
      {std::nextafter(1.0f, 0.0f), 255},
      {std::nextafter(1.0f, 2.0f), 255},
      {3.0e9f, 255},  // beyond what fits an integer of 32 bits
      {-3.0e9f, 0},
      {1.0e38f, 255},
      {-1.0e38f, 0},
      {1.0e-40f, 0},  // denormal
      {-0.001f, 0},
      {-0.003f, 0},
      {0.5f / 255.0f, 1},
      {std::nextafter(0.5f / 255.0f, 0.0f), 1},  // the sum rounds up to 1
      {0.499999f / 255.0f, 0},
      {254.4f / 255.0f, 254},
  };
  // Eight times over, so that both the blocks and what is left behind them see every edge.
  for (size_t shift = 0; shift < 36; shift++) {
    std::vector<float> floats(shift, 0.25f);
    std::vector<uint8_t> expected(shift, 64);
    for (const auto& [value, byte] : edges) {
      floats.push_back(value);
      expected.push_back(byte);
    }
    floats.resize((floats.size() + 3) / 4 * 4);
    expected.resize(floats.size());
    const std::vector<uint8_t> bytes = to_bytes(floats);
    for (size_t i = 0; i < bytes.size(); i++) {
      EXPECT_EQ(bytes[i], expected[i]) << floats[i] << ", shifted by " << shift;
    }
  }
}

TEST(TileConvert, FloatsAroundEveryStep) {
  std::vector<float> floats;
  std::vector<uint8_t> expected;
  for (int byte = 0; byte < 255; byte++) {
    float value = (static_cast<float>(byte) + 0.5f) / 255.0f;
    for (int i = 0; i < 4; i++) value = std::nextafter(value, 0.0f);
    for (int i = 0; i < 8; i++) {
      floats.push_back(value);
      expected.push_back(expected_byte(value));
      value = std::nextafter(value, 2.0f);
    }
  }
  EXPECT_EQ(to_bytes(floats), expected);
}

TEST(TileConvert, RandomBitsAreConvertedByTheRule) {
  std::mt19937 random(1);
  std::vector<float> floats(1 << 16);
  std::vector<uint8_t> expected(floats.size());
  for (size_t i = 0; i < floats.size(); i++) {
    floats[i] = std::bit_cast<float>(static_cast<uint32_t>(random()));
    expected[i] = expected_byte(floats[i]);
  }
  EXPECT_EQ(to_bytes(floats), expected);
}

// Nothing behind the last pixel is touched, whatever the length and the alignment.
TEST(TileConvert, EveryLengthAndAlignmentGivesTheSame) {
  std::mt19937 random(2);
  constexpr uint8_t kUntouched = 0xA5;
  for (size_t pixels = 0; pixels <= 40; pixels++) {
    for (size_t offset = 0; offset < 8; offset++) {
      std::vector<uint8_t> bytes(offset + pixels * 4);
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
      std::vector<uint8_t> floats(offset + pixels * 16 + 16, kUntouched);
      pixels_to_floats(bytes.data() + offset, floats.data() + offset, pixels);
      for (size_t i = 0; i < pixels * 4; i++) {
        float value;
        memcpy(&value, floats.data() + offset + i * 4, 4);
        ASSERT_EQ(value, expected_float(bytes[offset + i])) << pixels << " " << offset;
      }
      for (size_t i = offset + pixels * 16; i < floats.size(); i++)
        ASSERT_EQ(floats[i], kUntouched);

      std::vector<uint8_t> back(offset + pixels * 4 + 16, kUntouched);
      floats_to_pixels(floats.data() + offset, back.data() + offset, pixels);
      for (size_t i = offset; i < bytes.size(); i++) ASSERT_EQ(back[i], bytes[i]);
      for (size_t i = bytes.size(); i < back.size(); i++) ASSERT_EQ(back[i], kUntouched);
    }
  }
}

TEST(TileConvert, PixelsAreRepeated) {
  const uint8_t pixel[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  for (size_t count = 0; count < 9; count++) {
    std::vector<uint8_t> row(count * 16 + 1, 0xFF);
    repeat_float_pixel(pixel, row.data(), count);
    for (size_t i = 0; i < count; i++) EXPECT_EQ(memcmp(row.data() + i * 16, pixel, 16), 0);
    EXPECT_EQ(row.back(), 0xFF);
  }
}

}  // namespace
}  // namespace qip
