// Steps and replays, with a component whose only pixel counts what it was told: ticks, keys,
// positions, and the argument of the last event.
#include "host/replay.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "host/test_modules.hpp"

namespace qip {
namespace {

using namespace qip::test;

constexpr uint32_t kPixel = 1024;

Bytes count_at(uint32_t offset) {
  const Bytes address = i32_const(kPixel + offset);
  return address + address + i32_load8_u() + i32_const(1) + i32_add() + i32_store8();
}
Bytes keep(uint32_t local) {
  return i32_const(kPixel + 3) + local_get(local) + i32_store8();
}
// The time that tick() was told and so many milliseconds.
Bytes later(uint64_t milliseconds) {
  return local_get(0) + i64_const(milliseconds) + Bytes{0x7C};  // i64.add
}
// 1,000 turns of a loop of seven instructions, by the byte at 0.
Bytes work() {
  const Bytes counter = i32_const(0);
  return counter + i32_const(0) + i32_store8() + Bytes{0x03, 0x40} + counter + counter +
         i32_load8_u() + i32_const(1) + i32_add() + i32_store8() + counter + i32_load8_u() +
         i32_const(200) + Bytes{0x47, 0x0D, 0x00, 0x0B};  // i32.ne, br_if, end
}

// A key asks for a frame by its flags, the pointer by its buttons.
ModuleBuilder counting(const Bytes& tick_result, const Bytes& tick_work = {}) {
  ModuleBuilder builder;
  return builder.memory_with_maximum(1, 1)
      .function("tick", {kI64}, {kI64}, tick_work + count_at(0) + tick_result)
      .function("key_event", {kI32, kI32, kI64}, {kI32}, count_at(1) + keep(0) + local_get(1))
      .function("pointer_event", {kI32, kI32, kI32, kI64}, {kI32},
                count_at(2) + keep(1) + local_get(0))
      .function("render", {kI32}, {kI32}, i32_const(4))
      .value("render_width_px", 1)
      .value("render_height_px", 1)
      .value("output_rgba8_srgb_bytes", 4)
      .value("output_ptr", kPixel);
}

// "0: 1 0 0 0", the time and the pixel of each frame.
using Lines = std::vector<std::string>;

class Recorder : public FrameSink {
 public:
  MaybeError on_frame(int64_t time, std::span<const uint8_t> rgba) override {
    frames++;
    std::string line = std::to_string(time) + ":";
    for (const uint8_t byte : rgba) line += " " + std::to_string(byte);
    if (lines.size() < 1000) lines.push_back(line);
    if (lines.size() == fail_at) return file_error("full");
    return std::nullopt;
  }

