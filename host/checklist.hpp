// check_component(): the practical checklist of a component's contract, tried on live instances.
//
// Promises: one finding per rule, in a fixed order; the component runs only inside the time limit,
// which every single try gets afresh; nothing that it does ends the checklist early, except that an
// instance cannot be made at all.
// Bounds: a constant number of tries; inputs of at most kMostCheckedInputBytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/component.hpp"
#include "host/detection.hpp"
#include "host/limits.hpp"

namespace qip {

// A larger capacity is not tried out.
inline constexpr uint64_t kMostCheckedInputBytes = uint64_t{64} << 20;

enum class Verdict : uint8_t {
  Pass,
  Note,  // allowed, but worth knowing
  Fail,  // a breach of the contract
};

struct Finding {
  Verdict verdict = Verdict::Pass;
  std::string rule;   // "input buffer"
  std::string words;  // what was found; safe for a terminal
};

struct Checklist {
  ContractKind kind = ContractKind::None;
  std::vector<Finding> findings;

  uint64_t count(Verdict verdict) const;
};

// `sample`: an input to try besides the built-in ones; empty: none.
Checklist check_component(const Component& component, const RunLimits& limits,
                          std::span<const uint8_t> sample = {});

}  // namespace qip
