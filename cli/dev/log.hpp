// ServerLog: lines on standard error, with date and time, that never make the server wait.
//
// Promises: a line is written at once and whole, or, if whoever reads standard error does not keep
// up, left out and counted; a closed standard error is no error. Any number of threads.
// Assumes: what a client or a guest chose is escaped by the caller.
// Source: POSIX.1-2017, write(): up to PIPE_BUF bytes go into a pipe in one piece, and a pipe that
// poll() calls writable takes that many.
#pragma once

#include <time.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace qip {

class ServerLog {
 public:
  ServerLog();
  // `text` without a newline at the end.
  void line(std::string_view text);

 private:
  bool write_piece(std::string_view piece) const;
  bool write_all(std::string_view text) const;
  const std::string& time_prefix();

  bool may_block_;
  std::mutex mutex_;  // of what follows
  uint64_t lost_ = 0;
  time_t second_ = -1;
  std::string prefix_;  // of `second_`
  std::string buffer_;
};

}  // namespace qip
