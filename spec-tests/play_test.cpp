// `qip play` in a terminal: what the screen shows against a replay of the recording, keys and the
// mouse, what the terminal answers, and the terminal as it was, however the session ends.
//
// Assumes: the working directory is the root of the repository.
#include <optional>

#include "cli/test_screen.hpp"
#include "host/component.hpp"
#include "host/event_script.hpp"
#include "host/interactive.hpp"
#include "host/replay.hpp"
#include "spec-tests/component_folder.hpp"
#include "spec-tests/terminal.hpp"

namespace qip {
namespace {

const char kSnake[] = "modules/interactive/snake.wasm";
const char kPaint[] = "modules/interactive/paint.wasm";
constexpr char kLastQuestion[] = "\x1b[c";
constexpr char kLeft[] = "\x1b[?1049l";
constexpr char kCtrlC[] = "\x03";

Strings command(const Strings& more) {
  Strings words = {std::filesystem::absolute(qip_path()).string(), "play"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// --- What a recording replays to -----------------------------------------------------------------

struct Frames : FrameSink {
  MaybeError on_frame(int64_t, std::span<const uint8_t> rgba) override {
    last.assign(rgba.begin(), rgba.end());
    count++;
    return std::nullopt;
  }
  uint32_t pixel(uint32_t x, uint32_t y) const {
    const uint8_t* bytes = &last[(size_t{y} * width + x) * 4];
    return uint32_t{bytes[0]} << 16 | uint32_t{bytes[1]} << 8 | bytes[2];
  }

  std::vector<uint8_t> last;
  uint64_t count = 0;
  uint32_t width = 0, height = 0;
};

EventScript recording(const ComponentFolder& folder) {
  EXPECT_TRUE(folder.has("events.txt"));
  Result<EventScript, std::string> parsed = parse_event_script(folder.get("events.txt"));
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error());
  EventScript script;
  if (parsed.ok()) script = std::move(parsed.value());
  EXPECT_TRUE(script.ticks_recorded);
  const bool has_end = !script.events.empty() && script.events.back().kind == EventKind::End;
  EXPECT_TRUE(has_end);
  if (!has_end) script.events.push_back({.kind = EventKind::End});
  return script;
}

std::vector<Event> events_of(const EventScript& script, EventKind kind) {
  std::vector<Event> events;
  for (const Event& event : script.events) {
    if (event.kind == kind) events.push_back(event);
  }
  return events;
}

Frames replayed(const std::string& path, const EventScript& script, const Uniforms& uniforms = {}) {
  Frames frames;
  std::ifstream file(path, std::ios::binary);
  Result<Component, HostError> component =
      load_component(path, {std::istreambuf_iterator<char>(file), {}});
  EXPECT_TRUE(component.ok());
  TimedBudget budget(RunLimits{});
  budget.resume();
  auto instance = ComponentInstance::create(component.value(), budget);
  EXPECT_TRUE(instance.ok());
  auto session = InteractiveSession::bind(*instance.value(), uniforms);
  budget.pause();
  EXPECT_TRUE(session.ok());
  frames.width = session.value().width();
  frames.height = session.value().height();
  InteractiveLoop loop(session.value(), budget, frames);
  EXPECT_FALSE(replay(loop, script, *instance.value()));
  return frames;
}

// Every pixel of the frame, one to one from the top left corner.
testing::AssertionResult shows(const Screen& screen, const Frames& frames) {
  if (!screen.unknown.empty()) return testing::AssertionFailure() << screen.unknown[0];
  for (uint32_t y = 0; y < frames.height; y++) {
    for (uint32_t x = 0; x < frames.width; x++) {
      const ScreenCell& cell = screen.at(x, y / 2);
      const uint32_t shown = y % 2 == 0 ? cell.upper() : cell.lower();
      if (shown == frames.pixel(x, y)) continue;
      return testing::AssertionFailure() << "pixel " << x << "," << y << " is " << std::hex << shown
                                         << ", wanted " << frames.pixel(x, y);
    }
  }
  return testing::AssertionSuccess();
}

// Until nothing has come for a while.
void settle(Terminal& terminal) {
  for (size_t before = SIZE_MAX; before != terminal.screen().size(); terminal.watch(200)) {
    before = terminal.screen().size();
  }
}

// Waits for the first frame.
testing::AssertionResult has_begun(Terminal& terminal) {
  if (terminal.shows("\x1b[?2026l")) return testing::AssertionSuccess();
  return testing::AssertionFailure() << testing::PrintToString(terminal.screen());
}

// Answers the questions, and waits for the first frame.
testing::AssertionResult has_begun(Terminal& terminal, std::string_view answers) {
  if (!terminal.shows(kLastQuestion)) return testing::AssertionFailure() << "no questions";
  terminal.type(answers);
  return has_begun(terminal);
}

Strings play_and_record(const ComponentFolder& folder, const std::string& module,
                        const Strings& more = {}) {
  Strings words = {module, "--record", folder.path("events.txt")};
  words.insert(words.end(), more.begin(), more.end());
  return command(words);
}

// --- The screen and the recording ----------------------------------------------------------------

TEST(Play, ASnakeDrivenByKeysIsOnTheScreenWhatItsRecordingReplaysTo) {
  const ComponentFolder folder("qip-play");
  Terminal terminal(play_and_record(folder, kSnake, {"?steps_per_second=30&seed=5"}), {288, 144});
  ASSERT_TRUE(has_begun(terminal));
  for (const char* keys : {"\x1b[C", "\x1bOA", "a", "\x1b[1;1B", "d", "p"}) {
    terminal.type(keys);
    terminal.watch(60);
  }
  settle(terminal);
  Screen screen(288, 144);
  screen.apply(terminal.screen());
  terminal.type(kCtrlC);
  EXPECT_EQ(terminal.wait(), 130);
  EXPECT_TRUE(terminal.is_restored());
  const EventScript script = recording(folder);
  const std::vector<Event> keys = events_of(script, EventKind::Key);
  ASSERT_EQ(keys.size(), 12u);  // each goes down and up
  EXPECT_EQ(keys[0].keysym, 0xFF53u);
  EXPECT_EQ(keys[0].flags, kKeyDown);
  EXPECT_EQ(keys[1].flags, 0u);
  EXPECT_GT(script.events.size(), 13u);  // steps between the keys
  const Frames frames = replayed(kSnake, script, {{"steps_per_second", "30"}, {"seed", "5"}});
  EXPECT_GT(frames.count, 5u);
  EXPECT_TRUE(shows(screen, frames));
}

TEST(Play, TheMousePaintsWhereItPoints) {
  const ComponentFolder folder("qip-play");
  Terminal terminal(play_and_record(folder, kPaint), {320, 120});
  ASSERT_TRUE(has_begun(terminal));
  terminal.type("\x1b[<0;101;31M");
  terminal.watch(60);
  terminal.type("\x1b[<32;151;51M\x1b[<32;161;51M");
  terminal.watch(60);
  terminal.type("\x1b[<0;161;51m");
  settle(terminal);
  Screen screen(320, 120);
  screen.apply(terminal.screen());
  terminal.type(kCtrlC);
  EXPECT_EQ(terminal.wait(), 130);
  const EventScript script = recording(folder);
  const std::vector<Event> moves = events_of(script, EventKind::Pointer);
  ASSERT_EQ(moves.size(), 4u);
  // The middle of a cell of two pixels is the upper edge of the second one.
  EXPECT_EQ(moves[0].x, 100);
  EXPECT_EQ(moves[0].y, 61);
  EXPECT_EQ(moves[0].buttons, kPrimaryButton);
  EXPECT_EQ(moves[2].x, 160);
  EXPECT_EQ(moves[2].y, 101);
  EXPECT_EQ(moves[3].buttons, 0u);
  const Frames frames = replayed(kPaint, script);
  EXPECT_EQ(frames.pixel(100, 61), 0u);  // painted black
  EXPECT_EQ(frames.pixel(130, 81), 0xFFFFFFu);
  EXPECT_TRUE(shows(screen, frames));
}

TEST(Play, WhereTheTerminalTellsPixelsTheMousePaintsInPixels) {
  const ComponentFolder folder("qip-play");
  Terminal terminal(play_and_record(folder, kPaint), {320, 120, 3200, 2400});
  ASSERT_TRUE(has_begun(terminal, "\x1b[?1016;2$y\x1b[?62c"));
  ASSERT_TRUE(terminal.shows("\x1b[?1016h"));
  terminal.type("\x1b[<0;1005;605M\x1b[<0;1005;617m");
  settle(terminal);
  terminal.type(kCtrlC);
  EXPECT_EQ(terminal.wait(), 130);
  const std::vector<Event> moves = events_of(recording(folder), EventKind::Pointer);
  ASSERT_EQ(moves.size(), 2u);
  EXPECT_EQ(moves[0].x, 100);
  EXPECT_EQ(moves[0].y, 60);
  EXPECT_EQ(moves[1].y, 61);
  EXPECT_NE(terminal.screen().find("\x1b[?1016l"), std::string::npos);
}

TEST(Play, OutsideOfThePictureTheMouseCountsOnlyWhileAButtonIsHeld) {
  const ComponentFolder folder("qip-play");
  Terminal terminal(play_and_record(folder, kPaint), {340, 120});  // ten columns at each side
  ASSERT_TRUE(has_begun(terminal));
  terminal.type("\x1b[<35;5;10M\x1b[<35;6;10M\x1b[<0;11;1M\x1b[<32;5;1M\x1b[<0;5;1m\x1b[<35;4;1M");
  settle(terminal);
  terminal.type(kCtrlC);
  EXPECT_EQ(terminal.wait(), 130);
  const std::vector<Event> moves = events_of(recording(folder), EventKind::Pointer);
  ASSERT_EQ(moves.size(), 3u);
  EXPECT_EQ(moves[0].x, 0);
  EXPECT_EQ(moves[1].x, -6);
  EXPECT_EQ(moves[2].buttons, 0u);
}

TEST(Play, AfterAResizeThePictureIsDrawnInItsNewPlace) {
  const ComponentFolder folder("qip-play");
  Terminal terminal(play_and_record(folder, kPaint), {100, 30});
  ASSERT_TRUE(has_begun(terminal));
  terminal.forget();
  terminal.resize({320, 120});
  ASSERT_TRUE(has_begun(terminal));
  settle(terminal);
  Screen screen(320, 120);
  screen.apply(terminal.screen());
  EXPECT_EQ(screen.clears, 1u);
  terminal.type(kCtrlC);
  EXPECT_EQ(terminal.wait(), 130);
  const EventScript script = recording(folder);
  EXPECT_EQ(script.events.size(), 2u);  // the first step and the end: a resize is no step
  EXPECT_TRUE(shows(screen, replayed(kPaint, script)));
}

// --- Components for the purpose ------------------------------------------------------------------

std::string interactive(const std::string& key_event, const std::string& tick = "(i64.const 0)",
                        const std::string& more = "") {
  return wat::module("(memory (export \"memory\") 1 1)" + wat::value("render_width_px", 2) +
                     wat::value("render_height_px", 2) + wat::value("output_rgba8_srgb_bytes", 16) +
                     wat::value("output_ptr", 0) + more +
                     "(func (export \"render\") (param i32) (result i32)"
                     "  (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))"
                     "  (i32.store8 (i32.const 3) (i32.const 255)) (i32.const 16))"
                     "(func (export \"tick\") (param $now i64) (result i64) " +
                     tick +
                     ")"
                     "(func $handle_key (export \"key_event\") (param i32 i32 i64) (result i32) " +
                     key_event + ")");
}

TEST(Play, StepsAreNotDroppedAndFramesAreDrawnAtMostSixtyTimesASecond) {
  const ComponentFolder folder("qip-play");
  const std::string module = folder.build(
      "busy", interactive("(i32.const 0)", "(i64.add (local.get $now) (i64.const 1))"));
  Terminal terminal(play_and_record(folder, module));
  ASSERT_TRUE(has_begun(terminal));
  terminal.watch(500);
  terminal.type(kCtrlC);
  EXPECT_EQ(terminal.wait(), 130);
  const EventScript script = recording(folder);
  uint64_t drawn = 0;
  const std::string& bytes = terminal.screen();
  for (size_t at = bytes.find("\x1b[?2026h"); at != std::string::npos;
       at = bytes.find("\x1b[?2026h", at + 1)) {
    drawn++;
  }
  const int64_t length = script.events.back().time;
  EXPECT_GT(script.events.size(), 2 * drawn);
  EXPECT_LE(static_cast<int64_t>(drawn), length / 16 + 1);
  for (size_t i = 1; i + 1 < script.events.size(); i++) {
    ASSERT_LT(script.events[i - 1].time, script.events[i].time);
  }
}

TEST(Play, AnIdleComponentIsNotWokenAndNothingIsWritten) {
  const ComponentFolder folder("qip-play");
  Terminal terminal(play_and_record(folder, kPaint));
  ASSERT_TRUE(has_begun(terminal));
  settle(terminal);
  terminal.forget();
  const auto sleeps = [&] {
    std::ifstream status("/proc/" + std::to_string(terminal.pid()) + "/status");
    const std::string text{std::istreambuf_iterator<char>(status), {}};
    const size_t at = text.find("\nvoluntary_ctxt_switches:");
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + 25));
  };
  const uint64_t before = sleeps();
  EXPECT_GT(before, 0u);
  terminal.watch(500);
  EXPECT_EQ(sleeps(), before);
  EXPECT_EQ(terminal.screen(), "");
  terminal.type(kCtrlC);
  EXPECT_EQ(terminal.wait(), 130);
  EXPECT_EQ(recording(folder).events.size(), 2u);
}

// --- What the terminal has -----------------------------------------------------------------------

TEST(Play, KeysAreHeldWhereTheTerminalTellsReleases) {
  const ComponentFolder folder("qip-play");
  const std::string module = folder.build("keys", interactive("(i32.const 1)"));
  Terminal terminal(play_and_record(folder, module));
  ASSERT_TRUE(has_begun(terminal, "\x1b[?0u\x1b[?62c"));
  ASSERT_TRUE(terminal.shows("\x1b[>15u\x1b[?u"));
  terminal.type("\x1b[?15u\x1b[97;1:1u");
  terminal.watch(50);
  terminal.type("\x1b[97;1:2u");
  terminal.watch(50);
  terminal.type("\x1b[97;1:3u");
  settle(terminal);
  terminal.type("\x1b[99;5u");  // Ctrl-C
  EXPECT_EQ(terminal.wait(), 130);
  EXPECT_TRUE(terminal.is_restored());
  EXPECT_NE(terminal.screen().find("\x1b[<u"), std::string::npos);
  const std::vector<Event> keys = events_of(recording(folder), EventKind::Key);
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_EQ(keys[0].flags, kKeyDown);
  EXPECT_EQ(keys[1].flags, kKeyDown | kKeyRepeat);
  EXPECT_EQ(keys[2].flags, 0u);
  EXPECT_LT(keys[0].time, keys[1].time);
}

TEST(Play, ATerminalThatSaysNothingGetsHalfBlocksAndItsKeyboardIsLeftAlone) {
  Terminal terminal(command({kSnake}));
  ASSERT_TRUE(has_begun(terminal));
  EXPECT_NE(terminal.screen().find("\u2580"), std::string::npos);
  terminal.type(kCtrlC);
  EXPECT_EQ(terminal.wait(), 130);
  EXPECT_EQ(terminal.screen().find("\x1b[>"), std::string::npos);
  EXPECT_EQ(terminal.screen().find("\x1b[<u"), std::string::npos);
}

TEST(Play, GraphicsAreWhatTheTerminalAnswers) {
  struct Case {
    const char* answers;
    const char* drawn;
    const char* not_drawn;
    Strings options = {};
  };
  const std::string image = "\x1b_Ga=T", sixel = "\x1bP0;1q", block = "\u2580";
  for (const Case& row : {
           Case{"\x1b_Gi=31;OK\x1b\\\x1b[?62c", image.c_str(), sixel.c_str()},
           Case{"\x1b_Gi=31;OK\x1b\\\x1b[?62;4c", image.c_str(), sixel.c_str()},
           Case{"\x1b[?62;4c", sixel.c_str(), image.c_str()},
           Case{"\x1b_Gi=31;EINVAL\x1b\\\x1b[?62;4c", sixel.c_str(), image.c_str()},
           Case{"\x1b[?62;22c", block.c_str(), sixel.c_str()},
           Case{"\x1b[?62;4c", block.c_str(), sixel.c_str(), {"--graphics", "blocks"}},
           Case{"\x1b[?62;4c", image.c_str(), sixel.c_str(), {"--graphics=kitty"}},
           Case{"\x1b[?62c", sixel.c_str(), block.c_str(), {"--graphics=sixel"}},
           Case{"\x1b[?62;4c", sixel.c_str(), block.c_str(), {"--graphics=auto"}},
       }) {
    Strings words = {kSnake};
    words.insert(words.end(), row.options.begin(), row.options.end());
    Terminal terminal(command(words));
    ASSERT_TRUE(has_begun(terminal, row.answers));
    EXPECT_NE(terminal.screen().find(row.drawn), std::string::npos) << row.answers;
    EXPECT_EQ(terminal.screen().find(row.not_drawn), std::string::npos) << row.answers;
    terminal.type(kCtrlC);
    EXPECT_EQ(terminal.wait(), 130);
    EXPECT_TRUE(terminal.is_restored());
    if (row.drawn == image) {
      EXPECT_NE(terminal.screen().rfind("\x1b_Ga=d,d=A"), std::string::npos);
    }
  }
}

TEST(Play, AnAnswerThatComesLateChangesTheGraphics) {
  Terminal terminal(command({kSnake}));
  ASSERT_TRUE(has_begun(terminal));
  settle(terminal);
  terminal.forget();
  terminal.type("\x1b[?62;4c");
  EXPECT_TRUE(terminal.shows("\x1bP0;1q"));
  terminal.type(kCtrlC);
  EXPECT_EQ(terminal.wait(), 130);
}

TEST(Play, AnEscapeAloneIsAKey) {
  const ComponentFolder folder("qip-play");
  const std::string module = folder.build("keys", interactive("(i32.const 1)"));
  Terminal terminal(play_and_record(folder, module));
  ASSERT_TRUE(has_begun(terminal));
  terminal.type("\x1b");
  settle(terminal);
  terminal.type(kCtrlC);
  EXPECT_EQ(terminal.wait(), 130);
  const std::vector<Event> keys = events_of(recording(folder), EventKind::Key);
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].keysym, 0xFF1Bu);
}

