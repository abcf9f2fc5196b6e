// Animated PNG, taken apart again here: chunk by chunk, with every checksum, and the frames put
// together by the rules of the specification.
#include "host/apng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "host/image.hpp"
#include "host/test_images.hpp"

namespace qip {
namespace {

using namespace test;

struct Chunk {
  std::string type;
  Bytes data;
};

uint32_t number_at(const Bytes& bytes, size_t at, size_t count = 4) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; i++) value = value << 8 | bytes.at(at + i);
  return value;
}

std::vector<Chunk> chunks_of(const Bytes& file) {
  std::vector<Chunk> chunks;
  EXPECT_EQ(Bytes(file.begin(), file.begin() + 8), png_signature());
  for (size_t at = 8; at < file.size();) {
    const size_t size = number_at(file, at);
    if (file.size() - at < 12 + size) {
      ADD_FAILURE() << "the file ends early";
      return chunks;
    }
    const auto start = file.begin() + static_cast<ptrdiff_t>(at);
    Chunk chunk{{start + 4, start + 8}, {start + 8, start + 8 + static_cast<ptrdiff_t>(size)}};
    const Bytes whole(start, start + 12 + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(whole, png_chunk(chunk.type, chunk.data)) << chunk.type;
    chunks.push_back(std::move(chunk));
    at += 12 + size;
  }
  return chunks;
}

struct Frame {
  uint32_t width = 0, height = 0, x = 0, y = 0;
  uint32_t numerator = 0, denominator = 0;
  Bytes pixels;  // of the whole picture
};

struct Animation {
  uint32_t plays = 99;
  std::vector<Frame> frames;
};

// `data` is deflated rows of a rectangle, which as a file of its own is an image.
Bytes pixels_of(const Frame& frame, const Bytes& data) {
  const PngHeader header{frame.width, frame.height, 8, 6};
  const auto image = decode_image(png_signature() + header.chunk() + png_chunk("IDAT", data) +
                                  png_chunk("IEND", {}));
  if (!image.ok()) {
    ADD_FAILURE() << image.error();
    return Bytes(size_t{frame.width} * frame.height * 4);
  }
  return image.value().rgba;
}

Frame frame_of(const Bytes& control) {
  EXPECT_EQ(control.size(), 26u);
  EXPECT_EQ(control.at(24), 0) << "dispose: none";
  EXPECT_EQ(control.at(25), 0) << "blend: source";
  Frame frame;
  frame.width = number_at(control, 4);
  frame.height = number_at(control, 8);
  frame.x = number_at(control, 12);
  frame.y = number_at(control, 16);
  frame.numerator = number_at(control, 20, 2);
  frame.denominator = number_at(control, 22, 2);
  return frame;
}

Animation read_animation(std::span<const uint8_t> bytes) {
  const std::vector<Chunk> chunks = chunks_of(Bytes(bytes.begin(), bytes.end()));
  Animation animation;
  if (chunks.size() < 4 || chunks[0].type != "IHDR" || chunks[1].type != "acTL") {
    ADD_FAILURE() << "no animation";
    return animation;
  }
  const uint32_t width = number_at(chunks[0].data, 0), height = number_at(chunks[0].data, 4);
  EXPECT_EQ(Bytes(chunks[0].data.begin() + 8, chunks[0].data.end()), (Bytes{8, 6, 0, 0, 0}));
  const uint32_t count = number_at(chunks[1].data, 0);
  animation.plays = number_at(chunks[1].data, 4);
  Bytes canvas(size_t{width} * height * 4);
  uint32_t sequence = 0;
  size_t i = 2;
  while (i < chunks.size() && chunks[i].type == "fcTL") {
    EXPECT_EQ(number_at(chunks[i].data, 0), sequence++);
    Frame frame = frame_of(chunks[i++].data);
    const std::string wanted = animation.frames.empty() ? "IDAT" : "fdAT";
    Bytes data;
    for (; i < chunks.size() && chunks[i].type == wanted; i++) {
      const ptrdiff_t skipped = wanted == "fdAT" ? 4 : 0;
      if (skipped != 0) {
        EXPECT_EQ(number_at(chunks[i].data, 0), sequence++);
      }
      data.insert(data.end(), chunks[i].data.begin() + skipped, chunks[i].data.end());
    }
    EXPECT_FALSE(data.empty());
    EXPECT_GE(frame.width, 1u);
    EXPECT_GE(frame.height, 1u);
    if (uint64_t{frame.x} + frame.width > width || uint64_t{frame.y} + frame.height > height) {
      ADD_FAILURE() << "a rectangle is not inside";
      return animation;
    }
    const Bytes pixels = pixels_of(frame, data);
    for (size_t y = 0; y < frame.height; y++) {
      std::copy_n(pixels.begin() + static_cast<ptrdiff_t>(y * frame.width * 4), frame.width * 4,
                  canvas.begin() + static_cast<ptrdiff_t>(((frame.y + y) * width + frame.x) * 4));
    }
    frame.pixels = canvas;
    animation.frames.push_back(frame);
  }
  EXPECT_EQ(i + 1, chunks.size());
  EXPECT_EQ(chunks.back().type, "IEND");
  EXPECT_EQ(count, animation.frames.size());
  return animation;
}

Bytes noise(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

// --- Frames --------------------------------------------------------------------------------------

TEST(AnimatedPng, EveryFrameComesBack) {
  std::mt19937 random(5);
  const struct {
    uint32_t width, height;
  } kSizes[] = {{1, 1}, {1, 7}, {7, 1}, {16, 9}, {200, 150}};
  for (const auto& size : kSizes) {
    SCOPED_TRACE(size.width);
    AnimatedPng animation(size.width, size.height);
    std::vector<Bytes> frames;
    Bytes frame = noise(size_t{size.width} * size.height * 4, size.width);
    for (int i = 0; i < 40; i++) {
      // Nothing, a pixel, several, or everything.
      const size_t changes = i % 4 == 0 ? 0 : i % 4 == 1 ? 1 : i % 4 == 2 ? 3 : frame.size();
      for (size_t k = 0; k < changes; k++) frame[random() % frame.size()] ^= 1 + random() % 255;
      frames.push_back(frame);
      ASSERT_EQ(animation.add(i * 10, frame), "");
    }
    const Animation read = read_animation(animation.finish({}));
    EXPECT_EQ(read.plays, 0u);
    ASSERT_EQ(read.frames.size(), frames.size());
    for (size_t i = 0; i < frames.size(); i++) {
      ASSERT_TRUE(read.frames[i].pixels == frames[i]) << "frame " << i;
    }
  }
}

TEST(AnimatedPng, OnlyTheChangedRectangleIsStored) {
  Bytes frame(10 * 8 * 4, 255);
  const auto set = [&frame](size_t x, size_t y) { frame[(y * 10 + x) * 4 + 3] ^= 1; };
  AnimatedPng animation(10, 8);
  ASSERT_EQ(animation.add(0, frame), "");
  set(9, 7);
  ASSERT_EQ(animation.add(1, frame), "");
  set(3, 5);
  set(6, 2);
  set(5, 4);
  ASSERT_EQ(animation.add(2, frame), "");
  ASSERT_EQ(animation.add(3, frame), "");
  const Animation read = read_animation(animation.finish({}));
  ASSERT_EQ(read.frames.size(), 4u);
  const auto is = [](const Frame& f, uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
    return f.x == x && f.y == y && f.width == width && f.height == height;
  };
  EXPECT_TRUE(is(read.frames[0], 0, 0, 10, 8));
  EXPECT_TRUE(is(read.frames[1], 9, 7, 1, 1));
  EXPECT_TRUE(is(read.frames[2], 3, 2, 4, 4));
  EXPECT_TRUE(is(read.frames[3], 0, 0, 1, 1)) << "a frame must have a pixel";
}

TEST(AnimatedPng, AProgramWithoutAnimationSeesTheFirstFrame) {
  const Bytes first = noise(5 * 6 * 4, 1), second = noise(5 * 6 * 4, 2);
  AnimatedPng animation(5, 6);
  ASSERT_EQ(animation.add(0, first), "");
  ASSERT_EQ(animation.add(1, second), "");
  const auto image = decode_image(animation.finish({}));
  ASSERT_TRUE(image.ok()) << image.error();
  EXPECT_TRUE(image.value().rgba == first);
}

// --- Times ---------------------------------------------------------------------------------------

using Delay = std::pair<uint32_t, uint32_t>;

std::vector<Delay> delays(const std::vector<int64_t>& times, std::optional<int64_t> end = {}) {
  AnimatedPng animation(1, 1);
  for (const int64_t time : times) EXPECT_EQ(animation.add(time, Bytes(4)), "");
  std::vector<Delay> delays;
  for (const Frame& frame : read_animation(animation.finish(end)).frames) {
    delays.emplace_back(frame.numerator, frame.denominator);
  }
  return delays;
}

TEST(AnimatedPng, AFrameIsShownUntilTheNextOne) {
  EXPECT_EQ(delays({0, 1, 126, 65661}),
            (std::vector<Delay>{{1, 1000}, {125, 1000}, {65535, 1000}, {100, 1000}}));
}

TEST(AnimatedPng, TheLastOneUntilTheEnd) {
  EXPECT_EQ(delays({0, 100}, 350).back(), Delay(250, 1000));
  EXPECT_EQ(delays({0, 100}, 100).back(), Delay(100, 1000));
  EXPECT_EQ(delays({0, 300}, 100).back(), Delay(100, 1000));
  EXPECT_EQ(delays({0}).back(), Delay(100, 1000));
}

TEST(AnimatedPng, LongDelaysAreRoundedToWhatFits) {
  const struct {
    int64_t milliseconds;
    Delay delay;
  } kDelays[] = {{65'535, {65535, 1000}}, {65'536, {6554, 100}},    {655'354, {65535, 100}},
                 {655'355, {6554, 10}},   {655'349, {65535, 100}},  {6'553'549, {65535, 10}},
                 {6'553'550, {6554, 1}},  {65'535'000, {65535, 1}}, {INT64_MAX, {65535, 1}}};
  for (const auto& row : kDelays) {
    EXPECT_EQ(delays({0}, row.milliseconds).back(), row.delay) << row.milliseconds;
  }
}

// --- Bounds --------------------------------------------------------------------------------------

TEST(AnimatedPng, ItDoesNotGrowBeyondItsBound) {
  AnimatedPng animation(32, 32, 10'000);
  ASSERT_EQ(animation.add(0, noise(4096, 0)), "");
  ASSERT_EQ(animation.add(1, noise(4096, 1)), "");
  EXPECT_EQ(animation.add(2, noise(4096, 2)), "the animation is larger than 10000 bytes");
}

}  // namespace
}  // namespace qip
