// Runs the components that make, read and write pictures through the built command. Expected pixels
// are worked out by hand from modules/README.md and the standards; PNG files are written and read
// by this file and zlib, so that no component is judged by its own kind.
// Assumes: the working directory is the root of the repository; the command is $QIP or build/qip.
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec-tests/picture_components.hpp"

namespace qip {
namespace {

using std::string;
using std::string_view;

const string kRasterize = "image/svg+xml/svg-rasterize";
const string kDouble = "image/bmp/bmp-double", kDoubleSimd = "image/bmp/bmp-double-simd";
const string kToIco = "image/bmp/bmp-to-ico", kToPng = "image/bmp/bmp-to-png";
const string kResize = "image/bmp/resize-lanczos", kFromPng = "image/png/png-to-bmp";
const string kTextToBmp = "utf8/text-to-bmp", kQrCode = "text/uri-list/url-to-qr-svg";
const string kBase64 = "bytes/base64-encode";

const Color kClear = {0, 0, 0, 0}, kBlack = {0, 0, 0, 255}, kWhite = {255, 255, 255, 255};
const Color kRed = {255, 0, 0, 255};

// The same on every machine.
class Random {
 public:
  uint32_t below(uint32_t limit) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<uint32_t>(state_ >> 32) % limit;
  }
  uint8_t byte() { return static_cast<uint8_t>(below(256)); }

 private:
  uint64_t state_ = 88172645463325252u;
};

Picture noise(uint32_t width, uint32_t height, bool with_alpha, Random& random) {
  Picture picture(width, height);
  for (Color& color : picture.pixels) {
    color = {random.byte(), random.byte(), random.byte(), random.byte()};
    if (!with_alpha) color.alpha = 255;
  }
  return picture;
}

// --- BMP files of other forms than picture.hpp writes --------------------------------------------

// 24 bits a pixel, rows filled up to four bytes, in either order, with `gap` bytes before them.
string to_bmp24(const Picture& picture, bool top_down = false, uint32_t gap = 0) {
  string pixels;
  for (uint32_t row = 0; row < picture.height; ++row) {
    const uint32_t y = top_down ? row : picture.height - 1 - row;
    for (uint32_t x = 0; x < picture.width; ++x) {
      const Color& color = picture.at(x, y);
      for (const uint8_t channel : {color.blue, color.green, color.red})
        pixels += static_cast<char>(channel);
    }
    while (pixels.size() % 4 != 0) pixels += '\x7f';
  }
  string header = "BM";
  const auto put = [&header](uint32_t value, int size) {
    picture_detail::put_number(header, value, size);
  };
  put(0, 4);  // the size of the file, which does not count
  put(0, 4);
  put(54 + gap, 4);
  put(40 + gap, 4);
  put(picture.width, 4);
  put(top_down ? 0 - picture.height : picture.height, 4);
  put(1, 2);
  put(24, 2);
  header.resize(54 + gap);
  return header + pixels;
}

string with_number(string bytes, size_t at, uint32_t value, int size) {
  string number;
  picture_detail::put_number(number, value, size);
  return bytes.replace(at, number.size(), number);
}

const Chain kBmpReaders = {kDouble, kDoubleSimd, kToIco, kToPng, kResize};

TEST(BmpComponents, read_all_forms_of_bitmaps_alike) {
  Random random;
  const Picture picture = noise(5, 3, false, random);
  for (const string& name : kBmpReaders) {
    if (name == kToIco) continue;  // keeps the depth
    const string expected = output_of({name}, to_bmp(picture));
    EXPECT_EQ(output_of({name}, to_bmp24(picture)), expected) << name;
    EXPECT_EQ(output_of({name}, to_bmp24(picture, true)), expected) << name;
    EXPECT_EQ(output_of({name}, to_bmp24(picture, false, 84)), expected) << name;
  }
  EXPECT_EQ(output_of({kToIco}, to_bmp24(picture, true)), output_of({kToIco}, to_bmp24(picture)));
}

TEST(BmpComponents, refuse_what_is_no_bitmap) {
  const string good = to_bmp(Picture(2, 2, kRed));
  const std::pair<const char*, string> bad[] = {
      {"nothing", ""},
      {"text", "hello"},
      {"signature", "XX" + good.substr(2)},
      {"pixels beyond the end", with_number(good, 10, 55, 4)},
      {"pixels far beyond the end", with_number(good, 10, 0xffffffff, 4)},
      {"old header", with_number(good, 14, 12, 4)},
      {"no width", with_number(good, 18, 0, 4)},
      {"negative width", with_number(good, 18, 0x80000000, 4)},
      {"huge width", with_number(good, 18, 0x7fffffff, 4)},
      {"no height", with_number(good, 22, 0, 4)},
      {"huge height", with_number(good, 22, 0x7fffffff, 4)},
      {"lowest height", with_number(good, 22, 0x80000000, 4)},
      {"size that wraps to 2 x 2", with_number(with_number(good, 18, 0x40000002, 4), 22, 2, 4)},
      {"planes", with_number(good, 26, 2, 2)},
      {"16 bits", with_number(good, 28, 16, 2)},
      {"bit fields", with_number(good, 30, 3, 4)},
  };
  for (const string& name : kBmpReaders) {
    for (const auto& [what, bytes] : bad) EXPECT_TRUE(traps({name}, bytes)) << what;
    for (size_t len = 0; len < good.size(); ++len)
      EXPECT_TRUE(traps({name}, good.substr(0, len))) << "cut to " << len;
  }
}

// --- bmp-double, bmp-to-ico ----------------------------------------------------------------------

TEST(BmpDouble, makes_four_pixels_of_each) {
  Random random;
  for (const uint32_t width : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 9u, 16u, 19u}) {
    const Picture picture = noise(width, 3, true, random);
    Picture expected(2 * width, 6), opaque = expected;
    for (uint32_t y = 0; y < 6; ++y) {
      for (uint32_t x = 0; x < 2 * width; ++x) {
        expected.at(x, y) = opaque.at(x, y) = picture.at(x / 2, y / 2);
        opaque.at(x, y).alpha = 255;
      }
    }
    for (const string& name : {kDouble, kDoubleSimd}) {
      EXPECT_EQ(output_of({name}, to_bmp(picture)), to_bmp(expected)) << name << width;
      EXPECT_EQ(output_of({name}, to_bmp24(picture)), to_bmp(opaque)) << name << width;
    }
  }
}

