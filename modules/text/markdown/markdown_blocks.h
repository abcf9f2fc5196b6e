// The block structure of a Markdown text: lines become a tree of block quotes, lists, headings,
// code blocks, tables and paragraphs. The rules are those of CommonMark 0.31.2 (chapters 4 and 5)
// and, for tables, of the GitHub specification; raw HTML is ordinary text here.
//
// A line is read in three steps, as CommonMark's appendix describes: which open blocks does it
// continue, which blocks does it open, and where does the rest of its text belong.
// Bounds: kMaxDepth nested containers, deeper marks are text; so a line costs at most kMaxDepth
// times its length. A block takes at least one byte of input, so kMaxBlocks are enough.
#pragma once

#include "text/markdown/markdown_links.h"
#include "text/markdown/markdown_tables.h"

enum {
  kMaxBlocks = kMarkdownCap + 256,
  kMaxDepth = 100,
};

typedef enum {
  kDocument,
  kBlockQuote,
  kList,
  kItem,
  kParagraph,
  kHeading,
  kFencedCode,
  kIndentedCode,
  kRule,
  kTable,
  kTableRow,
} BlockKind;

// Blocks are named by their index; 0 is the document, and as a link it means none.
typedef struct {
  uint8_t kind;
  uint8_t mark;   // list: its bullet, or the byte behind the number; fenced code: the fence's byte
  uint8_t level;  // heading: 1 to 6; fenced code: how far the fence is indented
  bool is_open : 1;
  bool ends_blank : 1;  // the last line that belonged to the block was blank
  bool is_tight : 1;    // list: its paragraphs are shown without tags
  uint32_t parent, first_child, last_child, next;
  uint32_t text_start, text_len;  // leaf blocks: their part of `text`
  uint32_t number;  // list: its first number; item: columns its content is indented; fenced code:
                    // length of the fence
} Block;

static Block blocks[kMaxBlocks];
static uint32_t block_count;

// The line being read: input[at..line_end).
static const uint8_t* input_bytes;
static uint32_t at, line_end;
static uint32_t column;    // of `at`, tabs expanded to multiples of four
static uint32_t tab_used;  // columns of the tab at `at` that are already consumed
// What the white space from `at` on leads to; set by look_ahead().
static uint32_t indent, first, first_column;
static bool is_blank;

static uint32_t tip;       // the innermost open block
static uint32_t new_item;  // the item that the current line opened, or 0

// --- The line ------------------------------------------------------------------------------------

static void look_ahead(void) {
  first = at;
  first_column = column;
  for (; first < line_end && is_blank_byte(input_bytes[first]); ++first)
    first_column += input_bytes[first] == '\t' ? 4 - first_column % 4 : 1;
  indent = first_column - column;
  is_blank = first == line_end;
}

static void advance_to_first(void) {
  at = first;
  column = first_column;
  tab_used = 0;
}

// Consumes white space; a tab may be consumed in part.
static void advance_columns(uint32_t count) {
  while (count > 0 && at < line_end && is_blank_byte(input_bytes[at])) {
    const uint32_t width = input_bytes[at] == '\t' ? 4 - column % 4 : 1;
    const uint32_t used = width < count ? width : count;
    column += used;
    count -= used;
    if (used < width) {
      tab_used += used;
      return;
    }
    ++at;
    tab_used = 0;
  }
}

// Consumes bytes that are no tabs.
static void advance_bytes(uint32_t count) {
  at += count;
  column += count;
  tab_used = 0;
}

static uint32_t byte_at(uint32_t position) {
  return position < line_end ? input_bytes[position] : '\n';
}

static uint32_t run_len(uint32_t position, uint32_t byte) {
  uint32_t len = 0;
  while (byte_at(position + len) == byte) ++len;
  return len;
}

static bool is_blank_from(uint32_t position) {
  while (position < line_end && is_blank_byte(input_bytes[position])) ++position;
  return position == line_end;
}

// --- The tree ------------------------------------------------------------------------------------

static void put_text_byte(uint8_t byte) {
  if (text_len == kTextCap) __builtin_trap();
  text[text_len++] = byte;
}

