// The Content contract against hostile guests: every export as every kind, with every bad value.
#include "host/contract.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "host/pipeline.hpp"
#include "host/test_modules.hpp"

namespace qip {
namespace {

using namespace qip::test;

Component component_of(const ModuleBuilder& builder, const std::string& path = "guest.wasm") {
  Result<Component, HostError> component = load_component(path, builder.bytes());
  EXPECT_TRUE(component.ok()) << component.error().message;
  return std::move(component.value());
}

// What a chain did, as text.
struct Outcome {
  std::string error;  // empty: success
  std::string output;
  Encoding encoding = Encoding::Raw;
  std::vector<uint32_t> results;  // of stages without output
  bool failed_with(std::string_view text) const { return error.find(text) != std::string::npos; }
};

class Recorder : public PipelineObserver {
 public:
  explicit Recorder(Outcome& outcome) : outcome_(outcome) {}
  void on_input(std::span<const uint8_t>) override {}
  void on_output(size_t, const StageOutput&) override {}
  MaybeError on_result(size_t, uint32_t result) override {
    outcome_.results.push_back(result);
    return std::nullopt;
  }

 private:
  Outcome& outcome_;
};

Outcome run_chain(const std::vector<Component>& components, std::string_view input,
                  std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  Outcome outcome;
  Recorder recorder(outcome);
  TimedBudget budget(RunLimits{.time = limit});
  PipelineInput source;
  source.bytes = {reinterpret_cast<const uint8_t*>(input.data()), input.size()};
  std::vector<Stage> stages;
  for (const Component& component : components) stages.push_back({component, {}});
  if (MaybeError failure = check_chain(stages)) {
    outcome.error = failure->message;
    return outcome;
  }
  Result<PipelineOutput, HostError> output = run_pipeline(stages, source, budget, recorder);
  if (!output.ok()) {
    outcome.error = output.error().message;
    return outcome;
  }
  const std::span<const uint8_t> bytes = output.value().bytes();
  outcome.output.assign(bytes.begin(), bytes.end());
  outcome.encoding = output.value().output.encoding;
  return outcome;
}

Outcome run_one(const ModuleBuilder& builder, std::string_view input = "x") {
  std::vector<Component> components;
  components.push_back(component_of(builder));
  return run_chain(components, input);
}

// A complete component that echoes: buffers at 1024 and 2048, copying by memory.copy.
struct EchoParts {
  uint32_t input_ptr = 1024;
  uint32_t input_cap = 1024;
  uint32_t output_ptr = 2048;
  uint32_t output_cap = 1024;
  const char* entry = "render";
  const char* output_cap_name = "output_utf8_cap";
};
ModuleBuilder echo(const EchoParts& parts = {}) {
  ModuleBuilder builder;
  builder.memory(1)
      .value("input_ptr", parts.input_ptr)
      .value("input_utf8_cap", parts.input_cap)
      .value("output_ptr", parts.output_ptr)
      .value(parts.output_cap_name, parts.output_cap)
      .function(parts.entry, {kI32}, {kI32},
                i32_const(parts.output_ptr) + i32_const(parts.input_ptr) + local_get(0) +
                    memory_copy() + local_get(0));
  return builder;
}

// --- The good cases ------------------------------------------------------------------------------

TEST(ContentContract, EchoGivesItsInput) {
  const Outcome outcome = run_one(echo(), "hello");
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.output, "hello");
  EXPECT_EQ(outcome.encoding, Encoding::Utf8);
}

TEST(ContentContract, EmptyInputIsNoError) {
  const Outcome outcome = run_one(echo(), "");
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.output, "");
}

TEST(ContentContract, BothEntryNamesWorkAndRenderIsPreferred) {
  EchoParts parts;
  parts.entry = "run";
  EXPECT_EQ(run_one(echo(parts), "abc").output, "abc");
  ModuleBuilder both = echo(parts);
  both.function("render", {kI32}, {kI32}, i32_const(0));
  EXPECT_EQ(run_one(both, "abc").output, "");
}

