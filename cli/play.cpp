// qip play: an interactive component live in a terminal.
//
// Promises: steps are those of InteractiveLoop, at strictly increasing milliseconds, so a recording
// replays to the same frames; without an event or a wake-up that is due nothing runs. Frames are
// drawn at most every kFrameMs; a frame that is not drawn was a step all the same. The terminal is
// as it was when anything is printed. Assumes: one thread.
// Bounds: at most kMaxQueued events wait; each call into the component has the whole time limit.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/modules.hpp"
#include "cli/output.hpp"
#include "cli/recorder.hpp"
#include "cli/terminal_input.hpp"
#include "cli/terminal_mode.hpp"
#include "cli/terminal_output.hpp"
#include "host/event_script.hpp"
#include "host/interactive.hpp"
#include "host/replay.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kFrameMs = 16;    // 62 frames a second
constexpr int64_t kEscapeMs = 50;   // an ESC that stands so long alone is the key
constexpr int64_t kAnswerMs = 100;  // how long the terminal may take to answer questions
constexpr size_t kMaxQueued = 4096;

// Every terminal answers the last one. Those that do not know a question are silent.
constexpr std::string_view kQuestions =
    "\x1b[?u"                                     // the keyboard protocol
    "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"  // the graphics protocol
    "\x1b[?1016$p"                                // the mouse in pixels
    "\x1b[16t"                                    // a cell's size
    "\x1b[c";                                     // the device, with sixel
constexpr std::string_view kDeviceQuestion = "\x1b[c";

// Escapes for all keys, with releases and shifted characters.
constexpr std::string_view kKeyboardOn = "\x1b[>15u", kKeyboardOff = "\x1b[<u";
constexpr std::string_view kKeyboardQuestion = "\x1b[?u";
constexpr std::string_view kMouseOn = "\x1b[?1002h\x1b[?1003h\x1b[?1006h";
constexpr std::string_view kMouseOff = "\x1b[?1006l\x1b[?1003l\x1b[?1002l";
constexpr std::string_view kPixelMouseOn = "\x1b[?1016h", kPixelMouseOff = "\x1b[?1016l";
constexpr std::string_view kDeleteImages = "\x1b_Ga=d,d=A,q=2\x1b\\";

// Whose size in bytes no component could give: there is no memory to be had for its frames.
bool is_possible(const InteractiveSession& session) {
  return uint64_t{session.width()} * session.height() <= UINT32_MAX / 4;
}

class Player : public FrameSink {
 public:
  Player(const Options& options, InteractiveSession& session, TimedBudget& budget,
         Recorder& recorder)
      : options_(options),
        session_(session),
        recorder_(recorder),
        loop_(session, budget, *this),
        mode_(budget.budget()),
        painter_(session.width(), session.height()) {}

  // Until the person leaves or something fails: an error that is complete, or nothing.
  MaybeError play();
  // Of a session without an error.
  int exit_code() const;

  MaybeError on_frame(int64_t time, std::span<const uint8_t> rgba) override;

 private:
  MaybeError run();
  MaybeError begin();
  MaybeError turn();
  MaybeError step_if_due();
  MaybeError step(int64_t now);
  void wait(int64_t milliseconds);
  void read_input();
  void take_signals();
  void draw_if_due();

  void take(const TerminalEvent& event);
  void take_key(const TerminalEvent& event);
  void take_pointer(const TerminalEvent& event);
  void take_answer(const TerminalEvent& event);
  void choose_graphics();
  void measure_window();
  void suspend();
  void leave();

  int64_t now() const;
  int64_t time_to_wait() const;
  bool is_over() const { return has_left_ || is_gone_ || mode_.ending_signal() != 0; }

  const Options& options_;
  InteractiveSession& session_;
  Recorder& recorder_;
  InteractiveLoop loop_;
  TerminalMode mode_;
  TerminalPainter painter_;
  TerminalDecoder decoder_;

  Clock::time_point start_ = Clock::now();
  int64_t last_step_ = -1;
  int64_t last_draw_ = -kFrameMs;
  int64_t last_input_ = 0;
  std::unique_ptr<uint8_t[]> frame_;  // the last one
  size_t frame_size_ = 0;
  bool is_undrawn_ = false;
  std::vector<Event> queue_;
  std::vector<TerminalEvent> decoded_;
  std::string bytes_;
  Event pointer_{.kind = EventKind::Pointer, .x = INT32_MIN};  // the last one

