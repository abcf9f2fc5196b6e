// Reads the values of SVG attributes: numbers, lengths, transforms, colours.
//
// Promises: every function takes what it read off the head of the slice, or leaves the result as it
// is and returns false; numbers are finite, and the same on every machine (64-bit additions,
// multiplications and divisions only).
// Sources: SVG 2 (section 4.3, numbers), CSS Values 4 (absolute lengths), CSS Transforms 1, CSS
// Color 4.
#pragma once

#include "image/svg+xml/css_colors.h"
#include "image/svg+xml/svg_source.h"
#include "rgba/direction.h"

// --- Numbers -------------------------------------------------------------------------------------

static void skip_spaces(Slice* text) {
  while (text->len > 0 && is_space(text->at[0])) *text = slice_from(*text, 1);
}

static bool skip_char(Slice* text, uint8_t c) {
  if (text->len == 0 || text->at[0] != c) return false;
  *text = slice_from(*text, 1);
  return true;
}

// White space with at most one comma in it.
static void skip_separator(Slice* text) {
  skip_spaces(text);
  if (skip_char(text, ',')) skip_spaces(text);
}

static Slice trimmed(Slice text) {
  skip_spaces(&text);
  while (text.len > 0 && is_space(text.at[text.len - 1])) --text.len;
  return text;
}

// The decimal digits of a number: what they say without a point, and how many stand behind it.
typedef struct {
  uint64_t mantissa;
  int32_t exponent;
  bool any;
} Decimal;

// Digits beyond what 64 bits hold only move the exponent.
static void read_digits(Slice* text, bool behind_point, Decimal* decimal) {
  while (text->len > 0 && is_digit(text->at[0])) {
    const bool fits = decimal->mantissa < UINT64_MAX / 10 - 1;
    if (fits) decimal->mantissa = decimal->mantissa * 10 + (text->at[0] - '0');
    decimal->exponent += (fits ? 0 : 1) - (behind_point ? 1 : 0);
    decimal->any = true;
    *text = slice_from(*text, 1);
  }
}

// The exponent behind a number, 0 where there is none: "em" is a unit.
static int32_t read_exponent(Slice* text) {
  Slice rest = *text;
  if (!skip_char(&rest, 'e') && !skip_char(&rest, 'E')) return 0;
  const bool is_negative = skip_char(&rest, '-');
  if (!is_negative) skip_char(&rest, '+');
  if (rest.len == 0 || !is_digit(rest.at[0])) return 0;
  int32_t exponent = 0;
  for (; rest.len > 0 && is_digit(rest.at[0]); rest = slice_from(rest, 1))
    if (exponent < 10000) exponent = exponent * 10 + (rest.at[0] - '0');
  *text = rest;
  return is_negative ? -exponent : exponent;
}

// A number of at most a billion in size; larger ones become that. Nothing in an image is farther
// away, and sums and products of such numbers stay finite.
static bool read_number(Slice* text, double* value) {
  Slice rest = *text;
  const bool is_negative = skip_char(&rest, '-');
  if (!is_negative) skip_char(&rest, '+');
  Decimal decimal = {0, 0, false};
  read_digits(&rest, false, &decimal);
  Slice behind_point = rest;
  if (skip_char(&behind_point, '.') && behind_point.len > 0 && is_digit(behind_point.at[0])) {
    rest = behind_point;
    read_digits(&rest, true, &decimal);
  }
  if (!decimal.any) return false;
  const int32_t exponent = decimal.exponent + read_exponent(&rest);
  // One rounding where mantissa and power are exact: 10^22 is the last such power.
  double power = 1.0;
  const int32_t size = exponent < 0 ? -exponent : exponent;
  for (int32_t i = 0; i < size && i < 300; ++i) power *= 10.0;
  const double mantissa = (double)decimal.mantissa;
  double number = exponent < 0 ? mantissa / power : mantissa * power;
  if (number > 1e9) number = 1e9;
  *value = is_negative ? -number : number;
  *text = rest;
  return true;
}

