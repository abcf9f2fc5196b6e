// What drives an interactive component: steps, each at one time, live or from a script.
//
// Promises: a step delivers its events in order, then ticks, then renders if an event asked for it
// or a wake-up was due; `qip play` and a replay of what it recorded take the same steps, so they
// make the same frames. The first step is at time 0 and always renders.
// Bounds: each call into the component has the whole time limit; a replay takes at most
// kMaxReplaySteps steps that no event asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "host/error.hpp"
#include "host/event_script.hpp"
#include "host/interactive.hpp"
#include "host/timed_budget.hpp"
#include "loader/result.hpp"

namespace qip {

inline constexpr uint64_t kMaxReplaySteps = 1'000'000;

// Told of each frame. The pixels are borrowed for the call.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  virtual MaybeError on_frame(int64_t time, std::span<const uint8_t> rgba) = 0;
};

class InteractiveLoop {
 public:
  // All of them outlive the loop. The budget's clock must stand.
  InteractiveLoop(InteractiveSession& session, TimedBudget& budget, FrameSink& sink)
      : session_(&session), budget_(&budget), sink_(&sink) {}

  // One step at `now`, which is later than the last step's. Ticks and ends are not delivered.
  MaybeError step(int64_t now, std::span<const Event> events);

  // When the component wants the next step, later than the last one; empty: only after an event.
  std::optional<int64_t> wake() const { return wake_; }

 private:
  MaybeError deliver(const Event& event, int64_t now, bool& wants_frame);
  MaybeError render(int64_t now);

  InteractiveSession* session_;
  TimedBudget* budget_;
  FrameSink* sink_;
  bool is_first_ = true;
  std::optional<int64_t> wake_;
};

// Runs a script from time 0 to its last event.
MaybeError replay(InteractiveLoop& loop, const EventScript& script,
                  const ComponentInstance& instance);

}  // namespace qip
