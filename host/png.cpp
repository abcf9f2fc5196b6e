// PNG: every colour type and depth, palettes, transparency, and interlacing; zlib does the
// compression and the checksums.
//
// Promises: a file is read whole, every checksum right, or refused. 16-bit samples keep their high
// byte; colour profiles and gamma are ignored. Rows are streamed: besides the image a decoder
// holds two rows and zlib's window, and it stops where the announced pixels end, so nothing that
// the data might grow to can grow. A file too short for its announced size is refused before the
// image is taken.
// Source: W3C, "Portable Network Graphics (PNG) Specification", third edition.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "host/image_codec.hpp"
#include "host/png_parts.hpp"

namespace qip {
namespace {

constexpr size_t kSignatureBytes = sizeof kPngSignature;
constexpr size_t kChunkFrameBytes = 12;  // length, type, checksum
constexpr uint32_t kMostChunkBytes = 0x7FFF'FFFF;
// A match of 258 bytes takes at least two bits.
constexpr uint64_t kMostInflation = 1032;

constexpr const char* kEndsEarly = "the file ends early";
constexpr const char* kDataEndsEarly = "the image data ends early";
constexpr const char* kWrongChecksum = "the checksum of a chunk is wrong";
constexpr const char* kNoMemory = "there is no memory for it";

enum ColorType : uint8_t { kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgba = 6 };

enum Filter : uint8_t { kNone, kSub, kUp, kAverage, kPaeth, kFilterCount };

uint32_t u32_at(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

// The neighbour that is nearest to left + up - corner.
uint8_t paeth(int left, int up, int corner) {
  const int to_left = std::abs(up - corner);
  const int to_up = std::abs(left - corner);
  const int to_corner = std::abs(left + up - 2 * corner);
  if (to_left <= to_up && to_left <= to_corner) return static_cast<uint8_t>(left);
  return static_cast<uint8_t>(to_up <= to_corner ? up : corner);
}

struct Header {
  uint32_t width = 0;
  uint32_t height = 0;
  uint32_t bit_depth = 0;
  uint8_t color_type = kGrey;
  bool interlaced = false;

  uint32_t channels() const {
    switch (color_type) {
      case kRgb:
        return 3;
      case kGreyAlpha:
        return 2;
      case kRgba:
        return 4;
      default:
        return 1;
    }
  }
  uint64_t row_bytes(uint64_t pixels) const { return (pixels * channels() * bit_depth + 7) / 8; }
  // How far to the left the filters look.
  uint32_t filter_distance() const { return std::max(channels() * bit_depth / 8, uint32_t{1}); }
};

// One reduced image of an interlaced one, or the whole of one that is not.
struct Pass {
  uint32_t first_x, first_y, step_x, step_y;

  uint32_t width(const Header& header) const { return count(header.width, first_x, step_x); }
  uint32_t height(const Header& header) const { return count(header.height, first_y, step_y); }

 private:
  static uint32_t count(uint32_t side, uint32_t first, uint32_t step) {
    return side > first ? (side - first + step - 1) / step : 0;
  }
};
constexpr Pass kWholeImage[] = {{0, 0, 1, 1}};
constexpr Pass kAdam7[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                           {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};

std::span<const Pass> passes(const Header& header) {
  if (header.interlaced) return kAdam7;
  return kWholeImage;
}

// Bytes of all rows, each with the byte that names its filter. At most 2^31 and a little.
uint64_t filtered_bytes(const Header& header) {
  uint64_t sum = 0;
  for (const Pass& pass : passes(header)) {
    const uint64_t width = pass.width(header);
    if (width != 0) sum += uint64_t{pass.height(header)} * (1 + header.row_bytes(width));
  }
  return sum;
}

struct Chunk {
  std::string_view type;
  std::span<const uint8_t> data;  // lies behind the type and before the checksum

  bool checksum_is_right() const {
    const uint8_t* const start = data.data() - type.size();
    return crc32_z(0, start, type.size() + data.size()) == u32_at(data.data() + data.size());
  }
};

// The chunks of a file, one after the other. Each take() either goes on or ends with an error.
class ChunkReader {
 public:
  explicit ChunkReader(std::span<const uint8_t> bytes) : bytes_(bytes), at_(kSignatureBytes) {}

  // Null: `chunk` is the next one. Nobody has looked at its checksum yet.
  const char* take(Chunk& chunk) {
    const size_t left = bytes_.size() - at_;
    if (left < kChunkFrameBytes) return kEndsEarly;
    const uint8_t* const start = bytes_.data() + at_;
    const uint32_t length = u32_at(start);
    if (length > kMostChunkBytes) return "a chunk has an impossible length";
    if (length > left - kChunkFrameBytes) return kEndsEarly;
    chunk.type = std::string_view(reinterpret_cast<const char*>(start + 4), 4);
    chunk.data = std::span(start + 8, length);
    at_ += kChunkFrameBytes + length;
    return nullptr;
  }

 private:
  std::span<const uint8_t> bytes_;
  size_t at_;
};

// The inflated bytes of the run of IDAT chunks that `chunks` is about to read, whose checksums are
// known to be right.
class DataReader {
 public:
  explicit DataReader(ChunkReader chunks) : chunks_(chunks) {}
  ~DataReader() { inflateEnd(&stream_); }
  DataReader(const DataReader&) = delete;
  DataReader& operator=(const DataReader&) = delete;

  const char* open() { return inflateInit(&stream_) == Z_OK ? nullptr : kNoMemory; }

  // Null: all of `to` is filled.
  const char* read(std::span<uint8_t> to) {
    stream_.next_out = to.data();
    stream_.avail_out = static_cast<uInt>(to.size());
    while (stream_.avail_out > 0) {
      if (const char* error = step()) return error;
      if (ended_ && stream_.avail_out > 0) return kDataEndsEarly;
    }
    return nullptr;
  }

  // Behind the last row: the checksum of it all. What data there is beyond it is not looked at.
  const char* close() {
    uint8_t beyond = 0;
    stream_.next_out = &beyond;
    stream_.avail_out = 1;
    while (!ended_ && stream_.avail_out > 0) {
      if (const char* error = step()) return error;
    }
    return nullptr;
  }

 private:
  // Inflates what there is, or goes to the next chunk: every call gives output, uses input, or
  // ends.
  const char* step() {
    const int status = inflate(&stream_, Z_NO_FLUSH);
    if (status == Z_BUF_ERROR && stream_.avail_in == 0) return next_chunk();
    if (status == Z_MEM_ERROR) return kNoMemory;
    ended_ = status == Z_STREAM_END;
    return status == Z_OK || ended_ ? nullptr : "the image data is corrupt";
  }

  const char* next_chunk() {
    Chunk chunk;
    if (const char* error = chunks_.take(chunk)) return error;
    if (chunk.type != "IDAT") return kDataEndsEarly;
    stream_.next_in = const_cast<Bytef*>(chunk.data.data());  // zlib only reads it
    stream_.avail_in = static_cast<uInt>(chunk.data.size());
    return nullptr;
  }

  ChunkReader chunks_;
  z_stream stream_{};
  bool ended_ = false;
};

class Decoder {
 public:
  explicit Decoder(std::span<const uint8_t> bytes) : chunks_(bytes), data_(bytes) {}

  // The three steps, in their order. Null: it is done.
  const char* read_header();
  const char* read_other_chunks();
  const char* read_image_data(Image& image);

  const Header& header() const { return header_; }

 private:
  const char* read_palette(std::span<const uint8_t> data);
  const char* read_transparency(std::span<const uint8_t> data);
  const char* read_pass(const Pass& pass, DataReader& data, Image& image);
  const char* undo_filter(uint8_t filter, std::span<uint8_t> row,
                          std::span<const uint8_t> above) const;
  bool expand_whole_bytes(const uint8_t* from, uint32_t width, uint8_t* to) const;
  const char* expand(std::span<const uint8_t> row, uint32_t width, uint8_t* to, size_t step) const;
  uint32_t sample(const uint8_t* row, size_t index) const;

  Header header_;
  ChunkReader chunks_;
  ChunkReader data_;  // stands before the first IDAT once that was seen
  uint64_t data_bytes_ = 0;
  std::array<std::array<uint8_t, 4>, 256> palette_{};
  size_t palette_size_ = 0;
  // The samples, in full depth, that mean transparent; of a grey image the first.
  std::optional<std::array<uint32_t, 3>> transparent_;
};

const char* Decoder::read_header() {
  Chunk chunk;
  if (const char* error = chunks_.take(chunk)) return error;
  if (!chunk.checksum_is_right()) return kWrongChecksum;
  const std::span<const uint8_t> data = chunk.data;
  if (chunk.type != "IHDR") return "the header is missing";
  if (data.size() != 13) return "the header has a wrong length";
  header_.width = u32_at(data.data());
  header_.height = u32_at(data.data() + 4);
  header_.bit_depth = data[8];
  header_.color_type = data[9];
  header_.interlaced = data[12] == 1;
  // The depths of each colour type, as a set of bits.
  constexpr uint32_t kDepths[7] = {1 << 1 | 1 << 2 | 1 << 4 | 1 << 8 | 1 << 16,
                                   0,
                                   1 << 8 | 1 << 16,
                                   1 << 1 | 1 << 2 | 1 << 4 | 1 << 8,
                                   1 << 8 | 1 << 16,
                                   0,
                                   1 << 8 | 1 << 16};
  if (header_.color_type > 6 || header_.bit_depth > 16 ||
      (kDepths[header_.color_type] >> header_.bit_depth & 1) == 0) {
    return "there is no such colour type and bit depth";
  }
  if (data[10] != 0 || data[11] != 0 || data[12] > 1) {
    return "there is no such compression, filter or interlace method";
  }
  return nullptr;
}

const char* Decoder::read_palette(std::span<const uint8_t> data) {
  if (header_.color_type != kPalette) return nullptr;  // a suggestion, or nothing
  const size_t most = size_t{1} << header_.bit_depth;
  if (palette_size_ != 0 || data.empty() || data.size() % 3 != 0 || data.size() / 3 > most) {
    return "the palette is broken";
  }
  palette_size_ = data.size() / 3;
  for (size_t i = 0; i < palette_size_; i++) {
    palette_[i] = {data[3 * i], data[3 * i + 1], data[3 * i + 2], 255};
  }
  return nullptr;
}

const char* Decoder::read_transparency(std::span<const uint8_t> data) {
  constexpr const char* kBroken = "the transparency chunk is broken";
  if (header_.color_type == kPalette) {
    if (data.size() > palette_size_) return kBroken;
    for (size_t i = 0; i < data.size(); i++) palette_[i][3] = data[i];
    return nullptr;
  }
  const size_t samples = header_.channels();
  if (samples % 2 == 0) return nullptr;  // has alpha of its own
  if (data.size() != samples * 2) return kBroken;
  const uint32_t mask = (uint32_t{1} << header_.bit_depth) - 1;
  transparent_.emplace();
  for (size_t i = 0; i < samples; i++) {
    (*transparent_)[i] = static_cast<uint32_t>(data[2 * i] << 8 | data[2 * i + 1]) & mask;
  }
  return nullptr;
}

// Reads the file to its last chunk, all but what the data chunks hold.
const char* Decoder::read_other_chunks() {
  Chunk chunk;
  bool data_seen = false;
  bool data_ended = false;
  for (;;) {
    const ChunkReader here = chunks_;
    if (const char* error = chunks_.take(chunk)) return error;
    if (!chunk.checksum_is_right()) return kWrongChecksum;
    const char* error = nullptr;
    if (chunk.type == "IDAT") {
      if (data_ended) return "the image data is in two places";
      if (!data_seen) data_ = here;
      data_seen = true;
      data_bytes_ += chunk.data.size();
      continue;
    }
    data_ended = data_seen;
    if (chunk.type == "IEND") {
      if (!data_seen) return "there is no image data";
      if (header_.color_type == kPalette && palette_size_ == 0) return "the palette is missing";
      return nullptr;
    }
    if (chunk.type == "PLTE" || chunk.type == "tRNS") {
      if (data_seen) return "a palette or transparency chunk is behind the image data";
      error = chunk.type == "PLTE" ? read_palette(chunk.data) : read_transparency(chunk.data);
    } else if ((chunk.type[0] & 0x20) == 0) {  // upper case: not to be ignored
      error = chunk.type == "IHDR" ? "there are two headers" : "a needed chunk is unknown";
    }
    if (error != nullptr) return error;
  }
}

// Adds to each byte what `predict` makes of the bytes to the left, above, and in the corner
// between, kDistance bytes being a pixel; outside of the image they are zero.
template <size_t kDistance, class Predict>
void add_prediction(std::span<uint8_t> row, const uint8_t* above, Predict predict) {
  std::array<int, kDistance> left{};
  std::array<int, kDistance> corner{};
  // A row is whole pixels, or, below eight bits, bytes that count as such.
  for (size_t i = 0; i < row.size(); i += kDistance) {
    for (size_t channel = 0; channel < kDistance; channel++) {
      uint8_t& byte = row.data()[i + channel];
      const int up = above[i + channel];
      byte = static_cast<uint8_t>(byte + predict(left[channel], up, corner[channel]));
      left[channel] = byte;
      corner[channel] = up;
    }
  }
}

template <size_t kDistance>
const char* undo_filter_of_distance(uint8_t filter, std::span<uint8_t> row, const uint8_t* above) {
  switch (filter) {
    case kNone:
      return nullptr;
    case kSub:
      add_prediction<kDistance>(row, above, [](int left, int, int) { return left; });
      return nullptr;
    case kUp:
      for (size_t i = 0; i < row.size(); i++) {
        row.data()[i] = static_cast<uint8_t>(row.data()[i] + above[i]);
      }
      return nullptr;
    case kAverage:
      add_prediction<kDistance>(row, above, [](int left, int up, int) { return (left + up) / 2; });
      return nullptr;
    case kPaeth:
      add_prediction<kDistance>(row, above, paeth);
      return nullptr;
    default:
      return "a row has an unknown filter";
  }
}

const char* Decoder::undo_filter(uint8_t filter, std::span<uint8_t> row,
                                 std::span<const uint8_t> above) const {
  switch (header_.filter_distance()) {
    case 1:
      return undo_filter_of_distance<1>(filter, row, above.data());
    case 2:
      return undo_filter_of_distance<2>(filter, row, above.data());
    case 3:
      return undo_filter_of_distance<3>(filter, row, above.data());
    case 4:
      return undo_filter_of_distance<4>(filter, row, above.data());
    case 6:
      return undo_filter_of_distance<6>(filter, row, above.data());
    default:
      return undo_filter_of_distance<8>(filter, row, above.data());
  }
}

// Sample `index` of a row in its full depth.
uint32_t Decoder::sample(const uint8_t* row, size_t index) const {
  if (header_.bit_depth == 8) return row[index];
  if (header_.bit_depth == 16)
    return static_cast<uint32_t>(row[2 * index] << 8 | row[2 * index + 1]);
  const size_t bit = index * header_.bit_depth;
  const uint32_t mask = (uint32_t{1} << header_.bit_depth) - 1;
  return row[bit / 8] >> (8 - header_.bit_depth - bit % 8) & mask;
}

// The common cases in plain loops: 8 bits a sample, no transparent colour. False if `from` is
// something else.
bool Decoder::expand_whole_bytes(const uint8_t* from, uint32_t width, uint8_t* to) const {
  if (header_.bit_depth != 8 || transparent_) return false;
  switch (header_.color_type) {
    case kRgba:
      memcpy(to, from, size_t{width} * 4);
      return true;
    case kRgb:
      for (size_t x = 0; x < width; x++) {
        to[4 * x] = from[3 * x];
        to[4 * x + 1] = from[3 * x + 1];
        to[4 * x + 2] = from[3 * x + 2];
        to[4 * x + 3] = 255;
      }
      return true;
    case kGrey:
      for (size_t x = 0; x < width; x++) {
        to[4 * x] = to[4 * x + 1] = to[4 * x + 2] = from[x];
        to[4 * x + 3] = 255;
      }
      return true;
    default:
      return false;
  }
}

// Writes one row as R, G, B, A, `step` pixels apart.
const char* Decoder::expand(std::span<const uint8_t> row, uint32_t width, uint8_t* to,
                            size_t step) const {
  const uint8_t* const from = row.data();
  if (step == 1 && expand_whole_bytes(from, width, to)) return nullptr;
  const uint32_t depth = header_.bit_depth;
  const size_t channels = header_.channels();
  // 1 for grey, whose sample is all three colours.
  const size_t colors = channels < 3 ? 1 : 3;
  const bool has_alpha = channels % 2 == 0;
  // Fewer than eight bits are repeated until there are eight; of sixteen the high ones stay.
  const uint32_t scale = depth < 8 ? 255 / ((uint32_t{1} << depth) - 1) : 1;
  const uint32_t shift = depth == 16 ? 8 : 0;
  for (uint32_t x = 0; x < width; x++, to += 4 * step) {
    if (header_.color_type == kPalette) {
      const uint32_t entry = sample(from, x);
      if (entry >= palette_size_) return "a pixel is beyond the palette";
      memcpy(to, palette_[entry].data(), 4);
      continue;
    }
    bool is_transparent = transparent_.has_value();
    for (size_t color = 0; color < 3; color++) {
      const uint32_t value = sample(from, x * channels + std::min(color, colors - 1));
      if (transparent_ && color < colors && value != (*transparent_)[color]) is_transparent = false;
      to[color] = static_cast<uint8_t>(value * scale >> shift);
    }
    to[3] = is_transparent ? 0 : 255;
    if (has_alpha) to[3] = static_cast<uint8_t>(sample(from, x * channels + colors) >> shift);
  }
  return nullptr;
}

const char* Decoder::read_pass(const Pass& pass, DataReader& data, Image& image) {
  const uint32_t width = pass.width(header_);
  if (width == 0) return nullptr;
  const size_t row_bytes = header_.row_bytes(width);
  // The byte of the filter is before each row.
  std::vector<uint8_t> row(1 + row_bytes);
  std::vector<uint8_t> above(1 + row_bytes);
  const size_t image_row_bytes = size_t{header_.width} * 4;
  const uint32_t height = pass.height(header_);
  for (uint32_t i = 0; i < height; i++) {
    if (const char* error = data.read(row)) return error;
    const std::span<uint8_t> pixels = std::span(row).subspan(1);
    if (const char* error = undo_filter(row[0], pixels, std::span(above).subspan(1))) return error;
    const size_t y = pass.first_y + size_t{i} * pass.step_y;
    if (!header_.interlaced) image.rgba.resize((y + 1) * image_row_bytes);
    uint8_t* const to = image.rgba.data() + y * image_row_bytes + size_t{pass.first_x} * 4;
    if (const char* error = expand(pixels, width, to, pass.step_x)) return error;
    std::swap(row, above);
  }
  return nullptr;
}

const char* Decoder::read_image_data(Image& image) {
  if (filtered_bytes(header_) > data_bytes_ * kMostInflation) return kDataEndsEarly;
  DataReader data(data_);
  if (const char* error = data.open()) return error;
  image.width = header_.width;
  image.height = header_.height;
  const size_t image_bytes = size_t{header_.width} * header_.height * 4;
  // Without interlacing the image grows with its rows, so data that ends early takes no more.
  image.rgba.reserve(image_bytes);
  if (header_.interlaced) image.rgba.resize(image_bytes);
  for (const Pass& pass : passes(header_)) {
    if (const char* error = read_pass(pass, data, image)) return error;
  }
  return data.close();
}

// Chooses for each row the filter whose bytes, taken as signed, are smallest in sum: the heuristic
// that the specification recommends.
class RowFilter {
 public:
  RowFilter(size_t row_bytes, size_t distance)
      : distance_(distance), above_(distance + row_bytes), row_(distance + row_bytes) {
    for (std::vector<uint8_t>& candidate : candidates_) candidate.resize(1 + row_bytes);
  }

  // Where the next row is to be written.
  uint8_t* row() { return row_.data() + distance_; }

  // The filtered row behind the byte of its filter; valid until the next call.
  std::span<uint8_t> filter() {
    size_t best = 0;
    uint64_t least = ~uint64_t{0};
    for (size_t i = 0; i < candidates_.size(); i++) {
      const uint64_t sum = apply(kTried[i], candidates_[i]);
      if (sum >= least) continue;
      least = sum;
      best = i;
    }
    std::swap(row_, above_);
    return candidates_[best];
  }

 private:
  static constexpr Filter kTried[] = {kSub, kUp, kAverage, kPaeth};

  // `predict(left, up, corner)` for every byte; the sum of the differences.
  template <class Predict>
  uint64_t apply_each(std::span<uint8_t> to, Predict predict) const {
    const uint8_t* const row = row_.data();
    const uint8_t* const above = above_.data();
    uint64_t sum = 0;
    for (size_t i = 0; i < to.size(); i++) {
      const size_t here = i + distance_;
      const uint8_t value =
          static_cast<uint8_t>(row[here] - predict(row[i], above[here], above[i]));
      to[i] = value;
      sum += value < 128 ? value : 256u - value;
    }
    return sum;
  }

  uint64_t apply(Filter filter, std::vector<uint8_t>& to) const {
    to[0] = filter;
    const std::span<uint8_t> pixels = std::span(to).subspan(1);
    switch (filter) {
      case kSub:
        return apply_each(pixels, [](int left, int, int) { return left; });
      case kUp:
        return apply_each(pixels, [](int, int up, int) { return up; });
      case kAverage:
        return apply_each(pixels, [](int left, int up, int) { return (left + up) / 2; });
      default:
        return apply_each(pixels, paeth);
    }
  }

  size_t distance_;
  std::vector<uint8_t> above_;  // both begin with a pixel of zeros, the left neighbour of the first
  std::vector<uint8_t> row_;
  std::array<std::vector<uint8_t>, std::size(kTried)> candidates_;
};

// Deflates into chunks, each as it is full.
class DataWriter {
 public:
  // `sequence` as append_png_data() has it.
  DataWriter(std::vector<uint8_t>& to, uint32_t* sequence)
      : to_(to), sequence_(sequence), buffer_(kChunkBytes) {}
  ~DataWriter() { deflateEnd(&stream_); }
  DataWriter(const DataWriter&) = delete;
  DataWriter& operator=(const DataWriter&) = delete;

  bool open() {
    start_chunk();
    return deflateInit2(&stream_, kLevel, Z_DEFLATED, 15, 9, Z_FILTERED) == Z_OK;
  }

  void write(std::span<uint8_t> bytes) {
    stream_.next_in = bytes.data();
    stream_.avail_in = static_cast<uInt>(bytes.size());
    while (stream_.avail_in > 0) {
      deflate(&stream_, Z_NO_FLUSH);
      if (stream_.avail_out == 0) end_chunk();
    }
  }

  void close() {
    while (deflate(&stream_, Z_FINISH) != Z_STREAM_END) end_chunk();
    end_chunk();
  }

 private:
  static constexpr size_t kChunkBytes = size_t{1} << 16;
  // A photo is 6 % smaller than with 1, and with 6 another 1 % in three times the time.
  static constexpr int kLevel = 4;

  void start_chunk() {
    size_t used = 0;
    if (sequence_ != nullptr) {
      for (int shift = 24; shift >= 0; shift -= 8) {
        buffer_[used++] = static_cast<uint8_t>(*sequence_ >> shift);
      }
    }
    stream_.next_out = buffer_.data() + used;
    stream_.avail_out = static_cast<uInt>(buffer_.size() - used);
  }

  void end_chunk() {
    const std::span<const uint8_t> data =
        std::span(buffer_).first(buffer_.size() - stream_.avail_out);
    append_png_chunk(to_, sequence_ != nullptr ? "fdAT" : "IDAT", data);
    if (sequence_ != nullptr) ++*sequence_;
    start_chunk();
  }

  std::vector<uint8_t>& to_;
  uint32_t* sequence_;
  std::vector<uint8_t> buffer_;
  z_stream stream_{};
};

bool is_opaque(const Image& image) {
  uint8_t all = 255;
  for (size_t i = 3; i < image.rgba.size(); i += 4) all &= image.rgba[i];
  return all == 255;
}

}  // namespace

void append_big_endian(std::vector<uint8_t>& to, uint32_t value, int count) {
  for (int shift = 8 * (count - 1); shift >= 0; shift -= 8) {
    to.push_back(static_cast<uint8_t>(value >> shift));
  }
}

void append_png_chunk(std::vector<uint8_t>& to, std::string_view type,
                      std::span<const uint8_t> data) {
  append_big_endian(to, static_cast<uint32_t>(data.size()));
  const size_t start = to.size();
  to.insert(to.end(), type.begin(), type.end());
  to.insert(to.end(), data.begin(), data.end());
  append_big_endian(to, static_cast<uint32_t>(crc32_z(0, to.data() + start, to.size() - start)));
}

void append_png_start(std::vector<uint8_t>& to, uint32_t width, uint32_t height, bool has_alpha) {
  to.insert(to.end(), std::begin(kPngSignature), std::end(kPngSignature));
  std::vector<uint8_t> data;
  append_big_endian(data, width);
  append_big_endian(data, height);
  data.insert(data.end(), {8, has_alpha ? kRgba : kRgb, 0, 0, 0});
  append_png_chunk(to, "IHDR", data);
}

bool append_png_data(std::vector<uint8_t>& to, const PixelBlock& pixels, bool has_alpha,
                     uint32_t* sequence) {
  DataWriter writer(to, sequence);
  if (!writer.open()) return false;
  const size_t channels = has_alpha ? 4 : 3;
  RowFilter filter(size_t{pixels.width} * channels, channels);
  for (uint32_t y = 0; y < pixels.height; y++) {
    const uint8_t* from = pixels.first + y * pixels.stride;
    uint8_t* to_row = filter.row();
    for (uint32_t x = 0; x < pixels.width; x++, from += 4, to_row += channels) {
      memcpy(to_row, from, channels);
    }
    writer.write(filter.filter());
  }
  writer.close();
  return true;
}

Result<Image, std::string> decode_png(std::span<const uint8_t> bytes) {
  const auto error_text = [](std::string_view error) { return "PNG: " + std::string(error); };
  if (bytes.size() < kSignatureBytes ||
      !std::equal(std::begin(kPngSignature), std::end(kPngSignature), bytes.begin())) {
    return error_text("the signature is missing");
  }
  Decoder decoder(bytes);
  if (const char* error = decoder.read_header()) return error_text(error);
  const std::string size_error = image_size_error(decoder.header().width, decoder.header().height);
  if (!size_error.empty()) return error_text(size_error);
  Image image;
  if (const char* error = decoder.read_other_chunks()) return error_text(error);
  if (const char* error = decoder.read_image_data(image)) return error_text(error);
  return image;
}

Result<std::vector<uint8_t>, std::string> encode_png(const Image& image) {
  const bool has_alpha = !is_opaque(image);
  const size_t stride = size_t{image.width} * 4;
  std::vector<uint8_t> bytes;
  append_png_start(bytes, image.width, image.height, has_alpha);
  if (!append_png_data(bytes, {image.rgba.data(), stride, image.width, image.height}, has_alpha)) {
    return std::string("PNG: ") + kNoMemory;
  }
  append_png_chunk(bytes, "IEND", {});
  return bytes;
}

}  // namespace qip
