// What the three formats have in common: how they are told apart, sizes, and the turning of photos.
#include "host/image.hpp"

#include <gtest/gtest.h>

#include "host/image_codec.hpp"
#include "host/test_images.hpp"

namespace qip {
namespace {

using namespace test;

constexpr ImageFormat kFormats[] = {ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp};

TEST(DecodeImage, RefusesWhatIsNoImage) {
  for (const Bytes& bytes : {Bytes{}, Bytes{'G', 'I', 'F', '8', '9', 'a'}, Bytes{'h', 'i'},
                             Bytes{0x89, 'P', 'N', 'G'}, Bytes(100)}) {
    const auto image = decode_image(bytes);
    ASSERT_FALSE(image.ok());
    EXPECT_EQ(image.error(), "image: unknown format");
  }
}

TEST(DecodeImage, FindsTheFormatInTheContent) {
  const Image image{2, 1, {1, 2, 3, 255, 200, 100, 50, 255}};
  for (ImageFormat format : kFormats) {
    auto file = encode_image(image, format);
    ASSERT_TRUE(file.ok());
    EXPECT_EQ(image_format_of_bytes(file.value()), format);
    auto decoded = decode_image(file.value());
    ASSERT_TRUE(decoded.ok()) << decoded.error();
    EXPECT_EQ(decoded.value().width, 2u);
    EXPECT_EQ(decoded.value().height, 1u);
  }
}

TEST(DecodeImage, BmpErrorsAreThoseOfTheContract) {
  const auto image = decode_image(Bytes{'B', 'M', 1});
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.error(), "BMP input too small");
}

TEST(EncodeImage, NeedsAFormat) {
  EXPECT_FALSE(encode_image(Image{1, 1, Bytes(4)}, ImageFormat::None).ok());
}

TEST(ImageSize, HasLimitsForSidesAndForTheWhole) {
  EXPECT_EQ(image_size_error(1, 1), "");
  EXPECT_EQ(image_size_error(65'535, 4'096), "");
  EXPECT_EQ(image_size_error(16'384, 16'384), "");
  EXPECT_NE(image_size_error(16'385, 16'384), "");
  EXPECT_NE(image_size_error(65'536, 1), "");
  EXPECT_NE(image_size_error(1, 65'536), "");
  EXPECT_NE(image_size_error(~uint64_t{0}, ~uint64_t{0}), "");
  EXPECT_EQ(image_size_error(0, 5), "an image of 0 x 5 pixels is empty");
  EXPECT_EQ(image_size_error(5, 0), "an image of 5 x 0 pixels is empty");
}

// --- EXIF orientation ----------------------------------------------------------------------------

// A directory of one entry in either byte order.
Bytes exif(bool big_endian, unsigned tag, unsigned type, unsigned count, unsigned value) {
  Bytes bytes = {'E', 'x', 'i', 'f', 0, 0};
  const auto put = [&](size_t size, uint64_t number) {
    for (size_t i = 0; i < size; i++) {
      bytes.push_back(static_cast<uint8_t>(number >> 8 * (big_endian ? size - 1 - i : i)));
    }
  };
  bytes.insert(bytes.end(), 2, big_endian ? 'M' : 'I');
  put(2, 42);
  put(4, 8);  // where the directory is
  put(2, 1);  // entries
  put(2, tag);
  put(2, type);
  put(4, count);
  put(2, value);
  put(2, 0);
  put(4, 0);  // no further directory
  return bytes;
}

TEST(ExifOrientation, IsReadInBothByteOrders) {
  for (unsigned value = 1; value <= 8; value++) {
    EXPECT_EQ(exif_orientation(exif(false, 0x0112, 3, 1, value)), static_cast<int>(value));
    EXPECT_EQ(exif_orientation(exif(true, 0x0112, 3, 1, value)), static_cast<int>(value));
  }
}

TEST(ExifOrientation, IsUprightIfNothingUsableIsSaid) {
  EXPECT_EQ(exif_orientation(exif(false, 0x0112, 3, 1, 0)), 1);
  EXPECT_EQ(exif_orientation(exif(false, 0x0112, 3, 1, 9)), 1);
  EXPECT_EQ(exif_orientation(exif(false, 0x0112, 3, 2, 6)), 1);  // two values
  EXPECT_EQ(exif_orientation(exif(false, 0x0112, 4, 1, 6)), 1);  // of another type
  EXPECT_EQ(exif_orientation(exif(false, 0x0113, 3, 1, 6)), 1);  // another tag
}

TEST(ExifOrientation, IsNotLookedForElsewhere) {
  EXPECT_EQ(exif_orientation({}), std::nullopt);
  EXPECT_EQ(exif_orientation(Bytes{'h', 't', 't', 'p', ':', '/', '/'}), std::nullopt);
}

TEST(ExifOrientation, SurvivesEveryCutAndEveryWrongByte) {
  const Bytes whole = exif(true, 0x0112, 3, 1, 6);
  for (size_t size = 6; size < whole.size() - 6; size++) {  // the value is before the last six
    EXPECT_EQ(exif_orientation(std::span(whole).first(size)), 1) << size;
  }
  for (size_t at = 0; at < whole.size(); at++) {
    for (int value : {0x00, 0x7F, 0x80, 0xFF}) {
      Bytes bytes = whole;
      bytes[at] = static_cast<uint8_t>(value);
      const auto found = exif_orientation(bytes);
      EXPECT_TRUE(!found || (*found >= 1 && *found <= 8));
    }
  }
}

TEST(Placement, TurnsAsTheExifFiguresShow) {
  // The file has 3 x 2 pixels, 0 1 2 over 3 4 5. The images row by row:
  const struct {
    int orientation;
    size_t width;
    std::vector<int> pixels;
  } rows[] = {{1, 3, {0, 1, 2, 3, 4, 5}}, {2, 3, {2, 1, 0, 5, 4, 3}}, {3, 3, {5, 4, 3, 2, 1, 0}},
              {4, 3, {3, 4, 5, 0, 1, 2}}, {5, 2, {0, 3, 1, 4, 2, 5}}, {6, 2, {3, 0, 4, 1, 5, 2}},
              {7, 2, {5, 2, 4, 1, 3, 0}}, {8, 2, {2, 5, 1, 4, 0, 3}}};
  for (const auto& row : rows) {
    const Placement place = placement(row.orientation, 3, 2);
    std::vector<int> pixels(6, -1);
    for (int y = 0; y < 2; y++) {
      for (int x = 0; x < 3; x++) {
        const int64_t at = place.origin + x * place.right + y * place.down;
        ASSERT_EQ(at % 4, 0);
        pixels.at(static_cast<size_t>(at / 4)) = y * 3 + x;
      }
    }
    EXPECT_EQ(pixels, row.pixels) << row.orientation;
  }
}

}  // namespace
}  // namespace qip
