// The basic contract, rule by rule, and oracles: every verdict, and oracles that misbehave.
#include "host/oracle.hpp"

#include <gtest/gtest.h>

#include <string>

#include "host/test_modules.hpp"

namespace qip {
namespace {

using namespace qip::test;

Component component_of(const ModuleBuilder& builder, const std::string& path,
                       const RunLimits& limits = {}) {
  Result<Component, HostError> component = load_component(path, builder.bytes(), limits);
  EXPECT_TRUE(component.ok()) << component.error().message;
  return std::move(component.value());
}

// Instructions that only these tests need.
Bytes i32_eqz() {
  return {0x45};
}
Bytes i32_sub() {
  return {0x6B};
}
Bytes return_() {
  return {0x0F};
}
Bytes global_add_one(uint32_t index) {
  return global_get(index) + i32_const(1) + i32_add() + global_set(index);
}
Bytes trap_if_top() {
  return Bytes{0x04, 0x40} + unreachable() + Bytes{0x0B};
}

// --- The basic contract --------------------------------------------------------------------------

ModuleBuilder without_input_ptr() {
  ModuleBuilder module;
  module.memory(1)
      .value("input_utf8_cap", 1024)
      .value("output_ptr", 2048)
      .value("output_utf8_cap", 1024)
      .function("render", {kI32}, {kI32}, local_get(0));
  return module;
}
ModuleBuilder content() {
  return without_input_ptr().value("input_ptr", 16);
}

// What is wrong with a component; empty: it complies.
std::string breach(const ModuleBuilder& builder, const RunLimits& limits = {}) {
  const Component component = component_of(builder, "impl.wasm", limits);
  TimedBudget budget(limits);
  const MaybeError failure = check_basic_contract(component, budget);
  return failure ? failure->message : "";
}

testing::AssertionResult says(const std::string& message, std::string_view part) {
  if (message.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "the message is: " << testing::PrintToString(message);
}

TEST(BasicContractTest, ContentWithConstantFunctionsComplies) {
  EXPECT_EQ(breach(content()), "");
  EXPECT_EQ(breach(ModuleBuilder()
                       .memory(1)
                       .value("input_ptr", 16)
                       .value("input_bytes_cap", 1)
                       .value("output_ptr", 16)
                       .value("output_i32_cap", 1)
                       .function("run", {kI32}, {kI32}, local_get(0))),
            "");
}

TEST(BasicContractTest, ImmutableGlobalsAreConstants) {
  EXPECT_EQ(breach(without_input_ptr().global("input_ptr", kI32, false, i32_const(16))), "");
  EXPECT_EQ(breach(without_input_ptr()
                       .global("", kI32, false, i32_const(16))
                       .function("input_ptr", {}, {kI32}, global_get(0))),
            "");
}

TEST(BasicContractTest, ConstantExpressionsAreConstants) {
  EXPECT_EQ(breach(without_input_ptr().function("input_ptr", {}, {kI32},
                                                i32_const(8) + i32_const(8) + i32_add())),
            "");
}

TEST(BasicContractTest, MutableGlobalsAreNoConstants) {
  EXPECT_EQ(breach(without_input_ptr().global("input_ptr", kI32, true, i32_const(16))),
            "input_ptr is not a plain constant: it is a mutable global");
  EXPECT_TRUE(says(breach(without_input_ptr()
                              .global("", kI32, true, i32_const(16))
                              .function("input_ptr", {}, {kI32}, global_get(0))),
                   "input_ptr() is not a plain constant: global.get of a mutable global at byte "));
}

TEST(BasicContractTest, GettersContainNothingButAConstant) {
  const struct {
    Bytes body;
    std::string_view instruction;
  } cases[] = {
      {call(0), "call"},
      {loop_forever() + i32_const(16), "loop"},
      {Bytes{0x02, kI32} + i32_const(16) + Bytes{0x0B}, "block"},
      {i32_const(16) + return_(), "return"},
      {i32_const(16) + i32_load8_u(), "i32.load8_u"},
      {memory_size(), "memory.size"},
      {unreachable(), "unreachable"},
      {i32_const(16) + i32_eqz(), "i32.eqz"},
      {i32_const(0) + i32_const(0) + i32_const(0) + memory_copy() + i32_const(1), "memory.copy"},
  };
  for (const auto& item : cases) {
    EXPECT_TRUE(says(
        breach(without_input_ptr().function("input_ptr", {}, {kI32}, item.body)),
        "input_ptr() is not a plain constant: " + std::string(item.instruction) + " at byte "));
  }
}

TEST(BasicContractTest, EveryValueExportIsLookedAt) {
  for (const char* name :
       {"input_content_type_ptr", "input_content_type_size", "output_content_type_ptr",
        "output_content_type_size", "failure_modes_per_input_offset"}) {
    EXPECT_TRUE(says(breach(content().function(name, {}, {kI32}, call(0))),
                     std::string(name) + "() is not a plain constant: call at byte "));
  }
}

TEST(BasicContractTest, GettersHaveTheirType) {
  EXPECT_TRUE(says(breach(without_input_ptr().function("input_ptr", {}, {kI64}, i64_const(1))),
                   "Wasm module must export input_ptr as global or function of type i32, not i64"));
  EXPECT_TRUE(says(breach(without_input_ptr().global("input_ptr", kI64, false, i64_const(1))),
                   "Wasm module must export input_ptr as global or function of type i32, not i64"));
  EXPECT_TRUE(says(breach(without_input_ptr().function("input_ptr", {kI32}, {kI32}, local_get(0))),
                   "input_ptr() call failed: it takes 1 parameter, want 0"));
}

TEST(BasicContractTest, OutputPointersHaveTheirTypeToo) {
  const auto with_pointer = [](uint8_t type, const Bytes& body) {
    return ModuleBuilder()
        .memory(1)
        .value("input_ptr", 16)
        .value("input_utf8_cap", 1)
        .value("output_utf8_cap", 1)
        .function("render", {kI32}, {kI32}, local_get(0))
        .function("output_ptr", {}, {type}, body);
  };
  EXPECT_EQ(breach(with_pointer(kI32, i32_const(16))), "");
  EXPECT_EQ(breach(with_pointer(kI64, i64_const(16))),
            "Wasm module must export output_ptr as global or function of type i32, not i64");
}

TEST(BasicContractTest, ThereIsExactlyOneCapacityEachWay) {
  EXPECT_EQ(breach(content().value("input_bytes_cap", 1)),
            "Wasm module must export only one of input_utf8_cap and input_bytes_cap");
  EXPECT_EQ(breach(content().value("output_i32_cap", 1)),
            "Wasm module must export only one of output_utf8_cap, output_i32_cap and "
            "output_bytes_cap");
  EXPECT_TRUE(says(breach(ModuleBuilder()
                              .memory(1)
                              .value("input_ptr", 16)
                              .value("output_ptr", 16)
                              .value("output_utf8_cap", 1)
                              .function("render", {kI32}, {kI32}, local_get(0))),
                   "Wasm module must export input_utf8_cap or input_bytes_cap"));
  EXPECT_TRUE(
      says(breach(ModuleBuilder()
                      .memory(1)
                      .value("input_ptr", 16)
                      .value("input_utf8_cap", 1)
                      .value("output_ptr", 16)
                      .function("render", {kI32}, {kI32}, local_get(0))),
           "Wasm module must export output_utf8_cap or output_i32_cap or output_bytes_cap"));
}

TEST(BasicContractTest, AComponentWithoutOutputDoesNotComply) {
  EXPECT_EQ(breach(ModuleBuilder()
                       .memory(1)
                       .value("input_ptr", 16)
                       .value("input_utf8_cap", 1)
                       .function("render", {kI32}, {kI32}, local_get(0))),
            "Wasm module must export output_ptr as global or function");
}

TEST(BasicContractTest, MemoryAndEntryAreThere) {
  const auto values = [](ModuleBuilder module) {
    return module.value("input_ptr", 16)
        .value("input_utf8_cap", 1)
        .value("output_ptr", 16)
        .value("output_utf8_cap", 1);
  };
  EXPECT_TRUE(says(breach(values(ModuleBuilder()).function("render", {kI32}, {kI32}, local_get(0))),
                   "Wasm module must export memory"));
  EXPECT_TRUE(says(breach(values(ModuleBuilder().memory(1))),
                   "Wasm module must export render(i32) -> i32 or run(i32) -> i32"));
  EXPECT_TRUE(says(
      breach(
          values(ModuleBuilder().memory(1)).function("render", {kI32, kI32}, {kI32}, local_get(0))),
      "Wasm module must export render(i32) -> i32, not render(i32, i32) -> (i32)"));
}

TEST(BasicContractTest, APackedResultNeedsNoOutputPointerAndNoInput) {
  EXPECT_EQ(breach(ModuleBuilder()
                       .memory(1)
                       .value("input_ptr", 16)
                       .value("input_utf8_cap", 1)
                       .value("output_utf8_cap", 1)
                       .function("render", {kI32}, {kI64}, i64_const(0))),
            "");
  EXPECT_EQ(breach(ModuleBuilder()
                       .memory(1)
                       .value("output_utf8_cap", 1)
                       .function("render", {kI32}, {kI64}, i64_const(0))),
            "");
}

TEST(BasicContractTest, TileComponentsHaveTheirOwnEntry) {
  const auto tile = [](const Bytes& parameters) {
    return ModuleBuilder()
        .memory(1)
        .value("input_ptr", 16)
        .function("tile_rgba32float_64x64", parameters, {}, {});
  };
  EXPECT_EQ(breach(tile({kF32, kF32}).value("input_bytes_cap", 65536)), "");
  EXPECT_EQ(breach(tile({kF32, kF32})),
            "Wasm module must export input_bytes_cap as global or function");
  EXPECT_EQ(breach(tile({kF32}).value("input_bytes_cap", 65536)),
            "Wasm module must export tile_rgba32float_64x64(f32, f32) -> (), not "
            "tile_rgba32float_64x64(f32) -> ()");
  EXPECT_EQ(breach(tile({kF32, kF32}).value("input_bytes_cap", 1).value("input_utf8_cap", 1)),
            "Wasm module must export only one of input_utf8_cap and input_bytes_cap");
}

TEST(BasicContractTest, AFormIsAskedForItsFirstPrompt) {
  const auto form = [](uint32_t error_size) {
    ModuleBuilder module = content();
    for (const char* name : {"input_key_ptr", "input_key_size", "input_label_ptr",
                             "input_label_size", "error_message_ptr"}) {
      module.value(name, 0);
    }
    return module.value("error_message_size", error_size);
  };
  EXPECT_EQ(breach(form(0)), "");
  EXPECT_EQ(breach(form(UINT32_MAX)),
            "module returned invalid pointer/size for error_message_ptr/error_message_size: ptr=0 "
            "size=-1");
}

TEST(BasicContractTest, AnInteractiveComponentIsAskedForItsFirstFrame) {
  const auto frames = [](uint32_t width) {
    return ModuleBuilder()
        .memory(1)
        .value("output_ptr", 0)
        .value("output_rgba8_srgb_bytes", 16)
        .function("render_width_px", {}, {kI32}, i32_const(static_cast<int32_t>(width)))
        .function("render_height_px", {}, {kI32}, i32_const(2))
        .function("tick", {kI64}, {kI64}, i64_const(0))
        .function("render", {kI32}, {kI32}, i32_const(16));
  };
  EXPECT_EQ(breach(frames(2)), "");
  EXPECT_EQ(breach(frames(0)), "interactive module reported invalid render size 0x2");
  EXPECT_EQ(breach(frames(3)),
            "render(0) returned 16 bytes, expected 24 (render_width_px*render_height_px*4)");
}

TEST(BasicContractTest, AComponentIsSealed) {
  EXPECT_TRUE(says(breach(ModuleBuilder().import_function("env", "f").memory(1)),
                   "this module imports env.f (function)"));
}

TEST(BasicContractTest, TheComponentIsInstantiatedWithinItsTime) {
  EXPECT_TRUE(says(breach(content().function("_start", {}, {}, unreachable())),
                   "Wasm module could not be instantiated: wasm error: unreachable"));
  RunLimits limits;
  limits.time = std::chrono::milliseconds(20);
  EXPECT_EQ(breach(content().function("_start", {}, {}, loop_forever()), limits),
            "Wasm module exceeded the execution time limit (20ms)");
}

TEST(BasicContractTest, ContentTypesComeInPairs) {
  EXPECT_TRUE(says(breach(content().value("output_content_type_ptr", 16)),
                   "output_content_type_ptr and output_content_type_size"));
}

// --- Oracles -------------------------------------------------------------------------------------

// The component under test: input at 16, output in the same place, one byte more each time. An
// input of 7 bytes traps, one of 8 never returns, one of 9 recurses without end, one of 10 counts
// its calls on this instance.
constexpr uint32_t kTraps = 7, kLoops = 8, kRecurses = 9, kCounts = 10;
Bytes when_size_is(uint32_t size, const Bytes& then) {
  return local_get(0) + i32_const(size) + i32_sub() + i32_eqz() + Bytes{0x04, 0x40} + then +
         Bytes{0x0B};
}
ModuleBuilder implementation() {
  ModuleBuilder module;
  module.memory(1)
      .value("input_ptr", 16)
      .value("input_utf8_cap", 1024)
      .value("output_ptr", 16)
      .value("output_utf8_cap", 2048)
      .global("", kI32, true, i32_const(0))
      .function("render", {kI32}, {kI32},
                when_size_is(kTraps, unreachable()) + when_size_is(kLoops, loop_forever()) +
                    when_size_is(kRecurses, local_get(0) + call(4) + drop()) +
                    when_size_is(kCounts, global_add_one(0) + global_get(0) + return_()) +
                    local_get(0) + i32_const(1) + i32_add())
      .function("pages", {}, {kI32}, memory_size())
      .global("answer", kI32, false, i32_const(42));
  return module;
}

// Function indices of what oracle() imports.
constexpr uint32_t kRender = 0, kMustTrap = 1, kPages = 2;
// Imports all there is to import; the body of positive().
ModuleBuilder oracle(const Bytes& positive) {
  ModuleBuilder module;
  module.import_memory("impl", "memory", 1)
      .import_function("impl", "render", {kI32}, {kI32})
      .import_function("qip", "render_must_trap", {kI32}, {kI32})
      .import_function("impl", "pages", {}, {kI32})
      .function("positive", {}, {kI32}, positive);
  return module;
}
ModuleBuilder oracle(const Bytes& positive, const Bytes& negative) {
  return oracle(positive).function("negative", {}, {kI32}, negative);
}
Bytes render(uint32_t size) {
  return i32_const(size) + call(kRender);
}
Bytes must_trap(uint32_t size) {
  return i32_const(size) + call(kMustTrap);
}

struct Verdict {
  std::string failure;  // empty: passed
  std::string checks;
};
Verdict judge(const ModuleBuilder& builder, const RunLimits& limits = {},
              const ModuleBuilder& tested = implementation()) {
  const Component component = component_of(tested, "impl.wasm", limits);
  const Component judged = component_of(builder, "oracle.wasm", limits);
  TimedBudget budget(limits);
  const OracleOutcome outcome = run_oracle(component, judged, budget);
  return {outcome.failure ? outcome.failure->message : "", outcome.checks};
}
std::string failure_of(const ModuleBuilder& builder, const RunLimits& limits = {}) {
  return judge(builder, limits).failure;
}
RunLimits short_time() {
  RunLimits limits;
  limits.time = std::chrono::milliseconds(50);
  return limits;
}
RunLimits little_fuel() {
  RunLimits limits;
  limits.fuel = 10'000;
  return limits;
}

TEST(OracleTest, MoreThanZeroPasses) {
  for (const uint32_t status : {1u, 5u, 0x7FFFFFFFu}) {
    EXPECT_EQ(failure_of(oracle(i32_const(status))), "");
  }
}

TEST(OracleTest, ZeroAndLessFail) {
  EXPECT_EQ(failure_of(oracle(i32_const(0))), "positive() returned 0");
  EXPECT_EQ(failure_of(oracle(i32_const(0xFFFFFFFF))), "positive() returned -1");
  EXPECT_EQ(failure_of(oracle(i32_const(0x80000000))), "positive() returned -2147483648");
  EXPECT_EQ(failure_of(oracle(i32_const(1), i32_const(0))), "negative() returned 0");
}

TEST(OracleTest, TheChecksThatItHasAreNamed) {
  EXPECT_EQ(judge(oracle(i32_const(1))).checks, "positive");
  EXPECT_EQ(judge(oracle(i32_const(1), i32_const(1))).checks, "positive, negative");
}

TEST(OracleTest, ItCallsTheComponentAndSharesItsMemory) {
  // Writes a byte at 16 and finds it there again; the component returns the size and one.
  const Bytes body = i32_const(16) + i32_const(9) + i32_store8() + render(3) + i32_const(16) +
                     i32_load8_u() + i32_add() + i32_const(13) + i32_sub() + i32_eqz();
  EXPECT_EQ(failure_of(oracle(body)), "");
}

TEST(OracleTest, EveryCheckHasFreshInstances) {
  // Each expects to be the first to count, and to find a zero where it leaves a one.
  const Bytes body = i32_const(500) + i32_load8_u() + trap_if_top() + i32_const(500) +
                     i32_const(1) + i32_store8() + render(kCounts) + i32_const(1) + i32_sub() +
                     trap_if_top() + i32_const(1);
  EXPECT_EQ(failure_of(oracle(body, body)), "");
}

TEST(OracleTest, GlobalsCanBeImported) {
  ModuleBuilder judged;
  judged.import_memory("impl", "memory", 1)
      .import_global("impl", "answer")
      .function("positive", {}, {kI32}, global_get(0) + i32_const(42) + i32_sub() + i32_eqz());
  EXPECT_EQ(failure_of(judged), "");
}

TEST(OracleTest, GrowingTheComponentsMemoryIsSeenByBoth) {
  // The component grows by what the oracle asks for; a write to the new page is a write to both.
  const Bytes body = i32_const(1) + memory_grow() + drop() + call(kPages) + i32_const(2) +
                     i32_sub() + trap_if_top() + i32_const(70000) + i32_const(1) + i32_store8() +
                     memory_size() + i32_const(1) + i32_sub();
  EXPECT_EQ(failure_of(oracle(body)), "");
}

TEST(OracleTest, MemoryNeverGrowsBeyondWhatTheComponentDeclares) {
  ModuleBuilder fixed;
  fixed.memory_with_maximum(1, 1)
      .value("input_ptr", 16)
      .value("input_utf8_cap", 16)
      .value("output_ptr", 16)
      .value("output_utf8_cap", 16)
      .function("render", {kI32}, {kI32}, local_get(0))
      .function("pages", {}, {kI32}, memory_size());
  // memory.grow gives -1, and 0 is what is left of it.
  const Bytes body = i32_const(1) + memory_grow() + i32_const(0xFFFFFFFF) + i32_sub() + i32_eqz();
  EXPECT_EQ(judge(oracle(body), {}, fixed).failure, "");
}

TEST(OracleTest, ATrapNamesTheOneThatTrapped) {
  EXPECT_TRUE(says(failure_of(oracle(unreachable())),
                   "positive() trapped: oracle.wasm: wasm error: unreachable in function 3 "
                   "\"positive\" at byte "));
  EXPECT_TRUE(says(failure_of(oracle(render(kTraps))),
                   "positive() trapped: impl.wasm: wasm error: unreachable in function 4 "
                   "\"render\" at byte "));
  EXPECT_TRUE(says(failure_of(oracle(i32_const(1), i32_const(0xFFFFFFFF) + i32_load8_u())),
                   "wasm error: out of bounds memory access"));
}

// --- qip.render_must_trap ------------------------------------------------------------------------

TEST(OracleTest, RenderMustTrapTellsTrapsFromResults) {
  EXPECT_EQ(failure_of(oracle(i32_const(1), must_trap(kTraps))), "");
  EXPECT_EQ(failure_of(oracle(i32_const(1), must_trap(3))), "negative() returned 0");
}

TEST(OracleTest, RenderMustTrapHasItsOlderName) {
  ModuleBuilder judged;
  judged.import_memory("impl", "memory", 1)
      .import_function("qip", "run_must_trap", {kI32}, {kI32})
      .function("positive", {}, {kI32}, i32_const(kTraps) + call(0));
  EXPECT_EQ(failure_of(judged), "");
}

TEST(OracleTest, ATrapInsideLeavesTheOracleAsItWas) {
  // Locals, operands under way and memory stay; the component still works; a later trap is the
  // oracle's own.
  const Bytes probed = i32_const(16) + i32_const(5) + i32_store8() + i32_const(100) +
                       must_trap(kTraps) + must_trap(kTraps) + i32_add() + must_trap(3) +
                       i32_add() + render(3) + i32_add() + i32_add() + i32_const(16) +
                       i32_load8_u() + i32_add();
  EXPECT_EQ(failure_of(oracle(probed + i32_const(111) + i32_sub() + i32_eqz())), "");
  EXPECT_TRUE(says(failure_of(oracle(probed + unreachable())),
                   "positive() trapped: oracle.wasm: wasm error: unreachable in function 3"));
}

TEST(OracleTest, ManyProbesCostNoStack) {
  // 100,000 of them: local 0 counts down in memory at 600..603.
  const Bytes load = {0x28, 0x02, 0x00}, store = {0x36, 0x02, 0x00};
  const Bytes body = i32_const(600) + i32_const(100'000) + store + Bytes{0x03, 0x40} +
                     must_trap(kTraps) + i32_eqz() + trap_if_top() + i32_const(600) +
                     i32_const(600) + load + i32_const(1) + i32_sub() + store + i32_const(600) +
                     load + Bytes{0x0D, 0x00, 0x0B} + i32_const(1);
  EXPECT_EQ(failure_of(oracle(body)), "");
}

TEST(OracleTest, TimeThatRunsOutInsideAProbeEndsTheCheck) {
  EXPECT_EQ(failure_of(oracle(i32_const(1), must_trap(kLoops)), short_time()),
            "negative() stopped: impl.wasm: Wasm module exceeded the execution time limit (50ms)");
}

TEST(OracleTest, FuelThatRunsOutInsideAProbeEndsTheCheck) {
  EXPECT_TRUE(says(failure_of(oracle(must_trap(kLoops)), little_fuel()),
                   "positive() stopped: impl.wasm: wasm error: fuel exhausted in function 4 "
                   "\"render\" at byte "));
}

TEST(OracleTest, StackThatRunsOutInsideAProbeEndsTheCheck) {
  EXPECT_TRUE(says(failure_of(oracle(must_trap(kRecurses))),
                   "positive() stopped: impl.wasm: wasm error: stack overflow"));
}

TEST(OracleTest, AProbeNeedsAnEntry) {
  ModuleBuilder tile;
  tile.memory(1)
      .value("input_ptr", 16)
      .value("input_bytes_cap", 65536)
      .function("tile_rgba32float_64x64", {kF32, kF32}, {}, {});
  ModuleBuilder judged;
  judged.import_memory("impl", "memory", 1)
      .import_function("qip", "render_must_trap", {kI32}, {kI32})
      .function("positive", {}, {kI32}, i32_const(1));
  EXPECT_EQ(judge(judged, {}, tile).failure,
            "the oracle imports qip.render_must_trap (function), but the component has no entry to "
            "render with");
}

// --- Bounds --------------------------------------------------------------------------------------

TEST(OracleTest, AnEndlessOracleIsStopped) {
  EXPECT_EQ(
      failure_of(oracle(loop_forever() + i32_const(1)), short_time()),
      "positive() stopped: oracle.wasm: Wasm module exceeded the execution time limit (50ms)");
  EXPECT_EQ(failure_of(oracle(render(kLoops)), short_time()),
            "positive() stopped: impl.wasm: Wasm module exceeded the execution time limit (50ms)");
  EXPECT_EQ(
      failure_of(oracle(i32_const(1)).function("_start", {}, {}, loop_forever()), short_time()),
      "oracle.wasm: Wasm module exceeded the execution time limit (50ms)");
}

TEST(OracleTest, EveryCheckHasAllOfTheFuel) {
  // Each burns most of it: a loop of 1,000 turns.
  const Bytes load = {0x28, 0x02, 0x00}, store = {0x36, 0x02, 0x00};
  const Bytes burn = i32_const(600) + i32_const(700) + store + Bytes{0x03, 0x40} + i32_const(600) +
                     i32_const(600) + load + i32_const(1) + i32_sub() + store + i32_const(600) +
                     load + Bytes{0x0D, 0x00, 0x0B};
  EXPECT_EQ(failure_of(oracle(burn + i32_const(1), burn + i32_const(1)), little_fuel()), "");
  EXPECT_TRUE(
      says(failure_of(oracle(burn + burn + i32_const(1)), little_fuel()), "fuel exhausted"));
}

TEST(OracleTest, RecursionOfAnOracleIsStopped) {
  EXPECT_TRUE(says(failure_of(oracle(call(3))),
                   "positive() stopped: oracle.wasm: wasm error: stack overflow"));
}

// --- Linking -------------------------------------------------------------------------------------

ModuleBuilder importing(std::string_view module, std::string_view name,
                        const Bytes& parameters = {kI32}, const Bytes& results = {kI32}) {
  ModuleBuilder judged;
  judged.import_memory("impl", "memory", 1)
      .import_function(module, name, parameters, results)
      .function("positive", {}, {kI32}, i32_const(1));
  return judged;
}

TEST(OracleTest, ImportsMustExist) {
  EXPECT_EQ(failure_of(importing("impl", "run")),
            "the oracle imports impl.run (function), which the component does not export");
  EXPECT_EQ(failure_of(importing("env", "render")),
            "the oracle imports env.render (function), but may import from impl and qip only");
  EXPECT_EQ(failure_of(importing("qip", "sleep")),
            "the oracle imports qip.sleep (function), which does not exist");
}

TEST(OracleTest, ImportsMustHaveTheirKindAndType) {
  EXPECT_EQ(failure_of(importing("impl", "answer")),
            "the oracle imports impl.answer (function), which the component exports as a global");
  EXPECT_EQ(failure_of(importing("impl", "render", {kI64}, {kI32})),
            "the oracle imports impl.render (function), as (i64) -> (i32); the component exports "
            "it as (i32) -> (i32)");
  EXPECT_TRUE(says(failure_of(importing("qip", "render_must_trap", {}, {})),
                   "incompatible import type: function qip.render_must_trap"));
}

TEST(OracleTest, TheMemoryMustBeLargeEnough) {
  ModuleBuilder judged;
  judged.import_memory("impl", "memory", 2).function("positive", {}, {kI32}, i32_const(1));
  EXPECT_EQ(failure_of(judged),
            "oracle.wasm: Wasm module could not be instantiated: incompatible import type: memory "
            "impl.memory");
}

TEST(OracleTest, NamesOfImportsAreEscaped) {
  EXPECT_TRUE(says(failure_of(importing("impl", "\x1B[2J")), "impl.\\x1b[2J (function)"));
}

TEST(OracleTest, ItMustImportTheMemory) {
  EXPECT_EQ(failure_of(ModuleBuilder().function("positive", {}, {kI32}, i32_const(1))),
            "the oracle must import impl.memory");
  EXPECT_EQ(failure_of(ModuleBuilder().memory(1).function("positive", {}, {kI32}, i32_const(1))),
            "the oracle must import impl.memory");
  ModuleBuilder function_only;
  function_only.import_function("impl", "render", {kI32}, {kI32})
      .function("positive", {}, {kI32}, i32_const(1));
  EXPECT_EQ(failure_of(function_only), "the oracle must import impl.memory");
}

TEST(OracleTest, ItMustExportItsChecks) {
  ModuleBuilder none;
  none.import_memory("impl", "memory", 1);
  EXPECT_EQ(failure_of(none), "the oracle must export positive() -> i32");
  EXPECT_EQ(failure_of(none.function("negative", {}, {kI32}, i32_const(1))),
            "the oracle must export positive() -> i32");
  EXPECT_EQ(failure_of(none.function("positive", {}, {kI64}, i64_const(1))),
            "the oracle must export positive() -> i32");
  EXPECT_EQ(failure_of(oracle(i32_const(1)).function("negative", {kI32}, {kI32}, local_get(0))),
            "the oracle must export negative() -> i32");
  ModuleBuilder global;
  global.import_memory("impl", "memory", 1).global("positive", kI32, false, i32_const(1));
  EXPECT_EQ(failure_of(global), "the oracle must export positive() -> i32");
}

TEST(OracleTest, TheNewerFormIsRecognised) {
  ModuleBuilder newer;
  newer.import_function("qip", "must_render_exactly", {kI64, kI32, kI32, kI32, kI32}, {kI32})
      .memory(1)
      .function("comply", {}, {kI32}, i32_const(1));
  EXPECT_TRUE(says(failure_of(newer), "exports comply() and imports qip.must_render_exactly"));
}

TEST(OracleTest, ATrapOfItsStartIsAFailure) {
  EXPECT_TRUE(says(failure_of(oracle(i32_const(1)).function("_start", {}, {}, unreachable())),
                   "oracle.wasm: Wasm module could not be instantiated: wasm error: unreachable"));
  EXPECT_TRUE(
      says(failure_of(oracle(i32_const(1)).function("_start", {}, {}, render(kTraps) + drop())),
           "in function 4 \"render\""));
}

// --- Failure details -----------------------------------------------------------------------------

ModuleBuilder with_text(ModuleBuilder module, const std::string& name, uint32_t pointer,
                        uint32_t size) {
  return module.value(name + "_ptr", pointer).value(name + "_size", size);
}

TEST(OracleTest, DetailsFollowTheReason) {
  ModuleBuilder judged = oracle(i32_const(0)).data(800, "padding keptABCDE");
  EXPECT_EQ(failure_of(with_text(judged, "failure_message", 800, 12)),
            "positive() returned 0: padding kept");
  judged = with_text(judged, "fail_message", 800, 12);
  judged = with_text(judged, "failure_input", 812, 1);
  judged = with_text(judged, "failure_expected_output", 813, 0);
  judged = with_text(judged, "failure_output", 814, 3);
  EXPECT_EQ(failure_of(judged),
            "positive() returned 0: padding kept (input \"A\", expected \"\", got \"CDE\")");
  EXPECT_EQ(failure_of(with_text(judged, "failure_actual_output", 812, 2)),
            "positive() returned 0: padding kept (input \"A\", expected \"\", got \"AB\")");
}

TEST(OracleTest, DetailsFollowATrapToo) {
  const std::string failure =
      failure_of(with_text(oracle(render(kTraps)).data(800, "seven"), "failure_message", 800, 5));
  EXPECT_TRUE(failure.ends_with(": seven")) << failure;
}

TEST(OracleTest, DetailsAreEscapedAndCut) {
  const ModuleBuilder judged = oracle(i32_const(0)).data(800, "\x1B[2J\nPASS\xFF");
  EXPECT_EQ(failure_of(with_text(judged, "failure_message", 800, 10)),
            "positive() returned 0: \\x1b[2J\\x0aPASS\\xff");
  EXPECT_LT(failure_of(with_text(judged, "failure_message", 0, 65536)).size(), 400u);
}

TEST(OracleTest, DetailsThatMakeNoSenseAreLeftOut) {
  const ModuleBuilder judged = oracle(i32_const(0));
  const std::string bare = "positive() returned 0";
  EXPECT_EQ(failure_of(with_text(judged, "failure_message", 0, 0)), bare);
  EXPECT_EQ(failure_of(with_text(judged, "failure_message", 16, 0)), bare);
  EXPECT_EQ(failure_of(with_text(judged, "failure_input", 0, 0)), bare);
  EXPECT_EQ(failure_of(with_text(judged, "failure_message", 65530, 7)), bare);
  EXPECT_EQ(failure_of(with_text(judged, "failure_message", 0xFFFFFFFF, 0xFFFFFFFF)), bare);
  EXPECT_EQ(failure_of(ModuleBuilder(judged).value("failure_message_ptr", 16)), bare);
  EXPECT_EQ(failure_of(ModuleBuilder(judged)
                           .value("failure_message_ptr", 16)
                           .function("failure_message_size", {}, {kI64}, i64_const(1))),
            bare);
  EXPECT_EQ(failure_of(ModuleBuilder(judged)
                           .value("failure_message_ptr", 16)
                           .function("failure_message_size", {}, {kI32}, unreachable())),
            bare);
  EXPECT_EQ(
      failure_of(ModuleBuilder(judged)
                     .function("failure_message_ptr", {}, {kI32}, loop_forever() + i32_const(16))
                     .value("failure_message_size", 1),
                 short_time()),
      bare);
}

}  // namespace
}  // namespace qip
