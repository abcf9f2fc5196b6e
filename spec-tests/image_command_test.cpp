// Image filters through the built command: rows 72 to 81 of the acceptance table byte for byte, and
// what `qip image` and mixed chains of `qip run` promise besides.
#include <set>

#include "spec-tests/component_folder.hpp"
#include "spec-tests/pictures.hpp"

namespace qip {
namespace {

using namespace pictures;

// --- Filters -------------------------------------------------------------------------------------

namespace filters {

using namespace wat;

const std::string kEntry = "tile_rgba32float_64x64";

// Everything of a filter but its entry. The buffer lies at 0.
std::string filter_base(uint32_t capacity = 65536, int halo = 0) {
  const std::string pages = std::to_string(capacity / 65536 + 2);
  return "(memory (export \"memory\") " + pages + " " + pages + ")" + value("input_ptr", 0) +
         value("input_bytes_cap", capacity) + (halo != 0 ? value("calculate_halo_px", halo) : "");
}

std::string tile(const std::string& body, const std::string& name = kEntry) {
  return "(func (export \"" + name + "\") (param $x f32) (param $y f32) " + body + ")";
}

std::string filter(const std::string& body) {
  return module(filter_base() + tile(body));
}

// A loop over the pixels of a tile without halo, with their address in $at.
std::string each_pixel(const std::string& body) {
  return "(local $at i32) (loop $next " + body +
         "(br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16)))"
         " (i32.const 65536))))";
}

std::string invert_channel(int offset) {
  const std::string where = "offset=" + std::to_string(offset);
  return "(f32.store " + where + " (local.get $at) (f32.sub (f32.const 1) (f32.load " + where +
         " (local.get $at))))";
}

std::string inverting(const std::string& name = kEntry) {
  return module(filter_base() +
                tile(each_pixel(invert_channel(0) + invert_channel(4) + invert_channel(8)), name));
}

// x, y and the number of the call into the first pixel, divided by 255.
std::string counting() {
  const auto store = [](int offset, const std::string& number) {
    return "(f32.store offset=" + std::to_string(offset) + " (i32.const 0) (f32.div " + number +
           " (f32.const 255)))";
  };
  return module("(global $calls (mut i32) (i32.const 0))" + filter_base() +
                tile(store(0, "(local.get $x)") + store(4, "(local.get $y)") +
                     store(8, "(f32.convert_i32_u (global.get $calls))") +
                     "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))"));
}

// The pixel at (x, y) becomes the one at (x - 1, y - 1), clamped.
std::string shifting() {
  const std::string span = "(i32.const 66)";
  return module(filter_base(66 * 66 * 16, 1) +
                tile("(local $row i32) (local.set $row (i32.const 63)) (loop $next (memory.copy"
                     " (i32.add (i32.mul (i32.add (local.get $row) (i32.const 1)) (i32.const "
                     "1056)) (i32.const 16))"
                     " (i32.mul (local.get $row) (i32.const 1056)) (i32.const 1024))"
                     " (local.set $row (i32.sub (local.get $row) (i32.const 1)))"
                     " (br_if $next (i32.ge_s (local.get $row) (i32.const 0))))"));
}

std::string at_tile(int x, int y, const std::string& body) {
  return "(if (i32.and (f32.eq (local.get $x) (f32.const " + std::to_string(x) +
         ")) (f32.eq (local.get $y) (f32.const " + std::to_string(y) + "))) (then " + body + "))";
}

}  // namespace filters

const ComponentFolder& folder() {
  static const ComponentFolder made("qip-image");
  return made;
}

std::string build(const std::string& name, const std::string& text) {
  return folder().build(name, text);
}
std::string inverting() {
  return build("Minv", filters::inverting());
}
std::string nothing() {
  return build("Mtile0", filters::filter(""));
}
std::string shipped(const std::string& name) {
  return std::filesystem::absolute("modules/" + name + ".wasm").string();
}

Pixel inverted(Pixel pixel) {
  const auto other = [](uint8_t channel) { return static_cast<uint8_t>(255 - channel); };
  return {other(pixel.red), other(pixel.green), other(pixel.blue), pixel.alpha};
}
Picture inverted(Picture picture) {
  for (Pixel& pixel : picture.pixels) pixel = inverted(pixel);
  return picture;
}
Picture opaque(Picture picture) {
  for (Pixel& pixel : picture.pixels) pixel.alpha = 255;
  return picture;
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    for (const int shift : {4, 0}) {
      text += "0123456789abcdef"[static_cast<uint8_t>(byte) >> shift & 15];
    }
  }
  return text;
}

// Runs `qip image` from a file to a PNG file, which is read.
PngFile image(const Strings& filters, const std::string& input, const Strings& options = {}) {
  folder().put("in", input);
  Strings arguments = {"image", "-i", "in", "-o", "out.png"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.insert(arguments.end(), filters.begin(), filters.end());
  EXPECT_TRUE(succeeded(folder().qip(arguments), ""));
  return read_png(folder().get("out.png"));
}

// --- Rows 72 to 75: filters in qip run -----------------------------------------------------------

const Picture kSix = make(3, 2,
                          {{255, 0, 0, 255},
                           {10, 20, 30, 0},
                           {0, 0, 0, 128},
                           {1, 2, 3, 4},
                           {254, 253, 252, 251},
                           {128, 127, 126, 125}});

TEST(ImageRow, 72_BmpOf24And32Bits) {
  const std::string bottom_up = bmp(kSix, 24);
  const std::string top_down = bmp(kSix, 24, Rows::TopDown);
  ASSERT_EQ(bottom_up.size(), 78u);
  ASSERT_NE(bottom_up, top_down);
  const std::string expected = bmp(inverted(opaque(kSix)));
  EXPECT_EQ(hex(expected.substr(0, 54)),
            "424d4e00000000000000360000002800000003000000020000000100200000000000180000000000000000"
            "0000000000000000000000");
  EXPECT_TRUE(succeeded(folder().qip({"run", inverting()}, bottom_up), expected));
  EXPECT_TRUE(succeeded(folder().qip({"run", inverting()}, top_down), expected));
  for (const Rows rows : {Rows::BottomUp, Rows::TopDown}) {
    EXPECT_TRUE(
        succeeded(folder().qip({"run", inverting()}, bmp(kSix, 32, rows)), bmp(inverted(kSix))));
  }
}

TEST(ImageRow, 72_UnderBothNames) {
  const std::string old_name = build("Minv-old", filters::inverting("tile_rgba_f32_64x64"));
  EXPECT_TRUE(succeeded(folder().qip({"run", old_name}, bmp(kSix)), bmp(inverted(kSix))));
}

TEST(ImageRow, 73_WhatIsNoBmpForAFilter) {
  const std::string good = bmp(kSix);
  const auto with = [&good](size_t at, std::string_view bytes) {
    return std::string(good).replace(at, bytes.size(), bytes);
  };
  using namespace std::string_view_literals;
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"hello", "BMP input too small"},
      {"", "BMP input too small"},
      {good.substr(0, 53), "BMP input too small"},
      {with(0, "XM"), "Input is not a BMP file"},
      {with(14, "\x27\0\0\0"sv), "Unsupported BMP DIB header"},
      {with(18, "\0\0\0\0"sv), "Unsupported BMP dimensions"},
      {with(18, "\xff\xff\xff\xff"sv), "Unsupported BMP dimensions"},
      {with(22, "\0\0\0\0"sv), "Unsupported BMP dimensions"},
      {with(26, "\2\0"sv), "Unsupported BMP planes"},
      {with(30, "\3\0\0\0"sv), "Unsupported BMP compression"},
      {with(28, "\x10\0"sv), "Unsupported BMP bit depth"},
      {with(10, "\xff\xff\0\0"sv), "Invalid BMP data offset"},
      {good.substr(0, 77), "BMP pixel data out of range"},
      {with(10, "\x37\0\0\0"sv), "BMP pixel data out of range"},
  };
  for (const auto& [input, text] : bad) {
    EXPECT_TRUE(failed(folder().qip({"run", inverting()}, input),
                       {"Minv.wasm: tile stage requires image input, got raw: " + text + "\n"}));
  }
}

