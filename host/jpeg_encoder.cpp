// Writing JPEG: baseline, in a JFIF file, with the quantisation and Huffman tables of the standard.
//
// Own code, because libjpeg's encoder is as large as all that is linked of it for reading, and the
// program is bounded. Arithmetic is in single precision without contraction, so the file is the
// same to the byte on every machine.
// Bounds: besides the file, a strip of 8 or 16 rows. A side is at most 65,535.
// Source: ITU-T T.81 (09/92), annexes A, B, F and K; JFIF 1.02; the scale of quality is libjpeg's.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "host/image_codec.hpp"

namespace qip {
namespace {

constexpr size_t kSide = 8;  // of a block
constexpr size_t kBlockSize = kSide * kSide;
// From here on, colour is kept in full resolution.
constexpr int kFullColorQuality = 90;

// Row-major index of each coefficient in the order of the file (figure 5).
constexpr std::array<uint8_t, kBlockSize> kZigZag = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

// Tables K.1 and K.2, row-major.
constexpr std::array<uint8_t, kBlockSize> kLumaSteps = {
    16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
    14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
    18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
constexpr std::array<uint8_t, kBlockSize> kChromaSteps = {
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99,
    99, 99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};

// Tables K.3 to K.6: how many codes there are of each length, and what they mean in their order.
struct HuffmanSpec {
  uint8_t selector;  // class and destination, as in the file
  std::array<uint8_t, 16> counts;
  std::span<const uint8_t> values;
};
constexpr uint8_t kDcValues[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
constexpr uint8_t kLumaAcValues[] = {
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61,
    0x07, 0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52,
    0xD1, 0xF0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25,
    0x26, 0x27, 0x28, 0x29, 0x2A, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45,
    0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64,
    0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83,
    0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
    0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6,
    0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3,
    0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8,
    0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA};
constexpr uint8_t kChromaAcValues[] = {
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61,
    0x71, 0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33,
    0x52, 0xF0, 0x15, 0x62, 0x72, 0xD1, 0x0A, 0x16, 0x24, 0x34, 0xE1, 0x25, 0xF1, 0x17, 0x18,
    0x19, 0x1A, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44,
    0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63,
    0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A,
    0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97,
    0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4,
    0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA,
    0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7,
    0xE8, 0xE9, 0xEA, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA};
constexpr HuffmanSpec kLumaDc = {0x00, {0, 1, 5, 1, 1, 1, 1, 1, 1}, kDcValues};
constexpr HuffmanSpec kLumaAc = {
    0x10, {0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D}, kLumaAcValues};
constexpr HuffmanSpec kChromaDc = {0x01, {0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1}, kDcValues};
constexpr HuffmanSpec kChromaAc = {
    0x11, {0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77}, kChromaAcValues};

struct HuffmanCode {
  uint16_t code = 0;
  uint16_t length = 0;
};

// The code of each value (annex C).
class HuffmanTable {
 public:
  explicit HuffmanTable(const HuffmanSpec& spec) {
    uint16_t code = 0;
    size_t value = 0;
    for (uint16_t length = 1; length <= spec.counts.size(); length++, code <<= 1) {
      for (uint8_t i = 0; i < spec.counts[length - 1]; i++) {
        codes_[spec.values[value++]] = {code++, length};
      }
    }
  }
  HuffmanCode operator[](size_t value) const { return codes_[value]; }

 private:
  std::array<HuffmanCode, 256> codes_{};
};

// The bits behind the scan's header: first bit highest, a zero byte behind each 0xFF.
class BitWriter {
 public:
  explicit BitWriter(std::vector<uint8_t>& to) : to_(to) {}

  // `length` is at most 32, and `bits` has no others.
  void put(uint32_t bits, uint32_t length) {
    pending_ = pending_ << length | bits;
    pending_count_ += length;
    if (pending_count_ < 32) return;
    pending_count_ -= 32;
    const uint32_t word = static_cast<uint32_t>(pending_ >> pending_count_);
    if (kBufferBytes - used_ < 8) empty();
    for (int shift = 24; shift >= 0; shift -= 8) put_byte(static_cast<uint8_t>(word >> shift));
  }

  // The last byte is filled with ones.
  void finish() {
    put(0x7F, 7);
    if (kBufferBytes - used_ < 8) empty();
    for (; pending_count_ >= 8; pending_count_ -= 8) {
      put_byte(static_cast<uint8_t>(pending_ >> (pending_count_ - 8)));
    }
    empty();
  }

 private:
  static constexpr size_t kBufferBytes = size_t{1} << 14;

  // Precondition: two bytes are free.
  void put_byte(uint8_t byte) {
    buffer_[used_++] = byte;
    if (byte == 0xFF) buffer_[used_++] = 0;
  }

  void empty() {
    to_.insert(to_.end(), buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(used_));
    used_ = 0;
  }

  std::vector<uint8_t>& to_;
  uint64_t pending_ = 0;  // the lowest pending_count_ bits
  uint32_t pending_count_ = 0;
  size_t used_ = 0;
  std::array<uint8_t, kBufferBytes> buffer_;
};

using Block = std::array<float, kBlockSize>;

// One pass of the cosine transform (A.3.3) over every column, without the factor 1/2, and for 0 and
// 4 without 1/sqrt(2).
void transform_columns(Block& block) {
  constexpr float kCos1 = 0.980785280F;  // kCosN = cos(N pi / 16)
  constexpr float kCos2 = 0.923879533F;
  constexpr float kCos3 = 0.831469612F;
  constexpr float kCos5 = 0.555570233F;
  constexpr float kCos6 = 0.382683432F;
  constexpr float kCos7 = 0.195090322F;
  float* const row = block.data();
  for (size_t x = 0; x < kSide; x++) {
    const float sum0 = row[x] + row[x + 56];
    const float sum1 = row[x + 8] + row[x + 48];
    const float sum2 = row[x + 16] + row[x + 40];
    const float sum3 = row[x + 24] + row[x + 32];
    const float odd0 = row[x] - row[x + 56];
    const float odd1 = row[x + 8] - row[x + 48];
    const float odd2 = row[x + 16] - row[x + 40];
    const float odd3 = row[x + 24] - row[x + 32];
    const float even0 = sum0 + sum3;
    const float even1 = sum1 + sum2;
    const float even2 = sum0 - sum3;
    const float even3 = sum1 - sum2;
    row[x] = even0 + even1;
    row[x + 8] = odd0 * kCos1 + odd1 * kCos3 + odd2 * kCos5 + odd3 * kCos7;
    row[x + 16] = even2 * kCos2 + even3 * kCos6;
    row[x + 24] = odd0 * kCos3 - odd1 * kCos7 - odd2 * kCos1 - odd3 * kCos5;
    row[x + 32] = even0 - even1;
    row[x + 40] = odd0 * kCos5 - odd1 * kCos1 + odd2 * kCos7 + odd3 * kCos3;
    row[x + 48] = even2 * kCos6 - even3 * kCos2;
    row[x + 56] = odd0 * kCos7 - odd1 * kCos5 + odd2 * kCos3 - odd3 * kCos1;
  }
}

void transpose(Block& block) {
  for (size_t y = 0; y < kSide; y++) {
    for (size_t x = y + 1; x < kSide; x++) std::swap(block[y * kSide + x], block[x * kSide + y]);
  }
}

// Leaves the coefficients transposed.
void transform(Block& block) {
  transform_columns(block);
  transpose(block);
  transform_columns(block);
}

constexpr size_t transposed(size_t index) {
  return index % kSide * kSide + index / kSide;
}

// How coarse each coefficient is at some quality.
struct Quantizer {
  std::array<uint8_t, kBlockSize> steps;  // row-major
  Block factors;  // transposed: what transform() has left out, divided by the step

  Quantizer(const std::array<uint8_t, kBlockSize>& at_50, int quality) {
    constexpr float kHalf = 0.5F;
    constexpr float kHalfCos4 = 0.353553391F;  // cos(4 pi / 16) / 2
    const int scale = quality < 50 ? 5'000 / quality : 200 - 2 * quality;
    for (size_t i = 0; i < kBlockSize; i++) {
      const int step = std::clamp((at_50[i] * scale + 50) / 100, 1, 255);
      steps[i] = static_cast<uint8_t>(step);
      const float down = i / kSide % 4 == 0 ? kHalfCos4 : kHalf;
      const float right = i % 4 == 0 ? kHalfCos4 : kHalf;
      factors[transposed(i)] = down * right / static_cast<float>(step);
    }
  }
};

// Bits of the magnitude, and what the file has for the value: it itself if positive, else one less
// in as many bits (tables F.1 and F.2).
struct Magnitude {
  uint32_t length;
  uint32_t bits;

  explicit Magnitude(int value) {
    length = static_cast<uint32_t>(std::bit_width(static_cast<unsigned>(std::abs(value))));
    bits = static_cast<uint32_t>(value - (value < 0 ? 1 : 0)) & ((uint32_t{1} << length) - 1);
  }
};

// What luma or chroma is coded with.
struct Coding {
  Quantizer quantizer;
  HuffmanTable dc;
  HuffmanTable ac;
};

// F.1.2. `previous_dc` is that of the component's last block.
void write_block(Block& block, const Coding& coding, int& previous_dc, BitWriter& out) {
  transform(block);
  std::array<int32_t, kBlockSize> rounded;
  for (size_t i = 0; i < kBlockSize; i++) {
    const float value = block[i] * coding.quantizer.factors[i];
    rounded[i] = static_cast<int32_t>(value + (value < 0 ? -0.5F : 0.5F));
  }
  const Magnitude dc(rounded[0] - previous_dc);
  previous_dc = rounded[0];
  const HuffmanCode dc_code = coding.dc[dc.length];
  out.put(dc_code.code << dc.length | dc.bits, dc_code.length + dc.length);

  constexpr uint32_t kSixteenZeros = 0xF0;
  constexpr uint32_t kOnlyZerosFollow = 0;
  uint32_t zeros = 0;
  for (size_t i = 1; i < kBlockSize; i++) {
    const int value = rounded[transposed(kZigZag[i])];
    if (value == 0) {
      zeros++;
      continue;
    }
    for (; zeros >= 16; zeros -= 16) {
      out.put(coding.ac[kSixteenZeros].code, coding.ac[kSixteenZeros].length);
    }
    const Magnitude ac(value);
    const HuffmanCode code = coding.ac[zeros << 4 | ac.length];
    out.put(uint32_t{code.code} << ac.length | ac.bits, code.length + ac.length);
    zeros = 0;
  }
  if (zeros > 0) out.put(coding.ac[kOnlyZerosFollow].code, coding.ac[kOnlyZerosFollow].length);
}

// The samples of one component in a strip of rows, the shift to signed ones done.
struct Plane {
  size_t width;
  std::vector<float> samples;

  Plane(size_t plane_width, size_t rows) : width(plane_width), samples(plane_width * rows) {}
  float* row(size_t y) { return samples.data() + y * width; }

  void copy_block(size_t left, size_t top, Block& block) {
    for (size_t y = 0; y < kSide; y++) {
      memcpy(block.data() + y * kSide, row(top + y) + left, kSide * sizeof(float));
    }
  }

  // Every pixel becomes the mean of four; the plane keeps its width in memory.
  void halve(size_t rows) {
    for (size_t y = 0; y < rows / 2; y++) {
      const float* const above = row(2 * y);
      const float* const below = row(2 * y + 1);
      float* const to = row(y);
      for (size_t x = 0; x < width / 2; x++) {
        to[x] = (above[2 * x] + above[2 * x + 1] + below[2 * x] + below[2 * x + 1]) * 0.25F;
      }
    }
  }
};

// JFIF 1.02, "conversion to and from RGB".
void convert_row(const uint8_t* rgba, size_t count, float* luma, float* blue, float* red) {
  for (size_t x = 0; x < count; x++) {
    const float r = rgba[4 * x];
    const float g = rgba[4 * x + 1];
    const float b = rgba[4 * x + 2];
    luma[x] = 0.299F * r + 0.587F * g + 0.114F * b - 128.0F;
    blue[x] = -0.168735892F * r - 0.331264108F * g + 0.5F * b;
    red[x] = 0.5F * r - 0.418687589F * g - 0.081312411F * b;
  }
}

// What the file begins with, up to the bits of the scan.
void write_headers(const Image& image, bool full_color, const Quantizer& luma,
                   const Quantizer& chroma, std::vector<uint8_t>& to) {
  const auto put = [&to](std::initializer_list<unsigned> bytes) {
    for (unsigned byte : bytes) to.push_back(static_cast<uint8_t>(byte));
  };
  put({0xFF, 0xD8});  // start of image
  put({0xFF, 0xE0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 2, 0, 0, 1, 0, 1, 0, 0});
  put({0xFF, 0xDB, 0, 2 + 2 * (1 + kBlockSize)});  // quantisation tables
  const Quantizer* const quantizers[] = {&luma, &chroma};
  for (unsigned table = 0; table < 2; table++) {
    put({table});
    for (uint8_t index : kZigZag) put({quantizers[table]->steps[index]});
  }
  // Frame: 8 bits a sample, size, components with their sampling and their quantisation.
  put({0xFF, 0xC0, 0, 17, 8, image.height >> 8, image.height, image.width >> 8, image.width, 3});
  put({1, full_color ? 0x11u : 0x22u, 0, 2, 0x11, 1, 3, 0x11, 1});
  for (const HuffmanSpec* spec : {&kLumaDc, &kLumaAc, &kChromaDc, &kChromaAc}) {
    put({0xFF, 0xC4, 0, static_cast<unsigned>(19 + spec->values.size()), spec->selector});
    to.insert(to.end(), spec->counts.begin(), spec->counts.end());
    to.insert(to.end(), spec->values.begin(), spec->values.end());
  }
  // Scan: all components, with their Huffman tables, all coefficients at once.
  put({0xFF, 0xDA, 0, 12, 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0});
}

// Writes the image strip by strip; a strip is a row of minimum coded units (A.2.3).
class StripEncoder {
 public:
  StripEncoder(const Image& image, int quality, bool full_color, std::vector<uint8_t>& to)
      : image_(image),
        unit_(full_color ? kSide : 2 * kSide),
        width_((image.width + unit_ - 1) / unit_ * unit_),
        luma_coding_{Quantizer(kLumaSteps, quality), HuffmanTable(kLumaDc), HuffmanTable(kLumaAc)},
        chroma_coding_{Quantizer(kChromaSteps, quality), HuffmanTable(kChromaDc),
                       HuffmanTable(kChromaAc)},
        luma_(width_, unit_),
        blue_(width_, unit_),
        red_(width_, unit_),
        out_(to) {
    write_headers(image, full_color, luma_coding_.quantizer, chroma_coding_.quantizer, to);
  }

  void write() {
    for (size_t top = 0; top < image_.height; top += unit_) {
      convert_strip(top);
      for (size_t left = 0; left < width_; left += unit_) write_unit(left);
    }
    out_.finish();
  }

 private:
  // Beyond the image, its last column and row are repeated.
  void convert_strip(size_t top) {
    const size_t row_bytes = size_t{image_.width} * 4;
    for (size_t y = 0; y < unit_; y++) {
      const size_t from = std::min<size_t>(top + y, image_.height - 1);
      convert_row(image_.rgba.data() + from * row_bytes, image_.width, luma_.row(y), blue_.row(y),
                  red_.row(y));
      for (Plane* plane : {&luma_, &blue_, &red_}) {
        float* const row = plane->row(y);
        std::fill(row + image_.width, row + width_, row[image_.width - 1]);
      }
    }
    if (unit_ == kSide) return;
    blue_.halve(unit_);
    red_.halve(unit_);
  }

  void write_unit(size_t left) {
    Block block;
    for (size_t y = 0; y < unit_; y += kSide) {
      for (size_t x = 0; x < unit_; x += kSide) {
        luma_.copy_block(left + x, y, block);
        write_block(block, luma_coding_, luma_dc_, out_);
      }
    }
    const size_t chroma_left = left * kSide / unit_;
    blue_.copy_block(chroma_left, 0, block);
    write_block(block, chroma_coding_, blue_dc_, out_);
    red_.copy_block(chroma_left, 0, block);
    write_block(block, chroma_coding_, red_dc_, out_);
  }

  const Image& image_;
  const size_t unit_;   // pixels of a coded unit's side
  const size_t width_;  // of the strip: whole units
  const Coding luma_coding_;
  const Coding chroma_coding_;
  Plane luma_;
  Plane blue_;
  Plane red_;
  BitWriter out_;
  int luma_dc_ = 0;
  int blue_dc_ = 0;
  int red_dc_ = 0;
};

}  // namespace

std::vector<uint8_t> encode_jpeg(const Image& image, int quality) {
  quality = std::clamp(quality, 1, 100);
  std::vector<uint8_t> bytes;
  StripEncoder(image, quality, quality >= kFullColorQuality, bytes).write();
  bytes.push_back(0xFF);
  bytes.push_back(0xD9);
  return bytes;
}

}  // namespace qip
