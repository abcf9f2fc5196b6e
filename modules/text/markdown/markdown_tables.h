// Pipe tables (GitHub Flavored Markdown, "Tables" extension): recognised under a paragraph's last
// line, read row by row, split into cells.
// Bounds: kMaxColumns columns; a wider table stays a paragraph. Rows are filled up with empty
// cells, so a short row costs at most that many.
#pragma once

#include "text/markdown/markdown_source.h"

enum { kMaxColumns = 128 };

typedef enum { kAlignNone, kAlignLeft, kAlignCenter, kAlignRight } Alignment;

// The cells of a row, one after the other.
typedef struct {
  const uint8_t* bytes;
  uint32_t at, end;
} RowReader;

static RowReader begin_row(const uint8_t* bytes, uint32_t start, uint32_t end) {
  while (start < end && is_space(bytes[start])) ++start;
  while (end > start && is_space(bytes[end - 1])) --end;
  if (start < end && bytes[start] == '|') ++start;
  return (RowReader){bytes, start, end};
}

// Takes the next cell, without the white space around it; false at the end of the row.
static bool next_cell(RowReader* row, Range* cell) {
  if (row->at >= row->end) return false;
  uint32_t start = row->at, end = start;
  while (end < row->end && row->bytes[end] != '|') {
    if (row->bytes[end] == '\\' && end + 1 < row->end) ++end;
    ++end;
  }
  row->at = end + 1;
  while (start < end && is_blank_byte(row->bytes[start])) ++start;
  while (end > start && is_blank_byte(row->bytes[end - 1])) --end;
  *cell = (Range){start, end};
  return true;
}

static uint32_t count_cells(const uint8_t* bytes, uint32_t start, uint32_t end) {
  RowReader row = begin_row(bytes, start, end);
  Range cell;
  uint32_t count = 0;
  while (next_cell(&row, &cell)) ++count;
  return count;
}

// Reads a delimiter cell: hyphens, with a colon at the side or sides the column is aligned to.
static bool read_alignment(const uint8_t* bytes, Range cell, Alignment* alignment) {
  bool left = false, right = false;
  if (cell.start < cell.end && bytes[cell.start] == ':') {
    left = true;
    ++cell.start;
  }
  if (cell.start < cell.end && bytes[cell.end - 1] == ':') {
    right = true;
    --cell.end;
  }
  if (cell.start == cell.end) return false;
  for (uint32_t i = cell.start; i < cell.end; ++i)
    if (bytes[i] != '-') return false;
  *alignment = left && right ? kAlignCenter : left ? kAlignLeft : right ? kAlignRight : kAlignNone;
  return true;
}

// The number of columns of a delimiter row, or 0 when it is none.
static uint32_t read_delimiter_row(const uint8_t* bytes, uint32_t start, uint32_t end,
                                   Alignment alignments[kMaxColumns]) {
  RowReader row = begin_row(bytes, start, end);
  Range cell;
  uint32_t columns = 0;
  while (next_cell(&row, &cell)) {
    if (columns == kMaxColumns || !read_alignment(bytes, cell, &alignments[columns])) return 0;
    ++columns;
  }
  return columns;
}

static bool has_pipe(const uint8_t* bytes, uint32_t start, uint32_t end) {
  for (uint32_t i = start; i < end; ++i)
    if (bytes[i] == '|') return true;
  return false;
}