// --- The end -------------------------------------------------------------------------------------

// The last thing is the main screen with its cursor, and behind it only `after`.
testing::AssertionResult ends_with(const Terminal& terminal, std::string_view after) {
  const std::string& bytes = terminal.screen();
  const size_t left = bytes.rfind(kLeft);
  if (left == std::string::npos) return testing::AssertionFailure() << "never left";
  if (bytes.find("\x1b[?25h") == std::string::npos || bytes.find("\x1b[?7h") == std::string::npos) {
    return testing::AssertionFailure() << "cursor or wrapping is still off";
  }
  const std::string rest = bytes.substr(left + sizeof kLeft - 1);
  if (rest == after) return testing::AssertionSuccess();
  return testing::AssertionFailure() << testing::PrintToString(rest);
}

TEST(Play, AfterATrapTheTerminalIsAsItWasAndThenTheMessageComes) {
  const ComponentFolder folder("qip-play");
  const std::string module = folder.build("trap", interactive("(unreachable)"));
  Terminal terminal(play_and_record(folder, module));
  ASSERT_TRUE(has_begun(terminal));
  terminal.type("x");
  EXPECT_EQ(terminal.wait(), 1);
  EXPECT_TRUE(terminal.is_restored());
  const std::string message =
      terminal.screen().substr(terminal.screen().rfind(kLeft) + sizeof kLeft - 1);
  EXPECT_TRUE(message.starts_with(module + ": key_event() failed: ")) << message;
  EXPECT_TRUE(holds(message, {"unreachable", "handle_key"}));
  EXPECT_EQ(message.find('\n') + 1, message.size()) << message;
  EXPECT_EQ(events_of(recording(folder), EventKind::Key).size(), 2u);  // replays to the trap
}

