// Screen: a small model of a terminal for tests: what bytes leave on it.
//
// Promises: it knows exactly what the command sends, and notes everything else in `unknown`; text
// outside of the screen is noted too. Kitty images are kept as sent, sixel pictures as text.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace qip {

// Colours are 0xRRGGBB.
struct ScreenCell {
  static constexpr uint32_t kDefault = 0xFFFF'FFFF;
  std::string text = " ";
  uint32_t foreground = kDefault;
  uint32_t background = kDefault;

  // What the halves show: half blocks and spaces only.
  uint32_t upper() const { return text == "\u2580" ? foreground : background; }
  uint32_t lower() const { return background; }
  bool operator==(const ScreenCell&) const = default;
};

class Screen {
 public:
  Screen(uint32_t columns, uint32_t rows) { resize(columns, rows); }

  void resize(uint32_t columns, uint32_t rows) {
    columns_ = columns;
    rows_ = rows;
    cells_.assign(size_t{columns} * rows, {});
  }

  void apply(std::string_view bytes) {
    rest_ += bytes;
    size_t used = 0;
    for (size_t size = 1; used < rest_.size(); used += size) {
      size = take(std::string_view(rest_).substr(used));
      if (size == 0) break;  // not complete
    }
    rest_.erase(0, used);
  }

  const ScreenCell& at(uint32_t column, uint32_t row) const {
    return cells_[size_t{row} * columns_ + column];
  }
  const std::vector<ScreenCell>& cells() const { return cells_; }
  uint32_t column() const { return column_; }
  uint32_t row() const { return row_; }
  // Private modes (1049, 25, ...) that have been set or reset.
  const std::map<std::string, bool>& modes() const { return modes_; }
  // Bodies of APC and DCS strings since the last clearing of this list.
  std::vector<std::string> strings;
  std::vector<std::string> unknown;
  uint64_t cells_written = 0;
  uint64_t clears = 0;
  std::string questions;  // sequences that a terminal answers

 private:
  // How many bytes of the next thing; 0: more are needed.
  size_t take(std::string_view bytes) {
    if (bytes[0] == '\x18') return 1;
    if (bytes[0] == '\x1b') return take_escape(bytes);
    const auto first = static_cast<uint8_t>(bytes[0]);
    const size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (bytes.size() < size) return 0;
    write(std::string(bytes.substr(0, size)));
    return size;
  }
  size_t take_escape(std::string_view bytes) {
    if (bytes.size() < 2) return 0;
    if (bytes[1] == '\\') return 2;
    if (bytes[1] == '_' || bytes[1] == 'P') {
      const size_t end = bytes.find("\x1b\\");
      if (end == std::string_view::npos) return 0;
      strings.emplace_back(bytes.substr(1, end - 1));
      return end + 2;
    }
    if (bytes[1] != '[') {
      unknown.emplace_back(bytes.substr(0, 2));
      return 2;
    }
    for (size_t i = 2; i < bytes.size(); i++) {
      if (bytes[i] < 0x40) continue;
      control(bytes.substr(2, i - 2), bytes[i]);
      return i + 1;
    }
    return 0;
  }

  static std::vector<uint32_t> numbers_of(std::string_view text) {
    std::vector<uint32_t> numbers = {0};
    for (const char c : text) {
      if (c == ';')
        numbers.push_back(0);
      else
        numbers.back() = numbers.back() * 10 + static_cast<uint32_t>(c - '0');
    }
    return numbers;
  }

  void control(std::string_view text, char final) {
    const bool is_private = !text.empty() && text[0] == '?';
    if (is_private && (final == 'h' || final == 'l')) {
      modes_[std::string(text.substr(1))] = final == 'h';
      return;
    }
    if (final == 'u' || final == 'p' || final == 'c' || final == 't') {
      questions += "[" + std::string(text) + final;
      return;
    }
    if (text.find_first_not_of("0123456789;") != std::string_view::npos) {
      unknown.push_back(std::string(text) + final);
      return;
    }
    const std::vector<uint32_t> numbers = numbers_of(text);
    const auto number = [&](size_t i) {
      return i < numbers.size() && numbers[i] > 0 ? numbers[i] : 1;
    };
    if (final == 'H') {
      row_ = number(0) - 1;
      column_ = number(1) - 1;
    } else if (final == 'C') {
      column_ += number(0);
    } else if (final == 'J' && numbers[0] == 2) {
      // As terminals with bce do it.
      cells_.assign(cells_.size(), {.background = background_});
      clears++;
    } else if (final == 'm') {
      set_colors(numbers);
    } else {
      unknown.push_back(std::string(text) + final);
    }
  }

  void set_colors(const std::vector<uint32_t>& numbers) {
    for (size_t i = 0; i < numbers.size(); i++) {
      if (numbers[i] == 0)
        foreground_ = background_ = ScreenCell::kDefault;
      else if (numbers[i] == 49)
        background_ = ScreenCell::kDefault;
      else if ((numbers[i] == 38 || numbers[i] == 48) && i + 4 < numbers.size()) {
        const uint32_t color = numbers[i + 2] << 16 | numbers[i + 3] << 8 | numbers[i + 4];
        (numbers[i] == 38 ? foreground_ : background_) = color;
        i += 4;
      } else {
        unknown.push_back("colour " + std::to_string(numbers[i]));
      }
    }
  }

  void write(const std::string& text) {
    cells_written++;
    if (text[0] > 0 && text[0] < 0x20) unknown.push_back("control");
    if (column_ >= columns_ || row_ >= rows_) {
      unknown.push_back("outside");
      return;
    }
    cells_[size_t{row_} * columns_ + column_] = {text, foreground_, background_};
    if (column_ + 1 < columns_) column_++;  // no wrapping
  }

  uint32_t columns_ = 0, rows_ = 0;
  uint32_t column_ = 0, row_ = 0;
  uint32_t foreground_ = ScreenCell::kDefault, background_ = ScreenCell::kDefault;
  std::vector<ScreenCell> cells_;
  std::map<std::string, bool> modes_;
  std::string rest_;
};

}  // namespace qip
