// What the user allows components to do, through the built command: time, fuel, memory, output,
// strictness, pins, on every command that takes them; what a trap tells; and the dry run.
//
// Fuel is counted, never timed: its tests look for the exact number that is enough.
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
  static const ComponentFolder made("qip-policies");
  return made;
}

std::string build(const std::string& name, const std::string& text) {
  return folder().build(name, text);
}
ProcessResult run(Strings arguments, std::string_view bytes = "x") {
  arguments.insert(arguments.begin(), "run");
  return folder().qip(arguments, bytes);
}
std::string text(uint64_t number) {
  return std::to_string(number);
}

std::string plain() {
  return build("echo", echo());
}
std::string loops() {
  return build("loops",
               module(input() + output() + entry("(loop $again (br $again)) unreachable")));
}
// Goes round once for each byte of input; no output.
std::string rounds() {
  return build("rounds",
               module(input() + "(global $left (mut i32) (i32.const 0))" +
                      entry("(global.set $left (local.get $size))"
                            "(block $done (loop $again"
                            "  (br_if $done (i32.eqz (global.get $left)))"
                            "  (global.set $left (i32.sub (global.get $left) (i32.const 1)))"
                            "  (br $again)))"
                            "(local.get $size)")));
}
// Says that it ran, unless something before it fails.
std::string says_it_ran() {
  return build("ran", module(input() + entry("(i32.const 1)")));
}

// --- Fuel ----------------------------------------------------------------------------------------

const std::string kNoFuel = "wasm error: fuel exhausted";

// The least fuel with which `qip run ARGUMENTS...` succeeds; every lesser one has to fail for lack
// of it. Ends: the interval halves.
uint64_t fuel_needed(const Strings& arguments, std::string_view bytes) {
  uint64_t enough = 1 << 24, too_little = 0;
  while (enough - too_little > 1) {
    const uint64_t middle = too_little + (enough - too_little) / 2;
    Strings with_fuel = {"--fuel", text(middle)};
    with_fuel.insert(with_fuel.end(), arguments.begin(), arguments.end());
    const ProcessResult result = run(with_fuel, bytes);
    if (result.exit_code == 0) {
      enough = middle;
    } else {
      EXPECT_TRUE(holds(result.error, {kNoFuel}));
      too_little = middle;
    }
  }
  return enough;
}

// The number behind the last " byte " of a line.
size_t byte_offset_of(const std::string& line) {
  const size_t at = line.rfind(" byte ");
  return at == std::string::npos ? 0 : std::stoul(line.substr(at + 6));
}

TEST(Fuel, EndsAnEndlessLoop) {
  for (const char* fuel : {"1000", "100000"}) {
    EXPECT_TRUE(failed(run({"--fuel", fuel, loops()}), {"loops.wasm: " + kNoFuel}));
  }
  // Then not even the first value export is free.
  for (const char* fuel : {"0", "1"}) {
    EXPECT_TRUE(failed(run({"--fuel", fuel, loops()}), {"loops.wasm: ", kNoFuel}));
  }
}

TEST(Fuel, TheSameFuelGivesTheSameVerdictAndOneLessFails) {
  const uint64_t needed = fuel_needed({rounds()}, "0123456789");
  for (int i = 0; i < 5; i++) {
    EXPECT_TRUE(succeeded(run({"--fuel", text(needed), rounds()}, "0123456789"), "Ran: 10\n"));
    EXPECT_TRUE(failed(run({"--fuel", text(needed - 1), rounds()}, "0123456789"),
                       {"rounds.wasm: " + kNoFuel}));
  }
}

TEST(Fuel, EveryRoundCostsTheSame) {
  const uint64_t one = fuel_needed({rounds()}, "1");
  const uint64_t two = fuel_needed({rounds()}, "12");
  const uint64_t hundred = fuel_needed({rounds()}, std::string(100, 'x'));
  EXPECT_GE(two - one, 5u) << "a round has about ten instructions";
  EXPECT_LE(two - one, 20u);
  EXPECT_EQ(hundred, one + 99 * (two - one));
}

TEST(Fuel, IsForTheWholeChain) {
  const uint64_t first = fuel_needed({plain()}, "abc");
  const uint64_t both = fuel_needed({plain(), rounds()}, "abc");
  const uint64_t second = fuel_needed({rounds()}, "abc");
  EXPECT_EQ(both, first + second);
  EXPECT_TRUE(failed(run({"--fuel", text(both - 1), plain(), rounds()}, "abc"),
                     {"rounds.wasm: " + kNoFuel}));
  EXPECT_TRUE(
      failed(run({"--fuel", text(first - 1), plain(), rounds()}, "abc"), {"echo.wasm: ", kNoFuel}));
}

