// Reading JPEG by way of libjpeg: baseline, progressive and arithmetic files, grey, RGB, YCbCr,
// CMYK and YCCK, 8 bits a sample; turned as their EXIF orientation says.
//
// Promises: a file is read whole or refused: where the library warns and fills in, this ends with
// the warning as its error, unless the warning is of something that changes no pixel. The slow
// integer transform is exact, so the pixels are the same on every machine.
// Bounds: at most kMostScans scans; the library's own memory, which is what a progressive file
// needs for its coefficients, at most 256 MiB.
// The library reports errors by a call that must not return; a long jump ends the step that failed.
// Nothing with a destructor lives on the stack between the jump and its target.
#include "host/image_codec.hpp"

// It wants FILE and size_t declared before it.
#include <cstdio>
#include <cstring>
//
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <utility>

namespace qip {
namespace {

// An honest file has about ten; each costs a walk over the whole image.
constexpr int kMostScans = 100;
constexpr long kMostLibraryBytes = 256L << 20;
constexpr int kExifMarker = JPEG_APP0 + 1;

constexpr const char* kEndsEarly = "the file ends early";

// The library's error handler, and where it jumps to.
struct ErrorHandler {
  jpeg_error_mgr base;  // first, so that a pointer to it is a pointer to this
  jmp_buf jump;
  bool source_ended;  // the library has asked for more than there is
  char message[JMSG_LENGTH_MAX];
};

ErrorHandler& handler_of(j_common_ptr codec) {
  return *reinterpret_cast<ErrorHandler*>(codec->err);
}

[[noreturn]] void fail(j_common_ptr codec, const char* message) {
  ErrorHandler& handler = handler_of(codec);
  snprintf(handler.message, sizeof handler.message, "%s", message);
  longjmp(handler.jump, 1);
}

// The library's own words.
[[noreturn]] void fail_with_library_message(j_common_ptr codec) {
  if (codec->err->msg_code == JERR_NO_BACKING_STORE) {
    fail(codec, "a progressive image of this size needs too much memory");
  }
  ErrorHandler& handler = handler_of(codec);
  codec->err->format_message(codec, handler.message);
  longjmp(handler.jump, 1);
}

// False if the pixels are right all the same.
bool is_harmful(j_decompress_ptr codec, int message_code) {
  switch (message_code) {
    case JWRN_EXTRANEOUS_DATA:  // between two segments
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
      return false;
    case JWRN_JPEG_EOF:
      // The end marker alone may be missing. If there is one scan and it lacks a bit, another
      // warning follows; in other files nobody knows what is missing.
      return codec->output_scan_number == 0 || jpeg_has_multiple_scans(codec) || codec->arith_code;
    default:
      return true;
  }
}

// Level -1 is a warning; above that is tracing.
void on_message(j_common_ptr codec, int level) {
  if (level >= 0) return;
  const int code = codec->err->msg_code;
  ErrorHandler& handler = handler_of(codec);
  if (code == JWRN_JPEG_EOF) handler.source_ended = true;
  if (!is_harmful(reinterpret_cast<j_decompress_ptr>(codec), code)) return;
  if (handler.source_ended) fail(codec, kEndsEarly);
  fail_with_library_message(codec);
}

void on_progress(j_common_ptr codec) {
  const j_decompress_ptr decoder = reinterpret_cast<j_decompress_ptr>(codec);
  if (decoder->input_scan_number > kMostScans) fail(codec, "it has too many scans");
}

void set_up(ErrorHandler& handler) {
  jpeg_std_error(&handler.base);
  handler.base.error_exit = fail_with_library_message;
  handler.base.emit_message = on_message;
  handler.base.output_message = [](j_common_ptr) {};
}

// Runs one step of work with the library; false if it failed, and handler.message says why.
template <class Step>
bool guarded(ErrorHandler& handler, Step step) {
  if (setjmp(handler.jump) != 0) return false;
  step();
  return true;
}

uint8_t product(unsigned a, unsigned b) {
  return static_cast<uint8_t>((a * b + 127) / 255);
}

// Four inks to R, G, B, A in place. What Adobe writes, and says that it wrote, is 255 for no ink.
void convert_cmyk(uint8_t* row, size_t width, bool no_ink_is_255) {
  const uint8_t flip = no_ink_is_255 ? 0 : 255;
  for (size_t x = 0; x < width; x++, row += 4) {
    const uint8_t black = row[3] ^ flip;
    for (int i = 0; i < 3; i++) row[i] = product(row[i] ^ flip, black);
    row[3] = 255;
  }
}

class Decoder {
 public:
  explicit Decoder(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  ~Decoder() { jpeg_destroy_decompress(&codec_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  std::string decode(Image& image) {
    set_up(errors_);
    codec_.err = &errors_.base;
    if (!guarded(errors_, [this] { read_header(); })) return errors_.message;
    std::string size_error = image_size_error(codec_.image_width, codec_.image_height);
    if (!size_error.empty()) return size_error;
    if (!guarded(errors_, [this] { jpeg_start_decompress(&codec_); })) return errors_.message;
    const int orientation = this->orientation();
    image.width = orientation < 5 ? codec_.output_width : codec_.output_height;
    image.height = orientation < 5 ? codec_.output_height : codec_.output_width;
    return orientation == 1 ? read_rows(image) : read_turned_rows(image, orientation);
  }

 private:
  // Rows that are read before they are placed: a cache line of an image that lies on its side.
  static constexpr uint32_t kBandRows = 16;

  void read_header() {
    jpeg_create_decompress(&codec_);
    codec_.mem->max_memory_to_use = kMostLibraryBytes;
    progress_.progress_monitor = on_progress;
    codec_.progress = &progress_;
    jpeg_mem_src(&codec_, bytes_.data(), bytes_.size());
    jpeg_save_markers(&codec_, kExifMarker, 0xFFFF);
    jpeg_read_header(&codec_, TRUE);
    switch (codec_.jpeg_color_space) {
      case JCS_GRAYSCALE:
      case JCS_RGB:
      case JCS_YCbCr:
        codec_.out_color_space = JCS_EXT_RGBA;
        return;
      case JCS_CMYK:
      case JCS_YCCK:
        codec_.out_color_space = JCS_CMYK;
        return;
      default:
        fail(reinterpret_cast<j_common_ptr>(&codec_), "its colours are of an unknown kind");
    }
  }

  // The first EXIF block decides.
  int orientation() const {
    for (const jpeg_marker_struct* marker = codec_.marker_list; marker != nullptr;
         marker = marker->next) {
      const auto found = exif_orientation(std::span(marker->data, marker->data_length));
      if (found) return *found;
    }
    return 1;
  }

  // Reads the next row to `to`, as R, G, B, A.
  bool read_row(uint8_t* to) {
    return guarded(errors_, [&] {
      JSAMPROW row = to;
      // One row a call, unless the source pauses, which one in memory does not.
      jpeg_read_scanlines(&codec_, &row, 1);
      if (codec_.out_color_space == JCS_CMYK) {
        convert_cmyk(to, codec_.output_width, codec_.saw_Adobe_marker != FALSE);
      }
    });
  }

  // The image grows with its rows, so a file that ends early takes no more than it holds.
  std::string read_rows(Image& image) {
    const size_t row_bytes = size_t{image.width} * 4;
    image.rgba.reserve(row_bytes * image.height);
    for (size_t y = 0; y < image.height; y++) {
      image.rgba.resize((y + 1) * row_bytes);
      if (!read_row(image.rgba.data() + y * row_bytes)) return errors_.message;
    }
    return "";
  }

  std::string read_turned_rows(Image& image, int orientation) {
    const uint32_t width = codec_.output_width;
    const uint32_t height = codec_.output_height;
    const Placement place = placement(orientation, width, height);
    const size_t row_bytes = size_t{width} * 4;
    std::vector<uint8_t> band(row_bytes * std::min(height, kBandRows));
    image.rgba.resize(row_bytes * height);
    for (uint32_t top = 0; top < height; top += kBandRows) {
      const uint32_t rows = std::min(kBandRows, height - top);
      for (uint32_t i = 0; i < rows; i++) {
        if (!read_row(band.data() + i * row_bytes)) return errors_.message;
      }
      for (uint32_t x = 0; x < width; x++) {
        int64_t to = place.origin + x * place.right + top * place.down;
        for (uint32_t i = 0; i < rows; i++, to += place.down) {
          memcpy(image.rgba.data() + to, band.data() + i * row_bytes + size_t{x} * 4, 4);
        }
      }
    }
    return "";
  }

  std::span<const uint8_t> bytes_;
  ErrorHandler errors_{};
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct codec_{};
};

}  // namespace

Result<Image, std::string> decode_jpeg(std::span<const uint8_t> bytes) {
  Image image;
  Decoder decoder(bytes);
  const std::string error = decoder.decode(image);
  if (!error.empty()) return "JPEG: " + error;
  return image;
}

}  // namespace qip