TEST(Play, EverySignalGivesTheTerminalBackAndKeepsTheRecording) {
  for (const int number : {SIGTERM, SIGHUP, SIGQUIT, SIGINT}) {
    const ComponentFolder folder("qip-play");
    Terminal terminal(play_and_record(folder, kSnake));
    ASSERT_TRUE(has_begun(terminal));
    terminal.type("d");
    terminal.watch(100);
    kill(terminal.pid(), number);
    EXPECT_EQ(terminal.wait(), number == SIGINT ? 130 : -1 - number);
    EXPECT_TRUE(terminal.is_restored()) << number;
    EXPECT_TRUE(ends_with(terminal, "")) << number;
    EXPECT_EQ(events_of(recording(folder), EventKind::Key).size(), 2u);
  }
}

TEST(Play, CtrlBackslashEndsItAsEverywhere) {
  Terminal terminal(command({kSnake}));
  ASSERT_TRUE(has_begun(terminal));
  terminal.type("\x1c");
  EXPECT_EQ(terminal.wait(), -1 - SIGQUIT);
  EXPECT_TRUE(terminal.is_restored());
}

TEST(Play, ASignalStopsAComponentThatDoesNotReturn) {
  const ComponentFolder folder("qip-play");
  const std::string module =
      folder.build("loop", interactive("(loop $again (br $again)) (i32.const 0)"));
  for (const int number : {SIGINT, SIGTERM}) {
    Terminal terminal(play_and_record(folder, module, {"--timeout-ms", "600000"}));
    ASSERT_TRUE(has_begun(terminal));
    terminal.type("x");
    terminal.watch(100);
    if (number == SIGINT)
      terminal.type(kCtrlC);
    else
      kill(terminal.pid(), number);
    EXPECT_EQ(terminal.wait(), number == SIGINT ? 130 : -1 - number);
    EXPECT_TRUE(terminal.is_restored());
    EXPECT_TRUE(ends_with(terminal, ""));
    EXPECT_EQ(recording(folder).events.size(), 2u);  // not the step that never was
  }
}

