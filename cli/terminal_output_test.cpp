// What a terminal shows after the painter's bytes: half blocks on a model of a screen, kitty images
// unpacked, sixel pictures decoded.
#include "cli/terminal_output.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "cli/test_screen.hpp"

namespace qip {
namespace {

using Strings = std::vector<std::string>;

struct Frame {
  Frame(uint32_t width, uint32_t height, uint32_t color = 0)
      : width(width), height(height), rgba(size_t{width} * height * 4, 255) {
    for (uint32_t i = 0; i < width * height; i++) set(i % width, i / width, color);
  }
  void set(uint32_t x, uint32_t y, uint32_t color, uint8_t alpha = 255) {
    uint8_t* pixel = &rgba[(size_t{y} * width + x) * 4];
    pixel[0] = static_cast<uint8_t>(color >> 16);
    pixel[1] = static_cast<uint8_t>(color >> 8);
    pixel[2] = static_cast<uint8_t>(color);
    pixel[3] = alpha;
  }
  uint32_t at(uint32_t x, uint32_t y) const {
    const uint8_t* pixel = &rgba[(size_t{y} * width + x) * 4];
    return uint32_t{pixel[0]} << 16 | uint32_t{pixel[1]} << 8 | pixel[2];
  }

  uint32_t width, height;
  std::vector<uint8_t> rgba;
};

Frame random_frame(uint32_t width, uint32_t height, uint32_t seed, uint32_t colors = 0xFFFFFF) {
  std::mt19937 random(seed);
  Frame frame(width, height);
  for (uint32_t i = 0; i < width * height; i++) frame.set(i % width, i / width, random() % colors);
  return frame;
}

std::string painted(TerminalPainter& painter, const Frame& frame) {
  std::string bytes;
  painter.paint(frame.rgba, bytes);
  return bytes;
}

// --- Half blocks ---------------------------------------------------------------------------------

// The picture's pixels on the screen, from `left` and (in half cells) `top`, `times` as large.
void expect_shown(const Screen& screen, const Frame& frame, uint32_t left, uint32_t top,
                  uint32_t times, uint32_t columns, uint32_t rows) {
  for (uint32_t row = 0; row < rows; row++) {
    for (uint32_t column = 0; column < columns; column++) {
      for (uint32_t half = 0; half < 2; half++) {
        const uint32_t x = column - left, y = row * 2 + half - top;
        const bool inside = column >= left && row * 2 + half >= top && x < frame.width * times &&
                            y < frame.height * times;
        const uint32_t wanted = inside ? frame.at(x / times, y / times) : ScreenCell::kDefault;
        const ScreenCell& cell = screen.at(column, row);
        ASSERT_EQ(half == 0 ? cell.upper() : cell.lower(), wanted)
            << "column " << column << " row " << row << " half " << half;
      }
    }
  }
}

TEST(TerminalOutput, HalfBlocksShowEveryPixel) {
  TerminalPainter painter(80, 48);
  painter.set_window({80, 24});
  const Frame frame = random_frame(80, 48, 1);
  Screen screen(80, 24);
  screen.apply(painted(painter, frame));
  EXPECT_EQ(screen.unknown, Strings{});
  expect_shown(screen, frame, 0, 0, 1, 80, 24);
}

TEST(TerminalOutput, APictureIsCentredAndEnlargedByWholeNumbers) {
  TerminalPainter painter(10, 5);
  painter.set_window({35, 11});  // 35 x 22: three times
  const Frame frame = random_frame(10, 5, 2);
  Screen screen(35, 11);
  screen.apply(painted(painter, frame));
  EXPECT_EQ(screen.unknown, Strings{});
  expect_shown(screen, frame, 2, 2, 3, 35, 11);  // 15 rows of halves: the last cell is half empty
}

TEST(TerminalOutput, ALargerFrameIsAveraged) {
  Frame frame(4, 4, 0);
  frame.set(0, 0, 0xFF0000);
  frame.set(1, 0, 0xFF0000);
  frame.set(2, 2, 0x00FF00);
  TerminalPainter painter(4, 4);
  painter.set_window({2, 1});
  Screen screen(2, 1);
  screen.apply(painted(painter, frame));
  EXPECT_EQ(screen.at(0, 0).upper(), 0x800000u);  // 127.5
  EXPECT_EQ(screen.at(1, 0).upper(), 0u);
  EXPECT_EQ(screen.at(0, 0).lower(), 0u);
  EXPECT_EQ(screen.at(1, 0).lower(), 0x004000u);  // 63.75
}

TEST(TerminalOutput, EveryPixelCountsOnceInAnAverage) {
  for (const uint32_t width : {7u, 64u, 100u}) {
    for (uint32_t to = 1; to <= width; to++) {
      std::vector<uint32_t> picture;
      std::vector<uint32_t> seen(to);
      for (uint32_t x = 0; x < width; x++) {
        Frame frame(width, 1);
        frame.set(x, 0, 0xFFFFFF);
        scale_frame(frame.rgba, width, 1, to, 1, picture);
        uint32_t lit = 0;
        for (uint32_t i = 0; i < to; i++) lit += picture[i] != 0;
        ASSERT_EQ(lit, 1u) << width << " to " << to << ", pixel " << x;
      }
    }
  }
}

TEST(TerminalOutput, TransparencyStandsBeforeBlack) {
  Frame frame(2, 2, 0xFFFFFF);
  frame.set(0, 0, 0xFF8000, 0);
  frame.set(1, 0, 0xFF8000, 128);
  TerminalPainter painter(2, 2);
  painter.set_window({2, 1});
  Screen screen(2, 1);
  screen.apply(painted(painter, frame));
  EXPECT_EQ(screen.at(0, 0).upper(), 0u);
  EXPECT_EQ(screen.at(1, 0).upper(), 0x804000u);
  EXPECT_EQ(screen.at(1, 0).lower(), 0xFFFFFFu);
}

TEST(TerminalOutput, OnlyChangedCellsAreSent) {
  TerminalPainter painter(80, 48);
  painter.set_window({80, 24});
  Frame frame = random_frame(80, 48, 3);
  Screen screen(80, 24);
  screen.apply(painted(painter, frame));
  screen.cells_written = 0;
  EXPECT_EQ(painted(painter, frame), "");
  frame.set(7, 5, 0x123456);
  frame.set(9, 5, 0x123456);
  frame.set(79, 47, 0x654321);
  screen.apply(painted(painter, frame));
  EXPECT_EQ(screen.cells_written, 3u);
  expect_shown(screen, frame, 0, 0, 1, 80, 24);
}

TEST(TerminalOutput, ManyFramesInARowLeaveTheLastOne) {
  std::mt19937 random(4);
  TerminalPainter painter(30, 21);
  painter.set_window({31, 12});
  Frame frame(30, 21);
  Screen screen(31, 12);
  for (int round = 0; round < 300; round++) {
    for (uint32_t i = random() % 40; i > 0; i--) {
      frame.set(random() % 30, random() % 21, random() % 3 * 0x7F7F7F);
    }
    screen.apply(painted(painter, frame));
    ASSERT_EQ(screen.unknown, Strings{});
    expect_shown(screen, frame, 0, 0, 1, 31, 12);
  }
  EXPECT_EQ(screen.clears, 1u);
}

TEST(TerminalOutput, AfterAResizeTheScreenIsClearedAndDrawnAgain) {
  TerminalPainter painter(20, 20);
  painter.set_window({20, 10});
  const Frame frame = random_frame(20, 20, 5);
  Screen screen(20, 10);
  screen.apply(painted(painter, frame));
  painter.set_window({41, 20});
  screen.resize(41, 20);
  screen.apply(painted(painter, frame));
  expect_shown(screen, frame, 0, 0, 2, 41, 20);
  EXPECT_EQ(screen.clears, 2u);
}

TEST(TerminalOutput, AllOfAFrameComesAtOnce) {
  TerminalPainter painter(4, 4);
  const std::string bytes = painted(painter, random_frame(4, 4, 6));
  EXPECT_TRUE(bytes.starts_with("\x1b[?2026h"));
  EXPECT_TRUE(bytes.ends_with("\x1b[?2026l"));
}

TEST(TerminalOutput, WindowsAndFramesOfAnySizeAreDrawnInside) {
  for (const uint32_t width : {1u, 2u, 3u, 50u, 1000u}) {
    for (const uint32_t height : {1u, 2u, 3u, 50u, 1000u}) {
      for (const TerminalWindow& window : {TerminalWindow{1, 1}, TerminalWindow{2, 1},
                                           TerminalWindow{1, 30}, TerminalWindow{80, 24}}) {
        TerminalPainter painter(width, height);
        painter.set_window(window);
        Screen screen(window.columns, window.rows);
        screen.apply(painted(painter, Frame(width, height, 0xFFFFFF)));
        ASSERT_EQ(screen.unknown, Strings{}) << width << "x" << height;
        ASSERT_GT(screen.cells_written, 0u);
        for (const Graphics graphics : {Graphics::Kitty, Graphics::Sixel}) {
          painter.set_graphics(graphics);
          screen.apply(painted(painter, Frame(width, height, 0xFFFFFF)));
          ASSERT_EQ(screen.unknown, Strings{});
          ASSERT_FALSE(screen.strings.empty());
          ASSERT_LT(screen.column(), window.columns);
          ASSERT_LT(screen.row(), window.rows);
        }
      }
    }
  }
}

TEST(TerminalOutput, AWindowOfAbsurdSizeIsCutDown) {
  TerminalPainter painter(1, 1);
  painter.set_window({0, 0, 0, 0});
  EXPECT_EQ(painter.window().columns, 1u);
  painter.set_window({65535, 65535, 65535, 65535});
  EXPECT_EQ(painter.window().columns, kMaxWindow.columns);
  EXPECT_EQ(painter.window().rows, kMaxWindow.rows);
  EXPECT_EQ(painter.window().cell_height, kMaxWindow.cell_height);
  // A frame that no memory could hold is laid out all the same.
  TerminalPainter huge(INT32_MAX, INT32_MAX);
  for (const Graphics graphics : {Graphics::Blocks, Graphics::Kitty, Graphics::Sixel}) {
    huge.set_graphics(graphics);
    huge.set_window({65535, 65535, 65535, 65535});
  }
}

// --- Where pixels are ----------------------------------------------------------------------------

TEST(TerminalOutput, CellsAndPixelsOfTheWindowAreFoundInTheFrame) {
  TerminalPainter painter(10, 5);
  painter.set_window({35, 11});  // three times, from column 2 and row 1
  const auto at = [&](double column, double row) {
    const PixelPosition pixel = painter.pixel_at(column, row);
    return std::pair<int, int>(pixel.x, pixel.y);
  };
  using Pair = std::pair<int, int>;
  EXPECT_EQ(at(2.5, 1.25), Pair(0, 0));
  EXPECT_EQ(at(4.5, 1.25), Pair(0, 0));
  EXPECT_EQ(at(5.5, 1.25), Pair(1, 0));
  EXPECT_EQ(at(2.5, 2.25), Pair(0, 0));
  EXPECT_EQ(at(2.5, 2.75), Pair(0, 1));
  EXPECT_EQ(at(31.5, 8.25), Pair(9, 4));
  EXPECT_EQ(at(1.5, 0.5), Pair(-1, -1));
  EXPECT_EQ(at(32.5, 8.75), Pair(10, 5));
  EXPECT_EQ(at(1e300, -1e300).first, 1'000'000'000);
}

TEST(TerminalOutput, OneToOneTheMiddleOfACellIsItsColumn) {
  TerminalPainter painter(288, 288);
  painter.set_window({288, 144});
  for (uint32_t i = 0; i < 288; i++) {
    ASSERT_EQ(painter.pixel_at(i + 0.5, 0.5).x, static_cast<int32_t>(i));
    ASSERT_EQ(painter.pixel_at(0.5, i / 2 + 0.5).y, static_cast<int32_t>(i / 2 * 2 + 1));
  }
}

// --- Kitty ---------------------------------------------------------------------------------------

std::vector<uint8_t> from_base64(std::string_view text) {
  const std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<uint8_t> bytes;
  uint32_t bits = 0, count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(digits.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<uint8_t>(bits >> count));
  }
  return bytes;
}

TEST(TerminalOutput, Base64IsThatOfTheStandard) {
  const auto encoded = [](std::string_view text) {
    std::string result;
    append_base64({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, result);
    return result;
  };
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foob"), "Zm9vYg==");
  EXPECT_EQ(encoded("\xff\xef\xbe"), "/+++");
}

struct KittyImage {
  std::string control;
  std::vector<uint8_t> rgb;
};

// The image in chunks that begin at `strings[first]`.
KittyImage kitty_image(const Strings& strings, size_t first, size_t bytes) {
  KittyImage image;
  std::string data;
  for (size_t i = first; i < strings.size(); i++) {
    const size_t semicolon = strings[i].find(';');
    const std::string control = strings[i].substr(1, semicolon - 1);
    if (i == first) image.control = control;
    const std::string chunk = strings[i].substr(semicolon + 1);
    EXPECT_LE(chunk.size(), 4096u);
    data += chunk;
    if (control.find("m=1") == std::string::npos) break;
    EXPECT_EQ(chunk.size() % 4, 0u);
  }
  const std::vector<uint8_t> packed = from_base64(data);
  image.rgb.resize(bytes);
  uLongf size = bytes;
  EXPECT_EQ(uncompress(image.rgb.data(), &size, packed.data(), packed.size()), Z_OK);
  EXPECT_EQ(size, bytes);
  return image;
}

TEST(TerminalOutput, AKittyImageIsTheFrame) {
  TerminalPainter painter(60, 60);
  painter.set_window({80, 24, 10, 20});
  painter.set_graphics(Graphics::Kitty);
  const Frame frame = random_frame(60, 60, 7);
  Screen screen(80, 24);
  screen.apply(painted(painter, frame));
  ASSERT_GT(screen.strings.size(), 2u);  // noise takes several chunks
  EXPECT_EQ(screen.strings[0], "_Ga=d,d=A,q=2");
  const KittyImage image = kitty_image(screen.strings, 1, 60 * 60 * 3);
  // 480 pixels high and wide: 24 rows, 48 columns, in the middle.
  EXPECT_NE(image.control.find("c=48,r=24"), std::string::npos) << image.control;
  EXPECT_NE(image.control.find("s=60,v=60"), std::string::npos) << image.control;
  EXPECT_EQ(screen.column(), 16u);
  EXPECT_EQ(screen.row(), 0u);
  for (uint32_t i = 0; i < 60 * 60; i++) {
    const uint32_t color = frame.at(i % 60, i / 60);
    ASSERT_EQ(image.rgb[i * 3], color >> 16);
    ASSERT_EQ(image.rgb[i * 3 + 1], color >> 8 & 255);
    ASSERT_EQ(image.rgb[i * 3 + 2], color & 255);
  }
  EXPECT_EQ(painter.pixel_at(16.01, 0.01).x, 0);
  EXPECT_EQ(painter.pixel_at(63.99, 23.99).x, 59);
  EXPECT_EQ(painter.pixel_at(63.99, 23.99).y, 59);
}

TEST(TerminalOutput, TheNextKittyImageIsThereBeforeTheLastOneGoes) {
  TerminalPainter painter(4, 4);
  painter.set_graphics(Graphics::Kitty);
  Frame frame(4, 4);
  Screen screen(80, 24);
  screen.apply(painted(painter, frame));
  screen.strings.clear();
  EXPECT_EQ(painted(painter, frame), "");
  frame.set(0, 0, 0xFFFFFF);
  screen.apply(painted(painter, frame));
  ASSERT_EQ(screen.strings.size(), 2u);
  EXPECT_NE(screen.strings[0].find("i=7301"), std::string::npos);
  EXPECT_EQ(screen.strings[1], "_Ga=d,d=I,q=2,i=7302");
}

TEST(TerminalOutput, AKittyImageIsNotLargerThanTheWindow) {
  TerminalPainter painter(1000, 1000);
  painter.set_window({10, 5, 10, 20});
  painter.set_graphics(Graphics::Kitty);
  Screen screen(10, 5);
  screen.apply(painted(painter, Frame(1000, 1000)));
  const KittyImage image = kitty_image(screen.strings, 1, 100 * 100 * 3);
  EXPECT_NE(image.control.find("s=100,v=100"), std::string::npos) << image.control;
}

// --- Sixel ---------------------------------------------------------------------------------------

struct SixelPicture {
  uint32_t width = 0, height = 0;
  std::vector<int> registers;                      // per pixel; -1: not drawn
  std::map<uint32_t, std::array<int, 3>> percent;  // of a register
};

SixelPicture decode_sixel(std::string_view text) {
  SixelPicture picture;
  size_t at = 0;
  const auto number = [&] {
    uint32_t value = 0;
    while (at < text.size() && isdigit(text[at])) value = value * 10 + (text[at++] - '0');
    return value;
  };
  EXPECT_TRUE(text.starts_with("P0;1q\"1;1;")) << text.substr(0, 40);
  at = 10;
  picture.width = number();
  at++;
  picture.height = number();
  const uint32_t stride = picture.width, rows = (picture.height + 5) / 6 * 6;
  picture.registers.assign(size_t{stride} * rows, -1);
  uint32_t x = 0, y = 0, color = 0;
  while (at < text.size()) {
    const char c = text[at++];
    if (c == '#') {
      color = number();
      if (at < text.size() && text[at] == ';') {
        at += 3;  // ;2;
        for (int& part : picture.percent[color]) {
          part = static_cast<int>(number());
          at += at < text.size() && text[at] == ';';
        }
      }
    } else if (c == '$') {
      x = 0;
    } else if (c == '-') {
      x = 0;
      y += 6;
    } else {
      uint32_t count = 1;
      char sixel = c;
      if (c == '!') {
        count = number();
        sixel = text[at++];
      }
      EXPECT_TRUE(sixel >= '?' && sixel <= '~') << sixel;
      for (; count > 0; count--, x++) {
        for (uint32_t bit = 0; bit < 6; bit++) {
          if (((sixel - '?') >> bit & 1) == 0) continue;
          if (x >= stride || y + bit >= picture.height) {
            ADD_FAILURE() << "outside: " << x << "," << y + bit;
            return picture;
          }
          picture.registers[size_t{y + bit} * stride + x] = static_cast<int>(color);
        }
      }
    }
  }
  return picture;
}

void expect_near(const SixelPicture& picture, uint32_t x, uint32_t y, uint32_t color,
                 int tolerance) {
  const int number = picture.registers[size_t{y} * picture.width + x];
  ASSERT_GE(number, 0) << x << "," << y;
  const std::array<int, 3>& percent = picture.percent.at(static_cast<uint32_t>(number));
  for (int channel = 0; channel < 3; channel++) {
    const int wanted = static_cast<int>(color >> (16 - 8 * channel) & 255);
    ASSERT_NEAR(percent[static_cast<size_t>(channel)] * 255 / 100.0, wanted, tolerance)
        << x << "," << y;
  }
}

TEST(TerminalOutput, ASixelPictureIsTheFrameEnlarged) {
  TerminalPainter painter(30, 20);
  painter.set_window({20, 10, 10, 20});  // 200 x 180, as the last row stays free: six times
  painter.set_graphics(Graphics::Sixel);
  const Frame frame = random_frame(30, 20, 8, 200);
  Screen screen(20, 10);
  screen.apply(painted(painter, frame));
  ASSERT_EQ(screen.strings.size(), 1u);
  const SixelPicture picture = decode_sixel(screen.strings[0]);
  ASSERT_EQ(picture.width, 180u);
  ASSERT_EQ(picture.height, 120u);
  for (uint32_t y = 0; y < 120; y++) {
    for (uint32_t x = 0; x < 180; x++) {
      expect_near(picture, x, y, frame.at(x / 6, y / 6), 2);  // percent are coarse
    }
  }
  EXPECT_EQ(screen.column(), 1u);
  EXPECT_EQ(screen.row(), 1u);
  EXPECT_EQ(painter.pixel_at(1.05, 1.02).x, 0);
  EXPECT_EQ(painter.pixel_at(18.95, 6.99).x, 29);
  EXPECT_EQ(painter.pixel_at(18.95, 6.99).y, 19);
}

TEST(TerminalOutput, ASixelPictureOfManyColoursIsNearThem) {
  TerminalPainter painter(100, 100);
  painter.set_window({10, 6, 10, 20});
  painter.set_graphics(Graphics::Sixel);
  Frame frame(100, 100);
  for (uint32_t i = 0; i < 10000; i++) {
    frame.set(i % 100, i / 100, (i % 100 * 255 / 99) << 16 | (i / 100 * 255 / 99) << 8 | 0x40);
  }
  Screen screen(10, 6);
  screen.apply(painted(painter, frame));
  const SixelPicture picture = decode_sixel(screen.strings[0]);
  EXPECT_LE(picture.percent.size(), 256u);
  double sum = 0, wanted = 0;
  for (uint32_t y = 0; y < 100; y++) {
    for (uint32_t x = 0; x < 100; x++) {
      expect_near(picture, x, y, frame.at(x, y), 52);  // one step of the cube
      const int number = picture.registers[size_t{y} * 100 + x];
      sum += picture.percent.at(static_cast<uint32_t>(number))[0] * 2.55;
      wanted += frame.at(x, y) >> 16;
    }
  }
  EXPECT_NEAR(sum / 10000, wanted / 10000, 3);  // on average as bright
}

TEST(TerminalOutput, OnlyChangedRowsOfASixelPictureAreSent) {
  TerminalPainter painter(100, 100);
  painter.set_window({10, 6, 10, 20});
  painter.set_graphics(Graphics::Sixel);
  Frame frame(100, 100);
  Screen screen(10, 6);
  screen.apply(painted(painter, frame));
  screen.strings.clear();
  EXPECT_EQ(painted(painter, frame), "");
  frame.set(50, 45, 0xFFFFFF);
  screen.apply(painted(painter, frame));
  ASSERT_EQ(screen.strings.size(), 1u);
  const SixelPicture picture = decode_sixel(screen.strings[0]);
  EXPECT_EQ(screen.row(), 2u);    // the picture's row 40
  EXPECT_EQ(picture.height, 6u);  // up to row 45
  expect_near(picture, 50, 5, 0xFFFFFF, 2);
  expect_near(picture, 49, 5, 0, 2);
}

}  // namespace
}  // namespace qip