  bool has_left_ = false;  // by Ctrl-C that came as a key
  bool is_gone_ = false;   // the terminal
  bool has_kitty_ = false, has_sixel_ = false, has_answered_ = false;
  bool has_keyboard_ = false, has_pixel_mouse_ = false, draws_images_ = false;
  uint32_t told_cell_width_ = 0, told_cell_height_ = 0;
};

// --- Time ----------------------------------------------------------------------------------------

// Milliseconds since the component's first step.
int64_t Player::now() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start_).count();
}

// -1: until something comes.
int64_t Player::time_to_wait() const {
  const int64_t time = now();
  int64_t until = INT64_MAX;
  if (const std::optional<int64_t> wake = loop_.wake()) until = *wake;
  if (!queue_.empty()) until = last_step_ + 1;
  if (is_undrawn_) until = std::min(until, last_draw_ + kFrameMs);
  if (decoder_.is_waiting()) until = std::min(until, last_input_ + kEscapeMs);
  if (until == INT64_MAX) return -1;
  constexpr int64_t kMost = 3'600'000;  // poll() takes an int
  return std::clamp<int64_t>(until - time, 0, kMost);
}

// --- Frames --------------------------------------------------------------------------------------

MaybeError Player::on_frame(int64_t, std::span<const uint8_t> rgba) {
  memcpy(frame_.get(), rgba.data(), std::min(rgba.size(), frame_size_));
  is_undrawn_ = true;
  return std::nullopt;
}

void Player::draw_if_due() {
  if (!is_undrawn_ || is_over() || now() - last_draw_ < kFrameMs) return;
  is_undrawn_ = false;
  last_draw_ = now();
  bytes_.clear();
  painter_.paint({frame_.get(), frame_size_}, bytes_);
  if (!mode_.write(bytes_)) is_gone_ = true;
}

void Player::choose_graphics() {
  Graphics graphics = has_kitty_   ? Graphics::Kitty
                      : has_sixel_ ? Graphics::Sixel
                                   : Graphics::Blocks;
  graphics = options_.graphics.value_or(graphics);
  if (graphics == Graphics::Kitty && !draws_images_) {
    draws_images_ = true;
    mode_.switch_on("", kDeleteImages);
  }
  if (graphics != painter_.graphics()) painter_.set_graphics(graphics);
  is_undrawn_ = last_step_ >= 0;
}

void Player::measure_window() {
  winsize size = {};
  TerminalWindow window;
  window.cell_width = told_cell_width_;
  window.cell_height = told_cell_height_;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    window.columns = size.ws_col;
    window.rows = size.ws_row;
    if (window.cell_width == 0 && size.ws_xpixel >= size.ws_col && size.ws_ypixel >= size.ws_row) {
      window.cell_width = size.ws_xpixel / size.ws_col;
      window.cell_height = size.ws_ypixel / size.ws_row;
    }
  }
  painter_.set_window(window);
  is_undrawn_ = last_step_ >= 0;
}

// --- Input ---------------------------------------------------------------------------------------

void Player::read_input() {
  uint8_t bytes[1024];
  const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
  if (count < 0 && errno == EINTR) return;
  if (count <= 0) {
    is_gone_ = true;
    return;
  }
  last_input_ = now();
  decoder_.feed({bytes, static_cast<size_t>(count)}, decoded_);
}

void Player::take(const TerminalEvent& event) {
  switch (event.kind) {
    case InputKind::Key:
      return take_key(event);
    case InputKind::Pointer:
      return take_pointer(event);
    default:
      return take_answer(event);
  }
}

// Ctrl-C, Ctrl-Z and Ctrl-\ are the person's, also where they come as keys and not as signals.
void Player::take_key(const TerminalEvent& event) {
  const uint32_t modifiers = event.flags & (kKeyControl | kKeyAlt | kKeyMeta);
  const uint32_t letter = event.keysym | 0x20;
  if (modifiers == kKeyControl && (letter == 'c' || letter == 'z' || event.keysym == '\\')) {
    if ((event.flags & kKeyDown) == 0) return;
    if (letter == 'c')
      has_left_ = true;
    else if (letter == 'z')
      suspend();
    else
      raise(SIGQUIT);
    return;
  }
  if (!session_.takes_keys()) return;
  Event key;
  key.kind = EventKind::Key;
  key.keysym = event.keysym;
  key.flags = event.flags;
  queue_.push_back(key);
}

