// Outlines: what the shapes and the path data of SVG describe, as points joined by straight lines.
//
// Promises: curves become as many lines as keep them within kFlatness of the curve on the image;
// every command ends, and path data ends at its first mistake, with what stands before it drawn
// (SVG 2, section 9.5.4). Bounds: kMaxPoints points, more trap; a curve has at most kMaxPieces.
#pragma once

#include "image/svg+xml/svg_values.h"

enum { kMaxPoints = 1 << 19 };
static const uint32_t kMaxPieces = 1024;

// In pixels.
static const double kFlatness = 1.0 / 128;

// What is known about a point beside its place.
enum {
  kBegins = 1,  // begins a subpath
  kCloses = 2,  // on a point that begins: its subpath is closed
  kSmooth = 4,  // lies within a curve
};

static Point points[kMaxPoints];
static uint8_t point_marks[kMaxPoints];
static uint32_t point_count;
static uint32_t subpath_begin;  // the point that began the last subpath
static bool subpath_is_open;    // whether the next line continues it
static double pieces_per_root;  // how many pieces a curve needs, see piece_count()

// `scale` is how many pixels a unit of the outline may become.
static void begin_outline(double scale) {
  point_count = 0;
  subpath_begin = 0;
  subpath_is_open = false;
  pieces_per_root = __builtin_sqrt(scale / (8 * kFlatness));
}

static void add_point(Point point, uint32_t marks) {
  if (point_count == kMaxPoints) __builtin_trap();
  points[point_count] = point;
  point_marks[point_count++] = (uint8_t)marks;
}

static void move_to(Point point) {
  // A subpath of which nothing but its beginning is known draws nothing.
  if (subpath_is_open && subpath_begin + 1 == point_count) --point_count;
  subpath_begin = point_count;
  subpath_is_open = true;
  add_point(point, kBegins);
}

// Behind a closed subpath, the next one begins where that one did.
static Point current_point(void) {
  if (point_count == 0) return (Point){0, 0};
  return points[subpath_is_open ? point_count - 1 : subpath_begin];
}

static void add_line(Point point, uint32_t marks) {
  if (!subpath_is_open) move_to(current_point());
  add_point(point, marks);
}

static void line_to(Point point) {
  add_line(point, 0);
}

static void close_subpath(void) {
  if (!subpath_is_open) return;
  point_marks[subpath_begin] |= kCloses;
  subpath_is_open = false;
}

static void end_outline(void) {
  if (subpath_is_open && subpath_begin + 1 == point_count) --point_count;
  subpath_is_open = false;
}

// --- Curves --------------------------------------------------------------------------------------

// A curve of length 1 in its parameter, cut into n pieces, strays from its lines by at most
// bend / (8 n^2), where `bend` bounds its second derivative.
static uint32_t piece_count(double bend) {
  const double count = __builtin_ceil(__builtin_sqrt(bend) * pieces_per_root);
  return count >= kMaxPieces ? kMaxPieces : count >= 1 ? (uint32_t)count : 1;  // 1 for NaN
}

static double length_of(double x, double y) {
  return __builtin_sqrt(x * x + y * y);
}

// How far the middle one of three control points is from making the speed constant.
static double unevenness(Point a, Point b, Point c) {
  return length_of(a.x - 2 * b.x + c.x, a.y - 2 * b.y + c.y);
}

static double cubic_at(double a, double b, double c, double d, double t) {
  const double s = 1 - t;
  return s * s * (s * a + 3 * t * b) + t * t * (3 * s * c + t * d);
}

static void cubic_to(Point b, Point c, Point d) {
  const Point a = current_point();
  const double first = unevenness(a, b, c), second = unevenness(b, c, d);
  const uint32_t count = piece_count(6 * (first > second ? first : second));
  for (uint32_t i = 1; i < count; ++i) {
    const double t = (double)i / count;
    add_line((Point){cubic_at(a.x, b.x, c.x, d.x, t), cubic_at(a.y, b.y, c.y, d.y, t)}, kSmooth);
  }
  line_to(d);
}

static void quadratic_to(Point b, Point c) {
  const Point a = current_point();
  const uint32_t count = piece_count(2 * unevenness(a, b, c));
  for (uint32_t i = 1; i < count; ++i) {
    const double t = (double)i / count, s = 1 - t;
    add_line((Point){s * s * a.x + 2 * s * t * b.x + t * t * c.x,
                     s * s * a.y + 2 * s * t * b.y + t * t * c.y},
             kSmooth);
  }
  line_to(c);
}

// An ellipse whose axes are turned.
typedef struct {
  Point center;
  double radius_x, radius_y;
  Direction turn;
} Ellipse;

static Point ellipse_at(const Ellipse* ellipse, double degrees) {
  const Direction angle = direction_of_degrees(degrees);
  const double x = ellipse->radius_x * angle.cosine, y = ellipse->radius_y * angle.sine;
  const Direction turn = ellipse->turn;
  return (Point){ellipse->center.x + x * turn.cosine - y * turn.sine,
                 ellipse->center.y + x * turn.sine + y * turn.cosine};
}

