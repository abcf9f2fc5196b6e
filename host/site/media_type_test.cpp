// The table of extensions, formats told by their bytes, and which rule wins.
#include "host/site/media_type.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace qip {
namespace {

using Bytes = std::vector<uint8_t>;

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void put(Bytes& bytes, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; i++) bytes[at + i] = static_cast<uint8_t>(value >> (8 * i));
}

// An icon file with one entry of `size` bytes.
Bytes icon(uint32_t size = 10) {
  Bytes bytes(6 + 16 + 10);
  bytes[2] = 1;
  bytes[4] = 1;
  put(bytes, 6 + 8, size);
  put(bytes, 6 + 12, 6 + 16);
  return bytes;
}

// A bitmap of one pixel.
Bytes bitmap() {
  Bytes bytes(14 + 40 + 4);
  bytes[0] = 'B';
  bytes[1] = 'M';
  put(bytes, 2, 58);
  put(bytes, 10, 54);
  put(bytes, 14, 40);
  return bytes;
}

std::string plain_type(std::string_view source, const Bytes& body) {
  return response_content_type({.source_type = source}, body);
}

TEST(MediaType, OfTheMinimumTable) {
  const std::pair<const char*, const char*> rows[] = {
      {"a.html", "text/html"},        {"a.htm", "text/html"},
      {"a.css", "text/css"},          {"a.js", "text/javascript"},
      {"a.mjs", "text/javascript"},   {"a.json", "application/json"},
      {"a.xml", "text/xml"},          {"a.txt", "text/plain"},
      {"a.csv", "text/csv"},          {"a.svg", "image/svg+xml"},
      {"a.png", "image/png"},         {"a.gif", "image/gif"},
      {"a.jpg", "image/jpeg"},        {"a.jpeg", "image/jpeg"},
      {"a.webp", "image/webp"},       {"a.avif", "image/avif"},
      {"a.bmp", "image/bmp"},         {"a.ico", "image/vnd.microsoft.icon"},
      {"a.pdf", "application/pdf"},   {"a.wasm", "application/wasm"},
      {"a.woff", "font/woff"},        {"a.woff2", "font/woff2"},
      {"a.zip", "application/zip"},   {"a.md", "text/markdown"},
      {"a.markdown", "text/markdown"}};
  for (const auto& [name, type] : rows) EXPECT_EQ(media_type_of_name(name), type) << name;
}

TEST(MediaType, IsOfTheLastExtensionOfTheLastPartInAnyCase) {
  EXPECT_EQ(media_type_of_name("docs/A.MarkDown"), "text/markdown");
  EXPECT_EQ(media_type_of_name("a.html.txt"), "text/plain");
  EXPECT_EQ(media_type_of_name("a.html/b"), "application/octet-stream");
  EXPECT_EQ(media_type_of_name("README"), "application/octet-stream");
  EXPECT_EQ(media_type_of_name("a."), "application/octet-stream");
  EXPECT_EQ(media_type_of_name("a.htmlx"), "application/octet-stream");
  EXPECT_EQ(media_type_of_name(""), "application/octet-stream");
}

TEST(MediaType, HasOneExtension) {
  EXPECT_EQ(extension_of_media_type("text/html"), ".html");
  EXPECT_EQ(extension_of_media_type("image/jpeg"), ".jpg");
  EXPECT_EQ(extension_of_media_type("image/x-icon"), ".ico");
  EXPECT_EQ(extension_of_media_type("application/x-unknown"), "");
}

TEST(ResponseContentType, OfTextHasACharset) {
  EXPECT_EQ(plain_type("text/html", {}), "text/html; charset=utf-8");
  EXPECT_EQ(plain_type("text/markdown", {}), "text/markdown; charset=utf-8");
  EXPECT_EQ(plain_type("image/svg+xml", {}), "image/svg+xml");
  EXPECT_EQ(plain_type("application/json", {}), "application/json");
}

