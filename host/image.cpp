// The format is found from the first bytes; the codec of that format does the rest. Here too: what
// EXIF says of a photo's orientation, read by a parser that looks at each entry once.
#include "host/image.hpp"

#include <cstring>
#include <utility>

#include "host/image_codec.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

// The numbers of a TIFF block in its byte order.
class TiffReader {
 public:
  explicit TiffReader(std::span<const uint8_t> bytes) : bytes_(bytes) {
    if (bytes.size() < 8) return;
    big_endian_ = bytes[0] == 'M' && bytes[1] == 'M';
    const bool little_endian = bytes[0] == 'I' && bytes[1] == 'I';
    valid_ = (big_endian_ || little_endian) && u16(2) == 42;
  }

  bool valid() const { return valid_; }
  bool holds(uint64_t at, uint64_t size) const {
    return at <= bytes_.size() && size <= bytes_.size() - at;
  }
  // Precondition: holds() what is read.
  uint32_t u16(uint64_t at) const {
    const uint32_t first = bytes_[at];
    const uint32_t second = bytes_[at + 1];
    return big_endian_ ? first << 8 | second : second << 8 | first;
  }
  uint32_t u32(uint64_t at) const {
    return big_endian_ ? u16(at) << 16 | u16(at + 2) : u16(at + 2) << 16 | u16(at);
  }

 private:
  std::span<const uint8_t> bytes_;
  bool big_endian_ = false;
  bool valid_ = false;
};

// Looks at the first directory only, which is the main image's, and at each of its entries once.
// Source: Exif 2.32, 4.5.4 and 4.6.2; TIFF 6.0, section 2.
int tiff_orientation(const TiffReader& tiff) {
  constexpr uint32_t kOrientationTag = 0x0112;
  constexpr uint32_t kShort = 3;
  constexpr uint64_t kEntryBytes = 12;
  if (!tiff.valid()) return 1;
  const uint64_t directory = tiff.u32(4);
  if (!tiff.holds(directory, 2)) return 1;
  const uint32_t entries = tiff.u16(directory);
  for (uint32_t i = 0; i < entries; i++) {
    const uint64_t entry = directory + 2 + i * kEntryBytes;
    if (!tiff.holds(entry, kEntryBytes)) return 1;
    if (tiff.u16(entry) != kOrientationTag) continue;
    const uint32_t value = tiff.u16(entry + 8);
    const bool usable = tiff.u16(entry + 2) == kShort && tiff.u32(entry + 4) == 1;
    return usable && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace

std::optional<int> exif_orientation(std::span<const uint8_t> data) {
  constexpr uint8_t kExif[6] = {'E', 'x', 'i', 'f', 0, 0};
  if (data.size() < sizeof kExif || memcmp(data.data(), kExif, sizeof kExif) != 0) return {};
  return tiff_orientation(TiffReader(data.subspan(sizeof kExif)));
}

// Source: Exif 2.32, 4.6.4 A, Orientation.
Placement placement(int orientation, int64_t width, int64_t height) {
  const int64_t columns = orientation < 5 ? width : height;  // of the image
  const int64_t row = columns * 4;
  switch (orientation) {
    case 2:
      return {(width - 1) * 4, -4, row};
    case 3:
      return {(height - 1) * row + (width - 1) * 4, -4, -row};
    case 4:
      return {(height - 1) * row, 4, -row};
    case 5:
      return {0, row, 4};
    case 6:
      return {(height - 1) * 4, row, -4};
    case 7:
      return {(width - 1) * row + (height - 1) * 4, -row, -4};
    case 8:
      return {(width - 1) * row, -row, 4};
    default:
      return {0, 4, row};
  }
}

std::string image_size_error(uint64_t width, uint64_t height) {
  const bool empty = width == 0 || height == 0;
  if (!empty && width <= kMaxImageSide && height <= kMaxImageSide &&
      width * height <= kMaxImagePixels) {
    return "";
  }
  const std::string size = number_text(width) + " x " + number_text(height);
  if (empty) return "an image of " + size + " pixels is empty";
  return "an image of " + size + " pixels is too large (at most " + number_text(kMaxImageSide) +
         " a side and " + number_text(kMaxImagePixels) + " in all)";
}

Result<Image, std::string> decode_image(std::span<const uint8_t> bytes) {
  switch (image_format_of_bytes(bytes)) {
    case ImageFormat::Png:
      return decode_png(bytes);
    case ImageFormat::Jpeg:
      return decode_jpeg(bytes);
    case ImageFormat::Bmp:
      return decode_bmp(bytes);
    case ImageFormat::None:
      break;
  }
  return std::string("image: unknown format");
}

Result<std::vector<uint8_t>, std::string> encode_image(const Image& image, ImageFormat format,
                                                       int quality) {
  switch (format) {
    case ImageFormat::Png:
      return encode_png(image);
    case ImageFormat::Jpeg:
      return encode_jpeg(image, quality);
    case ImageFormat::Bmp:
      return encode_bmp(image);
    case ImageFormat::None:
      break;
  }
  return std::string("image: unknown format");
}

}  // namespace qip
