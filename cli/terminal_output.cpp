// One function for each kind of graphics. xterm's ctlseqs, the kitty graphics protocol, and DEC's
// description of sixel say what the sequences mean.
#include "cli/terminal_output.hpp"

#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "host/text.hpp"

namespace qip {
namespace {

// A cell where the terminal does not tell: that of the VT340.
constexpr uint32_t kUsualCellWidth = 10, kUsualCellHeight = 20;
// Larger sixel pictures are cut off by xterm.
constexpr uint32_t kMaxSixelSide = 1000;
constexpr uint32_t kMaxKittySide = 4096;
constexpr uint32_t kNoColor = 0xFFFF'FFFF;
constexpr uint32_t kImageIds[2] = {7301, 7302};

constexpr std::string_view kClear = "\x1b[0m\x1b[2J";
constexpr std::string_view kDeleteImages = "\x1b_Ga=d,d=A,q=2\x1b\\";

void add_number(uint32_t number, std::string& bytes) {
  char digits[10];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  while (count > 0) bytes += digits[--count];
}

void move_to(uint32_t column, uint32_t row, std::string& bytes) {
  bytes += "\x1b[";
  add_number(row + 1, bytes);
  bytes += ';';
  add_number(column + 1, bytes);
  bytes += 'H';
}

struct Size {
  uint32_t width, height;
};

uint32_t at_least_one(uint64_t number) {
  return static_cast<uint32_t>(std::max<uint64_t>(number, 1));
}

// The largest of the same shape that fits; larger than the frame only by a whole number.
Size fitted(uint32_t width, uint32_t height, Size room) {
  const uint32_t times = std::min(room.width / width, room.height / height);
  if (times >= 1) return {width * times, height * times};
  if (uint64_t{width} * room.height >= uint64_t{height} * room.width) {
    return {room.width, at_least_one(uint64_t{height} * room.width / width)};
  }
  return {at_least_one(uint64_t{width} * room.height / height), room.height};
}

uint32_t red(uint32_t color) {
  return color >> 16;
}
uint32_t green(uint32_t color) {
  return color >> 8 & 0xFF;
}
uint32_t blue(uint32_t color) {
  return color & 0xFF;
}

}  // namespace

void scale_frame(std::span<const uint8_t> rgba, uint32_t width, uint32_t height,
                 uint32_t picture_width, uint32_t picture_height, std::vector<uint32_t>& picture) {
  picture.resize(size_t{picture_width} * picture_height);
  // The frame's part that pixel i of `of` stands for: from begin to end.
  struct Part {
    uint32_t begin, end;
  };
  const auto part = [](uint32_t i, uint32_t of, uint32_t size) {
    const auto begin = static_cast<uint32_t>(uint64_t{i} * size / of);
    const auto end = static_cast<uint32_t>((uint64_t{i} + 1) * size / of);
    return Part{begin, std::max(end, begin + 1)};
  };
  std::vector<Part> columns(picture_width);
  for (uint32_t x = 0; x < picture_width; x++) columns[x] = part(x, picture_width, width);
  std::vector<uint64_t> sums(size_t{picture_width} * 3);
  for (uint32_t y = 0; y < picture_height; y++) {
    const auto [top, bottom] = part(y, picture_height, height);
    uint32_t* const row = &picture[size_t{y} * picture_width];
    if (y > 0 && height <= picture_height && top == part(y - 1, picture_height, height).begin) {
      std::copy_n(row - picture_width, picture_width, row);
      continue;
    }
    std::fill(sums.begin(), sums.end(), 0);
    for (uint32_t from_y = top; from_y < bottom; from_y++) {
      const uint8_t* const pixels = &rgba[size_t{from_y} * width * 4];
      for (uint32_t x = 0; x < picture_width; x++) {
        const uint8_t* const end = pixels + size_t{columns[x].end} * 4;
        for (const uint8_t* pixel = pixels + size_t{columns[x].begin} * 4; pixel < end;
             pixel += 4) {
          for (size_t channel = 0; channel < 3; channel++) {
            sums[size_t{x} * 3 + channel] += uint32_t{pixel[channel]} * pixel[3];
          }
        }
      }
    }
    for (uint32_t x = 0; x < picture_width; x++) {
      const uint64_t pixels = uint64_t{columns[x].end - columns[x].begin} * (bottom - top);
      const uint64_t whole = pixels * 255;  // of alpha
      row[x] = 0;
      for (size_t channel = 0; channel < 3; channel++) {
        const uint64_t average = (sums[size_t{x} * 3 + channel] + whole / 2) / whole;
        row[x] = row[x] << 8 | static_cast<uint32_t>(average);
      }
    }
  }
}

void append_base64(std::span<const uint8_t> bytes, std::string& text) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(bytes.size() - i, 3);
    uint32_t group = uint32_t{bytes[i]} << 16;
    if (count > 1) group |= uint32_t{bytes[i + 1]} << 8;
    if (count > 2) group |= bytes[i + 2];
    text += kDigits[group >> 18];
    text += kDigits[group >> 12 & 63];
    text += count > 1 ? kDigits[group >> 6 & 63] : '=';
    text += count > 2 ? kDigits[group & 63] : '=';
  }
}

