// Reads the codes that url-to-qr-svg draws, by a reader that shares nothing with the component: its
// tables are those of ISO/IEC 18004:2015, while the component computes what it can. A code is right
// when every module of it is: patterns, format, version, mask, checks, padding, content.
// Assumes: the working directory is the root of the repository; the command is $QIP or build/qip.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "spec-tests/picture_components.hpp"

namespace qip {
namespace {

using std::string;
using std::string_view;
using Rows = std::vector<string>;  // of modules: '1' is dark, '0' light, '?' not known yet

const Chain kQrCode = {"text/uri-list/url-to-qr-svg"};

// --- Tables of the standard ----------------------------------------------------------------------

// Level M of one version: tables 7 and 9, and the second centre of table E.1, where there is one.
struct VersionRow {
  size_t capacity;     // in byte mode
  size_t check_bytes;  // of each block
  size_t short_blocks, short_len, long_blocks;
  int second_center;
};

constexpr VersionRow kVersions[] = {
    {14, 10, 1, 16, 0, 0},      {26, 16, 1, 28, 0, 18},     {42, 26, 1, 44, 0, 22},
    {62, 18, 2, 32, 0, 26},     {84, 24, 2, 43, 0, 30},     {106, 16, 4, 27, 0, 34},
    {122, 18, 4, 31, 0, 22},    {152, 22, 2, 38, 2, 24},    {180, 22, 3, 36, 2, 26},
    {213, 26, 4, 43, 1, 28},    {251, 30, 1, 50, 4, 30},    {287, 22, 6, 36, 2, 32},
    {331, 22, 8, 37, 1, 34},    {362, 24, 4, 40, 5, 26},    {412, 24, 5, 41, 5, 26},
    {450, 28, 7, 45, 3, 26},    {504, 28, 10, 46, 1, 30},   {560, 26, 9, 43, 4, 30},
    {624, 26, 3, 44, 11, 30},   {666, 26, 3, 41, 13, 34},   {711, 26, 17, 42, 0, 28},
    {779, 28, 17, 46, 0, 26},   {857, 28, 4, 47, 14, 30},   {911, 28, 6, 45, 14, 28},
    {997, 28, 8, 47, 13, 32},   {1059, 28, 19, 46, 4, 30},  {1125, 28, 22, 45, 3, 34},
    {1190, 28, 3, 45, 23, 26},  {1264, 28, 21, 45, 7, 30},  {1370, 28, 19, 47, 10, 26},
    {1452, 28, 2, 46, 29, 30},  {1538, 28, 10, 46, 23, 34}, {1628, 28, 14, 46, 21, 30},
    {1722, 28, 14, 46, 23, 34}, {1809, 28, 12, 47, 26, 30}, {1911, 28, 6, 47, 34, 24},
    {1989, 28, 29, 46, 14, 28}, {2099, 28, 13, 46, 32, 32}, {2213, 28, 40, 47, 7, 26},
    {2331, 28, 18, 47, 31, 30},
};
constexpr int kMostVersion = std::size(kVersions);

// Table C.1, level M with masks 0 to 7: as drawn, the first bit highest.
constexpr uint32_t kFormats[] = {0x5412, 0x5125, 0x5e7c, 0x5b4b, 0x45f9, 0x40ce, 0x4f97, 0x4aa0};

// Table D.1.
constexpr uint32_t kVersionBits[] = {
    0x07c94, 0x085bc, 0x09a99, 0x0a4d3, 0x0bbf6, 0x0c762, 0x0d847, 0x0e60d, 0x0f928,
    0x10b78, 0x1145d, 0x12a17, 0x13532, 0x149a6, 0x15683, 0x168c9, 0x177ec, 0x18ec4,
    0x191e1, 0x1afab, 0x1b08e, 0x1cc1a, 0x1d33f, 0x1ed75, 0x1f250, 0x209d5, 0x216f0,
    0x228ba, 0x2379f, 0x24b0b, 0x2542e, 0x26a64, 0x27541, 0x28c69,
};
constexpr int kFirstWithVersionBits = 7;

// --- From SVG to modules -------------------------------------------------------------------------

// The number at the head of the text, which loses it.
size_t take_number(string_view& text) {
  size_t value = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    value = 10 * value + static_cast<size_t>(text[0] - '0');
    text.remove_prefix(1);
  }
  return value;
}

bool take(string_view& text, string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

// Expects exactly the form that the component writes, and no run that touches another one or the
// margin of four.
Rows modules_of(string_view svg) {
  EXPECT_TRUE(take(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 "));
  const size_t side = take_number(svg);
  const string number = std::to_string(side);
  EXPECT_TRUE(take(svg, " " + number + "\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d="));
  EXPECT_TRUE(take(svg, "\"M0 0h" + number + "v" + number + "H0z\"/><path stroke=\"#000\" d=\""));
  if (side < 8 || side > 185) {
    ADD_FAILURE() << "a side of " << side;
    return {};
  }
  Rows rows(side, string(side, '0'));
  size_t x = 0, y = 0;
  while (!svg.empty() && svg[0] != '"') {
    if (take(svg, "M")) {
      x = take_number(svg);
      EXPECT_TRUE(take(svg, " "));
      y = take_number(svg);
      EXPECT_TRUE(take(svg, ".5"));
    } else if (take(svg, "m")) {
      const size_t gap = take_number(svg);
      EXPECT_GT(gap, 0u);
      x += gap;
      EXPECT_TRUE(take(svg, " 0"));
    }
    EXPECT_TRUE(take(svg, "h"));
    const size_t count = take_number(svg);
    if (count == 0 || x < 4 || x + count > side - 4 || y < 4 || y >= side - 4) {
      ADD_FAILURE() << "a run of " << count << " at " << x << ", " << y;
      return {};
    }
    rows[y].replace(x, count, count, '1');
    x += count;
  }
  EXPECT_EQ(svg, "\"/></svg>\n");
  Rows inside(rows.begin() + 4, rows.end() - 4);
  for (string& row : inside) row = row.substr(4, side - 8);
  return inside;
}

// --- From modules to bytes -----------------------------------------------------------------------

// Draws a pattern over the modules around a centre, cut off at the sides.
void draw(Rows& rows, int center_x, int center_y, const Rows& pattern) {
  const int reach = static_cast<int>(pattern.size()) / 2, size = static_cast<int>(rows.size());
  for (int y = -reach; y <= reach; ++y) {
    for (int x = -reach; x <= reach; ++x) {
      const int to_x = center_x + x, to_y = center_y + y;
      if (to_x < 0 || to_y < 0 || to_x >= size || to_y >= size) continue;
      rows[static_cast<size_t>(to_y)][static_cast<size_t>(to_x)] =
          pattern[static_cast<size_t>(y + reach)][static_cast<size_t>(x + reach)];
    }
  }
}

const Rows kFinder = {"000000000", "011111110", "010000010", "010111010", "010111010",
                      "010111010", "010000010", "011111110", "000000000"};
const Rows kAlignment = {"11111", "10001", "10101", "10001", "11111"};

std::vector<int> centers_of(int version) {
  if (version == 1) return {};
  const int count = version / 7 + 2, last = 4 * version + 10;
  const int second = kVersions[version - 1].second_center;
  std::vector<int> centers = {6};
  for (int i = 0; i < count - 2; ++i) centers.push_back(second + i * (last - second) / (count - 2));
  centers.push_back(last);
  return centers;
}

// What a code of that version and mask has before its content; the rest is '?'.
Rows blank_code(int version, size_t mask) {
  const int size = 17 + 4 * version;
  const size_t end = static_cast<size_t>(size);
  Rows rows(end, string(end, '?'));
  for (size_t i = 0; i < end; ++i) rows[6][i] = rows[i][6] = i % 2 == 0 ? '1' : '0';
  draw(rows, 3, 3, kFinder);
  draw(rows, size - 4, 3, kFinder);
  draw(rows, 3, size - 4, kFinder);
  const std::vector<int> centers = centers_of(version);
  for (const int x : centers) {
    for (const int y : centers) {
      const bool at_finder =
          (x == 6 && y == 6) || (x == 6 && y == size - 7) || (x == size - 7 && y == 6);
      if (!at_finder) draw(rows, x, y, kAlignment);
    }
  }
  // Figure 25: the first bit is at the left and at the bottom.
  string format;
  for (int bit = 14; bit >= 0; --bit) format += kFormats[mask] >> bit & 1 ? '1' : '0';
  for (size_t i = 0; i < 15; ++i) {
    // Along row 8 and up column 8, around the finder and past the timing patterns.
    if (i < 8)
      rows[8][i < 6 ? i : i + 1] = format[i];
    else
      rows[i == 8 ? 7 : 14 - i][8] = format[i];
    // Up column 8 from the bottom, and along row 8 to the right.
    if (i < 7)
      rows[end - 1 - i][8] = format[i];
    else
      rows[8][end - 15 + i] = format[i];
  }
  rows[end - 8][8] = '1';
  // Figures 27 and 28: the last bit is at the top left.
  if (version >= kFirstWithVersionBits) {
    const uint32_t bits = kVersionBits[version - kFirstWithVersionBits];
    for (size_t i = 0; i < 18; ++i) {
      const char module = bits >> i & 1 ? '1' : '0';
      rows[i / 3][end - 11 + i % 3] = rows[end - 11 + i % 3][i / 3] = module;
    }
  }
  return rows;
}

// Table 10.
bool is_inverted(size_t mask, size_t i, size_t j) {
  const size_t product = i * j;
  const size_t values[] = {(i + j) % 2,
                           i % 2,
                           j % 3,
                           (i + j) % 3,
                           (i / 2 + j / 3) % 2,
                           product % 2 + product % 3,
                           (product % 2 + product % 3) % 2,
                           ((i + j) % 2 + product % 3) % 2};
  return values[mask] == 0;
}

// The mask that the format at the top left tells; 8 where it is none of level M.
size_t mask_of(const Rows& rows) {
  for (size_t mask = 0; mask < std::size(kFormats); ++mask)
    if (rows[8].substr(0, 6) == blank_code(1, mask)[8].substr(0, 6)) return mask;
  return 8;
}

// All modules in the order of codewords, without the mask, as bytes. The bits left over are zero.
string codewords_of(const Rows& rows, const Rows& blank, size_t mask) {
  string bits;
  const size_t end = rows.size();
  bool up = true;
  for (size_t right = end - 1; right < end; right -= 2, up = !up) {
    if (right == 6) --right;
    for (size_t step = 0; step < end; ++step) {
      const size_t y = up ? end - 1 - step : step;
      for (const size_t x : {right, right - 1}) {
        if (blank[y][x] != '?') continue;
        bits += (rows[y][x] == '1') != is_inverted(mask, y, x) ? '1' : '0';
      }
    }
  }
  string bytes;
  for (; bits.size() >= 8; bits.erase(0, 8))
    bytes += static_cast<char>(strtoul(bits.substr(0, 8).c_str(), nullptr, 2));
  EXPECT_EQ(bits, string(bits.size(), '0'));
  return bytes;
}

// Products by logarithms, where 2 generates all elements but 0.
struct Field {
  uint8_t powers[255], logs[256] = {};
  Field() {
    uint32_t value = 1;
    for (uint32_t i = 0; i < 255; ++i) {
      powers[i] = static_cast<uint8_t>(value);
      logs[value] = static_cast<uint8_t>(i);
      value = value < 128 ? value * 2 : (value * 2) ^ 0x11d;
    }
  }
  uint8_t product(uint8_t a, size_t power) const {
    return a == 0 ? uint8_t{0} : powers[(logs[a] + power) % 255];
  }
};

// Whether 2^0, 2^1, ... are roots of the block, as its check bytes make them.
bool checks_are_right(string_view block, size_t check_bytes) {
  static const Field field;
  for (size_t power = 0; power < check_bytes; ++power) {
    uint8_t sum = 0;
    for (const char byte : block)
      sum = static_cast<uint8_t>(field.product(sum, power) ^ static_cast<uint8_t>(byte));
    if (sum != 0) return false;
  }
  return true;
}

// Takes the blocks apart, whose checks have to be right, and returns their content in one.
string content_of(string_view codewords, const VersionRow& row) {
  const size_t count = row.short_blocks + row.long_blocks;
  std::vector<string> blocks(count);
  size_t at = 0;
  for (size_t i = 0; i <= row.short_len; ++i) {
    const size_t first = i < row.short_len ? 0 : row.short_blocks;
    for (size_t block = first; block < count; ++block) blocks[block] += codewords[at++];
  }
  string content;
  for (const string& block : blocks) content += block;
  for (size_t i = 0; i < row.check_bytes; ++i)
    for (string& block : blocks) block += codewords[at++];
  EXPECT_EQ(at, codewords.size());
  for (const string& block : blocks) EXPECT_TRUE(checks_are_right(block, row.check_bytes));
  return content;
}

// The bits of the content, as text, of one segment in byte mode with its padding (section 7.4).
string expected_content(string_view text, int version, size_t bytes) {
  string bits;
  const auto put = [&bits](size_t value, int count) {
    while (count-- > 0) bits += value >> count & 1 ? '1' : '0';
  };
  put(4, 4);
  put(text.size(), version < 10 ? 8 : 16);
  for (const char byte : text) put(static_cast<uint8_t>(byte), 8);
  bits += string(std::min<size_t>(4, 8 * bytes - bits.size()), '0');
  while (bits.size() % 8 != 0) bits += '0';
  for (bool first = true; bits.size() < 8 * bytes; first = !first) put(first ? 0xec : 0x11, 8);
  string content;
  for (size_t i = 0; i < bits.size(); i += 8)
    content += static_cast<char>(strtoul(bits.substr(i, 8).c_str(), nullptr, 2));
  return content;
}

int version_for(size_t len) {
  int version = 1;
  while (version < kMostVersion && kVersions[version - 1].capacity < len) ++version;
  return version;
}

// --- Penalties (table 11) ------------------------------------------------------------------------

size_t line_penalty(const string& line) {
  size_t sum = 0;
  for (size_t begin = 0; begin < line.size();) {
    const size_t end = std::min(line.find_first_not_of(line[begin], begin), line.size());
    if (end - begin >= 5) sum += 3 + (end - begin - 5);
    begin = end;
  }
  for (const string_view pattern : {"00001011101", "10111010000"})
    for (size_t at = line.find(pattern); at != string::npos; at = line.find(pattern, at + 1))
      sum += 40;
  return sum;
}

size_t penalty_of(const Rows& rows) {
  size_t sum = 0;
  int dark = 0;
  for (size_t y = 0; y < rows.size(); ++y) {
    string column;
    for (size_t x = 0; x < rows.size(); ++x) {
      column += rows[x][y];
      dark += rows[y][x] == '1';
      if (x == 0 || y == 0) continue;
      const char module = rows[y][x];
      if (rows[y - 1][x] == module && rows[y][x - 1] == module && rows[y - 1][x - 1] == module)
        sum += 3;
    }
    sum += line_penalty(rows[y]) + line_penalty(column);
  }
  const double share = 100.0 * dark / static_cast<double>(rows.size() * rows.size());
  return sum + 10 * static_cast<size_t>(std::abs(share - 50) / 5);
}

// The same code with another mask.
Rows with_mask(const Rows& rows, int version, size_t from, size_t to) {
  Rows result = blank_code(version, to);
  for (size_t y = 0; y < rows.size(); ++y)
    for (size_t x = 0; x < rows.size(); ++x)
      if (result[y][x] == '?')
        result[y][x] = is_inverted(from, y, x) != is_inverted(to, y, x)
                           ? static_cast<char>(rows[y][x] ^ 1)
                           : rows[y][x];
  return result;
}

// --- Rules ---------------------------------------------------------------------------------------

// Of that length; differs by `kind`.
string text_of(size_t len, size_t kind) {
  string text = "https://example.com/";
  uint32_t state = static_cast<uint32_t>(len * 31 + kind + 1);
  while (text.size() < len) {
    state = state * 1664525 + 1013904223;
    text += "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[state >> 26];
  }
  text.resize(len);
  return text;
}

void expect_right_code(const string& text) {
  const int version = version_for(text.size());
  const VersionRow& row = kVersions[version - 1];
  const Rows rows = modules_of(output_of(kQrCode, text));
  ASSERT_EQ(rows.size(), 17u + 4 * static_cast<size_t>(version)) << text.size();
  const size_t mask = mask_of(rows);
  ASSERT_LT(mask, 8u);

  const Rows blank = blank_code(version, mask);
  Rows patterns = rows;
  for (size_t y = 0; y < rows.size(); ++y)
    for (size_t x = 0; x < rows.size(); ++x)
      if (blank[y][x] == '?') patterns[y][x] = '?';
  EXPECT_EQ(patterns, blank);

  const string content = content_of(codewords_of(rows, blank, mask), row);
  EXPECT_EQ(content, expected_content(text, version, content.size()));

  for (size_t other = 0; other < 8; ++other) {
    const size_t more = penalty_of(with_mask(rows, version, mask, other)), own = penalty_of(rows);
    EXPECT_TRUE(other < mask ? more > own : more >= own)
        << "mask " << mask << ": " << own << ", mask " << other << ": " << more;
  }
}

TEST(QrCode, is_right_in_every_version_with_the_most_and_the_least_content) {
  size_t least = 1;
  for (int version = 1; version <= kMostVersion; ++version) {
    SCOPED_TRACE("version " + std::to_string(version));
    const size_t most = kVersions[version - 1].capacity;
    expect_right_code(text_of(least, 0));
    expect_right_code(text_of(most, 0));
    least = most + 1;
  }
}

TEST(QrCode, is_right_with_padding_of_every_length) {
  for (size_t len = 1; len <= 62; ++len) {
    SCOPED_TRACE(len);
    expect_right_code(text_of(len, 1));
  }
}

TEST(QrCode, is_right_with_every_mask) {
  std::vector<int> found(8);
  for (size_t kind = 0; kind < 80; ++kind) {
    SCOPED_TRACE(kind);
    const string text = text_of(20 + kind, kind);
    expect_right_code(text);
    const size_t mask = mask_of(modules_of(output_of(kQrCode, text)));
    ASSERT_LT(mask, 8u);
    ++found[mask];
  }
  EXPECT_EQ(std::count(found.begin(), found.end(), 0), 0) << testing::PrintToString(found);
}

TEST(QrCode, holds_bytes_as_they_are) {
  expect_right_code(
      "https://b\xc3\xbc"
      "cher.example/\xe6\x97\xa5\xe6\x9c\xac?q=\xf0\x9f\x9a\x80");
  string every_byte = "x";
  for (int byte = 0; byte < 256; ++byte)
    if (byte != '\n') every_byte += static_cast<char>(byte);
  expect_right_code(every_byte + "x");
}

// Codes that are mostly dark, or mostly light, under some of the masks.
TEST(QrCode, is_right_with_content_of_one_colour) {
  for (const char byte : {'\xff', '\0', '\x7f', '\x01'}) {
    for (size_t len = 1; len <= 180; len += 3) {
      SCOPED_TRACE(testing::Message() << len << " times " << int{byte});
      expect_right_code(string(len, byte));
    }
  }
}

// The reader notices any module that is wrong: one of a pattern, or by the checks of its block.
TEST(QrCode, reader_notices_a_wrong_module) {
  const string text = text_of(14, 0);
  const Rows good = modules_of(output_of(kQrCode, text));
  const size_t mask = mask_of(good);
  ASSERT_LT(mask, 8u);
  const Rows blank = blank_code(1, mask);
  for (size_t y = 0; y < good.size(); ++y) {
    for (size_t x = 0; x < good.size(); ++x) {
      if (blank[y][x] != '?') continue;
      Rows bad = good;
      bad[y][x] ^= 1;
      EXPECT_FALSE(checks_are_right(codewords_of(bad, blank, mask), 10)) << x << ", " << y;
    }
  }
}

TEST(QrCode, content_makes_the_same_code_each_time) {
  const string text = text_of(1000, 0);
  EXPECT_EQ(output_of(kQrCode, text), output_of(kQrCode, text));
}

TEST(QrCode, refuses_what_it_cannot_hold) {
  for (const char* const empty : {"", "\n", " \t\r\n\r\n", "#\n", "# https://example.com/"})
    EXPECT_TRUE(traps(kQrCode, empty)) << empty;
  EXPECT_TRUE(traps(kQrCode, text_of(kVersions[kMostVersion - 1].capacity + 1, 0)));
  EXPECT_TRUE(traps(kQrCode, text_of(65536, 0)));
  EXPECT_NE(run(kQrCode, text_of(65537, 0)).exit_code, 0);
}

// The table of versions says the same in three ways.
TEST(QrCode, table_of_versions_agrees_with_itself) {
  for (int version = 1; version <= kMostVersion; ++version) {
    const VersionRow& row = kVersions[version - 1];
    const size_t blocks = row.short_blocks + row.long_blocks;
    const size_t content = blocks * row.short_len + row.long_blocks;
    EXPECT_EQ(row.capacity, content - (version < 10 ? 2 : 3)) << version;
    size_t free_modules = 0;
    for (const string& line : blank_code(version, 0))
      free_modules += static_cast<size_t>(std::count(line.begin(), line.end(), '?'));
    EXPECT_EQ(free_modules / 8, content + blocks * row.check_bytes) << version;
  }
}

}  // namespace
}  // namespace qip
