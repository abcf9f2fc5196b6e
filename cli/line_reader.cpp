// Two readers: plain, a buffered read(); and editing, by libedit, where stdin and the prompts'
// descriptor are terminals.
#include "cli/line_reader.hpp"

#include <unistd.h>
#include <csignal>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <span>

#include "cli/output.hpp"
#include "host/files.hpp"

#ifdef QIP_EDIT
#include <histedit.h>
#include <termios.h>

#include <clocale>
#include <cstdio>
#endif

namespace qip {
namespace {

void write_prompt(int fd, const std::string& prompt) {
  write_fully(fd, {reinterpret_cast<const uint8_t*>(prompt.data()), prompt.size()});
}

class PlainReader : public LineReader {
 public:
  explicit PlainReader(int prompt_fd) : prompt_fd_(prompt_fd) {}

  std::optional<InputLine> read(const std::string& prompt, size_t limit) override {
    write_prompt(prompt_fd_, prompt);
    InputLine line;
    size_t pending = 0;  // carriage returns that may turn out to end the line
    bool any = false;
    for (char c; next(&c);) {
      any = true;
      if (c == '\n') return line;
      if (c == '\r') {
        pending++;
        continue;
      }
      for (; pending > 0; pending--) append(line, '\r', limit);
      append(line, c, limit);
    }
    if (!any) return std::nullopt;
    return line;
  }

 private:
  static void append(InputLine& line, char c, size_t limit) {
    if (line.text.size() <= limit) line.text += c;
    line.size++;
  }
  // A terminal or pipe may give less than was asked for: what there is is enough.
  bool next(char* c) {
    if (begin_ == end_) {
      ssize_t count;
      do {
        count = ::read(STDIN_FILENO, buffer_, sizeof buffer_);
      } while (count < 0 && errno == EINTR);
      if (count <= 0) return false;
      begin_ = 0;
      end_ = static_cast<size_t>(count);
    }
    *c = buffer_[begin_++];
    return true;
  }

  int prompt_fd_;
  char buffer_[4096];
  size_t begin_ = 0;
  size_t end_ = 0;
};

#ifdef QIP_EDIT

bool ends_line(char c) {
  return c == '\n' || c == '\r';
}

// libedit calls back for the prompt without a pointer of ours, and a signal has none either: there
// is one editor in a process.
const char* prompt_text = "";
termios terminal_before;

char* current_prompt(EditLine*) {
  return const_cast<char*>(prompt_text);
}

constexpr int kEndingSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// Ends the process as the signal would, with the terminal as it was. (libedit goes on reading.)
void leave_editing(int number) {
  tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before);
  if (number == SIGINT) {
    write_fully(STDERR_FILENO, {}, "\n");
    _exit(kInterrupted);
  }
  signal(number, SIG_DFL);
  raise(number);  // is delivered when this handler returns
}

class EditingReader : public LineReader {
 public:
  explicit EditingReader(FILE* prompts) : prompts_(prompts) {
    tcgetattr(STDIN_FILENO, &terminal_before);
    if (setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) setlocale(LC_CTYPE, "C.UTF-8");
    editor_ = el_init("qip", stdin, prompts, stderr);
    history_ = history_init();
    HistEvent event;
    history(history_, &event, H_SETSIZE, kHistoryLines);
    history(history_, &event, H_SETUNIQUE, 1);
    el_set(editor_, EL_PROMPT, current_prompt);
    el_set(editor_, EL_HIST, history, history_);
    el_set(editor_, EL_EDITOR, "emacs");
  }
  ~EditingReader() override {
    el_end(editor_);
    history_end(history_);
  }

  std::optional<InputLine> read(const std::string& prompt, size_t limit) override {
    prompt_text = prompt.c_str();
    struct sigaction ours = {};
    struct sigaction before[std::size(kEndingSignals)];
    ours.sa_handler = leave_editing;
    for (size_t i = 0; i < std::size(before); i++) sigaction(kEndingSignals[i], &ours, &before[i]);
    int count = 0;
    const char* text = el_gets(editor_, &count);
    for (size_t i = 0; i < std::size(before); i++) {
      sigaction(kEndingSignals[i], &before[i], nullptr);
    }
    if (text == nullptr || count <= 0) {
      fputc('\n', prompts_);
      fflush(prompts_);
      return std::nullopt;
    }
    size_t size = static_cast<size_t>(count);
    while (size > 0 && ends_line(text[size - 1])) size--;
    if (size > 0) {
      HistEvent event;
      history(history_, &event, H_ENTER, std::string(text, size).c_str());
    }
    return InputLine{std::string(text, size > limit ? limit + 1 : size), size};
  }

 private:
  static constexpr int kHistoryLines = 100;

  FILE* prompts_;
  EditLine* editor_;
  History* history_;
};

bool can_edit(int prompt_fd) {
  const char* terminal = getenv("TERM");
  return isatty(STDIN_FILENO) == 1 && isatty(prompt_fd) == 1 && terminal != nullptr &&
         *terminal != '\0' && strcmp(terminal, "dumb") != 0;
}

#endif

void leave_at_once(int) {
  _exit(kInterrupted);
}

}  // namespace

std::unique_ptr<LineReader> make_line_reader(int prompt_fd) {
  signal(SIGINT, leave_at_once);
#ifdef QIP_EDIT
  if (can_edit(prompt_fd)) {
    return std::make_unique<EditingReader>(prompt_fd == STDERR_FILENO ? stderr : stdout);
  }
#endif
  return std::make_unique<PlainReader>(prompt_fd);
}

}  // namespace qip