// Appends input[from..to) to the open leaf block, whose text is the last one.
static void add_text(uint32_t block, uint32_t from, uint32_t to) {
  if (to - from > kTextCap - text_len) __builtin_trap();
  __builtin_memcpy(text + text_len, input_bytes + from, to - from);
  text_len += to - from;
  blocks[block].text_len = text_len - blocks[block].text_start;
}

// Appends the rest of the line and its end; what is left of a begun tab counts as spaces.
static void add_line(uint32_t block) {
  if (tab_used > 0 && at < line_end) {
    for (uint32_t spaces = 4 - column % 4; spaces > 0; --spaces) put_text_byte(' ');
    ++at;
  }
  add_text(block, at, line_end);
  put_text_byte('\n');
  ++blocks[block].text_len;
}

static void trim_text_end(Block* block) {
  while (block->text_len > 0 && is_space(text[block->text_start + block->text_len - 1]))
    --block->text_len;
}

// Removes the lines at the end that hold nothing but white space.
static void trim_blank_lines(Block* block) {
  uint32_t keep = block->text_len;
  for (uint32_t i = block->text_len; i > 0; --i) {
    const uint8_t byte = text[block->text_start + i - 1];
    if (byte == '\n')
      keep = i;
    else if (!is_blank_byte(byte))
      break;
  }
  block->text_len = keep;
}

// Whether a block ends with a blank line: it or, in lists, the last of what it holds.
static bool ends_with_blank(uint32_t block) {
  while (!blocks[block].ends_blank) {
    if (blocks[block].kind != kList && blocks[block].kind != kItem) return false;
    block = blocks[block].last_child;
    if (block == 0) return false;
  }
  return true;
}

// CommonMark 5.3: a list is loose when a blank line stands between its items or between two blocks
// of one item.
static bool is_tight_list(uint32_t list) {
  for (uint32_t item = blocks[list].first_child; item != 0; item = blocks[item].next) {
    if (blocks[item].next != 0 && ends_with_blank(item)) return false;
    for (uint32_t child = blocks[item].first_child; child != 0; child = blocks[child].next)
      if (blocks[child].next != 0 && ends_with_blank(child)) return false;
  }
  return true;
}

// A paragraph may begin with link definitions, and may be nothing else: then it stays empty.
static void drop_definitions(Block* paragraph) {
  if (text[paragraph->text_start] != '[') return;
  const uint32_t end = collect_definitions(paragraph->text_start, paragraph->text_len);
  paragraph->text_len -= end - paragraph->text_start;
  paragraph->text_start = end;
}

// Ends an open block, and returns the block around it.
static uint32_t close_block(uint32_t index) {
  Block* const block = &blocks[index];
  block->is_open = false;
  if (block->kind == kParagraph) {
    drop_definitions(block);
    trim_text_end(block);
  }
  if (block->kind == kIndentedCode) trim_blank_lines(block);
  if (block->kind == kList) block->is_tight = is_tight_list(index);
  return block->parent;
}

static void close_down_to(uint32_t block) {
  while (tip != block) tip = close_block(tip);
}

static bool can_hold(uint32_t parent, BlockKind kind) {
  switch (blocks[parent].kind) {
    case kDocument:
    case kBlockQuote:
    case kItem:
      return kind != kItem;
    case kList:
      return kind == kItem;
    case kTable:
      return kind == kTableRow;
    default:
      return false;
  }
}

static uint32_t add_block(uint32_t parent, BlockKind kind) {
  close_down_to(parent);
  while (!can_hold(parent, kind)) tip = parent = close_block(parent);
  if (block_count == kMaxBlocks) __builtin_trap();
  const uint32_t index = block_count++;
  blocks[index] =
      (Block){.kind = (uint8_t)kind, .is_open = true, .parent = parent, .text_start = text_len};
  if (blocks[parent].last_child != 0)
    blocks[blocks[parent].last_child].next = index;
  else
    blocks[parent].first_child = index;
  blocks[parent].last_child = index;
  return tip = index;
}

// --- Step 1: which open blocks does the line continue --------------------------------------------

