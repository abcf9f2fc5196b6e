// BMP: every rule of the Tile contract in its order, and the pixels to the byte.
#include <gtest/gtest.h>

#include <tuple>

#include "host/image.hpp"
#include "host/test_images.hpp"

namespace qip {
namespace {

using namespace test;

void put(Bytes& file, size_t at, uint64_t value, size_t size) {
  for (size_t i = 0; i < size; i++) file[at + i] = static_cast<uint8_t>(value >> (8 * i));
}

// The header of a file whose pixels follow it.
Bytes header(int32_t width, int32_t height, unsigned bits) {
  Bytes file(54);
  file[0] = 'B';
  file[1] = 'M';
  put(file, 10, 54, 4);
  put(file, 14, 40, 4);
  put(file, 18, static_cast<uint32_t>(width), 4);
  put(file, 22, static_cast<uint32_t>(height), 4);
  put(file, 26, 1, 2);
  put(file, 28, bits, 2);
  return file;
}

std::string error_of(const Bytes& file) {
  const auto image = decode_bmp(file);
  return image ? "" : image.error();
}

Bytes pixels_of(const Bytes& file) {
  auto image = decode_bmp(file);
  if (!image) {
    ADD_FAILURE() << image.error();
    return {};
  }
  EXPECT_EQ(image.value().rgba.size(), size_t{image.value().width} * image.value().height * 4);
  return image.value().rgba;
}

TEST(Bmp, RowsOf24BitsArePaddedAndComeFromTheBottom) {
  const Bytes file = header(1, 2, 24) + Bytes{1, 2, 3, 99, 4, 5, 6, 99};
  EXPECT_EQ(pixels_of(file), (Bytes{6, 5, 4, 255, 3, 2, 1, 255}));
}

TEST(Bmp, ANegativeHeightMeansFromTheTop) {
  const Bytes file = header(1, -2, 24) + Bytes{1, 2, 3, 99, 4, 5, 6, 99};
  EXPECT_EQ(pixels_of(file), (Bytes{3, 2, 1, 255, 6, 5, 4, 255}));
  EXPECT_EQ(decode_bmp(file).value().height, 2u);
}

TEST(Bmp, TheFourthByteOf32BitsIsTheAlpha) {
  const Bytes file = header(2, 1, 32) + Bytes{1, 2, 3, 0, 4, 5, 6, 7};
  EXPECT_EQ(pixels_of(file), (Bytes{3, 2, 1, 0, 6, 5, 4, 7}));
}

TEST(Bmp, APixelOffsetBehindALargerHeaderIsHonoured) {
  Bytes file = header(1, 1, 32) + Bytes(84) + Bytes{1, 2, 3, 4};
  put(file, 14, 124, 4);
  put(file, 10, 138, 4);
  EXPECT_EQ(pixels_of(file), (Bytes{3, 2, 1, 4}));
}

TEST(Bmp, TheFileSizeFieldIsIgnored) {
  Bytes file = header(1, 1, 32) + Bytes{1, 2, 3, 4, 5};
  put(file, 2, 7, 4);
  EXPECT_EQ(pixels_of(file), (Bytes{3, 2, 1, 4}));
}

TEST(Bmp, EveryRuleHasItsWordsAndTheEarlierComesFirst) {
  // Each row breaks one rule more than the one before it, from the last rule to the first.
  Bytes file = header(2, 2, 24) + Bytes(15);  // a byte short
  EXPECT_EQ(error_of(file), "BMP pixel data out of range");
  put(file, 10, file.size() + 1, 4);
  EXPECT_EQ(error_of(file), "Invalid BMP data offset");
  put(file, 28, 16, 2);
  EXPECT_EQ(error_of(file), "Unsupported BMP bit depth");
  put(file, 30, 3, 4);
  EXPECT_EQ(error_of(file), "Unsupported BMP compression");
  put(file, 26, 2, 2);
  EXPECT_EQ(error_of(file), "Unsupported BMP planes");
  put(file, 22, 0, 4);
  EXPECT_EQ(error_of(file), "Unsupported BMP dimensions");
  put(file, 14, 39, 4);
  EXPECT_EQ(error_of(file), "Unsupported BMP DIB header");
  file[0] = 'b';
  EXPECT_EQ(error_of(file), "Input is not a BMP file");
  file.resize(53);
  EXPECT_EQ(error_of(file), "BMP input too small");
  EXPECT_EQ(error_of({}), "BMP input too small");
}

TEST(Bmp, AWidthIsPositive) {
  EXPECT_EQ(error_of(header(0, 1, 24)), "Unsupported BMP dimensions");
  EXPECT_EQ(error_of(header(-1, 1, 24) + Bytes(4)), "Unsupported BMP dimensions");
}

TEST(Bmp, OneBitAPixelIsRefused) {
  EXPECT_EQ(error_of(header(8, 1, 1) + Bytes(12)), "Unsupported BMP bit depth");
}

TEST(Bmp, AnOffsetAtTheEndOfTheFileIsInItsRange) {
  Bytes file = header(1, 1, 24);
  EXPECT_EQ(error_of(file), "BMP pixel data out of range");
  put(file, 10, 55, 4);
  EXPECT_EQ(error_of(file), "Invalid BMP data offset");
}

TEST(Bmp, AnnouncedSizesDoNotWrap) {
  // As 32-bit numbers, stride times rows of these are 0 or small.
  for (const auto& [width, height] : {std::pair{0x4000'0000, 4},
                                      {0x7FFF'FFFF, 0x7FFF'FFFF},
                                      {0x1000'0000, -0x7FFF'FFFF - 1},
                                      {100'000, 100'000}}) {
    EXPECT_EQ(error_of(header(width, height, 32) + Bytes(64)), "BMP pixel data out of range");
  }
}

TEST(Bmp, ASideBeyondTheLimitIsRefusedThoughItsPixelsAreThere) {
  const Bytes file = header(65'536, 1, 24) + Bytes(65'536 * 3);
  EXPECT_EQ(error_of(file),
            "BMP: an image of 65536 x 1 pixels is too large (at most 65535 a side and 268435456 in "
            "all)");
  EXPECT_EQ(error_of(header(65'535, 1, 24) + Bytes(65'536 * 3)), "");
}

TEST(Bmp, EveryTruncationIsRefused) {
  const Bytes file = header(3, 2, 24) + Bytes(24);
  for (size_t size = 0; size < file.size(); size++) {
    EXPECT_NE(error_of(Bytes(file.begin(), file.begin() + static_cast<ptrdiff_t>(size))), "")
        << size;
  }
}

TEST(Bmp, WritesTheHeaderOfTheContract) {
  const Image image{3, 2, Bytes(24)};
  EXPECT_EQ(encode_bmp(image),
            from_hex("424d4e000000000000003600000028000000030000000200000001002000000000001800"
                     "000000000000000000000000000000000000") +
                Bytes(24));
}

TEST(Bmp, WritesBottomUpWithAlpha) {
  const Image image{1, 2, {1, 2, 3, 4, 5, 6, 7, 8}};
  const Bytes file = encode_bmp(image);
  EXPECT_EQ(Bytes(file.begin() + 54, file.end()), (Bytes{7, 6, 5, 8, 3, 2, 1, 4}));
}

TEST(Bmp, ReadsWhatItWrites) {
  Image image{37, 11, {}};
  for (size_t i = 0; i < 37 * 11 * 4; i++) {
    image.rgba.push_back(static_cast<uint8_t>(i * 2'654'435'761 >> 13));
  }
  EXPECT_EQ(pixels_of(encode_bmp(image)), image.rgba);
}

}  // namespace
}  // namespace qip
