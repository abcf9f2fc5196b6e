// Runs every filter of modules/rgba/ through the built command, on pictures whose results are
// worked out by hand from what modules/README.md says the filter does.
// Assumes: the working directory is the root of the repository; the command is $QIP or build/qip.
// A channel's byte b stands for b / 255; a result v becomes the byte nearest to 255 v. No expected
// value lies close to the middle between two bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "spec-tests/picture.hpp"
#include "spec-tests/process.hpp"

namespace qip {

void PrintTo(const Color& color, std::ostream* out) {
  *out << '(' << +color.red << ' ' << +color.green << ' ' << +color.blue << ' ' << +color.alpha
       << ')';
}

namespace {

using std::string;

const Color kWhite = {255, 255, 255, 255}, kBlack = {0, 0, 0, 255};

// A component of modules/rgba/ by its name, or the uniforms of the one before: "?key=value".
using Chain = std::vector<string>;

string path_of(const string& name) {
  return "modules/rgba/" + name + ".wasm";
}

string text_of(const Chain& chain) {
  string text;
  for (const string& part : chain) text += part + " ";
  return text;
}

std::vector<string> run_command(const Chain& chain) {
  std::vector<string> argv = {qip_path(), "run", "--strict", "--timeout-ms", "60000"};
  for (const string& part : chain) argv.push_back(part.starts_with("?") ? part : path_of(part));
  return argv;
}

// What the chain makes of the picture; an empty picture after a failure.
Picture filter(const Chain& chain, const Picture& input) {
  const ProcessResult result = run_process(run_command(chain), to_bmp(input), 90000);
  EXPECT_EQ(result.exit_code, 0) << text_of(chain) << result.error;
  EXPECT_EQ(result.error, "") << text_of(chain);
  const std::optional<Picture> output = from_bmp(result.output);
  EXPECT_TRUE(output.has_value()) << text_of(chain) << "gave no BMP";
  if (!output) return {};
  EXPECT_EQ(output->width, input.width);
  EXPECT_EQ(output->height, input.height);
  return *output;
}

Color grey(int value, int alpha = 255) {
  const auto byte = static_cast<uint8_t>(value);
  return {byte, byte, byte, static_cast<uint8_t>(alpha)};
}

struct Change {
  Color from, to;
};

// For filters that look at one pixel only. Every pair stands alone in a picture of 1 x 1 and in a
// row with the others; alpha is 255 and once more a value of its own, and has to stay.
void expect_changes(const Chain& chain, std::initializer_list<Change> changes) {
  SCOPED_TRACE(text_of(chain));
  const auto count = static_cast<uint32_t>(changes.size());
  Picture row(2 * count, 1), expected = row;
  uint32_t at = 0;
  for (const Change& change : changes) {
    Picture one(1, 1, change.from);
    EXPECT_EQ(filter(chain, one).pixels, std::vector<Color>{change.to});
    row.at(at, 0) = change.from;
    expected.at(at++, 0) = change.to;
    row.at(at, 0) = change.from;
    expected.at(at, 0) = change.to;
    row.at(at, 0).alpha = expected.at(at, 0).alpha = static_cast<uint8_t>(at * 7);
    ++at;
  }
  EXPECT_EQ(filter(chain, row).pixels, expected.pixels);
}

// The same on every machine; every channel takes all values.
Picture noise(uint32_t width, uint32_t height, bool with_alpha = true) {
  Picture picture(width, height);
  uint64_t state = 88172645463325252u;
  const auto next = [&state] {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<uint8_t>(state >> 32);
  };
  for (Color& color : picture.pixels) {
    color = {next(), next(), next(), next()};
    if (!with_alpha) color.alpha = 255;
  }
  return picture;
}

// Two tiles each way, the second ones partial.
Picture noise_of_four_tiles() {
  return noise(130, 70);
}

// `left` up to column 63, the last of a tile, `right` behind it.
Picture vertical_edge(Color left, Color right) {
  Picture picture(130, 70, right);
  for (uint32_t y = 0; y < picture.height; ++y)
    for (uint32_t x = 0; x < 64; ++x) picture.at(x, y) = left;
  return picture;
}

// Every row of the picture is the same, and `values` begins at column `from`.
void expect_columns(const Picture& picture, uint32_t from, const std::vector<Color>& values) {
  ASSERT_GE(picture.width, from + values.size());
  for (uint32_t y = 0; y < picture.height; ++y) {
    const auto first = picture.pixels.begin() + size_t{y} * picture.width + from;
    const auto last = first + static_cast<ptrdiff_t>(values.size());
    ASSERT_EQ(std::vector<Color>(first, last), values) << "row " << y;
  }
}

std::vector<Color> greys(std::initializer_list<int> values) {
  std::vector<Color> colors;
  for (const int value : values) colors.push_back(grey(value));
  return colors;
}

// --- Filters of one pixel ------------------------------------------------------------------------

TEST(Filters, invert_gives_the_negative) {
  expect_changes({"invert"}, {{{255, 0, 0}, {0, 255, 255}},
                              {{10, 20, 30}, {245, 235, 225}},
                              {{127, 128, 255}, {128, 127, 0}}});
}

TEST(Filters, black_and_white_gives_the_luma_of_bt_601) {
  expect_changes({"black-and-white"}, {{{255, 0, 0}, grey(76)},   // 76.245
                                       {{0, 255, 0}, grey(150)},  // 149.685
                                       {{0, 0, 255}, grey(29)},   // 29.07
                                       {{10, 20, 30}, grey(18)},  // 2.99 + 11.74 + 3.42
                                       {kWhite, kWhite},
                                       {kBlack, kBlack}});
}

TEST(Filters, brightness_goes_its_part_of_the_way_to_white_or_black) {
  // 100 + 0.2 * 155
  expect_changes({"brightness", "?brightness=0.2"}, {{{0, 100, 255}, {51, 131, 255}}});
  expect_changes({"brightness", "?brightness=-0.2"}, {{{0, 100, 255}, {0, 80, 204}}});
  expect_changes({"brightness", "?brightness=1"}, {{{0, 100, 255}, kWhite}});
  expect_changes({"brightness", "?brightness=-1"}, {{{0, 100, 255}, kBlack}});
}

TEST(Filters, contrast_spreads_around_the_middle) {
  // 2.5 * (b - 127.5) + 127.5
  expect_changes({"contrast", "?contrast=0.6"},
                 {{{100, 200, 50}, {59, 255, 0}}, {{128, 0, 255}, {129, 0, 255}}});
  // 0.5 * (b - 127.5) + 127.5
  expect_changes({"contrast", "?contrast=-0.5"},
                 {{{0, 100, 255}, {64, 114, 191}}, {{200, 200, 200}, grey(164)}});
  // At the ends of the range: by a thousand, and by a thousandth.
  expect_changes({"contrast", "?contrast=1"}, {{{126, 129, 127}, {0, 255, 0}}});
  expect_changes({"contrast", "?contrast=-1"}, {{{0, 255, 0}, {127, 128, 127}}});
}

TEST(Filters, saturation_scales_the_distance_from_grey) {
  // The luma: 0.2126 * 200 + 0.7152 * 100 + 0.0722 * 50 = 117.65.
  const Color color = {200, 100, 50};
  expect_changes({"saturation", "?saturation=-1"}, {{color, grey(118)}});
  expect_changes({"saturation", "?saturation=0.5"}, {{color, {241, 91, 16}}});
  expect_changes({"saturation", "?saturation=1"}, {{color, {255, 82, 0}}});
}

TEST(Filters, hue_rotate_is_that_of_css) {
  const Color red = {255, 0, 0};
  // The first column of the matrix, with the cosine and sine of the angle:
  // 0.213 + 0.787 c - 0.213 s, 0.213 - 0.213 c + 0.143 s, 0.213 - 0.213 c - 0.787 s.
  expect_changes({"hue-rotate", "?hue_degrees=90"}, {{red, {0, 91, 0}}});
  expect_changes({"hue-rotate", "?hue_degrees=120"}, {{red, {0, 113, 0}}});
  expect_changes({"hue-rotate", "?hue_degrees=180"}, {{red, {0, 109, 109}}});
  expect_changes({"hue-rotate", "?hue_degrees=-240"}, {{red, {0, 113, 0}}});
  expect_changes({"hue-rotate", "?hue_degrees=3600120"}, {{red, {0, 113, 0}}});
  expect_changes({"hue-rotate", "?hue_degrees=37.5"}, {{kWhite, kWhite}, {grey(99), grey(99)}});
  expect_changes({"hue-rotate", "?hue_degrees=-720"}, {{{1, 128, 254}, {1, 128, 254}}});
}

TEST(Filters, temperature_warms_and_cools) {
  expect_changes({"temperature", "?temperature=1"},
                 {{grey(100), {110, 105, 90}}, {grey(250), {255, 255, 225}}});
  expect_changes({"temperature", "?temperature=-1"}, {{grey(100), {90, 95, 110}}});
  expect_changes({"temperature", "?temperature=0.5"}, {{grey(200), {210, 205, 190}}});
}

TEST(Filters, tint_goes_to_green_and_to_magenta) {
  expect_changes({"tint", "?tint=1"}, {{grey(100), {95, 110, 95}}});
  expect_changes({"tint", "?tint=-1"}, {{grey(100), {105, 90, 105}}, {grey(255), {255, 230, 255}}});
}

TEST(Filters, posterize_leaves_evenly_spaced_levels) {
  expect_changes({"posterize", "?levels_count=2"}, {{{127, 128, 255}, {0, 255, 255}}});
  expect_changes({"posterize", "?levels_count=4"},
                 {{{42, 43, 127}, {0, 85, 85}}, {{128, 212, 213}, {170, 170, 255}}});
  // Eight levels, 36.43 apart: 18 / 36.43 = 0.494, 19 / 36.43 = 0.522, 100 / 36.43 = 2.745.
  expect_changes({"posterize"}, {{{18, 19, 100}, {0, 36, 109}}});
}

TEST(Filters, color_matrix_is_that_of_svg) {
  const Color color = {10, 100, 200, 255};
  expect_changes({"color-matrix-simd", "?m00=0&m01=1&m10=1&m11=0"}, {{color, {100, 10, 200}}});
  // 0.5 * 10 + 0.25 * 100 + 0.1 * 200 + 51
  expect_changes({"color-matrix-simd", "?m20=0.5&m21=0.25&m22=0.1&m24=0.2"},
                 {{color, {10, 100, 101}}});
  expect_changes({"color-matrix-simd", "?m00=-1&m04=1&m11=9"}, {{color, {245, 255, 200}}});
  const Picture half = filter({"color-matrix-simd", "?m33=0.4&m03=0.2"}, Picture(1, 1, color));
  EXPECT_EQ(half.at(0, 0), (Color{61, 100, 200, 102}));
  const Picture none = filter({"color-matrix-simd", "?m33=0"}, Picture(1, 1, color));
  EXPECT_EQ(none.at(0, 0), (Color{10, 100, 200, 0}));
}

TEST(Filters, change_nothing_with_the_settings_that_say_so) {
  const Picture picture = noise_of_four_tiles();
  for (const Chain& chain :
       {Chain{"brightness"}, Chain{"contrast"}, Chain{"saturation"}, Chain{"hue-rotate"},
        Chain{"temperature"}, Chain{"tint"}, Chain{"color-matrix-simd"},
        Chain{"vignette", "?amount=0"}, Chain{"gaussian-blur", "?radius=0.99"},
        Chain{"gaussian-blur-simd", "?radius=0"}, Chain{"motion-blur", "?radius=0.5"},
        Chain{"unsharp-mask", "?radius=0"}, Chain{"unsharp-mask", "?amount=0"},
        Chain{"unsharp-mask", "?threshold=1"}, Chain{"invert", "invert"}}) {
    EXPECT_TRUE(filter(chain, picture) == picture) << text_of(chain);
  }
}

// --- Filters that know the place of a pixel ------------------------------------------------------

TEST(Filters, vignette_darkens_by_the_distance_from_the_middle) {
  const Chain whole_way = {"vignette", "?midpoint=0&feather=1&amount=1"};
  // Every pixel's centre is half way to its corner: 1 - (3 / 4 - 2 / 8).
  EXPECT_EQ(filter(whole_way, Picture(2, 2, grey(200, 77))), Picture(2, 2, grey(100, 77)));
  EXPECT_EQ(filter(whole_way, Picture(1, 1, grey(200))), Picture(1, 1, grey(200)));
  // At distance t = sqrt(1 / 2): 1 - t t (3 - 2 t) = 0.20711; at t = sqrt(1 / 10): 0.76325.
  expect_columns(filter(whole_way, Picture(4, 2, grey(200))), 0, greys({41, 153, 153, 41}));
}

TEST(Filters, vignette_leaves_the_middle_and_halves_the_corners) {
  const Picture result = filter({"vignette"}, Picture(130, 70, grey(200, 3)));
  for (const uint32_t x : {0u, 129u})
    for (const uint32_t y : {0u, 69u}) EXPECT_EQ(result.at(x, y), grey(100, 3));
  for (const uint32_t x : {33u, 63u, 64u, 96u})
    for (const uint32_t y : {0u, 34u, 63u, 64u, 69u})
      EXPECT_EQ(result.at(x, y), grey(200, 3)) << x << ' ' << y;
}

TEST(Filters, vignette_without_a_feather_has_a_hard_edge) {
  const Picture result = filter({"vignette", "?feather=0&midpoint=0.5"}, Picture(200, 200, kWhite));
  int dark = 0;
  for (uint32_t y = 0; y < 200; ++y) {
    for (uint32_t x = 0; x < 200; ++x) {
      const double dx = x + 0.5 - 100, dy = y + 0.5 - 100;
      const double distance = std::sqrt(dx * dx + dy * dy) / (100 * std::sqrt(2.0));
      if (std::abs(distance - 0.5) < 1e-6) continue;
      const bool is_dark = distance > 0.5;
      ASSERT_EQ(result.at(x, y), is_dark ? grey(128) : kWhite) << x << ' ' << y;
      dark += is_dark;
    }
  }
  EXPECT_GT(dark, 20000);
}

TEST(Filters, vignette_gets_the_size_from_the_host_alone) {
  const ProcessResult result =
      run_process(run_command({"vignette", "?width_and_height=2"}), to_bmp(Picture(1, 1)));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_NE(result.error.find("uniform_set_width_and_height must accept exactly one argument"),
            string::npos)
      << result.error;
}

const string kNoAngles = "&angle_c=0&angle_m=0&angle_y=0&angle_k=0";

TEST(Filters, color_halftone_inks_pixels_near_the_middle_of_a_cell) {
  // Cells of 2 x 2, the centres sqrt(1 / 8) of a cell from the middle: an ink shows from
  // 2 sqrt(1 / 8) = 0.7071 on. Of cyan (1 - 74 / 255) = 0.7098, of black the same.
  expect_changes({"color-halftone", "?max_radius=1" + kNoAngles},
                 {{{74, 255, 255}, {0, 255, 255}},
                  {{75, 255, 255}, kWhite},
                  {{255, 74, 255}, {255, 0, 255}},
                  {{255, 75, 255}, kWhite},
                  {{255, 255, 74}, {255, 255, 0}},
                  {{255, 255, 75}, kWhite},
                  {grey(74), kBlack},
                  {grey(75), kWhite},
                  {{255, 0, 0}, {255, 0, 0}},
                  // 1 - 40 / 150 = 0.733 of cyan, 1 - 50 / 150 of magenta, 1 - 150 / 255 of black.
                  {{40, 50, 150}, {0, 255, 255}},
                  {kWhite, kWhite},
                  {kBlack, kBlack}});
}

TEST(Filters, color_halftone_repeats_in_squares_across_tiles) {
  // Cells of 4 x 4: a full dot leaves the corners of a cell free, and one of 0.6 its edges too.
  const Picture full =
      filter({"color-halftone", "?max_radius=2" + kNoAngles}, Picture(130, 70, kBlack));
  const Picture partial =
      filter({"color-halftone", "?max_radius=2" + kNoAngles}, Picture(130, 70, grey(102)));
  for (uint32_t y = 0; y < 70; ++y) {
    for (uint32_t x = 0; x < 130; ++x) {
      const bool inner_x = (x % 4 + 1) / 2 == 1, inner_y = (y % 4 + 1) / 2 == 1;
      ASSERT_EQ(full.at(x, y), inner_x || inner_y ? kBlack : kWhite) << x << ' ' << y;
      ASSERT_EQ(partial.at(x, y), inner_x && inner_y ? kBlack : kWhite) << x << ' ' << y;
    }
  }
}

TEST(Filters, color_halftone_turns_its_screens) {
  // Black's screen stands at 45 degrees. The pixel (8, 0) lies 0.0415 of a cell from a middle, so
  // it is inked from 0.0830 on; (0, 0) lies in a corner.
  Picture picture(9, 1, grey(233));
  const Picture inked = filter({"color-halftone"}, picture);
  EXPECT_EQ(inked.at(8, 0), kBlack);
  EXPECT_EQ(inked.at(0, 0), kWhite);
  EXPECT_EQ(filter({"color-halftone"}, Picture(9, 1, grey(234))).at(8, 0), kWhite);
  EXPECT_EQ(filter({"color-halftone"}, Picture(1, 1, kBlack)).at(0, 0), kWhite);
  // The settings are radians: a right angle maps the square screen onto itself.
  const Picture noise_picture = noise_of_four_tiles();
  EXPECT_TRUE(
      filter({"color-halftone", "?angle_c=0&angle_m=0&angle_y=0&angle_k=0"}, noise_picture) ==
      filter(
          {"color-halftone", "?angle_c=1.5707963&angle_m=3.1415927&angle_y=-1.5707963&angle_k=0"},
          noise_picture));
  EXPECT_TRUE(
      filter({"color-halftone"}, noise_picture) ==
      filter({"color-halftone", "?angle_c=0.2617994&angle_m=1.3089970&angle_y=0&angle_k=0.7853982"},
             noise_picture));
}

// The lattice value of render-clouds: the finalizer of MurmurHash3 over the place and the key.
double lattice_value(uint32_t across, uint32_t down, uint32_t key) {
  uint32_t h = (across * 0x9e3779b1u) ^ (down * 0x85ebca77u) ^ key;
  h = (h ^ (h >> 16)) * 0x85ebca6bu;
  h = (h ^ (h >> 13)) * 0xc2b2ae35u;
  h ^= h >> 16;
  return (h >> 8) / 16777215.0;
}

double noise_at(double x, double y, uint32_t key) {
  const auto smooth = [](double t) { return t * t * (3 - 2 * t); };
  const auto across = static_cast<uint32_t>(x), down = static_cast<uint32_t>(y);
  const double right = smooth(x - across), below = smooth(y - down);
  const double upper =
      lattice_value(across, down, key) * (1 - right) + lattice_value(across + 1, down, key) * right;
  const double lower = lattice_value(across, down + 1, key) * (1 - right) +
                       lattice_value(across + 1, down + 1, key) * right;
  return upper * (1 - below) + lower * below;
}

// The byte that a value becomes is known but where it lies in the middle between two.
void expect_near(const Color& actual, double value, uint32_t x, uint32_t y) {
  const double exact = std::clamp(value, 0.0, 1.0) * 255;
  ASSERT_NEAR(actual.red, exact, 0.51) << x << ' ' << y;
  ASSERT_EQ(actual.red, actual.green);
  ASSERT_EQ(actual.red, actual.blue);
}

TEST(Filters, render_clouds_is_smooth_noise_on_a_lattice) {
  const Picture input = noise_of_four_tiles();
  const Picture one = filter({"render-clouds", "?octaves=1&contrast=1&scale=8"}, input);
  const Picture three =
      filter({"render-clouds", "?octaves=3&contrast=2&scale=40&persistence=0.25&seed=-7"}, input);
  for (uint32_t y = 0; y < input.height; ++y) {
    for (uint32_t x = 0; x < input.width; ++x) {
      expect_near(one.at(x, y), noise_at(x / 8.0, y / 8.0, 0), x, y);
      double sum = 0, strength = 1, step = 1 / 40.0;
      for (uint32_t octave = 0; octave < 3; ++octave, strength *= 0.25, step *= 2) {
        const uint32_t key = static_cast<uint32_t>(-7) * 0x27d4eb2fu + octave * 0xc2b2ae3du;
        sum += strength * noise_at(x * step, y * step, key);
      }
      expect_near(three.at(x, y), 0.5 + (sum / 1.3125 - 0.5) * 2, x, y);
      ASSERT_EQ(one.at(x, y).alpha, input.at(x, y).alpha);
    }
  }
}

TEST(Filters, render_clouds_depends_on_the_seed_alone) {
  const Picture first = filter({"render-clouds"}, noise(100, 100, false));
  EXPECT_TRUE(filter({"render-clouds"}, Picture(100, 100, kBlack)) == first);
  EXPECT_TRUE(filter({"render-clouds", "?seed=0&octaves=4&scale=96&contrast=1.2&persistence=0.5"},
                     Picture(100, 100, kBlack)) == first);
  for (const char* seed : {"?seed=1", "?seed=2147483647", "?seed=-2147483648"})
    EXPECT_FALSE(filter({"render-clouds", seed}, Picture(100, 100, kBlack)) == first) << seed;
}

// --- Filters that look around --------------------------------------------------------------------

TEST(Filters, find_edges_draws_the_sobel_sums) {
  EXPECT_EQ(filter({"find-edges"}, Picture(70, 3, {10, 20, 30, 40})),
            Picture(70, 3, grey(255, 40)));
  // On both sides of a step of 1 the sum is 4: 1 - 0.2 * 4. It lies between two tiles.
  expect_columns(filter({"find-edges"}, vertical_edge(kBlack, kWhite)), 61,
                 greys({255, 255, 51, 51, 255, 255}));
  // 1 - 0.8 * 100 / 255, and the other way round, for green alone.
  expect_columns(filter({"find-edges"}, vertical_edge({7, 100, 9}, {7, 0, 9})), 62,
                 {kWhite, {255, 175, 255}, {255, 175, 255}, kWhite});
}

TEST(Filters, find_edges_sees_a_point_from_all_sides) {
  for (const uint32_t at : {5u, 63u, 64u}) {
    Picture picture(128, 128, kBlack);
    picture.at(at, at) = {255, 0, 0, 9};
    const Picture result = filter({"find-edges"}, picture);
    for (uint32_t y = at - 2; y <= at + 2; ++y) {
      for (uint32_t x = at - 2; x <= at + 2; ++x) {
        const auto far = std::max(x > at ? x - at : at - x, y > at ? y - at : at - y);
        // |gx| + |gy| is 2 beside the point and 1 + 1 at its corners: 1 - 0.2 * 2.
        Color expected = kWhite;
        if (far == 1) expected.red = 153;
        if (far == 0) expected.alpha = 9;
        EXPECT_EQ(result.at(x, y), expected) << x << ' ' << y;
      }
    }
  }
}

TEST(Filters, cutout_leaves_levels_and_darkens_edges) {
  const Picture flat(70, 3, {42, 128, 213, 5});
  EXPECT_EQ(filter({"cutout"}, flat), Picture(70, 3, {0, 170, 255, 5}));
  EXPECT_EQ(filter({"cutout", "?levels=2"}, flat), Picture(70, 3, {0, 255, 255, 5}));
  // The step from black to white is an edge of 4 / 8. 1 - 0.6 * (0.5 - 0.25) / (1 - 0.25)
  const Picture step = vertical_edge(kBlack, kWhite);
  expect_columns(filter({"cutout", "?edge_strength=0.6"}, step), 62, greys({0, 0, 204, 255}));
  expect_columns(filter({"cutout", "?edge_strength=1"}, step), 62, greys({0, 0, 170, 255}));
  expect_columns(filter({"cutout", "?edge_strength=1&edge_threshold=0.51"}, step), 62,
                 greys({0, 0, 255, 255}));
  // An edge of the luma: green and white differ by 0.413, that is an edge of 0.2065.
  expect_columns(
      filter({"cutout", "?edge_strength=1&edge_threshold=0"}, vertical_edge({0, 255, 0}, kWhite)),
      62, {{0, 255, 0}, {0, 202, 0}, grey(202), kWhite});
}

// Three box blurs of three pixels: 1 3 6 7 6 3 1, of 27.
TEST(Filters, gaussian_blur_spreads_a_point) {
  const int expected[4][4] = {{17, 15, 7, 2}, {15, 13, 6, 2}, {7, 6, 3, 1}, {2, 2, 1, 0}};
  for (const char* name : {"gaussian-blur", "gaussian-blur-simd"}) {
    for (const uint32_t at : {20u, 63u, 64u}) {
      Picture picture(128, 128, kBlack);
      picture.at(at, at) = kWhite;
      const Picture result = filter({name, "?radius=1.9"}, picture);
      for (uint32_t y = 0; y < 128; ++y) {
        for (uint32_t x = 0; x < 128; ++x) {
          const uint32_t dx = x > at ? x - at : at - x, dy = y > at ? y - at : at - y;
          ASSERT_EQ(result.at(x, y), grey(dx < 4 && dy < 4 ? expected[dy][dx] : 0))
              << name << ' ' << at << ": " << x << ' ' << y;
        }
      }
    }
  }
}

TEST(Filters, gaussian_blur_softens_a_step) {
  // The sums of the row above, of 27: 1, 4, 10, 17, 23, 26.
  const std::vector<Color> ramp = greys({0, 9, 38, 94, 161, 217, 246, 255});
  for (const char* name : {"gaussian-blur", "gaussian-blur-simd"})
    expect_columns(filter({name, "?radius=1"}, vertical_edge(kBlack, kWhite)), 60, ramp);
}

TEST(Filters, gaussian_blur_continues_the_image_beyond_its_border) {
  // A point in the corner stands for all that lies beyond: (17 / 27)^2, 17 * 10, 17 * 4, 17 * 1.
  Picture picture(10, 10, kBlack);
  picture.at(0, 0) = kWhite;
  const Picture result = filter({"gaussian-blur", "?radius=1"}, picture);
  expect_columns(Picture(1, 1, result.at(0, 0)), 0, greys({101}));
  EXPECT_EQ(result.at(1, 0), grey(59));
  EXPECT_EQ(result.at(0, 1), grey(59));
  EXPECT_EQ(result.at(2, 0), grey(24));
  EXPECT_EQ(result.at(1, 1), grey(35));
  EXPECT_EQ(result.at(4, 0), kBlack);
  EXPECT_EQ(filter({"gaussian-blur", "?radius=12"}, Picture(130, 70, {9, 99, 199, 49})),
            Picture(130, 70, {9, 99, 199, 49}));
}

TEST(Filters, blurs_take_no_colour_from_transparent_pixels) {
  const Color red = {255, 0, 0, 255}, nothing = {0, 255, 0, 0};
  for (const Chain& chain :
       {Chain{"gaussian-blur", "?radius=1"}, Chain{"gaussian-blur-simd", "?radius=1"}}) {
    expect_columns(filter(chain, vertical_edge(red, nothing)), 60,
                   {{255, 0, 0, 255},
                    {255, 0, 0, 246},
                    {255, 0, 0, 217},
                    {255, 0, 0, 161},
                    {255, 0, 0, 94},
                    {255, 0, 0, 38},
                    {255, 0, 0, 9},
                    nothing});
  }
  expect_columns(filter({"motion-blur", "?radius=1"}, vertical_edge(red, nothing)), 62,
                 {{255, 0, 0, 255}, {255, 0, 0, 170}, {255, 0, 0, 85}, nothing});
}

TEST(Filters, gaussian_blurs_agree_to_the_byte) {
  for (const Picture& picture :
       {noise_of_four_tiles(), noise(1, 1), noise(1, 90), noise(64, 64, false)}) {
    for (const char* radius : {"?radius=1", "?radius=2", "?radius=5", "?radius=12"}) {
      EXPECT_TRUE(filter({"gaussian-blur", radius}, picture) ==
                  filter({"gaussian-blur-simd", radius}, picture))
          << picture.width << " x " << picture.height << ' ' << radius;
    }
    EXPECT_TRUE(filter({"gaussian-blur"}, picture) ==
                filter({"gaussian-blur-simd", "?radius=2"}, picture));
  }
}

TEST(Filters, unsharp_mask_steepens_a_step) {
  // The step from 100 to 200 is blurred to 103.7, 114.8, 137.0 | 163.0, 185.2, 196.3.
  const Picture step = vertical_edge(grey(100), grey(200));
  expect_columns(filter({"unsharp-mask", "?radius=1&amount=1&threshold=0"}, step), 60,
                 greys({100, 96, 85, 63, 237, 215, 204, 200}));
  expect_columns(filter({"unsharp-mask", "?radius=1&amount=1&threshold=0.1"}, step), 60,
                 greys({100, 100, 100, 63, 237, 200, 200, 200}));
  expect_columns(filter({"unsharp-mask", "?radius=1"}, step), 60,
                 greys({100, 100, 91, 78, 222, 209, 200, 200}));
  expect_columns(filter({"unsharp-mask", "?radius=1&amount=2"}, step), 62,
                 greys({70, 26, 255, 230}));
}

TEST(Filters, motion_blur_spreads_a_point_along_a_line) {
  struct Case {
    const char* settings;
    std::vector<std::pair<int, int>> places;  // from the point, all with `value`
    int value;
  };
  const std::vector<Case> cases = {
      {"?radius=1", {{-1, 0}, {0, 0}, {1, 0}}, 85},
      {"?radius=1&angle=180", {{-1, 0}, {0, 0}, {1, 0}}, 85},
      {"?radius=1&angle=90", {{0, -1}, {0, 0}, {0, 1}}, 85},
      {"?radius=1&angle=-45", {{-1, 1}, {0, 0}, {1, -1}}, 85},
      {"?radius=2.7&angle=-90", {{0, -2}, {0, -1}, {0, 0}, {0, 1}, {0, 2}}, 51},
      // Two pixels along 30 degrees lead to 1.73 and 1, one to 0.87 and 0.5, rounded to even.
      {"?radius=2&angle=30.01", {{-2, -1}, {-1, -1}, {0, 0}, {1, 1}, {2, 1}}, 51},
      {"?radius=2&angle=29.99", {{-2, -1}, {-1, 0}, {0, 0}, {1, 0}, {2, 1}}, 51},
  };
  for (const Case& expected : cases) {
    for (const uint32_t at : {30u, 63u, 64u}) {
      Picture picture(128, 128, kBlack), blurred = picture;
      picture.at(at, at) = kWhite;
      for (const auto& [dx, dy] : expected.places) {
        blurred.at(static_cast<uint32_t>(static_cast<int>(at) + dx),
                   static_cast<uint32_t>(static_cast<int>(at) + dy)) = grey(expected.value);
      }
      EXPECT_TRUE(filter({"motion-blur", expected.settings}, picture) == blurred)
          << expected.settings << " at " << at;
    }
  }
}

TEST(Filters, motion_blur_takes_a_sample_per_pixel_of_its_length) {
  // At 45 degrees four steps of sqrt(1 / 2) lead to 1, 1, and so the diagonal neighbours count
  // twice. Default: 17 samples to the right and to the left.
  Picture picture(64, 64, kBlack);
  picture.at(20, 20) = kWhite;
  const Picture diagonal = filter({"motion-blur", "?radius=2&angle=45"}, picture);
  EXPECT_EQ(diagonal.at(19, 19), grey(102));
  EXPECT_EQ(diagonal.at(20, 20), grey(51));
  EXPECT_EQ(diagonal.at(21, 21), grey(102));
  EXPECT_EQ(diagonal.at(22, 22), kBlack);
  const Picture across = filter({"motion-blur"}, picture);
  for (uint32_t x = 0; x < 64; ++x)
    EXPECT_EQ(across.at(x, 20), grey(x >= 12 && x <= 28 ? 15 : 0)) << x;
}

// --- What every filter promises ------------------------------------------------------------------

struct Setting {
  string filter, name, low, high, initial;
  bool is_float = true;
};

std::vector<Setting> settings() {
  std::vector<Setting> all = {
      {"brightness", "brightness", "-1", "1", "0"},
      {"color-halftone", "max_radius", "1", "24", "6"},
      {"contrast", "contrast", "-0.999", "0.999", "0"},
      {"cutout", "edge_strength", "0", "1", "0.7"},
      {"cutout", "edge_threshold", "0", "0.99", "0.25"},
      {"cutout", "levels", "2", "16", "4"},
      {"gaussian-blur", "radius", "0", "12", "2"},
      {"gaussian-blur-simd", "radius", "0", "12", "2"},
      {"motion-blur", "radius", "0", "32", "8"},
      {"posterize", "levels_count", "2", "255", "8", false},
      {"render-clouds", "contrast", "0.1", "2.5", "1.2"},
      {"render-clouds", "octaves", "1", "8", "4", false},
      {"render-clouds", "persistence", "0", "0.95", "0.5"},
      {"render-clouds", "scale", "8", "512", "96"},
      {"saturation", "saturation", "-1", "1", "0"},
      {"temperature", "temperature", "-1", "1", "0"},
      {"tint", "tint", "-1", "1", "0"},
      {"unsharp-mask", "amount", "0", "2", "0.6"},
      {"unsharp-mask", "radius", "0", "10", "2"},
      {"unsharp-mask", "threshold", "0", "1", "0.02"},
      {"vignette", "amount", "0", "1", "0.5"},
      {"vignette", "feather", "0", "1", "0.5"},
      {"vignette", "midpoint", "0", "0.999", "0.75"},
  };
  for (char row = '0'; row < '4'; ++row)
    for (char column = '0'; column < '5'; ++column)
      all.push_back({"color-matrix-simd", string("m") + row + column, "-1000", "1000",
                     row == column ? "1" : "0"});
  return all;
}

// Whole settings, whatever their range: all values are good, or those that are not are ignored.
const std::vector<std::pair<string, string>> kOtherSettings = {
    {"color-halftone", "angle_c"}, {"color-halftone", "angle_m"}, {"color-halftone", "angle_y"},
    {"color-halftone", "angle_k"}, {"hue-rotate", "hue_degrees"}, {"motion-blur", "angle"},
    {"render-clouds", "seed"},
};

std::vector<string> all_filters() {
  std::vector<string> names;
  for (const auto& entry : std::filesystem::directory_iterator("modules/rgba"))
    if (entry.path().extension() == ".wasm") names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Filters, hold_their_settings_within_their_ranges) {
  const Picture picture = noise(70, 66);
  for (const Setting& setting : settings()) {
    const auto with = [&](const string& value) {
      return filter({setting.filter, "?" + setting.name + "=" + value}, picture);
    };
    SCOPED_TRACE(setting.filter + " " + setting.name);
    const Picture low = with(setting.low), high = with(setting.high);
    EXPECT_FALSE(low == high);
    EXPECT_TRUE(with(setting.is_float ? "-1e9" : "-2147483648") == low);
    EXPECT_TRUE(with(setting.is_float ? "1e9" : "2147483647") == high);
    if (!setting.is_float) continue;
    EXPECT_TRUE(with("-inf") == low);
    EXPECT_TRUE(with("inf") == high);
    EXPECT_TRUE(with("nan") == filter({setting.filter}, picture));
  }
}

// Whether the setter answers with `counts`, the value that counts from then on.
void expect_answer(const string& filter, const string& setting, const string& value,
                   const string& counts) {
  const ProcessResult result =
      run_process({qip_path(), "call", path_of(filter), "uniform_set_" + setting, value});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(strtof(result.output.c_str(), nullptr), strtof(counts.c_str(), nullptr))
      << filter << ' ' << setting << '=' << value << ": " << result.output;
}

TEST(Filters, answer_with_the_value_that_counts) {
  for (const auto& [filter, name, low, high, initial, is_float] : settings()) {
    expect_answer(filter, name, is_float ? "-1e30" : "-2000000000", low);
    expect_answer(filter, name, is_float ? "1e30" : "2000000000", high);
    expect_answer(filter, name, low, low);
    expect_answer(filter, name, high, high);
    if (is_float) expect_answer(filter, name, "nan", initial);
  }
  const std::vector<std::pair<string, string>> angles = {{"angle_c", "0.2617994"},
                                                         {"angle_m", "1.3089970"},
                                                         {"angle_y", "0"},
                                                         {"angle_k", "0.7853982"}};
  for (const auto& [name, initial] : angles) {
    expect_answer("color-halftone", name, "nan", initial);
    expect_answer("color-halftone", name, "0.26", "0.26");
  }
  expect_answer("hue-rotate", "hue_degrees", "nan", "0");
  expect_answer("motion-blur", "angle", "nan", "0");
}

TEST(Filters, ignore_angles_that_are_none) {
  const Picture picture = noise(70, 66);
  for (const auto& [name, setting] : kOtherSettings) {
    if (setting == "seed") continue;
    const Picture usual = filter({name}, picture);
    for (const char* value : {"nan", "inf", "-inf", "1.1e7", "-1e30"})
      EXPECT_TRUE(filter({name, "?" + setting + "=" + value}, picture) == usual)
          << name << ' ' << setting << ' ' << value;
    EXPECT_FALSE(filter({name, "?" + setting + "=30"}, picture) == usual) << name << ' ' << setting;
  }
}

// The settings of a filter, as the command tells them.
std::set<string> exported_settings(const string& name) {
  const ProcessResult result = run_process({qip_path(), "inspect", path_of(name)});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  std::set<string> found;
  const string mark = "uniform_set_";
  for (size_t at = 0; (at = result.output.find(mark, at)) != string::npos;) {
    at += mark.size();
    found.insert(result.output.substr(at, result.output.find(' ', at) - at));
  }
  found.erase("width_and_height");
  return found;
}

TEST(Filters, have_all_their_settings_tested_and_in_the_readme) {
  std::ifstream file("modules/README.md");
  const string readme{std::istreambuf_iterator<char>(file), {}};
  const std::vector<string> names = all_filters();
  EXPECT_GE(names.size(), 19u);
  for (const string& name : names) {
    std::set<string> known;
    for (const Setting& setting : settings())
      if (setting.filter == name) known.insert(setting.name);
    for (const auto& [filter_name, setting] : kOtherSettings)
      if (filter_name == name) known.insert(setting);
    EXPECT_EQ(exported_settings(name), known) << name;
    const size_t row = readme.find("| `rgba/" + name + "` |");
    ASSERT_NE(row, string::npos) << name;
    const string line = readme.substr(row, readme.find('\n', row) - row);
    for (const string& setting : known) {
      const bool is_entry = name == "color-matrix-simd";
      EXPECT_NE(line.find(is_entry ? "`m00`" : "`" + setting + "`"), string::npos)
          << name << ' ' << setting;
    }
  }
}

TEST(Filters, keep_alpha_unless_they_blur_it) {
  const Picture picture = noise_of_four_tiles();
  const std::set<string> blurs = {"gaussian-blur", "gaussian-blur-simd", "motion-blur"};
  for (const string& name : all_filters()) {
    const Picture result = filter({name}, picture);
    bool is_kept = true;
    for (size_t i = 0; i < picture.pixels.size(); ++i)
      is_kept &= result.pixels.at(i).alpha == picture.pixels[i].alpha;
    EXPECT_EQ(is_kept, !blurs.contains(name)) << name;
  }
}

// The middle of a picture does not show how the picture was cut into tiles, nor what lies beyond
// its border: cut off 64 pixels on each side, it is filtered to the same bytes.
TEST(Filters, show_no_seams_between_tiles) {
  const Picture whole = noise(320, 256);
  Picture part(256, 192);  // a tile's step further right and down
  for (uint32_t y = 0; y < part.height; ++y)
    for (uint32_t x = 0; x < part.width; ++x) part.at(x, y) = whole.at(x + 33, y + 33);
  const std::set<string> placed = {"vignette", "color-halftone", "render-clouds"};
  for (const string& name : all_filters()) {
    if (placed.contains(name)) continue;
    const Picture of_whole = filter({name}, whole), of_part = filter({name}, part);
    for (uint32_t y = 40; y < part.height - 40; ++y)
      for (uint32_t x = 40; x < part.width - 40; ++x)
        ASSERT_EQ(of_part.at(x, y), of_whole.at(x + 33, y + 33)) << name << ' ' << x << ' ' << y;
  }
}

// `qip image` fills what lies beyond the image with 0, `qip run` with the nearest pixel.
TEST(Filters, give_the_same_in_both_commands) {
  string folder = (std::filesystem::temp_directory_path() / "filters-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  for (const Picture& picture : {noise(1, 1), noise(65, 3), noise_of_four_tiles()}) {
    for (const string& name : all_filters()) {
      const string output = folder + "/" + name + ".bmp";
      const ProcessResult result = run_process(
          {qip_path(), "image", "-i", "-", "-o", output, path_of(name)}, to_bmp(picture), 60000);
      EXPECT_EQ(result.exit_code, 0) << result.error;
      std::ifstream file(output, std::ios::binary);
      const string bytes{std::istreambuf_iterator<char>(file), {}};
      EXPECT_TRUE(bytes == to_bmp(filter({name}, picture)))
          << name << ' ' << picture.width << " x " << picture.height;
    }
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace qip