TEST(Play, AComponentThatTakesTooLongIsStopped) {
  const ComponentFolder folder("qip-play");
  const std::string module =
      folder.build("loop", interactive("(loop $again (br $again)) (i32.const 0)"));
  Terminal terminal(command({module, "--timeout-ms", "100"}));
  ASSERT_TRUE(has_begun(terminal));
  terminal.type("x");
  EXPECT_EQ(terminal.wait(), 1);
  EXPECT_TRUE(terminal.is_restored());
  EXPECT_TRUE(terminal.shows("execution time limit", 100)) << terminal.screen();
}

TEST(Play, AHangUpEndsTheSessionAndKeepsTheRecording) {
  const ComponentFolder folder("qip-play");
  Terminal terminal(play_and_record(folder, kSnake));
  ASSERT_TRUE(has_begun(terminal));
  terminal.type("d");
  terminal.watch(100);
  terminal.hang_up();
  EXPECT_NE(terminal.wait(), -1000);
  EXPECT_EQ(events_of(recording(folder), EventKind::Key).size(), 2u);
}

TEST(Play, CtrlZGivesTheTerminalBackUntilTheSessionGoesOn) {
  const ComponentFolder folder("qip-play");
  const std::string script = "set -m; \"$0\" play " + std::string(kPaint) + " --record " +
                             folder.path("events.txt") +
                             "; stty -a; echo STOPPED; read line; fg >/dev/null; echo CODE $?";
  Terminal terminal({"/bin/bash", "-c", script, std::filesystem::absolute(qip_path()).string()});
  ASSERT_TRUE(has_begun(terminal));
  terminal.type("\x1a");
  ASSERT_TRUE(terminal.shows("STOPPED")) << terminal.screen();
  EXPECT_TRUE(terminal.shows(kLeft, 100));
  EXPECT_TRUE(terminal.is_restored());
  terminal.forget();
  terminal.type("\n");
  ASSERT_TRUE(terminal.shows("\x1b[?1049h")) << terminal.screen();
  EXPECT_TRUE(terminal.shows("\x1b[?1006h"));
  ASSERT_TRUE(has_begun(terminal));  // drawn again
  terminal.type("c");
  settle(terminal);
  terminal.type(kCtrlC);
  EXPECT_TRUE(terminal.shows("CODE 130")) << terminal.screen();
  terminal.wait();
  EXPECT_EQ(events_of(recording(folder), EventKind::Key).size(), 2u);
}

