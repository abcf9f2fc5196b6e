// The command `qip`, run as a process: every option, every error text, exit codes, and files.
//
// The components are written here as text and built with wat2wasm into a temporary folder.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "spec-tests/process.hpp"

namespace qip {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

// --- The components ------------------------------------------------------------------------------

// Buffers: input at 1024 up to 66560, output at 131072.
const std::string kInput = R"(
  (memory (export "memory") 4)
  (func (export "input_ptr") (result i32) (i32.const 1024))
  (func (export "input_utf8_cap") (result i32) (i32.const 65536)))";
const std::string kUtf8Output = R"(
  (func (export "output_ptr") (result i32) (i32.const 131072))
  (func (export "output_utf8_cap") (result i32) (i32.const 65536)))";
const std::string kCopy = R"(
    (memory.copy (i32.const 131072) (i32.const 1024) (local.get $size)) (local.get $size))";

std::string module_text(const std::string& parts, const std::string& body,
                        const std::string& entry = "run") {
  return "(module" + parts + "(func (export \"" + entry + "\") (param $size i32) (result i32)\n" +
         body + "))";
}

const std::map<std::string, std::string>& texts() {
  static const std::map<std::string, std::string> all = {
      {"m42", module_text(kInput, "(i32.const 42)")},
      {"mneg", module_text(kInput, "(i32.const -1)")},
      {"mecho", module_text(kInput + kUtf8Output, kCopy)},
      {"mrender", module_text(kInput + kUtf8Output, kCopy, "render")},
      {"mbytes", module_text(kInput + R"(
          (func (export "output_ptr") (result i32) (i32.const 131072))
          (func (export "output_bytes_cap") (result i32) (i32.const 65536)))",
                             kCopy)},
      {"mover", module_text(kInput + R"(
          (func (export "output_ptr") (result i32) (i32.const 131072))
          (func (export "output_utf8_cap") (result i32) (i32.const 16)))",
                            "(i32.const 17)")},
      {"mnegout", module_text(kInput + kUtf8Output, "(i32.const -1)")},
      {"mi32", module_text(kInput + R"(
          (data (i32.const 131072) "\01\00\00\00\ff\ff\ff\ff\ef\be\ad\de")
          (func (export "output_ptr") (result i32) (i32.const 131072))
          (func (export "output_i32_cap") (result i32) (i32.const 16)))",
                           "(i32.const 3)")},
      {"mi32none", module_text(kInput + R"(
          (func (export "output_ptr") (result i32) (i32.const 131072))
          (func (export "output_i32_cap") (result i32) (i32.const 16)))",
                               "(i32.const 0)")},
      {"mtrap", module_text(kInput + kUtf8Output, "(call $inner) (unreachable)")},
      {"mloop", module_text(kInput + kUtf8Output, "(loop $again (br $again)) (i32.const 0)")},
      {"mreadout", R"((module (memory (export "memory") 1)
          (func (export "input_ptr") (result i32) (i32.const 0))
          (func (export "input_utf8_cap") (result i32) (i32.const 64))
          (func (export "output_ptr") (result i32) (i32.const 65530))
          (func (export "output_utf8_cap") (result i32) (i32.const 64))
          (func (export "run") (param i32) (result i32) (i32.const 10))))"},
      {"mwritein", R"((module (memory (export "memory") 1)
          (func (export "input_ptr") (result i32) (i32.const 65530))
          (func (export "input_utf8_cap") (result i32) (i32.const 64))
          (func (export "run") (param i32) (result i32) (local.get 0))))"},
      {"mnoptr", R"((module (memory (export "memory") 1)
          (func (export "input_utf8_cap") (result i32) (i32.const 64))
          (func (export "run") (param i32) (result i32) (i32.const 1))))"},
      {"mnocap", R"((module (memory (export "memory") 1)
          (func (export "input_ptr") (result i32) (i32.const 64))
          (func (export "run") (param i32) (result i32) (i32.const 1))))"},
      {"mnooutcap", module_text(kInput + R"((func (export "output_ptr") (result i32)
          (i32.const 64)))",
                                "(i32.const 1)")},
      {"mnooutptr", module_text(kInput + R"((func (export "output_utf8_cap") (result i32)
          (i32.const 64)))",
                                "(i32.const 42)")},
      {"mzerocap", module_text(kInput + R"(
          (func (export "output_ptr") (result i32) (i32.const 0))
          (func (export "output_utf8_cap") (result i32) (i32.const 0)))",
                               "(i32.const 42)")},
      {"mimport", R"((module (import "env" "f" (func)) (memory (export "memory") 1)
          (func (export "run") (param i32) (result i32) (i32.const 1))))"},
      {"mnomemory", R"((module
          (func (export "input_ptr") (result i32) (i32.const 0))
          (func (export "input_utf8_cap") (result i32) (i32.const 64))
          (func (export "run") (param i32) (result i32) (i32.const 1))))"},
      {"mnoentry", "(module" + kInput + ")"},
      {"mimage", R"((module (memory (export "memory") 1) (data (i32.const 100) "BM-pixels")
          (func (export "input_ptr") (result i32) (i32.const 1024))
          (func (export "input_bytes_cap") (result i32) (i32.const 64))
          (func (export "output_ptr") (result i32) (i32.const 100))
          (func (export "output_bytes_cap") (result i32) (i32.const 64))
          (func (export "run") (param i32) (result i32) (i32.const 9))))"},
      {"mbig", R"((module (memory (export "memory") 64)
          (func (export "input_ptr") (result i32) (i32.const 0))
          (func (export "input_bytes_cap") (result i32) (i32.const 64))
          (func (export "output_ptr") (result i32) (i32.const 0))
          (func (export "output_bytes_cap") (result i32) (i32.const 4194304))
          (func (export "run") (param i32) (result i32)
            (memory.fill (i32.const 0) (i32.const 98) (i32.const 4194304))
            (i32.const 4194304))))"},
      {"mreject", R"((module (memory (export "memory") 1)
          (func (export "input_ptr") (result i32) (i32.const 0))
          (func (export "input_utf8_cap") (result i32) (i32.const 64))
          (func (export "output_utf8_cap") (result i32) (i32.const 64))
          (func (export "failure_modes_per_input_offset") (result i32) (i32.const 2))
          (func (export "render") (param i32) (result i64)
            (i64.or (i64.const 0x8000000000000000) (i64.const 5)))))"},
      {"mcapacity", R"((module (memory (export "memory") 1)
          (func (export "input_ptr") (result i32) (i32.const 0))
          (func (export "input_utf8_cap") (result i32) (loop $again (br $again)) (i32.const 64))
          (func (export "run") (param i32) (result i32) (i32.const 1))))"},
      {"calls", R"((module $calculator
          (memory (export "memory") 1 3) (table (export "table") 2 funcref)
          (global (export "answer") i32 (i32.const 42))
          (global (export "counter") (mut i64) (i64.const 0))
          (func (export "add") (param i32 i32) (result i32)
            (i32.add (local.get 0) (local.get 1)))
          (func (export "divide") (param i32 i32) (result i32)
            (i32.div_s (local.get 0) (local.get 1)))
          (func (export "long") (param i64) (result i64) (local.get 0))
          (func (export "single") (param f32) (result f32) (local.get 0))
          (func (export "double") (param f64) (result f64)
            (f64.mul (local.get 0) (f64.const 2)))
          (func (export "vector") (param v128 v128) (result v128)
            (i32x4.add (local.get 0) (local.get 1)))
          (func (export "three") (result i32 i64 f64)
            (i32.const -1) (i64.const 2) (f64.const 0.5))
          (func (export "nothing"))
          (func (export "same") (param externref) (result externref) (local.get 0))
          (func (export "first") (result funcref) (ref.null func))
          (func (export "spin") (loop $again (br $again)))
          (func $dive (export "deep") (call $dive))
          (func (export "_start") (unreachable))))"},
      {"escapes", R"((module (memory (export "memory") 1) (func (export "\1b[2Jx\0ay"))))"},
  };
  return all;
}

class CommandTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string pattern = (fs::temp_directory_path() / "qip-command-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder() = pattern;
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }
  static fs::path& folder() {
    static fs::path path;
    return path;
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }

  // The path of a component, built on first use.
  static std::string module(const std::string& name) {
    const std::string built = path(name + ".wasm");
    if (fs::exists(built)) return built;
    std::string text = texts().at(name);
    if (name == "mtrap") text.insert(text.rfind(')'), "(func $inner (nop))");
    put(name + ".wat", text);
    const ProcessResult made =
        run_process({"wat2wasm", "--debug-names", path(name + ".wat"), "-o", built});
    EXPECT_EQ(made.exit_code, 0) << made.error;
    return built;
  }
  static void put(const std::string& name, const std::string& bytes) {
    std::ofstream(folder() / name, std::ios::binary) << bytes;
  }
  static std::string get(const std::string& name) {
    std::ifstream file(folder() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  static ProcessResult qip(Strings arguments, std::string_view input = "x") {
    arguments.insert(arguments.begin(), fs::absolute(qip_path()).string());
    ProcessOptions options;
    options.input = input;
    options.working_directory = folder().string();
    return run_process(arguments, options);
  }
  // The same through a shell, for redirections. $COMMAND is the command.
  static ProcessResult shell(const std::string& script) {
    ProcessOptions options;
    options.working_directory = folder().string();
    options.extra_environment = {"COMMAND=" + fs::absolute(qip_path()).string()};
    return run_process({"/bin/bash", "-c", script}, options);
  }
  // `qip run NAME...` with `input`.
  static ProcessResult run(const Strings& names, std::string_view input = "x") {
    Strings arguments = {"run"};
    for (const std::string& name : names) arguments.push_back(module(name));
    return qip(arguments, input);
  }
};

testing::AssertionResult succeeded(const ProcessResult& result, const std::string& output) {
  if (result.exit_code == 0 && result.output == output && result.error.empty()) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << "exit " << result.exit_code << " signal " << result.signal
         << ", stdout: " << testing::PrintToString(result.output) << ", stderr: " << result.error;
}

// Exit 1, nothing on stdout, and one line on stderr that holds every part.
testing::AssertionResult failed(const ProcessResult& result, const Strings& parts,
                                const std::string& output = "") {
  bool holds = result.exit_code == 1 && result.output == output;
  const size_t newline = result.error.find('\n');
  holds = holds && newline != std::string::npos && newline + 1 == result.error.size();
  for (const std::string& part : parts) {
    holds = holds && result.error.find(part) != std::string::npos;
  }
  if (holds) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << "exit " << result.exit_code << " signal " << result.signal
         << ", stdout: " << testing::PrintToString(result.output) << ", stderr: " << result.error;
}

// --- Output --------------------------------------------------------------------------------------

TEST_F(CommandTest, WithoutOutputTheResultIsPrintedUnsigned) {
  EXPECT_TRUE(succeeded(run({"m42"}, "hello"), "Ran: 42\n"));
  EXPECT_TRUE(succeeded(run({"mneg"}, "hello"), "Ran: 4294967295\n"));
  EXPECT_TRUE(succeeded(run({"mnooutptr"}), "Ran: 42\n"));
}

TEST_F(CommandTest, AStageWithoutOutputFeedsNothing) {
  EXPECT_TRUE(succeeded(run({"m42", "mecho"}), "Ran: 42\n\n"));
  EXPECT_TRUE(succeeded(run({"m42", "mbytes"}), "Ran: 42\n"));
  EXPECT_TRUE(succeeded(run({"m42", "mneg"}), "Ran: 42\nRan: 4294967295\n"));
}

TEST_F(CommandTest, CapacityZeroOfTextStillEndsWithANewline) {
  EXPECT_TRUE(succeeded(run({"mzerocap"}), "Ran: 42\n\n"));
}

TEST_F(CommandTest, TextGetsANewlineAndBytesDoNot) {
  EXPECT_TRUE(succeeded(run({"mecho"}, "hello"), "hello\n"));
  EXPECT_TRUE(succeeded(run({"mecho"}, "hello\n"), "hello\n\n"));
  EXPECT_TRUE(succeeded(run({"mecho"}, ""), "\n"));
  EXPECT_TRUE(succeeded(run({"mbytes"}, "hello"), "hello"));
  EXPECT_TRUE(succeeded(run({"mbytes"}, ""), ""));
  EXPECT_TRUE(succeeded(run({"mrender"}, "hello"), "hello\n"));
}

TEST_F(CommandTest, ItemsArePrintedAsHexadecimalLines) {
  EXPECT_TRUE(succeeded(run({"mi32"}), "00000001\nffffffff\ndeadbeef\n"));
  EXPECT_TRUE(succeeded(run({"mi32none"}), ""));
}

TEST_F(CommandTest, ItemsArePassedOnAsBytes) {
  EXPECT_TRUE(succeeded(run({"mi32", "mbytes"}),
                        std::string("\1\0\0\0\xff\xff\xff\xff\xef\xbe\xad\xde", 12)));
}

TEST_F(CommandTest, BytesThatAreNotUtf8PassThrough) {
  EXPECT_TRUE(succeeded(run({"mecho"}, "\xff\xfe"), "\xff\xfe\n"));
}

TEST_F(CommandTest, ALongChainWorks) {
  EXPECT_TRUE(succeeded(run(Strings(40, "mecho"), "hello"), "hello\n"));
}

// --- Checks of the contract ----------------------------------------------------------------------

TEST_F(CommandTest, MoreOutputThanTheCapacityIsRefused) {
  const Strings text = {"Module returned more bytes than its stated capacity", "mover.wasm: "};
  EXPECT_TRUE(failed(run({"mover"}), text));
  EXPECT_TRUE(failed(run({"mnegout"}), {text[0]}));
}

TEST_F(CommandTest, BuffersOutsideTheMemoryAreRefused) {
  EXPECT_TRUE(failed(run({"mreadout"}), {"mreadout.wasm: Could not read output"}));
  EXPECT_TRUE(failed(run({"mwritein"}, "elevenbytes"), {"mwritein.wasm: Could not write input"}));
  EXPECT_TRUE(succeeded(run({"mwritein"}, "sixbyt"), "Ran: 6\n"));
}

TEST_F(CommandTest, InputUpToTheCapacityIsAccepted) {
  const std::string most(65536, 'a');
  EXPECT_TRUE(succeeded(run({"mecho"}, most), most + "\n"));
  EXPECT_TRUE(failed(run({"mecho"}, most + "a"), {"Input is too large"}));
  EXPECT_TRUE(
      failed(run({"mecho"}, std::string(70000, 'a')), {"mecho.wasm: Input is too large ("}));
  put("large", std::string(70000, 'a'));
  EXPECT_TRUE(failed(qip({"run", "-i", "large", module("mecho")}),
                     {"Input is too large (70000 bytes > 65536 bytes input capacity)"}));
  put("most", most);
  EXPECT_TRUE(succeeded(qip({"run", "-i", "most", module("mecho")}), most + "\n"));
}

TEST_F(CommandTest, EndlessInputIsRefused) {
  EXPECT_TRUE(failed(shell("yes | \"$COMMAND\" run " + module("mecho")), {"Input is too large"}));
  EXPECT_TRUE(failed(qip({"run", "-i", "/dev/zero", module("mecho")}), {"Input is too large"}));
}

TEST_F(CommandTest, MissingExportsAreNamed) {
  EXPECT_TRUE(failed(run({"mnoptr"}), {"Wasm module must export input_ptr as global or function"}));
  EXPECT_TRUE(failed(run({"mnocap"}), {"input_utf8_cap or input_bytes_cap as global or function"}));
  EXPECT_TRUE(
      failed(run({"mnooutcap"}), {"output_utf8_cap", "output_i32_cap", "output_bytes_cap"}));
  EXPECT_TRUE(failed(run({"mnomemory"}), {"Wasm module must export memory"}));
  EXPECT_TRUE(failed(run({"mnoentry"}), {"Wasm module must export render(i32) -> i32"}));
}

TEST_F(CommandTest, ImportsAreRefusedByName) {
  EXPECT_TRUE(failed(run({"mimport"}), {"Wasm module could not be instantiated", "env.f"}));
  // Before anything runs: the first stage would have printed a line.
  EXPECT_TRUE(failed(run({"m42", "mimport"}), {"mimport.wasm: "}));
}

TEST_F(CommandTest, TrapsNameTheComponentAndTheFunction) {
  EXPECT_TRUE(failed(run({"mtrap"}), {"mtrap.wasm: wasm error: unreachable in function "}));
  EXPECT_TRUE(failed(run({"mecho", "mtrap"}), {"mtrap.wasm: wasm error: unreachable"}));
  EXPECT_TRUE(failed(run({"m42", "mtrap"}), {"unreachable"}, "Ran: 42\n"));
}

TEST_F(CommandTest, RejectionIsAnError) {
  EXPECT_TRUE(failed(run({"mreject"}, "hello"),
                     {"mreject.wasm: component rejected input at input offset 2 with mode 1"}));
}

// --- Time ----------------------------------------------------------------------------------------

TEST_F(CommandTest, TimeLimitStopsEndlessComponents) {
  EXPECT_TRUE(failed(qip({"run", "--timeout-ms", "100", module("mloop")}),
                     {"Wasm module exceeded the execution time limit (100ms)"}));
  EXPECT_TRUE(failed(qip({"run", "-timeout-ms=250", module("mloop")}), {"(250ms)"}));
  EXPECT_TRUE(failed(qip({"run", "--timeout-ms", "100", module("mcapacity")}), {"(100ms)"}));
  EXPECT_TRUE(failed(qip({"run", "--timeout-ms", "100", module("mecho"), module("mloop")}),
                     {"mloop.wasm: ", "(100ms)"}));
}

TEST_F(CommandTest, TimeLimitMustBePositive) {
  EXPECT_TRUE(
      failed(qip({"run", "--timeout-ms", "0", module("mecho")}), {"Invalid timeout-ms: 0"}));
  EXPECT_TRUE(
      failed(qip({"run", "--timeout-ms", "-5", module("mecho")}), {"Invalid timeout-ms: -5"}));
}

TEST_F(CommandTest, WaitingForInputCostsNoTime) {
  ProcessOptions options;
  options.input = "late";
  options.input_delay_ms = 500;
  const ProcessResult result =
      run_process({qip_path(), "run", "--timeout-ms", "100", module("mecho")}, options);
  EXPECT_TRUE(succeeded(result, "late\n"));
  EXPECT_GE(result.seconds, 0.5);
}

// --- Reading files -------------------------------------------------------------------------------

TEST_F(CommandTest, MissingFilesAreNamed) {
  EXPECT_TRUE(failed(qip({"run", "nope.wasm"}),
                     {"Error reading file: open nope.wasm: no such file or directory"}));
  EXPECT_TRUE(failed(qip({"run", "-i", "nope.txt", module("mecho")}),
                     {"Error reading input file: open nope.txt: no such file or directory"}));
  EXPECT_TRUE(failed(qip({"run", "--", "--not-a-flag"}), {"open --not-a-flag"}));
}

TEST_F(CommandTest, FilesThatAreNoModulesAreRefused) {
  put("notwasm.txt", "hello, world");
  EXPECT_TRUE(
      failed(qip({"run", "notwasm.txt"}), {"wasm module \"notwasm.txt\" could not be compiled: "}));
  put("empty.wasm", "");
  EXPECT_TRUE(failed(qip({"run", "empty.wasm"}), {"could not be compiled"}));
  EXPECT_TRUE(failed(qip({"run", "/dev/zero"}), {"could not be compiled"}));
  EXPECT_TRUE(failed(shell("\"$COMMAND\" run <(yes)"), {"could not be compiled"}));
  EXPECT_TRUE(failed(qip({"run", "."}), {"Error reading file: read .: is a directory"}));
  EXPECT_TRUE(failed(shell("rm -f fifo; mkfifo fifo; \"$COMMAND\" run fifo"),
                     {"Error reading file: read fifo: a pipe that nobody writes to"}));
}

TEST_F(CommandTest, ReadingErrorsComeInOrder) {
  put("notwasm.txt", "hello, world");
  EXPECT_TRUE(failed(qip({"run", "notwasm.txt", "nope.wasm"}), {"could not be compiled"}));
  EXPECT_TRUE(failed(qip({"run", "-i", "nope.txt", "nope.wasm"}), {"Error reading file: "}));
}

TEST_F(CommandTest, ModulesMayComeThroughPipes) {
  EXPECT_TRUE(
      succeeded(shell("printf hi | \"$COMMAND\" run <(cat " + module("mecho") + ")"), "hi\n"));
}

TEST_F(CommandTest, InputComesFromFileOrStdinOrNowhere) {
  put("in.txt", "from file");
  EXPECT_TRUE(succeeded(qip({"run", "-i", "in.txt", module("mecho")}), "from file\n"));
  EXPECT_TRUE(succeeded(qip({"run", module("mecho"), "-i", "-"}, "piped"), "piped\n"));
  EXPECT_TRUE(succeeded(shell("\"$COMMAND\" run " + module("mecho") + " < in.txt"), "from file\n"));
  EXPECT_TRUE(succeeded(shell("\"$COMMAND\" run " + module("mecho") + " < /dev/null"), "\n"));
  EXPECT_TRUE(succeeded(shell("\"$COMMAND\" run " + module("mecho") + " < /dev/zero"), "\n"));
  EXPECT_TRUE(succeeded(shell("\"$COMMAND\" run " + module("mecho") + " <&-"), "\n"));
  EXPECT_TRUE(succeeded(
      shell("(read -r line; \"$COMMAND\" run " + module("mecho") + ") < <(printf 'one\\ntwo')"),
      "two\n"));
  EXPECT_TRUE(failed(qip({"run", "-i", ".", module("mecho")}),
                     {"Error reading input file: read .: is a directory"}));
}

// --- Writing files -------------------------------------------------------------------------------

TEST_F(CommandTest, OutputFileHoldsExactlyTheBytes) {
  put("in.txt", "hello");
  EXPECT_TRUE(succeeded(qip({"run", "-i", "in.txt", "-o", "out.txt", module("mecho")}), ""));
  EXPECT_EQ(get("out.txt"), "hello");
  EXPECT_TRUE(succeeded(qip({"run", "--output=out.txt", module("mi32")}), ""));
  EXPECT_EQ(get("out.txt"), std::string("\1\0\0\0\xff\xff\xff\xff\xef\xbe\xad\xde", 12));
  EXPECT_TRUE(succeeded(qip({"run", "-o", "-", module("mecho")}, "hello"), "hello"));
  EXPECT_TRUE(succeeded(qip({"run", "-o", "/dev/null", module("mecho")}, "hello"), ""));
  EXPECT_TRUE(succeeded(qip({"run", "-o", "out.txt", module("m42")}), "Ran: 42\n"));
  EXPECT_EQ(get("out.txt"), "");
}

TEST_F(CommandTest, OutputFileMayBeTheInputFile) {
  put("same.txt", "hello");
  EXPECT_TRUE(succeeded(qip({"run", "-i", "same.txt", "-o", "same.txt", module("mecho")}), ""));
  EXPECT_EQ(get("same.txt"), "hello");
}

TEST_F(CommandTest, FailureLeavesTheOutputFileAlone) {
  put("kept.txt", "old");
  EXPECT_EQ(qip({"run", "-o", "kept.txt", module("mtrap")}).exit_code, 1);
  EXPECT_EQ(get("kept.txt"), "old");
  EXPECT_EQ(qip({"run", "-o", "never.txt", module("mtrap")}).exit_code, 1);
  EXPECT_FALSE(fs::exists(path("never.txt")));
  EXPECT_TRUE(failed(qip({"run", "-o", "no/such/dir", module("mecho")}),
                     {"Error writing output file: open no/such/dir: no such file or directory"}));
}

TEST_F(CommandTest, OutputFileIsReplacedInOneStep) {
  fs::create_directory(path("atomic"));
  put("atomic/out", "old");
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::thread reader([&] {
    while (!done) {
      const std::string seen = get("atomic/out");
      if (seen != "old" && seen.size() != 4194304) torn++;
    }
  });
  for (int i = 0; i < 20; i++) {
    EXPECT_TRUE(succeeded(qip({"run", "-o", "atomic/out", module("mbig")}), ""));
  }
  done = true;
  reader.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(std::distance(fs::directory_iterator(path("atomic")), fs::directory_iterator()), 1);
}

TEST_F(CommandTest, ImageNamesWantImages) {
  for (const char* name : {"out.png", "out.JPG", "out.jpeg", "out.bmp"}) {
    EXPECT_TRUE(failed(qip({"run", "-o", name, module("mecho")}),
                       {"cannot encode non-image output as image (encoding=utf8, content_type="}));
    EXPECT_FALSE(fs::exists(path(name)));
  }
  EXPECT_TRUE(succeeded(qip({"run", "-o", "image.bmp", module("mimage")}), ""));
  EXPECT_EQ(get("image.bmp"), "BM-pixels");
  EXPECT_TRUE(failed(qip({"run", "-o", "image.png", module("mimage")}), {"bmp", "png"}));
}

TEST_F(CommandTest, AFullDeviceIsAnError) {
  EXPECT_TRUE(failed(shell("\"$COMMAND\" run " + module("mecho") + " > /dev/full < /dev/null"),
                     {"Error writing output: ", "no space left on device"}));
  EXPECT_TRUE(
      failed(shell("\"$COMMAND\" run " + module("m42") + " > /dev/full"), {"no space left"}));
  EXPECT_TRUE(failed(shell("\"$COMMAND\" help > /dev/full"), {"no space left"}));
  EXPECT_TRUE(
      failed(shell("\"$COMMAND\" run " + module("mecho") + " >&-"), {"bad file descriptor"}));
}

TEST_F(CommandTest, AReaderThatGoesAwayIsAnErrorAndNoSignal) {
  const ProcessResult result = shell("set -o pipefail; { \"$COMMAND\" run " + module("mbig") +
                                     "; echo \"exit $?\" >&2; } | head -c 3");
  EXPECT_EQ(result.output, "bbb");
  EXPECT_EQ(result.error, "Error writing output: write /dev/stdout: broken pipe\nexit 1\n");
}

TEST_F(CommandTest, SlowReadersGetEverything) {
  const ProcessResult result =
      shell("\"$COMMAND\" run " + module("mbig") + " | (sleep 0.2; cat) | cksum");
  const ProcessResult expected = shell("head -c 4194304 /dev/zero | tr '\\0' b | cksum");
  EXPECT_EQ(result.output, expected.output);
}

// --- Usage ---------------------------------------------------------------------------------------

TEST_F(CommandTest, UsageErrorsBeginWithUsage) {
  for (const Strings& arguments :
       {Strings{}, Strings{"frob"}, Strings{"-v"}, Strings{"--verbose"}, Strings{"run"},
        Strings{"inspect"}, Strings{"inspect", "a", "b"}, Strings{"call"}, Strings{"call", "a"},
        Strings{"help", "frob"}, Strings{"version", "x"}, Strings{"run", "-h"},
        Strings{"run", "--help"}}) {
    const ProcessResult result = qip(arguments);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.output, "");
    EXPECT_EQ(result.error.find("Usage: qip"), 0u) << result.error;
  }
  EXPECT_NE(qip({}).error.find("Usage: qip <command> [args]"), std::string::npos);
}

