// TerminalMode: the terminal taken over for a session and given back whatever happens.
//
// Promises: between enter() and leave() the terminal is raw (but Ctrl-C, Ctrl-Z and Ctrl-\ are
// still signals) and shows its alternate screen; it is as it was after leave(), the destructor, and
// every signal that ends a process in order, SIGABRT included. A signal that ends the session stops
// the component that runs; another one, a second later, ends the process at once. Handlers only do
// what POSIX lets them. Bounds: two fixed buffers for what the handlers write.
// Assumes: one of it in a process, one thread; standard input and output are the terminal.
#pragma once

#include <string>
#include <string_view>

#include "vm/budget.hpp"

namespace qip {

// Standard input and output are terminals that can do more than print lines.
bool has_screen();

class TerminalMode {
 public:
  // `budget`, which outlives this, is interrupted by a signal that ends the session.
  explicit TerminalMode(Budget& budget);
  ~TerminalMode();
  TerminalMode(const TerminalMode&) = delete;
  TerminalMode& operator=(const TerminalMode&) = delete;

  // What went wrong, or nothing.
  std::string enter();
  void leave();
  // After the process was stopped and went on, perhaps with another terminal's settings.
  void enter_again();
  // Stops the process as Ctrl-Z does, with the terminal given back meanwhile.
  void suspend();

  // Sends `on` now and whenever the terminal is entered again; `off` whenever it is left, the last
  // one first.
  void switch_on(std::string_view on, std::string_view off);

  // Sends every `off`, and then `more`, ahead of leave().
  void switch_off(std::string_view more);

  // False: the terminal is gone, or a signal ends the session.
  bool write(std::string_view bytes);

  // Becomes readable when a signal has come. Not owned.
  int signal_fd() const;
  // 0: none has come.
  int ending_signal() const;
  // Each tells once that its signal has come: SIGWINCH, SIGTSTP, SIGCONT.
  bool take_resize();
  bool take_stop();
  bool take_continuation();

 private:
  std::string on_;
  std::string off_;
};

}  // namespace qip
