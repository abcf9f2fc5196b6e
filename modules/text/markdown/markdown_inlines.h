// The inline structure of a leaf block: code spans, emphasis, links, images, escapes, breaks.
// The rules are those of CommonMark 0.31.2 (chapter 6) without raw HTML, and "~~" for deleted text.
//
// Two passes. The first finds the structure and writes it down as one mark for each byte of the
// text: here a code span begins, here emphasis opens, here a link ends. No tree is needed, because
// marks nest as they stand. The second goes through the text once and writes HTML.
// Bounds: kMaxPending open delimiters, brackets and links in one leaf block; more are text. Each
// pass is linear; the search for an opening delimiter remembers where none was found (CommonMark,
// appendix A, "process emphasis").
#pragma once

#include "text/markdown/markdown_links.h"
#include "text/markdown/markdown_text.h"

enum { kMaxPending = 65536, kMaxBackticks = 64, kNone = UINT32_MAX };

typedef enum {
  kPlain,
  kSkip,      // shown with the byte before it, or not at all
  kCode,      // value: where the span ends
  kAutolink,  // value: where the address ends
  kOpenEmphasis,
  kCloseEmphasis,
  kOpenStrong,
  kCloseStrong,
  kOpenDeleted,
  kCloseDeleted,
  kOpenLink,   // value: index in `links`
  kOpenImage,  // value: index in `links`
  kCloseLink,  // value: index in `links`
} MarkKind;

// The kind in the low four bits, the value above.
static uint32_t marks[kMarkdownCap + 16];

static void set_mark(uint32_t position, MarkKind kind, uint32_t value) {
  marks[position] = (uint32_t)kind | value << 4;
}

typedef struct {
  const uint8_t* bytes;  // what target and title are ranges of: the leaf, or a definition's text
  Range target, title;
  uint32_t end;  // where the text behind the link begins
  bool is_image;
} Link;

// A run of delimiters: `count` of them are left, from `position` on.
typedef struct {
  uint32_t position, count, original_count;
  uint32_t before, after;  // neighbours in the list, or kNone
  uint8_t byte;
  bool can_open, can_close;
} Delimiter;

// An opening bracket that waits for its end.
typedef struct {
  uint32_t position;
  uint32_t delimiter_count;  // delimiters before it
  bool is_image;
  bool holds_bracket;  // another one opened behind it, so its text is no label
} Bracket;

static Link links[kMaxPending];
static uint32_t link_count;
static Delimiter delimiters[kMaxPending];
static uint32_t delimiter_count, last_delimiter;
static Bracket brackets[kMaxPending];
static uint32_t bracket_count;
// Links hold no links: brackets before this index open none any more, only images.
static uint32_t linkless_brackets;

// --- Code spans (6.1) ----------------------------------------------------------------------------

// For each length of a run of backticks, where the last such run begins; 0 for none.
static uint32_t last_backticks[kMaxBackticks + 1];

static void find_backticks(void) {
  for (uint32_t i = 0; i <= kMaxBackticks; ++i) last_backticks[i] = 0;
  for (uint32_t i = 0; i < leaf_len;) {
    const uint32_t len = leaf_run(i, '`');
    if (len > 0 && len <= kMaxBackticks) last_backticks[len] = i;
    i += len > 0 ? len : 1;
  }
}

// Marks the code span that begins at `position`, and returns where to go on. The search is short
// unless there is an end to find.
static uint32_t scan_code(uint32_t position) {
  const uint32_t len = leaf_run(position, '`');
  uint32_t at = position + len;
  if (len > kMaxBackticks || last_backticks[len] < at) return at;
  for (;;) {
    while (leaf[at] != '`') ++at;
    const uint32_t closing = leaf_run(at, '`');
    at += closing;
    if (closing == len) break;
  }
  set_mark(position, kCode, at);
  return at;
}

// --- Autolinks (6.5) -----------------------------------------------------------------------------