TEST_F(CommandTest, UnknownFlagsAreNamed) {
  EXPECT_TRUE(failed(qip({"run", "--zzz", "x.wasm"}),
                     {"Usage: qip run", "flag provided but not defined: -zzz"}));
  EXPECT_TRUE(failed(qip({"run", "x.wasm", "-i"}), {"flag needs an argument: -i"}));
}

TEST_F(CommandTest, FlagsMayStandAnywhere) {
  EXPECT_TRUE(
      succeeded(qip({"run", module("mecho"), "-timeout-ms", "900", module("mbytes")}), "x"));
}

TEST_F(CommandTest, HelpIsPrintedToStdout) {
  const ProcessResult all = qip({"help"});
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_EQ(all.error, "");
  for (const char* part : {"Usage: qip <command> [args]", "Usage: qip run", "inspect", "call",
                           "version", "--timeout-ms"}) {
    EXPECT_NE(all.output.find(part), std::string::npos) << part;
  }
  for (const char* name : {"run", "inspect", "call", "help", "version"}) {
    const ProcessResult one = qip({"help", name});
    EXPECT_EQ(one.exit_code, 0);
    EXPECT_EQ(one.output.find(std::string("Usage: qip ") + name), 0u);
  }
  EXPECT_EQ(qip({"doc"}).output, all.output);
  EXPECT_EQ(qip({"version"}).output.find("qip "), 0u);
}