// --- Where the picture is ------------------------------------------------------------------------

TerminalPainter::TerminalPainter(uint32_t width, uint32_t height) : width_(width), height_(height) {
  lay_out();
}

void TerminalPainter::set_window(const TerminalWindow& window) {
  window_.columns = std::clamp(window.columns, 1u, kMaxWindow.columns);
  window_.rows = std::clamp(window.rows, 1u, kMaxWindow.rows);
  window_.cell_width = std::min(window.cell_width, kMaxWindow.cell_width);
  window_.cell_height = std::min(window.cell_height, kMaxWindow.cell_height);
  lay_out();
}

void TerminalPainter::set_graphics(Graphics graphics) {
  graphics_ = graphics;
  lay_out();
}

void TerminalPainter::forget() {
  shown_.clear();
}

void TerminalPainter::lay_out() {
  forget();
  if (graphics_ == Graphics::Blocks) lay_out_cells();
  if (graphics_ == Graphics::Kitty) lay_out_kitty();
  if (graphics_ == Graphics::Sixel) lay_out_sixel();
}

void TerminalPainter::lay_out_cells() {
  const Size size = fitted(width_, height_, {window_.columns, window_.rows * 2});
  picture_width_ = size.width;
  picture_height_ = size.height;
  const uint32_t rows = (size.height + 1) / 2;
  place_ = {(window_.columns - size.width) / 2.0, (window_.rows - rows) / 2.0,
            static_cast<double>(size.width), size.height / 2.0};
  place_.left = std::floor(place_.left);
  place_.top = std::floor(place_.top);
}

// The terminal enlarges it to whole cells. Pixels that it would throw away are not sent.
void TerminalPainter::lay_out_kitty() {
  const uint32_t cell_width = window_.cell_width > 0 ? window_.cell_width : kUsualCellWidth;
  const uint32_t cell_height = window_.cell_height > 0 ? window_.cell_height : kUsualCellHeight;
  const double room_width = double{1} * window_.columns * cell_width;
  const double room_height = double{1} * window_.rows * cell_height;
  const double times = std::min(room_width / width_, room_height / height_);
  const auto cells = [](double pixels, uint32_t cell, uint32_t most) {
    return std::clamp(static_cast<uint32_t>(pixels / cell + 0.5), 1u, most);
  };
  columns_ = cells(width_ * times, cell_width, window_.columns);
  rows_ = cells(height_ * times, cell_height, window_.rows);
  picture_width_ = std::min({width_, columns_ * cell_width, kMaxKittySide});
  picture_height_ = std::min({height_, rows_ * cell_height, kMaxKittySide});
  place_ = {static_cast<double>((window_.columns - columns_) / 2),
            static_cast<double>((window_.rows - rows_) / 2), static_cast<double>(columns_),
            static_cast<double>(rows_)};
}

// The last row stays free: a picture that reaches into it makes some terminals scroll.
void TerminalPainter::lay_out_sixel() {
  const uint32_t cell_width = window_.cell_width > 0 ? window_.cell_width : kUsualCellWidth;
  const uint32_t cell_height = window_.cell_height > 0 ? window_.cell_height : kUsualCellHeight;
  const uint32_t rows = window_.rows > 1 ? window_.rows - 1 : 1;
  const Size size = fitted(width_, height_,
                           {std::min(window_.columns * cell_width, kMaxSixelSide),
                            std::min(rows * cell_height, kMaxSixelSide)});
  picture_width_ = size.width;
  picture_height_ = size.height;
  const uint32_t left = (window_.columns * cell_width - size.width) / 2 / cell_width;
  const uint32_t top = (rows * cell_height - size.height) / 2 / cell_height;
  place_ = {static_cast<double>(left), static_cast<double>(top),
            double{1} * size.width / cell_width, double{1} * size.height / cell_height};
}

