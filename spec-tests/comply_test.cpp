// qip comply through the command: the report byte for byte, exit codes, and that the oracles of
// modules/oracles/ tell right components from wrong ones.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "spec-tests/component_folder.hpp"

namespace qip {
namespace {

const ComponentFolder& folder() {
  static const ComponentFolder made("qip-comply");
  return made;
}

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

// Brings a built module of this repository into the folder: NAME.wasm.
void bring(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename();
  if (!folder().has(name)) folder().put(name, file_text(path));
}

// A module of this repository, built from its source with one change.
void build_changed(const std::string& name, const std::string& source, const std::string& from,
                   const std::string& to) {
  std::string text = file_text(source);
  const size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  folder().build(name, text.replace(at, from.size(), to));
}

void build(const std::string& name, const std::string& parts) {
  folder().build(name, wat::module(parts));
}

// Imports what every oracle needs; `body` of positive().
std::string oracle(const std::string& body, const std::string& more = "") {
  return R"((import "impl" "memory" (memory 1))
            (import "impl" "render" (func $render (param i32) (result i32)))
            (import "qip" "render_must_trap" (func $render_must_trap (param i32) (result i32)))
            (func (export "positive") (result i32) )" +
         body + ")" + more;
}

// The exit code follows the report: 1 if there is a FAIL in it. Nothing is on stderr.
testing::AssertionResult reports(const Strings& arguments, const std::string& report) {
  Strings all = {"comply"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const ProcessResult result = folder().qip(all);
  const int wanted = report.find("FAIL ") == std::string::npos ? 0 : 1;
  if (result.exit_code == wanted && result.output == report && result.error.empty()) {
    return testing::AssertionSuccess();
  }
  return unlike_expected(result) << "\nwanted: exit " << wanted << ", "
                                 << testing::PrintToString(report);
}

testing::AssertionResult refuses(const Strings& arguments, const Strings& parts) {
  Strings all = {"comply"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return failed(folder().qip(all), parts);
}

// The FAIL line of one oracle.
testing::AssertionResult fails(const std::string& component, const std::string& judge,
                               const std::string& reason, const Strings& options = {}) {
  Strings arguments = {component, "--with", judge};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return reports(arguments, "PASS " + component + "\nFAIL " + component + " --with " + judge +
                                ": " + reason + "\n\npass=1 fail=1 total=2\n");
}

// A component that traps on 7 bytes and never returns on 8.
void build_moody() {
  build("moody", wat::input() + wat::output() +
                     wat::entry(R"(
      (if (i32.eq (local.get $size) (i32.const 7)) (then unreachable))
      (if (i32.eq (local.get $size) (i32.const 8)) (then (loop $again (br $again)))))" +
                                wat::kCopy));
}

// --- The report ----------------------------------------------------------------------------------

TEST(ComplyTest, TheContractAloneIsOneLine) {
  bring("modules/utf8/trim.wasm");
  EXPECT_TRUE(reports({"trim.wasm"}, "PASS trim.wasm\n\npass=1 fail=0 total=1\n"));
}

TEST(ComplyTest, EveryOracleIsALineInTheOrderGiven) {
  bring("modules/utf8/trim.wasm");
  bring("modules/oracles/trim-oracle.wasm");
  build("nothing", oracle("(i32.const 0)"));
  build("both",
        oracle("(i32.const 5)", R"((func (export "negative") (result i32) (i32.const 1)))"));
  const std::string report =
      "PASS trim.wasm\n"
      "PASS trim.wasm --with trim-oracle.wasm (positive)\n"
      "FAIL trim.wasm --with nothing.wasm: positive() returned 0\n"
      "PASS trim.wasm --with both.wasm (positive, negative)\n"
      "\n"
      "pass=3 fail=1 total=4\n";
  EXPECT_TRUE(reports(
      {"trim.wasm", "--with", "trim-oracle.wasm", "--with", "nothing.wasm", "--with", "both.wasm"},
      report));
  EXPECT_TRUE(
      reports({"--with=trim-oracle.wasm", "trim.wasm", "nothing.wasm", "both.wasm"}, report));
}

TEST(ComplyTest, ABreachOfTheContractEndsTheReport) {
  bring("modules/oracles/trim-oracle.wasm");
  build("moving", wat::input() + wat::value("output_utf8_cap", 64) +
                      R"((global (export "output_ptr") (mut i32) (i32.const 131072)))" +
                      wat::entry(wat::kCopy));
  EXPECT_TRUE(reports({"moving.wasm", "--with", "trim-oracle.wasm"},
                      "FAIL moving.wasm: output_ptr is not a plain constant: it is a mutable "
                      "global\n\npass=0 fail=1 total=1\n"));
}

TEST(ComplyTest, ContractBreachesSayWhatIsWrong) {
  build("silent", wat::input() + wat::entry("(i32.const 42)"));
  EXPECT_TRUE(reports({"silent.wasm"},
                      "FAIL silent.wasm: Wasm module must export output_ptr as global or function"
                      "\n\npass=0 fail=1 total=1\n"));
  build("twice",
        wat::input() + wat::value("input_bytes_cap", 64) + wat::output() + wat::entry(wat::kCopy));
  EXPECT_TRUE(reports({"twice.wasm"},
                      "FAIL twice.wasm: Wasm module must export only one of input_utf8_cap and "
                      "input_bytes_cap\n\npass=0 fail=1 total=1\n"));
  build("local", wat::output() + wat::entry(wat::kCopy) + R"(
      (memory (export "memory") 4 4)
      (func (export "input_ptr") (result i32) (local i32) (i32.const 1024))
      (func (export "input_utf8_cap") (result i32) (i32.const 64)))");
  EXPECT_TRUE(reports({"local.wasm"},
                      "FAIL local.wasm: input_ptr() is not a plain constant: it declares locals"
                      "\n\npass=0 fail=1 total=1\n"));
  build("empty", "");
  EXPECT_TRUE(reports({"empty.wasm"},
                      "FAIL empty.wasm: Wasm module must export input_ptr as global or function"
                      "\n\npass=0 fail=1 total=1\n"));
  build("wanting", R"((import "env" "log" (func)))");
  EXPECT_TRUE(
      reports({"wanting.wasm"},
              "FAIL wanting.wasm: Wasm module could not be instantiated: a component has no "
              "imports, but this module imports env.log (function)\n"
              "\npass=0 fail=1 total=1\n"));
}

TEST(ComplyTest, EveryComponentOfTheRepositoryComplies) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator("modules")) {
    const std::string path = std::filesystem::absolute(entry.path());
    if (entry.path().extension() != ".wasm" || path.find("/oracles/") != std::string::npos)
      continue;
    const ProcessResult result = folder().qip({"comply", path});
    EXPECT_TRUE(succeeded(result, "PASS " + path + "\n\npass=1 fail=0 total=1\n"));
  }
}

// --- What ends a check ---------------------------------------------------------------------------

TEST(ComplyTest, TrapsNameTheComponentAndTheFunction) {
  build_moody();
  build("asks-seven", oracle("(call $render (i32.const 7))"));
  const ProcessResult seven = folder().qip({"comply", "moody.wasm", "asks-seven.wasm"});
  EXPECT_EQ(seven.exit_code, 1);
  EXPECT_TRUE(holds(seven.output, {"FAIL moody.wasm --with asks-seven.wasm: positive() trapped: "
                                   "moody.wasm: wasm error: unreachable in function 4 \"render\" "
                                   "at byte "}));
  build("divides", oracle("(i32.div_u (i32.const 1) (i32.const 0))"));
  const ProcessResult divides = folder().qip({"comply", "moody.wasm", "divides.wasm"});
  EXPECT_TRUE(holds(divides.output, {"positive() trapped: divides.wasm: wasm error: integer divide "
                                     "by zero in function 2 \"positive\" at byte "}));
}

TEST(ComplyTest, TheTimeLimitEndsOraclesAndComponents) {
  build_moody();
  build("endless", oracle("(loop $again (br $again)) (i32.const 1)"));
  build("asks-eight", oracle("(call $render (i32.const 8))"));
  build("probes-eight", oracle("(call $render_must_trap (i32.const 8))"));
  const Strings limit = {"--timeout-ms", "60"};
  const std::string exceeded = ": Wasm module exceeded the execution time limit (60ms)";
  EXPECT_TRUE(
      fails("moody.wasm", "endless.wasm", "positive() stopped: endless.wasm" + exceeded, limit));
  EXPECT_TRUE(
      fails("moody.wasm", "asks-eight.wasm", "positive() stopped: moody.wasm" + exceeded, limit));
  EXPECT_TRUE(
      fails("moody.wasm", "probes-eight.wasm", "positive() stopped: moody.wasm" + exceeded, limit));
}

TEST(ComplyTest, FuelEndsAProbeWithoutCountingAsATrap) {
  build_moody();
  build("probes-eight", oracle("(call $render_must_trap (i32.const 8))"));
  const ProcessResult result =
      folder().qip({"comply", "--fuel", "1000", "moody.wasm", "probes-eight.wasm"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.output, {"positive() stopped: moody.wasm: wasm error: fuel exhausted in "
                                    "function 4 \"render\"",
                                    "pass=1 fail=1 total=2\n"}));
}

TEST(ComplyTest, AnOracleThatTheComponentCallsBackIsStoppedBeforeItUsesUpTheHostsStack) {
  // The oracle puts itself into the table of the component, which calls it, which probes again.
  build("caller", wat::input() + wat::output() + R"(
      (table (export "table") 1 funcref) (type $back (func))
      (func (export "render") (param i32) (result i32)
        (call_indirect (type $back) (i32.const 0)) (i32.const 0)))");
  build("reentrant",
        R"((import "impl" "memory" (memory 1)) (import "impl" "table" (table 1 funcref))
      (import "qip" "render_must_trap" (func $render_must_trap (param i32) (result i32)))
      (func $back (drop (call $render_must_trap (i32.const 0))))
      (elem (i32.const 0) $back)
      (func (export "positive") (result i32) (call $render_must_trap (i32.const 0))))");
  const ProcessResult result = folder().qip({"comply", "caller.wasm", "reentrant.wasm"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.output, {"FAIL caller.wasm --with reentrant.wasm: positive() stopped: "
                                    "caller.wasm: wasm error: stack overflow",
                                    "\n\npass=1 fail=1 total=2\n"}));
}

// --- Oracles that do not fit ---------------------------------------------------------------------

TEST(ComplyTest, OraclesMustLink) {
  build_moody();
  build("wants-run", R"((import "impl" "memory" (memory 1)) (import "impl" "run" (func))
                        (func (export "positive") (result i32) (i32.const 1)))");
  EXPECT_TRUE(fails("moody.wasm", "wants-run.wasm",
                    "the oracle imports impl.run (function), which the component does not export"));
  build("wants-more", R"((import "impl" "memory" (memory 5))
                         (func (export "positive") (result i32) (i32.const 1)))");
  EXPECT_TRUE(fails("moody.wasm", "wants-more.wasm",
                    "wants-more.wasm: Wasm module could not be instantiated: incompatible import "
                    "type: memory impl.memory"));
}

TEST(ComplyTest, ModulesThatAreNoOraclesAreToldSo) {
  bring("modules/utf8/trim.wasm");
  build("mute", R"((import "impl" "memory" (memory 1)))");
  EXPECT_TRUE(fails("trim.wasm", "mute.wasm", "the oracle must export positive() -> i32"));
  EXPECT_TRUE(fails("trim.wasm", "trim.wasm", "the oracle must export positive() -> i32"));
  build("newer", R"((import "qip" "must_render_exactly" (func))
                    (func (export "comply") (result i32) (i32.const 1)))");
  EXPECT_TRUE(fails("trim.wasm", "newer.wasm",
                    "the oracle is of the form that exports comply() and imports "
                    "qip.must_render_exactly, which is not supported; export positive() -> i32 and "
                    "import impl.memory"));
}

TEST(ComplyTest, TextOfAnOracleCannotDisturbTheReport) {
  bring("modules/utf8/trim.wasm");
  build("loud", oracle("(memory.init $text (i32.const 20000) (i32.const 0) (i32.const 13)) "
                       "(i32.const 0)",
                       R"((data $text "a\nPASS \1b[2Jb\ff")
                          (func (export "failure_message_ptr") (result i32) (i32.const 20000))
                          (func (export "failure_message_size") (result i32) (i32.const 13)))"));
  EXPECT_TRUE(fails("trim.wasm", "loud.wasm", "positive() returned 0: a\\x0aPASS \\x1b[2Jb\\xff"));
}

// --- Files and policies --------------------------------------------------------------------------

TEST(ComplyTest, NothingIsReportedUnlessEverythingCanBeRead) {
  bring("modules/utf8/trim.wasm");
  folder().put("broken.wasm", "not a module");
  EXPECT_TRUE(refuses({}, {"Usage: qip comply"}));
  EXPECT_TRUE(refuses({"none.wasm"}, {"none.wasm: no such file or directory"}));
  EXPECT_TRUE(refuses({"broken.wasm"}, {"wasm module \"broken.wasm\" could not be compiled"}));
  EXPECT_TRUE(refuses({"trim.wasm", "--with", "none.wasm"}, {"none.wasm"}));
  EXPECT_TRUE(refuses({"trim.wasm", "broken.wasm"}, {"broken.wasm"}));
}

TEST(ComplyTest, OraclesCanBePinned) {
  bring("modules/utf8/trim.wasm");
  bring("modules/oracles/trim-oracle.wasm");
  const std::string zeros(64, '0');
  EXPECT_TRUE(refuses({"trim.wasm", "--with", "trim-oracle.wasm#sha256=" + zeros},
                      {"trim-oracle.wasm: sha256 mismatch", zeros}));
}

TEST(ComplyTest, ThePolicyIsForTheComponentAndNotForItsOracles) {
  bring("modules/utf8/trim.wasm");
  bring("modules/oracles/trim-oracle.wasm");
  EXPECT_TRUE(reports({"--strict", "trim.wasm", "trim-oracle.wasm"},
                      "PASS trim.wasm\n"
                      "PASS trim.wasm --with trim-oracle.wasm (positive)\n"
                      "\npass=2 fail=0 total=2\n"));
  build("growing", wat::input() + wat::output() +
                       wat::entry("(drop (memory.grow (i32.const 1)))" + wat::kCopy));
  EXPECT_TRUE(refuses({"--fixed-memory", "growing.wasm"}, {"growing.wasm"}));
}

// --- The oracles of the repository ---------------------------------------------------------------

TEST(ComplyTest, TheOraclesPassTheComponentsThatTheyAreFor) {
  const struct {
    const char* folder;
    const char* name;
    const char* checks;
  } pairs[] = {{"utf8", "trim", "positive"},
               {"utf8", "hello", "positive"},
               {"bytes", "base64-encode", "positive"},
               {"utf8", "utf8-must-be-valid", "positive, negative"}};
  for (const auto& pair : pairs) {
    const std::string name = pair.name;
    bring("modules/" + std::string(pair.folder) + "/" + name + ".wasm");
    bring("modules/oracles/" + name + "-oracle.wasm");
    EXPECT_TRUE(reports({name + ".wasm", "--with", name + "-oracle.wasm"},
                        "PASS " + name + ".wasm\nPASS " + name + ".wasm --with " + name +
                            "-oracle.wasm (" + pair.checks + ")\n\npass=2 fail=0 total=2\n"));
  }
}

TEST(ComplyTest, TheTrimOracleFindsMistakes) {
  bring("modules/oracles/trim-oracle.wasm");
  build("keeps", wat::input() + wat::output() + wat::entry(wat::kCopy));
  EXPECT_TRUE(fails("keeps.wasm", "trim-oracle.wasm",
                    "positive() returned -4 (input \" a\", expected \"a\", got \" a\")"));
  // Trims the front only.
  build("front", wat::input() + wat::output() + wat::entry(R"((local $i i32)
      (block $end (loop $next
        (br_if $end (i32.ge_u (local.get $i) (local.get $size)))
        (br_if $end (i32.ne (i32.load8_u (i32.add (i32.const 1024) (local.get $i)))
                            (i32.const 32)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
      (memory.copy (i32.const 131072) (i32.add (i32.const 1024) (local.get $i))
        (i32.sub (local.get $size) (local.get $i)))
      (i32.sub (local.get $size) (local.get $i)))"));
  EXPECT_TRUE(fails("front.wasm", "trim-oracle.wasm",
                    "positive() returned -5 (input \"a \", expected \"a\", got \"a \")"));
  build("small", wat::input("utf8", 1000) + wat::output() + wat::entry(wat::kCopy));
  EXPECT_TRUE(fails("small.wasm", "trim-oracle.wasm", "positive() returned -100"));
}

TEST(ComplyTest, TheHelloOracleFindsMistakes) {
  bring("modules/oracles/hello-oracle.wasm");
  build_changed("earth", "modules/utf8/hello.wat", "World\")", "Earth\")");
  EXPECT_TRUE(fails("earth.wasm", "hello-oracle.wasm",
                    "positive() returned -1 (input \"\", expected \"Hello, World\", got \"Hello, "
                    "Earth\")"));
  build_changed("short", "modules/utf8/hello.wat", "(i32.const 7))))", "(i32.const 6))))");
  EXPECT_TRUE(fails("short.wasm", "hello-oracle.wasm",
                    "positive() returned -2 (input \"World\", expected \"Hello, World\", got "
                    "\"Hello, Worl\")"));
  build_changed("tight", "modules/utf8/hello.wat", "0x10007", "0x10006");
  EXPECT_TRUE(fails("tight.wasm", "hello-oracle.wasm", "positive() returned -100"));
}

TEST(ComplyTest, TheBase64OracleFindsMistakes) {
  bring("modules/oracles/base64-encode-oracle.wasm");
  build_changed("url-safe", "modules/bytes/base64-encode.wat", "+/\")", "-_\")");
  EXPECT_TRUE(fails("url-safe.wasm", "base64-encode-oracle.wasm",
                    "positive() returned -8 (input \"\\xfb\\xff\\xbf\", expected \"+/+/\", got "
                    "\"-_-_\")"));
  // One wrong letter that no test vector has.
  build_changed("one-letter", "modules/bytes/base64-encode.wat", "stuvwxyz", "stuvwxyy");
  const ProcessResult letter =
      folder().qip({"comply", "one-letter.wasm", "--with", "base64-encode-oracle.wasm"});
  EXPECT_EQ(letter.exit_code, 1);
  EXPECT_TRUE(holds(letter.output, {"positive() returned -10"}));
}

TEST(ComplyTest, TheUtf8OracleFindsMistakes) {
  bring("modules/utf8/trim.wasm");
  bring("modules/utf8/utf8-must-be-valid.wasm");
  bring("modules/oracles/utf8-must-be-valid-oracle.wasm");
  EXPECT_TRUE(fails("trim.wasm", "utf8-must-be-valid-oracle.wasm",
                    "negative() returned -1 (input \"\\x80\")"));
  build("refuses", wat::input() + wat::output() + wat::entry("unreachable"));
  const ProcessResult refuses_all =
      folder().qip({"comply", "refuses.wasm", "utf8-must-be-valid-oracle.wasm"});
  EXPECT_TRUE(holds(refuses_all.output,
                    {"positive() trapped: refuses.wasm: wasm error: unreachable", "(input \"\")"}));
}

}  // namespace
}  // namespace qip
