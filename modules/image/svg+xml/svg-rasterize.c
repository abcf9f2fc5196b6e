// Draws an SVG file of the kind that icons are: a bitmap of 32 bits a pixel, straight alpha.
//
// Draws svg, g, a and switch, rect, circle, ellipse, line, polyline, polygon and path, with
// transforms, fill, stroke, opacity, viewBox and preserveAspectRatio; styles are presentation
// attributes and style attributes. The image is as large as width and height say, else as the
// viewBox, else 300 by 150. Everything else (text, images, gradients, clipping, style sheets) is
// left out, and a paint that refers to something is its fallback colour, or none.
// Traps where the file is not well-formed or has no svg element, where elements nest deeper than
// kMaxDepth, where the image has no pixels or more than kMaxCanvasPixels, and where a shape or its
// layers need more than their tables hold. Input up to 4 MiB.
#include "image/bmp/bmp.h"

enum { kMaxDepth = 256 };

INPUT_UTF8(4 << 20)
OUTPUT_BYTES(kBmpHeaderBytes + 4 * (1 << 22))
OUTPUT_CONTENT_TYPE("image/bmp")

#include "image/bmp/bmp_writer.h"
#include "image/svg+xml/svg_stroke.h"
#include "image/svg+xml/svg_style.h"

_Static_assert(sizeof output == kBmpHeaderBytes + 4 * kMaxCanvasPixels, "the largest image fits");

// An element that is open.
typedef struct {
  Slice name;
  Style style;
  Matrix transform;  // from its units to pixels
  bool is_drawn;     // what is in it is drawn
  bool has_layer;    // what is in it is drawn on a layer of its own
} Element;

static Element open_elements[kMaxDepth];
static uint32_t depth;

// What percentages are parts of: the size of the coordinate system.
static double view_width, view_height, view_diagonal;

// --- The coordinate system (SVG 2, chapter 8) ----------------------------------------------------

// The matrix for preserveAspectRatio, xMidYMid meet unless it says otherwise.
static Matrix fit_view(const double* view_box, double width, double height, Slice rule) {
  static const char* const places[3] = {"Min", "Mid", "Max"};
  double scale_x = width / view_box[2], scale_y = height / view_box[3];
  double place_x = 0.5, place_y = 0.5;
  rule = trimmed(rule);
  if (!slice_is(rule, "none")) {
    const bool is_slice = find_text(rule, "slice") < rule.len;
    const double scale = (scale_x < scale_y) != is_slice ? scale_x : scale_y;
    scale_x = scale_y = scale;
    for (uint32_t i = 0; i < 3 && rule.len >= 8 && rule.at[0] == 'x' && rule.at[4] == 'Y'; ++i) {
      if (has_prefix(slice_from(rule, 1), places[i])) place_x = i / 2.0;
      if (has_prefix(slice_from(rule, 5), places[i])) place_y = i / 2.0;
    }
  }
  return (Matrix){scale_x,
                  0,
                  0,
                  scale_y,
                  (width - view_box[2] * scale_x) * place_x - view_box[0] * scale_x,
                  (height - view_box[3] * scale_y) * place_y - view_box[1] * scale_y};
}

// A side in whole pixels: begun ones count, unless by a rounding error.
static uint32_t whole_pixels(double length) {
  const double pixels = __builtin_ceil(length - 1e-3);
  require(pixels >= 1 && pixels <= (double)kMaxSide);
  return (uint32_t)pixels;
}

// Sets up the canvas as the root element wants it, and returns its coordinate system.
static Matrix begin_image(const Tag* root) {
  double view_box[4];
  Slice text = trimmed(find_attribute(root, "viewBox"));
  const bool has_view = read_numbers(&text, view_box, 4) == 4 && view_box[2] > 0 && view_box[3] > 0;
  double width = 0, height = 0;
  const bool has_width = read_length(find_attribute(root, "width"), 0, &width) && width != 0;
  const bool has_height = read_length(find_attribute(root, "height"), 0, &height) && height != 0;
  if (!has_width && !has_height) {
    width = has_view ? view_box[2] : 300;
    height = has_view ? view_box[3] : 150;
  } else if (!has_width) {
    width = has_view ? height * view_box[2] / view_box[3] : 300;
  } else if (!has_height) {
    height = has_view ? width * view_box[3] / view_box[2] : 150;
  }
  const uint32_t columns = whole_pixels(width), rows = whole_pixels(height);
  require(columns * rows <= kMaxCanvasPixels);
  begin_canvas(columns, rows);
  view_width = has_view ? view_box[2] : width;
  view_height = has_view ? view_box[3] : height;
  view_diagonal = length_of(view_width, view_height) / 1.4142135623730951;
  if (!has_view) return (Matrix){1, 0, 0, 1, 0, 0};
  return fit_view(view_box, width, height, find_attribute(root, "preserveAspectRatio"));
}

