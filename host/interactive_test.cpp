// The Interactive contract against hostile guests: what is missing, of another type, or impossible.
#include "host/interactive.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "host/test_modules.hpp"

namespace qip {
namespace {

using namespace qip::test;

// The exports of a component with a frame of 2 x 3 pixels at 1024, in one page of memory.
struct Parts {
  uint32_t width = 2;
  uint32_t height = 3;
  uint32_t announced = 24;
  uint32_t rendered = 24;
  uint32_t pointer = 1024;
  bool has_pointer = true;
  Bytes tick = i64_const(0);
  Bytes render{};  // before its result

  ModuleBuilder builder() const {
    ModuleBuilder builder;
    builder.memory_with_maximum(1, 1)
        .function("tick", {kI64}, {kI64}, tick)
        .function("render", {kI32}, {kI32}, render + i32_const(rendered))
        .value("render_width_px", width)
        .value("render_height_px", height)
        .value("output_rgba8_srgb_bytes", announced)
        .data(1024, "ABCDEFGHIJKLMNOPQRSTUVWX");
    if (has_pointer) builder.value("output_ptr", pointer);
    return builder;
  }
};

// A session with everything that it needs, and what went wrong until now.
struct Life {
  explicit Life(const ModuleBuilder& builder, const RunLimits& limits = {},
                const Uniforms& uniforms = {})
      : budget(limits) {
    Result<Component, HostError> loaded = load_component("guest.wasm", builder.bytes(), limits);
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    component = std::move(loaded.value());
    budget.resume();
    Result<std::unique_ptr<ComponentInstance>, HostError> made =
        ComponentInstance::create(component, budget);
    EXPECT_TRUE(made.ok()) << made.error().message;
    instance = std::move(made.value());
    Result<InteractiveSession, HostError> bound = InteractiveSession::bind(*instance, uniforms);
    if (bound.ok()) {
      session.emplace(std::move(bound.value()));
    } else {
      error = bound.error().message;
    }
  }

  std::string render_error() {
    if (!session) return error;
    const Result<GuestBytes, HostError> frame = session->render();
    return frame.ok() ? "" : frame.error().message;
  }

