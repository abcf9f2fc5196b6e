// qip run: an input through a chain of components, to stdout or a file.
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <optional>
#include <string>

#include "cli/commands.hpp"
#include "cli/modules.hpp"
#include "cli/output.hpp"
#include "host/digest.hpp"
#include "host/files.hpp"
#include "host/image_format.hpp"
#include "host/pipeline.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

bool is_dash(const char* path) {
  return path != nullptr && strcmp(path, "-") == 0;
}

// A little-endian 32-bit item.
uint32_t item_at(std::span<const uint8_t> bytes, size_t index) {
  const uint8_t* item = bytes.data() + 4 * index;
  return static_cast<uint32_t>(item[0]) | static_cast<uint32_t>(item[1]) << 8 |
         static_cast<uint32_t>(item[2]) << 16 | static_cast<uint32_t>(item[3]) << 24;
}

// --- Input ---------------------------------------------------------------------------------------

// Nobody types input for a pipeline: a terminal, like /dev/null, means that there is none.
bool stdin_has_input() {
  struct stat status;
  return fstat(STDIN_FILENO, &status) == 0 && !S_ISCHR(status.st_mode);
}

struct OpenInput {
  PipelineInput input;
  FileDescriptor file;  // what input.fd is, unless it is stdin
};

Result<OpenInput, HostError> open_input(const char* path) {
  OpenInput opened;
  if (path == nullptr || is_dash(path)) {
    if (path != nullptr || stdin_has_input()) opened.input.fd = STDIN_FILENO;
    opened.input.name = "/dev/stdin";
    return opened;
  }
  Result<FileDescriptor, std::string> file = open_for_reading(path);
  if (!file.ok()) return file_error("Error reading input file: " + file.error());
  opened.file = std::move(file.value());
  opened.input.fd = opened.file.number();
  opened.input.name = path;
  return opened;
}

// --- Events --------------------------------------------------------------------------------------

class RunObserver : public PipelineObserver {
 public:
  explicit RunObserver(bool verbose) : verbose_(verbose) {}

  void on_input(std::span<const uint8_t> input) override {
    if (verbose_) log_line("input sha256: " + sha256_text(input));
  }
  void on_output(size_t, const StageOutput& output) override {
    if (!verbose_ || output.size() == 0) return;
    log_line("output sha256: " + sha256_text(output.bytes->get()));
  }
  MaybeError on_result(size_t, uint32_t result) override {
    const std::string line = "Ran: " + number_text(result) + "\n";
    const int error =
        write_fully(STDOUT_FILENO, {reinterpret_cast<const uint8_t*>(line.data()), line.size()});
    if (error == 0) return std::nullopt;
    return file_error("Error writing output: write /dev/stdout: " + system_error_text(error));
  }

 private:
  bool verbose_;
};

void log_items(std::span<const uint8_t> bytes) {
  std::string line = "[";
  for (const uint8_t byte : bytes) {
    if (line.size() > 1) line += ' ';
    line += number_text(byte);
  }
  log_line(line + "]");
  for (size_t i = 0; i < bytes.size() / 4; i++) log_line("u32: " + number_text(item_at(bytes, i)));
}

// --- Output --------------------------------------------------------------------------------------

// Eight hexadecimal digits and a newline for each item, through a buffer of bounded size.
int print_items(std::span<const uint8_t> bytes) {
  constexpr size_t kLineBytes = 9;
  constexpr size_t kLines = 1024;
  std::string lines;
  const size_t count = bytes.size() / 4;
  for (size_t i = 0; i < count; i++) {
    const uint32_t item = item_at(bytes, i);
    const uint8_t digits[4] = {static_cast<uint8_t>(item >> 24), static_cast<uint8_t>(item >> 16),
                               static_cast<uint8_t>(item >> 8), static_cast<uint8_t>(item)};
    lines += hex_text(digits) + "\n";
    if (lines.size() < kLineBytes * kLines && i + 1 < count) continue;
    if (const int code = print(lines)) return code;
    lines.clear();
  }
  return kSuccess;
}

int write_to_stdout(const PipelineOutput& output, bool exact) {
  if (output.output.encoding == Encoding::I32 && !exact) return print_items(output.bytes());
  const bool newline = output.output.encoding == Encoding::Utf8 && !exact;
  const int error = write_fully(STDOUT_FILENO, output.bytes(), newline ? "\n" : "");
  return error == 0 ? kSuccess : fail_to_write(error);
}

// An image file name promises an image. What is wrong with writing `output` there, or nothing.
std::string check_image_name(const char* path, const PipelineOutput& output) {
  const ImageFormat wanted = image_format_of_name(path);
  if (wanted == ImageFormat::None) return "";
  const ImageFormat actual = image_format_of_bytes(output.bytes());
  if (actual == wanted) return "";
  if (actual != ImageFormat::None) {
    return std::string("cannot write ") + image_format_text(actual) + " output as " +
           image_format_text(wanted);
  }
  return std::string("cannot encode non-image output as image (encoding=") +
         encoding_text(output.output.encoding) + ", content_type=\"\")";
}

int write_output(const char* path, const PipelineOutput& output) {
  if (path == nullptr || is_dash(path)) return write_to_stdout(output, path != nullptr);
  std::string failure = check_image_name(path, output);
  if (!failure.empty()) return fail_with(failure);
  failure = write_file(path, output.bytes());
  return failure.empty() ? kSuccess : fail_with("Error writing output file: " + failure);
}

}  // namespace

int run_command(const Command& command, const Options& options) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  if (options.operands.empty()) return fail_with(usage_line(command));

  Result<std::vector<Component>, HostError> components =
      read_components(options.operands, options.verbose);
  if (!components.ok()) return fail_with(components.error().message);
  Result<OpenInput, HostError> input = open_input(options.input_path);
  if (!input.ok()) return fail_with(input.error().message);

  RunObserver observer(options.verbose);
  TimedBudget budget(options.time_limit);
  Result<PipelineOutput, HostError> output =
      run_pipeline(components.value(), input.value().input, budget, observer);
  if (!output.ok()) return fail_with(output.error().message);
  if (options.verbose && output.value().output.encoding == Encoding::I32) {
    log_items(output.value().bytes());
  }
  const int code = write_output(options.output_path, output.value());
  if (options.verbose) {
    const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    log_line("command took " + number_text(static_cast<uint64_t>(taken.count())) + "ms");
  }
  return code;
}

}  // namespace qip