TEST_F(CommandTest, VerboseLogsDigestsAndTimes) {
  const ProcessResult result = qip({"run", "-v", module("mecho"), module("mi32")}, "abc");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "00000001\nffffffff\ndeadbeef\n");
  for (const char* part :
       {"input sha256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n",
        "mecho.wasm sha256: ", "mi32.wasm sha256: ", "compiled module[1] in ",
        "output sha256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n",
        "[1 0 0 0 255 255 255 255 239 190 173 222]\n", "u32: 1\n", "u32: 3735928559\n",
        "command took "}) {
    EXPECT_NE(result.error.find(part), std::string::npos) << part << " in " << result.error;
  }
  EXPECT_EQ(result.error.find("ms\n", result.error.find("command took ")) + 3, result.error.size());
  EXPECT_TRUE(succeeded(qip({"run", "-v=false", module("mecho")}, "abc"), "abc\n"));
}

// --- call ----------------------------------------------------------------------------------------

TEST_F(CommandTest, CallPrintsOneResultALine) {
  const auto call = [](Strings arguments) {
    arguments.insert(arguments.begin(), {"call", module("calls")});
    return qip(arguments);
  };
  EXPECT_TRUE(succeeded(call({"add", "2", "40"}), "42\n"));
  EXPECT_TRUE(succeeded(call({"add", "-5", "0xffffffff"}), "-6\n"));
  EXPECT_TRUE(succeeded(call({"long", "-9223372036854775808"}), "-9223372036854775808\n"));
  EXPECT_TRUE(succeeded(call({"single", "0.1"}), "0.1\n"));
  EXPECT_TRUE(succeeded(call({"single", "-nan:0x200000"}), "-nan:0x200000\n"));
  EXPECT_TRUE(succeeded(call({"double", "-1e300"}), "-2e+300\n"));
  EXPECT_TRUE(succeeded(call({"double", "-inf"}), "-inf\n"));
  EXPECT_TRUE(succeeded(call({"vector", "i32x4:1,2,3,4", "0x00000001000000010000000100000001"}),
                        "i32x4:0x00000002,0x00000003,0x00000004,0x00000005\n"));
  EXPECT_TRUE(succeeded(call({"three"}), "-1\n2\n0.5\n"));
  EXPECT_TRUE(succeeded(call({"nothing"}), ""));
  EXPECT_TRUE(succeeded(call({"same", "7"}), "7\n"));
  EXPECT_TRUE(succeeded(call({"same", "null"}), "null\n"));
  EXPECT_TRUE(succeeded(call({"first"}), "null\n"));
}