// Whatever the guest does before its entry costs, too.
TEST(Fuel, CoversStartFunctionsValueExportsAndUniforms) {
  const std::string spin = "(loop $again (br $again))";
  const std::string buffers = output() + entry(kCopy);
  EXPECT_TRUE(failed(
      run({"--fuel", "5000", build("start", echo("(func $first " + spin + ") (start $first)"))}),
      {"start.wasm: ", kNoFuel}));
  EXPECT_TRUE(failed(run({"--fuel", "5000",
                          build("startexport", echo("(func (export \"_start\") " + spin + ")"))}),
                     {"startexport.wasm: ", kNoFuel}));
  EXPECT_TRUE(failed(
      run({"--fuel", "5000",
           build("capacity", module("(memory (export \"memory\") 4)" + value("input_ptr", 0) +
                                    "(func (export \"input_utf8_cap\") (result i32) " + spin +
                                    " unreachable)" + buffers))}),
      {"capacity.wasm: ", kNoFuel}));
  EXPECT_TRUE(failed(
      run({"--fuel", "5000",
           build("setter", echo("(func (export \"uniform_set_k\") (param i32) " + spin + ")")),
           "?k=1"}),
      {"setter.wasm: ", kNoFuel}));
}

// Wherever the fuel ends, also at the first instruction of a function: that is a place in its body.
TEST(Fuel, TellsTheInstructionWhereItEnded) {
  const size_t needed = fuel_needed({rounds()}, "123");
  const size_t size = folder().get("rounds.wasm").size();
  for (size_t fuel = 0; fuel < needed; fuel++) {
    const ProcessResult result = run({"--fuel", text(fuel), rounds()}, "123");
    EXPECT_TRUE(failed(result, {kNoFuel, " in function "}));
    const size_t offset = byte_offset_of(result.error);
    EXPECT_GT(offset, size_t{8}) << "behind the module's header, with fuel " << fuel;
    EXPECT_LT(offset, size);
  }
}

TEST(Fuel, MustBeANumber) {
  for (const std::string bad :
       {"x", "", "-1", "1.5", "1e3", "0x10", " 5", "5 ", "+5", "18446744073709551616"}) {
    EXPECT_TRUE(failed(run({"--fuel=" + bad, plain()}), {"Invalid fuel: " + bad + "\n"}));
  }
}

TEST(Fuel, StopsOtherCommandsToo) {
  const std::string spins =
      build("spins", module("(func (export \"spin\") (loop $again (br $again)))"
                            "(func (export \"one\") (result i32) (i32.const 1))"));
  EXPECT_TRUE(
      failed(folder().qip({"call", "--fuel", "1000", spins, "spin"}), {"spins.wasm: " + kNoFuel}));
  EXPECT_TRUE(succeeded(folder().qip({"call", "--fuel", "1000", spins, "one"}), "1\n"));
  EXPECT_EQ(folder().qip({"check", "--fuel", "1000", loops()}).exit_code, 1);
}

// --- Memory --------------------------------------------------------------------------------------

std::string with_memory(const std::string& name, const std::string& limits) {
  return build(name, module("(memory (export \"memory\") " + limits + ")" + value("input_ptr", 0) +
                            value("input_utf8_cap", 16) + entry("(i32.const 7)")));
}

std::string policy_text(const std::string& path, const std::string& reasons) {
  return "Wasm module \"" + path + "\" rejected by policy: " + reasons + "\n";
}

TEST(MaxMemory, BoundsTheDeclaredMinimumAndMaximum) {
  const std::string path = with_memory("two-to-four", "2 4");
  EXPECT_TRUE(succeeded(run({"--max-memory", "262144", path}), "Ran: 7\n"));
  EXPECT_TRUE(
      failed(run({"--max-memory", "262143", path}),
             {policy_text(path, "memory[0] maximum 4 pages exceeds --max-memory 262143 bytes")}));
  EXPECT_TRUE(
      failed(run({"--max-memory", "131071", path}),
             {policy_text(path,
                          "memory[0] initial size 2 pages exceeds --max-memory 131071 bytes; "
                          "memory[0] maximum 4 pages exceeds --max-memory 131071 bytes")}));
}

