// A scanner of HTML tags: one pass, always forward, so it ends and is linear. It knows of the
// tokenizer what decides where a tag begins and ends: comments, attributes, and elements whose
// contents are text. A tag that the page ends in is none.
#include "host/site/elements.hpp"

#include <algorithm>

#include "host/site/request_path.hpp"

namespace qip {
namespace {

constexpr std::string_view kSpaces = "\t\n\f\r ";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_letter(char c) {
  return lower(c) >= 'a' && lower(c) <= 'z';
}

bool is_space(char c) {
  return kSpaces.find(c) != std::string_view::npos;
}

// `name` is in lower case.
bool is_named(std::string_view text, std::string_view name) {
  return text.size() == name.size() &&
         std::equal(text.begin(), text.end(), name.begin(),
                    [](char left, char right) { return lower(left) == right; });
}

bool begins_with(std::string_view text, std::string_view prefix) {
  return is_named(text.substr(0, prefix.size()), prefix);
}

// `text` begins with the name of a tag, and the name ends there.
bool begins_with_name(std::string_view text, std::string_view name) {
  if (!begins_with(text, name) || text.size() == name.size()) return false;
  const char next = text[name.size()];
  return is_space(next) || next == '/' || next == '>';
}

struct Tag {
  std::string_view name;
  bool has_name_attribute = false;
  std::string_view name_attribute;  // as it is in the page
};

class TagScanner {
 public:
  explicit TagScanner(std::string_view page) : page_(page) {}

  // The next opening tag. False: there is none.
  bool next(Tag& tag) {
    while ((at_ = page_.find('<', at_)) != std::string_view::npos) {
      const std::string_view rest = page_.substr(at_ + 1);
      if (rest.starts_with("!--")) {
        at_ = end_of_comment(at_ + 4);
      } else if (!rest.empty() && is_letter(rest[0])) {
        at_++;
        if (!read_tag(tag)) return false;
        skip_text_of(tag.name);
        return true;
      } else if (rest.size() > 1 && rest[0] == '/' && is_letter(rest[1])) {
        at_ += 2;
        Tag closing;
        if (!read_tag(closing)) return false;
      } else if (!rest.empty() && (rest[0] == '!' || rest[0] == '?' || rest[0] == '/')) {
        at_ = behind(">", at_);  // a doctype, or what counts as a comment
      } else {
        at_++;
      }
    }
    return false;
  }

 private:
  char current() const { return page_[at_]; }
  bool is_at_end() const { return at_ >= page_.size(); }
  void skip_spaces() { at_ = std::min(page_.find_first_not_of(kSpaces, at_), page_.size()); }
  // One past the next `text`, or the end of the page.
  size_t behind(std::string_view text, size_t from) const {
    const size_t found = page_.find(text, from);
    return found == std::string_view::npos ? page_.size() : found + text.size();
  }

  // `from` is behind `<!--`.
  size_t end_of_comment(size_t from) const {
    const std::string_view rest = page_.substr(from);
    if (rest.starts_with(">")) return from + 1;
    if (rest.starts_with("->")) return from + 2;
    for (size_t at = from; (at = page_.find("--", at)) != std::string_view::npos; at++) {
      const std::string_view end = page_.substr(at + 2);
      if (end.starts_with(">")) return at + 3;
      if (end.starts_with("!>")) return at + 4;
    }
    return page_.size();
  }

  // At the first letter of the name. Afterwards behind the `>`. False: the page ends in the tag.
  bool read_tag(Tag& tag) {
    tag = Tag{};
    const size_t begin = at_;
    at_ = std::min(page_.find_first_of("\t\n\f\r />", at_), page_.size());
    tag.name = page_.substr(begin, at_ - begin);
    for (;;) {
      at_ = std::min(page_.find_first_not_of("\t\n\f\r /", at_), page_.size());
      if (is_at_end()) return false;
      if (current() == '>') break;
      read_attribute(tag);
    }
    at_++;
    return true;
  }

  // At its first character. Of two attributes of one name the first one counts.
  void read_attribute(Tag& tag) {
    const size_t begin = at_;
    at_ = std::min(page_.find_first_of("\t\n\f\r />=", at_ + 1), page_.size());
    const std::string_view name = page_.substr(begin, at_ - begin);
    skip_spaces();
    std::string_view value;
    if (!is_at_end() && current() == '=') {
      at_++;
      value = read_attribute_value();
    }
    if (tag.has_name_attribute || !is_named(name, "name")) return;
    tag.has_name_attribute = true;
    tag.name_attribute = value;
  }