TEST(ImageRow, 74_FiltersAndThenAContentComponent) {
  folder().put("x.bmp", bmp(kSix));
  const ProcessResult result = folder().qip(
      {"run", "-i", "x.bmp", inverting(), inverting(), shipped("image/bmp/bmp-double")});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const std::string& file = result.output;
  ASSERT_GE(file.size(), 54u);
  EXPECT_EQ(little(file, 18), 6u);
  EXPECT_EQ(little(file, 22), 4u);
  const size_t bytes_per_pixel = little(file, 28, 2) / 8;
  const size_t stride = (6 * bytes_per_pixel + 3) / 4 * 4;
  for (uint32_t y = 0; y < 4; y++) {
    for (uint32_t x = 0; x < 6; x++) {
      const size_t at = little(file, 10) + stride * (3 - y) + x * bytes_per_pixel;
      const Pixel& pixel = kSix.at(x / 2, y / 2);
      const char colours[] = {static_cast<char>(pixel.blue), static_cast<char>(pixel.green),
                              static_cast<char>(pixel.red)};
      EXPECT_EQ(hex(file.substr(at, 3)), hex({colours, 3}));
    }
  }
}

TEST(ImageRow, 75_TextIsNoImage) {
  const std::string text = build("Mecho", wat::echo());
  const std::string numbers = build(
      "Mi32", wat::module(wat::input() + wat::output("i32", 16) + wat::entry("(i32.const 1)")));
  EXPECT_TRUE(failed(folder().qip({"run", text, inverting()}),
                     {"Minv.wasm: tile stage requires image input, got utf8\n"}));
  EXPECT_TRUE(failed(folder().qip({"run", numbers, inverting()}),
                     {"Minv.wasm: tile stage requires image input, got i32[]\n"}));
  EXPECT_TRUE(failed(folder().qip({"run", inverting(), text, nothing()}, bmp(kSix)),
                     {"Mtile0.wasm: tile stage requires image input, got utf8\n"}));
}

