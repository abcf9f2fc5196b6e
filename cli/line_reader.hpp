// LineReader: lines of answers, typed at a terminal or piped in.
//
// Promises: at a terminal a line can be edited and earlier ones recalled (built with EDIT=0: as the
// terminal itself allows); Ctrl-C ends the process with exit code 130 and the terminal as it was.
// A piped line is taken as it is, apart from the carriage returns and newlines at its end.
// Bounds: what is kept of a line is one byte more than the caller allows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace qip {

struct InputLine {
  std::string text;   // at most limit + 1 bytes of it
  uint64_t size = 0;  // of the whole line
};

class LineReader {
 public:
  virtual ~LineReader() = default;
  // Shows the prompt and reads a line. Empty: the input has ended.
  virtual std::optional<InputLine> read(const std::string& prompt, size_t limit) = 0;
};

// Reads from stdin. `prompt_fd` is where prompts go.
std::unique_ptr<LineReader> make_line_reader(int prompt_fd);

}  // namespace qip