// Up to `most` numbers with separators between them. Returns how many there are.
static uint32_t read_numbers(Slice* text, double* values, uint32_t most) {
  uint32_t count = 0;
  while (count < most) {
    Slice rest = *text;
    if (count > 0) skip_separator(&rest);
    if (!read_number(&rest, &values[count])) break;
    *text = rest;
    ++count;
  }
  return count;
}

// A length in pixels; a percentage is one of `whole`. Lengths that depend on a font are none.
static bool read_length(Slice text, double whole, double* value) {
  static const struct {
    const char* name;
    double pixels;
  } units[] = {{"", 1},    {"px", 1},         {"in", 96},         {"pt", 96.0 / 72},
               {"pc", 16}, {"mm", 96 / 25.4}, {"cm", 960 / 25.4}, {"q", 24 / 25.4}};
  Slice rest = trimmed(text);
  double number = 0;
  if (!read_number(&rest, &number)) return false;
  if (slice_is(rest, "%")) {
    *value = number / 100 * whole;
    return true;
  }
  for (uint32_t i = 0; i < sizeof units / sizeof units[0]; ++i) {
    if (!slice_is_word(rest, units[i].name)) continue;
    *value = number * units[i].pixels;
    return true;
  }
  return false;
}

// --- Transforms ----------------------------------------------------------------------------------

typedef struct {
  double x, y;
} Point;

// Maps (x, y) to (a x + c y + e, b x + d y + f).
typedef struct {
  double a, b, c, d, e, f;
} Matrix;

static inline Point transformed(const Matrix* m, Point p) {
  return (Point){m->a * p.x + m->c * p.y + m->e, m->b * p.x + m->d * p.y + m->f};
}

// The matrix that does `inner` first.
static Matrix product(Matrix outer, Matrix inner) {
  const Point origin = transformed(&outer, (Point){inner.e, inner.f});
  return (Matrix){outer.a * inner.a + outer.c * inner.b,
                  outer.b * inner.a + outer.d * inner.b,
                  outer.a * inner.c + outer.c * inner.d,
                  outer.b * inner.c + outer.d * inner.d,
                  origin.x,
                  origin.y};
}

static Matrix translation(double x, double y) {
  return (Matrix){1, 0, 0, 1, x, y};
}

// The tangent of an angle; at right angles a very large number.
static double tangent(double degrees) {
  const Direction angle = direction_of_degrees(degrees);
  return angle.cosine == 0 ? 1e9 : angle.sine / angle.cosine;
}

// One transform function with its arguments in `n`.
static bool matrix_of_function(Slice name, const double* n, uint32_t count, Matrix* matrix) {
  if (slice_is(name, "matrix") && count == 6) {
    *matrix = (Matrix){n[0], n[1], n[2], n[3], n[4], n[5]};
  } else if (slice_is(name, "translate") && (count == 1 || count == 2)) {
    *matrix = translation(n[0], count == 2 ? n[1] : 0);
  } else if (slice_is(name, "scale") && (count == 1 || count == 2)) {
    *matrix = (Matrix){n[0], 0, 0, count == 2 ? n[1] : n[0], 0, 0};
  } else if (slice_is(name, "rotate") && (count == 1 || count == 3)) {
    const Direction angle = direction_of_degrees(n[0]);
    const Matrix turn = {angle.cosine, angle.sine, -angle.sine, angle.cosine, 0, 0};
    *matrix = turn;
    if (count == 3)
      *matrix = product(product(translation(n[1], n[2]), turn), translation(-n[1], -n[2]));
  } else if (slice_is(name, "skewX") && count == 1) {
    *matrix = (Matrix){1, 0, tangent(n[0]), 1, 0, 0};
  } else if (slice_is(name, "skewY") && count == 1) {
    *matrix = (Matrix){1, tangent(n[0]), 0, 1, 0, 0};
  } else {
    return false;
  }
  return true;
}