// A movement outside of the picture is of interest only while a button is held.
void Player::take_pointer(const TerminalEvent& event) {
  const TerminalWindow& window = painter_.window();
  const bool in_pixels = has_pixel_mouse_ && window.cell_width > 0;
  const PixelPosition pixel = in_pixels ? painter_.pixel_at((event.x - 0.5) / window.cell_width,
                                                            (event.y - 0.5) / window.cell_height)
                                        : painter_.pixel_at(event.x - 0.5, event.y - 0.5);
  const bool is_inside = pixel.x >= 0 && pixel.y >= 0 &&
                         static_cast<uint32_t>(pixel.x) < session_.width() &&
                         static_cast<uint32_t>(pixel.y) < session_.height();
  if (!is_inside && event.buttons == 0 && pointer_.buttons == 0) return;
  if (pixel.x == pointer_.x && pixel.y == pointer_.y && event.buttons == pointer_.buttons) return;
  pointer_.buttons = event.buttons;
  pointer_.x = pixel.x;
  pointer_.y = pixel.y;
  queue_.push_back(pointer_);
}

void Player::take_answer(const TerminalEvent& event) {
  switch (event.kind) {
    case InputKind::KeyboardProtocol:
      if (has_keyboard_) return;
      has_keyboard_ = true;
      mode_.switch_on(kKeyboardOn, kKeyboardOff);
      mode_.write(kKeyboardQuestion);  // for the decoder: which of the flags it has taken
      return;
    case InputKind::KittyGraphics:
      has_kitty_ = event.value != 0;
      return choose_graphics();
    case InputKind::Device:
      has_answered_ = true;
      has_sixel_ = event.value != 0;
      return choose_graphics();
    case InputKind::CellSize:
      told_cell_width_ = event.width;
      told_cell_height_ = event.height;
      return measure_window();
    case InputKind::PixelMouse:
      if (event.value == 0 || has_pixel_mouse_ || !session_.takes_pointer()) return;
      has_pixel_mouse_ = true;
      return mode_.switch_on(kPixelMouseOn, kPixelMouseOff);
    default:
      return;
  }
}

// --- Signals -------------------------------------------------------------------------------------

// The component's clock stands meanwhile.
void Player::suspend() {
  const Clock::time_point stopped = Clock::now();
  mode_.suspend();
  start_ += Clock::now() - stopped;
  measure_window();
}

void Player::take_signals() {
  uint8_t bytes[64];
  while (read(mode_.signal_fd(), bytes, sizeof bytes) > 0) {
  }
  if (mode_.ending_signal() != 0) return;
  if (mode_.take_stop()) suspend();
  if (mode_.take_continuation()) {
    mode_.enter_again();
    measure_window();
  }
  if (mode_.take_resize()) {
    // The cells may have another size; the answer comes when it comes.
    if (told_cell_width_ != 0) mode_.write("\x1b[16t");
    measure_window();
  }
}

// --- The session ---------------------------------------------------------------------------------

// Returns when something has come, or after so many milliseconds; -1: no limit.
void Player::wait(int64_t milliseconds) {
  // What waits has to be taken first.
  const bool takes_more = queue_.size() < kMaxQueued;
  pollfd polled[2] = {{mode_.signal_fd(), POLLIN, 0}, {takes_more ? STDIN_FILENO : -1, POLLIN, 0}};
  if (poll(polled, 2, static_cast<int>(milliseconds)) < 0) return;  // a signal: the pipe tells
  if (polled[0].revents != 0) take_signals();
  if (is_over()) return;
  if (polled[1].revents != 0) {
    read_input();
  } else if (decoder_.is_waiting() && now() - last_input_ >= kEscapeMs) {
    decoder_.time_out(decoded_);
  }
  for (const TerminalEvent& event : decoded_) take(event);
  decoded_.clear();
}

MaybeError Player::step(int64_t now) {
  last_step_ = now;
  MaybeError failure = loop_.step(now, queue_);
  // A step that a signal cut short has no frame to compare with.
  if (failure && is_over()) return std::nullopt;
  std::string problem = recorder_.add(now, queue_);
  queue_.clear();
  if (!failure && !problem.empty()) return file_error(std::move(problem));
  return failure;
}

MaybeError Player::step_if_due() {
  const int64_t time = now();
  const std::optional<int64_t> wake = loop_.wake();
  const bool is_due = !queue_.empty() || (wake && *wake <= time);
  return is_due && time > last_step_ ? step(time) : std::nullopt;
}

