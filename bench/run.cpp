// Compares WebAssembly engines, given as command lines, on modules that export bench(i32) -> i32.
//
// Promises: every engine runs the same module with the same argument in the same round, one after
// the other; start-up cancels, because the time is that of a long call less that of a short one;
// ratios are formed within a round and then their median is taken, so a machine that is slower for
// a while slows both sides; results that differ between engines are an error.
// Assumes: an engine prints the result as the last word that is a whole decimal number, on stdout
// or stderr. Bounds: every run ends at --timeout-s; of its output the last 4 KiB are read.
// Exit status: 0 if all runs succeeded and agreed, 1 if not, 2 for a wrong command line.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qip {
namespace {

constexpr const char* kUsage =
    "usage: run --engine NAME=COMMAND [--engine NAME=COMMAND]... [option]... MODULE...\n"
    "\n"
    "COMMAND is split at blanks, without a shell. Replaced in it are {module}, the module's path;\n"
    "{stem}, the path without .wasm; {export}; and {n}, the argument.\n"
    "  --engine NAME=COMMAND  an engine; the first one is the baseline\n"
    "  --baseline NAME        take this engine as the baseline instead\n"
    "  --rounds N             measurements of each engine on each module (5)\n"
    "  --low N, --high N      arguments of the short and of the long call (1, 4)\n"
    "  --export NAME          the function to call (bench)\n"
    "  --time cpu|user|wall   what is measured: user and system time (the default), user time\n"
    "                         alone, or elapsed time\n"
    "  --cpu N                run everything on processor N\n"
    "  --timeout-s N          end a run after this time (60)\n"
    "  --spread               also print the lowest and highest ratio of the rounds\n";

enum class Clock { Cpu, User, Wall };

struct Engine {
  std::string name;
  std::vector<std::string> command;  // words, with the placeholders still in them
};

struct Options {
  std::vector<Engine> engines;
  std::vector<std::string> modules;
  std::string baseline;
  std::string export_name = "bench";
  int rounds = 5;
  int low = 1;
  int high = 4;
  int cpu = -1;  // -1: wherever the system likes
  int timeout_s = 60;
  Clock clock = Clock::Cpu;
  bool spread = false;
};

// One run of one engine.
struct Run {
  double seconds = 0;
  std::optional<uint32_t> result;  // empty: the run failed
  std::string complaint;           // why, for people
};

// What the rounds gave for one engine on one module.
struct Series {
  std::vector<double> seconds_per_round;  // of the kernel, one entry a measurement
  std::vector<double> ratios;             // baseline / this engine; higher is faster
  std::string failure;                    // empty: all runs succeeded
};

// --- Command line --------------------------------------------------------------------------------

[[noreturn]] void usage_error(const char* complaint, const char* detail) {
  std::fprintf(stderr, "run: %s%s\n\n%s", complaint, detail, kUsage);
  std::exit(2);
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (char c : text) {
    if (c != ' ' && c != '\t') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

Engine parse_engine(const char* argument) {
  const char* equals = std::strchr(argument, '=');
  if (equals == nullptr || equals == argument) usage_error("not NAME=COMMAND: ", argument);
  Engine engine{std::string(argument, equals), split_words(equals + 1)};
  if (engine.command.empty()) usage_error("an empty command: ", argument);
  return engine;
}

int parse_number(const char* text, int minimum) {
  char* end = nullptr;
  errno = 0;
  long value = std::strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || value < minimum || value > 1'000'000'000) {
    usage_error("not a number that fits here: ", text);
  }
  return static_cast<int>(value);
}

Clock parse_clock(std::string_view text) {
  if (text == "cpu") return Clock::Cpu;
  if (text == "user") return Clock::User;
  if (text == "wall") return Clock::Wall;
  usage_error("--time is cpu, user or wall, not ", text.data());
}

// Takes the option in `name` and its value; false if there is no such option.
bool set_option(Options& options, std::string_view name, const char* value) {
  if (name == "--engine") {
    options.engines.push_back(parse_engine(value));
  } else if (name == "--baseline") {
    options.baseline = value;
  } else if (name == "--rounds") {
    options.rounds = parse_number(value, 1);
  } else if (name == "--low") {
    options.low = parse_number(value, 0);
  } else if (name == "--high") {
    options.high = parse_number(value, 1);
  } else if (name == "--export") {
    options.export_name = value;
  } else if (name == "--time") {
    options.clock = parse_clock(value);
  } else if (name == "--cpu") {
    options.cpu = parse_number(value, 0);
  } else if (name == "--timeout-s") {
    options.timeout_s = parse_number(value, 1);
  } else {
    return false;
  }
  return true;
}

Options parse_options(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; i++) {
    std::string_view argument = arguments[i];
    if (argument == "--help") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    } else if (argument == "--spread") {
      options.spread = true;
    } else if (argument.substr(0, 2) != "--") {
      options.modules.emplace_back(argument);
    } else if (i + 1 == count) {
      usage_error("no value for ", arguments[i]);
    } else if (set_option(options, argument, arguments[i + 1])) {
      i++;
    } else {
      usage_error("unknown option ", arguments[i]);
    }
  }
  if (options.engines.empty()) usage_error("no engine is given", "");
  if (options.modules.empty()) usage_error("no module is given", "");
  if (options.high <= options.low) usage_error("--high must be greater than --low", "");
  return options;
}