static bool is_email_byte(uint32_t byte) {
  return is_letter(byte) || is_digit(byte) || byte == '.' || byte == '-' || byte == '_' ||
         byte == '+' || byte == '%' || byte == '\'' || byte == '/' || byte == '=' || byte == '!' ||
         byte == '#' || byte == '$' || byte == '&' || byte == '*' || byte == '?' || byte == '^' ||
         byte == '{' || byte == '|' || byte == '}' || byte == '~';
}

// Labels of letters, digits and inner hyphens, at most 63 bytes each, with dots between them.
static bool is_host_name(uint32_t start, uint32_t end) {
  uint32_t label = 0;
  for (uint32_t i = start; i <= end; ++i) {
    const uint32_t byte = i < end ? leaf[i] : '.';
    if (byte == '.') {
      if (label == 0 || label > 63 || leaf[i - 1] == '-') return false;
      label = 0;
    } else {
      if (!is_letter(byte) && !is_digit(byte) && (byte != '-' || label == 0)) return false;
      ++label;
    }
  }
  return true;
}

static bool is_email(uint32_t start, uint32_t end) {
  uint32_t at_sign = start;
  while (at_sign < end && is_email_byte(leaf[at_sign])) ++at_sign;
  return at_sign > start && at_sign < end && leaf[at_sign] == '@' && is_host_name(at_sign + 1, end);
}

// A scheme of 2 to 32 bytes and a colon.
static bool has_scheme(uint32_t start, uint32_t end) {
  uint32_t at = start;
  while (at < end &&
         (is_letter(leaf[at]) || (at > start && (is_digit(leaf[at]) || leaf[at] == '+' ||
                                                 leaf[at] == '.' || leaf[at] == '-'))))
    ++at;
  return at - start >= 2 && at - start <= 32 && at < end && leaf[at] == ':';
}

// Marks the address between the "<" at `position` and its ">", and returns where to go on.
static uint32_t scan_autolink(uint32_t position) {
  uint32_t end = position + 1;
  while (end < leaf_len && leaf[end] > ' ' && leaf[end] != '<' && leaf[end] != '>') ++end;
  if (leaf_byte(end) != '>') return position + 1;
  if (!has_scheme(position + 1, end) && !is_email(position + 1, end)) return position + 1;
  set_mark(position, kAutolink, end);
  return end + 1;
}

// --- Emphasis (6.2) ------------------------------------------------------------------------------

// Adds the run of delimiters at `position`, and returns its end. What may open and close follows
// from the characters around the run.
static uint32_t scan_delimiters(uint32_t position) {
  const uint8_t byte = leaf[position];
  const uint32_t count = leaf_run(position, byte);
  const uint32_t end = position + count;
  if (delimiter_count == kMaxPending || (byte == '~' && count > 2)) return end;
  const CharClass before = class_before(leaf, position);
  const CharClass after = class_after(leaf, end, leaf_len);
  const bool left_flanking =
      after != kSpaceChar && (after != kPunctuationChar || before != kWordChar);
  const bool right_flanking =
      before != kSpaceChar && (before != kPunctuationChar || after != kWordChar);
  const bool in_word = byte == '_';  // "_" inside a word is no delimiter
  delimiters[delimiter_count] = (Delimiter){
      .position = position,
      .count = count,
      .original_count = count,
      .before = last_delimiter,
      .after = kNone,
      .byte = byte,
      .can_open = left_flanking && (!in_word || !right_flanking || before == kPunctuationChar),
      .can_close = right_flanking && (!in_word || !left_flanking || after == kPunctuationChar)};
  if (last_delimiter != kNone) delimiters[last_delimiter].after = delimiter_count;
  last_delimiter = delimiter_count++;
  return end;
}

static void remove_delimiter(uint32_t index) {
  const Delimiter* const delimiter = &delimiters[index];
  if (delimiter->before != kNone) delimiters[delimiter->before].after = delimiter->after;
  if (delimiter->after != kNone)
    delimiters[delimiter->after].before = delimiter->before;
  else
    last_delimiter = delimiter->before;
}

