// The Content contract through the built command: every generation of it side by side, content
// types along a chain, and uniforms. Expected texts are those of the public contract.
//
// Each component is written where it is used, in the text format.
#include "spec-tests/component_folder.hpp"

namespace qip {
namespace {

using wat::content_type;
using wat::data;
using wat::echo;
using wat::entry;
using wat::input;
using wat::kCopy;
using wat::module;
using wat::output;
using wat::value;

const ComponentFolder& folder() {
  static const ComponentFolder made("qip-contract");
  return made;
}

// The path of a component with this text; the name is only for messages.
std::string build(const std::string& name, const std::string& text) {
  return folder().build(name, text);
}

// `qip run ARGUMENTS...`
ProcessResult run(Strings arguments, std::string_view input_bytes = "x") {
  arguments.insert(arguments.begin(), "run");
  return folder().qip(arguments, input_bytes);
}

// "123" for 123.
std::string text(int64_t number) {
  return std::to_string(number);
}

// --- Entries -------------------------------------------------------------------------------------

TEST(ContractEntry, RenderAndRunAreTheSame) {
  EXPECT_TRUE(succeeded(run({build("render", echo())}, "abc"), "abc\n"));
  EXPECT_TRUE(succeeded(
      run({build("run", module(input() + output() + entry(kCopy, "run")))}, "abc"), "abc\n"));
}

TEST(ContractEntry, RenderIsPreferred) {
  for (const bool render_first : {true, false}) {
    const std::string render = entry(kCopy), other = entry("unreachable", "run");
    const std::string path = build("both" + text(render_first),
                                   module(input() + output() + (render_first ? render : "") +
                                          other + (render_first ? "" : render)));
    EXPECT_TRUE(succeeded(run({path}, "abc"), "abc\n"));
  }
}

// A packed render beside a counting run: the result type of the chosen entry decides.
TEST(ContractEntry, GenerationsMayStandInOneModule) {
  const std::string path = build(
      "generations",
      module(
          input() + output() + entry("unreachable", "run") +
          entry("(drop (block (result i32) " + kCopy +
                    "))"
                    "(i64.or (i64.const 0x0002000000000000) (i64.extend_i32_u (local.get $size)))",
                "render", "i64")));
  EXPECT_TRUE(succeeded(run({path}, "abc"), "abc\n"));
}

TEST(ContractEntry, GenerationsMayStandInOneChain) {
  const std::string packed = build(
      "packedecho",
      module(
          input("bytes") + value("output_bytes_cap", 65536) +
          entry("(drop (block (result i32) " + kCopy +
                    "))"
                    "(i64.or (i64.const 0x0002000000000000) (i64.extend_i32_u (local.get $size)))",
                "render", "i64")));
  const std::string oldest = build("oldest", module(input() + output() + entry(kCopy, "run")));
  const std::string globals = build(
      "globalsecho", module("(memory (export \"memory\") 4)"
                            "(global (export \"input_ptr\") i32 (i32.const 1024))"
                            "(global (export \"input_bytes_cap\") (mut i32) (i32.const 65536))"
                            "(global (export \"output_ptr\") (mut i32) (i32.const 131072))"
                            "(global (export \"output_bytes_cap\") i32 (i32.const 65536))" +
                            entry(kCopy)));
  EXPECT_TRUE(succeeded(run({oldest, packed, globals, packed, oldest}, "abc"), "abc\n"));
  EXPECT_TRUE(succeeded(run({packed, oldest, globals}, "abc"), "abc"));
}

TEST(ContractEntry, AnotherSignatureIsRefused) {
  const auto with = [](const std::string& name, const std::string& type) {
    return run(
        {build(name, module(input() + output() + "(func (export \"render\") " + type + ")"))});
  };
  const Strings wanted = {"Wasm module must export render(i32) -> i32"};
  EXPECT_TRUE(failed(with("noresult", "(param i32)"), wanted));
  EXPECT_TRUE(failed(with("noparameter", "(result i32) (i32.const 0)"), wanted));
  EXPECT_TRUE(failed(with("wide", "(param i64) (result i32) (i32.const 0)"), wanted));
  EXPECT_TRUE(failed(with("real", "(param i32) (result f32) (f32.const 0)"), wanted));
  EXPECT_TRUE(failed(with("two", "(param i32 i32) (result i32) (i32.const 0)"), wanted));
}

// --- When values are read ------------------------------------------------------------------------

TEST(ContractValues, OutputPointerIsReadAfterTheCall) {
  const std::string function =
      build("latefunction", module(input() + value("output_utf8_cap", 64) + data(150000, "right") +
                                   data(140000, "wrong") +
                                   "(global $at (mut i32) (i32.const 140000))"
                                   "(func (export \"output_ptr\") (result i32) (global.get $at))" +
                                   entry("(global.set $at (i32.const 150000)) (i32.const 5)")));
  EXPECT_TRUE(succeeded(run({function}), "right\n"));
  const std::string global = build(
      "lateglobal", module(input() + value("output_utf8_cap", 64) + data(150000, "right") +
                           data(140000, "wrong") +
                           "(global $at (export \"output_ptr\") (mut i32) (i32.const 140000))" +
                           entry("(global.set $at (i32.const 150000)) (i32.const 5)")));
  EXPECT_TRUE(succeeded(run({global}), "right\n"));
  const std::string outside = build(
      "lateoutside", module(input() + value("output_utf8_cap", 64) +
                            "(global $at (export \"output_ptr\") (mut i32) (i32.const 140000))" +
                            entry("(global.set $at (i32.const -1)) (i32.const 5)")));
  EXPECT_TRUE(failed(run({outside}), {"lateoutside.wasm: Could not read output"}));
}

// What the start function and _start did is seen by every value.
TEST(ContractValues, AreReadAfterTheStartFunctions) {
  const std::string path =
      build("started",
            module("(memory (export \"memory\") 1)"
                   "(global $in (export \"input_ptr\") (mut i32) (i32.const -1))"
                   "(global $cap (export \"input_utf8_cap\") (mut i32) (i32.const 0))"
                   "(global $out (export \"output_ptr\") (mut i32) (i32.const -1))"
                   "(global $outcap (export \"output_utf8_cap\") (mut i32) (i32.const 0))"
                   "(func $first (global.set $in (i32.const 16)) (global.set $cap (i32.const 8)))"
                   "(start $first)"
                   "(func (export \"_start\") (global.set $out (global.get $in))"
                   " (global.set $outcap (global.get $cap)))" +
                   entry("(local.get $size)")));
  EXPECT_TRUE(succeeded(run({path}, "12345678"), "12345678\n"));
  EXPECT_TRUE(failed(run({path}, "123456789"), {"Input is too large"}));
}

TEST(ContractValues, MemoryThatGrowsInTheCallIsSeen) {
  const std::string path =
      build("grows", module("(memory (export \"memory\") 1)" + value("input_ptr", 0) +
                            value("input_utf8_cap", 16) + value("output_ptr", 65536) +
                            value("output_utf8_cap", 65536) +
                            entry("(drop (memory.grow (i32.const 1)))"
                                  "(memory.fill (i32.const 65536) (i32.const 71) (i32.const 65536))"
                                  "(i32.const 65536)")));
  EXPECT_TRUE(succeeded(run({path}), std::string(65536, 'G') + "\n"));
}

TEST(ContractValues, NothingAfterTheInputIsCleared) {
  const std::string path = build(
      "remains", module(input() + output() + data(1024, "abcdef") +
                        entry("(memory.copy (i32.const 131072) (i32.const 1024) (i32.const 6))"
                              "(i32.const 6)")));
  EXPECT_TRUE(succeeded(run({path}, "XY"), "XYcdef\n"));
}

TEST(ContractValues, EachStageIsAFreshInstance) {
  const std::string path =
      build("counts",
            module(input() + output() + "(global $runs (mut i32) (i32.const 48))" +
                   entry("(global.set $runs (i32.add (global.get $runs) (i32.const 1)))" + kCopy +
                         "(i32.store8 offset=131072 (local.get $size) (global.get $runs))"
                         "(i32.const 1) (i32.add)")));
  EXPECT_TRUE(succeeded(run({path, path, path}, "x"), "x111\n"));
}

// --- Sizes ---------------------------------------------------------------------------------------

TEST(ContractSizes, ItemCountsAreMultipliedIn64Bits) {
  for (const uint32_t count : {0x40000001u, 0x80000000u, 0xFFFFFFFFu}) {
    const std::string path =
        build("items" + text(count),
              module(input() + output("i32", -1) + entry("(i32.const " + text(count) + ")")));
    EXPECT_TRUE(failed(run({path}), {".wasm: Could not read output"})) << count;
  }
}

TEST(ContractSizes, CapacityOfItemsCountsItems) {
  const auto items = [](int count) {
    return run({build("items" + text(count), module(input() + output("i32", 3) +
                                                    entry("(i32.const " + text(count) + ")")))});
  };
  EXPECT_TRUE(succeeded(items(3), "00000000\n00000000\n00000000\n"));
  EXPECT_TRUE(failed(items(4), {"Module returned more bytes than its stated capacity"}));
}

TEST(ContractSizes, ItemsMayEndWithTheMemory) {
  const auto at = [](int pointer) {
    return run({build("itemsat" + text(pointer),
                      module(input() + value("output_ptr", pointer) + value("output_i32_cap", 2) +
                             entry("(i32.const 2)")))});
  };
  EXPECT_TRUE(succeeded(at(262144 - 8), "00000000\n00000000\n"));
  EXPECT_TRUE(failed(at(262144 - 7), {"Could not read output"}));
}

TEST(ContractSizes, NoBytesMayLieAtTheEndOfTheMemoryButNotBeyond) {
  const auto at = [](int pointer) {
    return run({build("empty" + text(pointer),
                      module("(memory (export \"memory\") 1)" + value("input_ptr", pointer) +
                             value("input_utf8_cap", 4) + value("output_ptr", pointer) +
                             value("output_utf8_cap", 4) + entry("(i32.const 0)")))},
               "");
  };
  EXPECT_TRUE(succeeded(at(65536), "\n"));
  EXPECT_TRUE(failed(at(65537), {"Could not write input"}));
}

// UTF-8, then items, then bytes.
TEST(ContractSizes, OutputCapacitiesHaveAnOrder) {
  const std::string three = value("output_bytes_cap", 64) + value("output_i32_cap", 64) +
                            value("output_utf8_cap", 64) + value("output_ptr", 1024);
  const std::string two =
      value("output_bytes_cap", 64) + value("output_i32_cap", 64) + value("output_ptr", 1024);
  const std::string body = entry("(i32.const 1)");
  EXPECT_TRUE(
      succeeded(run({build("threecapacities", module(input() + three + body))}, "wxyz"), "w\n"));
  EXPECT_TRUE(
      succeeded(run({build("twocapacities", module(input() + two + body))}, "wxyz"), "7a797877\n"));
}

TEST(ContractSizes, Utf8InputCapacityWins) {
  const std::string path =
      build("bothinputs",
            module(input("utf8", 4) + value("input_bytes_cap", 2) + entry("(i32.const 9)")));
  EXPECT_TRUE(succeeded(run({path}, "four"), "Ran: 9\n"));
  EXPECT_TRUE(
      failed(run({path}, "fives"), {"Input is too large (", " bytes > 4 bytes input capacity)"}));
}

// --- Components without output -------------------------------------------------------------------

TEST(ContractRan, IsPrintedInTheMiddleOfAChain) {
  const std::string plain = build("echo", echo());
  const std::string size = build("size", module(input() + entry("(local.get $size)")));
  EXPECT_TRUE(succeeded(run({plain, size, plain}, "abc"), "Ran: 3\n\n"));
  EXPECT_TRUE(succeeded(run({size, size, size}, "abc"), "Ran: 3\nRan: 0\nRan: 0\n"));
  EXPECT_TRUE(succeeded(run({plain, size}, "abc"), "Ran: 3\n"));
}

// A line that was printed stays printed when a later component fails.
TEST(ContractRan, StaysWhenALaterComponentFails) {
  const std::string size = build("size", module(input() + entry("(local.get $size)")));
  const std::string traps = build("traps", module(input() + output() + entry("unreachable")));
  EXPECT_TRUE(
      failed(run({size, traps}, "abc"), {"traps.wasm: wasm error: unreachable"}, "Ran: 3\n"));
}

TEST(ContractRan, CapacityZeroIsNoOutput) {
  const std::string text_zero =
      build("textzero", module(input() + output("utf8", 0) + entry("(i32.const -7)")));
  const std::string bytes_zero =
      build("byteszero", module(input() + output("bytes", 0) + entry("(i32.const -7)")));
  EXPECT_TRUE(succeeded(run({text_zero}), "Ran: 4294967289\n\n"));
  EXPECT_TRUE(succeeded(run({bytes_zero}), "Ran: 4294967289\n"));
  EXPECT_TRUE(succeeded(run({text_zero, build("echo", echo())}), "Ran: 4294967289\n\n"));
}

TEST(ContractRan, IsNoPartOfTheOutputFile) {
  const std::string size = build("size", module(input() + entry("(local.get $size)")));
  EXPECT_TRUE(succeeded(run({"-o", "ran.txt", size, build("echo", echo())}, "abc"), "Ran: 3\n"));
  EXPECT_EQ(folder().get("ran.txt"), "");
}

// --- The packed result ---------------------------------------------------------------------------

constexpr uint64_t kRejected = uint64_t{1} << 63;

std::string packed_constant(uint64_t bits) {
  return entry("(i64.const " + std::to_string(bits) + ")", "render", "i64");
}

// A component that returns `bits`, with the values `parts` besides its input.
ProcessResult run_packed(uint64_t bits, const std::string& parts,
                         std::string_view bytes = "hello") {
  static int number = 0;
  const std::string name = "packed" + text(number++);
  return run(
      {build(name, module(input() + data(150000, "packed") + parts + packed_constant(bits)))},
      bytes);
}

uint64_t packed(uint64_t pointer, uint64_t count) {
  return pointer << 32 | count;
}

const std::string kPackedText = value("output_utf8_cap", 65536);
const std::string kPackedBytes = value("output_bytes_cap", 65536);
std::string modes(int64_t number) {
  return kPackedText + value("failure_modes_per_input_offset", number);
}

TEST(ContractPacked, HoldsPointerAndByteCount) {
  EXPECT_TRUE(succeeded(run_packed(packed(150000, 6), kPackedText), "packed\n"));
  EXPECT_TRUE(succeeded(run_packed(packed(150001, 4), kPackedBytes), "acke"));
  EXPECT_TRUE(succeeded(run_packed(packed(0, 0), kPackedText), "\n"));
  EXPECT_TRUE(succeeded(run_packed(packed(262144, 0), kPackedText), "\n"));
  EXPECT_TRUE(succeeded(run_packed(packed(150000, 6), modes(3)), "packed\n"));
}

TEST(ContractPacked, IsCheckedLikeAnyOutput) {
  const Strings outside = {"Could not read output"};
  const Strings more = {"Module returned more bytes than its stated capacity"};
  EXPECT_TRUE(failed(run_packed(packed(262140, 6), kPackedText), outside));
  EXPECT_TRUE(failed(run_packed(packed(0x7FFFFFFF, 1), kPackedText), outside));
  EXPECT_TRUE(failed(run_packed(packed(0x7FFFFFFF, 0), kPackedText), outside));
  EXPECT_TRUE(failed(run_packed(packed(0, 65537), kPackedText), more));
  EXPECT_TRUE(failed(run_packed(packed(0, 0xFFFFFFFF), kPackedText), more));
  // All 32 bits of the count are used: it is no negative number.
  EXPECT_TRUE(failed(run_packed(packed(0, 0xFFFFFFFF), value("output_utf8_cap", -1)), outside));
  EXPECT_TRUE(
      failed(run_packed(packed(0x7FFFFFFF, 0xFFFFFFFF), value("output_utf8_cap", -1)), outside));
}

TEST(ContractPacked, OutputPointerIsNotLookedAt) {
  EXPECT_TRUE(succeeded(run_packed(packed(150000, 6), kPackedText + value("output_ptr", 140000)),
                        "packed\n"));
  EXPECT_TRUE(
      succeeded(run_packed(packed(150000, 6),
                           kPackedText + "(func (export \"output_ptr\") (result i32) unreachable)"),
                "packed\n"));
}

TEST(ContractPacked, RejectionNeedsTheDeclaration) {
  EXPECT_TRUE(failed(
      run_packed(kRejected, kPackedText),
      {".wasm: render returned failure but failure_modes_per_input_offset is not exported"}));
  EXPECT_TRUE(failed(run_packed(kRejected | 5, kPackedBytes),
                     {"failure_modes_per_input_offset is not exported"}));
}

// The end of the line: the message says no more than this.
testing::AssertionResult rejected(const ProcessResult& result, const std::string& message) {
  return failed(result, {".wasm: " + message + "\n"});
}

TEST(ContractPacked, RejectionWithoutModesHasNoOffset) {
  EXPECT_TRUE(rejected(run_packed(kRejected, modes(0)), "component rejected input"));
  EXPECT_TRUE(rejected(run_packed(kRejected | 0xFFFFFFFF, modes(0)), "component rejected input"));
}

TEST(ContractPacked, RejectionWithOneModeTellsTheOffset) {
  const std::string at = "component rejected input at input offset ";
  EXPECT_TRUE(rejected(run_packed(kRejected, modes(1)), at + "0"));
  EXPECT_TRUE(rejected(run_packed(kRejected | 3, modes(1)), at + "3"));
  EXPECT_TRUE(rejected(run_packed(kRejected | 5, modes(1)), at + "5"));
}

TEST(ContractPacked, RejectionWithSeveralModesTellsTheMode) {
  const std::string at = "component rejected input at input offset ";
  EXPECT_TRUE(rejected(run_packed(kRejected | 0, modes(2)), at + "0 with mode 0"));
  EXPECT_TRUE(rejected(run_packed(kRejected | 5, modes(2)), at + "2 with mode 1"));
  EXPECT_TRUE(rejected(run_packed(kRejected | 11, modes(2)), at + "5 with mode 1"));
  EXPECT_TRUE(rejected(run_packed(kRejected | 7, modes(-1)), at + "0 with mode 7"));
  EXPECT_TRUE(rejected(run_packed(kRejected | 0xFFFFFFFF, modes(-1)), at + "1 with mode 0"));
}

TEST(ContractPacked, RejectionBeyondTheInputIsAnError) {
  for (const ProcessResult& result :
       {run_packed(kRejected | 6, modes(1)), run_packed(kRejected | 12, modes(2)),
        run_packed(kRejected | 0xFFFFFFFF, modes(1)), run_packed(kRejected | 1, modes(1), "")}) {
    EXPECT_TRUE(failed(result, {"offset"}));
    EXPECT_EQ(result.error.find("component rejected input at input offset"), std::string::npos)
        << result.error;
  }
}

TEST(ContractPacked, RejectionWithPointerBitsIsAnError) {
  for (const int bit : {32, 47, 62}) {
    const ProcessResult result = run_packed(kRejected | uint64_t{1} << bit, modes(0));
    EXPECT_TRUE(failed(result, {"render returned failure"}));
    EXPECT_EQ(result.error.find("component rejected input"), std::string::npos) << result.error;
  }
}

TEST(ContractPacked, WantsExactlyOneOutputCapacity) {
  EXPECT_TRUE(failed(run_packed(packed(150000, 6), ""), {"output_utf8_cap", "output_bytes_cap"}));
  EXPECT_TRUE(failed(run_packed(packed(150000, 6), kPackedText + kPackedBytes),
                     {"output_utf8_cap", "output_bytes_cap"}));
  EXPECT_TRUE(failed(run_packed(packed(150000, 6), value("output_i32_cap", 64)),
                     {"output_utf8_cap", "output_bytes_cap"}));
}

TEST(ContractPacked, WantsAtMostOneInputCapacity) {
  EXPECT_TRUE(failed(run_packed(packed(150000, 6), kPackedText + value("input_bytes_cap", 64)),
                     {"input_utf8_cap", "input_bytes_cap"}));
}

TEST(ContractPacked, RejectionInAChainNamesTheComponent) {
  const std::string plain = build("echo", echo());
  const std::string rejects =
      build("rejects", module(input() + modes(1) + packed_constant(kRejected | 2)));
  EXPECT_TRUE(failed(run({plain, rejects, plain}, "abc"),
                     {"rejects.wasm: component rejected input at input offset 2\n"}));
}

// --- Generators ----------------------------------------------------------------------------------

std::string generator() {
  return build("generator",
               module("(memory (export \"memory\") 1)" + data(100, "made") + kPackedText +
                      entry("(if (local.get $size) (then unreachable))"
                            "(i64.const " +
                                std::to_string(packed(100, 4)) + ")",
                            "render", "i64")));
}

TEST(ContractGenerator, NeedsNoInput) {
  EXPECT_TRUE(succeeded(run({generator()}, ""), "made\n"));
  EXPECT_TRUE(succeeded(run({generator(), build("echo", echo())}, ""), "made\n"));
  EXPECT_TRUE(
      succeeded(folder().shell("\"$COMMAND\" run " + generator() + " < /dev/null"), "made\n"));
}

TEST(ContractGenerator, RefusesInput) {
  const std::string message = "inputless generator cannot receive ";
  folder().put("five", "hello");
  EXPECT_TRUE(failed(run({"-i", "five", generator()}), {message + "5 input bytes"}));
  EXPECT_TRUE(failed(run({generator()}, "hello"), {"generator.wasm: " + message, " input bytes"}));
}

TEST(ContractGenerator, MustBeFirst) {
  EXPECT_TRUE(failed(run({build("echo", echo()), generator()}, ""),
                     {"generator.wasm: ", "inputless generator"}));
}

// With an i32 result there is no generator: the older generations demand an input.
TEST(ContractGenerator, IsKnownByThePackedResult) {
  const std::string path = build(
      "nogenerator", module("(memory (export \"memory\") 1)" + output() + entry("(i32.const 0)")));
  EXPECT_TRUE(failed(run({path}, ""), {"Wasm module must export input_ptr as global or function"}));
}

TEST(ContractGenerator, HalfAnInputIsNoGenerator) {
  const std::string base = "(memory (export \"memory\") 1)" + kPackedText + packed_constant(0);
  EXPECT_TRUE(failed(run({build("onlypointer", module(base + value("input_ptr", 0)))}, ""),
                     {"Wasm module must export input_utf8_cap or input_bytes_cap"}));
  EXPECT_TRUE(failed(run({build("onlycapacity", module(base + value("input_utf8_cap", 4)))}, ""),
                     {"Wasm module must export input_ptr as global or function"}));
}

// --- Content types -------------------------------------------------------------------------------

// An echo that declares these types; empty: none. Kinds: "utf8", "bytes"; for the output also
// "i32" (then it gives no item), "none" and "zero" (a text capacity of 0).
std::string typed(const std::string& in, const std::string& out,
                  const std::string& out_kind = "utf8", const std::string& in_kind = "utf8") {
  static int number = 0;
  std::string parts = input(in_kind);
  if (!in.empty()) parts += content_type("input", in);
  if (!out.empty()) parts += content_type("output", out);
  if (out_kind == "zero") {
    parts += output("utf8", 0);
  } else if (out_kind != "none") {
    parts += output(out_kind);
  }
  const std::string body = out_kind == "i32" ? "(i32.const 0)" : kCopy;
  return build("typed" + text(number++), module(parts + entry(body)));
}

const std::string kCheckFailed = "content type check failed for ";

testing::AssertionResult unspecified(const ProcessResult& result, const std::string& expected,
                                     const std::string& printed = "") {
  return failed(result,
                {kCheckFailed,
                 "module expects \"" + expected + "\" but pipeline content type is unspecified\n"},
                printed);
}

testing::AssertionResult different(const ProcessResult& result, const std::string& expected,
                                   const std::string& actual) {
  return failed(result,
                {kCheckFailed, "module expects \"" + expected + "\", got \"" + actual + "\"\n"});
}

TEST(ContractTypes, TheFirstComponentIsTrusted) {
  EXPECT_TRUE(succeeded(run({typed("text/markdown", "")}, "abc"), "abc\n"));
  folder().put("page.html", "abc");
  EXPECT_TRUE(succeeded(run({"-i", "page.html", typed("text/markdown", "")}), "abc\n"));
}

TEST(ContractTypes, TheTrustedTypeFlowsOn) {
  const std::string markdown = typed("text/markdown", "");
  EXPECT_TRUE(succeeded(run({markdown, markdown, typed("text/markdown", "")}, "abc"), "abc\n"));
  EXPECT_TRUE(different(run({markdown, typed("text/html", "")}), "text/html", "text/markdown"));
}

TEST(ContractTypes, OnlyTheFirstComponentIsTrusted) {
  EXPECT_TRUE(unspecified(run({typed("", ""), typed("text/markdown", "")}), "text/markdown"));
}

TEST(ContractTypes, MustMatchExactly) {
  const std::string html = typed("", "text/html");
  EXPECT_TRUE(succeeded(run({html, typed("text/html", "")}, "abc"), "abc\n"));
  for (const char* other : {"text/htm", "text/html5", "text/plain", "application/html"}) {
    EXPECT_TRUE(different(run({html, typed(other, "")}), other, "text/html"));
  }
}

TEST(ContractTypes, ComponentsWithoutDeclarationAcceptAnything) {
  EXPECT_TRUE(succeeded(run({typed("", "image/png"), typed("", "")}, "abc"), "abc\n"));
  EXPECT_TRUE(succeeded(run({typed("", "image/png", "none"), typed("", "")}, "abc"), "Ran: 3\n\n"));
}

TEST(ContractTypes, PassThroughTextAndBytes) {
  const std::string html = typed("", "text/html");
  const std::string last = typed("text/html", "");
  for (const char* in_kind : {"utf8", "bytes"}) {
    for (const char* out_kind : {"utf8", "bytes"}) {
      const std::string between = typed("", "", out_kind, in_kind);
      EXPECT_TRUE(succeeded(run({html, between, between, last}, "abc"), "abc\n"))
          << in_kind << " to " << out_kind;
    }
  }
}

TEST(ContractTypes, AreLostInItemsAndWithoutOutput) {
  const std::string html = typed("", "text/html"), last = typed("text/html", "");
  EXPECT_TRUE(unspecified(run({html, typed("", "", "i32"), last}, "abc"), "text/html"));
  EXPECT_TRUE(
      unspecified(run({html, typed("", "", "none"), last}, "abc"), "text/html", "Ran: 3\n"));
  EXPECT_TRUE(
      unspecified(run({html, typed("", "", "zero"), last}, "abc"), "text/html", "Ran: 3\n"));
  // A trusted type is lost like any other.
  EXPECT_TRUE(unspecified(run({typed("text/html", "", "i32"), last}), "text/html"));
}

TEST(ContractTypes, ADeclaredOutputTypeCountsWhateverTheOutputIs) {
  const std::string last = typed("text/html", "");
  EXPECT_TRUE(succeeded(run({typed("", "text/html", "i32"), last}, "abc"), "\n"));
  EXPECT_TRUE(succeeded(run({typed("", "text/html", "none"), last}, "abc"), "Ran: 3\n\n"));
  EXPECT_TRUE(succeeded(run({typed("", "text/html", "bytes"), last}, "abc"), "abc\n"));
}

TEST(ContractTypes, OutputDeclarationReplacesTheIncomingType) {
  const std::string convert = typed("text/markdown", "text/html");
  EXPECT_TRUE(succeeded(run({convert, typed("text/html", "")}, "abc"), "abc\n"));
  EXPECT_TRUE(different(run({convert, convert}), "text/markdown", "text/html"));
}

TEST(ContractTypes, AreTrimmedAndInLowerCase) {
  EXPECT_TRUE(succeeded(
      run({typed("", " Text/HTML\n"), typed("\ttext/Html ", ""), typed("text/html", "")}, "abc"),
      "abc\n"));
  EXPECT_TRUE(
      different(run({typed("", "Image/PNG"), typed(" TEXT/html", "")}), "text/html", "image/png"));
}

TEST(ContractTypes, AreCheckedBeforeTheEntryRuns) {
  const std::string traps =
      build("typedtrap",
            module(input() + output() + content_type("input", "a/b") + entry("unreachable")));
  EXPECT_TRUE(different(run({typed("", "c/d"), traps}), "a/b", "c/d"));
}

TEST(ContractTypes, NamesOfTypesMayBeAnyRestrictedName) {
  for (const char* type :
       {"a/b", "image/svg+xml", "application/vnd.ms-excel", "x-1!#$&-^_.+/2y",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}) {
    EXPECT_TRUE(succeeded(run({typed("", type), typed(type, "")}, "abc"), "abc\n")) << type;
  }
}

TEST(ContractTypes, MustBeOneTypeWithoutParametersOrRanges) {
  const std::string lists[] = {"text/html,text/plain", "text/html, text/plain", "text/html,",
                               ",text/html"};
  std::vector<std::string> malformed = {"text/html; charset=utf-8",
                                        "text/html;charset=utf-8",
                                        "text/html;",
                                        "*/*",
                                        "text/*",
                                        "text",
                                        "/html",
                                        "text/",
                                        "/",
                                        "text//html",
                                        "text/html/x",
                                        "te xt/html",
                                        "text/ html",
                                        "text /html",
                                        "text/ht\"ml",
                                        "text/ht(m)l",
                                        "text/ht\x01ml",
                                        "text/ht\x1b[2Jml",
                                        "text/html\x7f",
                                        "t\u00e9xt/html",
                                        "\xff\xfe/\xfd",
                                        "   "};
  malformed.emplace_back("text/html\0", 10);
  for (const std::string& type : lists) {
    const std::string text = "content type must contain exactly one MIME type";
    EXPECT_TRUE(failed(run({typed(type, "")}), {"invalid input content type metadata: ", text}))
        << type;
    EXPECT_TRUE(failed(run({typed("", type)}), {"invalid output content type metadata: ", text}))
        << type;
  }
  for (const std::string& type : malformed) {
    EXPECT_TRUE(failed(run({typed(type, "")}), {".wasm: invalid input content type metadata: "}))
        << type;
    EXPECT_TRUE(failed(run({typed("", type)}), {".wasm: invalid output content type metadata: "}))
        << type;
  }
}

TEST(ContractTypes, AreDeclaredByPairs) {
  for (const std::string direction : {"input", "output"}) {
    const std::string pointer = direction + "_content_type_ptr";
    const std::string size = direction + "_content_type_size";
    const Strings wanted = {"invalid " + direction + " content type metadata: ",
                            "module must export both " + pointer + " and " + size + " together"};
    EXPECT_TRUE(failed(run({build(direction + "ptr", echo(value(pointer, 0)))}), wanted));
    EXPECT_TRUE(failed(run({build(direction + "size", echo(value(size, 9)))}), wanted));
  }
}

TEST(ContractTypes, DeclarationsMustNotBeEmptyNorOutsideTheMemory) {
  for (const std::string direction : {"input", "output"}) {
    const auto declared = [&](int64_t pointer, int64_t size) {
      return run({build(
          direction + text(pointer) + "and" + text(size),
          echo(value(direction + "_content_type_ptr", pointer) +
               value(direction + "_content_type_size", size) + data(262144 - 9, "text/html")))});
    };
    const std::string wrapper = "invalid " + direction + " content type metadata: ";
    EXPECT_TRUE(failed(declared(200000, 0), {wrapper, "module export " + direction +
                                                          "_content_type_size must be non-empty "
                                                          "when present"}));
    const Strings outside = {wrapper, "failed to read " + direction + " bytes from module memory"};
    EXPECT_TRUE(succeeded(declared(262144 - 9, 9), "x\n"));
    EXPECT_TRUE(failed(declared(262144 - 8, 9), outside));
    EXPECT_TRUE(failed(declared(262144, 1), outside));
    EXPECT_TRUE(failed(declared(-4, 9), outside));
    EXPECT_TRUE(failed(declared(-1, 1), outside));
    EXPECT_TRUE(failed(declared(-1, -1), outside));
    EXPECT_TRUE(failed(declared(200000, -1), outside));
    EXPECT_TRUE(failed(declared(200000, 262144), outside));
  }
}

TEST(ContractTypes, MayBeDeclaredByGlobals) {
  const auto global = [](const std::string& name, const char* type, int number) {
    return "(global (export \"" + name + "\") " + type + " (i32.const " + text(number) + "))";
  };
  const std::string path =
      build("typeglobals", echo(data(200000, "text/htmltext/plain") +
                                global("input_content_type_ptr", "i32", 200000) +
                                global("input_content_type_size", "(mut i32)", 9) +
                                global("output_content_type_ptr", "(mut i32)", 200009) +
                                global("output_content_type_size", "i32", 10)));
  EXPECT_TRUE(succeeded(run({typed("", "text/html"), path, typed("text/plain", "")}), "x\n"));
  EXPECT_TRUE(different(run({path, typed("text/html", "")}), "text/html", "text/plain"));
}

// A packed result is text or bytes like any other.
TEST(ContractTypes, PassThroughPackedResults) {
  const std::string between =
      build("packedtypes", module(input() + kPackedText + packed_constant(packed(1024, 1))));
  EXPECT_TRUE(
      succeeded(run({typed("", "text/html"), between, typed("text/html", "")}, "x"), "x\n"));
}

TEST(ContractTypes, AnImageOfTheRightTypeIsWrittenAsItIs) {
  EXPECT_TRUE(succeeded(run({"-o", "as-is.png", typed("", "image/png", "bytes")}, "any"), ""));
  EXPECT_EQ(folder().get("as-is.png"), "any");
  EXPECT_TRUE(failed(
      run({"-o", "never.png", typed("", "text/html")}, "any"),
      {"cannot encode non-image output as image (encoding=utf8, content_type=\"text/html\")"}));
  EXPECT_FALSE(folder().has("never.png"));
}

// --- Uniforms: values ----------------------------------------------------------------------------

// Prints the bits that the setter of `type` got: one item, or two, the lower half first.
std::string prints_uniform(const std::string& type) {
  const std::string integer = type == "i32" || type == "f32" ? "i32" : "i64";
  const std::string bits = type == integer
                               ? "(local.get 0)"
                               : "(" + integer + ".reinterpret_" + type + " (local.get 0))";
  return build("uniform" + type,
               module(input() + output("i32", 2) + "(func (export \"uniform_set_v\") (param " +
                      type + ") (" + integer + ".store (i32.const 131072) " + bits + "))" +
                      entry("(i32.const " + std::string(integer == "i32" ? "1" : "2") + ")")));
}

// `text` as it has to be written in a query: all but letters and digits as %XX.
std::string percent_encoded(std::string_view bytes) {
  static const char* const digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char byte : bytes) {
    const unsigned char code = static_cast<unsigned char>(byte);
    if (isalnum(code)) {
      encoded += byte;
    } else {
      encoded += {'%', digits[code >> 4], digits[code & 15]};
    }
  }
  return encoded;
}

// The setter's parameter for `value_text`, as 8 or 16 hexadecimal digits.
void expect_uniform(const std::string& type, const std::string& value_text,
                    const std::string& bits) {
  const std::string lines =
      bits.size() == 8 ? bits + "\n" : bits.substr(8) + "\n" + bits.substr(0, 8) + "\n";
  EXPECT_TRUE(succeeded(run({prints_uniform(type), "?v=" + percent_encoded(value_text)}), lines))
      << type << " " << value_text;
}

void expect_no_uniform(const std::string& type, const std::string& value_text) {
  EXPECT_TRUE(failed(run({prints_uniform(type), "?v=" + percent_encoded(value_text)}),
                     {"uniform" + type + ".wasm: invalid value \"" + value_text +
                      "\" for uniform_set_v (expected " + type + ")"}))
      << type << " " << value_text;
}

TEST(UniformValues, I32) {
  const std::pair<const char*, const char*> good[] = {
      {"0", "00000000"},          {"-0", "00000000"},         {"+7", "00000007"},
      {"007", "00000007"},        {"2147483647", "7fffffff"}, {"-2147483648", "80000000"},
      {"-1", "ffffffff"},         {"2147483648", "80000000"}, {"4294967295", "ffffffff"},
      {"0x0", "00000000"},        {"0xff5511FF", "ff5511ff"}, {"0Xa", "0000000a"},
      {"0xFFFFFFFF", "ffffffff"}, {"0x00000001", "00000001"}, {"00000000000001", "00000001"}};
  for (const auto& [value_text, bits] : good) expect_uniform("i32", value_text, bits);
  for (const char* bad : {"",
                          " ",
                          " 5",
                          "5 ",
                          "4294967296",
                          "-2147483649",
                          "99999999999999999999",
                          "0x",
                          "0X",
                          "0x100000000",
                          "0x000000001",
                          "0xg",
                          "x5",
                          "ff",
                          "1.5",
                          "1.",
                          "1e3",
                          "1_000",
                          "0x1_0",
                          "0b1",
                          "0o7",
                          "--1",
                          "+-1",
                          "-",
                          "+",
                          "5x",
                          "\u0663",
                          "true",
                          "null"}) {
    expect_no_uniform("i32", bad);
  }
}

TEST(UniformValues, I64) {
  const std::pair<const char*, const char*> good[] = {{"0", "0000000000000000"},
                                                      {"-1", "ffffffffffffffff"},
                                                      {"+4294967296", "0000000100000000"},
                                                      {"9223372036854775807", "7fffffffffffffff"},
                                                      {"-9223372036854775808", "8000000000000000"},
                                                      {"0x0123456789abcdef", "0123456789abcdef"},
                                                      {"0xffffffffffffffff", "ffffffffffffffff"},
                                                      {"0XF", "000000000000000f"}};
  for (const auto& [value_text, bits] : good) expect_uniform("i64", value_text, bits);
  for (const char* bad : {"", "9223372036854775808", "-9223372036854775809", "0x10000000000000000",
                          "0x", "1.0", "1e3", "1_0", "ff", " 1", "1 "}) {
    expect_no_uniform("i64", bad);
  }
}

TEST(UniformValues, F32) {
  const std::pair<const char*, const char*> good[] = {
      {"0", "00000000"},
      {"-0", "80000000"},
      {"1", "3f800000"},
      {"+1", "3f800000"},
      {"0.1", "3dcccccd"},
      {".5", "3f000000"},
      {"5.", "40a00000"},
      {"1e3", "447a0000"},
      {"1E+3", "447a0000"},
      {"-2.5e-1", "be800000"},
      {"3.4028235e38", "7f7fffff"},
      {"1e-45", "00000001"},
      {"1e-60", "00000000"},
      {"16777217", "4b800000"},
      // Rounded once, from the decimal: not by way of a double.
      {"1.00000017881393432617187499", "3f800001"},
      {"1.00000017881393432617187500", "3f800002"},
      {"inf", "7f800000"},
      {"-inf", "ff800000"},
      {"+Inf", "7f800000"},
      {"Infinity", "7f800000"},
      {"-INFINITY", "ff800000"},
      {"nan", "7fc00000"},
      {"NaN", "7fc00000"},
      {"0x1p-2", "3e800000"},
      {"-0x1.8p1", "c0400000"},
      {"0X1P+3", "41000000"},
      {"0x1.fffffep127", "7f7fffff"}};
  for (const auto& [value_text, bits] : good) expect_uniform("f32", value_text, bits);
  for (const char* bad :
       {"",      "1e40", "-1e40", "3.5e38", "0x1p128", "abc", "0x10",
        "0x1.8", " 0.5", "0.5 ",  "1_0",    "1e",      "1e+", ".",
        "-",     "0x1p", "0x",    "1,5",    "infin",   "in",  "nan(1)",
        "1.5f",  "nanx", "1e5.0", "1..2",   "0x.p1",   "--1", "1e99999999999999999999"}) {
    expect_no_uniform("f32", bad);
  }
}

TEST(UniformValues, F64) {
  const std::pair<const char*, const char*> good[] = {
      {"0.1", "3fb999999999999a"},
      {"-0", "8000000000000000"},
      {"1e308", "7fe1ccf385ebc8a0"},
      {"5e-324", "0000000000000001"},
      {"1e-400", "0000000000000000"},
      {"9007199254740993", "4340000000000000"},
      {"inf", "7ff0000000000000"},
      {"-infinity", "fff0000000000000"},
      {"nan", "7ff8000000000000"},
      {"0x1p-1074", "0000000000000001"},
      {"1.7976931348623157e308", "7fefffffffffffff"}};
  for (const auto& [value_text, bits] : good) expect_uniform("f64", value_text, bits);
  for (const char* bad : {"", "1e400", "-1e400", "0x10", "0x1p1024", "abc", "1 ", "1_0"}) {
    expect_no_uniform("f64", bad);
  }
}

// --- Uniforms: which and when --------------------------------------------------------------------

// Setters A, a, aa and b write their name; the output is what they wrote, in order.
std::string logs_setters() {
  std::string setters = "(global $end (mut i32) (i32.const 131072))";
  for (const std::string name : {"b", "aa", "A", "a"}) {
    setters += "(func (export \"uniform_set_" + name +
               "\") (param i32)"
               "(i32.store8 (global.get $end) (i32.const " +
               text(name[0]) +
               "))"
               "(i32.store8 offset=1 (global.get $end) (i32.add (i32.const 48) (local.get 0)))"
               "(global.set $end (i32.add (global.get $end) (i32.const 2))))";
  }
  return build("logs", module(input() + output() + setters +
                              entry("(i32.sub (global.get $end) (i32.const 131072))")));
}

TEST(Uniforms, AreAppliedInAscendingOrderOfBytes) {
  EXPECT_TRUE(succeeded(run({logs_setters(), "?b=1&aa=2&a=3&A=4"}), "A4a3a2b1\n"));
  EXPECT_TRUE(succeeded(run({logs_setters(), "?b=1", "?a=2", "-u", "A=3"}), "A3a2b1\n"));
}

TEST(Uniforms, KeepTheirDefaultsWhenNotGiven) {
  EXPECT_TRUE(succeeded(run({logs_setters()}), "\n"));
  EXPECT_TRUE(succeeded(run({logs_setters(), "?a=1"}), "a1\n"));
}

TEST(Uniforms, LastValueOfAKeyWins) {
  EXPECT_TRUE(succeeded(run({logs_setters(), "?a=1&a=2&b=5&a=3"}), "a3b5\n"));
  EXPECT_TRUE(succeeded(run({logs_setters(), "?a=1&b=5", "?a=2"}), "a2b5\n"));
  EXPECT_TRUE(succeeded(run({logs_setters(), "?a=1", "-u", "a=2"}), "a2\n"));
  EXPECT_TRUE(succeeded(run({logs_setters(), "-u", "a=2", "?a=1"}), "a1\n"));
  // Only the value that wins has to be one.
  EXPECT_TRUE(succeeded(run({logs_setters(), "?a=x", "?a=2"}), "a2\n"));
}

TEST(Uniforms, QueriesAreDecoded) {
  EXPECT_TRUE(succeeded(run({logs_setters(), "?%61=%31"}), "a1\n"));
  EXPECT_TRUE(succeeded(run({logs_setters(), "?&&a=1&"}), "a1\n"));
  EXPECT_TRUE(failed(run({logs_setters(), "?a%3D1=2"}),
                     {"Wasm module does not export uniform_set_a=1 for query key \"a=1\""}));
  EXPECT_TRUE(failed(run({logs_setters(), "?a+b=2"}), {"for query key \"a b\""}));
  EXPECT_TRUE(failed(run({logs_setters(), "?a=1=2"}), {"invalid value \"1=2\" for uniform_set_a"}));
  EXPECT_TRUE(failed(run({logs_setters(), "?a=1%26b"}), {"invalid value \"1&b\""}));
  EXPECT_TRUE(
      failed(run({logs_setters(), "?a"}), {"invalid value \"\" for uniform_set_a (expected i32)"}));
}

TEST(Uniforms, MistakesInQueriesAreNamed) {
  const auto query = [](const std::string& argument) { return run({logs_setters(), argument}); };
  const std::string wrapper = "Invalid run module args: ";
  EXPECT_TRUE(failed(query("?"), {wrapper + "run uniform query must not be empty\n"}));
  for (const std::string none : {"?&", "?&&&"}) {
    EXPECT_TRUE(failed(query(none), {wrapper + "run uniform query \"" + none +
                                     "\" must contain key=value pairs\n"}));
  }
  for (const std::string keyless : {"?=1", "?a=1&=2", "?="}) {
    EXPECT_TRUE(failed(query(keyless),
                       {wrapper + "invalid run uniform query \"" + keyless + "\": empty key\n"}));
  }
  const std::pair<const char*, const char*> escapes[] = {
      {"?a=%zz", "%zz"}, {"?a=%", "%"}, {"?a=%1", "%1"}, {"?%g1=1", "%g1"}, {"?a=1%4", "%4"}};
  for (const auto& [argument, escape] : escapes) {
    EXPECT_TRUE(failed(query(argument), {wrapper + "invalid run uniform query \"" + argument +
                                         "\": invalid URL escape \"" + escape + "\"\n"}));
  }
  EXPECT_TRUE(failed(query("?a=1;b=2"), {wrapper + "invalid run uniform query \"?a=1;b=2\": " +
                                         "invalid semicolon separator in query\n"}));
}

TEST(Uniforms, QueriesFollowAComponent) {
  const std::string wrapper = "Invalid run module args: ";
  EXPECT_TRUE(failed(run({"?a=1", logs_setters()}),
                     {wrapper + "run uniform query \"?a=1\" must follow a wasm module path"}));
  EXPECT_TRUE(failed(run({"?a=1"}),
                     {wrapper + "run uniform query \"?a=1\" must follow a wasm module path"}));
  // Flags may stand between a component and its settings; "--" ends only the flags.
  EXPECT_TRUE(succeeded(run({logs_setters(), "--timeout-ms", "900", "?a=1"}), "a1\n"));
  EXPECT_TRUE(succeeded(run({"--", logs_setters(), "?a=1"}), "a1\n"));
}

TEST(Uniforms, SettersMustBeFunctionsOfOneNumber) {
  const auto with = [](const std::string& name, const std::string& export_text) {
    return run({build("setter" + name, echo(export_text)), "?k=1"});
  };
  const auto function = [](const std::string& type) {
    return "(func (export \"uniform_set_k\") " + type + ")";
  };
  const Strings missing = {"Wasm module does not export uniform_set_k for query key \"k\""};
  const Strings count = {"uniform_set_k must accept exactly one argument"};
  const Strings unsupported = {"uniform_set_k has unsupported parameter type"};
  EXPECT_TRUE(failed(with("none", ""), missing));
  EXPECT_TRUE(failed(with("global", "(global (export \"uniform_set_k\") (mut i32) (i32.const 0))"),
                     missing));
  EXPECT_TRUE(failed(with("zero", function("")), count));
  EXPECT_TRUE(failed(with("two", function("(param i32 i32)")), count));
  EXPECT_TRUE(failed(with("v128", function("(param v128)")), unsupported));
  EXPECT_TRUE(failed(with("funcref", function("(param funcref)")), unsupported));
  EXPECT_TRUE(failed(with("externref", function("(param externref)")), unsupported));
}

TEST(Uniforms, TheHostsHookIsNoUniform) {
  const std::string path =
      build("hook", echo("(func (export \"uniform_set_width_and_height\") (param f32 f32))"));
  const Strings wanted = {"uniform_set_width_and_height must accept exactly one argument"};
  EXPECT_TRUE(failed(run({path, "?width_and_height=2"}), wanted));
  EXPECT_TRUE(failed(run({path, "-u", "width_and_height=2"}), wanted));
}

TEST(Uniforms, ResultsOfSettersAreIgnored) {
  for (const std::string result : {"(result i32) (i32.const 0)", "(result i64) (i64.const -1)",
                                   "(result i32 f64) (i32.const 0) (f64.const 0)"}) {
    static int number = 0;
    const std::string path =
        build("result" + text(number++),
              echo("(func (export \"uniform_set_k\") (param i32) " + result + ")"));
    EXPECT_TRUE(succeeded(run({path, "?k=1"}, "abc"), "abc\n")) << result;
  }
}

TEST(Uniforms, SettersThatTrapAreNamedWithTheirValue) {
  const std::string traps =
      build("settertraps", echo("(func (export \"uniform_set_k\") (param i32) unreachable)"));
  EXPECT_TRUE(
      failed(run({traps, "?k=5"}),
             {"settertraps.wasm: Error running uniform_set_k(5): wasm error: unreachable"}));
  const std::string loops =
      build("setterloops",
            echo("(func (export \"uniform_set_k\") (param i32) (loop $again (br $again)))"));
  EXPECT_TRUE(failed(run({"--timeout-ms", "100", loops, "?k=5"}),
                     {"Wasm module exceeded the execution time limit (100ms)"}));
}

TEST(Uniforms, AreAppliedBeforeValuesAreRead) {
  const std::string path = build(
      "resized",
      module("(memory (export \"memory\") 1)"
             "(global $cap (export \"input_utf8_cap\") (mut i32) (i32.const 8))" +
             value("input_ptr", 16) + value("output_ptr", 16) + value("output_utf8_cap", 64) +
             "(func (export \"uniform_set_cap\") (param i32) (global.set $cap (local.get 0)))" +
             entry("(local.get $size)")));
  EXPECT_TRUE(succeeded(run({path}, "12345678"), "12345678\n"));
  EXPECT_TRUE(failed(run({path, "?cap=4"}, "12345678"),
                     {"Input is too large (", " bytes > 4 bytes input capacity)"}));
}

TEST(Uniforms, AreAppliedAfterTheStartFunctions) {
  const std::string path =
      build("afterstart",
            module(input() + output("i32", 4) +
                   "(global $set (mut i32) (i32.const 0))"
                   "(func $first (global.set $set (i32.const 1))) (start $first)"
                   "(func (export \"_start\") (global.set $set (i32.const 2)))"
                   "(func (export \"uniform_set_k\") (param i32) (global.set $set (local.get 0)))" +
                   entry("(i32.store (i32.const 131072) (global.get $set)) (i32.const 1)")));
  EXPECT_TRUE(succeeded(run({path}), "00000002\n"));
  EXPECT_TRUE(succeeded(run({path, "?k=7"}), "00000007\n"));
}

// Nothing is printed by the component in front, because nothing ran.
TEST(Uniforms, MistakesAreFoundBeforeAnythingRuns) {
  const std::string ran = build("ran", module(input() + entry("(i32.const 1)")));
  EXPECT_TRUE(failed(run({ran, logs_setters(), "?nope=1"}), {"logs.wasm: ", "uniform_set_nope"}));
  EXPECT_TRUE(failed(run({ran, logs_setters(), "?a=x"}), {"invalid value \"x\""}));
  EXPECT_TRUE(failed(run({ran, logs_setters(), "?"}), {"must not be empty"}));
}

TEST(Uniforms, BelongToTheirComponentOnly) {
  const std::string logs = logs_setters(), plain = build("echo", echo());
  EXPECT_TRUE(
      failed(run({logs, plain, "?a=1"}), {"echo.wasm: Wasm module does not export uniform_set_a"}));
  EXPECT_TRUE(succeeded(run({plain, logs, "?a=1"}), "a1\n"));
  // The same file twice, with settings of its own each time; the second writes behind nothing.
  EXPECT_TRUE(succeeded(run({logs, "?a=1", logs, "?b=2"}), "b2\n"));
  EXPECT_TRUE(succeeded(run({logs, "-u", "a=1", logs}), "\n"));
}

TEST(Uniforms, TextOfTheUserCannotDisturbTheTerminal) {
  for (const std::string argument : {"?a=%1b[2J", "?%1b[2J=1", "?a=%0Ax", "?a=\x1b[2J;"}) {
    EXPECT_TRUE(failed(run({logs_setters(), argument}), {}));
  }
}

// --- Uniforms: -u --------------------------------------------------------------------------------

TEST(UniformFlag, SetsOneKeyOfTheComponentBefore) {
  EXPECT_TRUE(succeeded(run({logs_setters(), "-u", "a=1", "-u", "b=2"}), "a1b2\n"));
  EXPECT_TRUE(succeeded(run({logs_setters(), "--uniform", "a=1"}), "a1\n"));
  EXPECT_TRUE(succeeded(run({logs_setters(), "--uniform=a=1"}), "a1\n"));
  EXPECT_TRUE(succeeded(run({logs_setters(), "-u=a=1"}), "a1\n"));
  EXPECT_TRUE(succeeded(run({logs_setters(), "--timeout-ms", "900", "-u", "a=1"}), "a1\n"));
  EXPECT_TRUE(succeeded(
      run({build("echo", echo()), logs_setters(), "-u", "a=1", build("echo", echo())}), "a1\n"));
}

TEST(UniformFlag, DecodesNothing) {
  EXPECT_TRUE(failed(run({logs_setters(), "-u", "%61=1"}), {"for query key \"%61\""}));
  EXPECT_TRUE(failed(run({logs_setters(), "-u", "a=%31"}), {"invalid value \"%31\""}));
  EXPECT_TRUE(failed(run({logs_setters(), "-u", "a=1&b=2"}), {"invalid value \"1&b=2\""}));
  EXPECT_TRUE(failed(run({logs_setters(), "-u", "a=1=2"}), {"invalid value \"1=2\""}));
  EXPECT_TRUE(succeeded(run({prints_uniform("f32"), "-u", "v=+0.5"}), "3f000000\n"));
}

TEST(UniformFlag, NeedsAComponentAKeyAndAnEqualsSign) {
  for (const Strings& arguments :
       {Strings{"-u", "a=1", logs_setters()}, Strings{logs_setters(), "-u", "a"},
        Strings{logs_setters(), "-u", "=1"}, Strings{logs_setters(), "-u", ""}}) {
    EXPECT_TRUE(failed(run(arguments), {"uniform"}));
  }
  EXPECT_EQ(run({logs_setters(), "-u"}).exit_code, 1);
}

}  // namespace
}  // namespace qip