size_t find_baseline(const Options& options) {
  if (options.baseline.empty()) return 0;
  for (size_t i = 0; i < options.engines.size(); i++) {
    if (options.engines[i].name == options.baseline) return i;
  }
  usage_error("no engine is called ", options.baseline.c_str());
}

void pin_to_cpu(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu < CPU_SETSIZE) CPU_SET(static_cast<size_t>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    std::fprintf(stderr, "run: cannot use processor %d: %s\n", cpu, std::strerror(errno));
    std::exit(2);
  }
}

// --- One run -------------------------------------------------------------------------------------

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::vector<std::string> fill_in(const Engine& engine, const std::string& module,
                                 const std::string& export_name, int n) {
  std::vector<std::string> words = engine.command;
  for (std::string& word : words) {
    word = replace_all(word, "{n}", std::to_string(n));
    word = replace_all(word, "{export}", export_name);
    word = replace_all(word, "{stem}", module.substr(0, module.rfind('.')));
    word = replace_all(word, "{module}", module);
  }
  return words;
}

// The last blank-separated word of the text that is a whole decimal number, as an i32's bits:
// engines print an i32 signed or unsigned.
std::optional<uint32_t> last_integer(std::string_view text) {
  std::optional<uint32_t> result;
  for (const std::string& word : split_words(replace_all(std::string(text), "\n", " "))) {
    char* end = nullptr;
    errno = 0;
    long long value = std::strtoll(word.c_str(), &end, 10);
    bool starts_well = word[0] == '-' || std::isdigit(static_cast<unsigned char>(word[0]));
    bool fits = errno == 0 && value >= INT32_MIN && value <= UINT32_MAX;
    if (starts_well && *end == '\0' && fits) result = static_cast<uint32_t>(value);
  }
  return result;
}

// Starts the command with stdin from /dev/null and both outputs in a pipe, whose reading end goes
// to `output`. Does not return in the child.
pid_t start(const std::vector<std::string>& words, int* output) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = fork();
  if (child == 0) {
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0) dup2(null, STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    execvp(arguments[0], arguments.data());
    dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], std::strerror(errno));
    _exit(127);
  }
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
  } else {
    *output = ends[0];
  }
  return child;
}