// --- Rows 76 to 81: qip image --------------------------------------------------------------------

TEST(ImageRow, 76_RgbPng) {
  const Picture two = make(2, 1, {{255, 0, 0}, {10, 20, 30}});
  const PngFile result = image({inverting()}, png(two, Colour::Rgb));
  EXPECT_EQ(result.colour, Colour::Rgb);
  EXPECT_EQ(result.picture, make(2, 1, {{0, 255, 255}, {245, 235, 225}}));
}

TEST(ImageRow, 77_GreyPng) {
  const Picture grey = make(2, 1, {{100, 100, 100}, {200, 200, 200}});
  const PngFile result = image({nothing()}, png(grey, Colour::Grey));
  EXPECT_EQ(result.colour, Colour::Rgb);
  EXPECT_EQ(result.picture, grey);
}

TEST(ImageRow, 78_OrderOfTiles) {
  const std::string counting = build("Mcount", filters::counting());
  for (const Strings& options : {Strings{}, Strings{"-j", "7"}, Strings{"--sequential"}}) {
    const PngFile result =
        image({counting}, png(uniform(130, 70, {9, 9, 9}), Colour::Rgb), options);
    Picture expected = uniform(130, 70, {9, 9, 9});
    uint8_t number = 0;
    for (const uint32_t y : {0u, 64u}) {
      for (const uint32_t x : {0u, 64u, 128u}) {
        expected.pixels[y * 130 + x] = {static_cast<uint8_t>(x), static_cast<uint8_t>(y), number++};
      }
    }
    EXPECT_EQ(result.picture, expected);
  }
}

TEST(ImageRow, 79_NumbersOutsideTheRange) {
  const std::string numbers =
      build("Mnumbers", filters::filter("(f32.store (i32.const 0) (f32.const nan))"
                                        "(f32.store offset=4 (i32.const 0) (f32.const 7))"
                                        "(f32.store offset=8 (i32.const 0) (f32.const -7))"
                                        "(f32.store offset=12 (i32.const 0) (f32.const 0.5))"));
  const PngFile result = image({numbers}, png(uniform(1, 1, {1, 2, 3}), Colour::Rgb));
  EXPECT_EQ(result.colour, Colour::Rgba);
  EXPECT_EQ(result.picture, make(1, 1, {{0, 255, 0, 128}}));
}

TEST(ImageRow, 80_CapacityAndNegativeHalo) {
  const std::string small =
      build("Msmall", wat::module(filters::filter_base(65535) + filters::tile("")));
  folder().put("in", png(uniform(1, 1, {}), Colour::Rgb));
  std::filesystem::remove(folder().path("out.png"));
  for (const Strings& command : {Strings{"image", "-i", "in", "-o", "out.png", small}}) {
    EXPECT_TRUE(failed(folder().qip(command), {"Tile buffer exceeds module input_bytes_cap"}));
  }
  EXPECT_TRUE(failed(folder().qip({"run", small}, bmp(kSix)),
                     {"Tile buffer exceeds module input_bytes_cap"}));
  EXPECT_FALSE(folder().has("out.png"));
  const std::string negative =
      build("Mnegative", wat::module(filters::filter_base(65536, -3) + filters::tile("")));
  const Picture picture = opaque(noise(70, 70));
  EXPECT_EQ(image({negative}, png(picture, Colour::Rgb)).picture, picture);
}

