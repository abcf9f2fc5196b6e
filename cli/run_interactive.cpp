// qip run with one interactive component: its first frame, or those that a script of events makes.
//
// Promises: the same component, settings and script give the same frames, whatever the machine;
// every file is complete or not there; frames.txt is written when all frames are. Standard input is
// read, so that whoever writes to it is not cut off, and ignored. Each call of the component has
// all of the limits.
// Bounds: one frame is kept, and of an animation the compressed frames.
#include <errno.h>
#include <strings.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/run_interactive.hpp"
#include "host/apng.hpp"
#include "host/digest.hpp"
#include "host/event_script.hpp"
#include "host/files.hpp"
#include "host/image_codec.hpp"
#include "host/interactive.hpp"
#include "host/replay.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

constexpr const char* kIndexName = "frames.txt";

bool is_dash(const char* path) {
  return path != nullptr && strcmp(path, "-") == 0;
}

bool wants_animation(const char* path) {
  constexpr std::string_view kExtension = ".apng";
  const std::string_view name = path != nullptr ? path : "";
  return name.size() >= kExtension.size() &&
         strcasecmp(name.substr(name.size() - kExtension.size()).data(), kExtension.data()) == 0;
}

// --- What goes in --------------------------------------------------------------------------------

// As much as anybody sends on purpose; an endless input ends there.
MaybeError read_and_ignore(const PipelineInput& input) {
  constexpr uint64_t kMost = uint64_t{64} << 20;
  std::vector<uint8_t> scratch(64 << 10);
  for (uint64_t total = 0; input.fd >= 0 && total < kMost; total += scratch.size()) {
    const int64_t count = read_fully(input.fd, scratch);
    if (count < 0) {
      return file_error("Error reading input file: read " + input.name + ": " +
                        system_error_text(errno));
    }
    if (static_cast<size_t>(count) < scratch.size()) break;
  }
  return std::nullopt;
}

Result<EventScript, HostError> read_script(const char* path) {
  if (path == nullptr) return EventScript{};
  const auto error = [](const std::string& text) {
    return file_error("Error reading events: " + text);
  };
  FileDescriptor file;
  if (!is_dash(path)) {
    Result<FileDescriptor, std::string> opened = open_for_reading(path);
    if (!opened.ok()) return error(opened.error());
    file = std::move(opened.value());
  }
  const std::string name = is_dash(path) ? "/dev/stdin" : path;
  const Result<std::vector<uint8_t>, std::string> bytes =
      read_whole(is_dash(path) ? STDIN_FILENO : file.number(), name, kMaxScriptBytes);
  if (!bytes.ok()) return error(bytes.error());
  const std::string_view text(reinterpret_cast<const char*>(bytes.value().data()),
                              bytes.value().size());
  Result<EventScript, std::string> script = parse_event_script(text);
  if (!script.ok()) return error(name + ": " + script.error());
  return std::move(script.value());
}

// --- What comes out ------------------------------------------------------------------------------

// "frame-000001.png": names in the order of the frames, up to a million of them.
std::string frame_name(uint64_t number) {
  const std::string digits = number_text(number);
  constexpr size_t kDigits = 6;
  return "frame-" + std::string(digits.size() < kDigits ? kDigits - digits.size() : 0, '0') +
         digits + ".png";
}

// frame-000001.png and so on, and frames.txt: a line with number and time for each.
class FrameFolder {
 public:
  // Takes the index away that says that the folder is complete.
  static Result<FrameFolder, HostError> open(const char* path) {
    Result<OutputFolder, std::string> folder = OutputFolder::open(path);
    if (!folder.ok()) return file_error("Error creating frames folder: " + folder.error());
    FrameFolder made(std::move(folder.value()));
    made.remove(kIndexName);
    return made;
  }

  MaybeError add(uint64_t number, int64_t time, const Image& image) {
    Result<std::vector<uint8_t>, std::string> png = encode_png(image);
    if (!png.ok()) return file_error("Error encoding frame: " + png.error());
    index_ += number_text(number) + " " + number_text(static_cast<uint64_t>(time)) + "\n";
    return write(frame_name(number), png.value());
  }

  // What an earlier and longer run left behind goes.
  MaybeError finish(uint64_t frames) {
    while (remove(frame_name(++frames))) {
    }
    return write(kIndexName, {reinterpret_cast<const uint8_t*>(index_.data()), index_.size()});
  }