  std::string_view read_attribute_value() {
    skip_spaces();
    if (is_at_end() || current() == '>') return {};
    const char quote = current();
    const bool is_quoted = quote == '"' || quote == '\'';
    const size_t begin = is_quoted ? at_ + 1 : at_;
    const size_t end =
        is_quoted ? page_.find(quote, begin) : page_.find_first_of("\t\n\f\r >", at_);
    at_ = is_quoted && end != std::string_view::npos ? end + 1 : std::min(end, page_.size());
    return page_.substr(begin, end - begin);
  }

  // Behind an opening tag: to the closing tag of an element that holds no other.
  void skip_text_of(std::string_view name) {
    constexpr std::string_view kTextElements[] = {"style",  "textarea", "title",   "xmp",
                                                  "iframe", "noembed",  "noframes"};
    if (is_named(name, "script")) return skip_script();
    if (is_named(name, "plaintext")) at_ = page_.size();
    for (const std::string_view element : kTextElements) {
      if (!is_named(name, element)) continue;
      while ((at_ = std::min(page_.find("</", at_), page_.size())) < page_.size() &&
             !begins_with_name(page_.substr(at_ + 2), element)) {
        at_ += 2;
      }
      return;
    }
  }

  // A script's text may hide closing tags in what looks like a comment with a script in it.
  // Source: the HTML standard, sections 13.2.5.15 to 13.2.5.31.
  void skip_script() {
    enum { kPlain, kEscaped, kScriptInEscaped } state = kPlain;
    for (; (at_ = page_.find_first_of("<-", at_)) != std::string_view::npos; at_++) {
      const std::string_view rest = page_.substr(at_);
      if (state == kPlain && rest.starts_with("<!--")) {
        state = kEscaped;
        at_++;  // its dashes may be those of the end
      } else if (state != kPlain && rest.starts_with("-->")) {
        state = kPlain;
      } else if (rest.starts_with("</") && begins_with_name(rest.substr(2), "script")) {
        if (state != kScriptInEscaped) return;
        state = kEscaped;
      } else if (state == kEscaped && rest[0] == '<' &&
                 begins_with_name(rest.substr(1), "script")) {
        state = kScriptInEscaped;
      }
    }
    at_ = page_.size();
  }

  std::string_view page_;
  size_t at_ = 0;  // at most page_.size()
};

// --- Character references ------------------------------------------------------------------------

void append_utf8(std::string& text, uint32_t code_point) {
  const auto append = [&text](uint32_t byte) { text += static_cast<char>(byte); };
  if (code_point < 0x80) return append(code_point);
  if (code_point < 0x800) {
    append(0xC0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      append(0xE0 | code_point >> 12);
    } else {
      append(0xF0 | code_point >> 18);
      append(0x80 | (code_point >> 12 & 0x3F));
    }
    append(0x80 | (code_point >> 6 & 0x3F));
  }
  append(0x80 | (code_point & 0x3F));
}

uint32_t digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint32_t>(c - '0');
  c = lower(c);
  return c >= 'a' && c <= 'f' ? static_cast<uint32_t>(c - 'a' + 10) : 16;
}

// `digits` is what stands between `&#` and `;`. False if that is no number.
bool append_numbered(std::string& text, std::string_view digits) {
  constexpr uint32_t kMost = 0x10FFFF;
  const bool is_hex = !digits.empty() && lower(digits[0]) == 'x';
  const uint32_t base = is_hex ? 16 : 10;
  if (is_hex) digits.remove_prefix(1);
  if (digits.empty()) return false;
  uint32_t code_point = 0;
  for (const char c : digits) {
    if (digit_value(c) >= base) return false;
    code_point = std::min(code_point * base + digit_value(c), kMost + 1);
  }
  const bool is_character =
      code_point != 0 && code_point <= kMost && (code_point < 0xD800 || code_point > 0xDFFF);
  append_utf8(text, is_character ? code_point : 0xFFFD);
  return true;
}

// `reference` is what stands between `&` and `;`.
bool append_referenced(std::string& text, std::string_view reference) {
  struct Named {
    std::string_view name;
    char character;
  };
  constexpr Named kNamed[] = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  if (reference.starts_with('#')) return append_numbered(text, reference.substr(1));
  for (const Named& named : kNamed) {
    if (reference != named.name) continue;
    text += named.character;
    return true;
  }
  return false;
}

// A `&` that begins no reference stays as it is. No reference is looked for farther than this.
std::string decode_references(std::string_view text) {
  constexpr size_t kMostReferenceBytes = 16;
  std::string decoded;
  for (size_t at = 0; at < text.size(); at++) {
    if (text[at] == '&') {
      const std::string_view rest = text.substr(at + 1, kMostReferenceBytes);
      const size_t end = rest.find(';');
      if (end != std::string_view::npos && append_referenced(decoded, rest.substr(0, end))) {
        at += end + 1;
        continue;
      }
    }
    decoded += text[at];
  }
  return decoded;
}

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(kSpaces) + 1 - begin);
}