  Lines lines;
  uint64_t frames = 0;
  size_t fail_at = 0;
};

struct Outcome {
  std::string error;
  Lines lines;
  uint64_t frames = 0;
};

Outcome play(const ModuleBuilder& builder, std::string_view text, const RunLimits& limits = {},
             size_t fail_at = 0) {
  Outcome outcome;
  Result<EventScript, std::string> script = parse_event_script(text);
  EXPECT_TRUE(script.ok()) << text;
  Result<Component, HostError> component = load_component("guest.wasm", builder.bytes(), limits);
  EXPECT_TRUE(component.ok());
  TimedBudget budget(limits);
  budget.resume();
  Result<std::unique_ptr<ComponentInstance>, HostError> instance =
      ComponentInstance::create(component.value(), budget);
  EXPECT_TRUE(instance.ok());
  Result<InteractiveSession, HostError> session = InteractiveSession::bind(*instance.value(), {});
  EXPECT_TRUE(session.ok());
  budget.pause();
  Recorder recorder;
  recorder.fail_at = fail_at;
  InteractiveLoop loop(session.value(), budget, recorder);
  const MaybeError failure = replay(loop, script.value(), *instance.value());
  if (failure) outcome.error = failure->message;
  outcome.lines = recorder.lines;
  outcome.frames = recorder.frames;
  return outcome;
}

const Bytes kNever = i64_const(0);

TEST(Replay, TheFirstStepIsAtZeroAndRenders) {
  for (const char* script :
       {"", "ticks recorded", "0 tick", "0 end", "1000 end", "ticks recorded\n1000 end"}) {
    EXPECT_EQ(play(counting(kNever), script).lines, Lines{"0: 1 0 0 0"}) << script;
  }
}

TEST(Replay, EventsOfOneTimeAreOneStepInTheirOrder) {
  EXPECT_EQ(play(counting(kNever), "0 key a down\n0 pointer 7 0\n5 key b down\n5 key c up\n").lines,
            (Lines{"0: 1 1 1 7", "5: 2 3 1 99"}));
}

TEST(Replay, WithoutAWishThereIsNoFrame) {
  EXPECT_EQ(
      play(counting(kNever), "3 key a up\n4 tick\n5 pointer 8 0\n6 pointer 9 0 middle\n").lines,
      (Lines{"0: 1 0 0 0", "6: 5 1 2 9"}));
}

TEST(Replay, AWakeUpIsAStepAndAFrame) {
  EXPECT_EQ(play(counting(later(10)), "25 key a up\n40 end\n").lines,
            (Lines{"0: 1 0 0 0", "10: 2 0 0 0", "20: 3 0 0 0", "35: 5 1 0 97"}))
      << "the key at 25 is a step without a frame, after which the component wants 35";
}

TEST(Replay, AWakeUpAtTheTimeOfAnEventIsTheSameStep) {
  EXPECT_EQ(play(counting(later(10)), "10 key a up\n").lines,
            (Lines{"0: 1 0 0 0", "10: 2 1 0 97"}));
  EXPECT_EQ(play(counting(later(10)), "10 end\n").lines, (Lines{"0: 1 0 0 0", "10: 2 0 0 0"}));
  EXPECT_EQ(play(counting(later(10)), "9 end\n").lines, Lines{"0: 1 0 0 0"});
}

TEST(Replay, WithoutAnEndTheLastEventIsTheEnd) {
  EXPECT_EQ(play(counting(later(10)), "5 tick\n").lines, Lines{"0: 1 0 0 0"});
  EXPECT_EQ(play(counting(later(10)), "").lines, Lines{"0: 1 0 0 0"});
}

TEST(Replay, RecordedTicksAreTheOnlyOnes) {
  EXPECT_EQ(play(counting(later(10)), "ticks recorded\n9 tick\n25 tick\n99 end\n").lines,
            (Lines{"0: 1 0 0 0", "25: 3 0 0 0"}))
      << "at 9 nothing was due, and what was wished for 19 comes at 25";
}

TEST(Replay, AWishForThePastIsOneForTheNextMillisecond) {
  EXPECT_EQ(play(counting(i64_const(1)), "4 end\n").lines,
            (Lines{"0: 1 0 0 0", "1: 2 0 0 0", "2: 3 0 0 0", "3: 4 0 0 0", "4: 5 0 0 0"}));
}

TEST(Replay, TheEndOfTimeHasNoNextMillisecond) {
  EXPECT_EQ(play(counting(i64_const(INT64_MAX)), "9223372036854775807 end\n").lines,
            (Lines{"0: 1 0 0 0", "9223372036854775807: 2 0 0 0"}));
}

TEST(Replay, WakeUpsAreBounded) {
  const Outcome outcome = play(counting(later(1)), "9223372036854775807 end\n");
  EXPECT_EQ(outcome.error, "guest.wasm: wants more than 1000000 wake-ups between the events");
  EXPECT_EQ(outcome.frames, kMaxReplaySteps + 1);
}

TEST(Replay, EveryCallHasAllOfTheLimits) {
  RunLimits limits;
  limits.fuel = 4'000;
  const ModuleBuilder working = counting(later(1), work());
  const Outcome outcome = play(working, "100 end\n", limits);
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.frames, 101u);
  limits.fuel = 1'000;
  EXPECT_TRUE(play(working, "100 end\n", limits).error.starts_with("guest.wasm: tick(0) failed: "));
}

TEST(Replay, ATrapEndsIt) {
  ModuleBuilder builder;
  builder.memory_with_maximum(1, 1)
      .function("tick", {kI64}, {kI64}, i64_const(0))
      .function("key_event", {kI32, kI32, kI64}, {kI32}, unreachable())
      .function("render", {kI32}, {kI32}, i32_const(4))
      .value("render_width_px", 1)
      .value("render_height_px", 1)
      .value("output_rgba8_srgb_bytes", 4)
      .value("output_ptr", kPixel);
  const Outcome outcome = play(builder, "5 key a down\n6 end\n");
  EXPECT_TRUE(outcome.error.starts_with("guest.wasm: key_event() failed: ")) << outcome.error;
  EXPECT_EQ(outcome.frames, 1u);
}

TEST(Replay, AnErrorOfTheSinkEndsIt) {
  const Outcome outcome = play(counting(later(10)), "100 end\n", {}, 2);
  EXPECT_EQ(outcome.error, "full");
  EXPECT_EQ(outcome.frames, 2u);
}

}  // namespace
}  // namespace qip