 private:
  explicit FrameFolder(OutputFolder folder) : folder_(std::move(folder)) {}
  bool remove(const std::string& name) const {
    return unlink((folder_.path() + "/" + name).c_str()) == 0;
  }
  MaybeError write(const std::string& name, std::span<const uint8_t> bytes) const {
    const std::string failure = folder_.write(name, 0, "", bytes);
    if (failure.empty()) return std::nullopt;
    return file_error("Error writing frame: " + failure);
  }

  OutputFolder folder_;
  std::string index_;
};

// Takes the frames to where the options want them.
class FrameOutput : public FrameSink {
 public:
  FrameOutput(const Options& options, const Component& component, const InteractiveSession& session)
      : options_(options), path_(component.path) {
    image_.width = session.width();
    image_.height = session.height();
  }

  MaybeError on_frame(int64_t time, std::span<const uint8_t> rgba) override {
    if (count_ == 0) {
      if (MaybeError failure = start()) return failure;
    }
    count_++;
    image_.rgba.assign(rgba.begin(), rgba.end());
    if (options_.verbose && takes_frames(options_)) {
      log_line("frame " + number_text(count_) + " at " + number_text(static_cast<uint64_t>(time)) +
               "ms sha256: " + sha256_text(encode_bmp(image_)));
    }
    if (folder_) {
      if (MaybeError failure = folder_->add(count_, time, image_)) return failure;
    }
    if (!animation_) return std::nullopt;
    const std::string problem = animation_->add(time, rgba);
    return problem.empty() ? MaybeError() : contract_error(path_ + ": " + problem);
  }

  // Writes what is written at the end; the last frame is left if somebody wants it.
  Result<std::optional<Image>, HostError> finish(std::optional<int64_t> end) {
    if (options_.verbose && takes_frames(options_)) {
      log_line(number_text(count_) + (count_ == 1 ? " frame" : " frames"));
    }
    if (folder_) {
      if (MaybeError failure = folder_->finish(count_)) return std::move(*failure);
    }
    if (animation_) {
      const std::string failure = write_file(options_.output_path, animation_->finish(end));
      if (!failure.empty()) return file_error("Error writing output file: " + failure);
    }
    const bool is_left = !animation_ && (!folder_ || options_.output_path != nullptr);
    return is_left ? std::optional<Image>(std::move(image_)) : std::nullopt;
  }

 private:
  MaybeError start() {
    const std::string problem = image_size_error(image_.width, image_.height);
    if (!problem.empty()) return contract_error(path_ + ": " + problem);
    if (wants_animation(options_.output_path)) animation_.emplace(image_.width, image_.height);
    if (options_.frames_folder == nullptr) return std::nullopt;
    Result<FrameFolder, HostError> folder = FrameFolder::open(options_.frames_folder);
    if (!folder.ok()) return std::move(folder.error());
    folder_.emplace(std::move(folder.value()));
    return std::nullopt;
  }

  const Options& options_;
  std::string path_;  // of the component
  Image image_;       // the last frame
  uint64_t count_ = 0;
  std::optional<FrameFolder> folder_;
  std::optional<AnimatedPng> animation_;
};

}  // namespace

bool takes_frames(const Options& options) {
  return options.events_path != nullptr || options.frames_folder != nullptr;
}

Result<std::optional<Image>, HostError> run_interactive(const Options& options, const Stage& stage,
                                                        const PipelineInput& input) {
  const Result<EventScript, HostError> script = read_script(options.events_path);
  if (!script.ok()) return script.error();
  const bool is_taken = is_dash(options.events_path) && input.fd == STDIN_FILENO;
  if (!is_taken) {
    if (MaybeError failure = read_and_ignore(input)) return std::move(*failure);
  }
  TimedBudget budget(options.limits);
  budget.resume();
  const Result<std::unique_ptr<ComponentInstance>, HostError> instance =
      ComponentInstance::create(stage.component, budget);
  if (!instance.ok()) return instance.error();
  Result<InteractiveSession, HostError> session =
      InteractiveSession::bind(*instance.value(), stage.uniforms);
  if (!session.ok()) return std::move(session.error());
  budget.pause();

  FrameOutput output(options, stage.component, session.value());
  InteractiveLoop loop(session.value(), budget, output);
  if (MaybeError failure = replay(loop, script.value(), *instance.value())) {
    return std::move(*failure);
  }
  const std::vector<Event>& events = script.value().events;
  const bool has_end = !events.empty() && events.back().kind == EventKind::End;
  return output.finish(has_end ? std::optional<int64_t>(events.back().time) : std::nullopt);
}

}  // namespace qip
