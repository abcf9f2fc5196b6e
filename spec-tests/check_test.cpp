// `qip check` through the built command: a component that keeps the contract passes every rule, and
// for each rule there is one that breaks it and is told so, with exit code 1.
#include <filesystem>

#include "spec-tests/component_folder.hpp"

namespace qip {
namespace {

using wat::content_type;
using wat::echo;
using wat::entry;
using wat::input;
using wat::kCopy;
using wat::module;
using wat::output;
using wat::value;

const ComponentFolder& folder() {
  static const ComponentFolder made("qip-check");
  return made;
}

ProcessResult check(Strings arguments) {
  arguments.insert(arguments.begin(), "check");
  return folder().qip(arguments);
}

// The report of one component, which must be a verdict on stdout alone.
testing::AssertionResult reports(const std::string& name, const std::string& text, int exit_code,
                                 const Strings& lines, const Strings& options = {}) {
  Strings arguments = options;
  arguments.push_back(folder().build(name, text));
  const ProcessResult result = check(arguments);
  if (result.exit_code != exit_code || !result.error.empty()) {
    return unlike_expected(result) << "\nwanted: exit " << exit_code;
  }
  return holds(result.output, lines);
}
testing::AssertionResult breaks(const std::string& name, const std::string& text,
                                const std::string& line, const Strings& options = {}) {
  return reports(name, text, 1, {"\n  FAIL " + line}, options);
}
testing::AssertionResult keeps(const std::string& name, const std::string& text,
                               const Strings& lines, const Strings& options = {}) {
  return reports(name, text, 0, lines, options);
}

// A buffer pair with given pointers; capacities of `size` bytes.
std::string buffers(int64_t input_at, int64_t output_at, int64_t size) {
  return "(memory (export \"memory\") 4 4)" + value("input_ptr", input_at) +
         value("input_bytes_cap", size) + value("output_ptr", output_at) +
         value("output_bytes_cap", size);
}

TEST(Check, AGoodComponentPassesEveryRule) {
  const std::string path = folder().build("echo", echo());
  const ProcessResult result = check({path});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.error, "");
  EXPECT_TRUE(holds(
      result.output,
      {path + ": Content\n", "  PASS contract: Content, because it exports render",
       "  PASS no imports: ", "  PASS memory: at most 4 pages\n", "  PASS values: ",
       "  PASS input buffer: 1024..66560 lies inside the memory of 262144 bytes\n",
       "  PASS output buffer: 131072..196608 lies inside the memory of 262144 bytes\n",
       "  PASS buffers apart: ", "  PASS empty input: 0 bytes of output",
       "  PASS sample input: 19 bytes: 19 bytes of output", "  PASS repeated render: ",
       "  PASS fresh instance: ", "  PASS full input: 65536 bytes: 65536 bytes of output",
       "  PASS one byte over: Input is too large (65537 bytes > 65536 bytes input capacity)\n",
       "  14 passed, 0 failed, 0 notes\n"}));
}

TEST(Check, EveryComponentOfTheRepositoryPassesButTheEndlessOne) {
  size_t checked = 0;
  for (const auto& item : std::filesystem::recursive_directory_iterator("modules")) {
    const std::string path = std::filesystem::absolute(item.path()).string();
    if (item.path().extension() != ".wasm" || path.find("/oracles/") != std::string::npos) continue;
    const bool is_endless = item.path().stem() == "infinite-loop";
    const ProcessResult result = check({"--timeout-ms", is_endless ? "50" : "20000", path});
    EXPECT_EQ(result.exit_code, is_endless ? 1 : 0) << result.output << result.error;
    checked++;
  }
  EXPECT_GT(checked, 20u);
}

TEST(Check, ABreachOfOneComponentIsTheExitCodeOfAll) {
  const std::string good = folder().build("echo", echo());
  const std::string bad = folder().build("no-contract", "(module (func (export \"f\")))");
  const ProcessResult result = check({bad, good});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.output, {bad + ": none\n", "2 failed", "\n\n" + good + ": Content\n",
                                    "14 passed, 0 failed"}));
}

TEST(Check, WhatIsNoModuleIsOneLineBeforeAnyReport) {
  const std::string good = folder().build("echo", echo());
  const std::string text = folder().put("text.wasm", "hello");
  EXPECT_TRUE(failed(check({good, text}), {"text.wasm", "could not be compiled"}));
  EXPECT_TRUE(failed(check({good, folder().path("none.wasm")}), {"no such file"}));
  EXPECT_TRUE(failed(check({}), {"Usage: qip check"}));
}