TEST(ImageRow, 81_WhatIsNotForImages) {
  folder().put("in", png(uniform(1, 1, {}), Colour::Rgb));
  folder().put("text", "hello");
  std::filesystem::remove(folder().path("out.png"));
  const std::string content = build("Mecho", wat::echo());
  EXPECT_TRUE(failed(folder().qip({"image", "-i", "in", "-o", "out.png", content}),
                     {"Mecho.wasm: Wasm module must export tile_rgba_f32_64x64"}));
  for (const Strings& arguments :
       {Strings{"image", "-i", "in", nothing()}, Strings{"image", "-o", "out.png", nothing()},
        Strings{"image", "-i", "in", "-o", "out.png"}, Strings{"image"}}) {
    EXPECT_TRUE(failed(folder().qip(arguments), {"Usage: qip image"}));
  }
  EXPECT_TRUE(failed(folder().qip({"image", "-i", "text", "-o", "out.png", nothing()}),
                     {"Error decoding image file: image: unknown format\n"}));
  EXPECT_FALSE(folder().has("out.png"));
}

// --- Order of checks -----------------------------------------------------------------------------

TEST(ImageCommand, ChecksComeInTheirOrder) {
  const std::string not_there = "not-there.wasm";
  const auto fails = [](Strings arguments, const std::string& text) {
    arguments.insert(arguments.begin(), "image");
    EXPECT_TRUE(failed(folder().qip(arguments), {text}));
  };
  fails({"--zzz", "?x=1"}, "flag provided but not defined: -zzz");
  fails({"--timeout-ms", "0", "?x=1"}, "Invalid timeout-ms: 0");
  fails({"?x=1", not_there},
        "Invalid image module args: image uniform query \"?x=1\" must follow a wasm module path");
  fails({not_there, "?"}, "Invalid image module args: image uniform query must not be empty");
  fails({"-i", "not-there", not_there}, "Usage: qip image");
  fails({"-i", "not-there", "-o", "out.png", not_there},
        "Error reading file: open not-there.wasm: no such file or directory");
  fails({"-i", "not-there", "-o", "out.png", nothing()},
        "Error reading image file: open not-there: no such file or directory");
  fails({"-i", ".", "-o", "out.png", nothing()},
        "Error reading image file: read .: is a directory");
  fails({"-i", "-", "-o", "out.png", nothing()}, "Error decoding image file: ");
  folder().put("in", bmp(kSix));
  fails({"-i", "in", "-o", "no/such/folder.png", nothing()}, "Error writing output image file: ");
  for (const char* quality : {"0", "101", "x", ""}) {
    fails({"--quality", quality, "-i", "in", "-o", "x.jpg", nothing()},
          std::string("Invalid quality: ") + quality);
  }
}

TEST(ImageCommand, UnreadableModulesAreNamed) {
  folder().put("in", bmp(kSix));
  folder().put("bad.wasm", "not a module");
  EXPECT_TRUE(failed(folder().qip({"image", "-i", "in", "-o", "out.png", "bad.wasm"}),
                     {"wasm module \"bad.wasm\" could not be compiled"}));
  const std::string importing = build(
      "Mimport",
      wat::module("(import \"env\" \"f\" (func))" + filters::filter_base() + filters::tile("")));
  EXPECT_TRUE(failed(folder().qip({"image", "-i", "in", "-o", "out.png", importing}),
                     {"Wasm module could not be instantiated", "env.f"}));
}

// --- Input and output ----------------------------------------------------------------------------

TEST(ImageCommand, ReadsBmpAndPngFromFileAndStdin) {
  const Picture picture = opaque(noise(70, 66));
  for (const std::string& input :
       {bmp(picture), bmp(picture, 24, Rows::TopDown), png(picture, Colour::Rgb)}) {
    EXPECT_EQ(image({inverting()}, input).picture, inverted(picture));
    const ProcessResult result = folder().qip({"image", "-i", "-", "-o", "-", inverting()}, input);
    EXPECT_EQ(result.exit_code, 0) << result.error;
    EXPECT_EQ(read_png(result.output).picture, inverted(picture));
  }
}

