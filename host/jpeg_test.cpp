// JPEG: every kind that is read, what is refused, orientation from the file to the pixels, and what
// is written. Pixels are compared within the tolerance of the conversion of colours.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "host/image.hpp"
#include "host/test_images.hpp"

namespace qip {
namespace {

using namespace test;

Bytes sample_named(std::string_view name) {
  for (const JpegSample& sample : jpeg_samples()) {
    if (sample.name == name) return sample.bytes;
  }
  ADD_FAILURE() << name;
  return {};
}

std::string error_of(std::span<const uint8_t> bytes) {
  const auto image = decode_image(bytes);
  return image ? "" : image.error();
}

bool is_near(const uint8_t* pixel, const uint8_t* color, int tolerance) {
  for (int i = 0; i < 3; i++) {
    if (std::abs(pixel[i] - color[i]) > tolerance) return false;
  }
  return pixel[3] == 255;
}

// The segment behind the start of the image.
Bytes with_segment(const Bytes& file, uint8_t marker, const Bytes& data) {
  const size_t length = data.size() + 2;
  Bytes result(file.begin(), file.begin() + 2);
  result = result +
           Bytes{0xFF, marker, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)} +
           data;
  result.insert(result.end(), file.begin() + 2, file.end());
  return result;
}

Bytes exif(uint8_t orientation) {
  return from_hex("457869660000 4d4d002a00000008 0001 0112 0003 00000001 00") +
         Bytes{orientation, 0, 0, 0, 0, 0, 0};
}

TEST(Jpeg, EveryKindHasTheRightColours) {
  for (const JpegSample& sample : jpeg_samples()) {
    auto image = decode_image(sample.bytes);
    ASSERT_TRUE(image.ok()) << sample.name << ": " << image.error();
    ASSERT_EQ(image.value().width, 16u);
    ASSERT_EQ(image.value().height, 8u);
    ASSERT_EQ(image.value().rgba.size(), 16u * 8 * 4);
    for (size_t i = 0; i < 16 * 8; i++) {
      // Where colour has half the resolution, the edge between the halves is smoothed.
      if (sample.name == "YCbCr at half resolution" && (i % 16 == 7 || i % 16 == 8)) continue;
      const uint8_t* const pixel = image.value().rgba.data() + i * 4;
      EXPECT_TRUE(is_near(pixel, i % 16 < 8 ? sample.left : sample.right, 2))
          << sample.name << " " << i << ": " << +pixel[0] << " " << +pixel[1] << " " << +pixel[2];
    }
  }
}

TEST(Jpeg, IsTurnedAsItsExifSays) {
  const Bytes file = sample_named("YCbCr");
  const uint8_t red[3] = {200, 40, 60};
  const uint8_t blue[3] = {30, 90, 220};
  for (uint8_t orientation = 1; orientation <= 8; orientation++) {
    auto image = decode_image(with_segment(file, 0xE1, exif(orientation)));
    ASSERT_TRUE(image.ok()) << image.error();
    const bool sideways = orientation >= 5;
    ASSERT_EQ(image.value().width, sideways ? 8u : 16u);
    ASSERT_EQ(image.value().height, sideways ? 16u : 8u);
    // Which end of the long side the file's left is at, from the figures of EXIF.
    const bool red_first =
        orientation == 1 || orientation == 4 || orientation == 5 || orientation == 6;
    for (size_t i = 0; i < 16 * 8; i++) {
      const size_t along = sideways ? i / 8 : i % 16;
      EXPECT_TRUE(
          is_near(image.value().rgba.data() + i * 4, (along < 8) == red_first ? red : blue, 2))
          << +orientation << " " << i;
    }
  }
}

// A picture without symmetry, larger than what is turned at once, against the upright one.
TEST(Jpeg, EveryPixelIsTurnedToItsPlace) {
  Image picture{37, 41, {}};
  for (unsigned y = 0; y < 41; y++) {
    for (unsigned x = 0; x < 37; x++) {
      picture.rgba.insert(picture.rgba.end(),
                          {static_cast<uint8_t>(x * 6), static_cast<uint8_t>(y * 6),
                           static_cast<uint8_t>(x * y), 255});
    }
  }
  const Bytes file = encode_image(picture, ImageFormat::Jpeg).value();
  const Image upright = decode_image(file).value();
  for (uint8_t orientation = 2; orientation <= 8; orientation++) {
    const Image turned = decode_image(with_segment(file, 0xE1, exif(orientation))).value();
    ASSERT_EQ(turned.rgba.size(), upright.rgba.size());
    ASSERT_EQ(turned.width, orientation < 5 ? 37u : 41u);
    for (size_t y = 0; y < turned.height; y++) {
      for (size_t x = 0; x < turned.width; x++) {
        size_t from_x = orientation < 5 ? x : y;
        size_t from_y = orientation < 5 ? y : x;
        if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) {
          from_x = 36 - from_x;
        }
        if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) {
          from_y = 40 - from_y;
        }
        ASSERT_TRUE(std::equal(&upright.rgba[(from_y * 37 + from_x) * 4],
                               &upright.rgba[(from_y * 37 + from_x) * 4] + 4,
                               &turned.rgba[(y * turned.width + x) * 4]))
            << +orientation << ": " << x << ", " << y;
      }
    }
  }
}

