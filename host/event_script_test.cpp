// Event scripts: every form of a line, both ways, and what is said of a wrong one.
#include "host/event_script.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host/interactive.hpp"

namespace qip {
namespace {

Event key(int64_t time, uint32_t keysym, uint32_t flags) {
  Event event;
  event.time = time;
  event.kind = EventKind::Key;
  event.keysym = keysym;
  event.flags = flags;
  return event;
}
Event pointer(int64_t time, int32_t x, int32_t y, uint32_t buttons) {
  Event event;
  event.time = time;
  event.kind = EventKind::Pointer;
  event.x = x;
  event.y = y;
  event.buttons = buttons;
  return event;
}
Event plain(int64_t time, EventKind kind) {
  Event event;
  event.time = time;
  event.kind = kind;
  return event;
}

EventScript parsed(std::string_view text) {
  Result<EventScript, std::string> script = parse_event_script(text);
  EXPECT_TRUE(script.ok()) << text << (script.ok() ? "" : script.error());
  return script.ok() ? script.value() : EventScript{};
}
std::string error_of(std::string_view text) {
  const Result<EventScript, std::string> script = parse_event_script(text);
  return script.ok() ? "" : script.error();
}

TEST(EventScript, EveryFormOfALine) {
  const struct {
    const char* line;
    Event event;
  } kLines[] = {
      {"0 tick", plain(0, EventKind::Tick)},
      {"9223372036854775807 end", plain(INT64_MAX, EventKind::End)},
      {"120 key Right down", key(120, 0xFF53, kKeyDown)},
      {"120 key Right up", key(120, 0xFF53, 0)},
      {"1 key a down repeat shift ctrl alt meta", key(1, 'a', 63)},
      {"1 key a up alt alt", key(1, 'a', kKeyAlt)},
      {"1 key space down", key(1, ' ', kKeyDown)},
      {"1 key numbersign down", key(1, '#', kKeyDown)},
      {"1 key 7 down", key(1, '7', kKeyDown)},
      {"1 key 0x7 down", key(1, 7, kKeyDown)},
      {"1 key 0xff53 down", key(1, 0xFF53, kKeyDown)},
      {"1 key 65363 down", key(1, 0xFF53, kKeyDown)},
      {"1 key 4294967295 up", key(1, UINT32_MAX, 0)},
      {"1 key \xC3\xA9 down", key(1, 0xE9, kKeyDown)},
      {"1 key \xE2\x82\xAC down", key(1, 0x0100'20AC, kKeyDown)},
      {"1 key \xF0\x9F\x90\x8D down", key(1, 0x0101'F40D, kKeyDown)},
      {"200 pointer 17 42", pointer(200, 17, 42, 0)},
      {"200 pointer -1 0 primary", pointer(200, -1, 0, kPrimaryButton)},
      {"200 pointer 2147483647 -2147483648 middle secondary",
       pointer(200, INT32_MAX, INT32_MIN, kMiddleButton | kSecondaryButton)},
      {"\t 5 \t tick \r", plain(5, EventKind::Tick)},
      {"5 tick # a comment", plain(5, EventKind::Tick)},
      {"5 tick #", plain(5, EventKind::Tick)},
  };
  for (const auto& row : kLines) {
    for (const char* ending : {"", "\n", "\r\n", "\n\n"}) {
      const EventScript script = parsed(std::string(row.line) + ending);
      ASSERT_EQ(script.events.size(), 1u) << row.line;
      EXPECT_EQ(script.events[0], row.event) << row.line;
      EXPECT_FALSE(script.ticks_recorded);
    }
  }
}

TEST(EventScript, NothingIsAScript) {
  for (const char* text : {"", "\n", "# only\n#this", "  \t\n\r\n"}) {
    EXPECT_TRUE(parsed(text).events.empty()) << text;
  }
  EXPECT_TRUE(parsed("ticks recorded").ticks_recorded);
  EXPECT_TRUE(parsed("# by hand\n ticks  recorded # so\n1 tick\n").ticks_recorded);
}

TEST(EventScript, AMistakeIsToldWithItsLine) {
  const struct {
    const char* text;
    const char* error;
  } kWrong[] = {
      {"0 tick\n\n1 jump\n", "line 3: want key, pointer, tick or end, not \"jump\""},
      {"1", "line 1: want key, pointer, tick or end, not \"\""},
      {"soon tick", "line 1: not a time in milliseconds: \"soon\""},
      {"-1 tick", "line 1: not a time in milliseconds: \"-1\""},
      {"1.5 tick", "line 1: not a time in milliseconds: \"1.5\""},
      {"9223372036854775808 tick", "line 1: not a time in milliseconds: \"9223372036854775808\""},
      {"2 tick\n1 tick", "line 2: time goes back"},
      {"2 end\n2 tick", "line 2: nothing may follow end"},
      {"2 end\n3 end", "line 2: nothing may follow end"},
      {"1 tick tock", "line 1: unexpected \"tock\""},
      {"1 end 2", "line 1: unexpected \"2\""},
      {"1 key", "line 1: not a key: \"\""},
      {"1 key Rigth down", "line 1: not a key: \"Rigth\""},
      {"1 key # down", "line 1: not a key: \"\""},
      {"1 key 4294967296 down", "line 1: not a key: \"4294967296\""},
      {"1 key 0x down", "line 1: not a key: \"0x\""},
      {"1 key a", "line 1: want down or up behind the key"},
      {"1 key a shift down", "line 1: want down or up behind the key"},
      {"1 key a down up", "line 1: not a flag of a key: \"up\""},
      {"1 key a down super", "line 1: not a flag of a key: \"super\""},
      {"1 pointer 1", "line 1: want a position in pixels behind pointer"},
      {"1 pointer 1 2147483648", "line 1: want a position in pixels behind pointer"},
      {"1 pointer -2147483649 1", "line 1: want a position in pixels behind pointer"},
      {"1 pointer 1 --1", "line 1: want a position in pixels behind pointer"},
      {"1 pointer 1 2 left", "line 1: not a button: \"left\""},
      {"ticks", "line 1: want `ticks recorded`"},
      {"ticks recorded twice", "line 1: want `ticks recorded`"},
      {"1 \x1b[2J", "line 1: want key, pointer, tick or end, not \"\\x1b[2J\""},
      {"1 key \xFF down", "the events are not valid UTF-8"},
  };
  for (const auto& row : kWrong) EXPECT_EQ(error_of(row.text), row.error) << row.text;
}

TEST(EventScript, EveryPrefixIsReadOrRefused) {
  const std::string text =
      "ticks recorded\n0 key \xE2\x82\xAC down ctrl\n7 pointer -1 2 middle\n9 end";
  for (size_t size = 0; size <= text.size(); size++) {
    const Result<EventScript, std::string> script = parse_event_script(text.substr(0, size));
    EXPECT_TRUE(script.ok() || !script.error().empty());
  }
}

TEST(EventScript, TextAndEventsAreInverse) {
  std::vector<Event> events;
  int64_t time = 0;
  // Every keysym of a byte, and around every other kind.
  for (uint32_t keysym = 0; keysym < 0x200; keysym++) events.push_back(key(time++, keysym, 1));
  for (uint32_t keysym = 0xFE00; keysym <= 0x1'0010; keysym++) {
    events.push_back(key(time++, keysym, 0));
  }
  for (const uint32_t keysym : {0x0100'20ACu, 0x0101'F40Du, UINT32_MAX}) {
    events.push_back(key(time++, keysym, kKeyRepeat));
  }
  for (uint32_t flags = 0; flags < 64; flags++) events.push_back(key(time++, 'x', flags));
  for (uint32_t buttons = 0; buttons < 8; buttons++) {
    events.push_back(pointer(time++, INT32_MIN, INT32_MAX, buttons));
    events.push_back(pointer(time++, 0, -1, buttons));
  }
  events.push_back(plain(time, EventKind::Tick));
  events.push_back(plain(INT64_MAX, EventKind::End));
  std::string text = std::string(kTicksRecorded) + "\n";
  for (const Event& event : events) text += event_text(event);
  const EventScript script = parsed(text);
  EXPECT_TRUE(script.ticks_recorded);
  ASSERT_EQ(script.events.size(), events.size());
  for (size_t i = 0; i < events.size(); i++) {
    ASSERT_EQ(script.events[i], events[i]) << event_text(events[i]);
  }
}

}  // namespace
}  // namespace qip