TEST_F(CommandTest, CallReportsWhatIsWrong) {
  const auto call = [](Strings arguments) {
    arguments.insert(arguments.begin(), {"call", "--timeout-ms=200", module("calls")});
    return qip(arguments);
  };
  EXPECT_TRUE(failed(call({"divide", "1", "0"}), {"wasm error: integer divide by zero"}));
  EXPECT_TRUE(failed(call({"divide", "-2147483648", "-1"}), {"wasm error: integer overflow"}));
  EXPECT_TRUE(failed(call({"deep"}), {"wasm error: stack overflow", "\"dive\""}));
  EXPECT_TRUE(failed(call({"spin"}), {"exceeded the execution time limit (200ms)"}));
  EXPECT_TRUE(failed(call({"nope"}), {"exports nothing named \"nope\""}));
  EXPECT_TRUE(failed(call({"memory"}), {"\"memory\" as a memory"}));
  EXPECT_TRUE(failed(call({"add", "1"}), {"got 1 argument"}));
  EXPECT_TRUE(failed(call({"add", "1", "two"}), {"invalid value \"two\" (expected i32)"}));
  EXPECT_TRUE(failed(qip({"call", module("mimport"), "run", "1"}), {"env.f"}));
}

// --- inspect -------------------------------------------------------------------------------------

