// Compares png-to-bmp with two other readers: the command's own of PNG files, through a filter that
// changes nothing, and zlib's of damaged streams. Pixels worked out by hand, and files that have to
// be refused by the rules of PNG, are in image_components_test.cpp.
// Assumes: the working directory is the root of the repository; the command is $QIP or build/qip.
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec-tests/component_folder.hpp"
#include "spec-tests/picture_components.hpp"
#include "spec-tests/pictures.hpp"

namespace qip {
namespace {

using pictures::chunk;
using pictures::put_big;
using std::string;
using std::string_view;

const Chain kFromPng = {"image/png/png-to-bmp"};
const string kSignature = "\x89PNG\r\n\x1a\n";

struct Kind {
  int color_type;
  uint32_t channels, depth;
};
constexpr Kind kKinds[] = {
    {0, 1, 1}, {0, 1, 2}, {0, 1, 4}, {0, 1, 8}, {0, 1, 16}, {2, 3, 8}, {2, 3, 16}, {3, 1, 1},
    {3, 1, 2}, {3, 1, 4}, {3, 1, 8}, {4, 2, 8}, {4, 2, 16}, {6, 4, 8}, {6, 4, 16},
};

uint32_t below(std::mt19937& random, uint32_t limit) {
  return static_cast<uint32_t>(random()) % limit;
}

string noise_bytes(std::mt19937& random, size_t count) {
  string bytes;
  while (bytes.size() < count) bytes += static_cast<char>(random());
  return bytes;
}

string header_chunk(const Kind& kind, uint32_t width, uint32_t height, bool interlaced) {
  string data;
  put_big(data, width);
  put_big(data, height);
  data += {static_cast<char>(kind.depth), static_cast<char>(kind.color_type), 0, 0,
           static_cast<char>(interlaced)};
  return chunk("IHDR", data);
}

// Scanlines of one pass. Their bytes are noise behind every kind of filter: whatever they are, they
// stand for an image.
string pass_noise(std::mt19937& random, const Kind& kind, uint32_t columns, uint32_t rows) {
  const size_t row_bytes = (size_t{columns} * kind.channels * kind.depth + 7) / 8;
  string bytes;
  for (uint32_t y = 0; columns > 0 && y < rows; ++y)
    bytes += static_cast<char>(below(random, 5)) + noise_bytes(random, row_bytes);
  return bytes;
}

string image_noise(std::mt19937& random, const Kind& kind, uint32_t width, uint32_t height,
                   bool interlaced) {
  if (!interlaced) return pass_noise(random, kind, width, height);
  // Adam7: in an image of eight by eight, a pass has the pixels from (x, y) in these steps.
  constexpr struct {
    uint32_t x, y, step_x, step_y;
  } kPasses[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                 {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  string bytes;
  for (const auto& pass : kPasses) {
    uint32_t columns = 0, rows = 0;
    for (uint32_t x = pass.x; x < width; x += pass.step_x) ++columns;
    for (uint32_t y = pass.y; y < height; y += pass.step_y) ++rows;
    bytes += pass_noise(random, kind, columns, rows);
  }
  return bytes;
}

// A palette that has every index, and a transparency of the form that the kind has, or none.
string color_chunks(std::mt19937& random, const Kind& kind) {
  const bool transparent = below(random, 2) == 1;
  string chunks;
  if (kind.color_type == 3) {
    chunks += chunk("PLTE", noise_bytes(random, size_t{3} << kind.depth));
    const uint32_t alphas = 1 + below(random, 1u << kind.depth);
    if (transparent) chunks += chunk("tRNS", noise_bytes(random, alphas));
  } else if (kind.channels % 2 == 1 && transparent) {
    string color;
    for (uint32_t i = 0; i < kind.channels; ++i)
      color += {static_cast<char>(kind.depth == 16 ? below(random, 256) : 0),
                static_cast<char>(below(random, kind.depth < 8 ? 1u << kind.depth : 256))};
    chunks += chunk("tRNS", color);
  }
  return chunks;
}

// A zlib stream made in that way; `window_bits` from 9 to 15.
string deflated(const string& bytes, int level, int strategy, int window_bits = 15) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, window_bits, 8, strategy), Z_OK);
  string result(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

string deflated(std::mt19937& random, const string& bytes) {
  constexpr int kStrategies[] = {Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};
  const int level = static_cast<int>(below(random, 10));
  return deflated(bytes, level, kStrategies[below(random, 5)],
                  9 + static_cast<int>(below(random, 7)));
}

// The stream in chunks of up to `most` bytes.
string image_chunks(const string& stream, size_t most) {
  string chunks;
  for (size_t at = 0; at < stream.size(); at += most)
    chunks += chunk("IDAT", stream.substr(at, most));
  return chunks;
}

string png_file(const string& before, const string& image) {
  return kSignature + before + image + chunk("IEND", "");
}

// What the command itself reads, through a filter that leaves every pixel as it is.
class OwnReader {
 public:
  string operator()(const string& png) const {
    const string from = folder_.put("in.png", png), to = folder_.path("out.bmp");
    const ProcessResult result = run_process({qip_path(), "image", "-i", from, "-o", to,
                                              "modules/rgba/brightness.wasm", "?brightness=0"});
    EXPECT_EQ(result.exit_code, 0) << result.error;
    return folder_.get("out.bmp");
  }

 private:
  ComponentFolder folder_{"png-component"};
};

TEST(PngComponent, reads_the_same_pixels_as_the_command) {
  const OwnReader own_reader;
  std::mt19937 random(1);
  constexpr std::pair<uint32_t, uint32_t> kSizes[] = {{1, 1}, {1, 9},  {3, 2},  {5, 5},
                                                      {8, 8}, {65, 3}, {31, 70}};
  for (const Kind& kind : kKinds) {
    for (const bool interlaced : {false, true}) {
      for (const auto& [width, height] : kSizes) {
        const string before =
            header_chunk(kind, width, height, interlaced) + color_chunks(random, kind);
        const string stream =
            deflated(random, image_noise(random, kind, width, height, interlaced));
        const string png = png_file(before, image_chunks(stream, 1 + below(random, 5000)));
        EXPECT_EQ(output_of(kFromPng, png), own_reader(png))
            << "type " << kind.color_type << " depth " << kind.depth << " interlaced " << interlaced
            << " " << width << " x " << height;
      }
    }
  }
}

TEST(PngComponent, takes_the_transparent_colour_of_every_kind_as_the_command_does) {
  const OwnReader own_reader;
  // Grey and RGB of 8 and 16 bits: the colour, and colours that differ in one bit of one channel.
  for (const uint32_t channels : {1u, 3u}) {
    for (const uint32_t depth : {8u, 16u}) {
      const Kind kind = {channels == 1 ? 0 : 2, channels, depth};
      const size_t sample_bytes = depth / 8;
      string color, transparent, rows(1, '\0');
      for (uint32_t i = 0; i < channels; ++i) {
        const string sample = string("\x12\x34", 2).substr(2 - sample_bytes);
        color += sample;
        transparent += string(2 - sample_bytes, '\0') + sample;
      }
      rows += color;
      uint32_t columns = 1;
      for (size_t bit = 0; bit < 8 * color.size(); ++bit, ++columns) {
        string other = color;
        other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
        rows += other;
      }
      const string png =
          png_file(header_chunk(kind, columns, 1, false) + chunk("tRNS", transparent),
                   image_chunks(deflated(rows, 6, Z_DEFAULT_STRATEGY), 10000));
      const Picture picture = picture_of(kFromPng, png);
      EXPECT_EQ(to_bmp(picture), own_reader(png));
      ASSERT_EQ(picture.pixels.size(), columns);
      for (uint32_t x = 0; x < columns; ++x)
        EXPECT_EQ(int{picture.at(x, 0).alpha}, x == 0 ? 0 : 255)
            << x << " of " << channels << " channels of " << depth;
    }
  }
}

TEST(PngComponent, reads_a_picture_of_many_blocks) {
  const OwnReader own_reader;
  std::mt19937 random(2);
  const Kind kind = {6, 4, 8};
  // Half noise, half repetitions from far away: blocks of all kinds, and every match length.
  string rows;
  for (uint32_t y = 0; y < 300; ++y) {
    rows += static_cast<char>(y % 5);
    if (y % 3 == 0 || rows.size() < 32000) {
      rows += noise_bytes(random, 1600);
    } else {
      for (size_t left = 1600; left > 0;) {
        const size_t len = std::min<size_t>(left, 1 + below(random, 300));
        rows += rows.substr(rows.size() - 300 - below(random, 31000), len);
        left -= len;
      }
    }
  }
  for (const int level : {0, 1, 9}) {
    const string png = png_file(header_chunk(kind, 400, 300, false),
                                image_chunks(deflated(rows, level, Z_DEFAULT_STRATEGY), 8192));
    EXPECT_TRUE(output_of(kFromPng, png) == own_reader(png)) << "level " << level;
  }
}

// 16 colours, interlaced, with alpha: every kind of chunk that counts, and a block with codes of
// its own.
struct SmallFile {
  string before, rows, stream;

  SmallFile() {
    std::mt19937 random(3);
    const Kind kind = {3, 1, 4};
    before = header_chunk(kind, 21, 17, true) + chunk("PLTE", noise_bytes(random, 48)) +
             chunk("tRNS", noise_bytes(random, 7));
    rows = image_noise(random, kind, 21, 17, true);
    for (char& byte : rows)
      if (below(random, 4) != 0) byte = static_cast<char>(byte & 3);
    stream = deflated(rows, 9, Z_HUFFMAN_ONLY);
  }
};

TEST(PngComponent, refuses_a_file_cut_at_any_byte) {
  const SmallFile file;
  ASSERT_EQ(file.stream[2] >> 1 & 3, 2) << "not a block with codes of its own";
  const string png = png_file(file.before, image_chunks(file.stream, 50));
  ASSERT_EQ(run(kFromPng, png).exit_code, 0);
  for (size_t len = 0; len < png.size(); ++len)
    EXPECT_TRUE(traps(kFromPng, png.substr(0, len))) << "cut to " << len;
}

TEST(PngComponent, refuses_a_file_changed_at_any_byte) {
  const SmallFile file;
  const string png =
      png_file(file.before + chunk("tEXt", "comment"), image_chunks(file.stream, 50));
  ASSERT_EQ(run(kFromPng, png).exit_code, 0);
  for (size_t at = 0; at < png.size(); ++at) {
    string changed = png;
    changed[at] = static_cast<char>(changed[at] ^ 1 << at % 8);
    EXPECT_TRUE(traps(kFromPng, changed)) << "changed at " << at;
  }
}

TEST(PngComponent, refuses_a_stream_cut_at_any_byte_in_chunks_that_are_whole) {
  const SmallFile file;
  for (size_t len = 1; len < file.stream.size(); ++len) {
    const string cut = file.stream.substr(0, len);
    EXPECT_TRUE(traps(kFromPng, png_file(file.before, image_chunks(cut, 1000)))) << len;
  }
}

// zlib is the judge of what a damaged stream is worth. It may leave a picture whole: the bits that
// fill up its last byte mean nothing.
TEST(PngComponent, accepts_of_damaged_streams_what_zlib_accepts) {
  std::mt19937 random(4);
  const SmallFile file;
  const string before = file.before;
  int accepted = 0;
  const auto compare = [&](const string& stream, const string& what) {
    std::vector<Bytef> bytes(file.rows.size() + 1);
    uLongf count = bytes.size();
    const bool is_good =
        uncompress(bytes.data(), &count, reinterpret_cast<const Bytef*>(stream.data()),
                   stream.size()) == Z_OK &&
        count == file.rows.size();
    accepted += is_good;
    const string png = png_file(before, image_chunks(stream, 1000));
    if (is_good)
      EXPECT_EQ(run(kFromPng, png).exit_code, 0) << what;
    else
      EXPECT_TRUE(traps(kFromPng, png)) << what;
  };
  for (const int strategy : {Z_HUFFMAN_ONLY, Z_FIXED, Z_DEFAULT_STRATEGY}) {
    const string stream = deflated(file.rows, strategy == Z_DEFAULT_STRATEGY ? 0 : 9, strategy);
    // All bits where the codes are told, then one of each byte.
    for (size_t bit = 0; bit < 8 * stream.size(); bit += bit < 300 ? 1 : 31) {
      string damaged = stream;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
      compare(damaged, std::to_string(strategy) + ", bit " + std::to_string(bit));
    }
    compare(stream, "whole");
  }
  EXPECT_GE(accepted, 3);
}

}  // namespace
}  // namespace qip
