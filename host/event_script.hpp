// EventScript: timed events for an interactive component, as text: what `--events` replays and what
// `qip play --record` writes.
//
// One event per line, times in milliseconds that never go back; `#` begins a comment:
//
//     ticks recorded                     only the steps of this file happen (what --record writes);
//                                        without this line the component's wake-up times count too
//     0     tick                         a step without an event
//     120   key Right down               a key: its X11 name, a character, or a number (0xff53);
//     180   key Right up                 then down or up, and repeat shift ctrl alt meta
//     200   pointer 17 42 primary        position in pixels, then the buttons that are held:
//                                        primary middle secondary
//     5000  end                          let time pass until then
//
// Promises: parse and text are inverse to each other; a mistake is told with its line.
// Bounds: linear in the text; at most kMaxScriptBytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "loader/result.hpp"

namespace qip {

inline constexpr size_t kMaxScriptBytes = size_t{64} << 20;

enum class EventKind : uint8_t { Tick, Key, Pointer, End };

struct Event {
  int64_t time = 0;  // milliseconds
  EventKind kind = EventKind::Tick;
  uint32_t keysym = 0;   // Key
  uint32_t flags = 0;    // Key: KeyFlags
  uint32_t buttons = 0;  // Pointer: PointerButtons
  int32_t x = 0;         // Pointer
  int32_t y = 0;

  bool operator==(const Event&) const = default;
};

struct EventScript {
  bool ticks_recorded = false;
  std::vector<Event> events;  // in order of time
};

// The error is a sentence: "line 3: ...".
Result<EventScript, std::string> parse_event_script(std::string_view text);

inline constexpr std::string_view kTicksRecorded = "ticks recorded";

// The line of an event, with a newline.
std::string event_text(const Event& event);

// The X11 keysym of a character: itself in Latin-1, else 0x01000000 and the code point.
constexpr uint32_t keysym_of_character(uint32_t code_point) {
  const bool latin =
      (code_point >= 0x20 && code_point <= 0x7E) || (code_point >= 0xA0 && code_point <= 0xFF);
  return latin ? code_point : 0x0100'0000 | code_point;
}

}  // namespace qip
