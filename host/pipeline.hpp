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

#include "host/component.hpp"
#include "host/contract.hpp"
#include "host/error.hpp"
#include "host/timed_budget.hpp"
#include "loader/result.hpp"

namespace qip {

struct PipelineInput {
  int fd = -1;       // read to its end; -1: `bytes` is the input
  std::string name;  // of the file, for messages
  std::span<const uint8_t> bytes;
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

  std::span<const uint8_t> bytes() const {
    return output.bytes ? output.bytes->get() : std::span<const uint8_t>{};
  }
};

// Runs a chain of at least one component; each outlives the output. The budget's clock must stand.
Result<PipelineOutput, HostError> run_pipeline(std::span<const Component> components,
                                               const PipelineInput& input, TimedBudget& budget,
                                               PipelineObserver& observer);

}  // namespace qip
