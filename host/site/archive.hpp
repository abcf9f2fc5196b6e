// The bytes around the pages of an archive: headers of a tar archive, and records of a WARC file.
//
// Promises: text that follows from its arguments alone: no clock, no user, no machine. Linear in
// the names.
// Assumes: names and URIs without control characters; bodies are written by the caller.
// Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; the WARC file
// format 1.1, sections 4 to 6; RFC 9562, section 5.8 (UUIDs of version 8).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/digest.hpp"

namespace qip {

// --- tar -----------------------------------------------------------------------------------------

// What stands before the `size` bytes of the regular file `name`, a relative path: one header, with
// an extended one before it where the name is long or not ASCII, or the size is above 8 GiB.
std::string tar_header(const std::string& name, uint64_t size);
// What stands behind them: zeros up to a whole block.
std::string_view tar_padding(uint64_t size);
// What stands at the end of the archive.
std::string_view tar_end();

// --- WARC ----------------------------------------------------------------------------------------

// 9999-12-31T23:59:59Z, the last second that the format can tell.
inline constexpr uint64_t kLastWarcSecond = 253'402'300'799;

// A response as it goes into a record: HTTP's head and, behind it, a body.
struct WarcPage {
  std::string_view uri;
  std::string_view http_head;  // status line and header fields, with the empty line
  uint64_t body_size = 0;
  Sha256Digest block_digest;    // of head and body
  Sha256Digest payload_digest;  // of the body
};

class WarcFormat {
 public:
  // `seconds` since 1970, at most kLastWarcSecond: the date of every record.
  explicit WarcFormat(uint64_t seconds);

  // The whole first record.
  const std::string& info_record() const { return info_record_; }
  // What stands before the body; WarcFormat::record_end() stands behind it.
  std::string response_record(const WarcPage& page) const;
  static std::string_view record_end() { return "\r\n\r\n"; }

 private:
  std::string date_;
  std::string info_id_;
  std::string info_record_;
};

}  // namespace qip
