// Durations, escaping, digests and image names against written-out expectations.
#include "host/text.hpp"

#include <gtest/gtest.h>

#include "host/digest.hpp"
#include "host/image_format.hpp"

namespace qip {
namespace {

using std::chrono::nanoseconds;

TEST(FormatDuration, FollowsGo) {
  EXPECT_EQ(format_duration(nanoseconds(0)), "0s");
  EXPECT_EQ(format_duration(nanoseconds(30)), "30ns");
  EXPECT_EQ(format_duration(nanoseconds(999)), "999ns");
  EXPECT_EQ(format_duration(nanoseconds(1'000)), "1µs");
  EXPECT_EQ(format_duration(nanoseconds(71'051)), "71.051µs");
  EXPECT_EQ(format_duration(nanoseconds(999'999)), "999.999µs");
  EXPECT_EQ(format_duration(nanoseconds(100'000'000)), "100ms");
  EXPECT_EQ(format_duration(nanoseconds(250'500'000)), "250.5ms");
  EXPECT_EQ(format_duration(nanoseconds(1'500'000'000)), "1.5s");
  EXPECT_EQ(format_duration(nanoseconds(4'000'000'000)), "4s");
  EXPECT_EQ(format_duration(nanoseconds(60'000'000'000)), "1m0s");
  EXPECT_EQ(format_duration(nanoseconds(61'000'000'001)), "1m1.000000001s");
  EXPECT_EQ(format_duration(nanoseconds(3'600'000'000'000)), "1h0m0s");
}

TEST(EscapeControls, LeavesTextAlone) {
  EXPECT_EQ(escape_controls("plain \"text\" äöü 🚀"), "plain \"text\" äöü 🚀");
}

TEST(EscapeControls, DefusesControlsOfEveryKind) {
  EXPECT_EQ(escape_controls(std::string_view("\0\x1b\n\x7f", 4)), "\\x00\\x1b\\x0a\\x7f");
  EXPECT_EQ(escape_controls("\xC2\x9B"), "\\u{009b}");      // C1: one-byte CSI
  EXPECT_EQ(escape_controls("\xE2\x80\xAE"), "\\u{202e}");  // right-to-left override
  EXPECT_EQ(escape_controls("\xE2\x81\xA6"), "\\u{2066}");  // isolate
  EXPECT_EQ(escape_controls("\xE2\x80\xA8"), "\\u{2028}");  // line separator
}

TEST(EscapeControls, CutsWhatIsTooLong) {
  EXPECT_EQ(escape_controls("12345", 5), "12345");
  EXPECT_EQ(escape_controls("123456", 5), "12345...");
  EXPECT_EQ(escape_controls("1234\n6", 5), "1234\\x0a...");
}

TEST(EscapeControls, WritesOutWhatIsNotUtf8) {
  EXPECT_EQ(escape_controls("\xFF"), "\\xff");
  EXPECT_EQ(escape_controls("\xC0\x80"), "\\xc0\\x80");           // overlong
  EXPECT_EQ(escape_controls("\xED\xA0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(escape_controls("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(escape_controls("a\xE2\x80"), "a\\xe2\\x80");  // cut
}

TEST(SystemErrorText, StartsSmall) {
  EXPECT_EQ(system_error_text(ENOENT), "no such file or directory");
  EXPECT_EQ(system_error_text(EISDIR), "is a directory");
}

TEST(DateTimeText, CountsDaysAsTheCalendarDoes) {
  EXPECT_EQ(date_time_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(date_time_text(951'782'399), "2000-02-28T23:59:59Z");
  EXPECT_EQ(date_time_text(951'782'400), "2000-02-29T00:00:00Z");
  EXPECT_EQ(date_time_text(4'107'542'400), "2100-03-01T00:00:00Z");
  EXPECT_EQ(date_time_text(253'402'300'799), "9999-12-31T23:59:59Z");
}

TEST(Sha256, KnownDigest) {
  const uint8_t abc[] = {'a', 'b', 'c'};
  EXPECT_EQ(sha256_text(abc), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ImageFormat, ByNameInAnyCase) {
  EXPECT_EQ(image_format_of_name("a.png"), ImageFormat::Png);
  EXPECT_EQ(image_format_of_name("A.JPeG"), ImageFormat::Jpeg);
  EXPECT_EQ(image_format_of_name("dir.bmp/x"), ImageFormat::None);
  EXPECT_EQ(image_format_of_name("png"), ImageFormat::None);
  EXPECT_EQ(image_format_of_name(""), ImageFormat::None);
}

TEST(ImageFormat, ByFirstBytes) {
  const uint8_t bmp[] = {'B', 'M', 0};
  EXPECT_EQ(image_format_of_bytes(bmp), ImageFormat::Bmp);
  const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  EXPECT_EQ(image_format_of_bytes(png), ImageFormat::Png);
  EXPECT_EQ(image_format_of_bytes(std::span(png).first(7)), ImageFormat::None);
}

}  // namespace
}  // namespace qip
