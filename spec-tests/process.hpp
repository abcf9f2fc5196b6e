// Runs one command as a child process for tests: bytes in, bytes out, exit status, time limit.
//
// Promises: no shell; no deadlock however much either side writes (input and both outputs move in
// one poll loop); the child's whole process group is killed when the time limit passes; every file
// descriptor is closed and the child is reaped before the call returns.
// Assumes: Linux, and that the caller does not rely on SIGPIPE (it is ignored in the test process
// and restored to its default in the child).
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

namespace qip {

struct ProcessResult {
  std::string output;       // everything written to stdout
  std::string error;        // everything written to stderr, or why the command did not start
  int exit_code = -1;       // 0..255; -1 when a signal ended the process or it never started
  int signal = 0;           // the signal that ended the process, else 0
  bool started = false;     // false: the command could not be executed
  bool timed_out = false;   // the time limit passed and the process group was killed
  double seconds = 0;       // wall time from start to end
  long peak_kilobytes = 0;  // largest resident size; never less than that of the test process
};

struct ProcessOptions {
  std::string_view input;  // bytes for stdin, which is closed after the last one
  int timeout_ms = 20000;
  std::string working_directory;               // empty: that of the test process
  std::vector<std::string> extra_environment;  // "NAME=value", before the inherited variables
  int input_delay_ms = 0;                      // how long the child waits for its first input byte
};

namespace process_detail {

inline double now_seconds() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

inline void close_fd(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

struct Pipes {
  int input[2] = {-1, -1};
  int output[2] = {-1, -1};
  int error[2] = {-1, -1};

  bool open() {
    return pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0 &&
           pipe2(error, O_CLOEXEC) == 0;
  }
  ~Pipes() {
    for (int* pair : {input, output, error}) {
      close_fd(pair[0]);
      close_fd(pair[1]);
    }
  }
};

// Starts the command in a process group of its own. Returns 0 or an errno value.
inline int spawn(const std::vector<std::string>& argv, const ProcessOptions& options, Pipes& pipes,
                 pid_t& pid) {
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> variables;
  for (const std::string& variable : options.extra_environment)
    variables.push_back(const_cast<char*>(variable.c_str()));
  for (char** variable = environ; *variable != nullptr; ++variable) variables.push_back(*variable);
  variables.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipes.input[0], 0);
  posix_spawn_file_actions_adddup2(&actions, pipes.output[1], 1);
  posix_spawn_file_actions_adddup2(&actions, pipes.error[1], 2);
  if (!options.working_directory.empty())
    posix_spawn_file_actions_addchdir_np(&actions, options.working_directory.c_str());

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  const int failure =
      posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), variables.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failure;
}

// Appends what can be read now; closes the descriptor at its end.
inline void drain(int& fd, std::string& into) {
  char buffer[65536];
  const ssize_t count = read(fd, buffer, sizeof buffer);
  if (count > 0)
    into.append(buffer, static_cast<size_t>(count));
  else if (count == 0 || (errno != EINTR && errno != EAGAIN))
    close_fd(fd);
}

// Writes what the pipe takes now; closes it after the last byte or when the child stopped reading.
inline void feed(int& fd, std::string_view& rest) {
  const ssize_t count = write(fd, rest.data(), rest.size());
  if (count >= 0)
    rest.remove_prefix(static_cast<size_t>(count));
  else if (errno != EINTR && errno != EAGAIN)
    rest = {};
  if (rest.empty()) close_fd(fd);
}

// Moves bytes until both outputs are closed. Ends at the deadline at the latest.
inline bool pump(Pipes& pipes, const ProcessOptions& options, double start, double deadline,
                 ProcessResult& result) {
  std::string_view rest = options.input;
  const double feed_from = start + options.input_delay_ms / 1000.0;
  while (pipes.output[0] >= 0 || pipes.error[0] >= 0) {
    const double now = now_seconds();
    if (now >= deadline) return false;
    const bool feeding = now >= feed_from;
    if (feeding && rest.empty()) close_fd(pipes.input[1]);
    pollfd polled[3] = {{feeding ? pipes.input[1] : -1, POLLOUT, 0},
                        {pipes.output[0], POLLIN, 0},
                        {pipes.error[0], POLLIN, 0}};
    const double until = feeding || feed_from > deadline ? deadline : feed_from;
    if (poll(polled, 3, static_cast<int>((until - now) * 1000) + 1) < 0 && errno != EINTR)
      return false;
    if (polled[0].revents != 0) feed(pipes.input[1], rest);
    if (polled[1].revents != 0) drain(pipes.output[0], result.output);
    if (polled[2].revents != 0) drain(pipes.error[0], result.error);
  }
  return true;
}

// Waits for the end; kills the group at the deadline (a child may close its outputs and run on).
inline void reap(pid_t pid, double deadline, ProcessResult& result) {
  int status = 0;
  rusage usage{};
  if (result.timed_out) kill(-pid, SIGKILL);
  for (;;) {
    const pid_t ended = wait4(pid, &status, result.timed_out ? 0 : WNOHANG, &usage);
    if (ended == pid) break;
    if (ended < 0 && errno != EINTR) return;
    if (!result.timed_out && now_seconds() >= deadline) {
      result.timed_out = true;
      kill(-pid, SIGKILL);
    } else if (ended == 0) {
      const timespec pause{0, 200000};
      nanosleep(&pause, nullptr);
    }
  }
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  result.peak_kilobytes = usage.ru_maxrss;
}

}  // namespace process_detail

// Runs argv[0] (searched in PATH when it holds no slash) to its end.
inline ProcessResult run_process(const std::vector<std::string>& argv,
                                 const ProcessOptions& options) {
  using namespace process_detail;
  ProcessResult result;
  Pipes pipes;
  if (argv.empty() || !pipes.open()) {
    result.error = "no command or no pipes";
    return result;
  }
  signal(SIGPIPE, SIG_IGN);
  const double start = now_seconds();
  const double deadline = start + options.timeout_ms / 1000.0;
  pid_t pid = 0;
  if (const int failure = spawn(argv, options, pipes, pid); failure != 0) {
    result.error = argv[0] + ": " + strerror(failure);
    return result;
  }
  result.started = true;
  close_fd(pipes.input[0]);
  close_fd(pipes.output[1]);
  close_fd(pipes.error[1]);
  fcntl(pipes.input[1], F_SETFL, O_NONBLOCK);
  result.timed_out = !pump(pipes, options, start, deadline, result);
  reap(pid, deadline, result);
  result.seconds = now_seconds() - start;
  return result;
}

inline ProcessResult run_process(const std::vector<std::string>& argv, std::string_view input = {},
                                 int timeout_ms = 20000) {
  ProcessOptions options;
  options.input = input;
  options.timeout_ms = timeout_ms;
  return run_process(argv, options);
}

// The command under test: the environment variable QIP, else the default build.
inline std::string qip_path() {
  const char* path = getenv("QIP");
  return path != nullptr && *path != '\0' ? path : "build/qip";
}

}  // namespace qip