// An arc from the current point, which lies at `start` degrees, by `sweep` degrees, to `end`.
static void arc_along(const Ellipse* ellipse, double start, double sweep, Point end) {
  const double radians = sweep * (3.14159265358979323846 / 180);
  const double radius =
      ellipse->radius_x > ellipse->radius_y ? ellipse->radius_x : ellipse->radius_y;
  const uint32_t count = piece_count(radius * radians * radians);
  for (uint32_t i = 1; i < count; ++i)
    add_line(ellipse_at(ellipse, start + sweep * i / count), kSmooth);
  line_to(end);
}

// The angle of a vector in degrees, -180 to 180, within 1e-9; 0 for no vector.
static double angle_of(double x, double y) {
  double wide = __builtin_fabs(x), high = __builtin_fabs(y);
  const bool is_steep = high > wide;
  if (is_steep) {
    const double swap = wide;
    wide = high;
    high = swap;
  }
  if (!(wide > 0)) return 0;
  // The slope is in 0..1; beyond the tangent of 22.5 degrees, 45 degrees are taken off.
  double slope = high / wide, degrees = 0;
  if (slope > 0.41421356237309503) {
    slope = (slope - 1) / (slope + 1);
    degrees = 45;
  }
  double series = 0;
  for (int32_t odd = 25; odd > 0; odd -= 2) series = 1.0 / odd - slope * slope * series;
  degrees += slope * series * 57.295779513082321;
  if (is_steep) degrees = 90 - degrees;
  if (x < 0) degrees = 180 - degrees;
  return y < 0 ? -degrees : degrees;
}

// An arc as path data gives it (SVG 2, section B.2.4 and B.2.5: from the end points to the centre;
// radii that are too small grow until they reach).
static void arc_to(double radius_x, double radius_y, double rotation, bool is_large, bool is_sweep,
                   Point end) {
  const Point start = current_point();
  if (start.x == end.x && start.y == end.y) return;
  double rx = __builtin_fabs(radius_x), ry = __builtin_fabs(radius_y);
  if (rx == 0 || ry == 0) {
    line_to(end);
    return;
  }
  const Direction turn = direction_of_degrees(rotation);
  const double half_x = (start.x - end.x) / 2, half_y = (start.y - end.y) / 2;
  // The start, seen from the middle, on axes of length 1 each.
  double x = (turn.cosine * half_x + turn.sine * half_y) / rx;
  double y = (turn.cosine * half_y - turn.sine * half_x) / ry;
  const double reach = x * x + y * y;
  if (reach > 1) {
    const double growth = __builtin_sqrt(reach);
    rx *= growth;
    ry *= growth;
    x /= growth;
    y /= growth;
  }
  // The centre of the unit circle through the start and its mirror image.
  const double away =
      reach > 1 || reach == 0 ? 0 : __builtin_sqrt(1 / reach - 1) * (is_large == is_sweep ? -1 : 1);
  const double center_x = away * y, center_y = -away * x;
  const double from = angle_of(x - center_x, y - center_y);
  double sweep = angle_of(-x - center_x, -y - center_y) - from;
  if (is_sweep && sweep < 0) sweep += 360;
  if (!is_sweep && sweep > 0) sweep -= 360;
  const double unit_x = center_x * rx, unit_y = center_y * ry;
  const Point center = {
      turn.cosine * unit_x - turn.sine * unit_y + (start.x + end.x) / 2,
      turn.sine * unit_x + turn.cosine * unit_y + (start.y + end.y) / 2,
  };
  const Ellipse ellipse = {center, rx, ry, turn};
  arc_along(&ellipse, from, sweep, end);
}

// --- Basic shapes (SVG 2, chapter 10) ------------------------------------------------------------

static const Direction kNotTurned = {0, 1};

static void add_ellipse(Point center, double rx, double ry) {
  if (!(rx > 0) || !(ry > 0)) return;
  const Ellipse ellipse = {center, rx, ry, kNotTurned};
  const Point start = {center.x + rx, center.y};
  move_to(start);
  arc_along(&ellipse, 0, 360, start);
  close_subpath();
}

static void add_corner(double center_x, double center_y, double rx, double ry, double start) {
  const Ellipse ellipse = {{center_x, center_y}, rx, ry, kNotTurned};
  arc_along(&ellipse, start, 90, ellipse_at(&ellipse, start + 90));
}

// With corners rounded by rx and ry, which may be 0.
static void add_rect(double x, double y, double width, double height, double rx, double ry) {
  if (!(width > 0) || !(height > 0)) return;
  const double right = x + width, bottom = y + height;
  if (rx > width / 2) rx = width / 2;
  if (ry > height / 2) ry = height / 2;
  if (!(rx > 0) || !(ry > 0)) rx = ry = 0;
  move_to((Point){x + rx, y});
  line_to((Point){right - rx, y});
  if (rx > 0) add_corner(right - rx, y + ry, rx, ry, -90);
  line_to((Point){right, bottom - ry});
  if (rx > 0) add_corner(right - rx, bottom - ry, rx, ry, 0);
  line_to((Point){x + rx, bottom});
  if (rx > 0) add_corner(x + rx, bottom - ry, rx, ry, 90);
  line_to((Point){x, y + ry});
  if (rx > 0) add_corner(x + rx, y + ry, rx, ry, 180);
  close_subpath();
}

