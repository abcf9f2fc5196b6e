// Fills shapes: how much of each pixel lies inside a set of edges, and the colour laid over by
// that.
//
// Promises: the area inside is exact but for this: the ends of edges lie on whole steps in y,
// kSteps a pixel; and where edges cross, less than kFinestBand steps high, areas next to the
// crossing may be swapped. Inside is decided by the winding of the real shape, so that pieces that
// overlap are one shape.
// Bounds: kMaxEdges edges within the image's height, more trap; a row of pixels takes at most
// kSteps passes over the edges in it.
#pragma once

#include "image/svg+xml/svg_canvas.h"

enum { kMaxEdges = 1 << 19 };
static const int32_t kSteps = 256, kFinestBand = 4;

typedef enum { kNonzero, kEvenOdd } FillRule;

// An edge runs downwards from step `top` to step `bottom`; `winding` is 1 where it did so from the
// start, and -1 otherwise.
typedef struct {
  double top_x, bottom_x, x_per_step;
  int32_t top, bottom;
  int32_t winding;
  uint32_t next;  // the next edge that begins in the same row of pixels, plus one
} Edge;

// An edge in a band: where it enters and leaves it.
typedef struct {
  double top_x, bottom_x;
  int32_t winding;
} Crossing;

static Edge edges[kMaxEdges];
static uint32_t edge_count;
static uint32_t first_in_row[kMaxSide];  // the edges that begin in a row, plus one
static uint32_t first_row, end_row;      // the rows with edges

static uint32_t active[kMaxEdges];  // the edges of a row
static uint32_t active_count;
static Crossing crossings[kMaxEdges];
static uint32_t crossing_count;

// How much of each pixel of the row is inside, as differences from pixel to pixel.
static double cover[kMaxSide + 2];
static uint32_t cover_left, cover_right;  // from the first pixel that differs up to the last

// --- Edges ---------------------------------------------------------------------------------------

static double sane(double value) {
  return value > -1e9 ? value < 1e9 ? value : 1e9 : value == value ? -1e9 : 0;
}

// Adds the line from one point to another, in pixels, as far as it lies in the image's height. What
// lies to the left of the image counts, because winding is counted from the left.
static void add_edge(Point from, Point to, int32_t winding) {
  const bool is_upwards = from.y > to.y;
  const Point above = {sane(is_upwards ? to.x : from.x), sane(is_upwards ? to.y : from.y)};
  const Point below = {sane(is_upwards ? from.x : to.x), sane(is_upwards ? from.y : to.y)};
  const double height = canvas_height;
  if (!(below.y > above.y) || below.y <= 0 || above.y >= height) return;
  if (above.x >= canvas_width && below.x >= canvas_width) return;
  Edge edge;
  const double slope = (below.x - above.x) / (below.y - above.y);
  edge.top_x = above.y < 0 ? above.x - above.y * slope : above.x;
  edge.bottom_x = below.y > height ? above.x + (height - above.y) * slope : below.x;
  edge.top = (int32_t)__builtin_rint((above.y < 0 ? 0 : above.y) * kSteps);
  edge.bottom = (int32_t)__builtin_rint((below.y > height ? height : below.y) * kSteps);
  if (edge.top == edge.bottom) return;
  if (edge_count == kMaxEdges) __builtin_trap();
  edge.x_per_step = (edge.bottom_x - edge.top_x) / (edge.bottom - edge.top);
  edge.winding = is_upwards ? -winding : winding;
  const uint32_t row = (uint32_t)(edge.top / kSteps);
  const uint32_t last_row = (uint32_t)((edge.bottom - 1) / kSteps);
  edge.next = first_in_row[row];
  edges[edge_count++] = edge;
  first_in_row[row] = edge_count;
  if (row < first_row) first_row = row;
  if (last_row >= end_row) end_row = last_row + 1;
}

static void begin_edges(void) {
  edge_count = 0;
  first_row = UINT32_MAX;
  end_row = 0;
  __builtin_memset(first_in_row, 0, canvas_height * sizeof first_in_row[0]);
}

// --- The area of a band --------------------------------------------------------------------------

static void touch(uint32_t left, uint32_t right) {
  if (left < cover_left) cover_left = left;
  if (right > cover_right) cover_right = right;
}

// What is to the right of a line is inside by `height` rows, of which the line crosses as many in
// this column: at `middle` from the column's left side, on average.
static inline void add_column(uint32_t column, double height, double middle) {
  cover[column] += height * (1 - middle);
  cover[column + 1] += height * middle;
}

// Adds what is to the right of a line that runs from x = left to x = right while it falls by
// `height`; less than 0 takes it away. 0 <= left <= right <= canvas_width.
static void add_slanted(double left, double right, double height) {
  uint32_t column = (uint32_t)left;
  touch(column, (uint32_t)right + 2);
  if (right <= column + 1.0) {
    add_column(column, height, (left + right) / 2 - column);
    return;
  }
  const double height_per_x = height / (right - left);
  const double first = column + 1.0 - left;
  add_column(column, first * height_per_x, 1 - first / 2);
  for (++column; column + 1.0 < right; ++column) add_column(column, height_per_x, 0.5);
  const double last = right - column;
  add_column(column, last * height_per_x, last / 2);
}

