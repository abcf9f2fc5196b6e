// Small image files for tests and for the fuzz target, built byte by byte or written out.
//
// The JPEG samples are 16 x 8 pixels in two flat halves, written once by libjpeg at quality 100,
// whose quantisation steps are all 1, so that they are exact but for the conversion of colours.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/image.hpp"
#include "host/test_modules.hpp"

namespace qip::test {

// Two lower-case digits a byte; spaces may lie between bytes.
inline Bytes from_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Bytes bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    while (i < text.size() && text[i] == ' ') i++;
    if (i == text.size()) break;
    bytes.push_back(static_cast<uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
  }
  return bytes;
}

inline Bytes big_endian_u32(uint64_t value) {
  Bytes bytes;
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<uint8_t>(value >> shift));
  return bytes;
}

// --- PNG -----------------------------------------------------------------------------------------

inline Bytes png_chunk(std::string_view type, const Bytes& data) {
  const Bytes body = Bytes(type.begin(), type.end()) + data;
  const uLong checksum = crc32(0, body.data(), static_cast<uInt>(body.size()));
  return big_endian_u32(data.size()) + body + big_endian_u32(checksum);
}

inline Bytes png_signature() {
  return {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
}

inline Bytes deflated(const Bytes& bytes) {
  uLongf size = compressBound(bytes.size());
  Bytes result(size);
  compress2(result.data(), &size, bytes.data(), bytes.size(), 9);
  result.resize(size);
  return result;
}

struct PngHeader {
  uint32_t width = 1;
  uint32_t height = 1;
  uint8_t bit_depth = 8;
  uint8_t color_type = 0;
  uint8_t interlace = 0;

  Bytes chunk() const {
    return png_chunk("IHDR", big_endian_u32(width) + big_endian_u32(height) +
                                 Bytes{bit_depth, color_type, 0, 0, interlace});
  }
};

// `between` are whole chunks; `rows` have their filter bytes and are not deflated yet.
inline Bytes png_file(const PngHeader& header, const Bytes& between, const Bytes& rows) {
  return png_signature() + header.chunk() + between + png_chunk("IDAT", deflated(rows)) +
         png_chunk("IEND", {});
}

// --- JPEG ----------------------------------------------------------------------------------------

struct JpegSample {
  std::string_view name;
  Bytes bytes;
  uint8_t left[3];  // R, G, B of the halves
  uint8_t right[3];
};

// The start of a file: of no kind, JFIF, or Adobe's with that colour transform. All steps are 1.
inline Bytes jpeg_start(std::string_view header) {
  return from_hex("ffd8") + from_hex(header) + from_hex("ffdb004300") + Bytes(64, 1);
}
inline Bytes plain_start() {
  return jpeg_start("");
}
inline Bytes jfif_start() {
  return jpeg_start("ffe000104a46494600010100000100010000");
}
inline Bytes adobe_start(int transform) {
  return jpeg_start("ffee000e41646f62650064000000000" + std::to_string(transform));
}

inline std::vector<JpegSample> jpeg_samples() {
  // Tables of one code, for values of AC: nothing more in this block, or in these two.
  const std::string end = " ffc40014100100000000000000000000000000000000 ";
  const std::string end2 = " ffc40014100100000000000000000000000000000010 ";
  const std::string frame3 = "ffc00011080008001003011100021100031100 ";  // three components
  const std::string frame4 = "ffc000140800080010044311004d11005911004b1100 ";
  const std::string scan3 = "ffda000c03010002000300003f00 ";
  return {
      {"one component",
       jfif_start() +
           from_hex("ffc0000b080008001001011100 ffc4001500010100000000000000000000000000000a0b" +
                    end + "ffda0008010100003f00 31ea583f ffd9"),
       {50, 50, 50},
       {200, 200, 200}},
      {"YCbCr",
       jfif_start() + from_hex(frame3 + "ffc4001700010003000000000000000000000000000a050809" + end +
                               scan3 + "ccf57727043970023b ffd9"),
       {200, 40, 60},
       {30, 90, 220}},
      {"YCbCr at half resolution",
       jfif_start() + from_hex("ffc00011080008001003012200021100031100 "
                               "ffc40017000003010000000000000000000000000000050809 "
                               "ffc400191001000301010000000000000000000000000987c74748" +
                               scan3 + "ccf270174458f75ac74252935fe67b97297f ffd9"),
       {200, 40, 60},
       {30, 90, 220}},
      {"progressive",
       jfif_start() + from_hex("ffc20011080008001003011100021100031100 "
                               "ffc40017000100030000000000000000000000000009040708 "
                               "ffda000c03010002000300000001 ccf5da710d7008ff00" +
                               end2 + "ffda0008010100010502 3f" + end2 + "ffda0008010300013f01 3f" +
                               end2 + "ffda0008010200013f01 3f" + end2 + "ffda0008010100063f02 3f" +
                               end2 + "ffda0008010100013f21 3f ffda000c03010002000300000010 03" +
                               end2 + "ffda0008010300013f10 3f" + end2 + "ffda0008010200013f10 3f" +
                               end2 + "ffda0008010100013f10 3f ffd9"),
       {200, 40, 60},
       {30, 90, 220}},
      {"arithmetic coding",
       jfif_start() + from_hex("ffc90011080008001003011100021100031100 ffcc000600101005" + scan3 +
                               "ff00edd806bc1c19fd8c1596b5c0 ffd9"),
       {200, 40, 60},
       {30, 90, 220}},
      {"restart intervals",
       jfif_start() + from_hex(frame3 + "ffc400160001010100000000000000000000000000090a08" + end +
                               "ffdd00040001" + scan3 + "33d9dd4e0fffd02dd4b02ddf ffd9"),
       {200, 40, 60},
       {30, 90, 220}},
      {"RGB",
       adobe_start(0) + from_hex("ffc00011080008001003521100471100421100 "
                                 "ffc4001600010101000000000000000000000000000a0b09" +
                                 end + "ffda000c03520047004200003f00 48027e3be957b6415007 ffd9"),
       {200, 40, 60},
       {30, 90, 220}},
      {"CMYK of Adobe",
       adobe_start(0) +
           from_hex(frame4 + "ffc4001600010101000000000000000000000000000a0b09" + end +
                    "ffda000e0443004d0059004b00003f00 48027e3be7f0957b6415000077 ffd9"),
       {200, 40, 60},
       {15, 45, 110}},
      {"YCCK of Adobe",
       adobe_start(2) +
           from_hex("ffc00014080008001004011100021100031100041100 "
                    "ffc4001700010003000000000000000000000000000a050809" +
                    end + "ffda000e040100020003000400003f00 d2858818f3f84c08f9dc003b ffd9"),
       {200, 40, 60},
       {15, 45, 110}},
      {"CMYK of nobody",
       plain_start() +
           from_hex(frame4 + "ffc4001600010101000000000000000000000000000a0b09" + end +
                    "ffda000e0443004d0059004b00003f00 36e5704309ff00aaa0c6f4bfcfe1 ffd9"),
       {200, 40, 60},
       {15, 45, 110}},
  };
}

}  // namespace qip::test
