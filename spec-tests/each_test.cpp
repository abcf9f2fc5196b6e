// `qip run --each` through the built command: one chain over many files.
#include <algorithm>
#include <filesystem>
#include <map>

#include "spec-tests/component_folder.hpp"

namespace qip {
namespace {

namespace fs = std::filesystem;

constexpr int kFiles = 300;

// Refuses every input that begins with '!', doubles the first byte of every other one.
std::string picky() {
  return wat::module(wat::input() + wat::output() +
                     wat::entry("(if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 33))"
                                "  (then unreachable))" +
                                wat::kCopy));
}

// A folder with `in/0000.txt` ... and the component `picky.wasm`. Every tenth file is refused.
class EachFolder {
 public:
  explicit EachFolder(int files = kFiles) : folder_("qip-each") {
    folder_.build("picky", picky());
    fs::create_directory(folder_.path("in"));
    for (int i = 0; i < files; i++) {
      const std::string name = "in/" + std::to_string(10000 + i) + ".txt";
      folder_.put(name, contents(i));
      names_.push_back(name);
    }
  }
  static bool is_refused(int file) { return file % 10 == 3; }
  static std::string contents(int file) {
    return (is_refused(file) ? "!" : "#") + std::to_string(file) +
           std::string(static_cast<size_t>(file) * 7, 'x');
  }

  const ComponentFolder& folder() const { return folder_; }
  const Strings& names() const { return names_; }

  ProcessResult run(const Strings& options, const Strings& files) const {
    Strings arguments = {"run", "--each", "-o", "out"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {"picky.wasm", "--"});
    arguments.insert(arguments.end(), files.begin(), files.end());
    return folder_.qip(arguments, "", 60000);
  }
  // Name and bytes of everything in a folder.
  std::map<std::string, std::string> files_in(const std::string& name) const {
    std::map<std::string, std::string> found;
    if (!folder_.has(name)) return found;
    for (const auto& item : fs::directory_iterator(folder_.path(name))) {
      const std::string file = item.path().filename().string();
      found[file] = folder_.get(name + "/" + file);
    }
    return found;
  }
  std::map<std::string, std::string> expected() const {
    std::map<std::string, std::string> files;
    for (size_t i = 0; i < names_.size(); i++) {
      if (!is_refused(static_cast<int>(i))) {
        files[names_[i].substr(3)] = contents(static_cast<int>(i));
      }
    }
    return files;
  }

