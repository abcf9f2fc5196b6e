// Each rule is one comparison; all are linear in the head of the request, which is bounded.
#include "cli/dev/request_check.hpp"

#include <cstring>

namespace qip {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_without_case(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); i++) {
    if (lower(left[i]) != lower(right[i])) return false;
  }
  return true;
}

bool ends_without_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         equal_without_case(text.substr(text.size() - end.size()), end);
}

bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!is_letter_or_digit(c) && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == nullptr)) {
      return false;
    }
  }
  return !text.empty();
}

bool has_control(std::string_view text) {
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return true;
  }
  return false;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

// Takes a `:port` away.
std::string_view without_port(std::string_view host) {
  const size_t colon = host.rfind(':');
  const size_t bracket = host.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon);
  return has_port ? host.substr(0, colon) : host;
}

}  // namespace

RequestCheck::RequestCheck(const Line& line, bool check_layout)
    : method_(line.method),
      next_(line.version + strlen(line.version) + 2),
      check_layout_(check_layout),
      is_1_0_(strcmp(line.version, "HTTP/1.0") == 0) {
  if (!is_token(line.method)) doubt("the method is not a token");
  if (!check_layout) return;
  const bool is_one_line = line.method + strlen(line.method) + 1 == line.target.data() &&
                           line.target.data() + line.target.size() + 1 == line.version;
  if (!is_one_line) doubt("the request line is malformed");
}

void RequestCheck::doubt(const char* problem) {
  if (problem_ == nullptr) problem_ = problem;
}

void RequestCheck::expect_at(const char* place) {
  if (check_layout_ && place != next_) doubt("a line is folded, or does not end in CR LF");
}

void RequestCheck::add_field(std::string_view name, std::string_view value) {
  expect_at(name.data());
  next_ = value.data() + value.size() + 2;
  if (!is_token(name)) doubt("a field name is not a token");
  if (has_control(value)) doubt("a field has a control character");
  value = trimmed(value);
  if (equal_without_case(name, "host")) {
    hosts_++;
    host_ = value;
  } else if (equal_without_case(name, "content-length")) {
    add_content_length(value);
  } else if (equal_without_case(name, "transfer-encoding")) {
    has_body_ = true;
  } else if (equal_without_case(name, "if-none-match")) {
    if (!none_match_.empty()) none_match_ += ", ";
    none_match_ += value;
  }
}

void RequestCheck::add_content_length(std::string_view value) {
  lengths_++;
  if (value != "0" || lengths_ > 1) has_body_ = true;
}

RequestVerdict RequestCheck::finish(size_t head_bytes) {
  // The empty line: CR LF behind the last line's CR LF.
  expect_at(method_ + head_bytes - 2);
  if (hosts_ > 1) doubt("more than one Host field");
  if (hosts_ == 0 && !is_1_0_) doubt("no Host field");
  if (hosts_ == 1 && !is_well_formed_host(host_)) doubt("the Host field is malformed");
  if (problem_ != nullptr) return RequestVerdict::Doubtful;
  if (!has_body_) return RequestVerdict::Clean;
  problem_ = "a request body is not accepted";
  return RequestVerdict::HasBody;
}

bool is_well_formed_host(std::string_view host) {
  const std::string_view name = without_port(host);
  if (name.size() < host.size()) {
    for (const char c : host.substr(name.size() + 1)) {
      if (c < '0' || c > '9') return false;
    }
  }
  const bool is_literal = name.size() > 2 && name.front() == '[' && name.back() == ']';
  const std::string_view rest = is_literal ? name.substr(1, name.size() - 2) : name;
  for (const char c : rest) {
    if (is_letter_or_digit(c) || (is_literal && c == ':')) continue;
    if (c == '\0' || strchr("-._~!$&'()*+,;=%", c) == nullptr) return false;
  }
  return true;
}

bool is_own_host(std::string_view host, std::string_view own) {
  const std::string_view name = without_port(host);
  return equal_without_case(name, "localhost") || ends_without_case(name, ".localhost") ||
         name == "127.0.0.1" || name == "[::1]" || equal_without_case(name, own);
}

}  // namespace qip
