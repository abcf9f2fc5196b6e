// qip-dev: the development server. `qip dev` runs it; its options are those in the table of
// commands.
//
// Promises: exit code 1 and one line on stderr if it cannot serve; else it serves until SIGINT or
// SIGTERM and ends with exit code 0. SIGHUP reloads.
// Assumes: this thread takes all signals; what they ask for is done outside of handlers.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "cli/commands.hpp"
#include "cli/dev/listener.hpp"
#include "cli/dev/log.hpp"
#include "cli/dev/server.hpp"
#include "cli/output.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

constexpr std::chrono::milliseconds kDefaultResponseTime{500};
constexpr unsigned kFewestWorkers = 2;  // by default
constexpr rlim_t kMostDescriptors = 4'096;
constexpr rlim_t kOtherDescriptors = 128;  // besides connections: files, folders, epoll
constexpr int kWatchIntervalMs = 500;

// A closed standard descriptor would be given to the next file or connection that is opened.
void occupy_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// Makes room for kMostConnections if the system lets it; returns for how many there is room.
unsigned connection_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 100;
  const rlim_t wanted = std::min(limit.rlim_max, kMostDescriptors);
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  // Every connection may send a file of its own.
  const rlim_t room = limit.rlim_cur > kOtherDescriptors ? limit.rlim_cur - kOtherDescriptors : 0;
  return static_cast<unsigned>(std::clamp<rlim_t>(room / 2, 4, kMostConnections));
}

// The signals that the server lives by. Blocked in every thread that is started later.
FileDescriptor open_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int each : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&set, each);
  signal(SIGPIPE, SIG_IGN);
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return FileDescriptor();
  return FileDescriptor(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

ServerOptions server_options(const Options& options) {
  const auto text = [](const char* value) {
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  ServerOptions result;
  result.site.content = options.operands[0];
  result.site.recipes = text(options.recipes_path);
  result.site.forms = text(options.forms_path);
  result.site.components = text(options.components_path);
  result.site.mode = options.mode.value_or(SiteMode::Dev);
  result.site.limits = options.limits;
  if (!options.has_time_limit) result.site.limits.time = kDefaultResponseTime;
  if (result.site.mode == SiteMode::Dev) result.site.limits.call_stack = true;
  result.cache_bytes = options.cache_max_bytes.value_or(kDefaultResponseCacheBytes);
  result.workers =
      options.jobs != 0 ? options.jobs : std::max(thread_count(options), kFewestWorkers);
  result.verbose = options.verbose;
  return result;
}

void log_site(ServerLog& log, const SiteOptions& options, const Site& site) {
  const auto folder = [&](const std::optional<std::string>& given, const char* name) {
    return " from " + escape_controls(given.value_or(options.content + "/" + name));
  };
  log.line("dev: indexed " + number_text(site.path_count()) + " request paths from " +
           escape_controls(options.content));
  if (options.recipes || site.recipe_count() > 0) {
    log.line("dev: loaded " + number_text(site.recipe_count()) + " recipe mime chains" +
             folder(options.recipes, "_recipes"));
  }
  if (options.forms || site.form_count() > 0) {
    log.line("dev: loaded " + number_text(site.form_count()) + " form modules" +
             folder(options.forms, "_forms"));
  }
}

void log_start(ServerLog& log, const Listener& listener) {
  if (!listener.is_loopback) {
    log.line("dev: warning: " + listener.host + " can be reached from other machines");
  }
  log.line("dev: listening on " + listener.url());
  log.line("dev: reload with: kill -HUP " + number_text(static_cast<uint64_t>(getpid())));
}

// Until a signal ends it.
void serve(Server& server, int signals, int wake) {
  pollfd sources[2] = {{signals, POLLIN, 0}, {wake, POLLIN, 0}};
  bool has_more = true;
  for (;;) {
    poll(sources, 2, has_more ? kWatchIntervalMs : -1);
    uint64_t count;
    while (read(wake, &count, sizeof count) > 0) {
    }
    signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == sizeof info) {
      if (info.ssi_signo != SIGHUP) return;
      server.reload();
    }
    has_more = server.watch();
  }
}

int run_server(const Options& options) {
  const FileDescriptor signals = open_signals();
  const FileDescriptor wake(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!signals.is_open() || !wake.is_open()) {
    return fail_with("dev server error: " + system_error_text(errno));
  }
  const unsigned most_connections = connection_limit();
  ServerLog log;
  const ServerOptions server_settings = server_options(options);
  Server server(server_settings, log, wake.number());
  if (const MaybeError error = server.load()) return fail_with(*error);
  Result<Listener, std::string> listener =
      listen_on(options.bind_address, options.port, static_cast<int>(most_connections));
  std::string problem;
  if (listener.ok()) {
    log_site(log, server_settings.site, *server.current()->site);
    const Listener shown{FileDescriptor(), listener.value().host, listener.value().port,
                         listener.value().is_loopback};
    problem = server.start(std::move(listener.value()), most_connections);
    if (problem.empty()) log_start(log, shown);
  } else {
    problem = listener.error();
  }
  if (!problem.empty()) {
    server.stop();
    return fail_with("dev server error: " + problem);
  }
  serve(server, signals.number(), wake.number());
  // A component that does not end is ended with the process.
  if (!server.stop()) _exit(kSuccess);
  return kSuccess;
}

}  // namespace
}  // namespace qip

int main(int argc, char** argv) {
  qip::occupy_standard_descriptors();
  const qip::Command& command = *qip::find_command("dev");
  qip::Options options;
  const std::string problem = qip::parse_options(command, argc, argv, options);
  if (!problem.empty()) return qip::fail_with(problem);
  if (options.operands.size() != 1) return qip::fail_with(qip::usage_line(command));
  return qip::run_server(options);
}