// The same for any x: what is left of the image counts at its left side, what is right of it not.
static void add_side(double top_x, double bottom_x, double height) {
  double left = top_x < bottom_x ? top_x : bottom_x;
  double right = top_x < bottom_x ? bottom_x : top_x;
  const double width = canvas_width;
  if (left >= width) return;
  if (right <= 0) {
    cover[0] += height;
    touch(0, 1);
    return;
  }
  const double height_per_x = right > left ? height / (right - left) : 0;
  if (right > width) {
    height -= (right - width) * height_per_x;
    right = width;
  }
  if (left < 0) {
    const double outside = -left * height_per_x;
    cover[0] += outside;
    height -= outside;
    left = 0;
  }
  add_slanted(left, right, height);
}

// Sorts from left to right (Shell's method: the crossings are nearly sorted already).
static void sort_crossings(void) {
  for (uint32_t gap = crossing_count / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11) {
    for (uint32_t i = gap; i < crossing_count; ++i) {
      const Crossing moved = crossings[i];
      const double key = moved.top_x + moved.bottom_x;
      uint32_t to = i;
      for (; to >= gap; to -= gap) {
        const Crossing* const before = &crossings[to - gap];
        if (before->top_x + before->bottom_x <= key) break;
        crossings[to] = *before;
      }
      crossings[to] = moved;
    }
  }
}

// Where the band that begins at step y has to end: no edge begins or ends within a band.
static int32_t band_end(int32_t y, int32_t end) {
  for (uint32_t i = 0; i < active_count; ++i) {
    const Edge* const edge = &edges[active[i]];
    if (edge->top > y && edge->top < end) end = edge->top;
    if (edge->bottom > y && edge->bottom < end) end = edge->bottom;
  }
  return end;
}

static inline double edge_x(const Edge* edge, int32_t y) {
  return y == edge->bottom ? edge->bottom_x : edge->top_x + (y - edge->top) * edge->x_per_step;
}

static void collect_crossings(int32_t y, int32_t end) {
  crossing_count = 0;
  for (uint32_t i = 0; i < active_count; ++i) {
    const Edge* const edge = &edges[active[i]];
    if (edge->top > y || edge->bottom <= y) continue;
    crossings[crossing_count++] = (Crossing){edge_x(edge, y), edge_x(edge, end), edge->winding};
  }
  sort_crossings();
}

// Whether edges change places in the band, by more than can be seen.
static bool edges_cross(void) {
  const double kSlack = 1.0 / 256;
  double top_x = -2e9, bottom_x = -2e9;
  for (uint32_t i = 0; i < crossing_count; ++i) {
    const Crossing* const crossing = &crossings[i];
    if (crossing->top_x < top_x - kSlack || crossing->bottom_x < bottom_x - kSlack) return true;
    if (crossing->top_x > top_x) top_x = crossing->top_x;
    if (crossing->bottom_x > bottom_x) bottom_x = crossing->bottom_x;
  }
  return false;
}

static void add_band(double height, FillRule rule) {
  int32_t winding = 0;
  const int32_t mask = rule == kEvenOdd ? 1 : -1;
  for (uint32_t i = 0; i < crossing_count; ++i) {
    const bool was_inside = (winding & mask) != 0;
    winding += crossings[i].winding;
    const bool is_inside = (winding & mask) != 0;
    if (was_inside == is_inside) continue;
    add_side(crossings[i].top_x, crossings[i].bottom_x, is_inside ? height : -height);
  }
}

// --- Rows ----------------------------------------------------------------------------------------

// Lays the colour over the pixels of the row and clears what the row left in `cover`. Behind the
// last difference, the row goes on where an edge to the right of the image would end it.
static void paint_row(uint32_t y, Pixel color) {
  const double kRoundingError = 1e-6;  // of sums that should be 0 or 1, and more
  if (cover_left >= cover_right) return;
  Pixel* const row = layer_row(layer_count - 1, y);
  double inside = 0;
  uint32_t x = cover_left;
  for (; x < canvas_width; ++x) {
    if (x < cover_right) inside += cover[x];
    if (inside < kRoundingError) {
      if (x >= cover_right) break;
      continue;
    }
    lay_over(row + x, inside > 1 - kRoundingError ? color : weakened(color, (float)inside));
  }
  __builtin_memset(cover + cover_left, 0, (cover_right - cover_left) * sizeof cover[0]);
  widen(&drawn[layer_count - 1], (Box){cover_left, y, x, y + 1});
}

static void sweep_row(uint32_t row, FillRule rule) {
  int32_t y = (int32_t)row * kSteps;
  const int32_t row_end = y + kSteps;
  while (y < row_end) {
    int32_t end = band_end(y, row_end);
    collect_crossings(y, end);
    while (end - y > kFinestBand && edges_cross()) {
      end = y + (end - y) / 2;
      collect_crossings(y, end);
    }
    add_band((end - y) * (1.0 / kSteps), rule);
    y = end;
  }
}

// Lays a colour, alpha straight, over what lies inside of the edges since begin_edges().
static void fill_edges(FillRule rule, Color color) {
  const Pixel opaque = {color.red, color.green, color.blue, 1.0f};
  const Pixel pixel = weakened(opaque, color.alpha);
  active_count = 0;
  for (uint32_t row = first_row; row < end_row; ++row) {
    for (uint32_t i = first_in_row[row]; i != 0; i = edges[i - 1].next)
      active[active_count++] = i - 1;
    if (active_count == 0) continue;
    cover_left = UINT32_MAX;
    cover_right = 0;
    sweep_row(row, rule);
    paint_row(row, pixel);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < active_count; ++i)
      if (edges[active[i]].bottom > (int32_t)(row + 1) * kSteps) active[kept++] = active[i];
    active_count = kept;
  }
}
