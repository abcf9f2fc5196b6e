// Batch work. Workers take the next file from a counter; what they share is the chain, the cache
// and the report. Ends: the counter only grows.
#include "host/batch.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "host/cached_run.hpp"
#include "host/files.hpp"
#include "host/image_output.hpp"
#include "host/pipeline.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

constexpr std::chrono::milliseconds kProgressInterval{100};
constexpr uint64_t kSmallInput = 64 * 1024;

std::string_view base_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// Keeps what a chain prints besides its output.
class PrintedLines : public PipelineObserver {
 public:
  void on_input(std::span<const uint8_t>) override {}
  void on_output(size_t, const StageOutput&) override {}
  MaybeError on_result(size_t, uint32_t result) override {
    text += ran_line(result);
    return std::nullopt;
  }
  std::string text;
};

class Batch {
 public:
  explicit Batch(const BatchJob& job) : job_(job) {}

  // Threads that the system refuses are done without.
  BatchReport run() {
    std::vector<pthread_t> helpers;
    for (unsigned i = 1; i < job_.threads; i++) {
      pthread_t helper;
      if (pthread_create(&helper, nullptr, work_in_thread, this) == 0) helpers.push_back(helper);
    }
    work();
    for (const pthread_t helper : helpers) pthread_join(helper, nullptr);
    return std::move(report_);
  }

 private:
  static void* work_in_thread(void* batch) {
    static_cast<Batch*>(batch)->work();
    return nullptr;
  }

  void work() {
    Worker worker(job_, next_worker_.fetch_add(1, std::memory_order_relaxed));
    for (;;) {
      if (job_.stop != nullptr && job_.stop->load(std::memory_order_relaxed)) return;
      const size_t index = next_.fetch_add(1, std::memory_order_relaxed);
      if (index >= job_.files.size()) return;
      worker.budget.restart();
      record(index, run_file(job_.files[index], worker));
    }
  }

  // What one thread keeps from file to file.
  struct Worker {
    Worker(const BatchJob& job, unsigned its_number)
        : budget(job.limits), pool(job.stages.size()), number(its_number) {}
    TimedBudget budget;
    MemoryPool pool;
    unsigned number;
    std::vector<uint8_t> buffer;
  };

  // Empty: the output is written.
  std::string run_file(const std::string& path, Worker& worker) {
    Result<FileDescriptor, std::string> file = open_for_reading(path);
    if (!file.ok()) return file.error();
    PipelineInput input;
    input.fd = file.value().number();
    input.name = path;
    const std::string target = batch_output_name(job_, path);
    if (job_.folder->holds(target, input.fd)) return "the output would replace the input";

    // A small file is read before the clock starts, so that it need not be stopped for reading.
    const uint64_t most = job_.cache != nullptr ? kMaxCachedInput : kSmallInput;
    const Result<bool, HostError> is_whole = read_ahead(input, worker.buffer, most);
    if (!is_whole.ok()) return is_whole.error().message;
    if (job_.cache == nullptr || !is_whole.value())
      return run_chain(input, target, worker, nullptr);
    const CacheSlot slot = ResultCache::slot_of(*job_.digest, input.bytes);
    if (const std::optional<CachedResult> kept = job_.cache->find(slot)) {
      hits_.fetch_add(1, std::memory_order_relaxed);
      return write(target, worker.number, kept->printed,
                   {kept->encoding, kept->content_type, kept->output, nullptr});
    }
    return run_chain(input, target, worker, &slot);
  }

  std::string run_chain(const PipelineInput& input, const std::string& target, Worker& worker,
                        const CacheSlot* slot) {
    PrintedLines printed;
    const Result<PipelineOutput, HostError> output =
        run_pipeline(job_.stages, input, worker.budget, printed,
                     {.pool = &worker.pool, .keep_image = slot == nullptr});
    if (!output.ok()) return output.error().message + output.error().call_stack;
    if (slot != nullptr) {
      // A result that could not be kept is still a result.
      keep_result(*job_.cache, *slot, printed.text, output.value());
    }
    const PipelineOutput& made = output.value();
    return write(target, worker.number, printed.text,
                 {made.output.encoding, made.content_type, made.bytes(),
                  made.image ? &*made.image : nullptr});
  }

  // An image goes into a file in the format that the name promises, unless there is text to go
  // before it. What is no image is written as it is.
  std::string write(const std::string& target, unsigned number, const std::string& printed,
                    const FinalOutput& output) const {
    std::vector<uint8_t> storage;
    const bool is_image =
        output.image != nullptr || image_format_of_bytes(output.bytes) != ImageFormat::None;
    const Result<std::span<const uint8_t>, std::string> bytes =
        bytes_for_file(is_image && printed.empty() ? target : "", output, storage);
    if (!bytes.ok()) return bytes.error();
    return job_.folder->write(target, number, printed, bytes.value());
  }

  void record(size_t index, std::string failure) {
    const std::lock_guard lock(mutex_);
    report_.done++;
    report_.cache_hits = hits_.load(std::memory_order_relaxed);
    if (!failure.empty()) {
      report_.failed++;
      report_.failures.emplace(index, std::move(failure));
      if (report_.failures.size() > kMaxRememberedFailures) {
        report_.failures.erase(std::prev(report_.failures.end()));
      }
    }
    if (job_.on_progress == nullptr) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_progress_ < kProgressInterval && report_.done != job_.files.size()) return;
    last_progress_ = now;
    job_.on_progress(report_.done, report_.failed);
  }

  const BatchJob& job_;
  std::atomic<size_t> next_{0};
  std::atomic<unsigned> next_worker_{0};
  std::atomic<uint64_t> hits_{0};
  std::mutex mutex_;  // of what follows
  BatchReport report_;
  std::chrono::steady_clock::time_point last_progress_{};
};

}  // namespace

std::string batch_output_name(const BatchJob& job, std::string_view input) {
  std::string_view name = base_name(input);
  if (!job.extension.empty()) {
    const size_t dot = name.rfind('.');
    if (dot != std::string_view::npos && dot > 0) name = name.substr(0, dot);
  }
  return std::string(name) + job.extension;
}

std::string find_name_clash(const BatchJob& job) {
  std::vector<const char*> sorted(job.files.begin(), job.files.end());
  const auto name_of = [&job](const char* file) { return batch_output_name(job, file); };
  std::sort(sorted.begin(), sorted.end(),
            [&](const char* left, const char* right) { return name_of(left) < name_of(right); });
  for (size_t i = 1; i < sorted.size(); i++) {
    if (name_of(sorted[i - 1]) != name_of(sorted[i])) continue;
    return std::string(sorted[i - 1]) + " and " + sorted[i] + " would both be written to " +
           job.folder->path() + "/" + name_of(sorted[i]);
  }
  return "";
}

std::string find_replaced_input(const BatchJob& job) {
  std::map<FileIdentity, size_t> targets;  // what is there already, and whose output goes there
  for (size_t i = 0; i < job.files.size(); i++) {
    if (const auto target = job.folder->identity(batch_output_name(job, job.files[i]))) {
      targets.emplace(*target, i);
    }
  }
  if (targets.empty()) return "";
  for (size_t i = 0; i < job.files.size(); i++) {
    const std::optional<FileIdentity> input = file_identity(job.files[i]);
    const auto found = input ? targets.find(*input) : targets.end();
    if (found == targets.end() || found->second == i) continue;
    return std::string(job.files[i]) + " would be replaced by the output of " +
           job.files[found->second];
  }
  return "";
}

BatchReport run_batch(const BatchJob& job) {
  return Batch(job).run();
}

}  // namespace qip