TEST(MaxMemory, WantsADeclaredMaximum) {
  const std::string path = with_memory("open-end", "2");
  EXPECT_TRUE(succeeded(run({path}), "Ran: 7\n"));
  EXPECT_TRUE(failed(run({"--max-memory", "4294967296", path}),
                     {policy_text(path, "memory[0] has no declared maximum")}));
  EXPECT_TRUE(
      failed(run({"--max-memory", "65536", path}),
             {policy_text(path,
                          "memory[0] initial size 2 pages exceeds --max-memory 65536 bytes; "
                          "memory[0] has no declared maximum")}));
}

TEST(MaxMemory, BoundsTheLargestMemoryThereIs) {
  const std::string path = with_memory("all", "0 65536");
  EXPECT_TRUE(failed(run({"--max-memory", "4294967295", path}),
                     {"memory[0] maximum 65536 pages exceeds --max-memory 4294967295 bytes"}));
  const ProcessResult result = run({"--max-memory", "4294967296", path}, "");
  EXPECT_TRUE(succeeded(result, "Ran: 7\n"));
}

TEST(MaxMemory, CountsImportedMemories) {
  const std::string path =
      build("imported-memory", module("(import \"env\" \"memory\" (memory 2 3))" +
                                      value("input_ptr", 0) + entry("(i32.const 7)")));
  EXPECT_TRUE(failed(run({"--max-memory", "65536", path}),
                     {"rejected by policy: ", "memory[0] initial size 2 pages"}));
}

TEST(MaxMemory, MustBeANumber) {
  for (const std::string bad : {"x", "", "-1", "64k", "1.5", "18446744073709551616"}) {
    EXPECT_TRUE(
        failed(run({"--max-memory=" + bad, plain()}), {"Invalid max-memory: " + bad + "\n"}));
  }
}

TEST(FixedMemory, RefusesEveryMemoryGrow) {
  const std::string once = build("grow-once", echo("(func (drop (memory.grow (i32.const 0))))"));
  const std::string twice =
      build("grow-twice",
            echo("(func (drop (memory.grow (i32.const 0))) (drop (memory.grow (i32.const 1))))"));
  EXPECT_TRUE(succeeded(run({once}, "abc"), "abc\n"));
  EXPECT_TRUE(
      failed(run({"--fixed-memory", once}),
             {policy_text(once, "violates fixed-memory policy: contains memory.grow (1)")}));
  EXPECT_TRUE(
      failed(run({"--fixed-memory", twice}),
             {policy_text(twice, "violates fixed-memory policy: contains memory.grow (2)")}));
}

// 0x40 0x00, the bytes of the instruction, as a constant, as data, and as a block's type.
TEST(FixedMemory, IsNotFooledByBytesThatLookLikeIt) {
  const std::string path = build(
      "looks-like-growth",
      echo("(data (i32.const 0) \"\\40\\00\\40\\00\") (func (drop (i32.const 64)) (drop (i64.const "
           "8192)) (block (nop)) (drop (f32.const 2.0)))"));
  EXPECT_TRUE(succeeded(run({"--fixed-memory", path}, "abc"), "abc\n"));
}

TEST(FixedMemory, JoinsItsReasonToTheOthers) {
  const std::string path =
      build("joined", module("(memory (export \"memory\") 2)" + value("input_ptr", 0) +
                             value("input_utf8_cap", 16) +
                             entry("(drop (memory.grow (i32.const 1))) (i32.const 7)")));
  EXPECT_TRUE(
      failed(run({"--max-memory", "65536", "--fixed-memory", path}),
             {policy_text(path,
                          "memory[0] initial size 2 pages exceeds --max-memory 65536 bytes; "
                          "memory[0] has no declared maximum; "
                          "violates fixed-memory policy: contains memory.grow (1)")}));
}

TEST(Policies, RefuseBeforeAnythingRuns) {
  const std::string open_end = with_memory("open-end", "2");
  EXPECT_TRUE(failed(run({"--max-memory", "1000000", says_it_ran(), open_end}),
                     {"\"" + open_end + "\" rejected by policy"}));
  const std::string traps =
      build("start-traps", module("(memory (export \"memory\") 2) (func $first unreachable)"
                                  "(start $first)" +
                                  value("input_ptr", 0) + entry("(i32.const 1)")));
  EXPECT_TRUE(failed(run({"--max-memory", "1000000", traps}), {"rejected by policy"}));
}

