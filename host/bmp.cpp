// BMP as the Tile contract has it: uncompressed rows of 24 or 32 bits, upwards or downwards, behind
// any DIB header of at least 40 bytes. The fourth byte of a 32-bit pixel is its alpha.
//
// Bounds: the pixels must lie in the file before memory for them is taken, so an image is at most
// 4/3 of its file. The file-size field and all that is not checked here is ignored.
// Source: Microsoft, "Bitmap Storage" (BITMAPFILEHEADER, BITMAPINFOHEADER).
#include <cstring>
#include <utility>

#include "host/image_codec.hpp"

namespace qip {
namespace {

constexpr size_t kHeaderBytes = 54;
constexpr uint32_t kInfoHeaderBytes = 40;
// Offsets of the fields, from the start of the file.
constexpr size_t kFileSize = 2;
constexpr size_t kPixelOffset = 10;
constexpr size_t kInfoHeaderSize = 14;
constexpr size_t kWidth = 18;
constexpr size_t kHeight = 22;
constexpr size_t kPlanes = 26;
constexpr size_t kBitsPerPixel = 28;
constexpr size_t kCompression = 30;
constexpr size_t kImageSize = 34;

uint32_t u16_at(std::span<const uint8_t> bytes, size_t at) {
  return static_cast<uint32_t>(bytes[at] | bytes[at + 1] << 8);
}

uint32_t u32_at(std::span<const uint8_t> bytes, size_t at) {
  return u16_at(bytes, at) | u16_at(bytes, at + 2) << 16;
}

void put_u32(uint8_t* to, uint64_t value) {
  for (int i = 0; i < 4; i++) to[i] = static_cast<uint8_t>(value >> (8 * i));
}

// What the header says of the pixels.
struct Layout {
  uint64_t width = 0;
  uint64_t height = 0;
  uint64_t pixel_bytes = 0;  // 3 or 4
  uint64_t stride = 0;       // bytes from row to row
  uint64_t offset = 0;       // of the first row
  bool top_down = false;
};

// The checks of the contract, in its order and its words. Null: `layout` is filled and its pixels
// lie in `bytes`.
const char* read_layout(std::span<const uint8_t> bytes, Layout& layout) {
  if (bytes.size() < kHeaderBytes) return "BMP input too small";
  if (bytes[0] != 'B' || bytes[1] != 'M') return "Input is not a BMP file";
  if (u32_at(bytes, kInfoHeaderSize) < kInfoHeaderBytes) return "Unsupported BMP DIB header";
  const int64_t width = static_cast<int32_t>(u32_at(bytes, kWidth));
  const int64_t height = static_cast<int32_t>(u32_at(bytes, kHeight));
  if (width <= 0 || height == 0) return "Unsupported BMP dimensions";
  if (u16_at(bytes, kPlanes) != 1) return "Unsupported BMP planes";
  if (u32_at(bytes, kCompression) != 0) return "Unsupported BMP compression";
  const uint32_t bits = u16_at(bytes, kBitsPerPixel);
  if (bits != 24 && bits != 32) return "Unsupported BMP bit depth";
  layout.top_down = height < 0;
  layout.width = static_cast<uint64_t>(width);
  layout.height = static_cast<uint64_t>(layout.top_down ? -height : height);
  layout.pixel_bytes = bits / 8;
  layout.stride = (layout.width * layout.pixel_bytes + 3) & ~uint64_t{3};
  layout.offset = u32_at(bytes, kPixelOffset);
  if (layout.offset > bytes.size()) return "Invalid BMP data offset";
  // Below 2^33 * 2^31: no overflow.
  if (layout.stride * layout.height > bytes.size() - layout.offset) {
    return "BMP pixel data out of range";
  }
  return nullptr;
}

// Swaps red and blue, which is its own reverse.
template <size_t kPixelBytes>
void copy_row(const uint8_t* from, size_t width, uint8_t* to) {
  for (size_t x = 0; x < width; x++) {
    to[4 * x] = from[kPixelBytes * x + 2];
    to[4 * x + 1] = from[kPixelBytes * x + 1];
    to[4 * x + 2] = from[kPixelBytes * x];
    to[4 * x + 3] = kPixelBytes == 4 ? from[kPixelBytes * x + 3] : 255;
  }
}

}  // namespace

Result<Image, std::string> decode_bmp(std::span<const uint8_t> bytes) {
  Layout layout;
  if (const char* error = read_layout(bytes, layout)) return std::string(error);
  if (std::string error = image_size_error(layout.width, layout.height); !error.empty()) {
    return "BMP: " + error;
  }
  Image image;
  image.width = static_cast<uint32_t>(layout.width);
  image.height = static_cast<uint32_t>(layout.height);
  image.rgba.resize(layout.width * layout.height * 4);
  for (uint64_t y = 0; y < layout.height; y++) {
    const uint64_t row = layout.top_down ? y : layout.height - 1 - y;
    const uint8_t* const from = bytes.data() + layout.offset + row * layout.stride;
    uint8_t* const to = image.rgba.data() + y * layout.width * 4;
    if (layout.pixel_bytes == 4) {
      copy_row<4>(from, layout.width, to);
    } else {
      copy_row<3>(from, layout.width, to);
    }
  }
  return image;
}

std::vector<uint8_t> encode_bmp(const Image& image) {
  const uint64_t row_bytes = uint64_t{image.width} * 4;
  const uint64_t pixel_bytes = row_bytes * image.height;  // at most 1 GiB
  std::vector<uint8_t> bytes(kHeaderBytes + pixel_bytes);
  uint8_t* const header = bytes.data();
  header[0] = 'B';
  header[1] = 'M';
  put_u32(header + kFileSize, bytes.size());
  put_u32(header + kPixelOffset, kHeaderBytes);
  put_u32(header + kInfoHeaderSize, kInfoHeaderBytes);
  put_u32(header + kWidth, image.width);
  put_u32(header + kHeight, image.height);
  header[kPlanes] = 1;
  header[kBitsPerPixel] = 32;
  put_u32(header + kImageSize, pixel_bytes);
  for (uint64_t y = 0; y < image.height; y++) {
    copy_row<4>(image.rgba.data() + (image.height - 1 - y) * row_bytes, image.width,
                header + kHeaderBytes + y * row_bytes);
  }
  return bytes;
}

}  // namespace qip