// --- Shapes --------------------------------------------------------------------------------------

// How many pixels a unit may become, at most: the larger singular value of the matrix.
static double largest_scale(const Matrix* m) {
  const double sum = m->a * m->a + m->b * m->b + m->c * m->c + m->d * m->d;
  const double area = m->a * m->d - m->b * m->c;
  const double rest = sum * sum - 4 * area * area;
  return __builtin_sqrt((sum + __builtin_sqrt(rest > 0 ? rest : 0)) / 2);
}

// A length of the element; percentages of `whole`.
static double length_attribute(const Tag* tag, const char* name, double whole, double missing) {
  double value = missing;
  read_length(find_attribute(tag, name), whole, &value);
  return value;
}

static double x_attribute(const Tag* tag, const char* name) {
  return length_attribute(tag, name, view_width, 0);
}

static double y_attribute(const Tag* tag, const char* name) {
  return length_attribute(tag, name, view_height, 0);
}

// One radius that is not given, or not positive, is like the other one.
static void outline_rect(const Tag* tag) {
  double rx = length_attribute(tag, "rx", view_width, -1);
  double ry = length_attribute(tag, "ry", view_height, -1);
  if (rx < 0) rx = ry;
  if (ry < 0) ry = rx;
  add_rect(x_attribute(tag, "x"), y_attribute(tag, "y"), x_attribute(tag, "width"),
           y_attribute(tag, "height"), rx, ry);
}

static void outline_ellipse(const Tag* tag) {
  const Point center = {x_attribute(tag, "cx"), y_attribute(tag, "cy")};
  double rx = length_attribute(tag, "rx", view_width, -1);
  double ry = length_attribute(tag, "ry", view_height, -1);
  if (rx < 0) rx = ry;
  if (ry < 0) ry = rx;
  add_ellipse(center, rx, ry);
}

// The outline of an element; false for one that is no shape.
static bool outline_of(const Tag* tag) {
  if (slice_is(tag->name, "path")) {
    add_path(find_attribute(tag, "d"));
  } else if (slice_is(tag->name, "rect")) {
    outline_rect(tag);
  } else if (slice_is(tag->name, "circle")) {
    const double radius = length_attribute(tag, "r", view_diagonal, 0);
    add_ellipse((Point){x_attribute(tag, "cx"), y_attribute(tag, "cy")}, radius, radius);
  } else if (slice_is(tag->name, "ellipse")) {
    outline_ellipse(tag);
  } else if (slice_is(tag->name, "line")) {
    move_to((Point){x_attribute(tag, "x1"), y_attribute(tag, "y1")});
    line_to((Point){x_attribute(tag, "x2"), y_attribute(tag, "y2")});
  } else if (slice_is(tag->name, "polyline")) {
    add_points(find_attribute(tag, "points"));
  } else if (slice_is(tag->name, "polygon")) {
    add_points(find_attribute(tag, "points"));
    close_subpath();
  } else {
    return false;
  }
  end_outline();
  return true;
}

static void fill_outline(const Style* style, const Matrix* transform, Color color) {
  begin_edges();
  for (uint32_t begin = 0, end; begin < point_count; begin = end) {
    Point at = transformed(transform, points[begin]);
    const Point first = at;
    for (end = begin + 1; end < point_count && !(point_marks[end] & kBegins); ++end) {
      const Point next = transformed(transform, points[end]);
      add_edge(at, next, 1);
      at = next;
    }
    add_edge(at, first, 1);
  }
  fill_edges(style->fill_rule, color);
}

static void stroke_outline(const Style* style, const Matrix* transform, Color color) {
  begin_edges();
  const StrokeStyle stroke = {style->stroke_width, style->miter_limit, style->cap, style->join};
  add_stroke(&stroke, transform, largest_scale(transform));
  fill_edges(kNonzero, color);
}