static bool is_match(const Delimiter* opener, const Delimiter* closer) {
  if (opener->byte != closer->byte || !opener->can_open) return false;
  if (opener->byte == '~') return opener->count == closer->count;
  // Rules 9 and 10: runs that could do both do not match when their lengths sum up to a multiple of
  // three, unless both are multiples of three.
  if ((!opener->can_close && !closer->can_open) || closer->original_count % 3 == 0) return true;
  return (opener->original_count + closer->original_count) % 3 != 0;
}

// Marks the delimiters that two runs share: the inner ones of the opener, the first of the closer.
static void mark_match(Delimiter* opener, Delimiter* closer) {
  const bool is_double = opener->count >= 2 && closer->count >= 2;
  const uint32_t used = is_double ? 2 : 1;
  opener->count -= used;
  closer->count -= used;
  const uint32_t open_at = opener->position + opener->count;
  const uint32_t close_at = closer->position;
  closer->position += used;
  MarkKind open = is_double ? kOpenStrong : kOpenEmphasis;
  MarkKind close = is_double ? kCloseStrong : kCloseEmphasis;
  if (opener->byte == '~') {
    open = kOpenDeleted;
    close = kCloseDeleted;
  }
  set_mark(open_at, open, 0);
  set_mark(close_at, close, 0);
  if (is_double) {
    set_mark(open_at + 1, kSkip, 0);
    set_mark(close_at + 1, kSkip, 0);
  }
}

// One of the classes of closers that can be refused by the same openers.
static uint32_t closer_class(const Delimiter* closer) {
  const uint32_t byte = closer->byte == '*' ? 0 : closer->byte == '_' ? 1 : 2;
  return (byte * 2 + closer->can_open) * 3 + closer->original_count % 3;
}

// Matches the delimiters from index `bottom` on, and then forgets them.
static void match_delimiters(uint32_t bottom) {
  uint32_t openers_from[18];  // for each class of closers: no opener stands before this index
  for (uint32_t i = 0; i < 18; ++i) openers_from[i] = bottom;
  uint32_t closer = last_delimiter;
  if (closer == kNone || closer < bottom) closer = kNone;
  while (closer != kNone && delimiters[closer].before != kNone &&
         delimiters[closer].before >= bottom)
    closer = delimiters[closer].before;

  while (closer != kNone) {
    Delimiter* const closing = &delimiters[closer];
    const uint32_t next = closing->after;
    if (!closing->can_close) {
      closer = next;
      continue;
    }
    uint32_t* const from = &openers_from[closer_class(closing)];
    uint32_t opener = closing->before;
    while (opener != kNone && opener >= *from && !is_match(&delimiters[opener], closing))
      opener = delimiters[opener].before;
    if (opener == kNone || opener < *from) {
      *from = closer;
      if (!closing->can_open) remove_delimiter(closer);
      closer = next;
      continue;
    }
    while (closing->before != opener) remove_delimiter(closing->before);
    mark_match(&delimiters[opener], closing);
    if (delimiters[opener].count == 0) remove_delimiter(opener);
    if (closing->count == 0) {
      remove_delimiter(closer);
      closer = next;
    }
  }
  while (last_delimiter != kNone && last_delimiter >= bottom) remove_delimiter(last_delimiter);
  delimiter_count = bottom;
}

// --- Links and images (6.3, 6.4) -----------------------------------------------------------------

// Takes what follows the "]" of an inline link: (target "title").
static bool scan_inline_tail(uint32_t position, Link* link) {
  if (leaf_byte(position) != '(') return false;
  position = skip_white_space(position + 1);
  link->bytes = leaf;
  link->title = (Range){0, 0};
  if (!scan_target(&position, &link->target)) return false;
  const uint32_t behind = skip_white_space(position);
  if (behind > position && leaf_byte(behind) != ')') {
    position = behind;
    if (!scan_title(&position, &link->title)) return false;
  }
  position = skip_white_space(position);
  if (leaf_byte(position) != ')') return false;
  link->end = position + 1;
  return true;
}

