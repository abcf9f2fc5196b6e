// How shapes are painted: the properties of an element, from its attributes and its style attribute
// (SVG 2, chapters 6 and 13), on top of what it inherits.
//
// Promises: a value that is not understood leaves the property as it is, which is also what
// "inherit" means for the properties that are inherited.
#pragma once

#include "image/svg+xml/svg_stroke.h"

typedef enum { kNoPaint, kColorPaint, kCurrentColor } PaintKind;

typedef struct {
  PaintKind kind;
  Color color;
} Paint;

typedef struct {
  Paint fill, stroke;
  Color color;  // what currentColor stands for
  float fill_opacity, stroke_opacity;
  double stroke_width, miter_limit;
  FillRule fill_rule;
  LineCap cap;
  LineJoin join;
  bool is_visible;
  // Not inherited:
  bool is_displayed;
  float opacity;
} Style;

static Style initial_style(void) {
  const Color black = {0, 0, 0, 1};
  return (Style){
      .fill = {kColorPaint, black},
      .stroke = {kNoPaint, black},
      .color = black,
      .fill_opacity = 1,
      .stroke_opacity = 1,
      .stroke_width = 1,
      .miter_limit = 4,
      .fill_rule = kNonzero,
      .cap = kButtCap,
      .join = kMiterJoin,
      .is_visible = true,
      .is_displayed = true,
      .opacity = 1,
  };
}

static Style inherited_style(const Style* parent) {
  Style style = *parent;
  style.is_displayed = true;
  style.opacity = 1;
  return style;
}

// Alpha 0 where nothing is painted.
static Color paint_color(const Style* style, const Paint* paint) {
  if (paint->kind == kNoPaint) return (Color){0, 0, 0, 0};
  return paint->kind == kCurrentColor ? style->color : paint->color;
}

static Slice find_attribute(const Tag* tag, const char* name) {
  Slice attributes = tag->attributes;
  Attribute attribute;
  while (next_attribute(&attributes, &attribute))
    if (slice_is(attribute.name, name)) return attribute.value;
  return (Slice){tag->attributes.at, 0};
}

// A paint that refers to another element is what stands behind the reference, or none.
static void read_paint(Slice value, Paint* paint) {
  if (has_prefix(value, "url(")) {
    const uint32_t end = find_text(value, ")");
    paint->kind = kNoPaint;
    if (end == value.len) return;
    value = trimmed(slice_from(value, end + 1));
  }
  if (slice_is_word(value, "none"))
    paint->kind = kNoPaint;
  else if (slice_is_word(value, "currentcolor"))
    paint->kind = kCurrentColor;
  else if (read_color(value, &paint->color))
    paint->kind = kColorPaint;
}

// A number or a percentage, brought to 0..1.
static void read_opacity(Slice value, float* opacity) {
  read_channel(&value, 1, opacity);
}

// The place of the value in a list of words, or `missing`.
static uint32_t word_index(Slice value, const char* const* words, uint32_t count,
                           uint32_t missing) {
  for (uint32_t i = 0; i < count; ++i)
    if (slice_is_word(value, words[i])) return i;
  return missing;
}

// Takes one declaration over into the style; `whole` is what a percentage of a length is part of.
static void set_property(Slice name, Slice value, double whole, Style* style) {
  static const char* const caps[] = {"butt", "round", "square"};
  static const char* const joins[] = {"miter", "round", "bevel"};
  static const char* const rules[] = {"nonzero", "evenodd"};
  value = trimmed(value);
  if (slice_is(name, "fill")) {
    read_paint(value, &style->fill);
  } else if (slice_is(name, "stroke")) {
    read_paint(value, &style->stroke);
  } else if (slice_is(name, "color")) {
    read_color(value, &style->color);
  } else if (slice_is(name, "opacity")) {
    read_opacity(value, &style->opacity);
  } else if (slice_is(name, "fill-opacity")) {
    read_opacity(value, &style->fill_opacity);
  } else if (slice_is(name, "stroke-opacity")) {
    read_opacity(value, &style->stroke_opacity);
  } else if (slice_is(name, "stroke-width")) {
    double width = 0;
    if (read_length(value, whole, &width) && width >= 0) style->stroke_width = width;
  } else if (slice_is(name, "stroke-miterlimit")) {
    double limit = 0;
    if (read_number(&value, &limit) && limit >= 1) style->miter_limit = limit;
  } else if (slice_is(name, "stroke-linecap")) {
    style->cap = (LineCap)word_index(value, caps, 3, style->cap);
  } else if (slice_is(name, "stroke-linejoin")) {
    style->join = (LineJoin)word_index(value, joins, 3, style->join);
  } else if (slice_is(name, "fill-rule")) {
    style->fill_rule = (FillRule)word_index(value, rules, 2, style->fill_rule);
  } else if (slice_is(name, "visibility")) {
    if (!slice_is_word(value, "inherit")) style->is_visible = slice_is_word(value, "visible");
  } else if (slice_is(name, "display")) {
    style->is_displayed = !slice_is_word(value, "none");
  }
}

// A style attribute: declarations between semicolons. "!important" makes no difference here.
static void read_declarations(Slice css, double whole, Style* style) {
  while (css.len > 0) {
    Slice declaration = {css.at, find_text(css, ";")};
    css = slice_from(css, declaration.len < css.len ? declaration.len + 1 : css.len);
    declaration.len = find_text(declaration, "!important");
    const uint32_t colon = find_text(declaration, ":");
    if (colon == declaration.len) continue;
    set_property(trimmed((Slice){declaration.at, colon}), slice_from(declaration, colon + 1), whole,
                 style);
  }
}

// The style attribute counts more than the others.
static void read_style(const Tag* tag, double whole, Style* style) {
  Slice attributes = tag->attributes;
  Attribute attribute;
  while (next_attribute(&attributes, &attribute))
    set_property(attribute.name, attribute.value, whole, style);
  read_declarations(find_attribute(tag, "style"), whole, style);
}
