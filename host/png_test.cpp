// PNG: every colour type and depth with every filter, interlaced and not, against pixels that are
// worked out here in another way; what is refused; and what is written.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "host/image.hpp"
#include "host/test_images.hpp"

namespace qip {
namespace {

using namespace test;

constexpr uint8_t kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgba = 6;

size_t channels_of(uint8_t color_type) {
  return std::array<size_t, 7>{1, 0, 3, 1, 2, 0, 4}[color_type];
}

std::string error_of(std::span<const uint8_t> bytes) {
  const auto image = decode_image(bytes);
  return image ? "" : image.error();
}

Bytes pixels_of(const Bytes& file) {
  auto image = decode_image(file);
  if (!image) {
    ADD_FAILURE() << image.error();
    return {};
  }
  EXPECT_EQ(image.value().rgba.size(), size_t{image.value().width} * image.value().height * 4);
  return image.value().rgba;
}

// A picture in the samples of some colour type and depth, row by row.
struct Samples {
  PngHeader header;
  std::vector<unsigned> values;

  unsigned at(size_t x, size_t y, size_t channel) const {
    const size_t channels = channels_of(header.color_type);
    return values[(y * header.width + x) * channels + channel];
  }
};

Samples random_samples(const PngHeader& header, uint32_t seed) {
  Samples samples{header, {}};
  const size_t count = size_t{header.width} * header.height * channels_of(header.color_type);
  for (size_t i = 0; i < count; i++) {
    seed = seed * 1'664'525 + 1'013'904'223;
    // Near each other in half of the places, so that each filter has something to find.
    const unsigned value = seed >> 28 < 8 ? seed >> 16 : static_cast<unsigned>(i * 97);
    samples.values.push_back(value & ((1u << header.bit_depth) - 1));
  }
  return samples;
}

// One row of some of the pixels, packed as the file has it.
Bytes packed_row(const Samples& samples, size_t y, size_t first_x, size_t step_x) {
  Bytes row;
  unsigned bits = 0;
  unsigned pending = 0;
  for (size_t x = first_x; x < samples.header.width; x += step_x) {
    for (size_t channel = 0; channel < channels_of(samples.header.color_type); channel++) {
      const unsigned value = samples.at(x, y, channel);
      if (samples.header.bit_depth == 16) row.push_back(static_cast<uint8_t>(value >> 8));
      if (samples.header.bit_depth >= 8) {
        row.push_back(static_cast<uint8_t>(value));
        continue;
      }
      pending = pending << samples.header.bit_depth | value;
      bits += samples.header.bit_depth;
      if (bits == 8) row.push_back(static_cast<uint8_t>(pending));
      bits %= 8;
    }
  }
  if (bits != 0) row.push_back(static_cast<uint8_t>(pending << (8 - bits)));
  return row;
}

// What the filter of that number takes away, by the letter of the specification.
uint8_t prediction(unsigned filter, int a, int b, int c) {
  if (filter == 1) return static_cast<uint8_t>(a);
  if (filter == 2) return static_cast<uint8_t>(b);
  if (filter == 3) return static_cast<uint8_t>((a + b) / 2);
  if (filter != 4) return 0;
  const int p = a + b - c;
  const int pa = std::abs(p - a), pb = std::abs(p - b), pc = std::abs(p - c);
  if (pa <= pb && pa <= pc) return static_cast<uint8_t>(a);
  return static_cast<uint8_t>(pb <= pc ? b : c);
}

// Rows with their filter bytes; row n has filter (n + first_filter) mod 5.
Bytes filtered_rows(const Samples& samples, unsigned first_filter) {
  const size_t passes[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                               {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  const size_t whole[1][4] = {{0, 0, 1, 1}};
  const PngHeader& header = samples.header;
  const size_t distance =
      std::max<size_t>(1, channels_of(header.color_type) * header.bit_depth / 8);
  Bytes result;
  unsigned filter = first_filter;
  for (const auto& [first_x, first_y, step_x, step_y] :
       header.interlace ? std::span(passes) : std::span<const size_t[4]>(whole)) {
    Bytes above;
    for (size_t y = first_y; y < header.height; y += step_y) {
      const Bytes row = packed_row(samples, y, first_x, step_x);
      if (row.empty()) break;
      above.resize(row.size());
      result.push_back(static_cast<uint8_t>(filter % 5));
      for (size_t i = 0; i < row.size(); i++) {
        const int left = i >= distance ? row[i - distance] : 0;
        const int corner = i >= distance ? above[i - distance] : 0;
        result.push_back(
            static_cast<uint8_t>(row[i] - prediction(filter % 5, left, above[i], corner)));
      }
      above = row;
      filter++;
    }
  }
  return result;
}

// 8 bits of a sample: fewer are spread over the whole range, of more the high ones stay.
uint8_t to_8_bits(unsigned value, unsigned depth) {
  if (depth == 16) return static_cast<uint8_t>(value >> 8);
  return static_cast<uint8_t>(value * 255 / ((1u << depth) - 1));
}

Bytes expected_pixels(const Samples& samples, const Bytes& palette, const Bytes& alphas) {
  Bytes pixels;
  const auto& header = samples.header;
  for (size_t y = 0; y < header.height; y++) {
    for (size_t x = 0; x < header.width; x++) {
      const auto sample = [&](size_t channel) {
        return to_8_bits(samples.at(x, y, channel), header.bit_depth);
      };
      const size_t entry = samples.at(x, y, 0);
      switch (header.color_type) {
        case kGrey:
          pixels.insert(pixels.end(), {sample(0), sample(0), sample(0), 255});
          break;
        case kGreyAlpha:
          pixels.insert(pixels.end(), {sample(0), sample(0), sample(0), sample(1)});
          break;
        case kRgb:
          pixels.insert(pixels.end(), {sample(0), sample(1), sample(2), 255});
          break;
        case kRgba:
          pixels.insert(pixels.end(), {sample(0), sample(1), sample(2), sample(3)});
          break;
        default:
          pixels.insert(pixels.end(),
                        {palette[3 * entry], palette[3 * entry + 1], palette[3 * entry + 2],
                         entry < alphas.size() ? alphas[entry] : uint8_t{255}});
      }
    }
  }
  return pixels;
}

Bytes random_palette(unsigned bit_depth) {
  Bytes palette;
  for (unsigned i = 0; i < 3u << bit_depth; i++) palette.push_back(static_cast<uint8_t>(i * 83));
  return palette;
}

constexpr std::pair<uint8_t, uint8_t> kTypesAndDepths[] = {
    {kGrey, 1},    {kGrey, 2},      {kGrey, 4},       {kGrey, 8},    {kGrey, 16},
    {kRgb, 8},     {kRgb, 16},      {kPalette, 1},    {kPalette, 2}, {kPalette, 4},
    {kPalette, 8}, {kGreyAlpha, 8}, {kGreyAlpha, 16}, {kRgba, 8},    {kRgba, 16}};

class PngOfType : public testing::TestWithParam<std::pair<uint8_t, uint8_t>> {};

TEST_P(PngOfType, EveryFilterAndSizeInterlacedOrNot) {
  const auto [color_type, bit_depth] = GetParam();
  uint32_t seed = color_type * 100u + bit_depth;
  const Bytes palette = color_type == kPalette ? random_palette(bit_depth) : Bytes{};
  const Bytes alphas = color_type == kPalette ? Bytes{0, 77} : Bytes{};
  const Bytes between =
      palette.empty() ? Bytes{} : png_chunk("PLTE", palette) + png_chunk("tRNS", alphas);
  for (uint8_t interlace : {0, 1}) {
    for (const auto& [width, height] : {std::pair{1u, 1u},
                                        {1u, 9u},
                                        {9u, 1u},
                                        {2u, 3u},
                                        {5u, 5u},
                                        {8u, 8u},
                                        {17u, 11u},
                                        {67u, 10u}}) {
      for (unsigned filter = 0; filter < 5; filter++) {
        const Samples samples =
            random_samples({width, height, bit_depth, color_type, interlace}, seed++);
        const Bytes file = png_file(samples.header, between, filtered_rows(samples, filter));
        EXPECT_EQ(pixels_of(file), expected_pixels(samples, palette, alphas))
            << width << " x " << height << ", filter " << filter << ", interlace " << +interlace;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Png, PngOfType, testing::ValuesIn(kTypesAndDepths), [](const auto& info) {
  return "Type" + std::to_string(info.param.first) + "Depth" + std::to_string(info.param.second);
});

// --- Transparency --------------------------------------------------------------------------------

TEST(PngTransparency, OneGreyIsTransparent) {
  const PngHeader header{3, 1, 8, kGrey, 0};
  EXPECT_EQ(pixels_of(png_file(header, png_chunk("tRNS", {0, 20}), {0, 10, 20, 30})),
            (Bytes{10, 10, 10, 255, 20, 20, 20, 0, 30, 30, 30, 255}));
}

TEST(PngTransparency, OneColourIsTransparent) {
  const PngHeader header{2, 1, 8, kRgb, 0};
  EXPECT_EQ(
      pixels_of(png_file(header, png_chunk("tRNS", {0, 1, 0, 2, 0, 3}), {0, 1, 2, 3, 1, 2, 4})),
      (Bytes{1, 2, 3, 0, 1, 2, 4, 255}));
}

TEST(PngTransparency, SixteenBitsAreComparedWhole) {
  EXPECT_EQ(pixels_of(png_file({2, 1, 16, kGrey, 0}, png_chunk("tRNS", {5, 6}), {0, 5, 6, 5, 7})),
            (Bytes{5, 5, 5, 0, 5, 5, 5, 255}));
}

TEST(PngTransparency, OfFewBitsTheLowOnesCount) {
  EXPECT_EQ(pixels_of(png_file({4, 1, 2, kGrey, 0}, png_chunk("tRNS", {0xFF, 0xFE}), {0, 0x1B})),
            (Bytes{0, 0, 0, 255, 85, 85, 85, 255, 170, 170, 170, 0, 255, 255, 255, 255}));
}

TEST(PngTransparency, IsIgnoredBesideAlpha) {
  EXPECT_EQ(pixels_of(png_file({1, 1, 8, kGreyAlpha, 0}, png_chunk("tRNS", {0, 9}), {0, 9, 8})),
            (Bytes{9, 9, 9, 8}));
}

TEST(PngTransparency, MustHaveTheLengthOfItsType) {
  const std::string broken = "PNG: the transparency chunk is broken";
  EXPECT_EQ(error_of(png_file({1, 1, 8, kGrey, 0}, png_chunk("tRNS", {0}), {0, 9})), broken);
  EXPECT_EQ(error_of(png_file({1, 1, 8, kRgb, 0}, png_chunk("tRNS", {0, 9}), {0, 9, 9, 9})),
            broken);
  EXPECT_EQ(error_of(png_file({1, 1, 8, kPalette, 0},
                              png_chunk("PLTE", {1, 2, 3}) + png_chunk("tRNS", {1, 2}), {0, 0})),
            broken);
}

// --- What is refused -----------------------------------------------------------------------------

TEST(Png, TheHeaderIsCheckedBeforeMemoryIsTaken) {
  const auto error = [](uint32_t width, uint32_t height) {
    return error_of(png_file({width, height, 8, kRgba, 0}, {}, {0}));
  };
  EXPECT_EQ(error(0, 1), "PNG: an image of 0 x 1 pixels is empty");
  EXPECT_EQ(error(1, 0), "PNG: an image of 1 x 0 pixels is empty");
  EXPECT_EQ(error(100'000, 100'000),
            "PNG: an image of 100000 x 100000 pixels is too large (at most 65535 a side and "
            "268435456 in all)");
  EXPECT_NE(error(0xFFFF'FFFF, 0xFFFF'FFFF), "");
  // Within the limits, but so little data cannot become so many pixels.
  EXPECT_EQ(error(16'000, 16'000), "PNG: the image data ends early");
}

TEST(Png, EveryOtherTypeAndDepthIsRefused) {
  for (unsigned color_type = 0; color_type < 256; color_type++) {
    for (unsigned depth = 0; depth < 256; depth++) {
      const std::pair<uint8_t, uint8_t> pair(color_type, depth);
      if (std::find(std::begin(kTypesAndDepths), std::end(kTypesAndDepths), pair) !=
          std::end(kTypesAndDepths)) {
        continue;
      }
      const PngHeader header{1, 1, pair.second, pair.first, 0};
      ASSERT_EQ(error_of(png_signature() + header.chunk()),
                "PNG: there is no such colour type and bit depth");
    }
  }
}

TEST(Png, UnknownMethodsAreRefused) {
  EXPECT_EQ(error_of(png_file({1, 1, 8, kGrey, 2}, {}, {0, 1})),
            "PNG: there is no such compression, filter or interlace method");
  EXPECT_EQ(error_of(png_file({1, 1, 8, kGrey, 0}, {}, {5, 1})),
            "PNG: a row has an unknown filter");
}

TEST(Png, APaletteIsNeededAndItsEndRespected) {
  const PngHeader header{1, 1, 8, kPalette, 0};
  EXPECT_EQ(error_of(png_file(header, {}, {0, 0})), "PNG: the palette is missing");
  const Bytes palette = png_chunk("PLTE", {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(pixels_of(png_file(header, palette, {0, 1})), (Bytes{4, 5, 6, 255}));
  EXPECT_EQ(error_of(png_file(header, palette, {0, 2})), "PNG: a pixel is beyond the palette");
  EXPECT_EQ(error_of(png_file(header, png_chunk("PLTE", {1, 2}), {0, 0})),
            "PNG: the palette is broken");
  EXPECT_EQ(error_of(png_file({1, 1, 1, kPalette, 0}, png_chunk("PLTE", Bytes(9)), {0, 0})),
            "PNG: the palette is broken");
}

TEST(Png, EveryChecksumCounts) {
  const Bytes file = png_file({2, 2, 8, kGrey, 0}, png_chunk("tEXt", {1, 2, 3}), Bytes(6));
  for (size_t at = 8; at < file.size(); at++) {
    Bytes broken = file;
    broken[at] ^= 1;
    EXPECT_NE(error_of(broken), "") << at;
  }
}

TEST(Png, TheChecksumOfTheDataCounts) {
  Bytes data = deflated({0, 1});
  data.back() ^= 1;
  EXPECT_EQ(error_of(png_signature() + PngHeader{}.chunk() + png_chunk("IDAT", data) +
                     png_chunk("IEND", {})),
            "PNG: the image data is corrupt");
}

TEST(Png, ChunksMustBeInOrder) {
  const Bytes header = PngHeader{}.chunk();
  const Bytes data = png_chunk("IDAT", deflated({0, 1}));
  const Bytes end = png_chunk("IEND", {});
  const auto error = [](const Bytes& chunks) { return error_of(png_signature() + chunks); };
  EXPECT_EQ(error(header + data + end), "");
  EXPECT_EQ(error(data + header + end), "PNG: the header is missing");
  EXPECT_EQ(error(header + header + data + end), "PNG: there are two headers");
  EXPECT_EQ(error(header + end), "PNG: there is no image data");
  EXPECT_EQ(error(header + data), "PNG: the file ends early");
  EXPECT_EQ(error(header + data + png_chunk("tEXt", {}) + data + end),
            "PNG: the image data is in two places");
  EXPECT_EQ(error(header + data + png_chunk("tRNS", {0, 1}) + end),
            "PNG: a palette or transparency chunk is behind the image data");
  EXPECT_EQ(error(header + png_chunk("HUGO", {}) + data + end), "PNG: a needed chunk is unknown");
  EXPECT_EQ(error(header + png_chunk("huGO", {}) + data + end), "");
  EXPECT_EQ(error(header + data + png_chunk("tEXt", {}) + end), "");
}

TEST(Png, DataInManyChunksIsReadAsOne) {
  Bytes chunks;
  for (uint8_t byte : deflated({0, 7, 8, 9})) {
    chunks = chunks + png_chunk("IDAT", {}) + png_chunk("IDAT", {byte});
  }
  EXPECT_EQ(pixels_of(png_signature() + PngHeader{3, 1, 8, kGrey, 0}.chunk() + chunks +
                      png_chunk("IEND", {})),
            (Bytes{7, 7, 7, 255, 8, 8, 8, 255, 9, 9, 9, 255}));
}

TEST(Png, ARowTooFewIsRefusedAndOneTooManyIgnored) {
  EXPECT_EQ(error_of(png_file({1, 2, 8, kGrey, 0}, {}, {0, 1})), "PNG: the image data ends early");
  EXPECT_EQ(pixels_of(png_file({1, 1, 8, kGrey, 0}, {}, {0, 1, 0, 2})), (Bytes{1, 1, 1, 255}));
}

TEST(Png, DataThatInflatesWithoutEndIsNotInflated) {
  EXPECT_EQ(pixels_of(png_file({1, 1, 8, kGrey, 0}, {}, Bytes(size_t{1} << 26))),
            (Bytes{0, 0, 0, 255}));
}

TEST(Png, EveryTruncationIsRefused) {
  for (uint8_t interlace : {0, 1}) {
    const Samples samples = random_samples({9, 9, 8, kRgba, interlace}, 5);
    const Bytes file = png_file(samples.header, {}, filtered_rows(samples, 0));
    for (size_t size = 0; size < file.size(); size++) {
      EXPECT_NE(error_of(std::span(file).first(size)), "") << size;
    }
  }
}

// The stream that zlib gets, with checksums made right again.
TEST(Png, CorruptDataGivesAnErrorOrAnImageOfTheAnnouncedSize) {
  const Samples samples = random_samples({9, 9, 4, kPalette, 1}, 5);
  const Bytes data = deflated(filtered_rows(samples, 0));
  const Bytes start =
      png_signature() + samples.header.chunk() + png_chunk("PLTE", random_palette(4));
  size_t refused = 0;
  for (size_t at = 0; at < data.size(); at++) {
    for (int value : {0x00, 0x7F, 0x80, 0xFF}) {
      Bytes broken = data;
      broken[at] = static_cast<uint8_t>(value);
      const auto image = decode_image(start + png_chunk("IDAT", broken) + png_chunk("IEND", {}));
      if (!image.ok()) {
        refused++;
        continue;
      }
      EXPECT_EQ(image.value().rgba.size(), 9u * 9 * 4);
    }
  }
  EXPECT_GT(refused, data.size());
}

// --- Writing -------------------------------------------------------------------------------------

TEST(PngEncoder, ReadsBackWhatItWrites) {
  uint32_t state = 1;
  for (const auto& [width, height] :
       {std::pair{1u, 1u}, {3u, 2u}, {64u, 64u}, {257u, 31u}, {1u, 3'000u}, {3'000u, 1u}}) {
    for (bool opaque : {true, false}) {
      for (unsigned noise : {0u, 7u, 255u}) {
        Image image{width, height, {}};
        for (size_t i = 0; i < size_t{width} * height * 4; i++) {
          state = state * 1'664'525 + 1'013'904'223;
          const bool is_alpha = i % 4 == 3;
          image.rgba.push_back(is_alpha && opaque
                                   ? uint8_t{255}
                                   : static_cast<uint8_t>((state >> 24 & noise) + i / 9));
        }
        image.rgba[3] = opaque ? 255 : 254;
        const Bytes file = encode_image(image, ImageFormat::Png).value();
        EXPECT_EQ(file[25], opaque ? kRgb : kRgba);
        EXPECT_EQ(pixels_of(file), image.rgba);
      }
    }
  }
}

TEST(PngEncoder, KeepsTheColourOfTransparentPixels) {
  const Image image{2, 1, {255, 1, 2, 0, 3, 4, 5, 128}};
  EXPECT_EQ(pixels_of(encode_image(image, ImageFormat::Png).value()), image.rgba);
}

}  // namespace
}  // namespace qip
