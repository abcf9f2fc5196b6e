// parse_request_target(): what a client asks for, as a decoded path that can be looked up, or the
// reason why not.
//
// Promises: percent-encoding is decoded once; the path of a Clean verdict begins with '/', has no
// empty, `.` or `..` segment before its last one, and no control character. It is only ever
// compared with indexed paths, never given to the file system. Linear in the target.
// Sources: RFC 9112, section 3.2 (forms of the target); RFC 3986, sections 2.1 and 5.2.4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qip {

inline constexpr size_t kMostTargetBytes = 8 * 1024;

enum class TargetVerdict : uint8_t {
  Clean,     // `path` is to be looked up
  Redirect,  // 301 to `location`
  Bad,       // 400: neither origin-form nor absolute-form, broken percent-encoding, NUL or another
             // control character
  TooLong,   // 414
};

struct RequestPath {
  TargetVerdict verdict = TargetVerdict::Bad;
  std::string path;      // decoded
  std::string location;  // encoded, with the query
};

// `target` is the raw target of the request line, query included.
RequestPath parse_request_target(std::string_view target);

// A decoded path as it stands in a URL: everything but RFC 3986's unreserved characters and
// `/ ! $ & ' ( ) * + , ; = : @` is percent-encoded.
std::string encode_path(std::string_view path);

}  // namespace qip