TEST(ContentContract, ValuesMayBeGlobals) {
  for (const bool is_mutable : {false, true}) {
    ModuleBuilder builder;
    builder.memory(1)
        .data(2048, "static")
        .global("input_ptr", kI32, is_mutable, i32_const(1024))
        .global("input_bytes_cap", kI32, is_mutable, i32_const(16))
        .global("output_ptr", kI32, is_mutable, i32_const(2048))
        .global("output_bytes_cap", kI32, is_mutable, i32_const(16))
        .function("render", {kI32}, {kI32}, i32_const(6));
    const Outcome outcome = run_one(builder);
    EXPECT_EQ(outcome.error, "");
    EXPECT_EQ(outcome.output, "static");
    EXPECT_EQ(outcome.encoding, Encoding::Raw);
  }
}

TEST(ContentContract, OutputPointerIsReadAfterTheCall) {
  ModuleBuilder builder;
  builder.memory(1)
      .data(100, "before")
      .data(200, "after!")
      .value("input_ptr", 1024)
      .value("input_utf8_cap", 16)
      .global("output_ptr", kI32, true, i32_const(100))
      .value("output_utf8_cap", 16)
      .function("render", {kI32}, {kI32}, i32_const(200) + global_set(0) + i32_const(6));
  EXPECT_EQ(run_one(builder).output, "after!");
}

TEST(ContentContract, CapacityIsReadBeforeTheCallOnly) {
  ModuleBuilder builder;
  builder.memory(1)
      .value("input_ptr", 1024)
      .value("input_utf8_cap", 16)
      .value("output_ptr", 100)
      .global("output_utf8_cap", kI32, true, i32_const(4))
      .function("render", {kI32}, {kI32}, i32_const(4096) + global_set(0) + i32_const(5));
  EXPECT_TRUE(run_one(builder).failed_with("Module returned more bytes than its stated capacity"));
}

TEST(ContentContract, Utf8CapacityWinsOverBytes) {
  ModuleBuilder builder = echo();
  builder.value("output_bytes_cap", 1).value("input_bytes_cap", 1);
  const Outcome outcome = run_one(builder, "hello");
  EXPECT_EQ(outcome.output, "hello");
  EXPECT_EQ(outcome.encoding, Encoding::Utf8);
}

TEST(ContentContract, ItemsAreFourBytes) {
  EchoParts parts;
  parts.output_cap_name = "output_i32_cap";
  const Outcome outcome = run_one(echo(parts), "ab");
  EXPECT_EQ(outcome.encoding, Encoding::I32);
  EXPECT_EQ(outcome.output, std::string("ab\0\0\0\0\0\0", 8));
}

TEST(ContentContract, MemoryThatGrowsDuringTheCallIsSeen) {
  ModuleBuilder builder;
  builder.memory(1)
      .value("input_ptr", 0)
      .value("input_utf8_cap", 16)
      .value("output_ptr", 65536)
      .value("output_utf8_cap", 16)
      .function("render", {kI32}, {kI32},
                i32_const(1) + memory_grow() + drop() + i32_const(65536) + i32_const('!') +
                    i32_store8() + i32_const(1));
  EXPECT_EQ(run_one(builder).output, "!");
}

TEST(ContentContract, OutputMayBeTheWholeMemory) {
  ModuleBuilder builder;
  builder.memory(1)
      .value("input_ptr", 0)
      .value("input_utf8_cap", 16)
      .value("output_ptr", 0)
      .value("output_bytes_cap", 65536)
      .function("render", {kI32}, {kI32}, i32_const(65536));
  EXPECT_EQ(run_one(builder).output.size(), 65536u);
}

// --- No output -----------------------------------------------------------------------------------

ModuleBuilder input_only(uint32_t result) {
  ModuleBuilder builder;
  builder.memory(1)
      .value("input_ptr", 1024)
      .value("input_utf8_cap", 1024)
      .function("run", {kI32}, {kI32}, i32_const(result));
  return builder;
}

