// The Tile contract against hostile filters: every export missing, of every other kind and type,
// and with numbers that would wrap.
#include "host/tile.hpp"

#include <gtest/gtest.h>

#include "host/test_filters.hpp"

namespace qip {
namespace {

using namespace tile_test;

constexpr const char* kEntry = "tile_rgba32float_64x64";
constexpr const char* kOldEntry = "tile_rgba_f32_64x64";

// What can be exported; each test changes one of them.
struct Parts {
  std::string entry = kEntry;
  std::string entry_signature = "ff:";
  bool has_memory = true;
  uint32_t pages = 2;
  std::optional<Bytes> pointer = i32(0);
  std::optional<Bytes> capacity = i32(65'536);
  std::optional<Bytes> halo = std::nullopt;
  std::string size_signature{};  // of the hook; empty: it is not exported

  ModuleBuilder module() const {
    ModuleBuilder module;
    module.memory(pages, {}, has_memory ? "memory" : "memori");
    if (pointer) module.function("input_ptr", ":i", *pointer);
    if (capacity) module.function("input_bytes_cap", ":i", *capacity);
    if (halo) module.function("calculate_halo_px", ":i", *halo);
    const auto results = [](const std::string& signature) {
      Bytes body;
      for (const char letter : signature.substr(signature.find(':') + 1)) {
        body = code(body, letter == 'i' ? i32(0) : letter == 'f' ? f32(0) : i64(0));
      }
      return body;
    };
    if (!size_signature.empty()) {
      module.function("uniform_set_width_and_height", size_signature, results(size_signature));
    }
    if (!entry.empty()) module.function(entry, entry_signature, results(entry_signature));
    return module;
  }
  // The error of a run over one pixel, without the path; empty: it went well.
  std::string problem() const {
    Image image = noise(1, 1);
    const Image before = image;
    std::string failure = run({module()}, image);
    constexpr std::string_view kPath = "filter1.wasm: ";
    if (failure.empty()) {
      EXPECT_TRUE(image == before);
    } else {
      EXPECT_TRUE(failure.starts_with(kPath)) << failure;
      failure.erase(0, kPath.size());
    }
    return failure;
  }
};

TEST(Tile, BothNamesOfTheEntryAreKnown) {
  EXPECT_EQ(Parts{}.problem(), "");
  EXPECT_EQ(Parts{.entry = kOldEntry}.problem(), "");
  EXPECT_EQ(Parts{.entry = ""}.problem(),
            "Wasm module must export tile_rgba_f32_64x64 or tile_rgba32float_64x64");
}

TEST(Tile, TheNewerNameIsPreferred) {
  ModuleBuilder module = filter_base();
  module.function(kOldEntry, "ff:", code(Unreachable));
  module.function(kEntry, "ff:", {});
  Image image = noise(4, 4);
  EXPECT_EQ(run({module}, image), "");
}

TEST(Tile, ResultsOfTheEntryAreIgnored) {
  for (const char* signature : {"ff:", "ff:i", "ff:f", "ff:ifl"}) {
    EXPECT_EQ(Parts{.entry_signature = signature}.problem(), "") << signature;
  }
}

TEST(Tile, ParametersOfTheEntryAreTwoFloats) {
  EXPECT_EQ(Parts{.entry_signature = ":"}.problem(),
            "Wasm module must export tile_rgba32float_64x64(f32, f32), not "
            "tile_rgba32float_64x64() -> ()");
  for (const char* signature : {"f:", "fff:", "ii:", "fd:", "df:"}) {
    EXPECT_TRUE(Parts{.entry_signature = signature}.problem().starts_with(
        "Wasm module must export tile_rgba32float_64x64(f32, f32), not "))
        << signature;
  }
}

TEST(Tile, MissingExportsAreNamed) {
  EXPECT_EQ(Parts{.pointer = std::nullopt}.problem(),
            "Wasm module must export input_ptr as global or function");
  EXPECT_EQ(Parts{.capacity = std::nullopt}.problem(),
            "Wasm module must export input_bytes_cap as global or function");
  EXPECT_EQ(Parts{.has_memory = false}.problem(), "Wasm module must export memory");
}

TEST(Tile, TheCapacityOfTextDoesNotCount) {
  ModuleBuilder module;
  module.memory(1);
  module.function("input_ptr", ":i", i32(0));
  module.function("input_utf8_cap", ":i", i32(65'536));
  module.function(kEntry, "ff:", {});
  Image image = noise(1, 1);
  EXPECT_EQ(run({module}, image),
            "filter1.wasm: Wasm module must export input_bytes_cap as global or function");
}

TEST(Tile, ValuesMayBeGlobals) {
  ModuleBuilder module;
  module.memory(1);
  module.global("input_ptr", 'i', false, i32(0));
  module.global("input_bytes_cap", 'i', true, i32(65'536));
  module.function(kEntry, "ff:", {});
  Image image = noise(1, 1);
  EXPECT_EQ(run({module}, image), "");
}

TEST(Tile, ImportsAreRefused) {
  ModuleBuilder module;
  module.import_function("i:i");
  Image image = noise(1, 1);
  EXPECT_NE(run({module}, image).find("could not be instantiated"), std::string::npos);
}

TEST(Tile, CapacityMustHoldATile) {
  for (const uint32_t capacity : {0u, 1u, 65'535u}) {
    EXPECT_EQ(Parts{.capacity = i32(capacity)}.problem(),
              "Tile buffer exceeds module input_bytes_cap");
  }
  EXPECT_EQ(Parts{.capacity = i32(65'536)}.problem(), "");
  EXPECT_EQ(Parts{.capacity = i32(0xFFFF'FFFF)}.problem(), "");
}

TEST(Tile, CapacityMustHoldTheHalo) {
  const uint32_t needed = 76 * 76 * 16;
  EXPECT_EQ(needed, 92'416u);
  EXPECT_EQ((Parts{.capacity = i32(needed - 1), .halo = i32(6)}).problem(),
            "Tile buffer exceeds module input_bytes_cap");
  EXPECT_EQ((Parts{.capacity = i32(needed), .halo = i32(6)}).problem(), "");
}

// Sizes of spans are squares: each of these wraps somewhere below 64 bits.
TEST(Tile, NoHaloWraps) {
  for (const uint32_t halo : {8'159u, 8'160u, 8'161u, 0x7FE0u, 0x7FFF'FFE0u, 0x7FFF'FFFFu,
                              0x1FFF'FFE0u, 0x3FFF'FFFFu, 0x00FF'FFE0u}) {
    const std::string problem = Parts{.capacity = i32(0xFFFF'FFFF), .halo = i32(halo)}.problem();
    EXPECT_EQ(problem, halo == 8'159 ? "Could not write tile to wasm memory"
                                     : "Tile buffer exceeds module input_bytes_cap")
        << halo;
  }
}

TEST(Tile, ANegativeHaloIsNone) {
  for (const uint32_t halo : {0xFFFF'FFFDu, 0x8000'0000u, 0u}) {
    EXPECT_EQ(Parts{.halo = i32(halo)}.problem(), "") << halo;
  }
}

TEST(Tile, TheBufferLiesInsideTheMemory) {
  EXPECT_EQ((Parts{.pages = 2, .pointer = i32(65'536)}).problem(), "");
  for (const uint32_t pointer :
       {65'537u, 131'072u, 131'073u, 0x7FFF'FFFFu, 0xFFFF'0000u, 0xFFFF'FFFFu}) {
    EXPECT_EQ((Parts{.pages = 2, .pointer = i32(pointer)}).problem(),
              "Could not write tile to wasm memory")
        << pointer;
  }
  EXPECT_EQ((Parts{.pages = 0}).problem(), "Could not write tile to wasm memory");
}

TEST(Tile, ABufferNeedsNoAlignment) {
  for (uint32_t pointer = 0; pointer < 16; pointer++) {
    EXPECT_EQ(Parts{.pointer = i32(pointer)}.problem(), "") << pointer;
  }
}

TEST(Tile, MemoryMayGrowUntilTheTilesBegin) {
  ModuleBuilder module;
  module.memory(0);
  module.function("input_ptr", ":i", i32(0));
  module.function("input_bytes_cap", ":i", i32(65'536));
  module.function("calculate_halo_px", ":i", code(i32(1), memory_grow()));
  module.function(kEntry, "ff:", {});
  Image image = noise(1, 1);
  EXPECT_EQ(run({module}, image), "");
}

TEST(Tile, TheHaloIsAFunctionOfItsType) {
  ModuleBuilder with_global = filter_base();
  with_global.global("calculate_halo_px", 'i', false, i32(3));
  with_global.function(kEntry, "ff:", {});
  Image image = noise(1, 1);
  EXPECT_EQ(run({with_global}, image), "");  // a global is no halo
  for (const auto& [signature, body] : std::vector<std::pair<std::string, Bytes>>{
           {":", {}}, {":l", i64(0)}, {"i:i", get(0)}, {":ii", code(i32(0), i32(0))}}) {
    ModuleBuilder module = filter_base();
    module.function("calculate_halo_px", signature, body);
    module.function(kEntry, "ff:", {});
    EXPECT_TRUE(run({module}, image)
                    .starts_with(
                        "filter1.wasm: Wasm module must export calculate_halo_px() -> (i32), not "))
        << signature;
  }
}

TEST(Tile, TheSizeHookTakesTwoFloatsAndGivesAnything) {
  for (const char* signature : {"ff:", "ff:f", "ff:il"}) {
    EXPECT_EQ(Parts{.size_signature = signature}.problem(), "") << signature;
  }
  for (const char* signature : {":", "f:", "ii:", "fff:"}) {
    EXPECT_TRUE(Parts{.size_signature = signature}.problem().starts_with(
        "Wasm module must export uniform_set_width_and_height(f32, f32), not "))
        << signature;
  }
}

TEST(Tile, PointerAndCapacityAreReadOnce) {
  ModuleBuilder module;
  module.memory(1);
  module.global("", 'i', true, i32(0));
  const Bytes once = code(global_get(0), if_then(code(Unreachable)), i32(1), global_set(0));
  module.function("input_ptr", ":i", code(once, i32(0)));
  module.function("input_bytes_cap", ":i", i32(65'536));
  module.function(kEntry, "ff:", {});
  Image image = noise(200, 200);
  EXPECT_EQ(run({module}, image), "");
}

TEST(Tile, CoordinatesOfTheSquareAreBelowZeroWithAHalo) {
  ModuleBuilder module = filter_base(6);
  module.function(
      kEntry, "ff:",
      code(get(0), f32(-6), F32Ne, get(1), f32(-6), F32Ne, I32Or, if_then(code(Unreachable))));
  Image image = noise(5, 5);
  EXPECT_EQ(run({module}, image), "");
}

}  // namespace
}  // namespace qip