TEST(Check, AComponentWithoutAContractSaysWhatIsMissing) {
  EXPECT_TRUE(breaks("without-memory",
                     module("(func (export \"render\") (param i32) (result i32) "
                            "(local.get 0))" +
                            value("input_ptr", 0) + value("input_utf8_cap", 1)),
                     "contract: Wasm module must export memory"));
}

TEST(Check, AnImportIsABreach) {
  EXPECT_TRUE(breaks("imports",
                     module("(import \"a\" \"b\" (func))" + input() + output() + entry(kCopy)),
                     "no imports: "));
}

TEST(Check, AMissingMaximumIsANote) {
  EXPECT_TRUE(keeps("no-maximum",
                    module("(memory (export \"memory\") 4)" + value("input_ptr", 1024) +
                           value("input_utf8_cap", 100) + output() + entry(kCopy)),
                    {"\n  NOTE memory: no maximum is declared", " 1 notes\n"}));
}

TEST(Check, AValueThatMovesIsABreach) {
  EXPECT_TRUE(
      breaks("moving",
             module("(global $n (mut i32) (i32.const 1024)) (memory (export \"memory\") 4 4)"
                    "(export \"input_ptr\" (global $n))" +
                    value("input_utf8_cap", 100) + output() +
                    entry("(global.set $n (i32.const 2048)) (i32.const 0)")),
             "values: input_ptr was 1024, and after a render 2048\n"));
}

TEST(Check, AValueThatTrapsIsABreach) {
  EXPECT_TRUE(breaks("value-traps",
                     module("(memory (export \"memory\") 4 4)"
                            "(func (export \"input_ptr\") (result i32) unreachable)" +
                            value("input_utf8_cap", 100) + output() + entry(kCopy)),
                     "values: input_ptr() call failed: wasm error: unreachable"));
}

TEST(Check, BuffersOutsideTheMemoryAreABreach) {
  EXPECT_TRUE(breaks("input-outside", module(buffers(262000, 0, 1000) + entry("(i32.const 0)")),
                     "input buffer: 262000..263000 lies outside the memory of 262144 bytes\n"));
  EXPECT_TRUE(breaks("output-outside", module(buffers(0, 262000, 1000) + entry("(i32.const 0)")),
                     "output buffer: 262000..263000 lies outside the memory of 262144 bytes\n"));
  EXPECT_TRUE(breaks("input-wraps", module(buffers(-1, 0, 1000) + entry("(i32.const 0)")),
                     "input buffer: 4294967295..4294968295 lies outside"));
}

TEST(Check, AnI32OutputCountsFourBytesAnItem) {
  EXPECT_TRUE(breaks("items-outside",
                     module("(memory (export \"memory\") 4 4)" + value("input_ptr", 0) +
                            value("input_bytes_cap", 10) + value("output_ptr", 262144 - 399) +
                            value("output_i32_cap", 100) + entry("(i32.const 0)")),
                     "output buffer: 261745..262145 lies outside"));
}

TEST(Check, BuffersThatOverlapInPartAreABreachAndOneForBothIsANote) {
  EXPECT_TRUE(breaks("overlap", module(buffers(1000, 1999, 1000) + entry("(i32.const 0)")),
                     "buffers apart: input 1000..2000 and output 1999..2999 overlap\n"));
  EXPECT_TRUE(keeps("touching", module(buffers(1000, 2000, 1000) + entry("(i32.const 0)")),
                    {"\n  PASS buffers apart: "}));
  EXPECT_TRUE(keeps("in-place", module(buffers(1000, 1000, 1000) + entry("(local.get $size)")),
                    {"\n  NOTE buffers apart: the output takes the place of the input\n"}));
}

TEST(Check, ABadContentTypeIsABreach) {
  EXPECT_TRUE(breaks(
      "type", echo(content_type("output", "text/html; charset=utf-8")),
      "values: invalid output content type metadata: content type must not have parameters\n"));
  EXPECT_TRUE(keeps("good-type", echo(content_type("output", "text/html")),
                    {"\n  PASS content types: anything to text/html\n"}));
}

TEST(Check, ASetterTakesOneNumber) {
  EXPECT_TRUE(breaks("setter", echo("(func (export \"uniform_set_x\") (param i32 i32))"),
                     "uniforms: must accept exactly one number: uniform_set_x\n"));
  EXPECT_TRUE(keeps("setters",
                    echo("(func (export \"uniform_set_x\") (param f64))"
                         "(func (export \"uniform_set_width_and_height\") (param f32 f32))"),
                    {"\n  PASS uniforms: 2 setters\n"}));
}