TEST(Play, ATerminalThatTakesNothingMoreDoesNotKeepTheProcess) {
  Terminal terminal(command({"modules/interactive/life.wasm", "?generations_per_second=60"}),
                    {320, 120});
  ASSERT_TRUE(has_begun(terminal));
  usleep(500'000);  // nobody reads: the kernel's buffer fills
  kill(terminal.pid(), SIGTERM);
  char state = 0;
  for (int i = 0; i < 200 && state != 'Z'; i++) {
    usleep(50'000);
    std::ifstream status("/proc/" + std::to_string(terminal.pid()) + "/stat");
    const std::string text{std::istreambuf_iterator<char>(status), {}};
    state = text[text.rfind(')') + 2];
  }
  EXPECT_EQ(state, 'Z');
  EXPECT_EQ(terminal.wait(), -1 - SIGTERM);
  EXPECT_TRUE(terminal.is_restored());
}

TEST(Play, BytesThatNoTerminalSendsAreSurvived) {
  const ComponentFolder folder("qip-play");
  Terminal terminal(play_and_record(folder, kPaint));
  ASSERT_TRUE(has_begun(terminal));
  const std::string_view likely = "\x1b\x1b[[<;;;:?0123456789OMm_P]\\u~c";
  uint32_t random = 1;
  for (int round = 0; round < 100; round++) {
    std::string bytes;
    while (bytes.size() < 256) {
      random = random * 1664525 + 1013904223;
      const char byte = random >> 31 != 0 ? likely[(random >> 16) % likely.size()]
                                          : static_cast<char>(random >> 16);
      // Those that are signals, and Ctrl-C as a key of the keyboard protocol.
      if (byte == 0x03 || byte == 0x1A || byte == 0x1C || byte == 'u') continue;
      bytes += byte;
    }
    terminal.type(bytes);
    terminal.watch(5);
  }
  settle(terminal);
  terminal.type(kCtrlC);
  EXPECT_EQ(terminal.wait(), 130);
  EXPECT_TRUE(terminal.is_restored());
  EXPECT_GT(events_of(recording(folder), EventKind::Key).size(), 1000u);
}

// --- Errors --------------------------------------------------------------------------------------

TEST(Play, WithoutATerminalItSaysSo) {
  const ComponentFolder folder("qip-play");
  const std::string snake = std::filesystem::absolute(kSnake).string();
  EXPECT_TRUE(failed(folder.qip({"play", snake}), {"must be a terminal"}));
  Terminal terminal(command({kSnake}), {}, {"TERM=dumb"});
  EXPECT_EQ(terminal.wait(), 1);
  EXPECT_TRUE(terminal.shows("must be a terminal", 100));
  EXPECT_EQ(terminal.screen().find('\x1b'), std::string::npos);
}

TEST(Play, WhatCannotBePlayedLeavesTheTerminalAlone) {
  const ComponentFolder folder("qip-play");
  struct Case {
    Strings words;
    const char* message;
  };
  for (const Case& row : {
           Case{{"modules/utf8/hello.wasm"}, "to be interactive"},
           Case{{folder.path("none.wasm")}, "no such file"},
           Case{{kSnake, "?speed=1"}, "does not export uniform_set_speed"},
           Case{{kSnake, kPaint}, "Usage: qip play"},
           Case{{kSnake, "--graphics", "ascii"}, "Invalid graphics: ascii"},
           Case{{kSnake, "--record", folder.path("none/events.txt")}, "Error writing recording"},
           Case{{kSnake, "--max-memory", "1"}, "memory"},
       }) {
    Terminal terminal(command(row.words));
    EXPECT_EQ(terminal.wait(), 1) << row.message;
    EXPECT_TRUE(terminal.shows(row.message, 100)) << terminal.screen();
    EXPECT_EQ(terminal.screen().find('\x1b'), std::string::npos) << terminal.screen();
  }
}

TEST(Play, ARecordingReplacesAFileOnlyWhenTheSessionEnds) {
  const ComponentFolder folder("qip-play");
  folder.put("events.txt", "before");
  Terminal terminal(play_and_record(folder, kSnake));
  ASSERT_TRUE(has_begun(terminal));
  EXPECT_EQ(folder.get("events.txt"), "before");
  terminal.type(kCtrlC);
  EXPECT_EQ(terminal.wait(), 130);
  EXPECT_EQ(events_of(recording(folder), EventKind::Tick).size(), 1u);
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    files++;
  }
  EXPECT_EQ(files, 1u);  // nothing temporary is left
}

}  // namespace
}  // namespace qip