TEST(ImageCommand, AlphaStaysStraight) {
  const Picture picture = noise(70, 66);
  const PngFile result = image({inverting()}, png(picture, Colour::Rgba));
  EXPECT_EQ(result.colour, Colour::Rgba);
  EXPECT_EQ(result.picture, inverted(picture));
}

TEST(ImageCommand, TheNameChoosesTheFormat) {
  folder().put("in", bmp(kSix));
  const auto written = [](const std::string& name) {
    EXPECT_TRUE(succeeded(folder().qip({"image", "-i", "in", "-o", name, inverting()}), ""));
    return folder().get(name);
  };
  EXPECT_EQ(written("out.bmp"), bmp(inverted(kSix)));
  EXPECT_EQ(written("OUT.BMP"), bmp(inverted(kSix)));
  for (const char* name : {"out.jpg", "out.JPEG"}) {
    EXPECT_EQ(hex(written(name).substr(0, 3)), "ffd8ff");
  }
  for (const char* name : {"out.png", "out.gif", "out", "bmp"}) {
    EXPECT_EQ(read_png(written(name)).picture, inverted(kSix)) << name;
  }
}

TEST(ImageCommand, JpegGoesInAndOutWithTheQualityAskedFor) {
  Picture smooth = uniform(160, 100, {});
  for (uint32_t i = 0; i < smooth.pixels.size(); i++) {
    smooth.pixels[i] = {static_cast<uint8_t>(i % 160), static_cast<uint8_t>(i / 160), 60};
  }
  folder().put("in", bmp(smooth));
  std::vector<size_t> sizes;
  for (const Strings& quality : {Strings{"--quality", "20"}, Strings{}, Strings{"--quality=95"},
                                 Strings{"-quality", "100"}}) {
    Strings arguments = {"image", "-i", "in", "-o", "out.jpg", nothing()};
    arguments.insert(arguments.end(), quality.begin(), quality.end());
    EXPECT_TRUE(succeeded(folder().qip(arguments), ""));
    sizes.push_back(folder().get("out.jpg").size());
  }
  EXPECT_LT(sizes[0], sizes[1]);
  EXPECT_EQ(sizes[1], sizes[2]);
  EXPECT_LT(sizes[2], sizes[3]);
  const Picture back = image({nothing()}, folder().get("out.jpg")).picture;
  ASSERT_EQ(back.pixels.size(), smooth.pixels.size());
  for (size_t i = 0; i < back.pixels.size(); i++) {
    EXPECT_NEAR(back.pixels[i].red, smooth.pixels[i].red, 6);
    EXPECT_NEAR(back.pixels[i].green, smooth.pixels[i].green, 6);
    EXPECT_NEAR(back.pixels[i].blue, smooth.pixels[i].blue, 6);
  }
}

TEST(ImageCommand, AFailureLeavesTheOldFileAlone) {
  folder().put("in", bmp(kSix));
  folder().put("kept.png", "old");
  const std::string trapping = build("Mtrap", filters::filter("unreachable"));
  EXPECT_TRUE(failed(folder().qip({"image", "-i", "in", "-o", "kept.png", trapping}),
                     {"wasm error: unreachable", " at tile (0, 0)\n"}));
  EXPECT_EQ(folder().get("kept.png"), "old");
}

TEST(ImageCommand, VerboseTellsDigestsAndTimeOnStderr) {
  folder().put("in", bmp(kSix));
  const ProcessResult result =
      folder().qip({"image", "-v", "-i", "in", "-o", "out.png", inverting()});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "");
  EXPECT_TRUE(holds(result.error, {"module " + inverting() + " sha256: ", "filters took ",
                                   "decoded 3 x 2 pixels in ", "command took "}));
}

// --- Settings and limits -------------------------------------------------------------------------

std::string setting() {
  return build("Mset",
               wat::module("(global $red (mut f32) (f32.const 0))"
                           "(func (export \"uniform_set_red\") (param f32)"
                           " (global.set $red (local.get 0)))"
                           "(func (export \"uniform_set_width_and_height\") (param f32 f32))" +
                           filters::filter_base() +
                           filters::tile("(f32.store (i32.const 0) (global.get $red))")));
}