TEST(BmpDouble, gives_at_most_2_to_the_24th_pixels) {
  for (const string& name : {kDouble, kDoubleSimd}) {
    EXPECT_EQ(output_of({name}, to_bmp24(Picture(2048, 2048))).size(), 54u + (4u << 24)) << name;
    EXPECT_TRUE(traps({name}, to_bmp24(Picture(2048, 2049))));
  }
}

TEST(BmpDouble, follows_filters_in_a_chain) {
  const string output = output_of({"rgba/invert", "rgba/invert", kDouble},
                                  to_bmp24(Picture(3, 2, {10, 20, 30, 255})));
  EXPECT_EQ(output, to_bmp(Picture(6, 4, {10, 20, 30, 255})));
}

TEST(BmpToIco, makes_the_icon_of_one_red_pixel) {
  EXPECT_EQ(
      output_of({kToIco, kBase64}, to_bmp24(Picture(1, 1, kRed))),
      "AAABAAEAAQEAAAEAGAAwAAAAFgAAACgAAAABAAAAAgAAAAEAGAAAAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAP8A"
      "AAAAAA==\n");
}

TEST(BmpToIco, keeps_rows_from_the_bottom_and_alpha) {
  Picture picture(1, 2);
  picture.at(0, 0) = {1, 2, 3, 4};
  picture.at(0, 1) = {5, 6, 7, 8};
  const string icon = output_of({kToIco}, to_bmp(picture));
  // A directory entry, a header, two pixels, and two rows of mask.
  ASSERT_EQ(icon.size(), 22u + 40 + 8 + 8);
  EXPECT_EQ(icon.substr(0, 10), string("\0\0\1\0\1\0\1\2\0\0", 10));
  EXPECT_EQ(icon.substr(62), string("\7\6\5\10\3\2\1\4\0\0\0\0\0\0\0\0", 16));
}

TEST(BmpToIco, holds_up_to_256_pixels_a_side) {
  const string icon = output_of({kToIco}, to_bmp24(Picture(256, 256)));
  EXPECT_EQ(icon.substr(6, 2), string(2, '\0'));  // 0 stands for 256
  EXPECT_TRUE(traps({kToIco}, to_bmp24(Picture(257, 1))));
  EXPECT_TRUE(traps({kToIco}, to_bmp24(Picture(1, 257))));
}

// --- PNG: a writer and a reader ------------------------------------------------------------------

string big_endian(uint32_t value) {
  string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

uint32_t big_endian_at(string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

uint32_t crc_of(string_view bytes) {
  return static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

string chunk(const string& type, const string& data) {
  return big_endian(static_cast<uint32_t>(data.size())) + type + data +
         big_endian(crc_of(type + data));
}

string deflated(const string& bytes) {
  uLongf size = compressBound(bytes.size());
  string result(size, '\0');
  compress2(reinterpret_cast<Bytef*>(result.data()), &size,
            reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), 9);
  result.resize(size);
  return result;
}

string inflated(string_view bytes, size_t size) {
  string result(size + 1, '\0');
  uLongf found = result.size();
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(result.data()), &found,
                       reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()),
            Z_OK);
  result.resize(found);
  EXPECT_EQ(found, size);
  return result;
}

int predict(int filter, int left, int above, int corner) {
  if (filter == 1) return left;
  if (filter == 2) return above;
  if (filter == 3) return (left + above) / 2;
  if (filter == 0) return 0;
  const int guess = left + above - corner;
  const int to_left = std::abs(guess - left), to_above = std::abs(guess - above);
  const int to_corner = std::abs(guess - corner);
  if (to_left <= to_above && to_left <= to_corner) return left;
  return to_above <= to_corner ? above : corner;
}

// Applies (sign -1) or takes back (sign 1) a filter; `above` is an unfiltered row, or empty.
string filter_row(string row, const string& above, int filter, size_t pixel_bytes, int sign) {
  const string unfiltered = row;
  for (size_t i = 0; i < row.size(); ++i) {
    const string& before = sign < 0 ? unfiltered : row;
    const auto byte = [](const string& bytes, size_t at) -> int {
      return at < bytes.size() ? static_cast<uint8_t>(bytes[at]) : 0;
    };
    const int left = i < pixel_bytes ? 0 : byte(before, i - pixel_bytes);
    const int corner = i < pixel_bytes ? 0 : byte(above, i - pixel_bytes);
    row[i] = static_cast<char>(row[i] + sign * predict(filter, left, byte(above, i), corner));
  }
  return row;
}

