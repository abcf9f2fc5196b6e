// Tile filters for tests, and how to run them.
//
// Each keeps the contract, unless its name says otherwise, and does something that shows where its
// pixels came from.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "host/tile_block.hpp"
#include "vm/test_modules.hpp"

namespace qip::tile_test {

using namespace vm_test;
using enum Opcode;

inline constexpr uint32_t kPageBytes = 65'536;

inline uint32_t span_of(uint32_t halo) {
  return 64 + 2 * halo;
}

// The buffer lies at 0; what is behind it is free from free_address() on.
inline uint32_t pages_of(uint32_t halo) {
  return (span_of(halo) * span_of(halo) * 16 + kPageBytes - 1) / kPageBytes + 1;
}
inline uint32_t free_address(uint32_t halo) {
  return (pages_of(halo) - 1) * kPageBytes;
}

// Everything but the entry.
inline ModuleBuilder filter_base(uint32_t halo = 0) {
  ModuleBuilder module;
  module.memory(pages_of(halo));
  module.function("input_ptr", ":i", i32(0));
  module.function("input_bytes_cap", ":i", i32(span_of(halo) * span_of(halo) * 16));
  if (halo > 0) module.function("calculate_halo_px", ":i", i32(halo));
  return module;
}

inline ModuleBuilder filter(const Bytes& body, std::string_view locals = "", uint32_t halo = 0) {
  ModuleBuilder module = filter_base(halo);
  module.function("tile_rgba32float_64x64", "ff:", body, locals);
  return module;
}

// Runs `body` for each value of the local from `first` to 0.
inline Bytes counting_down(uint32_t local, uint32_t first, const Bytes& body) {
  return code(i32(first), set(local),
              loop(code(body, get(local), i32(1), I32Sub, tee(local), i32(0), I32GeS, br_if(0))));
}

inline ModuleBuilder nothing() {
  return filter({});
}

// R, G and B become 1 - x.
inline ModuleBuilder inverting() {
  const auto channel = [](uint32_t offset) {
    return code(get(2), i32(16), I32Mul, f32(1.0f), get(2), i32(16), I32Mul,
                access(F32Load, offset), F32Sub, access(F32Store, offset));
  };
  return filter(counting_down(2, 4095, code(channel(0), channel(4), channel(8))), "i");
}

// The pixel at (x, y) becomes the one at (x - halo, y - halo).
inline ModuleBuilder shifting(uint32_t halo) {
  const uint32_t span = span_of(halo);
  const Bytes copy_row =
      code(get(2), i32(halo), I32Add, i32(span), I32Mul, i32(halo), I32Add, i32(16), I32Mul, get(2),
           i32(span * 16), I32Mul, i32(64 * 16), memory_copy());
  return filter(counting_down(2, 63, copy_row), "i", halo);
}

// Each tile upside down: what lies beyond a partial tile comes into view.
inline ModuleBuilder turning() {
  const auto row = [](const Bytes& index) { return code(index, i32(1024), I32Mul); };
  const Bytes mirror = code(i32(63), get(2), I32Sub);
  const uint32_t spare = free_address(0);
  const Bytes exchange =
      code(i32(spare), row(get(2)), i32(1024), memory_copy(), row(get(2)), row(mirror), i32(1024),
           memory_copy(), row(mirror), i32(spare), i32(1024), memory_copy());
  return filter(counting_down(2, 31, exchange), "i");
}

// R, G and B of the first pixel become the tile's x, y and the number of the call, all divided by
// 255. The number is kept in a global and in memory, which have to agree.
inline ModuleBuilder counting() {
  const uint32_t place = free_address(0) + 40'000;
  ModuleBuilder module = filter_base();
  module.global("", 'i', true, i32(0));
  const Bytes scaled = code(f32(255.0f), F32Div);
  module.function(
      "tile_rgba32float_64x64", "ff:",
      code(global_get(0), i32(place), access(I32Load), I32Ne, if_then(code(Unreachable)), i32(0),
           get(0), scaled, access(F32Store), i32(0), get(1), scaled, access(F32Store, 4), i32(0),
           global_get(0), F32ConvertI32U, scaled, access(F32Store, 8), global_get(0), i32(1),
           I32Add, global_set(0), i32(place), global_get(0), access(I32Store)));
  return module;
}

// Traps in the tile at (x, y).
inline ModuleBuilder trapping_at(float x, float y) {
  return filter(
      code(get(0), f32(x), F32Eq, get(1), f32(y), F32Eq, I32And, if_then(code(Unreachable))));
}

// --- Running -------------------------------------------------------------------------------------

inline Stage stage_of(const ModuleBuilder& module, std::string path = "filter.wasm",
                      const RunLimits& limits = {}) {
  Result<Component, HostError> component = load_component(std::move(path), module.bytes(), limits);
  EXPECT_TRUE(component.ok()) << component.error().message;
  return {std::move(component.value()), {}};
}

inline std::vector<Stage> stages_of(const std::vector<ModuleBuilder>& modules,
                                    const RunLimits& limits = {}) {
  std::vector<Stage> stages;
  for (size_t i = 0; i < modules.size(); i++) {
    stages.push_back(stage_of(modules[i], "filter" + std::to_string(i + 1) + ".wasm", limits));
  }
  return stages;
}

inline Image noise(uint32_t width, uint32_t height, uint32_t seed = 1) {
  std::mt19937 random(seed);
  Image image{width, height, std::vector<uint8_t>(size_t{4} * width * height)};
  for (uint8_t& byte : image.rgba) byte = static_cast<uint8_t>(random());
  return image;
}

// The error, or nothing; `image` is changed.
inline std::string run(const std::vector<ModuleBuilder>& modules, Image& image,
                       const TileBlockOptions& options = {}, const RunLimits& limits = {}) {
  const std::vector<Stage> stages = stages_of(modules, limits);
  if (MaybeError failure = check_tile_stages(stages)) return failure->message;
  MaybeError failure = run_tile_block(stages, image, limits, options);
  return failure ? failure->message : "";
}

inline Image filtered(const std::vector<ModuleBuilder>& modules, Image image,
                      const TileBlockOptions& options = {}) {
  EXPECT_EQ(run(modules, image, options), "");
  return image;
}

inline bool operator==(const Image& left, const Image& right) {
  return left.width == right.width && left.height == right.height && left.rgba == right.rgba;
}

}  // namespace qip::tile_test
