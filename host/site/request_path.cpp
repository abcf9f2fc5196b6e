// The target is decoded once and then cleaned; both are one pass over at most kMostTargetBytes.
#include "host/site/request_path.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace qip {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Empty: the encoding is broken, or a control character comes of it.
std::optional<std::string> decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); i++) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (is_control(c)) return std::nullopt;
    decoded += c;
  }
  return decoded;
}

// Without empty, `.` and `..` segments; a slash at the end stays, and stands for a `.` or `..`
// there.
std::string clean(std::string_view path) {
  std::vector<std::string_view> segments;
  bool ends_in_folder = false;
  for (size_t begin = 1; begin <= path.size();) {
    const size_t slash = path.find('/', begin);
    const size_t end = slash == std::string_view::npos ? path.size() : slash;
    const std::string_view segment = path.substr(begin, end - begin);
    ends_in_folder = segment.empty() || segment == "." || segment == "..";
    if (!ends_in_folder) {
      segments.push_back(segment);
    } else if (segment == ".." && !segments.empty()) {
      segments.pop_back();
    }
    begin = end + 1;
  }
  std::string cleaned;
  for (const std::string_view segment : segments) cleaned.append("/").append(segment);
  if (ends_in_folder || cleaned.empty()) cleaned += '/';
  return cleaned;
}

// Removes scheme and authority of an absolute-form target. False: it is none, or names no host.
bool remove_authority(std::string_view& target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() <= scheme.size()) continue;
    bool is_scheme = true;
    for (size_t i = 0; i < scheme.size(); i++) {
      const char c = target[i];
      is_scheme = is_scheme && (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) == scheme[i];
    }
    const size_t end = std::min(target.find_first_of("/?", scheme.size()), target.size());
    if (!is_scheme || end == scheme.size()) continue;
    target.remove_prefix(end);
    return true;
  }
  return false;
}

bool stays_in_path(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return std::string_view("-._~/!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

// A query is not decoded, so only what cannot stand in a header's URL is encoded.
bool stays_in_query(char c) {
  return c > 0x20 && c < 0x7f && c != '"' && c != '<' && c != '>';
}

std::string encode(std::string_view text, bool (*stays)(char)) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (stays(c)) {
      encoded += c;
      continue;
    }
    const uint8_t byte = static_cast<uint8_t>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4];
    encoded += kDigits[byte & 15];
  }
  return encoded;
}

}  // namespace

RequestPath parse_request_target(std::string_view target) {
  RequestPath request;
  if (target.size() > kMostTargetBytes) {
    request.verdict = TargetVerdict::TooLong;
    return request;
  }
  for (const char c : target) {
    if (is_control(c)) return request;
  }
  target = target.substr(0, target.find('#'));
  const bool is_absolute = remove_authority(target);
  const size_t question = std::min(target.find('?'), target.size());
  const std::string_view query = target.substr(question);
  std::string_view raw = target.substr(0, question);
  if (raw.empty() && is_absolute) raw = "/";
  if (raw.empty() || raw.front() != '/') return request;
  std::optional<std::string> decoded = decode(raw);
  if (!decoded) return request;
  std::string cleaned = clean(*decoded);
  if (cleaned == *decoded) {
    request.verdict = TargetVerdict::Clean;
  } else {
    // It cannot begin with "//", which would name a host: no segment is empty, and a backslash,
    // which browsers take for a slash, is encoded.
    request.location = encode_path(cleaned) + encode(query, stays_in_query);
    const bool is_short = request.location.size() <= kMostTargetBytes;
    request.verdict = is_short ? TargetVerdict::Redirect : TargetVerdict::TooLong;
  }
  request.path = std::move(cleaned);
  return request;
}

std::string encode_path(std::string_view path) {
  return encode(path, stays_in_path);
}

}  // namespace qip