const string kPngSignature = "\x89PNG\r\n\x1a\n";

string header_chunk(uint32_t width, uint32_t height, int depth, int color_type, int interlace = 0) {
  const auto byte = [](int value) { return string(1, static_cast<char>(value)); };
  return chunk("IHDR", big_endian(width) + big_endian(height) + byte(depth) + byte(color_type) +
                           string(2, '\0') + byte(interlace));
}

string png_of(const string& header, const string& between, const string& rows) {
  return kPngSignature + header + between + chunk("IDAT", deflated(rows)) + chunk("IEND", "");
}

// Reads what bmp-to-png writes: one IDAT, RGB or RGBA.
Picture from_png(string_view bytes) {
  EXPECT_EQ(bytes.substr(0, 8), kPngSignature);
  string types, data;
  uint32_t width = 0, height = 0;
  size_t channels = 0;
  for (size_t at = 8; at + 12 <= bytes.size();) {
    const size_t len = big_endian_at(bytes, at);
    const string type(bytes.substr(at + 4, 4));
    EXPECT_EQ(big_endian_at(bytes, at + 8 + len), crc_of(bytes.substr(at + 4, len + 4))) << type;
    types += type + " ";
    if (type == "IHDR") {
      width = big_endian_at(bytes, at + 8);
      height = big_endian_at(bytes, at + 12);
      channels = bytes[at + 17] == 2 ? 3 : 4;
      EXPECT_EQ(bytes.substr(at + 16, 5),
                string("\x08", 1) + (channels == 3 ? '\2' : '\6') + string(3, '\0'));
    }
    if (type == "IDAT") data = bytes.substr(at + 8, len);
    at += len + 12;
  }
  EXPECT_EQ(types, "IHDR IDAT IEND ");
  const size_t row_bytes = width * channels;
  const string rows = inflated(data, (row_bytes + 1) * height);
  Picture picture(width, height);
  string above;
  for (uint32_t y = 0; y < height; ++y) {
    const size_t at = y * (row_bytes + 1);
    const string row = filter_row(rows.substr(at + 1, row_bytes), above, rows[at], channels, 1);
    for (uint32_t x = 0; x < width; ++x) {
      const auto byte = [&](size_t i) { return static_cast<uint8_t>(row[x * channels + i]); };
      picture.at(x, y) = {byte(0), byte(1), byte(2), channels == 4 ? byte(3) : uint8_t{255}};
    }
    above = row;
  }
  return picture;
}

// --- bmp-to-png ----------------------------------------------------------------------------------

TEST(BmpToPng, writes_files_that_hold_the_same_pixels) {
  Random random;
  for (int i = 0; i < 24; ++i) {
    const Picture picture = noise(1 + random.below(70), 1 + random.below(40), i % 2 == 0, random);
    const string png = output_of({kToPng}, to_bmp(picture));
    EXPECT_EQ(from_png(png), picture);
    EXPECT_EQ(output_of({kFromPng}, png), to_bmp(picture));
  }
}

TEST(BmpToPng, writes_rgb_only_where_every_pixel_is_opaque) {
  Picture picture(3, 3, {9, 8, 7, 255});
  EXPECT_EQ(output_of({kToPng}, to_bmp(picture))[25], 2);
  picture.at(2, 2).alpha = 254;
  EXPECT_EQ(output_of({kToPng}, to_bmp(picture))[25], 6);
  EXPECT_EQ(from_png(output_of({kToPng}, to_bmp(picture))), picture);
}

TEST(BmpToPng, compresses_gradients_and_repetitions) {
  Picture picture(256, 256);
  for (uint32_t y = 0; y < 256; ++y)
    for (uint32_t x = 0; x < 256; ++x)
      picture.at(x, y) = {static_cast<uint8_t>(x), static_cast<uint8_t>(y),
                          static_cast<uint8_t>(x + y), 255};
  const string png = output_of({kToPng}, to_bmp(picture));
  EXPECT_LT(png.size(), 2000u);  // of 196,608 bytes
  EXPECT_EQ(from_png(png), picture);
}

TEST(BmpToPng, takes_wide_and_high_pictures) {
  Random random;
  for (const auto& [width, height] : {std::pair(5000u, 2u), std::pair(1u, 5000u)}) {
    const Picture picture = noise(width, height, true, random);
    EXPECT_EQ(output_of({kToPng, kFromPng}, to_bmp(picture)), to_bmp(picture));
  }
}

// --- png-to-bmp ----------------------------------------------------------------------------------

struct PngKind {
  int color_type, channels, depth;
};

const PngKind kPngKinds[] = {
    {0, 1, 1}, {0, 1, 2}, {0, 1, 4}, {0, 1, 8}, {0, 1, 16}, {2, 3, 8}, {2, 3, 16}, {3, 1, 1},
    {3, 1, 2}, {3, 1, 4}, {3, 1, 8}, {4, 2, 8}, {4, 2, 16}, {6, 4, 8}, {6, 4, 16},
};

// Samples of an image, all channels of a pixel together.
struct Samples {
  PngKind kind;
  uint32_t width, height;
  std::vector<uint32_t> values;

  uint32_t at(uint32_t x, uint32_t y, int channel) const {
    return values[(size_t{y} * width + x) * kind.channels + channel];
  }
};

Samples random_samples(const PngKind& kind, uint32_t width, uint32_t height, Random& random) {
  Samples samples{kind, width, height, {}};
  for (size_t i = 0; i < size_t{width} * height * kind.channels; ++i)
    samples.values.push_back(random.below(1u << kind.depth));
  return samples;
}

