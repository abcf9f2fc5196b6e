// Draws and recolours SVG sources through the built command. Expected pixels are worked out by hand
// from modules/README.md and SVG 2; where a curve has no exact pixels, it is compared with the same
// shape said in another way.
// Assumes: the working directory is the root of the repository; the command is $QIP or build/qip.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "spec-tests/picture_components.hpp"

namespace qip {
namespace {

using std::string;

const string kRasterize = "image/svg+xml/svg-rasterize";
const string kRecolor = "image/svg+xml/svg-recolor-current-color";

const Color kClear = {0, 0, 0, 0}, kBlack = {0, 0, 0, 255}, kWhite = {255, 255, 255, 255};
const Color kRed = {255, 0, 0, 255}, kBlue = {0, 0, 255, 255};

// --- svg-rasterize: the image --------------------------------------------------------------------

string svg(const string& attributes, const string& content) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" " + attributes + ">" + content + "</svg>";
}

Picture draw(const string& attributes, const string& content) {
  return picture_of({kRasterize}, svg(attributes, content));
}

// The picture of `content` at 8 by 8 pixels.
Picture draw8(const string& content) {
  return draw("width=\"8\" height=\"8\"", content);
}

// Clear, with one colour from (left, top) up to (right, bottom).
Picture box8(uint32_t left, uint32_t top, uint32_t right, uint32_t bottom, Color color = kBlack) {
  Picture picture(8, 8, kClear);
  for (uint32_t y = top; y < bottom; ++y)
    for (uint32_t x = left; x < right; ++x) picture.at(x, y) = color;
  return picture;
}

testing::AssertionResult is_size(const string& source, uint32_t width, uint32_t height) {
  const Picture picture = picture_of({kRasterize}, source);
  if (picture.width == width && picture.height == height) return testing::AssertionSuccess();
  return testing::AssertionFailure() << picture.width << " x " << picture.height << ": " << source;
}

// The largest difference of a channel, with colours as much as they are opaque.
int difference(const Picture& one, const Picture& other) {
  if (one.width != other.width || one.height != other.height) return 256;
  int largest = 0;
  for (size_t i = 0; i < one.pixels.size(); ++i) {
    const Color &a = one.pixels[i], &b = other.pixels[i];
    const auto weighted = [](int channel, int alpha) { return channel * alpha / 255; };
    for (const int found :
         {weighted(a.red, a.alpha) - weighted(b.red, b.alpha),
          weighted(a.green, a.alpha) - weighted(b.green, b.alpha),
          weighted(a.blue, a.alpha) - weighted(b.blue, b.alpha), a.alpha - b.alpha})
      largest = std::max(largest, std::abs(found));
  }
  return largest;
}

TEST(SvgRasterize, draws_the_flag_of_the_guide) {
  const string flag =
      "<svg width=\"32\" height=\"32\"><rect width=\"32\" height=\"32\" fill=\"#d52b1e\" /><rect "
      "x=\"13\" y=\"6\" width=\"6\" height=\"20\" fill=\"#ffffff\" /><rect x=\"6\" y=\"13\" "
      "width=\"20\" height=\"6\" fill=\"#ffffff\" /></svg>\n";
  Picture expected(32, 32, {0xd5, 0x2b, 0x1e, 255});
  for (uint32_t y = 6; y < 26; ++y)
    for (uint32_t x = 13; x < 19; ++x) expected.at(x, y) = expected.at(y, x) = kWhite;
  EXPECT_EQ(output_of({kRasterize}, flag), to_bmp(expected));
  EXPECT_EQ(output_of({kRasterize}, flag).size(), 4150u);
  EXPECT_EQ(output_of({kRasterize, "image/bmp/bmp-double"}, flag).size(), 16438u);
  EXPECT_EQ(output_of({kRasterize, "image/bmp/bmp-to-ico"}, flag).size(), 4286u);
}

TEST(SvgRasterize, takes_its_size_from_width_and_height_or_the_view_box) {
  EXPECT_TRUE(is_size("<svg width=\"7\" height=\"5px\"/>", 7, 5));
  EXPECT_TRUE(is_size("<svg width=\"6.2\" height=\"1e1\"/>", 7, 10));
  EXPECT_TRUE(is_size("<svg width=\"1in\" height=\"3pt\"/>", 96, 4));
  EXPECT_TRUE(is_size("<svg viewBox=\"0 0 24 12\"/>", 24, 12));
  EXPECT_TRUE(is_size("<svg viewBox=\"0,0,24,12\" width=\"48\"/>", 48, 24));
  EXPECT_TRUE(is_size("<svg viewBox=\"0 0 24 12\" height=\"48\"/>", 96, 48));
  EXPECT_TRUE(is_size("<svg viewBox=\"0 0 24 12\" width=\"100%\" height=\"100%\"/>", 24, 12));
  EXPECT_TRUE(is_size("<svg/>", 300, 150));
  EXPECT_TRUE(
      is_size("\xef\xbb\xbf<?xml version=\"1.0\"?><!DOCTYPE svg [<!ENTITY a \"b\">]>\n"
              "<!-- <svg> --><svg:svg width=\"2\" height=\"3\"></svg:svg>\n",
              2, 3));
  EXPECT_TRUE(is_size("<svg width=\"2048\" height=\"2048\"/>", 2048, 2048));
  EXPECT_TRUE(traps({kRasterize}, "<svg width=\"2049\" height=\"2048\"/>"));
  EXPECT_TRUE(traps({kRasterize}, "<svg width=\"32768\" height=\"1\"/>"));
  EXPECT_TRUE(traps({kRasterize}, "<svg width=\"-4\" height=\"1\"/>"));
}

TEST(SvgRasterize, fits_the_view_box_into_the_image) {
  const string rect = "<rect x=\"10\" y=\"10\" width=\"4\" height=\"2\"/>";
  const string box = "viewBox=\"10 10 4 2\" width=\"8\" height=\"8\"";
  EXPECT_EQ(draw(box, rect), box8(0, 2, 8, 6));
  EXPECT_EQ(draw(box + " preserveAspectRatio=\"xMidYMin\"", rect), box8(0, 0, 8, 4));
  EXPECT_EQ(draw(box + " preserveAspectRatio=\"xMinYMax meet\"", rect), box8(0, 4, 8, 8));
  EXPECT_EQ(draw(box + " preserveAspectRatio=\"none\"", rect), box8(0, 0, 8, 8));
  // Four times as large to fill the image, of which the left half of the rectangle is seen.
  const string left = "<rect x=\"10\" y=\"10\" width=\"1\" height=\"2\"/>";
  EXPECT_EQ(draw(box + " preserveAspectRatio=\"xMinYMid slice\"", left), box8(0, 0, 4, 8));
  EXPECT_EQ(draw(box + " preserveAspectRatio=\"xMidYMid slice\"", left), Picture(8, 8, kClear));
}

TEST(SvgRasterize, covers_a_pixel_as_much_as_its_area_is) {
  EXPECT_EQ(draw8("<rect x=\"1\" y=\"2\" width=\"3\" height=\"4\"/>"), box8(1, 2, 4, 6));
  Picture expected = box8(1, 1, 2, 2, {0, 0, 0, 64});  // a half by a half
  expected.at(2, 1) = {0, 0, 0, 128};
  expected.at(1, 2) = {0, 0, 0, 191};  // a half by one, and a quarter more below
  const string shape = "<path d=\"M1.5 1.5H3V2H2V3H1V2h.5z\"/>";
  expected.at(1, 2) = kBlack;
  EXPECT_EQ(draw8(shape), expected);
  // The diagonal halves the pixels on it.
  Picture triangle(8, 8, kClear);
  for (uint32_t y = 0; y < 8; ++y)
    for (uint32_t x = 0; x <= y; ++x)
      triangle.at(x, y) = {0, 0, 0, static_cast<uint8_t>(x == y ? 128 : 255)};
  EXPECT_EQ(draw8("<path d=\"M0 0V8H8Z\"/>"), triangle);
  EXPECT_EQ(draw8("<path d=\"M-8 -8V8H8Z\"/>"), triangle);  // cut off at the left and the top
  // A slope over four columns: an eighth, three, five and seven eighths of a row.
  const Picture slope = draw8("<path d=\"M0 1L4 0V1Z\"/>");
  EXPECT_EQ(slope.at(0, 0).alpha, 32);
  EXPECT_EQ(slope.at(1, 0).alpha, 96);
  EXPECT_EQ(slope.at(2, 0).alpha, 159);
  EXPECT_EQ(slope.at(3, 0).alpha, 223);
}

TEST(SvgRasterize, covers_pixels_in_which_lines_cross) {
  // Two triangles in one row of pixels, whose sides cross in its middle: of the pixels, 7, 5, 3, 1,
  // 1, 3, 5 and 7 eighths.
  const int alphas[] = {223, 159, 96, 32, 32, 96, 159, 223};
  for (const char* rule : {"nonzero", "evenodd"}) {
    const Picture picture =
        draw8("<path fill-rule=\"" + string(rule) + "\" d=\"M0 0L8 1V0L0 1Z\"/>");
    for (uint32_t x = 0; x < 8; ++x) EXPECT_NEAR(picture.at(x, 0).alpha, alphas[x], 1) << x;
  }
}

TEST(SvgRasterize, cuts_shapes_off_at_the_image) {
  const string large = "<rect x=\"-4e8\" y=\"-1e8\" width=\"9e8\" height=\"9e8\"/>";
  EXPECT_EQ(draw8(large), box8(0, 0, 8, 8));
  EXPECT_EQ(draw8("<rect x=\"-5\" y=\"3\" width=\"50\" height=\"2\"/>"), box8(0, 3, 8, 5));
  EXPECT_EQ(draw8("<rect x=\"5\" y=\"-3\" width=\"2\" height=\"50\"/>"), box8(5, 0, 7, 8));
  EXPECT_EQ(draw8("<rect x=\"-5\" y=\"3\" width=\"5\" height=\"2\"/>"
                  "<rect x=\"8\" y=\"3\" width=\"5\" height=\"2\"/>"
                  "<rect x=\"3\" y=\"8\" width=\"5\" height=\"2\"/>"),
            Picture(8, 8, kClear));
  const string infinite = "<g transform=\"" + [] {
    string text;
    for (int i = 0; i < 40; ++i) text += "scale(1e9)";
    return text;
  }() + " skewX(90)\"><circle r=\"5\" stroke=\"red\"/><path d=\"M0 0c1 1 2 2 3 3z\"/></g>";
  EXPECT_EQ(draw8(infinite).width, 8u);
}

// --- svg-rasterize: shapes and paths -------------------------------------------------------------

// Both draw the same, but for `tolerance` in any channel.
testing::AssertionResult look_alike(const string& one, const string& other, int tolerance = 0) {
  const string size = "width=\"64\" height=\"64\"";
  const Picture picture = draw(size, one);
  const int found = difference(picture, draw(size, other));
  if (picture == Picture(64, 64, kClear)) return testing::AssertionFailure() << "draws nothing";
  if (found <= tolerance) return testing::AssertionSuccess();
  return testing::AssertionFailure() << one << " and " << other << " differ by " << found;
}

string path(const string& data) {
  return "<path d=\"" + data + "\"/>";
}

TEST(SvgRasterize, draws_basic_shapes_as_the_paths_that_they_are) {
  EXPECT_TRUE(look_alike("<rect x=\"5\" y=\"6.5\" width=\"20\" height=\"30\"/>",
                         path("M5 6.5H25V36.5H5Z")));
  EXPECT_TRUE(look_alike("<rect x=\"5\" y=\"6\" width=\"20\" height=\"30\" rx=\"4\"/>",
                         path("M9 6H21A4 4 0 0 1 25 10V32A4 4 0 0 1 21 36H9A4 4 0 0 1 5 32V10A4 4 "
                              "0 0 1 9 6Z"),
                         1));
  EXPECT_TRUE(look_alike("<rect x=\"5\" y=\"6\" width=\"20\" height=\"30\" rx=\"99\" ry=\"2\"/>",
                         "<rect x=\"5\" y=\"6\" width=\"20\" height=\"30\" rx=\"10\" ry=\"2\"/>"));
  EXPECT_TRUE(look_alike("<circle cx=\"30\" cy=\"31\" r=\"20\"/>",
                         path("M10 31A20 20 0 0 1 50 31A20 20 0 0 1 10 31"), 2));
  EXPECT_TRUE(look_alike("<ellipse cx=\"30\" cy=\"31\" rx=\"20\" ry=\"7\"/>",
                         path("M10 31a20 7 0 1 0 40 0a20 7 0 1 0-40 0"), 2));
  EXPECT_TRUE(look_alike("<ellipse cx=\"30\" cy=\"31\" rx=\"7\"/>",
                         "<circle cx=\"30\" cy=\"31\" r=\"7\"/>"));
  EXPECT_TRUE(
      look_alike("<polygon points=\"1,2 30 4 , 17-3,20,60\"/>", path("M1 2 30 4 17 -3 20 60Z")));
  EXPECT_TRUE(look_alike("<polyline points=\"1,2 30 4 20,60 7\"/>", path("M1 2 30 4 20 60")));
  EXPECT_TRUE(look_alike("<rect width=\"50%\" height=\"25%\"/>", path("M0 0H32V16H0Z")));
}

TEST(SvgRasterize, knows_every_path_command_in_both_forms) {
  EXPECT_TRUE(look_alike(path("M10 10L50 20L30 60Z"), path("m10 10l40 10l-20 40z")));
  EXPECT_TRUE(look_alike(path("M10 10L50 20L30 60Z"), path("m10,10,40,10-20,40z")));
  EXPECT_TRUE(look_alike(path("M10 10H50V40H10Z"), path("m10 10h40v30h-40z")));
  EXPECT_TRUE(look_alike(path("M10 10C10 60 60 60 60 10Z"), path("m10 10c0 50 50 50 50 0z")));
  EXPECT_TRUE(look_alike(path("M10 30Q20 0 30 30Z"), path("m10 30q10-30 20 0z")));
  EXPECT_TRUE(
      look_alike(path("M10 30Q20 0 30 30Z"), path("M10 30C16.6666667 10 23.3333333 10 30 30Z"), 1));
  EXPECT_TRUE(look_alike(path("M5 30C5 5 20 5 20 30S40 60 40 30Z"),
                         path("M5 30C5 5 20 5 20 30C20 55 40 60 40 30Z")));
  EXPECT_TRUE(look_alike(path("M5 30C5 5 20 5 20 30S40 60 40 30Z"),
                         path("M5 30c0-25 15-25 15 0s20 30 20 0z")));
  EXPECT_TRUE(look_alike(path("M5 30S20 5 40 30Z"), path("M5 30C5 30 20 5 40 30Z")));
  EXPECT_TRUE(look_alike(path("M5 30Q15 5 25 30T45 30Z"), path("M5 30Q15 5 25 30Q35 55 45 30Z")));
  EXPECT_TRUE(
      look_alike(path("M5 30Q15 5 25 30T45 30T60 40Z"), path("M5 30q10-25 20 0t20 0 15 10z")));
  EXPECT_TRUE(look_alike(path("M20 20 5 40T40 40Z"), path("M20 20 5 40L40 40Z")));
  EXPECT_TRUE(look_alike(path("M10 30A20 10 30 0 1 50 40Z"), path("m10 30a20 10 30 0 1 40 10z")));
  EXPECT_TRUE(look_alike(path("M10 30A20 10 30 0 1 50 40Z"), path("M10,30a20,10,30,01 40,10z")));
  EXPECT_TRUE(look_alike(path("M.5.5L60.5.5 30 6e1Z"), path("M0.5 0.5 60.5 0.5 30 60Z")));
}

TEST(SvgRasterize, chooses_the_arc_that_the_flags_mean) {
  // From (10, 30) to (50, 30) on circles of 25 around (30, 15) and (30, 45): the small arcs reach
  // y = 20 and 40, the large ones -10 and 70.
  const auto covers = [](const string& flags, uint32_t x, uint32_t y) {
    const Picture picture =
        draw("width=\"64\" height=\"64\"", path("M10 30A25 25 0 " + flags + " 50 30Z"));
    return picture.at(x, y).alpha == 255;
  };
  EXPECT_TRUE(covers("0 1", 30, 22));
  EXPECT_FALSE(covers("0 1", 30, 18));
  EXPECT_FALSE(covers("0 1", 30, 31));
  EXPECT_TRUE(covers("0 0", 30, 37));
  EXPECT_FALSE(covers("0 0", 30, 42));
  EXPECT_FALSE(covers("0 0", 30, 28));
  EXPECT_TRUE(covers("1 1", 30, 3));
  EXPECT_TRUE(covers("1 1", 7, 15));
  EXPECT_FALSE(covers("1 1", 30, 31));
  EXPECT_TRUE(covers("1 0", 30, 57));
  EXPECT_TRUE(covers("1 0", 7, 45));
  EXPECT_FALSE(covers("1 0", 30, 28));
}

TEST(SvgRasterize, makes_the_best_of_arcs_without_a_solution) {
  EXPECT_TRUE(look_alike(path("M10 30A0 9 0 0 1 50 30V60Z"), path("M10 30H50V60Z")));
  EXPECT_TRUE(look_alike(path("M10 30A1 1 0 0 1 50 30Z"), path("M10 30A20 20 0 0 1 50 30Z"), 1));
  EXPECT_TRUE(look_alike(path("M10 30A-20 20 0 0 1 50 30Z"), path("M10 30A20 20 0 0 1 50 30Z")));
  EXPECT_TRUE(look_alike(path("M10 30A9 9 0 0 1 10 30H50V60Z"), path("M10 30H50V60Z")));
}

TEST(SvgRasterize, draws_path_data_up_to_the_first_mistake) {
  const string good = path("M10 10H50V50");
  for (const char* tail : {"L", "X", "L5", "l 3 a", "C1 2 3 4 5", "A5 5 0 2 0 9 9", " ..", "#"})
    EXPECT_TRUE(look_alike(path("M10 10H50V50" + string(tail)), good)) << tail;
  EXPECT_EQ(draw8(path("L8 8 0 8")), Picture(8, 8, kClear));
  EXPECT_EQ(draw8(path("")), Picture(8, 8, kClear));
  EXPECT_EQ(draw8(path("M")), Picture(8, 8, kClear));
}

TEST(SvgRasterize, fills_by_either_rule) {
  const string nested = "d=\"M0 0H8V8H0Z M2 2H6V6H2Z\"";
  Picture ring = box8(0, 0, 8, 8);
  for (uint32_t y = 2; y < 6; ++y)
    for (uint32_t x = 2; x < 6; ++x) ring.at(x, y) = kClear;
  EXPECT_EQ(draw8("<path " + nested + "/>"), box8(0, 0, 8, 8));
  EXPECT_EQ(draw8("<path fill-rule=\"evenodd\" " + nested + "/>"), ring);
  EXPECT_EQ(draw8("<path d=\"M0 0H8V8H0Z M2 2V6H6V2Z\"/>"), ring);
  // Where a shape covers itself in part, nothing is counted twice.
  EXPECT_EQ(draw8("<path d=\"M1 1H3.5V3H1ZM1 1H3.5V3H1Z\"/>").at(3, 1).alpha, 128);
}

// --- svg-rasterize: transforms, groups, paint ----------------------------------------------------

TEST(SvgRasterize, applies_transforms_from_the_outside_in) {
  const auto moved = [](const string& transform) {
    return draw8("<rect width=\"2\" height=\"1\" transform=\"" + transform + "\"/>");
  };
  EXPECT_EQ(moved("translate(3)"), box8(3, 0, 5, 1));
  EXPECT_EQ(moved("translate(3 , 4)"), box8(3, 4, 5, 5));
  EXPECT_EQ(moved("scale(2)"), box8(0, 0, 4, 2));
  EXPECT_EQ(moved("scale(2 3)"), box8(0, 0, 4, 3));
  EXPECT_EQ(moved("rotate(90) translate(1 -5)"), box8(4, 1, 5, 3));
  EXPECT_EQ(moved("rotate(90 4 4)"), box8(7, 0, 8, 2));
  EXPECT_EQ(moved("rotate(-450 4 4)"), box8(0, 6, 1, 8));
  EXPECT_EQ(moved("matrix(1 0 0 2 3 4)"), box8(3, 4, 5, 6));
  EXPECT_EQ(moved("translate(2,2)scale(2),translate(1)"), box8(4, 2, 8, 4));
  EXPECT_EQ(moved("translate(1) wrong(2)"), box8(0, 0, 2, 1));
  EXPECT_EQ(moved("translate(1"), box8(0, 0, 2, 1));
  EXPECT_EQ(draw8("<g transform=\"translate(1 2)\"><g transform=\"scale(2)\"><rect x=\"1\" "
                  "width=\"1\" height=\"2\"/></g></g>"),
            box8(3, 2, 5, 6));
  EXPECT_TRUE(look_alike("<rect width=\"20\" height=\"20\" transform=\"skewX(45)\"/>",
                         path("M0 0H20L40 20H20Z"), 1));
  EXPECT_TRUE(look_alike("<rect width=\"20\" height=\"20\" transform=\"skewY(45)\"/>",
                         path("M0 0L20 20V40L0 20Z"), 1));
}

Color fill_color(const string& paint) {
  return draw8("<rect width=\"8\" height=\"8\" fill=\"" + paint + "\"/>").at(4, 4);
}

TEST(SvgRasterize, reads_colours_in_every_form) {
  EXPECT_EQ(fill_color("#fa0"), (Color{255, 170, 0, 255}));
  EXPECT_EQ(fill_color("#fa08"), (Color{255, 170, 0, 136}));
  EXPECT_EQ(fill_color("#12aBcD"), (Color{0x12, 0xab, 0xcd, 255}));
  EXPECT_EQ(fill_color("#12abcd80"), (Color{0x12, 0xab, 0xcd, 128}));
  EXPECT_EQ(fill_color(" rgb( 1 , 2,3 ) "), (Color{1, 2, 3, 255}));
  EXPECT_EQ(fill_color("rgb(1 2 3 / 50%)"), (Color{1, 2, 3, 128}));
  EXPECT_EQ(fill_color("rgba(1,2,3,.2)"), (Color{1, 2, 3, 51}));
  EXPECT_EQ(fill_color("RGB(100%, 20%, 300)"), (Color{255, 51, 255, 255}));
  EXPECT_EQ(fill_color("rebeccapurple"), (Color{0x66, 0x33, 0x99, 255}));
  EXPECT_EQ(fill_color("AliceBlue"), (Color{0xf0, 0xf8, 0xff, 255}));
  EXPECT_EQ(fill_color("yellowgreen"), (Color{0x9a, 0xcd, 0x32, 255}));
  EXPECT_EQ(fill_color("transparent"), kClear);
  EXPECT_EQ(fill_color("none"), kClear);
  EXPECT_EQ(fill_color("url(#gradient)"), kClear);
  EXPECT_EQ(fill_color("url(#gradient) red"), kRed);
  for (const char* wrong : {"", "#12", "#12345", "#ggg", "rgb(1,2)", "rgb(1,2,3,4,5)", "rgb(1,2,3",
                            "light", "lightgoldenrodyellows", "inherit"})
    EXPECT_EQ(fill_color(wrong), kBlack) << wrong;
}

TEST(SvgRasterize, inherits_and_lets_the_style_attribute_win) {
  const string rect = "<rect width=\"8\" height=\"8\"/>";
  const auto center = [](const string& content) { return draw8(content).at(4, 4); };
  EXPECT_EQ(center("<g fill=\"red\"><g>" + rect + "</g></g>"), kRed);
  EXPECT_EQ(center("<g fill=\"red\"><g fill=\"blue\">" + rect + "</g></g>"), kBlue);
  EXPECT_EQ(center("<g style=\"fill:red\" fill=\"blue\">" + rect + "</g>"), kRed);
  EXPECT_EQ(center("<g style=\" ; fill : red !important ; x\">" + rect + "</g>"), kRed);
  EXPECT_EQ(center("<g fill=\"red\"></g>" + rect), kBlack);
  EXPECT_EQ(center("<g color=\"red\" fill=\"currentColor\">" + rect + "</g>"), kRed);
  EXPECT_EQ(center("<g color=\"red\" fill=\"currentColor\"><g color=\"blue\">" + rect + "</g></g>"),
            kBlue);
  EXPECT_EQ(center("<g fill-opacity=\".5\">" + rect + "</g>"), (Color{0, 0, 0, 128}));
  EXPECT_EQ(center("<g display=\"none\"><g display=\"inline\">" + rect + "</g></g>"), kClear);
  EXPECT_EQ(center("<g visibility=\"hidden\">" + rect + "</g>"), kClear);
  EXPECT_EQ(
      center(
          "<g visibility=\"hidden\"><rect width=\"8\" height=\"8\" visibility=\"visible\"/></g>"),
      kBlack);
  for (const char* name : {"defs", "symbol", "clipPath", "mask", "pattern", "unknown", "rect"})
    EXPECT_EQ(center("<" + string(name) + ">" + rect + "</" + name + ">"), kClear) << name;
  EXPECT_EQ(center("<a><switch><svg>" + rect + "</svg></switch></a>"), kBlack);
}

TEST(SvgRasterize, lays_colours_over_each_other) {
  const string red = "<rect width=\"8\" height=\"8\" fill=\"red\"/>";
  const auto over = [&](const string& attributes) {
    return draw8(red + "<rect width=\"8\" height=\"8\" fill=\"blue\" " + attributes + "/>")
        .at(4, 4);
  };
  EXPECT_EQ(over(""), kBlue);
  EXPECT_EQ(over("opacity=\".2\""), (Color{204, 0, 51, 255}));
  EXPECT_EQ(over("fill-opacity=\"20%\""), (Color{204, 0, 51, 255}));
  EXPECT_EQ(over("opacity=\".4\" fill-opacity=\".5\""), (Color{204, 0, 51, 255}));
  EXPECT_EQ(over("opacity=\"-3\""), kRed);
  EXPECT_EQ(over("opacity=\"3\""), kBlue);
  // Half red under half blue, and nothing below: alpha 3/4, of which blue has 2/3.
  EXPECT_EQ(
      draw8("<g fill-opacity=\".5\">" + red + "<rect width=\"8\" height=\"8\" fill=\"blue\"/></g>")
          .at(4, 4),
      (Color{85, 0, 170, 191}));
}

TEST(SvgRasterize, weakens_a_group_as_a_whole) {
  const string both =
      "<rect width=\"8\" height=\"8\" fill=\"red\"/><rect width=\"8\" height=\"8\" "
      "fill=\"blue\"/>";
  EXPECT_EQ(draw8("<g opacity=\".5\">" + both + "</g>").at(4, 4), (Color{0, 0, 255, 128}));
  EXPECT_EQ(draw8("<g opacity=\".4\"><g opacity=\".5\">" + both + "</g></g>").at(4, 4),
            (Color{0, 0, 255, 51}));
  EXPECT_EQ(draw8("<g opacity=\"0\">" + both + "</g>"), Picture(8, 8, kClear));
  EXPECT_EQ(draw8("<g opacity=\".5\"></g>"), Picture(8, 8, kClear));
  // Fill and stroke of one shape are weakened together, too.
  const Picture shape = draw8(
      "<rect x=\"2\" y=\"2\" width=\"4\" height=\"4\" fill=\"red\" "
      "stroke=\"blue\" stroke-width=\"2\" opacity=\".4\"/>");
  EXPECT_EQ(shape.at(2, 4), (Color{0, 0, 255, 102}));
  EXPECT_EQ(shape.at(4, 4), (Color{255, 0, 0, 102}));
  // A layer is clear again when it is used the next time, also between what is drawn on it then.
  Picture corners = box8(2, 2, 4, 4, {0, 0, 0, 128});
  corners.at(0, 0) = corners.at(7, 7) = {0, 0, 0, 128};
  EXPECT_EQ(draw8("<g opacity=\".5\"><rect x=\"2\" y=\"2\" width=\"2\" height=\"2\"/></g>"
                  "<g opacity=\".5\"><path d=\"M0 0h1v1h-1zM7 7h1v1h-1z\"/></g>"),
            corners);
}

// --- svg-rasterize: strokes ----------------------------------------------------------------------

string stroked(const string& data, const string& attributes) {
  return "<path fill=\"none\" stroke=\"black\" stroke-width=\"2\" d=\"" + data + "\" " +
         attributes + "/>";
}

TEST(SvgRasterize, strokes_lines_with_their_width_and_caps) {
  EXPECT_EQ(draw8(stroked("M2 4H6", "")), box8(2, 3, 6, 5));
  EXPECT_EQ(draw8(stroked("M4 2V6", "style=\"stroke-width:4\"")), box8(2, 2, 6, 6));
  EXPECT_EQ(draw8(stroked("M2 4H6", "stroke-linecap=\"square\"")), box8(1, 3, 7, 5));
  EXPECT_EQ(draw8("<line x1=\"2\" y1=\"4\" x2=\"6\" y2=\"4\" stroke=\"red\" stroke-width=\"1\"/>")
                .at(3, 3),
            (Color{255, 0, 0, 128}));
  // A round cap covers a quarter circle of radius 1 in each of its pixels: 0.785 of them.
  const Picture round = draw8(stroked("M2 4H6", "stroke-linecap=\"round\""));
  for (const uint32_t x : {1u, 6u})
    for (const uint32_t y : {3u, 4u}) EXPECT_NEAR(round.at(x, y).alpha, 200, 2);
  EXPECT_EQ(round.at(0, 4), kClear);
  EXPECT_EQ(round.at(2, 4), kBlack);
  EXPECT_EQ(draw8(stroked("M2 4H6", "style=\"stroke-width:0\"")), Picture(8, 8, kClear));
  EXPECT_EQ(draw8(stroked("M2 4H6", "style=\"stroke-width:-1\"")), box8(2, 3, 6, 5));
  EXPECT_EQ(draw8(stroked("M2 4H6", "stroke-opacity=\".5\"")), box8(2, 3, 6, 5, {0, 0, 0, 128}));
}

TEST(SvgRasterize, strokes_points_by_their_caps_only) {
  for (const char* point : {"M4 4z", "M4 4h0", "M4 4l0 0z", "M4 4c0 0 0 0 0 0"}) {
    EXPECT_EQ(draw8(stroked(point, "stroke-linecap=\"square\"")), box8(3, 3, 5, 5)) << point;
    EXPECT_EQ(draw8(stroked(point, "")), Picture(8, 8, kClear)) << point;
    EXPECT_NEAR(draw8(stroked(point, "stroke-linecap=\"round\"")).at(3, 3).alpha, 200, 2) << point;
  }
  EXPECT_EQ(draw8(stroked("M4 4", "stroke-linecap=\"square\"")), Picture(8, 8, kClear));
  EXPECT_EQ(draw8(stroked("M4 4M2 4H6", "stroke-linecap=\"square\"")), box8(1, 3, 7, 5));
}

TEST(SvgRasterize, joins_lines_as_told) {
  // The corner of a right angle, in the pixel at (1, 1): whole, a half, or a quarter circle.
  const auto corner = [](const string& attributes) {
    return draw8(stroked("M6 2H2V6", attributes)).at(1, 1).alpha;
  };
  EXPECT_EQ(corner(""), 255);
  EXPECT_EQ(corner("stroke-linejoin=\"bevel\""), 128);
  EXPECT_NEAR(corner("stroke-linejoin=\"round\""), 200, 2);
  EXPECT_EQ(corner("stroke-linejoin=\"unknown\""), 255);
  // The miter of a right angle is 1.414 times as long as the line is wide.
  EXPECT_EQ(corner("stroke-miterlimit=\"1.42\""), 255);
  EXPECT_EQ(corner("stroke-miterlimit=\"1.41\""), 128);
  // Closed subpaths have no caps, and a join where they began.
  Picture ring = box8(1, 1, 7, 7);
  for (uint32_t y = 3; y < 5; ++y)
    for (uint32_t x = 3; x < 5; ++x) ring.at(x, y) = kClear;
  EXPECT_EQ(draw8(stroked("M2 2H6V6H2Z", "")), ring);
  EXPECT_EQ(draw8("<rect x=\"2\" y=\"2\" width=\"4\" height=\"4\" fill=\"none\" stroke=\"black\" "
                  "stroke-width=\"2\"/>"),
            ring);
  // A line that turns back has a round join on its far side, not within it.
  const Picture back = draw8(stroked("M2 4H6H3", "stroke-linejoin=\"round\""));
  EXPECT_NEAR(back.at(6, 3).alpha, 200, 2);
  EXPECT_EQ(back.at(1, 4), kClear);
}

TEST(SvgRasterize, transforms_the_pen_with_the_shape) {
  EXPECT_EQ(draw8("<g transform=\"scale(1 2)\">" + stroked("M2 2H6", "") + "</g>"),
            box8(2, 2, 6, 6));
  EXPECT_EQ(draw8("<g transform=\"scale(-1 1) translate(-8)\">" + stroked("M2 4H6", "") + "</g>"),
            box8(2, 3, 6, 5));
  EXPECT_TRUE(look_alike(
      "<circle cx=\"32\" cy=\"32\" r=\"20\" fill=\"none\" stroke=\"black\" stroke-width=\"6\"/>",
      "<path fill-rule=\"evenodd\" d=\"M9 32a23 23 0 0 1 46 0a23 23 0 0 1-46 0"
      "M15 32a17 17 0 0 1 34 0a17 17 0 0 1-34 0\"/>",
      3));
}

// --- svg-rasterize: hostile sources --------------------------------------------------------------

TEST(SvgRasterize, refuses_sources_that_are_not_well_formed) {
  for (const char* bad :
       {"", "hello", "<svg", "<svg>", "<svg></g>", "<svg><g></svg>", "<svg><g></svg></g>", "<g/>",
        "</svg>", "<svg a=\"<\"", "<svg><rect width=\"8></svg>", "<svg><!-- ", "<svg><![CDATA[",
        "<svg><rect / ></svg", "<svg>< g></svg>"})
    EXPECT_TRUE(traps({kRasterize}, bad)) << bad;
}

TEST(SvgRasterize, refuses_every_cut_source) {
  const string source =
      "<svg width=\"9\" height=\"9\"><g opacity=\".5\" transform=\"rotate(9)\"><path "
      "stroke=\"#f00\" "
      "d=\"M1 1C2 3 4 5 6 7a1 2 3 0 1 4 5z\" style=\"fill:none\"/></g></svg>";
  EXPECT_EQ(output_of({kRasterize}, source).size(), 54u + 4 * 81);
  for (size_t len = 0; len < source.size(); ++len)
    EXPECT_TRUE(traps({kRasterize}, source.substr(0, len))) << "cut to " << len;
}

TEST(SvgRasterize, bounds_depth_layers_and_lines) {
  const auto nested = [](int depth, const string& open) {
    string text = "<svg width=\"2048\" height=\"2048\">";
    for (int i = 1; i < depth; ++i) text += open;
    for (int i = 1; i < depth; ++i) text += "</g>";
    return text + "</svg>";
  };
  EXPECT_EQ(run({kRasterize}, nested(256, "<g>")).exit_code, 0);
  EXPECT_TRUE(traps({kRasterize}, nested(257, "<g>")));
  EXPECT_TRUE(traps({kRasterize}, nested(100000, "<g>")));
  EXPECT_EQ(run({kRasterize}, nested(2, "<g opacity=\".5\">")).exit_code, 0);
  EXPECT_TRUE(traps({kRasterize}, nested(3, "<g opacity=\".5\">")));
  string path_data = "M0 0";
  for (int i = 0; i < 530000; ++i) path_data += i % 2 == 0 ? "h1" : "h-1";
  EXPECT_TRUE(traps({kRasterize}, svg("", path(path_data))));
}

TEST(SvgRasterize, survives_numbers_of_any_size) {
  for (const char* number : {"1e999", "-1e999", "1e-999", "99999999999999999999999999999999",
                             "0.00000000000000000000000000000000000001", "-.5e+2", "1e", "nan"}) {
    const string n = number;
    const string content = "<path stroke=\"red\" stroke-width=\"" + n + "\" d=\"M0 0L" + n +
                           " 3 4 " + n + "C1 2 3 " + n + " 5 6a" + n + " 3 " + n +
                           " 1 0 4 4\"/><circle r=\"" + n + "\" transform=\"rotate(" + n +
                           ")\"/><rect width=\"" + n + "\" height=\"" + n + "\" rx=\"" + n + "\"/>";
    EXPECT_EQ(draw8(content).pixels.size(), 64u) << n;
  }
}

// --- svg-recolor-current-color -------------------------------------------------------------------

TEST(SvgRecolor, puts_a_colour_where_current_color_paints) {
  const string source =
      "<svg fill=\"currentColor\" style=\"stroke: CURRENTCOLOR; color: currentColor\">"
      "<!-- currentColor --><text>currentColor</text></svg>";
  const auto expected = [](const string& color) {
    return "<svg fill=\"" + color + "\" style=\"stroke: " + color +
           "; color: currentColor\"><!-- currentColor --><text>currentColor</text></svg>\n";
  };
  EXPECT_EQ(output_of({kRecolor, "?color_rgba=0xff5511ff"}, source), expected("#ff5511"));
  EXPECT_EQ(output_of({kRecolor, "?color_rgba=0xff551180"}, source), expected("#ff551180"));
  EXPECT_EQ(output_of({kRecolor}, source), expected("#000000"));
}

TEST(SvgRecolor, feeds_the_rasterizer) {
  const string icon =
      "<svg width=\"8\" height=\"8\"><path fill=\"currentColor\" d=\"M0 0H8V8H0z\"/></svg>";
  EXPECT_EQ(picture_of({kRecolor, "?color_rgba=0x0000ff80", kRasterize}, icon),
            Picture(8, 8, {0, 0, 255, 128}));
}

TEST(SvgRecolor, hands_on_what_is_not_well_formed) {
  const string source = "<svg fill=\"currentColor\"><g stroke='currentColor'>";
  for (size_t len = 0; len < source.size(); ++len) {
    const string cut = source.substr(0, len);
    const string output = output_of({kRecolor, "?color_rgba=0x123456ff"}, cut);
    EXPECT_EQ(output, len < 25 ? cut + "\n" : "<svg fill=\"#123456\">" + cut.substr(25) + "\n");
  }
}

}  // namespace
}  // namespace qip