TEST_F(CommandTest, InspectTellsTheContract) {
  const ProcessResult result = qip({"inspect", module("mecho")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.error, "");
  const ProcessResult digest = run_process({"sha256sum", module("mecho")});
  for (const std::string& part :
       {std::string("Content, because it exports run(i32) -> i32"), digest.output.substr(0, 64),
        std::string("utf8, at most 65536 bytes, at address 1024"),
        std::string("4 pages (262144 bytes), no declared maximum"), std::string("bulk memory"),
        std::string("imports:   none"), std::string("function input_ptr () -> (i32)")}) {
    EXPECT_NE(result.output.find(part), std::string::npos) << part << "\nin\n" << result.output;
  }
}

TEST_F(CommandTest, InspectListsEveryKindOfExport) {
  const ProcessResult result = qip({"inspect", module("calls")});
  EXPECT_EQ(result.exit_code, 0);
  for (const char* part :
       {"calculator", "contract:  none", "table    table 2 funcref", "global   answer i32",
        "global   counter i64 mutable", "SIMD", "multi-value", "reference types",
        "1 page (65536 bytes), at most 3 pages", "function vector (v128, v128) -> (v128)"}) {
    EXPECT_NE(result.output.find(part), std::string::npos) << part << "\nin\n" << result.output;
  }
  EXPECT_NE(qip({"inspect", module("mimport")}).output.find("function env.f () -> ()"),
            std::string::npos);
}

TEST_F(CommandTest, InspectSurvivesHostileModules) {
  const ProcessResult escapes = qip({"inspect", module("escapes")});
  EXPECT_EQ(escapes.exit_code, 0);
  EXPECT_EQ(escapes.output.find('\x1b'), std::string::npos);
  EXPECT_NE(escapes.output.find("\\x1b[2Jx\\x0ay"), std::string::npos);
  const ProcessResult endless = qip({"inspect", "--timeout-ms=100", module("mcapacity")});
  EXPECT_EQ(endless.exit_code, 0);
  EXPECT_NE(endless.output.find("exceeded the execution time limit (100ms)"), std::string::npos);
}

}  // namespace
}  // namespace qip
