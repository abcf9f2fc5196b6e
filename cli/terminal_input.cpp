// A state machine over bytes. What sequences mean: ECMA-48, xterm's ctlseqs, and the kitty keyboard
// protocol.
#include "cli/terminal_input.hpp"

#include <string_view>

#include "host/event_script.hpp"
#include "host/interactive.hpp"

namespace qip {
namespace {

constexpr uint8_t kBell = 0x07, kCancel = 0x18, kSubstitute = 0x1A, kEscape = 0x1B, kDelete = 0x7F;

// Of the keyboard protocol.
enum KeyAction : uint32_t { kPress = 1, kRepeat = 2, kRelease = 3 };

// --- Parameters of a control sequence ------------------------------------------------------------

constexpr size_t kMaxParameters = 16;
constexpr size_t kMaxParts = 3;
constexpr int32_t kMaxNumber = 10'000'000;  // larger ones stay this

// `CSI prefix 1:2:3;4 intermediate final`. What is left out is 0.
struct Parameters {
  char prefix = 0;
  char intermediate = 0;
  size_t count = 0;
  int32_t numbers[kMaxParameters][kMaxParts] = {};

  int32_t number(size_t i, int32_t if_none) const {
    return numbers[i][0] != 0 ? numbers[i][0] : if_none;
  }
};

bool is_digit(uint8_t byte) {
  return byte >= '0' && byte <= '9';
}

// False: this is no sequence that anyone sends. A minus is a sign only among the coordinates of a
// mouse; elsewhere it is an intermediate byte.
bool parse(std::span<const uint8_t> bytes, Parameters& parameters) {
  if (!bytes.empty() && bytes[0] >= '<' && bytes[0] <= '?') {
    parameters.prefix = static_cast<char>(bytes[0]);
    bytes = bytes.subspan(1);
  }
  size_t part = 0;
  bool is_negative = false;
  const auto end_number = [&] {
    int32_t& number = parameters.numbers[parameters.count][part];
    if (is_negative) number = -number;
    is_negative = false;
  };
  for (const uint8_t byte : bytes) {
    if (byte == ';' || byte == ':') {
      end_number();
      part = byte == ';' ? 0 : part + 1;
      parameters.count += byte == ';';
      if (parameters.count == kMaxParameters || part == kMaxParts) return false;
    } else if (is_digit(byte)) {
      int32_t& number = parameters.numbers[parameters.count][part];
      number = number < kMaxNumber / 10 ? number * 10 + (byte - '0') : kMaxNumber;
    } else if (byte == '-' && parameters.prefix == '<') {
      is_negative = true;
    } else if (byte >= 0x20 && byte <= 0x2F && parameters.intermediate == 0) {
      parameters.intermediate = static_cast<char>(byte);
    } else {
      return false;
    }
  }
  end_number();
  parameters.count++;
  return true;
}

// --- Keys ----------------------------------------------------------------------------------------

struct KeyCode {
  int32_t code;
  uint32_t keysym;
};

template <size_t kCount>
uint32_t find(const KeyCode (&table)[kCount], int32_t code) {
  for (const KeyCode& key : table) {
    if (key.code == code) return key.keysym;
  }
  return 0;
}

// Final bytes of CSI and SS3.
constexpr KeyCode kFinalKeys[] = {
    {'A', kKeysymUp},     {'B', kKeysymDown},   {'C', kKeysymRight},  {'D', kKeysymLeft},
    {'E', kKeysymBegin},  {'F', kKeysymEnd},    {'H', kKeysymHome},   {'P', kKeysymF1},
    {'Q', kKeysymF1 + 1}, {'R', kKeysymF1 + 2}, {'S', kKeysymF1 + 3}, {'Z', kKeysymTab},
};

// Numbers before `~`.
constexpr KeyCode kNumberedKeys[] = {
    {1, kKeysymHome},     {2, kKeysymInsert},   {3, kKeysymDelete},   {4, kKeysymEnd},
    {5, kKeysymPageUp},   {6, kKeysymPageDown}, {7, kKeysymHome},     {8, kKeysymEnd},
    {11, kKeysymF1},      {12, kKeysymF1 + 1},  {13, kKeysymF1 + 2},  {14, kKeysymF1 + 3},
    {15, kKeysymF1 + 4},  {17, kKeysymF1 + 5},  {18, kKeysymF1 + 6},  {19, kKeysymF1 + 7},
    {20, kKeysymF1 + 8},  {21, kKeysymF1 + 9},  {23, kKeysymF1 + 10}, {24, kKeysymF1 + 11},
    {25, kKeysymF1 + 12}, {26, kKeysymF1 + 13}, {28, kKeysymF1 + 14}, {29, kKeysymMenu},
    {31, kKeysymF1 + 16}, {32, kKeysymF1 + 17}, {33, kKeysymF1 + 18}, {34, kKeysymF1 + 19},
};

// Numbers of the keyboard protocol that are no characters. A key of the keypad is what is on it.
constexpr int32_t kFirstPrivate = 57344, kLastPrivate = 63743;
constexpr KeyCode kProtocolKeys[] = {
    {9, kKeysymTab},
    {13, kKeysymReturn},
    {27, kKeysymEscape},
    {127, kKeysymBackSpace},
    {57358, kKeysymCapsLock},
    {57359, kKeysymScrollLock},
    {57360, kKeysymNumLock},
    {57361, kKeysymPrint},
    {57362, kKeysymPause},
    {57363, kKeysymMenu},
    {57409, '.'},
    {57410, '/'},
    {57411, '*'},
    {57412, '-'},
    {57413, '+'},
    {57414, kKeysymReturn},
    {57415, '='},
    {57416, ','},
    {57417, kKeysymLeft},
    {57418, kKeysymRight},
    {57419, kKeysymUp},
    {57420, kKeysymDown},
    {57421, kKeysymPageUp},
    {57422, kKeysymPageDown},
    {57423, kKeysymHome},
    {57424, kKeysymEnd},
    {57425, kKeysymInsert},
    {57426, kKeysymDelete},
    {57427, kKeysymBegin},
    {57441, kKeysymLeftShift},
    {57442, kKeysymLeftControl},
    {57443, kKeysymLeftAlt},
    {57444, kKeysymLeftSuper},
    {57445, kKeysymLeftHyper},
    {57446, kKeysymLeftMeta},
    {57447, kKeysymRightShift},
    {57448, kKeysymRightControl},
    {57449, kKeysymRightAlt},
    {57450, kKeysymRightSuper},
    {57451, kKeysymRightHyper},
    {57452, kKeysymRightMeta},
    {57453, kKeysymLevel3Shift},
    {57454, kKeysymLevel5Shift},
};

constexpr int32_t kCapsLockOn = 64;  // of the protocol's modifiers

// The second parameter of a key, 1 and the modifiers' bits.
int32_t modifier_bits(const Parameters& parameters) {
  const int32_t number = parameters.numbers[1][0];
  return number > 0 ? number - 1 : 0;
}

uint32_t flags_of(int32_t modifiers) {
  constexpr int32_t kShift = 1, kAlt = 2, kControl = 4, kSuper = 8, kMeta = 32;
  return ((modifiers & kShift) != 0 ? kKeyShift : 0u) | ((modifiers & kAlt) != 0 ? kKeyAlt : 0u) |
         ((modifiers & kControl) != 0 ? kKeyControl : 0u) |
         ((modifiers & (kSuper | kMeta)) != 0 ? kKeyMeta : 0u);
}

uint32_t action_of(const Parameters& parameters) {
  const int32_t action = parameters.numbers[1][1];
  return action == kRepeat || action == kRelease ? static_cast<uint32_t>(action) : kPress;
}

bool is_upper(uint32_t character) {
  return character >= 'A' && character <= 'Z';
}

bool is_character(int32_t code) {
  return code >= 0x20 && code <= 0x10FFFF && (code < 0x7F || code > 0x9F) &&
         (code < 0xD800 || code > 0xDFFF);
}

// 0: no key that X11 knows. `shifted` is what the key gives with Shift, or 0.
uint32_t protocol_keysym(int32_t code, int32_t shifted, int32_t modifiers) {
  if (const uint32_t keysym = find(kProtocolKeys, code)) return keysym;
  constexpr int32_t kF13 = 57376, kF35 = 57398, kKeypad0 = 57399, kKeypad9 = 57408;
  if (code >= kF13 && code <= kF35) return kKeysymF1 + 12 + static_cast<uint32_t>(code - kF13);
  if (code >= kKeypad0 && code <= kKeypad9) return '0' + static_cast<uint32_t>(code - kKeypad0);
  if (code >= kFirstPrivate && code <= kLastPrivate) return 0;
  const bool has_shift = (modifiers & 1) != 0;
  const bool is_letter = code >= 'a' && code <= 'z';
  if (is_letter && has_shift != ((modifiers & kCapsLockOn) != 0)) {
    code -= 'a' - 'A';
  } else if (!is_letter && has_shift && is_character(shifted)) {
    code = shifted;
  }
  return is_character(code) ? keysym_of_character(static_cast<uint32_t>(code)) : 0;
}

TerminalEvent answer(InputKind kind, uint32_t value) {
  TerminalEvent event;
  event.kind = kind;
  event.value = value;
  return event;
}

// An answer to a question, if the sequence is one.
bool add_answer(const Parameters& parameters, uint8_t final_byte,
                std::vector<TerminalEvent>& events) {
  const auto& numbers = parameters.numbers;
  if (parameters.prefix == '?' && parameters.intermediate == 0 && final_byte == 'u') {
    events.push_back(answer(InputKind::KeyboardProtocol, static_cast<uint32_t>(numbers[0][0])));
  } else if (parameters.prefix == '?' && parameters.intermediate == 0 && final_byte == 'c') {
    bool has_sixel = false;
    for (size_t i = 1; i < parameters.count; i++) has_sixel |= numbers[i][0] == 4;
    events.push_back(answer(InputKind::Device, has_sixel));
  } else if (parameters.prefix == '?' && parameters.intermediate == '$' && final_byte == 'y') {
    if (numbers[0][0] != 1016) return true;
    const int32_t state = numbers[1][0];  // 1 to 3: known
    events.push_back(answer(InputKind::PixelMouse, state >= 1 && state <= 3));
  } else if (parameters.prefix == 0 && final_byte == 't') {
    constexpr int32_t kMaxCell = 1000;
    const int32_t height = numbers[1][0], width = numbers[2][0];
    if (numbers[0][0] != 6 || width < 1 || height < 1) return true;
    if (width > kMaxCell || height > kMaxCell) return true;
    TerminalEvent event = answer(InputKind::CellSize, 0);
    event.width = static_cast<uint32_t>(width);
    event.height = static_cast<uint32_t>(height);
    events.push_back(event);
  } else {
    return false;
  }
  return true;
}

}  // namespace

// --- Bytes ---------------------------------------------------------------------------------------

void TerminalDecoder::feed(std::span<const uint8_t> bytes, Events& events) {
  for (const uint8_t byte : bytes) take(byte, events);
}

void TerminalDecoder::take(uint8_t byte, Events& events) {
  switch (state_) {
    case State::Ground:
      return take_ground(byte, events);
    case State::Character:
      return take_character(byte, events);
    case State::Escape:
      return take_escape(byte, events);
    case State::Control:
      return take_control(byte, events);
    case State::Shift3:
      if (byte < 0x40 || byte > 0x7E) return start_again(byte, events);
      return end_control(byte, events);
    case State::LinuxFunction:
      state_ = State::Ground;
      if (byte >= 'A' && byte <= 'E')
        type_key(kKeysymF1 + byte - 'A', take_alt(), events);
      else if (byte < 0x20)
        start_again(byte, events);
      return;
    case State::OldMouse:
      if (byte < 0x20) return start_again(byte, events);
      keep(byte);
      if (size_ == 3) end_old_mouse(events);
      return;
    case State::String:
    case State::StringEscape:
      return take_string(byte, events);
  }
}

void TerminalDecoder::begin(State state) {
  state_ = state;
  size_ = 0;
  length_ = 0;
  is_over_ = false;
}

void TerminalDecoder::keep(uint8_t byte) {
  if (size_ == kMaxSequenceBytes) is_over_ = true;
  if (!is_over_) kept_[size_++] = byte;
}

void TerminalDecoder::start_again(uint8_t byte, Events& events) {
  state_ = State::Ground;
  is_alt_ = false;
  take_ground(byte, events);
}

// Whether an ESC stood before, as a flag; it holds for one key.
uint32_t TerminalDecoder::take_alt() {
  const bool was_alt = is_alt_;
  is_alt_ = false;
  return was_alt ? kKeyAlt : 0u;
}

void TerminalDecoder::take_ground(uint8_t byte, Events& events) {
  if (byte == kEscape) return begin(State::Escape);
  if (byte < 0x80) return type_byte(byte, take_alt(), events);
  if (byte < 0xC2 || byte > 0xF4) {  // no first byte of UTF-8
    is_alt_ = false;
    return;
  }
  state_ = State::Character;
  missing_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
  character_ = byte & (0x3Fu >> missing_);
  least_ = byte < 0xE0 ? 0x80 : byte < 0xF0 ? 0x800 : 0x10000;
}

void TerminalDecoder::take_character(uint8_t byte, Events& events) {
  if ((byte & 0xC0) != 0x80) return start_again(byte, events);
  character_ = character_ << 6 | (byte & 0x3F);
  if (--missing_ > 0) return;
  state_ = State::Ground;
  const uint32_t flags = take_alt();
  if (character_ < least_ || !is_character(static_cast<int32_t>(character_))) return;
  type_key(keysym_of_character(character_), flags, events);
}

void TerminalDecoder::take_escape(uint8_t byte, Events& events) {
  switch (byte) {
    case '[':
      return begin(State::Control);
    case 'O':
      return begin(State::Shift3);
    case ']':
    case 'P':
    case '_':
      opener_ = byte;
      return begin(State::String);
    case kEscape:  // Alt and a key that begins with ESC; but of three, the first is a key
      if (is_alt_) type_key(kKeysymEscape, 0, events);
      is_alt_ = true;
      return;
    default:
      state_ = State::Ground;
      is_alt_ = true;
      return take_ground(byte, events);
  }
}

void TerminalDecoder::take_control(uint8_t byte, Events& events) {
  if (byte < 0x20 || byte >= kDelete) {
    if (byte != kCancel && byte != kSubstitute) return start_again(byte, events);
    state_ = State::Ground;
    is_alt_ = false;
    return;
  }
  if (byte >= 0x40) return end_control(byte, events);
  keep(byte);
}

void TerminalDecoder::take_string(uint8_t byte, Events& events) {
  if (state_ == State::StringEscape) {
    if (byte == '\\') return end_string(events);
    begin(State::Escape);  // the string is given up
    is_alt_ = false;
    return take_escape(byte, events);
  }
  if (byte == kBell) return end_string(events);
  if (byte == kEscape) {
    state_ = State::StringEscape;
  } else if (byte == kCancel || byte == kSubstitute || ++length_ > kMaxStringBytes) {
    state_ = State::Ground;
    is_alt_ = false;
  } else if (byte < 0x20) {
    start_again(byte, events);
  } else {
    keep(byte);
  }
}

void TerminalDecoder::time_out(Events& events) {
  const State state = state_;
  const uint32_t alt = take_alt();
  state_ = State::Ground;
  if (state == State::Escape) return type_key(kKeysymEscape, alt, events);
  // Nothing behind it: the person has pressed Alt and the character.
  const bool is_empty = size_ == 0 && length_ == 0;
  if (state == State::Control && is_empty) return type_byte('[', kKeyAlt, events);
  if (state == State::Shift3) return type_byte('O', kKeyAlt, events);
  if (state == State::String && is_empty) return type_byte(opener_, kKeyAlt, events);
}

// --- Keys ----------------------------------------------------------------------------------------

// A key that comes as a byte, without its release.
void TerminalDecoder::type_byte(uint8_t byte, uint32_t flags, Events& events) {
  switch (byte) {
    case '\t':
      return type_key(kKeysymTab, flags, events);
    case '\r':
    case '\n':
      return type_key(kKeysymReturn, flags, events);
    case 0x08:
    case kDelete:
      return type_key(kKeysymBackSpace, flags, events);
    default:
      break;
  }
  if (byte >= 0x20) return type_key(byte, flags | (is_upper(byte) ? kKeyShift : 0u), events);
  // Ctrl takes bits away: 0 was the space, 1 to 26 were letters, 28 to 31 were \ ] ^ _.
  const uint32_t character = byte == 0 ? ' ' : byte <= 26 ? byte + ('a' - 1u) : byte + 0x40u;
  type_key(character, flags | kKeyControl, events);
}

void TerminalDecoder::type_key(uint32_t keysym, uint32_t flags, Events& events) {
  TerminalEvent event;
  event.keysym = keysym;
  event.flags = flags | kKeyDown;
  events.push_back(event);
  event.flags = flags;
  events.push_back(event);
}

// A key that comes as a sequence.
void TerminalDecoder::report_key(uint32_t keysym, uint32_t flags, uint32_t action, Events& events) {
  if (keysym == 0) return;
  if (!reports_releases_ && action != kRelease) return type_key(keysym, flags, events);
  TerminalEvent event;
  event.keysym = keysym;
  event.flags =
      flags | (action == kRelease ? 0u : kKeyDown) | (action == kRepeat ? kKeyRepeat : 0u);
  events.push_back(event);
}

void TerminalDecoder::end_control(uint8_t final_byte, Events& events) {
  const bool is_shift3 = state_ == State::Shift3;
  const uint32_t alt = take_alt();
  const std::span<const uint8_t> bytes(kept_, is_shift3 ? 0 : size_);
  state_ = State::Ground;
  if (is_over_) return;
  if (bytes.empty() && !is_shift3 && final_byte == 'M') return begin(State::OldMouse);
  if (bytes.empty() && !is_shift3 && final_byte == '[') return begin(State::LinuxFunction);
  Parameters parameters;
  if (!parse(bytes, parameters)) return;
  if (add_answer(parameters, final_byte, events)) {
    if (events.empty() || events.back().kind != InputKind::KeyboardProtocol) return;
    reports_releases_ = (events.back().value & kReportsReleases) != 0;
    return;
  }
  const int32_t first = parameters.numbers[0][0];
  if (parameters.prefix == '<' && (final_byte == 'M' || final_byte == 'm')) {
    return report_mouse(static_cast<uint32_t>(first < 0 ? 0 : first), final_byte == 'm',
                        parameters.numbers[1][0], parameters.numbers[2][0], events);
  }
  if (parameters.prefix != 0 || parameters.intermediate != 0) return;
  const int32_t modifiers = modifier_bits(parameters);
  const uint32_t flags = flags_of(modifiers) | alt;
  const uint32_t action = action_of(parameters);
  if (final_byte == 'u') {
    const uint32_t keysym = protocol_keysym(first, parameters.numbers[0][1], modifiers);
    return report_key(keysym, flags, action, events);
  }
  if (final_byte == '~') {
    if (first != 27) return report_key(find(kNumberedKeys, first), flags, action, events);
    const uint32_t keysym = protocol_keysym(parameters.numbers[2][0], 0, 0);
    return report_key(keysym, flags, kPress, events);  // xterm's modifyOtherKeys
  }
  if (is_shift3 && final_byte == 'M') return report_key(kKeysymReturn, flags, kPress, events);
  if (is_shift3 && final_byte >= 'j' && final_byte <= 'y') {  // the keypad, 64 above
    return report_key(final_byte - 0x40u, flags, kPress, events);
  }
  if (first > 1) return;  // a cursor position, or nothing known
  report_key(find(kFinalKeys, final_byte), flags | (final_byte == 'Z' ? kKeyShift : 0u), action,
             events);
}

// --- The pointer ---------------------------------------------------------------------------------

// xterm's code: bits 0 and 1 the button (3: none), 32 a movement, 64 the wheel, 128 further
// buttons. Those two have no place in a component's mask.
void TerminalDecoder::report_mouse(uint32_t code, bool is_release, int32_t x, int32_t y,
                                   Events& events) {
  constexpr uint32_t kButtons[4] = {kPrimaryButton, kMiddleButton, kSecondaryButton, 0};
  constexpr uint32_t kMovement = 32, kWheel = 64, kFurther = 128;
  if ((code & (kWheel | kFurther)) != 0) return;
  const uint32_t button = kButtons[code & 3];
  if (button == 0) {
    held_ = 0;  // moved with none held: a release may have been lost outside the window
  } else if (is_release && (code & kMovement) == 0) {
    held_ &= ~button;
  } else {
    held_ |= button;
  }
  TerminalEvent event;
  event.kind = InputKind::Pointer;
  event.buttons = held_;
  event.x = x;
  event.y = y;
  events.push_back(event);
}

// The first protocol, from terminals that know no other: each number is a byte, 32 above.
void TerminalDecoder::end_old_mouse(Events& events) {
  state_ = State::Ground;
  is_alt_ = false;
  report_mouse(kept_[0] - 32u, false, kept_[1] - 32, kept_[2] - 32, events);
}

// --- Strings -------------------------------------------------------------------------------------

// Of these, only the answer about graphics was asked for: `_Gi=31;OK`.
void TerminalDecoder::end_string(Events& events) {
  state_ = State::Ground;
  is_alt_ = false;
  if (opener_ != '_' || is_over_) return;
  const std::string_view text(reinterpret_cast<const char*>(kept_), size_);
  constexpr std::string_view kStart = "Gi=31";
  static_assert(kGraphicsQuestion == 31);
  if (!text.starts_with(kStart)) return;
  const size_t semicolon = text.find(';');
  if (semicolon == std::string_view::npos) return;
  events.push_back(answer(InputKind::KittyGraphics, text.substr(semicolon + 1) == "OK"));
}

}  // namespace qip