// --- Scripts -------------------------------------------------------------------------------------

// A JavaScript string that cannot end the script element it stands in.
std::string script_string(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string literal = "\"";
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || c == '<' || c == '>' || c == 0x7F) {
      literal.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    } else {
      if (c == '"' || c == '\\') literal += '\\';
      literal += c;
    }
  }
  return literal + "\"";
}

void append_definition(std::string& script, const char* class_name, const std::string& element,
                       const std::string& set_up = "") {
  script.append("import { ").append(class_name).append(" } from \"").append(kOwnFolder);
  script.append(element).append(".js\";\n").append(set_up);
  script.append("customElements.define(\"").append(element).append("\", ");
  script.append(class_name).append(");\n");
}

std::string form_sources(const std::vector<std::string>& names) {
  std::string text = "for (const [name, source] of [";
  for (const std::string& name : names) {
    const std::string path = std::string(kFormsFolder) + encode_path(name) + ".wasm";
    if (text.back() != '[') text += ", ";
    text += "[" + script_string(name) + ", " + script_string(path) + "]";
  }
  return text + "]) QipForm.sources.set(name, source);\n";
}

}  // namespace

Result<PageElements, std::string> find_page_elements(std::string_view page) {
  PageElements elements;
  TagScanner scanner(page);
  Tag tag;
  while (scanner.next(tag)) {
    if (is_named(tag.name, "qip-play")) elements.kinds |= kPlayElement;
    if (is_named(tag.name, "qip-edit")) elements.kinds |= kEditElement;
    if (!is_named(tag.name, "qip-form")) continue;
    elements.kinds |= kFormElement;
    if (!tag.has_name_attribute) {
      return std::string("<qip-form> tag is missing required name attribute");
    }
    std::string name = trimmed(decode_references(tag.name_attribute));
    if (name.empty()) return std::string("<qip-form> name attribute must not be empty");
    elements.form_names.push_back(std::move(name));
  }
  std::vector<std::string>& names = elements.form_names;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return elements;
}

std::string element_script(const PageElements& elements) {
  if (elements.kinds == 0) return "";
  std::string script = "<script type=\"module\">\n";
  if ((elements.kinds & kFormElement) != 0) {
    append_definition(script, "QipForm", "qip-form", form_sources(elements.form_names));
  }
  if ((elements.kinds & kPlayElement) != 0) append_definition(script, "QipPlay", "qip-play");
  if ((elements.kinds & kEditElement) != 0) append_definition(script, "QipEdit", "qip-edit");
  return script + "</script>\n";
}

// The browser connects again by itself. A connection after a lost one means that the server was
// gone, and what it serves may have changed. Browsers have few connections for one server, so a
// hidden page gives its own up, if the server tells by a `state` event what was missed.
std::string_view reload_script() {
  return R"(<script type="module">
let events, state, lost = false;
const reload = () => location.reload();
const listen = () => {
  events = new EventSource("/_qip/reload");
  events.addEventListener("reload", reload);
  events.addEventListener("state", ({ data }) => {
    if (state && state !== data) reload();
    state = data;
  });
  events.onerror = () => { lost = true; };
  events.onopen = () => { if (lost) reload(); };
};
listen();
document.addEventListener("visibilitychange", () => {
  if (!state) return;
  if (document.hidden) events.close();
  else if (events.readyState === EventSource.CLOSED) listen();
});
</script>
)";
}

std::string inject_script(std::string_view page, std::string_view script) {
  constexpr std::string_view kEnd = "</body>";
  size_t at = page.rfind('<');
  while (at != std::string_view::npos && !begins_with(page.substr(at), kEnd)) {
    at = at == 0 ? std::string_view::npos : page.rfind('<', at - 1);
  }
  if (at == std::string_view::npos) at = page.size();
  std::string result;
  result.reserve(page.size() + script.size());
  result.append(page.substr(0, at)).append(script).append(page.substr(at));
  return result;
}

}  // namespace qip