// The scanlines of every step_x-th column and step_y-th row, with all filters in turns.
string pass_rows(const Samples& samples, uint32_t from_x, uint32_t from_y, uint32_t step_x,
                 uint32_t step_y) {
  const PngKind& kind = samples.kind;
  if (from_x >= samples.width) return "";
  string rows, above;
  int filter = 4;
  for (uint32_t y = from_y; y < samples.height; y += step_y) {
    string row;
    uint32_t bits = 0, count = 0;
    for (uint32_t x = from_x; x < samples.width; x += step_x) {
      for (int channel = 0; channel < kind.channels; ++channel) {
        bits = bits << kind.depth | samples.at(x, y, channel);
        for (count += kind.depth; count >= 8; count -= 8)
          row += static_cast<char>(bits >> (count - 8));
      }
    }
    if (count > 0) row += static_cast<char>(bits << (8 - count));
    const size_t pixel_bytes = std::max(1, kind.channels * kind.depth / 8);
    rows += static_cast<char>(filter) + filter_row(row, above, filter, pixel_bytes, -1);
    above = row;
    filter = (filter + 1) % 5;
  }
  return rows;
}

string all_rows(const Samples& samples, bool interlaced) {
  if (!interlaced) return pass_rows(samples, 0, 0, 1, 1);
  return pass_rows(samples, 0, 0, 8, 8) + pass_rows(samples, 4, 0, 8, 8) +
         pass_rows(samples, 0, 4, 4, 8) + pass_rows(samples, 2, 0, 4, 4) +
         pass_rows(samples, 0, 2, 2, 4) + pass_rows(samples, 1, 0, 2, 2) +
         pass_rows(samples, 0, 1, 1, 2);
}

uint8_t to_byte(uint32_t sample, int depth) {
  return static_cast<uint8_t>(depth == 16 ? sample >> 8 : sample * 255 / ((1u << depth) - 1));
}

Picture picture_of_samples(const Samples& samples, const std::vector<Color>& palette) {
  Picture picture(samples.width, samples.height);
  const PngKind& kind = samples.kind;
  for (uint32_t y = 0; y < samples.height; ++y) {
    for (uint32_t x = 0; x < samples.width; ++x) {
      const auto byte = [&](int channel) { return to_byte(samples.at(x, y, channel), kind.depth); };
      Color& color = picture.at(x, y);
      if (kind.color_type == 3)
        color = palette[samples.at(x, y, 0)];
      else if (kind.channels < 3)
        color = {byte(0), byte(0), byte(0), kind.channels == 2 ? byte(1) : uint8_t{255}};
      else
        color = {byte(0), byte(1), byte(2), kind.channels == 4 ? byte(3) : uint8_t{255}};
    }
  }
  return picture;
}

struct Palette {
  std::vector<Color> colors;
  string chunks;
};

// As many colours as the depth allows, the first half of them with alpha.
Palette random_palette(int depth, Random& random) {
  Palette palette;
  string colors, alphas;
  for (uint32_t i = 0; i < 1u << depth; ++i) {
    Color color = {random.byte(), random.byte(), random.byte(), 255};
    if (i < 1u << (depth - 1)) color.alpha = random.byte();
    for (const uint8_t channel : {color.red, color.green, color.blue})
      colors += static_cast<char>(channel);
    if (i < 1u << (depth - 1)) alphas += static_cast<char>(color.alpha);
    palette.colors.push_back(color);
  }
  palette.chunks = chunk("PLTE", colors) + chunk("tRNS", alphas);
  return palette;
}

TEST(PngToBmp, reads_all_colour_types_depths_and_filters) {
  Random random;
  for (const PngKind& kind : kPngKinds) {
    for (const bool interlaced : {false, true}) {
      for (const auto& [width, height] :
           {std::pair(1u, 1u), std::pair(2u, 9u), std::pair(13u, 11u), std::pair(33u, 8u)}) {
        const Samples samples = random_samples(kind, width, height, random);
        const Palette palette =
            kind.color_type == 3 ? random_palette(kind.depth, random) : Palette();
        const string png =
            png_of(header_chunk(width, height, kind.depth, kind.color_type, interlaced),
                   palette.chunks, all_rows(samples, interlaced));
        EXPECT_EQ(output_of({kFromPng}, png), to_bmp(picture_of_samples(samples, palette.colors)))
            << "type " << kind.color_type << " depth " << kind.depth << " interlaced " << interlaced
            << " " << width << " x " << height;
      }
    }
  }
}

TEST(PngToBmp, makes_the_colour_of_tRNS_transparent) {
  // Only the bits that a sample has count: 0xff02 is 2 at two bits.
  const string grey =
      png_of(header_chunk(4, 1, 2, 0), chunk("tRNS", "\xff\x02"), string("\0\x1b", 2));
  Picture expected(4, 1);
  expected.pixels = {{0, 0, 0, 255}, {85, 85, 85, 255}, {170, 170, 170, 0}, {255, 255, 255, 255}};
  EXPECT_EQ(picture_of({kFromPng}, grey), expected);

  const string rgb = png_of(header_chunk(2, 1, 8, 2), chunk("tRNS", string("\0\1\0\2\0\3", 6)),
                            string("\0\1\2\3\1\2\4", 7));
  expected = Picture(2, 1);
  expected.pixels = {{1, 2, 3, 0}, {1, 2, 4, 255}};
  EXPECT_EQ(picture_of({kFromPng}, rgb), expected);

  // All 16 bits are compared: the second pixel has the same higher byte only.
  const string deep =
      png_of(header_chunk(2, 1, 16, 0), chunk("tRNS", "\x12\x34"), string("\0\x12\x34\x12\x35", 5));
  expected.pixels = {{0x12, 0x12, 0x12, 0}, {0x12, 0x12, 0x12, 255}};
  EXPECT_EQ(picture_of({kFromPng}, deep), expected);
}