TEST(Policies, HoldForEveryCommand) {
  const std::string open_end = with_memory("open-end", "2");
  const std::string grows = build("grow-once", echo("(func (drop (memory.grow (i32.const 0))))"));
  for (const std::string command : {"run", "inspect", "check", "call"}) {
    for (const Strings& policy :
         {Strings{"--max-memory", "1000000", open_end}, Strings{"--fixed-memory", grows},
          Strings{"--strict", open_end}}) {
      Strings arguments = {command};
      arguments.insert(arguments.end(), policy.begin(), policy.end());
      if (command == "call") arguments.push_back("input_ptr");
      EXPECT_TRUE(failed(folder().qip(arguments), {"rejected by policy: "})) << command;
    }
  }
}

// --- Output --------------------------------------------------------------------------------------

TEST(MaxOutput, BoundsWhatAComponentGives) {
  EXPECT_TRUE(succeeded(run({"--max-output", "10", plain()}, "0123456789"), "0123456789\n"));
  EXPECT_TRUE(failed(run({"--max-output", "9", plain()}, "0123456789"),
                     {"echo.wasm: output of 10 bytes exceeds --max-output 9 bytes\n"}));
  EXPECT_TRUE(succeeded(run({"--max-output", "0", plain()}, ""), "\n"));
  EXPECT_TRUE(failed(run({"--max-output", "0", plain()}, "x"),
                     {"output of 1 bytes exceeds --max-output 0 bytes"}));
}

TEST(MaxOutput, CountsBytesOfItemsAndOfPackedResults) {
  const std::string items =
      build("three-items", module(input() + output("i32") + entry("(i32.const 3)")));
  EXPECT_TRUE(succeeded(run({"--max-output", "12", items}), "00000000\n00000000\n00000000\n"));
  EXPECT_TRUE(failed(run({"--max-output", "11", items}),
                     {"three-items.wasm: output of 12 bytes exceeds --max-output 11 bytes"}));
  const std::string packed = build("packed", module(input() + value("output_bytes_cap", 100) +
                                                    entry("(i64.const 100)", "render", "i64")));
  EXPECT_TRUE(succeeded(run({"--max-output", "100", packed}), std::string(100, '\0')));
  EXPECT_TRUE(failed(run({"--max-output", "99", packed}),
                     {"packed.wasm: output of 100 bytes exceeds --max-output 99 bytes"}));
}

TEST(MaxOutput, BoundsEveryComponentOfAChain) {
  const std::string shortens =
      build("shortens", module(input() + output() + entry("(i32.const 1)")));
  EXPECT_TRUE(failed(run({"--max-output", "5", plain(), shortens}, "0123456789"),
                     {"echo.wasm: output of 10 bytes exceeds --max-output 5 bytes"}));
  EXPECT_TRUE(succeeded(run({"--max-output", "5", shortens, plain()}, "0123456789"),
                        std::string("\0\n", 2)));
}

TEST(MaxOutput, LeavesTheOutputFileAlone) {
  EXPECT_EQ(run({"--max-output", "1", "-o", "limited.txt", plain()}, "abc").exit_code, 1);
  EXPECT_FALSE(folder().has("limited.txt"));
}

TEST(MaxOutput, MustBeANumber) {
  for (const std::string bad : {"x", "", "-1", "64k", "1.5", "18446744073709551616"}) {
    EXPECT_TRUE(
        failed(run({"--max-output=" + bad, plain()}), {"Invalid max-output: " + bad + "\n"}));
  }
}

// --- Time ----------------------------------------------------------------------------------------

TEST(Timeout, StopsEveryCommand) {
  const std::string limit = "exceeded the execution time limit (100ms)";
  const std::string slow_value =
      build("slow-value", module("(memory (export \"memory\") 1)" + value("input_ptr", 0) +
                                 "(func (export \"input_utf8_cap\") (result i32)"
                                 " (loop $again (br $again)) unreachable)" +
                                 entry("(i32.const 1)")));
  EXPECT_TRUE(
      failed(folder().qip({"run", "--timeout-ms", "100", loops()}), {"Wasm module " + limit}));
  EXPECT_TRUE(
      failed(folder().qip({"call", "--timeout-ms", "100", loops(), "render", "1"}), {limit}));
  EXPECT_TRUE(holds(folder().qip({"inspect", "--timeout-ms", "100", slow_value}).output, {limit}));
  EXPECT_EQ(folder().qip({"check", "--timeout-ms", "100", loops()}).exit_code, 1);
  const ProcessResult planned = run({"--dry-run", "--timeout-ms", "100", slow_value});
  EXPECT_EQ(planned.exit_code, 1);
  EXPECT_TRUE(holds(planned.error, {limit}));
}