// Reads until the writers are gone or the time is over; keeps the last 4 KiB. True if they are
// gone.
bool read_tail(int output, int timeout_s, std::string* tail) {
  using std::chrono::milliseconds;
  using std::chrono::steady_clock;
  constexpr size_t kTailBytes = 4096;
  steady_clock::time_point end = steady_clock::now() + std::chrono::seconds(timeout_s);
  for (;;) {
    auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now()).count();
    pollfd ready{output, POLLIN, 0};
    int count =
        poll(&ready, 1, left > 0 ? static_cast<int>(std::min<long long>(left, INT32_MAX)) : 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    char buffer[kTailBytes];
    ssize_t bytes = read(output, buffer, sizeof buffer);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return bytes == 0;
    tail->append(buffer, static_cast<size_t>(bytes));
    if (tail->size() > kTailBytes) tail->erase(0, tail->size() - kTailBytes);
  }
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// "ended with status 3: " or "was killed by signal 11: ", and the last line of what it printed.
std::string failure_text(int status, std::string tail) {
  while (!tail.empty() && tail.back() == '\n') tail.pop_back();
  std::string how = WIFEXITED(status) ? "ended with status " + std::to_string(WEXITSTATUS(status))
                                      : "was killed by signal " + std::to_string(WTERMSIG(status));
  return how + ": " + tail.substr(tail.rfind('\n') + 1);  // npos + 1 is 0
}

Run run_once(const std::vector<std::string>& words, Clock clock, int timeout_s) {
  Run run;
  auto begin = std::chrono::steady_clock::now();
  int output = -1;
  pid_t child = start(words, &output);
  if (child < 0) {
    run.complaint = std::string("cannot start a process: ") + std::strerror(errno);
    return run;
  }
  std::string tail;
  bool ended = read_tail(output, timeout_s, &tail);
  close(output);
  if (!ended) kill(child, SIGKILL);
  int status = 0;
  rusage usage{};
  while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  double user = seconds_of(usage.ru_utime);
  run.seconds = clock == Clock::Wall   ? wall
                : clock == Clock::User ? user
                                       : user + seconds_of(usage.ru_stime);
  if (!ended) {
    run.complaint = "took more than " + std::to_string(timeout_s) + " s";
  } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    run.complaint = failure_text(status, tail);
  } else {
    run.result = last_integer(tail);
    if (!run.result) run.complaint = "printed no integer";
  }
  return run;
}

// --- One module on all engines -------------------------------------------------------------------

class Comparison {
 public:
  Comparison(const Options& options, std::string module, size_t baseline)
      : options_(options),
        module_(std::move(module)),
        baseline_(baseline),
        series_(options.engines.size()) {}

  // The order of the engines turns with every round, so none is always the one after the break.
  void measure() {
    size_t count = options_.engines.size();
    for (int round = 0; round < options_.rounds; round++) {
      std::vector<std::optional<double>> seconds(count);
      for (size_t i = 0; i < count; i++) {
        size_t engine = (i + static_cast<size_t>(round)) % count;
        if (series_[engine].failure.empty()) seconds[engine] = measure_engine(engine);
      }
      record_round(seconds);
    }
  }

  const std::vector<Series>& series() const { return series_; }

 private:
  struct Expected {
    std::optional<uint32_t> low;
    std::optional<uint32_t> high;
  };

  // Seconds for one round of the kernel, or nothing after a failure.
  std::optional<double> measure_engine(size_t engine) {
    Run low = run_with(engine, options_.low, &expected_.low);
    Run high = run_with(engine, options_.high, &expected_.high);
    for (const Run* run : {&low, &high}) {
      if (!run->complaint.empty()) series_[engine].failure = run->complaint;
    }
    if (!series_[engine].failure.empty()) return std::nullopt;
    double difference = high.seconds - low.seconds;
    if (difference <= 0) return std::nullopt;  // lost in noise: this round says nothing
    return difference / (options_.high - options_.low);
  }

  // The first engine that succeeds sets what the others must print.
  Run run_with(size_t engine, int n, std::optional<uint32_t>* expected) {
    Run run = run_once(fill_in(options_.engines[engine], module_, options_.export_name, n),
                       options_.clock, options_.timeout_s);
    if (!run.result) return run;
    if (!*expected) *expected = run.result;
    if (**expected != *run.result) {
      run.complaint = "gives " + std::to_string(static_cast<int32_t>(*run.result)) + " for " +
                      std::to_string(n) + ", others " +
                      std::to_string(static_cast<int32_t>(**expected));
    }
    return run;
  }

  void record_round(const std::vector<std::optional<double>>& seconds) {
    for (size_t i = 0; i < seconds.size(); i++) {
      if (!seconds[i]) continue;
      series_[i].seconds_per_round.push_back(*seconds[i]);
      if (seconds[baseline_]) series_[i].ratios.push_back(*seconds[baseline_] / *seconds[i]);
    }
  }

  const Options& options_;
  std::string module_;
  size_t baseline_;
  Expected expected_;
  std::vector<Series> series_;  // one entry an engine
};

