// run_pipeline(): input through a chain of Content and Tile components, in fresh instances.
//
// Consecutive Tile components form a block: BMP bytes go in, and come out where bytes are wanted
// (host/tile_block.hpp). Its limits count as they do there; the time limit of the chain stands
// meanwhile.
// Promises: the input is read straight into the first component's memory; one stage's output is
// copied once, into the next stage's memory; the last output stays where the component left it. The
// time limit covers instantiation and execution of the whole chain, not the waiting for input.
// At most two instances of Content components exist at a time, whatever the length of the chain.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/chain.hpp"
#include "host/content_type.hpp"
#include "host/contract.hpp"
#include "host/error.hpp"
#include "host/image.hpp"
#include "host/tile_block.hpp"
#include "host/timed_budget.hpp"
#include "loader/result.hpp"

namespace qip {

struct PipelineInput {
  std::span<const uint8_t> bytes;  // the input, or what has been read of it already
  int fd = -1;                     // the rest, read to its end; -1: there is no more
  std::string name;                // of the file, for messages
  ContentType content_type;        // empty: unspecified
};

// Told what happens while the chain runs. Bytes are borrowed for the call.
class PipelineObserver {
 public:
  virtual ~PipelineObserver() = default;
  // Stage `stage` is instantiated and its input comes next.
  virtual void on_instance(size_t stage) { (void)stage; }
  virtual void on_input(std::span<const uint8_t> input) = 0;
  virtual void on_output(size_t stage, const StageOutput& output) = 0;
  // A block of tile components gave this.
  virtual void on_image(size_t first_stage, const Image& image) {
    (void)first_stage;
    (void)image;
  }
  // A component without output gave `result`. An error ends the chain.
  virtual MaybeError on_result(size_t stage, uint32_t result) = 0;
};

// The last stage's output, inside the memory of the instance that made it; or a block's.
struct PipelineOutput {
  std::unique_ptr<ComponentInstance> owner;
  StageOutput output;
  ContentType content_type;
  bool is_type_declared = false;      // content_type is what a component says that it makes
  std::optional<Image> image{};       // of a block, until bytes are wanted
  std::vector<uint8_t> host_bytes{};  // of a block, when they were

  bool has_output() const { return output.bytes.has_value() || image || !host_bytes.empty(); }
  // None while `image` is there.
  std::span<const uint8_t> bytes() const {
    return output.bytes ? output.bytes->get() : std::span<const uint8_t>(host_bytes);
  }
  // Makes bytes of an image.
  void encode();
};

// What a component without output leaves to see.
std::string ran_line(uint32_t result);

// What can be told without running anything: no component imports, Tile components export what they
// must and come behind what may be an image, and every uniform has a setter that takes its value.
MaybeError check_chain(std::span<const Stage> stages);
// The part that is about a stage and the one before it.
MaybeError check_neighbours(const Stage& previous, const Stage& stage);

bool is_tile_stage(const Stage& stage);
// The type of a block's output, given that of its input.
ContentType block_content_type(const ContentType& incoming);

struct PipelineOptions {
  FirstStageTrust trust = FirstStageTrust::Trust;
  // Reserved memory that runs hand on to each other, or null. It outlives the output.
  MemoryPool* pool = nullptr;
  // The last stages may be a block whose output is wanted as pixels, not as bytes.
  bool keep_image = false;
  TileBlockOptions tiles{};
};

// Runs a chain of at least one component; each outlives the output. The budget's clock must stand.
// Precondition: check_chain() found nothing.
Result<PipelineOutput, HostError> run_pipeline(std::span<const Stage> stages,
                                               const PipelineInput& input, TimedBudget& budget,
                                               PipelineObserver& observer,
                                               const PipelineOptions& options = {});

}  // namespace qip