TEST(ImageCommand, UniformsAreSetInBothForms) {
  const std::string input = png(uniform(1, 1, {9, 9, 9}), Colour::Rgb);
  EXPECT_EQ(image({setting()}, input).picture, uniform(1, 1, {0, 9, 9}));
  EXPECT_EQ(image({setting(), "?red=0.5"}, input).picture, uniform(1, 1, {128, 9, 9}));
  EXPECT_EQ(image({setting(), "-u", "red=1"}, input).picture, uniform(1, 1, {255, 9, 9}));
  folder().put("in", input);
  EXPECT_TRUE(failed(folder().qip({"image", "-i", "in", "-o", "x.png", setting(), "?blue=1"}),
                     {"Wasm module does not export uniform_set_blue for query key \"blue\""}));
  for (const char* command : {"image", "run"}) {
    EXPECT_TRUE(
        failed(folder().qip({command, "-i", "in", "-o", "x.png", setting(), "?width_and_height=2"}),
               {"uniform_set_width_and_height must accept exactly one argument"}));
  }
}

TEST(ImageCommand, PinsAndPoliciesHold) {
  folder().put("in", bmp(kSix));
  const std::string pin = "#sha256=" + std::string(64, '0');
  EXPECT_TRUE(failed(folder().qip({"image", "-i", "in", "-o", "x.png", inverting() + pin}),
                     {"sha256 mismatch"}));
  EXPECT_TRUE(failed(
      folder().qip({"image", "--max-memory", "65536", "-i", "in", "-o", "x.png", inverting()}),
      {"rejected by policy"}));
  EXPECT_TRUE(
      succeeded(folder().qip({"image", "--strict", "-i", "in", "-o", "x.png", inverting()}), ""));
}

TEST(ImageCommand, ARunawayFilterIsNamedWithItsTile) {
  folder().put("in", bmp(noise(300, 300)));
  const std::string endless =
      build("Mloop", filters::filter(filters::at_tile(128, 64, "(loop $again (br $again))")));
  for (const char* command : {"image", "run"}) {
    EXPECT_TRUE(failed(folder().qip({command, "--timeout-ms", "100", "-i", "in", "-o", "x.png",
                                     nothing(), endless}),
                       {"Mloop.wasm: Wasm module exceeded the execution time limit (100ms) at "
                        "tile (128, 64)\n"}));
  }
}

// Each tile takes a good part of the limit, all of them together many times as much.
TEST(ImageCommand, TimeCountsAfreshForEveryTile) {
  folder().put("in", bmp(noise(640, 320)));
  const std::string busy = build(
      "Mbusy",
      filters::filter("(local $n i32) (local.set $n (i32.const 20000000)) (loop $again"
                      " (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))"));
  EXPECT_TRUE(succeeded(
      folder().qip({"image", "-j", "1", "--timeout-ms", "500", "-i", "in", "-o", "x.png", busy}, "",
                   60000),
      ""));
}

TEST(ImageCommand, FuelIsTheSameOnEveryNumberOfThreads) {
  folder().put("in", bmp(noise(1024, 300)));
  std::set<std::string> outcomes;
  for (const char* threads : {"1", "2", "7"}) {
    const ProcessResult result = folder().qip(
        {"image", "--fuel", "30000", "-j", threads, "-i", "in", "-o", "x.png", inverting()});
    EXPECT_EQ(result.exit_code, 1);
    outcomes.insert(result.error);
  }
  EXPECT_EQ(outcomes.size(), 1u);
  EXPECT_TRUE(outcomes.begin()->ends_with(" at tile (0, 0)\n")) << *outcomes.begin();
  EXPECT_TRUE(succeeded(
      folder().qip({"image", "--fuel", "1000000", "-i", "in", "-o", "x.png", inverting()}), ""));
}

// --- Threads -------------------------------------------------------------------------------------

TEST(ImageCommand, PixelsAreTheSameOnEveryNumberOfThreads) {
  const std::string counting = build("Mcount", filters::counting());
  const std::string shifting = build("Mshift", filters::shifting());
  const Picture picture = noise(1100, 300);
  for (const Strings& chain :
       {Strings{counting}, Strings{inverting(), counting}, Strings{counting, shifting, counting}}) {
    const Picture expected = image(chain, bmp(picture), {"-j", "1"}).picture;
    for (const char* threads : {"2", "7"}) {
      EXPECT_EQ(image(chain, bmp(picture), {"-j", threads}).picture, expected);
    }
    // The counts of later bands differ in strict order, and nothing else.
    EXPECT_NE(image(chain, bmp(picture), {"--sequential"}).picture, expected);
  }
  const Strings stateless = {inverting(), shifting};
  EXPECT_EQ(image(stateless, bmp(picture), {"--sequential"}).picture,
            image(stateless, bmp(picture), {"-j", "2"}).picture);
}

