// Makes a page of an HTML fragment: head with the text of the first h1 as title, a small style
// sheet for reading, the fragment inside <main>. The fragment is kept as it is. Input up to 4 MiB;
// the output is longer by the frame and the title.
#include "text/html/html_tokens.h"

enum { kFragmentCap = 4 << 20 };

INPUT_UTF8(kFragmentCap)
OUTPUT_UTF8(2 * kFragmentCap + 4096)
OUTPUT_CONTENT_TYPE("text/html")

#define PAGE_START                                      \
  "<!doctype html><html><head><meta charset=\"utf-8\">" \
  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>"

#define PAGE_STYLE                                                                          \
  "</title><style>"                                                                         \
  ":root{color-scheme:light dark}"                                                          \
  "body{margin:0;font:1.0625rem/1.6 system-ui,sans-serif}"                                  \
  "main{max-width:44rem;margin:0 auto;padding:2rem 1rem}"                                   \
  "h1,h2,h3,h4,h5,h6{line-height:1.25;margin:1.6em 0 .6em}h1{margin-top:0}"                 \
  "pre,code{font-family:ui-monospace,monospace;font-size:.9em}"                             \
  "pre{overflow-x:auto;padding:1rem;border-radius:.4rem;background:rgba(128,128,128,.12)}"  \
  "pre code{font-size:1em}"                                                                 \
  "blockquote{margin:1em 0;padding-left:1em;border-left:.25rem solid rgba(128,128,128,.4)}" \
  "table{display:block;overflow-x:auto;border-collapse:collapse}"                           \
  "th,td{padding:.3rem .7rem;border:1px solid rgba(128,128,128,.4)}"                        \
  "img{max-width:100%;height:auto}"                                                         \
  "hr{border:0;border-top:1px solid rgba(128,128,128,.4)}"                                  \
  "</style></head><body><main>"

#define PAGE_END "</main></body></html>"

static bool is_heading(Bytes name) {
  return name.end - name.at == 2 && to_lower(name.at[0]) == 'h' && name.at[1] - '1' < 6u;
}

// Appends text with each run of white space as one space, none at the start. `space_due` carries a
// pending space from one piece of text to the next.
static void put_collapsed(Bytes text, uint32_t start, bool* space_due) {
  for (const uint8_t* at = text.at; at < text.end; ++at) {
    if (is_space(*at)) {
      *space_due = true;
      continue;
    }
    if (*space_due && output_len > start) put(' ');
    *space_due = false;
    put(*at);
  }
}

// Appends the text of the first h1, without the tags inside it. It stays escaped as it was, and
// cannot hold the title's end tag: that would be a tag in the heading too. False: there is none.
static bool put_title(uint32_t input_len) {
  HtmlScanner scanner = {{input, input + input_len}, {0, 0}};
  HtmlToken token;
  do {
    if (!next_token(&scanner, &token)) return false;
  } while (token.kind != kHtmlStartTag || !is_name(token.name, "h1"));
  const uint32_t start = output_len;
  bool space_due = false;
  while (next_token(&scanner, &token)) {
    if (token.kind == kHtmlText && !token.is_raw) put_collapsed(token.text, start, &space_due);
    if (token.kind == kHtmlEndTag && is_heading(token.name)) break;
  }
  return output_len > start;
}

RENDER(uint32_t input_len) {
  output_len = 0;
  put_text(PAGE_START);
  if (!put_title(input_len)) put_text("Untitled");
  put_text(PAGE_STYLE);
  put_bytes(input, input_len);
  put_text(PAGE_END);
  return output_len;
}