 private:
  ComponentFolder folder_;
  Strings names_;
};

const EachFolder& inputs() {
  static const EachFolder made;
  return made;
}

void remove_outputs() {
  fs::remove_all(inputs().folder().path("out"));
}

TEST(Each, ResultsAndReportDoNotDependOnTheNumberOfThreads) {
  std::string report;
  for (const char* jobs : {"1", "2", "7"}) {
    SCOPED_TRACE(jobs);
    remove_outputs();
    const ProcessResult result = inputs().run({"-j", jobs}, inputs().names());
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.output, "");
    EXPECT_EQ(inputs().files_in("out"), inputs().expected());
    if (report.empty()) report = result.error;
    EXPECT_EQ(result.error, report);
  }
  EXPECT_TRUE(holds(
      report, {"30 of 300 files failed:\n", "\n  in/10003.txt: picky.wasm: wasm error: unreachable",
               "\n  in/10293.txt: "}));
  EXPECT_EQ(std::count(report.begin(), report.end(), '\n'), 31);
}

TEST(Each, WithoutAFailureTheExitCodeIsZeroAndNothingIsSaid) {
  remove_outputs();
  EXPECT_TRUE(succeeded(inputs().run({}, {inputs().names()[0], inputs().names()[1]}), ""));
  EXPECT_EQ(inputs().files_in("out").size(), 2u);
}

TEST(Each, AFileThatIsNotThereDoesNotStopTheOthers) {
  remove_outputs();
  const ProcessResult result = inputs().run({}, {"in/none.txt", inputs().names()[0], "in"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.error, {"2 of 3 files failed:\n", "no such file or directory"}));
  EXPECT_EQ(inputs().files_in("out").size(), 1u);
}

TEST(Each, AFailingFileLeavesAnEarlierOutputAlone) {
  remove_outputs();
  fs::create_directory(inputs().folder().path("out"));
  inputs().folder().put("out/10003.txt", "from before");
  EXPECT_EQ(inputs().run({}, {inputs().names()[3]}).exit_code, 1);
  EXPECT_EQ(inputs().files_in("out"),
            (std::map<std::string, std::string>{{"10003.txt", "from before"}}));
}

TEST(Each, TheExtensionReplacesThatOfTheInput) {
  remove_outputs();
  EXPECT_TRUE(succeeded(inputs().run({"--extension", ".html"}, {inputs().names()[0]}), ""));
  EXPECT_EQ(inputs().files_in("out").count("10000.html"), 1u);
}

TEST(Each, TwoInputsOfOneNameAreRefusedBeforeAnythingIsWritten) {
  remove_outputs();
  fs::create_directories(inputs().folder().path("other"));
  inputs().folder().put("other/10000.txt", "other");
  EXPECT_TRUE(failed(inputs().run({}, {"in/10000.txt", "in/10001.txt", "other/10000.txt"}),
                     {"in/10000.txt and other/10000.txt would both be written to out/10000.txt"}));
  EXPECT_TRUE(inputs().files_in("out").empty());
  // The names differ, the outputs' would not.
  inputs().folder().put("other/10001.md", "other");
  EXPECT_TRUE(failed(inputs().run({"--extension", ".html"}, {"in/10001.txt", "other/10001.md"}),
                     {"out/10001"}));
}

TEST(Each, AnInputIsNeverReplaced) {
  const ComponentFolder folder("qip-each-same");
  folder.build("picky", picky());
  folder.put("a.txt", "abc");
  const ProcessResult result =
      folder.qip({"run", "--each", "-o", ".", "picky.wasm", "--", "a.txt"}, "");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.error, {"a.txt: the output would replace the input"}));
  EXPECT_EQ(folder.get("a.txt"), "abc");
}

TEST(Each, ACacheGivesTheSameResults) {
  remove_outputs();
  const Strings options = {"--cache", "cache", "-v"};
  const ProcessResult first = inputs().run(options, inputs().names());
  EXPECT_EQ(inputs().files_in("out"), inputs().expected());
  remove_outputs();
  const ProcessResult second = inputs().run(options, inputs().names());
  EXPECT_EQ(inputs().files_in("out"), inputs().expected());
  EXPECT_TRUE(holds(first.error, {"cache: 0 hits of 300"}));
  EXPECT_TRUE(holds(second.error, {"cache: 270 hits of 300"}));
  EXPECT_EQ(second.exit_code, 1);
}

TEST(Each, SettingsHoldForEveryFile) {
  const ComponentFolder folder("qip-each-uniform");
  folder.build("mark", wat::module("(global $mark (mut i32) (i32.const 63))"
                                   "(func (export \"uniform_set_mark\") (param i32)"
                                   "  (global.set $mark (local.get 0)))" +
                                   wat::input() + wat::output() +
                                   wat::entry("(i32.store8 (i32.const 131072) (global.get $mark))"
                                              "(i32.const 1)")));
  folder.put("a", "1");
  folder.put("b", "2");
  EXPECT_TRUE(succeeded(
      folder.qip({"run", "--each", "-o", "out", "mark.wasm", "?mark=33", "--", "a", "b"}, ""), ""));
  EXPECT_EQ(folder.get("out/a") + folder.get("out/b"), "!!");
}

TEST(Each, TheLimitsAreThoseOfOneFile) {
  remove_outputs();
  // Fuel for one file, not for three hundred.
  const ProcessResult result = inputs().run({"--fuel", "1000"}, inputs().names());
  EXPECT_EQ(inputs().files_in("out"), inputs().expected()) << result.error;
}

