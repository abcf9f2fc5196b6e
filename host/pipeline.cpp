// Chains of components. Where the input is read, and why there: instantiation and value exports
// come before it, because they tell where it goes; the clock of the time limit stands meanwhile.
#include "host/pipeline.hpp"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "host/detection.hpp"
#include "host/files.hpp"
#include "host/text.hpp"
#include "host/tile.hpp"

namespace qip {
namespace {

constexpr uint64_t kBmpHeaderBytes = 54;

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

Result<uint32_t, HostError> copy_input(std::span<const uint8_t> bytes, const ContentStage& stage) {
  if (MaybeError failure = stage.check_input_size(bytes.size())) return std::move(*failure);
  if (MaybeError failure = stage.write_input(bytes)) return std::move(*failure);
  return static_cast<uint32_t>(bytes.size());
}

// Reads the input to where the component wants it, behind the bytes that were read before. What
// does not fit there is only counted, to tell an input that is too large from a component that
// promises more room than it has.
Result<uint32_t, HostError> read_input(const PipelineInput& input, const ContentStage& stage) {
  const Result<uint32_t, HostError> copied = copy_input(input.bytes, stage);
  if (!copied.ok()) return copied;
  if (const std::optional<uint64_t> size = known_size(input.fd)) {
    if (MaybeError failure = stage.check_input_size(copied.value() + *size)) {
      return std::move(*failure);
    }
  }
  const std::optional<GuestBytes> room = stage.input_room();
  const int64_t count = room ? read_fully(input.fd, room->get().subspan(copied.value())) : 0;
  if (count < 0) return input_read_error(input);
  uint64_t size = copied.value() + static_cast<uint64_t>(count);
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

class Chain {
 public:
  Chain(std::span<const Stage> stages, TimedBudget& budget, PipelineObserver& observer,
        const PipelineOptions& options)
      : stages_(stages), budget_(budget), observer_(observer), options_(options) {}

  Result<PipelineOutput, HostError> run(const PipelineInput& input) {
    PipelineOutput current;
    current.content_type = input.content_type;
    for (size_t i = 0; i < stages_.size();) {
      const size_t end = end_of_block(i);
      Result<PipelineOutput, HostError> next =
          end > i ? run_block(i, end, input, current) : run_stage(i, input, current);
      if (!next.ok()) return next;
      current = std::move(next.value());
      i = std::max(end, i + 1);
    }
    if (!options_.keep_image) current.encode();
    return current;
  }

 private:
  Result<PipelineOutput, HostError> run_stage(size_t index, const PipelineInput& input,
                                              PipelineOutput& previous) {
    Result<std::unique_ptr<ComponentInstance>, HostError> made = ComponentInstance::create(
        stages_[index].component, budget_, {.store = std::make_shared<Store>(options_.pool)});
    if (!made.ok()) return std::move(made.error());
    std::unique_ptr<ComponentInstance> instance = std::move(made.value());
    if (MaybeError failure = apply_uniforms(*instance, stages_[index].uniforms)) {
      return std::move(*failure);
    }
    Result<ContentStage, HostError> stage = ContentStage::bind(*instance);
    if (!stage.ok()) return std::move(stage.error());
    observer_.on_instance(index);
    Result<ContentType, HostError> incoming = accept(index, previous.content_type, stage.value());
    if (!incoming.ok()) return std::move(incoming.error());

    const bool was_declared = previous.is_type_declared;
    Result<uint32_t, HostError> size =
        index == 0 ? first_input(input, stage.value()) : later_input(previous, stage.value());
    if (!size.ok()) return std::move(size.error());
    Result<StageOutput, HostError> output = stage.value().render(size.value());
    if (!output.ok()) return std::move(output.error());
    if (MaybeError failure = report(index, output.value())) return std::move(*failure);
    const bool keeps_type = output.value().bytes && output.value().encoding != Encoding::I32;
    const DeclaredTypes& types = stage.value().types();
    return PipelineOutput{std::move(instance), output.value(),
                          outgoing_content_type(incoming.value(), types, keeps_type),
                          types.output.has_value() || (keeps_type && was_declared)};
  }

  // One past the last of the tile stages that begin at `first`; `first` if none does.
  size_t end_of_block(size_t first) const {
    while (first < stages_.size() && is_tile_stage(stages_[first])) first++;
    return first;
  }

  Result<PipelineOutput, HostError> run_block(size_t first, size_t end, const PipelineInput& input,
                                              PipelineOutput& previous) {
    budget_.pause();
    PipelineOutput output;
    output.content_type = block_content_type(previous.content_type);
    output.is_type_declared = previous.is_type_declared;
    observer_.on_instance(first);
    Result<Image, HostError> image = block_input(first, input, previous);
    previous = PipelineOutput{};
    if (!image.ok()) return std::move(image.error());
    output.image = std::move(image.value());
    if (MaybeError failure = check_image_size(first, *output.image)) return std::move(*failure);
    if (MaybeError failure = run_tile_block(stages_.subspan(first, end - first), *output.image,
                                            budget_.limits(), options_.tiles)) {
      return std::move(*failure);
    }
    observer_.on_image(first, *output.image);
    budget_.resume();
    return output;
  }

  Result<Image, HostError> block_input(size_t first, const PipelineInput& input,
                                       const PipelineOutput& previous) {
    std::span<const uint8_t> bytes = previous.bytes();
    std::vector<uint8_t> read;
    if (first == 0) {
      bytes = input.bytes;
      if (input.fd >= 0) {
        Result<std::vector<uint8_t>, std::string> rest =
            read_whole(input.fd, input.name, kMaxImageFileBytes);
        if (!rest.ok()) return file_error("Error reading input file: " + rest.error());
        read = std::move(rest.value());
        read.insert(read.begin(), input.bytes.begin(), input.bytes.end());
        bytes = read;
      }
      observer_.on_input(bytes);
    }
    Result<Image, std::string> image = decode_bmp(bytes);
    if (image.ok()) return std::move(image.value());
    return contract_error(stages_[first].component.path +
                          ": tile stage requires image input, got raw: " + image.error());
  }

  // A block's output is as large as its input, so that the limit can be kept in advance.
  MaybeError check_image_size(size_t first, const Image& image) const {
    const std::optional<uint64_t> limit = budget_.limits().max_output_bytes;
    const uint64_t size = kBmpHeaderBytes + image.rgba.size();
    if (!limit || size <= *limit) return std::nullopt;
    return HostError{HostErrorClass::Budget,
                     stages_[first].component.path + ": output of " + number_text(size) +
                         " bytes exceeds --max-output " + number_text(*limit) + " bytes"};
  }

  Result<ContentType, HostError> accept(size_t index, const ContentType& incoming,
                                        const ContentStage& stage) const {
    Result<ContentType, std::string> accepted =
        accept_content_type(incoming, stage.types(), index == 0, options_.trust);
    if (accepted.ok()) return std::move(accepted.value());
    return contract_error("content type check failed for " + stages_[index].component.path + ": " +
                          accepted.error());
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
    previous.encode();
    Result<uint32_t, HostError> size = copy_input(previous.bytes(), stage);
    previous = PipelineOutput{};
    return size;
  }

  MaybeError report(size_t index, const StageOutput& output) {
    if (!output.bytes) return observer_.on_result(index, output.result);
    observer_.on_output(index, output);
    return std::nullopt;
  }

  std::span<const Stage> stages_;
  TimedBudget& budget_;
  PipelineObserver& observer_;
  const PipelineOptions& options_;
};

}  // namespace

std::string ran_line(uint32_t result) {
  return "Ran: " + number_text(result) + "\n";
}

void PipelineOutput::encode() {
  if (!image) return;
  host_bytes = encode_bmp(*image);
  image.reset();
}

bool is_tile_stage(const Stage& stage) {
  return tile_entry(stage.component.module()) != nullptr;
}

ContentType block_content_type(const ContentType& incoming) {
  return incoming ? incoming : ContentType("image/bmp");
}

MaybeError check_neighbours(const Stage& previous, const Stage& stage) {
  if (!is_tile_stage(stage) || is_tile_stage(previous)) return std::nullopt;
  const Result<ContentContract, std::string> contract =
      content_contract(previous.component.module());
  if (!contract.ok() || contract.value().output_encoding == Encoding::Raw) return std::nullopt;
  return contract_error(stage.component.path + ": tile stage requires image input, got " +
                        encoding_text(contract.value().output_encoding));
}

MaybeError check_chain(std::span<const Stage> stages) {
  for (size_t i = 0; i < stages.size(); i++) {
    const Stage& stage = stages[i];
    if (MaybeError failure = check_sealed(stage.component)) return failure;
    if (is_tile_stage(stage)) {
      if (MaybeError failure = check_tile(stage.component)) return failure;
    }
    if (MaybeError failure = check_uniforms(stage.component, stage.uniforms)) return failure;
    if (i == 0) continue;
    if (MaybeError failure = check_neighbours(stages[i - 1], stage)) return failure;
  }
  return std::nullopt;
}

Result<PipelineOutput, HostError> run_pipeline(std::span<const Stage> stages,
                                               const PipelineInput& input, TimedBudget& budget,
                                               PipelineObserver& observer,
                                               const PipelineOptions& options) {
  budget.resume();
  Result<PipelineOutput, HostError> output = Chain(stages, budget, observer, options).run(input);
  budget.pause();
  return output;
}

}  // namespace qip
