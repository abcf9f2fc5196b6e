// Which image format a file name asks for, and which one bytes are in.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace qip {

enum class ImageFormat : uint8_t { None, Png, Jpeg, Bmp };
// "png", "jpeg", "bmp"; empty for None.
const char* image_format_text(ImageFormat format);

// By the extension: .png, .jpg, .jpeg, .bmp in any case.
ImageFormat image_format_of_name(std::string_view path);
// By the first bytes.
ImageFormat image_format_of_bytes(std::span<const uint8_t> bytes);

}  // namespace qip
