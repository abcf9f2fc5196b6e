// Media types of files and responses: the built-in table of extensions, the types told by the first
// bytes of a body, and the Content-Type of a response.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "host/content_type.hpp"
#include "host/contract.hpp"

namespace qip {

// By the extension, in any case; application/octet-stream if it is unknown or missing.
std::string_view media_type_of_name(std::string_view path);
// With the dot: ".html". Empty: unknown.
std::string_view extension_of_media_type(std::string_view media_type);

struct BodyOrigin {
  std::string_view source_type;  // of the file
  bool ran_chain = false;
  ContentType declared{};  // what the chain says that it produces; empty: it says nothing
  Encoding encoding = Encoding::Raw;
};

// The Content-Type header of a body: the declared type; text/html of Markdown that went through a
// chain; an icon or bitmap by its bytes (raw bodies); the type of the source. `; charset=utf-8`
// is added to every text/ type.
std::string response_content_type(const BodyOrigin& origin, std::span<const uint8_t> body);

// True for text/html, with or without parameters.
bool is_html(std::string_view content_type);

}  // namespace qip