TEST(ContentContract, WithoutOutputTheResultIsReportedUnsigned) {
  EXPECT_EQ(run_one(input_only(42)).results, std::vector<uint32_t>{42});
  EXPECT_EQ(run_one(input_only(0xFFFFFFFF)).results, std::vector<uint32_t>{0xFFFFFFFF});
}

TEST(ContentContract, OutputCapacityWithoutPointerIsNoOutput) {
  ModuleBuilder builder = input_only(42);
  builder.value("output_utf8_cap", 16);
  const Outcome outcome = run_one(builder);
  EXPECT_EQ(outcome.results, std::vector<uint32_t>{42});
  EXPECT_EQ(outcome.encoding, Encoding::Raw);
}

TEST(ContentContract, OutputCapacityZeroReportsAndKeepsTheEncoding) {
  EchoParts parts;
  parts.output_cap = 0;
  const Outcome outcome = run_one(echo(parts), "abc");
  EXPECT_EQ(outcome.results, std::vector<uint32_t>{3});
  EXPECT_EQ(outcome.encoding, Encoding::Utf8);
}

TEST(Pipeline, StageWithoutOutputGivesTheNextOneNothing) {
  std::vector<Component> components;
  components.push_back(component_of(input_only(42)));
  components.push_back(component_of(echo()));
  const Outcome outcome = run_chain(components, "hello");
  EXPECT_EQ(outcome.results, std::vector<uint32_t>{42});
  EXPECT_EQ(outcome.output, "");
}

// --- Missing exports -----------------------------------------------------------------------------

TEST(ContentContract, MissingExportsAreNamed) {
  ModuleBuilder none;
  EXPECT_TRUE(run_one(none).failed_with("Wasm module must export input_ptr as global or function"));
  none.value("input_ptr", 0);
  EXPECT_TRUE(run_one(none).failed_with(
      "Wasm module must export input_utf8_cap or input_bytes_cap as global or function"));
  none.value("input_bytes_cap", 8);
  EXPECT_TRUE(run_one(none).failed_with("Wasm module must export render(i32) -> i32"));
  none.value("output_ptr", 0);
  EXPECT_TRUE(run_one(none).failed_with(
      "Wasm module must export output_utf8_cap or output_i32_cap or output_bytes_cap as global or "
      "function"));
  none.value("output_bytes_cap", 8).function("render", {kI32}, {kI32}, i32_const(0));
  EXPECT_TRUE(run_one(none).failed_with("Wasm module must export memory"));
}

TEST(ContentContract, MemoryMustBeExportedUnderItsName) {
  ModuleBuilder builder;
  builder.memory(1, "heap")
      .value("input_ptr", 0)
      .value("input_bytes_cap", 8)
      .function("render", {kI32}, {kI32}, i32_const(0));
  EXPECT_TRUE(run_one(builder).failed_with("Wasm module must export memory"));
}

TEST(ContentContract, EntryOfAnotherTypeIsRefused) {
  for (const auto& [parameters, results] : std::vector<std::pair<Bytes, Bytes>>{
           {{}, {kI32}}, {{kI64}, {kI32}}, {{kI32, kI32}, {kI32}}, {{kI32}, {}}}) {
    ModuleBuilder builder;
    builder.memory(1).value("input_ptr", 0).value("input_bytes_cap", 8);
    builder.function("render", parameters, results, results.empty() ? Bytes{} : i32_const(0));
    EXPECT_TRUE(run_one(builder).failed_with("Wasm module must export render(i32) -> i32, not "));
  }
}

// --- Value exports of every kind and with every bad value ----------------------------------------

enum class Shape { Function, Immutable, Mutable };
struct ValueCase {
  const char* name;
  uint32_t good;
};
constexpr ValueCase kValueCases[] = {
    {"input_ptr", 1024}, {"input_utf8_cap", 1024}, {"output_ptr", 2048}, {"output_utf8_cap", 1024}};