TEST(PngToBmp, joins_the_parts_of_the_image_and_skips_what_is_not_critical) {
  const string data = deflated(string("\0\1\2\3", 4));
  string png = kPngSignature + header_chunk(1, 1, 8, 2) + chunk("gAMA", big_endian(45455));
  for (const char byte : data) png += chunk("IDAT", string(1, byte)) + chunk("IDAT", "");
  png += chunk("tEXt", "a") + chunk("IEND", "");
  EXPECT_EQ(picture_of({kFromPng}, png), Picture(1, 1, {1, 2, 3, 255}));
}

TEST(PngToBmp, refuses_files_that_are_not_whole_or_not_correct) {
  const string rows = string("\0\1\2\3\0\4\5\6", 8);  // 1 x 2 RGB
  const string header = header_chunk(1, 2, 8, 2), end = chunk("IEND", "");
  const string good = png_of(header, "", rows);
  ASSERT_EQ(picture_of({kFromPng}, good).pixels,
            (std::vector<Color>{{1, 2, 3, 255}, {4, 5, 6, 255}}));
  for (size_t len = 0; len < good.size(); ++len)
    EXPECT_TRUE(traps({kFromPng}, good.substr(0, len))) << "cut to " << len;
  for (size_t at = 0; at < good.size(); ++at) {
    string changed = good;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    EXPECT_TRUE(traps({kFromPng}, changed)) << "changed at " << at;
  }

  const string data = deflated(rows), image = chunk("IDAT", data);
  string wrong_sum = data;
  wrong_sum.back() = static_cast<char>(wrong_sum.back() ^ 1);
  const string palette = chunk("PLTE", "abcdef"), gray = header_chunk(1, 1, 8, 0);
  const string indexed = header_chunk(1, 1, 1, 3),
               index = chunk("IDAT", deflated(string("\0\x80", 2)));
  const std::pair<const char*, string> bad[] = {
      {"bytes behind the end", header + image + end + "x"},
      {"no image", header + end},
      {"empty image", header + chunk("IDAT", "") + end},
      {"no end", header + image},
      {"end with data", header + image + chunk("IEND", "x")},
      {"two headers", header + header + image + end},
      {"image before header", image + header + end},
      {"long header",
       chunk("IHDR", big_endian(1) + big_endian(2) + string("\x8\2\0\0\0\0", 6)) + image + end},
      {"image in two places", header + image + chunk("tEXt", "") + image + end},
      {"unknown critical chunk", header + chunk("ABCD", "") + image + end},
      {"type with a digit", header + chunk("a1cd", "") + image + end},
      {"checksum of the content", header + chunk("IDAT", wrong_sum) + end},
      {"bytes behind the stream", header + chunk("IDAT", data + "x") + end},
      {"too few rows", header + chunk("IDAT", deflated(rows.substr(0, 4))) + end},
      {"too many rows", header + chunk("IDAT", deflated(rows + rows)) + end},
      {"unknown filter", header + chunk("IDAT", deflated("\5" + rows.substr(1))) + end},
      {"no width", header_chunk(0, 2, 8, 2) + image + end},
      {"no height", header_chunk(1, 0, 8, 2) + image + end},
      {"huge width", header_chunk(0x7fffffff, 2, 8, 2) + image + end},
      {"huge sides", header_chunk(0x10000, 0x10000, 8, 2) + image + end},
      {"type 1", header_chunk(1, 2, 8, 1) + image + end},
      {"type 7", header_chunk(1, 2, 8, 7) + image + end},
      {"type 255", header_chunk(1, 2, 8, 255) + image + end},
      {"depth 3", header_chunk(1, 2, 3, 0) + image + end},
      {"depth 0", header_chunk(1, 2, 0, 0) + image + end},
      {"depth 32", header_chunk(1, 2, 32, 0) + image + end},
      {"depth 4 of RGB", header_chunk(1, 2, 4, 2) + image + end},
      {"depth 16 of a palette", header_chunk(1, 2, 16, 3) + palette + image + end},
      {"interlace method 2", header_chunk(1, 2, 8, 2, 2) + image + end},
      {"no palette", indexed + index + end},
      {"palette behind the image", indexed + index + palette + end},
      {"two palettes", indexed + palette + palette + index + end},
      {"palette for grey", gray + palette + chunk("IDAT", deflated(string(2, '\0'))) + end},
      {"empty palette", indexed + chunk("PLTE", "") + index + end},
      {"palette of 7 bytes", indexed + chunk("PLTE", "abcdefg") + index + end},
      {"palette of 3 at one bit", indexed + chunk("PLTE", "abcdefghi") + index + end},
      {"index beyond the palette", indexed + chunk("PLTE", "abc") + index + end},
      {"alpha before the palette", indexed + chunk("tRNS", "a") + palette + index + end},
      {"alpha for 3 of 2 colours", indexed + palette + chunk("tRNS", "abc") + index + end},
      {"alpha behind the image", indexed + palette + index + chunk("tRNS", "a") + end},
      {"two alphas", indexed + palette + chunk("tRNS", "a") + chunk("tRNS", "a") + index + end},
      {"transparent grey of RGB", header + chunk("tRNS", "ab") + image + end},
      {"transparency of RGBA", header_chunk(1, 1, 8, 6) + chunk("tRNS", "abcdef") +
                                   chunk("IDAT", deflated(string(5, '\0'))) + end},
  };
  for (const auto& [what, chunks] : bad)
    EXPECT_TRUE(traps({kFromPng}, kPngSignature + chunks)) << what;
}

