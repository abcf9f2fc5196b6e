// Unbuffered printing through write_fully(), which completes partial and interrupted writes.
#include "cli/output.hpp"

#include <unistd.h>

#include <cstdint>
#include <span>
#include <string>

#include "host/files.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

int fail_with(std::string_view message) {
  write_fully(STDERR_FILENO, bytes_of(message), "\n");  // nobody is left to tell
  return kFailure;
}

int fail_with(const HostError& error) {
  return fail_with(error.message + error.call_stack);
}

void log_line(std::string_view line) {
  write_fully(STDERR_FILENO, bytes_of(line), "\n");
}

void log_command_time(std::chrono::steady_clock::time_point start) {
  const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - start);
  log_line("command took " + number_text(static_cast<uint64_t>(taken.count())) + "ms");
}

int print(std::string_view text) {
  const int error = write_fully(STDOUT_FILENO, bytes_of(text));
  return error == 0 ? kSuccess : fail_to_write(error);
}

int fail_to_write(int error_number) {
  return fail_with("Error writing output: write /dev/stdout: " + system_error_text(error_number));
}

}  // namespace qip