// --- Report --------------------------------------------------------------------------------------

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// crc32 for some/folder/crc32.wasm
std::string kernel_name(const std::string& module) {
  std::string name = module.substr(module.rfind('/') + 1);
  return name.substr(0, name.rfind('.'));
}

__attribute__((format(printf, 1, 2))) std::string text(const char* format, ...) {
  char buffer[128];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

std::string ratio_text(const std::vector<double>& ratios, bool spread) {
  if (ratios.empty()) return "-";
  std::string result = text("%.2f", median(ratios));
  if (spread) {
    auto [lowest, highest] = std::minmax_element(ratios.begin(), ratios.end());
    result += text(" (%.2f-%.2f)", *lowest, *highest);
  }
  return result;
}

void print_row(const std::string& first, const std::vector<std::string>& cells) {
  std::printf("| %-12s |", first.c_str());
  for (const std::string& cell : cells) std::printf(" %18s |", cell.c_str());
  std::printf("\n");
  std::fflush(stdout);
}

class Report {
 public:
  Report(const Options& options, size_t baseline)
      : options_(options), baseline_(baseline), medians_(options.engines.size()) {
    std::vector<std::string> names = {options_.engines[baseline_].name + " ms"};
    for (size_t engine : compared()) names.push_back(options_.engines[engine].name);
    print_row("kernel", names);
    print_row("---", std::vector<std::string>(names.size(), "---:"));
  }

  void add(const std::string& kernel, const std::vector<Series>& series) {
    const std::vector<double>& times = series[baseline_].seconds_per_round;
    std::vector<std::string> cells = {times.empty() ? "-" : text("%.1f", median(times) * 1e3)};
    for (size_t engine : compared()) {
      cells.push_back(ratio_text(series[engine].ratios, options_.spread));
      if (!series[engine].ratios.empty()) {
        medians_[engine].push_back(median(series[engine].ratios));
      }
    }
    print_row(kernel, cells);
    for (size_t i = 0; i < series.size(); i++) {
      std::string who = kernel + ": " + options_.engines[i].name + " ";
      if (!series[i].failure.empty()) {
        complaints_.push_back(who + series[i].failure);
        failed_ = true;
      } else if (series[i].seconds_per_round.empty()) {
        complaints_.push_back(who + "is lost in noise: raise --high");
      }
    }
    kernels_++;
  }

  // A mean over fewer kernels than the table has says so.
  void finish() const {
    std::vector<std::string> cells = {""};
    for (size_t engine : compared()) cells.push_back(mean_text(medians_[engine]));
    print_row("geomean", cells);
    std::printf(
        "\nmilliseconds a round; then speed relative to %s, median of %d, higher is faster\n",
        options_.engines[baseline_].name.c_str(), options_.rounds);
    std::fflush(stdout);
    for (const std::string& line : complaints_) std::fprintf(stderr, "run: %s\n", line.c_str());
  }

  bool failed() const { return failed_; }

 private:
  std::vector<size_t> compared() const {
    std::vector<size_t> engines;
    for (size_t i = 0; i < options_.engines.size(); i++) {
      if (i != baseline_) engines.push_back(i);
    }
    return engines;
  }

  std::string mean_text(const std::vector<double>& ratios) const {
    if (ratios.empty()) return "-";
    double sum = 0;
    for (double ratio : ratios) sum += std::log(ratio);
    std::string result = text("%.2f", std::exp(sum / static_cast<double>(ratios.size())));
    if (ratios.size() != kernels_) result += text(" (of %zu)", ratios.size());
    return result;
  }

  const Options& options_;
  size_t baseline_;
  size_t kernels_ = 0;
  std::vector<std::vector<double>> medians_;  // one list an engine, one entry a kernel
  std::vector<std::string> complaints_;
  bool failed_ = false;
};

int compare(const Options& options) {
  size_t baseline = find_baseline(options);
  if (options.cpu >= 0) pin_to_cpu(options.cpu);
  Report report(options, baseline);
  for (const std::string& module : options.modules) {
    Comparison comparison(options, module, baseline);
    comparison.measure();
    report.add(kernel_name(module), comparison.series());
  }
  report.finish();
  return report.failed() ? 1 : 0;
}

}  // namespace
}  // namespace qip

int main(int count, char** arguments) {
  return qip::compare(qip::parse_options(count, arguments));
}
