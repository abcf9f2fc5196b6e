// Markdown to an HTML fragment: headings, paragraphs, emphasis, strong and deleted text, code
// spans, fenced and indented code, lists, links and images, autolinks, block quotes, pipe
// tables, rules, hard breaks, backslash escapes. Raw HTML is shown as text, and link targets that
// run code are left out, so the fragment is safe for any input.
// Input up to 512 KiB, output up to 4 MiB (more traps). Time is linear in the input.
#include "text/markdown/markdown_blocks.h"

INPUT_UTF8(kMarkdownCap)
OUTPUT_UTF8(4 << 20)
OUTPUT_CONTENT_TYPE("text/html")

#include "text/markdown/markdown_inlines.h"

// A tag that begins on a line of its own.
static void begin_line(void) {
  if (output_len > 0 && output[output_len - 1] != '\n') put('\n');
}

static void put_number(uint32_t number) {
  if (number >= 10) put_number(number / 10);  // at most nine digits
  put((uint8_t)('0' + number % 10));
}

static void put_block_inlines(const Block* block) {
  put_inlines(text + block->text_start, block->text_len);
}

static void put_code_text(uint32_t start, uint32_t end) {
  for (uint32_t i = start; i < end; ++i) put_escaped(text[i]);
  put_text("</code></pre>\n");
}

// The first word of the info string names the language.
static void put_fenced_code(const Block* block) {
  const uint32_t start = block->text_start, end = start + block->text_len;
  uint32_t info_end = start;
  while (text[info_end] != '\n') ++info_end;
  uint32_t word_end = start;
  while (word_end < info_end && !is_blank_byte(text[word_end])) ++word_end;
  put_text("<pre><code");
  if (word_end > start) {
    put_text(" class=\"language-");
    put_unescaped(text, start, word_end);
    put('"');
  }
  put('>');
  put_code_text(info_end + 1, end);
}

// --- Tables --------------------------------------------------------------------------------------

// In a cell an escaped pipe is a pipe, also in code spans. Cells only get shorter, so they are
// rewritten where they stand.
static uint32_t unescape_pipes(uint32_t start, uint32_t end) {
  uint32_t to = start;
  for (uint32_t i = start; i < end; ++i) {
    if (text[i] == '\\' && i + 1 < end && text[i + 1] == '|') ++i;
    text[to++] = text[i];
  }
  return to;
}

static void put_cell(Range cell, bool is_header, Alignment alignment) {
  if (is_header)
    put_text("<th");
  else
    put_text("<td");
  if (alignment == kAlignLeft) put_text(" align=\"left\"");
  if (alignment == kAlignCenter) put_text(" align=\"center\"");
  if (alignment == kAlignRight) put_text(" align=\"right\"");
  put('>');
  put_inlines(text + cell.start, unescape_pipes(cell.start, cell.end) - cell.start);
  if (is_header)
    put_text("</th>\n");
  else
    put_text("</td>\n");
}

// Every row has as many cells as the header: missing ones are empty, further ones are left out.
static void put_row(const Block* block, bool is_header, uint32_t columns,
                    const Alignment* alignments) {
  RowReader row = begin_row(text, block->text_start, block->text_start + block->text_len);
  put_text("<tr>\n");
  for (uint32_t i = 0; i < columns; ++i) {
    Range cell;
    if (!next_cell(&row, &cell)) cell = (Range){0, 0};
    put_cell(cell, is_header, alignments[i]);
  }
  put_text("</tr>\n");
}

static void put_table(const Block* table) {
  Alignment alignments[kMaxColumns];
  const uint32_t columns =
      read_delimiter_row(text, table->text_start, table->text_start + table->text_len, alignments);
  const Block* row = &blocks[table->first_child];
  put_text("<table>\n<thead>\n");
  put_row(row, true, columns, alignments);
  put_text("</thead>\n");
  if (row->next != 0) {
    put_text("<tbody>\n");
    while (row->next != 0) {
      row = &blocks[row->next];
      put_row(row, false, columns, alignments);
    }
    put_text("</tbody>\n");
  }
  put_text("</table>\n");
}

// --- Blocks --------------------------------------------------------------------------------------

static bool is_in_tight_list(const Block* paragraph) {
  const Block* const item = &blocks[paragraph->parent];
  return item->kind == kItem && blocks[item->parent].is_tight;
}

static void put_paragraph(const Block* block) {
  if (block->text_len == 0) return;  // it held nothing but link definitions
  if (is_in_tight_list(block)) {
    put_block_inlines(block);
    return;
  }
  begin_line();
  put_text("<p>");
  put_block_inlines(block);
  put_text("</p>\n");
}

static void put_heading(const Block* block) {
  put_text("<h");
  put('0' + block->level);
  put('>');
  put_block_inlines(block);
  put_text("</h");
  put('0' + block->level);
  put_text(">\n");
}

static void open_list(const Block* list) {
  if (!is_digit(list->mark) && list->mark != '.' && list->mark != ')') {
    put_text("<ul>\n");
    return;
  }
  put_text("<ol");
  if (list->number != 1) {
    put_text(" start=\"");
    put_number(list->number);
    put('"');
  }
  put_text(">\n");
}

// Writes what stands before the blocks inside a block; all of a leaf block.
static void enter(const Block* block) {
  if (block->kind == kParagraph) {
    put_paragraph(block);
    return;
  }
  begin_line();
  switch ((BlockKind)block->kind) {
    case kBlockQuote:
      put_text("<blockquote>\n");
      break;
    case kList:
      open_list(block);
      break;
    case kItem:
      put_text("<li>");
      break;
    case kHeading:
      put_heading(block);
      break;
    case kFencedCode:
      put_fenced_code(block);
      break;
    case kIndentedCode:
      put_text("<pre><code>");
      put_code_text(block->text_start, block->text_start + block->text_len);
      break;
    case kRule:
      put_text("<hr />\n");
      break;
    case kTable:
      put_table(block);
      break;
    case kDocument:
    case kParagraph:
    case kTableRow:
      break;
  }
}

static void leave(const Block* block) {
  if (block->kind == kItem) {
    put_text("</li>\n");
  } else if (block->kind == kBlockQuote) {
    begin_line();
    put_text("</blockquote>\n");
  } else if (block->kind == kList) {
    begin_line();
    if (block->mark == '.' || block->mark == ')')
      put_text("</ol>\n");
    else
      put_text("</ul>\n");
  }
}

// Visits the tree in order, along its links.
static void put_blocks(void) {
  uint32_t index = blocks[0].first_child;
  while (index != 0) {
    enter(&blocks[index]);
    if (blocks[index].kind <= kItem && blocks[index].first_child != 0) {
      index = blocks[index].first_child;
      continue;
    }
    leave(&blocks[index]);
    while (blocks[index].next == 0) {
      index = blocks[index].parent;
      if (index == 0) return;
      leave(&blocks[index]);
    }
    index = blocks[index].next;
  }
}

RENDER(uint32_t input_len) {
  output_len = 0;
  read_blocks(input, input_len);
  put_blocks();
  return output_len;
}
