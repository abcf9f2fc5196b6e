#include "host/image_output.hpp"

namespace qip {
namespace {

using Bytes = std::span<const uint8_t>;

std::string no_image_text(const FinalOutput& output) {
  return std::string("cannot encode non-image output as image (encoding=") +
         encoding_text(output.encoding) + ", content_type=\"" + output.content_type.value_or("") +
         "\")";
}

Result<Bytes, std::string> encode(const Image& image, ImageFormat format,
                                  std::vector<uint8_t>& storage) {
  Result<std::vector<uint8_t>, std::string> encoded = encode_image(image, format);
  if (!encoded.ok()) return "cannot encode output: " + encoded.error();
  storage = std::move(encoded.value());
  return Bytes(storage);
}

}  // namespace

Result<Bytes, std::string> bytes_for_file(const std::string& name, const FinalOutput& output,
                                          std::vector<uint8_t>& storage) {
  const ImageFormat wanted = image_format_of_name(name);
  if (output.image != nullptr) {
    return encode(*output.image, wanted == ImageFormat::None ? ImageFormat::Bmp : wanted, storage);
  }
  if (wanted == ImageFormat::None) return output.bytes;
  const ImageFormat actual = image_format_of_bytes(output.bytes);
  const std::string promised = std::string("image/") + image_format_text(wanted);
  if (actual == wanted || output.content_type == promised) return output.bytes;
  if (actual == ImageFormat::None) return no_image_text(output);
  const Result<Image, std::string> image = decode_image(output.bytes);
  if (!image.ok()) {
    return std::string("cannot write ") + image_format_text(actual) + " output as " +
           image_format_text(wanted) + ": " + image.error();
  }
  return encode(image.value(), wanted, storage);
}

}  // namespace qip
