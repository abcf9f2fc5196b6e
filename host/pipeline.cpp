// Chains of components. Where the input is read, and why there: instantiation and value exports
// come before it, because they tell where it goes; the clock of the time limit stands meanwhile.
#include "host/pipeline.hpp"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "host/files.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

HostError input_read_error(const PipelineInput& input) {
  return file_error("Error reading input file: read " + input.name + ": " +
                    system_error_text(errno));
}

// Bytes from the current position to the end if that is known.
std::optional<uint64_t> known_size(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  const off_t position = lseek(fd, 0, SEEK_CUR);
  if (position < 0 || status.st_size <= position) return std::nullopt;
  return static_cast<uint64_t>(status.st_size - position);
}

// Reads and forgets. Returns how many bytes there were, at most `limit`, or -1.
int64_t skip(int fd, uint64_t limit) {
  uint8_t scratch[16 * 1024];
  uint64_t total = 0;
  while (total < limit) {
    const uint64_t wanted = std::min<uint64_t>(limit - total, sizeof scratch);
    const int64_t count = read_fully(fd, std::span(scratch).first(wanted));
    if (count < 0) return -1;
    total += static_cast<uint64_t>(count);
    if (static_cast<uint64_t>(count) < wanted) break;
  }
  return static_cast<int64_t>(total);
}

// Reads the input to where the component wants it. What does not fit there is only counted, to tell
// an input that is too large from a component that promises more room than it has.
Result<uint32_t, HostError> read_input(const PipelineInput& input, const ContentStage& stage) {
  if (const std::optional<uint64_t> size = known_size(input.fd)) {
    if (MaybeError failure = stage.check_input_size(*size)) return std::move(*failure);
  }
  const std::optional<GuestBytes> room = stage.input_room();
  const int64_t count = room ? read_fully(input.fd, room->get()) : 0;
  if (count < 0) return input_read_error(input);
  uint64_t size = static_cast<uint64_t>(count);
  if (!room || size == room->size()) {
    const uint64_t rest = uint64_t{stage.values().input_capacity} - size + 1;
    const int64_t skipped = skip(input.fd, rest);
    if (skipped < 0) return input_read_error(input);
    size += static_cast<uint64_t>(skipped);
    if (MaybeError failure = stage.check_input_size(size, true)) return std::move(*failure);
    if (!room || skipped > 0) return stage.instance().error("Could not write input");
  }
  return static_cast<uint32_t>(size);
}

Result<uint32_t, HostError> copy_input(std::span<const uint8_t> bytes, const ContentStage& stage) {
  if (MaybeError failure = stage.check_input_size(bytes.size())) return std::move(*failure);
  if (MaybeError failure = stage.write_input(bytes)) return std::move(*failure);
  return static_cast<uint32_t>(bytes.size());
}

class Chain {
 public:
  Chain(std::span<const Component> components, TimedBudget& budget, PipelineObserver& observer)
      : components_(components), budget_(budget), observer_(observer) {}

  Result<PipelineOutput, HostError> run(const PipelineInput& input) {
    PipelineOutput current;
    for (size_t i = 0; i < components_.size(); i++) {
      Result<PipelineOutput, HostError> next = run_stage(i, input, current);
      if (!next.ok()) return next;
      current = std::move(next.value());
    }
    return current;
  }

 private:
  Result<PipelineOutput, HostError> run_stage(size_t index, const PipelineInput& input,
                                              PipelineOutput& previous) {
    Result<std::unique_ptr<ComponentInstance>, HostError> made =
        ComponentInstance::create(components_[index], budget_);
    if (!made.ok()) return std::move(made.error());
    std::unique_ptr<ComponentInstance> instance = std::move(made.value());
    Result<ContentStage, HostError> stage = ContentStage::bind(*instance);
    if (!stage.ok()) return std::move(stage.error());

    Result<uint32_t, HostError> size =
        index == 0 ? first_input(input, stage.value()) : later_input(previous, stage.value());
    if (!size.ok()) return std::move(size.error());
    Result<StageOutput, HostError> output = stage.value().render(size.value());
    if (!output.ok()) return std::move(output.error());
    if (MaybeError failure = report(index, output.value())) return std::move(*failure);
    return PipelineOutput{std::move(instance), output.value()};
  }

  Result<uint32_t, HostError> first_input(const PipelineInput& input, const ContentStage& stage) {
    Result<uint32_t, HostError> size = 0u;
    if (input.fd >= 0) {
      budget_.pause();  // however slow the input is, that is not the component's time
      size = read_input(input, stage);
      budget_.resume();
    } else {
      size = copy_input(input.bytes, stage);
    }
    if (size.ok()) {
      const std::optional<GuestBytes> room = stage.input_room();
      observer_.on_input(room ? room->first(size.value()).get() : std::span<uint8_t>{});
    }
    return size;
  }

  // Frees the previous instance as soon as its output is copied.
  Result<uint32_t, HostError> later_input(PipelineOutput& previous, const ContentStage& stage) {
    if (stage.contract().input_capacity == nullptr) {
      return stage.instance().error("inputless generator must be the first component");
    }
    Result<uint32_t, HostError> size = copy_input(previous.bytes(), stage);
    previous = PipelineOutput{};
    return size;
  }

  MaybeError report(size_t index, const StageOutput& output) {
    if (!output.bytes) return observer_.on_result(index, output.result);
    observer_.on_output(index, output);
    return std::nullopt;
  }

  std::span<const Component> components_;
  TimedBudget& budget_;
  PipelineObserver& observer_;
};

}  // namespace

Result<PipelineOutput, HostError> run_pipeline(std::span<const Component> components,
                                               const PipelineInput& input, TimedBudget& budget,
                                               PipelineObserver& observer) {
  // All of them before anything runs: what is not sealed never starts.
  for (const Component& component : components) {
    if (MaybeError failure = check_sealed(component)) return std::move(*failure);
  }
  budget.resume();
  Result<PipelineOutput, HostError> output = Chain(components, budget, observer).run(input);
  budget.pause();
  return output;
}

}  // namespace qip