TEST(Check, ATrapIsAnOutcomeThatMustRepeat) {
  EXPECT_TRUE(keeps("refuses-nothing",
                    module(input() + output() +
                           entry("(if (i32.eqz (local.get $size)) (then unreachable))" + kCopy)),
                    {"\n  PASS empty input: refused: wasm error: unreachable",
                     "\n  PASS sample input: 19 bytes: 19 bytes of output"}));
}

TEST(Check, AStateThatChangesRepeatedRendersIsABreach) {
  EXPECT_TRUE(breaks("counts",
                     module("(global $n (mut i32) (i32.const 0))" + input() + output() +
                            entry("(global.set $n (i32.add (global.get $n) (i32.const 1)))"
                                  "(global.get $n)")),
                     "repeated render: a render on the same instance differs: 2 bytes of output"));
}

// It remembers that it has seen an empty input, which only shows when one comes in between.
TEST(Check, AStateThatAnotherInputLeavesIsABreach) {
  EXPECT_TRUE(
      breaks("remembers",
             module("(global $n (mut i32) (i32.const 1))" + input() + output() +
                    entry("(if (i32.eqz (local.get $size)) (then (global.set $n (i32.const 5))))"
                          "(global.get $n)")),
             "repeated render: a render on the same instance differs: 5 bytes of output"));
}

TEST(Check, ReadingBehindTheInputIsABreach) {
  EXPECT_TRUE(breaks("reads-behind",
                     module(input() + output() +
                            entry("(i32.eqz (i32.load8_u (i32.add (i32.const 1024) "
                                  "(local.get $size))))")),
                     "after a full input: the sample differs: 0 bytes of output"));
}

TEST(Check, ACountBeyondTheCapacityIsABreach) {
  EXPECT_TRUE(breaks("too-much", module(input() + output("utf8", 10) + entry("(i32.const 11)")),
                     "empty input: Module returned more bytes than its stated capacity\n"));
}

TEST(Check, AFullInputThatGivesTooMuchIsABreach) {
  EXPECT_TRUE(breaks("grows",
                     module(input("utf8", 1000) + output("utf8", 1000) +
                            entry("(i32.add (local.get $size) (i32.const 1))")),
                     "full input: Module returned more bytes than its stated capacity\n"));
}

TEST(Check, RunningOutOfTimeIsABreach) {
  EXPECT_TRUE(breaks("endless",
                     module(input() + output() +
                            entry("(if (i32.eq (local.get $size) (i32.const 65536))"
                                  "(then (loop $again (br $again)))) (i32.const 0)")),
                     "full input: Wasm module exceeded the execution time limit (50ms)\n",
                     {"--timeout-ms", "50"}));
}

TEST(Check, TheTimeLimitIsForEachTry) {
  // Far more tries than one limit would allow together, each well inside it.
  EXPECT_TRUE(keeps("slow",
                    module(input("utf8", 100) + output() +
                           entry("(local $i i32) (loop $again (br_if $again (i32.lt_u (local.tee "
                                 "$i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000))))"
                                 "(i32.const 0)")),
                    {" 0 failed"}, {"--fuel", "1000000"}));
}

TEST(Check, TheSampleOfTheUserIsTried) {
  const std::string sample = folder().put("sample.txt", "abc");
  EXPECT_TRUE(
      keeps("echo", echo(), {"\n  PASS sample input: 3 bytes: 3 bytes of output"}, {"-i", sample}));
  const std::string large = folder().put("large.txt", std::string(65537, 'a'));
  EXPECT_TRUE(
      breaks("echo", echo(), "sample input: Input is too large (65537 bytes", {"-i", large}));
  EXPECT_TRUE(failed(check({"-i", folder().path("none"), folder().build("echo", echo())}),
                     {"Error reading input file: open ", "no such file or directory"}));
}

TEST(Check, AComponentWithoutOutputIsJudgedByItsResult) {
  EXPECT_TRUE(
      keeps("result", module(input() + entry("(local.get $size)")),
            {"\n  PASS empty input: result 0\n", "\n  PASS sample input: 19 bytes: result 19\n",
             "\n  PASS full input: 65536 bytes: result 65536\n"}));
}

TEST(Check, AGeneratorIsTriedWithoutInput) {
  EXPECT_TRUE(
      keeps("generator",
            module("(memory (export \"memory\") 1 1)" + value("output_bytes_cap", 10) +
                   entry("(i64.const 0x0000001000000003)", "render", "i64")),
            {"\n  PASS sample input: 0 bytes: 3 bytes of output",
             "\n  PASS one byte over: inputless generator cannot receive 1 input bytes\n"}));
}

TEST(Check, AnInstanceThatCannotBeMadeIsABreach) {
  EXPECT_TRUE(breaks("start-traps",
                     module("(func $f unreachable) (start $f)" + input() + output() + entry(kCopy)),
                     "instantiation: Wasm module could not be instantiated: wasm error: "));
}

