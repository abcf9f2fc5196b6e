// Steps and replays. A group of events with one time is one step.
#include "host/replay.hpp"

#include "host/text.hpp"

namespace qip {

MaybeError InteractiveLoop::deliver(const Event& event, int64_t now, bool& wants_frame) {
  Result<bool, HostError> wants = false;
  budget_->restart();
  budget_->resume();
  if (event.kind == EventKind::Key) {
    wants = session_->key_event(event.keysym, event.flags, now);
  } else if (event.kind == EventKind::Pointer) {
    wants = session_->pointer_event(event.buttons, event.x, event.y, now);
  }
  budget_->pause();
  if (!wants.ok()) return std::move(wants.error());
  wants_frame |= wants.value();
  return std::nullopt;
}

MaybeError InteractiveLoop::render(int64_t now) {
  budget_->restart();
  budget_->resume();
  const Result<GuestBytes, HostError> frame = session_->render();
  budget_->pause();
  if (!frame.ok()) return frame.error();
  return sink_->on_frame(now, frame.value().get());
}

MaybeError InteractiveLoop::step(int64_t now, std::span<const Event> events) {
  bool wants_frame = is_first_ || (wake_ && *wake_ <= now);
  is_first_ = false;
  for (const Event& event : events) {
    if (MaybeError failure = deliver(event, now, wants_frame)) return failure;
  }
  budget_->restart();
  budget_->resume();
  const Result<std::optional<int64_t>, HostError> wake = session_->tick(now);
  budget_->pause();
  if (!wake.ok()) return wake.error();
  wake_ = wake.value();
  // A time that has passed means as soon as possible; INT64_MAX has no later time.
  if (wake_ && *wake_ <= now) {
    wake_ = now < INT64_MAX ? std::optional<int64_t>(now + 1) : std::nullopt;
  }
  return wants_frame ? render(now) : std::nullopt;
}

MaybeError replay(InteractiveLoop& loop, const EventScript& script,
                  const ComponentInstance& instance) {
  std::span<const Event> rest(script.events);
  const auto take_group = [&rest](int64_t time) {
    size_t count = 0;
    while (count < rest.size() && rest[count].time == time) count++;
    const std::span<const Event> group = rest.first(count);
    rest = rest.subspan(count);
    return group;
  };
  if (MaybeError failure = loop.step(0, take_group(0))) return failure;
  uint64_t steps = 0;
  while (!rest.empty()) {
    const int64_t next = rest.front().time;
    const std::optional<int64_t> wake = script.ticks_recorded ? std::nullopt : loop.wake();
    const bool is_wake = wake && *wake < next;
    const bool is_end = rest.front().kind == EventKind::End;
    if (is_end && !is_wake && wake != next) break;  // an end alone is no step
    if (is_wake && ++steps > kMaxReplaySteps) {
      return instance.error("wants more than " + number_text(kMaxReplaySteps) +
                            " wake-ups between the events");
    }
    const int64_t now = is_wake ? *wake : next;
    const std::span<const Event> group = is_wake ? std::span<const Event>{} : take_group(now);
    if (MaybeError failure = loop.step(now, group)) return failure;
  }
  return std::nullopt;
}

}  // namespace qip