void add_value(ModuleBuilder& builder, Shape shape, const char* name, uint8_t type,
               const Bytes& constant) {
  if (shape == Shape::Function) {
    builder.function(name, {}, {type}, constant);
  } else {
    builder.global(name, type, shape == Shape::Mutable, constant);
  }
}

// The echo component with one value export replaced.
ModuleBuilder echo_with(const char* name, Shape shape, uint8_t type, const Bytes& constant) {
  ModuleBuilder builder;
  builder.memory(1);
  for (const ValueCase& value : kValueCases) {
    const bool replaced = strcmp(value.name, name) == 0;
    add_value(builder, shape, value.name, replaced ? type : kI32,
              replaced ? constant : i32_const(value.good));
  }
  builder.function("render", {kI32}, {kI32}, local_get(0));
  return builder;
}

class EveryShape : public testing::TestWithParam<Shape> {};

TEST_P(EveryShape, WrongTypeIsRefusedByName) {
  for (const ValueCase& value : kValueCases) {
    for (const uint8_t type : {kI64, kF32}) {
      const Bytes constant = type == kI64 ? i64_const(8) : f32_zero();
      const Outcome outcome = run_one(echo_with(value.name, GetParam(), type, constant));
      EXPECT_TRUE(outcome.failed_with(std::string("Wasm module must export ") + value.name +
                                      " as global or function of type i32"))
          << outcome.error;
    }
  }
}

TEST_P(EveryShape, PointersAndCapacitiesOutsideTheMemoryAreCaught) {
  const auto outcome_of = [](const char* name, uint32_t number) {
    return run_one(echo_with(name, GetParam(), kI32, i32_const(number)), "hello");
  };
  for (const uint32_t pointer :
       {65532u, 65536u, 65537u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu, 0xFFFFFFFBu}) {
    EXPECT_TRUE(outcome_of("input_ptr", pointer).failed_with("Could not write input")) << pointer;
    EXPECT_TRUE(outcome_of("output_ptr", pointer).failed_with("Could not read output")) << pointer;
  }
  // The last byte that fits.
  EXPECT_EQ(outcome_of("input_ptr", 65531).error, "");
  EXPECT_EQ(outcome_of("output_ptr", 65531).error, "");
  // Capacities are unsigned, and larger than the memory is no error by itself.
  EXPECT_EQ(outcome_of("input_utf8_cap", 0xFFFFFFFF).error, "");
  EXPECT_EQ(outcome_of("output_utf8_cap", 0xFFFFFFFF).error, "");
  EXPECT_EQ(outcome_of("input_utf8_cap", 5).error, "");
  EXPECT_TRUE(outcome_of("input_utf8_cap", 4).failed_with("Input is too large (5 bytes > 4 bytes"));
  EXPECT_TRUE(outcome_of("input_utf8_cap", 0).failed_with("Input is too large"));
  EXPECT_TRUE(outcome_of("output_utf8_cap", 4)
                  .failed_with("Module returned more bytes than its stated capacity"));
}

INSTANTIATE_TEST_SUITE_P(Values, EveryShape,
                         testing::Values(Shape::Function, Shape::Immutable, Shape::Mutable));

TEST(ContentContract, ValueExportsOfOtherKindsCountAsMissing) {
  ModuleBuilder builder;
  builder.memory(1, "input_ptr").value("input_utf8_cap", 8);
  builder.function("render", {kI32}, {kI32}, i32_const(0));
  EXPECT_TRUE(
      run_one(builder).failed_with("Wasm module must export input_ptr as global or function"));
}

TEST(ContentContract, ValueFunctionWithParametersFailsByName) {
  ModuleBuilder builder;
  builder.memory(1)
      .function("input_ptr", {kI32}, {kI32}, local_get(0))
      .value("input_utf8_cap", 8)
      .function("render", {kI32}, {kI32}, i32_const(0));
  EXPECT_TRUE(run_one(builder).failed_with("input_ptr() call failed: "));
}