TEST(Timeout, MustBeAPositiveNumber) {
  for (const std::string bad : {"0", "-5", "x", "", "1.5", "99999999999999999999"}) {
    EXPECT_TRUE(
        failed(run({"--timeout-ms=" + bad, plain()}), {"Invalid timeout-ms: " + bad + "\n"}));
  }
}

// --- Strict --------------------------------------------------------------------------------------

// A component with a declared maximum, and these functions more.
std::string strict_case(const std::string& name, const std::string& more) {
  return build(name, echo(more));
}

TEST(Strict, AcceptsWhatKeepsTheRules) {
  EXPECT_TRUE(succeeded(run({"--strict", plain()}, "abc"), "abc\n"));
  // Deep, but without a cycle; many callers of one function; a table of other types.
  const std::string deep = strict_case(
      "deep",
      "(func $a (call $b) (call $b)) (func $b (call $c) (call $d)) (func $c (call $d)) (func $d)"
      "(type $number (func (param i64) (result i64)))"
      "(table 1 funcref) (elem (i32.const 0) $leaf)"
      "(func $leaf (type $number) (local.get 0))"
      "(func $calls (drop (call_indirect (type $number) (i64.const 1) (i32.const 0))))");
  EXPECT_TRUE(succeeded(run({"--strict", deep}, "abc"), "abc\n"));
}

TEST(Strict, WantsADeclaredMaximum) {
  const std::string path = with_memory("open-end", "2");
  EXPECT_TRUE(
      failed(run({"--strict", path}), {policy_text(path, "memory[0] has no declared maximum")}));
}

TEST(Strict, RefusesGrowth) {
  const std::string path = build("grow-once", echo("(func (drop (memory.grow (i32.const 0))))"));
  EXPECT_TRUE(failed(run({"--strict", path}), {"rejected by policy: ", "memory.grow (1)"}));
}

TEST(Strict, RefusesImportsByName) {
  const std::string path = build(
      "imports", "(module (import \"env\" \"f\" (func))" + input() + entry("(i32.const 1)") + ")");
  EXPECT_TRUE(failed(run({"--strict", path}), {"rejected by policy: ", "env.f"}));
}

TEST(Strict, RefusesRecursionOfEveryKind) {
  const std::pair<std::string, std::string> cases[] = {
      {"itself", "(func $again (call $again))"},
      {"mutual", "(func $ping (call $pong)) (func $pong (call $ping))"},
      {"long-way",
       "(func $a (call $b)) (func $b (call $c)) (func $c (call $d)) (func $d (call $b))"},
      {"unreached-code", "(func $again (return) (call $again))"},
      {"through-a-table",
       "(type $t (func)) (table 1 funcref) (elem (i32.const 0) $f)"
       "(func $f (type $t) (call_indirect (type $t) (i32.const 0)))"},
      {"through-a-table-and-back",
       "(type $t (func)) (table 2 funcref) (elem (i32.const 1) $g)"
       "(func $f (call_indirect (type $t) (i32.const 1))) (func $g (type $t) (call $f))"},
      // The type may be written twice: equal types are one.
      {"through-an-equal-type",
       "(type $t (func (param i32))) (type $u (func (param i32))) (table 1 funcref)"
       "(elem (i32.const 0) $f)"
       "(func $f (type $t) (call_indirect (type $u) (i32.const 0) (i32.const 0)))"},
      {"through-a-passive-segment",
       "(type $t (func)) (table 1 funcref) (elem $e func $f)"
       "(func $f (type $t) (call_indirect (type $t) (i32.const 0)))"},
      {"through-a-reference",
       "(type $t (func)) (table $all 1 funcref) (elem declare func $f)"
       "(func $f (type $t) (table.set $all (i32.const 0) (ref.func $f))"
       " (call_indirect (type $t) (i32.const 0)))"}};
  for (const auto& [name, functions] : cases) {
    const std::string path = strict_case(name, functions);
    EXPECT_TRUE(succeeded(run({path}, "abc"), "abc\n")) << name;
    EXPECT_TRUE(failed(run({"--strict", path}, "abc"),
                       {"Wasm module \"" + path + "\" rejected by policy: ", "recursion"}))
        << name;
  }
}

TEST(Strict, NamesTheFunctionsOfACycle) {
  EXPECT_TRUE(failed(run({"--strict", strict_case("mutual",
                                                  "(func $ping (call $pong)) (func $pong "
                                                  "(call $ping))")}),
                     {"\"ping\"", "\"pong\""}));
}