TEST(PngToBmp, stops_at_the_size_that_the_header_says) {
  // 64 MiB of zeros in 65 KB, for an image of one pixel.
  EXPECT_TRUE(traps({kFromPng}, png_of(header_chunk(1, 1, 8, 2), "", string(64 << 20, '\0'))));
}

// --- resize-lanczos ------------------------------------------------------------------------------

double lanczos(double x) {
  if (std::abs(x) >= 3) return 0;
  if (x == 0) return 1;
  const double angle = M_PI * x;
  return std::sin(angle) / angle * std::sin(angle / 3) / (angle / 3);
}

// For each pixel of the result, the weights of all pixels of the image.
std::vector<std::vector<double>> axis_weights(uint32_t from, uint32_t to) {
  const double step = static_cast<double>(from) / to, stretch = std::max(1.0, step);
  std::vector<std::vector<double>> weights(to);
  for (uint32_t i = 0; i < to; ++i) {
    double sum = 0;
    for (uint32_t j = 0; j < from; ++j) {
      weights[i].push_back(lanczos((j + 0.5 - (i + 0.5) * step) / stretch));
      sum += weights[i].back();
    }
    for (double& weight : weights[i]) weight /= sum;
  }
  return weights;
}

// Straight from the definition, in doubles: R, G, B, A of one pixel of the result, not rounded.
std::array<double, 4> resized_pixel(const Picture& picture, const std::vector<double>& columns,
                                    const std::vector<double>& rows) {
  std::array<double, 4> sum{};
  for (uint32_t y = 0; y < picture.height; ++y) {
    for (uint32_t x = 0; x < picture.width; ++x) {
      const Color& color = picture.at(x, y);
      const double weight = rows[y] * columns[x], part = weight * color.alpha / 255;
      sum[0] += part * color.red;
      sum[1] += part * color.green;
      sum[2] += part * color.blue;
      sum[3] += weight * color.alpha;
    }
  }
  for (int i = 0; i < 3; ++i) sum[i] = sum[3] < 0.5 ? 0 : sum[i] * 255 / sum[3];
  for (double& value : sum) value = std::clamp(value, 0.0, 255.0);
  return sum;
}

string size_uniforms(uint32_t width, uint32_t height) {
  return "?width=" + std::to_string(width) + "&height=" + std::to_string(height);
}

TEST(ResizeLanczos, agrees_with_the_definition) {
  Random random;
  for (int i = 0; i < 30; ++i) {
    const uint32_t width = 1 + random.below(60), height = 1 + random.below(60);
    const Picture picture = noise(1 + random.below(40), 1 + random.below(40), i % 3 != 0, random);
    const Picture resized = picture_of({kResize, size_uniforms(width, height)}, to_bmp(picture));
    ASSERT_EQ(resized.width, width);
    ASSERT_EQ(resized.height, height);
    const auto columns = axis_weights(picture.width, width);
    const auto rows = axis_weights(picture.height, height);
    double largest = 0;
    for (uint32_t y = 0; y < height; ++y) {
      for (uint32_t x = 0; x < width; ++x) {
        const std::array<double, 4> wanted = resized_pixel(picture, columns[x], rows[y]);
        const Color& color = resized.at(x, y);
        if (wanted[3] < 1) continue;  // colours of what is all but transparent may be far off
        const double bytes[] = {1.0 * color.red, 1.0 * color.green, 1.0 * color.blue,
                                1.0 * color.alpha};
        for (int channel = 0; channel < 4; ++channel)
          largest = std::max(largest, std::abs(bytes[channel] - wanted[channel]));
      }
    }
    EXPECT_LT(largest, 0.51) << picture.width << " x " << picture.height << " to " << width << " x "
                             << height;
  }
}

TEST(ResizeLanczos, changes_nothing_at_the_same_size) {
  Random random;
  Picture picture = noise(17, 9, true, random);
  for (Color& color : picture.pixels) color.alpha |= 1;
  EXPECT_EQ(output_of({kResize}, to_bmp(picture)), to_bmp(picture));
  EXPECT_EQ(output_of({kResize, "?width=17"}, to_bmp(picture)), to_bmp(picture));
  picture.at(0, 0) = {1, 2, 3, 0};
  EXPECT_EQ(picture_of({kResize}, to_bmp(picture)).at(0, 0), kClear);
}

TEST(ResizeLanczos, keeps_the_proportions_where_one_side_is_given) {
  const string bmp = to_bmp(Picture(40, 30));
  const auto size_of = [&](const string& uniforms) {
    const Picture picture = picture_of({kResize, uniforms}, bmp);
    return std::pair(picture.width, picture.height);
  };
  EXPECT_EQ(size_of("?width=20"), std::pair(20u, 15u));
  EXPECT_EQ(size_of("?height=20"), std::pair(27u, 20u));  // 26.7
  EXPECT_EQ(size_of("?width=1"), std::pair(1u, 1u));      // 0.75
  EXPECT_EQ(size_of("?width=8&height=0"), std::pair(8u, 6u));
  EXPECT_EQ(size_of("?width=8&height=50"), std::pair(8u, 50u));
  const Picture thin = picture_of({kResize, "?height=1"}, to_bmp(Picture(1, 1000)));
  EXPECT_EQ(std::pair(thin.width, thin.height), std::pair(1u, 1u));
}

