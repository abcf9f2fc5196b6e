// run_pipeline(): input through a chain of Content components, each in a fresh instance.
//
// Promises: the input is read straight into the first component's memory; one stage's output is
// copied once, into the next stage's memory; the last output stays where the component left it. The
// time limit covers instantiation and execution of the whole chain, not the waiting for input.
// At most two instances exist at a time, whatever the length of the chain.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "host/chain.hpp"
#include "host/content_type.hpp"
#include "host/contract.hpp"
#include "host/error.hpp"
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
  virtual void on_input(std::span<const uint8_t> input) = 0;
  virtual void on_output(size_t stage, const StageOutput& output) = 0;
  // A component without output gave `result`. An error ends the chain.
  virtual MaybeError on_result(size_t stage, uint32_t result) = 0;
};

// The last stage's output, inside the memory of the instance that made it.
struct PipelineOutput {
  std::unique_ptr<ComponentInstance> owner;
  StageOutput output;
  ContentType content_type;

  std::span<const uint8_t> bytes() const {
    return output.bytes ? output.bytes->get() : std::span<const uint8_t>{};
  }
};

// What a component without output leaves to see.
std::string ran_line(uint32_t result);

// What can be told without running anything: no component imports, each is one that a chain can
// run, and every uniform has a setter that takes its value.
MaybeError check_chain(std::span<const Stage> stages);

struct PipelineOptions {
  FirstStageTrust trust = FirstStageTrust::Trust;
  // Reserved memory that runs hand on to each other, or null. It outlives the output.
  MemoryPool* pool = nullptr;
};

// Runs a chain of at least one component; each outlives the output. The budget's clock must stand.
// Precondition: check_chain() found nothing.
Result<PipelineOutput, HostError> run_pipeline(std::span<const Stage> stages,
                                               const PipelineInput& input, TimedBudget& budget,
                                               PipelineObserver& observer,
                                               const PipelineOptions& options = {});

}  // namespace qip
