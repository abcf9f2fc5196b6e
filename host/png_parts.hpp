// Parts of PNG files, which png.cpp writes and apng.cpp puts together in its own way.
//
// Promises: everything is appended; nothing that is there already moves but by growing.
// Source: W3C, "Portable Network Graphics (PNG) Specification", third edition.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace qip {

inline constexpr uint8_t kPngSignature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

// The low `count` bytes of a number, highest first.
void append_big_endian(std::vector<uint8_t>& to, uint32_t value, int count = 4);

// Length, type, data, checksum. At most 2^31 - 1 bytes of data.
void append_png_chunk(std::vector<uint8_t>& to, std::string_view type,
                      std::span<const uint8_t> data);

// Signature and header of an image with 8 bits a sample, RGBA or RGB.
void append_png_start(std::vector<uint8_t>& to, uint32_t width, uint32_t height, bool has_alpha);

// Part of a picture of R, G, B, A bytes. Borrowed.
struct PixelBlock {
  const uint8_t* first = nullptr;  // of its first pixel
  size_t stride = 0;               // bytes from row to row
  uint32_t width = 0;              // pixels
  uint32_t height = 0;
};

// The rows, filtered and deflated, as IDAT chunks; with `sequence` as fdAT chunks, each with the
// next number from there. Without alpha the fourth byte is left out. False: there is no memory for
// it.
bool append_png_data(std::vector<uint8_t>& to, const PixelBlock& pixels, bool has_alpha,
                     uint32_t* sequence = nullptr);

}  // namespace qip
