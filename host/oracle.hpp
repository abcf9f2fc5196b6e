// Compliance: whether a component keeps the basic contract, and whether it does what an oracle
// says.
//
// An oracle is a module that imports from `impl` what the component under test exports (its memory
// at the least), and exports positive() -> i32 and perhaps negative() -> i32: more than 0 passes.
// `qip.render_must_trap` (i32) -> (i32) renders an input of that size: 1 if the component traps.
// Promises: every check gets fresh instances, all of the time and all of the fuel; nothing that an
// oracle or a component does outlives its check. A budget that runs out ends the check as a
// failure, also inside qip.render_must_trap: it says nothing about the component.
// Assumes: the clock of the budget stands. Bytes of guests in messages are escaped and cut.
#pragma once

#include "host/component.hpp"
#include "host/error.hpp"
#include "host/timed_budget.hpp"

namespace qip {

// Content and Tile components: memory, the signature of the entry, exactly one input and one output
// capacity, and every value export a plain constant of type i32 (an immutable global, or a function
// without calls, loops, branches, locals and memory access). The component is instantiated.
// Empty: it complies. The message does not begin with the component's path.
MaybeError check_basic_contract(const Component& component, TimedBudget& budget);

struct OracleOutcome {
  MaybeError failure;       // of the first check that failed; empty: all passed
  const char* checks = "";  // that the oracle has: "positive" or "positive, negative"
};
// Links the oracle to the component and runs each check that it exports, until one fails.
// Precondition: check_basic_contract() found nothing.
OracleOutcome run_oracle(const Component& implementation, const Component& oracle,
                         TimedBudget& budget);

}  // namespace qip