// Numerators are exact, so that a quotient that is a whole number is exact too.
PixelPosition TerminalPainter::pixel_at(double column, double row) const {
  const auto pixel = [](double distance, uint32_t size, double extent) {
    constexpr double kFar = 1'000'000'000;
    return static_cast<int32_t>(std::clamp(std::floor(distance * size / extent), -kFar, kFar));
  };
  return {pixel(column - place_.left, width_, place_.width),
          pixel(row - place_.top, height_, place_.height)};
}

void TerminalPainter::paint(std::span<const uint8_t> rgba, std::string& bytes) {
  scale_frame(rgba, width_, height_, picture_width_, picture_height_, picture_);
  if (picture_ == shown_) return;
  // The terminal shows all of it at once, if it can.
  bytes += "\x1b[?2026h";
  if (shown_.empty()) {
    bytes += kClear;
    if (graphics_ == Graphics::Kitty) bytes += kDeleteImages;
  }
  if (graphics_ == Graphics::Blocks) paint_blocks(bytes);
  if (graphics_ == Graphics::Kitty) paint_kitty(bytes);
  if (graphics_ == Graphics::Sixel) paint_sixel(bytes);
  bytes += "\x1b[?2026l";
  std::swap(picture_, shown_);
}

// --- Half blocks ---------------------------------------------------------------------------------

namespace {

// Writes cells with as few changes of colour and moves as they need.
class CellWriter {
 public:
  explicit CellWriter(std::string& bytes) : bytes_(bytes) {}

  // `bottom` may be kNoColor: the terminal's own background.
  void write(uint32_t column, uint32_t row, uint32_t top, uint32_t bottom) {
    go_to(column, row);
    const bool is_plain = top == bottom;
    set_colors(is_plain ? foreground_ : top, bottom);
    bytes_ += is_plain ? " " : "\u2580";
    column_ = column + 1;
  }

 private:
  void go_to(uint32_t column, uint32_t row) {
    if (row == row_ && column == column_) return;
    if (row == row_ && column > column_) {
      bytes_ += "\x1b[";
      if (column - column_ > 1) add_number(column - column_, bytes_);
      bytes_ += 'C';
    } else {
      move_to(column, row, bytes_);
    }
    row_ = row;
  }
  void set_colors(uint32_t foreground, uint32_t background) {
    if (foreground == foreground_ && background == background_) return;
    bytes_ += "\x1b[";
    if (foreground != foreground_) {
      add_color("38;2", foreground);
      if (background != background_) bytes_ += ';';
    }
    if (background == kNoColor && background != background_)
      bytes_ += "49";
    else if (background != background_)
      add_color("48;2", background);
    bytes_ += 'm';
    foreground_ = foreground;
    background_ = background;
  }
  void add_color(std::string_view start, uint32_t color) {
    bytes_ += start;
    for (const uint32_t part : {red(color), green(color), blue(color)}) {
      bytes_ += ';';
      add_number(part, bytes_);
    }
  }

  std::string& bytes_;
  uint32_t column_ = 0, row_ = UINT32_MAX;
  uint32_t foreground_ = kNoColor - 1, background_ = kNoColor - 1;  // unlike all colours
};

}  // namespace

void TerminalPainter::paint_blocks(std::string& bytes) {
  CellWriter writer(bytes);
  const auto left = static_cast<uint32_t>(place_.left), top = static_cast<uint32_t>(place_.top);
  const bool is_first = shown_.empty();
  for (uint32_t y = 0; y < picture_height_; y += 2) {
    const bool has_lower = y + 1 < picture_height_;
    for (uint32_t x = 0; x < picture_width_; x++) {
      const size_t upper = size_t{y} * picture_width_ + x, lower = upper + picture_width_;
      if (!is_first && picture_[upper] == shown_[upper] &&
          (!has_lower || picture_[lower] == shown_[lower])) {
        continue;
      }
      writer.write(left + x, top + y / 2, picture_[upper], has_lower ? picture_[lower] : kNoColor);
    }
  }
  bytes += "\x1b[0m";
}