static bool continues_block_quote(void) {
  if (indent > 3 || byte_at(first) != '>') return false;
  advance_to_first();
  advance_bytes(1);
  advance_columns(1);
  return true;
}

static bool continues_item(const Block* item) {
  if (indent >= item->number && !is_blank) {
    advance_columns(item->number);
    return true;
  }
  if (!is_blank || item->first_child == 0) return false;
  advance_to_first();
  return true;
}

static bool continues_indented_code(void) {
  if (indent >= 4) {
    advance_columns(4);
    return true;
  }
  if (is_blank) advance_to_first();
  return is_blank;
}

static bool is_closing_fence(const Block* code) {
  if (indent > 3 || byte_at(first) != code->mark) return false;
  const uint32_t len = run_len(first, code->mark);
  return len >= code->number && is_blank_from(first + len);
}

static bool continues(uint32_t index) {
  const Block* const block = &blocks[index];
  look_ahead();
  switch (block->kind) {
    case kBlockQuote:
      return continues_block_quote();
    case kItem:
      return continues_item(block);
    case kIndentedCode:
      return continues_indented_code();
    case kFencedCode:
      if (!is_closing_fence(block)) advance_columns(block->level);
      return true;
    case kParagraph:
    case kTable:
      return !is_blank;
    case kList:
      return true;
    default:
      return false;
  }
}

// Walks down the open blocks as far as the line continues them. Counts containers in `depth`.
static uint32_t match_open_blocks(uint32_t* depth) {
  uint32_t matched = 0;
  for (;;) {
    const uint32_t child = blocks[matched].last_child;
    if (child == 0 || !blocks[child].is_open || !continues(child)) return matched;
    matched = child;
    ++*depth;
  }
}

// --- Step 2: which blocks does the line open -----------------------------------------------------

// CommonMark 4.1: three or more of one mark, with nothing but white space between them.
static bool is_rule_line(void) {
  const uint32_t mark = byte_at(first);
  if (mark != '*' && mark != '-' && mark != '_') return false;
  uint32_t count = 0;
  for (uint32_t i = first; i < line_end; ++i) {
    if (input_bytes[i] == mark)
      ++count;
    else if (!is_blank_byte(input_bytes[i]))
      return false;
  }
  return count >= 3;
}

// CommonMark 4.2. Closing marks need white space before them.
static bool open_heading(uint32_t container) {
  const uint32_t level = run_len(first, '#');
  if (level == 0 || level > 6) return false;
  uint32_t start = first + level;
  if (start < line_end && !is_blank_byte(input_bytes[start])) return false;
  uint32_t end = line_end;
  while (start < end && is_blank_byte(input_bytes[start])) ++start;
  while (end > start && is_blank_byte(input_bytes[end - 1])) --end;
  uint32_t closing = end;
  while (closing > start && input_bytes[closing - 1] == '#') --closing;
  if (closing == start) {
    end = start;
  } else if (closing < end && is_blank_byte(input_bytes[closing - 1])) {
    end = closing;
    while (end > start && is_blank_byte(input_bytes[end - 1])) --end;
  }
  const uint32_t heading = add_block(container, kHeading);
  blocks[heading].level = (uint8_t)level;
  add_text(heading, start, end);
  return true;
}

// CommonMark 4.5. The first line of the block's text is the info string.
static bool open_fenced_code(uint32_t container) {
  const uint32_t mark = byte_at(first);
  if (mark != '`' && mark != '~') return false;
  const uint32_t len = run_len(first, mark);
  if (len < 3) return false;
  if (mark == '`')
    for (uint32_t i = first + len; i < line_end; ++i)
      if (input_bytes[i] == '`') return false;
  const uint32_t code = add_block(container, kFencedCode);
  blocks[code].mark = (uint8_t)mark;
  blocks[code].number = len;
  blocks[code].level = (uint8_t)indent;
  advance_to_first();
  advance_bytes(len);
  look_ahead();
  advance_to_first();
  add_line(code);
  return true;
}