TEST(Jpeg, TheFirstExifBlockDecides) {
  const Bytes file = sample_named("YCbCr");
  const Bytes second = with_segment(file, 0xE1, exif(6));
  EXPECT_EQ(decode_image(with_segment(second, 0xE1, exif(1))).value().width, 16u);
  EXPECT_EQ(decode_image(with_segment(second, 0xE1, {'h', 't', 't', 'p'})).value().width, 8u);
}

TEST(Jpeg, EveryTruncationIsRefusedOrChangesNothing) {
  for (const JpegSample& sample : jpeg_samples()) {
    const Bytes whole = decode_image(sample.bytes).value().rgba;
    for (size_t size = 3; size < sample.bytes.size(); size++) {
      const auto image = decode_image(std::span(sample.bytes).first(size));
      if (!image.ok()) continue;
      // Only filling bits and the end marker may be missing.
      EXPECT_GE(size + 4, sample.bytes.size()) << sample.name;
      EXPECT_EQ(image.value().rgba, whole) << sample.name << " " << size;
    }
    EXPECT_EQ(error_of(std::span(sample.bytes).first(sample.bytes.size() - 6)).substr(0, 6),
              "JPEG: ")
        << sample.name;
  }
}

TEST(Jpeg, ATruncatedScanIsCalledSo) {
  Image picture{64, 64, Bytes(64 * 64 * 4, 255)};
  for (size_t i = 0; i < picture.rgba.size(); i++) {
    picture.rgba[i] = static_cast<uint8_t>(i * 2'654'435'761 >> 20);
  }
  const Bytes file = encode_image(picture, ImageFormat::Jpeg).value();
  EXPECT_EQ(error_of(std::span(file).first(file.size() / 2)), "JPEG: the file ends early");
}

TEST(Jpeg, NoWrongByteGivesAnImageOfAnotherShape) {
  for (const JpegSample& sample : jpeg_samples()) {
    for (size_t at = 2; at < sample.bytes.size(); at++) {
      for (int value : {0x00, 0x7F, 0x80, 0xFF}) {
        Bytes bytes = sample.bytes;
        bytes[at] = static_cast<uint8_t>(value);
        const auto image = decode_image(bytes);
        if (!image.ok()) continue;
        EXPECT_EQ(image.value().rgba.size(),
                  size_t{image.value().width} * image.value().height * 4);
      }
    }
  }
}

// Where the height and the width are: behind the frame's marker, length and precision.
void set_size(Bytes& file, unsigned width, unsigned height) {
  for (size_t i = 0; i + 8 < file.size(); i++) {
    if (file[i] != 0xFF || (file[i + 1] != 0xC0 && file[i + 1] != 0xC2)) continue;
    file[i + 5] = static_cast<uint8_t>(height >> 8);
    file[i + 6] = static_cast<uint8_t>(height);
    file[i + 7] = static_cast<uint8_t>(width >> 8);
    file[i + 8] = static_cast<uint8_t>(width);
    return;
  }
  FAIL();
}

TEST(Jpeg, AnnouncedSizesAreCheckedBeforeMemoryIsTaken) {
  Bytes file = sample_named("YCbCr");
  set_size(file, 65'500, 65'500);
  EXPECT_EQ(error_of(file),
            "JPEG: an image of 65500 x 65500 pixels is too large (at most 65535 a side and "
            "268435456 in all)");
  set_size(file, 0, 8);
  EXPECT_NE(error_of(file), "");
  set_size(file, 16, 0);
  EXPECT_NE(error_of(file), "");
}

TEST(Jpeg, AProgressiveImageIsBoundedByTheMemoryOfItsCoefficients) {
  Bytes file = sample_named("progressive");
  set_size(file, 16'000, 16'000);
  EXPECT_EQ(error_of(file), "JPEG: a progressive image of this size needs too much memory");
}

TEST(Jpeg, AFileWithTooManyScansIsRefused) {
  // Every component in a scan of its own, the first of them again and again.
  const Bytes start = jfif_start() + from_hex(
                                         "ffc00011080008001003011100021100031100 "
                                         "ffc4001500010100000000000000000000000000000a0b "
                                         "ffc40014100100000000000000000000000000000000");
  const auto scan = [](uint8_t component) {
    return from_hex("ffda000801") + Bytes{component} + from_hex("00003f00 31ea583f");
  };
  Bytes file = start + scan(2) + scan(3);
  for (int i = 0; i < 98; i++) file = file + scan(1);
  EXPECT_EQ(error_of(file + from_hex("ffd9")), "");
  file = file + scan(1);
  EXPECT_EQ(error_of(file + from_hex("ffd9")), "JPEG: it has too many scans");
}

// --- Writing -------------------------------------------------------------------------------------

Image gradient(uint32_t width, uint32_t height) {
  Image image{width, height, {}};
  for (uint32_t y = 0; y < height; y++) {
    for (uint32_t x = 0; x < width; x++) {
      const uint8_t pixel[4] = {static_cast<uint8_t>(x * 255 / width),
                                static_cast<uint8_t>(y * 255 / height),
                                static_cast<uint8_t>((x + y) * 255 / (width + height)), 255};
      image.rgba.insert(image.rgba.end(), pixel, pixel + 4);
    }
  }
  return image;
}

int largest_difference(const Image& a, const Image& b) {
  int largest = 0;
  for (size_t i = 0; i < a.rgba.size(); i++) {
    largest = std::max(largest, std::abs(a.rgba[i] - b.rgba[i]));
  }
  return largest;
}

TEST(JpegEncoder, EverySizeComesBackWithNearlyItsPixels) {
  for (uint32_t width : {1u, 2u, 7u, 8u, 9u, 15u, 16u, 17u, 33u}) {
    for (uint32_t height : {1u, 7u, 8u, 9u, 16u, 17u, 40u}) {
      const Image image = gradient(width, height);
      for (int quality : {95, 80}) {
        auto file = encode_image(image, ImageFormat::Jpeg, quality);
        ASSERT_TRUE(file.ok());
        auto decoded = decode_image(file.value());
        ASSERT_TRUE(decoded.ok()) << decoded.error();
        ASSERT_EQ(decoded.value().width, width);
        ASSERT_EQ(decoded.value().height, height);
        // At 80 colour has half the resolution, and small gradients are steep.
        if (quality == 95) {
          EXPECT_LE(largest_difference(image, decoded.value()), 12) << width << " x " << height;
        } else if (width >= 16 && height >= 16) {
          EXPECT_LE(largest_difference(image, decoded.value()), 30) << width << " x " << height;
        }
      }
    }
  }
}

TEST(JpegEncoder, FlatColoursKeepTheirValues) {
  for (const auto& color : {Bytes{0, 0, 0, 255}, Bytes{255, 255, 255, 255}, Bytes{255, 0, 0, 255},
                            Bytes{0, 255, 0, 255}, Bytes{0, 0, 255, 255}, Bytes{9, 130, 77, 255}}) {
    for (int quality : {100, 90, 50}) {
      Image image{20, 20, {}};
      for (int i = 0; i < 400; i++) image.rgba = image.rgba + color;
      const auto file = encode_image(image, ImageFormat::Jpeg, quality);
      const Image decoded = decode_image(file.value()).value();
      EXPECT_LE(largest_difference(image, decoded), quality == 50 ? 4 : 2) << quality;
    }
  }
}

// The largest and the smallest coefficients that there can be, in every position.
TEST(JpegEncoder, ExtremeBlocksAreCodedRight) {
  Image image{64, 64, Bytes(64 * 64 * 4, 255)};
  uint32_t state = 1;
  for (size_t y = 0; y < 64; y++) {
    for (size_t x = 0; x < 64; x++) {
      state = state * 1'664'525 + 1'013'904'223;
      const bool noise = (state >> 31) != 0;
      // Quarters: a chessboard, stripes both ways, and noise of black and white.
      const bool white =
          y < 32 ? (x < 32 ? (x + y) % 2 == 0 : x % 2 == 0) : (x < 32 ? y % 2 == 0 : noise);
      for (size_t i = 0; i < 3; i++) image.rgba[(y * 64 + x) * 4 + i] = white ? 255 : 0;
    }
  }
  const Image decoded = decode_image(encode_image(image, ImageFormat::Jpeg, 100).value()).value();
  EXPECT_LE(largest_difference(image, decoded), 3);
}

TEST(JpegEncoder, EveryQualityIsReadable) {
  const Image image = gradient(50, 30);
  size_t last = 0;
  for (int quality = 1; quality <= 100; quality++) {
    const Bytes file = encode_image(image, ImageFormat::Jpeg, quality).value();
    ASSERT_EQ(error_of(file), "") << quality;
    if (quality % 33 == 1) {
      EXPECT_GT(file.size(), last);
      last = file.size();
    }
  }
}

TEST(JpegEncoder, ColourKeepsItsResolutionFromQuality90) {
  const Image image = gradient(16, 16);
  const auto sampling = [&](int quality) {
    const Bytes file = encode_image(image, ImageFormat::Jpeg, quality).value();
    const Bytes frame = {0xFF, 0xC0};
    const auto at = std::search(file.begin(), file.end(), frame.begin(), frame.end());
    return static_cast<int>(*(at + 11));
  };
  EXPECT_EQ(sampling(95), 0x11);
  EXPECT_EQ(sampling(90), 0x11);
  EXPECT_EQ(sampling(89), 0x22);
}

TEST(JpegEncoder, LeavesTheAlphaOut) {
  Image image = gradient(9, 9);
  const Bytes opaque = encode_image(image, ImageFormat::Jpeg).value();
  for (size_t i = 3; i < image.rgba.size(); i += 4) image.rgba[i] = 7;
  EXPECT_EQ(encode_image(image, ImageFormat::Jpeg).value(), opaque);
}

}  // namespace
}  // namespace qip
