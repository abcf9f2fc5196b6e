// qip run --each: one chain over many files, into a folder.
//
// Promises: an interruption (SIGINT, SIGTERM) lets the files that have begun end, starts no other,
// and leaves no half of an output.
#include <string>

#include "cli/commands.hpp"
#include "cli/modules.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/stop_signal.hpp"
#include "host/batch.hpp"
#include "host/files.hpp"
#include "host/pipeline.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

std::string files_text(uint64_t count) {
  return number_text(count) + (count == 1 ? " file" : " files");
}

void show_files(uint64_t done, uint64_t failed) {
  std::string line = files_text(done) + " done";
  if (failed > 0) line += ", " + number_text(failed) + " failed";
  show_progress(line);
}

// What is wrong with the command line, or nothing.
std::string check_each(const Command& command, const Options& options) {
  if (options.dry_run) return "--each and --dry-run exclude each other";
  if (options.events_path != nullptr || options.frames_folder != nullptr) {
    return "--each takes no --events and no --frames";
  }
  if (options.input_path != nullptr) return "--each takes its inputs behind --, not with -i";
  if (options.output_path == nullptr || !options.takes_files() || options.separator == 0 ||
      options.separator == options.operands.size()) {
    return usage_line(command);
  }
  return "";
}

int report(const BatchJob& job, const BatchReport& result, const Options& options) {
  if (options.verbose) {
    log_line(files_text(result.done) + " done, " + number_text(result.failed) + " failed");
    if (job.cache != nullptr) {
      log_line("cache: " + number_text(result.cache_hits) + " hits of " + number_text(result.done));
    }
  }
  const uint64_t left = job.files.size() - result.done;
  if (result.failed > 0) {
    std::string text =
        number_text(result.failed) + " of " + files_text(job.files.size()) + " failed:";
    for (const auto& [index, reason] : result.failures) {
      text += std::string("\n  ") + job.files[index] + ": " + reason;
    }
    if (result.failed > result.failures.size()) {
      text += "\n  and " + number_text(result.failed - result.failures.size()) + " more";
    }
    fail_with(text);
  }
  if (left > 0) {
    fail_with("interrupted: " + files_text(left) + " not begun");
    return kInterrupted;
  }
  return result.failed > 0 ? kFailure : kSuccess;
}

}  // namespace

int run_each(const Command& command, const Options& options) {
  const std::string problem = check_each(command, options);
  if (!problem.empty()) return fail_with(problem);
  Result<std::vector<ComponentArgument>, std::string> arguments =
      component_arguments(command, options);
  if (!arguments.ok()) return fail_with(arguments.error());

  std::unique_ptr<ResultCache> cache;
  ChainDigest digest(options.limits);
  if (options.cache_folder != nullptr) {
    Result<std::unique_ptr<ResultCache>, HostError> opened =
        ResultCache::open(options.cache_folder, options.cache_max_bytes);
    if (!opened.ok()) return fail_with(opened.error());
    cache = std::move(opened.value());
  }
  Result<std::vector<Stage>, HostError> stages = read_stages(std::move(arguments.value()), options);
  if (!stages.ok()) return fail_with(stages.error());
  if (MaybeError failure = check_chain(stages.value())) return fail_with(*failure);
  for (const Stage& stage : stages.value()) {
    digest.add_component(stage.component.module().bytes, stage.uniforms);
  }

  Result<OutputFolder, std::string> folder = OutputFolder::open(options.output_path);
  if (!folder.ok()) return fail_with("Error creating output folder: " + folder.error());
  BatchJob job;
  job.folder = &folder.value();
  job.stages = stages.value();
  job.limits = options.limits;
  job.files = std::span(options.operands).subspan(options.separator);
  if (options.extension != nullptr) job.extension = options.extension;
  job.threads = thread_count(options);
  job.cache = cache.get();
  job.digest = &digest;
  const bool watched = has_watcher();
  if (watched) job.on_progress = show_files;
  std::string clash = find_name_clash(job);
  if (clash.empty()) clash = find_replaced_input(job);
  if (!clash.empty()) return fail_with(clash);

  job.stop = &stop_on_signals();
  const BatchReport result = run_batch(job);
  if (watched) clear_progress();
  return report(job, result, options);
}

}  // namespace qip