// CommonMark 4.3: an underline turns the paragraph before it into a heading.
static bool make_heading(uint32_t paragraph) {
  const uint32_t mark = byte_at(first);
  if (blocks[paragraph].kind != kParagraph || (mark != '=' && mark != '-')) return false;
  if (!is_blank_from(first + run_len(first, mark))) return false;
  drop_definitions(&blocks[paragraph]);
  if (blocks[paragraph].text_len == 0) return false;
  blocks[paragraph].kind = kHeading;
  blocks[paragraph].level = mark == '=' ? 1 : 2;
  trim_text_end(&blocks[paragraph]);
  return true;
}

// A list mark at the beginning of a line.
typedef struct {
  uint8_t mark;
  uint32_t len, number;
} ListMark;

// CommonMark 5.2. Inside a paragraph only an item with content begins a list, and only number 1.
static bool read_list_mark(bool in_paragraph, ListMark* list_mark) {
  const uint32_t byte = byte_at(first);
  uint32_t end = first;
  list_mark->number = 0;
  if (byte == '*' || byte == '-' || byte == '+') {
    ++end;
  } else {
    for (; is_digit(byte_at(end)) && end - first < 9; ++end)
      list_mark->number = list_mark->number * 10 + (byte_at(end) - '0');
    if (end == first || (byte_at(end) != '.' && byte_at(end) != ')')) return false;
    if (in_paragraph && list_mark->number != 1) return false;
    ++end;
  }
  if (end < line_end && !is_blank_byte(input_bytes[end])) return false;
  if (in_paragraph && is_blank_from(end)) return false;
  list_mark->mark = (uint8_t)byte_at(end - 1);
  list_mark->len = end - first;
  return true;
}

// The content of an item begins behind one to four columns of white space; more is indented code,
// and none is an item that begins with a blank line: both count one column.
static void open_item(uint32_t container, ListMark list_mark) {
  if (blocks[container].kind != kList || blocks[container].mark != list_mark.mark) {
    container = add_block(container, kList);
    blocks[container].mark = list_mark.mark;
    blocks[container].number = list_mark.number;
  }
  new_item = add_block(container, kItem);
  const uint32_t mark_indent = indent;
  advance_to_first();
  advance_bytes(list_mark.len);
  look_ahead();
  const uint32_t padding = is_blank || indent > 4 ? 1 : indent;
  advance_columns(padding);
  blocks[new_item].number = mark_indent + list_mark.len + padding;
}

static void add_table_row(uint32_t table, uint32_t from, uint32_t to) {
  const uint32_t row = add_block(table, kTableRow);
  add_text(row, from, to);
  tip = close_block(row);
}

// If the line is a delimiter row and the paragraph's last line a header row of as many cells, they
// begin a table. The table's own text is the delimiter row.
static bool make_table(uint32_t paragraph) {
  Alignment alignments[kMaxColumns];
  if (blocks[paragraph].kind != kParagraph) return false;
  const uint32_t columns = read_delimiter_row(input_bytes, first, line_end, alignments);
  if (columns == 0) return false;
  const uint32_t header_end = blocks[paragraph].text_start + blocks[paragraph].text_len - 1;
  uint32_t header = header_end;
  while (header > blocks[paragraph].text_start && text[header - 1] != '\n') --header;
  if (count_cells(text, header, header_end) != columns) return false;
  if (!has_pipe(text, header, header_end) && !has_pipe(input_bytes, first, line_end)) return false;

  uint32_t table = paragraph;
  if (header > blocks[paragraph].text_start) {
    blocks[paragraph].text_len = header - blocks[paragraph].text_start;
    table = add_block(blocks[paragraph].parent, kTable);
  } else {
    blocks[table].kind = kTable;
    blocks[table].text_start = text_len;
  }
  add_text(table, first, line_end);
  const uint32_t row = add_block(table, kTableRow);
  blocks[row].text_start = header;
  blocks[row].text_len = header_end - header;
  tip = close_block(row);
  return true;
}

