// A pseudo-terminal with a program in it, for tests: what a person types and sees.
//
// Promises: the program is the leader of a session whose controlling terminal this is, so Ctrl-C
// and hang-ups reach it; everything it prints is kept; a wait ends at its time limit; the program
// is killed and reaped at the end.
// Assumes: Linux.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

namespace qip {

struct TerminalSize {
  unsigned short columns = 80;
  unsigned short rows = 24;
  unsigned short width = 0;  // pixels; 0: unknown
  unsigned short height = 0;
};

class Terminal {
 public:
  using Strings = std::vector<std::string>;

  explicit Terminal(const Strings& command, const TerminalSize& size = {},
                    const Strings& environment = {}) {
    master_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    EXPECT_GE(master_, 0);
    EXPECT_EQ(grantpt(master_), 0);
    EXPECT_EQ(unlockpt(master_), 0);
    resize(size);
    // Open on this side too, so that its settings can be read when the program is gone.
    slave_ = open(ptsname(master_), O_RDWR | O_NOCTTY | O_CLOEXEC);
    EXPECT_GE(slave_, 0);
    EXPECT_EQ(tcgetattr(slave_, &before_), 0);
    start(command, environment);
  }
  ~Terminal() {
    if (pid_ > 0 && !is_reaped_) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    if (slave_ >= 0) close(slave_);
    if (master_ >= 0) close(master_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& screen() const { return output_; }
  void forget() { output_.clear(); }

  void type(std::string_view keys) {
    EXPECT_EQ(write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  void resize(const TerminalSize& size) {
    winsize window{};
    window.ws_col = size.columns;
    window.ws_row = size.rows;
    window.ws_xpixel = size.width;
    window.ws_ypixel = size.height;
    EXPECT_EQ(ioctl(master_, TIOCSWINSZ, &window), 0);
  }
  // Reads until `text` has been printed since the last forget().
  bool shows(std::string_view text, int timeout_ms = 10000) {
    const double end = now() + timeout_ms / 1e3;
    while (output_.find(text) == std::string::npos) {
      if (!read_some(end - now())) return output_.find(text) != std::string::npos;
    }
    return true;
  }
  // Reads whatever comes for so long.
  void watch(int milliseconds) {
    const double end = now() + milliseconds / 1e3;
    while (now() < end && read_some(end - now())) {
    }
  }
  // Waits for the program's end. Its exit code; -1 - signal if a signal ended it; -1000: it runs
  // on.
  int wait(int timeout_ms = 10000) {
    const double end = now() + timeout_ms / 1e3;
    while (!is_reaped_) {
      int status = 0;
      if (waitpid(pid_, &status, WNOHANG) == pid_) {
        is_reaped_ = true;
        watch(50);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1 - WTERMSIG(status);
      }
      if (now() > end) return -1000;
      watch(10);
    }
    return -1000;
  }
  // The terminal is set as it was before the program began.
  testing::AssertionResult is_restored() const {
    termios after;
    if (tcgetattr(slave_, &after) != 0) return testing::AssertionFailure() << strerror(errno);
    if (after.c_iflag == before_.c_iflag && after.c_oflag == before_.c_oflag &&
        after.c_lflag == before_.c_lflag && after.c_cflag == before_.c_cflag &&
        memcmp(after.c_cc, before_.c_cc, sizeof after.c_cc) == 0) {
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << "lflag " << before_.c_lflag << " -> " << after.c_lflag
                                       << ", iflag " << before_.c_iflag << " -> " << after.c_iflag
                                       << ", oflag " << before_.c_oflag << " -> " << after.c_oflag;
  }
  // The other end goes away, as when a window is closed.
  void hang_up() {
    close(slave_);
    close(master_);
    slave_ = master_ = -1;
  }

 private:
  static double now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  }

  void start(const Strings& command, const Strings& environment) {
    std::vector<char*> arguments;
    for (const std::string& item : command) arguments.push_back(const_cast<char*>(item.c_str()));
    arguments.push_back(nullptr);
    const std::string name = ptsname(master_);
    pid_ = fork();
    if (pid_ != 0) return;
    setsid();
    const int terminal = open(name.c_str(), O_RDWR);  // becomes the controlling one
    for (int fd = 0; fd < 3; fd++) dup2(terminal, fd);
    if (terminal > 2) close(terminal);
    unsetenv("NO_COLOR");
    setenv("TERM", "xterm-256color", 1);
    for (const std::string& item : environment) putenv(const_cast<char*>(item.c_str()));
    signal(SIGPIPE, SIG_DFL);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  // False: nothing came in that time, or nothing can come any more.
  bool read_some(double seconds) {
    if (master_ < 0 || seconds <= 0) return false;
    pollfd poller = {master_, POLLIN, 0};
    if (poll(&poller, 1, static_cast<int>(seconds * 1e3) + 1) <= 0) return false;
    char buffer[65536];
    const ssize_t count = read(master_, buffer, sizeof buffer);
    if (count <= 0) return false;
    output_.append(buffer, static_cast<size_t>(count));
    return true;
  }

  int master_ = -1;
  int slave_ = -1;
  pid_t pid_ = -1;
  bool is_reaped_ = false;
  termios before_{};
  std::string output_;
};

}  // namespace qip