TEST(ResizeLanczos, keeps_one_colour_and_lends_none_from_transparent_pixels) {
  for (const Color color : {kWhite, kBlack, Color{12, 34, 56, 78}})
    EXPECT_EQ(picture_of({kResize, "?width=61&height=7"}, to_bmp(Picture(9, 31, color))),
              Picture(61, 7, color));
  // Red beside transparent green: all that is left of it is red.
  Picture picture(20, 1, {0, 255, 0, 0});
  for (uint32_t x = 0; x < 10; ++x) picture.at(x, 0) = kRed;
  for (const Color& color : picture_of({kResize, "?width=7&height=1"}, to_bmp(picture)).pixels) {
    if (color.alpha > 0) {
      EXPECT_EQ(color, (Color{255, 0, 0, color.alpha}));
    }
  }
}

TEST(ResizeLanczos, refuses_sizes_beyond_its_limits) {
  const string bmp = to_bmp(Picture(2, 1));
  EXPECT_TRUE(traps({kResize, "?width=65536&height=1"}, bmp));
  EXPECT_TRUE(traps({kResize, "?width=1&height=65536"}, bmp));
  EXPECT_TRUE(traps({kResize, "?width=-1&height=1"}, bmp));
  EXPECT_TRUE(traps({kResize, "?height=65535"}, bmp));  // 131,070 wide
  EXPECT_TRUE(traps({kResize, "?width=4097&height=4096"}, bmp));
  EXPECT_EQ(output_of({kResize, "?width=65535&height=1"}, bmp).size(), 54u + 4 * 65535);
}

// --- text-to-bmp ---------------------------------------------------------------------------------

std::pair<uint32_t, uint32_t> text_size(const string& uniforms, const string& text) {
  const Picture picture = picture_of({kTextToBmp, uniforms}, text);
  return {picture.width, picture.height};
}

TEST(TextToBmp, has_a_size_that_follows_from_columns_and_leading) {
  const string three = "one\ntwo\nthree\n";
  EXPECT_EQ(text_size("?cols=80", three), std::pair(640u, 60u));
  EXPECT_EQ(text_size("?leading=40", three), std::pair(640u, 168u));
  EXPECT_EQ(text_size("?cols=10", three), std::pair(80u, 60u));
  EXPECT_EQ(text_size("?cols=0&leading=0", three), std::pair(40u, 48u));
  EXPECT_EQ(text_size("?cols=2&leading=0", three), std::pair(16u, 16u * 7));
  EXPECT_EQ(text_size("?cols=3&leading=0", "abc\nabc"), std::pair(24u, 32u));
  EXPECT_EQ(text_size("?cols=3&leading=-5", ""), std::pair(24u, 16u));
  EXPECT_EQ(text_size("?cols=9999&leading=9999", "a"), std::pair(4096u, 80u));
}

// The picture of one line without leading, cut into its cells.
std::vector<Picture> cells_of(const string& line) {
  const Picture picture = picture_of({kTextToBmp, "?cols=0&leading=0"}, line);
  std::vector<Picture> cells(picture.width / 8, Picture(8, 16));
  for (size_t i = 0; i < cells.size(); ++i)
    for (uint32_t y = 0; y < 16; ++y)
      for (uint32_t x = 0; x < 8; ++x)
        cells[i].at(x, y) = picture.at(static_cast<uint32_t>(8 * i) + x, y);
  return cells;
}

TEST(TextToBmp, gives_every_printable_character_a_shape_of_its_own) {
  string all;
  for (char c = ' '; c <= '~'; ++c) all += c;
  const std::vector<Picture> cells = cells_of(all);
  ASSERT_EQ(cells.size(), 95u);
  EXPECT_EQ(cells[0], Picture(8, 16, kWhite));
  for (size_t i = 0; i < cells.size(); ++i)
    for (size_t j = i + 1; j < cells.size(); ++j)
      EXPECT_NE(cells[i].pixels, cells[j].pixels) << all[i] << all[j];
}

TEST(TextToBmp, shows_a_box_for_each_other_character_and_wrong_byte) {
  const std::vector<Picture> cells = cells_of(
      "\x7f"
      "é€🚀\xff\xc3(");
  ASSERT_EQ(cells.size(), 7u);
  for (size_t i = 1; i < 6; ++i) EXPECT_EQ(cells[i], cells[0]) << i;
  EXPECT_EQ(cells[6], cells_of("(")[0]);
}

TEST(TextToBmp, moves_tabs_to_the_next_multiple_of_four) {
  const std::vector<Picture> cells = cells_of("a\tb");
  ASSERT_EQ(cells.size(), 5u);
  EXPECT_EQ(cells[4], cells_of("b")[0]);
  for (int i = 1; i < 4; ++i) EXPECT_EQ(cells[i], Picture(8, 16, kWhite));
}

// --- url-to-qr-svg -------------------------------------------------------------------------------

