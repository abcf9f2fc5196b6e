// qip: runs small sealed WebAssembly components. Finds the command and hands over to it.
//
// Promises: exit code 0, or 1 and a message on stderr.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace {

// A closed standard descriptor would be given to the next file that is opened, and messages would
// be written into it. Reading it gives nothing; writing to it fails, as it should.
void occupy_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

std::string without_last_newline(std::string text) {
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of write(), with a message
  const qip::Command* command = argc >= 2 ? qip::find_command(argv[1]) : nullptr;
  if (command == nullptr) return qip::fail_with(without_last_newline(qip::main_usage()));
  qip::Options options;
  const std::string problem = qip::parse_options(*command, argc - 1, argv + 1, options);
  if (!problem.empty()) return qip::fail_with(problem);
  return command->run(*command, options);
}
