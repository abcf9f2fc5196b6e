// How many frames there are, and how long each is shown, is known only after it was written: those
// two chunks are changed in place, their checksums with them.
#include "host/apng.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "host/png_parts.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

constexpr size_t kDataOffset = 8;   // in a chunk, behind its length and type
constexpr size_t kFrameDelay = 20;  // in the data of fcTL
constexpr size_t kAnimationControlBytes = 8;
constexpr size_t kFrameControlBytes = 26;

void put_big_endian(uint8_t* to, uint32_t value, int count) {
  for (int i = count - 1; i >= 0; i--, value >>= 8) to[i] = static_cast<uint8_t>(value);
}

uint32_t big_endian_at(const uint8_t* from) {
  return uint32_t{from[0]} << 24 | uint32_t{from[1]} << 16 | uint32_t{from[2]} << 8 | from[3];
}

}  // namespace

AnimatedPng::AnimatedPng(uint32_t width, uint32_t height, size_t most_bytes)
    : width_(width), height_(height), most_bytes_(most_bytes) {
  append_png_start(bytes_, width, height, true);
  animation_control_ = bytes_.size();
  constexpr uint8_t kControl[kAnimationControlBytes] = {};  // no frame yet; plays without end
  append_png_chunk(bytes_, "acTL", kControl);
}

// The smallest rectangle around all pixels that are not as before. It is never empty, because a
// frame must have a pixel.
AnimatedPng::Rectangle AnimatedPng::changed(std::span<const uint8_t> rgba) const {
  if (frames_ == 0) return {0, 0, width_, height_};
  const size_t stride = size_t{width_} * 4;
  const auto is_same_row = [&](uint32_t y) {
    return memcmp(rgba.data() + y * stride, before_.data() + y * stride, stride) == 0;
  };
  uint32_t top = 0;
  while (top < height_ && is_same_row(top)) top++;
  if (top == height_) return {0, 0, 1, 1};
  uint32_t bottom = height_;
  while (is_same_row(bottom - 1)) bottom--;
  uint32_t left = width_;
  uint32_t right = 0;
  for (uint32_t y = top; y < bottom; y++) {
    const uint8_t* const row = rgba.data() + y * stride;
    const uint8_t* const old = before_.data() + y * stride;
    const auto differs = [&](uint32_t x) {
      return memcmp(row + size_t{x} * 4, old + size_t{x} * 4, 4) != 0;
    };
    for (uint32_t x = 0; x < left; x++) {
      if (differs(x)) left = x;
    }
    for (uint32_t x = width_; x > right; x--) {
      if (differs(x - 1)) right = x;
    }
  }
  return {left, top, right - left, bottom - top};
}

// The delay comes when the next frame does. The rectangle is replaced and left as it is.
void AnimatedPng::append_frame_control(const Rectangle& rectangle) {
  last_frame_control_ = bytes_.size();
  std::vector<uint8_t> data;
  for (const uint32_t number :
       {sequence_++, rectangle.width, rectangle.height, rectangle.x, rectangle.y}) {
    append_big_endian(data, number);
  }
  data.resize(kFrameControlBytes);
  append_png_chunk(bytes_, "fcTL", data);
}

void AnimatedPng::renew_checksum(size_t chunk) {
  uint8_t* const start = bytes_.data() + chunk;
  const size_t size = big_endian_at(start);
  put_big_endian(start + kDataOffset + size, static_cast<uint32_t>(crc32_z(0, start + 4, 4 + size)),
                 4);
}

// A fraction of two 16-bit numbers: up to 65 seconds exact, then to a hundredth, a tenth and a
// whole second, and never more than 65,535 of those.
void AnimatedPng::set_last_delay(int64_t milliseconds) {
  constexpr int64_t kMost = UINT16_MAX;
  milliseconds = std::min(milliseconds, kMost * 1000);
  int64_t unit = 1;  // milliseconds
  while ((milliseconds + unit / 2) / unit > kMost) unit *= 10;
  uint8_t* const delay = bytes_.data() + last_frame_control_ + kDataOffset + kFrameDelay;
  put_big_endian(delay, static_cast<uint32_t>((milliseconds + unit / 2) / unit), 2);
  put_big_endian(delay + 2, static_cast<uint32_t>(1000 / unit), 2);
  renew_checksum(last_frame_control_);
}

std::string AnimatedPng::add(int64_t time, std::span<const uint8_t> rgba) {
  if (frames_ > 0) set_last_delay(time - last_time_);
  const Rectangle rectangle = changed(rgba);
  append_frame_control(rectangle);
  const size_t stride = size_t{width_} * 4;
  const PixelBlock pixels = {rgba.data() + rectangle.y * stride + size_t{rectangle.x} * 4, stride,
                             rectangle.width, rectangle.height};
  if (!append_png_data(bytes_, pixels, true, frames_ > 0 ? &sequence_ : nullptr)) {
    return "there is no memory for the animation";
  }
  if (bytes_.size() > most_bytes_) {
    return "the animation is larger than " + number_text(most_bytes_) + " bytes";
  }
  before_.assign(rgba.begin(), rgba.end());
  last_time_ = time;
  frames_++;
  return "";
}

std::span<const uint8_t> AnimatedPng::finish(std::optional<int64_t> end) {
  const bool is_later = end && *end > last_time_;
  set_last_delay(is_later ? *end - last_time_ : kLastFrameMilliseconds);
  put_big_endian(bytes_.data() + animation_control_ + kDataOffset, frames_, 4);
  renew_checksum(animation_control_);
  append_png_chunk(bytes_, "IEND", {});
  return bytes_;
}

}  // namespace qip