// The modules of a code as text, read from the picture; the margin has to be white.
std::vector<string> qr_modules(const string& url) {
  const Picture picture = picture_of({kQrCode, kRasterize}, url);
  std::vector<string> rows;
  for (uint32_t y = 0; y < picture.height; ++y) {
    string row;
    for (uint32_t x = 0; x < picture.width; ++x) row += picture.at(x, y) == kBlack ? '#' : ' ';
    const bool is_margin = y < 4 || y >= picture.height - 4;
    EXPECT_EQ(is_margin ? row : row.substr(0, 4) + row.substr(row.size() - 4),
              string(is_margin ? row.size() : 8, ' '));
    if (!is_margin) rows.push_back(row.substr(4, row.size() - 8));
  }
  return rows;
}

TEST(UrlToQrSvg, makes_the_code_that_other_encoders_make) {
  EXPECT_EQ(qr_modules("http://a.b/"), (std::vector<string>{
                                           "#######     # #######",  //
                                           "#     # ##### #     #",  //
                                           "# ### #  # #  # ### #",  //
                                           "# ### #  # ## # ### #",  //
                                           "# ### # # # # # ### #",  //
                                           "#     #   # # #     #",  //
                                           "####### # # # #######",  //
                                           "           ##        ",  //
                                           "# # # #  # #    #  # ",  //
                                           "  #  # ###   # ##   #",  //
                                           " # ## ##### ##### ###",  //
                                           " # # #  ###  #  #  # ",  //
                                           "  ###### ## #  # #   ",  //
                                           "        ## #  ###  ##",  //
                                           "#######  # #    # ###",  //
                                           "#     #    ##   #   #",  //
                                           "# ### # #  #   # #   ",  //
                                           "# ### #  # # # ### # ",  //
                                           "# ### # #   #   # # #",  //
                                           "#     #     ## ### # ",  //
                                           "####### ####     # ##",  //
                                       }));
}

// The longest contents of versions 1 to 40 at level M (ISO/IEC 18004, table 7), and the FNV-1a
// digests of the pictures of such contents, which another program has read.
constexpr std::pair<uint32_t, uint64_t> kQrVersions[] = {
    {14, 0xaf23682ca1567e6e},   {26, 0xec40135861578a8e},   {42, 0x2eb62c1e6823f518},
    {62, 0xef03fa3085ce2c9d},   {84, 0xabb0ace378944a2d},   {106, 0xaf98f8a149745d95},
    {122, 0x47f811b0b40bf8bc},  {152, 0x9fd3a85fc3022a90},  {180, 0xb8373350e81f7d79},
    {213, 0xc1f57a5789109ab4},  {251, 0xac05a99ffaba9839},  {287, 0x15bac63428d8a317},
    {331, 0x0860fe264ece8d12},  {362, 0x758a8e4216c24780},  {412, 0x9f29b02513de60ff},
    {450, 0x3ef60d99cf9806f2},  {504, 0x0ea0af38cc83472c},  {560, 0xa41a527bfe43aca8},
    {624, 0x7b7b0939f456cc19},  {666, 0xbaa5a9da63f288e1},  {711, 0xc805cb2eaf7314a1},
    {779, 0x97b8349d81bd6d86},  {857, 0x85df6727838aded6},  {911, 0x57fdd1aa37bf489e},
    {997, 0x12fafed927140c23},  {1059, 0x7bb11303d0e75366}, {1125, 0x5d323af28d55b6f6},
    {1190, 0x9142844d7fe8544a}, {1264, 0xa2d634a7363f5dd4}, {1370, 0xee10934c461f3f74},
    {1452, 0xa0d1afb430ecb2a2}, {1538, 0x3d6982d6b12a7270}, {1628, 0x9b31b6878b53ab9e},
    {1722, 0xfad6013945304656}, {1809, 0xd865d4bcabb2a928}, {1911, 0x9a83eb0756be40e9},
    {1989, 0xbb26e5d6804d2413}, {2099, 0x6d2cba1fb91f556f}, {2213, 0x44232f186b78a4a1},
    {2331, 0xa5f847a850f5a6d7},
};

TEST(UrlToQrSvg, fills_every_version) {
  uint32_t version = 0;
  for (const auto& [capacity, digest] : kQrVersions) {
    ++version;
    string url = "https://example.com/";
    while (url.size() < capacity) url += static_cast<char>('a' + (url.size() * 7 + version) % 26);
    url.resize(capacity);
    const string picture = output_of({kQrCode}, url);
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : picture.substr(0, picture.size() - 1))
      hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
    EXPECT_EQ(hash, digest) << "version " << version;
    const string side = std::to_string(17 + 4 * version + 8);
    EXPECT_NE(picture.find("viewBox=\"0 0 " + side + " " + side + "\""), string::npos) << version;
  }
}

TEST(UrlToQrSvg, takes_the_first_line_that_is_a_url) {
  const string expected = output_of({kQrCode}, "https://example.com/");
  for (const char* text :
       {"https://example.com/\n", " https://example.com/\r\nhttps://b.example/\r\n",
        "# comment\r\n\r\n\thttps://example.com/ "})
    EXPECT_EQ(output_of({kQrCode}, text), expected) << text;
}

TEST(UrlToQrSvg, refuses_no_url_and_one_that_is_too_long) {
  EXPECT_TRUE(traps({kQrCode}, ""));
  EXPECT_TRUE(traps({kQrCode}, " \n# only a comment\n"));
  EXPECT_EQ(run({kQrCode}, string(2331, 'a')).exit_code, 0);
  EXPECT_TRUE(traps({kQrCode}, string(2332, 'a')));
}

}  // namespace
}  // namespace qip
