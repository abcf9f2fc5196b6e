// Blocks of tile filters against a naive reference, on every number of threads; the order of
// preparation and of tiles; and which error comes when several could.
#include "host/tile_block.hpp"

#include <gtest/gtest.h>

#include "host/test_filters.hpp"
#include "host/tile_plane.hpp"

namespace qip {
namespace {

using namespace tile_test;

// --- Reference -----------------------------------------------------------------------------------

struct Pixel {
  uint8_t channels[4];
  bool operator==(const Pixel&) const = default;
};
constexpr Pixel kZero = {};

// One filter at a time, one pixel at a time, on bytes: the filters here only move pixels or invert
// them, and neither loses anything in floats.
class Reference {
 public:
  explicit Reference(Image image) : image_(std::move(image)) {}

  const Image& image() const { return image_; }

  Reference& invert() {
    for (size_t i = 0; i < image_.rgba.size(); i++) {
      if (i % 4 != 3) image_.rgba[i] = static_cast<uint8_t>(255 - image_.rgba[i]);
    }
    return *this;
  }
  Reference& shift(int halo) {
    return map([&](int x, int y) { return nearest(x - halo, y - halo); });
  }
  Reference& turn(Outside outside) {
    return map([&](int x, int y) {
      const int from = y / 64 * 64 + 63 - y % 64;
      return from < height() || outside == Outside::Nearest ? nearest(x, from) : kZero;
    });
  }

 private:
  int width() const { return static_cast<int>(image_.width); }
  int height() const { return static_cast<int>(image_.height); }

  Pixel nearest(int x, int y) const {
    x = std::clamp(x, 0, width() - 1);
    y = std::clamp(y, 0, height() - 1);
    Pixel pixel;
    std::copy_n(image_.rgba.begin() + 4 * (y * width() + x), 4, pixel.channels);
    return pixel;
  }
  template <class Source>
  Reference& map(const Source& source) {
    Image result = image_;
    for (int y = 0; y < height(); y++) {
      for (int x = 0; x < width(); x++) {
        const Pixel pixel = source(x, y);
        std::copy_n(pixel.channels, 4, result.rgba.begin() + 4 * (y * width() + x));
      }
    }
    image_ = std::move(result);
    return *this;
  }