MaybeError Player::turn() {
  wait(time_to_wait());
  if (is_over()) return std::nullopt;
  if (MaybeError failure = step_if_due()) return failure;
  draw_if_due();
  return std::nullopt;
}

// Waits for the terminal's answers. What is typed meanwhile is for the second step.
MaybeError Player::begin() {
  measure_window();
  if (session_.takes_pointer()) mode_.switch_on(kMouseOn, kMouseOff);
  mode_.write(kQuestions);
  while (!has_answered_ && !is_over() && now() < kAnswerMs) wait(kAnswerMs - now());
  choose_graphics();
  if (is_over()) return std::nullopt;
  std::vector<Event> typed;
  typed.swap(queue_);
  start_ = Clock::now();
  last_input_ = 0;
  MaybeError failure = step(0);
  typed.swap(queue_);
  draw_if_due();
  return failure;
}

MaybeError Player::run() {
  if (MaybeError failure = begin()) return failure;
  while (!is_over()) {
    if (MaybeError failure = turn()) return failure;
  }
  return std::nullopt;
}

// What the terminal has sent before it learned that nobody wants it any more would be typed into
// the shell: it is read away, up to the answer of a last question.
void Player::leave() {
  if (has_answered_ && !is_gone_ && mode_.ending_signal() != SIGHUP) {
    mode_.switch_off(kDeviceQuestion);
    const int64_t end = now() + kAnswerMs;
    has_answered_ = false;
    while (!has_answered_ && !is_gone_ && now() < end) {
      pollfd input = {STDIN_FILENO, POLLIN, 0};
      if (poll(&input, 1, static_cast<int>(end - now())) <= 0) continue;
      read_input();
      for (const TerminalEvent& event : decoded_) has_answered_ |= event.kind == InputKind::Device;
      decoded_.clear();
    }
  }
  mode_.leave();
}

MaybeError Player::play() {
  frame_size_ = is_possible(session_) ? size_t{session_.width()} * session_.height() * 4 : 1;
  frame_.reset(new (std::nothrow) uint8_t[frame_size_]());
  if (frame_ == nullptr) return file_error("qip play: no memory for a frame");
  const std::string problem = mode_.enter();
  if (!problem.empty()) return file_error("qip play: the terminal fails: " + problem);
  MaybeError failure = run();
  leave();
  std::string unsaved = recorder_.end(std::max<int64_t>(last_step_, 0));
  if (!failure && !unsaved.empty()) failure = file_error(std::move(unsaved));
  return failure;
}

// As the signal would have it, for the shell.
int Player::exit_code() const {
  const int number = mode_.ending_signal();
  if (number == SIGINT || has_left_) return kInterrupted;
  if (number != 0) {
    signal(number, SIG_DFL);
    raise(number);
  }
  return kFailure;  // the terminal is gone, and nobody reads why
}

Result<int, HostError> play_component(const Stage& stage, const Options& options) {
  if (MaybeError failure = check_uniforms(stage.component, stage.uniforms)) {
    return std::move(*failure);
  }
  TimedBudget budget(options.limits);
  budget.resume();
  Result<std::unique_ptr<ComponentInstance>, HostError> instance =
      ComponentInstance::create(stage.component, budget);
  if (!instance.ok()) return std::move(instance.error());
  Result<InteractiveSession, HostError> session =
      InteractiveSession::bind(*instance.value(), stage.uniforms);
  if (!session.ok()) return std::move(session.error());
  budget.pause();
  Recorder recorder;
  if (options.record_path != nullptr) {
    std::string problem = recorder.begin(options.record_path);
    if (!problem.empty()) return file_error(std::move(problem));
  }
  Player player(options, session.value(), budget, recorder);
  if (MaybeError failure = player.play()) return std::move(*failure);
  return player.exit_code();
}

}  // namespace

int play_command(const Command& command, const Options& options) {
  Result<std::vector<ComponentArgument>, std::string> arguments =
      component_arguments(command, options);
  if (!arguments.ok()) return fail_with(arguments.error());
  if (arguments.value().size() != 1) return fail_with(usage_line(command));
  if (!has_screen()) {
    return fail_with("qip play: standard input and output must be a terminal with a screen");
  }
  Result<std::vector<Stage>, HostError> stages = read_stages(std::move(arguments.value()), options);
  if (!stages.ok()) return fail_with(stages.error());
  const Result<int, HostError> code = play_component(stages.value()[0], options);
  return code.ok() ? code.value() : fail_with(code.error());
}

}  // namespace qip
