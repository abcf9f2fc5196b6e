// qip run: an input through a chain of components, to stdout or a file.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>

#include "cli/commands.hpp"
#include "cli/modules.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/run_interactive.hpp"
#include "host/cached_run.hpp"
#include "host/detection.hpp"
#include "host/digest.hpp"
#include "host/files.hpp"
#include "host/image_output.hpp"
#include "host/pipeline.hpp"
#include "host/result_cache.hpp"
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
  void on_image(size_t, const Image& image) override {
    if (verbose_) log_line("output sha256: " + sha256_text(encode_bmp(image)));
  }
  MaybeError on_result(size_t, uint32_t result) override {
    const std::string line = ran_line(result);
    printed_ += line;
    const int error =
        write_fully(STDOUT_FILENO, {reinterpret_cast<const uint8_t*>(line.data()), line.size()});
    if (error == 0) return std::nullopt;
    return file_error("Error writing output: write /dev/stdout: " + system_error_text(error));
  }
  // What was written to stdout so far.
  const std::string& printed() const { return printed_; }

 private:
  bool verbose_;
  std::string printed_;
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

// Through a buffer of bounded size.
int print_items(std::span<const uint8_t> bytes) {
  constexpr size_t kBytesAtOnce = 4096;
  while (!bytes.empty()) {
    const std::span<const uint8_t> some = bytes.first(std::min(bytes.size(), kBytesAtOnce));
    if (const int code = print(item_lines(some))) return code;
    bytes = bytes.subspan(some.size());
  }
  return kSuccess;
}

int write_to_stdout(const FinalOutput& output, bool exact) {
  if (output.encoding == Encoding::I32 && !exact) return print_items(output.bytes);
  const bool newline = output.encoding == Encoding::Utf8 && !exact;
  const int error = write_fully(STDOUT_FILENO, output.bytes, newline ? "\n" : "");
  return error == 0 ? kSuccess : fail_to_write(error);
}

int write_output(const Options& options, const FinalOutput& output) {
  if (options.verbose && output.encoding == Encoding::I32) log_items(output.bytes);
  const char* path = options.output_path;
  if (path == nullptr || is_dash(path)) return write_to_stdout(output, path != nullptr);
  std::vector<uint8_t> storage;
  const Result<std::span<const uint8_t>, std::string> bytes = bytes_for_file(path, output, storage);
  if (!bytes.ok()) return fail_with(bytes.error());
  const std::string failure = write_file(path, bytes.value());
  return failure.empty() ? kSuccess : fail_with("Error writing output file: " + failure);
}

// --- Runs ----------------------------------------------------------------------------------------

// In a longer chain the same component is Content.
bool is_interactive(const std::vector<Stage>& stages) {
  return stages.size() == 1 &&
         detect_contract(stages[0].component.module()).kind == ContractKind::Interactive;
}

int show_frames(const Options& options, const Stage& stage, const PipelineInput& input) {
  const Result<std::optional<Image>, HostError> shown = run_interactive(options, stage, input);
  if (!shown.ok()) return fail_with(shown.error());
  if (!shown.value()) return kSuccess;
  const Image& frame = *shown.value();
  const bool wants_bytes = options.output_path == nullptr || is_dash(options.output_path);
  std::vector<uint8_t> bmp;
  if (wants_bytes || options.verbose) bmp = encode_bmp(frame);
  if (options.verbose) log_line("output sha256: " + sha256_text(bmp));
  return write_output(options, {Encoding::Raw, "image/bmp", bmp, &frame});
}