// --- Tile ----------------------------------------------------------------------------------------

std::string tile(const std::string& body, int64_t capacity = 65536, const std::string& more = "") {
  return module("(memory (export \"memory\") 4 4)" + value("input_ptr", 0) +
                value("input_bytes_cap", capacity) + more +
                "(func (export \"tile_rgba32float_64x64\") (param f32 f32) " + body + ")");
}

TEST(Check, ATileFilterIsTriedOnTiles) {
  EXPECT_TRUE(keeps("invert-one",
                    tile("(f32.store (i32.const 0) (f32.sub (f32.const 1) (f32.load (i32.const "
                         "0))))"),
                    {": Tile\n", "\n  PASS tile buffer: 0..65536 lies inside",
                     "\n  PASS black tile: ", "\n  PASS grey tile: ", "\n  PASS repeated tile: ",
                     "\n  PASS fresh instance: ", " 0 notes\n"}));
}

TEST(Check, ATileBufferThatIsTooSmallIsABreach) {
  EXPECT_TRUE(breaks("small-tile", tile("", 65535), "tile buffer: Tile buffer exceeds module"));
  EXPECT_TRUE(breaks("halo", tile("", 65536, value("calculate_halo_px", 1)),
                     "tile buffer: Tile buffer exceeds module input_bytes_cap: tiles of 66x66"));
  EXPECT_TRUE(breaks("huge-halo", tile("", 65536, value("calculate_halo_px", INT32_MAX)),
                     "tile buffer: Tile buffer exceeds module"));
  EXPECT_TRUE(keeps("negative-halo", tile("", 65536, value("calculate_halo_px", -3)),
                    {"\n  NOTE halo: a negative halo counts as none\n"}));
}

TEST(Check, AFilterThatKeepsAStateIsNoted) {
  EXPECT_TRUE(keeps("counting-tile",
                    tile("(global.set $n (f32.add (global.get $n) (f32.const 1)))"
                         "(f32.store (i32.const 0) (global.get $n))",
                         65536, "(global $n (mut f32) (f32.const 0))"),
                    {"\n  NOTE repeated tile: it keeps a state from tile to tile\n"}));
}

TEST(Check, ATileThatTrapsIsABreach) {
  EXPECT_TRUE(
      breaks("tile-traps", tile("unreachable"), "black tile: refused: wasm error: unreach"));
}

// --- Interactive and Form ------------------------------------------------------------------------

std::string frames(const std::string& render, int64_t width = 2) {
  return module("(memory (export \"memory\") 1 1) (global $n (mut i32) (i32.const 0))" +
                value("output_ptr", 0) + value("output_rgba8_srgb_bytes", 16) +
                value("render_width_px", width) + value("render_height_px", 2) +
                "(func (export \"tick\") (param i64) (result i64) (i64.const 0))" + entry(render));
}

TEST(Check, AnInteractiveComponentGivesItsFirstFrame) {
  EXPECT_TRUE(keeps("frames", frames("(i32.const 16)"),
                    {": Interactive\n", "\n  PASS first frame: 2x2 pixels, SHA-256 ",
                     "\n  PASS fresh instance: "}));
  EXPECT_TRUE(breaks("frame-size", frames("(i32.const 16)", 3),
                     "first frame: render(0) returned 16 bytes, expected 24"));
  EXPECT_TRUE(breaks("frame-moves",
                     frames("(global.set $n (i32.add (global.get $n) (i32.const 1)))"
                            "(i32.store (i32.const 0) (global.get $n)) (i32.const 16)"),
                     "first frame: two renders without an event between them differ\n"));
}

std::string asks(int64_t key_size) {
  return module(input() + output() + wat::data(3000, "name") + value("input_key_ptr", 3000) +
                value("input_key_size", key_size) + value("input_label_ptr", 3000) +
                value("input_label_size", 2) + value("error_message_ptr", 0) +
                value("error_message_size", 0) + entry("(i32.const 0)"));
}

TEST(Check, AFormGivesItsFirstPrompt) {
  EXPECT_TRUE(keeps(
      "asks", asks(4),
      {": Form\n", "\n  PASS first prompt: asks for \"name\": na\n", "\n  PASS fresh instance: "}));
  EXPECT_TRUE(keeps("asks-nothing", asks(0), {"\n  PASS first prompt: asks nothing\n"}));
  EXPECT_TRUE(breaks("asks-outside", asks(300000),
                     "first prompt: input_key_ptr/input_key_size exceed wasm memory bounds\n"));
}

}  // namespace
}  // namespace qip