  Image image_;
};

const std::vector<std::pair<uint32_t, uint32_t>> kSizes = {
    {1, 1},   {1, 200},  {200, 1},   {63, 65},   {64, 64},   {65, 64},  {64, 65},
    {128, 7}, {130, 70}, {192, 192}, {193, 129}, {300, 300}, {17, 299}, {1030, 200}};

// Sequentially and on several threads.
void expect_image(const std::vector<ModuleBuilder>& modules, const Image& input,
                  const Image& expected) {
  const auto what = ::testing::Message() << input.width << " x " << input.height;
  for (const unsigned threads : {1u, 2u, 7u}) {
    EXPECT_TRUE(filtered(modules, input, {.threads = threads}) == expected)
        << what << " on " << threads << " threads";
  }
  EXPECT_TRUE(filtered(modules, input, {.sequential = true}) == expected) << what;
}

TEST(TileBlock, OneFilterWithoutHalo) {
  for (const auto& [width, height] : kSizes) {
    const Image image = noise(width, height);
    expect_image({nothing()}, image, image);
    expect_image({inverting()}, image, Reference(image).invert().image());
  }
}

TEST(TileBlock, WithoutAnyHaloThereIsNothingBeyondTheImage) {
  for (const auto& [width, height] : kSizes) {
    const Image image = noise(width, height);
    expect_image({turning()}, image, Reference(image).turn(Outside::Zero).image());
    // The second filter finds what the first one left there.
    expect_image({turning(), turning()}, image, image);
    expect_image({inverting(), inverting()}, image, image);
  }
}

TEST(TileBlock, AHaloIsTheNearestPixelBeyondTheImage) {
  for (const uint32_t halo : {1u, 6u, 64u, 100u}) {
    for (const auto& [width, height] : kSizes) {
      const Image image = noise(width, height);
      expect_image({shifting(halo)}, image, Reference(image).shift(static_cast<int>(halo)).image());
    }
  }
}

TEST(TileBlock, ChainsWithHalosFillWhatLiesBeyondForEveryFilter) {
  for (const auto& [width, height] : kSizes) {
    const Image image = noise(width, height);
    expect_image({turning(), shifting(3)}, image,
                 Reference(image).turn(Outside::Nearest).shift(3).image());
    expect_image({shifting(3), turning()}, image,
                 Reference(image).shift(3).turn(Outside::Nearest).image());
    expect_image(
        {shifting(3), turning(), inverting(), turning()}, image,
        Reference(image).shift(3).turn(Outside::Nearest).invert().turn(Outside::Nearest).image());
    expect_image({shifting(2), shifting(70)}, image, Reference(image).shift(2).shift(70).image());
    expect_image({inverting(), shifting(2), inverting(), shifting(5), shifting(1), turning()},
                 image,
                 Reference(image)
                     .invert()
                     .shift(2)
                     .invert()
                     .shift(5)
                     .shift(1)
                     .turn(Outside::Nearest)
                     .image());
  }
}

// --- State and order -----------------------------------------------------------------------------

uint32_t tiles(uint32_t pixels) {
  return (pixels + 63) / 64;
}

// What counting() leaves in an image of zeros, if `restart` says at which rows of tiles a band
// begins.
Image counted(uint32_t width, uint32_t height, uint32_t rows_per_band) {
  Image image{width, height, std::vector<uint8_t>(size_t{4} * width * height)};
  uint32_t number = 0;
  for (uint32_t row = 0; row < tiles(height); row++) {
    if (row % rows_per_band == 0) number = 0;
    for (uint32_t column = 0; column < tiles(width); column++) {
      uint8_t* pixel = &image.rgba[4 * (size_t{row} * 64 * width + column * 64)];
      pixel[0] = static_cast<uint8_t>(std::min(column * 64, 255u));
      pixel[1] = static_cast<uint8_t>(std::min(row * 64, 255u));
      pixel[2] = static_cast<uint8_t>(std::min(number++, 255u));
    }
  }
  return image;
}

Image zeros(uint32_t width, uint32_t height) {
  return {width, height, std::vector<uint8_t>(size_t{4} * width * height)};
}

TEST(TileBlock, TilesRunRowByRowFromTheTopLeft) {
  const Image result = filtered({counting()}, zeros(130, 70), {.sequential = true});
  EXPECT_TRUE(result == counted(130, 70, 2));
  const auto pixel = [&result](uint32_t x, uint32_t y) {
    const uint8_t* channels = &result.rgba[4 * (y * 130 + x)];
    return std::vector<int>{channels[0], channels[1], channels[2]};
  };
  EXPECT_EQ(pixel(0, 0), (std::vector<int>{0, 0, 0}));
  EXPECT_EQ(pixel(64, 0), (std::vector<int>{64, 0, 1}));
  EXPECT_EQ(pixel(128, 0), (std::vector<int>{128, 0, 2}));
  EXPECT_EQ(pixel(0, 64), (std::vector<int>{0, 64, 3}));
  EXPECT_EQ(pixel(128, 64), (std::vector<int>{128, 64, 5}));
}

// Bands: whole rows of tiles, as many as make kMinTilesPerBand, whatever the number of threads.
TEST(TileBlock, StateBeginsAnewWithEveryBand) {
  for (const auto& [width, height] : std::vector<std::pair<uint32_t, uint32_t>>{
           {130, 70}, {64, 5000}, {1024, 640}, {5000, 200}}) {
    const uint32_t rows = (kMinTilesPerBand + tiles(width) - 1) / tiles(width);
    for (const unsigned threads : {1u, 2u, 7u}) {
      EXPECT_TRUE(filtered({counting()}, zeros(width, height), {.threads = threads}) ==
                  counted(width, height, rows))
          << width << " x " << height << " on " << threads << " threads";
    }
    EXPECT_TRUE(filtered({counting()}, zeros(width, height), {.sequential = true}) ==
                counted(width, height, tiles(height)));
  }
}

TEST(TileBlock, StateOfEveryFilterOfAChainBeginsAnew) {
  const Image expected = counted(1024, 640, 1);
  for (const unsigned threads : {1u, 2u, 7u}) {
    EXPECT_TRUE(filtered({counting(), counting()}, zeros(1024, 640), {.threads = threads}) ==
                expected);
  }
}

// With halos a filter sees all its tiles before the next one sees any: the state is its own.
TEST(TileBlock, StateInPassesIsTheSameOnEveryNumberOfThreads) {
  const std::vector<ModuleBuilder> chain = {counting(), shifting(1), counting(), shifting(2),
                                            counting()};
  const Image image = noise(700, 900);
  const Image expected = filtered(chain, image, {.threads = 1});
  for (const unsigned threads : {2u, 3u, 7u}) {
    EXPECT_TRUE(filtered(chain, image, {.threads = threads}) == expected);
  }
}

// A memory that has grown cannot be put back; the filter is prepared afresh instead.
TEST(TileBlock, GrownMemoryDoesNotReachTheNextBand) {
  ModuleBuilder growing = filter_base();
  growing.global("", 'i', true, i32(0));
  growing.function("tile_rgba32float_64x64", "ff:",
                   code(i32(0), memory_size(), i32(2), I32Sub, F32ConvertI32U, f32(255.0f), F32Div,
                        access(F32Store, 8), i32(1), memory_grow(), Drop));
  for (const unsigned threads : {1u, 2u}) {
    const Image result = filtered({growing}, zeros(1024, 192), {.threads = threads});
    for (uint32_t row = 0; row < 3; row++) {
      for (uint32_t column = 0; column < 16; column++) {
        EXPECT_EQ(result.rgba[4 * (row * 64 * 1024 + column * 64) + 2], column);
      }
    }
  }
}

// Too much memory for a snapshot: prepared afresh for each band.
TEST(TileBlock, FiltersWithMuchMemoryBeginAnewToo) {
  ModuleBuilder large;
  large.memory(1'100);
  large.function("input_ptr", ":i", i32(0));
  large.function("input_bytes_cap", ":i", i32(65'536));
  large.function(
      "tile_rgba32float_64x64", "ff:",
      code(i32(8), i32(70'000'000), access(F32Load), access(F32Store), i32(70'000'000),
           i32(70'000'000), access(F32Load), f32(1.0f / 255.0f), F32Add, access(F32Store)));
  const Image result = filtered({large}, zeros(1024, 192), {.threads = 2});
  for (uint32_t row = 0; row < 3; row++) {
    EXPECT_EQ(result.rgba[4 * (row * 64 * 1024) + 2], 0);
    EXPECT_EQ(result.rgba[4 * (row * 64 * 1024 + 15 * 64) + 2], 15);
  }
}

// --- Preparation ---------------------------------------------------------------------------------

// Digits are appended to a number, in the order of the calls: 1 a uniform, 2 the value exports, 3
// the size, 4 the halo. The first pixel shows the number as it was at the first tile.
ModuleBuilder recording() {
  const auto note = [](uint32_t digit) {
    return code(global_get(0), i32(10), I32Mul, i32(digit), I32Add, global_set(0));
  };
  ModuleBuilder module;
  module.memory(2);
  module.global("", 'i', true, i32(0));
  module.global("", 'i', true, i32(0));
  module.function("uniform_set_a", "f:", note(1));
  module.function("input_ptr", ":i", code(note(2), i32(0)));
  module.function("input_bytes_cap", ":i", code(note(2), i32(65'536)));
  module.function("uniform_set_width_and_height", "ff:f",
                  code(note(3), get(0), I32TruncF32U, i32(1'000), I32Mul, get(1), I32TruncF32U,
                       I32Add, global_set(1), f32(0.0f)));
  module.function("calculate_halo_px", ":i", code(note(4), i32(static_cast<uint32_t>(-3))));
  module.function("tile_rgba32float_64x64", "ff:i",
                  code(global_get(0), i32(12'234), I32Ne, global_get(1), i32(70'040), I32Ne, I32Or,
                       if_then(code(Unreachable)), i32(0)));
  return module;
}

TEST(TileBlock, PreparationIsUniformsThenExportsThenSizeThenHalo) {
  std::vector<Stage> stages = stages_of({recording(), recording()});
  for (Stage& stage : stages) stage.uniforms = {{"a", "1"}};
  Image image = noise(70, 40);
  const Image before = image;
  const MaybeError failure = run_tile_block(stages, image, {});
  EXPECT_FALSE(failure) << failure->message;
  EXPECT_TRUE(image == before);
}

TEST(TileBlock, EveryFilterIsBoundBeforeTheFirstOneLearnsTheSize) {
  ModuleBuilder first = filter_base();
  first.function("uniform_set_width_and_height", "ff:", code(Unreachable));
  first.function("tile_rgba32float_64x64", "ff:", {});
  ModuleBuilder second;
  second.memory(1);
  second.function("input_ptr", ":i", code(Unreachable));
  second.function("input_bytes_cap", ":i", i32(65'536));
  second.function("tile_rgba32float_64x64", "ff:", {});
  Image image = noise(4, 4);
  EXPECT_NE(run({first, second}, image).find("filter2.wasm: input_ptr() call failed: "),
            std::string::npos);
  EXPECT_NE(run({first, nothing()}, image)
                .find("filter1.wasm: Error running uniform_set_width_and_height: wasm error: "
                      "unreachable"),
            std::string::npos);
}

TEST(TileBlock, NoTileRunsBeforeEveryFilterIsPrepared) {
  ModuleBuilder second = filter_base();
  second.function("calculate_halo_px", ":i", code(Unreachable));
  second.function("tile_rgba32float_64x64", "ff:", {});
  Image image = noise(4, 4);
  EXPECT_NE(run({trapping_at(0, 0), second}, image)
                .find("filter2.wasm: Error running calculate_halo_px: wasm error: unreachable"),
            std::string::npos);
}

// --- Errors --------------------------------------------------------------------------------------

TEST(TileBlock, AnErrorNamesTheFilterAndTheTile) {
  Image image = noise(200, 200);
  EXPECT_EQ(run({nothing(), trapping_at(64, 128)}, image),
            "filter2.wasm: Error running tile_rgba32float_64x64: wasm error: unreachable in "
            "function 2 \"tile_rgba32float_64x64\" at byte 138 at tile (64, 128)");
}

// The filter is told where the square begins, the user where the tile does.
TEST(TileBlock, AnErrorWithAHaloNamesTheTileItself) {
  ModuleBuilder module = filter_base(5);
  module.function(
      "tile_rgba32float_64x64", "ff:",
      code(get(0), f32(64 - 5), F32Eq, get(1), f32(-5), F32Eq, I32And, if_then(code(Unreachable))));
  Image image = noise(200, 200);
  EXPECT_TRUE(run({module}, image).ends_with(" at tile (64, 0)"));
}

TEST(TileBlock, TheFirstFailureIsReportedOnEveryNumberOfThreads) {
  // Every tile but the first few of each band fails; a band is a row here.
  const ModuleBuilder failing = filter(code(get(0), f32(640), F32Ge, if_then(code(Unreachable))));
  for (int round = 0; round < 20; round++) {
    for (const unsigned threads : {1u, 2u, 7u}) {
      Image image = noise(1024, 1024);
      EXPECT_TRUE(run({failing}, image, {.threads = threads}).ends_with(" at tile (640, 0)"));
      Image late = noise(1024, 1024);
      EXPECT_TRUE(run({trapping_at(64, 320), trapping_at(0, 512)}, late, {.threads = threads})
                      .ends_with(" at tile (64, 320)"));
    }
  }
}

// Passes overlap; which of several errors comes first does not depend on how.
TEST(TileBlock, ErrorsOfSeveralPassesAreTheSameOnEveryNumberOfThreads) {
  for (int round = 0; round < 10; round++) {
    for (const unsigned threads : {1u, 2u, 7u}) {
      Image image = noise(1024, 512);
      EXPECT_TRUE(run({trapping_at(0, 256), shifting(2), trapping_at(0, 64), shifting(1),
                       trapping_at(128, 128)},
                      image, {.threads = threads})
                      .starts_with("filter3.wasm: "));
      Image other = noise(1024, 512);
      EXPECT_TRUE(
          run({trapping_at(0, 256), shifting(2), trapping_at(0, 256)}, other, {.threads = threads})
              .starts_with("filter1.wasm: "));
    }
  }
}

ModuleBuilder endless_at(float x, float y) {
  return filter(code(get(0), f32(x), F32Eq, get(1), f32(y), F32Eq, I32And, if_then(loop(br(0)))));
}

TEST(TileBlock, ARunawayFilterIsStoppedWithItsTile) {
  RunLimits limits;
  limits.time = std::chrono::milliseconds(50);
  for (const unsigned threads : {1u, 2u}) {
    Image image = noise(1024, 300);
    EXPECT_EQ(run({nothing(), endless_at(128, 192)}, image, {.threads = threads}, limits),
              "filter2.wasm: Wasm module exceeded the execution time limit (50ms) at tile (128, "
              "192)");
  }
}

TEST(TileBlock, PreparationHasTheTimeLimitToo) {
  RunLimits limits;
  limits.time = std::chrono::milliseconds(50);
  ModuleBuilder module = filter_base();
  module.function("uniform_set_width_and_height", "ff:", loop(br(0)));
  module.function("tile_rgba32float_64x64", "ff:", {});
  Image image = noise(4, 4);
  EXPECT_EQ(run({module}, image, {}, limits),
            "filter1.wasm: Wasm module exceeded the execution time limit (50ms)");
}

// Each tile uses most of the fuel; all of them together many times as much.
TEST(TileBlock, FuelCountsAfreshForEveryTile) {
  const ModuleBuilder busy =
      filter(code(i32(1'000), set(2), loop(code(get(2), i32(1), I32Sub, tee(2), br_if(0)))), "i");
  RunLimits limits;
  limits.fuel = 10'000;
  for (const unsigned threads : {1u, 2u, 7u}) {
    Image image = noise(1024, 300);
    EXPECT_EQ(run({busy, busy}, image, {.threads = threads}, limits), "");
  }
  limits.fuel = 1'000;
  for (const unsigned threads : {1u, 2u, 7u}) {
    Image image = noise(1024, 300);
    const std::string failure = run({busy}, image, {.threads = threads}, limits);
    EXPECT_NE(failure.find("fuel"), std::string::npos) << failure;
    EXPECT_TRUE(failure.ends_with(" at tile (0, 0)")) << failure;
  }
}

// --- Progress and times --------------------------------------------------------------------------

uint64_t last_done, last_total;

TEST(TileBlock, ProgressAndTimesAreTold) {
  const ModuleBuilder slow = filter(
      code(i32(2'000'000), set(2), loop(code(get(2), i32(1), I32Sub, tee(2), br_if(0)))), "i");
  TileTimes times;
  TileBlockOptions options;
  options.threads = 2;
  options.times = &times;
  options.on_progress = [](uint64_t done, uint64_t total) {
    EXPECT_GT(done, 0u);
    EXPECT_LE(done, total);
    last_done = std::max(last_done, done);
    last_total = total;
  };
  Image image = noise(2'000, 1'000);
  EXPECT_EQ(run({slow, shifting(1)}, image, options), "");
  EXPECT_EQ(last_total, 2u * 32 * 16);
  EXPECT_GT(times.filters.count(), 0);
  EXPECT_GE(times.total, times.filters);
}

}  // namespace
}  // namespace qip