// Draws the element if it is a shape.
static void draw_shape(const Tag* tag, const Element* element) {
  const Style* const style = &element->style;
  begin_outline(largest_scale(&element->transform));
  if (!outline_of(tag) || !style->is_visible) return;
  Color fill = paint_color(style, &style->fill), stroke = paint_color(style, &style->stroke);
  fill.alpha *= style->fill_opacity;
  stroke.alpha *= style->stroke_opacity;
  const bool has_fill = fill.alpha > 0;
  const bool has_stroke = stroke.alpha > 0 && style->stroke_width > 0;
  // Where fill and stroke overlap, opacity applies to both together.
  const bool needs_layer = style->opacity < 1 && has_fill && has_stroke;
  if (needs_layer) {
    push_layer();
  } else {
    fill.alpha *= style->opacity;
    stroke.alpha *= style->opacity;
  }
  if (has_fill) fill_outline(style, &element->transform, fill);
  if (has_stroke) stroke_outline(style, &element->transform, stroke);
  if (needs_layer) pop_layer(style->opacity);
}

// --- Elements ------------------------------------------------------------------------------------

static bool is_container(Slice name) {
  return slice_is(name, "g") || slice_is(name, "svg") || slice_is(name, "a") ||
         slice_is(name, "switch");
}

static void open_element(const Tag* tag) {
  require(depth < kMaxDepth);
  Element* const element = &open_elements[depth];
  element->name = tag->name;
  element->has_layer = false;
  element->is_drawn = true;
  if (depth == 0) {
    require(slice_is(tag->name, "svg"));
    element->style = initial_style();
    element->transform = begin_image(tag);
  } else {
    const Element* const parent = &open_elements[depth - 1];
    element->style = inherited_style(&parent->style);
    element->transform = parent->transform;
    element->is_drawn = parent->is_drawn;
  }
  ++depth;
  read_style(tag, view_diagonal, &element->style);
  element->is_drawn = element->is_drawn && element->style.is_displayed;
  if (!element->is_drawn) return;
  Matrix own;
  if (read_transform(find_attribute(tag, "transform"), &own))
    element->transform = product(element->transform, own);
  if (!is_container(tag->name)) {
    element->is_drawn = false;  // a shape holds nothing that is drawn, and others are left out
    draw_shape(tag, element);
  } else if (element->style.opacity < 1) {
    element->has_layer = true;
    push_layer();
  }
}

static void close_element(void) {
  const Element* const element = &open_elements[--depth];
  if (element->has_layer) pop_layer(element->style.opacity);
}

static bool same_name(Slice one, Slice other) {
  for (uint32_t i = 0; i < one.len && one.len == other.len; ++i)
    if (one.at[i] != other.at[i]) return false;
  return one.len == other.len;
}

// Draws the first element of the source with all that it holds.
static void draw_source(Slice source) {
  uint32_t at = 0;
  depth = 0;
  do {
    const Tag tag = next_tag(source, at);
    require(tag.kind == kStartTag || tag.kind == kEndTag);
    at = tag.end;
    if (tag.kind == kStartTag) {
      open_element(&tag);
    } else {
      require(depth > 0 && same_name(tag.name, open_elements[depth - 1].name));
    }
    if (tag.kind == kEndTag || tag.is_empty) close_element();
  } while (depth > 0);
}

// --- The bitmap ----------------------------------------------------------------------------------

static uint32_t byte_of(float value) {
  return value >= 1.0f ? 255 : value > 0.0f ? (uint32_t)(value * 255.0f + 0.5f) : 0;
}

static uint32_t straight_pixel(Pixel pixel) {
  const uint32_t alpha = byte_of(pixel.alpha);
  if (alpha == 0) return 0;
  const float scale = 1.0f / pixel.alpha;
  return alpha << 24 | byte_of(pixel.red * scale) << 16 | byte_of(pixel.green * scale) << 8 |
         byte_of(pixel.blue * scale);
}

RENDER(uint32_t input_len) {
  output_len = 0;
  draw_source((Slice){input, input_len});
  uint8_t* to = begin_bmp(canvas_width, canvas_height);
  for (uint32_t y = 0; y < canvas_height; ++y, to -= 4 * canvas_width) {
    const Pixel* const row = layer_row(0, y);
    for (uint32_t x = 0; x < canvas_width; ++x) store32(to + 4 * x, straight_pixel(row[x]));
  }
  return output_len;
}
