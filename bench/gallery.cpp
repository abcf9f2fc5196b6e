// Draws a picture, runs it through every filter of modules/rgba/, and puts the results side by side
// on one sheet: gallery.png, and gallery.html, which shows the same file with the commands as text.
//
// Usage: gallery QIP FOLDER. Everything but the drawing and the placing is done by the command
// itself: the filters, the labels (text-to-bmp), the PNG.
// Exit code 1 if a run fails, or if a filter in modules/rgba/ is not shown.
#include <stdio.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "spec-tests/picture.hpp"
#include "spec-tests/process.hpp"

namespace {

namespace fs = std::filesystem;
using qip::Color;
using qip::Picture;
using std::string;
using Words = std::vector<string>;

constexpr uint32_t kWidth = 320, kHeight = 240;  // of the picture
constexpr uint32_t kColumns = 4, kMargin = 16, kLabelHeight = 40;
constexpr uint32_t kCellWidth = kWidth + kMargin;
constexpr uint32_t kCellHeight = kHeight + kLabelHeight + kMargin;
constexpr int kLabelColumns = 40;  // characters of 8 pixels

// What is shown: components of modules/, each followed by its settings.
const std::vector<Words> kShown = {
    {},
    {"rgba/invert"},
    {"rgba/black-and-white"},
    {"rgba/brightness", "?brightness=0.35"},
    {"rgba/contrast", "?contrast=0.5"},
    {"rgba/saturation", "?saturation=1"},
    {"rgba/hue-rotate", "?hue_degrees=120"},
    {"rgba/temperature", "?temperature=1"},
    {"rgba/tint", "?tint=-1"},
    {"rgba/posterize", "?levels_count=4"},
    {"rgba/vignette", "?amount=0.9&midpoint=0.35&feather=1"},
    {"rgba/color-halftone", "?max_radius=3"},
    {"rgba/find-edges"},
    {"rgba/cutout", "?edge_threshold=0.04&edge_strength=1"},
    {"rgba/gaussian-blur", "?radius=4"},
    {"rgba/gaussian-blur-simd", "?radius=8"},
    {"rgba/unsharp-mask", "?radius=3&amount=2"},
    {"rgba/motion-blur", "?radius=12&angle=-30"},
    {"rgba/render-clouds"},
    {"rgba/color-matrix-simd",
     "?m00=.39&m01=.77&m02=.19&m10=.35&m11=.69&m12=.17&m20=.27&m21=.53&m22=.13"},
    {"rgba/black-and-white", "rgba/invert", "rgba/vignette"},
    {"rgba/color-halftone", "?max_radius=2", "rgba/brightness", "?brightness=0.2"},
    {"rgba/unsharp-mask", "?radius=3&amount=2", "rgba/find-edges", "rgba/invert"},
    {"rgba/cutout", "?levels=3", "rgba/saturation", "?saturation=0.8"},
};

// --- The picture ---------------------------------------------------------------------------------

struct Light {
  double red, green, blue;
};

Light mix(Light from, Light to, double part) {
  part = std::clamp(part, 0.0, 1.0);
  return {from.red + (to.red - from.red) * part, from.green + (to.green - from.green) * part,
          from.blue + (to.blue - from.blue) * part};
}

Light sky(double x, double y) {
  const Light high = {0.13, 0.30, 0.62}, low = {0.98, 0.78, 0.52};
  const Light color = mix(high, low, y / 150);
  const double from_sun = std::hypot(x - 226, y - 78);
  if (from_sun < 22) return {1.0, 0.96, 0.80};
  return mix(color, {1.0, 0.88, 0.60}, 0.75 * std::exp(-(from_sun - 22) / 26));
}

struct Ridge {
  double height, swell, width, phase;
  Light color;
};

const Ridge kRidges[] = {
    {118, 15, 31, 0.4, {0.55, 0.52, 0.66}},
    {138, 12, 21, 2.1, {0.33, 0.40, 0.50}},
    {158, 9, 37, 4.0, {0.14, 0.31, 0.25}},
};

double top_of(const Ridge& ridge, double x) {
  return ridge.height - ridge.swell * std::sin(x / ridge.width + ridge.phase) -
         ridge.swell * 0.35 * std::sin(x / ridge.width * 2.7 + ridge.phase * 3);
}

struct Ball {
  double x, radius;
  Light color;
};

const Ball kBalls[] = {
    {36, 24, {0.86, 0.10, 0.12}},  {88, 20, {0.96, 0.60, 0.08}},  {135, 18, {0.95, 0.90, 0.15}},
    {180, 19, {0.12, 0.66, 0.22}}, {228, 21, {0.10, 0.45, 0.90}}, {281, 24, {0.62, 0.16, 0.72}},
};

// A ball on the ground at 228, lit from the upper right.
Light shaded(const Ball& ball, double dx, double dy) {
  const double nx = dx / ball.radius, ny = dy / ball.radius;
  const double nz = std::sqrt(std::max(0.0, 1 - nx * nx - ny * ny));
  const double light = std::max(0.0, 0.45 * nx - 0.55 * ny + 0.70 * nz);
  const Light body = mix({0.02, 0.02, 0.06}, ball.color, 0.25 + 0.75 * light);
  return mix(body, {1, 1, 1}, 0.9 * std::pow(light, 24));
}

Light light_at(double x, double y) {
  // A card with stripes of 1, 2 and 4 pixels, and greys from black to white.
  if (x >= 16 && x < 112 && y >= 16 && y < 80) {
    if (y >= 68) {
      const double tone = std::floor((x - 16) / 12) / 7;
      return {tone, tone, tone};
    }
    if (y >= 48) {
      const double stripe = x < 48 ? 1 : x < 80 ? 2 : 4;
      const bool is_dark = std::fmod(std::floor(x / stripe), 2) == 0;
      return is_dark ? Light{0.1, 0.1, 0.15} : Light{0.95, 0.95, 0.90};
    }
    return {1, 1, 1};
  }
  for (const Ball& ball : kBalls) {
    const double dx = x - ball.x, dy = y - (228 - ball.radius);
    if (dx * dx + dy * dy < ball.radius * ball.radius) return shaded(ball, dx, dy);
  }
  if (y > 186) {
    Light ground = mix({0.62, 0.50, 0.34}, {0.80, 0.68, 0.48}, (y - 186) / 54);
    for (const Ball& ball : kBalls) {
      const double dx = (x - ball.x + 5) / (ball.radius * 1.1), dy = (y - 228) / 5;
      ground = mix(ground, {0.20, 0.15, 0.12}, 0.8 * (1 - std::hypot(dx, dy)));
    }
    return ground;
  }
  for (size_t i = std::size(kRidges); i-- > 0;)
    if (y > top_of(kRidges[i], x))
      return mix(kRidges[i].color, {0.95, 0.80, 0.60}, (y - 130) / 190);
  return sky(x, y);
}

// Sixteen samples a pixel.
Picture draw() {
  Picture picture(kWidth, kHeight);
  for (uint32_t y = 0; y < kHeight; ++y) {
    for (uint32_t x = 0; x < kWidth; ++x) {
      Light sum = {0, 0, 0};
      for (int sample = 0; sample < 16; ++sample) {
        const Light light = light_at(x + (sample % 4 + 0.5) / 4, y + (sample / 4 + 0.5) / 4);
        sum = {sum.red + light.red, sum.green + light.green, sum.blue + light.blue};
      }
      const auto byte = [](double value) {
        return static_cast<uint8_t>(std::clamp(value / 16, 0.0, 1.0) * 255 + 0.5);
      };
      picture.at(x, y) = {byte(sum.red), byte(sum.green), byte(sum.blue), 255};
    }
  }
  return picture;
}

void place(const Picture& piece, Picture& on, uint32_t left, uint32_t top) {
  for (uint32_t y = 0; y < piece.height && top + y < on.height; ++y)
    for (uint32_t x = 0; x < piece.width && left + x < on.width; ++x)
      on.at(left + x, top + y) = piece.at(x, y);
}

// --- The command ---------------------------------------------------------------------------------

bool failed = false;

void complain(const string& text) {
  fprintf(stderr, "gallery: %s\n", text.c_str());
  failed = true;
}

string path_of(const string& component) {
  return "modules/" + component + ".wasm";
}

Words arguments_of(const Words& chain) {
  Words arguments;
  for (const string& word : chain) arguments.push_back(word[0] == '?' ? word : path_of(word));
  return arguments;
}

string run(Words argv, const string& input) {
  const qip::ProcessResult result = qip::run_process(argv, input, 60000);
  if (result.exit_code != 0) complain(argv.back() + ": " + result.error);
  return result.output;
}

Picture picture_of(const string& qip, const Words& chain, const string& input) {
  Words argv = {qip, "run"};
  for (const string& argument : arguments_of(chain)) argv.push_back(argument);
  const std::optional<Picture> picture = qip::from_bmp(run(argv, input));
  if (!picture) complain("no picture from " + chain.front());
  return picture.value_or(Picture());
}

Picture text_picture(const string& qip, const string& text, int columns) {
  return picture_of(qip, {"utf8/text-to-bmp", "?leading=0&cols=" + std::to_string(columns)}, text);
}

bool is_shown(const string& component) {
  return std::any_of(kShown.begin(), kShown.end(), [&](const Words& chain) {
    return std::find(chain.begin(), chain.end(), component) != chain.end();
  });
}

void check_that_all_are_shown() {
  for (const fs::directory_entry& entry : fs::directory_iterator("modules/rgba")) {
    const string component = "rgba/" + entry.path().stem().string();
    if (entry.path().extension() == ".wasm" && !is_shown(component))
      complain(component + " is not in the gallery");
  }
}

// --- The sheet and the page ----------------------------------------------------------------------

// Without folders; on two lines below a cell if need be, and cut off where that does not do.
string label_of(const Words& chain) {
  if (chain.empty()) return "the picture";
  string text;
  for (const string& word : chain) {
    if (word[0] != '?') text += text.empty() ? "" : " > ";
    text += word[0] == '?' ? " " + word.substr(1) : fs::path(word).filename().string();
  }
  if (text.size() <= kLabelColumns) return text;
  const size_t first = text.find_last_of(" &", kLabelColumns - 1) + 1;
  if (text.size() - first > kLabelColumns) text = text.substr(0, first + kLabelColumns - 3) + "...";
  return text.insert(first, "\n");
}

string escaped(const string& text) {
  string html;
  for (const char c : text) html += c == '&' ? "&amp;" : c == '<' ? "&lt;" : string(1, c);
  return html;
}

string command_of(const Words& chain) {
  if (chain.empty()) return "the picture, drawn by bench/gallery.cpp";
  string text = "qip image -i in.png -o out.png";
  for (const string& argument : arguments_of(chain))
    text += argument[0] == '?' ? " '" + argument + "'" : " " + argument;
  return text;
}

struct Place {
  uint32_t left, top;
};

Place place_of(size_t index) {
  const auto number = static_cast<uint32_t>(index);
  return {kMargin + number % kColumns * kCellWidth, kMargin + number / kColumns * kCellHeight};
}

Picture sheet_of(const string& qip, const Picture& picture) {
  const auto rows = static_cast<uint32_t>((kShown.size() + kColumns - 1) / kColumns);
  Picture sheet(kMargin + kColumns * kCellWidth, kMargin + rows * kCellHeight,
                {255, 255, 255, 255});
  for (size_t i = 0; i < kShown.size(); ++i) {
    const Place at = place_of(i);
    place(kShown[i].empty() ? picture : picture_of(qip, kShown[i], qip::to_bmp(picture)), sheet,
          at.left, at.top);
    place(text_picture(qip, label_of(kShown[i]), kLabelColumns), sheet, at.left,
          at.top + kHeight + 4);
  }
  return sheet;
}

string page() {
  string html =
      "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>qip: filters</title>\n"
      "<style>\nbody { font: 14px/1.4 sans-serif; margin: 16px }\n"
      "main { display: grid; grid-template-columns: repeat(auto-fill, " +
      std::to_string(kWidth) +
      "px); gap: 24px }\nfigure { margin: 0 }\nfigure div { width: " + std::to_string(kWidth) +
      "px; height: " + std::to_string(kHeight) +
      "px; background-image: url(gallery.png) }\n"
      "code { font-size: 12px; overflow-wrap: anywhere }\n</style>\n<h1>Filters</h1>\n<main>\n";
  for (size_t i = 0; i < kShown.size(); ++i) {
    const Place at = place_of(i);
    html += "<figure><div role=\"img\" aria-label=\"" + escaped(label_of(kShown[i])) +
            "\" style=\"background-position: -" + std::to_string(at.left) + "px -" +
            std::to_string(at.top) + "px\"></div><figcaption><code>" +
            escaped(command_of(kShown[i])) + "</code></figcaption></figure>\n";
  }
  return html + "</main>\n</html>\n";
}

void write_page(const fs::path& path) {
  FILE* file = fopen(path.c_str(), "wb");
  const string html = page();
  if (file == nullptr || fwrite(html.data(), 1, html.size(), file) != html.size() ||
      fclose(file) != 0) {
    complain("cannot write " + path.string());
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: gallery QIP FOLDER\n");
    return 1;
  }
  const string qip = arguments[1];
  const fs::path folder = arguments[2];
  fs::create_directories(folder);
  check_that_all_are_shown();
  Picture picture = draw();
  place(text_picture(qip, "The quick\nbrown fox", 11), picture, 20, 18);
  const fs::path sheet = folder / "gallery.png";
  // With brightness 0, which changes nothing: this makes a PNG of the sheet.
  run({qip, "image", "-i", "-", "-o", sheet.string(), path_of("rgba/brightness")},
      qip::to_bmp(sheet_of(qip, picture)));
  write_page(folder / "gallery.html");
  if (!failed) printf("gallery: %zu pictures in %s\n", kShown.size(), folder.c_str());
  return failed ? 1 : 0;
}
