// The binary format's numbers and names at their edges.
#include "loader/reader.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "loader/test_modules.hpp"

namespace qip {
namespace {

struct NumberCase {
  Bytes bytes;
  int64_t value;
  const char* error;  // empty: the bytes are `value` and all of them are used
};

constexpr const char* kTooLong = "integer representation too long";
constexpr const char* kTooLarge = "integer too large";
constexpr const char* kEnd = "unexpected end";

template <class Read>
void check_numbers(const std::vector<NumberCase>& cases, Read read) {
  for (const NumberCase& test : cases) {
    SCOPED_TRACE(::testing::PrintToString(test.bytes));
    Reader reader(test.bytes.data(), 0, test.bytes.size());
    const int64_t value = read(reader);
    EXPECT_EQ(reader.error().message, test.error);
    EXPECT_EQ(value, test.value);
    if (!reader.failed()) {
      EXPECT_TRUE(reader.at_end());
    }
  }
}

TEST(reader, u32_has_at_most_five_bytes_and_no_bit_above_31) {
  check_numbers({{{0x00}, 0, ""},
                 {{0x7F}, 127, ""},
                 {{0x80, 0x01}, 128, ""},
                 {{0x80, 0x00}, 0, ""},
                 {{0x80, 0x80, 0x80, 0x80, 0x00}, 0, ""},
                 {{0xFF, 0xFF, 0xFF, 0xFF, 0x0F}, 0xFFFFFFFF, ""},
                 {{0xFF, 0xFF, 0xFF, 0xFF, 0x1F}, 0, kTooLarge},
                 {{0x80, 0x80, 0x80, 0x80, 0x10}, 0, kTooLarge},
                 {{0x80, 0x80, 0x80, 0x80, 0x70}, 0, kTooLarge},
                 {{0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 0, kTooLong},
                 {{0xFF, 0xFF, 0xFF, 0xFF, 0x8F, 0x00}, 0, kTooLong},
                 {{}, 0, kEnd},
                 {{0x80}, 0, kEnd},
                 {{0x80, 0x80, 0x80, 0x80}, 0, kEnd}},
                [](Reader& reader) { return int64_t{reader.u32()}; });
}

TEST(reader, u64_has_at_most_ten_bytes_and_no_bit_above_63) {
  const Bytes nine(9, 0x80), nine_ones(9, 0xFF);
  check_numbers({{{0x05}, 5, ""},
                 {nine + Bytes{0x00}, 0, ""},
                 {nine + Bytes{0x01}, std::numeric_limits<int64_t>::min(), ""},
                 {nine_ones + Bytes{0x01}, -1, ""},
                 {nine + Bytes{0x02}, 0, kTooLarge},
                 {nine + Bytes{0x80, 0x00}, 0, kTooLong},
                 {nine, 0, kEnd}},
                [](Reader& reader) { return static_cast<int64_t>(reader.u64()); });
}

TEST(reader, s32_repeats_its_sign_in_the_unused_bits) {
  check_numbers({{{0x00}, 0, ""},
                 {{0x3F}, 63, ""},
                 {{0x40}, -64, ""},
                 {{0x7F}, -1, ""},
                 {{0xC0, 0x00}, 64, ""},
                 {{0xFF, 0x7F}, -1, ""},
                 {{0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, -1, ""},
                 {{0xFF, 0xFF, 0xFF, 0xFF, 0x07}, 2147483647, ""},
                 {{0x80, 0x80, 0x80, 0x80, 0x78}, -2147483648LL, ""},
                 {{0xFF, 0xFF, 0xFF, 0xFF, 0x0F}, 0, kTooLarge},
                 {{0x80, 0x80, 0x80, 0x80, 0x70}, 0, kTooLarge},
                 {{0x80, 0x80, 0x80, 0x80, 0x08}, 0, kTooLarge},
                 {{0xFF, 0xFF, 0xFF, 0xFF, 0x4F}, 0, kTooLarge},
                 {{0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 0, kTooLong},
                 {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, 0, kTooLong},
                 {{0xFF, 0xFF, 0xFF, 0xFF}, 0, kEnd}},
                [](Reader& reader) { return int64_t{reader.s32()}; });
}

TEST(reader, s33_repeats_its_sign_in_the_unused_bits) {
  check_numbers({{{0x40}, -64, ""},
                 {{0xFF, 0xFF, 0xFF, 0xFF, 0x0F}, 4294967295LL, ""},
                 {{0x80, 0x80, 0x80, 0x80, 0x70}, -4294967296LL, ""},
                 {{0xFF, 0xFF, 0xFF, 0xFF, 0x1F}, 0, kTooLarge},
                 {{0x80, 0x80, 0x80, 0x80, 0x60}, 0, kTooLarge},
                 {{0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 0, kTooLong}},
                [](Reader& reader) { return reader.s33(); });
}

TEST(reader, s64_repeats_its_sign_in_the_unused_bits) {
  const Bytes nine(9, 0x80), nine_ones(9, 0xFF);
  check_numbers({{{0x7F}, -1, ""},
                 {nine + Bytes{0x00}, 0, ""},
                 {nine + Bytes{0x7F}, std::numeric_limits<int64_t>::min(), ""},
                 {nine_ones + Bytes{0x00}, std::numeric_limits<int64_t>::max(), ""},
                 {nine_ones + Bytes{0x7F}, -1, ""},
                 {nine + Bytes{0x01}, 0, kTooLarge},
                 {nine + Bytes{0x7E}, 0, kTooLarge},
                 {nine + Bytes{0x80, 0x00}, 0, kTooLong},
                 {nine_ones, 0, kEnd}},
                [](Reader& reader) { return reader.s64(); });
}

TEST(reader, numbers_survive_writing_and_reading) {
  for (uint32_t shift = 0; shift < 64; shift++) {
    for (const uint64_t difference : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
      const uint64_t value = (uint64_t{1} << shift) + difference;
      const Bytes bytes = leb(value);
      Reader wide(bytes.data(), 0, bytes.size());
      EXPECT_EQ(wide.u64(), value);
      EXPECT_TRUE(wide.at_end());
      Reader narrow(bytes.data(), 0, bytes.size());
      const uint32_t read = narrow.u32();
      EXPECT_EQ(narrow.failed(), value > 0xFFFFFFFF);
      EXPECT_EQ(read, narrow.failed() ? 0 : static_cast<uint32_t>(value));
    }
  }
}

TEST(reader, utf8_is_what_rfc_3629_allows) {
  const auto valid = [](std::initializer_list<uint8_t> bytes) {
    const std::string text(bytes.begin(), bytes.end());
    return is_valid_utf8(text);
  };
  EXPECT_TRUE(valid({}));
  EXPECT_TRUE(valid({0x00}));
  EXPECT_TRUE(valid({0x7F}));
  EXPECT_TRUE(valid({0xC2, 0x80}));
  EXPECT_TRUE(valid({0xDF, 0xBF}));
  EXPECT_TRUE(valid({0xE0, 0xA0, 0x80}));
  EXPECT_TRUE(valid({0xED, 0x9F, 0xBF}));  // U+D7FF
  EXPECT_TRUE(valid({0xEE, 0x80, 0x80}));  // U+E000
  EXPECT_TRUE(valid({0xEF, 0xBF, 0xBF}));
  EXPECT_TRUE(valid({0xF0, 0x90, 0x80, 0x80}));
  EXPECT_TRUE(valid({0xF4, 0x8F, 0xBF, 0xBF}));  // U+10FFFF
  EXPECT_FALSE(valid({0x80}));
  EXPECT_FALSE(valid({0xBF}));
  EXPECT_FALSE(valid({0xC0, 0x80}));  // overlong
  EXPECT_FALSE(valid({0xC1, 0xBF}));
  EXPECT_FALSE(valid({0xE0, 0x9F, 0xBF}));
  EXPECT_FALSE(valid({0xF0, 0x8F, 0xBF, 0xBF}));
  EXPECT_FALSE(valid({0xED, 0xA0, 0x80}));  // surrogates
  EXPECT_FALSE(valid({0xED, 0xBF, 0xBF}));
  EXPECT_FALSE(valid({0xF4, 0x90, 0x80, 0x80}));  // above U+10FFFF
  EXPECT_FALSE(valid({0xF5, 0x80, 0x80, 0x80}));
  EXPECT_FALSE(valid({0xFF}));
  EXPECT_FALSE(valid({0xC2}));  // cut
  EXPECT_FALSE(valid({0xE1, 0x80}));
  EXPECT_FALSE(valid({0xF1, 0x80, 0x80}));
  EXPECT_FALSE(valid({0xC2, 0x41}));
  EXPECT_FALSE(valid({0xE1, 0x80, 0xC0}));
  EXPECT_FALSE(valid({0xF1, 0x80, 0x80, 0x7F}));
}

// Compared with a model that decodes code points and knows nothing of byte ranges.
TEST(reader, utf8_agrees_with_a_model_on_all_two_byte_and_many_longer_texts) {
  const auto model = [](std::string_view text) {
    for (size_t i = 0; i < text.size();) {
      const auto first = static_cast<uint8_t>(text[i]);
      const int length = first < 0x80             ? 1
                         : (first & 0xE0) == 0xC0 ? 2
                         : (first & 0xF0) == 0xE0 ? 3
                         : (first & 0xF8) == 0xF0 ? 4
                                                  : 0;
      if (length == 0 || i + static_cast<size_t>(length) > text.size()) return false;
      uint32_t point = length == 1 ? first : first & (0x7Fu >> length);
      for (int k = 1; k < length; k++) {
        const auto next = static_cast<uint8_t>(text[i + static_cast<size_t>(k)]);
        if ((next & 0xC0) != 0x80) return false;
        point = point << 6 | (next & 0x3F);
      }
      constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
      if (point < kSmallest[length] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
        return false;
      }
      i += static_cast<size_t>(length);
    }
    return true;
  };
  const uint8_t edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xFF};
  for (int first = 0; first < 256; first++) {
    for (int second = 0; second < 256; second++) {
      std::string text = {static_cast<char>(first), static_cast<char>(second)};
      ASSERT_EQ(is_valid_utf8(text), model(text)) << first << " " << second;
      for (const uint8_t third : edges) {
        for (const uint8_t fourth : edges) {
          text.resize(2);
          text += static_cast<char>(third);
          text += static_cast<char>(fourth);
          ASSERT_EQ(is_valid_utf8(text), model(text)) << first << " " << second << " " << +third;
        }
      }
    }
  }
}

TEST(reader, first_error_sticks) {
  const Bytes bytes = {0x80};
  Reader reader(bytes.data(), 0, bytes.size());
  reader.u32();
  ASSERT_TRUE(reader.failed());
  reader.malformed("later");
  EXPECT_EQ(reader.error().message, kEnd);
  EXPECT_EQ(reader.byte(), 0);
  EXPECT_EQ(reader.name(10), "");
  EXPECT_EQ(reader.raw<uint64_t>(), 0u);
  EXPECT_EQ(reader.count(), 0u);
}

TEST(reader, count_beyond_the_bytes_left_is_an_error) {
  const Bytes bytes = {0x03, 0x00, 0x00};
  Reader reader(bytes.data(), 0, bytes.size());
  EXPECT_EQ(reader.count(), 0u);
  EXPECT_EQ(reader.error().message, kEnd);
  EXPECT_EQ(reader.error().byte_offset, 0u);
  Reader enough(bytes.data(), 1, bytes.size());
  EXPECT_EQ(enough.count(), 0u);
  EXPECT_FALSE(enough.failed());
}

TEST(reader, name_is_bounded_by_bytes_left_and_by_the_limit) {
  const Bytes bytes = name_bytes("hello");
  Reader good(bytes.data(), 0, bytes.size());
  EXPECT_EQ(good.name(5), "hello");
  EXPECT_TRUE(good.at_end());
  Reader cut(bytes.data(), 0, bytes.size() - 1);
  cut.name(5);
  EXPECT_EQ(cut.error().message, "length out of bounds");
  Reader limited(bytes.data(), 0, bytes.size());
  limited.name(4);
  EXPECT_EQ(limited.error().error_class, LoadErrorClass::Limit);
  const Bytes huge = leb(0xFFFFFFFF);
  Reader beyond(huge.data(), 0, huge.size());
  beyond.name(10);
  EXPECT_EQ(beyond.error().message, "length out of bounds");
}

TEST(reader, narrowed_part_ends_early_and_widens_again) {
  const Bytes bytes = {1, 2, 3};
  Reader reader(bytes.data(), 0, bytes.size());
  const uint64_t outer = reader.narrow(1);
  EXPECT_EQ(reader.byte(), 1);
  EXPECT_TRUE(reader.at_end());
  reader.widen(outer);
  EXPECT_EQ(reader.byte(), 2);
  reader.narrow(0);
  reader.byte();
  EXPECT_EQ(reader.error().message, "unexpected end of section or function");
  EXPECT_EQ(reader.error().byte_offset, 2u);
}

}  // namespace
}  // namespace qip
