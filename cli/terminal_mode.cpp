// What the signal handlers need is in static storage; they only write(), tcsetattr(), sigaction(),
// alarm() and raise(), and leave the rest to the session.
#include "cli/terminal_mode.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "host/text.hpp"

namespace qip {
namespace {

// The alternate screen, cleared; no cursor; no wrapping at the right edge.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J";
constexpr std::string_view kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
// Ends whatever sequence or string was cut off, and an update of the screen.
constexpr std::string_view kCutOff = "\x18\x1b\\\x1b[?2026l";

constexpr int kEndingSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr int kOtherSignals[] = {SIGWINCH, SIGTSTP, SIGCONT, SIGALRM};
constexpr unsigned kSecondsToInterruptAgain = 1;

struct LeaveBytes {
  char bytes[512];
  size_t size;
};

// Two, so that a handler never sees one that is being written.
LeaveBytes leave_bytes[2];
std::atomic<int> current_leave;
std::atomic<bool> is_entered;
std::atomic<int> ending;
std::atomic<bool> is_late;  // the session has had time to end
std::atomic<bool> was_resized, was_stopped, was_continued;
std::atomic<Budget*> running_budget;
int signal_pipe[2] = {-1, -1};
termios settings_before;

static_assert(std::atomic<Budget*>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

// A terminal that takes nothing any more must not keep the process.
bool can_write() {
  constexpr int kPatienceMs = 500;
  pollfd output = {STDOUT_FILENO, POLLOUT, 0};
  return poll(&output, 1, kPatienceMs) == 1;
}

// Async-signal-safe.
void send_last(std::string_view bytes) {
  while (!bytes.empty() && can_write()) {
    const ssize_t count = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return;
    if (count > 0) bytes.remove_prefix(static_cast<size_t>(count));
  }
}

// Async-signal-safe. What was typed and not read belongs to nobody: mouse reports above all.
void give_back() {
  if (!is_entered.exchange(false)) return;
  const LeaveBytes& leave = leave_bytes[current_leave];
  send_last({leave.bytes, leave.size});
  tcflush(STDIN_FILENO, TCIFLUSH);
  while (tcsetattr(STDIN_FILENO, TCSANOW, &settings_before) != 0 && errno == EINTR) {
  }
}

void end_as_the_signal_does(int number) {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(number, &action, nullptr);
  raise(number);  // is delivered when the handler returns
}

void wake_session() {
  const char byte = 0;
  if (::write(signal_pipe[1], &byte, 1) < 0) return;  // full: it is awake
}

// The component may have been between two calls, and the session in a write(): both are stopped
// again a little later.
void stop_session() {
  if (Budget* budget = running_budget) budget->interrupt();
  alarm(kSecondsToInterruptAgain);
}

void on_ending_signal(int number) {
  const int saved_errno = errno;
  int none = 0;
  if (ending.compare_exchange_strong(none, number)) {
    stop_session();
    wake_session();
  } else if (is_late) {
    give_back();
    end_as_the_signal_does(number);
  }
  errno = saved_errno;
}

void on_other_signal(int number) {
  const int saved_errno = errno;
  if (number == SIGWINCH) was_resized = true;
  if (number == SIGTSTP) was_stopped = true;
  if (number == SIGCONT) was_continued = true;
  if (number == SIGALRM && ending != 0) {
    is_late = true;
    stop_session();
  }
  wake_session();
  errno = saved_errno;
}

// abort() ends the process when this returns.
void on_abort(int) {
  give_back();
}

// Not SA_RESTART: a write to a terminal that takes nothing ends.
void handle(int number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

void make_raw() {
  termios raw = settings_before;
  raw.c_iflag &=
      ~static_cast<tcflag_t>(BRKINT | ICRNL | IGNCR | INLCR | INPCK | ISTRIP | IXON | PARMRK);
  raw.c_oflag &= ~static_cast<tcflag_t>(OPOST);
  raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | IEXTEN);
  raw.c_lflag |= ISIG;
  raw.c_cflag = (raw.c_cflag & ~static_cast<tcflag_t>(CSIZE | PARENB)) | CS8;
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  while (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0 && errno == EINTR) {
  }
}

void set_leave_bytes(std::string_view off) {
  const int next = 1 - current_leave;
  LeaveBytes& leave = leave_bytes[next];
  leave.size = 0;
  for (const std::string_view part : {kCutOff, off, kLeave}) {
    if (part.size() > sizeof leave.bytes - leave.size) abort();  // a mistake of this program
    memcpy(leave.bytes + leave.size, part.data(), part.size());
    leave.size += part.size();
  }
  current_leave = next;
}

}  // namespace

bool has_screen() {
  const char* terminal = getenv("TERM");
  const bool is_dumb = terminal != nullptr && strcmp(terminal, "dumb") == 0;
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && !is_dumb;
}

TerminalMode::TerminalMode(Budget& budget) {
  running_budget = &budget;
}

TerminalMode::~TerminalMode() {
  leave();
  running_budget = nullptr;
}

std::string TerminalMode::enter() {
  if (tcgetattr(STDIN_FILENO, &settings_before) != 0 ||
      pipe2(signal_pipe, O_NONBLOCK | O_CLOEXEC) != 0) {
    return system_error_text(errno);
  }
  set_leave_bytes("");
  for (const int number : kEndingSignals) {
    struct sigaction before = {};  // nohup and the like: what was ignored stays so
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) handle(number, on_ending_signal);
  }
  for (const int number : kOtherSignals) handle(number, on_other_signal);
  handle(SIGABRT, on_abort);
  is_entered = true;
  make_raw();
  return write(kEnter) ? "" : system_error_text(EIO);
}

void TerminalMode::leave() {
  give_back();
}

void TerminalMode::enter_again() {
  is_entered = true;
  make_raw();
  write(std::string(kEnter) + on_);
}

void TerminalMode::suspend() {
  give_back();
  end_as_the_signal_does(SIGTSTP);
  handle(SIGTSTP, on_other_signal);
  was_continued = false;
  enter_again();
}

void TerminalMode::switch_on(std::string_view on, std::string_view off) {
  on_ += on;
  off_.insert(0, off);
  set_leave_bytes(off_);
  write(on);
}

void TerminalMode::switch_off(std::string_view more) {
  send_last(std::string(kCutOff) + off_ + std::string(more));
}

bool TerminalMode::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (ending != 0) return false;
    const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

int TerminalMode::signal_fd() const {
  return signal_pipe[0];
}

int TerminalMode::ending_signal() const {
  return ending;
}

bool TerminalMode::take_resize() {
  return was_resized.exchange(false);
}

bool TerminalMode::take_stop() {
  return was_stopped.exchange(false);
}

bool TerminalMode::take_continuation() {
  return was_continued.exchange(false);
}

}  // namespace qip