  TimedBudget budget;
  Component component;
  std::unique_ptr<ComponentInstance> instance;
  std::optional<InteractiveSession> session;
  std::string error;
};

std::string error_of(const Parts& parts) {
  return Life(parts.builder()).render_error();
}

TEST(InteractiveSession, AFrameIsTheBytesAtThePointer) {
  Life life(Parts{}.builder());
  ASSERT_TRUE(life.session) << life.error;
  EXPECT_EQ(life.session->width(), 2u);
  EXPECT_EQ(life.session->height(), 3u);
  EXPECT_FALSE(life.session->takes_keys());
  EXPECT_FALSE(life.session->takes_pointer());
  const Result<GuestBytes, HostError> frame = life.session->render();
  ASSERT_TRUE(frame.ok()) << frame.error().message;
  const std::span<const uint8_t> bytes = frame.value().get();
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "ABCDEFGHIJKLMNOPQRSTUVWX");
}

TEST(InteractiveSession, ASizeIsAtLeastOnePixel) {
  const struct {
    uint32_t width, height;
    const char* text;
  } kSizes[] = {
      {0, 3, "0x3"}, {2, 0, "2x0"}, {0xFFFF'FFFF, 3, "-1x3"}, {2, 0x8000'0000, "2x-2147483648"}};
  for (const auto& size : kSizes) {
    Parts parts;
    parts.width = size.width;
    parts.height = size.height;
    EXPECT_EQ(error_of(parts), std::string("guest.wasm: interactive module reported invalid "
                                           "render size ") +
                                   size.text);
  }
}

TEST(InteractiveSession, TheSizesAreEqual) {
  const char* const kEnd = " bytes, expected 24 (render_width_px*render_height_px*4)";
  for (const uint32_t size : {0u, 23u, 25u, 0xFFFF'FFFFu}) {
    Parts parts;
    parts.rendered = size;
    EXPECT_EQ(error_of(parts), "guest.wasm: render(0) returned " + std::to_string(size) + kEnd);
    parts = Parts{};
    parts.announced = size;
    EXPECT_EQ(error_of(parts),
              "guest.wasm: output_rgba8_srgb_bytes returned " + std::to_string(size) + kEnd);
    parts.rendered = 1;  // is looked at first
    EXPECT_EQ(error_of(parts), std::string("guest.wasm: render(0) returned 1") + kEnd);
  }
}

// 0x4000'0001 * 4 pixels of 4 bytes are 16 bytes modulo 2^32.
TEST(InteractiveSession, AProductBeyond32BitsIsNoSmallFrame) {
  Parts parts;
  parts.width = 0x4000'0001;
  parts.height = 4;
  parts.announced = parts.rendered = 16;
  EXPECT_EQ(error_of(parts),
            "guest.wasm: render(0) returned 16 bytes, expected 17179869200 "
            "(render_width_px*render_height_px*4)");
}

TEST(InteractiveSession, TheFrameLiesInTheMemory) {
  for (const uint32_t pointer : {65536u - 23, 65536u, 0x8000'0000u, 0xFFFF'FFFFu}) {
    Parts parts;
    parts.pointer = pointer;
    EXPECT_EQ(error_of(parts), "guest.wasm: could not read output frame") << pointer;
  }
  Parts parts;
  parts.pointer = 65536 - 24;
  EXPECT_EQ(error_of(parts), "");
  parts.has_pointer = false;
  EXPECT_EQ(error_of(parts), "guest.wasm: interactive module missing output_ptr export");
}

TEST(InteractiveSession, ATrapNamesTheCall) {
  Parts parts;
  parts.tick = unreachable();
  parts.render = unreachable();
  Life life(parts.builder());
  ASSERT_TRUE(life.session);
  const auto tick = life.session->tick(17);
  ASSERT_FALSE(tick.ok());
  EXPECT_TRUE(tick.error().message.starts_with("guest.wasm: tick(17) failed: "))
      << tick.error().message;
  EXPECT_TRUE(life.render_error().starts_with("guest.wasm: render(0) failed: "));
}

TEST(InteractiveSession, OnlyATimeAfterZeroIsAWish) {
  const struct {
    int64_t result;
    std::optional<int64_t> wake;
  } kResults[] = {{0, {}}, {-1, {}}, {INT64_MIN, {}}, {1, 1}, {INT64_MAX, INT64_MAX}};
  for (const auto& row : kResults) {
    Parts parts;
    parts.tick = i64_const(static_cast<uint64_t>(row.result));
    Life life(parts.builder());
    ASSERT_TRUE(life.session);
    const auto wake = life.session->tick(100);
    ASSERT_TRUE(wake.ok());
    EXPECT_EQ(wake.value(), row.wake);
  }
}

TEST(InteractiveSession, EventsGoToTheFunctionsThatAreThere) {
  ModuleBuilder builder = Parts{}.builder();
  builder.function("key_event", {kI32, kI32, kI64}, {kI32}, local_get(1));
  Life life(builder);
  ASSERT_TRUE(life.session);
  EXPECT_TRUE(life.session->takes_keys());
  EXPECT_FALSE(life.session->takes_pointer());
  EXPECT_EQ(life.session->key_event('a', kKeyDown, 0).value(), true);
  EXPECT_EQ(life.session->key_event('a', 0, 0).value(), false);
  EXPECT_EQ(life.session->pointer_event(kPrimaryButton, 1, 2, 0).value(), false);

  builder.function("pointer_event", {kI32, kI32, kI32, kI64}, {kI32}, unreachable());
  Life trapping(builder);
  ASSERT_TRUE(trapping.session);
  const auto event = trapping.session->pointer_event(0, 1, 2, 0);
  ASSERT_FALSE(event.ok());
  EXPECT_TRUE(event.error().message.starts_with("guest.wasm: pointer_event() failed: "));
}

TEST(InteractiveSession, EventFunctionsHaveTheirSignature) {
  ModuleBuilder keys = Parts{}.builder();
  keys.function("key_event", {kI32, kI32}, {kI32}, i32_const(0));
  EXPECT_EQ(Life(keys).error,
            "guest.wasm: Wasm module must export key_event as (i32, i32, i64) -> i32");
  ModuleBuilder pointer = Parts{}.builder();
  pointer.function("pointer_event", {kI32, kI32, kI32, kI64}, {}, {});
  EXPECT_EQ(Life(pointer).error,
            "guest.wasm: Wasm module must export pointer_event as (i32, i32, i32, i64) -> i32");
}

TEST(InteractiveSession, AnotherContractIsRefused) {
  ModuleBuilder builder;
  builder.memory(1).value("render_width_px", 1);
  EXPECT_NE(Life(builder).error.find("to be interactive"), std::string::npos);
}

// Global 0: the width; global 1: the announced bytes.
ModuleBuilder with_uniforms() {
  ModuleBuilder builder;
  return builder.memory_with_maximum(1, 1)
      .global("", kI32, true, i32_const(2))
      .global("", kI32, true, i32_const(24))
      .function("tick", {kI64}, {kI64}, i64_const(0))
      .function("render", {kI32}, {kI32}, i32_const(36))
      .function("render_width_px", {}, {kI32}, global_get(0))
      .value("render_height_px", 3)
      .function("output_rgba8_srgb_bytes", {}, {kI32}, global_get(1))
      .value("output_ptr", 0)
      .function("uniform_set_width", {kI32}, {}, local_get(0) + global_set(0))
      .function("uniform_set_bytes", {kI32}, {}, local_get(0) + global_set(1));
}

TEST(InteractiveSession, TheByteCountIsReadBeforeTheUniformsAndTheSizeBehindThem) {
  Life life(with_uniforms(), {}, {{"width", "3"}, {"bytes", "36"}});
  ASSERT_TRUE(life.session) << life.error;
  EXPECT_EQ(life.session->width(), 3u);
  EXPECT_EQ(life.render_error(),
            "guest.wasm: output_rgba8_srgb_bytes returned 24 bytes, expected 36 "
            "(render_width_px*render_height_px*4)");
}

TEST(InteractiveSession, AFrameIsAnOutputWithinTheLimits) {
  RunLimits limits;
  limits.max_output_bytes = 24;
  EXPECT_EQ(Life(Parts{}.builder(), limits).render_error(), "");
  limits.max_output_bytes = 23;
  EXPECT_NE(Life(Parts{}.builder(), limits).render_error(), "");
}

}  // namespace
}  // namespace qip
