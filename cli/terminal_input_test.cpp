// What terminals send: tables of sequences, every way to cut them, and bytes that nobody sends.
#include "cli/terminal_input.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "host/interactive.hpp"

namespace qip {

// For messages of failed tests.
void PrintTo(const TerminalEvent& event, std::ostream* out) {
  *out << "{kind " << int(event.kind) << " keysym 0x" << std::hex << event.keysym << std::dec
       << " flags " << event.flags << " buttons " << event.buttons << " at " << event.x << ","
       << event.y << " value " << event.value << " " << event.width << "x" << event.height << "}";
}

namespace {

using Events = std::vector<TerminalEvent>;

TerminalEvent key(uint32_t keysym, uint32_t flags) {
  TerminalEvent event;
  event.keysym = keysym;
  event.flags = flags;
  return event;
}
Events tap(uint32_t keysym, uint32_t flags = 0) {
  return {key(keysym, flags | kKeyDown), key(keysym, flags)};
}
Events pointer(uint32_t buttons, int32_t x, int32_t y) {
  TerminalEvent event;
  event.kind = InputKind::Pointer;
  event.buttons = buttons;
  event.x = x;
  event.y = y;
  return {event};
}
Events told(InputKind kind, uint32_t value, uint32_t width = 0, uint32_t height = 0) {
  TerminalEvent event;
  event.kind = kind;
  event.value = value;
  event.width = width;
  event.height = height;
  return {event};
}

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

Events decode(std::string_view text, bool reports_releases = false) {
  TerminalDecoder decoder;
  Events events;
  decoder.feed(bytes_of(reports_releases ? "\x1b[?2u" : "\x1b[?1u"), events);
  events.clear();
  decoder.feed(bytes_of(text), events);
  if (decoder.is_waiting()) decoder.time_out(events);
  return events;
}

struct Row {
  std::string_view bytes;
  Events events;
};

// Complete without a time-out.
const std::vector<Row>& rows() {
  static const std::vector<Row> table = {
      // Characters
      {"a", tap('a')},
      {"A", tap('A', kKeyShift)},
      {" ", tap(' ')},
      {"~", tap('~')},
      {"\u00e9", tap(0xE9)},
      {"\u20ac", tap(0x0100'20AC)},
      {"\U0001F600", tap(0x0101'F600)},
      // Control
      {std::string_view("\0", 1), tap(' ', kKeyControl)},
      {"\x01", tap('a', kKeyControl)},
      {"\x03", tap('c', kKeyControl)},
      {"\x1a", tap('z', kKeyControl)},
      {"\x1c", tap('\\', kKeyControl)},
      {"\x1f", tap('_', kKeyControl)},
      {"\t", tap(kKeysymTab)},
      {"\r", tap(kKeysymReturn)},
      {"\n", tap(kKeysymReturn)},
      {"\x7f", tap(kKeysymBackSpace)},
      {"\b", tap(kKeysymBackSpace)},
      // Alt
      {"\x1b"
       "a",
       tap('a', kKeyAlt)},
      {"\x1b\u00e9", tap(0xE9, kKeyAlt)},
      {"\x1b\x7f", tap(kKeysymBackSpace, kKeyAlt)},
      {"\x1b\x01", tap('a', kKeyAlt | kKeyControl)},
      {"\x1b\x1b[A", tap(kKeysymUp, kKeyAlt)},
      // CSI and SS3
      {"\x1b[A", tap(kKeysymUp)},
      {"\x1b[B", tap(kKeysymDown)},
      {"\x1b[C", tap(kKeysymRight)},
      {"\x1b[D", tap(kKeysymLeft)},
      {"\x1b[H", tap(kKeysymHome)},
      {"\x1b[F", tap(kKeysymEnd)},
      {"\x1bOA", tap(kKeysymUp)},
      {"\x1bOH", tap(kKeysymHome)},
      {"\x1bOP", tap(kKeysymF1)},
      {"\x1bOS", tap(kKeysymF1 + 3)},
      {"\x1bOM", tap(kKeysymReturn)},
      {"\x1bOp", tap('0')},
      {"\x1bOk", tap('+')},
      {"\x1b[Z", tap(kKeysymTab, kKeyShift)},
      {"\x1b[1~", tap(kKeysymHome)},
      {"\x1b[2~", tap(kKeysymInsert)},
      {"\x1b[3~", tap(kKeysymDelete)},
      {"\x1b[5~", tap(kKeysymPageUp)},
      {"\x1b[6~", tap(kKeysymPageDown)},
      {"\x1b[15~", tap(kKeysymF1 + 4)},
      {"\x1b[24~", tap(kKeysymF1 + 11)},
      {"\x1b[[A", tap(kKeysymF1)},
      {"\x1b[[E", tap(kKeysymF1 + 4)},
      {"\x1b[1;2A", tap(kKeysymUp, kKeyShift)},
      {"\x1b[1;3A", tap(kKeysymUp, kKeyAlt)},
      {"\x1b[1;5A", tap(kKeysymUp, kKeyControl)},
      {"\x1b[1;8D", tap(kKeysymLeft, kKeyShift | kKeyAlt | kKeyControl)},
      {"\x1b[1;9A", tap(kKeysymUp, kKeyMeta)},
      {"\x1b[1;33A", tap(kKeysymUp, kKeyMeta)},
      {"\x1b[3;5~", tap(kKeysymDelete, kKeyControl)},
      {"\x1b[1;2R", tap(kKeysymF1 + 2, kKeyShift)},
      {"\x1b[27;5;9~", tap(kKeysymTab, kKeyControl)},
      {"\x1b[27;6;65~", tap('A', kKeyShift | kKeyControl)},
      // The keyboard protocol, before it is known that releases come
      {"\x1b[97u", tap('a')},
      {"\x1b[97;2u", tap('A', kKeyShift)},
      {"\x1b[97;66u", tap('a', kKeyShift)},  // with caps lock
      {"\x1b[97;65u", tap('A')},
      {"\x1b[50:64;2u", tap('@', kKeyShift)},
      {"\x1b[99;5u", tap('c', kKeyControl)},
      {"\x1b[27u", tap(kKeysymEscape)},
      {"\x1b[13u", tap(kKeysymReturn)},
      {"\x1b[57376u", tap(kKeysymF1 + 12)},
      {"\x1b[57399u", tap('0')},
      {"\x1b[57414u", tap(kKeysymReturn)},
      {"\x1b[57417u", tap(kKeysymLeft)},
      {"\x1b[57441;2u", tap(kKeysymLeftShift, kKeyShift)},
      {"\x1b[8364u", tap(0x0100'20AC)},
      {"\x1b[97;1:3u", {key('a', 0)}},
      // The pointer
      {"\x1b[<35;10;20M", pointer(0, 10, 20)},
      {"\x1b[<0;1;1M", pointer(kPrimaryButton, 1, 1)},
      {"\x1b[<1;1;1M", pointer(kMiddleButton, 1, 1)},
      {"\x1b[<2;1;1M", pointer(kSecondaryButton, 1, 1)},
      {"\x1b[<16;3;4M", pointer(kPrimaryButton, 3, 4)},  // with Ctrl
      {"\x1b[<32;3;4M", pointer(kPrimaryButton, 3, 4)},
      {"\x1b[<0;3;4m", pointer(0, 3, 4)},
      {"\x1b[<0;-3;4M", pointer(kPrimaryButton, -3, 4)},
      {"\x1b[<64;3;4M", {}},  // the wheel
      {"\x1b[<128;3;4M", {}},
      {"\x1b[M !\"", pointer(kPrimaryButton, 1, 2)},
      {"\x1b[M#!\"", pointer(0, 1, 2)},
      // Answers
      {"\x1b[?0u", told(InputKind::KeyboardProtocol, 0)},
      {"\x1b[?15u", told(InputKind::KeyboardProtocol, 15)},
      {"\x1b[?62;4;22c", told(InputKind::Device, 1)},
      {"\x1b[?62;22c", told(InputKind::Device, 0)},
      {"\x1b[?4c", told(InputKind::Device, 0)},  // the first number is the terminal's class
      {"\x1b[?1016;2$y", told(InputKind::PixelMouse, 1)},
      {"\x1b[?1016;0$y", told(InputKind::PixelMouse, 0)},
      {"\x1b[?1016;4$y", told(InputKind::PixelMouse, 0)},
      {"\x1b[?2026;2$y", {}},
      {"\x1b[6;20;10t", told(InputKind::CellSize, 0, 10, 20)},
      {"\x1b[6;0;10t", {}},
      {"\x1b[6;20;99999t", {}},
      {"\x1b[4;20;10t", {}},
      {"\x1b_Gi=31;OK\x1b\\", told(InputKind::KittyGraphics, 1)},
      {"\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\", told(InputKind::KittyGraphics, 0)},
      {"\x1b_Gi=32;OK\x1b\\", {}},
      {"\x1b]11;rgb:0000/0000/0000\x07", {}},
      {"\x1b]11;rgb:0000/0000/0000\x1b\\", {}},
      {"\x1bP1+r\x1b\\", {}},
      // Nothing known
      {"\x1b[I", {}},
      {"\x1b[200~", {}},
      {"\x1b[57358;1:3x", {}},
      {"\x1b[57500u", {}},
      {"\x1b[12;40R", {}},
      {"\x1b[99999999999999999999~", {}},
      {"\x1b[1114112u", {}},
      {"\x1b[55296u", {}},
      {"\x1b[128u", {}},
      {"\x1b[;;;;;;;;;;;;;;;;;;;;;;;;;A", {}},
      {"\x1b[1:2:3:4:5A", {}},
      {"\x1b[ @", {}},
      {"\x80", {}},
      {"\xff", {}},
      {"\xc0", {}},
      {"\xe0\x80\x80", {}},  // longer than needed
      {"\xed\xa0\x80", {}},  // a surrogate
      {"\xf4\x90\x80\x80", {}},
      {"\xc2\x80", {}},  // a control character
  };
  return table;
}

TEST(TerminalInput, SequencesMeanKeysPointersAndAnswers) {
  for (const Row& row : rows()) {
    TerminalDecoder decoder;
    Events events;
    decoder.feed(bytes_of(row.bytes), events);
    EXPECT_FALSE(decoder.is_waiting()) << testing::PrintToString(row.bytes);
    EXPECT_EQ(events, row.events) << testing::PrintToString(row.bytes);
  }
}

TEST(TerminalInput, PiecesMeanTheSameAsTheWhole) {
  for (const Row& row : rows()) {
    TerminalDecoder decoder;
    Events events;
    for (const char& byte : row.bytes) decoder.feed(bytes_of({&byte, 1}), events);
    EXPECT_EQ(events, row.events) << testing::PrintToString(row.bytes);
  }
}

TEST(TerminalInput, AfterEveryPrefixAndATimeOutTheNextKeyIsItself) {
  for (const Row& row : rows()) {
    for (size_t size = 0; size < row.bytes.size(); size++) {
      TerminalDecoder decoder;
      Events events;
      decoder.feed(bytes_of(row.bytes.substr(0, size)), events);
      if (decoder.is_waiting()) decoder.time_out(events);
      EXPECT_FALSE(decoder.is_waiting());
      events.clear();
      decoder.feed(bytes_of("x"), events);
      EXPECT_EQ(events, tap('x')) << testing::PrintToString(row.bytes.substr(0, size));
    }
  }
}

TEST(TerminalInput, OneAfterTheOtherMeansTheSameAsEachAlone) {
  std::string all;
  Events expected;
  for (const Row& row : rows()) {
    if (row.bytes.starts_with("\x1b[<") || row.bytes.starts_with("\x1b[M")) continue;  // buttons
    all += row.bytes;
    expected.insert(expected.end(), row.events.begin(), row.events.end());
  }
  EXPECT_EQ(decode(all), expected);
}

TEST(TerminalInput, AnEscapeAloneIsTheKey) {
  EXPECT_EQ(decode("\x1b"), tap(kKeysymEscape));
  EXPECT_EQ(decode("\x1b\x1b"), tap(kKeysymEscape, kKeyAlt));
  Events two = tap(kKeysymEscape);
  const Events alt = tap(kKeysymEscape, kKeyAlt);
  two.insert(two.end(), alt.begin(), alt.end());
  EXPECT_EQ(decode("\x1b\x1b\x1b"), two);
}

TEST(TerminalInput, AltAndAKeyThatBeginsSequencesIsThatKey) {
  EXPECT_EQ(decode("\x1b["), tap('[', kKeyAlt));
  EXPECT_EQ(decode("\x1b]"), tap(']', kKeyAlt));
  EXPECT_EQ(decode("\x1b_"), tap('_', kKeyAlt));
  EXPECT_EQ(decode("\x1bO"), tap('O', kKeyAlt | kKeyShift));
  EXPECT_EQ(decode("\x1bP"), tap('P', kKeyAlt | kKeyShift));
}

TEST(TerminalInput, WithTheKeyboardProtocolPressRepeatAndReleaseAreThemselves) {
  EXPECT_EQ(decode("\x1b[97;;97u", true), Events{key('a', kKeyDown)});
  EXPECT_EQ(decode("\x1b[97;1:1u", true), Events{key('a', kKeyDown)});
  EXPECT_EQ(decode("\x1b[97;1:2u", true), Events{key('a', kKeyDown | kKeyRepeat)});
  EXPECT_EQ(decode("\x1b[97;1:3u", true), Events{key('a', 0)});
  EXPECT_EQ(decode("\x1b[97:65;2:3u", true), Events{key('A', kKeyShift)});
  EXPECT_EQ(decode("\x1b[A", true), Events{key(kKeysymUp, kKeyDown)});
  EXPECT_EQ(decode("\x1b[1;1:3A", true), Events{key(kKeysymUp, 0)});
  EXPECT_EQ(decode("\x1b[1;5:2A", true),
            Events{key(kKeysymUp, kKeyDown | kKeyRepeat | kKeyControl)});
  EXPECT_EQ(decode("\x1b[3;1:3~", true), Events{key(kKeysymDelete, 0)});
  EXPECT_EQ(decode("\x1b[57442;5:1u", true),
            Events{key(kKeysymLeftControl, kKeyDown | kKeyControl)});
  // From the answer on, in the same read too.
  const Events both = decode("\x1b[97u\x1b[?15u\x1b[97u");
  EXPECT_EQ(both.size(), 4u);
  // What is pasted comes as it is, and has no releases.
  EXPECT_EQ(decode("a", true), tap('a'));
}

TEST(TerminalInput, ButtonsAreHeldUntilTheirRelease) {
  Events expected;
  for (const Events& part :
       {pointer(1, 5, 5), pointer(1, 6, 5), pointer(5, 6, 5), pointer(4, 7, 5), pointer(0, 7, 5)}) {
    expected.push_back(part[0]);
  }
  EXPECT_EQ(decode("\x1b[<0;5;5M\x1b[<32;6;5M\x1b[<2;6;5M\x1b[<0;7;5m\x1b[<2;7;5m"), expected);
}

TEST(TerminalInput, AMovementWithoutButtonsEndsALostPress) {
  const Events events = decode("\x1b[<0;5;5M\x1b[<35;6;5M");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].buttons, 0u);
}

TEST(TerminalInput, CtrlCIsItselfInTheMiddleOfEverything) {
  for (const char* start : {"", "\x1b[", "\x1b[1;", "\x1b[M", "\x1b[M ", "\x1b[[", "\x1bO",
                            "\x1b_G", "\x1b]0;title", "\x1bP", "\xe2\x82"}) {
    const Events events = decode(std::string(start) + "\x03");
    EXPECT_EQ(events, tap('c', kKeyControl)) << testing::PrintToString(start);
  }
}

TEST(TerminalInput, ASequenceOrStringThatNeverEndsIsGivenUp) {
  TerminalDecoder decoder;
  Events events;
  decoder.feed(bytes_of("\x1b[" + std::string(100'000, '1')), events);
  decoder.feed(bytes_of("A"), events);
  EXPECT_TRUE(events.empty());  // too long to mean anything
  EXPECT_FALSE(decoder.is_waiting());
  decoder.feed(bytes_of("\x1b_" + std::string(kMaxStringBytes, 'G')), events);
  EXPECT_TRUE(decoder.is_waiting());
  EXPECT_TRUE(events.empty());
  decoder.feed(bytes_of("GG"), events);
  EXPECT_EQ(events, tap('G', kKeyShift));
}

TEST(TerminalInput, RandomBytesInRandomPiecesMeanTheSameAndAreBounded) {
  std::mt19937 random(5);
  const std::string_view likely = "\x1b\x1b\x1b[[O?<>;:0123456789$~uMmcytARP_]\\\x07\xc3\xa9\x18";
  for (int round = 0; round < 3000; round++) {
    std::string text;
    const size_t size = random() % 200;
    for (size_t i = 0; i < size; i++) {
      text += random() % 4 == 0 ? static_cast<char>(random()) : likely[random() % likely.size()];
    }
    const bool reports_releases = random() % 2 == 0;
    const Events whole = decode(text, reports_releases);
    EXPECT_LE(whole.size(), 2 * text.size());
    TerminalDecoder decoder;
    Events pieces;
    decoder.feed(bytes_of(reports_releases ? "\x1b[?2u" : "\x1b[?1u"), pieces);
    pieces.clear();
    for (size_t i = 0; i < text.size();) {
      const size_t count = std::min<size_t>(1 + random() % 5, text.size() - i);
      decoder.feed(bytes_of(std::string_view(text).substr(i, count)), pieces);
      i += count;
    }
    if (decoder.is_waiting()) decoder.time_out(pieces);
    EXPECT_FALSE(decoder.is_waiting());
    ASSERT_EQ(pieces, whole) << testing::PrintToString(text);
    for (const TerminalEvent& event : whole) {
      EXPECT_EQ(event.keysym != 0, event.kind == InputKind::Key);
      EXPECT_LT(event.buttons, 8u);
    }
  }
}

}  // namespace
}  // namespace qip