TEST(ContentContract, ValueFunctionWithoutOneResultFailsByName) {
  ModuleBuilder none;
  none.memory(1).value("input_ptr", 0).function("input_utf8_cap", {}, {}, {});
  none.function("render", {kI32}, {kI32}, i32_const(0));
  EXPECT_TRUE(run_one(none).failed_with("input_utf8_cap() returned 0 values, want 1"));
  ModuleBuilder two;
  two.memory(1).value("input_ptr", 0);
  two.function("input_utf8_cap", {}, {kI32, kI32}, i32_const(1) + i32_const(2));
  two.function("render", {kI32}, {kI32}, i32_const(0));
  EXPECT_TRUE(run_one(two).failed_with("input_utf8_cap() returned 2 values, want 1"));
}

TEST(ContentContract, ValueFunctionsThatMisbehaveStayInsideTheBudget) {
  for (const ValueCase& value : kValueCases) {
    const Outcome trapped = run_one(echo_with(value.name, Shape::Function, kI32, unreachable()));
    EXPECT_TRUE(
        trapped.failed_with(std::string(value.name) + "() call failed: wasm error: unreachable"))
        << trapped.error;
    std::vector<Component> components;
    components.push_back(
        component_of(echo_with(value.name, Shape::Function, kI32, loop_forever() + i32_const(0))));
    const Outcome endless = run_chain(components, "x", std::chrono::milliseconds(50));
    EXPECT_TRUE(endless.failed_with("Wasm module exceeded the execution time limit (50ms)"))
        << endless.error;
  }
}

TEST(ContentContract, ItemCountDoesNotWrapAt32Bits) {
  EchoParts parts;
  parts.output_cap_name = "output_i32_cap";
  parts.output_cap = 0xFFFFFFFF;
  ModuleBuilder builder = echo(parts);
  // 2^30 items are 2^32 bytes: 0 if the product wrapped.
  ModuleBuilder wraps;
  wraps.memory(1)
      .value("input_ptr", 0)
      .value("input_utf8_cap", 16)
      .value("output_ptr", 0)
      .value("output_i32_cap", 0xFFFFFFFF)
      .function("render", {kI32}, {kI32}, i32_const(0x40000000));
  EXPECT_TRUE(run_one(wraps).failed_with("Could not read output"));
}

TEST(ContentContract, NegativeCountIsMoreThanTheCapacity) {
  ModuleBuilder builder;
  builder.memory(1)
      .value("input_ptr", 0)
      .value("input_utf8_cap", 16)
      .value("output_ptr", 0)
      .value("output_utf8_cap", 16)
      .function("render", {kI32}, {kI32}, i32_const(0xFFFFFFFF));
  EXPECT_TRUE(run_one(builder).failed_with("Module returned more bytes than its stated capacity"));
}

// --- The packed result ---------------------------------------------------------------------------

ModuleBuilder packed(uint64_t result) {
  ModuleBuilder builder;
  builder.memory(1)
      .data(300, "packed")
      .value("input_ptr", 1024)
      .value("input_utf8_cap", 64)
      .value("output_utf8_cap", 64)
      .function("render", {kI32}, {kI64}, i64_const(result));
  return builder;
}
constexpr uint64_t kRejected = uint64_t{1} << 63;

TEST(PackedResult, CarriesPointerAndCount) {
  const Outcome outcome = run_one(packed(uint64_t{300} << 32 | 6));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.output, "packed");
}

TEST(PackedResult, IsChecked) {
  EXPECT_TRUE(run_one(packed(uint64_t{300} << 32 | 65))
                  .failed_with("Module returned more bytes than its stated capacity"));
  EXPECT_TRUE(run_one(packed(uint64_t{65531} << 32 | 6)).failed_with("Could not read output"));
  EXPECT_TRUE(run_one(packed(uint64_t{0x7FFFFFFF} << 32 | 1)).failed_with("Could not read output"));
}