// --- The kitty graphics protocol -----------------------------------------------------------------

// A new image over the old one, which then goes: nothing flickers in between.
void TerminalPainter::paint_kitty(std::string& bytes) {
  std::vector<uint8_t> rgb(picture_.size() * 3);
  for (size_t i = 0; i < picture_.size(); i++) {
    rgb[i * 3] = static_cast<uint8_t>(red(picture_[i]));
    rgb[i * 3 + 1] = static_cast<uint8_t>(green(picture_[i]));
    rgb[i * 3 + 2] = static_cast<uint8_t>(blue(picture_[i]));
  }
  std::vector<uint8_t> packed(compressBound(rgb.size()));
  uLongf packed_size = packed.size();
  constexpr int kFastest = 1;
  const bool is_packed =
      compress2(packed.data(), &packed_size, rgb.data(), rgb.size(), kFastest) == Z_OK;
  std::string data;
  append_base64(is_packed ? std::span<const uint8_t>(packed).first(packed_size) : rgb, data);

  move_to(static_cast<uint32_t>(place_.left), static_cast<uint32_t>(place_.top), bytes);
  is_second_ = !is_second_;
  bytes += "\x1b_Ga=T,f=24,q=2,C=1,p=1,i=" + number_text(kImageIds[is_second_]) +
           ",s=" + number_text(picture_width_) + ",v=" + number_text(picture_height_) +
           ",c=" + number_text(columns_) + ",r=" + number_text(rows_) + (is_packed ? ",o=z" : "");
  constexpr size_t kChunk = 4096;
  for (size_t i = 0; i < data.size(); i += kChunk) {
    if (i > 0) bytes += "\x1b_Gq=2";
    bytes += i + kChunk < data.size() ? ",m=1;" : ",m=0;";
    bytes += std::string_view(data).substr(i, kChunk);
    bytes += "\x1b\\";
  }
  if (!shown_.empty()) {
    bytes += "\x1b_Ga=d,d=I,q=2,i=" + number_text(kImageIds[!is_second_]) + "\x1b\\";
  }
}

// --- Sixel ---------------------------------------------------------------------------------------

namespace {

constexpr size_t kMaxColors = 256;

// Colours and the number of each pixel's. A picture with more colours than registers gets a cube of
// 6 x 7 x 6 and an ordered pattern between its colours.
class Palette {
 public:
  Palette(std::span<const uint32_t> picture, uint32_t width) {
    numbers_.reserve(picture.size());
    if (take_exactly(picture)) return;
    colors_.clear();
    numbers_.clear();
    for (uint32_t i = 0; i < kReds * kGreens * kBlues; i++) {
      const uint32_t r = i / (kGreens * kBlues), g = i / kBlues % kGreens, b = i % kBlues;
      colors_.push_back(r * 255 / (kReds - 1) << 16 | g * 255 / (kGreens - 1) << 8 |
                        b * 255 / (kBlues - 1));
    }
    for (size_t i = 0; i < picture.size(); i++) {
      numbers_.push_back(
          nearby(picture[i], static_cast<uint32_t>(i % width), static_cast<uint32_t>(i / width)));
    }
  }

  std::span<const uint32_t> colors() const { return colors_; }
  uint8_t number(size_t pixel) const { return numbers_[pixel]; }

 private:
  static constexpr uint32_t kReds = 6, kGreens = 7, kBlues = 6;