// Finds the definition that a link means by the label behind it, [text][label], or else by its own
// text, [label][] or [label]. `position` is behind the text's "]".
static bool find_reference(const Bracket* bracket, uint32_t position, Link* link) {
  if (definition_count == 0) return false;
  Range label = {0, 0};
  uint32_t behind = position;
  if (!scan_label(&behind, &label)) {
    behind = position;
    if (leaf_byte(position) == '[' && leaf_byte(position + 1) == ']') behind = position + 2;
    if (bracket->holds_bracket) return false;
    label = (Range){bracket->position + 1 + bracket->is_image, position - 1};
  }
  const Definition* const definition = find_definition(leaf, label);
  if (definition == NULL) return false;
  link->bytes = text;
  link->target = definition->target;
  link->title = definition->title;
  link->end = behind;
  return true;
}

static uint32_t scan_open_bracket(uint32_t position, bool is_image) {
  if (bracket_count < kMaxPending) {
    if (linkless_brackets > bracket_count) linkless_brackets = bracket_count;
    if (bracket_count > 0) brackets[bracket_count - 1].holds_bracket = true;
    brackets[bracket_count++] = (Bracket){position, delimiter_count, is_image, false};
  }
  return position + 1 + is_image;
}

// Marks the link or image that the "]" at `position` ends, if it does, and returns where to go on.
static uint32_t scan_close_bracket(uint32_t position) {
  if (bracket_count == 0) return position + 1;
  const Bracket bracket = brackets[--bracket_count];
  const bool can_match = bracket.is_image || bracket_count >= linkless_brackets;
  Link link = {.is_image = bracket.is_image};
  if (!can_match || link_count == kMaxPending ||
      (!scan_inline_tail(position + 1, &link) && !find_reference(&bracket, position + 1, &link)))
    return position + 1;
  match_delimiters(bracket.delimiter_count);
  set_mark(bracket.position, bracket.is_image ? kOpenImage : kOpenLink, link_count);
  if (bracket.is_image) set_mark(bracket.position + 1, kSkip, 0);
  set_mark(position, kCloseLink, link_count);
  links[link_count++] = link;
  if (!bracket.is_image) linkless_brackets = bracket_count;
  return link.end;
}

// --- First pass ----------------------------------------------------------------------------------

static void find_structure(void) {
  __builtin_memset(marks, 0, sizeof marks[0] * leaf_len);
  link_count = delimiter_count = bracket_count = linkless_brackets = 0;
  last_delimiter = kNone;
  find_backticks();
  for (uint32_t at = 0; at < leaf_len;) {
    switch (leaf[at]) {
      case '\\':
        at += is_punctuation(leaf_byte(at + 1)) ? 2 : 1;
        break;
      case '`':
        at = scan_code(at);
        break;
      case '<':
        at = scan_autolink(at);
        break;
      case '*':
      case '_':
      case '~':
        at = scan_delimiters(at);
        break;
      case '[':
        at = scan_open_bracket(at, false);
        break;
      case '!':
        at = leaf_byte(at + 1) == '[' ? scan_open_bracket(at, true) : at + 1;
        break;
      case ']':
        at = scan_close_bracket(at);
        break;
      default:
        ++at;
    }
  }
  match_delimiters(0);
}

// --- Second pass ---------------------------------------------------------------------------------

static uint32_t image_depth;  // inside the alternative text of images, which shows no tags

// Writes a tag outside alternative texts.
#define put_tag(literal) \
  if (image_depth == 0) put_text(literal)

static void put_title(const Link* link) {
  if (link->title.end == link->title.start) return;
  put_text(" title=\"");
  put_unescaped(link->bytes, link->title.start, link->title.end);
  put('"');
}

static void put_code_span(uint32_t start, uint32_t end) {
  const uint32_t len = leaf_run(start, '`');
  start += len;
  end -= len;
  bool is_all_space = true;
  for (uint32_t i = start; i < end && is_all_space; ++i)
    is_all_space = leaf[i] == ' ' || leaf[i] == '\n';
  const bool is_padded = (leaf[start] == ' ' || leaf[start] == '\n') &&
                         (leaf[end - 1] == ' ' || leaf[end - 1] == '\n');
  if (is_padded && !is_all_space) {
    ++start;
    --end;
  }
  put_tag("<code>");
  for (uint32_t i = start; i < end; ++i) put_escaped(leaf[i] == '\n' ? ' ' : leaf[i]);
  put_tag("</code>");
}

