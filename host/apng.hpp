// AnimatedPng: frames and their times, put together to an animated PNG that repeats for ever.
//
// Promises: every frame has one in the file; of each only the rectangle that differs from the frame
// before is stored. A program that knows no animation shows the first frame.
// Bounds: the compressed frames, at most `most_bytes`, and the pixels of one frame are kept.
// Source: W3C, "Portable Network Graphics (PNG) Specification", third edition, 4.9 and 11.3.4.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace qip {

inline constexpr size_t kMaxAnimationBytes = size_t{1} << 30;
// How long the last frame is shown when nobody says.
inline constexpr int64_t kLastFrameMilliseconds = 100;

class AnimatedPng {
 public:
  // A size that image_size_error() accepts.
  AnimatedPng(uint32_t width, uint32_t height, size_t most_bytes = kMaxAnimationBytes);

  // A frame, width * height pixels of R, G, B, A, shown from `time` (milliseconds, later than the
  // one before) on. What is wrong, as a sentence, or nothing.
  std::string add(int64_t time, std::span<const uint8_t> rgba);

  // The file; the last frame is shown until `end`, if that is after its time. Precondition: there
  // is a frame; nothing is added later.
  std::span<const uint8_t> finish(std::optional<int64_t> end);

 private:
  struct Rectangle {
    uint32_t x = 0, y = 0, width = 0, height = 0;
  };
  Rectangle changed(std::span<const uint8_t> rgba) const;
  void append_frame_control(const Rectangle& rectangle);
  void set_last_delay(int64_t milliseconds);
  void renew_checksum(size_t chunk);

  uint32_t width_;
  uint32_t height_;
  size_t most_bytes_;
  std::vector<uint8_t> bytes_;
  std::vector<uint8_t> before_;  // the last frame
  int64_t last_time_ = 0;
  size_t animation_control_ = 0;   // where its chunk begins
  size_t last_frame_control_ = 0;  // the same of the last frame's
  uint32_t frames_ = 0;
  uint32_t sequence_ = 0;
};

}  // namespace qip