// Opens one block, if the line begins one. A leaf block is given its text.
static bool open_block(uint32_t container, uint32_t depth) {
  ListMark list_mark;
  const bool in_paragraph = blocks[container].kind == kParagraph;
  if (indent > 3) {
    if (is_blank || blocks[tip].kind == kParagraph) return false;
    advance_columns(4);
    add_line(add_block(container, kIndentedCode));
    return true;
  }
  if (byte_at(first) == '>' && depth < kMaxDepth) {
    add_block(container, kBlockQuote);
    return continues_block_quote();
  }
  if (open_heading(container) || open_fenced_code(container) || make_heading(container) ||
      make_table(container))
    return true;
  if (is_rule_line()) {
    add_block(container, kRule);
    return true;
  }
  if (depth >= kMaxDepth || !read_list_mark(in_paragraph, &list_mark)) return false;
  open_item(container, list_mark);
  return true;
}

static bool is_container(uint32_t block) {
  return blocks[block].kind <= kItem;
}

// Opens blocks until the line's text is reached. Returns the innermost block; *is_done when a leaf
// block has taken the line.
static uint32_t open_blocks(uint32_t container, uint32_t depth, bool* is_done) {
  *is_done = false;
  while (blocks[container].kind != kFencedCode && blocks[container].kind != kIndentedCode) {
    look_ahead();
    if (!open_block(container, depth)) break;
    container = tip;
    depth += blocks[container].kind == kItem ? 2 : 1;  // an item comes with its list
    if (!is_container(container)) {
      *is_done = true;
      break;
    }
  }
  return container;
}

// --- Step 3: where does the text belong ----------------------------------------------------------

// Notes which blocks end with a blank line, for is_tight_list(). In block quotes the line has a
// mark, in fenced code it is content, and the line that opened an empty item is not blank.
static void note_blank(uint32_t container) {
  Block* const block = &blocks[container];
  if (is_blank && block->last_child != 0) blocks[block->last_child].ends_blank = true;
  block->ends_blank = is_blank && block->kind != kBlockQuote && block->kind != kFencedCode &&
                      !(container == new_item && block->first_child == 0);
  for (uint32_t ancestor = container; ancestor != 0;) {
    ancestor = blocks[ancestor].parent;
    blocks[ancestor].ends_blank = false;
  }
}

static void place_text(uint32_t container) {
  if (blocks[container].kind == kFencedCode || blocks[container].kind == kIndentedCode) {
    add_line(container);
  } else if (is_blank) {
    return;
  } else if (blocks[container].kind == kTable) {
    add_table_row(container, first, line_end);
  } else {
    if (blocks[container].kind != kParagraph) container = add_block(container, kParagraph);
    advance_to_first();
    add_line(container);
  }
}

static void read_line(void) {
  column = 0;
  tab_used = 0;
  new_item = 0;
  uint32_t depth = 0;
  const uint32_t matched = match_open_blocks(&depth);
  if (blocks[matched].kind == kFencedCode && is_closing_fence(&blocks[matched])) {
    tip = close_block(matched);
    return;
  }
  bool is_done;
  const uint32_t container = open_blocks(matched, depth, &is_done);
  look_ahead();
  if (is_done) is_blank = false;
  // A paragraph goes on in a line that lacks the marks of its containers.
  const bool is_lazy =
      tip != matched && container == matched && !is_blank && blocks[tip].kind == kParagraph;
  if (is_lazy) {
    advance_to_first();
    add_line(tip);
    return;
  }
  note_blank(container);
  if (is_done) return;
  close_down_to(container);
  place_text(container);
}

// Builds the tree of a whole text. Lines end with LF, CR LF or CR.
static void read_blocks(const uint8_t* bytes, uint32_t len) {
  input_bytes = bytes;
  text_len = 0;
  forget_definitions();
  blocks[0] = (Block){.kind = kDocument, .is_open = true};
  block_count = 1;
  tip = 0;
  uint32_t next = 0;
  if (len >= 3 && bytes[0] == 0xef && bytes[1] == 0xbb && bytes[2] == 0xbf) next = 3;
  while (next < len) {
    at = next;
    line_end = next;
    while (line_end < len && bytes[line_end] != '\n' && bytes[line_end] != '\r') ++line_end;
    next = line_end + 1;
    if (next < len && bytes[line_end] == '\r' && bytes[next] == '\n') ++next;
    read_line();
  }
  close_down_to(0);
}
