// Between pixels of 8-bit channels and the tile buffer's float32 ones, a row at a time.
//
// Promises: the same bits on every machine and for every length. Byte to float is one float32
// multiplication by float32(1/255); float to byte is 0 for NaN and everything up to 0, 255 from 1
// on, and otherwise v * 255 + 0.5 in float32, cut off. So byte to float to byte changes nothing.
// Every channel is treated alike, alpha too. Nothing needs to be aligned. No allocation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace qip {

inline constexpr uint32_t kChannels = 4;  // R, G, B, A
inline constexpr uint32_t kPixelBytes = kChannels;
inline constexpr uint32_t kPixelFloatBytes = kChannels * sizeof(float);

// `floats` and `bytes` do not overlap.
void pixels_to_floats(const uint8_t* bytes, uint8_t* floats, size_t pixels);
void floats_to_pixels(const uint8_t* floats, uint8_t* bytes, size_t pixels);

// Writes `pixel` that many times.
void repeat_float_pixel(const uint8_t* pixel, uint8_t* to, size_t pixels);

}  // namespace qip