  // Open addressing, at most a quarter full.
  bool take_exactly(std::span<const uint32_t> picture) {
    constexpr size_t kSlots = kMaxColors * 4;
    std::vector<uint16_t> slots(kSlots, kMaxColors);
    for (const uint32_t color : picture) {
      size_t slot = (color * 0x9E37'79B1u) >> 22;
      while (slots[slot] != kMaxColors && colors_[slots[slot]] != color) slot = (slot + 1) % kSlots;
      if (slots[slot] == kMaxColors) {
        if (colors_.size() == kMaxColors) return false;
        slots[slot] = static_cast<uint16_t>(colors_.size());
        colors_.push_back(color);
      }
      numbers_.push_back(static_cast<uint8_t>(slots[slot]));
    }
    return true;
  }

  static uint8_t nearby(uint32_t color, uint32_t x, uint32_t y) {
    constexpr uint8_t kPattern[4][4] = {
        {0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}};
    const uint32_t threshold = kPattern[y % 4][x % 4];
    const auto level = [threshold](uint32_t value, uint32_t levels) {
      return (value * (levels - 1) * 16 + threshold * 255 + 127) / (255 * 16);
    };
    return static_cast<uint8_t>(
        (level(red(color), kReds) * kGreens + level(green(color), kGreens)) * kBlues +
        level(blue(color), kBlues));
  }

  std::vector<uint32_t> colors_;
  std::vector<uint8_t> numbers_;
};

void add_run(char sixel, uint32_t count, std::string& bytes) {
  if (count > 3) {
    bytes += '!';
    add_number(count, bytes);
    count = 1;
  }
  bytes.append(count, sixel);
}

// One colour's part of a band of six rows: a mask a column.
void add_masks(std::span<const uint8_t> masks, std::string& bytes) {
  uint32_t count = 0;
  for (size_t x = 0; x < masks.size(); x++) {
    count++;
    if (x + 1 < masks.size() && masks[x + 1] == masks[x]) continue;
    if (x + 1 < masks.size() || masks[x] != 0) {
      add_run(static_cast<char>('?' + masks[x]), count, bytes);
    }
    count = 0;
  }
}

void add_sixels(std::span<const uint32_t> picture, uint32_t width, uint32_t height,
                std::string& bytes) {
  const Palette palette(picture, width);
  const std::span<const uint32_t> colors = palette.colors();
  bytes += "\x1bP0;1q\"1;1;";
  add_number(width, bytes);
  bytes += ';';
  add_number(height, bytes);
  for (uint32_t i = 0; i < colors.size(); i++) {
    bytes += '#';
    add_number(i, bytes);
    bytes += ";2";
    for (const uint32_t part : {red(colors[i]), green(colors[i]), blue(colors[i])}) {
      bytes += ';';
      add_number((part * 100 + 127) / 255, bytes);
    }
  }
  constexpr uint32_t kBand = 6;
  std::vector<uint8_t> masks(colors.size() * width);
  std::vector<bool> is_used(colors.size());
  for (uint32_t y = 0; y < height; y += kBand) {
    std::fill(masks.begin(), masks.end(), 0);
    std::fill(is_used.begin(), is_used.end(), false);
    for (uint32_t row = 0; row < std::min(kBand, height - y); row++) {
      for (uint32_t x = 0; x < width; x++) {
        const uint8_t number = palette.number(size_t{y + row} * width + x);
        masks[size_t{number} * width + x] |= static_cast<uint8_t>(1u << row);
        is_used[number] = true;
      }
    }
    for (uint32_t i = 0; i < colors.size(); i++) {
      if (!is_used[i]) continue;
      bytes += '#';
      add_number(i, bytes);
      add_masks(std::span<const uint8_t>(masks).subspan(size_t{i} * width, width), bytes);
      bytes += '$';
    }
    bytes += '-';
  }
  bytes += "\x1b\\";
}

}  // namespace

// Rows of cells above and below what has changed are not sent, where it is known how high they are.
void TerminalPainter::paint_sixel(std::string& bytes) {
  uint32_t begin = 0, end = picture_height_;
  if (!shown_.empty() && window_.cell_height > 0) {
    const auto is_same = [this](uint32_t y) {
      const auto row = picture_.begin() + static_cast<ptrdiff_t>(size_t{y} * picture_width_);
      return std::equal(row, row + picture_width_, shown_.begin() + (row - picture_.begin()));
    };
    while (begin < end && is_same(begin)) begin++;
    while (end > begin && is_same(end - 1)) end--;
    begin -= begin % window_.cell_height;
  }
  const uint32_t row = window_.cell_height > 0 ? begin / window_.cell_height : 0;
  move_to(static_cast<uint32_t>(place_.left), static_cast<uint32_t>(place_.top) + row, bytes);
  add_sixels(std::span<const uint32_t>(picture_).subspan(size_t{begin} * picture_width_,
                                                         size_t{end - begin} * picture_width_),
             picture_width_, end - begin, bytes);
}

}  // namespace qip
