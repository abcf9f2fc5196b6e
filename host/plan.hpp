// plan_chain(): what a chain would do and whether its components fit together, without running it.
//
// Promises: of each component only the value exports run, each inside the limits; no start
// function, no uniform, no entry. Every component is looked at, also behind one that does not fit.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/chain.hpp"
#include "host/content_type.hpp"
#include "host/contract.hpp"
#include "host/detection.hpp"
#include "host/limits.hpp"

namespace qip {

struct PlannedStage {
  Detection detection;
  bool is_bound = false;  // the fields below say something
  ContentContract contract;
  ContentValues values;
  DeclaredTypes types;
  uint32_t tile_capacity = 0;  // bytes; instead of contract, values and types if it is a filter
  // Pixels; instead of all of these if it is an interactive component, which must be alone.
  uint32_t frame_width = 0;
  uint32_t frame_height = 0;
  ContentType incoming;
  ContentType outgoing;
  // A sentence that names the component; empty: the stage fits.
  std::string problem;
  // Sentences without the component.
  std::vector<std::string> warnings;
};

std::vector<PlannedStage> plan_chain(std::span<const Stage> stages, const RunLimits& limits);

}  // namespace qip
