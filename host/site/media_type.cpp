// One table of extensions, and two formats that are told by their first bytes. Everything reads a
// bounded number of bytes.
#include "host/site/media_type.hpp"

#include <optional>

namespace qip {
namespace {

struct Extension {
  std::string_view name;  // in lower case, with the dot
  std::string_view media_type;
};

// The first row of a media type is the extension that its files get.
constexpr Extension kExtensions[] = {
    {".html", "text/html"},
    {".htm", "text/html"},
    {".md", "text/markdown"},
    {".markdown", "text/markdown"},
    {".css", "text/css"},
    {".js", "text/javascript"},
    {".mjs", "text/javascript"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".xml", "text/xml"},
    {".txt", "text/plain"},
    {".csv", "text/csv"},
    {".uri", "text/uri-list"},
    {".uris", "text/uri-list"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".gif", "image/gif"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".webp", "image/webp"},
    {".avif", "image/avif"},
    {".bmp", "image/bmp"},
    {".ico", "image/vnd.microsoft.icon"},
    {".pdf", "application/pdf"},
    {".wasm", "application/wasm"},
    {".woff", "font/woff"},
    {".woff2", "font/woff2"},
    {".ttf", "font/ttf"},
    {".otf", "font/otf"},
    {".mp3", "audio/mpeg"},
    {".mp4", "video/mp4"},
    {".webm", "video/webm"},
    {".zip", "application/zip"},
    {".gz", "application/gzip"},
    {".tar", "application/x-tar"},
    {".sqlite", "application/vnd.sqlite3"},
    {".sqlite3", "application/vnd.sqlite3"},
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

uint32_t little_endian(std::span<const uint8_t> bytes, size_t at, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; i++) value |= uint32_t{bytes[at + i]} << (8 * i);
  return value;
}

// An icon file: its header, and a first entry whose image lies inside the file.
bool is_icon(std::span<const uint8_t> bytes) {
  constexpr size_t kHeaderBytes = 6;
  constexpr size_t kEntryBytes = 16;
  if (bytes.size() < kHeaderBytes + kEntryBytes) return false;
  if (little_endian(bytes, 0, 2) != 0 || little_endian(bytes, 2, 2) != 1) return false;
  const uint64_t count = little_endian(bytes, 4, 2);
  const uint64_t size = little_endian(bytes, kHeaderBytes + 8, 4);
  const uint64_t offset = little_endian(bytes, kHeaderBytes + 12, 4);
  return count >= 1 && size > 0 && offset >= kHeaderBytes + count * kEntryBytes &&
         offset + size <= bytes.size();
}

// A bitmap file: its header, and pixels that begin behind it and inside the file.
bool is_bitmap(std::span<const uint8_t> bytes) {
  constexpr uint64_t kFileHeaderBytes = 14;
  constexpr uint64_t kLeastHeaderBytes = 12;
  if (bytes.size() < kFileHeaderBytes + kLeastHeaderBytes) return false;
  if (bytes[0] != 'B' || bytes[1] != 'M') return false;
  const uint64_t file_size = little_endian(bytes, 2, 4);
  const uint64_t offset = little_endian(bytes, 10, 4);
  const uint64_t header_size = little_endian(bytes, 14, 4);
  return file_size <= bytes.size() && header_size >= kLeastHeaderBytes &&
         offset >= kFileHeaderBytes + header_size && offset <= bytes.size();
}

}  // namespace

std::string_view media_type_of_name(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return "application/octet-stream";
  std::string extension(name.substr(dot));
  for (char& c : extension) c = lower(c);
  for (const Extension& known : kExtensions) {
    if (known.name == extension) return known.media_type;
  }
  return "application/octet-stream";
}

std::string_view extension_of_media_type(std::string_view media_type) {
  for (const Extension& known : kExtensions) {
    if (known.media_type == media_type) return known.name;
  }
  if (media_type == "image/x-icon") return ".ico";
  return {};
}

std::string response_content_type(const BodyOrigin& origin, std::span<const uint8_t> body) {
  std::string type(origin.source_type);
  if (origin.declared) {
    type = *origin.declared;
  } else if (origin.ran_chain && origin.source_type == "text/markdown") {
    type = "text/html";
  } else if (origin.encoding == Encoding::Raw && is_icon(body)) {
    type = "image/x-icon";
  } else if (origin.encoding == Encoding::Raw && is_bitmap(body)) {
    type = "image/bmp";
  }
  if (type.starts_with("text/")) type += "; charset=utf-8";
  return type;
}

bool is_html(std::string_view content_type) {
  return content_type.substr(0, content_type.find(';')) == "text/html";
}

}  // namespace qip
