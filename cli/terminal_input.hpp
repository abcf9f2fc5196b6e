// TerminalDecoder: what a terminal sends, from bytes to keys, pointer positions and answers.
//
// Promises: any bytes in any pieces give the same events as in one piece; nothing waits for ever: a
// sequence that stops is given up by time_out(), one that is too long by itself, and the byte of
// Ctrl-C is Ctrl-C in the middle of everything. What is not understood is dropped, never typed.
// Keys are X11 keysyms. A terminal that has not answered that it tells releases gives a press and a
// release at once.
// Bounds: kMaxSequenceBytes of memory; at most two events for a byte of input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qip {

// X11's numbers (keysymdef.h) of the keys that are no characters.
enum Keysym : uint32_t {
  kKeysymBackSpace = 0xFF08,
  kKeysymTab = 0xFF09,
  kKeysymReturn = 0xFF0D,
  kKeysymPause = 0xFF13,
  kKeysymScrollLock = 0xFF14,
  kKeysymEscape = 0xFF1B,
  kKeysymHome = 0xFF50,
  kKeysymLeft = 0xFF51,
  kKeysymUp = 0xFF52,
  kKeysymRight = 0xFF53,
  kKeysymDown = 0xFF54,
  kKeysymPageUp = 0xFF55,
  kKeysymPageDown = 0xFF56,
  kKeysymEnd = 0xFF57,
  kKeysymBegin = 0xFF58,
  kKeysymPrint = 0xFF61,
  kKeysymInsert = 0xFF63,
  kKeysymMenu = 0xFF67,
  kKeysymNumLock = 0xFF7F,
  kKeysymF1 = 0xFFBE,  // F2 to F35 follow
  kKeysymLeftShift = 0xFFE1,
  kKeysymRightShift = 0xFFE2,
  kKeysymLeftControl = 0xFFE3,
  kKeysymRightControl = 0xFFE4,
  kKeysymCapsLock = 0xFFE5,
  kKeysymLeftMeta = 0xFFE7,
  kKeysymRightMeta = 0xFFE8,
  kKeysymLeftAlt = 0xFFE9,
  kKeysymRightAlt = 0xFFEA,
  kKeysymLeftSuper = 0xFFEB,
  kKeysymRightSuper = 0xFFEC,
  kKeysymLeftHyper = 0xFFED,
  kKeysymRightHyper = 0xFFEE,
  kKeysymLevel3Shift = 0xFE03,
  kKeysymLevel5Shift = 0xFE11,
  kKeysymDelete = 0xFFFF,
};

enum class InputKind : uint8_t {
  Key,
  Pointer,
  // Answers to questions:
  KeyboardProtocol,  // CSI ? u: the terminal has the kitty keyboard protocol; value: its flags
  KittyGraphics,     // value: 1 if the terminal can draw so
  PixelMouse,        // value: 1 if the terminal knows mode 1016
  CellSize,          // in pixels: width and height
  Device,            // primary device attributes; value: 1 if sixel is among them
};

struct TerminalEvent {
  InputKind kind = InputKind::Key;
  uint32_t keysym = 0;
  uint32_t flags = 0;    // of a key: KeyFlags
  uint32_t buttons = 0;  // that are held: PointerButtons
  // Of a pointer, as the terminal counts: cells from 1, or pixels.
  int32_t x = 0;
  int32_t y = 0;
  uint32_t value = 0;
  uint32_t width = 0;
  uint32_t height = 0;

  bool operator==(const TerminalEvent&) const = default;
};

// The bit of the keyboard protocol's flags that says that releases are told.
inline constexpr uint32_t kReportsReleases = 2;
// The number by which an answer about graphics is known.
inline constexpr uint32_t kGraphicsQuestion = 31;
inline constexpr size_t kMaxSequenceBytes = 256;
// A string (OSC, DCS, APC) that goes on for longer is given up.
inline constexpr size_t kMaxStringBytes = 4096;

class TerminalDecoder {
 public:
  // Appends to `events`.
  void feed(std::span<const uint8_t> bytes, std::vector<TerminalEvent>& events);

  // In the middle of something: if nothing comes for a while, call time_out().
  bool is_waiting() const { return state_ != State::Ground; }
  // What came is all there is: an ESC is the key Escape.
  void time_out(std::vector<TerminalEvent>& events);

 private:
  enum class State : uint8_t {
    Ground,
    Character,      // the rest of a UTF-8 sequence
    Escape,         // behind ESC
    Control,        // behind CSI
    Shift3,         // behind SS3
    LinuxFunction,  // behind CSI [: F1 to F5 of the Linux console
    OldMouse,       // behind CSI M: three bytes
    String,         // behind OSC, DCS, APC
    StringEscape,   // behind an ESC in a string: its end, if a backslash follows
  };
  using Events = std::vector<TerminalEvent>;

  void take(uint8_t byte, Events& events);
  void take_ground(uint8_t byte, Events& events);
  void take_character(uint8_t byte, Events& events);
  void take_escape(uint8_t byte, Events& events);
  void take_control(uint8_t byte, Events& events);
  void take_string(uint8_t byte, Events& events);
  void begin(State state);
  void keep(uint8_t byte);
  // Gives up what was begun and takes the byte as if nothing had been.
  void start_again(uint8_t byte, Events& events);
  void end_control(uint8_t final_byte, Events& events);
  void end_string(Events& events);
  void end_old_mouse(Events& events);

  void type_byte(uint8_t byte, uint32_t flags, Events& events);
  void type_key(uint32_t keysym, uint32_t flags, Events& events);
  void report_key(uint32_t keysym, uint32_t flags, uint32_t action, Events& events);
  void report_mouse(uint32_t code, bool is_release, int32_t x, int32_t y, Events& events);
  uint32_t take_alt();

  State state_ = State::Ground;
  bool reports_releases_ = false;  // as the last answer about the keyboard said
  bool is_alt_ = false;            // an ESC stood before
  bool is_over_ = false;           // the sequence is too long to mean anything
  uint8_t opener_ = 0;             // what stood behind the ESC of a string
  uint8_t missing_ = 0;            // continuation bytes of a character
  uint32_t character_ = 0;
  uint32_t least_ = 0;  // the smallest character that needs so many bytes
  uint32_t held_ = 0;   // pointer buttons
  size_t size_ = 0;
  size_t length_ = 0;  // of a string, with what was not kept
  uint8_t kept_[kMaxSequenceBytes] = {};
};

}  // namespace qip