TEST(PackedResult, RejectionNeedsTheDeclaration) {
  EXPECT_TRUE(run_one(packed(kRejected))
                  .failed_with("render returned failure but failure_modes_per_input_offset is not "
                               "exported"));
}

TEST(PackedResult, RejectionTellsOffsetAndMode) {
  const auto rejected = [](uint32_t modes, uint64_t detail) {
    ModuleBuilder builder = packed(kRejected | detail);
    builder.value("failure_modes_per_input_offset", modes);
    return run_one(builder, "hello").error;
  };
  EXPECT_EQ(rejected(0, 7), "guest.wasm: component rejected input");
  EXPECT_EQ(rejected(1, 3), "guest.wasm: component rejected input at input offset 3");
  EXPECT_EQ(rejected(4, 14), "guest.wasm: component rejected input at input offset 3 with mode 2");
  EXPECT_EQ(rejected(1, 5), "guest.wasm: component rejected input at input offset 5");
  EXPECT_NE(rejected(1, 6).find("beyond the input"), std::string::npos);
  EXPECT_NE(rejected(1, uint64_t{1} << 32).find("output pointer"), std::string::npos);
}

TEST(PackedResult, WantsExactlyOneCapacityEachWay) {
  ModuleBuilder two_outputs = packed(0);
  two_outputs.value("output_bytes_cap", 8);
  EXPECT_TRUE(
      run_one(two_outputs).failed_with("Wasm module must export only one of output_utf8_cap"));
  ModuleBuilder two_inputs = packed(0);
  two_inputs.value("input_bytes_cap", 8);
  EXPECT_TRUE(
      run_one(two_inputs).failed_with("Wasm module must export only one of input_utf8_cap"));
  ModuleBuilder none;
  none.memory(1).function("render", {kI32}, {kI64}, i64_const(0));
  EXPECT_TRUE(
      run_one(none).failed_with("Wasm module must export output_utf8_cap or output_bytes_cap"));
}

TEST(PackedResult, GeneratorTakesNoInput) {
  ModuleBuilder generator;
  generator.memory(1).data(8, "made").value("output_bytes_cap", 8);
  generator.function("render", {kI32}, {kI64}, i64_const(uint64_t{8} << 32 | 4));
  EXPECT_EQ(run_one(generator, "").output, "made");
  EXPECT_TRUE(
      run_one(generator, "abc").failed_with("inputless generator cannot receive 3 input bytes"));
  std::vector<Component> components;
  components.push_back(component_of(echo()));
  components.push_back(component_of(generator));
  EXPECT_TRUE(run_chain(components, "").failed_with("inputless generator must be the first"));
}

// --- Instantiation -------------------------------------------------------------------------------

TEST(Instantiation, ImportsAreRefusedByNameBeforeAnythingRuns) {
  ModuleBuilder importing = input_only(1);
  ModuleBuilder builder;
  builder.import_function("env", "f");
  std::vector<Component> components;
  components.push_back(component_of(input_only(7)));
  components.push_back(component_of(builder, "second.wasm"));
  const Outcome outcome = run_chain(components, "x");
  EXPECT_TRUE(outcome.failed_with("second.wasm: Wasm module could not be instantiated: "));
  EXPECT_TRUE(outcome.failed_with("env.f"));
  EXPECT_TRUE(outcome.results.empty());
}

TEST(Instantiation, ImportNamesCannotDisturbTheTerminal) {
  ModuleBuilder builder;
  builder.import_global("\x1b[2J", "a\nb\xC2\x9B");
  const Outcome outcome = run_one(builder);
  EXPECT_TRUE(outcome.failed_with("\\x1b[2J.a\\x0ab\\u{009b}")) << outcome.error;
  EXPECT_EQ(outcome.error.find('\x1b'), std::string::npos);
  EXPECT_EQ(outcome.error.find('\n'), std::string::npos);
}

