// Strokes: the outline of a line of some width along an outline, as convex pieces whose union it
// is. They overlap; svg_coverage.h fills what any of them covers.
//
// Assumes: the outline is in units of the shape, as is the width, so that a transform that is not
// uniform bends the pen too. Sources: SVG 2, section 13.5. Bounds: arcs have at most
// kMaxArcPieces lines; each point of the outline gives at most one join and one line.
#pragma once

#include "image/svg+xml/svg_coverage.h"
#include "image/svg+xml/svg_outline.h"

typedef enum { kButtCap, kRoundCap, kSquareCap } LineCap;
typedef enum { kMiterJoin, kRoundJoin, kBevelJoin } LineJoin;

typedef struct {
  double width, miter_limit;
  LineCap cap;
  LineJoin join;
} StrokeStyle;

enum { kMaxArcPieces = 256, kMaxPieceCorners = kMaxArcPieces + 3 };

// The stroke that is drawn.
typedef struct {
  const StrokeStyle* style;
  const Matrix* transform;
  double half_width;
  double arc_pieces;  // of a half circle
} Pen;

static Point along(Point from, Point direction, double distance) {
  return (Point){from.x + direction.x * distance, from.y + direction.y * distance};
}

// To the right of a direction, as the image has it, where y grows downwards.
static Point right_of(Point direction) {
  return (Point){-direction.y, direction.x};
}

static Point opposite(Point direction) {
  return (Point){-direction.x, -direction.y};
}

// All pieces wind the same way, whatever the transform does, so that they add up.
static void add_piece(const Pen* pen, const Point* corners, uint32_t count) {
  Point placed[kMaxPieceCorners];
  double area = 0;
  for (uint32_t i = 0; i < count; ++i) placed[i] = transformed(pen->transform, corners[i]);
  for (uint32_t i = 0; i < count; ++i) {
    const Point here = placed[i], next = placed[i + 1 < count ? i + 1 : 0];
    area += (here.x - placed[0].x) * (next.y - placed[0].y) -
            (here.y - placed[0].y) * (next.x - placed[0].x);
  }
  const int32_t winding = area < 0 ? -1 : 1;
  for (uint32_t i = 0; i < count; ++i)
    add_edge(placed[i], placed[i + 1 < count ? i + 1 : 0], winding);
}

static void add_segment(const Pen* pen, Point from, Point to, Point direction) {
  const Point side = right_of(direction);
  const Point corners[4] = {along(from, side, pen->half_width), along(to, side, pen->half_width),
                            along(to, side, -pen->half_width), along(from, side, -pen->half_width)};
  add_piece(pen, corners, 4);
}

// The sector at `center` from one direction by `degrees`, 360 at most, to another.
static void add_sector(const Pen* pen, Point center, Point from, double degrees, Point to) {
  Point corners[kMaxPieceCorners];
  const double wanted = __builtin_ceil(pen->arc_pieces * __builtin_fabs(degrees) / 180);
  const uint32_t count =
      wanted >= 1 ? wanted < (double)kMaxArcPieces ? (uint32_t)wanted : kMaxArcPieces : 1;
  corners[0] = center;
  corners[1] = along(center, from, pen->half_width);
  for (uint32_t i = 1; i < count; ++i) {
    const Direction turn = direction_of_degrees(degrees * i / count);
    const Point direction = {from.x * turn.cosine - from.y * turn.sine,
                             from.x * turn.sine + from.y * turn.cosine};
    corners[i + 1] = along(center, direction, pen->half_width);
  }
  corners[count + 1] = along(center, to, pen->half_width);
  add_piece(pen, corners, count + 2);
}

// Fills the wedge on the outer side of a corner, from the end of one line to the next one's begin.
static void add_join(const Pen* pen, Point at, Point before, Point behind, bool is_smooth) {
  const double cross = before.x * behind.y - before.y * behind.x;
  const double dot = before.x * behind.x + before.y * behind.y;
  if (cross == 0 && dot > 0) return;
  // The outer side is the left one where the line turns right, or back.
  Point from = right_of(before), to = right_of(behind);
  if (cross >= 0) {
    from = opposite(from);
    to = opposite(to);
  }
  if (is_smooth || pen->style->join == kRoundJoin) {
    const double turn = angle_of(dot, cross);
    add_sector(pen, at, from, turn, to);
    return;
  }
  Point corners[4] = {at, along(at, from, pen->half_width), at, along(at, to, pen->half_width)};
  // A miter is 1 / cos(turn / 2) times as long as the line is wide.
  const double limit = pen->style->miter_limit;
  const bool is_miter = pen->style->join == kMiterJoin && 2 <= limit * limit * (1 + dot);
  if (is_miter) {
    const Point both = {from.x + to.x, from.y + to.y};
    corners[2] = along(at, both, pen->half_width / (1 + dot));
    add_piece(pen, corners, 4);
  } else {
    corners[2] = corners[3];
    add_piece(pen, corners, 3);
  }
}

// Ends a line at `at`; `outwards` leads on.
static void add_cap(const Pen* pen, Point at, Point outwards) {
  const Point side = right_of(outwards);
  if (pen->style->cap == kRoundCap) add_sector(pen, at, opposite(side), 180, side);
  if (pen->style->cap == kSquareCap)
    add_segment(pen, at, along(at, outwards, pen->half_width), outwards);
}

static bool direction_to(Point from, Point to, Point* direction) {
  const double x = to.x - from.x, y = to.y - from.y;
  const double length = length_of(x, y);
  if (!(length > 1e-12)) return false;
  *direction = (Point){x / length, y / length};
  return true;
}

// The subpath of the points from `begin` up to `end`. Points that coincide with the one before them
// have no direction and are passed over.
static void add_subpath(const Pen* pen, uint32_t begin, uint32_t end) {
  const bool is_closed = point_marks[begin] & kCloses;
  Point first_direction = {1, 0}, direction = {1, 0};
  Point at = points[begin];
  bool any = false, is_smooth = false;
  const uint32_t last = is_closed ? end + 1 : end;
  for (uint32_t i = begin + 1; i < last; ++i) {
    const Point next = points[i < end ? i : begin];
    Point turned;
    if (direction_to(at, next, &turned)) {
      if (any)
        add_join(pen, at, direction, turned, is_smooth);
      else
        first_direction = turned;
      add_segment(pen, at, next, turned);
      any = true;
      direction = turned;
      at = next;
    }
    is_smooth = i < end && (point_marks[i] & kSmooth);
  }
  if (any && is_closed) {
    add_join(pen, at, direction, first_direction, false);
    return;
  }
  // A subpath of no length shows its caps only.
  add_cap(pen, points[begin], opposite(first_direction));
  add_cap(pen, at, direction);
}

// Adds the edges of the stroke of the whole outline; `scale` is how many pixels a unit may become.
static void add_stroke(const StrokeStyle* style, const Matrix* transform, double scale) {
  Pen pen = {style, transform, style->width / 2, 0};
  const double half_circle = 3.14159265358979323846;
  pen.arc_pieces = half_circle * __builtin_sqrt(pen.half_width * scale / (8 * kFlatness));
  for (uint32_t begin = 0, end; begin < point_count; begin = end) {
    for (end = begin + 1; end < point_count && !(point_marks[end] & kBegins);) ++end;
    add_subpath(&pen, begin, end);
  }
}
