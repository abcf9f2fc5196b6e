// Text for people: durations, digests, and names that a guest chose made safe for a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace qip {

inline constexpr size_t kNoLimit = ~size_t{0};
// Enough for every honest name, and a message stays a line.
inline constexpr size_t kNameLimit = 200;

// Control characters (C0, DEL, C1), line and paragraph separators, direction overrides and bytes
// that are not UTF-8 become \xNN or \u{NNNN}; everything else stays. So no text of a guest can move
// the cursor, start a line of its own, or reverse what is read. A result that would be longer than
// about `limit` bytes ends in `...` there.
std::string escape_controls(std::string_view text, size_t limit = kNoLimit);

// Go style: `100ms`, `1.5s`, `1m0s`, `71.051µs`, `30ns`. Not negative.
std::string format_duration(std::chrono::nanoseconds duration);

// Lower-case hexadecimal, two digits a byte.
std::string hex_text(std::span<const uint8_t> bytes);

// A 32-bit item as people see it: eight hexadecimal digits, highest first, and a newline. Its bytes
// are in little-endian order.
std::string item_line(std::span<const uint8_t, 4> item);

// A moment in UTC, to the second: `2024-02-29T12:00:00Z` (RFC 3339, section 5.6). Years 1970 to
// 9999.
std::string date_time_text(uint64_t seconds_since_1970);

// "no such file or directory": an errno value in words, without the capital of strerror().
std::string system_error_text(int error_number);

// Decimal digits of a number.
std::string number_text(uint64_t number);

}  // namespace qip