TEST(Strict, TellsEveryReasonAtOnce) {
  const std::string path =
      build("everything-wrong",
            "(module (import \"env\" \"f\" (func)) (memory (export \"memory\") 1)"
            "(func $again (call $again) (drop (memory.grow (i32.const 1))))" +
                value("input_ptr", 0) + value("input_utf8_cap", 1) + entry("(i32.const 1)") + ")");
  EXPECT_TRUE(failed(run({"--strict", path}), {"memory[0] has no declared maximum", "env.f",
                                               "memory.grow (1)", "recursion"}));
}

// A chain of calls of the greatest length is walked without recursion of the host.
TEST(Strict, LooksAtLongChainsOfCalls) {
  constexpr int kFunctions = 20000;
  std::string functions;
  for (int i = 0; i < kFunctions; i++) {
    functions += "(func $f" + text(i) + " (call $f" + text(i + 1) + "))";
  }
  const std::string chain = strict_case("long-chain", functions + "(func $f20000)");
  EXPECT_TRUE(succeeded(run({"--strict", chain}, "abc"), "abc\n"));
  const std::string cycle = strict_case("long-cycle", functions + "(func $f20000 (call $f0))");
  const ProcessResult result = run({"--strict", cycle});
  EXPECT_TRUE(failed(result, {"recursion"}));
  EXPECT_LT(result.error.size(), 2000u) << "one clear message, not a flood";
}

// --- Pins ----------------------------------------------------------------------------------------

std::string sha256_of(const std::string& path) {
  return run_process({"sha256sum", path}).output.substr(0, 64);
}

// The arguments of every command that reads a module, for the module `pinned`.
std::vector<Strings> commands_with(const std::string& pinned) {
  return {{"run", pinned},
          {"run", "--dry-run", pinned},
          {"inspect", pinned},
          {"call", pinned, "input_ptr"},
          {"check", pinned}};
}

TEST(Pins, TheRightDigestIsAccepted) {
  const std::string digest = sha256_of(plain());
  for (const Strings& arguments : commands_with(plain() + "#sha256=" + digest)) {
    const ProcessResult result = folder().qip(arguments, "abc");
    EXPECT_EQ(result.exit_code, 0) << arguments[0] << result.error;
    EXPECT_EQ(result.error, "") << arguments[0];
  }
  EXPECT_TRUE(succeeded(run({plain() + "#sha256=" + digest}, "abc"), "abc\n"));
  EXPECT_TRUE(
      succeeded(run({plain() + "#sha256=" + digest, plain(), plain() + "#sha256=" + digest}, "abc"),
                "abc\n"));
}

TEST(Pins, AWrongDigestShowsBoth) {
  const std::string digest = sha256_of(plain());
  std::string wrong = digest;
  wrong[63] = wrong[63] == '0' ? '1' : '0';
  for (const Strings& arguments : commands_with(plain() + "#sha256=" + wrong)) {
    EXPECT_TRUE(failed(folder().qip(arguments), {plain() + ": sha256 mismatch: expected " + wrong +
                                                 ", got " + digest + "\n"}))
        << arguments[0];
  }
}

TEST(Pins, AreVerifiedBeforeAnythingIsDecoded) {
  const std::string junk = folder().put("junk.wasm", "no module at all");
  const std::string digest = sha256_of(junk), zeros(64, '0');
  EXPECT_TRUE(failed(run({junk + "#sha256=" + zeros}),
                     {junk + ": sha256 mismatch: expected " + zeros + ", got " + digest}));
  EXPECT_TRUE(failed(run({junk + "#sha256=" + digest}), {"could not be compiled"}));
}

TEST(Pins, AreVerifiedBeforeAnythingRuns) {
  EXPECT_TRUE(failed(run({says_it_ran(), plain() + "#sha256=" + std::string(64, '0')}),
                     {"sha256 mismatch"}));
}

TEST(Pins, MustBe64HexadecimalDigits) {
  const std::string digest = sha256_of(plain());
  for (const std::string& bad :
       {std::string(), std::string("x"), digest.substr(1), digest + "0", std::string(64, 'g'),
        " " + digest.substr(1), digest.substr(0, 63) + " "}) {
    const std::string argument = plain() + "#sha256=" + bad;
    EXPECT_TRUE(failed(run({argument}), {argument + ": a pin must be 64 hexadecimal digits\n"}));
  }
}