TEST(ImageCommand, AHaloSeesTheNearestPixel) {
  const std::string shifting = build("Mshift", filters::shifting());
  const Picture picture = noise(130, 70);
  Picture expected = picture;
  for (uint32_t y = 0; y < 70; y++) {
    for (uint32_t x = 0; x < 130; x++) {
      expected.pixels[y * 130 + x] = picture.at(x > 0 ? x - 1 : 0, y > 0 ? y - 1 : 0);
    }
  }
  EXPECT_EQ(image({shifting}, bmp(picture)).picture, expected);
  EXPECT_EQ(image({inverting(), shifting, inverting()}, bmp(picture)).picture, expected);
}

// --- qip run with filters ------------------------------------------------------------------------

TEST(MixedChain, BlocksStandAnywhere) {
  const std::string bytes =
      build("Mbytes",
            wat::module("(memory (export \"memory\") 8 8)" + wat::value("input_ptr", 0) +
                        wat::value("input_bytes_cap", 500000) + wat::value("output_ptr", 0) +
                        wat::value("output_bytes_cap", 500000) + wat::entry("(local.get $size)")));
  const std::string input = bmp(noise(70, 70));
  for (const Strings& chain :
       {Strings{bytes, inverting(), bytes, inverting(), bytes},
        Strings{inverting(), bytes, inverting()}, Strings{inverting(), nothing(), inverting()},
        Strings{inverting(), bytes, bytes, nothing(), inverting()}}) {
    Strings arguments = {"run"};
    arguments.insert(arguments.end(), chain.begin(), chain.end());
    EXPECT_TRUE(succeeded(folder().qip(arguments, input), input));
  }
}

// Between the two the pixels are no bytes: half a step up and half a step down is nothing.
TEST(MixedChain, NothingIsRoundedInsideABlock) {
  const auto adding = [](const std::string& number) {
    return filters::filter(
        filters::each_pixel("(f32.store (local.get $at) (f32.add (f32.load (local.get "
                            "$at)) (f32.const " +
                            number + ")))"));
  };
  const std::string up = build("Mup", adding("0.0009765625"));
  const std::string down = build("Mdown", adding("-0.0009765625"));
  const std::string input = bmp(noise(70, 70));
  EXPECT_TRUE(succeeded(folder().qip({"run", up, up, up, down, down, down}, input), input));
}

TEST(MixedChain, ABlockIsBytesOfTypeBmp) {
  const auto expecting = [](const std::string& type) {
    return wat::module("(memory (export \"memory\") 8 8)" + wat::value("input_ptr", 262144) +
                       wat::value("input_bytes_cap", 200000) + wat::value("output_ptr", 262144) +
                       wat::value("output_bytes_cap", 200000) + wat::content_type("input", type) +
                       wat::entry("(local.get $size)"));
  };
  const std::string bmp_only = build("Mbmp", expecting("image/bmp"));
  const std::string png_only = build("Mpng", expecting("image/png"));
  EXPECT_TRUE(
      succeeded(folder().qip({"run", inverting(), bmp_only}, bmp(kSix)), bmp(inverted(kSix))));
  EXPECT_TRUE(failed(folder().qip({"run", inverting(), png_only}, bmp(kSix)),
                     {"content type check failed", "expects \"image/png\", got \"image/bmp\""}));
  // A type that is known stays.
  EXPECT_TRUE(failed(folder().qip({"run", png_only, inverting(), bmp_only}, bmp(kSix)),
                     {"expects \"image/bmp\", got \"image/png\""}));
}