// A whole list of transform functions. Many of them may leave the range of numbers.
static bool read_transform(Slice text, Matrix* matrix) {
  Matrix all = {1, 0, 0, 1, 0, 0};
  skip_spaces(&text);
  while (text.len > 0) {
    Slice name = {text.at, 0};
    while (name.len < text.len && is_letter(text.at[name.len])) ++name.len;
    text = slice_from(text, name.len);
    skip_spaces(&text);
    if (!skip_char(&text, '(')) return false;
    skip_spaces(&text);
    double numbers[6];
    const uint32_t count = read_numbers(&text, numbers, 6);
    skip_spaces(&text);
    Matrix next;
    if (!skip_char(&text, ')') || !matrix_of_function(name, numbers, count, &next)) return false;
    all = product(all, next);
    skip_separator(&text);
  }
  *matrix = all;
  return true;
}

// --- Colours -------------------------------------------------------------------------------------

// Channels from 0 to 1, alpha straight.
typedef struct {
  float red, green, blue, alpha;
} Color;

static Color color_of_rgb(uint32_t rgb) {
  return (Color){(float)(rgb >> 16) / 255.0f, (float)(rgb >> 8 & 255) / 255.0f,
                 (float)(rgb & 255) / 255.0f, 1.0f};
}

// Three, four, six or eight hexadecimal digits.
static bool read_hex_color(Slice digits, Color* color) {
  const bool is_short = digits.len == 3 || digits.len == 4;
  const bool has_alpha = digits.len == 4 || digits.len == 8;
  if (!is_short && digits.len != 6 && digits.len != 8) return false;
  uint32_t value = 0;
  for (uint32_t i = 0; i < digits.len; ++i) {
    const uint32_t digit = hex_value(digits.at[i]);
    if (digit > 15) return false;
    value = value << 4 | digit;
    if (is_short) value = value << 4 | digit;
  }
  *color = color_of_rgb(has_alpha ? value >> 8 : value);
  if (has_alpha) color->alpha = (float)(value & 255) / 255.0f;
  return true;
}

static double clamped(double value, double low, double high) {
  return value < low ? low : value > high ? high : value;
}

// A number, or a percentage of `whole`, as a part of `whole`.
static bool read_channel(Slice* text, double whole, float* channel) {
  double number = 0;
  if (!read_number(text, &number)) return false;
  *channel = (float)clamped(skip_char(text, '%') ? number / 100 : number / whole, 0, 1);
  return true;
}

// What stands in the parentheses of rgb(): three colours and perhaps alpha, behind commas, spaces,
// or a slash.
static bool read_rgb_arguments(Slice text, Color* color) {
  Color read = {0, 0, 0, 1};
  float* const channels[4] = {&read.red, &read.green, &read.blue, &read.alpha};
  skip_spaces(&text);
  for (uint32_t i = 0; i < 4; ++i) {
    if (!read_channel(&text, i == 3 ? 1 : 255, channels[i])) return false;
    skip_spaces(&text);
    if (text.len == 0) {
      if (i >= 2) *color = read;
      return i >= 2;
    }
    if (!skip_char(&text, ',') && i == 2) skip_char(&text, '/');
    skip_spaces(&text);
  }
  return false;
}

static bool read_color(Slice text, Color* color) {
  text = trimmed(text);
  if (has_prefix(text, "#")) return read_hex_color(slice_from(text, 1), color);
  uint32_t name = 0;
  while (name < text.len && is_letter(text.at[name])) ++name;
  if (name < text.len) {
    const Slice function = {text.at, name};
    if (!slice_is_word(function, "rgb") && !slice_is_word(function, "rgba")) return false;
    if (text.at[name] != '(' || text.at[text.len - 1] != ')') return false;
    return read_rgb_arguments((Slice){text.at + name + 1, text.len - name - 2}, color);
  }
  if (slice_is_word(text, "transparent")) {
    *color = (Color){0, 0, 0, 0};
    return true;
  }
  for (uint32_t i = 0; i < sizeof named_colors / sizeof named_colors[0]; ++i) {
    if (!slice_is_word(text, named_colors[i].name)) continue;
    *color = color_of_rgb(named_colors[i].rgb);
    return true;
  }
  return false;
}