TEST(Instantiation, StartFunctionThatTrapsIsAnInstantiationError) {
  ModuleBuilder builder = input_only(1);
  builder.function("", {}, {}, unreachable()).start(3);
  EXPECT_TRUE(run_one(builder).failed_with(
      "Wasm module could not be instantiated: wasm error: unreachable"));
}

TEST(Instantiation, ExportedStartIsCalled) {
  ModuleBuilder trapping = input_only(1);
  trapping.function("_start", {}, {}, unreachable());
  EXPECT_TRUE(run_one(trapping).failed_with(
      "Wasm module could not be instantiated: wasm error: unreachable"));
  ModuleBuilder setting;
  setting.memory(1)
      .value("input_ptr", 0)
      .value("input_utf8_cap", 16)
      .global("", kI32, true, i32_const(0))
      .function("_start", {}, {}, i32_const(9) + global_set(0))
      .function("run", {kI32}, {kI32}, global_get(0));
  EXPECT_EQ(run_one(setting).results, std::vector<uint32_t>{9});
  ModuleBuilder wrong = input_only(1);
  wrong.function("_start", {kI32}, {}, {});
  EXPECT_TRUE(run_one(wrong).failed_with("the exported function _start takes parameters"));
}

TEST(Instantiation, EachRunIsAFreshInstance) {
  ModuleBuilder counting;
  counting.memory(1)
      .value("input_ptr", 0)
      .value("input_utf8_cap", 16)
      .global("", kI32, true, i32_const(0))
      .function("run", {kI32}, {kI32},
                global_get(0) + i32_const(1) + i32_add() + global_set(0) + global_get(0));
  std::vector<Component> components;
  components.push_back(component_of(counting));
  components.push_back(component_of(counting));
  EXPECT_EQ(run_chain(components, "").results, (std::vector<uint32_t>{1, 1}));
  EXPECT_EQ(run_chain(components, "").results, (std::vector<uint32_t>{1, 1}));
}

// --- Traps and limits ----------------------------------------------------------------------------

TEST(Traps, NameComponentReasonFunctionAndByte) {
  ModuleBuilder builder;
  builder.memory(1)
      .value("input_ptr", 0)
      .value("input_utf8_cap", 16)
      .function("run", {kI32}, {kI32}, call(3) + i32_const(1))
      .function("", {}, {}, unreachable())
      .function_name(3, "in\x1bner");
  const Outcome outcome = run_one(builder);
  EXPECT_EQ(outcome.error.find("guest.wasm: wasm error: unreachable in function 3 \"in\\1bner\""),
            0u)
      << outcome.error;
  EXPECT_TRUE(outcome.failed_with(" at byte "));
}

TEST(Traps, EndlessRecursionIsAStackOverflow) {
  ModuleBuilder builder = input_only(0);
  builder.function("render", {kI32}, {kI32}, local_get(0) + call(3));
  EXPECT_TRUE(run_one(builder).failed_with("wasm error: stack overflow"));
}

TEST(Traps, AFailingStageGivesNoOutput) {
  std::vector<Component> components;
  components.push_back(component_of(echo()));
  ModuleBuilder failing = input_only(0);
  failing.function("render", {kI32}, {kI32}, unreachable());
  components.push_back(component_of(failing, "second.wasm"));
  const Outcome outcome = run_chain(components, "hello");
  EXPECT_TRUE(outcome.failed_with("second.wasm: wasm error: unreachable"));
  EXPECT_EQ(outcome.output, "");
}

TEST(Pipeline, TimeLimitIsForTheWholeChain) {
  ModuleBuilder endless = input_only(0);
  endless.function("render", {kI32}, {kI32}, loop_forever() + i32_const(0));
  std::vector<Component> components;
  components.push_back(component_of(echo()));
  components.push_back(component_of(endless, "second.wasm"));
  const Outcome outcome = run_chain(components, "x", std::chrono::milliseconds(60));
  EXPECT_EQ(outcome.error, "second.wasm: Wasm module exceeded the execution time limit (60ms)");
}