TEST(Pins, AreNoPartOfTheNameInMessages) {
  const std::string traps = build("traps", module(input() + entry("unreachable")));
  EXPECT_TRUE(failed(run({traps + "#sha256=" + sha256_of(traps)}),
                     {"traps.wasm: wasm error: unreachable"}));
  EXPECT_TRUE(failed(run({"nope.wasm#sha256=" + std::string(64, '0')}),
                     {"Error reading file: open nope.wasm: no such file or directory"}));
}

TEST(Pins, GoTogetherWithUniforms) {
  const std::string path =
      build("pinnedsetter", echo("(func (export \"uniform_set_k\") (param i32))"));
  EXPECT_TRUE(
      succeeded(run({path + "#sha256=" + sha256_of(path), "?k=1", "-u", "k=2"}, "a"), "a\n"));
}

// --- What a trap tells ---------------------------------------------------------------------------

std::string nested_trap() {
  return build("nested",
               module(input() + output() +
                      "(func $inner (param i32) (result i32) (nop) (unreachable))"
                      "(func $middle (param i32) (result i32) (call $inner (local.get 0)))" +
                      entry("(call $middle (local.get $size))")));
}

std::vector<std::string> lines_of(const std::string& all) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < all.size();) {
    const size_t end = std::min(all.find('\n', at), all.size());
    lines.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

TEST(Traps, NameTheFunctionAndTheByteOfTheInstruction) {
  const ProcessResult result = run({nested_trap()});
  EXPECT_TRUE(failed(
      result, {"nested.wasm: wasm error: unreachable in function ", "\"inner\"", " at byte "}));
  const std::string bytes = folder().get("nested.wasm");
  const size_t offset = byte_offset_of(result.error);
  ASSERT_LT(offset, bytes.size());
  EXPECT_EQ(bytes.substr(offset - 1, 2), std::string("\x01\x00", 2)) << "nop, unreachable";
}

TEST(Traps, VerbosePrintsTheCallStackInnermostFirst) {
  const ProcessResult result = run({"-v", nested_trap()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  const std::vector<std::string> lines = lines_of(result.error);
  size_t message = 0;
  while (message < lines.size() &&
         lines[message].find("wasm error: unreachable") == std::string::npos) {
    message++;
  }
  ASSERT_GE(lines.size(), message + 4) << result.error;
  // Functions 0 to 3 are the value exports of the buffers.
  EXPECT_TRUE(lines[message + 1].starts_with("  at function 4 \"inner\" byte ")) << result.error;
  EXPECT_TRUE(lines[message + 2].starts_with("  at function 5 \"middle\" byte ")) << result.error;
  EXPECT_TRUE(lines[message + 3].starts_with("  at function 6 \"render\" byte ")) << result.error;
  EXPECT_EQ(byte_offset_of(lines[message + 1]), byte_offset_of(lines[message]));
  const std::string bytes = folder().get("nested.wasm");
  for (const size_t caller : {message + 2, message + 3}) {
    const size_t offset = byte_offset_of(lines[caller]);
    ASSERT_LT(offset, bytes.size());
    EXPECT_EQ(bytes[offset], '\x10') << "the call instruction: " << lines[caller];
  }
}

TEST(Traps, ADeepCallStackIsCut) {
  const std::string dives = build(
      "dives", module(input() + "(func $dive (call $dive))" + entry("(call $dive) (i32.const 0)")));
  const ProcessResult result = run({"-v", dives});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.error, {"wasm error: stack overflow", "\"dive\"", " more"}));
  EXPECT_LT(result.error.size(), 20000u);
}

TEST(Traps, NamesCannotDisturbTheTerminal) {
  const std::string path =
      build("rude", module(input() + entry("(call $inner) (i32.const 0)") +
                           "(func $inner (export \"\\1b[2J\\0anext\") unreachable)"));
  const ProcessResult result = run({"-v", path});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.error.find('\x1b'), std::string::npos);
  EXPECT_EQ(result.error.find("\nnext"), std::string::npos);
}

// --- Dry run -------------------------------------------------------------------------------------

// Whatever runs of it but a value export, traps.
std::string untouchable() {
  return build("untouchable",
               module(input("utf8", 4321) + output("bytes", 8765) +
                      content_type("input", "text/markdown") + content_type("output", "text/html") +
                      "(func $first unreachable) (start $first)"
                      "(func (export \"_start\") unreachable)"
                      "(func (export \"uniform_set_k\") (param i32) unreachable)" +
                      entry("unreachable")));
}

ProcessResult plan(Strings arguments) {
  arguments.insert(arguments.begin(), "--dry-run");
  return run(arguments);
}