TEST(Each, WhatTheCommandLineLacksIsToldBeforeAnythingIsWritten) {
  remove_outputs();
  const auto qip = [](const Strings& arguments) { return inputs().folder().qip(arguments, ""); };
  const std::string file = inputs().names()[0];
  EXPECT_TRUE(failed(qip({"run", "--each", "picky.wasm", "--", file}), {"Usage: qip run"}));
  EXPECT_TRUE(failed(qip({"run", "--each", "-o", "out", "picky.wasm"}), {"Usage: qip run"}));
  EXPECT_TRUE(failed(qip({"run", "--each", "-o", "out", "--", file}), {"Usage: qip run"}));
  EXPECT_TRUE(failed(qip({"run", "--each", "-o", "out", "picky.wasm", "--"}), {"Usage: qip run"}));
  EXPECT_TRUE(failed(inputs().run({"-i", file}, {file}), {"not with -i"}));
  EXPECT_TRUE(failed(inputs().run({"-j", "0"}, {file}), {"Invalid jobs: 0"}));
  EXPECT_TRUE(failed(qip({"run", "--each", "-o", "out", "none.wasm", "--", file}), {"none.wasm"}));
  EXPECT_FALSE(inputs().folder().has("out"));
}

// The second input is a pipe that gives nothing until the signal has arrived: it has begun, so it
// ends; the third one has not.
TEST(Each, AnInterruptionLeavesWholeFilesAndExits130) {
  const ComponentFolder folder("qip-each-interrupt");
  folder.build("picky", picky());
  const ProcessResult result = folder.shell(
      "mkdir out; mkfifo slow; printf later > later; printf early > early; exec 3<>slow\n"
      "$COMMAND run --each -o out -j 1 picky.wasm -- early slow later 3<&- & qip=$!\n"
      "for i in $(seq 400); do [ -e out/early ] && break; sleep 0.05; done; sleep 0.3\n"
      "kill -INT $qip; sleep 0.3; printf now >&3; exec 3>&-\n"
      "wait $qip; echo \"exit $?\"; ls -A out; cat out/slow");
  EXPECT_EQ(result.output, "exit 130\nearly\nslow\nnow");
  EXPECT_TRUE(holds(result.error, {"interrupted: 1 file not begun"}));
}

// The last input is a pipe: while it gives nothing, everything before it is done and the process
// can be asked for its high-water mark.
TEST(Each, MemoryDoesNotGrowWithTheNumberOfFiles) {
  const EachFolder many(3000);
  const auto peak = [&many](size_t count) {
    std::string files;
    for (size_t i = 0; i < count; i++) files += " " + many.names()[i];
    const ProcessResult result = many.folder().shell(
        "rm -rf out hold; mkfifo hold; exec 3<>hold\n"
        "ASAN_OPTIONS=quarantine_size_mb=0:thread_local_quarantine_size_kb=0 "
        "$COMMAND run --each -o out -j 1 picky.wasm --" +
            files +
            " hold 2>errors 3<&- & qip=$!\n"
            "for i in $(seq 600); do [ \"$(ls out 2>/dev/null | wc -l)\" -eq " +
            std::to_string(count * 9 / 10) +
            " ] && break; sleep 0.05; done; sleep 0.2\n"
            "grep VmHWM /proc/$qip/status; echo x >&3; exec 3>&-; wait $qip",
        60000);
    const size_t at = result.output.find("VmHWM:");
    EXPECT_NE(at, std::string::npos) << result.output << result.error;
    return at == std::string::npos ? 0L : strtol(result.output.c_str() + at + 6, nullptr, 10);
  };
  const long few = peak(100);
  const long all = peak(3000);
  EXPECT_GT(few, 0);
  // The names of 2,900 more files, and 290 more failures.
  EXPECT_LT(all, few + 2048) << few << " KiB with 100 files, " << all << " KiB with 3,000";
}

}  // namespace
}  // namespace qip