// Runs the chain and writes its output. With a `slot` the result is kept there, unless it is of an
// interactive component.
int run_stages(const Options& options, const std::vector<Stage>& stages, const PipelineInput& input,
               ResultCache* cache, const CacheSlot* slot) {
  if (MaybeError failure = check_chain(stages)) return fail_with(*failure);
  if (is_interactive(stages)) return show_frames(options, stages[0], input);
  if (takes_frames(options)) {
    return fail_with("--events and --frames need one interactive component and no other");
  }
  RunObserver observer(options.verbose);
  TimedBudget budget(options.limits);
  PipelineOptions pipeline;
  pipeline.tiles.threads = thread_count(options);
  // A file in another format is encoded from the pixels; everything else wants BMP bytes.
  const char* path = options.output_path;
  pipeline.keep_image = slot == nullptr && path != nullptr && !is_dash(path);
  const TileProgress progress(pipeline.tiles);
  Result<PipelineOutput, HostError> output =
      run_pipeline(stages, input, budget, observer, pipeline);
  progress.end();
  if (!output.ok()) return fail_with(output.error());
  const PipelineOutput& made = output.value();
  if (slot != nullptr) {
    const std::string problem = keep_result(*cache, *slot, observer.printed(), made);
    if (options.verbose && !problem.empty()) log_line(problem);
  }
  return write_output(options, {made.output.encoding, made.content_type, made.bytes(),
                                made.image ? &*made.image : nullptr});
}

int run_directly(const Options& options, std::vector<ComponentArgument> arguments) {
  Result<std::vector<Stage>, HostError> stages = read_stages(std::move(arguments), options);
  if (!stages.ok()) return fail_with(stages.error());
  Result<OpenInput, HostError> input = open_input(options.input_path);
  if (!input.ok()) return fail_with(input.error());
  return run_stages(options, stages.value(), input.value().input, nullptr, nullptr);
}

int write_kept(const Options& options, const CachedResult& kept) {
  if (options.verbose && !kept.output.empty()) {
    log_line("output sha256: " + sha256_text(kept.output));
  }
  if (const int code = print(kept.printed)) return code;
  return write_output(options, {kept.encoding, kept.content_type, kept.output, nullptr});
}

// A hit needs the modules' bytes and the input, and compiles nothing.
int run_cached(const Options& options, std::vector<ComponentArgument> arguments) {
  Result<std::unique_ptr<ResultCache>, HostError> cache =
      ResultCache::open(options.cache_folder, options.cache_max_bytes);
  if (!cache.ok()) return fail_with(cache.error());
  ChainDigest digest(options.limits);
  std::vector<ModuleFile> files;
  for (const ComponentArgument& argument : arguments) {
    Result<ModuleFile, HostError> file = read_module(argument.module);
    if (!file.ok()) return fail_with(file.error());
    digest.add_component(file.value().bytes, argument.uniforms);
    files.push_back(std::move(file.value()));
  }
  Result<OpenInput, HostError> opened = open_input(options.input_path);
  if (!opened.ok()) return fail_with(opened.error());
  PipelineInput& input = opened.value().input;
  std::vector<uint8_t> buffer;
  const Result<bool, HostError> is_whole = read_ahead(input, buffer);
  if (!is_whole.ok()) return fail_with(is_whole.error());

  CacheSlot slot;
  if (is_whole.value()) {
    slot = ResultCache::slot_of(digest, input.bytes);
    const std::optional<CachedResult> kept = cache.value()->find(slot);
    if (options.verbose) log_line(kept ? "cache: hit" : "cache: miss");
    if (kept) return write_kept(options, *kept);
  } else if (options.verbose) {
    log_line("cache: the input is too large to be kept");
  }
  Result<std::vector<Stage>, HostError> stages =
      compile_stages(std::move(arguments), std::move(files), options);
  if (!stages.ok()) return fail_with(stages.error());
  return run_stages(options, stages.value(), input, cache.value().get(),
                    is_whole.value() ? &slot : nullptr);
}

}  // namespace

int run_command(const Command& command, const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  if (options.each) return run_each(command, options);
  if (options.dry_run) return dry_run(command, options);
  Result<std::vector<ComponentArgument>, std::string> arguments =
      component_arguments(command, options);
  if (!arguments.ok()) return fail_with(arguments.error());
  if (arguments.value().empty()) return fail_with(usage_line(command));
  const int code = options.cache_folder != nullptr && !takes_frames(options)
                       ? run_cached(options, std::move(arguments.value()))
                       : run_directly(options, std::move(arguments.value()));
  if (options.verbose) log_command_time(start);
  return code;
}

}  // namespace qip