TEST(DryRun, RunsNothingButValueExports) {
  const ProcessResult result = plan({untouchable(), "?k=1"});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(result.error, "");
  EXPECT_TRUE(holds(result.output, {"untouchable.wasm", "Content", "utf8", "4321", "text/markdown",
                                    "8765", "text/html"}));
  EXPECT_EQ(run({untouchable()}).exit_code, 1) << "a real run traps";
}

TEST(DryRun, TellsEveryStep) {
  const std::string items = build(
      "items", module(input("bytes", 17) + output("i32", 23) + entry("(i32.const 0)", "run")));
  const ProcessResult result = plan({plain(), items, says_it_ran()});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  const size_t first = result.output.find("echo.wasm");
  const size_t second = result.output.find("items.wasm");
  const size_t third = result.output.find("ran.wasm");
  EXPECT_TRUE(first < second && second < third && third != std::string::npos) << result.output;
  EXPECT_TRUE(holds(result.output.substr(second, third - second), {"17", "23", "i32"}));
}

TEST(DryRun, TypesFlowAsInARun) {
  const std::string makes = build("makes", echo(content_type("output", "text/html")));
  const std::string wants = build("wants", echo(content_type("input", "text/html")));
  const std::string other = build("other", echo(content_type("input", "image/png")));
  EXPECT_EQ(plan({makes, plain(), wants}).exit_code, 0);
  EXPECT_EQ(plan({wants, wants}).exit_code, 0);
  for (const Strings& chain :
       {Strings{makes, other}, Strings{plain(), wants}, Strings{makes, plain(), other}}) {
    const ProcessResult planned = plan(chain), ran = run(chain);
    EXPECT_EQ(planned.exit_code, 1);
    EXPECT_TRUE(holds(planned.error, {"content type check failed for "}));
    EXPECT_EQ(planned.error, ran.error);
  }
}

TEST(DryRun, FailsWhereARunWould) {
  const std::string no_input =
      build("no-input", module("(memory (export \"memory\") 1)" + entry("(i32.const 0)")));
  const std::string imports = build(
      "imports", "(module (import \"env\" \"f\" (func))" + input() + entry("(i32.const 1)") + ")");
  const std::string generator =
      build("generator", module("(memory (export \"memory\") 1)" + value("output_utf8_cap", 4) +
                                entry("(i64.const 0)", "render", "i64")));
  for (const Strings& chain :
       {Strings{no_input}, Strings{plain(), no_input, plain()}, Strings{imports},
        Strings{plain(), imports}, Strings{plain(), generator}, Strings{plain(), "?nope=1"},
        Strings{plain(), "?"}, Strings{"nope.wasm"}}) {
    const ProcessResult planned = plan(chain), ran = run(chain, "");
    EXPECT_EQ(planned.exit_code, 1) << chain.back();
    EXPECT_EQ(ran.exit_code, 1) << chain.back();
    EXPECT_EQ(planned.error, ran.error);
  }
  EXPECT_EQ(plan({generator, plain()}).exit_code, 0);
}

// The step that does not fit is marked, and those behind it are still explained.
TEST(DryRun, ShowsWhereCompositionFails) {
  const std::string makes = build("makes", echo(content_type("output", "text/html")));
  const std::string other = build("other", echo(content_type("input", "image/png")));
  const ProcessResult result = plan({makes, other, plain()});
  EXPECT_EQ(result.exit_code, 1);
  const size_t first = result.output.find("makes.wasm");
  const size_t second = result.output.find("other.wasm");
  const size_t third = result.output.find("echo.wasm");
  ASSERT_TRUE(first < second && second < third && third != std::string::npos) << result.output;
  EXPECT_EQ(result.output.substr(0, second).find("content type check failed"), std::string::npos);
}

// A pipe that never ends is no obstacle: it is not read.
TEST(DryRun, ReadsNoInput) {
  const ProcessResult result = folder().shell(
      "mkfifo endless; exec 3<>endless; \"$COMMAND\" run --dry-run " + plain() + " <&3");
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.exit_code, 0) << result.error;
}

TEST(DryRun, WritesNoFile) {
  EXPECT_EQ(run({"--dry-run", "-o", "planned.txt", plain()}).exit_code, 0);
  EXPECT_FALSE(folder().has("planned.txt"));
}

TEST(DryRun, KeepsPolicies) {
  EXPECT_EQ(plan({"--strict", with_memory("open-end", "2")}).exit_code, 1);
  EXPECT_EQ(plan({"--max-memory", "1", plain()}).exit_code, 1);
}

}  // namespace
}  // namespace qip
