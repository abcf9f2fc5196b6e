#include "cli/json_text.hpp"

#include "host/text.hpp"

namespace qip {

void JsonText::separate() {
  if (needs_comma_) document_ += ',';
  needs_comma_ = true;
}

JsonText& JsonText::key(std::string_view name) {
  separate();
  document_ += '"';
  document_ += name;
  document_ += "\":";
  needs_comma_ = false;  // the value follows at once
  return *this;
}

void JsonText::begin(char bracket) {
  separate();
  document_ += bracket;
  needs_comma_ = false;
}

void JsonText::end(char bracket) {
  document_ += bracket;
  needs_comma_ = true;
}

void JsonText::literal(std::string_view value) {
  separate();
  document_ += value;
}

void JsonText::number(uint64_t value) {
  literal(number_text(value));
}

// Quotes, backslashes and control characters must be escaped; DEL is too, for terminals.
void JsonText::text(std::string_view value) {
  separate();
  document_ += '"';
  for (const char c : value) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7F) {
      document_ += "\\u00";
      document_ += hex_text({&byte, 1});
      continue;
    }
    if (c == '"' || c == '\\') document_ += '\\';
    document_ += c;
  }
  document_ += '"';
}

std::string JsonText::take() {
  return std::move(document_) + "\n";
}

}  // namespace qip