TEST(ResponseContentType, OfMarkdownThatRanIsHtml) {
  BodyOrigin origin{.source_type = "text/markdown", .ran_chain = true, .encoding = Encoding::Utf8};
  EXPECT_EQ(response_content_type(origin, bytes_of("<p>")), "text/html; charset=utf-8");
  origin.encoding = Encoding::Raw;
  EXPECT_EQ(response_content_type(origin, bitmap()), "text/html; charset=utf-8");
}

TEST(ResponseContentType, IsWhatTheChainDeclaresBeforeAllElse) {
  BodyOrigin origin{.source_type = "text/markdown", .ran_chain = true, .declared = "image/png"};
  EXPECT_EQ(response_content_type(origin, bitmap()), "image/png");
  origin.declared = "text/plain";
  EXPECT_EQ(response_content_type(origin, {}), "text/plain; charset=utf-8");
}

TEST(ResponseContentType, OfRawBodiesIsToldByTheirBytes) {
  EXPECT_EQ(plain_type("application/octet-stream", icon()), "image/x-icon");
  EXPECT_EQ(plain_type("application/octet-stream", bitmap()), "image/bmp");
  EXPECT_EQ(plain_type("image/png", bitmap()), "image/bmp");
  const BodyOrigin text{.source_type = "text/plain", .ran_chain = true, .encoding = Encoding::Utf8};
  EXPECT_EQ(response_content_type(text, bitmap()), "text/plain; charset=utf-8");
}

TEST(ResponseContentType, AnIconNeedsItsHeaderAndItsFirstEntry) {
  Bytes wrong = icon();
  wrong[2] = 2;  // a cursor
  EXPECT_EQ(plain_type("x/y", wrong), "x/y");
  wrong = icon();
  wrong[4] = 0;
  EXPECT_EQ(plain_type("x/y", wrong), "x/y");
  EXPECT_EQ(plain_type("x/y", icon(11)), "x/y");
  EXPECT_EQ(plain_type("x/y", icon(0)), "x/y");
  EXPECT_EQ(plain_type("x/y", icon(0xffffffff)), "x/y");
  wrong = icon();
  put(wrong, 6 + 12, 21);  // inside the entry
  EXPECT_EQ(plain_type("x/y", wrong), "x/y");
  for (size_t size = 0; size < icon().size(); size++) {
    const Bytes whole = icon();
    EXPECT_EQ(plain_type("x/y", Bytes(whole.begin(), whole.begin() + static_cast<long>(size))),
              "x/y");
  }
}

TEST(ResponseContentType, ABitmapNeedsSizesAndOffsetsThatFit) {
  const auto with = [](size_t at, uint32_t value) {
    Bytes bytes = bitmap();
    put(bytes, at, value);
    return plain_type("x/y", bytes);
  };
  EXPECT_EQ(with(2, 58), "image/bmp");
  EXPECT_EQ(with(2, 0), "image/bmp");  // some writers leave it empty
  EXPECT_EQ(with(2, 59), "x/y");
  EXPECT_EQ(with(10, 53), "x/y");
  EXPECT_EQ(with(10, 59), "x/y");
  EXPECT_EQ(with(10, 0xffffffff), "x/y");
  EXPECT_EQ(with(14, 11), "x/y");
  EXPECT_EQ(with(14, 41), "x/y");
  EXPECT_EQ(with(14, 0xffffffff), "x/y");
  EXPECT_EQ(response_content_type({.source_type = "text/plain"},
                                  bytes_of("BMW and other makers of motor cars")),
            "text/plain; charset=utf-8");
}

TEST(IsHtml, WithAndWithoutParameters) {
  EXPECT_TRUE(is_html("text/html"));
  EXPECT_TRUE(is_html("text/html; charset=utf-8"));
  EXPECT_FALSE(is_html("text/htmlx"));
  EXPECT_FALSE(is_html("text/plain"));
  EXPECT_FALSE(is_html(""));
}

}  // namespace
}  // namespace qip