// The points of a polyline; a last number without its pair does not count.
static void add_points(Slice text) {
  double pair[2];
  skip_spaces(&text);
  for (bool is_first = true; read_numbers(&text, pair, 2) == 2; is_first = false) {
    const Point point = {pair[0], pair[1]};
    if (is_first)
      move_to(point);
    else
      line_to(point);
    skip_separator(&text);
  }
}

// --- Path data (SVG 2, section 9.3) --------------------------------------------------------------

// How many numbers a command takes, and -1 for what is no command. The argument is a small letter.
static int32_t argument_count(uint32_t command) {
  switch (command) {
    case 'z':
      return 0;
    case 'h':
    case 'v':
      return 1;
    case 'm':
    case 'l':
    case 't':
      return 2;
    case 's':
    case 'q':
      return 4;
    case 'c':
      return 6;
    case 'a':
      return 7;
    default:
      return -1;
  }
}

// The numbers of one command. The two flags of an arc are single digits that need no separator.
static bool read_arguments(Slice* text, uint32_t command, double* numbers) {
  const uint32_t count = (uint32_t)argument_count(command);
  for (uint32_t i = 0; i < count; ++i) {
    if (i > 0) skip_separator(text);
    if (command == 'a' && (i == 3 || i == 4)) {
      const bool is_set = skip_char(text, '1');
      if (!is_set && !skip_char(text, '0')) return false;
      numbers[i] = is_set;
    } else if (!read_number(text, &numbers[i])) {
      return false;
    }
  }
  return true;
}

// What a command with a mirrored control point continues.
typedef struct {
  uint32_t command;  // the small letter of the last command
  Point control;     // the last control point of it, if it was a curve
} PathState;

static Point mirrored(const PathState* last, uint32_t one, uint32_t other) {
  const Point at = current_point();
  if (last->command != one && last->command != other) return at;
  return (Point){2 * at.x - last->control.x, 2 * at.y - last->control.y};
}

// Draws one command, whose numbers have become absolute.
static void draw_command(uint32_t command, const double* n, PathState* state) {
  const Point first = {n[0], n[1]}, second = {n[2], n[3]}, third = {n[4], n[5]};
  switch (command) {
    case 'm':
      move_to(first);
      break;
    case 'h':
      line_to((Point){n[0], current_point().y});
      break;
    case 'v':
      line_to((Point){current_point().x, n[0]});
      break;
    case 'l':
      line_to(first);
      break;
    case 'c':
      state->control = second;
      cubic_to(first, second, third);
      break;
    case 's': {
      const Point control = mirrored(state, 'c', 's');
      state->control = first;
      cubic_to(control, first, second);
      break;
    }
    case 'q':
      state->control = first;
      quadratic_to(first, second);
      break;
    case 't':
      state->control = mirrored(state, 'q', 't');
      quadratic_to(state->control, first);
      break;
    case 'a':
      arc_to(n[0], n[1], n[2], n[3] != 0, n[4] != 0, (Point){n[5], n[6]});
      break;
    default:
      close_subpath();
  }
  state->command = command;
}

// Adds the current point to coordinates that are relative to it.
static void make_absolute(uint32_t command, double* numbers) {
  const Point at = current_point();
  if (command == 'h') numbers[0] += at.x;
  if (command == 'v') numbers[0] += at.y;
  if (command == 'h' || command == 'v') return;
  for (uint32_t i = command == 'a' ? 5 : 0; i < (uint32_t)argument_count(command); i += 2) {
    numbers[i] += at.x;
    numbers[i + 1] += at.y;
  }
}

static void add_path(Slice text) {
  PathState state = {0, {0, 0}};
  skip_spaces(&text);
  while (text.len > 0) {
    const uint32_t letter = text.at[0];
    uint32_t command = letter | 0x20;
    if (!is_letter(letter) || argument_count(command) < 0) return;
    if (state.command == 0 && command != 'm') return;
    text = slice_from(text, 1);
    const bool is_relative = letter == command;
    // Numbers behind the last ones repeat the command; behind a moveto they are linetos.
    do {
      double numbers[8] = {0};
      skip_spaces(&text);
      if (!read_arguments(&text, command, numbers)) return;
      if (is_relative) make_absolute(command, numbers);
      draw_command(command, numbers, &state);
      if (command == 'm') command = 'l';
      Slice rest = text;
      skip_separator(&rest);
      const bool is_repeated = rest.len > 0 && !is_letter(rest.at[0]) && command != 'z';
      if (is_repeated) text = rest;
      skip_spaces(&text);
      if (!is_repeated) break;
    } while (text.len > 0);
  }
}