TEST(MixedChain, AnOutputFileIsEncodedByItsName) {
  folder().put("in", bmp(kSix));
  EXPECT_TRUE(succeeded(folder().qip({"run", "-i", "in", "-o", "run.png", inverting()}), ""));
  EXPECT_EQ(read_png(folder().get("run.png")).picture, inverted(kSix));
  EXPECT_TRUE(succeeded(folder().qip({"run", "-i", "in", "-o", "run.bmp", inverting()}), ""));
  EXPECT_EQ(folder().get("run.bmp"), bmp(inverted(kSix)));
  EXPECT_TRUE(succeeded(folder().qip({"run", "-i", "in", "-o", "run.any", inverting()}), ""));
  EXPECT_EQ(folder().get("run.any"), bmp(inverted(kSix)));
  EXPECT_TRUE(
      succeeded(folder().qip({"run", "-i", "in", "-o", "-", inverting()}), bmp(inverted(kSix))));
  const std::string doubling = shipped("image/bmp/bmp-double");
  EXPECT_TRUE(succeeded(folder().qip({"run", "-i", "in", "-o", "run.png", doubling}), ""));
  EXPECT_EQ(read_png(folder().get("run.png")).picture.width, 6u);
}

TEST(MixedChain, VerboseTellsTheDigestOfTheBmp) {
  const ProcessResult result = folder().qip({"run", "-v", inverting()}, bmp(kSix));
  EXPECT_EQ(result.output, bmp(inverted(kSix)));
  const ProcessResult again = folder().qip({"run", "-v", nothing()}, result.output);
  const auto digest = [](const std::string& log, const std::string& what) {
    const size_t at = log.find(what + " sha256: ");
    return at == std::string::npos ? "none" : log.substr(at + what.size() + 9, 64);
  };
  EXPECT_EQ(digest(result.error, "\noutput"), digest(again.error, "\ninput").substr(0, 64));
  EXPECT_EQ(digest(result.error, "\noutput"), digest(again.error, "\noutput"));
}

TEST(MixedChain, MaximumOutputHolds) {
  EXPECT_TRUE(succeeded(folder().qip({"run", "--max-output", "78", inverting()}, bmp(kSix)),
                        bmp(inverted(kSix))));
  EXPECT_TRUE(failed(folder().qip({"run", "--max-output", "77", inverting()}, bmp(kSix)),
                     {"Minv.wasm: output of 78 bytes exceeds --max-output 77 bytes"}));
}

TEST(MixedChain, TheCacheKeepsBlocks) {
  folder().put("in", bmp(noise(100, 100)));
  const std::string expected = bmp(inverted(noise(100, 100)));
  for (const char* seen : {"cache: miss", "cache: hit"}) {
    const ProcessResult result =
        folder().qip({"run", "-v", "--cache", "cache", "-i", "in", inverting()});
    EXPECT_EQ(result.output, expected);
    EXPECT_TRUE(holds(result.error, {seen}));
  }
  EXPECT_TRUE(succeeded(
      folder().qip({"run", "--cache", "cache", "-i", "in", "-o", "hit.png", inverting()}), ""));
  EXPECT_EQ(read_png(folder().get("hit.png")).picture, inverted(noise(100, 100)));
}

TEST(MixedChain, EachRunsBlocksOverManyFiles) {
  Strings arguments = {"run", "--each", "-o", "each", "-j", "3", inverting(), "--"};
  for (uint32_t i = 0; i < 8; i++) {
    const std::string name = "each-" + std::to_string(i) + ".bmp";
    folder().put(name, bmp(noise(60 + i, 60, i)));
    arguments.push_back(name);
  }
  EXPECT_TRUE(succeeded(folder().qip(arguments), ""));
  for (uint32_t i = 0; i < 8; i++) {
    EXPECT_EQ(folder().get("each/each-" + std::to_string(i) + ".bmp"),
              bmp(inverted(noise(60 + i, 60, i))));
  }
  arguments.insert(arguments.begin() + 1, {"--extension", ".png"});
  EXPECT_TRUE(succeeded(folder().qip(arguments), ""));
  EXPECT_EQ(read_png(folder().get("each/each-3.png")).picture, inverted(noise(63, 60, 3)));
}

TEST(MixedChain, APlanShowsFilters) {
  const std::string text = build("Mecho", wat::echo());
  const ProcessResult good = folder().qip({"run", "--dry-run", inverting(), nothing()});
  EXPECT_EQ(good.exit_code, 0) << good.error;
  EXPECT_TRUE(holds(good.output, {"contract: Tile", "image in tiles, at most 65536 bytes each",
                                  "image/bmp", "Pipeline compatible: 2 steps"}));
  const ProcessResult bad = folder().qip({"run", "--dry-run", text, inverting()});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_TRUE(holds(bad.error, {"tile stage requires image input, got utf8"}));
}

}  // namespace
}  // namespace qip