TEST(TimedBudget, UsedTimeIsNotGivenBack) {
  ModuleBuilder endless;
  endless.function("spin", {}, {}, loop_forever());
  const Component component = component_of(endless);
  TimedBudget budget(RunLimits{.time = std::chrono::milliseconds(50)});
  budget.resume();
  auto instance = ComponentInstance::create(component, budget);
  ASSERT_TRUE(instance.ok());
  FunctionInstance& spin = *instance.value()->function("spin");
  EXPECT_TRUE(instance.value()->call(spin, {}, {}));
  budget.pause();
  const auto before = std::chrono::steady_clock::now();
  budget.resume();
  EXPECT_TRUE(instance.value()->call(spin, {}, {}));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(45));
}

TEST(Pipeline, OutputLargerThanTheNextCapacityIsTooLarge) {
  EchoParts small;
  small.input_cap = 3;
  std::vector<Component> components;
  components.push_back(component_of(echo()));
  components.push_back(component_of(echo(small), "second.wasm"));
  EXPECT_TRUE(
      run_chain(components, "four")
          .failed_with("second.wasm: Input is too large (4 bytes > 3 bytes input capacity)"));
  EXPECT_EQ(run_chain(components, "abc").output, "abc");
}

TEST(Pipeline, BytesOfAnyKindPassUnchanged) {
  std::vector<Component> components;
  components.push_back(component_of(echo()));
  components.push_back(component_of(echo()));
  const std::string bytes("\xFF\x00\xFE\x80", 4);
  EXPECT_EQ(run_chain(components, bytes).output, bytes);
}

TEST(GuestMemory, ChecksInSixtyFourBits) {
  const std::unique_ptr<LinearMemory> memory =
      LinearMemory::create(MemoryType{Limits{1, 1}}, kMaxPages);
  ASSERT_NE(memory, nullptr);
  uint64_t calls = 0;
  const GuestMemory guest(*memory, calls);
  EXPECT_TRUE(guest.bytes(0, 65536));
  EXPECT_TRUE(guest.bytes(65536, 0));
  EXPECT_FALSE(guest.bytes(65537, 0));
  EXPECT_FALSE(guest.bytes(65536, 1));
  EXPECT_FALSE(guest.bytes(1, 65536));
  EXPECT_FALSE(guest.bytes(0xFFFFFFFF, 1));
  EXPECT_FALSE(guest.bytes(0xFFFFFFFF, 0x100000001));
  EXPECT_FALSE(guest.bytes(1, 0xFFFFFFFFFFFFFFFF));
  EXPECT_EQ(guest.bytes_up_to(65530, 100)->size(), 6u);
  EXPECT_FALSE(guest.bytes_up_to(65537, 0));
}

TEST(GuestMemoryDeathTest, BytesAreVoidAfterACall) {
  const std::unique_ptr<LinearMemory> memory =
      LinearMemory::create(MemoryType{Limits{1, 1}}, kMaxPages);
  uint64_t calls = 0;
  const std::optional<GuestBytes> bytes = GuestMemory(*memory, calls).bytes(0, 1);
  EXPECT_EQ(bytes->get().size(), 1u);
  calls++;
  EXPECT_DEATH((void)bytes->get(), "calls_when_made_");
}

TEST(GuestMemoryDeathTest, ReadingAValueFunctionIsACall) {
  const Component component = component_of(echo());
  TimedBudget budget(RunLimits{.time = std::chrono::seconds(20)});
  budget.resume();
  auto instance = ComponentInstance::create(component, budget);
  ASSERT_TRUE(instance.ok());
  const std::optional<GuestBytes> bytes = instance.value()->memory().bytes(0, 1);
  EXPECT_EQ(bytes->get().size(), 1u);
  ASSERT_TRUE(instance.value()->read_value("input_ptr").ok());
  EXPECT_DEATH((void)bytes->get(), "calls_when_made_");
}

}  // namespace
}  // namespace qip
