// Names and signatures of the image formats, one row each.
#include "host/image_format.hpp"

#include <algorithm>

namespace qip {
namespace {

struct FormatRow {
  ImageFormat format;
  std::string_view extension;
  std::string_view signature;
};
using namespace std::string_view_literals;
constexpr FormatRow kFormats[] = {{ImageFormat::Png, ".png"sv, "\x89PNG\r\n\x1a\n"sv},
                                  {ImageFormat::Jpeg, ".jpg"sv, "\xff\xd8\xff"sv},
                                  {ImageFormat::Jpeg, ".jpeg"sv, "\xff\xd8\xff"sv},
                                  {ImageFormat::Bmp, ".bmp"sv, "BM"sv}};

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool ends_with_any_case(std::string_view text, std::string_view lower_case_end) {
  if (text.size() < lower_case_end.size()) return false;
  text.remove_prefix(text.size() - lower_case_end.size());
  return std::equal(text.begin(), text.end(), lower_case_end.begin(),
                    [](char a, char b) { return to_lower(a) == b; });
}

}  // namespace

const char* image_format_text(ImageFormat format) {
  switch (format) {
    case ImageFormat::None:
      return "";
    case ImageFormat::Png:
      return "png";
    case ImageFormat::Jpeg:
      return "jpeg";
    case ImageFormat::Bmp:
      return "bmp";
  }
  return "";
}

ImageFormat image_format_of_name(std::string_view path) {
  for (const FormatRow& row : kFormats) {
    if (ends_with_any_case(path, row.extension)) return row.format;
  }
  return ImageFormat::None;
}

ImageFormat image_format_of_bytes(std::span<const uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const FormatRow& row : kFormats) {
    if (text.starts_with(row.signature)) return row.format;
  }
  return ImageFormat::None;
}

}  // namespace qip
