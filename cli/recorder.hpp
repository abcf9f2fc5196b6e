// Recorder: the steps of a session as a script of events, written while it goes on.
//
// Promises: a regular file appears, or is replaced, when the recording ends, whole; a session that
// fails leaves what it did as well. Each step is in the file system when add() returns. A device or
// named pipe is written to as it is. Bounds: kMaxScriptBytes, what a replay reads.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "host/event_script.hpp"
#include "host/files.hpp"

namespace qip {

class Recorder {
 public:
  Recorder() = default;
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Each of these: an error that is a sentence, or nothing. Without begin() they do nothing.
  std::string begin(const std::string& path);
  std::string add(int64_t now, std::span<const Event> events);
  std::string end(int64_t now);

 private:
  std::string write(std::string_view text);

  std::string path_;
  std::string temporary_;  // empty: written in place
  FileDescriptor file_;
  uint64_t size_ = 0;
};

}  // namespace qip
