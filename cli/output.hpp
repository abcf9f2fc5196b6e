// What the commands print: results to stdout, everything else to stderr. Nothing is buffered, so
// that an error of the last write is an error of the command.
#pragma once

#include <chrono>
#include <string_view>

#include "host/error.hpp"

namespace qip {

inline constexpr int kSuccess = 0;
inline constexpr int kFailure = 1;
inline constexpr int kInterrupted = 130;  // by Ctrl-C, as shells have it

// One message and a newline on stderr. Always kFailure, so that a command can return it.
int fail_with(std::string_view message);
// The same with what is known of the guest's call stack.
int fail_with(const HostError& error);
// A line of -v on stderr.
void log_line(std::string_view line);
// The last of them: how long the command has taken.
void log_command_time(std::chrono::steady_clock::time_point start);
// Text as it is on stdout. kSuccess, or kFailure after a message.
int print(std::string_view text);
// The message for a failed write to stdout.
int fail_to_write(int error_number);

}  // namespace qip
