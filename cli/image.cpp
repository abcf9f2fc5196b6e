// qip image: a picture through a chain of filters, from one file to another.
//
// Promises: the output file appears only when it is complete; standard output stays empty unless it
// is the output.
// Bounded: a file of at most kMaxImageFileBytes is read; the picture's size is checked before
// memory for it is taken.
#include <errno.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string>

#include "cli/commands.hpp"
#include "cli/modules.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "host/files.hpp"
#include "host/image.hpp"
#include "host/text.hpp"
#include "host/tile_block.hpp"

namespace qip {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kDefaultTileTime{10'000};

bool is_dash(const char* path) {
  return strcmp(path, "-") == 0;
}

// --- Input ---------------------------------------------------------------------------------------

Result<std::vector<uint8_t>, std::string> read_input(const char* path) {
  const bool is_stdin = is_dash(path);
  const std::string_view what =
      is_stdin ? "Error reading image stdin: " : "Error reading image file: ";
  FileDescriptor file;
  if (!is_stdin) {
    Result<FileDescriptor, std::string> opened = open_for_reading(path);
    if (!opened.ok()) return std::string(what) + opened.error();
    file = std::move(opened.value());
  }
  Result<std::vector<uint8_t>, std::string> bytes = read_whole(
      is_stdin ? STDIN_FILENO : file.number(), is_stdin ? "/dev/stdin" : path, kMaxImageFileBytes);
  if (!bytes.ok()) return std::string(what) + bytes.error();
  return bytes;
}

// The error is complete.
Result<Image, std::string> read_image(const Options& options) {
  const Result<std::vector<uint8_t>, std::string> input = read_input(options.input_path);
  if (!input.ok()) return input.error();
  const Clock::time_point start = Clock::now();
  Result<Image, std::string> image = decode_image(input.value());
  if (!image.ok()) return "Error decoding image file: " + image.error();
  if (options.verbose) {
    log_line("decoded " + number_text(image.value().width) + " x " +
             number_text(image.value().height) + " pixels in " +
             format_duration(Clock::now() - start));
  }
  return image;
}

// --- Output --------------------------------------------------------------------------------------

int write_output(const char* path, std::span<const uint8_t> bytes) {
  if (is_dash(path)) {
    const int error = write_fully(STDOUT_FILENO, bytes);
    return error == 0 ? kSuccess : fail_to_write(error);
  }
  const std::string failure = write_file(path, bytes);
  return failure.empty() ? kSuccess : fail_with("Error writing output image file: " + failure);
}

ImageFormat output_format(const char* path) {
  const ImageFormat named = is_dash(path) ? ImageFormat::None : image_format_of_name(path);
  return named == ImageFormat::None ? ImageFormat::Png : named;
}

// --- Filters -------------------------------------------------------------------------------------

MaybeError run_filters(const Options& options, std::span<const Stage> stages, Image& image) {
  RunLimits limits = options.limits;
  if (!options.has_time_limit) limits.time = kDefaultTileTime;
  TileTimes times;
  TileBlockOptions block;
  block.threads = thread_count(options);
  block.sequential = options.sequential;
  if (options.verbose) block.times = &times;
  const TileProgress progress(block);
  MaybeError failure = run_tile_block(stages, image, limits, block);
  progress.end();
  if (options.verbose && !failure) {
    log_line("filters took " + format_duration(times.filters) + " of " +
             format_duration(times.total) + " on all threads");
  }
  return failure;
}

int run_image(const Options& options, std::vector<ComponentArgument> arguments) {
  const Result<std::vector<Stage>, HostError> stages = read_stages(std::move(arguments), options);
  if (!stages.ok()) return fail_with(stages.error());
  if (MaybeError failure = check_tile_stages(stages.value())) return fail_with(*failure);
  Result<Image, std::string> image = read_image(options);
  if (!image.ok()) return fail_with(image.error());
  if (MaybeError failure = run_filters(options, stages.value(), image.value())) {
    return fail_with(*failure);
  }
  const Clock::time_point encoding = Clock::now();
  const Result<std::vector<uint8_t>, std::string> output =
      encode_image(image.value(), output_format(options.output_path), options.quality);
  if (!output.ok()) return fail_with("Error encoding output image: " + output.error());
  if (options.verbose) log_line("encoded in " + format_duration(Clock::now() - encoding));
  return write_output(options.output_path, output.value());
}

}  // namespace

int image_command(const Command& command, const Options& options) {
  const Clock::time_point start = Clock::now();
  Result<std::vector<ComponentArgument>, std::string> arguments =
      component_arguments(command, options);
  if (!arguments.ok()) return fail_with(arguments.error());
  if (arguments.value().empty() || options.input_path == nullptr ||
      options.output_path == nullptr) {
    return fail_with(usage_line(command));
  }
  const int code = run_image(options, std::move(arguments.value()));
  if (options.verbose) log_command_time(start);
  return code;
}

}  // namespace qip