static void put_autolink(uint32_t start, uint32_t end) {
  if (image_depth == 0) {
    put_text("<a href=\"");
    const uint32_t target_start = output_len;
    if (!has_scheme(start, end)) put_text("mailto:");
    for (uint32_t i = start; i < end; ++i) put_url_byte(leaf[i]);
    drop_unsafe_url(target_start);
    put_text("\">");
  }
  for (uint32_t i = start; i < end; ++i) put_escaped(leaf[i]);
  put_tag("</a>");
}

static void open_link(const Link* link) {
  if (link->is_image ? image_depth++ > 0 : image_depth > 0) return;
  if (link->is_image)
    put_text("<img src=\"");
  else
    put_text("<a href=\"");
  const uint32_t target_start = output_len;
  put_url(link->bytes, link->target.start, link->target.end);
  drop_unsafe_url(target_start);
  if (link->is_image) {
    put_text("\" alt=\"");
  } else {
    put('"');
    put_title(link);
    put('>');
  }
}

static void close_link(const Link* link) {
  if (link->is_image && --image_depth == 0) {
    put('"');
    put_title(link);
    put_text(" />");
  } else if (!link->is_image) {
    put_tag("</a>");
  }
}

// Writes what a mark stands for, and returns where to go on.
static uint32_t put_mark(uint32_t position) {
  const uint32_t value = marks[position] >> 4;
  switch ((MarkKind)(marks[position] & 15)) {
    case kCode:
      put_code_span(position, value);
      return value;
    case kAutolink:
      put_autolink(position + 1, value);
      return value + 1;
    case kOpenEmphasis:
      put_tag("<em>");
      break;
    case kCloseEmphasis:
      put_tag("</em>");
      break;
    case kOpenStrong:
      put_tag("<strong>");
      break;
    case kCloseStrong:
      put_tag("</strong>");
      break;
    case kOpenDeleted:
      put_tag("<del>");
      break;
    case kCloseDeleted:
      put_tag("</del>");
      break;
    case kOpenLink:
    case kOpenImage:
      open_link(&links[value]);
      break;
    case kCloseLink:
      close_link(&links[value]);
      return links[value].end;
    case kPlain:
    case kSkip:
      break;
  }
  return position + 1;
}

// A hard break needs two spaces or a backslash before the line end (6.7).
static void put_hard_break(void) {
  put_tag("<br />");
  put('\n');
}

// Writes the spaces at `position`; those at the end of a line vanish.
static uint32_t put_spaces(uint32_t position) {
  const uint32_t len = leaf_run(position, ' ');
  const uint32_t end = position + len;
  if (end == leaf_len) return end;
  if (leaf[end] == '\n') {
    if (len >= 2)
      put_hard_break();
    else
      put('\n');
    return end + 1;
  }
  for (uint32_t i = 0; i < len; ++i) put(' ');
  return end;
}

// Writes the unmarked byte at `position`, with what belongs to it, and returns where to go on.
static uint32_t put_plain(uint32_t position) {
  const uint32_t next = leaf_byte(position + 1);
  switch (leaf[position]) {
    case '\\':
      if (is_punctuation(next)) {
        put_escaped((uint8_t)next);
        return position + 2;
      }
      if (position + 1 < leaf_len && next == '\n') {
        put_hard_break();
        return position + 2;
      }
      break;
    case ' ':
      return put_spaces(position);
    case '&':
      return put_ampersand(leaf, position, leaf_len);
  }
  put_escaped(leaf[position]);
  return position + 1;
}

// Writes a leaf block's text as HTML.
static void put_inlines(const uint8_t* bytes, uint32_t len) {
  leaf = bytes;
  leaf_len = len;
  image_depth = 0;
  find_structure();
  for (uint32_t at = 0; at < leaf_len;) at = marks[at] != 0 ? put_mark(at) : put_plain(at);
}
