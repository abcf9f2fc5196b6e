// The script's words are in three tables, from which both directions work.
#include "host/event_script.hpp"

#include <optional>
#include <span>

#include "host/interactive.hpp"
#include "host/numbers.hpp"
#include "host/text.hpp"
#include "loader/reader.hpp"

namespace qip {
namespace {

struct Word {
  std::string_view name;
  uint32_t value;
};

// X11's names and numbers (keysymdef.h) of keys that are no characters, and of the space.
constexpr Word kKeys[] = {
    {"BackSpace", 0xFF08}, {"Tab", 0xFF09},     {"Return", 0xFF0D},    {"Escape", 0xFF1B},
    {"Home", 0xFF50},      {"Left", 0xFF51},    {"Up", 0xFF52},        {"Right", 0xFF53},
    {"Down", 0xFF54},      {"Page_Up", 0xFF55}, {"Page_Down", 0xFF56}, {"End", 0xFF57},
    {"Insert", 0xFF63},    {"F1", 0xFFBE},      {"F2", 0xFFBF},        {"F3", 0xFFC0},
    {"F4", 0xFFC1},        {"F5", 0xFFC2},      {"F6", 0xFFC3},        {"F7", 0xFFC4},
    {"F8", 0xFFC5},        {"F9", 0xFFC6},      {"F10", 0xFFC7},       {"F11", 0xFFC8},
    {"F12", 0xFFC9},       {"Shift", 0xFFE1},   {"Control", 0xFFE3},   {"Alt", 0xFFE9},
    {"Delete", 0xFFFF},    {"space", 0x20},     {"numbersign", '#'},
};
constexpr Word kFlags[] = {
    {"down", kKeyDown},    {"up", 0},        {"repeat", kKeyRepeat}, {"shift", kKeyShift},
    {"ctrl", kKeyControl}, {"alt", kKeyAlt}, {"meta", kKeyMeta}};
constexpr Word kButtons[] = {
    {"primary", kPrimaryButton}, {"middle", kMiddleButton}, {"secondary", kSecondaryButton}};

std::optional<uint32_t> value_of(std::span<const Word> words, std::string_view name) {
  for (const Word& word : words) {
    if (word.name == name) return word.value;
  }
  return std::nullopt;
}

// Takes the next word off the line; empty at its end.
std::string_view next_word(std::string_view& line) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
  size_t size = 0;
  while (size < line.size() && !is_space(line[size])) size++;
  const std::string_view word = line.substr(0, size);
  line.remove_prefix(size);
  return word;
}

std::optional<int32_t> parse_coordinate(std::string_view word) {
  const bool is_negative = word.starts_with('-');
  const std::optional<uint64_t> number = parse_digits(word.substr(is_negative ? 1 : 0), 10);
  if (!number || *number > uint64_t{INT32_MAX} + is_negative) return std::nullopt;
  const int64_t magnitude = static_cast<int64_t>(*number);
  return static_cast<int32_t>(is_negative ? -magnitude : magnitude);
}

// The code point, if the word is one character. Precondition: valid UTF-8.
std::optional<uint32_t> single_character(std::string_view word) {
  if (word.empty()) return std::nullopt;
  const auto byte = [word](size_t i) { return static_cast<uint8_t>(word[i]); };
  const size_t size = byte(0) < 0x80 ? 1 : byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
  if (word.size() != size) return std::nullopt;
  if (size == 1) return byte(0) > 0x20 && byte(0) != 0x7F ? std::optional(byte(0)) : std::nullopt;
  uint32_t code_point = byte(0) & (0xFFu >> (size + 1));
  for (size_t i = 1; i < size; i++) code_point = code_point << 6 | (byte(i) & 0x3F);
  return code_point;
}

std::optional<uint32_t> parse_keysym(std::string_view word) {
  if (const std::optional<uint32_t> named = value_of(kKeys, word)) return named;
  if (const std::optional<uint32_t> character = single_character(word)) {
    return keysym_of_character(*character);
  }
  const bool is_hex = word.starts_with("0x");
  const std::optional<uint64_t> number =
      parse_digits(word.substr(is_hex ? 2 : 0), is_hex ? 16 : 10);
  if (!number || *number > UINT32_MAX) return std::nullopt;
  return static_cast<uint32_t>(*number);
}

std::string quoted_word(std::string_view word) {
  return "\"" + escape_controls(word, kNameLimit) + "\"";
}

// Each parses the words behind the kind. What is wrong, or nothing.
std::string parse_key(std::string_view line, Event& event) {
  const std::string_view key = next_word(line);
  const std::optional<uint32_t> keysym = parse_keysym(key);
  if (!keysym) return "not a key: " + quoted_word(key);
  event.keysym = *keysym;
  const std::string_view direction = next_word(line);
  if (direction != "down" && direction != "up") return "want down or up behind the key";
  event.flags = direction == "down" ? uint32_t{kKeyDown} : 0;
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
    const std::optional<uint32_t> flag = value_of(std::span(kFlags).subspan(2), word);
    if (!flag) return "not a flag of a key: " + quoted_word(word);
    event.flags |= *flag;
  }
  return "";
}

std::string parse_pointer(std::string_view line, Event& event) {
  const std::optional<int32_t> x = parse_coordinate(next_word(line));
  const std::optional<int32_t> y = parse_coordinate(next_word(line));
  if (!x || !y) return "want a position in pixels behind pointer";
  event.x = *x;
  event.y = *y;
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
    const std::optional<uint32_t> button = value_of(kButtons, word);
    if (!button) return "not a button: " + quoted_word(word);
    event.buttons |= *button;
  }
  return "";
}

std::string parse_event(std::string_view line, Event& event) {
  const std::string_view time = next_word(line);
  const std::optional<uint64_t> milliseconds = parse_digits(time, 10);
  if (!milliseconds || *milliseconds > INT64_MAX) {
    return "not a time in milliseconds: " + quoted_word(time);
  }
  event.time = static_cast<int64_t>(*milliseconds);
  const std::string_view kind = next_word(line);
  if (kind == "key") {
    event.kind = EventKind::Key;
    return parse_key(line, event);
  }
  if (kind == "pointer") {
    event.kind = EventKind::Pointer;
    return parse_pointer(line, event);
  }
  if (kind != "tick" && kind != "end") {
    return "want key, pointer, tick or end, not " + quoted_word(kind);
  }
  event.kind = kind == "end" ? EventKind::End : EventKind::Tick;
  const std::string_view rest = next_word(line);
  return rest.empty() ? "" : "unexpected " + quoted_word(rest);
}

// The line without a comment. A `#` is one only at the start of a word.
std::string_view without_comment(std::string_view line) {
  for (size_t i = 0; i < line.size(); i++) {
    if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) {
      return line.substr(0, i);
    }
  }
  return line;
}

std::string parse_line(std::string_view line, EventScript& script) {
  line = without_comment(line);
  std::string_view rest = line;
  const std::string_view first = next_word(rest);
  if (first.empty()) return "";
  if (first == "ticks") {
    if (next_word(rest) != "recorded" || !next_word(rest).empty()) {
      return "want `ticks recorded`";
    }
    script.ticks_recorded = true;
    return "";
  }
  Event event;
  if (std::string problem = parse_event(line, event); !problem.empty()) return problem;
  if (!script.events.empty()) {
    const Event& before = script.events.back();
    if (event.time < before.time) return "time goes back";
    if (before.kind == EventKind::End) return "nothing may follow end";
  }
  script.events.push_back(event);
  return "";
}

// Exactly one of the table's words per set bit.
std::string names_of(std::span<const Word> words, uint32_t bits) {
  std::string text;
  for (const Word& word : words) {
    if ((bits & word.value) != 0) text += " " + std::string(word.name);
  }
  return text;
}

std::string keysym_text(uint32_t keysym) {
  for (const Word& key : kKeys) {
    if (key.value == keysym) return std::string(key.name);
  }
  const bool is_plain = keysym > 0x20 && keysym < 0x7F;
  if (is_plain) return std::string(1, static_cast<char>(keysym));
  // One digit alone would be the character.
  return (keysym < 10 ? "0x" : "") + number_text(keysym);
}

}  // namespace

Result<EventScript, std::string> parse_event_script(std::string_view text) {
  if (!is_valid_utf8(text)) return std::string("the events are not valid UTF-8");
  EventScript script;
  for (uint64_t number = 1; !text.empty(); number++) {
    const size_t end = text.find('\n');
    std::string problem = parse_line(text.substr(0, end), script);
    if (!problem.empty()) return "line " + number_text(number) + ": " + problem;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return script;
}

std::string event_text(const Event& event) {
  std::string line = number_text(static_cast<uint64_t>(event.time));
  switch (event.kind) {
    case EventKind::Tick:
      line += " tick";
      break;
    case EventKind::End:
      line += " end";
      break;
    case EventKind::Key:
      line += " key " + keysym_text(event.keysym) +
              ((event.flags & kKeyDown) != 0 ? " down" : " up") +
              names_of(std::span(kFlags).subspan(2), event.flags);
      break;
    case EventKind::Pointer: {
      const auto coordinate = [](int32_t number) {
        return number >= 0 ? number_text(static_cast<uint64_t>(number))
                           : "-" + number_text(static_cast<uint64_t>(-int64_t{number}));
      };
      line += " pointer " + coordinate(event.x) + " " + coordinate(event.y) +
              names_of(kButtons, event.buttons);
      break;
    }
  }
  return line + "\n";
}

}  // namespace qip
